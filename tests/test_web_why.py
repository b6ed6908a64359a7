"""What the pane of a span says about where its values come from, on the page of a real server."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span

TOKENS = {"gen_ai.usage.input_tokens": 1200, "gen_ai.usage.output_tokens": 85}
CHAT = {"gen_ai.operation.name": "chat"}
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "computed": (
        CHAT | TOKENS | {"gen_ai.response.model": "gpt-4o", "gen_ai.tool.definitions": '[{"name": "refund"}]'},
        [
            "Type generation, from the attribute gen_ai.operation.name (OpenTelemetry GenAI), which says chat.",
            "Model gpt-4o, from the attribute gen_ai.response.model (OpenTelemetry GenAI).",
            "Usage 1,200 tokens in and 85 tokens out, from the attributes gen_ai.usage.* (OpenTelemetry GenAI).",
            "As sent gen_ai.usage.input_tokens 1200 gen_ai.usage.output_tokens 85",
            "Cost The tokens above at the price genai-prices",
            "openai/gpt-4o",
            ", which held when the call began.",
        ],
    ),
    "reported": (
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "m",
            "langfuse.observation.usage_details": '{"input": 200, "input_cached_tokens": 800}',
            "langfuse.observation.cost_details": '{"total": 0.5}',
        },
        [
            "Type generation, from the attribute langfuse.observation.type (Langfuse).",
            "Usage 1,000 tokens in, from the attribute langfuse.observation.usage_details (Langfuse).",
            'As sent {"input": 200, "input_cached_tokens": 800}',
            "Cost What the sender reported, from the attribute langfuse.observation.cost_details (Langfuse).",
        ],
    ),
    "without usage": (
        CHAT | {"gen_ai.request.model": "gpt-4o"},
        [
            "Usage None: no attribute tells tokens.",
            "Cost None: the sender told neither input nor output tokens",
            "include_usage",
        ],
    ),
    "without a model": (
        CHAT | TOKENS,
        ["Model None: no attribute names one.", "Cost None: the tokens are known, but not whose price they have."],
    ),
    "of no known price": (
        CHAT | TOKENS | {"gen_ai.request.model": "our-own {x} <b>"},
        ["Cost None: no price is known for our-own {x} <b>", "genscope reprice"],
    ),
    "of no known price in its tier": (
        CHAT | TOKENS | {"gen_ai.request.model": "gpt-4o", "gen_ai.response.service_tier": "flex"},
        ["Cost None: gpt-4o is known, but not what it costs in this tier of service (flex)"],
    ),
    "of searches alone": (
        {
            "langfuse.observation.type": "reranker",
            "langfuse.observation.model.name": "rerank-v3.5",
            "langfuse.observation.usage_details": '{"search_units": 2}',
        },
        ["Usage 2 searches, from the attribute langfuse.observation.usage_details (Langfuse)."],
    ),
    "a roll-up": (
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-4o"} | TOKENS,
        [
            "Usage None here, so that nothing counts twice: gen_ai.operation.name (OpenTelemetry GenAI) says invoke_agent, which"
            " repeats what the spans below it tell.",
        ],
    ),
    "plain": ({"x": 1}, ["Type span: no attribute says what kind of step this is."]),
}


@pytest.mark.parametrize("what", CASES)
def test_the_pane_says_why(server: Server, what: str) -> None:
    attributes, sentences = CASES[what]
    trace_id = new_id(16)
    with server.client() as client:
        sent = encoded(request([span(trace_id, attributes=attributes)]))
        assert client.post("/v1/traces", content=sent, headers={"content-type": PROTOBUF}).status_code == 200
        form = {"public_key": server.public_key, "secret_key": server.secret_key}
        assert client.post("/login", data=form).status_code == 303
        page = client.get(f"/traces/{trace_id}").text
    why = page[page.index('<details class="why">') :].partition("</details>")[0]
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", lambda tag: "" if tag[0] == "<wbr>" else " ", why)))
    text = text.replace(" ,", ",")
    for sentence in sentences:
        assert sentence in text, text
    if what == "computed":
        assert '<a class="tag" href="/generations?q=tool%3Arefund"' in page
    if what == "plain":
        assert "Cost" not in text
