"""The context idiom of Genscope's own SDK: what a program tells is what the server says."""

from __future__ import annotations

import asyncio
import base64
import contextvars
import gc
import inspect
import json
import logging
import math
import os
import random
import subprocess
import sysconfig
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, Final

import pytest
from opentelemetry import context as contexts
from opentelemetry import trace as opentelemetry
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import genscope
from genscope import observe
from genscope.sdk import notices
from genscope.sdk.attributes import TYPES
from genscope.sdk.client import Client
from genscope.sdk.settings import Settings
from tests.running import Server
from tests.test_clients import PROGRAMS, ROOT
from tests.test_sdk_processes import INTERPRETERS

MESSAGES = [{"role": "user", "content": "Where is my order 4711? Grüße 📦"}]


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return genscope.init(
        url=server.url,
        public_key=server.public_key,
        secret_key=server.secret_key,
        environment="test",
        release="2.4.1",
        flush_interval=0,
    )


@dataclass
class Told:
    """What the server knows of a trace."""

    spans: list[dict[str, Any]]

    def __getitem__(self, name: str) -> dict[str, Any]:
        (found,) = [span for span in self.spans if span["name"] == name]
        return found

    @property
    def tree(self) -> set[tuple[str, str | None]]:
        """The names of spans, each with that of its parent."""
        names = {span["span_id"]: span["name"] for span in self.spans}
        return {(span["name"], names.get(span["parent_span_id"])) for span in self.spans}


def read(client: Client, server: Server, trace_id: str) -> Told:
    assert client.flush()
    return Told(server.get(f"/api/v1/traces/{trace_id}")["spans"])


# --- what is told ------------------------------------------------------------------------------------------------------


def test_a_generation_is_recorded_whole(client: Client, server: Server) -> None:
    with client.start_as_current_span(name="answer-ticket", input={"ticket": 4711}) as root:
        with client.start_as_current_generation(
            name="draft", model="gpt-4o", model_parameters={"temperature": 0.7, "stop": ["x"]}, input=MESSAGES
        ) as gen:
            gen.update(completion_start_time=datetime.now(UTC), metadata={"attempt": 1, "channel": "mail"})
            gen.update(
                name="draft-reply",
                output="It left.",
                usage_details={"input": 200, "cache_read_input_tokens": 800, "output": 50},
                prompt={"name": "reply", "version": 3},
                metadata={"number": "123", "list": "[1]", "deep": {"a": [1.5, None]}, "none": None, "yes": True},
                version="7",
            )
        root.update(output={"reply": "It left."}).update_trace(name="support", public=True)

    spans = read(client, server, root.trace_id)
    span = spans["draft-reply"]
    assert (span["type"], span["span_id"], span["parent_span_id"]) == ("generation", gen.id, root.id)
    assert (span["input"], span["output"]) == (MESSAGES, "It left.")
    assert (span["model"], span["provider"]) == ("gpt-4o", "openai")
    assert span["model_parameters"] == {"temperature": 0.7, "stop": ["x"]}
    assert span["usage"] == {"input": 1000, "output": 50, "total": 1050, "input_cache_read": 800}
    assert (Decimal(span["cost"]["total"]), span["cost_source"]) == (Decimal("0.002"), "computed")
    assert 0 <= span["time_to_first_token_ms"] <= span["duration_ms"]
    assert span["metadata"] == {
        "attempt": 1,
        "channel": "mail",
        "number": "123",
        "list": "[1]",
        "deep": {"a": [1.5, None]},
        "yes": True,
    }
    assert (span["prompt_name"], span["prompt_version"], span["version"]) == ("reply", "3", "7")
    assert (span["environment"], span["release"]) == ("test", "2.4.1")
    assert (span["level"], span["status_message"], span["events"]) == ("DEFAULT", None, [])
    assert span["explain"]["type"] == {"dialect": "genscope", "source": "genscope.type"}
    assert span["scope"] == {"name": "genscope", "version": genscope.__version__, "attributes": {}}
    top = spans["answer-ticket"]
    assert (top["type"], top["is_root"], top["output"]) == ("span", True, {"reply": "It left."})
    assert (top["trace_name"], top["trace_public"]) == ("support", True)
    assert client.get_trace_url(trace_id=root.trace_id) == f"{server.url}/traces/{root.trace_id}"


def test_every_type_is_kept_and_children_know_their_parent(client: Client, server: Server) -> None:
    root = client.start_span("root")
    for as_type in sorted(TYPES):
        root.start_observation(as_type, as_type=as_type).end()
    with root.start_as_current_observation("inner", as_type="agent"):
        client.start_generation("deep").end()
    root.create_event("beside", input="x")
    assert client.get_current_trace_id() is None
    root.end()

    spans = read(client, server, root.trace_id)
    assert {span["name"]: span["type"] for span in spans.spans if span["name"] in TYPES} == {
        name: name for name in TYPES
    }
    assert {("inner", "root"), ("deep", "inner"), ("beside", "root")} < spans.tree
    assert spans["beside"]["start_time"] == spans["beside"]["end_time"]


