"""The switch: learns, floods, ages, fails."""

import pytest

from compiler.fields import Family
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import BROADCAST, Datagram
from compiler.simulator.link import Link, Wire
from compiler.simulator.node import Port, link_address
from compiler.simulator.switch import Switch


class Station:
    def __init__(self, name):
        self.name = name
        self.port = Port(self, "eth0", link_address(name, "eth0"))
        self.got = []
        self.carrier = []

    def receive(self, port, frame):
        self.got.append(frame)

    def carrier_changed(self, port, is_up):
        self.carrier.append(is_up)

    def send(self, to, size=100):
        frame = Datagram(Family.IPV4, 1, 2, 17, size)
        frame.link_destination = to if isinstance(to, int) else to.port.link_address
        self.port.send(frame)
        return frame


class Star:
    """Stations a, b, c, … around a switch."""

    def __init__(self, count=4, **settings):
        self.engine = Engine()
        self.switch = Switch(self.engine, "centre", **settings)
        self.stations = [Station(chr(97 + number)) for number in range(count)]
        self.links = {}
        for station in self.stations:
            ends = (station.port, self.switch.add_port(station.name))
            self.links[station.name] = Link(self.engine, station.name, ends, (Wire(), Wire()), "seed")

    def run(self, until=None):
        self.engine.run(until)
        return [len(station.got) for station in self.stations]


def test_the_unknown_is_flooded_and_the_known_is_not():
    star = Star()
    a, b, *_ = star.stations
    a.send(b)
    assert star.run() == [0, 1, 1, 1]
    b.send(a)
    assert star.run() == [1, 1, 1, 1]
    a.send(b)
    assert star.run() == [1, 2, 1, 1]
    assert (star.switch.flooded, star.switch.forwarded) == (1, 2)
    assert star.switch.addresses == {a.port.link_address: "a", b.port.link_address: "b"}


def test_groups_reach_all_others_as_copies():
    star = Star()
    frame = star.stations[0].send(BROADCAST)
    star.stations[0].send(0x01005E000001)
    assert star.run() == [0, 2, 2, 2]
    copies = [station.got[0] for station in star.stations[1:]]
    assert len({id(copy) for copy in (*copies, frame)}) == 4
    assert {copy.number for copy in copies} == {frame.number}
    copies[0].ttl -= 1
    assert copies[1].ttl == 64
    assert {copy.link_source for copy in copies} == {star.stations[0].port.link_address}


def test_nothing_goes_back_where_it_came_from():
    star = Star()
    a, b, *_ = star.stations
    b.send(a)
    star.run()
    frame = Datagram(Family.IPV4, 1, 2, 17, 100)
    frame.link_source, frame.link_destination = 0x020000000055, b.port.link_address
    b.port.direction.send(frame)  # somebody behind b, to b
    assert star.run() == [1, 0, 1, 1]
    assert star.switch.drops_same_port == 1


def test_addresses_age_and_move():
    star = Star()
    a, b, c, _ = star.stations
    a.send(b)
    star.run(100 * SECOND)
    b.send(a)
    assert star.run(400 * SECOND)[0] == 1
    assert star.switch.addresses == {}  # a was seen at 0 s, b at 100 s
    b.send(a)
    assert star.run(401 * SECOND) == [2, 1, 2, 2]  # flooded again
    b.port.link_address, c.port.link_address = c.port.link_address, b.port.link_address
    c.send(a)
    star.run(402 * SECOND)
    assert star.switch.addresses[c.port.link_address] == "c"


def test_a_full_table_floods_what_it_could_not_learn():
    star = Star(table_limit=2)
    a, b, c, d = star.stations
    for station in (a, b, c):
        station.send(d)
    star.run(SECOND)
    assert (len(star.switch.addresses), star.switch.drops_full) == (2, 1)
    d.send(c)
    assert star.run(2 * SECOND) == [3, 3, 3, 3]
    c.send(d)
    star.run(301 * SECOND)
    c.send(d)  # the old ones have left by now
    star.run(302 * SECOND)
    assert "c" in star.switch.addresses.values()


def test_a_lost_link_takes_its_addresses_with_it():
    star = Star()
    a, b, *_ = star.stations
    a.send(BROADCAST)
    b.send(BROADCAST)
    star.run()
    star.links["a"].set_up(False)
    assert star.switch.addresses == {b.port.link_address: "b"}
    star.links["a"].set_up(True)
    b.send(a)
    assert star.run()[0] == 2


def test_when_the_centre_fails_all_stops():
    star = Star()
    a, b, *_ = star.stations
    a.send(BROADCAST)
    b.send(a)
    before = star.run()
    star.switch.shut()
    assert [station.carrier for station in star.stations] == [[False]] * 4
    a.send(b)
    assert star.run() == before
    assert star.switch.drops_shut == 1
    star.switch.shut()
    star.switch.start()
    assert [station.carrier for station in star.stations] == [[False, True]] * 4
    b.send(a)  # it has forgotten everything: flooded
    assert star.run() == [before[0] + 1, before[1], before[2] + 1, before[3] + 1]


def test_a_frame_on_its_way_to_a_switch_that_fails_is_lost():
    star = Star()
    star.links["a"].forward.set_wire(Wire(delay=SECOND))
    star.stations[0].send(BROADCAST)
    star.engine.run(SECOND // 2)
    star.switch.shut()
    assert star.run() == [0, 0, 0, 0]
    assert star.switch.drops_shut == 1


def test_a_link_that_is_mended_while_the_centre_is_dead_stays_without_carrier():
    star = Star()
    star.links["a"].set_up(False)
    star.switch.shut()
    star.links["a"].set_up(True)
    star.run()
    assert star.stations[0].carrier[-1] is False
    star.switch.start()
    assert star.stations[0].carrier[-1] is True
    star.links["b"].set_up(False)
    star.switch.shut()
    star.switch.start()
    assert star.stations[1].carrier[-1] is False


def test_a_shut_port_lets_nothing_through():
    star = Star()
    a, b, *_ = star.stations
    b.send(a)
    star.run()
    star.switch.ports["b"].is_shut = True
    a.send(b)
    a.send(BROADCAST)
    b.send(a)
    assert star.run() == [1, 0, 2, 2]
    assert star.switch.drops_shut == 1


def test_ports_have_names_and_addresses_of_their_own():
    star = Star()
    addresses = [port.link_address for port in star.switch.ports.values()]
    assert len(set(addresses)) == 4
    assert all(address >> 40 & 3 == 2 for address in addresses)  # locally administered, no group
    assert link_address("centre", "a") == addresses[0] == Switch(Engine(), "centre").add_port("a").link_address
    assert link_address("centre", "a") != link_address("centrea", "")
    with pytest.raises(ValueError, match="centre has a port a already"):
        star.switch.add_port("a")
