"""What every page carries and refuses: security headers, and no POST from another site.

Against cross-site request forgery there are two locks, and no tokens in forms: the session cookie is `SameSite=Lax`,
so a POST from another site arrives without it; and a browser says where a request comes from (`Sec-Fetch-Site`, or
`Origin` in browsers older than 2023), so a POST from another site is refused even where cookies do not matter (the
login itself). A client that sends neither header is no browser, holds nobody's cookies, and is let through.

Links from elsewhere lead to pages, but no page elsewhere has one as a part of itself, say as an image that nobody sees: on a server
that asks for no login it could time what people here find, and keep them from looking.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi.routing import APIRoute
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
#: Methods that change nothing.
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def from_other_site(request: Request) -> bool:
    """Whether a browser says that a page of another origin made this request."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower()


def _refused(request: Request) -> bool:
    """Whether a page of another origin sends a form, or loads what is here otherwise than by going there."""
    going = request.method in SAFE and request.headers.get("sec-fetch-mode", "navigate") == "navigate"
    return not going and from_other_site(request)


def local_path(text: str | None) -> str:
    """Return `text` if it is a path on this server, else `/`: where to go after login must not be another site."""
    if not text or not text.startswith("/") or text[1:2] in ("/", "\\") or not text.isprintable():
        return "/"
    return text


class LoginNeeded(Exception):
    """Raised by a route that shows nothing to strangers; the message is the URL at which to log in."""


class PageRoute(APIRoute):
    """A route whose responses carry `HEADERS`, which refuses other sites all but links, and leads strangers to the login."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route's handler."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            if _refused(request):
                response: Response = PlainTextResponse("This was asked for by another site, and was refused.", 403)
            else:
                try:
                    response = await handle(request)
                except LoginNeeded as login:
                    # htmx follows a redirect silently and would put the login form into a corner of the page.
                    fragment = "hx-request" in request.headers
                    response = Response(status_code=401, headers={"HX-Redirect": str(login)})
                    if not fragment:
                        response = RedirectResponse(str(login), 303)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return guarded


class SecureSessions(SessionMiddleware):
    """Sessions whose cookie is `Secure` where the request came by https: through a proxy that is trusted, see `trusted_proxies`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope.get("scheme") not in ("https", "wss"):
            await super().__call__(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = self.session_cookie.encode() + b"="
                message["headers"] = [
                    (name, value + b"; secure" if name == b"set-cookie" and value.startswith(cookie) else value)
                    for name, value in message.get("headers", ())
                ]
            await send(message)

        await super().__call__(scope, receive, secured)
