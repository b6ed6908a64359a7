"""`genscope serve` and `genscope demo`.

What they run is imported when it is run: it takes a second, which no other command and no `--help` shall wait for.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from genscope.cli.output import fail, give_up
from genscope.config import Settings

if TYPE_CHECKING:
    from genscope.app import Started

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
    from genscope.cli import server  # noqa: PLC0415

    settings = settings_from(
        host=host, port=port, grpc_port=grpc_port, data=data, store=store, allow_anonymous=allow_anonymous
    )
    server.run(settings, lambda started, url: server.announce(started, url, settings))


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
    from genscope import demo  # noqa: PLC0415

    if url is not None:
        try:
            demo.run(
                url, public_key or None, secret_key or None, days=days, traces=traces, rate=rate, seed=seed, once=once
            )
        except demo.DemoError as error:
            give_up(str(error))
        return
    from genscope.cli import server  # noqa: PLC0415

    settings = settings_from(host=host, port=port, grpc_port=grpc_port, data=data, allow_anonymous=True)
    stop = threading.Event()

    def tell(address: str) -> None:
        try:
            demo.run(address, days=days, traces=traces, rate=rate, seed=seed, stop=stop)
        except demo.DemoError as error:
            fail(str(error))

    def started(opened: Started, address: str) -> None:
        server.announce(opened, address, settings)
        threading.Thread(target=tell, args=(address,), name="genscope-demo", daemon=True).start()

    server.run(settings, started, stop)
