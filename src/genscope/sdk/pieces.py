"""The lines in which the Logger idiom tells of things, and scores travel: a JSON object each, to `POST /api/v1/pieces`.

A line is made in the caller's thread, and what was told in it cannot change any more. docs/ingest.md has the protocol.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import uuid4

from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

from genscope import __version__
from genscope.sdk import attributes, notices, values
from genscope.sdk.settings import Settings

#: A text as JSON, but for what is no ASCII as it is.
quoted: Final = json.encoder.encode_basestring
#: A mask is for what was said and for metadata; counts, costs and parameters are written as they are.
_UNMASKED: Final = Settings()
#: What ends a JSON text that was cut and is none any more.
_CUT: Final = " bytes]"
#: Nanoseconds since the epoch, in 1973. What is less was meant as seconds, milliseconds or microseconds.
_EARLIEST: Final = 10**17
_SCOPE: Final = f'{{"name":"genscope","version":"{__version__}"}}'


class Name(NamedTuple):
    """What a thing is called: `trace`, `session` or a type of span, and any text as its id."""

    kind: str
    id: str


class Piece:
    """What one line says, as JSON by its keys."""

    __slots__ = ("attributes", "settings", "told")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.told: dict[str, str] = {}
        self.attributes: dict[str, str] = {}

    def tell(self, fields: Mapping[str, Any]) -> None:
        """Add fields, by `FIELDS`; what has no field becomes metadata, and is told in the log once. Never raises."""
        unknown: dict[str, Any] = {}
        for key, value in fields.items():
            if value is None:
                continue
            writer = FIELDS.get(key)
            if writer is None:
                notices.once(("logger", key), "there is no field %s; it is kept as metadata", key)
                unknown[key] = value
                continue
            try:
                writer(self, value)
            except Exception as error:  # whatever the application's objects do
                notices.once(("logger", key, type(value)), "%s could not be recorded: %r", key, error)
        if unknown:
            self.tell({"metadata": unknown | dict(_entries(fields.get("metadata")))})

    def line(self, name: Name, moment: int, trace_id: str | None = None, parent: Name | None = None) -> bytes:
        """Return the line, about a thing that may be a part of another."""
        begin = f'{{"kind":"{name.kind}","id":{quoted(name.id)},"time":{moment}'
        if trace_id is not None:
            begin += f',"trace_id":{quoted(trace_id)}'
        if parent is not None:
            begin += f',"parent":{{"kind":"{parent.kind}","id":{quoted(parent.id)}}}'
        if self.attributes:
            self.told["attributes"] = _object(self.attributes)
        return "".join([begin, *[f',"{key}":{value}' for key, value in self.told.items()], "}"]).encode()


def score(
    settings: Settings,
    name: str,
    value: float | str,
    *,
    about: Name | None = None,
    trace_id: str | None = None,
    span_id: str | None = None,
    session_id: str | None = None,
    id: str | None = None,
    data_type: str | None = None,
    comment: str | None = None,
    config_id: str | None = None,
    metadata: Any = None,
    timestamp: datetime | int | None = None,
    source: str = "API",
) -> bytes:
    """Return the line of a score: about a thing by its name, or about a trace, a span in it or a session by their ids.

    Without an `id` the score of a thing is the only one of its name and source, and takes the place of the one before; one that is
    told by ids is another one.

    Raises:
        ValueError: the value is infinite, or no number at all.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no value of a score")
    piece = Piece(settings)
    names = {
        "trace_id": trace_id,
        "span_id": span_id,
        # A trace tells its session.
        "session_id": session_id if trace_id is None else None,
        "id": uuid4().hex if id is None and about is None else id,
        "data_type": data_type,
        "config_id": config_id,
        "environment": settings.environment or None,
    }
    told = {"kind": '"score"', "name": _text(name), "value": _embedded(value, settings), "source": quoted(source)}
    told |= {key: _text(text) for key, text in names.items() if text is not None}
    if comment is not None:
        told["comment"] = quoted(values.text(comment, settings))
    if about is not None:
        told["parent"] = f'{{"kind":"{about.kind}","id":{quoted(about.id)}}}'
    piece.tell({"metadata": metadata})
    told["time"] = str(moment() if timestamp is None else attributes.nanoseconds(timestamp))
    return _object(told | piece.told).encode()


_last = 0


def moment() -> int:
    """Return nanoseconds since the epoch, later than the last time, whatever the clock does: pieces count in their order."""
    global _last  # noqa: PLW0603 - no lock: a fork could inherit it held
    now = time.time_ns()
    _last = now = now if now > _last else _last + 1
    return now


def sampled(trace_id: str, settings: Settings) -> bool:
    """Whether a trace is recorded: told by its id, for OpenTelemetry's as OpenTelemetry's sampler does."""
    if settings.sample_rate >= 1:
        return True
    try:
        number = int(trace_id, 16) if len(trace_id) == 32 else None
    except ValueError:
        number = None
    if number is None:
        number = int.from_bytes(hashlib.sha256(trace_id.encode("utf-8", "replace")).digest()[:8])
    return bool(number & TraceIdRatioBased.TRACE_ID_LIMIT < TraceIdRatioBased.get_bound_for_rate(settings.sample_rate))


@lru_cache(maxsize=8)
def began(environment: str, release: str) -> Mapping[str, str]:
    """Return what the first piece of every trace, and everything in one, says."""
    told = {"environment": environment, "release": release}
    return {"scope": _SCOPE} | {key: _text(text) for key, text in told.items() if text}


