from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genscope.store.previews import PREVIEW
from genscope.web.messages import MAX_MESSAGES, clip, conversation, pretty
from genscope.web.preview import CUT, preview

CALL = ("tool_call", "get_weather", "call_1", '{\n  "city": "Paris"\n}')


def shape(value: Any, role: str = "user") -> list[tuple[str, list[tuple[str, ...]]]]:
    text = value if isinstance(value, str) else json.dumps(value)
    return [
        (m.role, [(p.kind, p.name, p.id, p.text) if p.kind.startswith("tool") else (p.kind, p.text) for p in m.parts])
        for m in conversation(text, role)
    ]


ASKED = ("user", [("text", "Weather?")])
ANSWERED = ("assistant", [("text", "Clear.")])
ARGUMENTS = {"city": "Paris"}
CONVERSATIONS: dict[str, Any] = {
    "OpenAI chat": [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": json.dumps(ARGUMENTS)},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "Clear."},
    ],
    "OpenAI responses": [
        {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
        {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": json.dumps(ARGUMENTS)},
        {"type": "function_call_output", "call_id": "call_1", "output": "Clear."},
    ],
    "Anthropic": {
        "messages": [
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "call_1", "name": "get_weather", "input": ARGUMENTS}],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": [{"type": "text", "text": "Clear."}]}
                ],
            },
        ]
    },
    "OpenTelemetry": [
        {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": ARGUMENTS}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "Clear."}]},
    ],
    "Gemini": {
        "contents": [
            {"role": "user", "parts": [{"text": "Weather?"}]},
            {"role": "model", "parts": [{"functionCall": {"id": "call_1", "name": "get_weather", "args": ARGUMENTS}}]},
            {"role": "function", "parts": [{"functionResponse": {"id": "call_1", "response": "Clear."}}]},
        ]
    },
    "Bedrock": [
        {"role": "user", "content": [{"text": "Weather?"}]},
        {
            "role": "assistant",
            "content": [{"toolUse": {"toolUseId": "call_1", "name": "get_weather", "input": ARGUMENTS}}],
        },
        {"role": "user", "content": [{"toolResult": {"toolUseId": "call_1", "content": [{"text": "Clear."}]}}]},
    ],
    "AI SDK": [
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "tool-call", "toolCallId": "call_1", "toolName": "get_weather", "input": ARGUMENTS},
            ],
        },
        {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "call_1", "output": "Clear."}]},
    ],
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_tool_conversation_reads_the_same_from_every_library(name: str) -> None:
    (role, asked), (_, called), (_, result) = shape(CONVERSATIONS[name])
    assert (role, asked) == ASKED
    assert called == [CALL]
    assert [(part[0], part[2], part[3]) for part in result] == [("tool_result", "call_1", "Clear.")]


ANSWERS: dict[str, Any] = {
    "plain": "Clear.",
    "JSON string": '"Clear."',
    "message": {"role": "assistant", "content": "Clear."},
    "OpenAI choices": {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Clear."}}]},
    "OpenAI responses": {
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Clear."}]}]
    },
    "Anthropic message": {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Clear."}]},
    "Anthropic blocks": [{"type": "text", "text": "Clear."}],
    "Gemini": {"candidates": [{"content": {"role": "model", "parts": [{"text": "Clear."}]}}]},
    "OpenTelemetry": [{"role": "assistant", "parts": [{"type": "text", "content": "Clear."}], "finish_reason": "stop"}],
    "LangChain": {"type": "ai", "content": "Clear."},
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_reads_the_same_from_every_library(name: str) -> None:
    assert shape(ANSWERS[name], "assistant") == [ANSWERED]


def test_system_reasoning_refusal_and_images() -> None:
    png = "data:image/png;base64,iVBORw0KGgo="
    request = {
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": png}},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
                    {"type": "image_url", "image_url": {"url": "https://example.org/cat.jpg"}},
                    {"type": "image_url", "image_url": "data:image/svg+xml;base64,PHN2Zz4="},
                ],
            },
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "A cat."}],
            },
            {"role": "assistant", "content": "", "refusal": "No."},
        ],
    }
    system, user, assistant, refused = conversation(json.dumps(request), "user")
    assert (system.role, system.parts[0].text) == ("system", "Be brief.")
    assert [part.image for part in user.parts] == [png, png, "", ""]
    assert user.parts[2].text == "image · https://example.org/cat.jpg"
    assert user.parts[3].text.startswith("image · image/svg+xml · ")
    assert [(part.kind, part.text) for part in assistant.parts] == [("reasoning", "Hm."), ("text", "A cat.")]
    assert refused.parts[0].text == "No."


