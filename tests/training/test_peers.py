"""The peers are what they are called, and every fold keeps time in order."""

import numpy as np
import pandas as pd
import pytest

from training.metrics import auc
from training.peers import PEERS, Split, odoo, usable_peers
from training.splits import at_random, by_time


@pytest.fixture(scope="module")
def split() -> Split:
    rng = np.random.default_rng(0)
    source = rng.integers(0, 3, 900)
    won = (rng.random(900) < np.array([0.1, 0.3, 0.6])[source]).astype(float)
    frame = pd.DataFrame({"source": np.array(["а", "б", "в"])[source], "empty": None, "noise": rng.normal(size=900)})
    frame.loc[:40, "source"] = None
    frame.loc[50:90, "noise"] = np.nan
    return Split(frame[:600], won[:600], frame[600:])


@pytest.mark.parametrize("name", usable_peers())
def test_every_peer_ranks_what_can_be_ranked_and_survives_empty_columns(name: str, split: Split) -> None:
    said = PEERS[name](split)
    assert said.shape == (300,)
    assert ((said >= 0) & (said <= 1)).all()
    if name != "prior":
        truth = split.test["source"].map({"а": 0.1, "б": 0.3, "в": 0.6}).fillna(0.3).to_numpy()
        assert auc((truth > 0.3).astype(float), said) > 0.8


def test_odoo_counts_as_odoo_does() -> None:
    """Two won (one webinar), two lost (both webinar): P(webinar|won) = 1.1/1.2… worked out by hand."""
    train = pd.DataFrame({"source": ["вебинар", None, "вебинар", "вебинар"]})
    split = Split(train, np.array([1.0, 1.0, 0.0, 0.0]), pd.DataFrame({"source": ["вебинар", None]}))
    said = odoo(split)
    assert said[1] == pytest.approx(0.5)
    assert said[0] == pytest.approx(0.5)  # the only value seen takes all of each side's weight


def test_windows_grow_and_never_look_back() -> None:
    folds = list(by_time(100))
    assert [(len(train), test[0], test[-1]) for train, test in folds] == [(40, 40, 59), (60, 60, 79), (80, 80, 99)]


def test_random_folds_keep_the_rate_and_test_every_lead_once() -> None:
    y = (np.arange(200) % 5 == 0).astype(float)
    tested = np.concatenate([test for _, test in at_random(y)])
    assert sorted(tested) == list(range(200))
    assert all(y[test].mean() == pytest.approx(0.2) for _, test in at_random(y))
