"""From the store through MLflow to the bundle that serves, and back; a promotion that dies leaves the old champion."""

from pathlib import Path

import pytest

from features.contacts import ContactKeeper
from features.store import Store, migrate, open_engine
from features.store.service_log import ServiceLog
from features.store.tables import promotions
from models.bundle import BrokenModel, read_manifest
from training import promote as promoting
from training.demo_company import make_company
from training.promote import NotPromoted, current, promote, roll_back
from training.registry import Registry
from training.train import train_conversion
from training.verdict import NothingToCompare, verdict


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def store(home: Path) -> Store:
    engine = open_engine(f"sqlite:///{home / 'store.db'}")
    migrate(engine)
    store = Store(engine, ContactKeeper(b"a secret for tests only"))
    company = make_company(leads=3_000)
    store.save_leads(company.leads)
    store.save_events(company.events)
    return store


@pytest.fixture(scope="module")
def registry(home: Path) -> Registry:
    return Registry(f"sqlite:///{home / 'mlflow.db'}")


def test_the_road_from_history_to_champion_and_back(home: Path, store: Store, registry: Registry) -> None:
    log, bundles = ServiceLog(store.engine), home / "bundles"
    with pytest.raises(NothingToCompare, match="leadloop train conversion"):
        verdict("conversion", registry, store)

    first = train_conversion(store, registry)
    judged = verdict("conversion", registry, store)
    assert {"challenger", "prior", "odoo_naive_bayes", "logistic_regression"} <= set(judged.metrics)
    assert judged.promote, judged.objections
    assert promote("conversion", registry, bundles, log, judged.to_json()).version == first.registered.version
    assert current(bundles, "conversion") == first.registered.version
    assert read_manifest(bundles / "conversion" / first.registered.version).kind == "conversion"

    second = train_conversion(store, registry, seed=1)
    assert second.registered.version != first.registered.version
    assert "learned from all of these" in verdict("conversion", registry, store).notes[0]
    with pytest.raises(NotPromoted, match="stays challenger: it is worse"):
        promote("conversion", registry, bundles, log, {"promote": False, "objections": ["it is worse"]})
    assert current(bundles, "conversion") == first.registered.version
    promote("conversion", registry, bundles, log, {"promote": False}, force=True)
    assert current(bundles, "conversion") == second.registered.version

    assert roll_back("conversion", registry, bundles, log).version == first.registered.version
    assert current(bundles, "conversion") == first.registered.version
    with store.engine.connect() as connection:
        recorded = [(row.version, row.by_force) for row in connection.execute(promotions.select())]
    assert [by_force for _, by_force in recorded] == [False, True, False]


def test_a_promotion_that_dies_on_the_way_leaves_the_old_champion(
    home: Path, store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, bundles = ServiceLog(store.engine), home / "bundles"
    before = current(bundles, "conversion")
    train_conversion(store, registry, seed=2)

    def dies(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(promoting, "_point", dies)
    with pytest.raises(OSError, match="disk full"):
        promote("conversion", registry, bundles, log, {"promote": True})
    assert current(bundles, "conversion") == before


def test_a_bundle_changed_in_mlflow_is_not_promoted(home: Path, store: Store, registry: Registry) -> None:
    log, bundles = ServiceLog(store.engine), home / "bundles"
    before = current(bundles, "conversion")
    trained = train_conversion(store, registry, seed=3)
    kept = next((home / "mlartifacts").glob(f"{trained.registered.run_id}/artifacts/bundle/won.trees.txt"))
    kept.write_text(kept.read_text().replace("leaf_value=", "leaf_value=9", 1))
    with pytest.raises(BrokenModel, match="digest"):
        promote("conversion", registry, bundles, log, {"promote": True})
    assert current(bundles, "conversion") == before


def test_no_run_left_a_pickle(home: Path, registry: Registry) -> None:
    files = [path for path in (home / "mlartifacts").rglob("*") if path.is_file()]
    assert files
    assert {path.suffix for path in files} <= {".json", ".npy", ".txt"}
