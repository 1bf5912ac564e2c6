"""Only what is proven better is promoted: a worse, a random, an overconfident and a broken challenger are refused."""

import numpy as np
import pytest

from training.compare import Contender, compare

rng = np.random.default_rng(0)
P = rng.beta(1, 6, 3_000)
Y = (rng.random(3_000) < P).astype(float)
PRIOR = Contender("prior", np.full(3_000, Y.mean()))
CHAMPION = Contender("champion", np.clip(P * 0.9 + 0.1 * Y.mean(), 0, 1))

CHALLENGERS = [  # who challenges, what is said against it (None: promoted)
    (P, None),
    (CHAMPION.p, None),
    (rng.permutation(P), "log loss"),
    (np.full(3_000, Y.mean()), "champion"),
    (P**0.5, "calibration error"),
    (np.where(P > 0.2, np.nan, P), "not numbers"),
]


@pytest.mark.parametrize(("p", "objection"), CHALLENGERS)
def test_who_is_promoted(p: np.ndarray, objection: str | None) -> None:
    found = compare(Y, Contender("challenger", p), CHAMPION, [PRIOR])
    assert found.promote is (objection is None)
    if objection:
        assert any(objection in why for why in found.objections)


def test_a_champion_is_not_replaced_on_a_few_leads_but_a_vacant_place_is_taken() -> None:
    few = slice(0, 50)
    challenger, prior = Contender("challenger", P[few]), Contender("prior", PRIOR.p[few])
    against = compare(Y[few], challenger, Contender("champion", CHAMPION.p[few]), [prior])
    assert "only 50 leads" in against.objections[0]
    assert compare(Y[few], challenger, None, [prior]).promote


def test_the_table_shows_every_contender_beside_the_others() -> None:
    found = compare(Y, Contender("challenger", P), CHAMPION, [PRIOR])
    assert list(found.metrics) == ["challenger", "champion", "prior"]
    assert found.metrics["prior"]["auc"] == 0.5
