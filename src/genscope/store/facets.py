"""What the rows of a list have in common: how many have which value of a field, and how many there are when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from genscope.query.fields import BY_NAME
from genscope.query.filter import Filter
from genscope.store.engine import Engine, Parameter
from genscope.store.merged import merged
from genscope.store.sql import sql
from genscope.store.where import Where, where

#: What is counted: spans that meet the filter, or the traces that they are of.
Counted = Literal["spans", "traces"]

#: Fields by the names that the filter language has for them, and their columns: a text, or a list of texts.
TEXTS: Final[Mapping[str, str]] = {
    "model": "model",
    "provider": "provider",
    "name": "name",
    "type": "type",
    "level": "level",
    "env": "environment",
    "user": "user_id",
    "trace_name": "trace_name",
    "release": "release",
}
LISTS: Final[Mapping[str, str]] = {"tag": "tags", "tool_call": "tool_calls"}

#: Rows, from the newest on, among which is looked first, and how much further where few of them meet the filter.
SCAN: Final = 100_000
GROWTH: Final = 30
FEW: Final = 1000
#: Values of one field that are told.
MOST: Final = 10

#: What `count` is in `queries/facets.sql`.
_COUNTS: Final[Mapping[Counted, str]] = {"spans": "count()", "traces": "uniqExact(trace_id)"}


@dataclass(frozen=True, slots=True)
class Facet:
    """A field, and how many rows have which of its values: the most frequent ones, and whether there are others."""

    field: str
    values: list[tuple[str, int]]
    more: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """Facets that have any value, counted among the newest `scanned` spans; None where it was all of them."""

    facets: list[Facet]
    scanned: int | None


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many rows begin in a stretch of time from `start` on (nanoseconds since the epoch), and how many of them failed."""

    start: int
    count: int
    errors: int


