"""Rows as a table of Arrow.

A map of figures becomes a column for each kind, such as `usage.input` and `cost.total`; any other structure becomes JSON text.
Money stays decimal, moments stay moments, and what is not known is null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, get_args

import pyarrow as pa

from genscope.sdk.rows import hints, known, maps

#: Columns by the type of their field. Money is as the store has it.
TYPES: Final[dict[Any, pa.DataType]] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", "UTC"),
    Decimal: pa.decimal128(38, 12),
    list[str]: pa.list_(pa.string()),
    list[int]: pa.list_(pa.int64()),
}


def arrow(rows: Sequence[Any], kind: type[Any]) -> pa.Table:
    """Return rows of one kind as a table; the rows of SQL have the types that their values have."""
    if not is_dataclass(kind):
        return pa.Table.from_pylist(list(rows))
    return pa.table(dict(_columns(rows, kind)))


def _columns(rows: Sequence[Any], kind: type[Any]) -> Iterator[tuple[str, pa.Array[Any]]]:
    spread = maps(kind)
    for name, hint in hints(kind).items():
        values = [getattr(row, name) for row in rows]
        if name in spread:
            type_ = TYPES.get(known(get_args(hint)[1]))
            for key in dict.fromkeys((*spread[name].always, *(key for value in values for key in value or ()))):
                column = key if spread[name].bare else f"{name}.{key}"
                yield column, pa.array([(value or {}).get(key) for value in values], type_)
        elif hint in TYPES:
            yield name, pa.array(values, TYPES[hint])
        else:
            yield name, pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    """Return a structure as JSON; a text stays as it is, and what is empty is nothing."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=_plain) if value not in ([], {}) else None


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)
