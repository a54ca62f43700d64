"""The frame of a whole file, by Jinja2; what is inside the frame is written by the dialects."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from compiler.data import data

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["render"]


def render(name: str, **values: object) -> str:
    """``templates/<name>`` with these values; a name that the template lacks is an error."""
    return _template(name).render(values)


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, StrictUndefined  # 60 ms: only where a file is written

    # Configurations are no HTML: nothing is escaped here, each dialect quotes its own words.
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(data(f"templates/{name}").read_text(encoding="utf-8"))
