"""Prices by page: found, set, changed and removed, and what is stored priced again, with and without script."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest
from playwright.sync_api import Browser, expect

from tests.browser import PHONE, accessible, fits, logged_in, sound
from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span

EVIL = "<i>own</i>"


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    """A project with calls to models that no list knows, and to one that every list does."""
    running = server.new_project()
    told = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
    spans = [
        span(new_id(16), start=time.time_ns() - 10**9, attributes=told | {"gen_ai.request.model": model} | more)
        for model, more in (
            ("house", {"gen_ai.provider.name": "vllm"}),
            ("house", {"gen_ai.provider.name": "vllm"}),
            ("by-form", {}),
            (EVIL, {}),
            ("gpt-4o", {}),
            ("gpt-4o", {"gen_ai.usage.cost": 0.5}),
        )
    ]
    with running.client() as client:
        answer = client.post("/v1/traces", content=encoded(request(spans)), headers={"content-type": PROTOBUF})
        assert answer.status_code == 200, answer.text
    return running


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    """A client that is logged in to the pages."""
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False, follow_redirects=True) as opened:
        opened.post("/login", data={"public_key": server.public_key, "secret_key": server.secret_key})
        yield opened


def own(client: httpx.Client) -> dict[str, Any]:
    """Return the project's own prices by model."""
    return {price["model"]: price for price in client.get("/prices.json").json()["own"]}


def test_the_list_is_searched(client: httpx.Client) -> None:
    found = client.get("/prices.json", params={"search": "openai gpt-4o-mini"}).json()
    mini = next(one for one in found["listed"] if (one["provider"], one["model"]) == ("openai", "gpt-4o-mini"))
    prices = {kind: mini["prices"][kind] for kind in ("input", "output", "input_cache_read")}
    assert prices == {"input": "0.15", "output": "0.6", "input_cache_read": "0.075"}
    assert all("gpt-4o-mini" in one["model"] for one in found["listed"])
    everything = client.get("/prices.json").json()
    assert everything["found"] > 1000 > len(everything["listed"])
    assert "no model of that name" in client.get("/prices", params={"search": "never-heard-of"}).text


def test_a_price_is_set_changed_and_removed_by_forms(server: Server, client: httpx.Client) -> None:
    page = client.get("/prices", params={"model": "by-form", "input": "1.5"}).text
    assert 'value="by-form"' in page
    assert 'value="1.5"' in page
    form = {"model": "by-form", "provider": "", "input": "1", "output": "2", "more": "input_audio=40, web_search=10"}
    answer = client.post("/prices", data=form | {"start": "2026-01-31", "request": "0.01"})
    assert answer.url.params["done"] == "set"
    assert "The price is set." in answer.text
    set_ = own(client)["by-form"]
    assert set_["prices"] == {"input": "1", "output": "2", "input_audio": "40", "web_search": "10"}
    assert (set_["start"], set_["request"]) == ("2026-01-31T00:00:00.000000Z", "0.01")
    client.post("/prices", data=form | {"input": "3", "start": "2026-01-31"})
    assert own(client)["by-form"]["prices"]["input"] == "3"
    client.post(f"/prices/{set_['id']}/remove")
    assert "by-form" not in own(client)
    assert client.post("/prices/never-was/remove").status_code == 200


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"model": ""}, "model pattern"),
        ({"model": "x"}, "Give a price"),
        ({"model": "x", "input": "cheap"}, "price of input"),
        ({"model": "x", "input": "-1"}, "price of input"),
        ({"model": "x", "input": "1", "start": "soon"}, "ISO 8601"),
        ({"model": "x", "more": "input_audio"}, "kind=price"),
        ({"model": "x", "more": "lunch=1"}, "no kind of usage"),
    ],
)
def test_a_form_that_is_no_price_says_why_and_keeps_what_was_written(
    client: httpx.Client, form: dict[str, str], message: str
) -> None:
    answer = client.post("/prices", data=form)
    assert answer.status_code == 400
    assert message in re.sub(r"&#39;|&#34;", "'", answer.text)
    assert f'name="model" required value="{form["model"]}"' in answer.text
    assert own(client).keys() <= {"house"}


