"""Asking a server over HTTP. Unlike everything else in the SDK, this raises."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.auth import HTTPBasicAuth

from genscope.sdk.reading import Moment, Names
from genscope.sdk.rows import sql_value
from genscope.sdk.settings import Settings

Parameters = Mapping[str, str | list[str]]

#: Seconds to connect, and to wait for an answer: the server gives up on a query of SQL after 15.
TIMEOUTS: Final = (10, 60)
#: Rows that one request asks for at most; fewer of whole spans, which may be large.
PAGE: Final = 1000
WHOLE_PAGE: Final = 100
#: What the API calls the ends of a period.
RENAMED: Final = {"since": "from", "until": "to"}
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PLACE: Final = re.compile(r"column (\d+): ")


class ReadError(Exception):
    """The server did not answer a question.

    Attributes:
        message: what the server said, or why it could not be asked.
        status: the HTTP status, None if there was no answer.
        position: where in the filter the mistake is, counted from 0; None if it is none of a filter.
    """

    def __init__(self, message: str, status: int | None = None, q: str = "") -> None:
        place = _PLACE.match(message) if q else None
        self.message = message
        self.status = status
        self.position: int | None = int(place[1]) - 1 if place else None
        super().__init__(message if self.position is None else f"{message}\n{_pointed(q, self.position)}")


class Page(NamedTuple):
    """What one answer holds of the rows, as JSON. `cut`: there are more, which the server does not tell."""

    rows: list[Any]
    cursor: str | None = None
    cut: bool = False


#: Asks for the page at a cursor (at first the empty one), when so many rows have been read.
Ask = Callable[[str, int], Page]


def ask(
    settings: Settings,
    method: str,
    path: str,
    parameters: Parameters | None = None,
    *,
    body: Any = None,
    has: str = "data",
) -> Any:
    """Return the JSON object that a route below `/api/v1` answers with; `has` is a field of it.

    Raises:
        ReadError: the server cannot be reached, refuses, or is another one.
    """
    with requests.Session() as session:
        # Proxies are for servers elsewhere.
        session.trust_env = urlsplit(settings.url).hostname not in _LOOPBACK
        if settings.secret_key:
            session.auth = HTTPBasicAuth(settings.public_key.encode(), settings.secret_key.encode())
        try:
            answer = session.request(
                method, f"{settings.url}/api/v1/{path}", params=parameters, json=body, timeout=TIMEOUTS
            )
        except requests.RequestException as error:
            raise ReadError(f"no server answers at {settings.url}: {error}") from error
    return _told(answer, settings, str((parameters or {}).get("q", "")), has)


def paged(settings: Settings, path: str, parameters: Parameters, limit: int | None, size: int = PAGE) -> Ask:
    """Return what asks for a list, `size` rows at a time and `limit` in all; None: all there are."""

    def page(cursor: str, read: int) -> Page:
        left = size if limit is None else min(size, limit - read)
        if left <= 0:
            return Page([])
        told = ask(settings, "GET", path, {**parameters, "limit": str(left), "cursor": cursor})
        done = limit is not None and read + len(told["data"]) >= limit
        return Page(told["data"], None if done else told["next_cursor"])

    return page


def whole(settings: Settings, path: str, parameters: Parameters) -> Ask:
    """Return what asks for a list that comes in one answer."""

    def page(_cursor: str, _read: int) -> Page:
        told = ask(settings, "GET", path, parameters)
        return Page(told["data"], cut=told.get("truncated", False))

    return page


def selected(settings: Settings, query: str) -> Ask:
    """Return what asks a query of SQL."""

    def page(_cursor: str, _read: int) -> Page:
        told = ask(settings, "POST", "sql", body={"query": query}, has="rows")
        columns = [(one["name"], one["type"]) for one in told["columns"]]
        rows = [
            {name: sql_value(kind, value) for (name, kind), value in zip(columns, row, strict=True)}
            for row in told["rows"]
        ]
        return Page(rows, cut=told["cut"])

    return page


def parameters(asked: Mapping[str, Moment | Names | None]) -> Parameters:
    """Return what is asked as the API takes it; `since` and `until` are its `from` and `to`."""
    return {RENAMED.get(name, name): _written(value) for name, value in asked.items() if value is not None}


def _written(value: Moment | Names) -> str | list[str]:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime | timedelta):
        when = datetime.now(UTC) - value if isinstance(value, timedelta) else value
        return when.astimezone(UTC).isoformat()
    return list(value)


def _told(answer: requests.Response, settings: Settings, q: str, has: str) -> Any:
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict) or (has if answer.ok else "message") not in told:
        raise ReadError(f"what answers at {settings.url} is no Genscope", answer.status_code)
    if answer.ok:
        return told
    message = str(told["message"])
    if answer.status_code == 401:
        given = "does not know this key" if settings.secret_key else "wants a key"
        message = f"the server at {settings.url} {given}: set GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY"
    raise ReadError(message, answer.status_code, q)


def _pointed(text: str, position: int) -> str:
    """Return the line of a filter that is wrong, with a caret beneath the place."""
    begin = text.rfind("\n", 0, position) + 1
    line = text[begin:].partition("\n")[0]
    return f"{line}\n{' ' * (position - begin)}^"
