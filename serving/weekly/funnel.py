"""Lead → qualified → meeting → proposal → won: the leads of the week against those of the weeks before, at one age.

A young cohort has always got less far than an old one. So every cohort is looked at as long after its own week as this
one is now; and what leads become in the end is shown by the latest cohorts that have outlived the horizon.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from features.outcomes import HORIZON
from features.records import Stage
from features.store import Store
from serving.weekly.queries import SHOWN_STAGES, LeadGroup, first_lead, leads_created
from serving.weekly.rates import CHANCE, HEADLINE_CHANCE, Change, Compared, Share, change_of_count, compare, judge
from serving.weekly.week import Week

TICK = timedelta(microseconds=1)  # what happened at the snapshot itself is seen
WEEKS_BEFORE = 8  # two months: long enough for a steady mean, short enough that the season is the same

Cohort = Counter[LeadGroup]
_BEYOND_LEAD = range(1, len(SHOWN_STAGES))  # every lead is a lead


@dataclass(frozen=True)
class FunnelStage:
    """How many of a group's leads reached a stage or a later one.

    `reached` compares cohorts at one age; `open` counts the leads of the week that may still reach it; `ripe` is what
    the latest ripe cohorts reached in the end, missing while the company is younger than the horizon.
    """

    stage: Stage
    reached: Compared
    open: int
    ripe: Share | None


@dataclass(frozen=True)
class FunnelRow:
    """One group of leads: of a source or a manager (`name` is None where the CRM names none), or all of them."""

    name: str | None
    leads: int
    leads_before: tuple[int, ...]
    leads_change: Change | None
    stages: tuple[FunnelStage, ...]


@dataclass(frozen=True)
class Funnel:
    """The funnel of the leads created in a week, seen until a moment."""

    seen_until: datetime
    is_ripe: bool
    horizon: timedelta
    weeks_before: int
    ripe_weeks: int
    overall: FunnelRow
    by_source: tuple[FunnelRow, ...]
    by_manager: tuple[FunnelRow, ...]


@dataclass(frozen=True)
class _Cohorts:
    """The counted leads of this week, of the weeks before (oldest first), and of the latest ripe weeks."""

    now: Cohort
    before: Sequence[Cohort]
    ripe: Sequence[Cohort]

    @property
    def size(self) -> tuple[int, int]:
        """What sorts the largest first: fewer than nobody."""
        return -self.now.total(), -sum(each.total() for each in self.before)


def count_funnel(week: Week, store: Store, snapshot: datetime, horizon: timedelta = HORIZON) -> Funnel:
    """The funnel of a week as far as the records tell, which is until `snapshot`."""
    age = min(snapshot + TICK - week.end, horizon)
    with store.engine.connect() as connection:
        cohorts = _Cohorts(
            now=_seen_at(week, age, connection),
            before=[_seen_at(each, age, connection) for each in weeks_told(week, first_lead(connection))],
            ripe=_ripe(week, snapshot, horizon, connection),
        )
    is_ripe = age >= horizon
    return Funnel(
        seen_until=week.end + age,
        is_ripe=is_ripe,
        horizon=horizon,
        weeks_before=len(cohorts.before),
        ripe_weeks=len(cohorts.ripe),
        overall=_rows([(None, cohorts)], is_ripe, HEADLINE_CHANCE)[0],
        by_source=_rows(_split(cohorts, lambda group: group.source), is_ripe, CHANCE),
        by_manager=_rows(_split(cohorts, lambda group: group.manager), is_ripe, CHANCE),
    )


def weeks_told(week: Week, first: datetime | None, weeks: int = WEEKS_BEFORE) -> list[Week]:
    """Those of the weeks before that the records tell whole, oldest first; before the first record none is empty."""
    if first is None:
        return []
    before = (week.before(ago) for ago in range(weeks, 0, -1))
    return [each for each in before if first < each.start + timedelta(days=1)]


def _seen_at(week: Week, age: timedelta, connection: Connection) -> Cohort:
    seen_until = week.end + age
    return leads_created(connection, week.start, min(week.end, seen_until), seen_until)


def _ripe(week: Week, snapshot: datetime, horizon: timedelta, connection: Connection) -> list[Cohort]:
    latest = Week.containing(min(snapshot - horizon, week.start), week.zone).before(1)
    weeks = [*weeks_told(latest, first_lead(connection), WEEKS_BEFORE - 1), latest]
    cohorts = [leads_created(connection, each.start, each.end, each.end + horizon, undated=True) for each in weeks]
    return cohorts if any(cohorts) else []


def _split(cohorts: _Cohorts, name_of: Callable[[LeadGroup], str | None]) -> list[tuple[str | None, _Cohorts]]:
    """The cohorts of each group that had leads in this week or the weeks before, largest first, the nameless last."""
    now, *before = (_by_name(cohort, name_of) for cohort in (cohorts.now, *cohorts.before))
    ripe = [_by_name(cohort, name_of) for cohort in cohorts.ripe]
    nobody: Cohort = Counter()
    groups = {
        name: _Cohorts(
            now.get(name, nobody),
            [each.get(name, nobody) for each in before],
            [each.get(name, nobody) for each in ripe],
        )
        for name in set().union(now, *before)
    }
    return sorted(groups.items(), key=lambda group: (group[0] is None, *group[1].size, group[0] or ""))


def _by_name(cohort: Cohort, name_of: Callable[[LeadGroup], str | None]) -> dict[str | None, Cohort]:
    split: dict[str | None, Cohort] = {}
    for group, count in cohort.items():
        split.setdefault(name_of(group), Counter())[group] += count
    return split


def _rows(groups: Sequence[tuple[str | None, _Cohorts]], is_ripe: bool, chance: float) -> tuple[FunnelRow, ...]:
    """The groups as rows of one table, whose changes are judged together."""
    table = [
        (_share(cohorts.now, rank), [_share(each, rank) for each in cohorts.before])
        for _, cohorts in groups
        for rank in _BEYOND_LEAD
    ]
    compared = compare(table)
    volumes = [change_of_count(cohorts.now.total(), [each.total() for each in cohorts.before]) for _, cohorts in groups]
    changes = judge([*volumes, *(cell.change for cell in compared)], chance)
    cells = [replace(cell, change=change) for cell, change in zip(compared, changes[len(volumes) :], strict=True)]
    wide = len(_BEYOND_LEAD)
    return tuple(
        FunnelRow(
            name,
            leads=cohorts.now.total(),
            leads_before=tuple(each.total() for each in cohorts.before),
            leads_change=changes[place],
            stages=_stages(cells[place * wide : (place + 1) * wide], cohorts, is_ripe),
        )
        for place, (name, cohorts) in enumerate(groups)
    )


def _stages(cells: Sequence[Compared], cohorts: _Cohorts, is_ripe: bool) -> tuple[FunnelStage, ...]:
    return tuple(
        FunnelStage(
            SHOWN_STAGES[rank],
            cell,
            open=0 if is_ripe else _still_open(cohorts.now, rank),
            ripe=sum((_share(each, rank) for each in cohorts.ripe), Share(0, 0)) if cohorts.ripe else None,
        )
        for rank, cell in zip(_BEYOND_LEAD, cells, strict=True)
    )


def _share(cohort: Cohort, rank: int) -> Share:
    """Who reached the stage, of everyone who entered: nobody drops out of the denominator."""
    return Share(sum(count for group, count in cohort.items() if group.stage >= rank), cohort.total())


def _still_open(cohort: Cohort, rank: int) -> int:
    return sum(count for group, count in cohort.items() if group.stage < rank and not group.closed)
