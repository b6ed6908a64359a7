"""What calls would have cost on other models: exactly the sum of what each would have, whatever they used."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from genscope.model import Span, Usage
from genscope.pricing import bulk, cost, price
from genscope.pricing.override import NONE, Overrides, checked
from genscope.query.filter import Filter
from genscope.store.engine import Engine
from genscope.store.migrate import migrate
from genscope.store.reader import Reader
from genscope.store.rows import encode
from genscope.whatif import Target, WhatIf, what_if
from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span

#: 2025-01-20, before DeepSeek's discounts by night; the calls go on for 300 days, beyond them.
START = 1_737_331_200 * 10**9
DAY = 86_400 * 10**9
#: Prices by length, by day and hour, of embeddings, per call, of one's own, and none.
TARGETS = (
    Target("gcp.gemini", "gemini-2.5-pro"),
    Target("deepseek", "deepseek-chat"),
    Target(None, "text-embedding-3-small"),
    Target("perplexity", "sonar-pro"),
    Target(None, "house"),
    Target("openai", "o3"),
    Target(None, "nobody-knows"),
)
OVERRIDES = Overrides(
    (
        checked("house", {"input": "1", "output": "2", "input_cache_read": "0.123456"}),
        checked("house", {"input": "3", "output": "4"}, start=START + 100 * DAY),
        checked("o3", {"input": "1"}, start=START + 200 * DAY),
    )
)
#: Of these there are far more combinations than are added up: calls of the others are priced one by one.
PARTS = (
    "input_cache_read",
    "input_cache_write",
    "input_cache_write_5m",
    "input_audio",
    "input_cache_read_audio",
    "input_image",
    "output_reasoning",
    "output_audio",
    "web_search",
    "input_text",
)


def used(source: Random) -> Usage | None:
    """Return a usage: mostly such as senders tell, sometimes one that cannot be."""
    form = source.random()
    if form < 0.05:
        return None
    if form < 0.1:
        return {"total": source.randrange(0, 5000)}
    usage = {
        "input": source.choice((0, 900, 5000, 199_999, 200_000, 200_001, 300_000)),
        "output": source.randrange(0, 800),
    }
    if form > 0.2:
        usage |= {kind: source.choice((0, 10, 700)) for kind in source.sample(PARTS, source.randrange(0, 4))}
    if form > 0.95:
        usage.pop(source.choice(("input", "output")))
    return usage | ({"total": sum(usage.values())} if source.random() < 0.5 else {})


def calls(count: int, seed: int) -> list[Span]:
    source = Random(seed)
    made = []
    for number in range(count):
        start = START + source.randrange(300 * DAY)
        call = Span(
            trace_id=f"{number:032x}",
            span_id=f"{number:016x}",
            time=start,
            start_time=start if source.random() < 0.9 else None,
            type="embedding" if source.random() < 0.15 else "generation",
            name=source.choice(("draft", "decide", None)),
            model=source.choice(("gpt-4o", "claude-sonnet-4-5", "my-own", None)),
            usage=used(source),
        )
        price(call)
        made.append(call)
    return made


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    engine = opened(tmp_path_factory.mktemp("whatif"))
    engine.insert("spans", encode("p", calls(3000, 5)))
    # Told twice, as senders do that try again.
    engine.insert("spans", encode("p", calls(3000, 5)[:500]))
    engine.insert("spans", encode("other", calls(20, 6)))
    yield Reader(engine)
    engine.close()


def opened(path: Path) -> Engine:
    engine = Engine(path, memory_bytes=2**31, query_memory_bytes=2**30, query_seconds=300, connections=1)
    migrate(engine, fsync=False)
    return engine


def alone(call: Span, target: Target) -> Decimal | None:
    """Return what one call would have cost, priced as a span of the target's would be."""
    other = Span(
        trace_id="",
        span_id="",
        time=call.time,
        start_time=call.start_time,
        type=call.type,
        model=target.model,
        provider=target.provider,
        usage=call.usage,
    )
    price(other, OVERRIDES)
    return None if other.cost is None else other.cost["total"]


