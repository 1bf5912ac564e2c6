"""Each note is tagged once per model version, however often and however badly the run ends."""

import pytest
from sqlalchemy import select

from features.store import tables as t
from serving.weekly import tag
from serving.weekly.tag import tag_week


def rows(store):
    with store.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(t.note_tags).order_by(*t.note_tags.primary_key))]


@pytest.fixture
def notes(company):
    for number in range(7):
        company.loss("2026-11-10", "слишком дорого" if number % 2 else "не дозвонились")
    company.loss("2026-11-10", "")  # nothing was written: that is read too
    company.loss("2026-11-08", "дорого")  # Sunday of the week before


def test_only_the_notes_of_the_week_are_read(company, notes, week, tagger):
    assert tag_week(week, company.store, tagger).new == 8
    assert len(rows(company.store)) == 8


def test_a_second_run_reads_nothing_and_changes_nothing(company, notes, week, tagger):
    tag_week(week, company.store, tagger)
    before = rows(company.store)
    tagger.model.notes_read = 0
    assert tag_week(week, company.store, tagger).new == 0
    assert rows(company.store) == before
    assert tagger.model.notes_read == 0


def test_a_new_model_version_tags_them_again_and_keeps_the_old_tags(company, notes, week, tagger):
    tag_week(week, company.store, tagger)
    old = rows(company.store)
    tagger.version = "words-2"
    assert tag_week(week, company.store, tagger).new == 8
    assert [row for row in rows(company.store) if row[1] == "words-1"] == old
    assert len(rows(company.store)) == 16


@pytest.mark.parametrize("breaks_after", range(8))
def test_killed_anywhere_and_resumed_gives_the_same_rows(company, notes, week, tagger, breaks_after, monkeypatch):
    monkeypatch.setattr(tag, "CHUNK", 2)
    tagger.model.breaks_after = breaks_after
    with pytest.raises(KeyboardInterrupt):
        tag_week(week, company.store, tagger)
    tagger.model.breaks_after = None
    tag_week(week, company.store, tagger)
    resumed = rows(company.store)

    with company.store.engine.begin() as connection:
        connection.execute(t.note_tags.delete())
    tag_week(week, company.store, tagger)
    assert rows(company.store) == resumed
    assert len(resumed) == 8
