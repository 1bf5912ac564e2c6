"""Takes what the CRM sends: keeps the body, stores the record, advises, logs the decision; in this order."""

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from features.lead_history import KeptLead
from features.records import EventKind, Lead, LeadEvent, LossNote
from features.store import Store
from features.store.service_log import DecisionEntry, ServiceLog
from models.reason_classifier import ReasonClassifier
from serving import schemas
from serving.champions import Champions
from serving.errors import ApiProblem, checked, parse
from serving.recommend import Advice, Recommender

log = logging.getLogger(__name__)
ERASE_EVERY = timedelta(hours=1)  # bodies are kept 30 days; an hour more is within what "30 days" means
CLOCKS_DIFFER = timedelta(days=1)  # a CRM's clock or time zone may be wrong by hours; by days it is a wrong date


class Desk:
    """The work behind the routes; every method may be called from several threads."""

    def __init__(self, store: Store, log: ServiceLog, recommender: Recommender, champions: Champions) -> None:
        self._store = store
        self._log = log
        self._recommender = recommender
        self._champions = champions
        self._one_at_a_time = Lock()  # a new version is made of the last one: two made at once would lose a change
        self._erase_at: datetime | None = None

    def take_lead(self, body: bytes, now: datetime, language: schemas.Language) -> schemas.Recommendation:
        """Stores a lead and advises on it. Where the store fails, the advice still comes, not acknowledged."""
        try:
            self._keep("/v1/leads", body, now)
            lead = _lead(body)
            with self._one_at_a_time:
                self._store.save_leads([lead], known_at=now)
            return self.advise_on(lead.lead_id, None, now, language)
        except SQLAlchemyError as error:
            log.error("the store failed: %s", type(error).__name__)
            return self._advise_unstored(_lead(body), now, language)

    def take_events(self, lead_id: str, body: bytes, now: datetime, language: schemas.Language) -> schemas.EventsTaken:
        """Stores events (and a loss note with them); the recommendation follows at once where the lead is known."""
        self._keep("/v1/leads/{lead_id}/events", body, now)
        sent = parse(schemas.EventsIn, body)
        _refuse_future(sent.events, now)
        events, notes = checked(schemas.EventsIn, lambda: (_events(lead_id, sent.events), _notes(lead_id, sent.events)))
        saved = self._store.save_events(events)
        self._store.save_notes(notes)
        known = self._store.lead(lead_id) is not None
        advice = self.advise_on(lead_id, None, now, language) if known else None
        return schemas.EventsTaken(lead_id=lead_id, stored=saved.new, repeated=saved.same, recommendation=advice)

    def advise_on(
        self, lead_id: str, as_of: datetime | None, now: datetime, language: schemas.Language
    ) -> schemas.Recommendation:
        """Advice on a stored lead, as of now or of a past moment, written to the decision log."""
        lead = self._store.lead(lead_id)
        if lead is None:
            raise ApiProblem(404, "unknown-lead", "The lead is not known", "send it to POST /v1/leads first", "lead_id")
        if as_of is not None and lead.created_at is not None and as_of < lead.created_at:
            raise ApiProblem(
                422, "too-early", "The lead was not there yet", "ask for a moment after its created_at", "as_of"
            )
        moment = as_of or _present(lead, now)
        advice = self._recommender.advise(
            lead, self._store.events_of(lead_id), as_of=moment, now=now, language=language
        )
        return self._logged(advice, now)

    def read_note(self, body: bytes, now: datetime) -> schemas.NoteTagged:
        """Reads one note; with a `lead_id` it is kept for the week, also while nobody can read it yet."""
        self._keep("/v1/loss-notes", body, now)
        note = parse(schemas.NoteIn, body)
        if note.lead_id is not None:
            self._store.save_notes([_kept_note(note, note.lead_id, now)])
        champion = self._champions.get("reasons")
        if champion is None:
            raise ApiProblem(
                503,
                "no-model",
                "No reader of notes is published",
                "a note with a lead_id was kept; run `leadloop train reasons` and `leadloop promote --kind reasons`",
            )
        assert isinstance(champion.model, ReasonClassifier)
        return _tagged(champion.model, champion.version, note.text)

    def erase_old_bodies(self, now: datetime) -> None:
        """Erases raw bodies whose time is over; called at the start and, while bodies come, every hour."""
        self._erase_at = now + ERASE_EVERY
        self._log.erase_old_bodies(now)

    def _keep(self, route: str, body: bytes, now: datetime) -> None:
        """Keeps the body before anything is done with it, also one that will be refused."""
        self._log.keep_body(route, body, now)
        if self._erase_at is None or now >= self._erase_at:
            self.erase_old_bodies(now)

    def _advise_unstored(self, lead: Lead, now: datetime, language: schemas.Language) -> schemas.Recommendation:
        kept = KeptLead(lead.lead_id, lead.created_at, (self._store.version_of(lead),), lead.order, lead.manager)
        advice = self._recommender.advise(kept, (), as_of=_present(kept, now), now=now, language=language)
        return advice.recommendation

    def _logged(self, advice: Advice, now: datetime) -> schemas.Recommendation:
        said = advice.recommendation
        answer = said.model_copy(update={"acknowledged": True})
        entry = DecisionEntry(
            lead_id=said.lead_id,
            decided_at=now,
            as_of=said.as_of,
            action=said.action,
            because=said.because,
            probability=said.probability,
            propensity=said.propensity,
            model_version=said.model_version or "rules",
            policy_version=said.policy_version,
            inputs=advice.inputs,
            answer=answer.model_dump(mode="json"),
        )
        try:
            self._log.log_decision(entry)
        except SQLAlchemyError:
            return said
        return answer


