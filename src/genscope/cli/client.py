"""A running server as its commands reach it: over HTTP, because one process owns the data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import requests
import typer
from requests.auth import HTTPBasicAuth

from genscope.cli.output import give_up
from genscope.config import LOOPBACK_NAMES
from genscope.query.filter import FIELDS

DEFAULT_URL: Final = "http://127.0.0.1:4318"
#: Seconds to connect, and between two pieces of an answer: writing the costs of a large store takes a while.
TIMEOUTS: Final = (10, 600)
#: What the content types of files are told by.
FILES: Final = ("ndjson", "csv", "parquet")

Url = Annotated[str, typer.Option(envvar="GENSCOPE_URL", help="The server to ask.")]
PublicKey = Annotated[
    str, typer.Option(envvar="GENSCOPE_PUBLIC_KEY", help="Key of the project; none for a server that is open.")
]
SecretKey = Annotated[str, typer.Option(envvar="GENSCOPE_SECRET_KEY", help="Its secret.")]
FromTime = Annotated[str, typer.Option("--from", help="Begin: an ISO 8601 time, or an age such as 24h or 30d.")]
ToTime = Annotated[str, typer.Option("--to", help="End, not included; default: now.")]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="FIELD=VALUE",
        help="Only these spans, such as model=gpt-4o; a field given twice means any of the values.",
    ),
]


class Client:
    """Asks one server with one key; ends the command with what to do next where that fails."""

    def __init__(self, url: str, public_key: str, secret_key: str) -> None:
        self._url = url.rstrip("/")
        try:
            host = urlsplit(self._url).hostname
        except ValueError:
            give_up(f"--url: {url!r} is no address of a server, such as {DEFAULT_URL}", 2)
        self._session = requests.Session()
        # Proxies are for servers elsewhere.
        self._session.trust_env = host not in LOOPBACK_NAMES
        if bool(public_key) != bool(secret_key):
            give_up("GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY belong together: set both or neither", 2)
        if secret_key:
            self._session.auth = HTTPBasicAuth(public_key.encode(), secret_key.encode())

    def ask(self, method: str, path: str, parameters: Any = None, body: Any = None) -> Any:
        """Return the JSON that a route answers with."""
        with self._answer(method, path, parameters, body) as answer:
            return answer.json()

    def lines(self, method: str, path: str, parameters: Any = None) -> Iterator[Any]:
        """Yield the JSON of each line of an answer as it comes."""
        with self._answer(method, path, parameters, None, stream=True) as answer:
            try:
                for line in answer.iter_lines():
                    yield json.loads(line)
            except requests.RequestException:
                give_up(f"the server at {self._url} ended in the middle; what it has done stays, run this again")

    def file(self, path: str, parameters: Any = None) -> Iterator[bytes]:
        """Yield a file that a route answers with, piece by piece."""
        with self._answer("GET", path, parameters, None, stream=True, types=FILES) as answer:
            try:
                yield from answer.iter_content(1 << 16)
            except requests.RequestException:
                give_up(f"the server at {self._url} ended in the middle: run this again")

    def send(self, path: str, lines: bytes) -> Any:
        """Return the JSON that a route answers JSON lines with."""
        with self._answer("POST", path, None, None, data=lines) as answer:
            return answer.json()

    def _answer(
        self,
        method: str,
        path: str,
        parameters: Any,
        body: Any,
        *,
        data: bytes | None = None,
        stream: bool = False,
        types: Sequence[str] = ("json",),
    ) -> requests.Response:
        address = f"{self._url}/api/v1/{path}"
        try:
            answer = self._session.request(
                method, address, params=parameters, json=body, data=data, stream=stream, timeout=TIMEOUTS
            )
        except requests.ConnectionError:
            give_up(f"no server answers at {self._url}; start one with: genscope serve, or name another with --url")
        except requests.Timeout:
            give_up(f"the server at {self._url} does not answer in time; try again")
        except (requests.RequestException, ValueError):
            give_up(f"--url: {self._url!r} is no address of a server, such as {DEFAULT_URL}", 2)
        if answer.ok and any(type_ in answer.headers.get("content-type", "") for type_ in types):
            return answer
        give_up(self._refusal(answer))

    def _refusal(self, answer: requests.Response) -> str:
        try:
            told = answer.json()["message"]
        except (requests.JSONDecodeError, KeyError, TypeError):
            return f"what answers at {self._url} is no Genscope; name the server with --url or GENSCOPE_URL"
        if answer.status_code == requests.codes.unauthorized:
            given = "does not know this key" if self._session.auth else "wants a key"
            return (
                f"the server at {self._url} {given}: set GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY "
                "to a key of the project (genscope keys create makes one)"
            )
        return f"{told} (HTTP {answer.status_code})"


def filter_parameters(begin: str, end: str, conditions: Sequence[str] | None) -> list[tuple[str, str]]:
    """Return a range of time and conditions `field=value` as the API takes them; exit 2 where one is none."""
    parameters = [(name, value) for name, value in (("from", begin), ("to", end)) if value]
    for condition in conditions or ():
        field, equals, value = condition.partition("=")
        if not equals or not value or field not in FIELDS:
            give_up(f"--where: {condition!r} is not FIELD=VALUE; FIELD is one of {', '.join(sorted(FIELDS))}", 2)
        parameters.append((field, value))
    return parameters
