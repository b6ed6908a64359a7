from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
import pytest
import uvloop
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from genscope.receive import grpc as receiver
from genscope.receive.errors import (
    BadRequest,
    Forbidden,
    Overloaded,
    RequestError,
    TooLarge,
    Unauthorized,
    UnsupportedMediaType,
)
from genscope.receive.otlp import Format, decode, encode_response

METHOD = f"/{receiver.SERVICE}/Export"
RUNNERS: dict[str, Callable[..., Any]] = {"asyncio": asyncio.run, "uvloop": uvloop.run}


async def call(server: receiver.Server, message: bytes, **options: Any) -> bytes:
    """One call by the synchronous client in a thread of its own, as an application would make it."""

    def blocking() -> bytes:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            answer: bytes = channel.unary_unary(METHOD, None, None)(message, timeout=20, **options)
            return answer

    return await asyncio.to_thread(blocking)


async def serving(
    export: receiver.Export, use: Callable[[receiver.Server], Awaitable[None]], limit: int = 1 << 20
) -> None:
    server = await receiver.start(export, "127.0.0.1", 0, limit)
    try:
        await use(server)
    finally:
        await server.stop(0)


def some_spans() -> tuple[ReadableSpan, ...]:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("shop", "1.2")
    with tracer.start_as_current_span("agent"), tracer.start_as_current_span("chat") as span:
        span.set_attribute("gen_ai.request.model", "gpt-4o")
    return memory.get_finished_spans()


@pytest.mark.parametrize("loop", RUNNERS)
@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_the_opentelemetry_exporter_is_received(loop: str, compression: grpc.Compression) -> None:
    received: list[tuple[Mapping[str, str], bytes]] = []

    async def export(metadata: Mapping[str, str], body: bytes) -> bytes:
        received.append((metadata, body))
        return encode_response(Format.PROTOBUF, [])

    async def use(server: receiver.Server) -> None:
        exporter = OTLPSpanExporter(
            f"http://127.0.0.1:{server.port}",
            insecure=True,
            headers={"authorization": "Bearer none"},
            compression=compression,
        )
        assert await asyncio.to_thread(exporter.export, some_spans()) is SpanExportResult.SUCCESS
        await asyncio.to_thread(exporter.shutdown)

    RUNNERS[loop](serving(export, use))
    [(metadata, body)] = received
    assert metadata["authorization"] == "Bearer none"
    decoded = decode(body, Format.PROTOBUF, 10)
    chat, agent = decoded.spans
    assert (chat.name, chat.parent_span_id, agent.parent_span_id) == ("chat", agent.span_id, None)
    assert chat.attributes["gen_ai.request.model"] == "gpt-4o"
    assert (chat.scope.name, chat.scope.version) == ("shop", "1.2")


@pytest.mark.parametrize("loop", RUNNERS)
def test_the_opentelemetry_exporter_sends_again_after_overload(loop: str) -> None:
    calls = 0

    async def export(_metadata: Mapping[str, str], _body: bytes) -> bytes:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise Overloaded("busy", retry_after=1)
        return b""

    async def use(server: receiver.Server) -> None:
        exporter = OTLPSpanExporter(f"http://127.0.0.1:{server.port}", insecure=True, timeout=20)
        assert await asyncio.to_thread(exporter.export, some_spans()) is SpanExportResult.SUCCESS
        await asyncio.to_thread(exporter.shutdown)

    RUNNERS[loop](serving(export, use))
    assert calls == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadRequest("wrong"), grpc.StatusCode.INVALID_ARGUMENT),
        (Unauthorized("no key"), grpc.StatusCode.UNAUTHENTICATED),
        (Forbidden("other project"), grpc.StatusCode.PERMISSION_DENIED),
        (TooLarge("big"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (UnsupportedMediaType("what"), grpc.StatusCode.INVALID_ARGUMENT),
        (Overloaded("busy", 7), grpc.StatusCode.UNAVAILABLE),
        (ZeroDivisionError("a detail of the server"), grpc.StatusCode.INTERNAL),
    ],
    ids=lambda value: type(value).__name__,
)
def test_refusals(error: Exception, code: grpc.StatusCode) -> None:
    async def export(_metadata: Mapping[str, str], _body: bytes) -> bytes:
        raise error

    caught: list[Any] = []

    async def use(server: receiver.Server) -> None:
        with pytest.raises(grpc.RpcError) as info:
            await call(server, b"")
        caught.append(info.value)

    asyncio.run(serving(export, use))
    [refusal] = caught
    assert refusal.code() is code
    if not isinstance(error, RequestError):
        assert "detail" not in refusal.details()
        return
    assert refusal.details() == error.message
    trailing = dict(refusal.trailing_metadata() or ())
    if error.retry_after is None:
        assert "grpc-status-details-bin" not in trailing
        return
    status = Status.FromString(trailing["grpc-status-details-bin"])
    retry = RetryInfo()
    assert (status.code, status.message) == (code.value[0], error.message)
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.seconds == error.retry_after


def test_a_second_server_on_the_port_is_refused() -> None:
    async def export(_metadata: Mapping[str, str], _body: bytes) -> bytes:
        return b""

    async def use(server: receiver.Server) -> None:
        with pytest.raises(RuntimeError):
            await receiver.start(export, "127.0.0.1", server.port, 1000)

    asyncio.run(serving(export, use))


def test_a_message_over_the_limit_is_refused() -> None:
    async def export(_metadata: Mapping[str, str], body: bytes) -> bytes:
        return str(len(body)).encode()

    async def use(server: receiver.Server) -> None:
        assert await call(server, bytes(1000)) == b"1000"
        with pytest.raises(grpc.RpcError) as info:
            await call(server, bytes(1001))
        assert info.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED

    asyncio.run(serving(export, use, limit=1000))


#: A server of its own process, so that its memory is its own. Prints its port and, at the end, the peak in KiB.
SERVER = """
import asyncio, re, sys
from genscope.receive import grpc

async def export(metadata, body):
    return b""

async def main():
    server = await grpc.start(export, "127.0.0.1", 0, 4 << 20)
    print(server.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(0)
    print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])

asyncio.run(main())
"""


def test_a_gzip_bomb_is_refused_with_flat_memory() -> None:
    bomb = bytes(256 << 20)
    assert len(gzip.compress(bomb)) < 1 << 20
    with subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        options = [("grpc.max_send_message_length", -1)]
        with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
            send = channel.unary_unary(METHOD, None, None)
            for _ in range(3):
                with pytest.raises(grpc.RpcError) as info:
                    send(bomb, timeout=30, compression=grpc.Compression.Gzip)
                assert info.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert send(b"", timeout=30) == b""
        process.stdin.close()
        peak = int(process.stdout.read()) << 10
    assert peak < 160 << 20
