"""Which tier of service a span tells, in every dialect that tells one, and what the tier costs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genscope.conventions import to_span
from genscope.model import RawSpan, Resource, Scope

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
