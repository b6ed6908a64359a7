"""Settings: who may look at the project, and who may change it; and how they take up their invitation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Form
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.auth import Visitor
from genscope.members import ROLES, SHORTEST, NotPossible
from genscope.receive.errors import Forbidden
from genscope.services import public_url, services
from genscope.store.catalog import Member
from genscope.web.frame import Viewer, Visiting, frame, page, page_router, render

router = page_router()

#: What the roles may do, as the page says it.
MAY: Final = {
    "viewer": "looks at everything",
    "member": "also scores, deletes, sets prices and settings, and makes keys",
    "owner": "also says who is a member",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A member of the project."""

    member: Member
    role: str
    #: Whether the visitor may give them a new link, which opens every project that they are in.
    may_renew: bool

    @property
    def state(self) -> str:
        """How far they have come."""
        if self.member.subject:
            return "single sign-on"
        return "password" if self.member.password else "invited"


@dataclass(frozen=True, slots=True)
class Members:
    """The members of the project."""

    rows: list[Row]
    visitor: Visitor
    roles: tuple[str, ...] = ROLES
    #: What each role may do.
    may: tuple[tuple[str, str], ...] = tuple(MAY.items())
    #: The address of who was just invited, and where they set their password; without a link they can log in already.
    invited: str = ""
    link: str = ""
    error: str = ""

    def json(self) -> dict[str, Any]:
        """Return what the page says as JSON."""
        return {"data": [{"email": row.member.email, "role": row.role, "login": row.state} for row in self.rows]}


@page(router, "/settings/members", "settings_members.html", name="settings")
def members(request: Request, project: Viewer, visitor: Visiting) -> Members:
    """List the members of the project."""
    return _members(request, visitor)


def _members(request: Request, visitor: Visitor, **more: Any) -> Members:
    found = services(request).auth.members
    rows = [Row(member, role, _may_renew(request, visitor, member)) for member, role in found.of(visitor.project.id)]
    return Members(rows, visitor, **more)


def _may_renew(request: Request, visitor: Visitor, member: Member) -> bool:
    """Whether who has the visitor's rights already has all that a login of the member opens."""
    if visitor.owns_server:
        return True
    members = services(request).auth.members
    mine = members.roles(visitor.email)
    return all(mine.get(project_id) == "owner" for project_id in members.roles(member.email))


def _shown(request: Request, visitor: Visitor, **more: str) -> Response:
    view = _members(request, visitor, **more)
    values = frame(request, visitor.project, "settings")
    return render("settings_members.html", 400 if view.error else 200, **values, view=view)


def _check(visitor: Visitor) -> None:
    if not visitor.may("owner"):
        raise Forbidden("only an owner of the project says who is a member")


@router.post("/settings/members")
def invite(
    request: Request, visitor: Visiting, email: Annotated[str, Form()] = "", role: Annotated[str, Form()] = ""
) -> Response:
    """Make someone a member, and show the link at which they set their password."""
    _check(visitor)
    try:
        token = services(request).auth.members.invite(visitor.project.id, email, role)
    except NotPossible as problem:
        return _shown(request, visitor, error=str(problem))
    visitor.audit("made %r a member as %s", email, role)
    return _shown(request, visitor, invited=email, link=_link(request, token) if token else "")


@router.post("/settings/members/link")
def new_link(request: Request, visitor: Visiting, email: Annotated[str, Form()] = "") -> Response:
    """Show a new link at which a member sets a password."""
    _check(visitor)
    found = services(request).auth.members
    member = found.get(email)
    if member is None or visitor.project.id not in found.roles(email):
        return _shown(request, visitor, error=f"{email[:80]!r} is no member of this project.")
    if not _may_renew(request, visitor, member):
        raise Forbidden(f"{email} is in projects that you do not own: the owner of the server makes a new link")
    link = _link(request, found.new_link(email))
    visitor.audit("made a new link for %r", email)
    return _shown(request, visitor, invited=email, link=link)


@router.post("/settings/members/role")
def set_role(
    request: Request, visitor: Visiting, email: Annotated[str, Form()] = "", role: Annotated[str, Form()] = ""
) -> Response:
    """Change what a member may do, or without a role take them out of the project."""
    _check(visitor)
    try:
        services(request).auth.members.set_role(visitor.project.id, email, role)
    except NotPossible as problem:
        return _shown(request, visitor, error=str(problem))
    visitor.audit("made %r %s", email, role or "no member any more")
    return RedirectResponse("/settings/members", 303)


def _link(request: Request, token: str) -> str:
    return f"{public_url(request)}/login/invitation?token={token}"


# Taking up an invitation; nobody is logged in yet.


@router.get("/login/invitation")
def invitation(request: Request, token: str = "") -> Response:
    """Ask who was invited for a password. The link is spent by setting one, not by looking at it."""
    member = services(request).auth.members.invited(token)
    if member is None:
        return _invitation(
            token, "", "This link was used already, or is older than seven days. Ask for a new one.", 401
        )
    return _invitation(token, member.email)


@router.post("/login/invitation")
async def accept(
    request: Request,
    token: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Set the password of who was invited, and log them in."""
    auth = services(request).auth
    member = auth.members.invited(token)
    if member is not None and password != again:
        return _invitation(token, member.email, "The two passwords differ.", 400)
    try:
        member = await run_in_threadpool(auth.members.accept, token, password)
    except NotPossible as problem:
        return _invitation(token, member.email if member else "", str(problem), 400)
    auth.log_in_member(request, member)
    return RedirectResponse("/", 303)


def _invitation(token: str, email: str, error: str = "", status: int = 200) -> Response:
    return render(
        "invitation.html",
        status,
        token=token,
        email=email,
        error=error,
        shortest=SHORTEST,
        page="login",
        project=None,
        anonymous=False,
    )
