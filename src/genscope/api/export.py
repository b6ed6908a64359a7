"""Spans in bulk: out as JSON lines, CSV or Parquet (`/api/v1/export`), and back in (`/api/v1/import`)."""

from __future__ import annotations

import csv
import dataclasses
import io
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from genscope.api.native import FILTER_PARAMETERS, Authorised, Filtered, show
from genscope.api.openapi import documented
from genscope.api.shapes import (
    CostRuleShape,
    RuleShape,
    ScoreShape,
    SpanShape,
    by_subject,
    iso,
    plain,
    respond,
    score_shape,
)
from genscope.api.sql import cell
from genscope.model import LEVELS, SPAN_TYPES, Event, Link, Resource, Scope, Score, Span
from genscope.query.filter import Filter, parse_time
from genscope.receive.body import decode_body, read_body
from genscope.receive.errors import BadRequest
from genscope.services import services
from genscope.store import flat
from genscope.store.catalog import Project
from genscope.store.where import EARLIEST, LATEST

router = APIRouter(prefix="/api/v1", tags=["export"])

LINES: Final = "application/x-ndjson"
_encode: Final = msgspec.json.Encoder().encode


class Nanoseconds(msgspec.Struct):
    """The moments of a span exactly, in nanoseconds since the epoch; `time` is where it is placed."""

    time: int
    start_time: int | None
    end_time: int | None
    completion_start_time: int | None


class ExportLine(SpanShape, kw_only=True):
    """A span of an export: as the API shows it, and what an import needs beside that."""

    nanoseconds: Nanoseconds
    #: What was said of the whole trace, on its root.
    trace_scores: list[ScoreShape] = msgspec.field(default_factory=list)


_DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = documented(ExportLine)
_DOCUMENTED[200]["description"] = "A span a line"
_DOCUMENTED[200]["content"] = {
    LINES: _DOCUMENTED[200]["content"]["application/json"],
    "text/csv": {"schema": {"type": "string"}},
    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
}
Batches = Iterator[list[Span]]


def _lines(request: Request, project: Project, batches: Batches) -> Iterator[bytes]:
    reader = services(request).reader
    for spans in batches:
        scores = by_subject(reader.scores.of_traces(project.id, list({span.trace_id for span in spans})))
        yield b"".join(
            _encode(_line(span, shape, scores[span.trace_id, ""])) + b"\n"
            for span, shape in zip(spans, show(request, project, spans, scores), strict=True)
        )


def _line(span: Span, shape: SpanShape, of_trace: Sequence[Score]) -> ExportLine:
    told = Nanoseconds(span.time, span.start_time, span.end_time, span.completion_start_time)
    root = span.parent_span_id is None or span.is_root
    fields = {name: getattr(shape, name) for name in SpanShape.__struct_fields__}
    return ExportLine(**fields, nanoseconds=told, trace_scores=[score_shape(one) for one in of_trace] if root else [])


def _csv(_request: Request, _project: Project, batches: Batches) -> Iterator[bytes]:
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(flat.COLUMNS)
    for spans in batches:
        writer.writerows([_cell(name, value) for name, value in flat.row(span).items()] for span in spans)
        yield written.getvalue().encode("utf-8", "replace")
        written.seek(0)
        written.truncate()
    yield written.getvalue().encode()


def _cell(name: str, value: Any) -> str | int | float | None:
    if isinstance(value, Decimal):
        return plain(value)
    return iso(value) if name in flat.MOMENTS else cell(value)


def _parquet(_request: Request, _project: Project, batches: Batches) -> Iterator[bytes]:
    return flat.parquet(batches)


#: How the spans are written, by format: media type, and the pieces of the file.
FORMATS: Final[dict[str, tuple[str, Callable[[Request, Project, Batches], Iterator[bytes]]]]] = {
    "jsonl": (LINES, _lines),
    "csv": ("text/csv; charset=utf-8", _csv),
    "parquet": ("application/vnd.apache.parquet", _parquet),
}


@router.get("/export", responses=_DOCUMENTED, openapi_extra=FILTER_PARAMETERS)
async def export(
    request: Request,
    project: Authorised,
    filter: Filtered,
    form: Annotated[
        Literal["jsonl", "csv", "parquet"], Query(alias="format", description="How spans are written.")
    ] = "jsonl",
) -> Response:
    """Return every span that meets the filter, the earliest first, as a file that is written while it is read."""
    return await exported(request, project, filter, form)


async def exported(request: Request, project: Project, filter: Filter, form: str) -> Response:
    """Return every span that meets a filter as a file; see `FORMATS`."""
    media_type, write = FORMATS[form]
    pieces = write(request, project, services(request).reader.export.batches(project.id, filter))
    headers = {"Content-Disposition": f'attachment; filename="genscope.{form}"', "Vary": "Accept-Encoding"}
    if form != "parquet" and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        pieces = _compressed(pieces)
    # What is wrong with the question shows in the first piece, while it can still be answered with an error.
    first = await run_in_threadpool(next, pieces, b"")
    return StreamingResponse(_sent(first, pieces), headers=headers, media_type=media_type)


