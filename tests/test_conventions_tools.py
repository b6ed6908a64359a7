"""Which tools a model was offered and called, whatever the dialect; what each value's rule is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genscope.conventions import DIALECTS, to_span
from genscope.conventions.decode import content
from genscope.conventions.table import Rules
from genscope.conventions.tools import LONGEST, LONGEST_TEXT, MOST
from genscope.model import RawSpan, Resource, Scope, Span
from genscope.pricing import price
from genscope.store.rows import encode

GENERATION = {"langfuse.observation.type": "generation"}
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
OPENAI = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("b", "a")]
PLAIN = [{"type": "function", "name": name, "description": "", "inputSchema": SCHEMA} for name in ("a", "b")]
ANTHROPIC = [{"name": name, "input_schema": SCHEMA} for name in ("a", "b")]
GEMINI = [{"functionDeclarations": [{"name": "a"}, {"name": "b", "parameters": SCHEMA}]}]
BEDROCK = {"tools": [{"toolSpec": {"name": name, "inputSchema": {"json": SCHEMA}}} for name in ("a", "b")]}
ASKED = [{"role": "user", "content": "?"}]


def span(attributes: dict[str, Any], scope: str = "") -> Span:
    return to_span(RawSpan("1" * 32, "2" * 16, None, "call", 1, 2, attributes, Resource(), Scope(scope)), 0)


OFFERED: dict[str, dict[str, Any]] = {
    "OpenTelemetry": {"gen_ai.operation.name": "chat", "gen_ai.tool.definitions": json.dumps(PLAIN)},
    "OpenTelemetry, as a structure": {"gen_ai.operation.name": "chat", "gen_ai.tool.definitions": PLAIN},
    "OpenTelemetry, of an agent": {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.tool.definitions": json.dumps(PLAIN),
    },
    "Strands": {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.tools": '["b", "a"]'},
    "OpenInference": {
        "openinference.span.kind": "LLM",
        **{f"llm.tools.{index}.tool.json_schema": json.dumps(tool) for index, tool in enumerate(OPENAI)},
    },
    "OpenInference, in the parameters": {
        "openinference.span.kind": "LLM",
        "llm.invocation_parameters": json.dumps({"temperature": 0, "tools": OPENAI}),
    },
    "OpenLLMetry": {
        "llm.request.type": "chat",
        "llm.request.functions.0.name": "a",
        "llm.request.functions.0.parameters": json.dumps(SCHEMA),
        "llm.request.functions.1.name": "b",
    },
    "AI SDK": {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.id": "m",
        "ai.prompt.messages": json.dumps(ASKED),
        "ai.prompt.tools": [json.dumps(tool) for tool in PLAIN],
    },
    "Pydantic AI": {
        "gen_ai.operation.name": "chat",
        "model_request_parameters": json.dumps({"function_tools": [{"name": "a"}, {"name": "b"}]}),
    },
    "Genkit": {
        "genkit:metadata:subtype": "model",
        "genkit:input": json.dumps({"messages": [], "tools": [{"name": "a"}, {"name": "b"}]}),
    },
    "MLflow": GENERATION | {"mlflow.chat.tools": json.dumps(OPENAI)},
    "Google ADK": {
        "gen_ai.operation.name": "generate_content",
        "gcp.vertex.agent.llm_request": json.dumps(
            {"model": "gemini", "config": {"tools": [{"function_declarations": [{"name": "a"}, {"name": "b"}]}]}}
        ),
    },
    "Langfuse, OpenAI": GENERATION | {"langfuse.observation.input": json.dumps({"tools": OPENAI, "messages": ASKED})},
    "Langfuse, Anthropic": GENERATION
    | {"langfuse.observation.input": json.dumps({"messages": ASKED, "tools": ANTHROPIC}, indent=2)},
    "Langfuse, Gemini": GENERATION | {"langfuse.observation.input": json.dumps({"contents": [], "tools": GEMINI})},
    "Langfuse, Bedrock": GENERATION
    | {"langfuse.observation.input": json.dumps({"messages": [], "toolConfig": BEDROCK})},
    "Langfuse, parameters": GENERATION | {"langfuse.observation.model.parameters": json.dumps({"tools": OPENAI})},
    "Langfuse, parameters as text": GENERATION
    | {"langfuse.observation.model.parameters": json.dumps({"toolConfig": json.dumps(BEDROCK)})},
    "Langfuse, functions": GENERATION
    | {"langfuse.observation.input": json.dumps({"functions": [{"name": "a"}, {"name": "b"}], "messages": ASKED})},
    "Langfuse, LangChain": GENERATION
    | {"langfuse.observation.input": json.dumps(ASKED + [{"role": "tool", "content": tool} for tool in OPENAI])},
    "by their names": GENERATION | {"langfuse.observation.model.parameters": json.dumps({"tools": {"a": {}, "b": {}}})},
}


@pytest.mark.parametrize("what", OFFERED)
def test_the_tools_that_a_model_was_offered(what: str) -> None:
    made = span(OFFERED[what])
    assert made.tools == ["a", "b"]
    assert made.tool_calls == []


def test_tools_of_the_provider_have_the_names_of_their_kinds() -> None:
    tools = [{"type": "web_search"}, {"googleSearch": {}}, {"type": "function", "function": {"name": "a"}}]
    made = span(GENERATION | {"langfuse.observation.input": json.dumps({"input": "?", "tools": tools})})
    assert made.tools == ["a", "googleSearch", "web_search"]
    called = [{"type": "web_search_call", "id": "ws_1", "action": {"query": "q"}}]
    assert span(GENERATION | {"langfuse.observation.output": json.dumps(called)}).tool_calls == ["web_search"]


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": '{"tool_calls": [{"name": "a"}]}'},
        {
            "openinference.span.kind": "CHAIN",
            "output.value": '{"messages": [{"role": "ai", "tool_calls": [{"name": "a"}]}]}',
        },
        GENERATION | {"langfuse.observation.output": 'the word "tool_calls" in a sentence'},
        GENERATION | {"langfuse.observation.output": '{"tool_calls": null, "function_call": null, "content": "x"}'},
        GENERATION
        | {"langfuse.observation.input": '{"messages": [{"role": "user", "content": "the \\"tools\\": [x]"}]}'},
        GENERATION | {"langfuse.observation.input": '{"tools": null, "functions": [], "messages": []}'},
        GENERATION
        | {"langfuse.observation.input": json.dumps([{"role": "tool", "content": '{"name": "parameters"}'}])},
    ],
    ids=range(7),
)
def test_what_only_looks_like_tools_is_none(attributes: dict[str, Any]) -> None:
    made = span(attributes)
    assert (made.tools, made.tool_calls) == ([], [])


def test_names_are_bounded_and_can_be_stored() -> None:
    names = ["x" * LONGEST, "y" * (LONGEST + 1), "\ud800", "", *(f"tool {number:04}" for number in range(1000))]
    definitions = json.dumps([{"name": name} for name in names])
    calls = json.dumps({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": name}} for name in names]})
    for attributes in (
        {"langfuse.observation.input": f'{{"tools": {definitions}}}', "langfuse.observation.output": calls},
        {"gen_ai.agent.tools": definitions, "langfuse.observation.output": calls},
        {"mlflow.chat.tools": json.dumps(names), "langfuse.observation.output": calls},
    ):
        made = span(GENERATION | attributes)
        price(made)
        assert len(made.tools) == len(made.tool_calls) == MOST
        assert max(map(len, made.tools + made.tool_calls)) == LONGEST
        encode("p", [made])


@pytest.mark.parametrize(
    "text",
    [
        '{"tools":' * 100_000,
        '{"tools":[' * 100_000,
        '{"tools":[{"tool_calls":' + "[" * 100_000,
        '{"tool_calls":[' * 900 + "]}" * 900,
        '[{"role":"tool","content":{"parameters":' * 20_000,
        '{"tools":{}}' * 80_000,
        '{"tools":[{"name":NaN}],"tool_calls":[{"name":1e999}]}',
        '{"tools":[{"name":"a"}],"tool_calls":[{"name":"a"}]}' + " " * LONGEST_TEXT,
    ],
    ids=range(8),
)
def test_hostile_texts_name_no_tools(text: str) -> None:
    made = span(GENERATION | {"langfuse.observation.input": text, "langfuse.observation.output": text})
    assert (made.tools, made.tool_calls) == ([], [])
    encode("p", [made])


RULES: list[tuple[dict[str, Any], tuple[str | None, str | None, str | None, str | None]]] = [
    ({}, (None, None, None, None)),
    (
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4",
            "gen_ai.response.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 1,
        },
        ("gen_ai gen_ai.operation.name", "gen_ai gen_ai.response.model", "gen_ai gen_ai.usage.*", None),
    ),
    (
        {
            "langfuse.observation.type": "generation",
            "llm.model_name": "m",
            "llm.token_count.prompt": 1,
            "langfuse.observation.cost_details": '{"total": 1}',
        },
        (
            "langfuse langfuse.observation.type",
            "openinference llm.model_name",
            "openinference llm.token_count.*",
            "langfuse langfuse.observation.cost_details",
        ),
    ),
    # What repeats its children has no model and usage by the rule that says so, if there was anything to leave out.
    (
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 1, "gen_ai.usage.cost": 2},
        ("gen_ai gen_ai.operation.name", None, "gen_ai gen_ai.operation.name", None),
    ),
]


@pytest.mark.parametrize(("attributes", "rules"), RULES, ids=range(len(RULES)))
def test_a_value_names_the_rule_that_gave_it(
    attributes: dict[str, Any], rules: tuple[str | None, str | None, str | None, str | None]
) -> None:
    made = span(attributes)
    assert (made.type_rule, made.model_rule, made.usage_rule, made.cost_rule) == rules


def test_a_type_by_the_name_of_the_span_says_so() -> None:
    raw = RawSpan("1" * 32, "2" * 16, None, "agent_turn", 1, 2, {}, Resource(), Scope("livekit-agents"))
    assert (to_span(raw, 0).type, to_span(raw, 0).type_rule) == ("agent", "livekit @livekit")


def test_a_reported_cost_keeps_its_rule_and_a_computed_one_gets_its_price() -> None:
    known = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 10}
    reported, computed = span(known | {"gen_ai.usage.cost": 0.5}), span(known)
    price(reported)
    price(computed)
    assert reported.cost_rule == "gen_ai gen_ai.usage.cost"
    assert computed.cost_rule is not None
    assert "gpt-4o" in computed.cost_rule


def test_a_group_belongs_to_one_field() -> None:
    with pytest.raises(ValueError, match=r"gen_ai\.usage\.\*"):
        Rules({**DIALECTS, "new": {"metadata": {"gen_ai.usage.*": content}}}, {})
