"""The demo: the story alone, and the same story told to a running server."""

from __future__ import annotations

import time
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from genscope import demo
from genscope.demo.emit import CONVENTIONS, Emitter
from genscope.demo.scenario import Step, start_conversation, turns
from genscope.model import SPAN_TYPES
from tests.running import Server


def steps_of(step: Step) -> list[Step]:
    return [step, *(inner for child in step.children for inner in steps_of(child))]


def story(seed: int, cases: int = 60) -> list[list[Step]]:
    random = Random(seed)
    found = []
    for _ in range(cases):
        conversation = start_conversation(random, tuple(CONVENTIONS))
        found += [steps_of(turn.root) for turn in turns(random, conversation)]
    return found


def test_the_same_seed_tells_the_same_story() -> None:
    assert story(3) == story(3)
    assert story(3) != story(4)


def test_steps_lie_inside_their_parents() -> None:
    def check(parent: Step) -> None:
        for child in parent.children:
            assert parent.start <= child.start
            assert child.start + child.duration <= parent.start + parent.duration + 1e-9
            check(child)

    for steps in story(5):
        check(steps[0])


def test_the_story_has_everything_there_is_to_see() -> None:
    steps = [step for turn in story(7, cases=200) for step in turn]
    assert {step.type for step in steps} <= set(SPAN_TYPES)
    assert {"agent", "generation", "embedding", "retriever", "tool", "guardrail"} == {step.type for step in steps}
    assert {"RateLimitError", "TimeoutError", "ConnectionError"} == {s.failure.type for s in steps if s.failure}
    usages = [step.usage for step in steps if step.usage]
    assert any(usage.cached for usage in usages)
    assert any(usage.reasoning for usage in usages)
    assert all(usage.cached <= usage.input and usage.reasoning <= usage.output for usage in usages)
    assert all(0 < s.first_token <= s.duration for s in steps if s.first_token is not None)


def test_no_placeholder_is_left_in_the_words() -> None:
    for steps in story(11, cases=150):
        for step in steps:
            for words in (step.input, step.output):
                assert "{order}" not in str(words)
                assert "{product}" not in str(words)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_turn_becomes_one_trace(convention: str) -> None:
    exporter = InMemorySpanExporter()
    emitter = Emitter(exporter)
    random = Random(1)
    (turn, *_) = turns(random, start_conversation(random, (convention,)))
    now = time.time()
    emitter.emit(turn, now - turn.root.duration, now)
    emitter.flush()
    spans = exporter.get_finished_spans()
    assert len(spans) == len(steps_of(turn.root))
    assert len({context(span).trace_id for span in spans}) == 1
    (root,) = [span for span in spans if span.parent is None]
    assert root.end_time is not None
    assert all(span.end_time is not None and span.end_time <= root.end_time for span in spans)
    assert (root.attributes or {})["session.id"] == turn.conversation.session_id


def context(span: ReadableSpan) -> Any:
    assert span.context is not None
    return span.context


def test_a_refused_key_is_reported(server: Server) -> None:
    with pytest.raises(demo.DemoError, match="did not take"):
        demo.run(server.url, server.public_key, "wrong", traces=1, once=True)


def test_the_demo_fills_a_project(project: Server) -> None:
    demo.run(project.url, project.public_key, project.secret_key, traces=60, once=True)

    with project.client() as client:
        models = {row["model"]: row for row in client.get("/api/v1/models").json()["data"]}
        generations = client.get("/api/v1/generations", params={"limit": "200"}).json()["data"]
        scores = client.get("/api/v1/scores", params={"limit": "200"}).json()["data"]
    assert {"gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5-20250929", "gemini-2.5-flash"} <= set(models)
    assert models["larkspur-reviewer-8b"]["unpriced_calls"] == models["larkspur-reviewer-8b"]["calls"]
    priced = [row for row in generations if row["cost"]]
    assert priced
    assert all(Decimal(row["cost"]["total"]) > 0 for row in priced)
    assert {row["type"] for row in generations} == {"generation"}
    assert any(row["time_to_first_token_ms"] for row in generations)
    assert {row["environment"] for row in generations} <= {"production", "staging"}
    assert any("track_parcel" in row["tools"] for row in generations)
    assert {"helpful", "faithfulness"} <= {score["name"] for score in scores}
