"""Whether the server is there, and whose key it is: what Langfuse's clients ask while they trace."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Response

from genscope import __version__
from genscope.api.native import Authorised
from genscope.api.openapi import PUBLIC, documented
from genscope.api.shapes import respond

router = APIRouter()


class Readiness(msgspec.Struct):
    """An answer to a readiness probe."""

    status: str
    version: str


class Organization(msgspec.Struct):
    """What Langfuse's projects belong to; Genscope has one."""

    id: str = "genscope"
    name: str = "Genscope"


class ProjectShape(msgspec.Struct):
    """A project as Langfuse's clients read it."""

    id: str
    name: str
    organization: Organization
    metadata: dict[str, str]


class Projects(msgspec.Struct):
    """The projects that a key opens."""

    data: list[ProjectShape]


@router.get("/health", responses=documented(Readiness), openapi_extra=PUBLIC)
def health() -> Response:
    """Answer readiness probes of Langfuse's clients."""
    return respond(Readiness("OK", __version__))


@router.get("/projects", responses=documented(Projects))
async def projects(project: Authorised) -> Response:
    """Return the one project that the key opens: `auth_check()` and trace URLs depend on it."""
    return respond(Projects([ProjectShape(project.id, project.name, Organization(), {})]))
