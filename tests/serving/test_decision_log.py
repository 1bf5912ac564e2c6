"""Each answer can be judged later; what came is kept before anything else; nobody's contact is kept anywhere else."""

import json
import logging
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from features.store import Store
from features.store.tables import metadata
from serving import api, auth
from tests.serving.company import Crm, settings_of

MARCH = "2026-03-02T09:30:00+03:00"
PHONE, MAIL, NAME = "+7 916 555-44-33", "k.zvezdochkin@example.org", "Кондратий Звездочкин"


def rows(store: Store, query: str, **values: object) -> list[Any]:
    with store.engine.connect() as connection:
        return list(connection.execute(text(query), values))


# The log of decisions


def test_each_answer_is_logged_with_everything_that_led_to_it(crm: Crm, store: Store) -> None:
    said = crm.lead(lead_id="D1", created_at=MARCH, source="вебинар", budget=1_000_000)
    crm.advice("D1")
    crm.events("D1", {"kind": "touch", "at": MARCH, "detail": "page"})
    found = rows(store, "SELECT * FROM decisions WHERE lead_id = 'D1' ORDER BY decided_at")
    assert len(found) == 3
    entry = found[0]
    assert (entry.action, entry.because, entry.probability) == (said["action"], said["because"], said["probability"])
    assert (entry.model_version, entry.policy_version) == (said["model_version"], said["policy_version"])
    assert entry.propensity == said["propensity"] == 1.0
    assert json.loads(entry.answer) == said
    inputs = json.loads(entry.inputs)
    assert inputs["field:source"] == "вебинар"
    assert inputs["field:budget"] == 1_000_000


def test_the_inputs_of_a_decision_give_its_probability_again(crm: Crm, store: Store, model: Any) -> None:
    """The log is what later judges a policy: it must be enough to score the lead anew."""
    said = crm.lead(lead_id="D2", created_at=MARCH, source="рекомендация", custom={"Отдел": "склад"})
    inputs = json.loads(rows(store, "SELECT inputs FROM decisions WHERE lead_id = 'D2'")[0].inputs)
    assert list(inputs) == model.schema.names
    row = []
    for column in model.schema.columns:
        value = inputs[column.name]
        codes = {level: float(place + 1) for place, level in enumerate(column.levels)}
        row.append(float("nan") if value is None else codes.get(value, 0.0) if column.kind == "category" else value)
    assert float(model.predict(_matrix(row)).won[0]) == said["probability"]


def _matrix(row: list[float]) -> Any:
    import numpy as np

    return np.array([row])


def test_rules_are_logged_as_rules(new_crm: Crm) -> None:
    new_crm.lead(lead_id="D3", created_at=MARCH, source="вебинар")
    store = settings_of(new_crm.home).open_store()
    (entry,) = rows(store, "SELECT * FROM decisions")
    assert (entry.model_version, entry.probability, json.loads(entry.inputs)) == ("rules", None, {"source": "вебинар"})
    store.engine.dispose()


# Personal data


