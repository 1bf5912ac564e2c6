"""One cell → a moment or a day; 01.02 is never taken for 02.01: what could be both is not read."""

import re
from collections.abc import Iterable, Set
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Literal, cast

from features.rows import Cell

DateOrder = Literal["dmy", "mdy", "ymd"]
DateProof = Literal["dmy", "mdy", "ymd", "unclear"]
_ORDERS: tuple[DateOrder, ...] = ("dmy", "mdy", "ymd")

FIRST_YEAR, LAST_YEAR = 1970, 2100  # no CRM knows a moment outside of them: a typing error, or an empty date of 1C

_MONTH_WORDS = "янв jan,фев feb,мар mar,апр apr,май мая may,июн jun,июл jul,авг aug,сен sep,окт oct,ноя nov,дек dec"
_MONTHS = {start: month for month, words in enumerate(_MONTH_WORDS.split(","), start=1) for start in words.split()}
_CLOCK = (
    r"(?:(?:,?\s+(?:в\s+|at\s+)?|T)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<part>\d{1,9}))?)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?\s?(?P<offset>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?"
)
_YEAR_SIGN = r"(?:\s?г(?:ода|\.)?)?"
_DIGITS = re.compile(rf"(?P<a>\d{{1,4}})(?P<sep>[./-])(?P<b>\d{{1,2}})(?P=sep)(?P<c>\d{{1,4}}){_YEAR_SIGN}{_CLOCK}")
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = rf"(?P<year>\d{{4}}){_YEAR_SIGN}"
_DAY_FIRST = re.compile(rf"{_DAY}[ .-](?P<month>[A-Za-zА-я]{{3,9}})\.?[ ,.-]{{1,2}}{_YEAR}{_CLOCK}")
_MONTH_FIRST = re.compile(rf"(?P<month>[A-Za-z]{{3,9}})\.? {_DAY},? {_YEAR}{_CLOCK}")
_LONGEST_MOMENT = 50  # letters


def moment(cell: Cell, order: DateOrder | None, zone: tzinfo) -> datetime | None:
    """The moment in UTC; a cell without an offset is a wall clock in `zone`.

    An hour that comes twice in autumn is its first coming; one skipped in spring is moved on by the skip.
    None where there is no moment, or the order of day and month is open.

    >>> moment("01.02.2026 10:30", None, timezone(timedelta(hours=3)))
    datetime.datetime(2026, 2, 1, 7, 30, tzinfo=datetime.timezone.utc)
    >>> moment("01/02/2026", None, UTC), moment("13/02/2026", None, UTC)
    (None, datetime.datetime(2026, 2, 13, 0, 0, tzinfo=datetime.timezone.utc))
    """
    clock = _wall_clock(cell, order)
    if clock is None:
        return None
    return (clock if clock.tzinfo else clock.replace(tzinfo=zone)).astimezone(UTC)


def day(cell: Cell, order: DateOrder | None) -> date | None:
    """The calendar day that is written, in whatever zone it was written.

    >>> day("31.12.25", None)
    datetime.date(2025, 12, 31)
    """
    clock = _wall_clock(cell, order)
    return None if clock is None else clock.date()


def date_proof(cell: Cell) -> DateProof | None:
    """Which order this cell proves; None where it is no date or names its month.

    >>> date_proof("01.02.26"), date_proof("1/13/2026"), date_proof("1/2/2026"), date_proof("2026-01-02T10:00Z")
    ('dmy', 'mdy', 'unclear', 'ymd')
    """
    written = _DIGITS.fullmatch(cell.strip()) if isinstance(cell, str) and len(cell) <= _LONGEST_MOMENT else None
    if written is None:
        return None
    possible = [order for order in _ORDERS if _in_order(written, order)]
    if written["sep"] == "." and "dmy" in possible:
        return "dmy"
    if len({_in_order(written, order) for order in possible}) > 1:
        return "unclear"
    return possible[0] if len(possible) == 1 else None  # 05/05/2026 is one day either way


