from __future__ import annotations

from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from genscope.model import Span
from genscope.web import bill, tree

SECOND = 1_000_000_000


def span(span_id: str, parent: str | None = None, start: int = 0, end: int | None = 10, **fields: object) -> Span:
    made = Span("t", span_id, start * SECOND, parent, start_time=start * SECOND)
    made.end_time = None if end is None else end * SECOND
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def outline(spans: list[Span]) -> list[tuple[str, int, bool]]:
    return [(row.span.span_id, row.depth, row.orphan) for row in tree.layout(spans)]


def test_children_follow_their_parent_in_order_of_start() -> None:
    spans = [span("c", "a", 5), span("a", None, 0), span("b", "a", 1), span("d", "b", 2)]
    assert outline(spans) == [("a", 0, False), ("b", 1, False), ("d", 2, False), ("c", 1, False)]


def test_a_span_whose_parent_never_arrived_is_a_root_with_a_hint() -> None:
    assert outline([span("a"), span("b", "gone", 1), span("c", "b", 2)]) == [
        ("a", 0, False),
        ("b", 0, True),
        ("c", 1, False),
    ]


def test_cycles_of_parents_are_cut_open_and_lose_nothing() -> None:
    assert outline([span("b", "a", 1), span("a", "b", 0), span("c", "c", 2), span("d", "b", 3)]) == [
        ("a", 0, True),
        ("b", 1, False),
        ("d", 2, False),
        ("c", 0, True),
    ]


def test_a_chain_of_many_thousand_spans() -> None:
    spans = [span(str(n), str(n - 1) if n else None, n) for n in range(20_000)]
    Random(1).shuffle(spans)
    rows = tree.layout(spans)
    assert [row.depth for row in rows] == list(range(20_000))


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 5)), max_size=30))
def test_every_span_appears_exactly_once(links: list[tuple[int, int, int]]) -> None:
    spans = {str(own): span(str(own), str(parent), start) for own, parent, start in links}
    rows = tree.layout(list(spans.values()))
    assert sorted(row.span.span_id for row in rows) == sorted(spans)
    assert all(0 <= row.left <= 100 and row.left + row.width <= 100.000001 for row in rows)


def test_bars_are_percent_of_the_trace() -> None:
    [first, second, running] = tree.layout(
        [span("a", None, 0, 10), span("b", "a", 4, 6, completion_start_time=5 * SECOND), span("c", "a", 8, None)]
    )
    assert (first.left, first.width, first.first_token) == (0, 100, None)
    assert (second.left, second.width, second.first_token) == (40, 20, 10)
    assert (running.left, running.width) == (80, 0)


def named(values: dict[str, int]) -> dict[str, int]:
    return {name: value // SECOND for name, value in values.items()}


def self_times(spans: list[Span]) -> dict[str, int]:
    return named({row.span.span_id: row.self_time for row in tree.layout(spans)})


def critical(spans: list[Span]) -> dict[str, int]:
    return named({row.span.span_id: row.critical for row in tree.layout(spans) if row.critical})


def test_self_time_is_what_no_child_covers() -> None:
    # Two children at once, a gap, one that outlives its parent, one that began before it.
    spans = [
        span("a", None, 10, 30),
        span("b", "a", 12, 18),
        span("c", "a", 14, 20),
        span("d", "a", 26, 40),
        span("e", "a", 5, 11),
        span("f", "b", 12, 13),
    ]
    assert self_times(spans) == {"a": 1 + 6, "b": 5, "c": 6, "d": 14, "e": 6, "f": 1}


def test_the_critical_path_is_what_the_end_waited_for() -> None:
    spans = [
        span("root", None, 0, 100),
        span("quick", "root", 10, 30),
        span("slow", "root", 10, 60),  # what the rest waited for
        span("within", "slow", 20, 50),
        span("last", "root", 70, 95),
    ]
    assert critical(spans) == {"root": 10 + 10 + 5, "slow": 20, "within": 30, "last": 25}
    slow = {row.span.span_id for row in tree.layout(spans) if row.slow}
    assert slow == {"root", "slow", "within", "last"}


def test_a_child_that_outlives_its_parent_is_waited_for_by_the_trace() -> None:
    spans = [span("request", None, 0, 10), span("job", "request", 8, 50), span("before", "request", 1, 7)]
    assert critical(spans) == {"request": 1 + 1, "before": 6, "job": 42}


def test_a_gap_between_roots_is_on_nobodys_path() -> None:
    assert critical([span("a", None, 0, 10), span("b", None, 20, 30)]) == {"a": 10, "b": 10}


def test_a_path_leads_through_a_chain_of_many_thousand_spans() -> None:
    spans = [span(str(n), str(n - 1) if n else None, n, 20_000) for n in range(10_000)]
    assert sum(critical(spans).values()) == 20_000


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=20))
def test_a_path_is_never_longer_than_its_trace(drawn: list[tuple[int, int, int]]) -> None:
    spans = [span(str(n), str(parent), start, start + took) for n, (parent, start, took) in enumerate(drawn)]
    rows = tree.layout(spans)
    whole = max(map(tree.end, spans)) - min(map(tree.begin, spans))
    assert 0 <= sum(row.critical for row in rows) <= whole
    assert all(0 <= row.self_time <= (tree.duration(row.span) or 0) for row in rows)


