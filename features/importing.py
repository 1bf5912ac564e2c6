"""A CRM export into the store: what was read, stored, skipped and why; a second time it changes nothing."""

import csv
from collections import Counter, abc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from features.exports import Export, Rejected, read_export
from features.field_types import FieldType, learn_field_type
from features.leaks import Leak, suspected_leaks
from features.mapping import Mapping
from features.records import FieldValue, Lead, LeadEvent, LossNote, Record, Spend
from features.store import Saved, Store

CHUNK = 1_000  # records in memory before they are saved
REASONS_KEPT = 1_000  # different reasons of rejection in the report: a column of nonsense gives one per row
OTHER_REASONS = "other reasons, see the file of rejected rows"
LOOKED_AT = 20_000  # latest leads from which types and leaks are found; more would change no finding

R = TypeVar("R", bound=Record)
Say = Callable[[int], None]


@dataclass
class ImportReport:
    """What an import did. `rows` counts rows of data in the file: leads (or other records) plus rejected."""

    file: str
    mapping: str
    encoding: str | None
    delimiter: str | None
    left_out: dict[str, str]
    rows: int = 0
    saved: dict[str, Saved] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_file: str | None = None
    types: dict[str, FieldType] = field(default_factory=dict)
    suspected: list[Leak] = field(default_factory=list)

    @property
    def rejected_rows(self) -> int:
        return sum(self.rejected.values())


def import_export(
    path: Path, mapping: Mapping, store: Store, *, rejected_to: Path, known_at: datetime | None = None, say: Say = print
) -> ImportReport:
    """Reads the file by its mapping into the store; rejected rows go to `<file>.rejected.csv` in `rejected_to`.

    `say` is told how many rows were read so far. Raises what `read_export` raises, before anything is stored.
    """
    export = read_export(path, mapping)
    report = ImportReport(path.name, mapping.name, export.encoding, export.delimiter, dict(export.left_out))
    savers: dict[type[Record], Callable[[list[Record]], Saved]] = {
        Lead: lambda leads: store.save_leads(_only(leads, Lead), known_at),
        LeadEvent: lambda events: store.save_events(_only(events, LeadEvent)),
        LossNote: lambda notes: store.save_notes(_only(notes, LossNote)),
        Spend: lambda spend: store.save_spend(_only(spend, Spend)),
    }
    waiting: dict[type[Record], list[Record]] = {kind: [] for kind in savers}

    def save(kind: type[Record]) -> None:
        if waiting[kind]:
            name = kind.__name__
            report.saved[name] = report.saved.get(name, Saved()) + savers[kind](waiting[kind])
            waiting[kind] = []

    with _RejectedFile(export, rejected_to) as rejected:
        for record in export.records():
            if isinstance(record, Rejected):
                known = record.reason in report.rejected or len(report.rejected) < REASONS_KEPT
                report.rejected[record.reason if known else OTHER_REASONS] += 1
                rejected.write(record)
            else:
                waiting[type(record)].append(record)
                if len(waiting[type(record)]) >= CHUNK:
                    save(type(record))
            report.rows += isinstance(record, Rejected | _ROW_OF[mapping.table])
            if report.rows % CHUNK == 0:
                say(report.rows)
        for kind in waiting:
            save(kind)
    report.rejected_file = rejected.name
    if mapping.table in ("leads", "events"):  # notes and spend tell nothing of fields or outcomes
        _look_at_fields(store, report)
    return report


_ROW_OF: dict[str, type[Record]] = {"leads": Lead, "events": LeadEvent, "notes": LossNote, "spend": Spend}


def _only(records: Iterable[Record], kind: type[R]) -> Iterator[R]:
    return (record for record in records if isinstance(record, kind))


def _look_at_fields(store: Store, report: ImportReport) -> None:
    """Finds and remembers the type of each custom field, and names fields that look like leaks of the outcome."""
    latest = store.latest_fields(LOOKED_AT)
    report.types = {name: learn_field_type(values) for name, values in sorted(_by_field(latest).items())}
    store.save_field_types(report.types)
    won = store.decided()
    ripe = [(fields, won[lead_id]) for lead_id, fields in latest if lead_id in won]
    columns = {name: [fields.get(name) for fields, _ in ripe] for name in report.types}
    report.suspected = suspected_leaks(columns, [outcome for _, outcome in ripe])


def _by_field(leads: Iterable[tuple[str, abc.Mapping[str, FieldValue]]]) -> dict[str, list[FieldValue]]:
    found: dict[str, list[FieldValue]] = {}
    for _, fields in leads:
        for name, value in fields.items():
            found.setdefault(name, []).append(value)
    return found


class _RejectedFile:
    """The rejected rows as CSV, with the row's number and the reason first; made when the first one comes."""

    def __init__(self, export: Export, folder: Path) -> None:
        self._path = folder / f"{export.path.name}.rejected.csv"
        self._columns = export.table.columns
        self._rows: list[list[str]] = []
        self.name: str | None = None

    def __enter__(self) -> "_RejectedFile":
        return self

    def write(self, rejected: Rejected) -> None:
        self._rows.append([str(rejected.row), rejected.reason, *("" if c is None else str(c) for c in rejected.cells)])
        if len(self._rows) >= CHUNK:
            self._flush()

    def _flush(self) -> None:
        is_first = self.name is None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("w" if is_first else "a", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            if is_first:
                writer.writerow(["row", "reason", *self._columns])
            writer.writerows(self._rows)
        self.name, self._rows = str(self._path), []

    def __exit__(self, *_: object) -> None:
        if self._rows:
            self._flush()
