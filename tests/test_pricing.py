"""Usage in one meaning, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from genscope.model import PAID_TYPES, SPAN_TYPES, Span
from genscope.pricing import cost, price, price_list, published
from genscope.pricing.rates import Model
from genscope.pricing.usage import from_attributes, from_details

KINDS = (
    "input",
    "input_cache_read",
    "input_cache_write",
    "input_cache_write_1h",
    "input_audio",
    "output",
    "output_reasoning",
)
TIME = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("sent", "usage"),
    [
        ({}, None),
        ({"comment": "none"}, None),
        ({"input": True, "output": -1}, None),
        ({"input": 2**63, "output": 1.5}, None),
        ({"input": "15"}, {"input": 15}),
        ({"input": 0, "output": 0}, {"input": 0, "output": 0, "total": 0}),
        ({"total": 9}, {"total": 9}),
        # Langfuse's own buckets exclude one another
        (
            {"input": 10, "output": 5, "total": 15, "input_cached_tokens": 4},
            {"input": 14, "output": 5, "total": 19, "input_cache_read": 4},
        ),
        (
            {"input": 5, "output": 3, "total": 10, "input_cache_read": 2},
            {"input": 7, "output": 3, "total": 10, "input_cache_read": 2},
        ),
        (
            {"input": 1, "input_cache_creation": 6, "input_cache_creation_5m": 4, "input_cache_creation_1h": 2},
            {"input": 7, "input_cache_write": 6, "input_cache_write_5m": 4, "input_cache_write_1h": 2},
        ),
        ({"output": 2, "output_reasoning_tokens": 3}, {"output": 5, "output_reasoning": 3}),
        # OpenAI, chat and responses
        (
            {
                "prompt_tokens": 30,
                "completion_tokens": 12,
                "total_tokens": 42,
                "prompt_tokens_details": {"cached_tokens": 10, "audio_tokens": None},
                "completion_tokens_details": {"reasoning_tokens": 4, "accepted_prediction_tokens": 1},
            },
            {
                "input": 30,
                "output": 12,
                "total": 42,
                "input_cache_read": 10,
                "output_reasoning": 4,
                "output_accepted_prediction": 1,
            },
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "prompt_tokens_details": None},
            {"input": 9, "output": 2, "total": 11},
        ),
        ({"promptTokens": 1, "completionTokens": 2, "totalTokens": 3}, {"input": 1, "output": 2, "total": 3}),
        (
            {
                "input_tokens": 20,
                "input_tokens_details": {"cached_tokens": 5},
                "output_tokens": 8,
                "output_tokens_details": {"reasoning_tokens": 2},
                "total_tokens": 28,
            },
            {"input": 20, "output": 8, "total": 28, "input_cache_read": 5, "output_reasoning": 2},
        ),
        # Anthropic counts cached tokens beside the input
        (  # Anthropic since it tells what of the output was thought.
            {
                "input_tokens": 2000,
                "cache_read_input_tokens": 1000,
                "cache_creation_input_tokens": 0,
                "output_tokens": 50,
                "output_tokens_details": {"thinking_tokens": 30},
            },
            {
                "input": 3000,
                "output": 50,
                "total": 3050,
                "input_cache_read": 1000,
                "input_cache_write": 0,
                "output_reasoning": 30,
            },
        ),
        (
            {
                "input_tokens": 100,
                "output_tokens": 7,
                "cache_read_input_tokens": 900,
                "cache_creation_input_tokens": 50,
                "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 20},
            },
            {
                "input": 1050,
                "output": 7,
                "total": 1057,
                "input_cache_read": 900,
                "input_cache_write": 50,
                "input_cache_write_5m": 30,
                "input_cache_write_1h": 20,
            },
        ),
        # Bedrock likewise; the AI SDK, LangChain and Gemini do not
        (
            {"inputTokens": 1, "outputTokens": 2, "totalTokens": 10, "cacheReadInputTokens": 7},
            {"input": 8, "output": 2, "total": 10, "input_cache_read": 7},
        ),
        (
            {"inputTokens": 9, "outputTokens": 2, "cachedInputTokens": 7},
            {"input": 9, "output": 2, "total": 11, "input_cache_read": 7},
        ),
        (
            {"input_tokens": 9, "output_tokens": 2, "input_token_details": {"cache_read": 7}},
            {"input": 9, "output": 2, "total": 11, "input_cache_read": 7},
        ),
        (
            {
                "promptTokenCount": 9,
                "candidatesTokenCount": 2,
                "thoughtsTokenCount": 3,
                "totalTokenCount": 14,
                "cachedContentTokenCount": 4,
            },
            {"input": 9, "output": 5, "total": 14, "output_reasoning": 3, "input_cache_read": 4},
        ),
        # the AI SDK's reasoning is within its output, cached or not
        (
            {"inputTokens": 1000, "outputTokens": 200, "totalTokens": 1200, "reasoningTokens": 150},
            {"input": 1000, "output": 200, "total": 1200, "output_reasoning": 150},
        ),
        # what Gemini's tools read is beside its prompt, in either spelling
        (
            {
                "prompt_token_count": 1000,
                "tool_use_prompt_token_count": 300,
                "candidates_token_count": 100,
                "thoughts_token_count": 400,
                "total_token_count": 1800,
            },
            {"input": 1300, "output": 500, "total": 1800, "input_tool_use": 300, "output_reasoning": 400},
        ),
        (
            {
                "promptTokenCount": 1000,
                "toolUsePromptTokenCount": 300,
                "cachedContentTokenCount": 900,
                "candidatesTokenCount": 100,
                "totalTokenCount": 1400,
            },
            {"input": 1300, "output": 100, "total": 1400, "input_tool_use": 300, "input_cache_read": 900},
        ),
        # LangChain's modalities, as Langfuse's handler names them
        (
            {"input": 0, "output": 5, "total": 15, "input_modality_TEXT": 4, "input_modality_AUDIO": 6},
            {"input": 10, "output": 5, "total": 15, "input_modality_text": 4, "input_audio": 6},
        ),
        # money, limits and speed are no counts
        ({"input_cost": 1.0, "output_cost": 0, "total_cost": 1}, None),
        ({"input_cost": 1.0, "input": 10, "output": 5, "output_price": 2}, {"input": 10, "output": 5, "total": 15}),
        (
            {"prompt_tokens": 9, "completion_tokens": 2, "cost_details": {"upstream_inference_prompt_cost": 1}},
            {"input": 9, "output": 2, "total": 11},
        ),
        ({"input": 9, "prompt_time": 1.0, "input_limit": 8, "max_input_tokens": 7}, {"input": 9}),
    ],
)
def test_usage_objects(sent: dict[str, Any], usage: dict[str, int] | None) -> None:
    assert from_details(sent) == usage


@pytest.mark.parametrize(
    ("sent", "usage"),
    [
        ({"cost": 0.5}, None),
        (
            {
                "input_tokens": 100,
                "output_tokens": 40,
                "cache_read_input_tokens": 20,
                "cache_creation_input_tokens": 10,
            },
            {"input": 100, "output": 40, "total": 140, "input_cache_read": 20, "input_cache_write": 10},
        ),
        ({"prompt_tokens": 3, "input_tokens": 4}, {"input": 3}),
        (
            {"input_tokens": 100, "cache_read.input_tokens": 0, "details.cache_read_tokens": 9},
            {"input": 100, "input_cache_read": 0},
        ),
        # cannot be within: beside
        (
            {"input_tokens": 3, "output_tokens": 1, "cache_read.input_tokens": 900},
            {"input": 903, "output": 1, "total": 904, "input_cache_read": 900},
        ),
        # the total says that it is beside
        (
            {"input_tokens": 90, "output_tokens": 1, "total_tokens": 121, "cache_read_input_tokens": 30},
            {"input": 120, "output": 1, "total": 121, "input_cache_read": 30},
        ),
        (
            {"input_tokens": 5, "output_tokens": 2, "total_tokens": 10, "reasoning.output_tokens": 3},
            {"input": 5, "output": 5, "total": 10, "output_reasoning": 3},
        ),
        (
            {"input_tokens": 5, "output_tokens": 9, "details.reasoning_tokens": 3},
            {"input": 5, "output": 9, "total": 14, "output_reasoning": 3},
        ),
        (
            {"input_tokens": 100, "details.input_audio_tokens": 60, "details.cache_read_tokens": 70},
            {"input": 100, "input_audio": 60, "input_cache_read": 70},
        ),
        # a part does not tell the whole
        ({"cache_read.input_tokens": 5}, {"input_cache_read": 5}),
        # money, limits and speed are no counts
        (
            {"input_tokens": 1000, "output_tokens": 50, "prompt_cost": 0.0, "completion_cost": 0.0},
            {"input": 1000, "output": 50, "total": 1050},
        ),
        (
            {"input_cost": 1.0, "input_tokens": 1000, "output_tokens": 50},
            {"input": 1000, "output": 50, "total": 1050},
        ),
        ({"prompt_cost": 0.0, "completion_cost": 0.0, "total_cost": 0.0, "inputCost": 1}, None),
        (
            {"input_tokens": 9, "output_tokens": 50, "max_output_tokens": 4096, "maxOutputTokens": 4096},
            {"input": 9, "output": 50, "total": 59},
        ),
        ({"output_tokens": 50, "output_tokens_per_second": 42, "output_token_limit": 64}, {"output": 50}),
    ],
)
def test_usage_attributes(sent: dict[str, Any], usage: dict[str, int] | None) -> None:
    assert from_attributes(sent) == usage


def call(model: str | None, usage: dict[str, int] | None, provider: str | None = None, **others: Any) -> Span:
    span = Span("t", "s", TIME, type="generation", model=model, provider=provider, usage=usage, start_time=TIME)
    for name, value in others.items():
        setattr(span, name, value)
    price(span)
    return span


def dollars(**amounts: str) -> dict[str, Decimal]:
    return {kind: Decimal(amount) for kind, amount in amounts.items()}


@pytest.mark.parametrize(
    ("model", "usage", "expected"),
    [
        (
            "gpt-4o",
            {"input": 1000, "output": 50, "input_cache_read": 800},
            dollars(input="0.0015", output="0.0005", total="0.0020", input_cache_read="0.001"),
        ),
        ("gpt-4o-mini", {"input": 1_000_000, "output": 1_000_000}, dollars(input="0.15", output="0.60", total="0.75")),
        # reasoning has no price of its own: it is paid as output
        (
            "gpt-4o",
            {"input": 0, "output": 100, "output_reasoning": 60},
            dollars(input="0", output="0.001", total="0.001", output_reasoning="0.0006"),
        ),
        (
            "claude-sonnet-4-5",
            {"input": 1050, "output": 10, "input_cache_read": 900, "input_cache_write": 50},
            dollars(
                input="0.0007575",
                output="0.00015",
                total="0.0009075",
                input_cache_read="0.00027",
                input_cache_write="0.0001875",
            ),
        ),
        # cache writes for an hour cost twice the input price, for five minutes 1.25 times
        (
            "claude-sonnet-4-5",
            {
                "input": 100,
                "output": 0,
                "input_cache_write": 100,
                "input_cache_write_5m": 60,
                "input_cache_write_1h": 40,
            },
            dollars(
                input="0.000465",
                output="0",
                total="0.000465",
                input_cache_write="0.000465",
                input_cache_write_5m="0.000225",
                input_cache_write_1h="0.00024",
            ),
        ),
        # long context: every token at the higher price
        ("gemini-2.5-pro", {"input": 200_000, "output": 10}, dollars(input="0.25", output="0.0001", total="0.2501")),
        (
            "gemini-2.5-pro",
            {"input": 200_001, "output": 10},
            dollars(input="0.5000025", output="0.00015", total="0.5001525"),
        ),
        ("gpt-4o", {"input": 1000}, dollars(input="0.0025", total="0.0025")),
        # audio: $32 and $64 a million, beside text at $2.50 and $10
        (
            "gpt-audio",
            {"input": 1000, "output": 500, "input_audio": 600, "output_audio": 400},
            dollars(input="0.0202", output="0.0266", total="0.0468", input_audio="0.0192", output_audio="0.0256"),
        ),
        # audio at $1 a million; video at the $0.30 of text
        (
            "gemini-2.5-flash",
            {"input": 1000, "input_audio": 600},
            dollars(input="0.00072", total="0.00072", input_audio="0.0006"),
        ),
        (
            "gemini-2.5-flash",
            {"input": 1000, "input_video": 600},
            dollars(input="0.0003", total="0.0003", input_video="0.00018"),
        ),
        # one price, $1.25 a million, for text, image, video and audio; cached too, at $0.125
        (
            "gemini-2.5-pro",
            {"input": 1000, "input_audio": 600},
            dollars(input="0.00125", total="0.00125", input_audio="0.00075"),
        ),
        (
            "gemini-2.5-pro",
            {"input": 1000, "input_cache_read": 400, "input_cache_read_audio": 400},
            dollars(input="0.0008", total="0.0008", input_cache_read="0.00005", input_cache_read_audio="0.00005"),
        ),
        # what tools read costs as any input, $2 a million
        (
            "gemini-3.1-pro-preview",
            {"input": 1300, "output": 500, "input_tool_use": 300, "output_reasoning": 400},
            dollars(input="0.0026", output="0.006", total="0.0086", input_tool_use="0.0006", output_reasoning="0.0048"),
        ),
        # an audio count of 0, which OpenAI always tells, needs no price
        ("gpt-4o", {"input": 1000, "input_audio": 0}, dollars(input="0.0025", total="0.0025")),
    ],
)
def test_bill(model: str, usage: dict[str, int], expected: dict[str, Decimal]) -> None:
    span = call(model, usage)
    assert span.cost == expected
    assert (span.cost_source, span.cost_missing) == ("computed", None)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o"),
        ("openai", "gpt-4o-2024-08-06"),
        (None, "openai/gpt-4o"),
        ("azure.ai.openai", "gpt-4o"),
        ("some.proxy", "gpt-4o"),
        (None, "models/gemini-2.5-pro"),
        ("gcp.gemini", "models/gemini-2.5-pro"),
        ("gcp.vertex_ai", "gemini-2.5-pro"),
        ("aws.bedrock", "us.anthropic.claude-3-5-sonnet-20241022-v2:0"),
        (None, "anthropic.claude-3-5-sonnet-20241022-v2:0"),
        (None, "anthropic/claude-sonnet-4-5"),
        ("openai", "deepseek-chat"),
        ("mistral_ai", "mistral-large-latest"),
        (None, "text-embedding-3-small"),
        # gateways pass on what the maker charges
        ("litellm", "gpt-4o"),
        ("portkey", "deepseek-chat"),
        ("openrouter", "openai/gpt-4o"),
    ],
)
def test_model_is_found(provider: str | None, model: str) -> None:
    assert call(model, {"input": 1000, "output": 0}, provider).cost_missing is None


@pytest.mark.parametrize(
    ("span", "missing"),
    [
        (call("no-such-model-9", {"input": 1}), "unknown_model"),
        (call("gpt-4o", {"input": 1}, "anthropic"), "unknown_model"),
        (call(None, {"input": 1}), "no_model"),
        (call("gpt-4o", None), "no_usage"),
        (call("gpt-4o", {"total": 7}), "no_usage"),
        (call(None, None, type="embedding"), "no_usage"),
        (call(None, None, type="span"), None),
        (call(None, {"input": 1}, type="tool"), "no_model"),
        # no price for the audio, which costs 16 times what text does
        (call("gpt-4o-audio-preview", {"input": 1000, "output": 500, "input_audio": 600}), "unknown_price"),
        (call("gpt-4o-audio-preview", {"input": 1000, "output": 500, "output_audio": 400}), "unknown_price"),
        (call("gpt-4o", {"input": 1000, "input_video": 600}), "unknown_price"),
        (call("gemini-2.5-pro", {"input": 10, "output": 10, "output_audio": 10}), "unknown_price"),
    ],
)
def test_unknown_is_not_zero(span: Span, missing: str | None) -> None:
    assert (span.cost, span.cost_source, span.cost_missing) == (None, None, missing)


def test_an_embedding_is_all_input() -> None:
    assert call("text-embedding-3-small", {"total": 1_000_000}, type="embedding").cost == dollars(
        input="0.02", total="0.02"
    )


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("ollama", "deepseek-r1:8b"),
        ("Ollama", "deepseek-r1:8b"),
        ("ollama.chat", "deepseek-r1:8b"),
        ("ollama_chat", "deepseek-r1:8b"),
        ("vllm", "mistral-large-latest"),
        ("hosted_vllm", "mistral-large-latest"),
        ("lmstudio", "deepseek-chat"),
        ("lm_studio", "deepseek-chat"),
        ("llama_cpp", "deepseek-chat"),
        ("llama.cpp", "deepseek-chat"),
        ("llamacpp", "deepseek-chat"),
        ("sglang", "deepseek-chat"),
        ("tgi", "deepseek-chat"),
        ("huggingface_tgi", "deepseek-chat"),
        ("localai", "gpt-4o"),
        ("triton", "deepseek-chat"),
        ("litellm", "ollama/deepseek-r1:8b"),
        (None, "ollama/deepseek-r1:8b"),
        (None, "ollama_chat/deepseek-r1:8b"),
    ],
)
def test_own_machines_send_no_bill(provider: str | None, model: str) -> None:
    span = call(model, {"input": 1000, "output": 50}, provider)
    assert (span.cost, span.cost_missing, span.provider) == (None, "unknown_model", provider)


def test_a_total_is_all_input_where_output_has_no_price() -> None:
    assert call("text-embedding-3-small", {"total": 1000}).cost == dollars(input="0.00002", total="0.00002")
    assert call("gpt-4o", {"total": 1000}).cost_missing == "no_usage"


def test_paid_types_lack_something_without_usage() -> None:
    missing = {type: call("gpt-4o", None, type=type).cost_missing for type in SPAN_TYPES}
    assert {type for type, reason in missing.items() if reason == "no_usage"} == PAID_TYPES


def test_the_price_list_tells_its_version() -> None:
    assert price_list.list_version() == version("genai-prices")


def test_the_price_is_that_of_the_day() -> None:
    model = price_list.find("openai", "o3")
    assert model is not None
    before, after = (int(datetime(2025, 6, day, tzinfo=UTC).timestamp()) * 10**9 for day in (9, 11))
    rates = [model.at(time) for time in (before, after)]
    assert [rate and rate.rate("input", 1) for rate in rates] == [Decimal("0.00001"), Decimal("0.000002")]


@pytest.mark.parametrize(
    ("moment", "dollars_per_million", "why"),
    [
        ("2026-06-01T02:00", "0.14", "a Monday before there were dearer hours"),
        ("2026-10-05T02:00", "0.30", "a Monday morning in China"),
        ("2026-10-05T04:00", "0.15", "its noon"),
        ("2026-10-05T09:59", "0.30", "its afternoon"),
        ("2026-10-04T02:00", "0.15", "a Sunday"),
    ],
)
def test_the_price_is_that_of_the_hour(moment: str, dollars_per_million: str, why: str) -> None:
    model = price_list.find("deepseek", "deepseek-v4-flash")
    assert model is not None
    rates = model.at(int(datetime.fromisoformat(f"{moment}+00:00").timestamp()) * 10**9)
    assert rates is not None
    assert rates.rate("input", 1) == Decimal(dollars_per_million) / 10**6, why


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ('{"input": 0.001, "total": 0.003}', dollars(input="0.001", total="0.003")),
        ('{"input": 0.1, "output": 0.2}', dollars(input="0.1", output="0.2", total="0.3")),
        ('{"input_tokens": 0.0001, "output_tokens": 0.002}', dollars(input="0.0001", output="0.002", total="0.0021")),
        ('{"input": 0.1, "input_cached_tokens": 0.05}', dollars(input="0.15", input_cache_read="0.05", total="0.15")),
        ('{"input_cost": 0.1, "outputCost": 0.2, "total_cost": 0.3}', dollars(input="0.1", output="0.2", total="0.3")),
        ('{"cost": 0.5}', dollars(cost="0.5", total="0.5")),
        ('{"search": 0.5}', dollars(search="0.5", total="0.5")),
        ('{"input": "NaN", "output": -1, "total": 1e20}', None),
        ('{"total": 0.0000000000005}', dollars(total="0")),
        ('{"total": 0.0000000000015}', dollars(total="0.000000000002")),
        ('{"input": 1e19, "output": 9.9e19}', None),
        ("[]", None),
        ("no json", None),
    ],
)
def test_reported_cost(sent: str, expected: dict[str, Decimal] | None) -> None:
    assert cost.from_details(sent, None) == expected  # type: ignore[arg-type]


def test_a_reported_cost_stays() -> None:
    span = call("gpt-4o", {"input": 1}, cost=dollars(total="9"))
    assert (span.cost, span.cost_source, span.cost_missing) == (dollars(total="9"), "reported", None)


counts = st.integers(0, 10**7)


@given(whole=counts, cached=counts, written=counts, out=counts, reasoned=counts)
def test_parts_never_cost_more_than_their_whole(whole: int, cached: int, written: int, out: int, reasoned: int) -> None:
    usage = from_attributes(
        {
            "input_tokens": whole,
            "output_tokens": out,
            "cache_read.input_tokens": cached,
            "cache_creation.input_tokens": written,
            "reasoning.output_tokens": reasoned,
        }
    )
    assert usage is not None
    assert usage["input"] >= max(whole, cached + written)
    assert usage["total"] == usage["input"] + usage["output"]
    paid = call("claude-sonnet-4-5", usage).cost
    assert paid is not None
    assert paid["total"] == paid["input"] + paid["output"]
    assert paid["input"] >= paid.get("input_cache_read", 0) + paid.get("input_cache_write", 0)
    assert paid["output"] >= paid.get("output_reasoning", 0)


def test_a_total_that_was_not_told_costs_what_its_parts_do() -> None:
    assert call("gpt-4o", {"input": 1000, "output_reasoning": 100}).cost == {
        "input": Decimal("0.0025"),
        "output_reasoning": Decimal("0.001"),
        "output": Decimal("0.001"),
        "total": Decimal("0.0035"),
    }


@pytest.mark.parametrize(
    ("model", "provider"),
    [("gpt-4o", "openai"), ("claude-sonnet-4-5", "anthropic"), ("gemini-2.5-flash", "gcp.gemini"), ("my-own", None)],
)
def test_a_provider_that_was_not_told_is_the_one_whose_prices_hold(model: str, provider: str | None) -> None:
    span = Span("t", "s", 1_790_000_000_000_000_000, type="generation", model=model, usage={"input": 1, "output": 1})
    price(span)
    assert span.provider == provider


def listed(seller: str, model: str) -> Model | None:
    """What the price list itself says of a model, by its name of it or one that it is sold by."""
    provider = next(provider for provider in get_snapshot().providers if provider.id == seller)
    info = next((info for info in provider.models if info.id == model), None) or provider.find_model(model)
    return None if info is None else Model(seller, price_list._listed_prices(provider, info))


@pytest.mark.parametrize(("seller", "model"), published.CORRECTED)
def test_what_is_corrected_is_still_wrong_in_the_list(seller: str, model: str) -> None:
    # The list's own name of a model that Bedrock sells in regions is none of the model's.
    sold = model.replace("regional.", "eu.")
    ours, theirs = price_list.find(seller.replace("x-ai", "x_ai"), sold), listed(seller, model)
    assert ours is not None
    assert theirs is not None
    days = [
        int(datetime(year, month, 1, 20, tzinfo=UTC).timestamp()) * 10**9
        for year in (2025, 2026)
        for month in (1, 5, 11)
    ]
    kinds = [(kind, tokens) for kind in (*KINDS, "request") for tokens in (1, 10**6)]

    def prices(model: Model) -> list[Any]:
        at = [model.at(day) for day in days]
        return [
            rates and (rates.request if kind == "request" else rates.rate(kind, n)) for rates in at for kind, n in kinds
        ]

    assert prices(ours) != prices(theirs), "take it out of published.CORRECTED"


@pytest.mark.parametrize(("seller", "model"), published.ADDED)
def test_what_is_added_is_still_missing_in_the_list(seller: str, model: str) -> None:
    assert listed(seller, model) is None, "take it out of published.ADDED"


#: Differences from the list, beside those of `published`, with their reasons.
UNPRICED = {
    ("openai", "gpt-4o-mini-2024-07-18.ft-"): "Azure's, which bills it by the hour as well",
    ("openai", "gpt-oss-120b"): "not sold by OpenAI",
    ("openai", "gpt-oss-20b"): "not sold by OpenAI",
    ("openai", "gpt-oss-safeguard-20b"): "not sold by OpenAI",
}


@pytest.mark.parametrize("seller", [provider.id for provider in get_snapshot().providers])
def test_every_model_of_the_list_costs_what_its_own_package_says(seller: str) -> None:
    provider = next(provider for provider in get_snapshot().providers if provider.id == seller)
    moment = datetime(2026, 11, 7, 12, tzinfo=UTC)
    usage = Usage(input_tokens=300_000, cache_read_tokens=1000, output_tokens=100)
    different = {}
    for model in provider.models:
        told = vars(model.get_prices(moment))
        named = provider.find_model(model.id)
        if "input_mtok" not in told or named is not model or (seller, model.id) in {*published.CORRECTED, *UNPRICED}:
            continue
        span = call(
            model.id,
            {"input": 300_000, "input_cache_read": 1000, "output": 100},
            price_list._NAMES.get(seller, seller),
            start_time=int(moment.timestamp()) * 10**9,
        )
        total = None if span.cost is None else span.cost["total"]
        expected = model.calc_price(usage, provider, genai_request_timestamp=moment).total_price
        if total is None or abs(total - expected) > Decimal("1e-9"):
            different[model.id] = (total, expected, span.cost_missing)
    assert different == {}


names = st.text(st.sampled_from("abgpt4o-/:.@[]{}us1é\x00 ")) | st.text()


@given(
    model=names,
    provider=st.none() | st.sampled_from(["openai", "aws.bedrock", "openrouter", "x"]) | names,
    tier=st.none() | st.sampled_from(["batch", "flex", "default"]) | names,
    usage=st.none()
    | st.dictionaries(st.sampled_from([*KINDS, "web_search", "search", "total", "input_flex"]) | names, counts),
    host=st.none() | names,
    type=st.sampled_from(SPAN_TYPES),
)
def test_whatever_is_sent_has_a_cost_or_a_reason(
    model: str, provider: str | None, tier: str | None, usage: dict[str, int] | None, host: str | None, type: str
) -> None:
    span = Span("t", "s", TIME, type=type, model=model, provider=provider, usage=usage, service_tier=tier)
    span.server_address = host
    price(span)
    assert (span.cost is None) == (span.cost_source is None) == (span.cost_rule is None)
    assert span.cost is None or (span.cost_missing is None and span.cost["total"] >= 0)
    assert span.cost is not None or span.cost_missing is not None or type not in PAID_TYPES


def test_a_reranker_billed_by_the_search_has_no_cost_until_the_searches_are_told() -> None:
    span = Span("t", "s", TIME, type="reranker", model="rerank-v3.5", provider="cohere", usage={"input": 10})
    price(span)
    assert (span.cost, span.cost_source, span.cost_missing) == (None, None, None)
    span.usage = {"input": 10, "search": 2}
    price(span)
    assert span.cost is not None
    assert span.cost["total"] == Decimal("0.004")
