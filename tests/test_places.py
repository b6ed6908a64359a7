"""Spans in pieces: where each goes, and that every order ends the same."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from genscope.ingest import Ingest, Limits
from genscope.model import TRACE, Entity, Patch, Pieces, Score, Span, patch_order, piece
from genscope.places import Placed, Places
from genscope.pricing.override import NONE
from genscope.query.filter import Filter
from genscope.receive.errors import Overloaded
from genscope.store import costs, entities, scores
from genscope.store.costs import Costs
from genscope.store.deletes import Deletes
from genscope.store.engine import Engine
from genscope.store.entities import Entities, Placement
from genscope.store.errors import StoreError
from genscope.store.migrate import migrate
from genscope.store.reader import Reader
from genscope.store.rows import encode
from genscope.store.writer import Writer

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND


class Store:
    """A store, and any number of servers on it, each with a memory of its own."""

    def __init__(self, path: Path) -> None:
        self.engine = Engine(path, memory_bytes=1 << 30, query_memory_bytes=1 << 30, query_seconds=60, connections=2)
        migrate(self.engine, fsync=False)
        self.writer = Writer(self.engine.insert, linger=0, max_bytes=1 << 28)
        self.reader = Reader(self.engine)
        self.costs = Costs(self.engine)

    def server(self, remembered: int = 1000) -> Places:
        return Places(Entities(self.engine), remembered=remembered)

    def close(self) -> None:
        self.writer.close()
        self.engine.close()

    def put(self, project: str, placed: Placed) -> list[Future[None]]:
        futures = self.writer.submit(
            ("spans", encode(project, placed.spans)),
            ("entities", entities.encode(project, placed.placements)),
            ("scores", scores.encode(project, placed.scores)),
        )
        for future in futures:
            future.result(timeout=60)
        return futures

    def take(self, server: Places, project: str, patches: Sequence[Patch], now: int = START) -> None:
        placed = server.take(project, patches, now, lambda placed: self.put(project, placed))
        server.confirm(project, placed)
        if placed.cheaper:
            with server.lowering(placed) as spans:
                self.costs.write(costs.encode(project, spans))

    def spans(self, project: str, trace_id: str) -> list[Span]:
        return [replace(span, time=0) for span in self.reader.trace(project, trace_id)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with contextlib.closing(Store(tmp_path_factory.mktemp("places") / "store")) as opened:
        yield opened


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


def patch(
    entity: Entity, order: int = 0, *, parent: Entity | None = None, trace: str | None = None, **known: Any
) -> Patch:
    span = piece()
    for name, value in known.items():
        setattr(span, name, value)
    return Patch(entity, span, order, trace, parent)


T = Entity(TRACE, "t")
S = Entity("span", "s")
G = Entity("generation", "g")


def test_pieces_of_one_request_are_one_span_each(store: Store, project: str) -> None:
    server = store.server()
    store.take(
        server,
        project,
        [
            patch(T, name="chat", type="span", start_time=START, is_root=True),
            patch(
                G,
                parent=T,
                type="generation",
                model="gpt-4o",
                provider="openai",
                start_time=START + SECOND,
                level="DEFAULT",
            ),
            patch(G, 5, usage={"input": 1000, "output": 100}, output="hello", end_time=START + 2 * SECOND),
        ],
    )
    root, call = store.spans(project, "t")
    assert (root.span_id, root.parent_span_id, root.name) == ("t:root", None, "chat")
    assert (call.span_id, call.parent_span_id, call.output) == ("g", "t:root", "hello")
    assert call.cost is not None
    assert call.cost["total"] == Decimal("0.0035")
    assert call.cost_source == "computed"
    assert call.level == "DEFAULT"


def test_the_price_of_a_call_needs_pieces_of_several_requests(store: Store, project: str) -> None:
    server = store.server()
    store.take(server, project, [patch(G, 5, usage={"input": 1000, "output": 100})])
    store.take(server, project, [patch(T, start_time=START)])
    store.take(
        store.server(),
        project,
        [patch(G, parent=T, type="generation", model="gpt-4o", provider="openai", start_time=START + 1)],
    )
    call = store.spans(project, "t")[-1]
    assert call.cost is not None
    assert call.cost["total"] == Decimal("0.0035")
    assert store.reader.trace(project, "orphan:generation:g") == []


def test_an_orphan_is_seen_and_joins_with_all_that_hangs_on_it(store: Store, project: str) -> None:
    server = store.server()
    store.take(server, project, [patch(G, 5, output="early")])
    assert [span.output for span in store.spans(project, "orphan:generation:g")] == ["early"]
    store.take(server, project, [patch(G, parent=S, name="call", type="generation")])
    assert [span.name for span in store.spans(project, "orphan:span:s")] == ["call"]
    assert store.spans(project, "orphan:generation:g") == []
    store.take(server, project, [patch(S, parent=T, name="step", type="span")])
    assert store.spans(project, "orphan:span:s") == []
    found = {span.span_id: span for span in store.spans(project, "t")}
    assert found["g"].parent_span_id == "s"
    assert found["g"].output == "early"
    assert found["s"].parent_span_id == "t:root"


@pytest.mark.parametrize("again", ["same server", "another server"])
def test_what_is_out_of_date_stays_out(store: Store, project: str, again: str) -> None:
    first = store.server()
    second = first if again == "same server" else store.server()
    new = patch(G, patch_order(1, 20), trace="t", name="new", metadata={"state": "done", "a": 1})
    old = patch(G, patch_order(1, 10), trace="t", name="old", metadata={"state": "running", "b": 2}, level="DEFAULT")
    created = patch(G, patch_order(0, 30), trace="t", name="created")
    store.take(first, project, [new])
    store.take(second, project, [old])
    store.take(second, project, [created])
    (span,) = store.spans(project, "t")
    assert span.name == "new"
    assert span.metadata == {"state": "done", "a": 1, "b": 2}


def test_a_value_that_is_told_again_is_no_news(store: Store, project: str) -> None:
    for order, name in enumerate(["first", "second", "first"]):
        store.take(store.server(), project, [patch(G, order, trace="t", name=name)])
    (span,) = store.spans(project, "t")
    assert span.name == "second"


def test_a_trace_without_an_end_ends_with_its_last_span(store: Store, project: str) -> None:
    server = store.server()
    store.take(server, project, [patch(T, start_time=START), patch(S, parent=T, start_time=START, end_time=START + 5)])
    assert [span.end_time for span in store.spans(project, "t")] == [START + 5, START + 5]
    root = store.reader.span(project, "t", "t:root")
    assert root is not None
    assert root.end_time == START + 5


def test_a_span_whose_start_nobody_told_has_no_duration_and_lies_where_it_ended(store: Store, project: str) -> None:
    store.take(store.server(), project, [patch(G, trace="t", end_time=START - SECOND)])
    summary = store.reader.trace_summary(project, "t")
    assert summary is not None
    assert (summary.start_time, summary.end_time) == (START - SECOND, START - SECOND)


def test_a_user_and_a_session_are_of_the_whole_trace(store: Store, project: str) -> None:
    store.take(
        store.server(),
        project,
        [
            patch(T, start_time=START, session_id="conversation", user_id="alice"),
            patch(G, parent=T, type="generation", start_time=START + 1, end_time=START + SECOND),
        ],
    )
    for field, value in (("session_id", "conversation"), ("user_id", "alice")):
        found = store.reader.spans(project, Filter().where("type", "generation").where(field, value)).rows
        assert [span.span_id for span in found] == ["g"]
    (session,) = store.reader.sessions.page(project, Filter()).rows
    assert (session.id, session.trace_count, session.span_count, session.user_id) == ("conversation", 1, 2, "alice")
    assert (session.start_time, session.end_time) == (START, START + SECOND)
    assert store.reader.sessions.one(project, "conversation") == session


@pytest.mark.parametrize("told", [(1, 2, 3), (3, 2, 1), (2, 3, 1, 2, 3), (3, 1, 2, 1)])
def test_by_the_clock_of_its_sender_a_value_may_come_back(store: Store, project: str, told: Sequence[int]) -> None:
    states = {1: "running", 2: "waiting", 3: "running"}
    for moment in told:
        dated = patch(G, moment, trace="t", name=states[moment], metadata={"state": states[moment]})
        dated.dated = True
        store.take(store.server(), project, [dated])
    (span,) = store.spans(project, "t")
    assert (span.name, span.metadata) == ("running", {"state": "running"})


def test_a_result_that_repeats_what_a_creation_said_holds_against_an_update(store: Store, project: str) -> None:
    for rank, name in ((0, "first"), (1, "second"), (2, "first"), (1, "second")):
        store.take(store.server(), project, [patch(G, patch_order(rank, rank), trace="t", name=name)])
    (span,) = store.spans(project, "t")
    assert span.name == "first"


def test_a_cheaper_cost_that_comes_later_holds(store: Store, project: str) -> None:
    server = store.server()
    store.take(
        server, project, [patch(G, 0, trace="t", type="generation", model="gpt-4o", usage={"input": 1000, "output": 0})]
    )
    store.take(server, project, [patch(G, 1, model="gpt-4o-mini")])
    (span,) = store.spans(project, "t")
    assert span.cost is not None
    assert span.cost["total"] == Decimal("0.00015")
    store.take(server, project, [patch(G, 2, cost={"total": Decimal("0.00001")})])
    (span,) = store.spans(project, "t")
    assert (span.cost, span.cost_source) == ({"total": Decimal("0.00001")}, "reported")


def test_appended_messages_follow_the_first_in_the_order_in_which_they_were_told(store: Store, project: str) -> None:
    for order in (3, 1, 2, 5, 1):
        told = patch(G, order, trace="t")
        told.messages = [{"role": "user", "content": f"{min(order, 4)}"}]
        store.take(store.server(), project, [told])
    store.take(store.server(), project, [patch(G, 0, input='[{"role":"system","content":"0"}]')])
    (span,) = store.spans(project, "t")
    assert span.input == (
        '[{"role":"system","content":"0"},{"role":"user","content":"1"},{"role":"user","content":"2"},'
        '{"role":"user","content":"3"},{"role":"user","content":"4"}]'
    )


def test_scores_know_what_they_are_about(store: Store, project: str) -> None:
    server = store.server()
    told = patch(G, 1, output="x")
    told.scores = [Score("g:ttft", "ttft", START, value=1.5)]
    store.take(server, project, [told])
    store.take(server, project, [patch(G, 0, parent=T)])
    rows = store.engine.query(
        "SELECT id, trace_id, span_id FROM scores FINAL WHERE project_id = {p:String}", {"p": project}
    )
    assert rows.to_pylist() == [{"id": "g:ttft", "trace_id": "t", "span_id": "g"}]


def test_servers_that_meet_a_thing_at_once_agree_before_they_answer(store: Store, project: str) -> None:
    one, other = (Places(Entities(store.engine), shared=True) for _ in range(2))
    held: list[Placed] = []

    def hold(placed: Placed) -> list[Future[None]]:
        held.append(placed)
        return []

    # Both have looked before either has stored, and the later one is the earlier one to place it.
    one.take(project, [patch(G, 0, trace="t", name="call")], START + 7, hold)
    other.take(project, [patch(G, 1, trace="t", output="answer")], START, hold)
    store.put(project, held[0])
    one.confirm(project, held[0])
    store.put(project, held[1])
    other.confirm(project, held[1])
    (span,) = store.spans(project, "t")
    assert (span.name, span.output) == ("call", "answer")
    # The first one still remembers its own place.
    store.take(one, project, [patch(G, 2, trace="t", user_id="u")])
    (span,) = store.spans(project, "t")
    assert (span.name, span.output, span.user_id) == ("call", "answer", "u")


def test_a_name_that_is_used_in_two_traces_names_two_things(store: Store, project: str) -> None:
    server = store.server()
    call = Entity("tool_call", "call_1")
    for trace in ("t1", "t2"):
        store.take(server, project, [patch(call, parent=Entity(TRACE, trace), name="tool")])
        store.take(server, project, [patch(call, 5, output=f"result {trace}")])
    assert [span.output for span in store.spans(project, "t1")] == ["result t1"]
    assert [span.output for span in store.spans(project, "t2")] == ["result t2"]


def test_a_chain_of_any_length_and_a_circle_do_no_harm(store: Store, project: str) -> None:
    chain = [patch(Entity("span", f"s{i}"), parent=Entity("span", f"s{i + 1}")) for i in range(5000)]
    chain.append(patch(Entity("span", "s5000"), parent=T))
    store.take(store.server(), project, chain)
    assert len(store.spans(project, "t")) == 5001
    circle = [patch(Entity("span", f"c{i}"), parent=Entity("span", f"c{(i + 1) % 3}"), name=str(i)) for i in range(3)]
    store.take(store.server(), project, circle)
    names = [span.name for i in range(3) for span in store.spans(project, f"orphan:span:c{i}")]
    assert sorted(name or "" for name in names) == ["0", "1", "2"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_thing_is_in_the_trace_that_what_is_in_it_tells(store: Store, project: str, order: tuple[int, ...]) -> None:
    told = [patch(G, parent=S, trace="t", name="call"), patch(S, name="step"), patch(S, parent=Entity("span", "above"))]
    server = store.server()
    for index in order:
        store.take(server, project, [told[index]])
    found = {span.span_id: (span.name, span.parent_span_id) for span in store.spans(project, "t")}
    assert found == {"g": ("call", "s"), "s": ("step", "above")}
    store.take(server, project, [patch(Entity("span", "above"), trace="t")])
    assert len(store.spans(project, "t")) == 3


class Refused(Exception):
    """Stands for whatever keeps rows from being taken."""


def refuse(placed: Placed) -> list[Future[None]]:
    raise Refused


def test_what_was_not_taken_is_not_remembered_as_stored(store: Store, project: str) -> None:
    server = store.server()
    early, late = 1_735_700_000 * SECOND, START  # Before and after o3 became cheaper.
    store.take(
        server, project, [patch(T), patch(G, type="generation", model="o3", usage={"input": 1000}, start_time=late)]
    )
    for told in ([patch(G, 1, parent=S)], [patch(G, 2, start_time=early)]):
        with pytest.raises(Refused):
            server.take(project, told, START, refuse)
        store.take(server, project, told)
    # The parent that was only mentioned is known to whoever hears of it next.
    store.take(store.server(), project, [patch(S, parent=T, type="span")])
    call = next(span for span in store.spans(project, "t") if span.span_id == "g")
    assert (call.start_time, call.parent_span_id) == (early, "s")
    assert call.cost is not None
    assert call.cost["total"] == Decimal("0.01")


def test_a_join_that_failed_half_way_is_done_again(store: Store, project: str) -> None:
    server = store.server()
    other = Entity("tool_call", "c")
    store.take(server, project, [patch(G, name="call"), patch(other, parent=G, name="tool")])
    told = [patch(T, name="chat"), patch(S, parent=T), patch(G, parent=S)]
    store.engine.command("RENAME TABLE scores TO scores_elsewhere")
    try:
        with pytest.raises(StoreError):
            store.take(server, project, told)
    finally:
        store.engine.command("RENAME TABLE scores_elsewhere TO scores")
    store.take(server, project, [patch(other, 1, output="42")])
    store.take(server, project, told)
    found = {span.span_id: span for span in store.spans(project, "t")}
    assert found.keys() == {"t:root", "s", "g", "c"}
    assert (found["c"].name, found["c"].output, found["g"].parent_span_id) == ("tool", "42", "s")
    assert store.spans(project, "orphan:generation:g") == []


class Held(Entities):
    """Joins traces when it is told to."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.begun = threading.Event()
        self.go = threading.Event()
        self.joined: list[list[str]] = []

    def join(self, project_id: str, wholes: Mapping[str, str]) -> None:
        self.joined.append(sorted(wholes))
        self.begun.set()
        assert self.go.wait(60)
        super().join(project_id, wholes)


