"""Watched streams: untouched for who reads them, told once, whatever becomes of them. Those of real SDKs: test_sdk_results."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, closing
from io import BytesIO
from types import TracebackType
from typing import Any, Self
from unittest.mock import AsyncMock, MagicMock

import pytest

from genscope import messages
from genscope.sdk import streams
from genscope.sdk.results import Result
from genscope.sdk.results.pieces import MOST_CHARACTERS, MOST_THINGS
from tests.providers import bedrock, openai
from tests.providers.conversation import ANSWER, ARGUMENTS, PROVIDERS, TOOL_NAME

TEXT = [json.loads(chunk) for chunk in openai._chunks(1, True) if chunk != "[DONE]"]
CALL = [json.loads(chunk) for chunk in openai._chunks(0, True) if chunk != "[DONE]"]


class Heard:
    """What was told of a stream."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def watch(self, stream: Any) -> Any:
        return streams.watch(stream, lambda *result: self.told.append(result), self.told.append)

    @property
    def result(self) -> Result:
        """What was told, if it was once and without an error."""
        [(result, _)] = self.told
        assert isinstance(result, Result)
        return result


@pytest.fixture
def heard() -> Heard:
    return Heard()


def said(result: Result) -> Any:
    return result.output["content"] if isinstance(result.output, dict) else None


# --- untouched ----------------------------------------------------------------------------------------------------------


class Stream:
    """A stream as OpenAI's SDK has it."""

    def __init__(self, chunks: Iterable[Any]) -> None:
        self.response = "the response"
        self.closed = False
        self._iterator = iter(chunks)

    def __next__(self) -> Any:
        return next(self._iterator)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True


class AsyncStream:
    def __init__(self, chunks: Iterable[Any]) -> None:
        self.closed = False
        self._iterator = iter(chunks)

    async def __anext__(self) -> Any:
        try:
            return next(self._iterator)
        except StopIteration:
            raise StopAsyncIteration from None

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    async def close(self) -> None:
        self.closed = True


class StreamManager:
    """What opens a stream in a `with`, as the SDKs' helpers do."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> Any:
        if isinstance(self.stream, Exception):
            raise self.stream
        return self.stream

    def __exit__(self, *raised: object) -> None:
        self.stream.close()

    async def __aenter__(self) -> Any:
        return self.__enter__()

    async def __aexit__(self, *raised: object) -> None:
        await self.stream.close()


class EventStream:
    """What can be iterated and closed, and is no iterator, as botocore has it."""

    def __init__(self, events: Iterable[Any]) -> None:
        self.events = events
        self.closed = False

    def __iter__(self) -> Iterator[Any]:
        yield from self.events

    def close(self) -> None:
        self.closed = True


def generator(chunks: Iterable[Any] = TEXT) -> Iterator[Any]:
    yield from chunks


async def async_generator(chunks: Iterable[Any] = TEXT) -> AsyncIterator[Any]:
    for chunk in chunks:
        yield chunk


def test_chunks_are_the_same_objects_at_once(heard: Heard) -> None:
    handed: list[Any] = []

    def source() -> Iterator[Any]:
        for chunk in TEXT:
            handed.append(chunk)
            yield chunk

    for count, chunk in enumerate(heard.watch(source()), 1):
        assert chunk is handed[-1]
        assert len(handed) == count  # nothing was read ahead
    assert len(handed) == len(TEXT)
    assert said(heard.result) == ANSWER
    right = {kind: number for kind, number in PROVIDERS["openai"].calls[1].usage.items() if kind != "total"}
    assert {kind: number for kind, number in (heard.result.usage or {}).items() if number} == right


def test_attributes_and_class_are_those_of_the_stream(heard: Heard) -> None:
    stream = Stream(TEXT)
    watched = heard.watch(stream)
    assert isinstance(watched, Stream)
    assert watched.response == "the response"
    assert repr(watched) == repr(stream)
    assert dir(watched) == dir(stream)
    watched.response = "another"
    assert stream.response == "another"
    del watched.response
    assert not hasattr(stream, "response")
    assert not hasattr(watched, "nothing")


class Response:
    """A response of `requests`: it closes, has lines, and is false where it failed."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __bool__(self) -> bool:
        return bool(self.lines)

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def close(self) -> None:
        self.lines = []


