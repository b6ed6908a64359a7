"""The lists of generations, traces and spans in a real browser: facets, columns, order, words, the filter box, endless paging."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from genscope.web.columns import OF_SPANS, OF_TRACES, chosen, headers
from genscope.web.passage import Marker
from genscope.web.state import State
from genscope.web.surroundings import BARS, SECOND, bar_width
from tests.browser import PHONE, accessible, fits, logged_in
from tests.running import Server
from tests.spans import agent, generation, send, span

EVIL = '<img src=x onerror="document.title=1">'


@pytest.fixture
def user() -> str:
    """A user of the test's own, by whom its rows are told from those of other tests."""
    return f"user-{secrets.token_hex(6)}"


def rows(page: Page) -> Any:
    return page.locator("#rows tr[data-time]")


def names(page: Page) -> Any:
    return page.locator("#rows b")


def address(server: Server, name: str, **parameters: str) -> str:
    return f"{server.url}/{name}?{urlencode(parameters)}"


# --- as data --------------------------------------------------------------------------------------------------------


def state(**values: str) -> State:
    return State.read("/generations", values.items(), own=("sort", "columns"))


def test_columns_of_the_url_are_shown_in_its_order() -> None:
    names = [column.name for column in chosen(OF_SPANS, state(columns="cost,nonsense,time,cost"))]
    assert names == ["cost", "time"]
    shown = [column.name for column in OF_SPANS if column.shown]
    assert [column.name for column in chosen(OF_SPANS, state(columns="nonsense"))] == shown


@pytest.mark.parametrize(
    ("sort", "said", "following"),
    [
        ("", {"time": "descending"}, {"time": "start_time", "cost": "-cost", "name": "name"}),
        ("start_time", {"time": "ascending"}, {"time": ""}),
        ("-cost", {"cost": "descending"}, {"time": "", "cost": "cost"}),
        ("cost", {"cost": "ascending"}, {"cost": ""}),
        ("name", {"name": "ascending"}, {"name": "-name"}),
    ],
)
def test_a_header_turns_the_order_round_and_then_undoes_it(
    sort: str, said: dict[str, str], following: dict[str, str]
) -> None:
    heads = {head.column.name: head for head in headers(OF_TRACES, state(sort=sort))}
    assert {name: head.sorted for name, head in heads.items() if head.sorted} == said
    assert {name: heads[name].next for name in following} == following


@pytest.mark.parametrize("length", [1, SECOND, 3600 * SECOND, 7 * 86400 * SECOND, 365 * 86400 * SECOND, 2**63])
def test_bars_are_few(length: int) -> None:
    assert length / bar_width(length) <= BARS


def test_words_are_marked_and_everything_else_is_inert() -> None:
    marker = Marker(["Policy", "two words", "価格"])
    assert marker.marked("the policy & <b>") == "the <mark>policy</mark> &amp; &lt;b&gt;"
    assert marker.marked("policymaker, two\n  WORDS") == "policymaker, <mark>two\n  WORDS</mark>"
    assert marker.marked("この価格は") == "この<mark>価格</mark>は"
    assert marker.preview(None, "user") == ""
    said = json.dumps([{"role": "system", "content": "x " * 100 + "policy"}, {"role": "user", "content": "Well?"}])
    assert str(marker.preview(said, "user")).endswith("x x x <mark>policy</mark>")
    assert Marker().preview(said, "user") == "Well?"
    cut = ' … aaaa\\nthe \\"policy\\" \\u003cb'
    assert marker.preview(cut, "user") == "aaaa the &#34;<mark>policy</mark>&#34; &lt;b"


# --- as pages -------------------------------------------------------------------------------------------------------


def test_facets_add_and_remove_conditions(page: Page, server: Server, user: str) -> None:
    for number in range(3):
        model = ("gpt-4o", "gpt-4o", EVIL)[number]
        generation(server, user, at=-number, langfuse__observation__model__name=model)
    page.goto(address(server, "generations", q=f"user:{user}"))
    models = page.locator("[data-facet=model]")
    expect(models.locator("li")).to_have_text([re.compile("gpt-4o.*2"), re.compile("<img.*1")])
    models.get_by_role("link", name="gpt-4o").click()
    expect(page).to_have_url(address(server, "generations", q=f"user:{user} model:gpt-4o"))
    expect(rows(page)).to_have_count(2)
    # What else could be chosen is still there.
    models.get_by_role("link", name="<img").click()
    expect(rows(page)).to_have_count(3)
    expect(models.locator("[aria-current]")).to_have_count(2)
    models.get_by_role("link", name="gpt-4o").click()
    expect(rows(page)).to_have_count(1)
    models.get_by_role("link", name="<img").click()
    expect(page).to_have_url(address(server, "generations", q=f"user:{user}"))
    expect(models.locator("[aria-current]")).to_have_count(0)
    assert page.locator("main img").count() == 0
    # A facet stays as it was left.
    models.locator("summary").click()
    expect(models).not_to_have_attribute("open", re.compile(""))
    page.reload()
    expect(models).to_be_visible()
    expect(models).not_to_have_attribute("open", re.compile(""))


