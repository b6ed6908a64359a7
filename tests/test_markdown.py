"""Markdown that strangers wrote, as inert HTML."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genscope.web.markdown import MAX_LENGTH, rendered


def test_markdown_reads_as_it_was_meant() -> None:
    html = rendered("# Title\n\nSome *text*,\nin `code`.\n\n- one\n- two\n\n|a|b|\n|-|--:|\n|1|2|\n\n~~gone~~")
    for piece in (
        '<h5 class="h1">Title</h5>',
        "<em>text</em>,<br />",
        "<code>code</code>",
        "<li>one</li>",
        '<td class="right">2</td>',
        "<s>gone</s>",
    ):
        assert piece in html
    code = rendered("```python\nx < 1\n```")
    assert "<span>python</span>" in code
    assert "<code>x &lt; 1\n</code>" in code


@pytest.mark.parametrize(
    "link",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java\nscript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "[x](/api/v1/traces)",
        "[x](//evil.example)",
        "<javascript:alert(1)>",
        "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
    ],
)
def test_links_lead_to_web_and_mail_alone(link: str) -> None:
    assert "<a" not in rendered(link)


def test_links_tell_nothing_of_us_and_images_are_links() -> None:
    rel = 'target="_blank" rel="noopener noreferrer nofollow"'
    assert f'<a href="https://e.example/?a=1&amp;b=2" {rel}>x</a>' in rendered("[x](https://e.example/?a=1&b=2)")
    assert f'<a href="mailto:a@b.c" {rel}>' in rendered("<a@b.c>")
    assert f'<a href="https://e.example/i.png" {rel}>a cat</a>' in rendered("![a cat](https://e.example/i.png)")
    assert "<img" not in rendered("![a cat](https://e.example/i.png)")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a <b onclick=x>b</b>",
        "<!-- x --> <?php ?> <![CDATA[x]]>",
        '```"><script>\nx\n```',
        '[a](https://x.example/"onmouseover=alert(1))',
        '[a](https://x.example "title\\"><script>")',
        "`<script>`",
    ],
)
def test_html_is_text(text: str) -> None:
    html = re.sub(r' (class|href|title|target|rel|type|aria-label|tabindex)="[^"<>]*"', "", rendered(text))
    assert re.fullmatch(r"[^<>]*(</?(p|div|span|button|pre|code|a|br /|p)>[^<>]*)*", html), html


def test_terminal_and_direction_controls_are_seen() -> None:
    html = rendered("\x1b[31mred\u202egnp `\x1b[0m`\n\n```\x1b\n\u2066\n```")
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "\u2066" not in html
    assert "␛[31mred[U+202E]gnp" in html


@pytest.mark.parametrize(
    "bomb",
    [
        ">" * MAX_LENGTH,
        "".join(f"{'  ' * n}- a\n" for n in range(130)),
        "[" * MAX_LENGTH,
        "![" * (MAX_LENGTH // 2),
        "[a](" * (MAX_LENGTH // 4),
        "**a " * (MAX_LENGTH // 4),
        "*a_" * (MAX_LENGTH // 3),
        "`" * MAX_LENGTH,
        "|a" * (MAX_LENGTH // 2) + "\n",
        "|a|b|\n|-|-|\n" + "|x\n" * (MAX_LENGTH // 4),
        "<" * MAX_LENGTH,
        "&amp;" * (MAX_LENGTH // 5),
        "\\" * MAX_LENGTH,
    ],
)
def test_bombs_end_as_text(bomb: str) -> None:
    assert len(rendered(bomb)) < 40 * MAX_LENGTH


@pytest.mark.parametrize(
    "deep", ["> " * 200 + "secret", "".join(f"{'  ' * n}- a\n" for n in range(100)) + " " * 200 + "- secret"]
)
def test_what_nests_too_deep_is_shown_as_it_is(deep: str) -> None:
    html = rendered(deep)
    assert html.startswith('<div class="text">')
    assert "secret" in html


def test_what_is_long_is_shown_as_it_is() -> None:
    html = rendered("*a* " * MAX_LENGTH)
    assert html.startswith('<div class="text">*a* *a*')


def test_definitions_do_not_vanish() -> None:
    assert "https://e.example" in rendered("[hidden]: https://e.example 'words'")


@given(st.text(alphabet=st.sampled_from("ab [](){}<>!*_`~#|-:\\\n>&;\"'/=hxt1.\t\x1b\u202e"), max_size=200))
def test_nothing_gets_through_by_chance(text: str) -> None:
    html = rendered(text)
    assert not re.search(
        r"<(?!/?(p|h5|em|strong|s|code|pre|div|span|button|a|ul|ol|li|blockquote|br|hr|table|thead|tbody|tr|th|td|wbr)\b)",
        html,
    )
    assert not re.search(r"\s(on\w+|style|src|srcset|id)=(?=[^<]*>)", re.sub(r'"[^"]*"', '""', html))
    assert "\x1b" not in html
    assert "\u202e" not in html
