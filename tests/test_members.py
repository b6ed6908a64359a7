"""People with logins of their own: invited, let in, kept apart, thrown out; and who guesses is slowed down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from genscope.members import Throttle, TooManyTries
from tests.browser import PATIENCE, PHONE, accessible, fits, sound
from tests.running import PLAIN, Server

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, httpx.Client]]:
    """A server, and its owner."""
    running = Server(tmp_path_factory.mktemp("members")).start()
    with person(running) as owner:
        assert owner.get(running.login_url).status_code == 303
        yield running, owner
    running.stop()


def person(server: Server, **options: Any) -> httpx.Client:
    return httpx.Client(base_url=server.url, timeout=60, trust_env=False, verify=PLAIN, **options)


def invite(owner: httpx.Client, email: str, role: str = "member") -> str:
    """Return the path of the link that is shown, empty if there is none."""
    told = owner.post("/settings/members", data={"email": email, "role": role})
    assert told.status_code == 200, told.text
    found = re.search(r"/login/invitation\?token=[\w-]+", told.text)
    return found[0] if found else ""


def take_up(client: httpx.Client, link: str, password: str = PASSWORD) -> httpx.Response:
    token = link.partition("token=")[2]
    return client.post("/login/invitation", data={"token": token, "password": password, "again": password})


def member(server: Server, owner: httpx.Client, email: str, role: str = "member") -> httpx.Client:
    """Return someone who was invited and has logged in."""
    client = person(server)
    assert take_up(client, invite(owner, email, role)).status_code == 303
    return client


def log_in(server: Server, email: str, password: str = PASSWORD) -> tuple[httpx.Client, int]:
    client = person(server)
    return client, client.post("/login", data={"email": email, "password": password}).status_code


def choose(client: httpx.Client, project_id: str) -> int:
    return client.post("/settings/project", data={"project_id": project_id}).status_code


def test_an_invitation_is_taken_up_once(peopled: tuple[Server, httpx.Client]) -> None:
    server, owner = peopled
    link = invite(owner, "Ada@Example.com", "viewer")
    with person(server) as ada:
        # Whoever looks at it, such as a program that previews links, does not spend it.
        assert "ada@example.com" in ada.get(link).text
        assert take_up(ada, link, "short").status_code == 400
        assert take_up(ada, link, "ada@example.com").status_code == 400
        assert log_in(server, "ada@example.com", "")[1] == 401
        assert take_up(ada, link).status_code == 303
        assert ada.get("/settings.json").json()["role"] == "viewer"
        assert ada.get(link).status_code == 401
        assert take_up(ada, link).status_code == 400
        assert "argon2" not in ada.get("/settings/members.json").text
        assert ada.get("/settings/members.json").json()["data"] == [
            {"email": "ada@example.com", "role": "viewer", "login": "password"}
        ]
    with person(server) as stranger:
        assert stranger.get("/login/invitation?token=").status_code == 401
    assert log_in(server, " ADA@example.com ")[1] == 303
    assert log_in(server, "ada@example.com", "wrong horse battery")[1] == 401
    assert owner.post("/settings/members", data={"email": "no address", "role": "viewer"}).status_code == 400
    assert owner.post("/settings/members", data={"email": "ada@example.com", "role": "viewer"}).status_code == 400
    assert owner.post("/settings/members", data={"email": "b@example.com", "role": "root"}).status_code == 400


def test_roles_and_projects_are_kept_apart(peopled: tuple[Server, httpx.Client]) -> None:
    server, owner = peopled
    assert owner.post("/settings/projects", data={"id": "shop", "name": "Shop"}).status_code == 200
    assert choose(owner, "default") == 303
    bea = member(server, owner, "bea@example.com", "viewer")
    cyd = member(server, owner, "cyd@example.com", "member")
    changes: tuple[tuple[str, dict[str, str]], ...] = (
        ("/settings", {"name": "default"}),
        ("/settings/keys", {"name": "mine"}),
        ("/settings/retention", {"days": "30", "do": "try"}),
        ("/settings/redaction", {"do": "try"}),
    )
    for path, form in changes:
        assert bea.get(path).status_code == 200
        assert bea.post(path, data=form).status_code == 403, path
        assert cyd.post(path, data=form).status_code in (200, 303), path
    for client in (bea, cyd):
        assert client.post("/settings/members", data={"email": "x@example.com", "role": "owner"}).status_code == 403
        assert client.post("/settings/projects", data={"id": "mine"}).status_code == 403
        assert choose(client, "shop") == 403
        assert "server" not in client.get("/settings/health.json").json()

    # An owner of one project makes nobody a member of another, and no links that would open others.
    dee = member(server, owner, "dee@example.com", "owner")
    assert choose(owner, "shop") == 303
    link = invite(owner, "eli@example.com")
    assert choose(owner, "default") == 303
    assert invite(dee, "eli@example.com") == ""
    assert dee.post("/settings/members/link", data={"email": "eli@example.com"}).status_code == 403
    assert dee.post("/settings/members/link", data={"email": "nobody@example.com"}).status_code == 400
    with person(server) as eli:
        assert take_up(eli, link).status_code == 303
        assert {one["id"] for one in eli.get("/settings.json").json()["projects"]} == {"default", "shop"}
        assert choose(eli, "shop") == 303
        assert eli.get("/settings.json").json()["project"]["id"] == "shop"
        # Thrown out of one, they see the other.
        assert choose(owner, "shop") == 303
        assert owner.post("/settings/members/role", data={"email": "eli@example.com", "role": ""}).status_code == 303
        assert choose(owner, "default") == 303
        assert eli.get("/settings.json").json()["project"]["id"] == "default"
        assert dee.post("/settings/members/role", data={"email": "eli@example.com", "role": ""}).status_code == 303
        assert eli.get("/settings").headers["location"].startswith("/login")
        assert log_in(server, "eli@example.com")[1] == 401


def test_logins_end_everywhere(peopled: tuple[Server, httpx.Client]) -> None:
    server, owner = peopled
    fay = member(server, owner, "fay@example.com")
    elsewhere, status = log_in(server, "fay@example.com")
    assert status == 303
    assert fay.post("/settings/password", data={"old": "no", "new": "another horse battery"}).status_code == 400
    assert fay.post("/settings/password", data={"old": PASSWORD, "new": "another horse battery"}).status_code == 200
    assert fay.get("/settings").status_code == 200
    assert elsewhere.get("/settings").status_code == 303
    again, status = log_in(server, "fay@example.com", "another horse battery")
    assert status == 303
    cookies = dict(again.cookies)
    assert again.post("/settings/logout-everywhere").status_code == 303
    for cookie in (cookies, dict(fay.cookies)):
        with person(server, cookies=cookie) as thief:
            assert thief.get("/settings").status_code == 303
    # One who was removed and comes back does not bring old logins back.
    gus = member(server, owner, "gus@example.com")
    cookies = dict(gus.cookies)
    owner.post("/settings/members/role", data={"email": "gus@example.com", "role": ""})
    member(server, owner, "gus@example.com")
    with person(server, cookies=cookies) as thief:
        assert thief.get("/settings").status_code == 303


def test_a_login_is_a_new_session_and_its_cookie_is_guarded(peopled: tuple[Server, httpx.Client]) -> None:
    server, owner = peopled
    member(server, owner, "hal@example.com")
    form = {"email": "hal@example.com", "password": PASSWORD}
    with person(server) as hal:
        plain = hal.post("/login", data=form).headers["set-cookie"].lower()
        assert "httponly" in plain
        assert "samesite=lax" in plain
        assert "secure" not in plain
        assert "owner" not in hal.get("/settings.json").json()["role"]
        # A proxy on this machine is believed.
        secured = hal.post("/login", data=form, headers={"x-forwarded-proto": "https"}).headers["set-cookie"]
        assert secured.lower().endswith("; secure")
        assert hal.post("/login", data=form, headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert hal.post("/settings/keys", data={}, headers={"origin": "https://evil.example"}).status_code == 403


def test_who_guesses_waits(peopled: tuple[Server, httpx.Client]) -> None:
    server, owner = peopled
    member(server, owner, "ida@example.com")
    for email in ("nobody@example.com", "ida@example.com"):
        statuses = [log_in(server, email, f"guess number {number}")[1] for number in range(6)]
        assert statuses == [401] * 6, email
        # On a machine that is slow beyond measure the wait is over before the next guess; the one after that is longer.
        assert 429 in (log_in(server, email, f"guess again {number}")[1] for number in range(5)), email
    with person(server) as ida:
        refused = ida.post("/login", data={"email": "ida@example.com", "password": PASSWORD})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
    # Nobody else waits.
    member(server, owner, "jon@example.com")
    assert log_in(server, "jon@example.com")[1] == 303


def test_guesses_that_come_at_once_wait_too(peopled: tuple[Server, httpx.Client]) -> None:
    server, _ = peopled
    with ThreadPoolExecutor(30) as pool:
        statuses = list(pool.map(lambda n: log_in(server, "kim@example.com", f"guess number {n}")[1], range(30)))
    # Six are heard, those that were being looked at with the sixth, and on a slow machine who comes after the first wait.
    assert statuses.count(401) <= 12
    assert statuses.count(429) >= 18


def test_a_throttle_forgets_and_stays_small() -> None:
    now = 0.0
    throttle = Throttle(2, first=10, longest=100, remembered=3, clock=lambda: now)
    for _ in range(3):
        throttle.check("a")
        throttle.failed("a")
    with pytest.raises(TooManyTries, match=r"wait 1[01] s"):
        throttle.check("a")
    throttle.check("b")
    now = 11
    throttle.check("a")
    throttle.failed("a")
    with pytest.raises(TooManyTries, match=r"wait 2[01] s"):
        throttle.check("a")
    throttle.succeeded("a")
    throttle.check("a")
    for _ in range(20):
        throttle.failed("c")
    with pytest.raises(TooManyTries, match=r"wait 10[01] s"):
        throttle.check("c")
    now = 300
    throttle.failed("c")
    throttle.check("c")
    for name in "defg":
        throttle.failed(name)
    assert len(throttle._failures) == 3


def test_a_member_is_invited_and_comes_in_by_hand(browser: Browser, peopled: tuple[Server, httpx.Client]) -> None:
    """As people do it, on a telephone and in the dark."""
    server, _ = peopled
    owner = browser.new_context(viewport=PHONE, color_scheme="dark")
    guest = browser.new_context(viewport=PHONE)
    for context in (owner, guest):
        context.set_default_timeout(PATIENCE)
    with sound(owner) as page, sound(guest) as other:
        spare = re.findall(r"/login\?token=\S+", "".join(server.output))[-1]
        page.goto(f"{server.url}{spare}")
        page.goto(f"{server.url}/settings/members")
        accessible(page)
        page.get_by_label("E-mail address").fill("zoe@example.com")
        page.locator(".line select").select_option("member")
        page.locator(".line select").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        link = page.locator(".made code").inner_text()
        accessible(page)
        other.goto(link)
        other.get_by_label("Password").fill(PASSWORD)
        other.get_by_label("Once more").fill(PASSWORD)
        accessible(other)
        other.keyboard.press("Enter")
        expect(other).not_to_have_url(re.compile("invitation"))
        other.goto(f"{server.url}/settings")
        expect(other.get_by_text("zoe@example.com")).to_be_visible()
        accessible(other)
        other.get_by_role("button", name="Log out everywhere").click()
        accessible(other)
        other.get_by_label("E-mail address").fill("zoe@example.com")
        other.get_by_label("Password").fill(PASSWORD)
        other.keyboard.press("Enter")
        expect(other).not_to_have_url(re.compile("login"))
        other.goto(f"{server.url}/settings/members")
        fits(other)
