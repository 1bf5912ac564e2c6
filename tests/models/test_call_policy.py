"""Call now or nurture: each rule with the cases that it decides, and what holds for every lead and every policy."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from features.contacts import ContactFacts
from features.lead_history import LeadHistory
from features.records import LeadEvent
from models.call_policy import (
    RULES,
    SHIPPED,
    Action,
    BadPolicy,
    CallPolicy,
    Case,
    decide,
    grade,
    load_policy,
    value_of_call,
    value_of_nurture,
)

POLICY = load_policy()
NOW = datetime(2026, 3, 4, 7, tzinfo=UTC)  # a Wednesday, ten o'clock in Moscow
CAME = datetime(2026, 3, 2, 7, tzinfo=UTC)
LIKELY, UNLIKELY = 0.5, 0.001


def a_lead(*events: str, phone: str = "mobile", comment: str = "", **more: Any) -> LeadHistory:
    """Events as `kind` or `kind:detail`, an hour apart."""
    happened = []
    for hours, event in enumerate(events, start=1):
        kind, _, detail = event.partition(":")
        said = {"stage": detail} if kind == "stage" else {"detail": detail or None}
        happened.append(
            LeadEvent.model_validate({"lead_id": "L", "kind": kind, "at": CAME + timedelta(hours=hours), **said})
        )
    fields = {"comment": comment} if comment else {}
    contact = ContactFacts(phone=phone)  # type: ignore[arg-type]
    dates = {"as_of": NOW, "created_at": CAME, **more}
    return LeadHistory("L", fields=fields, contact=contact, events=tuple(happened), **dates)


CASES = [  # the rule that speaks, what it says, the chance to win, what happened
    ("closed", "nurture", LIKELY, ["won"]),
    ("closed", "nurture", LIKELY, ["lost"]),
    ("closed", "nurture", None, ["message:in", "lost"]),
    ("closed", "nurture", LIKELY, ["lost", "reopened", "lost"]),
    ("worth_a_call", "call_now", LIKELY, ["lost", "reopened"]),
    ("contact_is_broken", "nurture", LIKELY, ["call:invalid"]),
    ("worth_a_call", "call_now", LIKELY, ["call:invalid", "call:answered"]),
    ("tried_enough", "nurture", LIKELY, ["call:no_answer", "call:busy", "call:voicemail"]),
    ("worth_a_call", "call_now", LIKELY, ["call:no_answer", "call:busy"]),
    ("worth_a_call", "call_now", LIKELY, ["call:no_answer", "call:busy", "call:answered", "call:busy"]),
    ("worth_a_call", "call_now", LIKELY, ["call:no_answer", "call:busy", "call:call_back", "call:no_answer"]),
    ("worth_a_call", "call_now", LIKELY, []),
    ("not_worth_it_today", "nurture", UNLIKELY, []),
    ("not_worth_it_today", "nurture", UNLIKELY, ["message:in"]),
    ("not_worth_it_today", "nurture", 0.0, []),
    ("worth_a_call", "call_now", 1.0, []),
    ("asked_to_be_called", "call_now", None, ["message:in"]),
    ("asked_to_be_called", "call_now", None, ["call:answered"]),
    ("asked_to_be_called", "call_now", None, ["stage:qualified"]),
    ("not_worth_it_today", "nurture", None, []),
    ("not_worth_it_today", "nurture", None, ["touch:page", "touch:letter"]),
    ("not_worth_it_today", "nurture", None, ["message:out"]),
]


@pytest.mark.parametrize(("because", "action", "p_won", "events"), CASES)
def test_the_first_rule_that_speaks_decides(because: str, action: str, p_won: float | None, events: list[str]) -> None:
    decision = decide(Case(a_lead(*events), p_won), POLICY, NOW)
    assert (decision.because, decision.action) == (because, action)


def test_every_rule_has_its_cases() -> None:
    assert {case[0] for case in CASES} == {rule.__name__ for rule in RULES}


@pytest.mark.parametrize(
    ("phone", "because"), [("invalid", "contact_is_broken"), ("missing", "worth_a_call"), ("fixed", "worth_a_call")]
)
def test_a_phone_that_does_not_exist_is_not_called_one_that_we_were_not_told_is(phone: str, because: str) -> None:
    assert decide(Case(a_lead(phone=phone), LIKELY), POLICY, NOW).because == because


GRADES = [
    ("iql", []),
    ("iql", ["touch:letter"]),
    ("iql", ["call:no_answer"]),
    ("mql", ["touch:letter", "touch:page"]),
    ("sal", ["message:in"]),
    ("sal", ["call:call_back"]),
    ("sql", ["stage:qualified"]),
    ("sql", ["meeting"]),
    ("sql", ["won"]),
]


@pytest.mark.parametrize(("expected", "events"), GRADES)
def test_a_lead_is_graded_by_what_it_did(expected: str, events: list[str]) -> None:
    assert grade(a_lead(*events)) == expected


def test_who_wrote_a_comment_wants_something() -> None:
    assert grade(a_lead(comment="Нужно 30 мест")) == "sal"


def test_a_call_has_a_deadline_and_a_nurtured_lead_a_next_touch() -> None:
    call = decide(Case(a_lead(), LIKELY), POLICY, NOW)
    nurture = decide(Case(a_lead(), UNLIKELY), POLICY, NOW)
    closed = decide(Case(a_lead("won"), LIKELY), POLICY, NOW)
    assert (call.deadline, call.next_touch) == (NOW + timedelta(minutes=15), None)
    assert (nurture.deadline, nurture.next_touch) == (None, NOW + timedelta(days=7))
    assert (closed.deadline, closed.next_touch) == (None, None)


def test_without_a_probability_there_is_no_value() -> None:
    decision = decide(Case(a_lead("message:in"), None), POLICY, NOW)
    assert (decision.value_of_call, decision.value_of_nurture) == (None, None)


# What holds for every lead

probabilities = st.floats(0, 1)
events = st.lists(
    st.sampled_from(
        "touch:page call:busy call:answered call:invalid message:in stage:qualified meeting won lost reopened".split()
    ),
    max_size=8,
)
BEGIN, END = datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2027-12-31")
moments = st.datetimes(BEGIN, END, timezones=st.just(UTC))


@given(p=probabilities, q=probabilities)
def test_a_call_to_a_likelier_lead_is_never_worth_less(p: float, q: float) -> None:
    assert value_of_call(max(p, q), POLICY) >= value_of_call(min(p, q), POLICY)
    assert value_of_nurture(max(p, q), POLICY) >= value_of_nurture(min(p, q), POLICY)


@given(p=probabilities, q=probabilities, happened=events)
def test_a_likelier_lead_is_never_called_less(p: float, q: float, happened: list[str]) -> None:
    lead = a_lead(*happened)
    less, more = (decide(Case(lead, chance), POLICY, NOW).action for chance in sorted((p, q)))
    assert less is Action.NURTURE or more is Action.CALL_NOW


@given(p=st.none() | probabilities, happened=events, now=moments)
def test_a_deadline_is_in_working_time_and_never_over(p: float | None, happened: list[str], now: datetime) -> None:
    decision = decide(Case(a_lead(*happened), p), POLICY, now)
    assert (decision.deadline is not None) == (decision.action is Action.CALL_NOW)
    if decision.deadline is not None:
        office = POLICY.office()
        assert decision.deadline >= now
        assert office.is_working_day(decision.deadline.date())
        assert office.opens <= decision.deadline.time() <= office.closes
    if decision.next_touch is not None:
        assert decision.next_touch > now


@given(p=st.none() | probabilities, year=st.sampled_from([1, 1970, 2026, 2100, 9999]))
def test_a_lead_of_any_date_is_decided_on(p: float | None, year: int) -> None:
    """A CRM's sign for "no date" may be the first or the last day of all; an import may hold it."""
    for came in (datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, 23, 59, tzinfo=UTC), None):
        decision = decide(Case(a_lead(created_at=came, as_of=came), p), POLICY, NOW)
        assert (decision.deadline or decision.next_touch or NOW) - NOW <= timedelta(days=7)


