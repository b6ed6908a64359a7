"""Lines of Maxim's commit log as pieces: the grammar, every entity and action, every SDK's spellings, and lines that are none."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genscope.model import Attachment, Entity, Patch, Pieces, Score, piece
from genscope.receive import maxim
from genscope.receive.errors import TooLarge
from genscope.receive.maxim.actions import ACTIONS

NOW = 1_800_000_000_000_000_000
#: 2026-11-21T02:54:30Z
START = 1_795_229_670_000_000_000
AT = '"startTimestamp":"2026-11-21T02:54:30Z"'
UNTOLD = asdict(piece())
#: What every piece says of a trace, and of another thing that is made.
OF_TRACE = {"type": "span", "type_rule": "maxim trace", "level": "DEFAULT", "protocol": "maxim", "is_root": True}


def decode(*lines: str | bytes, max_value_bytes: int = 16 << 20) -> Pieces:
    body = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    return maxim.decode(body, repository="r", now=NOW, max_value_bytes=max_value_bytes)


def told(patch: Patch) -> dict[str, Any]:
    """What a piece says of its span."""
    return {name: value for name, value in asdict(patch.span).items() if value != UNTOLD[name]}


def only(*lines: str | bytes) -> Patch:
    """The piece that one line about a thing makes."""
    pieces = decode(*lines)
    assert pieces.rejected == []
    (patch,) = pieces.patches
    return patch


def entity(kind: str, id_: str) -> Entity:
    return Entity(kind, id_, "r")


# --- the grammar ------------------------------------------------------------------------------------------------------


def test_lines_are_split_at_newlines_alone() -> None:
    """JavaScript and Java leave U+2028 and U+2029 in texts, and carriage returns are no ends of lines either."""
    pieces = decode('trace{id=t,action=update,data={"input":"a\u2028b\u2029c\u0085d"}}\r', "", "  ", "")
    assert pieces.rejected == []
    assert [patch.span.input for patch in pieces.patches] == ["a\u2028b\u2029c\u0085d"]


def test_the_data_end_at_the_last_brace() -> None:
    patch = only('trace{id=t,action=update,data={"input":"}{id=x,action=end,data={}}","tags":{"a":"}"}}}')
    assert patch.span.input == "}{id=x,action=end,data={}}"
    assert patch.span.tags == ["a:}"]


@pytest.mark.parametrize("identity", ["a,b", "a,action", "ä ö", "{}", "a=b", "a/b", "../x", "x" * 512, "'; DROP TABLE"])
def test_ids_may_be_anything(identity: str) -> None:
    assert only(f"span{{id={identity},action=update,data={{}}}}").entity == entity("span", identity)


def test_names_may_be_numbers() -> None:
    """JavaScript takes any value that looks like an id, and writes it as a text before the data and as it is in them."""
    made = decode('trace{id=7,action=add-span,data={"id":8,"name":9}}').patches[0]
    assert (made.entity, made.parent, made.span.name) == (entity("span", "8"), entity("trace", "7"), "9")


def test_half_pairs_of_surrogates_and_nan_are_no_reason_to_lose_a_line() -> None:
    patch = only('trace{id=t,action=update,data={"input":"cut \\ud83d","output":"\\ud83d\\ude00","x":NaN}}')
    assert (patch.span.input, patch.span.output) == ("cut \ufffd", "😀")
    assert patch.span.attributes == {"x": "NaN"}
    assert only(b'trace{id=t,action=update,data={"input":"\xff"}}').span.input == "\ufffd"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("hello", "not of the form"),
        ("trace{id=t,action=create,data={}", "no JSON"),
        ("trace{id=t,data={}}", "not of the form"),
        ("trace id=t,action=create,data={}}", "not of the form"),
        ("trace{id=t,action=create,data={]}", "no JSON"),
        ("trace{id=t,action=create,data=}", "no JSON"),
        ("trace{id=,action=create,data={}}", "an id is missing"),
        (f"trace{{id={'x' * 513},action=create,data={{}}}}", "longer than 512"),
        (b"trace{id=\xff,action=create,data={}}", "not UTF-8"),
        ("trace{id=t,action=fly,data={}}", "'fly' are no entity and action"),
        ("planet{id=t,action=create,data={}}", "'planet'"),
        ("storage{id=t,action=create,data={}}", "no entity and action"),
        ("trace{id=t,action=create,data=[]}", "no JSON object"),
        ('trace{id=t,action=create,data={"name":[7]}}', "[7] stands where a text"),
        ('trace{id=t,action=create,data={"name":true}}', "true stands where a text"),
        ('trace{id=t,action=create,data={"tags":["a"]}}', "where an object"),
        ('trace{id=t,action=update,data={"metadata":"x"}}', "where an object"),
        ('trace{id=t,action=update,data={"metrics":{"a":[1]}}}', "where a number"),
        ('trace{id=t,action=create,data={"startTimestamp":"yesterday"}}', "no time"),
        ('trace{id=t,action=create,data={"startTimestamp":"1969-01-01T00:00:00Z"}}', "no time"),
        ('trace{id=t,action=create,data={"startTimestamp":1e300}}', "no time"),
        ('trace{id=t,action=create,data={"startTimestamp":true}}', "no time"),
        ("trace{id=t,action=add-span,data={}}", "an id is missing"),
        ('trace{id=t,action=add-span,data={"id":5.5}}', "no text"),
        ('trace{id=t,action=add-span,data={"id":true}}', "no text"),
        ('trace{id=t,action=add-feedback,data={"metadata":{}}}', "neither a score nor a comment"),
        ('generation{id=g,action=update,data={"messages":[1]}}', "where messages"),
        ('generation{id=g,action=update,data={"modelParameters":[]}}', "where an object"),
        ('trace{id=t,action=add-attachment,data={"id":"a","type":"file","key":"other/x"}}', "does not begin with r/"),
        ('trace{id=t,action=add-attachment,data={"id":"a","type":"file","key":"r/../x"}}', "does not begin with r/"),
        ('storage{id=s,action=process-large-log,data={"key":"r/other/x"}}', "does not begin with r/large-logs/"),
        (f"trace{{id=t,action=update,data={'[' * 600}{']' * 600}}}", "nests too deeply"),
        (f"trace{{id=t,action=update,data={'[' * 90_000}{']' * 90_000}}}", "nests too deeply"),
    ],
)
def test_a_bad_line_is_kept_with_its_reason_beside_good_ones(line: str | bytes, reason: str) -> None:
    good = f'trace{{id=good,action=create,data={{"name":"n",{AT}}}}}'
    pieces = decode(good, line, good.replace("good", "also"))
    assert [patch.entity.id for patch in pieces.patches] == ["good", "also"]
    (rejected,) = pieces.rejected
    assert reason in rejected.reason
    assert rejected.reason.startswith("Maxim log, line 2: ")
    sent = line if isinstance(line, bytes) else line.encode()
    assert rejected.payload == sent[:4096].decode(errors="replace")


def test_what_is_rejected_is_named() -> None:
    pieces = decode("trace{id=t,action=create,data=[]}", "span{id=s,action=end,data=[]}", "x")
    named = [(rejected.trace_id, rejected.span_id, rejected.name) for rejected in pieces.rejected]
    assert sorted(named) == [("", "", ""), ("", "s", "span end"), ("t", "", "trace create")]


def test_nothing_of_a_rejected_line_is_taken() -> None:
    pieces = decode('trace{id=t,action=add-span,data={"id":"s","metrics":{"a":1},"tags":7}}')
    assert (pieces.patches, pieces.scores, len(pieces.rejected)) == ([], [], 1)


def test_too_many_lines_are_refused() -> None:
    with pytest.raises(TooLarge, match="100000 are the limit"):
        maxim.decode(b"x\n" * 100_001, repository="r", now=NOW, max_value_bytes=1 << 20)


def test_long_texts_are_cut_and_say_so() -> None:
    line = f'trace{{id=t,action=update,data={{"input":"{"x" * 5000}","name":"short"}}}}'
    (patch,) = decode(line, max_value_bytes=1000).patches
    assert patch.span.input == "x" * 1000 + "…[genscope: truncated, 5000 bytes]"
    assert patch.span.name == "short"


KEYS = st.sampled_from(
    ["id", "name", "tags", "metadata", "metrics", "startTimestamp", "endTimestamp", "timestamp", "input", "output",
     "sessionId", "model", "provider", "messages", "modelParameters", "maximPromptId", "result", "error", "cost",
     "docs", "args", "key", "type", "url", "mimeType", "size", "score", "comment", "choices", "message", "usage",
     "text", "value", "content", "role", "code", "evaluators", "x"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
LINES = st.builds(
    lambda pair, id_, data: f"{pair[0]}{{id={id_},action={pair[1]},data=".encode() + dumps(data) + b"}",
    st.sampled_from(sorted(ACTIONS)),
    st.text(max_size=5).map(lambda text: text.encode(errors="replace").decode()),
    st.dictionaries(KEYS, JSON, max_size=6) | JSON,
)


def dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # larger integers, and halves of surrogate pairs
        return b"{}"


@given(st.lists(LINES | st.binary(max_size=40), max_size=6))
def test_whatever_a_line_says_it_becomes_a_piece_or_is_rejected(lines: list[bytes]) -> None:
    good = f'trace{{id=the-good,action=create,data={{"name":"n",{AT}}}}}'
    pieces = decode(*lines, good)
    assert any(patch.entity.id == "the-good" and patch.span.name == "n" for patch in pieces.patches)
    for patch in pieces.patches:
        orjson.dumps(asdict(patch.span), default=str)
    for score in pieces.scores:
        assert score.value is not None or score.string_value is not None


# --- orders and times -------------------------------------------------------------------------------------------------


def test_results_beat_updates_and_updates_beat_creations() -> None:
    pieces = decode(
        'generation{id=g,action=add-cost,data={"cost":{"total":1}}}',
        'generation{id=g,action=result,data={"result":{}}}',
        'generation{id=g,action=update,data={"model":"m"}}',
        'generation{id=g,action=update,data={"model":"n"}}',
        'trace{id=t,action=add-generation,data={"id":"g"}}',
    )
    orders = [patch.order for patch in pieces.patches if patch.entity.id == "g"]
    cost, result, update, later, creation = orders
    assert creation < update < later < result < cost
    assert later - update == 1


@pytest.mark.parametrize(
    ("sent", "nanoseconds"),
    [
        ('"2026-11-21T02:54:30.979325+00:00"', START + 979_325_000),
        ('"2026-11-21T02:54:30+00:00"', START),
        ('"2026-11-21T02:54:30.861Z"', START + 861_000_000),
        ('"2026-11-21T02:54:30.800807619Z"', START + 800_807_619),
        ('"2026-11-21T02:54:30.80080761Z"', START + 800_807_610),
        ('"2026-11-21T02:54:30.8Z"', START + 800_000_000),
        ('"2026-11-21T02:54:30"', START),
        ('"2026-11-21T02:54:30.5"', START + 500_000_000),
        ('"2026-11-21T04:54:30.5+02:00"', START + 500_000_000),
        ("1795229670123", START + 123_000_000),
        ("1795229670123.5", START + 123_500_000),
    ],
)
def test_times(sent: str, nanoseconds: int) -> None:
    assert only(f'trace{{id=t,action=create,data={{"startTimestamp":{sent}}}}}').span.start_time == nanoseconds
    assert only(f'trace{{id=t,action=end,data={{"endTimestamp":{sent}}}}}').span.end_time == nanoseconds


# --- traces and spans -------------------------------------------------------------------------------------------------


def test_a_trace() -> None:
    patch = only(
        f'trace{{id=t,action=create,data={{"id":"t","name":"n","tags":{{"a":"b","c":null}},{AT},"sessionId":"s","input":"i",'
        '"output":{"o":1},"extra":[1],"none":null}}'
    )
    assert patch.entity == entity("trace", "t")
    assert patch.parent is None
    assert told(patch) == OF_TRACE | {
        "name": "n",
        "trace_name": "n",
        "tags": ["a:b"],
        "start_time": START,
        "session_id": "s",
        "input": "i",
        "output": '{"o":1}',
        "attributes": {"extra": [1]},
    }


def test_metadata_of_a_trace_are_its_own_and_the_span_s() -> None:
    patch = only(
        'trace{id=t,action=update,data={"metadata":{"plan":"{\\"seats\\": 3}","n":"5","f":"1.5","list":"[1, 2]","yes":"true",'
        '"text":"u1","empty":"","id":"00123","long":"12345678901234567890123","e":"1e3","null":"null","raw":{"a":1},'
        '"quoted":"\\"q\\""}}}'
    )
    assert patch.span.metadata == {
        "plan": {"seats": 3},
        "n": 5,
        "f": 1.5,
        "list": [1, 2],
        "yes": True,
        "text": "u1",
        "empty": "",
        "id": "00123",
        "long": "12345678901234567890123",
        "e": "1e3",
        "null": "null",
        "raw": {"a": 1},
        "quoted": "q",
    }
    assert patch.span.trace_metadata == patch.span.metadata


def test_whatever_is_in_a_trace_makes_it_be_there_from_then_on() -> None:
    pieces = decode(
        'trace{id=t,action=add-span,data={"id":"late","startTimestamp":"2026-11-21T02:54:31Z"}}',
        f'trace{{id=t,action=add-span,data={{"id":"early",{AT}}}}}',
    )
    late, root, early = pieces.patches
    assert told(root) == OF_TRACE | {"start_time": START}
    assert root.entity == entity("trace", "t")
    assert (late.parent, early.parent) == (root.entity, root.entity)
    assert told(early) == {
        "type": "span",
        "type_rule": "maxim span",
        "level": "DEFAULT",
        "protocol": "maxim",
        "start_time": START,
    }


def test_a_parent_is_the_line_s_own_entity() -> None:
    patch = only(f'span{{id=p,action=add-span,data={{"id":"c","spanId":"p","name":null,"metadata":{{}},{AT}}}}}')
    assert (patch.entity, patch.parent) == (entity("span", "c"), entity("span", "p"))
    assert patch.span.attributes == {}


def test_the_input_of_a_span_is_its_text() -> None:
    assert only('span{id=s,action=update,data={"input":{"type":"text","value":"hi"}}}').span.input == "hi"
    assert (
        only('span{id=s,action=update,data={"input":{"type":"json","value":1}}}').span.input
        == '{"type":"json","value":1}'
    )


def test_java_ends_with_milliseconds_and_nulls() -> None:
    assert told(only('span{id=s,action=end,data={"originalData":"x","endTimestamp":1795229670123}}')) == {
        "type": "span",
        "protocol": "maxim",
        "end_time": START + 123_000_000,
        "attributes": {"originalData": "x"},
    }
    assert told(only('span{id=s,action=end,data={"endTimestamp":null}}')) == {"type": "span", "protocol": "maxim"}
    assert told(only("span{id=s,action=end,data=null}")) == {"type": "span", "protocol": "maxim"}


# --- generations ------------------------------------------------------------------------------------------------------


def generation(data: str, action: str = "update") -> dict[str, Any]:
    return told(only(f"generation{{id=g,action={action},data={data}}}"))


def test_a_generation() -> None:
    pieces = decode(
        f'span{{id=s,action=add-generation,data={{"id":"g","name":"n","tags":{{}},{AT},"model":"gpt-4o","provider":"openai",'
        '"messages":[{"role":"user","content":"hi"}],"maximPromptId":"p","maximPromptVersionId":"v","spanId":"s",'
        '"modelParameters":{"temperature":"0.7","max_tokens":"100","top_p":"1.0","stop":"[\\"a\\", \\"b\\"]","stream":"false",'
        '"user":"bob","tools":"[{\\"type\\": \\"function\\", \\"function\\": {\\"name\\": \\"look_up\\"}}]"}}}'
    )
    (patch,) = pieces.patches
    tools = [{"type": "function", "function": {"name": "look_up"}}]
    assert told(patch) == {
        "type": "generation",
        "type_rule": "maxim generation",
        "level": "DEFAULT",
        "protocol": "maxim",
        "name": "n",
        "start_time": START,
        "model": "gpt-4o",
        "model_rule": "maxim model",
        "provider": "openai",
        "input": '[{"role":"user","content":"hi"}]',
        "prompt_name": "p",
        "prompt_version": "v",
        "model_parameters": {
            "temperature": 0.7,
            "max_tokens": 100,
            "top_p": 1,
            "stop": ["a", "b"],
            "stream": False,
            "user": "bob",
            "tools": tools,
        },
        "tools": ["look_up"],
        "attributes": {"model": "gpt-4o"},
    }


def test_native_parameters_stay_what_they_are() -> None:
    parameters = generation('{"modelParameters":{"temperature":0.7,"stop":["a"],"n":2.0,"none":null}}')[
        "model_parameters"
    ]
    assert parameters == {"temperature": 0.7, "stop": ["a"], "n": 2}


@pytest.mark.parametrize(
    ("sent", "provider"),
    [
        ("openai", "openai"),
        ("OpenAI", "openai"),
        ("aws", "aws.bedrock"),
        ("bedrock", "aws.bedrock"),
        ("azure", "azure.ai.openai"),
        ("vertex", "gcp.vertex_ai"),
        ("unknown", None),
    ],
)
def test_providers_have_the_names_that_they_have_over_otlp(sent: str, provider: str | None) -> None:
    span = generation(f'{{"provider":"{sent}"}}')
    assert span.get("provider") == provider
    assert span.get("attributes", {}) == ({} if sent == provider else {"provider": sent})


def test_messages_follow_those_that_are_there() -> None:
    patch = only('generation{id=g,action=update,data={"messages":[{"role":"user","content":"a"}],"name":"n"}}')
    assert patch.messages == [{"role": "user", "content": "a"}]
    assert (patch.span.input, patch.span.name) == (None, "n")


def test_a_result() -> None:
    span = generation(
        '{"result":{"id":"c","object":"chat.completion","created":1795230838598,"model":"gpt-4o-2024-08-06","service_tier":"flex",'
        '"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":'
        '{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls","logprobs":null}],"system_fingerprint":null,'
        '"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":40}},'
        '"cost":{"input":0.1,"output":0.2,"total":0.3}}}',
        "result",
    )
    usage = span["attributes"].pop("result.usage")
    assert usage["prompt_tokens_details"] == {"cached_tokens": 40}
    assert span == {
        "type": "generation",
        "protocol": "maxim",
        "model": "gpt-4o-2024-08-06",
        "model_rule": "maxim result.model",
        "output": '{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":'
        '{"name":"f","arguments":"{}"}}]}',
        "tool_calls": ["f"],
        "usage": {"input": 100, "output": 50, "total": 150, "input_cache_read": 40},
        "usage_rule": "maxim result.usage",
        "cost": {"input": Decimal("0.1"), "output": Decimal("0.2"), "total": Decimal("0.3")},
        "cost_source": "reported",
        "cost_rule": "maxim result.cost",
        "service_tier": "flex",
        "attributes": {
            "result.id": "c",
            "result.object": "chat.completion",
            "result.created": 1795230838,
            "result.model": "gpt-4o-2024-08-06",
            "result.service_tier": "flex",
            "result.choices": [{"index": 0, "finish_reason": "tool_calls"}],
        },
    }


ANSWER = '{"role":"assistant","content":"hi"}'


@pytest.mark.parametrize(
    ("result", "output"),
    [
        (f'{{"choices":[{{"message":{ANSWER}}}]}}', ANSWER),
        (f'{{"choices":[{{"message":[{ANSWER}]}}]}}', ANSWER),  # Java 1.1
        (f'{{"choices":[{{"messages":[{ANSWER}]}}]}}', ANSWER),  # Go 0.0.5, Java before 1.1
        (f'{{"choices":[{{"messages":[{ANSWER},{ANSWER}]}}]}}', f"[{ANSWER},{ANSWER}]"),
        (f'{{"choices":[{{"message":{ANSWER}}},{{"message":{ANSWER}}}]}}', f"[{ANSWER},{ANSWER}]"),
        ('{"choices":[{"text":"hi","index":0}]}', "hi"),
        ('{"object":"response","output":[{"type":"message","role":"assistant","content":[]}]}',
         '[{"type":"message","role":"assistant","content":[]}]'),
        ('{"content":[{"type":"text","text":"hi"}],"role":"assistant"}',
         '{"content":[{"type":"text","text":"hi"}],"role":"assistant"}'),
        ('"hi"', "hi"),
        ('{"choices":[{"index":0}]}', None),
    ],
)  # fmt: skip
def test_answers_in_every_shape(result: str, output: str | None) -> None:
    assert generation(f'{{"result":{result}}}', "result").get("output") == output


def test_usage_in_the_names_of_responses() -> None:
    result = '{"result":{"output":[],"usage":{"input_tokens":7,"output_tokens":5,"input_tokens_details":{"cached_tokens":2}}}}'
    assert generation(result, "result")["usage"] == {"input": 7, "output": 5, "total": 12, "input_cache_read": 2}


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("result", '{"result":{"error":{"message":"slow down","code":"429","type":"RateLimit"}}}'),
        ("error", '{"error":{"message":"slow down","code":"429","type":"RateLimit"}}'),
        ("update", '{"error":{"message":"slow down","code":"429","type":"RateLimit"}}'),
    ],
)
def test_errors_of_a_generation(action: str, data: str) -> None:
    span = generation(data, action)
    assert (span["level"], span["status_message"]) == ("ERROR", "slow down")
    assert span["attributes"] == {"error.code": "429", "error.type": "RateLimit"}
    assert "output" not in span


def test_a_cost_that_is_told_by_itself() -> None:
    span = generation('{"cost":{"input":0.001,"output":0.002,"total":0.003}}', "add-cost")
    assert span["cost"] == {"input": Decimal("0.001"), "output": Decimal("0.002"), "total": Decimal("0.003")}
    assert (span["cost_source"], span["cost_rule"]) == ("reported", "maxim cost")
    assert generation('{"cost":"much"}', "add-cost")["attributes"] == {"cost": "much"}


# --- tool calls and retrievals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["tool_call{id=c,action=create,data=%s}", "span{id=s,action=add-tool-call,data=%s}"])
def test_a_tool_call(line: str) -> None:
    data = (
        f'{{"id":"c","name":"get_weather","description":"d","args":"{{\\"loc\\": \\"SF\\"}}","tags":{{"t":"1"}},{AT}}}'
    )
    assert told(only(line % data)) == {
        "type": "tool",
        "type_rule": "maxim tool_call",
        "level": "DEFAULT",
        "protocol": "maxim",
        "name": "get_weather",
        "input": '{"loc": "SF"}',
        "tags": ["t:1"],
        "start_time": START,
        "attributes": {"description": "d"},
    }


@pytest.mark.parametrize(
    ("data", "output"),
    [
        ('{"result":"72F"}', "72F"),
        ('{"result":{"f":72}}', '{"f":72}'),
        ('"72F"', "72F"),  # Java's static methods
        ('{"f":72}', '{"f":72}'),
        ("72", "72"),
        ("null", None),
    ],
)
def test_results_of_tools(data: str, output: str | None) -> None:
    assert only(f"tool_call{{id=c,action=result,data={data}}}").span.output == output


@pytest.mark.parametrize(
    "data", ['{"error":{"message":"boom","code":"500"}}', '{"error":"boom"}', '"boom"', '{"message":"boom"}']
)
def test_errors_of_tools(data: str) -> None:
    span = only(f"tool_call{{id=c,action=error,data={data}}}").span
    assert (span.level, span.status_message) == ("ERROR", "boom")


def test_java_calls_an_error_a_tool_call() -> None:
    pieces = decode(f'trace{{id=t,action=add-tool-call,data={{"id":"e","message":"boom","type":"T",{AT}}}}}')
    (patch,) = pieces.patches
    assert (patch.entity.kind, patch.span.level, patch.span.status_message) == ("trace", "ERROR", "boom")


def test_a_retrieval() -> None:
    made = decode(f'trace{{id=t,action=add-retrieval,data={{"id":"r1","name":"kb",{AT}}}}}').patches[0]
    assert (made.entity, made.span.type, made.span.name) == (entity("retrieval", "r1"), "retriever", "kb")
    assert only('retrieval{id=r1,action=update,data={"input":"q"}}').span.input == "q"
    for action in ("update", "end"):
        span = only(
            f'retrieval{{id=r1,action={action},data={{"docs":["a","b"],"endTimestamp":"2026-11-21T02:54:30Z"}}}}'
        ).span
        assert (span.output, span.end_time) == ('["a","b"]', START)


# --- what is said of a thing ------------------------------------------------------------------------------------------


def test_an_event_is_a_span_without_a_duration() -> None:
    pieces = decode(
        'trace{id=t,action=add-event,data={"id":"e","name":"cache-miss","timestamp":"2026-11-21T02:54:30Z","tags":{"k":"v"},'
        '"metadata":{"d":"{\\"x\\": 1}"}}}'
    )
    event = pieces.patches[0]
    assert (event.entity, event.parent) == (entity("event", "e"), entity("trace", "t"))
    assert told(event) == {
        "type": "event",
        "type_rule": "maxim event",
        "level": "DEFAULT",
        "protocol": "maxim",
        "name": "cache-miss",
        "start_time": START,
        "end_time": START,
        "tags": ["k:v"],
        "metadata": {"d": {"x": 1}},
    }


def test_an_event_without_a_time_or_an_id() -> None:
    """Go tells no time and Java no id: it happened when the line before it did, and the line itself names it."""
    line = 'span{id=s,action=add-event,data={"name":"e"}}'
    before = f"trace{{id=t,action=create,data={{{AT}}}}}"
    event = decode(before, line).patches[-1]
    assert (event.span.start_time, event.span.end_time) == (START, START)
    assert decode(line).patches[0].span.start_time == NOW
    assert decode(line).patches[0].entity.id == event.entity.id
    assert decode(line.replace('"e"', '"f"')).patches[0].entity.id != event.entity.id


def test_several_errors_of_a_thing_unite() -> None:
    pieces = decode(
        f'span{{id=s,action=add-error,data={{"name":"E","tags":{{"e":"1"}},{AT},"message":"m","code":"1","errorType":"T"}}}}',
        f'span{{id=s,action=add-error,data={{"id":"e2",{AT}}}}}',
        f'span{{id=s,action=add-error,data={{"id":"e3","name":"Timeout",{AT}}}}}',
        'error{id=e2,action=update,data={"tags":{"late":"1"}}}',
    )
    assert pieces.rejected == []
    first, second, third = (patch.span for patch in pieces.patches)
    assert (first.level, first.status_message) == ("ERROR", "m")
    assert (second.level, second.status_message) == ("ERROR", None)
    # Go tells no message.
    assert (third.level, third.status_message) == ("ERROR", "Timeout")
    assert [*second.attributes] == ["errors.e2"]
    ((name, about),) = first.attributes.items()
    assert name.startswith("errors.")
    assert about == {
        "name": "E",
        "tags": {"e": "1"},
        "startTimestamp": "2026-11-21T02:54:30Z",
        "message": "m",
        "code": "1",
        "errorType": "T",
    }


def said(*lines: str) -> list[Score]:
    pieces = decode(*lines)
    assert pieces.rejected == []
    return [*pieces.scores, *(score for patch in pieces.patches for score in patch.scores)]


def test_feedback() -> None:
    (score,) = said('trace{id=t,action=add-feedback,data={"score":4,"comment":"ok","who":"bob","metadata":{"n":"5"}}}')
    assert (score.name, score.value, score.comment, score.source, score.data_type) == (
        "feedback",
        4,
        "ok",
        "FEEDBACK",
        "NUMERIC",
    )
    assert score.metadata == {"who": "bob", "n": 5}
    assert (score.protocol, score.repository, score.time) == ("maxim", "r", NOW)
    (later,) = said('trace{id=t,action=add-feedback,data={"score":1,"feedback":"bad"}}')
    assert (later.id, later.comment) == (score.id, "bad")
    (text,) = said('trace{id=t,action=add-feedback,data={"comment":"nice"}}')
    assert (text.data_type, text.value, text.string_value) == ("TEXT", None, "nice")
    (other,) = said('trace{id=u,action=add-feedback,data={"score":1}}')
    assert other.id != score.id


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ('{"ttft_ms":180.5,"tps":3}', [("ttft_ms", "NUMERIC", 180.5, None), ("tps", "NUMERIC", 3, None)]),
        ('{"name":"ms","value":12}', [("ms", "NUMERIC", 12, None)]),  # Python's of tool calls and retrievals
        ('{"name":1,"value":12}', [("name", "NUMERIC", 1, None), ("value", "NUMERIC", 12, None)]),
        ('{"ok":true,"grade":"A","none":null}', [("ok", "BOOLEAN", 1, None), ("grade", "CATEGORICAL", None, "A")]),
    ],
)
def test_metrics(metrics: str, expected: list[tuple[str, str, float | None, str | None]]) -> None:
    found = said(f'tool_call{{id=c,action=update,data={{"metrics":{metrics}}}}}')
    assert [(score.name, score.data_type, score.value, score.string_value) for score in found] == expected
    assert {score.source for score in found} == {"METRIC"}


def test_wishes_of_evaluators_unite() -> None:
    pieces = decode(
        'trace{id=t,action=evaluate,data={"with":"evaluators","evaluators":["a"],"timestamp":"2026-11-21T02:54:30Z"}}',
        'trace{id=t,action=evaluate,data={"with":"variables","variables":{"x":"1"},"evaluators":["a"]}}',
    )
    attributes = [attribute for patch in pieces.patches for attribute in patch.span.attributes.items()]
    assert len({name for name, _ in attributes}) == 2
    assert [value["with"] for _, value in attributes if isinstance(value, dict)] == ["evaluators", "variables"]


def test_a_session() -> None:
    pieces = decode(
        f'session{{id=s,action=create,data={{"id":"s","name":"chat","tags":{{"env":"dev"}},{AT}}}}}',
        'session{id=s,action=update,data={"metadata":{"plan":"{\\"seats\\": 3}"},"metrics":{"turns":3}}}',
        'session{id=s,action=add-feedback,data={"score":5}}',
        'session{id=s,action=add-event,data={"id":"e","name":"began"}}',
        'session{id=s,action=end,data={"endTimestamp":"2026-11-21T02:54:30Z"}}',
    )
    assert (pieces.patches, pieces.rejected) == ([], [])
    created, updated, rated, happened, ended = pieces.sessions
    assert (created.id, created.name, created.tags, created.start_time) == ("s", "chat", ["env:dev"], START)
    assert (created.repository, created.metadata) == ("r", {})
    assert updated.metadata == {"plan": {"seats": 3}}
    assert rated.id == "s"
    assert happened.metadata == {"event.e": {"id": "e", "name": "began"}}
    assert ended.end_time == START
    scores = [(score.name, score.value, score.session_id, score.trace_id) for score in pieces.scores]
    assert scores == [("turns", 3, "s", None), ("feedback", 5, "s", None)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            '{"id":"a","type":"file_data","mime_type":"image/png","tags":{"attach-to":"input"},"key":"r/x/a","mimeType":"image/png"}',
            {"key": "r/x/a", "mime_type": "image/png", "place": "input"},
        ),
        (
            '{"id":"a","type":"fileData","name":"a.png","mimeType":"image/png","tags":{"attachedTo":"output"},"key":"r/a","size":68}',
            {"key": "r/a", "mime_type": "image/png", "place": "output", "name": "a.png", "size": 68},
        ),
        (
            '{"id":"a","type":"url","url":"https://example.com/x","key":"r/a","mime_type":"application/pdf"}',
            {"url": "https://example.com/x", "mime_type": "application/pdf"},
        ),
        (
            '{"id":"a","type":"file","name":"s.py","key":"r/a","tags":{"a":"b"},"metadata":{"m":1}}',
            {"key": "r/a", "name": "s.py", "metadata": {"m": 1, "tags": {"a": "b"}}},
        ),
    ],
)
def test_attachments(data: str, expected: dict[str, Any]) -> None:
    pieces = decode(f"generation{{id=g,action=add-attachment,data={data}}}")
    assert pieces.rejected == []
    (attachment,) = pieces.attachments
    assert attachment == Attachment("a", entity("generation", "g"), NOW, **expected)


def test_an_attachment_of_a_trace_names_it() -> None:
    pieces = decode('trace{id=t,action=add-attachment,data={"id":"a","type":"url","url":"https://example.com"}}')
    assert pieces.attachments[0].trace_id == "t"
    assert [patch.entity.id for patch in pieces.patches] == ["t"]


def test_a_line_that_was_uploaded_needs_nothing_more() -> None:
    assert decode('storage{id=u,action=process-large-log,data={"key":"r/large-logs/u"}}') == Pieces()
