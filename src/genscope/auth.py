"""Who may do what: API keys for programs; a one-time link, a password or a key pair for people; anybody on loopback if allowed.

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
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from genscope.config import LOOPBACK_NAMES
from genscope.members import ROLES, Members, NotPossible
from genscope.receive.errors import Forbidden, Unauthorized
from genscope.store.catalog import Catalog, Key, Member, Project, secret_hash
from genscope.store.errors import StoreError

log = logging.getLogger(__name__)
#: Tells who changed what of the settings.
audit: Final = logging.getLogger("genscope.audit")

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


#: Where the generation of the logins of the server's owner is kept.
OWNER_LOGINS: Final = "owner_logins"
#: Characters of the name of a project or key.
LONGEST_NAME: Final = 100
#: Keys of a project, and projects of a server: more than anybody makes by hand.
MOST_KEYS, MOST_PROJECTS = 1000, 1000


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, and what they may do."""

    project: Project
    #: What they may do in it, one of `ROLES`.
    role: str
    #: The projects that they may see.
    projects: tuple[Project, ...]
    #: How the log calls them.
    name: str
    #: Whether they own the server, and so every project of it.
    owns_server: bool = False
    #: Their address, if they are a member.
    email: str = ""

    def may(self, role: str) -> bool:
        """Whether they may do what this role may."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def audit(self, what: str, *values: object) -> None:
        """Write to the log that they changed something; `what` is a format for `values`, which may be anybody's text."""
        audit.info("%s in project %s: " + what, self.name, self.project.id, *values)


