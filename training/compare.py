"""Champion, challenger and baselines side by side on the same latest leads, with intervals and a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics import METRICS, auc, calibration_error, difference, interval, log_loss, measure

Array = NDArray[np.float64]

FEW = 100  # leads: a comparison on fewer could not tell a good challenger from a bad one
WORSE_BY = (
    0.005  # log loss per lead and AUC: what nobody would notice in a day of calls (reference/reliability.md, 3.3)
)
ECE_LIMIT = 0.05  # on a few hundred leads a perfectly calibrated model shows up to 0.04 by chance


@dataclass(frozen=True)
class Contender:
    """A row of the comparison: its probabilities for the same leads."""

    name: str
    p: Array


@dataclass(frozen=True)
class Comparison:
    """What the judged leads say: metrics by contender, and why the challenger may or may not be promoted."""

    leads: int
    metrics: Mapping[str, Mapping[str, float]]
    intervals: Mapping[str, tuple[float, float]]  # 95%, of each contender's log loss
    objections: Sequence[str]
    notes: Sequence[str] = field(default=())

    @property
    def promote(self) -> bool:
        return not self.objections

    def to_json(self) -> dict[str, Any]:
        return {
            "leads": self.leads,
            "metrics": {name: dict(found) for name, found in self.metrics.items()},
            "log_loss_intervals": {name: list(ends) for name, ends in self.intervals.items()},
            "promote": self.promote,
            "objections": list(self.objections),
            "notes": list(self.notes),
        }


def compare(y: Array, challenger: Contender, champion: Contender | None, baselines: Sequence[Contender]) -> Comparison:
    """Compares on outcomes `y` (0 or 1) of leads that none of the contenders has seen."""
    contenders = [challenger, *([champion] if champion else []), *baselines]
    broken = [c.name for c in contenders if not np.isfinite(c.p).all()]
    if broken:
        return Comparison(len(y), {}, {}, [f"{', '.join(broken)} gave probabilities that are not numbers"])
    rules = (_enough, _calibrated, _not_worse_than_prior, _not_worse_than_champion)
    objections = [why for rule in rules if (why := rule(y, challenger, champion, baselines))]
    return Comparison(
        leads=len(y),
        metrics={c.name: measure(y, c.p) for c in contenders},
        intervals={c.name: interval(log_loss, y, c.p) for c in contenders},
        objections=objections,
    )


def _enough(
    y: Array, _challenger: Contender, champion: Contender | None, _baselines: Sequence[Contender]
) -> str | None:
    """To replace a champion takes enough leads; where nobody serves yet, whoever is sound is better than nobody."""
    if champion is None or len(y) >= FEW:
        return None
    return f"only {len(y)} leads to compare on, at least {FEW} are needed"


def _calibrated(
    y: Array, challenger: Contender, _champion: Contender | None, _baselines: Sequence[Contender]
) -> str | None:
    found = calibration_error(y, challenger.p)
    noise = 2 * np.sqrt(np.mean(challenger.p * (1 - challenger.p)) * 15 / max(len(y), 1))  # two sd of a bin's rate
    limit = max(ECE_LIMIT, float(noise))
    return None if found <= limit else f"calibration error {found:.3f} is over {limit:.3f}"


def _not_worse_than_prior(
    y: Array, challenger: Contender, _champion: Contender | None, baselines: Sequence[Contender]
) -> str | None:
    prior = next(b for b in baselines if b.name == "prior")
    gain, _, high = difference(y, challenger.p, prior.p)
    worse = high < 0 or gain < -WORSE_BY
    return f"log loss is {-gain:.4f} per lead above the prior's" if worse else None


def _not_worse_than_champion(
    y: Array, challenger: Contender, champion: Contender | None, _baselines: Sequence[Contender]
) -> str | None:
    if champion is None:
        return None
    gain, low, _ = difference(y, challenger.p, champion.p)
    if low < -WORSE_BY:
        return f"it may lose {-low:.4f} of log loss per lead to the champion (measured {-gain:+.4f})"
    lost = auc(y, champion.p) - auc(y, challenger.p)
    return f"its AUC is {lost:.3f} below the champion's" if lost > WORSE_BY else None


def table(comparison: Comparison) -> list[list[str]]:
    """Rows for a person: contender, metrics, log loss with its interval; the header first."""
    header = ["", *(metric.name for metric in METRICS), "log loss, 95%"]
    rows = [
        [
            name,
            *(f"{found[metric.name]:.4f}" for metric in METRICS),
            "{:.4f} to {:.4f}".format(*comparison.intervals[name]),
        ]
        for name, found in comparison.metrics.items()
    ]
    return [header, *rows]
