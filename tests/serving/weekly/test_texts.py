"""Both languages say everything, with the same numbers in it."""

import string
from dataclasses import fields

import pytest

from features.records import STAGES
from models.taxonomy import load_taxonomy
from serving.web.format import Format, Language
from serving.weekly.queries import SHOWN_STAGES
from serving.weekly.reasons import OWNERS, UNKNOWN
from serving.weekly.texts import Texts
from serving.weekly.words import TEXTS

NAMES = [field.name for field in fields(Texts)]


def sentences(lang: Language, name: str) -> dict[str, str]:
    said = getattr(TEXTS[lang], name)
    return {"": said} if isinstance(said, str) else dict(said) if hasattr(said, "items") else {}


def blanks(sentence: str) -> set[str]:
    return {blank for _, blank, _, _ in string.Formatter().parse(sentence) if blank}


@pytest.mark.parametrize("name", NAMES)
def test_russian_and_english_have_the_same_sentences_with_the_same_blanks(name):
    russian, english = sentences("ru", name), sentences("en", name)
    assert russian.keys() == english.keys()
    for key, sentence in russian.items():
        assert sentence.strip()
        assert blanks(sentence) == blanks(english[key])


@pytest.mark.parametrize("lang", list(TEXTS))
def test_every_owner_recovery_and_stage_has_its_words(lang):
    said, taxonomy = TEXTS[lang], load_taxonomy()
    assert {reason.recovery for reason in taxonomy.reasons.values()} <= said.recovery.keys()
    assert {reason.owner for reason in taxonomy.reasons.values()} <= said.task.keys() & said.owners_zone.keys()
    assert said.owners.keys() == set(OWNERS)
    assert UNKNOWN in said.owners
    assert said.stages.keys() == said.stage_heads.keys() == {stage.value for stage in SHOWN_STAGES} < set(STAGES)


@pytest.mark.parametrize("lang", list(TEXTS))
def test_counted_words_have_all_their_forms(lang):
    forms = [getattr(TEXTS[lang], name) for name in NAMES if isinstance(getattr(TEXTS[lang], name), tuple)]
    assert forms
    assert all(len(form) == (3 if lang == "ru" else 2) for form in forms)


PLURALS = [
    *((count, "лид") for count in (1, 21, 101)),
    *((count, "лида") for count in (2, 3, 4, 22, 1_002, 0.5)),
    *((count, "лидов") for count in (0, 5, 11, 12, 14, 25, 111)),
]


@pytest.mark.parametrize(("count", "form"), PLURALS)
def test_russian_counts(count, form):
    assert Format("ru").plural(count, ("лид", "лида", "лидов")) == form


def test_a_hundred_percent_and_almost_nothing_read_well():
    russian = Format("ru")
    written = [russian.percent(rate).replace("\xa0", " ") for rate in (0, 0.0004, 0.0994, 0.0996, 0.5, 0.9999, 1)]
    assert written == ["0 %", "0 %", "9,9 %", "10 %", "50 %", "100 %", "100 %"]
