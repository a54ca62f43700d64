"""The same packets through the simulator's router and through the kernel's, and what differs."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from compiler.dialects import read
from compiler.errors import GerbangError
from compiler.fields import TCP
from compiler.policy.ruleset import Ruleset
from tests.compiler.dialects.nftables.kernel import KernelRouter
from tests.compiler.simulator.router.conversations import Conversation
from tests.compiler.simulator.router.policies import random_policy
from tests.compiler.simulator.twin import SimulatedRouter

__all__ = ["Difference", "Played", "agree", "compare_random", "differences", "explained", "readable_policy"]

_FRAGMENT = 44
_SEQUENCE = 200
_PAUSE = 20_000
"""Nanoseconds of virtual time between packets: about what they take in the kernel."""


class Difference(NamedTuple):
    """One side's outputs part here. ``index`` counts that side's outputs."""

    side: str
    index: int
    simulated: bytes | None
    kernel: bytes | None


class Played(NamedTuple):
    """How many packets were compared, and where the worlds first parted."""

    packets: int
    difference: Difference | None
    sent: list[tuple[str, bytes]]
    came: list[dict[str, list[bytes]]]
    """What the simulator made of each packet."""
    seen: list[dict[str, list[bytes]]]
    """What the kernel made of it, as far as can be told."""
    policy: str
    history: list[tuple[str, bytes]]
    """All packets since the policy was loaded."""


def readable_policy(seed: str) -> tuple[str, Ruleset]:
    """A random policy that the reader takes; those that it refuses are passed over."""
    for attempt in range(1000):
        text = random_policy(Random(f"{seed}/{attempt}"))
        try:
            return text, read(text, "random.nft", dialect="nftables", unmodelled="simulate")
        except GerbangError:
            continue
    raise AssertionError("no policy was readable")


def compare_random(kernel: KernelRouter, seed: str, packets: int) -> Played:
    """So many random packets over one random policy. Stops at the first difference."""
    text, ruleset = readable_policy(seed)
    chance = Random(f"{seed}/packets")
    version = 6 if "ip6 " in text or "ipv6" in text else 4
    done = 0
    while done < packets:
        twin = _fresh(kernel, text, ruleset)
        history: list[tuple[str, bytes]] = []
        while done < packets and not twin.dice.draws:
            conversation = Conversation(chance, version)
            sent, came = converse(twin, conversation, min(_SEQUENCE, packets - done))
            seen = kernel.play(sent)
            difference = differences(came, seen, sent)
            done += len(sent)
            history += sent
            if difference is not None:
                return Played(done, difference, sent, came, seen, text, history)
            if len(sent) == 0:
                break
    return Played(done, None, [], [], [], text, [])


def converse(
    twin: SimulatedRouter, conversation: Conversation, packets: int
) -> tuple[list[tuple[str, bytes]], list[dict[str, list[bytes]]]]:
    """Packets through the simulator, until it drew at random (that packet is left out)."""
    sent, came = [], []
    for _ in range(packets):
        side, octets = conversation.next()
        heard = twin.send(side, octets)
        if twin.dice.draws:
            break
        sent.append((side, octets))
        came.append(heard)
        for where, outputs in heard.items():
            for output in outputs:
                conversation.heard(where, output)
    return sent, came


def differences(
    simulated: list[dict[str, list[bytes]]], kernel: list[dict[str, list[bytes]]], sent: list[tuple[str, bytes]]
) -> Difference | None:
    """Where the outputs part; the identification of what the router itself made does not count."""
    known = {octets[4:6] for _, octets in sent if octets[0] >> 4 == 4}
    for side in ("west", "east"):
        mine = [octets for one in simulated for octets in one[side]]
        theirs = [octets for one in kernel for octets in one[side]]
        for index in range(max(len(mine), len(theirs))):
            one = mine[index] if index < len(mine) else None
            other = theirs[index] if index < len(theirs) else None
            if one is None or other is None or (one != other and not _alike(one, other, known)):
                return Difference(side, index, one, other)
    return None


def _alike(one: bytes, other: bytes, known: set[bytes]) -> bool:
    if one[0] >> 4 == 6 and one[6] == other[6] == _FRAGMENT:  # what was put together is cut under a new number
        return one[:44] + one[48:] == other[:44] + other[48:]
    if one[0] >> 4 != 4 or other[0] >> 4 != 4 or one[4:6] in known:
        return False
    return _without_identification(one) == _without_identification(other)


def _without_identification(octets: bytes) -> bytes:
    """Also of the two ways to write a TCP checksum of nothing one only (skb_checksum_help takes 0xffff)."""
    checksum = (octets[0] & 15) * 4 + 16
    if octets[9] == TCP and octets[checksum : checksum + 2] == b"\0\0":
        octets = octets[:checksum] + b"\xff\xff" + octets[checksum + 2 :]
    return octets[:4] + octets[6:10] + octets[12:]


def _fresh(kernel: KernelRouter, text: str, ruleset: Ruleset | str) -> SimulatedRouter:
    """Both routers without a past."""
    kernel.load(text)
    kernel.forget_connections()
    twin = SimulatedRouter(ruleset)
    twin.pause = _PAUSE
    return twin


def agree(kernel: KernelRouter, text: str, packets: list[tuple[str, bytes]]) -> list[dict[str, list[bytes]]]:
    """The packets in both worlds, from the start; what came out. AssertionError where the worlds part."""
    came = _fresh(kernel, text, text).play(packets)
    difference = differences(came, kernel.play(packets), packets)
    assert difference is None, _told(difference)
    return came


def explained(kernel: KernelRouter, seed: str, played: Played) -> str:
    """The policy and the few packets that still make the worlds part, for the message of a failed test."""
    packets = played.history
    size = len(packets) // 2
    while size:
        start = 0
        while start < len(packets):
            fewer = packets[:start] + packets[start + size :]
            if _parts(kernel, played.policy, fewer) is not None:
                packets = fewer
            else:
                start += size
        size //= 2
    difference = _parts(kernel, played.policy, packets) or played.difference
    lines = [f"seed {seed}", played.policy, *(f"{side} {octets.hex()}" for side, octets in packets)]
    return "\n".join([*lines, _told(difference)])


def _parts(kernel: KernelRouter, text: str, packets: list[tuple[str, bytes]]) -> Difference | None:
    twin = _fresh(kernel, text, text)
    came = twin.play(packets)
    return None if twin.dice.draws else differences(came, kernel.play(packets), packets)


def _told(difference: Difference | None) -> str:
    if difference is None:
        return "no difference when played again"
    simulated, kernel = (one.hex() if one else "nothing" for one in (difference.simulated, difference.kernel))
    return f"output {difference.index} in the {difference.side}:\n simulator {simulated}\n kernel    {kernel}"
