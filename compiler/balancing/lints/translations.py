"""Translations as they are walked: sources that belong to another line, forwards that take what is not theirs."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.addresses import format_address
from compiler.balancing.lints.behaviour import PRIVATE
from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.lint import Edit, Lint
from compiler.balancing.lints.roles import Uplink, network_of
from compiler.balancing.lints.rows import Row
from compiler.balancing.lints.subject import Subject
from compiler.balancing.lints.values import list_members
from compiler.balancing.walking import Passage
from compiler.policy.ruleset import Hook
from compiler.policy.stateful import State, Translation

__all__ = ["check_translations"]

_OWN = ("in-interface", "in-interface-list", "dst-address", "dst-address-list", "dst-address-type")
_OWN_SOURCES = ("src-address", "src-address-list", "src-mac-address")


def check_translations(subject: Subject) -> Iterator[Lint]:
    """Walk new connections from inside through both chains of NAT; a row is spoken of once."""
    told: set[int] = set()
    for row, one in (*_forwards(subject), *_sources(subject)):
        if id(row) not in told:
            told.add(id(row))
            yield one


def _forwards(subject: Subject) -> Iterator[tuple[Row, Lint]]:
    behaviour = subject.behaviour
    for name in subject.roles.inside_names:
        start = Passage(name, "", State.NEW, "", "")
        for row, done in behaviour.translations(Hook.PREROUTING, behaviour.outside(), start):
            if done.kind is not Translation.DESTINATION or any(row[one] for one in (*_OWN, *_OWN_SOURCES)):
                continue
            what = row["dst-port"] or "anything"
            message = (
                f"this forward says nowhere that it is for what comes from outside: what {name} sends to port {what} "
                f"anywhere in the Internet goes to {row['to-addresses']} too"
            )
            yield row, lint("forward-takes-inside", subject.place(row), message, (_from_outside(subject, row),))


def _from_outside(subject: Subject, row: Row) -> Edit:
    names = set(subject.roles.uplink_names)
    lists = {one["list"] for one in subject.of(("interface", "list", "member"))}
    found = [one for one in sorted(lists) if set(list_members(subject.reading, one)) == names]
    if found:
        return subject.change(row, {"in-interface-list": found[0]})
    if len(names) == 1:
        return subject.change(row, {"in-interface": names.pop()})
    return subject.change(row, {"dst-address-type": "local"})


def _sources(subject: Subject) -> Iterator[tuple[Row, Lint]]:
    behaviour = subject.behaviour
    for uplink in subject.roles.uplinks:
        for name in subject.roles.inside_names:
            start = Passage(name, uplink.interface, State.NEW, "", "")
            region = behaviour.outside()
            for row, done in behaviour.translations(Hook.POSTROUTING, region, start):
                if done.kind is not Translation.SOURCE or len(done.addresses) != 1:
                    continue
                owner = _owner(subject, done.addresses[0].first, uplink)
                if owner is None:
                    continue
                told = row["to-addresses"]
                message = (
                    f"what leaves by {uplink.interface} gets {told}, an address of {owner.interface}: "
                    "the answers come by that line, if the provider lets it pass at all"
                )
                yield row, lint("source-of-another-line", subject.place(row), message, (_own(subject, row, uplink),))


def _owner(subject: Subject, address: int, leaves: Uplink) -> Uplink | None:
    """Another uplink whose network an address lies in."""
    if leaves.address is not None and network_of(leaves.address).contains(address):
        return None
    for one in subject.roles.uplinks:
        if one.interface != leaves.interface and one.address and network_of(one.address).contains(address):
            return one
    return None


def _own(subject: Subject, row: Row, uplink: Uplink) -> Edit:
    if row["out-interface"] and uplink.address is not None:
        public = not any(net.contains(uplink.address.address) for net in PRIVATE)
        if public or uplink.kind == "static":
            return subject.change(row, {"to-addresses": format_address(uplink.address.address, 32)})
    return subject.change(row, {"action": "masquerade", "to-addresses": None})
