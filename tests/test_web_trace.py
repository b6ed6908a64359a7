"""The page of a trace in a real browser, against a real server."""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import PHONE, accessible, fits, logged_in, sound
from tests.running import Server
from tests.spans import agent, generation, send, span

EVIL = "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">\u202egnp\x1b[31m"


def test_a_trace_is_a_tree_beside_the_chosen_span(page: Page, server: Server) -> None:
    trace_id = agent(server)
    page.goto(f"{server.url}/project/default/traces/{trace_id}")
    expect(page).to_have_url(f"{server.url}/traces/{trace_id}")
    expect(page.locator("#tree .n")).to_have_text(["answer", "draft", "look-up", "orphan", "cycle-a", "cycle-b"])
    expect(page.locator("#tree em", has_text="parent missing")).to_have_count(2)
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


def test_a_trace_of_ten_thousand_spans_stays_usable(page: Page, server: Server) -> None:
    trace_id, root = secrets.token_hex(16), secrets.token_hex(8)
    begin = time.time()
    steps = []
    for n in range(10_000):
        fields: dict[str, Any] = {"status": {"code": 2, "message": "no"}} if n in (3_333, 8_888) else {}
        if n == 7_777:
            fields["langfuse__observation__output"] = 'a needle in "hay"'
        at = n / 100 + begin - time.time()
        steps.append(span(trace_id, secrets.token_hex(8), root, f"step {n}", at=at, seconds=0.005, **fields))
    send(server, span(trace_id, root, name="root", seconds=101, at=begin - time.time()))
    for n in range(0, len(steps), 2_500):
        send(server, *steps[n : n + 2_500])

    answer = page.goto(f"{server.url}/traces/{trace_id}")
    assert answer is not None
    assert answer.headers["content-encoding"] == "gzip"
    pane, rows = page.locator("#pane h2"), page.locator("#tree li")
    expect(page.locator(".tree-head")).to_contain_text("10,001 spans")
    expect(rows.first).to_contain_text("root")
    assert rows.count() < 500
    # To the end by scrolling: only what is in sight is there.
    page.locator(".tree").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    page.locator("#tree a", has_text=re.compile("step 9999")).click()
    expect(pane).to_contain_text("step 9999")
    assert rows.count() < 500

    page.keyboard.press("[")
    expect(pane).to_contain_text("step 8888")
    expect(page.locator("#tree a[aria-current]")).to_be_in_viewport()
    page.keyboard.press("]")
    expect(pane).to_contain_text("step 3333")
    page.get_by_label("Unfold the tree to a depth").select_option("0")
    expect(rows).to_have_count(1)
    page.keyboard.press("Escape")
    page.goto(f"{server.url}/traces/{trace_id}?depth=0")
    expect(page.locator("#tree li:visible")).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.type('NEEDLE in "hay"')
    page.keyboard.press("Enter")
    expect(page.locator(".within output")).to_have_text("1 span")
    expect(pane).to_contain_text("step 7777")
    expect(page.locator("#tree .hit")).to_be_in_viewport()
    page.goto(f"{server.url}/traces/{trace_id}?show=errors")
    expect(page.locator("#tree .n")).to_have_text(["root", "step 3333", "step 8888"])


def test_a_trace_is_found_in_filtered_folded_and_zoomed_and_all_of_it_is_in_the_url(page: Page, server: Server) -> None:
    trace_id = agent(server)
    page.goto(f"{server.url}/traces/{trace_id}?view=timeline")
    expect(page.get_by_role("link", name="Timeline")).to_have_attribute("aria-current", "page")
    expect(page.locator(".axis text").first).to_have_text("0")
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("zoom=25-75"))
    axis = page.locator(".axis").bounding_box()
    assert axis is not None
    page.mouse.move(axis["x"] + axis["width"] * 0.25, axis["y"] + 8)
    page.mouse.down()
    page.mouse.move(axis["x"] + axis["width"] * 0.75, axis["y"] + 8)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"zoom=37\.\d+-62\.\d+"))
    zoomed = page.locator(".axis").inner_text()
    page.reload()
    expect(page.locator(".axis")).to_have_text(re.compile(re.escape(zoomed.split("\n")[0])))
    page.keyboard.press("0")
    expect(page).not_to_have_url(re.compile("zoom"))

    page.locator(".shown").get_by_role("link", name="Errors").click()
    expect(page.locator("#tree .n")).to_have_text(["answer", "look-up"])
    expect(page.locator("#pane h2")).to_contain_text("look-up")
    page.locator(".shown").get_by_role("link", name="Errors").click()
    expect(page.locator("#tree li")).to_have_count(6)
    page.get_by_label("Find in this trace").fill("weather in PARIS")
    page.keyboard.press("Enter")
    expect(page.locator(".within output")).to_have_text("1 span")
    expect(page.locator("#pane h2")).to_contain_text("draft")
    expect(page).to_have_url(re.compile(r"view=timeline.*find=weather"))
    page.get_by_role("link", name="Tree").click()
    expect(page.locator("#tree .hit .n")).to_have_text(["draft"])
    expect(page).not_to_have_url(re.compile("view="))
    page.wait_for_load_state()
    page.keyboard.press("]")
    expect(page.locator("#pane h2")).to_contain_text("look-up")
    page.keyboard.press("n")
    expect(page.locator("#pane h2")).to_contain_text("draft")
    page.locator("#tree a", has_text="answer").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tree li:visible .n")).to_have_text(["answer", "orphan", "cycle-a", "cycle-b"])


