"""Vercel's AI SDK, versions 3 to 6, and the older attributes that 7 can still write: `ai.*`.

A call is two spans: the outer one (`ai.generateText`) is the whole loop and repeats the tokens of its steps
(`ai.generateText.doGenerate`), which are the calls to the model and carry `gen_ai.*` as well.

Source: the telemetry of the npm packages ai 4.3, 5.0 and 6.0, @ai-sdk/otel 1.0, @ai-sdk/anthropic 1 to 3 and
@ai-sdk/amazon-bedrock 3; for what became of the attributes in Langfuse, section 4 of its mapping.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import Final

from genscope.conventions.decode import content, dumped, mapping, milliseconds_after_start, parsed, tags, text, tier_in
from genscope.conventions.gen_ai import provider
from genscope.conventions.table import Decoder, Table
from genscope.model import Attributes, Cost, Json, RawSpan, Usage
from genscope.pricing import cost, usage

_METADATA: Final = "ai.telemetry.metadata."
#: Entries of the telemetry metadata that are fields of the span, or stand in its input already.
_NO_METADATA: Final = frozenset({"userId", "sessionId", "tags", "langfusePrompt", "tools"})

#: The last part of an operation's name -> type. Everything else is a loop around these.
_STEPS: Final = {
    "doGenerate": "generation",
    "doStream": "generation",
    "doEmbed": "embedding",
    "doRerank": "reranker",
    "toolCall": "tool",
}
#: Any of these makes a step that generates a generation.
_MODELS: Final = ("ai.model.id", "gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "model")

#: Model parameter -> the attributes that hold it, best first. The names are those of Langfuse.
_PARAMETERS: Final = {
    "maxSteps": ("ai.settings.maxSteps",),
    "toolChoice": ("ai.prompt.toolChoice",),
    "maxTokens": ("gen_ai.request.max_tokens", "ai.settings.maxTokens", "ai.settings.maxOutputTokens"),
    "finishReason": ("gen_ai.response.finish_reasons",),
    "system": ("gen_ai.system", "ai.model.provider"),
    "maxRetries": ("ai.settings.maxRetries",),
    "mode": ("ai.settings.mode",),
    "temperature": ("gen_ai.request.temperature", "ai.settings.temperature"),
}
#: What is kept of `gen_ai.request.*` under its own name.
_REQUEST: Final = "gen_ai.request."
_RENAMED: Final = frozenset({"model", "max_tokens", "temperature"})

#: Providers that one answer passes through: a gateway, a reseller and who made it.
_MOST_PROVIDERS: Final = 8
#: Characters of metadata up to which it is parsed once for all who ask.
_REMEMBERED: Final = 16_384
#: Where counts are; the SDK writes some in both.
_COUNTS: Final = ("gen_ai.usage.", "ai.usage.")
#: Counts that say the totals include what was cached: only AI SDK 6 and later write them.
_INCLUDING: Final = ("inputTokenDetails.noCacheTokens", "cache_read.input_tokens")
#: Parts of a total that are its rest, and no kind of their own.
_RESTS: Final = frozenset({"inputTokenDetails.noCacheTokens", "outputTokenDetails.textTokens"})


def _operation(span: RawSpan) -> str:
    """`ai.generateText.doGenerate`; the attribute `operation.name` has the function's id behind it."""
    for name in ("ai.operationId", "operation.name"):
        operation = span.attributes.get(name)
        if isinstance(operation, str) and operation:
            return operation.partition(" ")[0]
    return ""


def _type(value: Json, span: RawSpan) -> str | None:
    operation = value.partition(" ")[0] if isinstance(value, str) else ""
    if not operation.startswith("ai."):
        return None
    type_ = _STEPS.get(operation.rpartition(".")[2])
    if type_ == "generation" and not any(span.attributes.get(name) for name in _MODELS):
        return None
    return type_


