"""A database by its URL: SQLite with WAL, or PostgreSQL; and its schema brought up to date."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_WAIT_S = 5  # a writer that holds SQLite longer than this is stuck; waiting longer would stall the CRM
POOL = 5  # connections to PostgreSQL per process: one per core and some for the pages


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///file` or `postgresql://…`; the driver of PostgreSQL is psycopg 3."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(url, parsed.database)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=POOL,
            pool_pre_ping=True,
            connect_args={"connect_timeout": LOCK_WAIT_S, "options": f"-c lock_timeout={LOCK_WAIT_S * 1000}"},
        )
    raise ValueError(
        f"the store is at '{parsed.drivername}'; expected a URL like sqlite:///leadloop.db or postgresql://…"
    )


def _sqlite(url: str, database: str | None) -> Engine:
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": LOCK_WAIT_S})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # WAL: readers of the page do not wait for the writer. FULL: an answer to the CRM means that the row is on disk.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def migrate(engine: Engine, revision: str = "head") -> None:
    """Brings the schema to a revision: the newest, or an older one by its name or `base`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        move = command.downgrade if revision != "head" and _is_behind(connection, revision) else command.upgrade
        move(config, revision)


def _is_behind(connection: Connection, revision: str) -> bool:
    from alembic.runtime.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return revision == "base" or context.get_current_revision() != revision


VERSION_TABLE = "leadloop_schema"  # a name of its own: MLflow's alembic table may live in the same database
