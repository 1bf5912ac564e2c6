"""The API and the batch give the same probability for the same lead, to the last bit, whatever stands around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from features.lead_history import KeptLead, LeadHistory, LeadVersion, stages_reached
from features.records import STAGES, LeadEvent
from features.store import Store
from models.conversion import ConversionModel, Prediction
from tests.serving.company import LEADS, Crm, make_company

DATED = range(0, LEADS, 3)  # 200 leads of the company, each at another age
UNDATED = 100  # leads of the same kind that are posted without a date

Floats = NDArray[np.float64]


def reached(histories: Sequence[LeadHistory]) -> NDArray[np.int64]:
    places = [[STAGES.index(stage) for _, stage in stages_reached(history.events)] for history in histories]
    return np.array([max(each, default=0) for each in places], dtype=np.int64)


def in_one_batch(model: ConversionModel, histories: Sequence[LeadHistory]) -> Prediction:
    return model.predict(model.schema.matrix(histories), reached(histories))


def bits(numbers: Sequence[float] | Floats) -> list[int]:
    found: list[int] = np.asarray(numbers, dtype=np.float64).view(np.int64).tolist()
    return found


@dataclass(frozen=True)
class Asked:
    """The API's answers, what its model was given for each, and the histories that a batch would make of the leads."""

    answers: list[dict[str, Any]]
    given: Floats
    histories: list[LeadHistory]


@pytest.fixture(scope="module")
def asked(crm: Crm, store: Store) -> Asked:
    """Dated leads at many ages, and undated ones."""
    given: list[Floats] = []
    predict = ConversionModel.predict

    def listening(model: ConversionModel, matrix: Floats, *more: Any) -> Prediction:
        given.append(matrix.copy())
        return predict(model, matrix, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ConversionModel, "predict", listening)
        pairs = [*_dated(crm, store), *_undated(crm, store)]
    return Asked([answer for answer, _ in pairs], np.concatenate(given), [history for _, history in pairs])


def _dated(crm: Crm, store: Store) -> list[tuple[dict[str, Any], LeadHistory]]:
    pairs = []
    leads = {lead.lead_id: (lead, events) for lead, events in store.leads_with_events()}
    for number in DATED:
        lead, events = leads[f"L{number:04d}"]
        assert lead.created_at is not None
        as_of = lead.created_at + timedelta(seconds=(number * 26_717.39) % 3e6)
        answer = crm.advice(lead.lead_id, as_of=as_of.isoformat())
        pairs.append((answer, LeadHistory.at(lead, events, as_of)))
    return pairs


def _undated(crm: Crm, store: Store) -> list[tuple[dict[str, Any], LeadHistory]]:
    pairs = []
    for lead in make_company(UNDATED, seed=11).leads:
        said = lead.model_dump(mode="json", exclude_none=True) | {"lead_id": f"U-{lead.lead_id}"}
        del said["created_at"]
        answer = crm.lead(**said)
        kept = KeptLead(f"U-{lead.lead_id}", None, (store.version_of(lead),))
        pairs.append((answer, LeadHistory.at(kept, (), None)))
    return pairs


def test_the_api_answers_what_one_big_batch_says(asked: Asked, model: ConversionModel) -> None:
    answers, batch = asked.answers, in_one_batch(model, asked.histories)
    assert len(answers) == 300
    assert bits([answer["probability"] for answer in answers]) == bits(batch.won)
    assert bits([answer["interval"][0] for answer in answers]) == bits(batch.low)
    assert bits([answer["interval"][1] for answer in answers]) == bits(batch.high)
    for stage, probabilities in batch.stages.items():
        assert bits([answer["stage_probabilities"][stage.value] for answer in answers]) == bits(probabilities)


def test_the_model_is_given_the_same_inputs_by_the_api_and_by_the_batch(asked: Asked, model: ConversionModel) -> None:
    """Sharper than its answers: most small changes of an input move no lead to another leaf."""
    batch = model.schema.matrix(asked.histories)
    assert batch.shape == asked.given.shape
    for name, ours, theirs in zip(model.schema.names, asked.given.T, batch.T, strict=True):
        assert bits(ours) == bits(theirs), name