# Policy files


def policy_of(tmp_path: Path, **changed: Any) -> CallPolicy:
    said = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    for path, value in changed.items():
        place = said
        *parents, last = path.split("__")
        for parent in parents:
            place = place[parent]
        place[last] = value
        if value is None and last != "country":
            del place[last]
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    return load_policy(tmp_path / "policy.yaml")


BAD = [  # what is changed, the words that say it
    ({"attempts": 0}, "attempts: Input should be greater than or equal to 1"),
    ({"attempts": None}, "attempts: Field required"),
    ({"attempts": "три"}, "attempts: .*integer"),
    ({"tries": 3}, "tries: Extra inputs are not permitted"),
    ({"money__margin_per_deal": 0}, "money.margin_per_deal: .*greater than 0"),
    ({"money__margin_per_deal": float("inf")}, "money.margin_per_deal: .*finite"),
    ({"money__margin_per_deal": float("nan")}, "money.margin_per_deal"),
    ({"money__cost_of_a_call": -1}, "money.cost_of_a_call"),
    ({"money__effect_of_a_call": 1.5}, "money.effect_of_a_call: .*less than or equal to 1"),
    ({"sla_minutes": 0}, "sla_minutes"),
    ({"sla_minutes": 10**9}, "sla_minutes: .*less than or equal"),
    ({"nurture_after_days": 10**9}, "nurture_after_days: .*less than or equal"),
    ({"version": 7}, "version: .*string"),
    ({"version": ""}, "version"),
    ({"working_hours__timezone": "Europe/Mars"}, "Europe/Mars"),
    ({"working_hours__timezone": "../../etc/passwd"}, "cannot be read"),
    ({"working_hours__country": "Россия"}, "holidays of country 'Россия' are not known"),
    ({"working_hours__days": []}, "leave no time"),
    ({"working_hours__days": [7]}, "working_hours.days.0: .*less than or equal to 6"),
    ({"working_hours__from": "18:00", "working_hours__to": "09:00"}, "leave no time"),
    ({"working_hours__from": 600}, "write the hour in quotes"),
    ({"working_hours__from": "later"}, "working_hours.from"),
]


