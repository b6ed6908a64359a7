"""The SQL console."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from genscope.api.sql import SqlTable, answer_shape, csv_response, tables
from genscope.query.filter import FilterError
from genscope.services import services
from genscope.store.console import MAX_ROWS, MEMORY, SECONDS, Answer
from genscope.store.errors import QueryTooLarge, StoreBusy
from genscope.web.frame import Viewer, page, page_router
from genscope.web.security import from_other_site

router = page_router()

#: Rows that the page shows; the others are in the file that it offers.
SHOWN: Final = 500
#: Rows and series of a chart.
POINTS: Final = 2000
SERIES: Final = 6
COLOURS: Final = ("--t-generation", "--t-tool", "--t-retriever", "--t-agent", "--t-chain", "--t-check")

#: What may be asked, in words and in SQL.
EXAMPLES: Final = (
    (
        "Cost by day and model",
        "SELECT toDate(time) AS day, model, count() AS calls, sum(cost) AS cost\nFROM generations\n"
        "GROUP BY day, model\nORDER BY day, cost DESC",
    ),
    (
        "Calls and errors by hour",
        "SELECT toStartOfHour(time) AS hour, count() AS calls, countIf(level = 'ERROR') AS errors\nFROM generations\n"
        "WHERE time > now() - INTERVAL 7 DAY\nGROUP BY hour\nORDER BY hour",
    ),
    (
        "Latency by model",
        "SELECT model, count() AS calls, quantile(0.5)(latency) AS p50, quantile(0.95)(latency) AS p95\nFROM generations\n"
        "WHERE level != 'ERROR'\nGROUP BY model\nORDER BY calls DESC",
    ),
    (
        "The dearest users",
        "SELECT user_id, count() AS traces, sum(cost) AS cost\nFROM traces\nWHERE user_id IS NOT NULL\n"
        "GROUP BY user_id\nORDER BY cost DESC\nLIMIT 20",
    ),
    (
        "Share of cached input",
        "SELECT model, sum(usage['input_cache_read']) / sum(input_tokens) AS cached\nFROM generations\n"
        "GROUP BY model\nORDER BY cached DESC",
    ),
    (
        "Traces that users liked",
        "SELECT t.name, s.value, t.cost, t.trace_id\nFROM scores AS s\nJOIN traces AS t ON t.trace_id = s.trace_id\n"
        "ORDER BY s.value DESC\nLIMIT 50",
    ),
    (
        "Tools and how often they fail",
        "SELECT name, count() AS calls, countIf(level = 'ERROR') AS errors, avg(latency) AS seconds\nFROM spans\n"
        "WHERE type = 'tool'\nGROUP BY name\nORDER BY calls DESC",
    ),
)


@dataclass(frozen=True, slots=True)
class Console:
    """What the console shows: the query, and its answer if it was run."""

    query: str
    tables: list[SqlTable]
    answer: Answer | None = None
    error: str = ""
    #: Whether the query came from another site, and waits for a person to run it.
    waiting: bool = False

    @property
    def examples(self) -> list[tuple[str, str, str]]:
        """What may be asked: in words, in SQL, and the URL that asks it."""
        return [(title, text, f"/sql?{urlencode({'query': text})}") for title, text in EXAMPLES]

    @property
    def rows(self) -> list[list[str]]:
        """The rows that are shown, as texts."""
        return [[_text(value) for value in row] for row in self.answer.rows[:SHOWN]] if self.answer else []

    @property
    def numeric(self) -> list[bool]:
        """Which columns are numbers."""
        return [_is_numeric(type_) for _, type_ in self.answer.columns] if self.answer else []

    @property
    def told(self) -> str:
        """What there is to say of the answer as a whole."""
        if self.answer is None:
            return ""
        count = len(self.answer.rows)
        rows = f"{count:,} row{'' if count == 1 else 's'}"
        if self.answer.cut:
            rows = f"The first {count:,} rows; there are more"
        shown = f", {SHOWN:,} of them shown here" if count > SHOWN else ""
        return f"{rows}{shown} · {self.answer.seconds * 1000:,.0f} ms · {self.answer.rows_read:,} rows read"

    @property
    def limits(self) -> str:
        """What a query may take."""
        return f"{MAX_ROWS:,} rows, {SECONDS} seconds and {MEMORY >> 20} MB"

    @property
    def chart(self) -> dict[str, Any] | None:
        """The answer as a chart, where its first column is a moment and others are numbers."""
        return _chart(self.answer) if self.answer else None

    @property
    def caption(self) -> str:
        """What the chart shows."""
        if self.answer is None:
            return ""
        names = [name for name, _ in self.answer.columns]
        numbers = [name for name, numeric in zip(names, self.numeric, strict=True) if numeric]
        texts = [name for name in names[1:] if name not in numbers]
        shown = f"{numbers[-1]} by {texts[0]}" if texts else ", ".join(numbers)
        return f"{shown} over {names[0]}"

    def url(self, form: str) -> str:
        """Return where the answer is to be had as a file."""
        return f"/sql.{form}?{urlencode({'query': self.query})}"

    def json(self) -> Any:
        """Return the answer as the API gives it."""
        if self.error:
            return {"error": "Bad Request", "message": self.error}
        return {"query": self.query} if self.answer is None else answer_shape(self.answer)


@page(router, "/sql", "sql.html", name="sql")
def console(request: Request, project: Viewer, query: Annotated[str, Query()] = "") -> Console:
    """Show the console, and the answer to a query if there is one."""
    query = query.strip()
    if not query:
        return Console("", tables())
    # Looking changes nothing, but costs: a page elsewhere must not have people's browsers ask.
    if from_other_site(request):
        return Console(query, tables(), waiting=True)
    try:
        return Console(query, tables(), services(request).reader.console.run(project.id, query))
    except FilterError as error:
        return Console(query, tables(), error=str(error))
    except QueryTooLarge:
        return Console(
            query, tables(), error="This takes more time or memory than a query may: ask about a shorter period"
        )
    except StoreBusy:
        return Console(query, tables(), error="Other queries take all there is: try again in a moment")


@router.get("/sql.csv")
def file(request: Request, project: Viewer, query: Annotated[str, Query()] = "") -> Response:
    """Return the answer to a query as a file for spreadsheets."""
    if from_other_site(request):
        raise FilterError("ask for this file from Genscope's own page")
    return csv_response(services(request).reader.console.run(project.id, query.strip()))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _inner(type_: str) -> str:
    return type_.removeprefix("Nullable(").removesuffix(")") if type_.startswith("Nullable(") else type_


def _is_numeric(type_: str) -> bool:
    return _inner(type_).startswith(("Int", "UInt", "Float", "Decimal"))


def _chart(answer: Answer) -> dict[str, Any] | None:
    kinds = [_inner(type_) for _, type_ in answer.columns]
    if not kinds or not kinds[0].startswith("Date") or not 2 <= len(answer.rows) <= POINTS:
        return None
    numbers = [index for index, kind in enumerate(kinds) if _is_numeric(kind)]
    texts = [index for index in range(1, len(kinds)) if index not in numbers]
    if not numbers or len(texts) > 1:
        return None
    # One more column of texts is what the series are split by; then it is the last number that is shown.
    moments = sorted({moment for row in answer.rows if (moment := _moment(row[0])) is not None})
    series: dict[str, dict[float, float]] = {}
    for row in answer.rows:
        moment = _moment(row[0])
        for index in numbers[-1:] if texts else numbers:
            if moment is None or row[index] is None or not math.isfinite(float(row[index])):
                continue
            label = _text(row[texts[0]]) or "none" if texts else answer.columns[index][0]
            series.setdefault(label, {})[moment] = float(row[index])
    chosen = sorted(series, key=lambda label: -sum(abs(value) for value in series[label].values()))[:SERIES]
    if len(moments) < 2 or not chosen:
        return None
    named = answer.columns[numbers[-1]][0].lower() if texts or len(numbers) == 1 else ""
    return {
        "kind": "line",
        "x": moments,
        "step": 0,
        "unit": "usd" if "cost" in named else "count",
        "series": [
            {"label": label, "color": COLOURS[place], "values": [series[label].get(moment) for moment in moments]}
            for place, label in enumerate(chosen)
        ],
    }


def _moment(value: Any) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        # Nanoseconds are more than Python reads.
        return datetime.fromisoformat(
            value[:26].rstrip("Z") + "+00:00" if "T" in value else f"{value}T00:00:00+00:00"
        ).timestamp()
    except ValueError:
        return None
