"""Settings, words and arrays of a model as JSON and .npy without pickles, checked when they are read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from models.bundle import BrokenModel

Settings = TypeVar("Settings")


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=0, sort_keys=True), encoding="utf-8")


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    np.save(path, array, allow_pickle=False)


def read_settings(path: Path, kind: type[Settings]) -> Settings:
    """A dataclass of settings from JSON; every field must be there, of its type, and no other."""
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes(), extra="forbid")
    except (OSError, ValidationError) as error:
        raise BrokenModel(f"{path.name} holds no settings of a model: {error}; train again") from error


def read_words(path: Path) -> tuple[str, ...]:
    """A list of distinct words from JSON."""
    try:
        words = TypeAdapter(tuple[str, ...]).validate_json(path.read_bytes(), strict=True)
    except (OSError, ValidationError) as error:
        raise BrokenModel(f"{path.name} holds no list of words: {error}; train again") from error
    if len(set(words)) != len(words):
        raise BrokenModel(f"{path.name} holds the same word twice; train again")
    return words


def read_array(path: Path, dtype: type[np.generic], shape: Sequence[int | None]) -> npt.NDArray[Any]:
    """An array of exactly this type and shape (None: any length), every number of it finite."""
    try:
        with path.open("rb") as file:  # not np.load, which would also open archives
            array = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise BrokenModel(f"{path.name} is no plain .npy file: {error}; train again") from error
    if array.dtype != dtype or not _fits(array.shape, shape):
        found, expected = f"{array.dtype} {array.shape}", f"{np.dtype(dtype)} {tuple(shape)}"
        raise BrokenModel(f"{path.name} holds {found} instead of {expected}; train again")
    if not np.isfinite(array).all():
        raise BrokenModel(f"{path.name} holds numbers that are not finite; train again")
    return array


def _fits(shape: tuple[int, ...], expected: Sequence[int | None]) -> bool:
    return len(shape) == len(expected) and all(want in (None, have) for have, want in zip(shape, expected, strict=True))
