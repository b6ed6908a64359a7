"""Files through signed URLs, against real servers: one keeps them in a directory, the other in a bucket of a real S3 server."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from genscope.app import LINK_SECRET
from genscope.config import Settings
from genscope.links import LIFETIME
from genscope.objects import Objects
from genscope.store.catalog import Catalog
from genscope.store.opening import open_store
from tests.running import START_SECONDS, Server, free_port
from tests.test_clients import Client, name_of

UPLOAD_URL = "/api/sdk/v1/log-repositories/attachments/upload-url"
#: Longer than what is held in memory, and than one part of an upload to a bucket.
LARGE = secrets.token_bytes(1 << 20) * 12


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Return the URL of an S3 server that has the bucket `files`."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                httpx.put(f"{url}/files", trust_env=False, timeout=30).raise_for_status()
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the S3 server did not start"
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait(timeout=30)


def bucket_at(endpoint: str) -> dict[str, str]:
    """Return the environment of a server that keeps files in a bucket."""
    return {
        "GENSCOPE_OBJECTS": "s3://files/genscope",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


@pytest.fixture(scope="module")
def bucket_server(s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("bucket"), environment=bucket_at(s3)).start()
    yield running
    running.stop()


@pytest.fixture(params=["directory", "bucket"])
def either(request: pytest.FixtureRequest) -> Server:
    """A server that keeps files in a directory, and one that keeps them in a bucket."""
    chosen: Server = request.getfixturevalue({"directory": "server", "bucket": "bucket_server"}[request.param])
    return chosen


def new_key(repository: str = "shop") -> str:
    return f"{repository}/trace/{secrets.token_hex(8)}/files/original/{secrets.token_hex(8)}"


def ask(server: Server, key: str, size: str = "5") -> httpx.Response:
    with server.client() as client:
        return client.get(UPLOAD_URL, params={"key": key, "mimeType": "image/png", "size": size})


def upload_url(server: Server, key: str) -> str:
    answer = ask(server, key)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["url"])


def put(url: str, body: Any) -> httpx.Response:
    """Upload as an SDK does: without a key."""
    return httpx.put(url, content=body, headers={"Content-Type": "image/png"}, trust_env=False, timeout=60)


def get(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False, timeout=60)


def log(server: Server, *lines: str, repository: str = "shop") -> None:
    with server.client() as client:
        answer = client.post("/api/sdk/v3/log", params={"id": repository}, content="\n".join(lines).encode())
    assert answer.status_code == 200, answer.text


def line(entity: str, identity: str, action: str, /, **data: Any) -> str:
    return f"{entity}{{id={identity},action={action},data={json.dumps(data)}}}"


def attach(server: Server, key: str, **more: Any) -> str:
    """Attach a file to a trace of its own, and return the URL that the API gives for it."""
    trace_id = secrets.token_hex(8)
    attachment: dict[str, Any] = {"id": "att-1", "type": "file", "key": key, "mimeType": "image/png", **more}
    log(server, line("trace", trace_id, "create"), line("trace", trace_id, "add-attachment", **attachment))
    (root,) = server.trace(trace_id).values()
    (found,) = root["attachments"]
    return str(found["url"])


@pytest.mark.parametrize("body", [b"", b"short", LARGE], ids=["empty", "short", "large"])
def test_a_file_comes_back_as_it_was_sent(either: Server, body: bytes) -> None:
    key = new_key()
    url = upload_url(either, key)
    assert put(url, body).status_code == 200
    assert put(url, body).status_code == 200, "an upload may be repeated"

    answer = get(attach(either, key))
    assert answer.status_code == 200
    assert answer.content == body
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(body))


def test_the_upload_url_leads_to_the_host_that_was_asked(server: Server) -> None:
    with server.client() as client:
        answer = client.get(f"{UPLOAD_URL}?key=shop%2Ffile", headers={"Host": "genscope.example:8443"})
    assert answer.json()["data"]["url"].startswith("http://genscope.example:8443/storage/")


def test_an_attachment_says_what_its_sender_said(server: Server) -> None:
    trace_id, key = secrets.token_hex(8), new_key()
    generation = secrets.token_hex(8)
    log(
        server,
        line("generation", generation, "add-attachment", id="a", type="file_data", key=key, name="plan.png",
             mime_type="image/png", size=5, tags={"attach-to": "input"}),
        line("trace", trace_id, "add-generation", id=generation),
        line("generation", generation, "add-attachment", id="b", type="url", url="https://example.com/x", name="page"),
    )  # fmt: skip
    (listed,) = server.get("/api/v1/generations", trace_id=trace_id)["data"]
    assert [one["id"] for one in listed["attachments"]] == ["a", "b"]
    file, link = server.trace(trace_id)[generation]["attachments"]
    assert file.pop("url").startswith(f"{server.url}/storage/")
    assert file == {
        "id": "a", "name": "plan.png", "type": "file", "mime_type": "image/png", "size": 5, "place": "input",
    }  # fmt: skip
    assert link == {
        "id": "b", "name": "page", "type": "url", "mime_type": None, "size": None, "place": None,
        "url": "https://example.com/x",
    }  # fmt: skip


def test_a_part_of_a_file_can_be_read(either: Server) -> None:
    key = new_key()
    assert put(upload_url(either, key), LARGE).status_code == 200
    url, size = attach(either, key), len(LARGE)
    for asked, begin, end in (("0-4", 0, 5), ("5-", 5, size), ("-7", size - 7, size), (f"9-{size * 2}", 9, size)):
        answer = get(url, Range=f"bytes={asked}")
        assert (answer.status_code, answer.content) == (206, LARGE[begin:end])
        assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}"
    # A player of films learns from this answer that it may ask for parts.
    whole = get(url, Range="bytes=0-")
    assert (whole.status_code, len(whole.content)) == (206, size)
    head = httpx.head(url, trust_env=False, timeout=60)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(size), b"")
    for asked in (f"{size}-", "9-5", "-0", "-", "0-1,3-4", "x"):
        answer = get(url, Range=f"bytes={asked}")
        assert (answer.status_code, answer.content) == (200, LARGE)


@pytest.mark.parametrize(
    ("mime_type", "told", "disposition"),
    [
        ("image/png", "image/png", "inline"),
        ("audio/mpeg", "audio/mpeg", "inline"),
        ("text/plain", "text/plain; charset=utf-8", "inline"),
        ("text/html", "application/octet-stream", "attachment"),
        ("Image/SVG+xml", "application/octet-stream", "attachment"),
        ("text/javascript", "application/octet-stream", "attachment"),
        ("application/pdf", "application/octet-stream", "attachment"),
        ("audio/日本", "application/octet-stream", "attachment"),
        ("image/png\r\nSet-Cookie: a=b", "application/octet-stream", "attachment"),
    ],
)
def test_no_file_can_run_anything(server: Server, mime_type: str, told: str, disposition: str) -> None:
    key = new_key()
    assert put(upload_url(server, key), b"<script>alert(1)</script>").status_code == 200
    answer = get(attach(server, key, mimeType=mime_type, name='a"b\r\nc/ü.html'))
    assert answer.headers["content-type"] == told
    assert answer.headers["content-disposition"] == f"{disposition}; filename*=UTF-8''a%22b%0D%0Ac%2F%C3%BC.html"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "key",
    ["", "shop", "/shop/a", "shop/", "shop//a", "../a", "shop/../a", "shop/./a", "shop/a\x00", "shop/a\nb", "shop\\a/b",
     "shop/\x7f", "shop/\u202ea", "shop/" + "a" * 2000, " /a"],
)  # fmt: skip
def test_a_key_that_could_mislead_is_refused(server: Server, key: str) -> None:
    answer = ask(server, key)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("key: ")


def test_keys_that_file_systems_confuse_are_kept_apart(server: Server) -> None:
    base = new_key()
    keys = [base, f"{base}/inside", base.upper(), base.replace("/", "%2F", 1).replace("%2F", "/x%2F"), f"{base}#1"]
    for key in keys:
        assert put(upload_url(server, key), key.encode()).status_code == 200
    for key in keys:
        repository = key.partition("/")[0]
        trace_id = secrets.token_hex(8)
        log(server, line("trace", trace_id, "add-attachment", id="a", type="file", key=key), repository=repository)
        (root,) = server.trace(trace_id).values()
        assert get(root["attachments"][0]["url"]).content == key.encode()


def test_an_upload_url_needs_a_key_of_the_server(server: Server) -> None:
    answer = httpx.get(f"{server.url}{UPLOAD_URL}?key=shop/a", trust_env=False)
    assert answer.status_code == 401
    assert "key" in answer.json()["error"]["message"]


def test_a_url_opens_what_it_was_signed_for_and_nothing_else(server: Server) -> None:
    key = new_key()
    url = upload_url(server, key)
    assert put(url, b"mine").status_code == 200
    download = attach(server, key)
    payload, _, rest = url.rpartition("/")[2].partition(".")
    other = upload_url(server, new_key()).rpartition("/")[2].partition(".")[0]
    forged = [url[:-1], url[:-2] + "xx", f"{server.url}/storage/{other}.{rest}", f"{server.url}/storage/{payload}"]
    for wrong in (*forged, f"{server.url}/storage/x", f"{server.url}/storage/%00.%F0.x", download):
        answer = put(wrong, b"theirs")
        assert answer.status_code == 403
        assert "ask for a new one" in answer.json()["error"]["message"]
    for wrong in (*forged, url):
        assert get(wrong).status_code == 403
    assert get(download).content == b"mine"


def test_a_url_expires(fresh_server: Server) -> None:
    url = upload_url(fresh_server, new_key())
    fresh_server.stop()
    with open_store(Settings(data=fresh_server.data)) as engine:
        secret = Catalog(engine).value(LINK_SECRET)
    assert secret is not None

    class Earlier(TimestampSigner):
        def get_timestamp(self) -> int:
            return super().get_timestamp() - LIFETIME - 60

    signer = URLSafeTimedSerializer(secret, salt="object Upload", signer=Earlier)
    fresh_server.start()
    assert put(fresh_server.url + urlsplit(url).path, b"x").status_code == 200, "a restart leaves URLs as they are"
    answer = put(f"{fresh_server.url}/storage/{signer.dumps(['default', 'shop/a', None])}", b"x")
    assert answer.status_code == 403
    assert "expired" in answer.json()["error"]["message"]


#: Puts objects of some sizes into a directory that takes no files as large, and says what came of it.
PUTS = """
import asyncio, resource, signal, sys
from pathlib import Path
from genscope.objects import Objects

