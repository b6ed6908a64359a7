"""Maxim's log over HTTP: what its SDKs need as an answer, and pieces that come in any order, doubled and apart."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.running import PLAIN, Server
from tests.test_replay import told

SEED = Path(__file__).parents[2] / "shared/protocols/captures/maxim-python_seed/002_POST_api_sdk_v3_log.http"
SUCCESS = {"data": {"success": True}}
#: Requests that are sent at the same time, of each sender the next after the answer.
SENDERS = 8


def ask(server: Server, method: str, path: str, key: str | None = None, **options: Any) -> httpx.Response:
    headers = {"x-maxim-api-key": server.secret_key if key is None else key} | options.pop("headers", {})
    url = server.url + path
    return httpx.request(method, url, headers=headers, timeout=300, trust_env=False, verify=PLAIN, **options)


def log(server: Server, *lines: str, repository: str = "r") -> None:
    """Log lines, as one request of theirs; again where the server asks for that, as they do."""
    while True:
        answer = ask(server, "POST", f"/api/sdk/v3/log?id={repository}", content="\n".join(lines).encode())
        if answer.status_code != 503:
            break
        assert int(answer.headers["retry-after"]) > 0
    assert (answer.status_code, answer.json()) == (200, SUCCESS)


def spans(server: Server, trace_id: str) -> dict[str, dict[str, Any]]:
    return {span_id: told(span) for span_id, span in server.trace(trace_id).items()}


def at(second: int) -> str:
    return f"2026-11-21T02:54:{second:02d}Z"


def shown(second: int) -> str:
    return at(second).replace("Z", ".000000Z")


def unique(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(6)}"


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slashes", ["/", "//"])
def test_a_log_repository_need_not_be_made(server: Server, slashes: str) -> None:
    answer = ask(server, "GET", f"{slashes}api/sdk/v3/log-repositories?loggerId=any-name")
    assert (answer.status_code, answer.json()) == (200, {"data": {"id": "any-name"}})
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    "headers", [{}, {"content-type": "text/plain"}, {"content-type": "application/json"}, {"content-encoding": "gzip"}]
)
@pytest.mark.parametrize("slashes", ["/", "//"])
def test_lines_are_lines_whatever_the_media_type(server: Server, slashes: str, headers: dict[str, str]) -> None:
    trace_id = unique("media")
    body = f'trace{{id={trace_id},action=create,data={{"name":"n","startTimestamp":"{at(1)}"}}}}\n'.encode()
    content = gzip.compress(body) if "content-encoding" in headers else body
    answer = ask(server, "POST", f"{slashes}api/sdk/v3/log?id=r", content=content, headers=headers)
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    assert server.get(f"/api/v1/traces/{trace_id}")["trace"]["name"] == "n"


def test_nothing_is_a_success(server: Server) -> None:
    log(server)
    log(server, "", "")


@pytest.mark.parametrize("path", ["v4/prompts", "v4/prompt-chains", "v3/folders"])
def test_there_are_no_prompts(server: Server, path: str) -> None:
    answer = ask(server, "GET", f"/api/sdk/{path}")
    assert (answer.status_code, answer.json()) == (200, {"data": []})


def test_no_evaluator_is_in_the_way(server: Server) -> None:
    body = {"repoId": "r", "evaluatorNames": ["bias"]}
    answer = ask(server, "POST", "/api/sdk/v1/log-repositories/check-attach-evaluators", json=body)
    assert (answer.status_code, answer.json()) == (200, {"data": {}})


@pytest.mark.parametrize(
    ("method", "path", "key", "status", "message"),
    [
        ("GET", "/api/sdk/v3/log-repositories?loggerId=r", "wrong", 401, "no valid key"),
        ("POST", "/api/sdk/v3/log?id=r", "wrong", 401, "no valid key"),
        ("POST", "//api/sdk/v3/log?id=r", "wrong", 401, "no valid key"),
        ("GET", "/api/sdk/v4/prompts", "wrong", 401, "no valid key"),
        ("POST", "/api/sdk/v1/log-repositories/check-attach-evaluators", "wrong", 401, "no valid key"),
        ("POST", "/api/sdk/v3/log", None, 400, "id: "),
        ("POST", "/api/sdk/v3/log?id=", None, 400, "the name of a log repository"),
        ("POST", "/api/sdk/v3/log?id=a/b", None, 400, "the name of a log repository"),
        ("POST", "/api/sdk/v3/log?id=%00", None, 400, "the name of a log repository"),
        ("GET", "/api/sdk/v3/log-repositories", None, 400, "loggerId: "),
        ("GET", "/api/sdk/v9/nothing", None, 404, "nothing at this address"),
    ],
)
def test_errors_stand_where_the_sdks_look_for_them(
    server: Server, method: str, path: str, key: str | None, status: int, message: str
) -> None:
    answer = ask(server, method, path, key)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]


# --- merging ----------------------------------------------------------------------------------------------------------


def call(trace_id: str) -> list[str]:
    """A trace with one generation, in as few lines as say something that matters to each other."""
    generation = f"{trace_id}-g"
    usage = '{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150}'
    return [
        f'trace{{id={trace_id},action=create,data={{"name":"n","startTimestamp":"{at(1)}","tags":{{"a":"b"}}}}}}',
        f'trace{{id={trace_id},action=add-generation,data={{"id":"{generation}","model":"gpt-4o","provider":"openai",'
        f'"startTimestamp":"{at(2)}","messages":[{{"role":"user","content":"hi"}}]}}}}',
        f'generation{{id={generation},action=result,data={{"result":{{"id":"c","model":"gpt-4o-2024-08-06","choices":[{{'
        f'"message":{{"role":"assistant","content":"ho"}}}}],"usage":{usage}}}}}}}',
        f'generation{{id={generation},action=end,data={{"endTimestamp":"{at(3)}"}}}}',
    ]


def called(trace_id: str) -> dict[str, dict[str, Any]]:
    """What that is in the end."""
    return {
        f"{trace_id}:root": {
            "type": "span",
            "name": "n",
            "trace_name": "n",
            "is_root": True,
            "start_time": shown(1),
            # Nobody ended it: it ends with its last span.
            "end_time": shown(3),
            "level": "DEFAULT",
            "tags": ["a:b"],
        },
        f"{trace_id}-g": {
            "parent_span_id": f"{trace_id}:root",
            "type": "generation",
            "start_time": shown(2),
            "end_time": shown(3),
            "level": "DEFAULT",
            "model": "gpt-4o-2024-08-06",
            "provider": "openai",
            "input": [{"role": "user", "content": "hi"}],
            "output": {"role": "assistant", "content": "ho"},
            "usage": {"input": 100, "output": 50, "total": 150},
            "cost": {"input": "0.00025", "output": "0.0005", "total": "0.00075"},
            "cost_source": "computed",
            "attributes": {
                "model": "gpt-4o",
                "result.id": "c",
                "result.model": "gpt-4o-2024-08-06",
                "result.choices": [{}],
                "result.usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
            },
        },
    }


@pytest.mark.parametrize("apart", [True, False])
def test_every_order_of_a_call(server: Server, apart: bool) -> None:
    def tell(order: tuple[int, ...]) -> tuple[tuple[int, ...], str]:
        trace_id = unique("order")
        lines = [call(trace_id)[index] for index in order]
        for request in [[line] for line in lines] if apart else [lines]:
            log(server, *request)
        return order, trace_id

    with ThreadPoolExecutor(SENDERS) as threads:
        orders = list(threads.map(tell, itertools.permutations(range(4))))
    assert len(orders) == 24
    with server.client() as client:
        for order, trace_id in orders:
            found = client.get(f"/api/v1/traces/{trace_id}", timeout=300).raise_for_status().json()
            assert {span["span_id"]: told(span) for span in found["spans"]} == called(trace_id), order
            # The trace was never ended: it ends with what is last in it.
            trace = found["trace"]
            seen = (trace["start_time"], trace["end_time"], trace["total_cost"])
            assert seen == (shown(1), shown(3), "0.00075"), order


def seed(suffix: str) -> list[str]:
    """What Python's example sends, with ids of its own."""
    body = SEED.read_bytes().partition(b"\n\n")[2].partition(b"\n\n---")[0].decode()
    ids = r"\b(trace-id|span-id|generation-(?:id|azure|bedrock|anthropic|mistral))\b"
    return re.sub(ids, rf"\1-{suffix}", body).splitlines()


