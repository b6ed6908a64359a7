"""Settings: the API keys of the project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.api.shapes import iso
from genscope.auth import Visitor
from genscope.members import NotPossible
from genscope.services import public_url, services
from genscope.store.catalog import Key
from genscope.web.frame import Editor, Viewer, Visiting, frame, page, page_router, render

router = page_router()


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that hold, each with when it was used last."""

    keys: list[tuple[Key, int | None]]
    url: str
    may_edit: bool
    #: The key pair that was just made; its secret is not known later.
    made: tuple[str, str] | None = None
    error: str = ""

    def json(self) -> dict[str, Any]:
        """Return what the page says as JSON: no secret, and no hash of one."""
        return {
            "data": [
                {"public_key": key.public_key, "name": key.name, "created": iso(key.created), "last_used": iso(used)}
                for key, used in self.keys
            ]
        }


@page(router, "/settings/keys", "settings_keys.html", name="settings")
def keys(request: Request, project: Viewer, visitor: Visiting) -> Keys:
    """List the keys of the project."""
    return _keys(request, visitor)


def _keys(request: Request, visitor: Visitor, made: tuple[str, str] | None = None, error: str = "") -> Keys:
    auth = services(request).auth
    listed = [(key, auth.last_used(key.public_key)) for key in reversed(auth.keys(visitor.project.id))]
    return Keys(listed, public_url(request), visitor.may("member"), made, error)


@router.post("/settings/keys")
def create_key(request: Request, project: Editor, visitor: Visiting, name: Annotated[str, Form()] = "") -> Response:
    """Make a key, and show its secret this once."""
    try:
        made = services(request).auth.create_key(project.id, name)
        view = _keys(request, visitor, made)
        visitor.audit("made key %s, named %r", made[0], name)
    except NotPossible as problem:
        view = _keys(request, visitor, error=str(problem))
    status = 400 if view.error else 200
    return render("settings_keys.html", status, **frame(request, project, "settings"), view=view)


@router.post("/settings/keys/revoke")
def revoke_key(
    request: Request, project: Editor, visitor: Visiting, public_key: Annotated[str, Form()] = ""
) -> Response:
    """Make a key open nothing any more."""
    if services(request).auth.revoke_key(project.id, public_key) is None:
        view = _keys(request, visitor, error=f"This project has no key {public_key[:80]!r}.")
        return render("settings_keys.html", 400, **frame(request, project, "settings"), view=view)
    visitor.audit("revoked key %s", public_key)
    return RedirectResponse("/settings/keys", 303)
