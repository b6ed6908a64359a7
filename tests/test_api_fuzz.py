"""Anything asked of the read API is answered as its OpenAPI document says, and never by an error of the server."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from genscope.query.filter import FIELDS
from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span

PATHS = (
    "/api/v1/spans",
    "/api/v1/generations",
    "/api/v1/traces",
    "/api/v1/traces/{trace_id}",
    "/api/v1/models",
    "/api/v1/coverage",
    "/api/v1/prices",
    "/api/public/health",
    "/api/public/projects",
    "/health",
    "/metrics",
)
#: Those that came later, asked less often.
LATER = (
    "/api/v1/complete",
    "/api/v1/errors",
    "/api/v1/errors/{fingerprint}",
    "/api/v1/fields",
    "/api/v1/fields/{name}/values",
    "/api/v1/keys",
    "/api/v1/metrics",
    "/api/v1/models/what-if",
    "/api/v1/redaction",
    "/api/v1/rejected",
    "/api/v1/retention",
    "/api/v1/scores",
    "/api/v1/sessions",
    "/api/v1/users",
    "/api/v1/users/{user_id}",
    "/api/v1/views",
)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
GENTLY = settings(
    max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def asked(server: Server) -> Server:
    """A server with something to find."""
    trace_id = new_id(16)
    spans = [
        span(trace_id, attributes={"langfuse.observation.type": "generation", "session.id": "s"}) for _ in range(5)
    ]
    with server.client() as client:
        body = encoded(request(spans))
        assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
    return server


@pytest.fixture(scope="module")
def document(asked: Server) -> Any:
    loaded = schemathesis.openapi.from_dict(asked.get("/api/v1/openapi.json"))
    loaded.config.update(base_url=asked.url)
    return loaded


@pytest.mark.parametrize("path", [*PATHS, *LATER])
def test_every_answer_is_as_documented(document: Any, asked: Server, path: str) -> None:
    @given(case=document[path]["GET"].as_strategy())
    @settings(GENTLY, max_examples=10 if path in LATER else GENTLY.max_examples)
    def check(case: Any) -> None:
        case.call_and_validate(auth=asked.basic, timeout=30, checks=CHECKS)

    check()


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/v1/prices"), ("DELETE", "/api/v1/prices/{price_id}"), ("POST", "/api/v1/reprice")],
)
def test_every_answer_to_a_change_is_as_documented(project: Server, method: str, path: str) -> None:
    document = schemathesis.openapi.from_dict(project.get("/api/v1/openapi.json"))
    document.config.update(base_url=project.url)

    @given(case=document[path][method].as_strategy())
    @GENTLY
    def check(case: Any) -> None:
        case.call_and_validate(auth=project.basic, timeout=30, checks=CHECKS)

    check()


NAMES = st.sampled_from(["from", "to", "sort", "limit", "cursor", "full", "project_id", *FIELDS])
VALUES = st.one_of(
    st.text(max_size=50),
    st.sampled_from(
        ["generation", "ERROR", "s", "24h", "2026-01-01", "-start_time", "1", "\0", "\\N", "'", "{p0:String}"]
    ),
    st.integers().map(str),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.from_regex(r"[A-Za-z0-9_-]{0,60}=?", fullmatch=True),
)


@given(
    path=st.sampled_from(["/api/v1/spans", "/api/v1/generations", "/api/v1/traces", "/api/v1/models"]),
    query=st.lists(st.tuples(NAMES, VALUES), max_size=8),
)
@GENTLY
def test_no_query_string_is_a_server_error(client: httpx.Client, path: str, query: list[tuple[str, str]]) -> None:
    answer = client.get(path, params=httpx.QueryParams([(name, value) for name, value in query if encodable(value)]))
    assert answer.status_code in (200, 400, 403), answer.text
    answer.json()


def encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


@given(query=st.binary(max_size=60))
@GENTLY
def test_no_bytes_in_a_query_string_are_a_server_error(client: httpx.Client, query: bytes) -> None:
    quoted = "".join(f"%{byte:02x}" for byte in query)
    for url in (f"/api/v1/spans?name={quoted}", f"/api/v1/spans?{quoted}", f"/api/v1/traces/{quoted or 'x'}"):
        assert client.get(url).status_code in (200, 400, 404)


@pytest.fixture(scope="module")
def client(asked: Server) -> httpx.Client:
    return asked.client()