def test_a_contact_is_nowhere_but_in_the_inbox_and_in_no_log(own_crm: Crm, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        _tell_everything(own_crm)
    store = settings_of(own_crm.home).open_store()
    held = {table: str(rows(store, f"SELECT * FROM {table}")) for table in metadata.tables}
    store.engine.dispose()
    said = {"the log": caplog.text, **{table: found for table, found in held.items() if table != "inbox"}}
    for place, found in said.items():
        digits = "".join(letter for letter in found if letter.isdigit())
        assert "9165554433" not in digits, place
        assert MAIL not in found, place
        assert "Звездочкин" not in found, place
    assert "9165554433" in "".join(letter for letter in held["inbox"] if letter.isdigit())


def _tell_everything(crm: Crm) -> None:
    about = f"{PHONE}, {MAIL}"
    crm.lead(
        lead_id="P1",
        created_at=MARCH,
        phone=PHONE,
        email=MAIL,
        contact_name=NAME,
        comment=f"звоните {about}",
        custom={"Ещё": about},
    )
    crm.events(
        "P1",
        {"kind": "message", "at": MARCH, "detail": about},
        {"kind": "lost", "at": MARCH, "note": f"просил набрать {about}", "crm_reason": about},
    )
    crm.note(f"просил набрать {about}", lead_id="P1")
    crm.ask("POST", "/v1/leads", {"lead_id": "P1", "created_at": f"{PHONE}", "phone": [PHONE], "custom": {PHONE: [1]}})
    crm.ask("POST", "/v1/leads/P1/events", {"events": [{"kind": PHONE, "at": MAIL, PHONE: MAIL}]})
    crm.ask("GET", f"/v1/leads/{PHONE}/recommendation", params={"as_of": MAIL})


# The inbox


def test_the_raw_body_is_kept_as_it_came_also_one_that_is_refused(crm: Crm, store: Store) -> None:
    for path, route in (
        ("/v1/leads", "/v1/leads"),
        ("/v1/leads/I1/events", "/v1/leads/{lead_id}/events"),
        ("/v1/loss-notes", "/v1/loss-notes"),
    ):
        body = f'{{"broken": "{path}", '.encode() + b"\xff"
        assert crm.ask("POST", path, body).status_code == 422
        kept = rows(store, "SELECT body FROM inbox WHERE route = :route ORDER BY received_at DESC", route=route)
        assert kept[0].body == body


def test_the_body_is_kept_before_anything_else(
    own_crm: Crm, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the mistake is ours: then the answer and the log say so without a word of what was typed."""

    def breaks(_store: object, leads: list[object], **_: object) -> None:
        raise RuntimeError(f"cannot save {leads}")

    monkeypatch.setattr(Store, "save_leads", breaks)
    answer = own_crm.ask("POST", "/v1/leads", {"lead_id": "I2", "comment": NAME})
    assert answer.json()["type"] == "urn:leadloop:unexpected"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "Звездочкин" not in answer.text + caplog.text
    assert "RuntimeError on POST /v1/leads" in caplog.text
    store = settings_of(own_crm.home).open_store()
    assert [json.loads(row.body)["lead_id"] for row in rows(store, "SELECT body FROM inbox")] == ["I2"]
    store.engine.dispose()


def test_old_bodies_are_erased_at_the_start_and_every_hour(own_crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    own_crm.ask("POST", "/v1/leads", {"lead_id": "I3"})
    store = settings_of(own_crm.home).open_store()
    month_later = datetime.now(UTC) + timedelta(days=30, minutes=1)
    monkeypatch.setattr(api, "_now", lambda: month_later)
    own_crm.ask("POST", "/v1/leads", {"lead_id": "I4"})
    assert [row.body for row in rows(store, "SELECT body FROM inbox")] == [b'{"lead_id": "I4"}']
    monkeypatch.setattr(api, "_now", lambda: month_later + timedelta(days=31))
    api.make_app(settings_of(own_crm.home))
    assert rows(store, "SELECT body FROM inbox") == []
    store.engine.dispose()


# A store that fails


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock is waited for a moment only, so that the test is short."""
    monkeypatch.setattr(api, "LOCK_WAIT_MS", 300)


@pytest.fixture
def failing_crm(impatient: None, own_crm: Crm) -> Crm:
    """A CRM whose key is known; then it is up to the test to take the store away."""
    own_crm.advice("L0001")
    return own_crm


def ask_everything(crm: Crm) -> tuple[Any, list[Any]]:
    lead = crm.ask("POST", "/v1/leads", {"lead_id": "F1", "created_at": MARCH, "source": "рекомендация"})
    others = [
        crm.ask("POST", "/v1/leads/L0001/events", {"events": [{"kind": "touch", "at": MARCH}]}),
        crm.ask("GET", "/v1/leads/L0001/recommendation"),
        crm.ask("POST", "/v1/loss-notes", {"text": "дорого", "lead_id": "L0001"}),
    ]
    return lead, others


def it_fails_politely(crm: Crm) -> None:
    lead, others = ask_everything(crm)
    assert (lead.status_code, lead.headers["retry-after"]) == (503, "5")
    assert lead.json()["acknowledged"] is False
    assert lead.json()["source"] == "model"
    assert lead.json()["probability"] is not None
    for answer in others:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json().get("type", "urn:leadloop:store-unavailable") == "urn:leadloop:store-unavailable"
    assert crm.client.get("/healthz").status_code == 200


def it_works_again(crm: Crm) -> None:
    lead, others = ask_everything(crm)
    assert [answer.status_code for answer in (lead, *others)] == [200] * 4
    assert lead.json()["acknowledged"] is True
    assert crm.ready()["status"] == "ready"


def test_without_its_tables_the_service_advises_and_says_that_nothing_was_kept(failing_crm: Crm) -> None:
    tables = ("inbox", "leads", "lead_versions", "events", "loss_notes", "decisions", "api_keys")
    _each(failing_crm, [f"ALTER TABLE {table} RENAME TO gone_{table}" for table in tables])
    it_fails_politely(failing_crm)
    assert failing_crm.ready() == {
        "status": "degraded",
        "models": failing_crm.ready()["models"],
        "problems": ["the store does not answer: OperationalError"],
    }
    _each(failing_crm, [f"ALTER TABLE gone_{table} RENAME TO {table}" for table in tables])
    it_works_again(failing_crm)


def _each(crm: Crm, statements: list[str]) -> None:
    with sqlite3.connect(crm.home / "leadloop.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_decision_that_cannot_be_logged_is_said_to_be_lost(failing_crm: Crm) -> None:
    _each(failing_crm, ["ALTER TABLE decisions RENAME TO gone_decisions"])
    answer = failing_crm.ask("GET", "/v1/leads/L0001/recommendation")
    assert (answer.status_code, answer.json()["acknowledged"]) == (503, False)
    _each(failing_crm, ["ALTER TABLE gone_decisions RENAME TO decisions"])
    it_works_again(failing_crm)


def test_a_database_file_that_was_removed_is_noticed(failing_crm: Crm) -> None:
    """SQLite goes on writing into a removed file: without a check every answer would be a false promise."""
    path = failing_crm.home / "leadloop.db"
    moved = {each: each.with_name(f"moved{each.name}") for each in path.parent.glob("leadloop.db*")}
    for here, there in moved.items():
        here.rename(there)
    it_fails_politely(failing_crm)
    assert failing_crm.ready()["status"] == "degraded"
    for each in path.parent.glob("leadloop.db*"):
        each.unlink()
    for here, there in moved.items():
        there.rename(here)
    it_works_again(failing_crm)


def test_a_locked_database_is_waited_for_and_not_for_ever(failing_crm: Crm) -> None:
    holder = sqlite3.connect(failing_crm.home / "leadloop.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    started = datetime.now(UTC)
    it_fails_politely(failing_crm)
    assert datetime.now(UTC) - started < timedelta(seconds=15)  # four waits; the store's own patience makes it 20
    releasing = threading.Timer(0.1, holder.rollback)
    releasing.start()
    it_works_again(failing_crm)
    releasing.join()
    holder.close()


def test_a_key_outlives_the_half_minute_while_the_store_is_away(
    failing_crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    _each(failing_crm, ["ALTER TABLE api_keys RENAME TO gone_api_keys"])
    later = auth.monotonic() + auth.KNOWN_FOR_S + 1
    monkeypatch.setattr(auth, "monotonic", lambda: later)
    assert failing_crm.ask("POST", "/v1/leads", {"lead_id": "F2"}).status_code == 200
    stranger = failing_crm.ask("POST", "/v1/leads", {"lead_id": "F3"}, key="never seen")
    assert (stranger.status_code, stranger.headers["retry-after"]) == (503, "5")


def test_a_hundred_failures_leave_no_connection_behind(failing_crm: Crm) -> None:
    _each(failing_crm, ["ALTER TABLE inbox RENAME TO gone_inbox"])
    for _ in range(100):
        assert failing_crm.ask("POST", "/v1/leads", {"lead_id": "F4"}).status_code == 503
    _each(failing_crm, ["ALTER TABLE gone_inbox RENAME TO inbox"])
    it_works_again(failing_crm)
