"""How an error looks on the wire: always JSON, always saying what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from genscope.model import Json
from genscope.query.filter import FilterError
from genscope.receive.errors import RequestError, Unauthorized
from genscope.store.errors import QueryTooLarge, StoreBusy, StoreError

log = logging.getLogger(__name__)


def headers_of(error: RequestError) -> dict[str, str]:
    """Return the headers that go with an error."""
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = 'Basic realm="Genscope"'
    return headers


def _plain(status: int, message: str) -> Json:
    return {"error": HTTPStatus(status).phrase, "message": message}


def _maxim(_status: int, message: str) -> Json:
    return {"error": {"message": message}}


def _lemma(_status: int, message: str) -> Json:
    return {"detail": message}


#: Beginnings of paths whose clients look for an error in a place of their own; others, Langfuse's among them, take the plain one.
SHAPES: Final[Mapping[str, Callable[[int, str], Json]]] = {
    "/api/sdk/": _maxim,
    "/storage/": _maxim,
    "/traces/ingest": _lemma,
}


def error_response(path: str, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as JSON, in the shape that the clients of this path read."""
    shape = next((shape for start, shape in SHAPES.items() if path.lstrip("/").startswith(start.lstrip("/"))), _plain)
    return Response(msgspec.json.encode(shape(status, message)), status, headers, media_type="application/json")


def install(app: FastAPI, page: Callable[[int, str], Response]) -> None:
    """Make an application answer every expected error this way, and a browser with `page(status, message)`."""

    def answer(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
        if not request.url.path.startswith(("/api/", *SHAPES)) and "text/html" in request.headers.get("accept", ""):
            return page(status, message)
        return error_response(request.url.path, status, message, headers)

    @app.exception_handler(RequestError)
    async def refused(request: Request, error: RequestError) -> Response:
        return answer(request, error.status, error.message, headers_of(error))

    @app.exception_handler(FilterError)
    async def bad_filter(request: Request, error: FilterError) -> Response:
        return answer(request, 400, str(error))

    @app.exception_handler(QueryTooLarge)
    async def too_large(request: Request, error: QueryTooLarge) -> Response:
        return answer(request, 422, "this takes more memory or time than one query may: narrow the time range")

    @app.exception_handler(StoreBusy)
    async def store_busy(request: Request, error: StoreBusy) -> Response:
        log.warning("%s %s: %s", request.method, request.url.path, error)
        message = "too much is asked of the store at once: try again in a moment, or narrow the time range"
        return answer(request, 503, message, {"Retry-After": "1"})

    @app.exception_handler(StoreError)
    async def store_failed(request: Request, error: StoreError) -> Response:
        log.error("%s %s: %s", request.method, request.url.path, error)
        return answer(request, 503, "the store does not answer at the moment; try again", {"Retry-After": "1"})

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        # Starlette logs it, with its traceback, when this has answered.
        return answer(request, 500, "Genscope failed at this; its log says more. Please report it")

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        problems = (f"{'.'.join(map(str, problem['loc'][1:]))}: {problem['msg']}" for problem in error.errors())
        return answer(request, 400, "; ".join(problems))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        message = "there is nothing at this address" if error.detail == "Not Found" else str(error.detail)
        return answer(request, error.status_code, message, error.headers)
