"""What is taken out of the store for good: traces with all that belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, TypeAlias

from genscope.store.engine import Engine, Parameter
from genscope.store.sql import sql

#: What a trace consists of, by table. What tells of it at all goes last, so that a deletion that was cut off can be repeated.
TABLES: Final = ("scores", "attachments", "entities", "spans", "traces")

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
