"""A small company whose every number can be counted on fingers, and a tagger that reads one word."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from features.contacts import ContactKeeper
from features.records import EventKind, Lead, LeadEvent, LossNote, Stage
from features.store import Store, migrate, open_engine
from models.taxonomy import Taxonomy, load_taxonomy
from serving.weekly.review import Review, build_review
from serving.weekly.tag import tag_week
from serving.weekly.week import Week

MOSCOW = ZoneInfo("Europe/Moscow")
WORDS = {  # a word of a note, its reason
    "дорого": "price",
    "бюджет": "no_budget",
    "дозвон": "unreachable",
    "обещали": "offer_mismatch",
    "номер": "invalid_contact",
    "позже": "timing",
}


@dataclass(frozen=True)
class OneWord:
    """What the tagger says of a note."""

    reason: str
    probability: float
    sure: bool
    secondary: str | None
    top: Sequence[tuple[str, float]]
    evidence: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class TaxonomyOne:
    taxonomy_version: int = 1


@dataclass
class WordReader:
    """Tags by the first known word; a note with a question mark is not sure; `breaks_after` reads it dies."""

    settings: TaxonomyOne = field(default_factory=TaxonomyOne)
    breaks_after: int | None = None
    notes_read: int = 0

    def read_many(self, texts: Sequence[str]) -> list[OneWord]:
        self.notes_read += len(texts)
        if self.breaks_after is not None and self.notes_read > self.breaks_after:
            raise KeyboardInterrupt
        return [self._read(text) for text in texts]

    @staticmethod
    def _read(text: str) -> OneWord:
        found = next(((word, reason) for word, reason in WORDS.items() if word in text.lower()), None)
        if found is None:
            return OneWord("unclear", 0.95, True, None, [("unclear", 0.95)], [])
        word, reason = found
        start = text.lower().index(word)
        return OneWord(reason, 0.9, "?" not in text, None, [(reason, 0.9)], [(start, start + len(word))])


@dataclass
class WordTagger:
    model: WordReader = field(default_factory=WordReader)
    version: str = "words-1"


class Company:
    """Writes leads, what happened to them and notes into a store; days are noons in Moscow."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.count = 0

    @staticmethod
    def at(moment: str) -> datetime:
        """`2026-11-10` is its noon, `2026-11-10T23:30` that minute."""
        if "T" in moment:
            return datetime.fromisoformat(moment).replace(tzinfo=MOSCOW)
        return datetime.combine(date.fromisoformat(moment), time(12), MOSCOW)

    def lead(self, created: str, *, source: str | None = "Ads", manager: str | None = "Anna", **stages: str) -> str:
        """A lead with the day on which it reached each stage, was `lost` or `reopened`."""
        self.count += 1
        lead_id = f"lead-{self.count:05}"
        self.store.save_leads([Lead(lead_id=lead_id, created_at=self.at(created), source=source, manager=manager)])
        self.store.save_events([self._event(lead_id, name, day) for name, day in stages.items()])
        return lead_id

    def _event(self, lead_id: str, name: str, day: str) -> LeadEvent:
        if name in ("lost", "reopened", "won"):
            return LeadEvent(lead_id=lead_id, kind=EventKind(name), at=self.at(day))
        return LeadEvent(lead_id=lead_id, kind=EventKind.STAGE, stage=Stage(name), at=self.at(day))

    def loss(
        self, written: str, text: str, *, source: str | None = "Ads", stage: str | None = None, crm: str | None = None
    ) -> str:
        """A lead of long ago that was lost now, with its note."""
        lead_id = self.lead("2026-01-05", source=source, lost=written)
        self.note(lead_id, written, text, stage=stage, crm=crm)
        return lead_id

    def note(self, lead_id: str, written: str, text: str, *, stage: str | None = None, crm: str | None = None) -> None:
        note = LossNote(
            lead_id=lead_id,
            note_id=f"note-{lead_id}-{written}",
            written_at=self.at(written),
            text=text,
            stage=Stage(stage) if stage else None,
            crm_reason=crm,
        )
        self.store.save_notes([note])

    def review(self, week: Week, tagger: WordTagger | None = None) -> Review:
        tagger = tagger or WordTagger()
        for ago in range(9):
            tag_week(week.before(ago), self.store, tagger)
        return build_review(week, self.store, tagger, load_taxonomy())


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store of its own for each test; the tests of the service beside these share a filled one."""
    engine = open_engine(store_url)
    migrate(engine)
    yield Store(engine, ContactKeeper(b"a secret for tests only"))
    engine.dispose()


@pytest.fixture
def company(store: Store) -> Company:
    return Company(store)


@pytest.fixture
def tagger() -> WordTagger:
    return WordTagger()


@pytest.fixture
def taxonomy() -> Taxonomy:
    return load_taxonomy()


@pytest.fixture
def week() -> Week:
    """The week from Monday, 9 November 2026."""
    return Week.named("2026-W46", MOSCOW)
