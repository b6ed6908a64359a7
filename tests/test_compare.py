"""Two texts, spans and traces beside each other: the functions, the page and its JSON."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from genscope.model import Span
from genscope.web import addresses
from genscope.web.compare import AROUND, MOST_SHOWN, Piece, align, change, conversations, figures, texts, trees
from genscope.web.messages import Message, Part
from tests.browser import accessible
from tests.running import Server
from tests.spans import generation, send, span

WORDS = "lorem ipsum dolor sit amet "


def marked(pieces: list[Piece]) -> str:
    """Return pieces as one text: what changed in brackets, what is left out as its length in braces."""
    brackets = {"same": "{}", "changed": "[{}]", "skipped": "{{{}}}"}
    return "".join(brackets[piece.kind].format(piece.text) for piece in pieces)


@pytest.mark.parametrize(
    ("left", "right", "left_marked", "right_marked"),
    [
        ("", "", "", ""),
        ("same", "same", "same", "same"),
        ("", "all new", "", "[all new]"),
        ("the quick brown fox", "the slow brown fox", "the [quick] brown fox", "the [slow] brown fox"),
        ("the quick", "the quick fox", "the quick", "the quick [fox]"),
        ("fox jumps", "a fox jumps", "fox jumps", "[a ]fox jumps"),
        ("costs $5, today", "costs $7, today", "costs $[5], today", "costs $[7], today"),
        ("今天天气很好", "今天天气不好", "今天天气[很]好", "今天天气[不]好"),
        ("same in the end", "other by the way", "[same in the end]", "[other by the way]"),
        ("aa", "a", "[aa]", "[a]"),
    ],
)
def test_words_are_compared(left: str, right: str, left_marked: str, right_marked: str) -> None:
    compared = texts(left, right)
    assert (marked(compared.left), marked(compared.right)) == (left_marked, right_marked)


def test_spacing_alone_is_told_and_not_marked() -> None:
    compared = texts("a b\nc", "a  b c")
    assert (marked(compared.left), compared.spacing) == ("a b\nc", True)
    assert not texts("a b", "a b").spacing


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (WORDS * 200_000, WORDS * 200_000 + "x"),
        (WORDS * 100_000 + "x " + WORDS * 100_000, WORDS * 100_000 + "y " + WORDS * 100_000),
        ("a" * 5_000_000, "b" * 5_000_000),
        ("a " * 2_500_000, "b " * 2_500_000),
        (WORDS * 200_000, WORDS.upper() * 200_000),
        ("\u202e<b>" * 1_000_000, "\u202e<i>" * 1_000_000),
    ],
)
def test_megabytes_are_compared_to_a_bound(left: str, right: str) -> None:
    compared = texts(left, right)
    for whole, side in ((left, compared.left), (right, compared.right)):
        shown = sum(len(piece.text) for piece in side if piece.kind != "skipped")
        assert shown + sum(int(piece.text) for piece in side if piece.kind == "skipped") == len(whole)
        assert shown <= 2 * MOST_SHOWN + 4 * AROUND
        assert any(piece.kind == "changed" for piece in side) or whole is left


def test_what_has_the_same_key_stands_beside_each_other() -> None:
    pairs = align(["a1", "b1", "c1"], ["a1", "x1", "c1", "d1"], lambda one: one, lambda one: one[1])
    assert pairs == [("a1", "a1"), ("b1", "x1"), ("c1", "c1"), (None, "d1")]
    assert align([], ["a"], lambda one: one) == [(None, "a")]


def said(role: str, text: str) -> Message:
    return Message(role, [Part("text", text)])


def test_messages_are_compared_with_those_of_the_same_speaker() -> None:
    before = [said("system", "Be brief."), said("user", "Where is it?"), said("assistant", "On its way.")]
    after = [said("system", "Be brief."), said("assistant", "Hello."), said("user", "Where is my order?")]
    turns, hidden = conversations(before, after)
    assert hidden == 0
    assert [(turn.role, turn.left is None, turn.right is None, turn.texts is None) for turn in turns] == [
        ("system", False, False, True),
        ("assistant", True, False, False),
        ("user", False, False, False),
        ("assistant", False, True, False),
    ]


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        (1, 1, ""),
        (None, 1, ""),
        (0, 5, ""),
        (100, 110, "+10 %"),
        (100, 59, "-41 %"),
        (1, 18.8, "18.8\u00d7"),
        (1, 20_000, "20,000\u00d7"),
        (1000, 1001, "+0.1 %"),
    ],
)
def test_a_change_is_told_in_percent_or_times(left: float | None, right: float | None, told: str) -> None:
    assert change(left, right) == told


def test_figures_are_those_that_one_side_has() -> None:
    left = Span("t", "a", 0, name="x", usage={"input": 10}, model_parameters={"temperature": 0})
    right = Span("t", "b", 0, name="x", usage={"input": 15, "output": 2}, model_parameters={"temperature": 0.4})
    told = {one.label: (one.left, one.right, one.change) for one in figures(left, right)}
    assert told == {
        "Name": ("x", "x", ""),
        "Type": ("span", "span", ""),
        "Tokens: input": ("10", "15", "+50 %"),
        "Tokens: output": ("—", "2", ""),
        "Parameter: temperature": ("0", "0.4", ""),
    }


def tree(trace_id: str, *spans: tuple[str, str | None, str, str]) -> list[Span]:
    return [
        Span(trace_id, id_, place, parent_span_id=parent, type=type_, name=name, start_time=place)
        for place, (id_, parent, type_, name) in enumerate(spans)
    ]


def test_traces_are_aligned_by_their_trees() -> None:
    left = tree(
        "l",
        ("r", None, "agent", "answer"),
        ("1", "r", "tool", "search"),
        ("2", "r", "generation", "chat gpt-4o"),
        ("3", "2", "tool", "mail"),
    )
    right = tree(
        "r",
        ("r", None, "agent", "reply"),
        ("a", "r", "tool", "search"),
        ("b", "r", "tool", "search"),
        ("c", "r", "generation", "chat o4-mini"),
    )
    lines = trees(left, right)
    shown = [
        (line.depth, line.left and line.left.span.span_id, line.right and line.right.span.span_id, line.differences)
        for line in lines
    ]
    searches = [pair for pair in shown if pair[2] in ("a", "b")]
    assert sorted(pair[1] or "" for pair in searches) == ["", "1"]
    assert [pair for pair in shown if pair not in searches] == [
        (0, "r", "r", ["name"]),
        (1, "2", "c", ["name"]),
        (2, "3", None, []),
    ]


def test_ten_thousand_spans_of_one_name_are_aligned() -> None:
    def many(trace_id: str, count: int) -> list[Span]:
        return tree(trace_id, ("r", None, "agent", "a"), *((str(n), "r", "tool", "search") for n in range(count)))

    lines = trees(many("l", 10_000), many("r", 9_000))
    assert sum(line.left is not None and line.right is not None for line in lines) == 9_001
    deep = tree("d", *((str(n), str(n - 1) if n else None, "chain", "step") for n in range(5_000)))
    assert len(trees(deep, deep)) == 5_000


@pytest.mark.parametrize("ids", [("t", None), ("t", "s"), ("a/b c", "d%2F/e"), ("orphan:x", "\u202e")])
def test_a_side_is_one_text(ids: tuple[str, str | None]) -> None:
    assert addresses.sides(addresses.side(*ids)) == ids


@pytest.mark.parametrize("text", ["", "/", "a/", "/b", "a/b/c"])
def test_what_is_no_side_is_none(text: str) -> None:
    assert addresses.sides(text) is None


# --- the page -------------------------------------------------------------------------------------------------------


def two(server: Server, user: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Send two generations that answer differently, and return them as the API tells of them."""
    first = generation(server, user, at=-5)
    second = generation(
        server,
        user,
        langfuse__observation__model__name="gpt-4o-mini",
        langfuse__observation__output="It left <b>today</b>.",
    )
    told = [server.get(f"/api/v1/traces/{trace_id}")["spans"][0] for trace_id in (first, second)]
    return told[0], told[1]


