"""Routes that Langfuse's clients read from. Shapes as the clients of Python 2 to 5 and TypeScript 5 check them.

What is written by Langfuse's protocols is in `receive.langfuse`; where an answer differs from Langfuse's, docs/langfuse.md says so.
"""

from __future__ import annotations

from fastapi import APIRouter

from genscope.api.langfuse import empty, metrics, observations, projects, scores, sessions, traces

router = APIRouter(prefix="/api/public", tags=["langfuse"])
for part in (projects, traces, observations, sessions, scores, metrics, empty):
    router.include_router(part.router)
