"""Spans in bulk: exported in every format, imported as they were; and `genscope query`."""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from genscope.model import Span
from genscope.query.filter import Filter, from_params
from genscope.store import export
from genscope.store.engine import Engine
from genscope.store.migrate import migrate
from genscope.store.reader import Reader
from genscope.store.rows import encode
from tests.command import asked, genscope, of
from tests.running import Server
from tests.spans import agent, generation
from tests.test_filter_language import START, piece

DOCS = Path(__file__).parent.parent / "docs" / "export.md"


@pytest.fixture(scope="module")
def filled(server: Server) -> Server:
    """A project with a few spans of all sorts."""
    running = server.new_project()
    agent(running)
    for number in range(3):
        generation(running, "alice", at=-number, name=("=1+1", 'draft, "quoted"', "line\nend \x1b[31m")[number])
    said = {"name": "helpful", "value": 1, "traceId": lines(running)[0]["trace_id"]}
    with running.client() as client:
        assert client.post("/api/public/scores", json=said).status_code == 200
    return running


def exported(server: Server, **parameters: str) -> httpx.Response:
    with server.client() as client:
        answer = client.get("/api/v1/export", params=parameters)
        answer.raise_for_status()
        return answer


def lines(server: Server, **parameters: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(server, **parameters).text.splitlines()]


# --- out ----------------------------------------------------------------------------------------------------------------


def test_lines_are_the_spans_of_the_api(filled: Server) -> None:
    found = lines(filled)
    assert len(found) == len(filled.get("/api/v1/spans", limit="100")["data"])
    assert found == sorted(found, key=lambda one: one["nanoseconds"]["time"])
    for line in found:
        whole = filled.trace(line["trace_id"])[line["span_id"]]
        assert {name: value for name, value in line.items() if name in whole} == whole
        assert set(line) - set(whole) == {"nanoseconds", "trace_scores"}
    assert [one["name"] for line in found for one in line["trace_scores"]] == ["helpful"]


def test_an_export_is_filtered_as_lists_are(filled: Server) -> None:
    assert {line["user_id"] for line in lines(filled, q="user:alice")} == {"alice"}
    assert len(lines(filled, q='user:alice (name:draft* OR name:"=1+1")')) == 2
    assert lines(filled, q="model:nope") == []
    assert lines(filled, type="tool") == lines(filled, q="type:tool") != []
    assert lines(filled, to="2020-01-01") == []
    with filled.client() as client:
        refused = client.get("/api/v1/export", params={"q": "cost>x"})
        assert (refused.status_code, "column 6" in refused.json()["message"]) == (400, True)
        assert client.get("/api/v1/export", params={"format": "xml"}).status_code == 400
    assert httpx.get(f"{filled.url}/api/v1/export", trust_env=False).status_code == 401


def test_csv_is_for_spreadsheets_and_holds_no_formula(filled: Server) -> None:
    answer = exported(filled, format="csv", q="user:alice")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-encoding"] == "gzip"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["name"] for row in rows} == {"'=1+1", 'draft, "quoted"', "line\nend \x1b[31m"}
    assert {row["input_tokens"] for row in rows} == {"1000"}
    assert all(Decimal(row["total_cost"]) > 0 for row in rows)
    assert all(row["start_time"].endswith("Z") for row in rows)
    assert json.loads(rows[0]["usage"])["output"] == 50


def test_parquet_has_types(filled: Server) -> None:
    table = pq.read_table(io.BytesIO(exported(filled, format="parquet").content))
    assert table.num_rows == len(lines(filled))
    assert str(table.schema.field("start_time").type) == "timestamp[ns, tz=UTC]"
    assert str(table.schema.field("total_cost").type) == "decimal128(38, 12)"
    empty = pq.read_table(io.BytesIO(exported(filled, format="parquet", q="model:nope").content))
    assert (empty.num_rows, empty.schema) == (0, table.schema)


def test_batches_hold_every_span_once_however_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(tmp_path, memory_bytes=2 << 30, query_memory_bytes=1 << 30, query_seconds=30, connections=1)
    migrate(engine)
    # Many of one moment, and others before and after it.
    moments = [START, *[START + 5] * 20, START + 6, START + 7]
    spans = [Span(f"t{number}", f"s{number}", moment) for number, moment in enumerate(moments)]
    engine.insert("spans", encode("p", spans))
    engine.insert("spans", encode("other", [piece("s1")]))
    everything = Reader(engine).export
    monkeypatch.setattr(export, "ROWS", 3)
    found = [one for batch in everything.batches("p", Filter()) for one in batch]
    assert [one.time for one in found] == moments
    assert len({one.span_id for one in found}) == len(moments)
    some = from_params({"q": "span:(s0 OR s21)"})
    assert [one.span_id for batch in everything.batches("p", some) for one in batch] == ["s0", "s21"]
    assert list(everything.batches("empty", Filter())) == []
    engine.close()


# --- and back -----------------------------------------------------------------------------------------------------------


