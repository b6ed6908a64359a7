"""`genscope projects` and `genscope keys`: through the server that runs on the data directory, or without one in its store.

The engine is imported when it is opened: see `serve`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from urllib.parse import quote

import typer

from genscope.cli import running
from genscope.cli.client import Client
from genscope.cli.output import AsJson, give_up, out, print_rows
from genscope.cli.serve import Data, settings_from

if TYPE_CHECKING:
    from genscope.auth import Authenticator
    from genscope.config import Settings

projects_app = typer.Typer(help="List, make and rename projects, whether the server runs or not.", no_args_is_help=True)
keys_app = typer.Typer(help="List, make and revoke API keys, whether the server runs or not.", no_args_is_help=True)
ProjectName = Annotated[str, typer.Option("--project", help="Project that the key opens.")]


class Access(Protocol):
    """The projects and keys of one data directory. What cannot be done raises ValueError, or ends the command."""

    def projects(self) -> list[dict[str, Any]]:
        """Return the projects: `id` and `name`."""

    def create_project(self, project: str, name: str) -> tuple[str, str]:
        """Make a project and return its first key pair."""

    def rename_project(self, project: str, name: str) -> None:
        """Give a project another name."""

    def keys(self, project: str) -> list[dict[str, Any]]:
        """Return the keys of a project: `public_key`, `project`, `name` and more."""

    def create_key(self, project: str, name: str) -> tuple[str, str]:
        """Make a key and return the pair."""

    def revoke_key(self, project: str, public_key: str) -> None:
        """Make a key open nothing any more."""


class Running:
    """A server that runs: it is asked over HTTP, with the token that it left in its directory."""

    def __init__(self, url: str, token: str) -> None:
        self._client = Client(url, "command", token)

    def projects(self) -> list[dict[str, Any]]:
        """Return the projects."""
        return list(self._client.ask("GET", "projects")["data"])

    def create_project(self, project: str, name: str) -> tuple[str, str]:
        """Make a project."""
        made = self._client.ask("POST", "projects", body={"id": project, "name": name})
        return made["public_key"], made["secret_key"]

    def rename_project(self, project: str, name: str) -> None:
        """Rename a project."""
        self._client.ask("PATCH", f"projects/{project}", body={"name": name})

    def keys(self, project: str) -> list[dict[str, Any]]:
        """Return keys."""
        return list(self._client.ask("GET", "keys", {"project_id": project})["data"])

    def create_key(self, project: str, name: str) -> tuple[str, str]:
        """Make a key."""
        made = self._client.ask("POST", "keys", {"project_id": project}, {"name": name})
        return made["public_key"], made["secret_key"]

    def revoke_key(self, project: str, public_key: str) -> None:
        """Revoke a key."""
        self._client.ask("DELETE", f"keys/{quote(public_key, safe='')}", {"project_id": project})


class Stopped:
    """The store of a server that does not run."""

    def __init__(self, auth: Authenticator) -> None:
        self._auth = auth

    def projects(self) -> list[dict[str, Any]]:
        """Return the projects."""
        return [{"id": project.id, "name": project.name} for project in self._auth.projects]

    def create_project(self, project: str, name: str) -> tuple[str, str]:
        """Make a project."""
        return self._auth.create_key(self._auth.create_project(project, name).id, "initial")

    def rename_project(self, project: str, name: str) -> None:
        """Rename a project."""
        self._auth.rename_project(project, name)

    def keys(self, project: str) -> list[dict[str, Any]]:
        """Return keys."""
        from genscope.api.shapes import iso  # noqa: PLC0415

        return [
            {
                "public_key": key.public_key,
                "project": key.project_id,
                "name": key.name,
                "created": iso(key.created),
                "last_used": iso(self._auth.last_used(key.public_key)),
            }
            for key in self._auth.keys(project)
        ]

    def create_key(self, project: str, name: str) -> tuple[str, str]:
        """Make a key."""
        return self._auth.create_key(project, name)

    def revoke_key(self, project: str, public_key: str) -> None:
        """Revoke a key."""
        self._auth.revoke_key(project, public_key)


@contextlib.contextmanager
def open_access(data: Data) -> Iterator[Access]:
    """Open the projects and keys of a data directory; end the command where something cannot be done."""
    settings = settings_from(data=data)
    server = running.find(settings)
    try:
        if server is not None and _answers(server[0]):
            yield Running(*server)
        else:
            with _stopped(settings) as access:
                yield access
    except ValueError as error:
        give_up(str(error))


@contextlib.contextmanager
def _stopped(settings: Settings) -> Iterator[Access]:
    from genscope.auth import Authenticator  # noqa: PLC0415
    from genscope.members import Members  # noqa: PLC0415
    from genscope.store.catalog import Catalog  # noqa: PLC0415
    from genscope.store.errors import StoreError, StoreLocked  # noqa: PLC0415
    from genscope.store.opening import open_store  # noqa: PLC0415

    try:
        with open_store(settings) as engine:
            catalog = Catalog(engine)
            yield Stopped(Authenticator(catalog, Members(catalog), home=settings.init_project, anonymous=False))
    except StoreLocked:
        give_up("another process has this data directory open, and is no server that could be asked; try again")
    except StoreError as error:
        give_up(str(error))


def _answers(url: str) -> bool:
    """Whether a server listens there; what one left that was killed leads nowhere."""
    import requests  # noqa: PLC0415

    session = requests.Session()
    session.trust_env = False
    try:
        return bool(session.get(f"{url}/health", timeout=10).json().get("store") == "chdb")
    except (requests.RequestException, ValueError, AttributeError):
        return False


def _check(access: Access, project: str) -> None:
    if all(known["id"] != project for known in access.projects()):
        give_up(f"there is no project {project!r}; make it with: genscope projects create {project}")


@projects_app.command("list")
def list_projects(data: Data = None, as_json: AsJson = False) -> None:
    """List projects."""
    with open_access(data) as access:
        print_rows([{"project": project["id"], "name": project["name"]} for project in access.projects()], as_json)


@projects_app.command("create")
def create_project(
    project: Annotated[str, typer.Argument(help="Lower-case letters, digits, - and _; it stands in URLs.")],
    name: Annotated[str, typer.Option(help="How pages call it; default: the same.")] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a project and its first key pair, and print both; the secret is shown this once."""
    from genscope.auth import check_slug  # noqa: PLC0415

    try:
        check_slug(project)
    except ValueError as error:
        give_up(str(error), 2)
    with open_access(data) as access:
        if any(known["id"] == project for known in access.projects()):
            give_up(f"project {project!r} exists; make another key with: genscope keys create --project {project}")
        print_pair(project, access.create_project(project, name), as_json)


