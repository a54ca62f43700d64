"""The rules of ``check``: their names, how bad each is, and what each is about."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from compiler.analysis.findings.finding import Finding, Related, Severity
from compiler.source import NOWHERE, Span

__all__ = ["RULES", "finding"]

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

RULES: MappingProxyType[str, tuple[Severity, str]] = MappingProxyType(
    {
        "shadowed-by-one": (_WARNING, "An earlier line takes every packet of this one."),
        "shadowed-by-union": (_WARNING, "Several earlier lines together take every packet of this one."),
        "redundant": (_NOTE, "Without this line, and the other lines reported so, every packet fares the same."),
        "matches-nothing": (_WARNING, "No packet can match this line."),
        "permit-all-before-denies": (_WARNING, "A line that permits everything stands before others."),
        "no-permit": (_WARNING, "A list without a permit denies everything."),
        "never-bound": (_WARNING, "A list that nothing uses."),
        "undefined-list": (_WARNING, "A list is used that does not exist: on IOS everything is permitted."),
        "empty-list": (_WARNING, "A list without entries permits everything."),
        "undefined-group": (_ERROR, "An object group is used that does not exist."),
        "unused-group": (_WARNING, "An object group that nothing uses."),
        "undefined-time-range": (_WARNING, "A time range is used that does not exist: the entry is always active."),
        "unused-time-range": (_NOTE, "A time range that nothing uses."),
        "time-range-never-active": (_WARNING, "A time range that holds no minute."),
        "time-range-expired": (_WARNING, "A time range that lies in the past."),
        "ftp-control-only": (_WARNING, "Port 21 is the control channel of FTP; the data uses others."),
        "fragments-pass": (_NOTE, "Permits that look at layer 4 also pass non-initial fragments."),
        "established-is-stateless": (_NOTE, "``established`` looks at flag bits, not at connections."),
        "deny-kills-nd": (_WARNING, "An explicit deny stops IPv6 neighbour discovery."),
        "wildcard-looks-like-netmask": (_WARNING, "A netmask stands where a wildcard belongs."),
        "base-bits-ignored": (_WARNING, "The address has bits that the wildcard ignores: the router clears them."),
        "discontiguous-wildcard": (_NOTE, "A wildcard that is not a prefix."),
        "host-zero-trap": (_WARNING, "0.0.0.0 without a wildcard is one host, not any."),
        "host-mask-on-link": (_WARNING, "An interface has a /32: no neighbour is on a connected network."),
        "unmodelled": (_WARNING, "A clause outside the model: what is said about the line is a bound."),
        "unreachable-chain": (_WARNING, "No rule leads to this chain."),
        "missing-chain": (_ERROR, "A jump leads to a chain that does not exist."),
        "payload-read-as-ports": (_WARNING, "Later fragments reach a rule of nft that looks at layer 4."),
        "lets-everything-pass": (_NOTE, "A base chain that never drops a packet."),
        "disabled-rule": (_NOTE, "Rules that stand in the text and do nothing."),
        "not-analysed": (_NOTE, "An analysis was not possible here."),
    }
)
"""Identifier -> severity and one sentence."""


def finding(rule: str, message: str, span: Span = NOWHERE, related: Iterable[Related] = ()) -> Finding:
    """A finding of a rule of the catalogue, with the rule's severity."""
    return Finding(rule, RULES[rule][0], message, span, tuple(related))