def test_an_exception_is_an_error_and_its_traceback_is_told_once(client: Client, server: Server) -> None:
    made: list[str] = []

    def reserve() -> None:
        with (
            client.start_as_current_span(name="root") as root,
            client.start_as_current_span(name="said-so") as said,
            client.start_as_current_observation(name="reserve", as_type="tool"),
        ):
            made.append(root.trace_id)
            said.update(level="ERROR", status_message="cannot be reserved")
            raise ValueError("no stock")

    with pytest.raises(ValueError, match="no stock"):
        reserve()

    spans = read(client, server, made[0])
    assert {span["name"]: (span["level"], span["status_message"]) for span in spans.spans} == {
        "root": ("ERROR", "ValueError: no stock"),
        "said-so": ("ERROR", "cannot be reserved"),
        "reserve": ("ERROR", "ValueError: no stock"),
    }
    assert (spans["root"]["events"], spans["said-so"]["events"]) == ([], [])
    (event,) = spans["reserve"]["events"]
    assert (event["name"], event["attributes"]["exception.type"]) == ("exception", "ValueError")
    assert event["attributes"]["exception.message"] == "no stock"
    assert 'raise ValueError("no stock")' in event["attributes"]["exception.stacktrace"]


def test_what_is_propagated_reaches_all_spans_and_nothing_after(client: Client, server: Server) -> None:
    with client.start_as_current_span(name="root") as root:
        with genscope.propagate(user_id="alice", session_id="ticket-1", tags=["a"], metadata={"plan": "pro"}):
            with genscope.propagate(tags=["b", "a"], metadata={"seats": 3}, version="7", environment="staging"):
                client.start_generation("inner").end()
                # Another library's span
                opentelemetry.get_tracer("other").start_span("foreign").end()
            client.start_span("outer").end()
        client.start_span("after").end()
        client.update_current_trace(name="support", tags=["c"])

    spans = read(client, server, root.trace_id)
    for name in ("inner", "foreign"):
        span = spans[name]
        assert (span["user_id"], span["session_id"], span["tags"]) == ("alice", "ticket-1", ["a", "b"])
        assert (span["version"], span["environment"]) == ("7", "staging")
        assert span["trace_metadata"] == {"plan": "pro", "seats": 3}
    assert (spans["outer"]["tags"], spans["outer"]["trace_metadata"]) == (["a"], {"plan": "pro"})
    assert (spans["after"]["user_id"], spans["after"]["tags"]) == (None, [])
    assert (spans["root"]["user_id"], spans["root"]["trace_name"]) == ("alice", "support")
    assert spans["root"]["tags"] == ["a", "b", "c"]


def test_a_trace_goes_on_in_another_process(client: Client, server: Server) -> None:
    with client.start_as_current_span(name="here") as here:
        headers = genscope.inject({"accept": "*/*"})
    place = genscope.extract({"TraceParent": headers["traceparent"]})
    with client.start_as_current_span(name="there", trace_context=place) as there:
        pass
    assert there.trace_id == here.trace_id

    trace_id = client.create_trace_id(seed=here.trace_id)
    assert trace_id == client.create_trace_id(seed=here.trace_id) != client.create_trace_id()
    client.start_span("seeded", trace_context={"trace_id": trace_id}).end()
    client.create_event("seeded-event", trace_context={"trace_id": trace_id, "parent_span_id": "00000000000000ab"})
    assert genscope.extract({}) is None
    assert genscope.extract({"traceparent": "nonsense"}) is None
    wrong: Any = {"trace_id": "order-4711"}
    alone = client.start_span("alone", trace_context=wrong).end()
    assert alone.trace_id not in {here.trace_id, trace_id}

    assert read(client, server, here.trace_id).tree == {("here", None), ("there", "here")}
    spans = read(client, server, trace_id)
    assert (spans["seeded"]["is_root"], spans["seeded-event"]["is_root"]) == (True, False)
    assert spans["seeded-event"]["parent_span_id"] == "00000000000000ab"


@pytest.mark.parametrize(
    "place",
    [
        {"trace_id": "0123456789abcdef0123456789abcdef", "sampled": "yes"},
        {"trace_id": "0123456789abcdef0123456789abcdef", "parent_span_id": "order-4711"},
        {"trace_id": 4711},
        {"trace_id": "0" * 32},
        {"parent_span_id": "00000000000000ab"},
        "0123456789abcdef0123456789abcdef",
    ],
)
def test_a_place_that_is_none_loses_nothing(place: Any, client: Client) -> None:
    span = client.start_span("anywhere", trace_context=place)
    assert span.recorded
    span.end()


def test_what_comes_from_elsewhere_can_be_scored_and_its_trace_told(client: Client, server: Server) -> None:
    elsewhere = opentelemetry.SpanContext(int(client.create_trace_id(), 16), 7, True, opentelemetry.TraceFlags(1))
    with opentelemetry.use_span(opentelemetry.NonRecordingSpan(elsewhere)):
        trace_id = client.get_current_trace_id()
        client.score_current_trace("stars", 4)
        with client.start_as_current_span("here"):
            pass
    assert trace_id == f"{elsewhere.trace_id:032x}"
    assert read(client, server, trace_id)["here"]["parent_span_id"] == "0000000000000007"
    (score,) = server.get("/api/v1/scores", trace_id=trace_id)["data"]
    assert (score["name"], score["value"]) == ("stars", 4)


