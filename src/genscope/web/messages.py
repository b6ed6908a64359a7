"""Inputs and outputs as conversations: whatever shape a library recorded, normalised into messages of typed parts.

Shapes known: OpenAI chat and Responses (request and response), Anthropic content blocks, OpenTelemetry GenAI message
parts, Gemini contents and candidates, Bedrock Converse, LangChain messages, the AI SDK's parts, plain text. All else is
shown as pretty-printed JSON. Nothing here raises, and what it returns is bounded by the size of what it was given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import orjson

from genscope.model import Json
from genscope.web.format import one_line, size

Kind = Literal["text", "reasoning", "tool_call", "tool_result", "media", "json"]
Object = dict[str, Json]

#: More messages or parts than these are folded into one line that says how many there are.
MAX_MESSAGES: Final = 300
MAX_PARTS: Final = 200
#: An image given as a data: URI is shown up to this many characters.
MAX_IMAGE: Final = 200_000

_IMAGE: Final = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+\Z")
#: Who other vocabularies mean, in OpenAI's words.
ROLES: Final = {
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
    "function": "tool",
    "developer": "system",
    "tool_result": "tool",
}
#: The wrappers of a list of messages, in the order of their trust: the first that is there is taken.
_LISTS: Final = ("messages", "choices", "candidates", "contents", "output", "message")
#: Where a request keeps the instructions that stand before its messages.
_SYSTEM: Final = ("system", "instructions", "systemInstruction", "system_instruction")


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a message. `text` is what to read; `name` and `id` belong to tool calls and results."""

    kind: Kind
    text: str
    name: str = ""
    id: str = ""
    #: A small image as a data: URI that may be shown.
    image: str = ""

    @property
    def length(self) -> int:
        """Characters to read."""
        return len(self.text)


@dataclass(frozen=True, slots=True)
class Message:
    """What one participant said."""

    role: str
    parts: list[Part] = field(default_factory=list)
    name: str = ""


def decode(text: str) -> Json:
    """Return the JSON value that a text is, or the text itself if it is none or only a bare scalar."""
    if text.lstrip()[:1] not in ("{", "["):
        return _quoted(text)
    try:
        return orjson.loads(text)  # type: ignore[no-any-return]
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        pass
    try:  # The standard library also takes NaN, which Python programs write.
        return json.loads(text)  # type: ignore[no-any-return]
    except (ValueError, RecursionError):
        return text


def _quoted(text: str) -> str:
    """Return what a JSON string says, else the text."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(orjson.loads(text))
        except (orjson.JSONDecodeError, UnicodeEncodeError):
            pass
    return text


def pretty(value: Json) -> str:
    """Return a JSON value as indented text; a text that holds JSON is indented too, other text stays."""
    if isinstance(value, str):
        value = decode(value)
        if isinstance(value, str):
            return value
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError, TypeError):
        return one_line(repr(value), 2000) if not isinstance(value, dict | list) else "(nested too deeply to be shown)"


def conversation(text: str | None, role: str) -> list[Message]:
    """Return a span's input or output as messages. `role` is whose it is where it names nobody."""
    if text is None or not text.strip():
        return []
    try:
        found = _messages(decode(text), role, 0)
    except RecursionError:
        found = [Message(role, [Part("text", text)])]
    kept = [message for message in found if message.parts]
    if len(kept) > MAX_MESSAGES:
        note = f"{len(kept) - MAX_MESSAGES} more messages are in the raw text"
        kept = [*kept[:MAX_MESSAGES], Message("note", [Part("text", note)])]
    return kept


def is_plain(messages: list[Message], text: str | None) -> bool:
    """Whether a conversation shows nothing but the text itself, so that the raw text would only repeat it."""
    return len(messages) == 1 and len(messages[0].parts) == 1 and messages[0].parts[0].text == text


def clip(messages: list[Message], budget: int) -> tuple[list[Message], int]:
    """Return the messages cut to `budget` characters of text together, and how many characters were left out."""
    clipped: list[Message] = []
    left_out = 0
    for message in messages:
        parts = []
        for part in message.parts:
            left_out += max(len(part.text) - budget, 0)
            if budget > 0 or not part.text:
                parts.append(part if len(part.text) <= budget else replace(part, text=part.text[:budget] + "…"))
            budget = max(budget - len(part.text), 0)
        if parts:
            clipped.append(replace(message, parts=parts))
    return clipped, left_out


# --- messages ---------------------------------------------------------------------------------------------------------


def _messages(value: Json, role: str, depth: int) -> list[Message]:
    if isinstance(value, str):
        return [Message(role, [Part("text", value)])] if value.strip() else []
    if isinstance(value, dict) and depth < 4:
        return _of_object(value, role, depth)
    if isinstance(value, list) and value and depth < 4 and all(isinstance(item, dict) for item in value):
        items: list[Object] = [item for item in value if isinstance(item, dict)]
        if any(_is_message(item) or _wrapped(item) for item in items):
            return [message for item in items for message in _of_object(item, role, depth + 1)]
        if all(_is_part(item) for item in items):
            return [Message(role, _parts(value))]
    return [] if value is None else [Message(role, [Part("json", pretty(value))])]


