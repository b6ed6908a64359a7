"""Documents lead to what there is: every relative link and picture, and the heading that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")


def without_code(text: str) -> str:
    """Return a document without its blocks of code and spans of it."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def headings(path: Path) -> set[str]:
    """Return the names by which the headings of a document are linked, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target, heading in LINK.findall(without_code(document.read_text())):
        path = (document.parent / target).resolve() if target else document
        assert path.exists(), f"{document.name} leads to {target}, which is not there"
        if heading and path.suffix == ".md":
            assert heading in headings(path), f"{document.name} leads to {target}#{heading}, which is not there"


def test_pictures_are_shown() -> None:
    shown = {Path(target).name for one in DOCUMENTS for target, _ in LINK.findall(one.read_text())}
    assert {picture.name for picture in (ROOT / "docs" / "images").iterdir()} <= shown
