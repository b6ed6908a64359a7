"""Genscope's own protocol for things that are told of bit by bit: a piece a line, each a JSON object. See docs/ingest.md.

A line names a thing by its kind and id and says what is known of it by now, in the words of the native API. Lines may come late,
doubled, in any order and in any number of requests.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

from genscope.conventions import decode as decoders
from genscope.conventions import environment_name, whole_numbers
from genscope.conventions.langfuse import LEVELS
from genscope.conventions.tools import called, offered
from genscope.model import (
    SPAN_TYPES,
    TRACE,
    Attributes,
    Cost,
    Entity,
    Event,
    Json,
    Patch,
    Pieces,
    Rejected,
    Scope,
    Score,
    Session,
    Span,
    Usage,
    patch_order,
    piece,
)
from genscope.pricing import cost, usage
from genscope.receive import json_body
from genscope.receive.errors import BadRequest, TooLarge
from genscope.receive.langfuse.scores import score as decode_score
from genscope.receive.maxim import values
from genscope.receive.maxim.line import LONGEST_ID, checked_id
from genscope.receive.otlp_span import MAX_TIME, MalformedError, bound_values, reject

PROTOCOL: Final = "pieces"
SESSION: Final = "session"
SCORE: Final = "score"
#: Everything that a line may be about.
KINDS: Final = (TRACE, *SPAN_TYPES, SESSION, SCORE)

Object: TypeAlias = dict[str, Any]


class Refused(NamedTuple):
    """A line that could not be taken: its number, from 1, and why."""

    line: int
    reason: str


@dataclass(slots=True)
class Lines(Pieces):
    """What the lines of a request told."""

    taken: int = 0
    refused: list[Refused] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class Line:
    """One line, and what all lines have. Times are nanoseconds since the epoch."""

    kind: str
    sent: Object
    #: The sender's clock, or when it came.
    time: int
    order: int
    #: Whether the sender told the time.
    dated: bool

    @property
    def id(self) -> str:
        """What the thing is called. Raises MalformedError without it."""
        return checked_id(self.sent.get("id"))

    def text(self, key: str) -> str | None:
        """An id under `key`, if there is one. Raises MalformedError for what is none."""
        return None if self.sent.get(key) is None else checked_id(self.sent[key])

    @property
    def parent(self) -> Entity | None:
        """What the thing is a part of, if the line says so. Raises MalformedError for what is none."""
        told = self.sent.get("parent")
        if told is None:
            return None
        if not isinstance(told, dict) or told.get("kind") not in KINDS:
            raise MalformedError('parent must be an object such as {"kind": "trace", "id": "..."}')
        return Entity(told["kind"], checked_id(told.get("id")))


def decode(body: bytes, now: int, *, max_lines: int, max_value_bytes: int) -> Lines:
    """Decode lines of JSON, or a JSON array of what would be lines. One that cannot be taken is refused alone.

    Args:
        body: as it was sent, but not compressed any more.
        now: nanoseconds since the epoch, for lines that tell no `time`.
        max_lines: how many lines one request may have.
        max_value_bytes: bytes of UTF-8 in one text before it is cut.

    Raises:
        BadRequest: the body is an array that is no JSON.
        TooLarge: it has more lines than that.
    """
    lines = Lines()
    for number, sent in _split(body, max_lines):
        told = sent
        try:
            told = json_body.load(sent) if isinstance(sent, bytes) else sent
            _take(told, now, number, max_value_bytes, lines)
        except (MalformedError, BadRequest) as error:
            reason = str(error)
            lines.refused.append(Refused(number, reason))
            payload = told.decode(errors="replace") if isinstance(told, bytes) else told
            lines.rejected.append(_rejected(f"line {number}: {reason}", payload))
        else:
            lines.taken += 1
    return lines


def _split(body: bytes, most: int) -> Iterator[tuple[int, Any]]:
    """Yield what a request tells with its number: texts of lines, or values of an array."""
    body = body.removeprefix(BOM_UTF8)
    array = json_body.load(body) if body.lstrip()[:1] == b"[" else None
    # Counted before they are split: millions of empty ones would take fifty times the room that they came in.
    count = body.count(b"\n") + 1 if array is None else len(array)
    if count > most + 1:
        raise TooLarge(f"The request has {count} lines, {most} are the limit; send fewer at a time.")
    sent = body.split(b"\n") if array is None else array
    return ((number, line) for number, line in enumerate(sent, 1) if not isinstance(line, bytes) or line.strip())


def _rejected(reason: str, told: Any) -> Rejected:
    about = told if isinstance(told, dict) else {}
    trace_id, id_, name = (str(about.get(key) or "")[:LONGEST_ID] for key in ("trace_id", "id", "name"))
    return reject(reason, trace_id, id_, name, told)


def _take(sent: Any, now: int, number: int, max_value_bytes: int, lines: Lines) -> None:
    if not isinstance(sent, dict):
        raise MalformedError("a line must be a JSON object")
    kind = sent.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise MalformedError(f"kind must be one of {', '.join(KINDS)}, not {str(kind)[:40]!r}")
    sent = json_body.flattened(sent)
    bound_values(sent, max_value_bytes)
    dated = sent.get("time") is not None
    time = _time(sent["time"]) if dated else now
    line = Line(kind, sent, time, patch_order(0, time if dated else now + number), dated)
    TAKERS.get(kind, _thing)(line, lines)


# --- traces and spans ---------------------------------------------------------------------------------------------------


def _thing(line: Line, lines: Lines) -> None:
    entity, parent = Entity(line.kind, line.id), line.parent
    whole = line.kind == TRACE
    if parent is not None and (whole or parent.kind in (SESSION, SCORE) or parent == entity):
        raise MalformedError(f"a {line.kind} cannot be a part of that {parent.kind}")
    span = piece()
    span.type, span.type_rule = "span" if whole else line.kind, "genscope kind"
    span.level, span.protocol = "DEFAULT", PROTOCOL
    patch = Patch(entity, span, line.order, None if whole else line.text("trace_id"), parent, dated=line.dated)
    more: Attributes = {}
    for key, value in line.sent.items():
        if value is None or key in _OF_THE_LINE:
            continue
        decoder = FIELDS.get(key)
        if key == "messages":
            patch.messages = values.messages(value)
        elif decoder is None:
            more[key] = value
        else:
            setattr(span, key, decoder(value))
    span.attributes = more | span.attributes
    _follow(span)
    if whole:
        span.is_root = True
        span.trace_name, span.trace_metadata = span.name, dict(span.metadata)
    lines.patches.append(patch)


def _follow(span: Span) -> None:
    """Put in what follows from what was told."""
    if span.type == "event" and span.end_time is None:
        span.end_time = span.start_time
    if span.model is not None:
        span.model_rule = "genscope model"
    if span.usage is not None:
        span.usage_rule = "genscope usage"
    if span.cost is not None:
        span.cost_source, span.cost_rule = "reported", "genscope cost"
    if span.type == "generation":
        span.tool_calls = called(span.type, span.output)
        if not span.tools:
            span.tools = offered(span.type, None, None, None, span.model_parameters)


def _time(value: Json) -> int:
    if isinstance(value, str):
        return values.time(value)
    if type(value) is int and 0 < value <= MAX_TIME:
        return value
    raise MalformedError(f"{str(value)[:64]!r} is no time: send ISO 8601, or nanoseconds since the epoch as an integer")


def _content(value: Json) -> str | None:
    return decoders.content(value, values.NO_SPAN)


def _level(value: Json) -> str:
    level = LEVELS.get(value.lower()) if isinstance(value, str) else None
    if level is None:
        raise MalformedError(f"{str(value)[:40]!r} is no level: send DEBUG, DEFAULT, WARNING or ERROR")
    return level


def _environment(value: Json) -> str | None:
    return environment_name(values.text(value))


def _parameters(value: Json) -> Attributes | None:
    return whole_numbers(values.mapping(value)) or None


def _names(value: Json) -> list[str]:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return [str(name) for name in value]
    raise MalformedError("tags and tools must be lists of texts")


def _usage(value: Json) -> Usage | None:
    """Tokens by kind; `input` and `output` are totals, in which their parts are."""
    return usage.from_attributes(values.mapping(value))


def _cost(value: Json) -> Cost | None:
    return cost.from_details(values.mapping(value), values.NO_SPAN)


def _scope(value: Json) -> Scope:
    told = values.mapping(value)
    return Scope(str(told.get("name", ""))[:200], str(told.get("version", ""))[:64])


def _events(value: Json) -> list[Event]:
    if not isinstance(value, list):
        raise MalformedError("events must be a list of objects")
    events = []
    for told in map(values.mapping, value):
        time = None if told.get("time") is None else _time(told["time"])
        events.append(Event(values.text(told.get("name")) or "", time, values.mapping(told.get("attributes") or {})))
    return events


#: Keys that say which thing a line is about, and when it was told.
_OF_THE_LINE: Final = frozenset({"kind", "id", "trace_id", "parent", "time"})
#: What each other key means: a field of the span, and what it has to be. Any other key becomes an attribute.
FIELDS: Final[Mapping[str, Callable[[Json], Any]]] = {
    **dict.fromkeys(("start_time", "end_time", "completion_start_time"), _time),
    **dict.fromkeys(("name", "status_message", "model", "service_tier", "server_address"), values.text),
    **dict.fromkeys(("session_id", "user_id", "release", "version", "prompt_name", "prompt_version"), values.text),
    **dict.fromkeys(("input", "output"), _content),
    **dict.fromkeys(("metadata", "attributes"), values.mapping),
    **dict.fromkeys(("tags", "tools"), _names),
    "level": _level,
    "provider": values.provider,
    "model_parameters": _parameters,
    "usage": _usage,
    "cost": _cost,
    "environment": _environment,
    "scope": _scope,
    "events": _events,
    "messages": values.messages,
}


# --- sessions and scores ------------------------------------------------------------------------------------------------


def _session(line: Line, lines: Lines) -> None:
    """What is told of a session itself; what has no field is metadata."""
    session = Session(line.id)
    for key, value in line.sent.items():
        if value is None or key in _OF_THE_LINE:
            continue
        if key in _OF_SESSIONS:
            setattr(session, key, FIELDS[key](value))
        elif key != "metadata":
            session.metadata[key] = value
    session.metadata |= values.mapping(line.sent.get("metadata") or {})
    lines.sessions.append(session)


_OF_SESSIONS: Final = frozenset({"name", "start_time", "end_time", "tags"})


def _score(line: Line, lines: Lines) -> None:
    """Something said: of the trace, span or session that the line names by ids, or of its parent."""
    parent = line.parent
    subject: Object = {key: line.text(key) for key in _SUBJECT}
    if parent is not None:
        # Of what is not told, the place of the thing tells its trace.
        known = {TRACE: {"trace_id": parent.id}, SESSION: {"session_id": parent.id}}
        of_span = {"trace_id": subject["trace_id"] or parent.id, "span_id": parent.id}
        subject = dict.fromkeys(_SUBJECT) | known.get(parent.kind, of_span)
    if (subject["trace_id"] is None) == (subject["session_id"] is None):
        raise MalformedError("a score is about one of: a parent, a trace_id, perhaps with a span_id, or a session_id")
    if parent is not None and parent.kind == SCORE:
        raise MalformedError("a score cannot be about a score")
    source = line.sent.get("source", "API")
    if source not in _SOURCES:
        raise MalformedError(f"source must be one of {', '.join(_SOURCES)}, not {str(source)[:40]!r}")
    # One that was given no name is the only one of its name and source about the thing: a line that comes twice counts once.
    parts = [*subject.values(), parent and parent.kind, source, line.sent.get("name")]
    unnamed = sha256("\0".join(str(part) for part in parts).encode("utf-8", "replace")).hexdigest()[:32]
    told = line.sent | subject
    body = {name: told[key] for key, name in _OF_SCORES.items() if told.get(key) is not None}
    score: Score = decode_score(body, line.text("id") or unnamed, line.time, line.order)
    score.source, score.protocol = source, PROTOCOL
    if parent is None or parent.kind in (TRACE, SESSION) or line.sent.get("trace_id") is not None:
        lines.scores.append(score)
    else:
        about = piece()
        about.type, about.protocol = parent.kind, PROTOCOL
        lines.patches.append(Patch(parent, about, line.order, scores=[score], dated=line.dated))


_SUBJECT: Final = ("trace_id", "span_id", "session_id")
_SOURCES: Final = ("API", "EVAL", "ANNOTATION", "FEEDBACK", "METRIC")
#: What the decoder of scores calls each key.
_OF_SCORES: Final = {
    "trace_id": "traceId",
    "span_id": "observationId",
    "session_id": "sessionId",
    "data_type": "dataType",
    "config_id": "configId",
} | {key: key for key in ("name", "value", "comment", "metadata", "environment")}

Taker: TypeAlias = Callable[[Line, Lines], None]
#: What becomes of lines whose kind is neither a trace nor a type of span.
TAKERS: Final[Mapping[str, Taker]] = {SESSION: _session, SCORE: _score}
