"""Attachments as rows and back: the only translator between `Attachment` and the table `attachments`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from genscope.model import TRACE, Attachment
from genscope.store.rows import TEXT_MAP, to_json

#: Columns whose name and value are those of the field of `Attachment`.
PLAIN = {
    "id": pa.string(),
    "time": pa.int64(),
    "name": pa.string(),
    "key": pa.string(),
    "url": pa.string(),
    "mime_type": pa.string(),
    "size": pa.uint64(),
    "place": pa.string(),
}


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
