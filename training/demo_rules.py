"""The demo company's truth: every rule and number by which its leads come, are handled, buy and are lost.

The company is made up. It sells telephony, CRM and IT services to businesses, mostly in Russian. Four hidden things
decide about a lead: its need, whether the person may decide, the money, and the months until it can buy. Each stage
is a race of hazards: to move on, or to be lost for one of the reasons. Moving on is held back by the scarcest of the
four (a minimum, not a sum). Hence no logistic regression and no trees: a model has to find this out from the records.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOSCOW = ZoneInfo("Europe/Moscow")
ENDS = datetime(2026, 11, 16, 6, 0, tzinfo=UTC)  # the snapshot: Monday, 09:00 in Moscow, the hour of the weekly meeting
SPAN = timedelta(days=728)  # two years in whole weeks, so that every weekday is met equally often
HORIZON_DAYS = 90  # a lead older than this is ripe: more than nine first sales of ten close by then
CURRENCY = "RUB"
MARGIN = 0.45  # of a deal's amount; the rest is licences and engineers

# Two voices of thirteen, 12% of the starter corpus, set aside: "i" writes about IT services and is used whole,
# of "e" (every trade, from dentists to fences) only notes from the trades below sound like this company.
DEMO_VOICES = ("i", "e")
NOTE_TRADES = {
    "i": None,
    "e": frozenset(
        "SaaS|CRM|ERP|IT|IT services|IT hardware|IT-услуги|IT-интегратор|IT-внедрение|cloud|cybersecurity|software|"
        "hosting|хостинг|телеком|интернет-провайдер|автоматизация|веб-студия|документооборот|колл-центр|call centre|"
        "консалтинг|consulting|b2b-маркетплейс|производство|промышленность|payments|эквайринг".split("|")
    ),
}


@dataclass(frozen=True)
class Source:
    """Where leads come from, what they are worth, and what they cost."""

    name: str
    channel: str
    utm: tuple[str, str] | None
    campaigns: tuple[str, ...]
    shares: tuple[float, float]  # of all leads, on the first and the last day: sources grow and fade
    need: float  # mean need, 0..1, on the first day
    year: float  # what is left of the need after a year: an audience burns out
    trust: float
    junk: float  # share that nobody can sell to: bots, job seekers, wrong numbers
    months: float  # mean months until they can buy
    touches: float  # mean number of visits that are known from before the enquiry (cookies, webinar lists)
    english: float  # share of English leads
    lead_cost_rub: float  # spent for one lead on the first day; a year makes it 15% dearer
    visits: float  # visits for one lead


SOURCES = (
    Source("Яндекс.Директ", "Контекст", ("yandex", "cpc"), ("brand", "telephony_search", "crm_search"),
           (0.20, 0.20), 0.62, 0.94, 0.62, 0.06, 1.2, 0.8, 0.00, 6_200, 38),
    Source("РСЯ", "Медийная", ("yandex", "display"), ("retarget", "lookalike"),
           (0.18, 0.12), 0.46, 0.58, 0.50, 0.17, 2.4, 0.5, 0.00, 3_600, 95),  # the decaying one
    Source("SEO", "Органика", None, (), (0.14, 0.15), 0.60, 1.0, 0.62, 0.06, 1.6, 1.6, 0.16, 2_400, 60),
    Source("Каталог решений", "Агрегатор", ("katalog", "listing"), ("top3", "card"),
           (0.12, 0.13), 0.52, 0.84, 0.52, 0.10, 1.6, 0.2, 0.00, 4_100, 22),
    Source("Вебинар", "Контент", ("email", "webinar"), ("sales_week", "security_day"),
           (0.10, 0.11), 0.44, 0.97, 0.68, 0.04, 4.5, 2.4, 0.10, 1_900, 14),
    Source("Рекомендация", "Рекомендации", None, (), (0.06, 0.08), 0.80, 1.0, 0.88, 0.01, 0.9, 0.3, 0.10, 0, 0),
    Source("Партнёры", "Партнёры", None, (), (0.06, 0.07), 0.68, 0.98, 0.76, 0.03, 1.5, 0.1, 0.06, 5_200, 0),
    Source("VK Реклама", "Соцсети", ("vk", "cpc"), ("leadform", "video"),
           (0.07, 0.03), 0.34, 0.72, 0.46, 0.20, 2.8, 0.4, 0.00, 4_300, 70),  # never earned its money
    Source("Google Ads", "Контекст", ("google", "cpc"), ("telephony_en", "crm_en"),
           (0.04, 0.06), 0.58, 0.92, 0.56, 0.08, 1.4, 0.9, 0.92, 8_800, 41),
    Source("LinkedIn", "Соцсети", ("linkedin", "paid_social"), ("it_directors", "security_en"),
           (0.03, 0.05), 0.52, 0.90, 0.66, 0.05, 2.6, 0.9, 0.94, 11_500, 33),
)  # fmt: skip
COST_PER_YEAR = 1.15

# Offer: its landing pages, need and months as factors, its share with a source that sells and one that teaches.
OFFERS: dict[str, tuple[tuple[str, ...], float, float, float, float]] = {
    "Обратный звонок": (("/callback",), 1.22, 0.7, 0.20, 0.03),
    "Расчёт стоимости": (("/calc",), 1.05, 0.9, 0.26, 0.05),
    "Демо": (("/demo", "/demo-15-minut"), 1.10, 1.0, 0.24, 0.12),
    "Бесплатный аудит": (("/audit", "/audit-za-0-rub"), 0.95, 1.1, 0.16, 0.10),
    "Чек-лист": (("/checklist",), 0.55, 3.0, 0.14, 0.25),
    "Запись вебинара": (("/webinar",), 0.62, 2.6, 0.00, 0.45),
}
TEACHES = ("Вебинар", "LinkedIn")  # sources whose visitors mostly take a material
TAKES_MATERIAL = ("Чек-лист", "Запись вебинара")

# Product: its price for a company of 11-50 people, its share, how much slower its sale goes, smallest served size.
PRODUCTS: dict[str, tuple[float, float, float, int]] = {
    "Облачная телефония": (95_000, 0.26, 0.8, 0),
    "CRM": (190_000, 0.22, 1.0, 0),
    "Контакт-центр": (340_000, 0.18, 1.2, 1),
    "Кибербезопасность": (430_000, 0.12, 1.4, 2),
    "ИТ-аутсорсинг": (260_000, 0.12, 1.1, 1),
    "Облачный хостинг": (150_000, 0.10, 0.9, 0),
}

# Company size: share, price factor, wallet factor (small ones have less than the price grows), slowness.
SIZES: dict[str, tuple[float, float, float, float]] = {
    "до 10": (0.27, 0.55, 0.50, 0.7),
    "11-50": (0.33, 1.0, 1.15, 1.0),
    "51-250": (0.23, 2.1, 2.9, 1.25),
    "251-1000": (0.12, 4.2, 6.5, 1.7),
    "более 1000": (0.05, 7.5, 12.0, 2.2),
}
SMALL_IN = {"Каталог решений": 1.7, "VK Реклама": 1.6, "Партнёры": 0.6, "LinkedIn": 0.3}  # factor for "до 10"

# Role, Russian and English: share and rank. From a rank below the company's size on, somebody else decides.
ROLES: dict[str, tuple[str, float, int]] = {
    "Собственник": ("Owner", 0.17, 4),
    "Генеральный директор": ("CEO", 0.12, 5),
    "Коммерческий директор": ("Head of Sales", 0.15, 3),
    "ИТ-директор": ("IT Director", 0.14, 3),
    "Руководитель отдела": ("Team Lead", 0.17, 2),
    "Менеджер": ("Manager", 0.15, 1),
    "Специалист по закупкам": ("Procurement", 0.10, 1),
}
INDUSTRIES: dict[str, tuple[float, float, float]] = {  # share, wallet factor, trust factor
    "Оптовая торговля": (0.20, 1.0, 1.0), "Розница": (0.14, 0.85, 1.0), "Производство": (0.16, 1.1, 0.95),
    "Логистика": (0.11, 1.0, 1.0), "Медицина": (0.08, 0.9, 0.9), "Строительство": (0.11, 1.05, 0.95),
    "Финансы": (0.06, 1.6, 0.75), "ИТ": (0.08, 1.2, 1.05), "Образование": (0.06, 0.65, 1.0),
}  # fmt: skip
# Region: cities with their offset to UTC, share, trust factor.
REGIONS: dict[str, tuple[dict[str, int], float, float]] = {
    "Москва": ({"Москва": 3}, 0.30, 1.0),
    "Северо-Запад": ({"Санкт-Петербург": 3, "Калининград": 2}, 0.14, 1.0),
    "Юг": ({"Краснодар": 3, "Ростов-на-Дону": 3}, 0.12, 0.95),
    "Поволжье": ({"Казань": 3, "Самара": 4}, 0.13, 0.95),
    "Урал": ({"Екатеринбург": 5, "Челябинск": 5}, 0.11, 0.95),
    "Сибирь": ({"Новосибирск": 7, "Красноярск": 7, "Иркутск": 8}, 0.10, 0.9),
    "Дальний Восток": ({"Владивосток": 10, "Хабаровск": 10}, 0.10, 0.9),
}
ABROAD = ("Зарубежье", {"London": 0, "Dubai": 4, "Almaty": 5, "New York": -5}, 0.9)

# What the comment says: share, need factor, months factor, factor of losing to a competitor.
INTENTS: dict[str, tuple[float, float, float, float]] = {
    "": (0.36, 1.0, 1.0, 1.0),
    "urgent": (0.11, 1.5, 0.2, 1.0),
    "replace": (0.11, 1.3, 0.8, 1.0),
    "compare": (0.12, 0.95, 1.0, 2.2),
    "price": (0.13, 0.8, 1.1, 1.2),
    "later": (0.09, 0.95, 5.0, 1.0),
    "material": (0.08, 0.45, 2.5, 1.0),
}
# What they use today: share, need factor, factor of staying with it.
CURRENT: dict[str, tuple[float, float, float]] = {
    "Ничего": (0.24, 1.1, 0.5), "Excel": (0.28, 1.05, 0.8), "Другой поставщик": (0.32, 1.0, 1.4),
    "Своя разработка": (0.16, 0.85, 2.6),
}  # fmt: skip
CONTRACT_KNOWN = 0.6  # of those with another supplier name the day on which its contract ends
CONTRACT_DAYS = 420  # latest end of it after the enquiry; nobody pays two suppliers, so they wait for that day
HAS_TO_ASK = 0.25  # what is left of the right to decide where somebody else signs
DECIDES, DECIDES_LESS = 0.98, 0.32  # chance that the person decides, less for every missing rank
NEED_SPREAD, TRUST_SPREAD = 0.09, 0.08  # of the hidden need and trust around what the fields tell
MONTHS_SPREAD = 0.6  # power of an exponential waiting time: narrower than one
WALLET, WALLET_SPREAD = 1.05, 0.5  # typical money over the list price, and the spread of its logarithm
STATED_SPREAD = 0.25  # who states a budget has about that money
ASK_FOR_TOO_LARGE = 0.35  # factor of a product that their size is not served with: most know what is made for them
RANK_FADES = 0.25  # in a small company the owner writes, in a large one an employee: by so much per step of the size
ABROAD_SHARE = 0.85  # of the English leads; the others write from Russia
SEATS = (4, 9, 28, 80, 200)  # median people who would work with it, by company size
HAS_CRM = 0.45
HOLES = {"Текущее решение": 0.12, "Сотрудников в отделе": 0.25, "Работаете с CRM": 0.20}  # left empty in the form
BUDGET_EMPTY, BUDGET_SHRUG = 0.45, 0.10  # nothing, "не знаю" and the like; the others name about their money
COMMENT_WITHOUT_INTENT = 0.3  # of those with nothing to say write something all the same
PHONE_MISSING, PHONE_BROKEN, EMAIL_MISSING = 0.05, 0.03, 0.24
SAME_PERSON, SAME_PERSON_DAYS = 0.045, 40  # share of enquiries by somebody who wrote within the last days

# When they write. Months from January; weekdays from Monday; hours of the customer's own clock.
MONTHS = (0.72, 1.0, 1.08, 1.05, 0.82, 0.92, 0.84, 0.88, 1.12, 1.15, 1.1, 0.98)
WEEKDAYS = (1.12, 1.16, 1.12, 1.08, 0.98, 0.36, 0.34)
HOURS = (1, 1, 1, 1, 1, 1, 2, 4, 9, 16, 18, 17, 15, 15, 17, 18, 16, 13, 9, 7, 6, 5, 4, 2)
NEW_YEAR = 0.18  # of the usual number of leads from 1 to 8 January, when nobody works
HOLIDAYS = frozenset({(1, day) for day in range(1, 9)} | {(2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4)})
WALLET_IN_MONTH = (0.8, 0.95, 1.0, 1.0, 0.95, 1.0, 0.9, 0.9, 1.0, 1.05, 1.15, 1.3)  # budgets are spent in December
OPENS, CLOSES = 9, 18  # office hours in Moscow, Monday to Friday


@dataclass(frozen=True)
class Manager:
    """A seller and the habits of this seller."""

    name: str
    share: float  # of the leads
    delay_hours: float  # median office hours until the first call
    attempts: int  # gives up after so many
    gap_hours: float  # office hours between attempts
    skill: float  # factor of moving a lead on
    empty: float  # share of losses without a note
    vague: float  # share of notes that name no reason
    favourite: str  # what is picked in the drop-down when there is no mood to think …
    lazy: float  # … and how often that is
    since: datetime | None = None
    until: datetime | None = None


MANAGERS = (
    Manager("Белова Анна", 0.13, 0.4, 6, 3.0, 1.15, 0.02, 0.03, "Другое", 0.04),
    Manager("Громов Илья", 0.12, 0.9, 4, 6.0, 1.0, 0.08, 0.10, "Другое", 0.22),  # Friday evenings: see the patterns
    Manager("Котов Павел", 0.12, 2.2, 3, 9.0, 0.9, 0.14, 0.16, "Дорого", 0.50),
    Manager("Лаптева Ольга", 0.12, 0.7, 5, 4.0, 1.1, 0.04, 0.05, "Не целевой", 0.08),
    Manager("Мусин Тимур", 0.11, 1.5, 4, 8.0, 1.0, 0.06, 0.08, "Не дозвонились", 0.16),
    Manager("Орлова Дарья", 0.11, 0.5, 5, 5.0, 1.05, 0.05, 0.04, "Другое", 0.06),
    Manager(
        "Рябов Сергей", 0.10, 5.0, 2, 14.0, 0.8, 0.24, 0.22, "Другое", 0.85, until=datetime(2026, 8, 1, tzinfo=UTC)
    ),
    Manager("Фомина Вера", 0.10, 1.0, 4, 6.0, 1.0, 0.05, 0.07, "Не сейчас", 0.12),
    Manager("Цой Марина", 0.09, 0.8, 5, 5.0, 1.1, 0.03, 0.05, "Другое", 0.05, since=datetime(2026, 2, 2, tzinfo=UTC)),
)
SPEAKS_ENGLISH = ("Белова Анна", "Орлова Дарья", "Фомина Вера")  # English leads go to them, and so are their notes
DELAY_SPREAD = 1.1  # of the logarithm of the delay: a third of the calls takes three times the median
FRIDAY_DUTY = 0.45  # of the leads of a Friday evening fall to the duty of Громов Илья
FRIDAY_HOLE_HOURS = 15.0  # office hours for which his Friday evening's leads lie untouched on top

# The drop-down of the CRM has fewer items than the taxonomy has codes; the last one fits everything.
DROP_DOWN = {
    "invalid_contact": "Неверный контакт", "duplicate": "Дубль", "spam_fake": "Не целевой",
    "not_a_customer": "Не целевой", "outside_icp": "Не целевой",
    "product_gap": "Нет нужной функции", "no_need": "Передумали",
    "offer_mismatch": "Передумали", "price": "Дорого", "no_budget": "Нет бюджета", "no_authority": "Не согласовали",
    "timing": "Не сейчас", "terms": "Условия", "competitor": "Конкурент", "status_quo": "Передумали",
    "unreachable": "Не дозвонились", "went_silent": "Не дозвонились", "slow_response": "Другое",
    "poor_handling": "Другое", "no_trust": "Другое", "unclear": "Другое",
}  # fmt: skip
SLIP = 0.07  # of the picks are a random item, whoever picks


@dataclass(frozen=True)
class Pattern:
    """A leak of money that the weekly page has to find: in this segment one reason runs out of line."""

    name: str
    segment: Mapping[str, str]  # lead fields (or `manager`) and their values
    reason: str
    factor: float  # the true effect: how many times the usual hazard of the reason at these stages
    stages: tuple[str, ...]  # where the race is distorted
    since: datetime | None = None
    friday_evening: bool = False  # leads created on Fridays from 15:00 on, Moscow
    says: str = ""


PLANTED_PATTERNS = (
    Pattern("landing_promises_free_installation", {"landing_page": "/audit-za-0-rub"}, "offer_mismatch", 18.0,
            ("lead", "qualified"), says="The page promises free installation; sales offers an audit and a price."),
    Pattern("friday_evening_hole", {"manager": "Громов Илья"}, "slow_response", 4.0, ("lead", "qualified"),
            friday_evening=True, says="His Friday evening's leads are first called on Tuesday."),
    Pattern("far_east_delivery", {"region": "Дальний Восток"}, "terms", 22.0, ("qualified", "meeting", "proposal"),
            since=datetime(2026, 4, 1, tzinfo=UTC), says="The carrier was changed: equipment takes six weeks."),
    Pattern("catalogue_brings_tiny_firms", {"source": "Каталог решений", "company_size": "до 10"}, "outside_icp", 11.0,
            ("lead",), says="The catalogue lists us under 'for sole traders'; we serve firms with a sales team."),
    Pattern("contact_centre_lacks_voice_bot", {"product": "Контакт-центр"}, "product_gap", 12.0,
            ("qualified", "meeting", "proposal"), since=datetime(2026, 3, 2, tzinfo=UTC),
            says="A competitor released a voice bot on 2 March 2026; ours has none."),
)  # fmt: skip

# The past policy, first rule that speaks: its name and the chance to be called at once. Never 0 or 1, so that another
# policy can be valued on its log.
POLICY = {
    "no_phone": 0.12,
    "took_material": 0.40,
    "large_company": 0.96,
    "asked_for_us": 0.93,
    "everybody_else": 0.82,
}

# A call. The sooner, the more is left of the interest; a floor remains, for some needs do not go away.
FRESH_FLOOR, FRESH_HOURS, FRESH_SHAPE = 0.30, 16.0, 0.65
ANSWERS = 0.46  # chance that an attempt is answered: a good number, office time of the customer, fresh interest
ANSWERS_WITHOUT_PHONE = 0.28  # factor: no number or a broken one, only a letter may be answered
ZONE_HOURS, ZONE_FLOOR = 11.0, 0.15  # hours apart at which office hours hardly meet, and what is left then
AT_ONCE_HOURS = 0.1  # of a company that calls at once
CALLED_BACK_HOURS = 0.5  # office hours until somebody who wrote again is called
RETURNED_FRESH, RETURNED_ANSWERS = 0.85, 0.9  # who came back by letter expects the call

# Nurture: they come back when ready and not before, unless they are gone by then. The letters build trust.
COLD_CALL_TRUST = 0.5  # factor: who only took a material did not ask to be called
RETURN_CHANCE = 0.9  # factor on the need: who comes back at all
RETURN_DAYS = 20.0  # mean days until they answer a letter, once they are ready
GONE_DAYS, GONE_DAYS_PER_MONTH = 4.0, 70.0  # mean days until they bought elsewhere: who needs it now does not wait
RETURN_LIMIT_DAYS = 365.0
TRUST_GAP_LEFT = 0.70  # of the missing trust after weeks of letters
CLOSED_WITHOUT_TALK = 0.4  # of those who never came back are closed in the CRM after GIVEN_UP_DAYS
GIVEN_UP_DAYS = (60.0, 150.0)

# Second chances, the same under both actions: lost for these, some write again.
RECOVERABLE = ("timing", "no_budget", "went_silent", "no_authority", "slow_response")
REOPEN, REOPEN_DAYS, REOPEN_WINS, REOPEN_TAKES_DAYS = 0.11, 70.0, 0.30, 12.0
REPEAT, REPEAT_DAYS = 0.28, 110.0  # of the customers buy again, after so many days on average

# Days that a stage takes at a total hazard of 1, and the shape of its waiting time (below 1: a long tail).
STAGES = ("lead", "qualified", "meeting", "proposal")
STAGE_DAYS = {"lead": 1.5, "qualified": 9.0, "meeting": 13.0, "proposal": 24.0}
PULL = 1.8  # half a need is less than half a push
WAIT_SHAPE = 0.85
SILENCE_DAYS = (6.0, 18.0)  # a silent lead is closed after so many days without an answer

JUNK = {"spam_fake": 0.36, "not_a_customer": 0.34, "invalid_contact": 0.30}  # what junk is, by share
BROKEN_PHONE_IS_JUNK = 0.35  # chance that nobody can be found behind a broken number
DUPLICATE_IS_CLOSED = 0.8  # chance that the second enquiry of the same person is closed as a duplicate

REASONS = tuple(DROP_DOWN)
LOST_AGAIN_FOR = ("price", "competitor", "went_silent", "status_quo", "timing")

# Letters opened and pages seen: a number before the enquiry is the source's, after it it grows with the need.
TOUCHES_BEFORE_DAYS = 6.0
TOUCHES_AFTER, TOUCHES_PER_NEED, TOUCHES_NURTURED = 0.4, 2.6, 1.8
TOUCH_DAYS, TOUCH_DAYS_NURTURED = 10.0, 40.0
# letter, page, pricing_page, webinar, material: shares for no need at all, and what a full need adds
TOUCH_SHARES = ((0.55, 0.25, 0.03, 0.05, 0.12), (-0.15, 0.0, 0.25, 0.05, -0.05))
TALKS_IN_A_STAGE = 0.7  # further calls while a stage lasts
UNANSWERED = {"no_answer": 0.66, "busy": 0.18, "voicemail": 0.16}
AMOUNT_SPREAD, DISCOUNT = 0.22, 0.12  # of the amount's logarithm; the largest discount between proposal and deal


def hazards(stage: str, lead: Mapping[str, Any]) -> dict[str, Array]:
    """The race at a stage: hazards per unit of time of moving on and of being lost for each reason.

    `lead` holds arrays: need, decides, purse, trust (each 0..1), months (until they can buy), fresh (what is left of
    the interest when the call came), unserved, skill, clings, tempted; and `planted`: factors of (stage, reason).
    """
    moved_on, race = RACES[stage](lead)
    late, not_yet = 1.0 - lead["fresh"], np.minimum(lead["months"] / 3.0, 2.0)
    usual = np.ones_like(late)
    race |= {
        "timing": {"lead": 0.5, "qualified": 0.45, "meeting": 0.3, "proposal": 0.2}[stage] * not_yet,
        "slow_response": {"lead": 0.6, "qualified": 0.2, "meeting": 0.02, "proposal": 0.02}[stage] * late**1.5,
        "product_gap": {"lead": 0.03, "qualified": 0.05, "meeting": 0.08, "proposal": 0.03}[stage] * usual,
        "offer_mismatch": {"lead": 0.05, "qualified": 0.03}.get(stage, 0.0) * usual,
        "terms": {"qualified": 0.01, "meeting": 0.04, "proposal": 0.09}.get(stage, 0.0) * usual,
        "status_quo": 0.05 * lead["clings"],
        "competitor": {"lead": 0.01, "qualified": 0.05, "meeting": 0.08, "proposal": 0.2}[stage] * lead["tempted"],
        "poor_handling": 0.03 * np.maximum(1.7 - lead["skill"], 0.2) ** 2,
        "outside_icp": {"lead": 0.04 + 1.5 * lead["unserved"]}.get(stage, 0.0 * usual),
    }
    losses = {reason: race[reason] * lead["planted"].get((stage, reason), 1.0) for reason in REASONS if reason in race}
    return {"moved_on": moved_on * lead["skill"]} | losses


def scarcest(*things: Array) -> Array:
    """The bottleneck: more of the others does not help. Half of it is less than half a push."""
    least: Array = functools.reduce(np.minimum, things)
    return least**PULL


def _at_lead(lead: Mapping[str, Any]) -> tuple[Array, dict[str, Array]]:
    """The first talk: is there a need, and is it still warm?"""
    return 8.0 * scarcest(lead["need"] * 1.2, lead["fresh"]), {
        "no_need": 1.1 * (1 - lead["need"]) ** 2,
        "price": 1.0 * (1 - lead["purse"]),
        "no_budget": 0.3 * (1 - lead["purse"]),
        "no_authority": 0.12 * (1 - lead["decides"]),
        "no_trust": 0.06 * (1 - lead["trust"]),
    }


def _at_qualified(lead: Mapping[str, Any]) -> tuple[Array, dict[str, Array]]:
    """Agreeing on a meeting: silence is the main enemy, and a late first call is not forgotten yet."""
    pull = scarcest(lead["need"], 0.35 + 0.65 * lead["decides"], lead["trust"] + 0.1)
    return 6.0 * pull * (0.5 + 0.5 * lead["fresh"]), {
        "went_silent": 0.5 * (1 - lead["need"]),
        "no_need": 0.1 * (1 - lead["need"]),
        "price": 0.8 * (1 - lead["purse"]),
        "no_budget": 0.1 * (1 - lead["purse"]),
        "no_authority": 0.4 * (1 - lead["decides"]),
        "no_trust": 0.1 * (1 - lead["trust"]),
    }


def _at_meeting(lead: Mapping[str, Any]) -> tuple[Array, dict[str, Array]]:
    """From the meeting to a proposal: the scarcest thing shows."""
    pull = scarcest(lead["need"], 0.3 + 0.7 * lead["decides"], lead["trust"] + 0.1, 0.4 + 0.6 * lead["purse"])
    return 6.0 * pull, {
        "went_silent": 0.4 * (1 - lead["need"]),
        "price": 1.2 * (1 - lead["purse"]),
        "no_budget": 0.12 * (1 - lead["purse"]),
        "no_authority": 0.5 * (1 - lead["decides"]),
        "no_trust": 0.16 * (1 - lead["trust"]),
    }


def _at_proposal(lead: Mapping[str, Any]) -> tuple[Array, dict[str, Array]]:
    """The decision: money and the one who signs."""
    return 6.0 * scarcest(lead["need"], 0.15 + 0.85 * lead["decides"], lead["trust"], lead["purse"]), {
        "went_silent": 0.5 * (1 - lead["need"]),
        "price": 2.0 * (1 - lead["purse"]),
        "no_budget": 0.8 * (1 - lead["purse"]),
        "no_authority": 0.8 * (1 - lead["decides"]),
        "no_trust": 0.12 * (1 - lead["trust"]),
    }


RACES = {"lead": _at_lead, "qualified": _at_qualified, "meeting": _at_meeting, "proposal": _at_proposal}
