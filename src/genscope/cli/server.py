"""The server as a process: from the opening of its ports to its clean end."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

import uvicorn

from genscope import __version__
from genscope.app import Started, create_app, open_server
from genscope.cli import running
from genscope.cli.output import give_up, out
from genscope.config import Settings
from genscope.store.errors import QueryUnending, StoreError, StoreLocked

#: Seconds that requests under way get to end after SIGTERM or SIGINT; the whole stop takes at most 10.
GRACE_SECONDS = 5
#: When Python looks for circles of dead objects. A request makes hundreds of thousands of objects that live as long as it does, no
#: circles among them: looking for some after every 700 new ones, as is usual, took a fifth of all the time that spans cost.
COLLECT = (50_000, 20, 100)


class Server(uvicorn.Server):
    """uvicorn, saying when it listens."""

    def __init__(
        self,
        config: uvicorn.Config,
        listening: Callable[[], None],
        stopping: threading.Event,
        ending: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._listening = listening
        self._stopping = stopping
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell; or stop at once, if that was wanted meanwhile."""
        await super().startup(sockets)
        if self._stopping.is_set():
            self.should_exit = True
        elif self.started:
            self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell, then stop."""
        self._stopping.set()
        self._ending()
        await super().shutdown(sockets)


def run(settings: Settings, listening: Callable[[Started, str], None], stopping: threading.Event | None = None) -> None:
    """Serve until a signal; call `listening(started, url)` once the port is open. Exit 1 if it cannot start."""
    gc.set_threshold(*COLLECT)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("genscope").setLevel(logging.INFO)
    config = uvicorn.Config(
        "",
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        forwarded_allow_ips=settings.trusted_proxies,
    )
    # uvicorn has handlers of its own while it serves, and raises what stopped it once more afterwards. These here are for the time
    # before, when the wish to stop must not be forgotten, and after, when the store is still to be closed.
    stop = stopping or threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        with open_server(settings) as started, bind(settings.host, settings.port, "--port (0: any)") as listener:
            if settings.grpc_port:
                # gRPC opens the port itself, but later, and without a word on why it could not.
                bind(settings.host, settings.grpc_port, "--grpc-port (0: none)").close()
            url = f"http://{_in_url(settings.host)}:{listener.getsockname()[1]}"
            config.app = create_app(started)
            server = Server(config, lambda: listening(started, url), stop, started.services.stop)
            with running.announced(settings, url, started.services.auth.command_token):
                server.run(sockets=[listener])
    except QueryUnending:
        # A query that the engine cannot interrupt must not keep the process: nothing is left to be written.
        logging.getLogger(__name__).warning("a query did not end in time and was cut off")
        os._exit(0)
    except StoreLocked as error:
        give_up(f"{error}. Stop the other server, or give this one its own --data directory.")
    except (StoreError, OSError, ValueError) as error:
        give_up(str(error))


def bind(host: str, port: int, option: str) -> socket.socket:
    """Return a listening socket; `option` is what chooses its port, told where that one is not to be had.

    Raises:
        OSError: the port is taken, or the address is not this machine's; the message says so.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}. Choose another {option}.") from None
    listener.set_inheritable(True)
    return listener


def _in_url(host: str) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"[{shown}]" if ":" in shown else shown


def announce(started: Started, url: str, settings: Settings) -> None:
    """Print where the server is and how to reach it."""
    lines = [f"Genscope {__version__} is running on {url}"]
    if settings.grpc_port:
        lines.append(f"  OTLP/gRPC    {_in_url(settings.host)}:{settings.grpc_port}")
    lines.append(f"  Data         {settings.store_path.resolve()}")
    if settings.allow_anonymous:
        lines.append(f"  Open         {url}")
        lines.append("  Keys         not asked for on this machine; any program that sends none is taken in")
    else:
        lines.append(f"  Open         {url}/login?token={started.services.auth.login_token}   (works once)")
    if started.made_keys:
        public_key, secret_key = started.made_keys
        lines += [
            f"  Public key   {public_key}",
            f"  Secret key   {secret_key}   (shown this once; only its hash is kept)",
        ]
    out.print("\n".join(lines), markup=False)
    sys.stdout.flush()
