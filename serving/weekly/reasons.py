"""Why leads were lost: the notes written in the week, by reason, owner, stage and source, against the weeks before."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from features.store import Store
from models.taxonomy import UNCLEAR, Taxonomy
from serving.weekly.funnel import weeks_told
from serving.weekly.queries import (
    SHOWN_STAGES,
    LossGroup,
    NoteRow,
    first_note,
    losses_written,
    note_ids,
    notes_of,
)
from serving.weekly.rates import CHANCE, HEADLINE_CHANCE, Compared, Share, compare, judge
from serving.weekly.week import Week

UNSURE = "unsure"  # the model does not know; a person looks. `unclear` is known: the text holds no reason
UNKNOWN = "unknown"  # the owner of losses whose reason nobody knows: blaming a department for them would be a guess
OWNERS = ("marketing", "sales", "both", "product", "customer", UNKNOWN)
TOP_REASONS = 3  # with example notes: what one meeting can talk through
EXAMPLES = 5  # notes of each
FEW_NOTES = 20  # below that an interval spans over 40 points: shown, but marked as nothing to act on

Losses = Counter[LossGroup]
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class ReasonRow:
    """One reason's share of the losses. `owner` is the department in whose zone it lies."""

    reason: str
    owner: str
    share: Compared


@dataclass(frozen=True)
class OwnerRow:
    owner: str
    share: Compared


@dataclass(frozen=True)
class LossRow:
    """The losses of one stage, source or drop-down item: counts by owner and by reason, the most frequent first."""

    name: str | None
    notes: int
    owners: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, int], ...]

    @property
    def is_small(self) -> bool:
        return self.notes < FEW_NOTES


@dataclass(frozen=True)
class Example:
    """A note as stored, personal data masked, with the spans that spoke for its reason."""

    text: str
    evidence: tuple[tuple[int, int], ...]
    written_at: datetime
    stage: str | None
    source: str | None


@dataclass(frozen=True)
class LossReasons:
    """The losses of a week, from the tags of one model version."""

    notes: int
    weeks_before: int
    notes_before: tuple[int, ...]
    reasons: tuple[ReasonRow, ...]
    owners: tuple[OwnerRow, ...]
    by_stage: tuple[LossRow, ...]
    by_source: tuple[LossRow, ...]
    by_crm_reason: tuple[LossRow, ...]
    examples: tuple[tuple[str, tuple[Example, ...]], ...]

    @property
    def named(self) -> tuple[ReasonRow, ...]:
        """Without `unclear` and `unsure`: the reasons that somebody can act on."""
        return tuple(row for row in self.reasons if is_named(row.reason))


def count_reasons(week: Week, store: Store, version: str, taxonomy: Taxonomy) -> LossReasons:
    """The loss reasons of a week; its notes and those of the weeks before are tagged already."""
    with store.engine.connect() as connection:
        weeks = [*weeks_told(week, first_note(connection)), week]
        *before, now = (losses_written(connection, each.start, each.end, version) for each in weeks)
        reasons = _reason_rows(now, before, taxonomy)
        top = [row.reason for row in reasons if is_named(row.reason) and row.share.now.count][:TOP_REASONS]
        examples = tuple((reason, _examples(week, reason, version, connection)) for reason in top)
    return LossReasons(
        notes=now.total(),
        weeks_before=len(before),
        notes_before=tuple(each.total() for each in before),
        reasons=reasons,
        owners=_owner_rows(now, before, taxonomy),
        by_stage=_by_stage(now, taxonomy),
        by_source=_loss_rows(now, lambda group: group.source, taxonomy),
        by_crm_reason=tuple(
            row for row in _loss_rows(now, lambda group: group.crm_reason, taxonomy) if row.name is not None
        ),
        examples=examples,
    )


def reason_of(group: LossGroup) -> str:
    """The reason that is counted: a guess is not a reason."""
    return group.reason if group.sure else UNSURE


def is_named(reason: str) -> bool:
    return reason not in (UNCLEAR, UNSURE)


def owner_of(reason: str, taxonomy: Taxonomy) -> str:
    """
    >>> from models.taxonomy import load_taxonomy
    >>> [owner_of(reason, load_taxonomy()) for reason in ("offer_mismatch", "unclear", "a code of an older taxonomy")]
    ['marketing', 'unknown', 'unknown']
    """
    known = taxonomy.reasons.get(reason)
    return UNKNOWN if known is None or reason == UNCLEAR else known.owner


