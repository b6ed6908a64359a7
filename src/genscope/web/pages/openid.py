"""In by OpenID Connect."""

from __future__ import annotations

import logging
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.openid import OpenIDError
from genscope.services import public_url, services
from genscope.web.frame import page_router
from genscope.web.pages.access import login_form
from genscope.web.security import local_path

log = logging.getLogger(__name__)

router = page_router()

#: Where the session keeps the page that is wanted after the login.
NEXT: Final = "openid_next"


@router.get("/login/openid")
async def begin(request: Request, next: str = "/") -> Response:
    """Lead to the provider."""
    openid = services(request).openid
    if not openid:
        return login_form(request, next, "This server knows no provider of logins.", 404)
    request.session[NEXT] = local_path(next)
    try:
        return await openid.begin(request, f"{public_url(request)}/login/openid/callback")
    except OpenIDError as problem:
        return _refused(request, problem, 502)


@router.get("/login/openid/callback")
async def end(request: Request) -> Response:
    """Take in who comes back from the provider, if they are a member or their domain is welcome."""
    served = services(request)
    if not served.openid:
        return login_form(request, "/", "This server knows no provider of logins.", 404)
    wanted = local_path(str(request.session.get(NEXT, "/")))
    try:
        subject, email = await served.openid.end(request)
    except OpenIDError as problem:
        return _refused(request, problem, 401)
    settings = served.settings
    member = await run_in_threadpool(
        served.auth.members.check_openid, subject, email, settings.oidc_allowed, settings.init_project
    )
    if member is None:
        return login_form(request, wanted, f"{email[:200]} is no member here: ask for an invitation.", 403)
    served.auth.log_in_member(request, member)
    return RedirectResponse(wanted, 303)


def _refused(request: Request, problem: OpenIDError, status: int) -> Response:
    log.warning("login by OpenID Connect: %r", problem.__cause__ or problem)
    wanted = str(request.session.pop(NEXT, "/"))
    return login_form(request, wanted, f"{problem}.", status)