def test_what_an_observation_says_itself_comes_before_what_is_propagated(client: Client, server: Server) -> None:
    with genscope.propagate(version="1", prompt={"name": "all", "version": 1}, user_id="alice"):
        with client.start_as_current_generation("own", version="2", prompt={"name": "own", "version": 5}) as own:
            client.start_generation("other").end()
        with opentelemetry.get_tracer("other").start_as_current_span("foreign", attributes={"user.id": "bob"}) as span:
            place: genscope.TraceContext = {"trace_id": f"{span.get_span_context().trace_id:032x}"}
    spans = read(client, server, own.trace_id)
    assert {name: (spans[name]["version"], spans[name]["prompt_name"]) for name in ("own", "other")} == {
        "own": ("2", "own"),
        "other": ("1", "all"),
    }
    (foreign,) = read(client, server, place["trace_id"]).spans
    assert foreign["user_id"] == "bob"


def test_scores_of_traces_spans_and_sessions(client: Client, server: Server) -> None:
    with client.start_as_current_span(name="root") as root:
        client.score_current_trace(name="stars", value=4.5, comment="of five", metadata={"by": "alice"})
        client.score_current_span(name="helpful", value=1, data_type="BOOLEAN")
        with client.start_as_current_generation("draft") as gen:
            gen.score("tone", "friendly")
            gen.score_trace("solved", True)
    session = f"session-{root.trace_id}"
    client.create_score("happy", 1, session_id=session, score_id=f"happy-{root.trace_id}")
    assert client.flush()

    scores = {score["name"]: score for score in server.get("/api/v1/scores", trace_id=root.trace_id)["data"]}
    about = {name: (score["value"] or score["string_value"], score["span_id"]) for name, score in scores.items()}
    assert about == {
        "stars": (4.5, None),
        "helpful": (1, root.id),
        "tone": ("friendly", gen.id),
        "solved": (1, None),
    }
    assert (scores["stars"]["comment"], scores["stars"]["metadata"]) == ("of five", {"by": "alice"})
    (happy,) = server.get("/api/v1/scores", session_id=session)["data"]
    assert (happy["id"], happy["value"]) == (f"happy-{root.trace_id}", 1)


# --- functions -----------------------------------------------------------------------------------------------------------


@observe
def look_up(word: str) -> str:
    return f"about {word}"


@observe(as_type="retriever")
def words(count: int) -> Iterator[str]:
    for number in range(count):
        with genscope.get_client().start_as_current_span(f"step-{number}"):
            yield str(number)
            look_up("after")


@observe(name="words-later")
async def later(count: int) -> AsyncIterator[int]:
    try:
        for number in range(count):
            yield number
            await asyncio.sleep(0)
    finally:
        look_up("the end")


@observe(as_type="agent")
async def think(word: str) -> str:
    await asyncio.sleep(0)
    return look_up(word)


class Shop:
    @observe(as_type="tool", name="order")
    def order(self, book: str, *more: str, count: int = 1, **rest: Any) -> str:
        return look_up(book)

    @classmethod
    @observe
    def open(cls, hour: int) -> str:
        return cls.__name__

    @observe(capture_input=False, capture_output=False)
    @staticmethod
    def close() -> str:
        return "secret"


def test_functions_are_observed(client: Client, server: Server) -> None:
    with client.start_as_current_span("root") as root:
        assert Shop().order("Emma", "Persuasion", count=2, gift=True) == "about Emma"
        assert (Shop.open(9), Shop.close()) == ("Shop", "secret")
        assert asyncio.run(think("x")) == "about x"

    spans = read(client, server, root.trace_id)
    order, opened, closed = spans["order"], spans["open"], spans["close"]
    assert (order["type"], order["output"]) == ("tool", "about Emma")
    assert order["input"] == {"book": "Emma", "more": ["Persuasion"], "count": 2, "gift": True}
    assert (opened["input"], opened["output"]) == ({"hour": 9}, "Shop")
    assert (closed["input"], closed["output"]) == (None, None)
    assert spans.tree >= {("order", "root"), ("think", "root"), ("look_up", "order"), ("look_up", "think")}
    assert inspect.iscoroutinefunction(think)
    assert inspect.isgeneratorfunction(words)
    assert inspect.isasyncgenfunction(later)
    assert str(inspect.signature(words)) == "(count: 'int') -> 'Iterator[str]'"


def test_generators_are_observed_step_by_step(client: Client, server: Server) -> None:
    with client.start_as_current_span("root") as root:
        for _word in words(2):
            # What happens between the steps is not within the generator.
            assert client.get_current_observation_id() == root.id
    spans = read(client, server, root.trace_id)
    assert spans["words"]["output"] == "01"
    assert spans.tree == {
        ("root", None),
        ("words", "root"),
        ("step-0", "words"),
        ("step-1", "words"),
        ("look_up", "step-0"),
        ("look_up", "step-1"),
    }


