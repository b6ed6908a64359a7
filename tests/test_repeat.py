"""Programs that repeat a recorded call: what they send, and that nothing recorded gets out of its quotes."""

from __future__ import annotations

import ast
import json
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genscope.model import Span
from genscope.web import repeat

TOOL = {"name": "weather", "description": "Tells it", "parameters": {"type": "object", "properties": {}}}
HOSTILE = "'; touch pwned; echo ' $(id) `id` \"$HOME\" \\ \n'EOF'\n\x1b[31m\u202e\x00 é </script> \ud800"


def call(given: Any, provider: str | None = "openai", type_: str = "generation", **fields: Any) -> repeat.Call:
    span = Span("t", "s", 0, type=type_, model="the-model", provider=provider, **fields)
    span.input = given if isinstance(given, str) else json.dumps(given)
    made = repeat.call(span)
    assert made is not None
    return made


def arguments(script: str) -> list[str]:
    """Return the arguments that a shell would give to curl."""
    shown = 'curl() { for one in "$@"; do printf \'%s\\0\' "$one"; done; }\n' + script
    environment = {"OPENAI_API_KEY": "key", "ANTHROPIC_API_KEY": "key", "OPENAI_BASE_URL": "http://own.example/v1"}
    ran = subprocess.run(["bash", "-c", shown], env=environment, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return ran.stdout.split("\0")[:-1]


def request_of(program: str) -> Any:
    """Return the literal that a Python program sends."""
    [found] = [
        node
        for node in ast.parse(program).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "request"
    ]
    return ast.literal_eval(found.value)


def test_a_chat_is_sent_to_openai_as_it_was() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image_url", "image_url": {"url": "https://e.example/i.png"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "Clear."},
    ]
    made = call(
        {"messages": messages, "tools": [{"type": "function", "function": TOOL}]},
        model_parameters={"temperature": 0.2, "stream": True, "max_tokens": 5, "home.made": 1},
    )
    sent = arguments(repeat.curl(made))
    assert sent[0] == "https://api.openai.com/v1/chat/completions"
    assert "Authorization: Bearer key" in sent
    body = json.loads(sent[-1])
    assert body == {
        "model": "the-model",
        "messages": messages,
        "temperature": 0.2,
        "max_tokens": 5,
        "tools": [{"type": "function", "function": TOOL}],
    }
    assert request_of(repeat.python(made)) == body
    assert "client.chat.completions.create(**request)" in repeat.python(made)
    assert repeat.python(made).startswith("# Recorded, but not sent again: home.made\n")


def test_anthropic_gets_its_own_messages() -> None:
    made = call(
        {
            "system": "Be brief.",
            "messages": [
                {"role": "user", "content": "Hi"},
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "c", "name": "weather", "input": {"city": "Paris"}}],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "Clear."}]},
            ],
            "tools": [{"name": "weather", "description": "Tells it", "input_schema": TOOL["parameters"]}],
        },
        "anthropic",
    )
    sent = arguments(repeat.curl(made))
    assert sent[0] == "https://api.anthropic.com/v1/messages"
    assert {"x-api-key: key", "anthropic-version: 2023-06-01"} <= set(sent)
    body = json.loads(sent[-1])
    assert body["system"] == "Be brief."
    assert body["max_tokens"] == repeat.MAX_TOKENS
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"] == [
        {"type": "tool_use", "id": "c", "name": "weather", "input": {"city": "Paris"}}
    ]
    assert body["messages"][2]["content"] == [{"type": "tool_result", "tool_use_id": "c", "content": "Clear."}]
    assert body["tools"][0]["input_schema"] == TOOL["parameters"]
    assert "client.messages.create(**request)" in repeat.python(made)


def test_responses_keep_their_items() -> None:
    items = [{"role": "user", "content": "Hi"}, {"type": "function_call_output", "call_id": "c", "output": "Clear."}]
    made = call({"instructions": "Be brief.", "input": items})
    assert (made.path, made.body) == ("/responses", {"model": "the-model", "input": items, "instructions": "Be brief."})


def test_an_embedding_sends_its_texts() -> None:
    assert call("some text", type_="embedding").body == {"model": "the-model", "input": ["some text"]}


def test_a_key_is_sent_to_no_address_that_a_span_names() -> None:
    made = call("Hi", "somebody", server_address="evil.example", attributes={"server.address": "evil.example"})
    assert arguments(repeat.curl(made))[0] == "http://own.example/v1/chat/completions"
    assert "evil" not in repeat.curl(made) + repeat.python(made)
    ast.parse(repeat.python(made))


@pytest.mark.parametrize("provider", ["openai", "anthropic", "nobody", HOSTILE])
def test_nothing_gets_out_of_its_quotes(provider: str) -> None:
    given = [{"role": HOSTILE, "content": HOSTILE}, {"role": "user", "content": HOSTILE, "name": HOSTILE}]
    made = call(given, provider, model_parameters={"stop": HOSTILE, HOSTILE: HOSTILE})
    script, program = repeat.curl(made), repeat.python(made)
    assert script.isascii()
    assert json.loads(arguments(script)[-1]) == request_of(program) == made.body
    for text in (script, program):
        assert not {"\x1b", "\u202e", "\x00", "\ud800"} & set(text)
        text.encode()


@given(st.text(max_size=60))
def test_any_text_stays_a_literal(text: str) -> None:
    made = call([{"role": "user", "content": text}], model_parameters={"stop": text})
    assert request_of(repeat.python(made)) == made.body


def test_what_is_no_call_cannot_be_repeated() -> None:
    assert repeat.call(Span("t", "s", 0, type="tool", model="m", input="x")) is None
    assert repeat.call(Span("t", "s", 0, type="generation", input="x")) is None
    assert repeat.call(Span("t", "s", 0, type="generation", model="m")) is None
