"""Writes the scenario's turns as OpenTelemetry spans, in one of several attribute conventions.

A convention says what a step looks like on the wire: `langfuse` as the Langfuse SDKs 3 and 4 write it, `gen_ai` as the
OpenTelemetry semantic conventions for generative AI do.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from genscope.demo.scenario import Conversation, Failure, Message, Step, Turn
from genscope.demo.scores import ScoreSender
from genscope.demo.texts import TOPICS

Attributes: TypeAlias = dict[str, AttributeValue]

BATCH: Final = 512
#: The release that was in use until so many seconds ago, and the one since.
RELEASES: Final = ((2 * 86_400, "2026.11.2"), (float("inf"), "2026.11.1"))


class DemoError(Exception):
    """The server did not take the demo's spans."""


class Emitter:
    """Sends turns to an exporter, many spans in one request."""

    def __init__(self, exporter: SpanExporter, scores: ScoreSender | None = None) -> None:
        self._exporter = _Watched(exporter)
        self._scores = scores
        # No batch is dropped silently: `flush` is called before the queue can be full.
        self._processor = BatchSpanProcessor(
            self._exporter, max_queue_size=BATCH * 8, max_export_batch_size=BATCH, schedule_delay_millis=500
        )
        self._tracers: dict[tuple[str, str, str], Tracer] = {}
        self._waiting = 0

    def emit(self, turn: Turn, start: float, now: float) -> None:
        """Write one turn that began at `start` (seconds since the epoch)."""
        release = next(name for age, name in RELEASES if now - start <= age)
        tracer = self._tracer(turn.conversation, release)
        trace_id = self._step(tracer, turn, turn.root, start, Context())
        if self._scores is not None:
            for verdict in turn.verdicts:
                self._scores.add(trace_id, verdict, turn.conversation.environment)
        if self._waiting >= BATCH * 4:
            self.flush()

    def flush(self) -> None:
        """Wait until everything written so far is with the server.

        Raises:
            DemoError: The server refused spans or could not be reached.
        """
        self._processor.force_flush()
        self._waiting = 0
        scored = self._scores is None or self._scores.flush()
        if self._exporter.failed or not scored:
            raise DemoError("the server did not take the demo's spans; is its URL right, and the key?")

    def close(self) -> None:
        """Send what is left and end the exporter's thread."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry left its type out

    def _tracer(self, conversation: Conversation, release: str) -> Tracer:
        key = (conversation.convention, conversation.environment, release)
        if key not in self._tracers:
            resource: Attributes = {
                "service.name": "support-agent",
                "service.version": release,
                "deployment.environment.name": conversation.environment,
            }
            if conversation.convention == "langfuse":
                resource |= {"langfuse.environment": conversation.environment, "langfuse.release": release}
            provider = TracerProvider(resource=Resource(resource), shutdown_on_exit=False)
            provider.add_span_processor(self._processor)
            self._tracers[key] = provider.get_tracer("larkspur.support", "2.3.0")
        return self._tracers[key]

    def _step(self, tracer: Tracer, turn: Turn, step: Step, start: float, parent: Context) -> str:
        """Write a step and those within it, and return the id of their trace."""
        self._waiting += 1
        began = start + step.start
        name, attributes = CONVENTIONS[turn.conversation.convention](turn, step, began)
        kind = SpanKind.CLIENT if step.model else SpanKind.INTERNAL
        span = tracer.start_span(name, parent, kind, attributes, start_time=_nanoseconds(began))
        inside = trace.set_span_in_context(span, parent)
        for child in step.children:
            self._step(tracer, turn, child, start, inside)
        ended = _nanoseconds(began + step.duration)
        if step.failure:
            _record_failure(span, step, step.failure, ended)
        span.end(ended)
        return trace.format_trace_id(span.get_span_context().trace_id)


class _Watched(SpanExporter):
    """An exporter that remembers whether an export failed."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.failed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        self.failed = self.failed or result is not SpanExportResult.SUCCESS
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def exporter_to(url: str, public_key: str | None, secret_key: str | None) -> SpanExporter:
    """Return OpenTelemetry's OTLP/HTTP exporter for the server at `url`, with a key if there is one."""
    headers = {}
    if public_key and secret_key:
        headers["Authorization"] = f"Basic {base64.b64encode(f'{public_key}:{secret_key}'.encode()).decode()}"
    endpoint = f"{url.rstrip('/')}/v1/traces"
    return OTLPSpanExporter(endpoint=endpoint, headers=headers, compression=Compression.Gzip, timeout=10)


