"""The store's history → a trained model, registered in MLflow as the challenger."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.lead_features import FEATURES
from features.lead_history import LeadHistory
from features.outcomes import HORIZON
from features.records import Stage
from features.store import Store
from models.conversion import ConversionModel
from models.taxonomy import load_taxonomy
from training.fit_conversion import SETTINGS, TREES, FittedConversion, fit_conversion
from training.fit_reasons import fit_reasons, starter_notes
from training.registry import Registered, Registry
from training.rows import Rows, make_rows

Say = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """What a training gave: the registered challenger, its figures, and what a person should know."""

    registered: Registered
    metrics: dict[str, float]
    warnings: Sequence[str]
    left_out: Sequence[str]


def train_conversion(
    store: Store, registry: Registry, *, seed: int = 0, horizon: timedelta = HORIZON, say: Say = lambda _: None
) -> Trained:
    """Trains on every lead of the store; with no ripe lead at all the model is the prior of nobody, and says so."""
    say("reading histories")
    leads = list(store.leads_with_events())
    rows = make_rows(leads, store.snapshot(), field_types=store.field_types(), horizon=horizon)
    say(f"{len(leads)} leads, {len(rows.matrix)} rows, {len(rows.schema.columns)} columns")
    fitted = fit_conversion(rows, seed=seed, horizon_days=horizon.days, say=say)
    metrics = conversion_metrics(fitted)
    registered = registry.register(
        fitted.model,
        params={"seed": seed, "horizon_days": horizon.days, "trees": TREES, **SETTINGS},
        metrics=metrics,
        data=_about(rows),
        holdout=_holdout_json(fitted),
    )
    functions = {function.name for function in FEATURES}  # a feature that this history does not feed is no news
    left_out = [f"{field.field}: {field.why}" for field in rows.schema.left_out if field.field not in functions]
    return Trained(registered, metrics, fitted.model.report["warnings"], left_out)


def train_reasons(
    registry: Registry, *, seed: int = 0, without_voices: Sequence[str] = (), say: Say = lambda _: None
) -> Trained:
    """Trains the reader of loss notes on the starter corpus; `without_voices` are set aside (the demo's own notes)."""
    notes = starter_notes(without_voices=without_voices)
    say(f"{len(notes)} notes of the starter corpus (synthetic)")
    fitted = fit_reasons(notes, load_taxonomy(), seed=seed)
    metrics = fitted.report.figures() | {"notes": float(len(notes))}
    registered = registry.register(
        fitted.classifier,
        params={"seed": seed, "notes": len(notes), "without_voices": ",".join(without_voices)},
        metrics=metrics,
        data={"notes": len(notes), "digest": _digest([note.text for note in notes])},
    )
    return Trained(registered, metrics, [], [])


def conversion_metrics(fitted: FittedConversion) -> dict[str, float]:
    """Each stage's figures on the leads held out, named `won.auc`, `won.prior_log_loss` …"""
    found: dict[str, float] = {}
    for proof in fitted.model.report["proofs"]:
        stage = proof["stage"]
        found |= {f"{stage}.{name}": value for name, value in proof["metrics"].items()}
        found |= {f"{stage}.prior_{name}": value for name, value in proof["prior_metrics"].items()}
        found[f"{stage}.proven"] = float(proof["proven"])
    won = fitted.model.stages[Stage.WON]
    return {**found, "won.ripe": float(won.ripe), "won.reached": float(won.reached)}


def score_at_creation(model: ConversionModel, store: Store, lead_ids: Sequence[str]) -> NDArray[np.float64]:
    """P(won) of these leads as they came, by any model: what a champion would have said of leads it has not seen."""
    wanted = {lead_id: place for place, lead_id in enumerate(lead_ids)}
    found = np.full(len(lead_ids), np.nan)
    for lead, events in store.leads_with_events():
        if lead.lead_id in wanted:
            matrix = model.schema.matrix([LeadHistory.at(lead, events, lead.created_at)])
            found[wanted[lead.lead_id]] = model.predict(matrix).won[0]
    return found


def _about(rows: Rows) -> dict[str, Any]:
    return {
        "leads": len(rows.lead_ids),
        "rows": len(rows.matrix),
        "digest": hashlib.sha256(rows.matrix.tobytes()).hexdigest()[:16],
        "until": rows.snapshot.isoformat() if rows.snapshot else "undated",
    }


def _holdout_json(fitted: FittedConversion) -> dict[str, Any] | None:
    held = fitted.holdout
    if held is None:
        return None
    return {
        "lead_ids": list(held.lead_ids),
        "y": held.y.tolist(),
        "p": held.p.tolist(),
        "prior": held.prior,
        "proven": fitted.model.stages[Stage.WON].proven,
    }


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\x00".join(texts).encode()).hexdigest()[:16]