def test_the_filter_box_completes_fields_and_values(page: Page, server: Server, user: str) -> None:
    generation(server, user, langfuse__observation__model__name=f"model {user}")
    generation(server, user)
    page.goto(address(server, "generations", q=f"user:{user}"))
    box = page.get_by_role("combobox", name="Filter")
    options = page.locator(".completion [role=option]")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type(" -tag:x mod")
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(options.first).to_contain_text("model:")
    page.keyboard.press("Tab")
    expect(box).to_have_value(f"user:{user} -tag:x model:")
    page.keyboard.type("model")
    expect(options.filter(has_text=user)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_be_focused()
    page.keyboard.press("Control+A")
    typed = f'model:"model {user[:-2]}'
    page.keyboard.type(typed)
    # What completes the whole of it, not what came for its beginning.
    expect(options).to_have_count(1)
    expect(options.first).to_have_attribute("data-end", str(len(typed)))
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", "q-option-0")
    page.keyboard.press("Enter")
    expect(box).to_have_value(f'model:"model {user}" ')
    page.keyboard.press("Enter")
    expect(page).to_have_url(address(server, "generations", q=f'model:"model {user}"'))
    expect(rows(page)).to_have_count(1)


def test_columns_and_order_are_chosen_by_keyboard(page: Page, server: Server, user: str) -> None:
    for number in range(3):
        fields = {"langfuse__observation__usage_details": {"input": 100 * (1 + number * 2 % 3), "output": 1}}
        generation(server, user, at=-number, name=f"n{number}", langfuse__trace__tags=["a tag"], **fields)
    page.goto(address(server, "generations", q=f"user:{user}"))
    heads = page.locator(".list thead th")
    page.get_by_role("link", name="Cost").click()
    expect(page).to_have_url(address(server, "generations", q=f"user:{user}", sort="-cost"))
    expect(page.get_by_role("columnheader", name="Cost")).to_have_attribute("aria-sort", "descending")
    expect(names(page)).to_have_text(["n1", "n2", "n0"])
    page.get_by_role("link", name="Cost").click()
    expect(names(page)).to_have_text(["n0", "n2", "n1"])
    page.get_by_role("link", name="Cost").click()
    expect(page).to_have_url(address(server, "generations", q=f"user:{user}"))

    page.get_by_text("Columns", exact=True).first.focus()
    page.keyboard.press("Enter")
    for name in ("Model", "User", "Prompt", "Completion", "Tokens", "Latency"):
        page.get_by_label(name, exact=True).press("Space")
    page.get_by_label("Tags", exact=True).press("Space")
    up = page.get_by_role("button", name="Move Cost up")
    for _ in range(6):
        up.press("Enter")
    expect(up).to_be_focused()
    page.get_by_role("button", name="Apply").last.press("Enter")
    expect(page).to_have_url(address(server, "generations", q=f"user:{user}", columns="time,cost,name,tags"))
    expect(heads).to_have_text([re.compile(name) for name in ("Time", "Cost", "Name", "Tags")])
    expect(rows(page).first.locator(".c-tags")).to_have_text(re.compile("a tag"))
    page.go_back()
    expect(heads).to_have_count(9)


def test_words_are_shown_where_they_stand(page: Page, server: Server, user: str) -> None:
    word = f"needle{user[5:]}"
    long = [
        {"role": "system", "content": f"{'hay ' * 500} {EVIL} {word} {'hay ' * 500}"},
        {"role": "user", "content": "Where is it?"},
    ]
    generation(server, user, langfuse__observation__input=long, langfuse__observation__output=f"No {word.upper()} here")
    page.goto(address(server, "generations", q=word))
    expect(rows(page)).to_have_count(1)
    expect(page.locator(".c-input mark")).to_have_text(word)
    expect(page.locator("td.c-input")).to_contain_text('onerror="document.title=1">')
    expect(page.locator(".c-output mark")).to_have_text(word.upper())


def test_traces_and_spans_are_lists_of_the_same_kind(page: Page, server: Server, user: str) -> None:
    trace_id = agent(server)
    root = secrets.token_hex(8)
    model: dict[str, Any] = {
        "langfuse__observation__type": "generation",
        "langfuse__observation__model__name": "home-made-7b",
    }
    usage: dict[str, Any] = {"langfuse__observation__usage_details": {"input": 10, "output": 5}}
    mine = secrets.token_hex(16)
    send(
        server,
        span(
            mine, root, name=f"answer {user}", user__id=user, langfuse__trace__tags=["vip"], langfuse__trace__input="?"
        ),
        span(mine, secrets.token_hex(8), root, "draft", at=0.5, **model, **usage),
    )
    page.goto(address(server, "traces", q=f"user:{user}"))
    row = rows(page)
    expect(row).to_have_count(1)
    expect(row.locator(".c-name")).to_contain_text(f"answer {user}")
    expect(row.locator(".c-name")).to_contain_text("vip")
    expect(row.locator(".c-spans")).to_have_text(re.compile(r"2\s*1 call"))
    expect(row.locator(".c-cost")).to_have_text(re.compile(r"—\s*1 unpriced"))
    expect(row.locator(".c-models")).to_have_text("home-made-7b")
    shown = page.request.get(address(server, "traces.json", q=f"user:{user}")).json()
    assert shown == server.get("/api/v1/traces", q=f"user:{user}")

    page.goto(address(server, "spans", q=f"trace:{trace_id}"))
    expect(rows(page)).to_have_count(6)
    tool = rows(page).filter(has_text="look-up")
    expect(tool.locator(".c-type")).to_have_text("tool")
    expect(tool.locator(".c-output")).to_have_text("no answer within 30 s")
    tool.locator(".c-trace a").click()
    expect(page).to_have_url(f"{server.url}/traces/{trace_id}")
    refused = page.request.get(address(server, "spans.json", q="nonsense:1"))
    assert refused.status == 400
    assert "nonsense" in refused.json()["message"]


def test_a_range_of_the_histogram_becomes_the_range_of_time(page: Page, server: Server, user: str) -> None:
    generation(server, user, at=-5400, langfuse__observation__level="ERROR")
    generation(server, user, at=-60)
    # The axis ends now, whatever the clocks of others say.
    generation(server, f"not-{user}", at=6 * 3600)
    page.goto(address(server, "generations", q=f"user:{user}", **{"from": "24h"}))
    chart = page.locator(".histogram figure")
    expect(chart.locator(".summary")).to_contain_text("2 generations, 1 with an error.")
    plot = chart.locator(".u-over")
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.96, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"from=20.*&to=20"))
    expect(rows(page)).to_have_count(1)
    expect(rows(page).first.locator(".level")).to_have_text("error")


