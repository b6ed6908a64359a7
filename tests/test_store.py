"""The merge rules of the store, against the real engine."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genscope.model import Event, Link, Resource, Scope, Span
from genscope.query.filter import Filter, FilterError, from_params
from genscope.store.engine import Engine
from genscope.store.errors import QueryTooLarge, StoreError
from genscope.store.migrate import migrate, statements
from genscope.store.reader import Reader
from genscope.store.rows import encode
from genscope.store.writer import BufferFull, Writer, WriterClosed

START = 1_790_000_000_000_000_000
MAPS = ("usage", "cost", "metadata", "trace_metadata", "attributes")
#: What finds the row; every piece carries it.
KEY = ("trace_id", "span_id", "time")


def open_engine(path: Path) -> Engine:
    engine = Engine(path, memory_bytes=2 << 30, query_memory_bytes=1 << 30, query_seconds=30, connections=2)
    migrate(engine)
    return engine


class Store:
    """An engine that a test may close and open again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = open_engine(path)

    @property
    def reader(self) -> Reader:
        return Reader(self.engine)

    def insert(self, *spans: Span, project: str = "p") -> None:
        self.engine.insert("spans", encode(project, spans))

    def restart(self) -> None:
        self.engine.close()
        self.engine = open_engine(self.path)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store(tmp_path_factory.mktemp("store"))
    yield opened
    opened.engine.close()


def full_span(number: int, **changes: object) -> Span:
    """Return a span in which every field says something."""
    span = Span(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        time=START + number,
        parent_span_id="00000000000000aa",
        type="generation",
        name="draft-reply",
        start_time=START + number,
        end_time=START + number + 5_000_000,
        completion_start_time=START + number + 1_000_000,
        level="ERROR",
        status_message="rate\tlimited \\N '\"\n",
        model="gpt-4o",
        provider="openai",
        model_parameters={"temperature": 0.5, "stop": ["\\", "'"]},
        input='[{"role":"user","content":"h\\u00e9 \U0001f600"}]',
        output="NULL",
        usage={"input": 12, "output": 5, "total": 17, "input_cache_read": 2**63},
        cost={"input": Decimal("0.000000000001"), "total": Decimal("12345678901234567890.5")},
        cost_source="computed",
        cost_missing=None,
        server_address="api.openai.com",
        service_tier="batch",
        type_rule="gen_ai gen_ai.operation.name",
        model_rule="gen_ai gen_ai.response.model",
        usage_rule="gen_ai gen_ai.usage.*",
        cost_rule="langfuse langfuse.observation.cost_details",
        tools=["lookup_order", "refund"],
        tool_calls=["refund"],
        session_id="s 1",
        user_id="u'1",
        tags=["a", "b"],
        environment="production",
        release="r1",
        version="2",
        metadata={"plan": "pro", "seats": 7, "deep": {"a": [1, None, True]}, "text": "7"},
        trace_name="chat",
        trace_input="{}",
        trace_output="[]",
        trace_public=True,
        trace_metadata={"k": None},
        is_root=False,
        prompt_name="greeting",
        prompt_version="3",
        attributes={"gen_ai.system": "openai", "n": 1, "x": 1.5, "l": ["a", 1]},
        events=[Event("exception", START, {"exception.type": "E"}), Event("untimed", None, {})],
        links=[Link("f" * 32, "e" * 16, {"why": "retry"})],
        resource=Resource({"service.name": "shop"}),
        scope=Scope("langfuse-sdk", "3.15.0", {"public_key": "pk"}),
        kind="internal",
        trace_state="a=b",
        protocol="otlp",
        repository="repo-1",
    )
    return replace(span, **changes)  # type: ignore[arg-type]


numbers = iter(range(1, 10**9))


def test_a_span_is_read_as_it_was_written(store: Store) -> None:
    span = full_span(next(numbers))
    store.insert(span)
    assert store.reader.trace("p", span.trace_id) == [span]
    silent = {field.name for field in fields(Span) if getattr(span, field.name) in (None, [], {})}
    # The first is told where there is no cost, the others of pieces only.
    assert silent == {"cost_missing", "input_parts", "orders"}


