"""Who writes to the demo company, and what stands in the form: every field as it is known at creation."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training import demo_rules as rules
from training import demo_texts as texts

Words = NDArray[np.object_]


def draw_leads(rng: np.random.Generator, leads: int, ends: datetime) -> pd.DataFrame:
    """One row per lead in the order of creation: its fields, and beside them what the simulation needs.

    Columns that begin with `_` are not fields of a lead (hour of the office, language, intent, rank of the role …).
    """
    frame = _arrivals(rng, leads, ends)
    _draw_companies(frame, rng)
    _draw_campaigns(frame, rng)
    _draw_answers(frame, rng)
    _draw_managers(frame, rng)
    _draw_contacts(frame, rng)
    _write_comments(frame, rng)
    frame.insert(0, "lead_id", [f"L{number:06d}" for number in range(1, leads + 1)])
    return frame


def draw(rng: np.random.Generator, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """One column number per row of `weights`, which need not sum to one."""
    edges = np.cumsum(weights, axis=1)
    return np.asarray((rng.random((len(weights), 1)) * edges[:, -1:] > edges).sum(axis=1), dtype=np.int64)


def only(values: NDArray[Any], where: NDArray[np.bool_]) -> Words:
    """The values where they are wanted, None elsewhere."""
    kept = values.astype(object)
    kept[~where] = None
    return kept


def _pick(rng: np.random.Generator, names: list[str], weights: list[float], size: int) -> Words:
    chances = np.array(weights) / np.sum(weights)
    return np.array(names, dtype=object)[rng.choice(len(names), size=size, p=chances)]


def _choose(rng: np.random.Generator, words: tuple[str, ...], size: int) -> Words:
    return np.array(words, dtype=object)[rng.integers(0, len(words), size)]


def _weight_of_day(day: datetime) -> float:
    new_year = rules.NEW_YEAR if (day.month == 1 and day.day <= 8) else 1.0
    return rules.MONTHS[day.month - 1] * rules.WEEKDAYS[day.weekday()] * new_year


def _arrivals(rng: np.random.Generator, leads: int, ends: datetime) -> pd.DataFrame:
    """From where and when they come: days by season, hours by the customer's clock; in the order of time."""
    first_day = (ends - rules.SPAN).astimezone(rules.MOSCOW).replace(hour=0, minute=0, second=0, microsecond=0)
    weights = np.array([_weight_of_day(first_day + timedelta(days=day)) for day in range(rules.SPAN.days)])
    day = rng.choice(rules.SPAN.days, size=leads, p=weights / weights.sum())
    frame = _sources(rng, day / rules.SPAN.days)
    _draw_places(frame, rng)
    hour = rng.choice(24, size=leads, p=np.array(rules.HOURS) / np.sum(rules.HOURS))
    minute = day * 1440 + (hour - frame["_offset"] + 3) * 60 + rng.integers(0, 60, leads)
    # whole weeks: an eastern Monday morning before the first day falls on the last Sunday evening, as it should
    frame["_minute"] = minute % (rules.SPAN.days * 1440)
    frame = frame.sort_values("_minute", kind="stable", ignore_index=True)
    _tell_time(frame, first_day)
    return frame


def _sources(rng: np.random.Generator, age: NDArray[np.float64]) -> pd.DataFrame:
    """A source and a language per lead; `age` runs from 0 on the first day to 1 on the last: sources grow or fade."""
    shares = np.array([source.shares for source in rules.SOURCES])
    source = draw(rng, shares[:, 0] + age[:, None] * (shares[:, 1] - shares[:, 0]))
    english = np.array([each.english for each in rules.SOURCES])[source] > rng.random(len(age))
    return pd.DataFrame({
        "source": np.array([each.name for each in rules.SOURCES], dtype=object)[source],
        "channel": np.array([each.channel for each in rules.SOURCES], dtype=object)[source],
        "_source": source, "_language": np.where(english, "en", "ru"),
    })  # fmt: skip


def _tell_time(frame: pd.DataFrame, first_day: datetime) -> None:
    opened = int(first_day.timestamp()) // 60
    moments = [datetime.fromtimestamp((opened + minute) * 60, tz=UTC) for minute in frame["_minute"].tolist()]
    local = [moment.astimezone(rules.MOSCOW) for moment in moments]
    frame["created_at"] = pd.Series(moments, dtype=object)
    frame["_month"] = [moment.month for moment in local]
    frame["_friday_evening"] = [moment.weekday() == 4 and moment.hour >= 15 for moment in local]
    frame["_years"] = frame["_minute"] / (365 * 1440)


