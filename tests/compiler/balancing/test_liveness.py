"""The machine of the lines' health: when lines die and come back, and what must follow."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from compiler.balancing.ip_batch import read_batch, write_batch
from compiler.balancing.liveness import (
    Answered,
    Carrier,
    Lease,
    Leased,
    Probing,
    Refused,
    Step,
    Tick,
    Watch,
    routes_for,
)
from compiler.fields import Family
from compiler.policy.network import InterfaceAddress, RouteKind
from tests.compiler.balancing.intents import FULL, plan_of, simple

MILLISECOND = 1_000_000
FAST = Probing(interval=100 * MILLISECOND, timeout=100 * MILLISECOND, half_life=0)
DHCP = """\
networks: {lan: {interface: LAN, address: 192.168.3.1/24}}
uplinks:
  cable: {interface: ISP1, gateway: dhcp}
  radio: {interface: ISP2, gateway: pppoe, user: me, password: x}
method: nth
"""


class World:
    """Runs the machine; who is in ``silent`` (an uplink, or an uplink and a host) does not answer."""

    def __init__(self, text: str, probing: Probing = FAST, delay: int = 5 * MILLISECOND, **began) -> None:
        self.watch = Watch(plan_of(text), probing)
        self.delay = delay
        self.silent: set = set()
        self.asked: list = []
        self.turns: list = []
        self.flushes: list = []
        self.answers: deque = deque()
        self.step = self._done(self.watch.begin(0, **began))

    def _done(self, step: Step) -> Step:
        now = step.health.now
        assert step.wake > now
        for probe in step.send:
            self.asked.append((now, probe))
            if not self.silent & {probe.uplink, (probe.uplink, probe.host)}:
                self.answers.append(Answered(now + self.delay, probe))
        self.turns += [(now, *turn) for turn in step.turns]
        self.flushes += step.flushes
        return step

    def tell(self, event) -> Step:
        self.step = self._done(self.watch.take(self.step.health, event))
        return self.step

    def run(self, until: int) -> None:
        while True:
            first = self.answers[0].now if self.answers else until
            event = self.answers.popleft() if self.answers and first <= min(self.step.wake, until) else None
            if event is None:
                if self.step.wake > until:
                    self.tell(Tick(until))
                    return
                event = Tick(self.step.wake)
            self.tell(event)

    @property
    def used(self) -> tuple[str, ...]:
        return self.step.health.used


def ms(count: int) -> int:
    return count * MILLISECOND


def test_a_silent_line_dies_in_time_and_comes_back():
    world = World(simple((1, 1)))
    world.run(ms(1050))
    assert world.turns == []
    assert world.used == ("line1", "line2")
    world.silent = {"line1"}
    world.run(ms(2000))
    ((died, *turn),) = world.turns
    assert turn == ["line1", False, "no answer"]
    assert ms(300) <= died - ms(1050) <= ms(400)
    assert world.used == ("line2",)
    world.silent = set()
    world.run(ms(2500))
    assert [turn[1:3] for turn in world.turns] == [("line1", False), ("line1", True)]
    assert world.turns[1][0] - ms(2000) <= ms(210)
    assert world.used == ("line1", "line2")
    (flush,) = world.flushes
    assert flush.takes(0xA5000100, 0)
    assert flush.takes(0xA5000000, 10 << 24 | 1 << 16 | 2)
    assert not flush.takes(0x200, 0)
    assert not flush.takes(0, 10 << 24 | 2 << 16 | 2)


def test_each_host_is_asked_once_an_interval():
    world = World(FULL)
    world.run(ms(999))
    hosts = {(probe.uplink, probe.host) for _, probe in world.asked}
    plan = world.watch.plan
    assert hosts == {(one.name, host) for one in plan.balance.uplinks for host in one.probes or (one.gateway,)}
    for key in hosts:
        times = [at for at, probe in world.asked if (probe.uplink, probe.host) == key]
        assert times == [ms(100 * number) for number in range(10)]


def test_any_or_all_of_several_probes():
    for every, alive in ((False, True), (True, False)):
        world = World(FULL, Probing(ms(100), ms(100), every_probe=every, half_life=0))
        world.silent = {("speedy1", 8 << 24 | 8 << 16 | 4 << 8 | 4)}
        world.run(ms(1000))
        assert ("speedy1" in world.used) is alive


def test_a_carrier_counts_at_once_and_answers_bring_the_line_back():
    world = World(simple((1, 1)))
    world.run(ms(1010))
    step = world.tell(Carrier(ms(1011), "line2", False))
    assert step.turns == (("line2", False, "no carrier"),)
    assert step.reroute
    assert world.used == ("line1",)
    world.asked.clear()
    world.run(ms(1500))
    assert {probe.uplink for _, probe in world.asked} == {"line1"}
    world.tell(Carrier(ms(1500), "line2", True))
    assert world.used == ("line1",)  # a carrier alone proves nothing
    world.run(ms(1650))
    assert world.used == ("line1", "line2")


def test_with_nobody_alive_nothing_is_taken_away():
    world = World(simple((1, 1)))
    world.silent = {"line1", "line2"}
    world.run(ms(1000))
    assert world.step.health.alive == ()
    assert world.used == ("line1", "line2")
    assert world.flushes == []
    plan = world.watch.plan
    assert routes_for(plan, ()) == routes_for(plan, ("line1", "line2"))
    world.silent = {"line1"}
    world.run(ms(2000))
    assert world.used == ("line2",)
    assert [flush.uplink for flush in world.flushes] == ["line1"]
    world.tell(Carrier(ms(2001), "line2", False))
    assert world.used == ("line1",)  # silent, but it has a carrier


def test_flaps_are_damped():
    """Three deaths in a row: the line must stay well until the penalty is down from 3000 to 1000, 1.58 half-lives."""
    world = World(simple((1, 1)), Probing(ms(100), ms(100), half_life=ms(10_000)))
    for turn in range(3):
        world.silent = {"line1"}
        world.run(ms(1000 * turn + 500))
        world.silent = set()
        world.run(ms(1000 * turn + 1000))
    last = max(at for at, _, alive, _ in world.turns if not alive)
    assert "line1" not in world.used
    world.run(ms(30_000))
    back = [at for at, name, alive, _ in world.turns if alive and name == "line1" and at > last]
    assert len(back) == 1
    assert ms(13_000) < back[0] - last < ms(16_000)
    world.tell(Carrier(ms(30_001), "line2", False))
    assert world.used == ("line1",)


def test_a_lease_gives_routes_and_another_address_forgets_the_old_ones():
    world = World(DHCP)
    assert world.used == ("radio",)
    assert not any(hop.interface == "ISP1" for route in routes_for(world.watch.plan, ()) for hop in route.next_hops)
    first = Lease(0x0A010001, InterfaceAddress(Family.IPV4, 0x0A010002, 24))
    world.tell(Leased(ms(10), "cable", first))
    assert world.used == ("radio",)
    world.run(ms(300))
    assert world.used == ("cable", "radio")
    assert world.asked[0][1].host == 0x0A010001
    routes = routes_for(world.watch.plan, world.used, world.step.health.leases)
    ways = [(route.distance, route.next_hops[0]) for route in routes if route.table == "main"]
    assert ways == [(1, (0x0A010001, "ISP1", 1)), (2, (None, "pppoe2", 1))]
    assert not world.tell(Leased(ms(301), "cable", first)).reroute  # renewed
    moved = first._replace(address=InterfaceAddress(Family.IPV4, 0x0A010009, 24))
    (flush,) = world.tell(Leased(ms(302), "cable", moved)).flushes
    assert flush.takes(0x100, 0x0A010002)
    assert not flush.takes(0x100, 0x0A010009)
    assert world.used == ("cable", "radio")
    world.tell(Leased(ms(303), "cable", None))
    assert world.used == ("radio",)


def test_failback_forgets_only_where_it_was_asked_for():
    for policy, count in (("gentle", 0), ("immediate", 1)):
        world = World(simple((1, 1), more=f"failback: {policy}\n"), dead=["line1"])
        assert world.used == ("line2",)
        world.run(ms(500))
        assert world.used == ("line1", "line2")
        assert len(world.flushes) == count
        for flush in world.flushes:  # bears the mark of line 1 and has the address of line 2
            assert flush.takes(0x100, 10 << 24 | 2 << 16 | 2)
            assert not flush.takes(0x100, 10 << 24 | 1 << 16 | 2)
            assert not flush.takes(0x200, 10 << 24 | 2 << 16 | 2)


def test_the_routes_of_all_are_those_of_the_file():
    for text in (FULL, simple((1, 2)), simple((2, 1, 4), "ecmp")):
        plan = plan_of(text)
        names = [uplink.name for uplink in plan.balance.uplinks]
        read = read_batch(write_batch(plan), "isps.ip").routes

        def shown(routes):
            return [(one.prefix, one.next_hops, one.table, one.distance, one.kind) for one in routes]

        assert shown(routes_for(plan, names)) == shown(read)


@given(st.sets(st.sampled_from(["speedy1", "speedy2", "fibre"]), min_size=1))
def test_the_dead_carry_nothing_but_their_own_hosts(alive):
    plan = plan_of(FULL)
    ports = {plan.balance.uplink(name).interface for name in alive}
    everything = routes_for(plan, ["speedy1", "speedy2", "fibre"])
    routes = routes_for(plan, alive)
    hosts = [route for route in everything if route.prefix.length == 32]
    assert [route for route in routes if route.prefix.length == 32] == hosts
    for route in routes:
        if route.prefix.length == 0 and route.kind is RouteKind.UNICAST:
            assert {hop.interface for hop in route.next_hops} <= ports
    for table in plan.tables:
        number = str(20_000 + table.number)
        kept = [route for route in routes if route.table == number]
        assert kept or not set(table.uplinks) & alive
        if table.strict:
            assert kept[-1].kind is RouteKind.BLACKHOLE
        if table.weights and kept:
            weights = {
                plan.balance.uplink(name).interface: one for name, one in zip(table.uplinks, table.weights, strict=True)
            }
            assert all(hop.weight == weights[hop.interface] for hop in kept[0].next_hops)


EVENTS = st.lists(
    st.tuples(
        st.integers(0, ms(400)),
        st.sampled_from(["answer", "refuse", "down", "up", "tick"]),
        st.sampled_from(["line1", "line2"]),
    ),
    max_size=60,
)


@given(EVENTS)
def test_whatever_happens_somebody_is_used_and_only_answers_revive(events):
    watch = Watch(plan_of(simple((1, 1))), FAST)
    step, now, asked = watch.begin(0), 0, {}
    for wait, kind, name in events:
        before = step.health
        for probe in step.send:
            asked[probe.uplink] = probe
        now += wait
        event = {
            "answer": Answered(now, asked[name]),
            "refuse": Refused(now, asked[name]),
            "down": Carrier(now, name, False),
            "up": Carrier(now, name, True),
            "tick": Tick(now),
        }[kind]
        step = watch.take(before, event)
        assert step.health.used
        assert step.wake > step.health.now
        assert watch.take(before, event) == step
        for turn in step.turns:
            assert not turn.alive or kind == "answer"
        assert step.reroute == (step.health.used != before.used)
        assert {flush.uplink for flush in step.flushes} == set(before.used) - set(step.health.used)
