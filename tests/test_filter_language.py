"""The filter language: what its texts mean, that they print back, and what the engine finds by them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genscope.model import Score, Span
from genscope.query.completion import Value, complete
from genscope.query.fields import TABLE, Field
from genscope.query.filter import AllOf, AnyOf, Condition, Filter, FilterError, Not, from_params
from genscope.query.language import MAX_LENGTH, has_term, joined, parse, term, with_term, without, write
from genscope.store import scores
from genscope.store.engine import Engine
from genscope.store.migrate import migrate
from genscope.store.reader import Reader
from genscope.store.rows import encode
from genscope.store.where import where
from genscope.web.addresses import listing
from genscope.web.state import State

DOCS = Path(__file__).parent.parent / "docs" / "filters.md"


# --- texts and conditions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("", ()),
        ("model:gpt-4o", (Condition("model", ("gpt-4o",)),)),
        ("model:(a OR b)", (Condition("model", ("a", "b")),)),
        ("level:error", (Condition("level", ("ERROR",)),)),
        ("user:alice", (Condition("user_id", ("alice",)),)),
        ("user_id:alice", (Condition("user_id", ("alice",)),)),
        ("-tag:test", (Not(Condition("tag", ("test",))),)),
        ("NOT tag:test", (Not(Condition("tag", ("test",))),)),
        ("--tag:test", (Condition("tag", ("test",)),)),
        ("model!=a", (Not(Condition("model", ("a",))),)),
        ("cost>$0.01", (Condition("total_cost", ("0.01",), ">"),)),
        ("latency >= 500ms", (Condition("latency", ("0.5",), ">="),)),
        ("latency<2m", (Condition("latency", ("120",), "<"),)),
        ("tokens>10k", (Condition("total_tokens", ("10000",), ">"),)),
        ("start_time>24h", (Condition("start_time", ("24h",), ">"),)),
        ("metadata.plan:pro", (Condition("any_metadata", ("pro",), key="plan"),)),
        ("metadata.a.b>3", (Condition("any_metadata_number", ("3",), ">", "a.b"),)),
        ('metadata."a b":x', (Condition("any_metadata", ("x",), key="a b"),)),
        ("score.good>0.5", (Condition("score_number", ("0.5",), ">", "good"),)),
        ("score.good:yes", (Condition("score", ("yes",), key="good"),)),
        ("name:draft*", (Condition("name", ("draft",), "starts with"),)),
        ('name:*"a b"*', (Condition("name", ("a b",), "contains"),)),
        ('name:"a*"', (Condition("name", ("a*",)),)),
        ("user:*", (Condition("user_id", (), "is not null"),)),
        ("refund", (Condition("text", ("refund",), "contains"),)),
        (r'"say \"hi\" \\ \n"', (Condition("text", ('say "hi" \\ \\n',), "contains"),)),
        ("input:refund", (Condition("input", ("refund",), "contains"),)),
        ("a AND b", (Condition("text", ("a",), "contains"), Condition("text", ("b",), "contains"))),
        ("model:a OR model:b", (AnyOf((Condition("model", ("a",)), Condition("model", ("b",)))),)),
        (
            "model:a level:DEBUG OR model:b",
            (
                AnyOf(
                    (AllOf((Condition("model", ("a",)), Condition("level", ("DEBUG",)))), Condition("model", ("b",))),
                ),
            ),
        ),
        ("(((model:a)))", (Condition("model", ("a",)),)),
        ("start_time>=2026-01-01T12:30", (Condition("start_time", ("2026-01-01T12:30",), ">="),)),
    ],
)
def test_what_a_text_means(text: str, conditions: tuple[object, ...]) -> None:
    assert parse(text) == conditions
    assert parse(write(parse(text))) == conditions


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("model:", 7, "a value"),
        ("model: x", 6, "right behind the colon"),
        ("level:foo", 7, "DEBUG, DEFAULT, WARNING, ERROR"),
        ("cost>abc", 6, "US dollars"),
        ("model:gpt-4o cost>abc", 19, "US dollars"),
        ("latency>2x", 9, "2s or 500ms"),
        ("latency>2*", 9, "2s or 500ms"),
        ("tokens>$3", 8, "10k"),
        ("tokens>1e99999", 8, "count"),
        (f"tokens>{'9' * 400}", 8, "smaller"),
        ("foo:bar", 1, "no field 'foo'"),
        ("usr:bar", 1, "did you mean user?"),
        ("12:30", 3, "in quotes"),
        ("a OR", 5, "ends here"),
        ("OR a", 1, "before OR"),
        ("a) b", 2, "another condition"),
        ("(a", 3, "closing )"),
        ("()", 2, "phrase"),
        ("-", 1, "letter or digit"),
        ('"..."', 1, "letter or digit"),
        ('a "b', 3, "not closed"),
        ('model:"b', 7, "not closed"),
        ("name>3", 5, "no order"),
        ("model:a*b", 8, "beginning or the end"),
        ("input:*a*", 7, "whole"),
        ("metadata:x", 9, "a key after metadata"),
        ("model.x:y", 6, "has no keys"),
        ("start_time:today", 11, "> or <"),
        ("start_time>today", 12, "2026-01-01"),
        ("a >", 4, "a value"),
        (f"{'(a OR (b ' * 30}c{'))' * 30}", 1, "nest 20 deep"),
        (f"model:({' OR '.join('abcdefghij'[i % 10] + str(i) for i in range(101))})", 1, "100 conditions"),
        ("x" * (MAX_LENGTH + 1), MAX_LENGTH + 1, "4,000 characters"),
    ],
)
def test_errors_say_where_and_what_was_expected(text: str, column: int, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert said in str(caught.value)
    if "nest" not in said:
        assert caught.value.column == column
        assert caught.value.pointed().splitlines()[1] == " " * (column - 1) + "^"


#: Texts that are nearly filters.
NEAR = st.lists(
    st.sampled_from(
        [
            *(
                "model",
                "user",
                "cost",
                "metadata.x",
                "score.y",
                "start_time",
                "input",
                "tag",
                "level",
                "nope",
                "a",
                "gpt-4o",
            ),
            *(
                ":",
                ">",
                "<=",
                "!=",
                "=",
                "*",
                "(",
                ")",
                " ",
                " ",
                "OR",
                " OR ",
                "NOT ",
                "AND ",
                "-",
                '"',
                '"b c"',
                "\\",
            ),
            *("0.5", "2s", "24h", "10k", "$1", "ERROR", "2026-01-01", "é", "退款", "\n", "\x00", "'", "!", "."),
        ]
    ),
    max_size=14,
).map("".join)


@settings(max_examples=400, deadline=None)
@given(st.one_of(NEAR, st.text(max_size=60)))
@example("(" * 2000)
@example("-" * 3999 + "a")
@example('"' * 4000)
def test_any_text_is_a_filter_that_prints_back_or_an_error_with_a_place(text: str) -> None:
    try:
        conditions = parse(text)
    except FilterError as error:
        problem = error
    else:
        assert parse(write(conditions)) == conditions
        assert parse(str(Filter(conditions=conditions))) == conditions
        return
    assert problem.column is not None
    assert 1 <= problem.column <= len(text) + 1
    assert problem.pointed().endswith("^")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["model", "user_id", "name", "tag", "metadata.a b", "metadata.plan"]), st.text())
def test_a_term_means_its_value_whatever_it_holds(field: str, value: str) -> None:
    written = term(field, value)
    (condition,) = parse(written)
    assert isinstance(condition, Condition)
    assert condition.values == (value,)
    assert condition.key == field.partition(".")[2]
    assert has_term(written, field, value)
    assert without(with_term("cost>1", field, value), field, value) == "cost>1"


def test_terms_are_added_and_taken_away() -> None:
    assert with_term("", "model", "gpt-4o") == "model:gpt-4o"
    assert with_term("model:gpt-4o cost>1", "model", "o3") == "model:(gpt-4o OR o3) cost>1"
    assert with_term("model:o3", "model", "o3") == "model:o3"
    assert with_term("model:a OR model:b", "level", "ERROR") == "(model:a OR model:b) level:ERROR"
    assert without("model:(a OR b) x", "model", "a") == "model:b x"
    assert without("model:a -model:b x", "model") == "x"
    assert without("-model:a", "model", "a") == "-model:a"
    assert not has_term("-model:a", "model", "a")
    assert joined("a OR b", "", "model:c") == "(a OR b) model:c"
    assert joined("a OR b") == "a OR b"
    assert joined('model:(a OR b) "x OR y"', "level:ERROR") == 'model:(a OR b) "x OR y" level:ERROR'


def test_alternatives_stay_together_when_a_link_or_a_parameter_asks_for_more() -> None:
    pairs = [("q", "model:a OR model:b"), ("user_id", "alice"), ("tag", "x"), ("tag", "y")]
    assert State.read("/traces", pairs).q == "(model:a OR model:b) user:alice tag:(x OR y)"
    assert set(State.read("/traces", pairs).filter().conditions) == set(from_params(pairs).conditions)
    assert parse_qs(urlsplit(listing("traces", "model:a OR model:b", user="alice")).query) == {
        "q": ["(model:a OR model:b) user:alice"]
    }


def test_parameters_and_a_text_all_hold() -> None:
    filter = from_params([("q", "cost>1 a"), ("model", "o3"), ("model", "o4"), ("from", "2026-01-01"), ("limit", "5")])
    assert filter.start == 1_767_225_600_000_000_000
    assert str(filter) == "model:(o3 OR o4) cost>1 a"
    assert filter.names(["total_cost"])
    assert not filter.names(["level"])
    assert str(filter.without("model")) == "cost>1 a"


# --- completion ---------------------------------------------------------------------------------------------------------


def values(field: Field, key: str, prefix: str) -> Sequence[Value]:
    known = {"model": ["gpt-4o", "gpt 5", "claude"], "metadata": ["pro"] if key else ["plan", "a b"], "score": ["good"]}
    return [(value, 3) for value in known.get(field.name, []) if value.startswith(prefix)]


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("mod", ["model:"]),
        ("a -mod", ["model:"]),
        ("user_", ["user:"]),
        ("level:e", ["ERROR"]),
        ("model:g", ["gpt-4o", '"gpt 5"']),
        ('model:"gpt', ["gpt-4o", '"gpt 5"']),
        ("model:(claude OR g", ["gpt-4o", '"gpt 5"']),
        ("metadata.", ["metadata.plan:", 'metadata."a b":']),
        ("metadata.plan:", ["pro"]),
        ('"a b" cost', ["cost>", "cost_source:", "cost_missing:"]),
        ('"mod', []),
        ("cost>", []),
        ("nope:", []),
    ],
)
def test_what_may_come_next(text: str, texts: list[str]) -> None:
    found = complete(text, len(text), values)
    assert [one.text for one in found][: len(texts)] == texts
    assert bool(found) == bool(texts)
    assert all(one.end == len(text) for one in found)


@settings(max_examples=200, deadline=None)
@given(NEAR, st.integers(-2, 80))
def test_completion_bears_any_text(text: str, position: int) -> None:
    for one in complete(text, position, values):
        assert 0 <= one.start <= one.end <= len(text)


# --- what the engine finds ----------------------------------------------------------------------------------------------

START = 1_790_000_000_000_000_000


def piece(id_: str, /, protocol: str = "otlp", **fields: Any) -> Span:
    return Span(f"t{id_}", id_, START + int(id_[1:]) * 1_000_000_000, protocol=protocol, **fields)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    engine = Engine(
        tmp_path_factory.mktemp("store"),
        memory_bytes=2 << 30,
        query_memory_bytes=1 << 30,
        query_seconds=30,
        connections=2,
    )
    migrate(engine)
    # No merges: what comes in pieces must be found while it lies in pieces.
    engine.command("SYSTEM STOP MERGES spans")
    second = 1_000_000_000
    rows = [
        piece(
            "s1",
            type="generation",
            name="draft-reply",
            model="gpt-4o",
            level="ERROR",
            status_message="no answer in time",
        ),
        piece("s1", input='[{"role": "user", "content": "The Refund\\npolicy, please"}]', output="We refund it."),
        piece("s1", cost={"total": Decimal("0.02")}, usage={"input": 12_000, "output": 10, "input_cache_read": 9000}),
        piece("s1", start_time=START + second, end_time=START + 4 * second, completion_start_time=START + 2 * second),
        piece("s2", type="tool", name="look up", model="o3", tags=["test", "b c"], user_id="alice", tools=["search"]),
        piece("s2", input="OpenAI refunds; café, Ünïcode", metadata={"plan": "pro", "attempts": 3}),
        piece("s3", type="span", name="*star*", environment="production", attributes={"http.method": "GET"}),
        piece(
            "s3",
            input='{"text": "\\u00fcber caf\\u00e9"}',
            trace_metadata={"plan": "free"},
            model_parameters={"temperature": 0.7},
        ),
        piece("s4", input="这是退款政策。", output="He said “Quoted” — get_weather, order.status"),
        # What was said first holds no more, and a piece that says nothing of the words comes last.
        piece("s5", input="outdated words", protocol="maxim"),
        piece("s5", input="the latest words", protocol="maxim"),
        piece("s5", model="m5", protocol="maxim"),
        piece(
            "s6",
            input='[{"content": "first"}]',
            input_parts={"h": (1, '[{"content": "appended Later"}]')},
            protocol="maxim",
        ),
        piece("s7", output="the raretoken here"),
        # When it began is not known, nor how long it took; nor does any but s1 tell what it used.
        piece("s7", model="after", end_time=START + 8 * second, completion_start_time=START + 8 * second),
    ]
    for span in rows:
        engine.insert("spans", encode("p", [span]))
    engine.insert("spans", encode("other", [piece("s9", model="gpt-4o", input="refund raretoken", user_id="alice")]))
    said = [
        Score("1", "good", START, value=0.9, trace_id="ts1", span_id="s1"),
        Score("2", "verdict", START, data_type="CATEGORICAL", string_value="fine", trace_id="ts2"),
        Score("3", "good", START, value=1.0, trace_id="ts3", span_id="other-span"),
    ]
    engine.insert("scores", scores.encode("p", said))
    engine.insert("scores", scores.encode("other", [Score("4", "good", START, value=1.0, trace_id="ts4")]))
    yield Reader(engine)
    engine.close()


ALL = "s1 s2 s3 s4 s5 s6 s7"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ALL),
        ("model:gpt-4o", "s1"),
        ("model:(gpt-4o OR o3)", "s1 s2"),
        ("model:gpt-4o OR model:o3", "s1 s2"),
        ("-model:gpt-4o", "s2 s3 s4 s5 s6 s7"),
        ("-(model:gpt-4o OR model:o3)", "s3 s4 s5 s6 s7"),
        ("model:*", "s1 s2 s5 s7"),
        ("-model:*", "s3 s4 s6"),
        ("level:error cost>0.01", "s1"),
        ("cost<=0.02 cost>=0.02 cost:0.02", "s1"),
        ("cost>0.02", ""),
        ("-cost>0.02", ALL),
        ("tokens>12k usage.input_cache_read>8k", "s1"),
        ("latency>2s latency<3001ms ttft:1s tps>3", "s1"),
        ("latency:*", "s1"),
        ("latency<1h", "s1"),
        ("ttft<1h", "s1"),
        ("tokens:*", "s1"),
        ("tokens<1M", "s1"),
        ("-tokens:*", "s2 s3 s4 s5 s6 s7"),
        ("status:*answer*", "s1"),
        ("name:draft*", "s1"),
        ("name:*reply", "s1"),
        ('name:"look up"', "s2"),
        ('name:"*star*"', "s3"),
        ("tag:test", "s2"),
        ("-tag:test", "s1 s3 s4 s5 s6 s7"),
        ('tag:"b c"', "s2"),
        ("tag:te*", "s2"),
        ("tool:search", "s2"),
        ("tag:*", "s2"),
        ("user:alice", "s2"),
        ("-user:alice", "s1 s3 s4 s5 s6 s7"),
        ("env:production", "s3"),
        ("metadata.plan:pro", "s2"),
        ("metadata.plan:free", "s3"),
        ("metadata.plan:*", "s2 s3"),
        ("metadata.attempts>2", "s2"),
        ("metadata.attempts:3", "s2"),
        ("attributes.http.method:GET", "s3"),
        ("parameters.temperature>0.5", "s3"),
        ("parameters.temperature:0.7", "s3"),
        ("score.good>0.5", "s1"),
        ("score.good:0.9", "s1"),
        ("score.good:(0.90 OR 7)", "s1"),
        ("-score.good:.9", "s2 s3 s4 s5 s6 s7"),
        ("score.verdict:fine", "s2"),
        ("score.verdict:*", "s2"),
        ("-score.good:*", "s2 s3 s4 s5 s6 s7"),
        ("start_time>2020-01-01 start_time<10000d", ""),
        ("start_time>2020-01-01", ALL),
        ("trace:ts2", "s2"),
        ("refund", "s1"),
        ("REFUND", "s1"),
        ('"refund policy"', "s1"),
        ('"refund please"', ""),
        ('"policy, please"', "s1"),
        ('"fund policy"', ""),
        ("please", "s1"),
        ("refund policy", "s1"),
        ('"we refund"', "s1"),
        ("policy", "s1"),
        ("-refund", "s2 s3 s4 s5 s6 s7"),
        ("refunds openai", "s2"),
        ("openai café", "s2"),
        ("café", "s2 s3"),
        ("ÜNÏCODE", "s2"),
        ("input:refund", "s1"),
        ("output:refund", "s1"),
        ("output:policy", ""),
        ("退款", "s4"),
        ("nicode", ""),
        ("über", "s3"),
        ("quoted", "s4"),
        ("weather", "s4"),
        ("status", "s4"),
        ("raretoken", "s7"),
        ("raretoken model:after", "s7"),
        ('"the raretoken"', "s7"),
        ("outdated", ""),
        ("latest", "s5"),
        ("latest model:m5", "s5"),
        ("later", "s6"),
        ("first appended", "s6"),
        ("text:*", "s1 s2 s3 s4 s5 s6 s7"),
        ("output:*", "s1 s4 s7"),
        ("refund OR raretoken OR later", "s1 s6 s7"),
        ("(refund model:gpt-4o) OR (latest -model:*)", "s1"),
    ],
)
def test_what_is_found(reader: Reader, text: str, found: str) -> None:
    condition = where("p", from_params({"q": text}))
    rows = reader._engine.query(f"SELECT span_id FROM spans FINAL WHERE {condition}", condition.parameters)
    assert set(rows.to_pydict()["span_id"]) == set(found.split())


@pytest.mark.parametrize(("text", "found"), [("refund OR raretoken", "s1 s7"), ("-model:* metadata.plan:free", "s3")])
def test_pages_are_of_what_is_found(reader: Reader, text: str, found: str) -> None:
    filter, names = from_params({"q": text}), found.split()
    assert [span.span_id for span in reader.spans("p", filter, sort="start_time").rows] == names
    assert {trace.trace_id for trace in reader.traces("p", filter).rows} == {f"t{name}" for name in names}
    assert reader.count_spans("p", filter) == len(names)
    assert [span.span_id for batch in reader.export.batches("p", filter) for span in batch] == names


def test_a_rare_word_is_found_by_its_index(reader: Reader) -> None:
    told = reader._engine.query(
        "EXPLAIN indexes = 1 SELECT count() FROM spans WHERE project_id = 'p' AND hasAllTokens(input, 'outdated')"
    )
    text = "\n".join(told.to_pydict()["explain"])
    assert "input_words" in text


def test_values_of_fields(reader: Reader) -> None:
    fields = {field.name: field for field in TABLE}
    every = Filter()

    def listed(name: str, key: str = "", prefix: str = "") -> list[str]:
        found = reader.field_values.most_frequent("p", every, fields[name], key, prefix=prefix)
        return [value for value, _ in found]

    assert listed("model") == ["after", "gpt-4o", "m5", "o3"]
    assert listed("model", prefix="GPT") == ["gpt-4o"]
    assert listed("tag") == ["b c", "test"]
    assert listed("metadata") == ["plan", "attempts"]
    assert listed("metadata", "plan") == ["pro"]
    assert listed("attributes") == ["http.method"]
    assert listed("parameters") == ["temperature"]
    assert listed("score") == ["good", "verdict"]
    assert listed("score", "verdict") == ["fine"]
    assert listed("usage") == ["input", "input_cache_read", "output"]


# --- what is written of it ----------------------------------------------------------------------------------------------


def test_the_guide_has_every_field_and_every_example_is_a_filter() -> None:
    text = DOCS.read_text()
    told = re.findall(r"^\| `(\w+)(?:\.KEY)?`", text[text.index("<!-- fields") : text.index("<!-- end")], re.MULTILINE)
    assert told == [field.name for field in TABLE]
    shown = text[text.index("## How it reads") : text.index("`OR`, `AND` and `NOT`")]
    examples = re.findall(r"^\| `([^|]+?)` \|", shown, re.MULTILINE)
    assert len(examples) > 15
    for one in examples:
        assert parse(one)
