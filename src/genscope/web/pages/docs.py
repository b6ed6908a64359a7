"""The page about the API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from genscope.services import public_url, services
from genscope.web import reference
from genscope.web.frame import page_router, render

router = page_router()


@router.get("/api/docs")
def api(request: Request) -> Response:
    """Describe the API; the same for everybody, so nobody has to log in."""
    served = services(request)
    return render(
        "api.html",
        page="api",
        project=served.auth.page_project(request),
        anonymous=served.auth.anonymous,
        url=public_url(request),
        groups=reference.groups(request.app.openapi()),
    )
