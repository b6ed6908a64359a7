"""What the SDKs of Maxim were seen to send, sent again to a real server: the spans, scores, sessions and files that come of it.

The recordings are a file per request: what was sent, then the answer, which Genscope has to give as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.running import Server

CAPTURES = Path(__file__).parents[2] / "shared" / "protocols" / "captures"
FIXTURES = Path(__file__).parent / "fixtures"
#: Fields of a span that are compared elsewhere, or follow from others.
LEFT_OUT = ("trace_id", "span_id", "explain", "scope", "scores", "attachments", "duration_ms", "protocol", "repository")
#: Headers that a client's connection makes by itself.
OF_CONNECTIONS = ("host", "connection", "keep-alive", "content-length", "accept-encoding")


@dataclass
class Recorded:
    """A request, and the answer that it was given."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    answer: str


def recorded(folder: Path) -> Iterator[Recorded]:
    files = sorted(folder.glob("*.http"))
    assert files, f"{folder} holds no recordings"
    for file in files:
        head, _, rest = file.read_bytes().partition(b"\n\n")
        first, *lines = [line for line in head.decode().splitlines() if not line.startswith("#")]
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0))
        answer = rest[size:].partition(b"--- RESPONSE 200")[2].decode().strip()
        yield Recorded(method, path, headers, rest[:size], answer)


def replay(server: Server, folder: Path) -> None:
    """Send everything that was recorded, files to where the server wants them, and look at every answer."""
    places: dict[str, str] = {}
    with httpx.Client(timeout=60, trust_env=False) as client:
        for request in recorded(folder):
            headers = {name: value for name, value in request.headers.items() if name not in OF_CONNECTIONS}
            if "x-maxim-api-key" in headers:
                headers["x-maxim-api-key"] = server.secret_key
            url = server.url + request.path
            if request.method == "PUT":
                # The recording of Go 0.2.1 has one place for all files, each of which is sent at once.
                url = next((places[key] for key in places if key in request.path), [*places.values()][-1])
            answer = client.request(request.method, url, headers=headers, content=request.body or None)
            assert answer.status_code == 200, (request.path, answer.text)
            if "upload-url" in request.path:
                key = parse_qs(urlsplit(request.path).query)["key"][0]
                places[key] = answer.json()["data"]["url"]
                assert urlsplit(places[key]).scheme == "http"
            elif request.method != "PUT":
                assert answer.json() == json.loads(request.answer)


def told(span: dict[str, Any]) -> dict[str, Any]:
    """What is known of a span, without the names that are hashes of lines."""
    known = {name: value for name, value in span.items() if name not in LEFT_OUT and value not in (None, [], {})}
    attributes: dict[str, Any] = {}
    for name, value in known.pop("attributes", {}).items():
        if hashed := re.fullmatch(r"(errors|evaluate)\..+", name):
            attributes.setdefault(hashed[1], []).append(value)
        else:
            attributes[name] = value
    for values in attributes.values():
        if isinstance(values, list):
            values.sort(key=lambda value: json.dumps(value, sort_keys=True))
    return known | ({"attributes": attributes} if attributes else {})


def snapshot(server: Server, trace_id: str) -> dict[str, Any]:
    """All that the API tells of a trace; links to files end in a signature of the hour."""
    whole: dict[str, Any] = server.get(f"/api/v1/traces/{trace_id}")
    for span in whole["spans"]:
        for attachment in span["attachments"]:
            attachment["url"] = attachment["url"].partition("/storage/")[0]
    whole["all_scores"] = server.get("/api/v1/scores")["data"]
    whole["sessions"] = server.get("/api/v1/sessions")["data"]
    whole["traces"] = server.get("/api/v1/traces")["data"]
    return whole


def sent_twice(server: Server, folder: Path, trace_id: str) -> dict[str, Any]:
    """Replay a recording, and once more: which changes nothing."""
    replay(server, folder)
    first = snapshot(server, trace_id)
    replay(server, folder)
    assert snapshot(server, trace_id) == first
    assert server.get("/api/v1/rejected")["data"] == []
    assert {span["protocol"] for span in first["spans"]} == {"maxim"}
    return first


