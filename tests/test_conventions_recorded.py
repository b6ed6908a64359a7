"""What real instrumentations sent for recorded answers, each cut to the piece that shows a rule; see tests/providers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from genscope.conventions import to_span
from genscope.messages import conversation
from genscope.model import RawSpan, Resource, Scope, Span

START = 1_762_340_000_000_000_000


def span(scope: str, attributes: dict[str, Any], name: str = "call") -> Span:
    raw = RawSpan("1" * 32, "2" * 16, None, name, START, START + 1, attributes, Resource(), Scope(scope))
    return to_span(raw, START)


@pytest.mark.parametrize(
    "scope", ["opentelemetry.instrumentation.bedrock", "opentelemetry.instrumentation.botocore.bedrock-runtime"]
)
def test_bedrock_counts_its_cache_beside_the_input_though_the_numbers_would_fit(scope: str) -> None:
    sent = {
        "gen_ai.usage.input_tokens": 5000,
        "gen_ai.usage.output_tokens": 48,
        "gen_ai.usage.cache_read.input_tokens": 1024,
        "gen_ai.usage.cache_creation.input_tokens": 120,
    }
    assert span(scope, sent).usage == {
        "input": 6144,
        "output": 48,
        "total": 6192,
        "input_cache_read": 1024,
        "input_cache_write": 120,
    }


def test_gemini_tells_its_thoughts_in_the_total_alone() -> None:
    sent = {
        "gen_ai.provider.name": "gcp.gen_ai",
        "gen_ai.usage.input_tokens": 1180,
        "gen_ai.usage.output_tokens": 28,
        "gen_ai.usage.cache_read.input_tokens": 1024,
        "gen_ai.usage.total_tokens": 1272,
    }
    scope = "opentelemetry.instrumentation.google_generativeai"
    expected = {"input": 1180, "output": 92, "total": 1272, "input_cache_read": 1024, "output_reasoning": 64}
    assert span(scope, sent).usage == expected
    # With another provider nobody knows what the rest is.
    other = span(scope, sent | {"gen_ai.provider.name": "openai"}).usage
    assert other is not None
    assert "output_reasoning" not in other


def test_gemini_tells_its_counts_by_modality_too() -> None:
    sent = {
        "gen_ai.usage.input_tokens": 1180,
        "gen_ai.usage.output_tokens": 92,
        "gen_ai.usage.cache_read.input_tokens": 1024,
        "gen_ai.usage.text.input_tokens": 1180,
        "gen_ai.usage.text.cache_read.input_tokens": 1000,
        "gen_ai.usage.audio.cache_read.input_tokens": 24,
    }
    assert span("opentelemetry.instrumentation.google_genai", sent).usage == {
        "input": 1180,
        "output": 92,
        "total": 1272,
        "input_cache_read": 1024,
        "input_text": 1180,
        "input_cache_read_text": 1000,
        "input_cache_read_audio": 24,
    }


@pytest.mark.parametrize("response", ['{"result": "Shipped."}', {"result": "Shipped."}, "Shipped."])
def test_gemini_is_given_a_text_inside_an_object(response: Any) -> None:
    said = [{"role": "user", "parts": [{"type": "tool_call_response", "id": "", "response": response}]}]
    (message,) = conversation(json.dumps(said), "user")
    assert [(part.kind, part.value) for part in message.parts] == [("tool_result", "Shipped.")]


def test_the_ai_sdk_7_tells_when_a_stream_began() -> None:
    sent = {"gen_ai.operation.name": "chat", "gen_ai.client.operation.time_to_first_chunk": 0.25}
    assert span("gen_ai", sent).completion_start_time == START + 250_000_000


def test_openinference_tells_what_a_streamed_answer_of_bedrock_cached_inside_the_answer_alone() -> None:
    answer = {
        "content": [],
        "usage": {
            "input_tokens": 60,
            "output_tokens": 48,
            "cache_read_input_tokens": 1024,
            "cache_creation_input_tokens": 120,
        },
    }
    sent = {
        "openinference.span.kind": "LLM",
        "llm.token_count.prompt": 1204,
        "llm.token_count.completion": 48,
        "output.value": json.dumps(answer),
    }
    expected = {"input": 1204, "output": 48, "total": 1252, "input_cache_read": 1024, "input_cache_write": 120}
    assert span("openinference.instrumentation.bedrock", sent).usage == expected


def test_openinference_tells_the_instructions_of_bedrock_among_the_flattened_messages_alone() -> None:
    first = "llm.input_messages.0.message"
    sent = {
        "openinference.span.kind": "LLM",
        "input.value": '[{"role": "user", "content": [{"text": "Hello"}]}]',
        f"{first}.role": "system",
        f"{first}.contents.0.message_content.text": "Be kind.",
        f"{first}.contents.0.message_content.type": "text",
    }
    made = span("openinference.instrumentation.bedrock", sent)
    assert json.loads(made.input or "") == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"text": "Hello"}]},
    ]


def test_llama_index_speaks_in_flattened_messages_and_its_values_are_python() -> None:
    sent = {
        "openinference.span.kind": "LLM",
        "input.value": '{"messages": ["ChatMessage(role=<MessageRole.USER: \'user\'>)"]}',
        "output.value": "assistant: None",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Hello",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_order",
    }
    made = span("openinference.instrumentation.llama_index", sent)
    assert json.loads(made.input or "") == [{"message": {"role": "user", "content": "Hello"}}]
    assert made.tool_calls == ["get_order"]
    assert made.attributes.keys() == {"openinference.span.kind", "input.value", "output.value"}


def test_llama_index_prepares_a_request_and_that_is_no_call_to_a_model() -> None:
    sent = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-5-mini"}
    scope = "openinference.instrumentation.llama_index"
    assert span(scope, sent, "OpenAI.achat").type == "generation"
    assert span(scope, sent, "OpenAI._prepare_chat_with_tools").type == "chain"


def test_litellm_tells_its_whole_usage_in_python() -> None:
    told = {
        "completion_tokens": 92,
        "prompt_tokens": 1180,
        "total_tokens": 1272,
        "completion_tokens_details": {"audio_tokens": 0, "reasoning_tokens": 64, "text_tokens": None},
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 1024, "text_tokens": None},
    }
    sent = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1180, "gen_ai.usage.output_tokens": 92}
    usage = span("litellm", sent | {"metadata.usage_object": str(told)}).usage or {}
    assert {kind: count for kind, count in usage.items() if count} == {
        "input": 1180,
        "output": 92,
        "total": 1272,
        "input_cache_read": 1024,
        "output_reasoning": 64,
    }


def test_litellm_tells_what_a_call_cost() -> None:
    sent = {"gen_ai.operation.name": "chat", "gen_ai.cost.input_cost": 0.0002, "gen_ai.cost.discount_percent": 0.05}
    made = span("litellm", sent | {"gen_ai.cost.total_cost": 0.0005249})
    assert (made.cost, made.cost_rule) == ({"total": Decimal("0.0005249")}, "litellm gen_ai.cost.total_cost")
    assert span("litellm", sent | {"gen_ai.cost.total_cost": 0.0}).cost is None, "it knows no price"


@pytest.mark.parametrize(
    "value", ["{", "[" * 9000, "{1: 2}", "()", "__import__('os')", "{'a': " * 3000, 7, None, "{'a': nan}"]
)
def test_a_usage_that_is_none_is_left_to_the_other_attributes(value: Any) -> None:
    sent = {"metadata.usage_object": value, "gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 4}
    assert span("litellm", sent).usage == {"input": 3, "output": 4, "total": 7}