def test_another_site_sets_no_price(client: httpx.Client) -> None:
    headers = {"sec-fetch-site": "cross-site"}
    for path in ("/prices", "/prices/x/remove", "/prices/reprice"):
        assert client.post(path, data={"model": "x", "input": "1"}, headers=headers).status_code == 403
    assert "x" not in own(client)


def test_stored_costs_are_worked_out_again_without_script(server: Server, client: httpx.Client) -> None:
    client.post("/prices", data={"model": "by-form", "input": "1", "output": "10"})
    asked = {"model": "by-form", "from": "1h"}
    dry = client.post("/prices/reprice", data=asked).text
    assert re.search(r"<b>1</b> of 1 spans would have another cost.*Total \$0 → <b class=\"cost\">\$0.002</b>", dry)
    assert server.get("/api/v1/models", model="by-form")["data"][0]["total_cost"] is None, "it was only asked"
    done = client.post("/prices/reprice", data=asked | {"run": "1"}).text
    assert "<b>1</b> of 1 spans have another cost now" in done
    assert server.get("/api/v1/models", model="by-form")["data"][0]["total_cost"] == "0.002"
    lines = client.post("/prices/reprice", data=asked, headers={"accept": "application/x-ndjson"}).text.splitlines()
    assert [orjson.loads(line)["type"] for line in lines][-1] == "result"
    assert orjson.loads(lines[-1])["changed"] == 0
    refused = client.post("/prices/reprice", data={"from": "soon"})
    assert refused.status_code == 400
    assert "neither an ISO 8601 time nor an age" in refused.text
    client.post(f"/prices/{own(client)['by-form']['id']}/remove")


def test_an_unpriced_model_is_priced_by_keyboard_end_to_end(browser: Browser, server: Server) -> None:
    with sound(logged_in(browser, server)) as page:
        page.goto(f"{server.url}/models?q=model:house")
        page.get_by_role("link", name="100 % unpriced").press("Enter")
        expect(page).to_have_url(re.compile(r"/prices\?model=house&provider=vllm$"))
        expect(page.get_by_label("Model or pattern")).to_have_value("house")
        expect(page.get_by_label("Provider (any)")).to_have_value("vllm")
        field = page.get_by_label("Input", exact=True)
        expect(field).to_be_focused()
        accessible(page)
        page.keyboard.type("2")
        page.keyboard.press("Tab")
        page.keyboard.type("20")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("The price is set.")
        expect(page.locator("#reprice-form [name=model]")).to_have_value("house")
        page.get_by_role("button", name="See what would change").press("Enter")
        expect(page.locator("#reprice-run")).to_contain_text(
            "2 of 2 spans would have another cost: 2 calls newly priced"
        )
        expect(page.locator("#reprice-run .cost")).to_have_text("$0.008")
        page.get_by_role("button", name="Price again").press("Enter")
        expect(page.locator("#reprice-run")).to_contain_text("2 of 2 spans have another cost now")
        accessible(page)
        page.goto(f"{server.url}/models?q=model:house")
        expect(page.locator("tbody [data-label='Cost']")).to_have_text("$0.008")
    (row,) = server.get("/api/v1/models", model="house")["data"]
    assert Decimal(row["total_cost"]) == Decimal("0.008")


def test_a_phone_shows_it_and_hostile_names_do_nothing(browser: Browser, server: Server) -> None:
    with sound(logged_in(browser, server, viewport=PHONE, color_scheme="dark")) as page:
        page.goto(f"{server.url}/prices")
        expect(page.get_by_role("row", name=EVIL)).to_be_visible()
        expect(page.locator("#view i")).to_have_count(0)
        fits(page)
        page.get_by_label("Search the list").fill("claude haiku")
        page.get_by_label("Search the list").press("Enter")
        expect(page).to_have_url(re.compile(r"search=claude\+haiku"))
        expect(page.locator("#list tbody tr").first).to_contain_text("claude")
        fits(page)
