"""The OpenAPI document as lines for a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

#: Headings by tag, in the order of the page; operations of another tag come after, under the tag.
TITLES: Final = {"ingest": "Send", "read": "Read", "langfuse": "For Langfuse's clients", "status": "Watch"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, or of several that do the same."""

    method: str
    paths: list[str]
    text: str
    parameters: list[Parameter]


def groups(document: dict[str, Any]) -> dict[str, list[Operation]]:
    """Return the operations of an OpenAPI document by heading."""
    found: dict[str, list[Operation]] = {title: [] for title in TITLES.values()}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            tag = next(iter(described.get("tags", [])), "other")
            group = found.setdefault(TITLES.get(tag, tag.capitalize()), [])
            parameters = [_parameter(parameter) for parameter in described.get("parameters", [])]
            operation = Operation(method.upper(), [path], described.get("description", ""), parameters)
            same = [other for other in group if _meaning(other) == _meaning(operation)]
            if same:
                same[0].paths.append(path)
            else:
                group.append(operation)
    return {title: group for title, group in found.items() if group}


def _meaning(operation: Operation) -> tuple[str, str, list[Parameter]]:
    return operation.method, operation.text, operation.parameters


def _parameter(parameter: dict[str, Any]) -> Parameter:
    schema = parameter.get("schema", {})
    legal = schema.get("enum") or schema.get("items", {}).get("enum")
    text = parameter.get("description") or schema.get("description") or ""
    if legal:
        text = f"{text} One of {', '.join(str(value) or '(empty)' for value in legal)}.".strip()
    if "default" in schema and schema["default"] not in (None, ""):
        text = f"{text} Default: {schema['default']}.".strip()
    return Parameter(parameter["name"], text)
