"""Decoders that every dialect shares: from an attribute's value to a field's value.

Each takes `(value, span)` and answers None for a value that says nothing; none of them raises.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from genscope.conventions.table import Decoder
from genscope.model import Attributes, Json, RawSpan

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: Brackets in a JSON text below which it cannot be nested too deeply to be written again (orjson writes 254 levels).
_SHALLOW = 200
#: Letters in the name of a service tier.
_LONGEST_TIER = 64
#: Names of service tiers that say something else, or nothing.
_TIERS = {
    "auto": "",
    "unspecified": "",
    "on_demand": "standard",
    "on_demand_flex": "flex",
    "on_demand_priority": "priority",
    "traffic_type_unspecified": "",
}


def parsed(text: str) -> Json:
    """The JSON value in `text`, None if it is none or is nested so deeply that it could not be written again."""
    try:
        value: Json = orjson.loads(text)
        if len(text) > _SHALLOW and text.count("[") + text.count("{") > _SHALLOW:
            orjson.dumps(value)
    except (ValueError, TypeError):
        return None
    return value


def dumped(value: Json) -> str | None:
    """`value` as JSON text, None if it cannot be written."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        pass
    try:  # integers beyond 64 bits, lone surrogates, 254 levels and more
        return json.dumps(value, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return None


def text(value: Json, _span: RawSpan) -> str | None:
    """A name or an id: a string that is not empty; a number as its text."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return dumped(value)
    return None


def content(value: Json, _span: RawSpan) -> str | None:
    """What was sent or answered: a string exactly as it is, a structure as JSON text."""
    if isinstance(value, str):
        return value or None
    return None if value is None or value in ([], {}) else dumped(value)


def flag(value: Json, _span: RawSpan) -> bool | None:
    """A boolean, also as `true` or `false`; nothing else is taken for one."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def set_flag(value: Json, span: RawSpan) -> bool | None:
    """True, or nothing."""
    return flag(value, span) or None


def tags(value: Json, _span: RawSpan) -> list[str] | None:
    """Tags as an array, the JSON text of an array, a comma-separated list or a single one; each once, in order."""
    if isinstance(value, str):
        value = (parsed(value) if value.lstrip().startswith("[") else None) or [
            part.strip() for part in value.split(",")
        ]
    if not isinstance(value, list):
        value = [value]
    names = (tag if isinstance(tag, str) else dumped(tag) for tag in value if tag is not None)
    return list(dict.fromkeys(name for name in names if name)) or None


def mapping(value: Json, _span: RawSpan) -> Attributes | None:
    """An object, or the JSON text of one."""
    if isinstance(value, str):
        value = parsed(value)
    return value if isinstance(value, dict) and value else None


def iso_time(value: Json, _span: RawSpan) -> int | None:
    """Nanoseconds since the epoch of an ISO 8601 time, which may stand in JSON quotes. Without a zone it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip().strip('"'))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        nanoseconds = (moment - _EPOCH) // _MICROSECOND * 1000
    except (ValueError, OverflowError):
        return None
    return nanoseconds if 0 <= nanoseconds < 2**63 else None


def seconds_after_start(value: Json, span: RawSpan) -> int | None:
    """The moment (nanoseconds since the epoch) that lies so many seconds after the start of the span."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**6:
        return None
    return None if span.start_time is None else span.start_time + round(value * 10**9)


def milliseconds_after_start(value: Json, span: RawSpan) -> int | None:
    """As `seconds_after_start`, in milliseconds."""
    return seconds_after_start(value / 1000, span) if isinstance(value, float) or type(value) is int else None


def tier(value: Json, _span: RawSpan) -> str | None:
    """A service tier in lower case; `auto` asks for one and says none. Vertex's traffic types are tiers, too."""
    if not isinstance(value, str) or len(value) > _LONGEST_TIER:
        return None
    name = value.strip().strip('"').lower().removeprefix("service_tier_")
    return _TIERS.get(name, name) or None


def tier_in(*paths: str) -> Decoder:
    """A decoder of an object (or its JSON text) that tells a service tier at one of `paths`: keys joined by dots.

    Anthropic tells a fast call by its `speed`, whose other value is no tier.
    """
    keys = [path.split(".") for path in paths]
    names = {path[-1] for path in keys}

    def decode(value: Json, span: RawSpan) -> str | None:
        if isinstance(value, str) and not any(name in value for name in names):
            return None  # parsing is what costs
        whole = mapping(value, span)
        for path in keys if whole else ():
            found: Json = whole
            for key in path:
                found = found.get(key) if isinstance(found, dict) else None
            told = tier(found, span)
            if told and (path[-1] != "speed" or told == "fast"):
                return told
        return None

    return decode


def one_of(meanings: Mapping[str, Any]) -> Decoder:
    """A decoder of one word, in any case, by a table of meanings with keys in lower case."""

    def decode(value: Json, _span: RawSpan) -> Any:
        return meanings.get(value.strip().lower()) if isinstance(value, str) else None

    return decode


def present(meaning: Any) -> Decoder:
    """A decoder that means `meaning` by any value but an empty one."""

    def decode(value: Json, _span: RawSpan) -> Any:
        return None if value is None or value in ("", [], {}) else meaning

    return decode
