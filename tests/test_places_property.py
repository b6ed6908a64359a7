"""Any permutation, duplication and splitting of what a sender tells ends as the same spans, with one server or several."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genscope.model import TRACE, Entity, Patch, Score, Span, patch_order
from genscope.places import Places
from genscope.store.entities import Entities
from tests.test_places import SECOND, START, Store, patch

T, STEP, INNER = Entity(TRACE, "t"), Entity("span", "step"), Entity("span", "inner")
BILLED = Entity("generation", "billed")
CALL, TOOL, EVENT = Entity("generation", "call"), Entity("tool_call", "tool"), Entity("event", "event")


def stream() -> list[Patch]:
    """A trace as a sender tells of it, with everything that may be told twice told twice, and differently."""
    told = [
        patch(T, _at(0, 1), type="span", name="chat", start_time=START, input="hello", level="DEFAULT", is_root=True),
        patch(T, _at(0, 2), type="span", start_time=START + 5, user_id="first"),
        patch(T, _at(1, 3), user_id="second", tags=["a"], trace_metadata={"plan": "pro"}),
        patch(T, _at(1, 4), tags=["b"], trace_metadata={"plan": "free", "region": "eu"}),
        patch(STEP, _at(0, 5), parent=T, type="span", name="step", start_time=START + 10),
        patch(STEP, _at(2, 6), end_time=START + SECOND),
        patch(STEP, _at(2, 7), end_time=START + 3 * SECOND),
        patch(INNER, _at(0, 8), parent=STEP, type="span", name="inner", start_time=START + 11),
        patch(
            CALL,
            _at(0, 9),
            parent=INNER,
            type="generation",
            name="call",
            start_time=START + 12,
            model="gpt-4o",
            input="[]",
        ),
        patch(CALL, _at(1, 10), model="gpt-4o-mini", provider="openai", metadata={"n": 10}),
        patch(CALL, _at(1, 11), metadata={"n": 9}, attributes={"x": [1]}),
        patch(CALL, _at(2, 12), output="early", usage={"input": 10, "output": 1}),
        patch(CALL, _at(2, 13), output="late", usage={"input": 1000, "output": 100, "input_cache_read": 500}),
        patch(CALL, _at(2, 14), level="ERROR", status_message="boom", end_time=START + 2 * SECOND),
        patch(TOOL, _at(0, 15), parent=STEP, type="tool", name="tool", start_time=START + 14, level="DEFAULT"),
        patch(TOOL, _at(2, 16), output="42", cost={"total": Decimal("0.25")}),
        patch(EVENT, _at(0, 17), parent=TOOL, type="event", name="event", start_time=START + 15),
        # A cost that is reported, then corrected to less, beside one that can be computed.
        patch(BILLED, _at(0, 18), trace="t", parent=INNER, start_time=START + 16, model="gpt-4o"),
        patch(BILLED, _at(1, 19), type="generation", usage={"input": 1000, "output": 10}),
        patch(BILLED, _at(2, 20), cost={"total": Decimal(7)}, cost_rule="told", service_tier="flex"),
        patch(BILLED, _at(2, 21), cost={"total": Decimal(3)}, cost_rule="told"),
        patch(BILLED, _at(3, 22), start_time=START - SECOND, provider="azure", server_address="example.com"),
        patch(T, _at(2, 23)),
    ]
    for number, text in ((6, "a"), (17, "b"), (18, "a"), (19, "c")):
        told[number].messages = [{"role": "user", "content": text}]
    told[2].scores = [Score("t:quality", "quality", START, value=1.0), Score("t:taste", "taste", START, value=0.5)]
    told[22].scores = [Score("t:quality", "quality", START, value=3.0)]
    told[12].scores = [
        Score("call:speed", "speed", START, value=5.0),
        Score("call:quality", "quality", START, value=0.0),
    ]
    told[10].messages = [{"role": "user", "content": "more"}]
    told[13].scores = [Score("call:quality", "quality", START, value=1.0)]
    told[14].scores = [Score("tool:quality", "quality", START, value=2.0)]
    return told


def _at(rank: int, moment: int) -> int:
    return patch_order(rank, START + moment)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with contextlib.closing(Store(tmp_path_factory.mktemp("property") / "store")) as opened:
        yield opened


PROJECTS = itertools.count()
ORDERS = st.permutations(range(len(stream())))
DOUBLED = st.lists(st.integers(0, len(stream()) - 1), max_size=8)
RESTART = 2
#: Of how many pieces a request is, and which of the servers takes it, or whether one is started again before.
REQUESTS = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 2)), min_size=1, max_size=8)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=ORDERS, doubled=DOUBLED, requests=REQUESTS, data=st.data())
def test_every_order_ends_the_same(
    store: Store, order: list[int], doubled: list[int], requests: list[tuple[int, int]], data: st.DataObject
) -> None:
    expected = _expected(store)
    told = stream()
    sent = list(order)
    for again in doubled:
        sent.insert(data.draw(st.integers(0, len(sent))), again)
    project = f"p{next(PROJECTS)}"
    shared = data.draw(st.booleans())
    servers = [Places(Entities(store.engine), shared=shared, remembered=size) for size in (1000, 2)]
    begin = 0
    for length, which in itertools.cycle(requests):
        if which == RESTART:
            servers[0] = Places(Entities(store.engine), shared=shared)
        server = servers[which if shared and which != RESTART else 0]
        store.take(server, project, [told[index] for index in sent[begin : begin + length]], START + begin)
        begin += length
        if begin >= len(sent):
            break
    assert _seen(store, project) == expected
    everything = store.engine.query(
        "SELECT trace_id, span_id FROM spans FINAL WHERE project_id = {p:String}", {"p": project}
    )
    assert everything.num_rows == len(expected[0])


EXPECTED: list[tuple[list[Span], list[dict[str, object]]]] = []


def _expected(store: Store) -> tuple[list[Span], list[dict[str, object]]]:
    if not EXPECTED:
        store.take(store.server(), "expected", stream())
        EXPECTED.append(_seen(store, "expected"))
        found = {span.span_id: span for span in EXPECTED[0][0]}
        root, step, call = found["t:root"], found["step"], found["call"]
        assert (root.start_time, root.user_id, root.trace_metadata) == (
            START,
            "second",
            {"plan": "free", "region": "eu"},
        )
        assert step.end_time == START + 3 * SECOND
        assert (call.model, call.output, call.metadata, call.level) == ("gpt-4o-mini", "late", {"n": 9}, "ERROR")
        assert call.cost is not None
        assert call.cost["total"] == Decimal("0.0001725")
        billed = found["billed"]
        assert (billed.cost, billed.provider, billed.input) == (
            {"total": Decimal(3)},
            "azure",
            '[{"role":"user","content":"b"},{"role":"user","content":"a"},{"role":"user","content":"c"}]',
        )
    return EXPECTED[0]


def _seen(store: Store, project: str) -> tuple[list[Span], list[dict[str, object]]]:
    spans = store.spans(project, "t")
    scores = store.engine.query(
        "SELECT id, trace_id, span_id, value FROM scores FINAL WHERE project_id = {p:String} ORDER BY id",
        {"p": project},
    )
    return sorted(spans, key=lambda span: span.span_id), scores.to_pylist()
