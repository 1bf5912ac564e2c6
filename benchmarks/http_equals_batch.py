"""Does the API answer what the batch says? The latest leads of an export, posted over HTTP, compared bit by bit.

    python benchmarks/http_equals_batch.py FILE --mapping M [--leads 200] [--json OUT]

Trains on the leads before them, publishes the bundle, starts the real server, posts each lead as JSON, and compares
its probability with one batch over all of them.
"""

import argparse
import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from features.exports import read_export
from features.lead_history import KeptLead, LeadHistory
from features.mapping import load_mapping
from features.records import Lead, LeadEvent
from models.bundle import read_manifest, save_bundle
from models.conversion import ConversionModel
from serving.server import post, running
from serving.settings import Settings
from training.fit_conversion import fit_conversion
from training.rows import LeadWithEvents, make_rows


def main() -> None:
    asked = _arguments()
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), store=None, mlflow=None)
        store = settings.open_store()
        leads = _read(asked.file, asked.mapping)
        older, latest = leads[: -asked.leads], [lead for lead, _ in leads[-asked.leads :]]
        keeper = store.version_of
        model = _publish([(_kept(lead, keeper), events) for lead, events in older], settings)
        key = settings.open_log(store).new_key("benchmark")
        with running(settings, "127.0.0.1") as address:
            answers = [post(address, "/v1/leads", key, _as_json(lead)) for lead in latest]
        batch = _batch(model, [_kept(lead, keeper) for lead in latest], answers)
        store.engine.dispose()
    said = np.array([answer["probability"] for answer in answers])
    result = {
        "file": asked.file.name,
        "trained_on": len(older),
        "posted": len(said),
        "model": answers[0]["model_version"],
        "source": answers[0]["source"],
        "identical": int((said.view(np.int64) == batch.view(np.int64)).sum()),
        "largest_difference": float(np.abs(said - batch).max()),
        "distinct_probabilities": len(np.unique(said)),
    }
    print(json.dumps(result, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    if result["identical"] != result["posted"]:
        raise SystemExit("the API and the batch differ")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--mapping", required=True)
    parser.add_argument("--leads", type=int, default=200)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _read(file: Path, mapping: str) -> list[tuple[Lead, tuple[LeadEvent, ...]]]:
    """The leads of the file with their outcomes, oldest first."""
    leads: list[Lead] = []
    events: dict[str, list[LeadEvent]] = {}
    for record in read_export(file, load_mapping(mapping)).records():
        if isinstance(record, Lead):
            leads.append(record)
        elif isinstance(record, LeadEvent):
            events.setdefault(record.lead_id, []).append(record)
    leads.sort(key=lambda lead: (lead.created_at is not None and lead.created_at.timestamp(), lead.order or 0))
    return [(lead, tuple(events.get(lead.lead_id, ()))) for lead in leads]


def _kept(lead: Lead, version_of: Any) -> KeptLead:
    return KeptLead(lead.lead_id, lead.created_at, (version_of(lead),), lead.order, lead.manager)


def _publish(leads: list[LeadWithEvents], settings: Settings) -> ConversionModel:
    """Trains, saves the bundle where the API looks, and opens it again for the batch."""
    fitted = fit_conversion(make_rows(leads, None))
    folder = settings.bundles / "conversion"
    made = save_bundle(fitted.model, folder / "new")
    (folder / "new").rename(folder / made.version)
    (folder / "champion.json").write_text(json.dumps({"version": made.version}), encoding="utf-8")
    read_manifest(folder / made.version)
    return ConversionModel.open(folder / made.version)


def _as_json(lead: Lead) -> dict[str, Any]:
    return lead.model_dump(mode="json", exclude_none=True)


def _batch(model: ConversionModel, leads: list[KeptLead], answers: list[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    moments = [datetime.fromisoformat(answer["as_of"]) if answer["as_of"] else None for answer in answers]
    histories = [LeadHistory.at(lead, (), as_of) for lead, as_of in zip(leads, moments, strict=True)]
    return model.predict(model.schema.matrix(histories)).won


if __name__ == "__main__":
    main()
