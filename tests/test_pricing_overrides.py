"""A project's own prices: which one holds, what it makes of a call, and what is refused as one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from genscope.model import Span, Usage
from genscope.pricing import price
from genscope.pricing.override import NONE, Overrides, checked


def at(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 10**9


def call(model: str | None, usage: Usage | None, provider: str | None = "openai", day: str = "2026-06-01") -> Span:
    return Span("t", "s", at(day), type="generation", model=model, provider=provider, usage=usage)


def bill(span: Span, *overrides: Any) -> tuple[str | None, Decimal | None]:
    price(span, Overrides(overrides))
    return span.cost_rule, span.cost["total"] if span.cost else None


@pytest.mark.parametrize(
    ("model", "provider", "day", "expected", "why"),
    [
        ("gpt-4o", "openai", "2026-06-01", "1", "the exact name before any pattern"),
        ("GPT-4o", "openai", "2026-06-01", "1", "in any case"),
        ("gpt-4o-2024-08-06", "openai", "2026-06-01", "2", "the pattern that spells out most"),
        ("gpt-5", "openai", "2026-06-01", "3", "a pattern for the provider before one for any"),
        ("gpt-5", "azure.ai.openai", "2026-06-01", "4", "which is for the others"),
        ("our-model", None, "2025-12-31", "5", "what always held"),
        ("our-model", None, "2026-01-01", "6", "from the moment on that it begins"),
        ("our-model", None, "2026-03-01", "7", "the latest that began"),
        ("our-model", None, "2027-03-01", "8", "whenever it was written"),
    ],
)
def test_the_most_specific_price_holds(model: str, provider: str | None, day: str, expected: str, why: str) -> None:
    written = [
        checked("gpt-*", {"input": 4}),
        checked("gpt-*", {"input": 3}, provider="OpenAI"),
        checked("gpt-4o", {"input": 1}),
        checked("gpt-4o*", {"input": 2}),
        checked("our-model", {"input": 8}, start=at("2027-01-01")),
        checked("our-model", {"input": 6}, start=at("2026-01-01")),
        checked("our-model", {"input": 5}),
        checked("our-model", {"input": 7}, start=at("2026-03-01")),
        checked("*", {"input": 9}, provider="nobody"),
    ]
    for entries in (written, written[::-1]):
        assert bill(call(model, {"input": 1_000_000}, provider, day), *entries)[1] == Decimal(expected), why


def test_it_wins_over_the_list_and_the_list_over_nothing() -> None:
    own = checked("gpt-4o*", {"input": "1.50", "output": "6"}, start=at("2026-01-01"))
    assert bill(call("gpt-4o", {"input": 1000, "output": 100}), own) == (
        "override gpt-4o* from 2026-01-01",
        Decimal("0.0021"),
    )
    rule, total = bill(call("gpt-4o", {"input": 1000, "output": 100}, day="2025-12-31"), own)
    assert str(rule).startswith("genai-prices")
    assert total == Decimal("0.0035")


@pytest.mark.parametrize(
    ("prices", "usage", "expected"),
    [
        # what has no price of its own has that of what it is a part of, audio too
        (
            {"input": 2, "output": 10},
            {"input": 1000, "output": 100, "input_cache_read": 800, "input_audio": 100},
            "0.003",
        ),
        ({"input": 2, "input_cache_read": "0.2"}, {"input": 1000, "input_cache_read": 800}, "0.00056"),
        ({"input": 2, "input_cache_read": "0"}, {"input": 1000, "input_cache_read": 800}, "0.0004"),
        ({"output": 2, "output_reasoning": 4}, {"output": 1000, "output_reasoning": 600}, "0.0032"),
        ({"input": 0, "output": 0}, {"input": 1000, "output": 1000}, "0"),
        # calls are per thousand
        ({"input": 1, "web_search": 10}, {"input": 1000, "web_search": 3}, "0.031"),
        ({"search": 2}, {"search": 1}, "0.002"),
        # a price of input alone says nothing about output
        ({"input": 2}, {"input": 1000, "output": 1}, None),
    ],
)
def test_what_it_makes_of_a_call(prices: dict[str, object], usage: Usage, expected: str | None) -> None:
    span = call("our-model", usage)
    assert bill(span, checked("our-*", prices))[1] == (None if expected is None else Decimal(expected))
    assert span.cost_missing == (None if expected else "unknown_price")


def test_a_price_per_call_needs_no_tokens() -> None:
    own = checked("our-image-*", {}, request="0.04")
    span = call("our-image-1", None)
    assert bill(span, own) == ("override our-image-*", Decimal("0.04"))
    assert span.cost == {"request": Decimal("0.04"), "total": Decimal("0.04")}
    assert bill(call("our-image-1", {"input": 1000, "output": 2000}), own)[1] == Decimal("0.04")
    assert bill(call(None, None), own) == (None, None)
    silent = call("our-image-1", None)
    silent.type = "span"
    assert bill(silent, own) == (None, None)


def test_a_price_per_call_beside_that_of_tokens() -> None:
    own = checked("our-*", {"input": 1, "output": 2}, request="0.005")
    assert bill(call("our-model", {"input": 1000, "output": 500}), own)[1] == Decimal("0.007")


def test_brackets_and_dots_are_letters() -> None:
    own = checked("claude-4.5[1m]", {"input": 1})
    assert bill(call("claude-4.5[1m]", {"input": 1_000_000}), own)[1] == 1
    assert bill(call("claude-4x51", {"input": 1_000_000}), own)[1] is None
    assert bill(call("gpt?", {"input": 1_000_000}), checked("gp?[?]", {"input": 1}))[1] is None


def test_a_service_tier_changes_nothing() -> None:
    span = call("gpt-4o", {"input": 1_000_000})
    span.service_tier = "batch"
    assert bill(span, checked("gpt-4o", {"input": 3}))[1] == 3


def test_priced_again() -> None:
    span = call("gpt-4o", {"input": 1_000_000})
    assert bill(span)[1] == Decimal("2.5")
    assert span.cost_source == "computed"
    assert bill(span, checked("gpt-4o", {"input": 3}))[1] == 3
    assert bill(span, checked("gpt-4o", {"output": 3})) == (None, None)
    assert [span.cost, span.cost_source, span.cost_missing] == [None, None, "unknown_price"]
    assert bill(span)[1] == Decimal("2.5")
    span.cost_source = "reported"
    assert bill(span, checked("gpt-4o", {"input": 3}))[1] == Decimal("2.5")
    assert span.cost_source == "reported"


def test_asked_again_and_again_it_keeps_little() -> None:
    overrides = Overrides([checked("*", {"input": 1})])
    for number in range(10_000):
        assert overrides.find("openai", f"model-{number}", 0) is not None
    assert len(overrides._known) <= 4096
    assert NONE.find("openai", "gpt-4o", 0) is None


def test_stars_do_not_take_time() -> None:
    overrides = Overrides([checked("*a" * 100 + "b", {"input": 1})])
    assert overrides.find(None, "a" * 300, 0) is None


def test_a_thousand_patterns_and_a_name_of_a_million_letters_take_none_either() -> None:
    overrides = Overrides([checked(f"*{'a' * 280}{number}*", {"input": 1}) for number in range(1000)])
    assert overrides.find(None, "a" * 1_000_000, 0) is None
    assert Overrides([checked("*", {"input": 1})]).find(None, "a" * 301, 0) is None


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"model": " ", "prices": {"input": 1}}, "model pattern must be 1 to 300"),
        ({"model": "x" * 301, "prices": {"input": 1}}, "model pattern must be 1 to 300"),
        ({"model": "a\nb", "prices": {"input": 1}}, "printable"),
        ({"model": "m", "prices": {"input": 1}, "provider": "p" * 301}, "provider must be"),
        ({"model": "m", "prices": {}}, "give a price"),
        ({"model": "m", "prices": {f"input_{n}": 1 for n in range(65)}}, "at most 64"),
        ({"model": "m", "prices": {"tokens": 1}}, "'tokens' is no kind of usage"),
        ({"model": "m", "prices": {"Input": 1}}, "no kind"),
        ({"model": "m", "prices": {"total": 1}}, "no kind"),
        ({"model": "m", "prices": {"input_" + "x" * 60: 1}}, "no kind"),
        ({"model": "m", "prices": {"input": "free"}}, "must be a number of US dollars, not 'free'"),
        ({"model": "m", "prices": {"input": None}}, "must be a number"),
        ({"model": "m", "prices": {"input": True}}, "must be a number"),
        ({"model": "m", "prices": {"input": "NaN"}}, "must be a number"),
        ({"model": "m", "prices": {"input": "1e999999999"}}, "must be"),
        ({"model": "m", "prices": {"input": -1}}, "must be 0 to 1000000"),
        ({"model": "m", "prices": {"input": 1_000_001}}, "must be 0 to 1000000"),
        ({"model": "m", "prices": {"input": "0.0000000000001"}}, "at most 12 digits"),
        ({"model": "m", "prices": {"input": 1}, "start": -1}, "the start must be"),
        ({"model": "m", "prices": {"input": 1}, "start": 2**63}, "the start must be"),
        ({"model": "m", "prices": {}, "request": "much"}, "the price of request must be a number"),
    ],
)
def test_what_is_no_price_is_refused(written: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(**written)


def test_numbers_are_read_as_they_are_written() -> None:
    own = checked(
        " GPT-4o ", {"input": 0.1, "output": "2.50", "input_cache_read": Decimal("0.05")}, provider=" OpenAI "
    )
    assert own.prices == {"input": Decimal("0.1"), "output": Decimal("2.50"), "input_cache_read": Decimal("0.05")}
    assert (own.model, own.provider, own.start, own.request) == ("GPT-4o", "openai", None, None)
    free = checked("m", {"input": Decimal("0e999999"), "output": "-0"})
    assert [str(price) for price in free.prices.values()] == ["0", "0"]
