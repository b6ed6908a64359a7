"""The overview: figures worked out by hand, and the page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from genscope.web.charts import columns, rows
from genscope.web.overview import change, short
from tests import figures
from tests.browser import PHONE, accessible, fits, logged_in, sound
from tests.figures import BEFORE, DAY, TOTALS
from tests.running import Server

PERIOD = {"from": f"{DAY}T00:00:00Z", "to": "2026-01-03T00:00:00Z"}
QUERY = f"from={DAY}T00:00:00Z&to=2026-01-03T00:00:00Z"


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    """A project with the two days, and another one beside it."""
    running = server.new_project()
    figures.send(running)
    figures.send(running.new_project())
    return running


@pytest.fixture(scope="module")
def cookies(server: Server) -> dict[str, str]:
    with server.client() as client:
        client.post("/login", data={"public_key": server.public_key, "secret_key": server.secret_key})
        return dict(client.cookies)


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    with sound(logged_in(browser, server)) as opened:
        yield opened


def view(server: Server, cookies: dict[str, str], **parameters: str) -> dict[str, Any]:
    with server.client(cookies=cookies) as client:
        answer = client.get("/overview.json", params=parameters)
        if answer.is_success:
            lists = client.get("/overview/most.json", params=parameters)
            return dict(answer.json()) | {"most": lists.json()}
    return dict(answer.json())


def series(chart: dict[str, Any]) -> dict[str, Any]:
    return {one["label"]: pytest.approx(sum(value or 0 for value in one["values"])) for one in chart["series"]}


def test_the_view_as_json_is_what_was_worked_out_by_hand(server: Server, cookies: dict[str, str]) -> None:
    shown = view(server, cookies, **PERIOD)
    totals = shown["totals"]
    assert {name: totals[name] for name in TOTALS if name in totals} == {
        name: value for name, value in TOTALS.items() if name in totals
    }
    before = shown["before"]
    assert (before["from"][:10], before["to"][:10]) == (BEFORE, DAY)
    assert (before["totals"]["calls"], before["totals"]["cost"]) == (1, "0.0035")

    split = shown["charts"]["split"]
    # Half hours, all of the day, whether anything was in them or not.
    assert (len(split["x"]), split["unit"], split["kind"]) == (48, "usd", "stacked")
    assert series(split) == {"gpt-4o": 0.0065, "gpt-4o-mini": 0.00021, "text-embedding-3-small": 0.00001, "house": 0}
    calls = view(server, cookies, by="calls", **PERIOD)["charts"]
    assert series(calls["split"]) == {"gpt-4o": 2, "gpt-4o-mini": 1, "text-embedding-3-small": 1, "house": 1}
    assert calls["errors"]["series"][0]["values"][2] == 1
    p50, p95, first = (one["values"] for one in calls["latency"]["series"])
    assert (p50[2], p95[2], first[2], p50[3]) == (3000, 3000, 190, None)

    most = shown["most"]
    assert [(row["label"], row["calls"], row["cost"]) for row in most["models"]][:2] == [
        ("gpt-4o", "2", "$0.0065"),
        ("gpt-4o-mini", "1", "$0.00021"),
    ]
    assert [(row["label"], row["cost"]) for row in most["users"]] == [
        ("alice", "$0.0065"),
        ("bob", "$0.00021"),
        ("no user", "$0.00001"),
    ]
    assert [row["label"] for row in most["names"]] == ["draft", "classify", "embed"]
    assert sorted(row["label"] for row in most["errors"]) == ["no such order · lookup", "rate limit reached · draft"]


def test_the_filter_applies_to_everything_and_errors_are_said(server: Server, cookies: dict[str, str]) -> None:
    bob = view(server, cookies, q="user:bob type:generation", **PERIOD)
    assert (bob["totals"]["calls"], bob["totals"]["cost"], bob["totals"]["errors"]) == (2, "0.00021", 0)
    # The period before is asked the same.
    assert bob["before"] is None
    assert [row["label"] for row in bob["most"]["models"]] == ["gpt-4o-mini", "house"]
    assert bob["most"]["errors"] == []
    link = parse_qs(urlsplit(bob["most"]["models"][0]["url"]).query)
    assert link["q"] == ["user:bob type:generation model:gpt-4o-mini"]
    assert link["from"] == [PERIOD["from"]]
    with server.client(cookies=cookies) as client:
        for path in ("/overview.json", "/overview/most"):
            assert client.get(path, params={"q": "model:"}).status_code == 400
    assert "column 7" in view(server, cookies, q="model:")["error"]
    everything = view(server, cookies, **{"from": "all"})
    assert (everything["totals"]["calls"], everything["before"]) == (6, None)


@pytest.mark.parametrize(
    "parameters",
    [
        {"from": "0001-01-01", "to": "9999-12-31"},
        {"from": "9999-01-01"},
        {"from": "2026-01-03", "to": "2026-01-01"},
        {"from": "all", "to": "0001-01-02"},
        {"from": DAY, "to": DAY},
        {"q": 'metadata."a\'b{p0:String}":x OR model:"\u0000"', "by": "nonsense"},
        {"q": "model:gpt-4o OR model:house", "from": "all"},
    ],
)
def test_no_period_and_no_filter_is_an_error_of_the_server(
    server: Server, cookies: dict[str, str], parameters: dict[str, str]
) -> None:
    with server.client(cookies=cookies) as client:
        for path in ("/overview", "/overview.json", "/overview/most"):
            assert client.get(path, params=parameters).status_code == 200
        metrics = {"measures": "calls", "granularity": "auto", "group_by": "metadata.a'b"} | parameters
        metrics["from"] = metrics.get("from", "1h").replace("all", "2020-01-01")
        assert client.get("/api/v1/metrics", params=metrics).status_code == 200


def test_changes_are_judged_by_what_they_mean() -> None:
    assert change("cost", Decimal("1.5"), Decimal("1"), bad=False) == ("+50 %", "", "$1.00")
    assert change("latency_p95", 500.0, 1000.0, bad=True) == ("\N{MINUS SIGN}50 %", "better", "1.00 s")
    assert change("latency_p95", 1001.0, 1000.0, bad=True) == ("±0 %", "", "1.00 s")
    assert change("error_rate", 0.05, 0.02, bad=True) == ("+3 points", "worse", "2 %")
    assert change("error_rate", 0.2, 0.0, bad=True) == ("+20 points", "worse", "0 %")
    assert change("error_rate", 1.0, 0.0, bad=True) == ("+100 points", "worse", "0 %")
    assert change("calls", 3000, 2, bad=False) == ("\N{MULTIPLICATION SIGN} 1,500", "", "2")
    assert change("cost", Decimal("1"), None, bad=False) == ("new", "", "nothing")
    assert change("calls", 0, 0, bad=False) is None
    assert change("latency_p50", None, 5.0, bad=True) is None
    assert (short("cost", None), short("total_tokens", 1_234_567), short("error_rate", 0.0123)) == (
        "—",
        "1.2M",
        "1.23 %",
    )


def test_charts_are_told_in_words() -> None:
    money = {"unit": "usd", "series": [{"label": "gpt-4o", "values": [0.5, None, 1.5]}]}
    assert (columns(money), rows(money)) == (("Total", "Highest"), [("gpt-4o", ["$2.00", "$1.50"])])
    times = {
        "unit": "ms",
        "series": [{"label": "p50", "values": [900, 1200, None]}, {"label": "p95", "values": [None]}],
    }
    assert columns(times) == ("Lowest", "Highest", "Last")
    assert rows(times) == [("p50", ["900 ms", "1.20 s", "1.20 s"]), ("p95", ["—", "—", "—"])]


def test_an_empty_project_is_welcomed(project: Server) -> None:
    with project.client(follow_redirects=True) as client:
        client.post("/login", data={"public_key": project.public_key, "secret_key": project.secret_key})
        assert str(client.get("/").url).endswith("/generations")
        # A filter is answered, even there.
        assert "Nothing matches in this period" in client.get("/overview?q=model:x").text


def test_one_glance(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/overview?{QUERY}")
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(8)
    expect(page.locator(".tile.cost")).to_contain_text("1 of 5 calls have no price")
    expect(page.locator(".tile.error_rate")).to_contain_text("20 %")
    expect(page.locator(".tile.error_rate").locator(".worse")).to_have_text("+20 points")
    expect(page.locator(".tile.cost .change")).to_have_text("+92 %")
    expect(page.locator(".u-over")).to_have_count(3)
    expect(page.locator(".split .legend")).to_contain_text("text-embedding-3-small")
    # The lists come behind the rest.
    expect(page.locator("table.of-users")).to_contain_text("alice")
    assert "most" not in page.url
    accessible(page)
    # A gap leads to what it is about.
    page.get_by_role("link", name="1 of 5 calls have no price").click()
    expect(page.locator("main")).to_contain_text("house")
    page.go_back()
    # Another measure is another URL; charts that htmx brings are drawn.
    page.get_by_role("link", name="Tokens", exact=True).click()
    expect(page).to_have_url(re.compile("by=tokens"))
    expect(page.locator(".u-over")).to_have_count(3)
    expect(page.locator(".split .summary")).to_contain_text("2,200")


def test_dragging_over_a_chart_zooms_by_the_url(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/overview?{QUERY}")
    over = page.locator(".split .u-over")
    expect(over).to_be_visible()
    box = over.bounding_box()
    assert box is not None
    hour, middle = box["width"] / 24, box["y"] + box["height"] / 2
    # The tip tells of the half hour beneath the pointer.
    page.mouse.move(box["x"] + 1.25 * hour, middle)
    tip = page.locator(".split .tip")
    expect(tip).to_contain_text("2 Jan 01:00\N{EN DASH}01:30 UTC")
    expect(tip).to_contain_text("$0.0065")
    page.mouse.move(box["x"] + 12.7 * hour, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 13.7 * hour, middle, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("from=2026-01-02T12%3A30%3A00Z&to=2026-01-02T14%3A00%3A00Z"))
    expect(page.locator(".tile.generations .figure")).to_have_text("2")
    expect(page.locator(".tile.cost .figure")).to_have_text("$0.00021")


def test_charts_can_be_read_by_keyboard(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/overview?{QUERY}")
    plot = page.locator(".split .plot")
    expect(page.locator(".split .u-over")).to_be_visible()
    plot.focus()
    page.keyboard.press("Home")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    expect(plot.locator(".tip")).to_contain_text("01:00\N{EN DASH}01:30 UTC")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("from=2026-01-02T01%3A00%3A00Z&to=2026-01-02T02%3A00%3A00Z"))
    expect(page.locator(".tile.generations .figure")).to_have_text("2")


def test_it_fits_a_phone_in_the_dark(browser: Browser, server: Server) -> None:
    with sound(logged_in(browser, server, viewport=PHONE, color_scheme="dark")) as page:
        page.goto(f"{server.url}/overview?{QUERY}")
        expect(page.locator(".u-over")).to_have_count(3)
        fits(page)
        for chart in page.locator(".plot").all():
            box = chart.bounding_box()
            assert box is not None
            assert box["width"] <= PHONE["width"]
        # A series can be left out.
        button = page.locator(".split .legend button").first
        button.click()
        expect(button).to_have_attribute("aria-pressed", "false")
