"""Every error as RFC 9457 problem details: what came, what was expected, what to do; never what was typed."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from serving.schemas import Problem

log = logging.getLogger(__name__)
BODY_LIMIT = 256 * 1024  # bytes of a JSON body; the longest lead seen has 40 KB
FIELDS_NAMED = 5  # a body with more mistakes is another kind of body


class ApiProblem(Exception):
    """An error that the caller can mend."""

    def __init__(self, status: int, kind: str, title: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.problem = Problem(type=f"urn:leadloop:{kind}", title=title, status=status, detail=detail, field=field)


def respond(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    body = problem.model_dump(exclude_none=True)
    return JSONResponse(body, problem.status, headers, media_type="application/problem+json")


def bad_fields(errors: Sequence[Any]) -> ApiProblem:
    """The first wrong fields by name and reason; the input itself is left out, it may be personal or not even JSON."""
    named = [(".".join(str(part) for part in error["loc"]), error["msg"]) for error in errors[:FIELDS_NAMED]]
    detail = "; ".join(f"{field}: {reason}" if field else reason for field, reason in named)
    safe = detail.encode("utf-8", "replace").decode()
    field = named[0][0].encode("utf-8", "replace").decode() or None
    return ApiProblem(422, "invalid-body", "The body does not fit", safe, field)


async def read_body(request: Request) -> bytes:
    """The raw body up to the limit, counted as it comes: a header may lie."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_LIMIT:
            raise ApiProblem(
                413, "body-too-large", "The body is too large", f"over {BODY_LIMIT} bytes came; send less at once"
            )
    return bytes(body)


def parse(model: type[BaseModel], body: bytes) -> Any:
    """The body as a checked model. NaN, infinities, lone surrogates and endless nesting end here as 422."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise bad_fields(error.errors(include_input=False, include_url=False, include_context=False)) from None


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem document."""

    @app.exception_handler(ApiProblem)
    async def _known(_request: Request, error: ApiProblem) -> JSONResponse:
        return respond(error.problem)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return respond(bad_fields(error.errors()).problem)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        title = str(error.detail)
        problem = Problem(
            type=f"urn:leadloop:http-{error.status_code}", title=title, status=error.status_code, detail=title
        )
        return respond(problem, dict(error.headers) if error.headers else None)

    @app.exception_handler(Exception)
    async def _unknown(request: Request, error: Exception) -> JSONResponse:
        route = request.scope.get("route")
        log.error("unexpected %s on %s", type(error).__name__, getattr(route, "path", "?"), exc_info=error)
        return respond(
            Problem(
                type="urn:leadloop:unexpected",
                title="Unexpected error",
                status=500,
                detail="the mistake is ours and is in the log; the request was kept, send it again later",
            )
        )
