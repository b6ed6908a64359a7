"""Settings: what was sent and not taken, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from genscope.api.rejected import shape
from genscope.api.shapes import iso
from genscope.query.filter import Filter, FilterError
from genscope.services import services
from genscope.store.rejections import Count, Rejection
from genscope.web.frame import Viewer, page, page_router
from genscope.web.state import PAGE

router = page_router()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A page of what was not taken, and how much of each kind there is."""

    counts: list[Count]
    rows: list[Rejection]
    protocol: str
    kind: str
    paged: bool
    cursor: str | None
    error: str = ""

    def url(self, **changes: str) -> str:
        """Return the page's URL with another choice; an empty one drops it."""
        chosen = {"protocol": self.protocol, "kind": self.kind} | changes
        query = urlencode({name: value for name, value in chosen.items() if value})
        return f"/rejected?{query}" if query else "/rejected"

    def json(self) -> dict[str, Any]:
        """Return what the page says as JSON."""
        if self.error:
            return {"error": "Bad Request", "message": self.error}
        return {
            "counts": [
                {"protocol": one.protocol, "kind": one.kind, "count": one.count, "last": iso(one.last)}
                for one in self.counts
            ],
            "data": [shape(row) for row in self.rows],
            "next_cursor": self.cursor,
        }


@page(router, "/rejected", "rejected.html", name="rejected")
def rejected(request: Request, project: Viewer, cursor: str = "", protocol: str = "", kind: str = "") -> Rejected:
    """List what was rejected, the latest first or from a cursor on."""
    rejections = services(request).reader.rejections
    rows: list[Rejection] = []
    older, error = None, ""
    try:
        found = rejections.page(project.id, Filter(), limit=PAGE, cursor=cursor or None, protocol=protocol, kind=kind)
        rows, older = found.rows, found.next_cursor
    except FilterError as problem:
        error = str(problem)
    return Rejected(rejections.counts(project.id), rows, protocol, kind, bool(cursor), older, error)
