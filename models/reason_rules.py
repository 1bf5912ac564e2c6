"""Rules that need no model: some decide a note surely, all together are the baseline that a classifier must beat."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from features.notes import clean_note
from models.taxonomy import UNCLEAR

Rule = Callable[[str], str | None]  # clean text of a note → code, or None: the rule has nothing to say

_WORDS = re.compile(r"\w+")

# Whole notes, without signs and case. `нд` and `н/д` are missing on purpose: some write "no data" so, some "no answer".
BARE_REFUSALS = frozenset(
    (
        "отказ|отказ клиента|отказался|отказалась|отказались|клиент отказался|клиент отказалась|отказано"
        "|в отказ|закрыто|закрыт|закрыли|закрываю|закрываю лид|сделка закрыта|слив|слив сделки|проиграно"
        "|проиграна|проигран|сделка проиграна|потерян|потеря|не купил|не купили|не хочет|не хотят|не будут"
        "|не пошло|не срослось|не сложилось|не состоялось|отвал|отвалился|архив|в архив|минус|мимо|прочее"
        "|другое|иное|хз|нет|без комментариев|нет комментария|причина неизвестна|причина не указана"
        "|причина не названа|не указано|см переписку"
        "|refused|declined|client refused|customer declined|rejected|closed|closed lost|lost|deal lost|passed"
        "|they passed|no|no go|nope|n a|none|other|no comment|not proceeding|not interested|no reason given"
        "|reason unknown|tbd|dead"
    ).split("|")
)
BARE_DUPLICATES = frozenset(
    "дубль|дубли|дубликат|дубль заявки|дубль лида|дубль сделки|повтор|повторная заявка|двойная заявка|задвоилось"
    "|duplicate|duplicate lead|duplicated|dup|dupe|double entry".split("|")
)
BARE_NO_ANSWERS = frozenset(
    "недозвон|не дозвон|ндз|нбт|недозвонился|не дозвонился|не дозвонились|не берет|не берет трубку|не отвечает"
    "|трубку не берет|не поднимает|сбрасывает|автоответчик|недоступен|абонент недоступен"
    "|no answer|not answering|never answered|never picked up|unreachable|voicemail|rnr".split("|")
)
BARE_SPAM = frozenset("спам|тест|тест тест|тестовая заявка|фейк|spam|test|test lead|test test|fake|bot|бот".split("|"))
BARE_BAD_CONTACTS = frozenset(
    "неверный номер|неправильный номер|номер неверный|телефон неверный|чужой номер|чужой телефон|номер не существует"
    "|битый номер|битый контакт|wrong number|bad number|invalid number|number not in service".split("|")
)
BARE_PRICES = frozenset(
    "дорого|очень дорого|слишком дорого|цена|не устроила цена|не устроила стоимость"
    "|too expensive|expensive|price|price too high|too pricey".split("|")
)


def nothing_written(note: str) -> str | None:
    return None if _WORDS.search(note) else UNCLEAR


def only_a_refusal(note: str) -> str | None:
    return UNCLEAR if _bare(note) in BARE_REFUSALS else None


def only_a_duplicate_mark(note: str) -> str | None:
    return "duplicate" if _bare(note) in BARE_DUPLICATES else None


def only_no_answer(note: str) -> str | None:
    return "unreachable" if _without_count(_bare(note)) in BARE_NO_ANSWERS else None


def only_a_spam_mark(note: str) -> str | None:
    return "spam_fake" if _bare(note) in BARE_SPAM else None


def only_a_bad_contact(note: str) -> str | None:
    return "invalid_contact" if _bare(note) in BARE_BAD_CONTACTS else None


def only_the_price(note: str) -> str | None:
    return "price" if _bare(note) in BARE_PRICES else None


# The first that speaks decides. They see whole notes of a few words: no starter note contradicts one (a test holds it).
SURE_RULES: tuple[Rule, ...] = (
    nothing_written,
    only_a_refusal,
    only_a_duplicate_mark,
    only_no_answer,
    only_a_spam_mark,
    only_a_bad_contact,
    only_the_price,
)

# What sales say for each reason, surest first: right in most notes, not in all, so only the baseline believes them.
_PHRASES = (
    (
        "duplicate",
        r"дубл|задво|повторная заявка|уже (?:есть|заведен|в работе)|у меня в работе",
        r"duplicate|already (?:a|in)\b",
    ),
    (
        "spam_fake",
        r"\bспам|\bбот\b|тестов|не оставлял|не отправлял|заявку отрицает|пранк",
        r"\bspam|\bbot\b|prank|never (?:filled|sent)",
    ),
    (
        "invalid_contact",
        r"не существует|чужой номер|неверный номер|номер неверн|битый",
        r"wrong number|not in service|bounce",
    ),
    (
        "not_a_customer",
        r"ищет работу|ваканси|соискат|резюме|предлагает (?:свои|нам)|студент|курсов",
        r"job\b|cv\b|intern\b",
    ),
    (
        "slow_response",
        r"опоздал|поздно|долго (?:не )?(?:отвеч|перезв|дела|счит)|не перезвонили|забыли перезв",
        r"too late|too slow|took us",
    ),
    (
        "poor_handling",
        r"нахам|хами|груб|перепута|напутал|ошиблись в|потеряли|неверно посчит",
        r"rude|mixed up|wrong quote|messed",
    ),
    ("no_trust", r"не довер|мошен|развод|отзыв|боит|опаса|сомнева", r"scam|trust|reviews?\b"),
    (
        "no_budget",
        r"нет (?:денег|бюджета|средств)|бюджет[а-я]* (?:нет|не|урез|замор|срез)|денег нет|не выделил|кредит",
        r"no (?:budget|money|funds)|frozen",
    ),
    (
        "no_authority",
        r"не решает|не согласовал|начальств|директор (?:против|не)|(?:муж|жена) (?:против|не)|не одобри",
        r"boss|board|approv",
    ),
    (
        "terms",
        r"предоплат|отсрочк|услови|сроки? (?:поставк|изготовл)|минимальн|гарант|договор не",
        r"prepay|lead time|payment terms",
    ),
    (
        "status_quo",
        r"остались (?:на|с|при)|оставили как есть|своими силами|сами сдела|ничего менять",
        r"in.house|stay(?:ing|ed)? with|stick",
    ),
    (
        "competitor",
        r"конкурент|выбрали (?:друг|не нас)|ушли к|купил[аи]? (?:у|в) друг|подписали с",
        r"went with|signed with|competitor",
    ),
    ("price", r"дорог|дешевле|цена|цены|скидк", r"expensive|pric(?:e|ey)|cheaper|discount"),
    (
        "product_gap",
        r"нет (?:в наличии|такого|нужн|функци|интеграц)|не делаем|не выпуска",
        r"don't (?:make|have|support)|out of stock|feature",
    ),
    (
        "outside_icp",
        r"не наш (?:клиент|профиль|сегмент|регион)|не работаем с|слишком мал|физлиц|не возим",
        r"too small|don't serve|outside our",
    ),
    (
        "offer_mismatch",
        r"думал[аи]?\b|ожидал|реклам|в объявлении|лендинг|на сайте|бесплатн",
        r"thought|the ad\b|expected|free",
    ),
    (
        "timing",
        r"не сейчас|отложи|перенес|на следующий|в следующем|весной|осенью|позже|через (?:год|месяц|полгода)",
        r"next (?:year|quarter)|postpone|later",
    ),
    (
        "went_silent",
        r"пропал|замолч|перестал|тишина|после (?:встречи|кп|показа|замера)",
        r"went (?:quiet|silent|dark)|ghost",
    ),
    (
        "unreachable",
        r"недозв|ндз|не бер[еу]т|не отвеча|трубк|автоответ|недоступ",
        r"no answer|voicemail|never (?:picked|answered)",
    ),
    (
        "no_need",
        r"не нужно|не актуальн|неактуальн|просто (?:смотр|интерес|узна)|передумал|отпала",
        r"no longer need|just (?:looking|curious)",
    ),
)
_COMPILED = [(code, re.compile(f"{russian}|{english}")) for code, russian, english in _PHRASES]


def a_phrase_names_it(note: str) -> str | None:
    return next((code for code, phrase in _COMPILED if phrase.search(note)), None)


def no_reason_found(_note: str) -> str | None:
    return UNCLEAR


BASELINE_RULES: tuple[Rule, ...] = (*SURE_RULES, a_phrase_names_it, no_reason_found)


class RuleTag(NamedTuple):
    """A code, and the name of the rule that gave it."""

    reason: str
    because: str


def first_to_speak(note: str, rules: Sequence[Rule] = SURE_RULES) -> RuleTag | None:
    """What the first rule that speaks says of a clean text.

    >>> first_to_speak("дорого!!!"), first_to_speak("дорого, взяли у конкурента")
    (RuleTag(reason='price', because='only_the_price'), None)
    """
    for rule in rules:
        if reason := rule(note):
            return RuleTag(reason, rule.__name__)
    return None


def read_by_rules(text: str) -> RuleTag:
    """The baseline: the same rules for every company, always with an answer.

    >>> read_by_rules("Ушли к конкурентам, у них дешевле")
    RuleTag(reason='competitor', because='a_phrase_names_it')
    """
    tag = first_to_speak(clean_note(text).text, BASELINE_RULES)
    assert tag is not None  # the last rule always speaks
    return tag


def _bare(note: str) -> str:
    return " ".join(_WORDS.findall(note[:100]))  # longer notes are no bare marks


def _without_count(bare: str) -> str:
    """Marks of no answer often carry the number of attempts: ндз х4, no answer 3."""
    return re.sub(r" ?[xх×]? ?\d{1,2}(?: \d{1,2})?$", "", bare)
