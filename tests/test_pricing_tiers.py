"""Which tier of service a span tells, in every dialect that tells one, and what the tier costs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from genscope.conventions import to_span
from genscope.model import RawSpan, Resource, Scope, Span
from genscope.pricing import price, price_list

BEGIN = 1_795_000_000_000_000_000


def tier(attributes: dict[str, Any]) -> str | None:
    return to_span(
        RawSpan("t", "s", None, "call", BEGIN, BEGIN + 1, attributes, Resource(), Scope()), BEGIN
    ).service_tier


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"gen_ai.response.model": "gpt-5"}, None),
        ({"openai.response.service_tier": "flex"}, "flex"),
        ({"gen_ai.openai.response.service_tier": "default"}, "default"),
        ({"gen_ai.response.service_tier": "Priority"}, "priority"),
        # what was given, not what was asked for
        ({"openai.request.service_tier": "priority", "openai.response.service_tier": "default"}, "default"),
        ({"gen_ai.openai.request.service_tier": "flex"}, "flex"),
        ({"openai.request.service_tier": "auto"}, None),
        # Anthropic's usage object tells it among the counts
        ({"langfuse.observation.usage_details": json.dumps({"input_tokens": 3, "service_tier": "batch"})}, "batch"),
        (
            {
                "langfuse.observation.usage_details": json.dumps(
                    {"input_tokens": 3, "service_tier": "standard", "speed": "fast"}
                )
            },
            "fast",
        ),
        (
            {
                "langfuse.observation.usage_details": json.dumps(
                    {"input_tokens": 3, "service_tier": "batch", "speed": "standard"}
                )
            },
            "batch",
        ),
        ({"langfuse.observation.model.parameters": json.dumps({"service_tier": "flex"})}, "flex"),
        ({"langfuse.observation.model.parameters": json.dumps({"service_tier": "auto"})}, None),
        ({"langfuse.observation.metadata.service_tier": "batch"}, "batch"),
        ({"langfuse.observation.metadata.service_tier": '"batch"'}, "batch"),
        ({"ai.response.providerMetadata": json.dumps({"openai": {"serviceTier": "priority"}})}, "priority"),
        (
            {"ai.response.providerMetadata": json.dumps({"anthropic": {"usage": {"service_tier": "standard"}}})},
            "standard",
        ),
        (
            {
                "ai.response.providerMetadata": json.dumps(
                    {"google": {"usageMetadata": {"trafficType": "ON_DEMAND_PRIORITY"}}}
                )
            },
            "priority",
        ),
        ({"llm.invocation_parameters": json.dumps({"service_tier": "flex"})}, "flex"),
        ({"llm.invocation_parameters.service_tier": "priority"}, "priority"),
        # the answer of the Responses API as a whole
        (
            {
                "llm.invocation_parameters": json.dumps({"service_tier": "auto"}),
                "output.value": json.dumps({"id": "resp_1", "service_tier": "default", "output": []}),
            },
            "default",
        ),
        # somebody else's words
        ({"output.value": 'the "service_tier" may be "flex"'}, None),
        ({"output.value": json.dumps({"text": '{"service_tier": "flex"}'})}, None),
        ({"openai.response.service_tier": ["flex"]}, None),
        ({"openai.response.service_tier": "x" * 65}, None),
    ],
)
def test_a_span_tells_its_tier(attributes: dict[str, Any], expected: str | None) -> None:
    assert tier(attributes) == expected


def applied(provider: str, model: str, service_tier: str | None, day: str = "2026-11-02") -> tuple[str | None, ...]:
    """Which price a call is charged (without the list's name) and what is missing if none is."""
    start = int(datetime.fromisoformat(f"{day}T12:00+00:00").timestamp()) * 10**9
    span = Span("t", "s", start, type="generation", model=model, provider=provider, usage={"input": 100, "output": 10})
    span.service_tier = service_tier
    price(span)
    return span.cost_rule and span.cost_rule.removeprefix(
        f"genai-prices {price_list.list_version()} "
    ), span.cost_missing


@pytest.mark.parametrize(
    ("provider", "model", "service_tier", "day", "rule", "why"),
    [
        ("openai", "gpt-5", None, "2026-11-02", "openai/gpt-5", "no tier is the standard one"),
        ("openai", "gpt-5", "default", "2026-11-02", "openai/gpt-5", "OpenAI's name of it"),
        ("anthropic", "claude-opus-4-5", "standard", "2026-11-02", "anthropic/claude-opus-4-5", "Anthropic's"),
        ("groq", "llama-3.1-8b-instant", "on_demand", "2026-11-02", "groq/llama-3.1-8b-instant", "Groq's"),
        ("openai", "gpt-5", "flex", "2026-11-02", "openai/gpt-5 flex", "as listed"),
        ("openai", "gpt-5", "flex", "2025-09-01", "openai/gpt-5 flex", "the standard price was the same before"),
        ("openai", "o3", "priority", "2025-05-01", None, "the standard price was another, nobody knows this one's"),
        ("openai", "o3", "batch", "2025-05-01", "published openai/o3 batch", "half of whatever it was"),
        ("openai", "gpt-4o", "flex", "2026-11-02", None, "has no such tier"),
        ("openai", "gpt-5", "scale", "2026-11-02", None, "paid by capacity"),
        ("anthropic", "claude-opus-4-5", "priority", "2026-11-02", None, "paid by capacity"),
        ("anthropic", "claude-opus-5", "fast", "2026-11-02", "anthropic/claude-opus-5 fast", "a dearer one"),
        ("anthropic", "claude-3-haiku-20240307", "batch", "2025-01-01", "anthropic/claude-3-haiku batch", "half, too"),
        (
            "gcp.gemini",
            "gemini-2.5-pro",
            "batch",
            "2025-09-01",
            "google/gemini-2.5-pro batch",
            "the price was the same",
        ),
        ("gcp.gemini", "gemini-2.5-pro", "priority", "2026-11-02", None, "not in the list"),
        ("azure.ai.openai", "gpt-4o", "priority", "2026-11-02", None, "OpenAI's price is not Azure's"),
        ("aws.bedrock", "amazon.nova-pro-v1:0", "flex", "2026-11-02", None, "not in the list"),
        ("mistral_ai", "mistral-large-2411", "batch", "2025-01-01", "mistral/mistral-large batch", "half"),
    ],
)
def test_what_a_tier_costs(
    provider: str, model: str, service_tier: str | None, day: str, rule: str | None, why: str
) -> None:
    assert applied(provider, model, service_tier, day) == (rule, None if rule else "unknown_price"), why
