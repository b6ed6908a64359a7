"""Settings: how long the project keeps its traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.api.shapes import iso
from genscope.auth import Visitor
from genscope.services import services
from genscope.store.expiry import Expired
from genscope.web.frame import Editor, Viewer, Visiting, frame, page, page_router, render

router = page_router()


@dataclass(frozen=True, slots=True)
class Retention:
    """The days that hold, and those that are being thought of with what they would delete."""

    days: int | None
    may_edit: bool
    #: What is too old already, if it is not kept for ever.
    expired: Expired | None = None
    tried: int | None = None
    would_go: Expired | None = None
    error: str = ""

    def json(self) -> dict[str, Any]:
        """Return what the page says as JSON."""
        expired = self.expired
        return {
            "days": self.days,
            "expired_traces": expired.traces if expired else 0,
            "oldest": iso(expired.oldest) if expired else None,
        }


@page(router, "/settings/retention", "settings_retention.html", name="settings")
def retention(request: Request, project: Viewer, visitor: Visiting) -> Retention:
    """Tell for how long traces are kept."""
    return _retention(request, visitor)


def _retention(request: Request, visitor: Visitor, **more: Any) -> Retention:
    kept = services(request).retention
    days = kept.days(visitor.project.id)
    expired = None if days is None else kept.expired(visitor.project.id, days)
    return Retention(days, visitor.may("member"), expired, **more)


@router.post("/settings/retention")
def set_retention(
    request: Request,
    project: Editor,
    visitor: Visiting,
    days: Annotated[str, Form()] = "",
    do: Annotated[str, Form()] = "",
) -> Response:
    """Tell what would be deleted (`do` is `try`), or keep traces for so many days (`save`) or for ever (`keep`)."""
    kept = services(request).retention
    wanted: int | None = None
    more: dict[str, Any] = {}
    try:
        if do != "keep":
            if not (days.isascii() and days.isdecimal() and len(days) < 10):
                raise ValueError(f"{days[:40]!r} is no number of days")  # noqa: TRY301 - told like all other problems
            wanted = int(days)
        if do != "try":
            kept.set(project.id, wanted)
            visitor.audit("set retention to %s days", wanted)
            return RedirectResponse("/settings/retention", 303)
        more = {"tried": wanted, "would_go": kept.expired(project.id, wanted or 0)}
    except ValueError as problem:
        more = {"error": str(problem)}
    view = _retention(request, visitor, **more)
    return render(
        "settings_retention.html", 400 if view.error else 200, **frame(request, project, "settings"), view=view
    )
