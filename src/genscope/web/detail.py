"""One span, made ready for reading: conversation, exceptions, bill, and its raw values cut to what a page can bear."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from genscope.conventions import lemma
from genscope.messages import speaker
from genscope.model import Attachment, Attributes, Json, Score, Span
from genscope.web import bill, messages, repeat, why
from genscope.web.media import Address, Medium, medium
from genscope.web.messages import Message
from genscope.web.tree import duration, time_to_first_token

#: Characters of an input or an output that a pane shows; the rest is one link away.
MAX_TEXT: Final = 200_000
#: Characters of the raw text, which repeats what the conversation shows.
MAX_RAW: Final = 50_000
MAX_VALUE: Final = 4_000
MAX_ROWS: Final = 500
NOTHING: Final[Mapping[str, messages.Part]] = MappingProxyType({})
#: JSON up to this many characters stands in one line.
SHORT: Final = 80


@dataclass(frozen=True, slots=True)
class Body:
    """An input or an output. `hidden` counts the characters that the conversation leaves out."""

    side: str
    length: int
    messages: list[Message]
    hidden: int
    raw: str
    #: Whether the raw text says anything that the conversation does not.
    differs: bool
    #: Whether it is an object or an array in JSON, as far as its ends tell.
    json: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception that was recorded on a span."""

    type: str
    message: str
    stacktrace: str
    time: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """A score, and its value as text."""

    score: Score
    value: str
    of_trace: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """What the pane of a span shows. Durations are nanoseconds."""

    span: Span
    input: Body | None
    output: Body | None
    failures: list[Failure]
    bill: list[bill.Line]
    why: list[why.Answer]
    duration: int | None
    time_to_first_token: int | None
    tokens_per_second: float | None
    #: What is attached, but for what the conversation shows already.
    attachments: list[Medium]
    scores: list[Said]
    #: What a tool said to the user.
    told_user: str | None
    #: Whether a program can be written that makes the call again.
    repeatable: bool


def body(
    span: Span, side: Literal["input", "output"], address: Address, known: Mapping[str, messages.Part] = NOTHING
) -> Body | None:
    """Return an input or output for reading; None if there is none.

    `known` are results of tools by the ids of the calls, which stand beside these.
    """
    text = span.input if side == "input" else span.output
    if text is None:
        return None
    said = messages.conversation(text, speaker(span.type, side), address)
    shown, hidden = messages.clip(messages.paired(said, messages.results(said) | dict(known)), MAX_TEXT)
    differs = not messages.is_plain(said, text) and any(
        part.kind != "json" for message in said for part in message.parts
    )
    return Body(side, len(text), shown, hidden, messages.pretty(text[:MAX_RAW]), differs, _is_json(text))


def _is_json(text: str) -> bool:
    return (text[:64].lstrip()[:1], text[-64:].rstrip()[-1:]) in (("{", "}"), ("[", "]"))


def table(values: Attributes) -> list[tuple[str, str, int]]:
    """Return attributes as (name, shown value, characters left out), sorted by name."""
    rows = []
    for name, value in sorted(values.items())[:MAX_ROWS]:
        text = value if isinstance(value, str) else _compact(value)
        rows.append((name, text[:MAX_VALUE], max(len(text) - MAX_VALUE, 0)))
    return rows


def _compact(value: Json) -> str:
    """Return JSON in one line while that is short."""
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= SHORT else messages.pretty(value)


def _text(value: Json) -> str:
    return "" if value is None else value if isinstance(value, str) else messages.pretty(value)


def failures(span: Span) -> list[Failure]:
    """Return the exceptions among a span's events (OpenTelemetry's semantic conventions for exceptions)."""
    return [
        Failure(
            _text(event.attributes.get("exception.type")),
            _text(event.attributes.get("exception.message")),
            _text(event.attributes.get("exception.stacktrace")),
            event.time,
        )
        for event in span.events
        if event.name == "exception"
    ]


def spoken(span: Span, scores: Iterable[Score]) -> list[Said]:
    """Return what was said of a span; at the root of a trace what was said of the trace, too."""
    root = span.parent_span_id is None or span.is_root is True
    return [
        Said(score, _value(score), score.span_id is None)
        for score in scores
        if score.span_id == span.span_id or (root and score.span_id is None)
    ]


def _value(score: Score) -> str:
    if score.data_type == "BOOLEAN" and score.value is not None:
        return "true" if score.value else "false"
    return score.string_value if score.string_value is not None else f"{score.value:g}"


def came_of(span: Span, tools: Sequence[Span]) -> dict[str, messages.Part]:
    """Return what came of the calls in a span's output, by their ids, as the spans of tools that followed tell it.

    A span of a tool answers the call of whose id it has an attribute; one that has none of any call, the first of its tool's name.
    """
    calls = [
        part
        for message in messages.conversation(span.output, "assistant")
        for part in message.parts
        if part.kind == "tool_call" and part.id
    ]
    texts = {one.span_id: {value for value in one.attributes.values() if isinstance(value, str)} for one in tools}
    ids = {call.id for call in calls}
    named = [one for one in tools if texts[one.span_id].isdisjoint(ids)]
    found = {}
    for call in calls:
        own = next((one for one in tools if call.id in texts[one.span_id]), None)
        if own is None:
            own = next((one for one in named if one.name == call.name), None)
            if own is None:
                continue
            named.remove(own)
        told = own.output if own.output is not None else own.status_message or ""
        found[call.id] = messages.Part("tool_result", messages.pretty(told), call.name, call.id)
    return found


def detail(
    span: Span,
    attachments: Iterable[Attachment],
    address: Address,
    scores: Iterable[Score],
    tools: Sequence[Span] = (),
) -> Detail:
    """Return what the pane of `span` shows.

    `address` tells where an attachment is, `scores` are those of the trace, `tools` spans of tools that it may have called.
    """
    said, answered = body(span, "input", address), body(span, "output", address, came_of(span, tools))
    drawn = {
        part.medium.key
        for side in (said, answered)
        for message in (side.messages if side else ())
        for part in message.parts
        if part.medium
    }
    whole, first = duration(span), time_to_first_token(span)
    produced = (span.usage or {}).get("output")
    writing = None if whole is None else whole - (first or 0)
    return Detail(
        span=span,
        input=said,
        output=answered,
        failures=failures(span),
        bill=bill.lines(span),
        why=why.answers(span),
        duration=whole,
        time_to_first_token=first,
        tokens_per_second=produced / (writing / 1e9) if produced and writing and writing > 0 else None,
        attachments=[medium(one, address) for one in attachments if one.key is None or one.key not in drawn],
        scores=spoken(span, scores),
        repeatable=repeat.call(span) is not None,
        told_user=(lemma.told_user(span) or "")[:MAX_TEXT] or None,
    )
