"""What would become of each lead of the demo company: called now, and nurtured. Both, with the same luck.

`walk` follows leads through the rules of `demo_rules` as their luck has it. `chances` goes the same way and multiplies
where the walk draws; averaged over many lucks it is the true probability given what is known at creation (fields,
moment, manager), with the hidden need, money and the rest integrated out.
"""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from training import demo_rules as rules
from training.demo_facts import NEVER, Facts, Flags
from training.demo_leads import only
from training.demo_rules import Array

Numbers = NDArray[np.int64]
Words = NDArray[np.object_]
Luck = dict[str, Array]

LUCK = (
    "need", "decides", "money", "months", "trust", "junk", "junk_kind", "delay", "answer", "gone", "return_days",
    "closed", "close_days", "silence", "reopen", "reopen_days", "second_days", "rewin", "amount", "repeat",
    "repeat_days", *(f"cause_{stage}" for stage in rules.STAGES), *(f"wait_{stage}" for stage in rules.STAGES),
)  # fmt: skip
# What `chances` depends on; on a lattice (multiples of roots of primes) few draws cover these far more evenly than
# random ones would.
HIDDEN_LUCK = (
    "need", "decides", "money", "months", "trust", "delay", "return_days", "answer", "reopen_days", "second_days",
    *(f"wait_{stage}" for stage in rules.STAGES),
)  # fmt: skip
LATTICE = np.sqrt([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43]) % 1.0


@dataclass(frozen=True)
class Walk:
    """The way of each lead under one action; days since the first day, NEVER where it did not come to that."""

    first_call: Array
    attempts: Numbers  # made, the answered one included
    reached: Array
    passed: dict[str, Array]  # stage → the day on which the lead left it forward (`proposal`: won)
    stage: Numbers  # index of the stage in which it stopped; 4 = won
    reason: Words  # why it stopped there; None where won at the first go, or silent for good
    lost: Array
    returned: Array  # nurtured ones: when they wrote again
    reopened: Array
    won: Array  # in the end, also after being reopened
    lost_again: Array


@dataclass(frozen=True)
class Start:
    """How a lead gets to its first talk under one action."""

    lead: dict[str, Array]  # the hidden things as they are by then, and what is left of the interest
    day: Array  # of the first call
    comes: Array  # chance that there is one: 1 where sales call, less where the lead has to come back
    answers: Array  # chance that an attempt is answered


def draw_luck(rng: np.random.Generator, leads: int) -> Luck:
    return dict(zip(LUCK, rng.random((len(LUCK), leads)), strict=True))


def what_was_done(called: Flags, if_called: Walk, if_nurtured: Walk) -> Walk:
    """The realised way of each lead: the potential one of the action that was taken."""
    both = {each.name: (getattr(if_called, each.name), getattr(if_nurtured, each.name)) for each in fields(Walk)}
    passed = both.pop("passed")
    ways = {name: np.where(called, *pair) for name, pair in both.items()}
    return Walk(**ways, passed={stage: np.where(called, passed[0][stage], passed[1][stage]) for stage in rules.STAGES})


def response_days(facts: Facts, luck: Array, *, at_once: bool = False) -> Array:
    """When the first call would come: the manager's delay on the working clock, Friday's hole included."""
    hours = (
        facts.manager["delay_hours"] * np.exp(rules.DELAY_SPREAD * ndtri(luck)) + rules.FRIDAY_HOLE_HOURS * facts.hole
    )
    return facts.clock.moment(facts.clock.worked(facts.created) + (rules.AT_ONCE_HOURS if at_once else hours))


def freshness(days: Array) -> Array:
    """What is left of the interest after waiting so many days for the first call: 1 at once, a floor in the end.

    >>> freshness(np.array([0.0, 1 / 24, 1.0, 30.0])).round(2).tolist()
    [1.0, 0.89, 0.49, 0.3]
    """
    cooled = np.exp(-((np.maximum(days, 0.0) * 24 / rules.FRESH_HOURS) ** rules.FRESH_SHAPE))
    return np.asarray(rules.FRESH_FLOOR + (1 - rules.FRESH_FLOOR) * cooled)


