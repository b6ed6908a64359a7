from __future__ import annotations

from decimal import Decimal

import pytest

from genscope.web import format


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (None, "—"),
        (0, "0 ms"),
        (850, "0.85 µs"),
        (812_400_000, "812 ms"),
        (999_700_000, "1.00 s"),
        (1_240_000_000, "1.24 s"),
        (59_960_000_000, "60.0 s"),
        (125_000_000_000, "2 m 05 s"),
        (3_720_000_000_000, "1 h 02 m"),
        (180_000_000_000_000, "2 d 2 h"),
        (-5_000_000, "-5 ms"),
    ],
)
def test_durations(nanoseconds: int | None, text: str) -> None:
    assert format.duration(nanoseconds) == text


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (None, "—"),
        ("0", "$0"),
        ("1234.5", "$1,234.50"),
        ("0.5", "$0.50"),
        ("0.002", "$0.002"),
        ("0.00123456", "$0.00123"),
        ("0.0000000004", "$0.0000000004"),
        ("-0.25", "-$0.25"),
    ],
)
def test_money(dollars: str | None, text: str) -> None:
    assert format.money(None if dollars is None else Decimal(dollars)) == text


def test_money_is_exact_on_demand() -> None:
    assert format.exact_money(Decimal("0.0012345600")) == "$0.00123456"
    assert format.exact_money(Decimal("1E+2")) == "$100"
    assert format.rate(Decimal("0.001"), 800, 1_000_000) == "$1.25"
    assert format.rate(Decimal("0"), 800, 1_000_000) == "$0"


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "—"), (0, "0"), (9_999, "9,999"), (12_440, "12.4k"), (999_999, "1000k"), (3_100_000, "3.1M")],
)
def test_short_counts(number: int | None, text: str) -> None:
    assert format.short_count(number) == text


def test_times_are_utc_and_ages_short() -> None:
    time = 1_767_323_045_678_901_000
    assert format.utc(time) == "2026-01-02 03:04:05.678 UTC"
    assert format.iso(time) == "2026-01-02T03:04:05.678901Z"
    second = 1_000_000_000
    ages = {1: "now", 12: "12 s ago", 180: "3 min ago", 7_300: "2 h ago", 200_000: "2 d ago", 700_000: "2026-01-02"}
    assert {age: format.ago(time, time + age * second) for age in ages} == ages
    assert format.utc(10**30) == "—"


def test_hostile_text_is_seen_and_does_nothing() -> None:
    assert format.inert("a\x1b[31mb\x00\u202egnp\u202c\ud800\x9b") == "a␛[31mb␀[U+202E]gnp[U+202C]\ufffd\ufffd"
    assert format.inert("one\n\ttwo") == "one\n\ttwo"
    assert format.one_line("  a \n b\t" + "c" * 500, 10) == "a b ccccc…"
    assert format.prose("<b>&\u202e") == "&lt;b&gt;&amp;[U+202E]"


def test_endless_words_can_be_broken() -> None:
    html = str(format.prose("start " + "<" * 5000 + " end"))
    assert html.count("<wbr>") == 25
    assert html.replace("<wbr>", "") == "start " + "&lt;" * 5000 + " end"