def test_a_join_keeps_only_those_waiting_whom_it_concerns(store: Store, project: str) -> None:
    held = Held(store.engine)
    server = Places(held)
    names = ["one", "two", "three"]
    for name in names:
        store.take(server, project, [patch(Entity("generation", name), 1, output="early", start_time=START)])
    with ThreadPoolExecutor(8) as threads:
        links = [
            threads.submit(
                store.take, server, project, [patch(Entity("generation", name), parent=T, type="generation")]
            )
            for name in names
        ]
        assert held.begun.wait(60)
        late = threads.submit(store.take, server, project, [patch(Entity("generation", "one"), 2, output="late")])
        other = patch(Entity("generation", "other"), trace="t2", output="at once", start_time=START)
        store.take(server, project, [other])
        assert [span.output for span in store.spans(project, "t2")] == ["at once"]
        assert not any(one.done() for one in (*links, late))
        held.go.set()
        for one in (*links, late):
            one.result(timeout=60)
    # Whoever came during the first join was joined to the same trace, after it.
    assert len(held.joined[0]) == 1
    assert sorted(itertools.chain.from_iterable(held.joined)) == sorted(f"orphan:generation:{name}" for name in names)
    outputs = {span.span_id: span.output for span in store.spans(project, "t")}
    assert {name: outputs[name] for name in names} == {"one": "late", "two": "early", "three": "early"}


