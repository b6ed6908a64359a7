"""Vendors' SDKs answer; Genscope's SDK is asked what it understood of each answer, and of each stream while it was read.

The arguments are functions below and models: `litellm=gpt-5`. A function makes a call of a conversation by every way that one SDK
has; printed is, by way, what was understood of both calls.
"""

import asyncio
import contextlib
import dataclasses
import importlib
import json
import os
import sys

from genscope.sdk import streams
from genscope.sdk.results import understand

TOLD = json.loads(os.environ["CONVERSATION"])
URL = os.environ["PROVIDER_URL"]
TOOL = TOLD["tool"]
FUNCTION = {"type": "function", "function": {**TOOL, "strict": True}}


def question(turn: int) -> str:
    """Return what to ask: the provider answers the second turn to whom knows the tool's result."""
    return f"{TOLD['question']} {TOLD['result']}" if turn else TOLD["question"]


class Heard:
    """What a watched stream told."""

    def __init__(self) -> None:
        self.results, self.firsts, self.errors = [], [], []

    def done(self, result, first) -> None:
        self.results.append(result)
        self.firsts.append(first)

    def watch(self, stream):
        watched = streams.watch(stream, self.done, self.errors.append)
        assert streams.is_stream(stream)
        if not isinstance(stream, dict):
            assert isinstance(watched, stream.__class__), type(watched)
        assert dir(watched) == dir(stream)
        return watched

    def told(self):
        """Return the result, which must have come once, with a time and without an error."""
        [result], [first] = self.results, self.firsts
        assert isinstance(first, int), first
        assert not self.errors
        return result


def watched(open_stream, read=list):
    """Read a stream by `read`, watched, and return what was understood; and that the chunks are those of the stream alone."""
    heard = Heard()
    chunks = read(heard.watch(open_stream()))
    if chunks is not None:
        assert repr(chunks) == repr(read(open_stream())), chunks
    return heard.told()


async def watched_async(open_stream, read):
    heard = Heard()
    stream = open_stream()
    stream = await stream if asyncio.iscoroutine(stream) else stream
    await read(heard.watch(stream))
    return heard.told()


def entered(read):
    """Read a stream within its `with`."""

    def reads(stream):
        with stream as opened:
            read(opened)

    return reads


def entered_async(read):
    async def reads(stream):
        async with stream as opened:
            await read(opened)

    return reads


async def all_of(stream) -> None:
    async for _ in stream:
        pass


def openai_chat(model: str, turn: int):
    from openai import AsyncOpenAI, OpenAI

    client, asynchronous = OpenAI(base_url=f"{URL}/v1"), AsyncOpenAI(base_url=f"{URL}/v1")
    messages = [{"role": "system", "content": TOLD["system"]}, {"role": "user", "content": question(turn)}]
    asked = {"model": model, "messages": messages, "tools": [FUNCTION]}
    streamed = {**asked, "stream_options": {"include_usage": True}}
    chat, achat = client.chat.completions, asynchronous.chat.completions
    answer = chat.create(**asked)
    yield "create", understand(answer)
    yield "dict", understand(answer.model_dump())
    yield "parse", understand(chat.parse(**asked))
    yield "stream", watched(lambda: chat.create(**streamed, stream=True))
    yield "with", watched(lambda: chat.create(**streamed, stream=True), entered(list))
    yield "helper", watched(lambda: chat.stream(**streamed), entered(list))
    yield (
        "helper, at its end",
        watched(lambda: chat.stream(**streamed), entered(lambda told: told.get_final_completion())),
    )
    yield "async stream", asyncio.run(watched_async(lambda: achat.create(**streamed, stream=True), all_of))
    final = entered_async(lambda told: told.get_final_completion())
    asynchronous = AsyncOpenAI(base_url=f"{URL}/v1")
    yield "async helper", asyncio.run(watched_async(lambda: asynchronous.chat.completions.stream(**streamed), final))


def openai_responses(model: str, turn: int):
    from openai import AsyncOpenAI, OpenAI

    client, asynchronous = OpenAI(base_url=f"{URL}/v1").responses, AsyncOpenAI(base_url=f"{URL}/v1").responses
    tool = {"type": "function", "strict": True, **TOOL}
    asked = {"model": model, "instructions": TOLD["system"], "input": question(turn), "tools": [tool]}
    answer = client.create(**asked)
    yield "create", understand(answer)
    yield "dict", understand(answer.model_dump())
    yield "parse", understand(client.parse(**asked))
    yield "stream", watched(lambda: client.create(**asked, stream=True))
    yield "helper", watched(lambda: client.stream(**asked), entered(list))
    yield "helper, at its end", watched(lambda: client.stream(**asked), entered(lambda told: told.get_final_response()))
    yield "async stream", asyncio.run(watched_async(lambda: asynchronous.create(**asked, stream=True), all_of))
    asynchronous = AsyncOpenAI(base_url=f"{URL}/v1").responses
    yield "async helper", asyncio.run(watched_async(lambda: asynchronous.stream(**asked), entered_async(all_of)))


