"""The results for machines: JUnit's XML for CI servers, SARIF for code forges."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from compiler.analysis.findings.finding import Finding, Related, Severity
from compiler.analysis.findings.sarif import sarif
from compiler.source import Span
from compiler.testing.properties.result import Result, Status

__all__ = ["as_junit", "as_sarif"]

_CATALOGUE = {
    "property-failed": (Severity.ERROR, "A property of the policy does not hold"),
    "property-broken": (Severity.ERROR, "A property could not be decided"),
}


def as_junit(results: Sequence[Result]) -> str:
    """One suite a file, one case a property; elements and attributes as pytest's ``--junitxml`` has them (xunit2)."""
    root = ElementTree.Element("testsuites")
    by_file: dict[str, list[Result]] = {}
    for one in results:
        by_file.setdefault(one.span.source, []).append(one)
    for file, several in by_file.items():
        counts = {status: str(sum(one.status is status for one in several)) for status in Status}
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=file,
            tests=str(len(several)),
            failures=counts[Status.FAILED],
            errors=counts[Status.BROKEN],
            skipped=counts[Status.SKIPPED],
            time=f"{sum(one.seconds for one in several):.3f}",
        )
        for one in several:
            _case(suite, one)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, one: Result) -> None:
    name = f"{_legal(one.name)} (line {one.span.line})"
    case = ElementTree.SubElement(suite, "testcase", classname=one.span.source, name=name, time=f"{one.seconds:.3f}")
    told = [("sureness", one.sureness), ("because", one.because)]
    if one.answer is not None and one.answer.witness is not None:
        told += [("packet", one.answer.witness.packet), ("repeat", one.answer.witness.command)]
    if any(value for _, value in told):
        properties = ElementTree.SubElement(case, "properties")
        for key, value in told:
            if value:
                ElementTree.SubElement(properties, "property", name=key, value=_legal(value))
    tag = {Status.FAILED: "failure", Status.BROKEN: "error", Status.SKIPPED: "skipped"}.get(one.status)
    if tag is not None:
        details = one.details()
        wrong = ElementTree.SubElement(case, tag, message=_legal(_short(one)))
        wrong.text = _legal("\n".join(details))


def _legal(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold (section 2.2)."""
    return "".join(
        one
        for one in text
        if one in "\t\n\r" or " " <= one <= "\ud7ff" or "\ue000" <= one <= "\ufffd" or one > "\uffff"
    )


def as_sarif(results: Sequence[Result]) -> dict[str, object]:
    """What failed, at the rules that decided; where none did, at the property itself."""
    findings = [finding for one in results for finding in _findings(one)]
    sources = dict.fromkeys(finding.span.source for finding in findings)
    return sarif(findings, list(sources), _CATALOGUE)


def _findings(one: Result) -> list[Finding]:
    if one.status not in (Status.FAILED, Status.BROKEN):
        return []
    rule = "property-failed" if one.status is Status.FAILED else "property-broken"
    message = f"{one.name}: {_short(one)}"
    asked = Related(one.span, one.name)
    witness = one.answer.witness if one.answer is not None else None
    if witness is None:
        return [Finding(rule, _CATALOGUE[rule][0], message, one.span)]
    message += f" ({witness.packet})" + (f". Repeat: {witness.command}" if witness.command else "")
    places = [decided.span for hop in witness.path for decided in hop.rules if decided.span.line]
    place, others = (places[-1], places[:-1]) if places else (one.span, [])
    related = (*(Related(_from_one(span), "decided before it") for span in others), asked)
    return [Finding(rule, _CATALOGUE[rule][0], message, _from_one(place), related)]


def _from_one(span: Span) -> Span:
    return span._replace(column=max(span.column, 1))


def _short(one: Result) -> str:
    """One line that says what is wrong."""
    if one.answer is not None and one.answer.said:
        return one.answer.said
    lines = one.error.strip().splitlines()
    fault = [line for line in lines if line.startswith("E ")]  # how pytest marks the point of a traceback
    return (fault or lines or [one.name])[0].removeprefix("E ").strip()
