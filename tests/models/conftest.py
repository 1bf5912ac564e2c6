"""A small reason classifier for the tests that read notes, fitted once per run."""

import pytest

from models.reason_classifier import ReasonClassifier
from models.taxonomy import load_taxonomy
from training.fit_reasons import fit_reasons, starter_notes


@pytest.fixture(scope="session")
def day_one() -> ReasonClassifier:
    """Fitted on every third starter note: 8 s instead of 26, and good enough for plain notes."""
    return fit_reasons(starter_notes()[::3], load_taxonomy()).classifier
