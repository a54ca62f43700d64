"""Findings in few words."""

from __future__ import annotations

from typing import Any

from appliance.contract.components import Finding, Severity

__all__ = ["error", "warning"]


def error(component: str, template: str, /, place: str = "", **values: Any) -> Finding:
    """What stops a commit. ``template`` is English with ``{names}``."""
    return Finding(component=component, severity=Severity.ERROR, template=template, values=values, place=place)


def warning(component: str, template: str, /, place: str = "", **values: Any) -> Finding:
    """What the administrator should know."""
    return Finding(component=component, severity=Severity.WARNING, template=template, values=values, place=place)
