"""Every span that meets a filter, in the order of time, a batch at a time: what an export writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from genscope.model import Span
from genscope.query.filter import Filter
from genscope.store import previews
from genscope.store.engine import Engine
from genscope.store.errors import QueryTooLarge, StoreBusy
from genscope.store.rows import decode
from genscope.store.sql import sql
from genscope.store.where import Where, where

#: Rows that one batch is looked for in. Where they are too large for one query it is fewer.
ROWS: Final = 2000


class Export:
    """Reads all of one project's spans that meet a filter. Every step blocks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def batches(self, project_id: str, filter: Filter) -> Iterator[list[Span]]:
        """Yield whole spans, the earliest first, in batches that may be empty.

        What is there at the beginning comes once; what arrives meanwhile may come or not.

        Raises:
            QueryTooLarge: one span alone is more than a query may take.
            StoreBusy: others have taken the memory or the connections that even one span needs.
        """
        last = self._place(where(project_id, replace(filter, conditions=())), "DESC", 0)
        if last is None:
            return
        rest, size = replace(filter, end=last + 1), ROWS
        while rest.start is None or rest.start <= last:
            try:
                boundary = self._place(where(project_id, replace(rest, conditions=())), "ASC", size)
                if boundary is not None and rest.start is not None and boundary <= rest.start:
                    # More rows of one moment than a batch has.
                    boundary += 1
                spans = self._spans(project_id, rest if boundary is None else replace(rest, end=boundary))
            except (QueryTooLarge, StoreBusy):
                if size == 1:
                    raise
                size //= 2
                continue
            yield spans
            if boundary is None:
                return
            rest, size = replace(rest, start=boundary), min(size * 2, ROWS)

    def _place(self, condition: Where, direction: str, offset: int) -> int | None:
        text = sql("spans_boundary").substitute(where=str(condition), direction=direction)
        found = self._engine.query(text, condition.parameters | {"offset": offset})["boundary"].to_pylist()
        return found[0] if found else None

    def _spans(self, project_id: str, window: Filter) -> list[Span]:
        condition = where(project_id, window)
        columns = previews.columns(full=True, condition=condition, filter=Filter())
        text = sql("spans_export").substitute(columns=columns, where=str(condition))
        return decode(self._engine.query(text, condition.parameters))
