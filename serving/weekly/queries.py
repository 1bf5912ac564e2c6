"""What the blocks of the page ask of the store: counted there, so that memory does not grow with the company."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Join,
    Subquery,
    and_,
    case,
    distinct,
    exists,
    func,
    literal,
    or_,
    select,
)

from features.records import STAGE_OF_EVENT, STAGES, EventKind, Stage
from features.store import tables as t

SHOWN_STAGES = STAGES[: STAGES.index(Stage.WON) + 1]  # a repeated sale is won already
WON = SHOWN_STAGES.index(Stage.WON)
_RANK = {stage: min(rank, WON) for rank, stage in enumerate(STAGES)}


class LeadGroup(NamedTuple):
    """Leads that are counted together. `stage` is the furthest reached; `closed` means lost and not opened again."""

    source: str | None
    manager: str | None
    stage: int
    closed: bool


class LossGroup(NamedTuple):
    """Loss notes that are counted together. `stage` is where the lead stood; None where nobody knows the lead."""

    reason: str
    sure: bool
    source: str | None
    stage: int | None
    crm_reason: str | None


def leads_created(
    connection: Connection, since: datetime, until: datetime, seen_until: datetime, *, undated: bool = False
) -> Counter[LeadGroup]:
    """Leads created in [since, until), by what had happened to them before `seen_until`.

    With `undated`, events without a moment count too: they tell outcomes, only not when.
    """
    happened = _what_happened(since, until, seen_until, undated=undated)
    closed = and_(
        happened.c.lost_at.is_not(None),
        or_(happened.c.reopened_at.is_(None), happened.c.reopened_at < happened.c.lost_at),
    )
    leads = (
        select(
            _source_of(t.leads.c.lead_id).label("source"),
            _or_none(t.leads.c.manager).label("manager"),
            func.coalesce(happened.c.stage, 0).label("stage"),
            case((closed, 1), else_=0).label("closed"),
        )
        .select_from(t.leads.outerjoin(happened, happened.c.lead_id == t.leads.c.lead_id))
        .where(t.leads.c.created_at >= since, t.leads.c.created_at < until)
        .subquery()
    )
    counts: Counter[LeadGroup] = Counter()
    for row in connection.execute(select(*leads.c, func.count().label("leads")).group_by(*leads.c)):
        counts[LeadGroup(_word(row.source), row.manager, row.stage, bool(row.closed))] += row.leads
    return counts


def _what_happened(since: datetime, until: datetime, seen_until: datetime, *, undated: bool) -> Subquery:
    """Per lead: the furthest stage, the last loss, the last reopening."""
    seen = t.events.c.at < seen_until
    return (
        select(
            t.events.c.lead_id,
            func.max(stage_of_event()).label("stage"),
            func.max(case((t.events.c.kind == EventKind.LOST, t.events.c.at))).label("lost_at"),
            func.max(case((t.events.c.kind == EventKind.REOPENED, t.events.c.at))).label("reopened_at"),
        )
        .select_from(t.leads.join(t.events, t.events.c.lead_id == t.leads.c.lead_id))
        .where(t.leads.c.created_at >= since, t.leads.c.created_at < until)
        .where(or_(seen, t.events.c.at.is_(None)) if undated else seen)
        .group_by(t.events.c.lead_id)
        .subquery()
    )


def losses_written(connection: Connection, since: datetime, until: datetime, version: str) -> Counter[LossGroup]:
    """The tagged notes written in [since, until), as this model version tagged them."""
    notes = (
        select(
            t.note_tags.c.reason,
            t.note_tags.c.sure,
            _source_of(t.loss_notes.c.lead_id).label("source"),
            _stage_when_lost().label("stage"),
            _or_none(t.loss_notes.c.crm_reason).label("crm_reason"),
        )
        .select_from(_tagged(version))
        .where(t.loss_notes.c.written_at >= since, t.loss_notes.c.written_at < until)
        .subquery()
    )
    counts: Counter[LossGroup] = Counter()
    for row in connection.execute(select(*notes.c, func.count().label("notes")).group_by(*notes.c)):
        counts[LossGroup(row.reason, bool(row.sure), _word(row.source), row.stage, row.crm_reason)] += row.notes
    return counts


def note_ids(connection: Connection, since: datetime, until: datetime, version: str, reason: str) -> Iterator[str]:
    """The notes with a text that were tagged with this reason and surely."""
    query = (
        select(t.loss_notes.c.note_id)
        .select_from(_tagged(version))
        .where(t.loss_notes.c.written_at >= since, t.loss_notes.c.written_at < until, t.loss_notes.c.text != "")
        .where(t.note_tags.c.reason == reason, t.note_tags.c.sure.is_(True))
    )
    yield from connection.execute(query).scalars()


class NoteRow(NamedTuple):
    """A tagged note as an example is made of it."""

    note_id: str
    text: str
    evidence: list[tuple[int, int]]
    written_at: datetime
    stage: int | None
    source: str | None


def notes_of(connection: Connection, ids: list[str], version: str) -> dict[str, NoteRow]:
    query = (
        select(
            t.loss_notes.c.note_id,
            t.loss_notes.c.text,
            t.note_tags.c.evidence,
            t.loss_notes.c.written_at,
            _stage_when_lost(),
            _source_of(t.loss_notes.c.lead_id),
        )
        .select_from(_tagged(version))
        .where(t.loss_notes.c.note_id.in_(ids))
    )
    found = (NoteRow(*row) for row in connection.execute(query))
    return {note.note_id: note._replace(source=_word(note.source)) for note in found}


class LostLeads(NamedTuple):
    """Leads that were lost in a week, and those of them about which nobody wrote a word."""

    lost: int
    without_note: int


def leads_lost(connection: Connection, since: datetime, until: datetime) -> LostLeads:
    lost = and_(t.events.c.kind == EventKind.LOST, t.events.c.at >= since, t.events.c.at < until)
    noted = exists().where(t.loss_notes.c.lead_id == t.events.c.lead_id, t.loss_notes.c.text != "")
    silent = case((~noted, t.events.c.lead_id))
    row = connection.execute(select(func.count(distinct(t.events.c.lead_id)), func.count(distinct(silent))).where(lost))
    return LostLeads(*row.one())


class Undated(NamedTuple):
    """Records that no week can hold, for they have no moment."""

    leads: int
    notes: int


def undated(connection: Connection) -> Undated:
    leads = select(func.count()).select_from(t.leads).where(t.leads.c.created_at.is_(None))
    notes = select(func.count()).select_from(t.loss_notes).where(t.loss_notes.c.written_at.is_(None))
    return Undated(connection.execute(leads).scalar_one(), connection.execute(notes).scalar_one())


def first_lead(connection: Connection) -> datetime | None:
    return connection.execute(select(func.min(t.leads.c.created_at))).scalar()


def first_note(connection: Connection) -> datetime | None:
    return connection.execute(select(func.min(t.loss_notes.c.written_at))).scalar()


def stage_of_event() -> ColumnElement[int]:
    """The place in the funnel that an event proves: as features.lead_history.stages_reached tells it, in SQL."""
    named = case(*[(t.events.c.stage == stage, rank) for stage, rank in _RANK.items()])
    implied = case(*[(t.events.c.kind == kind, _RANK[stage]) for kind, stage in STAGE_OF_EVENT.items()])
    return func.coalesce(named, implied)


def _stage_when_lost() -> ColumnElement[int | None]:
    """As the note says; else the furthest stage before it; else the first, where the lead is known."""
    written = t.loss_notes.c
    said = case(*[(written.stage == stage, rank) for stage, rank in _RANK.items()])
    reached = (
        select(func.max(stage_of_event()))
        .where(t.events.c.lead_id == written.lead_id, t.events.c.at <= written.written_at)
        .scalar_subquery()
    )
    known = case((exists().where(t.leads.c.lead_id == written.lead_id), literal(0)))
    return func.coalesce(said, reached, known)


def _source_of(lead_id: ColumnElement[str]) -> ColumnElement[str | None]:
    """The source of a lead as it is known now."""
    versions = t.lead_versions.c
    return (
        select(versions.fields["source"].as_string())
        .where(versions.lead_id == lead_id)
        .order_by(versions.version_no.desc())
        .limit(1)
        .scalar_subquery()
    )


def _tagged(version: str) -> Join:
    tagged = and_(t.note_tags.c.note_id == t.loss_notes.c.note_id, t.note_tags.c.model_version == version)
    return t.loss_notes.join(t.note_tags, tagged)


def _or_none(column: ColumnElement[str]) -> ColumnElement[str | None]:
    return func.nullif(column, "")


def _word(value: object) -> str | None:
    """SQLite gives a source that is a number as a number."""
    return None if value is None or value == "" else str(value)
