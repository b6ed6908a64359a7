"""The names that the SDK writes on spans, and how each field of an observation becomes attributes.

OpenTelemetry's name where it has one (`gen_ai.*`, `user.id`, `session.id`, `deployment.environment.name`), else `genscope.*`.
The server reads them by `genscope.conventions.genscope`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, TypedDict, cast, get_args

from genscope.sdk import notices, values
from genscope.sdk.settings import Settings

#: What an attribute may be.
Attribute: TypeAlias = str | bool | int | float | Sequence[str]
#: What an observation may be; see docs/sdk.md.
ObservationType: TypeAlias = Literal[
    "span",
    "generation",
    "embedding",
    "tool",
    "retriever",
    "reranker",
    "agent",
    "chain",
    "evaluator",
    "guardrail",
    "event",
]
Level: TypeAlias = Literal["DEBUG", "DEFAULT", "WARNING", "ERROR"]

TYPES: Final = frozenset(get_args(ObservationType))
LEVELS: Final = frozenset(get_args(Level))

TYPE: Final = "genscope.type"
LEVEL: Final = "genscope.level"
STATUS_MESSAGE: Final = "genscope.status_message"
INPUT: Final = "genscope.input"
OUTPUT: Final = "genscope.output"
METADATA: Final = "genscope.metadata"
MODEL: Final = "gen_ai.request.model"
PROVIDER: Final = "gen_ai.provider.name"
MODEL_PARAMETERS: Final = "genscope.model_parameters"
USAGE: Final = "genscope.usage"
COST: Final = "genscope.cost"
COMPLETION_START_TIME: Final = "genscope.completion_start_time"
PROMPT_NAME: Final = "genscope.prompt.name"
PROMPT_VERSION: Final = "genscope.prompt.version"
VERSION: Final = "genscope.version"
RELEASE: Final = "genscope.release"
ENVIRONMENT: Final = "deployment.environment.name"
#: The span is the first of its trace here, though it has a parent elsewhere, or one that nobody will tell of.
ROOT: Final = "genscope.root"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
SERVICE_TIER: Final = "gen_ai.response.service_tier"
USER_ID: Final = "user.id"
SESSION_ID: Final = "session.id"
TAGS: Final = "genscope.tags"
TRACE_NAME: Final = "genscope.trace.name"
TRACE_INPUT: Final = "genscope.trace.input"
TRACE_OUTPUT: Final = "genscope.trace.output"
TRACE_METADATA: Final = "genscope.trace.metadata"
TRACE_PUBLIC: Final = "genscope.trace.public"


class Fields(TypedDict, total=False):
    """What can be told of an observation, when it starts or later. None says nothing; what is told last holds."""

    #: What went in and what came out: any object.
    input: Any
    output: Any
    #: Facts of the application's own. Entries are added to those told before.
    metadata: Any
    #: Version of this part of the application, such as that of an agent.
    version: str | None
    level: Level | None
    #: What went wrong, or is worth knowing.
    status_message: str | None
    #: The model that was asked, such as `gpt-4o`, and whose it is, such as `openai`.
    model: str | None
    provider: str | None
    #: What the model was asked with, such as `{"temperature": 0.7}`.
    model_parameters: Mapping[str, Any] | None
    #: Tokens by Genscope's kinds: `input` and `output` are all of them, others such as `input_cache_read` are parts of these.
    usage: Mapping[str, int] | None
    #: Tokens in a provider's own words; or by kinds that, as Langfuse has it, leave each other out.
    usage_details: Mapping[str, Any] | None
    #: Dollars by the same kinds, for what costs something else than the price list says.
    cost_details: Mapping[str, float] | None
    #: When the first token came: a moment, or nanoseconds since the epoch.
    completion_start_time: datetime | int | None
    #: The prompt this call was made from: an object or a mapping with `name` and `version`.
    prompt: Any


class TraceFields(TypedDict, total=False):
    """What can be told of the whole trace. None says nothing; what is told last holds."""

    name: str | None
    user_id: str | None
    session_id: str | None
    version: str | None
    input: Any
    output: Any
    metadata: Any
    tags: Sequence[str] | None
    public: bool | None


#: Bytes of a name or an id.
LONGEST_NAME: Final = 65536
#: Entries of metadata that travel as attributes of their own. OpenTelemetry keeps 128 attributes of a span and forgets the
#: oldest, so that more of them would push out what the span is.
MOST_ENTRIES: Final = 32
#: A mask is for what was said and for metadata; counts, costs and parameters are written as they are.
_UNMASKED: Final = Settings()
#: What JSON begins with, but for numbers.
_JSON: Final = ('"', "[", "{")

#: (attributes to add to, value, settings)
Writer: TypeAlias = Callable[[dict[str, Attribute], Any, Settings], None]


def write(table: Mapping[str, Writer], fields: Mapping[str, Any], settings: Settings) -> dict[str, Attribute]:
    """Return fields as attributes, by a table. Never raises: what cannot be written is left out and told in the log."""
    attributes: dict[str, Attribute] = {}
    for name, value in fields.items():
        if value is None:
            continue
        writer = table.get(name)
        if writer is None:
            notices.once(("field", name), "there is no field %s; known are %s", name, ", ".join(table))
            continue
        try:
            writer(attributes, value, settings)
        except Exception as error:  # whatever the application's objects do
            notices.once(("field", name, type(value)), "%s could not be recorded: %r", name, error)
    return attributes


def joined(before: Mapping[str, Any], told: dict[str, Attribute]) -> dict[str, Attribute]:
    """Return what is told; its tags and those told before add up."""
    if TAGS in told and TAGS in before:
        told[TAGS] = list(dict.fromkeys([*before[TAGS], *cast("Sequence[str]", told[TAGS])]))
    return told


def plain(value: Any) -> str:
    """Return a name or an id as text. Never raises."""
    try:
        return values.capped(str.__str__(value) if isinstance(value, str) else str(value), LONGEST_NAME)
    except Exception:  # objects may do anything when they are looked at
        return f"<{type(value).__name__}>"


def _name(attribute: str) -> Writer:
    def told(attributes: dict[str, Attribute], value: Any, _settings: Settings) -> None:
        attributes[attribute] = plain(value)

    return told


def _text(attribute: str) -> Writer:
    def told(attributes: dict[str, Attribute], value: Any, settings: Settings) -> None:
        attributes[attribute] = values.text(value, settings)

    return told


def _level(attributes: dict[str, Attribute], value: Any, _settings: Settings) -> None:
    level = str(value).upper()
    if level not in LEVELS:
        notices.once(("level", level), "there is no level %s; known are %s", level, ", ".join(sorted(LEVELS)))
        return
    attributes[LEVEL] = level


def _content(attribute: str, captured: str) -> Writer:
    """What leaves the process if that setting says so."""

    def told(attributes: dict[str, Attribute], value: Any, settings: Settings) -> None:
        if getattr(settings, captured):
            attributes[attribute] = values.text(value, settings)

    return told


def _json(attribute: str) -> Writer:
    def told(attributes: dict[str, Attribute], value: Any, _settings: Settings) -> None:
        attributes[attribute] = values.text(value, _UNMASKED)

    return told


def _totals(attributes: dict[str, Attribute], value: Any, _settings: Settings) -> None:
    attributes[USAGE] = values.text({"totals": value}, _UNMASKED)


def _metadata(attribute: str) -> Writer:
    def told(attributes: dict[str, Attribute], value: Any, settings: Settings) -> None:
        if not isinstance(value, Mapping) or len(value) > MOST_ENTRIES:
            attributes[attribute] = _entry(value, settings)
            return
        for key, entry in value.items():
            if entry is not None:
                attributes[f"{attribute}.{plain(key)}"] = _entry(entry, settings)

    return told


def _entry(value: Any, settings: Settings) -> Attribute:
    """Return a value of metadata so that it comes back with its type: what begins like JSON is JSON."""
    if settings.mask is None and _is_number(value):
        return cast(Attribute, value)
    told = values.text(value, settings)
    if isinstance(value, str):
        return json.dumps(told) if told[:1] in _JSON else told
    if told[:1] in _JSON:
        return told
    try:
        number = json.loads(told)  # a mask was asked
    except ValueError:
        return told
    return cast(Attribute, number) if _is_number(number) else told


def _is_number(value: Any) -> bool:
    """Whether it is a number, or yes or no, that both OTLP and JSON can say."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and abs(value) < 2**63


