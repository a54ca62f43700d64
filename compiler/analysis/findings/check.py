"""``gerbang check``: everything that can be said against a configuration that reads well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from compiler.analysis.findings.finding import Finding, Related, Severity, exit_code, render
from compiler.policy.access_list import Device
from compiler.policy.ruleset import Ruleset

__all__ = ["Finding", "Related", "Severity", "check", "exit_code", "render"]


def check(tree: Device | Ruleset, *, now: datetime | None = None) -> tuple[Finding, ...]:
    """All findings, in the order of the lines. ``now`` judges time ranges; the clock's by default."""
    found = _of_device(tree, now or datetime.now()) if isinstance(tree, Device) else _of_ruleset(tree)
    return tuple(sorted(found, key=lambda one: (one.span.line, one.span.column, one.rule)))


def _of_device(device: Device, now: datetime) -> Iterator[Finding]:
    from compiler.analysis.findings.lints.entries import entry_findings
    from compiler.analysis.findings.lints.interface_text import interface_findings
    from compiler.analysis.findings.lints.list_uses import group_findings, list_findings, time_range_findings
    from compiler.analysis.findings.lints.shadowing import shadow_findings
    from compiler.analysis.findings.lints.wildcards import wildcard_findings

    yield from list_findings(device)
    yield from group_findings(device)
    yield from time_range_findings(device, now)
    yield from entry_findings(device)
    yield from wildcard_findings(device)
    yield from interface_findings(device)
    yield from shadow_findings(device)


def _of_ruleset(ruleset: Ruleset) -> Iterator[Finding]:
    from compiler.analysis.findings.lints.chains import chain_findings
    from compiler.analysis.findings.lints.shadowing import shadow_findings

    yield from chain_findings(ruleset)
    yield from shadow_findings(ruleset)
