"""Probability to reach each stage within the horizon, calibrated, with an interval; or the prior, and it says so."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.feature_schema import FeatureSchema
from features.records import STAGES, Stage
from models.bundle import BrokenModel
from models.trees import BrokenTrees, Trees

Array = NDArray[np.float64]
GOALS = (Stage.QUALIFIED, Stage.MEETING, Stage.PROPOSAL, Stage.WON)  # what a new lead may still reach
INTERVAL = 0.80  # the share of like leads' rates that the interval is meant to hold


@dataclass(frozen=True)
class StageModel:
    """How likely one stage is: sigmoid(slope * trees + intercept), or the prior where a ranking is not proven.

    `grid` (probabilities, rising), `low` and `high` give the interval by linear interpolation.
    `ripe` and `reached` count the training leads behind it.
    """

    prior: float
    ripe: int
    reached: int
    low: Array
    high: Array
    grid: Array
    slope: float = 0.0
    intercept: float = 0.0
    trees: Trees | None = None

    @property
    def proven(self) -> bool:
        return self.trees is not None

    def probability(self, matrix: NDArray[np.float64]) -> Array:
        """Shape (rows,). Every step works on one element at a time, so a row's bits do not depend on its neighbours."""
        if self.trees is None:
            return np.full(len(matrix), self.prior)
        score = self.slope * self.trees.raw(matrix) + self.intercept
        return np.asarray(1.0 / (1.0 + np.exp(-score)))

    def interval(self, probability: Array) -> tuple[Array, Array]:
        """Low and high, each of the shape of `probability`, which always lies between them."""
        low = np.interp(probability, self.grid, self.low)
        high = np.interp(probability, self.grid, self.high)
        return np.minimum(low, probability), np.maximum(high, probability)


@dataclass(frozen=True)
class Prediction:
    """Probabilities per stage, shape (rows,) each, consistent along the funnel; low and high belong to `won`."""

    stages: Mapping[Stage, Array]
    low: Array
    high: Array

    @property
    def won(self) -> Array:
        return self.stages[Stage.WON]


@dataclass(frozen=True)
class ConversionModel:
    """The conversion model of a company: one schema, one StageModel for each stage that its history knows."""

    kind: ClassVar[str] = "conversion"

    schema: FeatureSchema
    stages: Mapping[Stage, StageModel]
    horizon_days: int
    trained_until: str | None
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """`model` where the ranking by P(won) was proven on later leads, else `prior`."""
        return "model" if self.stages[Stage.WON].proven else "prior"

    def predict(self, matrix: NDArray[np.float64], reached: NDArray[np.int64] | None = None) -> Prediction:
        """Probabilities for inputs of shape (rows, columns of the schema).

        `reached` is the furthest stage of each lead as its place in STAGES; a stage already reached has probability 1.
        """
        won = self.stages[Stage.WON].probability(matrix)
        found: dict[Stage, Array] = {}
        later = np.zeros(len(matrix))
        for stage in reversed([stage for stage in GOALS if stage in self.stages]):
            own = won if stage is Stage.WON else self.stages[stage].probability(matrix)
            later = np.maximum(later, own)  # who wins has passed the earlier stages
            found[stage] = _or_reached(later, stage, reached)
        low, high = self.stages[Stage.WON].interval(won)
        return Prediction(dict(reversed(found.items())), low, high)

    def contributions(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each column adds to the log odds of `won`, shape (rows, columns); zeros where only the prior speaks."""
        won = self.stages[Stage.WON]
        if won.trees is None:
            return np.zeros((len(matrix), len(self.schema.columns)))
        return np.asarray(won.slope * won.trees.contributions(matrix)[:, :-1])

    def save(self, folder: Path) -> None:
        """Plain files: JSON and LightGBM text."""
        stages = {}
        for stage, model in self.stages.items():
            stages[stage.value] = {
                **{name: getattr(model, name) for name in ("prior", "ripe", "reached", "slope", "intercept")},
                **{name: getattr(model, name).tolist() for name in ("grid", "low", "high")},
                "proven": model.proven,
            }
            if model.trees is not None:
                (folder / f"{stage.value}.trees.txt").write_text(model.trees.text, encoding="utf-8")
        body = {
            "schema": self.schema.to_json(),
            "stages": stages,
            "horizon_days": self.horizon_days,
            "trained_until": self.trained_until,
            "report": dict(self.report),
        }
        (folder / "conversion.json").write_text(json.dumps(body, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def open(cls, folder: Path) -> "ConversionModel":
        """The model of a folder whose digests were checked; BrokenModel where the content is not one."""
        try:
            body = json.loads((folder / "conversion.json").read_text(encoding="utf-8"))
            schema = FeatureSchema.from_json(body["schema"])
            stages = {Stage(name): _open_stage(folder, name, data) for name, data in body["stages"].items()}
            model = cls(schema, stages, int(body["horizon_days"]), body["trained_until"], body["report"])
        except (OSError, ValueError, KeyError, TypeError, BrokenTrees) as error:
            raise BrokenModel(f"the conversion model in {folder.name} cannot be read: {error}; train again") from error
        return _checked(model)


def _open_stage(folder: Path, name: str, data: Mapping[str, Any]) -> StageModel:
    trees = Trees((folder / f"{name}.trees.txt").read_text(encoding="utf-8")) if data["proven"] else None
    low, high, grid = (np.array(data[key], dtype=np.float64) for key in ("low", "high", "grid"))
    return StageModel(
        prior=float(data["prior"]),
        ripe=int(data["ripe"]),
        reached=int(data["reached"]),
        low=low,
        high=high,
        grid=grid,
        slope=float(data["slope"]),
        intercept=float(data["intercept"]),
        trees=trees,
    )


def _checked(model: ConversionModel) -> ConversionModel:
    if Stage.WON not in model.stages:
        raise BrokenModel("the conversion model knows nothing of the stage 'won'; train again")
    for stage, part in model.stages.items():
        numbers = np.concatenate([part.grid, part.low, part.high, [part.prior, part.slope, part.intercept]])
        if not np.isfinite(numbers).all() or not len(part.grid) == len(part.low) == len(part.high):
            raise BrokenModel(f"stage '{stage}' of the conversion model holds numbers that are not finite; train again")
        if part.trees is not None and part.trees.features != len(model.schema.columns):
            raise BrokenModel(
                f"the trees of stage '{stage}' read {part.trees.features} columns, "
                f"the schema has {len(model.schema.columns)}; train again"
            )
    return model


def _or_reached(probability: Array, stage: Stage, reached: NDArray[np.int64] | None) -> Array:
    return probability if reached is None else np.where(reached >= STAGES.index(stage), 1.0, probability)
