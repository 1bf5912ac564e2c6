"""What is known only after the outcome reaches no model, and a column that gives the outcome away is named."""

from pathlib import Path

import numpy as np
import pytest

from features.contacts import ContactKeeper
from features.importing import import_export
from features.mapping import Mapping, load_mapping
from features.store import Store, migrate, open_engine
from training.demo_company import make_company
from training.demo_export import export_company
from training.fit_conversion import fit_conversion
from training.metrics import auc
from training.rows import make_rows

AFTER = ("Номер договора", "Причина отказа (итог)")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("export")
    return [(Path(file), mapping) for file, mapping in export_company(make_company(leads=2_000), folder)]


def imported(files: list[tuple[Path, str]], folder: Path, leads_mapping: Mapping) -> tuple[Store, list[str]]:
    engine = open_engine(f"sqlite:///{folder / 'store.db'}")
    migrate(engine)
    store = Store(engine, ContactKeeper(b"a secret for tests only"))
    warned: set[str] = set()
    for file, name in files:
        mapping = leads_mapping if name == "demo_leads" else load_mapping(name)
        report = import_export(file, mapping, store, rejected_to=folder, say=lambda _: None)
        warned |= {leak.column for leak in report.suspected}
    return store, sorted(warned)


def test_columns_known_after_the_outcome_are_not_even_stored(files: list[tuple[Path, str]], tmp_path: Path) -> None:
    store, warned = imported(files, tmp_path, load_mapping("demo_leads"))
    rows = make_rows(list(store.leads_with_events()), store.snapshot())
    assert not [name for name in rows.schema.names if any(column in name for column in AFTER)]
    held = {name for _, fields in store.latest_fields(5_000) for name in fields}
    assert held
    assert not held & set(AFTER)
    assert not set(warned) & set(AFTER)
    store.engine.dispose()


def test_a_mapping_that_forgets_to_name_them_is_warned(files: list[tuple[Path, str]], tmp_path: Path) -> None:
    careless = load_mapping("demo_leads").model_copy(update={"known_after": []})
    store, warned = imported(files, tmp_path, careless)
    assert set(AFTER) <= set(warned)
    store.engine.dispose()


def test_no_feature_of_a_lead_as_it_came_decides_its_outcome_alone(
    files: list[tuple[Path, str]], tmp_path: Path
) -> None:
    """A canary: a leaking column would show as an AUC that no honest field of this company reaches."""
    store, _ = imported(files, tmp_path, load_mapping("demo_leads"))
    rows = make_rows(list(store.leads_with_events()), store.snapshot())
    store.engine.dispose()
    found = fit_conversion(rows).holdout
    assert found is not None
    assert auc(found.y, found.p) < 0.92
    for outcomes in rows.outcomes.values():
        known = rows.at_creation & np.isfinite(outcomes)
        for place, name in enumerate(rows.schema.names):
            values = np.nan_to_num(rows.matrix[known, place], nan=-1.0)
            assert 0.1 < auc(outcomes[known], values) < 0.9, name
