"""People who log in by password or OpenID Connect, what they may do, and what stops who guesses."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from genscope.store.catalog import Catalog, Member, secret_hash

#: What one may do in a project, each also what the one before may: look; change; say who else may.
ROLES: Final = ("viewer", "member", "owner")
#: How long the link of an invitation is good, in nanoseconds.
INVITATION: Final = 7 * 24 * 3600 * 10**9
#: Characters of a password. NIST SP 800-63B-4 asks for 8 at least, for the length and nothing else.
SHORTEST, LONGEST = 10, 1000
#: Hashes that are computed at one time, of 64 MiB each.
HASHING: Final = 2
EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,190}")


class NotPossible(ValueError):
    """What was asked for cannot be done; the message says why, to whoever asked."""


class TooManyTries(Exception):
    """Somebody guesses. `seconds` is when they may go on."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many tries: wait {seconds} s and try again")
        self.seconds = seconds


class Throttle:
    """Counts failures by what they are blamed on; from a number on each doubles the time to wait. What it remembers is bounded."""

    def __init__(
        self,
        free: int,
        *,
        first: float = 15,
        longest: float = 900,
        remembered: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without a memory.

        Args:
            free: failures without a wait.
            first: seconds to wait after one more.
            longest: seconds beyond which a wait does not grow, and after which failures are forgotten.
            remembered: how many things failures are blamed on at most; the one that failed longest ago goes first.
            clock: tells the time in seconds.
        """
        self._free, self._first, self._longest = free, first, longest
        self._remembered, self._clock = remembered, clock
        self._lock = threading.Lock()
        #: Failures, and the moment from which the next try is heard.
        self._failures: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def check(self, who: Hashable) -> None:
        """Return if a try may be heard.

        Raises:
            TooManyTries: not yet.
        """
        with self._lock:
            _, until = self._failures.get(who, (0, 0.0))
            if (left := until - self._clock()) > 0:
                raise TooManyTries(int(left) + 1)

    def failed(self, who: Hashable) -> None:
        """Count a failure."""
        now = self._clock()
        with self._lock:
            count, until = self._failures.pop(who, (0, 0.0))
            count = 1 if until and now - until > self._longest else count + 1
            wait = (
                min(self._first * 2.0 ** min(count - self._free - 1, 30), self._longest) if count > self._free else 0.0
            )
            self._failures[who] = count, now + wait
            if len(self._failures) > self._remembered:
                self._failures.popitem(last=False)

    def succeeded(self, who: Hashable) -> None:
        """Forget the failures."""
        with self._lock:
            self._failures.pop(who, None)


class Members:
    """Who may log in, read once and kept."""

    def __init__(self, catalog: Catalog) -> None:
        """Read the members."""
        self._catalog = catalog
        self._lock = threading.RLock()
        self._hashing = threading.BoundedSemaphore(HASHING)
        self._hasher = PasswordHasher()
        #: Of one account from one address, and of any accounts from one address.
        self._tries, self._addresses = Throttle(5), Throttle(50)
        self.refresh()

    def refresh(self) -> None:
        """Read the members again."""
        with self._lock:
            members = {member.email: member for member in self._catalog.members()}
            roles: dict[str, dict[str, str]] = {}
            for project_id, email, role in self._catalog.memberships():
                if email in members and role in ROLES:
                    roles.setdefault(email, {})[project_id] = role
            self._members, self._roles = members, roles

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._members)

    def get(self, email: str) -> Member | None:
        """Return who has this address."""
        return self._members.get(email)

    def roles(self, email: str) -> dict[str, str]:
        """Return what a member may do, by project."""
        return self._roles.get(email, {})

    def of(self, project_id: str) -> list[tuple[Member, str]]:
        """Return the members of a project and what they may do, by address."""
        return [
            (self._members[email], roles[project_id])
            for email, roles in sorted(self._roles.items())
            if project_id in roles
        ]

    # Invitations

    def invite(self, project_id: str, email: str, role: str) -> str | None:
        """Make someone a member of a project.

        Returns:
            The token of their invitation; None if they can log in already, or have an invitation of another project's.

        Raises:
            NotPossible: this is no address or no role, or they are a member of the project.
        """
        email = email.strip().lower()
        if not EMAIL.fullmatch(email):
            raise NotPossible(f"{email[:80]!r} is no e-mail address such as ada@example.com")
        _check_role(role)
        with self._lock:
            if project_id in self.roles(email):
                raise NotPossible(f"{email} is a member of this project already; change the role in the list")
            known = self.get(email)
            token = None if known else secrets.token_urlsafe(32)
            if token is not None:
                self._catalog.set_member(replace(_new(email), invitation=secret_hash(token)))
            self._catalog.set_membership(project_id, email, role)
            self.refresh()
        return token

    def new_link(self, email: str) -> str:
        """Return the token of a new link to set a password; an older link ends, a password holds until the new one is set.

        Raises:
            NotPossible: there is no such member.
        """
        with self._lock:
            member = self._known(email)
            token = secrets.token_urlsafe(32)
            self._set(replace(member, invitation=secret_hash(token), invited=time.time_ns()))
        return token

    def invited(self, token: str) -> Member | None:
        """Return whose invitation has this token, if it still holds."""
        hashed = secret_hash(token)
        member = next((member for member in self._members.values() if member.invitation == hashed), None)
        return member if member is not None and time.time_ns() - member.invited < INVITATION else None

    def accept(self, token: str, password: str) -> Member:
        """Set the password of who was invited; the token is spent.

        Raises:
            NotPossible: the token holds no more, or the password will not do.
        """
        if (member := self.invited(token)) is None:
            raise NotPossible("this link was used already, or is older than seven days: ask for a new one")
        return self._set_password(member, password, by_token=token)

    # Passwords

    def change_password(self, email: str, old: str, new: str, address: str) -> Member:
        """Set a new password of someone who knows the old one; all logins of before end.

        Raises:
            NotPossible: the old one is another, or the new one will not do.
            TooManyTries: somebody guesses.
        """
        if (member := self.check_password(email, old, address)) is None:
            raise NotPossible("this is not the present password")
        return self._set_password(member, new)

    def _set_password(self, member: Member, password: str, by_token: str | None = None) -> Member:
        if not SHORTEST <= len(password) <= LONGEST:
            raise NotPossible(f"a password has {SHORTEST} to {LONGEST} characters")
        if member.email in password.lower() or password.lower() in member.email:
            raise NotPossible("the address itself is no password")
        with self._hashing:
            hashed = self._hasher.hash(_bytes(password))
        with self._lock:
            member = self._known(member.email)
            if by_token is not None and self.invited(by_token) != member:
                raise NotPossible("this link was used already: ask for a new one")
            return self._set(replace(member, password=hashed, invitation="", logins=member.logins + 1))

    def check_password(self, email: str, password: str, address: str) -> Member | None:
        """Return who logs in with this password; None if nobody does, which takes as long for an unknown address.

        Args:
            email: the address that is typed in.
            password: as typed in.
            address: where the try comes from.

        Raises:
            TooManyTries: somebody guesses.
        """
        email = email.strip().lower()
        account = (email[:300], address)
        self._check_tries(account)
        member = self.get(email)
        known = member is not None and member.password != ""
        hashed = member.password if member is not None and known else self._nobody
        with self._hashing:
            # Of many that came at once most have waited here, and those before them may have failed meanwhile.
            self._check_tries(account)
            try:
                right = self._hasher.verify(hashed, _bytes(password[: LONGEST + 1])) and known
            except (VerificationError, InvalidHashError):
                right = False
            if not right:
                self._tries.failed(account)
                self._addresses.failed(address)
            renewed = self._hasher.hash(_bytes(password)) if right and self._hasher.check_needs_rehash(hashed) else None
        if not right or member is None:
            return None
        self._tries.succeeded(account)
        if renewed is None:
            return member
        with self._lock:
            # Unless the password was changed meanwhile.
            current = self._known(email)
            return self._set(replace(current, password=renewed)) if current.password == hashed else None

    def _check_tries(self, account: tuple[str, str]) -> None:
        self._addresses.check(account[1])
        self._tries.check(account)

    @cached_property
    def _nobody(self) -> str:
        """The hash of a password that nobody knows."""
        return self._hasher.hash(secrets.token_bytes(32))

    # OpenID Connect

    def check_openid(self, subject: str, email: str, domains: frozenset[str], project_id: str) -> Member | None:
        """Return who the provider vouches for.

        Args:
            subject: its issuer and its name for them.
            email: their address, which the provider says it has verified.
            domains: those whose people may come in uninvited, as viewers.
            project_id: the project that these see.
        """
        email = email.strip().lower()
        with self._lock:
            if known := next((member for member in self._members.values() if member.subject == subject), None):
                return known
            member = self.get(email)
            if member is None and EMAIL.fullmatch(email) and email.rpartition("@")[2] in domains:
                member = _new(email)
                self._catalog.set_membership(project_id, email, ROLES[0])
            # Whom the provider knows under another name now is someone else, who was given the address later.
            if member is None or member.subject:
                return None
            return self._set(replace(member, subject=subject, invitation=""))

    # Changes

    def set_role(self, project_id: str, email: str, role: str) -> None:
        """Change what a member may do in a project, or with an empty role take them out of it.

        Who is a member of no project any more is forgotten.

        Raises:
            NotPossible: there is no such member or role.
        """
        if role:
            _check_role(role)
        with self._lock:
            if project_id not in self.roles(email):
                raise NotPossible(f"{email[:80]!r} is no member of this project")
            self._catalog.set_membership(project_id, email, role)
            if not role and len(self.roles(email)) == 1:
                self._catalog.set_member(replace(self._known(email), removed=True))
            self.refresh()

    def end_logins(self, email: str) -> None:
        """Make every login of a member void."""
        with self._lock:
            member = self._known(email)
            self._set(replace(member, logins=member.logins + 1))

    def _known(self, email: str) -> Member:
        if (member := self.get(email)) is None:
            raise NotPossible(f"there is no member {email[:80]!r}")
        return member

    def _set(self, member: Member) -> Member:
        self._catalog.set_member(member)
        self.refresh()
        return member


def _new(email: str) -> Member:
    # Generations of logins begin at the time: the cookie of someone who was removed and comes back stays void.
    now = time.time_ns()
    return Member(email, invited=now, logins=now)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise NotPossible(f"a role is one of {', '.join(ROLES)}, not {role[:40]!r}")


def _bytes(password: str) -> bytes:
    # A lone surrogate is no character of any keyboard, and must not be an error of the server.
    return password.encode("utf-8", "replace")
