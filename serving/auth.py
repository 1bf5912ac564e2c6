"""Who may call: API keys, stored as hashes, several alive at once for rotation."""

from functools import lru_cache
from time import monotonic

from fastapi import Request

from features.store.service_log import ServiceLog
from serving.errors import ApiProblem

KNOWN_FOR_S = 30  # how long a key is believed without asking the store: a revoked key dies within this time


class Keys:
    """Checks the key of a request against the store, remembering good ones for half a minute."""

    def __init__(self, log: ServiceLog) -> None:
        self._owner = lru_cache(maxsize=256)(lambda key, _period: log.owner_of(key))

    def require(self, request: Request) -> str:
        """The owner of the key in `Authorization: Bearer …`; 401 otherwise. A key in the address is never read."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise ApiProblem(
                401,
                "no-key",
                "A key is needed",
                "send the header `Authorization: Bearer KEY`; make one: leadloop keys new NAME",
            )
        owner = self._owner(key, int(monotonic() / KNOWN_FOR_S))
        if owner is None:
            raise ApiProblem(401, "bad-key", "The key is not known", "it was never made here, or it was revoked")
        return str(owner)