def test_joins_that_wait_are_one(store: Store, project: str) -> None:
    held = Held(store.engine)
    server = Places(held)
    names = [f"g{number}" for number in range(6)]
    for name in names:
        store.take(server, project, [patch(Entity("generation", name), output="early", start_time=START)])

    def link(name: str) -> None:
        store.take(server, project, [patch(Entity("generation", name), trace=f"t{name}", type="generation")])

    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(link, names[0])
        assert held.begun.wait(60)
        rest = [threads.submit(link, name) for name in names[1:]]
        while len(server._moves) < len(names):
            threading.Event().wait(0.01)
        held.go.set()
        for one in (first, *rest):
            one.result(timeout=60)
    assert held.joined == [["orphan:generation:g0"], [f"orphan:generation:{name}" for name in names[1:]]]
    for name in names:
        assert [span.output for span in store.spans(project, f"t{name}")] == ["early"]


def test_what_requests_that_wait_for_a_join_became_is_bounded(store: Store, project: str) -> None:
    held = Held(store.engine)
    limits = Limits(body_bytes=1 << 20, value_bytes=1 << 20, spans=1000, pending_bytes=100_000)
    ingest = Ingest(
        store.writer,
        lambda *_: {},
        Places(held),
        store.costs,
        lambda _: NONE,
        limits,
        lambda *_: None,
        lambda _: None,
    )

    async def send(size: int, *patches: Patch) -> None:
        body = gzip.compress(b" " * size)
        with ingest.room() as room:
            room(len(body))
            decode = partial(_told, list(patches))
            await ingest.take_pieces(project, "test", body, "gzip", decode, room)

    async def run() -> None:
        await send(10, patch(G, 1, output="early"))
        waiting = asyncio.create_task(send(90_000, patch(G, trace="t")))
        assert await asyncio.to_thread(held.begun.wait, 60)
        with pytest.raises(Overloaded):
            await send(20_000, patch(S, trace="t2"))
        held.go.set()
        await waiting
        # By itself any request is taken.
        await send(200_000, patch(S, trace="t2", name="step"))

    with contextlib.closing(ingest):
        asyncio.run(run())
    assert [span.output for span in store.spans(project, "t")] == ["early"]
    assert [span.name for span in store.spans(project, "t2")] == ["step"]


