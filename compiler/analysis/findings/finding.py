"""What ``check`` reports: one finding, its severity, its place, its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from compiler.errors import InputError
from compiler.source import NOWHERE, Span

__all__ = ["Finding", "Related", "Severity", "exit_code", "render"]


class Severity(Enum):
    """How bad it is; the values are the levels of SARIF."""

    ERROR = "error"
    """The configuration cannot mean what it says."""
    WARNING = "warning"
    """It works, and most likely not as its author believes."""
    NOTE = "note"
    """Worth knowing."""


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that a finding speaks about."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that ``check`` found. ``rule`` is its stable identifier, in kebab case.

    ``message`` says what is there, why it matters and what to do.
    """

    rule: str
    severity: Severity
    message: str
    span: Span = NOWHERE
    related: tuple[Related, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Plain data; lines and columns count from 1, 0 where there is none."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "message": self.message,
            "file": self.span.source,
            "line": self.span.line,
            "column": self.span.column,
            "related": [
                {"file": one.span.source, "line": one.span.line, "column": one.span.column, "message": one.message}
                for one in self.related
            ],
        }


def exit_code(findings: Sequence[Finding]) -> int:
    """1 when a warning or worse is among them, else 0."""
    return int(any(finding.severity is not Severity.NOTE for finding in findings))


def render(finding: Finding, lines: Sequence[str] = ()) -> str:
    """``file:line:column: severity: message [rule]``, the source line with a caret, and the related places."""
    text = _line(finding.span, lines)
    message = f"{finding.severity.value}: {finding.message} [{finding.rule}]"
    parts = [InputError(message, finding.span, text).render()]
    parts += [f"    {one.span}: {one.message}" for one in finding.related]
    return "\n".join(parts)


def _line(span: Span, lines: Sequence[str]) -> str:
    return lines[span.line - 1] if 0 < span.line <= len(lines) else ""
