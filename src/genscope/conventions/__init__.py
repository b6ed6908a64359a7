"""From a span as sent to a span in Genscope's own vocabulary.

Each dialect is a module with a `TABLE`; this one says which dialect wins, field by field, and puts the span together.
Sources of the precedence: section 4 of Langfuse's mapping of OpenTelemetry spans, which users know; see
docs/conventions.md for where Genscope differs and why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from genscope.conventions import (
    flue,
    gen_ai,
    genkit,
    genscope,
    google_adk,
    langfuse,
    langsmith,
    lemma,
    litellm,
    livekit,
    maxim,
    mlflow,
    openinference,
    otel,
    pydantic_ai,
    semantic_kernel,
    traceloop,
    vercel_ai,
)
from genscope.conventions.table import Rules, Table
from genscope.conventions.tools import called, offered
from genscope.model import Attributes, RawSpan, Span

#: The dialects by their names, the most specific first. A field asks them in this order, unless `PRECEDENCE` says otherwise.
DIALECTS: Final[Mapping[str, Table]] = {
    "genscope": genscope.TABLE,
    "langfuse": langfuse.TABLE,
    "gen_ai": gen_ai.TABLE,
    "genkit": genkit.TABLE,
    "vercel_ai": vercel_ai.TABLE,
    "flue": flue.TABLE,
    "openinference": openinference.TABLE,
    "traceloop": traceloop.TABLE,
    "google_adk": google_adk.TABLE,
    "pydantic_ai": pydantic_ai.TABLE,
    "litellm": litellm.TABLE,
    "livekit": livekit.TABLE,
    "mlflow": mlflow.TABLE,
    "langsmith": langsmith.TABLE,
    "semantic_kernel": semantic_kernel.TABLE,
    "lemma": lemma.TABLE,
    "maxim": maxim.TABLE,
    "otel": otel.TABLE,
}

#: Fields for which the dialects take turns: the sources in order, the best first.
PRECEDENCE: Final[Mapping[str, Sequence[str]]] = {
    "name": (
        "gen_ai.tool.name",
        "genkit:name",
        "logfire.msg",
        "ai.toolCall.name",
        "ai.operationId",
        "langsmith.trace.name",
        "@name",
    ),
    "type": (
        "genscope.type",
        "langfuse.observation.type",
        "openinference.span.kind",
        "langsmith.span.kind",
        "span.type",
        "gen_ai.operation.name",
        "llm.request.type",
        "genkit:metadata:subtype",
        "operation.name",
        "ai.operationId",
        "gen_ai.tool.name",
        "gen_ai.tool.call.id",
        "flue.tool.name",
        "flue.tool.call_id",
        "flue.task.agent",
        "flue.task.prompt",
        "flue.task.result",
        "traceloop.span.kind",
        "@livekit",
        "langfuse.observation.model.name",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "llm.model_name",
        "model",
    ),
    "model": (
        "langfuse.observation.model.name",
        "gen_ai.response.model",
        "ai.response.model",
        "ai.model.id",
        "gen_ai.request.model",
        "llm.response.model_name",
        "llm.response.model",
        "llm.model_name",
        "llm.request.model_name",
        "model",
        "genkit:name",
    ),
    "model_parameters": (
        "genscope.model_parameters",
        "@vercel_ai",
        "langfuse.observation.model.parameters",
        "genkit:input",
        "llm.invocation_parameters",
        "gen_ai.request.*",
        "llm.invocation_parameters.*",
    ),
    "usage": (
        "genscope.usage",
        "langfuse.observation.usage_details",
        "metadata.usage_object",
        "langsmith.usage_metadata",
        "gen_ai.completion",
        "gen_ai.usage.input_token_details",
        "gen_ai.usage.output_token_details",
        "genkit:output",
        "ai.usage.*",
        "ai.response.providerMetadata",
        "gcp.vertex.agent.llm_response",
        "gen_ai.usage.*",
    ),
    # What the provider gave before what was asked for
    "service_tier": (
        "langfuse.observation.usage_details",
        "gen_ai.response.service_tier",
        "openai.response.service_tier",
        "gen_ai.openai.response.service_tier",
        "gen_ai.usage.service_tier",
        "ai.response.providerMetadata",
        "gcp.vertex.agent.llm_response",
        "langfuse.observation.metadata.service_tier",
        "langfuse.observation.metadata",
        "langfuse.observation.output",
        "output.value",
        "langfuse.observation.model.parameters",
        "llm.invocation_parameters",
    ),
    "cost": ("genscope.cost", "langfuse.observation.cost_details", "gen_ai.usage.cost"),
    "provider": ("gen_ai.provider.name", "langsmith.metadata.ls_provider", "gen_ai.system"),
    "level": (
        "genscope.level",
        "langfuse.observation.level",
        "@status",
        "genkit:state",
        "tool.status",
        "@livekit",
        "@default",
    ),
    "user_id": ("langfuse.user.id", "user.id"),
    "session_id": (
        "lemma.thread_id",
        "langfuse.trace.metadata.lemma.thread_id",
        "langfuse.session.id",
        "session.id",
        "gen_ai.conversation.id",
    ),
    "input": (
        "genscope.input",
        "langfuse.observation.input",
        "genkit:input",
        "flue.turn.input",
        "flue.tool.arguments",
        "flue.task.prompt",
        "flue.workflow.payload",
        "@event gen_ai.client.inference.operation.details",
        "@events gen_ai.*.message",
        "@event gen_ai.content.prompt",
        "gcp.vertex.agent.llm_request",
        "gcp.vertex.agent.tool_call_args",
        "prompt",
        "lk.input_text",
        "lk.user_transcript",
        "lk.chat_ctx",
        "events",
        "mlflow.spanInputs",
        "traceloop.entity.input",
        "input.value",
        "input",
        "pydantic_ai.all_messages",
        "tool_arguments",
        "gen_ai.prompt.*",
        "gen_ai.prompt",
        "llm.input_messages.*",
        "gen_ai.input.messages",
        "gen_ai.tool.call.arguments",
    ),
    "output": (
        "genscope.output",
        "langfuse.observation.output",
        "genkit:output",
        "flue.turn.output",
        "flue.tool.result",
        "flue.task.result",
        "flue.operation.result",
        "flue.workflow.result",
        "@event gen_ai.client.inference.operation.details",
        "@events gen_ai.choice",
        "@event gen_ai.content.completion",
        "gcp.vertex.agent.llm_response",
        "gcp.vertex.agent.tool_response",
        "all_messages_events",
        "lk.function_tool.output",
        "lk.response.text",
        "events",
        "mlflow.spanOutputs",
        "traceloop.entity.output",
        "output.value",
        "output",
        "final_result",
        "tool_response",
        "gen_ai.completion.*",
        "gen_ai.completion",
        "llm.output_messages.*",
        "gen_ai.output.messages",
        "gen_ai.tool.call.result",
    ),
}

#: Scopes with an order of their own: what other attributes hold is not taken for their input or output.
SCOPES: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "ai": {
        "input": (
            "genscope.input",
            "langfuse.observation.input",
            "ai.prompt.messages",
            "ai.prompt",
            "ai.toolCall.args",
            "ai.values",
            "ai.value",
            "ai.documents",
            "gen_ai.input.messages",
            "gen_ai.tool.call.arguments",
        ),
        "output": (
            "genscope.output",
            "langfuse.observation.output",
            "ai.response.*",
            "ai.result.*",
            "ai.toolCall.result",
            "ai.ranking",
            "gen_ai.output.messages",
            "gen_ai.tool.call.result",
        ),
    },
    # Its values are Python's own words for the objects, its flattened messages what was said.
    "openinference.instrumentation.llama_index": {
        "input": (
            "genscope.input",
            "langfuse.observation.input",
            "llm.input_messages.*",
            "llm.prompts.*",
            "embedding.embeddings.*",
            "reranker.input_documents.*",
            "input.value",
            "tool.parameters",
        ),
        "output": (
            "genscope.output",
            "langfuse.observation.output",
            "llm.output_messages.*",
            "retrieval.documents.*",
            "reranker.output_documents.*",
            "output.value",
        ),
    },
    "genkit-tracer": {
        "input": ("genscope.input", "langfuse.observation.input", "genkit:input"),
        "output": ("genscope.output", "langfuse.observation.output", "genkit:output"),
    },
}

RULES: Final = Rules(DIALECTS, PRECEDENCE)
_RULES_OF: Final = {scope: Rules(DIALECTS, PRECEDENCE, only) for scope, only in SCOPES.items()}

#: Types of spans that Langfuse links to a prompt.
_PROMPTED: Final = frozenset({"generation"})
#: Inputs that were written by hand: tools that are told beside them are no part of them.
_WHOLE_INPUTS: Final = frozenset({"genscope.input", "langfuse.observation.input"})
#: Prefixes of a model name that tell its provider; `google/` or `meta-llama/` tell only who made it.
_MODEL_PREFIXES: Final = {
    "openai": "openai",
    "anthropic": "anthropic",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "vertex_ai": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "groq": "groq",
    "openrouter": "openrouter",
}
_ENVIRONMENT: Final = re.compile(r"[a-z0-9_-]{1,40}")
#: Characters of an environment as sent, beyond which it is no name, or white space.
_LONGEST_ENVIRONMENT: Final = 256
#: Environments that Langfuse itself writes; from any other its reserved prefix is taken away.
_OF_LANGFUSE: Final = frozenset({"langfuse-prompt-experiment", "langfuse-llm-as-a-judge", "langfuse-evaluation"})


def to_span(raw: RawSpan, now: int) -> Span:
    """`raw` in Genscope's vocabulary, without a computed cost (see `genscope.pricing.price`).

    `now` (nanoseconds since the epoch) stands in if the sender gave no time at all. Deterministic; raises nothing,
    whatever the attributes hold.
    """
    reading = _RULES_OF.get(raw.scope.name, RULES).read(raw)
    told = reading.values.get
    start = raw.start_time if raw.start_time is not None else raw.end_time
    start = now if start is None else start
    type_ = told("type") or "span"
    rolls_up = told("rolls_up")
    model = None if rolls_up else told("model")
    cost = None if rolls_up else told("cost")
    moved = reading.moved(raw.attributes)
    input_, output = told("input"), told("output")
    parameters = whole_numbers(told("model_parameters"))
    tools = told("tools")
    if tools is not None and moved.isdisjoint(_WHOLE_INPUTS):
        request = gen_ai.with_tools(input_, tools)
        if request != input_:
            input_ = request
            moved |= reading.moved(raw.attributes, ("tools",))
    return Span(
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        time=start,
        parent_span_id=raw.parent_span_id,
        type=type_,
        name=told("name"),
        start_time=start,
        end_time=start if raw.end_time is None else raw.end_time,
        completion_start_time=told("completion_start_time"),
        level=told("level"),
        status_message=told("status_message"),
        model=model,
        provider=told("provider") or provider_of(model),
        model_parameters=parameters,
        input=input_,
        output=output,
        usage=None if rolls_up else told("usage"),
        cost=cost,
        cost_source=None if cost is None else "reported",
        type_rule=reading.rule("type"),
        # What left a value out is the rule behind its absence.
        model_rule=reading.rule("rolls_up" if rolls_up and told("model") else "model"),
        usage_rule=reading.rule("rolls_up" if rolls_up and told("usage") else "usage"),
        cost_rule=None if cost is None else reading.rule("cost"),
        tools=offered(type_, tools, told("tool_names"), input_, parameters),
        tool_calls=called(type_, output),
        service_tier=None if told("rolls_up") else told("service_tier"),
        server_address=told("server_address"),
        session_id=told("session_id"),
        user_id=told("user_id"),
        tags=told("tags") or [],
        environment=environment_name(told("environment")),
        release=told("release"),
        version=told("version"),
        metadata=told("metadata") or {},
        trace_name=told("trace_name"),
        trace_input=told("trace_input"),
        trace_output=told("trace_output"),
        trace_public=told("trace_public"),
        trace_metadata=told("trace_metadata") or {},
        is_root=raw.parent_span_id is None or bool(told("is_root")),
        prompt_name=told("prompt_name") if type_ in _PROMPTED else None,
        prompt_version=told("prompt_version") if type_ in _PROMPTED else None,
        attributes={name: value for name, value in raw.attributes.items() if name not in moved},
        events=raw.events,
        links=raw.links,
        resource=raw.resource,
        scope=raw.scope,
        kind=raw.kind,
        trace_state=raw.trace_state or None,
    )


def provider_of(model: str | None) -> str | None:
    """The provider that the prefix of a model's name tells, if it does."""
    if model is None:
        return None
    prefix, slash, _ = model.partition("/")
    return _MODEL_PREFIXES.get(prefix.lower()) if slash else None


def whole_numbers(sent: Attributes | None) -> Attributes | None:
    """Parameters of a model in one spelling: a temperature of 1 is 1, whether it travelled as JSON's 1, its 1.0 or a double."""
    if sent is None:
        return None
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
        for name, value in sent.items()
    }


def environment_name(sent: str | None) -> str | None:
    """The environment as Langfuse spells it; None for "default" and for what is no name."""
    return None if sent is None else _environment(sent[:_LONGEST_ENVIRONMENT])


@lru_cache(maxsize=256)
def _environment(name: str) -> str | None:
    name = name.strip().lower()
    if name not in _OF_LANGFUSE:
        name = re.sub(r"^langfuse[-_]?", "", name)
    return name if name != "default" and _ENVIRONMENT.fullmatch(name) else None
