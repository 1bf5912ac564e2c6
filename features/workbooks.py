"""XLSX and XLS → rows: archives are measured before they are opened, and what Excel shows is what is read."""

import io
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import IO, Any

from features.rows import BadRow, Cell, Header, RefusedFile, Row, Table

try:
    import python_calamine
except ImportError:  # an optional extra
    python_calamine = None

ENTRIES_LIMIT = 1_000  # files in the archive: a workbook has some tens
UNPACKED_LIMIT = 400 << 20  # bytes; Excel's 1,048,576 rows of ten short columns take about 350 MB
RATIO_LIMIT = 100  # sheets pack 5 to 30 times
RATIO_COUNTS_FROM = 20 << 20  # below it equal rows may pack well and harm nobody
CELLS_LIMIT = 20_000_000  # the reader keeps 32 bytes for each, also for empty ones between two far corners
XLS_LIMIT = 64 << 20  # bytes; 65,536 rows of that old format take about 10 MB
CHUNK = 1 << 20
CELL_LIMIT = 16 * CHUNK  # bytes of XML without the end of a cell
SAMPLE_ROWS = 1_000
LOCKED = "the workbook is locked with a password; save it without one"

DAY_ZERO_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a calendar's origin has no zone; right from 1 March 1900 on
DAY_ZERO_1904 = datetime(1904, 1, 1)  # noqa: DTZ001 - old Excel for Mac

# The reader makes room for every cell between the corners and aborts the process where a hostile XLS has far ones.
_TRY_XLS = """
import io, pathlib, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
except ImportError:
    pass  # Windows has no such limits
from python_calamine import CalamineWorkbook
book = CalamineWorkbook.from_filelike(io.BytesIO(pathlib.Path(sys.argv[1]).read_bytes()))
for name in book.sheet_names:
    book.get_sheet_by_name(name)
"""
XLS_SECONDS = 60

_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3})(\d{1,7})["']""")
_FORMULA_WITHOUT_VALUE = re.compile(
    rb"""<(?:\w+:)?c\s(?![^>]*t=["']str["'])[^>]*r=["']([A-Z]+)(\d+)["'][^>]*><(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)"""
    rb"""(?:<(?:\w+:)?v\s?/>|<(?:\w+:)?v></(?:\w+:)?v>)?</(?:\w+:)?c>"""
)
_COUNTED_FROM_1904 = re.compile(rb"""date1904\s*=\s*["'](1|true)["']""")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def open_workbook(path: Path, *, sheet: str | None) -> Table:
    """The one visible sheet with cells, or the named one."""
    if python_calamine is None:
        raise RefusedFile(path, 'reading Excel files needs an extra; run: pip install "leadloop[excel]"')
    day_zero = _measure(path)
    opened = _pick_sheet(path, sheet)
    start, first = next(_filled(opened), (1, []))
    header = Header.of(path, first, start)
    merged = _merged_rows(opened)
    if start in merged:
        raise RefusedFile(path, "merged cells in the header; unmerge them, one name above each column", start)

    def rows() -> Iterator[Row | BadRow]:
        return _rows(opened, header, merged)

    header.refuse_unnamed(path, islice(rows(), SAMPLE_ROWS), start)
    return Table(path, header.columns, None, None, rows, sheet=opened.name, day_zero=day_zero)


def _measure(path: Path) -> datetime | None:
    """Refuses what must not be opened. Bare numbers of XLS are never dates: its calendar's origin is not read."""
    with path.open("rb") as file:
        if file.read(2) == b"PK":
            return _measure_xlsx(path)
    _measure_xls(path)
    return None


def _measure_xls(path: Path) -> None:
    if path.stat().st_size > XLS_LIMIT:
        raise RefusedFile(path, f"an XLS of over {XLS_LIMIT >> 20} MB; save it as xlsx or CSV")
    if _ENCRYPTED in path.read_bytes():
        raise RefusedFile(path, LOCKED)
    command = [sys.executable, "-c", _TRY_XLS, str(path)]
    try:
        tried = subprocess.run(command, capture_output=True, timeout=XLS_SECONDS, check=False).returncode  # noqa: S603 - ours
    except subprocess.TimeoutExpired:
        tried = -1
    if tried:
        raise RefusedFile(path, "a damaged XLS, or one with a password; save it as xlsx or CSV")


