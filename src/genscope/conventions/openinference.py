"""OpenInference, as Arize's instrumentations and many frameworks send it, and the bare names of older senders.

Source: OpenInference semantic conventions (`openinference.span.kind`, `llm.*`, `input.value`, `tag.tags`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeGuard

from genscope.conventions.decode import content, dumped, mapping, one_of, parsed, present, tags, text, tier, tier_in
from genscope.conventions.flattened import flattened, rebuilt
from genscope.conventions.gen_ai import provider, with_instructions
from genscope.conventions.table import Table
from genscope.model import Attributes, Cost, Json, RawSpan, Usage
from genscope.pricing import cost, usage

_ZERO: Final = Decimal(0)
#: What is left of a total beside its named details; no kind of its own.
_RESTS: Final = ("_details.input", "_details.output")
_FIRST: Final = "llm.input_messages.0.message"
_TEXT: Final = "contents.0.message_content.text"
#: The scope whose streamed calls tell what was cached inside the answer alone.
_BEDROCK: Final = "openinference.instrumentation.bedrock"
_KINDS: Final = {
    "llm": "generation",
    "chain": "chain",
    "retriever": "retriever",
    "reranker": "reranker",
    "embedding": "embedding",
    "agent": "agent",
    "tool": "tool",
    "guardrail": "guardrail",
    "evaluator": "evaluator",
}

_KIND: Final = one_of(_KINDS)


def _type(value: Json, span: RawSpan) -> str | None:
    """The type, but for what LlamaIndex calls a model's work and is none: it only prepares a request."""
    return "chain" if span.name.endswith("._prepare_chat_with_tools") else _KIND(value, span)


def _usage(group: Attributes, span: RawSpan) -> Usage | None:
    if span.scope.name == _BEDROCK and not any(name.startswith("prompt_details.") for name in group):
        answer = mapping(span.attributes.get("output.value"), span) or {}
        group = {**usage.parts(mapping(answer.get("usage"), span) or {}), **group}
    return usage.from_attributes(group)


def _tools(group: Attributes, _span: RawSpan) -> str | None:
    """Tool definitions from `N.tool.json_schema`, each of which is JSON text."""
    tools = rebuilt(dict(group))
    if not isinstance(tools, list):
        return None
    held = [entry.get("tool") for entry in tools if isinstance(entry, dict)]
    schemas = [tool.get("json_schema") for tool in held if isinstance(tool, dict)]
    definitions: list[Json] = [parsed(schema) or schema if isinstance(schema, str) else schema for schema in schemas]
    return dumped(definitions) if definitions else None


def _cost(group: Attributes, _span: RawSpan) -> Cost | None:
    """The cost by kind; `prompt` and `completion` include their details."""
    told: Cost = {}
    for name, reported in group.items():
        known = usage.kind_of(name) if len(name) <= usage.LONGEST_KIND and not name.endswith(_RESTS) else None
        money = cost.amount(reported) if known and len(told) < usage.MOST_KINDS else None
        if known and money is not None:
            told.setdefault(known[1], money)
    sides = [told[side] for side in ("input", "output") if side in told]
    if "total" not in told and not sides:
        return None
    return {**told, "total": told.get("total", sum(sides, _ZERO))}


def _texts(group: Attributes, _span: RawSpan) -> str | None:
    """The texts of embeddings; their vectors stay attributes."""
    texts = {name: group.pop(name) for name in list(group) if name.endswith(".embedding.text")}
    entries = rebuilt(texts)
    if not isinstance(entries, list):
        return None
    found = [entry["embedding"].get("text") for entry in entries if _holds(entry, "embedding")]
    return dumped(found) if found else None


def _ranked(group: Attributes, span: RawSpan) -> str | None:
    """The documents to be ranked, beside the query."""
    documents = rebuilt(group)
    query = span.attributes.get("reranker.query")
    return None if documents is None else dumped({"query": query, "documents": documents})


def _holds(entry: Json, key: str) -> TypeGuard[dict[str, dict[str, Json]]]:
    return isinstance(entry, dict) and isinstance(entry.get(key), dict)


def _parameters(group: Attributes, _span: RawSpan) -> Attributes | None:
    return dict(group) or None


def _input(value: Json, span: RawSpan) -> str | None:
    """The input, led by the system message that OpenAI's Agents and Bedrock tell among the flattened messages alone."""
    told = content(value, span)
    if not told or not told.startswith("[{") or span.attributes.get(f"{_FIRST}.role") != "system":
        return told
    instructions = span.attributes.get(f"{_FIRST}.content") or span.attributes.get(f"{_FIRST}.{_TEXT}")
    return with_instructions(told, instructions)


TABLE: Table = {
    "type": {
        "openinference.span.kind": _type,
        "llm.model_name": present("generation"),
        "model": present("generation"),
    },
    "model": {
        "llm.response.model_name": text,
        "llm.response.model": text,
        "llm.model_name": text,
        "llm.request.model_name": text,
        "model": text,
        "embedding.model_name": text,
        "reranker.model_name": text,
    },
    "provider": {"llm.provider": provider, "llm.system": provider},
    "model_parameters": {
        "llm.invocation_parameters": mapping,
        "llm.invocation_parameters.*": _parameters,
        "embedding.invocation_parameters": mapping,
    },
    "usage": {"llm.token_count.*": _usage},
    "cost": {"llm.cost.*": _cost},
    "service_tier": {
        "output.value": tier_in("service_tier", "usage.service_tier"),
        "llm.invocation_parameters": tier_in("service_tier", "serviceTier"),
        "llm.invocation_parameters.service_tier": tier,
    },
    "tags": {"tag.tags": tags},
    "metadata": {"metadata": mapping},
    "tools": {"llm.tools.*": _tools},
    "input": {
        "input.value": _input,
        "input": content,
        "llm.input_messages.*": flattened,
        "llm.prompts.*": flattened,
        "embedding.embeddings.*": _texts,
        "reranker.input_documents.*": _ranked,
        "reranker.query": content,
        "tool.parameters": content,
    },
    "output": {
        "output.value": content,
        "output": content,
        "llm.output_messages.*": flattened,
        "llm.choices.*": flattened,
        "retrieval.documents.*": flattened,
        "reranker.output_documents.*": flattened,
    },
}
