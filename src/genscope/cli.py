"""The command line: `genscope serve` and what goes with it."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from genscope import __version__, demo
from genscope.app import Started, create_app, open_server, open_store
from genscope.auth import SLUG, make_key
from genscope.config import Settings
from genscope.store.catalog import Catalog, Project
from genscope.store.errors import StoreError, StoreLocked

app = typer.Typer(
    name="genscope",
    help="Self-hosted observability for LLM applications: one process, exact answers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

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


def fail(message: str) -> None:
    """Print what went wrong. The message may hold a user's text, so none of it is taken for markup."""
    err.print("error:", style="red", end=" ")
    err.print(message, markup=False)


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


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """Self-hosted observability for LLM applications: one process, exact answers."""
    if version:
        out.print(__version__)
        raise typer.Exit


@app.command()
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


@app.command("demo")
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
            fail(str(error))
            raise typer.Exit(1) from None
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

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None], stopping: threading.Event) -> None:
        super().__init__(config)
        self._listening = listening
        self._stopping = stopping

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
            Server(config, lambda: listening(started, url), stop).run(sockets=[listener])
    except StoreLocked as error:
        fail(f"{error}. Stop the other server, or give this one its own --data directory.")
        raise typer.Exit(1) from None
    except (StoreError, OSError, ValueError) as error:
        fail(str(error))
        raise typer.Exit(1) from None


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


# Projects and keys: these open the store themselves, so the server must be stopped.

projects_app = typer.Typer(help="List and make projects, while the server is stopped.", no_args_is_help=True)
keys_app = typer.Typer(help="List, make and revoke API keys, while the server is stopped.", no_args_is_help=True)
app.add_typer(projects_app, name="projects")
app.add_typer(keys_app, name="keys")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ProjectName = Annotated[str, typer.Option("--project", help="Project that the key opens.")]


@contextlib.contextmanager
def open_catalog(data: Path | None) -> Iterator[Catalog]:
    """Open the small tables of a stopped server; exit 1 if it is running."""
    settings = settings_from(data=data)
    try:
        with open_store(settings) as engine:
            yield Catalog(engine)
    except StoreLocked:
        fail("the server is running on this data directory; stop it first.")
        raise typer.Exit(1) from None
    except StoreError as error:
        fail(str(error))
        raise typer.Exit(1) from None


def print_rows(rows: list[dict[str, str]], as_json: bool) -> None:
    """Print rows as a table, or as JSON for another program."""
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table(*(rows[0] if rows else ()), box=None, header_style="bold")
    for row in rows:
        table.add_row(*(Text(value) for value in row.values()))
    out.print(table if rows else "none")


@projects_app.command("list")
def list_projects(data: Data = None, as_json: AsJson = False) -> None:
    """List projects."""
    with open_catalog(data) as catalog:
        print_rows([{"project": project.id, "name": project.name} for project in catalog.projects()], as_json)


@projects_app.command("create")
def create_project(
    project: Annotated[str, typer.Argument(help="Lower-case letters, digits, - and _; it stands in URLs.")],
    name: Annotated[str, typer.Option(help="How pages call it; default: the same.")] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a project and its first key pair, and print both; the secret is shown this once."""
    if not SLUG.fullmatch(project):
        fail(f"{project!r} is no project name: use lower-case letters, digits, - and _")
        raise typer.Exit(2)
    with open_catalog(data) as catalog:
        if any(known.id == project for known in catalog.projects()):
            fail(f"project {project!r} exists; make another key with: genscope keys create")
            raise typer.Exit(1)
        catalog.add_project(Project(project, name or project))
        print_pair(project, make_key(catalog, project, "initial"), as_json)


@keys_app.command("list")
def list_keys(data: Data = None, as_json: AsJson = False) -> None:
    """List the keys that are not revoked. Secrets are not known: only their hashes are kept."""
    with open_catalog(data) as catalog:
        rows = [
            {"public_key": key.public_key, "project": key.project_id, "name": key.name} for key in catalog.api_keys()
        ]
        print_rows(rows, as_json)


@keys_app.command("create")
def create_key(
    project: ProjectName = "default",
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a key pair and print it; the secret is shown this once."""
    with open_catalog(data) as catalog:
        if all(known.id != project for known in catalog.projects()):
            fail(f"there is no project {project!r}; make it with: genscope projects create {project}")
            raise typer.Exit(1)
        print_pair(project, make_key(catalog, project, name), as_json)


@keys_app.command("revoke")
def revoke_key(public_key: Annotated[str, typer.Argument(help="Public half of the key.")], data: Data = None) -> None:
    """Make a key open nothing any more."""
    with open_catalog(data) as catalog:
        if all(key.public_key != public_key for key in catalog.api_keys()):
            fail(f"there is no key {public_key!r}; see: genscope keys list")
            raise typer.Exit(1)
        catalog.revoke_key(public_key)
        out.print(f"revoked {public_key}", markup=False)


def print_pair(project: str, pair: tuple[str, str], as_json: bool) -> None:
    """Print a new key pair."""
    public_key, secret_key = pair
    if as_json:
        print_rows([{"project": project, "public_key": public_key, "secret_key": secret_key}], as_json)
    else:
        out.print(
            f"Project      {project}\nPublic key   {public_key}\nSecret key   {secret_key}   (shown this once)",
            markup=False,
        )


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
