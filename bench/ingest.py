"""Durable ingest: acknowledged spans a second, latency, CPU, memory and disk, beside the engine's own insert rate.

The server runs as a process of its own with fsync on; the load generator runs beside it on the same processors. Its requests
are made before the clock starts. The limit is the rate at which the same rows, already in Arrow, go into the same engine.

    python -m bench.ingest [--spans 60000] [--connections 8] [--runs 3]
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import platform
import shutil
import statistics
import tempfile
import threading
import time
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pyarrow as pa

from bench.load import SPANS_PER_REQUEST, requests
from genscope.config import Settings
from genscope.ingest import understand
from genscope.receive import otlp
from genscope.store.engine import Engine
from genscope.store.migrate import migrate
from genscope.store.rows import encode
from tests.running import Server

#: The second load: what a busy application sends, and how soon it is acknowledged.
CALM_RATE: Final = 1000
CALM_BATCH: Final = 64
CALM_SECONDS: Final = 10


@dataclass(frozen=True)
class Figures:
    """What one run measured."""

    spans_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us_per_span: float
    generator_us_per_span: float
    peak_mb: float
    bytes_per_span: float
    refused: int


@dataclass(frozen=True)
class Route:
    """Where requests of one kind go, and what is answered when they are stored."""

    path: str
    content_type: str
    stored: int = 200


OTLP: Final = Route("/v1/traces", "application/x-protobuf")


def run(bodies: list[bytes], batch: int, connections: int, rate: float, route: Route = OTLP) -> Figures:
    """Send the requests over some connections, at most `rate` spans a second (0: as fast as they are answered)."""
    directory = Path(tempfile.mkdtemp(prefix="genscope-bench-"))
    server = Server(directory).start()
    assert server.process is not None
    try:
        before = processor_seconds(server.process.pid)
        latencies: list[float] = []
        refused = 0
        lock = threading.Lock()
        queue = list(reversed(bodies))
        begin = time.perf_counter()
        interval = batch / rate if rate else 0.0
        address = urlsplit(server.url)
        authorization = "Basic " + b64encode(f"{server.public_key}:{server.secret_key}".encode()).decode()
        headers = {"Content-Type": route.content_type, "Authorization": authorization}

        def send() -> None:
            nonlocal refused
            connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
            while True:
                with lock:
                    if not queue:
                        break
                    number = len(bodies) - len(queue)
                    body = queue.pop()
                if interval:
                    time.sleep(max(0.0, begin + number * interval - time.perf_counter()))
                started = time.perf_counter()
                while True:
                    connection.request("POST", route.path, body, headers)
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == route.stored:
                        break
                    assert answer.status == 503, answer.status
                    with lock:
                        refused += 1
                    time.sleep(float(answer.headers["Retry-After"]))
                with lock:
                    latencies.append(time.perf_counter() - started)

        own = time.process_time()
        threads = [threading.Thread(target=send) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - begin
        own = time.process_time() - own
        spans = len(bodies) * batch
        cpu = processor_seconds(server.process.pid) - before
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
        server.stop()
        size = settled_bytes(directory / "store")
        ordered = sorted(latencies)
        return Figures(
            spans_per_second=spans / seconds,
            p50_ms=ordered[len(ordered) // 2] * 1e3,
            p99_ms=ordered[int(len(ordered) * 0.99)] * 1e3,
            cpu_us_per_span=cpu / spans * 1e6,
            generator_us_per_span=own / spans * 1e6,
            peak_mb=peak,
            bytes_per_span=size / spans,
            refused=refused,
        )
    finally:
        server.kill()
        shutil.rmtree(directory)


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used so far."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


def open_engine(path: Path) -> Engine:
    """Open a store as the server does, with time enough for any query."""
    settings = Settings()
    return Engine(
        path,
        memory_bytes=settings.engine_memory_bytes,
        query_memory_bytes=settings.query_memory_bytes,
        query_seconds=600,
        connections=1,
    )


def settled_bytes(path: Path) -> int:
    """Return the bytes on disk of the rows of a stopped server, once its background merges are done."""
    with contextlib.closing(open_engine(path)) as engine:
        while engine.query("SELECT count() AS running FROM system.merges")["running"][0].as_py():
            time.sleep(0.2)
        parts = engine.query(
            "SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = 'default'"
        )
        return int(parts["bytes"][0].as_py())


def steps(bodies: list[bytes]) -> dict[str, float]:
    """Return microseconds per span of each step, by itself on one thread, and the engine's own insert rate of the same rows."""
    spans = len(bodies) * SPANS_PER_REQUEST
    taken: dict[str, float] = {}

    def timed(name: str, begin: float) -> None:
        taken[name] = (time.perf_counter() - begin) / spans * 1e6

    begin = time.perf_counter()
    decoded = [otlp.decode(body, otlp.Format.PROTOBUF, 100_000).spans for body in bodies]
    timed("decode", begin)
    begin = time.perf_counter()
    understood = [understand(raw, time.time_ns())[0] for raw in decoded]
    timed("understand and price", begin)
    begin = time.perf_counter()
    tables = [encode("default", some) for some in understood]
    timed("encode as Arrow", begin)
    directory = Path(tempfile.mkdtemp(prefix="genscope-bench-"))
    engine = open_engine(directory)
    try:
        migrate(engine)
        group = 4
        begin = time.perf_counter()
        for index in range(0, len(tables), group):
            engine.insert("spans", pa.concat_tables(tables[index : index + group]))
        timed(f"engine's insert, {group * SPANS_PER_REQUEST} rows at a time", begin)
    finally:
        engine.close()
        shutil.rmtree(directory)
    return taken


def machine() -> str:
    """Return what this was measured on."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    return f"{os.cpu_count()} x {model}, Python {platform.python_version()}"


def report(title: str, runs: list[Figures]) -> None:
    """Print the median of every figure, and its range."""
    print(f"\n{title}")
    for name in Figures.__dataclass_fields__:
        values = sorted(getattr(figures, name) for figures in runs)
        print(f"  {name:24} {statistics.median(values):10.1f}   ({values[0]:.1f} to {values[-1]:.1f})")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--spans", type=int, default=60_000, help="spans of a run under full load")
    parser.add_argument("--connections", type=int, default=8, help="requests under way at a time")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many is told")
    options = parser.parse_args()
    bodies = list(requests(options.spans))
    size = sum(map(len, bodies)) / (len(bodies) * SPANS_PER_REQUEST)
    print(machine())
    runs = [run(bodies, SPANS_PER_REQUEST, options.connections, 0) for _ in range(options.runs)]
    report(f"full load: {len(bodies)} requests of {SPANS_PER_REQUEST} spans, {size:.0f} bytes a span on the wire", runs)
    small = list(requests(CALM_RATE * CALM_SECONDS, batch=CALM_BATCH))
    calm = [run(small, CALM_BATCH, options.connections, CALM_RATE) for _ in range(options.runs)]
    report(f"calm: {CALM_RATE} spans a second in requests of {CALM_BATCH}", calm)
    print("\neach step by itself, on one thread")
    taken = steps(bodies[: max(8, len(bodies) // 4)])
    for name, microseconds in taken.items():
        print(f"  {name:44} {microseconds:7.1f} us a span")
    insert = list(taken.values())[-1]
    rate = statistics.median(figures.spans_per_second for figures in runs)
    print(f"the engine alone takes {1e6 / insert:.0f} rows a second; acknowledged: {rate * insert / 1e4:.0f} % of it")


if __name__ == "__main__":
    main()
