"""Reading back from a real server: typed rows, pages, tables, and what is said where that fails."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars
import pytest
import requests

import genscope
from genscope.api import shapes
from genscope.api.failures import FailureShape
from genscope.api.metrics import MetricsRow
from genscope.api.sessions import SessionShape
from genscope.api.users import UserShape
from genscope.sdk import asking, rows
from genscope.sdk.asking import Page
from genscope.sdk.client import Client
from genscope.sdk.settings import Settings
from tests.running import Server, free_port
from tests.sending import GENERATION, PROTOBUF, encoded, new_id, request, span
from tests.test_cli import Stranger, stranger

__all__ = ["Stranger", "stranger"]
MESSAGES = [{"role": "user", "content": "Where is my order 4711? Grüße 📦"}]
#: 1,000 tokens in and 50 out at gpt-4o's prices.
COST = {"input": Decimal("0.0025"), "output": Decimal("0.0005"), "total": Decimal("0.003")}


def reading(server: Server, **more: Any) -> Client:
    """Return a client that only reads."""
    given = {"url": server.url, "public_key": server.public_key, "secret_key": server.secret_key}
    return Client(Settings.read(**(given | more), enabled=False))


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return reading(server)


@pytest.fixture(scope="module")
def sent(server: Server) -> str:
    """Send a trace of five calls to a model, the last of which fails, and return its id, which is its session's too."""
    trace_id, root = new_id(16), new_id(8)
    begin = time.time_ns()
    told = {
        **GENERATION,
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.provider.name": "openai",
        "langfuse.observation.input": '[{"role": "user", "content": "Where is my order 4711? Grüße 📦"}]',
        "langfuse.observation.output": "It left.",
        "session.id": trace_id,
        "user.id": f"user-{trace_id}",
        "langfuse.trace.tags": ["books"],
    }
    usage = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 50}
    spans = [span(trace_id, span_id=root, name="answer-ticket", start=begin, milliseconds=100)]
    for number in range(5):
        failed = {"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "overloaded"}
        spans.append(
            span(
                trace_id,
                name=f"draft-{number}",
                start=begin + (number + 1) * 1_000_000,
                milliseconds=10,
                attributes=told | (failed if number == 4 else usage),
                parent_span_id=bytes.fromhex(root),
            )
        )
    score = {"name": "helpful", "value": 0.5, "trace_id": trace_id}
    with server.client() as http:
        assert http.post("/v1/traces", content=encoded(request(spans)), headers={"content-type": PROTOBUF}).is_success
        assert http.post("/api/v1/scores", json=score).is_success
    return trace_id


def test_rows_have_types(client: Client, sent: str) -> None:
    failed, *good = client.query(f"trace_id:{sent} model:gpt-4o", since="1d")
    assert [row.name for row in (failed, *good)] == [f"draft-{number}" for number in (4, 3, 2, 1, 0)]
    assert (failed.level, failed.status_message, failed.cost, failed.usage) == ("ERROR", "overloaded", None, None)
    row = good[0]
    assert (row.input, row.output, row.tags) == (MESSAGES, "It left.", ["books"])
    assert row.usage == {"input": 1000, "output": 50, "total": 1050}
    assert row.cost == COST
    assert row.start_time is not None
    assert row.start_time.tzinfo is UTC
    assert row.end_time == row.start_time + timedelta(milliseconds=10)
    assert row.duration_ms == 10


def test_rows_are_asked_for_as_they_are_needed(client: Client, sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "WHOLE_PAGE", 2)
    rows = client.spans(f"trace_id:{sent}")
    assert repr(rows) == "<Rows, 0 read so far>"
    assert next(iter(rows)).name == "draft-4"
    assert repr(rows) == "<Rows, 2 read so far>"
    assert rows[2].name == "draft-2"
    assert repr(rows) == "<Rows, 4 read so far>"
    assert len(rows) == 6
    assert [row.name for row in rows] == [row.name for row in rows.rows]
    assert rows[-1].name == "answer-ticket"
    assert len(client.spans(f"trace_id:{sent}", limit=3)) == 3
    assert len(client.spans(f"trace_id:{sent}", limit=6)) == 6
    assert not client.query(f"trace_id:{sent} model:gpt-3")


def test_moments_are_texts_datetimes_and_ages(client: Client, sent: str) -> None:
    q = f"trace_id:{sent}"
    assert len(client.traces(q, since=timedelta(hours=1))) == 1
    # Without a zone it is local time, as everywhere in Python.
    assert len(client.traces(q, since=datetime.now() - timedelta(hours=1))) == 1
    assert len(client.traces(q, until=datetime.now(UTC) - timedelta(hours=1))) == 0
    assert len(client.traces(q, since="2020-01-01", until="1h")) == 0


def test_one_trace(client: Client, sent: str) -> None:
    trace = client.trace(sent)
    assert (trace.trace_id, trace.call_count, trace.error_count, trace.unpriced_count) == (sent, 5, 1, 1)
    assert trace.total_cost == 4 * COST["total"]
    assert [one.name for one in trace.spans] == ["answer-ticket", *(f"draft-{number}" for number in range(5))]
    assert [(score.name, score.value) for score in trace.scores] == [("helpful", 0.5)]
    assert client.traces(f"trace_id:{sent}")[0].total_cost == trace.total_cost


def test_what_else_there_is(client: Client, sent: str) -> None:
    q = f"trace_id:{sent}"
    (model,) = client.models(q, since="1d")
    assert (model.provider, model.model, model.calls, model.total_cost) == ("openai", "gpt-4o", 5, Decimal("0.012"))
    assert (model.latency_ms or {})["p95"] == 10
    (session,) = client.sessions(q)
    (user,) = client.users(q)
    assert (session.id, session.trace_count, user.id, user.session_count) == (sent, 1, f"user-{sent}", 1)
    (failure,) = client.errors(q)
    assert (failure.name, failure.message, failure.count) == ("draft-4", "overloaded", 1)
    (score,) = client.scores("helpful", trace_id=[sent])
    assert (score.trace_id, score.value) == (sent, 0.5)
    (figures,) = client.metrics(["calls", "cost"], group_by="model", granularity="day", q=f"{q} model:*", since="1d")
    assert figures.group == {"model": "gpt-4o"}
    assert figures.measures == {"calls": 5, "cost": Decimal("0.012")}
    assert figures.time is not None
    query = f"SELECT name, cost, time FROM generations WHERE trace_id = '{sent}' ORDER BY time"
    rows = client.sql(query)
    assert ([row["cost"] for row in rows], rows.cut) == ([COST["total"]] * 4 + [None], False)
    assert isinstance(rows[0]["time"], datetime)


def test_tables_are_exact(client: Client, sent: str) -> None:
    rows = client.query(f"trace_id:{sent}", sort="start_time")
    table = rows.to_arrow()
    assert table["cost.total"].to_pylist() == [COST["total"]] * 4 + [None]
    assert table["usage.input"].to_pylist() == [1000] * 4 + [None]
    assert table["start_time"].to_pylist()[0] == rows[0].start_time
    assert table["input"].to_pylist()[0] == '[{"role": "user", "content": "Where is my order 4711? Grüße 📦"}]'
    frame = rows.to_pandas()
    assert frame["cost.total"].dropna().sum() == Decimal("0.012")
    assert list(frame["name"]) == [f"draft-{number}" for number in range(5)]
    assert rows.to_polars().select(polars.col("cost.total").sum()).item() == Decimal("0.012")
    figures = client.metrics("calls,cost", group_by="model", q=f"trace_id:{sent} model:*").to_arrow()
    assert figures.drop_columns("time").to_pylist() == [{"model": "gpt-4o", "calls": 5, "cost": Decimal("0.012")}]
    nothing = client.query(f"trace_id:{secrets.token_hex(16)}").to_arrow()
    assert (nothing.num_rows, nothing.schema.field("cost.total")) == (0, table.schema.field("cost.total"))


def test_what_is_wrong_is_said(server: Server, client: Client, stranger: str) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(genscope.ReadError) as failed:
        client.query("model:gpt-4o cost>abc").rows  # noqa: B018 - it asks
    assert (failed.value.status, failed.value.position) == (400, 18)
    assert str(failed.value).splitlines()[1:] == ["model:gpt-4o cost>abc", " " * 18 + "^"]
    for asked, status, said in (
        (client, 404, "no trace 'none'"),
        (reading(server, secret_key="no such secret"), 401, "does not know this key"),
        (reading(server, url=stranger), 200, "is no Genscope"),
        (reading(server, url=nobody), None, f"no server answers at {nobody}"),
    ):
        with pytest.raises(genscope.ReadError) as failed:
            asked.trace("none")
        assert (failed.value.status, failed.value.position) == (status, None)
        assert said in failed.value.message


def test_another_server_is_no_genscope_though_it_speaks_json() -> None:
    """As the page of a proxy, or another product at the address."""
    for body in (b'{"status": "ok"}', b"[]", b'"data"'):
        answer = requests.Response()
        answer.status_code, answer._content = 200, body
        with pytest.raises(genscope.ReadError, match="is no Genscope"):
            asking._told(answer, Settings(), "", "data")


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        (rows.Span, shapes.SpanShape),
        (rows.TraceSummary, shapes.TraceShape),
        (rows.Model, shapes.ModelShape),
        (rows.Score, shapes.ScoreShape),
        (rows.Event, shapes.EventShape),
        (rows.Attachment, shapes.AttachmentShape),
        (rows.Session, SessionShape),
        (rows.User, UserShape),
        (rows.Failure, FailureShape),
        (rows.Figures, MetricsRow),
    ],
)
def test_rows_have_the_fields_of_the_api(row: Any, shape: Any) -> None:
    asked_for = {"input_messages", "output_messages"}  # by a parameter that the SDK does not send
    assert {one.name for one in fields(row)} == set(shape.__struct_fields__) - asked_for


