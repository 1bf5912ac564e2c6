"""Training rows in, a conversion model out: calibrated and proven on the latest leads, or the prior."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from features.outcomes import HORIZON
from features.records import Stage
from models.conversion import GOALS, ConversionModel, StageModel
from models.trees import Trees
from training.calibration import calibrate, intercept_for, jeffreys, latest_rate, like_leads
from training.metrics import difference, measure
from training.rows import Rows

Array = NDArray[np.float64]
Places = NDArray[np.int64]
Progress = Callable[[str], None]

HOLDOUT = 0.2  # the latest fifth of the leads calibrates and proves; the same share as in reference/tabular.md
ENOUGH = 25  # leads of each outcome; with fewer, trees learn the leads by heart and a hold-out proves nothing
# One-sided 90%: the gain over the prior must be this many standard errors above nothing. At 95% on half of the hold-out
# the demo company's first window, whose ranking is real, stayed unproven; a false proof costs little, as it must gain.
PROOF = 1.28

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
MANY_ROWS = (
    100_000  # below, threads wait for one another longer than they work: one is ten times faster on a busy machine
)


@dataclass(frozen=True)
class HoldOut:
    """The latest leads, at creation, with probabilities of a model that had not seen them: what comparisons rest on."""

    lead_ids: tuple[str, ...]
    y: Array
    p: Array
    prior: float  # the rate that was known before them


@dataclass(frozen=True)
class Proof:
    """What the hold-out says of one stage's ranking."""

    stage: Stage
    leads: int
    reached: int
    metrics: Mapping[str, float]
    prior_metrics: Mapping[str, float]
    gain: tuple[float, float, float]  # log loss per lead saved against the prior, with a 95% interval
    proven: bool

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "stage": self.stage.value, "gain": list(self.gain)}


@dataclass(frozen=True)
class FittedConversion:
    """A model with the hold-out of its stage `won`; there is none where too few leads are ripe to hold any out."""

    model: ConversionModel
    holdout: HoldOut | None


@dataclass(frozen=True)
class _Trial:
    """Trees of the older leads and what they say of the latest ones (`raw`, one per row of `latest`)."""

    older: Places
    latest: Places
    raw: Array


def fit_conversion(
    rows: Rows,
    *,
    seed: int = 0,
    threads: int | None = None,
    horizon_days: int = HORIZON.days,
    say: Progress = lambda _: None,
) -> FittedConversion:
    """A model of every stage that the rows know; `won` is always there, as a prior if nothing more can be said.

    The same rows and seed give the same bytes, for any number of `threads`.
    """
    threads = threads or (1 if len(rows.matrix) < MANY_ROWS else os.cpu_count() or 1)
    stages: dict[Stage, StageModel] = {}
    proofs: dict[Stage, Proof] = {}
    holdout = None
    for stage in _recorded(rows):
        known = np.flatnonzero(np.isfinite(rows.outcomes[stage]))
        say(f"{stage.value}: {int(rows.at_creation[known].sum())} ripe leads")
        trial = _try(rows, stage, known, seed, threads)
        if trial:
            holdout = _hold_out(rows, stage, trial)
            proofs[stage] = _prove(stage, holdout)
        proven = stage in proofs and proofs[stage].proven
        stages[stage] = _final(rows, stage, known, trial if proven else None, seed, threads)
    report = {
        "proofs": [proof.to_json() for proof in proofs.values()],
        "warnings": [_warning(stage, model, proofs.get(stage)) for stage, model in stages.items() if not model.proven],
        "left_out": [vars(field) for field in rows.schema.left_out],
    }
    until = rows.snapshot.isoformat() if rows.snapshot else None
    model = ConversionModel(rows.schema, stages, horizon_days, until, report)
    return FittedConversion(model, holdout if Stage.WON in proofs else None)


def _recorded(rows: Rows) -> list[Stage]:
    """The stages that this history tells apart: one that only the next stage proves was never recorded by itself."""
    found = [Stage.WON]
    for stage in reversed(GOALS[:-1]):
        if np.nansum(rows.outcomes[stage]) >= np.nansum(rows.outcomes[found[-1]]) + ENOUGH:
            found.append(stage)
    return found[::-1]


def _try(rows: Rows, stage: Stage, known: Places, seed: int, threads: int) -> _Trial | None:
    """Trees of the older leads, looked at on the latest; None where there are too few leads to try."""
    if not rows.schema.columns:
        return None
    y = rows.outcomes[stage]
    older, latest = _by_time(rows, known)
    for part in (older, known):
        reached = y[part[rows.at_creation[part]]]
        if min(reached.sum(), (1 - reached).sum()) < ENOUGH:
            return None
    return _Trial(older, latest, _grow(rows, older, y, seed, threads).raw(rows.matrix[latest]))