def _told(patches: list[Patch], body: bytes, now: int) -> Pieces:
    return Pieces(patches=patches)


def test_a_chain_that_joins_link_by_link_is_no_harm(store: Store, project: str) -> None:
    server = store.server()
    names = [Entity("span", f"s{i}") for i in range(20_000)]
    store.take(server, project, [patch(name, name="step") for name in names])
    store.take(server, project, [patch(one, parent=above) for one, above in itertools.pairwise([*names, T])])
    assert len(store.spans(project, "t")) == len(names)


def test_without_a_start_the_price_is_that_of_the_day(store: Store, project: str) -> None:
    store.take(store.server(), project, [patch(G, trace="t", type="generation", model="o3", usage={"input": 1000})])
    (call,) = store.spans(project, "t")
    assert call.cost is not None
    assert call.cost["total"] == Decimal("0.002")


def test_costs_that_are_written_over_at_once_end_as_the_newest(store: Store, project: str) -> None:
    server = store.server()
    usage = {"input": 1000, "output": 0}
    store.take(server, project, [patch(G, 0, type="generation", model="gpt-4o", usage=usage)])
    # Two requests whose rows are stored before either writes what became cheaper, and then the trace is found.
    cheaper = server.take(project, [patch(G, 1, model="gpt-4o-mini")], START, lambda placed: store.put(project, placed))
    dearer = server.take(
        project, [patch(G, 2, cost={"total": Decimal(3)})], START, lambda placed: store.put(project, placed)
    )
    store.take(server, project, [patch(G, 3, parent=T)])
    for placed in (dearer, cheaper):
        with server.lowering(placed) as spans:
            store.costs.write(costs.encode(project, spans))
    call = store.spans(project, "t")[-1]
    assert (call.cost, call.cost_source) == ({"total": Decimal(3)}, "reported")


