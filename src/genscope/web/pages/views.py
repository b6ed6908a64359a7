"""Saved views: pages with their state under a name, in a menu on the page and on a page of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.services import services
from genscope.views import SavedView, checked, named
from genscope.web.frame import Editor, Viewer, frame, page, page_router, render

router = page_router()


@dataclass(frozen=True, slots=True)
class Shown:
    """The views of a project; `error` says what became of a wish."""

    views: list[SavedView] = field(default_factory=list)
    error: str = ""

    def json(self) -> dict[str, Any]:
        """Return the views as `/api/v1/views` does."""
        return {"data": [{"name": view.name, "url": view.url} for view in self.views], "next_cursor": None}


@page(router, "/views", "views.html", name="views")
def views(request: Request, project: Viewer) -> Shown:
    """List the views of the project."""
    return Shown(services(request).views.all(project.id))


@router.get("/views/menu")
def menu(request: Request, project: Viewer) -> Response:
    """Return the views as entries of a menu."""
    return render("_views_menu.html", views=services(request).views.all(project.id))


@router.post("/views")
def save(
    request: Request, project: Editor, name: Annotated[str, Form()] = "", url: Annotated[str, Form()] = ""
) -> Response:
    """Save a view, in the place of the one of its name, and go there."""
    try:
        view = checked(name, url)
        services(request).views.save(project.id, view)
    except ValueError as problem:
        return _refused(request, project, str(problem))
    return RedirectResponse(view.url, 303)


@router.post("/views/rename")
def rename(
    request: Request, project: Editor, name: Annotated[str, Form()] = "", to: Annotated[str, Form()] = ""
) -> Response:
    """Give a view another name; one that is taken stays whose it is."""
    saved = services(request).views
    view = saved.get(project.id, name)
    if view is None:
        return _refused(request, project, f"There is no view {name!r} any more.")
    try:
        new = named(to)
    except ValueError as problem:
        return _refused(request, project, str(problem))
    if new != view.name and saved.get(project.id, new) is not None:
        return _refused(
            request, project, f"There is another view {new!r}: choose another name, or delete that one first."
        )
    saved.rename(project.id, view, new)
    return RedirectResponse("/views", 303)


@router.post("/views/delete")
def delete(request: Request, project: Editor, name: Annotated[str, Form()] = "") -> Response:
    """Delete a view; one that is gone is no error."""
    services(request).views.remove(project.id, name)
    return RedirectResponse("/views", 303)


def _refused(request: Request, project: Viewer, error: str) -> Response:
    shown = Shown(services(request).views.all(project.id), error)
    return render("views.html", 400, **frame(request, project, "views"), view=shown)
