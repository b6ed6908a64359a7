"""Where the things are that senders tell of in pieces, found by the names that they have for them: the table `entities`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from genscope.model import Entity, Usage
from genscope.store.engine import Engine, Parameter
from genscope.store.migrate import statements
from genscope.store.rows import MONEY, USAGE_MAP, map_array
from genscope.store.sql import sql

#: Things that one query looks up.
KEYS_AT_ONCE: Final = 10_000


@dataclass(slots=True)
class Facts:
    """What the price of a span depends on, and what its cost was at most."""

    type: str | None = None
    start_time: int | None = None
    model: str | None = None
    provider: str | None = None
    service_tier: str | None = None
    server_address: str | None = None
    usage: Usage | None = None
    cost_source: str | None = None
    highest_cost: Decimal | None = None


@dataclass(slots=True)
class Placement:
    """A place of an entity. Times are nanoseconds since the epoch.

    Of several places the one that was linked last holds: one id may name a thing in two traces.
    """

    entity: Entity
    trace_id: str
    time: int
    linked: int = 0
    #: `field hash-of-the-value` -> when that value was told; of two the lesser holds, see `genscope.merge`.
    revisions: dict[str, int] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    #: Other times under which a server that knew no better may have stored pieces.
    strays: list[int] = field(default_factory=list)


_FACTS: Final[dict[str, pa.DataType]] = {
    "type": pa.string(),
    "start_time": pa.int64(),
    "model": pa.string(),
    "provider": pa.string(),
    "service_tier": pa.string(),
    "server_address": pa.string(),
    "cost_source": pa.string(),
    "highest_cost": MONEY,
}
_REVISIONS: Final = pa.map_(pa.string(), pa.uint64())


class Entities:
    """Looks up and moves what is known of entities. Every call blocks; call it from a worker thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, project_id: str, entities: Iterable[Entity]) -> dict[Entity, list[Placement]]:
        """Return the places of these entities, as far as they are known, the one linked last at the end."""
        wanted = list(dict.fromkeys(entities))
        found: dict[Entity, list[Placement]] = {}
        for begin in range(0, len(wanted), KEYS_AT_ONCE):
            some = set(wanted[begin : begin + KEYS_AT_ONCE])
            ids = sorted({entity.id for entity in some})
            rows = self._engine.query(sql("entities").template, {"project_id": project_id, "ids": ids})
            for row in rows.to_pylist():
                placement = _placement(row)
                if placement.entity in some:
                    found.setdefault(placement.entity, []).append(placement)
        return found

    def join(self, project_id: str, wholes: Mapping[str, str]) -> None:
        """Make the spans of traces, and what was said of them, part of others: by the ids of the ones, the ids of the others.

        Only what is stored is moved.
        """
        self._run("join_traces", {"project_id": project_id, "orphans": list(wholes), "wholes": list(wholes.values())})

    def gather(self, project_id: str, place: Placement) -> None:
        """Bring the pieces of a span that lie at `place.strays` to its place."""
        for stray in place.strays:
            parameters: dict[str, Parameter] = {
                "project_id": project_id,
                "trace_id": place.trace_id,
                "span_id": place.entity.span_id,
                "stray": stray,
                "time": place.time,
            }
            if self._engine.query(sql("has_stray").template, parameters).num_rows:
                self._run("gather_strays", parameters)

    def _run(self, name: str, parameters: dict[str, Parameter]) -> None:
        with self._engine.connection() as connection:
            for statement in statements(sql(name).template):
                connection.command(statement, parameters)


def _placement(row: dict[str, Any]) -> Placement:
    times = sorted(row["times"])
    facts = {name: row[name] for name in _FACTS}
    return Placement(
        Entity(row["kind"], row["id"], row["repository"] or None),
        row["trace_id"],
        times[0],
        row["linked"],
        dict(row["revisions"]),
        Facts(**facts, usage=dict(row["usage"]) or None),
        times[1:],
    )


def encode(project_id: str, placements: Sequence[Placement]) -> pa.Table:
    """Return the rows of the `entities` table for these places."""
    columns: dict[str, pa.Array[Any]] = {
        "project_id": pa.array([project_id] * len(placements), pa.string()),
        "id": pa.array([placement.entity.id for placement in placements], pa.string()),
        "kind": pa.array([placement.entity.kind for placement in placements], pa.string()),
        "repository": pa.array([placement.entity.repository or "" for placement in placements], pa.string()),
        "trace_id": pa.array([placement.trace_id for placement in placements], pa.string()),
        "times": pa.array([[placement.time] for placement in placements], pa.list_(pa.int64())),
        "linked": pa.array([placement.linked for placement in placements], pa.int64()),
        "revisions": map_array([placement.revisions for placement in placements], _REVISIONS),
        "usage": map_array([placement.facts.usage or {} for placement in placements], USAGE_MAP),
    }
    for name, type_ in _FACTS.items():
        columns[name] = pa.array([getattr(placement.facts, name) for placement in placements], type_)
    return pa.table(columns)
