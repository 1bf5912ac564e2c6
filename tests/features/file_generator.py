"""Exports as CRMs, Excel and people write them, each with the truth of what it holds: all pairs of their habits."""

import csv
import gzip
import io
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import combinations, product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, to_excel

from features.mapping import Mapping, mapping_of

ROWS = 12
MAY_BE_TWO_DAYS, MAY_BE_TWO_NUMBERS, TWO_SHEETS = "may be two days", "may be two numbers", "cells in several sheets"
ZONE = ZoneInfo("Asia/Yekaterinburg")

COMMA_IS_DECIMAL = ["1250000,5", "1 250 000,50 руб.", "1nbsp250nbsp000,50", "1.250.000,50"]

TEXT_HABITS = {
    "encoding": ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1251", "koi8-r", "cp866"],
    "delimiter": [",", ";", "\t", "|"],
    "line_end": ["\n", "\r\n"],
    "numbers": [
        "1250000.5",
        "1250000,5",
        "1 250 000,50 руб.",
        "1nbsp250nbsp000,50",
        "$1,250,000.50",
        "1.250.000,50",
        "1,250",
    ],
    "dates": [
        "iso",
        "iso+05",
        "dd.mm.yyyy",
        "dd.mm.yyyy hh:mm",
        "dd.mm.yy",
        "dd/mm/yyyy",
        "mm/dd/yyyy",
        "05/04/2026",
        "named",
    ],
    "quoting": ["where needed", "all"],
    "cells": ["short", "newlines", "quotes and delimiters"],
    "headers": ["russian", "english", "blank last column"],
    "container": ["csv", "gz", "misnamed"],
    "defect": [
        *("none", "short row", "long row", "header again", "blank lines", "empty rows"),
        *("repeated column", "open quote", "NUL", "bad date", "bad amount"),
    ],
}
WORKBOOK_HABITS = {
    "container": ["xlsx", "parquet", "misnamed xlsx"],
    "numbers": ["number", "1 250 000,50 руб.", "$1,250,000.50", "1,250"],
    "dates": ["moment", "day number", "dd.mm.yyyy hh:mm", "mm/dd/yyyy", "05/04/2026", "iso+05"],
    "headers": ["russian", "english"],
    "cells": ["short", "newlines", "quotes and delimiters"],
    "calendar": ["1900", "1904"],
    "sheets": ["one", "hidden beside", "two"],
    "defect": [
        *("none", "empty rows", "repeated column", "bad date", "bad amount"),
        *("merged header", "merged cells", "formula", "header again"),
    ],
}
FOR_TEXT_ONLY = {"encoding": "utf-8", "delimiter": ",", "line_end": "\n", "quoting": "where needed"}
FOR_BOOKS_ONLY = {"calendar": "1900", "sheets": "one"}

HEADERS = {
    "russian": ["ID", "Дата создания", "Источник", "Комментарий", "Статус", "Сумма", "Своё поле"],
    "english": ["Record ID", "Create Date", "Source", "Message", "Deal Stage", "Amount", "Own field"],
}
WORDS = {
    "short": ["Сайт", "Звонок", "Яндекс Директ", "выставка в Казани", "Google Ads", "e-mail", "0012", "Уфа", "№ 7"],
    "newlines": ["первая строка\nвторая", "перезвонить\n\nпосле обеда", "один\nдва\nтри", "Сайт"],
    "quotes and delimiters": [
        'ООО "Ромашка"',
        "цена, срок; скидка | опт",
        '"',
        "a\tb",
        "'7",
        'он сказал: "дорого", и ушёл',
    ],
}


@dataclass(frozen=True)
class Habits:
    """How one file is written."""

    container: str
    numbers: str
    dates: str
    headers: str
    cells: str
    defect: str
    encoding: str
    delimiter: str
    line_end: str
    quoting: str
    calendar: str
    sheets: str
    seed: int

    @property
    def is_text(self) -> bool:
        return self.container in ("csv", "gz", "misnamed")


@dataclass(frozen=True)
class Truth:
    """One lead as it is, however it is written."""

    lead_id: str
    created_at: datetime
    source: str
    comment: str
    won: bool
    amount: Decimal
    own: str