def without(suffix: str, trace: dict[str, dict[str, Any]]) -> Any:
    return json.loads(json.dumps(trace).replace(f"-{suffix}", ""))


@pytest.mark.parametrize("number", range(6))
def test_shuffled_doubled_and_split(server: Server, number: int) -> None:
    plain, mixed = unique("plain").partition("-")[2], unique("mixed").partition("-")[2]
    log(server, *seed(plain))
    chance = random.Random(number)
    lines = seed(mixed)
    lines += chance.sample(lines, 12)
    chance.shuffle(lines)
    while lines:
        count = chance.randint(1, 9)
        log(server, *lines[:count])
        lines = lines[count:]
    expected = without(plain, spans(server, f"trace-id-{plain}"))
    assert without(mixed, spans(server, f"trace-id-{mixed}")) == expected
    assert len(expected) == 7


def test_many_requests_at_once(server: Server) -> None:
    """Python sends with four threads, and an application has several processes."""
    trace_ids = [unique("parallel") for _ in range(12)]
    lines = [line for trace_id in trace_ids for line in call(trace_id)]
    random.Random(7).shuffle(lines)
    with ThreadPoolExecutor(SENDERS) as threads:
        list(threads.map(lambda line: log(server, line), lines))
    for trace_id in trace_ids:
        assert spans(server, trace_id) == called(trace_id)


