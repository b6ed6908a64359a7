"""What is taken out of the store for good: traces with all that belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final, TypeAlias

from genscope.query.filter import Filter, FilterError
from genscope.store.costs import Stopped
from genscope.store.engine import Engine, Parameter
from genscope.store.sql import sql
from genscope.store.where import where

#: What a trace consists of, by table. What tells of it at all goes last, so that a deletion that was cut off can be repeated.
TABLES: Final = ("scores", "attachments", "entities", "spans", "traces")

#: Traces that one wish may delete, and how many of them are deleted at a time.
MOST: Final = 100_000
AT_ONCE: Final = 1_000

#: Forgets what is remembered of traces: (project, ids).
Forget: TypeAlias = Callable[[str, Sequence[str]], None]
#: Begins to delete objects of a project, and gives what deletes them by their keys.
Deletion: TypeAlias = Callable[[str], AbstractContextManager[Callable[[Sequence[str]], None]]]


class Deletes:
    """Deletes within one project. Every call blocks until nothing of what it deleted is found any more."""

    def __init__(self, engine: Engine, deletion: Deletion, forget_traces: Forget) -> None:
        """Make ready."""
        self._engine = engine
        self._deletion = deletion
        self._forget_traces = forget_traces
        self._stopping = False

    def stop(self) -> None:
        """Make whatever deletes many traces end soon with `Stopped`."""
        self._stopping = True

    def matching(self, project_id: str, filter: Filter, *, begun: bool) -> list[str]:
        """Return the sorted ids of the traces that have a span in a range of time which meets a filter.

        If `begun`, only of those that begin in that range, as the list of traces has them.

        Raises:
            FilterError: they are more than `MOST`.
        """
        condition = where(project_id, filter)
        begin = f"min(first_time) >= {condition.bind_time(filter.start)}" if begun and filter.start is not None else "1"
        name = "traces_to_delete" if begun else "traces_of_spans"
        parameters: dict[str, Parameter] = {"project_id": project_id, "limit": MOST + 1}
        text = sql(name).safe_substitute(where=str(condition), begin=begin)
        found = [
            str(id_) for id_ in self._engine.query(text, condition.parameters | parameters)["trace_id"].to_pylist()
        ]
        if len(found) > MOST:
            raise FilterError(f"more than {MOST:,} traces meet this filter: narrow its time range, and delete in steps")
        return found

    def many(self, project_id: str, trace_ids: Sequence[str]) -> Iterator[int]:
        """Delete traces some at a time, and yield how many of them are gone. Whoever stops asking ends it.

        Raises:
            Stopped: the server is being stopped.
        """
        for begin in range(0, len(trace_ids), AT_ONCE):
            if self._stopping:
                raise Stopped
            some = trace_ids[begin : begin + AT_ONCE]
            self.traces(project_id, some)
            yield begin + len(some)

    def traces(self, project_id: str, trace_ids: Sequence[str]) -> None:
        """Delete traces: their spans, what was said of them, and their files. Unknown ones are no error."""
        parameters: dict[str, Parameter] = {"project_id": project_id, "trace_ids": list(trace_ids)}
        where = "project_id = {project_id:String} AND trace_id IN {trace_ids:Array(String)}"
        spans = self._engine.query(
            f"SELECT DISTINCT concat(ifNull(repository, ''), '/', span_id) AS id FROM spans WHERE {where}",  # noqa: S608
            parameters,
        )
        attached = parameters | {"ids": [str(id_) for id_ in spans["id"].to_pylist()]}
        with self._deletion(project_id) as delete:
            files = self._engine.query(sql("files_of_traces").template, attached)
            # First, because the rows are what the files are found by when this is done again.
            delete([str(key) for key in files["key"].to_pylist()])
        # What was attached to a span before its trace was known names no trace.
        self._engine.command(
            "DELETE FROM attachments WHERE project_id = {project_id:String} AND trace_id = '' "
            "AND concat(repository, '/', span_id) IN {ids:Array(String)}",
            attached,
        )
        for table in TABLES:
            self._engine.command(f"DELETE FROM {table} WHERE {where}", parameters)  # noqa: S608
        self._forget_traces(project_id, trace_ids)
