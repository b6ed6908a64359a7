"""Deleting many traces, `DELETE /api/v1/traces`: an answer that tells its progress line by line."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from genscope.api.native import FILTER_PARAMETERS, Authorised, Filtered
from genscope.api.openapi import documented
from genscope.auth import PROJECT_PARAMETER
from genscope.query.filter import FIELDS, FilterError
from genscope.receive.errors import BadRequest
from genscope.services import services
from genscope.store.costs import Stopped
from genscope.store.deletes import Deletes
from genscope.store.errors import StoreError

router = APIRouter(prefix="/api/v1", tags=["read"])
log = logging.getLogger(__name__)

PARAMETERS: Final = {*FIELDS, "q", "from", "to", "confirm", PROJECT_PARAMETER}
LINES: Final = "application/x-ndjson"


class DeletedLine(msgspec.Struct, tag="progress"):
    """Traces that are gone, of those to delete. The last line has all of them."""

    done: int
    total: int


class FailedLine(msgspec.Struct, tag="error"):
    """Why it ended early; what was deleted until then is gone."""

    message: str


_DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = documented(DeletedLine | FailedLine)
_DOCUMENTED[200] = {
    "description": "A line of JSON for every step; an error, if there is one, is the last",
    "content": {LINES: _DOCUMENTED[200]["content"]["application/json"]},
}
Confirm = Annotated[
    int | None, Query(ge=0, description="How many traces are to be deleted; another number deletes none.")
]


@router.delete("/traces", responses=_DOCUMENTED, openapi_extra=FILTER_PARAMETERS)
def delete_traces(request: Request, project: Authorised, filter: Filtered, confirm: Confirm = None) -> Response:
    """Delete, for good, the traces that begin in a time range and have a span there that meets every condition.

    `confirm` says how many they are. Without it, or where it is another number, nothing is deleted, and the answer says how many
    they would be. Hanging up ends it; what was deleted until then is gone.
    """
    # One that is misspelt must not mean all traces.
    unknown = request.query_params.keys() - PARAMETERS
    if unknown:
        raise FilterError(f"unknown parameter {min(unknown)!r}; expected one of {', '.join(sorted(PARAMETERS))}")
    deletes = services(request).deletes
    found = deletes.matching(project.id, filter, begun=True)
    if confirm is None:
        raise BadRequest(f"this would delete {len(found)} traces for good: add confirm={len(found)} to do so")
    if confirm != len(found):
        raise HTTPException(409, f"{len(found)} traces meet the filter, not {confirm}: nothing was deleted")
    return StreamingResponse(lines(deletes, project.id, found), media_type=LINES)


def lines(deletes: Deletes, project_id: str, trace_ids: Sequence[str]) -> Iterator[bytes]:
    """Delete traces, and yield a line of JSON for every step."""
    yield _line(DeletedLine(0, len(trace_ids)))
    try:
        for done in deletes.many(project_id, trace_ids):
            yield _line(DeletedLine(done, len(trace_ids)))
    except Stopped:
        yield _line(FailedLine("the server is being stopped: do the same again for the rest"))
    except StoreError as error:
        log.exception("a deletion of %d traces ended early", len(trace_ids))
        yield _line(FailedLine(f"the store failed: {error}"))


def _line(line: DeletedLine | FailedLine) -> bytes:
    return msgspec.json.encode(line) + b"\n"
