"""One line of an input or an output for a list, also where the store cut the text and it is no JSON any more."""

from __future__ import annotations

import re
from typing import Final

import orjson

from genscope.messages import ROLES, decode
from genscope.store.previews import PREVIEW
from genscope.web.format import one_line
from genscope.web.messages import conversation

#: What the store puts between the first and the last `PREVIEW` characters of a long input.
CUT: Final = " … "

_STRING: Final = r'(?P<text>(?:[^"\\]|\\.)*)(?P<closed>"?)'
#: A text inside JSON, and one whose speaker is named before it.
_TEXT: Final = re.compile(rf'"(?:content|text|response)"\s*:\s*"{_STRING}', re.DOTALL)
_SAID: Final = re.compile(
    rf'"role"\s*:\s*"(?P<role>\w+)"(?:(?!"role"\s*:).)*?"(?:content|text)"\s*:\s*"{_STRING}', re.DOTALL
)
#: The rest of a text in the middle of which the last characters begin.
_REST: Final = re.compile(rf'"?{_STRING}[}}\]]', re.DOTALL)


def preview(text: str | None, role: str, length: int = 160) -> str:
    """Return one line that says most about an input (`role` user: what was asked) or an output (what was answered).

    The text may be the first characters only of what was recorded, or its first and last ones with `CUT` between them.
    """
    if not text:
        return ""
    # A cut may join two texts into one and leave valid JSON, which says what nobody said.
    value = text if _is_cut(text) else decode(text)
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        return one_line(_of_pieces(value, role), length)
    messages = conversation(text, role)
    asked = [message for message in messages if message.role == role] or messages
    for message in reversed(asked):
        for kind in ("text", "tool_call", "tool_result", "json", "media", "reasoning"):
            told = [part for part in message.parts if part.kind == kind]
            if not told:
                continue
            if kind == "tool_call":
                return one_line(" ".join(f"→ {part.name}({one_line(part.text, 80)})" for part in told), length)
            return one_line(" ".join(one_line(part.text, length) for part in told), length)
    return ""


def _is_cut(text: str) -> bool:
    return text.startswith(CUT, PREVIEW)


def _of_pieces(text: str, role: str) -> str:
    """Return what `role` said last in JSON that was cut, else the last text that can be made out in it."""
    head, tail = (text[:PREVIEW], text[PREVIEW + len(CUT) :]) if _is_cut(text) else (text, "")
    for piece in (tail, head):
        said = [found for found in _SAID.finditer(piece) if ROLES.get(found["role"], found["role"]) == role]
        if said:
            return _read(said[-1])
    rest = _REST.match(tail)
    if rest and rest["closed"] and rest["text"].strip():
        return "…" + _read(rest)
    texts = [*_TEXT.finditer(tail)] or [*_TEXT.finditer(head)]
    return _read(texts[-1]) if texts else text


def _read(found: re.Match[str]) -> str:
    end = "" if found["closed"] else "…"
    try:
        return str(orjson.loads(f'"{found["text"]}"')) + end
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return found["text"] + end
