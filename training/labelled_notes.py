"""Notes with their reason: from a file of a company, from the label queue, or the starter corpus that we ship."""

import csv
import gzip
import io
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.records import clean_text
from models.taxonomy import SHIPPED

STARTER = SHIPPED.with_name("starter_notes.jsonl")  # synthetic: made up for this project, in many voices
LABEL_COLUMNS = ("reason", "label")
_VOICE = re.compile(r"([a-z]+)\d+", re.IGNORECASE)


class BrokenNotes(ValueError):
    """A file of labelled notes that cannot be used: where, what came, what was expected."""


@dataclass(frozen=True, slots=True)
class LabelledNote:
    """A note with the reason that a person gave it. `voice` is who typed it, where that is known."""

    text: str
    reason: str
    secondary: str | None = None
    note_id: str | None = None
    voice: str | None = None
    lang: str | None = None
    stage: str | None = None
    partition: str | None = None  # train or test, where a published set says so


def load_labelled(path: Path) -> list[LabelledNote]:
    """Notes of a CSV or JSON Lines file (also gzipped) with `text` and `reason` or `label`; other columns may be there.

    The letters of an id like `d0137` name the voice. Raises BrokenNotes with the line.
    """
    rows = _json_lines(path) if ".jsonl" in path.suffixes or ".json" in path.suffixes else _csv_rows(path)
    notes = [_note(row, f"{path.name}, line {line}") for line, row in rows]
    if not notes:
        raise BrokenNotes(f"{path.name} holds no notes; give a file with at least two reasons")
    return notes


def starter_notes(without_voices: Collection[str] = ()) -> list[LabelledNote]:
    """The starter corpus, with some voices left out, so that their notes may be used to measure."""
    return [note for note in load_labelled(STARTER) if note.voice not in without_voices]


def _read(path: Path) -> str:
    try:
        body = path.read_bytes()
        return (gzip.decompress(body) if path.suffix == ".gz" else body).decode("utf-8-sig")
    except (OSError, EOFError) as error:
        raise BrokenNotes(f"{path} cannot be read: {error}") from None
    except UnicodeDecodeError:
        raise BrokenNotes(f"{path.name} is not UTF-8; save it as CSV UTF-8") from None


def _json_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, text in enumerate(_read(path).split("\n"), start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BrokenNotes(f"{path.name}, line {line} is no JSON: {error}") from None
        if not isinstance(row, dict):
            raise BrokenNotes(f"{path.name}, line {line} is no object; a note is {{'text': ..., 'reason': ...}}")
        yield line, row


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(_read(path), newline=""))
    columns: Iterable[str] = reader.fieldnames or ()
    if "text" not in columns or not any(name in columns for name in LABEL_COLUMNS):
        raise BrokenNotes(f"{path.name} has columns {list(columns)}; expected text and one of {list(LABEL_COLUMNS)}")
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise BrokenNotes(f"{path.name}, line {reader.line_num}: {error}; quote texts that hold commas") from None


def _note(row: Mapping[str, Any], where: str) -> LabelledNote:
    text, label = row.get("text"), next((row[name] for name in LABEL_COLUMNS if row.get(name)), None)
    if not isinstance(text, str) or not isinstance(label, str) or not label.strip():
        lacks = "text" if not isinstance(text, str) else "reason (or label)"
        raise BrokenNotes(f"{where} lacks {lacks}; every note has both, an empty text is legal")
    note_id = str(row["id"]) if row.get("id") not in (None, "") else None
    voice = _VOICE.fullmatch(note_id or "")
    return LabelledNote(
        text=clean_text(text),
        reason=label.strip(),
        note_id=note_id,
        voice=voice[1] if voice else None,
        **{name: row.get(name) or None for name in ("secondary", "lang", "stage", "partition")},
    )
