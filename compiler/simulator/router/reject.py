"""What a firewall answers when it rejects: an ICMP error or a TCP reset, by the words of the dialect."""

from __future__ import annotations

from typing import NamedTuple

from compiler.fields import ICMP, ICMPV6, TCP, UDP, Family
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import ACK, FIN, RST, SYN

__all__ = ["Answer", "answer", "is_answered", "reset"]


class Answer(NamedTuple):
    """ICMP type and code; ``None`` stands for a TCP reset."""

    icmp: tuple[int, int] | None


_IPV4 = {
    "net-unreachable": (3, 0),
    "host-unreachable": (3, 1),
    "prot-unreachable": (3, 2),
    "protocol-unreachable": (3, 2),
    "port-unreachable": (3, 3),
    "net-prohibited": (3, 9),
    "network-prohibited": (3, 9),
    "net-redirect": (3, 9),
    "host-prohibited": (3, 10),
    "admin-prohibited": (3, 13),
}
_IPV6 = {
    "no-route": (1, 0),
    "admin-prohibited": (1, 1),
    "address-unreachable": (1, 3),
    "addr-unreachable": (1, 3),
    "port-unreachable": (1, 4),
    "policy-fail": (1, 5),
    "reject-route": (1, 6),
}
_BOTH = {  # icmpx: net/netfilter/nft_reject.c, icmp_code_v4 and icmp_code_v6
    "no-route": ((3, 0), (1, 0)),
    "port-unreachable": ((3, 3), (1, 4)),
    "host-unreachable": ((3, 1), (1, 3)),
    "admin-prohibited": ((3, 13), (1, 1)),
}


def answer(words: str, family: Family, *, default: str) -> Answer:
    """What the words of a rule (``icmp admin-prohibited``, ``tcp reset``, ``icmp-port-unreachable``) stand for.

    ``default`` is the answer of a rule that names none. ValueError for words that stand for nothing.
    """
    said = (words or default).replace(" type ", " ").strip()
    if said in ("tcp reset", "tcp-reset"):
        return Answer(None)
    kind, _, name = said.partition(" ")
    if not name:
        kind, _, name = said.partition("-")
        if f"{kind}-{name}" not in (said,) or kind not in ("icmp", "icmpv6"):
            kind, name = "icmp", said
    if kind == "icmpx" and name in _BOTH:
        return Answer(_BOTH[name][family is Family.IPV6])
    table = _IPV6 if family is Family.IPV6 else _IPV4
    if name not in table:
        raise ValueError(f"no such answer: {said!r}")
    return Answer(table[name])


_SUMMED = frozenset({ICMP, TCP, UDP, ICMPV6})
"""Protocols whose checksums are looked at before a refusal (nf_reject_verify_csum)."""


def is_answered(about: Datagram) -> bool:
    """Whether a rejected datagram gets an ICMP error at all (nf_send_unreach, nf_reject_v6_csum_ok).

    Later fragments do not, nor first ones whose checksum covers what is not
    there yet, nor IPv6 datagrams without anything behind their headers.
    """
    if about.fragment_offset or (about.more_fragments and about.protocol in _SUMMED):
        return False
    return about.family is Family.IPV4 or about.size > 40 + len(about.options)


def reset(about: Datagram) -> Datagram | None:
    """The RST that refuses a segment (RFC 9293, 3.10.7.1); None for what is no segment or is an RST itself."""
    if about.protocol != TCP or about.tcp_flags & RST or about.is_fragment:
        return None
    header = 20 if about.family is Family.IPV4 else 40
    made = Datagram(
        about.family,
        about.destination,
        about.source,
        TCP,
        header + 20,
        about.destination_port,
        about.source_port,
        RST,
    )
    made.dont_fragment = about.family is Family.IPV4
    if about.tcp_flags & ACK:
        made.sequence = about.acknowledgement
    else:
        made.tcp_flags = RST | ACK
        length = about.size - header - len(about.options) - 20 - len(about.tcp_options)
        control = bool(about.tcp_flags & SYN) + bool(about.tcp_flags & FIN)
        made.acknowledgement = about.sequence + length + control & 0xFFFFFFFF
    return made
