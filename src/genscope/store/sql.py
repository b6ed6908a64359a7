"""The texts of the queries, `queries/*.sql`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from string import Template


@cache
def sql(name: str) -> Template:
    """Return the text of `queries/<name>.sql`, in which the parts that are no parameters are still to be put."""
    return Template(resources.files("genscope.store").joinpath("queries", f"{name}.sql").read_text())
