"""Challenger → champion: the gate, the publication of its bundle, and the way back."""

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.store.service_log import ServiceLog
from models.bundle import BrokenModel, read_manifest
from models.open_bundle import opens_in_a_child
from training.registry import Registered, Registry


class NotPromoted(ValueError):
    """The gate said no; the message says why."""


@dataclass(frozen=True)
class Promotion:
    """What was made champion, and what it replaced."""

    kind: str
    version: str
    previous: str | None


def promote(
    kind: str, registry: Registry, bundles: Path, log: ServiceLog, verdict: dict[str, Any], *, force: bool = False
) -> Promotion:
    """Publishes the challenger as champion if the verdict allows it; `force` publishes anyway and is recorded.

    The order matters: bundle on disk, aliases, pointer, record. The API follows the pointer alone, so a promotion that
    dies on the way leaves the old champion serving.
    """
    challenger = registry.find(kind, "challenger")
    if challenger is None:
        raise NotPromoted(f"there is no challenger for {kind}; run `leadloop train {kind}` first")
    if challenger.version == current(bundles, kind):
        raise NotPromoted(f"{challenger.version} is the champion already; train a new challenger")
    if not verdict.get("promote") and not force:
        raise NotPromoted(f"{challenger.version} stays challenger: {'; '.join(verdict.get('objections', []))}")
    return _publish(kind, challenger, registry, bundles, log, verdict, by_force=force and not verdict.get("promote"))


def roll_back(kind: str, registry: Registry, bundles: Path, log: ServiceLog) -> Promotion:
    """Makes the previous champion the champion again."""
    previous = registry.find(kind, "previous")
    if previous is None:
        raise NotPromoted(f"there is no previous champion of {kind} to go back to")
    return _publish(kind, previous, registry, bundles, log, {"rollback": True}, by_force=False)


def _publish(
    kind: str,
    registered: Registered,
    registry: Registry,
    bundles: Path,
    log: ServiceLog,
    verdict: dict[str, Any],
    *,
    by_force: bool,
) -> Promotion:
    _place(kind, registered, registry, bundles)
    before = current(bundles, kind)
    registry.move_champion(kind, registered)
    _point(bundles / kind / "champion.json", registered.version)
    log.log_promotion(kind, registered.version, before, by_force=by_force, verdict=verdict)
    return Promotion(kind, registered.version, before)


def _place(kind: str, registered: Registered, registry: Registry, bundles: Path) -> None:
    """The bundle under its version in the folder that the API reads; checked, and opened in a child process."""
    folder = bundles / kind / registered.version
    with tempfile.TemporaryDirectory() as into:
        fetched = registry.fetch(registered, Path(into))
        if read_manifest(fetched).version != registered.version:
            raise BrokenModel(f"MLflow's files for {registered.version} are another model's; train again")
        opens_in_a_child(fetched)
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            arriving = Path(tempfile.mkdtemp(prefix=".arriving-", dir=folder.parent))
            shutil.copytree(fetched, arriving, dirs_exist_ok=True)
            arriving.replace(folder)
    read_manifest(folder)


def _point(pointer: Path, version: str) -> None:
    """Replaces the pointer in one step, so that a reader sees the old or the new, never half."""
    handle, made = tempfile.mkstemp(dir=pointer.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"version": version}, file)
        file.flush()
        os.fsync(file.fileno())
    Path(made).replace(pointer)


def current(bundles: Path, kind: str) -> str | None:
    """The version that is published now."""
    try:
        version = json.loads((bundles / kind / "champion.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(version)