@pytest.mark.parametrize(("changed", "words"), BAD)
def test_a_policy_that_cannot_be_meant_is_refused_by_its_field(
    tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadPolicy, match=words) as refused:
        policy_of(tmp_path, **changed)
    assert "policy policy.yaml" in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "version", "a: [", "\t", "version: !!python/object:os.system x"])
def test_a_file_that_is_no_policy_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "policy.yaml").write_text(text)
    with pytest.raises(BadPolicy, match=r"policy policy\.yaml"):
        load_policy(tmp_path / "policy.yaml")


def test_bytes_and_nowhere_are_refused_too(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_bytes(b"version: \xff")
    for path in (tmp_path / "policy.yaml", tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(BadPolicy, match="cannot be read"):
            load_policy(path)


def test_hours_without_quotes_are_not_read_as_minutes(tmp_path: Path) -> None:
    """YAML reads 10:00 as 600; taken as a time of day, the office would work from 0:10 to 0:19."""
    text = SHIPPED.read_text(encoding="utf-8").replace('"09:00"', "10:00").replace('"18:00"', "19:00")
    (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadPolicy, match="in quotes"):
        load_policy(tmp_path / "policy.yaml")


def test_another_company_works_otherwise(tmp_path: Path) -> None:
    night = policy_of(
        tmp_path, working_hours__country=None, working_hours__from="20:00", working_hours__to="23:30", sla_minutes=60
    )
    assert night.office().opens == time(20)
    decision = decide(Case(a_lead(), LIKELY), night, NOW)
    assert decision.deadline is not None
    assert decision.deadline.isoformat() == "2026-03-04T21:00:00+03:00"
