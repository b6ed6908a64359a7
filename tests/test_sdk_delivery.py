"""What the SDK's delivery, settings and values do when all is well, and when they are given nonsense."""

from __future__ import annotations

import dataclasses
import gc
import json
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest
import requests
from opentelemetry import context
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags, set_span_in_context

from genscope.sdk import attributes, values
from genscope.sdk import settings as sdk_settings
from genscope.sdk.delivery import BATCH_BYTES, BATCH_COUNT, Delivery
from genscope.sdk.processor import Processor, Sampling
from genscope.sdk.settings import Settings
from tests.hostile import Hostile, answers, waits_for
from tests.running import Server

PATIENCE = 60.0


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in sdk_settings.RULES:
        monkeypatch.delenv(sdk_settings.PREFIX + name.upper(), raising=False)


@pytest.fixture
def receiver() -> Iterator[Hostile]:
    """A server that takes everything and keeps the requests."""
    with Hostile("http://127.0.0.1:9", then=answers(200)) as hostile:
        yield hostile


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "genscope"]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "this did not come about"
        time.sleep(0.01)


def recorded(delivery: Delivery, names: list[str], text: str = "") -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Processor(delivery))
    for name in names:
        with provider.get_tracer("application").start_as_current_span(name) as span:
            span.set_attribute("text", text)


def spans(receiver: Hostile) -> list[list[str]]:
    """Return the names of the spans of each request."""
    bodies = [request.body for request in receiver.requests if request.path.endswith("/v1/traces")]
    told = map(ExportTraceServiceRequest.FromString, bodies)
    return [
        [span.name for part in body.resource_spans for scope in part.scope_spans for span in scope.spans]
        for body in told
    ]


# Settings


def test_arguments_come_before_the_environment_and_that_before_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENSCOPE_URL", "https://genscope.example/")
    monkeypatch.setenv("GENSCOPE_RELEASE", "1.0")
    monkeypatch.setenv("GENSCOPE_CAPTURE_INPUT", "no")
    monkeypatch.setenv("GENSCOPE_SAMPLE_RATE", "0.25")
    monkeypatch.setenv("GENSCOPE_MASK", "json:dumps")
    monkeypatch.setenv("GENSCOPE_ENVIRONMENT", "")
    read = Settings.read(release="2.0", environment=None)
    assert read == Settings(
        url="https://genscope.example", release="2.0", capture_input=False, sample_rate=0.25, mask=json.dumps
    )


def test_every_setting_has_a_rule_and_its_default_obeys_it() -> None:
    fields = {field.name: field.default for field in dataclasses.fields(Settings)}
    assert fields.keys() == sdk_settings.RULES.keys()
    for name, (read, _) in sdk_settings.RULES.items():
        assert fields[name] is None or read(fields[name]) == fields[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("url", "genscope.example"),
        ("url", "ftp://genscope.example"),
        ("url", "http://name:word@genscope.example"),
        ("url", "http://:word@genscope.example"),
        ("url", "http://genscope.example:port"),
        ("url", "http://genscope.example/?a"),
        ("url", "http://genscope.example/#a"),
        ("enabled", "perhaps"),
        ("sample_rate", "1.5"),
        ("sample_rate", "nan"),
        ("buffer_bytes", "64 MiB"),
        ("buffer_bytes", -1),
        ("timeout", 0),
        ("timeout", 1e9),
        ("flush_interval", "inf"),
        ("secret_key", 5),
        ("nonsense", 1),
    ],
)
def test_a_bad_value_is_told_and_the_default_holds(name: str, value: object, caplog: pytest.LogCaptureFixture) -> None:
    assert Settings.read(**{name: value}) == Settings()
    (line,) = lines(caplog)
    assert name in line
    assert "word" not in line


