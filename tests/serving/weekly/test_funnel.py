"""Everyone who entered is counted, and a young week is compared with weeks of its own age."""

import random
from datetime import UTC, timedelta

import pytest
from sqlalchemy import text

from serving.weekly.funnel import count_funnel


def reached(row):
    return {stage.stage.value: stage.reached.now.count for stage in row.stages}


def test_everyone_who_entered_is_counted_at_the_furthest_stage(company, week):
    company.lead("2026-11-09")
    company.lead("2026-11-10", lost="2026-11-11")
    company.lead("2026-11-10", qualified="2026-11-11")
    company.lead("2026-11-11", qualified="2026-11-11", meeting="2026-11-12", lost="2026-11-13")
    company.lead("2026-11-12", won="2026-11-13")  # bought at once: it passed every stage
    company.lead("2026-11-12", meeting="2026-11-13", qualified="2026-11-14")  # moved back: it has been at a meeting
    funnel = count_funnel(week, company.store, week.end)
    assert funnel.overall.leads == 6
    assert reached(funnel.overall) == {"qualified": 4, "meeting": 3, "proposal": 1, "won": 1}
    assert {stage.reached.now.of for stage in funnel.overall.stages} == {6}


def test_the_last_minute_of_sunday_is_in_and_the_first_of_monday_is_not(company, week):
    company.lead("2026-11-08T23:59")
    company.lead("2026-11-09T00:00")
    company.lead("2026-11-15T23:59")
    company.lead("2026-11-16T00:00")
    assert count_funnel(week, company.store, week.end).overall.leads == 2


def test_what_a_lead_did_later_does_not_make_the_old_week_look_better(company, week):
    """Every week's leads are qualified three days after their week ended: on Monday no week has any."""
    for ago in range(9):
        monday = week.before(ago).monday
        created, later = str(monday), str(monday + timedelta(days=10))
        company.lead(created, qualified=later)
    on_monday = count_funnel(week, company.store, week.end + timedelta(hours=9))
    assert (on_monday.overall.stages[0].reached.now.count, on_monday.overall.stages[0].reached.before.count) == (0, 0)

    in_a_week = count_funnel(week, company.store, week.end + timedelta(days=7))
    assert (in_a_week.overall.stages[0].reached.now.count, in_a_week.overall.stages[0].reached.before.count) == (1, 8)


def test_a_week_that_still_runs_is_compared_with_as_many_days_of_the_others(company, week):
    for ago in range(9):
        monday = week.before(ago).monday
        company.lead(str(monday))
        if ago:
            company.lead(str(monday + timedelta(days=5)))
    funnel = count_funnel(week, company.store, week.start + timedelta(days=3))
    assert (funnel.overall.leads, funnel.overall.leads_before) == (1, (1,) * 8)


def test_young_leads_are_marked_and_lost_ones_are_not_waited_for(company, week):
    company.lead("2026-11-09")
    company.lead("2026-11-10", lost="2026-11-11")
    company.lead("2026-11-10", lost="2026-11-11", reopened="2026-11-12")
    company.lead("2026-11-10", qualified="2026-11-11")
    young = count_funnel(week, company.store, week.end)
    assert not young.is_ripe
    assert [stage.open for stage in young.overall.stages] == [2, 3, 3, 3]
    ripe = count_funnel(week, company.store, week.end + timedelta(days=90))
    assert ripe.is_ripe
    assert [stage.open for stage in ripe.overall.stages] == [0, 0, 0, 0]


def test_what_leads_become_in_the_end_is_told_by_ripe_weeks_only(company, week):
    company.lead("2026-08-11", won="2026-10-20")  # of the latest week that is 90 days old
    company.lead("2026-08-11", won="2026-11-15")  # bought when its week was older than 90 days
    company.lead("2026-09-30", won="2026-10-01")  # too young to tell
    funnel = count_funnel(week, company.store, week.end)
    won = funnel.overall.stages[-1]
    assert (won.ripe.count, won.ripe.of) == (1, 2)


def test_a_young_company_has_no_weeks_to_compare_with(company, week):
    company.lead("2026-11-03")  # Tuesday of the week before: that week is not told whole
    company.lead("2026-11-10")
    funnel = count_funnel(week, company.store, week.end)
    assert (funnel.weeks_before, funnel.ripe_weeks, funnel.overall.leads_change) == (0, 0, None)
    assert all(stage.reached.change is None and stage.ripe is None for stage in funnel.overall.stages)


def test_sources_and_managers_add_up_to_all(company, week):
    for number in range(30):
        source = (None, "Ads", "SEO")[number % 3]
        stages = {"qualified": "2026-11-11"} if number % 2 else {}
        company.lead("2026-11-10", source=source, manager=("Anna", None)[number % 2], **stages)
    company.lead("2026-11-03", source="Gone")  # the source that has fallen silent is shown as well
    company.lead("2026-11-02", source="Gone")
    funnel = count_funnel(week, company.store, week.end)
    for rows in (funnel.by_source, funnel.by_manager):
        assert sum(row.leads for row in rows) == funnel.overall.leads == 30
        assert sum(reached(row)["qualified"] for row in rows) == reached(funnel.overall)["qualified"] == 15
    assert [(row.name, row.leads) for row in funnel.by_source] == [("Ads", 10), ("SEO", 10), ("Gone", 0), (None, 10)]


COUNT_IN_SQL = """
SELECT count(DISTINCT leads.lead_id) FROM leads JOIN events ON events.lead_id = leads.lead_id
WHERE leads.created_at >= :start AND leads.created_at < :end AND events.at < :seen
  AND (events.stage IN ('meeting', 'proposal', 'won', 'repeat') OR events.kind IN ('meeting', 'proposal', 'won'))
"""


@pytest.mark.parametrize("seed", range(3))
def test_the_totals_are_the_same_when_sql_counts_them(company, week, seed):
    luck = random.Random(seed)
    for _ in range(60):
        day = week.monday + timedelta(days=luck.randrange(-10, 9))
        names = luck.sample(["qualified", "meeting", "proposal", "won", "lost"], luck.randrange(4))
        company.lead(str(day), **{name: str(day + timedelta(days=luck.randrange(6))) for name in names})
    funnel = count_funnel(week, company.store, week.end)
    assert (
        reached(funnel.overall)["meeting"] == counted(company.store, start=week.start, end=week.end, seen=week.end) > 0
    )


def counted(store, **moments):
    utc = {name: moment.astimezone(UTC) for name, moment in moments.items()}
    if store.engine.dialect.name == "sqlite":  # it keeps moments as text in UTC
        utc = {name: moment.strftime("%Y-%m-%d %H:%M:%S.%f") for name, moment in utc.items()}
    with store.engine.connect() as connection:
        return connection.execute(text(COUNT_IN_SQL), utc).scalar_one()
