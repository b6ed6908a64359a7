"""Which tools a model was offered, and which of them it called, by name: the sets that a filter asks for.

On the path of every span: a text is searched for the few words that every shape of a call or a definition has before
anything is parsed, and of a request only the definitions are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from genscope.messages import conversation, decode
from genscope.model import Attributes, Json, RawSpan

#: Names of one span, and characters of a name.
MOST: Final = 256
LONGEST: Final = 256
#: Characters of a text in which names are looked for.
LONGEST_TEXT: Final = 1 << 20
#: Characters of definitions that are remembered with their names, because an application repeats them call after call.
_REMEMBERED: Final = 32_768

#: What every shape of a call has one of, and what all these have in common.
_CALLS: Final = (
    '"tool_calls"',
    '"toolCalls"',
    '"tool-call"',
    '"toolName"',
    'tool_use"',
    '"toolUse"',
    '"toolRequest"',
    '"functionCall"',
    '_call"',
)
_OF_CALLS: Final = ("tool", "functionCall", '_call"')
#: Where a request keeps its definitions.
_KEYS: Final = ("tools", "functions", "toolConfig", "tool_config")
_IN_REQUEST: Final = re.compile(r'"(?:tools|functions)"\s*:\s*(?=[\[{])')
#: Langfuse's handler for LangChain gives each definition as a message of the tool's.
_IN_MESSAGES: Final = re.compile(r'"role"\s*:\s*"tool"\s*,\s*"content"\s*:\s*(?=\{)')
#: Objects that hold definitions or one of them.
_WITHIN: Final = ("function", "toolSpec", "functionDeclarations", "function_declarations", "tools")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_SCAN: Final = json.JSONDecoder().raw_decode


def called(type_: str, output: str | None) -> list[str]:
    """Names of the tools that a call to a model answered with, sorted; those of other types only pass calls on."""
    if type_ != "generation" or output is None or len(output) > LONGEST_TEXT:
        return []
    if output[:64].lstrip()[:1] not in ("{", "["):
        return []
    if not any(word in output for word in _OF_CALLS) or not any(word in output for word in _CALLS):
        return []
    said = conversation(output, "assistant")
    return _names(part.name for message in said for part in message.parts if part.kind == "tool_call")


def offered(
    type_: str, definitions: str | None, names: list[str] | None, request: str | None, parameters: Attributes | None
) -> list[str]:
    """Names of the tools that a model was offered, sorted: those of attributes, else those inside its request.

    `definitions` is JSON text, `names` what a dialect tells by name alone, `parameters` those of the model.
    """
    if definitions is not None:
        return list(_remembered(definitions) if len(definitions) <= _REMEMBERED else _defined(definitions))
    if names is not None:
        return names
    if type_ != "generation":
        return []
    for key in _KEYS if parameters else ():
        if parameters and key in parameters and (found := _names(_definitions(_value(parameters[key]), 0))):
            return found
    return (names_in_request(request) or []) if request else []


def names_in_request(request: str) -> list[str] | None:
    """Names of the tools that are defined in the JSON text of a request to a model; None if there are none."""
    if len(request) > LONGEST_TEXT:
        return None
    start = request[:64].lstrip()[:1]
    if start == "{" and ('"tools"' in request or '"functions"' in request):
        return _names(_scanned(request, _IN_REQUEST)) or None
    if start == "[" and '"tool"' in request and ('"parameters"' in request or '"input_schema"' in request):
        return _names(_scanned(request, _IN_MESSAGES)) or None
    return None


def listed(value: Json, _span: RawSpan) -> list[str] | None:
    """A decoder of definitions or names that say nothing of a request's shape."""
    return _names(_definitions(_value(value), 0)) or None


@lru_cache(maxsize=256)
def _remembered(definitions: str) -> tuple[str, ...]:
    return tuple(_defined(definitions))


def _defined(definitions: str) -> list[str]:
    return _names(_definitions(decode(definitions), 0)) if len(definitions) <= LONGEST_TEXT else []


def _value(value: Json) -> Json:
    return decode(value) if isinstance(value, str) and len(value) <= LONGEST_TEXT else value


def _names(found: Iterable[str]) -> list[str]:
    """Sorted, each once, bounded in number and length; without what no encoding can carry."""
    names: set[str] = set()
    for name in found:
        if name and len(name) <= LONGEST and not _SURROGATE.search(name):
            names.add(name)
            if len(names) == MOST:
                break
    return sorted(names)


def _scanned(text: str, place: re.Pattern[str]) -> Iterator[str]:
    """The names in the values that stand in the places that match: the rest of the text is not parsed."""
    position = 0
    while match := place.search(text, position):
        try:
            value, position = _SCAN(text, match.end())
        except (ValueError, RecursionError):
            return
        yield from _definitions(value if isinstance(value, list) else [value], 0)


def _definitions(value: Json, depth: int) -> Iterator[str]:
    if isinstance(value, list) and depth < 4:
        for item in value:
            yield from [item] if isinstance(item, str) else _definitions(item, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        name = value.get("name")
        if isinstance(name, str):
            yield name
            return
        held = [value[key] for key in _WITHIN if isinstance(value.get(key), dict | list)]
        for inner in held:
            yield from _definitions(inner, depth + 1)
        kind = value.get("type")
        if held:
            return
        if isinstance(kind, str):
            if kind != "function":
                yield kind  # a tool of the provider's own: `web_search`
        else:  # tools by their names, or a tool of Gemini's own: `{"googleSearch": {}}`
            yield from (key for key, inner in value.items() if isinstance(inner, dict))