@pytest.mark.parametrize(
    ("name", "value", "fields"),
    [
        ("mask", "no.such:function", ("input", "output", "metadata")),
        ("mask", 5, ("input", "output", "metadata")),
        ("capture_input", "y", ("input",)),
        ("capture_output", "none", ("output",)),
    ],
)
def test_what_was_to_stay_stays_when_that_is_told_badly(
    name: str, value: object, fields: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    read = Settings.read(**{name: value})
    (line,) = lines(caplog)
    assert line.startswith(f"{name} {value!r} is not ")
    assert line.endswith("contents stay in the process")
    assert "secret" not in json.dumps(attributes.write(attributes.OBSERVATION, dict.fromkeys(fields, "secret"), read))


@pytest.mark.parametrize("url", ["http://[::1]:4318", "https://genscope.example/at/a/path", "http://localhost/@team"])
def test_addresses(url: str) -> None:
    assert Settings.read(url=f" {url}/ ").url == url


def test_a_secret_is_not_shown() -> None:
    assert "hush" not in repr(Settings(secret_key="hush"))


# Values


class Colour(Enum):
    RED = "red"


class Word(str, Enum):  # noqa: UP042 - whose `str` is not what it holds
    BLUE = "blue"


@dataclass
class Point:
    x: int
    inner: object = None


class Model:
    """As pydantic's."""

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        return {"mode": mode, "at": date(2026, 1, 2)}


class Broken:
    def __repr__(self) -> str:
        raise ValueError("no")


class Opaque:
    pass


CIRCLE: list[Any] = [1]
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (Word.BLUE, "blue"),
        (None, "null"),
        (True, "true"),
        ([{"role": "user", "content": "Grüße 😀"}], '[{"role":"user","content":"Grüße 😀"}]'),
        ({1: float("nan"), (2, 3): float("inf")}, '{"1":"nan","(2, 3)":"inf"}'),
        (
            {"at": datetime(2026, 1, 2, tzinfo=UTC), "for": timedelta(minutes=1)},
            '{"at":"2026-01-02T00:00:00+00:00","for":60.0}',
        ),
        ([10**5000, 2**70], f'["{hex(10**5000)}",{2**70}]'),
        ([Decimal("1.50"), UUID(int=1), PurePosixPath("a/b")], '["1.50","00000000-0000-0000-0000-000000000001","a/b"]'),
        ([Colour.RED, b"ab", {4}, ValueError("no")], '["red","YWI=",[4],"ValueError: no"]'),
        (Point(1, Point(2)), '{"x":1,"inner":{"x":2,"inner":null}}'),
        ({"model": Model()}, '{"model":{"mode":"json","at":"2026-01-02"}}'),
        ([Broken(), Opaque(), Opaque], '["<Broken>","<Opaque>","Opaque"]'),
        (CIRCLE, '[1,"[1, [...]]"]'),
        ("half \ud83d of a pair, \ud83d\ude00", "half � of a pair, 😀"),
    ],
)
def test_any_value_becomes_text(value: object, expected: str) -> None:
    assert values.text(value, Settings()) == expected


def test_depth_has_an_end() -> None:
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    assert values.text(deep, Settings()).startswith("[[[[")


def test_what_is_too_long_is_cut_and_says_so() -> None:
    settings = Settings(max_value_bytes=10)
    assert values.text("a" * 10, settings) == "a" * 10
    assert values.text("a" * 11, settings) == "a" * 10 + "…[genscope: truncated, 11 bytes]"
    assert values.text("€" * 4, settings) == "€€€…[genscope: truncated, 12 bytes]"
    assert values.text(["a" * 20], settings) == '["aaaaaaaa…[genscope: truncated, 24 bytes]'


def test_a_mask_sees_values_and_hides_them_where_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    def mask(value: Any) -> Any:
        if not isinstance(value, dict):
            raise KeyError(value)
        return {**value, "card": "***"}

    settings = Settings(mask=mask)
    assert values.text({"card": "4111", "sum": 5}, settings) == '{"card":"***","sum":5}'
    for secret in ("card 4111", ["4111"]):
        assert values.text(secret, settings) == values.HIDDEN
    assert len(lines(caplog)) == 1
    assert "4111" not in caplog.text


# Delivery


