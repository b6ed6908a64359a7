"""The SQL console: what it answers, and that nothing gets past its walls."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from genscope.query.filter import FilterError
from genscope.store.allowed import FUNCTIONS, allows
from genscope.store.console import Console
from genscope.store.engine import Engine
from genscope.store.errors import QueryTooLarge
from genscope.store.migrate import migrate
from genscope.store.reader import Reader
from genscope.store.rows import encode
from genscope.store.tables import TABLES
from genscope.web.pages.sql import EXAMPLES
from tests.browser import PHONE, accessible, fits, logged_in, sound
from tests.running import Server
from tests.spans import generation
from tests.test_filter_language import piece

ATTACKS = [line for line in (Path(__file__).parent / "attacks.sql").read_text().splitlines() if line]
DOCS = Path(__file__).parent.parent / "docs" / "sql.md"
SECRET = "of another project"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = Engine(
        tmp_path_factory.mktemp("store"),
        memory_bytes=2 << 30,
        query_memory_bytes=1 << 30,
        query_seconds=30,
        connections=2,
    )
    migrate(opened)
    opened.insert("spans", encode("p", [piece("s1", name="own", model="m1", metadata={"plan": "pro"}, tags=["a"])]))
    opened.insert("spans", encode("p", [piece("s2", type="generation", name="call", cost={}, session_id="s")]))
    opened.insert("spans", encode("other", [piece("s3", name=SECRET, input=SECRET)]))
    opened.command("INSERT INTO server_values (name, value) VALUES ('token', {value:String})", {"value": SECRET})
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def console(engine: Engine) -> Console:
    return Reader(engine).console


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_are_refused(console: Console, text: str) -> None:
    with pytest.raises(FilterError) as caught:
        console.run("p", text.encode().decode("unicode_escape") if "\\u0000" in text else text)
    said = str(caught.value)
    assert len(said) < 600
    assert not re.search(r"root:|DB::Exception|_[0-9a-f]{16}|default\.|In scope|/(home|root|tmp)/", said)
    assert SECRET not in said


def test_there_are_attacks() -> None:
    assert len(ATTACKS) > 150
    assert len(set(ATTACKS)) == len(ATTACKS)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT arrayJoin(range(400000000)) AS x ORDER BY x LIMIT 1",
        "SELECT arrayMap(x -> arrayMap(y -> sipHash64(x * y), range(1000000)), range(1000000))",
        "SELECT groupArray(x) FROM (SELECT arrayJoin(range(100000000)) AS x)",
        "SELECT length(repeat(repeat('x', 1000000), 900))",
    ],
)
def test_what_is_too_much_ends(console: Console, text: str) -> None:
    with pytest.raises((QueryTooLarge, FilterError)):
        console.run("p", text)
    assert console.run("p", "SELECT 1").rows == [[1]]


@pytest.mark.parametrize(
    "text",
    [
        "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t) SELECT count() FROM t",
        f"SELECT {'(' * 3000}1{')' * 3000}",
        f"SELECT 1{' + 1' * 4000}",
        f"SELECT {'[' * 500}1{']' * 500}",
        "SELECT 1" + " " * 20_001,
        "",
        ";",
        "-- nothing",
        # Names that stand for much, and stand everywhere: gigabytes, if each were spelt out.
        f"SELECT concat({','.join(['1'] * 600)}) AS a FROM spans ORDER BY {','.join('a' * 1000)}",
        "'",
        '"',
        "/*",
        "\x00",
        "SELECT nope FROM spans",
        "SELECT sum(name) FROM spans",
        "SELECT * FROM spans WHERE",
    ],
)
def test_nonsense_is_refused(console: Console, text: str) -> None:
    with pytest.raises(FilterError):
        console.run("p", text)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SELECT name, model FROM spans ORDER BY name", [["call", None], ["own", "m1"]]),
        ("FROM spans SELECT count()", [[2]]),
        ("SELECT name FROM generations", [["call"]]),
        ("SELECT count() FROM traces", [[2]]),
        ("SELECT id, trace_count FROM sessions", [["s", 1]]),
        ("SELECT count() FROM scores", [[0]]),
        ("SELECT metadata['plan'], tags FROM spans WHERE has(tags, 'a')", [["pro", ["a"]]]),
        ("SELECT spans.name FROM spans WHERE spans.model = 'm1'", [["own"]]),
        (
            "SELECT a.name, b.name FROM spans AS a JOIN traces AS b ON a.trace_id = b.trace_id ORDER BY 1 LIMIT 1",
            [["call", "call"]],
        ),
        ("WITH x AS (SELECT name FROM spans) SELECT x.name FROM x ORDER BY 1 LIMIT 1", [["call"]]),
        ("WITH 5 AS five SELECT five + count() FROM spans", [[7]]),
        (
            "SELECT toString(name) AS model, count() AS name FROM spans GROUP BY model ORDER BY name, model LIMIT 1",
            [["call", 1]],
        ),
        ("SELECT sum(cost) AS cost FROM spans GROUP BY type HAVING cost IS NULL ORDER BY cost LIMIT 1", [[None]]),
        (
            "SELECT arrayMap(x -> x + 1, [1, 2]), 1 ? 2 : 3, CAST('5' AS UInt8), '2026-01-02'::Date",
            [[[2, 3], 2, 5, "2026-01-02"]],
        ),
        ("SELECT countIf(model = 'm1'), uniqExactIf(name, model != ''), quantile(0.5)(1) FROM spans", [[1, 1, 1]]),
        ("(SELECT 1) UNION ALL (SELECT 1)", [[1], [1]]),
        ("SELECT $$ FROM api_keys $$", [[" FROM api_keys "]]),
        ("SELECT 'a\\' FROM api_keys -- '", [["a' FROM api_keys -- "]]),
        ("SELECT 1 -- a comment", [[1]]),
        ("SELECT count() FROM spans WHERE trace_id IN (SELECT trace_id FROM generations)", [[1]]),
        ("SELECT toDecimal64(1.5, 3), 18446744073709551615, nan, NULL", [["1.5", 18446744073709551615, None, None]]),
        ("SELECT row_number() OVER (PARTITION BY type ORDER BY name) AS n FROM spans ORDER BY n LIMIT 1", [[1]]),
    ],
)
def test_what_is_answered(console: Console, text: str, rows: list[list[Any]]) -> None:
    assert console.run("p", text).rows == rows


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=30))
def test_a_text_stays_a_text(console: Console, value: str) -> None:
    written = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    try:
        answer = console.run("p", f"SELECT {written}, 'end'")
    except FilterError:
        return
    assert answer.rows == [[value, "end"]]


def test_every_table_is_as_it_is_written_down(console: Console) -> None:
    text = DOCS.read_text()
    for table in TABLES.values():
        answer = console.run("p", f"SELECT * FROM {table.name}")
        assert [name for name, _ in answer.columns] == [column.name for column in table.columns]
        types = [re.sub(r", 'UTC'", "", type_) for _, type_ in answer.columns]
        assert types == [column.type for column in table.columns]
        assert f"### `{table.name}`" in text
        for column in table.columns:
            assert f"| `{column.name}` | {column.type} | {column.description} |" in text


def test_the_examples_run(console: Console) -> None:
    shown = re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert len(shown) >= 3
    for text in [*shown, *(text for _, text, _ in ((title, one, "") for title, one in EXAMPLES))]:
        assert console.run("p", text).columns


def test_an_answer_says_when_it_is_cut(console: Console) -> None:
    answer = console.run("p", "SELECT arrayJoin(range(20000)) AS n")
    assert (len(answer.rows), answer.cut) == (10_000, True)


def test_no_other_project_is_seen_even_where_the_first_wall_is_missing(engine: Engine, console: Console) -> None:
    with engine.connection(console._settings("p")) as connection:
        for text in (
            "SELECT count() FROM spans WHERE project_id != 'p'",
            "SELECT count() FROM spans FINAL WHERE project_id != 'p'",
            "SELECT count() FROM server_values",
            "SELECT count() FROM api_keys",
            "SELECT 'token' IN (SELECT name FROM server_values)",
        ):
            assert connection.text(text, "TSV").strip() == b"0"
        for text in (
            "SET readonly = 0",
            "INSERT INTO server_values VALUES ('a', 'b')",
            "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        ):
            with pytest.raises(Exception, match=r"READONLY|readonly"):
                connection.command(text)


def test_allowed_functions_exist_and_are_harmless(engine: Engine) -> None:
    known = {name.lower() for name in engine.query("SELECT name FROM system.functions").to_pydict()["name"]}
    unknown = {name for name in FUNCTIONS if name not in known}
    # Some are syntax, or names that sqlglot has for others.
    assert len(unknown) < 60, sorted(unknown)
    for word in (
        "file",
        "sleep",
        "dictget",
        "joinget",
        "getsetting",
        "hostname",
        "aigenerate",
        "arrayreduce",
        "in",
        "filter",
        "throwif",
    ):
        assert not allows(word)
    assert not any(re.match(r"dict|joinget|get|ai[A-Z]|current|addressto|filesystem|eval", name) for name in FUNCTIONS)


# --- over HTTP and on the page ------------------------------------------------------------------------------------------


def ask(server: Server, query: str, **parameters: str) -> httpx.Response:
    with server.client() as client:
        return client.post("/api/v1/sql", json={"query": query}, params=parameters)


def test_the_route(server: Server) -> None:
    generation(server, "sql-user", name="=cmd|calc")
    mine = "FROM generations WHERE user_id = 'sql-user'"
    answer = ask(server, f"SELECT name, model, cost {mine} LIMIT 1").json()
    assert [column["name"] for column in answer["columns"]] == ["name", "model", "cost"]
    assert answer["rows"][0][:2] == ["=cmd|calc", "gpt-4o"]
    assert isinstance(answer["rows"][0][2], str)
    assert answer["cut"] is False
    table = list(csv.reader(io.StringIO(ask(server, f"SELECT name, 1.5, -2 {mine} LIMIT 1", format="csv").text)))
    assert table[1] == ["'=cmd|calc", "1.5", "-2"]
    refused = ask(server, "DROP TABLE spans")
    assert (refused.status_code, refused.json()["message"]) == (400, "only SELECT is allowed here")
    with server.client() as client:
        assert client.post("/api/v1/sql", json={"nothing": 1}).status_code == 400
        assert client.post("/api/v1/sql", content=b"\xff").status_code in (400, 415)
    assert httpx.post(f"{server.url}/api/v1/sql", json={"query": "SELECT 1"}, trust_env=False).status_code == 401
    assert {table["name"] for table in server.get("/api/v1/sql/tables")["data"]} == set(TABLES)


def test_the_page_by_keyboard(page: Page, server: Server) -> None:
    generation(server, "sql-page", name="<b>evil</b>")
    page.goto(f"{server.url}/sql")
    query = page.get_by_label("Query")
    expect(query).to_be_focused()
    page.keyboard.type("SELECT trace_id, name, mode")
    expect(page.get_by_role("option", name="model Nullable")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Tab")
    expect(query).to_have_value("SELECT trace_id, name, model")
    page.keyboard.type(" FROM generations WHERE user_id = 'sql-page'")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/sql\?query=SELECT"))
    expect(page.get_by_role("cell", name="<b>evil</b>")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("1 row")
    page.locator("details.table summary").first.click()
    accessible(page)
    page.get_by_role("link", name="Cost by day and model").click()
    expect(page.get_by_label("Query")).to_have_value(re.compile("^SELECT toDate"))
    expect(page.get_by_role("status")).to_contain_text("row")
    page.goto(f"{server.url}/sql?query=SELECT+nope+FROM+spans")
    expect(page.get_by_role("alert")).to_contain_text("nope")
    page.get_by_label("Query").fill(
        "SELECT toStartOfMinute(time) + n * 60 AS minute, n FROM spans ARRAY JOIN [1, 2, 3] AS n LIMIT 3"
    )
    page.get_by_role("button", name="Run").click()
    expect(page.locator("figure.chart canvas")).to_be_visible()


def test_the_page_on_a_phone_and_by_a_strange_link(browser: Browser, server: Server) -> None:
    with sound(logged_in(browser, server, viewport=PHONE)) as page:
        generation(server, "sql-phone")
        page.goto(f"{server.url}/sql?query=SELECT+*+FROM+spans+LIMIT+3")
        expect(page.get_by_role("region", name="Rows")).to_be_visible()
        fits(page)
        context = page.context
        headers = {"Sec-Fetch-Site": "cross-site"}
        assert "another site" in context.request.get(f"{server.url}/sql?query=SELECT+1", headers=headers).text()
        assert context.request.get(f"{server.url}/sql.csv?query=SELECT+1", headers=headers).status == 400
        assert context.request.get(f"{server.url}/sql.csv?query=SELECT+1+AS+n").text() == "n\r\n1\r\n"
        assert context.request.get(f"{server.url}/sql.json?query=SELECT+1").json()["rows"] == [[1]]
