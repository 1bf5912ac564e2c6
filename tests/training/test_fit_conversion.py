"""The model ranks where the past proves it, says the prior where it does not, and never learns from what came later."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from features.lead_history import LeadHistory
from features.records import EventKind, Stage
from models.bundle import save_bundle
from training.demo_company import DemoCompany, make_company
from training.fit_conversion import FittedConversion, fit_conversion
from training.metrics import auc, log_loss
from training.rows import LeadWithEvents, Rows, make_rows

from .conftest import Toy, toy


def fitted(leads: list[LeadWithEvents], **how: object) -> FittedConversion:
    return fit_conversion(make_rows(leads, None), **how)  # type: ignore[arg-type]


def test_leads_that_differ_are_told_apart_and_their_chances_are_right(telling: Toy) -> None:
    model = fitted(telling.leads).model
    fresh = toy(2_000, 1.0, seed=9)
    said = model.predict(model.schema.matrix([LeadHistory.at(*lead, None) for lead in fresh.leads])).won
    assert model.source == "model"
    assert np.abs(said - fresh.p).mean() < 0.06
    won = np.array([float(events[0].kind == "won") for _, events in fresh.leads])
    assert auc(won, said) > 0.7


def test_where_nothing_tells_the_leads_apart_it_says_the_prior_and_warns() -> None:
    model = fitted(toy(3_000, 0.0).leads).model
    assert model.source == "prior"
    assert "unproven" in model.report["warnings"][0]
    said = model.predict(model.schema.matrix([LeadHistory.at(*lead, None) for lead in toy(50, 0.0, seed=1).leads])).won
    assert np.ptp(said) == 0
    assert said[0] == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("size", [0, 1, 10, 60])
def test_thin_data_gives_the_prior_with_a_wide_interval_and_no_traceback(size: int) -> None:
    model = fitted(toy(size, 1.0).leads).model
    assert model.source == "prior"
    assert "prior only" in model.report["warnings"][0]
    prediction = model.predict(np.full((1, len(model.schema.columns)), np.nan))
    assert 0 < prediction.won[0] < 1
    assert prediction.high[0] - prediction.low[0] > 0.1
    assert prediction.low[0] <= prediction.won[0] <= prediction.high[0]


def test_one_outcome_only_gives_a_prior_near_it_but_never_certainty() -> None:
    sold_out = [(lead, (events[0].model_copy(update={"kind": EventKind.WON}),)) for lead, events in toy(500, 0.0).leads]
    model = fitted(sold_out).model
    assert model.source == "prior"
    assert 0.99 < model.stages[Stage.WON].prior < 1


def test_the_level_follows_the_latest_leads() -> None:
    old, new = toy(2_000, 0.0, seed=2).leads, toy(2_000, 0.0, seed=3).leads
    dried_up = [(lead, (events[0].model_copy(update={"kind": EventKind.LOST}),)) for lead, events in new]
    model = fitted([*old, *dried_up]).model
    assert model.stages[Stage.WON].prior < 0.05


def test_the_interval_holds_the_rate_of_like_leads(telling: Toy) -> None:
    model = fitted(telling.leads).model
    fresh = toy(2_000, 1.0, seed=5)
    found = model.predict(model.schema.matrix([LeadHistory.at(*lead, None) for lead in fresh.leads]))
    assert ((found.low <= fresh.p) & (fresh.p <= found.high)).mean() > 0.6
    assert (found.high - found.low).mean() < 0.25


def test_the_same_leads_and_seed_give_the_same_bytes_for_any_number_of_threads(telling: Toy, tmp_path) -> None:  # type: ignore[no-untyped-def]
    rows = make_rows(telling.leads, None)
    versions = {
        save_bundle(fit_conversion(rows, threads=threads).model, tmp_path / str(threads)).version for threads in (1, 2)
    }
    assert len(versions) == 1


# The demo company, whose truth is known


@pytest.fixture(scope="module")
def company() -> DemoCompany:
    return make_company(leads=5_000)


@pytest.fixture(scope="module")
def histories(company: DemoCompany) -> list[LeadWithEvents]:
    return company_histories(company)


def company_histories(company: DemoCompany) -> list[LeadWithEvents]:
    from features.contacts import ContactKeeper
    from features.store import Store, migrate, open_engine

    engine = open_engine("sqlite://")
    with engine.connect():
        migrate(engine)
        store = Store(engine, ContactKeeper(b"a secret for tests only"))
        store.save_leads(company.leads)
        store.save_events(company.events)
        found = list(store.leads_with_events())
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def rows(company: DemoCompany, histories: list[LeadWithEvents]) -> Rows:
    return make_rows(histories, company.ends)


def test_leads_are_looked_at_at_several_ages(rows: Rows) -> None:
    ages = rows.matrix[:, rows.schema.names.index("age")]
    assert rows.at_creation.sum() == len(rows.lead_ids)
    assert len(rows.matrix) > 2 * len(rows.lead_ids)
    assert (ages[rows.at_creation] == 0).all()
    assert {0, 1, 7, 30} <= set(ages)


def test_no_unripe_lead_is_learned_from(company: DemoCompany, histories: list[LeadWithEvents], rows: Rows) -> None:
    young = {
        lead.lead_id for lead, _ in histories if lead.created_at and lead.created_at > company.ends - timedelta(90)
    }
    assert young
    of_young = np.isin(rows.lead, [place for place, name in enumerate(rows.lead_ids) if name in young])
    for outcomes in rows.outcomes.values():
        assert np.isnan(outcomes[of_young]).all()


def test_what_the_model_learns_is_what_was_true(company: DemoCompany, rows: Rows) -> None:
    truth = company.truth.set_index("lead_id")
    ripe = rows.at_creation & np.isfinite(rows.outcomes[Stage.WON])
    learned = rows.outcomes[Stage.WON][ripe]
    real = truth.loc[[rows.lead_ids[lead] for lead in rows.lead[ripe]], "won_90d"].to_numpy(float)
    assert (learned == real).mean() > 0.995


@pytest.fixture(scope="module")
def found(rows: Rows) -> FittedConversion:
    return fit_conversion(rows)


def test_on_the_demo_company_it_beats_the_prior_on_later_leads(found: FittedConversion) -> None:
    held = found.holdout
    assert held is not None
    assert found.model.source == "model"
    assert log_loss(held.y, held.p) < log_loss(held.y, np.full(len(held.y), held.prior)) - 0.01
    assert auc(held.y, held.p) > 0.68


def test_stages_are_consistent_along_the_funnel(found: FittedConversion, rows: Rows) -> None:
    said = list(found.model.predict(rows.matrix[:500]).stages.values())
    assert len(said) == 4
    for earlier, later in pairwise(said):
        assert (earlier >= later).all()


def test_a_stage_already_reached_is_certain(found: FittedConversion, rows: Rows) -> None:
    said = found.model.predict(rows.matrix[:3], reached=np.array([0, 2, 4]))
    assert said.stages[Stage.MEETING][1] == 1.0
    assert said.won[2] == 1.0
    assert said.won[0] < 1
