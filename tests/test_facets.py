"""What rows of a list have in common, orders by value, and where words stand in long texts: the store, on the real engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from genscope.model import Span
from genscope.query.filter import Filter, FilterError, from_params
from genscope.store import previews
from genscope.store.engine import Engine
from genscope.store.facets import Bucket
from genscope.store.migrate import migrate
from genscope.store.reader import Reader
from genscope.store.rows import encode

SECOND = 10**9
BEGIN = 1_750_000_000 * SECOND
PROJECT = "shop"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path = tmp_path_factory.mktemp("facets")
    opened = Engine(path, memory_bytes=1 << 30, query_memory_bytes=1 << 29, query_seconds=60, connections=1)
    with contextlib.closing(opened):
        migrate(opened)
        opened.insert("spans", encode(PROJECT, [*calls(), *other()]))
        opened.insert("spans", encode("other", [Span("t-0", "s-0", BEGIN, type="generation", model="not yours")]))
        yield opened


def calls() -> list[Span]:
    """Twelve calls a minute apart, in traces of three: the second model fails, and every fourth call has no cost."""
    return [
        Span(
            f"t-{n // 3}",
            f"s-{n}",
            BEGIN + 60 * n * SECOND,
            type="generation",
            name=f"call {n % 2}",
            start_time=BEGIN + 60 * n * SECOND,
            end_time=BEGIN + (60 * n + n % 5) * SECOND,
            model=("gpt-4o", "o4-mini")[n % 2],
            level=("DEFAULT", "ERROR")[n % 2],
            user_id=f"user {n // 6}",
            tags=["all", f"tag {n % 3}"],
            cost=None if n % 4 == 3 else {"total": Decimal(n) / 1000},
            input="x" * 2000 + (' \\n"Refund policy" ' if n == 5 else "") + "y" * 2000,
            output="fine",
        )
        for n in range(12)
    ]


def other() -> list[Span]:
    """A piece of a call again, which says nothing new, and a span of another kind."""
    return [
        Span("t-0", "s-0", BEGIN, model="gpt-4o"),
        Span("t-0", "tool", BEGIN + SECOND, type="tool", name="look-up", start_time=BEGIN + SECOND),
    ]


GENERATIONS = Filter().where("type", "generation")


def counted(engine: Engine, filter: Filter, **options: Any) -> dict[str, list[tuple[str, int]]]:
    found = Reader(engine).facets.overview(PROJECT, filter, **options)
    assert found.scanned is None
    return {facet.field: facet.values for facet in found.facets}


def test_facets_count_the_rows_of_one_project(engine: Engine) -> None:
    found = counted(engine, GENERATIONS)
    assert found["model"] == [("gpt-4o", 6), ("o4-mini", 6)]
    assert found["level"] == [("DEFAULT", 6), ("ERROR", 6)]
    assert found["tag"] == [("all", 12), ("tag 0", 4), ("tag 1", 4), ("tag 2", 4)]
    assert found["user"] == [("user 0", 6), ("user 1", 6)]
    assert "release" not in found


def test_facets_of_traces_count_traces(engine: Engine) -> None:
    found = counted(engine, Filter(), counted="traces")
    assert found["type"] == [("generation", 4), ("tool", 1)]
    assert found["user"] == [("user 0", 2), ("user 1", 2)]


def test_a_facet_that_is_chosen_shows_what_else_could_be(engine: Engine) -> None:
    found = counted(engine, from_params([("q", "model:gpt-4o type:generation")]))
    assert found["model"] == [("gpt-4o", 6), ("o4-mini", 6)]
    assert found["level"] == [("DEFAULT", 6)]


def test_a_histogram_counts_rows_and_errors_by_time(engine: Engine) -> None:
    width = 240 * SECOND
    first = BEGIN // width * width
    found = Reader(engine).facets.histogram(PROJECT, GENERATIONS, width)
    assert sum(bucket.count for bucket in found) == 12
    assert sum(bucket.errors for bucket in found) == 6
    assert found[0].start == first
    assert Reader(engine).facets.histogram(PROJECT, Filter(), 3600 * SECOND, counted="traces") == [
        Bucket(BEGIN // (3600 * SECOND) * 3600 * SECOND, 4, 4)
    ]


def test_a_trace_is_counted_once_where_it_begins(engine: Engine) -> None:
    facets, minute = Reader(engine).facets, 60 * SECOND
    # The traces begin every three minutes; one that began before the range is none of its list.
    listed = Filter(BEGIN + minute, BEGIN + 8 * minute)
    traces = Reader(engine).traces(PROJECT, listed).rows
    assert [trace.trace_id for trace in traces] == ["t-2", "t-1"]
    for asked in (listed, listed.where("type", "generation")):
        found = facets.histogram(PROJECT, asked, minute, counted="traces")
        assert [(bucket.start, bucket.count, bucket.errors) for bucket in found] == [
            ((trace.start_time // minute) * minute, 1, 1) for trace in reversed(traces)
        ]
    assert counted(engine, listed, counted="traces")["type"] == [("generation", 2)]
    assert counted(engine, listed)["type"] == [("generation", 7)]


def test_a_bar_begins_at_its_first_nanosecond(engine: Engine) -> None:
    edge = BEGIN // (60 * SECOND) * 60 * SECOND
    engine.insert("spans", encode("edges", [Span("t", "1", edge - 1), Span("t", "2", edge), Span("t", "3", -1)]))
    found = Reader(engine).facets.histogram("edges", Filter(), 60 * SECOND)
    assert found == [Bucket(-60 * SECOND, 1, 0), Bucket(edge - 60 * SECOND, 1, 0), Bucket(edge, 1, 0)]


def pages(engine: Engine, sort: str, read: str = "spans", limit: int = 5) -> list[Any]:
    """Return all rows, page by page."""
    rows, cursor = [], None
    while True:
        page = getattr(Reader(engine), read)(PROJECT, GENERATIONS, sort=sort, limit=limit, cursor=cursor)
        rows += page.rows
        if (cursor := page.next_cursor) is None:
            return rows


def test_spans_are_sorted_by_any_value_page_by_page(engine: Engine) -> None:
    dearest = [int(span.span_id[2:]) for span in pages(engine, "-cost")]
    # Of what has no cost the newest comes first, behind all others, in both directions.
    assert dearest == [10, 9, 8, 6, 5, 4, 2, 1, 0, 11, 7, 3]
    assert [int(span.span_id[2:]) for span in pages(engine, "cost")] == [0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 7, 3]
    lengths = [span.end_time - span.start_time for span in pages(engine, "-latency")]
    assert lengths == sorted(lengths, reverse=True)
    assert [int(span.span_id[2:]) for span in pages(engine, "model")] == [*range(10, -1, -2), *range(11, 0, -2)]


def test_traces_are_sorted_by_any_value_page_by_page(engine: Engine) -> None:
    dearest = pages(engine, "-cost", "traces", 3)
    assert [trace.trace_id for trace in dearest] == ["t-3", "t-2", "t-1", "t-0"]
    assert dearest[0].total_cost == Decimal("0.019")
    assert [trace.trace_id for trace in pages(engine, "start_time", "traces", 1)] == ["t-0", "t-1", "t-2", "t-3"]
    assert [trace.trace_id for trace in pages(engine, "-spans", "traces", 1)] == ["t-0", "t-3", "t-2", "t-1"]


@pytest.mark.parametrize("read", ["spans", "traces"])
@pytest.mark.parametrize("wrong", [{"sort": "input"}, {"sort": ""}, {"sort": "-cost", "cursor": "nonsense"}])
def test_an_order_that_is_none_is_refused(engine: Engine, read: str, wrong: dict[str, str]) -> None:
    with pytest.raises(FilterError, match=r"sort|cursor"):
        getattr(Reader(engine), read)(PROJECT, Filter(), **wrong)


def test_a_cursor_of_one_order_is_none_of_another(engine: Engine) -> None:
    reader = Reader(engine)
    cursor = reader.spans(PROJECT, GENERATIONS, sort="-cost", limit=2).next_cursor
    with pytest.raises(FilterError, match="cursor"):
        reader.spans(PROJECT, GENERATIONS, limit=2, cursor=cursor)


def test_a_word_in_the_middle_of_a_long_text_is_shown(engine: Engine) -> None:
    for text in ("refund", '"refund policy"', "input:REFUND"):
        (span,) = Reader(engine).spans(PROJECT, from_params([("q", text)])).rows
        assert span.input is not None
        assert span.input.startswith(previews.CUT + "xxx")
        assert '"Refund policy" yyy' in span.input
        assert len(span.input) < 2 * previews.PREVIEW
    (span,) = Reader(engine).spans(PROJECT, from_params([("q", "refund")]), full=True).rows
    assert len(span.input or "") > 4000


def test_words_are_those_that_are_looked_for() -> None:
    asked = from_params([("q", 'refund "two words" output:late -angry model:gpt-4o')])
    assert previews.words(asked) == ["refund", "two words", "late"]
    assert previews.words(asked, previews.SEARCHED["input"]) == ["refund", "two words"]