def hidden(facts: Facts, luck: Luck) -> dict[str, Array]:
    """Need, right to decide, purse, trust and months until ready: nobody sees them, everything follows from them."""
    wallet = facts.wallet * np.exp(facts.wallet_spread * ndtri(luck["money"]))
    months = facts.mean_months * (-np.log(luck["months"])) ** rules.MONTHS_SPREAD
    return {
        "need": np.clip(facts.mean_need + rules.NEED_SPREAD * ndtri(luck["need"]), 0.02, 1.0),
        "decides": np.where(luck["decides"] < facts.decides, 1.0, rules.HAS_TO_ASK),
        "purse": np.minimum(1.0, (wallet / facts.price) ** 1.4),
        "trust": np.clip(facts.mean_trust + rules.TRUST_SPREAD * ndtri(luck["trust"]), 0.02, 1.0),
        "months": np.maximum(months, 0.8 * facts.contract_months),
    }


def start_of(facts: Facts, luck: Luck, *, call: bool, at_once: bool = False) -> Start:
    """Called as soon as the manager gets to it, or left to the letters until it comes back by itself."""
    lead = hidden(facts, luck)
    if call:
        day = response_days(facts, luck["delay"], at_once=at_once)
        fresh = freshness(day - facts.created)
        lead["trust"] = lead["trust"] * np.where(facts.asked_for_us, 1.0, rules.COLD_CALL_TRUST)
        return Start(lead | {"fresh": fresh}, day, np.ones_like(day), facts.answers * (0.55 + 0.45 * fresh))
    day, comes = _come_back(facts, lead, luck)
    lead["months"] = np.maximum(0.0, lead["months"] - (day - facts.created) / 30.0)
    lead["trust"] = 1 - (1 - lead["trust"]) * rules.TRUST_GAP_LEFT
    lead["fresh"] = np.full(len(day), rules.RETURNED_FRESH)
    called_back = facts.clock.moment(facts.clock.worked(day) + rules.CALLED_BACK_HOURS)
    return Start(lead, called_back, comes, np.full(len(day), rules.RETURNED_ANSWERS))


def _come_back(facts: Facts, lead: dict[str, Array], luck: Luck) -> tuple[Array, Array]:
    """The day on which a nurtured lead would write again, and the chance that it does: ready, interested, not gone."""
    days = lead["months"] * 30 - np.log(luck["return_days"]) * rules.RETURN_DAYS
    patience = rules.GONE_DAYS + rules.GONE_DAYS_PER_MONTH * facts.mean_months
    stays = np.exp(-days / patience) * (days < rules.RETURN_LIMIT_DAYS)
    day = facts.clock.in_office(facts.created + np.minimum(days, rules.RETURN_LIMIT_DAYS))
    return day, np.asarray(rules.RETURN_CHANCE * lead["need"] * stays)


def walk(facts: Facts, luck: Luck, *, call: bool) -> Walk:
    """Follow the leads under one action as their luck has it: attempts, then the race of each stage."""
    start = start_of(facts, luck, call=call)
    attempts, answered, _ = _attempts(facts, luck["answer"], start)
    junk, arrived = _junk(facts, luck), luck["gone"] < start.comes
    talks = arrived & np.isfinite(answered)
    reason, stage, lost, passed = _race_through(facts, luck, start, answered, talks & pd.isna(junk))
    reason, lost = _lost_before_a_talk(facts, luck, start, attempts, junk, arrived, talks, reason, lost)
    lost = facts.clock.in_office(lost + _silence(reason, luck))
    again = talks & np.isin(reason.astype(str), rules.RECOVERABLE) & (luck["reopen"] < rules.REOPEN)
    second = facts.clock.in_office(np.where(again, lost + _days_until_second_end(luck), NEVER))
    wins_again = luck["rewin"] < rules.REOPEN_WINS
    return Walk(
        first_call=np.where(arrived, start.day, NEVER),
        attempts=np.where(arrived, attempts, 0),
        reached=np.where(arrived, answered, NEVER),
        passed=passed,
        stage=stage,
        reason=reason,
        lost=lost,
        returned=np.full(len(lost), NEVER) if call else np.where(arrived, _wrote_again(facts, start), NEVER),
        reopened=facts.clock.in_office(np.where(again, lost + _days_until_reopened(luck), NEVER)),
        won=np.where(wins_again, np.minimum(passed["proposal"], second), passed["proposal"]),
        lost_again=np.where(wins_again, NEVER, second),
    )