class Facets:
    """Answers questions about the rows of a list as a whole. Every call blocks; call it from a worker thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def overview(
        self, project_id: str, filter: Filter, *, counted: Counted = "spans", fields: Iterable[str] = (*TEXTS, *LISTS)
    ) -> Overview:
        """Return the facets of what meets a filter, looked for among no more rows than it takes."""
        chosen = list(fields)
        scan: int | None = SCAN
        narrowed = self._newest(project_id, filter, SCAN)
        if narrowed is not None and self._count(project_id, narrowed) < FEW:
            scan = SCAN * GROWTH
            narrowed = self._newest(project_id, filter, scan)
        if narrowed is None:
            scan = None
        begin = filter.start if counted == "traces" else None
        found = self._all(project_id, narrowed or filter, chosen, counted, begin)
        facets = [Facet(field, found[field][:MOST], len(found[field]) > MOST) for field in chosen if found.get(field)]
        return Overview(facets, scan)

    def histogram(self, project_id: str, filter: Filter, width: int, *, counted: Counted = "spans") -> list[Bucket]:
        """Return the stretches of `width` nanoseconds in which something that meets the filter begins, in their order.

        A trace is counted where it begins, in the filter's range of time as in a list of traces.
        """
        condition = where(project_id, filter)
        parameters: dict[str, Parameter] = {"width": width, "project_id": project_id}
        name, parts = "histogram", {"spans": merged(self._engine, condition), "where": str(condition)}
        if counted == "traces":
            name, parts = "histogram_traces", self._of_traces(project_id, filter, condition)
        rows = self._engine.query(sql(name).substitute(parts), condition.parameters | parameters).to_pylist()
        return [Bucket(**row) for row in rows]

    def extent(self, project_id: str) -> tuple[int, int] | None:
        """Return when the first and the last span of a project begin; None if there is none."""
        rows = self._engine.query(sql("spans_extent").template, {"project_id": project_id}).to_pylist()
        return (rows[0]["first"], rows[0]["last"]) if rows else None

    def _newest(self, project_id: str, filter: Filter, rows: int) -> Filter | None:
        """Return the filter narrowed to so many of the newest rows; None if there are no more in its range."""
        condition = where(project_id, replace(filter, conditions=()))
        text = sql("spans_boundary").substitute(where=str(condition), direction="DESC")
        found = self._engine.query(text, condition.parameters | {"offset": rows}).to_pylist()
        return replace(filter, start=found[0]["boundary"]) if found else None

    def _of_traces(self, project_id: str, filter: Filter, condition: Where) -> dict[str, str]:
        """Return the parts of `queries/histogram_traces.sql`."""
        met = f"trace_id IN (SELECT trace_id FROM {merged(self._engine, condition)} WHERE {condition})"  # noqa: S608
        failed = Where([f"project_id = {condition.bind(project_id)}", "level = 'ERROR'"], start=filter.start)
        begin = ["true"]
        if filter.start is not None:
            begin.append(f"min(first_time) >= {condition.bind_time(filter.start)}")
            failed.add(f"time >= {condition.bind_time(filter.start)}")
        if filter.end is not None:
            begin.append(f"min(first_time) < {condition.bind_time(filter.end)}")
        return {
            "spans": merged(self._engine, failed),
            "met": met if filter.conditions else "true",
            "begin": " AND ".join(begin),
            "failed": str(failed),
        }

    def _count(self, project_id: str, filter: Filter) -> int:
        condition = where(project_id, filter)
        text = sql("spans_count").substitute(spans=merged(self._engine, condition), where=str(condition))
        count: int = self._engine.query(text, condition.parameters)["count"][0].as_py()
        return count

    def _all(
        self, project_id: str, filter: Filter, fields: list[str], counted: Counted, begin: int | None
    ) -> dict[str, list[tuple[str, int]]]:
        """Return the values of all fields. Of one that the filter asks for, those that could be asked for beside its own."""
        asked = [field for field in fields if filter.names([BY_NAME[field].asked])]
        found = self._values(project_id, filter, [field for field in fields if field not in asked], counted, begin)
        for field in asked:
            found |= self._values(project_id, filter.without(BY_NAME[field].asked), [field], counted, begin)
        return found

    def _values(
        self, project_id: str, filter: Filter, fields: list[str], counted: Counted, begin: int | None
    ) -> dict[str, list[tuple[str, int]]]:
        found: dict[str, list[tuple[str, int]]] = {}
        texts = [field for field in fields if field in TEXTS]
        if texts:
            columns = [TEXTS[field] for field in texts]
            parts = {
                # A row is of one set; there the grouping of its column is 0, and that of the others 1.
                "facet": f"multiIf({', '.join(f'NOT grouping({column}), {at}' for at, column in enumerate(columns))}, -1)",
                "value": f"coalesce({', '.join(f'toString({column})' for column in columns)})",
                "sets": ", ".join(f"({column})" for column in columns),
            }
            for row in self._ask("facets_texts", project_id, filter, counted, begin, parts):
                found.setdefault(texts[row["facet"]], []).append((row["value"], row["count"]))
        for field in fields:
            if field in LISTS:
                rows = self._ask("facets_list", project_id, filter, counted, begin, {"column": LISTS[field]})
                found[field] = [(row["value"], row["count"]) for row in rows]
        return found

    def _ask(
        self,
        name: str,
        project_id: str,
        filter: Filter,
        counted: Counted,
        begin: int | None,
        parts: dict[str, str],
    ) -> list[dict[str, Any]]:
        condition = where(project_id, filter)
        if begin is not None:
            # A list has no trace that began before its range of time.
            project, at = condition.bind(project_id), condition.bind_time(begin)
            condition.add(
                f"trace_id NOT IN (SELECT trace_id FROM traces WHERE project_id = {project} GROUP BY trace_id "  # noqa: S608
                f"HAVING min(first_time) < {at} AND max(last_time) >= {at})"
            )
        spans = merged(self._engine, condition)
        text = sql(name).substitute(parts, spans=spans, where=str(condition), count=_COUNTS[counted])
        return self._engine.query(text, condition.parameters | {"limit": MOST + 1}).to_pylist()
