"""CSV and its kin, plain or gzip: bytes → records, with encoding and delimiter found or refused."""

import csv
import gzip
import io
import re
import zlib
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from features.encodings import LAST_RESORT, UnreadableText, find_encoding
from features.rows import BadRow, Header, RefusedFile, Row, Table

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
CHUNK = 1 << 20
SAMPLE_LETTERS = 1 << 18  # for the delimiter: hundreds of rows even where they are wide
SAMPLE_RECORDS = 1_000
MOST_ROWS_FIT = 0.5  # below it the first line is a title or the file a letter, not a table
CLEARLY_BETTER = 0.05  # of the rows: two delimiters nearer than this are both possible
LINE_LIMIT = 16 * CHUNK  # bytes; the longest note is 10,000 letters, 500 such columns still fit
UNPACKED_LIMIT = 4 << 30  # bytes; a million rows of sixty columns take about 1 GB
RATIO_LIMIT = 200  # text packs 5 to 30 times; gzip can reach 1,000 on zeros
RATIO_COUNTS_FROM = 10 * CHUNK  # a small file of equal rows may pack well and harms nobody
CONTROLS_ALLOWED, CONTROL_SHARE = 8, 0.01  # pasted control letters happen; more are a picture or a program

_CONTROLS = bytes([*range(1, 9), *range(14, 32)])
_NOT_TABLES = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"Rar!": "a RAR archive; unpack it",
    b"BZh": "a bzip2 archive; unpack it",
    b"\xfd7zXZ": "an xz archive; unpack it",
    b"\x28\xb5\x2f\xfd": "a zstd archive; unpack it",
    b"SQLite format 3": "a database",
}
_MARKUP = {
    "<": "a web page or XML (some CRMs name it .xls); open it in Excel and save it as xlsx",
    "{": "JSON; export CSV, XLSX or Parquet",
    "[{": "JSON; export CSV, XLSX or Parquet",
}
_SEP_LINE = re.compile(r'^"?sep=(.)"?\r?\n?$', re.IGNORECASE)  # Excel's own first line


def open_delimited(path: Path, *, encoding: str | None, delimiter: str | None) -> Table:
    """A text table; the whole file is read here, so that it is refused before the first row is used, or never."""
    try:
        found = find_encoding(_checked_chunks(path, encoding), encoding)
        if found == LAST_RESORT != encoding:  # chosen by its letters: now every byte must fit
            find_encoding(_checked_chunks(path, found), found)
    except UnreadableText as error:
        raise RefusedFile(path, error.reason, error.row) from None
    text = _Text(path, found, _delimiter(path, found, delimiter))
    start, first = text.header()
    deque(text.records(), maxlen=0)  # quotes that do not close, wherever they are
    header = Header.of(path, first, start)
    header.refuse_unnamed(path, islice(text.rows(header), SAMPLE_RECORDS), start)
    return Table(path, header.columns, found, text.delimiter, lambda: text.rows(header))


@dataclass(frozen=True)
class _Text:
    path: Path
    encoding: str
    delimiter: str

    def header(self) -> tuple[int, list[str]]:
        first = next((record for record in self.records() if any(record[1])), None)
        if first is None:
            raise RefusedFile(self.path, "the file is empty; export it again with a header and rows")
        return first

    def rows(self, header: Header) -> Iterator[Row | BadRow]:
        records = self.records()
        next(record for record in records if any(record[1]))
        return header.sort(records)

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Records with the line on which each begins."""
        with _open_text(self.path, self.encoding) as lines:
            skipped = _skip_sep_line(lines)
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            start = 1 + skipped
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    raise RefusedFile(self.path, _why_broken(str(error)), start) from None
                yield start, cells
                start = reader.line_num + 1 + skipped


def _why_broken(error: str) -> str:
    if "field larger" in error or "unexpected end" in error:
        return "a quote opens here and does not close (a cell may hold 131,072 letters); close it or double it"
    return f"broken quotes ({error}): a quote inside a quoted cell is written twice; mend the row or export again"


def _skip_sep_line(lines: io.TextIOBase) -> int:
    if _SEP_LINE.match(lines.readline(8)):
        return 1
    lines.seek(0)
    return 0


def _open_text(path: Path, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(_open_bytes(path), encoding=encoding, newline="")


def _open_bytes(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb")) if packed else path.open("rb")


def _checked_chunks(path: Path, encoding: str | None) -> Iterator[bytes]:
    """The file's bytes in turn; bombs, binaries and endless lines are refused before anything is decoded."""
    total, line, since_newline = 0, 1, 0
    wide = False
    for chunk in _unpacked(path):
        if total == 0:
            wide = chunk.startswith((b"\xff\xfe", b"\xfe\xff")) or "16" in (encoding or "")
            _refuse_what_is_no_table(path, chunk, wide)
        total += len(chunk)
        _refuse_bomb(path, total)
        if not wide and b"\0" in chunk:
            _refuse_nul(path, chunk, line)
        line += chunk.count(b"\n")
        newline = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        since_newline = since_newline + len(chunk) if newline < 0 else len(chunk) - newline
        if since_newline > LINE_LIMIT:
            raise RefusedFile(path, f"a line of over {LINE_LIMIT >> 20} MB; this is no table", line)
        yield chunk


