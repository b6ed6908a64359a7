"""`genscope projects` and `genscope keys`: these open the store themselves, so the server must be stopped.

The engine is imported when it is opened: see `serve`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from genscope.cli.output import AsJson, give_up, out, print_rows
from genscope.cli.serve import Data, settings_from

if TYPE_CHECKING:
    from genscope.store.catalog import Catalog

projects_app = typer.Typer(help="List and make projects, while the server is stopped.", no_args_is_help=True)
keys_app = typer.Typer(help="List, make and revoke API keys, while the server is stopped.", no_args_is_help=True)
ProjectName = Annotated[str, typer.Option("--project", help="Project that the key opens.")]


@contextlib.contextmanager
def open_catalog(data: Data) -> Iterator[Catalog]:
    """Open the small tables of a stopped server; exit 1 if it is running."""
    from genscope.app import open_store  # noqa: PLC0415
    from genscope.store.catalog import Catalog  # noqa: PLC0415
    from genscope.store.errors import StoreError, StoreLocked  # noqa: PLC0415

    settings = settings_from(data=data)
    try:
        with open_store(settings) as engine:
            yield Catalog(engine)
    except StoreLocked:
        give_up("the server is running on this data directory; stop it first.")
    except StoreError as error:
        give_up(str(error))


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
    from genscope.auth import SLUG, make_key  # noqa: PLC0415
    from genscope.store.catalog import Project  # noqa: PLC0415

    if not SLUG.fullmatch(project):
        give_up(f"{project!r} is no project name: use lower-case letters, digits, - and _", 2)
    with open_catalog(data) as catalog:
        if any(known.id == project for known in catalog.projects()):
            give_up(f"project {project!r} exists; make another key with: genscope keys create")
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
    from genscope.auth import make_key  # noqa: PLC0415

    with open_catalog(data) as catalog:
        if all(known.id != project for known in catalog.projects()):
            give_up(f"there is no project {project!r}; make it with: genscope projects create {project}")
        print_pair(project, make_key(catalog, project, name), as_json)


@keys_app.command("revoke")
def revoke_key(public_key: Annotated[str, typer.Argument(help="Public half of the key.")], data: Data = None) -> None:
    """Make a key open nothing any more."""
    with open_catalog(data) as catalog:
        if all(key.public_key != public_key for key in catalog.api_keys()):
            give_up(f"there is no key {public_key!r}; see: genscope keys list")
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
