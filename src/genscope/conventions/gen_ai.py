"""OpenTelemetry's GenAI semantic conventions, `gen_ai.*`: attributes, events, and the flattened form before them.

Source: OpenTelemetry semantic conventions for generative AI, from 1.26 (events, `gen_ai.system`) to the current
ones (message attributes, `gen_ai.provider.name`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from genscope.conventions.decode import content, dumped, one_of, parsed, present, seconds_after_start, text, tier
from genscope.conventions.flattened import flattened
from genscope.conventions.table import Decoder, Table
from genscope.conventions.tools import listed
from genscope.model import Attributes, Event, Json, RawSpan, Usage
from genscope.pricing import cost, usage

_OPERATIONS: Final = {
    **dict.fromkeys(("chat", "completion", "text_completion", "generate_content", "generate"), "generation"),
    # Semantic Kernel's names
    **dict.fromkeys(("chat.completions", "chat.streaming_completions"), "generation"),
    **dict.fromkeys(("text.completions", "text.streaming_completions"), "generation"),
    "embeddings": "embedding",
    "execute_tool": "tool",
    "retrieval": "retriever",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "invoke_workflow": "chain",
}
#: Operations whose model, usage and cost repeat what their children report.
_ROLL_UPS: Final = {"invoke_agent": True, "agent_step": True}

#: Spellings in use -> the convention's own `gen_ai.provider.name`.
_PROVIDERS: Final = {
    **dict.fromkeys(
        ("vertex_ai", "vertexai", "vertex", "google.vertex", "google-vertex", "google_vertexai"), "gcp.vertex_ai"
    ),
    **dict.fromkeys(("gemini", "google", "google-gla", "google_genai", "google_generativeai"), "gcp.gemini"),
    **dict.fromkeys(("bedrock", "aws", "aws_bedrock", "amazon-bedrock", "amazon_bedrock"), "aws.bedrock"),
    **dict.fromkeys(("azure", "azure_openai", "az.ai.openai", "azure-openai"), "azure.ai.openai"),
    **dict.fromkeys(("az.ai.inference", "azure_ai", "azure_ai_inference"), "azure.ai.inference"),
    **dict.fromkeys(("xai", "x-ai"), "x_ai"),
    **dict.fromkeys(("mistral", "mistralai"), "mistral_ai"),
    **dict.fromkeys(("watsonx", "ibm"), "ibm.watsonx.ai"),
    # Frameworks that name themselves, who provide no model
    **dict.fromkeys(("langchain", "crewai", "llamaindex", "gateway"), ""),
}
#: What the AI SDK adds to a provider's name: `openai.responses`, `anthropic.messages`, `google.generative-ai`.
_API: Final = re.compile(
    r"\.(chat|responses|completion|messages|embedding|textEmbedding|generative-ai)$", re.IGNORECASE
)
#: Scopes of instrumentations that repeat Bedrock's own counts, whose input leaves out what was cached.
_BESIDE: Final = {
    "opentelemetry.instrumentation.bedrock": ("input",),
    "opentelemetry.instrumentation.botocore.bedrock-runtime": ("input",),
}
_MESSAGE_EVENTS: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}


def provider(value: Json, _span: RawSpan) -> str | None:
    """The provider in the convention's spelling, in lower case."""
    if not isinstance(value, str):
        return None
    name = _API.sub("", value.strip().lower())
    return _PROVIDERS.get(name, name) or None


def _request_parameters(group: Attributes, _span: RawSpan) -> Attributes | None:
    return {name: value for name, value in group.items() if name != "model"} or None


def _usage(group: Attributes, span: RawSpan) -> Usage | None:
    thoughts = "total_tokens" in group and (_provider(span) or "").startswith("gcp.")
    return usage.from_attributes(group, _BESIDE.get(span.scope.name, ()), "output_reasoning" if thoughts else None)


def _provider(span: RawSpan) -> str | None:
    return provider(span.attributes.get("gen_ai.provider.name") or span.attributes.get("gen_ai.system"), span)


def with_instructions(messages: Json, instructions: Json) -> str | None:
    """`messages` as JSON text, led by `instructions` as a system message unless there is one already.

    The messages' own text is kept as it is and not parsed where that can be avoided: this is on the path of every span.
    """
    text = messages if isinstance(messages, str) else dumped(messages)
    if not text or not instructions or not text.lstrip().startswith("["):
        return text or None
    if '"system"' in text:
        known = parsed(text)
        if isinstance(known, list) and any(isinstance(item, dict) and item.get("role") == "system" for item in known):
            return text
    system = dumped({"role": "system", "content": _plain(instructions)})
    if system is None:
        return text
    rest = text.lstrip()[1:].lstrip()
    return f"[{system}{rest}" if rest.startswith("]") else f"[{system},{rest}"


def _plain(instructions: Json) -> Json:
    """Instructions as one text, if they are nothing but text parts."""
    if isinstance(instructions, str) and instructions.lstrip()[:1] in ("[", "{"):
        instructions = parsed(instructions) or instructions
    parts = instructions if isinstance(instructions, list) else [instructions]
    contents = [part.get("content") for part in parts if isinstance(part, dict)]
    texts = [content for content in contents if isinstance(content, str)]
    return "\n".join(texts) if len(texts) == len(parts) else instructions


