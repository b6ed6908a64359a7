"""A trace as one dialogue: what is new in each call, and results beside the calls of tools."""

from __future__ import annotations

import json
from typing import Any

from genscope.model import Span
from genscope.web import dialogue, tree
from genscope.web.dialogue import Turn

SYSTEM = {"role": "system", "content": "Be brief."}
ASKED = {"role": "user", "content": "Weather?"}
CALLS = {
    "role": "assistant",
    "reasoning_content": "Hm.",
    "tool_calls": [{"id": "c1", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}],
}
ANSWERED = {"role": "tool", "tool_call_id": "c1", "content": "Clear."}
SAID = {"role": "assistant", "content": "It is clear."}


def call(span_id: str, at: int, given: Any, answer: Any, parent: str | None = None, type_: str = "generation") -> Span:
    span = Span("t", span_id, at, parent, type=type_, name=span_id, start_time=at, end_time=at + 1)
    span.input = given if isinstance(given, str) else json.dumps(given)
    span.output = answer if isinstance(answer, str) else json.dumps(answer)
    return span


def told(turns: list[Turn]) -> list[tuple[str, int, list[str], list[str]]]:
    """Return who speaks, how much is repeated, and the beginnings of what is given and answered."""
    return [
        (
            turn.span.span_id,
            turn.repeated,
            [part.text or part.name for message in turn.given for part in message.parts],
            [part.name or part.text for message in turn.answered for part in message.parts],
        )
        for turn in turns
    ]


def test_each_call_shows_what_is_new_and_results_beside_their_calls() -> None:
    history = [SYSTEM, ASKED]
    # Reasoning is not sent again, and arguments in another spelling.
    again = {
        "role": "assistant",
        "tool_calls": [{"id": "c1", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}],
    }
    spans = [
        call("one", 0, history, CALLS),
        call("weather", 1, {"city": "Paris"}, "Clear.", type_="tool"),
        call("two", 2, [*history, again, ANSWERED], SAID),
        call("three", 3, [*history, again, ANSWERED, SAID, {"role": "user", "content": "Thanks!"}], "Bye."),
    ]
    turns = dialogue.turns(spans, {})
    assert told(turns) == [
        ("one", 0, ["Be brief.", "Weather?"], ["Hm.", "weather"]),
        ("two", 3, [], ["It is clear."]),
        ("three", 5, ["Thanks!"], ["Bye."]),
    ]
    [called] = [part for message in turns[0].answered for part in message.parts if part.kind == "tool_call"]
    assert called.result
    assert called.result.text == "Clear."


def test_what_is_said_twice_is_no_repetition() -> None:
    yes = {"role": "user", "content": "yes"}
    spans = [call("one", 0, [SYSTEM, yes], SAID), call("two", 1, [SYSTEM, yes, SAID, yes], "Well.")]
    assert told(dialogue.turns(spans, {}))[1] == ("two", 3, ["yes"], ["Well."])


def test_conversations_beside_each_other_are_told_apart() -> None:
    first, second = ({"role": "user", "content": text} for text in ("one?", "two?"))
    spans = [
        call("a1", 0, [SYSTEM, first], "one!"),
        call("b1", 1, [SYSTEM, second], "two!"),
        call("a2", 2, [SYSTEM, first, {"role": "assistant", "content": "one!"}, ASKED], "x"),
        call("b2", 3, [SYSTEM, second, {"role": "assistant", "content": "two!"}, ASKED], "y"),
    ]
    assert [(turn.repeated, len(turn.given)) for turn in dialogue.turns(spans, {})] == [(0, 2), (1, 1), (3, 1), (3, 1)]


def test_a_history_that_was_cut_at_its_beginning_is_still_known() -> None:
    messages = [{"role": "user" if n % 2 == 0 else "assistant", "content": f"m{n}"} for n in range(9)]
    spans = [call("a", 0, [SYSTEM, *messages[:7]], "m7"), call("b", 1, [SYSTEM, *messages[4:9]], "end")]
    assert told(dialogue.turns(spans, {}))[1] == ("b", 5, ["m8"], ["end"])


def test_a_tool_that_no_message_tells_of_has_a_turn_and_agents_are_named() -> None:
    spans = [
        Span("t", "main", 0, type="agent", name="main", start_time=0),
        Span("t", "sub", 0, "main", type="agent", name="sub", start_time=0),
        call("look-up", 1, {"id": 7}, "found", "sub", "tool"),
        call("say", 2, [ASKED], SAID, "main"),
    ]
    around = dialogue.agents(tree.layout(spans))
    turns = dialogue.turns(spans[2:], around)
    assert [(turn.span.span_id, [agent.span_id for agent in turn.agents]) for turn in turns] == [
        ("look-up", ["main", "sub"]),
        ("say", ["main"]),
    ]


def test_what_is_long_is_cut_and_counted() -> None:
    [turn] = dialogue.turns([call("a", 0, "x" * 100_000, "y" * 5)], {})
    assert turn.hidden == 100_000 - dialogue.MAX_TURN
    assert turn.answered[0].parts[0].text == "yyyyy"


def test_many_long_histories_are_read_quickly_enough() -> None:
    messages = [{"role": "user" if n % 2 == 0 else "assistant", "content": f"m{n}"} for n in range(400)]
    spans = [call(str(n), n, messages[: 200 + n], f"m{200 + n}") for n in range(100)]
    turns = dialogue.turns(spans, {})
    # Each knows all but the newest of the history, or that too if it was the answer before.
    assert all(len(turn.given) <= 1 for turn in turns[1:])
