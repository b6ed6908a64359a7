"""How long a reader waits, at a growing number of spans: lists, one trace, filters, model comparison, words.

The rows are those of `bench.load`, put into the engine directly, a template of them shifted in time and given new ids, so that
millions take minutes. Times are of `store.reader` alone; each is the median of many calls with different arguments.

    python -m bench.read [--millions 1] [--told-twice 0.5] [--data DIRECTORY]
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from rich.progress import track

from bench.ingest import machine, open_engine
from bench.load import WORDS, requests
from genscope.ingest import understand
from genscope.query.filter import Filter, from_params
from genscope.receive import otlp
from genscope.store.engine import Engine
from genscope.store.migrate import migrate
from genscope.store.reader import Reader
from genscope.store.rows import TIME, encode

TEMPLATE_SPANS: Final = 20_480
PERIOD_NS: Final = 7 * 24 * 3600 * 10**9
TIMES: Final = ("time", "start_time", "end_time", "completion_start_time")


def fill(engine: Engine, spans: int, told_twice: float) -> None:
    """Insert so many spans, spread evenly over seven days.

    `told_twice` is the share of the calls that another library tells of as well; these spans come on top.
    """
    bodies = requests(TEMPLATE_SPANS, start=time.time_ns() - PERIOD_NS, step=PERIOD_NS // (spans // 8))
    decoded = [otlp.decode(body, otlp.Format.PROTOBUF, 100_000).spans for body in bodies]
    template = pa.concat_tables([encode("default", understand(raw, time.time_ns())[0]) for raw in decoded])
    copies = max(1, spans // template.num_rows)
    template = pa.concat_tables([template, inner(template, told_twice)])
    for copy in track(range(copies), description=f"writing {copies * template.num_rows:,} spans"):
        rows = template
        for name in TIMES:
            shifted = pc.add(rows[name].cast(pa.int64()), copy * (PERIOD_NS // copies)).cast(TIME)
            rows = rows.set_column(rows.column_names.index(name), name, shifted)
        prefix = f"{copy:08x}"
        for name, length in (("trace_id", 24), ("span_id", 8), ("parent_span_id", 8)):
            column = pc.utf8_replace_slice(rows[name], length, 1000, prefix)
            rows = rows.set_column(rows.column_names.index(name), name, column)
        engine.insert("spans", rows)
    while engine.query("SELECT count() AS running FROM system.merges")["running"][0].as_py():
        time.sleep(0.2)


def inner(rows: pa.Table, share: float) -> pa.Table:
    """Return a share of the calls among some rows as an SDK beneath tells of them: a millisecond later, and until one earlier."""
    kinds = rows["type"].to_pylist()
    places = [place for place, kind in enumerate(kinds) if kind == "generation"]
    chosen = [place for at, place in enumerate(places) if int(at * share) < int((at + 1) * share)]
    calls = rows.take(pa.array(chosen, pa.int64()))
    changed: dict[str, pa.ChunkedArray[Any]] = {
        "span_id": pc.utf8_replace_slice(calls["span_id"], 0, 4, "5d5d"),
        "scope_name": pa.chunked_array([pa.array(["bench.sdk"] * calls.num_rows, pa.string())]),
        **{name: pc.add(calls[name].cast(pa.int64()), 10**6).cast(TIME) for name in ("time", "start_time")},
        "end_time": pc.subtract(calls["end_time"].cast(pa.int64()), 10**6).cast(TIME),
    }
    for name, column in changed.items():
        calls = calls.set_column(calls.column_names.index(name), name, column)
    return calls


def measure(name: str, call: Callable[[], object], times: int) -> None:
    """Print the median, and the slowest, of some calls after one to warm up."""
    call()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begin) * 1e3)
    print(f"  {name:44} {statistics.median(taken):8.1f} ms   (slowest {max(taken):.1f})")


def main() -> None:
    """Fill and ask."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--millions", type=float, default=1)
    parser.add_argument("--told-twice", type=float, default=0, help="share of calls that two libraries tell of")
    parser.add_argument(
        "--data", type=Path, default=None, help="keep the store in this directory, or ask the one there"
    )
    options = parser.parse_args()
    directory: Path = options.data or Path(tempfile.mkdtemp(prefix="genscope-bench-"))
    kept = (directory / "store").exists()
    try:
        with contextlib.closing(open_engine(directory / "store")) as engine:
            migrate(engine)
            if not kept:
                fill(engine, int(options.millions * 1e6), options.told_twice)
            found = engine.query("SELECT any(trace_id) AS id FROM spans GROUP BY intDiv(toUnixTimestamp(time), 600)")
            ids: list[Any] = found["id"].to_pylist()
            reader, source = Reader(engine), random.Random(1)
            generations = Filter().where("type", "generation")
            cursors = [reader.spans("default", generations).next_cursor]
            print(machine(), f"{reader.count_spans('default', Filter()):,} spans", sep="\n")
            measure("latest 50 generations", lambda: reader.spans("default", generations), 20)
            measure("the next 50", lambda: reader.spans("default", generations, cursor=cursors[0]), 20)
            measure("latest 50 of one user", lambda: reader.spans(
                "default", generations.where("user_id", f"user-{source.randrange(2000)}")), 10)  # fmt: skip
            measure("latest 50 errors of one model", lambda: reader.spans(
                "default", generations.where("level", "ERROR").where("model", "gpt-4o")), 10)  # fmt: skip
            measure("latest 50 traces", lambda: reader.traces("default", Filter()), 20)
            measure("one trace", lambda: reader.trace("default", source.choice(ids)), 20)
            measure("one trace, its summary", lambda: reader.trace_summary("default", source.choice(ids)), 20)
            measure("models over 7 days", lambda: reader.models.compared("default", Filter()), 5)
            day = Filter(start=time.time_ns() - PERIOD_NS // 7)
            measure("models over 1 day", lambda: reader.models.compared("default", day), 5)
            measure("coverage over 7 days", lambda: reader.models.coverage("default", Filter()), 5)
            rare = [word for word in WORDS[3000:] if len(word) > 6]
            measure("spans whose prompt has a word (count)", lambda: engine.query(
                "SELECT count() FROM spans FINAL WHERE project_id = 'default' AND hasToken(input, {word:String})",
                {"word": source.choice(rare)}), 5)  # fmt: skip
            measure("latest 50 with a word", lambda: reader.spans(
                "default", from_params([("q", f"type:generation {source.choice(rare)}")])), 10)  # fmt: skip
    finally:
        if options.data is None:
            shutil.rmtree(directory)


if __name__ == "__main__":
    main()