def with_tools(messages: str | None, tools: str) -> str:
    """The tool definitions (JSON text) beside the messages, as one request to a model holds them."""
    known = messages.strip() if messages else ""
    if not known:
        return f'{{"tools":{tools}}}'
    if known[0] == "[":
        return f'{{"messages":{known},"tools":{tools}}}'
    if known[0] != "{" or known[-1] != "}":
        return known
    if '"tools"' in known:
        request = parsed(known)
        if not isinstance(request, dict) or "tools" in request:
            return known
    return f'{known[:-1]},"tools":{tools}}}' if known[1:-1].strip() else f'{{"tools":{tools}}}'


def _definitions(value: Json, _span: RawSpan) -> str | None:
    """Tool definitions as the JSON text of an array."""
    value = parsed(value) if isinstance(value, str) else value
    return dumped(value) if isinstance(value, list) and value else None


def input_messages(value: Json, span: RawSpan) -> str | None:
    """The messages, led by the instructions that the convention keeps beside them."""
    return with_instructions(content(value, span), span.attributes.get("gen_ai.system_instructions"))


def _events(span: RawSpan, name: str) -> Iterator[Event]:
    return (event for event in span.events if event.name == name)


def _details(attribute: str) -> Decoder:
    """The messages in the event `gen_ai.client.inference.operation.details`."""

    def decode(_value: None, span: RawSpan) -> str | None:
        for event in _events(span, "gen_ai.client.inference.operation.details"):
            messages = content(event.attributes.get(attribute), span)
            if attribute == "gen_ai.input.messages":
                messages = with_instructions(messages, event.attributes.get("gen_ai.system_instructions"))
            if messages:
                return messages
        return None

    return decode


def _message_events(_value: None, span: RawSpan) -> str | None:
    messages: list[Json] = [
        {"role": _MESSAGE_EVENTS[event.name], **event.attributes}
        for event in span.events
        if event.name in _MESSAGE_EVENTS
    ]
    return dumped(messages) if messages else None


def _choice_events(_value: None, span: RawSpan) -> str | None:
    choices: list[Json] = [event.attributes for event in _events(span, "gen_ai.choice")]
    return dumped(choices[0] if len(choices) == 1 else choices) if choices else None


def _content_event(name: str, attribute: str) -> Decoder:
    """The content of the oldest events: `attribute` or, without it, whatever the event holds."""

    def decode(_value: None, span: RawSpan) -> str | None:
        for event in _events(span, name):
            found = content(event.attributes.get(attribute), span) or content(event.attributes, span)
            if found:
                return found
        return None

    return decode


TABLE: Table = {
    "name": {"gen_ai.tool.name": text},
    "type": {
        "gen_ai.operation.name": one_of(_OPERATIONS),
        "gen_ai.tool.name": present("tool"),
        "gen_ai.tool.call.id": present("tool"),
        "gen_ai.response.model": present("generation"),
        "gen_ai.request.model": present("generation"),
    },
    "rolls_up": {"gen_ai.operation.name": one_of(_ROLL_UPS)},
    "provider": {"gen_ai.provider.name": provider, "gen_ai.system": provider},
    "model": {"gen_ai.response.model": text, "gen_ai.request.model": text},
    "model_parameters": {"gen_ai.request.*": _request_parameters},
    "usage": {"gen_ai.usage.*": _usage},
    "service_tier": {
        "gen_ai.response.service_tier": tier,
        "openai.response.service_tier": tier,
        "gen_ai.openai.response.service_tier": tier,
        "gen_ai.usage.service_tier": tier,
        "gen_ai.request.service_tier": tier,
        "openai.request.service_tier": tier,
        "gen_ai.openai.request.service_tier": tier,
    },
    "cost": {"gen_ai.usage.cost": cost.from_total},
    "completion_start_time": {
        "gen_ai.response.time_to_first_chunk": seconds_after_start,
        "gen_ai.client.operation.time_to_first_chunk": seconds_after_start,  # AI SDK 7
    },
    "session_id": {"gen_ai.conversation.id": text},
    "tools": {"gen_ai.tool.definitions": _definitions},
    # Strands' agents, which name their tools only
    "tool_names": {"gen_ai.agent.tools": listed},
    "input": {
        "@event gen_ai.client.inference.operation.details": _details("gen_ai.input.messages"),
        "@events gen_ai.*.message": _message_events,
        "@event gen_ai.content.prompt": _content_event("gen_ai.content.prompt", "gen_ai.prompt"),
        "gen_ai.prompt.*": flattened,
        "gen_ai.prompt": content,
        "gen_ai.input.messages": input_messages,
        "gen_ai.tool.call.arguments": content,
        "gen_ai.retrieval.query.text": content,
    },
    "output": {
        "@event gen_ai.client.inference.operation.details": _details("gen_ai.output.messages"),
        "@events gen_ai.choice": _choice_events,
        "@event gen_ai.content.completion": _content_event("gen_ai.content.completion", "gen_ai.completion"),
        "gen_ai.completion.*": flattened,
        "gen_ai.completion": content,
        "gen_ai.output.messages": content,
        "gen_ai.tool.call.result": content,
        "gen_ai.retrieval.documents": content,
    },
}
