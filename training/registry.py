"""Runs, the model registry and its aliases in MLflow: the only file that knows MLflow."""

import json
import logging
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.bundle import Manifest, Model, save_bundle

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # no data leaves the company; nothing waits for a network
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # a bundle is a few small files
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # of every new store it would tell that it makes tables
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # its seven keep a person waiting for four minutes
logging.getLogger("alembic").setLevel(logging.WARNING)  # every new store would tell its 40 migrations

ALIASES = ("champion", "challenger", "previous")
BUNDLE = "bundle"
HOLDOUT = "holdout.json"
NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # MLflow's answers for no such model, no such alias


class NoRegistry(OSError):
    """MLflow does not answer; nothing is known of any model, which is not the same as that there is none."""

    def __init__(self, uri: str, error: Exception) -> None:
        said = f"MLflow at {uri} does not answer: {error}; start it, or set LEADLOOP_MLFLOW to where it is"
        super().__init__(re.sub(r"//[^/@\s]*@", "//…@", said))  # an address may hold a password


@dataclass(frozen=True)
class Registered:
    """A registered version of a model: its number in MLflow, its bundle's version and its hold-out."""

    number: str
    version: str
    run_id: str


class Registry:
    """One registered model per kind (`leadloop-conversion`, `leadloop-reasons`), versions told apart by aliases."""

    def __init__(self, uri: str) -> None:
        """Raises NoRegistry where MLflow does not answer: better now than after minutes of training."""
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        _make_folder(uri)
        try:
            self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            self._client.search_registered_models(max_results=1)
        except MlflowException as error:
            raise NoRegistry(uri, error) from None
        self._uri, self._artifacts = uri, _artifacts_beside(uri)

    def register(
        self,
        model: Model,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        data: Mapping[str, Any],
        holdout: Mapping[str, Any] | None = None,
    ) -> Registered:
        """Logs a run with the model's bundle and makes it the challenger.

        `data` tells what it was trained on (rows, digest, span); `holdout` is kept for later comparisons.
        """
        run = self._client.create_run(self._experiment(model.kind), run_name=model.kind, tags=_origin(data))
        run_id = run.info.run_id
        for name, value in params.items():
            self._client.log_param(run_id, name, value)
        for name, figure in metrics.items():
            self._client.log_metric(run_id, name, figure)
        self._log_dataset(run_id, model.kind, data)
        manifest = self._upload(run_id, model, data, holdout)
        self._client.set_terminated(run_id)
        return self._add_version(model.kind, run_id, f"{run.info.artifact_uri}/{BUNDLE}", manifest)

    def _log_dataset(self, run_id: str, kind: str, data: Mapping[str, Any]) -> None:
        """Shows in MLflow what the run has read: its digest and its size, never a row of it."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        digest = str(data["digest"])
        read = Dataset(
            f"{kind} history", digest, "leadloop", json.dumps({"store": "leadloop"}), profile=json.dumps(data)
        )
        self._client.log_inputs(run_id, [DatasetInput(read, [InputTag("mlflow.data.context", "training")])])

    def _upload(
        self, run_id: str, model: Model, data: Mapping[str, Any], holdout: Mapping[str, Any] | None
    ) -> Manifest:
        with tempfile.TemporaryDirectory() as made:
            manifest = save_bundle(model, Path(made) / BUNDLE, data)
            self._client.log_artifacts(run_id, str(Path(made) / BUNDLE), BUNDLE)
            if holdout is not None:
                path = Path(made) / HOLDOUT
                path.write_text(json.dumps(holdout), encoding="utf-8")
                self._client.log_artifact(run_id, str(path))
        return manifest

    def _add_version(self, kind: str, run_id: str, source: str, manifest: Manifest) -> Registered:
        name = _name(kind)
        if not self._client.search_registered_models(f"name = '{name}'"):
            self._client.create_registered_model(name)
        tags = {"bundle": manifest.version, **{f"sha256.{file}": digest for file, digest in manifest.files.items()}}
        made = self._client.create_model_version(name, source, run_id, tags=tags)
        self._client.set_registered_model_alias(name, "challenger", made.version)
        return Registered(str(made.version), manifest.version, run_id)

    def find(self, kind: str, alias: str) -> Registered | None:
        """The version that an alias names; None where there is none. Raises NoRegistry where MLflow cannot say."""
        from mlflow.exceptions import MlflowException

        try:
            found = self._client.get_model_version_by_alias(_name(kind), alias)
        except MlflowException as error:
            if error.error_code in NOT_THERE:
                return None
            raise NoRegistry(self._uri, error) from None
        return Registered(str(found.version), found.tags["bundle"], str(found.run_id))

    def fetch(self, registered: Registered, into: Path) -> Path:
        """Downloads a version's bundle and gives its folder; the caller checks it as it would any file."""
        return Path(self._client.download_artifacts(registered.run_id, BUNDLE, str(into)))

    def metrics(self, registered: Registered) -> dict[str, float]:
        return dict(self._client.get_run(registered.run_id).data.metrics)

    def holdout(self, registered: Registered) -> dict[str, Any] | None:
        """What a version's trial said of the leads held out in its training; None where none were."""
        if HOLDOUT not in [item.path for item in self._client.list_artifacts(registered.run_id)]:
            return None
        with tempfile.TemporaryDirectory() as into:
            path = Path(self._client.download_artifacts(registered.run_id, HOLDOUT, into))
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return found

    def move_champion(self, kind: str, to: Registered) -> None:
        """Makes a version the champion; the one before stays reachable as `previous`."""
        now = self.find(kind, "champion")
        if now is not None and now.number != to.number:
            self._client.set_registered_model_alias(_name(kind), "previous", now.number)
        self._client.set_registered_model_alias(_name(kind), "champion", to.number)

    def _experiment(self, kind: str) -> str:
        name = _name(kind)
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        return str(self._client.create_experiment(name, artifact_location=self._artifacts))


def _name(kind: str) -> str:
    return f"leadloop-{kind}"


def _make_folder(uri: str) -> None:
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)


def _artifacts_beside(uri: str) -> str | None:
    """Artifacts of a local database lie beside it, never in the folder that somebody happens to stand in."""
    if not uri.startswith("sqlite:///"):
        return None
    return (Path(uri.removeprefix("sqlite:///")).absolute().parent / "mlartifacts").as_uri()


def _origin(data: Mapping[str, Any]) -> dict[str, str]:
    """Tags that tell where a run came from."""
    tags = {f"data.{name}": str(value) for name, value in data.items()}
    here = Path(__file__).parent
    try:
        sha = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)  # noqa: S607
        tags["git_sha"] = sha.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        tags["git_sha"] = "unknown (not a git checkout)"
    return tags
