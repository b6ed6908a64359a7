"""Gemini's wire format: generateContent, plain and streamed.

Thoughts stand beside `candidatesTokenCount`, what was cached is within the prompt.

Source: the answers of generativelanguage.googleapis.com, https://ai.google.dev/api/generate-content.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.providers.conversation import ANSWER, ARGUMENTS, PROVIDERS, TOOL_NAME
from tests.providers.wire import compact, events, pieces, turn

PROVIDER = PROVIDERS["gemini"]


async def generate(request: Request) -> Response:
    """POST /v1/models/{model}:generateContent."""
    number = turn(await request.json())
    return JSONResponse(_answer(number, _parts(number), done=True))


async def stream(request: Request) -> Response:
    """POST /v1/models/{model}:streamGenerateContent?alt=sse."""
    number = turn(await request.json())
    return events(("", compact(chunk)) for chunk in _chunks(number))


def _usage(number: int) -> dict[str, Any]:
    used = PROVIDER.calls[number].usage
    return {
        "promptTokenCount": used["input"],
        "candidatesTokenCount": used["output"] - used["output_reasoning"],
        "totalTokenCount": used["total"],
        "cachedContentTokenCount": used["input_cache_read"],
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": used["input"]}],
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": used["input_cache_read"]}],
        "thoughtsTokenCount": used["output_reasoning"],
    }


def _parts(number: int) -> list[dict[str, Any]]:
    if number == 1:
        return [{"text": ANSWER}]
    signature = base64.b64encode(b"what the model thought, for its own eyes").decode()
    return [{"functionCall": {"name": TOOL_NAME, "args": ARGUMENTS}, "thoughtSignature": signature}]


def _answer(number: int, parts: list[dict[str, Any]], *, done: bool) -> dict[str, Any]:
    candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
    return {
        "candidates": [candidate | ({"finishReason": "STOP"} if done else {})],
        "usageMetadata": _usage(number),
        "modelVersion": PROVIDER.model,
        "responseId": f"order4711turn{number}",
    }


def _chunks(number: int) -> Iterator[dict[str, Any]]:
    """Yield the answers of a stream: a call in one piece, a text in several; the counts of the output grow."""
    parts = [{"text": piece} for piece in pieces(ANSWER)] if number == 1 else _parts(number)
    final = _usage(number)
    for place, part in enumerate(parts, 1):
        done = place == len(parts)
        candidates = final["candidatesTokenCount"] * place // len(parts)
        total = final["totalTokenCount"] - final["candidatesTokenCount"] + candidates
        running = final | {"candidatesTokenCount": candidates, "totalTokenCount": total}
        yield _answer(number, [part], done=done) | {"usageMetadata": running}


_MODEL = f"/{{version}}/models/{PROVIDER.model}"  # v1, v1beta
routes = [
    Route(f"{_MODEL}:generateContent", generate, methods=["POST"]),
    Route(f"{_MODEL}:streamGenerateContent", stream, methods=["POST"]),
]