def _draw_places(frame: pd.DataFrame, rng: np.random.Generator) -> None:
    regions = _pick(rng, list(rules.REGIONS), [share for _, share, _ in rules.REGIONS.values()], len(frame))
    abroad_name, abroad_cities, _ = rules.ABROAD
    abroad = frame["_language"].eq("en") & (rng.random(len(frame)) < rules.ABROAD_SHARE)
    frame["region"] = np.where(abroad, abroad_name, regions)
    cities = {region: cities for region, (cities, _, _) in rules.REGIONS.items()} | {abroad_name: abroad_cities}
    luck = rng.random(len(frame))
    frame["Город"] = [
        list(cities[region])[int(u * len(cities[region]))] for region, u in zip(frame["region"], luck, strict=True)
    ]
    frame["_offset"] = [cities[region][city] for region, city in zip(frame["region"], frame["Город"], strict=True)]


def _draw_companies(frame: pd.DataFrame, rng: np.random.Generator) -> None:
    size = len(frame)
    frame["industry"] = _pick(rng, list(rules.INDUSTRIES), [row[0] for row in rules.INDUSTRIES.values()], size)
    weights = np.tile([row[0] for row in rules.SIZES.values()], (size, 1))
    weights[:, 0] *= frame["source"].map(rules.SMALL_IN).fillna(1.0)
    frame["_size"] = draw(rng, weights)
    frame["company_size"] = np.array(list(rules.SIZES), dtype=object)[frame["_size"]]
    served = np.array([row[3] for row in rules.PRODUCTS.values()])
    shares = np.array([row[1] for row in rules.PRODUCTS.values()])
    fits = np.where(served[None, :] <= frame["_size"].to_numpy()[:, None], 1.0, rules.ASK_FOR_TOO_LARGE)
    frame["_product"] = draw(rng, shares * fits)
    frame["product"] = np.array(list(rules.PRODUCTS), dtype=object)[frame["_product"]]
    frame["_unserved"] = served[frame["_product"]] > frame["_size"]
    ranks = np.array([row[2] for row in rules.ROLES.values()])
    share = np.array([row[1] for row in rules.ROLES.values()])
    too_high = np.maximum(0, ranks[None, :] - 5 + frame["_size"].to_numpy()[:, None])
    role = draw(rng, share * np.exp(-rules.RANK_FADES * too_high))
    frame["_rank"] = ranks[role]
    russian, english = list(rules.ROLES), [row[0] for row in rules.ROLES.values()]
    frame["role"] = np.where(
        frame["_language"] == "en", np.array(english, dtype=object)[role], np.array(russian, dtype=object)[role]
    )


def _draw_campaigns(frame: pd.DataFrame, rng: np.random.Generator) -> None:
    size = len(frame)
    sells = np.array([row[3] for row in rules.OFFERS.values()])
    teaches = np.array([row[4] for row in rules.OFFERS.values()])
    weights = np.where(frame["source"].isin(rules.TEACHES).to_numpy()[:, None], teaches, sells)
    frame["offer"] = np.array(list(rules.OFFERS), dtype=object)[draw(rng, weights)]
    luck, campaign_luck, content = rng.random((3, size))
    pages = [rules.OFFERS[offer][0] for offer in frame["offer"]]
    frame["landing_page"] = [page[int(u * len(page))] for page, u in zip(pages, luck, strict=True)]
    sources = [rules.SOURCES[number] for number in frame["_source"]]
    frame["campaign"] = [
        each.campaigns[int(u * len(each.campaigns))] if each.campaigns else None
        for each, u in zip(sources, campaign_luck, strict=True)
    ]
    frame["utm_source"] = [each.utm[0] if each.utm else None for each in sources]
    frame["utm_medium"] = [each.utm[1] if each.utm else None for each in sources]
    frame["utm_campaign"] = frame["campaign"]
    frame["utm_content"] = [
        f"ad_{int(u * 12) + 1}" if each.utm else None for each, u in zip(sources, content, strict=True)
    ]
    frame["utm_term"] = [
        product.lower() if each.utm and each.utm[1] == "cpc" else None
        for each, product in zip(sources, frame["product"], strict=True)
    ]


