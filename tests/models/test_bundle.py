"""A bundle is a folder of plain files: written whole or not at all, the same files under the same version."""

import json
import subprocess
import sys
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pytest

from models import open_bundle
from models.bundle import LARGEST_MANIFEST, MANIFEST, BrokenModel, read_manifest, save_bundle
from models.open_bundle import opens_in_a_child


class Notebook:
    """A model of plain files that says what it is told to write."""

    kind: ClassVar[str] = "notebook"

    def __init__(self, **files: bytes) -> None:
        self.files = files or {"words.json": b'["a"]'}

    def save(self, folder: Path) -> None:
        for name, content in self.files.items():
            (folder / name).write_bytes(content)

    @classmethod
    def open(cls, folder: Path) -> Self:
        return cls()


def test_what_is_saved_is_read_with_what_is_said_about_it(tmp_path: Path) -> None:
    saved = save_bundle(Notebook(), tmp_path / "new" / "bundle", {"trained_until": "2026-03-01", "rows": 7})
    read = read_manifest(tmp_path / "new" / "bundle")
    assert read == saved
    assert read.kind == "notebook"
    assert read.about == {"trained_until": "2026-03-01", "rows": 7}
    assert list(read.files) == ["words.json"]


def test_the_version_is_made_of_the_files_and_not_of_what_is_said_about_them(tmp_path: Path) -> None:
    first = save_bundle(Notebook(), tmp_path / "first", {"by": "Анна"})
    second = save_bundle(Notebook(), tmp_path / "second", {"by": "Борис"})
    other = save_bundle(Notebook(**{"words.json": b'["b"]'}), tmp_path / "other")
    assert first.version == second.version != other.version


def test_an_older_bundle_of_the_name_is_replaced_whole(tmp_path: Path) -> None:
    save_bundle(Notebook(**{"words.json": b"[]", "more.json": b"{}"}), tmp_path / "bundle")
    save_bundle(Notebook(), tmp_path / "bundle")
    assert {path.name for path in (tmp_path / "bundle").iterdir()} == {"words.json", MANIFEST}


def test_a_model_that_cannot_be_written_leaves_the_older_bundle_and_no_rubbish(tmp_path: Path) -> None:
    before = save_bundle(Notebook(), tmp_path / "bundle")

    class Dies(Notebook):
        def save(self, folder: Path) -> None:
            super().save(folder)
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        save_bundle(Dies(), tmp_path / "bundle")
    assert read_manifest(tmp_path / "bundle") == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


FOREIGN = {
    "model.pkl": b"x",
    "model.joblib": b"x",
    "Model.json": b"{}",
    "модель.json": b"{}",
    ".json": b"{}",
    "a.b.c.d.json": b"{}",
    "run.py": b"",
    "words.json": b"\x80\x04K\x01.",
    "trees.txt": b"not trees",
    "array.npy": b"not an array",
    "bare": b"",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_model_may_write_plain_files_only(tmp_path: Path, name: str) -> None:
    with pytest.raises(BrokenModel, match="a bundle holds JSON"):
        save_bundle(Notebook(**{name: FOREIGN[name]}), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("array", [np.zeros(0), np.zeros((3, 4), np.float32), np.array(["ж"]), np.array(1)])
def test_an_array_of_numbers_or_words_is_plain(tmp_path: Path, array: np.ndarray) -> None:  # type: ignore[type-arg]
    np.save(tmp_path / "a.npy", array)
    save_bundle(Notebook(**{"a.npy": (tmp_path / "a.npy").read_bytes()}), tmp_path / "bundle")
    read_manifest(tmp_path / "bundle")


@pytest.mark.parametrize("dtype", ["O", [("a", "O")], [("a", "f8"), ("b", "O", (2,))]])
def test_an_array_of_objects_is_a_pickle_however_deep_they_lie(tmp_path: Path, dtype: object) -> None:
    np.save(tmp_path / "a.npy", np.zeros(1, dtype), allow_pickle=True)  # type: ignore[call-overload]
    with pytest.raises(BrokenModel, match="without pickles"):
        save_bundle(Notebook(**{"a.npy": (tmp_path / "a.npy").read_bytes()}), tmp_path / "bundle")


def test_a_folder_that_is_not_there_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match="is no bundle"):
        read_manifest(tmp_path / "nowhere")


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_bundle(Notebook(), tmp_path / "bundle")

    def refuses(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuses)
    with pytest.raises(BrokenModel, match="cannot be read: Permission denied"):
        read_manifest(tmp_path / "bundle")


def test_a_manifest_of_any_length_is_not_read_into_memory(tmp_path: Path) -> None:
    save_bundle(Notebook(), tmp_path / "bundle")
    with (tmp_path / "bundle" / MANIFEST).open("ab") as file:
        file.truncate(LARGEST_MANIFEST + 1)
    with pytest.raises(BrokenModel, match="holds no manifest"):
        read_manifest(tmp_path / "bundle")


# The child process


def test_a_kind_that_nobody_knows_is_named(tmp_path: Path) -> None:
    save_bundle(Notebook(), tmp_path / "bundle")
    with pytest.raises(BrokenModel, match="kind 'notebook' is not known"):
        opens_in_a_child(tmp_path / "bundle")


def test_a_bundle_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_bundle(Notebook(), tmp_path / "bundle")
    monkeypatch.setattr(open_bundle, "OPENING_S", 0.01)
    with pytest.raises(BrokenModel, match=r"took over 0.01 s"):
        opens_in_a_child(tmp_path / "bundle")


def test_a_machine_without_room_for_a_child_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "run", no_room)
    with pytest.raises(BrokenModel, match="Cannot allocate memory"):
        opens_in_a_child(tmp_path)


def test_the_child_reads_our_models_wherever_the_service_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`models` is a common name of a folder: started beside another one, the child must not run that."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("raise SystemExit('not ours')")
    monkeypatch.chdir(tmp_path)
    save_bundle(Notebook(), tmp_path / "bundle")
    with pytest.raises(BrokenModel, match="notebook"):
        opens_in_a_child(Path("bundle"))


def test_a_child_that_dies_without_a_word_is_named_by_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(BrokenModel, match="exit code 1"):
        opens_in_a_child(tmp_path)


def test_the_manifest_is_readable_by_people(tmp_path: Path) -> None:
    save_bundle(Notebook(), tmp_path / "bundle", {"кто": "Анна"})
    text = (tmp_path / "bundle" / MANIFEST).read_text(encoding="utf-8")
    assert "Анна" in text
    assert json.loads(text)["format"] == 1
