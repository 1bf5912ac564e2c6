"""The service of a made company: trained once per run, served to each test that asks for it."""

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have httpx2
    from fastapi.testclient import TestClient

from features.store import Store
from models.conversion import ConversionModel
from serving import champions
from serving.api import make_app
from tests.serving.company import Crm, make_company, point, publish, settings_of, tiny_reader
from training.fit_conversion import fit_conversion
from training.rows import make_rows


@pytest.fixture(scope="session")
def company_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a company whose history was imported and whose models were trained and published."""
    home = tmp_path_factory.mktemp("company")
    company, settings = make_company(), settings_of(home)
    store = settings.open_store()
    store.save_leads(company.leads)
    store.save_events(company.events)
    store.save_notes(company.notes)
    model = fit_conversion(make_rows(list(store.leads_with_events()), store.snapshot())).model
    assert model.source == "model", "the company's leads must prove a ranking, else every answer is the same"
    publish(model, settings.bundles)
    publish(tiny_reader(), settings.bundles)
    store.engine.dispose()
    return home


@pytest.fixture(scope="session")
def model(company_home: Path) -> ConversionModel:
    """The published model, opened as a batch would."""
    folder = next((company_home / "bundles" / "conversion").glob("conversion-*"))
    return ConversionModel.open(folder)


@pytest.fixture(scope="session")
def crm(company_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """A service that all tests share: each speaks of leads of its own, and breaks nothing."""
    home = tmp_path_factory.mktemp("shared") / "home"
    shutil.copytree(company_home, home)
    yield from _serve(home)


@pytest.fixture(scope="session")
def store(crm: Crm) -> Iterator[Store]:
    """The database of the shared service."""
    store = settings_of(crm.home).open_store()
    yield store
    store.engine.dispose()


@pytest.fixture
def own_crm(company_home: Path, tmp_path: Path, unchecked: None) -> Iterator[Crm]:
    """A service that a test may break, on a copy of the company."""
    shutil.copytree(company_home, tmp_path / "home")
    yield from _serve(tmp_path / "home")


@pytest.fixture
def new_crm(tmp_path: Path) -> Iterator[Crm]:
    """The service of a company that has just begun: no history, no models."""
    yield from _serve(tmp_path / "new")


@pytest.fixture
def bundles(company_home: Path, tmp_path: Path) -> Path:
    """The company's bundles, to be broken."""
    return Path(shutil.copytree(company_home / "bundles", tmp_path / "bundles"))


@pytest.fixture
def other(bundles: Path, model: ConversionModel) -> Path:
    """Another good bundle beside the champion, not yet published; a test breaks it and then publishes it."""
    before = json.loads((bundles / "conversion" / "champion.json").read_text())["version"]
    version = publish(replace(model, horizon_days=model.horizon_days + 1), bundles)
    point(bundles, "conversion", before)
    assert version != before
    return bundles / "conversion" / version


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Bundles are opened without a trial in a child process, which takes a second; gives a way to have it back."""
    checked = champions.opens_in_a_child
    monkeypatch.setattr(champions, "opens_in_a_child", lambda _folder: None)
    return lambda: monkeypatch.setattr(champions, "opens_in_a_child", checked)


def _serve(home: Path) -> Iterator[Crm]:
    settings = settings_of(home)
    store = settings.open_store()
    key = settings.open_log(store).new_key("crm")
    store.engine.dispose()
    with TestClient(make_app(settings)) as client:
        yield Crm(client, key, home)
