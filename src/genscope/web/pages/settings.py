"""The first page of the settings: the project and its neighbours, and who is looking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Form
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.auth import Visitor
from genscope.members import NotPossible, TooManyTries
from genscope.receive.errors import Forbidden
from genscope.services import services
from genscope.web.frame import Editor, Viewer, Visiting, frame, page, page_router, render

router = page_router()


@dataclass(frozen=True, slots=True)
class Settings:
    """The project, those beside it that the visitor may see, and what they may do."""

    visitor: Visitor
    #: Whether the visitor has a password that they could change.
    has_password: bool
    #: The key pair of a project that was just made; its secret is not known later.
    made: tuple[str, str] | None = None
    made_project: str = ""
    #: What was done just now.
    done: str = ""
    error: str = ""

    def json(self) -> dict[str, Any]:
        """Return what the page says as JSON."""
        visitor = self.visitor
        return {
            "project": {"id": visitor.project.id, "name": visitor.project.name},
            "role": visitor.role,
            "owns_server": visitor.owns_server,
            "email": visitor.email or None,
            "projects": [{"id": one.id, "name": one.name} for one in visitor.projects],
        }


@page(router, "/settings", "settings.html", name="settings")
def settings(request: Request, project: Viewer, visitor: Visiting) -> Settings:
    """Tell of the project and of who is looking."""
    return _settings(request, visitor)


def _settings(request: Request, visitor: Visitor) -> Settings:
    member = services(request).auth.members.get(visitor.email)
    return Settings(visitor, member is not None and bool(member.password))


def _shown(request: Request, view: Settings) -> Response:
    status = 400 if view.error else 200
    return render("settings.html", status, **frame(request, view.visitor.project, "settings"), view=view)


@router.post("/settings")
def rename(request: Request, project: Editor, visitor: Visiting, name: Annotated[str, Form()] = "") -> Response:
    """Give the project another name."""
    try:
        services(request).auth.rename_project(project.id, name)
    except NotPossible as problem:
        return _shown(request, replace(_settings(request, visitor), error=str(problem)))
    visitor.audit("renamed it from %r to %r", project.name, name)
    return RedirectResponse("/settings", 303)


@router.post("/settings/projects")
def create_project(
    request: Request, visitor: Visiting, id: Annotated[str, Form()] = "", name: Annotated[str, Form()] = ""
) -> Response:
    """Make a project and its first key, and show its secret once."""
    auth = services(request).auth
    if not visitor.owns_server:
        raise Forbidden("projects are made by the owner of the server: log in by the link that it printed at its start")
    try:
        made = auth.create_project(id.strip(), name)
        pair = auth.create_key(made.id, "initial")
    except NotPossible as problem:
        return _shown(request, replace(_settings(request, visitor), error=str(problem)))
    visitor.audit("made project %r and its key %s", made.id, pair[0])
    now = auth.visitor(request) or visitor
    return _shown(request, replace(_settings(request, now), made=pair, made_project=made.id))


@router.post("/settings/project")
def choose_project(request: Request, visitor: Visiting, project_id: Annotated[str, Form()] = "") -> Response:
    """Show another project from now on."""
    if not services(request).auth.choose_project(request, visitor, project_id):
        raise Forbidden(f"there is no project {project_id[:80]!r} that you may see")
    return RedirectResponse("/", 303)


@router.post("/settings/password")
async def change_password(
    request: Request, visitor: Visiting, old: Annotated[str, Form()] = "", new: Annotated[str, Form()] = ""
) -> Response:
    """Give the member who is looking another password; their other logins end."""
    auth = services(request).auth
    address = request.client.host if request.client else ""
    view = _settings(request, visitor)
    if not view.has_password:
        raise Forbidden("this login has no password that could be changed")
    try:
        member = await run_in_threadpool(auth.members.change_password, visitor.email, old, new, address)
    except (NotPossible, TooManyTries) as problem:
        return _shown(request, replace(view, error=str(problem)))
    auth.log_in_member(request, member)
    visitor.audit("changed their password")
    return _shown(request, replace(view, done="The password is changed. Other logins of yours ended."))


@router.post("/settings/logout-everywhere")
def log_out_everywhere(request: Request, visitor: Visiting) -> Response:
    """End every login of who is looking."""
    auth = services(request).auth
    if not (visitor.email or visitor.owns_server):
        raise Forbidden("a login by key ends everywhere when the key is revoked")
    auth.log_out_everywhere(visitor)
    auth.log_out(request)
    visitor.audit("logged out everywhere")
    return RedirectResponse("/login", 303)