def test_batches_by_count_over_one_connection(receiver: Hostile) -> None:
    delivery = Delivery(Settings(url=receiver.url, flush_interval=3600))
    recorded(delivery, [str(number) for number in range(BATCH_COUNT + 1)])
    until(lambda: receiver.requests)
    assert delivery.flush(PATIENCE)
    delivery.piece(b'{"kind":"trace","id":"a"}')
    delivery.piece(b'{"kind":"trace","id":"b"}\n')
    assert delivery.flush(PATIENCE)
    assert [name for body in spans(receiver) for name in body] == [str(number) for number in range(BATCH_COUNT + 1)]
    assert max(map(len, spans(receiver))) == BATCH_COUNT
    assert receiver.requests[-1].body == b'{"kind":"trace","id":"a"}\n{"kind":"trace","id":"b"}\n'
    assert {request.peer for request in receiver.requests} == {receiver.requests[0].peer}
    assert {request.headers["Content-Encoding"] for request in receiver.requests} == {"gzip"}
    assert all("Authorization" not in request.headers for request in receiver.requests)
    delivery.close()


def test_batches_by_bytes(receiver: Hostile) -> None:
    delivery = Delivery(Settings(url=receiver.url, flush_interval=3600))
    recorded(delivery, ["a", "b", "c"], "x" * (BATCH_BYTES // 2 - 10_000))
    assert delivery.flush(PATIENCE)
    assert spans(receiver) == [["a", "b"], ["c"]]
    delivery.close()


def test_a_key_goes_with_every_request(receiver: Hostile) -> None:
    delivery = Delivery(Settings(url=receiver.url + "/at/a/path", public_key="pk", secret_key="sk"))
    recorded(delivery, ["a"])
    delivery.close()
    (request,) = receiver.requests
    assert request.headers["Authorization"] == "Basic cGs6c2s="
    assert request.path == "/at/a/path/v1/traces"


def test_a_netrc_is_not_asked(receiver: Hostile, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    delivery = Delivery(Settings(url=receiver.url))
    recorded(delivery, ["a"])
    delivery.close()
    assert "Authorization" not in receiver.requests[0].headers


def test_there_is_no_thread_before_something_is_recorded_nor_after_the_end(receiver: Hostile) -> None:
    before = threading.active_count()
    delivery = Delivery(Settings(url=receiver.url))
    assert delivery.flush(0.0)
    assert threading.active_count() == before
    recorded(delivery, ["a"])
    delivery.close()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "genscope"])
    recorded(delivery, ["after the end"])
    delivery.close()
    assert [name for body in spans(receiver) for name in body] == ["a", "after the end"]


def test_what_is_larger_than_the_buffer_is_told_of_at_once(receiver: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    delivery = Delivery(Settings(url=receiver.url, buffer_bytes=10))
    recorded(delivery, ["a"])
    until(lambda: lines(caplog))
    assert "dropped 1 spans or pieces: more than buffer_bytes = 10 waited" in lines(caplog)[0]
    assert delivery.flush(math.inf)
    delivery.close()


def test_all_that_an_application_says_counts_as_memory(receiver: Hostile) -> None:
    delivery = Delivery(Settings(url=receiver.url, flush_interval=3600))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Processor(delivery))
    with provider.get_tracer("application").start_as_current_span("n" * 100_000) as span:
        span.set_status(StatusCode.ERROR, "d" * 100_000)
        span.set_attribute("nested", {"a": [{"b": "v" * 100_000}]})
        span.add_event("event", {"list": ["e" * 100_000]})
    assert 400_000 < delivery.size < 410_000
    assert delivery.flush(math.inf)
    assert delivery.size == 0
    delivery.close()


def test_a_log_that_raises_keeps_nothing_from_being_sent(receiver: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    def broken(record: logging.LogRecord) -> bool:
        raise RuntimeError(record.getMessage())

    receiver.first.append(answers(401))
    delivery = Delivery(Settings(url=receiver.url))
    logging.getLogger("genscope").addFilter(broken)
    try:
        recorded(delivery, ["a"])
        assert delivery.flush(PATIENCE) is False
        assert delivery.flush(PATIENCE) is True
    finally:
        logging.getLogger("genscope").removeFilter(broken)
    assert spans(receiver) == [["a"], ["a"]]
    delivery.close()


def test_nobody_waits_for_a_server_that_hangs(receiver: Hostile) -> None:
    event = threading.Event()
    receiver.then = waits_for(event)
    delivery = Delivery(Settings(url=receiver.url, flush_interval=0.0, exit_timeout=0.0))
    recorded(delivery, [str(number) for number in range(1000)])
    assert delivery.size > 0
    delivery.close()
    event.set()


def test_many_threads_and_collected_generators(receiver: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    """A generator that is collected ends its span wherever the collector runs: within a call of the delivery, too."""
    delivery = Delivery(Settings(url=receiver.url, flush_interval=0.0))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Processor(delivery))
    tracer = provider.get_tracer("application")

    def stream() -> Iterator[int]:
        span = tracer.start_span("stream")
        try:
            yield 1
        finally:
            span.end()

    def work() -> None:
        for _ in range(200):
            circle: list[Any] = []
            generator = stream()
            next(generator)
            circle += [circle, generator]
            with tracer.start_as_current_span("step"):
                del circle, generator

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    assert delivery.flush(PATIENCE)
    names = [name for body in spans(receiver) for name in body]
    assert (names.count("step"), names.count("stream")) == (1600, 1600)
    assert delivery.size == 0
    assert lines(caplog) == []
    delivery.close()


def test_delivery_is_not_traced(receiver: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instrumentation of `requests` asks the context, as those of OpenTelemetry do; else it would make a span of ours."""
    delivery = Delivery(Settings(url=receiver.url, flush_interval=0.0))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Processor(delivery))
    send = requests.Session.send
    seen: list[str] = []

    def traced(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        seen.append(str(request.url))
        keys = (context._SUPPRESS_INSTRUMENTATION_KEY, context._SUPPRESS_HTTP_INSTRUMENTATION_KEY)
        if any(context.get_value(key) for key in keys):
            return send(session, request, **options)
        with provider.get_tracer("requests").start_as_current_span("POST"):
            return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", traced)
    with provider.get_tracer("application").start_as_current_span("a"):
        pass
    assert delivery.flush(PATIENCE)
    delivery.close()
    assert seen
    assert spans(receiver) == [["a"]]


def test_what_a_server_rejects_is_told_with_its_reason(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    delivery = Delivery(Settings(url=server.url, public_key=server.public_key, secret_key=server.secret_key))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Processor(delivery))
    tracer = provider.get_tracer("application")
    tracer.start_span("late", start_time=2**63 + 1).end(2**63 + 2)
    tracer.start_span("well").end()
    delivery.piece(b"no JSON")
    delivery.close(PATIENCE)
    told = lines(caplog)
    assert delivery.rejected == 2
    assert all(line.startswith("the server did not take") for line in told), told
    assert "late" in " ".join(told) or "JSON" in " ".join(told)


def test_debug_tells_what_is_sent(receiver: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "genscope"):
        delivery = Delivery(Settings(url=receiver.url))
        recorded(delivery, ["a", "b"])
        delivery.close()
    assert any(line.startswith("2 spans, ") and line.endswith("bytes: taken") for line in lines(caplog))


# Sampling


def test_traces_are_kept_whole_by_their_id(receiver: Hostile) -> None:
    delivery = Delivery(Settings(url=receiver.url))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Processor(delivery, 0.5))
    tracer = provider.get_tracer("application")
    expected = []
    for number in range(200):
        with tracer.start_as_current_span(f"{number} root") as root, tracer.start_as_current_span(f"{number} step"):
            if root.get_span_context().trace_id & (2**64 - 1) < 2**63:
                expected += [f"{number} step", f"{number} root"]
    delivery.close()
    assert [name for body in spans(receiver) for name in body] == expected
    assert 40 < len(expected) < 360


def test_who_began_a_trace_decides_whether_it_is_recorded(receiver: Hostile) -> None:
    delivery = Delivery(Settings(url=receiver.url))
    provider = TracerProvider(sampler=Sampling(0.0), shutdown_on_exit=False)
    provider.add_span_processor(Processor(delivery))
    tracer = provider.get_tracer("application")
    for flag in (TraceFlags.SAMPLED, TraceFlags.DEFAULT):
        elsewhere = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(flag))
        tracer.start_span(str(int(flag)), set_span_in_context(NonRecordingSpan(elsewhere))).end()
    tracer.start_span("begun here").end()
    delivery.close()
    assert spans(receiver) == [["1"]]
