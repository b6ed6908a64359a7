"""What could not be taken, and why: the only place that reads the table `rejected`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from genscope.query.filter import Filter, FilterError
from genscope.store.engine import Engine, Parameter
from genscope.store.paging import Page, check_limit, decode_cursor, encode_cursor
from genscope.store.sql import sql
from genscope.store.where import Where


@dataclass(frozen=True, slots=True)
class Rejection:
    """Something that was sent and not taken. The time is when it came, in nanoseconds since the epoch."""

    time: int
    protocol: str
    trace_id: str
    span_id: str
    name: str
    reason: str
    payload: str


@dataclass(frozen=True, slots=True)
class Count:
    """How often something of one kind was rejected. `kind` is the reason without what differs from one to the next."""

    protocol: str
    kind: str
    count: int
    last: int


#: What of a reason is said of one thing alone: quoted texts, long ids and numbers.
KIND: Final = "replaceRegexpAll(replaceRegexpAll(rejected.reason, '\\'[^\\']*\\'|\"[^\"]*\"', '…'), '[0-9a-fA-F-]{8,}|[0-9]+', '…')"
#: Kinds that are counted apart; senders make more of them only with new mistakes.
MOST_KINDS: Final = 100


class Rejections:
    """Answers what was rejected of one project. Every call blocks; the latest comes first."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def counts(self, project_id: str) -> list[Count]:
        """Return what was rejected by protocol and kind, the most frequent first."""
        rows = self._engine.query(
            f"SELECT protocol, {KIND} AS kind, toInt64(count()) AS count, "  # noqa: S608 - of constants
            "toUnixTimestamp64Micro(max(rejected.time)) * 1000 AS last "
            "FROM rejected WHERE project_id = {project:String} GROUP BY protocol, kind "
            "ORDER BY count() DESC, protocol, kind LIMIT {limit:UInt32}",
            {"project": project_id, "limit": MOST_KINDS},
        )
        return [Count(**row) for row in rows.to_pylist()]

    def page(
        self,
        project_id: str,
        filter: Filter,
        *,
        limit: int = 50,
        cursor: str | None = None,
        protocol: str = "",
        kind: str = "",
    ) -> Page[Rejection]:
        """Return a page of what was rejected in the filter's time range; its conditions are not looked at.

        Args:
            project_id: whose.
            filter: the range of time.
            limit: rows of a page.
            cursor: where the page before ended.
            protocol: only what came by this one; empty: by any.
            kind: only what was rejected for this kind of reason, as `counts` names it; empty: for any.

        Raises:
            FilterError: the limit or the cursor is not one.
        """
        limit = check_limit(limit)
        condition = Where([])
        condition.add(f"project_id = {condition.bind(project_id)}")
        if filter.start is not None:
            condition.add(f"rejected.time >= {condition.bind_time(filter.start)}")
        if filter.end is not None:
            condition.add(f"rejected.time < {condition.bind_time(filter.end)}")
        if protocol:
            condition.add(f"protocol = {condition.bind(protocol)}")
        if kind:
            condition.add(f"{KIND} = {condition.bind(kind)}")
        # Rows have no id, and many come at one moment: a cursor counts those of its moment that were shown.
        last, shown = decode_cursor("rejected", cursor, 2) if cursor else (None, "0")
        if last is not None:
            condition.add(f"rejected.time <= {condition.bind_time(last)}")
        offset = _number(shown)
        parameters: dict[str, Parameter] = {"limit": limit + 1, "offset": offset}
        text = sql("rejected_rows").substitute(where=str(condition))
        found = [Rejection(**row) for row in self._engine.query(text, condition.parameters | parameters).to_pylist()]
        rows = found[:limit]
        if len(found) <= limit:
            return Page(rows, None)
        at_end = sum(row.time == rows[-1].time for row in rows) + (offset if rows[-1].time == last else 0)
        return Page(rows, encode_cursor("rejected", rows[-1].time, str(at_end)))


def _number(text: str) -> int:
    """Return how many rows a cursor says were shown."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise FilterError("cursor: not one that this list gave; start again without it")
    return int(text)
