"""The store: what the CRM sent, what was advised, how notes were tagged. SQLite or PostgreSQL."""

from features.store.engine import migrate, open_engine
from features.store.store import Saved, Store

__all__ = ["Saved", "Store", "migrate", "open_engine"]