def test_what_a_newer_or_an_older_server_tells_is_read() -> None:
    told = {"trace_id": "t", "span_id": "s", "mood": "sunny", "cost": {"input": "0.1", "weather": "0.2"}}
    row = rows.read(rows.Span, told)
    assert (row.cost, row.tags) == ({"input": Decimal("0.1"), "weather": Decimal("0.2")}, [])
    assert genscope.Rows(lambda *_: Page([told]), rows.Span).to_arrow()["cost.weather"].to_pylist() == [Decimal("0.2")]


def test_a_page_may_be_empty() -> None:
    pages = iter([Page([], "1"), Page([{"n": 1}], "2"), Page([], "3"), Page([{"n": 2}])])
    assert list(genscope.Rows(lambda *_: next(pages), dict)) == [{"n": 1}, {"n": 2}]


def test_a_page_that_failed_is_asked_for_again() -> None:
    """Else the rows of a notebook would look complete at the second look."""
    answers: Iterator[Page | Exception] = iter(
        [Page([{"n": 1}], "next"), genscope.ReadError("busy", 503), Page([{"n": 2}])]
    )

    def ask(_cursor: str, _read: int) -> Page:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    rows = genscope.Rows(ask, dict)
    with pytest.raises(genscope.ReadError):
        list(rows)
    assert list(rows) == [{"n": 1}, {"n": 2}]


def test_what_a_table_needs_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as if it were not installed
    with pytest.raises(ModuleNotFoundError, match=r"to_pandas\(\) needs pyarrow: pip install pandas pyarrow"):
        genscope.Rows(lambda _cursor, _read: Page([]), dict).to_pandas()
