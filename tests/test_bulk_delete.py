"""Deleting many traces: exactly those that were confirmed, by API, by form, and from a list; neighbours stay."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser import accessible
from tests.running import Server
from tests.spans import generation, send, span


@pytest.fixture
def user() -> str:
    return f"user-{secrets.token_hex(6)}"


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    """What a browser that is logged in, and runs no scripts, can do."""
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as opened:
        form = {"public_key": server.public_key, "secret_key": server.secret_key}
        assert opened.post("/login", data=form).status_code == 303
        yield opened


def traces(server: Server, user: str) -> set[str]:
    """Return the traces of a user that are listed."""
    return {one["trace_id"] for one in server.get("/api/v1/traces", q=f"user:{user}", limit=1000)["data"]}


def many(server: Server, user: str, count: int) -> set[str]:
    ids = [secrets.token_hex(16) for _ in range(count)]
    send(server, *(span(id_, secrets.token_hex(8), at=-n, user__id=user) for n, id_ in enumerate(ids)))
    return set(ids)


def delete(server: Server, **parameters: Any) -> httpx.Response:
    with server.client() as client:
        return client.delete("/api/v1/traces", params=parameters)


def test_the_api_deletes_what_was_confirmed_and_nothing_beside_it(server: Server, user: str) -> None:
    kept = many(server, user, 3)
    doomed = {generation(server, user, langfuse__observation__level="ERROR", at=-n) for n in range(4)}
    old = generation(server, user, langfuse__observation__level="ERROR", at=-7200)
    # A span of a doomed trace that the filter does not meet goes with it; its id in another trace stays.
    shared = secrets.token_hex(8)
    send(server, span(min(doomed), shared, user__id=user), span(min(kept), shared, user__id=user))
    asked = {"q": f"user:{user} level:ERROR", "from": "1h"}
    for wrong, status, said in (
        ({}, 400, "would delete 4 traces for good: add confirm=4"),
        ({"confirm": 5}, 409, "4 traces meet the filter, not 5"),
        ({"confirm": 4, "form": "1h"}, 400, "unknown parameter 'form'"),
        ({"confirm": 4, "q": "level:WRONG"}, 400, "level"),
        ({"confirm": -1}, 400, "confirm"),
    ):
        answer = delete(server, **(asked | wrong))
        assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert traces(server, user) == kept | doomed | {old}
    answer = delete(server, **asked, confirm=4)
    assert [json.loads(line) for line in answer.text.splitlines()] == [
        {"type": "progress", "done": 0, "total": 4},
        {"type": "progress", "done": 4, "total": 4},
    ]
    assert traces(server, user) == kept | {old}
    assert shared in server.trace(min(kept))
    assert delete(server, **asked, confirm=0).status_code == 200


def test_more_than_a_batch_is_deleted_step_by_step(server: Server, user: str) -> None:
    kept, doomed = many(server, f"{user}-kept", 5), many(server, user, 2_300)
    answer = delete(server, q=f"user:{user}", confirm=len(doomed))
    assert [json.loads(line)["done"] for line in answer.text.splitlines()] == [0, 1000, 2000, 2300]
    assert traces(server, user) == set()
    assert traces(server, f"{user}-kept") == kept


def fields(form: str) -> dict[str, Any]:
    """Return what a form would send."""
    told: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form):
        told.setdefault(name, []).append(value)
    return told


def test_a_form_asks_first_and_deletes_what_it_named(server: Server, client: httpx.Client, user: str) -> None:
    first, second, third = (generation(server, user, at=-n) for n in range(3))
    asked = client.post("/delete/ask", data={"trace": [first, second, "unknown"], "back": "//evil.example"})
    assert "Delete 2 traces for good?" in asked.text
    assert traces(server, user) == {first, second, third}
    form = fields(asked.text)
    assert client.post("/delete", data=form | {"which": "wrong"}).status_code == 400
    foreign = client.post("/delete", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert (foreign.status_code, len(traces(server, user))) == (403, 3)
    done = client.post("/delete", data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert traces(server, user) == {third}
    assert "nothing to delete" in client.post("/delete/ask", data={"trace": [first]}).text
    assert client.get("/delete?list=users").status_code == 400
    assert client.get("/delete?list=spans&q=nonsense:1").status_code == 400


def test_what_comes_after_the_question_stays_and_large_numbers_are_typed(
    server: Server, client: httpx.Client, user: str
) -> None:
    many(server, user, 120)
    question = f"/delete?list=spans&q=user:{user}"
    form = fields(client.get(question).text)
    later = generation(server, user, at=1)
    refused = client.post("/delete", data=form | {"typed": "12"})
    assert (refused.status_code, "Type 120" in refused.text) == (400, True)
    early = generation(server, user, at=-1)
    changed = client.post("/delete", data=form | {"typed": "120"})
    assert (changed.status_code, "By now these are 121 traces" in changed.text) == (400, True)
    assert len(traces(server, user)) == 122
    lines = client.post(
        "/delete", data=fields(changed.text) | {"typed": "121"}, headers={"Accept": "application/x-ndjson"}
    )
    assert json.loads(lines.text.splitlines()[-1]) == {"type": "progress", "done": 121, "total": 121}
    assert early not in traces(server, user)
    assert traces(server, user) == {later}


def test_a_list_of_traces_deletes_those_that_it_shows(server: Server, client: httpx.Client, user: str) -> None:
    """A trace that began before the range is not in the list, though a span of it lies there."""
    long = secrets.token_hex(16)
    send(
        server,
        span(long, secrets.token_hex(8), at=-7200, user__id=user),
        span(long, secrets.token_hex(8), at=-5, user__id=user),
    )
    short = generation(server, user)
    form = fields(client.get(f"/delete?list=traces&q=user:{user}&from=1h").text)
    assert client.post("/delete", data=form).status_code == 303
    assert (short in traces(server, user), long in traces(server, user)) == (False, True)


def test_rows_are_chosen_by_keys_and_mouse_and_deleted_after_a_question(page: Page, server: Server, user: str) -> None:
    ids = [generation(server, user, at=-60 * n, name=f"n{n}") for n in range(5)]
    page.goto(f"{server.url}/generations?q=user:{user}")
    bar, boxes = page.locator("#chosen"), page.locator(".pick")
    expect(boxes).to_have_count(5)
    expect(bar).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar).to_contain_text("1 generation of 1 trace chosen")
    expect(bar.get_by_role("link", name="Compare")).to_be_hidden()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(bar).to_contain_text("3 generations of 3 traces chosen")
    boxes.nth(2).click()
    compare = bar.get_by_role("link", name="Compare")
    expect(compare).to_have_attribute("href", re.compile(f"left={ids[1]}.*right={ids[0]}"))
    bar.get_by_role("button", name="Delete…").click()
    question = page.get_by_role("dialog", name="Delete 2 traces for good?")
    expect(question).to_be_visible()
    question.get_by_role("link", name="Cancel").click()
    expect(question).to_be_hidden()
    assert traces(server, user) == set(ids)
    bar.get_by_role("button", name="Delete…").click()
    question.get_by_role("button", name="Delete 2 traces").click()
    expect(page.locator("#rows b")).to_have_text(["n2", "n3", "n4"])
    assert traces(server, user) == set(ids[2:])
    page.get_by_text("Actions", exact=True).click()
    expect(page.get_by_role("link", name="Export as CSV")).to_have_attribute(
        "href", re.compile("/lists/generations/export")
    )
    page.get_by_role("link", name="Delete all that match…").click()
    everything = page.get_by_role("dialog", name="Delete 3 traces for good?")
    expect(everything).to_contain_text(f"user:{user}")
    accessible(page)
    everything.get_by_role("button", name="Delete 3 traces").click()
    expect(page.get_by_text("No generation matches")).to_be_visible()
    assert traces(server, user) == set()


def test_a_list_is_exported_as_it_is_filtered(server: Server, client: httpx.Client, user: str) -> None:
    trace_id = generation(server, user)
    send(server, span(trace_id, secrets.token_hex(8), user__id=user, name="no generation"))
    told = client.get(f"/lists/generations/export?q=user:{user}&format=jsonl")
    assert [json.loads(line)["name"] for line in told.text.splitlines()] == ["draft-reply"]
    assert len(client.get(f"/lists/spans/export?q=user:{user}&format=csv").text.splitlines()) == 3
    assert client.get("/lists/spans/export?q=nonsense:1").status_code == 400
