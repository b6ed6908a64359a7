"""Observes functions of every kind, and prints as JSON what was recorded of them: name, parent, output, level."""

import asyncio
import contextlib
import gc
import json
import threading

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import genscope
from genscope import observe

client = genscope.init(url="http://127.0.0.1:9", exit_timeout=0)
recorded = InMemorySpanExporter()
client.provider.add_span_processor(SimpleSpanProcessor(recorded))


@observe
def leaf(word):
    return word.upper()


@observe
def words(count):
    for number in range(count):
        with client.start_as_current_span(f"step-{number}"):
            yield f"{number} "
            leaf("after")


@observe
async def later(count):
    try:
        for number in range(count):
            yield number
            await think("between")
    finally:
        leaf("the end")


@observe
async def think(word):
    await asyncio.sleep(0)
    return leaf(word)


@observe
def fails():
    leaf("before")
    raise KeyError("lost")


@observe
async def waits(started):
    started.set()
    await asyncio.Event().wait()


async def main():
    await asyncio.gather(*(think(word) for word in "ab"))
    async for number in later(9):
        if number == 1:
            break
    async for _number in later(2):
        pass
    started = asyncio.Event()
    waiting = asyncio.create_task(waits(started))
    await started.wait()
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    async with asyncio.TaskGroup() as group:
        group.create_task(think("grouped"))


with client.start_as_current_span("root"):
    list(words(2))
    abandoned = words(9)
    next(abandoned)
    thread = threading.Thread(target=next, args=(abandoned,))
    thread.start()
    thread.join()
    del abandoned
    gc.collect()
    asyncio.run(main())
    with contextlib.suppress(KeyError):
        fails()

names = {span.context.span_id: span.name for span in recorded.get_finished_spans()}
rows = [
    [span.name, names.get(span.parent and span.parent.span_id)]
    + [span.attributes.get(f"genscope.{name}") for name in ("output", "level", "status_message")]
    for span in recorded.get_finished_spans()
]
print(json.dumps(sorted(rows, key=str)))
