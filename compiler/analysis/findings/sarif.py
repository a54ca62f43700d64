"""Findings as SARIF 2.1.0 (OASIS), the format that code forges show beside the lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from compiler.analysis.findings.finding import Finding, Severity
from compiler.analysis.findings.lints.catalogue import RULES
from compiler.source import Span

__all__ = ["sarif"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(
    findings: Sequence[Finding], source: str | Sequence[str], catalogue: Mapping[str, tuple[Severity, str]] = RULES
) -> dict[str, object]:
    """One run over ``source`` (files); columns count code points from 1, and the end column is after the last."""
    identifiers = list(catalogue)
    sources = [source] if isinstance(source, str) else source
    rules = [
        {
            "id": identifier,
            "shortDescription": {"text": sentence.replace("``", "'")},
            "defaultConfiguration": {"level": severity.value},
        }
        for identifier, (severity, sentence) in catalogue.items()
    ]
    results = [_result(finding, identifiers.index(finding.rule)) for finding in findings]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "gerbang", "rules": rules}},
                "artifacts": [{"location": {"uri": _uri(one)}} for one in sources],
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _result(finding: Finding, index: int) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": finding.message},
        "locations": [_location(finding.span)] if finding.span.source else [],
    }
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, **_location(one.span), "message": {"text": one.message}}
            for number, one in enumerate(finding.related, 1)
            if one.span.source
        ]
    return result


def _location(span: Span) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": {"uri": _uri(span.source)}}
    if span.line > 0:
        region = {"startLine": span.line, "startColumn": max(span.column, 1)}
        if span.end > span.column:
            region["endColumn"] = span.end
        physical["region"] = region
    return {"physicalLocation": physical}


def _uri(source: str) -> str:
    """A path as a URI reference (RFC 3986)."""
    return quote(source.replace("\\", "/"))
