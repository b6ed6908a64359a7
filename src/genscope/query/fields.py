"""The fields that a filter may name: one table, of which parser, parameters of the API, completion and documentation are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from genscope.model import COST_MISSING, LEVELS, SPAN_TYPES

#: What the values of a field are: `text`, a `list` of texts of which one is meant, `words` to be searched for, a moment, a number
#: (of seconds, of US dollars, a count, or of nothing), or a `score`, which is a number or a text.
Kind = Literal["text", "list", "words", "time", "seconds", "money", "count", "number", "score"]
NUMBERS: Final = frozenset({"seconds", "money", "count", "number"})


@dataclass(frozen=True, slots=True)
class Field:
    """A field by the name that it is written by; `column` is what `Condition.field` calls it.

    `values` are those it can have, empty for any. Of a `keyed` field one entry is meant: `metadata.plan`.
    """

    name: str
    kind: Kind
    description: str
    column: str = ""
    values: tuple[str, ...] = ()
    keyed: bool = False

    @property
    def asked(self) -> str:
        """What a `Condition` on it calls it."""
        return self.column or self.name


TABLE: Final = (
    Field("type", "text", "Kind of span", values=SPAN_TYPES),
    Field("name", "text", "Name of the span"),
    Field("level", "text", "How bad it is; calls that failed are `ERROR`", values=LEVELS),
    Field("status", "text", "Message of the error", "status_message"),
    Field("error", "text", "Fingerprint of a failure, which failures of one kind share; see `/errors`"),
    Field("model", "text", "Model, as the provider names it"),
    Field("provider", "text", "Who runs the model, such as `openai`"),
    Field("cost", "money", "Cost in US dollars", "total_cost"),
    Field("input_cost", "money", "Cost of the input in US dollars"),
    Field("output_cost", "money", "Cost of the output in US dollars"),
    Field("tokens", "count", "Tokens in and out", "total_tokens"),
    Field("input_tokens", "count", "Tokens in"),
    Field("output_tokens", "count", "Tokens out"),
    Field("usage", "count", "Tokens of one kind, such as `usage.input_cache_read`", keyed=True),
    Field("latency", "seconds", "Time from start to end"),
    Field("ttft", "seconds", "Time to the first token", "time_to_first_token"),
    Field("tps", "number", "Output tokens per second", "tokens_per_second"),
    Field("start_time", "time", "When it began"),
    Field("end_time", "time", "When it ended"),
    Field("user", "text", "User; holds for the whole trace", "user_id"),
    Field("session", "text", "Session or thread; holds for the whole trace", "session_id"),
    Field("tag", "list", "One of the tags"),
    Field(
        "metadata",
        "text",
        "An entry of the metadata of span or trace, such as `metadata.plan`",
        "any_metadata",
        keyed=True,
    ),
    Field("attributes", "text", "An attribute as it was sent, such as `attributes.http.method`", keyed=True),
    Field(
        "parameters",
        "text",
        "A parameter of the call, such as `parameters.temperature`",
        "model_parameters",
        keyed=True,
    ),
    Field("score", "score", "A score of the span or its trace, such as `score.helpful`", keyed=True),
    Field("input", "words", "Words of the prompt"),
    Field("output", "words", "Words of the completion"),
    Field("text", "words", "Words of prompt or completion; the same as words without a field"),
    Field("tool", "list", "A tool that the model was offered"),
    Field("tool_call", "list", "A tool that the model called"),
    Field("trace", "text", "Id of the trace", "trace_id"),
    Field("span", "text", "Id of the span", "span_id"),
    Field("parent", "text", "Id of the span it is a part of", "parent_span_id"),
    Field("trace_name", "text", "Name that was given to the trace"),
    Field("env", "text", "Environment, such as `production`", "environment"),
    Field("release", "text", "Release of the application"),
    Field("version", "text", "Version of what the span does"),
    Field("prompt", "text", "Name of the prompt that was used", "prompt_name"),
    Field("prompt_version", "text", "Version of that prompt"),
    Field("cost_source", "text", "Who says what it cost", values=("reported", "computed")),
    Field("cost_missing", "text", "Why there is no cost", values=COST_MISSING),
    Field("service_tier", "text", "Tier of service that the provider gave"),
    Field("server_address", "text", "Host that was asked"),
    Field("scope", "text", "Library that told of it"),
    Field("protocol", "text", "Protocol it came by"),
    Field("repository", "text", "Log repository it was sent to (Maxim)"),
)

#: A field by every name that it has: the short one and that of the API.
BY_NAME: Final[Mapping[str, Field]] = {field.asked: field for field in TABLE} | {field.name: field for field in TABLE}

#: Fields that a parameter of a query string may name, by the name of the API, and the values it can have: None for any text.
FIELDS: Final[dict[str, tuple[str, ...] | None]] = {
    field.asked: field.values or None for field in TABLE if field.kind in ("text", "list") and not field.keyed
}
