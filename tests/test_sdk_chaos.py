"""The SDK while servers and networks misbehave: nothing is lost within the bound, and the application sees nothing of it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import TracerProvider

import genscope
from genscope.sdk.delivery import Delivery
from genscope.sdk.processor import Processor
from genscope.sdk.settings import Settings
from tests.hostile import (
    Hostile,
    Manner,
    answers,
    answers_half,
    forwards,
    forwards_and_resets,
    refuses,
    resets,
    waits_for,
)
from tests.running import Server, free_port

#: For anything that is waited for; nothing is measured.
PATIENCE = 60.0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes 256 KiB at most at a time."""
    running = Server(tmp_path_factory.mktemp("small"), environment={"GENSCOPE_MAX_BODY_BYTES": str(256 * 1024)}).start()
    yield running
    running.stop()


class Application:
    """What records: an application with a tracer of its own and a delivery."""

    def __init__(self, server: Server, url: str, **settings: Any) -> None:
        self.server = server
        keys = {"public_key": server.public_key, "secret_key": server.secret_key}
        self.delivery = Delivery(Settings.read(**{"url": url, "flush_interval": 0.05, **keys, **settings}))
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(Processor(self.delivery))
        self.trace_id = ""

    def record(self, count: int, text: Callable[[int], str] = str) -> None:
        """Record one trace of so many spans and its root."""
        tracer = self.provider.get_tracer("application")
        with tracer.start_as_current_span("root") as root:
            self.trace_id = f"{root.get_span_context().trace_id:032x}"
            for number in range(count):
                with tracer.start_as_current_span(f"step {number}") as span:
                    span.set_attribute("text", text(number))

    def flush(self) -> None:
        until(self.delivery.flush)

    def stored(self) -> set[str]:
        """Return the names of the spans that the server has."""
        return {str(span["name"]) for span in self.server.trace(self.trace_id).values()}

    def __enter__(self) -> Application:
        return self

    def __exit__(self, *error: object) -> None:
        self.delivery.close(0.0)


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "this did not come about"
        time.sleep(0.01)


def names(count: int, *, without: int = -1) -> set[str]:
    return {"root"} | {f"step {number}" for number in range(count) if number != without}


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "genscope"]


@pytest.mark.parametrize(
    "manners",
    [
        pytest.param([answers(503, Retry_After="0"), answers(503)], id="503"),
        pytest.param([answers(429, Retry_After="0.1")], id="429"),
        pytest.param([answers(408), answers(500), answers(502)], id="408 500 502"),
        pytest.param([resets, resets], id="reset"),
        pytest.param([forwards_and_resets, forwards], id="stored and reset"),
        pytest.param([answers_half, answers_half], id="half answered"),
    ],
)
def test_what_failed_is_sent_again(small: Server, manners: list[Manner]) -> None:
    count = len(manners)
    with Hostile(small.url, manners) as hostile, Application(small, hostile.url) as application:
        application.record(20)
        application.flush()
        assert application.stored() == names(20)
        assert len(small.trace(application.trace_id)) == 21
        assert application.delivery.size == application.delivery.dropped == application.delivery.rejected == 0
        assert len(hostile.requests) >= count + (manners[-1] is not forwards)


def test_a_server_that_is_down_at_first_and_comes_back(small: Server, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    with Application(small, f"http://127.0.0.1:{port}") as application:
        application.record(50)
        until(lambda: any("cannot be reached" in line for line in lines(caplog)))
        assert application.delivery.size > 0
        with Hostile(small.url, port=port):
            application.flush()
        assert application.stored() == names(50)
        told = lines(caplog)
        assert len([line for line in told if "cannot be reached" in line]) == 1
        assert f"http://127.0.0.1:{port} answers again; what waited is being sent" in told
        assert all(record.levelno == logging.WARNING for record in caplog.records if record.name == "genscope")


def test_a_server_that_does_not_answer_in_time(small: Server) -> None:
    never, done = threading.Event(), threading.Event()
    with Hostile(small.url, [waits_for(never)]) as hostile, Application(small, hostile.url, timeout=0.2) as application:
        application.record(5)
        application.flush()
        assert application.stored() == names(5)
        never.set()
        hostile.then = waits_for(done)
        application.record(5)
        assert application.delivery.flush(0.0) is False
        done.set()
        application.flush()
        assert application.stored() == names(5)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_kept_to(small: Server, form: str) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=3600)
    value = "3600" if form == "seconds" else format_datetime(soon, usegmt=True)
    with (
        Hostile(small.url, [answers(429, Retry_After=value)]) as hostile,
        Application(small, hostile.url) as application,
    ):
        application.record(1)
        until(lambda: hostile.requests)
        # Nobody waits for what will not happen, and nobody asks the server before its time.
        assert application.delivery.flush(PATIENCE) is False
        assert application.delivery.flush(PATIENCE) is False
        assert len(hostile.requests) == 1
        assert application.delivery.size > 0