def tree(whole: dict[str, Any]) -> dict[str, str | None]:
    return {span["span_id"]: span["parent_span_id"] for span in whole["spans"]}


def scores(whole: dict[str, Any]) -> set[tuple[Any, ...]]:
    """Where each score belongs, what it says and who says so."""
    told = ("name", "value", "comment", "source")
    return {
        (score["span_id"] or score["session_id"] or score["trace_id"], *(score[field] for field in told))
        for score in whole["all_scores"]
    }


def files(whole: dict[str, Any]) -> set[tuple[str, str | None, str, str | None, str | None]]:
    return {
        (span["span_id"], file["name"], file["type"], file["mime_type"], file["place"])
        for span in whole["spans"]
        for file in span["attachments"]
    }


def contents(server: Server, trace_id: str) -> dict[str, bytes]:
    """The bytes of every uploaded file of a trace."""
    found = {}
    for span in server.get(f"/api/v1/traces/{trace_id}")["spans"]:
        for file in span["attachments"]:
            if file["type"] == "file":
                answer = httpx.get(file["url"], timeout=60, trust_env=False)
                assert answer.status_code == 200, answer.text
                found[file["name"] or file["id"]] = answer.content
    return found


def error(message: str, time: str, **more: Any) -> dict[str, Any]:
    return {"message": message, "startTimestamp": time, **more}


