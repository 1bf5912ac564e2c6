"""Which leads train and which test: by time in growing windows, or stratified random folds."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
WINDOWS = (0.4, 0.6, 0.8)  # each trains on the oldest share and tests on the next fifth (reference/tabular.md)
NEXT = 0.2
FOLDS, FOLDS_OF_MANY, MANY = 5, 3, 40_000


def by_time(leads: int) -> Iterator[tuple[Places, Places]]:
    """Places of training and test leads among `leads` leads that stand oldest first."""
    for share in WINDOWS:
        start, end = int(leads * share), int(leads * (share + NEXT))
        yield np.arange(start), np.arange(start, end)


def at_random(y: NDArray[np.float64], seed: int = 0) -> Iterator[tuple[Places, Places]]:
    """Stratified folds: five, or three of more than 40,000 leads."""
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(FOLDS_OF_MANY if len(y) > MANY else FOLDS, shuffle=True, random_state=seed)
    yield from folds.split(np.zeros(len(y)), y)
