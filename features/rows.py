"""What a reader of files gives: rows under named columns, rows it will not guess at, or a refusal of the whole file."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

Cell = str | float | int | bool | datetime | date | None


class RefusedFile(ValueError):
    """The file cannot be read without guessing: which file, which row, why, and what to do."""

    def __init__(self, path: Path, reason: str, row: int | None = None) -> None:
        where = path.name if row is None else f"{path.name}, row {row}"
        super().__init__(f"{where}: {reason}")
        self.path, self.row, self.reason = path, row, reason


@dataclass(frozen=True, slots=True)
class Row:
    """One record; `cells` stand under the table's columns, an empty cell is None."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A record whose cells cannot be put under the columns for sure; `cells` are as they came."""

    number: int
    reason: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A file opened and judged; its rows stream, and can be streamed again.

    A row's number is where a person finds it: in text the line on which the record begins (a quoted cell may run over
    several lines), in a workbook the row that Excel shows, in Parquet the record counted from 1.
    `encoding` and `delimiter` are None where the format has none. `day_zero` is what Excel's serial day numbers are
    counted from; None where a bare number is never a date.
    """

    path: Path
    columns: tuple[str, ...]
    encoding: str | None
    delimiter: str | None
    read: Callable[[], Iterator[Row | BadRow]] = field(repr=False)
    sheet: str | None = None
    day_zero: datetime | None = None

    def rows(self) -> Iterator[Row | BadRow]:
        return self.read()


@dataclass(frozen=True)
class Header:
    """The names above a table, and the places of cells that have none."""

    names: tuple[str, ...]  # one for each cell of the header record, "" where it is empty

    @classmethod
    def of(cls, path: Path, cells: Sequence[Cell], number: int | None) -> "Header":
        names = tuple(header_name(cell) for cell in cells)
        twice = sorted(name for name, times in Counter(names).items() if name and times > 1)
        if twice:
            raise RefusedFile(
                path,
                f"the header names {twice} more than once; rename the columns, so that each has one meaning",
                number,
            )
        if not any(names):
            raise RefusedFile(path, "the header is empty; the first row must name the columns", number)
        return cls(names)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name)

    def refuse_unnamed(self, path: Path, first_rows: Iterable[Row | BadRow], number: int) -> None:
        """A column without a name is dropped only while it is empty: an index or a forgotten name is not."""
        for row in first_rows:
            if isinstance(row, BadRow) and (place := self._unnamed_with_content(row.cells)) is not None:
                raise RefusedFile(
                    path, f"column {place + 1} has cells (row {row.number}) but no name; name it or delete it", number
                )

    def sort(self, records: Iterable[tuple[int, Sequence[Cell]]]) -> Iterator[Row | BadRow]:
        """Records with their numbers → rows; empty records are skipped, a cell is never moved to another column."""
        kept = [place for place, name in enumerate(self.names) if name]
        all_named = len(kept) == len(self.names)
        for number, record in records:
            cells = tuple(None if cell == "" else cell for cell in record)
            if cells.count(None) == len(cells):
                continue
            if reason := self._why_bad(cells, all_named):
                yield BadRow(number, reason, cells)
            else:
                yield Row(number, cells if all_named else tuple(cells[place] for place in kept))

    def _why_bad(self, cells: tuple[Cell, ...], all_named: bool) -> str | None:
        if len(cells) != len(self.names):
            return f"{len(cells)} cells where the header has {len(self.names)}"
        if cells[0] == self.names[0] and tuple(header_name(cell) for cell in cells) == self.names:
            return "the header once more"
        if not all_named and (place := self._unnamed_with_content(cells)) is not None:
            return f"cell {place + 1} stands under no column name"
        return None

    def _unnamed_with_content(self, cells: tuple[Cell, ...]) -> int | None:
        if len(cells) != len(self.names):
            return None
        pairs = enumerate(zip(self.names, cells, strict=True))
        return next((place for place, (name, cell) in pairs if not name and cell is not None), None)


def header_name(cell: object) -> str:
    """A column's name as a mapping writes it: one line, single spaces, no byte-order mark.

    >>> header_name("\\ufeffДата\\n создания\\u00a0")
    'Дата создания'
    """
    return "" if cell is None else " ".join(str(cell).replace("\ufeff", "").split())
