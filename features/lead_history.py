"""One lead as known at a moment: the only door to the past."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from features.contacts import ContactFacts
from features.records import STAGE_OF_EVENT, STAGES, EventKind, FieldValue, LeadEvent, Stage

NO_CONTACT = ContactFacts()


@dataclass(frozen=True)
class LeadVersion:
    """The fields of a lead from `known_at` on; None means from the beginning (the first version)."""

    known_at: datetime | None
    fields: Mapping[str, FieldValue]
    contact: ContactFacts = NO_CONTACT


@dataclass(frozen=True)
class KeptLead:
    """A lead as the store keeps it: no raw contact, and each change of its fields with the moment it became known."""

    lead_id: str
    created_at: datetime | None
    versions: tuple[LeadVersion, ...]
    order: int | None = None
    manager: str | None = None

    def as_known(self, as_of: datetime | None) -> LeadVersion:
        """The version in force at the moment; where there is no moment, the first."""
        known = [v for v in self.versions if v.known_at is None or (as_of is not None and v.known_at <= as_of)]
        return known[-1] if known else self.versions[0]


@dataclass(frozen=True)
class LeadHistory:
    """What was known of one lead at `as_of`; nothing later is in it, and nothing whose moment is unknown.

    `as_of` is None where the export has no dates: then the history is the lead as it came, without events.
    `events` are in the order of their moments.
    """

    lead_id: str
    as_of: datetime | None
    created_at: datetime | None
    fields: Mapping[str, FieldValue]
    contact: ContactFacts = NO_CONTACT
    events: tuple[LeadEvent, ...] = field(default=())

    @classmethod
    def at(cls, lead: KeptLead, events: Iterable[LeadEvent], as_of: datetime | None) -> "LeadHistory":
        version = lead.as_known(as_of)
        return cls(lead.lead_id, as_of, lead.created_at, version.fields, version.contact, past(events, as_of))

    @classmethod
    def of(cls, as_of: str, created_at: str | None = None, **events: str) -> "LeadHistory":
        """A history from plain text, for examples: `LeadHistory.of("2026-03-08T00:00Z", touch="2026-03-05T00:00Z")`."""
        happened = [
            LeadEvent(
                lead_id="example",
                kind=EventKind(kind),
                at=datetime.fromisoformat(at),
                detail="no_answer" if kind == "call" else None,
            )
            for kind, at in events.items()
        ]
        now = datetime.fromisoformat(as_of)
        return cls(
            "example", now, datetime.fromisoformat(created_at) if created_at else None, {}, events=past(happened, now)
        )

    @cached_property
    def _by_kind(self) -> dict[str, list[LeadEvent]]:
        found: dict[str, list[LeadEvent]] = {}
        for event in self.events:
            found.setdefault(event.kind.value, []).append(event)
        return found

    def of_kind(self, kind: EventKind | str) -> Sequence[LeadEvent]:
        """The events of a kind, in order."""
        return self._by_kind.get(str(kind), [])

    def last(self, kind: EventKind | str) -> LeadEvent | None:
        found = self.of_kind(kind)
        return found[-1] if found else None

    def days_since(self, moment: datetime | None) -> float | None:
        """Days from a moment to `as_of`; missing when either is unknown."""
        return None if moment is None or self.as_of is None else (self.as_of - moment) / timedelta(days=1)

    def with_field(self, name: str, value: FieldValue) -> "LeadHistory":
        return replace(self, fields={**self.fields, name: value})


def past(events: Iterable[LeadEvent], as_of: datetime | None) -> tuple[LeadEvent, ...]:
    """The events that had happened by `as_of`, in order; ties keep a fixed order, so that any source gives the same."""
    if as_of is None:
        return ()
    known = [event for event in events if event.at is not None and event.at <= as_of]
    return tuple(sorted(known, key=_order))


def stages_reached(events: Sequence[LeadEvent]) -> list[tuple[datetime | None, Stage]]:
    """Each stage that the events prove, with its moment, in the order of the events."""
    proofs = [(event.at, event.stage or STAGE_OF_EVENT.get(event.kind)) for event in events]
    return [(at, stage) for at, stage in proofs if stage is not None]


def furthest_stage(events: Sequence[LeadEvent]) -> int:
    """The place in STAGES of the furthest stage that these events prove; 0, the lead itself, without any."""
    return max((STAGES.index(stage) for _, stage in stages_reached(events)), default=0)


def _order(event: LeadEvent) -> tuple[datetime, str, str, str, float, str, str]:
    """By moment; events of one moment by everything that they say, so that their arrival never decides."""
    assert event.at is not None
    return (
        event.at.astimezone(UTC),
        event.kind,
        event.detail or "",
        event.stage or "",
        float(event.amount or 0),
        event.manager or "",
        event.event_id or "",
    )
