"""The Logger idiom of the SDK, from the object to the row: the same programs as Maxim's, and what is its own."""

from __future__ import annotations

import json
import logging
import secrets
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from genscope.sdk.client import Client
from genscope.sdk.logger import Logger
from genscope.sdk.settings import Settings
from tests.running import Server
from tests.test_clients import Client as Program
from tests.test_seeds import assert_answered, run, snippets

ANSWER: dict[str, Any] = {
    "id": "chatcmpl-123",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "ho"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 100, "completion_tokens": 50, "prompt_tokens_details": {"cached_tokens": 20}},
}


def unique(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(6)}"


def made(server: Server, **settings: Any) -> Client:
    keys = {"url": server.url, "public_key": server.public_key, "secret_key": server.secret_key}
    return Client(Settings.read(**keys, environment="test", release="1.2", **settings), TracerProvider())


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Client]:
    opened = made(server)
    yield opened
    opened.shutdown()


@pytest.fixture
def logger(client: Client) -> Logger:
    return Logger(client=client)


def variables(server: Server) -> dict[str, str]:
    return {
        "GENSCOPE_URL": server.url,
        "GENSCOPE_PUBLIC_KEY": server.public_key,
        "GENSCOPE_SECRET_KEY": server.secret_key,
    }


# --- the programs of Maxim's users --------------------------------------------------------------------------------------

SEED = """
import time

import genscope

logger = genscope.Logger({"id": "repo-seed"})
trace = logger.trace({"id": "trace-id"})
"""


def test_maxims_page_with_the_import_changed(project: Server, tmp_path: Any) -> None:
    # Nothing is flushed: what waits is sent when the program ends.
    source = "\n".join([SEED, *snippets("maxim-generations", "python")])
    run([sys.executable, "-"], source, tmp_path, tmp_path, variables(project))
    assert_answered(project)


#: What of a span two SDKs tell alike.
KEPT = (
    *("type", "name", "parent_span_id", "level", "status_message", "input", "output", "model", "provider"),
    *("model_parameters", "usage", "cost", "cost_source", "cost_missing", "tools", "tool_calls", "session_id"),
    *("tags", "metadata", "trace_name", "trace_metadata", "is_root"),
)


def shop(server: Server, sdk: str, environment: str) -> dict[str, Any]:
    """Run the assistant with an SDK, and return what the server knows of it, without its times and names."""
    suffix = secrets.token_hex(4)
    Program(environment, "python/logger_shop.py").run(variables(server), sdk, suffix)
    whole = server.get(f"/api/v1/traces/trace-{suffix}")
    (session,) = server.get("/api/v1/sessions", session_id=f"session-{suffix}")["data"]
    spans = {
        span["span_id"]: {name: span[name] for name in KEPT}
        | {"ended": span["end_time"] is not None, "scores": said(span["scores"])}
        for span in whole["spans"]
    }
    told = {"spans": spans, "scores": said(whole["trace"]["scores"]), "session": [session["name"], session["tags"]]}
    return dict(json.loads(json.dumps(told).replace(suffix, "X")))


def said(scores: list[dict[str, Any]]) -> list[Any]:
    return sorted([one["name"], one["value"], one["string_value"], one["comment"], one["source"]] for one in scores)


def test_a_program_comes_to_the_same_with_either_sdk(server: Server) -> None:
    maxim, genscope = shop(server, "maxim", "maxim-3.14.20"), shop(server, "genscope", "genscope")
    assert len(genscope["spans"]) == 9
    assert [span["status_message"] for span in genscope["spans"].values() if span["level"] == "ERROR"] == [
        "no such order",
        "overloaded",
    ]
    for span_id, span in maxim["spans"].items():
        assert genscope["spans"][span_id] == span, span_id
    assert genscope == maxim


# --- what everything can be told ----------------------------------------------------------------------------------------


