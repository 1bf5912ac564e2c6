"""Takes what the CRM sends: keeps the body, stores the record, advises, logs the decision; in this order."""

from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from features.lead_history import KeptLead
from features.records import EventKind, Lead, LeadEvent, LossNote
from features.store import Store
from features.store.service_log import DecisionEntry, ServiceLog
from models.reason_classifier import ReasonClassifier
from serving import schemas
from serving.champions import Champions
from serving.errors import ApiProblem, parse
from serving.recommend import Advice, Recommender


class Desk:
    """The work behind the routes; every method may be called from several threads."""

    def __init__(self, store: Store, log: ServiceLog, recommender: Recommender, champions: Champions) -> None:
        self._store = store
        self._log = log
        self._recommender = recommender
        self._champions = champions

    def take_lead(self, body: bytes, now: datetime, language: schemas.Language) -> schemas.Recommendation:
        """Stores a lead and advises on it. Where the store fails, the advice still comes, not acknowledged."""
        try:
            self._log.keep_body("/v1/leads", body, now)
            lead = parse(schemas.LeadIn, body).lead()
            self._store.save_leads([lead], known_at=now)
            return self.advise_on(lead.lead_id, None, now, language)
        except SQLAlchemyError:
            lead = parse(schemas.LeadIn, body).lead()
            return self._advise_unstored(lead, now, language)

    def take_events(self, lead_id: str, body: bytes, now: datetime, language: schemas.Language) -> schemas.EventsTaken:
        """Stores events (and a loss note with them); the recommendation follows at once where the lead is known."""
        self._log.keep_body("/v1/leads/{lead_id}/events", body, now)
        sent = parse(schemas.EventsIn, body).events
        saved = self._store.save_events(_events(lead_id, sent))
        self._store.save_notes(_notes(lead_id, sent))
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
        moment = as_of or _present(lead, now)
        advice = self._recommender.advise(
            lead, self._store.events_of(lead_id), as_of=moment, now=now, language=language
        )
        return self._logged(advice, now)

    def read_note(self, body: bytes, now: datetime) -> schemas.NoteTagged:
        """Reads one note; with a `lead_id` it is kept for the week."""
        note = parse(schemas.NoteIn, body)
        champion = self._champions.get("reasons")
        if champion is None:
            raise ApiProblem(
                503,
                "no-model",
                "No reader of notes is published",
                "run `leadloop train reasons` and `leadloop promote`",
            )
        if note.lead_id is not None:
            self._log.keep_body("/v1/loss-notes", body, now)
            written = note.written_at or now
            self._store.save_notes(
                [LossNote(lead_id=note.lead_id, text=note.text, stage=note.stage, written_at=written)]
            )
        assert isinstance(champion.model, ReasonClassifier)
        return _tagged(champion.model, champion.version, note.text)

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


def _present(lead: KeptLead, now: datetime) -> datetime | None:
    """The moment of a lead that is asked about now; a lead without dates has none."""
    return None if lead.created_at is None else max(now, lead.created_at)


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
