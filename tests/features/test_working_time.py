"""When a working deadline falls: nights, weekends, holidays, moved days and clock changes are left out."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.working_time import WorkingHours

MOSCOW = ZoneInfo("Europe/Moscow")
OFFICE = WorkingHours(MOSCOW, "RU", frozenset(range(5)), time(9), time(18))
EVERY_DAY = WorkingHours(MOSCOW, None, frozenset(range(7)), time(9), time(18))
BERLIN = WorkingHours(ZoneInfo("Europe/Berlin"), "DE", frozenset(range(5)), time(9), time(18))
NEW_YORK = WorkingHours(ZoneInfo("America/New_York"), "US", frozenset(range(5)), time(9), time(17))
OFFICES = [OFFICE, EVERY_DAY, BERLIN, NEW_YORK]

# The decrees on moved days: reference/ecosystem.md, section 1.1.
MOVED_OFF = """2024-04-29 2024-04-30 2024-05-10 2024-12-30 2024-12-31 2025-05-02 2025-05-08 2025-06-13 2025-11-03
2025-12-31 2026-01-09 2026-03-09 2026-05-11 2026-12-31""".split()
WORKING_SATURDAYS = "2024-04-27 2024-11-02 2024-12-28 2025-11-01".split()

DAYS = [
    *((day, False) for day in MOVED_OFF),
    *((day, True) for day in WORKING_SATURDAYS),
    ("2026-03-06", True),
    ("2026-03-07", False),
    ("2026-03-08", False),
    ("2026-01-01", False),
    ("2026-01-08", False),
    ("2026-01-12", True),
    ("2026-02-23", False),
    ("2026-05-01", False),
    ("2026-06-12", False),
    ("2026-11-04", False),
]


@pytest.mark.parametrize(("day", "works"), DAYS)
def test_the_office_knows_the_russian_year(day: str, works: bool) -> None:
    assert OFFICE.is_working_day(date.fromisoformat(day)) is works


def test_all_moved_days_of_three_years_are_asked_about() -> None:
    assert len(MOVED_OFF) + len(WORKING_SATURDAYS) == 18


def test_without_a_country_only_the_weekday_counts() -> None:
    assert EVERY_DAY.is_working_day(date(2026, 1, 1))
    assert not WorkingHours(MOSCOW, None, frozenset({0}), time(9), time(18)).is_working_day(date(2026, 1, 1))


DEADLINES = [  # came, working minutes, due (Moscow)
    ("2026-03-04 10:00", 15, "2026-03-04 10:15"),
    ("2026-03-04 08:00", 15, "2026-03-04 09:15"),
    ("2026-03-04 17:45", 15, "2026-03-04 18:00"),
    ("2026-03-04 17:50", 15, "2026-03-05 09:05"),
    ("2026-03-04 18:00", 15, "2026-03-05 09:15"),
    ("2026-03-04 23:59", 15, "2026-03-05 09:15"),
    ("2026-03-06 17:55", 15, "2026-03-10 09:10"),  # the 9th is moved from the 8th
    ("2025-12-30 17:50", 15, "2026-01-12 09:05"),  # the longest holidays
    ("2025-10-31 17:55", 15, "2025-11-01 09:10"),  # a working Saturday
    ("2026-03-04 10:00", 9 * 60, "2026-03-05 10:00"),
    ("2026-03-04 09:00", 3 * 9 * 60, "2026-03-06 18:00"),
]


def moscow(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


@pytest.mark.parametrize(("came", "minutes", "due"), DEADLINES)
def test_a_deadline_falls_into_working_time(came: str, minutes: int, due: str) -> None:
    deadline = OFFICE.deadline(moscow(came), timedelta(minutes=minutes))
    assert deadline == moscow(due)
    assert deadline.tzinfo is MOSCOW


def test_the_zone_of_the_question_does_not_matter() -> None:
    came = moscow("2026-03-04 17:50")
    zones = (UTC, ZoneInfo("Asia/Vladivostok"), ZoneInfo("America/New_York"))
    assert len({OFFICE.deadline(came.astimezone(zone), timedelta(minutes=15)) for zone in zones}) == 1


def test_a_clock_change_makes_no_hour_longer() -> None:
    """A night shift in Berlin: the clock jumps from 2 to 3 on 29 March 2026, and falls back on 25 October."""
    night = WorkingHours(ZoneInfo("Europe/Berlin"), None, frozenset(range(7)), time(0), time(6))
    spring, autumn = (datetime(2026, *day, tzinfo=night.zone) for day in ((3, 29), (10, 25)))
    assert night.deadline(spring, timedelta(hours=4)).astimezone(UTC) - spring == timedelta(hours=4)
    assert night.deadline(spring, timedelta(hours=4)).hour == 5
    assert night.deadline(autumn, timedelta(hours=4)).hour == 3
    assert night.deadline(spring, timedelta(hours=6)).date() == date(2026, 3, 30)  # that night had five hours


BEGIN, END = datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2035-12-31")
moments = st.datetimes(BEGIN, END, timezones=st.just(UTC))
stretches = st.timedeltas(timedelta(0), timedelta(days=5))


@given(start=moments, working_time=stretches, office=st.sampled_from(OFFICES))
def test_a_deadline_is_never_in_closed_hours_and_never_in_the_past(
    start: datetime, working_time: timedelta, office: WorkingHours
) -> None:
    deadline = office.deadline(start, working_time)
    assert deadline >= start + working_time
    assert office.is_working_day(deadline.date())
    assert office.opens <= deadline.time() <= office.closes


@given(start=moments, first=stretches, second=stretches, office=st.sampled_from(OFFICES))
def test_more_work_and_a_later_start_never_end_sooner(
    start: datetime, first: timedelta, second: timedelta, office: WorkingHours
) -> None:
    assert office.deadline(start, first) <= office.deadline(start, first + second)
    assert office.deadline(start, first) <= office.deadline(start + second, first)


@given(start=moments, first=stretches, second=stretches, office=st.sampled_from(OFFICES))
def test_two_stretches_of_work_are_as_long_as_one(
    start: datetime, first: timedelta, second: timedelta, office: WorkingHours
) -> None:
    assert office.deadline(office.deadline(start, first), second) == office.deadline(start, first + second)


NO_OFFICE = [  # what is wrong, opens, closes, days, country
    ("leave no time", time(18), time(9), range(5), "RU"),
    ("leave no time", time(9), time(9), range(5), "RU"),
    ("leave no time", time(9), time(18), (), "RU"),
    ("holidays of country 'Россия' are not known", time(9), time(18), range(5), "Россия"),
    ("holidays of country '' are not known", time(9), time(18), range(5), ""),
]


@pytest.mark.parametrize(("why", "opens", "closes", "days", "country"), NO_OFFICE)
def test_an_office_that_never_works_is_refused(why: str, opens: time, closes: time, days: range, country: str) -> None:
    with pytest.raises(ValueError, match=why):
        WorkingHours(MOSCOW, country, frozenset(days), opens, closes)
