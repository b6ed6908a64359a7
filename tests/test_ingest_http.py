"""Everything a sender may do to the ingest routes, against a real server."""

from __future__ import annotations

import base64
import contextlib
import gzip
import socket
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import grpc
import httpx
import orjson
import pytest
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from genscope.api.ingest import OTLP_PATHS
from tests.running import Server
from tests.sending import JSON, PROTOBUF, encoded, new_id, partial_success, request, span

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MIB = 1024 * 1024
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
}


def post(server: Server, body: Any, path: str = "/v1/traces", **headers: str) -> httpx.Response:
    with server.client() as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post(path, content=body, headers={"content-type": PROTOBUF} | named)


def one_span() -> tuple[str, bytes]:
    trace_id = new_id(16)
    return trace_id, encoded(request([span(trace_id)]))


def chunks(body: bytes) -> Iterator[bytes]:
    """Yield a body in pieces: httpx then sends it chunked."""
    for position in range(0, len(body), 100):
        yield body[position : position + 100]


# Formats


@pytest.mark.parametrize("path", OTLP_PATHS)
@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_every_route_takes_every_format_coding_and_framing(server: Server, path: str, content_type: str) -> None:
    for coding, compress in CODINGS.items():
        for chunked in (False, True):
            trace_id = new_id(16)
            body = compress(encoded(request([span(trace_id, name=coding)]), content_type))
            answer = post(
                server, chunks(body) if chunked else body, path, content_type=content_type, content_encoding=coding
            )
            assert answer.status_code == 200, (coding, chunked, answer.text)
            assert answer.headers["content-type"] == content_type
            assert answer.content == (b"{}" if content_type == JSON else b"")
            (stored,) = server.trace(trace_id).values()
            assert stored["name"] == coding


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/protobuf", PROTOBUF.upper()]
)
def test_a_content_type_may_have_parameters_capitals_and_its_older_name(server: Server, content_type: str) -> None:
    trace_id = new_id(16)
    form = JSON if "json" in content_type.lower() else PROTOBUF
    assert post(server, encoded(request([span(trace_id)]), form), content_type=content_type).status_code == 200
    assert len(server.trace(trace_id)) == 1


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_an_empty_request_is_a_valid_one(server: Server, content_type: str) -> None:
    answer = post(server, b"" if content_type == PROTOBUF else b"{}", content_type=content_type)
    assert answer.status_code == 200
    assert partial_success(answer.content, content_type) == (0, "")


def refusal(answer: httpx.Response) -> Status:
    """Return the `google.rpc.Status` that OTLP has as the body of an error, in the format of the request."""
    if answer.headers["content-type"] == PROTOBUF:
        return Status.FromString(answer.content)
    document = orjson.loads(answer.content)
    return Status(code=document["code"], message=document["message"])