@dataclass(frozen=True)
class GeneratedFile:
    """A file's habits and what must come out of it: leads, rejected rows by number, or a refusal."""

    habits: Habits
    path: Path
    leads: list[Truth]
    rejected: dict[int, str]  # row → word of the reason
    refused: str | None  # word of the reason
    refused_row: int | None
    encoding_to_say: str | None = None  # refused only until the mapping says it; then `refused` holds

    def mapping(self, **more: object) -> Mapping:
        names = HEADERS["english" if self.habits.headers == "english" else "russian"]
        lead_id, created_at, source, comment, status, amount, _ = names
        content: dict[str, object] = {
            "name": "generated",
            "timezone": str(ZONE),
            "columns": {"lead_id": lead_id, "created_at": created_at, "source": source, "comment": comment},
            "outcome": {"column": status, "won": ["продано"], "lost": ["отказ"], "amount": amount},
        }
        return mapping_of(content | more, "generated")


def habits_of_all_files(rounds: int = 4) -> list[Habits]:
    """All pairs of habits, several times with other cells and other partners."""
    found = []
    for seed in range(rounds):
        found += [Habits(**FOR_BOOKS_ONLY, **each, seed=seed) for each in all_pairs(TEXT_HABITS, seed)]
        found += [Habits(**FOR_TEXT_ONLY, **each, seed=seed) for each in all_pairs(WORKBOOK_HABITS, seed)]
    return found


def all_pairs(habits: dict[str, list[str]], seed: int) -> list[dict[str, str]]:
    """Combinations in which every two values of two habits meet: greedily, the candidate with most new meetings."""
    rng = random.Random(seed)
    names = list(habits)
    left = {
        pair
        for a, b in combinations(names, 2)
        for pair in product([(a, v) for v in habits[a]], [(b, v) for v in habits[b]])
    }
    chosen = []
    while left:
        first = sorted(left)[rng.randrange(len(left))]
        candidates = [
            {**{name: rng.choice(values) for name, values in habits.items()}, **dict(first)} for _ in range(30)
        ]
        best = max(candidates, key=lambda each: len(_meetings(each) & left))
        left -= _meetings(best)
        chosen.append(best)
    return chosen


def _meetings(chosen: dict[str, str]) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    return set(combinations(chosen.items(), 2))


def write_file(habits: Habits, folder: Path) -> GeneratedFile:
    """Writes the file; the truth is drawn from the seed and the habits."""
    rng = random.Random(repr(habits))
    leads = [_lead(habits, rng, number) for number in range(ROWS)]
    return _Text(habits, folder, leads).write() if habits.is_text else _Book(habits, folder, leads).write()


def _lead(habits: Habits, rng: random.Random, number: int) -> Truth:
    words = [word for word in WORDS[habits.cells] if habits.encoding != "koi8-r" or "№" not in word]
    return Truth(
        lead_id=f"L-{number:03}",
        created_at=_moment(habits.dates, rng, number),
        source=rng.choice(WORDS["short"][:6]),
        comment=rng.choice(words),
        won=rng.random() < 0.5,
        amount=Decimal(rng.randint(1, 9)) * 1_000 + 250
        if habits.numbers == "1,250"
        else Decimal(rng.randint(150, 10**9)) / 100,
        own=rng.choice(words),
    )


def _moment(style: str, rng: random.Random, number: int) -> datetime:
    day = rng.randint(1, 12) if style == "05/04/2026" else (13 + number if number < 5 else rng.randint(1, 28))
    has_clock = style in ("iso", "iso+05", "dd.mm.yyyy hh:mm", "moment", "day number")
    hour, minute = (rng.randint(0, 23), rng.randint(0, 59)) if has_clock else (0, 0)
    return datetime(2026, rng.randint(1, 12), day, hour, minute, tzinfo=ZONE)


def written_moment(style: str, at: datetime) -> str:
    match style:
        case "iso":
            return at.strftime("%Y-%m-%d %H:%M:%S")
        case "iso+05":
            return at.astimezone(timezone(timedelta(hours=3))).isoformat()
        case "dd.mm.yyyy":
            return at.strftime("%d.%m.%Y")
        case "dd.mm.yyyy hh:mm":
            return at.strftime("%d.%m.%Y %H:%M")
        case "dd.mm.yy":
            return at.strftime("%d.%m.%y")
        case "dd/mm/yyyy":
            return at.strftime("%d/%m/%Y")
        case "mm/dd/yyyy" | "05/04/2026":
            return at.strftime("%m/%d/%Y")
    months = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split()
    return f"{at.day} {months[at.month - 1]} {at.year} г."


def written_amount(style: str, amount: Decimal) -> str:
    grouped = f"{amount:,.2f}"
    match style:
        case "1250000.5":
            return f"{amount:.2f}"
        case "1250000,5":
            return f"{amount:.2f}".replace(".", ",")
        case "1 250 000,50 руб.":
            return grouped.replace(",", " ").replace(".", ",") + " руб."
        case "1nbsp250nbsp000,50":
            return grouped.replace(",", "\u00a0").replace(".", ",")
        case "$1,250,000.50":
            return "$" + grouped
        case "1.250.000,50":
            return grouped.replace(",", " ").replace(".", ",").replace(" ", ".")
    return f"{amount:,.0f}"


