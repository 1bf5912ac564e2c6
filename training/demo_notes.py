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
from training.demo_facts import Facts
from training.demo_truth import Walk

STARTER_NOTES = Path(models.__file__).parent / "starter_notes.jsonl"
STAGE_OF_CORPUS = {
    "lead": "lead",
    "qualification": "qualified",
    "meeting": "meeting",
    "proposal": "proposal",
    "deal": "proposal",
}
TWO_LINES = 0.15  # of the notes with two sentences
ENOUGH = 25  # texts: with fewer for this very stage, those of other stages are taken too


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
    managers, languages = facts.frame["_manager"].tolist(), facts.frame["_language"].tolist()
    columns = (losses["lead"].tolist(), losses["reason"].tolist(), losses["stage"].tolist())
    rows = []
    for lead, reason, stage, u in zip(*columns, rng.random((len(losses), 5)).tolist(), strict=True):
        manager, card = rules.MANAGERS[managers[lead]], None
        if u[0] >= manager.empty:
            card = deck.deal("unclear" if u[1] < manager.vague else reason, languages[lead], stage)
        picked = rules.DROP_DOWN[reason]
        if u[2] < manager.lazy:
            picked = manager.favourite
        elif u[3] < rules.SLIP:
            picked = words[int(u[4] * len(words))]
        told = (_typed(card["text"], u[4]), card["reason"], card["id"]) if card else ("", None, None)
        rows.append((picked, *told))
    said = pd.DataFrame(rows, columns=["crm_reason", "text", "reason_of_text", "corpus_id"], dtype=object)
    return pd.concat([losses.rename(columns={"reason": "reason_true"}), said], axis=1)


def _typed(text: str, luck: float) -> str:
    """Some press Enter after the first sentence."""
    return text.replace(". ", ".\n", 1) if luck < TWO_LINES else text


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