def test_a_list_goes_on_after_failed_requests(page: Page, server: Server, user: str) -> None:
    fields: dict[str, Any] = {"user__id": user, "gen_ai__operation__name": "chat"}
    send(server, *(span(secrets.token_hex(16), secrets.token_hex(8), name=f"n{n}", at=-n, **fields) for n in range(70)))
    failures = [lambda route: route.abort(), lambda route: route.fulfill(status=503, body="busy")]

    def answer(route: Route) -> None:
        failures.pop(0)(route) if failures else route.continue_()

    page.route(re.compile("/rows.*cursor="), answer)
    page.route(re.compile("/facets"), lambda route: route.fulfill(status=422, body="too much"))
    page.goto(address(server, "generations", q=f"user:{user}"))
    expect(page.locator(".facets")).to_contain_text("Narrow the time or the filter.")
    expect(rows(page)).to_have_count(50)
    page.keyboard.press("End")
    expect(rows(page)).to_have_count(70)
    assert failures == []


def test_the_axis_ends_by_a_row_of_a_clock_that_is_ahead(server: Server, user: str) -> None:
    def drawn(since: str) -> tuple[int, int, int]:
        """Return how many rows are drawn, how many of them in the last two bars, and the seconds of a bar."""
        page = client.get("/lists/generations/histogram", params={"q": f"user:{user}", "from": since})
        (found,) = re.findall("data-chart='([^']+)'", page.raise_for_status().text)
        chart = json.loads(found)
        bars = [sum(values) for values in zip(*(one["values"] for one in chart["series"]), strict=True)]
        return sum(bars), sum(bars[-2:]), chart["step"]

    generation(server, user, at=-60)
    with server.client() as client:
        client.post("/login", data={"public_key": server.public_key, "secret_key": server.secret_key})
        generation(server, user, at=600)
        assert drawn("15m") == (2, 1, 15)
        generation(server, user, at=2 * 3600)
        generation(server, user, at=400 * 86_400)
        assert drawn("15m")[:2] == drawn("24h")[:2] == (3, 1)


def test_lists_are_accessible_and_fit_a_phone(browser: Browser, server: Server, user: str) -> None:
    generation(
        server, user, name="x" * 300, langfuse__observation__model__name="y" * 300, langfuse__trace__tags=["z" * 99]
    )
    with logged_in(browser, server) as context:
        page = context.new_page()
        for name in ("generations", "traces", "spans"):
            page.goto(address(server, name, q=f"user:{user}"))
            expect(page.locator("[data-facet]").first).to_be_visible()
            expect(page.locator(".histogram .u-over")).to_be_visible()
            accessible(page)
        page.set_viewport_size(PHONE)
        every = ",".join(column.name for column in OF_SPANS)
        page.goto(address(server, "spans", q=f"user:{user}", columns=every))
        expect(page.locator("details.facets")).not_to_have_attribute("open", re.compile(""))
        expect(rows(page)).to_have_count(1)
        fits(page)
        page.get_by_text("Facets", exact=True).click()
        expect(page.locator("[data-facet]").first).to_be_visible()
        fits(page)
        accessible(page)
