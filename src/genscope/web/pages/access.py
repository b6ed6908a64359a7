"""In and out: the login by link, password or key pair."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.members import TooManyTries
from genscope.services import services
from genscope.web.frame import page_router, render
from genscope.web.security import local_path

router = page_router()


@router.get("/login")
def login_page(request: Request, token: str = "", next: str = "/") -> Response:
    """Log in by the one-time link, or show the form."""
    auth = services(request).auth
    if token:
        if auth.log_in_with_token(request, token):
            return RedirectResponse(local_path(next), 303)
        return login_form(
            request, next, "This link was used already, or the server was restarted since. Its log has a new one.", 401
        )
    if auth.visitor(request) is not None:
        return RedirectResponse(local_path(next), 303)
    return login_form(request, next)


@router.post("/login")
async def login(
    request: Request,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    public_key: Annotated[str, Form()] = "",
    secret_key: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Log in with address and password, or with a key pair."""
    auth = services(request).auth
    if email or password:
        address = request.client.host if request.client else ""
        try:
            member = await run_in_threadpool(auth.members.check_password, email, password, address)
        except TooManyTries as problem:
            response = login_form(request, next, f"Too many tries. Wait {problem.seconds} s and try again.", 429)
            response.headers["Retry-After"] = str(problem.seconds)
            return response
        if member is None:
            return login_form(request, next, "No member has this address and password.", 401)
        auth.log_in_member(request, member)
    elif not auth.log_in_with_keys(request, public_key.strip(), secret_key.strip()):
        return login_form(request, next, "No key of this server has this public and secret part.", 401, keys=True)
    return RedirectResponse(local_path(next), 303)


@router.post("/logout")
def logout(request: Request) -> Response:
    """Forget who is looking."""
    services(request).auth.log_out(request)
    return RedirectResponse("/login", 303)


def login_form(request: Request, next: str, error: str = "", status: int = 200, *, keys: bool = False) -> Response:
    """Return the page with every way in that this server has."""
    served = services(request)
    members = bool(served.auth.members)
    return render(
        "login.html",
        status,
        next=local_path(next),
        error=error,
        members=members,
        openid=served.settings.oidc_name if served.openid else "",
        keys=keys or not members,
        page="login",
        project=None,
        anonymous=False,
    )
