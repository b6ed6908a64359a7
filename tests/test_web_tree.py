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