def test_a_trace_is_read_as_one_conversation(page: Page, server: Server) -> None:
    trace_id = agent(server)
    page.goto(f"{server.url}/traces/{trace_id}?view=conversation")
    said = page.locator(".dialogue")
    expect(said.locator(".agent-of")).to_have_text("answer")
    for text in ("Be brief.", "Weather in Paris?", "→ get_weather", "Clear.", "It is clear."):
        expect(said).to_contain_text(text)
    called = said.locator(".tool.answered")
    expect(called).to_have_count(1)
    expect(called.locator(".result")).to_contain_text("Clear.")
    said.get_by_role("link", name="draft").click()
    expect(page).to_have_url(re.compile(f"/traces/{trace_id}\\?span="))
    expect(page.locator("#pane h2")).to_contain_text("draft")


def test_a_span_reads_as_a_chat_and_as_it_was_sent_and_can_be_repeated(page: Page, server: Server) -> None:
    answer = "# Result\n\n- *one*\n- [two](javascript:alert(1))\n\n```python\nprint(1)\n```"
    trace_id = generation(server, "reader", langfuse__observation__output=answer, name="draft & reply")
    page.goto(f"{server.url}/traces/{trace_id}")
    pane = page.locator("#pane")
    expect(pane.locator(".md h5")).to_have_text("Result")
    expect(pane.locator(".md li em")).to_have_text("one")
    assert pane.locator(".md a").count() == 0
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane.get_by_label("Copy code").click()
    expect(pane.get_by_label("Copy code")).to_have_text("copied")
    assert page.evaluate("navigator.clipboard.readText()") == "print(1)\n"

    pane.get_by_role("link", name="As plain text").click()
    expect(page).to_have_url(re.compile("text=plain"))
    expect(pane.locator(".text").last).to_contain_text("# Result")
    page.reload()
    pane.get_by_role("link", name="As markdown").click()
    expect(pane.locator(".md h5")).to_have_text("Result")

    pane.get_by_text("As it was sent").first.click()
    expect(pane.locator(".json > li > details > ul > li")).to_have_count(2)
    pane.locator(".json summary", has_text="1:").click()
    expect(pane.locator(".json .s").last).to_have_text('"Where is it?"')
    pane.locator(".json li li .copy").last.click()
    expect(pane.locator(".json li li .copy").last).to_have_text("copied")
    assert page.evaluate("navigator.clipboard.readText()") == "Where is it?"

    pane.get_by_text("Repeat this call").click()
    pane.get_by_text("curl", exact=True).click()
    expect(pane.locator(".snippet pre").first).to_contain_text("curl https://api.openai.com/v1/chat/completions")
    pane.get_by_text("Open in filter").click()
    pane.get_by_role("link", name="This name and model").click()
    expect(page).to_have_url(re.compile(r"/spans\?q=name"))
    page.wait_for_load_state()
    expect(page.locator("main")).to_contain_text("draft & reply")


def test_what_is_hostile_is_inert_in_every_view(page: Page, server: Server) -> None:
    trace_id, root = secrets.token_hex(16), secrets.token_hex(8)
    bomb = (
        "".join(f"{'> ' * n}{EVIL}\n" for n in range(60))
        + "[" * 2_000
        + f"\n![x](https://e.example/{EVIL})\n```{EVIL}\n{EVIL}\n```"
    )
    tool = {"id": EVIL, "function": {"name": EVIL, "arguments": json.dumps({EVIL: EVIL})}}
    deep: Any = EVIL
    for _ in range(200):
        deep = [deep]
    send(
        server,
        span(trace_id, root, name=EVIL, langfuse__observation__type="agent", langfuse__trace__name=EVIL),
        span(
            trace_id,
            secrets.token_hex(8),
            root,
            EVIL,
            langfuse__observation__type="generation",
            langfuse__observation__model__name=EVIL,
            langfuse__observation__input=[
                {"role": "user", "content": bomb},
                {"role": "assistant", "content": EVIL, "reasoning_content": EVIL, "tool_calls": [tool]},
                {"role": "tool", "tool_call_id": EVIL, "content": EVIL},
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"javascript:{EVIL}"}}]},
            ],
            langfuse__observation__output=json.dumps({"role": "assistant", "content": EVIL, "deep": deep}),
            status={"code": 2, "message": EVIL},
        ),
    )
    find = f"find={EVIL[:20]}"
    for query in ("", "?view=timeline&show=errors", "?view=conversation", "?text=plain", f"?{find}", f"?span={EVIL}"):
        page.goto(f"{server.url}/traces/{trace_id}{query}")
        expect(page.locator("main")).to_contain_text("<script>document.title='pwned'")
        assert page.locator("main script, main img, main [onerror], main [style*=expression]").count() == 0
        assert page.locator("main a[href^='javascript'], main a[href^='data']").count() == 0
        text = page.locator("body").text_content() or ""
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "pwned" not in page.title().split("<script>")[0]
    page.goto(f"{server.url}/traces/{trace_id}?show=errors")
    page.get_by_text("As it was sent").first.click()
    expect(page.locator(".json").first).to_be_visible()
    assert "\u202e" not in (page.locator(".json").first.text_content() or "")


