"""Opens a bundle and says nothing: run as a child process, so that a broken file cannot take the server with it."""

import sys
from pathlib import Path

from models import MODELS
from models.bundle import read_manifest


def main(folder: Path) -> None:
    """Checks the digests, opens the model, and compares its golden answers where it has some."""
    manifest = read_manifest(folder)
    MODELS[manifest.kind].open(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
