"""The words about a network: each holds for all packets of a set, over every failure that is allowed, or fails.

::

    lan.verify().reachable("anna", "server", "tcp/80")
    lan.verify().under(failures=1).reachable("anna", "server", "tcp/80")
    lan.verify().for_all(packets(protocol="udp")).unreachable("guest", "server")

Where every device on the way is stateless the answer is proved over all
packets; where one translates, tracks connections or counts, the simulator tries
packets from the corners of the rules, and the answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from compiler.testing.networks.connection_words import ConnectionWords
from compiler.testing.networks.packet_words import PacketWords

__all__ = ["Verification"]


@dataclass(frozen=True, slots=True)
class Verification(PacketWords, ConnectionWords):
    """Questions about one network. Words return their answer or raise PropertyFailed."""
