"""Laws of deploying: what was before does not show, a rollback takes all back, the same again is nothing."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.deploy.deployment import DeployError
from tests.compiler.balancing.intents import FULL, simple
from tests.compiler.deploy.routeros.devices import RELEASES, deploy, exported, made, pass_time, served

_EXAMPLES = 150 if os.environ.get("GERBANG_LONG") else 5
_METHODS = st.sampled_from(
    [("nth", ""), ("failover", ""), ("ecmp", ""), ("pcc", "fields: src-address\n"), ("pcc", "fields: both-addresses\n")]
)
_MORE = st.lists(
    st.sampled_from(
        [
            "exceptions: [{to: 203.0.113.0/24, via: line2}, {from: 192.168.3.7, direct: yes}]\n",
            "forwards: [{protocol: tcp, ports: 8080, to: 192.168.3.10:80}]\n",
            "fasttrack: no\n",
            "failback: immediate\n",
            "dns: {servers: 8.8.8.8, serve: yes}\n",
            "router: {via: line1}\n",
            "inside: [10.77.0.0/16]\n",
            "name: gate\n",
        ]
    ),
    unique=True,
    max_size=4,
).map("".join)


@st.composite
def _intents(draw: st.DrawFn) -> str:
    weights = tuple(draw(st.lists(st.integers(1, 3), min_size=2, max_size=3)))
    method, fields = draw(_METHODS)
    if method == "ecmp":
        weights = (1,) * len(weights)  # version 7 has no weights of routes
    if method == "ecmp":
        weights = (1,) * len(weights)  # RouterOS has no words for others
    shift = "\n" * draw(st.integers(0, 2))
    return shift + simple(weights, method, fields + draw(_MORE))


def _ours(text: str) -> list[str]:
    """Rows, without settings: those of the first intent stay where the second names none."""
    return [line for line in text.splitlines() if "gerbang" in line]


@settings(max_examples=_EXAMPLES, deadline=None)
@given(first=_intents(), second=_intents(), release=st.sampled_from(RELEASES), foreign=st.booleans())
def test_what_was_there_before_does_not_show(first: str, second: str, release: str, foreign: bool) -> None:
    device, fresh = made(release, foreign=foreign), made(release, foreign=foreign)
    with served(device) as server, served(fresh) as other:
        for text in (first, second):
            deployment = deploy(server, text)
            before = exported(device)
            if deployment.apply(60) is not None:
                deployment.roll_back()
                assert exported(device) == before, "a rollback takes everything back"
                deployment.apply(60)
                pass_time(device, 61)
                assert exported(device) == before, "so does the device alone"
                deployment.apply(60)
                deployment.confirm()
            assert deployment.plan() == ()
        alone = deploy(other, second)
        alone.apply(60)
        alone.confirm()
    assert _ours(exported(device)) == _ours(exported(fresh))
    assert not [line for line in device.log if "could not" in line]


def test_every_kind_of_line_and_all_of_the_intent() -> None:
    """Leases and PPPoE too; and back."""
    leases = """\
networks: {lan: {interface: LAN, address: 192.168.3.1/24}}
uplinks:
  a: {interface: ISP1, gateway: dhcp}
  b: {interface: ISP2, gateway: pppoe, user: "u$x", password: 'p"q\\{'}
  c: {interface: ISP3, gateway: dhcp, probes: 9.9.9.9}
method: nth
"""
    for release in RELEASES if _EXAMPLES > 100 else RELEASES[:1]:
        device = made(release, foreign=False)
        with served(device) as server:
            for text in (leases, FULL, leases):
                before = exported(device)
                deployment = deploy(server, text)
                deployment.apply(60)
                deployment.roll_back()
                assert exported(device) == before
                deployment.apply(60)
                deployment.confirm()
                assert deployment.plan() == ()
            assert not [line for line in device.log if "could not" in line]


def test_what_a_lease_filled_in_stays() -> None:
    text = """\
networks: {lan: {interface: LAN, address: 192.168.3.1/24}}
uplinks:
  a: {interface: ISP1, gateway: dhcp}
  b: {interface: ISP2, address: 10.2.0.2/24, gateway: 10.2.0.1}
method: %s
"""
    device = made(foreign=False)
    with served(device) as server:
        first = deploy(server, text % "nth")
        first.apply(60)
        first.confirm()
        for row in device.tables["ip", "route"].rows:
            if "gateway of a" in row.properties.get("comment", ""):
                device.call(("ip", "route"), "set", {".id": row.id, "gateway": "10.2.0.77", "disabled": "no"})
        assert first.plan() == ()
        before = exported(device)
        second = deploy(server, text % "failover")
        second.apply(60)
        live = [
            line for line in exported(device).splitlines() if line.startswith("/ip route") and "gateway of a" in line
        ]
        assert len(live) == 4, "in main, in the tables of both marks, in the table of the class"
        assert all("gateway=10.2.0.77" in line and "disabled" not in line for line in live), "new routes have it too"
        second.roll_back()
        assert exported(device) == before


def test_only_one_deployment_stands() -> None:
    device = made()
    with served(device) as server:
        one = deploy(server, simple((1, 1)))
        standing = one.apply(60)
        assert standing is not None
        assert one.standing() == standing
        before = exported(device)
        with pytest.raises(DeployError, match=rf"deployment {standing.identity} stands already and waits 60 s"):
            deploy(server, simple((1, 2))).apply(60)
        assert exported(device) == before
        pass_time(device, 59)
        with pytest.raises(DeployError, match="too late"):
            one.confirm()
        pass_time(device, 1)
        with pytest.raises(DeployError, match="no deployment waits there"):
            one.confirm()
        assert one.standing() is None
