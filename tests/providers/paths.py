"""Every path from a provider's answer to a span that is tried: an SDK, an instrumentation, a framework."""

from __future__ import annotations

from tests.providers import framework_paths
from tests.providers.path import (
    STREAMED,
    WITH_MESSAGES,
    Difference,
    Path,
    both,
    costing,
    counting_first_token_twice,
    saying,
    with_item_id,
    without_call_id,
    without_instructions,
    without_usage,
)

#: Anthropic's SDK tells messages only if it is asked to.
WITH_CONTENT = {"ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content"}

OPENAI = [
    Path("`langfuse.openai`, chat", "openai", "instrumented", "langfuse", "openai_chat.py", ("langfuse",)),
    Path("`langfuse.openai`, responses", "openai", "instrumented", "langfuse", "openai_responses.py", ("langfuse",)),
    Path(
        "`langfuse.openai` of version 3, chat",
        "openai",
        "langfuse-3.15.0",
        "langfuse",
        "openai_chat.py",
        ("langfuse",),
        differences=(Difference("drops the id of a tool's call from a stream", without_call_id, STREAMED),),
    ),
    Path(
        "`langfuse.openai` of version 3, responses",
        "openai",
        "langfuse-3.15.0",
        "langfuse",
        "openai_responses.py",
        ("langfuse",),
        differences=(Difference("does not tell `instructions`", saying(without_instructions)),),
    ),
    Path(
        "OpenInference OpenAI, chat",
        "openai",
        "instrumented",
        "openinference-instrumentation-openai",
        "openai_chat.py",
        ("openinference",),
    ),
    Path(
        "OpenInference OpenAI, responses",
        "openai",
        "instrumented",
        "openinference-instrumentation-openai",
        "openai_responses.py",
        ("openinference",),
    ),
    Path(
        "OpenInference OpenAI Agents",
        "openai",
        "instrumented",
        "openinference-instrumentation-openai-agents",
        "openai_agents.py",
    ),
    Path(
        "OpenLLMetry OpenAI, chat",
        "openai",
        "instrumented",
        "opentelemetry-instrumentation-openai",
        "openai_chat.py",
        ("openllmetry",),
        differences=(
            Difference("does not tell the reasoning tokens of a stream", without_usage("output_reasoning"), STREAMED),
        ),
    ),
    Path(
        "OpenLLMetry OpenAI, responses",
        "openai",
        "instrumented",
        "opentelemetry-instrumentation-openai",
        "openai_responses.py",
        ("openllmetry",),
        differences=(Difference("gives a tool's call the id of its item, not `call_id`", saying(with_item_id)),),
    ),
    Path(
        "`opentelemetry-instrumentation-genai-openai`, chat",
        "openai",
        "instrumented",
        "opentelemetry-instrumentation-genai-openai",
        "openai_chat.py",
        ("genai-openai",),
        WITH_MESSAGES,
    ),
    Path(
        "`opentelemetry-instrumentation-genai-openai`, responses",
        "openai",
        "instrumented",
        "opentelemetry-instrumentation-genai-openai",
        "openai_responses.py",
        ("genai-openai",),
        WITH_MESSAGES,
    ),
    Path(
        "`opentelemetry-instrumentation-openai-v2`",
        "openai",
        "openai-v2",
        "opentelemetry-instrumentation-openai-v2",
        "openai_chat.py",
        ("openai-v2",),
        WITH_MESSAGES,
        differences=(
            Difference(
                "tells neither cached nor reasoning tokens, so that all input seems to cost the full price",
                both(without_usage("input_cache_read", "output_reasoning"), costing("0.000479", "0.0005355")),
            ),
        ),
    ),
]
ANTHROPIC = [
    Path(
        "Anthropic's SDK by itself",
        "anthropic",
        "instrumented",
        "anthropic",
        "anthropic_messages.py",
        ("none",),
        WITH_CONTENT,
    ),
    Path(
        "OpenInference Anthropic",
        "anthropic",
        "instrumented",
        "openinference-instrumentation-anthropic",
        "anthropic_messages.py",
        ("openinference",),
    ),
    Path(
        "OpenLLMetry Anthropic",
        "anthropic",
        "instrumented",
        "opentelemetry-instrumentation-anthropic",
        "anthropic_messages.py",
        ("openllmetry",),
        differences=(
            Difference(
                "counts the first token of a stream twice (the trace's total is right: it takes the SDK's own count)",
                counting_first_token_twice,
                STREAMED,
            ),
        ),
    ),
]
LANGCHAIN = [
    Path(
        f"{teller} {form}, {api}",
        api.partition("-")[0],
        "instrumented",
        package,
        "langchain_models.py",
        (api, form, teller),
    )
    for teller, package in (("OpenInference", "openinference-instrumentation-langchain"), ("Langfuse", "langfuse"))
    for form in ("LangChain", "LangGraph")
    for api in ("openai", "openai-responses", "anthropic")
]
PATHS = [*OPENAI, *ANTHROPIC, *LANGCHAIN, *framework_paths.PATHS]
