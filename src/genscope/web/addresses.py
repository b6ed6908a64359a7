"""The addresses of pages, as other pages link to them."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlencode

from genscope.query.language import joined, term


def listing(page: str, q: str = "", from_: str = "", to: str = "", **fields: str | None) -> str:
    """Return the URL of a list (`generations`, `traces`, `spans`) of what meets `q` and has these fields.

    A field that is None is none that is asked for.
    """
    terms = [q, *(term(name, value) for name, value in fields.items() if value is not None)]
    text = joined(*terms)
    parameters = [(name, value) for name, value in (("q", text), ("from", from_), ("to", to)) if value]
    return f"/{page}?{urlencode(parameters)}" if parameters else f"/{page}"


def trace(trace_id: str, span_id: str | None = None) -> str:
    """Return the URL of a trace, or of one span in it."""
    path = f"/traces/{quote(trace_id, safe='')}"
    return path if span_id is None else f"{path}?{urlencode({'span': span_id})}"


def compare(left: str, right: str) -> str:
    """Return the URL of two traces, or of two spans, beside each other; each as `side` writes it."""
    return f"/compare?{urlencode({'left': left, 'right': right})}"


def side(trace_id: str, span_id: str | None = None) -> str:
    """Return a trace, or a span in one, as one text: `TRACE` or `TRACE/SPAN`, a slash in an id escaped."""
    return "/".join(quote(one, safe="") for one in (trace_id, span_id) if one is not None)


def sides(text: str) -> tuple[str, str | None] | None:
    """Return the trace and span id that `side` made a text of, None if it is none."""
    parts = [unquote(part) for part in text.strip().split("/")]
    if len(parts) > 2 or not all(parts):
        return None
    return parts[0], parts[1] if len(parts) == 2 else None


def session(session_id: str) -> str:
    """Return the URL of a session."""
    return f"/sessions/{quote(session_id, safe='')}"


def user(user_id: str) -> str:
    """Return the URL of a user."""
    return f"/users/{quote(user_id, safe='')}"


def failure(fingerprint: str) -> str:
    """Return the URL of failures of one kind."""
    return f"/errors/{quote(fingerprint, safe='')}"


def score(name: str) -> str:
    """Return the URL of what was said under a name."""
    return f"/scores/{quote(name, safe='')}"
