"""A law of all networks: after A, then B taken back, the kernel is exactly as after A."""

from __future__ import annotations

import dataclasses
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.services.network import applying
from appliance.services.network.model import Interface, NetworkDescription, Policy, Route, Settings
from appliance.services.network.rules import problems
from tests.appliance.services.network.wires import Wires, needs_kernel, written

pytestmark = needs_kernel

V4 = [f"10.{net}.0.{host}/{length}" for net in (1, 2) for host in (1, 2, 3) for length in (24, 25)]
V6 = [f"2001:db8:{net}::{host}/64" for net in (1, 2) for host in (1, 2)]
TARGETS = ["0.0.0.0/0", "203.0.113.0/24", "::/0", "2001:db8:ff::/48"]
GATEWAYS = ["10.1.0.7", "10.2.0.9", "2001:db8:1::7", "2001:db8:2::9", ""]
POLICIES = (
    Policy(name="A", text="ip access-list extended A\n permit tcp any any eq 22\n permit icmp any any\n"),
    Policy(name="B", text="ip access-list extended B\n deny udp any any\n permit ip any any\nipv6 access-list B\n"),
)
interfaces = st.builds(
    Interface,
    name=st.just(""),
    addresses=st.lists(st.sampled_from(V4 + V6), max_size=4, unique_by=lambda text: text.partition("/")[0]).map(tuple),
    enabled=st.sampled_from([True, True, True, False]),
    mtu=st.sampled_from([0, 1400, 1500]),
    filter_in=st.sampled_from([None, None, "A", "B"]),
)


@st.composite
def networks(draw) -> NetworkDescription:
    """Two interfaces; of the routes, those that the rules let be."""
    found = []
    taken: set[str] = set()
    for name in ("lan", "wan"):
        one = dataclasses.replace(draw(interfaces), name=name)
        kept = tuple(text for text in one.addresses if text.partition("/")[0] not in taken)
        taken |= {text.partition("/")[0] for text in kept}
        found.append(dataclasses.replace(one, addresses=kept))
    whole = NetworkDescription(
        interfaces=tuple(found), policies=POLICIES, settings=Settings(forward=draw(st.booleans()))
    )
    for number in range(draw(st.integers(0, 4))):
        destination = draw(st.sampled_from(TARGETS))
        gateway = draw(st.sampled_from([one for one in GATEWAYS if not one or (":" in one) == (":" in destination)]))
        route = Route(
            name=f"r{number}",
            destination=destination,
            gateway=gateway,
            metric=draw(st.sampled_from([0, 7])),
            kind="unicast" if gateway else draw(st.sampled_from(["blackhole", "unreachable"])),
        )
        more = dataclasses.replace(whole, routes=(*whole.routes, route))
        if not any(one.severity == "error" for one in problems(more)):
            whole = more
    return whole


def _law(tmp_path_factory, first: NetworkDescription, second: NetworkDescription) -> None:
    tmp_path = tmp_path_factory.mktemp("law")
    with Wires(tmp_path) as wires, wires.nodes["appliance"].inside():
        wires.ip(
            "appliance", "addr add 10.9.0.1/24 dev lan", "route add 192.0.2.0/24 via 10.9.0.7 dev lan proto static"
        )
        nothing = wires.stands()
        one, two = written(tmp_path / "1", first), written(tmp_path / "2", second)
        applying.apply(None, one, 60, folders=wires.folders)
        if applying.standing(folders=wires.folders) is not None:
            applying.confirm(folders=wires.folders)
        stood = wires.stands()
        assert applying.differences(one, folders=wires.folders) == ()
        if applying.apply(one, two, 60, folders=wires.folders) is not None:
            assert applying.differences(two, folders=wires.folders) == ()
            applying.roll_back(folders=wires.folders)
        assert wires.stands() == stood
        applying.apply(one, None, 60, folders=wires.folders)
        if not any(not interface.enabled or interface.mtu for interface in first.interfaces):
            assert wires.stands() == nothing


@pytest.fixture(autouse=True)
def _without_guardian(monkeypatch):
    """Every other test has one; here it would take most of the time, and never acts."""
    monkeypatch.setattr(applying.guardian, "arm", lambda *given: None)


@settings(
    max_examples=80 if os.environ.get("GERBANG_LONG") else 5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(networks(), networks())
def test_what_is_taken_back_is_exactly_what_was(tmp_path_factory, first, second):
    _law(tmp_path_factory, first, second)
