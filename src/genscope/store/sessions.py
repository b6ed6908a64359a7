"""Sessions as columns and back, and every question about them: what senders told of them, and the traces in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from genscope.model import Session
from genscope.store.rows import NAMES, TEXT_MAP, TIME, to_json

#: Columns whose name and value are those of the field of `Session`.
PLAIN: Final[dict[str, pa.DataType]] = {
    "id": pa.string(),
    "name": pa.string(),
    "start_time": TIME,
    "end_time": TIME,
    "tags": NAMES,
    "repository": pa.string(),
}


def encode(project_id: str, sessions: Sequence[Session]) -> pa.Table:
    """Return the rows of these sessions, columns named as in the `sessions` table."""
    columns: dict[str, pa.Array[Any]] = {"project_id": pa.array([project_id] * len(sessions), pa.string())}
    for name, type_ in PLAIN.items():
        columns[name] = pa.array([getattr(session, name) for session in sessions], type_)
    metadata = [[(key, to_json(value)) for key, value in session.metadata.items()] for session in sessions]
    columns["metadata"] = pa.array(metadata, TEXT_MAP)
    return pa.table(columns)
