"""What the attributes of Genscope's own SDK become, among those of other libraries."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from genscope.model import LEVELS, SPAN_TYPES
from genscope.sdk import attributes
from tests.test_conventions import START, span

KINDS = '{"input":1000,"input_cache_read":800,"output":50}'


@pytest.mark.parametrize(
    ("field", "attributes", "expected"),
    [
        ("type", {"genscope.type": "generation"}, "generation"),
        ("type", {"genscope.type": "span", "gen_ai.request.model": "gpt-4o"}, "span"),
        ("type", {"genscope.type": "spam"}, "span"),
        ("type", {"genscope.type": "tool", "langfuse.observation.type": "agent"}, "tool"),
        ("level", {"genscope.level": "WARNING"}, "WARNING"),
        ("status_message", {"genscope.status_message": "late"}, "late"),
        ("model", {"gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024"}, "gpt-4o-2024"),
        ("input", {"genscope.input": '[{"a":1}]', "input.value": "other"}, '[{"a":1}]'),
        ("output", {"genscope.output": "said", "gen_ai.completion": "other"}, "said"),
        ("input", {"genscope.input": "mine", "gen_ai.tool.definitions": '[{"name":"f"}]'}, "mine"),
        # A program's own words leave parts out of the whole, as Langfuse has it; an answer's are Genscope's.
        ("usage", {"genscope.usage": KINDS}, {"input": 1800, "input_cache_read": 800, "output": 50, "total": 1850}),
        (
            "usage",
            {"genscope.usage": f'{{"totals":{KINDS}}}'},
            {"input": 1000, "input_cache_read": 800, "output": 50, "total": 1050},
        ),
        (
            "usage",
            {"genscope.usage": '{"prompt_tokens":9,"completion_tokens":1}'},
            {"input": 9, "output": 1, "total": 10},
        ),
        ("usage", {"genscope.usage": "[9]"}, None),
        ("service_tier", {"genscope.model_parameters": '{"service_tier":"flex"}'}, "flex"),
        ("cost", {"genscope.cost": '{"total":0.5}'}, {"total": Decimal("0.5")}),
        ("model_parameters", {"genscope.model_parameters": '{"temperature":1.0}'}, {"temperature": 1}),
        ("completion_start_time", {"genscope.completion_start_time": START + 7}, START + 7),
        ("completion_start_time", {"genscope.completion_start_time": True}, None),
        ("metadata", {"genscope.metadata.a": "[1]", "genscope.metadata.b": '"[1]"'}, {"a": [1], "b": "[1]"}),
        ("metadata", {"genscope.metadata.a": 1.5, "genscope.metadata.b": "{cut"}, {"a": 1.5, "b": "{cut"}),
        ("metadata", {"genscope.metadata": '{"a":null}', "genscope.metadata.b": True}, {"a": None, "b": True}),
        ("metadata", {"genscope.metadata": "as it is"}, {"metadata": "as it is"}),
        ("trace_metadata", {"genscope.trace.metadata.plan": "pro"}, {"plan": "pro"}),
        ("tags", {"genscope.tags": ["a", "b"]}, ["a", "b"]),
        ("version", {"genscope.version": "7"}, "7"),
        ("release", {"genscope.release": "2.4"}, "2.4"),
        ("trace_public", {"genscope.trace.public": True}, True),
        ("is_root", {"genscope.root": True}, True),
        ("user_id", {"user.id": "alice"}, "alice"),
        ("environment", {"deployment.environment.name": "test"}, "test"),
    ],
)
def test_field(field: str, attributes: dict[str, Any], expected: Any) -> None:
    assert getattr(span(attributes), field) == expected


def test_prompts_are_of_generations() -> None:
    prompt = {"genscope.prompt.name": "reply", "genscope.prompt.version": "3"}
    told = span({"genscope.type": "generation", **prompt})
    assert (told.prompt_name, told.prompt_version) == ("reply", "3")


def test_what_became_a_field_is_not_kept_twice() -> None:
    told = span({"genscope.type": "span", "genscope.input": "x", "genscope.metadata.a": 1, "genscope.usage": KINDS})
    assert told.attributes == {"genscope.type": "span", "genscope.usage": KINDS}
    assert (told.type_rule, told.usage_rule) == ("genscope genscope.type", "genscope genscope.usage")


def test_the_sdk_and_the_server_know_the_same_types_and_levels() -> None:
    """Each has them for itself, since the SDK imports nothing of the server."""
    assert set(SPAN_TYPES) == attributes.TYPES
    assert set(LEVELS) == attributes.LEVELS