def _race_through(
    facts: Facts, luck: Luck, start: Start, reached: Array, alive: Flags
) -> tuple[Words, Numbers, Array, dict[str, Array]]:
    """Reason, stage and day of the loss, and the days of moving on, for the leads that are worth a talk."""
    at, passed = np.where(np.isfinite(reached), reached, start.day), {}
    stopped, reason = np.zeros(len(at), dtype=np.int64), np.full(len(at), None, dtype=object)
    lost = np.full(len(at), NEVER)
    for number, stage in enumerate(rules.STAGES):
        race = _race(stage, facts, start.lead)
        cumulative = np.cumsum(np.stack(list(race.values())), axis=0)
        at = at + _wait(stage, facts, luck, cumulative[-1])
        drawn = (luck[f"cause_{stage}"] * cumulative[-1] > cumulative).sum(axis=0)
        stops = alive & (drawn > 0)
        reason[stops] = np.array(list(race), dtype=object)[drawn[stops]]
        lost[stops], stopped[stops] = at[stops], number
        alive = alive & (drawn == 0)
        passed[stage] = facts.clock.in_office(np.where(alive, at, NEVER))
    stopped[alive] = len(rules.STAGES)
    return reason, stopped, lost, passed


def chances(facts: Facts, luck: Luck, *, call: bool, at_once: bool = False) -> tuple[Array, Array]:
    """Chance to be won ever, and within the horizon, with this much luck in the hidden things and the waits."""
    start = start_of(facts, luck, call=call, at_once=at_once)
    _, reached, p_reached = _attempts(facts, luck["answer"], start)
    at = np.where(np.isfinite(reached), reached, start.day)
    chance = start.comes * p_reached * (1 - facts.junk_share)
    ever, in_time, second_days = np.zeros(len(at)), np.zeros(len(at)), _days_until_second_end(luck)
    for stage in rules.STAGES:
        race = _race(stage, facts, start.lead)
        total = sum(race.values(), np.zeros(len(at)))
        at = at + _wait(stage, facts, luck, total)
        for cause in rules.RECOVERABLE:
            if cause in race:
                back = chance * race[cause] / total * (rules.REOPEN * rules.REOPEN_WINS)
                silent = sum(rules.SILENCE_DAYS) / 2 if cause == "went_silent" else 0.0
                ever += back
                in_time += back * (at + silent + second_days - facts.created <= rules.HORIZON_DAYS)
        chance = chance * race["moved_on"] / total
    in_time += chance * (facts.clock.in_office(at) - facts.created <= rules.HORIZON_DAYS)
    return ever + chance, in_time


def true_chances(
    facts: Facts, rng: np.random.Generator, draws: int, *, call: bool, at_once: bool = False
) -> tuple[Array, Array]:
    """Probability to be won ever and within the horizon, given what is known at creation: the mean over many lucks."""
    shift = rng.random((len(HIDDEN_LUCK), len(facts.frame)))
    sums = np.zeros((2, len(facts.frame)))
    for number in range(draws):
        points = np.clip((shift + number * LATTICE[:, None]) % 1.0, 1e-12, 1 - 1e-12)
        sums += chances(facts, dict(zip(HIDDEN_LUCK, points, strict=True)), call=call, at_once=at_once)
    return sums[0] / draws, sums[1] / draws