@st.composite
def pieces(draw: st.DrawFn) -> list[list[set[str]]]:
    """Return groups (inserts) of pieces; a piece is the set of fields that it knows, and may come more than once."""
    names = [field.name for field in fields(Span) if field.name not in (*KEY, "scope", "protocol", "start_time")]
    count = draw(st.integers(1, 5))
    owners = draw(st.lists(st.integers(0, count - 1), min_size=len(names), max_size=len(names)))
    parts = [{name for name, owner in zip(names, owners, strict=True) if owner == index} for index in range(count)]
    again = draw(st.lists(st.integers(0, count - 1), max_size=4))
    order = draw(st.permutations([*range(count), *again]))
    cuts = draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)))
    groups: list[list[set[str]]] = [[]]
    for index, cut in zip(order, cuts, strict=True):
        if groups[-1] and cut:
            groups.append([])
        groups[-1].append(parts[index])
    return groups


def piece_of(span: Span, known: set[str]) -> Span:
    empty = Span(span.trace_id, span.span_id, span.time)
    kept = {name: getattr(span, name) for name in known | {"scope", "protocol", "start_time"}}
    return replace(empty, **kept)


@settings(max_examples=12, deadline=None)
@given(pieces(), st.sampled_from(["merge", "restart", "neither"]))
def test_pieces_in_any_order_doubled_and_split_make_one_span(
    store: Store, groups: list[list[set[str]]], between: str
) -> None:
    span = full_span(next(numbers))
    for group in groups:
        store.insert(*(piece_of(span, known) for known in group))
    if between == "merge":
        store.engine.command("OPTIMIZE TABLE spans FINAL")
    elif between == "restart":
        store.restart()
    assert store.reader.trace("p", span.trace_id) == [span]
    assert len(store.reader.spans("p", Filter().where("trace_id", span.trace_id)).rows) == 1


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_maps_and_tags_unite_and_the_earliest_start_wins(store: Store, keys: list[str], source: random.Random) -> None:
    number = next(numbers)
    base = Span(f"{number:032x}", f"{number:016x}", START + number)
    parts = [
        replace(base, start_time=START + index, tags=[key], metadata={key: index}, usage={key: index})
        for index, key in enumerate(keys)
    ]
    # The same key with different values: the largest text wins, whatever the order, so all servers agree.
    shuffled = parts * 2
    source.shuffle(shuffled)
    for part in shuffled:
        store.insert(part)
    (merged,) = store.reader.trace("p", base.trace_id)
    assert merged.tags == sorted(set(keys))
    assert merged.start_time == START
    last = {key: index for index, key in enumerate(keys)}
    assert merged.usage == last
    assert merged.metadata == {key: max((i for i, k in enumerate(keys) if k == key), key=str) for key in keys}


def test_headline_numbers_merge_as_the_maps_do(store: Store) -> None:
    number = next(numbers)
    first = full_span(number, model="two-versions", usage={"input": 100, "output": 5}, cost={"total": Decimal("0.5")})
    later = replace(first, usage={"input": 10, "output": 7}, cost={"total": Decimal("0.1")})
    unpriced = replace(first, usage=None, cost=None, cost_source=None, cost_missing="no_usage")
    for span in (first, later, unpriced):
        store.insert(span)
    (merged,) = store.reader.trace("p", first.trace_id)
    (model,) = store.reader.models.compared("p", Filter().where("model", "two-versions"))
    summary = store.reader.trace_summary("p", first.trace_id)
    assert merged.usage == model.usage == {"input": 100, "output": 7}
    assert merged.cost == {"total": Decimal("0.5")}
    assert merged.cost_missing is None
    assert summary is not None
    assert (summary.input_tokens, summary.output_tokens, summary.unpriced_count) == (100, 7, 0)
    assert summary.total_cost == model.total_cost == Decimal("0.5")
    assert (
        store.reader.spans("p", Filter().where("trace_id", first.trace_id).where("cost_missing", "no_usage")).rows == []
    )


def test_a_reason_for_no_cost_is_told_and_asked_for(store: Store) -> None:
    span = full_span(next(numbers), cost=None, cost_source=None, cost_missing="unknown_model")
    store.insert(span, project="unpriced")
    assert store.reader.trace("unpriced", span.trace_id) == [span]
    assert len(store.reader.spans("unpriced", Filter().where("cost_missing", "unknown_model")).rows) == 1


