"""Pieces of spans through power cuts: what was acknowledged is there, once, and the rest can be sent again."""

from __future__ import annotations

import itertools
import json
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.running import Server

ROUNDS = 4
SENDERS = 4
CALLS = 3


def pieces(trace: str) -> list[str]:
    """The requests that tell of a trace, in an order that makes orphans of its calls."""
    results, links = [], []
    for number in range(CALLS):
        id_ = f"{trace}-g{number}"
        usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
        message = {"role": "assistant", "content": f"answer {number} " + "word " * 100}
        result = {"id": id_, "created": 1, "choices": [{"index": 0, "message": message}], "usage": usage}
        started = {"startTimestamp": f"2026-01-02T03:04:0{number}Z"}
        results.append(_line("generation", id_, "result", {"result": result}))
        call = {"id": id_, "name": "call", "provider": "openai", "model": "gpt-4o", "messages": [], **started}
        links.append(_line("trace", trace, "add-generation", call))
    created = _line("trace", trace, "create", {"name": trace, "startTimestamp": "2026-01-02T03:04:00Z"})
    return ["\n".join(results), "\n".join(links), created]


def _line(entity: str, id_: str, action: str, data: object) -> str:
    return f"{entity}{{id={id_},action={action},data={json.dumps(data)}}}"


@dataclass
class Load:
    """Sender threads that tell of one trace after the other until the server is gone."""

    server: Server
    #: Traces that were told in full, and requests that got no answer.
    told: list[str] = field(default_factory=list)
    unanswered: list[tuple[str, list[str]]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    first: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        self.first.clear()
        threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        assert self.first.wait(60)
        # Somewhere in the middle of what follows.
        threading.Event().wait(random.uniform(0.05, 0.6))
        self.server.kill()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()

    def _send(self) -> None:
        with self.server.client() as client:
            while True:
                trace = f"t{next(self.numbers)}"
                bodies = pieces(trace)
                for number, body in enumerate(bodies):
                    try:
                        answer = client.post("/api/sdk/v3/log?id=repo", content=body)
                    except httpx.TransportError:
                        self.unanswered.append((trace, bodies[number:]))
                        return
                    assert answer.status_code in (200, 503), answer.text
                    if answer.status_code == 503:
                        self.unanswered.append((trace, bodies[number:]))
                        return
                self.told.append(trace)
                self.first.set()

    def send_again(self) -> None:
        with self.server.client() as client:
            for trace, bodies in self.unanswered:
                for body in bodies:
                    assert client.post("/api/sdk/v3/log?id=repo", content=body).status_code == 200
                self.told.append(trace)
        self.unanswered.clear()


def test_no_piece_is_lost_or_doubled_by_power_cuts(tmp_path: Path) -> None:
    server = Server(tmp_path).start()
    load = Load(server)
    try:
        for _ in range(ROUNDS):
            load.run()
            server.start()
            load.send_again()
        assert len(load.told) >= ROUNDS
        with server.client() as client:
            for trace in load.told:
                spans = client.get(f"/api/v1/traces/{trace}").json()["spans"]
                calls = [span for span in spans if span["type"] == "generation"]
                assert [span["name"] for span in spans if span["span_id"] == f"{trace}:root"] == [trace]
                assert sorted(call["span_id"] for call in calls) == [f"{trace}-g{number}" for number in range(CALLS)]
                assert {call["parent_span_id"] for call in calls} == {f"{trace}:root"}
                assert {call["cost"]["total"] for call in calls} == {"0.0035"}
                assert len(spans) == CALLS + 1
            everything, cursor = 0, ""
            while cursor is not None:
                page = client.get("/api/v1/spans", params={"limit": 1000, "cursor": cursor}).json()
                everything += len(page["data"])
                cursor = page["next_cursor"]
            assert everything == len(load.told) * (CALLS + 1)
    finally:
        server.kill()
