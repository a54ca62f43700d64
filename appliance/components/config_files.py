"""Configuration files: Jinja2 templates by name, with the values of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.components.agreements import Declared
from appliance.components.finding import error
from appliance.contract.components import Component, Finding, Machine, RenderedFile
from appliance.language import _

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["ConfigFile", "ConfigFiles", "render_files", "template_findings"]

_PACKAGE = Path(__file__).parents[1]
_ROOTS = (_PACKAGE / "_data" / "templates", _PACKAGE.parent / "templates")
"""In the wheel, or beside the package in a checkout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """One file from one template."""

    template: str
    """Below ``templates/``: ``mail/postfix-3.7/main.cf.j2``; or the path of a file, when it is absolute."""
    path: str
    """In the component's folder: ``main.cf``."""
    mode: int = 0o640
    secret: bool = False
    """A difference says only that it changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFiles:
    """Files that no program of ours reads directly: an include, a table, a page. They act by being there.

    ``values`` are plain values (what JSON can hold), tuples rather than sets, so
    that the same wish renders the same bytes in every process.
    """

    name: str
    files: tuple[ConfigFile, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    provides: tuple[Declared, ...] = ()

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """Whether the templates are there."""
        return template_findings(self.name, self.files)

    def render(self) -> Sequence[RenderedFile]:
        """Raises jinja2's error when a template wants a value that is not given."""
        return render_files(self.files, self.values)

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """Nobody of ours can judge them."""
        return ()

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        """They are there by the switch."""

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """Whether they are there."""
        return tuple(
            error(self.name, _("{path} is not there"), path=file.path)
            for file in self.files
            if not (files / file.path).is_file()
        )


def render_files(files: Sequence[ConfigFile], values: Mapping[str, Any]) -> tuple[RenderedFile, ...]:
    """The files, UTF-8. A name that a template uses and the values lack is an error, never an empty word."""
    return tuple(
        RenderedFile(
            path=file.path,
            content=_environment().get_template(file.template).render(values).encode(),
            mode=file.mode,
            secret=file.secret,
        )
        for file in files
    )


def template_findings(component: str, files: Sequence[ConfigFile]) -> tuple[Finding, ...]:
    """A finding for each template that is missing or no Jinja2, with its line."""
    from jinja2 import TemplateNotFound, TemplateSyntaxError

    found = []
    for file in files:
        try:
            _environment().get_template(file.template)
        except TemplateNotFound:
            found.append(error(component, _("there is no template {template}"), template=file.template))
        except TemplateSyntaxError as fault:
            place = f"{file.template}:{fault.lineno}"
            found.append(error(component, "{error}", place, error=fault.message or "no template"))
    return tuple(found)


@cache
def _environment() -> Environment:
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, FunctionLoader, StrictUndefined

    # Configurations are no HTML: nothing is escaped, each template quotes for its own daemon.
    return Environment(
        loader=ChoiceLoader([FunctionLoader(_absolute), FileSystemLoader(_ROOTS)]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )


def _absolute(template: str) -> str | None:
    """A service that is installed elsewhere names its templates by their full path."""
    path = Path(template)
    return path.read_text(encoding="utf-8") if path.is_absolute() and path.is_file() else None