def serves(call: Span, target: Target) -> bool:
    """Whether a target is of the call's type: it embeds, or it does not."""
    rates = target.rates(OVERRIDES, call.time)
    return isinstance(rates, str) or rates.input_only == (call.type == "embedding")


def asked(reader: Reader, *, of: Filter | None = None, targets: tuple[Target, ...] = TARGETS) -> WhatIf:
    return what_if(reader.usages, OVERRIDES, "p", of or Filter(), targets)


def test_many_calls_cost_what_each_of_them_does(reader: Reader) -> None:
    found = asked(reader)
    made = calls(3000, 5)
    assert found.total.calls == len(made)
    for target, outcome in zip(TARGETS, found.total.outcomes, strict=True):
        costs = [(call, alone(call, target)) for call in made if serves(call, target)]
        known = [(call, money) for call, money in costs if money is not None]
        assert outcome.calls == len(known), target
        assert outcome.cost == sum((money for _, money in known), Decimal(0)), target
        compared = [(call.cost["total"], money) for call, money in known if call.cost]
        assert outcome.compared == len(compared)
        difference = sum((money - actual for actual, money in compared), Decimal(0))
        assert outcome.difference == (difference if compared else None)
        assert outcome.calls + outcome.missing.total() == len(made), "every call is in it, or counted as missing"
    assert found.unknown == (None, None, None, None, None, None, "unknown_model")
    assert found.total.cost == sum((call.cost["total"] for call in made if call.cost), Decimal(0))
    assert found.total.priced == sum(call.cost is not None for call in made)


def test_rows_are_of_names_and_models_and_add_up(reader: Reader) -> None:
    found = asked(reader)
    groups = found.by_name()
    assert {row.name for row, _ in groups} == {"draft", "decide", None}
    assert len(found.rows) == 3 * 4
    assert sum(row.calls for row, _ in groups) == sum(row.calls for row in found.rows) == found.total.calls
    for place, outcome in enumerate(found.total.outcomes):
        assert sum((row.outcomes[place].cost for row in found.rows), Decimal(0)) == outcome.cost
    one = next(row for row in found.rows if (row.name, row.model) == ("draft", "gpt-4o"))
    same = [call for call in calls(3000, 5) if (call.name, call.model) == ("draft", "gpt-4o")]
    assert one.calls == len(same)
    assert one.without_usage == sum(call.usage is None for call in same)


def test_it_follows_the_filter_and_the_range(reader: Reader) -> None:
    of = Filter(START + 50 * DAY, START + 60 * DAY).where("model", "gpt-4o")
    made = [call for call in calls(3000, 5) if call.model == "gpt-4o" and 50 * DAY <= call.time - START < 60 * DAY]
    found = asked(reader, of=of, targets=TARGETS[:1])
    costs = [alone(call, TARGETS[0]) for call in made if serves(call, TARGETS[0])]
    assert found.total.calls == len(made) > 0
    assert found.total.outcomes[0].cost == sum((money for money in costs if money is not None), Decimal(0))
    nothing = asked(reader, of=Filter(0, 1))
    assert (nothing.total.calls, nothing.rows, nothing.total.outcomes[0].difference) == (0, [], None)


def test_lines_are_those_of_a_bill() -> None:
    source = Random(3)
    rates = Target("gcp.gemini", "gemini-2.5-pro").rates(NONE, START)
    assert not isinstance(rates, str)
    for _ in range(2000):
        usage = {kind: count for kind, count in (used(source) or {}).items() if count or kind in bulk.TOTALS}
        if "input" not in usage and "output" not in usage:
            continue
        lines = bulk.lines(tuple(usage))
        sums = {
            kind: max(sum(sign * min(usage[one] for one in kinds) for sign, kinds in terms), 0)
            for kind, terms in lines.items()
        }
        told = bulk.priced(bulk.Calls("generation", tuple(usage), 1, sums, usage.get("input", 0)), rates)
        bill = cost.computed(usage, rates)
        assert told == ("unknown_price" if bill is None else bill["total"]), usage