def exception(error: BaseException, settings: Settings) -> str:
    """Return an exception as an event of OpenTelemetry's, as JSON."""
    told = {
        "exception.type": _text(f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")),
        "exception.message": quoted(values.text(str(error), settings)),
        "exception.stacktrace": quoted(values.text("".join(traceback.format_exception(error)), settings)),
    }
    return f'[{{"name":"exception","time":{time.time_ns()},"attributes":{_object(told)}}}]'


# --- how values are written ---------------------------------------------------------------------------------------------


def _object(entries: Mapping[str, str]) -> str:
    return "{" + ",".join([f"{quoted(key)}:{value}" for key, value in entries.items()]) + "}"


def _text(value: Any) -> str:
    return quoted(attributes.plain(value))


def _embedded(value: object, settings: Settings) -> str:
    """Return a value as JSON of its own type."""
    told = values.text(value, settings)
    if type(value) is str:
        return quoted(told)
    if settings.mask is None and not told.endswith(_CUT):
        return told
    try:
        json.loads(told)  # a mask may return anything, and what was cut is no JSON
    except ValueError:
        return quoted(told)
    return told


#: Puts a value that is not None into a piece.
Writer: TypeAlias = Callable[[Piece, Any], None]


def _name(key: str) -> Writer:
    def told(piece: Piece, value: Any) -> None:
        piece.told[key] = _text(value)

    return told


def _input(piece: Piece, value: Any) -> None:
    if piece.settings.capture_input:
        piece.told["input"] = _embedded(value, piece.settings)


def _output(piece: Piece, value: Any) -> None:
    if piece.settings.capture_output:
        piece.told["output"] = _embedded(value, piece.settings)


def _message(piece: Piece, value: Any) -> None:
    """A message that follows those that were told; one that was cut is told as what is left of it."""
    if piece.settings.capture_input:
        told = _embedded(value, piece.settings)
        if not told.startswith("{"):
            told = f'{{"role":"user","content":{told}}}'
        piece.told["messages"] = f"[{told}]"


def _status(piece: Piece, value: Any) -> None:
    piece.told["status_message"] = quoted(values.text(value, piece.settings))


def _time(key: str) -> Writer:
    def told(piece: Piece, value: Any) -> None:
        moment = attributes.nanoseconds(value) if isinstance(value, int | datetime) else 0
        if moment < _EARLIEST:
            raise ValueError(f"{value!r} is no time: tell a datetime, or nanoseconds since 1970 as an int")
        piece.told[key] = str(moment)

    return told


def _json(key: str) -> Writer:
    def told(piece: Piece, value: Any) -> None:
        text = values.text(dict(value), _UNMASKED)
        if not text.endswith(_CUT):
            piece.told[key] = text

    return told


def _metadata(piece: Piece, value: Any) -> None:
    told = {attributes.plain(key): _embedded(entry, piece.settings) for key, entry in _entries(value).items()}
    piece.told["metadata"] = _object(told)


def _entries(value: Any) -> Mapping[Any, Any]:
    """Return metadata as a mapping: what is none is an entry of that name."""
    if value is None or isinstance(value, Mapping):
        return value or {}
    return {"metadata": value}


def _tags(piece: Piece, value: Any) -> None:
    """Tags: texts, or names with a value each."""
    tags = [f"{key}:{tag}" for key, tag in value.items()] if isinstance(value, Mapping) else value
    piece.told["tags"] = "[" + ",".join(map(_text, [tags] if isinstance(tags, str) else tags)) + "]"


def _level(piece: Piece, value: Any) -> None:
    level = str(value).upper()
    if level in attributes.LEVELS:
        piece.told["level"] = quoted(level)
    else:
        notices.once(
            ("level", level), "there is no level %s; known are %s", level, ", ".join(sorted(attributes.LEVELS))
        )


def _model(piece: Piece, value: Any) -> None:
    """The model that was asked, which gives way to the one that answers, and stays an attribute."""
    piece.told["model"] = piece.attributes[attributes.MODEL] = _text(value)


def _attribute(name: str) -> Writer:
    def told(piece: Piece, value: Any) -> None:
        piece.attributes[name] = _text(value)

    return told


def _description(piece: Piece, value: Any) -> None:
    piece.attributes["gen_ai.tool.description"] = quoted(values.text(value, piece.settings))


def _finish_reason(piece: Piece, value: Any) -> None:
    piece.attributes[attributes.FINISH_REASONS] = f"[{_text(value)}]"


def _nothing(_piece: Piece, _value: Any) -> None:
    """It was told already: whose piece this is."""


_START, _END, _FIRST = _time("start_time"), _time("end_time"), _time("completion_start_time")
#: What each key of a config becomes; see `genscope.sdk.logger.configs`.
FIELDS: Final[Mapping[str, Writer]] = {
    **{
        key: _name(key)
        for key in ("name", "user_id", "session_id", "environment", "release", "version", "provider", "service_tier")
    },
    **dict.fromkeys(("id", "type", "span_id"), _nothing),
    **dict.fromkeys(("input", "messages", "args"), _input),
    **dict.fromkeys(("output", "docs"), _output),
    "message": _message,
    "tags": _tags,
    "metadata": _metadata,
    "start_timestamp": _START,
    "end_timestamp": _END,
    "completion_start_time": _FIRST,
    "level": _level,
    "status_message": _status,
    "model": _model,
    "answered_by": _name("model"),
    "answered_through": _name("provider"),
    "model_parameters": _json("model_parameters"),
    "usage": _json("usage"),
    "cost": _json("cost"),
    "prompt_name": _name("prompt_name"),
    "prompt_version": _name("prompt_version"),
    "maxim_prompt_id": _name("prompt_name"),
    "maxim_prompt_version_id": _name("prompt_version"),
    "description": _description,
    "error_type": _attribute("error.type"),
    "error_code": _attribute("error.code"),
    "response_id": _attribute(attributes.RESPONSE_ID),
    "finish_reason": _finish_reason,
}
