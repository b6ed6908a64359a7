"""What the wire formats share: which call of the conversation a request is, and server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from tests.providers.conversation import QUESTION, RESULT, SYSTEM, TOOL_NAME


def compact(value: Any) -> str:
    """Return JSON as the providers write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def turn(request: Any) -> int:
    """Return 0 for the first call of the conversation and 1 for the second, whatever API `request` (JSON) speaks.

    Raises:
        HTTPException: 400 if it is another conversation, so that no path can pass with one of its own.

    """
    text = compact(request)
    lost = [part for part in (SYSTEM, QUESTION, TOOL_NAME) if part not in text]
    if lost:
        raise HTTPException(400, f"not in the request: {lost}")
    return int(RESULT in text)


def pieces(text: str, size: int = 12) -> list[str]:
    """Return a text cut as a model streams it."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def events(lines: Iterable[tuple[str, str]]) -> StreamingResponse:
    """Answer with server-sent events: pairs of an event's name (empty: none) and its data."""
    texts = (f"event: {name}\ndata: {data}\n\n" if name else f"data: {data}\n\n" for name, data in lines)
    return StreamingResponse(texts, media_type="text/event-stream")