def test_totals_of_a_trace_count_calls_once_and_say_what_is_missing(store: Store) -> None:
    trace_id, second = f"{next(numbers):032x}", 10**9
    cost, usage = {"total": Decimal("0.002")}, {"input": 1000, "output": 50, "total": 1050}

    def span(number: int, begin: int, end: int, **fields: Any) -> Span:
        place = START + begin * second
        return Span(trace_id, f"{number:016x}", place, start_time=place, end_time=START + end * second, **fields)

    store.insert(
        span(1, 0, 9, type="agent", name="root", is_root=True, usage=usage, cost=cost, tags=["x"]),
        span(2, 1, 3, parent_span_id="1", type="generation", usage=usage, cost=cost, model="m", tags=["y", "x"]),
        span(3, 3, 5, parent_span_id="1", type="generation", level="ERROR", cost_missing="no_usage", user_id="alice"),
        span(2, 1, 3, parent_span_id="1", type="generation", usage=usage, cost=cost, model="m", tags=["y"]),
    )
    summary = store.reader.trace_summary("p", trace_id)
    assert summary is not None
    assert (summary.name, summary.span_count, summary.generation_count, summary.error_count) == ("root", 3, 2, 1)
    assert (summary.paid_count, summary.unpriced_count) == (2, 1)
    assert (summary.input_tokens, summary.output_tokens, summary.total_cost) == (1000, 50, Decimal("0.002"))
    assert (summary.user_id, summary.duration, summary.tags, summary.models) == ("alice", 9 * second, ["x", "y"], ["m"])


def test_a_call_told_twice_is_found_in_pieces_and_before_rows_merge(store: Store) -> None:
    trace_id, usage = f"{next(numbers):032x}", {"input": 1000, "output": 50, "total": 1050}

    def piece(number: int, scope: str, **fields: Any) -> Span:
        place = START + number
        return Span(trace_id, f"{number:016x}", place, scope=Scope(scope), start_time=place, **fields)

    pieces = [
        piece(1, "framework"),
        piece(2, "sdk", type="generation", end_time=START + 8),
        piece(1, "framework", type="generation", end_time=START + 9),
        piece(2, "sdk", usage=usage, cost={"total": Decimal("0.002")}),
        piece(1, "framework", usage=usage, cost={"total": Decimal("0.003")}),
    ]
    for one in [*pieces, pieces[0], pieces[3]]:
        store.insert(one, project="told-twice")
    for _ in range(2):
        (row,) = store.reader.models.compared("told-twice", Filter())
        summary = store.reader.trace_summary("told-twice", trace_id)
        assert summary is not None
        assert (row.calls, row.usage, row.total_cost) == (1, usage, Decimal("0.002"))
        assert (summary.paid_count, summary.generation_count, summary.total_cost) == (1, 2, Decimal("0.002"))
        for table in ("spans", "traces"):
            store.engine.command(f"OPTIMIZE TABLE {table} FINAL")


