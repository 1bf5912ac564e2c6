"""The HTTP API: each route is a few lines; the work is in the files that it names."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError

from features.records import Identifier
from features.store import Store
from models.call_policy import load_policy
from serving import errors, schemas
from serving.auth import Keys
from serving.champions import Champions
from serving.desk import Desk
from serving.recommend import Recommender
from serving.settings import Settings
from serving.web.pages import add_pages

LOCK_WAIT_MS = 2_000  # some CRMs hang up after two seconds; answering 503 with advice is better than that
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
}


def make_app(settings: Settings) -> FastAPI:
    """The service of one company."""
    store = settings.open_store()
    _watch_sqlite(store.engine)
    service_log = settings.open_log(store)
    champions = Champions(settings.bundles)
    recommender = Recommender(champions, load_policy(settings.policy), settings.currency)
    app = FastAPI(title="Leadloop", version="1", docs_url=None, redoc_url=None)
    errors.install(app)
    _add_headers(app)
    _add_health(app, champions, store)
    desk = Desk(store, service_log, recommender, champions)
    _add_leads(app, desk, Keys(service_log))
    add_pages(app, settings)
    _describe_bodies(app)
    desk.erase_old_bodies(_now())
    champions.get("conversion")  # now, so that the first lead need not wait for it
    return app


def _watch_sqlite(engine: Engine) -> None:
    """Waits for a lock no longer than a CRM does, and leaves a file that was removed or replaced.

    SQLite itself would go on writing into a removed file: every answer would say that it was stored.
    """
    path = Path(engine.url.database or "")
    if engine.dialect.name != "sqlite" or not path.is_file():
        return

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
        record.info["file"] = path.stat().st_ino

    @event.listens_for(engine, "checkout")
    def compare(_connection: Any, record: Any, _proxy: Any) -> None:
        if not path.is_file() or path.stat().st_ino != record.info.get("file"):
            raise DisconnectionError(f"{path.name} was removed or replaced")  # the pool opens it anew


def _add_headers(app: FastAPI) -> None:
    @app.middleware("http")
    async def headers(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        try:
            response = await answer(request)
        except Exception as error:
            response = errors.unexpected(request, error)
        response.headers.update(SECURITY_HEADERS)
        return response


def _add_health(app: FastAPI, champions: Champions, store: Store) -> None:
    @app.get("/healthz", summary="The process lives")
    async def healthz() -> schemas.Health:
        return schemas.Health(status="ok")

    @app.get("/readyz", summary="What it can answer with")
    def readyz() -> schemas.Readiness:
        found = {kind: champions.get(kind) for kind in ("conversion", "reasons")}
        problems = [f"no champion for {kind}: train and promote one" for kind, model in found.items() if model is None]
        problems += champions.problems.values()
        try:
            store.snapshot()
        except SQLAlchemyError as error:
            problems.append(f"the store does not answer: {type(error).__name__}")
        status = "degraded" if problems else "ready"
        versions = {kind: model.version if model else None for kind, model in found.items()}
        return schemas.Readiness(status=status, models=versions, problems=problems)


def _add_leads(app: FastAPI, desk: Desk, keys: Keys) -> None:
    secured: dict[str, Any] = {
        "dependencies": [Depends(keys.require)],
        "responses": schemas.problem_responses(401, 404, 413, 422, 503),
    }

    @app.post(
        "/v1/leads",
        summary="Create or update a lead, and learn what to do",
        openapi_extra=_takes(schemas.LeadIn),
        response_model=schemas.Recommendation,
        **secured,
    )
    async def post_lead(request: Request, lang: schemas.Language = "ru") -> Response:
        body = await errors.read_body(request)
        return await run_in_threadpool(_answer, lambda: desk.take_lead(body, _now(), lang))

    # `:path`, as numbers of contracts and leads hold slashes
    @app.post(
        "/v1/leads/{lead_id:path}/events",
        summary="Tell what happened to a lead",
        openapi_extra=_takes(schemas.EventsIn),
        response_model=schemas.EventsTaken,
        **secured,
    )
    async def post_events(lead_id: Identifier, request: Request, lang: schemas.Language = "ru") -> Response:
        body = await errors.read_body(request)
        return await run_in_threadpool(_answer, lambda: desk.take_events(lead_id, body, _now(), lang))

    @app.get(
        "/v1/leads/{lead_id:path}/recommendation",
        summary="What to do with a lead now, or would have been right at a past moment",
        response_model=schemas.Recommendation,
        **secured,
    )
    def get_recommendation(
        lead_id: Identifier, as_of: schemas.Moment | None = None, lang: schemas.Language = "ru"
    ) -> Response:
        return _answer(lambda: desk.advise_on(lead_id, as_of, _now(), lang))

    @app.post(
        "/v1/loss-notes",
        summary="Read the reason in a loss note",
        openapi_extra=_takes(schemas.NoteIn),
        response_model=schemas.NoteTagged,
        **secured,
    )
    async def post_note(request: Request) -> Response:
        body = await errors.read_body(request)
        return await run_in_threadpool(_answer, lambda: desk.read_note(body, _now()))


def _answer(work: Callable[[], BaseModel]) -> Response:
    """The work's answer as JSON; 503 with Retry-After where the store failed but there is advice."""
    answer = work()
    lost = isinstance(answer, schemas.Recommendation) and not answer.acknowledged
    headers = {"Retry-After": str(errors.RETRY_AFTER_S)} if lost else None
    return Response(answer.model_dump_json(), 503 if lost else 200, headers, media_type="application/json")


BODIES: tuple[type[BaseModel], ...] = (schemas.LeadIn, schemas.EventsIn, schemas.NoteIn)


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    schema = _schema(model)
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(ref_template="#/components/schemas/{model}")


def _describe_bodies(app: FastAPI) -> None:
    """Bodies are read by us, so that FastAPI does not know of what they are made; its document is told."""
    known = app.openapi

    def openapi() -> dict[str, Any]:
        document = known()
        for model in BODIES:
            document["components"]["schemas"].update(_schema(model).get("$defs", {}))
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _now() -> datetime:
    return datetime.now(UTC)