@pytest.mark.parametrize("remembered", [1000, 0])
def test_what_is_told_while_a_cost_is_to_be_written_over_holds(store: Store, project: str, remembered: int) -> None:
    server = store.server(remembered)
    held = [
        server.take(project, [told], START, lambda placed: store.put(project, placed))
        for told in (
            patch(G, 0, trace="t", type="generation", model="gpt-4o"),
            patch(G, 1, cost={"total": Decimal(7)}),
            patch(G, 2, cost={"total": Decimal(3)}),
            patch(G, 3, usage={"input": 1000, "output": 10}),
            patch(G, 4, provider="azure"),
            patch(G, 5, cost={"total": Decimal(2)}),
        )
    ]
    # Last the one that knew least.
    for placed in reversed([placed for placed in held if placed.cheaper]):
        with server.lowering(placed) as spans:
            store.costs.write(costs.encode(project, spans))
    (call,) = store.spans(project, "t")
    assert (call.cost, call.provider, call.usage) == ({"total": Decimal(2)}, "azure", {"input": 1000, "output": 10})


def test_a_part_that_one_request_tells_twice_has_its_first_order(store: Store, project: str) -> None:
    told = [patch(G, order, trace="t") for order in (3, 2, 1)]
    for piece_, text in zip(told, ("a", "b", "a"), strict=True):
        piece_.messages = [{"role": "user", "content": text}]
    store.take(store.server(), project, told)
    (span,) = store.spans(project, "t")
    assert span.input == '[{"role":"user","content":"a"},{"role":"user","content":"b"}]'


