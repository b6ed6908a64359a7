"""Events of Langfuse's SDKs before OpenTelemetry, and scores, from bytes to pieces."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genscope.model import SPAN_TYPES, TRACE, Entity, Patch, Score, patch_order
from genscope.receive.errors import BadRequest, TooLarge
from genscope.receive.langfuse import EVENTS, Batch, bodies, decode, decode_scores
from genscope.receive.langfuse.scores import Scores

SECOND = 10**9
NOW = 1_800_000_000 * SECOND
TIMESTAMP = "2026-11-21T15:06:44.856343Z"
TIME = 1_795_273_604_856_343_000
TRACE_ID = "8a91f1f5-27c3-432b-980b-fa90af172766"
ID = "f20287a9-0605-432b-819a-703f4cd6a78a"


def event(type_: str, /, **body: Any) -> dict[str, Any]:
    return {"id": f"event-{type_}", "type": type_, "timestamp": TIMESTAMP, "body": body}


def told(*events: Any, sdk: str | None = None, limit: int = 1 << 20) -> Batch:
    envelope: dict[str, Any] = {"batch": list(events)}
    if sdk is not None:
        envelope["metadata"] = {
            "sdk_name": sdk,
            "sdk_version": "2.60.10",
            "sdk_integration": "default",
            "batch_size": 1,
        }
    return decode(orjson.dumps(envelope), NOW, max_events=1000, max_value_bytes=limit)


def one(sent: dict[str, Any], **options: Any) -> Patch:
    batch = told(sent, **options)
    assert batch.refused == []
    (patch,) = batch.patches
    return patch


def observation(**body: Any) -> Patch:
    return one(event("generation-create", id=ID, traceId=TRACE_ID, **body))


def why(sent: Any) -> str:
    """Why an event is refused; its neighbours never are."""
    batch = told(event("span-create", id="before"), sent, event("span-create", id="after"))
    assert [patch.entity.id for patch in batch.patches] == ["before", "after"]
    assert batch.taken == ["event-span-create"] * 2
    assert batch.scores == []
    ((_, reason),) = batch.refused
    (rejected,) = batch.rejected
    assert rejected.reason == reason
    return reason


def test_a_trace_is_the_root_span() -> None:
    patch = one(
        event(
            "trace-create",
            id=TRACE_ID,
            timestamp=TIMESTAMP,
            name="support",
            userId="alice",
            sessionId="ticket-4711",
            input={"ticket": 4711},
            output="sent",
            metadata={"plan": "pro"},
            tags=["books", "demo"],
            public=True,
            release="2026.11",
            version="7",
            environment="Staging",
        ),
        sdk="python",
    )
    assert (patch.entity, patch.trace_id, patch.parent) == (Entity(TRACE, TRACE_ID), None, None)
    span = patch.span
    assert (span.type, span.name, span.trace_name, span.is_root) == ("span", "support", "support", True)
    assert (span.start_time, span.end_time) == (TIME, None)
    assert (span.user_id, span.session_id, span.tags, span.trace_public) == (
        "alice",
        "ticket-4711",
        ["books", "demo"],
        True,
    )
    assert (span.input, span.output) == ('{"ticket":4711}', "sent")
    assert (span.trace_metadata, span.metadata) == ({"plan": "pro"}, {})
    assert (span.release, span.version, span.environment, span.level) == ("2026.11", "7", "staging", "DEFAULT")
    assert (span.scope.name, span.scope.version) == ("langfuse-sdk", "2.60.10")
    assert (span.protocol, span.attributes) == ("langfuse", {})


def test_the_decorator_tells_when_a_trace_began_and_ended() -> None:
    times = {"timestamp": TIMESTAMP, "start_time": "2026-11-21T15:06:44Z", "end_time": "2026-11-21T15:06:46Z"}
    span = one(event("trace-create", id=TRACE_ID, **times)).span
    assert span.start_time == TIME // SECOND * SECOND
    assert span.end_time == span.start_time + 2 * SECOND


def test_a_generation_is_understood_whole() -> None:
    patch = observation(
        parentObservationId="above",
        name="draft-reply",
        startTime="2026-11-21T15:06:44.857104Z",
        endTime="2026-11-21T15:06:45Z",
        completionStartTime="2026-11-21T15:06:44.9Z",
        model="openai/gpt-4o",
        modelParameters={"temperature": 0.7, "max_tokens": 200.0, "stop": ["END"]},
        input=[{"role": "user", "content": "Grüße 📦"}],
        output='"quoted"',
        usageDetails={"input": 200, "cache_read_input_tokens": 800, "output": 50},
        costDetails={"input": 0.001, "output": 0.002},
        metadata={"channel": "mail", "number": "123", "nothing": None},
        level="WARNING",
        statusMessage="slow",
        promptName="reply",
        promptVersion=3,
        version="7",
        environment="staging",
    )
    assert (patch.entity, patch.trace_id) == (Entity("observation", ID), TRACE_ID)
    assert patch.parent == Entity("observation", "above")
    span = patch.span
    assert (span.type, span.name, span.level, span.status_message) == ("generation", "draft-reply", "WARNING", "slow")
    assert (span.model, span.provider) == ("openai/gpt-4o", "openai")
    assert span.model_parameters == {"temperature": 0.7, "max_tokens": 200, "stop": ["END"]}
    assert (span.input, span.output) == ('[{"role":"user","content":"Grüße 📦"}]', '"quoted"')
    assert span.usage == {"input": 1000, "output": 50, "total": 1050, "input_cache_read": 800}
    assert span.cost == {"input": Decimal("0.001"), "output": Decimal("0.002"), "total": Decimal("0.003")}
    assert (span.cost_source, span.cost_rule) == ("reported", "langfuse costDetails")
    assert (span.type_rule, span.usage_rule) == ("langfuse generation-create", "langfuse usageDetails")
    assert span.metadata == {"channel": "mail", "number": "123", "nothing": None}
    assert (span.prompt_name, span.prompt_version) == ("reply", "3")
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.completion_start_time is not None
    assert span.start_time < span.completion_start_time < span.end_time
    assert span.attributes == {}


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        ({"usage": {"input": 12, "output": 3, "unit": "TOKENS"}}, {"input": 12, "output": 3, "total": 15}),
        ({"usage": {"input": 12, "output": 3, "total": 15}}, {"input": 12, "output": 3, "total": 15}),
        ({"usage": {"total": 15}}, {"total": 15}),
        (
            {"usage": {"promptTokens": 1000, "completionTokens": 50, "totalTokens": 1050}},
            {"input": 1000, "output": 50, "total": 1050},
        ),
        (
            {
                "usage": {"input": 1, "output": 1, "unit": "TOKENS"},
                "usageDetails": {
                    "prompt_tokens": 1180,
                    "completion_tokens": 92,
                    "total_tokens": 1272,
                    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": None},
                    "completion_tokens_details": {"reasoning_tokens": 64},
                },
            },
            {"input": 1180, "input_cache_read": 1024, "output": 92, "output_reasoning": 64, "total": 1272},
        ),
    ],
)
def test_every_spelling_of_usage_means_the_same(body: dict[str, Any], usage: dict[str, int]) -> None:
    span = observation(**body).span
    assert span.usage == usage
    assert span.cost is None


def test_totals_of_javascripts_wrapper_include_their_parts() -> None:
    def counted(**details: int) -> dict[str, int] | None:
        return one(event("generation-create", id=ID, usageDetails=details), sdk="langfuse-js").span.usage

    whole = {"input": 1000, "input_cache_read": 800, "output": 50, "output_reasoning": 20, "total": 1050}
    parts = {"input_cached_tokens": 800, "output_reasoning_tokens": 20}
    assert counted(input=1000, output=50, total=1050, **parts) == whole
    assert counted(input=200, output=30, total=1050, **parts) == whole
    assert counted(input=200, output=30, **parts) == whole


def test_counts_of_something_else_than_tokens_are_kept_as_they_are() -> None:
    span = observation(usage={"input": 12, "unit": "CHARACTERS", "totalCost": 0.5}).span
    assert span.usage is None
    assert span.cost == {"total": Decimal("0.5")}
    span = observation(usage={"input": 12, "unit": "CHARACTERS"}).span
    assert span.attributes == {"usage": {"input": 12, "unit": "CHARACTERS"}}


def test_costs_of_the_older_usage_are_reported_costs() -> None:
    span = observation(
        usage={"input": 12, "output": 3, "inputCost": 0.001, "outputCost": 0.002, "totalCost": None}
    ).span
    assert span.cost == {"input": Decimal("0.001"), "output": Decimal("0.002"), "total": Decimal("0.003")}
    assert span.cost_rule == "langfuse usage"


def test_numbers_that_pythons_sdk_made_texts_of_are_numbers() -> None:
    sent = {"temperature": "0.7", "top_p": "1.0", "max_tokens": "inf", "user": "12", "seed": 7, "stop": ["0.5"]}
    body = {"id": ID, "modelParameters": sent}
    numbers = {"temperature": 0.7, "top_p": 1, "max_tokens": "inf", "user": "12", "seed": 7, "stop": ["0.5"]}
    assert one(event("generation-create", **body), sdk="python").span.model_parameters == numbers
    assert one(event("generation-create", **body), sdk="langfuse-js").span.model_parameters == sent


@pytest.mark.parametrize("type_", SPAN_TYPES)
def test_every_type_of_observation_is_a_type_of_span(type_: str) -> None:
    for verb in ("create", "update"):
        assert told(event(f"{type_}-{verb}", id=ID, startTime=TIMESTAMP)).patches[0].span.type == type_
        assert one(event(f"observation-{verb}", id=ID, type=type_.upper())).span.type == type_


def test_what_says_nothing_of_the_type_gives_no_rule_for_it() -> None:
    span = one(event("observation-update", id=ID, output="done")).span
    assert (span.type, span.type_rule) == (None, None)


def test_an_event_has_no_duration() -> None:
    span = one(event("event-create", id=ID, traceId=TRACE_ID)).span
    assert (span.start_time, span.end_time) == (TIME, TIME)


def test_an_update_tells_only_what_it_says() -> None:
    created = one(event("generation-create", id=ID, traceId=TRACE_ID))
    updated = one(event("generation-update", id=ID, traceId=TRACE_ID, output="done"))
    assert created.parent == Entity(TRACE, TRACE_ID)
    assert created.span.start_time == TIME
    assert updated.parent is None
    assert updated.span.start_time is None
    assert updated.order > created.order


def test_of_two_events_of_one_moment_the_later_in_the_batch_counts() -> None:
    batch = told(*[event("span-update", id=ID, name=name) for name in ("first", "second")])
    orders = {patch.span.name: patch.order for patch in batch.patches if patch.span.name}
    assert orders == {"first": patch_order(1, TIME), "second": patch_order(1, TIME + 1)}


def test_an_event_without_a_time_was_when_it_arrived() -> None:
    sent = event("span-create", id=ID)
    del sent["timestamp"]
    patch = one(sent)
    assert (patch.order, patch.span.start_time) == (patch_order(0, NOW), NOW)


def test_what_is_not_understood_is_kept() -> None:
    body = {"level": "NOPE", "startTime": "yesterday", "tools": ["saw"], "usage": "many", "empty": None, "none": []}
    span = observation(**body).span
    assert span.attributes == {"level": "NOPE", "startTime": "yesterday", "tools": ["saw"], "usage": "many"}
    assert (span.level, span.start_time) == ("DEFAULT", TIME)


def test_names_of_tools_are_found() -> None:
    tool = {"type": "function", "function": {"name": "get_order", "parameters": {}}}
    call = {"id": "1", "type": "function", "function": {"name": "get_order", "arguments": "{}"}}
    asked = observation(input={"messages": [], "tools": [tool]}).span
    answered = observation(output={"role": "assistant", "content": None, "tool_calls": [call]}).span
    assert (asked.tools, answered.tool_calls) == (["get_order"], ["get_order"])


@pytest.mark.parametrize(
    ("metadata", "kept"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 1}}),
        ("text", {"metadata": "text"}),
        ([1, 2], {"metadata": [1, 2]}),
        (0, {"metadata": 0}),
    ],
)
def test_metadata_is_any_json(metadata: Any, kept: dict[str, Any]) -> None:
    assert observation(metadata=metadata).span.metadata == kept


def test_logs_and_runs_of_datasets_are_taken_and_say_nothing() -> None:
    batch = told(event("sdk-log", log={"a": 1}), event("dataset-run-item-create", id="x"))
    assert batch.taken == ["event-sdk-log", "event-dataset-run-item-create"]
    assert batch.patches == []


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("text", "an event must be an object"),
        (None, "an event must be an object"),
        ({}, "the event has no id"),
        ({"id": 7, "type": "span-create", "body": {}}, "id must be a string, not int"),
        ({"id": "e", "type": "spam-create", "body": {}}, "there is no event of the type 'spam-create'"),
        ({"id": "e", "type": ["span-create"], "body": {}}, "there is no event of the type"),
        ({"id": "e", "type": "span-create"}, "the body of an event must be an object"),
        ({"id": "e", "type": "span-create", "body": [1]}, "the body of an event must be an object"),
        (event("span-create", id=7), "id must be a string, not int"),
        (event("span-create", id="x" * 801), "id has 801 characters; 800 are the limit"),
        (event("span-create", id=ID, traceId=["t"]), "traceId must be a string, not list"),
        (event("span-create", id=ID, parentObservationId={}), "parentObservationId must be a string, not dict"),
        (event("span-update", name="x"), "an update needs the id of what it updates"),
        (event("trace-create", id=True), "id must be a string, not bool"),
        (event("score-create", name="stars", value=1), "a score is about one of traceId, sessionId, datasetRunId"),
    ],
)
def test_a_bad_event_is_refused_alone(sent: Any, reason: str) -> None:
    assert reason in why(sent)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"batch": {}}', b'{"events": []}', b'"text"', b"\xff\xfe"]
)
def test_a_body_that_is_no_batch_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        decode(body, NOW, max_events=10, max_value_bytes=100)


def test_more_events_than_one_request_may_have_are_refused() -> None:
    body = orjson.dumps({"batch": [event("sdk-log")] * 11})
    with pytest.raises(TooLarge, match="11 events, 10 are the limit"):
        decode(body, NOW, max_events=10, max_value_bytes=100)


def test_long_texts_are_cut_and_say_so() -> None:
    span = one(event("span-create", id=ID, input="x" * 100, metadata={"a": ["y" * 100]}), limit=10).span
    assert span.input == "x" * 10 + "…[genscope: truncated, 100 bytes]"
    assert span.metadata["a"] == ["y" * 10 + "…[genscope: truncated, 100 bytes]"]


@pytest.mark.parametrize("levels", [50, 300, 900])
def test_deep_values_are_kept(levels: int) -> None:
    deep = "[" * levels + "1" + "]" * levels
    body = '{"batch":[{"id":"e","type":"span-create","body":{"id":"x","input":DEEP,"metadata":{"a":DEEP}}}]}'
    (patch,) = decode(body.replace("DEEP", deep).encode(), NOW, max_events=10, max_value_bytes=1 << 20).patches
    assert patch.span.input is not None
    assert "[[[[" in patch.span.input
    assert orjson.dumps(patch.span.metadata)


def test_not_a_number_harms_nothing() -> None:
    body = (
        b'{"batch":[{"id":"e","type":"span-create","body":'
        b'{"id":"x","input":{"a":NaN,"b":-Infinity},"output":"\\ud800"}}]}'
    )
    (patch,) = decode(body, NOW, max_events=10, max_value_bytes=1 << 20).patches
    assert (patch.span.input, patch.span.output) == ('{"a":"NaN","b":"-Infinity"}', "\ufffd")


def scored(sent: Any) -> Scores:
    return decode_scores(orjson.dumps(sent), NOW, max_scores=10, max_value_bytes=1000)


def a_score(**body: Any) -> Score:
    (score,) = scored({"traceId": TRACE_ID, "name": "stars", **body}).scores
    return score


@pytest.mark.parametrize(
    ("body", "typed"),
    [
        ({"value": 4.5}, ("NUMERIC", 4.5, None)),
        ({"value": 4}, ("NUMERIC", 4.0, None)),
        ({"value": "friendly"}, ("CATEGORICAL", None, "friendly")),
        ({"value": True}, ("BOOLEAN", 1.0, None)),
        ({"value": 1, "dataType": "BOOLEAN"}, ("BOOLEAN", 1.0, None)),
        ({"value": 0.0, "dataType": "BOOLEAN"}, ("BOOLEAN", 0.0, None)),
        ({"value": "4", "dataType": "TEXT"}, ("TEXT", None, "4")),
        ({"value": "4", "dataType": "CATEGORICAL"}, ("CATEGORICAL", None, "4")),
        ({"value": "better", "dataType": "CORRECTION"}, ("CORRECTION", None, "better")),
    ],
)
def test_a_score_is_typed_by_its_value_unless_it_says(body: dict[str, Any], typed: tuple[Any, ...]) -> None:
    score = a_score(**body)
    assert (score.data_type, score.value, score.string_value) == typed


def test_a_score_is_understood_whole() -> None:
    score = a_score(
        id="mine",
        observationId=ID,
        value=1,
        comment="good",
        configId="c",
        metadata={"by": "agent"},
        environment="staging",
        timestamp=TIMESTAMP,
        source="ANNOTATION",
    )
    assert score == Score(
        id="mine",
        name="stars",
        time=TIME,
        value=1.0,
        comment="good",
        trace_id=TRACE_ID,
        span_id=ID,
        source="ANNOTATION",
        environment="staging",
        config_id="c",
        metadata={"by": "agent"},
        revision=patch_order(1, NOW),
    )


def test_a_score_of_an_event_has_its_id_and_time() -> None:
    batch = told(event("score-create", sessionId="s", name="stars", value=1, observationId=None))
    (score,) = batch.scores
    assert (score.id, score.time, score.session_id) == ("event-score-create", TIME, "s")
    assert score.revision == patch_order(1, TIME)
    assert batch.taken == ["event-score-create"]


def test_the_run_of_a_dataset_that_a_score_is_about_stays_known() -> None:
    (score,) = scored({"datasetRunId": "run", "name": "stars", "value": 1, "metadata": {"a": 1}}).scores
    assert score.metadata == {"a": 1, "datasetRunId": "run"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"traceId": None, "value": 1}, "this one tells 0 of them"),
        ({"sessionId": "s", "value": 1}, "this one tells 2 of them"),
        ({"traceId": None, "sessionId": "s", "observationId": ID, "value": 1}, "needs its traceId"),
        ({"traceId": 7, "value": 1}, "traceId must be a string, not int"),
        ({"name": "", "value": 1}, "name must be a string that is not empty"),
        ({"name": None, "value": 1}, "name must be a string that is not empty"),
        ({}, "the value of a NUMERIC score must be a finite number"),
        ({"value": [1]}, "the value of a NUMERIC score must be a finite number"),
        ({"value": "4", "dataType": "NUMERIC"}, "the value of a NUMERIC score must be a finite number"),
        ({"value": 2, "dataType": "BOOLEAN"}, "the value of a BOOLEAN score must be 0 or 1"),
        ({"value": "yes", "dataType": "BOOLEAN"}, "the value of a BOOLEAN score must be 0 or 1"),
        ({"value": 1, "dataType": "CATEGORICAL"}, "the value of a CATEGORICAL score must be a string"),
        ({"value": 1, "dataType": "STARS"}, "dataType must be one of NUMERIC, BOOLEAN"),
        ({"value": 1, "dataType": ["NUMERIC"]}, "dataType must be one of NUMERIC, BOOLEAN"),
    ],
)
def test_a_bad_score_is_refused_alone(body: dict[str, Any], reason: str) -> None:
    good = {"traceId": TRACE_ID, "name": "stars", "value": 1}
    told = scored([good, {**good, "value": None, **body}, good, "text"])
    assert len(told.scores) == 2
    assert reason in told.errors[0]
    assert told.errors[1] == "a score must be an object"
    assert [rejected.reason for rejected in told.rejected] == told.errors
    with pytest.raises(BadRequest, match="The score cannot be taken: "):
        scored({**good, "value": None, **body})


@pytest.mark.parametrize("body", [b"", b"7", b'"text"', b"null", b"{"])
def test_a_body_that_is_no_score_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        decode_scores(body, NOW, max_scores=10, max_value_bytes=100)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
SOURCES = {key for table in (bodies.OBSERVATION, bodies.TRACE) for sources in table.values() for key in sources}
KEYS = st.sampled_from(
    sorted(SOURCES | {"id", "traceId", "parentObservationId", "sessionId", "observationId", "value"})
)


@settings(max_examples=200, deadline=None)
@given(
    events=st.lists(
        JSON
        | st.fixed_dictionaries(
            {"id": JSON | st.just("e"), "type": st.sampled_from(sorted(EVENTS)) | JSON, "body": JSON}
            | {"body": st.dictionaries(KEYS, JSON, max_size=12) | JSON, "timestamp": JSON}
        ),
        max_size=6,
    )
)
def test_no_batch_of_any_json_is_more_than_refused(events: list[Any]) -> None:
    batch = told(*events)
    assert len(batch.taken) + len(batch.refused) == len(events)
    assert len(batch.rejected) == len(batch.refused)


@settings(max_examples=300, deadline=None)
@given(scores=st.lists(JSON | st.dictionaries(KEYS, JSON, max_size=8), max_size=6))
def test_no_list_of_any_json_is_more_than_refused(scores: list[Any]) -> None:
    told = scored(scores)
    assert len(told.scores) + len(told.errors) == len(scores)