def test_an_orphan_joins_when_its_parent_comes(server: Server) -> None:
    """A whole branch from its end: the tool call within a span within a span of a trace."""
    trace_id = unique("orphan")
    outer, inner, tool = f"{trace_id}-outer", f"{trace_id}-inner", f"{trace_id}-tool"
    log(server, f'tool_call{{id={tool},action=result,data={{"result":"72F"}}}}')
    log(server, f'span{{id={inner},action=add-tool-call,data={{"id":"{tool}","name":"t","startTimestamp":"{at(3)}"}}}}')
    log(server, f'span{{id={outer},action=add-span,data={{"id":"{inner}","name":"inner","startTimestamp":"{at(2)}"}}}}')
    log(server, f'span{{id={outer},action=create,data={{"name":"outer","startTimestamp":"{at(1)}"}}}}')
    log(server, f'trace{{id={trace_id},action=add-span,data={{"id":"{outer}","startTimestamp":"{at(1)}"}}}}')
    found = server.trace(trace_id)
    assert {span_id: span["parent_span_id"] for span_id, span in found.items()} == {
        f"{trace_id}:root": None,
        outer: f"{trace_id}:root",
        inner: outer,
        tool: inner,
    }
    assert (found[tool]["output"], found[tool]["name"], found[outer]["name"]) == ("72F", "t", "outer")
    listed = server.get("/api/v1/traces", limit=1000, **{"from": at(0), "to": at(4)})["data"]
    assert [trace["trace_id"] for trace in listed if trace_id in trace["trace_id"]] == [trace_id]


def test_a_tool_call_s_id_may_come_again_in_another_trace(server: Server) -> None:
    """It is made up by the model."""
    tool = unique("call")
    for trace_id in (first := unique("one"), second := unique("two")):
        log(
            server,
            f'trace{{id={trace_id},action=create,data={{"startTimestamp":"{at(1)}"}}}}',
            f'trace{{id={trace_id},action=add-tool-call,data={{"id":"{tool}","name":"{trace_id}","startTimestamp":"{at(2)}"}}}}',
            f'tool_call{{id={tool},action=result,data={{"result":"of {trace_id}"}}}}',
        )
    for trace_id in (first, second):
        found = server.trace(trace_id)[tool]
        assert (found["name"], found["output"]) == (trace_id, f"of {trace_id}")


