"""What a seller reads: at most three reasons on each side, strongest first, never against the probability."""

import html
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.feature_schema import Column, FeatureSchema
from features.field_types import FieldType
from features.lead_features import FEATURES
from features.records import KNOWN_FIELDS
from models.explain import LEAST, MOST, NAMES, reasons

FIELDS = ["source", "budget", "Отдел", "age", "region", "touches", "last_call", "has_name"]
SCHEMA = FeatureSchema(
    [
        Column(f"field:{name}", "category", FieldType("category")) if name not in {f.name for f in FEATURES}
        else Column(name, "number")
        for name in FIELDS
    ]
)  # fmt: skip
VALUES = ["вебинар", "1000000", "склад", 3.25, None, 2.0, "no_answer", 1.0]


def said(contributions: list[float], values: list[float | str | None] = VALUES, language: str = "ru") -> object:
    return reasons(SCHEMA, values, np.array(contributions), language)  # type: ignore[arg-type]


CASES = [  # contributions, for, against, in Russian
    ([0.5, 0, 0, 0, 0, 0, 0, 0], ["источник: «вебинар»"], []),
    ([0, 0, -0.4, 0, 0, 0, 0, 0], [], ["Отдел: «склад»"]),
    ([0.1, 0.9, 0, 0, 0, 0, 0, 0], ["бюджет: «1000000»", "источник: «вебинар»"], []),
    ([0, 0, 0, 0.2, -0.3, 0.1, 0, 0], ["дней с заявки: 3,2", "касаний: 2"], ["регион: не указано"]),
    ([0.04, -0.04, 0, 0, 0, 0, 0, 0], [], []),
    ([0.4, 0.3, 0.2, 0.1, -0.1, -0.2, -0.3, -0.4],
     ["источник: «вебинар»", "бюджет: «1000000»", "Отдел: «склад»"],
     ["назвал имя: 1", "последний звонок: «no_answer»", "касаний: 2"]),
]  # fmt: skip


@pytest.mark.parametrize(("contributions", "pros", "cons"), CASES)
def test_the_strongest_reasons_are_said_on_their_side(
    contributions: list[float], pros: list[str], cons: list[str]
) -> None:
    assert said(contributions) == (pros, cons)


def test_english_says_the_same() -> None:
    assert said([0.5, 0, -0.4, 0.3, -0.2, 0, 0, 0], language="en") == (
        ['source: "вебинар"', "days since the enquiry: 3.2"],
        ['Отдел: "склад"', "region: not given"],
    )


@given(st.lists(st.floats(-5, 5), min_size=len(FIELDS), max_size=len(FIELDS)), st.sampled_from(["ru", "en"]))
def test_a_sentence_never_contradicts_its_contribution(contributions: list[float], language: str) -> None:
    pros, cons = reasons(SCHEMA, VALUES, np.array(contributions), language)  # type: ignore[arg-type]
    one_by_one = [
        reasons(SCHEMA, VALUES, np.where(np.arange(len(FIELDS)) == place, contributions, 0.0), language)  # type: ignore[arg-type]
        for place in range(len(FIELDS))
    ]
    for sentence in pros:
        assert contributions[[pair[0] for pair in one_by_one].index([sentence])] >= LEAST
    for sentence in cons:
        assert contributions[[pair[1] for pair in one_by_one].index([sentence])] <= -LEAST
    assert len(pros) == min(MOST, sum(c >= LEAST for c in contributions))
    assert len(cons) == min(MOST, sum(c <= -LEAST for c in contributions))


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202eмодеРп",
    "a\u0301" * 20,
    "{{7*7}}",
    "%s%n",
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_hostile_value_is_plain_text_that_a_page_escapes(value: str, language: str) -> None:
    (sentence,), _ = reasons(SCHEMA, [value, *VALUES[1:]], np.array([1.0] + [0.0] * 7), language)  # type: ignore[arg-type]
    assert value in sentence
    assert "<" not in html.escape(sentence)


def test_a_pasted_text_is_cut_and_a_sum_of_a_thousand_digits_is_not_spelled_out() -> None:
    for value in ("я" * 2_000, 1e300, -1e300, 1e22, 0.1 + 1e-17):
        (sentence,), _ = reasons(SCHEMA, [value, *VALUES[1:]], np.array([1.0] + [0.0] * 7))
        assert len(sentence) < 100


@pytest.mark.parametrize("language", ["ru", "en"])
def test_numbers_are_written_as_the_language_writes_them(language: str) -> None:
    for value, russian, english in ((3.25, "3,2", "3.2"), (2.0, "2", "2"), (-1.5, "-1,5", "-1.5"), (0.0, "0", "0")):
        (sentence,), _ = reasons(SCHEMA, [value, *VALUES[1:]], np.array([1.0] + [0.0] * 7), language)  # type: ignore[arg-type]
        assert sentence.endswith(f": {russian if language == 'ru' else english}")


def test_every_feature_and_every_field_has_a_name_in_both_languages() -> None:
    unsaid = {"utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"}  # these are names by themselves
    expected = {feature.name for feature in FEATURES} | {f"field:{name}" for name in set(KNOWN_FIELDS) - unsaid}
    assert expected
    assert expected <= set(NAMES)
    assert all(russian and english for russian, english in NAMES.values())


def test_nothing_is_said_where_only_the_prior_speaks() -> None:
    assert said([0.0] * len(FIELDS)) == ([], [])
    assert not math.isnan(LEAST)
