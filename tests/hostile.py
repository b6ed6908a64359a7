"""A small HTTP server between a client and a real server, that does to requests what networks, proxies and busy servers do."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx


@dataclass(frozen=True)
class Request:
    """What came: the body as it was before compression."""

    path: str
    headers: dict[str, str]
    body: bytes
    #: The client's end of the connection.
    peer: tuple[str, int]


#: What to do with a request.
Manner = Callable[["_Handler", Request], None]


def answers(status: int, body: bytes = b"", **headers: str) -> Manner:
    """Answer so, and let nothing through."""

    def manner(handler: _Handler, request: Request) -> None:
        handler.answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)

    return manner


def forwards(handler: _Handler, request: Request) -> None:
    """Let the request through, and its answer back."""
    answer = handler.ask(request)
    handler.answer(answer.status_code, {"Content-Type": answer.headers.get("Content-Type", "")}, answer.content)


def resets(handler: _Handler, request: Request) -> None:
    """Break the connection off before anything got through."""
    handler.reset()


def forwards_and_resets(handler: _Handler, request: Request) -> None:
    """Let the request through, and break the connection off before the client has heard of it."""
    handler.ask(request)
    handler.reset()


def answers_half(handler: _Handler, request: Request) -> None:
    """Let the request through, and end in the middle of the answer."""
    handler.ask(request)
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Type: application/x-protobuf\r\n\r\nhalf")
    handler.wfile.flush()
    handler.reset()


def refuses(poison: bytes, status: int = 400) -> Manner:
    """Answer so if a body holds these bytes; let others through."""

    def manner(handler: _Handler, request: Request) -> None:
        (answers(status) if poison in request.body else forwards)(handler, request)

    return manner


def waits_for(event: threading.Event) -> Manner:
    """Let a request through once something happened."""

    def manner(handler: _Handler, request: Request) -> None:
        event.wait()
        forwards(handler, request)

    return manner


class Hostile:
    """A server before `url`: the first requests are treated as `first` says, one each, all others as `then` does."""

    def __init__(self, url: str, first: Iterable[Manner] = (), then: Manner = forwards, port: int = 0) -> None:
        self.first = deque(first)
        self.then = then
        self.requests: list[Request] = []
        self.client = httpx.Client(base_url=url, timeout=60, trust_env=False)
        handler = type("Handler", (_Handler,), {"hostile": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.client.close()

    def __enter__(self) -> Hostile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _Handler(BaseHTTPRequestHandler):
    hostile: Hostile
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        request = Request(self.path, dict(self.headers), body, self.client_address)
        self.hostile.requests.append(request)
        manner = self.hostile.first.popleft() if self.hostile.first else self.hostile.then
        manner(self, request)

    def ask(self, request: Request) -> httpx.Response:
        passed = {"Content-Type", "Authorization"}
        kept = {name: value for name, value in request.headers.items() if name in passed}
        return self.hostile.client.post(request.path, content=request.body, headers=kept)

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # nobody has to read to the end
            self.wfile.write(body)

    def reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *arguments: Any) -> None:
        pass
