"""Whatever a file calls itself, its rows come out under their columns, or the file is refused with a reason."""
# ruff: noqa: DTZ001 - a workbook's moments have no zone

import gzip
import io
import random
import struct
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import features.workbooks
from features.encodings import likelihood
from features.tables import BadRow, RefusedFile, Row, open_table
from tests.features import old_excel


def bytes_in(folder: Path, content: bytes, name: str = "export.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def cells_of(path: Path, **said: str) -> list[tuple[object, ...]]:
    return [row.cells for row in open_table(path, **said).rows() if isinstance(row, Row)]


def workbook(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(path)
    return path


# CSV


GOOD_FILES = [  # bytes, columns, cells
    (b"a,b\n1,2\n", ("a", "b"), [("1", "2")]),
    (b"a;b\r\n1,5;2\r\n", ("a", "b"), [("1,5", "2")]),  # a decimal comma is not a delimiter
    (b"a\tb\n\n1\t2\n\n", ("a", "b"), [("1", "2")]),
    (b"a|b\n1|\n", ("a", "b"), [("1", None)]),
    (b'a,b\n"x\ny","say ""no"""\n', ("a", "b"), [("x\ny", 'say "no"')]),
    (b"a,b,\n1,2,\n", ("a", "b"), [("1", "2")]),  # a last column without name and cells
    (b"sep=;\r\na;b\r\n1;2\r\n", ("a", "b"), [("1", "2")]),  # Excel says so itself
    (b"name\nIvan\nPetr\n", ("name",), [("Ivan",), ("Petr",)]),
    (b"a,b\r1,2\r", ("a", "b"), [("1", "2")]),  # an old Mac
    ("Имя,№\nИван,5\n".encode("cp1251"), ("Имя", "№"), [("Иван", "5")]),
    ("Имя,№\nИван,5\n".encode("utf-16"), ("Имя", "№"), [("Иван", "5")]),
    (b"\xff\xfe" + "a,b\n1,😀\n".encode("utf-16-le"), ("a", "b"), [("1", "😀")]),
    (b"\xef\xbb\xbf" + b'"a",b\n1,2\n', ("a", "b"), [("1", "2")]),
]


@pytest.mark.parametrize(("content", "columns", "cells"), GOOD_FILES)
def test_a_table_is_read_as_it_stands(
    tmp_path: Path, content: bytes, columns: tuple[str, ...], cells: list[object]
) -> None:
    path = bytes_in(tmp_path, content)
    assert open_table(path).columns == columns
    assert cells_of(path) == cells


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAZE = random.Random(1).randbytes(5_000)

REFUSED_FILES = [  # name, bytes, what the refusal says, row
    ("empty.csv", b"", "the file is empty", None),
    ("blank.csv", b"\n\n\n", "the file is empty", None),
    ("gzipped nothing.csv.gz", gzip.compress(b""), "the file is empty", None),
    ("NUL.csv", b"a,b\n1,2\n3,\0\n", "a NUL byte; the file is binary or damaged", 3),
    ("utf-16.csv", "a,b\n1,2\n".encode("utf-16-le"), "say `encoding: utf-16-le`", 1),
    ("junk.csv", MAZE, "NUL byte|control bytes", None),
    ("junk without zeros.csv", MAZE.replace(b"\0", b"\1"), "control bytes", None),
    ("photo.csv", b"\x89PNG\r\n\x1a\n" + MAZE, "this is a picture", None),
    ("table.xls", b"<html><table><tr><td>ID</td></tr></table></html>", "a web page or XML", None),
    ("leads.csv", b'[{"id": 1}]', "this is JSON", None),
    ("zip.csv", b"PK\x03\x04" + MAZE, "a damaged workbook", None),
    ("ole.xls", OLE + MAZE, "a damaged XLS", None),
    ("leads.parquet", b"PAR1" + MAZE, "damaged Parquet", None),
    ("cut.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 5_000)[:-20], "the gzip archive is damaged", None),
    ("bad gzip.csv.gz", gzip.compress(b"a,b\n1,2\n")[:-6] + b"123456", "the gzip archive is damaged", None),
    ("bomb.csv.gz", gzip.compress(b"a,b\n" + b"1,1\n" * 8_000_000, 9), "archive bomb", None),
    ("one line.csv", b"a,b\n" + b"x" * (17 << 20), "a line of over 16 MB", 2),
    ("twice.csv", b"id,name,id\n1,2,3\n", r"names \['id'\] more than once", 1),
    ("index.csv", b",a,b\n0,1,2\n", "column 1 has cells .row 2. but no name", 1),
    (
        "title.csv",
        b"Leads of March;\nid;name;city\n1;2;3\n4;5;6\n",
        "cut by semicolon, the first line has 2 cells and most rows 3; put the header first",
        1,
    ),
    ("open quote.csv", b'a,b\n1,2\n3,"x\n5,6\n', "a quote opens here and does not close", 3),
    ("huge field.csv", b'a,b\n1,"' + b"x\n" * 100_000 + b'"\n', "131,072 letters", 2),
    ("broken quote.csv", b'a,b\n"OOO "X"",2\n', "a quote inside a quoted cell is written twice", 2),
    ("two ways.csv", b"name, first;sum, rub\nIvan, P;1,5\n", "both .* cut it into a table", 1),
    ("koi8.csv", "имя,город\nИван,Казань\n".encode("koi8-r"), "looks like koi8-r; say `encoding: koi8-r`", 1),
    ("dos.csv", "имя,город\nИван,Казань\n".encode("cp866"), "looks like cp866", 1),
    ("west.csv", "name,city\nJosé,Köln\nZoë,Málaga\n".encode("cp1252"), "looks like cp1252", 2),
    ("almost utf-8.csv", "имя,город\nИван,Казань\n".encode() + b"\xff,x\n", "utf-8, but byte 0xff", 3),
    ("no cp1251.csv", "имя,город\nИван,Казань\n".encode("cp1251") + b"\x98,x\n", "byte 0x98 does not fit cp1251", 3),
    ("cut utf-16.csv", "a,b\n1,2\n".encode("utf-16")[:-1], "damaged", 2),
]


@pytest.mark.parametrize(("name", "content", "why", "row"), REFUSED_FILES, ids=[each[0] for each in REFUSED_FILES])
def test_a_file_that_would_be_guessed_at_is_refused(
    tmp_path: Path, name: str, content: bytes, why: str, row: int | None
) -> None:
    path = bytes_in(tmp_path, content, name)
    with pytest.raises(RefusedFile, match=why) as caught:
        list(open_table(path).rows())
    assert caught.value.row == row
    assert str(caught.value).startswith(f"{name}: " if row is None else f"{name}, row {row}: ")


def test_a_folder_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RefusedFile, match="this is a folder"):
        open_table(tmp_path)
    with pytest.raises(RefusedFile, match="cannot be opened: No such file"):
        open_table(tmp_path / "none.csv")


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    table = open_table(bytes_in(tmp_path, b"id;name;city\n"))
    assert table.columns == ("id", "name", "city")
    assert list(table.rows()) == []


def test_ragged_rows_stand_aside_with_their_lines(tmp_path: Path) -> None:
    path = bytes_in(tmp_path, b'a,b\n"1\n1",2\n3\n4,5,6\na,b\n7,8\n')
    assert list(open_table(path).rows()) == [
        Row(2, ("1\n1", "2")),
        BadRow(4, "1 cells where the header has 2", ("3",)),
        BadRow(5, "3 cells where the header has 2", ("4", "5", "6")),
        BadRow(6, "the header once more", ("a", "b")),
        Row(7, ("7", "8")),
    ]


def test_a_cell_under_no_name_is_not_lost(tmp_path: Path) -> None:
    """The column was empty for a thousand rows, and then it was not."""
    path = bytes_in(tmp_path, b"a,b,\n" + b"1,2,\n" * 1_500 + b"1,2,3\n")
    *rows, last = open_table(path).rows()
    assert len(rows) == 1_500
    assert last == BadRow(1_502, "cell 3 stands under no column name", ("1", "2", "3"))


def test_a_file_is_refused_before_its_first_row_is_used(tmp_path: Path) -> None:
    path = bytes_in(tmp_path, b"a,b\n" + b"1,2\n" * 50_000 + b'3,"4\n')
    with pytest.raises(RefusedFile) as caught:
        open_table(path)
    assert caught.value.row == 50_002


ENCODINGS_TO_SAY = ["koi8-r", "cp866", "iso8859-5", "mac-cyrillic", "cp1251", "utf-8", "utf-16", "utf-16-le"]


@pytest.mark.parametrize("encoding", ENCODINGS_TO_SAY)
def test_an_encoding_that_is_said_is_used(tmp_path: Path, encoding: str) -> None:
    path = bytes_in(tmp_path, "имя,город\nИван,Казань\n".encode(encoding))
    assert cells_of(path, encoding=encoding) == [("Иван", "Казань")]


def test_an_encoding_that_does_not_fit_is_refused_with_the_line(tmp_path: Path) -> None:
    path = bytes_in(tmp_path, "name\nIvan\nИван\n".encode("cp1251"))
    with pytest.raises(RefusedFile, match="byte 0xc8 does not fit utf-8") as caught:
        open_table(path, encoding="utf-8")
    assert caught.value.row == 3
    with pytest.raises(RefusedFile, match="encoding 'cp1215', which does not exist"):
        open_table(path, encoding="cp1215")


LEAD_WORDS = (
    "Иван Петров,Анна,ООО «Ромашка»,Казань,САНКТ-ПЕТЕРБУРГ,Яндекс Директ,Новая заявка,ЗАО ЭНЕРГОМАШ,Щукин Фёдор"
)


@pytest.mark.parametrize("other", ["koi8-r", "cp866", "iso8859-5"])
def test_three_rows_are_enough_to_tell_encodings_apart(other: str) -> None:
    """Of 300 tables of five cells none is taken for cp1251, and no cp1251 for the other."""
    words = [word for word in LEAD_WORDS.split(",") if "«" not in word]
    rng = random.Random(3)
    for _ in range(300):
        text = " ".join(rng.choices(words, k=5))
        assert likelihood(text.encode(other), other) > likelihood(text.encode(other), "cp1251"), text
        assert likelihood(text.encode("cp1251"), "cp1251") > likelihood(text.encode("cp1251"), other), text


# Control letters are left out: a short file full of them is refused as a binary.
LETTERS = st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\r\t", exclude_characters="\ufeff")
CELLS = st.text(LETTERS, max_size=20)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8),
    encoding=st.sampled_from(["utf-8-sig", "utf-16"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
def test_any_text_comes_back_letter_by_letter(
    tmp_path: Path, rows: list[tuple[str, str, str]], encoding: str, delimiter: str
) -> None:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    lines = [delimiter.join(map(quoted, ("a", "b", "c"))), *(delimiter.join(map(quoted, row)) for row in rows)]
    path = bytes_in(tmp_path, "\r\n".join(lines).encode(encoding))
    expected = [tuple(cell or None for cell in row) for row in rows if any(row) and row != ("a", "b", "c")]
    assert cells_of(path, delimiter=delimiter, encoding=encoding) == expected


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=300), start=st.sampled_from([b"", b"a,b\n", b"PK\x03\x04", OLE, b"PAR1", b"\x1f\x8b"])
)
def test_no_bytes_break_the_reader(tmp_path: Path, content: bytes, start: bytes) -> None:
    path = bytes_in(tmp_path, start + content)
    try:
        table = open_table(path)
        for row in table.rows():
            assert not isinstance(row, Row) or len(row.cells) == len(table.columns)
    except RefusedFile:
        pass


# Workbooks


def test_a_workbook_gives_values_under_the_rows_that_excel_shows(tmp_path: Path) -> None:
    rows: list[list[object]] = [[], ["ID", "Когда", "Сумма", "Да"], [660737, datetime(2026, 2, 1, 10, 30), 1.5, True]]
    rows += [[], ["007", date(2026, 2, 1), None, "текст"]]
    path = workbook(tmp_path / "leads.xlsx", rows)
    first, second = open_table(path).rows()
    assert first == Row(3, (660737, datetime(2026, 2, 1, 10, 30), 1.5, True))
    assert second.number == 5
    assert second.cells[0] == "007"
    assert second.cells[2:] == (None, "текст")


def test_moments_of_a_workbook_are_right_to_the_second(tmp_path: Path) -> None:
    """Excel keeps a moment as a fraction of a day, which is never quite the minute."""
    rng = random.Random(5)
    moments = [
        datetime(2026, rng.randint(1, 12), 5, rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59))
        for _ in range(500)
    ]
    path = workbook(tmp_path / "leads.xlsx", [["at"], *([at] for at in moments)])
    assert [cells[0] for cells in cells_of(path)] == moments


