"""Stores for every test: on SQLite always, on PostgreSQL where a server is found; the run says loudly where none is."""

import os
import uuid
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from features.contacts import ContactKeeper
from features.store import Store, migrate, open_engine

POSTGRES = os.environ.get("LEADLOOP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
SECRET = b"a secret for tests only"


@lru_cache(maxsize=1)
def no_postgres() -> str | None:
    """Why there is no PostgreSQL to test on; None where there is one."""
    engine = open_engine(POSTGRES)
    try:
        with engine.connect():
            return None
    except Exception as error:  # whatever it is, the run goes on and says it
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    finally:
        engine.dispose()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if why := no_postgres():
        terminalreporter.write_line(
            f"!!! POSTGRESQL WAS NOT TESTED: {why}. Start a server or set LEADLOOP_TEST_POSTGRES.", red=True, bold=True
        )


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database on each kind of server, dropped afterwards."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    if why := no_postgres():
        pytest.skip(f"no PostgreSQL: {why}")
    name = f"leadloop_test_{uuid.uuid4().hex[:12]}"
    server = create_engine(open_engine(POSTGRES).url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield server.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        server.dispose()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    engine = open_engine(store_url)
    migrate(engine)
    yield Store(engine, ContactKeeper(SECRET))
    engine.dispose()