def _of_object(value: Object, role: str, depth: int) -> list[Message]:
    if _is_message(value):
        return [_message(value, role)]
    key = _wrapped(value)
    if key:
        system = next((value[name] for name in _SYSTEM if value.get(name)), None)
        before = [Message("system", _parts(_inner(system)))] if system else []
        inner = value[key]
        if key == "candidates" and isinstance(inner, list):
            inner = [item.get("content", item) if isinstance(item, dict) else item for item in inner]
        return before + _messages(inner, role, depth + 1)
    if isinstance(value.get("data"), dict) and isinstance(value.get("type"), str) and value["type"] in ROLES:
        return [_message({**value["data"], "role": value["type"]}, role)]  # type: ignore[dict-item]
    if _is_part(value):
        return [Message(role, [_part(value)])]
    return [Message(role, [Part("json", pretty(value))])]


def _inner(value: Json) -> Json:
    """Return the parts of a Gemini system instruction, else the value."""
    return value.get("parts", value) if isinstance(value, dict) else value


def _is_message(value: Object) -> bool:
    return isinstance(value.get("role"), str) or (
        isinstance(value.get("type"), str) and value["type"] in ("human", "ai", "system") and "content" in value
    )


def _wrapped(value: Object) -> str:
    """Return the key under which an object holds messages, or an empty string."""
    for key in _LISTS:
        inner = value.get(key)
        if isinstance(inner, list) and inner and all(isinstance(item, dict) for item in inner):
            return key
        if key == "message" and isinstance(inner, dict) and (_is_message(inner) or "tool_calls" in inner):
            return key
    return ""


def _message(value: Object, role: str) -> Message:
    said = str(value.get("role") or value.get("type") or role)
    said = ROLES.get(said.lower(), said.lower())[:40]
    thoughts = (value.get(key) for key in ("reasoning_content", "reasoning", "thinking"))
    parts = [Part("reasoning", thought) for thought in thoughts if isinstance(thought, str) and thought]
    content = value.get("parts") if value.get("parts") is not None else value.get("content")
    call_id = value.get("tool_call_id")
    if said == "tool" and not (isinstance(content, list) and any(_is_result(item) for item in content)):
        parts.append(Part("tool_result", _reading(content), _text(value.get("name")), _text(call_id)))
    else:
        parts.extend(_parts(content))
    if isinstance(value.get("refusal"), str) and value["refusal"]:
        parts.append(Part("text", str(value["refusal"])))
    calls = value.get("tool_calls")
    listed = calls[:MAX_PARTS] if isinstance(calls, list) else []
    parts.extend(_tool_call(call) if isinstance(call, dict) else Part("json", pretty(call)) for call in listed)
    if isinstance(value.get("function_call"), dict):
        parts.append(_tool_call(value["function_call"]))  # type: ignore[arg-type]
    return Message(said, parts, one_line(value["name"], 60) if isinstance(value.get("name"), str) else "")


# --- parts ------------------------------------------------------------------------------------------------------------


def _parts(content: Json) -> list[Part]:
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [Part("text", content)]
    if isinstance(content, dict):
        return [_part(content)]
    if not isinstance(content, list):
        return [Part("json", pretty(content))]
    parts = [
        _part(i) if isinstance(i, dict) else Part("text", _reading(i)) for i in content[:MAX_PARTS] if i is not None
    ]
    if len(content) > MAX_PARTS:
        parts.append(Part("text", f"{len(content) - MAX_PARTS} more parts are in the raw text"))
    return [part for part in parts if part.text or part.name or part.image]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _reading(value: Json) -> str:
    """Return what a tool got or gave as text: text parts joined, JSON indented."""
    if isinstance(value, list) and value and all(isinstance(i, dict) and isinstance(i.get("text"), str) for i in value):
        return "\n".join(pretty(i["text"]) for i in value if isinstance(i, dict))
    return "" if value is None else pretty(value)


def _first(value: Object, names: Iterable[str]) -> Json:
    return next((value[name] for name in names if value.get(name) is not None), None)


def _tool_call(value: Object) -> Part:
    function = value.get("function")
    inner = function if isinstance(function, dict) else value
    arguments = _first(inner, ("arguments", "input", "args", "parameters"))
    name = _text(_first(inner, ("name", "toolName", "tool_name")))
    identity = _text(_first(value, ("id", "call_id", "toolCallId", "toolUseId", "tool_use_id")))
    return Part("tool_call", _reading(arguments), one_line(name or "tool", 120), one_line(identity, 120))


