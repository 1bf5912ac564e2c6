"""A share comes with its interval, and a change is called one only when luck does not explain it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.weekly.rates import CHANCE, Share, change_of_count, compare, judge

WILSON = [  # count, of, interval as scipy 1.17 gives it: binomtest(…).proportion_ci(method="wilson")
    (0, 10, 0.0, 0.277533),
    (1, 10, 0.017876, 0.404150),
    (5, 10, 0.236593, 0.763407),
    (10, 10, 0.722467, 1.0),
    (30, 1000, 0.021094, 0.042503),
]


@pytest.mark.parametrize(("count", "of", "low", "high"), WILSON)
def test_the_interval_is_wilsons(count, of, low, high):
    assert Share(count, of).interval == pytest.approx((low, high), abs=1e-6)


@given(of=st.integers(0, 10**7), part=st.floats(0, 1))
def test_a_share_lies_in_its_interval(of, part):
    share = Share(round(of * part), of)
    low, high = share.interval
    assert 0 <= low <= (share.rate if of else low) <= high <= 1


def test_nothing_of_nothing_is_no_share():
    assert Share(0, 0).rate is None
    assert compare([(Share(0, 0), [Share(3, 10)])])[0].change is None
    assert compare([(Share(3, 10), [])])[0].change is None
    assert change_of_count(3, []) is None


def test_a_jump_is_seen():
    weeks = [Share(10, 100)] * 8
    table = [(Share(45, 100), weeks), (Share(11, 100), weeks)]
    jump, quiet = judge([row.change for row in compare(table)])
    assert jump.beyond_chance
    assert not quiet.beyond_chance
    assert jump.low > 0.2
    assert jump.difference == pytest.approx(0.35)


def test_a_reason_that_jumps_every_other_week_is_no_news():
    restless = [Share(5, 100), Share(45, 100)] * 4
    steady = [Share(25, 100)] * 8
    table = [(Share(48, 100), restless)]
    assert not judge([row.change for row in compare(table)])[0].beyond_chance
    assert judge([row.change for row in compare([(Share(48, 100), steady)])])[0].beyond_chance


def test_half_the_leads_is_news_where_weeks_are_alike():
    alike, unlike = [200, 210, 190, 205, 195, 200, 201, 199], [100, 300, 150, 250, 90, 310, 120, 280]
    assert judge([change_of_count(100, alike)])[0].beyond_chance
    assert not judge([change_of_count(100, unlike)])[0].beyond_chance


@pytest.mark.parametrize("unrest", [0.0, 0.3], ids=["only luck", "weeks differ by a third"])
def test_quiet_weeks_stay_quiet(unrest):
    """A table of 22 reasons gets a mark in at most 5% of weeks in which nothing changed (and 200 trials are noisy)."""
    luck = random.Random(46)
    false_alarms = sum(any(row.beyond_chance for row in quiet_week(luck, unrest) if row) for _ in range(200))
    assert false_alarms <= 200 * CHANCE + 8


def quiet_week(luck: random.Random, unrest: float):
    usual = [luck.gammavariate(0.7, 1) for _ in range(22)]
    weeks = []
    for _ in range(9):
        weights = [weight * luck.lognormvariate(0, unrest) for weight in usual]
        drawn = luck.choices(range(22), weights, k=200)
        weeks.append([Share(drawn.count(reason), 200) for reason in range(22)])
    table = [(weeks[-1][reason], [week[reason] for week in weeks[:-1]]) for reason in range(22)]
    return judge([row.change for row in compare(table)])