async def body(size):
    for _ in range(size // 100_000):
        yield bytes(100_000)

async def main():
    objects = Objects("", Path(sys.argv[1]), max_bytes=10**8, fsync=True)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for size, bound in ((200_000, 50_000), (3_000_000, 1_500_000), (9_000_000, 7_000_000)):
        resource.setrlimit(resource.RLIMIT_FSIZE, (bound, resource.RLIM_INFINITY))
        try:
            await objects.put("default", "key", body(size))
        except Exception as error:
            print(type(error).__name__)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environment = {"GENSCOPE_MAX_OBJECT_BYTES": "2000000"}
    running = Server(tmp_path_factory.mktemp("small"), environment=environment).start()
    yield running
    running.stop()


def test_a_file_over_the_limit_is_refused(small: Server) -> None:
    assert ask(small, new_key(), size="2000001").status_code == 413
    key = new_key()
    url = upload_url(small, key)
    chunked = (bytes(100_000) for _ in range(21))
    for body in (bytes(2_000_001), chunked):
        try:
            answer = put(url, body)
        except httpx.WriteError:
            continue  # told while it was still sending
        assert answer.status_code == 413
        assert "2000000" in answer.json()["error"]["message"]
    download = attach(small, key)
    assert get(download).status_code == 404
    assert put(url, bytes(2_000_000)).status_code == 200
    assert len(get(download).content) == 2_000_000


def test_half_a_file_is_not_stored(server: Server) -> None:
    key = new_key()
    url = upload_url(server, key)
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    for size in (100, 3_000_000):
        with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
            head = f"PUT {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {size + 1}\r\n\r\n"
            connection.sendall(head.encode() + bytes(size))
    download = attach(server, key)
    assert get(download).status_code == 404
    assert put(url, b"whole").status_code == 200
    assert get(download).content == b"whole"


def test_what_was_acknowledged_survives_a_power_cut(fresh_server: Server) -> None:
    keys = [new_key() for _ in range(5)]
    for key in keys:
        assert put(upload_url(fresh_server, key), key.encode() * 1000).status_code == 200
    (place, *_) = (fresh_server.data / "objects").glob("*/*")
    (place / "half#1").write_bytes(b"what was being written")
    fresh_server.kill()
    fresh_server.start()
    assert len([path for path in (fresh_server.data / "objects").rglob("*") if path.is_file()]) == len(keys)
    for key in keys:
        assert get(attach(fresh_server, key)).content == key.encode() * 1000


def test_projects_share_no_files(server: Server) -> None:
    first, second = server.new_project(), server.new_project()
    key = new_key()
    assert put(upload_url(first, key), b"the first one's").status_code == 200
    theirs = attach(second, key)
    assert get(theirs).status_code == 404
    assert put(upload_url(second, key), b"the second one's").status_code == 200
    assert get(theirs).content == b"the second one's"
    assert get(attach(first, key)).content == b"the first one's"


def test_the_files_of_a_trace_go_with_it(either: Server) -> None:
    own, shared, never = new_key(), new_key(), new_key()
    for key in (own, shared):
        assert put(upload_url(either, key), b"x").status_code == 200
    trace_id, generation, other = (secrets.token_hex(8) for _ in range(3))
    log(
        either,
        line("trace", trace_id, "add-generation", id=generation),
        line("generation", generation, "add-attachment", id="own", type="file", key=own),
        line("trace", trace_id, "add-attachment", id="shared", type="file", key=shared),
        line("trace", trace_id, "add-attachment", id="never", type="file", key=never),
        line("trace", other, "add-attachment", id="shared", type="file", key=shared),
    )
    # The same name in another log repository is another generation.
    elsewhere = new_key("elsewhere")
    assert put(upload_url(either, elsewhere), b"x").status_code == 200
    attached = line("generation", generation, "add-attachment", id="own", type="file", key=elsewhere)
    parent = line("trace", secrets.token_hex(8), "add-generation", id=generation)
    log(either, parent, attached, repository="elsewhere")

    spans = either.trace(trace_id)
    (of_own,) = spans[generation]["attachments"]
    assert get(of_own["url"]).status_code == 200
    with either.client() as client:
        assert client.delete(f"/api/v1/traces/{trace_id}").status_code == 204
    assert get(of_own["url"]).status_code == 404
    (of_shared,) = either.trace(other)[f"{other}:root"]["attachments"]
    assert get(of_shared["url"]).content == b"x"
    (left,) = either.get("/api/v1/spans", type="generation", trace_id=parent.partition("id=")[2].partition(",")[0])[
        "data"
    ]
    assert get(left["attachments"][0]["url"]).content == b"x"


def test_a_file_that_is_needed_again_is_not_deleted(tmp_path: Path) -> None:
    objects = Objects("", tmp_path, max_bytes=100, fsync=False)

    async def body() -> AsyncIterator[bytes]:
        yield b"x"

    async def left() -> list[str]:
        return [key for key in ("gone", "kept", "sent") if await objects.find("default", key)]

    for key in ("gone", "kept", "sent"):
        asyncio.run(objects.put("default", key, body()))
    with objects.deletion("default") as delete:
        # Somebody else needs two of them, after it was looked up that nobody does.
        asyncio.run(objects.keep("default", "kept"))
        asyncio.run(objects.put("default", "sent", body()))
        delete(["gone", "kept", "sent", "unknown"])
    assert asyncio.run(left()) == ["kept", "sent"]
    with objects.deletion("default") as delete:
        delete(["kept"])
    assert asyncio.run(left()) == ["sent"]


def test_a_full_disk_is_no_fault_of_the_sender_and_keeps_nothing(tmp_path: Path) -> None:
    # A bound of the size of files does what a full disk does, to one process alone.
    command = [sys.executable, "-c", PUTS, str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.split() == ["Overloaded"] * 3, told.stdout
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_bucket_that_does_not_answer_is_no_fault_of_the_sender(tmp_path: Path) -> None:
    server = Server(tmp_path, environment=bucket_at(f"http://127.0.0.1:{free_port()}")).start()
    try:
        answer = put(upload_url(server, new_key()), b"x")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert answer.json()["error"]["message"].startswith("files cannot be stored or read at the moment")
    finally:
        server.stop()


@pytest.mark.parametrize("first", ["line", "log"])
def test_a_line_that_is_uploaded_by_itself_is_a_part_of_its_log(server: Server, first: str) -> None:
    trace_id, generation, number = (secrets.token_hex(8) for _ in range(3))
    key = f"shop/large-logs/{number}"
    long = "a long story " * 100_000
    uploaded = line("trace", trace_id, "add-generation", id=generation, model="gpt-4o",
                    messages=[{"role": "user", "content": long}])  # fmt: skip
    batch = [line("trace", trace_id, "create", name="tale"), line("storage", number, "process-large-log", key=key)]

    def upload() -> None:
        url = upload_url(server, key)
        assert put(url, uploaded.encode()).status_code == 200
        assert put(url, uploaded.encode()).status_code == 200

    for step in (upload, lambda: log(server, *batch)) if first == "line" else (lambda: log(server, *batch), upload):
        step()
    spans = server.trace(trace_id)
    assert spans[generation]["input"] == [{"role": "user", "content": long}]
    assert spans[generation]["parent_span_id"] == f"{trace_id}:root"
    assert spans[f"{trace_id}:root"]["name"] == "tale"


def test_an_uploaded_line_that_is_none_harms_nobody(server: Server) -> None:
    assert put(upload_url(server, "shop/large-logs/1"), b"no line at all").status_code == 200


@pytest.mark.parametrize(
    "sdk",
    [Client("maxim-3.14.20", "python/maxim_attachments.py"), Client("node", "node-maxim/attachments.mjs")],
    ids=name_of,
)
def test_an_sdk_attaches_files_and_uploads_a_long_line(server: Server, sdk: Client) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + secrets.token_bytes(100)
    variables = {"GENSCOPE_URL": server.url, "GENSCOPE_SECRET_KEY": server.secret_key}
    made = sdk.run(variables, base64.b64encode(picture).decode())

    spans = server.trace(made["trace"])
    (notes,) = spans[f"{made['trace']}:root"]["attachments"]
    assert (notes["name"], notes["mime_type"]) == ("notes.txt", "text/plain")
    assert get(notes["url"]).text == "what was noted"

    generation = spans[made["generation"]]
    assert generation["input"][-1]["content"] == "and this? " * 200_000
    files = [one for one in generation["attachments"] if one["type"] == "file"]
    (link,) = [one for one in generation["attachments"] if one["type"] == "url"]
    assert link["url"] == "https://example.com/picture.png"
    assert sorted(one["place"] or "" for one in files) == ["", "input"]
    for one in files:
        assert one["mime_type"] == "image/png"
        assert get(one["url"]).content == picture