def _draw_answers(frame: pd.DataFrame, rng: np.random.Generator) -> None:
    """The long form's answers: custom fields of every type, with holes."""
    size = len(frame)
    frame["_intent"] = _pick(rng, list(rules.INTENTS), [row[0] for row in rules.INTENTS.values()], size)
    current = _pick(rng, list(rules.CURRENT), [row[0] for row in rules.CURRENT.values()], size)
    frame["Текущее решение"] = only(current, rng.random(size) >= rules.HOLES["Текущее решение"])
    seats = np.exp(rng.normal(np.log(list(rules.SEATS))[frame["_size"]], 0.5)).astype(int) + 1
    frame["_seats"] = seats
    frame["Сотрудников в отделе"] = only(seats, rng.random(size) >= rules.HOLES["Сотрудников в отделе"])
    frame["Работаете с CRM"] = only(
        rng.random(size) < rules.HAS_CRM, rng.random(size) >= rules.HOLES["Работаете с CRM"]
    )
    known = (current == "Другой поставщик") & (rng.random(size) < rules.CONTRACT_KNOWN)
    frame["_contract_days"] = np.where(known, rng.integers(5, rules.CONTRACT_DAYS, size), -1)
    frame["Договор с поставщиком до"] = [
        (moment + timedelta(days=int(days))).date().isoformat() if days >= 0 else None
        for moment, days in zip(frame["created_at"], frame["_contract_days"], strict=True)
    ]
    frame["Откуда узнали"] = np.where(
        frame["_language"] == "en",
        _choose(rng, texts.HEARD_FROM["en"], size),
        _choose(rng, texts.HEARD_FROM["ru"], size),
    )
    frame["Откуда узнали"] = frame["Откуда узнали"].where(frame["Откуда узнали"] != "", None)
    frame["GUID заявки"] = [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(size)]


def _draw_managers(frame: pd.DataFrame, rng: np.random.Generator) -> None:
    """Leads fall to managers by share; English ones to those who speak it, Friday evenings mostly to the duty."""
    moments = frame["created_at"].to_numpy()
    shares = np.array([manager.share for manager in rules.MANAGERS])
    present = np.column_stack([
        [(m.since is None or at >= m.since) and (m.until is None or at < m.until) for at in moments]
        for m in rules.MANAGERS
    ])  # fmt: skip
    speaks = np.array([manager.name in rules.SPEAKS_ENGLISH for manager in rules.MANAGERS])
    english = frame["_language"].eq("en").to_numpy()
    weights = shares * present * np.where(english[:, None], speaks, True)
    frame["_manager"] = draw(rng, weights)
    gromov = next(number for number, each in enumerate(rules.MANAGERS) if each.name == "Громов Илья")
    on_duty = frame["_friday_evening"] & ~english & (rng.random(len(frame)) < rules.FRIDAY_DUTY)
    frame.loc[on_duty, "_manager"] = gromov
    frame["manager"] = np.array([each.name for each in rules.MANAGERS], dtype=object)[frame["_manager"]]


def _draw_contacts(frame: pd.DataFrame, rng: np.random.Generator) -> None:
    size = len(frame)
    first, last, number, spelling, hosts = rng.integers(0, 2**31, (5, size))
    people = [
        _person(language, int(a), int(b), int(c), int(d), int(e))
        for language, a, b, c, d, e in zip(frame["_language"], first, last, number, spelling, hosts, strict=True)
    ]
    frame["contact_name"], frame["phone"], frame["email"] = map(list, zip(*people, strict=True))
    again = np.flatnonzero((rng.random(size) < rules.SAME_PERSON) & (np.arange(size) > 50))
    recent = max(2, round(size / rules.SPAN.days * rules.SAME_PERSON_DAYS))
    earlier = again - rng.integers(1, np.minimum(again, recent) + 1)
    same_language = frame["_language"].to_numpy()[again] == frame["_language"].to_numpy()[earlier]
    again, earlier = again[same_language], earlier[same_language]
    for column in ("contact_name", "phone", "email", "region", "Город", "_offset"):
        frame.loc[again, column] = frame.loc[earlier, column].to_numpy()
    frame["_duplicate"] = np.isin(np.arange(size), again)
    hole, broken, no_mail = rng.random((3, size))
    frame["_phone"] = np.select(
        [hole < rules.PHONE_MISSING, broken < rules.PHONE_BROKEN], ["missing", "broken"], "good"
    )
    frame.loc[frame["_phone"] == "missing", "phone"] = None
    bad = frame["_phone"] == "broken"
    frame.loc[bad, "phone"] = _choose(rng, texts.BROKEN_PHONES, int(bad.sum()))
    frame.loc[(no_mail < rules.EMAIL_MISSING) & (frame["_phone"] != "missing"), "email"] = None


_LATIN = str.maketrans({
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sch", "ы": "y", "ь": "", "ъ": "", "э": "e", "ю": "yu", "я": "ya",
})  # fmt: skip


