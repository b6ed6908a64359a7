"""The one conversation that every path tells Genscope about, what each provider counts for it, and what that costs.

A customer asks where an order is; the model asks for a tool (the first call), and answers with what the tool returned
(the second). Programs get it as JSON, `told`, so that it stands here only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

SYSTEM = "You answer customers of a bookshop. Look an order up before you speak of it."
QUESTION = "Where is my order 4711? Grüße 📦"
TOOL_NAME = "get_order"
TOOL_DESCRIPTION = "Look up an order of the bookshop."
TOOL_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"order_id": {"type": "string", "description": "The number of the order."}},
    "required": ["order_id"],
    "additionalProperties": False,
}
ARGUMENTS = {"order_id": "4711"}
#: What the tool returns: a text, since a provider takes nothing else.
RESULT = "Order 4711: shipped on Friday with DHL."
ANSWER = "Your order 4711 is on its way: it was shipped with DHL on Friday. 📦"


@dataclass(frozen=True)
class Call:
    """What one call uses, in Genscope's vocabulary (totals include their parts), and its price in US dollars."""

    usage: dict[str, int]
    cost: Decimal


@dataclass(frozen=True)
class Provider:
    """A provider: its name as OpenTelemetry spells it, the model as the answer names it, and both calls."""

    name: str
    model: str
    call_id: str
    calls: tuple[Call, Call]


#: By hand from the providers' price lists, in dollars for a million tokens.
PROVIDERS = {
    # input 0.25, cached 0.025, output 2: 156 * 0.25 + 1024 * 0.025 + 92 * 2; 158 * 0.25 + 1152 * 0.025 + 104 * 2
    "openai": Provider(
        "openai",
        "gpt-5-mini-2025-08-07",
        "call_order4711",
        (
            Call(
                {"input": 1180, "output": 92, "total": 1272, "input_cache_read": 1024, "output_reasoning": 64},
                Decimal("0.0002486"),
            ),
            Call(
                {"input": 1310, "output": 104, "total": 1414, "input_cache_read": 1152, "output_reasoning": 64},
                Decimal("0.0002763"),
            ),
        ),
    ),
    # input 3, read 0.3, write 3.75, output 15: 60 * 3 + 1024 * 0.3 + 120 * 3.75 + 48 * 15; 35, 1144, 90 and 30
    "anthropic": Provider(
        "anthropic",
        "claude-sonnet-4-5-20250929",
        "toolu_order4711",
        (
            Call(
                {"input": 1204, "output": 48, "total": 1252, "input_cache_read": 1024, "input_cache_write": 120},
                Decimal("0.0016572"),
            ),
            Call(
                {"input": 1269, "output": 30, "total": 1299, "input_cache_read": 1144, "input_cache_write": 90},
                Decimal("0.0012357"),
            ),
        ),
    ),
    # input 0.3, cached 0.03, output 2.5: 156 * 0.3 + 1024 * 0.03 + 92 * 2.5; 158, 1152 and 104
    "gemini": Provider(
        "gcp.gemini",
        "gemini-2.5-flash",
        "",
        (
            Call(
                {"input": 1180, "output": 92, "total": 1272, "input_cache_read": 1024, "output_reasoning": 64},
                Decimal("0.00030752"),
            ),
            Call(
                {"input": 1310, "output": 104, "total": 1414, "input_cache_read": 1152, "output_reasoning": 64},
                Decimal("0.00034196"),
            ),
        ),
    ),
    # In a region: input 3.3, read 0.33, write 4.125, output 16.5; counts as Anthropic's
    "bedrock": Provider(
        "aws.bedrock",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "tooluse_order4711",
        (
            Call(
                {"input": 1204, "output": 48, "total": 1252, "input_cache_read": 1024, "input_cache_write": 120},
                Decimal("0.00182292"),
            ),
            Call(
                {"input": 1269, "output": 30, "total": 1299, "input_cache_read": 1144, "input_cache_write": 90},
                Decimal("0.00135927"),
            ),
        ),
    ),
}


def told(provider: Provider) -> str:
    """Return what a program has to know, as JSON."""
    return json.dumps(
        {
            "model": provider.model,
            "system": SYSTEM,
            "question": QUESTION,
            "tool": {"name": TOOL_NAME, "description": TOOL_DESCRIPTION, "parameters": TOOL_PARAMETERS},
            "result": RESULT,
        }
    )