SYSTEM = {"role": "system", "content": "you are helpful"}
USER = {"role": "user", "content": "My internet is not working"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def result(
    id_: str, object_: str, created: int, model: str, usage: tuple[int, int, int], finish: str = "stop"
) -> dict[str, Any]:
    """The attributes that an answer leaves beside the fields that it fills."""
    prompt, completion, total = usage
    return {
        "model": model,
        "result.id": id_,
        "result.object": object_,
        "result.created": created,
        "result.model": model,
        "result.choices": [{"index": 0, "finish_reason": finish}],
        "result.usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total},
    }


# --- Python -----------------------------------------------------------------------------------------------------------


def py(microseconds: int) -> str:
    return f"2026-11-21T02:54:30.{microseconds:06d}Z"


def sent(microseconds: int) -> str:
    return py(microseconds).replace("Z", "+00:00")


PYTHON: dict[str, dict[str, Any]] = {
    "trace-py-1:root": {
        "type": "span",
        "name": "user-query",
        "trace_name": "user-query",
        "is_root": True,
        "start_time": py(979637),
        "end_time": py(980520),
        "level": "ERROR",
        "status_message": "trace err",
        "input": "Hello, how are you?",
        "output": "I'm fine, thank you! €😀",
        "session_id": "sess-py-1",
        "tags": ["customer:c-1", "late:1", "route:a"],
        "metadata": {"userId": "u1", "flags": [1, 2], "nested": {"a": 1.5}},
        "trace_metadata": {"userId": "u1", "flags": [1, 2], "nested": {"a": 1.5}},
        "attributes": {
            "errors": [
                error(
                    "trace err",
                    sent(980356),
                    name="MyErr",
                    code="E1",
                    errorType="T",
                    tags={"e": "1"},
                    metadata={"stack": "x"},
                )
            ],
            "evaluate": [
                {
                    "with": "variables",
                    "variables": {"input": "x"},
                    "evaluators": ["bias", "toxicity"],
                    "timestamp": sent(980386),
                },
                {"with": "evaluators", "evaluators": ["toxicity", "bias"], "timestamp": sent(980379)},
            ],
        },
    },
    "ev-1": {
        "parent_span_id": "trace-py-1:root",
        "type": "event",
        "name": "cache-miss",
        "start_time": py(979710),
        "end_time": py(979710),
        "level": "DEFAULT",
        "tags": ["k:v"],
        "metadata": {"detail": {"x": 1}},
    },
    "span-py-1": {
        "parent_span_id": "trace-py-1:root",
        "type": "span",
        "name": "classify",
        "start_time": py(979772),
        "end_time": py(980516),
        "level": "ERROR",
        "status_message": "span err",
        "input": "span input text",
        "tags": ["s:1"],
        "metadata": {"m": 1},
        "attributes": {"errors": [error("span err", sent(980368))]},
    },
    "ev-2": {
        "parent_span_id": "span-py-1",
        "type": "event",
        "name": "span-event",
        "start_time": py(979790),
        "end_time": py(979790),
        "level": "DEFAULT",
        "tags": ["a:b"],
    },
    "span-py-2": {
        "parent_span_id": "span-py-1",
        "type": "span",
        "name": "nested",
        "start_time": py(979796),
        "end_time": py(980449),
        "level": "DEFAULT",
    },
    "gen-py-1": {
        "parent_span_id": "trace-py-1:root",
        "type": "generation",
        "name": "customer-support--gather-information",
        "start_time": py(979813),
        "end_time": py(979935),
        "level": "DEFAULT",
        "model": "gpt-4o",
        "provider": "openai",
        "model_parameters": {"temperature": 0.7, "max_tokens": 100, "stop": ["a", "b"], "stream": False},
        "input": [SYSTEM, USER],
        "output": {"role": "assistant", "content": "Apologies"},
        "usage": {"input": 100, "output": 50, "total": 150},
        "cost": {"input": "0.001", "output": "0.002", "total": "0.003"},
        "cost_source": "reported",
        "tags": ["g:1"],
        "metadata": {"gm": "x"},
        "attributes": result("cmpl-7", "text_completion", 1718393286, "gpt-4o", (100, 50, 150)),
    },
    "gen-py-2": {
        "parent_span_id": "span-py-2",
        "type": "generation",
        "name": "later",
        "start_time": py(979942),
        "end_time": py(980481),
        "level": "ERROR",
        "status_message": "Rate limit",
        "model": "claude-3-5",
        "provider": "anthropic",
        "model_parameters": {"temperature": 0.1},
        "input": [{"role": "user", "content": "hi"}],
        "cost_missing": "no_usage",
        "attributes": {
            "model": "claude-3-5",
            "provider": "unknown",
            "error.code": "429",
            "error.type": "RateLimitError",
            "result.id": "1b87bf8d-5b59-4eb2-a583-05fa1f73ebc3",
        },
    },
    "gen-py-3": {
        "parent_span_id": "span-py-1",
        "type": "generation",
        "start_time": py(980046),
        "end_time": py(980256),
        "level": "DEFAULT",
        "model": "m",
        "input": [{"role": "user", "content": [{"type": "text", "text": "what?"}]}],
        "output": {"role": "assistant", "content": None, "tool_calls": [CALL]},
        "tool_calls": ["f"],
        "usage": {"input": 1, "output": 2, "total": 3},
        "cost_missing": "unknown_model",
        "attributes": {
            "provider": "unknown",
            **result("c3", "chat.completion", 1718393287, "m", (1, 2, 3), "tool_calls"),
        },
    },
    "call_abc": {
        "parent_span_id": "span-py-1",
        "type": "tool",
        "name": "get_weather",
        "start_time": py(980274),
        "end_time": py(980512),
        "level": "DEFAULT",
        "input": {"loc": "SF"},
        "output": "again",
        "tags": ["t:1"],
        "attributes": {"description": "d"},
    },
    "call_def": {
        "parent_span_id": "trace-py-1:root",
        "type": "tool",
        "name": "fail",
        "start_time": py(980295),
        "end_time": py(980317),
        "level": "ERROR",
        "status_message": "boom",
        "attributes": {"description": "d", "error.code": "500", "error.type": "ToolError"},
    },
    "ret-py-1": {
        "parent_span_id": "trace-py-1:root",
        "type": "retriever",
        "name": "kb",
        "start_time": py(980325),
        "end_time": py(980505),
        "level": "DEFAULT",
        "input": "again",
        "output": ["single"],
        "tags": ["r:1"],
    },
}


def test_python(project: Server) -> None:
    whole = sent_twice(project, CAPTURES / "maxim-python_full", "trace-py-1")
    assert {span["span_id"]: told(span) for span in whole["spans"]} == PYTHON
    assert {span["repository"] for span in whole["spans"]} == {"repo-py-1"}
    trace = whole["trace"]
    assert (trace["name"], trace["input"], trace["output"]) == (
        "user-query",
        "Hello, how are you?",
        "I'm fine, thank you! €😀",
    )
    assert (trace["start_time"], trace["end_time"]) == (py(979637), py(980520))
    assert (trace["session_id"], trace["span_count"], trace["total_cost"]) == ("sess-py-1", 11, "0.003")
    assert trace["metadata"] == PYTHON["trace-py-1:root"]["metadata"]
    assert scores(whole) == {
        ("sess-py-1", "feedback", 5, "great", "FEEDBACK"),
        ("trace-py-1", "feedback", 4, "ok", "FEEDBACK"),
        ("trace-py-1", "latency_ms", 123.4, None, "METRIC"),
        ("trace-py-1", "m2", 1, None, "METRIC"),
        ("gen-py-1", "ttft_ms", 180.5, None, "METRIC"),
        ("call_abc", "ms", 12, None, "METRIC"),
        ("ret-py-1", "precision", 0.5, None, "METRIC"),
    }
    (session,) = whole["sessions"]
    assert (session["id"], session["name"], session["trace_count"]) == ("sess-py-1", "checkout chat", 1)
    assert (session["start_time"], session["end_time"]) == (py(979325), py(980524))
    assert session["repository"] == "repo-py-1"
    assert {"env:dev", "tier:gold"} <= set(session["tags"])
    assert session["metadata"] == {
        "plan": {"name": "pro", "seats": 3},
        "n": 5,
        "event.sess-ev-1": {
            "id": "sess-ev-1",
            "name": "session-started",
            "timestamp": sent(979622),
            "tags": {"k": "v"},
        },
    }
    assert files(whole) == {
        ("trace-py-1:root", "script.py", "file", "application/octet-stream", None),
        ("trace-py-1:root", "d.txt", "file", "text/plain", None),
        ("span-py-1", "x.pdf", "url", "application/pdf", None),
        ("gen-py-1", "img.png", "file", "image/png", None),
        ("gen-py-3", None, "file", "image/png", "input"),
        ("gen-py-3", None, "url", None, "input"),
        ("ret-py-1", None, "url", None, None),
    }
    found = contents(project, "trace-py-1")
    assert {name: len(content) for name, content in found.items()} == {
        "script.py": 5052,
        "d.txt": len(found["d.txt"]),
        "img.png": 16,
        "99f1000a-44bd-4360-9904-753248e4473b": 67,
    }
    assert found["99f1000a-44bd-4360-9904-753248e4473b"].startswith(b"\x89PNG")


# --- JavaScript -------------------------------------------------------------------------------------------------------


def js(milliseconds: int) -> str:
    return f"2026-11-21T02:55:51.{milliseconds}000Z"


PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII="
)
EVALUATED = "2026-11-21T02:55:51.864Z"
JAVASCRIPT: dict[str, dict[str, Any]] = {
    "trace-js-1:root": {
        "type": "span",
        "name": "user-query",
        "trace_name": "user-query",
        "is_root": True,
        "start_time": js(862),
        "end_time": js(864),
        "level": "ERROR",
        "status_message": "trace err",
        "input": "Hello, how are you?",
        "output": "I'm fine, thank you! €😀 \u2028",
        "session_id": "sess-js-1",
        "tags": ["customer:c-1", "late:1", "route:a"],
        "metadata": {"userId": "u1", "nested": {"a": 1.5}},
        "trace_metadata": {"userId": "u1", "nested": {"a": 1.5}},
        "attributes": {
            "errors": [
                error("trace err", EVALUATED, id="err-1", name="MyErr", code="E1", errorType="T", tags={"e": "1"})
            ],
            "evaluate": [
                {
                    "with": "variables",
                    "variables": {"input": "x"},
                    "evaluators": ["bias", "toxicity"],
                    "timestamp": EVALUATED,
                },
                {"with": "evaluators", "evaluators": ["bias", "toxicity"], "timestamp": EVALUATED},
            ],
        },
    },
    "ev-1": {**PYTHON["ev-1"], "parent_span_id": "trace-js-1:root", "start_time": js(862), "end_time": js(862)},
    "span-js-1": {
        "parent_span_id": "trace-js-1:root",
        "type": "span",
        "name": "classify",
        "start_time": js(862),
        "end_time": js(864),
        "level": "ERROR",
        "status_message": "span err",
        "tags": ["s:1"],
        "metadata": {"m": 1},
        "attributes": {"errors": [error("span err", EVALUATED, id="0ce5379c-c660-4b56-9283-6fd4eaaec39d", tags={})]},
    },
    "ev-2": {**PYTHON["ev-2"], "parent_span_id": "span-js-1", "start_time": js(862), "end_time": js(862)},
    "span-js-2": {
        "parent_span_id": "span-js-1",
        "type": "span",
        "name": "nested",
        "start_time": js(862),
        "end_time": js(864),
        "level": "DEFAULT",
    },
    "gen-js-1": {
        "parent_span_id": "trace-js-1:root",
        "type": "generation",
        "name": "customer-support--gather-information",
        "start_time": js(862),
        "end_time": js(863),
        "level": "DEFAULT",
        "model": "gpt-4o",
        "provider": "openai",
        "model_parameters": {"temperature": 0.7, "max_tokens": 100, "stop": ["a", "b"]},
        "input": [SYSTEM, USER],
        "output": {"role": "assistant", "content": "Apologies"},
        "usage": {"input": 100, "output": 50, "total": 150},
        "cost": {"input": "0.00025", "output": "0.0005", "total": "0.00075"},
        "cost_source": "computed",
        "tags": ["g:1"],
        "metadata": {"gm": "x"},
        "attributes": result("cmpl-7", "text_completion", 1795229751, "gpt-4o", (100, 50, 150)),
    },
    "gen-js-2": {
        "parent_span_id": "span-js-2",
        "type": "generation",
        "name": "later",
        "start_time": js(863),
        "end_time": js(863),
        "level": "ERROR",
        "status_message": "Rate limit",
        "model": "m9",
        "provider": "anthropic",
        "model_parameters": {"temperature": 0.1},
        "input": [{"role": "user", "content": "hi"}],
        "cost_missing": "no_usage",
        "attributes": {
            "model": "m9",
            "error.code": "429",
            "error.type": "RateLimitError",
            "result.id": "4a14ae9c-1208-45fc-b788-3fa0ad512a1b",
        },
    },
    "gen-js-3": {
        "parent_span_id": "span-js-1",
        "type": "generation",
        "start_time": js(863),
        "end_time": js(863),
        "level": "DEFAULT",
        "model": "m",
        "provider": "aws.bedrock",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what?"},
                    {"type": "image_url", "image_url": {"url": PNG}},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                ],
            }
        ],
        "output": {"role": "assistant", "content": None, "tool_calls": [CALL]},
        "tool_calls": ["f"],
        "usage": {"input": 1, "output": 2, "total": 3},
        "cost": {"input": "0.1", "output": "0.2", "total": "0.3"},
        "cost_source": "reported",
        "attributes": {
            "provider": "bedrock",
            **result("c3", "chat.completion", 1718393287, "m", (1, 2, 3), "tool_calls"),
        },
    },
    "call_abc": {
        **PYTHON["call_abc"],
        "parent_span_id": "span-js-1",
        "start_time": js(863),
        "end_time": js(863),
        "output": "72F",
    },
    "call_def": {
        **PYTHON["call_def"],
        "parent_span_id": "trace-js-1:root",
        "start_time": js(863),
        "end_time": js(863),
    },
    "ret-js-1": {
        **PYTHON["ret-py-1"],
        "parent_span_id": "trace-js-1:root",
        "start_time": js(863),
        "end_time": js(864),
        "input": "query text",
    },
}


