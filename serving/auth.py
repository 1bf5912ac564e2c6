"""Who may call: API keys, stored as hashes, several alive at once for rotation."""

from time import monotonic

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from features.store.service_log import ServiceLog
from serving.errors import ApiProblem

KNOWN_FOR_S = 30  # how long a key is believed without asking the store: a revoked key dies within this time


class Keys:
    """Checks the key of a request against the store, remembering good ones for half a minute."""

    def __init__(self, log: ServiceLog) -> None:
        self._log = log
        self._known: dict[str, tuple[str, float]] = {}  # good keys only: the owner, and when to ask again

    def require(self, request: Request) -> str:
        """The owner of the key in `Authorization: Bearer …`; 401 otherwise. A key in the address is never read."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise ApiProblem(
                401,
                "no-key",
                "A key is needed",
                "send the header `Authorization: Bearer KEY`; make one: leadloop keys new NAME",
            )
        owner = self._owner(key.strip())
        if owner is None:
            raise ApiProblem(401, "bad-key", "The key is not known", "it was never made here, or it was revoked")
        return owner

    def _owner(self, key: str) -> str | None:
        owner, ask_again = self._known.get(key, (None, 0.0))
        if owner is None or monotonic() >= ask_again:
            owner = self._ask(key, owner)
        if owner is None:
            self._known.pop(key, None)
        return owner

    def _ask(self, key: str, owner: str | None) -> str | None:
        """Asks the store; while it is away, a key that was good stays good, so that advice goes on."""
        try:
            owner = self._log.owner_of(key)
        except SQLAlchemyError:
            if owner is None:
                raise
        if owner is not None:
            self._known[key] = owner, monotonic() + KNOWN_FOR_S
        return owner
