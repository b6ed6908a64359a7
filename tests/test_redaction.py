"""What must not be stored is masked at the door, whatever the protocol, and nowhere else."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from genscope.model import Rejected, Score, piece
from genscope.redaction import DETECTORS, Field, Pattern, Policy, Redactor, checked
from tests.running import Server
from tests.sending import GENERATION, PROTOBUF, encoded, new_id, pairs, request, span

EVERYTHING = Redactor(Policy(detect=list(DETECTORS)), "secret")


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("mail ada@example.com, please", "mail [redacted:email], please"),
        ("müller@exämple.de", "[redacted:email]"),
        ("?to=ada%40example.com", "?to=[redacted:email]"),
        ("pip install @scope/pkg@1.2.3", "pip install @scope/pkg@1.2.3"),
        ("4111 1111 1111 1111!", "[redacted:credit_card]!"),
        ("4111-1111-1111-1111", "[redacted:credit_card]"),
        ("378282246310005", "[redacted:credit_card]"),
        ("order 1234 4111 1111 1111 1111 99", "order 1234 [redacted:credit_card] 99"),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        ("time 1763748000000000000", "time 1763748000000000000"),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        ("DE89 3704 0044 0532 0130 00 AND MORE", "[redacted:iban] AND MORE"),
        ("gb82west12345698765432", "[redacted:iban]"),
        ("DE89370400440532013001", "DE89370400440532013001"),
        ("+49 30 1234567 or (030) 1234567 or 555-123-4567", " or ".join(["[redacted:phone]"] * 3)),
        ("2026-11-21 12:33:44.123 at 192.168.100.200, v1.2.3", "2026-11-21 12:33:44.123 at 192.168.100.200, v1.2.3"),
        (f"key sk-proj-{'x' * 30}.", "key [redacted:api_key]."),
        (f"task-{'x' * 30}", f"task-{'x' * 30}"),
        (f"Bearer {'y' * 24}", "[redacted:api_key]"),
        ("\ud800 ada@example.com", "\ud800 [redacted:email]"),
        ("", ""),
    ],
)
def test_what_things_look_like(text: str, stored: str) -> None:
    assert EVERYTHING.text(text) == stored
    assert EVERYTHING.text(stored) == stored


def test_json_is_looked_into_and_stays_json() -> None:
    told = {"a\nada@b.co": ["x\nada@b.co", 4111111111111111, 1.5, None, True], "t": '{"q":"ada@b.co"}'}
    stored = json.loads(EVERYTHING.document(json.dumps(told, ensure_ascii=True).replace("@", "\\u0040")))
    assert stored == {
        "a\n[redacted:email]": ["x\n[redacted:email]", "[redacted:credit_card]", 1.5, None, True],
        "t": '{"q":"[redacted:email]"}',
    }
    # Two names that become one both stay.
    assert len(json.loads(EVERYTHING.document('{"a@b.co": 1, "c@d.co": 2}'))) == 2
    untouched = '{ "a":1.0, "b": [ 1 ] }'
    assert EVERYTHING.document(untouched) == untouched
    assert EVERYTHING.document('{"a": "a@b.co"') == '{"a": "[redacted:email]"'
    deep = "[" * 100_000 + "]" * 100_000
    assert EVERYTHING.document(deep) == deep


def test_no_text_and_no_pattern_takes_long() -> None:
    """RE2 is linear: where Python's own engine would take longer than the universe lasts, this ends."""
    evil = Redactor(
        checked(Policy(detect=list(DETECTORS), patterns=[Pattern("evil", "(a+)+$|(x+x+)+y|([0-9]+-?)+z")])), "secret"
    )
    for text in ("a" * 200_000 + "!", "x" * 200_000, "1" * 200_000, "1-" * 100_000, "a@" * 100_000, "+1 " * 50_000):
        evil.text(text)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (Policy(patterns=[Pattern("a", "(")]), "no regular expression of RE2"),
        (Policy(patterns=[Pattern("a", r"(?=x)")]), "no regular expression of RE2"),
        (Policy(patterns=[Pattern("a", "x*")]), "the empty text"),
        (Policy(patterns=[Pattern("a", "x" * 501)]), "500 characters"),
        (Policy(patterns=[Pattern("A b", "x")]), "no name of a pattern"),
        (Policy(patterns=[Pattern("a", "x")] * 51), "at most 50"),
        (Policy(fields=[Field("model")]), "no field"),
        (Policy(fields=[Field("metadata.")]), "no field"),
        (Policy(fields=[Field("input.x")]), "no field"),
    ],
)
def test_what_cannot_be_applied_is_refused(policy: Policy, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        checked(policy)


def test_ids_that_are_masked_stay_apart() -> None:
    told = []
    for user in ("ada@example.com", "bob@example.com", "ada@example.com", "42"):
        one = piece()
        one.user_id = user
        EVERYTHING.spans([one])
        told.append(str(one.user_id))
    assert told[0] == told[2] != told[1]
    assert told[0].startswith("redacted-")
    assert told[3] == "42"
    assert Redactor(Policy(detect=["email"]), "another").identifier("ada@example.com") != told[0]


def test_what_was_rejected_is_masked_too() -> None:
    one = Rejected("t", "s", "for ada@b.co", "no 'ada@b.co'", '{"input": "ada@b.co"}')
    (stored,) = EVERYTHING.rejected([one])
    assert "ada" not in f"{stored}"
    (hidden,) = Redactor(Policy(fields=[Field("input")]), "s").rejected([one])
    assert (hidden.payload, hidden.reason) == ("[redacted]", one.reason)
    score = Score("i", "n", 1, "CORRECTION", string_value="it is ada", comment="says a@b.co")
    Redactor(Policy(detect=["email"], fields=[Field("output")]), "s").scores([score])
    assert (score.string_value, score.comment) == ("[redacted]", "says [redacted:email]")


# Through every door of a real server.

POLICY = {
    "detect": ["email", "credit_card"],
    "patterns": [{"name": "order", "pattern": r"ORD-\d{4}"}],
    "fields": [
        {"field": "user_id", "action": "hash"},
        {"field": "metadata.plan*", "action": "mask"},
        {"field": "attributes.app.secret", "action": "mask"},
    ],
}
LEAKS = ("ada@example.com", "4111", "ORD-1234", "alice", "gold", "hush")


@pytest.fixture(scope="module")
def masking(server: Server) -> Server:
    running = server.new_project()
    with running.client() as client:
        assert client.get("/api/v1/redaction").json() == {"detect": [], "patterns": [], "fields": []}
        told = client.put("/api/v1/redaction", json=POLICY)
        assert told.json() == POLICY, told.text
    return running


def secretive(server: Server, trace_id: str) -> dict[str, dict[str, Any]]:
    """Return the spans of a trace, after looking for what they must not have."""
    with server.client() as client:
        whole = client.get(f"/api/v1/traces/{trace_id}", params={"full": "1", "messages": "1"})
        assert whole.status_code == 200
    assert not [leak for leak in LEAKS if leak in whole.text], whole.text
    return {one["span_id"]: one for one in whole.json()["spans"]}


def test_over_otlp(masking: Server) -> None:
    trace_id, span_id = new_id(16), new_id(8)
    attributes: dict[str, Any] = {
        **GENERATION,
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.input.messages": json.dumps(
            [{"role": "user", "parts": [{"type": "text", "content": "I am\nada@example.com"}]}]
        ),
        "output.value": "Your card 4111 1111 1111 1111",
        "user.id": "alice",
        "enduser.id": "alice",
        "langfuse.trace.metadata.plan": "gold",
        "langfuse.observation.metadata": '{"plan_b": "gold", "who": "alice"}',
        "app.secret": "hush",
        "list": ["ORD-1234", {"deep": "ada@example.com"}],
    }

    events = [Span.Event(name="gen_ai.choice ORD-1234", attributes=pairs({"text": "ada@example.com"}))]
    one = span(trace_id, span_id=span_id, name="chat ORD-1234", attributes=attributes, events=events)
    body = encoded(request([one], {"host": "ada@example.com", "owner": "alice"}))
    with masking.client() as client:
        assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
    stored = secretive(masking, trace_id)[span_id]
    assert stored["name"] == "chat [redacted:order]"
    assert "[redacted:email]" in json.dumps(stored["input"])
    assert stored["output"] == "Your card [redacted:credit_card]"
    assert stored["user_id"].startswith("redacted-")
    assert float(stored["cost"]["total"]) > 0
    assert masking.get("/api/v1/spans", user_id=stored["user_id"])["data"]


