"""What is known of the demo company's leads at creation, as arrays: numbers that the rules give to their fields."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training import demo_rules as rules
from training.demo_leads import typical_wallet
from training.demo_rules import Array

Flags = NDArray[np.bool_]
NEVER = np.inf
CLOCK_DAYS = rules.SPAN.days + 1000  # the truth knows what becomes of the last leads long after the snapshot


class OfficeHours:
    """The company's working clock: days since `starts` ↔ office hours worked by then (Moscow, holidays observed)."""

    def __init__(self, starts: datetime, days: int) -> None:
        first = starts.astimezone(rules.MOSCOW).replace(hour=0, minute=0, second=0, microsecond=0)
        shift = (first - starts) / timedelta(days=1)
        dates = [first + timedelta(days=number) for number in range(days)]
        works = [day.weekday() < 5 and (day.month, day.day) not in rules.HOLIDAYS for day in dates]
        midnight = np.flatnonzero(works) + shift
        self._opens, self._closes = midnight + rules.OPENS / 24, midnight + rules.CLOSES / 24
        length = rules.CLOSES - rules.OPENS
        worked = np.arange(len(midnight)) * float(length)
        self._wall = np.column_stack([self._opens, self._closes]).ravel()
        # a night counts as a millionth of an hour, so that the clock can be read in both directions
        self._work = np.column_stack([worked, worked + length - 1e-6]).ravel()

    def worked(self, days: Array) -> Array:
        return np.interp(days, self._wall, self._work)

    def moment(self, worked: Array) -> Array:
        return np.interp(worked, self._work, self._wall)

    def in_office(self, days: Array) -> Array:
        """Moments of any hour, pressed in order into office hours: from closing to closing, onto the open part of it.

        Nobody presses buttons in the CRM at night; NEVER stays.
        """
        day = np.clip(np.searchsorted(self._closes, days), 1, len(self._closes) - 1)
        before, opens, closes = self._closes[day - 1], self._opens[day], self._closes[day]
        part = (np.where(np.isfinite(days), days, 0.0) - before) / (closes - before)
        return np.where(np.isfinite(days), opens + part * (closes - opens), NEVER)