def test_javascript(project: Server) -> None:
    whole = sent_twice(project, CAPTURES / "maxim-js_full", "trace-js-1")
    assert {span["span_id"]: told(span) for span in whole["spans"]} == JAVASCRIPT
    assert (whole["trace"]["name"], whole["trace"]["total_cost"]) == ("user-query", "0.30075")
    assert scores(whole) == {
        ("sess-js-1", "feedback", 5, "great", "FEEDBACK"),
        ("sess-js-1", "turns", 3, None, "METRIC"),
        ("trace-js-1", "feedback", 4, "ok", "FEEDBACK"),
        ("trace-js-1", "latency_ms", 123.4, None, "METRIC"),
        ("gen-js-1", "ttft_ms", 180.5, None, "METRIC"),
        ("ret-js-1", "precision", 0.5, None, "METRIC"),
    }
    (session,) = whole["sessions"]
    assert (session["id"], session["name"], session["end_time"]) == ("sess-js-1", "chat", js(864))
    assert session["metadata"] == {"plan": {"name": "pro"}, "n": 5, "b": True, "z": ""}
    assert files(whole) == {
        ("trace-js-1:root", "script.js", "file", "text/javascript", None),
        ("trace-js-1:root", "d.txt", "file", "text/plain", None),
        ("span-js-1", "x.pdf", "url", "application/pdf", None),
        ("gen-js-1", "img.png", "file", "image/png", None),
        ("gen-js-3", "image.png", "file", "image/png", "input"),
        ("gen-js-3", "a.png", "url", "image/*", "input"),
    }
    found = contents(project, "trace-js-1")
    assert {name: len(content) for name, content in found.items()} == {
        "script.js": 4172,
        "d.txt": 11,
        "img.png": 16,
        "image.png": 68,
    }
    assert found["d.txt"] == b"hello bytes"


