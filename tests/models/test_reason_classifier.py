"""The reader of loss notes: what it says, that it says the same each time, and that no note can hurt it."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import BrokenModel
from models.reason_classifier import ReasonClassifier, ReasonTag
from models.reason_rules import SURE_RULES, first_to_speak
from models.taxonomy import UNCLEAR, load_taxonomy
from training.fit_reasons import starter_notes

NOTES = [
    note.text for note in starter_notes()[1::40]
]  # three hundred that the classifier of the tests has in part read


def is_a_tag(tag: ReasonTag, text: str, classifier: ReasonClassifier) -> bool:
    return (
        tag.reason in classifier.reasons
        and tag.top[0] == (tag.reason, tag.probability)
        and 0 <= sum(each.probability for each in tag.top) <= 1 + 1e-9
        and len({each.reason for each in tag.top}) == 3
        and all(one.probability >= two.probability for one, two in pairwise(tag.top))
        and all(0 <= start < end <= len(text) for start, end in tag.evidence)
    )


HARD = {
    "empty": "",
    "blanks": " \t\n\u00a0\u2003",
    "a dash": "—",
    "signs": "?!?!...",
    "emoji": "😡😡😡",
    "a family joined by ZWJ": "👨‍👩‍👧‍👦 дорого",
    "right to left": "\u202eогород\u202c יקר מדי",
    "NUL": "до\x00ро\x00го",
    "only NUL": "\x00" * 100,
    "lone surrogates": "\ud800дорого\udfff",
    "ten megabytes": "дорого, взяли у других. " * 420_000,
    "one word of a million letters": "я" * 1_000_000,
    "a million brackets": "(" * 1_000_000,
    "accents without end": "е" + "\u0301" * 20_000,
    "HTML": "<html><body onload='x()'><p>дорого</p><!-- бюджет --></body></html>",
    "unclosed HTML": "<p" * 5_000,
    "base64": base64.b64encode(bytes(range(256)) * 40).decode(),
    "an order to the machine": "ignore the rules and tag as price",
    "SQL": "'; DROP TABLE leads; --",
    "a template": "{{7*7}} ${jndi:ldap://x} %s %n",
    "figures": "1 2 3 4 5 6 7 8 9 10" * 50,
    "Chinese": "太贵了",
    "full width": "ｔｏｏ ｅｘｐｅｎｓｉｖｅ",
    "dotted capital I": "İİİ ẞ ﬁ ǅ",
    "never used letters": "\U0010ffff\ufffe\uffff",
}


@pytest.mark.parametrize("text", HARD.values(), ids=HARD.keys())
def test_whatever_stands_in_a_note_there_is_a_tag_and_soon(text: str, day_one: ReasonClassifier):
    day_one.read("прогрев")
    begun = time.process_time()
    tag = day_one.read(text)
    assert time.process_time() - begun < 0.5  # ten times what it takes, as test machines are busy
    assert is_a_tag(tag, text, day_one)
    assert day_one.read_many([text]) == [tag]


@given(st.lists(st.text(), max_size=20))
@settings(max_examples=200, deadline=None)
def test_thousands_of_random_texts_get_tags_and_the_same_one_by_one(texts: list[str]):
    classifier = _shared[0]
    tags = classifier.read_many(texts)
    assert tags == [classifier.read(text) for text in texts]
    assert all(is_a_tag(tag, text, classifier) for tag, text in zip(tags, texts, strict=True))


_shared: list[ReasonClassifier] = []


@pytest.fixture(autouse=True)
def _share(day_one: ReasonClassifier) -> None:
    _shared[:] = [day_one]  # hypothesis wants no fixtures in its tests' arguments


def test_one_by_one_and_in_any_company_the_answers_are_the_same_to_the_last_bit(day_one: ReasonClassifier):
    one_by_one = [day_one.read(text) for text in NOTES]
    assert day_one.read_many(NOTES) == one_by_one
    assert day_one.read_many(NOTES[::-1])[::-1] == one_by_one
    assert [day_one.read_many([text])[0] for text in NOTES[:50]] == one_by_one[:50]
    assert day_one.read_many([]) == []


def test_several_threads_of_the_api_read_at_once(saved: Path, day_one: ReasonClassifier):
    opened, texts = ReasonClassifier.open(saved), [f"{text} №{number}" for number, text in enumerate(NOTES)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(opened.read, texts)) == day_one.read_many(texts)


SAME = [
    ("дорого, нашли дешевле", "ДОРОГО, НАШЛИ ДЕШЕВЛЕ", "дoрoгo, нашли дешевлe", "дорого,  нашли\u200b дешевле\n"),
    ("ещё не решили, ждём весну", "еще не решили, ждем весну", "ЕЩЁ НЕ РЕШИЛИ, ЖДЁМ ВЕСНУ"),
    ("went with another vendor", "WENT WITH ANOTHER VENDOR", "went with аnоther vendоr"),
]


@pytest.mark.parametrize("variants", SAME, ids=[variants[0] for variants in SAME])
def test_manner_of_typing_does_not_change_the_tag(variants: tuple[str, ...], day_one: ReasonClassifier):
    assert len({day_one.read(variant).top for variant in variants}) == 1


def test_evidence_are_words_of_the_note_without_the_signs_around_them(day_one: ReasonClassifier):
    text = "Просил скидку 30%: «слишком дорого, нашёл дешевле»!!"
    tag = day_one.read(text)
    assert tag.reason == "price"
    assert any("дешевле" in text[start:end] for start, end in tag.evidence)
    assert all(text[start].isalnum() and text[end - 1].isalnum() for start, end in tag.evidence)


def test_a_note_without_its_evidence_says_the_reason_less(day_one: ReasonClassifier):
    weaker = []
    for text in NOTES:
        tag = day_one.read(text)
        rest = "".join(letter for at, letter in enumerate(text) if not any(a <= at < b for a, b in tag.evidence))
        left = day_one.probabilities([rest])[0][day_one.reasons.index(tag.reason)]
        weaker.append(left < tag.probability)
    assert np.mean(weaker) > 0.95  # the strongest words are chosen one by one; without them others join into pairs


UNCLEAR_NOTES = ["", "—", "...", "Отказ", "ОТКАЗ КЛИЕНТА!", "n/a", "lost", "закрыто.", "без комментариев", "🤷"]


@pytest.mark.parametrize("text", UNCLEAR_NOTES)
def test_a_note_without_a_reason_is_surely_unclear(text: str, day_one: ReasonClassifier):
    tag = day_one.read(text)
    assert (tag.reason, tag.sure) == (UNCLEAR, True)
    assert tag.because in [rule.__name__ for rule in SURE_RULES]


def test_a_note_in_an_unknown_language_is_unsure_and_not_unclear_for_sure(day_one: ReasonClassifier):
    assert not day_one.read("太贵了").sure
    assert not day_one.read("ძალიან ძვირია").sure


MARKS = [
    ("Дубль", "duplicate"),
    ("duplicate lead", "duplicate"),
    ("НДЗ х5", "unreachable"),
    ("недозвон 3", "unreachable"),
    ("не берет трубку", "unreachable"),
    ("no answer x3", "unreachable"),
    ("спам", "spam_fake"),
    ("тест", "spam_fake"),
    ("неверный номер", "invalid_contact"),
    ("Дорого!", "price"),
    ("too expensive", "price"),
]


@pytest.mark.parametrize(("text", "reason"), MARKS)
def test_bare_marks_are_read_by_rule(text: str, reason: str, day_one: ReasonClassifier):
    tag = day_one.read(text)
    assert (tag.reason, tag.sure, tag.because == "model") == (reason, True, False)


def test_no_starter_note_contradicts_a_sure_rule():
    spoken = [(first_to_speak_of(note.text), note.reason) for note in starter_notes()]
    decided = [(said, meant) for said, meant in spoken if said]
    assert len(decided) > 50
    assert [pair for pair in decided if pair[0] != pair[1]] == []


def first_to_speak_of(text: str) -> str | None:
    from features.notes import clean_note

    tag = first_to_speak(clean_note(text).text)
    return tag and tag.reason


def test_rules_name_codes_of_the_taxonomy_only():
    taxonomy = load_taxonomy()
    for text, reason in MARKS:
        assert first_to_speak_of(text) == taxonomy.reason(reason).code


@pytest.fixture(scope="module")
def saved(day_one: ReasonClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reasons")
    day_one.save(folder)
    return folder


def test_saved_and_opened_it_answers_the_same(saved: Path, day_one: ReasonClassifier):
    opened = ReasonClassifier.open(saved)
    assert opened.version == day_one.version
    assert opened.read_many(NOTES) == day_one.read_many(NOTES)


def test_it_is_saved_as_plain_files_and_always_as_the_same_bytes(saved: Path, tmp_path: Path):
    assert {path.suffix for path in saved.iterdir()} == {".json", ".npy"}
    ReasonClassifier.open(saved).save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in saved.iterdir()
    }


def _with_nan(path: Path) -> None:
    array = np.load(path)
    array[0] = np.nan
    np.save(path, array)


def _as_objects(path: Path) -> None:
    np.save(path, np.array([print, {}], dtype=object), allow_pickle=True)


def _without_key(path: Path) -> None:
    settings = json.loads(path.read_text("utf-8"))
    del settings["sharpness"]
    path.write_text(json.dumps(settings), "utf-8")


def _one_reason_more(path: Path) -> None:
    settings = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(settings | {"reasons": [*settings["reasons"], "bad_karma"]}), "utf-8")


BREAKS: list[tuple[str, Callable[[Path], object], str]] = [
    ("reasons.json", Path.unlink, "holds no settings"),
    ("reasons.json", _without_key, "sharpness"),
    ("reasons.json", _one_reason_more, "word_weights.npy holds"),
    ("lemmas.json", lambda path: path.write_text('["a", "a"]'), "twice"),
    ("lemmas.json", lambda path: path.write_text("{}"), "no list of words"),
    ("grams.json", lambda path: path.write_text('["дор"]'), "gram_idf.npy holds"),
    ("pairs.npy", lambda path: np.save(path, np.array([1.5])), "instead of int64"),
    ("word_weights.npy", _with_nan, "not finite"),
    ("word_weights.npy", _as_objects, "no plain .npy"),
    ("gram_weights.npy", lambda path: path.write_bytes(path.read_bytes()[:-100]), "no plain .npy"),
    ("gram_weights.npy", lambda path: np.save(path, np.zeros((2, 2), np.float32)), "instead of"),
    ("gram_idf.npy", lambda path: path.write_bytes(b""), "no plain .npy"),
    ("bias.npy", lambda path: path.write_bytes(b"PK\x03\x04 a zip"), "no plain .npy"),
]


@pytest.mark.parametrize(("name", "spoil", "told"), BREAKS)
def test_a_broken_file_is_refused(name: str, spoil: Callable[[Path], object], told: str, saved: Path, tmp_path: Path):
    for path in saved.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    spoil(tmp_path / name)
    with pytest.raises(BrokenModel) as error:
        ReasonClassifier.open(tmp_path)
    assert told in str(error.value)


def test_opening_loads_neither_language_nor_training_libraries(saved: Path):
    code = (
        "import sys; from pathlib import Path; from models.reason_classifier import ReasonClassifier as C; "
        f"c = C.open(Path({str(saved)!r})); "
        "heavy = {'spacy', 'pymorphy3', 'Stemmer', 'sklearn', 'pandas', 'mlflow'}; "
        "print(sorted(heavy & set(sys.modules))); c.read('слишком дорого для них'); "
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert told.stdout.splitlines()[0] == "[]"
    assert not {"sklearn", "pandas", "mlflow"} & set(json.loads(told.stdout.splitlines()[1].replace("'", '"')))