# --- over HTTP ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    running = server.new_project()
    told = {"gen_ai.operation.name": "chat", "gen_ai.usage.output_tokens": 100, "gen_ai.provider.name": "openai"}
    spans = [
        span(
            new_id(16),
            name=name,
            start=time.time_ns() - 10**9,
            attributes=told | {"gen_ai.request.model": model} | more,
        )
        for name, model, more in (
            ("draft", "gpt-4o", {"gen_ai.usage.input_tokens": 1000}),
            ("draft", "gpt-4o-mini", {"gen_ai.usage.input_tokens": 1000}),
            ("decide", "gpt-4o", {"gen_ai.usage.input_tokens": 2000}),
        )
    ]
    untold = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}
    spans.append(span(new_id(16), name="decide", start=time.time_ns() - 10**9, attributes=untold))
    with running.client() as client:
        body = encoded(request(spans))
        assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
    return running


def test_the_api_tells_it_with_differences_and_what_is_left_out(server: Server) -> None:
    # gpt-4o-mini costs 0.15 and 0.60 a million, gpt-4o 2.50 and 10
    told: dict[str, Any] = server.get(
        "/api/v1/models/what-if", target="openai/gpt-4o-mini,nobody-knows", **{"from": "1h"}
    )
    assert told["targets"] == [
        {"provider": "openai", "model": "gpt-4o-mini", "unknown": None},
        {"provider": None, "model": "nobody-knows", "unknown": "unknown_model"},
    ]
    total = told["total"]
    assert (total["calls"], total["priced_calls"], total["calls_without_usage"]) == (4, 3, 1)
    assert total["cost"] == "0.00971"
    mini, nobody = total["targets"]
    assert (mini["calls"], mini["cost"], mini["actual_cost"], mini["difference"]) == (
        3,
        "0.00078",
        "0.00971",
        "-0.00893",
    )
    assert mini["percent"] == pytest.approx(-91.967, abs=0.01)
    assert mini["missing"] == {"no_usage": 1}
    assert (nobody["cost"], nobody["difference"], nobody["missing"]) == (
        None,
        None,
        {"no_usage": 1, "unknown_model": 3},
    )
    assert [(row["name"], row["model"], row["calls"]) for row in told["rows"]] == [
        ("decide", "gpt-4o", 2),
        ("draft", "gpt-4o", 1),
        ("draft", "gpt-4o-mini", 1),
    ]
    one = server.get("/api/v1/models/what-if", target="gpt-4o", target_provider="openai", q="name:draft")
    assert (one["total"]["cost"], one["total"]["targets"][0]["cost"]) == ("0.00371", "0.007")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "target"),
        ("target=", "name a model"),
        ("target=a,b,c,d,e,f", "at most 5"),
        ("target=gpt-4o&from=soon", "from"),
        ("target=gpt-4o&q=nonsense:1", "nonsense"),
    ],
)
def test_what_cannot_be_asked_says_what_to_ask(server: Server, query: str, message: str) -> None:
    with server.client() as client:
        answer = client.get(f"/api/v1/models/what-if?{query}")
        assert answer.status_code == 400
        assert message in answer.json()["message"]


def test_the_page_tells_the_same_and_keeps_its_targets_in_its_url(server: Server) -> None:
    with server.client(follow_redirects=True) as client:
        client.post("/login", data={"public_key": server.public_key, "secret_key": server.secret_key})
        page = client.get("/models/what-if", params={"target": ["openai/gpt-4o-mini", "nobody-knows"]})
        assert page.url.params["target"] == "openai/gpt-4o-mini,nobody-knows"
        assert "-$0.00893" in page.text
        assert "1 of 4 calls are left out" in page.text
        assert "no price of the model is known" in page.text
        assert client.get("/models/what-if.json", params={"target": "openai/gpt-4o-mini"}).json()["total"]["calls"] == 4
        assert "Name a model" in client.get("/models/what-if").text
        hostile = client.get("/models/what-if", params={"target": "<b>x</b>/y,' onload='"})
        assert hostile.status_code == 200
        assert "<b>x" not in hostile.text
        refused = client.get("/models/what-if", params={"target": "a,b,c,d,e,f"})
        assert refused.status_code == 400
        assert "at most 5" in refused.text
