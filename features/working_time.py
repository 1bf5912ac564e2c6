"""Opening hours, public holidays and moved days: when does a working deadline fall?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

LONGEST_CLOSED = 30  # days; Russia's longest stretch of holidays has 12, a longer one is a mistake in the settings


@dataclass(frozen=True)
class WorkingHours:
    """When the office works. `days` are weekdays (Monday is 0); moved working Saturdays of the country count too."""

    zone: ZoneInfo
    country: str | None
    days: frozenset[int]
    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens >= self.closes or not self.days:
            raise ValueError(f"working hours from {self.opens} to {self.closes} on days {set(self.days)} leave no time")
        if self.country is not None:
            _calendar(self.country)

    def is_working_day(self, day: date) -> bool:
        """Whether the office works on a day.

        >>> office = WorkingHours(ZoneInfo("Europe/Moscow"), "RU", frozenset(range(5)), time(9), time(18))
        >>> office.is_working_day(date(2026, 3, 9)), office.is_working_day(date(2025, 11, 1))
        (False, True)
        """
        if self.country is None:
            return day.weekday() in self.days
        calendar = _calendar(self.country)
        moved_to_work = day.weekday() not in self.days and day.weekday() > 4 and calendar.is_working_day(day)
        return moved_to_work or (day.weekday() in self.days and day not in calendar)

    def shifts(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches of working time from `start` on, in UTC: clock changes make no wall clock time longer."""
        day = start.astimezone(self.zone).date()
        closed = 0
        while closed <= LONGEST_CLOSED:
            if not self.is_working_day(day):
                closed += 1
            else:
                closed = 0
                opens = datetime.combine(day, self.opens, self.zone).astimezone(UTC)
                closes = datetime.combine(day, self.closes, self.zone).astimezone(UTC)
                if closes > start:
                    yield max(opens, start.astimezone(UTC)), closes
            day += timedelta(days=1)
        raise ValueError(f"the office has no working day for {LONGEST_CLOSED} days after {start:%Y-%m-%d}")

    def deadline(self, start: datetime, working_time: timedelta) -> datetime:
        """The moment at which `working_time` has passed since `start`, nights and holidays left out.

        >>> office = WorkingHours(ZoneInfo("Europe/Moscow"), "RU", frozenset(range(5)), time(9), time(18))
        >>> friday = datetime(2026, 3, 6, 17, 55, tzinfo=office.zone)
        >>> office.deadline(friday, timedelta(minutes=15)).isoformat()
        '2026-03-10T09:10:00+03:00'
        """
        left = working_time
        for opens, closes in self.shifts(start):
            if opens + left <= closes:
                return (opens + left).astimezone(self.zone)
            left -= closes - opens
        raise AssertionError("shifts either go on or raise")


@lru_cache(maxsize=8)
def _calendar(country: str) -> holidays.HolidayBase:
    """The holidays of a country; ValueError where there is none of that name.

    The years around now are filled at once: filled on demand, a year would look free of holidays to a second thread.
    """
    this_year = datetime.now(UTC).year
    try:
        return holidays.country_holidays(country, years=range(this_year - 3, this_year + 4))
    except NotImplementedError as error:
        raise ValueError(f"the holidays of country {country!r} are not known; expected ISO letters like RU") from error
