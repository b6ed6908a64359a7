"""Projects and keys in a running server, by page and API; what was rejected; how the server is doing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import given
from playwright.sync_api import Browser, expect

from tests.browser import PATIENCE, PHONE, accessible, fits, sound
from tests.command import of
from tests.running import Server
from tests.sending import GENERATION, PROTOBUF, encoded, new_id, request, span
from tests.test_api_fuzz import CHECKS, GENTLY

PAIR = re.compile(r"<code>(pk-gs-\w+)</code>.*?<code>(sk-gs-\w+)</code>", re.DOTALL)
SECTIONS = ("/settings", "/settings/keys", "/settings/members", "/settings/retention", "/settings/redaction")
PAGES = (*SECTIONS, "/rejected", "/settings/health")


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, httpx.Client]]:
    """A server, and its owner."""
    running = Server(tmp_path_factory.mktemp("settings")).start()
    with httpx.Client(base_url=running.url, timeout=60, trust_env=False) as owner:
        assert owner.get(running.login_url).status_code == 303
        yield running, owner
    running.stop()


def export(server: Server, auth: tuple[str, str]) -> int:
    """Send a span with a key and return the status."""
    body = encoded(request([span(new_id(16), attributes=GENERATION)]))
    headers = {"content-type": PROTOBUF}
    with server.client() as client:
        return client.post("/v1/traces", content=body, headers=headers, auth=auth).status_code


def pair_of(page: str) -> tuple[str, str]:
    found = PAIR.search(page)
    assert found
    return found[1], found[2]


def test_a_key_of_the_page_works_until_it_is_revoked(owned: tuple[Server, httpx.Client]) -> None:
    server, owner = owned
    made = owner.post("/settings/keys", data={"name": "<b>checkout</b>"})
    public, secret = pair_of(made.text)
    assert made.headers["cache-control"] == "no-store"
    assert "&lt;b&gt;checkout" in made.text
    assert export(server, (public, secret)) == 200
    listed = {key["public_key"]: key for key in owner.get("/settings/keys.json").json()["data"]}
    assert listed[public]["name"] == "<b>checkout</b>"
    assert listed[public]["last_used"] >= listed[public]["created"]
    for path in PAGES:
        for form in ("", ".json"):
            told = owner.get(path + form)
            assert told.status_code == 200, path
            assert secret not in told.text
            assert server.secret_key not in told.text
            assert "secret_hash" not in told.text
    assert owner.post("/settings/keys/revoke", data={"public_key": public}).status_code == 303
    assert export(server, (public, secret)) == 401
    assert owner.post("/settings/keys/revoke", data={"public_key": public}).status_code == 400
    assert owner.post("/settings/keys", data={"name": "x" * 101}).status_code == 400
    assert any(f"revoked key {public}" in line for line in server.output)
    assert not any(secret in line for line in server.output)


def test_a_key_of_one_project_knows_nothing_of_another(owned: tuple[Server, httpx.Client]) -> None:
    server, owner = owned
    shop = pair_of(owner.post("/settings/projects", data={"id": "shop", "name": "The shop"}).text)
    for wrong in ("shop", "No Slug", "", "x" * 64, "a/b"):
        assert owner.post("/settings/projects", data={"id": wrong}).status_code == 400
    assert export(server, shop) == 200
    base = {"base_url": server.url, "timeout": 60.0, "trust_env": False}
    with httpx.Client(auth=shop, **base) as program, server.client() as other:  # type: ignore[arg-type]
        assert program.get("/api/v1/projects").json()["data"] == [{"id": "shop", "name": "The shop"}]
        assert [key["public_key"] for key in program.get("/api/v1/keys").json()["data"]] == [shop[0]]
        assert program.delete(f"/api/v1/keys/{server.public_key}").status_code == 404
        assert program.get("/api/v1/keys", params={"project_id": "default"}).status_code == 403
        assert program.patch("/api/v1/projects/default", json={"name": "mine"}).status_code == 404
        assert program.post("/api/v1/projects", json={"id": "mine"}).status_code == 403
        assert program.patch("/api/v1/projects/shop", json={"name": " "}).status_code == 400
        assert program.patch("/api/v1/projects/shop", json={"name": "Shop 2"}).json()["name"] == "Shop 2"
        made = program.post("/api/v1/keys", json={"name": "second"}).json()
        assert made["project"] == "shop"
        assert export(server, (made["public_key"], made["secret_key"])) == 200
        assert "secret_key" not in program.get("/api/v1/keys").text
        assert other.delete(f"/api/v1/keys/{made['public_key']}").status_code == 404
        assert program.delete(f"/api/v1/keys/{made['public_key']}").json()["name"] == "second"
        assert export(server, (made["public_key"], made["secret_key"])) == 401
        for body in ("{", '{"name": 1}', '{"more": 1}'):
            headers = {"content-type": "application/json"}
            assert program.post("/api/v1/keys", content=body, headers=headers).status_code == 400
        assert program.post("/api/v1/keys", data={"name": "x"}).status_code == 415
        assert program.get("/api/v1/spans").json()["data"]
    assert httpx.get(f"{server.url}/api/v1/keys", timeout=60, trust_env=False).status_code == 401

    # A login by key sees its project, changes its settings, and no other's.
    with httpx.Client(**base) as person:  # type: ignore[arg-type]
        person.post("/login", data={"public_key": shop[0], "secret_key": shop[1]})
        told = person.get("/settings.json").json()
        assert (told["role"], told["owns_server"], len(told["projects"])) == ("member", False, 1)
        assert person.post("/settings/project", data={"project_id": "default"}).status_code == 403
        assert person.post("/settings/keys/revoke", data={"public_key": server.public_key}).status_code == 400
        assert person.post("/settings/members", data={"email": "a@b.co", "role": "owner"}).status_code == 403
        assert person.post("/settings", data={"name": "Shop 3"}).status_code == 303
        assert "server" not in person.get("/settings/health.json").json()
        assert person.post("/settings/logout-everywhere").status_code == 403


def test_the_owner_s_logins_end_everywhere(owned: tuple[Server, httpx.Client]) -> None:
    server, owner = owned
    cookies = dict(owner.cookies)
    assert owner.post("/settings/logout-everywhere").status_code == 303
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False, cookies=cookies) as thief:
        assert thief.get("/settings").status_code == 303
    link = next(line for line in reversed(server.output) if "the next one is" in line).rpartition(" ")[2].strip()
    assert owner.get(link).status_code == 303
    assert owner.get("/settings").status_code == 200


def test_uses_of_keys_outlive_the_server(owned: tuple[Server, httpx.Client]) -> None:
    server, owner = owned
    made = server.new_project()
    assert export(server, made.basic) == 200
    used = made.get("/api/v1/keys")["data"][0]["last_used"]
    server.stop()
    server.start()
    made.url = server.url
    owner.base_url = server.url
    assert owner.get(server.login_url).status_code == 303
    assert owner.post("/settings/project", data={"project_id": made.project}).status_code == 303
    assert owner.get("/settings/keys.json").json()["data"][0]["last_used"] == used
    # Asking is a use.
    assert made.get("/api/v1/keys")["data"][0]["last_used"] > used
    assert owner.get("/settings/keys.json").json()["data"][0]["last_used"] > used
    assert owner.post("/settings/project", data={"project_id": "default"}).status_code == 303


def test_an_open_server_is_its_viewers(tmp_path: Path) -> None:
    server = Server(tmp_path, anonymous=True).start()
    try:
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as anybody:
            told = anybody.get("/settings.json").json()
            assert (told["owns_server"], told["role"]) == (True, "owner")
            made = anybody.post("/api/v1/projects", json={"id": "shop"}).json()
            assert export(server, (made["public_key"], made["secret_key"])) == 200
            assert anybody.post("/settings/project", data={"project_id": "shop"}).status_code == 303
            assert anybody.get("/settings/health.json").json()["spans"] == 1
            assert [one["id"] for one in anybody.get("/api/v1/projects").json()["data"]] == ["default", "shop"]
            evil = {"host": "evil.example"}
            assert anybody.get("/api/v1/keys", headers=evil).status_code == 403
            assert anybody.post("/api/v1/keys", json={}, headers={"origin": "https://evil.example"}).status_code == 403
            assert anybody.get("/settings", headers=evil).status_code == 303
    finally:
        server.stop()


def test_what_was_rejected_is_counted_by_its_kind(owned: tuple[Server, httpx.Client]) -> None:
    server, owner = owned
    owner.post("/settings/project", data={"project_id": "default"})
    events: list[dict[str, Any]] = [{"type": "span-update", "body": {"name": f"n{number}"}} for number in range(3)]
    events += [{"type": f"kind-{number}", "body": {}} for number in range(2)]
    batch = [{"id": f"e{n}", "timestamp": "2026-01-02T03:04:05Z", **event} for n, event in enumerate(events)]
    with server.client() as client:
        client.post("/api/public/ingestion", json={"batch": batch})
    told = owner.get("/rejected.json").json()
    assert sorted(one["count"] for one in told["counts"]) == [2, 3]
    assert len(told["data"]) == 5
    for one in told["counts"]:
        chosen = owner.get("/rejected.json", params={"protocol": one["protocol"], "kind": one["kind"]}).json()
        assert len(chosen["data"]) == one["count"]
        assert len({row["reason"] for row in chosen["data"]}) in (1, 2)
    nothing = owner.get("/rejected", params={"kind": "'; DROP TABLE spans --"})
    assert nothing.status_code == 200
    assert "Nothing of this kind" in nothing.text
    assert owner.get("/rejected.json?cursor=nonsense").status_code == 400


def test_the_server_tells_how_it_is(owned: tuple[Server, httpx.Client]) -> None:
    server, owner = owned
    owner.post("/settings/project", data={"project_id": "default"})
    assert export(server, server.basic) == 200
    told = owner.get("/settings/health.json").json()
    state = told["server"]
    tables = {table["name"]: table for table in state["tables"]}
    assert tables["spans"]["rows"] >= told["spans"] >= 1
    assert tables["spans"]["bytes"] > 0
    assert told["oldest"] <= told["newest"]
    assert state["disk_free"] > 0
    assert state["engine"]["version"].count(".") == 3
    assert state["storing"] is True
    assert state["engine"]["last_insert"] > told["oldest"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/keys"),
        ("POST", "/api/v1/keys"),
        ("DELETE", "/api/v1/keys/{public_key}"),
        ("PATCH", "/api/v1/projects/{project_id}"),
        ("PUT", "/api/v1/redaction"),
        ("PUT", "/api/v1/retention"),
    ],
)
def test_every_answer_is_as_documented(owned: tuple[Server, httpx.Client], method: str, path: str) -> None:
    server, owner = owned
    owner.post("/settings/projects", data={"id": "fuzzed"})
    owner.post("/settings/project", data={"project_id": "fuzzed"})
    pair = pair_of(owner.post("/settings/keys").text)
    owner.post("/settings/project", data={"project_id": "default"})
    document = schemathesis.openapi.from_dict(server.get("/api/v1/openapi.json"))
    document.config.update(base_url=server.url)

    @given(case=document[path][method].as_strategy())
    @GENTLY
    def check(case: Any) -> None:
        case.call_and_validate(auth=pair, timeout=60, checks=CHECKS)

    check()


@pytest.mark.parametrize("page", ["settings.md", "redaction.md"])
def test_the_examples_of_the_documentation_run(project: Server, tmp_path: Path, page: str) -> None:
    text = (Path(__file__).parents[1] / "docs" / page).read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 2
    environment = {**of(project), "GENSCOPE_DATA": str(project.data), "NO_PROXY": "*", "HOME": str(tmp_path)}
    environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for block in blocks:
        command = ["bash", "-eu", "-c", block]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        assert '"error"' not in done.stdout, done.stdout
    if page == "redaction.md":
        assert "[redacted:email]" in done.stdout
    else:
        assert project.get("/api/v1/retention")["days"] == 90


def test_by_hand(owned: tuple[Server, httpx.Client], browser: Browser) -> None:
    """A key is made, used and revoked; another project is chosen; every section on a telephone and in both lights."""
    server, owner = owned
    assert owner.post("/settings/projects", data={"id": "by-hand", "name": "Another one"}).status_code == 200
    context = browser.new_context(viewport=PHONE)
    context.set_default_timeout(PATIENCE)
    link = next(line for line in reversed(server.output) if "/login?token=" in line).rpartition("/login")[2]
    with sound(context) as page:
        page.goto(f"{server.url}/login{link.split()[0]}")
        for path in PAGES:
            page.goto(server.url + path)
            accessible(page)
            fits(page)
            expect(page.get_by_role("navigation", name="Settings").locator("[aria-current]")).to_have_count(1)

        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(f"{server.url}/settings/keys")
        page.get_by_label("What the new key is for").fill("by hand")
        page.keyboard.press("Enter")
        expect(page.locator(".made")).to_be_visible()
        accessible(page)
        public, secret = (code.inner_text() for code in page.locator(".made code").all())
        assert export(server, (public, secret)) == 200
        page.goto(f"{server.url}/settings/keys")
        row = page.get_by_role("row").filter(has_text=public)
        expect(row.locator("td").nth(2)).not_to_contain_text("never")
        row.locator("summary").focus()
        page.keyboard.press("Enter")
        row.get_by_role("button", name="Revoke for good").click()
        expect(row).to_have_count(0)
        assert export(server, (public, secret)) == 401

        page.locator(".switch summary").click()
        page.locator(".switch").get_by_role("button", name="Another one").click()
        expect(page.locator(".switch summary")).to_contain_text("Another one")

        page.goto(f"{server.url}/settings/redaction")
        page.get_by_label("E-mail addresses").check()
        page.get_by_label("Try it on a text").fill("from ada@example.com")
        page.get_by_role("button", name="Try").click()
        expect(page.locator("mark.masked")).to_have_text("[redacted:email]")
        accessible(page)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("Saved")
        expect(page.get_by_label("E-mail addresses")).to_be_checked()
