"""Values in the data of a line, in the spellings of all four SDKs. What raises does so by MalformedError."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from genscope.conventions import gen_ai
from genscope.conventions.decode import dumped, parsed
from genscope.model import Attributes, Json, RawSpan, Resource, Scope
from genscope.receive.otlp_span import MAX_TIME, MalformedError

#: For decoders of attributes, which want a span to look at; those that are used here do not.
NO_SPAN: Final = RawSpan("", "", None, "", None, None, {}, Resource(), Scope())
#: Where data tell when something happened.
TIMES: Final = ("startTimestamp", "endTimestamp", "timestamp")
#: What the SDK for Python says of most providers.
_UNKNOWN: Final = "unknown"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_FRACTION: Final = re.compile(r"\.(\d{1,9})\d*", re.ASCII)
_LONGEST_TIME: Final = 64


def time(value: Json) -> int:
    """Nanoseconds since the epoch of an ISO 8601 time, which without a zone is UTC, or of milliseconds."""
    moment = _instant(value) if isinstance(value, str) else _milliseconds(value)
    if moment is None or not 0 < moment <= MAX_TIME:
        raise MalformedError(f"{str(value)[:_LONGEST_TIME]!r} is no time between 1970 and 2262")
    return moment


def moment_in(data: Json) -> int | None:
    """When that happened which data tell of; None if they do not say, or nothing that is a time."""
    if isinstance(data, dict):
        for name in TIMES:
            if data.get(name) is not None:
                try:
                    return time(data[name])
                except MalformedError:
                    return None
    return None


def _milliseconds(value: Json) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > MAX_TIME:
        return None
    return round(value * 1000) * 1000


@lru_cache(maxsize=4096)
def _instant(text: str) -> int | None:
    if len(text) > _LONGEST_TIME:
        return None
    fraction = _FRACTION.search(text)
    try:
        moment = datetime.fromisoformat(_FRACTION.sub("", text, count=1).strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - _EPOCH) // _SECOND
    except (ValueError, OverflowError):
        return None
    return seconds * 10**9 + (int(fraction[1].ljust(9, "0")) if fraction else 0)


def text(value: Json) -> str | None:
    """A name, of which a number is one as well; None for an empty one."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return dumped(value)
    raise MalformedError(f"{_shown(value)} stands where a text was expected")


def content(value: Json) -> str | None:
    """What was sent or answered: a text as it is, also in `{"type": "text", "value": ...}`; a structure as JSON text."""
    if isinstance(value, dict) and value.keys() == {"type", "value"} and value["type"] == "text":
        value = value["value"]
    if isinstance(value, str):
        return value or None
    return None if value is None or value in ([], {}) else dumped(value)


def mapping(value: Json) -> Attributes:
    """An object without the entries that are null, which Java sends."""
    if isinstance(value, dict):
        return {key: entry for key, entry in value.items() if entry is not None}
    raise MalformedError(f"{_shown(value)} stands where an object was expected")


def tags(value: Json) -> list[str]:
    """Tags, which have a name and a value here, as `name:value`."""
    told = {key: tag if isinstance(tag, str) else dumped(tag) for key, tag in mapping(value).items()}
    return [f"{key}:{tag}" for key, tag in told.items()]


def typed(value: Json) -> Json:
    """A value that an SDK may have written as JSON, with the type that it had; a text that is no JSON stays one.

    So does a number that would not be written the same again, because it is more likely a name.
    """
    if not isinstance(value, str):
        return value
    decoded = parsed(value)
    if decoded is None or (isinstance(decoded, int | float) and dumped(decoded) != value):
        return value
    return decoded


def metadata(value: Json) -> Attributes:
    """Metadata, most of which came as JSON texts."""
    return {key: typed(entry) for key, entry in mapping(value).items()}


def parameters(value: Json) -> Attributes | None:
    """Parameters of a model. The SDK for Python writes all values as JSON texts; a temperature of 1.0 is 1."""
    told = {key: typed(entry) for key, entry in mapping(value).items()}
    return {
        key: int(entry) if isinstance(entry, float) and entry.is_integer() and abs(entry) < 2**53 else entry
        for key, entry in told.items()
    } or None


def messages(value: Json) -> list[Json]:
    """Messages, or a single one."""
    told: Json = [value] if isinstance(value, dict) else value
    if isinstance(told, list) and all(isinstance(message, dict) for message in told):
        return told
    raise MalformedError(f"{_shown(value)} stands where messages were expected")


def provider(value: Json) -> str | None:
    """Who sells the model, by the name that OpenTelemetry has for it."""
    name = gen_ai.provider(text(value), NO_SPAN)
    return None if name == _UNKNOWN else name


def metrics(value: Json) -> dict[str, bool | int | float | str]:
    """Numbers by their names; the SDK for Python tells those of tool calls and retrievals as one `name` and its `value`."""
    told = mapping(value)
    if told.keys() == {"name", "value"} and isinstance(told["name"], str):
        told = {told["name"]: told["value"]}
    return {name: _number(entry) for name, entry in told.items()}


def _number(value: Json) -> bool | int | float | str:
    if isinstance(value, bool | int | float | str):
        return value
    raise MalformedError(f"{_shown(value)} stands where a number was expected")


def _shown(value: Any) -> str:
    return (dumped(value) or "")[:80]
