"""Our conversion model beside its peers on any export: the same leads, the same folds, no setting by hand.

    python -m benchmarks.conversion FILE --mapping M --protocol time|cv [--json OUT] [--also FILE MAPPING]

From the file through the product's own import, features and training, as a user would. `time`: three growing windows,
each tested on the next fifth of the leads; `cv`: stratified random folds (reference/tabular.md).
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.contacts import ContactKeeper
from features.feature_schema import FeatureSchema
from features.importing import import_export
from features.lead_history import LeadHistory
from features.mapping import load_mapping
from features.outcomes import training_outcome
from features.records import Stage
from features.store import Store, migrate, open_engine
from training.fit_conversion import fit_conversion
from training.metrics import METRICS, measure
from training.peers import PEERS, Split, frame, usable_peers
from training.rows import LeadWithEvents, make_rows
from training.splits import at_random, by_time

Array = NDArray[np.float64]
OURS = "leadloop"


def main() -> None:
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        store = _imported([(asked.file, asked.mapping), *asked.also], Path(folder))
        leads = list(store.leads_with_events())
        snapshot = store.snapshot()
    leads, y = _ripe(leads, snapshot)
    folds = list(by_time(len(leads)) if asked.protocol == "time" else at_random(y))
    peers = [name for name in usable_peers() if name not in asked.without]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in (OURS, *peers)}
    warnings: list[str] = []
    for number, (train, test) in enumerate(folds, start=1):
        print(f"fold {number} of {len(folds)}: {len(train)} leads train, {len(test)} test", file=sys.stderr)
        fold = _fold([leads[i] for i in train], [leads[i] for i in test], y[test], snapshot, asked.protocol)
        warnings += [f"fold {number}: {warning}" for warning in fold.pop("warnings")]
        for name in found:
            found[name].append(fold["measure"](name))
    _print(asked, found, len(leads), float(y.mean()), warnings)
    if asked.json:
        result = {"file": asked.file.name, "mapping": asked.mapping, "protocol": asked.protocol, "leads": len(leads)}
        result |= {"rate": float(y.mean()), "folds": found, "warnings": warnings}
        asked.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--mapping", required=True, help="a YAML file, or the name of a shipped mapping")
    parser.add_argument("--protocol", choices=["time", "cv"], required=True)
    parser.add_argument("--json", type=Path, help="write every figure of every fold here")
    parser.add_argument("--also", nargs=2, action="append", default=[], metavar=("FILE", "MAPPING"), help="more tables")
    parser.add_argument("--without", nargs="*", default=[], choices=list(PEERS), help="peers to leave out")
    asked = parser.parse_args()
    asked.also = [(Path(file), mapping) for file, mapping in asked.also]
    return asked


def _imported(tables: Sequence[tuple[Path, str]], folder: Path) -> Store:
    engine = open_engine(f"sqlite:///{folder / 'benchmark.db'}")
    migrate(engine)
    store = Store(engine, ContactKeeper(b"only for this benchmark"))
    for file, mapping in tables:
        report = import_export(file, load_mapping(mapping), store, rejected_to=folder, say=lambda _: None)
        print(f"{file.name}: {report.rows} rows read, {report.rejected_rows} rejected", file=sys.stderr)
    return store


def _ripe(leads: list[LeadWithEvents], snapshot: datetime | None) -> tuple[list[LeadWithEvents], Array]:
    """The leads whose outcome is known, oldest first, and whether each was won within the horizon."""
    outcomes = [_won(lead, snapshot) for lead in leads]
    ripe = [lead for lead, outcome in zip(leads, outcomes, strict=True) if outcome is not None]
    return ripe, np.array([float(outcome) for outcome in outcomes if outcome is not None])


def _won(lead: LeadWithEvents, snapshot: datetime | None) -> bool | None:
    kept, events = lead
    return training_outcome(events, Stage.WON, as_of=kept.created_at, snapshot=snapshot)


def _fold(
    train: list[LeadWithEvents],
    test: list[LeadWithEvents],
    y_test: Array,
    snapshot: datetime | None,
    protocol: str,
) -> dict[str, Any]:
    """One fold: ours is trained as `leadloop train` does, with nothing known after the first test lead came."""
    known_until = test[0][0].created_at if protocol == "time" and test[0][0].created_at else snapshot
    past = [(lead, _until(events, known_until)) for lead, events in train] if protocol == "time" else train
    started = time.perf_counter()
    rows = make_rows(past, known_until)
    fitted = fit_conversion(rows)
    histories = [LeadHistory.at(*lead, lead[0].created_at) for lead in test]
    p = fitted.model.predict(rows.schema.matrix(histories)).won
    seconds = time.perf_counter() - started
    split = _split(rows.schema, past, histories, known_until)

    def measured(name: str) -> dict[str, float]:
        if name == OURS:
            return {**measure(y_test, p), "seconds": seconds}
        begun = time.perf_counter()
        said = PEERS[name](split)
        return {**measure(y_test, said), "seconds": time.perf_counter() - begun}

    return {"measure": measured, "warnings": fitted.model.report["warnings"]}


def _until(events: tuple[Any, ...], moment: datetime | None) -> tuple[Any, ...]:
    return tuple(event for event in events if event.at is None or moment is None or event.at < moment)


def _split(
    schema: FeatureSchema, train: list[LeadWithEvents], test: list[LeadHistory], known_until: datetime | None
) -> Split:
    """What the peers get: the same columns at creation, before categories become codes."""
    known = [(lead, won) for lead in train if (won := _won(lead, known_until)) is not None]
    histories = [LeadHistory.at(*lead, lead[0].created_at) for lead, _ in known]
    return Split(frame(schema, histories), np.array([float(won) for _, won in known]), frame(schema, test))


def _print(
    asked: argparse.Namespace, found: dict[str, list[dict[str, float]]], leads: int, rate: float, warnings: list[str]
) -> None:
    print(f"\n{asked.file.name}, {asked.protocol}: {leads} ripe leads, {rate:.1%} won; mean over folds (± sd)\n")
    names = [*(metric.name for metric in METRICS), "seconds"]
    print("| model | " + " | ".join(names) + " |\n|---" + "|---" * len(names) + "|")
    for model, folds in found.items():
        cells = [f"{np.mean([f[n] for f in folds]):.4f} ± {np.std([f[n] for f in folds]):.4f}" for n in names[:-1]]
        print(f"| {model} | " + " | ".join(cells) + f" | {np.mean([f['seconds'] for f in folds]):.1f} |")
    for warning in warnings:
        print(f"\nwarning: {warning}")


if __name__ == "__main__":
    main()
