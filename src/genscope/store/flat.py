"""Spans as a flat table, for spreadsheets and data frames: the columns, and Parquet of them. Structures are JSON text."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from genscope.model import Span
from genscope.store.rows import MONEY, TIME, to_json

Read = Callable[[Span], Any]


def _told(name: str) -> Read:
    return lambda span: getattr(span, name)


def _json(name: str) -> Read:
    return lambda span: to_json(value).decode() if (value := getattr(span, name)) else None


def _seconds(name: str) -> Read:
    def read(span: Span) -> float | None:
        end = getattr(span, name)
        return None if end is None or span.start_time is None else (end - span.start_time) / 1e9

    return read


def _tokens(kind: str) -> Read:
    return lambda span: (span.usage or {}).get(kind)


def _cost(kind: str) -> Read:
    return lambda span: (span.cost or {}).get(kind)


def _costs(span: Span) -> str | None:
    return to_json({kind: f"{amount:f}" for kind, amount in span.cost.items()}).decode() if span.cost else None


_TEXT: Final = pa.string()
#: The columns: the type of each, and what of a span it holds. Times are nanoseconds since the epoch, money is US dollars.
COLUMNS: Final[Mapping[str, tuple[pa.DataType, Read]]] = {
    **{name: (_TEXT, _told(name)) for name in ("trace_id", "span_id", "parent_span_id", "type", "name")},
    **{name: (TIME, _told(name)) for name in ("start_time", "end_time", "completion_start_time")},
    "latency": (pa.float64(), _seconds("end_time")),
    "time_to_first_token": (pa.float64(), _seconds("completion_start_time")),
    **{name: (_TEXT, _told(name)) for name in ("level", "status_message", "model", "provider")},
    "model_parameters": (_TEXT, _json("model_parameters")),
    "input": (_TEXT, _told("input")),
    "output": (_TEXT, _told("output")),
    "input_tokens": (pa.uint64(), _tokens("input")),
    "output_tokens": (pa.uint64(), _tokens("output")),
    "usage": (_TEXT, _json("usage")),
    "total_cost": (MONEY, _cost("total")),
    "cost": (_TEXT, _costs),
    **{name: (_TEXT, _told(name)) for name in ("cost_source", "cost_missing", "service_tier", "session_id", "user_id")},
    **{name: (_TEXT, _json(name)) for name in ("tags", "tools", "tool_calls", "metadata")},
    **{
        name: (_TEXT, _told(name))
        for name in ("trace_name", "environment", "release", "version", "prompt_name", "prompt_version")
    },
    **{name: (_TEXT, _json(name)) for name in ("trace_metadata", "attributes")},
    "resource": (_TEXT, lambda span: to_json(span.resource.attributes).decode() if span.resource.attributes else None),
    "scope": (_TEXT, lambda span: span.scope.name or None),
    "protocol": (_TEXT, _told("protocol")),
}
#: Columns whose values are moments.
MOMENTS: Final = frozenset(name for name, (type_, _) in COLUMNS.items() if type_ == TIME)


def row(span: Span) -> dict[str, str | int | float | Decimal | None]:
    """Return a span as a row, by column."""
    return {name: read(span) for name, (_, read) in COLUMNS.items()}


def parquet(batches: Iterable[list[Span]]) -> Iterator[bytes]:
    """Yield a Parquet file of these spans piece by piece: a group of rows for every batch."""
    schema = pa.schema([(name, type_) for name, (type_, _) in COLUMNS.items()])
    sink = _Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for spans in batches:
            if spans:
                columns = [pa.array([read(span) for span in spans], type_) for type_, read in COLUMNS.values()]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """A file that is only written, and whose content is taken away as it grows."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._written = 0

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._written += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._written

    def writable(self) -> bool:
        return True

    def taken(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data
