"""One packet through a configuration: each rule that was asked, and the line that decided."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from appliance.workbench.kinds import DIALECTS, kind_of
from appliance.workbench.remarks import Remark, remarks_of
from compiler.errors import GerbangError, UsageError

if TYPE_CHECKING:
    from compiler.analysis.explanation.trace import StageTrace, Trace

__all__ = ["Asked", "Looked", "StageLooked", "Traced", "asked_of", "trace_text"]

MOST = 400
"""Rules of one stage that are listed, the last before the decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A packet as its form has it: every field is what was typed."""

    protocol: str = "tcp"
    source: str = ""
    source_port: str = ""
    destination: str = ""
    destination_port: str = ""
    flags: str = ""
    """TCP flags with commas: ``syn,ack``."""
    message: str = ""
    """Of ICMP: ``echo``, or ``3/13``: type and code."""
    ingress: str = ""
    egress: str = ""
    more: str = ""
    """Further words of a packet: ``ttl=1 dscp=46 fragment to-router``."""
    through: str = ""
    """One list alone; empty: the whole device."""

    def text(self) -> str:
        """The packet in the words of ``gerbang trace``; ``parse_packet`` reads it."""
        words = [
            self.protocol.strip() or "ip",
            _endpoint(self.source, self.source_port),
            ">",
            _endpoint(self.destination, self.destination_port),
        ]
        if self.flags.strip():
            words.append(f"flags={','.join(self.flags.replace(',', ' ').split())}")
        message = self.message.strip()
        if "/" in message:
            kind, _, code = message.partition("/")
            words.append(f"type={kind.strip()} code={code.strip()}")
        elif message.isdecimal():
            words.append(f"type={message}")
        elif message:
            words.append(message)
        for word, name in (("in", self.ingress.strip()), ("out", self.egress.strip())):
            if name:
                escaped = name.replace("\\", "\\\\").replace('"', '\\"')
                words.append(f'{word}="{escaped}"')
        return " ".join([*words, self.more.strip()]).strip()


class Looked(NamedTuple):
    """One rule that was asked. ``line`` is 0 for one that no text says; ``reason`` is empty when it matched."""

    line: int
    text: str
    outcome: str
    reason: str
    depth: int = 0


class StageLooked(NamedTuple):
    """One list or chain: what it asked, and how it ended."""

    name: str
    passes: bool
    looks: tuple[Looked, ...]
    hidden: int
    """Rules that were asked before and did not match."""
    default: str
    """Why the end of the list decided; empty when a rule did."""

    @property
    def deciding(self) -> Looked | None:
        """The rule that decided, or None."""
        return self.looks[-1] if self.looks and not self.default and not self.looks[-1].reason else None


@dataclass(frozen=True, slots=True)
class Traced:
    """The way of one packet."""

    packet: str
    about: str = ""
    passes: bool = False
    stages: tuple[StageLooked, ...] = ()
    remarks: tuple[Remark, ...] = ()
    """Why nothing was traced; when it was: what is worth knowing."""
    seconds: float = field(default=0.0, compare=False)

    @property
    def is_traced(self) -> bool:
        """Whether there is a verdict."""
        return bool(self.about)

    @property
    def deciding(self) -> tuple[tuple[int, bool], ...]:
        """The line that decided in each stage, and whether it let the packet pass."""
        found = ((stage.deciding, stage.passes) for stage in self.stages)
        return tuple((look.line, passes) for look, passes in found if look is not None and look.line)


def asked_of(text: str, through: str = "") -> Asked:
    """The form of a packet that is given in words, such as a witness. Raises SyntaxFault for what is no packet."""
    from compiler.policy.packet_text import format_packet, parse_packet

    packet = parse_packet(text)
    plain = packet._replace(ingress="", egress="")
    words = format_packet(plain).split()
    fields = {"protocol": words[0], "ingress": packet.ingress, "egress": packet.egress, "through": through}
    for side, word in (("source", words[1]), ("destination", words[3])):
        address, port = _parted(word)
        fields |= {side: address, f"{side}_port": port}
    options = dict(word.partition("=")[::2] for word in words[4:])
    fields["flags"] = options.pop("flags", "")
    if "type" in options:
        fields["message"] = f"{options.pop('type')}/{options.pop('code', '0')}"
    fields["more"] = " ".join(f"{name}={value}" if value else name for name, value in options.items())
    return Asked(**fields)


def trace_text(text: str, name: str, asked: Asked, tell: Callable[[Any], Any]) -> Traced:
    """Follow the packet. Never raises for what was typed; clauses outside the model are taken from below."""
    began = time.perf_counter()
    try:
        done = _traced(text, name, asked)
    except GerbangError as error:
        done = Traced(asked.text(), remarks=remarks_of(error, name))
    return replace(done, seconds=time.perf_counter() - began)


def _traced(text: str, name: str, asked: Asked) -> Traced:
    from compiler.analysis.explanation.trace import trace
    from compiler.dialects import read
    from compiler.dialects.interface_names import in_full
    from compiler.policy.packet_text import parse_packet
    from compiler.semantics.lower import machine

    packet = parse_packet(asked.text())
    kind = kind_of(text, name)
    if kind not in DIALECTS:
        raise UsageError(f"{name} is no configuration of a device")
    tree = read(text, name, dialect=kind.value, unmodelled="bound")
    packet = packet._replace(ingress=in_full(packet.ingress, tree), egress=in_full(packet.egress, tree))
    device = machine(tree, bound="lower")
    through = asked.through.strip() or None
    found = trace(device, packet, through, tree=tree)
    remarks: tuple[Remark, ...] = ()
    if not (through or packet.ingress or packet.egress) and device.interfaces():
        from appliance.workbench.remarks import Level

        names = ", ".join(sorted(device.interfaces()))
        remarks = (Remark(Level.NOTE, f"no interface is named: lists stand on {names}"),)
    return _of(found, remarks)


def _of(found: Trace, remarks: tuple[Remark, ...]) -> Traced:
    from compiler.policy.packet_text import format_packet

    stages = tuple(_stage(one) for one in found.stages)
    return Traced(format_packet(found.packet), found.about, found.passes, stages, remarks)


def _stage(stage: StageTrace) -> StageLooked:
    shown = stage.looks[-MOST:]
    looks = tuple(
        Looked(look.span.line, look.text or look.why, look.outcome.value, look.reason, look.depth) for look in shown
    )
    return StageLooked(stage.name, stage.passes, looks, len(stage.looks) - len(shown), stage.default_why)


def _endpoint(address: str, port: str) -> str:
    address, port = address.strip(), port.strip()
    if not port:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _parted(word: str) -> tuple[str, str]:
    """Address and port of an endpoint."""
    if word.startswith("["):
        address, _, port = word[1:].partition("]")
        return address, port.removeprefix(":")
    address, colon, port = word.partition(":")
    return (address, port) if colon and ":" not in port else (word, "")
