"""Lemma's deliveries as Genscope understands them: bodies as the SDK's versions write them, and bodies that are almost such."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genscope.model import TRACE, Entity, Patch, Pieces
from genscope.receive import lemma
from genscope.receive.errors import BadRequest, Forbidden, TooLarge

PROJECT = "00000000-0000-4000-8000-000000000001"
NOW = 1_800_000_000_000_000_000
START = 1_795_230_980_432_830_000  # 2026-11-21T03:16:20.432830Z
STARTED, ENDED = "2026-11-21T03:16:20.432830Z", "2026-11-21T03:16:20.453440Z"
ROOT = Entity(TRACE, "turn-1")


def span(**told: Any) -> dict[str, Any]:
    return {"name": "step", "type": "span", "started_at": STARTED, "ended_at": ENDED} | told


def trace(*spans: Any, **told: Any) -> dict[str, Any]:
    return {
        "id": "turn-1",
        "name": "support-agent",
        "started_at": STARTED,
        "ended_at": ENDED,
        "spans": list(spans),
    } | told


def decode_body(
    body: bytes,
    *,
    max_spans: int = 1000,
    max_value_bytes: int = 1 << 20,
    named: Callable[[str], None] = lambda project: None,
) -> Pieces:
    return lemma.decode(body, now=NOW, max_spans=max_spans, max_value_bytes=max_value_bytes, named=named)


def decode(trace: Any, *, max_value_bytes: int = 1 << 20, **request: Any) -> Pieces:
    body = json.dumps({"project_id": PROJECT, "trace": trace} | request).encode()
    return decode_body(body, max_value_bytes=max_value_bytes)


def root(trace: Any, **request: Any) -> Patch:
    return decode(trace, **request).patches[0]


def step(told: Mapping[str, Any], **about: Any) -> Patch:
    pieces = decode(trace(told, **about))
    assert not pieces.rejected
    return pieces.patches[1]


def test_a_trace_is_its_root_span() -> None:
    told = root(
        trace(
            input="Where is my order?",
            output={"text": "It arrives Friday."},
            metadata={"plan": "pro", "firm.slug": "acme"},
            thread_id="conversation-42",
            user_id="user-7",
            environment="staging",
            release="1.8.3",
            duration_ms=20,
            status=None,
            error=None,
        )
    )
    assert (told.entity, told.trace_id, told.parent) == (ROOT, "turn-1", None)
    span = told.span
    assert (span.name, span.trace_name, span.type, span.is_root) == ("support-agent", "support-agent", "span", True)
    assert (span.input, span.output) == ("Where is my order?", '{"text":"It arrives Friday."}')
    assert (span.session_id, span.user_id) == ("conversation-42", "user-7")
    assert (span.environment, span.release) == ("staging", "1.8.3")
    assert span.trace_metadata == {"plan": "pro", "firm.slug": "acme"}
    assert (span.start_time, span.end_time) == (START, START + 20_610_000)
    assert (span.level, span.status_message, span.protocol) == ("DEFAULT", None, "lemma")
    assert span.attributes == {}


def test_a_delivery_of_the_typescript_sdk() -> None:
    """Milliseconds, no key for what is not set, but `error`; spans as Python writes them."""
    body = {
        "project_id": PROJECT,
        "trace": {
            "id": "f0c7a8f2-6f5e-4f43-9ed1-1f4f2c7a0d11",
            "name": "support-agent",
            "input": "hi",
            "output": "ho",
            "started_at": "2026-11-21T03:16:20.432Z",
            "ended_at": "2026-11-21T03:16:20.453Z",
            "duration_ms": 21,
            "error": None,
            "spans": [
                {
                    "name": "search",
                    "type": "tool",
                    "input": {"q": 1},
                    "output": [],
                    "attributes": {"lemma.sdk.language": "typescript", "lemma.sdk.integration": "manual"},
                    "started_at": "2026-11-21T03:16:20.450Z",
                    "ended_at": "2026-11-21T03:16:20.450Z",
                }
            ],
        },
    }
    whole, tool = decode_body(json.dumps(body).encode()).patches
    start = START - 830_000
    assert (whole.span.start_time, whole.span.end_time, whole.span.level) == (start, start + 21_000_000, "DEFAULT")
    assert (tool.span.start_time, tool.span.end_time, tool.span.type) == (start + 18_000_000, None, "tool")


def test_steps_share_what_is_told_of_the_whole() -> None:
    told = step(span(id="s"), thread_id="t", user_id="u", environment="prod", release="2").span
    assert (told.session_id, told.user_id, told.environment, told.release) == ("t", "u", "prod", "2")
    assert (told.trace_name, told.trace_metadata, told.is_root) == (None, {}, False)


def test_the_environment_may_stand_among_the_metadata() -> None:
    told = root(trace(metadata={"deployment.environment.name": "Production", "tenant": 7}))
    assert (told.span.environment, told.span.trace_metadata["tenant"]) == ("production", 7)


def test_a_generation() -> None:
    messages = [{"role": "system", "content": "You help."}, {"role": "user", "content": "Hi"}]
    tools = [{"type": "function", "function": {"name": "get_order", "parameters": {}}}]
    told = step(
        span(
            name="answer",
            type="generation",
            input=messages,
            output="It arrives Friday.",
            model="gpt-4o",
            metadata={"step": "final"},
            usage={
                "input_tokens": 1200,
                "output_tokens": 340,
                "cache_read_input_tokens": 800,
                "cache_creation_input_tokens": 50,
                "reasoning_output_tokens": 120,
            },
            duration_ms=1870,
            attributes={
                "llm.model_name": "gpt-4o",
                "gen_ai.request.model": "gpt-4o",
                "ai.model.id": "gpt-4o",
                "llm.provider": "openai",
                "gen_ai.system": "openai",
                "gen_ai.usage.input_tokens": 1200,
                "llm.invocation_parameters": '{"temperature":0.2}',
                "llm.input_messages.0.message.role": "system",
                "llm.input_messages.0.message.content": "You help.",
                "llm.tools": json.dumps(tools),
                "lemma.sdk.language": "python",
                "lemma.sdk.integration": "manual",
            },
        )
    ).span
    assert (told.type, told.type_rule, told.name) == ("generation", "lemma type", "answer")
    assert (told.model, told.provider, told.model_parameters) == ("gpt-4o", "openai", {"temperature": 0.2})
    assert told.input is not None
    assert json.loads(told.input) == {"messages": messages, "tools": tools}
    assert told.tools == ["get_order"]
    assert told.output == "It arrives Friday."
    assert told.usage == {
        "input": 1200,
        "output": 340,
        "total": 1540,
        "input_cache_read": 800,
        "input_cache_write": 50,
        "output_reasoning": 120,
    }
    assert (told.metadata, told.end_time) == ({"step": "final"}, START + 1_870_000_000)
    assert told.attributes["lemma.sdk.integration"] == "manual"
    assert "input.value" not in told.attributes


@pytest.mark.parametrize(
    ("provider", "model", "integration", "total"),
    [
        ("openai", "gpt-4o", "manual", 1000),  # OpenAI's input has what was cached
        ("anthropic", "claude-sonnet-4-5", "manual", 1500),  # Anthropic's own object counts it beside the input
        (None, "claude-sonnet-4-5", "manual", 1500),
        ("anthropic", "claude-sonnet-4-5", "langchain", 1500),  # the adapter takes Anthropic's object from the answer
        ("anthropic", "claude-sonnet-4-5", "openai-agents", 1000),
        ("anthropic", "claude-sonnet-4-5", "vercel-ai", 1000),
        ("bedrock", "anthropic.claude-sonnet-4-5-v1:0", "manual", 1500),
        ("bedrock", "anthropic.claude-sonnet-4-5-v1:0", "langchain", 1000),
        ("openai", "gpt-4o", None, 1000),
        ("anthropic", "claude-sonnet-4-5", None, 1500),
    ],
)
def test_what_was_cached_is_a_part_of_the_input(
    provider: str | None, model: str, integration: str | None, total: int
) -> None:
    counts = {"input_tokens": 1000, "output_tokens": 50, "cache_read_input_tokens": 500}
    attributes = {"llm.provider": provider} | ({"lemma.sdk.integration": integration} if integration else {})
    told = step(span(type="generation", model=model, usage=counts, attributes=attributes)).span
    assert told.usage == {"input": total, "output": 50, "total": total + 50, "input_cache_read": 500}


@pytest.mark.parametrize(
    "told",
    [
        {"attributes": {"llm.invocation_parameters": '{"streaming":true}'}},
        {"output": [{"type": "text", "text": "Friday", "index": 0}]},
    ],
)
def test_of_a_stream_langchain_counts_all_of_the_input(told: dict[str, Any]) -> None:
    counts = {"input_tokens": 1000, "output_tokens": 50, "cache_read_input_tokens": 500}
    attributes = {"llm.provider": "anthropic", "lemma.sdk.integration": "langchain"} | told.pop("attributes", {})
    read = step(span(type="generation", usage=counts, attributes=attributes, **told)).span
    assert read.usage == {"input": 1000, "output": 50, "total": 1050, "input_cache_read": 500}


def test_more_cached_than_input_was_counted_beside_it() -> None:
    counts = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 500}
    told = step(span(type="generation", model="some-model", usage=counts)).span
    assert told.usage == {"input": 510, "output": 5, "total": 515, "input_cache_read": 500}


def test_a_providers_own_usage_is_read_as_such() -> None:
    counts = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 80}}
    told = step(span(type="generation", usage=counts)).span
    assert told.usage == {"input": 100, "output": 5, "total": 105, "input_cache_read": 80}


def test_no_usage_is_no_zero() -> None:
    assert step(span(type="generation", model="gpt-4o")).span.usage is None
    assert step(span(type="generation", usage={"input_tokens": 0, "output_tokens": 0})).span.usage == {
        "input": 0,
        "output": 0,
        "total": 0,
    }


def test_a_tool_and_what_it_said_to_the_user() -> None:
    told = step(
        span(
            name="send_whatsapp",
            type="tool",
            tool_name="whatsapp.send",
            input={"message": "Friday"},
            output={"delivered": True},
            attributes={"lemma.tool.kind": "user_message", "lemma.tool.message": "It arrives Friday."},
        )
    ).span
    assert (told.type, told.name, told.attributes["tool.name"]) == ("tool", "send_whatsapp", "whatsapp.send")
    assert (told.input, told.output) == ('{"message":"Friday"}', '{"delivered":true}')
    assert told.attributes["lemma.tool.message"] == "It arrives Friday."


@pytest.mark.parametrize(
    ("type_", "attributes", "expected"),
    [
        ("span", {}, "span"),
        (None, {}, "span"),
        ("unheard-of", {}, "span"),
        ("span", {"llm.model_name": "gpt-4o"}, "span"),  # a model makes no generation
        ("generation", {"embedding.model_name": "m"}, "generation"),
        ("span", {"embedding.model_name": "text-embedding-3-small"}, "embedding"),
        ("span", {"reranker.model_name": "rerank-3"}, "reranker"),
        ("span", {"retrieval.documents.0.document.content": "text"}, "retriever"),
        ("span", {"openinference.span.kind": "RETRIEVER"}, "retriever"),
        ("span", {"openai.agents.span_type": "agent"}, "agent"),
        ("span", {"openai.agents.span_type": "turn"}, "span"),
        ("tool", {"openai.agents.span_type": "function"}, "tool"),
        ("span", {"langchain.run_type": "chain"}, "chain"),
        ("span", {"langchain.run_type": "retriever"}, "retriever"),
    ],
)
def test_types(type_: str | None, attributes: dict[str, Any], expected: str) -> None:
    assert step(span(type=type_, attributes=attributes)).span.type == expected


def test_documents_embeddings_and_rankings_mean_what_they_mean_over_otlp() -> None:
    found = step(span(input="order 1843", attributes={"retrieval.documents.0.document.content": "It left."})).span
    assert (found.input, found.output) == ("order 1843", '[{"document":{"content":"It left."}}]')
    embedded = step(span(attributes={"embedding.model_name": "text-embedding-3-small"}, usage={"input_tokens": 8})).span
    assert (embedded.model, embedded.usage) == ("text-embedding-3-small", {"input": 8})
    ranked = step(
        span(
            attributes={
                "reranker.model_name": "rerank-3",
                "reranker.input_documents.0.document.content": "a",
                "reranker.output_documents.0.document.content": "b",
            }
        )
    ).span
    assert ranked.model == "rerank-3"
    assert ranked.input == '{"query":null,"documents":[{"document":{"content":"a"}}]}'
    assert ranked.output == '[{"document":{"content":"b"}}]'


@pytest.mark.parametrize(
    ("told", "level", "message"),
    [
        ({}, "DEFAULT", None),
        ({"status": "OK"}, "DEFAULT", None),
        ({"status": "error"}, "DEFAULT", None),  # only the exact words count
        ({"status": "ERROR"}, "ERROR", None),
        ({"error": "TimeoutError: provider timed out"}, "ERROR", "TimeoutError: provider timed out"),
        ({"status": "OK", "error": "boom"}, "ERROR", "boom"),
        ({"error": "  "}, "DEFAULT", None),
        ({"error": False}, "DEFAULT", None),
        ({"error": {"message": "boom"}}, "ERROR", '{"message":"boom"}'),
    ],
)
def test_errors(told: dict[str, Any], level: str, message: str | None) -> None:
    for read in (step(span(**told)).span, root(trace(**told)).span):
        assert (read.level, read.status_message) == (level, message)


@pytest.mark.parametrize(
    "error",
    [
        'uselemma-tracing: failed to ingest trace (503): {"detail": "busy"}',
        "RuntimeError: uselemma-tracing: failed to ingest trace (500): ",
        "@uselemma/tracing: failed to ingest trace (503): nope",
        "Error: @uselemma/tracing: failed to ingest trace (502)",
    ],
)
def test_the_clients_own_failure_to_deliver_is_no_failure_of_the_run(error: str) -> None:
    told = root(trace(status="ERROR", error=error, output="It arrives Friday.")).span
    assert (told.level, told.status_message, told.output) == ("DEFAULT", None, "It arrives Friday.")
    assert told.attributes == {"lemma.undelivered": error.strip()}


@pytest.mark.parametrize(
    ("told", "start", "end"),
    [
        ({"id": "s"}, 0, 20_610),
        ({"id": "s", "duration_ms": 20}, 0, 20_610),  # the stamps have what the SDK cut off
        ({"id": "s", "duration_ms": 45}, 0, 45_000),
        ({"duration_ms": 45, "ended_at": STARTED}, -45_000, 0),  # told when it was over
        ({"id": "s", "duration_ms": 45, "ended_at": "2026-11-21T03:16:20.432930Z"}, -44_900, 100),
        ({"duration_ms": 0, "ended_at": "2026-11-21T03:16:20.432930Z"}, 0, 100),
        ({"id": "s", "ended_at": STARTED}, 0, 0),
        ({"ended_at": STARTED}, 0, None),  # nobody measured
        ({"ended_at": "2026-11-21T03:16:20.432930Z"}, 0, None),
        ({"ended_at": "2026-11-21T03:16:20.433930Z"}, 0, 1_100),
        ({"id": "s", "ended_at": None}, 0, None),  # still open
        ({"id": "s", "ended_at": "2026-11-21T03:16:20.453440+00:00"}, 0, 20_610),
        ({"id": "s", "ended_at": "2026-11-21T04:16:20.453440+01:00"}, 0, 20_610),
        ({"id": "s", "duration_ms": "long"}, 0, 20_610),
        ({"id": "s", "duration_ms": -1}, 0, 20_610),
        ({"id": "s", "duration_ms": 1e300}, 0, 20_610),
        ({"id": "s", "duration_ms": True}, 0, 20_610),
        ({"id": "s", "started_at": None, "duration_ms": 10}, 10_610, 20_610),
        ({"id": "s", "ended_at": None, "duration_ms": 10}, 0, 10_000),
    ],
)
def test_when_a_step_was(told: dict[str, Any], start: int, end: int | None) -> None:
    """Microseconds after the start of the trace."""
    read = step(span(**told)).span
    assert (read.start_time, read.end_time) == (START + start * 1000, end if end is None else START + end * 1000)


def test_a_step_without_times_begins_with_its_trace() -> None:
    told = step(span(started_at="yesterday", ended_at=None)).span
    assert (told.start_time, told.end_time) == (START, None)
    told = root({"name": "agent"}).span
    assert (told.start_time, told.end_time) == (NOW, None)


def test_parents() -> None:
    spans = [
        span(id="a"),
        span(id="b", parent_id="a"),
        span(id="c", parent_id="gone"),
        span(id="d", parent_id="d"),
        span(id="e", parent_id="turn-1"),
        span(id="f", parent_id="turn-1:root"),
        span(parent_id="b"),
    ]

    def parents(**request: Any) -> list[Entity | None]:
        return [patch.parent for patch in decode(trace(*spans), **request).patches[1:]]

    a, b, gone = (Entity("span", id_) for id_ in ("a", "b", "gone"))
    assert parents() == [ROOT, a, ROOT, ROOT, ROOT, ROOT, b]
    # What is delivered bit by bit may have come before.
    assert parents(replace=False) == [ROOT, a, gone, ROOT, ROOT, ROOT, b]
    assert parents(replace=True) == parents()


def test_steps_without_ids_have_the_same_in_every_delivery() -> None:
    one, other = span(name="one"), span(name="other")

    def ids(*spans: Any, **told: Any) -> list[str]:
        return [patch.entity.id for patch in decode(trace(*spans, **told)).patches[1:]]

    first, second = ids(one, other)
    assert first != second
    assert ids(one, other, ended_at="2026-11-21T03:17:00Z", error="x") == [first, second]
    assert ids(other, one) == [second, first]  # an earlier delivery did not have the one
    assert ids(dict(reversed(one.items()))) == [first]
    assert ids(one, id="turn-2") != [first]
    # Two that say the same are two, and the same two again.
    assert len(set(ids(one, one, one))) == 3
    assert ids(one, one)[0] == first
    assert ids(one, one) == ids(one, one, one)[:2]


def test_a_trace_without_an_id_has_the_same_in_every_delivery() -> None:
    old = trace(span(), input="hi")
    del old["id"]
    known = root(old).entity.id
    again = old | {
        "ended_at": "2026-11-21T03:17:00Z",
        "duration_ms": 9,
        "status": "ERROR",
        "error": "boom",
        "output": "x",
    }
    assert root(again).entity.id == known
    others: list[dict[str, Any]] = [
        {"input": "ho"},
        {"started_at": ENDED},
        {"name": "other"},
        {"spans": []},
        {"thread_id": "t"},
    ]
    for other in others:
        assert root(old | other).entity.id != known


def test_what_the_client_cut_is_said_in_words() -> None:
    cut = {"__lemma_truncated__": True, "kind": "payload_cap", "original_bytes": 5033}
    pieces = decode(
        trace(
            span(id="a", input=cut | {"item_count": 1}, output=cut | {"preview": "yyyy…"}, metadata={"m": cut}),
            span(id="b", parent_id="a", input=same_as("a"), error=cut | {"preview": "boom"}),
            span(id="c", parent_id="b", input=same_as("b")),
            span(id="d", input=same_as("gone")),
            span(id="e", input=same_as("f")),
            span(id="f", input=same_as("e")),
            span(id="g", input={"__lemma_truncated__": "no marker"}),
            input=cut | {"key_count": 2},
        )
    )
    told = {patch.entity.id: patch.span for patch in pieces.patches}
    assert told["turn-1"].input == "[cut by the sender: 5,033 bytes, 2 keys]"
    assert told["a"].input == "[cut by the sender: 5,033 bytes, 1 item]"
    assert told["a"].output == "yyyy…\n[cut by the sender: 5,033 bytes]"
    assert told["a"].metadata == {"m": "[cut by the sender: 5,033 bytes]"}
    assert told["b"].input == told["c"].input == told["a"].input
    assert (told["b"].level, told["b"].status_message) == ("ERROR", "boom\n[cut by the sender: 5,033 bytes]")
    assert told["d"].input == "[left out by the sender: the same as the input of span gone]"
    assert "left out by the sender" in str(told["e"].input)
    assert told["g"].input == '{"__lemma_truncated__":"no marker"}'


def same_as(parent: str) -> dict[str, Any]:
    return {"__lemma_deduplicated__": True, "identical_to": "parent.input", "parent_id": parent}


def test_a_value_left_out_is_its_parents() -> None:
    messages = [{"role": "user", "content": "hi"}]
    pieces = decode(trace(span(id="b", parent_id="a", input=same_as("a")), span(id="a", input=messages)))
    assert [patch.span.input for patch in pieces.patches[1:]] == ['[{"role":"user","content":"hi"}]'] * 2


def test_numbers_that_json_does_not_have() -> None:
    body = (
        b'{"project_id":"p","trace":{"name":"a","input":NaN,"output":[Infinity,-Infinity],"spans":[{"name":"s",'
        b'"type":"generation","usage":{"input_tokens":NaN,"output_tokens":5},"duration_ms":NaN,"attributes":{"x":NaN}}]}}'
    )
    first, second = decode_body(body).patches
    assert (first.span.input, first.span.output) == ("NaN", '["Infinity","-Infinity"]')
    assert (second.span.usage, second.span.attributes) == ({"output": 5}, {"x": "NaN"})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "no JSON object"),
        (b"null", "no JSON object"),
        (b"[" * 100_000, "nests deeper"),
        (b"{}", "project_id is missing"),
        (b'{"project_id":7,"trace":{"name":"a"}}', "project_id is missing"),
        (b'{"project_id":"p"}', "trace is missing"),
        (b'{"project_id":"p","trace":[]}', "trace is missing"),
        (b'{"project_id":"p","trace":{}}', "trace.name is empty"),
        (b'{"project_id":"p","trace":{"name":" "}}', "trace.name is empty"),
        (b'{"project_id":"p","trace":{"name":"a","spans":{}}}', "trace.spans is no array"),
        (b'{"project_id":"p","trace":{"name":"a","id":"%s"}}' % (b"x" * 513), "trace.id has 513 characters"),
    ],
    ids=range(13),
)
def test_bodies_without_a_trace_are_refused(body: bytes, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        decode_body(body)


def test_the_named_project_may_be_refused() -> None:
    def refuse(project: str) -> None:
        assert project == PROJECT
        raise Forbidden("not yours")

    body = json.dumps({"project_id": PROJECT, "trace": trace()}).encode()
    with pytest.raises(Forbidden):
        decode_body(body, named=refuse)


def test_a_bad_step_leaves_its_neighbours_alone() -> None:
    bad = ["no object", None, span(name=""), span(name=7), span(id="a", name="twice"), span(id="x" * 513)]
    good = [span(id="a"), span(id="b"), span(id="b")]
    pieces = decode(trace(good[0], *bad, *good[1:]))
    assert [patch.entity.id for patch in pieces.patches] == ["turn-1", "a", "b"]
    assert [one.reason for one in pieces.rejected] == [
        "the span is no object",
        "the span is no object",
        "the span has no name",
        "the span has no name",
        "another span of the trace has the same id",
        "the id has 513 characters; 512 are the limit",
    ]
    assert {one.trace_id for one in pieces.rejected} == {"turn-1"}
    assert json.loads(pieces.rejected[4].payload) == bad[4]


def test_wrong_types_of_optional_fields_are_left_out() -> None:
    told = step(
        span(
            input=None, attributes=[1], metadata="m", usage=[], model=7, tool_name={}, id=8, parent_id=[], started_at=9
        )
    )
    assert (told.span.model, told.span.usage, told.span.metadata, told.parent) == (None, None, {}, ROOT)
    about = root(trace(metadata=[1], thread_id={}, user_id=[], release=8, started_at=1, duration_ms="x"))
    assert (about.span.session_id, about.span.user_id, about.span.release) == (None, None, None)


def test_long_and_deep_values() -> None:
    deep: Any = "bottom"
    for _ in range(400):
        deep = [deep]
    told = step(span(input="ä" * 1000, metadata={"deep": deep}, attributes={"deep": deep})).span
    assert told.input == "ä" * 1000
    assert isinstance(told.metadata["deep"], str)
    assert isinstance(told.attributes["deep"], str)
    pieces = decode(trace(span(input="ä" * 1000, metadata={"m": "ä" * 1000})), max_value_bytes=100)
    assert str(pieces.patches[1].span.input).startswith("ä" * 50 + "…[genscope: truncated, 2000 bytes]")
    assert "truncated" in str(pieces.patches[1].span.metadata["m"])


def test_too_many_steps_are_refused() -> None:
    body = json.dumps({"project_id": PROJECT, "trace": trace(span(), span(), span())}).encode()
    assert len(decode_body(body, max_spans=3).patches) == 4
    with pytest.raises(TooLarge, match="more than 2 spans"):
        decode_body(body, max_spans=2)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["ERROR", STARTED, "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
MARKERS = st.fixed_dictionaries(
    {},
    optional={
        "__lemma_truncated__": st.booleans(),
        "__lemma_deduplicated__": st.booleans(),
        **dict.fromkeys(("parent_id", "original_bytes", "item_count", "preview"), ANYTHING),
    },
)
KEYS = [
    "id",
    "parent_id",
    "name",
    "type",
    "input",
    "output",
    "metadata",
    "attributes",
    "started_at",
    "ended_at",
    "duration_ms",
    "status",
    "error",
    "model",
    "tool_name",
    "usage",
    "thread_id",
    "user_id",
    "environment",
    "release",
]
SENT = st.dictionaries(st.sampled_from(KEYS), ANYTHING | MARKERS)


@given(about=SENT, spans=st.lists(SENT | ANYTHING, max_size=4), replace=ANYTHING)
def test_whatever_is_sent_no_step_is_lost_without_a_word(about: Any, spans: list[Any], replace: Any) -> None:
    pieces = decode(about | {"name": "agent", "id": "turn-1", "spans": spans}, replace=replace)
    root, *steps = pieces.patches
    assert root.entity == ROOT
    # One that says just what another of the same id said is that one.
    ids = [one["id"] for one in spans if isinstance(one, dict) and isinstance(one.get("id"), str)]
    assert len(spans) - len(ids) + len(set(ids)) <= len(steps) + len(pieces.rejected) <= len(spans)
    assert len({step.entity for step in steps}) == len(steps)


def test_of_two_deliveries_the_later_one_knows_more() -> None:
    first = decode(trace(span(id="a")))
    later = decode(trace(span(id="a"), ended_at="2026-11-21T03:17:00Z"))
    replacing = decode(trace(span(id="a")), replace=True)
    for one, other in ((first, later), (later, replacing)):
        assert [patch.order for patch in one.patches] < [patch.order for patch in other.patches]
    # A delivery that leaves a value out does not take it away: what is not told is not known.
    assert (later.patches[0].span.input, later.patches[0].span.session_id) == (None, None)
