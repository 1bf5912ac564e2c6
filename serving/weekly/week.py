"""A week of the company: Monday 00:00 to Monday 00:00 on its own clock."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_NAME = re.compile(r"(\d{4})-W(\d{2})")
QUIET = timedelta(hours=60)  # from Friday noon on nothing may happen in a company that rests at weekends


@dataclass(frozen=True)
class Week:
    """An ISO week in the company's zone; its length in hours follows the clock changes."""

    monday: date
    zone: ZoneInfo

    @classmethod
    def containing(cls, moment: datetime, zone: ZoneInfo) -> "Week":
        """The week in which a moment falls on the company's clock.

        >>> Week.containing(datetime.fromisoformat("2026-11-15T22:30Z"), ZoneInfo("Europe/Moscow")).name
        '2026-W47'
        """
        day = moment.astimezone(zone).date()
        return cls(day - timedelta(days=day.weekday()), zone)

    @classmethod
    def named(cls, name: str, zone: ZoneInfo) -> "Week":
        """The week of a name like `2026-W46`; ValueError says what is wrong with another."""
        found = _NAME.fullmatch(name.strip())
        try:
            if found is None:
                raise ValueError("expected a year and an ISO week, like 2026-W46")
            return cls(date.fromisocalendar(int(found[1]), int(found[2]), 1), zone)
        except ValueError as error:
            raise ValueError(f"{name!r} is no week: {error}") from None

    @property
    def start(self) -> datetime:
        return datetime.combine(self.monday, time(), self.zone)

    @property
    def end(self) -> datetime:
        """The first moment that is no longer of this week."""
        return self.before(-1).start

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    def before(self, weeks: int) -> "Week":
        """The week that lies so many weeks earlier."""
        return Week(self.monday - timedelta(weeks=weeks), self.zone)

    @property
    def number(self) -> int:
        return self.monday.isocalendar().week

    @property
    def name(self) -> str:
        """
        >>> Week(date(2026, 12, 28), ZoneInfo("UTC")).name, Week(date(2024, 12, 30), ZoneInfo("UTC")).name
        ('2026-W53', '2025-W01')
        """
        year, number, _ = self.monday.isocalendar()
        return f"{year}-W{number:02}"


def last_full_week(snapshot: datetime, now: datetime, zone: ZoneInfo) -> Week:
    """The latest week that the records tell whole.

    The records end with the last thing that happened, which may be Friday evening: on the Monday after, that week is
    over all the same, while on Saturday it still runs. Where the records are ahead of the clock they are believed.

    >>> friday = datetime.fromisoformat("2026-11-13T18:00Z")
    >>> saturday, monday = (datetime.fromisoformat(day) for day in ("2026-11-14T10:00Z", "2026-11-16T06:00Z"))
    >>> [last_full_week(friday, now, ZoneInfo("Europe/Moscow")).name for now in (saturday, monday)]
    ['2026-W45', '2026-W46']
    """
    week = Week.containing(snapshot, zone)
    runs_still = snapshot <= now < week.end
    over = snapshot + QUIET >= week.end and not runs_still
    return week if over else week.before(1)
