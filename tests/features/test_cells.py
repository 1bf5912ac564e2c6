"""A cell is read as the person meant it, or not at all: never 1,250 for 1.25, never 1 February for 2 January."""

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cells import learn_date_order, learn_decimal, moment, number, yes_no
from features.moments import DateOrder, date_proof, day, from_serial
from features.workbooks import DAY_ZERO_1900, DAY_ZERO_1904

MOSCOW, NEW_YORK, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")

NUMBERS = [  # typed, the column's decimal mark, meant
    ("1 250 000,50 ₽", None, 1_250_000.5),
    ("1 250 000,50 руб.", ",", 1_250_000.5),
    ("1\u00a0250\u202f000", None, None),  # two kinds of blanks in one number: a slip
    ("1\u00a0250\u00a0000", None, 1_250_000),
    ("1.250.000,50 €", None, 1_250_000.5),
    ("$1,250,000.50", None, 1_250_000.5),
    ("-$5,000", ".", -5_000),
    ("$-5,000", ".", -5_000),
    ("5000р", None, 5_000),
    ("1'250'000.50", None, 1_250_000.5),
    ("'0012", None, 12),
    ("−12,5", None, -12.5),
    ("(1 250)", None, -1_250),
    ("12,5 %", None, 0.125),
    ("+7", None, 7),
    ("0,125", None, 0.125),  # nothing groups thousands after a zero
    (".5", None, 0.5),
    ("7,91612E+10", None, 79_161_200_000),  # what Excel leaves of a phone
    ("1,250", None, None),  # a thousand, or one and a quarter?
    ("1,250", ",", 1.25),
    ("1,250", ".", 1_250),
    ("1.250", ",", 1_250),
    ("12.5", ",", None),  # against the column
    ("12 34", None, None),
    ("1,25,000", ".", None),
    ("", None, None),
    (",", None, None),
    ("5 штук", None, None),
    ("100-200", None, None),
    ("01.02.2026", None, None),
    ("+7 (916) 123-45-67", None, None),
    ("nan", None, None),
    ("inf", None, None),
    ("1e999", None, None),
    ("١٢", None, 12),  # Arabic digits are digits
    ("9" * 10_000, None, None),
    (math.inf, None, None),
    (math.nan, None, None),
    (10**400, None, None),
    (True, None, None),
    (None, None, None),
    (660_737, None, 660_737),
]


@pytest.mark.parametrize(("typed", "mark", "meant"), NUMBERS, ids=lambda value: str(value)[:20])
def test_a_number(typed: str, mark: str | None, meant: float | None) -> None:
    assert number(typed, mark) == meant  # type: ignore[arg-type]


@given(st.integers(-(10**12), 10**12), st.integers(0, 99), st.sampled_from([" ", "\u00a0", "\u202f", ".", "'", ""]))
def test_any_sum_written_the_russian_way_comes_back(rub: int, kopecks: int, group: str) -> None:
    written = f"{rub:,}".replace(",", group) + f",{kopecks:02}"
    assert number(written, ",") == (abs(rub) + kopecks / 100) * (-1 if rub < 0 else 1)
    assert number(written) in (number(written, ","), None)  # without the column's mark: the same, or unsure


@given(st.text(max_size=80) | st.floats() | st.integers())
def test_no_cell_gives_an_infinite_number(cell: object) -> None:
    for mark in (None, ".", ","):
        read = number(cell, mark)  # type: ignore[arg-type]
        assert read is None or math.isfinite(read)
    yes_no(cell)  # type: ignore[arg-type]


COLUMNS_OF_NUMBERS = [
    (["1,250", "12,5"], ","),
    (["1,250", "1,250,000"], "."),
    (["1 250,50", "300"], ","),
    (["1.5", "20", "3.667"], "."),
    (["1,250", "3,500"], None),
    (["12,5", "12.5"], None),  # two hands typed this
    (["дорого", "", "5"], None),
    ([], None),
]


@pytest.mark.parametrize(("cells", "mark"), COLUMNS_OF_NUMBERS)
def test_a_column_proves_its_decimal_mark(cells: list[str], mark: str | None) -> None:
    assert learn_decimal(cells) == mark


