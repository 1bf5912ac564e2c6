"""How good tags of notes are: what was said, what was right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.metrics import Array, calibration_error


@dataclass(frozen=True)
class ReasonQuality:
    """Shares of one; `precision` is of the notes answered surely, None where there are none."""

    notes: int
    accuracy: float
    top_three: float
    macro_f1: float
    ece: float
    coverage: float
    precision: float | None


def measure_reasons(
    labels: Sequence[str], reasons: Sequence[str], probabilities: Array, sure: NDArray[np.bool_] | None = None
) -> ReasonQuality:
    """Quality of probabilities (notes x reasons). A label that no reason stands for is a miss everywhere.

    >>> measure_reasons(["price", "timing"], ["price", "timing"], np.array([[0.9, 0.1], [0.6, 0.4]])).accuracy
    0.5
    """
    place = {reason: number for number, reason in enumerate(reasons)}
    truth = np.array([place.get(label, -1) for label in labels])
    ranked = np.argsort(-probabilities, axis=1, kind="stable")
    right = ranked[:, 0] == truth
    answered = np.zeros(len(labels), bool) if sure is None else sure
    return ReasonQuality(
        notes=len(labels),
        accuracy=float(right.mean()),
        top_three=float((ranked[:, :3] == truth[:, None]).any(axis=1).mean()),
        macro_f1=_macro_f1(truth, ranked[:, 0]),
        ece=calibration_error(right.astype(float), probabilities.max(axis=1)),
        coverage=float(answered.mean()),
        precision=float(right[answered].mean()) if answered.any() else None,
    )


def _macro_f1(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    """Mean over every reason that was meant or said, as scikit-learn counts it."""
    scores = []
    for reason in np.union1d(truth, said):
        both = np.sum((truth == reason) & (said == reason))
        scores.append(2 * both / (np.sum(truth == reason) + np.sum(said == reason)))
    return float(np.mean(scores))
