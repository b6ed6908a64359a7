"""Answers of models, understood by the SDK: as real SDKs return them, and as dicts of every kind that is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as some

from genscope import messages
from genscope.conventions import to_span
from genscope.model import RawSpan, Resource, Scope, Span
from genscope.pricing import price
from genscope.pricing.usage import from_details
from genscope.sdk import attributes, values
from genscope.sdk.results import Pieces, Result, understand
from genscope.sdk.settings import Settings
from tests.providers import anthropic, bedrock, gemini, openai
from tests.providers import server as providers
from tests.providers.conversation import PROVIDERS, Provider, told
from tests.providers.seen import Seen, expected
from tests.test_clients import Client

SOURCE = Path(__file__).parent.parent / "src"


# --- real SDKs ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    with providers.running() as url:
        yield url


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        (
            "gemini-bedrock-pydantic-ai",
            [
                ("openai_chat", "openai"),
                ("openai_responses", "openai"),
                ("anthropic_messages", "anthropic"),
                ("gemini", "gemini"),
                ("bedrock", "bedrock"),
            ],
        ),
        ("instrumented", [("instrumented_openai", "openai"), ("instrumented_anthropic", "anthropic")]),
        # OpenAI's is an older one here
        ("litellm-llama-index", [("litellm", "openai"), ("litellm", "anthropic"), ("openai_chat", "openai")]),
    ],
)
def test_every_way_of_an_sdk_says_the_same(environment: str, asked: list[tuple[str, str]], provider_url: str) -> None:
    variables = {
        "CONVERSATION": told(PROVIDERS["openai"]),
        "PROVIDER_URL": provider_url,
        "PYTHONPATH": str(SOURCE),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        **dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"), "none"),
    }
    arguments = {f"{program}={PROVIDERS[provider].model}": PROVIDERS[provider] for program, provider in asked}
    ways = Client(environment, "answers/ways.py").run(variables, *arguments)
    del ways["stderr"]
    assert {way.partition(": ")[0] for way in ways} == arguments.keys()
    for way, results in ways.items():
        provider = arguments[way.partition(": ")[0]]
        for result, right in zip(results, expected(provider), strict=True):
            check(way, Result(**result), right, provider)


def check(way: str, result: Result, right: Seen, provider: Provider) -> None:
    """Hold what was understood of a call, sent as the SDK sends it, against what the server makes of it by every other path."""
    span = on_server(result, provider)
    assert coarse(span.usage) == right.usage, way
    if span.output is not None:
        assert said(span.output) == right.output, way
        assert span.tool_calls == right.tool_calls
    else:
        assert way.endswith(": invoke_model")  # its body is the program's to read
    price(span)
    assert span.cost, way
    assert span.cost["total"] == right.cost, way
    assert provider.name == "aws.bedrock" or span.model == result.model == provider.model, way


def on_server(result: Result, provider: Provider) -> Span:
    told = {name: getattr(result, name) for name in attributes.RESULT}
    if provider.name == "aws.bedrock":  # a program knows whom it asks for what; the answers do not say
        told |= {"model": provider.model, "provider": provider.name}
    sent: Any = {attributes.TYPE: "generation"} | attributes.write(attributes.RESULT, told, Settings())
    start = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1e9)
    return to_span(RawSpan("t", "s", None, "call", start, None, sent, Resource(), Scope()), 0)


def coarse(usage: dict[str, int] | None) -> dict[str, int]:
    """Return a usage without zeros and finer parts, as `seen` has it."""
    return {
        kind: number
        for kind, number in (usage or {}).items()
        if number and not kind.startswith("input_cache_write_") and not kind.endswith("_text")
    }


def said(output: str) -> list[tuple[str, dict[str, Any]]]:
    """Return an output as the server reads it, without thoughts."""
    parts = [
        (message.role, messages.described(part))
        for message in messages.conversation(output, "assistant")
        for part in message.parts
    ]
    return [(role, part) for role, part in parts if part["type"] != "reasoning"]


# --- dicts ----------------------------------------------------------------------------------------------------------------

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
}
HI = {"role": "assistant", "content": "Hi."}
TEXT = {"input": 12, "output": 5}


def chat(**fields: Any) -> dict[str, Any]:
    return CHAT | fields


ANSWERS: dict[str, tuple[dict[str, Any], Result]] = {
    "OpenAI": (CHAT, Result("gpt-4o", HI, TEXT, finish_reason="stop", id="chatcmpl-1")),
    "two choices": (
        chat(choices=[{"message": HI, "finish_reason": "length"}, {"message": {**HI, "content": "Ho."}}]),
        Result("gpt-4o", [HI, {**HI, "content": "Ho."}], TEXT, finish_reason="length", id="chatcmpl-1"),
    ),
    "refusal": (
        chat(choices=[{"message": {"role": "assistant", "content": None, "refusal": "No."}, "finish_reason": "stop"}]),
        Result("gpt-4o", {"role": "assistant", "refusal": "No."}, TEXT, finish_reason="stop", id="chatcmpl-1"),
    ),
    "spoken": (
        chat(
            choices=[
                {
                    "message": {"role": "assistant", "content": None, "audio": {"data": "AAAA", "transcript": "Hi."}},
                    "finish_reason": "stop",
                }
            ],
            usage={
                "prompt_tokens": 12,
                "completion_tokens": 50,
                "prompt_tokens_details": {"audio_tokens": 3, "text_tokens": 9},
                "completion_tokens_details": {"audio_tokens": 40, "text_tokens": 10},
            },
        ),
        Result(
            "gpt-4o",
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Hi."},
                    {"type": "audio", "audio": {"data": "AAAA", "transcript": "Hi."}},
                ],
            },
            {"input": 12, "output": 50, "input_audio": 3, "input_text": 9, "output_audio": 40, "output_text": 10},
            finish_reason="stop",
            id="chatcmpl-1",
        ),
    ),
    "Completions": (
        {"model": "gpt-3.5-turbo-instruct", "choices": [{"text": "Hi.", "finish_reason": "stop"}]}
        | {"usage": CHAT["usage"]},
        Result("gpt-3.5-turbo-instruct", HI, TEXT, finish_reason="stop"),
    ),
    "Azure": (
        chat(prompt_filter_results=[{"prompt_index": 0}]),
        Result("gpt-4o", HI, TEXT, "azure.ai.openai", finish_reason="stop", id="chatcmpl-1"),
    ),
    "Groq": (chat(x_groq={"id": "req_1"}), Result("gpt-4o", HI, TEXT, "groq", finish_reason="stop", id="chatcmpl-1")),
    "OpenRouter": (
        chat(id="gen-1", provider="DeepInfra", model="meta-llama/llama-3.3-70b-instruct"),
        Result("meta-llama/llama-3.3-70b-instruct", HI, TEXT, "openrouter", finish_reason="stop", id="gen-1"),
    ),
    "DeepSeek": (
        chat(
            usage={
                "prompt_tokens": 12,
                "completion_tokens": 5,
                "prompt_cache_hit_tokens": 8,
                "prompt_cache_miss_tokens": 4,
            }
        ),
        Result(
            "gpt-4o", HI, TEXT | {"input_cache_read": 8, "input_cache_miss": 4}, finish_reason="stop", id="chatcmpl-1"
        ),
    ),
    "xAI counts thoughts beside the completion": (
        chat(
            usage={
                "prompt_tokens": 12,
                "completion_tokens": 5,
                "total_tokens": 117,
                "completion_tokens_details": {"reasoning_tokens": 100},
            }
        ),
        Result(
            "gpt-4o", HI, {"input": 12, "output": 105, "output_reasoning": 100}, finish_reason="stop", id="chatcmpl-1"
        ),
    ),
    "Perplexity counts citations beside the completion": (
        chat(usage={"prompt_tokens": 12, "completion_tokens": 5, "citation_tokens": 30, "num_search_queries": 2}),
        Result(
            "gpt-4o",
            HI,
            {"input": 12, "output": 35, "output_citation": 30, "web_search": 2},
            finish_reason="stop",
            id="chatcmpl-1",
        ),
    ),
    "embeddings": (
        {
            "object": "list",
            "model": "text-embedding-3-small",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
            "usage": {"prompt_tokens": 8, "total_tokens": 8},
        },
        Result("text-embedding-3-small", usage={"input": 8, "total": 8}),
    ),
    "embeddings that nobody counted": (
        {"model": "bge-m3", "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]},
        Result("bge-m3"),
    ),
    "Responses, failed": (
        {
            "object": "response",
            "id": "resp_1",
            "model": "gpt-5",
            "status": "failed",
            "output": [],
            "error": {"code": "server_error", "message": "The model broke."},
        },
        Result("gpt-5", finish_reason="failed", id="resp_1", error="The model broke."),
    ),
    "Responses, cut off": (
        {
            "object": "response",
            "model": "gpt-5",
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
            "output": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}],
            "usage": {"input_tokens": 5, "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 9}},
        },
        Result(
            "gpt-5",
            [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}],
            {"input": 5, "output": 9, "output_reasoning": 9},
            finish_reason="max_output_tokens",
        ),
    ),
    # What was read from the cache is less than the rest, thoughts are within the output: both look inclusive, one is.
    "Anthropic": (
        {
            "type": "message",
            "id": "msg_bdrk_1",
            "role": "assistant",
            "model": "claude-opus-4-5",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                {"type": "text", "text": "Hi.", "citations": None},
            ],
            "stop_reason": "end_turn",
            "usage": {
                "input_tokens": 2000,
                "cache_read_input_tokens": 1000,
                "cache_creation_input_tokens": None,
                "output_tokens": 50,
                "output_tokens_details": {"thinking_tokens": 30},
                "server_tool_use": {"web_search_requests": 2},
                "service_tier": "standard",
                "speed": "fast",
            },
        },
        Result(
            "claude-opus-4-5",
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                    {"type": "text", "text": "Hi."},
                ],
            },
            {"input": 3000, "output": 50, "input_cache_read": 1000, "output_reasoning": 30, "web_search": 2},
            "aws.bedrock",
            "fast",
            "end_turn",
            "msg_bdrk_1",
        ),
    ),
    "Gemini at Vertex, with thoughts, tools and modalities": (
        {
            "candidates": [
                {
                    "content": {"role": "model", "parts": [{"text": "Hm.", "thought": True}, {"text": "Hi."}]},
                    "finishReason": "STOP",
                }
            ],
            "usageMetadata": {
                "promptTokenCount": 100,
                "candidatesTokenCount": 5,
                "thoughtsTokenCount": 20,
                "toolUsePromptTokenCount": 7,
                "totalTokenCount": 132,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 60},
                    {"modality": "AUDIO", "tokenCount": 40},
                ],
                "trafficType": "ON_DEMAND",
            },
            "modelVersion": "gemini-2.5-pro",
        },
        Result(
            "gemini-2.5-pro",
            {"role": "model", "parts": [{"text": "Hm.", "thought": True}, {"text": "Hi."}]},
            {
                "input": 107,
                "output": 25,
                "output_reasoning": 20,
                "input_tool_use": 7,
                "input_text": 60,
                "input_audio": 40,
            },
            "gcp.vertex_ai",
            "ON_DEMAND",
            "STOP",
        ),
    ),
    "Gemini, blocked": (
        {
            "promptFeedback": {"blockReason": "SAFETY"},
            "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
            "modelVersion": "gemini-2.5-flash",
        },
        Result("gemini-2.5-flash", usage={"input": 8, "total": 8}, provider="gcp.gen_ai", finish_reason="SAFETY"),
    ),
    "Converse, routed": (
        {
            "output": {
                "message": {
                    "role": "assistant",
                    "content": [
                        {"reasoningContent": {"redactedContent": b"\x00\x01"}},
                        {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
                        {"text": "Hi."},
                    ],
                }
            },
            "stopReason": "end_turn",
            "usage": {
                "inputTokens": 10,
                "outputTokens": 5,
                "totalTokens": 115,
                "cacheReadInputTokens": 60,
                "cacheWriteInputTokens": 40,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 40}],
            },
            "serviceTier": {"type": "flex"},
            "trace": {"promptRouter": {"invokedModelId": "us.amazon.nova-lite-v1:0"}},
            "ResponseMetadata": {"RequestId": "r-1"},
        },
        Result(
            "us.amazon.nova-lite-v1:0",
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"redactedContent": "AAE="}},
                    {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
                    {"text": "Hi."},
                ],
            },
            {"input": 110, "output": 5, "input_cache_read": 60, "input_cache_write": 40, "input_cache_write_1h": 40},
            "aws.bedrock",
            "flex",
            "end_turn",
            "r-1",
        ),
    ),
    "Nova's own body": (
        {
            "output": {"message": {"role": "assistant", "content": [{"text": "Hi."}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 12, "outputTokens": 5, "totalTokens": 17, "cacheReadInputTokenCount": 0},
        },
        Result(
            None,
            {"role": "assistant", "content": [{"text": "Hi."}]},
            TEXT | {"input_cache_read": 0},
            "aws.bedrock",
            finish_reason="end_turn",
        ),
    ),
    "Titan": (
        {"inputTextTokenCount": 12, "results": [{"tokenCount": 5, "outputText": "Hi.", "completionReason": "FINISH"}]},
        Result(None, HI, TEXT, "aws.bedrock", finish_reason="FINISH"),
    ),
    "Titan's embeddings": (
        {"embedding": [0.1], "inputTextTokenCount": 12},
        Result(None, None, {"input": 12}, "aws.bedrock"),
    ),
    "Llama": (
        {"generation": "Hi.", "prompt_token_count": 12, "generation_token_count": 5, "stop_reason": "stop"},
        Result(None, HI, TEXT, "aws.bedrock", finish_reason="stop"),
    ),
    "Mistral, DeepSeek at Bedrock": (
        {"choices": [{"text": "Hi.", "stop_reason": "stop"}]},
        Result(None, HI, None, finish_reason="stop"),
    ),
    "Cohere, version 2": (
        {
            "id": "c-1",
            "finish_reason": "COMPLETE",
            "message": {"role": "assistant", "content": [{"type": "text", "text": "Hi."}]},
            "usage": {
                "billed_units": {"input_tokens": 12, "output_tokens": 5},
                "tokens": {"input_tokens": 80, "output_tokens": 9},
            },
        },
        Result(
            None,
            HI | {"content": [{"type": "text", "text": "Hi."}]},
            TEXT,
            "cohere",
            finish_reason="COMPLETE",
            id="c-1",
        ),
    ),
    "Cohere, version 1": (
        {
            "text": "Hi.",
            "generation_id": "g-1",
            "finish_reason": "COMPLETE",
            "meta": {"billed_units": {"input_tokens": 12, "output_tokens": 5}},
        },
        Result(None, HI, TEXT, "cohere", finish_reason="COMPLETE", id="g-1"),
    ),
    "Cohere's reranker": (
        {"id": "r-1", "results": [{"index": 0, "relevance_score": 0.9}], "meta": {"billed_units": {"search_units": 1}}},
        Result(None, None, {"search": 1}, "cohere", id="r-1"),
    ),
    "a choice without a role": (
        chat(choices=[{"message": {"content": "Hi."}, "finish_reason": "stop"}]),
        Result("gpt-4o", HI, TEXT, finish_reason="stop", id="chatcmpl-1"),
    ),
    "OpenRouter's upstream failed": (
        chat(choices=[{"message": HI, "finish_reason": "error", "error": {"code": 502, "message": "Gone."}}]),
        Result("gpt-4o", HI, TEXT, finish_reason="error", id="chatcmpl-1", error="Gone."),
    ),
    "an error": (
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        Result(error="Overloaded"),
    ),
    "an error as a text": ({"error": "Overloaded"}, Result(error="Overloaded")),
    "an error of vLLM": (
        {"object": "error", "message": "Too long.", "type": "BadRequestError", "param": None, "code": 400},
        Result(error="Too long."),
    ),
    # As OpenAI's library returns it, where the status was 200.
    "an error of OpenRouter": (
        dict.fromkeys(("id", "choices", "created", "model", "object", "usage"))
        | {"error": {"code": 429, "message": "Slow down."}, "user_id": "user_1"},
        Result(error="Slow down."),
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_dict_is_understood(name: str) -> None:
    answer, right = ANSWERS[name]
    assert understand(answer) == right


@pytest.mark.parametrize("name", [name for name, (_, right) in ANSWERS.items() if right.output])
def test_server_reads_an_output_as_a_conversation(name: str) -> None:
    output = ANSWERS[name][1].output
    assert all(
        part.kind != "json" and message.role == "assistant"
        for message in messages.conversation(json.dumps(output), "user")
        for part in message.parts
    )


#: Where answers keep their usage, for those whose usage object alone tells everything.
USAGES = {
    name: usage
    for name, (answer, _) in ANSWERS.items()
    for key in ("usage", "usageMetadata")
    # Of Anthropic's newest object, and of lifetimes at Bedrock, the server understands less.
    if (usage := answer.get(key)) and name not in ("Anthropic", "Converse, routed")
}


@pytest.mark.parametrize("name", USAGES)
def test_counts_are_those_of_the_server(name: str) -> None:
    assert with_total(understand(ANSWERS[name][0])) == from_details(USAGES[name])


def with_total(result: Result | None) -> dict[str, int] | None:
    """Return a usage with the total that the server works out."""
    usage = dict(result.usage) if result and result.usage else None
    if usage and usage.keys() >= {"input", "output"}:
        usage["total"] = usage["input"] + usage["output"]
    return usage


counts = some.one_of(some.integers(0, 300), some.none(), some.sampled_from([-1, 1.5, "7", "x", True, 10**13]))


def usage_of(names: str, **within: str) -> some.SearchStrategy[dict[str, Any]]:
    """Usage objects with some of these names, and objects within that have some of theirs."""
    inner = {
        name: some.fixed_dictionaries({}, optional=dict.fromkeys(parts.split(), counts))
        for name, parts in within.items()
    }
    return some.fixed_dictionaries({}, optional=dict.fromkeys(names.split(), counts) | inner)


OPENAI_USAGE = usage_of(
    "completion_tokens total_tokens prompt_cache_hit_tokens citation_tokens num_search_queries",
    prompt_tokens_details="cached_tokens cache_write_tokens audio_tokens image_tokens text_tokens",
    completion_tokens_details="reasoning_tokens audio_tokens text_tokens accepted_prediction_tokens",
)
RESPONSES_USAGE = usage_of(
    "input_tokens output_tokens total_tokens", output_tokens_details="reasoning_tokens audio_tokens"
)
ANTHROPIC_USAGE = usage_of(
    "input_tokens output_tokens cache_read_input_tokens",
    cache_creation="ephemeral_5m_input_tokens ephemeral_1h_input_tokens",
    server_tool_use="web_search_requests web_fetch_requests",
)
GEMINI_USAGE = usage_of("totalTokenCount cachedContentTokenCount thoughtsTokenCount")
BEDROCK_USAGE = usage_of("inputTokens outputTokens totalTokens cacheReadInputTokens cacheWriteInputTokens")


@given(some.integers(0, 300), OPENAI_USAGE)
def test_any_usage_of_chat_is_read_as_by_the_server(prompt: int, usage: dict[str, Any]) -> None:
    usage = {"prompt_tokens": prompt, **usage}
    assert with_total(understand(chat(usage=usage))) == from_details(usage)


@given(usage_of("cached_tokens cache_write_tokens image_tokens"), RESPONSES_USAGE)
def test_any_usage_of_responses_is_read_as_by_the_server(details: dict[str, Any], usage: dict[str, Any]) -> None:
    usage = {"input_tokens_details": details, **usage}
    assert with_total(understand({"object": "response", "output": [], "usage": usage})) == from_details(usage)


@given(some.integers(0, 300), ANTHROPIC_USAGE)
def test_any_usage_of_anthropic_is_read_as_by_the_server(written: int, usage: dict[str, Any]) -> None:
    usage["cache_creation_input_tokens"] = written
    message = {"type": "message", "content": [], "usage": usage | {"service_tier": "standard"}}
    assert with_total(understand(message)) == from_details(usage)


@given(some.integers(0, 300), some.integers(0, 300), some.integers(0, 300), GEMINI_USAGE)
def test_any_usage_of_gemini_is_read_as_by_the_server(
    prompt: int, said: int, tools: int, usage: dict[str, Any]
) -> None:
    """What a total leaves out the server tells by names, so they are all there."""
    usage |= {"promptTokenCount": prompt, "candidatesTokenCount": said, "toolUsePromptTokenCount": tools}
    assert with_total(understand({"modelVersion": "gemini", "usageMetadata": usage})) == from_details(usage)


@given(BEDROCK_USAGE)
def test_any_usage_of_bedrock_is_read_as_by_the_server(usage: dict[str, Any]) -> None:
    answer = {"stopReason": "end_turn", "output": {"message": {"content": []}}, "usage": usage}
    assert with_total(understand(answer)) == from_details(usage)


# --- objects --------------------------------------------------------------------------------------------------------------


@dataclass
class Dataclass:
    model: str
    choices: list[Any]
    usage: Any


class Slotted:
    __slots__ = ("choices", "model", "usage")

    def __init__(self, model: str, choices: list[Any], usage: Any) -> None:
        self.model, self.choices, self.usage = model, choices, usage


class ProtoMeta(type):
    """As proto-plus has it: `to_dict` is a method of the class of the class."""

    def to_dict(cls, value: Any, use_integers_for_enums: bool = True) -> dict[str, Any]:
        assert not use_integers_for_enums
        return {"model": value._pb[0], "choices": value._pb[1], "usage": value._pb[2]}


class Proto(metaclass=ProtoMeta):
    def __init__(self, *fields: Any) -> None:
        self._pb = fields


class Wrapper:
    """As Vertex's and Google's older SDKs wrap what they got."""

    __module__ = "vertexai.generative_models"

    def __init__(self, *fields: Any) -> None:
        self._raw_response = Proto(*fields)

    def to_dict(self) -> dict[str, Any]:
        return Proto.to_dict(self._raw_response, use_integers_for_enums=False)


@pytest.mark.parametrize("made_of", [Dataclass, Slotted, SimpleNamespace, Proto, Wrapper])
def test_answer_may_be_made_of_anything(made_of: Any) -> None:
    message = SimpleNamespace(role="assistant", content="Hi.", refusal=None)
    choice = SimpleNamespace(message=message, finish_reason="stop")
    usage = SimpleNamespace(prompt_tokens=12, completion_tokens=5)
    fields = {"model": "gpt-4o", "choices": [choice], "usage": usage}
    answer = made_of(**fields) if made_of is SimpleNamespace else made_of(*fields.values())
    assert understand(answer) == Result("gpt-4o", HI, TEXT, finish_reason="stop")


def test_what_is_private_stays_so() -> None:
    message = SimpleNamespace(role="assistant", content="Hi.", _client=SimpleNamespace(api_key="a key"))
    found = understand(chat(choices=[SimpleNamespace(message=message)]))
    assert found is not None
    assert found.output == HI


class Table:
    """As pandas and others have it: nothing to be turned into a dict because it was looked at."""

    looked = False

    def to_dict(self) -> dict[str, Any]:
        self.looked = True
        return CHAT


def test_tables_are_left_alone() -> None:
    table = Table()
    assert understand(table) is None
    assert not table.looked


class Hostile:
    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("not for you")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def cycle() -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "Hi."}
    message["again"] = [message] * 9
    return chat(choices=[{"message": message, "finish_reason": "stop"}])


def test_nothing_raises() -> None:
    for answer in (Hostile(), {"choices": Hostile()}, chat(usage=Hostile()), chat(choices=[Hostile()])):
        understand(answer)
        Pieces().add(answer)
    found = understand(cycle())
    assert found is not None
    assert found.usage == TEXT


@pytest.mark.parametrize(
    "other",
    [
        None,
        "Hi.",
        b"Hi.",
        17,
        [CHAT],
        {},
        {"answer": 42},
        pytest.param(object(), id="object"),
        dict,
        Dataclass,
        # Not everything that has choices, candidates, content or results is a model's answer.
        {"choices": [{"text": "Red"}, {"text": "Blue"}]},
        {"choices": ["red", "blue"]},
        {"choices": [{"message": "Choose me"}]},
        {"candidates": [{"name": "Ada", "content": "CV"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi."}]},
        {"usage": {"prompt_tokens": 1}},
        {"output": {"message": "done"}, "stopReason": None},
        {"data": [{"embedding": [0.1]}]},
        {"results": [{"title": "A page"}]},
        {"error": {"message": "No such order"}, "order": 4711},
        {"object": "error", "message": "No such order", "order": 4711},
        # Nor what has whatever it is asked for.
        MagicMock(),
        MagicMock(spec=dict),
        MagicMock(choices=[MagicMock(message=MagicMock(role="assistant", content="Hi."), finish_reason="stop")]),
    ],
    ids=lambda other: repr(other) if type(other) in (dict, list, str, int, bytes) else type(other).__name__,
)
def test_what_is_no_answer_is_none(other: object) -> None:
    assert understand(other) is None


def test_a_mock_is_recorded_as_what_it_calls_itself() -> None:
    assert values.text(MagicMock(), Settings()).startswith('"<MagicMock id=')


texts = some.text(max_size=5)
anything = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | texts | some.binary(max_size=3),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
names = some.sampled_from(
    sorted(
        {
            "delta",
            "tool_calls",
            "chunk",
            "bytes",
            "message",
            "type",
            "index",
            "id",
            "function",
            "arguments",
            "text",
            "parts",
            "start",
        }
        | {
            "choices",
            "candidates",
            "output",
            "content",
            "usage",
            "usageMetadata",
            "error",
            "response",
            "item",
            "data",
            "object",
        }
        | {
            "contentBlockDelta",
            "contentBlockStart",
            "metadata",
            "contentBlockIndex",
            "stopReason",
            "finish_reason",
            "role",
        }
    )
)
PIECES: list[Any] = [
    *(json.loads(chunk) for chunk in openai._chunks(0, True) if chunk != "[DONE]"),
    *(data | {"type": name} for name, data in openai._steps(1, {})),
    *anthropic.steps(0),
    *gemini._chunks(1),
    *({name: data} for name, data in bedrock._steps(0)),
    {"chunk": {"bytes": b'{"outputText": "Hi.", "inputTextTokenCount": 3}'}},
]
WHOLES = [answer for answer, _ in ANSWERS.values()]


def paths(value: Any) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [()] + [(key, *path) for key, item in below for path in paths(item)]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


@given(some.data())
def test_nothing_raises_whatever_stands_in_an_answer(data: some.DataObject) -> None:
    new = data.draw(anything | some.dictionaries(names, anything, max_size=3))
    for known in (data.draw(some.sampled_from(WHOLES)), data.draw(some.sampled_from(PIECES))):
        broken = changed(known, data.draw(some.sampled_from(paths(known))), new)
        for answer in (new, broken):
            result = understand(answer)
            assert result is None or json.dumps(result.output) is not None


@given(some.data())
def test_nothing_raises_whatever_stands_in_a_piece(data: some.DataObject) -> None:
    pieces = Pieces()
    for _ in range(data.draw(some.integers(1, 5))):
        known = data.draw(some.sampled_from(PIECES))
        path = data.draw(some.sampled_from(paths(known)))
        new = data.draw(anything | some.dictionaries(names, anything, max_size=3))
        pieces.add(known)
        pieces.add(changed(known, path, new))
    json.dumps(pieces.result().output)
