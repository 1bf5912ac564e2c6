"""Opens a bundle in a process of its own, so that a broken file cannot take the server or a promotion with it."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from features.lead_history import LeadHistory
from models import MODELS
from models.bundle import BrokenModel, Model, read_manifest
from models.conversion import ConversionModel
from models.reason_classifier import ReasonClassifier

OPENING_S = 30  # seconds; opening takes about one, a broken model text may hang LightGBM for ever
HERE = Path(__file__).parents[1]  # the child starts here: another folder may hold a package `models` of its own


def opens_in_a_child(folder: Path) -> None:
    """BrokenModel where the bundle cannot be opened, whether by an error, an abort or an endless loop."""
    command = [sys.executable, "-m", "models.open_bundle", str(folder.absolute())]
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, timeout=OPENING_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise BrokenModel(f"opening {folder.name} took over {OPENING_S} s; train again") from error
    except OSError as error:
        raise BrokenModel(f"no process to open {folder.name} in: {error.strerror}; publish the bundle again") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"exit code {done.returncode}"
        raise BrokenModel(f"opening {folder.name} failed: {why}; train again")


def main(folder: Path) -> None:
    """Checks the digests, opens the model and asks it once: wrong tables may open and fail at the first lead."""
    manifest = read_manifest(folder)
    if manifest.kind not in MODELS:
        raise BrokenModel(f"a model of kind '{manifest.kind}' is not known; known are {sorted(MODELS)}")
    _ask(MODELS[manifest.kind].open(folder))


def _ask(model: Model) -> None:
    if isinstance(model, ReasonClassifier):
        model.read("дорого, взяли у конкурента")
    if isinstance(model, ConversionModel):
        now = datetime.now(UTC)
        matrix = model.schema.matrix([LeadHistory("example", now, now, {}), LeadHistory("example", None, None, {})])
        found = model.predict(matrix)
        answers = np.concatenate([*found.stages.values(), found.low, found.high, model.contributions(matrix).ravel()])
        if not np.isfinite(answers).all() or not ((found.won >= 0) & (found.won <= 1)).all():
            raise BrokenModel("the model's answer to an empty lead is no probability; train again")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
