"""Spans as columns and back: the only translators between `Span` and a row of the `spans` table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import msgspec
import pyarrow as pa

from genscope.model import Attributes, Cost, Event, Json, Link, Rejected, Resource, Scope, Span

to_json: Final = msgspec.json.Encoder().encode
from_json: Final = msgspec.json.decode

TIME: Final = pa.timestamp("ns", "UTC")
TEXT_MAP: Final = pa.map_(pa.string(), pa.string())
USAGE_MAP: Final = pa.map_(pa.string(), pa.uint64())
MONEY: Final = pa.decimal128(38, 12)
NAMES: Final = pa.list_(pa.string())

#: Columns whose name and value are those of the field of `Span`.
PLAIN: Final[dict[str, pa.DataType]] = {
    "time": TIME,
    "trace_id": pa.string(),
    "span_id": pa.string(),
    "parent_span_id": pa.string(),
    "type": pa.string(),
    "name": pa.string(),
    "start_time": TIME,
    "end_time": TIME,
    "completion_start_time": TIME,
    "level": pa.string(),
    "status_message": pa.string(),
    "model": pa.string(),
    "provider": pa.string(),
    "input": pa.string(),
    "output": pa.string(),
    "cost_source": pa.string(),
    "cost_missing": pa.string(),
    "service_tier": pa.string(),
    "server_address": pa.string(),
    "type_rule": pa.string(),
    "model_rule": pa.string(),
    "usage_rule": pa.string(),
    "cost_rule": pa.string(),
    "tools": NAMES,
    "tool_calls": NAMES,
    "session_id": pa.string(),
    "user_id": pa.string(),
    "tags": NAMES,
    "environment": pa.string(),
    "release": pa.string(),
    "version": pa.string(),
    "trace_name": pa.string(),
    "trace_input": pa.string(),
    "trace_output": pa.string(),
    "trace_public": pa.bool_(),
    "is_root": pa.bool_(),
    "prompt_name": pa.string(),
    "prompt_version": pa.string(),
    "kind": pa.string(),
    "trace_state": pa.string(),
    "protocol": pa.string(),
    "repository": pa.string(),
}
#: Maps whose values are JSON text, so that "123" and 123 stay apart.
JSON_MAPS: Final = ("metadata", "trace_metadata", "attributes")

#: Every column of the table that a row of it is read from, in the order of the schema's reading.
COLUMNS: Final = (
    *PLAIN,
    "usage",
    "cost",
    *JSON_MAPS,
    "model_parameters",
    "events",
    "links",
    "resource",
    "scope_name",
    "scope_version",
    "scope_attributes",
    "input_parts",
)
#: What stands before the JSON text of an entry whose order counts, which no JSON text begins with, and the digits of an order.
_DATED: Final = "\x01"
_DIGITS: Final = 16
_LAST: Final = 2**64 - 1


def encode(project_id: str, spans: Sequence[Span]) -> pa.Table:
    """Return the rows of these spans, columns named as in the `spans` table.

    Cost per span is what counts here: one pass per column, no dict per row.
    """
    columns: dict[str, pa.Array[Any]] = {"project_id": pa.array([project_id] * len(spans), pa.string())}
    for name, type_ in PLAIN.items():
        columns[name] = pa.array([getattr(span, name) for span in spans], type_)
    columns["usage"] = map_array([span.usage or {} for span in spans], USAGE_MAP)
    columns["cost"] = encode_costs([span.cost or {} for span in spans])
    dated = any(span.orders for span in spans)
    for name in JSON_MAPS:
        if dated:
            columns[name] = map_array([_dated(span, name) for span in spans], TEXT_MAP)
        else:
            columns[name] = map_array([getattr(span, name) for span in spans], TEXT_MAP, to_json)
    columns["input_parts"] = map_array([_parts(span) for span in spans], TEXT_MAP)
    columns["model_parameters"] = _texts(span.model_parameters for span in spans)
    columns["events"] = _texts([_event(event) for event in span.events] for span in spans)
    columns["links"] = _texts([_link(link) for link in span.links] for span in spans)
    # A resource and a scope are shared by the spans of a request: encode each once.
    columns["resource"] = _shared(span.resource.attributes for span in spans)
    columns["scope_name"] = pa.array([span.scope.name or None for span in spans], pa.string())
    columns["scope_version"] = pa.array([span.scope.version or None for span in spans], pa.string())
    columns["scope_attributes"] = _shared(span.scope.attributes for span in spans)
    return pa.table(columns)


def encode_costs(costs: Sequence[Cost]) -> pa.Array[Any]:
    """Return the `cost` column of these costs, empty where it is not known: kinds and amounts, the total first."""
    offsets, kinds, amounts = [0], list[str](), list[Decimal]()
    for cost in costs:
        for kind in sorted(cost, key=lambda kind: (kind != "total", kind)):
            kinds.append(kind)
            amounts.append(cost[kind])
        offsets.append(len(kinds))
    items = pa.StructArray.from_arrays(
        [pa.array(kinds, pa.string()), pa.array(amounts, MONEY)], names=["kind", "amount"]
    )
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)


def encode_rejected(project_id: str, protocol: str, time: int, rejected: Sequence[Rejected]) -> pa.Table:
    """Return the rows of the `rejected` table for what a request at `time` (nanoseconds) could not have stored."""
    texts = ("trace_id", "span_id", "name", "reason", "payload")
    columns = {
        "project_id": pa.array([project_id] * len(rejected), pa.string()),
        "time": pa.array([time // 1000] * len(rejected), pa.timestamp("us", "UTC")),
        "protocol": pa.array([protocol] * len(rejected), pa.string()),
        **{name: pa.array([getattr(entry, name) for entry in rejected], pa.string()) for name in texts},
    }
    return pa.table(columns)


def map_array(
    dicts: Sequence[Mapping[str, Any]], type_: Any, encode: Callable[[Any], Any] | None = None
) -> pa.Array[Any]:
    """Return a column of maps; `encode` makes of a value what is stored."""
    offsets: list[int] = [0]
    keys: list[str] = []
    values: list[Any] = []
    for entries in dicts:
        if entries:
            keys.extend(entries)
            values.extend(entries.values())
        offsets.append(len(keys))
    items = [encode(value) for value in values] if encode else values
    return pa.MapArray.from_arrays(  # type: ignore[call-overload, no-any-return]  # the stubs know 64-bit offsets only
        pa.array(offsets, pa.int32()), pa.array(keys, type_.key_type), pa.array(items, type_.item_type)
    )


def _dated(span: Span, name: str) -> dict[str, str]:
    """Return the entries of a map as they merge in pieces: of two the one of the higher order is the larger text."""
    entries: Attributes = getattr(span, name)
    orders = span.orders
    return {
        key: (f"{_DATED}{orders[order]:0{_DIGITS}x}" if (order := f"{name}.{key}") in orders else "")
        + to_json(value).decode()
        for key, value in entries.items()
    }


def entry(text: str) -> Json:
    """Return the value of an entry of a map of JSON texts."""
    value: Json = from_json(text[1 + _DIGITS :] if text.startswith(_DATED) else text)
    return value


def _parts(span: Span) -> dict[str, str]:
    """Return parts of an input so that of two tellings of one part the first is the larger text."""
    return {key: f"{_LAST - order:0{_DIGITS}x}{text}" for key, (order, text) in span.input_parts.items()}


def _with_parts(input_: str | None, parts: dict[str, str]) -> str:
    """Return an input with the messages that were appended to it."""
    messages: list[Json] = []
    if input_ is not None:
        try:
            first = from_json(input_)
        except msgspec.DecodeError:
            first = input_
        messages += first if isinstance(first, list) else [first]
    # Their orders count down.
    for part in sorted(parts.values(), key=lambda part: part[:_DIGITS], reverse=True):
        messages += from_json(part[_DIGITS:])
    return to_json(messages).decode()


def _texts(values: Iterable[Any]) -> pa.Array[Any]:
    return pa.array([to_json(value) if value else None for value in values], pa.string())


def _shared(values: Iterable[Attributes]) -> pa.Array[Any]:
    """Return a dictionary column: what many spans share is written and sent once, however long it is."""
    places: dict[bytes, int] = {}
    known: dict[int, int] = {}
    indices: list[int | None] = []
    for value in values:
        if value and id(value) not in known:
            # Equal texts share a place: the engine refuses a dictionary that names one value twice.
            known[id(value)] = places.setdefault(to_json(value), len(places))
        indices.append(known[id(value)] if value else None)
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), pa.array(list(places), pa.string()))


def _event(event: Event) -> dict[str, Json]:
    return {"name": event.name, "time": event.time, "attributes": event.attributes}


def _link(link: Link) -> dict[str, Json]:
    return {"trace_id": link.trace_id, "span_id": link.span_id, "attributes": link.attributes}


def decode(rows: pa.Table) -> list[Span]:
    """Return the spans of rows that have (at least) the columns of `COLUMNS`; the inverse of `encode`."""
    columns = {name: values(rows[name]) for name in COLUMNS}
    return [_span({name: column[index] for name, column in columns.items()}) for index in range(rows.num_rows)]


def values(column: pa.ChunkedArray[Any]) -> list[Any]:
    """Return the values of a column: times as nanoseconds, maps and lists of pairs (`cost`) as dicts.

    One at a time, as Arrow makes them, the values of nested columns take ten times as long.
    """
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64()).to_pylist()
    if not (
        pa.types.is_map(column.type) or (pa.types.is_list(column.type) and pa.types.is_struct(column.type.value_type))
    ):
        return column.to_pylist()
    array: Any = column.combine_chunks()
    pairs = (array.keys, array.items) if pa.types.is_map(column.type) else array.values.flatten()
    items = list(zip(*(part.to_pylist() for part in pairs), strict=True))
    return [dict(items[begin:end]) for begin, end in pairwise(array.offsets.to_pylist())]


def _span(row: dict[str, Any]) -> Span:
    for name in JSON_MAPS:
        row[name] = {key: entry(value) for key, value in row[name].items()}
    if parts := row.pop("input_parts"):
        row["input"] = _with_parts(row["input"], parts)
    row["usage"] = row["usage"] or None
    row["cost"] = row["cost"] or None
    for name in ("tags", "tools", "tool_calls"):
        row[name] = sorted(row[name])
    row["model_parameters"] = from_json(row["model_parameters"]) if row["model_parameters"] else None
    row["events"] = [Event(**event) for event in from_json(row["events"] or "[]")]
    row["links"] = [Link(**link) for link in from_json(row["links"] or "[]")]
    row["resource"] = Resource(from_json(row["resource"] or "{}"))
    row["scope"] = Scope(
        row.pop("scope_name") or "", row.pop("scope_version") or "", from_json(row.pop("scope_attributes") or "{}")
    )
    return Span(**row)
