"""Sessions, users, errors and scores: their pages and routes, against a real server, with values worked out by hand."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import PHONE, accessible, fits, logged_in, sound
from tests.running import Server
from tests.spans import attribute, send, span

EVIL = "<script>document.title='pwned'</script>"
#: A session whose id is all that an id may be.
THREAD = "thread/1 ä?&#"
RATE_LIMITED = (
    "Error code: 429 - limit of 30000 reached, retry in 2.5 s",
    "Error code: 429 - limit of 90 reached, retry in 17 s",
)
DOCS = Path(__file__).parent.parent / "docs"


def asked(*said: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": "system", "content": "Be brief."}] + [
        {"role": roles[place % 2], "content": text} for place, text in enumerate(said)
    ]


def turn(
    trace_id: str, at: float, said: list[dict[str, str]], answer: str, session: str = THREAD
) -> list[dict[str, Any]]:
    """Return an agent without texts of its own, its generation, which costs 0.003, and its tool."""
    theirs: dict[str, Any] = {"session__id": session, "user__id": "alice/1"}
    root, kind = trace_id[:16], "langfuse__observation__type"
    cost = {"langfuse__observation__cost_details": {"total": 0.003}}
    usage = {"langfuse__observation__usage_details": {"input": 100, "output": 10}}
    return [
        span(trace_id, root, name="answer", at=at, seconds=4, **{kind: "agent"}, **theirs),
        span(trace_id, "a" + root[1:], root, "draft", at + 1, 2, **{kind: "generation"}, **theirs, **cost, **usage,
             langfuse__observation__model__name="gpt-4o", langfuse__observation__input=said,
             langfuse__observation__output={"role": "assistant", "content": answer}),
        span(trace_id, "b" + root[1:], root, "look-up", at + 0.5, 0.25, **{kind: "tool"}, **theirs,
             langfuse__observation__input={"order": 17}, langfuse__observation__output="on its way"),
    ]  # fmt: skip


def failure(trace_id: str, message: str, at: float, exception: str = "RateLimitError", **fields: Any) -> dict[str, Any]:
    event = {
        "name": "exception",
        "timeUnixNano": str(time.time_ns()),
        "attributes": [attribute("exception.type", exception), attribute("exception.message", message)],
    }
    given: dict[str, Any] = {
        "langfuse__observation__type": "generation",
        "langfuse__observation__model__name": "gpt-4o",
    }
    status = {"code": 2, "message": message}
    return span(trace_id, trace_id[:16], name="draft", at=at, status=status, events=[event], **(given | fields))


FIRST, SECOND, OTHER = "1" * 32, "2" * 32, "3" * 32
FAILED = ["4" * 32, "5" * 32, "6" * 32]


@pytest.fixture(scope="module")
def filled(server: Server) -> Server:
    """A project with a session of two turns, one of another user, and three failures of two kinds."""
    running = server.new_project()
    send(running, *turn(FIRST, -600, asked("Where is it?"), "On its way."))
    send(running, *turn(SECOND, -300, asked("Where is it?", "On its way.", "Since when? " + EVIL), "Since Monday."))
    send(running, span(OTHER, OTHER[:16], name="chat", at=-120, session__id="other", user__id="bob"))
    first, second, third = FAILED
    send(running, failure(first, RATE_LIMITED[0], -90, user__id="alice/1", service__version="1"))
    send(running, failure(second, RATE_LIMITED[1], -60, user__id="bob"))
    send(running, failure(third, RATE_LIMITED[0].replace("429", "500"), -30, user__id="bob"))
    return running


@pytest.fixture
def page(browser: Browser, filled: Server) -> Iterator[Page]:
    with sound(logged_in(browser, filled)) as opened:
        yield opened


def fetched(server: Server, path: str, status: int = 200) -> Any:
    with server.client() as client:
        client.post("/login", data={"public_key": server.public_key, "secret_key": server.secret_key})
        answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.headers["content-type"] == "application/json" else answer.text


def test_sessions_are_listed_by_their_latest_activity_with_what_they_come_to(filled: Server) -> None:
    found = filled.get("/api/v1/sessions")["data"]
    assert [session["id"] for session in found] == ["other", THREAD]
    thread = found[1]
    assert (thread["trace_count"], thread["span_count"], thread["call_count"]) == (2, 6, 2)
    assert (thread["input_tokens"], thread["output_tokens"], thread["total_cost"]) == (200, 20, "0.006")
    assert (thread["models"], thread["user_id"], thread["error_count"]) == (["gpt-4o"], "alice/1", 0)
    assert [row["session"] for row in fetched(filled, "/sessions.json")["data"]] == found


def test_pages_of_sessions_follow_each_other(filled: Server) -> None:
    first = filled.get("/api/v1/sessions", limit=1)
    second = filled.get("/api/v1/sessions", limit=1, cursor=first["next_cursor"])
    assert [row["id"] for row in (*first["data"], *second["data"])] == ["other", THREAD]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "ids"),
    [("type:tool", [THREAD]), ("user:bob", ["other"]), ("name:chat", ["other"]), ("name:nothing", [])],
)  # fmt: skip
def test_a_filter_asks_any_span_of_the_traces(filled: Server, query: str, ids: list[str]) -> None:
    assert [row["id"] for row in filled.get("/api/v1/sessions", q=query)["data"]] == ids


def test_a_session_is_a_conversation_without_its_history(filled: Server) -> None:
    said = fetched(filled, f"/sessions/{quote(THREAD, safe='')}.json")
    assert [(turn["input"], turn["output"]) for turn in said["turns"]] == [
        ("Where is it?", "On its way."),
        (f"Since when? {EVIL}", "Since Monday."),
    ]
    assert [turn["total_cost"] for turn in said["turns"]] == ["0.003", "0.003"]
    assert said["turns"][0]["tools"] == [{"name": "look-up", "span_id": "b" + FIRST[1:16], "failed": False}]
    fetched(filled, "/sessions/unheard-of", 404)


def test_users_come_to_what_their_traces_do(filled: Server) -> None:
    found = {user["id"]: user for user in filled.get("/api/v1/users")["data"]}
    assert set(found) == {"alice/1", "bob"}
    alice = found["alice/1"]
    assert (alice["trace_count"], alice["session_count"], alice["generation_count"]) == (3, 1, 3)
    assert (alice["total_cost"], alice["error_count"], alice["unpriced_count"]) == ("0.006", 1, 1)
    assert [user["id"] for user in filled.get("/api/v1/users", sort="cost")["data"]] == ["alice/1", "bob"]
    first = filled.get("/api/v1/users", limit=1)
    second = filled.get("/api/v1/users", limit=1, cursor=first["next_cursor"])
    assert [user["id"] for user in (*first["data"], *second["data"])] == ["bob", "alice/1"]
    assert filled.get("/api/v1/users/alice%2F1") == alice
    page = fetched(filled, "/users/alice%2F1.json")
    assert page["user"] == alice
    assert [session["id"] for session in page["sessions"]] == [THREAD]
    assert [(row["model"], row["calls"], row["cost"]) for row in page["models"]] == [("gpt-4o", 3, "0.006")]


def test_failures_of_one_kind_are_together(filled: Server) -> None:
    found = filled.get("/api/v1/errors")["data"]
    assert [(group["count"], group["user_count"], group["models"]) for group in found] == [
        (1, 1, ["gpt-4o"]),
        (2, 2, ["gpt-4o"]),
    ]
    group = found[1]
    assert (group["exception"], group["message"], sum(group["trend"])) == ("RateLimitError", RATE_LIMITED[1], 2)
    spans = filled.get("/api/v1/spans", q=f"error:{group['fingerprint']}")["data"]
    assert [one["trace_id"] for one in spans] == [FAILED[1], FAILED[0]]
    detail = filled.get(f"/api/v1/errors/{group['fingerprint']}")
    assert detail["shares"]["user_id"] == [{"value": "alice/1", "count": 1}, {"value": "bob", "count": 1}]
    assert detail["first"]["count"] == 2
    shown = fetched(filled, f"/errors/{group['fingerprint']}.json")
    assert [example["trace_id"] for example in shown["examples"]] == [FAILED[1], FAILED[0]]
    fetched(filled, "/errors/0000000000000000", 404)


def test_a_fingerprint_is_the_same_in_every_version(filled: Server) -> None:
    lines = ["generation", "draft", "RateLimitError", "429", "Error code: * - limit of * reached, retry in * s"]
    expected = hashlib.md5("\n".join(lines).encode(), usedforsecurity=False).hexdigest()[:16]
    assert expected == "50fcf01cfa3736ac"
    assert expected in [group["fingerprint"] for group in filled.get("/api/v1/errors")["data"]]


@pytest.mark.parametrize("path", ["/sessions", "/users", "/errors", "/scores"])
def test_what_cannot_be_understood_is_said(filled: Server, path: str) -> None:
    for query in ("q=(model", "from=yesterday"):
        told = fetched(filled, f"{path}.json?{query}", 400)
        assert told["error"]
    assert "cursor" in fetched(filled, f"{path}.json?cursor=x", 200 if path == "/scores" else 400).get(
        "error", "cursor"
    )


def test_scores_of_people_programs_and_the_api_are_alike(filled: Server) -> None:
    with filled.client() as client:
        told = client.post("/api/v1/scores", json=[
            {"name": "depth", "value": value, "trace_id": FIRST, "source": "EVAL"} for value in (0.0, 0.5, 1.0)
        ])  # fmt: skip
        assert told.status_code == 200, told.text
        ids = told.json()["ids"]
        refused = client.post("/api/v1/scores", json={"name": "depth", "value": 1})
        assert (refused.status_code, "traceId" in refused.text) == (400, True)
        client.post("/login", data={"public_key": filled.public_key, "secret_key": filled.secret_key})
        form = {"trace": SECOND, "span": SECOND[:16], "value": "0", "comment": "too short"}
        assert client.post("/feedback", data=form).status_code == 303
        assert client.post("/feedback", data=form | {"value": "1"}).status_code == 303
    (thumb,) = filled.get("/api/v1/scores", trace_id=SECOND)["data"]
    assert (thumb["name"], thumb["data_type"], thumb["value"]) == ("feedback", "BOOLEAN", 1.0)
    assert (thumb["comment"], thumb["source"], thumb["span_id"]) == ("too short", "ANNOTATION", SECOND[:16])
    assert filled.get("/api/public/v2/scores", traceId=SECOND)["data"][0]["id"] == thumb["id"]
    names = {row["name"]: row for row in fetched(filled, "/scores.json")["data"]}
    assert (names["depth"]["count"], names["depth"]["mean"], names["depth"]["median"]) == (3, 0.5, 0.5)
    assert [count for count in names["depth"]["histogram"] if count] == [1, 1, 1]
    about = fetched(filled, "/scores/depth.json")["about"]
    assert [(one["field"], one["value"], one["count"], one["mean"]) for one in about] == [
        ("model", "gpt-4o", 3, 0.5),
        ("name", "draft", 3, 0.5),
    ]
    assert fetched(filled, "/scores.json?source=EVAL&q=type:tool")["data"][0]["name"] == "depth"
    with filled.client() as client:
        assert client.delete(f"/api/v1/scores/{ids[0]}").status_code == 204
        assert client.delete(f"/api/v1/scores/{ids[0]}").status_code == 404
        form = {"trace": SECOND, "span": SECOND[:16], "value": "1"}
        assert httpx.post(f"{filled.url}/feedback", data=form, trust_env=False).status_code == 303
    assert len(filled.get("/api/v1/scores", name="depth")["data"]) == 2


def test_a_conversation_is_read_by_keyboard_and_on_a_phone(page: Page, filled: Server) -> None:
    page.goto(f"{filled.url}/sessions")
    expect(page.get_by_role("link", name=THREAD)).to_be_visible()
    accessible(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=THREAD)).to_be_visible()
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".turn").nth(1)).to_contain_text(EVIL)
    page.get_by_text("look-up").first.click()
    expect(page.locator(".call[open] pre").first).to_contain_text("17")
    accessible(page)
    assert "pwned" not in page.title().replace(EVIL, "")
    page.set_viewport_size(PHONE)
    for path in ("/sessions", f"/sessions/{quote(THREAD, safe='')}", "/users", "/users/alice%2F1", "/errors"):
        page.goto(f"{filled.url}{path}")
        expect(page.locator("#view")).to_be_visible()
        fits(page)


def test_feedback_is_given_and_taken_back(page: Page, filled: Server) -> None:
    page.goto(f"{filled.url}/traces/{FIRST}?span={FIRST[:16]}")
    page.get_by_label("Your comment").fill(f"Quite right {EVIL}")
    page.get_by_role("button", name="Good").click()
    shown = page.locator("#feedback")
    expect(shown.locator(".thumb")).to_have_text(re.compile("Good"))
    expect(shown).to_contain_text(EVIL)
    shown.get_by_role("button", name="Delete this feedback").click()
    expect(shown.locator(".thumb")).to_have_count(0)
    page.goto(f"{filled.url}/scores")
    expect(page.locator("#view")).to_be_visible()
    accessible(page)


def test_a_kind_of_failure_leads_to_its_spans(page: Page, filled: Server) -> None:
    page.goto(f"{filled.url}/errors")
    accessible(page)
    page.get_by_role("link", name=re.compile("429")).click()
    expect(page.get_by_role("heading", name=re.compile("429"))).to_be_visible()
    expect(page.locator(".failure")).to_have_count(2)
    accessible(page)
    page.get_by_role("link", name="All of these spans").click()
    expect(page).to_have_url(re.compile(r"/spans\?q=error"))


@pytest.mark.parametrize("document", ["sessions.md", "errors.md", "scores.md"])
def test_examples_of_the_documentation_work(filled: Server, document: str) -> None:
    text = (DOCS / document).read_text().replace("TRACE_ID", FIRST)
    requests = re.findall(r"^(GET|POST) (\S+)(?:\n(\{.*?\}))?$", text, re.MULTILINE)
    assert requests
    with filled.client() as client:
        for method, path, body in requests:
            answer = client.request(method, path, json=json.loads(body) if body else None)
            assert answer.status_code == 200, (method, path, answer.text)
