"""Whatever is sent, the answer is a plain problem and never repeats what was typed; never a 5xx, never a traceback."""

import json
import logging
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from serving.errors import BODY_LIMIT
from tests.serving.company import Crm, settings_of

SECRET_WORD = "ПовторятьНельзя"
DIGITS = "7" * 5_000
DEEP = 100_000

POSTS = ["/v1/leads", "/v1/leads/H1/events", "/v1/loss-notes"]

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"  \n ",
    "not JSON": f"{SECRET_WORD}".encode(),
    "half a JSON": b'{"lead_id": "',
    "two JSONs": b"{}{}",
    "null": b"null",
    "a list": b"[]",
    "a number": b"1",
    "a text": f'"{SECRET_WORD}"'.encode(),
    "an empty object": b"{}",
    "cp1251": f'{{"lead_id": "{SECRET_WORD}"}}'.encode("cp1251"),
    "utf-16": f'{{"lead_id": "{SECRET_WORD}"}}'.encode("utf-16"),
    "utf-32": b'{"lead_id": "H"}'.decode().encode("utf-32"),
    "bytes that are no text": bytes(range(256)),
    "a zip": b"PK\x03\x04" + b"\x00" * 100,
    "gzip": bytes.fromhex("1f8b08000000000002ff"),
    "a form": b"lead_id=1&source=2",
    "XML": b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * (DEEP // 5) + b"1" + b"}" * (DEEP // 5),
    "deep and never closed": b"[" * DEEP,
    "a megabyte too much": b'{"lead_id": "' + b"x" * (BODY_LIMIT + 2**20) + b'"}',
    "twenty megabytes": b" " * (20 * 2**20),
}

VALUES: dict[str, str] = {  # as it stands in the JSON
    "NaN": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "beyond floats": "1e999",
    "a lone surrogate": r'"\ud800"',
    "a surrogate the wrong way round": r'"\udc00\ud800"',
    "two to the 63rd": str(2**63),
    "beyond it below": str(-(2**63) - 1),
    "5,000 digits": DIGITS,
    "5,000 digits as a text": f'"{DIGITS}"',
    "a fraction of 5,000 digits": f"0.{DIGITS}",
    "NUL": r'"a\u0000b"',
    "only NUL": r'"\u0000"',
    "an object": f'{{"{SECRET_WORD}": 1}}',
    "a list": f'["{SECRET_WORD}"]',
    "true": "true",
    "an empty text": '""',
    "200,000 letters": '"' + "я" * 100_000 + '"',
    "a script": '"<script>alert(1)</script>"',
    "right to left": '"\u202eabc"',
    "combining marks": '"' + "a" + "\u0301" * 10_000 + '"',
    "quotes of SQL": '"\'; DROP TABLE leads; --"',
    "a path": '"../../etc/passwd"',
    "a pattern": '"%s%n{0}{{7*7}}${7*7}"',
}

PLACES = {
    "/v1/leads": ["lead_id", "created_at", "order", "source", "budget", "phone", "email", "manager", "custom", "новое"],
    "/v1/leads/H1/events": ["kind", "at", "event_id", "stage", "detail", "amount", "manager", "note", "crm_reason"],
    "/v1/loss-notes": ["text", "lead_id", "stage", "lang", "written_at"],
}


def fits(answer: Any) -> None:
    """No server's mistake, a problem where it is refused, nothing repeated, no traceback."""
    assert answer.status_code < 500, answer.text[:500]
    if answer.status_code >= 400:
        assert SECRET_WORD not in answer.text
        assert "7777777" not in answer.text
        assert "Traceback" not in answer.text
        assert len(answer.text) < 3_000
        assert json.loads(answer.text)["detail"]