# --- Go ---------------------------------------------------------------------------------------------------------------


def go(microseconds: int) -> str:
    return f"2026-11-21T03:11:38.{microseconds:06d}Z"


GO: dict[str, dict[str, Any]] = {
    "trace-go-1:root": {
        "type": "span",
        "name": "user-query",
        "trace_name": "user-query",
        "is_root": True,
        "start_time": go(800807),
        "end_time": go(800911),
        "level": "DEFAULT",
        "input": "Hello <b> & 'q' \u2028 €😀",
        "output": "done",
        "session_id": "sess-go-1",
        "tags": ["env:dev", "k1:v1", "k2:v2", "late:1"],
    },
    # Go tells no time of events: it happened when the line before did.
    "ev-1": {
        "parent_span_id": "trace-go-1:root",
        "type": "event",
        "name": "cache-miss",
        "start_time": go(800807),
        "end_time": go(800807),
        "level": "DEFAULT",
        "tags": ["a:b"],
    },
    "gen-go-1": {
        "parent_span_id": "trace-go-1:root",
        "type": "generation",
        "name": "customer-support--gather-information",
        "start_time": go(800811),
        "end_time": go(800813),
        "level": "DEFAULT",
        "model": "gpt-4o",
        "provider": "openai",
        "model_parameters": {"max_tokens": 100, "stop": ["a"], "temperature": 0.7},
        "input": [SYSTEM, USER],
        "output": {"role": "assistant", "content": "Apologies"},
        "usage": {"input": 100, "output": 50, "total": 150},
        "cost": {"input": "0.00025", "output": "0.0005", "total": "0.00075"},
        "cost_source": "computed",
        "attributes": result("cmpl-7", "chat.completion", 1718393286, "gpt-4o", (100, 50, 150)),
    },
    "span-go-1": {
        "parent_span_id": "trace-go-1:root",
        "type": "span",
        "name": "classify",
        "start_time": go(800813),
        "end_time": go(800911),
        "level": "DEFAULT",
    },
    "span-go-2": {
        "parent_span_id": "span-go-1",
        "type": "span",
        "name": "nested",
        "start_time": go(800814),
        "end_time": go(800910),
        "level": "DEFAULT",
    },
    "gen-go-2": {
        "parent_span_id": "span-go-2",
        "type": "generation",
        "start_time": go(800814),
        "end_time": go(800816),
        "level": "ERROR",
        "status_message": "Rate limit",
        "model": "claude-3-5",
        "provider": "aws.bedrock",
        "model_parameters": {"temperature": 0.1},
        "input": [{"role": "user", "content": "hi"}],
        "cost_missing": "no_usage",
        "attributes": {
            "provider": "bedrock",
            "model": "claude-3-5",
            "error.code": "429",
            "error.type": "RateLimitError",
        },
    },
    "gen-go-3": {
        "parent_span_id": "span-go-1",
        "type": "generation",
        "start_time": go(800816),
        "end_time": go(800909),
        "level": "DEFAULT",
        "model": "m",
        "provider": "openai",
        "output": {"content": "x", "role": "assistant"},
        "usage": {"input": 1, "output": 2, "total": 3},
        "cost_missing": "unknown_model",
        "attributes": result("c3", "chat.completion", 1718393287, "m", (1, 2, 3)),
    },
    "ret-go-1": {
        "parent_span_id": "trace-go-1:root",
        "type": "retriever",
        "name": "kb",
        "start_time": go(800909),
        "end_time": go(800910),
        "level": "DEFAULT",
        "input": "query text",
        "output": ["doc 1", "doc 2"],
    },
}