def learn_date_order(cells: Iterable[Cell]) -> DateOrder | None:
    """The order of a whole column, by evidence; None where cells contradict, or none is sure.

    >>> learn_date_order(["1/2/2026", "13/2/2026"]), learn_date_order(["1/2/2026"])
    ('dmy', None)
    """
    return date_order_from({date_proof(cell) for cell in cells})


def date_order_from(proofs: Set[str | None]) -> DateOrder | None:
    """Year-first cells speak for themselves, so they contradict nothing and prove nothing about the others."""
    if {"dmy", "mdy"} <= proofs:
        return None
    day_or_month_first = [order for order in _ORDERS[:2] if order in proofs]
    if day_or_month_first:
        return day_or_month_first[0]
    return "ymd" if "ymd" in proofs and "unclear" not in proofs else None


def from_serial(days: float, day_zero: datetime) -> datetime | None:
    """Excel's day number → wall clock, to the second.

    >>> from_serial(45000.5, datetime(1899, 12, 30))
    datetime.datetime(2023, 3, 15, 12, 0)
    """
    try:
        return day_zero + timedelta(seconds=round(days * 86_400))
    except (OverflowError, ValueError):
        return None


def _wall_clock(cell: Cell, order: DateOrder | None) -> datetime | None:
    if isinstance(cell, datetime):
        found: datetime | None = cell
    elif isinstance(cell, date):
        found = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - the caller knows the zone
    elif isinstance(cell, str) and len(cell) <= _LONGEST_MOMENT:
        found = _read(cell.strip(), order)
    else:
        found = None
    return found if found and FIRST_YEAR <= found.year <= LAST_YEAR else None


def _read(text: str, order: DateOrder | None) -> datetime | None:
    if written := _DIGITS.fullmatch(text):
        return _with_clock(_calendar(written, order), written)
    if written := _DAY_FIRST.fullmatch(text) or _MONTH_FIRST.fullmatch(text):
        month = _MONTHS.get(written["month"][:3].lower())
        return _with_clock(_date(written["year"], month, written["day"]) if month else None, written)
    return None


def _calendar(written: re.Match[str], order: DateOrder | None) -> date | None:
    """Year first speaks for itself, dots mean day first; else the order must be known, or only one be possible."""
    if len(written["a"]) == 4:
        return _in_order(written, "ymd")
    if written["sep"] == ".":
        proof = date_proof(written[0])
        return _in_order(written, cast(DateOrder, proof)) if order in (None, "ymd", proof) and proof else None
    if order in ("dmy", "mdy"):
        return _in_order(written, order)
    days = {found for each in _ORDERS if (found := _in_order(written, each))}
    return days.pop() if len(days) == 1 else None


def _in_order(written: re.Match[str], order: DateOrder) -> date | None:
    a, b, c = written["a"], written["b"], written["c"]
    if order == "ymd":
        return _date(a, b, c)
    return _date(c, b, a) if order == "dmy" else _date(c, a, b)


def _date(year: str, month: str | int, day: str) -> date | None:
    if len(year) not in (2, 4) or len(day) > 2 or len(str(month)) > 2:
        return None
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None


def _with_clock(calendar: date | None, written: re.Match[str]) -> datetime | None:
    if calendar is None:
        return None
    hour = int(written["hour"] or 0)
    if written["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if written["half"] in "Pp" else 0)
    microsecond = int((written["part"] or "0")[:6].ljust(6, "0"))
    zone = _offset(written["offset"])
    try:
        return datetime(
            calendar.year, calendar.month, calendar.day, hour, int(written["minute"] or 0),
            int(written["second"] or 0), microsecond, tzinfo=zone,
        )  # fmt: skip
    except ValueError:
        return None


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in ("Z", "UTC", "GMT"):
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:] if len(text) > 3 else 0)
    return timezone(timedelta(minutes=minutes if text[0] == "+" else -minutes)) if minutes < 24 * 60 else None