def _person(language: str, first: int, last: int, number: int, spelling: int, host: int) -> tuple[str, str, str]:
    """A made-up person: name, phone, e-mail."""
    firsts, lasts = texts.FIRST_NAMES[language], texts.LAST_NAMES[language]
    name, family = firsts[first % len(firsts)], lasts[last % len(lasts)]
    mail = f"{name}.{family}{number % 97}@{texts.MAIL_HOSTS[host % len(texts.MAIL_HOSTS)]}".lower().translate(_LATIN)
    if language == "en":
        area = texts.AMERICAN_AREAS[number % len(texts.AMERICAN_AREAS)]
        return f"{name} {family}", f"+1 {area} 555 01{number // 16 % 100:02d}", mail
    code = texts.RUSSIAN_CODES[number % 2]
    rest = f"{number // 2 % 10_000_000:07d}"
    form = texts.RUSSIAN_SPELLINGS[spelling % len(texts.RUSSIAN_SPELLINGS)]
    whole = f"{family} {name}" if spelling % 3 else name
    return whole, form.format(c=code, a=rest[:3], b=rest[3:5], d=rest[5:]), mail


def _write_comments(frame: pd.DataFrame, rng: np.random.Generator) -> None:
    """Comments in parts, and budgets in every spelling. An empty intent leaves the comment to chance."""
    luck = rng.random((len(frame), 7))
    columns = [frame[name].tolist() for name in ("_language", "_intent", "_seats", "product", "Город")]
    frame["comment"] = [
        _comment(language, intent, seats, product, city, draws)
        for language, intent, seats, product, city, draws in zip(*columns, luck.tolist(), strict=True)
    ]
    wallet = typical_wallet(frame) * np.exp(rng.normal(0, rules.WALLET_SPREAD, len(frame)))
    frame["budget"] = [
        _budget(language, money, *draws)
        for language, money, draws in zip(frame["_language"], wallet.tolist(), luck[:, 5:].tolist(), strict=True)
    ]
    says_sum = frame["budget"].notna() & ~frame["budget"].isin(texts.NO_BUDGET)
    frame["_wallet"] = np.where(says_sum, wallet, np.nan)


def typical_wallet(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Roubles that such a company has for such a product, before anything is known of this one."""
    prices = frame["product"].map({name: row[0] for name, row in rules.PRODUCTS.items()}).to_numpy(dtype=np.float64)
    trade = frame["industry"].map({name: row[1] for name, row in rules.INDUSTRIES.items()}).to_numpy(dtype=np.float64)
    season = np.array(rules.WALLET_IN_MONTH)[frame["_month"].to_numpy() - 1]
    wallets = np.array([row[2] for row in rules.SIZES.values()])[frame["_size"].to_numpy()]
    return np.asarray(prices * wallets * trade * season * rules.WALLET, dtype=np.float64)


def _comment(language: str, intent: str, seats: int, product: str, city: str, draws: list[float]) -> str | None:
    """Greeting, intent, detail and request, joined as people do."""

    def part(words: tuple[str, ...], luck: float) -> str:
        return words[int(luck * len(words))]

    if not intent and draws[4] >= rules.COMMENT_WITHOUT_INTENT:
        return None
    words = texts.PRODUCTS_ENGLISH[product] if language == "en" else product
    detail = part(texts.DETAILS[language], draws[1]).format(seats=seats, product=words, city=city)
    said = part(texts.INTENT_TEXTS[language][intent], draws[2]) if intent else ""
    parts = [part(texts.GREETINGS[language], draws[0]), said, detail, part(texts.REQUESTS[language], draws[3])]
    text = " ".join(
        each + ("," if number in (1, 2) and draws[4] < 0.3 else "") for number, each in enumerate(parts) if each
    )
    return text.strip(" ,") or None


def _budget(language: str, sum_: float, luck: float, spelling: float) -> str | None:
    """What stands in the budget field: nothing, a shrug, or about the money that they have."""
    if luck < rules.BUDGET_EMPTY:
        return None
    if luck < rules.BUDGET_EMPTY + rules.BUDGET_SHRUG:
        return texts.NO_BUDGET[int(spelling * len(texts.NO_BUDGET))]
    rounded = max(10, round(sum_ / 10_000) * 10)  # in thousands
    form = texts.BUDGETS[language][int(spelling * len(texts.BUDGETS[language]))]
    return form.format(
        k=rounded, full=rounded * 1000, full_spaced=f"{rounded * 1000:,}".replace(",", " "),
        millions=f"{rounded / 1000:.2f}".rstrip("0").rstrip(".").replace(".", ","),
    )  # fmt: skip