def _moment(attributes: dict[str, Attribute], value: Any, _settings: Settings) -> None:
    attributes[COMPLETION_START_TIME] = nanoseconds(value)


def nanoseconds(moment: datetime | int) -> int:
    """Return a moment in nanoseconds since the epoch; a time without a zone is local, as everywhere in Python.

    Raises:
        ValueError, TypeError, AttributeError and others: it is no moment, or one before 1970 or after 2262.
    """
    told = moment if isinstance(moment, int) else round(moment.timestamp() * 1_000_000) * 1000
    if not 0 <= told < 2**63:
        raise ValueError(f"{moment} is out of range")
    return told


def _prompt(attributes: dict[str, Attribute], value: Any, _settings: Settings) -> None:
    def told(name: str) -> Any:
        return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)

    if told("is_fallback"):
        return
    name, version = told("name"), told("version")
    if name is not None:
        attributes[PROMPT_NAME] = plain(name)
    if version is not None:
        attributes[PROMPT_VERSION] = plain(version)


def _names(attribute: str) -> Writer:
    def told(attributes: dict[str, Attribute], value: Any, _settings: Settings) -> None:
        attributes[attribute] = [plain(name) for name in ([value] if isinstance(value, str) else value)]

    return told


def _public(attributes: dict[str, Attribute], value: Any, _settings: Settings) -> None:
    attributes[TRACE_PUBLIC] = bool(value)


