"""Contributions of a model → short sentences for a seller, in Russian and English."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.feature_schema import FeatureSchema

Language = Literal["ru", "en"]
MOST = 3  # reasons on each side: what one reads while the phone rings
LONGEST = 60  # letters of a value; a longer one is a pasted text, and a reason is read at a glance
LEAST = 0.05  # log odds; a smaller push changes a probability of 10% by less than half a point

# What each feature is called; a field of the lead is called by its own name.
NAMES: dict[str, tuple[str, str]] = {
    "phone_kind": ("телефон", "phone"),
    "phone_country": ("страна телефона", "country of the phone"),
    "email_kind": ("почта", "e-mail"),
    "has_name": ("назвал имя", "gave a name"),
    "created_hour": ("час заявки (UTC)", "hour of the enquiry (UTC)"),
    "created_weekday": ("день недели заявки (0 — понедельник)", "weekday of the enquiry (0 is Monday)"),
    "age": ("дней с заявки", "days since the enquiry"),
    "touches": ("касаний", "touches"),
    "kinds_of_touches": ("видов касаний", "kinds of touches"),
    "last_touch": ("последнее касание", "latest touch"),
    "days_since_last_touch": ("дней с последнего касания", "days since the latest touch"),
    "messages_in": ("сообщений от клиента", "messages from the lead"),
    "hours_to_first_call": ("часов до первого звонка", "hours to the first call"),
    "call_attempts": ("попыток дозвона", "call attempts"),
    "calls_answered": ("ответил на звонков", "calls answered"),
    "last_call": ("последний звонок", "latest call"),
    "stage": ("этап (0 — лид)", "stage (0 is lead)"),
    "days_in_stage": ("дней на этапе", "days in the stage"),
    "times_reopened": ("возвращался в работу", "times reopened"),
    "proposal_amount": ("сумма предложения", "amount of the proposal"),
    "comment_length": ("букв в комментарии", "letters in the comment"),
    "fields_filled": ("заполнено полей", "fields filled"),
    "field:source": ("источник", "source"),
    "field:channel": ("канал", "channel"),
    "field:campaign": ("кампания", "campaign"),
    "field:landing_page": ("посадочная страница", "landing page"),
    "field:offer": ("предложение", "offer"),
    "field:product": ("продукт", "product"),
    "field:region": ("регион", "region"),
    "field:industry": ("отрасль", "industry"),
    "field:company_size": ("размер компании", "company size"),
    "field:budget": ("бюджет", "budget"),
    "field:role": ("должность", "role"),
    "field:comment": ("слов в комментарии", "words in the comment"),
}
MISSING = ("не указано", "not given")


def reasons(
    schema: FeatureSchema,
    values: Sequence[float | str | None],
    contributions: NDArray[np.float64],
    language: Language = "ru",
) -> tuple[list[str], list[str]]:
    """What speaks for and against the lead, strongest first: at most three each.

    `contributions` (columns,) are the model's own log odds, so the sentences never contradict the probability.
    """
    order = np.argsort(-np.abs(contributions), kind="stable")
    strong = [place for place in order if abs(contributions[place]) >= LEAST]
    pros = [_sentence(schema, values, place, language) for place in strong if contributions[place] > 0]
    cons = [_sentence(schema, values, place, language) for place in strong if contributions[place] < 0]
    return pros[:MOST], cons[:MOST]


def _sentence(schema: FeatureSchema, values: Sequence[float | str | None], place: int, language: Language) -> str:
    column = schema.columns[place].name
    word = 0 if language == "ru" else 1
    name = NAMES[column][word] if column in NAMES else column.removeprefix("field:")
    value = values[place]
    return f"{name}: {MISSING[word] if value is None else _shown(value, language)}"


def _shown(value: float | str, language: Language) -> str:
    if isinstance(value, str):
        text = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
        return f"«{text}»" if language == "ru" else f'"{text}"'
    text = f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"
    if len(text) > LONGEST:
        text = f"{value:.2g}"
    return text.replace(".", ",") if language == "ru" else text