def test_go_before_0_1(project: Server) -> None:
    whole = sent_twice(project, CAPTURES / "maxim-go_v0.0.5_full", "trace-go-1")
    assert {span["span_id"]: told(span) for span in whole["spans"]} == GO
    assert scores(whole) == {
        ("sess-go-1", "feedback", 5, "great", "FEEDBACK"),
        ("trace-go-1", "feedback", 4, None, "FEEDBACK"),
    }
    # This version tells nothing of a session but what happens to it.
    (session,) = whole["sessions"]
    assert (session["id"], session["name"], session["end_time"]) == ("sess-go-1", None, go(800911))
    # An error of a generation of which nothing else is told stands alone until its parent is.
    (alone,) = [trace for trace in whole["traces"] if trace["trace_id"] != "trace-go-1"]
    (orphan,) = project.get(f"/api/v1/traces/{alone['trace_id']}")["spans"]
    assert (orphan["span_id"], orphan["type"], orphan["level"], orphan["status_message"]) == (
        "gen-go-9",
        "generation",
        "ERROR",
        "late",
    )


def test_go_0_2(project: Server) -> None:
    whole = sent_twice(project, FIXTURES / "maxim-go-0.2.1", "trace-go-1")
    spans = {span["span_id"]: span for span in whole["spans"]}
    assert tree(whole) == {
        "trace-go-1:root": None,
        "span-go-1": "trace-go-1:root",
        "span-go-2": "span-go-1",
        "event-1": "trace-go-1:root",
        "event-2": "trace-go-1:root",
        "event-3": "gen-go-1",
        "gen-go-1": "span-go-2",
        "gen-go-2": "trace-go-1:root",
        "gen-go-3": "trace-go-1:root",
        "gen-go-4": "trace-go-1:root",
        "gen-go-5": "trace-go-1:root",
        "gen-go-6": "trace-go-1:root",
        "call_1": "span-go-2",
        "call_2": "trace-go-1:root",
        "ret-1": "trace-go-1:root",
    }
    root = spans["trace-go-1:root"]
    assert root["metadata"] == {"b": True, "f": 1.5, "n": 1, "nil": "null", "o": {"a": 1}, "s": "x"}
    generation = spans["gen-go-1"]
    assert generation["prompt_name"] == "prompt-2"
    assert generation["model"] == "gpt-4o"
    assert generation["attributes"]["model"] == "gpt-4o-2024-08-06"
    assert generation["model_parameters"] == {"temperature": 0.1}
    assert [message["content"] for message in generation["input"]] == ["help", [{"text": "hi", "type": "text"}], "more"]
    assert generation["tool_calls"] == ["look-up"]
    assert generation["cost"] == {"input": "0.1", "output": "0.2", "total": "0.3"}
    assert (spans["gen-go-2"]["level"], spans["gen-go-2"]["status_message"]) == ("ERROR", "rate limited")
    # Of a provider that it calls otherwise the SDK sends no result.
    assert (spans["gen-go-3"]["output"], spans["gen-go-3"]["cost_missing"]) == (None, "no_usage")
    assert spans["gen-go-4"]["model"] == "claude"
    assert spans["gen-go-5"]["usage"] == {"input": 10, "output": 2, "total": 12, "input_cache_read": 5}
    assert spans["gen-go-6"]["model"] == "gpt-4o"
    tool = spans["call_1"]
    assert (tool["name"], tool["input"], tool["output"]) == ("look-up", {"id": 1}, "found")
    assert (spans["call_2"]["level"], spans["call_2"]["status_message"]) == ("ERROR", "not reachable")
    assert spans["span-go-1"]["level"] == "ERROR"
    assert spans["span-go-1"]["attributes"]["errors.err-1"]["name"] == "boom"
    assert scores(whole) == {
        ("session-go-1", "feedback", 5, None, "FEEDBACK"),
        ("trace-go-1", "feedback", 4, "good", "FEEDBACK"),
        ("trace-go-1", "ttft_ms", 180.5, None, "METRIC"),
        ("gen-go-1", "tps", 12, None, "METRIC"),
        ("ret-1", "precision", 0.5, None, "METRIC"),
    }
    assert whole["sessions"][0]["name"] == "Chat"
    assert files(whole) == {
        ("trace-go-1:root", "shot.png", "file", "image/png", None),
        ("trace-go-1:root", "b.png", "url", "image/png", None),
        ("span-go-1", "note.txt", "file", "text/plain", None),
    }
    assert {name: len(content) for name, content in contents(project, "trace-go-1").items()} == {
        "shot.png": 8,
        "note.txt": 6,
    }