@dataclass(frozen=True)
class Facts:
    """The frame of the leads with what the rules say about each: all that can be known when a lead comes."""

    frame: pd.DataFrame
    created: Array  # days since the first day
    clock: OfficeHours
    planted: dict[tuple[str, str], Array]  # (stage, reason) → factor of its hazard
    pattern: NDArray[np.object_]  # name of the planted pattern that a lead falls into, the first of them
    hole: Flags  # lies untouched until Tuesday: the Friday pattern

    @cached_property
    def source(self) -> dict[str, Array]:
        at = self.frame["_source"].to_numpy()
        names = ("need", "year", "trust", "junk", "months")
        return {name: np.array([getattr(each, name) for each in rules.SOURCES])[at] for name in names}

    @cached_property
    def manager(self) -> dict[str, Array]:
        at = self.frame["_manager"].to_numpy()
        names = ("delay_hours", "attempts", "gap_hours", "skill")
        habits = {name: [float(getattr(each, name)) for each in rules.MANAGERS] for name in names}
        return {name: np.array(numbers)[at] for name, numbers in habits.items()}

    def table(self, column: str, numbers: dict[str, float]) -> Array:
        """The number that stands for each lead's value; 1.0 for a value left empty."""
        return np.asarray(self.frame[column].map(numbers).fillna(1.0), dtype=np.float64)

    @cached_property
    def mean_need(self) -> Array:
        faded = self.source["need"] * self.source["year"] ** self.frame["_years"].to_numpy()
        asked = self.table("offer", {name: row[1] for name, row in rules.OFFERS.items()})
        said = self.table("_intent", {name: row[1] for name, row in rules.INTENTS.items()})
        has = self.table("Текущее решение", {name: row[1] for name, row in rules.CURRENT.items()})
        return np.asarray(np.clip(faded * asked * said * has, 0.04, 0.93))

    @cached_property
    def mean_months(self) -> Array:
        asked = self.table("offer", {name: row[2] for name, row in rules.OFFERS.items()})
        said = self.table("_intent", {name: row[2] for name, row in rules.INTENTS.items()})
        return np.asarray(self.source["months"] * asked * said)

    @cached_property
    def contract_months(self) -> Array:
        """Months that the contract with another supplier still runs; below zero where none is known of."""
        return self.frame["_contract_days"].to_numpy() / 30.0

    @cached_property
    def mean_trust(self) -> Array:
        regions = {name: row[2] for name, row in rules.REGIONS.items()} | {rules.ABROAD[0]: rules.ABROAD[2]}
        trade = self.table("industry", {name: row[2] for name, row in rules.INDUSTRIES.items()})
        return np.clip(self.source["trust"] * trade * self.table("region", regions), 0.05, 0.95)

    @cached_property
    def price(self) -> Array:
        sizes = np.array([row[1] for row in rules.SIZES.values()])[self.frame["_size"]]
        return np.asarray(self.table("product", {name: row[0] for name, row in rules.PRODUCTS.items()}) * sizes)

    @cached_property
    def slowness(self) -> Array:
        sizes = np.array([row[3] for row in rules.SIZES.values()])[self.frame["_size"]]
        return np.asarray(self.table("product", {name: row[2] for name, row in rules.PRODUCTS.items()}) * sizes)

    @cached_property
    def wallet(self) -> Array:
        """The stated budget, or what is usual for such a company."""
        stated = self.frame["_wallet"].to_numpy()
        return np.where(np.isnan(stated), typical_wallet(self.frame), stated)

    @cached_property
    def wallet_spread(self) -> Array:
        stated = ~np.isnan(self.frame["_wallet"].to_numpy())
        return np.where(stated, rules.STATED_SPREAD, rules.WALLET_SPREAD)

    @cached_property
    def decides(self) -> Array:
        """Chance that the person decides alone: less for every rank that is missing in a company of this size."""
        missing = np.maximum(0.0, self.frame["_size"].to_numpy() + 1.0 - self.frame["_rank"].to_numpy())
        return np.asarray(rules.DECIDES - rules.DECIDES_LESS * missing)

    @cached_property
    def answers(self) -> Array:
        """Chance that an attempt is answered while the interest is fresh."""
        # share of Moscow's office hours that are office hours of the customer too
        zone = np.clip(1.0 - np.abs(self.frame["_offset"].to_numpy() - 3.0) / rules.ZONE_HOURS, rules.ZONE_FLOOR, 1.0)
        return np.asarray(rules.ANSWERS * zone * np.where(self.phone_good, 1.0, rules.ANSWERS_WITHOUT_PHONE))

    @cached_property
    def phone_good(self) -> Flags:
        return np.asarray(self.frame["_phone"] == "good", dtype=bool)

    @cached_property
    def asked_for_us(self) -> Flags:
        return ~np.asarray(self.frame["offer"].isin(rules.TAKES_MATERIAL), dtype=bool)

    @cached_property
    def junk_share(self) -> Array:
        """Chance that nobody can sell to this lead, from its source and from what its phone looks like."""
        broken = (self.frame["_phone"] == "broken").to_numpy() * rules.BROKEN_PHONE_IS_JUNK
        duplicate = self.frame["_duplicate"].to_numpy() * rules.DUPLICATE_IS_CLOSED
        return np.asarray(1 - (1 - self.source["junk"]) * (1 - broken) * (1 - duplicate))

    @cached_property
    def for_the_race(self) -> dict[str, Array]:
        """What the hazards ask for besides the hidden things."""
        return {
            "unserved": self.frame["_unserved"].to_numpy(dtype=np.float64),
            "skill": self.manager["skill"],
            "clings": self.table("Текущее решение", {name: row[2] for name, row in rules.CURRENT.items()}),
            "tempted": self.table("_intent", {name: row[3] for name, row in rules.INTENTS.items()}),
        }


def facts_of(frame: pd.DataFrame, ends: datetime, *, planted: bool = True) -> Facts:
    """Facts of the leads; `planted=False` is the same company in a world where none of the patterns is true."""
    starts = ends - rules.SPAN
    created = np.array([(moment - starts) / timedelta(days=1) for moment in frame["created_at"]])
    patterns = rules.PLANTED_PATTERNS if planted else ()
    return Facts(frame, created, OfficeHours(starts, CLOCK_DAYS), *_plant(patterns, frame))


def _plant(
    patterns: tuple[rules.Pattern, ...], frame: pd.DataFrame
) -> tuple[dict[tuple[str, str], Array], NDArray[np.object_], Flags]:
    factors: dict[tuple[str, str], Array] = {}
    names, hole = np.full(len(frame), None, dtype=object), np.zeros(len(frame), dtype=bool)
    for pattern in patterns:
        inside = falls_into(pattern, frame)
        hole |= inside & pattern.friday_evening
        names[inside & pd.isna(names)] = pattern.name
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
        inside &= np.array([at >= pattern.since for at in frame["created_at"]], dtype=bool)
    return inside & frame["_friday_evening"].to_numpy() if pattern.friday_evening else inside
