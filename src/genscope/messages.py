"""Inputs and outputs as conversations: whatever shape a library recorded, normalised into messages of typed parts.

Shapes known: OpenAI chat and Responses (request and response), Anthropic content blocks, OpenTelemetry GenAI message
parts, Gemini contents and candidates, Bedrock Converse, LangChain messages, the AI SDK's and Genkit's parts, the messages that
OpenInference and OpenLLMetry flatten into attributes, plain text. All else is one part of kind `json`. Nothing here raises,
and what it returns is bounded by the size of what it was given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import orjson

from genscope.model import Json

Kind: TypeAlias = Literal[
    "text", "reasoning", "tool_call", "tool_result", "image", "audio", "video", "file", "json"
]  # fmt: skip
Object: TypeAlias = dict[str, Json]

#: Who other vocabularies mean, in OpenAI's words.
ROLES: Final = {
    "human": "user",
    "ai": "assistant",
    "aimessagechunk": "assistant",
    "model": "assistant",
    "thinking": "assistant",
    "function": "tool",
    "developer": "system",
    "tool_result": "tool",
}
#: LangChain's types of messages, which stand where others have a role.
_TYPED: Final = ("human", "ai", "system", "tool", "function", "AIMessageChunk")
#: The wrappers of messages, in the order of their trust: the first that holds some is taken.
_WRAPPERS: Final = (
    "messages",
    "choices",
    "candidates",
    "contents",
    "output",
    "message",
    "content",
    "input",
    "prompt",
    "generations",
    "kwargs",
    "inputs",
    "outputs",
)
#: Where a request keeps the instructions that stand before its messages.
_SYSTEM: Final = ("system", "instructions", "systemInstruction", "system_instruction")
#: Levels of wrappers around messages: `generations`, two lists, `message`, `kwargs`.
_DEEPEST: Final = 8
_LONGEST_NAME: Final = 256
#: Objects and arrays in a text beyond which it is left a text: a conversation of megabytes has a few thousand of them.
_MOST: Final = 100_000


@dataclass(slots=True)
class Part:
    """One piece of a message; which of the other fields say something depends on its kind."""

    kind: Kind
    #: What a text or a reasoning says.
    text: str = ""
    #: The tool of a call or a result, the file's name of media.
    name: str = ""
    #: The call that a call or a result is, a provider's id of a file.
    id: str = ""
    #: The arguments of a call, the result of one, and what else was JSON.
    value: Json = None
    mime: str = ""
    #: Where media are, if they were not sent along.
    url: str = ""
    #: Media that were sent along, in base64, and how many bytes they are.
    data: str = ""
    size: int | None = None


@dataclass(slots=True)
class Message:
    """What one participant said. `role` is `system`, `user`, `assistant` or `tool`, or another word of the sender's."""

    role: str
    parts: list[Part] = field(default_factory=list)
    name: str = ""
    #: Whether the sender made a message of this, instead of listing what was said part by part.
    whole: bool = False


def speaker(type_: str | None, side: Literal["input", "output"]) -> str:
    """Return whose an input or output is where it names nobody: people's and a model's in a call to one, else nobody's."""
    return {"input": "user", "output": "assistant"}[side] if type_ == "generation" else side


def decode(text: str) -> Json:
    """Return the JSON value that a text is, or the text itself if it is none or only a bare scalar."""
    if text[:64].lstrip()[:1] not in ("{", "["):
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


def conversation(text: str | None, role: str) -> list[Message]:
    """Return a span's input or output as messages. `role` is whose it is where it names nobody.

    What is beyond all measure, too deep or of too many objects, is one message that is the text.
    """
    if text is None or not text.strip():
        return []
    if text.count("{") + text.count("[") > _MOST:
        return [Message(role, [Part("text", text)])]
    try:
        found = _joined(_messages(decode(text), role, 0))
    except RecursionError:
        found = [Message(role, [Part("text", text)])]
    _name_results(found)
    return found


def described(part: Part) -> Object:
    """Return a part as JSON: `type`, and what a part of this kind has. Media are described, not repeated."""
    told: Object = {"type": part.kind}
    match part.kind:
        case "text" | "reasoning":
            told["text"] = part.text
        case "tool_call":
            told |= {"id": part.id or None, "name": part.name or None, "arguments": part.value}
        case "tool_result":
            told |= {"id": part.id or None, "name": part.name or None, "result": part.value}
        case "json":
            told["value"] = part.value
        case _:
            about: Object = {
                "mime_type": part.mime or None,
                "url": part.url or None,
                "size": part.size,
                "name": part.name or None,
                "id": part.id or None,
            }
            told |= {key: value for key, value in about.items() if value is not None}
    return told