def _junk(facts: Facts, luck: Luck) -> Words:
    """None for a real lead, otherwise why nobody can sell to it."""
    edges = np.cumsum(list(rules.JUNK.values()))
    kind = np.array(list(rules.JUNK), dtype=object)[np.searchsorted(edges[:-1], luck["junk_kind"])]
    kind[(facts.frame["_phone"] == "broken").to_numpy()] = "invalid_contact"
    kind[facts.frame["_duplicate"].to_numpy()] = "duplicate"
    kind[luck["junk"] >= facts.junk_share] = None
    return kind


def _attempts(facts: Facts, luck: Array, start: Start) -> tuple[Numbers, Array, Array]:
    """Attempts made, the moment when one was answered, and the chance of it before the manager gives up."""
    limit = facts.manager["attempts"]
    needed = np.ceil(np.log1p(-luck) / np.log1p(-start.answers))
    answered = needed <= limit
    made = np.where(answered, np.maximum(needed, 1), limit).astype(np.int64)
    return made, np.where(answered, _last_attempt(facts, start, made), NEVER), 1 - (1 - start.answers) ** limit


def _last_attempt(facts: Facts, start: Start, attempts: Numbers) -> Array:
    hours = facts.clock.worked(start.day) + (attempts - 1) * facts.manager["gap_hours"]
    return np.maximum(facts.clock.moment(hours), start.day)


def _race(stage: str, facts: Facts, lead: dict[str, Array]) -> dict[str, Array]:
    return rules.hazards(stage, {**lead, **facts.for_the_race, "planted": facts.planted})


def _wait(stage: str, facts: Facts, luck: Luck, total: Array) -> Array:
    """Days in a stage: the fiercer the race, the sooner it is decided; large companies take longer."""
    raced = (-np.log(luck[f"wait_{stage}"]) / total) ** (1 / rules.WAIT_SHAPE)
    return np.asarray(rules.STAGE_DAYS[stage] * facts.slowness * raced)


def _lost_before_a_talk(
    facts: Facts, luck: Luck, start: Start, attempts: Numbers, junk: Words, arrived: Flags, talks: Flags,
    reason: Words, lost: Array,
) -> tuple[Words, Array]:  # fmt: skip
    """Adds junk, unreachable ones, and nurtured ones that never came back: they are lost where they stood."""
    is_junk = ~pd.isna(junk)
    unanswered = np.where(facts.phone_good, "unreachable", "invalid_contact")
    why = np.where(is_junk & (talks | (junk == "invalid_contact")), junk, np.where(talks, reason, unanswered))
    when = np.where(is_junk | ~talks, _last_attempt(facts, start, attempts), lost)
    low, high = rules.GIVEN_UP_DAYS
    closed = luck["closed"] < rules.CLOSED_WITHOUT_TALK
    given_up = np.where(closed, facts.created + low + (high - low) * luck["close_days"], NEVER)
    unseen = only(np.where(is_junk, junk, "no_need"), closed)
    return np.where(arrived, why, unseen), np.where(arrived, when, given_up)


def _wrote_again(facts: Facts, start: Start) -> Array:
    return facts.clock.moment(facts.clock.worked(start.day) - rules.CALLED_BACK_HOURS)


def _days_until_reopened(luck: Luck) -> Array:
    return np.asarray(-np.log(luck["reopen_days"]) * rules.REOPEN_DAYS)


def _days_until_second_end(luck: Luck) -> Array:
    """Days from the loss to the end of the second go, whichever end it is."""
    return _days_until_reopened(luck) + rules.REOPEN_TAKES_DAYS * (0.3 + 1.4 * luck["second_days"])


def _silence(reason: Words, luck: Luck) -> Array:
    """Days that pass before a silent lead is closed."""
    low, high = rules.SILENCE_DAYS
    silent = (reason == "went_silent") | (reason == "unreachable")
    return np.asarray(np.where(silent, low + (high - low) * luck["silence"], 0.0))
