"""`leadloop weekly`: tag the notes of the week and of those before it, build the review, write it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from features.store import Store
from models.taxonomy import Taxonomy, load_taxonomy
from serving.champions import Champions
from serving.settings import Settings
from serving.weekly.files import write_review
from serving.weekly.funnel import WEEKS_BEFORE
from serving.weekly.review import Review, build_review
from serving.weekly.tag import Tagger, tag_week
from serving.weekly.week import Week, last_full_week


class NoReasonModel(ValueError):
    """No reason model serves, so that no note can be tagged."""


class NoWeek(ValueError):
    """The store does not tell which week to review."""


@dataclass(frozen=True)
class WeeklyRun:
    """What a run did: how many notes it tagged, what it wrote."""

    week: Week
    tagged: int
    leads: int
    notes: int
    model_version: str
    files: tuple[Path, ...]

    @property
    def pages(self) -> tuple[Path, ...]:
        return tuple(path for path in self.files if path.suffix == ".html")


def run_week(settings: Settings, week: Week | None = None) -> WeeklyRun:
    """Tags, builds and writes into `settings.reviews`; without a week, the latest that the records tell whole."""
    tagger = published_tagger(settings.bundles)
    store = settings.open_store()
    try:
        week = week or _latest(store, ZoneInfo(settings.timezone))
        return review_week(week, store, tagger, load_taxonomy(), settings.reviews)
    finally:
        store.engine.dispose()


def review_week(week: Week, store: Store, tagger: Tagger, taxonomy: Taxonomy, folder: Path) -> WeeklyRun:
    """The week's review from a store that is open; the weeks before are tagged too, to compare with."""
    weeks = [week.before(ago) for ago in range(WEEKS_BEFORE, -1, -1)]
    tagged = sum(tag_week(each, store, tagger).new for each in weeks)
    review = build_review(week, store, tagger, taxonomy)
    return _done(review, tagged, write_review(review, folder))


def published_tagger(bundles: Path) -> Tagger:
    champions = Champions(bundles)
    champion = champions.get("reasons")
    if champion is None:
        why = champions.problems.get("reasons", f"nothing is published under {bundles}")
        raise NoReasonModel(
            f"no reason model serves: {why}; run `leadloop train reasons`, then `leadloop promote`, then this again"
        )
    return cast(Tagger, champion)


def _latest(store: Store, zone: ZoneInfo) -> Week:
    snapshot = store.snapshot()
    if snapshot is None:
        raise NoWeek("no record in the store has a date, so there is no week to review; import an export with dates")
    return last_full_week(snapshot, datetime.now(UTC), zone)


def _done(review: Review, tagged: int, files: list[Path]) -> WeeklyRun:
    return WeeklyRun(
        review.week,
        tagged,
        leads=review.funnel.overall.leads,
        notes=review.losses.notes,
        model_version=review.trust.model_version,
        files=tuple(files),
    )
