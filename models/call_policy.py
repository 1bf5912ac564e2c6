"""Probability, money and rules → call now or nurture, with the name of the rule that decided."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from features.lead_history import LeadHistory, furthest_stage
from features.outcomes import is_open
from features.records import STAGES, EventKind, Stage
from features.working_time import WorkingHours

SHIPPED = Path(__file__).parent / "call_policy.yaml"
LONGEST_SLA = 10 * 24 * 60  # minutes; nobody calls a lead "now" after ten days
LONGEST_NURTURE = 366  # days; a next touch after a year is no nurturing
Grade = Literal["iql", "mql", "sal", "sql"]


class Action(StrEnum):
    CALL_NOW = "call_now"
    NURTURE = "nurture"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Money(_Strict):
    """In the company's currency."""

    margin_per_deal: Annotated[float, Field(gt=0)]
    cost_of_a_call: Annotated[float, Field(ge=0)]
    effect_of_a_call: Annotated[float, Field(ge=0, le=1)]


class Hours(_Strict):
    timezone: str
    country: str | None
    days: list[Annotated[int, Field(ge=0, le=6)]]
    opens: time = Field(alias="from")
    closes: time = Field(alias="to")

    @field_validator("opens", "closes", mode="before")
    @classmethod
    def _is_written_as_text(cls, value: object) -> object:
        if isinstance(value, str | time):
            return value
        raise ValueError('write the hour in quotes, "10:00": YAML reads 10:00 as the number 600')


class CallPolicy(_Strict):
    """A company's policy, read from YAML; every field is explained there."""

    version: Annotated[str, Field(min_length=1, max_length=64)]
    money: Money
    attempts: Annotated[int, Field(ge=1)]
    sla_minutes: Annotated[int, Field(gt=0, le=LONGEST_SLA)]
    working_hours: Hours
    nurture_after_days: Annotated[int, Field(gt=0, le=LONGEST_NURTURE)]

    def office(self) -> WorkingHours:
        hours = self.working_hours
        return WorkingHours(ZoneInfo(hours.timezone), hours.country, frozenset(hours.days), hours.opens, hours.closes)


class BadPolicy(ValueError):
    """A policy file that cannot be used."""


def load_policy(path: Path = SHIPPED) -> CallPolicy:
    """The policy of a file; BadPolicy says which line is wrong and what was expected."""
    try:
        policy = CallPolicy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        policy.office()
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadPolicy(f"policy {path.name}: {wrong}") from error
    except (OSError, yaml.YAMLError, ValueError, KeyError) as error:
        raise BadPolicy(f"policy {path.name} cannot be read: {error}") from error
    return policy


@dataclass(frozen=True)
class Case:
    """One lead at the moment of the decision; `p_won` is None where no model was ever published."""

    lead: LeadHistory
    p_won: float | None

    @property
    def failed_in_a_row(self) -> int:
        calls = self.lead.of_kind(EventKind.CALL)
        answered = [place for place, call in enumerate(calls) if call.detail in ("answered", "call_back")]
        return len(calls) - (answered[-1] + 1 if answered else 0)


@dataclass(frozen=True)
class Decision:
    """What to do, which rule said so, and the values of both actions in money (None without a probability)."""

    action: Action
    because: str
    grade: Grade
    value_of_call: float | None
    value_of_nurture: float | None
    deadline: datetime | None
    next_touch: datetime | None


Rule = Callable[[Case, CallPolicy], Action | None]


def closed(case: Case, _policy: CallPolicy) -> Action | None:
    """Won or lost: there is nobody to call now."""
    return None if is_open(case.lead.events) else Action.NURTURE


def contact_is_broken(case: Case, _policy: CallPolicy) -> Action | None:
    """The phone does not exist or is somebody else's: the contact has to be mended first.

    A missing phone is no broken one: many CRMs keep it to themselves.
    """
    last = case.lead.last(EventKind.CALL)
    broken = case.lead.contact.phone == "invalid" or (last is not None and last.detail == "invalid")
    return Action.NURTURE if broken else None


def tried_enough(case: Case, policy: CallPolicy) -> Action | None:
    """So many calls in a row were not answered that the next is worth less than a letter."""
    return Action.NURTURE if case.failed_in_a_row >= policy.attempts else None


def worth_a_call(case: Case, policy: CallPolicy) -> Action | None:
    """A call earns more than it costs."""
    if case.p_won is None:
        return None
    return Action.CALL_NOW if value_of_call(case.p_won, policy) > value_of_nurture(case.p_won, policy) else None


def asked_to_be_called(case: Case, _policy: CallPolicy) -> Action | None:
    """Without a model: the lead is sales-ready by what it did."""
    return Action.CALL_NOW if case.p_won is None and grade(case.lead) in ("sal", "sql") else None


def not_worth_it_today(_case: Case, _policy: CallPolicy) -> Action | None:
    """Nothing speaks for a call."""
    return Action.NURTURE


# The first rule that speaks decides; its name is the explanation that the CRM shows.
RULES: list[Rule] = [closed, contact_is_broken, tried_enough, worth_a_call, asked_to_be_called, not_worth_it_today]


def decide(case: Case, policy: CallPolicy, now: datetime) -> Decision:
    """The decision for a case at `now`; a call has a deadline in working time, a nurtured lead a next touch."""
    for rule in RULES:
        if action := rule(case, policy):
            return _decision(action, rule.__name__, case, policy, now)
    raise AssertionError("not_worth_it_today always answers")


def value_of_call(p_won: float, policy: CallPolicy) -> float:
    """Expected margin of a call at once, less its cost."""
    return p_won * policy.money.margin_per_deal - policy.money.cost_of_a_call


def value_of_nurture(p_won: float, policy: CallPolicy) -> float:
    """Expected margin when the lead is warmed instead: the part of the chance that needs no call at once."""
    return p_won * (1 - policy.money.effect_of_a_call) * policy.money.margin_per_deal


def grade(lead: LeadHistory) -> Grade:
    """How ready a lead is, by the furthest stage it reached and by what it did.

    `sql`: qualified by sales. `sal`: wrote or answered. `mql`: came back at least twice. `iql`: took the material only.
    """
    if furthest_stage(lead.events) >= STAGES.index(Stage.QUALIFIED):
        return "sql"
    answered = any(call.detail in ("answered", "call_back") for call in lead.of_kind(EventKind.CALL))
    wrote = bool(lead.fields.get("comment")) or any(m.detail == "in" for m in lead.of_kind(EventKind.MESSAGE))
    if answered or wrote:
        return "sal"
    return "mql" if len(lead.of_kind(EventKind.TOUCH)) >= 2 else "iql"


def _decision(action: Action, because: str, case: Case, policy: CallPolicy, now: datetime) -> Decision:
    calls = action is Action.CALL_NOW
    return Decision(
        action=action,
        because=because,
        grade=grade(case.lead),
        value_of_call=None if case.p_won is None else value_of_call(case.p_won, policy),
        value_of_nurture=None if case.p_won is None else value_of_nurture(case.p_won, policy),
        deadline=policy.office().deadline(now, timedelta(minutes=policy.sla_minutes)) if calls else None,
        next_touch=None if calls or because == "closed" else now + timedelta(days=policy.nurture_after_days),
    )
