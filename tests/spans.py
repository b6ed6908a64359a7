"""Spans for tests of pages: in OTLP/JSON, sent to a server."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from tests.running import Server


def attribute(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, int):
        return {"key": name, "value": {"intValue": str(value)}}
    return {"key": name, "value": {"stringValue": value if isinstance(value, str) else json.dumps(value)}}


def span(
    trace_id: str, span_id: str, parent: str = "", name: str = "step", at: float = 0, seconds: float = 1, **fields: Any
) -> dict[str, Any]:
    """Return an OTLP/JSON span that started `at` seconds from now; attributes are given with `__` for a dot."""
    start = time.time() + at
    made: dict[str, Any] = {
        "traceId": trace_id,
        "spanId": span_id,
        "parentSpanId": parent,
        "name": name,
        "startTimeUnixNano": str(int(start * 1e9)),
        "endTimeUnixNano": str(int((start + seconds) * 1e9)),
    }
    made |= {key: fields.pop(key) for key in ("events", "status") if key in fields}
    made["attributes"] = [attribute(key.replace("__", "."), value) for key, value in fields.items()]
    return made


def send(server: Server, *spans: dict[str, Any]) -> None:
    answer = server.send({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]})
    assert answer.status_code == 200, answer.text


def generation(server: Server, user: str, at: float = 0, **fields: Any) -> str:
    """Send one generation of a user and return its trace id."""
    trace_id = secrets.token_hex(16)
    given: dict[str, Any] = {
        "name": "draft-reply",
        "langfuse__observation__type": "generation",
        "langfuse__observation__model__name": "gpt-4o",
        "langfuse__observation__input": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Where is it?"},
        ],
        "langfuse__observation__output": "On its way.",
        "langfuse__observation__usage_details": {"input": 200, "cache_read_input_tokens": 800, "output": 50},
        "user__id": user,
    }
    send(server, span(trace_id, secrets.token_hex(8), at=at, **(given | fields)))
    return trace_id


def agent(server: Server) -> str:
    """Send a trace with a generation, a failed tool, an orphan and a cycle of parents."""
    trace_id, root = secrets.token_hex(16), secrets.token_hex(8)
    asked = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Paris?"},
        {
            "role": "assistant",
            "tool_calls": [{"id": "call_1", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "Clear."},
    ]
    failure = {
        "name": "exception",
        "timeUnixNano": str(time.time_ns()),
        "attributes": [
            attribute("exception.type", "TimeoutError"),
            attribute("exception.message", "no answer within 30 s"),
            attribute("exception.stacktrace", "Traceback (most recent call last): ..."),
        ],
    }
    send(
        server,
        span(trace_id, root, name="answer", seconds=10, langfuse__observation__type="agent"),
        span(
            trace_id,
            secrets.token_hex(8),
            root,
            "draft",
            at=1,
            seconds=2,
            langfuse__observation__type="generation",
            langfuse__observation__model__name="gpt-4o",
            langfuse__observation__input=asked,
            langfuse__observation__output={"role": "assistant", "reasoning_content": "Hm.", "content": "It is clear."},
            langfuse__observation__model__parameters={"temperature": 0.7},
            langfuse__observation__usage_details={"input": 200, "cache_read_input_tokens": 800, "output": 50},
            langfuse__observation__metadata__plan="pro",
        ),
        span(
            trace_id,
            secrets.token_hex(8),
            root,
            "look-up",
            at=4,
            langfuse__observation__type="tool",
            events=[failure],
            status={"code": 2, "message": "no answer within 30 s"},
        ),
        span(trace_id, secrets.token_hex(8), secrets.token_hex(8), "orphan", at=5),
        span(trace_id, "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cycle-a", at=6),
        span(trace_id, "bbbbbbbbbbbbbbbb", "aaaaaaaaaaaaaaaa", "cycle-b", at=7),
    )
    return trace_id
