"""Values of an application as text: masked, as JSON, and no longer than allowed. Any object, and no exception leaves."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from enum import Enum
from typing import Any, Final

from genscope.sdk import notices
from genscope.sdk.settings import Settings

#: What stands where a mask raised: the value may be what it was to hide.
HIDDEN: Final = "[genscope: hidden, the mask failed]"
#: How deep values are followed; of what lies deeper its `str` is told.
LEVELS: Final = 32
#: Bits of a number that is told as one.
LONGEST_INT: Final = 2048


def text(value: object, settings: Settings) -> str:
    """Return what a server stores of a value: a text as it is, anything else as JSON."""
    if settings.mask is not None:
        try:
            value = settings.mask(value)
        except Exception as error:  # a mask is the application's, and what it says may be what it was to hide
            notices.once(
                ("mask", type(error)), "the mask raised %s; what it could not mask is hidden", type(error).__name__
            )
            value = HIDDEN
    return capped(str.__str__(value) if isinstance(value, str) else _json(value), settings.max_value_bytes)


def capped(told: str, limit: int) -> str:
    """Return a text of at most `limit` bytes of UTF-8, beside the mark that says how long it was; no halves of pairs are left."""
    if told.isascii():
        if len(told) <= limit:
            return told
        size, kept = len(told), told[:limit]
    else:
        try:
            encoded = told.encode()
        except UnicodeEncodeError:  # halves of pairs, which JavaScript and broken streams leave
            told = told.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            encoded = told.encode()
        size = len(encoded)
        if size <= limit:
            return told
        kept = encoded[:limit].decode(errors="ignore")
    return f"{kept}…[genscope: truncated, {size} bytes]"


def _json(value: object) -> str:
    try:
        return _ENCODER.encode(value)
    except Exception:  # NaN, keys that are no text, circles, objects that raise when they are looked at
        return _ENCODER.encode(_plain(value, ()))


def _plain(value: object, within: tuple[int, ...]) -> Any:
    """Return a value of JSON's types that tells of any object; `within` are the ids of what it is in."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):  # Python writes no longer ones as decimals
        return value if value.bit_length() <= LONGEST_INT else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    try:
        if len(within) == LEVELS or id(value) in within:
            return _named(value)
        within = (*within, id(value))
        if isinstance(value, Mapping):
            return {str(key): _plain(entry, within) for key, entry in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [_plain(entry, within) for entry in value]
        return _plain(_known(value), within)
    except Exception:  # whatever an object does when it is looked at
        return _named(value)


def _known(value: Any) -> Any:
    """Return what an object holds, one step nearer to JSON's types."""
    for types, read in READ:
        if isinstance(value, types):
            return read(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {entry.name: getattr(value, entry.name) for entry in dataclasses.fields(value)}
    for method, arguments in METHODS:
        # Of its class, since a mock has any method that it is asked for, whose answer has any, and so on.
        if not isinstance(value, type) and hasattr(value.__class__, method):
            return getattr(value, method)(**arguments)
    return _named(value)


def _named(value: object) -> str:
    """Return what an object says of itself, else what it is."""
    kind = type(value)
    try:
        if isinstance(value, type):
            return value.__qualname__
        if kind.__str__ is not object.__str__:
            return str(value)
        if kind.__repr__ is not object.__repr__:
            return repr(value)
    except Exception:  # both are the application's
        return f"<{kind.__qualname__}>"
    return f"<{kind.__qualname__}>"


def _bytes(value: bytes | bytearray | memoryview) -> str:
    return base64.b64encode(value).decode()


#: How to look into objects of these types.
READ: Final[tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...]] = (
    (Enum, lambda value: value.value),
    ((date, time), lambda value: value.isoformat()),
    (timedelta, lambda value: value.total_seconds()),
    ((bytes, bytearray, memoryview), _bytes),
    (BaseException, lambda value: f"{type(value).__name__}: {value}"),
    (Mapping, dict),
    ((set, frozenset), list),
)
#: How objects of libraries tell what they hold: pydantic, attrs-like classes and older pydantic, numpy and torch.
METHODS: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("model_dump", {"mode": "json"}),
    ("to_dict", {}),
    ("tolist", {}),
)


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_known)
