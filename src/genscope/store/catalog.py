"""Projects, API keys, prices and the server's own values: the small tables."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
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
            "SELECT public_key, secret_hash, project_id, name, revoked "  # noqa: S608 - of two constants
            f"FROM api_keys FINAL {which} ORDER BY created, public_key"
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
