"""A week starts on Monday morning of the company's clock, whatever the clocks of the servers say."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from serving.weekly.week import Week, last_full_week

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
MOMENTS = [  # a moment, the company's zone, its week
    ("2026-11-08T20:59:59Z", MOSCOW, "2026-W45"),  # Sunday, a second before midnight
    ("2026-11-08T21:00:00Z", MOSCOW, "2026-W46"),
    ("2026-11-08T21:00:00Z", ZoneInfo("Asia/Kamchatka"), "2026-W46"),
    ("2026-11-08T12:00:00Z", ZoneInfo("Asia/Kamchatka"), "2026-W46"),  # Monday there, Sunday in Moscow
    ("2027-01-01T00:00:00Z", MOSCOW, "2026-W53"),  # New Year's Day belongs to the old year's week
    ("2024-12-30T12:00:00Z", MOSCOW, "2025-W01"),
]


@pytest.mark.parametrize(("moment", "zone", "name"), MOMENTS)
def test_a_moment_lies_in_the_week_of_the_companys_clock(moment, zone, name):
    week = Week.containing(datetime.fromisoformat(moment), zone)
    assert week.name == name
    assert week.start <= datetime.fromisoformat(moment) < week.end


def test_the_week_of_a_clock_change_is_an_hour_longer():
    week = Week.named("2026-W43", BERLIN)  # clocks go back on 25 October
    length = week.end.astimezone(ZoneInfo("UTC")) - week.start.astimezone(ZoneInfo("UTC"))
    assert length == timedelta(days=7, hours=1)


def test_weeks_follow_each_other_without_a_gap(week):
    assert [week.before(ago).name for ago in (2, 1, 0, -1)] == ["2026-W44", "2026-W45", "2026-W46", "2026-W47"]
    assert week.before(1).end == week.start


@pytest.mark.parametrize("name", ["2026-46", "W46", "2026-W60", "2025-W53", "", "2026-W46 or so"])
def test_a_week_that_does_not_exist_is_refused_by_its_name(name):
    with pytest.raises(ValueError, match="is no week"):
        Week.named(name, MOSCOW)


LATEST = [  # the last thing that happened, now, the week to review
    ("2026-11-15T20:00", "2026-11-16T07:00", "2026-W46"),  # quiet Sunday evening, the cron line of Monday
    ("2026-11-13T18:00", "2026-11-16T07:00", "2026-W46"),  # nobody works at weekends
    ("2026-11-16T08:00", "2026-11-16T09:00", "2026-W46"),
    ("2026-11-12T18:00", "2026-11-12T19:00", "2026-W45"),  # in the middle of a week: the one before
    ("2026-11-14T12:00", "2026-11-14T13:00", "2026-W45"),
    ("2026-11-11T12:00", "2026-12-20T07:00", "2026-W45"),  # an old export that ends on a Wednesday
    ("2026-11-16T09:00", "2025-01-01T00:00", "2026-W46"),  # records of the future are believed: the demo company
]


@pytest.mark.parametrize(("snapshot", "now", "name"), LATEST)
def test_the_latest_full_week(snapshot, now, name):
    moments = (datetime.fromisoformat(moment).replace(tzinfo=MOSCOW) for moment in (snapshot, now))
    assert last_full_week(*moments, MOSCOW).name == name
