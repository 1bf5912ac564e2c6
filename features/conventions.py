"""How one file writes its dates and numbers: learned from its own cells, refused where they leave it open."""

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field

from features.cells import DecimalMark, decimal_from, decimal_proof
from features.mapping import USUAL_MISSING, Mapping
from features.moments import DateOrder, date_order_from, date_proof
from features.rows import Cell, RefusedFile, Row, Table

LEARN_FROM = 5_000  # rows: a month of a busy company, so days above the 12th come up; while unsure we read on
NUMBERS = ("amount", "visits", "clicks")
DATES = ("created_at", "at", "written_at", "day")


@dataclass(frozen=True)
class Conventions:
    """Per column; None where no cell needed a decision (a later one that does is rejected)."""

    date_order: dict[str, DateOrder | None]
    decimal: dict[str, DecimalMark | None]


@dataclass
class _Proofs:
    """What the cells of one column prove, each with the row that proved it first."""

    first_row: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, proof: str | None, row: int, cell: Cell) -> None:
        if proof is not None and proof not in self.first_row:
            self.first_row[proof] = (row, str(cell).strip())

    def found(self) -> set[str | None]:
        return set(self.first_row)


def date_columns(mapping: Mapping) -> list[str]:
    """Columns read as moments or days."""
    columns = [column for name, column in mapping.columns.items() if name in DATES]
    columns += [event.at for event in mapping.events]
    columns += [mapping.outcome.at] if mapping.outcome and mapping.outcome.at else []
    columns += [mapping.notes.written_at] if mapping.notes and mapping.notes.written_at else []
    return columns


def number_columns(mapping: Mapping) -> list[str]:
    """Columns that must be numbers; `budget` may be words ("до 100 тысяч"), so it only learns with them."""
    columns = [column for name, column in mapping.columns.items() if name in NUMBERS]
    columns += [mapping.outcome.amount] if mapping.outcome and mapping.outcome.amount else []
    return columns


def is_missing(cell: Cell, missing: frozenset[str]) -> bool:
    return cell is None or (not isinstance(cell, bool) and str(cell).strip().casefold() in missing)


def missing_words(mapping: Mapping) -> frozenset[str]:
    return USUAL_MISSING | {str(word).strip().casefold() for word in mapping.missing}


def learn_conventions(table: Table, mapping: Mapping) -> Conventions:
    """Orders and decimal marks of the mapped columns; what the mapping says is not asked of the cells."""
    budget = [mapping.columns["budget"]] if "budget" in mapping.columns else []
    dates = {column: _Proofs() for column in date_columns(mapping)}
    numbers = {column: _Proofs() for column in [*number_columns(mapping), *budget]}
    if not (mapping.dates and mapping.decimal):
        _gather(table, dates, numbers, missing_words(mapping), mapping)
    must = set(number_columns(mapping))
    orders = {column: mapping.dates or _order(table, column, proofs, dates) for column, proofs in dates.items()}
    marks = {
        column: mapping.decimal or _mark(table, column, proofs, numbers, column in must)
        for column, proofs in numbers.items()
    }
    return Conventions(orders, marks)


def _gather(
    table: Table,
    dates: dict[str, _Proofs],
    numbers: dict[str, _Proofs],
    missing: frozenset[str],
    mapping: Mapping,
) -> None:
    """Reads the first rows, and on to the end only while some column has cells with two readings and no proof."""
    asked: list[tuple[int, _Proofs, Callable[[Cell], str | None]]] = []
    asked += [(table.columns.index(name), proofs, date_proof) for name, proofs in dates.items() if not mapping.dates]
    asked += [
        (table.columns.index(name), proofs, decimal_proof) for name, proofs in numbers.items() if not mapping.decimal
    ]
    if not asked:
        return
    rows = (row for row in table.rows() if isinstance(row, Row))
    for count, row in enumerate(rows, start=1):
        for place, proofs, proof_of in asked:
            cell = row.cells[place]
            if isinstance(cell, str) and not is_missing(cell, missing):
                proofs.add(proof_of(cell), row.number, cell)
        if count % LEARN_FROM == 0 and not (
            _open(dates.values(), date_order_from) or _open(numbers.values(), decimal_from)
        ):
            return


def _open(columns: Iterable[_Proofs], decide: Callable[[Set[str | None]], str | None]) -> bool:
    return any("unclear" in proofs.first_row and decide(proofs.found()) is None for proofs in columns)


def _order(table: Table, column: str, proofs: _Proofs, all_dates: dict[str, _Proofs]) -> DateOrder | None:
    if {"dmy", "mdy"} <= proofs.found():
        (a, day_first), (b, month_first) = proofs.first_row["dmy"], proofs.first_row["mdy"]
        raise RefusedFile(
            table.path,
            f"column {column!r} has the day first in row {a} ({day_first}), the month in row {b} ({month_first}); "
            "mend it, or say `dates: dmy` or `dates: mdy` in the mapping",
            max(a, b),
        )
    order = date_order_from(proofs.found()) or date_order_from(set().union(*(p.found() for p in all_dates.values())))
    if order in (None, "ymd") and "unclear" in proofs.first_row:
        row, cell = proofs.first_row["unclear"]
        raise RefusedFile(
            table.path,
            f"{cell!r} in column {column!r} may be two days; say `dates: dmy` or `dates: mdy` in the mapping",
            row,
        )
    return order


def _mark(
    table: Table, column: str, proofs: _Proofs, all_numbers: dict[str, _Proofs], must_be_number: bool
) -> DecimalMark | None:
    mark = decimal_from(proofs.found())
    if mark is None and not {".", ","} & proofs.found():
        mark = decimal_from(set().union(*(p.found() for p in all_numbers.values())))
    if mark is None and must_be_number and "unclear" in proofs.first_row:
        row, cell = proofs.first_row["unclear"]
        raise RefusedFile(
            table.path,
            f'{cell!r} in column {column!r} may be two numbers; say `decimal: ","` or `decimal: "."` in the mapping',
            row,
        )
    return mark
