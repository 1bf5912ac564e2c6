"""What would become of each lead of the demo company: called now, and nurtured. Both, with the same luck.

`walk` follows leads through the rules of `demo_rules`. The drawn outcome and the probability come from the same walk:
its moves are drawn by the lead's luck, and its chances, averaged over many lucks, are the true probability given what
is known at creation (fields, moment, manager), with the hidden need, money and the rest integrated out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from training import demo_rules as rules
from training.demo_leads import typical_wallet
from training.demo_rules import Array

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

LUCK = (
    "need", "decides", "money", "months", "trust", "junk", "junk_kind", "duplicate", "delay", "answer", "come_back",
    "gone", "return_days", "closed", "close_days", "silence", "reopen", "reopen_days", "rewin", "amount", "repeat",
    "repeat_days", "second_days", *(f"cause_{stage}" for stage in rules.STAGES), *(f"wait_{stage}" for stage in rules.STAGES),
)  # fmt: skip
NEVER = np.inf
CLOCK_DAYS = rules.SPAN.days + 1000  # the truth knows what becomes of the last leads long after the snapshot
# A lattice (Kronecker sequence of square roots of primes) covers the lucks far more evenly than random ones would.
LATTICE = np.sqrt([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
                   103, 107, 109, 113, 127][: len(LUCK)]) % 1.0  # fmt: skip


class OfficeHours:
    """The company's working clock: days since `starts` ↔ office hours worked by then (Moscow, holidays observed)."""

    def __init__(self, starts: datetime, days: int) -> None:
        first = starts.astimezone(rules.MOSCOW).replace(hour=0, minute=0, second=0, microsecond=0)
        shift = (first - starts) / timedelta(days=1)
        dates = [first + timedelta(days=number) for number in range(days)]
        works = [day.weekday() < 5 and (day.month, day.day) not in rules.HOLIDAYS for day in dates]
        opened = np.flatnonzero(works) + shift
        length = rules.CLOSES - rules.OPENS
        worked = np.arange(len(opened)) * float(length)
        self._wall = np.column_stack([opened + rules.OPENS / 24, opened + rules.CLOSES / 24]).ravel()
        self._work = np.column_stack([worked, worked + length - 1e-6]).ravel()

    def worked(self, days: Array) -> Array:
        return np.interp(days, self._wall, self._work)

    def moment(self, worked: Array) -> Array:
        return np.interp(worked, self._work, self._wall)

    def next_open(self, days: Array) -> Array:
        """The same moment in office hours, or the next opening; NEVER stays."""
        return np.where(np.isfinite(days), np.maximum(self.moment(self.worked(days)), days), NEVER)


@dataclass(frozen=True)
class Facts:
    """What is known of leads at creation, as arrays; `planted` holds the factor of a reason at a stage."""

    frame: pd.DataFrame
    created: Array  # days since the first day
    clock: OfficeHours
    planted: dict[tuple[str, str], Array]
    pattern: NDArray[np.object_]
    hole: Flags  # lies untouched until Tuesday: the Friday pattern

    @cached_property
    def source(self) -> dict[str, Array]:
        at = self.frame["_source"].to_numpy()
        return {
            name: np.array([getattr(each, name) for each in rules.SOURCES])[at]
            for name in ("need", "year", "trust", "junk", "months")
        }

    @cached_property
    def manager(self) -> dict[str, Array]:
        at = self.frame["_manager"].to_numpy()
        return {
            name: np.array([getattr(each, name) for each in rules.MANAGERS], dtype=np.float64)[at]
            for name in ("delay_hours", "attempts", "gap_hours", "skill")
        }

    def table(self, column: str, rows: dict[str, tuple[float, ...]], place: int) -> Array:
        """The number that stands for each lead's value in a table of the rules; 1.0 for a value left empty."""
        return self.frame[column].map({name: row[place] for name, row in rows.items()}).fillna(1.0).to_numpy(np.float64)

    @cached_property
    def mean_need(self) -> Array:
        offers = {name: row[1:] for name, row in rules.OFFERS.items()}
        intents = self.table("_intent", rules.INTENTS, 1)
        faded = self.source["need"] * self.source["year"] ** self.frame["_years"].to_numpy()
        need = faded * self.table("offer", offers, 0) * intents * self.table("Текущее решение", rules.CURRENT, 1)
        return np.clip(need, 0.04, 0.93)

    @cached_property
    def mean_months(self) -> Array:
        offers = {name: row[1:] for name, row in rules.OFFERS.items()}
        return np.asarray(self.source["months"] * self.table("offer", offers, 1) * self.table("_intent", rules.INTENTS, 2))

    @cached_property
    def mean_trust(self) -> Array:
        regions = {name: (row[2],) for name, row in rules.REGIONS.items()} | {rules.ABROAD[0]: (rules.ABROAD[2],)}
        industry = self.table("industry", rules.INDUSTRIES, 2)
        return np.clip(self.source["trust"] * industry * self.table("region", regions, 0), 0.05, 0.95)

    @cached_property
    def wallet(self) -> Array:
        return typical_wallet(self.frame)

    @cached_property
    def price(self) -> Array:
        product = {name: (row[0],) for name, row in rules.PRODUCTS.items()}
        return self.table("product", product, 0) * np.array([row[1] for row in rules.SIZES.values()])[self.frame["_size"]]

    @cached_property
    def slowness(self) -> Array:
        product = {name: (row[2],) for name, row in rules.PRODUCTS.items()}
        return self.table("product", product, 0) * np.array([row[3] for row in rules.SIZES.values()])[self.frame["_size"]]

    @cached_property
    def boss_needed(self) -> Array:
        """Ranks that are missing for deciding alone."""
        return np.maximum(0.0, self.frame["_size"].to_numpy() + 1.0 - self.frame["_rank"].to_numpy())

    @cached_property
    def zone(self) -> Array:
        """Share of Moscow's office hours that are office hours of the customer too."""
        return np.clip(1.0 - np.abs(self.frame["_offset"].to_numpy() - 3.0) / 11.0, 0.15, 1.0)

    def without_patterns(self) -> "Facts":
        """The same leads in a world where none of the planted patterns is true."""
        return Facts(self.frame, self.created, self.clock, {}, np.full(len(self.frame), None), np.zeros(len(self.frame), bool))


