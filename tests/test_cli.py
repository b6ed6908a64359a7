"""What the commands that ask a running server say where that fails, and what their help teaches."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner, Result

from genscope.cli import app
from tests.command import asked, asked_json, of
from tests.running import Server, free_port
from tests.sending import GENERATION, PROTOBUF, encoded, new_id, request, span


class Stranger(BaseHTTPRequestHandler):
    """A server that is no Genscope: it answers everything with a page."""

    def do_GET(self) -> None:
        page = b"<html>It works!</html>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    do_POST = do_DELETE = do_GET  # noqa: N815 - the names that the library calls

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture(scope="module")
def stranger() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Stranger) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def typed(*arguments: str, **environment: str) -> Result:
    """Run a command as `genscope` does, without a process of its own: most of what one costs is to import the commands."""
    given: dict[str, str | None] = {name: None for name in os.environ if name.startswith("GENSCOPE_")}
    return CliRunner().invoke(app, arguments, env=given | environment, prog_name="genscope", catch_exceptions=False)


@pytest.mark.parametrize("command", [("coverage",), ("reprice", "--from", "1d")])
def test_what_is_wrong_is_said_with_what_to_do_next(server: Server, stranger: str, command: tuple[str, ...]) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for environment, status, said in (
        ({"GENSCOPE_URL": nobody}, 1, "genscope serve"),
        ({"GENSCOPE_URL": stranger}, 1, "no Genscope"),
        ({"GENSCOPE_URL": "localhost:4318"}, 2, "such as http://127.0.0.1:4318"),
        ({"GENSCOPE_URL": "http://[bold]/"}, 2, "[bold]"),
        ({"GENSCOPE_URL": server.url}, 1, "wants a key: set GENSCOPE_PUBLIC_KEY"),
        (of(server) | {"GENSCOPE_SECRET_KEY": "no such secret"}, 1, "does not know this key"),
        ({"GENSCOPE_URL": server.url, "GENSCOPE_PUBLIC_KEY": "pk"}, 2, "set both or neither"),
    ):
        done = typed(*command, **environment)
        assert (done.exit_code, said in done.stderr) == (status, True), done.stderr
        assert done.stdout == ""


def test_an_open_server_needs_no_key(tmp_path_factory: pytest.TempPathFactory) -> None:
    open_server = Server(tmp_path_factory.mktemp("open"), anonymous=True).start()
    try:
        done = typed("coverage", "--url", open_server.url)
        assert (done.exit_code, "0 calls to a model" in done.stdout) == (0, True), done.stderr
        done = typed("prices", "list", "--url", f"{open_server.url}/")
        assert (done.exit_code, done.stdout) == (0, "none\n")
    finally:
        open_server.stop()


def test_a_name_without_end_does_not_flood_the_terminal(project: Server) -> None:
    attributes = {**GENERATION, "gen_ai.request.model": "m" * 100_000, "gen_ai.usage.input_tokens": 1}
    body = encoded(request([span(new_id(16), attributes=attributes)]))
    with project.client() as client:
        assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
    told = asked(project, "coverage")
    assert "mm…" in told
    assert max(map(len, told.splitlines())) < 500
    # No price can be set for it.
    assert "genscope prices set" not in told
    assert asked_json(project, "coverage")["unpriced_models"][0]["model"] == "m" * 100_000


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("prices", "set", "m"), "give a price"),
        (("prices", "set", "m", "--price", "input_audio"), "KIND=USD"),
        (("prices", "remove", "../reprice"), "no id"),
        (("reprice", "--from", "1d", "--where", "modle=x"), "FIELD is one of"),
        (("reprice", "--from", "1d", "--where", "model"), "FIELD=VALUE"),
        (("coverage", "--where", "model="), "FIELD=VALUE"),
        (("reprice",), "--from"),
    ],
)
def test_what_was_typed_wrong_is_told_before_anything_is_asked(command: tuple[str, ...], said: str) -> None:
    done = typed(*command, GENSCOPE_URL=f"http://127.0.0.1:{free_port()}")
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr


def test_what_the_server_refuses_is_told_in_its_words(server: Server) -> None:
    for command, said in (
        (("prices", "set", "m", "--input", "cheap"), "HTTP 400"),
        (("prices", "set", "m", "--input", "-1"), "must be 0 to"),
        (("prices", "set", "m", "--input", "1", "--from", "soon"), "ISO 8601"),
        (("prices", "remove", "0123456789abcdef"), "GET /api/v1/prices"),
        (("coverage", "--from", "soon"), "ISO 8601"),
    ):
        done = typed(*command, **of(server))
        assert (done.exit_code, said in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize(
    ("command", "taught"),
    [
        ((), ("serve", "demo", "prices", "reprice", "coverage", "projects", "keys")),
        (("prices",), ("list", "set", "remove")),
        (("prices", "set"), ("genscope prices set my-llama --input 0.20 --output 0.60", "--request", "KIND=USD")),
        (("reprice",), ("genscope reprice --from 30d --dry-run", "--where", "FIELD=VALUE", "GENSCOPE_SECRET_KEY")),
        (("coverage",), ("genscope coverage --from 7d", "GENSCOPE_URL")),
    ],
)
def test_help_teaches(command: tuple[str, ...], taught: tuple[str, ...]) -> None:
    done = typed(*command, "--help", COLUMNS="200")
    assert done.exit_code == 0, done.stderr
    for text in taught:
        assert text in done.stdout


def test_help_and_questions_do_not_wait_for_the_server_to_be_imported() -> None:
    program = (
        "import sys, genscope.cli; print({'chdb', 'fastapi', 'pyarrow', 'genai_prices', 'grpc'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