def test_a_deleted_trace_is_forgotten(store: Store, project: str) -> None:
    server = store.server()
    told = [patch(G, parent=T, type="generation", model="gpt-4o", name="new", usage={"input": 1000})]
    store.take(server, project, told)
    Deletes(store.engine, lambda *_: contextlib.nullcontext(lambda keys: None), server.doubt).traces(project, ["t"])
    assert store.spans(project, "t") == []
    store.take(server, project, [patch(G, 0, trace="t", usage={"output": 1})])
    (span,) = store.spans(project, "t")
    assert (span.model, span.cost, span.usage) == (None, None, {"output": 1})


def test_what_is_remembered_of_a_thing_that_changes_all_the_time_is_bounded(store: Store, project: str) -> None:
    server = store.server()
    for begin in range(0, 3000, 1000):
        store.take(server, project, [patch(G, i, trace="t", output=f"token {i}") for i in range(begin, begin + 1000)])
    (thing,) = server._things.values()
    assert len(thing.places[0].history) < 200
    store.take(store.server(), project, [patch(G, 10, output="late")])
    (span,) = store.spans(project, "t")
    assert span.output == "token 2999"


def test_the_memory_is_bounded(store: Store, project: str) -> None:
    server = store.server(remembered=100)
    for begin in range(0, 2000, 50):
        store.take(
            server, project, [patch(Entity("span", f"s{i}"), trace="t", name=f"n{i}") for i in range(begin, begin + 50)]
        )
    assert len(server._things) <= 200
    store.take(server, project, [patch(Entity("span", "s3"), 1, output="late")])
    found = {span.span_id: span for span in store.spans(project, "t")}
    assert (found["s3"].name, found["s3"].output) == ("n3", "late")
    assert len(found) == 2000


def test_a_piece_whose_place_could_not_be_stored_is_not_stored_either(store: Store, project: str) -> None:
    rows = Placed([patch(G, name="call").span], [Placement(G, "t", START)])
    store.engine.command("RENAME TABLE entities TO entities_elsewhere")
    try:
        with pytest.raises(StoreError):
            store.put(project, rows)
    finally:
        store.engine.command("RENAME TABLE entities_elsewhere TO entities")
    assert store.reader.is_empty(project)
    store.put(project, rows)
    assert not store.reader.is_empty(project)
