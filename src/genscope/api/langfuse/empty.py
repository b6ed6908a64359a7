"""What Langfuse keeps and Genscope does not: prompts, datasets and the like. They are read as those of a project that has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from genscope.api.langfuse.parameters import Paged
from genscope.api.native import Authorised
from genscope.api.shapes import respond

router = APIRouter(include_in_schema=False)

#: Lists of things that there are none of, and what the things are called.
LISTS: Final = {
    "/annotation-queues": "annotation queues",
    "/comments": "comments",
    "/dataset-items": "datasets",
    "/dataset-run-items": "datasets",
    "/experiment-items": "experiments",
    "/experiments": "experiments",
    "/integrations/blob-storage": "integrations",
    "/llm-connections": "connections to models",
    "/models": "definitions of models",
    "/score-configs": "score configurations",
    "/unstable/dashboard-widgets": "dashboards",
    "/unstable/dashboards": "dashboards",
    "/unstable/skills": "skills",
    "/v2/datasets": "datasets",
    "/v2/evaluation-rules": "evaluation rules",
    "/v2/evaluators": "evaluators",
    "/v2/prompts": "prompts",
}
#: One thing, and what belongs to it.
ONES: Final = {
    **{f"{path}/{{thing:path}}": noun for path, noun in LISTS.items()},
    "/datasets/{thing:path}": "datasets",
}
#: Where a price is set, which a definition of a model is for in Langfuse.
ELSEWHERE: Final = {"definitions of models": "; set prices at /api/v1/prices"}
WRITES: Final = ["POST", "PUT", "PATCH", "DELETE"]


def _nothing(project: Authorised, paged: Paged) -> Response:
    return respond({"data": [], "meta": {"page": paged.page, "limit": paged.limit, **NONE}})


#: The end of every kind of list: by number, by cursor, by next page.
NONE: Final[dict[str, Any]] = {"totalItems": 0, "totalPages": 0, "hasNextPage": False}


def _unknown(noun: str) -> Callable[..., Response]:
    def unknown(request: Request, project: Authorised, thing: str) -> Response:
        raise HTTPException(404, f"{thing!r} not found: Genscope keeps no {noun}")

    return unknown


def _unkept(noun: str) -> Callable[..., Response]:
    def unkept(request: Request, project: Authorised) -> Response:
        hint = ELSEWHERE.get(noun, "; it records traces, observations and scores")
        raise HTTPException(405, f"Genscope keeps no {noun}{hint}", {"Allow": "GET"})

    return unkept


for path in LISTS:
    router.add_api_route(path, _nothing, methods=["GET"])
for path, noun in ONES.items():
    router.add_api_route(path, _unknown(noun), methods=["GET"])
for path, noun in {**LISTS, **ONES}.items():
    router.add_api_route(path, _unkept(noun), methods=WRITES)
router.add_api_route("/feedback", _unkept("feedback about Langfuse"), methods=["POST"])