def test_every_kind_of_thing_becomes_a_span_of_its_type(server: Server, client: Client, logger: Logger) -> None:
    ids = {name: unique(name) for name in ("trace", "agent", "call", "tool", "found", "event")}
    start = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    trace = logger.trace(id=ids["trace"], name="answer", user_id="alice", session_id="s", start_timestamp=start)
    agent = trace.span({"id": ids["agent"], "type": "agent"}, name="triage", input={"question": "Where?"}, version="2")
    call = agent.generation({"id": ids["call"], "model": "gpt-4o", "provider": "openai"}, messages="Where?")
    assert call.result(ANSWER) is ANSWER
    tool = agent.tool_call(id=ids["tool"], name="look_up", args={"order": 4711}, description="Finds orders")
    assert tool.result({"at": "sea"}) == {"at": "sea"}
    agent.retrieval(id=ids["found"]).input("policy").output([{"id": 1}])
    trace.event(ids["event"], "escalated", ["human"], {"n": 1})
    agent.set_output("at sea").end()
    trace.set_name("answered").add_tag("a").add_tag("b", "c").end()
    assert client.flush()

    spans = server.trace(ids["trace"])
    root = spans[f"{ids['trace']}:root"]
    assert (root["name"], root["user_id"], root["session_id"], root["tags"]) == ("answered", "alice", "s", ["a", "b:c"])
    assert (root["environment"], root["release"], root["scope"]["name"]) == ("test", "1.2", "genscope")
    assert root["start_time"] == "2026-01-02T03:04:05.000000Z"
    found = {name: spans[id_] for name, id_ in ids.items() if name != "trace"}
    assert {name: span["type"] for name, span in found.items()} == {
        "agent": "agent",
        "call": "generation",
        "tool": "tool",
        "found": "retriever",
        "event": "event",
    }
    assert {span["parent_span_id"] for span in found.values()} == {root["span_id"], ids["agent"]}
    assert (found["agent"]["input"], found["agent"]["output"]) == ({"question": "Where?"}, "at sea")
    assert found["agent"]["version"] == "2"
    assert (found["call"]["input"], found["call"]["output"]) == ("Where?", {"role": "assistant", "content": "ho"})
    assert (found["call"]["model"], found["call"]["usage"]["input_cache_read"]) == ("gpt-4o-2024-08-06", 20)
    assert found["call"]["attributes"] == {
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.id": "chatcmpl-123",
        "gen_ai.response.finish_reasons": ["stop"],
    }
    assert (found["tool"]["input"], found["tool"]["output"]) == ({"order": 4711}, {"at": "sea"})
    assert (found["found"]["input"], found["found"]["output"]) == ("policy", [{"id": 1}])
    assert (found["event"]["metadata"], found["event"]["duration_ms"]) == ({"n": 1}, 0)
    assert all(span["end_time"] for span in spans.values())


def test_what_is_known_of_a_call_may_be_told_later(server: Server, client: Client, logger: Logger) -> None:
    trace, call = unique("trace"), unique("call")
    generation = logger.trace({"id": trace}).generation({"id": call, "messages": [{"role": "user", "content": "a"}]})
    generation.add_message({"role": "user", "content": "b"})
    generation.set_model("gpt-4o").set_provider("azure").set_model_parameters({"temperature": 1})
    generation.update({"prompt_name": "reply", "prompt_version": "3"}, usage={"input": 10, "output": 5})
    generation.add_cost({"input": 0.1, "output": 0.2, "total": 0.3}).set_output("ho")
    generation.set_end_timestamp(datetime(2100, 1, 1, tzinfo=UTC)).end()
    assert client.flush()
    found = server.trace(trace)[call]
    assert [message["content"] for message in found["input"]] == ["a", "b"]
    assert (found["model"], found["provider"], found["model_parameters"]) == (
        "gpt-4o",
        "azure.ai.openai",
        {"temperature": 1},
    )
    assert (found["prompt_name"], found["prompt_version"], found["output"]) == ("reply", "3", "ho")
    assert (found["usage"], found["cost"]["total"]) == ({"input": 10, "output": 5, "total": 15}, "0.3")
    assert found["end_time"].startswith("2100-01-01")


