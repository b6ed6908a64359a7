"""Cohere's answers: Chat (versions 1 and 2), embeddings and reranking; also the bodies of its models at Bedrock.

What is billed counts, not what was counted beside it. No answer names the model.
Source: https://docs.cohere.com/reference/chat.
"""

from __future__ import annotations

from typing import Any, Final

from genscope.sdk.results.counts import Counts
from genscope.sdk.results.fields import Fields, fields, plain, told
from genscope.sdk.results.pieces import Kept, place
from genscope.sdk.results.result import Result

_COUNTS: Final = Counts(
    {
        "billed_units.input_tokens": "input",
        "tokens.input_tokens": "input",
        "billed_units.output_tokens": "output",
        "tokens.output_tokens": "output",
        "billed_units.search_units": "search",
    }
)


def _units(answer: Fields) -> Any:
    """Return the counts: `usage` in version 2, within `meta` elsewhere."""
    return next(
        (
            units
            for name in ("usage", "meta")
            if {"billed_units", "tokens"} & (units := fields(answer.get(name))).keys()
        ),
        None,
    )


def _is_chat(answer: Fields) -> bool:
    return "finish_reason" in answer and "role" in fields(answer.get("message")) and bool(_units(answer))


def _is_text(answer: Fields) -> bool:
    return isinstance(answer.get("text"), str) and "generation_id" in answer


def _is_other(answer: Fields) -> bool:
    return bool({"embeddings", "results"} & answer.keys()) and bool(_units(answer))


def _chat(answer: Fields) -> Result:
    return _result(answer, plain(answer["message"]))


def _text(answer: Fields) -> Result:
    calls = plain(answer.get("tool_calls"))
    return _result(answer, {"role": "assistant", "content": answer["text"]} | ({"tool_calls": calls} if calls else {}))


def _other(answer: Fields) -> Result:
    return _result(answer, None)


def _result(answer: Fields, output: Any) -> Result:
    units = _units(answer)
    return Result(
        output=output,
        usage=_COUNTS.read(units),
        provider="cohere" if units else None,
        finish_reason=told(answer.get("finish_reason")),
        id=told(answer.get("id")) or told(answer.get("generation_id")),
    )


class _Chat:
    """Events of a streamed chat of version 2."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._calls: dict[int, Any] = {}
        self._kept = Kept()

    def add(self, piece: Fields) -> bool:
        if identity := piece.get("id"):
            self._head["id"] = identity
        delta = fields(piece.get("delta"))
        if piece.get("type") == "message-end":
            self._head |= {"finish_reason": delta.get("finish_reason"), "usage": delta.get("usage")}
        index, message = place(piece.get("index")), fields(delta.get("message"))
        content, call = fields(message.get("content")), fields(message.get("tool_calls"))
        identity = call.get("id")
        if identity:
            self._calls[index] = {"id": identity, "name": fields(call.get("function")).get("name")}
        said = self._kept.add("tool_plan", message.get("tool_plan"))
        for key, text in (
            ((index, "text"), content.get("text")),
            ((index, "thinking"), content.get("thinking")),
            ((index, "call"), fields(call.get("function")).get("arguments")),
        ):
            said = self._kept.add(key, text) or said
        return said or bool(identity)

    def result(self) -> Result:
        texts = [key for key in self._kept if key[1] in ("text", "thinking")]
        message: dict[str, Any] = {"role": "assistant"}
        message["content"] = [{"type": key[1], key[1]: self._kept.text(key)} for key in sorted(texts)]
        if plan := self._kept.text("tool_plan"):
            message["tool_plan"] = plan
        if self._calls:
            message["tool_calls"] = [self._call(index, known) for index, known in sorted(self._calls.items())]
        return _chat({**self._head, "message": message})

    def _call(self, index: int, known: Any) -> dict[str, Any]:
        function = {"name": known["name"], "arguments": self._kept.text((index, "call"))}
        return {"id": known["id"], "type": "function", "function": function}


class _Text:
    """Events of a streamed chat of version 1, whose last one has the whole answer."""

    def __init__(self) -> None:
        self._kept = Kept()
        self._whole: Fields = {}

    def add(self, piece: Fields) -> bool:
        self._whole = fields(piece.get("response")) or self._whole
        return piece.get("event_type") == "text-generation" and self._kept.add("text", piece.get("text"))

    def result(self) -> Result:
        return _text({"text": self._kept.text("text"), **self._whole})


_EVENTS: Final = (
    "message-start",
    "content-start",
    "content-delta",
    "tool-plan-delta",
    "tool-call-start",
    "message-end",
)


def _is_event(piece: Fields) -> bool:
    return piece.get("type") in _EVENTS


def _is_old_event(piece: Fields) -> bool:
    return piece.get("event_type") in ("stream-start", "text-generation", "stream-end")


ANSWERS: Final = ((_is_chat, _chat), (_is_text, _text), (_is_other, _other))
STREAMS: Final = ((_is_event, _Chat), (_is_old_event, _Text))
