"""Entries that do not do what their author most likely believes."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.analysis.findings.finding import Finding, Related
from compiler.analysis.findings.lints.catalogue import finding
from compiler.analysis.findings.lints.quoting import place
from compiler.analysis.shadowing.covering import contains
from compiler.fields import TCP, Family, flags_any
from compiler.policy.access_list import AccessList, Action, Device, Entry
from compiler.policy.match import ANY, Match, intersect
from compiler.semantics.router import NEIGHBOUR_DISCOVERY

__all__ = ["entry_findings"]

_FTP, _FTP_DATA = 21, 20
_ESTABLISHED = flags_any(0x14)
_SHOWN = 5


def entry_findings(device: Device) -> Iterator[Finding]:
    """FTP control alone, permits of everything, fragments, ``established``, neighbour discovery."""
    for access_list in device.lists:
        entries = access_list.entries
        yield from _unmodelled(entries)
        yield from _permit_all(device, access_list)
        yield from _ftp_control_only(access_list)
        yield from _fragments_pass(access_list)
        yield from _established(access_list)
        if access_list.family is Family.IPV6:
            yield from _deny_kills_nd(access_list)


def _unmodelled(entries: tuple[Entry, ...]) -> Iterator[Finding]:
    for entry in entries:
        for clause in entry.unmodelled:
            yield finding(
                "unmodelled",
                f"'{clause.text}' is outside the model: the entry is taken as a bound, and covers no other",
                clause.span,
            )


def _is_everything(entry: Entry) -> bool:
    return not (entry.fragments or entry.layer4_named or entry.time_range or entry.unmodelled) and any(
        match._replace(family=None) == ANY for match in entry.matches
    )


def _permit_all(device: Device, access_list: AccessList) -> Iterator[Finding]:
    entries = access_list.entries
    for position, entry in enumerate(entries):
        if entry.action is Action.PERMIT and _is_everything(entry):
            later = entries[position + 1 :]
            denies = [one for one in later if one.action is Action.DENY]
            if denies:
                yield finding(
                    "permit-all-before-denies",
                    f"this entry permits everything, so the {len(later)} after it never match; "
                    f"{len(denies)} of them deny; move it to the end of list {access_list.name}",
                    entry.span,
                    [Related(one.span, f"never reached: {place(device.lines, one.span)}") for one in denies[:_SHOWN]],
                )
            return


def _ftp_control_only(access_list: AccessList) -> Iterator[Finding]:
    for action in Action:
        entries = [entry for entry in access_list.entries if entry.action is action]
        control = [entry for entry in entries if any(_is_ftp_control(match) for match in entry.matches)]
        if not control or any(_looks_at_ftp_data(match) for entry in entries for match in entry.matches):
            continue
        verb = "permitted" if action.permits else "denied"
        more = f"; so with {len(control) - 1} more of the list" if len(control) > 1 else ""
        yield finding(
            "ftp-control-only",
            f"port 21 is the control channel of FTP only: its data connections are not {verb} by this entry "
            f"(active mode: from port 20 of the server; passive mode: to a high port of the server){more}",
            control[0].span,
            [Related(entry.span, "here too") for entry in control[1:_SHOWN]],
        )


def _is_ftp_control(match: Match) -> bool:
    port, protocol = match.destination_port, match.protocol
    return port is not None and port.single() == _FTP and protocol is not None and protocol.contains(TCP)


def _looks_at_ftp_data(match: Match) -> bool:
    """Whether port 20 is meant: a set of most ports does not mean it."""
    sets = (match.source_port, match.destination_port)
    return any(one is not None and one.contains(_FTP_DATA) and one.size() < 1024 for one in sets)


def _fragments_pass(access_list: AccessList) -> Iterator[Finding]:
    passing = [
        entry
        for entry in access_list.entries
        if entry.action.permits
        and not entry.fragments
        and (entry.layer4_named or any(match.looks_at_layer4 for match in entry.matches))
    ]
    if not passing:
        return
    first = access_list.entries.index(passing[0])
    if any(entry.action is Action.DENY and entry.fragments for entry in access_list.entries[:first]):
        return
    everything = "ip" if access_list.family is Family.IPV4 else "ipv6"
    yield finding(
        "fragments-pass",
        f"{len(passing)} permit(s) of list {access_list.name} look at layer 4, this one first: each also permits "
        "every non-initial fragment of its addresses and protocol, whatever the ports or types; "
        f"'deny {everything} any any fragments' before it stops them",
        passing[0].span,
    )


def _established(access_list: AccessList) -> Iterator[Finding]:
    for entry in access_list.entries:
        if any(match.tcp_flags == _ESTABLISHED for match in entry.matches):
            yield finding(
                "established-is-stateless",
                "'established' matches any TCP packet with ACK or RST set, whether or not there is a connection",
                entry.span,
            )
            return


def _deny_kills_nd(access_list: AccessList) -> Iterator[Finding]:
    seen: list[Entry] = []
    for entry in access_list.entries:
        stopped = [nd for nd in NEIGHBOUR_DISCOVERY if any(contains(match, nd) for match in entry.matches)]
        if entry.action is Action.DENY and stopped and not entry.fragments:
            permitted = any(
                earlier.action.permits and intersect(match, nd) is not None
                for earlier in seen
                for match in earlier.matches
                for nd in stopped
            )
            if not permitted:
                yield finding(
                    "deny-kills-nd",
                    "this explicit deny stands before the implicit 'permit icmp any any nd-na' and 'nd-ns': "
                    "neighbour discovery stops, and with it all IPv6 on the link; permit both before it",
                    entry.span,
                )
            return
        seen.append(entry)
