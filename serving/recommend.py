"""One lead as of a moment → a recommendation: features, probability, policy, reasons."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from features.lead_history import KeptLead, LeadHistory, furthest_stage
from features.records import LeadEvent
from models.call_policy import CallPolicy, Case, decide
from models.conversion import ConversionModel, Prediction
from models.explain import reasons
from serving.champions import Champion, Champions
from serving.schemas import Language, Recommendation, Value


@dataclass(frozen=True)
class Advice:
    """A recommendation with what the decision log needs beside it."""

    recommendation: Recommendation
    inputs: dict[str, Any]


class Recommender:
    """Advises with the published champion, or by the rules alone where there is none."""

    def __init__(self, champions: Champions, policy: CallPolicy, currency: str) -> None:
        self._champions = champions
        self._policy = policy
        self._currency = currency

    def advise(
        self,
        lead: KeptLead,
        events: Sequence[LeadEvent],
        *,
        as_of: datetime | None,
        now: datetime,
        language: Language = "ru",
    ) -> Advice:
        """Advice for a lead as known at `as_of` (None for a lead without dates), given at `now`."""
        case = LeadHistory.at(lead, events, as_of or now)
        champion = self._champions.get("conversion")
        if champion is None:
            return Advice(self._decide(case, None, as_of, now), dict(case.fields))
        return self._by_model(_as_learned(lead, events, as_of, now), case, champion, now, language)

    def _by_model(
        self, history: LeadHistory, case: LeadHistory, champion: Champion[Any], now: datetime, language: Language
    ) -> Advice:
        model = champion.model
        assert isinstance(model, ConversionModel)
        matrix = model.schema.matrix([history])
        prediction = model.predict(matrix, np.array([furthest_stage(history.events)]))
        values = model.schema.values(history)
        pros, cons = reasons(model.schema, values, model.contributions(matrix)[0], language)
        recommendation = self._decide(case, prediction, history.as_of, now).model_copy(
            update={
                "reasons_for": pros,
                "reasons_against": cons,
                "source": model.source,
                "model_version": champion.version,
            }
        )
        return Advice(recommendation, dict(zip(model.schema.names, values, strict=True)))

    def _decide(
        self, case: LeadHistory, prediction: Prediction | None, as_of: datetime | None, now: datetime
    ) -> Recommendation:
        p_won = None if prediction is None else float(prediction.won[0])
        decision = decide(Case(case, p_won), self._policy, now)
        return Recommendation(
            lead_id=case.lead_id,
            action=decision.action.value,
            because=decision.because,
            probability=p_won,
            interval=None if prediction is None else (float(prediction.low[0]), float(prediction.high[0])),
            stage_probabilities={}
            if prediction is None
            else {s.value: float(p[0]) for s, p in prediction.stages.items()},
            grade=decision.grade,
            value=Value(call_now=decision.value_of_call, nurture=decision.value_of_nurture, currency=self._currency),
            deadline=decision.deadline,
            next_touch=decision.next_touch,
            reasons_for=[],
            reasons_against=[],
            source="rules",
            as_of=as_of,
            model_version=None,
            policy_version=self._policy.version,
            propensity=1.0,  # the policy draws nothing by chance
            acknowledged=False,
        )


def _as_learned(lead: KeptLead, events: Sequence[LeadEvent], as_of: datetime | None, now: datetime) -> LeadHistory:
    """What the model reads. Without the lead's date it learned from leads as they came, without events and ages.

    The policy reads events all the same: a lead that was won is not called, whenever it came.
    """
    if lead.created_at is not None:
        return LeadHistory.at(lead, events, as_of)
    return LeadHistory.at(replace(lead, versions=(lead.as_known(as_of or now),)), (), None)
