"""What the CRM sends is kept once and answered at once, with what was known at the moment that it asks about."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from features.store import Store
from serving import schemas
from tests.serving.company import Crm

MARCH = "2026-03-02T09:30:00+03:00"


def march(day: int, hour: int = 12) -> str:
    return f"2026-03-{day:02d}T{hour:02d}:00:00+03:00"


def a_call(day: int, detail: str = "no_answer") -> dict[str, Any]:
    return {"kind": "call", "at": march(day), "detail": detail}


# One lead, told once or many times


def test_a_lead_is_answered_with_everything_that_the_crm_may_rely_on(crm: Crm) -> None:
    said = crm.lead(lead_id="full", created_at=MARCH, source="рекомендация", budget=1_000_000, comment="Нужно 30 мест")
    schemas.Recommendation.model_validate(said)
    assert said["source"] == "model"
    assert said["model_version"].startswith("conversion-")
    assert said["action"] == "call_now"
    assert said["grade"] == "sal"
    assert said["interval"][0] <= said["probability"] <= said["interval"][1]
    assert said["stage_probabilities"]["won"] == said["probability"]
    assert said["value"]["call_now"] > said["value"]["nurture"]
    assert said["acknowledged"] is True


def test_the_same_lead_posted_twice_is_one_lead(crm: Crm, store: Store) -> None:
    first = crm.lead(lead_id="twice", created_at=MARCH, source="баннер")
    second = crm.lead(lead_id="twice", created_at=MARCH, source="баннер")
    assert [lead.lead_id for lead, _ in store.leads_with_events()].count("twice") == 1
    kept = store.lead("twice")
    assert kept is not None
    assert len(kept.versions) == 1
    assert first["probability"] == pytest.approx(second["probability"], abs=0.01)


def test_what_a_later_message_leaves_out_stays(crm: Crm, store: Store) -> None:
    crm.lead(lead_id="merged", created_at=MARCH, source="вебинар", custom={"Отдел": "склад"})
    crm.lead(lead_id="merged", budget=1_000_000, custom={"Есть CRM": "да"})
    kept = store.lead("merged")
    assert kept is not None
    assert kept.created_at == datetime.fromisoformat(MARCH)
    assert kept.versions[-1].fields == {"source": "вебинар", "budget": 1_000_000, "Отдел": "склад", "Есть CRM": "да"}


def test_two_messages_at_once_lose_nothing(crm: Crm, store: Store) -> None:
    crm.lead(lead_id="crowded", created_at=MARCH)
    wishes = [{"lead_id": "crowded", f"Поле {n}": n} for n in range(12)]
    threads = [threading.Thread(target=crm.ask, args=("POST", "/v1/leads", wish)) for wish in wishes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = store.lead("crowded")
    assert kept is not None
    assert kept.versions[-1].fields == {f"Поле {n}": n for n in range(12)}


def test_a_key_that_is_not_known_becomes_a_custom_field(crm: Crm, store: Store) -> None:
    crm.lead(lead_id="own", created_at=MARCH, Отдел="склад", custom={"Есть CRM": "нет"}, empty=None)
    kept = store.lead("own")
    assert kept is not None
    assert kept.versions[-1].fields == {"Отдел": "склад", "Есть CRM": "нет"}


def test_a_custom_field_sways_the_model_without_a_line_of_code(crm: Crm, store: Store) -> None:
    crm.lead(lead_id="swayed", created_at=MARCH, custom={"Отдел": "склад"})
    inputs = json.loads(_last_decision(store, "swayed").inputs)
    assert inputs["field:Отдел"] == "склад"


def _last_decision(store: Store, lead_id: str) -> Any:
    with store.engine.connect() as connection:
        query = "SELECT * FROM decisions WHERE lead_id = ? ORDER BY decided_at DESC LIMIT 1"
        return connection.exec_driver_sql(query, (lead_id,)).one()


@pytest.mark.parametrize("lead_id", ["Д-2026/0017", "a b", "лид#7", "1" * 128, "x/recommendation"])
def test_an_identifier_may_look_as_crms_make_them(crm: Crm, lead_id: str) -> None:
    crm.lead(lead_id=lead_id, created_at=MARCH)
    path = "/v1/leads/" + "".join(f"%{byte:02x}" for byte in lead_id.encode())
    assert crm.ask("GET", f"{path}/recommendation").json()["lead_id"] == lead_id
    assert crm.ask("POST", f"{path}/events", {"events": [a_call(3)]}).json()["stored"] == 1


def test_a_byte_order_mark_before_the_json_does_no_harm(crm: Crm) -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"lead_id": "bom"}).encode()
    assert crm.ask("POST", "/v1/leads", body).status_code == 200


# Events


def test_events_are_kept_before_their_lead_is_known(crm: Crm) -> None:
    early = crm.events("early", a_call(3), a_call(4))
    assert early == {"lead_id": "early", "stored": 2, "repeated": 0, "recommendation": None}
    assert crm.ask("GET", "/v1/leads/early/recommendation").status_code == 404
    crm.lead(lead_id="early", created_at=MARCH)
    assert crm.events("early", a_call(5))["recommendation"]["because"] == "tried_enough"


def test_an_event_told_twice_is_one_event(crm: Crm) -> None:
    assert crm.events("told", a_call(3))["stored"] == 1
    assert crm.events("told", a_call(3), a_call(4)) == {
        "lead_id": "told",
        "stored": 1,
        "repeated": 1,
        "recommendation": None,
    }


def test_a_lost_lead_is_left_in_peace_and_its_note_waits_for_the_week(crm: Crm, store: Store) -> None:
    crm.lead(lead_id="lost", created_at=MARCH, source="рекомендация", budget=1_000_000)
    lost = {"kind": "lost", "at": march(9), "note": "дорого, тел. +7 916 123-45-67", "crm_reason": "Цена"}
    said = crm.events("lost", lost)["recommendation"]
    assert (said["action"], said["because"], said["next_touch"]) == ("nurture", "closed", None)
    day = datetime.fromisoformat(march(9))
    notes = store.untagged_notes("no model", day, day + timedelta(hours=1))
    assert [(note.lead_id, note.text, note.crm_reason) for note in notes] == [("lost", "дорого, тел. <phone>", "Цена")]


EVENTS_REFUSED = [  # what came, the field that is named
    ({"events": []}, "events"),
    ({"events": [{"kind": "call", "at": march(3)}]}, "events.0"),
    ({"events": [{"kind": "call", "at": march(3), "detail": "+79161234567"}]}, "events.0"),
    ({"events": [{"kind": "stage", "at": march(3)}]}, "events.0"),
    ({"events": [{"kind": "stage", "at": march(3), "stage": "won?"}]}, "events.0.stage"),
    ({"events": [{"kind": "dance", "at": march(3)}]}, "events.0.kind"),
    ({"events": [{"kind": "touch"}]}, "events.0.at"),
    ({"events": [{"kind": "touch", "at": "2026-03-03 12:00"}]}, "events.0.at"),
    ({"events": [{"kind": "touch", "at": "0001-01-01T00:00:00Z"}]}, "events.0.at"),
    ({"events": [{"kind": "touch", "at": march(3), "+79161234567": 1}]}, "events.0"),
    ({"events": [{"kind": "won", "at": march(3), "amount": "1e30"}]}, "events.0.amount"),
]


@pytest.mark.parametrize(("body", "field"), EVENTS_REFUSED)
def test_an_event_that_says_too_little_is_refused_by_its_field(crm: Crm, body: Any, field: str) -> None:
    answer = crm.ask("POST", "/v1/leads/refused/events", body)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert "9161234567" not in answer.text


# What was known then


def test_a_later_event_does_not_change_what_was_right_then(crm: Crm) -> None:
    crm.lead(lead_id="then", created_at=MARCH, source="вебинар")
    crm.events("then", {"kind": "touch", "at": march(3), "detail": "page"})
    before = crm.advice("then", as_of=march(5))
    crm.events("then", {"kind": "message", "at": march(6), "detail": "in"}, {"kind": "won", "at": march(7)})
    assert _said(crm.advice("then", as_of=march(5))) == _said(before)
    assert crm.advice("then", as_of=march(8))["because"] == "closed"


def test_a_later_change_of_a_field_does_not_change_what_was_right_then(crm: Crm) -> None:
    crm.lead(lead_id="changed", created_at=MARCH, source="баннер", budget=100_000)
    before = crm.advice("changed", as_of=march(5))
    crm.lead(lead_id="changed", source="рекомендация", budget=1_000_000)
    assert _said(crm.advice("changed", as_of=march(5))) == _said(before)
    assert crm.advice("changed")["probability"] > before["probability"]


def test_a_change_is_seen_from_its_arrival_on(crm: Crm) -> None:
    crm.lead(lead_id="arrived", created_at=MARCH, source="баннер")
    crm.lead(lead_id="arrived", source="рекомендация")
    now = datetime.now(UTC)
    assert (
        crm.advice("arrived", as_of=(now - timedelta(hours=1)).isoformat())["probability"]
        < crm.advice("arrived", as_of=now.isoformat())["probability"]
    )


def test_nothing_is_advised_on_a_lead_before_it_came(crm: Crm) -> None:
    crm.lead(lead_id="unborn", created_at=MARCH)
    answer = crm.ask("GET", "/v1/leads/unborn/recommendation", params={"as_of": "2026-03-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["field"]) == (422, "as_of")


def _said(advice: dict[str, Any]) -> dict[str, Any]:
    """Without the moments that depend on when it is asked."""
    return {name: value for name, value in advice.items() if name not in ("deadline", "next_touch")}


# Leads without a date


def test_a_lead_without_a_date_gets_no_feature_of_time(crm: Crm, store: Store) -> None:
    crm.lead(lead_id="undated", source="вебинар", budget=1_000_000)
    crm.events("undated", {"kind": "touch", "at": march(3), "detail": "page"})
    said = crm.advice("undated")
    assert said["as_of"] is None
    inputs = json.loads(_last_decision(store, "undated").inputs)
    of_time = ["created_hour", "created_weekday", "age", "days_since_last_touch", "days_in_stage"]
    assert [inputs[name] for name in of_time if name in inputs] == [None] * sum(name in inputs for name in of_time)
    assert "age" in inputs


def test_a_lead_without_a_date_is_left_in_peace_when_it_was_won(crm: Crm) -> None:
    crm.lead(lead_id="undated-won", source="рекомендация", budget=1_000_000)
    assert crm.advice("undated-won")["action"] == "call_now"
    assert crm.events("undated-won", {"kind": "won", "at": march(7)})["recommendation"]["because"] == "closed"
    assert crm.advice("undated-won", as_of=march(5))["action"] == "call_now"


def test_a_lead_without_a_date_may_tell_more_later(crm: Crm) -> None:
    first = crm.lead(lead_id="undated-more", source="баннер")
    more = crm.lead(lead_id="undated-more", source="рекомендация", budget=1_000_000)
    assert more["probability"] > first["probability"]


@pytest.mark.parametrize("year", ["0001", "1969", "2101", "9999"])
def test_a_moment_of_no_year_of_ours_is_refused_with_what_to_do(crm: Crm, year: str) -> None:
    for moment in (f"{year}-01-01T00:00:00+14:00", f"{year}-12-31T23:59:59-12:00"):
        answer = crm.ask("POST", "/v1/leads", {"lead_id": "old", "created_at": moment})
        assert answer.status_code == 422
        assert "left out" in answer.json()["detail"]
        assert crm.ask("GET", "/v1/leads/old/recommendation", params={"as_of": moment}).status_code == 422


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", "2100-12-31T23:59:59Z", 0, 1_767_225_600])
def test_a_lead_of_another_age_is_answered(crm: Crm, moment: object) -> None:
    said = crm.lead(lead_id=f"age-{moment}", created_at=moment, source="рекомендация", budget=1_000_000)
    assert 0 <= said["probability"] <= 1
    assert datetime.fromisoformat(said["deadline"] or said["next_touch"]) - datetime.now(UTC) < timedelta(days=30)


# Notes


def test_a_note_is_read_with_the_words_that_speak_for_it(crm: Crm) -> None:
    text = "ну что: взяли у конкурента"
    said = crm.note(text)
    schemas.NoteTagged.model_validate(said)
    assert (said["reason"], said["sure"]) == ("competitor", True)
    assert "конкурента" in [text[span["start"] : span["end"]] for span in said["evidence"]]
    assert said["model_version"].startswith("reasons-")


def test_a_note_of_a_lead_is_kept_once_even_when_it_is_sent_again(crm: Crm, store: Store) -> None:
    for _ in range(2):
        crm.note("пропал, тел. +7 916 123-45-67", lead_id="noted", stage="meeting")
    now = datetime.now(UTC)
    notes = store.untagged_notes("no model", now - timedelta(minutes=5), now + timedelta(minutes=5))
    assert [(note.text, note.stage) for note in notes if note.lead_id == "noted"] == [
        ("пропал, тел. <phone>", "meeting")
    ]


def test_without_a_reader_a_note_is_kept_all_the_same(new_crm: Crm) -> None:
    answer = new_crm.ask("POST", "/v1/loss-notes", {"text": "дорого", "lead_id": "L1", "written_at": MARCH})
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:leadloop:no-model")
    store, day = _store_of(new_crm), datetime.fromisoformat(MARCH)
    assert [note.text for note in store.untagged_notes("no model", day, day + timedelta(days=1))] == ["дорого"]
    store.engine.dispose()


def _store_of(crm: Crm) -> Store:
    from tests.serving.company import settings_of

    return settings_of(crm.home).open_store()


# The service itself


def test_the_service_says_that_it_lives_and_with_what_it_answers(crm: Crm) -> None:
    assert crm.client.get("/healthz").json() == {"status": "ok"}
    ready = crm.ready()
    assert ready["status"] == "ready"
    assert ready["problems"] == []
    assert set(ready["models"]) == {"conversion", "reasons"}
    assert all(ready["models"].values())


def test_without_models_the_rules_answer_and_it_is_said(new_crm: Crm) -> None:
    said = new_crm.lead(lead_id="L1", created_at=MARCH, comment="перезвоните мне")
    assert (said["source"], said["probability"], said["interval"], said["model_version"]) == ("rules", None, None, None)
    assert (said["action"], said["because"]) == ("call_now", "asked_to_be_called")
    ready = new_crm.ready()
    assert ready["status"] == "degraded"
    assert len(ready["problems"]) == 2


def test_the_description_of_the_api_refers_to_nothing_that_is_not_in_it(crm: Crm) -> None:
    document = crm.client.get("/openapi.json").json()
    there = set(document["components"]["schemas"])
    text = json.dumps(document)
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert "#/$defs" not in text
    assert named <= there
    assert {"EventIn", "Recommendation"} <= named


def test_answers_in_english_where_the_crm_asks_for_it(crm: Crm) -> None:
    lead = {"lead_id": "english", "created_at": MARCH, "source": "рекомендация", "budget": 1_000_000}
    said = crm.ask("POST", "/v1/leads", lead, params={"lang": "en"}).json()
    assert any(reason.startswith(("source: ", "budget: ")) for reason in said["reasons_for"])


def test_every_answer_carries_the_headers_of_security(crm: Crm) -> None:
    for answer in (crm.client.get("/healthz"), crm.client.get("/nothing"), crm.ask("POST", "/v1/leads", b"{")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_an_event_dated_ahead_is_refused_and_says_which(crm: Crm) -> None:
    crm.lead(lead_id="ahead", created_at=MARCH, source="вебинар")
    event = {"kind": "touch", "at": "2089-01-01T00:00:00Z", "detail": "page"}
    said = crm.ask("POST", "/v1/leads/ahead/events", {"events": [{**event, "at": MARCH}, event]})
    assert said.status_code == 422
    assert said.json()["field"] == "events.1.at"
    assert "future" in said.json()["detail"]
