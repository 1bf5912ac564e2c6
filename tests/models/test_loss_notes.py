"""The notes of tests/loss_notes.txt, which the head of sales may read and add to."""

from collections import Counter
from pathlib import Path

import pytest

from models.reason_classifier import ReasonClassifier
from models.taxonomy import load_taxonomy

FILE = Path(__file__).parents[1] / "loss_notes.txt"
NOTES = [tuple(line.split("\t")) for line in FILE.read_text("utf-8").splitlines() if line and line[0] != "#"]


def test_every_reason_has_notes_in_both_languages():
    told = Counter(code for code, _ in NOTES)
    assert len(NOTES) >= 60
    assert set(told) == set(load_taxonomy().codes)
    assert min(told.values()) >= 2


@pytest.mark.parametrize(("code", "note"), NOTES, ids=[note for _, note in NOTES])
def test_the_right_reason_is_among_the_three_that_we_show(code: str, note: str, day_one: ReasonClassifier):
    assert code in [each.reason for each in day_one.read(note).top]


def test_nine_of_ten_are_right_at_once_and_what_is_called_sure_is(day_one: ReasonClassifier):
    tags = [(code, day_one.read(note)) for code, note in NOTES]
    assert sum(tag.reason == code for code, tag in tags) >= 0.9 * len(tags)
    sure = [(code, tag) for code, tag in tags if tag.sure]
    assert sum(tag.reason == code for code, tag in sure) >= 0.95 * len(sure)
