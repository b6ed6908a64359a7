"""The pages: server-rendered HTML for people, over `store.reader`."""

from starlette.responses import RedirectResponse

from genscope.web.assets import Assets
from genscope.web.frame import error_page, page_router
from genscope.web.pages import (
    access,
    compare,
    deletes,
    docs,
    errors,
    export,
    feedback,
    health,
    keys,
    lists,
    live,
    members,
    models,
    openid,
    overview,
    peek,
    prices,
    redaction,
    rejected,
    retention,
    scores,
    search,
    sessions,
    settings,
    sql,
    trace,
    users,
    views,
    whatif,
)

router = page_router()
for part in (
    access,
    compare,
    deletes,
    docs,
    export,
    health,
    errors,
    feedback,
    keys,
    lists,
    models,
    live,
    members,
    openid,
    overview,
    peek,
    prices,
    redaction,
    rejected,
    retention,
    search,
    scores,
    sessions,
    settings,
    sql,
    trace,
    users,
    views,
    whatif,
):
    router.include_router(part.router)


@router.get("/")
def home() -> RedirectResponse:
    """Lead to the page that one begins at."""
    return RedirectResponse("/overview", 303)


__all__ = ["Assets", "error_page", "router"]
