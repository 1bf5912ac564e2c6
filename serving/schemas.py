"""What the API takes and gives, typed; its OpenAPI page is made of these."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from features.moments import FIRST_YEAR, LAST_YEAR
from features.records import (
    CALL_OUTCOMES,
    STAGES,
    EventKind,
    FieldValue,
    Identifier,
    Lead,
    LeadEvent,
    Money,
    NoteText,
    Stage,
    Word,
)


def _of_our_time(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(
            f"a moment lies in the years {FIRST_YEAR} to {LAST_YEAR}; a CRM's sign for 'no date' is better left out"
        )
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_of_our_time)]
Probability = Annotated[float, Field(ge=0, le=1)]
Language = Literal["ru", "en"]

LEAD_EXAMPLE: dict[str, Any] = {
    "lead_id": "L-1001",
    "created_at": "2026-11-20T10:15:00+03:00",
    "source": "Рекомендация",
    "landing_page": "/demo-15-minut",
    "offer": "Демо",
    "product": "CRM",
    "region": "Москва",
    "industry": "Оптовая торговля",
    "company_size": "51-250",
    "role": "Коммерческий директор",
    "comment": "Нужно срочно, 30 мест, созвонимся сегодня?",
    "phone": "+7 916 123-45-67",
    "custom": {"Работаете с CRM": "нет", "Сотрудников в отделе": 30},
}


class LeadIn(Lead):
    """A lead as the CRM sends it. Fields that are not known go into `custom`; unknown keys are taken as custom too."""

    model_config = ConfigDict(
        extra="allow", frozen=True, allow_inf_nan=False, json_schema_extra={"examples": [LEAD_EXAMPLE]}
    )

    __pydantic_extra__: dict[str, FieldValue | None]

    created_at: Moment | None = None

    def lead(self) -> Lead:
        known = {name: getattr(self, name) for name in Lead.model_fields}
        return Lead(**{**known, "custom": {**(self.__pydantic_extra__ or {}), **self.custom}})


class EventIn(BaseModel):
    """Something that happened to the lead in the path. `note` and `crm_reason` go with `lost`."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"kind": "call", "at": "2026-11-20T10:31:00+03:00", "detail": "no_answer", "manager": "Анна"}]
        },
    )

    kind: EventKind
    at: Moment
    event_id: Identifier | None = None
    stage: Stage | None = None
    detail: Word | None = None
    amount: Money | None = None
    manager: Word | None = None
    note: NoteText | None = None
    crm_reason: Word | None = None

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Self:
        # LeadEvent would refuse it as well, and would repeat what was typed.
        if self.kind is EventKind.STAGE and self.stage is None:
            raise ValueError(f"an event of kind 'stage' names its stage, one of {[s.value for s in STAGES]}")
        if self.kind is EventKind.CALL and self.detail not in CALL_OUTCOMES:
            raise ValueError(f"a call's detail is its outcome, one of {list(CALL_OUTCOMES)}")
        return self

    def event(self, lead_id: str) -> LeadEvent:
        return LeadEvent(lead_id=lead_id, **self.model_dump(exclude={"note", "crm_reason"}))


class EventsIn(BaseModel):
    """One or more events of one lead."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    events: Annotated[list[EventIn], Field(min_length=1, max_length=1_000)]


class NoteIn(BaseModel):
    """A loss note to read. With `lead_id` it is kept too, with personal data masked, and takes part in the week."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"text": "дорого, взяли у конкурента", "stage": "proposal"}]},
    )

    text: NoteText
    lead_id: Identifier | None = None
    stage: Stage | None = None
    lang: Language | None = None
    written_at: Moment | None = None


class Value(BaseModel):
    """What each action is worth, in money; null without a probability."""

    call_now: float | None
    nurture: float | None
    currency: str


class Recommendation(BaseModel):
    """Call now or nurture, and why. `probability` is of winning within the horizon; null without a published model."""

    lead_id: str
    action: Literal["call_now", "nurture"]
    because: str = Field(description="the policy rule that decided")
    probability: Probability | None
    interval: tuple[Probability, Probability] | None = Field(description="80% interval of the rate among like leads")
    stage_probabilities: dict[str, Probability]
    grade: Literal["iql", "mql", "sal", "sql"]
    value: Value
    deadline: datetime | None = Field(description="when the call is due, in working time")
    next_touch: datetime | None
    reasons_for: list[str]
    reasons_against: list[str]
    source: Literal["model", "prior", "rules"]
    as_of: datetime | None = Field(description="what was known by this moment; null for a lead without dates")
    model_version: str | None
    policy_version: str
    propensity: Probability = Field(description="the probability with which this action was chosen")
    acknowledged: bool = Field(description="false: the answer could not be stored, send again")


class EventsTaken(BaseModel):
    """Events are kept even when their lead is not known yet; then there is no recommendation."""

    lead_id: str
    stored: int
    repeated: int
    recommendation: Recommendation | None


class ReasonProbability(BaseModel):
    reason: str
    probability: Probability


class Span(BaseModel):
    """Letters start…end of the text as it was sent."""

    start: int
    end: int


class NoteTagged(BaseModel):
    """The reason read in a note; `sure: false` means that a person should look at `top`."""

    reason: str
    probability: Probability
    sure: bool
    secondary: str | None
    top: list[ReasonProbability]
    evidence: list[Span]
    because: str
    model_version: str
    taxonomy_version: int


class Health(BaseModel):
    status: Literal["ok"]


class Readiness(BaseModel):
    """`degraded` answers too, by the rules or by an older model; `problems` say what is missing."""

    status: Literal["ready", "degraded"]
    models: dict[str, str | None]
    problems: list[str]


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None


def problem_responses(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its OpenAPI."""
    return {code: {"model": Problem, "content": {"application/problem+json": {}}} for code in codes}
