"""Reads with whatever client of Langfuse is installed. Takes a JSON list of calls, `[name, arguments, keywords, follow]`.

Prints what each answered, with the names of the wire, or the class and status of its error. To follow a call is to ask for one
page after the other, by cursor or by number until one is empty; its answer is all of them.
"""

import json
import sys
from datetime import datetime

import langfuse

client = langfuse.Langfuse()


def plain(value):
    if isinstance(value, list):
        return [plain(item) for item in value]
    if hasattr(value, "json"):
        return json.loads(value.json())
    if hasattr(value, "__dict__") and "data" in vars(value):
        return {name: plain(item) for name, item in vars(value).items()}
    return value if isinstance(value, (str, int, float, dict, type(None))) else str(value)


def ask(name, arguments, keywords, follow):
    found = client
    for part in name.split("."):
        found = getattr(found, part)
    times = {name: datetime.fromisoformat(text) for name, text in keywords.items() if name.startswith(("from_", "to_"))}
    try:
        pages = [plain(found(*arguments, **keywords | times))]
        while follow and (more := following(pages)):
            pages.append(plain(found(**keywords | times | more)))
        return pages if follow else pages[0]
    except Exception as error:
        return {"error": type(error).__name__, "status": getattr(error, "status_code", None), "message": str(error)}


def following(pages):
    meta = pages[-1]["meta"]
    if "totalPages" not in meta:
        return {"cursor": meta["cursor"]} if meta.get("cursor") else None
    return {"page": len(pages) + 1} if pages[-1]["data"] else None


print(json.dumps({"answers": [ask(*call) for call in json.loads(sys.argv[1])]}))
