"""Training rows in, a conversion model out: calibrated and proven on the latest leads, or the prior."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import beta

from features.feature_schema import FeatureSchema
from features.outcomes import HORIZON
from features.records import Stage
from models.conversion import GOALS, INTERVAL, ConversionModel, StageModel
from models.trees import Trees
from training.metrics import difference, measure
from training.rows import Rows

Array = NDArray[np.float64]
Progress = Callable[[str], None]

HOLDOUT = 0.2  # the latest fifth of the leads calibrates and proves; the same share as in reference/tabular.md
ENOUGH = 25  # leads of each outcome; with fewer, trees learn the leads by heart and a hold-out proves nothing
PRIOR_STRENGTH = 50.0  # leads: how much the overall rate counts beside the latest leads' own rate
NEIGHBOURS = 100  # hold-out leads of like score behind an interval; at a rate of 10% its half width is 4 points
PROOF = 1.64  # one-sided 95%: the gain over the prior must be this many standard errors above nothing

# Strong regularisation is most of CatBoost's lead over default LightGBM (reference/tabular.md, "A first look"):
# small steps, few leaves, half of the columns a tree, and smoothed categories.
SETTINGS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "cat_smooth": 30.0,
    "cat_l2": 20.0,
    "min_data_per_group": 50,
    "max_cat_threshold": 16,
    # the same bytes on every run and for any number of threads
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
TREES = 400


@dataclass(frozen=True)
class Proof:
    """What the latest leads, unseen in fitting, say of one stage's ranking, measured at creation."""

    stage: Stage
    leads: int
    reached: int
    metrics: Mapping[str, float]
    prior_metrics: Mapping[str, float]
    gain: tuple[float, float, float]  # log loss per lead saved against the prior, with a 95% interval
    proven: bool

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "stage": self.stage.value, "gain": list(self.gain)}


def fit_conversion(
    rows: Rows, *, seed: int = 0, threads: int = 2, horizon_days: int = HORIZON.days, say: Progress = lambda _: None
) -> ConversionModel:
    """A model of every stage that the rows know; `won` is always there, as a prior if nothing more can be said."""
    stages: dict[Stage, StageModel] = {}
    proofs: list[Proof] = []
    for stage in GOALS:
        known = np.isfinite(rows.outcomes[stage])
        if stage is not Stage.WON and rows.outcomes[stage][known].sum() < ENOUGH:
            continue  # the funnel of this history does not know the stage
        say(f"stage {stage.value}: {int((known & rows.at_creation).sum())} ripe leads")
        stages[stage], proof = _fit_stage(rows, stage, seed, threads)
        proofs += [proof] if proof else []
    report = {"proofs": [proof.to_json() for proof in proofs], "warnings": _warnings(stages, proofs)}
    until = rows.snapshot.isoformat() if rows.snapshot else None
    return ConversionModel(rows.schema, stages, horizon_days, until, report)


def _fit_stage(rows: Rows, stage: Stage, seed: int, threads: int) -> tuple[StageModel, Proof | None]:
    y = rows.outcomes[stage]
    known = np.flatnonzero(np.isfinite(y))
    ripe = known[rows.at_creation[known]]
    reached = int(y[ripe].sum())
    older, latest = _by_time(rows, known)
    prior = latest_rate(y[ripe], y[latest[rows.at_creation[latest]]])
    flat = _flat(prior, len(ripe), reached)
    if min(reached, len(ripe) - reached) < ENOUGH or min(y[older].sum(), (1 - y[older]).sum()) < ENOUGH:
        return flat, None
    trial = _grow(rows, older, y, seed, threads)
    raw = trial.raw(rows.matrix[latest])
    slope, intercept = calibrate(raw, y[latest], rows.weight[latest])
    proof = _prove(rows, stage, older, latest, raw)
    if not proof.proven:
        return flat, proof
    final = _grow(rows, known, y, seed, threads)
    recent = final.raw(rows.matrix[latest])
    level = latest_rate(y[known], y[latest], rows.weight[known], rows.weight[latest])
    shift = _intercept_for(slope * recent, rows.weight[latest], level)
    grid, low, high = like_leads(expit(slope * raw + intercept), y[latest], rows.at_creation[latest])
    model = StageModel(
        prior=prior,
        ripe=len(ripe),
        reached=reached,
        low=low,
        high=high,
        grid=grid,
        slope=slope,
        intercept=shift,
        trees=final,
    )
    return model, proof


