"""The pages: server-rendered HTML for people, over `store.reader`."""

from genscope.web.assets import Assets
from genscope.web.pages import error_page, router
from genscope.web.rejected import router as rejected

router.include_router(rejected)

__all__ = ["Assets", "error_page", "router"]
