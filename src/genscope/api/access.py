"""Projects and their keys, `/api/v1/projects` and `/api/v1/keys`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from genscope.api.body import json_body
from genscope.api.openapi import accepted, documented
from genscope.api.shapes import Listing, iso, respond
from genscope.auth import Visitor
from genscope.members import NotPossible
from genscope.receive.errors import BadRequest, Forbidden
from genscope.services import services
from genscope.store.catalog import Key, Project

router = APIRouter(prefix="/api/v1", tags=["settings"])


async def _program(request: Request) -> Visitor:
    auth = services(request).auth
    return auth.program(request.headers, request.query_params, host=request.headers.get("host", ""))


#: On whose behalf a program changes settings.
Program = Annotated[Visitor, Depends(_program)]


class ProjectBody(msgspec.Struct, forbid_unknown_fields=True):
    """A project to make: its id, which stands in URLs, and how pages call it."""

    id: str
    name: str = ""


class NameBody(msgspec.Struct, forbid_unknown_fields=True):
    """Another name for a project."""

    name: str


class KeyBody(msgspec.Struct, forbid_unknown_fields=True):
    """A key to make, and what it is for."""

    name: str = ""


class OwnProject(msgspec.Struct):
    """A project that the key may see."""

    id: str
    name: str


class KeyShape(msgspec.Struct):
    """A key of the project. Its secret is not known; `last_used` is null if it never was."""

    public_key: str
    project: str
    name: str
    created: str | None
    last_used: str | None


class MadeKey(msgspec.Struct):
    """A key pair that was just made. Its secret is told this once."""

    project: str
    public_key: str
    secret_key: str


@router.get("/projects", responses=documented(Listing[OwnProject]))
def list_projects(request: Request, program: Program) -> Response:
    """List the project that the key opens; on a server that is open to this machine, all projects."""
    return respond(Listing([_project(project) for project in program.projects]))


@router.post("/projects", responses=documented(MadeKey), openapi_extra=accepted(ProjectBody))
async def create_project(request: Request, program: Program) -> Response:
    """Make a project and its first key pair. Only the owner of the server may: `genscope projects create`, or the page."""
    body = await json_body(request, ProjectBody, "project")
    if not program.owns_server:
        raise Forbidden(
            "a key opens one project and makes no others: use the settings page, or genscope projects create"
        )
    auth = services(request).auth
    try:
        made = await run_in_threadpool(auth.create_project, body.id, body.name)
        pair = await run_in_threadpool(auth.create_key, made.id, "initial")
    except NotPossible as problem:
        raise BadRequest(str(problem)) from None
    program.audit("made project %r and its key %s", made.id, pair[0])
    return respond(MadeKey(made.id, *pair))


@router.patch("/projects/{project_id}", responses=documented(OwnProject), openapi_extra=accepted(NameBody))
async def rename_project(request: Request, program: Program, project_id: str) -> Response:
    """Give a project another name; its id stays."""
    body = await json_body(request, NameBody, "name")
    if all(project.id != project_id for project in program.projects):
        raise HTTPException(404, f"there is no project {project_id[:80]!r} that this key opens")
    try:
        renamed = await run_in_threadpool(services(request).auth.rename_project, project_id, body.name)
    except NotPossible as problem:
        raise BadRequest(str(problem)) from None
    program.audit("renamed project %r to %r", project_id, renamed.name)
    return respond(_project(renamed))


@router.get("/keys", responses=documented(Listing[KeyShape]))
def list_keys(request: Request, program: Program) -> Response:
    """List the keys of the project that hold, the oldest first."""
    return respond(Listing([_key(request, key) for key in services(request).auth.keys(program.project.id)]))


@router.post("/keys", responses=documented(MadeKey), openapi_extra=accepted(KeyBody))
async def create_key(request: Request, program: Program) -> Response:
    """Make a key pair, which opens the project at once. Its secret is told this once; only a hash of it is kept."""
    body = await json_body(request, KeyBody, "key")
    try:
        pair = await run_in_threadpool(services(request).auth.create_key, program.project.id, body.name)
    except NotPossible as problem:
        raise BadRequest(str(problem)) from None
    program.audit("made key %s, named %r", pair[0], body.name)
    return respond(MadeKey(program.project.id, *pair))


@router.delete("/keys/{public_key}", responses=documented(KeyShape))
def revoke_key(request: Request, program: Program, public_key: str) -> Response:
    """Make a key open nothing any more, at once, and return what it was."""
    key = services(request).auth.revoke_key(program.project.id, public_key)
    if key is None:
        raise HTTPException(
            404, f"project {program.project.id!r} has no key {public_key[:80]!r}; GET /api/v1/keys lists them"
        )
    program.audit("revoked key %s", public_key)
    return respond(_key(request, key))


def _project(project: Project) -> OwnProject:
    return OwnProject(project.id, project.name)


def _key(request: Request, key: Key) -> KeyShape:
    used = services(request).auth.last_used(key.public_key)
    return KeyShape(key.public_key, key.project_id, key.name, iso(key.created), iso(used))
