"""Langfuse's media: the routes, its real SDKs, and the pages that show what they uploaded."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
import wave
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import PHONE, launch, logged_in
from tests.running import Server
from tests.sending import new_id
from tests.spans import send, span
from tests.test_clients import Client, langfuse_variables, name_of

SDKS = [
    Client("langfuse-3.15.0", "python/langfuse_media.py"),
    Client("langfuse-4.18.0", "python/langfuse_media.py"),
    Client("langfuse-5.0.4", "python/langfuse_media.py"),
    Client("node", "node/langfuse_media.mjs"),
]


def picture(seed: str) -> bytes:
    """Return a PNG of 48 by 32 pixels in a colour of its own."""
    colour = hashlib.sha256(seed.encode()).digest()[:3]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 48, 32, 8, 2, 0, 0, 0)
    rows = (b"\0" + colour * 48) * 32
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def voice(seed: str) -> bytes:
    """Return a second of sound that begins in a way of its own."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(hashlib.sha256(seed.encode()).digest() + bytes(8000 - 32))
    return file.getvalue()


def hash_of(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def id_of(body: bytes) -> str:
    """Return the id that Langfuse's SDKs give these bytes."""
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode()[:22]


def reference(body: bytes, mime_type: str) -> str:
    return f"@@@langfuseMedia:type={mime_type}|id={id_of(body)}|source=bytes@@@"


def announcement(body: bytes, trace_id: str, **more: Any) -> dict[str, Any]:
    return {
        "traceId": trace_id,
        "contentType": "image/png",
        "contentLength": len(body),
        "sha256Hash": hash_of(body),
        "field": "input",
        **more,
    }


def announce(server: Server, told: dict[str, Any]) -> httpx.Response:
    with server.client() as client:
        return client.post("/api/public/media", json=told)


def put(url: str, body: bytes) -> httpx.Response:
    headers = {"Content-Type": "image/png", "x-ms-blob-type": "BlockBlob", "x-amz-checksum-sha256": hash_of(body)}
    return httpx.put(url, content=body, headers=headers, trust_env=False, timeout=60)


def upload(server: Server, body: bytes, trace_id: str, **more: Any) -> None:
    answer = announce(server, announcement(body, trace_id, **more))
    assert answer.status_code == 201, answer.text
    assert put(answer.json()["uploadUrl"], body).status_code == 200


def test_a_medium_is_uploaded_once(server: Server) -> None:
    trace_id = new_id(16)
    body = picture(trace_id)
    first = announce(server, announcement(body, trace_id, observationId=new_id(8)))
    assert first.status_code == 201
    assert first.json()["mediaId"] == id_of(body)
    with server.client() as client:
        assert client.get(f"/api/public/media/{id_of(body)}").status_code == 404

        assert put(first.json()["uploadUrl"], body).status_code == 200
        patched = client.patch(
            f"/api/public/media/{id_of(body)}",
            json={"uploadedAt": "2026-01-02T03:04:05Z", "uploadHttpStatus": 200, "uploadTimeMs": 3},
        )
        assert patched.status_code == 204
        found = client.get(f"/api/public/media/{id_of(body)}").json()
    assert found["mediaId"] == id_of(body)
    assert found["contentType"] == "image/png"
    assert found["contentLength"] == len(body)
    assert datetime.fromisoformat(found["urlExpiry"]) > datetime.fromisoformat(found["uploadedAt"])
    assert httpx.get(found["url"], trust_env=False).content == body

    again = announce(server, announcement(body, trace_id, field="output"))
    assert again.json() == {"mediaId": id_of(body), "uploadUrl": None}


def test_a_medium_may_come_before_its_span_and_belong_to_a_trace(server: Server) -> None:
    trace_id, root, inner = new_id(16), new_id(8), new_id(8)
    seen, heard = picture(trace_id), voice(trace_id)
    upload(server, seen, trace_id, observationId=inner, field="output")
    send(server, span(trace_id, root), span(trace_id, inner, root))
    upload(server, heard, trace_id, contentType="audio/wav", field="metadata")
    announced = announce(server, announcement(seen, trace_id, observationId=inner, field="metadata"))
    assert announced.json()["uploadUrl"] is None
    # The same span id in another trace is another span.
    upload(server, picture("another"), new_id(16), observationId=inner)

    spans = server.trace(trace_id)
    (of_trace,) = spans[root]["attachments"]
    of_span = spans[inner]["attachments"]
    assert (of_trace["mime_type"], of_trace["place"], of_trace["size"]) == ("audio/wav", "metadata", len(heard))
    assert [(one["mime_type"], one["place"]) for one in of_span] == [("image/png", "output"), ("image/png", "metadata")]
    assert httpx.get(of_trace["url"], trust_env=False).content == heard
    assert [httpx.get(one["url"], trust_env=False).content for one in of_span] == [seen, seen]


def test_a_medium_of_a_dataset_item_can_be_uploaded(server: Server) -> None:
    body = picture(new_id(8))
    told = announcement(body, "", datasetId="d", datasetItemId="i", field="expectedOutput") | {"traceId": None}
    answer = announce(server, told)
    assert answer.status_code == 201
    assert put(answer.json()["uploadUrl"], body).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256Hash": "x" * 44},
        {"sha256Hash": "é" * 44},
        {"sha256Hash": ""},
        {"sha256Hash": None},
        {"field": "elsewhere"},
        {"contentLength": -1},
        {"contentLength": "5"},
        {"contentType": ""},
        {"traceId": None},
        {"traceId": ""},
        {"datasetId": "d", "datasetItemId": "i"},
        {"observationId": "x" * 2000},
    ],
    ids=str,
)
def test_a_medium_that_is_told_wrongly_is_refused(server: Server, wrong: dict[str, Any]) -> None:
    answer = announce(server, announcement(b"x", new_id(16)) | wrong)
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]