def _name_results(messages: list[Message]) -> None:
    """Give results the name of the call that they answer, which most senders tell with the call alone."""
    names = {part.id: part.name for message in messages for part in message.parts if part.kind == "tool_call"}
    for message in messages:
        for part in message.parts:
            if part.kind == "tool_result" and not part.name:
                part.name = names.get(part.id, "") if part.id else ""


def _joined(messages: Iterable[Message]) -> list[Message]:
    """One message of what one participant said in a row: lists of parts become messages, results stand together."""
    joined: list[Message] = []
    for message in messages:
        if not message.parts:
            continue
        before = joined[-1] if joined else None
        if before and before.role == message.role and (message.role == "tool" or not (before.whole and message.whole)):
            before.parts.extend(message.parts)
            before.whole = before.whole and message.whole
        else:
            joined.append(message)
    return joined


# --- messages ---------------------------------------------------------------------------------------------------------


def _messages(value: Json, role: str, depth: int) -> Iterator[Message]:
    if isinstance(value, str):
        if value.strip():
            yield Message(role, [Part("text", value)])
    elif isinstance(value, dict) and depth < _DEEPEST:
        yield from _of_object(value, role, depth)
    elif isinstance(value, list) and value and depth < _DEEPEST and _speaks(value, depth):
        for item in value:
            yield from _messages(item, role, depth + 1)
    elif value is not None:
        yield Message(role, [Part("json", value=value)])


def _speaks(items: list[Json], depth: int) -> bool:
    """Whether a list holds messages, or nothing but parts of one."""
    items = [item for item in items if item is not None]  # flattened messages may leave gaps
    if all(isinstance(item, list) for item in items):
        return depth < 4 and all(isinstance(item, list) and item and _speaks(item, depth + 1) for item in items)
    objects = [item for item in items if isinstance(item, dict)]
    return len(objects) == len(items) and (
        any(_is_message(item) or _wrapped(item, depth + 1) for item in objects)
        or all(_reader(item) is not None for item in objects)
    )


def _of_object(value: Object, role: str, depth: int) -> Iterator[Message]:
    if _is_message(value):
        yield from _message(value, role)
        return
    inner = value.get("data")
    if isinstance(inner, dict) and value.get("type") in _TYPED:
        yield from _message({**inner, "role": value["type"]}, role)
        return
    key = _wrapped(value, depth)
    if key:
        # An answer of OpenAI's Responses repeats the instructions of its request.
        config = value.get("config") if key == "contents" else None
        holders = () if key == "output" else (value, config) if isinstance(config, dict) else (value,)
        system = next((holder[name] for holder in holders for name in _SYSTEM if holder.get(name)), None)
        if system:
            yield Message("system", _parts(_inner(system)), whole=True)
        told = value[key]
        if key == "message" and isinstance(told, str):
            told = decode(told)
        if key == "candidates" and isinstance(told, list):
            told = [item.get("content", item) if isinstance(item, dict) else item for item in told]
        yield from _messages(told, role, depth + 1)
        return
    reader = _reader(value)
    part = Part("json", value=value) if reader is None else reader(value)
    said = {"reasoning": "assistant", "tool_call": "assistant", "tool_result": "tool"}.get(part.kind, role)
    yield Message(said, [part])


def _inner(value: Json) -> Json:
    """Return the parts of a Gemini system instruction, else the value."""
    return value.get("parts", value) if isinstance(value, dict) else value


def _is_message(value: Object) -> bool:
    return isinstance(value.get("role"), str) or (value.get("type") in _TYPED and "content" in value)


def _wrapped(value: Object, depth: int) -> str:
    """Return the key under which an object holds messages, or an empty string."""
    if depth >= _DEEPEST:
        return ""
    for key in _WRAPPERS:
        inner = value.get(key)
        if isinstance(inner, list):
            if inner and (key == "candidates" or _speaks(inner, depth + 1)):
                return key
        elif isinstance(inner, dict):
            if _is_message(inner) or (key != "content" and ("tool_calls" in inner or _wrapped(inner, depth + 1))):
                return key
        elif isinstance(inner, str) and (
            (key == "prompt" and value.keys() <= {"prompt", *_SYSTEM})
            or (key == "input" and "instructions" in value)
            or (key == "message" and inner.startswith('{"'))
        ):
            return key
    return ""