def test_the_provider_that_was_told_is_not_the_one_of_the_format(
    server: Server, client: Client, logger: Logger
) -> None:
    answer = {
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [],
        "stop_reason": "end_turn",
    }
    trace = logger.trace({"id": unique("trace")})
    told = {provider: trace.generation({"id": unique("call"), "provider": provider}) for provider in ("bedrock", None)}
    told["openrouter"] = trace.generation({"id": unique("call")})
    told["openrouter"].result({**ANSWER, "id": "gen-1", "provider": "OpenAI"})
    for generation in told.values():
        generation.result({**answer, "usage": {"input_tokens": 3, "output_tokens": 5}})
    assert client.flush()
    spans = server.trace(trace.id)
    assert spans[told["bedrock"].id]["provider"] == "aws.bedrock"
    assert spans[told[None].id]["provider"] == "anthropic"
    assert spans[told["openrouter"].id]["provider"] == "anthropic", "who answered last"


def test_an_end_that_is_no_time_is_none(server: Server, client: Client, logger: Logger) -> None:
    odd: Any = "noon"
    trace = logger.trace({"id": unique("trace")}).set_end_timestamp(odd)
    trace.end()
    assert client.flush()
    assert server.trace(trace.id)[f"{trace.id}:root"]["end_time"] is not None


def test_streams_pass_through_and_are_told(server: Server, client: Client, logger: Logger) -> None:
    trace, call, broken = unique("trace"), unique("call"), unique("broken")
    chunks = [
        {"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": [{"index": 0, "delta": delta}]}
        for delta in ({"role": "assistant", "content": "h"}, {"content": "o"})
    ]
    whole = logger.trace({"id": trace})
    stream = whole.generation({"id": call, "model": "gpt-4o"}).result(chunk for chunk in chunks)
    assert list(stream) == chunks

    def breaks() -> Iterator[dict[str, Any]]:
        yield chunks[0]
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        list(whole.generation({"id": broken, "model": "gpt-4o"}).result(breaks()))
    assert client.flush()
    spans = server.trace(trace)
    assert spans[call]["output"]["content"] == "ho"
    assert spans[call]["time_to_first_token_ms"] is not None
    assert spans[call]["end_time"] is not None
    assert (spans[broken]["level"], spans[broken]["status_message"]) == ("ERROR", "ConnectionError: gone")
    assert spans[broken]["output"]["content"] == "h"


def test_blocks_end_things_and_record_what_leaves_them(server: Server, client: Client, logger: Logger) -> None:
    trace, call = unique("trace"), unique("call")

    def answer() -> None:
        with logger.trace({"id": trace}) as whole, whole.generation({"id": call}):
            raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        answer()
    assert client.flush()
    root, found = server.trace(trace)[f"{trace}:root"], server.trace(trace)[call]
    assert (root["level"], found["status_message"], found["attributes"]["error.type"]) == (
        "ERROR",
        "ValueError: boom",
        "ValueError",
    )
    (event,) = found["events"]
    assert (event["name"], event["attributes"]["exception.message"]) == ("exception", "boom")
    assert "in answer" in event["attributes"]["exception.stacktrace"]
    assert root["events"] == []
    assert root["end_time"] >= found["end_time"] > found["start_time"]


def test_users_and_applications_say_what_they_think(server: Server, client: Client, logger: Logger) -> None:
    trace, call, session = unique("trace"), unique("call"), unique("session")
    whole = logger.session({"id": session, "name": "support"}).feedback(score=3).trace({"id": trace})
    generation = whole.generation({"id": call})
    more: Any = {"score": 1, "comment": "quick", "by": "alice"}
    whole.feedback({"score": 0}).feedback(more)
    generation.feedback(comment="too long").score("tone", "friendly", comment="mostly").add_metric("tokens", 3)
    assert client.flush()
    answer = server.get(f"/api/v1/traces/{trace}")
    assert answer["trace"]["session_id"] == session
    (one,) = answer["trace"]["scores"]
    assert (one["name"], one["value"], one["comment"], one["metadata"]) == ("feedback", 1, "quick", {"by": "alice"})
    assert said(server.trace(trace)[call]["scores"]) == [
        ["feedback", None, "too long", "too long", "FEEDBACK"],
        ["tokens", 3, None, None, "METRIC"],
        ["tone", None, "friendly", "mostly", "API"],
    ]
    (score,) = server.get("/api/v1/scores", session_id=session)["data"]
    assert (score["name"], score["value"]) == ("feedback", 3)


