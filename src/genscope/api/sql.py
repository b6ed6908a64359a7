"""The SQL console over HTTP, `/api/v1/sql`: one read-only statement over the rows of the key's project."""

from __future__ import annotations

import csv
import io
import re
from typing import Annotated, Any, Final, Literal

import msgspec
import orjson
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from genscope.api.body import json_body
from genscope.api.native import Authorised
from genscope.api.openapi import accepted, documented
from genscope.api.shapes import Listing, respond
from genscope.services import services
from genscope.store.console import Answer
from genscope.store.tables import TABLES

router = APIRouter(prefix="/api/v1", tags=["sql"])

#: Beginnings of a text that spreadsheets take for a formula; a quote before it makes it a text to them.
_FORMULA: Final = re.compile(r"[=+\-@\t\r]")


class SqlQuery(msgspec.Struct):
    """A SELECT over `spans`, `generations`, `traces`, `scores` and `sessions`."""

    query: str


class SqlColumn(msgspec.Struct):
    """A column of an answer by its name and the engine's type."""

    name: str
    type: str


class SqlAnswer(msgspec.Struct):
    """Rows in the order of the columns; decimals are text. `cut` is true if there were more rows than an answer may have."""

    columns: list[SqlColumn]
    rows: list[list[Any]]
    cut: bool
    rows_read: int
    elapsed_ms: float


class SqlColumnShape(msgspec.Struct):
    """A column that a query may name."""

    name: str
    type: str
    description: str


class SqlTable(msgspec.Struct):
    """A table that a query may name."""

    name: str
    description: str
    columns: list[SqlColumnShape]


_DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = documented(SqlAnswer)
_DOCUMENTED[200]["content"]["text/csv"] = {"schema": {"type": "string"}}


@router.post("/sql", responses=_DOCUMENTED, openapi_extra=accepted(SqlQuery))
async def run_sql(
    request: Request,
    project: Authorised,
    form: Annotated[Literal["json", "csv"], Query(alias="format", description="How the rows are written.")] = "json",
) -> Response:
    """Answer a SELECT over the project's rows. It cannot write, read files or reach the network.

    An answer has at most 10,000 rows; a query may take 15 seconds and 512 MB.
    """
    asked = await json_body(request, SqlQuery, "query")
    answer = await run_in_threadpool(services(request).reader.console.run, project.id, asked.query)
    return csv_response(answer) if form == "csv" else respond(answer_shape(answer))


@router.get("/sql/tables", responses=documented(Listing[SqlTable]))
def list_tables(project: Authorised) -> Response:
    """List the tables that a query may name, and their columns."""
    return respond(Listing(tables()))


def tables() -> list[SqlTable]:
    """Return the tables that a query may name."""
    return [
        SqlTable(
            table.name,
            table.description,
            [SqlColumnShape(column.name, column.type, column.description) for column in table.columns],
        )
        for table in TABLES.values()
    ]


def answer_shape(answer: Answer) -> SqlAnswer:
    """Return an answer as the API shows it."""
    columns = [SqlColumn(*column) for column in answer.columns]
    return SqlAnswer(columns, answer.rows, answer.cut, answer.rows_read, round(answer.seconds * 1000, 3))


def csv_response(answer: Answer) -> Response:
    """Return an answer as a file for spreadsheets."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(cell(name) for name, _ in answer.columns)
    writer.writerows([cell(value) for value in row] for row in answer.rows)
    headers = {"Content-Disposition": 'attachment; filename="genscope-sql.csv"'}
    return Response(
        written.getvalue().encode("utf-8", "replace"), headers=headers, media_type="text/csv; charset=utf-8"
    )


def cell(value: Any) -> str | int | float | None:
    """Return a value as a cell of CSV: structures as JSON, and text that would be a formula with a quote before it."""
    if value is None or isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"'{text}" if _FORMULA.match(text) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", text, re.ASCII) is not None