#: What each of `Fields` becomes.
OBSERVATION: Final[Mapping[str, Writer]] = {
    "input": _content(INPUT, "capture_input"),
    "output": _content(OUTPUT, "capture_output"),
    "metadata": _metadata(METADATA),
    "version": _name(VERSION),
    "level": _level,
    "status_message": _text(STATUS_MESSAGE),
    "model": _name(MODEL),
    "provider": _name(PROVIDER),
    "model_parameters": _json(MODEL_PARAMETERS),
    "usage": _totals,
    "usage_details": _json(USAGE),
    "cost_details": _json(COST),
    "completion_start_time": _moment,
    "prompt": _prompt,
}
#: What each field of `genscope.sdk.results.Result` becomes.
RESULT: Final[Mapping[str, Writer]] = {
    "model": _name(RESPONSE_MODEL),
    "provider": _name(PROVIDER),
    "output": _content(OUTPUT, "capture_output"),
    "usage": _totals,
    "service_tier": _name(SERVICE_TIER),
    "finish_reason": _names(FINISH_REASONS),
    "id": _name(RESPONSE_ID),
}
#: What each of `TraceFields` becomes, and what `propagate` takes.
TRACE: Final[Mapping[str, Writer]] = {
    "name": _name(TRACE_NAME),
    "user_id": _name(USER_ID),
    "session_id": _name(SESSION_ID),
    "version": _name(VERSION),
    "environment": _name(ENVIRONMENT),
    "input": _content(TRACE_INPUT, "capture_input"),
    "output": _content(TRACE_OUTPUT, "capture_output"),
    "metadata": _metadata(TRACE_METADATA),
    "tags": _names(TAGS),
    "public": _public,
    "prompt": _prompt,
}
