"""The addresses of pages, as other pages link to them."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from genscope.query.language import term


def listing(page: str, q: str = "", from_: str = "", to: str = "", **fields: str | None) -> str:
    """Return the URL of a list (`generations`, `traces`, `spans`) of what meets `q` and has these fields.

    A field that is None is none that is asked for.
    """
    terms = [q, *(term(name, value) for name, value in fields.items() if value is not None)]
    text = " ".join(part for part in terms if part)
    parameters = [(name, value) for name, value in (("q", text), ("from", from_), ("to", to)) if value]
    return f"/{page}?{urlencode(parameters)}" if parameters else f"/{page}"


def trace(trace_id: str, span_id: str | None = None) -> str:
    """Return the URL of a trace, or of one span in it."""
    path = f"/traces/{quote(trace_id, safe='')}"
    return path if span_id is None else f"{path}?{urlencode({'span': span_id})}"