def address(left: dict[str, Any], right: dict[str, Any]) -> str:
    return addresses.compare(*(addresses.side(one["trace_id"], one["span_id"]) for one in (left, right)))


def test_two_generations_are_read_beside_each_other(page: Page, server: Server) -> None:
    left, right = two(server, secrets.token_hex(6))
    page.goto(server.url + address(left, right))
    expect(page.get_by_role("row", name="Model")).to_contain_text("gpt-4o-mini")
    expect(page.get_by_role("row", name="Cost")).to_contain_text("-94 %")
    expect(page.locator("details.alike")).to_have_count(2)
    expect(page.locator("del")).to_have_text("On its way")
    expect(page.locator("ins")).to_have_text("It left <b>today</b>")
    accessible(page)
    page.get_by_role("link", name="Swap").click()
    expect(page.locator("ins")).to_have_text("On its way")
    traces = addresses.compare(left["trace_id"], right["trace_id"])
    page.goto(server.url + traces)
    accessible(page)
    page.get_by_role("link", name="model, output").click()
    expect(page).to_have_url(server.url + address(left, right))


def test_a_comparison_is_json_too_and_says_what_is_wrong(server: Server) -> None:
    left, right = two(server, secrets.token_hex(6))
    lone = secrets.token_hex(16)
    send(server, span(lone, secrets.token_hex(8)))
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        form = {"public_key": server.public_key, "secret_key": server.secret_key}
        assert client.post("/login", data=form).status_code == 303
        told = client.get(address(left, right).replace("/compare?", "/compare.json?")).json()
        assert [turn["same"] for turn in told["input"]["turns"]] == [True, True]
        assert told["output"]["turns"][0]["left"][0] == {"kind": "changed", "text": "On its way"}
        told = client.get("/compare.json", params={"left": left["trace_id"], "right": lone}).json()
        assert [one["differences"] for one in told["spans"]] == [["name", "model", "input", "output"]]
        for wrong, message in (
            ({"left": "a/b/c", "right": "a"}, "left: expected TRACE"),
            ({"left": lone, "right": "/x"}, "right: expected TRACE"),
            ({"left": lone, "right": f"{left['trace_id']}/{left['span_id']}"}, "choose two of a kind"),
            ({"left": lone, "right": "nowhere"}, "no trace"),
            ({"left": f"{lone}/x", "right": f"{lone}/y"}, "no span"),
        ):
            answer = client.get("/compare", params=wrong)
            assert (answer.status_code, message in answer.text) == (400, True), answer.text
        assert client.get("/compare").status_code == 200
        alone = client.get("/compare", params={"left": f"{left['trace_id']}/{left['span_id']}"})
        assert (alone.status_code, right["span_id"] in alone.text) == (200, True)
