"""Is the challenger better? Both models and the baselines on the latest leads, which none of them has seen."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from features.feature_schema import learn_schema
from features.lead_history import LeadHistory
from features.outcomes import training_outcome
from features.records import Stage
from features.store import Store
from models.bundle import read_manifest
from models.conversion import ConversionModel
from training.compare import Comparison, Contender, compare
from training.peers import PEERS, Split, frame
from training.registry import Registered, Registry
from training.train import score_at_creation

BASELINES = ("prior", "odoo_naive_bayes", "logistic_regression")  # those that need no tuning and a second


class NothingToCompare(ValueError):
    """There is no challenger, or no lead on which to judge it."""


def verdict(kind: str, registry: Registry, store: Store) -> Comparison:
    """The comparison on which a promotion rests."""
    challenger = registry.find(kind, "challenger")
    if challenger is None:
        raise NothingToCompare(f"there is no challenger for {kind}; run `leadloop train {kind}` first")
    champion = registry.find(kind, "champion")
    judge = _judge_conversion if kind == "conversion" else _judge_reasons
    return judge(registry, store, challenger, champion)


def _judge_conversion(
    registry: Registry, store: Store, challenger: Registered, champion: Registered | None
) -> Comparison:
    held = registry.holdout(challenger)
    if held is None:
        return _prior_only(registry, challenger, champion)
    y = np.array(held["y"])
    # an unproven challenger serves the prior, so it is judged by the prior
    p = np.array(held["p"]) if held["proven"] else np.full(len(y), held["prior"])
    incumbent, note = _incumbent(registry, store, champion, held)
    if incumbent is not None:
        unseen = np.isfinite(incumbent.p)
        y, p, incumbent = y[unseen], p[unseen], Contender(incumbent.name, incumbent.p[unseen])
        held = {**held, "lead_ids": [i for i, new in zip(held["lead_ids"], unseen, strict=True) if new]}
    found = compare(y, Contender("challenger", p), incumbent, _baselines(store, held, y))
    return Comparison(found.leads, found.metrics, found.intervals, found.objections, note)


def _incumbent(
    registry: Registry, store: Store, champion: Registered | None, held: dict[str, Any]
) -> tuple[Contender | None, list[str]]:
    """The champion's probabilities, NaN for leads that it may have learned from."""
    if champion is None:
        return None, ["there is no champion yet"]
    model = _open(registry, champion)
    until = datetime.fromisoformat(model.trained_until) if model.trained_until else None
    created = {lead.lead_id: lead.created_at for lead, _ in store.leads_with_events()}
    unseen = [_came_after(created.get(lead_id), until) for lead_id in held["lead_ids"]]
    if not any(unseen):
        return None, ["the champion has learned from all of these leads, so only the baselines are compared"]
    p = score_at_creation(model, store, held["lead_ids"])
    return Contender("champion", np.where(unseen, p, np.nan)), []


def _came_after(created: datetime | None, until: datetime | None) -> bool:
    return created is not None and until is not None and created > until


def _baselines(store: Store, held: dict[str, Any], y: np.ndarray[Any, Any]) -> list[Contender]:
    """What plain methods say of the held out leads, from the leads that came before them."""
    prior = Contender("prior", np.full(len(y), held["prior"]))
    judged: dict[str, LeadHistory] = {}
    older: list[LeadHistory] = []
    labels: list[float] = []
    snapshot, wanted = store.snapshot(), set(held["lead_ids"])
    for lead, events in store.leads_with_events():  # oldest first
        history = LeadHistory.at(lead, events, lead.created_at)
        won = training_outcome(events, Stage.WON, as_of=lead.created_at, snapshot=snapshot)
        if lead.lead_id in wanted:
            judged[lead.lead_id] = history
        elif not judged and won is not None:
            older.append(history)
            labels.append(float(won))
    if len(set(labels)) < 2:
        return [prior]
    schema = learn_schema(older)
    test = [judged[lead_id] for lead_id in held["lead_ids"]]
    split = Split(frame(schema, older), np.array(labels), frame(schema, test))
    return [prior, *(Contender(name, PEERS[name](split)) for name in BASELINES[1:])]


def _prior_only(registry: Registry, challenger: Registered, champion: Registered | None) -> Comparison:
    """A challenger that only knows the prior may serve as long as nobody serves who knows more."""
    objections = []
    seen = registry.metrics(challenger)
    if seen["won.ripe"] == 0:
        objections.append("it has seen no ripe lead, so it knows nothing that the rules do not know")
    elif seen["won.reached"] == 0:
        objections.append(f"none of its {seen['won.ripe']:.0f} ripe leads was won; import the outcomes first")
    if champion is not None and _open(registry, champion).source == "model":
        objections.append("it only knows the prior, the champion ranks")
    return Comparison(0, {}, {}, objections, ["prior only: no leads could be held out"])


def _open(registry: Registry, registered: Registered) -> ConversionModel:
    with tempfile.TemporaryDirectory() as into:
        folder = registry.fetch(registered, Path(into))
        read_manifest(folder)
        return ConversionModel.open(folder)


def _judge_reasons(
    registry: Registry, _store: Store, challenger: Registered, champion: Registered | None
) -> Comparison:
    """Readers of notes are judged by their out-of-voice figures: each was measured on voices it had not read."""
    figures = {"challenger": registry.metrics(challenger)}
    if champion is not None:
        figures["champion"] = registry.metrics(champion)
    objections = []
    lost = figures.get("champion", {}).get("accuracy", 0.0) - figures["challenger"]["accuracy"]
    if lost > 0.01:  # a hundredth is the sampling error of 13,000 notes in a few voices
        objections.append(f"its accuracy is {lost:.3f} below the champion's")
    return Comparison(int(figures["challenger"]["notes"]), figures, {}, objections)
