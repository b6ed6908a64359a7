"""A session as a conversation: of each turn what was asked, what was answered, and which tools were called in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final, Literal

from genscope.api.shapes import iso, plain
from genscope.messages import speaker
from genscope.model import Score
from genscope.store.previews import CUT, PREVIEW
from genscope.store.sessions import Said, Turn
from genscope.web import messages
from genscope.web.messages import Message
from genscope.web.preview import preview

#: Characters of what was asked, and of what was answered, in one turn.
MAX_TEXT: Final = 20_000
#: Characters of the arguments of a tool, and of its result.
MAX_TOOL: Final = 2_000

Side = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said, cut to what a page can bear; `hidden` counts the characters that are left out."""

    messages: list[Message]
    hidden: int

    def text(self) -> str:
        """Return what was said, as one text."""
        return "\n".join(part.text for message in self.messages for part in message.parts if part.text)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool, its arguments and its result as text."""

    span: Said
    arguments: str
    result: str

    @property
    def failed(self) -> bool:
        """Whether it did."""
        return self.span.level == "ERROR"


@dataclass(frozen=True, slots=True)
class Shown:
    """A turn made ready for reading."""

    turn: Turn
    asked: Spoken | None
    answered: Spoken | None
    calls: list[Call]
    scores: list[Score]

    def json(self) -> dict[str, Any]:
        """Return the turn as JSON."""
        turn = self.turn
        return {
            "trace_id": turn.trace_id,
            "name": turn.name,
            "start_time": iso(turn.start_time),
            "end_time": iso(turn.end_time),
            "input": self.asked.text() if self.asked else None,
            "output": self.answered.text() if self.answered else None,
            "tools": [{"name": call.span.name, "span_id": call.span.span_id, "failed": call.failed} for call in self.calls],
            "span_count": turn.span_count,
            "error_count": turn.error_count,
            "error": turn.failed.message or None if turn.failed else None,
            "call_count": turn.paid_count,
            "unpriced_count": turn.unpriced_count,
            "input_tokens": turn.input_tokens,
            "output_tokens": turn.output_tokens,
            "total_cost": None if turn.total_cost is None else plain(turn.total_cost),
            "models": turn.models,
            "scores": [
                {"id": score.id, "name": score.name, "value": score.value, "string_value": score.string_value,
                 "comment": score.comment, "source": score.source}
                for score in self.scores
            ],
        }  # fmt: skip


def shown(turn: Turn, scores: Sequence[Score]) -> Shown:
    """Return a turn made ready for reading, with what was said of its trace and the spans in it."""
    return Shown(
        turn,
        _spoken(turn.asked, "input"),
        _spoken(turn.answered, "output"),
        [Call(span, _cut(span.input), _cut(span.output)) for span in turn.tools],
        [score for score in scores if score.trace_id == turn.trace_id],
    )


def _spoken(spans: Sequence[Said | None], side: Side) -> Spoken | None:
    """Return what the most trusted of some spans says; None if none says anything."""
    trace, *others = spans
    texts = [getattr(trace, f"trace_{side}") if trace else None]
    texts += [getattr(span, side) if span else None for span in others]
    # A trace, an agent or a chain is asked by a person too, and answers one.
    role = speaker("generation", side)
    for text in texts:
        if not text or not text.strip():
            continue
        if text.startswith(CUT, PREVIEW):
            return Spoken([Message(role, [messages.Part("text", preview(text, role, 2 * PREVIEW))])], len(text))
        said, hidden = messages.clip(_last(messages.conversation(text, role), role), MAX_TEXT)
        if said:
            return Spoken(said, hidden)
    return None


def _last(said: list[Message], role: str) -> list[Message]:
    """Return what `role` said last, without the history before it; all that was said where `role` said nothing."""
    behind = len(list(takewhile(lambda message: message.role != role, reversed(said))))
    if behind == len(said):
        return said
    until = said[: len(said) - behind]
    count = len(list(takewhile(lambda message: message.role == role, reversed(until))))
    return until[-count:]


def _cut(text: str | None) -> str:
    told = "" if text is None else messages.pretty(text[: 10 * MAX_TOOL])
    return told if len(told) <= MAX_TOOL else told[:MAX_TOOL] + "…"
