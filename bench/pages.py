"""How long pages take on the server, and how heavy they are, at a growing number of spans.

The rows are those of `bench.read`. A real server answers each page over loopback, one request at a time; the time is that from
request to the last byte. Assets are bytes as they lie on disk.

    python -m bench.pages [--millions 1] [--data DIRECTORY]

With `--data` the store is made once, in that directory, and kept.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

import httpx

from bench.ingest import machine, open_engine, processor_seconds
from bench.read import fill
from genscope.store.migrate import migrate
from genscope.web.assets import DIRECTORY
from tests.running import Server

#: Name and path of what is asked for; `$trace`, `$user` and `$session` stand for some of the store's.
PAGES: Final = (
    ("overview, 24 h", "/overview?from=24h"),
    ("overview, 7 d", "/overview?from=7d"),
    ("generations", "/generations"),
    ("generations, by cost, 7 d", "/generations?from=7d&sort=-cost"),
    ("generations, a model's errors", "/generations?q=model%3Agpt-4o+level%3AERROR"),
    ("generations, a user's", "/generations?q=user%3A$user"),
    ("generations, a word", "/generations?q=$word"),
    ("generations, two rare words", "/generations?q=$rare"),
    ("traces", "/traces"),
    ("spans", "/spans"),
    ("a trace", "/traces/$trace"),
    ("sessions", "/sessions"),
    ("a session", "/sessions/$session"),
    ("users", "/users"),
    ("a user", "/users/$user"),
    ("models, 24 h", "/models?from=24h"),
    ("models, 7 d", "/models?from=7d"),
    ("errors", "/errors"),
    ("scores", "/scores"),
    ("prices", "/prices"),
    ("settings", "/settings"),
)
LINKED: Final = re.compile(r'(?:href|src)="/static/([^"?]+)\?v=')


def prepare(directory: Path, spans: int) -> None:
    """Fill the store in a directory, if there is none yet."""
    if (directory / "store").exists():
        return
    with contextlib.closing(open_engine(directory / "store")) as engine:
        migrate(engine)
        fill(engine, spans, told_twice=0)


def taken(client: httpx.Client, path: str, times: int, pid: int) -> tuple[list[float], float, httpx.Response]:
    """Return the milliseconds of some answers after one to warm up, the server's of processor time each, and the last answer."""
    answer = client.get(path)
    found = []
    before = processor_seconds(pid)
    for _ in range(times):
        begin = time.perf_counter()
        answer = client.get(path)
        found.append((time.perf_counter() - begin) * 1e3)
    return found, (processor_seconds(pid) - before) / times * 1e3, answer


def main() -> None:
    """Fill, ask and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--millions", type=float, default=1)
    parser.add_argument("--data", type=Path, default=None, help="keep the store in this directory")
    parser.add_argument("--times", type=int, default=11, help="the median of so many is told")
    options = parser.parse_args()
    directory: Path = options.data or Path(tempfile.mkdtemp(prefix="genscope-bench-"))
    prepare(directory, int(options.millions * 1e6))
    server = Server(directory, anonymous=True).start()
    assert server.process is not None
    try:
        print(machine(), f"{options.millions:g} million spans", sep="\n")
        with httpx.Client(base_url=server.url, trust_env=False, timeout=120) as client:
            latest = client.get("/api/v1/generations", params={"limit": 1, "full": 1}).json()["data"][0]
            words = sorted(set(re.findall(r"\b[a-z]{7,}\b", str(latest["output"]))))
            known = {
                "$trace": latest["trace_id"],
                "$user": latest["user_id"],
                "$session": latest["session_id"],
                "$word": words[0],
                "$rare": "+".join(words[:2]),
            }
            for name, path in PAGES:
                concrete = re.sub(r"\$\w+", lambda placeholder: known[placeholder[0]], path)
                found, cpu, answer = taken(client, concrete, options.times, server.process.pid)
                assets = sum((DIRECTORY / asset).stat().st_size for asset in set(LINKED.findall(answer.text)))
                print(
                    f"  {name:32} {statistics.median(found):8.1f} ms   (slowest {max(found):.1f}, CPU {cpu:.0f})   "
                    f"HTTP {answer.status_code}   page {len(answer.content) / 1e3:.0f} KB, assets {assets / 1e3:.0f} KB"
                )
    finally:
        server.stop()
        if options.data is None:
            shutil.rmtree(directory)


if __name__ == "__main__":
    main()
