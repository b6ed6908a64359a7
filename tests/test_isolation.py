"""Every route of the application is asked: nothing of one project shows in another, strangers and viewers change nothing."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
from starlette.routing import BaseRoute

from genscope.app import create_app, open_server
from genscope.config import Settings
from tests.running import Server
from tests.spans import span

#: What every text of a project holds.
MARKS: Final = {"default": "mark-of-the-first", "other": "mark-of-the-second"}
#: Ids that both projects have.
TRACE, SPAN, FAILED = "ab" * 16, "cd" * 8, "ef" * 8
PAIR: Final = re.compile(r"<code>(pk-gs-\w+)</code>.*?<code>(sk-gs-\w+)</code>", re.DOTALL)
#: Routes that are the same for everybody, or end what the walk needs.
ELSEWHERE: Final = ("/static", "/login", "/logout", "/storage/")


@dataclass(frozen=True, slots=True)
class Route:
    """A route by its method and path; `page` if it is one for people."""

    method: str
    path: str
    page: bool


@dataclass
class World:
    """A server with two projects that have the same ids, and who may ask it."""

    server: Server
    #: A client of each project by key, and one that is logged in by it.
    programs: dict[str, httpx.Client]
    people: dict[str, httpx.Client]
    #: Ids that only the first project has, by the parameters that name them.
    own: dict[str, str]
    viewer: httpx.Client
    stranger: httpx.Client


def _effective(routes: Iterable[Any]) -> Iterator[tuple[str, set[str], BaseRoute]]:
    for route in routes:
        if hasattr(route, "effective_candidates"):
            yield from _effective(route.effective_candidates())
        else:
            yield route.path, route.methods or set() if hasattr(route, "methods") else set(), route


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    settings = Settings(data=tmp_path_factory.mktemp("routes"), grpc_port=0)
    with open_server(settings) as started:
        found = list(_effective(create_app(started).routes))
    return [
        Route(method, path, type(getattr(route, "original_route", route)).__name__ == "PageRoute")
        for path, methods, route in found
        for method in sorted(methods - {"HEAD"})
        if not (path.startswith(ELSEWHERE) or path.endswith("{thing:path}"))
    ]


def _fill(program: httpx.Client, mark: str) -> None:
    attributes: dict[str, Any] = {
        "langfuse__observation__type": "generation",
        "langfuse__observation__model__name": f"model-{mark}",
        "langfuse__observation__input": [{"role": "user", "content": f"in {mark}"}],
        "langfuse__observation__output": f"out {mark}",
        "langfuse__observation__usage_details": {"input": 20, "output": 5},
        "langfuse__observation__metadata__plan": f"plan {mark}",
        "langfuse__trace__tags": [f"tag-{mark}"],
        "langfuse__trace__name": f"trace {mark}",
        "langfuse__environment": "prod",
        "user__id": "someone",
        "session__id": "talk",
    }
    failed = span(
        TRACE,
        FAILED,
        SPAN,
        name="lookup",
        at=-9,
        status={"code": 2, "message": "it broke"},
        langfuse__observation__type="tool",
        langfuse__observation__input=f"in {mark}",
        user__id="someone",
    )
    spans = [span(TRACE, SPAN, name=f"call {mark}", at=-10, **attributes), failed]
    assert program.post("/v1/traces", json={"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).status_code == 200
    score: dict[str, Any] = {"id": "a-score", "name": "quality", "value": 1, "trace_id": TRACE, "comment": mark}
    of_session = {"id": "b-score", "name": "mood", "value": mark, "session_id": "talk", "data_type": "TEXT"}
    told = program.post("/api/v1/scores", json=[score, of_session])
    assert told.status_code == 200, told.text
    view = {"name": "a view", "url": f"/generations?q={mark}"}
    assert program.post("/api/v1/views", json=view).status_code in (200, 201)
    event = {"id": "e", "timestamp": "2026-01-02T03:04:05Z", "type": "span-update", "body": {"name": mark}}
    program.post("/api/public/ingestion", json={"batch": [event]})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    server = Server(tmp_path_factory.mktemp("isolation")).start()
    with contextlib.ExitStack() as stack:

        def client(**options: Any) -> httpx.Client:
            return stack.enter_context(httpx.Client(base_url=server.url, timeout=60, trust_env=False, **options))

        owner = client()
        assert owner.get(server.login_url).status_code == 303
        pair = PAIR.search(owner.post("/settings/projects", data={"id": "other"}).text)
        assert pair
        pairs = {"default": server.basic, "other": (pair[1], pair[2])}
        programs = {project: client(auth=keys) for project, keys in pairs.items()}
        people = {project: client() for project in pairs}
        for project, (public, secret) in pairs.items():
            form = {"public_key": public, "secret_key": secret}
            assert people[project].post("/login", data=form).status_code == 303
            _fill(programs[project], MARKS[project])
        owner.post("/settings", data={"name": f"project {MARKS['default']}"})
        invited = owner.post("/settings/members", data={"email": "viewer@mark-of-the-first.example", "role": "viewer"})
        link = re.search(r"http://[^\s\"<]+/login/invitation\?token=[\w-]+", invited.text)
        assert link
        viewer = client()
        password = "of the viewer, long"
        token = link[0].partition("token=")[2]
        form = {"token": token, "password": password, "again": password}
        assert viewer.post("/login/invitation", data=form).status_code == 303
        first = programs["default"]
        key = first.post("/api/v1/keys", json={"name": MARKS["default"]}).json()["public_key"]
        price = {"model": f"model-{MARKS['default']}", "prices": {"input": "1"}}
        assert first.post("/api/v1/prices", json=price).status_code == 200
        first.put("/api/v1/redaction", json={"patterns": [{"name": "x", "pattern": "never-mark-of-the-first"}]})
        first.put("/api/v1/retention", json={"days": 3650})
        own = {
            "public_key": key,
            "price_id": first.get("/api/v1/prices").json()["data"][0]["id"],
            "fingerprint": first.get("/api/v1/errors").json()["data"][0]["fingerprint"],
            "email": "viewer@mark-of-the-first.example",
        }
        yield World(server, programs, people, own, viewer, client())
    server.stop()


def _values(own: dict[str, str]) -> dict[str, str]:
    """Return a value for every parameter of a path and of a form that names something."""
    return own | {
        "trace_id": TRACE,
        "trace": TRACE,
        "span_id": SPAN,
        "span": SPAN,
        "observation_id": SPAN,
        "observation": SPAN,
        "session_id": "talk",
        "user_id": "someone",
        "score_id": "a-score",
        "id": "a-score",
        "name": "quality",
        "side": "input",
        "language": "py",
        "project_id": "default",
        "thing": "x",
        "media_id": "x",
        "token": "x",
    }


def _asked(route: Route, values: dict[str, str]) -> list[str]:
    """Return the paths at which a route is asked."""
    names = {"name": ["quality", "generations", "model", "a view"]}
    paths = [route.path]
    for parameter in re.findall(r"\{(\w+)(?::path)?\}", route.path):
        given = names.get(parameter, [values[parameter]])
        paths = [re.sub(rf"\{{{parameter}(:path)?\}}", value, path) for path in paths for value in given]
    return paths


def _queries(values: dict[str, str]) -> list[dict[str, str]]:
    return [
        {
            "at": f"{TRACE}/{SPAN}",
            "left": f"{TRACE}/{SPAN}",
            "right": f"{TRACE}/{FAILED}",
            "query": "SELECT * FROM spans",
            "text": "model:",
            "position": "6",
            "list": "traces",
            "by": "name",
            "measure": "cost",
            "userId": "someone",
        },
        {
            "at": TRACE,
            "left": TRACE,
            "right": TRACE,
            "query": "SELECT * FROM traces",
            "view": "conversation",
            "find": "mark",
            "only": TRACE,
            "format": "csv",
            "traceId": TRACE,
        },
    ]


def _told(client: httpx.Client, route: Route, values: dict[str, str]) -> Iterator[tuple[str, httpx.Response]]:
    for path in _asked(route, values):
        for query in _queries(values):
            if path != "/live":
                answer = client.get(path, params=query, follow_redirects=route.page)
                yield f"GET {answer.request.url}", answer


def test_no_route_shows_anything_of_another_project(world: World, routes: list[Route]) -> None:
    values = _values(world.own)
    mine, theirs = MARKS["other"], MARKS["default"]
    showed_mine: set[str] = set()
    problems = []
    for route in routes:
        if route.method != "GET":
            continue
        clients = world.people if route.page else world.programs
        for what, answer in _told(clients["other"], route, values):
            # What was asked for may be said again.
            if theirs in answer.text.replace(world.own["email"], ""):
                problems.append(f"{what} shows what is of the first project")
            if answer.status_code >= 500:
                problems.append(f"{what} is answered {answer.status_code}: {answer.text[:200]}")
            if mine in answer.text:
                showed_mine.add(route.path)
    assert not problems, "\n".join(problems)
    # The walk does reach what the routes show.
    assert len(showed_mine) > 40


#: What everybody who is logged in may do to themselves.
THEIR_OWN: Final = frozenset({"/settings/project", "/settings/password", "/settings/logout-everywhere"})


def _state(world: World) -> dict[str, Any]:
    """Return what the first project has, as its key and those who log in by it see it."""
    program, person = world.programs["default"], world.people["default"]
    paths = ("spans?full=1", "traces", "scores", "views", "keys", "prices", "retention", "redaction", "projects")
    told = {path: program.get(f"/api/v1/{path}").json() for path in paths}
    for key in told["keys"]["data"]:
        key.pop("last_used")
    return told | {"members": person.get("/settings/members.json").json()}


def _changed(client: httpx.Client, route: Route, values: dict[str, str], headers: dict[str, str]) -> httpx.Response:
    """Ask a route to change or delete whatever the values name."""
    path = _asked(route, values)[-1]
    body = values | {
        "email": values["email"],
        "role": "owner",
        "url": "/generations",
        "to": "other name",
        "model": "model-mark-of-the-first",
        "input": "7",
        "days": "1",
        "do": "save",
        "which": "x",
        "value": "1",
        "back": "/",
        "policy": "{}",
    }
    if route.page:
        return client.request(route.method, path, data=body, headers=headers)
    query = {"from": "2020-01-01", "q": "mark", "confirm": "1"}
    return client.request(route.method, path, json=body, params=query, headers=headers)


def test_nobody_else_changes_a_project(world: World, routes: list[Route]) -> None:
    values = _values(world.own)
    before = _state(world)
    assert len(before["spans?full=1"]["data"]) == 2
    changing = [route for route in routes if route.method != "GET"]
    assert len(changing) > 40
    problems = []
    for route in changing:
        if route.path in ("/logout", "/settings/logout-everywhere"):
            continue
        strange = {"accept": "text/html"} if route.page else {}
        answers = {
            "the other project": _changed((world.people if route.page else world.programs)["other"], route, values, {}),
            "a stranger": _changed(world.stranger, route, values, strange),
            # No route of the API takes the login of a page.
            "a viewer": _changed(world.viewer, route, values, strange),
        }
        if route.page:
            headers = {"sec-fetch-site": "same-site"}
            answers["another site"] = _changed(world.people["default"], route, values, headers)
            headers = {"origin": "https://evil.example"}
            answers["another origin"] = _changed(world.people["default"], route, values, headers)
        expected = {
            # 400: a parameter is missing, which the API's document says to everybody.
            "a stranger": (303, 401) if route.page else (400, 401),
            "a viewer": (403,) if route.page else (400, 401),
            "another site": (403,),
            "another origin": (403,),
        }
        if route.path in THEIR_OWN:
            expected.pop("a viewer")
        for who, answer in answers.items():
            if answer.status_code >= 500 or answer.status_code not in expected.get(who, (answer.status_code,)):
                problems.append(f"{route.method} {route.path}, {who}: {answer.status_code} {answer.text[:200]}")
            if who == "a stranger" and answer.status_code == 303 and "/login" not in answer.headers["location"]:
                problems.append(f"{route.method} {route.path}, {who}: leads to {answer.headers['location']}")
            if who != "a viewer" and MARKS["default"] in answer.text.replace(world.own["email"], "").replace(
                "model-mark-of-the-first", ""
            ):
                problems.append(f"{route.method} {route.path}, {who}: shows what is of the first project")
    assert not problems, "\n".join(problems)
    assert _state(world) == before


def test_strangers_see_no_page_and_no_answer(world: World, routes: list[Route]) -> None:
    values = _values(world.own)
    open_to_all = {"/", "/health", "/metrics", "/api/public/health", "/api/v1/openapi.json", "/api/docs"}
    problems = []
    for route in routes:
        if route.method != "GET" or route.path in open_to_all:
            continue
        answer = world.stranger.get(_asked(route, values)[0], params=_queries(values)[0])
        login = answer.status_code == 303 and answer.headers["location"].startswith(("/login?next=", "/traces/"))
        if not (login if route.page else answer.status_code in (400, 401)):
            problems.append(f"GET {route.path}: {answer.status_code} {answer.text[:100]}")
        if "mark-of" in answer.text:
            problems.append(f"GET {route.path} shows a project")
    assert not problems, "\n".join(problems)


def test_no_page_is_a_part_of_another_site_s(world: World, routes: list[Route]) -> None:
    values, asked = _values(world.own), {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    for route in routes:
        if route.page and route.method == "GET":
            path = _asked(route, values)[0]
            assert world.people["default"].get(path, headers=asked).status_code == 403, path
    # A link from elsewhere leads to a page.
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert world.people["default"].get(f"/traces/{TRACE}", headers=link).status_code == 200


def test_an_id_may_end_as_the_address_of_json_does(world: World) -> None:
    named: dict[str, Any] = {"session__id": "notes.json", "user__id": "robot.json"}
    spans = [span("12" * 16, "34" * 8, **named), span("56" * 16, "78" * 8, session__id="memo")]
    body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    assert world.programs["other"].post("/v1/traces", json=body).status_code == 200
    person = world.people["other"]
    for path in ("/sessions/notes.json", "/users/robot.json"):
        shown = person.get(path)
        assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8"), path
        assert person.get(f"{path}.json").headers["content-type"].startswith("application/json")
    assert person.get("/sessions/nobody.json").status_code == 404
    assert person.get("/sessions/memo.json").json()["session"]["id"] == "memo"
