"""Who may do what: API keys for programs, a one-time link or a key pair for people, and nobody at all on loopback if allowed.

One key pair serves every protocol: HTTP Basic `public:secret`, `Authorization: Bearer secret`, `x-api-key` and
`x-maxim-api-key`. Secrets are known by their hash only.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import logging
import re
import secrets
import threading
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from genscope.config import LOOPBACK_NAMES
from genscope.receive.errors import Forbidden, Unauthorized
from genscope.store.catalog import Catalog, Key, Project, secret_hash

log = logging.getLogger(__name__)

#: Headers that carry a bare secret.
SECRET_HEADERS: Final = ("x-api-key", "x-maxim-api-key")
#: Where a request may name the project that it means.
PROJECT_HEADERS: Final = ("x-lemma-project-id", "x-genscope-project-id")
PROJECT_PARAMETER: Final = "project_id"

SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

NO_KEY: Final = (
    "no valid key: send HTTP Basic public:secret, Authorization: Bearer <secret> or x-api-key: <secret> "
    "with a key of this server"
)


class Authenticator:
    """Finds the project that a request may use."""

    def __init__(self, catalog: Catalog, *, home: str, anonymous: bool) -> None:
        """Read the keys.

        Args:
            catalog: where projects and keys are.
            home: id of the project that the one-time link opens, and that anonymous requests are taken for.
            anonymous: whether requests without a key are served.
        """
        self.anonymous = anonymous
        self._home = home
        self._lock = threading.Lock()
        # Read once: only a stopped server's keys and projects change, because one process owns the store.
        self._projects = {project.id: project for project in catalog.projects()}
        self._by_hash = {key.secret_hash: key for key in catalog.api_keys()}
        self._login_token = secrets.token_urlsafe(32)

    def _find(self, public_key: str | None, secret: str) -> Key | None:
        """Return the key of this secret, if the public half, where given, is its own."""
        key = self._by_hash.get(secret_hash(secret))
        if key is None or (public_key is not None and not _same(key.public_key, public_key)):
            return None
        return key

    def project(self, headers: Mapping[str, str], query: Mapping[str, str] | None = None, *, host: str = "") -> Project:
        """Return the project that a request may use. Header names are lower case.

        Raises:
            Unauthorized: there is no valid key.
            Forbidden: the request names a project that its key does not open, or an anonymous one comes from elsewhere.
        """
        credentials = _credentials(headers)
        if credentials is None:
            project = self._anonymous_project(headers, host)
        elif (key := self._find(*credentials)) is not None:
            project = self._projects[key.project_id]
        else:
            raise Unauthorized(NO_KEY)
        for named in (*(headers.get(name) for name in PROJECT_HEADERS), (query or {}).get(PROJECT_PARAMETER)):
            if named and named != project.id:
                raise Forbidden(f"the key opens project {project.id!r}, the request names {named!r}")
        return project

    def _anonymous_project(self, headers: Mapping[str, str], host: str) -> Project:
        if not self.anonymous:
            raise Unauthorized(NO_KEY)
        # A page of another site, or a name that it made resolve to this machine, must not reach in.
        if _host_name(host) not in LOOPBACK_NAMES:
            raise Forbidden(f"without a key the Host header must name a loopback address, not {host!r}")
        origin = headers.get("origin")
        if origin and _host_name(origin.partition("://")[2]) not in LOOPBACK_NAMES:
            raise Forbidden(f"without a key requests from {origin} are refused")
        return self._projects[self._home]

    def public_keys(self, project_id: str) -> list[str]:
        """Return the public halves of the keys of a project."""
        return [key.public_key for key in self._by_hash.values() if key.project_id == project_id]

    # People

    def page_project(self, request: HTTPConnection) -> Project | None:
        """Return the project whose pages this request may see, None if it must log in first."""
        if self.anonymous:
            with contextlib.suppress(Forbidden):
                return self._anonymous_project(request.headers, request.headers.get("host", ""))
        # A login by key pair ends with the key.
        public_key = request.session.get("public_key")
        if public_key is not None and all(key.public_key != public_key for key in self._by_hash.values()):
            return None
        return self._projects.get(request.session.get("project_id", ""))

    @property
    def login_token(self) -> str:
        """The token that the next one-time link carries."""
        return self._login_token

    def log_in_with_token(self, request: HTTPConnection, token: str) -> Project | None:
        """Log in by the one-time link; the token is spent, and a new one takes its place."""
        with self._lock:
            if not _same(token, self._login_token):
                return None
            self._login_token = secrets.token_urlsafe(32)
        # Without a host: the one that the request names may be made up.
        log.info("a login link was used; the next one is /login?token=%s", self._login_token)
        return self._log_in(request, self._projects[self._home])

    def log_in_with_keys(self, request: HTTPConnection, public_key: str, secret_key: str) -> Project | None:
        """Log in to the project that a key pair opens."""
        key = self._find(public_key, secret_key)
        return None if key is None else self._log_in(request, self._projects[key.project_id], key.public_key)

    def _log_in(self, request: HTTPConnection, project: Project, public_key: str | None = None) -> Project:
        request.session.clear()
        request.session.update(project_id=project.id, public_key=public_key)
        return project

    def log_out(self, request: HTTPConnection) -> None:
        """Forget who is looking."""
        request.session.clear()


def _credentials(headers: Mapping[str, str]) -> tuple[str | None, str] | None:
    """Return the public key, if told, and the secret; None if the request carries no credentials at all."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            public_key, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Unauthorized("the Authorization header is not valid Basic: base64 of public:secret") from None
        return public_key, secret
    if scheme.lower() == "bearer":
        return None, value.strip()
    for name in SECRET_HEADERS:
        if headers.get(name):
            return None, headers[name].strip()
    return None


