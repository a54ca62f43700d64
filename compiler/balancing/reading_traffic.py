"""Classes, exceptions and port forwards of the intent."""

from __future__ import annotations

import re

from compiler.balancing.reading_words import PROTOCOLS, ipv4, ipv4_prefix, listed, name, port_range, ports
from compiler.placed.complaints import Complaints, near
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedValue, kind_of
from compiler.policy.balance import (
    CLASSIFIER_FIELDS,
    LocalNetwork,
    Method,
    PortForward,
    Selection,
    Steering,
    TrafficClass,
    Uplink,
)
from compiler.policy.network import Prefix

__all__ = ["DEFAULT_CLASS", "TrafficReader"]

DEFAULT_CLASS = "rest"
_WITH_PORTS = (6, 17)
_HOST = re.compile(r"([^:]+)(?::(\d{1,5}))?")


class TrafficReader:
    """Reads what names uplinks and networks."""

    def __init__(self, uplinks: tuple[Uplink, ...], networks: tuple[LocalNetwork, ...], complaints: Complaints) -> None:
        self.uplinks = {uplink.name: uplink for uplink in uplinks}
        self.networks = {network.name: network for network in networks}
        self.complaints = complaints

    # -- classes ----------------------------------------------------------------------------

    def classes(self, fields: Fields) -> tuple[TrafficClass, ...]:
        """The classes in their order, and last what ``method`` of the file itself says."""
        found = [self._class(item) for item in self._mappings(fields.take("classes"), "a class")]
        seen: set[str] = {DEFAULT_CLASS}
        for one in found:
            if not one.name:
                continue  # told already
            if one.name in seen:
                self.complaints.error(f"there is a class {one.name!r} already", one.span)
            seen.add(one.name)
            if one.selection.is_everything:
                why = f"class {one.name!r} takes everything: say its method as 'method' of the file"
                self.complaints.error(why, one.span)
        if "method" not in fields:
            self.complaints.error("the file has no 'method': how is the rest of the traffic dealt out?", fields.span)
        last = self._dealt(fields, DEFAULT_CLASS, Selection())
        return (*found, last)

    def _mappings(self, value: PlacedValue | None, what: str) -> tuple[PlacedValue, ...]:
        """The items that are mappings; the others are told, and asked no further."""
        items = as_items(value)
        for item in items:
            if not isinstance(item, PlacedMapping):
                self.complaints.error(f"{what}: expected a mapping, not {kind_of(item)}", item.span)
        return tuple(item for item in items if isinstance(item, PlacedMapping))

    def _class(self, value: PlacedValue) -> TrafficClass:
        fields = Fields(value, "a class", self.complaints)
        fields.required("name")
        fields.required("method")
        title = fields.get("name", name, "")
        found = self._dealt(fields, title, self._selection(fields))
        fields.done()
        return found

    def _dealt(self, fields: Fields, title: str, selection: Selection) -> TrafficClass:
        word = fields.choice("method", [method.value for method in Method], Method.NTH.value)
        method = Method(word)
        uplinks = self._uplinks(fields, "among") or tuple(self.uplinks)
        hashed = fields.choice("fields", CLASSIFIER_FIELDS, "both-addresses" if method is Method.PCC else "")
        if method is not Method.PCC and "fields" in fields:
            self.complaints.error(f"'fields' are of method pcc, not of {word}", fields.place("fields"))
        hashes_ports = any(field.endswith("port") for field in CLASSIFIER_FIELDS.get(hashed, ()))
        if method is Method.PCC and hashes_ports and selection.protocol not in (None, *_WITH_PORTS):
            only = next(word for word, number in PROTOCOLS.items() if number == selection.protocol)
            why = f"{hashed} hashes ports, and {only} has none: take both-addresses, src-address or dst-address"
            self.complaints.error(why, fields.place("fields"))
        members = self._members(fields, uplinks, method)
        otherwise = self.uplink(fields, "otherwise") if "otherwise" in fields else ""
        if method is not Method.ADDRESS_LIST and otherwise:
            self.complaints.error(f"'otherwise' is of method address_list, not of {word}", fields.place("otherwise"))
        if method is Method.ADDRESS_LIST and not otherwise and uplinks:
            otherwise = uplinks[0]
        return TrafficClass(title, method, uplinks, selection, hashed, members, otherwise, fields.place("method"))

    def _members(
        self, fields: Fields, uplinks: tuple[str, ...], method: Method
    ) -> tuple[tuple[str, tuple[Prefix, ...]], ...]:
        """``members: {isp1: [192.168.3.10, 192.168.3.64/26]}``."""
        value = fields.take("members")
        if method is not Method.ADDRESS_LIST:
            if value is not None:
                self.complaints.error(f"'members' are of method address_list, not of {method.value}", value.span)
            return ()
        if value is None:
            self.complaints.error("address_list: whose addresses? Say 'members: {UPLINK: [ADDRESS, …]}'", fields.span)
            return ()
        found = []
        for key, entry in Fields(value, "members", self.complaints).take_any():
            if key.text not in self.uplinks:
                self._unknown(key.text, key)
            elif key.text not in uplinks:
                self.complaints.error(f"uplink {key.text!r} is not among those of this class", key.span)
            else:
                found.append((key.text, listed(entry, ipv4_prefix, self.complaints)))
        return tuple(found)

    # -- exceptions and forwards ---------------------------------------------------------------

    def exceptions(self, value: PlacedValue | None) -> tuple[Steering, ...]:
        """The exceptions, in the order in which they are asked."""
        return tuple(self._exception(item) for item in self._mappings(value, "an exception"))

    def _exception(self, value: PlacedValue) -> Steering:
        fields = Fields(value, "an exception", self.complaints)
        selection = self._selection(fields)
        fields.exclude("via", "direct")
        direct = fields.truth("direct", False)
        uplink = self.uplink(fields, "via") if "via" in fields else ""
        fields.take("via")
        if not direct and "via" not in fields:
            self.complaints.error("an exception says 'via: UPLINK', or 'direct: yes' for no mark at all", fields.span)
        strict = fields.truth("strict", False)
        if strict and direct:
            self.complaints.error("'strict' is of exceptions with 'via'", fields.place("strict"))
        if selection.is_everything and isinstance(value, PlacedMapping):
            self.complaints.error("an exception for everything: say 'from', 'to', 'protocol' or 'ports'", fields.span)
        fields.done()
        return Steering(selection, uplink, strict, fields.span)

    def forwards(self, value: PlacedValue | None) -> tuple[PortForward, ...]:
        """The port forwards."""
        found = (self._forward(item) for item in self._mappings(value, "a port forward"))
        return tuple(one for one in found if one is not None)

    def _forward(self, value: PlacedValue) -> PortForward | None:
        fields = Fields(value, "a port forward", self.complaints)
        uplinks = self._uplinks(fields, "via") or tuple(self.uplinks)
        protocol = PROTOCOLS[fields.choice("protocol", ("tcp", "udp"), "tcp")]
        fields.required("ports")
        fields.required("to", "the host inside, such as 192.168.3.10:80")
        wanted = fields.optional("ports", port_range) if "ports" in fields else None
        target = fields.optional("to", _host) if "to" in fields else None
        fields.done()
        if wanted is None or target is None:
            return None
        if target[1] and wanted[0] != wanted[1]:
            self.complaints.error("a range of ports keeps its numbers: leave the host's port out", fields.place("to"))
        return PortForward(uplinks, protocol, wanted, *target, fields.span)

    # -- parts -------------------------------------------------------------------------------

    def _selection(self, fields: Fields) -> Selection:
        sources: list[Prefix] = []
        for item in as_items(fields.take("from")):
            if isinstance(item, PlacedScalar) and item.text in self.networks:
                sources.append(self.networks[item.text].prefix)
            elif isinstance(item, PlacedScalar) and item.text[:1].isalpha():
                self.complaints.error(f"unknown network {item.text!r}{near(item.text, self.networks)}", item.span)
            else:
                found = parse(item, ipv4_prefix, self.complaints)
                sources += [found] if found is not None else []
        word = fields.choice("protocol", PROTOCOLS, "")
        ranges = listed(fields.take("ports"), port_range, self.complaints)
        protocol = PROTOCOLS.get(word)
        if ranges and protocol not in _WITH_PORTS:
            self.complaints.error("ports need 'protocol: tcp' or 'protocol: udp'", fields.place("ports"))
        destinations = listed(fields.take("to"), ipv4_prefix, self.complaints)
        return Selection(tuple(sources), destinations, protocol, ports(ranges))

    def _uplinks(self, fields: Fields, key: str) -> tuple[str, ...]:
        found: list[str] = []
        for item in as_items(fields.take(key)):
            if not isinstance(item, PlacedScalar):
                self.complaints.error(f"expected an uplink, not {kind_of(item)}", item.span)
            elif item.text not in self.uplinks:
                self._unknown(item.text, item)
            elif item.text in found:
                self.complaints.error(f"uplink {item.text!r} stands twice", item.span)
            else:
                found.append(item.text)
        return tuple(found)

    def uplink(self, fields: Fields, key: str) -> str:
        """The name of an uplink that there is; empty after a complaint."""
        value = fields.take(key)
        if value is None:
            self.complaints.error(f"{fields.what} has no {key!r}", fields.span)
            return ""
        text = parse(value, str, self.complaints)
        if text is not None and text not in self.uplinks:
            self._unknown(text, value)
            return ""
        return text or ""

    def _unknown(self, text: str, value: PlacedValue) -> None:
        self.complaints.error(f"unknown uplink {text!r}{near(text, self.uplinks)}", value.span)


def _host(text: str) -> tuple[int, int]:
    found = _HOST.fullmatch(text)
    if found is None or (found[2] and not 1 <= int(found[2]) <= 65535):
        raise ValueError(f"{text!r}: expected a host such as 192.168.3.10 or 192.168.3.10:80")
    return ipv4(found[1]), int(found[2] or 0)
