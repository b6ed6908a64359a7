"""Projects, API keys, members, prices, settings of projects and the server's own values: the small tables."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa

from genscope.store.engine import Engine
from genscope.store.rows import MONEY, TIME


@dataclass(frozen=True, slots=True)
class Project:
    """The unit of isolation. Its id is the slug that people write in URLs and settings."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """An API key pair, without its secret."""

    public_key: str
    secret_hash: str
    project_id: str
    name: str
    revoked: bool = False
    #: When it was made, in nanoseconds since the epoch.
    created: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """Someone who may log in, by e-mail address in lower case."""

    email: str
    #: Argon2 hash; empty: no password.
    password: str = ""
    #: How the OpenID provider names them: issuer, a space, subject; empty before the first such login.
    subject: str = ""
    #: SHA-256 of the token of an invitation that was not taken up; empty: none.
    invitation: str = ""
    #: When they were invited, in nanoseconds since the epoch.
    invited: int = 0
    #: Generation of their logins; a cookie of an older one is void.
    logins: int = 0
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """A price that a project set itself. `genscope.pricing.override` says what the fields mean."""

    project_id: str
    id: str
    model: str
    provider: str | None
    start: int | None
    prices: dict[str, Decimal]
    request: Decimal | None


def secret_hash(secret: str) -> str:
    """Return what is kept of a secret.

    A plain SHA-256: the secrets that Genscope makes are 256 random bits, so there is nothing to guess that a slow hash would
    protect, and every ingest request is checked against it. Who sets a secret of their own should take as long a one.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