MOMENTS = [  # typed, known order, zone, meant
    ("01.02.2026", None, MOSCOW, datetime(2026, 1, 31, 21, tzinfo=UTC)),
    ("01.02.2026 10:30", None, MOSCOW, datetime(2026, 2, 1, 7, 30, tzinfo=UTC)),
    ("1.2.2026 9:05:07", None, UTC, datetime(2026, 2, 1, 9, 5, 7, tzinfo=UTC)),
    ("01.02.26", None, UTC, datetime(2026, 2, 1, tzinfo=UTC)),
    ("01.02.2026, 10:30", None, UTC, datetime(2026, 2, 1, 10, 30, tzinfo=UTC)),
    ("01.02.2026 в 10:30", None, UTC, datetime(2026, 2, 1, 10, 30, tzinfo=UTC)),
    ("1 февраля 2026 г.", None, UTC, datetime(2026, 2, 1, tzinfo=UTC)),
    ("1 мая 2026", None, UTC, datetime(2026, 5, 1, tzinfo=UTC)),
    ("12-Mar-2026 14:00", None, UTC, datetime(2026, 3, 12, 14, tzinfo=UTC)),
    ("March 12, 2026", None, UTC, datetime(2026, 3, 12, tzinfo=UTC)),
    ("Feb 1st, 2026 2:30 PM", None, UTC, datetime(2026, 2, 1, 14, 30, tzinfo=UTC)),
    ("2026-02-01", None, MOSCOW, datetime(2026, 1, 31, 21, tzinfo=UTC)),
    ("2026-02-01T10:30:00+05:00", None, MOSCOW, datetime(2026, 2, 1, 5, 30, tzinfo=UTC)),
    ("2026-02-01T10:30:00.123Z", None, MOSCOW, datetime(2026, 2, 1, 10, 30, 0, 123_000, tzinfo=UTC)),
    ("2026-02-01 10:30:00 UTC", None, MOSCOW, datetime(2026, 2, 1, 10, 30, tzinfo=UTC)),
    ("2026/02/01", None, UTC, datetime(2026, 2, 1, tzinfo=UTC)),
    ("2/1/2026 12:15 AM", "mdy", UTC, datetime(2026, 2, 1, 0, 15, tzinfo=UTC)),
    ("01/02/2026", "dmy", UTC, datetime(2026, 2, 1, tzinfo=UTC)),
    ("01/02/2026", "mdy", UTC, datetime(2026, 1, 2, tzinfo=UTC)),
    ("01/02/2026", None, UTC, None),  # which of the two?
    ("01-02-2026", None, UTC, None),
    ("05/05/2026", None, UTC, datetime(2026, 5, 5, tzinfo=UTC)),  # the same either way
    ("13/02/2026", None, UTC, datetime(2026, 2, 13, tzinfo=UTC)),
    ("02/13/2026", "dmy", UTC, None),  # against the column: never turned round
    ("13/02/2026", "mdy", UTC, None),
    ("01.02.2026", "mdy", UTC, None),  # dots are day first; a column of months first contradicts
    ("02.13.2026", None, UTC, datetime(2026, 2, 13, tzinfo=UTC)),
    ("25/12/24", None, UTC, None),  # Christmas, or 24 December 2025?
    ("31.02.2026", None, UTC, None),
    ("29.02.2024", None, UTC, datetime(2024, 2, 29, tzinfo=UTC)),
    ("29.02.2026", None, UTC, None),
    ("01.02.2026 25:00", None, UTC, None),
    ("01.02.2026 13:00 PM", None, UTC, None),
    ("01.02.1900", None, UTC, None),  # no CRM knows a moment of 1900
    ("01.01.0001 0:00:00", None, UTC, None),
    ("01.02/2026", None, UTC, None),
    ("20260201", None, UTC, None),
    ("45000", None, UTC, None),
    ("завтра", None, UTC, None),
    ("", None, UTC, None),
    (45_000, None, UTC, None),  # a bare number is a date in a workbook only, and the reader of workbooks says so
    (True, None, UTC, None),
    (None, None, UTC, None),
    (date(2026, 2, 1), None, MOSCOW, datetime(2026, 1, 31, 21, tzinfo=UTC)),
    (datetime(2026, 2, 1, 10, tzinfo=BERLIN), None, MOSCOW, datetime(2026, 2, 1, 9, tzinfo=UTC)),
    ("29.03.2026 02:30", None, BERLIN, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # skipped in spring: 03:30
    ("25.10.2026 02:30", None, BERLIN, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # comes twice in autumn: the first
    ("11/01/2026 01:30", "mdy", NEW_YORK, datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize(("typed", "order", "zone", "meant"), MOMENTS, ids=lambda value: str(value)[:30])
def test_a_moment(typed: str, order: DateOrder | None, zone: ZoneInfo, meant: datetime | None) -> None:
    assert moment(typed, order, zone) == meant


def test_a_day_is_the_day_that_is_written() -> None:
    assert day("31.12.2025 23:59", None) == date(2025, 12, 31)
    assert day("2025-12-31T23:59:00-08:00", None) == date(2025, 12, 31)
    assert day(date(2025, 12, 31), None) == date(2025, 12, 31)


WRITTEN = {
    "dmy": ["%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y"],
    "mdy": ["%m/%d/%Y", "%m-%d-%Y"],
    "ymd": ["%Y-%m-%d", "%Y/%m/%d"],
}


@given(st.dates(date(1970, 1, 2), date(2100, 12, 30)), st.sampled_from(sorted(WRITTEN)), st.data())
def test_any_day_in_a_known_order_comes_back(meant: date, order: DateOrder, data: st.DataObject) -> None:
    written = meant.strftime(data.draw(st.sampled_from(WRITTEN[order])))
    assert day(written, order) == meant
    assert day(written, None) in (meant, None)
    assert date_proof(written) in (order, "unclear", None)


@given(st.text(max_size=60) | st.floats() | st.integers())
def test_no_cell_breaks_the_reader_of_moments(cell: object) -> None:
    for order in (None, "dmy", "mdy", "ymd"):
        found = moment(cell, order, MOSCOW)  # type: ignore[arg-type]
        assert found is None or found.utcoffset() == timedelta(0)


COLUMNS_OF_DATES = [
    (["01/02/2026", "13/02/2026"], "dmy"),
    (["01/02/2026", "02/13/2026"], "mdy"),
    (["01.02.2026"], "dmy"),
    (["2026-01-02"], "ymd"),
    (["2026-01-02", "01/02/2026"], None),
    (["01/02/2026", "05/05/2026"], None),
    (["13/02/2026", "02/13/2026"], None),
    (["12 марта 2026", "завтра", ""], None),
    ([], None),
]


@pytest.mark.parametrize(("cells", "order"), COLUMNS_OF_DATES)
def test_a_column_proves_its_order(cells: list[str], order: str | None) -> None:
    assert learn_date_order(cells) == order


def test_day_numbers_of_both_calendars_of_excel() -> None:
    meant = datetime(2026, 2, 1, 10, 30)  # noqa: DTZ001 - a wall clock
    assert from_serial(46_054.4375, DAY_ZERO_1900) == meant
    assert from_serial(46_054.4375 - 1_462, DAY_ZERO_1904) == meant
    assert from_serial(1e300, DAY_ZERO_1900) is None


YES_NO = [
    *((cell, True) for cell in ("1", "Да", " yes ", "TRUE", "истина", 1, True)),
    *((cell, False) for cell in ("0", "нет", "No", "false", "ЛОЖЬ", 0, False)),
    *((cell, None) for cell in ("", "2", "может быть", "data", None, 0.5)),
]


@pytest.mark.parametrize(("cell", "meant"), YES_NO)
def test_yes_or_no(cell: str, meant: bool | None) -> None:
    assert yes_no(cell) is meant


def test_hostile_text_costs_no_time() -> None:
    """Ten kilobytes of anything, read as every kind: the patterns look at short text only."""
    for text in ("1" * 10_000, "1 " * 5_000, "(" * 10_000, "1,111" * 2_000, "01.02." * 1_700, " " * 10_000 + "x"):
        assert number(text) is None
        assert moment(text, None, UTC) is None
        assert yes_no(text) is None
