"""Our figures of quality equal those of scikit-learn, and mean what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from training.metrics import auc, brier, calibration_error, difference, interval, lift, log_loss

outcomes_and_chances = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.05, 0.2, 0.2, 0.5, 0.7, 0.95])), min_size=4, max_size=60
).filter(lambda pairs: len({y for y, _ in pairs}) == 2)


@given(outcomes_and_chances)
def test_equals_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    y, p = np.array(pairs).T
    assert auc(y, p) == pytest.approx(sk.roc_auc_score(y, p))
    assert log_loss(y, p) == pytest.approx(sk.log_loss(y, p))
    assert brier(y, p) == pytest.approx(sk.brier_score_loss(y, p))


def test_one_outcome_only_ranks_nothing() -> None:
    assert auc(np.zeros(5), np.linspace(0, 1, 5)) == 0.5


def test_right_chances_have_little_calibration_error_and_wrong_ones_much() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.5, 20_000)
    y = (rng.random(20_000) < p).astype(float)
    assert calibration_error(y, p) < 0.015
    assert calibration_error(y, p / 2) > 0.1


def test_a_tied_probability_is_one_bin() -> None:
    assert calibration_error(np.array([1.0, 0.0, 0.0, 0.0]), np.full(4, 0.25)) == 0.0


def test_lift_of_a_perfect_order_is_the_inverse_rate_and_of_no_order_one() -> None:
    y = np.repeat([1.0, 0.0], [10, 90])
    assert lift(y, y) == pytest.approx(10)
    assert lift(y, np.full(100, 0.1)) == pytest.approx(1)


def test_the_interval_of_a_loss_holds_it_and_a_better_model_saves_loss() -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(0.05, 0.5, 2_000)
    y = (rng.random(2_000) < p).astype(float)
    low, high = interval(log_loss, y, p)
    assert low < log_loss(y, p) < high
    gain, worst, _ = difference(y, p, np.full(2_000, y.mean()))
    assert gain > worst > 0
