"""Lemma's own SDK: the body of `POST /traces/ingest`, one execution with all its steps.

Source: the SDK `uselemma-tracing` 4.2 to 7.12 as it sends, and Lemma's documentation of the trace contract. The trace is told as a
root span, its steps as spans. A delivery is whole, but for SDKs of 7.1 to 7.4 that send `replace`: theirs may add to earlier
ones. One that comes again changes nothing, and none takes away what an earlier one told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, TypeAlias

import orjson

from genscope import conventions
from genscope.conventions import lemma
from genscope.conventions.decode import iso_time
from genscope.model import (
    TRACE,
    Attributes,
    Entity,
    Json,
    Patch,
    Pieces,
    RawSpan,
    Rejected,
    Resource,
    Scope,
    Span,
    patch_order,
)
from genscope.receive import json_body
from genscope.receive.errors import BadRequest, TooLarge
from genscope.receive.otlp_span import MAX_TIME, bound_texts, bound_values, json_text, reject

Object: TypeAlias = dict[str, Any]

PROTOCOL: Final = "lemma"
#: Characters of an id; Lemma's own have 36.
MAX_ID: Final = 512

_MILLISECOND: Final = 1_000_000
#: Objects that the SDK puts where it left out a value, to keep a payload small.
_TRUNCATED: Final = "__lemma_truncated__"
_DEDUPLICATED: Final = "__lemma_deduplicated__"
#: What SDKs before 7.10 record as the failure of a run whose delivery was refused, before they deliver it once more.
_UNDELIVERED: Final = re.compile(r"uselemma[-/]tracing: failed to ingest trace \(")
#: What of a trace is the same in every attempt to deliver it.
_LASTING: Final = ("name", "input", "metadata", "thread_id", "user_id", "environment", "started_at", "spans")
#: What the root says of the whole execution, and what of its attributes' names means the same over OTLP.
_ABOUT: Final = {"thread_id": "lemma.thread_id", "user_id": "user.id", "environment": "deployment.environment.name"}
_ENVIRONMENTS: Final = ("deployment.environment.name", "deployment.environment")


def decode(
    body: bytes, *, now: int, max_spans: int, max_value_bytes: int, named: Callable[[str], None] = lambda project: None
) -> Pieces:
    """Decode a delivery. A step that is none is rejected alone.

    `now` (nanoseconds since the epoch) stands in if the sender told no time at all, a text over `max_value_bytes` (UTF-8) is cut
    and says so, and `named` is told the project that the body names and may refuse it by raising. Raises BadRequest if there is no
    trace in the body, and TooLarge if it has more than `max_spans` steps.
    """
    request = json_body.load(body)
    if not isinstance(request, dict):
        raise BadRequest("The body is no JSON object; send {project_id, trace}.")
    project = request.get("project_id")
    if not isinstance(project, str) or not project:
        raise BadRequest("project_id is missing; send the id of the project as a string.")
    named(project)
    trace = request.get("trace")
    if not isinstance(trace, dict):
        raise BadRequest("trace is missing; send it as an object.")
    if not _text(trace, "name"):
        raise BadRequest("trace.name is empty; name the agent that ran.")
    spans = trace.get("spans")
    if spans is not None and not isinstance(spans, list):
        raise BadRequest("trace.spans is no array; send the steps of the trace as one.")
    if len(spans or ()) > max_spans:
        raise TooLarge(f"The trace has more than {max_spans} spans; leave out what nobody will look at.")
    id_ = _text(trace, "id") or _digest([trace.get(key) for key in _LASTING])[:32]
    if len(id_) > MAX_ID:
        raise BadRequest(f"trace.id has {len(id_)} characters; {MAX_ID} are the limit.")
    return _Delivery(id_, trace, spans or [], request.get("replace"), now, max_value_bytes).pieces()


@dataclass(slots=True)
class _Delivery:
    """One trace as it came. `replace` is None where the SDK knows no such thing and delivers all at once."""

    id: str
    trace: Object
    spans: list[Any]
    replace: Any
    now: int
    max_value_bytes: int
    #: The steps that have an id of their own.
    by_id: dict[str, Object] = field(init=False)
    start: int | None = field(init=False)
    order: int = field(init=False)

    def __post_init__(self) -> None:
        self.by_id = {
            id_: span for span in reversed(self.spans) if isinstance(span, dict) and (id_ := _text(span, "id"))
        }
        self.start = _time(self.trace, "started_at")
        # When it was delivered, by the sender's clock: of two deliveries of one thing the later one knows more.
        delivered = _time(self.trace, "ended_at") or self.start or self.now
        self.order = patch_order(int(self.replace is True), delivered)

    def pieces(self) -> Pieces:
        root = self._root()
        pieces = Pieces([Patch(self._entity, root, self.order, self.id, dated=True)])
        for told in self._steps(root):
            if isinstance(told, Patch):
                pieces.patches.append(told)
            else:
                pieces.rejected.append(told)
        return pieces

    @property
    def _entity(self) -> Entity:
        return Entity(TRACE, self.id)

    def _root(self) -> Span:
        trace = self.trace
        metadata = self._map(trace, "metadata")
        about = {name: trace.get(key) for key, name in _ABOUT.items()}
        told: Attributes = {name: metadata[name] for name in _ENVIRONMENTS if name in metadata}
        raw = self._raw(self._entity.span_id, None, trace, told | _present(about))
        span = conventions.to_span(raw, self.now)
        span.type, span.type_rule = "span", None
        span.trace_name, span.trace_metadata, span.release = span.name, metadata, _text(trace, "release")
        span.attributes = {}
        if undelivered := _undelivered(self._error(trace)):
            # The run went well, and its delivery failed; that this was told at all shows that it was delivered in the end.
            span.attributes["lemma.undelivered"] = undelivered
        return self._piece(span, raw)

    def _steps(self, root: Span) -> Iterator[Patch | Rejected]:
        told: dict[str, Object] = {}
        alike: Counter[str] = Counter()
        for sent in self.spans:
            if not isinstance(sent, dict):
                yield self._reject({}, sent, "the span is no object")
                continue
            id_ = _text(sent, "id")
            if id_ is None:
                # Where it stands differs between deliveries that each add to the last one; what it says does not.
                digest = _digest([self.id, sent])[:16]
                id_ = f"{digest}-{alike[digest]}" if alike[digest] else digest
                alike[digest] += 1
            if not _text(sent, "name"):
                yield self._reject(sent, sent, "the span has no name")
            elif len(id_) > MAX_ID:
                yield self._reject(sent, sent, f"the id has {len(id_)} characters; {MAX_ID} are the limit")
            elif id_ not in told:
                told[id_] = sent
                step, parent = self._step(id_, sent, root), self._parent(id_, sent)
                yield Patch(Entity("span", id_), step, self.order, self.id, parent, dated=True)
            elif told[id_] != sent:
                yield self._reject(sent, sent, "another span of the trace has the same id")

    def _reject(self, span: Object, payload: Any, reason: str) -> Rejected:
        return reject(reason, self.id, (_text(span, "id") or "")[:MAX_ID], (_text(span, "name") or "")[:200], payload)

    def _parent(self, id_: str, sent: Object) -> Entity:
        parent = _text(sent, "parent_id")
        # Of a trace that comes in several deliveries it may have been in an earlier one.
        known = parent in self.by_id or self.replace is False
        if parent is None or not known or parent in (id_, self.id, self._entity.span_id):
            return self._entity
        return Entity("span", parent)

    def _step(self, id_: str, sent: Object, root: Span) -> Span:
        attributes = self._map(sent, "attributes")
        if tool := _text(sent, "tool_name"):
            attributes.setdefault("tool.name", tool)
        understood = dict(attributes)
        if "llm.tools" in understood:
            understood["lemma.tools"] = understood["llm.tools"]
        if model := _text(sent, "model"):
            understood.setdefault("llm.model_name", model)
        raw = self._raw(id_, self._entity.span_id, sent, understood)
        span = conventions.to_span(raw, self.now)
        span.type, span.type_rule = lemma.type_of(sent.get("type"), raw)
        span.metadata |= self._map(sent, "metadata")
        span.attributes = {name: value for name, value in span.attributes.items() if name in attributes}
        counts = sent.get("usage")
        if isinstance(counts, dict) and (usage := lemma.usage_of(counts, span)):
            span.usage, span.usage_rule = usage, "lemma usage"
        for name in ("session_id", "user_id", "environment", "release"):
            setattr(span, name, getattr(root, name) or getattr(span, name))
        return self._piece(span, raw)

    def _raw(self, span_id: str, parent: str | None, sent: Object, attributes: Attributes) -> RawSpan:
        """A trace or a step as a span over OTLP would tell of it."""
        content = {"input.value": self._shown(sent.get("input")), "output.value": self._shown(sent.get("output"))}
        error = self._error(sent)
        start, end = self._times(sent)
        raw = RawSpan(
            trace_id=self.id,
            span_id=span_id,
            parent_span_id=parent,
            name=str(sent["name"]),
            start_time=start,
            end_time=end,
            attributes=attributes | _present(content),
            resource=Resource(),
            scope=Scope(),
        )
        if (error or sent.get("status") == "ERROR") and not _undelivered(error):
            raw.status_code, raw.status_message = 2, error or ""
        bound_texts(raw, self.max_value_bytes)
        return raw

    def _piece(self, span: Span, raw: RawSpan) -> Span:
        # While it is not told when a step ended, it is open.
        span.end_time, span.protocol = raw.end_time, PROTOCOL
        return span

    def _times(self, sent: Object) -> tuple[int, int | None]:
        """When it started and ended, in nanoseconds since the epoch; None for an end that is not known."""
        start, end, length = _time(sent, "started_at"), _time(sent, "ended_at"), _milliseconds(sent.get("duration_ms"))
        if start is None and end is not None:
            start = max(end - (length or 0), 0)
        if start is None:
            start = self.now if self.start is None else self.start
        # Both stamps of a step that is told when it is over say when that was.
        stamped_once = end is not None and 0 <= end - start < _MILLISECOND
        if length is None:
            measured = sent is self.trace or _text(sent, "id") or not stamped_once
            return start, end if measured else None
        if end is not None and 0 <= end - start - length < _MILLISECOND:
            return start, end  # the SDK drops the fractions of a millisecond, which the stamps have
        if end is not None and stamped_once:
            return max(end - length, 0), end
        return start, min(start + length, MAX_TIME)

    def _map(self, sent: Object, key: str) -> Attributes:
        values = sent.get(key)
        if not isinstance(values, dict):
            return {}
        shown = {name: _writable(self._shown(value)) for name, value in values.items() if value is not None}
        bound_values(shown, self.max_value_bytes)
        return shown

    def _error(self, sent: Object) -> str | None:
        error = self._shown(sent.get("error"))
        if isinstance(error, str):
            return error.strip() or None
        return json_text(error) if error else None

    def _shown(self, value: Any) -> Json:
        """A value, or in words what the SDK left out of it."""
        seen: set[str] = set()
        while isinstance(value, dict) and value.get(_DEDUPLICATED) is True:
            parent = str(value.get("parent_id"))
            if parent in seen or parent not in self.by_id:
                return f"[left out by the sender: the same as the input of span {parent[:MAX_ID]}]"
            seen.add(parent)
            value = self.by_id[parent].get("input")
        return _cut(value) if isinstance(value, dict) and value.get(_TRUNCATED) is True else value


def _cut(marker: Object) -> str:
    """What is left of a value that the SDK cut off, and how much it was."""
    counts = [
        f"{marker[key]:,} {what if marker[key] == 1 else what + 's'}"
        for key, what in (("original_bytes", "byte"), ("item_count", "item"), ("key_count", "key"))
        if isinstance(marker.get(key), int)
    ]
    preview = marker.get("preview")
    words = f"[cut by the sender: {', '.join(counts) or 'of unknown length'}]"
    return f"{preview}\n{words}" if isinstance(preview, str) and preview else words


def _present(values: Attributes) -> Attributes:
    return {name: value for name, value in values.items() if value is not None}


def _text(sent: Object, key: str) -> str | None:
    value = sent.get(key)
    return value if isinstance(value, str) and value.strip() else None


def _time(sent: Object, key: str) -> int | None:
    return iso_time(sent.get(key), _NO_SPAN)


def _milliseconds(value: Any) -> int | None:
    """A duration in nanoseconds; None for what is none, or has no end before that of the clock."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value * _MILLISECOND <= MAX_TIME:
        return None
    return round(value * _MILLISECOND)


def _undelivered(error: str | None) -> str | None:
    return error if error and _UNDELIVERED.search(error) else None


def _digest(value: Any) -> str:
    """What tells values apart, in hex, whatever the order of their keys."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # nested too deeply for it
        text = json_text(value).encode()
    return sha256(text).hexdigest()


def _writable(value: Json) -> Json:
    """A value that can be written as JSON again, else its text."""
    if isinstance(value, dict | list):
        try:
            orjson.dumps(value)
        except TypeError:
            return json_text(value)
    return value


#: For decoders that know a value without its span.
_NO_SPAN: Final = RawSpan("", "", None, "", None, None, {}, Resource(), Scope())
