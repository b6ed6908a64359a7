"""What a model answered, as the SDKs tell it: mostly an OpenAI chat completion, never quite the same."""

from __future__ import annotations

from typing import Any, Final

from genscope.conventions.decode import dumped, tier
from genscope.conventions.tools import called
from genscope.model import Attributes, Json, Span
from genscope.pricing import cost, usage
from genscope.receive.maxim.values import NO_SPAN, content

#: Keys of an answer that become more than attributes.
_READ: Final = ("choices", "output", "error", "cost")
#: What a choice says, among what is said about it: Go 0.0.5 and Java before 1.1 put a list in `messages`.
_SAID: Final = ("message", "messages", "text")
#: A `created` beyond this is told in milliseconds.
_MILLISECONDS: Final = 10**11


def tell(span: Span, value: Any) -> None:
    """Put an answer into the piece `span` of a generation."""
    if not isinstance(value, dict):
        answer(span, content(value))
        return
    if value.get("error"):
        tell_error(span, value["error"])
    choices = _objects(value.get("choices"))
    if choices:
        answer(span, _said(choices))
        span.attributes["result.choices"] = [_about(choice) for choice in choices]
    elif value.get("output"):
        answer(span, content(value["output"]))
    elif not value.get("error"):
        answer(span, dumped(value))  # a provider's own format, as Go and Java may pass it on
    if isinstance(value.get("model"), str) and value["model"]:
        span.model, span.model_rule = value["model"], "maxim result.model"
    if isinstance(value.get("usage"), dict):
        span.usage = usage.from_details(value["usage"])
        span.usage_rule = "maxim result.usage" if span.usage else None
    if value.get("cost") is not None:
        tell_cost(span, value["cost"], "maxim result.cost")
    span.service_tier = tier(value.get("service_tier"), NO_SPAN)
    for key, told in value.items():
        if key not in _READ and told is not None:
            span.attributes[f"result.{key}"] = _seconds(told) if key == "created" else told


def answer(span: Span, output: str | None) -> None:
    """Put in what was answered, and the tools that it calls."""
    span.output = output
    span.tool_calls = called("generation", output)


def tell_error(span: Span, value: Json) -> None:
    """Put in why something failed: a text, or `message`, `code` and `type`."""
    span.level = "ERROR"
    if isinstance(value, dict):
        about: Attributes = {key: told for key, told in value.items() if told is not None}
        span.status_message = content(about.pop("message", None))
        span.attributes.update({f"error.{key}": told for key, told in about.items()})
    else:
        span.status_message = content(value)


def tell_cost(span: Span, value: Json, rule: str) -> None:
    """Put in a cost that the sender reports."""
    span.cost = cost.from_details(value, NO_SPAN)
    if span.cost is None:
        span.attributes["cost"] = value
    else:
        span.cost_source, span.cost_rule = "reported", rule


def _objects(value: Json) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _about(choice: dict[str, Any]) -> Json:
    return {key: told for key, told in choice.items() if key not in _SAID and told is not None}


def _said(choices: list[dict[str, Any]]) -> str | None:
    """One message as itself, several as a list; the text of a text completion as it is."""
    said: list[Json] = []
    for choice in choices:
        told = next((choice[key] for key in _SAID if choice.get(key) is not None), None)
        said.extend(told if isinstance(told, list) else [] if told is None else [told])
    return content(said[0] if len(said) == 1 else said)


def _seconds(created: Json) -> Json:
    return created // 1000 if isinstance(created, int) and created > _MILLISECONDS else created