def test_anything_else_is_indented_json() -> None:
    assert shape({"ticket": 4711}) == [("user", [("json", '{\n  "ticket": 4711\n}')])]
    assert shape("[1, 2]") == [("user", [("json", "[\n  1,\n  2\n]")])]
    assert shape("{not json") == [("user", [("text", "{not json")])]
    assert shape('{"loss": NaN}') == [("user", [("json", '{\n  "loss": NaN\n}')])]
    assert shape("4711") == [("user", [("text", "4711")])]
    assert shape("  ") == []
    assert conversation(None, "user") == []


def test_what_is_shown_is_bounded() -> None:
    many = json.dumps([{"role": "user", "content": str(n)} for n in range(5_000)])
    messages = conversation(many, "user")
    assert len(messages) == MAX_MESSAGES + 1
    assert "4700 more" in messages[-1].parts[0].text
    long = json.dumps([{"role": "user", "content": "a" * 700}, {"role": "assistant", "content": "b" * 700}])
    shown, hidden = clip(conversation(long, "user"), 1000)
    assert hidden == 400
    assert [len(message.parts[0].text) for message in shown] == [700, 301]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"messages":' * 5_000, "[" * 3_000 + "]" * 3_000, '{"role":' * 900])
def test_deep_nesting_is_survived(text: str) -> None:
    assert conversation(text, "user")
    assert preview(text, "user")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
names = st.sampled_from(
    [
        "role",
        "content",
        "parts",
        "type",
        "text",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "input",
        "output",
        "choices",
        "message",
        "messages",
        "candidates",
        "contents",
        "data",
        "image_url",
        "source",
        "url",
        "thinking",
        "tool_call_id",
        "functionCall",
        "inlineData",
        "system",
        "summary",
    ]
) | st.text(max_size=3)
kinds = st.sampled_from(
    [
        "text",
        "image_url",
        "tool_use",
        "tool_result",
        "reasoning",
        "human",
        "user",
        "assistant",
        "tool",
        "message",
        "file",
    ]
)
trees = st.recursive(
    scalars | kinds,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5),
    max_leaves=25,
)


@given(trees)
def test_no_shape_is_fatal(value: Any) -> None:
    text = json.dumps(value)
    for message in conversation(text, "user"):
        assert isinstance(message.role, str)
        assert all(isinstance(part.text, str) and isinstance(part.name, str) for part in message.parts)
    assert isinstance(preview(text, "assistant"), str)
    assert isinstance(pretty(text), str)


def test_previews_say_what_was_asked_and_answered() -> None:
    chat = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where\nis it?"}])
    assert preview(chat, "user") == "Where is it?"
    assert preview(json.dumps(CONVERSATIONS["OpenAI chat"][1]), "assistant") == '→ get_weather({ "city": "Paris" })'
    assert preview('[{"role": "user", "content": "caf\\u00e9 and mo', "user") == "café and mo…"
    assert preview("x" * 1000, "user", 20) == "x" * 19 + "…"
    assert preview(None, "user") == ""


def cut(value: Any) -> str:
    """Return what the store keeps of a long input in a list."""
    text = json.dumps(value)
    assert len(text) > 3 * PREVIEW
    return text[:PREVIEW] + CUT + text[-PREVIEW:]


def test_previews_find_the_question_in_a_long_conversation() -> None:
    system = {"role": "system", "content": "You are the agent of a shop. " * 60}
    asked = {"role": "user", "content": 'Is the "Cairn" here?'}
    answered = {"role": "assistant", "content": "Yes."}
    called = {"role": "tool", "content": "x" * (PREVIEW - 20)}
    parts = {"role": "user", "parts": [{"type": "text", "content": "And today?"}]}
    assert preview(cut([asked, answered, system, asked]), "user") == 'Is the "Cairn" here?'
    assert preview(cut([system, asked, answered, parts]), "user") == "And today?"
    assert preview(cut([asked, system, called]), "user") == 'Is the "Cairn" here?'
    # The question begins in what was left out: its end is shown, not the system prompt.
    long = {"role": "user", "content": "word " * 100 + "so what?"}
    assert preview(cut([system, long]), "user", 600).endswith("so what?")
    assert preview(cut([system, long]), "user").startswith("…")
    assert preview(cut({"rows": [1.5] * 2000}), "user").startswith('{"rows"')