def _refuse_future(events: Sequence[schemas.EventIn], now: datetime) -> None:
    """One event dated years ahead would make every lead look ripe to the next training."""
    for place, event in enumerate(events):
        if event.at > now + CLOCKS_DIFFER:
            raise ApiProblem(
                422,
                "invalid-request",
                "The body does not fit",
                "an event lies in the future; `at` is when it happened, with its time zone",
                f"events.{place}.at",
            )


def _present(lead: KeptLead, now: datetime) -> datetime | None:
    """The moment of a lead that is asked about now; a lead without dates has none."""
    return None if lead.created_at is None else max(now, lead.created_at)


def _lead(body: bytes) -> Lead:
    return checked(schemas.LeadIn, parse(schemas.LeadIn, body).lead)


def _events(lead_id: str, sent: list[schemas.EventIn]) -> list[LeadEvent]:
    return [event.event(lead_id) for event in sent]


def _notes(lead_id: str, sent: list[schemas.EventIn]) -> list[LossNote]:
    return [
        LossNote(
            lead_id=lead_id,
            written_at=event.at,
            text=event.note or "",
            stage=event.stage,
            crm_reason=event.crm_reason,
            manager=event.manager,
        )
        for event in sent
        if event.kind is EventKind.LOST and (event.note is not None or event.crm_reason is not None)
    ]


def _kept_note(note: schemas.NoteIn, lead_id: str, now: datetime) -> LossNote:
    """Without a moment of its own, the same text for the same lead on the same day is one note: a CRM sends again."""
    words = (lead_id, note.stage or "", f"{now:%Y-%m-%d}", note.text)
    same = hashlib.sha256("\n".join(words).encode()).hexdigest()
    return LossNote(
        lead_id=lead_id,
        text=note.text,
        stage=note.stage,
        written_at=note.written_at or now,
        note_id=None if note.written_at else same,
    )


def _tagged(model: ReasonClassifier, version: str, text: str) -> schemas.NoteTagged:
    tag = model.read(text)
    return schemas.NoteTagged(
        reason=tag.reason,
        probability=tag.probability,
        sure=tag.sure,
        secondary=tag.secondary,
        top=[schemas.ReasonProbability(reason=r, probability=p) for r, p in tag.top],
        evidence=[schemas.Span(start=start, end=end) for start, end in tag.evidence],
        because=tag.because,
        model_version=version,
        taxonomy_version=model.settings.taxonomy_version,
    )
