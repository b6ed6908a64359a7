"""The load that is measured: agent traces of 8 spans with generations of 4 KB, as OTLP requests, made before the clock starts."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterator
from typing import Final

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

SPANS_PER_TRACE: Final = 8
#: What OpenTelemetry's batch processor sends at most.
SPANS_PER_REQUEST: Final = 512
GENERATION_CHARACTERS: Final = 4096

MODELS: Final = (
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("gcp.gemini", "gemini-2.5-flash"),
)
#: Made-up words, so that text compresses about as prose does.
WORDS: Final = [
    "".join(random.Random(index).choices("etaoinshrdlucmfwypvbgk", k=2 + index % 8)) for index in range(5000)
]


def text(source: random.Random, characters: int) -> str:
    """Return about so many characters of text, words as frequent as in prose (a few make up most of it)."""
    words = [WORDS[int(len(WORDS) * source.random() ** 3)] for _ in range(characters // 6)]
    return " ".join(words)


def attribute(key: str, value: str | int | float) -> KeyValue:
    """Return one OTLP attribute."""
    if isinstance(value, str):
        return KeyValue(key=key, value=AnyValue(string_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    return KeyValue(key=key, value=AnyValue(double_value=value))


def requests(
    spans: int, batch: int = SPANS_PER_REQUEST, seed: int = 1, start: int | None = None, step: int = 1_000_000
) -> Iterator[bytes]:
    """Yield OTLP requests (protobuf) of `batch` spans that hold about `spans` together, traces `step` nanoseconds apart."""
    source = random.Random(seed)
    moment = start if start is not None else time.time_ns() - spans // SPANS_PER_TRACE * step
    for _ in range(-(-spans // batch)):
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.extend(
            [attribute("service.name", "support-agent"), attribute("deployment.environment.name", "production")]
        )
        scope = resource.scope_spans.add()
        scope.scope.name, scope.scope.version = "bench.agent", "1.0.0"
        for _ in range(batch // SPANS_PER_TRACE):
            _trace(scope.spans, source, moment)
            moment += step
        yield request.SerializeToString()


def _trace(spans: object, source: random.Random, start: int) -> None:
    trace_id, root_id = secrets.token_bytes(16), secrets.token_bytes(8)
    user, session = f"user-{source.randrange(2000)}", f"session-{source.randrange(20000)}"
    shared = [attribute("user.id", user), attribute("session.id", session)]

    def add(name: str, operation: str, parent: bytes, offset: int, length: int, *attributes: KeyValue) -> None:
        span = spans.add()  # type: ignore[attr-defined]
        span.trace_id, span.span_id = trace_id, root_id if not parent else secrets.token_bytes(8)
        span.parent_span_id, span.name, span.kind = parent, name, 1
        span.start_time_unix_nano = start + offset * 1_000_000
        span.end_time_unix_nano = start + (offset + length) * 1_000_000
        span.attributes.extend([attribute("gen_ai.operation.name", operation), *shared, *attributes])
        if source.random() < 0.02:
            span.status.code, span.status.message = 2, "upstream answered 529 overloaded"

    add("support-agent", "invoke_agent", b"", 0, 4000, attribute("gen_ai.agent.name", "support"))
    add(
        "retrieve",
        "retrieval",
        root_id,
        10,
        120,
        attribute("input.value", text(source, 80)),
        attribute("output.value", text(source, 600)),
    )
    for index in range(4):
        provider, model = source.choice(MODELS)
        prompt, answer = GENERATION_CHARACTERS * 3 // 4, GENERATION_CHARACTERS // 4
        add(
            f"chat {model}",
            "chat",
            root_id,
            200 + index * 900,
            800,
            attribute("gen_ai.provider.name", provider),
            attribute("gen_ai.request.model", model),
            attribute("gen_ai.response.model", model),
            attribute("gen_ai.request.temperature", 0.2),
            attribute("gen_ai.request.max_tokens", 1024),
            attribute("gen_ai.response.finish_reasons", "stop"),
            attribute("gen_ai.usage.input_tokens", source.randrange(500, 5000)),
            attribute("gen_ai.usage.output_tokens", source.randrange(20, 600)),
            attribute("gen_ai.usage.cache_read.input_tokens", source.randrange(0, 400)),
            attribute("gen_ai.input.messages", _messages("user", text(source, prompt))),
            attribute("gen_ai.output.messages", _messages("assistant", text(source, answer))),
        )
    for index in range(2):
        add(
            "execute_tool lookup_order",
            "execute_tool",
            root_id,
            1000 + index * 900,
            90,
            attribute("gen_ai.tool.name", "lookup_order"),
            attribute("gen_ai.tool.call.arguments", '{"order_id": 4711}'),
            attribute("gen_ai.tool.call.result", text(source, 200)),
        )


def _messages(role: str, content: str) -> str:
    return msgspec.json.encode([{"role": role, "parts": [{"type": "text", "content": content}]}]).decode()