def test_the_company_is_no_easy_one(asked: Asked, model: ConversionModel) -> None:
    """Equal answers prove something only where answers differ and every kind of feature has its say."""
    answers, histories = asked.answers, asked.histories
    assert len({answer["probability"] for answer in answers}) > 150
    assert {answer["as_of"] is None for answer in answers} == {True, False}
    assert {answer["source"] for answer in answers} == {"model"}
    matrix = model.schema.matrix(histories)
    assert len(model.schema.columns) >= 25
    assert min(len(np.unique(column[np.isfinite(column)])) for column in matrix.T) >= 2
    assert {column.field.kind for column in model.schema.columns if column.field} >= {
        "number", "category", "yes_no", "date",
    }  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 7, 64, 299])
def test_a_batch_of_any_size_in_any_order_says_the_same(asked: Asked, model: ConversionModel, size: int) -> None:
    histories = asked.histories
    whole = bits(in_one_batch(model, histories).won)
    order = np.random.default_rng(size).permutation(len(histories))
    for start in range(0, len(order), size):
        part = order[start : start + size]
        said = in_one_batch(model, [histories[place] for place in part]).won
        assert bits(said) == [whole[place] for place in part]


def test_a_feature_computed_otherwise_in_the_api_would_be_seen(asked: Asked, model: ConversionModel) -> None:
    """The comparison itself is tried: the smallest change of one input moves the bits of some answer."""
    histories = asked.histories
    matrix, honest = model.schema.matrix(histories), bits(in_one_batch(model, histories).won)
    moved = []
    for column in range(matrix.shape[1]):
        other = matrix.copy()
        other[:, column] = np.where(np.isfinite(other[:, column]), other[:, column] + 1, 0)
        moved.append(bits(model.predict(other, reached(histories)).won) != honest)
    assert np.mean(moved) > 0.8


def test_reasons_never_contradict_the_contributions(asked: Asked, model: ConversionModel) -> None:
    for answer, history in list(zip(asked.answers, asked.histories, strict=True))[::10]:
        contributions = model.contributions(model.schema.matrix([history]))[0]
        assert len(answer["reasons_for"]) <= 3
        assert len(answer["reasons_against"]) <= 3
        assert bool(answer["reasons_for"]) == bool((contributions >= 0.05).any())
        assert bool(answer["reasons_against"]) == bool((contributions <= -0.05).any())


def test_a_repeated_question_has_the_same_answer(crm: Crm) -> None:
    as_of = "2024-06-01T00:00:00Z"
    first, second = (crm.advice("L0010", as_of=as_of) for _ in range(2))
    moving = ("deadline", "next_touch")
    assert {k: v for k, v in first.items() if k not in moving} == {k: v for k, v in second.items() if k not in moving}


def test_events_in_any_order_tell_the_same_story(own_crm: Crm) -> None:
    """A webhook may overtake another; what counts is when it happened."""
    lead = {"created_at": "2026-03-02T09:30:00Z", "source": "вебинар"}
    story: list[dict[str, Any]] = [
        {"kind": "touch", "at": "2026-03-03T09:00:00Z", "detail": "page"},
        {"kind": "call", "at": "2026-03-04T09:00:00Z", "detail": "no_answer"},
        {"kind": "call", "at": "2026-03-05T09:00:00Z", "detail": "answered"},
        {"kind": "stage", "at": "2026-03-05T09:00:00Z", "stage": "qualified"},
    ]
    as_of = "2026-03-09T00:00:00Z"
    said = []
    for number, order in enumerate(([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1])):
        lead_id = f"story-{number}"
        for place in order[:2]:
            own_crm.events(lead_id, story[place])
        own_crm.lead(lead_id=lead_id, **lead)
        own_crm.events(lead_id, *(story[place] for place in order[2:]))
        answer = own_crm.advice(lead_id, as_of=as_of)
        said.append((answer["probability"], answer["reasons_for"], answer["grade"], answer["because"]))
    assert said[0] == said[1] == said[2]


def test_events_without_a_moment_are_of_no_past(model: ConversionModel) -> None:
    """An outcome column of an export has no date; no answer as of any moment may hold it."""
    lead = KeptLead("L", None, (LeadVersion(None, {"source": "баннер"}),))
    won = LeadEvent.model_validate({"lead_id": "L", "kind": "won"})
    with_it, without = LeadHistory.at(lead, [won], None), LeadHistory.at(lead, [], None)
    assert bits(in_one_batch(model, [with_it]).won) == bits(in_one_batch(model, [without]).won)
