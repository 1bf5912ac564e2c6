"""Champion bundles: opened after every digest matched, swapped when a newer one is published, kept when that breaks."""

import json
import logging
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from models import MODELS
from models.bundle import BrokenModel, Manifest, Model, read_manifest
from models.open_bundle import opens_in_a_child

log = logging.getLogger(__name__)
M = TypeVar("M", bound=Model)
VERSION = re.compile(r"[a-z0-9_-]{1,64}")  # the name of a bundle's folder; nothing else gets into a path
LARGEST_POINTER = 1_000  # bytes; ours have 40


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
        self._seen: dict[str, tuple[int, int] | None] = {}
        self._opening: defaultdict[str, Lock] = defaultdict(Lock)
        self.problems: dict[str, str] = {}

    def get(self, kind: str) -> Champion[Model] | None:
        """The champion of a kind, None where none was ever published; a newer pointer is followed at once."""
        if _stamp(self._pointer(kind)) != self._seen.get(kind):
            self._follow(kind)
        return self._serving.get(kind)

    def _pointer(self, kind: str) -> Path:
        return self._bundles / kind / "champion.json"

    def _follow(self, kind: str) -> None:
        """One caller opens the bundle; the others go on with the old one, or wait where there is none yet."""
        if not self._opening[kind].acquire(blocking=kind not in self._serving):
            return
        try:
            stamp = _stamp(self._pointer(kind))
            if stamp != self._seen.get(kind):
                self._swap(kind)
                self._seen[kind] = stamp
        finally:
            self._opening[kind].release()

    def _swap(self, kind: str) -> None:
        try:
            folder = pointed(self._bundles, kind)
            manifest = read_manifest(folder)
            if manifest.kind != kind:
                raise BrokenModel(f"{folder.name} is a model of kind '{manifest.kind}', not '{kind}'; promote again")
            opens_in_a_child(folder)
            self._serving[kind] = Champion(MODELS[kind].open(folder), manifest)
            self.problems.pop(kind, None)
        except Exception as error:  # whatever a bundle breaks with, the old champion goes on serving
            self.problems[kind] = f"the published {kind} model is not served: {error}"
            log.error(self.problems[kind])


def pointed(bundles: Path, kind: str) -> Path:
    """The folder that the champion's pointer names; BrokenModel where the pointer is no pointer."""
    pointer = bundles / kind / "champion.json"
    try:
        if not pointer.is_file() or pointer.stat().st_size > LARGEST_POINTER:
            raise ValueError("it is no small file")
        version = json.loads(pointer.read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BrokenModel(f"{kind}/champion.json names no bundle: {error}; promote again") from error
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        raise BrokenModel(f"{kind}/champion.json names {version!r}, which is no version; promote again")
    folder = bundles / kind / version
    if folder.is_symlink() or not folder.is_dir():
        raise BrokenModel(f"{kind}/champion.json names {version}, which is no bundle here; promote again")
    return folder


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
