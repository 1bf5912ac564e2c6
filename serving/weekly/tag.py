"""The week's loss notes → one tag per note and model version; a second run changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from features.records import LossNote
from features.store import Store
from features.store.store import NoteTag
from serving.weekly.week import Week

CHUNK = 500  # notes read and saved at once: a run that is killed loses half a second of work


class ReadNote(Protocol):
    """What a reason model says of one note; models.reason_classifier.ReasonTag is one."""

    @property
    def reason(self) -> str: ...
    @property
    def probability(self) -> float: ...
    @property
    def sure(self) -> bool: ...
    @property
    def secondary(self) -> str | None: ...
    @property
    def top(self) -> Sequence[tuple[str, float]]: ...
    @property
    def evidence(self) -> Sequence[tuple[int, int]]: ...


class ReasonSettings(Protocol):
    @property
    def taxonomy_version(self) -> int: ...


class ReasonReader(Protocol):
    """A reason model; models.reason_classifier.ReasonClassifier is one."""

    @property
    def settings(self) -> ReasonSettings: ...
    def read_many(self, texts: Sequence[str]) -> Sequence[ReadNote]: ...


class Tagger(Protocol):
    """A reason model with its version; serving.champions.Champion is one."""

    @property
    def model(self) -> ReasonReader: ...
    @property
    def version(self) -> str: ...


@dataclass(frozen=True)
class TaggedWeek:
    """How many notes of a week this run tagged; those tagged before are not counted."""

    week: Week
    model_version: str
    new: int


def tag_week(week: Week, store: Store, tagger: Tagger) -> TaggedWeek:
    """Tags the notes written in the week that this model version has not read yet.

    Saved chunk by chunk, so a run that was killed goes on where it stopped and ends with the same rows.
    """
    notes = store.untagged_notes(tagger.version, week.start, week.end)
    chunks = (notes[start : start + CHUNK] for start in range(0, len(notes), CHUNK))
    new = sum(_tag_chunk(chunk, store, tagger) for chunk in chunks)
    return TaggedWeek(week, tagger.version, new)


def _tag_chunk(notes: Sequence[LossNote], store: Store, tagger: Tagger) -> int:
    read = tagger.model.read_many([note.text for note in notes])
    tags = [_tag(note, said) for note, said in zip(notes, read, strict=True)]
    return store.save_tags(tags, tagger.version, tagger.model.settings.taxonomy_version).new


def _tag(note: LossNote, said: ReadNote) -> NoteTag:
    assert note.note_id is not None  # the store gives every note an identity
    return NoteTag(
        note_id=note.note_id,
        reason=said.reason,
        probability=float(said.probability),
        sure=bool(said.sure),
        secondary=said.secondary,
        top=[(reason, float(probability)) for reason, probability in said.top],
        evidence=[(int(start), int(end)) for start, end in said.evidence],
    )
