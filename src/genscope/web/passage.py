"""The words that a filter looks for, marked in the texts that a list shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from markupsafe import Markup, escape

from genscope.messages import decode
from genscope.store import previews
from genscope.web.format import one_line
from genscope.web.messages import conversation
from genscope.web.preview import preview

#: Characters before a hit that are shown with it: a line of a row shows some 40.
BEFORE: Final = 30
#: What JSON writes for a character in a text: as it is read in the middle of one.
_ESCAPE: Final = re.compile(r'\\(?:u(?P<code>[0-9a-fA-F]{4})|(?P<char>["\\/bfnrt]))')
_CHARS: Final = {"b": " ", "f": " ", "n": " ", "r": " ", "t": " "}


class Marker:
    """Writes texts as one line of HTML in which the words of a filter are marked."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        found = [word for word in words if re.search(r"\w", word)]
        self._pattern = re.compile(previews.pattern(found), re.IGNORECASE) if found else None

    def marked(self, text: str) -> Markup:
        """Return a text as HTML with its hits marked."""
        if self._pattern is None:
            return escape(text)
        html, done = [], 0
        for hit in self._pattern.finditer(text):
            html += [escape(text[done : hit.start()]), Markup("<mark>"), escape(hit[0]), Markup("</mark>")]
            done = hit.end()
        return Markup("").join([*html, escape(text[done:])])

    def preview(self, text: str | None, role: str, length: int = 160) -> Markup:
        """Return one line of an input or output: where a word stands in it, else what `web.preview` says of it."""
        if not text:
            return Markup("")
        passage = text.startswith(previews.CUT)
        line = one_line(_read(text.removeprefix(previews.CUT)), 2 * length) if passage else preview(text, role, length)
        if self._pattern is None:
            return escape(line)
        # A short text is known whole, and the word may stand in a message that a preview leaves out.
        for candidate in (line,) if passage else (line, *_said(text), _read(text)):
            if (hit := self._pattern.search(candidate)) is not None:
                return self.marked(_around(candidate, hit.start(), length))
        return escape(line)


def _around(text: str, place: int, length: int) -> str:
    """Return one line of a text in which a place of it is seen; it begins with a word, if there is one near."""
    begin = place - BEFORE
    if begin <= BEFORE:
        return one_line(text, length)
    space = text.find(" ", begin, place)
    return "…" + one_line(text[space + 1 if space >= 0 else begin :], length)


def _said(text: str) -> list[str]:
    """Return what is said in a text that is JSON; nothing if it is none."""
    if isinstance(decode(text), str):
        return []
    return [part.text for message in conversation(text, "user") for part in message.parts if part.text]


def _read(text: str) -> str:
    """Return the middle of a text of JSON, or of any other text, as it reads."""
    return _ESCAPE.sub(lambda found: _char(found["code"], found["char"]), text)


def _char(code: str | None, char: str | None) -> str:
    return chr(int(code, 16)) if code else _CHARS.get(char or "", char or "")
