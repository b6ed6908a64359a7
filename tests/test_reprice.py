"""Pricing stored spans again: up, down, to a price and to none, whatever the rows look like and whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson
import pyarrow as pa
import pytest

from genscope.model import Span
from genscope.query.filter import Filter
from genscope.store.costs import Costs
from genscope.store.costs import encode as encode_changes
from genscope.store.engine import Engine
from genscope.store.migrate import migrate
from genscope.store.rows import encode
from tests.command import asked, asked_json, genscope, of
from tests.running import Server
from tests.sending import PROTOBUF, encoded, request, span

DAY = 86_400 * 10**9
#: 2026-01-02T03:04:05Z
START = 1_767_323_045 * 10**9
ALL = "2020-01-01"
PATIENCE = 60
#: Calls enough that pricing them takes more than one step.
MANY = 21_000


def generation(number: int, model: str, **more: Any) -> Any:
    """Return a call of 1000 input and 100 output tokens."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
    }
    start = more.pop("start", START + number * 10**6)
    return span(f"{number + 1:032x}", span_id=f"{number + 1:016x}", start=start, attributes=attributes | more)


def send(server: Server, *spans: Any) -> None:
    with server.client() as client:
        answer = client.post("/v1/traces", content=encoded(request(spans)), headers={"content-type": PROTOBUF})
        assert answer.status_code == 200, answer.text


def set_price(server: Server, model: str, **what: Any) -> Any:
    with server.client() as client:
        answer = client.post("/api/v1/prices", json={"model": model} | what)
        assert answer.status_code == 200, answer.text
        return answer.json()