def _final(rows: Rows, stage: Stage, known: Places, trial: _Trial | None, seed: int, threads: int) -> StageModel:
    """The model to serve: trees of all leads at the level of the latest, or the prior where nothing was proven."""
    y, weight = rows.outcomes[stage], rows.weight
    ripe = known[rows.at_creation[known]]
    latest = _by_time(rows, ripe)[1]
    prior = latest_rate(y[ripe], y[latest])
    if trial is None:
        return flat_model(prior, len(ripe), int(y[ripe].sum()))
    slope, intercept = calibrate(trial.raw, y[trial.latest], weight[trial.latest])
    trees = _grow(rows, known, y, seed, threads)
    level = latest_rate(y[known], y[trial.latest], weight[known], weight[trial.latest])
    score = slope * trees.raw(rows.matrix[trial.latest])
    at_creation = rows.at_creation[trial.latest]
    grid, low, high = like_leads(expit(slope * trial.raw + intercept)[at_creation], y[trial.latest][at_creation])
    return StageModel(
        prior=prior,
        ripe=len(ripe),
        reached=int(y[ripe].sum()),
        low=low,
        high=high,
        grid=grid,
        slope=slope,
        intercept=intercept_for(score, weight[trial.latest], level),
        trees=trees,
    )


def _by_time(rows: Rows, known: Places) -> tuple[Places, Places]:
    """Rows of the older leads and of the latest fifth; a lead is wholly on one side."""
    leads = np.unique(rows.lead[known])
    latest = leads[int(len(leads) * (1 - HOLDOUT)) :]
    is_latest = np.isin(rows.lead[known], latest)
    return known[~is_latest], known[is_latest]


def _grow(rows: Rows, used: Places, y: Array, seed: int, threads: int) -> Trees:
    data = lightgbm.Dataset(
        rows.matrix[used],
        y[used],
        weight=rows.weight[used],
        categorical_feature=rows.schema.categorical,
        free_raw_data=True,
        params={"verbosity": -1, "min_data_in_bin": 3},
    )
    booster = lightgbm.train({**SETTINGS, "seed": seed, "num_threads": threads}, data, TREES)
    text: str = booster.model_to_string()
    return Trees(text.replace(f"[num_threads: {threads}]", "[num_threads: 1]"))  # the same bytes for any number


def _hold_out(rows: Rows, stage: Stage, trial: _Trial) -> HoldOut:
    """The latest leads at creation, each half calibrated by the other, so that no lead judges itself.

    The prior beside them knows their mean already, which is unfair to the model and safe.
    """
    y, latest = rows.outcomes[stage], trial.latest
    first = rows.lead[latest] <= np.median(rows.lead[latest])
    p = np.empty(len(latest))
    for half in (first, ~first):
        slope, intercept = calibrate(trial.raw[~half], y[latest[~half]], rows.weight[latest[~half]])
        p[half] = expit(slope * trial.raw[half] + intercept)
    judged = rows.at_creation[latest]
    before = trial.older[rows.at_creation[trial.older]]
    return HoldOut(
        lead_ids=tuple(rows.lead_ids[lead] for lead in rows.lead[latest[judged]]),
        y=y[latest[judged]],
        p=p[judged],
        prior=latest_rate(y[before], y[latest[judged]]),
    )


def _prove(stage: Stage, holdout: HoldOut) -> Proof:
    flat = np.full(len(holdout.y), holdout.prior)
    gain, low, high = difference(holdout.y, holdout.p, flat)
    error = (high - gain) / 1.96
    both = 0 < holdout.y.sum() < len(holdout.y)
    return Proof(
        stage=stage,
        leads=len(holdout.y),
        reached=int(holdout.y.sum()),
        metrics=measure(holdout.y, holdout.p),
        prior_metrics=measure(holdout.y, flat),
        gain=(gain, low, high),
        proven=bool(both and gain > PROOF * error and np.ptp(holdout.p) > 0),
    )


def flat_model(prior: float, ripe: int, reached: int) -> StageModel:
    """The prior for everyone, with the interval of the rate."""
    low, high = jeffreys(np.array([reached]), np.array([ripe]))
    return StageModel(prior, ripe, reached, low, high, np.array([prior]), 0.0, float(logit(prior)))


def _warning(stage: Stage, model: StageModel, proof: Proof | None) -> str:
    if proof is None:
        return (
            f"{stage.value}: prior only; {model.reached} of {model.ripe} ripe leads reached it, "
            f"a ranking needs at least {ENOUGH} of each outcome among the older leads"
        )
    gain, low, high = proof.gain
    return (
        f"{stage.value}: the ranking is unproven, so prior only; on the latest {proof.leads} leads it saves "
        f"{gain:+.4f} of log loss per lead against the prior (95% {low:+.4f} to {high:+.4f})"
    )
