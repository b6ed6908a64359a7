"""Genscope: self-hosted observability for LLM applications. This is its SDK; `genscope serve` is its server.

>>> import genscope
>>> client = genscope.init()
>>> with client.start_as_current_generation(name="draft-reply", model="gpt-4o", input="Where is my order?") as gen:
...     _ = gen.update(output="On its way.", usage_details={"input": 12, "output": 5})
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from genscope.sdk.answers import Rows
    from genscope.sdk.asking import ReadError
    from genscope.sdk.client import Client, get_client, init
    from genscope.sdk.logger import Logger
    from genscope.sdk.observation import Observation
    from genscope.sdk.observe import observe
    from genscope.sdk.propagation import TraceContext, extract, inject, propagate

__all__ = [
    "Client",
    "Logger",
    "Observation",
    "ReadError",
    "Rows",
    "TraceContext",
    "extract",
    "get_client",
    "init",
    "inject",
    "observe",
    "propagate",
]

#: Where each name is; what is not used is not imported.
_HOMES = {
    "Client": "client",
    "Logger": "logger",
    "Observation": "observation",
    "ReadError": "asking",
    "Rows": "answers",
    "TraceContext": "propagation",
    "extract": "propagation",
    "get_client": "client",
    "init": "client",
    "inject": "propagation",
    "observe": "observe",
    "propagate": "propagation",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"genscope.sdk.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
