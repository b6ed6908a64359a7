"""Conversations as a page shows them: the parts of `genscope.messages` as text, cut to what a page can bear."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from genscope import messages
from genscope.messages import decode
from genscope.model import Json
from genscope.web.format import one_line, size
from genscope.web.media import Address, Medium, nowhere, split

#: More messages or parts than these are folded into one line that says how many there are.
MAX_MESSAGES: Final = 300
MAX_PARTS: Final = 200
#: An image that was sent along is shown up to this many characters.
MAX_IMAGE: Final = 200_000
#: Characters of indented JSON, which is more than any page shows of it.
MAX_INDENTED: Final = 400_000
_INDENTED: Final = json.JSONEncoder(indent=2, ensure_ascii=False)
#: Images that a browser may be given.
_SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a message. `text` is what to read; `name` and `id` belong to tool calls and results."""

    kind: Literal["text", "reasoning", "tool_call", "tool_result", "media", "json"]
    text: str
    name: str = ""
    id: str = ""
    #: A small image as a data: URI that may be shown.
    image: str = ""
    #: A file that was uploaded by itself.
    medium: Medium | None = None
    #: What came of a tool call, where that is known.
    result: Part | None = None

    @property
    def length(self) -> int:
        """Characters to read."""
        return len(self.text) + (self.result.length if self.result else 0)


@dataclass(frozen=True, slots=True)
class Message:
    """What one participant said."""

    role: str
    parts: list[Part] = field(default_factory=list)
    name: str = ""


def pretty(value: Json) -> str:
    """Return JSON as indented text, its beginning if it is long; a text that holds JSON is indented too, other text stays."""
    if isinstance(value, str):
        value = decode(value)
        if isinstance(value, str):
            return value
    try:
        text, length = [], 0
        for piece in _INDENTED.iterencode(value):
            text.append(piece)
            length += len(piece)
            if length > MAX_INDENTED:
                return "".join(text) + "…"
        return "".join(text)
    except (ValueError, RecursionError, TypeError):
        return one_line(repr(value), 2000) if not isinstance(value, dict | list) else "(nested too deeply to be shown)"


def conversation(text: str | None, role: str, address: Address = nowhere) -> list[Message]:
    """Return a span's input or output as messages to show. `role` is whose it is where it names nobody.

    `address` tells where the files are that it refers to.
    """
    return shown(messages.conversation(text, role), address)


def shown(said: Sequence[messages.Message], address: Address = nowhere) -> list[Message]:
    """Return messages as a page shows them, see `conversation`."""
    shown = [Message(one.role, _parts(one.parts, address), one_line(one.name, 60)) for one in said[:MAX_MESSAGES]]
    if len(said) > MAX_MESSAGES:
        shown.append(Message("note", [Part("text", f"{len(said) - MAX_MESSAGES} more messages are in the raw text")]))
    return [message for message in shown if message.parts]


def _parts(parts: list[messages.Part], address: Address) -> list[Part]:
    shown = [piece for part in parts[:MAX_PARTS] for piece in _with_media(_part(part), address)]
    if len(parts) > MAX_PARTS:
        shown.append(Part("text", f"{len(parts) - MAX_PARTS} more parts are in the raw text"))
    return [part for part in shown if part.text or part.name or part.image or part.medium]


def _with_media(part: Part, address: Address) -> Iterator[Part]:
    """Yield a part and the media that it refers to: in their places in a text, after anything else."""
    pieces = list(split(part.text, address))
    if part.kind == "text" and len(pieces) > 1:
        for piece in pieces:
            if isinstance(piece, Medium):
                yield Part("media", piece.name, medium=piece)
            elif piece.strip():
                yield Part("text", piece.strip())
        return
    media = {piece.key: Part("media", piece.name, medium=piece) for piece in pieces if isinstance(piece, Medium)}
    if not (media and part.kind == "media"):
        yield part
    yield from media.values()


def _part(part: messages.Part) -> Part:
    match part.kind:
        case "text":
            return Part("text", part.text)
        case "reasoning":
            return Part("reasoning", part.text or "(not disclosed by the provider)")
        case "tool_call" | "tool_result":
            told = "" if part.value is None else pretty(part.value)
            name = part.name or ("tool" if part.kind == "tool_call" else "")
            return Part(part.kind, told, one_line(name, 120), one_line(part.id, 120))
        case "json":
            return Part("json", pretty(part.value))
        case _:
            return _media(part)


def _media(part: messages.Part) -> Part:
    where = part.url if part.size is None else size(part.size)
    label = " · ".join(one_line(told, 300) for told in (part.kind, part.name, part.mime, where or part.id) if told)
    shown = part.data and part.mime in _SHOWN and len(part.data) <= MAX_IMAGE
    return Part("media", label, image=f"data:{part.mime};base64,{part.data}" if shown else "")


def results(messages: Sequence[Message]) -> dict[str, Part]:
    """Return the results of tools in messages by the ids of the calls that they answer."""
    return {part.id: part for message in messages for part in message.parts if part.kind == "tool_result" and part.id}


def paired(said: Sequence[Message], known: Mapping[str, Part]) -> list[Message]:
    """Return messages with each tool call beside its result, which is left out where it stood by itself.

    `known` are results by the ids of the calls.
    """
    calls = {part.id for message in said for part in message.parts if part.kind == "tool_call" and part.id in known}
    beside = []
    for message in said:
        parts = [
            replace(part, result=known[part.id]) if part.kind == "tool_call" and part.id in calls else part
            for part in message.parts
            if not (part.kind == "tool_result" and part.id in calls and part == known[part.id])
        ]
        if parts:
            beside.append(replace(message, parts=parts))
    return beside


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
            kept, hidden = _clipped(part, budget)
            left_out += hidden
            budget = max(budget - part.length, 0)
            if kept:
                parts.append(kept)
        if parts:
            clipped.append(replace(message, parts=parts))
    return clipped, left_out


def _clipped(part: Part, budget: int) -> tuple[Part | None, int]:
    result, hidden = part.result, 0
    if result:
        result, hidden = _clipped(result, max(budget - len(part.text), 0))
    hidden += max(len(part.text) - budget, 0)
    if part.text and budget <= 0:
        return None, hidden
    if len(part.text) > budget or result is not part.result:
        text = part.text if len(part.text) <= budget else part.text[:budget] + "…"
        return replace(part, text=text, result=result), hidden
    return part, hidden
