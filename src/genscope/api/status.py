"""How the server itself is doing."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from genscope import __version__
from genscope.api.openapi import PUBLIC, documented
from genscope.api.shapes import respond
from genscope.services import services

router = APIRouter(tags=["status"])


class Health(msgspec.Struct):
    """Whether the server can answer."""

    status: str
    version: str
    store: str


@router.get("/health", responses=documented(Health), openapi_extra=PUBLIC)
def health(request: Request) -> Response:
    """Say whether the server answers and stores: 200, or 503."""
    served = services(request)
    served.reader.ping()
    if not served.ingest.storing:
        raise HTTPException(503, "rows are not being stored any more: restart the server; its log says why")
    return respond(Health("ok", __version__, "chdb"))


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    openapi_extra=PUBLIC,
)
def metrics() -> Response:
    """Return counters and histograms in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