def test_a_generator_may_change_threads_and_be_abandoned(client: Client, server: Server) -> None:
    with client.start_as_current_span("root") as root:
        generator = words(9)
        assert next(generator) == "0"
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
            assert [one.submit(next, generator).result(), other.submit(next, generator).result()] == ["1", "2"]
            assert one.submit(client.get_current_trace_id).result() is None
        del generator
        gc.collect()
        assert client.get_current_observation_id() == root.id
    spans = read(client, server, root.trace_id)
    assert (spans["words"]["output"], spans["words"]["level"]) == ("012", "DEFAULT")
    assert spans.tree >= {("step-0", "words"), ("step-2", "words"), ("look_up", "step-1")}


def test_what_a_function_returns_may_go_on(client: Client, server: Server) -> None:
    @observe
    def upper(count: int) -> Iterator[str]:
        return (word.upper() for word in "abc"[:count])

    @observe
    def thought(word: str) -> Any:
        return think(word)

    with client.start_as_current_span("root") as root:
        assert list(upper(3)) == ["A", "B", "C"]
        assert asyncio.run(thought("y")) == "about y"
        upper(1)  # which nobody reads
    gc.collect()
    spans = read(client, server, root.trace_id)
    assert sorted(str(span["output"]) for span in spans.spans if span["name"] == "upper") == ["ABC", "None"]
    assert (spans["thought"]["output"], ("think", "thought") in spans.tree) == ("about y", True)


def test_coroutines_and_async_generators_keep_their_own_context(client: Client, server: Server) -> None:
    async def each(word: str) -> None:
        with client.start_as_current_span(f"task-{word}"):
            await asyncio.gather(think(word), think(word))

    async def main() -> None:
        await asyncio.gather(each("a"), each("b"))
        async for number in later(9):
            assert client.get_current_observation_id() == root.id
            if number == 1:
                break
        waiting = asyncio.create_task(forever())
        await started.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    started = asyncio.Event()

    @observe
    async def forever() -> None:
        started.set()
        await asyncio.Event().wait()

    with client.start_as_current_span("root") as root:
        asyncio.run(main())

    spans = read(client, server, root.trace_id)
    assert spans.tree >= {("task-a", "root"), ("think", "task-a"), ("think", "task-b"), ("look_up", "words-later")}
    assert (spans["words-later"]["output"], spans["words-later"]["level"]) == ([0, 1], "DEFAULT")
    assert (spans["forever"]["level"], spans["forever"]["status_message"]) == ("ERROR", "CancelledError")


def test_generators_pass_on_what_is_sent_thrown_and_returned(client: Client, server: Server) -> None:
    @observe
    def echo() -> Iterator[Any]:
        heard: list[Any] = []
        while len(heard) < 3:
            try:
                heard.append((yield len(heard)))
            except KeyError as error:
                heard.append(error.args[0])
        return heard  # type: ignore[return-value]

    @observe
    async def echo_later() -> AsyncIterator[Any]:
        try:
            assert (yield 1) == "sent"
        except KeyError:
            yield 2
        raise LookupError("nothing more")

    async def hear() -> None:
        generator: Any = echo_later()
        assert await anext(generator) == 1
        assert await generator.athrow(KeyError("thrown")) == 2
        with pytest.raises(LookupError):
            await generator.asend(None)

    with client.start_as_current_span("root") as root:
        generator: Any = echo()
        assert (next(generator), generator.send("sent"), generator.throw(KeyError("thrown"))) == (0, 1, 2)
        with pytest.raises(StopIteration) as stop:
            generator.send("last")
        assert stop.value.value == ["sent", "thrown", "last"]
        asyncio.run(hear())

    spans = read(client, server, root.trace_id)
    assert (spans["echo"]["output"], spans["echo"]["level"]) == ([0, 1, 2], "DEFAULT")
    assert spans["echo_later"]["status_message"] == "LookupError: nothing more"
    assert spans["echo_later"]["output"] == [1, 2]


def test_threads_get_the_context_that_they_are_given(client: Client, server: Server) -> None:
    with client.start_as_current_span("root") as root, genscope.propagate(user_id="alice"):
        given = contextvars.copy_context()
        thread = threading.Thread(target=given.run, args=(look_up, "in a thread"))
        thread.start()
        thread.join()
        other = threading.Thread(target=lambda: root.start_span("by-hand").end())
        other.start()
        other.join()
    spans = read(client, server, root.trace_id)
    assert spans.tree == {("root", None), ("look_up", "root"), ("by-hand", "root")}
    assert spans["look_up"]["user_id"] == "alice"


#: What `tests/clients/python/genscope_observed.py` records: name, parent, output, level, message, and how often.
OBSERVED: Final[dict[tuple[str | None, ...], int]] = {
    ("root", None, None, None, None): 1,
    ("words", "root", "0 1 ", None, None): 2,  # one was read to its end, the other by two threads and given up
    ("step-0", "words", None, None, None): 2,
    ("step-1", "words", None, None, None): 2,
    ("leaf", "step-0", "AFTER", None, None): 2,
    ("leaf", "step-1", "AFTER", None, None): 1,
    ("later", "root", "[0,1]", None, None): 2,
    ("think", "later", "BETWEEN", None, None): 3,
    ("leaf", "think", "BETWEEN", None, None): 3,
    ("leaf", "later", "THE END", None, None): 2,
    **{("think", "root", word, None, None): 1 for word in ("A", "B", "GROUPED")},
    **{("leaf", "think", word, None, None): 1 for word in ("A", "B", "GROUPED")},
    ("waits", "root", None, "ERROR", "CancelledError"): 1,
    ("fails", "root", None, "ERROR", "KeyError: 'lost'"): 1,
    ("leaf", "fails", "BEFORE", None, None): 1,
}


