"""A new champion is followed without a restart; a broken one is never served, whatever is broken about it."""

import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.bundle import MANIFEST, BrokenModel, read_manifest
from models.conversion import ConversionModel
from serving import champions
from serving.champions import Champions, pointed
from tests.serving.company import Crm, point, publish, sign_again, tiny_reader

Break = Callable[[Path], None]


# Following the pointer


def test_a_new_champion_answers_without_a_restart_and_the_old_one_after_a_rollback(
    own_crm: Crm, model: ConversionModel
) -> None:
    bundles = own_crm.home / "bundles"
    old = own_crm.ready()["models"]["conversion"]
    assert own_crm.advice("L0001")["model_version"] == old
    new = publish(replace(model, horizon_days=30), bundles)
    assert own_crm.advice("L0001")["model_version"] == new
    point(bundles, "conversion", old)
    assert own_crm.advice("L0001")["model_version"] == old


def test_a_bundle_is_opened_once_for_all_threads(
    bundles: Path, unchecked: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(champions, "opens_in_a_child", opened.append)
    served, found = Champions(bundles), []
    threads = [threading.Thread(target=lambda: found.append(served.get("conversion"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1
    assert all(found)


def test_while_a_bundle_is_opened_the_old_one_answers(
    bundles: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Champions(bundles)
    monkeypatch.setattr(champions, "opens_in_a_child", lambda _folder: None)
    old = served.get("conversion")
    opening, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(champions, "opens_in_a_child", lambda _folder: opening.set() or go_on.wait(10))
    point(bundles, "conversion", other.name)
    swap = threading.Thread(target=served.get, args=("conversion",))
    swap.start()
    assert opening.wait(10)
    assert served.get("conversion") is old
    go_on.set()
    swap.join()
    now = served.get("conversion")
    assert now is not None
    assert now.version == other.name


def test_a_pointer_that_disappears_is_said_and_changes_nothing(own_crm: Crm) -> None:
    pointer = own_crm.home / "bundles" / "conversion" / "champion.json"
    old = own_crm.advice("L0001")["model_version"]
    kept = pointer.with_name("kept.json")
    pointer.rename(kept)
    assert own_crm.advice("L0001")["model_version"] == old
    assert own_crm.ready()["status"] == "degraded"
    kept.rename(pointer)
    assert own_crm.ready()["status"] == "ready"


# Broken bundles: the file that was published, and what is wrong with it


def cut(folder: Path) -> None:
    trees = folder / "won.trees.txt"
    trees.write_bytes(trees.read_bytes()[: trees.stat().st_size // 2])


def change_a_digit(folder: Path) -> None:
    trees = folder / "won.trees.txt"
    text = trees.read_text()
    place = text.index("leaf_value=") + len("leaf_value=") + 3
    trees.write_text(text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :])


def zero_a_block(folder: Path) -> None:
    trees = folder / "won.trees.txt"
    whole = trees.read_bytes()
    trees.write_bytes(whole[:5_000] + b"\0" * 500 + whole[5_500:])


def lose_a_file(folder: Path) -> None:
    (folder / "won.trees.txt").unlink()


def add_a_file(folder: Path) -> None:
    (folder / "readme.txt").write_text("tree\n")


def add_a_hidden_file(folder: Path) -> None:
    (folder / ".conversion.json").write_text("{}")


def add_a_folder(folder: Path) -> None:
    (folder / "more").mkdir()


def lose_the_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def empty_the_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def lose_the_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def link_a_file(folder: Path) -> None:
    (folder / "won.trees.txt").rename(folder.parent / "won.trees.txt")
    (folder / "won.trees.txt").symlink_to(folder.parent / "won.trees.txt")


def link_the_folder(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))


def link_the_manifest(folder: Path) -> None:
    (folder / MANIFEST).rename(folder.parent / "manifest.elsewhere")
    (folder / MANIFEST).symlink_to(folder.parent / "manifest.elsewhere")


def _manifest(**said: Any) -> Break:
    def write(folder: Path) -> None:
        manifest = json.loads((folder / MANIFEST).read_text())
        (folder / MANIFEST).write_text(json.dumps(manifest | said))

    return write


def _raw_manifest(body: bytes) -> Break:
    return lambda folder: bool((folder / MANIFEST).write_bytes(body)) and None


BROKEN: dict[str, Break] = {
    "trees cut in half": cut,
    "one digit changed": change_a_digit,
    "a block of zeros": zero_a_block,
    "a file missing": lose_a_file,
    "a file too many": add_a_file,
    "a hidden file": add_a_hidden_file,
    "a folder in it": add_a_folder,
    "no manifest": lose_the_manifest,
    "an empty folder": empty_the_folder,
    "no folder": lose_the_folder,
    "a file that is a link": link_a_file,
    "a folder that is a link": link_the_folder,
    "a manifest that is a link": link_the_manifest,
    "manifest: no JSON": _raw_manifest(b"\x80\x04K\x01."),
    "manifest: half a JSON": _raw_manifest(b'{"format": 1'),
    "manifest: a list": _raw_manifest(b"[]"),
    "manifest: null": _raw_manifest(b"null"),
    "manifest: 100,000 deep": _raw_manifest(b"[" * 100_000),
    "manifest: 5,000 digits": _raw_manifest(b'{"format": ' + b"1" * 5_000 + b"}"),
    "manifest: two megabytes": _raw_manifest(b" " * 2 * 2**20 + b"{}"),
    "manifest: another format": _manifest(format=2),
    "manifest: another kind": _manifest(kind="reasons"),
    "manifest: an unknown kind": _manifest(kind="horoscope"),
    "manifest: a kind that is none": _manifest(kind=["conversion"]),
    "manifest: a version that is a number": _manifest(version=7),
    "manifest: the version of another": _manifest(version="conversion-000000000000"),
    "manifest: files are none": _manifest(files=None),
    "manifest: files are a list": _manifest(files=["conversion.json"]),
    "manifest: a digest that is a number": _manifest(files={"conversion.json": 1, "won.trees.txt": 2}),
    "manifest: a file outside": _manifest(files={"../../champion.json": "0" * 64}),
    "manifest: one key too many": _manifest(run="me"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_bundle_is_never_served(bundles: Path, other: Path, unchecked: object, broken: str) -> None:
    served = Champions(bundles)
    old = served.get("conversion")
    assert old is not None
    BROKEN[broken](other)
    point(bundles, "conversion", other.name)
    assert served.get("conversion") is old
    assert "not served" in served.problems["conversion"]
    point(bundles, "conversion", old.version)
    assert served.get("conversion") is not None
    assert served.problems == {}


POINTERS: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"\xff\xfe",
    "a list": b"[]",
    "another key": b'{"model": "x"}',
    "100,000 deep": b'{"version": ' + b"[" * 100_000,
    "a number": b'{"version": 1}',
    "null": b'{"version": null}',
    "empty": b'{"version": ""}',
    "here": b'{"version": "."}',
    "up": b'{"version": ".."}',
    "up and down": b'{"version": "../conversion/x"}',
    "an absolute path": b'{"version": "/etc"}',
    "NUL": rb'{"version": "a\u0000"}',
    "half a letter": rb'{"version": "\ud800"}',
    "a long name": b'{"version": "' + b"x" * 900 + b'"}',
    "nobody": b'{"version": "conversion-000000000000"}',
}


@pytest.mark.parametrize("said", POINTERS)
def test_a_pointer_that_names_no_bundle_changes_nothing(bundles: Path, unchecked: object, said: str) -> None:
    served = Champions(bundles)
    old = served.get("conversion")
    arriving = bundles / "conversion" / "arriving.json"
    arriving.write_bytes(POINTERS[said])
    arriving.replace(bundles / "conversion" / "champion.json")
    assert served.get("conversion") is old
    assert "names" in served.problems["conversion"]
    with pytest.raises(BrokenModel):
        pointed(bundles, "conversion")


def test_a_pointer_that_is_a_pipe_is_not_waited_for(bundles: Path, unchecked: object) -> None:
    served = Champions(bundles)
    old = served.get("conversion")
    pointer = bundles / "conversion" / "champion.json"
    pointer.unlink()
    os.mkfifo(pointer)
    assert served.get("conversion") is old


def test_a_reader_of_notes_published_as_conversion_is_refused(bundles: Path, unchecked: object) -> None:
    served = Champions(bundles)
    old = served.get("conversion")
    reader = next((bundles / "reasons").glob("reasons-*"))
    shutil.copytree(reader, bundles / "conversion" / reader.name)
    point(bundles, "conversion", reader.name)
    assert served.get("conversion") is old
    assert "kind 'reasons', not 'conversion'" in served.problems["conversion"]


# Bundles whose digests are right and whose files are not: only a child process opens them


def half_a_tree(folder: Path) -> None:
    cut(folder)


def numbers_that_are_none(folder: Path) -> None:
    _rewrite(folder, lambda body: body["stages"]["won"].update(intercept=float("nan")))


def grid_of_nothing(folder: Path) -> None:
    _rewrite(folder, lambda body: body["stages"]["won"].update(grid=[], low=[], high=[]))


def columns_of_another(folder: Path) -> None:
    _rewrite(folder, lambda body: body["schema"]["columns"].pop())


def a_feature_of_tomorrow(folder: Path) -> None:
    _rewrite(folder, lambda body: body["schema"]["columns"][0].update(name="horoscope"))


def no_stage(folder: Path) -> None:
    _rewrite(folder, lambda body: body.update(stages={}))


def _rewrite(folder: Path, change: Callable[[Any], Any]) -> None:
    body = json.loads((folder / "conversion.json").read_text())
    change(body)
    (folder / "conversion.json").write_text(json.dumps(body))


SIGNED = [half_a_tree, numbers_that_are_none, grid_of_nothing, columns_of_another, a_feature_of_tomorrow, no_stage]


@pytest.mark.parametrize("broken", SIGNED, ids=lambda each: each.__name__)
def test_a_model_that_cannot_answer_kills_a_child_and_not_the_service(
    bundles: Path, other: Path, unchecked: Callable[[], None], broken: Break
) -> None:
    served = Champions(bundles)
    old = served.get("conversion")
    broken(other)
    signed = sign_again(other)
    read_manifest(signed)
    unchecked()
    point(bundles, "conversion", signed.name)
    assert served.get("conversion") is old
    assert "opening" in served.problems["conversion"]


def test_readiness_names_what_is_wrong_and_the_service_answers_on(own_crm: Crm, model: ConversionModel) -> None:
    bundles = own_crm.home / "bundles"
    old = own_crm.advice("L0001")["model_version"]
    broken = publish(replace(model, horizon_days=45), bundles)
    change_a_digit(bundles / "conversion" / broken)
    assert own_crm.advice("L0001")["model_version"] == old
    ready = own_crm.ready()
    assert (ready["status"], ready["models"]["conversion"]) == ("degraded", old)
    assert "differs from its digest" in ready["problems"][0]
    assert str(bundles) not in json.dumps(ready)


def test_a_service_whose_only_bundle_is_broken_has_no_champion_and_says_why(own_crm: Crm) -> None:
    folder = next((own_crm.home / "bundles" / "conversion").glob("conversion-*"))
    cut(folder)
    served = Champions(own_crm.home / "bundles")
    assert served.get("conversion") is None
    assert "not served" in served.problems["conversion"]


def test_the_reader_of_notes_follows_its_pointer_too(own_crm: Crm) -> None:
    first = own_crm.note("дорого")["model_version"]
    reader = tiny_reader()
    reader.settings = replace(reader.settings, sure_from=0.9)
    second = publish(reader, own_crm.home / "bundles")
    assert first != second
    assert own_crm.note("дорого")["model_version"] == second
