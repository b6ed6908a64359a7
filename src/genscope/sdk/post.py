"""One request to the server, and what its answer means. Imports HTTP and protobuf, so only the thread that sends imports this."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import requests
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from requests.auth import HTTPBasicAuth

from genscope.sdk import notices
from genscope.sdk.delivery import Answer, Meaning

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from genscope.sdk.settings import Settings

#: What a status means that is neither 2xx (taken) nor 5xx (later). Any other: nobody there takes such requests, a setting is wrong.
MEANINGS: Final[dict[int, Meaning]] = {
    400: "poison",
    408: "later",
    413: "large",
    422: "poison",
    425: "later",
    429: "later",
}
#: The longest `Retry-After` that is believed, in seconds.
PATIENCE: Final = 3600.0
#: How much of an answer is read, in bytes, and how much of it is told in the log, in characters.
READ: Final = 64 * 1024
TOLD: Final = 300


@dataclass(frozen=True, slots=True)
class Route:
    """Where things of one kind go."""

    path: str
    content_type: str
    #: Makes the body of a request.
    body: Callable[[Sequence[Any]], bytes]
    #: Reads of an answer how many things were rejected, and why.
    rejected: Callable[[bytes], tuple[int, str]]


class Post:
    """Sends requests over one connection that is kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session = requests.Session()
        # Proxies and certificates come from the environment, but no login of `.netrc`, which a request without one would get.
        # As bytes, since texts would have to be Latin-1.
        key = HTTPBasicAuth(settings.public_key.encode(), settings.secret_key.encode())
        self._session.auth = key if settings.secret_key else _bare
        self._session.headers["Accept-Encoding"] = "identity"

    def send(self, noun: str, things: Sequence[Any]) -> Answer:
        """Send things in a request, and wait for its answer."""
        route = ROUTES[noun]
        try:
            body = route.body(things)
        except Exception as error:  # an instrumentation's attribute that protobuf does not take
            return Answer("poison", f"it cannot be encoded, {_why(error)}")
        try:
            with self._session.post(
                self._settings.url + route.path,
                # Level 1 takes a third of the time of the default (9), for bodies a tenth larger.
                gzip.compress(body, 1),
                headers={"Content-Type": route.content_type, "Content-Encoding": "gzip"},
                timeout=self._settings.timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = response.raw.read(READ)
        except Exception as error:  # those of requests, of urllib3 beneath it, and of what an address is made of
            return Answer("later", _why(error))
        answer = _answer(response, content, len(things), route)
        notices.log.debug("%d %ss, %d bytes: %s", len(things), noun, len(body), answer.reason or answer.meaning)
        return answer


def _spans(spans: Sequence[ReadableSpan]) -> bytes:
    """Return spans as a request of OTLP."""
    return encode_spans(spans).SerializeToString()


def _answer(response: requests.Response, content: bytes, sent: int, route: Route) -> Answer:
    status, form = response.status_code, response.headers.get("Content-Type", "")
    meaning: Meaning = "taken"
    if status >= 300:
        meaning = MEANINGS.get(status, "later" if status >= 500 else "refused")
    if meaning in {"taken", "poison"} and "html" in form:
        # Pages are for people: this is a portal, a proxy or another server, and what is sent there is lost.
        return Answer("refused", f"{status} with a page", status)
    if meaning == "taken":
        rejected, reason = 0, ""
        with contextlib.suppress(Exception):  # an answer that says nothing is no reason to send again what was taken
            rejected, reason = route.rejected(content)
        return Answer("taken", _plain(reason), status, rejected=min(max(rejected, 0), sent))
    said = f"{status} {_plain(response.reason or '')}".strip()
    if message := _plain(_message(content, form)):
        said += f", {message}"
    return Answer(meaning, said, status, after=_after(response.headers.get("Retry-After")))


def _partial_success(content: bytes) -> tuple[int, str]:
    """Return how many spans of a request were rejected, and why: OTLP's partial success."""
    partial = ExportTraceServiceResponse.FromString(content).partial_success
    return partial.rejected_spans, partial.error_message


def _refused_lines(content: bytes) -> tuple[int, str]:
    """Return how many lines of a request were rejected, and why the first was."""
    told = json.loads(content)
    reasons = [str(error["reason"]) for error in told["errors"]]
    return int(told["rejected"]), "".join(reasons[:1])


def _message(content: bytes, form: str) -> str:
    """Return what an error says: a `google.rpc.Status` in either format, or the native API's."""
    with contextlib.suppress(Exception):  # then it says nothing that could be told
        if "protobuf" in form:
            return str(Status.FromString(content).message)
        return str(json.loads(content)["message"])
    return ""


def _plain(told: str) -> str:
    """Return the beginning of what others said, without what would make lines of its own in a log, or move a terminal's cursor."""
    return "".join(one if one.isprintable() else " " for one in told[:TOLD])


def _after(value: str | None) -> float | None:
    """Return the seconds that `Retry-After` tells: a number of them, or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), PATIENCE) if seconds == seconds else None  # noqa: PLR0124 - NaN is not


def _why(error: BaseException) -> str:
    """Return what is beneath the layers of an exception of `requests`: `ConnectionRefusedError: [Errno 111] Connection refused`."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return _plain(f"{type(error).__name__}: {error}")


def _bare(request: Any) -> Any:
    """Add nothing to a request."""
    return request


#: The routes by what a thing is called.
ROUTES: Final = {
    "span": Route("/v1/traces", "application/x-protobuf", _spans, _partial_success),
    "piece": Route("/api/v1/pieces", "application/jsonl", b"".join, _refused_lines),
}
