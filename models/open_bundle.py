"""Opens a bundle in a process of its own, so that a broken file cannot take the server or a promotion with it."""

import subprocess
import sys
from pathlib import Path

from models import MODELS
from models.bundle import BrokenModel, read_manifest

OPENING_S = 30  # seconds; opening takes about one, a broken model text may hang LightGBM for ever


def opens_in_a_child(folder: Path) -> None:
    """BrokenModel where the bundle cannot be opened, whether by an error, an abort or an endless loop."""
    command = [sys.executable, "-m", "models.open_bundle", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=OPENING_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise BrokenModel(f"opening {folder.name} took over {OPENING_S} s; train again") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"exit code {done.returncode}"
        raise BrokenModel(f"opening {folder.name} failed: {why}; train again")


def main(folder: Path) -> None:
    """Checks the digests and opens the model."""
    manifest = read_manifest(folder)
    MODELS[manifest.kind].open(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