# --- the examples of Maxim's page -------------------------------------------------------------------------------------

ASKED = [
    {"role": "system", "content": "you are a helpful assistant who helps gather customer information"},
    USER,
]
ANSWERED = {"role": "assistant", "content": "Apologies for the inconvenience. Can you please share your customer id?"}


@pytest.mark.parametrize(
    ("folder", "start", "ends", "mistral"),
    [
        ("maxim-python_seed", "2026-11-21T03:13:55.179144Z", "2026-11-21T03:13:55.179741Z", "openai"),
        ("maxim-js_seed", "2026-11-21T03:13:58.593000Z", "2026-11-21T03:13:58.599000Z", "mistral_ai"),
    ],
)
def test_the_examples(project: Server, folder: str, start: str, ends: str, mistral: str) -> None:
    """The trace is made twice, the second time later: it keeps its first start."""
    whole = sent_twice(project, CAPTURES / folder, "trace-id")
    names = {
        "openai": "generation-id",
        **{name: f"generation-{name}" for name in ("azure", "bedrock", "anthropic", "mistral")},
    }
    assert tree(whole) == {
        "trace-id:root": None,
        "span-id": "trace-id:root",
        **{name: "trace-id:root" if name == "generation-id" else "span-id" for name in names.values()},
    }
    trace = whole["trace"]
    assert (trace["start_time"], trace["end_time"]) == (start, ends)
    assert (trace["generation_count"], trace["input_tokens"], trace["output_tokens"]) == (5, 500, 250)
    spans = {span["span_id"]: span for span in whole["spans"]}
    assert spans["span-id"]["name"] == "s"
    named = {"azure": "azure.ai.openai", "bedrock": "aws.bedrock", "mistral": mistral}
    for provider, name in names.items():
        span = told(spans[name])
        assert span["provider"] == named.get(provider, provider)
        assert span["name"] == "customer-support--gather-information"
        assert (span["model"], span["model_parameters"], span["level"]) == ("gpt-4o", {"temperature": 0.7}, "DEFAULT")
        assert (span["input"], span["output"]) == (ASKED, ANSWERED)
        assert span["usage"] == {"input": 100, "output": 50, "total": 150}
        assert span["end_time"] >= span["start_time"]
        assert span["attributes"]["result.created"] in (1795230835, 1795230838)
    assert spans["generation-id"]["cost"] == {"input": "0.00025", "output": "0.0005", "total": "0.00075"}