@pytest.mark.parametrize("version", INTERPRETERS)
def test_every_python_observes_the_same(version: str) -> None:
    packages = [str(ROOT / "src"), sysconfig.get_path("purelib")]
    ended = subprocess.run(
        [INTERPRETERS[version], str(PROGRAMS / "python" / "genscope_observed.py")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(packages), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert Counter(map(tuple, json.loads(ended.stdout))) == OBSERVED


# --- answers -------------------------------------------------------------------------------------------------------------

COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "It left."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 50, "prompt_tokens_details": {"cached_tokens": 800}},
}


def chunk(content: str) -> dict[str, Any]:
    return COMPLETION | {
        "object": "chat.completion.chunk",
        "usage": None,
        "choices": [{"index": 0, "delta": {"content": content}, "finish_reason": None}],
    }


def test_answers_are_understood(client: Client, server: Server) -> None:
    with client.start_as_current_generation("draft", model="gpt-4o") as gen:
        gen.update(response=COMPLETION)
    with client.start_as_current_generation("other", trace_context={"trace_id": gen.trace_id}) as other:
        other.update(response={"something": "else"})
    spans = read(client, server, gen.trace_id)
    span = spans["draft"]
    assert (span["model"], span["provider"], span["service_tier"]) == ("gpt-4o-2024-08-06", "openai", "default")
    assert "It left." in json.dumps(span["output"])
    assert span["usage"] == {"input": 1000, "output": 50, "total": 1050, "input_cache_read": 800}
    assert span["attributes"]["gen_ai.response.id"] == "chatcmpl-1"
    assert span["attributes"]["gen_ai.response.finish_reasons"] == ["stop"]
    assert spans["other"]["output"] == {"something": "else"}


