"""What pages learn while they are looked at: server-sent events that name the traces which have new rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from genscope.live import News
from genscope.services import services
from genscope.web.frame import Viewer, page_router

router = page_router()

#: Seconds after which a browser has to ask again, and so whether it still may.
TURN: Final = 300


@router.get("/live")
async def live(request: Request, project: Viewer) -> Response:
    """Tell of every batch that is stored, within a quarter of a second, as `{"traces": [...]}`; without traces there are many."""
    news = services(request).news
    if news.full:
        return PlainTextResponse("Too many are watching already; look again later.", 503, {"Retry-After": "60"})
    # A proxy that gathers an answer before it passes it on would keep the news.
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(_events(news, project.id), headers=headers, media_type="text/event-stream")


async def _events(news: News, project_id: str) -> AsyncIterator[bytes]:
    async for traces in news.listen(project_id, TURN):
        yield b": still here\n\n" if traces is None else b"data: " + orjson.dumps({"traces": traces}) + b"\n\n"
