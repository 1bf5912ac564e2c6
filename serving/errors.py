"""Every error as RFC 9457 problem details: what came, what was expected, what to do; never what was typed."""

import logging
import traceback
from collections.abc import Callable, Container, Iterator, Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from serving.schemas import Problem

log = logging.getLogger(__name__)
BODY_LIMIT = 256 * 1024  # bytes of a JSON body; the longest lead seen has 40 KB
FIELDS_NAMED = 5  # a body with more mistakes is another kind of body
RETRY_AFTER_S = 5  # a store that is gone or locked is usually back by then
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # 1C and .NET write it before UTF-8

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class ApiProblem(Exception):
    """An error that the caller can mend."""

    def __init__(self, status: int, kind: str, title: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.problem = Problem(type=f"urn:leadloop:{kind}", title=title, status=status, detail=detail, field=field)


def respond(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    body = problem.model_dump(exclude_none=True)
    return JSONResponse(body, problem.status, headers, media_type="application/problem+json")


def bad_fields(errors: Sequence[Any], names: Container[Any] | None = None) -> ApiProblem:
    """The first wrong fields by name and reason.

    The input itself is left out, it may be personal or not even JSON; so are names that the sender chose: only `names`
    are said (None: every name is ours).
    """
    reasons: dict[str, list[str]] = {}
    for error in errors:
        reasons.setdefault(_place(error["loc"], names), []).append(error["msg"])
    named = list(reasons.items())[:FIELDS_NAMED]
    said = [f"{place}: {', or '.join(dict.fromkeys(why))}".removeprefix(": ") for place, why in named]
    return ApiProblem(422, "invalid-request", "The request does not fit", "; ".join(said), named[0][0] or None)


def _place(parts: Sequence[int | str], names: Container[Any] | None) -> str:
    known = takewhile(lambda part: names is None or isinstance(part, int) or part in names, parts)
    return ".".join(str(part) for part in known)


async def read_body(request: Request) -> bytes:
    """The raw body up to the limit, counted as it comes: a header may lie."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > BODY_LIMIT:
                raise ApiProblem(
                    413, "body-too-large", "The body is too large", f"over {BODY_LIMIT} bytes came; send less at once"
                )
    except ClientDisconnect:
        raise ApiProblem(400, "body-cut-off", "The body was cut off", "send the same request again") from None
    return bytes(body)


def parse(model: type[M], body: bytes) -> M:
    """The body as a checked model. NaN, infinities, lone surrogates and endless nesting end here as 422."""
    return checked(model, lambda: model.model_validate_json(body.removeprefix(BYTE_ORDER_MARK)))


def checked(model: type[BaseModel], work: Callable[[], T]) -> T:
    """What `work` makes of a body of this model; 422 where it fits no record."""
    try:
        return work()
    except ValidationError as error:
        raise bad_fields(
            error.errors(include_input=False, include_url=False, include_context=False), _names(model)
        ) from None


@lru_cache(maxsize=16)
def _names(model: type[BaseModel]) -> frozenset[str]:
    """The names of fields that a model and its parts have."""

    def walk(schema: Any) -> Iterator[str]:
        if isinstance(schema, dict):
            yield from schema.get("properties", {})
            for part in schema.values():
                yield from walk(part)

    return frozenset(walk(model.model_json_schema()))


def store_unavailable(error: SQLAlchemyError) -> JSONResponse:
    log.error("the store failed: %s", type(error).__name__)  # its message holds the values of the query
    problem = Problem(
        type="urn:leadloop:store-unavailable",
        title="The store does not answer",
        status=503,
        detail="not everything was stored; send the same request again, what was stored is not doubled",
    )
    return respond(problem, {"Retry-After": str(RETRY_AFTER_S)})


def unexpected(request: Request, error: Exception) -> JSONResponse:
    """Logs where it happened; the message of an exception may hold what was typed, so it stays out."""
    route = getattr(request.scope.get("route"), "path", "?")
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("unexpected %s on %s %s\n%s", type(error).__name__, request.method, route, frames)
    return respond(
        Problem(
            type="urn:leadloop:unexpected",
            title="Unexpected error",
            status=500,
            detail="the mistake is ours and is in the log; send the same request again later",
        )
    )


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem document."""

    @app.exception_handler(ApiProblem)
    async def _known(_request: Request, error: ApiProblem) -> JSONResponse:
        return respond(error.problem, {"WWW-Authenticate": "Bearer"} if error.problem.status == 401 else None)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return respond(bad_fields(error.errors()).problem)

    @app.exception_handler(SQLAlchemyError)
    async def _store(_request: Request, error: SQLAlchemyError) -> JSONResponse:
        return store_unavailable(error)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        title = str(error.detail)
        problem = Problem(
            type=f"urn:leadloop:http-{error.status_code}", title=title, status=error.status_code, detail=title
        )
        return respond(problem, dict(error.headers) if error.headers else None)
