"""A pickle in a bundle is refused under whatever name it comes, and its code never runs."""

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.bundle import BrokenModel, read_manifest
from serving.champions import Champions
from tests.serving.company import point, sign_again


class Bomb:
    """A pickle of this makes a file where it is opened."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


def object_array(bomb: Bomb) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([bomb], dtype=object), allow_pickle=True)
    return file.getvalue()


def zipped(bomb: Bomb) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(bomb))
    return file.getvalue()


def npz(bomb: Bomb) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=True, a=np.array([bomb], dtype=object))
    return file.getvalue()


PICKLES: dict[str, Callable[[Bomb], bytes]] = {
    **{f"protocol {n}": lambda bomb, n=n: pickle.dumps(bomb, n) for n in range(6)},  # type: ignore[misc]
    "an array of objects": object_array,
    "a zip": zipped,
    "an npz": npz,
}


@pytest.mark.parametrize("name", ["model.pkl", "more.json", "more.npy", "more.txt", "conversion.json", "won.trees.txt"])
@pytest.mark.parametrize("content", PICKLES)
def test_a_pickle_under_any_name_is_refused_and_never_opened(
    bundles: Path, other: Path, unchecked: object, tmp_path: Path, name: str, content: str
) -> None:
    marker = tmp_path / "the pickle was opened"
    (other / name).write_bytes(PICKLES[content](Bomb(marker)))
    signed = sign_again(other)
    with pytest.raises(BrokenModel, match=r"no plain model file|not what its name says"):
        read_manifest(signed)
    served = Champions(bundles)
    old = served.get("conversion")
    point(bundles, "conversion", signed.name)
    assert served.get("conversion") is old
    assert not marker.exists()


@pytest.mark.parametrize("name", ["bias.npy", "pairs.npy", "lemmas.json"])
def test_a_pickle_in_a_reader_of_notes_is_refused_as_well(bundles: Path, tmp_path: Path, name: str) -> None:
    folder = next((bundles / "reasons").glob("reasons-*"))
    (folder / name).write_bytes(object_array(Bomb(tmp_path / "opened")))
    with pytest.raises(BrokenModel, match="not what its name says"):
        read_manifest(sign_again(folder))
    assert not (tmp_path / "opened").exists()


def test_the_bomb_of_these_tests_is_live(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "opened")))
    assert (tmp_path / "opened").exists()
