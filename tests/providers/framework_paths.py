"""Paths from Gemini and Bedrock, and of frameworks that tell of themselves."""

from __future__ import annotations

from dataclasses import replace

from tests.providers.conversation import ANSWER
from tests.providers.path import (
    PLAIN,
    STREAMED,
    WITH_MESSAGES,
    Difference,
    Path,
    both,
    costing,
    saying,
    telling,
    without_cache,
    without_call_id,
    without_usage,
)
from tests.providers.seen import Change, Said, Saying
from tests.providers.wire import pieces

#: The environments of these programs.
CLOUDS, LITELLM_LLAMA = "gemini-bedrock-pydantic-ai", "litellm-llama-index"


def altering(kind: str, **fields: object) -> Change:
    """Parts of one kind with other values."""

    def alter(said: Saying) -> Saying:
        role, part = said
        return role, part | fields if part["type"] == kind else part

    return saying(alter)


def answering(kind: str, **fields: object) -> Change:
    """The same in what the model answered alone."""
    change = altering(kind, **fields)
    return lambda calls: [replace(new, input=old.input) for new, old in zip(change(calls), calls, strict=True)]


def marking(value: dict[str, object]) -> Change:
    """A part of the SDK's own before the tool's call, where it is repeated in the second request."""

    def marked(said: Said) -> Said:
        return [*said[:2], ("assistant", {"type": "json", "value": value}), *said[2:]] if said[2:] else said

    return lambda calls: [replace(call, input=marked(call.input)) for call in calls]


GEMINI = [
    Path(
        "OpenInference Google GenAI",
        "gemini",
        CLOUDS,
        "openinference-instrumentation-google-genai",
        "google_genai.py",
        ("openinference",),
    ),
    Path(
        "OpenLLMetry Google Generative AI",
        "gemini",
        CLOUDS,
        "opentelemetry-instrumentation-google-generativeai",
        "google_genai.py",
        ("openllmetry",),
        differences=(
            Difference("names Google, not which of its APIs", telling(provider="gcp.gen_ai")),
            Difference("does not tell whose a tool's result is", altering("tool_result", name=None)),
            Difference(
                "tells the last piece of a streamed text alone", answering("text", text=pieces(ANSWER)[-1]), STREAMED
            ),
        ),
    ),
    Path(
        "OpenTelemetry Google GenAI",
        "gemini",
        CLOUDS,
        "opentelemetry-instrumentation-google-genai",
        "google_genai.py",
        ("opentelemetry",),
        WITH_MESSAGES,
        differences=(
            Difference(
                "makes up an id for the call, where Gemini gives none",
                both(altering("tool_call", id="get_order_0"), altering("tool_result", id="get_order_0")),
            ),
        ),
    ),
]

