"""Lints as SARIF 2.1.0, with their mended lines as fixes that an editor can apply."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from compiler.analysis.findings.finding import Finding
from compiler.analysis.findings.sarif import sarif
from compiler.balancing.lints.catalogue import CATALOGUE
from compiler.balancing.lints.lint import Edit, Lint

__all__ = ["lints_as_sarif"]


def lints_as_sarif(lints: Sequence[Lint], source: str) -> dict[str, object]:
    """One run over ``source``. Offsets count characters from 0."""
    findings = [Finding(one.name, one.severity, f"{one.message}. {one.why}", one.span) for one in lints]
    document = sarif(findings, source, CATALOGUE)
    runs = document["runs"]
    assert isinstance(runs, list)  # sarif() made it
    for result, one in zip(runs[0]["results"], lints, strict=True):
        if one.mended:
            result["fixes"] = [_fix(one, source)]
    return document


def _fix(one: Lint, source: str) -> dict[str, object]:
    changes = {
        "artifactLocation": {"uri": quote(source.replace("\\", "/"))},
        "replacements": [_replacement(edit) for edit in one.mended],
    }
    return {"description": {"text": f"mend {one.name}"}, "artifactChanges": [changes]}


def _replacement(edit: Edit) -> dict[str, object]:
    region = {"charOffset": edit.start, "charLength": edit.end - edit.start}
    return {"deletedRegion": region, "insertedContent": {"text": edit.text}}
