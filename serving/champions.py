"""Champion bundles: opened after every digest matched, swapped when a newer one is published, kept when that breaks."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from models import MODELS
from models.bundle import BrokenModel, Manifest, Model, read_manifest
from models.open_bundle import opens_in_a_child

log = logging.getLogger(__name__)
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Champion(Generic[M]):
    """A model that serves, with its version."""

    model: M
    manifest: Manifest

    @property
    def version(self) -> str:
        return self.manifest.version


class Champions:
    """Looks up the published champion of a kind; the one that serves stays until a newer one proved readable."""

    def __init__(self, bundles: Path) -> None:
        self._bundles = bundles
        self._serving: dict[str, Champion[Model]] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        self.problems: dict[str, str] = {}

    def get(self, kind: str) -> Champion[Model] | None:
        """The champion of a kind, None where none was ever published; a newer pointer is followed at once."""
        stamp = _stamp(self._pointer(kind))
        if stamp is not None and stamp != self._seen.get(kind):
            self._seen[kind] = stamp
            self._swap(kind)
        return self._serving.get(kind)

    def _pointer(self, kind: str) -> Path:
        return self._bundles / kind / "champion.json"

    def _swap(self, kind: str) -> None:
        try:
            folder = pointed(self._bundles, kind)
            manifest = read_manifest(folder)
            opens_in_a_child(folder)
            self._serving[kind] = Champion(MODELS[kind].open(folder), manifest)
            self.problems.pop(kind, None)
        except BrokenModel as error:
            self.problems[kind] = str(error)
            log.error("the published %s bundle is not served: %s", kind, error)


def pointed(bundles: Path, kind: str) -> Path:
    """The folder that the champion's pointer names; BrokenModel where the pointer is no pointer."""
    pointer = bundles / kind / "champion.json"
    try:
        version = json.loads(pointer.read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenModel(f"{pointer} names no bundle: {error}; promote again") from error
    folder = bundles / kind / str(version)
    if not isinstance(version, str) or folder.parent != bundles / kind or not folder.is_dir():
        raise BrokenModel(f"{pointer} names {version!r}, which is no bundle here; promote again")
    return folder


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
