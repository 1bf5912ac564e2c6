"""Records into the database and histories out of it."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, and_, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from features.contacts import ContactFacts, ContactKeeper, is_phone
from features.field_types import FieldType
from features.lead_history import KeptLead, LeadVersion
from features.notes import mask_personal
from features.records import EventKind, FieldValue, Lead, LeadEvent, LossNote, Spend, Stage
from features.store import tables as t

_T = TypeVar("_T")
CHUNK = 1_000  # rows a transaction: large enough for speed, small enough that a writer never holds SQLite for a second


@dataclass(frozen=True)
class Saved:
    """How many records came and what they changed."""

    new: int = 0
    changed: int = 0
    same: int = 0

    def __add__(self, other: "Saved") -> "Saved":
        return Saved(self.new + other.new, self.changed + other.changed, self.same + other.same)


@dataclass(frozen=True)
class NoteTag:
    """A loss note's tag by one model version, as stored."""

    note_id: str
    reason: str
    probability: float
    sure: bool
    secondary: str | None
    top: Sequence[tuple[str, float]]
    evidence: Sequence[tuple[int, int]]


class Store:
    """What the CRM sent and how its notes were tagged. Every saving is one transaction and may be repeated."""

    def __init__(self, engine: Engine, keeper: ContactKeeper) -> None:
        self.engine = engine
        self._keeper = keeper

    # Records in

    def save_leads(self, leads: Iterable[Lead], known_at: datetime | None = None) -> Saved:
        """New leads, and new versions of those whose fields changed; `known_at` is when the change became known.

        Values that a later record leaves out stay as they were. A repeated record changes nothing.
        """
        now = known_at or datetime.now(UTC)
        saved = Saved()
        for chunk in _chunks(leads):
            with self.engine.begin() as connection:
                saved += self._save_chunk(connection, chunk, now)
        return saved

    def _save_chunk(self, connection: Connection, chunk: Sequence[Lead], now: datetime) -> Saved:
        kept = self._kept(connection, [lead.lead_id for lead in chunk])
        known = set(kept)
        written: list[KeptLead] = []
        for lead in chunk:
            after = self._add_version(kept.get(lead.lead_id), lead, now)
            if after is not kept.get(lead.lead_id):
                written.append(after)
            kept[lead.lead_id] = after
        _write_leads(connection, written, known)
        new = {lead.lead_id for lead in written} - known
        return Saved(new=len(new), changed=len(written) - len(new), same=len(chunk) - len(written))

    def _add_version(self, before: KeptLead | None, lead: Lead, now: datetime) -> KeptLead:
        said = self.version_of(lead)
        if before is None:
            return KeptLead(lead.lead_id, lead.created_at, (said,), lead.order, lead.manager)
        last = before.versions[-1]
        merged = LeadVersion(now, {**last.fields, **said.fields}, _merge_contact(last.contact, said.contact))
        after = replace(
            before,
            created_at=before.created_at or lead.created_at,
            order=before.order if lead.order is None else lead.order,
            manager=lead.manager or before.manager,
        )
        if (merged.fields, merged.contact) != (last.fields, last.contact):
            after = replace(after, versions=(*before.versions, merged))
        return before if after == before else after

    def version_of(self, lead: Lead) -> LeadVersion:
        """What is kept of a lead: fields with personal data masked, facts of the contact."""
        fields = {name: _masked(value) for name, value in lead.fields().items()}
        return LeadVersion(None, fields, self._keeper.facts(lead.phone, lead.email, lead.contact_name))

    def save_events(self, events: Iterable[LeadEvent]) -> Saved:
        return self._add_all(t.events, (_event_row(event) for event in events))

    def save_notes(self, notes: Iterable[LossNote]) -> Saved:
        return self._add_all(t.loss_notes, (_note_row(note) for note in notes))

    def save_spend(self, spend: Iterable[Spend]) -> Saved:
        rows = ({**row.model_dump(), "campaign": row.campaign or ""} for row in spend)
        return self._add_all(t.spend, rows)

    def _add_all(self, table: Table, rows: Iterable[dict[str, Any]]) -> Saved:
        saved = Saved()
        for chunk in _chunks(rows):
            with self.engine.begin() as connection:
                new = _insert_new(connection, table, chunk)
            saved += Saved(new=new, same=len(chunk) - new)
        return saved

    # Histories out

    def lead(self, lead_id: str) -> KeptLead | None:
        with self.engine.connect() as connection:
            return self._kept(connection, [lead_id]).get(lead_id)

    def events_of(self, lead_id: str) -> tuple[LeadEvent, ...]:
        with self.engine.connect() as connection:
            return self._events(connection, [lead_id]).get(lead_id, ())

    def leads_with_events(self) -> Iterator[tuple[KeptLead, tuple[LeadEvent, ...]]]:
        """Every lead with its events, oldest lead first; read in chunks, so memory does not grow with the store."""
        with self.engine.connect() as connection:
            oldest_first = select(t.leads.c.lead_id).order_by(
                t.leads.c.created_at, t.leads.c.order_no, t.leads.c.lead_id
            )
            ids = list(connection.execute(oldest_first).scalars())
            for chunk in _chunks(ids):
                kept, events = self._kept(connection, chunk), self._events(connection, chunk)
                for lead_id in chunk:
                    yield kept[lead_id], events.get(lead_id, ())

    def snapshot(self) -> datetime | None:
        """The latest moment that the records tell of; missing where nothing has a date."""
        newest = [func.max(t.leads.c.created_at), func.max(t.events.c.at), func.max(t.loss_notes.c.written_at)]
        with self.engine.connect() as connection:
            found = [connection.execute(select(moment)).scalar() for moment in newest]
        return max((moment for moment in found if moment is not None), default=None)

    def latest_fields(self, limit: int) -> list[tuple[str, Mapping[str, FieldValue]]]:
        """The fields of the latest leads as they came, with their ids, newest first."""
        age = (t.leads.c.created_at.desc(), t.leads.c.order_no.desc(), t.leads.c.lead_id)
        query = (
            select(t.leads.c.lead_id, t.lead_versions.c.fields)
            .join(t.lead_versions, t.lead_versions.c.lead_id == t.leads.c.lead_id)
            .where(t.lead_versions.c.version_no == 1)
            .order_by(*age)
            .limit(limit)
        )
        with self.engine.connect() as connection:
            return [(row.lead_id, row.fields) for row in connection.execute(query)]

    def decided(self) -> dict[str, bool]:
        """Whether each lead that was won or lost was won; one that was both counts as won."""
        query = select(t.events.c.lead_id, t.events.c.kind).where(t.events.c.kind.in_(["won", "lost"])).distinct()
        found: dict[str, bool] = {}
        with self.engine.connect() as connection:
            for row in connection.execute(query):
                found[row.lead_id] = found.get(row.lead_id, False) or row.kind == "won"
        return found

    def _kept(self, connection: Connection, ids: Sequence[str]) -> dict[str, KeptLead]:
        versions: dict[str, list[LeadVersion]] = {}
        rows = connection.execute(
            select(t.lead_versions)
            .where(t.lead_versions.c.lead_id.in_(ids))
            .order_by(t.lead_versions.c.lead_id, t.lead_versions.c.version_no)
        )
        for row in rows:
            version = LeadVersion(row.known_at, row.fields, ContactFacts(**row.contact))
            versions.setdefault(row.lead_id, []).append(version)
        found = connection.execute(select(t.leads).where(t.leads.c.lead_id.in_(ids)))
        return {
            row.lead_id: KeptLead(row.lead_id, row.created_at, tuple(versions[row.lead_id]), row.order_no, row.manager)
            for row in found
        }

    def _events(self, connection: Connection, ids: Sequence[str]) -> dict[str, tuple[LeadEvent, ...]]:
        found: dict[str, list[LeadEvent]] = {}
        rows = connection.execute(
            select(t.events).where(t.events.c.lead_id.in_(ids)).order_by(t.events.c.at, t.events.c.event_id)
        )
        names = list(rows.keys())
        for row in rows:
            event = _event_of(dict(zip(names, row, strict=True)))
            found.setdefault(event.lead_id, []).append(event)
        return {lead_id: tuple(events) for lead_id, events in found.items()}

    # Notes and their tags

    def untagged_notes(self, model_version: str, since: datetime, until: datetime) -> list[LossNote]:
        """Notes written in [since, until) that this model version has not tagged yet, oldest first."""
        tagged = and_(t.note_tags.c.note_id == t.loss_notes.c.note_id, t.note_tags.c.model_version == model_version)
        query = (
            select(t.loss_notes)
            .outerjoin(t.note_tags, tagged)
            .where(t.note_tags.c.note_id.is_(None))
            .where(t.loss_notes.c.written_at >= since, t.loss_notes.c.written_at < until)
            .order_by(t.loss_notes.c.written_at, t.loss_notes.c.note_id)
        )
        with self.engine.connect() as connection:
            return [_note_of(row._asdict()) for row in connection.execute(query)]

    def save_tags(self, tags: Iterable[NoteTag], model_version: str, taxonomy_version: int) -> Saved:
        """One row per note and model version; a tag that is there already stays as it is."""
        versions = {"model_version": model_version, "taxonomy_version": taxonomy_version}
        return self._add_all(t.note_tags, ({**asdict(tag), **versions} for tag in tags))

    # What was found of fields

    def save_field_types(self, types: Mapping[str, FieldType]) -> None:
        """Remembers the type of each field; a newer finding replaces the older one."""
        with self.engine.begin() as connection:
            for name, found in types.items():
                connection.execute(t.field_types.delete().where(t.field_types.c.name == name))
                connection.execute(t.field_types.insert().values(name=name, **asdict(found)))

    def field_types(self) -> dict[str, FieldType]:
        with self.engine.connect() as connection:
            rows = connection.execute(select(t.field_types))
            return {row.name: FieldType(row.kind, row.decimal, row.date_order) for row in rows}


