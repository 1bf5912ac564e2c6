"""A first draft of a mapping, from an export's headers and cells; `# ?` marks what a person must check."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from features.cells import decimal_proof, learn_decimal, moment, number, yes_no
from features.conventions import is_missing
from features.header_words import (
    AMOUNT_HEADERS,
    CLOSED_AT_HEADERS,
    EVENT_HEADERS,
    HEADERS,
    LATER_HEADERS,
    LOST_WORDS,
    NOTE_HEADERS,
    OUTCOME_HEADERS,
    SPEND_HEADERS,
    SPEND_SIGNS,
    WON_WORDS,
)
from features.leaks import suspected_leaks
from features.mapping import FILE_ORDER, USUAL_MISSING
from features.moments import date_proof, learn_date_order
from features.records import Lead
from features.rows import Cell, Row, Table
from features.tables import open_table

LOOKED_AT = 20_000  # rows: enough for leaks to be sure of, a second to read
MOSTLY = 0.8  # of a column's cells must look like a phone or a date; people mistype the rest
ALL_DIFFERENT = 0.95  # share of distinct cells from which a column names the row
UNTOUCHED = {"select", "выберите", "не выбран", "choose", "please select"}  # a drop-down that nobody touched

_TAIL = re.compile(r"(?:\s+(?:сделки|лида|заявки|контакта|компании))?(?:,?\s*(?:₽|руб\.?|rub|\$|usd|eur))?$")
_PHONE = re.compile(r"[+\d][\d ()+./-]{6,24}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_PERSON = re.compile(
    r"фамил|отчеств|\bфио\b|\bимя\b|телефон|\bphone\b|e-?mail|почта|\bsurname\b|\b(last|first|full) name\b"
)
_NAMES_ROW = re.compile(
    r"\bid\b|\bид\b|№|\bномер|\bnumber\b|guid|ссылка|назван|\bname\b|\burl\b|\blink\b", re.IGNORECASE
)
_PLAIN_YAML = re.compile(r"[A-Za-zА-Яа-яЁё][\w /().-]*[\w).]")
_NOT_PLAIN = {"yes", "no", "true", "false", "null", "on", "off", "y", "n"}


def guess_mapping(path: Path | str) -> str:
    """YAML that load_mapping takes, with its doubts as comments.

    Raises RefusedFile where the file itself leaves open how to read it.
    """
    table = open_table(path)
    columns = _Columns.of(table)
    draft = _spend(columns) if _is_spend(columns) else _leads(columns)
    return draft.text(_slug(table.path), columns)


@dataclass
class _Columns:
    """The columns with their first cells; a column is taken once."""

    cells: dict[str, list[Cell]]
    taken: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, table: Table) -> "_Columns":
        rows = [row.cells for row in islice((r for r in table.rows() if isinstance(r, Row)), LOOKED_AT)]
        return cls({name: [row[place] for row in rows] for place, name in enumerate(table.columns)})

    def filled(self, name: str) -> list[Cell]:
        return [cell for cell in self.cells[name] if not is_missing(cell, USUAL_MISSING)]

    def take(self, headers: Sequence[str], fits: Callable[[list[Cell]], bool] = bool) -> str | None:
        """The free column with the surest of these headers whose cells fit."""
        for wanted in headers:
            for name in self.cells:
                if name not in self.taken and _bare(name) in (wanted, _bare(wanted)) and fits(self.filled(name)):
                    self.taken.add(name)
                    return name
        return None

    def free(self) -> list[str]:
        return [name for name in self.cells if name not in self.taken]


def _bare(header: str) -> str:
    """A header without case, currency and "of the deal".

    >>> _bare("Бюджет сделки, руб"), _bare("Дата создания сделки"), _bare("Lead Source")
    ('бюджет', 'дата создания', 'lead source')
    """
    return _TAIL.sub("", header.casefold().replace("ё", "е").strip()).strip()


def _share(cells: list[Cell], fits: Callable[[Cell], object]) -> float:
    some = cells[:500]  # of 500 cells the share is known to 5 %
    return sum(bool(fits(cell)) for cell in some) / len(some) if some else 0.0


def _are_dates(cells: list[Cell]) -> bool:
    return _share(cells, lambda cell: moment(cell, "dmy", _UTC) or moment(cell, "mdy", _UTC)) >= MOSTLY


def _are_numbers(cells: list[Cell]) -> bool:
    return _share(cells, lambda cell: number(cell, ".") is not None or number(cell, ",") is not None) >= MOSTLY


def _are_phones(cells: list[Cell]) -> bool:
    """Ten digits and more: shorter numbers are counts, sums and years."""
    return _share(cells, _is_phone) >= MOSTLY


def _is_phone(cell: Cell) -> bool:
    text = str(cell).strip()
    return 10 <= sum(map(str.isdigit, text)) <= 15 and bool(_PHONE.fullmatch(text)) and not date_proof(text)


def _are_emails(cells: list[Cell]) -> bool:
    return _share(cells, lambda cell: _EMAIL.fullmatch(str(cell).strip())) >= MOSTLY


def _all_different(cells: list[Cell]) -> bool:
    return len(cells) > 1 and len(set(map(str, cells))) >= ALL_DIFFERENT * len(cells)


_UTC = ZoneInfo("UTC")
_FITS: dict[str, Callable[[list[Cell]], bool]] = {
    "lead_id": _all_different,
    "created_at": _are_dates,
    "day": _are_dates,
    "amount": _are_numbers,
    "visits": _are_numbers,
    "clicks": _are_numbers,
}


@dataclass
class _Draft:
    """Lines of the YAML to be, in the order of writing."""

    lines: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)

    def add(self, line: str, doubt: str = "") -> None:
        self.lines.append(f"{line}  # ? {doubt}" if doubt else line)

    def text(self, name: str, columns: _Columns) -> str:
        head = [f"name: {name}", *self._conventions(columns)]
        return "\n".join(["# A guess: read it line by line; `# ?` marks what to check.", *head, *self.lines]) + "\n"

    def _conventions(self, columns: _Columns) -> list[str]:
        russian = any(re.search("[А-Яа-я]", header) for header in columns.cells)
        zone = "Europe/Moscow" if russian else "UTC"
        found = [f"timezone: {zone}  # ? the clock of the CRM"]
        dated = [cell for name in self.dates for cell in columns.filled(name)]
        if learn_date_order(dated) is None and "unclear" in map(date_proof, dated):
            found.append(
                f"dates: {'dmy' if russian else 'mdy'}  # ? no cell shows whether 01/02 is in January or February"
            )
        counted = [cell for name in self.numbers for cell in columns.filled(name)]
        if learn_decimal(counted) is None and "unclear" in map(decimal_proof, counted):
            found.append(
                f"decimal: {_quoted(',' if russian else '.')}  # ? no cell shows whether 1,250 is over a thousand"
            )
        return found


def _is_spend(columns: _Columns) -> bool:
    headers = {_bare(name) for name in columns.cells}
    dated = any(_bare(name) in SPEND_HEADERS["day"] and _are_dates(columns.filled(name)) for name in columns.cells)
    return dated and bool(headers & SPEND_SIGNS) and not headers & {*HEADERS["phone"], *HEADERS["lead_id"]}


def _spend(columns: _Columns) -> _Draft:
    draft = _Draft(["table: spend", "columns:"])
    for name in ("day", "amount", "source", "campaign", "visits", "clicks"):
        if column := columns.take(SPEND_HEADERS[name], _FITS.get(name, bool)):
            draft.add(f"  {name}: {_quoted(column)}")
            (draft.dates if name == "day" else draft.numbers if name in ("amount", "visits", "clicks") else []).append(
                column
            )
        elif name in ("day", "amount", "source"):
            draft.add(f"  {name}: {_quoted(next(iter(columns.cells)))}", "no column looks like it; name the right one")
    return draft


def _leads(columns: _Columns) -> _Draft:
    draft = _Draft(["table: leads"])
    outcome = _outcome(columns)
    _missing(columns, draft)
    _fields(columns, draft)
    if outcome:
        outcome.write(draft)
    _parts(columns, draft, has_outcome=outcome is not None)
    _left_out(columns, draft)
    if outcome:
        _warn_of_leaks(columns, draft, outcome)
    return draft


def _missing(columns: _Columns, draft: _Draft) -> None:
    words = {str(cell).strip() for name in columns.cells for cell in columns.cells[name] if isinstance(cell, str)}
    if untouched := sorted(word for word in words if word.casefold() in UNTOUCHED):
        draft.add(f"missing: [{', '.join(map(_quoted, untouched))}]", "drop-downs that nobody touched")


def _fields(columns: _Columns, draft: _Draft) -> None:
    draft.add("columns:")
    lead_id = columns.take(HEADERS["lead_id"], _all_different) or _take_row_name(columns)
    draft.add(
        f"  lead_id: {_quoted(lead_id or FILE_ORDER)}", "" if lead_id else "no column names the lead: its row does"
    )
    has_date = False
    for name, headers in HEADERS.items():
        if name == "lead_id":
            continue
        column = columns.take(headers, _FITS.get(name, bool)) or _take_by_cells(columns, name)
        if column is None:
            continue
        has_date |= name == "created_at"
        draft.add(f"  {name}: {_quoted(column)}")
        (draft.dates if name == "created_at" else []).append(column)
    if not has_date:
        draft.add(f"order_by: {_quoted(_order_column(columns, lead_id))}", "no date of the lead; what grows with time?")


def _take_row_name(columns: _Columns) -> str | None:
    for name in columns.free():
        if (
            _NAMES_ROW.search(name)
            and _all_different(columns.filled(name))
            and len(columns.filled(name)) == len(columns.cells[name])
        ):
            columns.taken.add(name)
            return name
    return None


def _take_by_cells(columns: _Columns, name: str) -> str | None:
    looks = {"phone": _are_phones, "email": _are_emails}.get(name)
    found = next((free for free in columns.free() if looks and looks(columns.filled(free))), None)
    columns.taken |= {found} if found else set()
    return found


def _order_column(columns: _Columns, lead_id: str | None) -> str:
    candidates = [*([lead_id] if lead_id else []), *columns.free()]
    for name in candidates:
        cells = columns.filled(name)
        if (
            _NAMES_ROW.search(name)
            and _all_different(cells)
            and all(re.fullmatch(r"\d{1,15}", str(cell)) for cell in cells)
        ):
            columns.taken.add(name)
            return name
    return FILE_ORDER


@dataclass(frozen=True)
class _Outcome:
    column: str
    won: list[str]
    lost: list[str]
    at: str | None
    amount: str | None

    def write(self, draft: _Draft) -> None:
        draft.add("outcome:")
        draft.add(f"  column: {_quoted(self.column)}")
        draft.add(f"  won: [{', '.join(map(_quoted, self.won))}]", "every word that means a sale")
        draft.add(f"  lost: [{', '.join(map(_quoted, self.lost))}]", "every word that means the end without one")
        for role, column in (("at", self.at), ("amount", self.amount)):
            if column:
                draft.add(f"  {role}: {_quoted(column)}")
        draft.dates += [self.at] if self.at else []
        draft.numbers += [self.amount] if self.amount else []


def _outcome(columns: _Columns) -> _Outcome | None:
    """The column with words of winning, else a yes/no under the header of an outcome."""
    column = columns.take(OUTCOME_HEADERS, lambda cells: any(_words(cells, sign) for sign in (WON_WORDS, LOST_WORDS)))
    if column:
        won, lost = _words(columns.filled(column), WON_WORDS), _words(columns.filled(column), LOST_WORDS)
    else:
        column = columns.take(OUTCOME_HEADERS, _is_yes_no)
        if column is None:
            return None
        words = sorted({str(cell).strip() for cell in columns.filled(column)})
        won = [word for word in words if yes_no(word)]
        lost = [word for word in words if yes_no(word) is False]
    return _Outcome(
        column, won, lost, columns.take(CLOSED_AT_HEADERS, _are_dates), columns.take(AMOUNT_HEADERS, _are_numbers)
    )


def _words(cells: list[Cell], known: set[str]) -> list[str]:
    return sorted({word for cell in cells if (word := str(cell).strip()).casefold().replace("ё", "е") in known})


def _is_yes_no(cells: list[Cell]) -> bool:
    return len({str(cell).strip() for cell in cells}) == 2 and all(yes_no(cell) is not None for cell in cells)


def _parts(columns: _Columns, draft: _Draft, *, has_outcome: bool) -> None:
    notes = {role: column for role, headers in NOTE_HEADERS.items() if (column := columns.take(headers))}
    if notes:
        text = notes.get("text", notes.get("crm_reason", ""))
        draft.add("notes:", "" if has_outcome else "every row with a note counts as lost: no outcome was found")
        draft.add(
            f"  text: {_quoted(text)}", "" if "text" in notes else "the reason picked in the CRM; is there a free text?"
        )
        if "crm_reason" in notes and "text" in notes:
            draft.add(f"  crm_reason: {_quoted(notes['crm_reason'])}")
    events = {kind: column for kind, headers in EVENT_HEADERS.items() if (column := columns.take(headers, _are_dates))}
    for place, (kind, column) in enumerate(events.items()):
        what = f"kind: stage, stage: {kind.split()[1]}" if " " in kind else f"kind: {kind}"
        draft.lines += ["events:"] if place == 0 else []
        draft.add(f"  - {{{what}, at: {_quoted(column)}}}")
        draft.dates.append(column)


def _left_out(columns: _Columns, draft: _Draft) -> None:
    later = [name for name in columns.free() if _bare(name) in LATER_HEADERS]
    columns.taken |= set(later)
    personal = [name for name in columns.free() if _is_personal(name, columns.filled(name))]
    columns.taken |= set(personal)
    names = [name for name in columns.free() if _NAMES_ROW.search(name) and _all_different(columns.filled(name))]
    columns.taken |= set(names)
    for part, found, why in (
        ("known_after", later, "by their names, filled later; never used"),
        ("ignore", personal, "about a person, not about the enquiry"),
        ("identifiers", names, "different in every row"),
    ):
        if found:
            draft.add(f"{part}: [{', '.join(map(_quoted, found))}]", why)
    clashes = [name for name in columns.free() if name in Lead.model_fields]
    if clashes:
        renamed = [f"{_quoted(name)}: {_quoted(name + ' (column)')}" for name in clashes]
        draft.add(f"rename: {{{', '.join(renamed)}}}", "these headers are names of our fields; are they the same?")
    draft.add("custom: all")


def _is_personal(name: str, cells: list[Cell]) -> bool:
    named = bool(_PERSON.search(name.casefold())) and not _is_yes_no(cells)  # "Do Not Email" is a yes or a no
    return named or _are_phones(cells) or _are_emails(cells)


def _warn_of_leaks(columns: _Columns, draft: _Draft, outcome: _Outcome) -> None:
    ended = [
        place
        for place, cell in enumerate(columns.cells[outcome.column])
        if str(cell).strip() in {*outcome.won, *outcome.lost}
    ]
    won = [str(columns.cells[outcome.column][place]).strip() in outcome.won for place in ended]
    features = {name: [_touched(columns.cells[name][place]) for place in ended] for name in columns.free()}
    suspects = suspected_leaks(features, won)
    if suspects:
        draft.lines += ["# Known only after the outcome? Then add to known_after:"]
        draft.lines += [f"#   {_quoted(leak.column)}: {leak.why}" for leak in suspects]


def _touched(cell: Cell) -> Cell:
    return None if isinstance(cell, str) and cell.strip().casefold() in UNTOUCHED else cell


def _slug(path: Path) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", path.name.split(".")[0]).strip("_")[:64]
    return stem.lower() or "export"


def _quoted(text: str) -> str:
    """Plain where YAML reads it as the same text, in quotes elsewhere."""
    plain = _PLAIN_YAML.fullmatch(text) and text.casefold() not in _NOT_PLAIN
    return text if plain else json.dumps(text, ensure_ascii=False)
