"""One conversation as every library records it, from attributes to messages: it must read the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genscope.conventions import to_span
from genscope.messages import conversation, described
from genscope.model import RawSpan, Resource, Scope

PNG, WAV, PDF = "iVBORw0KGgo=", "UklGRg==", "JVBERi0="
CITY, SKY = {"city": "Paris"}, {"sky": "clear"}

#: What was said: the instructions, a question with attachments, a thought and a call, its result, the answer.
SAID: list[tuple[str, list[dict[str, Any]]]] = [
    ("system", [{"type": "text", "text": "Be brief."}]),
    (
        "user",
        [
            {"type": "text", "text": "Is it sunny?"},
            {"type": "image", "mime_type": "image/png", "size": 8},
            {"type": "audio", "mime_type": "audio/wav", "size": 4},
            {"type": "file", "mime_type": "application/pdf", "size": 5, "name": "map.pdf"},
        ],
    ),
    (
        "assistant",
        [
            {"type": "reasoning", "text": "I must look."},
            {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": CITY},
        ],
    ),
    ("tool", [{"type": "tool_result", "id": "call_1", "name": "get_weather", "result": SKY}]),
    ("assistant", [{"type": "text", "text": "Clear."}]),
]


@dataclass
class Way:
    """How a library writes the five things said, each as a list of entries, and into which attributes they go."""

    said: Sequence[list[Any]]
    asked: Callable[[list[Any]], dict[str, Any]]
    answered: Callable[[list[Any]], dict[str, Any]]
    #: Parts that it has no way to write.
    lacks: frozenset[str] = field(default_factory=frozenset)
    scope: str = "tests"


def attribute(name: str) -> Callable[[list[Any]], dict[str, Any]]:
    return lambda said: {name: json.dumps(said)}


def within(name: str, key: str) -> Callable[[list[Any]], dict[str, Any]]:
    return lambda said: {name: json.dumps({key: said})}


def flat(prefix: str, wrapper: str = "") -> Callable[[list[Any]], dict[str, Any]]:
    """One attribute for each leaf."""

    def leaves(value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict | list):
            return {name: value}
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {place: leaf for key, one in items for place, leaf in leaves(one, f"{name}.{key}").items()}

    return lambda said: leaves([{wrapper: one} if wrapper else one for one in said], prefix)


INPUT, OUTPUT = "langfuse.observation.input", "langfuse.observation.output"
FUNCTION = {"name": "get_weather", "arguments": json.dumps(CITY)}
WAYS: dict[str, Way] = {
    "OpenAI chat": Way(
        [
            [{"role": "developer", "content": "Be brief."}],
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Is it sunny?"},
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                        {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}},
                        {
                            "type": "file",
                            "file": {"filename": "map.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
                        },
                    ],
                }
            ],
            [
                {
                    "role": "assistant",
                    "content": None,
                    "reasoning_content": "I must look.",
                    "tool_calls": [{"id": "call_1", "type": "function", "function": FUNCTION}],
                }
            ],
            [{"role": "tool", "tool_call_id": "call_1", "content": json.dumps(SKY)}],
            [{"role": "assistant", "content": "Clear."}],
        ],
        attribute(INPUT),
        lambda said: {OUTPUT: json.dumps({"choices": [{"index": 0, "message": one} for one in said]})},
    ),
    "OpenAI Responses": Way(
        [
            [],
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "Is it sunny?"},
                        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
                        {
                            "type": "input_file",
                            "filename": "map.pdf",
                            "file_data": f"data:application/pdf;base64,{PDF}",
                        },
                    ],
                }
            ],
            [
                {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "I must look."}]},
                {"type": "function_call", "id": "fc_1", "call_id": "call_1", **FUNCTION},
            ],
            [{"type": "function_call_output", "call_id": "call_1", "output": json.dumps(SKY)}],
            [
                {
                    "type": "message",
                    "id": "msg_1",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "Clear.", "annotations": []}],
                }
            ],
        ],
        lambda said: {INPUT: json.dumps({"model": "gpt-5", "instructions": "Be brief.", "input": said})},
        within(OUTPUT, "output"),
        lacks=frozenset({"audio"}),
    ),
    "Anthropic": Way(
        [
            [],
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Is it sunny?"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                        {
                            "type": "document",
                            "title": "map.pdf",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                        },
                    ],
                }
            ],
            [
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "I must look.", "signature": "sig"},
                        {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": CITY},
                    ],
                }
            ],
            [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "call_1",
                            "content": [{"type": "text", "text": json.dumps(SKY)}],
                        }
                    ],
                }
            ],
            [{"role": "assistant", "content": [{"type": "text", "text": "Clear."}]}],
        ],
        lambda said: {INPUT: json.dumps({"system": [{"type": "text", "text": "Be brief."}], "messages": said})},
        lambda said: {OUTPUT: json.dumps({"id": "msg_1", "type": "message", **said[0]})},
        lacks=frozenset({"audio"}),
    ),
    "Gemini": Way(
        [
            [],
            [
                {
                    "role": "user",
                    "parts": [
                        {"text": "Is it sunny?"},
                        {"inlineData": {"mimeType": "image/png", "data": PNG}},
                        {"inlineData": {"mimeType": "audio/wav", "data": WAV}},
                        {"inlineData": {"mimeType": "application/pdf", "data": PDF, "displayName": "map.pdf"}},
                    ],
                }
            ],
            [
                {
                    "role": "model",
                    "parts": [
                        {"text": "I must look.", "thought": True},
                        {"functionCall": {"id": "call_1", "name": "get_weather", "args": CITY}},
                    ],
                }
            ],
            [
                {
                    "role": "user",
                    "parts": [
                        {"functionResponse": {"id": "call_1", "name": "get_weather", "response": {"output": SKY}}}
                    ],
                }
            ],
            [{"role": "model", "parts": [{"text": "Clear."}]}],
        ],
        lambda said: {INPUT: json.dumps({"systemInstruction": {"parts": [{"text": "Be brief."}]}, "contents": said})},
        lambda said: {OUTPUT: json.dumps({"candidates": [{"content": one, "finishReason": "STOP"} for one in said]})},
    ),
    "Bedrock Converse": Way(
        [
            [],
            [
                {
                    "role": "user",
                    "content": [
                        {"text": "Is it sunny?"},
                        {"image": {"format": "png", "source": {"bytes": PNG}}},
                        {"audio": {"format": "wav", "source": {"bytes": WAV}}},
                        {"document": {"format": "pdf", "name": "map.pdf", "source": {"bytes": PDF}}},
                    ],
                }
            ],
            [
                {
                    "role": "assistant",
                    "content": [
                        {"reasoningContent": {"reasoningText": {"text": "I must look.", "signature": "sig"}}},
                        {"toolUse": {"toolUseId": "call_1", "name": "get_weather", "input": CITY}},
                    ],
                }
            ],
            [
                {
                    "role": "user",
                    "content": [
                        {"toolResult": {"toolUseId": "call_1", "content": [{"json": SKY}], "status": "success"}}
                    ],
                }
            ],
            [{"role": "assistant", "content": [{"text": "Clear."}]}],
        ],
        lambda said: {INPUT: json.dumps({"system": [{"text": "Be brief."}], "messages": said})},
        lambda said: {OUTPUT: json.dumps({"output": {"message": said[0]}, "stopReason": "end_turn"})},
    ),
    "gen_ai parts": Way(
        [
            [],
            [
                {
                    "role": "user",
                    "parts": [
                        {"type": "text", "content": "Is it sunny?"},
                        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PNG},
                        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": WAV},
                        {"type": "blob", "mime_type": "application/pdf", "content": PDF, "name": "map.pdf"},
                    ],
                }
            ],
            [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "I must look."},
                        {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": CITY},
                    ],
                    "finish_reason": "tool_call",
                }
            ],
            [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": SKY}]}],
            [{"role": "assistant", "parts": [{"type": "text", "content": "Clear."}], "finish_reason": "stop"}],
        ],
        lambda said: {
            "gen_ai.operation.name": "chat",
            "gen_ai.system_instructions": '[{"type": "text", "content": "Be brief."}]',
            "gen_ai.input.messages": json.dumps(said),
        },
        attribute("gen_ai.output.messages"),
    ),
    "OpenInference": Way(
        [
            [{"role": "system", "content": "Be brief."}],
            [
                {
                    "role": "user",
                    "contents": [
                        {"message_content": {"type": "text", "text": "Is it sunny?"}},
                        {
                            "message_content": {
                                "type": "image",
                                "image": {"image": {"url": f"data:image/png;base64,{PNG}"}},
                            }
                        },
                        {
                            "message_content": {
                                "type": "audio",
                                "audio": {"audio": {"url": f"data:audio/wav;base64,{WAV}", "mime_type": "audio/wav"}},
                            }
                        },
                    ],
                }
            ],
            [
                {
                    "role": "assistant",
                    "contents": [{"message_content": {"type": "reasoning", "text": "I must look."}}],
                    "tool_calls": [{"tool_call": {"id": "call_1", "function": FUNCTION}}],
                }
            ],
            [{"role": "tool", "tool_call_id": "call_1", "content": json.dumps(SKY)}],
            [{"role": "assistant", "content": "Clear."}],
        ],
        lambda said: {"openinference.span.kind": "LLM"} | flat("llm.input_messages", "message")(said),
        flat("llm.output_messages", "message"),
        lacks=frozenset({"file"}),
    ),
    "Traceloop": Way(
        [
            [{"role": "system", "content": "Be brief."}],
            [
                {
                    "role": "user",
                    "content": json.dumps(
                        [
                            {"type": "text", "text": "Is it sunny?"},
                            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                        ]
                    ),
                }
            ],
            [
                {"role": "thinking", "content": "I must look."},
                {
                    "role": "assistant",
                    "finish_reason": "tool_calls",
                    "tool_calls": [{"id": "call_1", **FUNCTION}],
                },
            ],
            [{"role": "tool", "tool_call_id": "call_1", "content": json.dumps(SKY)}],
            [{"role": "assistant", "finish_reason": "stop", "content": "Clear."}],
        ],
        lambda said: {"llm.request.type": "chat"} | flat("gen_ai.prompt")(said),
        flat("gen_ai.completion"),
        lacks=frozenset({"audio", "file"}),
    ),
    "Vercel AI SDK": Way(
        [
            [{"role": "system", "content": "Be brief."}],
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Is it sunny?"},
                        {"type": "file", "data": PNG, "mediaType": "image/png"},
                        {"type": "file", "data": WAV, "mediaType": "audio/wav"},
                        {"type": "file", "data": PDF, "mediaType": "application/pdf", "filename": "map.pdf"},
                    ],
                }
            ],
            [
                {
                    "role": "assistant",
                    "content": [
                        {"type": "reasoning", "text": "I must look."},
                        {"type": "tool-call", "toolCallId": "call_1", "toolName": "get_weather", "input": CITY},
                    ],
                }
            ],
            [
                {
                    "role": "tool",
                    "content": [
                        {
                            "type": "tool-result",
                            "toolCallId": "call_1",
                            "toolName": "get_weather",
                            "output": {"type": "json", "value": SKY},
                        }
                    ],
                }
            ],
            [{"role": "assistant", "content": "Clear."}],
        ],
        lambda said: {
            "operation.name": "ai.generateText.doGenerate",
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.id": "gpt-4o",
            "ai.prompt.messages": json.dumps(said),
        },
        lambda said: (
            {"ai.response.text": said[0]["content"]}
            if isinstance(said[0]["content"], str)
            else {"ai.response.toolCalls": json.dumps([{**said[0]["content"][1], "input": json.dumps(CITY)}])}
        ),
        scope="ai",
    ),
    "LangChain": Way(
        [
            [{"type": "system", "content": "Be brief."}],
            [
                {
                    "type": "human",
                    "content": [
                        {"type": "text", "text": "Is it sunny?"},
                        {"type": "image", "base64": PNG, "mime_type": "image/png"},
                        {"type": "audio", "base64": WAV, "mime_type": "audio/wav"},
                        {"type": "file", "base64": PDF, "mime_type": "application/pdf", "filename": "map.pdf"},
                    ],
                }
            ],
            [
                {
                    "type": "ai",
                    "content": "",
                    "additional_kwargs": {"reasoning_content": "I must look."},
                    "tool_calls": [{"name": "get_weather", "args": CITY, "id": "call_1", "type": "tool_call"}],
                }
            ],
            [{"type": "tool", "content": json.dumps(SKY), "tool_call_id": "call_1", "name": "get_weather"}],
            [{"type": "ai", "content": "Clear."}],
        ],
        lambda said: {
            "langsmith.span.kind": "llm",
            "gen_ai.prompt": json.dumps(
                {"messages": [[{"lc": 1, "type": "constructor", "kwargs": one} for one in said]]}
            ),
        },
        lambda said: {
            "gen_ai.completion": json.dumps({"generations": [[{"text": "", "message": {"kwargs": said[0]}}]]})
        },
    ),
}


def messages(text: str | None, role: str) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(one.role, [described(part) for part in one.parts]) for one in conversation(text, role)]


def expected(way: Way, said: list[tuple[str, list[dict[str, Any]]]]) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(role, [part for part in parts if part["type"] not in way.lacks]) for role, parts in said]


def spoken(way: Way, asked: slice, answered: int) -> Any:
    entries = [entry for said in way.said[asked] for entry in said]
    attributes = {
        "langfuse.observation.type": "generation",
        **way.asked(entries),
        **way.answered(way.said[answered]),
    }
    raw = RawSpan("1" * 32, "2" * 16, None, "call", 1, 2, attributes, Resource(), Scope(way.scope))
    return to_span(raw, 0)


@pytest.mark.parametrize("name", WAYS)
def test_a_conversation_reads_the_same_from_every_library(name: str) -> None:
    way = WAYS[name]
    span = spoken(way, slice(0, 4), 4)
    assert messages(span.input, "user") == expected(way, SAID[:4])
    assert messages(span.output, "assistant") == SAID[4:]
    assert span.tool_calls == []


@pytest.mark.parametrize("name", WAYS)
def test_a_call_of_a_tool_reads_the_same_from_every_library(name: str) -> None:
    way = WAYS[name]
    span = spoken(way, slice(0, 2), 2)
    parts = SAID[2][1] if name != "Vercel AI SDK" else SAID[2][1][1:]  # its attributes have the calls alone
    assert messages(span.output, "assistant") == [("assistant", parts)]
    assert span.tool_calls == ["get_weather"]


def test_what_is_no_conversation_stays_whole() -> None:
    for value in (
        {"ticket": 4711},
        {"output": [{"a": 1}], "score": 3},
        [1, 2],
        {"prompt": {"a": 1}},
        {"input": "x", "n": 1},
    ):
        assert messages(json.dumps(value), "input") == [("input", [{"type": "json", "value": value}])]
    assert messages("4711", "input") == [("input", [{"type": "text", "text": "4711"}])]
    assert messages(None, "input") == messages(" ", "input") == []


MEDIA: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"type": "image_url", "image_url": {"url": "https://example.org/cat.jpg"}},
        {"type": "image", "url": "https://example.org/cat.jpg"},
    ),
    ({"type": "file", "file": {"file_id": "file-1"}}, {"type": "file", "id": "file-1"}),
    (
        {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/v.mp4"}},
        {"type": "video", "mime_type": "video/mp4", "url": "gs://b/v.mp4"},
    ),
    (
        {"type": "uri", "modality": "video", "uri": "https://example.org/v"},
        {"type": "video", "url": "https://example.org/v"},
    ),
    (
        {"type": "image_url", "image_url": {"url": "@@@langfuseMedia:type=image/jpeg|id=1|source=base64_data_uri@@@"}},
        {
            "type": "image",
            "mime_type": "image/jpeg",
            "url": "@@@langfuseMedia:type=image/jpeg|id=1|source=base64_data_uri@@@",
        },
    ),
    (
        {"media": {"url": f"data:image/png;base64,{PNG}", "contentType": "image/png"}},
        {"type": "image", "mime_type": "image/png", "size": 8},
    ),
    (
        {"type": "image_generation_call", "result": PNG * 100_000, "status": "completed"},
        {"type": "image", "size": 899_999},
    ),
    (
        {"type": "image_url", "image_url": "data:image/svg+xml,%3Csvg/%3E"},
        {"type": "image", "mime_type": "image/svg+xml", "size": 10},
    ),
]


@pytest.mark.parametrize(("sent", "told"), MEDIA, ids=range(len(MEDIA)))
def test_media_are_described_and_not_repeated(sent: dict[str, Any], told: dict[str, Any]) -> None:
    assert messages(json.dumps([{"role": "user", "content": [sent]}]), "user") == [("user", [told])]


def test_an_image_that_a_tool_gave_is_described_as_well() -> None:
    given = [{"type": "text", "text": "A map"}, {"type": "image", "source": {"media_type": "image/png", "data": PNG}}]
    said = [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": given}]}]
    ((role, (part,)),) = messages(json.dumps(said), "user")
    assert role == "tool"
    assert part["result"] == [
        {"type": "text", "text": "A map"},
        {"type": "image", "mime_type": "image/png", "size": 8},
    ]


def test_a_request_and_an_answer_as_google_adk_keeps_them() -> None:
    contents = [{"role": "user", "parts": [{"text": "?"}]}]
    asked = {"model": "gemini", "config": {"system_instruction": "Be brief."}, "contents": contents}
    assert messages(json.dumps(asked), "user") == [
        ("system", [{"type": "text", "text": "Be brief."}]),
        ("user", [{"type": "text", "text": "?"}]),
    ]
    answered = {
        "content": {"role": "model", "parts": [{"function_call": {"name": "f", "args": {}}}]},
        "finish_reason": "STOP",
    }
    call: dict[str, Any] = {"type": "tool_call", "id": None, "name": "f", "arguments": {}}
    assert messages(json.dumps(answered), "assistant") == [("assistant", [call])]


def test_an_event_that_holds_its_message_as_text() -> None:
    choice = {"index": 0, "finish_reason": "stop", "message": json.dumps({"role": "assistant", "content": "Paris."})}
    assert messages(json.dumps(choice), "assistant") == [("assistant", [{"type": "text", "text": "Paris."}])]


def test_gaps_between_flattened_messages_are_nothing() -> None:
    said = [None, {"role": "user", "content": "?"}, None]
    assert messages(json.dumps(said), "user") == [("user", [{"type": "text", "text": "?"}])]


def test_results_and_words_in_one_message_are_two() -> None:
    content = [{"type": "tool_result", "tool_use_id": "c", "content": "ok"}, {"type": "text", "text": "Go on."}]
    assert messages(json.dumps([{"role": "user", "content": content}]), "user") == [
        ("tool", [{"type": "tool_result", "id": "c", "name": None, "result": "ok"}]),
        ("user", [{"type": "text", "text": "Go on."}]),
    ]


WORDS = st.sampled_from(
    [
        "role",
        "content",
        "parts",
        "type",
        "text",
        "tool_calls",
        "function",
        "name",
        "message",
        "messages",
        "image",
        "data",
        "media",
        "kwargs",
        "generations",
        "inputs",
        "tool_call",
        "functionCall",
        "toolResult",
        "message_content",
        "file",
    ]
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.sampled_from(["tool_use", "human", "data:,"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=30,
)


@given(TREES)
def test_whatever_was_recorded_becomes_messages(value: Any) -> None:
    for role, parts in messages(json.dumps(value), "user"):
        assert isinstance(role, str)
        assert all(part["type"] for part in parts)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"messages":[' * 5_000 + "]}" * 5_000,
        '{"message_content":' * 800 + "1" + "}" * 800,
        '[{"role":"user","content":' + "[" * 900 + "]" * 900 + "}]",
        '{"generations":' * 500 + "[]" + "}" * 500,
        json.dumps([{"role": "user", "content": "x"}] * 50_000),
    ],
    ids=["brackets", "wrappers", "contents", "lists", "objects", "50,000 messages"],
)
def test_depth_and_length_are_survived(text: str) -> None:
    assert messages(text, "user")
