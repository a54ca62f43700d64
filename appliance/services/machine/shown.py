"""Plans, outcomes and diagnoses on a screen, in the words of the command line and the colours of the theme."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import TypeAdapter
from textual.content import Content

from appliance.commit.printing import print_diagnosis, print_outcome, print_plan_from_the_top
from appliance.commit.results import CommitStatus, Diagnosis, Outcome, Plan
from appliance.console.plain import plain_text
from appliance.contract.components import Finding, Severity
from appliance.language import Translate

__all__ = ["diagnosis_shown", "outcome_shown", "plan_of", "plan_shown", "status_of"]

Read = TypeVar("Read", Outcome, Diagnosis)
_COLOURS = {"31": "$text-error", "32": "$text-success", "33": "$text-warning", "1": "bold"}
_PAINTED = re.compile("\x1b\\[([0-9]+)m")
"""What the printing puts before and after painted words; user text has no such characters there."""


def plan_of(answer: Any) -> Plan:
    """The daemon's answer, the findings that stop it first."""
    plan = TypeAdapter(Plan).validate_json(json.dumps(answer))
    return replace(plan, findings=_worst_first(plan.findings))


def status_of(answer: Any) -> CommitStatus:
    """The daemon's answer."""
    return TypeAdapter(CommitStatus).validate_json(json.dumps(answer))


def plan_shown(plan: Plan, translate: Translate) -> Content:
    """Findings, who would act, differences."""
    return _content(print_plan_from_the_top(plan, colour=True, translate=translate))


def outcome_shown(answer: Any, translate: Translate) -> Content:
    """How it ended, and why."""
    return _content(_printed(Outcome, print_outcome, answer, translate))


def diagnosis_shown(answer: Any, translate: Translate) -> Content:
    """Status, programs, findings, disk."""
    return _content(_printed(Diagnosis, print_diagnosis, answer, translate))


def _printed(kind: type[Read], printing: Callable[..., str], answer: Any, translate: Translate) -> str:
    found = TypeAdapter(kind).validate_json(json.dumps(answer))
    return printing(replace(found, findings=_worst_first(found.findings)), colour=True, translate=translate)


def _worst_first(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: one.severity is not Severity.ERROR))


def _content(text: str) -> Content:
    return Content("\n").join([_line(line) for line in text.rstrip("\n").split("\n")])


def _line(text: str) -> Content:
    parts: list[Content | str | tuple[str, str]] = []
    style = ""
    # Words and codes alternate.
    for number, piece in enumerate(_PAINTED.split(text)):
        if number % 2:
            style = _COLOURS.get(piece, "")
        elif piece:
            parts.append((plain_text(piece), style) if style else plain_text(piece))
    return Content.assemble(*parts)
