"""Nobody asks without a key; keys are kept as hashes, two may live at once, a revoked one dies."""

import re

import pytest
from fastapi.routing import APIRoute

from features.store import Store
from serving import auth
from tests.serving.company import Crm, settings_of


def v1_routes(crm: Crm) -> list[tuple[str, str]]:
    """Every method and path under /v1, with something in place of its parameters."""
    paths = crm.client.get("/openapi.json").json()["paths"]
    return [
        (method.upper(), re.sub(r"\{[^}]*\}", "L1", path))
        for path, methods in paths.items()
        for method in methods
        if path.startswith("/v1")
    ]


def test_every_v1_route_needs_a_key(crm: Crm) -> None:
    routes = v1_routes(crm)
    assert len(routes) >= 4
    for method, path in routes:
        answer = crm.ask(method, path, {"lead_id": "L1"}, key=None)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
        assert "Authorization: Bearer" in answer.json()["detail"]


def test_the_routes_that_are_not_described_hold_nothing_of_v1(crm: Crm) -> None:
    hidden = [
        route.path
        for route in crm.client.app.routes  # type: ignore[attr-defined]
        if isinstance(route, APIRoute) and not route.include_in_schema
    ]
    assert [path for path in hidden if path.startswith("/v1")] == []


BAD_HEADERS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    "Basic dXNlcjpwYXNz",
    "bearer\tx",
    "Bearer " + "k" * 8_000,
    "Bearer ключ".encode(),
    b"Bearer \xff\xfe",
    "Bearer ' OR 1=1 --",
    "Bearer null",
]


@pytest.mark.parametrize("header", BAD_HEADERS)
def test_a_key_that_is_none_is_refused_and_never_repeated(crm: Crm, header: str | bytes) -> None:
    answer = crm.client.get("/v1/leads/L1/recommendation", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "kkkk" not in answer.text


def test_a_key_in_the_address_is_never_read(crm: Crm) -> None:
    for query in (f"key={crm.key}", f"api_key={crm.key}", f"access_token={crm.key}"):
        answer = crm.ask("GET", f"/v1/leads/L0001/recommendation?{query}", key=None)
        assert answer.status_code == 401
        assert crm.key not in answer.text


def test_the_scheme_may_be_written_in_any_case(crm: Crm) -> None:
    for scheme in ("bearer", "BEARER", "Bearer "):
        headers = {"Authorization": f"{scheme} {crm.key}"}
        assert crm.client.get("/v1/leads/L0001/recommendation", headers=headers).status_code == 200


def test_a_key_is_kept_as_a_hash_only(crm: Crm, store: Store) -> None:
    crm.advice("L0001")
    with store.engine.connect() as connection:
        rows = [str(row) for row in connection.exec_driver_sql("SELECT * FROM api_keys")]
    assert rows
    assert not any(crm.key in row for row in rows)
    assert all(re.search(r"'[0-9a-f]{64}'", row) for row in rows)


def test_two_keys_live_at_once_and_a_revoked_one_dies(own_crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    store = settings_of(own_crm.home).open_store()
    log = settings_of(own_crm.home).open_log(store)
    newer = log.new_key("newer")
    for key in (own_crm.key, newer):
        assert own_crm.ask("GET", "/v1/leads/L0001/recommendation", key=key).status_code == 200
    assert log.revoke_key("crm")
    half_a_minute_later = auth.monotonic() + auth.KNOWN_FOR_S + 1
    monkeypatch.setattr(auth, "monotonic", lambda: half_a_minute_later)
    assert own_crm.ask("GET", "/v1/leads/L0001/recommendation").status_code == 401
    assert own_crm.ask("GET", "/v1/leads/L0001/recommendation", key=newer).status_code == 200
    store.engine.dispose()


def test_a_key_tried_before_it_was_made_works_once_it_is_made(own_crm: Crm) -> None:
    store = settings_of(own_crm.home).open_store()
    log = settings_of(own_crm.home).open_log(store)
    assert own_crm.ask("GET", "/v1/leads/L0001/recommendation", key="not yet").status_code == 401
    made = log.new_key("made later")
    assert own_crm.ask("GET", "/v1/leads/L0001/recommendation", key=made).status_code == 200
    store.engine.dispose()
