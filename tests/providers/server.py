"""A local server that answers as the providers do: the same bytes on the wire, for one conversation."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

from tests.providers import anthropic, bedrock, gemini, openai


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Serve all providers on a free port of the loopback interface while the block runs; yields the URL."""
    app = Starlette(routes=[*openai.routes, *anthropic.routes, *gemini.routes, *bedrock.routes])
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:  # from here on a client is not refused
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=30)