def test_an_old_workbook_is_read(tmp_path: Path) -> None:
    content = old_excel.xls([["ID", "Город"], ["1", "Казань"], [2.0, 3.5]])
    table = open_table(bytes_in(tmp_path, content, "leads.xls"))
    assert table.columns == ("ID", "Город")
    assert [row.cells for row in table.rows()] == [("1", "Казань"), (2, 3.5)]


def bomb(name: str = "xl/worksheets/sheet1.xml", megabytes: int = 500) -> bytes:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as part,
    ):
        for _ in range(megabytes):
            part.write(b" " * (1 << 20))
    return packed.getvalue()


def lying(content: bytes) -> bytes:
    """The same archive, whose list of contents says that each part is a kilobyte."""
    small, place = bytearray(content), content.find(b"PK\x01\x02")
    while place >= 0:
        small[place + 24 : place + 28] = struct.pack("<I", 1_000)
        place = content.find(b"PK\x01\x02", place + 4)
    return bytes(small)


def with_part(path: Path, name: str, old: bytes, new: bytes) -> bytes:
    """A workbook with one part changed."""
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as copy:
        for entry in archive.infolist():
            content = archive.read(entry)
            assert entry.filename != name or old in content
            copy.writestr(entry, content.replace(old, new) if entry.filename == name else content)
    return changed.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def hostile_workbooks(folder: Path) -> list[tuple[str, bytes, str]]:
    plain = workbook(folder / "plain.xlsx", [["id", "name"], [1, "Ivan"]])
    content = plain.read_bytes()
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(1_001):
            archive.writestr(f"{number}", "")
    return [
        ("bomb.xlsx", bomb(), "it unpacks to 500 MB"),
        ("smaller bomb.xlsx", bomb(megabytes=100), "archive bomb"),
        ("lying bomb.xlsx", lying(bomb(megabytes=100)), "a damaged workbook|without an Excel workbook"),
        ("many parts.xlsx", many.getvalue(), "1001 files in the workbook"),
        ("photos.zip", bomb("photo.bmp", 1), "a zip without an Excel workbook"),
        ("cut.xlsx", content[:-100], "a damaged workbook"),
        ("locked.xlsx", old_excel.locked_workbook(), "locked with a password"),
        ("far corner.xlsx", with_part(plain, SHEET, b'r="B2"', b'r="XFD1048576"'), "spans 17179869184 cells"),
        ("utf-16 sheet.xlsx", with_part(plain, SHEET, b"<worksheet", b"\0<worksheet"), "not written in utf-8"),
        (
            "no sheet.xlsx",
            with_part(plain, "xl/workbook.xml", b'state="visible"', b'state="hidden"'),
            "no visible sheet",
        ),
    ]