class Authenticator:
    """Finds the project that a request may use, and who may look at what."""

    def __init__(self, catalog: Catalog, members: Members, *, home: str, anonymous: bool) -> None:
        """Read the keys.

        Args:
            catalog: where projects and keys are.
            members: the people who have logins of their own.
            home: id of the project that the one-time link opens, and that anonymous requests are taken for.
            anonymous: whether requests without a key are served.
        """
        self.anonymous = anonymous
        self.members = members
        self._catalog = catalog
        self._home = home
        self._lock = threading.RLock()
        self._login_token = secrets.token_urlsafe(32)
        #: Opens everything to the commands of whoever may read the server's directory.
        self.command_token: Final = secrets.token_urlsafe(32)
        self._owner_logins = int(catalog.value(OWNER_LOGINS) or 0)
        self._uses = catalog.key_uses()
        #: Of these uses, those that are not stored yet.
        self._new_uses: dict[str, int] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read projects and keys again."""
        with self._lock:
            projects = {project.id: project for project in self._catalog.projects()}
            keys = {key.secret_hash: key for key in self._catalog.api_keys()}
            self._projects, self._by_hash = projects, keys
            self._by_public = {key.public_key: key for key in keys.values()}

    def _find(self, public_key: str | None, secret: str) -> Key | None:
        """Return the key of this secret, if the public half, where given, is its own."""
        key = self._by_hash.get(secret_hash(secret))
        if key is None or (public_key is not None and not _same(key.public_key, public_key)):
            return None
        self._new_uses[key.public_key] = time.time_ns()
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

    def program(self, headers: Mapping[str, str], query: Mapping[str, str], *, host: str = "") -> Visitor:
        """Return who a program that changes settings acts for: a key, a command of the server's owner, or anybody on loopback.

        The owner of the server may name any project (`project_id`).

        Raises:
            Unauthorized: there is no valid key.
            Forbidden: the request names a project that its key does not open, or an anonymous one comes from elsewhere.
        """
        credentials = _credentials(headers)
        if credentials is not None and _same(credentials[1], self.command_token):
            return self._owner(query.get(PROJECT_PARAMETER, ""), "a command")
        if credentials is None:
            self._anonymous_project(headers, host)
            return self._owner(query.get(PROJECT_PARAMETER, ""), "a program on this machine")
        project = self.project(headers, query, host=host)
        return Visitor(project, "member", (project,), f"a key of {project.id}")

    def _owner(self, project_id: str, name: str) -> Visitor:
        project = self._projects.get(project_id or self._home)
        if project is None:
            raise Forbidden(f"there is no project {project_id[:80]!r}")
        return Visitor(project, ROLES[-1], tuple(self._projects.values()), name, owns_server=True)

    # Projects and keys

    @property
    def projects(self) -> list[Project]:
        """All projects, by id."""
        return list(self._projects.values())

    def create_project(self, project_id: str, name: str = "") -> Project:
        """Add a project.

        Raises:
            NotPossible: it exists, its id is no slug, or there are too many.
        """
        check_slug(project_id)
        project = Project(project_id, _named(name or project_id))
        with self._lock:
            if project_id in self._projects:
                raise NotPossible(f"project {project_id!r} exists already: choose another id")
            if len(self._projects) >= MOST_PROJECTS:
                raise NotPossible(f"there are {MOST_PROJECTS} projects, which is the most")
            self._catalog.add_project(project)
            self.refresh()
        return project

    def rename_project(self, project_id: str, name: str) -> Project:
        """Give a project another name; its id stays.

        Raises:
            NotPossible: the name is empty or too long.
        """
        with self._lock:
            project = replace(self._projects[project_id], name=_named(name))
            self._catalog.add_project(project)
            self.refresh()
        return project

    def keys(self, project_id: str) -> list[Key]:
        """Return the keys of a project, the oldest first."""
        return [key for key in self._by_hash.values() if key.project_id == project_id]

    def last_used(self, public_key: str) -> int | None:
        """Return when a key was used last, in nanoseconds since the epoch; None if it never was."""
        return self._new_uses.get(public_key) or self._uses.get(public_key)

    def create_key(self, project_id: str, name: str) -> tuple[str, str]:
        """Make a key pair and return it: the secret is not known later. It opens the project at once.

        Raises:
            NotPossible: the name is too long, or there are too many keys.
        """
        name = _named(name, required=False)
        with self._lock:
            if len(self.keys(project_id)) >= MOST_KEYS:
                raise NotPossible(f"the project has {MOST_KEYS} keys, which is the most: revoke one first")
            pair = make_key(self._catalog, project_id, name)
            self.refresh()
        return pair

    def revoke_key(self, project_id: str, public_key: str) -> Key | None:
        """Make a key of a project open nothing any more, at once; return it, None if the project has no such key."""
        with self._lock:
            key = self._by_public.get(public_key)
            if key is None or key.project_id != project_id:
                return None
            self._catalog.revoke_key(public_key)
            self.refresh()
        return key

    def keep_uses(self) -> None:
        """Store when keys were used last, if any was since the last time. Blocks."""
        new = dict(self._new_uses)
        if not new:
            return
        try:
            self._catalog.add_key_uses(new)
        except StoreError as error:
            log.warning("when keys were used last is not stored: %s", error)
            return
        self._uses = self._uses | new
        for public_key, when in new.items():
            if self._new_uses.get(public_key) == when:
                self._new_uses.pop(public_key, None)

    def public_keys(self, project_id: str) -> list[str]:
        """Return the public halves of the keys of a project."""
        return [key.public_key for key in self.keys(project_id)]

    # People

    def visitor(self, request: HTTPConnection) -> Visitor | None:
        """Return who looks at pages, None if they must log in first."""
        session = request.session
        chosen = str(session.get("project_id", ""))
        if self.anonymous:
            with contextlib.suppress(Forbidden):
                self._anonymous_project(request.headers, request.headers.get("host", ""))
                return self._owner(chosen if chosen in self._projects else "", "anybody on this machine")
        if email := session.get("email"):
            return self._member(str(email), session.get("logins"), chosen)
        if public_key := session.get("public_key"):
            # A login by key pair ends with the key.
            key = self._by_public.get(public_key)
            if key is None:
                return None
            project = self._projects[key.project_id]
            return Visitor(project, "member", (project,), f"key {public_key}")
        if session.get("owner") == self._owner_logins:
            return self._owner(chosen if chosen in self._projects else "", "the owner of the server")
        return None

    def _member(self, email: str, logins: object, chosen: str) -> Visitor | None:
        member, roles = self.members.get(email), self.members.roles(email)
        projects = tuple(self._projects[id_] for id_ in sorted(roles) if id_ in self._projects)
        if member is None or member.logins != logins or not projects:
            return None
        project = next((project for project in projects if project.id == chosen), projects[0])
        return Visitor(project, roles[project.id], projects, email, email=email)

    def page_project(self, request: HTTPConnection) -> Project | None:
        """Return the project whose pages this request may see, None if it must log in first."""
        visitor = self.visitor(request)
        return None if visitor is None else visitor.project

    @property
    def login_token(self) -> str:
        """The token that the next one-time link carries."""
        return self._login_token

    def log_in_with_token(self, request: HTTPConnection, token: str) -> bool:
        """Log the owner of the server in by the one-time link; the token is spent, and a new one takes its place."""
        with self._lock:
            if not _same(token, self._login_token):
                return False
            self._login_token = secrets.token_urlsafe(32)
        # Without a host: the one that the request names may be made up.
        log.info("a login link was used; the next one is /login?token=%s", self._login_token)
        _log_in(request, owner=self._owner_logins, project_id=self._home)
        return True

    def log_in_with_keys(self, request: HTTPConnection, public_key: str, secret_key: str) -> bool:
        """Log in to the project that a key pair opens."""
        key = self._find(public_key, secret_key)
        if key is None:
            return False
        _log_in(request, public_key=key.public_key, project_id=key.project_id)
        return True

    def log_in_member(self, request: HTTPConnection, member: Member) -> None:
        """Log a member in, who has proved to be the one."""
        _log_in(request, email=member.email, logins=member.logins)

    def choose_project(self, request: HTTPConnection, visitor: Visitor, project_id: str) -> bool:
        """Show this project from now on; False if the visitor may not see it."""
        if all(project.id != project_id for project in visitor.projects):
            return False
        request.session["project_id"] = project_id
        return True

    def log_out(self, request: HTTPConnection) -> None:
        """Forget who is looking."""
        request.session.clear()

    def log_out_everywhere(self, visitor: Visitor) -> None:
        """Make all logins of a member, or of the owner of the server, void."""
        if visitor.email:
            self.members.end_logins(visitor.email)
        elif visitor.owns_server:
            with self._lock:
                self._catalog.set_value(OWNER_LOGINS, str(self._owner_logins + 1))
                self._owner_logins += 1


def _log_in(request: HTTPConnection, **values: object) -> None:
    # What a session of before held must not outlive it.
    request.session.clear()
    request.session.update(values)


def check_slug(project_id: str) -> None:
    """Return if this can be the id of a project.

    Raises:
        NotPossible: it cannot; the message says what can.
    """
    if not SLUG.fullmatch(project_id):
        raise NotPossible(
            f"{project_id[:80]!r} is no id of a project: use at most 63 lower-case letters, digits, - and _"
        )


def _named(name: str, *, required: bool = True) -> str:
    """Return a name as it is kept."""
    name = name.strip()
    if required and not name:
        raise NotPossible("a name has at least one character")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise NotPossible(f"a name has at most {LONGEST_NAME} characters, all of them visible")
    return name


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
    check_slug(project_id)
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