@projects_app.command("rename")
def rename_project(
    project: Annotated[str, typer.Argument(help="Its id, which stays.")],
    name: Annotated[str, typer.Argument(help="How pages shall call it.")],
    data: Data = None,
) -> None:
    """Give a project another name."""
    with open_access(data) as access:
        _check(access, project)
        access.rename_project(project, name)
        out.print(f"{project} is now called {name}", markup=False)


@keys_app.command("list")
def list_keys(data: Data = None, as_json: AsJson = False) -> None:
    """List the keys that are not revoked. Secrets are not known: only their hashes are kept."""
    with open_access(data) as access:
        keys = [key for project in access.projects() for key in access.keys(project["id"])]
        print_rows(keys, as_json)


@keys_app.command("create")
def create_key(
    project: ProjectName = "default",
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a key pair and print it; the secret is shown this once."""
    with open_access(data) as access:
        _check(access, project)
        print_pair(project, access.create_key(project, name), as_json)


@keys_app.command("revoke")
def revoke_key(public_key: Annotated[str, typer.Argument(help="Public half of the key.")], data: Data = None) -> None:
    """Make a key open nothing any more."""
    with open_access(data) as access:
        keys = (key for project in access.projects() for key in access.keys(project["id"]))
        project = next((str(key["project"]) for key in keys if key["public_key"] == public_key), None)
        if project is None:
            give_up(f"there is no key {public_key!r}; see: genscope keys list")
        access.revoke_key(project, public_key)
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