@dataclass(frozen=True)
class Walk:
    """The way of each lead under one action; days since the first day, NEVER where it did not come to that."""

    first_call: Array
    attempts: Numbers  # made, the answered one included
    reached: Array
    passed: dict[str, Array]  # stage → the day on which the lead left it forward (`proposal`: won)
    stage: Numbers  # index of the stage in which it stopped; 4 = won
    reason: NDArray[np.object_]  # why it stopped there; None where won at the first go, or silent for good
    lost: Array
    returned: Array  # nurtured ones: when they wrote again
    reopened: Array
    won: Array  # in the end, also after being reopened
    lost_again: Array
    p_won: Array  # chance to be won ever, given the hidden need and the rest
    p_won_in_time: Array  # … within the horizon


def facts_of(frame: pd.DataFrame, ends: datetime) -> Facts:
    starts = ends - rules.SPAN
    created = np.array([(moment - starts) / timedelta(days=1) for moment in frame["created_at"]])
    return Facts(frame, created, OfficeHours(starts, CLOCK_DAYS), *planted_patterns(frame))


def draw_luck(rng: np.random.Generator, leads: int) -> dict[str, Array]:
    return dict(zip(LUCK, rng.random((len(LUCK), leads)), strict=True))


def planted_patterns(frame: pd.DataFrame) -> tuple[dict[tuple[str, str], Array], NDArray[np.object_], Flags]:
    """Factors of the planted reasons for each lead, and the name of the pattern that a lead falls into (the first); who lies in Friday's hole."""
    factors: dict[tuple[str, str], Array] = {}
    names = np.full(len(frame), None, dtype=object)
    hole = np.zeros(len(frame), dtype=bool)
    for pattern in rules.PLANTED_PATTERNS:
        inside = falls_into(pattern, frame)
        hole |= inside & pattern.friday_evening
        names[inside & (names == None)] = pattern.name  # noqa: E711 - elementwise
        for stage in pattern.stages:
            usual = factors.get((stage, pattern.reason), np.ones(len(frame)))
            factors[stage, pattern.reason] = np.where(inside, usual * pattern.factor, usual)
    return factors, names, hole


def falls_into(pattern: rules.Pattern, frame: pd.DataFrame) -> Flags:
    """Which leads lie in a pattern's segment and time."""
    inside = np.ones(len(frame), dtype=bool)
    for field, value in pattern.segment.items():
        inside &= frame[field].eq(value).to_numpy()
    if pattern.since is not None:
        inside &= np.array([at >= pattern.since for at in frame["created_at"]])
    return inside & frame["_friday_evening"].to_numpy() if pattern.friday_evening else inside


