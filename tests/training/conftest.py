"""A company whose rules are known, for every test that holds an estimate against the truth."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from features.lead_history import KeptLead, LeadVersion
from features.records import LeadEvent
from training.rows import LeadWithEvents


@dataclass(frozen=True)
class Toy:
    """Undated leads with one telling field; `p` is their true chance to be won."""

    leads: list[LeadWithEvents]
    p: NDArray[np.float64]


@lru_cache(maxsize=8)
def toy(size: int, signal: float, seed: int = 0) -> Toy:
    """`signal` is how far the three sources differ: 0 means that no field tells anything."""
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 3, size)
    noise = rng.normal(size=size)
    p = np.clip(0.25 + signal * np.array([-0.2, 0.0, 0.35])[source], 0.01, 0.99)
    won = rng.random(size) < p
    leads: list[LeadWithEvents] = []
    for n in range(size):
        fields = {"source": ["а", "б", "в"][source[n]], "шум": float(round(noise[n], 3))}
        kept = KeptLead(f"L{n}", None, (LeadVersion(None, fields),), order=n)
        leads.append((kept, (LeadEvent(lead_id=f"L{n}", kind="won" if won[n] else "lost"),)))
    return Toy(leads, p)


@pytest.fixture(scope="session")
def telling() -> Toy:
    return toy(3_000, 1.0)
