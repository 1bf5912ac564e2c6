"""A made-up company whose truth is known: two years of leads, events, notes and spend, and what would have been."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from features.records import KNOWN_FIELDS, Lead, LeadEvent, LossNote, Spend
from training import demo_rules as rules
from training.demo_events import record_events
from training.demo_facts import Facts, Flags, facts_of
from training.demo_leads import draw_leads, only
from training.demo_notes import write_notes
from training.demo_rules import Array
from training.demo_truth import Walk, draw_luck, hidden, true_chances, walk, what_was_done

DRAWS = 40  # lucks behind a true chance
CUSTOM_FIELDS = (
    "Город",
    "Текущее решение",
    "Сотрудников в отделе",
    "Работаете с CRM",
    "Договор с поставщиком до",
    "Откуда узнали",
    "GUID заявки",
)
KNOWN_AFTER = ("Причина отказа (итог)", "Номер договора")  # written when the outcome is known: they leak


@dataclass(frozen=True)
class DemoCompany:
    """What the CRM knows at the snapshot (`leads`, `events`, `notes`, `spend`), and the truth behind it.

    `truth` has one row per lead, in the order of `leads`: the chances and the drawn outcomes under both actions, what
    was done and why, what came of it (also after the snapshot), the planted pattern, the columns known only after.
    `note_truth` has one row per note: the true reason, the reason that the text tells, the note of the corpus.
    """

    ends: datetime
    leads: list[Lead]
    events: list[LeadEvent]
    notes: list[LossNote]
    spend: list[Spend]
    truth: pd.DataFrame
    note_truth: pd.DataFrame


def make_company(seed: int = 7, leads: int = 20_000, ends: datetime = rules.ENDS) -> DemoCompany:
    """The same seed, number of leads and snapshot give the same company to the last byte."""
    if ends.tzinfo is None:
        raise ValueError(
            f"ends={ends!r} has no time zone; give the snapshot as an aware moment, such as demo_rules.ENDS"
        )
    # one stream per subject: a change in how notes are written leaves the leads as they were
    streams = [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(6)]
    frame = draw_leads(streams[0], leads, ends)
    facts, luck = facts_of(frame, ends), draw_luck(streams[1], leads)
    if_called, if_nurtured = walk(facts, luck, call=True), walk(facts, luck, call=False)
    rule, propensity = past_policy(frame)
    called = streams[2].random(leads) < propensity
    way = what_was_done(called, if_called, if_nurtured)
    events = record_events(facts, way, called, hidden(facts, luck)["need"], luck, streams[3])
    notes = write_notes(facts, way, streams[4])
    truth = _truth(facts, if_called, if_nurtured, way, called, streams[5])
    truth = truth.assign(policy_rule=rule, propensity=propensity)
    return DemoCompany(
        ends, _leads(frame), _events(events, frame, ends), _notes(notes, frame, ends),
        _spend(frame, ends, np.random.default_rng(seed)), truth, _note_truth(notes, frame),
    )  # fmt: skip


def past_policy(frame: pd.DataFrame) -> tuple[np.ndarray[Any, Any], Array]:
    """The rule of the past policy that spoke for each lead, and the chance to be called that it gave."""
    says = {
        "no_phone": frame["phone"].isna(),
        "took_material": frame["offer"].isin(rules.TAKES_MATERIAL),
        "large_company": frame["_size"] >= 2,
        "asked_for_us": frame["offer"].isin(("Обратный звонок", "Расчёт стоимости", "Демо")),
    }
    rule = np.select(list(says.values()), list(says), default="everybody_else").astype(object)
    return rule, np.array([rules.POLICY[each] for each in rule])


def _truth(
    facts: Facts, if_called: Walk, if_nurtured: Walk, way: Walk, called: Flags, rng: np.random.Generator
) -> pd.DataFrame:  # fmt: skip
    """One row per lead; `_90d` means within the horizon, without it: ever."""
    days = float(rules.HORIZON_DAYS)
    p_called, p_called_90d = true_chances(facts, rng, DRAWS, call=True)
    p_nurtured, p_nurtured_90d = true_chances(facts, rng, DRAWS, call=False)
    won, stages = np.isfinite(way.won), np.array([*rules.STAGES, "won"], dtype=object)
    age = rules.SPAN.days - facts.created
    known = np.minimum(way.won, way.lost) <= rules.SPAN.days
    truth = pd.DataFrame({
        "lead_id": facts.frame["lead_id"],
        "p_won_if_called": p_called, "p_won_if_nurtured": p_nurtured,
        "p_won_if_called_90d": p_called_90d, "p_won_if_nurtured_90d": p_nurtured_90d,
        "y_if_called": np.isfinite(if_called.won), "y_if_nurtured": np.isfinite(if_nurtured.won),
        "y_if_called_90d": if_called.won - facts.created <= days,
        "y_if_nurtured_90d": if_nurtured.won - facts.created <= days,
        "called": called,
        "response_hours_if_called": (if_called.first_call - facts.created) * 24,
        "won": won, "won_90d": way.won - facts.created <= days,
        "ripe": known | (age >= days),
        "reason_true": only(way.reason, np.isfinite(way.lost)),
        "stage_lost": only(stages[way.stage], np.isfinite(way.lost)),
        "pattern": facts.pattern, "language": facts.frame["_language"],
    })  # fmt: skip
    return pd.concat([truth, pd.DataFrame(_known_after(facts, way), dtype=object)], axis=1)


def without_patterns(company_seed: int, leads: int, ends: datetime = rules.ENDS) -> pd.DataFrame:
    """The same company with none of the patterns planted, and the same luck: what the patterns have cost.

    One row per lead: `y_if_called` and `reason_if_called` of that better world.
    """
    streams = [np.random.default_rng(each) for each in np.random.SeedSequence(company_seed).spawn(6)]
    facts = facts_of(draw_leads(streams[0], leads, ends), ends, planted=False)
    way = walk(facts, draw_luck(streams[1], leads), call=True)
    return pd.DataFrame({
        "lead_id": facts.frame["lead_id"], "y_if_called": np.isfinite(way.won), "reason_if_called": way.reason,
    })  # fmt: skip


def _known_after(facts: Facts, way: Walk) -> dict[str, list[str | None]]:
    """Two columns that somebody fills when all is over: a final reason, and the number of the contract."""
    lost, won = way.lost <= rules.SPAN.days, way.won <= rules.SPAN.days
    numbers = facts.frame["_minute"].to_numpy()
    final = [rules.DROP_DOWN[why] if gone and why else None for why, gone in zip(way.reason, lost & ~won, strict=True)]
    contract = [
        f"Д-{2024 + int(minute) // 525_600}/{row:05d}" if bought and row % 25 else None  # one of 25 is forgotten
        for row, (minute, bought) in enumerate(zip(numbers, won, strict=True))
    ]
    return dict(zip(KNOWN_AFTER, (final, contract), strict=True))


def _none(value: Any) -> Any:
    return None if value is None or value != value else value  # NaN is not itself


def _rows(frame: pd.DataFrame, names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows as plain dicts without the empty fields."""
    columns = [[_none(value) for value in frame[name].tolist()] for name in names]
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*columns, strict=True)
    ]