def _message(value: Object, role: str) -> Iterator[Message]:
    told = str(value.get("role") or value.get("type") or role).lower()
    said = ROLES.get(told, told)[:40]
    name = value.get("name")
    result = said == "tool"
    parts = _said(value, told, result)
    results = [part for part in parts if part.kind == "tool_result"]
    if results:
        yield Message("tool", results, whole=True)
        parts = [part for part in parts if part.kind != "tool_result"]
    # The item `message` of OpenAI's Responses, and OpenLLMetry's of what was thought, are one of several of one turn.
    whole = value.get("type") != "message" and told != "thinking"
    yield Message(said, parts, _short(name) if not result else "", whole)


def _said(value: Object, told: str, result: bool) -> list[Part]:
    more = value.get("additional_kwargs")
    beside: Object = more if isinstance(more, dict) else {}
    thoughts = (value.get("reasoning_content"), value.get("reasoning"), value.get("thinking"))
    parts = [Part("reasoning", thought) for thought in thoughts if isinstance(thought, str) and thought]
    if not parts and isinstance(beside.get("reasoning_content"), str) and beside["reasoning_content"]:
        parts.append(Part("reasoning", str(beside["reasoning_content"])))
    content = next((value[key] for key in ("parts", "contents", "content") if value.get(key) is not None), None)
    if isinstance(content, str) and content[:2] in ("[{", "[ "):
        listed = decode(content)
        if isinstance(listed, list) and all(isinstance(item, dict) and _reader(item) for item in listed):
            content = listed
    if result and isinstance(content, dict) and content.get("type") == "function" and "function" in content:
        return []  # no message: so Langfuse's LangChain handler hands the tools on, after the messages
    if result and not (isinstance(content, list) and any(_is_result(item) for item in content)):
        identity = _first(value, ("tool_call_id", "toolCallId", "id"))
        parts.append(Part("tool_result", name=_short(value.get("name")), id=_short(identity), value=_result(content)))
    elif told == "thinking" and isinstance(content, str):
        parts.append(Part("reasoning", content))
    else:
        parts.extend(_parts(content))
    if isinstance(value.get("refusal"), str) and value["refusal"]:
        parts.append(Part("text", str(value["refusal"])))
    calls = _first(value, ("tool_calls", "toolCalls")) or beside.get("tool_calls")
    calls = decode(calls) if isinstance(calls, str) else calls
    if not any(part.kind == "tool_call" for part in parts):  # LangChain repeats a block of the content
        parts.extend(_tool_call(call) for call in (calls if isinstance(calls, list) else ()) if isinstance(call, dict))
        if isinstance(value.get("function_call"), dict):
            parts.append(_tool_call(value["function_call"]))  # type: ignore[arg-type]
    return parts


# --- parts ------------------------------------------------------------------------------------------------------------


def _parts(content: Json) -> list[Part]:
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [Part("text", content)]
    if isinstance(content, dict):
        return [_part(content)]
    if not isinstance(content, list):
        return [Part("json", value=content)]
    return [part for item in content if item is not None for part in _parts(item) if not _is_empty(part)]


def _is_empty(part: Part) -> bool:
    return part.kind == "text" and not part.text


def _short(value: Json) -> str:
    return value[:_LONGEST_NAME] if isinstance(value, str) else ""


