"""What the demo company's CRM recorded: touches, attempts, stages, deals and losses up to the snapshot."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from training import demo_rules as rules
from training import demo_texts as texts
from training.demo_facts import NEVER, Facts, Flags
from training.demo_leads import draw
from training.demo_rules import Array
from training.demo_truth import Numbers, Walk

ORDER = {kind: place for place, kind in enumerate(
    ("touch", "message", "call", "stage", "meeting", "proposal", "won", "lost", "reopened"))}  # fmt: skip


@dataclass
class Log:
    """Events as they are collected, one table per kind; those that never happened are left out."""

    tables: list[pd.DataFrame]

    def add(
        self, leads: Numbers, days: Array, kind: str, *, stage: str | None = None,
        detail: NDArray[np.object_] | str | None = None, amount: Array | None = None,
    ) -> None:  # fmt: skip
        happened = np.isfinite(days)
        table = pd.DataFrame({"lead": leads[happened], "day": days[happened], "kind": kind, "stage": stage})
        table["detail"] = detail[happened] if isinstance(detail, np.ndarray) else detail
        table["amount"] = np.nan if amount is None else amount[happened]
        self.tables.append(table.astype({"stage": object, "detail": object}))


def record_events(
    facts: Facts,
    way: Walk,
    called: Flags,
    need: Array,
    luck: dict[str, Array],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Every event until the snapshot, in time's order; `second` counts from the beginning of the two years."""
    log = Log([])
    everybody = np.arange(len(need))
    _touches(log, facts, way, called, need, rng)
    _attempts(log, facts, way, rng)
    _stages(log, everybody, facts, way, luck)
    _talks(log, facts, way, need, rng)
    _losses(log, everybody, facts, way, rng)
    events = pd.concat(log.tables, ignore_index=True)
    events["second"] = np.rint(events["day"] * 86_400).astype(np.int64)
    events = events[events["second"] < int(rules.SPAN.total_seconds())]
    events = events.assign(place=events["kind"].map(ORDER)).sort_values(["second", "lead", "place"], kind="stable")
    return events.drop(columns=["place", "day"]).reset_index(drop=True)


def _touches(log: Log, facts: Facts, way: Walk, called: Flags, need: Array, rng: np.random.Generator) -> None:
    before = np.array([source.touches for source in rules.SOURCES])[facts.frame["_source"]]
    who = np.repeat(np.arange(len(need)), rng.poisson(before))
    gone_by = np.minimum(rng.exponential(rules.TOUCHES_BEFORE_DAYS, len(who)), 45.0) + 0.01
    log.add(who, facts.created[who] - gone_by, "touch", detail=_touch_kinds(need[who], rng, letters=False))
    letters = (
        (way.reason != "spam_fake") & (way.reason != "invalid_contact") & (facts.frame["email"].notna().to_numpy())
    )
    mean = rules.TOUCHES_AFTER + need * (rules.TOUCHES_PER_NEED + np.where(called, 0.0, rules.TOUCHES_NURTURED))
    who = np.repeat(np.arange(len(need)), rng.poisson(mean * np.where(letters, 1.0, 0.15)))
    after = rng.exponential(np.where(called, rules.TOUCH_DAYS, rules.TOUCH_DAYS_NURTURED)[who])
    log.add(who, facts.created[who] + after + 0.01, "touch", detail=_touch_kinds(need[who], rng, letters=True))


def _touch_kinds(need: Array, rng: np.random.Generator, *, letters: bool) -> NDArray[np.object_]:
    none, full = np.array(rules.TOUCH_SHARES[0]), np.array(rules.TOUCH_SHARES[1])
    shares = none + need[:, None] * full
    shares[:, 0] *= letters  # nobody gets letters before the first enquiry
    return np.array(texts.TOUCHES, dtype=object)[draw(rng, shares)]


