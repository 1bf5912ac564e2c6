"""What the CRM sends: leads, events, loss notes, spend. Checked here once, trusted everywhere after."""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

NOTE_LIMIT = 10_000  # letters; a longer note is a pasted correspondence, its reason stands in the beginning
TEXT_LIMIT = 2_000  # letters; longer values of a lead's field are cut: no category or number is that long
CUSTOM_FIELDS_LIMIT = 500  # Bitrix24 portals seen in the wild have up to 300 own fields
SAFE_INTEGER = 2**63 - 1  # what both databases hold

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def clean_text(text: str) -> str:
    """Text that any database can hold: NFC, no control letters, lone surrogates replaced, blanks trimmed.

    >>> clean_text(" a\\x00b\\ud800 ")
    'ab�'
    """
    return unicodedata.normalize("NFC", _CONTROL.sub("", _SURROGATE.sub("\ufffd", text))).strip()


def _identifier(text: str) -> str:
    if clean_text(text) != unicodedata.normalize("NFC", text.strip()):
        raise ValueError("an identifier holds no control letters or broken Unicode; send it as plain text")
    return clean_text(text)


def _cut(limit: int) -> AfterValidator:
    return AfterValidator(lambda text: clean_text(text)[:limit])


Identifier = Annotated[str, AfterValidator(_identifier), Field(min_length=1, max_length=128)]
Word = Annotated[str, _cut(200)]
Text = Annotated[str, _cut(TEXT_LIMIT)]
NoteText = Annotated[str, _cut(NOTE_LIMIT)]  # "" is legal, sales do leave it empty
Number = Annotated[float, Field(allow_inf_nan=False)]
Integer = Annotated[int, Field(ge=-SAFE_INTEGER, le=SAFE_INTEGER)]
FieldValue = Text | bool | Integer | Number
Money = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=18, decimal_places=4)]

KNOWN_FIELDS = (
    "source",
    "channel",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "campaign",
    "landing_page",
    "offer",
    "product",
    "region",
    "industry",
    "company_size",
    "budget",
    "role",
    "comment",
)


class Stage(StrEnum):
    """The one funnel that both departments share, in order; `lost` may follow any of them."""

    LEAD = "lead"
    QUALIFIED = "qualified"
    MEETING = "meeting"
    PROPOSAL = "proposal"
    WON = "won"
    REPEAT = "repeat"


STAGES = tuple(Stage)


class EventKind(StrEnum):
    """What can happen to a lead."""

    TOUCH = "touch"  # a letter opened, a page, a webinar, a material; `detail` says which
    STAGE = "stage"  # moved to `stage`
    CALL = "call"  # an attempt to call; `detail` is its outcome, one of CALL_OUTCOMES
    MESSAGE = "message"  # `detail`: in or out
    MEETING = "meeting"
    PROPOSAL = "proposal"
    WON = "won"
    LOST = "lost"
    REOPENED = "reopened"


CALL_OUTCOMES = ("answered", "no_answer", "busy", "voicemail", "call_back", "invalid")

# The stage that an event proves, besides `stage` events, which name theirs.
STAGE_OF_EVENT = {EventKind.MEETING: Stage.MEETING, EventKind.PROPOSAL: Stage.PROPOSAL, EventKind.WON: Stage.WON}


class Record(BaseModel):
    """A checked record; unknown keys are refused, so that a typing error in a mapping is seen at once."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Lead(Record):
    """One enquiry: who, from where, when, what they wrote, and any custom fields.

    `created_at` is None, and `order` stands in, where an export has no date (only an order of rows).
    `phone`, `email` and `contact_name` are met here and nowhere else: the store keeps keyed hashes and facts.
    """

    lead_id: Identifier
    created_at: AwareDatetime | None = None
    order: Integer | None = None
    source: FieldValue | None = None
    channel: FieldValue | None = None
    utm_source: FieldValue | None = None
    utm_medium: FieldValue | None = None
    utm_campaign: FieldValue | None = None
    utm_content: FieldValue | None = None
    utm_term: FieldValue | None = None
    campaign: FieldValue | None = None
    landing_page: FieldValue | None = None
    offer: FieldValue | None = None
    product: FieldValue | None = None
    region: FieldValue | None = None
    industry: FieldValue | None = None
    company_size: FieldValue | None = None
    budget: FieldValue | None = None
    role: FieldValue | None = None
    comment: Annotated[str, _cut(NOTE_LIMIT)] | None = None
    phone: Word | None = None
    email: Word | None = None
    contact_name: Word | None = None
    manager: Word | None = None
    custom: Annotated[dict[Word, FieldValue | None], Field(max_length=CUSTOM_FIELDS_LIMIT)] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _custom_names_are_their_own(self) -> "Lead":
        clash = sorted(set(self.custom) & set(type(self).model_fields))
        if clash:
            raise ValueError(
                f"custom fields {clash} have names of known fields; send them beside lead_id, not in custom"
            )
        return self

    def fields(self) -> dict[str, FieldValue]:
        """Known and custom fields with a value, by name; empty text counts as no value."""
        known: dict[str, Any] = {name: getattr(self, name) for name in KNOWN_FIELDS}
        return {name: value for name, value in (known | self.custom).items() if value is not None and value != ""}


class LeadEvent(Record):
    """What happened to a lead at a moment.

    `at` is None where the export does not know it (an outcome column without a date). Such an event happened after
    the lead came; it tells outcomes, and no history as of any moment holds it.
    """

    lead_id: Identifier
    kind: EventKind
    at: AwareDatetime | None = None
    event_id: Identifier | None = None  # the CRM's own; without it the content is the identity
    stage: Stage | None = None
    detail: Word | None = None
    amount: Money | None = None  # of a deal or proposal, in the company's currency
    manager: Word | None = None

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> "LeadEvent":
        if self.kind is EventKind.STAGE and self.stage is None:
            raise ValueError(f"an event of kind 'stage' names its stage, one of {[s.value for s in STAGES]}")
        if self.kind is EventKind.CALL and self.detail not in CALL_OUTCOMES:
            raise ValueError(f"a call's detail is its outcome, one of {list(CALL_OUTCOMES)}, not {self.detail!r}")
        return self


class LossNote(Record):
    """What a salesperson typed when the lead was lost."""

    lead_id: Identifier
    written_at: AwareDatetime | None = None
    text: NoteText = ""
    note_id: Identifier | None = None
    stage: Stage | None = None  # where the lead stood when it was lost
    crm_reason: Word | None = None  # picked in the CRM's drop-down
    manager: Word | None = None


class Spend(Record):
    """Money spent on a day for a source or campaign, with the visits that it brought where they are known."""

    day: date
    source: Word
    campaign: Word | None = None
    amount: Money
    visits: Annotated[int, Field(ge=0, le=SAFE_INTEGER)] | None = None
    clicks: Annotated[int, Field(ge=0, le=SAFE_INTEGER)] | None = None