def test_in_pieces(masking: Server) -> None:
    """Maxim and Langfuse tell of a call in several messages."""
    trace_id = f"t-{uuid.uuid4()}"
    now = "2026-11-21T02:54:01Z"
    lines = [
        f'trace{{id={trace_id},action=create,data={{"name":"ORD-1234","startTimestamp":"{now}",'
        '"tags":{"plan":"gold","mail":"ada@example.com"},"sessionId":"ada@example.com"}}',
        f'trace{{id={trace_id},action=add-generation,data={{"id":"{trace_id}-g","model":"gpt-4o","provider":"openai",'
        f'"startTimestamp":"{now}","messages":[{{"role":"user","content":"I am ada@example.com"}}]}}}}',
        f'generation{{id={trace_id}-g,action=result,data={{"result":{{"id":"c","model":"gpt-4o","choices":[{{"message":'
        '{"role":"assistant","content":"Card 4111111111111111"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}}}',
        "nonsense for ada@example.com",
    ]
    with masking.client() as client:
        path = "/api/sdk/v3/log?id=r"
        client.post(path, content="\n".join(lines).encode(), headers={"x-maxim-api-key": masking.secret_key})
    told = json.dumps(secretive(masking, trace_id))
    assert "I am [redacted:email]" in told
    assert "Card [redacted:credit_card]" in told
    assert "[redacted:order]" in told

    other = str(uuid.uuid4())
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("trace-create", {"id": other, "name": "ORD-1234", "userId": "alice", "metadata": {"plan": "gold", "n": "alice"}}),
        ("generation-create", {"id": f"{other}-g", "traceId": other, "input": {"q": "ada@example.com"}}),
        ("generation-update", {"id": f"{other}-g", "traceId": other, "output": "4111 1111 1111 1111", "statusMessage": "ORD-1234"}),
        ("score-create", {"id": f"{other}-s", "traceId": other, "name": "note", "value": "ORD-1234", "comment": "ada@example.com"}),
        ("span-update", {"name": "no id, but ada@example.com"}),
    ]  # fmt: skip
    batch = [
        {"id": str(uuid.uuid4()), "type": type_, "timestamp": "2026-11-21T02:54:01Z", "body": body}
        for type_, body in bodies
    ]
    with masking.client() as client:
        assert client.post("/api/public/ingestion", json={"batch": batch}).status_code == 207
    stored = secretive(masking, other)
    assert stored[f"{other}-g"]["input"] == {"q": "[redacted:email]"}
    assert stored[f"{other}-g"]["output"] == "[redacted:credit_card]"
    assert stored[f"{other}:root"]["trace_metadata"]["plan"] == "[redacted]"
    rejected = json.dumps(masking.get("/api/v1/rejected"))
    assert "no id" in rejected
    assert not [leak for leak in LEAKS if leak in rejected]