UNREADABLE: dict[str, tuple[dict[str, str], bytes, int, str]] = {
    "another content type": ({"content_type": "text/plain"}, b"hello", 415, "application/x-protobuf"),
    "no content type": ({"content_type": ""}, b"hello", 415, "application/x-protobuf"),
    "unknown coding": ({"content_encoding": "br"}, b"hello", 415, "gzip, deflate, zstd"),
    "too many codings": ({"content_encoding": "gzip, gzip, gzip, gzip"}, b"", 415, "codings"),
    "truncated gzip": ({"content_encoding": "gzip"}, gzip.compress(b"x" * 1000)[:-12], 400, "truncated"),
    "no gzip": ({"content_encoding": "gzip"}, b"not gzip at all", 400, "gzip"),
    "no deflate": ({"content_encoding": "deflate"}, b"\xff\xff\xff", 400, "deflate"),
    "no zstd": ({"content_encoding": "zstd"}, b"not zstd at all", 400, "zstd"),
    "truncated zstd": ({"content_encoding": "zstd"}, zstd.compress(b"x" * 1000)[:-4], 400, "truncated"),
    "truncated protobuf": ({}, one_span()[1][:-3], 400, "protobuf"),
    "no protobuf": ({}, b"\xff" * 50, 400, "protobuf"),
    "truncated JSON": ({"content_type": JSON}, b'{"resourceSpans": [', 400, "JSON"),
    "no JSON": ({"content_type": JSON}, b"", 400, "JSON"),
    "JSON of another shape": ({"content_type": JSON}, b"[]", 400, "array"),
    "JSON with a wrong type": ({"content_type": JSON}, b'{"resourceSpans": 7}', 400, "resourceSpans"),
    "bottomless JSON": ({"content_type": JSON}, b"[" * 100_000, 400, "deep"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_is_refused_as_a_whole_with_the_reason(server: Server, what: str) -> None:
    headers, body, status, told = UNREADABLE[what]
    answer = post(server, body, **headers)
    assert answer.status_code == status, answer.text
    problem = refusal(answer)
    assert told in problem.message
    assert problem.code == 3
    assert answer.headers["content-type"] == (PROTOBUF if headers.get("content_type", PROTOBUF) == PROTOBUF else JSON)


def test_other_methods_are_refused(server: Server) -> None:
    with server.client() as client:
        for path in OTLP_PATHS:
            assert client.get(path).status_code == 405
            assert client.put(path, content=b"").status_code == 405


# Limits


def raw_exchange(server: Server, *pieces: bytes) -> bytes:
    """Send bytes as they are and return what comes back until the server closes or has answered."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        for piece in pieces:
            connection.sendall(piece)
        answer = b""
        # A server that refuses without reading everything may reset the connection after its answer.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                answer += piece
        return answer


def header_lines(server: Server, *lines: str) -> bytes:
    credentials = base64.b64encode(":".join(server.basic).encode()).decode()
    first = ["POST /v1/traces HTTP/1.1", "host: localhost", f"authorization: Basic {credentials}"]
    return "\r\n".join([*first, f"content-type: {PROTOBUF}", *lines, "", ""]).encode()


def test_a_length_over_the_limit_is_refused_before_the_body_comes(server: Server) -> None:
    answer = raw_exchange(server, header_lines(server, f"content-length: {64 * MIB + 1}"))
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_ends_early_leaves_the_server_well(server: Server) -> None:
    _, body = one_span()
    raw_exchange(server, header_lines(server, f"content-length: {len(body) + 10}"), body)
    raw_exchange(server, header_lines(server, "transfer-encoding: chunked"), b"5\r\nab")
    assert post(server, body).status_code == 200


@pytest.mark.parametrize(
    "line",
    ["content-length: -1", "content-length: ten", "content-length: 1_0", "transfer-encoding: nonsense", "x y: z"],
)
def test_malformed_http_is_no_server_error(server: Server, line: str) -> None:
    answer = raw_exchange(server, header_lines(server, line), b"xxxxxxxxxx")
    assert not answer.startswith(b"HTTP/1.1 5"), answer


def peak_memory(server: Server) -> int:
    """Return the most memory that the server's process ever had, in bytes."""
    assert server.process is not None
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the kernel does not tell VmHWM")


def gzip_bomb(size: int) -> bytes:
    """Return gzip of `size` zero bytes, cheaply: the middle of the stream repeats itself."""
    block = 256 * MIB
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # A full flush ends a block at a byte and forgets what came before, so the next one is the same bytes again.
    piece = deflate.compress(bytes(block)) + deflate.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS).flush()
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return header + piece * (size // block) + end + bytes(8)


def zstd_bomb(size: int) -> bytes:
    """Return zstd of `size` zero bytes: many frames."""
    block = 64 * MIB
    return zstd.compress(bytes(block)) * (size // block)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_ten_gigabytes_in_a_few_megabytes_are_refused_with_flat_memory(fresh_server: Server, coding: str) -> None:
    bomb = (gzip_bomb if coding == "gzip" else zstd_bomb)(10_000_000_000)
    assert len(bomb) < 11 * MIB
    assert post(fresh_server, one_span()[1]).status_code == 200
    before = peak_memory(fresh_server)
    for _ in range(4):
        answer = post(fresh_server, bomb, content_encoding=coding)
        assert answer.status_code == 413
    assert peak_memory(fresh_server) - before < 300 * MIB
    trace_id, body = one_span()
    assert post(fresh_server, body).status_code == 200
    assert len(fresh_server.trace(trace_id)) == 1


def test_too_many_spans_are_refused(server: Server) -> None:
    trace_id = new_id(16)
    message = request([span(trace_id)])
    spans = message.resource_spans[0].scope_spans[0].spans
    spans.extend([spans[0]] * 100_000)
    answer = post(server, gzip.compress(message.SerializeToString(), 1), content_encoding="gzip")
    assert answer.status_code == 413
    assert "100000" in refusal(answer).message


def test_a_huge_value_is_cut_and_says_so(server: Server) -> None:
    trace_id = new_id(16)
    text = "ä" * (9 * MIB)  # 18 MiB of UTF-8
    assert post(server, encoded(request([span(trace_id, attributes={"note": text})]))).status_code == 200
    (stored,) = server.trace(trace_id).values()
    note = stored["attributes"]["note"]
    assert note.endswith(f"[genscope: truncated, {18 * MIB} bytes]")
    assert note.startswith("ä" * (8 * MIB) + "…")


# Keys


def with_key(server: Server, headers: dict[str, str], path: str = "/v1/traces", body: bytes | None = None) -> int:
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        content = one_span()[1] if body is None else body
        answer = client.post(path, content=content, headers={"content-type": PROTOBUF} | headers)
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"].startswith("Basic ")
            assert refusal(answer).code == 16
        if answer.status_code == 403:
            assert refusal(answer).code == 7
        return answer.status_code


def basic(public: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{public}:{secret}".encode()).decode()


def test_every_way_to_give_a_key(server: Server) -> None:
    public, secret = server.basic
    for headers in (
        {"authorization": basic(public, secret)},
        {"authorization": basic(public, secret).replace("Basic", "basic")},
        {"authorization": f"Bearer {secret}"},
        {"authorization": f"bearer {secret}"},
        {"x-api-key": secret},
        {"x-maxim-api-key": secret},
    ):
        assert with_key(server, headers) == 200, headers


def test_everything_else_is_no_key(server: Server) -> None:
    public, secret = server.basic
    trace_id, body = one_span()
    for headers in (
        {},
        {"authorization": basic(public, "wrong")},
        {"authorization": basic("wrong", secret)},
        {"authorization": basic("", secret)},
        {"authorization": basic(public, "")},
        {"authorization": "Basic !!!"},
        {"authorization": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()},
        {"authorization": "Basic " + base64.b64encode(b"no colon").decode()},
        {"authorization": "Basic"},
        {"authorization": "Bearer"},
        {"authorization": f"Bearer {public}"},
        {"authorization": f"Bearer {secret}x"},
        {"authorization": f"Digest {secret}"},
        {"authorization": secret},
        {"x-api-key": ""},
        {"x-api-key": public},
        {"x-maxim-api-key": "wrong"},
        {"x-api-key": "wrong\xe4"},
        # A wrong key is not mended by a right one elsewhere.
        {"authorization": "Bearer wrong", "x-api-key": secret},
    ):
        assert with_key(server, {name: value.encode("latin-1") for name, value in headers.items()}, body=body) == 401  # type: ignore[misc]
    with server.client() as client:
        assert client.get(f"/api/v1/traces/{trace_id}").status_code == 404


def test_a_named_project_must_be_the_keys_own(server: Server) -> None:
    key = {"authorization": f"Bearer {server.secret_key}"}
    for path in OTLP_PATHS:
        assert with_key(server, key | {"x-lemma-project-id": server.project}, path) == 200
        assert with_key(server, key, f"{path}?project_id={server.project}") == 200
        assert with_key(server, key | {"x-lemma-project-id": "other"}, path) == 403
        assert with_key(server, key, f"{path}?project_id=other") == 403
    # Without a key nothing is told about projects.
    assert with_key(server, {"x-lemma-project-id": "other"}) == 401


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks for no key."""
    running = Server(tmp_path_factory.mktemp("anonymous"), anonymous=True).start()
    yield running
    running.stop()


def test_without_keys_this_machine_and_its_own_pages_are_served(open_server: Server) -> None:
    port = open_server.url.rpartition(":")[2]
    for headers in (
        {},
        {"host": f"localhost:{port}"},
        {"host": f"[::1]:{port}"},
        {"host": "127.0.0.1"},
        {"origin": f"http://127.0.0.1:{port}"},
        {"origin": "http://localhost:3000"},
        {"authorization": basic(*open_server.basic)},
    ):
        assert with_key(open_server, headers) == 200, headers


def test_without_keys_other_names_and_other_pages_are_refused(open_server: Server) -> None:
    for headers in (
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:4318"},
        {"host": "localhost@evil.example"},
        {"host": "["},
        {"host": ""},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1.evil.example"},
        {"origin": "http://["},
    ):
        assert with_key(open_server, headers) == 403, headers
        with httpx.Client(base_url=open_server.url, trust_env=False) as client:
            for path in ("/api/v1/spans", "/api/public/projects"):
                assert client.get(path, headers=headers).status_code == 403, headers


def test_without_keys_a_wrong_key_is_still_wrong(open_server: Server) -> None:
    assert with_key(open_server, {"authorization": basic(open_server.public_key, "wrong")}) == 401
    assert with_key(open_server, {"x-api-key": "wrong"}) == 401
    assert with_key(open_server, {"x-lemma-project-id": "other"}) == 403


# What became of it


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_one_bad_span_harms_none_of_its_neighbours(server: Server, content_type: str) -> None:
    trace_id = new_id(16)
    spans = [span(trace_id, name=f"good-{number}") for number in range(500)]
    spans[250] = span(trace_id, name="the bad one", span_id="0" * 16)
    answer = post(server, encoded(request(spans), content_type), content_type=content_type)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    count, reason = partial_success(answer.content, content_type)
    assert count == 1
    assert "the bad one" in reason
    assert "span id is all zero" in reason
    stored = server.trace(trace_id)
    assert {one["name"] for one in stored.values()} == {f"good-{number}" for number in range(500) if number != 250}


def test_many_bad_spans_are_counted_and_the_first_named(server: Server) -> None:
    spans = [span(new_id(16), name=f"bad-{number}", span_id="0" * 16) for number in range(50)]
    count, reason = partial_success(post(server, encoded(request(spans))).content, PROTOBUF)
    assert count == 50
    assert "bad-0" in reason
    assert "and 40 more" in reason


def test_a_span_sent_twice_counts_once(server: Server) -> None:
    trace_id = new_id(16)
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5}
    body = encoded(request([span(trace_id, attributes=attributes) for _ in range(3)]))
    for _ in range(3):
        assert post(server, body).status_code == 200
    with ThreadPoolExecutor(4) as threads:
        assert {answer.status_code for answer in threads.map(lambda _: post(server, body), range(8))} == {200}
    found = server.get(f"/api/v1/traces/{trace_id}")
    assert len(found["spans"]) == 3
    assert found["trace"]["span_count"] == 3
    assert (found["trace"]["input_tokens"], found["trace"]["output_tokens"]) == (30, 15)


def test_a_span_twice_in_one_request_counts_once(server: Server) -> None:
    trace_id = new_id(16)
    one = span(trace_id)
    assert post(server, encoded(request([one, one]))).status_code == 200
    assert server.get(f"/api/v1/traces/{trace_id}")["trace"]["span_count"] == 1


def test_what_is_acknowledged_can_be_read_at_once(server: Server) -> None:
    with server.client() as client:
        for _ in range(30):
            trace_id, body = one_span()
            assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
            assert len(client.get(f"/api/v1/traces/{trace_id}").json()["spans"]) == 1


# gRPC


def export(
    server: Server, message: ExportTraceServiceRequest, *metadata: tuple[str, str], **options: Any
) -> ExportTraceServiceResponse:
    target = f"127.0.0.1:{server.grpc_port}"
    with grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        stub: Any = TraceServiceStub(channel)  # type: ignore[no-untyped-call]
        answer: ExportTraceServiceResponse = stub.Export(message, metadata=metadata, timeout=30, **options)
        return answer


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_grpc_takes_spans_and_names_the_bad_ones(server: Server, compression: grpc.Compression) -> None:
    trace_id = new_id(16)
    message = request([span(trace_id), span(trace_id, span_id="0" * 16, name="bad")])
    answer = export(server, message, ("x-api-key", server.secret_key), compression=compression)
    assert answer.partial_success.rejected_spans == 1
    assert "bad" in answer.partial_success.error_message
    assert len(server.trace(trace_id)) == 1


def test_grpc_refuses_wrong_keys_and_other_projects(server: Server) -> None:
    message = request([span(new_id(16))])
    key = ("authorization", f"Bearer {server.secret_key}")
    for metadata, code in (
        ([], grpc.StatusCode.UNAUTHENTICATED),
        ([("authorization", "Bearer wrong")], grpc.StatusCode.UNAUTHENTICATED),
        ([("authorization", "Basic !!!")], grpc.StatusCode.UNAUTHENTICATED),
        ([key, ("x-lemma-project-id", "other")], grpc.StatusCode.PERMISSION_DENIED),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            export(server, message, *metadata)
        assert refused.value.code() is code
    assert export(server, message, key, ("x-lemma-project-id", server.project)) == ExportTraceServiceResponse()


# Overload


def test_a_full_buffer_is_told_with_the_time_to_come_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A long linger keeps the first request waiting, so that the next ones find the buffer full."""
    running = Server(
        tmp_path_factory.mktemp("full"), environment={"GENSCOPE_MAX_BUFFER_BYTES": "10000", "GENSCOPE_LINGER": "3"}
    ).start()
    try:
        trace_id = new_id(16)
        spans = [span(trace_id, attributes={"input": "x" * 20_000}) for _ in range(4)]
        messages = [request([one]) for one in spans]
        with ThreadPoolExecutor(len(messages)) as threads:
            answers = [threads.submit(post, running, message.SerializeToString()) for message in messages]
            # One is taken and waits; the first to be answered are the others.
            refused = next(as_completed(answers)).result()
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) >= 1
            assert refusal(refused).code == 14
            with pytest.raises(grpc.RpcError) as unavailable:
                export(running, messages[0], ("x-api-key", running.secret_key))
        assert unavailable.value.code() is grpc.StatusCode.UNAVAILABLE
        trailing: Any = unavailable.value.trailing_metadata()
        details = dict(trailing)["grpc-status-details-bin"]
        retry = RetryInfo()
        assert Status.FromString(details).details[0].Unpack(retry)
        assert retry.retry_delay.seconds >= 1
        assert sorted(answer.result().status_code for answer in answers) == [200, 503, 503, 503]
        # Sent again, later, they are taken; even at once, for a request is never too large for an empty buffer.
        assert post(running, encoded(request(spans))).status_code == 200
        assert len(running.trace(trace_id)) == len(spans)
    finally:
        assert running.stop() == 0
