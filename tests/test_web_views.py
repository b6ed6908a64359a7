"""Saved views: by API, by forms without scripts, and from the menu of a list."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from genscope.views import PAGES, SavedView, checked, named
from genscope.web.frame import NAVIGATION
from tests.browser import accessible
from tests.running import Server


def test_every_page_can_be_saved() -> None:
    assert {name for name, _ in NAVIGATION} <= set(PAGES)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/generations",
        "//evil.example/generations",
        "/\\evil.example",
        "javascript:alert(1)",
        "/generations#x",
        "/login?next=//evil.example",
        "/generations/../login",
        "generations",
        "http://[",
        "",
        "/generations?q=" + "x" * 5000,
    ],
)
def test_nothing_but_a_page_of_this_server_is_kept(url: str) -> None:
    with pytest.raises(ValueError, match=r"^url: "):
        checked("a", url)


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x1b[31m", "a\u202eb"])
def test_a_name_is_short_and_shows(name: str) -> None:
    with pytest.raises(ValueError, match=r"^name: "):
        named(name)


def test_where_somebody_was_in_a_view_is_no_part_of_it() -> None:
    view = checked("  two \n words ", "/generations?q=level%3AERROR&from=24h&cursor=abc&peek=t%2Fs")
    assert view == SavedView("two words", "/generations?q=level%3AERROR&from=24h")
    assert (view.page, view.told) == ("generations", "level:ERROR · from: 24h")


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    """What a browser that is logged in, and runs no scripts, can do."""
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as opened:
        form = {"public_key": server.public_key, "secret_key": server.secret_key}
        assert opened.post("/login", data=form).status_code == 303
        yield opened


def names(server: Server) -> dict[str, str]:
    return {view["name"]: view["url"] for view in server.get("/api/v1/views")["data"]}


def test_views_are_saved_replaced_renamed_and_deleted(server: Server, client: httpx.Client) -> None:
    saved = client.post("/views", data={"name": "Failures", "url": "/generations?q=level%3AERROR"})
    assert (saved.status_code, saved.headers["location"]) == (303, "/generations?q=level%3AERROR")
    client.post("/views", data={"name": "Failures", "url": "/traces?q=level%3AERROR&from=24h"})
    client.post("/views", data={"name": "<script>", "url": "/spans"})
    assert names(server) == {"<script>": "/spans", "Failures": "/traces?q=level%3AERROR&from=24h"}
    shown = client.get("/views").text
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert "&lt;script&gt;" in client.get("/views/menu").text
    assert [view["name"] for view in client.get("/views.json").json()["data"]] == ["<script>", "Failures"]

    taken = client.post("/views/rename", data={"name": "Failures", "to": "<script>"})
    assert (taken.status_code, "There is another view" in taken.text) == (400, True)
    assert client.post("/views/rename", data={"name": "Failures", "to": "Broken"}).status_code == 303
    assert client.post("/views/rename", data={"name": "Failures", "to": "Again"}).status_code == 400
    assert client.post("/views/delete", data={"name": "<script>"}).status_code == 303
    assert client.post("/views/delete", data={"name": "<script>"}).status_code == 303
    assert names(server) == {"Broken": "/traces?q=level%3AERROR&from=24h"}
    refused = client.post("/views", data={"name": "x", "url": "https://evil.example"})
    assert (refused.status_code, "Url: expected" in refused.text or "url: expected" in refused.text) == (400, True)
    foreign = client.post("/views/delete", data={"name": "Broken"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    client.post("/views/delete", data={"name": "Broken"})


def test_the_api_does_the_same(server: Server) -> None:
    view = {"name": "a/b & c", "url": "/models?from=7d"}
    with server.client() as client:
        assert client.post("/api/v1/views", json=view).json() == view
        assert names(server)["a/b & c"] == "/models?from=7d"
        for body in (
            {"name": "x"},
            {"name": "x", "url": "https://evil.example"},
            {"name": "x", "url": "/spans", "more": 1},
        ):
            assert client.post("/api/v1/views", json=body).status_code == 400
        assert client.post("/api/v1/views", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
        assert client.delete("/api/v1/views/a%2Fb%20&%20c").json() == view
        assert client.delete("/api/v1/views/a%2Fb%20&%20c").status_code == 404
    assert httpx.get(f"{server.url}/api/v1/views", trust_env=False).status_code == 401


def test_a_list_is_saved_and_found_in_its_menu(page: Page, server: Server) -> None:
    name = f"View {secrets.token_hex(4)}"
    page.goto(f"{server.url}/generations?q=level:ERROR&from=24h")
    menu = page.locator("details.saved-views")
    menu.get_by_text("Views", exact=True).click()
    menu.get_by_label("Save what is shown as").fill(name)
    menu.get_by_role("button", name="Save").click()
    expect(page).to_have_url(f"{server.url}/generations?q=level%3AERROR&from=24h")
    page.goto(f"{server.url}/spans")
    menu.get_by_text("Views", exact=True).click()
    menu.get_by_role("link", name=name).click()
    expect(page).to_have_url(f"{server.url}/generations?q=level%3AERROR&from=24h")
    page.goto(f"{server.url}/views")
    accessible(page)
    page.get_by_role("button", name=f"Delete {name}").click()
    expect(page.get_by_text(name)).to_have_count(0)


def test_the_documented_example_holds(server: Server) -> None:
    text = (Path(__file__).parent.parent / "docs" / "views.md").read_text()
    sent, told = re.search(r"-d '(\{.*\})'\n(\{.*\})\n", text).groups()  # type: ignore[union-attr]
    with server.client() as client:
        assert client.post("/api/v1/views", json=json.loads(sent)).json() == json.loads(told)
        assert client.delete("/api/v1/views/Failures").json() == json.loads(told)
