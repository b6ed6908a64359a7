"""Figures of spans by any field and time: `/api/v1/metrics`, and what it is made of."""

from __future__ import annotations

from typing import Any

import pytest

from genscope.store.figures import DIMENSIONS, GRANULARITIES, MEASURES, automatic, pieces
from tests import figures
from tests.figures import BEFORE, DAY, TOTALS, at
from tests.running import Server

SECOND = 10**9


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    """A project with the two days, and another one beside it."""
    running = server.new_project()
    figures.send(running)
    figures.send(running.new_project())
    return running


def asked(server: Server, measures: str, **parameters: Any) -> list[dict[str, Any]]:
    """Figures of the day."""
    day = {"from": f"{DAY}T00:00:00Z", "to": "2026-01-03T00:00:00Z"}
    rows: list[dict[str, Any]] = server.get("/api/v1/metrics", measures=measures, **day | parameters)["data"]
    return rows


def by(server: Server, field: str, measures: str, **parameters: Any) -> dict[str | None, list[Any]]:
    """Figures of the day by one field."""
    rows = asked(server, measures, group_by=field, **parameters)
    return {row["group"][field]: list(row["measures"].values()) for row in rows}


def test_totals_are_those_worked_out_by_hand(server: Server) -> None:
    (row,) = asked(server, ",".join(TOTALS))
    assert (row["time"], row["group"]) == (None, {})
    assert row["measures"] == {
        name: pytest.approx(value, abs=1e-3) if isinstance(value, float) else value for name, value in TOTALS.items()
    }


def test_every_measure_and_every_field_can_be_asked_for(server: Server) -> None:
    names = list(MEASURES)
    for some in (names[:25], names[25:50], names[50:]):
        (row,) = asked(server, ",".join(some))
        assert list(row["measures"]) == some
    for field in DIMENSIONS.values():
        name = f"{field.name}.plan" if field.keyed else field.name
        rows = asked(server, "spans", group_by=name)
        assert sum(row["measures"]["spans"] for row in rows) == TOTALS["spans"], name


def test_groups_are_by_fields_of_spans_and_of_their_traces(server: Server) -> None:
    assert by(server, "model", "calls,cost,unpriced_calls", sort="model") == {
        "gpt-4o": [2, "0.0065", 0],
        "gpt-4o-mini": [1, "0.00021", 0],
        "house": [1, None, 1],
        "text-embedding-3-small": [1, "0.00001", 0],
        # The agent and the tool call no model.
        None: [0, None, 0],
    }
    # Alice is named by the root alone; nobody is named for the embedding.
    assert by(server, "user", "cost,calls") == {"alice": ["0.0065", 2], "bob": ["0.00021", 2], None: ["0.00001", 1]}
    assert by(server, "user_id", "calls", q="type:generation") == {"alice": [2], "bob": [2]}
    assert by(server, "metadata.plan", "calls") == {None: [3], "pro": [2]}
    assert by(server, "type", "duration_max")["tool"] == [100]
    rows = asked(server, "calls", group_by="name,model", q="name:classify", sort="model")
    assert [row["group"] for row in rows] == [
        {"name": "classify", "model": "gpt-4o-mini"},
        {"name": "classify", "model": "house"},
    ]


def test_figures_follow_filter_order_and_limit(server: Server) -> None:
    assert list(by(server, "model", "latency_p50", q="type:generation", sort="-latency_p50")) == [
        "house",
        "gpt-4o",
        "gpt-4o-mini",
    ]
    answer = server.get("/api/v1/metrics", measures="calls", group_by="model", limit=1)
    assert (len(answer["data"]), answer["truncated"], answer["granularity"]) == (1, True, None)
    # One parameter for a field is one more condition.
    assert asked(server, "calls", name="draft")[0]["measures"] == {"calls": 2}
    # Of nothing every count is 0, and nothing else is known.
    (nothing,) = asked(server, "calls,cost,error_rate,latency_p95", q="model:none")
    assert nothing["measures"] == {"calls": 0, "cost": None, "error_rate": None, "latency_p95": None}


def test_time_is_cut_into_pieces(server: Server) -> None:
    hours = asked(server, "calls,cost", granularity="hour", q="type:generation")
    assert [(row["time"], *row["measures"].values()) for row in hours] == [
        (f"{DAY}T01:00:00.000000Z", 2, "0.0065"),
        (f"{DAY}T13:00:00.000000Z", 2, "0.00021"),
    ]
    range_ = {"from": f"{BEFORE}T00:00:00Z"}
    days = asked(server, "calls", granularity="day", **range_)
    assert [(row["time"][:10], row["measures"]["calls"]) for row in days] == [(BEFORE, 1), (DAY, 5)]
    # 2026 began on a Thursday.
    weeks = asked(server, "calls", granularity="week", **range_)
    assert [(row["time"][:10], row["measures"]["calls"]) for row in weeks] == [("2025-12-29", 6)]
    assert [row["time"][:10] for row in asked(server, "calls", granularity="month", **range_)] == ["2026-01-01"]
    answer = server.get(
        "/api/v1/metrics", measures="calls", granularity="auto", **{"from": f"{DAY}", "to": "2026-01-03"}
    )
    assert answer["granularity"] == "30minutes"
    assert server.get("/api/v1/metrics", measures="calls", granularity="auto")["granularity"] in GRANULARITIES


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "measures"),
        ({"measures": ""}, "expected at least one of spans, traces, errors, calls,"),
        ({"measures": "price"}, "unknown measure 'price'; expected any of spans, traces,"),
        ({"measures": "calls,calls"}, "'calls' is named twice"),
        ({"measures": "calls", "group_by": "colour"}, "unknown field 'colour'; expected any of type, name,"),
        ({"measures": "calls", "group_by": "metadata"}, "metadata.KEY"),
        ({"measures": "calls", "group_by": "model.x"}, "unknown field 'model.x'"),
        ({"measures": "calls", "group_by": "cost"}, "unknown field 'cost'"),
        ({"measures": "calls", "granularity": "fortnight"}, "expected one of auto, minute,"),
        ({"measures": "calls", "sort": "-cost"}, "'-cost' is not asked for; expected one of calls"),
        ({"measures": "calls", "limit": "100000"}, "limit"),
        ({"measures": "calls", "q": "model:"}, "column"),
    ],
)
def test_what_cannot_be_answered_says_what_can(server: Server, parameters: dict[str, str], expected: str) -> None:
    with server.client() as client:
        answer = client.get("/api/v1/metrics", params=parameters)
    assert 400 <= answer.status_code < 500
    assert expected in answer.text


def test_pieces_cover_a_range_and_automatic_ones_are_about_fifty() -> None:
    start = at(DAY, "10:20:30")
    assert pieces("hour", start, start + 3600 * SECOND) == [at(DAY, f"{hour}:00:00") // SECOND for hour in (10, 11)]
    assert pieces("hour", at(DAY, "10:00:00"), at(DAY, "11:00:00")) == [at(DAY, "10:00:00") // SECOND]
    assert pieces("week", start, start) == [at("2025-12-29", "00:00:00") // SECOND]
    assert pieces("month", at("2025-11-30", "23:59:59"), start) == [
        at(day, "00:00:00") // SECOND for day in ("2025-11-01", "2025-12-01", "2026-01-01")
    ]
    for seconds in (900, 3600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400):
        found = automatic(start, start + seconds * SECOND)
        assert 15 <= len(pieces(found, start, start + seconds * SECOND)) <= 80, found