def _reason_rows(now: Losses, before: Sequence[Losses], taxonomy: Taxonomy) -> tuple[ReasonRow, ...]:
    """The most frequent first; what is not known stands last, however much it is."""
    shares = _shares(now, before, reason_of, HEADLINE_CHANCE)
    rows = [ReasonRow(reason, owner_of(reason, taxonomy), share) for reason, share in shares.items()]
    return tuple(sorted(rows, key=lambda row: (not is_named(row.reason), *_largest_first(row.share), row.reason)))


def _owner_rows(now: Losses, before: Sequence[Losses], taxonomy: Taxonomy) -> tuple[OwnerRow, ...]:
    shares = _shares(now, before, lambda group: owner_of(reason_of(group), taxonomy), CHANCE)
    rows = [OwnerRow(owner, share) for owner, share in shares.items()]
    return tuple(
        sorted(rows, key=lambda row: (row.owner == UNKNOWN, *_largest_first(row.share), OWNERS.index(row.owner)))
    )


def _shares(
    now: Losses, before: Sequence[Losses], key_of: Callable[[LossGroup], str], chance: float
) -> dict[str, Compared]:
    """The share of each key that was met, this week beside the weeks before, judged as one table."""
    weeks = [_count(each, key_of) for each in (*before, now)]
    keys = sorted(set().union(*weeks))
    table = [[Share(week[key], week.total()) for week in weeks] for key in keys]
    compared = compare([(row[-1], row[:-1]) for row in table])
    changes = judge([row.change for row in compared], chance)
    return {key: replace(row, change=change) for key, row, change in zip(keys, compared, changes, strict=True)}


def _by_stage(now: Losses, taxonomy: Taxonomy) -> tuple[LossRow, ...]:
    """In the order of the funnel."""
    rows = _loss_rows(now, lambda group: None if group.stage is None else SHOWN_STAGES[group.stage].value, taxonomy)
    order = [stage.value for stage in SHOWN_STAGES]
    return tuple(sorted(rows, key=lambda row: len(order) if row.name is None else order.index(row.name)))


def _loss_rows(now: Losses, name_of: Callable[[LossGroup], str | None], taxonomy: Taxonomy) -> tuple[LossRow, ...]:
    split: dict[str | None, Losses] = {}
    for group, count in now.items():
        split.setdefault(name_of(group), Counter())[group] += count
    rows = [_loss_row(name, losses, taxonomy) for name, losses in split.items()]
    return tuple(sorted(rows, key=lambda row: (row.name is None, -row.notes, row.name or "")))


def _loss_row(name: str | None, losses: Losses, taxonomy: Taxonomy) -> LossRow:
    owners = _count(losses, lambda group: owner_of(reason_of(group), taxonomy))
    reasons = _count(losses, reason_of)
    return LossRow(
        name,
        losses.total(),
        tuple((owner, owners[owner]) for owner in OWNERS if owners[owner]),
        tuple(sorted(reasons.items(), key=lambda each: (not is_named(each[0]), -each[1], each[0]))),
    )


def _count(losses: Losses, key_of: Callable[[LossGroup], _Key]) -> Counter[_Key]:
    counts: Counter[_Key] = Counter()
    for group, count in losses.items():
        counts[key_of(group)] += count
    return counts


def _largest_first(share: Compared) -> tuple[int, int]:
    return -share.now.count, -share.before.count


def _examples(week: Week, reason: str, version: str, connection: Connection) -> tuple[Example, ...]:
    """Notes drawn by their identity: a fair sample, and the same one every time. Notes that say the same come once."""
    drawn = sorted(note_ids(connection, week.start, week.end, version, reason), key=_lot)[: EXAMPLES * 5]
    notes = notes_of(connection, drawn, version)
    different = {_as_said(notes[note_id].text): notes[note_id] for note_id in reversed(drawn)}
    chosen = sorted(different.values(), key=lambda note: drawn.index(note.note_id))[:EXAMPLES]
    return tuple(_example(note) for note in chosen)


def _example(note: NoteRow) -> Example:
    spans = tuple((int(start), int(end)) for start, end in note.evidence)
    stage = None if note.stage is None else SHOWN_STAGES[note.stage].value
    return Example(note.text, spans, note.written_at, stage, note.source)


def _lot(note_id: str) -> bytes:
    return hashlib.sha256(note_id.encode()).digest()


def _as_said(text: str) -> str:
    return " ".join(text.casefold().split())
