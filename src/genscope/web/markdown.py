"""Markdown that strangers wrote, as inert HTML: no HTML of its own, no images from elsewhere, links that tell nothing of us.

What is long, or nests deeper than any text that is meant to be read, stays plain text: nothing of a text is ever left out.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

from genscope.web.format import inert, prose

#: Characters of a text that are read as markdown: the time that the parser takes may grow with their square.
MAX_LENGTH: Final = 20_000
#: Levels of lists, quotes and emphasis.
MAX_DEPTH: Final = 40
#: Where a link may lead.
SCHEMES: Final = frozenset({"http", "https", "mailto"})
#: Characters of the name of a code block's language.
_LONGEST_NAME: Final = 20


def _allowed(url: str) -> bool:
    try:
        return urlsplit(url.strip()).scheme.lower() in SCHEMES
    except ValueError:
        return False


class _Renderer(RendererHTML):
    """HTML in which every text is as inert as anywhere on a page."""

    def text(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        return prose(tokens[index].content)

    def code_inline(
        self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        return f"<code>{prose(tokens[index].content)}</code>"

    def fence(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        token = tokens[index]
        name = escape(inert(token.info.strip().partition(" ")[0][:_LONGEST_NAME]))
        copy = '<button type="button" class="copy js" aria-label="Copy code">copy</button>'
        return f'<div class="code"><span>{name}</span>{copy}<pre tabindex="0"><code>{prose(token.content)}</code></pre></div>\n'

    def link_open(
        self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        token = tokens[index]
        href, title = (escape(inert(token.attrGet(name) or "")) for name in ("href", "title"))
        told = f' title="{title}"' if title else ""
        return f'<a href="{href}"{told} target="_blank" rel="noopener noreferrer nofollow">'

    def image(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """An image is a link to it: nothing is loaded from elsewhere."""
        token = tokens[index]
        href = escape(inert(token.attrGet("src") or ""))
        name = prose(token.content or "image")
        return f'<a href="{href}" target="_blank" rel="noopener noreferrer nofollow">{name}</a>'


_PARSER: Final = MarkdownIt(
    "commonmark", {"html": False, "breaks": True, "maxNesting": MAX_DEPTH}, renderer_cls=_Renderer
)
# Indented text is no code in what people write, and a definition of a reference would vanish from the text.
_PARSER.enable(["table", "strikethrough"]).disable(["code", "reference", "html_block", "html_inline"])
_PARSER.validateLink = _allowed  # type: ignore[method-assign]
#: Headings of a text stand below those of the page.
_HEADING: Final = "h5"


def rendered(text: str) -> Markup:
    """Return a text as HTML, to stand in an element of the class `md`; as plain text where it is no markdown to be read."""
    if len(text) > MAX_LENGTH:
        return plain(text)
    env: dict[str, Any] = {}
    tokens = _PARSER.parse(inert(text), env)
    if any(_deep(token) for token in tokens):
        return plain(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.attrs = {"class": token.tag} if token.nesting == 1 else {}
            token.tag = _HEADING
        elif token.type in ("th_open", "td_open") and token.attrs:
            # The parser says it by a style, which a page may not have.
            token.attrs = {"class": str(token.attrs["style"]).rpartition(":")[2]}
    return Markup(_PARSER.renderer.render(tokens, _PARSER.options, env))  # noqa: S704 - every text in it went through `prose`


def plain(text: str) -> Markup:
    """Return a text as it is."""
    return Markup('<div class="text">{}</div>').format(prose(text))


def _deep(token: Token) -> bool:
    """Whether the parser may have given up on what is within."""
    return token.level >= MAX_DEPTH - 2 or any(child.level >= MAX_DEPTH - 2 for child in token.children or ())