def paid(span_id: str, parent: str | None, cost: str | None) -> Span:
    made = span(span_id, parent, type="generation", usage={"input": 10, "output": 1})
    made.cost = None if cost is None else {"total": Decimal(cost)}
    return made


def test_subtrees_sum_up_calls_once() -> None:
    agent = span("agent", None, type="agent", usage={"input": 999}, cost={"total": Decimal(9)})  # repeats its calls
    spans = [
        agent,
        paid("a", "agent", "0.1"),
        paid("b", "agent", "0.2"),
        paid("sdk", "b", "0.2"),
        paid("c", "sdk", None),
    ]
    rows = {row.span.span_id: row for row in tree.layout(spans, {"b"})}
    assert {name: (row.total.calls, row.total.cost) for name, row in rows.items()} == {
        "agent": (3, Decimal("0.3")),
        "a": (1, Decimal("0.1")),
        "b": (2, Decimal("0.2")),
        "sdk": (2, Decimal("0.2")),
        "c": (1, None),
    }
    assert rows["b"].repeated
    whole = tree.whole(rows.values())
    assert (whole.calls, whole.unpriced, whole.input_tokens, whole.output_tokens) == (3, 1, 30, 3)


def test_rows_that_are_asked_for_keep_those_above_them() -> None:
    spans = [span("a"), span("b", "a"), span("c", "b", level="ERROR"), span("d", "a"), span("e", None, 1)]
    kept = tree.kept(tree.layout(spans), lambda row: row.span.level == "ERROR")
    assert [row.span.span_id for row in kept] == ["a", "b", "c"]


def test_an_axis_has_few_round_ticks() -> None:
    assert [moment for _, moment in tree.ticks(10 * SECOND)] == [n * SECOND for n in (0, 2, 4, 6, 8, 10)]
    assert tree.ticks(None) == tree.ticks(0) == [(0, 0)]
    for whole in (1, 3, 12_345, 86_400 * SECOND):
        assert 2 <= len(tree.ticks(whole)) <= 2 + 2 * 10


def test_a_bill_names_each_token_once_and_adds_up() -> None:
    made = span("a")
    made.usage = {"input": 1000, "output": 50, "total": 1050, "input_cache_read": 800}
    made.cost = {
        "input": Decimal("0.0015"),
        "input_cache_read": Decimal("0.001"),
        "output": Decimal("0.0005"),
        "total": Decimal("0.002"),
    }
    lines = bill.lines(made)
    assert [(line.kind, line.tokens, line.working) for line in lines] == [
        ("input", 200, "200 × $2.5 / 1M"),  # noqa: RUF001
        ("input_cache_read", 800, "800 × $1.25 / 1M"),  # noqa: RUF001
        ("output", 50, "50 × $10 / 1M"),  # noqa: RUF001
    ]
    assert sum(line.cost or 0 for line in lines) == made.cost["total"]
    assert sum(line.tokens or 0 for line in lines) == 1050


def test_a_bill_of_a_reported_total_invents_nothing() -> None:
    made = span("a", usage={"input": 10, "output_reasoning": 3}, cost={"total": Decimal("0.5")})
    assert [(line.kind, line.tokens, line.cost, line.working) for line in bill.lines(made)] == [
        ("input", 10, None, ""),
        ("output_reasoning", 3, None, ""),
    ]


def test_a_bill_leaves_out_what_was_not_used() -> None:
    unused = {"input_cache_read": 0, "input_audio": 0, "output_reasoning": 0}
    made = span("a", usage={"input": 10, "output": 0, **unused}, cost={"input": Decimal(1), "output": Decimal(0)})
    assert [(line.kind, line.tokens) for line in bill.lines(made)] == [("input", 10), ("output", 0)]
    made.cost = None
    assert [line.kind for line in bill.lines(made)] == ["input", "output"]


def test_a_bill_survives_parts_larger_than_their_total() -> None:
    made = span(
        "a", usage={"input": 10, "input_cache_read": 90}, cost={"input": Decimal(1), "input_cache_read": Decimal(2)}
    )
    assert [line.tokens for line in bill.lines(made)] == [10, 90]


def test_a_bill_counts_cached_audio_once_and_prices_searches_by_the_thousand() -> None:
    usage = {"input": 1000, "input_audio": 400, "input_cache_read": 300, "input_cache_read_audio": 100, "web_search": 2}
    cost = {
        "input": Decimal("0.0105"),
        "input_audio": Decimal("0.0096"),
        "input_cache_read": Decimal("0.00012"),
        "input_cache_read_audio": Decimal("0.00004"),
        "web_search": Decimal("0.02"),
        "total": Decimal("0.0305"),
    }
    lines = bill.lines(span("a", usage=usage, cost=cost))
    assert {line.kind: line.tokens for line in lines} == {
        "input": 400,
        "input_audio": 300,
        "input_cache_read": 200,
        "input_cache_read_audio": 100,
        "web_search": 2,
    }
    assert lines[-1].working == "2 × $10 / 1k"  # noqa: RUF001
    assert sum(line.cost or 0 for line in lines) == cost["total"]