def _tool_result(value: Object) -> Part:
    result = _first(value, ("content", "result", "response", "output", "error"))
    name = _text(_first(value, ("name", "toolName", "tool_name")))
    identity = _text(_first(value, ("tool_use_id", "tool_call_id", "call_id", "toolCallId", "toolUseId", "id")))
    return Part("tool_result", _reading(result), one_line(name, 120), one_line(identity, 120))


def _reasoning(value: Object) -> Part:
    told = _first(value, ("thinking", "text", "content", "reasoning", "summary"))
    return Part("reasoning", _reading(told) or "(not disclosed by the provider)")


def _plain(value: Object) -> Part:
    return Part(
        "reasoning" if value.get("thought") is True else "text", _reading(_first(value, ("text", "content", "refusal")))
    )


def _media(value: Object) -> Part:
    inner: Json = value
    for _ in range(3):  # image_url: {url}, source: {data}, inlineData: {data}, file: {file_data}
        found = _first(inner, _MEDIA_KEYS) if isinstance(inner, dict) else None
        if not isinstance(found, dict):
            break
        inner = found
    holder = inner if isinstance(inner, dict) else value
    mime = _text(_first(holder, ("media_type", "mimeType", "mime_type", "mediaType"))) or _text(value.get("mime_type"))
    data = _text(
        _first(holder, ("url", "image_url", "uri", "fileUri", "file_data", "data", "content", "bytes", "image"))
    )
    kind = (
        _text(value.get("modality")) or _text(value.get("type")).removeprefix("input_").removesuffix("_url") or "media"
    )
    if kind in ("blob", "uri", "inlineData") and mime:
        kind = mime.partition("/")[0]
    if data and mime and not re.match(r"(?:data|https?|gs|s3|file):|@@@", data):
        data = f"data:{mime};base64,{data}"
    if data.startswith("data:"):
        told = data[5:].partition(",")[0].partition(";")[0]
        label = f"{kind} · {told or mime} · {size(len(data) * 3 // 4)}"
    else:
        label = " · ".join(filter(None, (kind, mime, one_line(data or _text(holder.get("file_id")), 300))))
    shown = data if len(data) <= MAX_IMAGE and _IMAGE.match(data) else ""
    return Part("media", label, image=shown)


_MEDIA_KEYS: Final = (
    "image_url",
    "source",
    "inlineData",
    "inline_data",
    "fileData",
    "file_data",
    "input_audio",
    "file",
    "image",
    "document",
)
#: Part types of the wire formats, by who reads them.
_READERS: Final[dict[str, Callable[[Object], Part]]] = {
    **dict.fromkeys(("text", "input_text", "output_text", "refusal", "summary_text"), _plain),
    **dict.fromkeys(("thinking", "reasoning", "redacted_thinking", "reasoning_content"), _reasoning),
    **dict.fromkeys(
        ("tool_use", "tool_call", "tool-call", "function_call", "function", "server_tool_use", "custom_tool_call"),
        _tool_call,
    ),
    **dict.fromkeys(
        (
            "tool_result",
            "tool_call_response",
            "tool-result",
            "function_call_output",
            "web_search_tool_result",
            "custom_tool_call_output",
        ),
        _tool_result,
    ),
    **dict.fromkeys(
        (
            "image",
            "image_url",
            "input_image",
            "input_audio",
            "input_file",
            "audio",
            "video",
            "file",
            "document",
            "blob",
            "uri",
            "media",
        ),
        _media,
    ),
}
#: Parts that carry no type but are known by their only key (Gemini, Bedrock Converse).
_NESTED: Final[dict[str, Callable[[Object], Part]]] = {
    "functionCall": _tool_call,
    "function_call": _tool_call,
    "toolUse": _tool_call,
    "functionResponse": _tool_result,
    "function_response": _tool_result,
    "toolResult": _tool_result,
    "reasoningContent": _reasoning,
}
_UNTYPED_MEDIA: Final = ("inlineData", "inline_data", "fileData", "image_url", "image", "document")


def _reader(value: Object) -> Callable[[Object], Part] | None:
    """Return what reads a part, or None if it is not known to be one."""
    kind = value.get("type")
    if isinstance(kind, str):
        return _READERS.get(kind)
    for key, reader in _NESTED.items():
        inner = value.get(key)
        if isinstance(inner, dict):
            return lambda _, read=reader, of=inner: read(of)  # type: ignore[misc]
    if any(isinstance(value.get(key), dict) for key in _UNTYPED_MEDIA):
        return _media
    return (
        _plain
        if isinstance(value.get("text"), str) and value.keys() <= {"text", "thought", "thoughtSignature"}
        else None
    )


def _is_part(value: Object) -> bool:
    return _reader(value) is not None


def _is_result(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    return _reader(value) is _tool_result or any(key in value for key in ("functionResponse", "toolResult"))


def _part(value: Object) -> Part:
    reader = _reader(value)
    return Part("json", pretty(value)) if reader is None else reader(value)