def test_what_python_looks_up_in_the_class_is_that_of_the_stream(heard: Heard) -> None:
    watched = heard.watch(Response(["Hel", "lo"]))
    assert watched
    assert str(watched) == "Hel\nlo"
    assert list(watched) == list(watched) == ["Hel", "lo"]  # which begins anew
    watched.close()
    assert not watched


def test_watched_stream_can_do_no_more_than_the_stream(heard: Heard) -> None:
    """Frameworks ask which kind a stream is, to read it in a thread or in the loop."""
    assert isinstance(heard.watch(generator()), Iterator)
    assert not isinstance(heard.watch(generator()), AsyncIterable)
    assert not isinstance(heard.watch(async_generator()), Iterable)
    assert not hasattr(heard.watch(generator()), "__enter__")
    assert not hasattr(heard.watch(EventStream([])), "__aenter__")


def test_with_gives_the_watched_stream_and_leaves_it_closed(heard: Heard) -> None:
    stream = Stream(TEXT)
    with heard.watch(stream) as watched:
        next(watched)
        assert not heard.told
    assert stream.closed
    assert heard.result.model == PROVIDERS["openai"].model
    del watched
    gc.collect()
    assert len(heard.told) == 1


def test_manager_gives_a_watched_stream(heard: Heard) -> None:
    stream = Stream(TEXT)
    with heard.watch(StreamManager(stream)) as opened:
        assert isinstance(opened, Stream)
        assert list(opened) == TEXT
    assert stream.closed
    assert said(heard.result) == ANSWER


def test_opened_stream_outlives_what_opened_it(heard: Heard) -> None:
    opened = heard.watch(StreamManager(Stream(TEXT))).__enter__()
    gc.collect()
    assert not heard.told
    assert list(opened) == TEXT
    assert said(heard.result) == ANSWER


def test_stream_that_cannot_be_opened(heard: Heard) -> None:
    error = RuntimeError("401")
    with pytest.raises(RuntimeError), heard.watch(StreamManager(error)):
        pass
    assert heard.told == [error, (Result(), None)]


def test_async_streams(heard: Heard) -> None:
    async def read() -> None:
        stream = AsyncStream(TEXT)
        async with heard.watch(stream) as watched:
            assert isinstance(watched, AsyncStream)
            assert [chunk async for chunk in watched] == TEXT
        assert stream.closed
        async with heard.watch(StreamManager(AsyncStream(CALL))) as watched:
            assert [chunk async for chunk in watched] == CALL
        assert [chunk async for chunk in heard.watch(async_generator())] == TEXT

    asyncio.run(read())
    outputs = [result.output for result, _ in heard.told]
    assert outputs[0] == outputs[2] == {"role": "assistant", "content": ANSWER}
    assert outputs[1]["tool_calls"][0]["function"] == {
        "name": TOOL_NAME,
        "arguments": json.dumps(ARGUMENTS).replace(" ", ""),
    }


