"""Loss notes of the demo company: texts of the voices set aside, picked and left empty as its managers are used to."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

import models
from training import demo_rules as rules
from training.demo_events import Log
from training.demo_truth import Facts, Walk

STARTER_NOTES = Path(models.__file__).parent / "starter_notes.jsonl"
STAGE_OF_CORPUS = {"lead": "lead", "qualification": "qualified", "meeting": "meeting", "proposal": "proposal", "deal": "proposal"}
ENOUGH = 5  # texts: with fewer for this very stage, those of other stages are taken too


def voice(note_id: str) -> str:
    """The letters of a note's id in the starter corpus name who wrote it.

    >>> voice("i0251")
    'i'
    """
    return note_id.rstrip("0123456789")


@cache
def corpus() -> tuple[dict[str, str], ...]:
    """Notes of the voices set aside, from trades that could be this company."""
    with STARTER_NOTES.open(encoding="utf-8") as lines:
        notes = [json.loads(line) for line in lines]
    return tuple(note for note in notes if _ours(voice(note["id"]), note["industry"]))


def _ours(voice_: str, industry: str) -> bool:
    if voice_ not in rules.DEMO_VOICES:
        return False
    trades = rules.NOTE_TRADES[voice_]
    return trades is None or industry in trades


@dataclass
class Deck:
    """Texts by reason, language and stage, dealt like cards: none comes again before all others have come."""

    rng: np.random.Generator
    cards: dict[tuple[str, str, str], list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    dealt: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        for number in self.rng.permutation(len(corpus())):
            note = corpus()[number]
            self.cards[note["reason"], note["lang"], STAGE_OF_CORPUS[note["stage"]]].append(note)
            self.cards[note["reason"], note["lang"], ""].append(note)

    def deal(self, reason: str, language: str, stage: str) -> dict[str, str]:
        key = (reason, language, stage)
        if len(self.cards[key]) < ENOUGH:
            key = (reason, language, "")
        self.dealt[key] += 1
        return self.cards[key][self.dealt[key] % len(self.cards[key])]


def write_notes(facts: Facts, way: Walk, rng: np.random.Generator) -> pd.DataFrame:
    """One row per loss until the snapshot; `reason_true` is why, `reason_of_text` what the text says (None: empty)."""
    losses = _losses(way, rng)
    deck, words = Deck(rng), sorted(set(rules.DROP_DOWN.values()))
    rows = []
    for loss, u in zip(losses.itertuples(index=False), rng.random((len(losses), 5)).tolist(), strict=True):
        manager = rules.MANAGERS[facts.frame["_manager"].iat[loss.lead]]
        language = facts.frame["_language"].iat[loss.lead]
        card = None
        if u[0] >= manager.empty:
            card = deck.deal("unclear" if u[1] < manager.vague else loss.reason, language, loss.stage)
        picked = rules.DROP_DOWN[loss.reason]
        if u[2] < manager.lazy:
            picked = manager.favourite
        elif u[3] < rules.SLIP:
            picked = words[int(u[4] * len(words))]
        rows.append((card["text"] if card else "", picked, card["reason"] if card else None, card["id"] if card else None))
    said = pd.DataFrame(rows, columns=["text", "crm_reason", "reason_of_text", "corpus_id"], dtype=object)
    return pd.concat([losses.rename(columns={"reason": "reason_true"}), said], axis=1)


def _losses(way: Walk, rng: np.random.Generator) -> pd.DataFrame:
    """First and second losses in time's order, with stage and true reason."""
    everybody, stages = np.arange(len(way.lost)), np.array([*rules.STAGES, "proposal"], dtype=object)
    log = Log([])
    log.add(everybody, way.lost, "lost", detail=way.reason)
    again = np.array(rules.LOST_AGAIN_FOR, dtype=object)[rng.integers(0, len(rules.LOST_AGAIN_FOR), len(everybody))]
    log.add(everybody, way.lost_again, "lost", detail=again)
    losses = pd.concat(log.tables, ignore_index=True)
    losses["second"] = np.rint(losses["day"] * 86_400).astype(np.int64)
    losses["stage"] = stages[way.stage[losses["lead"]]]
    losses = losses[losses["second"] < int(rules.SPAN.total_seconds())].sort_values(["second", "lead"], kind="stable")
    return losses[["lead", "second", "stage", "detail"]].rename(columns={"detail": "reason"}).reset_index(drop=True)
