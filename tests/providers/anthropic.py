"""Anthropic's wire format: Messages, plain and streamed. What was read from and written to the cache stands beside `input_tokens`.

Source: the answers of api.anthropic.com, https://docs.anthropic.com/en/api/messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.providers.conversation import ANSWER, ARGUMENTS, PROVIDERS, TOOL_NAME
from tests.providers.wire import compact, events, pieces, turn

PROVIDER = PROVIDERS["anthropic"]


async def messages(request: Request) -> Response:
    """POST /v1/messages."""
    asked = await request.json()
    number = turn(asked)
    if not asked.get("stream"):
        return JSONResponse(message(number))
    return events((event["type"], compact(event)) for event in steps(number))


def _usage(number: int) -> dict[str, Any]:
    used = PROVIDER.calls[number].usage
    written = used["input_cache_write"]
    return {
        "input_tokens": used["input"] - used["input_cache_read"] - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": used["input_cache_read"],
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": used["output"],
        "service_tier": "standard",
    }


def _content(number: int) -> dict[str, Any]:
    call = {"type": "tool_use", "id": PROVIDER.call_id, "name": TOOL_NAME, "input": ARGUMENTS}
    return (call, {"type": "text", "text": ANSWER})[number]


def message(number: int) -> dict[str, Any]:
    return {
        "model": PROVIDER.model,
        "id": f"msg_order4711turn{number}",
        "type": "message",
        "role": "assistant",
        "content": [_content(number)],
        "stop_reason": ("tool_use", "end_turn")[number],
        "stop_sequence": None,
        "usage": _usage(number),
    }


def steps(number: int) -> Iterator[dict[str, Any]]:
    whole = message(number)
    usage = whole["usage"]
    started = {"content": [], "stop_reason": None, "usage": usage | {"output_tokens": 1}}
    yield {"type": "message_start", "message": whole | started}
    content = _content(number)
    if number == 0:
        yield {"type": "content_block_start", "index": 0, "content_block": content | {"input": {}}}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces(compact(ARGUMENTS))]]
    else:
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(ANSWER)]
    yield {"type": "ping"}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    counted = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
        "usage": {name: usage[name] for name in counted},
    }
    yield {"type": "message_stop"}


routes = [Route("/v1/messages", messages, methods=["POST"])]
