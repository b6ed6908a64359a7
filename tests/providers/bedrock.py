"""Bedrock's wire format: Converse and InvokeModel (with Anthropic's body), plain and streamed in AWS's binary frames.

As with Anthropic itself, what was read from and written to the cache stands beside the input.

Source: the answers of bedrock-runtime, https://docs.aws.amazon.com/bedrock/latest/APIReference/; for the frames
https://smithy.io/2.0/aws/amazon-eventstream.html.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.providers import anthropic
from tests.providers.conversation import ANSWER, ARGUMENTS, PROVIDERS, TOOL_NAME
from tests.providers.wire import compact, pieces, turn

PROVIDER = PROVIDERS["bedrock"]
STRING = 7  # the type of a frame's header


async def converse(request: Request) -> Response:
    """POST /model/{id}/converse."""
    number = turn(await request.json())
    message = {"role": "assistant", "content": [_content(number)]}
    return JSONResponse({"output": {"message": message}, "stopReason": _stop(number), **_metadata(number)})


async def converse_stream(request: Request) -> Response:
    """POST /model/{id}/converse-stream."""
    return _frames(_steps(turn(await request.json())))


async def invoke(request: Request) -> Response:
    """POST /model/{id}/invoke."""
    number = turn(await request.json())
    counts = {f"x-amzn-bedrock-{name}": str(count) for name, count in _header_counts(number).items()}
    return Response(_as_anthropic(anthropic.message(number)), headers=counts, media_type="application/json")


async def invoke_stream(request: Request) -> Response:
    """POST /model/{id}/invoke-with-response-stream: Anthropic's events, the last one with Bedrock's own counts."""
    number = turn(await request.json())
    counts = {"inputTokenCount": _usage(number)["inputTokens"], "outputTokenCount": _usage(number)["outputTokens"]}
    cached = {
        "cacheReadInputTokenCount": _usage(number)["cacheReadInputTokens"],
        "cacheWriteInputTokenCount": _usage(number)["cacheWriteInputTokens"],
    }
    measured = {"invocationLatency": 900, "firstByteLatency": 400}
    last = {"amazon-bedrock-invocationMetrics": {**counts, **measured, **cached}}
    told = (event | (last if event["type"] == "message_stop" else {}) for event in anthropic.steps(number))
    return _frames(("chunk", {"bytes": base64.b64encode(_as_anthropic(event)).decode()}) for event in told)


def _as_anthropic(told: dict[str, Any]) -> bytes:
    """Return what Anthropic tells, with Bedrock's id of the tool's call."""
    return compact(told).replace(anthropic.PROVIDER.call_id, PROVIDER.call_id).encode()


def _usage(number: int) -> dict[str, Any]:
    used = PROVIDER.calls[number].usage
    return {
        "inputTokens": used["input"] - used["input_cache_read"] - used["input_cache_write"],
        "outputTokens": used["output"],
        "totalTokens": used["total"],
        "cacheReadInputTokens": used["input_cache_read"],
        "cacheWriteInputTokens": used["input_cache_write"],
        "cacheDetails": [{"inputTokens": used["input_cache_write"], "ttl": "5m"}],
    }


def _header_counts(number: int) -> dict[str, int]:
    usage = _usage(number)
    return {
        "input-token-count": usage["inputTokens"],
        "output-token-count": usage["outputTokens"],
        "cache-read-input-token-count": usage["cacheReadInputTokens"],
        "cache-write-input-token-count": usage["cacheWriteInputTokens"],
        "invocation-latency": 900,
    }


def _stop(number: int) -> str:
    return ("tool_use", "end_turn")[number]


def _content(number: int) -> dict[str, Any]:
    call = {"toolUse": {"toolUseId": PROVIDER.call_id, "name": TOOL_NAME, "input": ARGUMENTS}}
    return (call, {"text": ANSWER})[number]


def _metadata(number: int) -> dict[str, Any]:
    return {"usage": _usage(number), "metrics": {"latencyMs": 900}}


def _steps(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    block = {"contentBlockIndex": 0}
    deltas: list[dict[str, Any]]
    yield "messageStart", {"role": "assistant"}
    if number == 0:
        yield "contentBlockStart", {"start": {"toolUse": {"toolUseId": PROVIDER.call_id, "name": TOOL_NAME}}, **block}
        deltas = [{"toolUse": {"input": piece}} for piece in ["", *pieces(compact(ARGUMENTS))]]
    else:  # a block of text begins with its first piece
        deltas = [{"text": piece} for piece in pieces(ANSWER)]
    for delta in deltas:
        yield "contentBlockDelta", {"delta": delta, **block}
    yield "contentBlockStop", block
    yield "messageStop", {"stopReason": _stop(number)}
    yield "metadata", _metadata(number)


def _frames(told: Iterable[tuple[str, dict[str, Any]]]) -> StreamingResponse:
    frames = (frame(kind, compact(payload).encode()) for kind, payload in told)
    return StreamingResponse(frames, media_type="application/vnd.amazon.eventstream")


def frame(kind: str, payload: bytes) -> bytes:
    """Return an event as AWS frames it: both lengths and their checksum, headers, payload, checksum of it all."""
    headers = b"".join(
        len(name).to_bytes(1) + name.encode() + STRING.to_bytes(1) + len(value).to_bytes(2) + value.encode()
        for name, value in (
            (":event-type", kind),
            (":content-type", "application/json"),
            (":message-type", "event"),
        )
    )
    lengths = (len(headers) + len(payload) + 16).to_bytes(4) + len(headers).to_bytes(4)
    message = lengths + zlib.crc32(lengths).to_bytes(4) + headers + payload
    return message + zlib.crc32(message).to_bytes(4)


_MODEL = f"/model/{PROVIDER.model}"
routes = [
    Route(f"{_MODEL}/converse", converse, methods=["POST"]),
    Route(f"{_MODEL}/converse-stream", converse_stream, methods=["POST"]),
    Route(f"{_MODEL}/invoke", invoke, methods=["POST"]),
    Route(f"{_MODEL}/invoke-with-response-stream", invoke_stream, methods=["POST"]),
]