def test_hostile_workbooks_are_refused(tmp_path: Path) -> None:
    cases = hostile_workbooks(tmp_path)
    assert len(cases) == 10
    for name, content, why in cases:
        with pytest.raises(RefusedFile, match=why):
            open_table(bytes_in(tmp_path, content, name))


def test_an_old_workbook_with_a_far_corner_does_not_kill_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = old_excel._cell
    monkeypatch.setattr(old_excel, "_cell", lambda row, column, value: cell(65_535 * row, 65_535 * row, value))
    with pytest.raises(RefusedFile, match="a damaged XLS"):
        open_table(bytes_in(tmp_path, old_excel.xls([["a"], ["b"]]), "far.xls"))


def test_parquet_keeps_its_own_types(tmp_path: Path) -> None:
    columns = {
        "id": pa.array([2**60, None]),
        "name": pa.array(["Иван", "Иван"]).dictionary_encode(),
        "sum": pa.array([Decimal("1250000.50"), Decimal("0.10")], pa.decimal128(18, 2)),
        "share": pa.array([0.5, float("nan")]),
        "at": pa.array([1_770_000_000_123_456_789, None], pa.timestamp("ns", "UTC")),
        "day": pa.array([date(2026, 2, 1), None]),
        "tags": pa.array([["a", "б"], []]),
        "": pa.nulls(2),
    }
    pq.write_table(pa.table(columns), tmp_path / "leads.parquet")
    table = open_table(tmp_path / "leads.parquet")
    assert table.columns == ("id", "name", "sum", "share", "at", "day", "tags")
    at = datetime(2026, 2, 2, 2, 40, 0, 123_456, tzinfo=UTC)
    assert list(table.rows()) == [
        Row(1, (2**60, "Иван", "1250000.50", 0.5, at, date(2026, 2, 1), '["a", "б"]')),
        Row(2, (None, "Иван", "0.10", None, None, None, "[]")),
    ]


def test_without_the_extra_the_refusal_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features.workbooks, "python_calamine", None)
    with pytest.raises(RefusedFile, match=r'pip install "leadloop\[excel\]"'):
        open_table(workbook(tmp_path / "leads.xlsx", [["a"], [1]]))


def test_csv_needs_neither_excel_nor_parquet(tmp_path: Path) -> None:
    path = bytes_in(tmp_path, b"a,b\n1,2\n")
    code = (
        "import sys; from features.tables import open_table; list(open_table(sys.argv[1]).rows());"
        "assert not {'pyarrow', 'pandas', 'python_calamine', 'openpyxl'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