def test_a_retry_after_of_nothing_is_no_reason_to_hurry(small: Server) -> None:
    with (
        Hostile(small.url, then=answers(503, Retry_After="0")) as hostile,
        Application(small, hostile.url) as application,
    ):
        application.record(1)
        assert application.delivery.flush(1.0) is False
        # Pauses of 0.125 s at least, each twice the one before.
        assert len(hostile.requests) < 8


def test_trouble_that_comes_and_goes_is_told_once_in_a_while(small: Server, caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(small.url) as hostile, Application(small, hostile.url) as application:
        for _ in range(3):
            hostile.first.extend([answers(500), answers(503)])
            application.record(1)
            application.flush()
        told = lines(caplog)
        assert len(told) == 2, told
        assert "is in trouble: 503" in told[0]
        assert "answers again" in told[1]


@pytest.mark.parametrize(
    "manner",
    [
        pytest.param(answers(500, b"x" * 10_000_000), id="endless"),
        pytest.param(
            answers(200, b"<html>Log in first</html>", Content_Type="text/html; charset=utf-8"), id="a portal"
        ),
        pytest.param(answers(400, b"<html>HTTPS only</html>", Content_Type="text/html"), id="a proxy"),
        pytest.param(answers(429, b"\xff\x00[", Content_Encoding="gzip", Retry_After="soon"), id="no gzip"),
        pytest.param(answers(599, b"[" * 60_000, Content_Type="application/json"), id="too deep"),
    ],
)
def test_answers_that_no_genscope_gives_lose_nothing(small: Server, manner: Manner) -> None:
    with Hostile(small.url, [manner]) as hostile, Application(small, hostile.url) as application:
        application.record(3)
        application.flush()
        assert application.stored() == names(3)
        assert application.delivery.rejected == 0


def test_what_a_server_says_is_one_line_of_the_log(small: Server, caplog: pytest.LogCaptureFixture) -> None:
    said = b'{"message": "no\\nERROR root: all is lost\\u001b[2J"}'
    refused = ExportTraceServiceResponse()
    refused.partial_success.rejected_spans = 2**62
    refused.partial_success.error_message = "a\nb"
    with (
        Hostile(small.url, [answers(400, said), answers(200, refused.SerializeToString())]) as hostile,
        Application(small, hostile.url) as application,
    ):
        for _ in range(2):
            application.delivery.span(application.provider.get_tracer("application").start_span("a"))  # type: ignore[arg-type]
            application.flush()
        application.delivery.close()
        assert application.delivery.rejected == 2
    told = lines(caplog)
    assert any("400 Bad Request, no ERROR root: all is lost [2J" in line for line in told)
    assert all(line.isprintable() for line in told)


def test_what_is_too_large_together_is_sent_apart(small: Server, caplog: pytest.LogCaptureFixture) -> None:
    with Application(small, small.url, flush_interval=3600) as application:
        application.record(60, lambda number: "a" * (300_000 if number == 30 else 10_000))
        application.flush()
        assert application.stored() == names(60, without=30)
        assert application.delivery.rejected == 1
        assert any("the server did not take 1 spans or pieces: 413" in line for line in lines(caplog))


def test_one_that_is_at_fault_harms_no_other(small: Server, caplog: pytest.LogCaptureFixture) -> None:
    with (
        Hostile(small.url, then=refuses(b"poison")) as hostile,
        Application(small, hostile.url, flush_interval=3600) as application,
    ):
        application.record(60, lambda number: "poison" if number == 13 else "well")
        application.flush()
        assert application.stored() == names(60, without=13)
        assert application.delivery.rejected == 1
        assert any("the server did not take 1 spans or pieces: 400" in line for line in lines(caplog))


def test_what_cannot_be_encoded_harms_no_other(small: Server, caplog: pytest.LogCaptureFixture) -> None:
    with Application(small, small.url, flush_interval=3600) as application:
        with application.provider.get_tracer("application").start_as_current_span("\ud800"):
            application.record(10)
        application.flush()
        assert application.stored() == names(10)
        assert any("it cannot be encoded" in line for line in lines(caplog))


def test_a_key_that_is_refused_is_told_of_once_and_costs_nothing(
    small: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with Application(small, small.url, secret_key="wrong") as application:
        application.record(10)
        assert application.delivery.flush(PATIENCE) is False
        application.record(10)
        assert application.delivery.flush(PATIENCE) is False
        assert application.delivery.dropped == 0
        assert application.delivery.size > 0
        told = lines(caplog)
        assert len(told) == 1
        assert small.url in told[0]
        assert f"the key {small.public_key[:8]}…" in told[0]
        assert "401" in told[0]
        assert "Set GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY" in told[0]
        assert "wrong" not in told[0].split()
    assert lines(caplog)[-1].startswith("22 spans could not be sent before the end: 401")


def test_an_address_where_no_genscope_is_is_told_of(caplog: pytest.LogCaptureFixture, small: Server) -> None:
    with (
        Hostile(small.url, then=answers(301, Location="https://elsewhere.example/")) as hostile,
        Application(small, hostile.url) as application,
    ):
        application.record(1)
        assert application.delivery.flush(PATIENCE) is False
        assert "Set GENSCOPE_URL to the address of a Genscope server" in lines(caplog)[0]


def test_beyond_the_bound_the_newest_are_dropped_counted_and_told(
    small: Server, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    with Application(small, f"http://127.0.0.1:{port}", buffer_bytes=1_000_000) as application:
        application.record(200, lambda number: "a" * 10_000)
        dropped = application.delivery.dropped
        assert application.delivery.size <= 1_000_000
        assert 100 < dropped < 150
        with Hostile(small.url, port=port):
            application.flush()
        stored = application.stored()
        steps = stored - {"root"}
        assert steps == {f"step {number}" for number in range(len(steps))}
        assert len(stored) == 201 - dropped
        until(lambda: any("dropped" in line for line in lines(caplog)))
        application.delivery.close()
        told = [line for line in lines(caplog) if "dropped" in line]
        assert len(told) <= 2
        assert f"({dropped} so far)" in told[-1]


def test_pieces_go_on_where_spans_are_refused(small: Server) -> None:
    """Each route is in trouble by itself: an older server knows no pieces, and takes spans."""

    def older(handler: Any, request: Any) -> None:
        (answers(404) if request.path == "/api/v1/pieces" else forwards)(handler, request)

    with Hostile(small.url, then=older) as hostile, Application(small, hostile.url) as application:
        application.delivery.piece(b'{"kind": "trace", "id": "a"}')
        until(lambda: hostile.requests)
        application.record(3)
        until(lambda: "/v1/traces" in [request.path for request in hostile.requests])
        assert application.delivery.flush(PATIENCE) is False
        assert application.stored() == names(3)


def shop(observe: Callable[[Any], Any]) -> list[Any]:
    """An application of all kinds of functions, and what came of it."""

    @observe
    def doubled(number: int) -> int:
        return 2 * number

    @observe
    def counted(number: int) -> Iterator[int]:
        yield from range(number)

    @observe
    def fails() -> None:
        raise KeyError("the application's own")

    @observe
    async def later(number: int) -> int:
        return int(doubled(number)) + 1

    results: list[Any] = [[doubled(number) for number in range(50)], list(counted(3)), asyncio.run(later(4))]
    try:
        fails()
    except KeyError as error:
        results.append(error.args)
    return results


@pytest.mark.parametrize(
    "manner",
    [
        pytest.param(resets, id="resets"),
        pytest.param(answers_half, id="answers half"),
        *(pytest.param(answers(status), id=str(status)) for status in (302, 400, 401, 413, 429, 500)),
        pytest.param(waits_for(threading.Event()), id="never answers"),
        pytest.param(None, id="down"),
    ],
)
def test_the_application_notices_nothing(small: Server, manner: Manner | None) -> None:
    with Hostile(small.url, then=manner or forwards) as hostile:
        url = hostile.url if manner else f"http://127.0.0.1:{free_port()}"
        client = genscope.init(
            url=url,
            flush_interval=0.0,
            buffer_bytes=50_000,
            exit_timeout=0.0,
            tracer_provider=TracerProvider(shutdown_on_exit=False),
        )
        assert shop(genscope.observe) == shop(lambda function: function)
        assert client.delivery.size <= 50_000
        client.shutdown()
        genscope.init(enabled=False)
