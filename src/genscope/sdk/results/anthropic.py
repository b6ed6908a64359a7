"""Anthropic's answers: Messages, also of Claude at Bedrock and Vertex.

What was read from and written to the cache stands beside the input.

Sources: https://docs.anthropic.com/en/api/messages, https://docs.anthropic.com/en/docs/build-with-claude/streaming.
"""

from __future__ import annotations

from typing import Any, Final

from genscope.sdk.results.counts import Counts
from genscope.sdk.results.fields import Fields, fields, items, plain, told
from genscope.sdk.results.pieces import Kept, parsed, place
from genscope.sdk.results.result import Result

_COUNTS: Final = Counts(
    {
        "input_tokens": "input",
        "output_tokens": "output",
        "cache_read_input_tokens": "input_cache_read",
        "cache_creation_input_tokens": "input_cache_write",
        "cache_creation.ephemeral_5m_input_tokens": "input_cache_write_5m",
        "cache_creation.ephemeral_1h_input_tokens": "input_cache_write_1h",
        "output_tokens_details.thinking_tokens": "output_reasoning",
        "server_tool_use.web_search_requests": "web_search",
    },
    beside=("input_cache_read", "input_cache_write"),
)
#: How the id of an answer begins at those who sell Claude as well.
_SELLERS: Final = {"msg_bdrk_": "aws.bedrock", "msg_vrtx_": "gcp.vertex_ai"}


def _is_message(answer: Fields) -> bool:
    return (
        answer.get("type") == "message"
        and isinstance(answer.get("content"), list)
        and bool(fields(answer.get("usage")))
    )


def _message(answer: Fields) -> Result:
    content = [block for block in map(_block, answer["content"]) if block]
    usage = fields(answer.get("usage"))
    return Result(
        model=told(answer.get("model")),
        output={"role": "assistant", "content": content} if content else None,
        usage=_COUNTS.read(usage),
        provider=_seller(answer),
        # A fast call costs more than its tier says.
        service_tier="fast" if usage.get("speed") == "fast" else told(usage.get("service_tier")),
        finish_reason=told(answer.get("stop_reason")),
        id=told(answer.get("id")),
        error=told(fields(answer.get("error")).get("message")),
    )


def _block(block: object) -> Any:
    made = plain(block)
    if isinstance(made, dict):
        made.pop("parsed_output", None)  # the same as the text, as an object of the program's
    return made


def _seller(answer: Fields) -> str | None:
    identity = told(answer.get("id")) or ""
    seller = next((seller for start, seller in _SELLERS.items() if identity.startswith(start)), None)
    return seller or ("anthropic" if (told(answer.get("model")) or "").startswith("claude") else None)


class _Message:
    """Events of a streamed message; those that the SDK's `messages.stream` adds are repetition."""

    #: Type of a delta -> its text, and the field of the block that grows by it.
    _DELTAS: Final = {
        "text_delta": ("text", "text"),
        "thinking_delta": ("thinking", "thinking"),
        "signature_delta": ("signature", "signature"),
        "input_json_delta": ("partial_json", "input"),
        "compaction_delta": ("content", "content"),
    }

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, Any] = {}
        self._citations: dict[int, list[Any]] = {}
        self._kept = Kept()

    def add(self, piece: Fields) -> bool:
        kind = piece.get("type")
        if kind == "content_block_delta":
            delta = fields(piece.get("delta"))
            name = delta.get("type")
            if name == "citations_delta" and (citation := self._kept.thing(delta.get("citation"))):
                self._citations.setdefault(place(piece.get("index")), []).append(citation)
            known = self._DELTAS.get(name) if isinstance(name, str) else None
            if known is None:
                return False
            return (
                self._kept.add((place(piece.get("index")), known[1]), delta.get(known[0])) and name != "signature_delta"
            )
        if kind == "content_block_start":
            return self._start(place(piece.get("index")), piece.get("content_block"))
        if kind == "message_start":
            message = fields(piece.get("message"))
            self._head = {name: message.get(name) for name in ("id", "model")}
            self._count(message.get("usage"))
        elif kind == "message_delta":
            self._head["stop_reason"] = fields(piece.get("delta")).get("stop_reason")
            self._count(piece.get("usage"))
        elif kind == "error":
            self._head["error"] = piece.get("error")
        return False

    def _start(self, index: int, block: object) -> bool:
        made = self._kept.thing(block)
        if not isinstance(made, dict):
            return False
        self._blocks[index] = made
        for name in ("text", "thinking"):
            self._kept.add((index, name), made.get(name))
        return "name" in made or bool(made.get("text"))  # a call says its tool at once

    def _count(self, usage: object) -> None:
        """Take in counts; those of the end are sums, and leave out what they have nothing to say of."""
        self._usage |= {name: value for name, value in fields(usage).items() if value is not None}

    def result(self) -> Result:
        indices = sorted(self._blocks.keys() | {key[0] for key in self._kept})
        content = [self._block(index) for index in indices]
        return _message({**self._head, "content": content, "usage": self._usage})

    def _block(self, index: int) -> dict[str, Any]:
        block = dict(self._blocks.get(index) or {"type": "text"})
        for name in ("text", "thinking", "signature", "input", "content"):
            if text := self._kept.text((index, name)):
                block[name] = parsed(text) if name == "input" else text
        if citations := self._citations.get(index):
            block["citations"] = [*items(block.get("citations")), *citations]
        return block


_EVENTS: Final = ("message_start", "content_block_start", "content_block_delta", "message_delta")


def _is_event(piece: Fields) -> bool:
    return piece.get("type") in _EVENTS


ANSWERS: Final = ((_is_message, _message),)
STREAMS: Final = ((_is_event, _Message),)