def _name(value: Json, span: RawSpan) -> str | None:
    """The operation, led by what the program calls the function that it is done for."""
    operation = text(value, span)
    function = text(span.attributes.get("ai.telemetry.functionId"), span)
    return f"{function}:{operation}" if function and operation else operation


def _parameters(_value: None, span: RawSpan) -> Attributes | None:
    attributes = span.attributes
    if span.scope.name != "ai" and "ai.operationId" not in attributes:
        return None
    parameters = {
        name.removeprefix(_REQUEST): value
        for name, value in attributes.items()
        if name.startswith(_REQUEST) and name.removeprefix(_REQUEST) not in _RENAMED
    }
    for name, sources in _PARAMETERS.items():
        found = next((attributes[source] for source in sources if attributes.get(source) is not None), None)
        if found is not None:
            parameters[name] = found
    openai = _provider_metadata(span).get("openai")
    if isinstance(openai, dict) and openai.get("serviceTier") is not None:
        parameters["service_tier"] = openai["serviceTier"]
    return parameters | (mapping(attributes.get("langfuse.observation.model.parameters"), span) or {}) or None


def _provider_metadata(span: RawSpan) -> Attributes:
    """Provider -> what only this provider told about its answer."""
    told = span.attributes.get("ai.response.providerMetadata")
    if isinstance(told, str) and len(told) <= _REMEMBERED:
        return _parsed(told)
    return mapping(told, span) or {}


@lru_cache(maxsize=64)
def _parsed(metadata: str) -> Attributes:
    """Several fields ask for it, span by span; nobody may change it."""
    told = parsed(metadata)
    return told if isinstance(told, dict) else {}


def _usage(_value: Json, span: RawSpan) -> Usage | None:
    """The tokens of one step: the SDK's own counts, and the parts that only the provider's metadata names."""
    if (operation := _operation(span)) and operation.rpartition(".")[2] not in _STEPS:
        return None  # the steps within report the same
    counts: Attributes = {}
    for name, value in span.attributes.items():
        for prefix in _COUNTS:
            if name.startswith(prefix) and name.removeprefix(prefix) not in _RESTS:
                counts[name.removeprefix(prefix)] = value
    if "tokens" in counts:
        counts["inputTokens" if operation.endswith(".doEmbed") else "totalTokens"] = counts.pop("tokens")
    metadata = _provider_metadata(span)
    for told in islice(metadata.values(), _MOST_PROVIDERS):
        if isinstance(told, dict):
            native = told.get("usage") or told.get("usageMetadata")
            counts = {**usage.parts(told), **usage.parts(native if isinstance(native, dict) else {}), **counts}
    return usage.from_attributes(counts, ("input",) if _caches_beside(span, metadata, counts) else ())


def _caches_beside(span: RawSpan, metadata: Attributes, counts: Attributes) -> bool:
    """Whether the input leaves out what was cached: up to version 5 the SDK repeats what the provider calls input.

    Anthropic's own count, where it is in the metadata, tells it by itself: with what was cached, it is not the total.
    """
    if any(span.attributes.get(f"{prefix}{name}") is not None for name in _INCLUDING for prefix in _COUNTS):
        return False
    anthropic = metadata.get("anthropic")
    native = anthropic.get("usage") if isinstance(anthropic, dict) else None
    if isinstance(native, dict) and native.get("input_tokens") is not None:
        return counts.get("input_tokens", counts.get("inputTokens")) in (None, native["input_tokens"])
    named = span.attributes.get("ai.model.provider") or span.attributes.get("gen_ai.system")
    return provider(named, span) in ("anthropic", "aws.bedrock") or not metadata.keys().isdisjoint(
        ("anthropic", "bedrock")
    )


