"""Saved views: a page of a project with its whole state, under a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

#: The pages that a view may be of.
PAGES: Final = (
    "overview",
    "generations",
    "traces",
    "spans",
    "sessions",
    "users",
    "models",
    "errors",
    "scores",
    "sql",
    "compare",
)
MOST_NAME: Final = 80
MOST_URL: Final = 4_000
#: Views of a project.
MOST: Final = 500
#: Parameters that say how far somebody has read, which is no part of a view.
PASSING: Final = frozenset({"cursor", "peek"})


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view by its name; `url` is a path on this server with its query."""

    name: str
    url: str

    @property
    def page(self) -> str:
        """The name of its page."""
        return urlsplit(self.url).path.removeprefix("/")

    @property
    def told(self) -> str:
        """Its state in words: the filter as it was typed, and whatever else is chosen."""
        pairs = parse_qsl(urlsplit(self.url).query)
        return " · ".join(value if name == "q" else f"{name}: {value}" for name, value in pairs)


def named(text: str) -> str:
    """Return the name of a view.

    Raises:
        ValueError: it is none; the message says what is one.
    """
    name = " ".join(text.split())
    if not name or len(name) > MOST_NAME or not name.isprintable():
        raise ValueError(f"name: 1 to {MOST_NAME} printable characters are expected")
    return name


def checked(name: str, url: str) -> SavedView:
    """Return a view of a page of this server.

    Raises:
        ValueError: it is none; the message says what is one.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme or parts.netloc or parts.fragment or parts.path not in {f"/{page}" for page in PAGES}:
        raise ValueError(
            f"url: expected the path of a page with its query, of one of {', '.join(PAGES)}: /generations?q=…"
        )
    pairs = [pair for pair in parse_qsl(parts.query) if pair[0] not in PASSING]
    kept = f"{parts.path}?{urlencode(pairs)}" if pairs else parts.path
    if len(kept) > MOST_URL:
        raise ValueError(f"url: more than {MOST_URL} characters are not kept")
    return SavedView(named(name), kept)