def test_what_is_imported_is_what_was_exported(filled: Server, project: Server, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    asked(filled, "export", str(file))
    before = file.read_text()
    for _ in range(2):
        told = asked(project, "import", str(file))
        assert re.match(rf"{len(before.splitlines())} spans and \d+ scores", told)
        assert exported(project).text == before
    trace_id = json.loads(before.splitlines()[0])["trace_id"]
    assert project.get(f"/api/v1/traces/{trace_id}") == filled.get(f"/api/v1/traces/{trace_id}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda line: line.pop("trace_id"), "trace_id"),
        (lambda line: line.update(trace_id=""), "trace_id and span_id"),
        (lambda line: line.update(type="nonsense"), "type"),
        (lambda line: line.update(usage={"input": -1}), "value cannot be stored"),
        (lambda line: line.update(usage={"input": 2**64}), "value cannot be stored"),
        (lambda line: line.update(cost={"total": "1e60"}), "value cannot be stored"),
        (lambda line: line.update(cost={"total": "much"}), "line 2"),
        (lambda line: line["nanoseconds"].update(time=2**63), "line 2"),
        (lambda line: line.update(scores="x"), "scores"),
    ],
)
def test_a_line_that_is_none_is_refused_with_all_others(filled: Server, change: Any, said: str) -> None:
    good = lines(filled, q="user:alice")[0]
    good["span_id"] = f"new-{secrets.token_hex(8)}"
    bad = json.loads(json.dumps(good))
    change(bad)
    with filled.client() as client:
        body = f"{json.dumps(good)}\n{json.dumps(bad)}\n"
        answer = client.post("/api/v1/import", content=body)
        assert (answer.status_code, said in answer.json()["message"]) == (400, True), answer.text
        assert client.get("/api/v1/spans", params={"span_id": good["span_id"]}).json()["data"] == []


# --- the commands -------------------------------------------------------------------------------------------------------


def test_export_to_files(filled: Server, tmp_path: Path) -> None:
    for name in ("a.csv", "a.parquet", "a.ndjson"):
        asked(filled, "export", str(tmp_path / name), "--query", "user:alice", "--since", "1d")
        assert (tmp_path / name).stat().st_size > 100
    there = genscope("export", str(tmp_path / "a.csv"), **of(filled))
    assert (there.returncode, "--force" in there.stderr) == (2, True)
    unknown = genscope("export", str(tmp_path / "a.xls"), **of(filled))
    assert (unknown.returncode, ".parquet" in unknown.stderr) == (2, True)
    wrong = genscope("import", str(tmp_path / "a.csv"), **of(filled))
    assert (wrong.returncode, "line 1 is no span" in wrong.stderr) == (1, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.ndjson", "a.parquet"]


def test_query_as_a_table_and_as_lines(filled: Server) -> None:
    table = asked(filled, "query", "user:alice tokens>=1050", "--since", "1d", "--limit", "2")
    assert len(table.strip().splitlines()) == 3
    assert "gpt-4o" in table
    rows = [json.loads(line) for line in asked(filled, "query", "user:alice", "--json").splitlines()]
    assert len(rows) == 3
    assert {row["type"] for row in rows} == {"generation"}
    traces = [json.loads(line) for line in asked(filled, "query", "user:alice", "--traces", "--json").splitlines()]
    assert {row["span_count"] for row in traces} == {1}
    spans = asked(filled, "query", "type:tool", "--spans", "--columns", "name,level")
    assert spans.split()[:2] == ["name", "level"]
    assert "\x1b" not in asked(filled, "query", "user:alice", "--columns", "name")
    assert asked(filled, "query", "model:nope").strip() == "none"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["model:a cost>abc"], "error: column 14: expected US dollars such as 0.01\nmodel:a cost>abc\n             ^"),
        (["", "--since", "soon"], "neither an ISO 8601 time"),
        (["", "--columns", "nope"], "there is no column 'nope'"),
        (["", "--traces", "--spans"], "exclude each other"),
        (["", "--sort", "nope"], "sort"),
    ],
)
def test_query_says_what_is_wrong(filled: Server, arguments: list[str], said: str) -> None:
    done = genscope("query", *arguments, **of(filled))
    assert done.returncode in (1, 2)
    assert said in done.stderr


def test_the_examples_of_the_guide_run(filled: Server, tmp_path: Path) -> None:
    shown = re.findall(r"^genscope (query|export) (.*)$", DOCS.read_text(), re.MULTILINE)
    assert len(shown) >= 6
    for command, rest in shown:
        words = [one.strip("'") for one in re.findall(r"'[^']*'|\S+", rest)]
        if command == "export":
            words[0] = str(tmp_path / words[0])
        asked(filled, command, *words)


# --- what filters may name, over HTTP -----------------------------------------------------------------------------------


def test_fields_values_and_completion(filled: Server) -> None:
    fields = {one["name"]: one for one in filled.get("/api/v1/fields")["data"]}
    assert fields["user"]["parameter"] == "user_id"
    assert fields["level"]["values"] == ["DEBUG", "DEFAULT", "WARNING", "ERROR"]
    assert {"value": "gpt-4o", "count": 3} in filled.get("/api/v1/fields/model/values", q="user:alice")["data"]
    assert filled.get("/api/v1/fields/user/values", prefix="AL")["data"] == [{"value": "alice", "count": 3}]
    (found,) = filled.get("/api/v1/complete", text="level:ERROR user:al")["data"]
    assert (found["text"], found["start"], found["end"], found["count"]) == ("alice", 17, 19, 3)
    with filled.client() as client:
        assert client.get("/api/v1/fields/nope/values").status_code == 404
        assert client.get("/api/v1/fields/cost/values").status_code == 400


def test_q_is_understood_by_every_list(filled: Server) -> None:
    for path in ("spans", "generations", "traces", "models", "coverage"):
        with filled.client() as client:
            assert client.get(f"/api/v1/{path}", params={"q": "user:alice -model:x"}).status_code == 200
            refused = client.get(f"/api/v1/{path}", params={"q": "user:"})
            assert (refused.status_code, "a value" in refused.json()["message"]) == (400, True)
    both = filled.get("/api/v1/spans", q='name:"=1+1" OR name:draft*', user_id="alice", model="gpt-4o")
    assert len(both["data"]) == 2