@pytest.mark.parametrize("key", ["stream", "body"])
def test_stream_within_an_answer_of_bedrock(heard: Heard, key: str) -> None:
    events = EventStream({kind: payload} for kind, payload in bedrock._steps(1))
    answer = {"ResponseMetadata": {"HTTPStatusCode": 200}, key: events}
    watched = heard.watch(answer)
    assert watched.keys() == answer.keys()
    assert watched["ResponseMetadata"] is answer["ResponseMetadata"]
    assert answer[key] is events
    assert len(list(watched[key])) == len(list(bedrock._steps(1)))
    assert heard.result.usage is not None
    assert said(heard.result) == [{"text": ANSWER}]


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (generator(), True),
        (async_generator(), True),
        (Stream([]), True),
        (AsyncStream([]), True),
        (StreamManager(None), True),
        (EventStream([]), True),
        ({"stream": EventStream([])}, True),
        ({"body": BytesIO(b"{}")}, False),
        (BytesIO(), False),
        (["a", "b"], False),
        ("text", False),
        ({"choices": []}, False),
        (MagicMock(), False),
        (AsyncMock(spec=AsyncStream), False),
        (None, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_a_stream(value: object, right: bool) -> None:
    assert streams.is_stream(value) is right


def test_what_is_no_stream_stays_what_it_is(heard: Heard) -> None:
    answer: dict[str, Any] = {"choices": []}
    assert heard.watch(answer) is answer
    assert heard.result == Result()


# --- told once ------------------------------------------------------------------------------------------------------------


def read_to_its_end(stream: Any) -> None:
    list(stream)
    assert next(stream, None) is None


def close(stream: Any) -> None:
    next(stream), next(stream)
    stream.close()
    stream.close()


def leave_closing(stream: Any) -> None:
    with closing(stream):
        next(stream), next(stream)


def break_off(stream: Any) -> None:
    for count, _ in enumerate(stream, 1):
        if count == 2:
            break


def never_read(stream: Any) -> None:
    pass


@pytest.mark.parametrize(
    ("fate", "output"),
    [
        (read_to_its_end, {"role": "assistant", "content": ANSWER}),
        (close, {"role": "assistant", "content": ANSWER[:12]}),
        (leave_closing, {"role": "assistant", "content": ANSWER[:12]}),
        (break_off, {"role": "assistant", "content": ANSWER[:12]}),
        (never_read, None),
    ],
)
def test_told_once_whatever_becomes_of_it(heard: Heard, fate: Callable[[Any], None], output: Any) -> None:
    fate(heard.watch(generator()))
    gc.collect()
    assert heard.result.output == output


def test_told_when_nobody_can_reach_it_any_more(heard: Heard) -> None:
    class Conversation:
        pass

    conversation: Any = Conversation()
    conversation.itself = conversation
    conversation.stream = heard.watch(generator())
    next(conversation.stream), next(conversation.stream)
    del conversation
    gc.collect()
    assert said(heard.result) == ANSWER[:12]


def test_collector_waits_for_no_lock_that_its_thread_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of a span, which is being written to when the collector comes by."""
    monkeypatch.setattr(streams, "_PATIENCE", 0.01)
    lock, told = threading.Lock(), threading.Event()

    def done(*_: object) -> None:
        with lock:
            told.set()

    with lock:
        kept = [streams.watch(generator(), done, print)]
        kept.append(kept)  # type: ignore[arg-type]
        del kept
        gc.collect()
        assert not told.is_set()
    assert told.wait(60)


def test_told_when_the_program_ends_by_the_process_that_began() -> None:
    program = """
import os, sys
from genscope.sdk import streams
stream = streams.watch(iter(["Hel", "lo, ", "world"]), lambda result, first: print(result.output, type(first)), print)
next(stream), next(stream)
keep = [stream]
keep.append(keep)
if os.fork() == 0:
    sys.exit()  # what the parent began is the parent's to tell
os.wait()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "Hello,  <class 'int'>\n"


def test_error_is_told_before_what_came_so_far(heard: Heard) -> None:
    error = ConnectionResetError("gone")

    def breaking() -> Iterator[Any]:
        yield from TEXT[:2]
        raise error

    watched = heard.watch(breaking())
    with pytest.raises(ConnectionResetError):
        list(watched)
    del watched
    gc.collect()
    assert heard.told[0] is error
    [(result, _)] = heard.told[1:]
    assert said(result) == ANSWER[:12]


def test_async_fates() -> None:
    async def broken_off(heard: Heard) -> None:
        async for chunk in heard.watch(async_generator()):
            if chunk is TEXT[1]:
                break

    async def closed(heard: Heard) -> None:
        async with aclosing(heard.watch(async_generator())) as stream:
            await anext(stream), await anext(stream)

    async def cancelled(heard: Heard) -> None:
        stuck = asyncio.Event()

        async def source() -> AsyncIterator[Any]:
            yield TEXT[0]
            yield TEXT[1]
            stuck.set()
            await asyncio.Event().wait()

        async def read() -> None:
            async for _ in heard.watch(source()):
                pass

        reading = asyncio.create_task(read())
        await stuck.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    for fate in (broken_off, closed, cancelled):
        heard = Heard()
        asyncio.run(fate(heard))
        gc.collect()
        if fate is cancelled:
            assert isinstance(heard.told.pop(0), asyncio.CancelledError)
        assert said(heard.result) == ANSWER[:12], fate


def test_trouble_with_telling_is_not_the_readers(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("full")

    def breaking() -> Iterator[Any]:
        yield "a"
        raise ValueError("theirs")

    watched = streams.watch(breaking(), refuse, refuse)
    assert next(watched) == "a"
    with pytest.raises(ValueError, match="theirs"):
        next(watched)
    assert len(caplog.records) == 2


def test_time_of_the_first_token_is_that_of_the_first_words(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100, 200))
    monkeypatch.setattr("genscope.sdk.streams.time.time_ns", lambda: next(clock))
    watched = heard.watch(generator())
    assert TEXT[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    next(watched)
    assert next(clock) == 100  # nobody asked for the time
    list(watched)
    [(_, first)] = heard.told
    assert first == 101


def test_stream_without_a_word_has_no_first_token(heard: Heard) -> None:
    list(heard.watch(generator([TEXT[0]])))
    assert heard.told[0][1] is None


# --- what came ------------------------------------------------------------------------------------------------------------


def chunk(**delta: Any) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}


def piece_of_call(
    index: int | None, identity: str | None = None, name: str | None = None, arguments: str = ""
) -> dict[str, Any]:
    return chunk(tool_calls=[{"index": index, "id": identity, "function": {"name": name, "arguments": arguments}}])


def call(identity: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


def invoked(*bodies: Any) -> list[Any]:
    return [{"chunk": {"bytes": json.dumps(body).encode()}} for body in bodies]


METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 12, "outputTokenCount": 5}}
ASSEMBLED: dict[str, tuple[list[Any], Result]] = {
    "calls side by side": (
        [
            piece_of_call(0, "a", "find", '{"x"'),
            piece_of_call(1, "b", "look", "{"),
            piece_of_call(0, arguments=": 1}"),
            piece_of_call(1, arguments="}"),
        ],
        Result(output={"role": "assistant", "tool_calls": [call("a", "find", '{"x": 1}'), call("b", "look", "{}")]}),
    ),
    "calls that all have one index, or none": (
        [
            piece_of_call(0, "a", "find", "{}"),
            piece_of_call(0, "b", "look", "{}"),
            piece_of_call(None, "c", "ask", "{}"),
        ],
        Result(
            output={
                "role": "assistant",
                "tool_calls": [call("a", "find", "{}"), call("b", "look", "{}"), call("c", "ask", "{}")],
            }
        ),
    ),
    "a call of a custom tool": (
        [
            chunk(tool_calls=[{"index": 0, "id": "a", "type": "custom", "custom": {"name": "sql", "input": "SELECT"}}]),
            chunk(tool_calls=[{"index": 0, "custom": {"input": " 1"}}]),
            chunk(tool_calls=[{"index": 0}]),
        ],
        Result(
            output={
                "role": "assistant",
                "tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}],
            }
        ),
    ),
    "thoughts and a refusal": (
        [chunk(reasoning_content="H"), chunk(reasoning_content="m."), chunk(refusal="No"), chunk(refusal=".")],
        Result(output={"role": "assistant", "refusal": "No.", "reasoning_content": "Hm."}),
    ),
    "two choices": (
        [
            {"choices": [{"index": 1, "delta": {"content": "Ho."}}]},
            {"choices": [{"index": 0, "delta": {"content": "Hi."}}]},
        ],
        Result(output=[{"role": "assistant", "content": "Hi."}, {"role": "assistant", "content": "Ho."}]),
    ),
    "Azure's first chunk": (
        [
            {"choices": [], "id": "", "model": "", "object": "", "prompt_filter_results": [{"prompt_index": 0}]},
            {**chunk(content="Hi."), "model": "gpt-4o", "id": "c"},
        ],
        Result("gpt-4o", {"role": "assistant", "content": "Hi."}, provider="azure.ai.openai", id="c"),
    ),
    "OpenRouter's error": (
        [chunk(content="Hi"), {**chunk(content=""), "error": {"code": 502, "message": "Provider disconnected"}}],
        Result(output={"role": "assistant", "content": "Hi"}, error="Provider disconnected"),
    ),
    "Groq's usage": (
        [chunk(content="Hi."), {**chunk(), "x_groq": {"usage": {"prompt_tokens": 12, "completion_tokens": 5}}}],
        Result(None, {"role": "assistant", "content": "Hi."}, {"input": 12, "output": 5}, "groq"),
    ),
    "Mistral's events": (
        [{"data": {"model": "mistral-large", **chunk(content="Hi.")}}],
        Result("mistral-large", {"role": "assistant", "content": "Hi."}),
    ),
    "Completions": (
        [
            {
                "object": "text_completion",
                "model": "davinci-002",
                "choices": [{"index": 0, "text": text, "finish_reason": end}],
            }
            for text, end in (("H", None), ("i.", "stop"))
        ],
        Result("davinci-002", {"role": "assistant", "content": "Hi."}, finish_reason="stop"),
    ),
    "a response that was broken off": (
        [
            event("response.created", response={"id": "r", "model": "gpt-5", "status": "in_progress", "output": []}),
            event("response.output_item.added", output_index=0, item={"type": "reasoning", "summary": []}),
            event("response.reasoning_summary_text.delta", output_index=0, summary_index=0, delta="Hm."),
            event(
                "response.output_item.added",
                output_index=1,
                item={"type": "function_call", "name": "find", "arguments": ""},
            ),
            event("response.function_call_arguments.delta", output_index=1, delta='{"x"'),
            event(
                "response.output_item.added",
                output_index=2,
                item={"type": "message", "role": "assistant", "content": []},
            ),
            event("response.output_text.delta", output_index=2, content_index=0, delta="Hi"),
            event("response.refusal.delta", output_index=2, content_index=1, delta="No"),
        ],
        Result(
            "gpt-5",
            [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
                {"type": "function_call", "name": "find", "arguments": '{"x"'},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "Hi"}, {"type": "refusal", "refusal": "No"}],
                },
            ],
            finish_reason="in_progress",
            id="r",
        ),
    ),
    "a response that failed": (
        [
            event("response.created", response={"id": "r", "model": "gpt-5", "status": "in_progress"}),
            event("error", message="Too many requests", code="rate_limit"),
        ],
        Result("gpt-5", finish_reason="in_progress", id="r", error="Too many requests"),
    ),
    "Anthropic's thoughts, citations and searches": (
        [
            event(
                "message_start",
                message={
                    "id": "msg_1",
                    "model": "claude-x",
                    "usage": {
                        "input_tokens": 9,
                        "output_tokens": 1,
                        "cache_read_input_tokens": 100,
                        "service_tier": "batch",
                    },
                },
            ),
            event("content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""}),
            event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Hm."}),
            event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "c2ln"}),
            event(
                "content_block_start",
                index=1,
                content_block={"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            ),
            event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"query": "x"}'}),
            event("content_block_start", index=2, content_block={"type": "text", "text": ""}),
            event("content_block_delta", index=2, delta={"type": "text_delta", "text": "Hi."}),
            event(
                "content_block_delta",
                index=2,
                delta={"type": "citations_delta", "citation": {"url": "https://example.com"}},
            ),
            event(
                "message_delta",
                delta={"stop_reason": "end_turn"},
                usage={"output_tokens": 7, "input_tokens": None, "server_tool_use": {"web_search_requests": 1}},
            ),
        ],
        Result(
            "claude-x",
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
                    {"type": "text", "text": "Hi.", "citations": [{"url": "https://example.com"}]},
                ],
            },
            {"input": 109, "output": 7, "input_cache_read": 100, "web_search": 1},
            "anthropic",
            "batch",
            "end_turn",
            "msg_1",
        ),
    ),
    "Anthropic's arguments, broken off": (
        [
            event(
                "content_block_start",
                index=0,
                content_block={"type": "tool_use", "id": "t", "name": "find", "input": {}},
            ),
            event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": '{"x'}),
        ],
        Result(
            output={"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "find", "input": '{"x'}]},
        ),
    ),
    "Gemini's thoughts, words and calls": (
        [
            {"candidates": [{"content": {"parts": [{"text": text, "thought": thought}]}}], "modelVersion": "gemini-x"}
            for text, thought in (("H", True), ("m.", True), ("H", None), ("i.", None))
        ]
        + [
            {
                "candidates": [
                    {"content": {"parts": [{"functionCall": {"name": "find", "args": {}}}]}, "finishReason": "STOP"}
                ],
                "usageMetadata": {"promptTokenCount": 8, "candidatesTokenCount": 5, "thoughtsTokenCount": 2},
            }
        ],
        Result(
            "gemini-x",
            {
                "role": "model",
                "parts": [
                    {"text": "Hm.", "thought": True},
                    {"text": "Hi."},
                    {"functionCall": {"name": "find", "args": {}}},
                ],
            },
            {"input": 8, "output": 7, "output_reasoning": 2},
            "gcp.gen_ai",
            finish_reason="STOP",
        ),
    ),
    "Converse's thoughts": (
        [
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm."}}}},
            {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "c2ln"}}}},
            {
                "contentBlockDelta": {
                    "contentBlockIndex": 1,
                    "delta": {"reasoningContent": {"redactedContent": b"\x00"}},
                }
            },
            {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"text": "Hi."}}},
            {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"citation": {"title": "A page"}}}},
            {"messageStop": {"stopReason": "end_turn"}},
        ],
        Result(
            output={
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
                    {"reasoningContent": {"redactedContent": base64.b64encode(b"\x00").decode()}},
                    {"citationsContent": {"content": [{"text": "Hi."}], "citations": [{"title": "A page"}]}},
                ],
            },
            provider="aws.bedrock",
            finish_reason="end_turn",
        ),
    ),
    "Nova, invoked": (
        invoked(
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi."}}},
            {"metadata": {"usage": {"inputTokens": 12, "outputTokens": 5}}, **METRICS},
        ),
        Result(None, {"role": "assistant", "content": [{"text": "Hi."}]}, {"input": 12, "output": 5}, "aws.bedrock"),
    ),
    "Titan, invoked": (
        invoked(
            {"outputText": "H", "index": 0, "completionReason": None, "inputTextTokenCount": 12},
            {"outputText": "i.", "totalOutputTextTokenCount": 5, "completionReason": "FINISH", **METRICS},
        ),
        Result(
            None,
            {"role": "assistant", "content": "Hi."},
            {"input": 12, "output": 5},
            "aws.bedrock",
            finish_reason="FINISH",
        ),
    ),
    "Llama, invoked": (
        invoked(
            {"generation": "H", "prompt_token_count": 12, "generation_token_count": 1, "stop_reason": None},
            {
                "generation": "i.",
                "prompt_token_count": None,
                "generation_token_count": 5,
                "stop_reason": "stop",
                **METRICS,
            },
        ),
        Result(
            None,
            {"role": "assistant", "content": "Hi."},
            {"input": 12, "output": 5},
            "aws.bedrock",
            finish_reason="stop",
        ),
    ),
    "one that speaks OpenAI's format, invoked": (
        invoked(chunk(content="H"), chunk(content="i."), {"choices": [], **METRICS}),
        Result(None, {"role": "assistant", "content": "Hi."}, {"input": 12, "output": 5}, "aws.bedrock"),
    ),
    "Cohere": (
        [
            event("message-start", id="c-1", delta={"message": {"role": "assistant"}}),
            event("tool-plan-delta", delta={"message": {"tool_plan": "Find."}}),
            event(
                "tool-call-start",
                index=0,
                delta={"message": {"tool_calls": {"id": "t", "function": {"name": "find", "arguments": "{"}}}},
            ),
            event("tool-call-delta", index=0, delta={"message": {"tool_calls": {"function": {"arguments": "}"}}}}),
            event("content-delta", index=0, delta={"message": {"content": {"text": "Hi."}}}),
            event(
                "message-end",
                delta={
                    "finish_reason": "COMPLETE",
                    "usage": {"billed_units": {"input_tokens": 12, "output_tokens": 5}},
                },
            ),
        ],
        Result(
            None,
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "Hi."}],
                "tool_plan": "Find.",
                "tool_calls": [call("t", "find", "{}")],
            },
            {"input": 12, "output": 5},
            "cohere",
            finish_reason="COMPLETE",
            id="c-1",
        ),
    ),
    "Cohere, version 1": (
        [
            {"event_type": "stream-start"},
            {"event_type": "text-generation", "text": "H"},
            {"event_type": "text-generation", "text": "i."},
            {"event_type": "stream-end", "response": {"generation_id": "g", "finish_reason": "COMPLETE"}},
        ],
        Result(None, {"role": "assistant", "content": "Hi."}, finish_reason="COMPLETE", id="g"),
    ),
    "a generator's own texts": (["H", "", "i."], Result(output="Hi.")),
    "what nobody knows": ([{"delta": "Hi."}, 17, None], Result()),
}


