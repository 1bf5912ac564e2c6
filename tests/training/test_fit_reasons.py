"""Learning from labelled notes: any codes, any file, the same bytes again, and nobody's notes on both sides."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from models.reason_classifier import ReasonClassifier
from models.taxonomy import UnknownReason, load_taxonomy
from training.fit_reasons import (
    BrokenNotes,
    FittedReasons,
    LabelledNote,
    NotEnoughNotes,
    fit_reasons,
    load_labelled,
    starter_notes,
)
from training.note_folds import FOLDS, assign_folds, groups_of
from training.reason_quality import measure_reasons

SOME = starter_notes()[::6]  # two thousand notes of every voice and reason: 3 s


@pytest.fixture(scope="module")
def fitted() -> FittedReasons:
    return fit_reasons(SOME, load_taxonomy())


def saved_files(classifier: ReasonClassifier, folder: Path) -> dict[str, bytes]:
    classifier.save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_notes_and_seed_give_the_same_bytes(fitted: FittedReasons, tmp_path: Path):
    again = fit_reasons(SOME, load_taxonomy())
    assert saved_files(again.classifier, tmp_path / "a") == saved_files(fitted.classifier, tmp_path / "b")
    assert again.report == fitted.report


def test_the_report_says_how_well_people_who_were_not_read_are_understood(fitted: FittedReasons):
    report = fitted.report
    assert (report.notes, report.folds_by, report.groups) == (len(SOME), "voice", len({note.voice for note in SOME}))
    assert report.quality.accuracy > 0.55  # two thousand notes; all thirteen thousand give 0.84
    assert report.quality.top_three > 0.75
    assert report.quality.ece < 0.06
    assert set(report.quality_by_lang) == {"ru", "en"}
    assert sum(report.notes_of_reason.values()) == len(SOME)


def test_what_is_called_sure_is_right_for_people_who_were_not_read():
    voices = {"p", "q", "r"}
    known = starter_notes(without_voices=voices)[::4]
    others = [note for note in starter_notes() if note.voice in voices][::2]
    classifier = fit_reasons(known, load_taxonomy()).classifier
    tags = classifier.read_many([note.text for note in others])
    sure = [tag.reason == note.reason for tag, note in zip(tags, others, strict=True) if tag.sure]
    assert len(sure) > 0.1 * len(others)
    assert np.mean(sure) > 0.93


def test_the_starter_can_leave_voices_out_for_the_demo():
    left = starter_notes(without_voices={"d", "e"})
    assert {"d", "e"} & {note.voice for note in left} == set()
    assert len(left) < len(starter_notes()) == 18_770


def own_notes(codes: list[str], each: int) -> list[LabelledNote]:
    return [LabelledNote(f"{code} case {number} {'x' * number}", code) for code in codes for number in range(each)]


def test_a_company_may_have_codes_of_its_own():
    fitted = fit_reasons(own_notes(["Слишком далеко", "Wrong colour", "bad karma"], 12), None)
    tag = fitted.classifier.read("wrong colour again")
    assert tag.reason == "Wrong colour"
    assert fitted.report.folds_by == "near repeats"
    assert fitted.classifier.read("").reason in fitted.classifier.reasons  # no code `unclear`, so no rule may speak


def test_two_reasons_are_enough():
    classifier = fit_reasons(own_notes(["left", "right"], 15), None).classifier
    assert [classifier.read(text).reason for text in ("left case", "right case")] == ["left", "right"]
    assert sum(each.probability for each in classifier.read("left case").top) == pytest.approx(1)


def test_a_reason_with_one_note_does_no_harm():
    notes = [*own_notes(["left", "right"], 15), LabelledNote("never seen before", "once")]
    assert "once" in fit_reasons(notes, None).classifier.reasons


def test_a_code_outside_the_taxonomy_is_told():
    with pytest.raises(UnknownReason, match="did you mean 'price'"):
        fit_reasons([*SOME[:50], LabelledNote("дорого", "prise")], load_taxonomy())


@pytest.mark.parametrize("notes", [[], SOME[:5], own_notes(["alone"], 40)], ids=["none", "five", "one reason"])
def test_too_few_notes_are_told(notes: list[LabelledNote]):
    with pytest.raises(NotEnoughNotes, match="label more"):
        fit_reasons(notes, None)


def test_no_voice_stands_in_two_folds():
    groups = groups_of(SOME, empty_weights(len(SOME)))
    folds = assign_folds(groups, seed=0)
    assert len(set(folds.tolist())) == FOLDS
    assert all(len(set(folds[groups == group].tolist())) == 1 for group in set(groups.tolist()))


def test_near_repeats_stand_in_one_fold_where_voices_are_unknown():
    from features.notes import clean_note
    from models.note_vectors import NoteVectors, learn_vocabulary

    texts = ["взяли кирпич у соседей с базы", "Взяли кирпич у соседа с базы!", "директор уехал в отпуск до мая"]
    texts += [f"перезвонить {number}" for number in range(3)]
    words = [[word.text for word in clean_note(text).words] for text in texts]
    weights, _ = NoteVectors(learn_vocabulary(words, min_notes=1)).many(words)
    groups = groups_of([LabelledNote(text, "timing") for text in texts], weights)
    assert groups[0] == groups[1] != groups[2]
    assert len(set(groups[3:].tolist())) == 1  # figures do not count


def empty_weights(notes: int) -> sparse.csr_array:
    return sparse.csr_array((notes, 1))


def test_quality_is_counted_as_scikit_learn_counts_it():
    from sklearn.metrics import accuracy_score, f1_score

    random = np.random.default_rng(0)
    reasons = ["a", "b", "c", "d"]
    probabilities = random.dirichlet(np.ones(4), 200)
    labels = random.choice([*reasons[:3], "unknown"], 200)
    said = [reasons[place] for place in probabilities.argmax(axis=1)]
    quality = measure_reasons(labels.tolist(), reasons, probabilities)
    assert quality.accuracy == pytest.approx(accuracy_score(labels, said))
    assert quality.macro_f1 == pytest.approx(f1_score(labels, said, average="macro"))


FILES = [
    ("notes.csv", "text,label\nдорого,price\n"),
    ("notes.csv", '\ufefftext,reason,id\n"дорого, да",price,d0001\n'),
    ("notes.jsonl", '{"text": "дорого", "reason": "price", "id": "d0001"}\n\n{"text": "", "label": "unclear"}\n'),
    ("notes.csv.gz", "id,partition,label,text\n7,train,price,дорого\n"),
]


@pytest.mark.parametrize(("name", "body"), FILES, ids=[f"{name} {number}" for number, (name, _) in enumerate(FILES)])
def test_labelled_files_are_read(name: str, body: str, tmp_path: Path):
    raw = body.encode()
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    notes = load_labelled(tmp_path / name)
    assert notes[0].reason == "price"
    assert notes[0].text.startswith("дорого")
    assert notes[0].voice == ("d" if "d0001" in body else None)


BROKEN = [
    ("notes.csv", b"", "expected text"),
    ("notes.csv", b"note,label\nx,price\n", "expected text"),
    ("notes.csv", b"text,label\n", "holds no notes"),
    ("notes.csv", "text,label\nдорого,\n".encode(), "line 2 lacks reason"),
    ("notes.csv", "text,label\nдорого,price\n".encode("cp1251"), "not UTF-8"),
    ("notes.csv.gz", b"no gzip", "cannot be read"),
    ("notes.jsonl", b'{"text": "x"}', "line 1 lacks reason"),
    ("notes.jsonl", b'{"text": 5, "reason": "price"}', "line 1 lacks text"),
    ("notes.jsonl", b"[1, 2]", "line 1 is no object"),
    ("notes.jsonl", b'{"text": ', "line 1 is no JSON"),
    ("notes.jsonl", json.dumps("x").encode(), "line 1 is no object"),
]


@pytest.mark.parametrize(("name", "body", "told"), BROKEN, ids=[told for *_, told in BROKEN])
def test_a_broken_file_is_told_with_its_line(name: str, body: bytes, told: str, tmp_path: Path):
    (tmp_path / name).write_bytes(body)
    with pytest.raises(BrokenNotes) as error:
        load_labelled(tmp_path / name)
    assert told in str(error.value)
    assert name in str(error.value)


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(BrokenNotes, match="cannot be read"):
        load_labelled(tmp_path / "none.csv")
