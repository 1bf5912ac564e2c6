"""Too early to say is neither won nor lost."""

from datetime import UTC, datetime, timedelta

import pytest

from features.outcomes import HORIZON, is_open, outcome, training_outcome
from features.records import LeadEvent, Stage

CAME = datetime(2026, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def on(day: int | None, kind: str, **more: object) -> LeadEvent:
    at = None if day is None else CAME + day * DAY
    return LeadEvent.model_validate({"lead_id": "L1", "kind": kind, "at": at, **more})


CASES = [  # what happened, days of data, won: for a person, won: to learn from
    ([], 10, None, None),  # young and silent: nobody knows
    ([], 91, False, False),  # the whole horizon passed without a deal
    ([on(5, "won")], 10, True, None),  # bought early; its peers may still buy, so it teaches nothing yet
    ([on(5, "won")], 91, True, True),
    ([on(5, "lost")], 10, False, None),
    ([on(5, "lost")], 91, False, False),
    ([on(95, "won")], 120, False, False),  # bought, but after the horizon
    ([on(5, "lost"), on(7, "reopened")], 10, None, None),  # back in work
    ([on(5, "lost"), on(7, "reopened"), on(20, "won")], 91, True, True),
    ([on(None, "won")], 10, True, True),  # an outcome column without a date: the file is trusted
    ([on(None, "lost")], 10, False, False),
]


@pytest.mark.parametrize(("events", "days", "known", "learned"), CASES)
def test_won_within_ninety_days(events: list[LeadEvent], days: int, known: bool | None, learned: bool | None) -> None:
    snapshot = CAME + days * DAY
    assert outcome(events, Stage.WON, as_of=CAME, snapshot=snapshot) is known
    assert training_outcome(events, Stage.WON, as_of=CAME, snapshot=snapshot) is learned


def test_an_unripe_lead_is_never_taught_as_lost() -> None:
    for days in range(HORIZON.days):
        assert training_outcome([], Stage.WON, as_of=CAME, snapshot=CAME + days * DAY) is None


def test_whoever_wins_has_passed_the_earlier_stages() -> None:
    events = [on(5, "won")]
    for stage in (Stage.QUALIFIED, Stage.MEETING, Stage.PROPOSAL, Stage.WON):
        assert outcome(events, stage, as_of=CAME, snapshot=CAME + 91 * DAY) is True


def test_what_was_reached_before_the_moment_is_not_reached_after_it() -> None:
    events = [on(2, "stage", stage="qualified")]
    assert outcome(events, Stage.QUALIFIED, as_of=CAME + 3 * DAY, snapshot=CAME + 200 * DAY) is False


def test_without_dates_the_outcome_column_decides() -> None:
    assert outcome([on(None, "won")], Stage.WON, as_of=None, snapshot=None) is True
    assert outcome([on(None, "lost")], Stage.WON, as_of=None, snapshot=None) is False
    assert training_outcome([], Stage.WON, as_of=None, snapshot=None) is None


@pytest.mark.parametrize(
    ("events", "still_open"),
    [([], True), ([on(1, "lost")], False), ([on(1, "won")], False), ([on(1, "lost"), on(2, "reopened")], True)],
)
def test_a_lead_is_open_until_it_is_won_or_lost(events: list[LeadEvent], still_open: bool) -> None:
    assert is_open(events) is still_open
