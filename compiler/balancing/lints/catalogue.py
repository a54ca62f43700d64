"""The lints: name, how bad each is at most, and why it is a mistake, with the source."""

from __future__ import annotations

from types import MappingProxyType

from compiler.analysis.findings.finding import Severity
from compiler.balancing.lints.lint import Edit, Lint
from compiler.source import Span

__all__ = ["CATALOGUE", "lint"]

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
_PAPER = "the published two-ISP script"

CATALOGUE: MappingProxyType[str, tuple[Severity, str]] = MappingProxyType(
    {
        "broken-line": (
            _ERROR,
            "A line end ends a command unless a backslash stands before it (MikroTik, Scripting).",
        ),
        "no-menu": (_ERROR, "add and set work on the menu that the path names (MikroTik, Console)."),
        "unreadable": (
            _ERROR,
            "The console stops an import at the first line that it cannot read (MikroTik, Scripting).",
        ),
        "unknown-property": (
            _ERROR,
            "The console refuses a property that the menu does not have, and the import ends there "
            f"(MikroTik, Console; {_PAPER} has ateway= and primary-dns=).",
        ),
        "unknown-value": (
            _ERROR,
            "The console refuses a value that a property does not have, and the import ends there (MikroTik, Console).",
        ),
        "old-words-on-v7": (
            _ERROR,
            "RouterOS 7 has other words for this (MikroTik, Moving from ROSv6 to v7 with examples).",
        ),
        "new-words-on-v6": (
            _ERROR,
            "RouterOS 6 does not know this word (MikroTik, Moving from ROSv6 to v7 with examples).",
        ),
        "gateway-is-own-address": (
            _ERROR,
            "A gateway is the neighbour's address; by its own a router reaches nobody, and the packets are lost "
            f"(MikroTik, IP Routing; {_PAPER} gives its own addresses as the modems').",
        ),
        "gateway-unreachable": (
            _ERROR,
            "A next hop must lie in a connected network, or be reached by another route within its target-scope "
            "(MikroTik, IP Routing).",
        ),
        "recursive-scope": (
            _ERROR,
            "A gateway is resolved through routes whose scope is at most the route's target-scope; and each probe must "
            "be reached by the line that it watches (MikroTik, IP Routing, nexthop lookup; Failover with "
            "recursive routes).",
        ),
        "interface-names-disagree": (
            _ERROR,
            "A rule for an interface that does not exist matches no packet "
            f"(MikroTik, Common Firewall Matchers; {_PAPER} has LAN and LOKAL, ISP1 and Speedy1).",
        ),
        "interface-list-empty": (
            _WARNING,
            "A rule for a list without members matches no packet (MikroTik, Interface Lists).",
        ),
        "mark-names-disagree": (
            _ERROR,
            "Marks and tables are names: they must be the same to the letter (MikroTik, Policy Routing).",
        ),
        "mark-without-table": (
            _ERROR,
            "A routing mark without a route of its own is looked up in main: the marking has no effect "
            "(MikroTik, Policy Routing).",
        ),
        "table-without-mark": (
            _WARNING,
            "A table that no mark and no rule names is never looked in (MikroTik, Policy Routing).",
        ),
        "mark-without-use": (_WARNING, "A connection mark alone sends no packet anywhere (MikroTik, Mangle)."),
        "first-packet-unrouted": (
            _ERROR,
            "A routing mark is of one packet, and the first one decides address translation: by the main table it "
            "gets another line's address than the later ones leave by (MikroTik, Mangle, passthrough).",
        ),
        "marked-too-late": (
            _ERROR,
            "The route is chosen between prerouting and forward: a mark given in forward is seen by the next packet "
            "only, when address translation is bound (MikroTik, Packet Flow in RouterOS).",
        ),
        "connection-remarked": (
            _ERROR,
            "Answers hash and count like any packet: without connection-mark=no-mark the rules for new connections "
            "take those that came in by a line too (MikroTik, Per connection classifier, example).",
        ),
        "table-by-another-line": (
            _ERROR,
            "A table is for one line, and the mark of what comes in by it: answers by another line have the wrong "
            "address (MikroTik, Policy Routing).",
        ),
        "source-of-another-line": (
            _ERROR,
            "A source address must belong to the line that a packet leaves by: answers come back to it, and providers "
            "drop others (RFC 2827; MikroTik, NAT, src-nat).",
        ),
        "forward-takes-inside": (
            _ERROR,
            "dstnat sees what clients send too: a forward without in-interface or dst-address takes their own "
            "connections to that port (MikroTik, NAT, dst-nat).",
        ),
        "bridge-port-in-rule": (
            _ERROR,
            "What comes in by a port of a bridge has, for IP, come in by the bridge: a rule for the port matches no "
            "packet (MikroTik, Bridging and Switching; Common Firewall Matchers).",
        ),
        "probes-by-one-line": (
            _WARNING,
            "Recursive defaults fail over only where their gateways are reached by different lines (MikroTik, IP "
            "Routing, Failover with recursive routes).",
        ),
        "marked-route-unchecked": (
            _WARNING,
            "Without check-gateway a route stays active while the link to the modem is up, so that marked "
            "connections are "
            f"lost when the provider is dead (MikroTik, IP Routing, check-gateway; {_PAPER} checks only the "
            "unmarked routes).",
        ),
        "check-ends-next-door": (
            _NOTE,
            "A ping of the modem tells nothing of the line behind it: a host in the Internet that is reached by "
            "that line alone does (MikroTik, IP Routing, recursive routes and check-gateway).",
        ),
        "no-failover": (
            _WARNING,
            "Of routes of one prefix the least distance that is active is used: a second default with a greater "
            "distance, "
            "and a check of the first, make the failover (MikroTik, IP Routing).",
        ),
        "nth-three-arguments": (
            _ERROR,
            "every,counter,packet is the form of RouterOS 2.9; since version 3 each rule counts for itself "
            "(MikroTik, manual of 2.9 and Common Firewall Matchers).",
        ),
        "nth-never-matches": (
            _ERROR,
            "nth=EVERY,PACKET counts PACKET from 1 to EVERY (MikroTik, Common Firewall Matchers).",
        ),
        "nth-knows-no-bandwidth": (
            _NOTE,
            "Nth counts new connections in turn and knows neither their size nor any bandwidth "
            f"(MikroTik, Common Firewall Matchers; the text of {_PAPER} claims otherwise).",
        ),
        "nth-uneven": (
            _WARNING,
            "A rule's counter goes on only with packets that match the rest of the rule: what an earlier rule "
            "took is not "
            "counted (MikroTik, Common Firewall Matchers, nth).",
        ),
        "nth-counts-retransmits": (
            _WARNING,
            "Nth counts packets in state new, not connections: a repeated SYN, or a second UDP packet before the "
            "answer, "
            "counts again and marks a connection anew whose address translation is already bound "
            "(MikroTik, Mangle and NAT).",
        ),
        "nth-contiguous-weights": (
            _WARNING,
            "Weights in one run each give one line several connections on end; spread, no line is more than about one "
            "connection off its share (Tijdeman, The chairman assignment problem, 1980).",
        ),
        "connection-not-kept": (
            _ERROR,
            "A routing mark is of one packet: without a connection mark the later packets of the connection take "
            "another "
            "way, with another source address (MikroTik, Mangle).",
        ),
        "pcc-unknown-fields": (
            _ERROR,
            "The classifier knows nine sets of fields and no other word (MikroTik, Per connection classifier).",
        ),
        "pcc-remainders-incomplete": (
            _WARNING,
            "The hash modulo the denominator takes each value from 0 to denominator-1: a value that no rule asks "
            "for leaves "
            "its connections unmarked (MikroTik, Per connection classifier).",
        ),
        "pcc-ports-without-ports": (
            _NOTE,
            "ICMP, GRE, ESP and others have no ports: by ports alone all of it hashes an empty key, to one line "
            "(Linux net/netfilter; MikroTik, Per connection classifier).",
        ),
        "local-traffic-marked": (
            _WARNING,
            "A routing mark sends packets to a table that knows only defaults. In RouterOS 7 it comes even before the "
            f"router's own addresses (MikroTik, Policy Routing; {_PAPER} excludes nothing).",
        ),
        "marking-without-lan-interface": (
            _ERROR,
            "Answers from the Internet belong to marked connections too: without an inside interface in the rule "
            "they are "
            "sent out again by the mark (MikroTik, Per connection classifier, example).",
        ),
        "uplink-connections-unmarked": (
            _WARNING,
            "A connection that comes in by one line must be answered by it; unmarked, its answers follow the "
            "main table, "
            "or the balancing, out by another line (MikroTik, Per connection classifier, example).",
        ),
        "uplink-connections-only-in-input": (
            _WARNING,
            "A port forward is forwarded, and never passes chain input: its connections stay unmarked, and "
            "answers leave by "
            "the wrong line (MikroTik, Packet Flow in RouterOS).",
        ),
        "answers-not-routed": (
            _WARNING,
            "The router's own answers pass chain output, where nothing sends them by the connection's mark "
            "(MikroTik, Per connection classifier, example).",
        ),
        "fasttrack-skips-marks": (
            _ERROR,
            "Packets of fasttracked connections meet neither mangle nor routing marks: they take the main "
            "table's way in the "
            "middle of the connection (MikroTik, FastTrack).",
        ),
        "masquerade-missing": (
            _WARNING,
            "Private addresses that leave untranslated get no answer (MikroTik, NAT; RFC 1918).",
        ),
        "marks-before-exceptions": (
            _WARNING,
            "Rules are looked at in order: what is marked already, an exception below does not save (MikroTik, "
            "Mangle).",
        ),
        "shadowed-marking": (
            _WARNING,
            "An earlier rule takes every packet of this one (MikroTik, Mangle, passthrough).",
        ),
        "client-outside-lan": (
            _WARNING,
            "A client lies in a network of an inside interface, or a route leads to it "
            f"(in the text of {_PAPER} the forum's client is 192.168.1.4, outside of 192.168.3.0/24).",
        ),
        "not-simulated": (
            _NOTE,
            "What cannot be read back is left out of the walk; the rules for the rest are judged without it.",
        ),
    }
)


def lint(
    name: str,
    span: Span,
    message: str,
    mended: tuple[Edit, ...] = (),
    *,
    hint: str = "",
    severity: Severity | None = None,
) -> Lint:
    """A lint of the catalogue; ``severity`` where it is less bad than at most (or a claim makes it worse)."""
    usual, why = CATALOGUE[name]
    return Lint(name, severity or usual, span, message, why, mended, hint)