def _measure_xlsx(path: Path) -> datetime:
    """Refuses bombs and what the reader would misread; gives the origin of the calendar."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _refuse_bomb(path, entries)
            names = {entry.filename for entry in entries}
            if "xl/workbook.xml" not in names:
                raise RefusedFile(path, f"a zip without an Excel workbook (it holds {sorted(names)[:3]}); unpack it")
            for entry in entries:
                _measure_part(path, archive, entry)
            return _day_zero(archive.read("xl/workbook.xml"))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise RefusedFile(path, f"a damaged workbook ({error}); save it again in Excel") from None


def _refuse_bomb(path: Path, entries: Sequence[zipfile.ZipInfo]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, path.stat().st_size)
    if len(entries) > ENTRIES_LIMIT:
        raise RefusedFile(path, f"{len(entries)} files in the workbook, over {ENTRIES_LIMIT}; this is an archive bomb")
    if unpacked > UNPACKED_LIMIT:
        raise RefusedFile(path, f"it unpacks to {unpacked >> 20} MB, over {UNPACKED_LIMIT >> 20}; export CSV instead")
    if unpacked > RATIO_COUNTS_FROM and unpacked > RATIO_LIMIT * packed:
        raise RefusedFile(path, f"it unpacks {unpacked // packed} times; this is an archive bomb")


def _measure_part(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Reads one part to its end: a part longer than it says fails its checksum here, not in the reader's memory."""
    is_sheet = entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml")
    rows, columns = 0, set[bytes]()
    with archive.open(entry) as part:
        for piece in _pieces(part):
            if not is_sheet:
                continue
            _refuse_unseen(path, piece)
            places = set(_PLACE.findall(piece))
            columns.update(column for column, _ in places)
            rows = max(rows, max((int(row) for _, row in places), default=0))
    cells = rows * max(map(_column_number, columns), default=0)
    if cells > CELLS_LIMIT:
        raise RefusedFile(path, f"its sheet spans {cells} cells, most of them empty; delete the far ones or export CSV")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _pieces(part: IO[bytes]) -> Iterator[bytes]:
    """A sheet's XML in pieces that end where a cell ends."""
    rest = b""
    while chunk := part.read(CHUNK):
        rest += chunk
        end = rest.rfind(b"c>") + 2
        if end > 1 or len(rest) > CELL_LIMIT:
            piece, rest = (rest[:end], rest[end:]) if end > 1 else (rest, b"")
            yield piece
    yield rest


def _refuse_unseen(path: Path, piece: bytes) -> None:
    if b"\0" in piece:
        raise RefusedFile(path, "its sheet is not written in utf-8; save it again in Excel")
    if (b"<f" in piece or b":f" in piece) and (formula := _FORMULA_WITHOUT_VALUE.search(piece)):
        cell, row = (formula[1] + formula[2]).decode(), int(formula[2])
        raise RefusedFile(path, f"cell {cell} is a formula never calculated; open the file in Excel and save it", row)


def _day_zero(workbook_xml: bytes) -> datetime:
    return DAY_ZERO_1904 if _COUNTED_FROM_1904.search(workbook_xml) else DAY_ZERO_1900


def _pick_sheet(path: Path, said: str | None) -> Any:
    book = _guarded(path, lambda: python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes())))
    if said is not None:
        if said not in book.sheet_names:
            raise RefusedFile(path, f"it has no sheet {said!r}, only {book.sheet_names}; mend `sheet:` in the mapping")
        return _sheet(path, book, said)
    shown, cells = python_calamine.SheetVisibleEnum.Visible, python_calamine.SheetTypeEnum.WorkSheet
    visible = [sheet.name for sheet in book.sheets_metadata if sheet.visible == shown and sheet.typ == cells]
    filled = [sheet for name in visible if (sheet := _sheet(path, book, name)).height]
    if len(filled) > 1:
        names = [sheet.name for sheet in filled]
        raise RefusedFile(path, f"cells in several sheets, {names}; say `sheet:` in the mapping")
    if not filled:
        raise RefusedFile(path, "no visible sheet has cells; unhide one, or name it in the mapping as `sheet:`")
    return filled[0]


def _sheet(path: Path, book: Any, name: str) -> Any:
    return _guarded(path, lambda: book.get_sheet_by_name(name))


def _guarded(path: Path, read: Callable[[], Any]) -> Any:
    """The reader is Rust: its panics are not of class Exception, and its messages are for programmers."""
    try:
        return read()
    except python_calamine.PasswordError:
        raise RefusedFile(path, LOCKED) from None
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise RefusedFile(path, f"a damaged workbook ({error}); save it again in Excel") from error


def _merged_rows(sheet: Any) -> set[int]:
    """Rows touched by merged cells: only the first cell of a merge holds the value, the rest would read as empty."""
    merges = sheet.merged_cell_ranges or []
    return {row + 1 for (top, _), (bottom, _) in merges for row in range(top, bottom + 1)}


def _rows(sheet: Any, header: Header, merged: set[int]) -> Iterator[Row | BadRow]:
    records = _filled(sheet)
    next(records)
    for row in header.sort(records):
        if row.number in merged:
            yield BadRow(row.number, "merged cells; unmerge them and fill each", row.cells)
        else:
            yield row


def _filled(sheet: Any) -> Iterator[tuple[int, list[Cell]]]:
    """Rows with at least one cell, under the numbers that Excel shows."""
    for number, values in enumerate(sheet.iter_rows(), start=1):  # it begins with row 1, also where that is empty
        cells = [_cell(value) for value in values]
        if any(cell is not None for cell in cells):
            yield number, cells


def _cell(value: Any) -> Cell:
    """Excel has one kind of number: whole ones become int, so that an id reads 660737 and not 660737.0."""
    match value:
        case "":
            return None
        case float() if value.is_integer():
            return int(value)
        case time() | timedelta():
            return str(value)
        case datetime():
            return _to_the_second(value)
        case str() | bool() | int() | float() | date():
            return value
    raise AssertionError(f"the reader of workbooks gave a {type(value).__name__}")


def _to_the_second(value: datetime) -> datetime:
    """A day as a fraction is a few microseconds off: 12:29:59.999999 is 12:30."""
    rounded = value + timedelta(microseconds=500_000)
    near = rounded.replace(microsecond=0)
    return near if abs(near - value) < timedelta(milliseconds=1) else value