def anthropic_messages(model: str, turn: int):
    from anthropic import Anthropic, AsyncAnthropic

    client, asynchronous = Anthropic(base_url=URL).messages, AsyncAnthropic(base_url=URL).messages
    tool = {"name": TOOL["name"], "description": TOOL["description"], "input_schema": TOOL["parameters"]}
    messages = [{"role": "user", "content": question(turn)}]
    asked = {
        "model": model,
        "max_tokens": 1024,
        "system": TOLD["system"],
        "messages": messages,
        "tools": [tool],
    }
    answer = client.create(**asked)
    yield "create", understand(answer)
    yield "dict", understand(answer.model_dump())
    yield "stream", watched(lambda: client.create(**asked, stream=True))
    yield "helper", watched(lambda: client.stream(**asked), entered(list))
    yield "helper's texts", watched(lambda: client.stream(**asked), entered(lambda told: list(told.text_stream)))
    yield "helper, at its end", watched(lambda: client.stream(**asked), entered(lambda told: told.get_final_message()))
    yield "async stream", asyncio.run(watched_async(lambda: asynchronous.create(**asked, stream=True), all_of))
    asynchronous = AsyncAnthropic(base_url=URL).messages
    final = entered_async(lambda told: told.get_final_message())
    yield "async helper", asyncio.run(watched_async(lambda: asynchronous.stream(**asked), final))
    asynchronous = AsyncAnthropic(base_url=URL).messages
    texts = entered_async(lambda told: all_of(told.text_stream))
    yield "async helper's texts", asyncio.run(watched_async(lambda: asynchronous.stream(**asked), texts))


def gemini(model: str, turn: int):
    from google import genai
    from google.genai import types

    client = genai.Client(http_options={"base_url": URL})
    function = types.FunctionDeclaration(
        name=TOOL["name"], description=TOOL["description"], parameters_json_schema=TOOL["parameters"]
    )
    config = types.GenerateContentConfig(
        system_instruction=TOLD["system"], tools=[types.Tool(function_declarations=[function])]
    )
    asked = {"model": model, "contents": question(turn), "config": config}
    answer = client.models.generate_content(**asked)
    yield "generate_content", understand(answer)
    yield "dict", understand(answer.model_dump())
    yield "wire", understand(answer.model_dump(mode="json", by_alias=True))
    yield "stream", watched(lambda: client.models.generate_content_stream(**asked), lambda told: [None for _ in told])
    yield "async stream", asyncio.run(watched_async(lambda: client.aio.models.generate_content_stream(**asked), all_of))


def bedrock(model: str, turn: int):
    import boto3

    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=URL,
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )
    function = {"name": TOOL["name"], "description": TOOL["description"], "inputSchema": {"json": TOOL["parameters"]}}
    asked = {
        "modelId": model,
        "system": [{"text": TOLD["system"]}],
        "messages": [{"role": "user", "content": [{"text": question(turn)}]}],
        "toolConfig": {"tools": [{"toolSpec": function}]},
    }
    yield "converse", understand(client.converse(**asked))
    yield "converse_stream", watched(lambda: client.converse_stream(**asked), lambda told: list(told["stream"]))
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 500,
        "system": TOLD["system"],
        "messages": [{"role": "user", "content": question(turn)}],
        "tools": [{**function, "input_schema": TOOL["parameters"]}],
    }
    asked = {"modelId": model, "body": json.dumps(body)}
    answer = client.invoke_model(**asked)
    yield "invoke_model", understand(answer)
    yield "invoke_model's body", understand(json.loads(answer["body"].read()))
    yield (
        "invoke_model_with_response_stream",
        watched(lambda: client.invoke_model_with_response_stream(**asked), lambda told: list(told["body"])),
    )


def litellm(model: str, turn: int):
    llm = importlib.import_module("litellm")
    messages = [{"role": "system", "content": TOLD["system"]}, {"role": "user", "content": question(turn)}]
    anthropic = "claude" in model
    asked = {
        "model": f"{'anthropic' if anthropic else 'openai'}/{model}",
        "api_base": URL if anthropic else f"{URL}/v1",
        "messages": messages,
        "tools": [FUNCTION],
    }
    streamed = {**asked, "stream": True, "stream_options": {"include_usage": True}}
    answer = llm.completion(**asked)
    yield "completion", understand(answer)
    yield "dict", understand(answer.model_dump())
    yield "stream", watched(lambda: llm.completion(**streamed), lambda told: [None for _ in told])
    yield "async stream", asyncio.run(watched_async(lambda: llm.acompletion(**streamed), all_of))


def instrumented_openai(model: str, turn: int):
    """Do it beneath an instrumentation, which puts streams of its own in the place of the SDK's."""
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    yield from openai_chat(model, turn)


def instrumented_anthropic(model: str, turn: int):
    from openinference.instrumentation.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()
    yield from anthropic_messages(model, turn)


def main(*asked: str) -> None:
    understood = {}
    with contextlib.redirect_stdout(sys.stderr):
        for one in asked:
            vendor, _, model = one.partition("=")
            for turn in (0, 1):
                for way, result in globals()[vendor](model, turn):
                    understood.setdefault(f"{one}: {way}", []).append(result and dataclasses.asdict(result))
    print(json.dumps(understood))


main(*sys.argv[1:])
