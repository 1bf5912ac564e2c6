"""`leadloop weekly` from a home folder: it says what it did, or what is missing and what to do."""

from pathlib import Path

import pytest

from serving.settings import Settings
from serving.weekly import run
from serving.weekly.run import NoReasonModel, NoWeek, review_week, run_week


@pytest.fixture
def settings(store_url, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, store=store_url, contact_secret="a secret for tests only")


def test_without_a_reason_model_it_says_what_to_run(settings):
    with pytest.raises(NoReasonModel, match="leadloop train reasons"):
        run_week(settings)
    assert not settings.reviews.exists()


def test_a_broken_reason_model_is_named(settings):
    pointer = settings.bundles / "reasons" / "champion.json"
    pointer.parent.mkdir(parents=True)
    pointer.write_text('{"version": "reasons-gone"}')
    with pytest.raises(NoReasonModel, match="reasons-gone"):
        run_week(settings)


def test_a_store_without_dates_has_no_week(settings, tagger, monkeypatch):
    monkeypatch.setattr(run, "published_tagger", lambda bundles: tagger)
    with pytest.raises(NoWeek, match="no record in the store has a date"):
        run_week(settings)


def test_a_run_says_what_it_did_and_the_next_one_finds_it_done(settings, company, tagger, week, monkeypatch):
    monkeypatch.setattr(run, "published_tagger", lambda bundles: tagger)
    company.lead("2026-11-10")
    company.loss("2026-11-11", "дорого")
    company.loss("2026-11-03", "дорого")
    company.lead("2026-11-15T23:00")
    first = run_week(settings)
    assert (first.week.name, first.tagged, first.leads, first.notes) == ("2026-W46", 2, 2, 1)
    assert [path.name for path in first.pages] == ["2026-W46.ru.html", "2026-W46.en.html"]
    assert all(path.is_file() for path in first.files)
    before = [path.read_bytes() for path in first.files]
    second = run_week(settings, week)
    assert second.tagged == 0
    assert [path.read_bytes() for path in second.files] == before


def test_killed_between_tags_and_page_it_ends_as_if_nothing_had_happened(company, tagger, taxonomy, week, tmp_path):
    reviews = tmp_path / "reviews"
    for number in range(30):
        company.loss("2026-11-10", f"дорого {number}")
    whole = {path.name: path.read_bytes() for path in review_week(week, company.store, tagger, taxonomy, reviews).files}
    tagger.version = "words-2"
    tagger.model.notes_read, tagger.model.breaks_after = 0, 10
    with pytest.raises(KeyboardInterrupt):
        review_week(week, company.store, tagger, taxonomy, reviews)
    assert {path.name: path.read_bytes() for path in reviews.iterdir()} == whole
    tagger.model.breaks_after = None
    resumed = review_week(week, company.store, tagger, taxonomy, reviews).files
    assert {path.name: path.read_bytes().replace(b"words-2", b"words-1") for path in resumed} == whole
