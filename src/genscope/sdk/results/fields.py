"""Answers as mappings and as JSON, whatever they are made of: dicts, pydantic models, protobuf messages, dataclasses, objects."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeAlias

Fields: TypeAlias = Mapping[str, Any]

#: Values in one message and levels of nesting beyond which it is cut off: no answer has so many, a cycle does.
_MOST_VALUES: Final = 200_000
_DEEPEST: Final = 100
_NOTHING: Final[Fields] = {}
_JSON: Final = frozenset({str, int, float, bool, type(None)})
#: Packages that wrap the messages of Google's; elsewhere `to_dict` may be anything, such as a table's.
_WRAPPING: Final = ("google", "vertexai")
#: Where mocks come from.
_MOCKS: Final = ("unittest.mock", "mock.mock")
#: What is a value and has no fields.
_SCALARS: Final = (
    str,
    bytes,
    bytearray,
    memoryview,
    int,
    float,
    complex,
    list,
    tuple,
    set,
    frozenset,
    type,
    type(None),
)


def fields(value: object) -> Fields:
    """Return the fields of an answer or of an object in it by name, without a copy if it can be; empty for what has none."""
    kind: Any = value.__class__  # not its type: instrumentations wrap what SDKs return
    return _fields_of(kind)(value)


def is_mock(value: object) -> bool:
    """Whether a value is of `unittest.mock`, which has every field that it is asked for."""
    return type(value).__module__ in _MOCKS


def items(value: object) -> Iterable[Any]:
    """Return a list's items; nothing for anything else."""
    return value if isinstance(value, list | tuple) else ()


def told(value: object) -> str | None:
    """Return a text that is not empty, and the value of an enumeration; None for anything else."""
    value = value.value if isinstance(value, Enum) else value
    return value if isinstance(value, str) and value else None


def plain(value: object) -> Any:
    """Return a value as JSON, without what is None: bytes are base64, what cannot be written is None."""
    return _Plain().read(value, 0)


@lru_cache(maxsize=512)
def _fields_of(kind: Any) -> Callable[[Any], Fields]:
    if issubclass(kind, _SCALARS):
        return lambda _: _NOTHING
    if issubclass(kind, Mapping):
        return lambda value: value
    if hasattr(kind, "__pydantic_fields__"):
        return _of_model
    if hasattr(type(kind), "to_dict"):  # proto-plus has it in the metaclass
        return lambda value: kind.to_dict(value, use_integers_for_enums=False)
    if kind.__module__.partition(".")[0] in _WRAPPING and callable(getattr(kind, "to_dict", None)):
        return lambda value: value.to_dict()
    return _of_object


def _of_model(value: Any) -> Fields:
    more = value.__pydantic_extra__
    return {**value.__dict__, **more} if more else value.__dict__


def _of_object(value: object) -> Fields:
    """Return attributes, but for private ones: those hold what made the answer, such as a client and its key."""
    slots = {name for kind in type(value).__mro__ for name in _names(kind.__dict__.get("__slots__", ()))}
    within = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    return {name: one for name, one in (within | getattr(value, "__dict__", {})).items() if not name.startswith("_")}


def _names(slots: object) -> Iterable[str]:
    found = (slots,) if isinstance(slots, str) else slots if isinstance(slots, Iterable) else ()
    return (name for name in found if isinstance(name, str) and not name.startswith("_"))


class _Plain:
    """Turns one value into JSON, of bounded size."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def read(self, value: object, depth: int) -> Any:
        self._left -= 1
        if type(value) in _JSON:
            return value
        if isinstance(value, Enum):
            return self.read(value.value, depth)
        if isinstance(value, str):
            return str(value)
        if isinstance(value, int | float):
            return value
        if isinstance(value, bytes | bytearray):
            return base64.b64encode(value).decode()
        if isinstance(value, date):
            return value.isoformat()
        if depth > _DEEPEST or self._left < 0:
            return None
        if isinstance(value, list | tuple):
            return [self.read(item, depth + 1) for item in value]
        dumped = _dumped(value)
        if dumped is not None:
            return dumped
        read = {str(name): self.read(item, depth + 1) for name, item in fields(value).items()}
        return {name: item for name, item in read.items() if item is not None}


def _dumped(value: object) -> Any:
    """Return a pydantic model as JSON, by its own means; None if it is none, or cannot do it."""
    dump = getattr(value, "model_dump", None) if hasattr(value.__class__, "__pydantic_fields__") else None
    if dump is None:
        return None
    try:
        return dump(mode="json", exclude_none=True, warnings=False)
    except Exception:  # a part that only a program understands, such as what it made of the answer itself
        return None
