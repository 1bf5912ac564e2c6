"""FEATURES: plain functions, one lead's history in, a number, a category or missing out.

Training, the API and the batch map these same functions. To add a feature, write its function here under `@feature`.
Beside them every field of the lead, known or custom, is a feature by itself (`FeatureSchema`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from features.lead_history import LeadHistory, furthest_stage, stages_reached
from features.records import EventKind

Value = float | str | None
FeatureKind = Literal["number", "category"]


@dataclass(frozen=True)
class Feature:
    """A named function of a history with its unit; a category has none."""

    name: str
    kind: FeatureKind
    unit: str | None
    of: Callable[[LeadHistory], Value]

    def __call__(self, lead: LeadHistory) -> Value:
        return self.of(lead)


FEATURES: list[Feature] = []


def feature(
    *, kind: FeatureKind = "number", unit: str | None = None
) -> Callable[[Callable[[LeadHistory], Value]], Feature]:
    """Puts a function into FEATURES under its own name."""

    def register(function: Callable[[LeadHistory], Value]) -> Feature:
        made = Feature(function.__name__, kind, unit, function)
        FEATURES.append(made)
        return made

    return register


# How the lead can be reached


@feature(kind="category")
def phone_kind(lead: LeadHistory) -> Value:
    """Missing, invalid, mobile, fixed or other."""
    return lead.contact.phone


@feature(kind="category")
def phone_country(lead: LeadHistory) -> Value:
    """The country of a valid phone, as ISO 3166 letters; missing without one."""
    return lead.contact.phone_country


@feature(kind="category")
def email_kind(lead: LeadHistory) -> Value:
    """Missing, invalid, personal (a public mail service) or company."""
    return lead.contact.email


@feature(unit="yes/no")
def has_name(lead: LeadHistory) -> Value:
    """Whether the person said their name."""
    return float(lead.contact.has_name)


# When it came and how old it is


@feature(unit="hour, UTC")
def created_hour(lead: LeadHistory) -> Value:
    """Hour of the day at which the lead came; missing without a date."""
    return None if lead.created_at is None else float(lead.created_at.hour)


@feature(unit="0 = Monday, UTC")
def created_weekday(lead: LeadHistory) -> Value:
    """Day of the week on which the lead came; missing without a date."""
    return None if lead.created_at is None else float(lead.created_at.weekday())


@feature(unit="days")
def age(lead: LeadHistory) -> Value:
    """Days from the lead's creation to the moment of the history; missing without dates.

    >>> age(LeadHistory.of("2026-03-08T00:00Z", created_at="2026-03-01T12:00Z"))
    6.5
    """
    return lead.days_since(lead.created_at)


# What they did


@feature(unit="touches")
def touches(lead: LeadHistory) -> Value:
    """How many letters, pages, webinars and materials so far."""
    return float(len(lead.of_kind(EventKind.TOUCH)))


@feature(unit="kinds")
def kinds_of_touches(lead: LeadHistory) -> Value:
    """How many different kinds of touches so far."""
    return float(len({event.detail for event in lead.of_kind(EventKind.TOUCH)}))


@feature(kind="category")
def last_touch(lead: LeadHistory) -> Value:
    """What the latest touch was; missing without one."""
    last = lead.last(EventKind.TOUCH)
    return None if last is None else last.detail


@feature(unit="days")
def days_since_last_touch(lead: LeadHistory) -> Value:
    """Days from the lead's latest touch to the moment of the history; a lead never touched is missing, not zero.

    >>> days_since_last_touch(LeadHistory.of("2026-03-08T00:00Z", touch="2026-03-05T00:00Z"))
    3.0
    """
    last = lead.last(EventKind.TOUCH)
    return None if last is None else lead.days_since(last.at)


@feature(unit="messages")
def messages_in(lead: LeadHistory) -> Value:
    """How many messages the lead wrote so far."""
    return float(sum(event.detail == "in" for event in lead.of_kind(EventKind.MESSAGE)))


# What sales did


@feature(unit="hours")
def hours_to_first_call(lead: LeadHistory) -> Value:
    """Hours from creation to the first attempt to call; missing while there was none."""
    calls = lead.of_kind(EventKind.CALL)
    if not calls or lead.created_at is None or calls[0].at is None:
        return None
    return (calls[0].at - lead.created_at).total_seconds() / 3600


@feature(unit="attempts")
def call_attempts(lead: LeadHistory) -> Value:
    """How many attempts to call so far."""
    return float(len(lead.of_kind(EventKind.CALL)))


@feature(unit="calls")
def calls_answered(lead: LeadHistory) -> Value:
    """How many calls were answered so far."""
    return float(sum(event.detail == "answered" for event in lead.of_kind(EventKind.CALL)))


@feature(kind="category")
def last_call(lead: LeadHistory) -> Value:
    """Outcome of the latest attempt to call; missing while there was none."""
    last = lead.last(EventKind.CALL)
    return None if last is None else last.detail


# Where it stands


@feature(unit="stage, lead = 0")
def stage(lead: LeadHistory) -> Value:
    """The furthest stage reached so far, counted along the funnel."""
    return float(furthest_stage(lead.events))


@feature(unit="days")
def days_in_stage(lead: LeadHistory) -> Value:
    """Days since the latest change of stage, since creation where there was none; missing without dates."""
    moves = stages_reached(lead.events)
    return lead.days_since(moves[-1][0] if moves else lead.created_at)


@feature(unit="times")
def times_reopened(lead: LeadHistory) -> Value:
    """How often a lost lead was opened again."""
    return float(len(lead.of_kind(EventKind.REOPENED)))


@feature(unit="money")
def proposal_amount(lead: LeadHistory) -> Value:
    """Amount of the latest proposal; missing without one."""
    last = lead.last(EventKind.PROPOSAL)
    return None if last is None or last.amount is None else float(last.amount)


# What they wrote


@feature(unit="letters")
def comment_length(lead: LeadHistory) -> Value:
    """Length of the lead's comment; a lead without one has zero."""
    return float(len(str(lead.fields.get("comment", ""))))


@feature(unit="fields")
def fields_filled(lead: LeadHistory) -> Value:
    """How many fields of the lead hold a value."""
    return float(len(lead.fields))