def test_whose_model_it_is_the_application_knows_best(client: Client, server: Server) -> None:
    converse = {"output": {"message": {"role": "assistant", "content": [{"text": "Hi."}]}}, "stopReason": "end_turn"}
    with client.start_as_current_generation("draft", model="ours", provider="ours.example") as gen:
        gen.update(response=converse | {"usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4}})
        client.start_generation("untold").update(response=COMPLETION | {"provider": "OpenAI"}, provider="late").end()
    spans = read(client, server, gen.trace_id)
    assert (spans["draft"]["provider"], spans["draft"]["model"]) == ("ours.example", "ours")
    assert spans["draft"]["usage"] == {"input": 3, "output": 1, "total": 4}
    assert (spans["untold"]["provider"], spans["untold"]["model"]) == ("late", "gpt-4o-2024-08-06")


def test_answers_and_streams_that_a_function_returns(client: Client, server: Server) -> None:
    class Stream:
        """As OpenAI's."""

        def __init__(self) -> None:
            self.chunks = iter([chunk("It "), chunk("left.")])

        def __iter__(self) -> Iterator[Any]:
            return self

        def __next__(self) -> Any:
            return next(self.chunks)

    @observe(as_type="generation")
    def ask(question: str) -> dict[str, Any]:
        return COMPLETION

    @observe(as_type="generation")
    async def stream(question: str) -> Stream:
        return Stream()

    @observe(as_type="generation")
    def say(question: str) -> str:
        return "It left."

    with client.start_as_current_span("root") as root:
        assert ask("where?") is COMPLETION
        assert say("where?") == "It left."
        watched = asyncio.run(stream("where?"))
    assert len(list(watched)) == 2

    spans = read(client, server, root.trace_id)
    assert (spans["ask"]["model"], spans["ask"]["usage"]["input_cache_read"]) == ("gpt-4o-2024-08-06", 800)
    assert spans["ask"]["input"] == {"question": "where?"}
    assert spans["say"]["output"] == "It left."
    assert "It left." in json.dumps(spans["stream"]["output"])
    assert spans["stream"]["time_to_first_token_ms"] is not None


def test_what_an_observed_call_to_a_model_yields_is_understood(client: Client, server: Server) -> None:
    @observe(as_type="generation")
    def chunks() -> Iterator[Any]:
        yield from [chunk("It "), chunk("left."), COMPLETION | {"object": "chat.completion.chunk", "choices": []}]

    @observe(as_type="generation", capture_output=False)
    async def kept_back() -> AsyncIterator[Any]:
        for one in (chunk("It "), COMPLETION | {"object": "chat.completion.chunk", "choices": []}):
            yield one

    @observe(as_type="generation", transform_to_string=lambda items: f"{len(list(items))} chunks")
    def counted() -> Any:
        return (one for one in (chunk("It "), chunk("left.")))

    @observe(as_type="generation")
    def texts() -> Iterator[str]:
        yield from ("It ", "left.")

    @observe(as_type="generation")
    def mixed() -> Iterator[Any]:
        yield from ("It ", {"called": "tool"})

    @observe(as_type="generation", capture_output=False)
    def returned() -> Any:
        return COMPLETION

    @observe(as_type="embedding")
    def vectors() -> Iterator[list[float]]:
        yield [0.5]

    async def drain() -> None:
        async for _ in kept_back():
            pass

    with client.start_as_current_span("root") as root:
        assert len([*chunks(), *counted(), *texts(), *mixed(), *vectors()]) == 10
        assert returned() is COMPLETION
        asyncio.run(drain())
    spans = read(client, server, root.trace_id)
    assert spans["chunks"]["output"]["content"] == "It left."
    assert spans["chunks"]["usage"]["input_cache_read"] == spans["kept_back"]["usage"]["input_cache_read"] == 800
    outputs = {
        name: spans[name]["output"] for name in ("kept_back", "returned", "counted", "texts", "mixed", "vectors")
    }
    assert outputs == {
        "kept_back": None,
        "returned": None,
        "counted": "2 chunks",
        "texts": "It left.",
        "mixed": ["It ", {"called": "tool"}],
        "vectors": [[0.5]],
    }
    assert spans["returned"]["usage"]["total"] == 1050
    assert spans["counted"]["model"] == "gpt-4o-2024-08-06"
    assert all(
        spans[name]["time_to_first_token_ms"] is not None for name in ("chunks", "kept_back", "counted", "texts")
    )


def test_streams_are_recorded_while_they_are_read(client: Client, server: Server) -> None:
    def stream() -> Iterator[dict[str, Any]]:
        yield chunk("It ")
        yield chunk("left.")
        yield COMPLETION | {"object": "chat.completion.chunk", "choices": []}

    with client.start_as_current_generation("within", model="gpt-4o") as gen:
        assert len(list(gen.watch(stream()))) == 3
        gen.update(metadata={"said": "after the stream"})
    place: genscope.TraceContext = {"trace_id": gen.trace_id}
    with client.start_as_current_generation("beyond", trace_context=place) as beyond:
        watched = beyond.watch(stream())
    assert beyond.recorded
    assert len(list(watched)) == 3
    assert not beyond.recorded
    abandoned = client.start_generation("abandoned", trace_context=place)
    halfway = abandoned.watch(stream())
    next(halfway)
    del halfway
    gc.collect()

    spans = read(client, server, gen.trace_id)
    for name in ("within", "beyond"):
        assert "It left." in json.dumps(spans[name]["output"])
        assert spans[name]["usage"]["input_cache_read"] == 800
        assert spans[name]["time_to_first_token_ms"] is not None
    assert spans["within"]["metadata"] == {"said": "after the stream"}
    assert "It " in json.dumps(spans["abandoned"]["output"])


# --- manners --------------------------------------------------------------------------------------------------------------


class Rude:
    """An object that raises whatever one asks of it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("rude")

    def __repr__(self) -> str:
        raise RuntimeError("rude")

    __str__ = __repr__


def test_nothing_that_is_told_raises(client: Client, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    rude: Any = Rude()
    circle: list[Any] = []
    circle.append(circle)
    with caplog.at_level(logging.WARNING, "genscope"), client.start_as_current_observation(rude, as_type=rude) as root:
        root.update(input=rude, output=circle, metadata=rude, level=rude, model=rude, nonsense=1, prompt=rude)  # type: ignore[call-arg]
        root.update(usage=rude, usage_details=rude, completion_start_time=rude, level="LOUD", response=rude)  # type: ignore[arg-type]
        root.update(metadata={rude: rude, 1: "\ud800"}, name=rude, status_message="half \ud83d")
        root.update_trace(tags=rude, metadata=rude, user_id=rude, public=rude).score(rude, rude)
        root.score("x", 1, nonsense=2)  # type: ignore[call-arg]
        client.create_score("nobody", 1)
        root.end(end_time=rude)
        with genscope.propagate(user_id=rude, tags=rude, metadata={"x": rude}):
            client.update_current_span(name="still-here", output="fine")
        with pytest.raises(RuntimeError), client.start_as_current_span("broken"):
            raise RuntimeError(rude)
    assert client.flush()
    assert "there is no field nonsense" in caplog.text
    assert "there is no level LOUD" in caplog.text
    spans = read(client, server, root.trace_id)
    assert spans["broken"]["level"] == "ERROR"


def test_what_functions_are_given_and_give_may_be_anything(client: Client, server: Server) -> None:
    rude: Any = Rude()

    @observe(as_type="generation")
    def returns(value: Any) -> Any:
        return value

    class Unhashable:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, items: Any) -> str:
            raise ValueError(items)

    @observe(transform_to_string=Unhashable())
    def yields() -> Iterator[Any]:
        yield rude

    size: Any = observe(property(lambda _: 3))  # type: ignore[call-overload]

    @observe
    class Kept:
        pass

    with client.start_as_current_span("root") as root:
        assert returns(rude) is rude
        (item,) = yields()
        assert item is rude
    assert isinstance(size, property)
    assert isinstance(Kept, type)
    assert {span["level"] for span in read(client, server, root.trace_id).spans} == {"DEFAULT"}


class Word(str, Enum):  # noqa: UP042 - whose `str` is not what it holds
    TOOL = "tool"


class Number(IntEnum):
    THREE = 3


def test_values_at_the_edges_come_back(client: Client, server: Server) -> None:
    edges: dict[Any, Any] = {
        "nan": math.nan,
        "infinite": math.inf,
        "large": 2**70,
        "small": -(2**63),
        "real": 1e30,
        "bytes": b"\x00\xff",
        "enum": Word.TOOL,
        "number": Number.THREE,
        3: 4,
        ("a", 1): {1: {2}},
    }
    kind: Any = Word.TOOL
    with client.start_as_current_observation(kind, as_type=kind, metadata=edges, input=edges) as root:
        root.update(model=Word.TOOL, usage_details={"input": math.nan}, cost_details={"total": math.inf})
    span = read(client, server, root.trace_id)["tool"]
    assert (span["type"], span["model"]) == ("tool", "tool")
    assert span["metadata"] == {
        "nan": "nan",
        "infinite": "inf",
        "large": str(2**70),
        "small": str(-(2**63)),
        "real": 1e30,
        "bytes": "AP8=",
        "enum": "tool",
        "number": 3,
        "3": 4,
        "('a', 1)": {"1": [2]},
    }


def test_what_is_told_after_the_end_is_named_in_the_log(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "_told", set())
    with caplog.at_level(logging.WARNING), client.start_as_current_span("root") as root:
        root.end().end()
        root.update(output="late").update_trace(name="late").fail(ValueError("late"))
        client.update_current_generation(output="late")
        assert client.get_current_trace_id() == root.trace_id
    (record,) = caplog.records
    assert (record.name, record.stack_info is None) == ("genscope", False)
    assert "what has ended" in record.message


def test_an_applications_own_provider_sends_both_ways(server: Server) -> None:
    theirs = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.version": "9"}))
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    joined = Client(
        Settings.read(url=server.url, public_key=server.public_key, secret_key=server.secret_key, environment="shop"),
        provider,
    )
    library = provider.get_tracer("library")
    with (
        provider.get_tracer("shop").start_as_current_span("GET /orders") as request,
        joined.start_as_current_observation("answer", as_type="agent"),
        library.start_as_current_span("call", attributes={"gen_ai.request.model": "gpt-4o"}),
    ):
        # Of another library's span the program may know more.
        joined.update_current_generation(usage_details={"input": 1000, "output": 50}, metadata={"cached": False})
        joined.update_current_span(input=MESSAGES)
    spans = read(joined, server, f"{request.get_span_context().trace_id:032x}")
    assert spans.tree == {("GET /orders", None), ("answer", "GET /orders"), ("call", "answer")}
    assert {span.name for span in theirs.get_finished_spans()} == {"GET /orders", "answer", "call"}
    assert {span["environment"] for span in spans.spans} == {"shop"}
    assert {span["version"] for span in spans.spans} == {"9"}
    call = spans["call"]
    assert (call["type"], call["model"], call["usage"]["total"]) == ("generation", "gpt-4o", 1050)
    assert (call["input"], call["metadata"]) == (MESSAGES, {"cached": False})
    assert Decimal(call["cost"]["total"]) == Decimal("0.003")


def test_what_an_applications_processors_raise_stays_with_them(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            if span.name == "never":
                raise OSError("disk full")

        def on_end(self, span: Any) -> None:
            raise LookupError("no such table")

    provider = TracerProvider()
    joined = Client(Settings.read(url=server.url, public_key=server.public_key, secret_key=server.secret_key), provider)
    provider.add_span_processor(Broken())
    with joined.start_as_current_span("root") as root:
        assert not joined.start_span("never").end().recorded
        joined.create_event("event")
    assert read(joined, server, root.trace_id).tree == {("root", None), ("event", "root")}
    assert "OSError('disk full')" in caplog.text
    assert "LookupError('no such table')" in caplog.text


def test_disabled_it_does_nothing_and_leaves_other_traces_alone(server: Server) -> None:
    disabled = Client(Settings.read(enabled=False, url=server.url))
    other = TracerProvider().get_tracer("other")
    before = contexts.get_current()
    with other.start_as_current_span("outer") as outer:
        with disabled.start_as_current_generation(name="draft", model="gpt-4o", input=MESSAGES) as gen:
            assert isinstance(gen, genscope.Observation)
            assert opentelemetry.get_current_span() is outer
            assert not gen.recorded
            gen.update(output="x", response=COMPLETION).update_trace(name="y").score("a", 1)
            stream = iter("abc")
            assert gen.watch(stream) is stream
            assert not gen.start_span("child").end().recorded
        disabled.update_current_span(output="none of its business")
        disabled.create_score("stars", 5, trace_id=gen.trace_id)
    assert contexts.get_current() == before
    assert disabled.flush(0)
    assert disabled.get_current_trace_id() is None


def test_what_is_not_sampled_is_not_recorded_and_neither_is_what_is_within(server: Server) -> None:
    quiet = Client(Settings.read(sample_rate=0, url=server.url), TracerProvider())
    with quiet.start_as_current_span("root") as root:
        inner = quiet.start_generation("inner", input=MESSAGES).end()
        root.score_trace("stars", 5)
    assert inner.trace_id == root.trace_id
    assert quiet.flush(0)


def test_what_is_said_may_be_masked_and_kept_back(server: Server) -> None:
    def mask(value: Any) -> Any:
        return json.loads(json.dumps(value).replace("4711", "####")) if not isinstance(value, int) else 0

    common: dict[str, Any] = {"url": server.url, "public_key": server.public_key, "secret_key": server.secret_key}
    masked = Client(Settings.read(**common, mask=mask, max_value_bytes=200), TracerProvider())
    with masked.start_as_current_span("root", input=MESSAGES, metadata={"order": "4711", "count": 4711}) as root:
        root.update(output="4711" * 100, model_parameters={"seed": 4711}, status_message="4711 is lost")
    spans = read(masked, server, root.trace_id)
    assert "4711" not in json.dumps(
        [spans["root"][field] for field in ("input", "output", "metadata", "status_message")]
    )
    assert spans["root"]["metadata"] == {"order": "####", "count": 0}
    assert spans["root"]["output"].endswith("…[genscope: truncated, 400 bytes]")
    assert spans["root"]["model_parameters"] == {"seed": 4711}

    silent = Client(Settings.read(**common, capture_input=False, capture_output=False), TracerProvider())
    with silent.start_as_current_span("root", input="x", output="y") as root:
        root.update(response=COMPLETION).update_trace(input="x", output="y")
    (span,) = read(silent, server, root.trace_id).spans
    assert (span["input"], span["output"], span["usage"]["input"]) == (None, None, 1000)


def test_more_metadata_than_a_span_has_room_for(client: Client, server: Server) -> None:
    many = {f"key-{number}": number for number in range(500)}
    with client.start_as_current_generation("draft", model="gpt-4o", metadata=many) as gen:
        gen.update(metadata={"one": "more"})
    span = read(client, server, gen.trace_id)["draft"]
    assert (span["type"], span["model"]) == ("generation", "gpt-4o")
    assert span["metadata"] == many | {"one": "more"}


def test_ids_do_not_repeat_in_a_program_that_seeds_its_dice(client: Client) -> None:
    state = random.getstate()
    random.seed(1)
    one = client.start_span()
    random.seed(1)
    other = client.start_span()
    random.setstate(state)
    assert (one.trace_id, one.id) != (other.trace_id, other.id)
    one.end()
    other.end()


def test_a_second_init_takes_over(client: Client, server: Server) -> None:
    key: dict[str, Any] = {"url": server.url, "public_key": server.public_key, "secret_key": server.secret_key}
    second = genscope.init(**key, environment="second")
    assert genscope.get_client() is second
    with second.start_as_current_span("root") as root:
        client.start_span("by the first").end()
    spans = read(second, server, root.trace_id)
    assert spans.tree == {("root", None), ("by the first", "root")}
    assert spans["root"]["environment"] == "second"


def test_the_newest_init_decides_what_is_sent_and_where_to(client: Client, server: Server) -> None:
    key: dict[str, Any] = {"url": server.url, "public_key": server.public_key, "secret_key": server.secret_key}
    foreign = opentelemetry.get_tracer("foreign")
    for rate in (0.0, 1.0):
        made = genscope.init(**key, sample_rate=rate)
        with foreign.start_as_current_span("theirs") as span:
            assert span.is_recording() == bool(rate)
            ours = made.start_span("ours")
            assert ours.recorded == bool(rate)
            ours.end()
    trace_id = f"{span.get_span_context().trace_id:032x}"
    assert read(made, server, trace_id).tree == {("theirs", None), ("ours", "theirs")}

    disabled = genscope.init(**key, enabled=False)
    with foreign.start_as_current_span("theirs"):
        disabled.start_span("ours").end()
    assert not made.delivery.size
    assert not genscope.init(**key).delivery.size


def test_what_is_yielded_is_kept_as_far_as_a_value_may_be_long(server: Server) -> None:
    key: dict[str, Any] = {"url": server.url, "public_key": server.public_key, "secret_key": server.secret_key}
    narrow = genscope.init(**key, max_value_bytes=1000)

    @observe
    def file() -> Iterator[bytes]:
        yield from [bytes(400)] * 100

    with narrow.start_as_current_span("root") as root:
        assert sum(map(len, file())) == 40_000
    three = len(json.dumps([base64.b64encode(bytes(400)).decode()] * 3, separators=(",", ":")))
    assert f"[genscope: truncated, {three} bytes]" in json.dumps(read(narrow, server, root.trace_id)["file"]["output"])


def test_a_provider_need_not_be_opentelemetrys_own(server: Server) -> None:
    class Stand:
        """In front of a provider, as Logfire's."""

        def __init__(self) -> None:
            self.provider = TracerProvider()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.provider, name)

    stand: Any = Stand()
    joined = Client(
        Settings.read(url=server.url, public_key=server.public_key, secret_key=server.secret_key), provider=stand
    )
    with stand.get_tracer("shop").start_as_current_span("GET /orders"), joined.start_as_current_span("ours") as ours:
        pass
    assert read(joined, server, ours.trace_id).tree == {("GET /orders", None), ("ours", "GET /orders")}
