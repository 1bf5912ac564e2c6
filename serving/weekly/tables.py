"""The review's tables as CSV: codes and plain numbers for a spreadsheet, and no cell that it would run as a formula."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from serving.web.format import visible
from serving.weekly.funnel import FunnelRow
from serving.weekly.rates import Change, Compared, Share
from serving.weekly.reasons import LossRow, owner_of
from serving.weekly.review import Review

Cell = str | int | float | bool | None
Row = Sequence[Cell]

FORMULA = tuple("=+-@\t\r\0＝＋－＠")  # what a spreadsheet takes as the beginning of a formula
WHOLE_NAME = 250  # letters; names are cut at 200 when they come

_SHARE = ("count", "of", "share", "low", "high")
_COMPARED = (*_SHARE, "count_before", "of_before", "share_before", "difference", "difference_low", "difference_high")


def tables(review: Review) -> dict[str, str]:
    """The text of each CSV file by its name."""
    losses = review.losses
    made: dict[str, tuple[Row, Iterator[Row]]] = {
        "funnel": (
            ("group", "name", "stage", *_COMPARED, "beyond_chance", "not_ripe", "ripe_count", "ripe_of"),
            _funnel(review),
        ),
        "reasons": (
            ("reason", "owner", *_COMPARED, "beyond_chance"),
            ((row.reason, row.owner, *_compared(row.share)) for row in losses.reasons),
        ),
        "owners": (
            ("owner", *_COMPARED, "beyond_chance"),
            ((row.owner, *_compared(row.share)) for row in losses.owners),
        ),
        "losses": (("group", "name", "reason", "owner", *_SHARE), _losses(review)),
    }
    return {f"{review.week.name}.{name}.csv": _csv(head, rows) for name, (head, rows) in made.items()}


def _funnel(review: Review) -> Iterator[Row]:
    yield from _funnel_rows("all", [review.funnel.overall])
    yield from _funnel_rows("source", review.funnel.by_source)
    yield from _funnel_rows("manager", review.funnel.by_manager)


def _funnel_rows(group: str, rows: Sequence[FunnelRow]) -> Iterator[Row]:
    for row in rows:
        leads = Compared(
            Share(row.leads, row.leads), tuple(Share(week, week) for week in row.leads_before), row.leads_change
        )
        yield (group, row.name, "lead", *_compared(leads), 0, None, None)
        for stage in row.stages:
            ripe = (stage.ripe.count, stage.ripe.of) if stage.ripe else (None, None)
            yield (group, row.name, stage.stage.value, *_compared(stage.reached), stage.open, *ripe)


def _losses(review: Review) -> Iterator[Row]:
    groups = {
        "stage": review.losses.by_stage,
        "source": review.losses.by_source,
        "crm_reason": review.losses.by_crm_reason,
    }
    for group, rows in groups.items():
        for row in rows:
            yield from _loss_rows(group, row, review)


def _loss_rows(group: str, row: LossRow, review: Review) -> Iterator[Row]:
    for reason, count in row.reasons:
        yield (group, row.name, reason, owner_of(reason, review.taxonomy), *_share(Share(count, row.notes)))


def _compared(compared: Compared) -> Row:
    return (*_share(compared.now), *_share(compared.before)[:3], *_change(compared.change))


def _share(share: Share) -> Row:
    low, high = share.interval
    known = share.rate is not None
    return share.count, share.of, *(_rounded(number) if known else None for number in (share.rate, low, high))


def _change(change: Change | None) -> Row:
    if change is None:
        return None, None, None, None
    return _rounded(change.difference), _rounded(change.low), _rounded(change.high), change.beyond_chance


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)


def _csv(head: Row, rows: Iterator[Row]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cell(cell: Cell) -> Cell:
    """Numbers are ours and stay numbers; a text of somebody else never begins like a formula.

    >>> [_cell(cell) for cell in ("=cmd|' /C calc'!A1", ' "+7 912', "Дорого", -0.25, True)]
    ["'=cmd|' /C calc'!A1", '\\'"+7 912', 'Дорого', -0.25, 'yes']
    """
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if not isinstance(cell, str):
        return cell
    shown = visible(cell, WHOLE_NAME)
    return f"'{shown.strip()}" if shown.lstrip(" \"'").startswith(FORMULA) else shown
