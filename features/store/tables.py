"""The tables of the store, the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """An aware moment, stored in UTC; SQLite keeps no time zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone came to the store: {value}; records carry one")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String(128)
Digest = String(64)

leads = Table(
    "leads",
    metadata,
    Column("lead_id", Id, primary_key=True),
    Column("created_at", Moment, index=True),
    Column("order_no", BigInteger),
    Column("manager", String(200)),
)

# What was known of a lead, and from when on: a later change never rewrites what a model saw earlier.
lead_versions = Table(
    "lead_versions",
    metadata,
    Column("lead_id", Id, ForeignKey("leads.lead_id", ondelete="CASCADE"), primary_key=True),
    Column("version_no", Integer, primary_key=True),
    Column("known_at", Moment),  # null: from the beginning
    Column("fields", JSON, nullable=False),
    Column("contact", JSON, nullable=False),
)

# No foreign key to leads: a webhook may tell an event before it tells the lead, and nothing is lost.
events = Table(
    "events",
    metadata,
    Column("event_id", Id, primary_key=True),
    Column("lead_id", Id, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("at", Moment, index=True),
    Column("stage", String(16)),
    Column("detail", String(200)),
    Column("amount", Numeric(18, 4)),
    Column("manager", String(200)),
)

loss_notes = Table(
    "loss_notes",
    metadata,
    Column("note_id", Id, primary_key=True),
    Column("lead_id", Id, nullable=False, index=True),
    Column("written_at", Moment, index=True),
    Column("text", Text, nullable=False),  # personal data masked before it comes here
    Column("stage", String(16)),
    Column("crm_reason", String(200)),
    Column("manager", String(200)),
)

spend = Table(
    "spend",
    metadata,
    Column("day", Date, primary_key=True),
    Column("source", String(200), primary_key=True),
    Column("campaign", String(200), primary_key=True),  # "" where the source has none
    Column("amount", Numeric(18, 4), nullable=False),
    Column("visits", BigInteger),
    Column("clicks", BigInteger),
)

field_types = Table(
    "field_types",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("decimal", String(1)),
    Column("date_order", String(3)),
)

note_tags = Table(
    "note_tags",
    metadata,
    Column("note_id", Id, ForeignKey("loss_notes.note_id", ondelete="CASCADE"), primary_key=True),
    Column("model_version", String(64), primary_key=True),
    Column("taxonomy_version", Integer, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("probability", Float, nullable=False),
    Column("sure", Boolean, nullable=False),
    Column("secondary", String(64)),
    Column("top", JSON, nullable=False),
    Column("evidence", JSON, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", Id, primary_key=True),
    Column("lead_id", Id, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("as_of", Moment),
    Column("action", String(16), nullable=False),
    Column("because", String(64), nullable=False),
    Column("probability", Float),  # null where the rules answered alone
    Column("propensity", Float, nullable=False),
    Column("model_version", String(64), nullable=False),
    Column("policy_version", String(64), nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("answer", JSON, nullable=False),
    Index("ix_decisions_lead_id_decided_at", "lead_id", "decided_at"),
)

# Raw bodies as they came, for replay; erased after 30 days.
inbox = Table(
    "inbox",
    metadata,
    Column("inbox_id", Id, primary_key=True),
    Column("received_at", Moment, nullable=False, index=True),
    Column("route", String(200), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_hash", Digest, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    UniqueConstraint("name"),
)

promotions = Table(
    "promotions",
    metadata,
    Column("promotion_id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("model", String(32), nullable=False),
    Column("version", String(64), nullable=False),
    Column("previous", String(64)),
    Column("by_force", Boolean, nullable=False),
    Column("verdict", JSON, nullable=False),
)