@pytest.mark.parametrize("name", ASSEMBLED)
def test_pieces_are_put_together(heard: Heard, name: str) -> None:
    pieces, right = ASSEMBLED[name]
    assert list(heard.watch(iter(pieces))) == pieces
    assert heard.result == right


@pytest.mark.parametrize("name", [name for name, (_, right) in ASSEMBLED.items() if right.output])
def test_server_reads_what_was_put_together_as_a_conversation(name: str) -> None:
    said = messages.conversation(json.dumps(ASSEMBLED[name][1].output), "assistant")
    assert said
    assert {message.role for message in said} == {"assistant"}


# --- bounds ---------------------------------------------------------------------------------------------------------------


def test_endless_text_is_kept_up_to_a_bound(heard: Heard) -> None:
    piece = "x" * 1000
    for _ in heard.watch(chunk(content=piece) for _ in range(MOST_CHARACTERS // 1000 + 50)):
        pass
    assert len(said(heard.result)) == MOST_CHARACTERS


@pytest.mark.parametrize(
    "endless",
    [
        lambda number: piece_of_call(number, f"call-{number}", "find", "{}"),
        lambda number: event("content_block_start", index=number, content_block={"type": "text", "text": "x"}),
        lambda number: event(
            "response.output_item.added", output_index=number, item={"type": "message", "role": "assistant"}
        ),
        lambda number: event("response.output_text.delta", output_index=number, delta="x"),
        lambda number: {"candidates": [{"content": {"parts": [{"functionCall": {"name": str(number)}}]}}]},
        lambda number: {"contentBlockDelta": {"contentBlockIndex": number, "delta": {"text": "x"}}},
        lambda number: {"choices": [{"index": number, "delta": {"content": "x"}, "finish_reason": "stop"}]},
        lambda number: {
            "candidates": [{"index": number, "content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]
        },
    ],
)
def test_endless_things_are_kept_up_to_a_bound(heard: Heard, endless: Callable[[int], Any]) -> None:
    for _ in heard.watch(endless(number) for number in range(MOST_THINGS + 100)):
        pass
    output: Any = heard.result.output
    kept = (
        output
        if isinstance(output, list)
        else next(output[key] for key in ("tool_calls", "content", "parts") if key in output)
    )
    assert len(kept) <= MOST_THINGS
