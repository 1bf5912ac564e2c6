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

import numpy as np
from pydantic import TypeAdapter, ValidationError

MANIFEST = "manifest.json"
LARGEST_MANIFEST = 2**20  # bytes; ours have 2,000
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
    foreign = [name for name in files if not PLAIN_FILES.fullmatch(name) or not _is_what_it_says(folder / name)]
    if foreign:
        raise BrokenModel(f"a model wrote {foreign}; a bundle holds JSON, .npy without pickles and trees as text only")
    return Manifest(kind, _version(kind, files), datetime.now(UTC).isoformat(timespec="seconds"), files, about)


def _version(kind: str, files: Mapping[str, str]) -> str:
    return f"{kind}-{hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:12]}"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a bundle after every file matched its digest and its name; BrokenModel otherwise.

    Opens no model file.
    """
    try:
        manifest = _parse(folder)
        _refuse_foreign(folder, manifest)
        _refuse_changed(folder, manifest)
    except OSError as error:
        raise BrokenModel(f"bundle {folder.name} cannot be read: {error.strerror}; publish the bundle again") from error
    return manifest


def _parse(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_MANIFEST:
            raise ValueError(f"it holds no {MANIFEST}")
        body = json.loads(path.read_text(encoding="utf-8"))
        if body.pop("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        return _typed(body)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BrokenModel(f"{folder.name} is no bundle: {error}; train and promote again") from error


def _typed(body: Any) -> Manifest:
    try:
        return TypeAdapter(Manifest).validate_python(body, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))} of its manifest: {first['msg']}") from error


def _refuse_foreign(folder: Path, manifest: Manifest) -> None:
    present = {path.name for path in folder.iterdir()} - {MANIFEST}
    if present != set(manifest.files):
        raise BrokenModel(f"bundle {folder.name} holds {sorted(present)}, its manifest lists {sorted(manifest.files)}")
    for name in present:
        path = folder / name
        if not PLAIN_FILES.fullmatch(name) or path.is_symlink() or not path.is_file():
            raise BrokenModel(f"bundle {folder.name} holds {name}, which is no plain model file")
        if path.stat().st_size > LARGEST_FILE:
            raise BrokenModel(f"file {name} of bundle {folder.name} is larger than {LARGEST_FILE} bytes")


def _refuse_changed(folder: Path, manifest: Manifest) -> None:
    for name, digest in manifest.files.items():
        if _digest(folder / name) != digest:
            raise BrokenModel(f"file {name} of bundle {folder.name} differs from its digest; publish the bundle again")
        if not _is_what_it_says(folder / name):
            raise BrokenModel(f"file {name} of bundle {folder.name} is not what its name says; train again")
    if manifest.version != _version(manifest.kind, manifest.files):
        raise BrokenModel(f"bundle {folder.name} calls itself {manifest.version}, which its files are not")


def _is_what_it_says(path: Path) -> bool:
    """A pickle or an archive under another name begins otherwise, and an array of objects is a pickle."""
    if path.suffix == ".npy":
        return _is_plain_array(path)
    with path.open("rb") as file:
        start = file.read(64).lstrip()
    return start.startswith(b"tree\n" if path.suffix == ".txt" else (b"{", b"["))


def _is_plain_array(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            if np.lib.format.read_magic(file) != (1, 0):
                return False
            _shape, _order, dtype = np.lib.format.read_array_header_1_0(file)
        except ValueError:
            return False
    return not dtype.hasobject


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