@pytest.mark.parametrize("view", ["", "?view=timeline", "?view=conversation"])
def test_a_trace_is_accessible_and_fits_a_phone(browser: Browser, server: Server, view: str) -> None:
    trace_id = agent(server)
    with sound(logged_in(browser, server, viewport=PHONE)) as page:
        page.goto(f"{server.url}/traces/{trace_id}{view}")
        expect(page.locator("main")).to_contain_text("answer")
        fits(page)
        accessible(page)


def test_a_trace_is_json_at_its_url_and_links_of_langfuse_lead_to_its_spans(browser: Browser, server: Server) -> None:
    trace_id = agent(server)
    context = logged_in(browser, server)

    def get(path: str) -> Any:
        return context.request.get(f"{server.url}{path}", max_redirects=0)

    shown = get(f"/traces/{trace_id}.json").json()
    assert shown == server.get(f"/api/v1/traces/{trace_id}")
    [draft] = [one["span_id"] for one in shown["spans"] if one["name"] == "draft"]
    sent = get(f"/traces/{trace_id}.otlp.json").json()
    assert sent == server.get(f"/api/v1/traces/{trace_id}/otlp")
    for path in (f"/project/any/traces/{trace_id}?observation={draft}", f"/trace/{trace_id}?observation={draft}"):
        assert get(path).headers["location"] == f"/traces/{trace_id}?span={draft}"
    assert get("/traces/none.json").status == 404
    assert get("/traces/none.otlp.json").status == 404
    assert "curl" in get(f"/traces/{trace_id}/spans/{draft}/call.sh").text()
    assert get(f"/traces/{trace_id}/spans/{draft}/call.rb").status == 404
    assert get(f"/traces/{trace_id}/spans/none").status == 404
    for bad in (
        "?view=x",
        "?depth=-1",
        "?depth=99999999999",
        "?view=conversation&after=x",
        "?show=x",
        "?text=x",
        "?zoom=9-",
    ):
        assert get(f"/traces/{trace_id}{bad}").status == 200
    context.close()


def test_a_trace_sums_up_to_its_summary_where_calls_are_told_twice(page: Page, server: Server) -> None:
    """An instrumentation tells of a call, and beneath it the SDK; the agent around both repeats the sum."""
    trace_id, root, call = secrets.token_hex(16), secrets.token_hex(8), secrets.token_hex(8)
    begin = time.time()

    def told(span_id: str, parent: str, name: str, at: float, seconds: float, **fields: Any) -> dict[str, Any]:
        usage = {"gen_ai__usage__input_tokens": 1000, "gen_ai__usage__output_tokens": 50}
        given = {"gen_ai__operation__name": "chat", "gen_ai__request__model": "gpt-4o", **usage} | fields
        return span(trace_id, span_id, parent, name, at=begin + at - time.time(), seconds=seconds, **given)

    outer = [told(root, "", "agent", 0, 4, gen_ai__operation__name="invoke_agent"), told(call, root, "outer", 1, 2)]
    inner = [told(secrets.token_hex(8), call, "sdk", 1.1, 1.8)]
    other = [told(secrets.token_hex(8), root, "alone", 3.2, 0.5, gen_ai__request__model="no-such-model")]
    scopes = [
        {"scope": {"name": name}, "spans": spans}
        for name, spans in (("wrapper", outer), ("sdk", inner), ("wrapper", other))
    ]
    assert server.send({"resourceSpans": [{"scopeSpans": scopes}]}).json() == {}
    page.goto(f"{server.url}/traces/{trace_id}?view=timeline")
    rows = page.locator("#tree li")
    expect(rows).to_have_count(4)
    expect(rows.filter(has_text="outer").locator(".again")).to_have_text("told twice")
    expect(page.locator(".trace-head")).to_contain_text("2,000 → 100")
    expect(rows.first.locator(".k")).to_have_text("2,000 → 100")
    expect(rows.first.locator(".c")).to_have_attribute(
        "title", re.compile(r"2 calls to models within, 1 unpriced: 2,000 → 100 tokens, \$0\.003")
    )


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
