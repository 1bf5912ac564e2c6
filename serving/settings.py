"""Where things are and what is secret: read from the environment (LEADLOOP_…) and an optional .env file."""

import os
import secrets
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from features.contacts import ContactKeeper
from features.store import Store, open_engine
from features.store.service_log import ServiceLog
from models.call_policy import SHIPPED as SHIPPED_POLICY


class Settings(BaseSettings):
    """All settings with their defaults; `LEADLOOP_HOME=/var/lib/leadloop` moves everything at once."""

    model_config = SettingsConfigDict(env_prefix="LEADLOOP_", env_file=".env", extra="ignore")

    home: Path = Path("leadloop-data")
    store: str | None = Field(None, description="database URL; by default SQLite in home")
    mlflow: str | None = Field(None, description="MLflow tracking URI; by default SQLite in home")
    contact_secret: str | None = Field(
        None, description="key of the contact hashes; by default made once, kept in home"
    )
    country: str = Field("RU", description="country of phones that are written without one")
    host: str = "127.0.0.1"
    port: int = 8321
    currency: str = "RUB"
    policy: Path = Field(SHIPPED_POLICY, description="the call policy, YAML")
    timezone: str = "Europe/Moscow"

    @property
    def store_url(self) -> str:
        return self.store or f"sqlite:///{(self.home / 'leadloop.db').absolute()}"

    @property
    def mlflow_uri(self) -> str:
        return self.mlflow or f"sqlite:///{(self.home / 'mlflow.db').absolute()}"

    @property
    def bundles(self) -> Path:
        return self.home / "bundles"

    @property
    def reviews(self) -> Path:
        return self.home / "reviews"

    def open_store(self) -> Store:
        """The store, at the newest schema."""
        from features.store import migrate

        engine = open_engine(self.store_url)
        migrate(engine)
        return Store(engine, self.keeper())

    def open_log(self, store: Store) -> ServiceLog:
        return ServiceLog(store.engine)

    def keeper(self) -> ContactKeeper:
        return ContactKeeper(self._secret(), self.country)

    def _secret(self) -> bytes:
        """The configured secret, or the one of this home: without it a known person could not be told again."""
        if self.contact_secret:
            return self.contact_secret.encode()
        path = self.home / "contact.secret"
        self.home.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        return path.read_bytes()