def response_days(facts: Facts, luck: Array, *, at_once: bool = False) -> Array:
    """When the first call would come: the manager's delay on the working clock, Friday's hole included."""
    spread = np.exp(rules.DELAY_SPREAD * ndtri(luck))
    hours = np.full(len(luck), 0.1) if at_once else facts.manager["delay_hours"] * spread
    hole = facts.hole & (not at_once)
    start = facts.clock.worked(facts.created)
    return facts.clock.moment(start + hours + np.where(hole, rules.FRIDAY_HOLE_HOURS, 0.0))


def freshness(days: Array) -> Array:
    """What is left of the interest after waiting so many days for the first call: 1 at once, a floor in the end."""
    cooled = np.exp(-((np.maximum(days, 0.0) * 24 / rules.FRESH_HOURS) ** rules.FRESH_SHAPE))
    return np.asarray(rules.FRESH_FLOOR + (1 - rules.FRESH_FLOOR) * cooled)


def hidden(facts: Facts, luck: dict[str, Array]) -> dict[str, Array]:
    """Need, right to decide, purse, trust and months until ready: nobody sees them, everything follows from them."""
    stated = facts.frame["_wallet"].to_numpy()
    z = ndtri(luck["money"])
    unknown = np.isnan(stated)
    wallet = np.where(unknown, facts.wallet * np.exp(rules.WALLET_SPREAD * z), stated * np.exp(rules.STATED_SPREAD * z))
    contract = facts.frame["_contract_days"].to_numpy() / 30.0
    months = facts.mean_months * (-np.log(luck["months"])) ** rules.MONTHS_SPREAD
    return {
        "need": np.clip(facts.mean_need + rules.NEED_SPREAD * ndtri(luck["need"]), 0.02, 1.0),
        "decides": np.where(luck["decides"] < rules.DECIDES - rules.DECIDES_LESS * facts.boss_needed, 1.0, 0.25),
        "purse": np.minimum(1.0, (wallet / facts.price) ** 1.4),
        "trust": np.clip(facts.mean_trust + rules.TRUST_SPREAD * ndtri(luck["trust"]), 0.02, 1.0),
        "months": np.maximum(months, 0.8 * contract),
    }


def junk_share(facts: Facts) -> Array:
    """Chance that nobody can sell to this lead, from its source and from what its phone looks like."""
    broken = (facts.frame["_phone"] == "broken").to_numpy() * rules.BROKEN_PHONE_IS_JUNK
    duplicate = facts.frame["_duplicate"].to_numpy() * rules.DUPLICATE_IS_CLOSED
    return np.asarray(1 - (1 - facts.source["junk"]) * (1 - broken) * (1 - duplicate))


def junk_reason(facts: Facts, luck: dict[str, Array]) -> NDArray[np.object_]:
    """None for a real lead, otherwise why nobody can sell to it."""
    edges = np.cumsum(list(rules.JUNK.values()))
    kind = np.array(list(rules.JUNK), dtype=object)[np.searchsorted(edges[:-1], luck["junk_kind"])]
    kind[(facts.frame["_phone"] == "broken").to_numpy()] = "invalid_contact"
    kind[facts.frame["_duplicate"].to_numpy()] = "duplicate"
    kind[luck["junk"] >= junk_share(facts)] = None
    return kind


def walk(facts: Facts, luck: dict[str, Array], *, call: bool, at_once: bool = False) -> Walk:
    """Follow the leads: called at once (when the manager gets to it), or left to the letters."""
    lead = hidden(facts, luck)
    if call:
        start = response_days(facts, luck["delay"], at_once=at_once)
        fresh = freshness(start - facts.created)
        comes = np.ones_like(start)
        asked = ~facts.frame["offer"].isin(rules.TAKES_MATERIAL).to_numpy()
        lead["trust"] = lead["trust"] * np.where(asked, 1.0, rules.COLD_CALL_TRUST)
        returned = np.full(len(start), NEVER)
        answers = _answer_chance(facts, fresh)
    else:
        start, comes = _come_back(facts, lead, luck)
        returned = np.where(luck["gone"] < comes, start, NEVER)
        fresh = np.full(len(start), rules.RETURNED_FRESH)
        answers = np.full(len(start), rules.RETURNED_ANSWERS)
        waited = (start - facts.created) / 30.0
        lead["months"] = np.maximum(0.0, lead["months"] - waited)
        lead["trust"] = 1 - (1 - lead["trust"]) * rules.TRUST_GAP_LEFT
        start = facts.clock.moment(facts.clock.worked(start) + 0.5)
    return _through_the_funnel(facts, luck, lead | {"fresh": fresh}, start, comes, answers, returned)


