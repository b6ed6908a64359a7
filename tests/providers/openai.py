"""OpenAI's wire format: Chat Completions and Responses, plain and streamed.

Source: the answers of api.openai.com, https://platform.openai.com/docs/api-reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.providers.conversation import ANSWER, ARGUMENTS, PROVIDERS, TOOL_NAME
from tests.providers.wire import compact, events, pieces, turn

PROVIDER = PROVIDERS["openai"]
CREATED = 1762340000


async def chat(request: Request) -> Response:
    """POST /v1/chat/completions."""
    asked = await request.json()
    number = turn(asked)
    if not asked.get("stream"):
        return JSONResponse(_completion(number))
    with_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
    return events(("", data) for data in _chunks(number, with_usage))


async def responses(request: Request) -> Response:
    """POST /v1/responses."""
    asked = await request.json()
    number = turn(asked)
    if not asked.get("stream"):
        return JSONResponse(_response(number, asked))
    numbers = count()
    told = ({"type": name, "sequence_number": next(numbers), **data} for name, data in _steps(number, asked))
    return events((event["type"], compact(event)) for event in told)


# --- Chat Completions -------------------------------------------------------------------------------------------------


def _chat_usage(number: int) -> dict[str, Any]:
    used = PROVIDER.calls[number].usage
    return {
        "prompt_tokens": used["input"],
        "completion_tokens": used["output"],
        "total_tokens": used["total"],
        "prompt_tokens_details": {"cached_tokens": used["input_cache_read"], "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": used["output_reasoning"],
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _head(number: int, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-order4711turn{number}",
        "object": kind,
        "created": CREATED + number,
        "model": PROVIDER.model,
        "service_tier": "default",
        "system_fingerprint": None,
    }


def _tool_call(arguments: str) -> dict[str, Any]:
    return {"id": PROVIDER.call_id, "type": "function", "function": {"name": TOOL_NAME, "arguments": arguments}}


def _completion(number: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": ANSWER, "refusal": None, "annotations": []}
    if number == 0:
        message |= {"content": None, "tool_calls": [_tool_call(compact(ARGUMENTS))]}
    finish = ("tool_calls", "stop")[number]
    return {
        **_head(number, "chat.completion"),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": _chat_usage(number),
    }


def _chunks(number: int, with_usage: bool) -> Iterator[str]:
    # With `include_usage` every chunk has a usage, which is null but in the last one.
    head = _head(number, "chat.completion.chunk") | ({"usage": None} if with_usage else {})

    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        return compact({**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]})

    if number == 0:
        started = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"index": 0, **_tool_call("")}],
            "refusal": None,
        }
        yield chunk(started)
        for piece in pieces(compact(ARGUMENTS)):
            yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        yield chunk({}, "tool_calls")
    else:
        yield chunk({"role": "assistant", "content": "", "refusal": None})
        for piece in pieces(ANSWER):
            yield chunk({"content": piece})
        yield chunk({}, "stop")
    if with_usage:
        yield compact({**head, "choices": [], "usage": _chat_usage(number)})
    yield "[DONE]"


# --- Responses --------------------------------------------------------------------------------------------------------


def _items(number: int) -> list[dict[str, Any]]:
    reasoning: dict[str, Any] = {"id": f"rs_order4711turn{number}", "type": "reasoning", "summary": []}
    call = {
        "id": "fc_order4711",
        "type": "function_call",
        "status": "completed",
        "arguments": compact(ARGUMENTS),
        "call_id": PROVIDER.call_id,
        "name": TOOL_NAME,
    }
    message = {
        "id": "msg_order4711",
        "type": "message",
        "status": "completed",
        "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": ANSWER}],
        "role": "assistant",
    }
    return [reasoning, (call, message)[number]]


def _response(number: int, asked: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    used = PROVIDER.calls[number].usage
    usage = {
        "input_tokens": used["input"],
        "input_tokens_details": {"cached_tokens": used["input_cache_read"]},
        "output_tokens": used["output"],
        "output_tokens_details": {"reasoning_tokens": used["output_reasoning"]},
        "total_tokens": used["total"],
    }
    done = status == "completed"
    return {
        "id": f"resp_order4711turn{number}",
        "object": "response",
        "created_at": CREATED + number,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": asked.get("instructions"),
        "max_output_tokens": None,
        "max_tool_calls": None,
        "model": PROVIDER.model,
        "output": _items(number) if done else [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": "medium", "summary": None},
        "safety_identifier": None,
        "service_tier": "default" if done else "auto",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": asked.get("tools") or [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage if done else None,
        "user": None,
        "metadata": {},
    }


def _steps(number: int, asked: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of a streamed response without their numbers."""
    yield "response.created", {"response": _response(number, asked, "in_progress")}
    yield "response.in_progress", {"response": _response(number, asked, "in_progress")}
    reasoning, item = _items(number)
    yield "response.output_item.added", {"output_index": 0, "item": reasoning}
    yield "response.output_item.done", {"output_index": 0, "item": reasoning}
    place = {"item_id": item["id"], "output_index": 1}
    if item["type"] == "function_call":
        started = item | {"status": "in_progress", "arguments": ""}
        yield "response.output_item.added", {"output_index": 1, "item": started}
        for piece in pieces(item["arguments"]):
            yield "response.function_call_arguments.delta", {**place, "delta": piece}
        yield "response.function_call_arguments.done", {**place, "arguments": item["arguments"], "name": TOOL_NAME}
    else:
        part = item["content"][0]
        place = {**place, "content_index": 0}
        started = item | {"status": "in_progress", "content": []}
        yield "response.output_item.added", {"output_index": 1, "item": started}
        yield "response.content_part.added", {**place, "part": part | {"text": ""}}
        for piece in pieces(ANSWER):
            yield "response.output_text.delta", {**place, "delta": piece, "logprobs": []}
        yield "response.output_text.done", {**place, "text": ANSWER, "logprobs": []}
        yield "response.content_part.done", {**place, "part": part}
    yield "response.output_item.done", {"output_index": 1, "item": item}
    yield "response.completed", {"response": _response(number, asked)}


routes = [
    Route("/v1/chat/completions", chat, methods=["POST"]),
    Route("/v1/responses", responses, methods=["POST"]),
]
