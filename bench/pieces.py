"""Spans in pieces beside the same spans finished: what a span costs that comes as several messages.

The traces of `bench.load` are sent three times, each time to a server of its own: as OTLP, as the lines of Maxim's SDKs (three
a span), as the events of Langfuse's SDKs before OpenTelemetry (two a span) and as Genscope's own lines of pieces (two a span), as
many spans in a request each time. Runs alternate, so that they share what the machine does besides.

    python -m bench.pieces [--spans 30000] [--batch 512] [--connections 8] [--runs 3]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

import msgspec

from bench.ingest import OTLP, Figures, Route, machine, report, run
from bench.load import SPANS_PER_REQUEST, requests
from genscope.ingest import understand
from genscope.model import Span
from genscope.receive import otlp

Told = list[dict[str, Any]]


def spans_of(bodies: list[bytes]) -> Iterator[list[Span]]:
    """Yield the spans of each OTLP request."""
    for body in bodies:
        decoded = otlp.decode(body, otlp.Format.PROTOBUF, max_spans=100_000)
        yield understand(decoded.spans, time.time_ns())[0]


def iso(nanoseconds: int | None) -> str:
    """Return a time as SDKs write it."""
    return datetime.fromtimestamp((nanoseconds or 0) / 1e9, UTC).isoformat()


def said(text: str | None) -> str:
    """Return what the one message of a text of messages says."""
    return str(msgspec.json.decode(text or "[]")[0]["parts"][0]["content"])


def usage(span: Span) -> dict[str, int]:
    """Return tokens as OpenAI counts them."""
    counts = span.usage or {}
    return {
        "prompt_tokens": counts.get("input", 0),
        "completion_tokens": counts.get("output", 0),
        "total_tokens": counts.get("input", 0) + counts.get("output", 0),
    }


def maxim_lines(spans: list[Span]) -> bytes:
    """Return a body of Maxim's protocol that tells these spans."""
    lines: list[str] = []

    def line(entity: str, id_: str, action: str, data: dict[str, Any]) -> None:
        lines.append(f"{entity}{{id={id_},action={action},data={msgspec.json.encode(data).decode()}}}")

    for span in spans:
        begin, end = {"startTimestamp": iso(span.start_time)}, {"endTimestamp": iso(span.end_time)}
        named = {"id": span.span_id, "name": span.name, **begin}
        if span.type == "generation":
            messages = [{"role": "user", "content": said(span.input)}]
            call = {"provider": span.provider, "model": span.model, "messages": messages}
            line("trace", span.trace_id, "add-generation", {**named, **call, "modelParameters": span.model_parameters})
            answer = {"index": 0, "message": {"role": "assistant", "content": said(span.output)}}
            result = {"id": span.span_id, "model": span.model, "choices": [answer], "usage": usage(span)}
            line("generation", span.span_id, "result", {"result": result})
            line("generation", span.span_id, "end", end)
        elif span.type == "retriever":
            line("trace", span.trace_id, "add-retrieval", named)
            line("retrieval", span.span_id, "update", {"input": span.input})
            line("retrieval", span.span_id, "end", {"docs": [span.output], **end})
        elif span.type == "tool":
            line("trace", span.trace_id, "add-tool-call", {**named, "args": span.input})
            line("tool_call", span.span_id, "result", {"result": span.output})
            line("tool_call", span.span_id, "end", end)
        else:
            line("trace", span.trace_id, "create", {"name": span.name, "sessionId": span.session_id, **begin})
            line("trace", span.trace_id, "update", {"tags": {"user": span.user_id}})
            line("trace", span.trace_id, "end", end)
    return "\n".join(lines).encode()


