"""Shares with their intervals, and whether this week differs from the weeks before by more than chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

Z = 1.959963984540054  # of a 95% interval
CHANCE = 0.05  # of calling anything in a table a change in a week in which nothing changed
HEADLINE_CHANCE = CHANCE / 2  # the first sentence of the page chooses from two tables: the funnel and the reasons


@dataclass(frozen=True)
class Share:
    """`count` of `of`, with the 95% interval of Wilson, which is right for small numbers too."""

    count: int
    of: int

    def __add__(self, other: "Share") -> "Share":
        return Share(self.count + other.count, self.of + other.of)

    @property
    def rate(self) -> float | None:
        """Missing where there is nothing to take a share of."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """
        >>> [round(bound, 3) for bound in Share(10, 100).interval], Share(0, 0).interval
        ([0.055, 0.174], (0.0, 1.0))
        """
        if not self.of:
            return 0.0, 1.0
        rate, n = self.count / self.of, self.of
        middle = (rate + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * math.sqrt(rate * (1 - rate) / n + Z**2 / (4 * n**2))
        low = 0.0 if self.count == 0 else max(0.0, middle - half)
        return low, 1.0 if self.count == n else min(1.0, middle + half)


@dataclass(frozen=True)
class Change:
    """This week minus the weeks before, its 95% interval, and the chance of so much where nothing changed.

    `beyond_chance` is set by `judge`, which looks at all changes of a table together.
    """

    difference: float
    low: float
    high: float
    p: float
    beyond_chance: bool = False

    @property
    def size(self) -> float:
        """How far from no change, in standard errors: what sorts changes of different kinds."""
        error = (self.high - self.low) / (2 * Z)
        return abs(self.low + self.high) / 2 / error if error else 0.0


@dataclass(frozen=True)
class Compared:
    """A share of this week beside the same share in each of the weeks before, oldest first."""

    now: Share
    weeks: tuple[Share, ...]
    change: Change | None = None

    @property
    def before(self) -> Share:
        return sum(self.weeks, Share(0, 0))


def compare(table: Sequence[tuple[Share, Sequence[Share]]]) -> list[Compared]:
    """Every row of a table compared with its own past; to be judged together with what else stands in the table."""
    unrest = [_restlessness(weeks) for _, weeks in table]
    usual = sum(unrest) / len(unrest) if unrest else 1.0  # of one row it is known badly, of the table well
    return [
        Compared(now, tuple(weeks), change_of_share(now, weeks, max(usual, own)))
        for (now, weeks), own in zip(table, unrest, strict=True)
    ]


def change_of_share(now: Share, weeks: Sequence[Share], restlessness: float = 1.0) -> Change | None:
    """Two shares compared as Agresti and Caffo do; missing where one of them is a share of nothing.

    `restlessness` is how many times more than chance the weeks vary by themselves (holidays, campaigns): the
    interval is widened by as much.
    """
    before = sum(weeks, Share(0, 0))
    if not now.of or not before.of:
        return None
    first, second = (now.count + 1) / (now.of + 2), (before.count + 1) / (before.of + 2)
    variance = first * (1 - first) / (now.of + 2) + second * (1 - second) / (before.of + 2)
    return _change(now.count / now.of - before.count / before.of, first - second, variance * max(1.0, restlessness))


def change_of_count(now: int, weeks: Sequence[int]) -> Change | None:
    """A count compared with the mean of the weeks before; missing where there are none."""
    if not weeks:
        return None
    mean = sum(weeks) / len(weeks)
    spread = sum((count - mean) ** 2 for count in weeks) / (len(weeks) - 1) if len(weeks) > 1 else 0.0
    variance = max(spread, mean, 1.0)  # independent leads would vary as much as their mean
    return _change(now - mean, now - mean, variance * (1 + 1 / len(weeks)))


def _change(difference: float, middle: float, variance: float) -> Change:
    error = math.sqrt(variance)
    p = math.erfc(abs(middle) / error / math.sqrt(2))
    return Change(difference, middle - Z * error, middle + Z * error, p)


def _restlessness(weeks: Sequence[Share]) -> float:
    """How many times more the weeks vary than chance alone would let them: about 1 where nothing but chance acts."""
    told = [week for week in weeks if week.of]
    whole = sum(told, Share(0, 0))
    if len(told) < 2 or whole.count in (0, whole.of):
        return 1.0
    rate = whole.count / whole.of
    chi_square = sum((week.count - week.of * rate) ** 2 / (week.of * rate * (1 - rate)) for week in told)
    return chi_square / (len(told) - 1)


def judge(changes: Sequence[Change | None], chance: float = CHANCE) -> list[Change | None]:
    """Marks the changes that are beyond chance, by Holm: in a quiet week the whole table gets a mark once in twenty.

    >>> [change.beyond_chance for change in judge([Change(0.1, 0.05, 0.15, p) for p in (0.001, 0.03, 0.02)])]
    [True, True, True]
    >>> [change.beyond_chance for change in judge([Change(0.1, 0.05, 0.15, p) for p in (0.001, 0.03, 0.04)])]
    [True, False, False]
    """
    order = sorted((change.p, place) for place, change in enumerate(changes) if change is not None)
    beyond: set[int] = set()
    for passed, (p, place) in enumerate(order):
        if p > chance / (len(order) - passed):
            break
        beyond.add(place)
    return [change and replace(change, beyond_chance=place in beyond) for place, change in enumerate(changes)]