def _attempts(log: Log, facts: Facts, way: Walk, rng: np.random.Generator) -> None:
    """Attempts until somebody answers or the manager gives up; without a number they are letters."""
    tried = np.isfinite(way.first_call)
    number_of = np.where(tried, way.attempts, 0)
    who = np.repeat(np.arange(len(number_of)), number_of)
    number = np.arange(len(who)) - np.repeat(np.cumsum(number_of) - number_of, number_of)
    worked = facts.clock.worked(way.first_call)[who] + number * facts.manager["gap_hours"][who]
    days = np.where(number == 0, way.first_call[who], facts.clock.moment(worked))
    answered = (number == number_of[who] - 1) & np.isfinite(way.reached[who])
    outcome = np.array(list(rules.UNANSWERED), dtype=object)[
        draw(rng, np.tile(list(rules.UNANSWERED.values()), (len(who), 1)))
    ]
    outcome[answered] = "answered"
    outcome[((way.reason == "invalid_contact") | (facts.frame["_phone"] == "broken").to_numpy())[who] & ~answered] = (
        "invalid"
    )
    outcome[(way.reason == "invalid_contact")[who] & answered] = "invalid"
    letter = (facts.frame["_phone"] == "missing").to_numpy()[who]
    log.add(who[~letter], days[~letter], "call", detail=outcome[~letter])
    log.add(who[letter], days[letter], "message", detail="out")
    log.add(who[letter & answered], days[letter & answered] + 0.02, "message", detail="in")
    log.add(np.arange(len(tried)), way.returned, "message", detail="in")


def _stages(log: Log, everybody: Numbers, facts: Facts, way: Walk, luck: dict[str, Array]) -> None:
    typical_seats = np.array(rules.SEATS)[facts.frame["_size"]]
    seats = (facts.frame["_seats"].to_numpy() / typical_seats) ** 0.4
    amount = np.maximum(5_000, np.round(facts.price * seats * np.exp(rules.AMOUNT_SPREAD * ndtri(luck["amount"])), -3))
    deal = np.round(amount * (1 - rules.DISCOUNT * luck["silence"]), -2)
    log.add(everybody, way.passed["lead"], "stage", stage="qualified")
    log.add(everybody, way.passed["qualified"], "meeting")
    log.add(everybody, way.passed["meeting"], "proposal", amount=amount)
    log.add(everybody, way.won, "won", amount=deal)
    buys_again = luck["repeat"] < rules.REPEAT
    later = way.won - np.log(luck["repeat_days"]) * rules.REPEAT_DAYS + 14
    again = facts.clock.in_office(np.where(buys_again, later, NEVER))
    log.add(everybody, again, "stage", stage="repeat", amount=np.round(deal * 0.6, -2))


def _talks(log: Log, facts: Facts, way: Walk, need: Array, rng: np.random.Generator) -> None:
    """Further calls and messages while a stage lasts: from its beginning to its end or to the loss."""
    begins = way.reached
    silent = way.reason == "went_silent"
    for stage in rules.STAGES:
        ends = np.where(np.isfinite(way.passed[stage]), way.passed[stage], way.lost - np.where(silent, 19.0, 0.0))
        lasts = np.where(
            np.isfinite(begins) & np.isfinite(ends), ends - np.where(np.isfinite(begins), begins, 0.0), 0.0
        )
        alive = np.isfinite(begins) & (lasts > 0.5)
        who = np.repeat(np.arange(len(need)), rng.poisson(np.where(alive, rules.TALKS_IN_A_STAGE, 0.0)))
        days = facts.clock.in_office(begins[who] + rng.random(len(who)) * lasts[who])
        kinds = np.array(["answered", "no_answer", "call_back"], dtype=object)[
            rng.choice(3, len(who), p=[0.62, 0.26, 0.12])
        ]
        log.add(who, np.where(days < ends[who], days, NEVER), "call", detail=kinds)
        who = np.repeat(np.arange(len(need)), rng.poisson(np.where(alive, 0.15 + 0.6 * need, 0.0)))
        days = begins[who] + rng.random(len(who)) * lasts[who]
        direction = np.array(["in", "out"], dtype=object)[rng.integers(0, 2, len(who))]
        log.add(who, days, "message", detail=direction)
        begins = way.passed[stage]


def _losses(log: Log, everybody: Numbers, facts: Facts, way: Walk, rng: np.random.Generator) -> None:
    silent = np.flatnonzero((way.reason == "went_silent") & np.isfinite(way.lost))
    who = np.repeat(silent, rng.integers(1, 4, len(silent)))
    days = facts.clock.in_office(way.lost[who] - rng.random(len(who)) * rules.SILENCE_DAYS[0])
    log.add(who, np.where(days < way.lost[who], days, NEVER), "call", detail="no_answer")
    log.add(everybody, way.lost, "lost")
    log.add(everybody, way.reopened, "reopened")
    log.add(everybody, way.reopened + 0.02, "call", detail="answered")
    log.add(everybody, way.lost_again, "lost")