def _why_open(habits: Habits) -> str | None:
    """Files that leave open what they say, until the mapping says it."""
    if habits.dates == "05/04/2026":
        return MAY_BE_TWO_DAYS
    return MAY_BE_TWO_NUMBERS if habits.numbers == "1,250" else None


@dataclass
class _Text:
    habits: Habits
    folder: Path
    leads: list[Truth]

    def write(self) -> GeneratedFile:
        habits = self.habits
        self.text, self.rejected = io.StringIO(newline=""), dict[int, str]()
        self.refused: str | None = None
        self.refused_row: int | None = None
        self._fill()
        path = self.folder / {"csv": "export.csv", "gz": "export.csv.gz", "misnamed": "export.xlsx"}[habits.container]
        content = self.text.getvalue().encode(habits.encoding)
        content = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(habits.encoding, b"") + content
        path.write_bytes(gzip.compress(content, 1) if habits.container == "gz" else content)
        to_say = habits.encoding if habits.encoding in ("koi8-r", "cp866") and habits.defect != "NUL" else None
        return GeneratedFile(habits, path, self.leads, self.rejected, self.refused, self.refused_row, to_say)

    def _fill(self) -> None:
        names = list(HEADERS["english" if self.habits.headers == "english" else "russian"])
        if self.habits.defect == "repeated column":
            names[-1] = names[2]
            self.refused, self.refused_row = "more than once", 1
        self._record([*names, *self._tail()])
        broken = self.leads[5]
        for lead in list(self.leads):
            cells = [*self._cells(lead), *self._tail()]
            if lead is broken:
                self._defect(names, cells)
            else:
                self._record(cells)
        self.refused = self.refused or _why_open(self.habits)

    def _tail(self) -> list[str]:
        return [""] if self.habits.headers == "blank last column" else []

    def _cells(self, lead: Truth) -> list[str]:
        return [
            *(lead.lead_id, written_moment(self.habits.dates, lead.created_at), lead.source, lead.comment),
            *("продано" if lead.won else "отказ", written_amount(self.habits.numbers, lead.amount), lead.own),
        ]

    def _line(self) -> int:
        return self.text.getvalue().count("\n") + 1

    def _record(self, cells: list[str]) -> None:
        quoting = csv.QUOTE_ALL if self.habits.quoting == "all" else csv.QUOTE_MINIMAL
        writer = csv.writer(
            self.text, delimiter=self.habits.delimiter, lineterminator=self.habits.line_end, quoting=quoting
        )
        writer.writerow(cells)

    def _defect(self, names: list[str], cells: list[str]) -> None:
        line = self._line()
        match self.habits.defect:
            case "short row":
                self._reject(cells[:-2], line, "cells where the header has")
            case "long row":
                self._reject([*cells, "лишняя"], line, "cells where the header has")
            case "header again":
                self._record(cells)
                self.rejected[self._line()] = "header once more"
                self._record([*names, *self._tail()])
            case "blank lines":
                self.text.write(self.habits.line_end * 3)
                self._record(cells)
            case "empty rows":
                self._record([""] * len(cells))
                self._record(cells)
            case "open quote":
                self.text.write(self.habits.delimiter.join(["L", '"не закрыта', "Сайт"]) + self.habits.line_end)
                self.refused, self.refused_row = "quote", line
            case "NUL":
                self._record([*cells[:3], "a\0b", *cells[4:]])
                self.refused, self.refused_row = ("NUL", line) if "16" not in self.habits.encoding else (None, None)
                self.leads = [replace(lead, comment="ab") if lead.lead_id == cells[0] else lead for lead in self.leads]
            case "bad date":
                self._reject([cells[0], "45.13.2026", *cells[2:]], line, "no moment")
            case "bad amount":
                self.leads = [replace(lead, won=True) if lead.lead_id == cells[0] else lead for lead in self.leads]
                self._reject([*cells[:4], "продано", "много", *cells[6:]], line, "no number")
            case _:
                self._record(cells)

    def _reject(self, cells: list[str], line: int, reason: str) -> None:
        self.rejected[line] = reason
        self.leads = [lead for lead in self.leads if lead.lead_id != cells[0]]
        self._record(cells)


