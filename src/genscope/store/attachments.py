"""Attachments as rows and back, and the questions about them: all that knows the table `attachments`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from operator import attrgetter
from typing import Any, Final

import pyarrow as pa

from genscope.model import TRACE, Attachment, Entity, Span
from genscope.query.filter import Filter
from genscope.store.engine import Engine
from genscope.store.rows import TEXT_MAP, from_json, to_json
from genscope.store.sql import sql
from genscope.store.where import where

#: Columns whose name and value are those of the field of `Attachment`.
PLAIN: Final = {
    "id": pa.string(),
    "time": pa.int64(),
    "name": pa.string(),
    "key": pa.string(),
    "url": pa.string(),
    "mime_type": pa.string(),
    "size": pa.uint64(),
    "place": pa.string(),
}
#: Spans that one query asks about.
SPANS_AT_ONCE: Final = 10_000


def encode(project_id: str, attachments: Sequence[Attachment]) -> pa.Table:
    """Return the rows of these attachments, columns named as in the table `attachments`; told twice they are one."""
    columns: dict[str, pa.Array[Any]] = {
        "project_id": pa.array([project_id] * len(attachments), pa.string()),
        "span_id": pa.array([one.entity.span_id for one in attachments], pa.string()),
        "repository": pa.array([one.entity.repository or "" for one in attachments], pa.string()),
        "trace_id": pa.array([_trace_id(one) for one in attachments], pa.string()),
    }
    for name, type_ in PLAIN.items():
        columns[name] = pa.array([getattr(one, name) for one in attachments], type_)
    maps = [[(key, to_json(value)) for key, value in one.metadata.items()] for one in attachments]
    columns["metadata"] = pa.array(maps, TEXT_MAP)
    return pa.table(columns)


def _trace_id(attachment: Attachment) -> str:
    entity = attachment.entity
    return entity.id if entity.kind == TRACE else attachment.trace_id or ""


class Attachments:
    """Reads what is attached. Every call blocks; call it from a worker thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_spans(self, project_id: str, spans: Sequence[Span]) -> dict[tuple[str, str], list[Attachment]]:
        """Return what belongs to these spans, by trace and span id, in the order in which it was attached.

        What belongs to the trace itself is found at its roots: a sender of OTLP has no span that stands for the trace.
        """
        found: dict[tuple[str, str], list[Attachment]] = {}
        for begin in range(0, len(spans), SPANS_AT_ONCE):
            some = spans[begin : begin + SPANS_AT_ONCE]
            condition = where(project_id, Filter())
            condition.add(f"span_id IN {condition.bind_list({id_ for span in some for id_ in _ids(span)})}")
            condition.add(f"trace_id IN {condition.bind_list({'', *(span.trace_id for span in some)})}")
            attached: dict[tuple[str, str, str], list[Attachment]] = {}
            rows = self._engine.query(sql("attachments").substitute(where=str(condition)), condition.parameters)
            for one in map(_attachment, rows.to_pylist()):
                attached.setdefault((one.trace_id or "", one.entity.id, one.entity.repository or ""), []).append(one)
            for span in some if attached else ():
                keys = product(("", span.trace_id), _ids(span), {"", span.repository or ""})
                mine = [one for key in keys for one in attached.get(key, ())]
                if mine:
                    found[span.trace_id, span.span_id] = sorted(mine, key=attrgetter("time", "id"))
        return found

    def of_key(self, project_id: str, key: str) -> Attachment | None:
        """Return an attachment whose bytes are the object of this key; None if there is none."""
        rows = self._engine.query(sql("attachment_of_key").template, {"project_id": project_id, "key": key}).to_pylist()
        return _attachment(rows[0]) if rows else None


def _ids(span: Span) -> list[str]:
    """Return the ids of the span and, if it is a root, of the span that would stand for its trace."""
    whole = Entity(TRACE, span.trace_id).span_id
    is_root = span.parent_span_id is None or span.is_root is True
    return [span.span_id, whole] if is_root and span.span_id != whole else [span.span_id]


def _attachment(row: dict[str, Any]) -> Attachment:
    return Attachment(
        # The kind is not kept; whoever reads wants to know which span it is.
        entity=Entity("span", row["span_id"], row["repository"] or None),
        trace_id=row["trace_id"] or None,
        metadata={key: from_json(value) for key, value in row["metadata"]},
        **{name: row[name] for name in PLAIN},
    )
