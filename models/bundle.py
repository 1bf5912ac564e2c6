"""A fitted model as a folder of plain files with a manifest of digests; opening it runs no code from it."""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

MANIFEST = "manifest.json"
FORMAT = 1
PLAIN_FILES = re.compile(r"[a-z0-9_]{1,64}(\.[a-z0-9_]{1,16}){0,2}\.(json|npy|txt)")
LARGEST_FILE = 512 * 2**20  # bytes; the largest seen is 60 MB, anything near this is not one of ours


class BrokenModel(ValueError):
    """A bundle that must not be served: changed, incomplete, foreign or unreadable."""


class Model(Protocol):
    """What every model can do: become plain files and be opened from them."""

    kind: ClassVar[str]

    def save(self, folder: Path) -> None: ...

    @classmethod
    def open(cls, folder: Path) -> Self: ...


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself. `version` is made of its contents: the same files always have the same version."""

    kind: str
    version: str
    made_at: str
    files: Mapping[str, str]
    about: Mapping[str, Any]


def save_bundle(model: Model, folder: Path, about: Mapping[str, Any] | None = None) -> Manifest:
    """Writes a model into a new folder, all or nothing; an older bundle of that name is replaced whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        model.save(made)
        manifest = _manifest(model.kind, made, about or {})
        body = json.dumps({"format": FORMAT, **vars(manifest)}, ensure_ascii=False, indent=1)
        (made / MANIFEST).write_text(body, encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        made.replace(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return manifest


def _manifest(kind: str, folder: Path, about: Mapping[str, Any]) -> Manifest:
    files = {path.name: _digest(path) for path in sorted(folder.iterdir())}
    foreign = [name for name in files if not PLAIN_FILES.fullmatch(name)]
    if foreign:
        raise BrokenModel(f"a model wrote {foreign}; a bundle holds JSON, .npy without pickles and text only")
    version = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:12]
    return Manifest(kind, f"{kind}-{version}", datetime.now(UTC).isoformat(timespec="seconds"), files, about)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a bundle after every file matched its digest; BrokenModel otherwise. Opens no model file."""
    manifest = _parse(folder)
    _refuse_foreign(folder, manifest)
    for name, digest in manifest.files.items():
        if _digest(folder / name) != digest:
            raise BrokenModel(f"file {name} of bundle {folder.name} differs from its digest; publish the bundle again")
    return manifest


def _parse(folder: Path) -> Manifest:
    try:
        body = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if body.pop("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        return Manifest(**body)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BrokenModel(f"{folder} is no bundle: {error}; train and promote again") from error


def _refuse_foreign(folder: Path, manifest: Manifest) -> None:
    present = {path.name for path in folder.iterdir()} - {MANIFEST}
    if not isinstance(manifest.files, dict) or present != set(manifest.files):
        raise BrokenModel(f"bundle {folder.name} holds {sorted(present)}, its manifest lists {sorted(manifest.files)}")
    for name in present:
        path = folder / name
        if not PLAIN_FILES.fullmatch(name) or path.is_symlink() or not path.is_file():
            raise BrokenModel(f"bundle {folder.name} holds {name}, which is no plain model file")
        if path.stat().st_size > LARGEST_FILE:
            raise BrokenModel(f"file {name} of bundle {folder.name} is larger than {LARGEST_FILE} bytes")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