def _leads(frame: pd.DataFrame) -> list[Lead]:
    names = ("lead_id", "created_at", *KNOWN_FIELDS, "phone", "email", "contact_name", "manager")
    known = _rows(frame, [name for name in names if name in frame.columns])
    return [Lead(**row, custom=own) for row, own in zip(known, _rows(frame, CUSTOM_FIELDS), strict=True)]


def _moments(seconds: pd.Series, ends: datetime) -> list[datetime]:
    starts = (ends - rules.SPAN).astimezone(UTC)
    return [starts + timedelta(seconds=second) for second in seconds.tolist()]


def _events(events: pd.DataFrame, frame: pd.DataFrame, ends: datetime) -> list[LeadEvent]:
    ids, managers = frame["lead_id"].tolist(), frame["manager"].tolist()
    columns = (
        events["lead"],
        _moments(events["second"], ends),
        events["kind"],
        events["stage"],
        events["detail"],
        events["amount"],
    )
    return [
        LeadEvent(
            lead_id=ids[lead], at=at, kind=kind, stage=_none(stage), detail=_none(detail),
            amount=None if amount != amount else Decimal(int(amount)),
            manager=None if kind == "touch" else managers[lead], event_id=f"E{number:07d}",
        )
        for number, (lead, at, kind, stage, detail, amount) in enumerate(zip(*columns, strict=True), start=1)
    ]  # fmt: skip


def _notes(notes: pd.DataFrame, frame: pd.DataFrame, ends: datetime) -> list[LossNote]:
    ids, managers = frame["lead_id"].tolist(), frame["manager"].tolist()
    rows = zip(
        notes["lead"], _moments(notes["second"], ends), notes["text"], notes["stage"], notes["crm_reason"], strict=True
    )
    return [
        LossNote(lead_id=ids[lead], written_at=at, text=text, note_id=_note_id(number), stage=stage,
                 crm_reason=reason, manager=managers[lead])
        for number, (lead, at, text, stage, reason) in enumerate(rows)
    ]  # fmt: skip


def _note_id(number: int) -> str:
    return f"N{number + 1:06d}"


def _note_truth(notes: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    truth = notes[["reason_true", "reason_of_text", "corpus_id"]].copy()
    truth.insert(0, "note_id", [_note_id(number) for number in range(len(notes))])
    truth.insert(1, "lead_id", frame["lead_id"].to_numpy()[notes["lead"]])
    return truth


def _spend(frame: pd.DataFrame, ends: datetime, rng: np.random.Generator) -> list[Spend]:
    """Money per day and source: what a lead costs there, spread over the days, with noise; visits by the way."""
    first = (ends - rules.SPAN).astimezone(rules.MOSCOW).date()
    days, rows = rules.SPAN.days, []
    for number, source in enumerate(rules.SOURCES):
        if not source.lead_cost_rub:
            continue
        came = np.bincount(frame.loc[frame["_source"] == number, "_minute"] // 1440, minlength=days)[:days]
        usual = np.convolve(came, np.ones(29) / 29, mode="same")  # budgets are set by the month, not by the day's luck
        cost = usual * source.lead_cost_rub * rules.COST_PER_YEAR ** (np.arange(days) / 365)
        amounts = np.round(cost * np.exp(rng.normal(0, 0.18, days)), 2)
        visits = rng.poisson(np.maximum(usual * source.visits, 0))
        for day in np.flatnonzero(amounts > 0).tolist():
            clicks = (
                int(visits[day] * 0.9) if source.utm and source.utm[1] in ("cpc", "display", "paid_social") else None
            )
            rows.append(Spend(
                day=first + timedelta(days=day), source=source.name, amount=Decimal(f"{amounts[day]:.2f}"),
                visits=int(visits[day]) if source.visits else None, clicks=clicks,
            ))  # fmt: skip
    return sorted(rows, key=lambda row: (row.day, row.source))
