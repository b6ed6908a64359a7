"""The pages in a real browser, against a real server."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser import PHONE, fits, logged_in
from tests.running import Server
from tests.spans import agent, attribute, generation, send, span

EVIL = "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">'\"--></textarea>\u202egnp\x1b[31m"


@pytest.fixture
def user() -> str:
    """A user of the test's own, by whom its rows are told from those of other tests."""
    return f"user-{secrets.token_hex(6)}"


def rows(page: Page) -> Any:
    return page.locator("#rows tr[data-time]")


def names(page: Page) -> Any:
    return page.locator("#rows b")


def numbered(*numbers: int) -> list[str]:
    """Return the names that `many` gives."""
    return [f"n{number}" for number in numbers]


def scroll_down(page: Page, count: int) -> None:
    """Go to the end of the list again and again, as who wants to see it all, until it has so many rows."""
    while (before := rows(page).count()) < count:
        page.keyboard.press("Home")
        page.keyboard.press("End")
        expect(rows(page)).not_to_have_count(before)
    expect(rows(page)).to_have_count(count)


# --- in and out -----------------------------------------------------------------------------------------------------


def test_strangers_log_in_and_come_back_to_where_they_wanted(browser: Browser, server: Server) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{server.url}/generations?level=ERROR")
    expect(page).to_have_url(re.compile(r"/login\?next="))
    page.get_by_label("Public key").fill(server.public_key)
    page.get_by_label("Secret key").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("No key of this server")
    page.get_by_label("Public key").fill(server.public_key)
    page.get_by_label("Secret key").fill(server.secret_key)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{server.url}/generations?q=level%3AERROR")
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile("/login"))
    page.goto(server.url)
    expect(page).to_have_url(re.compile("/login"))
    page.context.close()


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/\tevil"])
def test_login_leads_to_this_server_alone(server: Server, target: str) -> None:
    form = {"public_key": server.public_key, "secret_key": server.secret_key, "next": target}
    answer = httpx.post(f"{server.url}/login", data=form, trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_forms_of_other_sites_are_refused(server: Server) -> None:
    form = {"public_key": server.public_key, "secret_key": server.secret_key}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        answer = httpx.post(f"{server.url}/login", data=form, headers=headers, trust_env=False)
        assert answer.status_code == 403
    same = httpx.post(f"{server.url}/login", data=form, headers={"Origin": server.url}, trust_env=False)
    assert same.status_code == 303


def test_an_expired_session_leads_a_fragment_to_the_login(server: Server) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"{server.url}/generations?live=1"}
    answer = httpx.get(f"{server.url}/lists/generations/rows", headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/login?next=%2Fgenerations%3Flive%3D1"


def test_every_page_carries_the_security_headers(browser: Browser, server: Server, user: str) -> None:
    trace_id = generation(server, user)
    context = logged_in(browser, server)
    for path in (
        "/",
        "/login",
        "/generations",
        "/lists/generations/rows",
        "/lists/traces/facets",
        "/lists/spans/histogram",
        "/traces",
        "/spans",
        f"/traces/{trace_id}",
        "/traces/none",
        "/api/docs",
    ):
        answer = context.request.get(server.url + path, max_redirects=0)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script>|<[^>]*\s(style|on\w+)=", answer.text())
    context.close()


# --- generations ----------------------------------------------------------------------------------------------------


def test_an_empty_project_shows_how_to_begin_and_turns_into_the_list(browser: Browser, project: Server) -> None:
    page = logged_in(browser, project).new_page()
    page.goto(project.url)
    expect(page.get_by_role("heading", name="Send the first generation")).to_be_visible()
    expect(page.locator(".p-genscope")).to_contain_text(f'GENSCOPE_URL="{project.url}"')
    expect(page.locator(".p-genscope")).to_contain_text(project.public_key)
    assert project.secret_key not in page.content()
    page.get_by_text("curl", exact=True).click()
    expect(page.locator(".p-curl")).to_contain_text(f"{project.url}/v1/traces")
    expect(page.locator(".p-genscope")).to_be_hidden()
    generation(project, "alice")
    expect(rows(page)).to_have_count(1)
    page.context.close()


def test_a_login_link_is_spent_and_gone_from_the_address(browser: Browser, server: Server) -> None:
    link = server.url + re.findall(r"/login\?token=\S+", "".join(server.output))[-1]
    page = browser.new_context().new_page()
    page.goto(link)
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect(page).not_to_have_url(re.compile("token"))
    spent = browser.new_context().new_page()
    spent.goto(link)
    expect(spent.get_by_role("alert")).to_contain_text("used already")
    spent.context.close()
    page.context.close()


def test_a_row_says_what_a_generation_was_and_took(page: Page, server: Server, user: str) -> None:
    trace_id = generation(server, user, langfuse__environment="staging")
    page.goto(f"{server.url}/generations?user_id={user}")
    row = rows(page).first
    expect(row.locator(".c-name")).to_have_text("draft-reply")
    expect(row.get_by_title("Environment: staging")).to_have_text("staging")
    expect(row).to_contain_text("gpt-4o")
    expect(row.locator(".c-input")).to_have_text("Where is it?")
    expect(row.locator(".c-output")).to_have_text("On its way.")
    expect(row.locator(".c-tokens")).to_contain_text("1,000 → 50")
    expect(row.locator(".c-tokens")).to_contain_text("80 % cached")
    expect(row.locator(".c-cost")).to_have_text("$0.002")
    expect(row.locator(".c-latency")).to_contain_text("1.00 s")
    row.get_by_role("link").click()
    page.wait_for_url(re.compile(f"/traces/{trace_id}\\?span="))
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{server.url}/generations?q=user%3A{user}")


def test_an_unknown_cost_is_no_zero_and_says_why(page: Page, server: Server, user: str) -> None:
    generation(server, user, langfuse__observation__model__name="home-made-7b")
    page.goto(f"{server.url}/generations?user_id={user}")
    cost = rows(page).first.locator(".c-cost span")
    expect(cost).to_have_text("—")
    expect(cost).to_have_attribute("title", "No cost: no price is known for this model.")


def test_a_total_alone_is_shown_as_such(page: Page, server: Server, user: str) -> None:
    trace_id = generation(server, user, langfuse__observation__usage_details={"total": 1234})
    page.goto(f"{server.url}/generations?user_id={user}")
    expect(rows(page).first.locator(".c-tokens")).to_have_text("1,234 in all")
    title = "No cost: the sender told neither input nor output tokens."
    expect(rows(page).first.locator(".c-cost span")).to_have_attribute("title", title)
    page.goto(f"{server.url}/traces/{trace_id}")
    expect(page.locator("#pane .facts")).to_contain_text("1,234 in all")
    expect(page.locator("#pane")).to_contain_text(title)


def test_filters_live_in_the_url(page: Page, server: Server, user: str) -> None:
    generation(server, user, langfuse__observation__model__name=f"model-{user}")
    generation(server, user, at=-7200, langfuse__observation__level="ERROR")
    page.goto(f"{server.url}/generations?user_id={user}")
    expect(page).to_have_url(f"{server.url}/generations?q=user%3A{user}")
    expect(rows(page)).to_have_count(2)

    page.get_by_role("link", name="1 h", exact=True).click()
    expect(page).to_have_url(f"{server.url}/generations?q=user%3A{user}&from=1h")
    expect(rows(page)).to_have_count(1)
    page.go_back()
    expect(rows(page)).to_have_count(2)

    page.keyboard.press("/")
    page.keyboard.press("End")
    page.keyboard.type(" level:ERROR")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{server.url}/generations?q=user%3A{user}+level%3AERROR")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("combobox", name="Filter").fill("nonsense:1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("there is no field 'nonsense'")
    expect(page.get_by_role("alert").locator("pre")).to_have_text("nonsense:1\n^")
    page.goto(f"{server.url}/generations?q=user:{user}&from=yesterday")
    expect(page.get_by_role("alert")).to_contain_text("neither an ISO 8601 time nor an age")
    page.get_by_label("Remove the time range").click()
    expect(rows(page)).to_have_count(2)


def test_a_form_without_scripts_gives_the_same_url(browser: Browser, server: Server, user: str) -> None:
    trace_id = generation(server, user, langfuse__observation__level="ERROR")
    context = logged_in(browser, server, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}/generations?user_id={user}")
    page.get_by_label("Filter").fill(f"user:{user} name:draft-reply")
    page.get_by_label("Filter").press("Enter")
    expect(page).to_have_url(f"{server.url}/generations?q=user%3A{user}+name%3Adraft-reply")
    page.get_by_text("Columns", exact=True).first.click()
    page.get_by_label("Model", exact=True).uncheck()
    page.get_by_label("Sort by").select_option("-cost")
    page.get_by_role("button", name="Apply").last.click()
    expect(page).to_have_url(
        re.compile(r"&sort=-cost&columns=time%2Cname%2Cuser%2Cinput%2Coutput%2Ctokens%2Ccost%2Clatency$")
    )
    rows(page).first.get_by_role("link").click()
    expect(page).to_have_url(re.compile(trace_id))
    expect(page.locator("#pane")).to_contain_text("On its way.")
    context.close()


def many(server: Server, user: str, numbers: range) -> None:
    """Send generations n0, n1 ... of a user, each a second older than the one before."""
    now = time.time()
    fields: dict[str, Any] = {"user__id": user, "gen_ai__operation__name": "chat"}
    send(
        server,
        *(
            span(secrets.token_hex(16), secrets.token_hex(8), name=f"n{n}", at=now - n - time.time(), **fields)
            for n in numbers
        ),
    )


def test_pages_follow_each_other_without_scripts(browser: Browser, server: Server, user: str) -> None:
    many(server, user, range(120))
    context = logged_in(browser, server, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}/generations?user_id={user}&live=1")
    expect(names(page)).to_have_text(numbered(*range(50)))
    for numbers in (range(50, 100), range(100, 120)):
        page.get_by_role("link", name="Older generations").click()
        expect(names(page)).to_have_text(numbered(*numbers))
    expect(page.get_by_role("link", name="Older generations")).to_have_count(0)
    expect(page.locator("[data-live]")).to_have_count(0)
    page.get_by_role("link", name="Newest generations").click()
    expect(page).to_have_url(f"{server.url}/generations?q=user%3A{user}&live=1")
    answer = page.goto(f"{server.url}/generations?cursor=nonsense")
    assert answer is not None
    assert answer.status == 400
    context.close()


def test_scrolling_shows_every_generation_once(page: Page, server: Server, user: str) -> None:
    many(server, user, range(120))
    page.goto(f"{server.url}/generations?user_id={user}")
    expect(rows(page)).to_have_count(50)
    scroll_down(page, 120)
    expect(names(page)).to_have_text(numbered(*range(120)))
    expect(page.locator("tr.more")).to_have_count(0)


def test_auto_refresh_adds_rows_in_their_places_and_keeps_the_focus(page: Page, server: Server, user: str) -> None:
    generation(server, user, at=-60, name="first")
    page.goto(f"{server.url}/generations?user_id={user}&live=1")
    page.keyboard.press("j")
    expect(rows(page).first.get_by_role("link")).to_be_focused()
    generation(server, user, name="newest")
    generation(server, user, at=-900, name="late arrival")
    expect(rows(page)).to_have_count(3)
    expect(names(page)).to_have_text(["newest", "first", "late arrival"])
    expect(rows(page).nth(1).get_by_role("link")).to_be_focused()


def test_auto_refresh_leaves_no_hole_after_a_burst(page: Page, server: Server, user: str) -> None:
    many(server, user, range(160, 220))
    page.goto(f"{server.url}/generations?user_id={user}&live=1")
    expect(rows(page)).to_have_count(50)
    many(server, user, range(120))
    expect(rows(page)).to_have_count(170)
    expect(page.locator("tr.between")).to_have_count(0)
    scroll_down(page, 180)
    expect(names(page)).to_have_text(numbered(*range(120), *range(160, 220)))


def test_auto_refresh_says_where_rows_are_left_out(page: Page, server: Server, user: str) -> None:
    many(server, user, range(1000, 1003))
    page.goto(f"{server.url}/generations?user_id={user}&live=1")
    expect(rows(page)).to_have_count(3)
    many(server, user, range(600))
    expect(rows(page)).to_have_count(503)
    between = page.locator("tr.between")
    expect(between).to_have_count(1)
    expect(between.locator("xpath=preceding-sibling::tr[1]")).to_contain_text("n499")
    expect(between.locator("xpath=following-sibling::tr[1]")).to_contain_text("n1000")
    between.get_by_role("link").click()
    expect(rows(page)).to_have_count(50)


def test_auto_refresh_of_an_empty_list_goes_on_by_scrolling(page: Page, server: Server, user: str) -> None:
    page.goto(f"{server.url}/generations?user_id={user}&live=1")
    many(server, user, range(510))
    expect(rows(page)).to_have_count(500)
    scroll_down(page, 510)
    expect(names(page)).to_have_text(numbered(*range(510)))


def test_keys_move_through_rows_and_show_help(page: Page, server: Server, user: str) -> None:
    generation(server, user, at=-10, name="older")
    generation(server, user, name="newer")
    page.goto(f"{server.url}/generations?user_id={user}")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    for key, focused in (("j", 0), ("ArrowDown", 1), ("k", 0), ("j", 1)):
        page.keyboard.press(key)
        expect(rows(page).nth(focused).get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("older")


# --- everywhere -----------------------------------------------------------------------------------------------------


def test_files_are_kept_by_version_and_never_guessed_at(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/generations")
    sheet = page.locator("link[rel=stylesheet]").first.get_attribute("href")
    for path, kept in ((sheet, "public, max-age=31536000, immutable"), ("/static/lists.js", "no-cache")):
        answer = httpx.get(f"{server.url}{path}", trust_env=False)
        assert answer.headers["cache-control"] == kept
        assert answer.headers["x-content-type-options"] == "nosniff"
        again = httpx.get(f"{server.url}{path}", headers={"If-None-Match": answer.headers["etag"]}, trust_env=False)
        assert again.status_code == 304
    assert httpx.get(f"{server.url}/static/genscope.css?v=0", trust_env=False).headers["cache-control"] == "no-cache"


def test_an_error_is_a_sentence_and_leads_back(page: Page, server: Server) -> None:
    answer = page.goto(f"{server.url}/nowhere")
    assert answer is not None
    assert answer.status == 404
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    expect(page.locator("main")).to_contain_text("There is nothing at this address.")
    page.get_by_role("link", name="See the latest generations").click()
    expect(page).to_have_url(f"{server.url}/generations")


def test_the_api_is_described_in_groups_of_routes(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/api/docs")
    assert page.get_by_role("heading", level=2).all_inner_texts()[:2] == ["Send", "Read"]
    sending = page.locator("article", has_text="POST /v1/traces")
    expect(sending.locator("h3")).to_have_count(6)
    listing = page.locator("article", has_text="GET /api/v1/generations")
    listing.locator("summary").click()
    expect(listing.locator("dt", has_text="level")).to_be_visible()


def test_hostile_content_is_inert(page: Page, server: Server, user: str) -> None:
    trace_id = secrets.token_hex(16)
    hostile = [attribute(EVIL, EVIL), attribute("plain", {EVIL: [EVIL]})]
    sent = span(
        trace_id,
        secrets.token_hex(8),
        name=EVIL,
        langfuse__trace__name=EVIL,
        session__id=EVIL,
        langfuse__observation__model__name=EVIL,
        langfuse__observation__input=[
            {"role": EVIL, "content": [{"type": "image_url", "image_url": {"url": EVIL}}, EVIL]}
        ],
        langfuse__observation__output=EVIL,
        langfuse__observation__type="generation",
        langfuse__observation__metadata__evil=EVIL,
        langfuse__observation__metadata={EVIL: EVIL, "nested": {EVIL: EVIL}},
        langfuse__trace__metadata={EVIL: EVIL},
        langfuse__trace__tags=[EVIL],
        langfuse__observation__model__parameters={EVIL: EVIL},
        langfuse__observation__usage_details={"input": 5, "output": 5, EVIL: 3},
        langfuse__observation__cost_details={"total": 1, EVIL: 1},
        langfuse__observation__prompt__name=EVIL,
        langfuse__observation__prompt__version=7,
        langfuse__environment=EVIL,
        langfuse__release=EVIL,
        langfuse__version=EVIL,
        user__id=user,
        status={"code": 2, "message": EVIL},
        events=[
            {"name": EVIL, "timeUnixNano": str(time.time_ns()), "attributes": hostile},
            {
                "name": "exception",
                "timeUnixNano": str(time.time_ns()),
                "attributes": [attribute(f"exception.{part}", EVIL) for part in ("type", "message", "stacktrace")],
            },
        ],
        evil_attribute=EVIL,
    )
    sent["attributes"] += hostile
    sent["traceState"] = EVIL
    sent["links"] = [{"traceId": "ab" * 16, "spanId": "cd" * 8, "attributes": hostile}]
    scope = {"name": EVIL, "version": EVIL, "attributes": hostile}
    body = {"resourceSpans": [{"resource": {"attributes": hostile}, "scopeSpans": [{"scope": scope, "spans": [sent]}]}]}
    assert server.send(body).json() == {}
    for path, times in ((f"/generations?user_id={user}", 5), (f"/traces/{trace_id}", 30)):
        page.goto(server.url + path)
        expect(page.locator("main")).to_contain_text("<script>document.title='pwned'")
        assert (page.locator("main").text_content() or "").count("<script>document.title='pwned'") >= times
        assert "pwned" not in page.title().split("<script>")[0]
        assert page.locator("main script, main img, main [onerror]").count() == 0
        text = page.locator("body").text_content() or ""
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_nothing_is_cut_at_phone_width(browser: Browser, server: Server, user: str) -> None:
    trace_id = agent(server)
    generation(server, user, name="x" * 300, langfuse__observation__model__name="y" * 300)
    context = logged_in(browser, server, viewport=PHONE)
    page = context.new_page()
    for path in ("/generations", f"/generations?user_id={user}", f"/traces/{trace_id}", "/traces/none", "/api/docs"):
        page.goto(server.url + path)
        fits(page)
    context.close()


def test_pages_load_little(browser: Browser, server: Server, user: str) -> None:
    trace_id = generation(server, user)
    context = logged_in(browser, server)
    for path in (f"/generations?user_id={user}", f"/traces/{trace_id}"):
        page = context.new_page()
        loaded: list[Request] = []

        def finished(request: Request, loaded: list[Request] = loaded) -> None:
            loaded.append(request)

        page.on("requestfinished", finished)
        page.goto(server.url + path, wait_until="networkidle")
        assert len(loaded) >= 5
        assert sum(request.sizes()["responseBodySize"] for request in loaded) < 200_000
    context.close()