def _write_leads(connection: Connection, leads: Sequence[KeptLead], known: set[str]) -> None:
    rows = [_lead_row(lead) for lead in leads]
    _insert_new(connection, t.leads, [row for row in rows if row["lead_id"] not in known])
    for row in rows:
        if row["lead_id"] in known:
            connection.execute(update(t.leads).where(t.leads.c.lead_id == row["lead_id"]).values(row))
    _insert_new(connection, t.lead_versions, [_version_row(lead) for lead in leads])


def _lead_row(lead: KeptLead) -> dict[str, Any]:
    return {
        "lead_id": lead.lead_id,
        "created_at": lead.created_at,
        "order_no": lead.order,
        "manager": lead.manager,
    }


def _version_row(lead: KeptLead) -> dict[str, Any]:
    newest = lead.versions[-1]
    return {
        "lead_id": lead.lead_id,
        "version_no": len(lead.versions),
        "known_at": newest.known_at,
        "fields": dict(newest.fields),
        "contact": asdict(newest.contact),
    }


def _insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Adds the rows whose key is not there yet, each key once, and says how many; safe beside another writer."""
    if not rows:
        return 0
    key = [column.name for column in table.primary_key]
    by_key = {tuple(row[name] for name in key): row for row in reversed(rows)}  # of two equal keys the first stays
    there = select(*table.primary_key).where(tuple_(*table.primary_key).in_(list(by_key)))
    for found in connection.execute(there):
        by_key.pop(tuple(found))
    if by_key:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(insert(table).on_conflict_do_nothing(), list(by_key.values()))
    return len(by_key)


def _merge_contact(before: ContactFacts, said: ContactFacts) -> ContactFacts:
    phone = said if said.phone != "missing" else before
    email = said if said.email != "missing" else before
    return ContactFacts(
        phone.phone,
        phone.phone_country,
        phone.phone_key,
        email.email,
        email.email_key,
        before.has_name or said.has_name,
    )


_MAY_BE_PERSONAL = re.compile(r"@|(?:\d\D{0,3}){10}")  # an e-mail, or the ten digits of a phone with signs between


def _masked(value: FieldValue) -> FieldValue:
    """Text without personal data; a whole number that is a valid phone is one, whatever its field is called."""
    if isinstance(value, str):
        return mask_personal(value) if _MAY_BE_PERSONAL.search(value) else value
    whole = not isinstance(value, bool) and float(value).is_integer() and abs(value) >= 10**9
    return "<phone>" if whole and is_phone(f"{abs(value):.0f}") else value


def _masked_word(word: str | None) -> str | None:
    return None if word is None else str(_masked(word))


def _event_row(event: LeadEvent) -> dict[str, Any]:
    row = event.model_dump()
    row["event_id"] = event.event_id or _digest(event.model_dump(mode="json"))
    row["detail"] = _masked_word(event.detail)  # managers write phones into every field that is free
    return row


def _event_of(row: Mapping[str, Any]) -> LeadEvent:
    # The row was checked when it came; checking it again would double the time of every answer.
    return LeadEvent.model_construct(
        **{**row, "kind": EventKind(row["kind"]), "stage": Stage(row["stage"]) if row["stage"] else None}
    )


def _note_row(note: LossNote) -> dict[str, Any]:
    row = note.model_dump()
    row["note_id"] = note.note_id or _digest(note.model_dump(mode="json"))
    row["text"] = mask_personal(note.text)
    row["crm_reason"] = _masked_word(note.crm_reason)
    return row


def _note_of(row: Mapping[str, Any]) -> LossNote:
    return LossNote.model_construct(**{**row, "stage": Stage(row["stage"]) if row["stage"] else None})


def _digest(content: Mapping[str, Any]) -> str:
    """The identity of a record that has no id of its own: its content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    walk = iter(items)
    while chunk := list(islice(walk, CHUNK)):
        yield chunk