OF_ANSWER = Difference("names the model as the answer does", telling(model="claude-sonnet-4-5-20250929"))
IN_LOGS = Difference("tells messages in log records alone", telling(input=[], output=[], tool_calls=[]))
NO_CACHE = both(without_cache, costing("0.00099", "0.0006105"))
BEDROCK = [
    *(
        Path(
            f"OpenInference Bedrock, {api}",
            "bedrock",
            CLOUDS,
            "openinference-instrumentation-bedrock",
            "bedrock.py",
            ("openinference", api),
            differences=differences,
        )
        for api, differences in (("converse", ()), ("invoke", (OF_ANSWER,)))
    ),
    *(
        Path(
            f"OpenLLMetry Bedrock, {api}",
            "bedrock",
            CLOUDS,
            "opentelemetry-instrumentation-bedrock",
            "bedrock.py",
            ("openllmetry", api),
            differences=differences,
        )
        for api, differences in (
            (
                "converse",
                (
                    Difference(
                        "names the model without its region and maker", telling(model="claude-sonnet-4-5-20250929-v1:0")
                    ),
                ),
            ),
            (
                "invoke",
                (
                    OF_ANSWER,
                    Difference("does not tell what a stream's request cached", NO_CACHE, STREAMED),
                    Difference(
                        "loses the arguments of a streamed call", answering("tool_call", arguments={}), STREAMED
                    ),
                ),
            ),
        )
    ),
    *(
        Path(
            f"OpenTelemetry botocore, {api}",
            "bedrock",
            CLOUDS,
            "opentelemetry-instrumentation-botocore",
            "bedrock.py",
            ("opentelemetry", api),
            {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"},
            differences=differences,
        )
        for api, differences in (
            ("converse", (IN_LOGS,)),
            ("invoke", (IN_LOGS, Difference("does not tell what was cached", NO_CACHE))),
        )
    ),
]

PYDANTIC_AI = [
    Path(
        f"Pydantic AI, format {form}, {api}",
        api.partition("-")[0],
        CLOUDS,
        "pydantic-ai-slim",
        "pydantic_ai_agent.py",
        (api, form),
    )
    for form, apis in (("2", ["openai"]), ("5", ["openai", "openai-responses", "anthropic"]), ("6", ["openai"]))
    for api in apis
]

ANSWERS_WITHOUT_ID = (Difference("does not tell the id of an answer's call", without_call_id),)
LITELLM = [
    Path(
        f"LiteLLM, `{callback}`{how}",
        "openai",
        LITELLM_LLAMA,
        "litellm",
        "litellm_chat.py",
        (callback,),
        # Its own price list from the package, and spans of its own beside those of the program
        {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "USE_OTEL_LITELLM_REQUEST_SPAN": "true", **variables},
        differences=(Difference("tells the cost by its own list", telling(cost_source="reported")), *differences),
    )
    for callback, how, variables, differences in (
        ("otel", "", {}, ANSWERS_WITHOUT_ID),
        ("otel", ", newest conventions", WITH_MESSAGES, ANSWERS_WITHOUT_ID),
        ("langfuse_otel", "", {}, ()),
    )
]

LLAMA_INDEX = [
    Path(
        "OpenInference LlamaIndex",
        "openai",
        LITELLM_LLAMA,
        "openinference-instrumentation-llama-index",
        "llama_index_agent.py",
    )
]

NO_DETAILS = Difference(
    "tells neither cached nor reasoning tokens of an answer at once, so that all input is priced in full",
    both(without_usage("input_cache_read", "output_reasoning"), costing("0.000479", "0.0005355")),
    PLAIN,
)
NO_REASONING = Difference("does not tell reasoning from other output", without_usage("output_reasoning"))
STARTED = {
    "id": "msg_order4711turn0",
    "model": "claude-sonnet-4-5-20250929",
    "usage": {
        "service_tier": "standard",
        "input_tokens": 60,
        "cache_creation_input_tokens": 120,
        "cache_read_input_tokens": 1024,
        "cache_creation": {"ephemeral_5m_input_tokens": 120, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 1,
    },
}
MARK = "shows a marker of the SDK's own among the messages of a stream"
MARKED = Difference(MARK, marking({"type": "custom"}), STREAMED)
MARKED_OLD = Difference(
    MARK,
    marking({"type": "custom", "kind": "anthropic.message_start", "providerOptions": {"anthropic": STARTED}}),
    STREAMED,
)
AI_SDK = [
    Path(
        f"AI SDK {form[0]}{how}, {api}",
        api.partition("-")[0],
        "node",
        package,
        "../node/ai_sdk.mjs",
        (form, api, taker),
        differences=differences,
    )
    for package, form, how, api, taker, differences in (
        ("ai-5", "5", "", "openai", "otlp", (NO_DETAILS,)),
        ("ai-5", "5", "", "openai-responses", "otlp", (NO_DETAILS,)),
        ("ai-5", "5", "", "anthropic", "otlp", ()),
        ("ai-6", "6", "", "openai", "otlp", ()),
        ("ai-6", "6", "", "openai-responses", "otlp", ()),
        ("ai-6", "6", "", "anthropic", "otlp", ()),
        ("ai", "7", "", "openai", "otlp", (NO_REASONING,)),
        ("ai", "7", "", "openai-responses", "otlp", (NO_REASONING,)),
        ("ai", "7", "", "anthropic", "otlp", (MARKED,)),
        ("ai", "7", ", `LangfuseSpanProcessor`", "openai", "langfuse", (NO_REASONING,)),
        ("ai", "7-legacy", ", older attributes", "openai", "otlp", ()),
        ("ai", "7-legacy", ", older attributes", "anthropic", "otlp", (MARKED_OLD,)),
    )
]

PATHS = [*GEMINI, *BEDROCK, *PYDANTIC_AI, *LITELLM, *LLAMA_INDEX, *AI_SDK]