async def _sent(first: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    while (piece := await run_in_threadpool(next, pieces, None)) is not None:
        yield piece


def _compressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(level=1, wbits=31)
    for piece in pieces:
        yield packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()


# And back.


class Imported(msgspec.Struct):
    """What an import stored."""

    spans: int
    scores: int


class _Texts(msgspec.Struct):
    """The texts of a line as they are written: a string, or the JSON of a structure."""

    input: msgspec.Raw = msgspec.Raw(b"null")
    output: msgspec.Raw = msgspec.Raw(b"null")
    trace_input: msgspec.Raw = msgspec.Raw(b"null")
    trace_output: msgspec.Raw = msgspec.Raw(b"null")


_read_line: Final = msgspec.json.Decoder(ExportLine).decode
_read_texts: Final = msgspec.json.Decoder(_Texts).decode
_TAKEN: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {LINES: _DOCUMENTED[200]["content"][LINES]}},
}


@router.post("/import", responses=documented(Imported), openapi_extra=_TAKEN)
async def take(request: Request, project: Authorised) -> Response:
    """Store the spans of an export in JSON lines, with what was said of them, as they are. What is there already stays once.

    A request with a line that is none is refused, and nothing of it stored.
    """
    served = services(request)
    limit = served.ingest.limits.body_bytes
    with served.ingest.room() as room:
        try:
            body = await read_body(request.stream(), limit, room)
        except ClientDisconnect:
            raise BadRequest("the connection ended before the body did") from None
        plain_body = await run_in_threadpool(decode_body, body, request.headers.get("content-encoding"), limit)
        spans, said = await run_in_threadpool(_taken, plain_body)
        await served.ingest.take_spans(project.id, spans, said)
    return respond(Imported(len(spans), len(said)))


def _taken(body: bytes) -> tuple[list[Span], list[Score]]:
    spans: list[Span] = []
    said: list[Score] = []
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            told, texts = _read_line(line), _read_texts(line)
            spans.append(_span(told, texts))
            said += [_score(one) for one in (*told.scores, *told.trace_scores)]
        except (ValueError, ArithmeticError) as error:
            raise BadRequest(f"line {number} is no span of an export: {error}") from None
    return spans, said


def _span(told: ExportLine, texts: _Texts) -> Span:
    moments = told.nanoseconds
    if not (told.trace_id and told.span_id):
        raise ValueError("trace_id and span_id are needed")
    if told.type not in (None, *SPAN_TYPES) or told.level not in (None, *LEVELS):
        raise ValueError(f"there is no type {told.type!r} or no level {told.level!r}")
    for moment in (moments.time, moments.start_time, moments.end_time, moments.completion_start_time):
        if moment is not None and not EARLIEST <= moment <= LATEST:
            raise ValueError(f"{moment} is no moment that can be stored")
    same = {name: getattr(told, name) for name in _SAME}
    explain = told.explain
    return Span(
        **same,
        time=moments.time,
        start_time=moments.start_time,
        end_time=moments.end_time,
        completion_start_time=moments.completion_start_time,
        input=_text(texts.input),
        output=_text(texts.output),
        trace_input=_text(texts.trace_input),
        trace_output=_text(texts.trace_output),
        cost={kind: Decimal(amount) for kind, amount in told.cost.items()} if told.cost else None,
        type_rule=_rule(explain.type),
        model_rule=_rule(explain.model),
        usage_rule=_rule(explain.usage),
        cost_rule=(explain.cost.price or _rule(explain.cost)) if explain.cost else None,
        events=[Event(one.name, _nanoseconds(one.time), one.attributes) for one in told.events],
        links=[Link(one.trace_id, one.span_id, one.attributes) for one in told.links],
        resource=Resource(told.resource),
        scope=Scope(told.scope.name, told.scope.version, told.scope.attributes),
    )


#: Fields that are the same in a span and in its line.
_SAME: Final = tuple(
    sorted(
        {one.name for one in dataclasses.fields(Span)}
        & (
            set(SpanShape.__struct_fields__)
            - {
                "start_time",
                "end_time",
                "completion_start_time",
                "input",
                "output",
                "trace_input",
                "trace_output",
                "cost",
            }
            - {"events", "links", "resource", "scope"}
        )
    )
)


def _text(raw: msgspec.Raw) -> str | None:
    written = bytes(raw)
    if written == b"null":
        return None
    return msgspec.json.decode(written, type=str) if written.startswith(b'"') else written.decode()


def _rule(told: RuleShape | CostRuleShape | None) -> str | None:
    return f"{told.dialect} {told.source}" if told is not None and told.dialect and told.source else None


def _nanoseconds(time: str | None) -> int | None:
    return None if time is None else parse_time(time, "time")


def _score(told: ScoreShape) -> Score:
    same = {name: getattr(told, name) for name in ScoreShape.__struct_fields__ if name != "time"}
    return Score(**same, time=_nanoseconds(told.time) or 0)
