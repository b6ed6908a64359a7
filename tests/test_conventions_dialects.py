"""What each dialect's own attributes become, as its instrumentation writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genscope.conventions import DIALECTS, to_span
from genscope.pricing import price
from tests.test_conventions import START, raw, span

STEP = {"operation.name": "ai.streamText.doStream answer", "ai.operationId": "ai.streamText.doStream"}
NONSENSE: list[Any] = [None, "", "{", "[]", '{"usage":7}', [], {}, [[]], 0, True, "x" * 100]
CACHING = {"ephemeral_5m_input_tokens": 2000, "ephemeral_1h_input_tokens": 1000}
ANTHROPIC = {"input_tokens": 5000, "cache_creation_input_tokens": 3000, "cache_read_input_tokens": 1500}


def provider(**metadata: Any) -> dict[str, str]:
    return {"ai.response.providerMetadata": json.dumps(metadata)}


def vercel(*parts: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {name: value for part in (*parts, others) for name, value in part.items()}


@pytest.mark.parametrize(
    ("field", "attributes", "expected"),
    [
        ("type", {"operation.name": "ai.generateText.doGenerate f", "gen_ai.request.model": "m"}, "generation"),
        ("type", {"ai.operationId": "ai.streamObject.doStream", "ai.model.id": "m"}, "generation"),
        ("type", {"ai.operationId": "ai.streamObject.doStream"}, "span"),
        ("type", {"ai.operationId": "ai.generateText", "ai.model.id": "m"}, "span"),
        ("type", {"ai.operationId": "ai.embedMany.doEmbed"}, "embedding"),
        ("type", {"ai.operationId": "ai.rerank.doRerank"}, "reranker"),
        ("type", {"ai.operationId": "ai.toolCall"}, "tool"),
        ("type", {"operation.name": "GET /doGenerate", "model": "m"}, "generation"),
        ("type", {"operation.name": "GET.doEmbed"}, "span"),
        ("name", {"ai.operationId": "ai.generateText", "ai.telemetry.functionId": "chat"}, "chat:ai.generateText"),
        ("name", {"ai.operationId": "ai.generateText"}, "ai.generateText"),
        ("name", {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "look"}, "look"),
        ("model", {"ai.model.id": "gpt-5", "gen_ai.response.model": "gpt-5-2025-08-07"}, "gpt-5-2025-08-07"),
        ("model", {"ai.model.id": "gpt-5", "gen_ai.request.model": "other"}, "gpt-5"),
        ("provider", {"ai.model.provider": "openai.responses"}, "openai"),
        ("user_id", {"ai.telemetry.metadata.userId": "u"}, "u"),
        ("session_id", {"ai.telemetry.metadata.sessionId": "s"}, "s"),
        ("tags", {"ai.telemetry.metadata.tags": ["a", "b"]}, ["a", "b"]),
        ("metadata", {"ai.telemetry.metadata.plan": "pro", "ai.telemetry.metadata.userId": "u"}, {"plan": "pro"}),
        (
            "prompt_name",
            {
                "ai.operationId": "ai.generateText.doGenerate",
                "ai.model.id": "m",
                "ai.telemetry.metadata.langfusePrompt": '{"name":"p","version":3}',
            },
            "p",
        ),
        ("completion_start_time", {"ai.response.msToFirstChunk": 412.5}, START + 412_500_000),
        ("completion_start_time", {"ai.stream.msToFirstChunk": 7}, START + 7_000_000),
        ("completion_start_time", {"ai.stream.msToFirstChunk": "soon"}, None),
        ("input", {"ai.prompt.messages": "[1]", "ai.prompt": "{}"}, "[1]"),
        ("input", {"ai.toolCall.args": '{"city":"Oslo"}'}, '{"city":"Oslo"}'),
        ("input", {"ai.values": ['"a"', '"b"']}, '["a","b"]'),
        ("input", {"ai.prompt": "p", "ai.prompt.tools": ['{"name":"f"}', "?"]}, "p"),
        ("input", {"ai.prompt": "[1]", "ai.prompt.tools": ['{"name":"f"}']}, '{"messages":[1],"tools":[{"name":"f"}]}'),
        ("output", {"ai.response.text": "hi", "ai.response.model": "m"}, "hi"),
        ("output", {"ai.response.text": "", "ai.response.toolCalls": "[1]"}, "[1]"),
        ("output", {"ai.response.object": '{"a":1}'}, '{"a":1}'),
        ("output", {"ai.result.text": "old"}, "old"),
        (
            "output",
            {"ai.response.text": "hi", "ai.response.toolCalls": "[1]"},
            '{"role":"assistant","content":"hi","tool_calls":"[1]"}',
        ),
        ("output", {"ai.toolCall.result": "42"}, "42"),
        (
            "model_parameters",
            vercel(
                STEP,
                {"gen_ai.request.max_tokens": 9, "gen_ai.request.top_p": 0.5, "ai.settings.maxRetries": 2},
                provider(openai={"serviceTier": "priority"}),
                {"langfuse.observation.model.parameters": '{"mine":1}'},
            ),
            {"maxTokens": 9, "top_p": 0.5, "maxRetries": 2, "service_tier": "priority", "mine": 1},
        ),
    ],
)
def test_vercel_ai(field: str, attributes: dict[str, Any], expected: Any) -> None:
    assert getattr(span(attributes), field) == expected
    assert getattr(span(attributes, scope="ai"), field) == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        # Version 4: Anthropic's input leaves out the cache, of which only the metadata tells.
        (
            vercel(
                STEP,
                provider(anthropic={"cacheCreationInputTokens": 30, "cacheReadInputTokens": 20}),
                {"ai.usage.promptTokens": 50, "ai.usage.completionTokens": 5, "gen_ai.usage.input_tokens": 50},
            ),
            {"input": 100, "output": 5, "total": 105, "input_cache_write": 30, "input_cache_read": 20},
        ),
        # Version 5: as Anthropic counts, whose own object stands beside it.
        (
            vercel(
                STEP,
                provider(anthropic={"usage": {**ANTHROPIC, "cache_creation": CACHING}, "stopSequence": None}),
                {"ai.usage.inputTokens": 5000, "ai.usage.outputTokens": 200, "ai.usage.totalTokens": 5200},
                {"ai.usage.cachedInputTokens": 1500, "gen_ai.usage.input_tokens": 5000},
            ),
            {
                "input": 9500,
                "output": 200,
                "total": 9700,
                "input_cache_write": 3000,
                "input_cache_read": 1500,
                "input_cache_write_5m": 2000,
                "input_cache_write_1h": 1000,
            },
        ),
        # Version 6: totals, also of an object, which has no details.
        (
            vercel(
                STEP,
                provider(anthropic={"usage": ANTHROPIC}),
                {"ai.usage.promptTokens": 9500, "ai.usage.completionTokens": 200, "gen_ai.usage.input_tokens": 9500},
            ),
            {"input": 9500, "output": 200, "total": 9700, "input_cache_write": 3000, "input_cache_read": 1500},
        ),
        (
            vercel(
                STEP,
                {"ai.model.provider": "amazon-bedrock", "ai.usage.inputTokens": 90, "ai.usage.outputTokens": 9},
                {"ai.usage.inputTokenDetails.noCacheTokens": 20, "ai.usage.inputTokenDetails.cacheReadTokens": 70},
                {"ai.usage.outputTokenDetails.textTokens": 9, "ai.usage.cachedInputTokens": 70},
            ),
            {"input": 90, "output": 9, "total": 99, "input_cache_read": 70},
        ),
        # Bedrock with version 5: what was read is told by the SDK, what was written by the metadata.
        (
            vercel(
                STEP,
                provider(bedrock={"usage": {"cacheWriteInputTokens": 10}}),
                {"gen_ai.system": "amazon-bedrock", "ai.usage.inputTokens": 20, "ai.usage.outputTokens": 9},
                {"ai.usage.cachedInputTokens": 70},
            ),
            {"input": 100, "output": 9, "total": 109, "input_cache_write": 10, "input_cache_read": 70},
        ),
        # OpenAI counts within its totals.
        (
            vercel(
                STEP,
                provider(openai={"cachedPromptTokens": 80, "reasoningTokens": 30, "acceptedPredictionTokens": 2}),
                {"gen_ai.usage.prompt_tokens": 100, "gen_ai.usage.completion_tokens": 50},
            ),
            {
                "input": 100,
                "output": 50,
                "total": 150,
                "input_cache_read": 80,
                "output_reasoning": 30,
                "output_accepted_prediction": 2,
            },
        ),
        # Google with version 5: thoughts beside the output, which the total tells.
        (
            vercel(
                STEP,
                {"ai.usage.inputTokens": 10, "ai.usage.outputTokens": 5, "ai.usage.reasoningTokens": 7},
                {"ai.usage.totalTokens": 22},
            ),
            {"input": 10, "output": 12, "total": 22, "output_reasoning": 7},
        ),
        ({"ai.operationId": "ai.embed.doEmbed", "ai.usage.tokens": 8}, {"input": 8}),
        ({"ai.operationId": "ai.embed", "ai.usage.tokens": 8}, None),
        ({"ai.operationId": "ai.generateText", "ai.usage.inputTokens": 8, "ai.usage.outputTokens": 8}, None),
        ({**STEP, "ai.usage.promptTokens": "NaN", "ai.usage.completionTokens": "NaN"}, None),
        ({**STEP, "gen_ai.usage.input_tokens": 3, "ai.response.providerMetadata": "no json"}, {"input": 3}),
    ],
)
def test_vercel_ai_counts_what_the_provider_bills(attributes: dict[str, Any], expected: Any) -> None:
    assert span(attributes, scope="ai").usage == expected
    assert span(attributes).usage == expected


def test_what_a_reseller_charged_is_the_cost() -> None:
    for metadata in ({"gateway": {"cost": "0.0125"}}, {"openrouter": {"usage": {"cost": 0.0125}}}):
        made = span(vercel(STEP, provider(**metadata)), scope="ai")
        price(made)
        assert (str(made.cost and made.cost["total"]), made.cost_source) == ("0.0125", "reported")


def genkit(subtype: str, given: Any, told: Any, **others: Any) -> dict[str, Any]:
    sent = {"name": "googleai/gemini-2.5-flash", "metadata:subtype": subtype, **others}
    sent |= {"input": json.dumps(given), "output": json.dumps(told)}
    return {f"genkit:{name}": value for name, value in sent.items()}


def test_genkit_tells_a_call_by_its_whole_request_and_answer() -> None:
    counts = {"inputTokens": 10, "outputTokens": 5, "thoughtsTokens": 7, "totalTokens": 22, "inputCharacters": 99}
    request = {"messages": [{"role": "user"}], "config": {"temperature": 1}, "tools": []}
    sent = genkit("model", request, {"message": {"role": "model"}, "usage": counts}, sessionId="s", state="success")
    made = span(sent, scope="genkit-tracer")
    assert (made.type, made.name, made.model) == (
        "generation",
        "googleai/gemini-2.5-flash",
        "googleai/gemini-2.5-flash",
    )
    assert (made.input, made.output) == ('[{"role":"user"}]', '{"role":"model"}')
    assert made.model_parameters == {"temperature": 1}
    assert made.usage == {"input": 10, "output": 12, "total": 22, "output_reasoning": 7}
    assert (made.level, made.session_id) == ("DEFAULT", "s")
    assert made.attributes == sent, "of which only a part became a field"


def test_genkit_tells_everything_else_by_the_same_attributes() -> None:
    made = span(genkit("tool.v2", {"city": "Oslo"}, "rain", state="error"), scope="genkit-tracer")
    assert (made.type, made.model, made.usage, made.level) == ("tool", None, None, "ERROR")
    assert (made.input, made.output) == ('{"city": "Oslo"}', '"rain"')
    assert not {"genkit:input", "genkit:output"} & made.attributes.keys()
    assert span(genkit("flow", 1, 2)).type == "span"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"flue.tool.name": "look", "flue.task.id": "t", "flue.tool.arguments": "{}"}, ("tool", "{}", None)),
        ({"flue.task.id": "t", "flue.task.prompt": "p", "flue.task.result": "r"}, ("agent", "p", "r")),
        ({"flue.task.id": "t", "flue.operation.result": "r"}, ("span", None, "r")),
        ({"flue.workflow.payload": "p", "flue.workflow.result": "r"}, ("span", "p", "r")),
        ({"gen_ai.operation.name": "chat", "flue.turn.input": "p", "flue.turn.output": "r"}, ("generation", "p", "r")),
    ],
)
def test_flue(attributes: dict[str, Any], expected: tuple[str, str | None, str | None]) -> None:
    made = span(attributes, scope="@flue/opentelemetry")
    assert (made.type, made.input, made.output) == expected


def test_flue_counts_what_was_cached_beside_the_input() -> None:
    counts = {"input": 10, "output": 5, "cache_read": 70, "cache_write": 20, "total": 105}
    sent = {f"gen_ai.usage.{name}_tokens": count for name, count in counts.items()}
    made = span({**sent, "gen_ai.operation.name": "chat", "gen_ai.usage.cost_total": 0.5})
    assert made.usage == {"input": 100, "output": 5, "total": 105, "input_cache_read": 70, "input_cache_write": 20}
    assert str(made.cost and made.cost["total"]) == "0.5"


def test_google_adk_tells_in_the_answer_what_its_attributes_lack() -> None:
    counts = {"prompt_token_count": 100, "candidates_token_count": 5, "thoughts_token_count": 7}
    counts |= {"cached_content_token_count": 80, "total_token_count": 112}
    sent = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 5}
    made = span({**sent, "gcp.vertex.agent.llm_response": json.dumps({"usage_metadata": counts})})
    assert made.usage == {"input": 100, "output": 12, "total": 112, "output_reasoning": 7, "input_cache_read": 80}
    assert span({**sent, "gcp.vertex.agent.llm_response": "no json"}).usage == {"input": 100, "output": 5, "total": 105}


@pytest.mark.parametrize(
    ("field", "attributes", "expected"),
    [
        ("type", {"traceloop.span.kind": "workflow"}, "chain"),
        ("type", {"traceloop.span.kind": "task"}, "chain"),
        ("type", {"traceloop.span.kind": "agent"}, "agent"),
        ("type", {"traceloop.span.kind": "tool"}, "tool"),
        ("type", {"traceloop.span.kind": "workflow", "gen_ai.operation.name": "chat"}, "generation"),
        ("type", {"llm.request.type": "chat", "gen_ai.request.model": "m"}, "generation"),
        ("type", {"llm.request.type": "rerank", "gen_ai.request.model": "m"}, "reranker"),
        ("metadata", {"traceloop.association.properties.plan": "pro"}, {"plan": "pro"}),
        ("user_id", {"traceloop.association.properties.user_id": "u"}, "u"),
        ("prompt_name", {"llm.request.type": "chat", "traceloop.prompt.key": "p"}, "p"),
        (
            "input",
            {
                "gen_ai.prompt.0.role": "user",
                "llm.request.functions.0.name": "f",
                "llm.request.functions.0.parameters": '{"a":1}',
            },
            '{"messages":[{"role":"user"}],"tools":[{"name":"f","parameters":{"a":1}}]}',
        ),
    ],
)
def test_traceloop(field: str, attributes: dict[str, Any], expected: Any) -> None:
    assert getattr(span(attributes), field) == expected


COUNTED = {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150}
DETAILED = {**COUNTED, "input_token_details": {"cache_read": 80}, "output_token_details": {"reasoning": 30}}
IN_FULL = {"input": 100, "output": 50, "total": 150, "input_cache_read": 80, "output_reasoning": 30}


@pytest.mark.parametrize(
    "attributes",
    [
        {"langsmith.usage_metadata": json.dumps(DETAILED)},
        {"gen_ai.completion": json.dumps({"usage_metadata": DETAILED})},
        {"gen_ai.completion": json.dumps({"generations": [[{"message": {"kwargs": {"usage_metadata": DETAILED}}}]]})},
        {"gen_ai.completion": json.dumps({"generations": [{"message": {"usage_metadata": DETAILED}}]})},
        {f"gen_ai.usage.{name}": str(told) if isinstance(told, dict) else told for name, told in DETAILED.items()},
    ],
)
def test_langsmith_counts_the_details_of_a_call_wherever_they_are(attributes: dict[str, Any]) -> None:
    totals = {f"gen_ai.usage.{name}": count for name, count in COUNTED.items()}
    assert span({**totals, **attributes, "langsmith.span.kind": "llm"}).usage == IN_FULL


def test_langsmith_without_details_has_its_totals() -> None:
    assert span({"langsmith.usage_metadata": json.dumps(COUNTED)}).usage == {"input": 100, "output": 50, "total": 150}
    sent = {"langsmith.span.kind": "llm", "gen_ai.usage.input_tokens": 3, "gen_ai.completion": '{"generations":[[]]}'}
    assert span(sent).usage == {"input": 3}


@pytest.mark.parametrize(
    ("field", "attributes", "expected"),
    [
        ("type", {"langsmith.span.kind": "llm"}, "generation"),
        ("type", {"langsmith.span.kind": "prompt", "gen_ai.operation.name": "chat"}, "span"),
        ("type", {"langsmith.span.kind": "retriever", "gen_ai.operation.name": "embeddings"}, "retriever"),
        ("usage", {"langsmith.span.kind": "chain", "gen_ai.usage.input_tokens": 9}, None),
        ("name", {"langsmith.trace.name": "ChatOpenAI"}, "ChatOpenAI"),
        ("model", {"langsmith.metadata.ls_model_name": "gpt-4o"}, "gpt-4o"),
        ("provider", {"gen_ai.system": "openai", "langsmith.metadata.ls_provider": "azure"}, "azure.ai.openai"),
        ("provider", {"gen_ai.system": "langchain"}, None),
        ("tags", {"langsmith.span.tags": "a, b"}, ["a", "b"]),
        ("metadata", {"langsmith.metadata.a": '{"b":1}', "langsmith.metadata.c": "1"}, {"a": {"b": 1}, "c": "1"}),
        ("session_id", {"langsmith.metadata.thread_id": "t", "langsmith.trace.session_id": "a project"}, "t"),
    ],
)
def test_langsmith(field: str, attributes: dict[str, Any], expected: Any) -> None:
    assert getattr(span(attributes), field) == expected


@pytest.mark.parametrize(
    ("field", "attributes", "expected"),
    [
        ("type", {"openinference.span.kind": "RERANKER"}, "reranker"),
        ("model", {"openinference.span.kind": "EMBEDDING", "embedding.model_name": "m"}, "m"),
        ("model", {"openinference.span.kind": "RERANKER", "reranker.model_name": "m"}, "m"),
        ("model", {"llm.model_name": "asked", "llm.response.model_name": "answered"}, "answered"),
        ("model_parameters", {"embedding.invocation_parameters": '{"dimensions":8}'}, {"dimensions": 8}),
        ("metadata", {"metadata": '{"plan":"pro"}'}, {"plan": "pro"}),
        (
            "usage",
            {
                "llm.token_count.prompt": 100,
                "llm.token_count.completion": 50,
                "llm.token_count.prompt_details.cache_read": 80,
                "llm.token_count.completion_details.reasoning": 30,
            },
            IN_FULL,
        ),
        (
            "input",
            {"embedding.embeddings.1.embedding.text": "b", "embedding.embeddings.0.embedding.text": "a"},
            '["a","b"]',
        ),
        (
            "input",
            {"reranker.query": "q", "reranker.input_documents.0.document.content": "d"},
            '{"query":"q","documents":[{"document":{"content":"d"}}]}',
        ),
        ("output", {"reranker.output_documents.0.document.score": 0.5}, '[{"document":{"score":0.5}}]'),
        ("output", {"retrieval.documents.0.document.content": "d"}, '[{"document":{"content":"d"}}]'),
        ("output", {"retrieval.documents.0.document.content": "d", "output.value": "v"}, "v"),
        ("input", {"tool.name": "f", "tool.parameters": '{"a":1}'}, '{"a":1}'),
        ("input", {"llm.prompts.0.prompt.text": "p"}, '[{"prompt":{"text":"p"}}]'),
        (
            "input",
            {"input.value": "[1]", "llm.tools.0.tool.json_schema": '{"name":"f"}'},
            '{"messages":[1],"tools":[{"name":"f"}]}',
        ),
    ],
)
def test_openinference(field: str, attributes: dict[str, Any], expected: Any) -> None:
    assert getattr(span(attributes), field) == expected


def test_the_vector_of_an_embedding_stays_an_attribute() -> None:
    vector = {"embedding.embeddings.0.embedding.vector": [0.5, 0.25]}
    made = span({**vector, "embedding.embeddings.0.embedding.text": "a"})
    assert (made.input, made.attributes) == ('["a"]', vector)


def test_openinference_costs_include_their_details() -> None:
    sent = {"prompt": 0.3, "prompt_details.cache_read": 0.1, "prompt_details.input": 0.2, "completion": 0.5}
    made = span({f"llm.cost.{name}": cost for name, cost in sent.items()})
    found = {kind: str(money) for kind, money in (made.cost or {}).items()}
    assert found == {"input": "0.3", "input_cache_read": "0.1", "output": "0.5", "total": "0.8"}
    assert span({"llm.cost.prompt_details.input": 1}).cost is None
    assert str((span({"llm.cost.total": 0.7}).cost or {})["total"]) == "0.7"


@pytest.mark.parametrize(
    ("field", "attributes", "expected"),
    [
        ("type", {"span.type": "retriever"}, "retriever"),
        ("type", {"span.type": "web"}, "span"),
        ("session_id", {"session.id": "s", "lemma.thread_id": "t"}, "t"),
        ("session_id", {"langfuse.trace.metadata.lemma.thread_id": '"conv-1"', "session.id": "s"}, "conv-1"),
        ("session_id", {"langfuse.trace.metadata.lemma.thread_id": "conv-1"}, "conv-1"),
        ("user_id", {"enduser.id": "u"}, "u"),
        ("level", {"tool.status": "error"}, "ERROR"),
        ("input", {"ai.agent.input": '{"q":1}'}, '{"q":1}'),
        ("output", {"tool.result": "r"}, "r"),
        ("usage", {"ai.usage.inputTokens": 3, "ai.usage.outputTokens": 4}, {"input": 3, "output": 4, "total": 7}),
        ("cost", {"llm.usage.cost": "0"}, {"total": 0}),
        ("type", {"gen_ai.operation.name": "chat.streaming_completions"}, "generation"),
        (
            "usage",
            {"gen_ai.response.prompt_tokens": 3, "gen_ai.response.completion_tokens": 4},
            {"input": 3, "output": 4, "total": 7},
        ),
    ],
)
def test_lemma_maxim_and_semantic_kernel(field: str, attributes: dict[str, Any], expected: Any) -> None:
    assert getattr(span(attributes), field) == expected


def test_a_scope_that_speaks_one_dialect_alone_takes_no_input_of_others() -> None:
    strange = {"input.value": "strange", "output.value": "strange"}
    for scope in ("ai", "genkit-tracer"):
        made = span(strange, scope=scope)
        assert (made.input, made.output, made.attributes) == (None, None, strange)
    assert to_span(raw(strange), START).input == "strange"


def test_every_source_of_a_table_answers_nonsense_with_nothing_worse_than_none() -> None:
    for table in DIALECTS.values():
        for sources in table.values():
            for source, decode in sources.items():
                for value in NONSENSE:
                    given = dict.fromkeys(("a", "0.b"), value) if source.endswith("*") else value
                    decode(None if source.startswith("@event") else given, raw({source: value}, scope="ai"))
