"""Pricing stored spans again, `/api/v1/reprice`: an answer that tells its progress line by line."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from genscope.api.coverage import MOST_MODELS
from genscope.api.native import FILTER_PARAMETERS, Authorised, Filtered
from genscope.api.openapi import documented
from genscope.api.shapes import plain
from genscope.auth import PROJECT_PARAMETER
from genscope.query.filter import FIELDS, QUERY, Filter, FilterError
from genscope.reprice import AlreadyRunning, Changes, Progress, Stopped
from genscope.services import Services, services
from genscope.store.errors import StoreError

router = APIRouter(prefix="/api/v1", tags=["prices"])
log = logging.getLogger(__name__)

PARAMETERS: Final = {*FIELDS, QUERY, "from", "to", "dry_run", PROJECT_PARAMETER}
LINES: Final = "application/x-ndjson"


class ProgressLine(msgspec.Struct, tag="progress"):
    """Rows that were looked at, of those in the range of time."""

    done: int
    total: int


class ModelLine(msgspec.Struct):
    """What changed for the calls to one model. Money is US dollars, of the calls whose cost is known."""

    provider: str | None
    model: str | None
    calls: int
    changed: int
    newly_priced: int
    no_longer_priced: int
    cost_before: str
    cost_after: str


class ResultLine(msgspec.Struct, tag="result"):
    """What pricing again changed, or would change.

    `spans` were looked at, the cost of `changed` is another now (or has another source or reason), and that of `reported`
    was told by the sender and stays. The other figures are of the calls to a model: generations and embeddings. The models
    come by their calls, at most 1000 of them.
    """

    dry_run: bool
    spans: int
    changed: int
    reported: int
    calls: int
    newly_priced: int
    no_longer_priced: int
    cost_before: str
    cost_after: str
    models: list[ModelLine]


class ErrorLine(msgspec.Struct, tag="error"):
    """Why it ended early; what was written until then stays."""

    message: str


Line = ProgressLine | ResultLine | ErrorLine
DryRun = Annotated[Literal["", "0", "1"], Query(description="`1`: say what would change, and change nothing.")]

_DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = documented(Line)
_DOCUMENTED[200] = {
    "description": "A line of JSON for every step, and one with the result or an error at the end",
    "content": {LINES: _DOCUMENTED[200]["content"]["application/json"]},
}


@router.post("/reprice", responses=_DOCUMENTED, openapi_extra=FILTER_PARAMETERS)
async def reprice(request: Request, project: Authorised, filter: Filtered, dry_run: DryRun = "") -> Response:
    """Price the spans again that start in a time range and meet every condition: by usage and model as they are stored.

    `from` is required. Costs that senders reported stay. Hanging up ends it; what was written until then stays.
    """
    # One that is misspelt must not mean all spans.
    unknown = request.query_params.keys() - PARAMETERS
    if unknown:
        raise FilterError(f"unknown parameter {min(unknown)!r}; expected one of {', '.join(sorted(PARAMETERS))}")
    if filter.start is None:
        raise FilterError("from: say from when on, such as from=30d or from=2026-01-01")
    return repriced(services(request), project.id, filter, dry_run=dry_run == "1")


def repriced(served: Services, project_id: str, filter: Filter, *, dry_run: bool) -> Response:
    """Return the response that prices the spans of a project again while it is sent, and tells its progress line by line.

    Raises:
        HTTPException: they are being priced again already.
    """
    repricing, turn = served.repricing, contextlib.ExitStack()
    try:
        turn.enter_context(repricing.turn(project_id))
    except AlreadyRunning:
        message = f"project {project_id!r} is being repriced already: try again when that has ended"
        raise HTTPException(409, message) from None
    return _Lines(_lines(repricing.run(project_id, filter, dry_run=dry_run), dry_run), turn)


class _Lines(StreamingResponse):
    """A response that ends the turn when it ends, however it does."""

    media_type = LINES

    def __init__(self, lines: AsyncIterator[bytes], turn: contextlib.ExitStack) -> None:
        super().__init__(lines)
        self._turn = turn

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with self._turn:
            await super().__call__(scope, receive, send)


async def _lines(steps: Iterator[Progress | Changes], dry_run: bool) -> AsyncIterator[bytes]:
    try:
        while (step := await run_in_threadpool(next, steps, None)) is not None:
            yield _line(
                ProgressLine(step.done, step.total) if isinstance(step, Progress) else result_line(step, dry_run)
            )
    except Stopped:
        yield _line(ErrorLine("the server is being stopped: what was written stays, run it again for the rest"))
    except StoreError as error:
        log.error("repricing: %s", error)  # noqa: TRY400 - the message is the engine's own
        yield _line(
            ErrorLine("the store does not answer at the moment: what was written stays, run it again for the rest")
        )


def _line(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"


def result_line(changes: Changes, dry_run: bool) -> ResultLine:
    """Return what pricing again changed as the API shows it."""
    models = sorted(changes.models.values(), key=lambda one: (-one.calls, one.provider or "", one.model or ""))
    return ResultLine(
        dry_run=dry_run,
        spans=changes.spans,
        changed=changes.changed,
        reported=changes.reported,
        calls=sum(one.calls for one in models),
        newly_priced=sum(one.newly_priced for one in models),
        no_longer_priced=sum(one.no_longer_priced for one in models),
        cost_before=plain(sum((one.cost_before for one in models), Decimal(0))),
        cost_after=plain(sum((one.cost_after for one in models), Decimal(0))),
        models=[
            ModelLine(
                one.provider,
                one.model,
                one.calls,
                one.changed,
                one.newly_priced,
                one.no_longer_priced,
                plain(one.cost_before),
                plain(one.cost_after),
            )
            for one in models[:MOST_MODELS]
        ],
    )
