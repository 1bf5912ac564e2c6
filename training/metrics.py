"""How good probabilities are: each metric with its direction, unit and interval."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ECE_BINS = 15  # equal-mass bins, as in the protocol of reference/tabular.md
RESAMPLES = 200  # bootstrap draws: the ends of a 95% interval move by less than a tenth of its width
SMALLEST = 1e-15  # probabilities are cut here, so that one sure miss costs 34 and not infinity


@dataclass(frozen=True)
class Metric:
    """A figure of quality; `better` says which way is good."""

    name: str
    better: str
    of: Callable[[Array, Array], float]


def log_loss(y: Array, p: Array) -> float:
    """Mean negative log likelihood, nats per lead."""
    return float(losses(y, p).mean())


def losses(y: Array, p: Array) -> Array:
    """Log loss of each lead."""
    safe = np.clip(p, SMALLEST, 1 - SMALLEST)
    return np.asarray(-(y * np.log(safe) + (1 - y) * np.log1p(-safe)))


def brier(y: Array, p: Array) -> float:
    """Mean squared difference of probability and outcome."""
    return float(np.mean((p - y) ** 2))


def auc(y: Array, p: Array) -> float:
    """Share of (won, not won) pairs in the right order, ties half; 0.5 where there is one outcome only."""
    positives = int(y.sum())
    negatives = len(y) - positives
    if positives == 0 or negatives == 0:
        return 0.5
    _, place, counts = np.unique(p, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[place]
    return float((ranks[y == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def calibration_error(y: Array, p: Array) -> float:
    """Expected calibration error over equal-mass bins; tied probabilities share a bin.

    Source: Naeini, Cooper, Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015.
    """
    order = np.argsort(p, kind="stable")
    edges = p[order][np.linspace(0, len(p) - 1, ECE_BINS + 1).astype(int)[1:-1]]
    bins = np.searchsorted(edges, p, side="left")
    count = np.bincount(bins, minlength=ECE_BINS)
    gap = np.abs(np.bincount(bins, p - y, minlength=ECE_BINS))
    return float(gap[count > 0].sum() / len(p))


def lift(y: Array, p: Array, share: float = 0.1) -> float:
    """Rate among the top `share` of leads over the rate of all; ties count by their mean rate."""
    if y.sum() == 0:
        return 1.0
    top = max(1, round(len(y) * share))
    cut = np.sort(p)[::-1][top - 1]
    above, tied = p > cut, p == cut
    won = y[above].sum() + (top - above.sum()) * y[tied].mean()
    return float(won / top / y.mean())


METRICS = (
    Metric("auc", "higher", auc),
    Metric("log_loss", "lower", log_loss),
    Metric("brier", "lower", brier),
    Metric("ece", "lower", calibration_error),
    Metric("lift_10", "higher", lift),
)


def measure(y: Array, p: Array) -> dict[str, float]:
    """Every metric of the probabilities `p` against the outcomes `y` (0 or 1), both of shape (leads,)."""
    return {metric.name: metric.of(y, p) for metric in METRICS}


def interval(statistic: Callable[[Array, Array], float], y: Array, p: Array, seed: int = 0) -> tuple[float, float]:
    """A 95% bootstrap interval over leads (Efron 1979)."""
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, len(y), len(y)) for _ in range(RESAMPLES)]
    low, high = np.quantile([statistic(y[draw], p[draw]) for draw in draws], [0.025, 0.975])
    return float(low), float(high)


def difference(y: Array, p: Array, q: Array) -> tuple[float, float, float]:
    """By how much `p` loses less than `q` (log loss per lead), with a 95% interval; above zero, `p` is better."""
    gain = losses(y, q) - losses(y, p)
    error = 1.96 * gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else float("inf")
    return float(gain.mean()), float(gain.mean() - error), float(gain.mean() + error)
