"""Programs that repeat a recorded call to a model: its messages, tools and parameters as a request to the provider's API.

Everything recorded is hostile: what goes into a program is one literal that its language quotes. Keys stand in the environment, and
are sent to the provider's own address alone, never to one that a span names.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pprint import pformat
from typing import Any, Final

from genscope.messages import Message, Part, conversation, decode
from genscope.model import Json, Span

Object = dict[str, Any]

#: Parameters that requests have; all others that were recorded stay out.
PARAMETERS: Final = frozenset(
    (
        "temperature",
        "top_p",
        "top_k",
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "stop",
        "stop_sequences",
        "seed",
        "n",
        "presence_penalty",
        "frequency_penalty",
        "reasoning_effort",
        "reasoning",
        "response_format",
        "text",
        "tool_choice",
        "parallel_tool_calls",
        "logprobs",
        "service_tier",
        "dimensions",
        "thinking",
    )
)
#: Providers with the API of OpenAI: where it is, and the variable that has the key.
COMPATIBLE: Final = {
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "mistral_ai": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "deepseek": ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "x_ai": ("https://api.x.ai/v1", "XAI_API_KEY"),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "gcp.gemini": ("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
}
ANTHROPIC: Final = "https://api.anthropic.com/v1"
#: What Anthropic wants to be told, where nobody recorded it.
MAX_TOKENS: Final = 1024
#: Items of the input of OpenAI's Responses that no message of a chat is.
_ITEMS: Final = ("function_call", "function_call_output", "reasoning")


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a model. `base` is empty for a server of which nothing is known but that it speaks OpenAI's API."""

    base: str
    path: str
    #: The method of the provider's Python client.
    method: str
    #: The variable of the environment that has the key.
    key: str
    body: Object
    anthropic: bool = False
    #: What was recorded and is left out, for people.
    left_out: list[str] = field(default_factory=list)


def call(span: Span) -> Call | None:
    """Return the request that would repeat the call of a span; None if it is none, or neither its model nor its input is known."""
    if not span.model or not span.input:
        return None
    base, key = COMPATIBLE.get(span.provider or "openai", ("", "OPENAI_API_KEY"))
    given = decode(span.input)
    parameters: Object = {name: value for name, value in (span.model_parameters or {}).items() if name in PARAMETERS}
    if span.type == "embedding":
        texts = [part.text for message in conversation(span.input, "user") for part in message.parts if part.text]
        body: Object = {"model": span.model, "input": texts or span.input} | parameters
        return Call(base, "/embeddings", "embeddings.create", key, body)
    if span.type != "generation":
        return None
    left_out = sorted(set(span.model_parameters or {}) - PARAMETERS - {"tools", "stream"})
    tools = _tools(given, span.model_parameters)
    said = conversation(span.input, "user")
    if span.provider == "anthropic":
        body = _anthropic(said, parameters, tools) | {"model": span.model}
        return Call(
            ANTHROPIC, "/messages", "messages.create", "ANTHROPIC_API_KEY", body, anthropic=True, left_out=left_out
        )
    if _is_responses(given):
        body = {"model": span.model, **_responses(given), **parameters}
        if tools:
            body["tools"] = [{"type": "function", **tool} for tool in tools]
        return Call(base, "/responses", "responses.create", key, body, left_out=left_out)
    body = {"model": span.model, "messages": [one for message in said for one in _openai(message)]} | parameters
    if tools:
        body["tools"] = [{"type": "function", "function": tool} for tool in tools]
    return Call(base, "/chat/completions", "chat.completions.create", key, body, left_out=left_out)


def curl(call: Call) -> str:
    """Return a shell command that makes the call."""
    url = shlex.quote(call.base + call.path) if call.base else f'"${{OPENAI_BASE_URL:?}}"{call.path}'
    key = f'"x-api-key: ${call.key}"' if call.anthropic else f'"Authorization: Bearer ${call.key}"'
    lines = [f"curl {url}", f"-H {key}", "-H 'Content-Type: application/json'"]
    if call.anthropic:
        lines.append("-H 'anthropic-version: 2023-06-01'")
    # ASCII alone: nothing in it can move a terminal or turn a line around.
    lines.append(f"-d {shlex.quote(json.dumps(call.body, indent=2))}")
    return _note(call) + " \\\n  ".join(lines) + "\n"


def python(call: Call) -> str:
    """Return a program that makes the call with the provider's own library."""
    library, client = ("anthropic", "Anthropic") if call.anthropic else ("openai", "OpenAI")
    own = call.anthropic or call.base == COMPATIBLE["openai"][0]
    if own:
        arguments = ""
    elif call.base:
        arguments = f'base_url="{call.base}", api_key=os.environ["{call.key}"]'
    else:
        arguments = 'base_url=os.environ["OPENAI_BASE_URL"]'
    imports = f"from {library} import {client}\n" if own else f"import os\n\nfrom {library} import {client}\n"
    # What cannot be printed, and what turns a line around, is escaped in a literal.
    request = pformat(call.body, width=100, sort_dicts=False)
    return (
        f"{_note(call)}{imports}\nrequest = {request}\n\nclient = {client}({arguments})\n"
        f"response = client.{call.method}(**request)\nprint(response.model_dump_json(indent=2))\n"
    )


