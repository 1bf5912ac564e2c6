"""Was a stage reached within the horizon? Yes, no, or not known while it is too early to say."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from features.lead_history import stages_reached
from features.records import STAGES, EventKind, LeadEvent, Stage

HORIZON = timedelta(days=90)  # the default of DESIGN.md's issue on conversion; the data may set another


def outcome(
    events: Sequence[LeadEvent],
    stage: Stage,
    *,
    as_of: datetime | None,
    snapshot: datetime | None,
    horizon: timedelta = HORIZON,
) -> bool | None:
    """Whether `stage` (or a later one) was reached within `horizon` after `as_of`, as far as `snapshot` can tell.

    None while the lead is not ripe: the stage was not reached, the lead is not lost, and the horizon has not passed.
    `snapshot` is the moment up to which the data tell what happened. Where the export has no dates (`as_of` is None),
    or the event that decides has none, the order of things is trusted: outcomes come after the lead.
    """
    reached = [at for at, found in stages_reached(events) if STAGES.index(found) >= STAGES.index(stage)]
    if any(_within(at, as_of, horizon) for at in reached):
        return True
    lost = any(event.kind is EventKind.LOST and _within(event.at, as_of, horizon) for event in events)
    if lost and not is_open(events):
        return False
    if as_of is not None and snapshot is not None and as_of + horizon <= snapshot:
        return False
    return None


def training_outcome(
    events: Sequence[LeadEvent],
    stage: Stage,
    *,
    as_of: datetime | None,
    snapshot: datetime | None,
    horizon: timedelta = HORIZON,
) -> bool | None:
    """The outcome as a label to learn from: None for every row whose whole horizon is not over.

    A young lead that has already bought is left out together with its peers that may still buy: keeping the one and
    dropping the others would teach that young leads buy more often than they do.
    """
    undated = as_of is None or any(event.at is None for event in events if event.kind in _DECIDES)
    whole = undated or (snapshot is not None and as_of is not None and as_of + horizon <= snapshot)
    if not whole:
        return None
    return outcome(events, stage, as_of=as_of, snapshot=None if undated else snapshot, horizon=horizon)


_DECIDES = frozenset({EventKind.WON, EventKind.LOST})


def _within(at: datetime | None, as_of: datetime | None, horizon: timedelta) -> bool:
    return at is None or as_of is None or as_of < at <= as_of + horizon


def is_open(events: Iterable[LeadEvent]) -> bool:
    """Whether a lead with these past events is still worked on: neither won nor lost, or opened again since."""
    for event in reversed(list(events)):
        if event.kind in _DECIDES:
            return False
        if event.kind is EventKind.REOPENED:
            return True
    return True