def _by_time(rows: Rows, known: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the older leads and of the latest fifth; a lead is wholly on one side."""
    leads = np.unique(rows.lead[known])
    latest = leads[int(len(leads) * (1 - HOLDOUT)) :]
    is_latest = np.isin(rows.lead[known], latest)
    return known[~is_latest], known[is_latest]


def _grow(rows: Rows, used: NDArray[np.int64], y: Array, seed: int, threads: int) -> Trees:
    data = lightgbm.Dataset(
        rows.matrix[used],
        y[used],
        weight=rows.weight[used],
        categorical_feature=rows.schema.categorical,
        free_raw_data=True,
        params={"verbosity": -1, "min_data_in_bin": 3},
    )
    booster = lightgbm.train({**SETTINGS, "seed": seed, "num_threads": threads}, data, TREES)
    return Trees(booster.model_to_string())


def calibrate(raw: Array, y: Array, weight: Array) -> tuple[float, float]:
    """Slope and intercept of log odds by weighted maximum likelihood (Platt 1999), the slope between 0 and 2.

    The targets lean on one imagined lead of each outcome, as Platt advises, so that a perfect separation stays finite.
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
    return float(found.x[0]), float(found.x[1])


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


def _intercept_for(score: Array, weight: Array, level: float) -> float:
    """The intercept at which the mean probability is `level`; found by halving, since the mean rises with it."""
    low, high = -30.0, 30.0
    for _ in range(100):
        middle = (low + high) / 2
        if np.average(expit(score + middle), weights=weight) < level:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _prove(rows: Rows, stage: Stage, older: NDArray[np.int64], latest: NDArray[np.int64], raw: Array) -> Proof:
    """Calibrates on the first half of the latest leads and measures on the second, at creation, against the prior."""
    y = rows.outcomes[stage]
    half = rows.lead[latest] <= np.median(rows.lead[latest])
    judged = ~half & rows.at_creation[latest]
    slope, intercept = calibrate(raw[half], y[latest[half]], rows.weight[latest[half]])
    p = expit(slope * raw[judged] + intercept)
    first = latest[half & rows.at_creation[latest]]
    constant = latest_rate(y[older[rows.at_creation[older]]], y[first])
    outcomes = y[latest[judged]]
    flat = np.full(len(outcomes), constant)
    gain, low, high = difference(outcomes, p, flat)
    spread = (high - gain) / 1.96
    proven = slope > 0 and gain > PROOF * spread and 0 < outcomes.sum() < len(outcomes)
    return Proof(
        stage=stage,
        leads=len(outcomes),
        reached=int(outcomes.sum()),
        metrics=measure(outcomes, p),
        prior_metrics=measure(outcomes, flat),
        gain=(gain, low, high),
        proven=bool(proven),
    )


def like_leads(p: Array, y: Array, at_creation: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """An interval for each level of probability: the 80% Jeffreys interval of the rate among leads of like score.

    At every twentieth quantile of the hold-out's probabilities its nearest leads are counted (at creation, so that no
    lead counts twice). Source: Brown, Cai, DasGupta, "Interval Estimation for a Binomial Proportion", 2001.
    """
    p, y = p[at_creation], y[at_creation]
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


def _flat(prior: float, ripe: int, reached: int) -> StageModel:
    low, high = jeffreys(np.array([reached]), np.array([ripe]))
    return StageModel(prior, ripe, reached, low, high, np.array([prior]), 0.0, float(logit(prior)))


def _warnings(stages: Mapping[Stage, StageModel], proofs: list[Proof]) -> list[str]:
    found = []
    for stage, model in stages.items():
        proof = next((proof for proof in proofs if proof.stage is stage), None)
        if proof is None:
            found.append(
                f"{stage.value}: prior only, {model.reached} of {model.ripe} ripe leads reached it; "
                f"a ranking needs at least {ENOUGH} of each outcome"
            )
        elif not proof.proven:
            found.append(
                f"{stage.value}: ranking is unproven, prior only: on the latest {proof.leads} leads it saves "
                f"{proof.gain[0]:+.4f} of log loss per lead against the prior (95% {proof.gain[1]:+.4f}…{proof.gain[2]:+.4f})"
            )
    return found


def model_of_schema_only(schema: FeatureSchema, horizon_days: int = HORIZON.days) -> ConversionModel:
    """What is said on day one, without any ripe lead: one in two, from nothing to everything."""
    return ConversionModel(schema, {Stage.WON: _flat(0.5, 0, 0)}, horizon_days, None)
