"""`genscope serve` and `genscope demo`: the server, from its start to its stop."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from pydantic import ValidationError

from genscope import __version__, demo
from genscope.app import Started, create_app, open_server
from genscope.cli.output import fail, give_up, out
from genscope.config import Settings
from genscope.store.errors import StoreError, StoreLocked

#: Seconds that requests under way get to end after SIGTERM or SIGINT; the whole stop takes at most 10.
GRACE_SECONDS = 5

Host = Annotated[str | None, typer.Option(help="Address to listen on. [env: GENSCOPE_HOST; default: 127.0.0.1]")]
PortOption = Annotated[
    int | None, typer.Option(help="HTTP port, 0 for a free one. [env: GENSCOPE_PORT; default: 4318]")
]
GrpcPort = Annotated[
    int | None, typer.Option(help="OTLP/gRPC port, 0 turns it off. [env: GENSCOPE_GRPC_PORT; default: 4317]")
]
Data = Annotated[
    Path | None, typer.Option(help="Directory of everything it keeps. [env: GENSCOPE_DATA; default: genscope-data]")
]
Store = Annotated[
    str | None, typer.Option(help="Store URL, chdb:///path. [env: GENSCOPE_STORE; default: inside the data directory]")
]
AllowAnonymous = Annotated[
    bool, typer.Option("--allow-anonymous", help="Serve requests without a key; on a loopback address only.")
]


def settings_from(**given: Any) -> Settings:
    """Return the settings of the environment, overridden by the options that were given; exit 2 if they are wrong."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None and value is not False})
    except ValidationError as error:
        for problem in error.errors():
            where = ".".join(map(str, problem["loc"]))
            message = problem["msg"].removeprefix("Value error, ")
            fail(f"{where}: {message}" if where else message)
        raise typer.Exit(2) from None


def serve(
    host: Host = None,
    port: PortOption = None,
    grpc_port: GrpcPort = None,
    data: Data = None,
    store: Store = None,
    allow_anonymous: AllowAnonymous = False,
) -> None:
    """Start the server and print its URL.

    The first start makes the project `default` and a key pair, and prints the secret this once. SIGTERM and Ctrl-C end it
    cleanly: what was acknowledged is on disk.
    """
    settings = settings_from(
        host=host, port=port, grpc_port=grpc_port, data=data, store=store, allow_anonymous=allow_anonymous
    )
    run_server(settings, lambda started, url: announce(started, url, settings))


def demo_command(
    url: Annotated[str | None, typer.Option(help="Write to this server instead of starting one.")] = None,
    public_key: Annotated[str, typer.Option(envvar="GENSCOPE_PUBLIC_KEY", help="Key to write with.")] = "",
    secret_key: Annotated[str, typer.Option(envvar="GENSCOPE_SECRET_KEY", help="Its secret.")] = "",
    host: Host = None,
    port: PortOption = None,
    grpc_port: GrpcPort = None,
    data: Data = None,
    traces: Annotated[int, typer.Option(min=1, help="Traces of the last days to begin with.")] = 400,
    days: Annotated[int, typer.Option(min=1, max=365, help="How many days back they reach.")] = 7,
    rate: Annotated[float, typer.Option(min=0.01, max=100, help="New traces a second after that.")] = 0.5,
    seed: Annotated[int, typer.Option(help="Of the story; the same seed tells the same one.")] = 7,
    once: Annotated[bool, typer.Option("--once", help="With --url: stop after the last days are written.")] = False,
) -> None:
    """Start a server with a realistic agent application writing traces to it, to have something to see at once."""
    if url is not None:
        try:
            demo.run(
                url, public_key or None, secret_key or None, days=days, traces=traces, rate=rate, seed=seed, once=once
            )
        except demo.DemoError as error:
            give_up(str(error))
        return
    settings = settings_from(host=host, port=port, grpc_port=grpc_port, data=data, allow_anonymous=True)
    stop = threading.Event()

    def tell(address: str) -> None:
        try:
            demo.run(address, days=days, traces=traces, rate=rate, seed=seed, stop=stop)
        except demo.DemoError as error:
            fail(str(error))

    def started(opened: Started, address: str) -> None:
        announce(opened, address, settings)
        threading.Thread(target=tell, args=(address,), name="genscope-demo", daemon=True).start()

    run_server(settings, started, stop)


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


def run_server(
    settings: Settings, listening: Callable[[Started, str], None], stopping: threading.Event | None = None
) -> None:
    """Serve until a signal; call `listening(started, url)` once the port is open. Exit 1 if it cannot start."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("genscope").setLevel(logging.INFO)
    config = uvicorn.Config(
        "",
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
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
            Server(config, lambda: listening(started, url), stop, started.services.repricing.stop).run(
                sockets=[listener]
            )
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
