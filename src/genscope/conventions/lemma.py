"""Lemma's own attributes, from its users' hands over OTLP and from its SDK, and what its SDK says without any.

Source: Lemma's documentation of `POST /otel/v1/traces` and its tracing packages before 7; its SDK `uselemma-tracing` 4.2 to 7.12
and its documentation of the trace contract and of analytics telemetry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from genscope.conventions import gen_ai, openinference
from genscope.conventions.decode import content, one_of, parsed, text
from genscope.conventions.table import Decoder, Table
from genscope.model import Attributes, Json, RawSpan, Span, Usage
from genscope.pricing import usage

#: What the SDK's adapters keep of the frameworks' own words for a step -> the type it has.
_STEPS: Final[Mapping[str, Decoder]] = {
    "openinference.span.kind": openinference.TABLE["type"]["openinference.span.kind"],
    "span.type": one_of({"generation": "generation", "tool": "tool", "retriever": "retriever"}),
    "openai.agents.span_type": one_of(
        {"agent": "agent", "function": "tool", "guardrail": "guardrail", "generation": "generation"}
    ),
    "langchain.run_type": one_of(
        {"chain": "chain", "retriever": "retriever", "tool": "tool", "llm": "generation", "chat_model": "generation"}
    ),
}
#: Beginnings of attributes that only steps of one type have. The SDK has options for them, but no type.
_TRAITS: Final = {"retrieval.documents.": "retriever", "reranker.": "reranker", "embedding.": "embedding"}
#: The types that the SDK's own discriminator knows; all else is `span`.
_TYPES: Final = frozenset({"generation", "tool"})

#: Counts in the SDK's `usage`; one of other names is a provider's own, which SDKs before 7 pass on.
_COUNTS: Final = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "reasoning_output_tokens",
    }
)
#: Providers whose own count of the input leaves out what was cached. A program hands their own object over.
_BESIDE: Final = frozenset({"anthropic", "aws.bedrock"})
#: What Anthropic's answers have in LangChain when they were streamed; of these LangChain counts all of the input.
_STREAMED: Final = re.compile(r'"index":\d')


def type_of(type_: Json, raw: RawSpan) -> tuple[str, str | None]:
    """The type of a step of Lemma's SDK, and the rule that gave it.

    Its own `type` decides; a model alone makes no generation of a span. What it calls a span the attributes tell more of.
    """
    if isinstance(type_, str) and type_ in _TYPES:
        return type_, "lemma type"
    for name, decode in _STEPS.items():
        if told := decode(raw.attributes.get(name), raw):
            return told, f"lemma {name}"
    for beginning, trait in _TRAITS.items():
        if any(name.startswith(beginning) for name in raw.attributes):
            return trait, f"lemma {beginning}*"
    return "span", None


def usage_of(counts: Attributes, span: Span) -> Usage | None:
    """Usage from the SDK's `usage`, which holds the provider's own numbers under common names; None if it has no count.

    `span` is what else is known of the call.
    """
    if not counts.keys() <= _COUNTS:
        return usage.from_details(counts)
    return usage.from_attributes(counts, ("input",) if _leaves_out_cached(span) else ())


def _leaves_out_cached(span: Span) -> bool:
    integration = span.attributes.get("lemma.sdk.integration", "manual")
    made_by_anthropic = span.provider is None and (span.model or "").startswith("claude")
    provider = "anthropic" if made_by_anthropic else span.provider
    if integration == "langchain":
        # The adapter takes Anthropic's object from an answer that has it. All other adapters count all of the input.
        streamed = (span.model_parameters or {}).get("streaming") is True or _STREAMED.search(span.output or "")
        return provider == "anthropic" and not streamed
    return integration == "manual" and provider in _BESIDE


def told_user(span: Span) -> str | None:
    """What a tool that succeeded said to the user, which Lemma draws as a message of the assistant."""
    message = span.attributes.get("lemma.tool.message")
    spoken = span.attributes.get("lemma.tool.kind") == "user_message" and span.level != "ERROR"
    return message if spoken and isinstance(message, str) and message else None


def _unquoted(value: Json, span: RawSpan) -> str | None:
    """A value that went through Langfuse's metadata, which some versions of its SDK write as JSON."""
    return text(parsed(value) if isinstance(value, str) and value.startswith('"') else value, span)


TABLE: Table = {
    "type": {"span.type": _STEPS["span.type"]},
    "level": {"tool.status": one_of({"error": "ERROR"})},
    "user_id": {"enduser.id": text},
    "session_id": {"lemma.thread_id": text, "langfuse.trace.metadata.lemma.thread_id": _unquoted},
    "environment": {"langfuse.trace.metadata.deployment.environment.name": _unquoted},
    # Its receiver calls `llm.tools` so, which others fill with what is no list of tools.
    "tools": {"lemma.tools": gen_ai.TABLE["tools"]["gen_ai.tool.definitions"]},
    "input": {"ai.agent.input": content, "tool.args": content},
    "output": {"ai.agent.output": content, "tool.result": content},
}