class Catalog:
    """Reads and writes the small tables. Every call blocks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def projects(self) -> list[Project]:
        """Return all projects by id."""
        rows = self._engine.query("SELECT id, name FROM projects FINAL ORDER BY id").to_pylist()
        return [Project(**row) for row in rows]

    def add_project(self, project: Project) -> None:
        """Add a project, or rename it."""
        self._engine.command(
            "INSERT INTO projects (id, name) VALUES ({id:String}, {name:String})",
            {"id": project.id, "name": project.name},
        )

    def api_keys(self, *, revoked: bool = False) -> list[Key]:
        """Return the keys that hold, the oldest first; the revoked ones too if asked."""
        which = "" if revoked else "WHERE NOT revoked"
        rows = self._engine.query(
            "SELECT public_key, secret_hash, project_id, name, revoked, "  # noqa: S608 - of two constants
            "toUnixTimestamp64Micro(api_keys.created) * 1000 AS created "
            f"FROM api_keys FINAL {which} ORDER BY api_keys.created, public_key"
        )
        return [Key(**row) for row in rows.to_pylist()]

    def add_key(self, key: Key) -> None:
        """Add a key, or set what an existing public key opens and by which secret."""
        self._engine.command(
            "INSERT INTO api_keys (public_key, secret_hash, project_id, name, created, revoked) "
            "VALUES ({public:String}, {hash:String}, {project:String}, {name:String}, now64(6), false)",
            {"public": key.public_key, "hash": key.secret_hash, "project": key.project_id, "name": key.name},
        )

    def revoke_key(self, public_key: str) -> None:
        """Make a key open nothing any more."""
        self._engine.command(
            "INSERT INTO api_keys (public_key, secret_hash, project_id, name, created, revoked) "
            "SELECT public_key, secret_hash, project_id, name, created, true FROM api_keys FINAL "
            "WHERE public_key = {public:String}",
            {"public": public_key},
        )

    def key_uses(self) -> dict[str, int]:
        """Return when keys were used last, in nanoseconds since the epoch, by their public halves."""
        rows = self._engine.query(
            "SELECT public_key, toUnixTimestamp64Micro(max(key_uses.last_used)) * 1000 AS used FROM key_uses GROUP BY public_key"
        ).to_pylist()
        return {row["public_key"]: row["used"] for row in rows}

    def add_key_uses(self, uses: Mapping[str, int]) -> None:
        """Keep when keys were used last."""
        used = pa.array([when // 1000 for when in uses.values()], pa.timestamp("us", "UTC"))
        with self._engine.connection() as connection:
            connection.insert("key_uses", pa.table({"public_key": pa.array(list(uses)), "last_used": used}))

    def members(self) -> list[Member]:
        """Return everybody who may log in or was invited, by e-mail address."""
        rows = self._engine.query(
            "SELECT email, password, subject, invitation, invited, logins FROM members FINAL WHERE NOT removed ORDER BY email"
        )
        return [Member(**row) for row in rows.to_pylist()]

    def set_member(self, member: Member) -> None:
        """Add a member, or put it in the place of the one with its address."""
        self._engine.command(
            "INSERT INTO members (email, password, subject, invitation, invited, logins, removed) VALUES ({email:String}, "
            "{password:String}, {subject:String}, {invitation:String}, {invited:Int64}, {logins:UInt64}, {removed:Bool})",
            {
                "email": member.email,
                "password": member.password,
                "subject": member.subject,
                "invitation": member.invitation,
                "invited": member.invited,
                "logins": member.logins,
                "removed": int(member.removed),
            },
        )

    def memberships(self) -> list[tuple[str, str, str]]:
        """Return who may do what: (project, e-mail address, role)."""
        rows = self._engine.query("SELECT project_id, email, role FROM memberships FINAL WHERE role != ''").to_pylist()
        return [(row["project_id"], row["email"], row["role"]) for row in rows]

    def set_membership(self, project_id: str, email: str, role: str) -> None:
        """Set what a member may do in a project; an empty role takes them out of it."""
        self._engine.command(
            "INSERT INTO memberships (project_id, email, role) VALUES ({project:String}, {email:String}, {role:String})",
            {"project": project_id, "email": email, "role": role},
        )

    def project_settings(self, name: str) -> dict[str, str]:
        """Return what the projects set under a name, JSON texts."""
        rows = self._engine.query(
            "SELECT project_id, value FROM project_settings FINAL WHERE name = {name:String}", {"name": name}
        )
        return {row["project_id"]: row["value"] for row in rows.to_pylist()}

    def set_project_setting(self, project_id: str, name: str, value: str) -> None:
        """Keep what a project set under a name, a JSON text."""
        self._engine.command(
            "INSERT INTO project_settings (project_id, name, value) VALUES ({project:String}, {name:String}, {value:String})",
            {"project": project_id, "name": name, "value": value},
        )

    def prices(self) -> list[Price]:
        """Return the prices that projects set themselves."""
        rows = self._engine.query(
            "SELECT project_id, id, model, provider, toUnixTimestamp64Nano(start) AS start, prices, request "
            "FROM prices FINAL WHERE NOT removed ORDER BY project_id, model, provider, start"
        ).to_pylist()
        return [Price(**row | {"prices": dict(row["prices"])}) for row in rows]

    def set_price(self, price: Price, *, removed: bool = False) -> None:
        """Add a price, or put it in the place of the one with its id; or remove that."""
        columns = {
            "project_id": pa.array([price.project_id]),
            "id": pa.array([price.id]),
            "model": pa.array([price.model]),
            "provider": pa.array([price.provider], pa.string()),
            "start": pa.array([price.start], TIME),
            "prices": pa.array([list(price.prices.items())], pa.map_(pa.string(), MONEY)),
            "request": pa.array([price.request], MONEY),
            "removed": pa.array([removed]),
        }
        with self._engine.connection() as connection:
            connection.insert("prices", pa.table(columns))

    def value(self, name: str) -> str | None:
        """Return one of the server's own values."""
        rows = self._engine.query("SELECT value FROM server_values FINAL WHERE name = {name:String}", {"name": name})
        return rows["value"][0].as_py() if rows.num_rows else None

    def set_value(self, name: str, value: str) -> None:
        """Keep one of the server's own values."""
        self._engine.command(
            "INSERT INTO server_values (name, value) VALUES ({name:String}, {value:String})",
            {"name": name, "value": value},
        )