def _record_failure(span: Span, step: Step, failure: Failure, ended: int) -> None:
    """Mark a span as OpenTelemetry's SDK does for an exception that left it."""
    stack = (
        "Traceback (most recent call last):\n"
        f'  File "/srv/support_agent/{step.type}.py", line {40 + len(step.name)}, in {step.name.replace("-", "_")}\n'
        f"{failure.type}: {failure.message}\n"
    )
    event = {"exception.type": failure.type, "exception.message": failure.message, "exception.stacktrace": stack}
    span.add_event("exception", event, timestamp=ended)
    span.set_status(Status(StatusCode.ERROR, failure.message))


def _langfuse(turn: Turn, step: Step, began: float) -> tuple[str, Attributes]:
    """Return name and attributes as the Langfuse SDKs write them: `langfuse.observation.*`, JSON in text."""
    conversation = turn.conversation
    attributes: Attributes = {
        "langfuse.observation.type": step.type,
        "langfuse.observation.input": _text(_openai_input(step)),
        "langfuse.trace.name": "answer-customer",
        "langfuse.trace.tags": conversation.tags,
        "session.id": conversation.session_id,
        "user.id": conversation.user_id,
    }
    attributes |= {f"langfuse.observation.metadata.{key}": value for key, value in step.metadata.items()}
    if step.output is not None:
        attributes["langfuse.observation.output"] = _text(_openai(step.output))
    if step.failure:
        attributes["langfuse.observation.level"] = "ERROR"
        attributes["langfuse.observation.status_message"] = step.failure.message
    if step.model:
        attributes["langfuse.observation.model.name"] = step.model.name
        attributes["langfuse.observation.model.parameters"] = json.dumps(step.parameters)
    if step.first_token is not None:
        first = datetime.fromtimestamp(began + step.first_token, UTC).isoformat().replace("+00:00", "Z")
        attributes["langfuse.observation.completion_start_time"] = json.dumps(first)
    if step.model and step.usage:
        usage = step.usage
        if step.model.provider == "openai":  # as OpenAI's API reports it, which the SDK's wrapper passes on
            details: dict[str, Any] = {
                "prompt_tokens": usage.input,
                "completion_tokens": usage.output,
                "total_tokens": usage.input + usage.output,
                "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0},
            }
        else:
            details = {"input": usage.input - usage.cached, "output": usage.output}
            if usage.cached:
                details["cache_read_input_tokens"] = usage.cached
        attributes["langfuse.observation.usage_details"] = json.dumps(details)
    return step.name, attributes


#: The agent's tools, as a model is told of them.
TOOLS: Final = [
    {
        "name": topic.tool,
        "description": f"{topic.tool.replace('_', ' ').capitalize()} for a customer.",
        "parameters": {
            "type": "object",
            "properties": {name: {"type": "string"} for name in topic.arguments},
            "required": list(topic.arguments),
        },
    }
    for topic in TOPICS
]
#: `gen_ai.operation.name` by the type of a step; a type that is missing here has no name in the convention.
OPERATIONS: Final = {
    "agent": "invoke_agent",
    "generation": "chat",
    "embedding": "embeddings",
    "retriever": "retrieval",
    "tool": "execute_tool",
}


