"""Models side by side: the figures of each, sorted, grouped, told best; and how they are distributed, in a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from genscope.store.models import PER_DECADE
from genscope.web.pages.models import difference, key, parse
from tests.browser import PHONE, accessible, fits, logged_in, sound
from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span

NOW = time.time_ns()
FAST, SLOW = "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"


def call(provider: str | None, model: str | None, name: str, milliseconds: float, **more: Any) -> Any:
    told: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1000}
    told |= {"gen_ai.provider.name": provider} if provider else {}
    told |= {"gen_ai.request.model": model} if model else {}
    told |= {"gen_ai.usage.output_tokens": more.pop("output", 100)}
    told |= {"gen_ai.usage.cache_read.input_tokens": cached} if (cached := more.pop("cached", None)) is not None else {}
    start = NOW - more.pop("ago", 60) * 10**9
    failed = {"status": {"code": 2, "message": "overloaded"}} if more.pop("failed", False) else {}
    told |= more
    trace_id = told.pop("trace_id", new_id(16))
    span_id = told.pop("span_id", new_id(8))
    return span(trace_id, span_id=span_id, name=name, start=start, milliseconds=milliseconds, attributes=told, **failed)


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    """A project in which one model is fast, cheap and fails, another slow, dear and said to be good; and some odd ones."""
    running = server.new_project()
    spans = [
        *(
            call(
                "openai", "gpt-4o-mini", "classify", 100 + number, cached=500, ago=60 + number * 600, failed=number < 3
            )
            for number in range(30)
        ),
        *(call("anthropic", "claude-sonnet-4-5", "draft", 1000 + 10 * number, output=200) for number in range(20)),
        *(call("anthropic", "claude-sonnet-4-5", "classify", 900, output=10) for _ in range(5)),
        call("anthropic", "claude-sonnet-4-5", "draft", 500, trace_id="ab" * 16, span_id="cd" * 8),
        *(call("vllm", "a,b/c%d <i>x</i>", "draft", 50) for _ in range(2)),
        call(None, None, "draft", 10, ago=20 * 86_400),
    ]
    scores: list[dict[str, Any]] = [
        {"traceId": "ab" * 16, "observationId": "cd" * 8, "name": "accuracy", "value": 0.5},
        {"traceId": "ab" * 16, "name": "thumbs", "value": 1, "dataType": "BOOLEAN"},
        {"traceId": "ab" * 16, "observationId": "00" * 8, "name": "of another span", "value": 1},
    ]
    with running.client() as client:
        answer = client.post("/v1/traces", content=encoded(request(spans)), headers={"content-type": PROTOBUF})
        assert answer.status_code == 200, answer.text
        for score in scores:
            assert client.post("/api/public/scores", json=score).status_code == 200
    return running


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    """A client that is logged in to the pages."""
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False, follow_redirects=True) as opened:
        form = {"public_key": server.public_key, "secret_key": server.secret_key}
        assert opened.post("/login", data=form).status_code in (200, 404)
        yield opened


def told(client: httpx.Client, **parameters: str) -> list[Any]:
    answer = client.get("/models.json", params=parameters)
    assert answer.status_code == 200, answer.text
    rows: list[Any] = answer.json()["data"]
    return rows


def test_the_figures_of_a_model_are_those_of_its_calls(client: httpx.Client) -> None:
    mini, claude, odd = told(client)
    assert (mini["provider"], mini["model"], mini["calls"], mini["errors"]) == ("openai", "gpt-4o-mini", 30, 3)
    assert (mini["usage"], mini["cached_share"]) == ({"input": 30_000, "output": 3000, "input_cache_read": 15_000}, 0.5)
    # 0.15 a million, 0.075 cached, 0.60 out
    assert Decimal(mini["total_cost"]) == 30 * (Decimal("0.1125") + Decimal("0.06")) / 1000
    assert Decimal(mini["cost_per_1000_calls"]) == Decimal("0.1725")
    assert mini["latency_ms"] == {"p50": 115.0, "p95": 128.0, "p99": 129.0}
    assert mini["time_to_first_token_ms"] == {"p50": None, "p95": None, "p99": None}
    assert sum(mini["trend"]) == 30
    assert sum(count > 0 for count in mini["trend"]) > 10
    assert (claude["calls"], claude["cached_share"], claude["errors"]) == (26, None, 0)
    assert claude["scores"] == [
        {"name": "accuracy", "data_type": "NUMERIC", "scores": 1, "mean": 0.5},
        {"name": "thumbs", "data_type": "BOOLEAN", "scores": 1, "mean": 1.0},
    ]
    assert (odd["unpriced_calls"], odd["cost_missing"], odd["total_cost"]) == (2, {"unknown_model": 2}, None)


def test_the_api_and_the_page_agree(server: Server, client: httpx.Client) -> None:
    rows = server.get("/api/v1/models", **{"from": "7d"})["data"]
    assert [row["usage"].pop("total") for row in rows] == [33_000, 30_150, 2200]
    assert rows == told(client)
    grouped = server.get("/api/v1/models", by="name")["data"]
    assert {(row["by"], row["model"], row["calls"]) for row in grouped} == {
        ("classify", "gpt-4o-mini", 30),
        ("classify", "claude-sonnet-4-5", 5),
        ("draft", "claude-sonnet-4-5", 21),
        ("draft", "a,b/c%d <i>x</i>", 2),
        ("draft", None, 1),
    }


def test_state_is_the_url(client: httpx.Client) -> None:
    assert [row["calls"] for row in told(client, sort="calls")] == [2, 26, 30]
    assert told(client, sort="latency_p95")[0]["model"] == "a,b/c%d <i>x</i>"
    assert [row["total_cost"] is None for row in told(client, sort="-cost")] == [False, False, True]
    assert [row["total_cost"] is None for row in told(client, sort="cost")] == [False, False, True]
    assert [row["calls"] for row in told(client, q="name:draft")] == [21, 2]
    assert len(told(client, **{"from": "all"})) == 4
    assert told(client, **{"from": "30d", "to": "2d"})[0]["model"] is None
    page = client.get("/models", params={"from": "7d", "compare": [FAST, SLOW]})
    assert page.url.params["compare"] == f"{FAST},{SLOW}"
    assert "from" not in page.url.params


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sort": "beauty"}, "sort"),
        ({"by": "user"}, "by"),
        ({"shape": "round"}, "shape"),
        ({"q": "nonsense:1"}, "nonsense"),
        ({"from": "soon"}, "from"),
        ({"compare": "gpt-4o,x"}, "provider/model"),
    ],
)
def test_what_cannot_be_shown_says_why(client: httpx.Client, parameters: dict[str, str], message: str) -> None:
    for path in ("/models", "/models.json"):
        answer = client.get(path, params=parameters)
        assert answer.status_code == 400
        assert message in answer.text


def test_names_of_models_survive_urls() -> None:
    for one in (("openai", "gpt-4o"), (None, "a/b,c%2Cd"), ("x/y", None), (None, None), ("ü", "ñ?&#")):
        assert parse(key(*one)) == one
        assert "," not in key(*one)


def test_differences_read_as_percent() -> None:
    assert [difference(value, 100) for value in (150, 99, 100.01, 0)] == ["+50 %", "-1.0 %", "±0 %", "-100 %"]
    assert difference(1, 0) == difference(None, 1) == difference(1, None) == ""


def test_distributions_hold_every_call_once(client: httpx.Client) -> None:
    view = client.get("/models.json", params={"compare": f"{FAST},{SLOW}"}).json()
    assert view["compared"] == [FAST, SLOW]
    by_measure = {one["measure"]: one for one in view["distributions"]}
    assert by_measure.keys() == {"latency", "tokens_per_second", "output_tokens", "cost"}, "nobody told a first token"
    for one in by_measure.values():
        assert all(sum(series["values"]) == pytest.approx(1) for series in one["series"])
        assert one["from"] == sorted(one["from"])
        assert one["to"] == pytest.approx(one["from"][-1] * 10 ** (1 / PER_DECADE))
    latency = by_measure["latency"]
    fast = dict(zip(latency["from"], latency["series"][0]["values"], strict=True))
    assert max(fast, key=lambda begin: fast[begin]) == pytest.approx(100, rel=0.25)
    cumulative = client.get("/models.json", params={"compare": f"{FAST},{SLOW}", "shape": "cumulative"}).json()
    for one in cumulative["distributions"]:
        assert all(series["values"][-1] == pytest.approx(1) for series in one["series"])


def test_two_models_are_chosen_by_keyboard_and_laid_over_each_other(browser: Browser, server: Server) -> None:
    with sound(logged_in(browser, server)) as page:
        page.goto(f"{server.url}/models")
        accessible(page)
        button = page.get_by_role("button", name="Compare chosen")
        expect(button).to_be_disabled()
        page.get_by_label("Choose gpt-4o-mini of openai").focus()
        page.keyboard.press("Space")
        expect(page.locator("#chosen-hint")).to_have_text("Choose one more.")
        page.get_by_label("Choose claude-sonnet-4-5 of anthropic").focus()
        page.keyboard.press("Space")
        page.get_by_role("button", name="Compare 2 models").press("Enter")
        expect(page).to_have_url(re.compile(r"compare=openai%2Fgpt-4o-mini%2Canthropic%2Fclaude-sonnet-4-5"))
        expect(page.get_by_role("heading", name="2 models over each other")).to_be_visible()
        expect(page.locator(".measure canvas")).to_have_count(4)
        percentiles = page.get_by_role("table", name="Percentiles of latency")
        expect(percentiles.get_by_role("row", name="anthropic/claude-sonnet-4-5")).to_contain_text("1.07 s+830 %")
        accessible(page)
        page.get_by_role("link", name="Cumulative").click()
        expect(page).to_have_url(re.compile("shape=cumulative"))
        expect(page.locator(".measure canvas")).to_have_count(4)
        page.get_by_role("link", name="Leave out openai/gpt-4o-mini").click()
        expect(page.get_by_text("Choose at least two models")).to_be_visible()


def test_the_table_sorts_tells_the_best_and_leads_to_calls(browser: Browser, server: Server) -> None:
    with sound(logged_in(browser, server)) as page:
        page.goto(f"{server.url}/models")
        mini = page.get_by_role("row", name="gpt-4o-mini openai")
        claude = page.get_by_role("row", name="claude-sonnet-4-5 anthropic")
        expect(mini.locator("[data-label='Latency p50']")).to_have_text("115 ms (best)")
        expect(claude.locator("[data-label='Errors']")).to_have_text("0 % (best)")
        expect(page.locator("tbody [data-label='First token p50']").first).to_have_text("—")
        expect(page.locator(".models i")).to_have_count(0)
        page.get_by_role("columnheader", name="Latency p95").get_by_role("link").click()
        expect(page).to_have_url(re.compile("sort=-latency_p95"))
        expect(page.locator("tbody th b").first).to_have_text("claude-sonnet-4-5")
        expect(page.get_by_role("columnheader", name="Latency p95")).to_have_attribute("aria-sort", "descending")
        page.get_by_role("group", name="A table for each").get_by_role("link", name="Name").click()
        expect(page.locator("tr.section")).to_have_count(2)
        expect(page.locator("tr.section").first).to_contain_text("classify 35 calls")
        page.locator("tr.section").first.get_by_role("link", name="compare").click()
        expect(page).to_have_url(re.compile(r"q=name%3Aclassify.*compare="))
        expect(page.get_by_role("heading", name="2 models over each other")).to_be_visible()
        page.goto(f"{server.url}/models?q=name:draft")
        page.locator("tbody th a").first.click()
        expect(page).to_have_url(re.compile(r"/spans\?q=name%3Adraft"))


def test_a_phone_shows_cards_and_works_without_script(browser: Browser, server: Server) -> None:
    with sound(logged_in(browser, server, viewport=PHONE, color_scheme="dark")) as page:
        page.goto(f"{server.url}/models?compare={FAST},{SLOW}")
        expect(page.locator(".measure canvas")).to_have_count(4)
        expect(page.locator("tbody td[data-label='Cost']").first).to_be_visible()
        fits(page)
    with sound(logged_in(browser, server, java_script_enabled=False)) as page:
        page.goto(f"{server.url}/models")
        page.get_by_label("Choose gpt-4o-mini of openai").check()
        page.get_by_label("Choose claude-sonnet-4-5 of anthropic").check()
        page.get_by_role("button", name="Compare chosen").click()
        expect(page.get_by_role("table", name="Percentiles of latency")).to_contain_text("115 ms")
