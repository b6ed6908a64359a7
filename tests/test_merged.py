"""A long time is read in slices, and every answer is what it is without them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genscope.model import Score, Span
from genscope.query.filter import Filter, from_params
from genscope.store import merged as slices
from genscope.store.engine import Engine, Part
from genscope.store.figures import Question
from genscope.store.merged import COMPUTED, Stretch, merged, stretches
from genscope.store.metrics import Figures
from genscope.store.migrate import migrate
from genscope.store.ranges import Range
from genscope.store.reader import Reader
from genscope.store.rows import encode
from genscope.store.scores import encode as encode_scores
from genscope.store.where import where

SECOND = 10**9
DAY = 86_400 * SECOND
#: 2026-03-01, in three months: three partitions, each of which can be merged by itself.
BEGIN = 1_772_323_200 * SECOND
END = BEGIN + 90 * DAY
CALLS = 1800


def call(number: int) -> Span:
    """A call with everything that pages ask about."""
    begin = BEGIN + number * 72 * 60 * SECOND
    source = random.Random(number)
    failed = source.random() < 0.2
    return Span(
        trace_id=f"trace-{number // 3}",
        span_id=f"span-{number}",
        time=begin,
        type="generation" if number % 3 else "tool",
        name=f"name-{number % 7}",
        start_time=begin,
        end_time=begin + source.randrange(1, 9) * SECOND // 3,
        model=f"model-{number % 4}",
        provider="openai",
        level="ERROR" if failed else "DEFAULT",
        status_message=f"failure {number % 3}" if failed else None,
        input="hello" if number % 5 else "goodbye",
        usage={"input": source.randrange(100), "output": source.randrange(100)} if number % 6 else None,
        cost={"total": Decimal(source.randrange(1, 100)) / 1000} if number % 6 else None,
        user_id=f"user-{number // 3 % 11}",
        session_id=f"session-{number // 9}" if number % 3 else None,
        environment="test" if number % 3 == 1 else None,
        tags=["a", "b"] if number % 2 else [],
    )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path: Path = tmp_path_factory.mktemp("store")
    opened = Engine(path, memory_bytes=2 << 30, query_memory_bytes=1 << 30, query_seconds=30, connections=2)
    migrate(opened)
    calls = [call(number) for number in range(CALLS)]
    opened.insert("spans", encode("p", calls))
    opened.insert("spans", encode("other", [call(number) for number in range(5)]))
    said = [Score(f"score-{one.span_id}", "right", one.time, value=1.0, trace_id=one.trace_id) for one in calls[::7]]
    opened.insert("scores", encode_scores("p", said))
    opened.command("OPTIMIZE TABLE spans FINAL")
    # What comes again, and later pieces of what is there, are in the midst of what was merged.
    opened.insert("spans", encode("p", calls[::97]))
    late = [
        Span(one.trace_id, one.span_id, one.time, metadata={"late": True}, status_message="told later")
        for one in calls[::89]
    ]
    opened.insert("spans", encode("p", late))
    yield opened
    opened.close()


def metrics(asked: Filter, view: str, dimensions: list[str], measures: list[tuple[str, str]]) -> Figures:
    columns = [*dimensions, *(f"{aggregation}_{measure}" for measure, aggregation in measures)]
    return Figures(view, measures, dimensions, asked, order=[(column, True) for column in columns])


def with_conditions(asked: Filter, q: str) -> Filter:
    return replace(asked, conditions=from_params([("q", q)]).conditions)


ASKED: dict[str, Callable[[Reader, Filter], object]] = {
    "models": lambda reader, asked: reader.models.compared("p", asked),
    "models of a name": lambda reader, asked: reader.models.compared("p", asked.where("name", "name-1")),
    "distributions": lambda reader, asked: {
        # A mean of floating numbers depends on their order.
        key: replace(found, mean=found.mean and round(found.mean, 6))
        for key, found in reader.models.distributions("p", asked, [("openai", "model-1")]).items()
    },
    "coverage": lambda reader, asked: reader.models.coverage("p", asked),
    "figures": lambda reader, asked: reader.figures.ask(
        "p", Question(asked, ("calls", "cost", "latency_p95", "traces", "users"), ("model", "user"), "day")
    ),
    "figures of what others say": lambda reader, asked: reader.figures.ask(
        "p", Question(asked, ("calls", "cost"), ("env", "session"))
    ),
    "facets": lambda reader, asked: reader.facets.overview("p", asked),
    "facets of traces": lambda reader, asked: reader.facets.overview("p", asked, counted="traces"),
    "histogram": lambda reader, asked: reader.facets.histogram("p", asked, DAY),
    "histogram of traces": lambda reader, asked: reader.facets.histogram("p", asked, DAY, counted="traces"),
    "histogram of traces that failed": lambda reader, asked: reader.facets.histogram(
        "p", asked.where("level", "ERROR"), DAY, counted="traces"
    ),
    "users": lambda reader, asked: reader.users.page("p", asked, order="cost").rows,
    "users who failed": lambda reader, asked: reader.users.page("p", asked.where("level", "ERROR")).rows,
    "sessions": lambda reader, asked: reader.sessions.page("p", asked).rows,
    "sessions that failed": lambda reader, asked: reader.sessions.page("p", asked.where("level", "ERROR")).rows,
    "failures": lambda reader, asked: reader.failures.groups("p", asked, Range.between(BEGIN, END, 24)).rows,
    "the dearest": lambda reader, asked: reader.spans("p", asked, sort="-cost").rows,
    "the first": lambda reader, asked: reader.spans("p", asked, sort="start_time").rows,
    "with a late piece": lambda reader, asked: reader.spans("p", with_conditions(asked, "metadata.late:true")).rows,
    "words": lambda reader, asked: reader.spans("p", with_conditions(asked, "goodbye"), limit=500).rows,
    "traces": lambda reader, asked: reader.traces("p", asked).rows,
    "the dearest traces": lambda reader, asked: reader.traces("p", asked, sort="-cost").rows,
    "the dearest traces that failed": lambda reader, asked: (
        reader.traces("p", asked.where("level", "ERROR"), sort="-cost").rows
    ),
    "traces of a session": lambda reader, asked: (
        reader.traces("p", asked.where("session_id", "session-190"), sort="latency").rows
    ),
    "traces by number": lambda reader, asked: reader.numbered_traces("p", asked.where("user_id", "user-1"), offset=3),
    "scores of traces that failed": lambda reader, asked: (
        reader.scores.page("p", asked, about=Filter().where("level", "ERROR").conditions).rows
    ),
    "metrics of traces": lambda reader, asked: reader.metrics.figures(
        "p",
        metrics(asked, "traces", ["name"], [("observationsCount", "sum"), ("totalCost", "sum"), ("count", "count")]),
    ),
    "metrics of observations": lambda reader, asked: reader.metrics.figures(
        "p", metrics(asked, "observations", ["traceName", "level"], [("latency", "max"), ("count", "count")])
    ),
    "metrics of scores": lambda reader, asked: reader.metrics.figures(
        "p", metrics(asked, "scores-numeric", ["traceName"], [("count", "count"), ("value", "sum")])
    ),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("bounds", [(None, None), (BEGIN + 10 * DAY + 1, END - 5 * DAY), (END - 3 * DAY, None)])
def test_every_answer_is_what_it_is_without_slices(
    engine: Engine, asked: str, bounds: tuple[int | None, int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, filter = Reader(engine), Filter(*bounds)
    expected = ASKED[asked](reader, filter)
    monkeypatch.setattr(slices, "WORTH", 1)
    assert "UNION ALL" in merged(engine, where("p", filter))
    assert ASKED[asked](reader, filter) == expected


def test_no_row_is_lost_at_the_ends_of_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    begins = [1, 5 * SECOND + 1, 4_600_000_000 * SECOND, 5_000_000_000 * SECOND, 2**63 - 1]
    spans = [Span(f"trace-{begin}", "span", begin, start_time=begin) for begin in begins]
    engine.insert("spans", encode("far", spans))
    monkeypatch.setattr(slices, "WORTH", 1)
    monkeypatch.setattr(Engine, "parts", lambda *_: [Part(0, 4, 9, 1), Part(5, 5, 9, 1), Part(6, 2**32 - 1, 9, 1)])
    assert Reader(engine).count_spans("far", Filter()) == len(begins)
    assert "UNION ALL" in merged(engine, where("far", Filter()))
    for start in begins:
        for end in begins:
            found = Reader(engine).spans("far", Filter(start, end), sort="latency").rows
            assert sorted(span.time for span in found) == [begin for begin in begins if start <= begin < end]


def test_what_is_said_of_a_trace_is_found_wherever_it_is_said(engine: Engine) -> None:
    said = [("early", 0, "s"), ("early", 40, None), ("lost", 35, "t"), ("late", 50, "u")]
    spans = [
        Span(trace, f"{trace}-{day}", BEGIN + day * DAY, start_time=BEGIN + day * DAY, session_id=session)
        for trace, day, session in said
    ]
    engine.insert("spans", encode("said", spans))
    # As if the server had been killed between the two.
    engine.command("DELETE FROM traces WHERE project_id = 'said' AND trace_id = 'lost'")
    reader = Reader(engine)

    def found(day: int, session: str) -> list[str]:
        asked = Filter(BEGIN + day * DAY).where("session_id", session)
        return sorted(span.span_id for span in reader.spans("said", asked).rows)

    assert (found(30, "s"), found(30, "t"), found(30, "u")) == (["early-40"], ["lost-35"], ["late-50"])
    assert (found(41, "s"), found(45, "u"), found(60, "u")) == ([], ["late-50"], [])
    engine.command("DELETE FROM traces WHERE project_id = 'said' AND trace_id = 'early'")
    # Of the others the earliest begins later.
    assert (found(34, "t"), found(34, "u")) == (["lost-35"], ["late-50"])
    assert reader.spans("nobody", Filter(BEGIN).where("session_id", "s")).rows == []


def test_a_slice_has_all_columns(engine: Engine) -> None:
    rows = engine.query(
        "SELECT name FROM system.columns WHERE table = 'spans' AND database = currentDatabase() "
        "AND default_kind = 'MATERIALIZED' ORDER BY name"
    )
    assert rows["name"].to_pylist() == sorted(COMPUTED)


def test_a_short_time_is_read_as_it_is(engine: Engine) -> None:
    assert merged(engine, where("p", Filter(END - DAY, END))) == "spans FINAL"


def test_a_stretch_is_where_one_part_lies_alone() -> None:
    parts = [Part(0, 99, 1000, 2), Part(98, 199, 1000, 1), Part(198, 298, 1000, 0), Part(300, 310, 10, 1)]
    assert stretches(parts) == [Stretch(0, 98, 980), Stretch(100, 198, 960), Stretch(300, 311, 10)]
    # One that ends before it begins is beyond what the engine can tell.
    assert stretches([*parts, Part(4_000_000_000, 7, 5, 1)]) == stretches(parts)


@given(
    st.lists(
        st.builds(
            lambda first, length, level: Part(first, first + length, length + 1, level),
            st.integers(0, 50),
            st.integers(0, 20),
            st.integers(0, 1),
        ),
        max_size=12,
    )
)
def test_stretches_are_apart_and_in_one_merged_part(parts: list[Part]) -> None:
    alone = {
        second
        for second in range(80)
        if [part.level > 0 for part in parts if part.first <= second <= part.last] == [True]
    }
    found = [second for one in stretches(parts) for second in range(one.start, one.end)]
    assert len(found) == len(set(found))
    assert set(found) == alone