def _gen_ai(turn: Turn, step: Step, began: float) -> tuple[str, Attributes]:
    """Return name and attributes by OpenTelemetry's semantic conventions for generative AI."""
    conversation = turn.conversation
    attributes: Attributes = {
        "gen_ai.conversation.id": conversation.session_id,
        "session.id": conversation.session_id,
        "user.id": conversation.user_id,
    }
    attributes |= {f"support.{key}": value for key, value in step.metadata.items()}
    operation = OPERATIONS.get(step.type)
    if operation:
        attributes["gen_ai.operation.name"] = operation
    if step.failure:
        attributes["error.type"] = step.failure.type
    if step.type in ("agent", "generation"):
        attributes["gen_ai.input.messages"] = json.dumps(_parts(step.input, "user"))
        if step.output is not None:
            finish = "tool_call" if step.tool_call else "stop"
            messages = [message | {"finish_reason": finish} for message in _parts(step.output, "assistant")]
            attributes["gen_ai.output.messages"] = json.dumps(messages)
    if step.type == "agent":
        attributes["gen_ai.agent.name"] = "larkspur-support"
        return f"invoke_agent {step.name}", attributes
    if step.type == "tool" and step.tool_call:
        attributes["gen_ai.tool.name"] = step.tool_call.name
        attributes["gen_ai.tool.call.id"] = step.tool_call.id
        attributes["gen_ai.tool.call.arguments"] = json.dumps(step.input)
        if step.output is not None:
            attributes["gen_ai.tool.call.result"] = json.dumps(step.output)
        return f"execute_tool {step.name}", attributes
    if step.type == "retriever":
        attributes["gen_ai.retrieval.query.text"] = step.input
        attributes["gen_ai.retrieval.documents"] = json.dumps(step.output)
        return f"retrieval {step.name}", attributes
    if step.model is None:
        return step.name, attributes
    attributes["gen_ai.provider.name"] = step.model.provider
    attributes["gen_ai.request.model"] = step.model.name
    names = {"max_completion_tokens": "max_tokens"}
    attributes |= {f"gen_ai.request.{names.get(key, key)}": value for key, value in step.parameters.items()}
    if step.with_tools:
        attributes["gen_ai.tool.definitions"] = json.dumps([{"type": "function", **tool} for tool in TOOLS])
    if step.usage:
        attributes["gen_ai.response.model"] = step.model.name
        attributes["gen_ai.usage.input_tokens"] = step.usage.input
        if step.type == "generation":
            attributes["gen_ai.usage.output_tokens"] = step.usage.output
            attributes["gen_ai.response.finish_reasons"] = ["tool_call" if step.tool_call else "stop"]
        if step.usage.cached:
            attributes["gen_ai.usage.cache_read.input_tokens"] = step.usage.cached
        if step.usage.reasoning:
            attributes["gen_ai.usage.reasoning.output_tokens"] = step.usage.reasoning
    if step.first_token is not None:
        attributes["gen_ai.request.stream"] = True
        attributes["gen_ai.response.time_to_first_chunk"] = round(step.first_token, 4)
    return f"{operation} {step.model.name}", attributes


#: Name and attributes of a step that began at a time (seconds since the epoch).
CONVENTIONS: Final[dict[str, Callable[[Turn, Step, float], tuple[str, Attributes]]]] = {
    "langfuse": _langfuse,
    "gen_ai": _gen_ai,
}


def _openai_input(step: Step) -> Any:
    """Return what a step was given: of a call with tools both, as the SDK's wrapper of OpenAI's client writes it."""
    given = _openai(step.input)
    tools = [{"type": "function", "function": tool} for tool in TOOLS]
    return {"tools": tools, "messages": given} if step.with_tools else given


def _openai(value: Any) -> Any:
    """Return messages in the shape of OpenAI's chat API, everything else as it is."""
    if isinstance(value, list):
        return [_openai(item) for item in value]
    if not isinstance(value, Message):
        return value
    if value.role == "tool" and value.tool_call:
        return {"role": "tool", "tool_call_id": value.tool_call.id, "content": value.text}
    if value.tool_call:
        function = {"name": value.tool_call.name, "arguments": json.dumps(value.tool_call.arguments)}
        call = {"id": value.tool_call.id, "type": "function", "function": function}
        return {"role": value.role, "content": None, "tool_calls": [call]}
    return {"role": value.role, "content": value.text}


def _parts(value: Any, role: str) -> list[dict[str, Any]]:
    """Return messages in the shape of `gen_ai.input.messages`; a text is one message of that role."""
    if isinstance(value, str):
        value = Message(role, value)
    messages: list[Message] = value if isinstance(value, list) else [value]
    return [{"role": message.role, "parts": [_part(message)]} for message in messages]


def _part(message: Message) -> dict[str, Any]:
    call = message.tool_call
    if call is None:
        return {"type": "text", "content": message.text}
    if message.role == "tool":
        return {"type": "tool_call_response", "id": call.id, "response": message.text}
    return {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1_000_000) * 1_000