def reprice(server: Server, /, **parameters: Any) -> Any:
    """Price again, check that progress was told, and return the result."""
    with server.client() as client:
        options = {"from": ALL} | parameters
        answer = client.post("/api/v1/reprice", params=options, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
    *progress, result = map(orjson.loads, answer.text.splitlines())
    assert {line["type"] for line in progress} == {"progress"}
    assert progress[-1]["done"] == progress[-1]["total"]
    assert result["type"] == "result", result
    return result


def spans_of(server: Server, **conditions: Any) -> list[Any]:
    """Return all spans that meet conditions, the oldest first."""
    read: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = server.get("/api/v1/spans", sort="start_time", limit="1000", cursor=cursor, **conditions)
        read += page["data"]
        cursor = page["next_cursor"]
    return read


def totals(server: Server, **conditions: Any) -> list[str | None]:
    return [one["cost"] and one["cost"]["total"] for one in spans_of(server, **conditions)]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def test_prices_go_up_and_down_and_every_view_follows(project: Server) -> None:
    send(project, *(generation(number, "house") for number in range(50)), generation(50, "gpt-4o"))
    listed = totals(project, model="gpt-4o")
    for dollars in ("8", "2", "5"):
        set_price(project, "house", prices={"input": dollars, "output": "0"})
        total = Decimal(dollars) / 1000
        result = reprice(project)
        assert (result["spans"], result["changed"], result["calls"]) == (51, 50, 51)
        assert {Decimal(cost or 0) for cost in totals(project, model="house")} == {total}
        (summary,) = project.get("/api/v1/models", model="house")["data"]
        assert Decimal(summary["total_cost"]) == 50 * total
        trace = project.get(f"/api/v1/traces/{1:032x}")
        assert Decimal(trace["trace"]["total_cost"]) == total == Decimal(trace["spans"][0]["cost"]["input"])
        assert reprice(project)["changed"] == 0, "the same again changes nothing"
    assert totals(project, model="gpt-4o") == listed


def test_what_got_a_price_and_what_lost_it(fresh_server: Server) -> None:
    send(fresh_server, generation(0, "house"), generation(1, "house", **{"gen_ai.usage.cost": 0.25}))
    price = set_price(fresh_server, "house", prices={"input": "1", "output": "10"})
    result = reprice(fresh_server)
    assert (result["changed"], result["reported"], result["newly_priced"], result["no_longer_priced"]) == (1, 1, 1, 0)
    assert (result["cost_before"], result["cost_after"]) == ("0.25", "0.252")
    (model,) = result["models"]
    assert (model["model"], model["calls"], model["changed"], model["cost_after"]) == ("house", 2, 1, "0.252")
    first, second = spans_of(fresh_server)
    assert first["cost"] == {"input": "0.001", "output": "0.001", "total": "0.002"}
    assert (first["cost_source"], first["cost_missing"]) == ("computed", None)
    assert (second["cost"]["total"], second["cost_source"]) == ("0.25", "reported")
    with fresh_server.client() as client:
        client.delete(f"/api/v1/prices/{price['id']}")
    result = reprice(fresh_server)
    assert (result["newly_priced"], result["no_longer_priced"], result["cost_after"]) == (0, 1, "0.25")
    for _ in range(2):
        first, second = spans_of(fresh_server)
        assert (first["cost"], first["cost_source"], first["cost_missing"]) == (None, None, "unknown_model")
        assert second["cost"]["total"] == "0.25"
        assert fresh_server.get("/api/v1/coverage")["cost_missing"] == {"unknown_model": 1}
        fresh_server.stop()
        fresh_server.start()


def test_rows_of_one_span_that_did_not_merge_yet_change_together(fresh_server: Server) -> None:
    spans = [generation(number, "house") for number in range(20)]
    set_price(fresh_server, "house", prices={"input": "9", "output": "0"})
    for _ in range(4):
        send(fresh_server, *spans)
    set_price(fresh_server, "house", prices={"input": "1", "output": "0"})
    assert reprice(fresh_server)["changed"] == 20
    assert set(totals(fresh_server)) == {"0.001"}
    send(fresh_server, *spans)
    assert set(totals(fresh_server)) == {"0.001"}, "sent once more at the new price"
    fresh_server.stop()
    fresh_server.start()
    assert set(totals(fresh_server)) == {"0.001"}


def test_only_the_range_and_the_conditions_that_were_given(project: Server) -> None:
    for number, model in enumerate(("a", "a", "b", "b")):
        send(project, generation(number, model, start=START + number * 40 * DAY))
    set_price(project, "?", prices={"input": "1", "output": "0"})
    would = reprice(project, dry_run="1")
    assert (would["dry_run"], would["newly_priced"], would["cost_after"]) == (True, 4, "0.004")
    assert totals(project) == [None] * 4
    assert reprice(project, model="b", to="2026-05-01")["newly_priced"] == 1
    assert totals(project) == [None, None, "0.001", None]
    assert reprice(project, **{"from": "2026-01-02T03:04:06Z", "to": "2026-05-01"})["newly_priced"] == 1
    assert totals(project) == [None, "0.001", "0.001", None]
    assert reprice(project)["newly_priced"] == 2
    assert totals(project) == ["0.001"] * 4


def test_another_project_keeps_its_costs(server: Server) -> None:
    own, other = server.new_project(), server.new_project()
    # The same ids in both: only the project tells them apart.
    for project in (own, other):
        send(project, generation(0, "gpt-4o"))
    set_price(own, "gpt-4o", prices={"input": "1000", "output": "0"})
    assert reprice(own)["changed"] == 1
    assert reprice(other)["changed"] == 0
    costs = [project.get("/api/v1/spans")["data"][0]["cost"]["total"] for project in (own, other)]
    assert (costs[0], costs[1] != "1") == ("1", True)


def test_a_piece_that_arrives_between_reading_and_writing_keeps_its_cost(tmp_path: Path) -> None:
    def piece(tokens: int, dollars: int) -> pa.Table:
        found = Span("1" * 32, "2" * 16, START, type="generation", model="house", usage={"input": tokens, "output": 0})
        found.cost, found.cost_source = {"total": Decimal(dollars), "input": Decimal(dollars)}, "computed"
        return encode("default", [found])

    def insert(rows: pa.Table) -> None:
        with engine.connection() as connection:
            connection.insert("spans", rows)

    everything = Filter(start=0, end=2 * START)
    engine = Engine(tmp_path, memory_bytes=2 << 30, query_memory_bytes=1 << 30, query_seconds=30, connections=2)
    with contextlib.closing(engine):
        migrate(engine)
        stored = Costs(engine)
        insert(piece(1000, 9))
        (read,) = stored.read("default", everything)
        insert(piece(2000, 4))
        read.cost = {"total": Decimal(2), "input": Decimal(2)}
        stored.write(encode_changes("default", [read]))
        (found,) = stored.read("default", everything)
        assert (found.usage, found.cost) == (
            {"input": 2000, "output": 0},
            {"total": Decimal(4), "input": Decimal(4)},
        )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with calls enough that pricing them takes several steps, over several weeks."""
    running = Server(tmp_path_factory.mktemp("large")).start()
    for begin in range(0, MANY, 3_500):
        send(
            running,
            *(generation(number, "house", start=START + number * 10**11) for number in range(begin, begin + 3_500)),
        )
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


def all_cost(server: Server, dollars: str) -> bool:
    """Return whether every call of `large` costs so much."""
    (model,) = server.get("/api/v1/models", model="house")["data"]
    return not model["unpriced_calls"] and Decimal(model["total_cost"]) == model["calls"] * Decimal(dollars)


def begun(server: Server, dollars: int) -> tuple[httpx.Client, httpx.Response, Iterator[str]]:
    """Set a price and begin to price again; return when it has looked at the first spans."""
    set_price(server, "house", prices={"input": str(dollars), "output": "0"})
    client = server.client()
    ask = client.build_request("POST", "/api/v1/reprice", params={"from": ALL}, timeout=PATIENCE)
    answer = client.send(ask, stream=True)
    assert answer.status_code == 200
    lines = answer.iter_lines()
    assert any(orjson.loads(line).get("done", 0) > 0 for line in lines)
    return client, answer, lines


def test_one_at_a_time_and_it_ends_when_the_client_hangs_up(large: Server) -> None:
    client, answer, _ = begun(large, 1)
    with large.client() as second:
        refused = second.post("/api/v1/reprice", params={"from": ALL})
        assert refused.status_code == 409
        assert "already" in refused.json()["message"]
    answer.close()
    client.close()

    def free() -> bool:
        with large.client() as again:
            return again.post("/api/v1/reprice", params={"from": "2026-12-31"}).status_code == 200

    until(free)
    reprice(large)
    assert all_cost(large, "0.001")


def test_spans_that_arrive_meanwhile_are_priced_once_and_right(large: Server) -> None:
    stop = threading.Event()
    sent: list[int] = []

    def arrive() -> None:
        number = 100_000
        while not stop.is_set():
            # New ones, and some that are being priced again just now.
            send(
                large,
                generation(number, "house"),
                generation(number % MANY, "house", start=START + number % MANY * 10**11),
            )
            sent.append(number)
            number += 1

    sender = threading.Thread(target=arrive)
    set_price(large, "house", prices={"input": "7", "output": "0"})
    sender.start()
    try:
        reprice(large)
        until(lambda: len(sent) > 5)
    finally:
        stop.set()
        sender.join()
    (model,) = large.get("/api/v1/models", model="house")["data"]
    assert model["calls"] == MANY + len(sent)
    assert all_cost(large, "0.007")


def test_a_stop_ends_it_and_the_same_again_does_the_rest(large: Server) -> None:
    client, answer, lines = begun(large, 3)
    assert large.process is not None
    large.process.send_signal(signal.SIGTERM)
    rest = [orjson.loads(line) for line in lines]
    assert rest[-1]["type"] in ("error", "result")
    assert large.process.wait(timeout=30) == 0
    answer.close()
    client.close()
    large.url = large.login_url = ""
    large.start()
    reprice(large)
    assert all_cost(large, "0.003")


@pytest.mark.parametrize("delay", [0.0, 0.7])
def test_a_kill_in_the_middle_leaves_old_or_new_costs_and_the_same_again_does_the_rest(
    large: Server, delay: float
) -> None:
    set_price(large, "house", prices={"input": "3", "output": "0"})
    reprice(large)
    client, answer, _ = begun(large, 2)
    # The writing begins soon after the first look, and nothing outside tells when.
    time.sleep(delay)
    large.kill()
    answer.close()
    client.close()
    large.start()
    left = {one["cost"]["total"]: one["cost"] for one in spans_of(large, model="house")}
    assert left.keys() <= {"0.003", "0.002"}
    assert all(cost["input"] == total for total, cost in left.items())
    reprice(large)
    assert all_cost(large, "0.002")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "from=30d"),
        ("from=yesterday", "ISO 8601"),
        ("from=30d&modle=gpt-4o", "unknown parameter 'modle'"),
        ("from=30d&type=call", "type"),
        ("from=30d&dry_run=2", "dry_run"),
    ],
)
def test_what_cannot_be_understood_is_refused(server: Server, query: str, said: str) -> None:
    with server.client() as client:
        answer = client.post(f"/api/v1/reprice?{query}")
    assert answer.status_code == 400
    assert said in answer.json()["message"]


def test_of_very_many_models_it_names_those_with_most_calls_and_counts_all(project: Server) -> None:
    send(project, *(generation(number, f"m-{min(number, 1000):04}") for number in range(1002)))
    told = reprice(project, dry_run="1")
    assert (told["calls"], len(told["models"]), told["models"][0]["model"]) == (1002, 1000, "m-1000")


def test_by_command(project: Server) -> None:
    send(project, *(generation(number, "house [x]") for number in range(3)), generation(3, "gpt-4o"))
    set_price(project, "house*", prices={"input": "1", "output": "1"})
    would = asked(project, "reprice", "--from", ALL, "--where", "model=house [x]", "--dry-run")
    assert "3 spans looked at; 3 would have another cost." in would
    assert "Nothing was written" in would
    told = asked(project, "reprice", "--from", ALL, "--where", "model=house [x]")
    assert "3 spans looked at; 3 have another cost now." in told
    assert "3 newly priced, 0 no longer priced" in told
    assert "Total cost   $0 -> $0.0033" in told
    assert "house [x]" in told
    again = asked_json(project, "reprice", "--from", ALL)
    assert (again["spans"], again["changed"], again["type"]) == (4, 0, "result")


def test_the_command_ends_at_a_signal_and_says_so(large: Server) -> None:
    set_price(large, "house", prices={"input": "5", "output": "0"})
    command = [sys.executable, "-m", "genscope.cli", "reprice", "--from", ALL]
    # Its progress is shown as to a terminal, to see when it has begun.
    process = subprocess.Popen(
        command, env=of(large) | {"FORCE_COLOR": "1"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    shown = ""
    while "20000/" not in shown and (letter := process.stderr.read(1)):
        shown += letter
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode in (130, 0), said
    if process.returncode:
        assert "what was written stays" in said
    refused = genscope("reprice", "--from", "yesterday", **of(large))
    until(lambda: genscope("reprice", "--from", ALL, **of(large)).returncode == 0)
    assert (refused.returncode, "ISO 8601" in refused.stderr) == (1, True)


def test_what_told_the_seller_and_the_tier_tells_it_again(project: Server) -> None:
    send(
        project,
        generation(0, "llama-3.1-8b-instant", **{"gen_ai.provider.name": "openai", "server.address": "api.groq.com"}),
        generation(1, "mistral-nemo", **{"gen_ai.provider.name": "openai", "server.address": "localhost"}),
        generation(2, "gpt-5-mini", **{"gen_ai.response.service_tier": "flex"}),
    )
    before = spans_of(project)
    assert [span["cost_missing"] for span in before] == [None, "unknown_model", None]
    assert reprice(project)["changed"] == 0
    assert spans_of(project) == before