@dataclass
class _Book:
    """XLSX and Parquet: rows of values."""

    habits: Habits
    folder: Path
    leads: list[Truth]

    def write(self) -> GeneratedFile:
        names, rows = self._rows()
        suffix = {"xlsx": "xlsx", "parquet": "parquet", "misnamed xlsx": "csv"}[self.habits.container]
        path = self.folder / f"export.{suffix}"
        refused = _why_open(self.habits)
        row = None
        if self.habits.defect == "repeated column":
            refused, row = "more than once", None
        if self.habits.container == "parquet":
            self._write_parquet(path, names, rows)
            rejected = {number: reason for number, (_, reason) in enumerate(rows, start=1) if reason}
        else:
            self._write_xlsx(path, names, rows)
            rejected = {number: reason for number, (_, reason) in enumerate(rows, start=2) if reason}
            refused, row = self._refused_book() or (refused, row)
        dead = {values[0] for values, reason in rows if reason and values[0] != names[0]}
        leads = [lead for lead in self.leads if lead.lead_id not in dead]
        return GeneratedFile(self.habits, path, leads, rejected, refused, row)

    def _refused_book(self) -> tuple[str, int | None] | None:
        if self.habits.defect == "formula":
            return "formula", 8
        if self.habits.sheets == "two":
            return TWO_SHEETS, None
        return ("merged", 1) if self.habits.defect == "merged header" else None

    def _rows(self) -> tuple[list[str], list[tuple[list[Any], str | None]]]:
        names = list(HEADERS[self.habits.headers])
        if self.habits.defect == "repeated column":
            names[-1] = names[2]
        rows: list[tuple[list[Any], str | None]] = [(self._values(lead), None) for lead in self.leads]
        values, defect = rows[5][0], self.habits.defect
        is_book = self.habits.container != "parquet"
        if defect == "empty rows":
            rows.insert(5, ([None] * len(names), None))
        elif (
            defect == "header again"
            and not isinstance(values[1], datetime | float)
            and not isinstance(values[5], float)
        ):
            rows.insert(5, (list(names), "header once more"))
        elif defect == "bad date" and isinstance(values[1], str):
            rows[5] = ([values[0], "45.13.2026", *values[2:]], "no moment")
        elif defect == "bad amount" and isinstance(values[5], str):
            rows[5] = ([*values[:4], "продано", "много", values[6]], "no number")
        elif defect == "merged cells" and is_book:
            rows[5] = ([*values[:2], values[2], None, *values[4:]], "merged")
        return names, rows

    def _values(self, lead: Truth) -> list[Any]:
        at, amount = lead.created_at.replace(tzinfo=None), lead.amount
        epoch = CALENDAR_MAC_1904 if self.habits.calendar == "1904" else CALENDAR_WINDOWS_1900
        day_numbers = self.habits.container != "parquet" and self.habits.dates == "day number"
        if day_numbers:
            moment: Any = float(to_excel(at, epoch)) + 1e-9  # a whole day would be an int, as in Excel itself
        elif self.habits.dates in ("moment", "day number"):
            moment = at
        else:
            moment = written_moment(self.habits.dates, lead.created_at)
        money: Any = float(amount) if self.habits.numbers == "number" else written_amount(self.habits.numbers, amount)
        status = "продано" if lead.won else "отказ"
        return [lead.lead_id, moment, lead.source, lead.comment, status, money, lead.own]

    def _write_xlsx(self, path: Path, names: list[str], rows: list[tuple[list[Any], str | None]]) -> None:
        book = openpyxl.Workbook()
        book.epoch = CALENDAR_MAC_1904 if self.habits.calendar == "1904" else CALENDAR_WINDOWS_1900
        sheet = book.active
        assert sheet is not None
        sheet.append(names)
        for values, _ in rows:
            sheet.append(values)
        for row in sheet.iter_rows(min_row=2):
            for cell in row:
                cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
        if self.habits.sheets != "one":
            other = book.create_sheet("Справочник")
            other.append(["что-то", "ещё"])
            other.sheet_state = "hidden" if self.habits.sheets == "hidden beside" else "visible"
        self._book_defect(sheet)
        book.save(path)

    def _book_defect(self, sheet: Any) -> None:
        if self.habits.defect == "merged header":
            sheet.merge_cells("C1:D1")
        if self.habits.defect == "merged cells":
            sheet.merge_cells("C7:D7")
        if self.habits.defect == "formula":
            sheet["G8"] = '=CONCATENATE("a", "b")'

    def _write_parquet(self, path: Path, names: list[str], rows: list[tuple[list[Any], str | None]]) -> None:
        columns = [list(column) for column in zip(*(values for values, _ in rows), strict=True)]
        pq.write_table(pa.Table.from_arrays([pa.array(column) for column in columns], names=names), path)
