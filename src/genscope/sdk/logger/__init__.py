"""The Logger idiom: objects that are told what happened, one call after another, from anywhere. See docs/logger.md."""

from genscope.sdk.logger.calls import Generation, Retrieval, ToolCall
from genscope.sdk.logger.containers import Span, Trace
from genscope.sdk.logger.logger import Logger
from genscope.sdk.logger.session import Session

__all__ = ["Generation", "Logger", "Retrieval", "Session", "Span", "ToolCall", "Trace"]