def langfuse_events(spans: list[Span]) -> bytes:
    """Return a body of Langfuse's protocol before OpenTelemetry that tells these spans."""
    events: Told = []
    numbers = count()

    def event(kind: str, body: dict[str, Any], nanoseconds: int | None) -> None:
        id_ = f"{spans[0].span_id}-{next(numbers)}"
        events.append({"id": id_, "type": kind, "timestamp": iso(nanoseconds), "body": body})

    for span in spans:
        if span.parent_span_id is None:
            trace = {"id": span.trace_id, "name": span.name, "userId": span.user_id, "sessionId": span.session_id}
            event("trace-create", {**trace, "timestamp": iso(span.start_time)}, span.start_time)
            event("trace-create", {"id": span.trace_id, "output": "done"}, span.end_time)
            continue
        kind = "generation" if span.type == "generation" else "span"
        known: dict[str, Any] = {"id": span.span_id, "traceId": span.trace_id, "name": span.name}
        known["startTime"] = iso(span.start_time)
        ended: dict[str, Any] = {"id": span.span_id, "traceId": span.trace_id, "endTime": iso(span.end_time)}
        if kind == "generation":
            known |= {"model": span.model, "modelParameters": span.model_parameters}
            known |= {"input": [{"role": "user", "content": said(span.input)}]}
            ended |= {"output": said(span.output), "usage": usage(span)}
        else:
            known["input"], ended["output"] = span.input, span.output
        event(f"{kind}-create", known, span.start_time)
        event(f"{kind}-update", ended, span.end_time)
    return msgspec.json.encode({"batch": events, "metadata": {}})


def genscope_lines(spans: list[Span]) -> bytes:
    """Return a body of Genscope's own lines that tells these spans, as the Logger of its SDK does."""
    lines: Told = []
    for span in spans:
        whole: dict[str, Any] = {"kind": "trace", "id": span.trace_id}
        root = span.parent_span_id is None
        about: dict[str, Any] = whole if root else {"kind": span.type, "id": span.span_id, "trace_id": span.trace_id}
        begun: dict[str, Any] = {**about, "time": span.start_time, "name": span.name, "start_time": span.start_time}
        ended: dict[str, Any] = {**about, "time": span.end_time, "end_time": span.end_time, "output": span.output}
        if root:
            begun |= {"session_id": span.session_id, "user_id": span.user_id}
        else:
            begun["parent"] = whole
        if span.type == "generation":
            begun |= {"provider": span.provider, "model": span.model, "model_parameters": span.model_parameters}
            begun["input"] = [{"role": "user", "content": said(span.input)}]
            ended |= {"output": {"role": "assistant", "content": said(span.output)}, "usage": span.usage}
        elif not root:
            begun["input"] = span.input
        lines += [begun, ended]
    return b"\n".join(map(msgspec.json.encode, lines))


WAYS: Final[dict[str, tuple[Route, Callable[[list[Span]], bytes] | None]]] = {
    "finished spans, OTLP": (OTLP, None),
    "lines of Maxim's SDKs": (Route("/api/sdk/v3/log?id=bench", "text/plain"), maxim_lines),
    "events of Langfuse's SDKs": (Route("/api/public/ingestion", "application/json", 207), langfuse_events),
    "Genscope's lines of pieces": (Route("/api/v1/pieces", "application/jsonl"), genscope_lines),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--spans", type=int, default=30_000, help="spans of a run")
    parser.add_argument("--batch", type=int, default=SPANS_PER_REQUEST, help="spans of a request, a multiple of 8")
    parser.add_argument("--connections", type=int, default=8, help="requests under way at a time")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many is told")
    options = parser.parse_args()
    print(machine())
    runs: dict[str, list[Figures]] = {way: [] for way in WAYS}
    for number in range(options.runs):
        bodies = list(requests(options.spans, batch=options.batch, seed=number))
        for way, (route, written) in WAYS.items():
            sent = bodies if written is None else [written(spans) for spans in spans_of(bodies)]
            runs[way].append(run(sent, options.batch, options.connections, 0, route))
    for way, figures in runs.items():
        report(way, figures)
    finished, *pieces = runs
    print()
    for way in pieces:
        for name in ("cpu_us_per_span", "bytes_per_span"):
            ratio = [getattr(a, name) / getattr(b, name) for a, b in zip(runs[way], runs[finished], strict=True)]
            print(f"{way}: {statistics.median(ratio):.2f} times the {name} of finished spans")


if __name__ == "__main__":
    main()
