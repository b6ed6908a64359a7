"""The page of a trace in a real browser, against a real server."""

from __future__ import annotations

import json
import re
import secrets

from playwright.sync_api import Browser, Page, expect

from tests.browser import logged_in
from tests.running import Server
from tests.spans import agent, generation, send, span


def test_a_trace_is_a_tree_beside_the_chosen_span(page: Page, server: Server) -> None:
    trace_id = agent(server)
    page.goto(f"{server.url}/project/default/traces/{trace_id}")
    expect(page).to_have_url(f"{server.url}/traces/{trace_id}")
    expect(page.locator("#tree .n")).to_have_text(["answer", "draft", "look-up", "orphan", "cycle-a", "cycle-b"])
    expect(page.locator("#tree em")).to_have_count(2)
    expect(page.locator(".trace-head")).to_contain_text("$0.002")
    expect(page.locator(".trace-head")).to_contain_text("1 error")

    page.locator("#tree a", has_text="draft").click()
    pane = page.locator("#pane")
    expect(pane.get_by_role("heading", level=2)).to_contain_text("draft")
    expect(page).to_have_url(re.compile("span="))
    chosen = page.url
    for text in ("Weather in Paris?", "→ get_weather", '"city": "Paris"', "It is clear.", "temperature", "pro"):
        expect(pane).to_contain_text(text)
    expect(pane.locator(".bill")).to_contain_text("800 × $1.25 / 1M")  # noqa: RUF001
    expect(pane.locator(".bill")).to_contain_text("$0.001")

    page.locator("#tree a", has_text="look-up").click()
    expect(pane.locator(".failure")).to_contain_text("TimeoutError no answer within 30 s")
    page.go_back()
    expect(page).to_have_url(chosen)
    expect(pane.get_by_role("heading", level=2)).to_contain_text("draft")
    page.reload()
    expect(pane.get_by_role("heading", level=2)).to_contain_text("draft")

    page.locator("#tree .fold").first.click()
    expect(page.locator("#tree li:visible .n")).to_have_text(["answer", "orphan", "cycle-a", "cycle-b"])
    page.locator("#tree .fold").first.click()
    expect(page.locator("#tree li:visible")).to_have_count(6)
    page.locator("#tree a", has_text="draft").focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(pane.get_by_role("heading", level=2)).to_contain_text("look-up")


def test_a_trace_reads_without_scripts(browser: Browser, server: Server) -> None:
    trace_id = agent(server)
    context = logged_in(browser, server, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}/traces/{trace_id}")
    page.locator("#tree a", has_text="draft").click()
    expect(page.locator("#pane")).to_contain_text("It is clear.")
    page.get_by_role("link", name="as text").first.click()
    expect(page.locator("#pane")).to_have_count(0)
    page.wait_for_load_state()
    assert json.loads(page.locator("body").inner_text())[1]["content"] == "Weather in Paris?"
    context.close()


def test_an_unknown_trace_says_what_to_do(page: Page, server: Server) -> None:
    answer = page.goto(f"{server.url}/traces/{secrets.token_hex(16)}")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("main")).to_contain_text("flush()")


def test_a_trace_of_many_spans_stays_usable(page: Page, server: Server) -> None:
    trace_id, root = secrets.token_hex(16), secrets.token_hex(8)
    steps = [span(trace_id, secrets.token_hex(8), root, f"step {n}", at=n / 100, seconds=0.5) for n in range(1_500)]
    send(server, span(trace_id, root, name="root", seconds=20), *steps)
    page.goto(f"{server.url}/traces/{trace_id}")
    expect(page.locator("#tree li")).to_have_count(1_501)
    page.locator("#tree a", has_text=re.compile("step 1499")).click()
    expect(page.locator("#pane h2")).to_contain_text("step 1499")


def test_a_prompt_of_five_megabytes_is_cut_and_one_link_away(page: Page, server: Server) -> None:
    prompt = "word " * 1_000_000
    trace_id = generation(
        server, "reader", langfuse__observation__input=prompt, langfuse__observation__output="A" * 300_000
    )
    page.goto(f"{server.url}/traces/{trace_id}")
    expect(page.locator("#pane")).to_contain_text("4,800,000 more characters are not shown")
    href = page.get_by_role("link", name="Open all 5,000,000 characters").get_attribute("href")
    answer = page.request.get(f"{server.url}{href}")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.text() == prompt
    assert len(page.content()) < 2_000_000