def _answer_chance(facts: Facts, fresh: Array) -> Array:
    numbered = np.where(facts.frame["_phone"] == "good", 1.0, rules.ANSWERS_WITHOUT_PHONE)
    return np.asarray(rules.ANSWERS * facts.zone * numbered * (0.55 + 0.45 * fresh))


def _come_back(facts: Facts, lead: dict[str, Array], luck: dict[str, Array]) -> tuple[Array, Array]:
    """The day on which a nurtured lead would write again, and the chance that it does: ready, interested, not gone."""
    days = lead["months"] * 30 - np.log(luck["return_days"]) * rules.RETURN_DAYS
    patience = rules.GONE_DAYS + rules.GONE_DAYS_PER_MONTH * facts.mean_months
    stays = np.exp(-days / patience) * (days < rules.RETURN_LIMIT_DAYS)
    start = facts.clock.next_open(facts.created + np.minimum(days, rules.RETURN_LIMIT_DAYS))
    return start, np.asarray(rules.RETURN_CHANCE * lead["need"] * stays)


def _through_the_funnel(
    facts: Facts, luck: dict[str, Array], lead: dict[str, Array], start: Array, comes: Array, answers: Array, returned: Array
) -> Walk:
    """Attempts, then the race of each stage; drawn by luck, and with its chances."""
    size = len(start)
    attempts, reached, p_reached = _attempts(facts, luck["answer"], start, answers)
    junk = junk_reason(facts, luck)
    arrived = luck["gone"] < comes
    alive = arrived & np.isfinite(reached) & (junk == None)  # noqa: E711 - elementwise
    lead = lead | {
        "unserved": facts.frame["_unserved"].to_numpy(dtype=np.float64),
        "skill": facts.manager["skill"],
        "clings": facts.table("Текущее решение", rules.CURRENT, 2),
        "tempted": facts.table("_intent", rules.INTENTS, 3),
    }
    chance, again_chance, in_time = comes * p_reached * (1 - junk_share(facts)), np.zeros(size), np.zeros(size)
    second_days = _days_of_second_win(luck)
    at, passed = np.where(np.isfinite(reached), reached, start), {}
    stopped, reason, lost = np.zeros(size, dtype=np.int64), np.full(size, None, dtype=object), np.full(size, NEVER)
    for number, stage in enumerate(rules.STAGES):
        causes, cumulative = _race(stage, lead, facts.planted)
        total = cumulative[-1]
        wait = rules.STAGE_DAYS[stage] * facts.slowness * (-np.log(luck[f"wait_{stage}"]) / total) ** (1 / rules.WAIT_SHAPE)
        at = at + wait
        drawn = (luck[f"cause_{stage}"] * total > cumulative).sum(axis=0)
        stops = alive & (drawn > 0)
        reason[stops] = np.array(causes, dtype=object)[drawn[stops]]
        lost[stops], stopped[stops] = at[stops], number
        alive = alive & (drawn == 0)
        passed[stage] = facts.clock.next_open(np.where(alive, at, NEVER))
        forward = cumulative[0] / total
        for row, cause in enumerate(causes):
            if cause in rules.RECOVERABLE:
                back = chance * (cumulative[row] - cumulative[row - 1]) / total * (rules.REOPEN * rules.REOPEN_WINS)
                silent = rules.SILENCE_MEAN if cause == "went_silent" else 0.0
                again_chance += back
                in_time += back * (at + silent + second_days - facts.created <= rules.HORIZON_DAYS)
        chance = chance * forward
    stopped[alive] = len(rules.STAGES)
    in_time += chance * (facts.clock.next_open(at) - facts.created <= rules.HORIZON_DAYS)
    reason, lost = _lost_before_a_talk(facts, luck, junk, arrived, reached, start, attempts, (reason, lost, stopped))
    lost = facts.clock.next_open(lost + _silence(reason, luck))
    again = np.isin(reason.astype(str), rules.RECOVERABLE) & (luck["reopen"] < rules.REOPEN) & np.isfinite(reached) & arrived
    reopened = facts.clock.next_open(np.where(again, lost + _days_until_reopened(luck), NEVER))
    second = facts.clock.next_open(np.where(again, lost + second_days, NEVER))
    wins_again = luck["rewin"] < rules.REOPEN_WINS
    return Walk(
        first_call=np.where(arrived, start, NEVER), attempts=np.where(arrived, attempts, 0),
        reached=np.where(arrived, reached, NEVER), passed=passed, stage=stopped, reason=reason, lost=lost,
        returned=returned, reopened=reopened, won=np.where(wins_again, np.minimum(passed["proposal"], second), passed["proposal"]),
        lost_again=np.where(wins_again, NEVER, second),
        p_won=chance + again_chance, p_won_in_time=in_time,
    )  # fmt: skip