def test_masked_prompts_are_masked_in_every_dialect(project: Server) -> None:
    page = httpx.Client(base_url=project.url, timeout=60, trust_env=False)
    page.post("/login", data={"public_key": project.public_key, "secret_key": project.secret_key})
    form = {"fields": "input mask\noutput", "do": "save"}
    assert page.post("/settings/redaction", data=form).status_code == 303
    trace_id = new_id(16)
    ways: list[dict[str, Any]] = [
        {"gen_ai.prompt.0.content": "psst", "gen_ai.completion.0.content": "psst"},
        {"input.value": "psst", "output.value": "psst", "llm.input_messages.0.message.content": "psst"},
        {"langfuse.observation.input": '{"a": "psst"}', "langfuse.trace.output": "psst"},
        {"ai.prompt": "psst", "ai.response.text": "psst"},
        {"traceloop.entity.input": "psst", "genkit:input": '"psst"', "lk.chat_ctx": "psst"},
        {"gen_ai.input.messages": '[{"role": "user", "parts": "psst"}]', "mlflow.spanOutputs": "psst"},
    ]
    with project.client() as client:
        body = encoded(request([span(trace_id, attributes=GENERATION | way) for way in ways]))
        assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
        whole = client.get(f"/api/v1/traces/{trace_id}", params={"full": "1"})
    assert len(whole.json()["spans"]) == len(ways)
    assert "psst" not in whole.text
    # And off again.
    assert page.post("/settings/redaction", data={"do": "save"}).status_code == 303
    last = new_id(16)
    assert project.send(json.loads(encoded(request([span(last, attributes=ways[1])]), "application/json"))).is_success
    assert "psst" in json.dumps(project.trace(last))


def test_a_policy_is_tried_before_it_holds(masking: Server) -> None:
    page = httpx.Client(base_url=masking.url, timeout=60, trust_env=False)
    page.post("/login", data={"public_key": masking.public_key, "secret_key": masking.secret_key})
    form = {
        "detect": "phone",
        "patterns": "ticket TIC-\\d+",
        "sample": "<b> +49 30 1234567 TIC-7 ada@example.com",
        "do": "try",
    }
    tried = page.post("/settings/redaction", data=form)
    assert "&lt;b&gt; " in tried.text
    assert '<mark class="masked">[redacted:phone]</mark>' in tried.text
    assert '<mark class="masked">[redacted:ticket]</mark> ada@example.com' in tried.text
    assert page.get("/settings/redaction.json").json()["policy"] == POLICY
    for wrong in ({"patterns": "a ("}, {"patterns": "lonely"}, {"fields": "model"}, {"detect": "everything"}):
        refused = page.post("/settings/redaction", data={**wrong, "do": "save"})
        assert refused.status_code == 400
        assert 'role="alert"' in refused.text
    with masking.client() as client:
        preview = {"policy": POLICY, "sample": "ORD-9999"}
        assert client.post("/api/v1/redaction/preview", json=preview).json() == {"stored": "[redacted:order]"}
        for body in ({"detect": ["x"]}, {"patterns": [{"name": "a", "pattern": "("}]}, {"more": 1}):
            assert client.put("/api/v1/redaction", json=body).status_code == 400
