"""What the first three sentences say: what changed most, where most losses lie, what to do."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from serving.weekly.funnel import Funnel
from serving.weekly.rates import Change, Compared, Z
from serving.weekly.reasons import UNKNOWN, LossReasons, OwnerRow, ReasonRow

LEADS = "leads"


@dataclass(frozen=True)
class Changed:
    """The most prominent change; `name` is a stage or a reason, `share` is missing where leads were counted."""

    kind: Literal["leads", "stage", "reason"]
    name: str
    change: Change
    share: Compared | None


@dataclass(frozen=True)
class Headlines:
    """Each is missing where there is nothing to say.

    `second_owner` is set where it cannot be told which of two owners has more of the losses.
    """

    changed: Changed | None
    compared: int  # how many numbers were looked at to find the change
    owner: OwnerRow | None
    second_owner: OwnerRow | None
    owners_top_reason: ReasonRow | None
    act_on: ReasonRow | None


def find_headlines(funnel: Funnel, losses: LossReasons) -> Headlines:
    changes = list(_changes(funnel, losses))
    first, second = _leading_owners(losses)
    return Headlines(
        changed=max(changes, key=lambda each: (each.change.beyond_chance, each.change.size), default=None),
        compared=len(changes),
        owner=first,
        second_owner=second,
        owners_top_reason=next((row for row in _met(losses) if first and row.owner == first.owner), None),
        act_on=next(iter(_met(losses)), None),
    )


def _changes(funnel: Funnel, losses: LossReasons) -> Iterator[Changed]:
    if funnel.overall.leads_change:
        yield Changed("leads", LEADS, funnel.overall.leads_change, None)
    for stage in funnel.overall.stages:
        if stage.reached.change:
            yield Changed("stage", stage.stage.value, stage.reached.change, stage.reached)
    for row in losses.reasons:
        if row.share.change:
            yield Changed("reason", row.reason, row.share.change, row.share)


def _leading_owners(losses: LossReasons) -> tuple[OwnerRow | None, OwnerRow | None]:
    """The owner of most losses, and the next one where chance may have put them in this order."""
    rows = [row for row in losses.owners if row.owner != UNKNOWN and row.share.now.count]
    if not rows:
        return None, None
    if len(rows) > 1 and _may_be_chance(rows[0].share.now.count, rows[1].share.now.count):
        return rows[0], rows[1]
    return rows[0], None


def _may_be_chance(more: int, less: int) -> bool:
    """Whether two counts of the same notes differ by no more than a fair coin would make them."""
    return (more - less) / math.sqrt(more + less) < Z


def _met(losses: LossReasons) -> Iterator[ReasonRow]:
    return (row for row in losses.named if row.share.now.count)
