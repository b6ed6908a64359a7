"""What SDKs cost the application: time in the caller's thread per generation, memory of what waits, throughput, import.

Genscope's two idioms beside the SDKs that have them, Langfuse's and Maxim's, in one run: each in a process and an environment of
its own (`make clients`), all to one server beside them. A generation has 4 KB of messages, 1 KB of answer and usage. Processor time
of the calling thread is what the SDK takes; wall-clock time has in it what the SDK's own threads and the machine's other
work take, too. The programs alternate, so that they share what the machine does besides; of each, the median is told.

    python -m bench.sdk [--count 500] [--rounds 5] [--runs 3]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from bench.ingest import machine, processor_seconds
from tests.running import Server, free_port

CALLER: Final = Path(__file__).parent / "sdk_caller.py"
CLIENTS: Final = Path(__file__).parents[1] / ".clients"
#: What is told of an idiom, and which interpreter has its SDK.
IDIOMS: Final[dict[str, tuple[str, Path]]] = {
    "genscope_context": ("genscope, context idiom", Path(sys.executable)),
    "langfuse": ("langfuse 5.0.4", CLIENTS / "langfuse-5.0.4/bin/python"),
    "genscope_logger": ("genscope, Logger idiom", Path(sys.executable)),
    "maxim": ("maxim-py 3.14.20", CLIENTS / "maxim-3.14.20/bin/python"),
}
#: What is imported, and by which interpreter.
IMPORTS: Final[dict[str, tuple[str, Path]]] = {
    "import genscope": ("import genscope", Path(sys.executable)),
    "import genscope; genscope.init()": ("import genscope; genscope.init()", Path(sys.executable)),
    "import langfuse": ("import langfuse", CLIENTS / "langfuse-5.0.4/bin/python"),
    "import maxim": ("import maxim", CLIENTS / "maxim-3.14.20/bin/python"),
}


def environment(url: str, server: Server | None = None) -> dict[str, str]:
    """Return the environment of a program that sends to an address."""
    keys = {"GENSCOPE_URL": url}
    if server is not None:
        keys |= {"GENSCOPE_PUBLIC_KEY": server.public_key, "GENSCOPE_SECRET_KEY": server.secret_key}
    return os.environ | keys


def call(python: Path, variables: dict[str, str], *arguments: str) -> dict[str, float]:
    """Run a program of `sdk_caller` and return its figures."""
    ended = subprocess.run(
        [python, CALLER, *arguments], env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    figures: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return figures


def imports(python: Path, code: str) -> tuple[float, float]:
    """Return the wall-clock and processor milliseconds of a program, without those of the interpreter itself."""

    def run(program: str) -> tuple[float, float]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        timed = f"import time; began = time.perf_counter(); {program}; print(time.perf_counter() - began)"
        ended = subprocess.run([python, "-c", timed], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return float(ended.stdout.splitlines()[-1]) * 1e3, used * 1e3

    empty, full = run("pass"), run(code)
    return full[0], full[1] - empty[1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=500, help="generations of a round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of a run; the median is told")
    parser.add_argument("--runs", type=int, default=3, help="runs of each program; the median is told")
    options = parser.parse_args()
    print(machine(), f"load {os.getloadavg()[0]:.1f}", sep=", ")
    directory = Path(tempfile.mkdtemp(prefix="genscope-bench-"))
    server = Server(directory).start()
    assert server.process is not None
    try:
        variables = environment(server.url, server)
        runs: dict[str, list[dict[str, float]]] = {idiom: [] for idiom in IDIOMS}
        for _ in range(options.runs):
            for idiom, (_, python) in IDIOMS.items():
                runs[idiom].append(call(python, variables, "overhead", idiom, str(options.count), str(options.rounds)))
        print("\nmicroseconds per generation; milliseconds to start")
        print(f"{'':28}{'thread':>9}{'wall':>9}{'p99':>9}{'process':>9}{'start':>9}")
        for idiom, (title, _) in IDIOMS.items():
            names = ("thread", "wall", "p99", "process", "start")
            medians = [statistics.median(run[name] for run in runs[idiom]) for name in names]
            print(f"{title:28}" + "".join(f"{value:9.0f}" for value in medians))
        print()
        for idiom in ("genscope_context", "genscope_logger"):
            title, python = IDIOMS[idiom]
            before = processor_seconds(server.process.pid)
            sent = call(python, variables, "throughput", idiom, str(options.count * 20))
            taken = (processor_seconds(server.process.pid) - before) / (options.count * 20) * 1e6
            print(
                f"{title}: {sent['rate']:.0f} generations a second recorded, sent and stored; "
                f"{sent['process']:.0f} us of processor each here, {taken:.0f} us in the server"
            )
            down = environment(f"http://127.0.0.1:{free_port()}") | {"GENSCOPE_BUFFER_BYTES": str(10**10)}
            waits = call(python, down, "memory", idiom, str(options.count * 20))
            print(f"{title}: {waits['told']:.0f} bytes counted per generation that waits, {waits['real']:.0f} real")
    finally:
        server.stop()
        shutil.rmtree(directory)
    print("\nmilliseconds to import: wall-clock, processor")
    for title, (code, python) in IMPORTS.items():
        imports(python, code)  # so that all is compiled
        times = [imports(python, code) for _ in range(options.rounds)]
        print(f"{title:40}{statistics.median(t[0] for t in times):8.0f}{statistics.median(t[1] for t in times):8.0f}")


if __name__ == "__main__":
    main()
