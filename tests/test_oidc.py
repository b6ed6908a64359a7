"""Logins by OpenID Connect, against a provider of its own process's thread that speaks the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread

from tests.running import Server

# The provider's own.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

USERS = {
    "ada": {"email": "Ada@Example.com", "email_verified": True},
    "grace": {"email": "grace@welcome.example", "email_verified": True},
    "eve": {"email": "eve@elsewhere.example", "email_verified": True},
    "mallory": {"email": "ada@example.com", "email_verified": False},
    "oscar": {"email": "ada@example.com", "email_verified": True},
}


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    users = [User(sub=name, claims=dict(claims)) for name, claims in USERS.items()]
    with run_server_in_thread(require_nonce=True, user_claims=users) as running:
        yield f"http://localhost:{running.server_port}"


@pytest.fixture(scope="module")
def known(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows the provider."""
    settings = {
        "GENSCOPE_OIDC_ISSUER": provider,
        "GENSCOPE_OIDC_CLIENT_ID": "genscope",
        "GENSCOPE_OIDC_CLIENT_SECRET": "tests",
        "GENSCOPE_OIDC_NAME": "Example & Co",
        "GENSCOPE_OIDC_DOMAINS": "welcome.example, @other.example",
    }
    running = Server(tmp_path_factory.mktemp("openid"), environment=settings).start()
    yield running
    running.stop()


def person(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, timeout=60, trust_env=False)


def log_in(client: httpx.Client, subject: str, next: str = "/settings") -> httpx.Response:
    """Go to the provider and come back as someone."""
    leave = client.get("/login/openid", params={"next": next})
    assert leave.status_code == 302
    asked = parse_qs(urlsplit(leave.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["state"]
    assert asked["nonce"]
    back = client.post(leave.headers["location"], data={"sub": subject})
    return client.get(back.headers["location"])


def test_who_was_invited_comes_in(known: Server) -> None:
    with person(known) as owner, person(known) as ada, person(known) as other:
        assert owner.get(known.login_url).status_code == 303
        assert "Example &amp; Co" in other.get("/login").text
        refused = log_in(ada, "ada")
        assert refused.status_code == 403
        assert "no member" in refused.text

        owner.post("/settings/members", data={"email": "ada@example.com", "role": "owner"})
        assert "does not say that it verified" in log_in(other, "mallory").text
        done = log_in(ada, "ada", "/settings/keys")
        assert (done.status_code, done.headers["location"]) == (303, "/settings/keys")
        told = ada.get("/settings.json").json()
        assert (told["email"], told["role"]) == ("ada@example.com", "owner")
        # Whoever has the address later is someone else to the provider.
        assert log_in(other, "oscar").status_code == 403


def test_people_of_a_welcome_domain_come_in_as_viewers(known: Server) -> None:
    with person(known) as grace, person(known) as eve:
        assert log_in(grace, "grace").status_code == 303
        assert grace.get("/settings.json").json()["role"] == "viewer"
        assert grace.post("/settings/keys", data={"name": "mine"}).status_code == 403
        assert log_in(eve, "eve").status_code == 403
        assert eve.get("/settings").status_code == 303


def test_what_was_not_begun_here_does_not_end_here(known: Server) -> None:
    with person(known) as ada, person(known) as other:
        leave = ada.get("/login/openid")
        back = ada.post(leave.headers["location"], data={"sub": "grace"}).headers["location"]
        # Another browser has another state, and a code is good for one.
        assert other.get(back).status_code == 401
        assert ada.get(back.replace("code=", "code=x")).status_code == 401
        assert ada.get("/login/openid/callback").status_code == 401
        assert ada.get("/login/openid/callback?error=access_denied&state=x").status_code == 401
        assert ada.get("/settings").status_code == 303


def test_a_provider_that_does_not_answer_is_told(tmp_path: Path) -> None:
    settings = {
        "GENSCOPE_OIDC_ISSUER": "http://127.0.0.1:1",
        "GENSCOPE_OIDC_CLIENT_ID": "genscope",
        "GENSCOPE_OIDC_CLIENT_SECRET": "tests",
    }
    running = Server(tmp_path, environment=settings).start()
    try:
        with person(running) as ada:
            refused = ada.get("/login/openid")
            assert refused.status_code == 502
            assert "does not answer" in refused.text
    finally:
        running.stop()
