"""OpenLLMetry (Traceloop): what a decorated function was given and gave. Its model calls speak `gen_ai.*`.

Source: OpenLLMetry's semantic conventions (`traceloop.*`, and the few of `llm.*` that are its own).
"""

from __future__ import annotations

from typing import Final

from genscope.conventions.decode import content, dumped, one_of, parsed, text
from genscope.conventions.flattened import rebuilt
from genscope.conventions.table import Table
from genscope.model import Attributes, Json, RawSpan

_PROPERTIES: Final = "traceloop.association.properties."
_KINDS: Final = {"workflow": "chain", "task": "chain", "agent": "agent", "tool": "tool"}
_REQUESTS: Final = {
    "chat": "generation",
    "completion": "generation",
    "embedding": "embedding",
    "rerank": "reranker",
}


def _properties(group: Attributes, _span: RawSpan) -> Attributes | None:
    return {name: group.pop(name) for name in list(group) if name not in ("user_id", "session_id")} or None


def _functions(group: Attributes, _span: RawSpan) -> str | None:
    """Tool definitions from `N.name`, `N.description` and `N.parameters`, which is JSON text."""
    functions = rebuilt(dict(group))
    if not isinstance(functions, list):
        return None
    tools: list[Json] = [_function(function) for function in functions if isinstance(function, dict)]
    return dumped(tools) if tools else None


def _function(told: dict[str, Json]) -> Json:
    schema = told.get("parameters")
    return {**told, "parameters": (parsed(schema) or schema) if isinstance(schema, str) else schema}


TABLE: Table = {
    "type": {"llm.request.type": one_of(_REQUESTS), "traceloop.span.kind": one_of(_KINDS)},
    "tools": {"llm.request.functions.*": _functions},
    "input": {"traceloop.entity.input": content},
    "output": {"traceloop.entity.output": content},
    "metadata": {f"{_PROPERTIES}*": _properties},
    "user_id": {f"{_PROPERTIES}user_id": text},
    "session_id": {f"{_PROPERTIES}session_id": text},
    "prompt_name": {"traceloop.prompt.key": text},
    "prompt_version": {"traceloop.prompt.version": text},
}