# --- found again --------------------------------------------------------------------------------------------------------


def test_things_are_found_by_id_from_threads_and_other_processes(
    server: Server, client: Client, logger: Logger
) -> None:
    trace, step, call = unique("trace"), unique("step"), unique("call")
    logger.trace({"id": trace}).span({"id": step, "type": "agent"}).generation({"id": call, "model": "gpt-4o"})
    thread = threading.Thread(target=lambda: logger.generation_by_id(call).result(ANSWER))
    thread.start()
    thread.join()
    program = f"""
import genscope
logger = genscope.Logger()
logger.trace_by_id({trace!r}).set_output("done").end()
logger.span_by_id({step!r}, type="agent").tool_call({{"id": "t-{call}", "name": "look_up"}}).result("found")
logger.generation_by_id({call!r}).feedback(score=1)
"""
    assert client.flush()
    run([sys.executable, "-"], program, server.data, server.data, variables(server))
    spans = server.trace(trace)
    assert sorted(spans) == sorted([f"{trace}:root", step, call, f"t-{call}"])
    assert spans[f"{trace}:root"]["output"] == "done"
    assert (spans[f"t-{call}"]["parent_span_id"], spans[f"t-{call}"]["output"]) == (step, "found")
    assert (spans[call]["parent_span_id"], spans[call]["output"]["content"]) == (step, "ho")
    assert said(spans[call]["scores"]) == [["feedback", 1, None, None, "FEEDBACK"]]


def test_one_trace_may_have_both_idioms(server: Server, client: Client, logger: Logger) -> None:
    with client.start_as_current_span(name="root") as root:
        span = logger.span_by_id(root.id, trace_id=root.trace_id)
        call = span.generation({"id": unique("call"), "name": "by-logger"})
    trace = logger.trace({"id": client.create_trace_id(), "name": "logged"})
    step = trace.span({"id": secrets.token_hex(8)})
    place: Any = {"trace_id": trace.id, "parent_span_id": step.id}
    with client.start_as_current_generation(name="by-context", trace_context=place) as inner:
        pass
    assert client.flush()
    first, second = server.trace(root.trace_id), server.trace(trace.id)
    assert sorted(span["name"] for span in first.values()) == ["by-logger", "root"]
    assert first[call.id]["parent_span_id"] == root.id
    assert second[inner.id]["parent_span_id"] == step.id
    assert server.get(f"/api/v1/traces/{trace.id}")["trace"]["name"] == "logged"


# --- manners ------------------------------------------------------------------------------------------------------------


class AwkwardError(Exception):
    """An exception that raises when it is looked at."""

    def __str__(self) -> str:
        raise RuntimeError