def test_a_body_that_is_no_json_and_a_file_over_the_limit_are_refused(server: Server) -> None:
    with server.client() as client:
        for body in (b"", b"{", b"[]", b"\xff", b'"' + b"x" * 100_000):
            assert client.post("/api/public/media", content=body).status_code in (400, 413)
    for length in (2**40, 10**30):
        answer = announce(server, announcement(b"x", new_id(16), contentLength=length))
        assert answer.status_code == 413
        assert "limit" in answer.json()["message"]


def test_bytes_that_are_not_those_announced_are_refused(server: Server) -> None:
    trace_id = new_id(16)
    body = picture(trace_id)
    url = announce(server, announcement(body, trace_id)).json()["uploadUrl"]
    for wrong in (b"", body[:-1], picture("another")):
        answer = put(url, wrong)
        assert answer.status_code == 400
        assert "SHA-256" in answer.json()["error"]["message"]
    with server.client() as client:
        assert client.get(f"/api/public/media/{id_of(body)}").status_code == 404
    assert put(url, body).status_code == 200


def test_media_are_their_projects_own(server: Server) -> None:
    first, second = server.new_project(), server.new_project()
    trace_id, span_id = new_id(16), new_id(8)
    body = picture(trace_id)
    upload(first, body, trace_id, observationId=span_id)
    send(second, span(trace_id, span_id))
    with second.client() as client:
        assert client.get(f"/api/public/media/{id_of(body)}").status_code == 404
    assert second.trace(trace_id)[span_id]["attachments"] == []
    # Whoever knows the hash of a file has not got it.
    assert announce(second, announcement(body, trace_id)).json()["uploadUrl"] is not None
    with second.client() as client:
        assert client.get(f"/api/public/media/{id_of(body)}").status_code == 404


def test_media_need_a_key(server: Server) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        assert client.post("/api/public/media", json={}).status_code == 401
        assert client.get("/api/public/media/x").status_code == 401
        assert client.patch("/api/public/media/x", json={}).status_code == 401