LANGUAGES: Final[Mapping[str, Callable[[Call], str]]] = {"sh": curl, "py": python}


def _note(call: Call) -> str:
    names = ", ".join(json.dumps(name[:60])[1:-1] for name in call.left_out[:20])
    return f"# Recorded, but not sent again: {names}\n" if names else ""


def _tools(given: Json, parameters: Mapping[str, Json] | None) -> list[Object]:
    """Return the definitions of the tools that a call offered, as OpenAI has them within `function`."""
    told = given.get("tools") if isinstance(given, dict) else None
    told = told or (parameters or {}).get("tools")
    told = decode(told) if isinstance(told, str) else told
    tools = []
    for one in told if isinstance(told, list) else ():
        if not isinstance(one, dict):
            continue
        inner = one.get("function")
        tool = inner if isinstance(inner, dict) else one
        if not isinstance(tool.get("name"), str):
            continue
        schema = next((tool[name] for name in ("parameters", "input_schema", "inputSchema") if tool.get(name)), None)
        tools.append(
            {"name": tool["name"]}
            | ({"description": tool["description"]} if tool.get("description") else {})
            | {"parameters": schema or {"type": "object", "properties": {}}}
        )
    return tools


def _is_responses(given: Json) -> bool:
    items = given.get("input") if isinstance(given, dict) else given
    return (isinstance(given, dict) and "input" in given and "messages" not in given) or (
        isinstance(items, list) and any(isinstance(item, dict) and item.get("type") in _ITEMS for item in items)
    )


def _responses(given: Json) -> Object:
    if not isinstance(given, dict):
        return {"input": given}
    return {"input": given["input"]} | ({"instructions": given["instructions"]} if given.get("instructions") else {})


def _text(part: Part) -> str:
    return part.text if part.kind == "text" else _written(part.value)


def _written(value: Json) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _openai(message: Message) -> list[Object]:
    """Return a message as those of OpenAI's chat: each result of a tool is one of its own."""
    results = [
        {"role": "tool", "tool_call_id": part.id, "content": _written(part.value)}
        for part in message.parts
        if part.kind == "tool_result"
    ]
    calls = [
        {
            "id": part.id,
            "type": "function",
            "function": {"name": part.name, "arguments": _written(part.value) or "{}"},
        }
        for part in message.parts
        if part.kind == "tool_call"
    ]
    content: list[Object] = []
    for part in message.parts:
        if part.kind in ("text", "json"):
            content.append({"type": "text", "text": _text(part)})
        elif part.kind == "image" and (part.url or part.data):
            url = part.url or f"data:{part.mime or 'image/png'};base64,{part.data}"
            content.append({"type": "image_url", "image_url": {"url": url}})
    if not content and not calls:
        return results
    said: Object = {"role": message.role if message.role in ("system", "assistant", "tool") else "user"}
    plain = all(part["type"] == "text" for part in content)
    said["content"] = ("\n".join(part["text"] for part in content) or None) if plain else content
    return [*results, said | ({"tool_calls": calls} if calls else {})]


def _anthropic(said: list[Message], parameters: Object, tools: list[Object]) -> Object:
    """Return messages as those of Anthropic, which keeps the instructions beside them."""
    system = "\n\n".join(
        _text(part) for message in said if message.role == "system" for part in message.parts if part.kind == "text"
    )
    messages: list[Object] = []
    for message in said:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = [block for part in message.parts if (block := _block(part))]
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += blocks
        elif blocks:
            messages.append({"role": role, "content": blocks})
    body: Object = {"max_tokens": MAX_TOKENS, "messages": messages} | parameters
    if system:
        body["system"] = system
    if tools:
        body["tools"] = [
            {name: value for name, value in tool.items() if name != "parameters"} | {"input_schema": tool["parameters"]}
            for tool in tools
        ]
    return body


def _block(part: Part) -> Object | None:
    match part.kind:
        case "text" | "json":
            return {"type": "text", "text": _text(part)}
        case "tool_call":
            given = decode(part.value) if isinstance(part.value, str) else part.value
            return {
                "type": "tool_use",
                "id": part.id,
                "name": part.name,
                "input": given if isinstance(given, dict) else {},
            }
        case "tool_result":
            return {"type": "tool_result", "tool_use_id": part.id, "content": _written(part.value)}
        case "image" if part.data:
            source = {"type": "base64", "media_type": part.mime or "image/png", "data": part.data}
            return {"type": "image", "source": source}
        case "image" if part.url:
            return {"type": "image", "source": {"type": "url", "url": part.url}}
        case _:
            return None
