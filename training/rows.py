"""The store's history as training rows: each lead at several ages, with what it reached later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from features.feature_schema import FeatureSchema, learn_schema
from features.field_types import FieldType
from features.lead_history import KeptLead, LeadHistory, furthest_stage, past
from features.outcomes import HORIZON, is_open, training_outcome
from features.records import STAGES, EventKind, LeadEvent, Stage
from models.conversion import GOALS

# Ages at which an open lead is looked at again, beside its creation and each of its first attempts to call:
# a rescored lead is then one that the model has seen.
AGES = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
CALLS = 3  # the default number of attempts before giving up: later ages add little and cost rows

LEARNED_FROM = 20_000  # histories, evenly over time, from which columns and levels are found; more would change nothing

LeadWithEvents = tuple[KeptLead, tuple[LeadEvent, ...]]


@dataclass(frozen=True)
class Rows:
    """Training rows in the order of their leads, oldest lead first.

    `matrix` (rows, columns); `outcomes[stage]` (rows,) is 1, 0 or NaN (not known, or reached already);
    `lead` (rows,) counts the leads, `at_creation` marks the first row of each, `weight` gives every lead's creation
    weight one and its later ages one together.
    """

    schema: FeatureSchema
    matrix: NDArray[np.float64]
    outcomes: dict[Stage, NDArray[np.float64]]
    lead: NDArray[np.int64]
    at_creation: NDArray[np.bool_]
    weight: NDArray[np.float64]
    lead_ids: tuple[str, ...]
    snapshot: datetime | None

    def of_leads(self, leads: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of these leads."""
        return np.flatnonzero(np.isin(self.lead, leads))


def make_rows(
    leads: Sequence[LeadWithEvents],
    snapshot: datetime | None,
    *,
    field_types: dict[str, FieldType] | None = None,
    horizon: timedelta = HORIZON,
    schema: FeatureSchema | None = None,
) -> Rows:
    """Rows of all leads, which come oldest first; a `schema` is learned from them unless one is given."""
    looks = [(place, as_of) for place, (lead, events) in enumerate(leads) for as_of in moments(lead, events, snapshot)]
    histories = [LeadHistory.at(*leads[place], as_of) for place, as_of in looks]
    schema = schema or learn_schema(histories[:: max(1, len(histories) // LEARNED_FROM)], field_types)
    lead = np.array([place for place, _ in looks], dtype=np.int64)
    at_creation = np.diff(lead, prepend=-1) > 0
    return Rows(
        schema=schema,
        matrix=schema.matrix(histories),
        outcomes=_outcomes([leads[place][1] for place, _ in looks], histories, snapshot, horizon),
        lead=lead,
        at_creation=at_creation,
        weight=_weights(lead, at_creation),
        lead_ids=tuple(kept.lead_id for kept, _ in leads),
        snapshot=snapshot,
    )


def moments(lead: KeptLead, events: Iterable[LeadEvent], snapshot: datetime | None) -> list[datetime | None]:
    """When a lead is looked at: its creation, later ages and after its calls, as long as it is open."""
    if lead.created_at is None:
        return [None]
    known = [event for event in events if event.at is not None]
    calls = sorted(event.at for event in known if event.kind is EventKind.CALL and event.at is not None)[:CALLS]
    later = {lead.created_at + age for age in AGES} | {at for at in calls if at > lead.created_at}
    open_then = [at for at in sorted(later) if _is_open_at(known, at) and (snapshot is None or at <= snapshot)]
    return [lead.created_at, *open_then]


def _is_open_at(events: Sequence[LeadEvent], moment: datetime) -> bool:
    return is_open(past(events, moment))


def _outcomes(
    events: Sequence[tuple[LeadEvent, ...]],
    histories: Sequence[LeadHistory],
    snapshot: datetime | None,
    horizon: timedelta,
) -> dict[Stage, NDArray[np.float64]]:
    """Each stage's outcome per row; NaN where it is not known or was reached before."""
    found = {stage: np.full(len(histories), np.nan) for stage in GOALS}
    for row, (all_events, history) in enumerate(zip(events, histories, strict=True)):
        reached = furthest_stage(history.events)
        for stage in GOALS:
            if reached < STAGES.index(stage):
                known = training_outcome(all_events, stage, as_of=history.as_of, snapshot=snapshot, horizon=horizon)
                found[stage][row] = np.nan if known is None else float(known)
    return found


def _weights(lead: NDArray[np.int64], at_creation: NDArray[np.bool_]) -> NDArray[np.float64]:
    later = np.bincount(lead[~at_creation], minlength=int(lead.max(initial=-1)) + 1)
    return np.where(at_creation, 1.0, 1.0 / np.maximum(later[lead], 1))