def _cost(_value: Json, span: RawSpan) -> Cost | None:
    """What a reseller charged, which it tells in its metadata."""
    metadata = _provider_metadata(span)
    gateway, openrouter = metadata.get("gateway"), metadata.get("openrouter")
    if isinstance(gateway, dict) and gateway.get("cost") is not None:
        return cost.from_total(gateway["cost"], span)
    native = openrouter.get("usage") if isinstance(openrouter, dict) else None
    return cost.from_total(native.get("cost"), span) if isinstance(native, dict) else None


def _answer(group: Attributes, span: RawSpan) -> str | None:
    """A text, an object or tool calls; text and tool calls together as one message."""
    answer = content(group.get("text"), span)
    if answer is not None and group.get("toolCalls"):
        return dumped({"role": "assistant", "content": group.pop("text"), "tool_calls": group.pop("toolCalls")})
    for name in ("text", "object", "toolCalls"):
        answer = content(group.get(name), span)
        if answer is not None:
            del group[name]
            return answer
    return None


def _texts(value: Json, span: RawSpan) -> str | None:
    """An array whose entries are JSON texts each, as one."""
    value = parsed(value) if isinstance(value, str) and value.startswith("[") else value
    if not isinstance(value, list):
        return content(value, span)
    return dumped([_decoded(entry) for entry in value]) if value else None


def _tools(value: Json, _span: RawSpan) -> str | None:
    value = parsed(value) if isinstance(value, str) else value
    return dumped([_decoded(tool) for tool in value]) if isinstance(value, list) and value else None


def _decoded(entry: Json) -> Json:
    decoded = parsed(entry) if isinstance(entry, str) else entry
    return entry if decoded is None else decoded


def _metadata(group: Attributes, _span: RawSpan) -> Attributes | None:
    return {name: group.pop(name) for name in list(group) if name not in _NO_METADATA} or None


def _prompt(key: str) -> Decoder:
    """A value of the prompt that was fetched from Langfuse and is named in the metadata as JSON text."""

    def decode(value: Json, span: RawSpan) -> str | None:
        prompt = mapping(value, span)
        return text(prompt.get(key), span) if prompt else None

    return decode


TABLE: Table = {
    "name": {"ai.toolCall.name": text, "ai.operationId": _name},
    "type": {"operation.name": _type, "ai.operationId": _type},
    "model": {"ai.response.model": text, "ai.model.id": text},
    "provider": {"ai.model.provider": provider},
    "model_parameters": {"@vercel_ai": _parameters},
    "usage": {"ai.usage.*": _usage, "ai.response.providerMetadata": _usage},
    "cost": {"ai.response.providerMetadata": _cost},
    "service_tier": {
        "ai.response.providerMetadata": tier_in(
            "openai.serviceTier",
            "azure.serviceTier",
            "anthropic.usage.speed",
            "anthropic.usage.service_tier",
            "google.serviceTier",
            "google.usageMetadata.serviceTier",
            "google.usageMetadata.trafficType",
            "vertex.usageMetadata.trafficType",
            "bedrock.serviceTier.type",
            "bedrock.serviceTier",
        )
    },
    "completion_start_time": {
        "ai.response.msToFirstChunk": milliseconds_after_start,
        "ai.stream.msToFirstChunk": milliseconds_after_start,
    },
    "user_id": {f"{_METADATA}userId": text},
    "session_id": {f"{_METADATA}sessionId": text},
    "tags": {f"{_METADATA}tags": tags},
    "metadata": {f"{_METADATA}*": _metadata},
    "prompt_name": {f"{_METADATA}langfusePrompt": _prompt("name")},
    "prompt_version": {f"{_METADATA}langfusePrompt": _prompt("version")},
    "tools": {"ai.prompt.tools": _tools},
    "input": {
        "ai.prompt.messages": content,
        "ai.prompt": content,
        "ai.toolCall.args": content,
        "ai.values": _texts,
        "ai.value": content,
        "ai.documents": _texts,
    },
    "output": {
        "ai.response.*": _answer,
        "ai.toolCall.result": content,
        "ai.result.*": _answer,
        "ai.ranking": _texts,
    },
}
