"""A trace as the OTLP request that brings it to another server, `/api/v1/traces/{trace_id}/otlp`."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from fastapi import APIRouter, HTTPException, Request, Response

from genscope import otlp_export
from genscope.api.native import Authorised
from genscope.api.openapi import documented
from genscope.services import services
from genscope.store.catalog import Project

router = APIRouter(prefix="/api/v1", tags=["read"])

#: What of an id stays out of the name of a file.
_UNNAMED: Final = re.compile(r"[^A-Za-z0-9_-]+")


class OtlpShape(msgspec.Struct, rename="camel"):
    """An `ExportTraceServiceRequest` in OTLP's JSON encoding, as `POST /v1/traces` takes it."""

    resource_spans: list[dict[str, Any]]


@router.get("/traces/{trace_id:path}/otlp", responses=documented(OtlpShape))
def get_trace_as_otlp(request: Request, project: Authorised, trace_id: str) -> Response:
    """Return a trace as an OTLP request in JSON, to be kept as a file or sent to another server."""
    response = download(request, project, trace_id)
    if response is None:
        raise HTTPException(404, f"no trace {trace_id!r} in project {project.id!r}")
    return response


def download(request: Request, project: Project, trace_id: str) -> Response | None:
    """Return a trace as a file; None if there is none."""
    within = services(request).reader.within
    place = within.place(project.id, trace_id)
    spans = within.spans(place) if place else []
    if not spans:
        return None
    name = _UNNAMED.sub("-", trace_id)[:64]
    return Response(
        msgspec.json.encode(otlp_export.request(spans)),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}.otlp.json"'},
    )