def test_repositories_are_apart(server: Server) -> None:
    """The same names mean other things in another log repository, but a trace's id is a trace's id."""
    one, two, span = unique("one"), unique("two"), unique("span")
    for trace_id, repository in ((one, "left"), (two, "right")):
        log(
            server,
            f'trace{{id={trace_id},action=add-span,data={{"id":"{span}","startTimestamp":"{at(1)}"}}}}',
            f'span{{id={span},action=update,data={{"input":"{repository}"}}}}',
            repository=repository,
        )
    log(server, f'span{{id={span},action=update,data={{"metadata":{{"late":"yes"}}}}}}', repository="left")
    left, right = server.trace(one)[span], server.trace(two)[span]
    assert (left["input"], left["repository"], left["metadata"]) == ("left", "left", {"late": "yes"})
    assert (right["input"], right["repository"], right["metadata"]) == ("right", "right", {})


def test_a_bad_line_harms_none_beside_it(server: Server) -> None:
    trace_id = unique("beside")
    bad = f'trace{{id={trace_id},action=update,data={{"tags":"no object"}}}}'
    torn = f'span{{id={trace_id}-s,action=end,data={{"endTimestamp":"2026'
    first, *rest = call(trace_id)
    log(server, first, bad, torn, "", *rest)
    assert spans(server, trace_id) == called(trace_id)
    rejected = [one for one in server.get("/api/v1/rejected", limit=500)["data"] if trace_id in one["payload"]]
    assert {one["payload"]: (one["protocol"], one["trace_id"], one["name"]) for one in rejected} == {
        bad: ("maxim", trace_id, "trace update"),
        torn: ("maxim", None, None),
    }
    reasons = " ".join(one["reason"] for one in rejected)
    assert "line 2: " in reasons
    assert "an object was expected" in reasons
    assert "line 3: the line is not of the form entity{id=" in reasons


def test_pieces_find_each_other_after_a_crash(fresh_server: Server) -> None:
    made, asked, answered, ended = call("t")
    log(fresh_server, answered)
    log(fresh_server, made)
    fresh_server.kill()
    fresh_server.start()
    log(fresh_server, asked)
    fresh_server.kill()
    fresh_server.start()
    log(fresh_server, ended)
    assert spans(fresh_server, "t") == called("t")
    assert [trace["trace_id"] for trace in fresh_server.get("/api/v1/traces")["data"]] == ["t"]


def test_a_line_that_was_too_long_for_the_log(server: Server) -> None:
    """It is uploaded, and what the log says instead comes behind everything else about the thing."""
    trace_id = unique("large")
    made, asked, answered, ended = call(trace_id)
    asked = asked.replace('"hi"', f'"hi {"x" * (1 << 20)}"')
    key = f"r/large-logs/{trace_id}"
    path = "/api/sdk/v1/log-repositories/attachments/upload-url"
    url = ask(server, "GET", f"{path}?key={key}&mimeType=text/plain&size={len(asked)}").json()["data"]["url"]
    answer = httpx.put(url, content=asked.encode(), headers={"Content-Type": "text/plain"}, timeout=60, trust_env=False)
    assert answer.status_code == 200
    log(server, made, answered, ended, f'storage{{id={trace_id},action=process-large-log,data={{"key":"{key}"}}}}')
    found = spans(server, trace_id)
    assert found.keys() == called(trace_id).keys()
    (message,) = found[f"{trace_id}-g"].pop("input")
    assert len(message["content"]) == (1 << 20) + 3
    expected = called(trace_id)[f"{trace_id}-g"]
    del expected["input"]
    assert found[f"{trace_id}-g"] == expected