def _unpacked(path: Path) -> Iterator[bytes]:
    try:
        with _open_bytes(path) as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RefusedFile(path, f"the gzip archive is damaged ({error}); copy or export it again") from None


def _refuse_bomb(path: Path, total: int) -> None:
    packed = path.stat().st_size
    if total > UNPACKED_LIMIT or (total > RATIO_COUNTS_FROM and total > RATIO_LIMIT * packed):
        raise RefusedFile(path, f"{packed} bytes unpack to over {total}; this is an archive bomb, or split the export")


def _refuse_nul(path: Path, chunk: bytes, line: int) -> None:
    place = chunk.index(b"\0")
    around = chunk[max(0, place - 50) : place + 50]
    if around.count(0) > len(around) / 8:  # half of the bytes of Latin text, fewer of Russian
        hint = "looks like utf-16 without its mark; say `encoding: utf-16-le` (or -be) in the mapping"
    else:
        hint = "the file is binary or damaged; export it again"
    raise RefusedFile(path, f"a NUL byte; {hint}", line + chunk[:place].count(b"\n"))


def _refuse_what_is_no_table(path: Path, chunk: bytes, wide: bool) -> None:
    for magic, what in _NOT_TABLES.items():
        if chunk.startswith(magic):
            raise RefusedFile(path, f"this is {what}, not a table")
    beginning = chunk[:200].decode("utf-16" if wide else "utf-8-sig", "ignore").lstrip().lower()
    for sign, what in _MARKUP.items():
        if beginning.replace(" ", "").startswith(sign):
            raise RefusedFile(path, f"this is {what}")
    sample = chunk[: 1 << 16]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if not wide and controls > CONTROLS_ALLOWED + CONTROL_SHARE * len(sample):
        raise RefusedFile(path, f"{controls} control bytes in the beginning; this is not text")


def _delimiter(path: Path, encoding: str, said: str | None) -> str:
    """The delimiter under which the rows have as many cells as the header, with quotes respected."""
    with _open_text(path, encoding) as lines:
        excel_says = _SEP_LINE.match(lines.readline(8))
        lines.seek(0)
        sample = lines.read(SAMPLE_LETTERS)
        cut = len(sample) == SAMPLE_LETTERS
    if said or excel_says:
        return said or cast(re.Match[str], excel_says)[1]
    fits = sorted((_fit(sample, delimiter, cut) for delimiter in DELIMITERS), key=lambda fit: fit.rank, reverse=True)
    best, second = fits[0], fits[1]
    if not any(fit.columns for fit in fits):
        return best.delimiter
    wider = next((fit for fit in fits if fit.usual > 1 and fit.columns != fit.usual), None)
    if best.share < MOST_ROWS_FIT or (best.columns == 1 and wider):
        odd = wider or best
        cut_by = DELIMITERS[odd.delimiter]
        reason = f"cut by {cut_by}, the first line has {odd.columns} cells and most rows {odd.usual or 'other numbers'}"
        raise RefusedFile(path, f"{reason}; put the header first, or say `delimiter:` in the mapping", 1)
    perfect = best.share == 1 > second.share
    if second.columns > 1 and best.share - second.share < CLEARLY_BETTER and not perfect:
        names = f"{DELIMITERS[best.delimiter]} and {DELIMITERS[second.delimiter]}"
        raise RefusedFile(path, f"both {names} cut it into a table; say `delimiter:` in the mapping", 1)
    return best.delimiter


@dataclass(frozen=True)
class _Fit:
    delimiter: str
    columns: int
    share: float  # of the rows with as many cells as the header
    usual: int  # cells that most rows have, 0 where they differ

    @property
    def rank(self) -> tuple[bool, float, int]:
        return self.columns > 1 and self.share >= MOST_ROWS_FIT, self.share, self.columns


def _fit(sample: str, delimiter: str, cut: bool) -> _Fit:
    records: list[int] = []
    try:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=True)
        records.extend(len(record) for record in islice(reader, SAMPLE_RECORDS + 1) if any(record))
    except csv.Error:
        cut = False  # the record that broke was not counted
    if cut and len(records) <= SAMPLE_RECORDS:
        records = records[:-1] or records  # the sample ends inside its last record
    if not records:
        return _Fit(delimiter, 0, 0.0, 0)
    header, rows = records[0], records[1:]
    if not rows:
        return _Fit(delimiter, header, 1.0, header)
    usual, times = Counter(rows).most_common(1)[0]
    share = rows.count(header) / len(rows)
    return _Fit(delimiter, header, share, usual if times >= MOST_ROWS_FIT * len(rows) else 0)
