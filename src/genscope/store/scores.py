"""Scores as columns and back, and every question about them: the only place that knows the table `scores`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from genscope.model import Score
from genscope.store.rows import TEXT_MAP, TIME, to_json

#: Columns whose name and value are those of the field of `Score`.
PLAIN: Final[dict[str, pa.DataType]] = {
    "id": pa.string(),
    "name": pa.string(),
    "time": TIME,
    "data_type": pa.string(),
    "value": pa.float64(),
    "string_value": pa.string(),
    "comment": pa.string(),
    "trace_id": pa.string(),
    "span_id": pa.string(),
    "session_id": pa.string(),
    "source": pa.string(),
    "environment": pa.string(),
    "config_id": pa.string(),
    "protocol": pa.string(),
    "repository": pa.string(),
    "removed": pa.bool_(),
    "revision": pa.uint64(),
}


def encode(project_id: str, scores: Sequence[Score]) -> pa.Table:
    """Return the rows of these scores, columns named as in the `scores` table."""
    columns: dict[str, pa.Array[Any]] = {"project_id": pa.array([project_id] * len(scores), pa.string())}
    for name, type_ in PLAIN.items():
        columns[name] = pa.array([getattr(score, name) for score in scores], type_)
    metadata = [[(key, to_json(value)) for key, value in score.metadata.items()] for score in scores]
    columns["metadata"] = pa.array(metadata, TEXT_MAP)
    return pa.table(columns)
