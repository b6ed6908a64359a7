"""`genscope doctor`: whether everything from the data directory to a stored span works, and what to do where it does not."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import requests
import typer

from genscope import __version__
from genscope.cli.client import DEFAULT_URL, PublicKey, SecretKey, Url
from genscope.cli.output import AsJson, out, print_json
from genscope.cli.serve import Data, settings_from
from genscope.config import LOOPBACK_NAMES

State = Literal["ok", "warning", "failed"]
COLOURS: Final[dict[State, str]] = {"ok": "green", "warning": "yellow", "failed": "red"}
#: Free bytes on the disk of the data directory below which it is time to act.
SCARCE: Final = 2 * 1024**3
SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do next where that is not well."""

    check: str
    state: State
    found: str
    advice: str = ""


def doctor(
    url: Url = DEFAULT_URL,
    public_key: PublicKey = "",
    secret_key: SecretKey = "",
    data: Data = None,
    send: Annotated[bool, typer.Option("--send", help="Also send a span, read it back and delete it again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check the data directory, the server, the key and what was rejected, and say what to do where something is wrong.

    Exits with 1 if a check failed.

    Examples:

      genscope doctor

      GENSCOPE_PUBLIC_KEY=... GENSCOPE_SECRET_KEY=... genscope doctor --url https://genscope.example.com --send
    """
    findings = []
    for finding in _examine(url.rstrip("/"), public_key, secret_key, data, send=send):
        findings.append(finding)
        if not as_json:
            out.print(f"{finding.state:>8}", style=COLOURS[finding.state], end="  ")
            out.print(f"{finding.check}: {finding.found}", markup=False)
            if finding.advice:
                out.print(f"{'':10}{finding.advice}", markup=False)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    if any(finding.state == "failed" for finding in findings):
        raise typer.Exit(1)


def _examine(url: str, public_key: str, secret_key: str, data: Data, *, send: bool) -> Iterator[Finding]:
    session = requests.Session()
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    if host in LOOPBACK_NAMES:
        session.trust_env = False
        yield _directory(data)
    if secret_key:
        session.auth = (public_key, secret_key)
    server = _server(session, url)
    yield server
    if server.state == "failed":
        return
    key = _key(session, url, secret_key)
    yield key
    if key.state == "failed":
        return
    yield _rejected(session, url)
    yield _prices(session, url)
    if send:
        yield _round_trip(session, url)


def _directory(data: Data) -> Finding:
    """Look at the directory that a server started here would use."""
    path = settings_from(data=data).data.resolve()
    nearest = path
    while not nearest.exists():
        nearest = nearest.parent
    free = shutil.disk_usage(nearest).free
    found = f"{path}, {free / 1024**3:.1f} GiB free"
    if not os.access(nearest, os.W_OK):
        return Finding("data directory", "failed", f"{found}; it cannot be written", "name another with --data")
    if free < SCARCE:
        advice = "free some space, shorten the retention under Settings, or move the directory with --data"
        return Finding("data directory", "warning", found, advice)
    return Finding(
        "data directory", "ok", found if path == nearest else f"{found}; the server makes it at its first start"
    )


def _server(session: requests.Session, url: str) -> Finding:
    try:
        begin = time.perf_counter()
        answer = session.get(f"{url}/health", timeout=SECONDS)
        took = (time.perf_counter() - begin) * 1e3
        told = answer.json()
        version = told["version"] if answer.ok else ""
    except requests.ConnectionError:
        return Finding("server", "failed", f"nothing answers at {url}", "start one with: genscope serve")
    except (requests.RequestException, KeyError, TypeError, ValueError):
        return Finding(
            "server", "failed", f"what answers at {url} is no Genscope", "name the server with --url or GENSCOPE_URL"
        )
    if not answer.ok:
        return Finding("server", "failed", str(told.get("message", answer.status_code)), "its log says more")
    found = f"{url}, version {version}, store {told['store']}, answers in {took:.0f} ms"
    if version != __version__:
        return Finding("server", "warning", found, f"this command is of version {__version__}: install the same one")
    return Finding("server", "ok", found)


def _key(session: requests.Session, url: str, secret_key: str) -> Finding:
    answer = session.get(f"{url}/api/v1/spans", params={"limit": 1}, timeout=SECONDS)
    if answer.ok:
        return Finding("key", "ok", "opens a project" if secret_key else "none is needed: the server is open")
    told = f"refused (HTTP {answer.status_code})"
    return Finding("key", "failed", told, "set GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY to a key of the project")


def _rejected(session: requests.Session, url: str) -> Finding:
    rows = _json(session, f"{url}/api/v1/rejected", {"limit": 100, "from": "24h"}).get("data", [])
    if not rows:
        return Finding("rejected input", "ok", "none in 24 hours")
    count = "100 or more" if len(rows) == 100 else str(len(rows))
    return Finding(
        "rejected input", "warning", f"{count} in 24 hours, such as: {rows[0]['reason'][:200]}", f"see {url}/rejected"
    )


def _prices(session: requests.Session, url: str) -> Finding:
    told = _json(session, f"{url}/api/v1/coverage", {"from": "24h"})
    calls, without = told.get("calls", 0), told.get("unpriced_calls", 0)
    if not without:
        return Finding("prices", "ok", f"{calls:,} calls to a model in 24 hours, all with a cost")
    advice = "see which and why: genscope coverage --from 24h"
    return Finding("prices", "warning", f"{without:,} of {calls:,} calls to a model in 24 hours have no cost", advice)


def _round_trip(session: requests.Session, url: str) -> Finding:
    """Send a span as OTLP/JSON, read it back, and delete it."""
    trace_id, now = secrets.token_hex(16), time.time_ns()
    span = {
        "traceId": trace_id,
        "spanId": secrets.token_hex(8),
        "name": "genscope doctor",
        "startTimeUnixNano": str(now),
        "endTimeUnixNano": str(now + 1_000_000),
    }
    body: Any = {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "genscope.doctor"}, "spans": [span]}]}]}
    begin = time.perf_counter()
    sent = session.post(f"{url}/v1/traces", json=body, timeout=SECONDS)
    stored = (time.perf_counter() - begin) * 1e3
    if not sent.ok:
        return Finding(
            "a span", "failed", f"refused (HTTP {sent.status_code}): {sent.text[:200]}", "the server's log says more"
        )
    address = f"{url}/api/v1/traces/{trace_id}"
    read = session.get(address, timeout=SECONDS)
    session.delete(address, timeout=SECONDS)
    if not read.ok:
        return Finding(
            "a span", "failed", f"stored, but not to be read (HTTP {read.status_code})", "the server's log says more"
        )
    return Finding("a span", "ok", f"stored in {stored:.0f} ms, read back and deleted")


def _json(session: requests.Session, address: str, parameters: dict[str, Any]) -> dict[str, Any]:
    answer = session.get(address, params=parameters, timeout=SECONDS)
    told = answer.json() if answer.ok else {}
    return told if isinstance(told, dict) else {}
