"""What every model of Leadloop can do, whatever it answers."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.lead_history import LeadHistory
from models import MODELS
from models.bundle import BrokenModel, read_manifest, save_bundle
from models.conversion import ConversionModel
from models.reason_classifier import ReasonClassifier
from tests.training.conftest import toy
from training.fit_conversion import fit_conversion
from training.rows import make_rows

NOTES = [
    "дорого, взяли у конкурента",
    "не берёт трубку",
    "",
    "asked for a demo, then went silent",
    "номер не существует",
]
NEW_LEADS = [LeadHistory.at(*lead, None) for lead in toy(40, 1.0, seed=7).leads] + [
    LeadHistory("никто", None, None, {}),
    LeadHistory("новый", None, None, {"source": "такого ещё не было", "шум": "не число"}),
]


def conversion_answers(model: Any, order: list[int]) -> list[Any]:
    assert isinstance(model, ConversionModel)
    found = model.predict(model.schema.matrix([NEW_LEADS[place] for place in order]))
    return [tuple(float(part[row]) for part in (found.won, found.low, found.high)) for row in range(len(order))]


def reason_answers(model: Any, order: list[int]) -> list[Any]:
    assert isinstance(model, ReasonClassifier)
    return list(model.read_many([NOTES[place] for place in order]))


ANSWERS: dict[str, tuple[Callable[[Any, list[int]], list[Any]], int]] = {
    "conversion": (conversion_answers, len(NEW_LEADS)),
    "reasons": (reason_answers, len(NOTES)),
}


@pytest.fixture(scope="session")
def fitted(day_one: Any) -> dict[str, Any]:
    ranked = fit_conversion(make_rows(toy(2_000, 1.0).leads, None)).model
    assert ranked.source == "model"
    return {"conversion": ranked, "reasons": day_one}


def test_there_are_models_and_each_is_asked_here() -> None:
    assert set(MODELS) == set(ANSWERS)


@pytest.mark.parametrize("kind", MODELS)
def test_gives_the_same_answers_after_save_and_open(kind: str, fitted: dict[str, Any], tmp_path: Path) -> None:
    ask, size = ANSWERS[kind]
    save_bundle(fitted[kind], tmp_path / "bundle")
    opened = MODELS[kind].open(tmp_path / "bundle")
    assert ask(opened, list(range(size))) == ask(fitted[kind], list(range(size)))


@pytest.mark.parametrize("kind", MODELS)
def test_a_row_is_answered_alike_alone_among_others_and_in_any_order(kind: str, fitted: dict[str, Any]) -> None:
    ask, size = ANSWERS[kind]
    together = ask(fitted[kind], list(range(size)))
    assert [ask(fitted[kind], [place])[0] for place in range(size)] == together
    assert ask(fitted[kind], list(reversed(range(size)))) == together[::-1]


@pytest.mark.parametrize("kind", MODELS)
def test_the_same_model_saved_twice_has_the_same_version(kind: str, fitted: dict[str, Any], tmp_path: Path) -> None:
    first, second = (save_bundle(fitted[kind], tmp_path / name) for name in ("first", "second"))
    assert first.version == second.version


@pytest.mark.parametrize("kind", MODELS)
def test_a_bundle_is_plain_files_and_opens_in_a_fresh_process(
    kind: str, fitted: dict[str, Any], tmp_path: Path
) -> None:
    save_bundle(fitted[kind], tmp_path / "bundle")
    assert {path.suffix for path in (tmp_path / "bundle").iterdir()} <= {".json", ".npy", ".txt"}
    subprocess.run([sys.executable, "-m", "models.open_bundle", str(tmp_path / "bundle")], check=True)


@pytest.mark.parametrize("kind", MODELS)
def test_a_changed_file_is_refused_before_it_is_opened(kind: str, fitted: dict[str, Any], tmp_path: Path) -> None:
    manifest = save_bundle(fitted[kind], tmp_path / "bundle")
    for name in manifest.files:
        path = tmp_path / "bundle" / name
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(BrokenModel, match="differs from its digest"):
            read_manifest(tmp_path / "bundle")
        path.write_bytes(whole)
    read_manifest(tmp_path / "bundle")


@pytest.mark.parametrize("kind", MODELS)
def test_probabilities_are_probabilities(kind: str, fitted: dict[str, Any]) -> None:
    ask, size = ANSWERS[kind]
    for answer in ask(fitted[kind], list(range(size))):
        numbers = answer if isinstance(answer, tuple) and isinstance(answer[0], float) else [answer.probability]
        assert all(0 <= number <= 1 and np.isfinite(number) for number in numbers)


def test_a_conversion_model_whose_numbers_are_no_numbers_is_refused(fitted: dict[str, Any], tmp_path: Path) -> None:
    fitted["conversion"].save(tmp_path)
    body = json.loads((tmp_path / "conversion.json").read_text())
    body["stages"]["won"]["intercept"] = float("nan")
    (tmp_path / "conversion.json").write_text(json.dumps(body))
    with pytest.raises(BrokenModel, match="not finite"):
        ConversionModel.open(tmp_path)
