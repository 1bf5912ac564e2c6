"""A CRM's export and its mapping → checked records; every row is read, or rejected with a reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from features.cells import DecimalMark, yes_no
from features.conventions import Conventions, is_missing, learn_conventions
from features.mapped_cells import BadCell, MappedCells, Reader, free_value, key, spellings
from features.mapping import FILE_ORDER, NEEDED, RECORD_OF, Mapping, MappingError, MissingColumns, Outcome
from features.moments import DateOrder
from features.records import CUSTOM_FIELDS_LIMIT, EventKind, Lead, LeadEvent, LossNote, Record, Spend, clean_text
from features.rows import BadRow, Cell, Row, Table
from features.tables import open_table

LEFT_OUT = {
    "known_after": "known only after the outcome",
    "identifiers": "names the row",
    "ignore": "the mapping ignores it",
}


@dataclass(frozen=True)
class Rejected:
    """A row that was not read: its number in the file, why, and its cells for the person who mends it."""

    row: int
    reason: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Export:
    """What was found in a file; `records()` streams it, as often as wanted.

    A row of leads gives one Lead, followed by what its other columns tell (events, outcome, note); any other row gives
    one record; or a row gives one Rejected and nothing else. So rows = leads (or records) + rejected.
    """

    path: Path
    mapping: Mapping
    table: Table
    conventions: Conventions
    custom: dict[str, str]  # column → name of the custom field
    left_out: dict[str, str]  # column → why it is not read

    @property
    def encoding(self) -> str | None:
        return self.table.encoding

    @property
    def delimiter(self) -> str | None:
        return self.table.delimiter

    @property
    def date_order(self) -> dict[str, DateOrder | None]:
        return self.conventions.date_order

    @property
    def decimal(self) -> dict[str, DecimalMark | None]:
        return self.conventions.decimal

    def records(self) -> Iterator[Lead | LeadEvent | LossNote | Spend | Rejected]:
        make = _Leads(self).records if self.mapping.table == "leads" else _Records(self).records
        for row in self.table.rows():
            if isinstance(row, BadRow):
                yield Rejected(row.number, row.reason, row.cells)
                continue
            try:
                made = make(row)
            except BadCell as error:
                yield Rejected(row.number, str(error), row.cells)
            except ValidationError as error:
                yield Rejected(row.number, _reason(error), row.cells)
            else:
                yield from made


def read_export(path: Path | str, mapping: Mapping) -> Export:
    """Opens the file and learns its conventions; nothing is stored.

    Raises RefusedFile (the file), MissingColumns or MappingError (the mapping does not fit it).
    """
    table = open_table(path, encoding=mapping.encoding, delimiter=mapping.delimiter, sheet=mapping.sheet)
    roles = mapping.roles()
    if lacking := {column: role for column, role in roles.items() if column not in table.columns}:
        raise MissingColumns(mapping.name, lacking, table.columns)
    custom = _custom_fields(table, mapping, roles)
    left_out = {column: LEFT_OUT[role] for column, role in roles.items() if role in LEFT_OUT}
    left_out |= {
        column: "not in the mapping" for column in table.columns if column not in roles and column not in custom
    }
    return Export(table.path, mapping, table, learn_conventions(table, mapping), custom, left_out)


def _custom_fields(table: Table, mapping: Mapping, roles: dict[str, str]) -> dict[str, str]:
    if mapping.table != "leads":
        return {}
    free = [column for column in table.columns if mapping.custom == "all" and column not in roles]
    columns = [column for column in table.columns if column in free or roles.get(column) in ("custom", "rename")]
    names = {column: clean_text(mapping.rename.get(column, column))[:200] for column in columns}
    if clash := [column for column, name in names.items() if name in Lead.model_fields]:
        raise MappingError(
            f"mapping {mapping.name!r}: columns {clash} have names of known fields; "
            "read each in `columns:`, or name it anew in `rename:`, or put it into `ignore:`"
        )
    if len(set(names.values())) < len(names):
        raise MappingError(f"mapping {mapping.name!r}: two custom fields get the same name; mend `rename:`")
    if len(names) > CUSTOM_FIELDS_LIMIT:
        raise MappingError(
            f"mapping {mapping.name!r}: {len(names)} columns are left for custom fields, "
            f"a lead holds {CUSTOM_FIELDS_LIMIT}; list those that matter in `custom:`"
        )
    return names


class _Records:
    """Rows of a table of events, notes or spend: one record each."""

    def __init__(self, export: Export) -> None:
        mapping, cells = export.mapping, MappedCells(export.table, export.mapping, export.conventions)
        self.record: type[Record] = RECORD_OF[mapping.table]
        self.constants: dict[str, Any] = dict(mapping.constants)
        needed = [name for name in NEEDED[mapping.table] if name != "text"]  # sales do leave a note empty
        self.fields: dict[str, Reader] = {
            name: cells.needed(name, column) if name in needed else cells.reader(name, column)
            for name, column in mapping.columns.items()
        }

    def fields_of(self, row: Row) -> dict[str, Any]:
        read = {name: value for name, reader in self.fields.items() if (value := reader(row)) is not None}
        return self.constants | read

    def records(self, row: Row) -> list[Any]:
        return [self.record(**self.fields_of(row))]


class _Leads(_Records):
    """Rows of a table of leads: the lead, what date columns tell, how it ended, and its note."""

    def __init__(self, export: Export) -> None:
        super().__init__(export)
        mapping = self.mapping = export.mapping
        cells = MappedCells(export.table, mapping, export.conventions)
        self.missing = cells.missing
        self.order = _order_reader(cells, mapping)
        self.custom = [(export.table.columns.index(column), name) for column, name in export.custom.items()]
        self.event_times = [(event, cells.reader("at", event.at)) for event in mapping.events]
        self.notes = {role: cells.reader(role, column) for role, column in mapping.notes or () if column}
        self.outcome = _OutcomeReader(cells, mapping.outcome) if mapping.outcome else None

    def records(self, row: Row) -> list[Any]:
        lead = Lead(**self.fields_of(row), order=self.order(row), custom=self._custom(row))
        ended = self.outcome.event(lead.lead_id, row) if self.outcome else None
        return [lead, *self._events(lead.lead_id, row), *filter(None, [ended, self._note(lead.lead_id, row, ended)])]

    def _custom(self, row: Row) -> dict[str, object]:
        cells, missing = row.cells, self.missing
        return {name: free_value(cells[place]) for place, name in self.custom if not is_missing(cells[place], missing)}

    def _events(self, lead_id: str, row: Row) -> list[LeadEvent]:
        return [
            LeadEvent(lead_id=lead_id, kind=event.kind, at=at, stage=event.stage, detail=event.detail)
            for event, read in self.event_times
            if (at := read(row)) is not None
        ]

    def _note(self, lead_id: str, row: Row, ended: LeadEvent | None) -> LossNote | None:
        """A loss note belongs to a lost lead: where the outcome is known, others have none."""
        if not self.notes or (self.outcome and (ended is None or ended.kind is not EventKind.LOST)):
            return None
        read: dict[str, Any] = {
            role: value for role, reader in self.notes.items() if (value := reader(row)) is not None
        }
        return LossNote(lead_id=lead_id, **read) if read.keys() & {"text", "crm_reason"} else None


class _OutcomeReader:
    def __init__(self, cells: MappedCells, outcome: Outcome) -> None:
        self.column = outcome.column
        self.place = cells.table.columns.index(outcome.column)
        self.missing = cells.missing
        self.won = {word for answer in outcome.won for word in spellings(answer)}
        self.lost = {word for answer in outcome.lost for word in spellings(answer)}
        self.at = cells.reader("at", outcome.at) if outcome.at else None
        self.amount = cells.reader("amount", outcome.amount) if outcome.amount else None

    def event(self, lead_id: str, row: Row) -> LeadEvent | None:
        kind = self._kind(row.cells[self.place])
        if kind is None:
            return None
        at: Any = self.at(row) if self.at else None
        amount: Any = self.amount(row) if self.amount and kind is EventKind.WON else None
        return LeadEvent(lead_id=lead_id, kind=kind, at=at, amount=amount)

    def _kind(self, cell: Cell) -> EventKind | None:
        """Listed words come before missing ones: an outcome column may well use "-" for lost."""
        word = "" if cell is None else key(cell)
        if word in self.won or word in self.lost:
            return EventKind.WON if word in self.won else EventKind.LOST
        if self.won or self.lost or is_missing(cell, self.missing):
            return None
        if (won := yes_no(cell)) is None:
            raise BadCell(self.column, "neither a yes nor a no; list the words in `outcome: {won: [], lost: []}`")
        return EventKind.WON if won else EventKind.LOST


def _order_reader(cells: MappedCells, mapping: Mapping) -> Any:
    if mapping.order_by == FILE_ORDER:
        return lambda row: row.number
    return cells.reader("order", mapping.order_by) if mapping.order_by else lambda _: None


def _reason(error: ValidationError) -> str:
    """What a record refused, without the values: they may be words about a person."""
    problems = [
        (".".join(map(str, each["loc"][:2])), each["msg"].removeprefix("Value error, ")) for each in error.errors()
    ]
    return "; ".join(f"{place}: {message}" if place else message for place, message in problems[:3])
