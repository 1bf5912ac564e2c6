"""One row under a mapping: what each cell means for the field that it is read as."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

from features.cells import number, yes_no
from features.conventions import DATES, NUMBERS, Conventions, is_missing, missing_words
from features.mapping import FILE_ORDER, Mapping
from features.moments import day, from_serial, moment
from features.rows import Cell, Row, Table

DIGITS_OF_EXCEL = 15  # a longer number in a workbook has lost its end, and two ids become one
SHOWN = 30  # letters of a bad cell in its reason

Reader = Callable[[Row], object]


class BadCell(ValueError):
    """A cell that cannot be what the mapping says; the reason shows dates and numbers, never words."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column!r}: {reason}")


@dataclass(frozen=True)
class MappedCells:
    """Makes readers: `reader(field, column)` → a function of a row."""

    table: Table
    mapping: Mapping
    conventions: Conventions

    @cached_property
    def missing(self) -> frozenset[str]:
        return missing_words(self.mapping)

    def reader(self, name: str, column: str) -> Reader:
        """The reader of a record's field from a column; None where the cell is missing."""
        if column == FILE_ORDER:
            return lambda row: f"{self.mapping.name}:{row.number}"
        place, convert = self.table.columns.index(column), self._converter(name)
        words, missing = self._words(name), self.missing

        def read(row: Row) -> object:
            cell = row.cells[place]
            if is_missing(cell, missing):
                return None
            if words and (ours := words.get(key(cell))) is not None:
                return ours
            return convert(cell, column)

        return read

    def needed(self, name: str, column: str) -> Reader:
        """A reader that takes no missing cell."""
        read = self.reader(name, column)

        def read_needed(row: Row) -> object:
            if (value := read(row)) is None:
                raise BadCell(column, f"empty, and a row without {name} cannot be kept")
            return value

        return read_needed

    def _words(self, name: str) -> dict[str, str]:
        pairs = self.mapping.values.get(name, {}).items()
        return {spelling: ours for theirs, ours in pairs for spelling in spellings(theirs)}

    def _converter(self, name: str) -> Callable[[Cell, str], object]:
        if name == "day":
            return self._day
        if name in DATES:
            return self._moment
        if name == "amount":
            return self._amount
        if name in (*NUMBERS, "order"):
            return self._whole
        if name == "budget":
            return self._budget
        if name in ("lead_id", "event_id", "note_id"):
            return self._identifier
        convert = free_value if name in FREE_FIELDS else as_text
        return lambda cell, _: convert(cell)

    def _moment(self, cell: Cell, column: str) -> datetime:
        found = moment(self._dated(cell), self.conventions.date_order.get(column), self.mapping.zone)
        if found is None:
            raise BadCell(column, f"{shown(cell)} is no moment{self._under_order(column)}")
        return found

    def _day(self, cell: Cell, column: str) -> date:
        found = day(self._dated(cell), self.conventions.date_order.get(column))
        if found is None:
            raise BadCell(column, f"{shown(cell)} is no day{self._under_order(column)}")
        return found

    def _under_order(self, column: str) -> str:
        order = self.conventions.date_order.get(column)
        return f" when dates are read as {order}" if order else ""

    def _dated(self, cell: Cell) -> Cell:
        """A workbook's bare number under a date column is its day number."""
        if isinstance(cell, int | float) and not isinstance(cell, bool) and self.table.day_zero:
            return from_serial(cell, self.table.day_zero)
        return cell

    def _number(self, cell: Cell, column: str) -> float:
        mark = self.conventions.decimal.get(column, self.mapping.decimal)
        found = number(cell, mark)
        if found is None:
            raise BadCell(column, f"{shown(cell)} is no number" + (f" with the decimal mark {mark!r}" if mark else ""))
        return found

    def _amount(self, cell: Cell, column: str) -> Decimal:
        return round(Decimal(repr(self._number(cell, column))), 4)

    def _whole(self, cell: Cell, column: str) -> int:
        if isinstance(cell, int) and not isinstance(cell, bool):
            return cell
        found = self._number(cell, column)
        if not found.is_integer():
            raise BadCell(column, f"{shown(cell)} is not a whole number")
        return int(found)

    def _budget(self, cell: Cell, column: str) -> object:
        found = number(cell, self.conventions.decimal.get(column))
        return free_value(cell) if found is None else found

    def _identifier(self, cell: Cell, column: str) -> str:
        long = isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= 10**DIGITS_OF_EXCEL
        if long and self.table.sheet is not None:
            raise BadCell(
                column, "a number of over 15 digits, of which Excel keeps 15; make the column text and export again"
            )
        return as_text(cell)


# Fields of a lead that take part in the model as they are: text stays text, a workbook's number stays a number.
FREE_FIELDS = frozenset(
    {
        *("source", "channel", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "campaign"),
        *("landing_page", "offer", "product", "region", "industry", "company_size", "role"),
    }
)


def as_text(cell: Cell) -> str:
    match cell:
        case bool():
            return "true" if cell else "false"
        case datetime() | date():
            return cell.isoformat()
        case _:
            return str(cell).strip()


def free_value(cell: Cell) -> object:
    """A custom field's value: the file's own text without outer blanks, or a workbook's own number."""
    return cell if isinstance(cell, bool | int | float) else as_text(cell)


def key(cell: Cell) -> str:
    """A cell as the lists of a mapping name it: case and outer blanks do not matter."""
    return as_text(cell).casefold()


def spellings(answer: object) -> set[str]:
    """How cells may write what a mapping lists; YAML takes a bare yes or no for a truth value.

    >>> sorted(spellings("Звонок")), "true" in spellings("1"), "yes" in spellings(True)
    (['звонок'], True, True)
    """
    if isinstance(answer, bool):
        return {"true", "yes", "on", "1"} if answer else {"false", "no", "off", "0"}
    word = str(answer).strip().casefold()
    truth = yes_no(word)
    return {word} if truth is None else {word, "true" if truth else "false"}


def shown(cell: Cell) -> str:
    """A bad cell for its reason; words may be somebody's name or note, so only their number is told.

    >>> shown("45.13.2026"), shown("Иван, +7 912")
    ("'45.13.2026'", 'a text of 12 letters')
    """
    text = str(cell).strip()
    if len(text) > SHOWN or sum(letter.isalpha() for letter in text) > 3 or text.startswith("+"):
        return f"a text of {len(text)} letters"
    return repr(text)
