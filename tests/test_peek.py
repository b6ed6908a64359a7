"""A row of a list beside the list."""

from __future__ import annotations

import re
import secrets
from urllib.parse import quote

from playwright.sync_api import Browser, Page, expect

from tests.browser import PHONE, accessible, logged_in
from tests.running import Server
from tests.spans import generation


def test_a_panel_follows_the_focused_row_and_is_in_the_url(page: Page, server: Server) -> None:
    user = f"user-{secrets.token_hex(6)}"
    ids = [generation(server, user, at=-60 * n, name=f"n{n}") for n in range(3)]
    page.goto(f"{server.url}/generations?q=user:{user}")
    panel = page.locator("#peek")
    expect(panel).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(panel.get_by_role("heading", name="n0")).to_be_visible()
    expect(panel).to_contain_text("On its way.")
    expect(page).to_have_url(re.compile(f"peek={ids[0]}"))
    page.keyboard.press("j")
    expect(panel.get_by_role("heading", name="n1")).to_be_visible()
    accessible(page)
    page.keyboard.press("Space")
    expect(panel.get_by_role("button", name="Previous row (k)")).to_be_focused()
    page.keyboard.press("j")
    expect(panel.get_by_role("heading", name="n2")).to_be_visible()
    page.keyboard.press("k")
    expect(panel.get_by_role("heading", name="n1")).to_be_visible()
    shared = page.url
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page).to_have_url(f"{server.url}/generations?q=user%3A{user}")
    expect(page.locator("#rows tr").nth(1).get_by_role("link")).to_be_focused()
    page.goto(shared)
    expect(panel.get_by_role("heading", name="n1")).to_be_visible()
    panel.get_by_role("link", name="Open trace").click()
    expect(page).to_have_url(re.compile(f"/traces/{ids[1]}\\?span="))


def test_on_a_phone_it_is_a_sheet_over_the_list_of_traces(browser: Browser, server: Server) -> None:
    user = f"user-{secrets.token_hex(6)}"
    trace_id = generation(server, user)
    context = logged_in(browser, server, viewport=PHONE)
    page = context.new_page()
    page.goto(f"{server.url}/traces?q=user:{user}")
    page.get_by_role("button", name="Peek at").click()
    panel = page.locator("#peek")
    expect(panel.get_by_role("heading", name="draft-reply")).to_be_visible()
    expect(page).to_have_url(re.compile(f"peek={trace_id}"))
    assert panel.evaluate("panel => panel.getBoundingClientRect().width") == PHONE["width"]
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()
    for at, status in (("", 400), ("a/b/c", 400), ("none", 404), (f"{trace_id}/none", 404)):
        assert context.request.get(f"{server.url}/peek?at={quote(at)}").status == status
    context.close()