def _same(left: str, right: str) -> bool:
    """Compare in a time that does not tell where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())


def _host_name(host: str) -> str:
    """Return the name in a `Host` header, without port and brackets; empty for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def ensure_project(
    catalog: Catalog, project_id: str, public_key: str = "", secret_key: str = ""
) -> tuple[str, str] | None:
    """Make the project and its key exist, as the settings say; repeatable.

    Returns:
        The key pair that was made, which is the only time that its secret is known; None if nothing had to be made up.

    Raises:
        ValueError: the project's name is no slug, or the key was revoked, or is another project's.
    """
    if not SLUG.fullmatch(project_id):
        raise ValueError(f"{project_id!r} is no project name: use lower-case letters, digits, - and _")
    keys = catalog.api_keys(revoked=True)
    if secret_key:
        wanted = Key(public_key, secret_hash(secret_key), project_id, "initial")
        for key in keys:
            if _same(key.public_key, public_key) and (key.revoked or key.project_id != project_id):
                state = "was revoked" if key.revoked else f"opens project {key.project_id!r}"
                raise ValueError(f"the initial key {public_key!r} {state}: choose another public key")
            if key.secret_hash == wanted.secret_hash and key.public_key != public_key:
                raise ValueError(f"the initial secret is that of {key.public_key!r} already: choose another secret")
    if all(project.id != project_id for project in catalog.projects()):
        catalog.add_project(Project(project_id, project_id))
    if secret_key:
        if wanted not in keys:
            catalog.add_key(wanted)
        return None
    if any(key.project_id == project_id and not key.revoked for key in keys):
        return None
    return make_key(catalog, project_id, "initial")


def make_key(catalog: Catalog, project_id: str, name: str) -> tuple[str, str]:
    """Make a random key pair for a project and return it: the secret is not known later."""
    public_key, secret_key = f"pk-gs-{secrets.token_hex(8)}", f"sk-gs-{secrets.token_hex(32)}"
    catalog.add_key(Key(public_key, secret_hash(secret_key), project_id, name))
    return public_key, secret_key