@pytest.fixture(autouse=True)
def _no_traceback_in_the_log(caplog: pytest.LogCaptureFixture) -> Any:
    with caplog.at_level(logging.WARNING):
        yield
    assert [record.message for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_none_of_ours_is_refused_plainly(crm: Crm, path: str, body: str) -> None:
    answer = crm.ask("POST", path, BODIES[body])
    fits(answer)
    assert answer.status_code == (413 if len(BODIES[body]) > BODY_LIMIT else 422)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("path", PLACES)
def test_no_value_anywhere_breaks_the_answer(crm: Crm, path: str, value: str) -> None:
    for place in PLACES[path]:
        fits(crm.ask("POST", path, _body(path, f'"{place}": {VALUES[value]}')))


@pytest.mark.parametrize(
    "name", ["", r"\u0000", r"\ud800", "__proto__", "я" * 10_000, SECRET_WORD, "lead_id ", "phone "]
)
@pytest.mark.parametrize("path", PLACES)
def test_no_name_of_a_field_breaks_the_answer(crm: Crm, path: str, name: str) -> None:
    fits(crm.ask("POST", path, _body(path, f'"{name}": "x"')))
    fits(crm.ask("POST", path, _body(path, f'"{name}": ["x"]')))
    fits(crm.ask("POST", "/v1/leads", f'{{"lead_id": "H4", "custom": {{"{name}": {{}}}}}}'.encode()))


def _body(path: str, *said: str) -> bytes:
    """A body that is right but for what is said; a name said twice is a duplicate key, the later counts."""
    right = {
        "/v1/leads": '"lead_id": "H2"',
        "/v1/leads/H1/events": '"kind": "touch", "at": "2026-03-02T09:30:00Z"',
        "/v1/loss-notes": '"text": "дорого"',
    }[path]
    inner = "{" + ", ".join([right, *said]) + "}"
    whole = f'{{"events": [{inner}]}}' if path.endswith("/events") else inner
    return whole.encode("utf-8", "surrogatepass")


def test_of_a_name_that_comes_twice_the_later_counts(crm: Crm) -> None:
    answer = crm.ask("POST", "/v1/leads", b'{"lead_id": "H5", "lead_id": "H6", "a": 1, "a": 2}')
    assert answer.json()["lead_id"] == "H6"


@pytest.mark.parametrize("count", [500, 501, 10_000])
def test_a_lead_has_as_many_fields_of_its_own_as_is_sane(crm: Crm, count: int) -> None:
    answer = crm.ask("POST", "/v1/leads", {"lead_id": "H7", **{f"f{n}": n for n in range(count)}})
    fits(answer)
    assert answer.status_code == (200 if count == 500 else 422)


IDS = [
    "%00", "%ff", "%ed%a0%80", "a%00b", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "a%2Fb", "//", "%20", "x" * 10_000,
    "%d1%8f" * 3_000, "%0d%0aSet-Cookie:a=b", "'%20OR%201=1", "<script>", "%e2%80%ae", "+", "%25", "%",
]  # fmt: skip


@pytest.mark.parametrize("lead_id", IDS, ids=range(len(IDS)))
def test_no_identifier_in_a_path_breaks_the_answer(crm: Crm, lead_id: str) -> None:
    answer = crm.ask("GET", f"/v1/leads/{lead_id}/recommendation")
    fits(answer)
    assert answer.status_code in (200, 404, 422)
    assert "set-cookie" not in answer.headers
    fits(crm.ask("POST", f"/v1/leads/{lead_id}/events", _body("/v1/leads/H1/events")))


QUERIES = [
    "as_of=foo", "as_of=", "as_of=NaN", "as_of=1e999", f"as_of={DIGITS}", "as_of=2026-03-01", "as_of=%00", "as_of=%ff",
    "as_of=2026-03-01T00:00:00+03:00", "as_of=9999-12-31T23:59:59-12:00", "as_of=0001-01-01T00:00:00%2B14:00",
    "lang=xx", "lang=", "lang=%ff", "lang=ru&lang=xx", f"as_of={SECRET_WORD}", "%ff=%00", "&&&==",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_no_query_breaks_the_answer(crm: Crm, query: str) -> None:
    answer = crm.ask("GET", f"/v1/leads/L0001/recommendation?{query}")
    fits(answer)
    assert answer.status_code == (200 if query in ("%ff=%00", "&&&==") else 422)
    fits(crm.ask("POST", f"/v1/leads?{query}", {"lead_id": "H8"}))


HEADERS: list[dict[str, str | bytes]] = [
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/json; charset=cp1251"},
    {"Content-Type": b"\xff\xfe"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Encoding": "gzip"},
    {"Accept": "text/html"},
    {"Accept-Language": "x" * 10_000},
    {"Content-Length": "-5"},
    {"Content-Length": "99999999999999999999"},
    {"Content-Length": "five"},
    {"Transfer-Encoding": "chunked"},
    {"Host": b"\xd0\xb9"},
    {"X-Forwarded-For": "' OR 1=1"},
    {"Expect": "100-continue"},
    {"Range": "bytes=0-0"},
    {"Cookie": "\x7f" * 1_000},
]


@pytest.mark.parametrize("headers", HEADERS, ids=range(len(HEADERS)))
def test_no_header_breaks_the_answer(crm: Crm, headers: dict[str, str | bytes]) -> None:
    fits(crm.ask("POST", "/v1/leads", {"lead_id": "H9"}, headers=dict(headers)))


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize(
    "path", ["/v1/leads", "/v1/leads/L1/events", "/v1/nothing", "/", "/healthz", "/reviews/x.ru.html"]
)
def test_every_method_on_every_path_has_a_plain_answer(crm: Crm, method: str, path: str) -> None:
    fits(crm.ask(method, path))


def test_a_caller_who_hangs_up_leaves_no_trace(crm: Crm) -> None:
    sent: list[Any] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/v1/leads", "raw_path": b"/v1/leads", "query_string": b"", "client": ("1.1.1.1", 1),
        "server": ("test", 80), "headers": [(b"authorization", f"Bearer {crm.key}".encode())],
    }  # fmt: skip
    parts = [{"type": "http.request", "body": b'{"lead_', "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    anyio.run(crm.client.app, scope, receive, send)
    assert [message["status"] for message in sent if "status" in message] in ([400], [])


# What nobody thought of

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=True)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.sampled_from(
        ["2026-03-02T09:30:00Z", "won", "call", "no_answer", "lost", "дорого", "1e999", "+7 916 123-45-67"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
fuzzed = settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


# Right values in half of the places: a body that is wrong everywhere is refused before anything interesting happens.
RIGHT = {
    "kind": ["touch", "stage", "call", "message", "meeting", "proposal", "won", "lost", "reopened"],
    "stage": ["lead", "qualified", "won"],
    "detail": ["no_answer", "answered", "in"],
    "at": ["2026-03-02T09:30:00Z", "1970-01-01T00:00:00Z", "2100-12-31T23:59:59Z"],
    "created_at": ["2026-03-02T09:30:00Z", "2100-12-31T23:59:59+03:00"],
    "written_at": ["2026-03-02T09:30:00Z"],
    "amount": [0, "120000.50", -1],
    "custom": [{}, {"Отдел": "склад"}, {"source": 1}, {" phone": "+7 916 123-45-67"}],
    "lang": ["ru", "en"],
}


def _fields(path: str) -> Any:
    """A few fields of a route's body, right and wrong; "новое" stands for one that nobody knows."""
    each = [
        st.tuples(st.just(name), st.sampled_from(RIGHT[name]) | anything if name in RIGHT else anything)
        for name in PLACES[path]
    ]
    return st.lists(st.one_of(each), max_size=3).map(dict)


def _sent(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=True).encode()


@fuzzed
@given(said=_fields("/v1/leads"))
@example(said={"lead_id ": "with a blank it is another field, until blanks are cut"})
def test_any_lead_is_answered_or_refused(crm: Crm, said: dict[str, Any]) -> None:
    fits(crm.ask("POST", "/v1/leads", _sent({"lead_id": "F", **said})))


@fuzzed
@given(said=st.lists(_fields("/v1/leads/H1/events"), max_size=3))
@example(said=[{"kind": "call"}])
def test_any_events_are_taken_or_refused(crm: Crm, said: list[dict[str, Any]]) -> None:
    events = [{"kind": "touch", "at": "2026-03-02T09:30:00Z", **event} for event in said]
    fits(crm.ask("POST", "/v1/leads/H1/events", _sent({"events": events})))


@fuzzed
@given(said=_fields("/v1/loss-notes"))
def test_any_note_is_read_or_refused(crm: Crm, said: dict[str, Any]) -> None:
    fits(crm.ask("POST", "/v1/loss-notes", _sent({"text": "дорого", **said})))


@settings(fuzzed, max_examples=100)
@given(body=st.binary(max_size=200) | anything.map(_sent))
def test_any_bytes_are_refused_or_read(crm: Crm, body: bytes) -> None:
    for path in POSTS:
        fits(crm.ask("POST", path, body))


def test_what_hostile_leads_said_is_stored_alike_on_either_server(store_url: str, tmp_path: Any) -> None:
    """PostgreSQL refuses what SQLite swallows: NUL, NaN, broken Unicode, numbers beyond 63 bits."""
    from fastapi.testclient import TestClient

    from serving.api import make_app

    home = settings_of(tmp_path / "home").model_copy(update={"store": store_url})
    opened = home.open_store()
    key = home.open_log(opened).new_key("crm")
    opened.engine.dispose()
    with TestClient(make_app(home)) as client:
        crm = Crm(client, key, tmp_path)
        for value in VALUES.values():
            for path, places in PLACES.items():
                for place in (places[3], places[-1]):
                    answer = crm.ask("POST", path, _body(path, f'"{place}": {value}'))
                    assert answer.status_code < 500 or answer.json()["type"] == "urn:leadloop:no-model", answer.text