def test_nothing_known_of_a_trace_is_not_zero(store: Store) -> None:
    number = next(numbers)
    store.insert(Span(f"{number:032x}", f"{number:016x}", START))
    summary = store.reader.trace_summary("p", f"{number:032x}")
    assert summary is not None
    assert (summary.duration, summary.input_tokens, summary.total_tokens, summary.total_cost) == (
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize("letter", ["a", "é", "€", "😀"])
def test_previews_are_cut_between_characters(store: Store, letter: str) -> None:
    long = "x" + letter * 2000
    span = full_span(next(numbers), parent_span_id=None, input=long, output=long, trace_input=long, trace_output=long)
    store.insert(span, project="letters")
    (row,) = store.reader.spans("letters", Filter().where("span_id", span.span_id)).rows
    assert row.output == long[:400]
    assert row.input == f"{long[:400]} … {long[-400:]}"
    summary = store.reader.trace_summary("letters", span.trace_id)
    assert summary is not None
    assert (summary.input, summary.output) == (long[:400], long[:400])


def test_a_trace_is_found_without_its_row_in_traces(store: Store) -> None:
    span = full_span(next(numbers))
    store.insert(span, project="cut-off")
    store.engine.command("DELETE FROM traces WHERE project_id = 'cut-off'")
    assert store.reader.trace("cut-off", span.trace_id) == [span]
    assert store.reader.span("cut-off", span.trace_id, span.span_id) == span


def test_a_trace_whose_spans_did_not_reach_the_disk_is_unknown(store: Store) -> None:
    store.engine.command(
        "INSERT INTO traces (project_id, trace_id, first_time, last_time) SELECT 'cut-off', 'half', now64(9), now64(9)"
    )
    assert store.reader.trace_summary("cut-off", "half") is None
    assert store.reader.trace("cut-off", "half") == []
    assert store.reader.span("cut-off", "half", "any") is None


def test_a_large_resource_is_kept_once_for_all_its_spans(store: Store) -> None:
    shared = Resource({"service.name": "shop", "note": "n" * 20_000})
    spans = [full_span(next(numbers), resource=shared) for _ in range(20_000)]
    rows = encode("shared", spans)
    assert rows.nbytes < 40 << 20
    store.insert(*spans, project="shared")
    found = store.reader.trace("shared", spans[777].trace_id)
    assert found == [spans[777]]


def test_redelivery_counts_once(store: Store) -> None:
    span = full_span(next(numbers), model="counted-once", usage={"input": 3, "output": 4, "total": 7})
    for _ in range(3):
        store.insert(span, span)
    (model,) = store.reader.models.compared("p", Filter().where("model", "counted-once"))
    assert (model.calls, model.usage, model.total_cost) == (1, span.usage, span.cost and span.cost["total"])
    (summary,) = store.reader.traces("p", Filter().where("model", "counted-once")).rows
    assert (summary.span_count, summary.input_tokens) == (1, 3)


def test_projects_do_not_see_each_other(store: Store) -> None:
    span = full_span(next(numbers), model="secret-model")
    store.insert(span, project="mine")
    other = replace(span, name="theirs")
    store.insert(other, project="theirs")
    assert [found.name for found in store.reader.trace("mine", span.trace_id)] == ["draft-reply"]
    assert [found.name for found in store.reader.trace("theirs", span.trace_id)] == ["theirs"]
    assert store.reader.trace("nobody", span.trace_id) == []
    assert store.reader.trace_summary("nobody", span.trace_id) is None
    assert store.reader.is_empty("nobody")
    for rows in (
        store.reader.spans("nobody", Filter()).rows,
        store.reader.traces("nobody", Filter()).rows,
        store.reader.models.compared("nobody", Filter()),
    ):
        assert rows == []


def test_paging_meets_every_span_once_in_order(store: Store) -> None:
    source = random.Random(3)
    spans = [
        full_span(next(numbers), time=START + source.randrange(300) * 1000, start_time=None, name=f"n{index % 3}")
        for index in range(1500)
    ]
    for index in range(0, 1500, 100):
        store.insert(*spans[index : index + 100], project="paged")
    store.insert(*spans[::7], project="paged")
    keys = sorted(((span.time, span.trace_id, span.span_id) for span in spans), reverse=True)
    for sort, expected in (("-start_time", keys), ("start_time", keys[::-1])):
        for limit in (7, 1000):
            seen, cursor = [], None
            while True:
                page = store.reader.spans("paged", Filter(), sort=sort, limit=limit, cursor=cursor)
                seen += [(span.time, span.trace_id, span.span_id) for span in page.rows]
                cursor = page.next_cursor
                if cursor is None or (len(seen) > 200 and limit == 7):
                    break
            assert seen == expected[: len(seen)]
            assert limit == 7 or len(seen) == len(expected)
    rare = store.reader.spans("paged", Filter(START, START + 100_000).where("name", "n1", "n2"), limit=1000)
    wanted = [span for span in spans if span.time < START + 100_000 and span.name != "n0"]
    assert {span.span_id for span in rare.rows} == {span.span_id for span in wanted}


def test_traces_are_listed_by_their_beginning_with_all_their_spans(store: Store) -> None:
    source = random.Random(5)
    begins: dict[str, int] = {}
    spans = []
    for number in range(400):
        trace_id = f"{number:032x}"
        begins[trace_id] = START + source.randrange(10**9)
        spans += [
            Span(trace_id, f"{number:08x}{index:08x}", begins[trace_id] + index * 10**8,
                 parent_span_id="r" if index else None, type="generation",
                 name=f"span {index}", usage={"input": 1}, cost={"total": Decimal("0.1")})
            for index in range(4)
        ]  # fmt: skip
    source.shuffle(spans)
    store.insert(*spans, project="traces")
    seen, cursor = [], None
    while True:
        page = store.reader.traces("traces", Filter(), limit=30, cursor=cursor)
        seen += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [row.trace_id for row in seen] == sorted(begins, key=lambda id: (begins[id], id), reverse=True)
    assert all((row.span_count, row.name, row.input_tokens) == (4, "span 0", 4) for row in seen)
    assert all(row.total_cost == Decimal("0.4") and row.start_time == begins[row.trace_id] for row in seen)


@pytest.mark.parametrize(
    "value", ["a'b", "back\\slash", "tab\tnew\nline", "\\N", "nul\0", "{p0:String}", "'; DROP", "é\u202e"]
)
def test_any_text_can_be_asked_for(store: Store, value: str) -> None:
    span = full_span(next(numbers), user_id=value, session_id=value, tags=[value], name=value)
    store.insert(span, project="texts")
    for field in ("user_id", "session_id", "tag", "name"):
        rows = store.reader.spans("texts", Filter().where(field, value), full=True).rows
        assert span in rows


def test_rows_of_many_years_are_taken_in_one_insert(store: Store) -> None:
    years = [full_span(next(numbers), time=year * 31_556_952 * 10**9, start_time=None) for year in range(290)]
    store.insert(*years, project="years")
    assert store.reader.trace_summary("years", years[289].trace_id) is not None
    assert len(store.reader.spans("years", Filter(), limit=1000).rows) == 290


@pytest.mark.parametrize(
    ("cursor", "limit", "sort"),
    [("x", 5, "-start_time"), ("W10", 5, "-start_time"), (None, 0, "-start_time"), (None, 5, "input")],
)
def test_impossible_pages_are_refused(store: Store, cursor: str | None, limit: int, sort: str) -> None:
    with pytest.raises(FilterError):
        store.reader.spans("p", Filter(), cursor=cursor, limit=limit, sort=sort)


def test_filters_explain_what_is_wrong() -> None:
    with pytest.raises(FilterError, match="expected one of DEBUG, DEFAULT"):
        from_params({"level": "FATAL"})
    with pytest.raises(FilterError, match="15m, 24h or 7d"):
        from_params({"from": "yesterday"})
    assert from_params([("model", "a"), ("model", "b"), ("model", ""), ("limit", "5")]) == Filter().where(
        "model", "a", "b"
    )


def test_migrations_are_applied_once(store: Store) -> None:
    assert migrate(store.engine) == []
    assert statements("a;\nb\n;\n\n") == ["a", "b"]


def test_a_store_of_a_newer_version_is_refused(store: Store) -> None:
    store.engine.command("INSERT INTO migrations (version, name) VALUES (9999, 'from the future')")
    with pytest.raises(StoreError, match="install the newer Genscope"):
        migrate(store.engine)
    store.engine.command("DELETE FROM migrations WHERE version = 9999")


def test_readers_are_bounded_in_memory_and_time(store: Store) -> None:
    engine = Engine(store.path, memory_bytes=2 << 30, query_memory_bytes=64 << 20, query_seconds=1, connections=1)
    try:
        with pytest.raises(QueryTooLarge, match="MEMORY_LIMIT_EXCEEDED"):
            engine.query("SELECT groupArray(toString(number)) FROM numbers(100000000)")
        with pytest.raises(QueryTooLarge, match="TIMEOUT_EXCEEDED"):
            engine.query("SELECT sum(sleepEachRow(0.1)) FROM numbers(100) SETTINGS max_block_size = 1")
    finally:
        engine.close()


def test_a_query_for_which_the_engine_has_no_memory_left_may_be_asked_again(tmp_path: Path) -> None:
    # In a process of its own: all engines of one share their memory.
    program = """
import pathlib, sys
from genscope.store.engine import Engine
from genscope.store.errors import QueryTooLarge, StoreBusy
engine = Engine(pathlib.Path(sys.argv[1]), memory_bytes=300 << 20, query_memory_bytes=4 << 30, query_seconds=60, connections=1)
try:
    with engine.connection() as others:
        others.query("SELECT groupArray(number) FROM numbers(200000000)")
except StoreBusy:
    try:
        engine.query("SELECT groupArray(number) FROM numbers(200000000)")
    except QueryTooLarge:
        print("is told what is too large")
    print(engine.query("SELECT 'and goes on' AS text").to_pydict()["text"][0])
engine.close()
"""
    run = [sys.executable, "-c", program, str(tmp_path / "store")]
    assert (
        subprocess.run(run, capture_output=True, text=True, timeout=120, check=True).stdout
        == "is told what is too large\nand goes on\n"
    )


def test_a_sender_that_hangs_up_does_not_stop_the_writer() -> None:
    stored: list[int] = []
    writer = Writer(lambda table, batch: stored.append(batch.num_rows), linger=0.1, max_bytes=1 << 20)
    given_up = writer.submit(("t", rows(1)))[0]
    assert not given_up.cancel()
    writer.submit(("t", rows(2)))[0].result(10)
    assert writer.alive
    writer.close()
    assert sum(stored) == 2


# The writer, without an engine: what it does with a store that is slow or fails


def rows(*values: int) -> pa.Table:
    return pa.table({"value": list(values)})


def test_a_failing_request_does_not_fail_its_neighbours() -> None:
    stored: list[int] = []

    def insert(table: str, batch: pa.Table) -> None:
        values = batch["value"].to_pylist()
        if 13 in values:
            raise StoreError("cannot take 13")
        stored.extend(value for value in values if value is not None)

    writer = Writer(insert, linger=0.2, max_bytes=1 << 20)
    futures = [writer.submit(("t", rows(value)))[0] for value in (1, 13, 2)]
    assert futures[0].result(10) is None
    with pytest.raises(StoreError, match="cannot take 13"):
        futures[1].result(10)
    assert futures[2].result(10) is None
    assert stored == [1, 2]
    writer.close()


def test_a_full_buffer_refuses_and_close_stores_what_was_taken() -> None:
    gate = threading.Event()
    stored: list[int] = []

    def insert(table: str, batch: pa.Table) -> None:
        gate.wait(30)
        stored.append(batch.num_rows)

    writer = Writer(insert, linger=0, max_bytes=100)
    taken = writer.submit(("t", rows(*range(10))))  # 80 bytes
    with pytest.raises(BufferFull):
        writer.submit(("t", rows(*range(10))))
    taken += writer.submit(("t", rows(1, 2)))
    assert writer.buffered_bytes == 96
    closing = threading.Thread(target=writer.close)
    closing.start()
    gate.set()
    closing.join(30)
    assert all(future.done() for future in taken)
    assert sum(stored) == 12
    with pytest.raises(WriterClosed):
        writer.submit(("t", rows(1)))


def test_a_request_is_taken_with_all_its_tables_or_not_at_all() -> None:
    gate, tables = threading.Event(), []

    def insert(table: str, batch: pa.Table) -> None:
        gate.wait(30)
        tables.append(table)

    writer = Writer(insert, linger=0, max_bytes=100)
    writer.submit(("first", rows(1)))
    with pytest.raises(BufferFull):
        writer.submit(("spans", rows(*range(10))), ("rejected", rows(*range(10))))
    gate.set()
    writer.close()
    assert tables == ["first"]


def test_many_spans_are_looked_up(store: Store) -> None:
    known = [full_span(next(numbers)) for _ in range(5)]
    store.insert(*known, project="looked-up")
    strangers = [(f"{number:032x}", f"{number:016x}") for number in range(10**9, 10**9 + 25_000)]
    asked = [*strangers, *((span.trace_id, span.span_id) for span in known)]
    times = store.reader.span_times("looked-up", asked)
    assert times == {(span.trace_id, span.span_id): span.time for span in known}


def test_rows_larger_than_the_buffer_are_taken_when_it_is_empty() -> None:
    stored: list[int] = []
    writer = Writer(lambda table, batch: stored.append(batch.num_rows), linger=0, max_bytes=10)
    writer.submit(("t", rows(*range(100))))[0].result(10)
    writer.close()
    assert stored == [100]