@pytest.mark.parametrize("sdk", SDKS, ids=name_of)
def test_an_sdk_uploads_what_it_takes_out_of_inputs(server: Server, sdk: Client) -> None:
    seed = new_id(8)
    seen, heard = picture(seed), voice(seed)
    made = sdk.run(langfuse_variables(server), *(base64.b64encode(body).decode() for body in (seen, heard)))

    spans = server.trace(made["trace"])
    root, generation = spans[made["root"]], spans[made["generation"]]
    (of_root,) = root["attachments"]
    assert (of_root["mime_type"], of_root["place"], of_root["size"]) == ("audio/wav", "input", len(heard))
    assert httpx.get(of_root["url"], trust_env=False).content == heard
    assert made["voice"] == id_of(heard)
    assert root["input"]["voice"].startswith(f"@@@langfuseMedia:type=audio/wav|id={id_of(heard)}|")
    assert base64.b64decode(made["resolved"].partition("base64,")[2]) == heard

    by_place = {one["place"]: one for one in generation["attachments"]}
    assert by_place.keys() == {"input", "metadata"}
    for one in by_place.values():
        assert (one["mime_type"], one["size"]) == ("image/png", len(seen))
        assert httpx.get(one["url"], trust_env=False).content == seen
    (said,) = generation["input"]
    assert said["content"][1]["image_url"]["url"].startswith(f"@@@langfuseMedia:type=image/png|id={id_of(seen)}|")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


LOADED = "image => image.complete && image.naturalWidth == 48"


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_a_page_shows_media_where_they_were_said(server: Server, browser: Browser, phone: bool) -> None:
    trace_id, root, generation = new_id(16), new_id(8), new_id(8)
    said, kept, heard = picture(trace_id), picture(root), voice(trace_id)
    script = f"<script>document.title='{trace_id}'</script>".encode()
    upload(server, said, trace_id, observationId=generation)
    upload(server, heard, trace_id, observationId=generation, contentType="audio/wav")
    upload(server, kept, trace_id, observationId=generation, field="metadata")
    # However long a type is, a telephone shows it.
    html = f"text/html; {'x' * 90}"
    upload(server, script, trace_id, observationId=generation, contentType=html, field="metadata")
    content = [
        {"type": "text", "text": "What is on this picture?"},
        {"type": "image_url", "image_url": {"url": reference(said, "image/png")}},
        {"type": "text", "text": f"Listen: {reference(heard, 'audio/wav')} and tell."},
    ]
    fields: dict[str, Any] = {
        "langfuse__observation__type": "generation",
        "langfuse__observation__input": [{"role": "user", "content": content}],
        "langfuse__observation__output": json.dumps({"picture": reference(said, "image/png")}),
    }
    send(server, span(trace_id, root), span(trace_id, generation, root, **fields))

    options: dict[str, Any] = {"viewport": PHONE, "color_scheme": "dark"} if phone else {}
    context = logged_in(browser, server, **options)
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(f"{server.url}/traces/{trace_id}?span={generation}")
    pane = page.locator("#pane")
    expect(pane.locator(".message img")).to_have_count(2)
    expect(pane.locator(".attachments img")).to_have_count(1)
    for image in pane.locator("figure img").all():
        image.scroll_into_view_if_needed()
        page.wait_for_function(LOADED, arg=image.element_handle())
        assert image.get_attribute("alt") == "image"
    page.wait_for_function("audio => audio.duration == 1", arg=pane.locator("audio").element_handle())
    expect(pane.locator(".message .md")).to_have_text(["What is on this picture?", "Listen:", "and tell."])
    expect(pane.locator(".attachments")).to_contain_text("text/html")
    assert pane.evaluate("pane => pane.scrollWidth <= pane.clientWidth && pane.clientWidth <= innerWidth")

    # What a browser would run is handed over as a file.
    with page.expect_download() as download:
        pane.locator(".attachments figure", has_text="text/html").get_by_role("link").click()
    assert download.value.path().read_bytes() == script
    assert page.title() != trace_id
    assert refused == []
    context.close()