def _plain_text(value: Json) -> str:
    """Return a text, or texts in parts as one; anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(i, dict) and isinstance(i.get("text"), str) for i in value):
        return "\n".join(str(i["text"]) for i in value if isinstance(i, dict))
    if value is None or value == []:
        return ""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return ""


def _result(value: Json) -> Json:
    """Return what a tool gave: JSON as the value that it is, parts that are nothing but text as one text."""
    if isinstance(value, str):
        return decode(value)
    if isinstance(value, dict) and value.get("type") in _AI_SDK_RESULTS and "value" in value:
        return _result(value["value"])
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        only = value[0] if len(value) == 1 else None
        if isinstance(only, dict) and only.keys() == {"json"}:
            return only["json"]
        if all(isinstance(item, dict) and _reader(item) for item in value):
            parts = _parts(value)
            if all(part.kind == "text" for part in parts):
                return decode("\n".join(part.text for part in parts))
            return [described(part) for part in parts]
    return value


_AI_SDK_RESULTS: Final = ("text", "json", "error-text", "error-json", "content")


def _first(value: Object, names: Iterable[str]) -> Json:
    return next((value[name] for name in names if value.get(name) is not None), None)


def _tool_call(value: Object) -> Part:
    value = value["tool_call"] if isinstance(value.get("tool_call"), dict) else value  # type: ignore[assignment]
    function = value.get("function")
    inner = function if isinstance(function, dict) else value
    arguments = _first(inner, ("arguments", "input", "args", "parameters", "action", "code"))
    arguments = arguments or inner.get("partial_json", arguments)  # LangChain's sum of what Anthropic streamed
    name = _short(_first(inner, ("name", "toolName", "tool_name")))
    kind = value.get("type")
    if not name and isinstance(kind, str) and kind.endswith("_call"):
        name = _short(kind.removesuffix("_call"))  # a provider's own tool: `web_search_call`
    identity = _first(value, ("call_id", "id", "toolCallId", "toolUseId", "tool_use_id", "ref"))
    arguments = decode(arguments) if isinstance(arguments, str) else arguments
    return Part("tool_call", name=name, id=_short(identity), value=arguments)


def _tool_result(value: Object) -> Part:
    told = _first(value, ("content", "result", "response", "output", "error"))
    name = _first(value, ("name", "toolName", "tool_name"))
    identity = _first(value, ("tool_use_id", "tool_call_id", "call_id", "toolCallId", "toolUseId", "id", "ref"))
    return Part("tool_result", name=_short(name), id=_short(identity), value=_result(told))


def _function_response(value: Object) -> Part:
    """Gemini wants an object, so that what is none stands in one, under `result` or `output`."""
    part = _tool_result(value)
    if isinstance(part.value, dict) and len(part.value) == 1:
        part.value = _result(next((v for k, v in part.value.items() if k in ("result", "output")), part.value))
    return part


def _reasoning(value: Object) -> Part:
    told = _first(value, ("thinking", "text", "content", "reasoningText", "reasoning", "summary"))
    return Part("reasoning", _plain_text(told.get("text") if isinstance(told, dict) else told))


def _plain(value: Object) -> Part:
    kind: Kind = "reasoning" if value.get("thought") is True else "text"
    return Part(kind, _plain_text(_first(value, ("text", "content", "refusal"))))


# --- media ------------------------------------------------------------------------------------------------------------

#: Objects in which the sender put what media are and where.
_WITHIN: Final = (
    "image_url",
    "source",
    "inlineData",
    "inline_data",
    "fileData",
    "file_data",
    "input_audio",
    "audio_url",
    "video_url",
    "file",
    "image",
    "audio",
    "video",
    "document",
    "media",
    "s3Location",
)
_MIME: Final = ("media_type", "mimeType", "mime_type", "mediaType", "contentType", "content_type")
_CONTENT: Final = (
    "url",
    "uri",
    "fileUri",
    "file_uri",
    "file_url",
    "image_url",
    "audio_url",
    "video_url",
    "data",
    "bytes",
    "base64",
    "file_data",
    "content",
    "image",
    "audio",
    "file",
    "result",
)
_NAMES: Final = ("filename", "file_name", "name", "title", "displayName")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,15}:|@@@")
_REFERENCE: Final = re.compile(r"@@@langfuseMedia:type=([\w.+/-]+)")
#: Media types by the short names that some formats have for them.
_FORMATS: Final = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "mp3": "audio/mpeg",
    **{form: f"image/{form}" for form in ("png", "jpeg", "gif", "webp")},
    **{form: f"audio/{form}" for form in ("wav", "flac", "opus", "aac", "ogg")},
    **{form: f"video/{form}" for form in ("mp4", "webm", "mov", "mkv")},
}
_KINDS: Final[dict[str, Kind]] = {"image": "image", "audio": "audio", "video": "video"}


def _media(value: Object) -> Part:
    """Read media wherever the wire formats keep them: in a data: URI, beside their media type, or elsewhere by URL."""
    part = Part("file")
    told, holder = "", value
    for _ in range(4):
        part.mime = part.mime or _short(_first(holder, _MIME))
        part.name = part.name or _short(_first(holder, _NAMES))
        part.id = part.id or _short(_first(holder, ("file_id", "fileId")))
        told = told or _short(holder.get("modality")) or _short(holder.get("type"))
        part.mime = part.mime or _FORMATS.get(_short(holder.get("format")).lower(), "")
        sent = next((holder[key] for key in _CONTENT if isinstance(holder.get(key), str) and holder[key]), None)
        inner = next(((key, holder[key]) for key in _WITHIN if isinstance(holder.get(key), dict)), None)
        if isinstance(sent, str):
            _place(part, sent)
            break
        if inner is None:
            break
        key, below = inner
        told = f"{told} {key}"
        holder = below if isinstance(below, dict) else {}
    words = (part.mime.partition("/")[0], *_KINDS)
    part.kind = next(
        (_KINDS[word] for word in words if word in _KINDS and word in f"{part.mime} {told}".lower()), "file"
    )
    return part


def _place(part: Part, sent: str) -> None:
    if sent.startswith("data:"):
        head, _, data = sent.partition(",")
        part.mime = head[5:].partition(";")[0] or part.mime
        encoded = head.endswith(";base64")
        part.data, part.size = (data, _bytes(data)) if encoded else ("", len(data))
    elif _SCHEME.match(sent):
        part.url = sent
        if reference := _REFERENCE.match(sent):
            part.mime = part.mime or reference[1]
    else:
        part.data, part.size = sent, _bytes(sent)


def _bytes(data: str) -> int:
    """Return how many bytes a text in base64 is."""
    return len(data) * 3 // 4 - data[-2:].count("=")


# --- which reader -----------------------------------------------------------------------------------------------------

_Reader: TypeAlias = Callable[[Object], Part]

#: Part types of the wire formats, by who reads them.
_READERS: Final[dict[str, _Reader]] = {
    **dict.fromkeys(("text", "input_text", "output_text", "refusal", "summary_text"), _plain),
    **dict.fromkeys(("thinking", "reasoning", "redacted_thinking", "reasoning_content"), _reasoning),
    **dict.fromkeys(
        (
            "tool_use",
            "tool_call",
            "tool-call",
            "function_call",
            "function",
            "server_tool_use",
            "mcp_tool_use",
            "server_tool_call",
            "custom_tool_call",
            "mcp_call",
            "web_search_call",
            "file_search_call",
            "computer_call",
            "code_interpreter_call",
            "local_shell_call",
        ),
        _tool_call,
    ),
    **dict.fromkeys(
        (
            "tool_result",
            "server_tool_call_response",
            "tool-result",
            "function_call_output",
            "web_search_tool_result",
            "mcp_tool_result",
            "custom_tool_call_output",
            "computer_call_output",
        ),
        _tool_result,
    ),
    "tool_call_response": _function_response,  # what the provider was given, so it may be Gemini's
    **dict.fromkeys(
        (
            "image",
            "image_url",
            "input_image",
            "input_audio",
            "input_file",
            "image_generation_call",
            "audio",
            "audio_url",
            "video",
            "video_url",
            "file",
            "document",
            "blob",
            "uri",
            "media",
        ),
        _media,
    ),
}
#: Parts that carry no type but are known by the key that holds them (Gemini, Bedrock Converse, Genkit, OpenInference).
_NESTED: Final[dict[str, _Reader]] = {
    "functionCall": _tool_call,
    "function_call": _tool_call,
    "toolUse": _tool_call,
    "toolRequest": _tool_call,
    "tool_call": _tool_call,
    "functionResponse": _function_response,
    "function_response": _function_response,
    "toolResult": _tool_result,
    "toolResponse": _tool_result,
    "reasoningContent": _reasoning,
}
_UNTYPED_MEDIA: Final = (
    "inlineData",
    "inline_data",
    "fileData",
    "file_data",
    "image_url",
    "image",
    "audio",
    "video",
    "document",
    "media",
)
_TEXT_KEYS: Final = frozenset({"text", "thought", "thoughtSignature", "thought_signature"})


def _reader(value: Object) -> _Reader | None:
    """Return what reads a part, or None if it is not known to be one."""
    kind = value.get("type")
    if isinstance(kind, str) and kind in _READERS:
        return _READERS[kind]
    for key, reader in _NESTED.items():
        inner = value.get(key)
        if isinstance(inner, dict):
            return lambda _, read=reader, of=inner: read(of)  # type: ignore[misc]
    content = value.get("message_content")
    if isinstance(content, dict):
        return (lambda _, of=content: _part(of)) if _reader(content) else None  # type: ignore[misc]
    if isinstance(kind, str):
        return None
    if any(isinstance(value.get(key), dict) for key in _UNTYPED_MEDIA):
        return _media
    if isinstance(value.get("toolName"), str) and "toolCallId" in value:
        return _tool_result if "result" in value or "output" in value else _tool_call
    if isinstance(value.get("reasoning"), str) and len(value) == 1:
        return _reasoning
    return _plain if isinstance(value.get("text"), str) and value.keys() <= _TEXT_KEYS else None


def _is_result(value: Json) -> bool:
    return isinstance(value, dict) and (
        _READERS.get(str(value.get("type"))) in (_tool_result, _function_response)
        or any(key in value for key in ("functionResponse", "function_response", "toolResult", "toolResponse"))
    )


def _part(value: Object) -> Part:
    reader = _reader(value)
    return Part("json", value=value) if reader is None else reader(value)
