"""Exports as CRMs, Excel and people write them, each with the truth of what it holds."""

import csv
import gzip
import io
import random
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, to_excel

from tests.features.file_habits import (
    HEADERS,
    ROWS,
    TWO_SHEETS,
    GeneratedFile,
    Habits,
    Truth,
    draw_lead,
    why_open,
    written_amount,
    written_moment,
)


def write_file(habits: Habits, folder: Path) -> GeneratedFile:
    """Writes the file; the truth is drawn from the seed and the habits."""
    rng = random.Random(repr(habits))
    leads = [draw_lead(habits, rng, number) for number in range(ROWS)]
    return _Text(habits, folder, leads).write() if habits.is_text else _Book(habits, folder, leads).write()


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
        self.refused = self.refused or why_open(self.habits)

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
        refused = why_open(self.habits)
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
