"""Pictures of the pages, taken from a real server with the demo's week: `make screenshots`.

Without arguments the pictures of README.md and docs/ are taken anew. With `--all DIRECTORY` every page is taken there in three
sizes, light and dark, to be looked at.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx
from playwright.sync_api import Page, sync_playwright

from genscope import demo
from tests.browser import PATIENCE, PHONE, launch
from tests.running import Server

IMAGES: Final = Path(__file__).parent.parent / "docs" / "images"
SIZES: Final[dict[str, Any]] = {
    "wide": {"width": 1440, "height": 900},
    "tablet": {"width": 834, "height": 1112},
    "phone": PHONE,
}
#: Pages by the name of their picture. What stands in braces is looked up in the demo's data.
PAGES: Final = {
    "overview": "/overview?from=7d",
    "generations": "/generations?from=7d",
    "generations-search": "/generations?from=7d&q=parcel+-level%3AERROR",
    "generations-peek": "/generations?from=7d&peek={trace_id}/{span_id}",
    "traces": "/traces?from=7d",
    "spans": "/spans?from=7d&q=type%3Atool",
    "trace": "/traces/{trace_id}?span={span_id}",
    "trace-timeline": "/traces/{trace_id}?view=timeline",
    "trace-conversation": "/traces/{trace_id}?view=conversation",
    "sessions": "/sessions",
    "session": "/sessions/{session_id}",
    "users": "/users",
    "user": "/users/{user_id}",
    "models": "/models",
    "models-compare": "/models?compare=openai/gpt-4o&compare=anthropic/claude-sonnet-4-5-20250929",
    "what-if": "/models/what-if?target=gpt-4o-mini",
    "prices": "/prices",
    "errors": "/errors?from=7d",
    "error": "/errors/{fingerprint}",
    "compare": "/compare?left={trace_id}/{span_id}&right={other_trace_id}/{other_span_id}",
    "scores": "/scores",
    "sql": "/sql?query=SELECT+model%2C+count()+AS+calls+FROM+generations+GROUP+BY+model+ORDER+BY+calls+DESC",
    "settings": "/settings",
    "settings-keys": "/settings/keys",
    "settings-members": "/settings/members",
    "settings-retention": "/settings/retention",
    "settings-redaction": "/settings/redaction",
    "settings-health": "/settings/health",
    "rejected": "/rejected",
    "api": "/api/docs",
}
#: The size of a picture that a document shows.
SHOWN_SIZE: Final[Any] = {"width": 1440, "height": 700}
#: Those that documents show.
SHOWN: Final = ("overview", "generations", "trace", "session", "models", "errors", "compare", "sql")


def examples(server: Server) -> dict[str, str]:
    """Return ids of the demo's data that pages are shown with: two drafts of answers, and a failure."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client:
        drafts = client.get("/api/v1/generations", params={"q": "name:draft-reply -level:ERROR", "limit": 50}).json()[
            "data"
        ]
        first = next(span for span in drafts if "track_parcel" in span["tools"])
        other = next(span for span in drafts if span["model"] != first["model"])
        failures = client.get("/api/v1/errors", params={"from": "30d"}).json()["data"]
    return {
        **{name: str(first[name]) for name in ("trace_id", "span_id", "session_id", "user_id")},
        "other_trace_id": other["trace_id"],
        "other_span_id": other["span_id"],
        "fingerprint": failures[0]["fingerprint"] if failures else "",
    }


def take(page: Page, address: str, file: Path) -> None:
    """Take one picture once the page has loaded what it loads by itself."""
    answer = page.goto(address)
    page.wait_for_load_state("networkidle")
    status = answer.status if answer else 0
    print(f"{status} {file}")
    page.screenshot(path=file)


def main() -> None:
    """Fill a server and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--all", type=Path, metavar="DIRECTORY", help="every page in every size, light and dark")
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="only pages whose name this regular expression finds"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genscope-pictures-") as directory, sync_playwright() as playwright:
        server = Server(Path(directory), anonymous=True).start()
        browser = launch(playwright)
        try:
            demo.run(server.url, once=True)
            found = examples(server)
            names = [name for name in (PAGES if options.all else SHOWN) if re.search(options.only, name)]
            sizes = SIZES if options.all else {"": SHOWN_SIZE}
            for size, viewport in sizes.items():
                for scheme in ("light", "dark") if options.all else ("light",):
                    context = browser.new_context(
                        viewport=viewport, color_scheme=scheme, reduced_motion="reduce", device_scale_factor=1
                    )
                    context.set_default_timeout(PATIENCE)
                    page = context.new_page()
                    for name in names:
                        file = f"{name}-{size}-{scheme}.png" if options.all else f"{name}.png"
                        take(page, server.url + PAGES[name].format(**found), (options.all or IMAGES) / file)
                    context.close()
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
