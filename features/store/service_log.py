"""What the service did: raw bodies that came, decisions it gave, keys it accepts, models it promoted."""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, select, update

from features.store import tables as t

KEEP_BODIES = timedelta(days=30)  # a replay needs them; DESIGN.md, "Personal data"


@dataclass(frozen=True)
class DecisionEntry:
    """One answer to the CRM with everything that led to it: without this nobody can later say what it was worth."""

    lead_id: str
    decided_at: datetime
    as_of: datetime | None
    action: str
    because: str
    probability: float | None
    propensity: float
    model_version: str
    policy_version: str
    inputs: Mapping[str, Any]
    answer: Mapping[str, Any]


class ServiceLog:
    """The log of the service in the same database as the records."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep_body(self, route: str, body: bytes, received_at: datetime) -> None:
        """Keeps a raw body before anything is done with it, so that nothing that came is lost."""
        row = {"inbox_id": uuid.uuid4().hex, "received_at": received_at, "route": route[:200], "body": body}
        with self._engine.begin() as connection:
            connection.execute(t.inbox.insert().values(row))

    def erase_old_bodies(self, now: datetime) -> int:
        with self._engine.begin() as connection:
            return connection.execute(delete(t.inbox).where(t.inbox.c.received_at < now - KEEP_BODIES)).rowcount

    def log_decision(self, entry: DecisionEntry) -> str:
        """Writes a decision durably and gives its id."""
        decision_id = uuid.uuid4().hex
        with self._engine.begin() as connection:
            connection.execute(t.decisions.insert().values(decision_id=decision_id, **vars(entry)))
        return decision_id

    def decisions_of(self, lead_id: str) -> list[Mapping[str, Any]]:
        query = select(t.decisions).where(t.decisions.c.lead_id == lead_id).order_by(t.decisions.c.decided_at)
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def new_key(self, name: str) -> str:
        """A new API key under a name; shown once, stored as a hash. Several may live at once, for rotation."""
        key = secrets.token_urlsafe(32)
        row = {"key_hash": _hash(key), "name": name, "created_at": datetime.now(UTC)}
        with self._engine.begin() as connection:
            connection.execute(t.api_keys.insert().values(row))
        return key

    def revoke_key(self, name: str) -> bool:
        query = update(t.api_keys).where(t.api_keys.c.name == name).values(revoked_at=datetime.now(UTC))
        with self._engine.begin() as connection:
            return connection.execute(query).rowcount == 1

    def owner_of(self, key: str) -> str | None:
        """The name under which a key was made; None for a key that is unknown or revoked."""
        wanted = _hash(key)
        query = select(t.api_keys).where(t.api_keys.c.key_hash == wanted, t.api_keys.c.revoked_at.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return row.name if row is not None and hmac.compare_digest(row.key_hash, wanted) else None

    def log_promotion(
        self, model: str, version: str, previous: str | None, *, by_force: bool, verdict: Mapping[str, Any]
    ) -> None:
        row = {"at": datetime.now(UTC), "model": model, "version": version, "previous": previous}
        with self._engine.begin() as connection:
            connection.execute(t.promotions.insert().values(**row, by_force=by_force, verdict=verdict))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
