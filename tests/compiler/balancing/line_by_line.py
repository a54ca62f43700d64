"""The same intent and the same steps in the simulator and in the kernel, and what differs."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import NamedTuple

from compiler.balancing.plan import Plan, make_plan, port_of
from compiler.balancing.reading import read_balance
from compiler.fields import ICMP
from tests.compiler.balancing.kernel_uplinks import PORTS, KernelUplinks
from tests.compiler.balancing.line_traffic import LineTraffic, neighbours
from tests.compiler.balancing.random_intents import random_plan
from tests.compiler.balancing.simulated_uplinks import SimulatedUplinks
from tests.compiler.balancing.written_router import Step, Written
from tests.compiler.simulator.router.agreement import _alike

__all__ = ["Compared", "compare", "compare_random", "made_written"]

_UNREACHABLE, _NO_WAY = 3, (0, 1)


class Compared(NamedTuple):
    """What was taken, how much came out, and where the worlds parted first (empty: nowhere)."""

    steps: int
    outputs: Counter[str]
    connections: int
    marked: int
    difference: str


def made_written(seed: str) -> tuple[str, Written]:
    """A random intent, its text, and how the kernel is to hash."""
    text, plan = random_plan(seed)
    chance = Random(f"{seed}/settings")
    policy = chance.choice(("l3", "l4", "l3-inner"))
    return text, Written(plan, policy, chance.getrandbits(32) or 1)


def written_of(text: str) -> Written:
    """The intent's texts."""
    return Written(make_plan(read_balance(text, "intent.yaml")))


def compare_random(kernel: KernelUplinks, seed: str, count: int) -> Compared:
    """So many random steps under a random intent."""
    text, written = made_written(seed)
    simulated = SimulatedUplinks(written)
    traffic = LineTraffic(Random(f"{seed}/steps"), written.plan)
    steps: list[Step] = []
    came: dict[str, list[bytes]] = {port: [] for port in PORTS}
    for _ in range(count):
        step = traffic.step()
        heard = simulated.take(step)
        if simulated.dice.draws:  # two want one port: Linux draws another, which nobody can foresee. Without this step.
            simulated = SimulatedUplinks(written)
            for earlier in steps:
                simulated.take(earlier)
            continue
        steps.append(step)
        for port, outputs in heard.items():
            came[port] += outputs
            for octets in outputs:
                traffic.heard(port, octets)
    return _compared(kernel, written, steps, came, simulated, f"{seed}\n{text}")


def compare(kernel: KernelUplinks, written: Written, steps: list[Step]) -> Compared:
    """These steps, from the start."""
    simulated = SimulatedUplinks(written)
    came: dict[str, list[bytes]] = {port: [] for port in PORTS}
    for step in steps:
        for port, outputs in simulated.take(step).items():
            came[port] += outputs
    assert not simulated.dice.draws, "two connections want one port: Linux would draw another at random"
    return _compared(kernel, written, steps, came, simulated, "")


def _compared(
    kernel: KernelUplinks,
    written: Written,
    steps: list[Step],
    came: dict[str, list[bytes]],
    simulated: SimulatedUplinks,
    about: str,
) -> Compared:
    kernel.load(written, list(neighbours(written.plan)))
    seen = kernel.play(steps)
    kernel.mend()
    known = {step.octets[4:6] for step in steps if step.octets}
    told = [_parted(port, came[port], seen[port], known, written.plan) for port in PORTS]
    mine, theirs = simulated.connections(), kernel.connections()
    told += [f"only the simulator has {one}" for one in sorted(mine - theirs)[:5]]
    told += [f"only the kernel has {one}" for one in sorted(theirs - mine)[:5]]
    difference = "\n".join(part for part in told if part)
    if difference:
        taken = "\n".join(str(step._replace(octets=step.octets.hex())) for step in steps[-60:])
        difference = f"{about}\n{written.policy} {written.seed}\n{difference}\nthe last steps:\n{taken}"
    outputs = Counter({port: len(heard) for port, heard in seen.items() if heard})
    return Compared(len(steps), outputs, len(theirs), sum(one.mark > 0 for one in theirs), difference)


def _parted(port: str, mine: list[bytes], theirs: list[bytes], known: set[bytes], plan: Plan) -> str:
    mine = [_summed(octets) for octets in mine if not _is_limited(octets, plan)]
    theirs = [_summed(octets) for octets in theirs if not _is_limited(octets, plan)]
    for index in range(max(len(mine), len(theirs))):
        one = mine[index] if index < len(mine) else None
        other = theirs[index] if index < len(theirs) else None
        if one is None or other is None or (one != other and not _alike(one, other, known)):
            shown = (octets.hex() if octets else "nothing" for octets in (one, other))
            return "output {} at {}:\n simulator {}\n kernel    {}".format(index, port, *shown)
    return ""


def _summed(octets: bytes) -> bytes:
    """Of the two ways to write a header's checksum of nothing one only; a DSCP changed in place makes the other."""
    return octets[:10] + b"\0\0" + octets[12:] if octets[10:12] == b"\xff\xff" else octets


def _is_limited(octets: bytes, plan: Plan) -> bool:
    """That there is no way, said by the router itself: how often it says so goes by real seconds (ip_error)."""
    header = (octets[0] & 15) * 4
    if octets[9] != ICMP or octets[header] != _UNREACHABLE or octets[header + 1] not in _NO_WAY:
        return False
    own = {one.address.address for one in plan.balance.ends if one.address is not None}
    return int.from_bytes(octets[12:16], "big") in own


def lines(plan: Plan) -> set[str]:
    """The uplinks' ports."""
    return {port_of(one) for one in plan.balance.uplinks}
