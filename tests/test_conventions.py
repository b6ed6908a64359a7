"""Attributes become fields: rule by rule, then against anything that hypothesis thinks of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genscope.conventions import DIALECTS, PRECEDENCE, RULES, SCOPES, to_span
from genscope.conventions.flattened import SLOTS, rebuilt
from genscope.conventions.table import Rules
from genscope.model import LEVELS, SPAN_TYPES, Event, RawSpan, Resource, Scope, Span
from genscope.pricing import price

NOW = 1_800_000_000_000_000_000
START = 1_795_229_581_601_493_097
PYTHON = {"telemetry.sdk.language": "python"}
NODE = {"telemetry.sdk.language": "nodejs"}


def raw(
    attributes: dict[str, Any] | None = None,
    *,
    resource: dict[str, Any] | None = None,
    scope: str = "",
    version: str = "",
    **others: Any,
) -> RawSpan:
    given_: dict[str, Any] = {
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
        "parent_span_id": "c" * 16,
        "name": "work",
        "start_time": START,
        "end_time": START + 1000,
        "attributes": attributes or {},
        "resource": Resource(resource or {}),
        "scope": Scope(scope, version),
    }
    return RawSpan(**(given_ | others))


def span(attributes: dict[str, Any] | None = None, **others: Any) -> Span:
    return to_span(raw(attributes, **others), NOW)


def sdk(version: str, attributes: dict[str, Any], language: dict[str, Any] = PYTHON) -> Span:
    return span(attributes, resource=language, scope="langfuse-sdk", version=version)


@pytest.mark.parametrize(
    ("field", "attributes", "expected"),
    [
        ("type", {}, "span"),
        ("type", {"langfuse.observation.type": "Guardrail"}, "guardrail"),
        ("type", {"langfuse.observation.type": "event"}, "event"),
        ("type", {"langfuse.observation.type": "nonsense", "gen_ai.operation.name": "chat"}, "generation"),
        ("type", {"langfuse.observation.type": "span", "gen_ai.operation.name": "chat"}, "span"),
        ("type", {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "m"}, "embedding"),
        ("type", {"gen_ai.operation.name": "execute_tool"}, "tool"),
        ("type", {"gen_ai.operation.name": "invoke_agent"}, "agent"),
        ("type", {"gen_ai.tool.name": "look", "gen_ai.request.model": "m"}, "tool"),
        ("type", {"gen_ai.tool.call.id": "call_1"}, "tool"),
        ("type", {"gen_ai.request.model": "m"}, "generation"),
        ("type", {"gen_ai.request.model": ""}, "span"),
        ("type", {"langfuse.observation.model.name": "m"}, "generation"),
        ("name", {}, "work"),
        ("name", {"gen_ai.tool.name": "look"}, "look"),
        ("level", {}, "DEFAULT"),
        ("level", {"langfuse.observation.level": "warn"}, "WARNING"),
        ("level", {"langfuse.observation.level": "FATAL"}, "ERROR"),
        ("level", {"langfuse.observation.level": "verbose"}, "DEBUG"),
        ("level", {"langfuse.observation.level": "???"}, "DEFAULT"),
        ("model", {"gen_ai.request.model": "a", "gen_ai.response.model": "b"}, "b"),
        ("model", {"gen_ai.response.model": "b", "langfuse.observation.model.name": "c"}, "c"),
        ("model", {"gen_ai.request.model": "a", "gen_ai.response.model": ""}, "a"),
        ("provider", {"gen_ai.system": "az.ai.openai"}, "azure.ai.openai"),
        ("provider", {"gen_ai.system": "openai", "gen_ai.provider.name": "AWS.Bedrock"}, "aws.bedrock"),
        ("provider", {"gen_ai.system": "openai.responses"}, "openai"),
        ("provider", {"gen_ai.system": "google.generative-ai"}, "gcp.gemini"),
        ("provider", {"gen_ai.system": "amazon-bedrock"}, "aws.bedrock"),
        ("provider", {"gen_ai.request.model": "openai/gpt-4o"}, "openai"),
        (
            "model_parameters",
            {"gen_ai.request.temperature": 1.0, "gen_ai.request.seed": 7},
            {"temperature": 1, "seed": 7},
        ),
        ("provider", {"gen_ai.request.model": "meta-llama/llama-3"}, None),
        ("provider", {"langfuse.observation.model.name": "gpt-4o"}, None),
        ("model_parameters", {"gen_ai.request.model": "m", "gen_ai.request.top_p": 0.5}, {"top_p": 0.5}),
        ("model_parameters", {"gen_ai.request.model": "m"}, None),
        ("model_parameters", {"langfuse.observation.model.parameters": '{"t":"Infinity"}'}, {"t": "Infinity"}),
        ("model_parameters", {"langfuse.observation.model.parameters": "no json"}, None),
        ("user_id", {"user.id": "u", "langfuse.user.id": "v"}, "v"),
        ("user_id", {"langfuse.trace.metadata.langfuse_user_id": "w"}, "w"),
        ("user_id", {"user.id": 7}, "7"),
        ("session_id", {"gen_ai.conversation.id": "c", "session.id": "s"}, "s"),
        ("session_id", {"gen_ai.conversation.id": "c", "session.id": ""}, "c"),
        ("tags", {"langfuse.trace.tags": ["a", "b", "a"]}, ["a", "b"]),
        ("tags", {"langfuse.tags": '["a", 1]'}, ["a", "1"]),
        ("tags", {"langfuse.tags": "a, b"}, ["a", "b"]),
        ("tags", {"langfuse.tags": "a"}, ["a"]),
        ("tags", {"langfuse.tags": ""}, []),
        ("environment", {"langfuse.environment": "default"}, None),
        ("environment", {"langfuse.environment": "PROD"}, "prod"),
        ("environment", {"langfuse.environment": "langfuse-prod"}, "prod"),
        ("environment", {"langfuse.environment": "langfuse-prompt-experiment"}, "langfuse-prompt-experiment"),
        ("environment", {"langfuse.environment": "no spaces"}, None),
        ("environment", {"langfuse.environment": "x" * 41}, None),
        ("environment", {"deployment.environment": "a", "deployment.environment.name": "b"}, "b"),
        ("trace_public", {"langfuse.trace.public": True}, True),
        ("trace_public", {"langfuse.public": "true"}, True),
        ("trace_public", {"langfuse.public": "1"}, None),
        ("is_root", {}, False),
        ("is_root", {"langfuse.internal.as_root": True}, True),
        ("is_root", {"langfuse.internal.is_app_root": True}, True),
        ("is_root", {"langfuse.internal.is_app_root": False}, False),
        (
            "completion_start_time",
            {"langfuse.observation.completion_start_time": '"2026-11-21T01:02:03.456Z"'},
            1795222923456000000,
        ),
        (
            "completion_start_time",
            {"langfuse.observation.completion_start_time": "2026-11-21T01:02:03.456"},
            1795222923456000000,
        ),
        ("completion_start_time", {"langfuse.observation.completion_start_time": "soon"}, None),
        ("prompt_version", {"gen_ai.request.model": "m", "langfuse.observation.prompt.version": 3}, "3"),
        ("prompt_name", {"langfuse.observation.type": "agent", "langfuse.observation.prompt.name": "p"}, None),
        ("input", {"langfuse.observation.input": ' {"a": 1} '}, ' {"a": 1} '),
        ("input", {"langfuse.observation.input": {"a": [1, None]}}, '{"a":[1,null]}'),
        ("input", {"langfuse.observation.input": "", "gen_ai.tool.call.arguments": "{}"}, "{}"),
        (
            "input",
            {"gen_ai.prompt.1.content": "b", "gen_ai.prompt.0.content": "a"},
            '[{"content":"a"},{"content":"b"}]',
        ),
        ("output", {"gen_ai.completion.content": "x"}, '{"content":"x"}'),
        ("output", {"gen_ai.tool.call.result": 42}, "42"),
        ("cost", {"gen_ai.usage.cost": "NaN"}, None),
        ("usage", {"langfuse.observation.usage_details": "{}"}, None),
        ("trace_name", {"langfuse.trace.name": "t"}, "t"),
    ],
)
def test_field(field: str, attributes: dict[str, Any], expected: Any) -> None:
    assert getattr(span(attributes), field) == expected


@pytest.mark.parametrize(
    ("version", "language", "sent", "metadata"),
    [
        ("3.0.0", PYTHON, '"abc"', "abc"),
        ("3.1.4", PYTHON, "7", 7),
        ("3.1.4", PYTHON, '"7"', "7"),
        ("3.2.0", PYTHON, "7", "7"),
        ("3.15.0", PYTHON, 7, 7),
        ("3.15.0", PYTHON, True, True),
        ("4.18.0", PYTHON, '"abc"', '"abc"'),
        ("4.18.0", PYTHON, '{"a": [1, "x"]}', {"a": [1, "x"]}),
        ("4.18.0", PYTHON, "{not json", "{not json"),
        ("5.0.4", PYTHON, '"123"', "123"),
        ("5.0.4", PYTHON, "123", 123),
        ("5.0.4", PYTHON, "1.5", 1.5),
        ("5.0.4", PYTHON, "null", None),
        ("5.0.4", PYTHON, "not json", "not json"),
        ("5.11.1", NODE, "123", "123"),
        ("5.11.1", NODE, '"acme"', '"acme"'),
        ("5.11.1", NODE, "[1]", [1]),
        ("rubbish", PYTHON, "123", "123"),
    ],
)
def test_metadata_has_the_type_it_had(version: str, language: dict[str, Any], sent: Any, metadata: Any) -> None:
    sent_as = {"langfuse.observation.metadata.k": sent, "langfuse.trace.metadata.k": sent}
    made = sdk(version, sent_as, language)
    assert made.metadata == {"k": metadata}
    assert made.trace_metadata == {"k": metadata}
    assert type(made.metadata["k"]) is type(metadata)
    assert made.attributes == {}


def test_metadata_of_several_sources_is_joined_and_the_specific_one_wins() -> None:
    made = span(
        {
            "langfuse.metadata": '{"a": 1, "b": 1, "c": 1}',
            "langfuse.metadata.b": 2,
            "langfuse.observation.metadata.c": 3,
            "other": 4,
        }
    )
    assert made.metadata == {"a": 1, "b": 2, "c": 3}
    assert made.attributes == {"other": 4, "langfuse.metadata": '{"a": 1, "b": 1, "c": 1}'}, "what lost is kept"
    assert sdk("5.0.4", {"langfuse.observation.metadata": '"text"'}).metadata == {"metadata": "text"}


@pytest.mark.parametrize(
    ("version", "sent", "text"),
    [
        ("3.0.0", '"done"', "done"),
        ("3.1.0", '"done"', '"done"'),
        ("3.0.0", "[1]", "[1]"),
        ("3.0.0", '"a" or "b"', '"a" or "b"'),
    ],
)
def test_only_python_3_0_quoted_plain_text(version: str, sent: str, text: str) -> None:
    made = sdk(version, {"langfuse.observation.output": sent, "langfuse.trace.output": sent})
    assert (made.output, made.trace_output) == (text, text)


@pytest.mark.parametrize(("version", "type_"), [("3.3.0", "generation"), ("3.4.0", "span"), ("5.0.4", "span")])
def test_an_early_sdk_called_generations_spans(version: str, type_: str) -> None:
    assert sdk(version, {"langfuse.observation.type": "span", "langfuse.observation.model.name": "m"}).type == type_


def test_attributes_keep_everything_but_what_became_a_field() -> None:
    sent = {
        "langfuse.observation.input": "question",
        "gen_ai.input.messages": "[]",
        "gen_ai.completion.0.content": "answer",
        "gen_ai.completion.99999.content": "too far",
        "gen_ai.request.model": "m",
        "unknown": {"nested": [1]},
    }
    made = span(sent)
    assert made.output == '[{"content":"answer"}]'
    assert made.attributes == {
        name: sent[name]
        for name in ("gen_ai.input.messages", "gen_ai.completion.99999.content", "gen_ai.request.model", "unknown")
    }
    assert len(sent) == 6


@pytest.mark.parametrize(
    ("messages", "instructions", "expected"),
    [
        (
            '[{"role":"user"}]',
            '[{"type":"text","content":"Be kind."}]',
            '[{"role":"system","content":"Be kind."},{"role":"user"}]',
        ),
        ('[{"role":"user"}]', "Be kind.", '[{"role":"system","content":"Be kind."},{"role":"user"}]'),
        ("[ ]", "Be kind.", '[{"role":"system","content":"Be kind."}]'),
        ('[{"role":"system"}]', "Be kind.", '[{"role":"system"}]'),
        (
            '[{"role":"user","content":"\\"system\\""}]',
            "Hi",
            '[{"role":"system","content":"Hi"},{"role":"user","content":"\\"system\\""}]',
        ),
        ("no list", "Be kind.", "no list"),
    ],
)
def test_system_instructions_lead_the_messages(messages: str, instructions: str, expected: str) -> None:
    assert span({"gen_ai.input.messages": messages, "gen_ai.system_instructions": instructions}).input == expected


def test_tool_definitions_stand_beside_the_messages() -> None:
    tools = {"gen_ai.tool.definitions": '[{"name":"f"}]'}
    assert span(tools).input == '{"tools":[{"name":"f"}]}'
    assert span(tools | {"gen_ai.input.messages": "[1]"}).input == '{"messages":[1],"tools":[{"name":"f"}]}'
    assert span(tools | {"gen_ai.prompt": '{"a":1}'}).input == '{"a":1,"tools":[{"name":"f"}]}'
    for unchanged in ({"langfuse.observation.input": "[1]"}, {"gen_ai.prompt": "text"}, {"input": '{"tools":[]}'}):
        made = span(tools | unchanged)
        assert [made.input] == list(unchanged.values())
        assert made.attributes == tools


def test_events_are_read_as_messages() -> None:
    made = span(
        events=[
            Event("gen_ai.system.message", 1, {"content": "s"}),
            Event("gen_ai.user.message", 2, {"content": "u", "role": "human"}),
            Event("gen_ai.choice", 3, {"index": 0, "message": "m"}),
        ]
    )
    assert made.input == '[{"role":"system","content":"s"},{"role":"human","content":"u"}]'
    assert made.output == '{"index":0,"message":"m"}'
    assert len(made.events) == 3


def test_a_roll_up_does_not_count_twice() -> None:
    sent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 9}
    made = span(sent | {"gen_ai.usage.cost": 1.0})
    price(made)
    assert (made.type, made.model, made.usage, made.cost, made.cost_missing) == ("agent", None, None, None, None)
    assert made.attributes["gen_ai.usage.input_tokens"] == 9


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(5, 9, (5, 5, 9)), (5, None, (5, 5, 5)), (None, 9, (9, 9, 9)), (None, None, (NOW, NOW, NOW)), (9, 5, (9, 9, 5))],
)
def test_times(start: int | None, end: int | None, expected: tuple[int, int, int]) -> None:
    made = span(start_time=start, end_time=end)
    assert (made.time, made.start_time, made.end_time) == expected


def test_resource_and_status_stand_behind_the_span() -> None:
    resource = {"langfuse.environment": "staging", "langfuse.release": "r", "service.version": "1.2"}
    made = span({"langfuse.release": "s"}, resource=resource, status_code=2, status_message="boom", parent_span_id=None)
    assert (made.environment, made.release, made.version) == ("staging", "s", "1.2")
    assert (made.level, made.status_message, made.is_root) == ("ERROR", "boom", True)


def test_which_attribute_gave_a_field_is_known() -> None:
    found = RULES.read(raw({"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1})).found
    assert found["model"][0].source == "gen_ai.request.model"
    assert found["usage"][0].source == "gen_ai.usage.*"


def test_the_precedence_names_known_sources_only() -> None:
    with pytest.raises(ValueError, match="no_such"):
        Rules(DIALECTS, {**PRECEDENCE, "model": ["no_such"]})


def test_rebuilding_is_bounded() -> None:
    rest = {
        "0.a": 1,
        f"{SLOTS}.a": 2,
        "__proto__.x": 3,
        "0.constructor": 4,
        "0.a.b": 5,
        ".".join(["x"] * 99): 6,
        "1": 7,
    }
    assert rebuilt(rest) == [{"a": 1}, 7]
    assert list(rest.values()) == [2, 3, 4, 5, 6]


def test_hostile_spans_are_kept() -> None:
    for value in (
        {f"gen_ai.prompt.{index}.content": "x" for index in range(10_000)},
        {f"gen_ai.prompt.{index}.{index}": "x" for index in range(10_000)},
        {f"langfuse.observation.metadata.{index}": "[" * 5000 for index in range(500)},
        {"langfuse.observation.metadata": "[" * 900 + "]" * 900},
        {"langfuse.observation.usage_details": json.dumps({f"input_{index}": 1 for index in range(5000)})},
        {f"unknown.{index}": index for index in range(100_000)},
        {"gen_ai.prompt." + "0." * 100_000: "x"},
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.usage.inputTokens": 1,
            "ai.response.providerMetadata": json.dumps(
                {f"p{index}": {"usage": {f"k{part}": 1 for part in range(200)}} for index in range(500)}
            ),
        },
        {"genkit:metadata:subtype": "model", "genkit:input": "[" * 100_000, "genkit:output": '{"usage":' * 300},
        {"langsmith.span.kind": "llm", "gen_ai.completion": '{"generations":' + "[" * 900 + "]" * 900 + "}"},
        {f"embedding.embeddings.{index}.embedding.text": "x" for index in range(20_000)},
        {
            "gen_ai.request.model": "m" * 1_000_000,
            "gen_ai.usage." + "input_" * 10_000: 1,
            "gen_ai.usage.input_tokens": 1,
        },
    ):
        made = span(value)
        price(made)
        _encodable(made)


names = st.sampled_from(
    sorted(
        {
            source
            for table in DIALECTS.values()
            for sources in table.values()
            for source in sources
            if source[0] not in "@"
        }
        | {"gen_ai.usage.input_tokens", "gen_ai.usage.details.cached", "langfuse.observation.metadata.", "other"}
        | {
            "gen_ai.prompt.0.role",
            "gen_ai.prompt.0",
            "gen_ai.usage.output_tokens",
            "gen_ai.completion..",
            "gen_ai.usage.",
        }
    )
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(
        ["NaN", "Infinity", "1e400", "-1", "null", "[", "{}", '"\\ud800"', "99999999999999999999", "chat"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | names, inner, max_size=4),
    max_leaves=12,
)
sent_values = values | values.map(json.dumps)
versions = st.sampled_from(["", "3.0.0", "3.3.0", "4.18.0", "5.0.4", "5.11.1", "x.y"]) | st.text(max_size=8)


@settings(max_examples=300, deadline=None)
@given(
    attributes=st.dictionaries(names | st.text(), sent_values, max_size=12),
    others=st.fixed_dictionaries(
        {
            "resource": st.dictionaries(names, sent_values, max_size=3),
            "version": versions,
            "scope": st.sampled_from(["langfuse-sdk", "other", *SCOPES]),
        }
    ),
    times=st.tuples(st.none() | st.integers(0, 2**64 - 1), st.none() | st.integers(0, 2**64 - 1)),
    events=st.lists(
        st.builds(
            Event,
            st.sampled_from(["gen_ai.choice", "gen_ai.user.message", "gen_ai.content.prompt", "x"]),
            st.none(),
            st.dictionaries(names, sent_values, max_size=3),
        ),
        max_size=3,
    ),
)
def test_anything_becomes_a_span_that_can_be_stored(
    attributes: dict[str, Any],
    others: dict[str, Any],
    times: tuple[int | None, int | None],
    events: list[Event],
) -> None:
    sent = raw(dict(attributes), start_time=times[0], end_time=times[1], events=events, **others)
    made = to_span(sent, NOW)
    price(made)
    _encodable(made)
    assert sent.attributes == attributes, "the span as sent is not changed"
    again = to_span(sent, NOW)
    price(again)
    assert again == made
    assert made.attributes.items() <= attributes.items()


def _encodable(made: Span) -> None:
    assert made.type in SPAN_TYPES
    assert made.level in LEVELS
    for name in ("model", "input", "output", "trace_input", "user_id", "environment", "provider", "status_message"):
        value = getattr(made, name)
        assert value is None or isinstance(value, str)
        assert value is None or value.encode()
    for moment in (made.time, made.start_time, made.end_time, made.completion_start_time):
        assert moment is None or 0 <= moment < 2**64
    assert all(type(count) is int and 0 <= count < 2**64 for count in (made.usage or {}).values())
    for money in (made.cost or {}).values():
        assert money.is_finite()
        assert 0 <= money < 10**26
        assert int(money.as_tuple().exponent) >= -12
    assert (made.cost is None) == (made.cost_source is None)
    for structure in (made.metadata, made.trace_metadata, made.model_parameters, made.attributes):
        json.dumps(structure).encode()


def test_the_first_chunk_of_a_stream_is_where_the_completion_starts() -> None:
    span = to_span(raw({"gen_ai.response.time_to_first_chunk": 0.25}, start_time=10**18), NOW)
    assert span.completion_start_time == 10**18 + 250_000_000


def test_a_retrieval_has_its_query_and_documents() -> None:
    documents = [{"id": "a", "score": 0.5}]
    span = to_span(
        raw(
            {
                "gen_ai.operation.name": "retrieval",
                "gen_ai.retrieval.query.text": "where is it",
                "gen_ai.retrieval.documents": documents,
            }
        ),
        NOW,
    )
    assert (span.type, span.input) == ("retriever", "where is it")
    assert json.loads(span.output or "") == documents