def _attempts(facts: Facts, luck: Array, start: Array, answers: Array) -> tuple[Numbers, Array, Array]:
    """Attempts made, the moment when one was answered, and the chance of it before the manager gives up."""
    limit = facts.manager["attempts"]
    needed = np.ceil(np.log1p(-luck) / np.log1p(-answers))
    answered = needed <= limit
    made = np.where(answered, np.maximum(needed, 1), limit).astype(np.int64)
    moment = facts.clock.moment(facts.clock.worked(start) + (made - 1) * facts.manager["gap_hours"])
    return made, np.where(answered, np.maximum(moment, start), NEVER), 1 - (1 - answers) ** limit


def _race(stage: str, lead: dict[str, Array], planted: dict[tuple[str, str], Array]) -> tuple[list[str], Array]:
    """Causes of a stage and their cumulated hazards, one row per cause; moving on stands first."""
    hazards = rules.hazards(stage, {**lead, "planted": planted})
    return list(hazards), np.cumsum(np.stack(list(hazards.values())), axis=0)


def _lost_before_a_talk(
    facts: Facts, luck: dict[str, Array], junk: NDArray[np.object_], arrived: Flags, reached: Array, start: Array,
    attempts: Numbers, result: tuple[NDArray[np.object_], Array, Numbers],
) -> tuple[NDArray[np.object_], Array]:  # fmt: skip
    """Junk, unreachable ones, and nurtured ones that never came back: they are lost where they stood."""
    reason, lost, _ = result
    last = np.maximum(facts.clock.moment(facts.clock.worked(start) + (attempts - 1) * facts.manager["gap_hours"]), start)
    talked = np.isfinite(reached)
    is_junk = junk != None  # noqa: E711 - elementwise
    unanswered = np.where(facts.frame["_phone"] == "good", "unreachable", "invalid_contact")
    why = np.where(is_junk & (talked | (junk == "invalid_contact")), junk, np.where(talked, reason, unanswered))
    when = np.where(is_junk | ~talked, last, lost)
    low, high = rules.GIVEN_UP_DAYS
    closed = luck["closed"] < rules.CLOSED_WITHOUT_TALK
    given_up = np.where(closed, facts.created + low + (high - low) * luck["close_days"], NEVER)
    unseen = np.where(is_junk, junk, np.where(luck["need"] < 0.5, "no_need", "timing"))
    unseen = np.where(closed, unseen, None)
    return np.where(arrived, why, unseen), np.where(arrived, when, given_up)


def _days_until_reopened(luck: dict[str, Array]) -> Array:
    return np.asarray(-np.log(luck["reopen_days"]) * rules.REOPEN_DAYS)


def _days_of_second_win(luck: dict[str, Array]) -> Array:
    """Days from the loss to the end of the second go, whichever end it is."""
    return _days_until_reopened(luck) + rules.REOPEN_TAKES_DAYS * (0.3 + 1.4 * luck["second_days"])


def _silence(reason: NDArray[np.object_], luck: dict[str, Array]) -> Array:
    """Days that pass before a silent lead is closed."""
    low, high = rules.SILENCE_DAYS
    silent = (reason == "went_silent") | (reason == "unreachable")
    return np.asarray(np.where(silent, low + (high - low) * luck["silence"], 0.0))


def true_chances(
    facts: Facts, rng: np.random.Generator, rounds: int, *, call: bool, at_once: bool = False
) -> tuple[Array, Array]:
    """Probability to be won ever and within the horizon, given what is known at creation: a mean over many lucks."""
    ever, in_time = np.zeros(len(facts.frame)), np.zeros(len(facts.frame))
    shift = rng.random((len(LUCK), len(facts.frame)))
    for number in range(rounds):
        luck = (shift + number * LATTICE[:, None]) % 1.0
        way = walk(facts, dict(zip(LUCK, np.maximum(luck, 1e-12), strict=True)), call=call, at_once=at_once)
        ever += way.p_won
        in_time += way.p_won_in_time
    return ever / rounds, in_time / rounds
