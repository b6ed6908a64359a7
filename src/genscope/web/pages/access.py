"""In and out: the login by link or key pair."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.services import services
from genscope.web.frame import page_router, render
from genscope.web.security import local_path

router = page_router()


@router.get("/login")
def login_page(request: Request, token: str = "", next: str = "/") -> Response:
    """Log in by the one-time link, or show the form."""
    auth = services(request).auth
    if token:
        if auth.log_in_with_token(request, token) is not None:
            return RedirectResponse(local_path(next), 303)
        return _login_form(
            next, "This link was used already, or the server was restarted since. Its log has a new one.", 401
        )
    if auth.page_project(request) is not None:
        return RedirectResponse(local_path(next), 303)
    return _login_form(next)


@router.post("/login")
def login(
    request: Request,
    public_key: Annotated[str, Form()] = "",
    secret_key: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Log in with a key pair."""
    if services(request).auth.log_in_with_keys(request, public_key.strip(), secret_key.strip()) is None:
        return _login_form(next, "No key of this server has this public and secret part.", 401)
    return RedirectResponse(local_path(next), 303)


@router.post("/logout")
def logout(request: Request) -> Response:
    """Forget who is looking."""
    services(request).auth.log_out(request)
    return RedirectResponse("/login", 303)


def _login_form(next: str, error: str = "", status: int = 200) -> Response:
    return render("login.html", status, next=local_path(next), error=error, page="login", project=None, anonymous=False)