class Awkward:
    """An object that raises when it is looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError


def test_nothing_raises_whatever_it_is_given(
    server: Server, client: Client, logger: Logger, caplog: pytest.LogCaptureFixture
) -> None:
    trace_id = unique("trace")
    odd: Any = Awkward()
    with caplog.at_level(logging.WARNING, logger="genscope"):
        Logger(odd, client=client), Logger({"auto_flush": True}, client=client)
        config: Any = {"id": trace_id, "colour": "blue", "tags": 7, "metadata": 5}
        trace: Any = logger.trace(config)
        trace.span(odd)
        trace.span({"id": 7, "type": "thing", 1: 2, "input": odd, "start_timestamp": "noon", "model_parameters": odd})
        trace.event(odd, odd)
        generation = trace.generation({"id": unique("call"), "messages": {1, 2}, "level": "loud", "cost": "much"})
        generation.result(odd)
        generation.error(odd)
        generation.add_message("\ud83d").add_metadata(odd).add_tag(odd, odd).feedback(odd).score(odd, odd)
        trace.set_start_timestamp(-5).update(None, output=float("nan"))
        # Seconds, which everybody has at hand.
        trace.update(start_timestamp=1_767_323_045.5).update(end_timestamp=1_767_323_045).score("half", float("nan"))
        long = trace.event("x" * 600).span({"id": "y" * 600})
        trace.span({"colour": "blue"}).error(AwkwardError())
        trace.end()
    assert client.flush()
    found = server.trace(trace_id)
    assert found["7"]["type"] == "span"
    assert found[generation.id]["end_time"] is not None
    root = found[f"{trace_id}:root"]
    assert (root["metadata"]["colour"], root["metadata"]["metadata"], root["output"]) == ("blue", 5, "nan")
    assert [record.getMessage() for record in caplog.records if "colour" in record.getMessage()] == [
        "there is no field colour; it is kept as metadata"
    ]
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "1767323045.5 is no time: tell a datetime, or nanoseconds since 1970 as an int" in said
    assert "1767323045 is no time" in said
    assert "an id has 600 characters; it is cut to 512" in said
    assert "nan is no value of a score" in said
    assert long.id == "y" * 512
    assert found["x" * 512]["type"] == "event"
    assert root["start_time"] > "2026"


def test_settings_hold_for_what_is_logged(server: Server) -> None:
    def mask(value: Any) -> Any:
        return "***" if value == "secret" else value

    masked = made(server, mask=mask, capture_output=False, max_value_bytes=100)
    trace = unique("trace")
    logger = Logger(client=masked)
    logger.trace(id=trace, input="secret", output="gone", metadata={"key": "secret", "n": {"a": [1]}}).add_metadata(
        {"long": "x" * 101}
    )
    logger.trace_by_id(trace).generation({"id": unique("call"), "messages": ["y" * 200]}).result(ANSWER)
    assert masked.flush()
    masked.shutdown()
    root, call = server.get(f"/api/v1/traces/{trace}")["spans"]
    assert (root["input"], root["output"]) == ("***", None)
    assert root["metadata"] == {
        "key": "***",
        "n": {"a": [1]},
        "long": "x" * 100 + "…[genscope: truncated, 101 bytes]",
    }
    assert (call["output"], call["usage"]["input"]) == (None, 100)
    assert call["input"].endswith("…[genscope: truncated, 204 bytes]")


def test_a_trace_is_sampled_whole_and_as_opentelemetry_would(server: Server) -> None:
    some = made(server, sample_rate=0.5)
    logger = Logger(client=some)
    names = [unique("trace") for _ in range(30)] + [some.create_trace_id() for _ in range(30)]
    for name in names:
        logger.trace({"id": name}).generation({"id": f"{name}-call"}).result(ANSWER)
        logger.generation_by_id(f"{name}-call", trace_id=name).add_tag("again")
    for name in names[30:]:
        place: Any = {"trace_id": name, "parent_span_id": "1" * 16}
        some.start_span(name="beside", trace_context=place).end()
    assert some.flush()
    some.shutdown()
    spans = server.get("/api/v1/spans", trace_id=names, limit=1000)["data"]
    by_trace = {name: sorted(span["type"] for span in spans if span["trace_id"] == name) for name in names}
    assert {tuple(types) for types in list(by_trace.values())[:30]} == {(), ("generation", "span")}
    assert {tuple(types) for types in list(by_trace.values())[30:]} == {(), ("generation", "span", "span")}


def test_disabled_nothing_is_recorded(server: Server) -> None:
    disabled = made(server, enabled=False)
    trace = Logger(client=disabled).trace({"id": unique("trace")})
    with trace.generation({"id": "call"}) as generation:
        assert generation.result(ANSWER) is ANSWER
    Logger(client=disabled).session({}).feedback(score=1).end()
    assert disabled.delivery.size == 0
    disabled.shutdown()
