"""Routers whose configuration is compiled from an intent when the lab is read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compiler.addresses import format_address
from compiler.errors import InputErrors
from labs.agreement import compare, in_both
from labs.kernel import run as run_in_kernel
from labs.kernel import why_not
from labs.lab_file import read_lab, read_lab_file
from labs.simulated import run as simulate
from tests.labs.balanced.small import CONNECTIONS, FIRST, SECOND, intent, write_lab

PORTS = ", ".join(str(40_000 + number) for number in range(30))
MANY = f"""\
traffic:
  - {{name: web, client: pc1, server: server, connect: http, connections: 30, every: 10 ms, source_ports: [{PORTS}]}}
"""
"""Of one client: who of two comes first, a busy machine decides."""

in_the_kernel = pytest.mark.skipif(bool(why_not()), reason=str(why_not()))


def lines(observation, *names):
    """As whom the server saw the connections, in the order of their beginnings."""
    records = [one for name in names for one in observation.outcome(name).connections]
    records.sort(key=lambda one: one.started)
    return [format_address(one.seen_as.address, 32) for one in records]


def test_nth_takes_the_lines_in_turn_whoever_asks(tmp_path):
    lab = read_lab(write_lab(tmp_path / "lab"))
    assert lines(simulate(lab), "web-1", "web-2") == [FIRST, SECOND] * 8


@pytest.mark.parametrize("variant", ["version-6", "version-7"])
def test_routeros_deals_as_linux_does(tmp_path, variant):
    folder = write_lab(tmp_path / "lab")
    linux, other = (simulate(read_lab(folder, variant=name)) for name in ("", variant))
    assert lines(other, "web-1", "web-2") == lines(linux, "web-1", "web-2")


def test_pcc_by_source_keeps_a_client_on_its_line(tmp_path):
    lab = read_lab(write_lab(tmp_path / "lab"), variant="pcc")
    observation = simulate(lab)
    assert [len(set(lines(observation, name))) for name in ("web-1", "web-2")] == [1, 1]


def test_what_stands_beside_the_intent_is_joined(tmp_path):
    folder = write_lab(tmp_path / "lab")
    file = folder / "lab.yaml"
    text = file.read_text().replace(
        "target: linux}}",
        "target: linux}, interfaces: {far: 10.9.0.1/24}, routes: [{to: 10.8.0.0/16, via: 10.9.0.2}]}",
    )
    text = text.replace("links:\n", "  extra: {kind: host, address: 10.9.0.2/24}\nlinks:\n  - [router:far, extra]\n", 1)
    file.write_text(text)
    network = read_lab(folder).node("router").configuration.network
    assert network.interface("far") is not None
    assert network.interface("ISP1").addresses
    assert any(route.prefix.length == 16 for route in network.routes)


# -- watching ------------------------------------------------------------------------


def test_several_uplinks_are_watched_unless_the_lab_says_no(tmp_path):
    folder = write_lab(tmp_path / "lab")
    file = folder / "lab.yaml"
    plain = file.read_text()
    assert read_lab(folder).node("router").balance.watch is not None
    assert read_lab(folder, variant="version-7").node("router").balance.watch is None
    file.write_text(plain.replace("target: linux}", "target: linux, watch: no}"))
    assert read_lab(folder).node("router").balance.watch is None
    file.write_text(plain.replace("target: linux}", "target: linux, watch: {interval: 100 ms, misses: 4}}"))
    watch = read_lab(folder).node("router").balance.watch
    assert (watch.interval, watch.timeout, watch.misses, watch.replies) == (100_000_000, 100_000_000, 4, 2)


# -- both worlds -----------------------------------------------------------------------


@in_the_kernel
@pytest.mark.parametrize("variant", ["", "pcc"])
def test_both_worlds_take_the_same_line_for_every_connection(tmp_path, variant):
    lab = read_lab(write_lab(tmp_path / "lab", MANY), variant=variant)
    simulated, real = simulate(lab), run_in_kernel(lab)
    assert [str(one) for one in compare(lab, simulated, real)] == []
    assert lines(real, "web") == lines(simulated, "web")


METHODS = {
    "failover": "",
    "address_list": "members: {second: 192.168.3.10}\n",
    "nth": "",
    "pcc": "fields: both-addresses-and-ports\n",
}


@in_the_kernel
@pytest.mark.parametrize("method", METHODS)
def test_every_method_takes_the_same_line_in_both_worlds(tmp_path, method):
    """With unequal weights."""
    folder = write_lab(tmp_path / "lab", MANY)
    text = intent(method, more=METHODS[method]).replace("gateway: 192.168.2.1", "gateway: 192.168.2.1, weight: 2")
    (folder / "intents/nth.yaml").write_text(text)
    lab = read_lab(folder)
    simulated, real = (run(lab, seed=77) for run in (simulate, run_in_kernel))
    seen = lines(simulated, "web")
    assert lines(real, "web") == seen
    assert len(set(seen)) == (1 if method in ("failover", "address_list") else 2)
    if method == "nth":
        assert seen.count(SECOND) == 2 * seen.count(FIRST)


@in_the_kernel
def test_ecmp_hashes_addresses_by_the_same_seed_in_both_worlds(tmp_path):
    traffic = (
        'traffic: [{name: "to-{13..31}", client: pc1, server: "192.0.2.{13..31}", connect: http}, '
        '{name: "also-{13..31}", client: pc2, server: "192.0.2.{13..31}", connect: http}]\n'
    )
    folder = write_lab(tmp_path / "lab", traffic)
    text = intent("ecmp").replace("gateway: 192.168.2.1", "gateway: 192.168.2.1, weight: 2")
    (folder / "intents/nth.yaml").write_text(text)
    lab = read_lab(folder)
    simulated, real, other = simulate(lab, seed=77), run_in_kernel(lab, seed=77), simulate(lab, seed=78)
    ways = [[lines(one, traffic.name) for traffic in lab.traffic] for one in (simulated, real, other)]
    assert ways[0] == ways[1] != ways[2]
    assert len({way for (way,) in ways[0]}) == 2


def lab_that_hashes_ports(tmp_path, traffic=MANY):
    folder = write_lab(tmp_path / "lab", traffic)
    (folder / "intents/nth.yaml").write_text(intent("ecmp"))
    file = folder / "lab.yaml"
    file.write_text(file.read_text().replace("target: linux}", "target: linux}, multipath: l4"))
    return read_lab(folder)


@in_the_kernel
def test_ecmp_hashes_ports_alike_in_both_worlds(tmp_path):
    """Though a TCP socket draws a hash for its packets: cables forget it."""
    lab = lab_that_hashes_ports(tmp_path)
    simulated, real = simulate(lab, seed=77), run_in_kernel(lab, seed=77)
    assert "hashes of ports" not in dict(real.lacks)
    assert lines(real, "web") == lines(simulated, "web")
    assert set(lines(real, "web")) == {FIRST, SECOND}
    assert [str(one) for one in compare(lab, simulated, real)] == []


@in_the_kernel
def test_a_kernel_that_cannot_hash_ports_as_a_wire_would_says_so(tmp_path, monkeypatch):
    def refused():
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("labs.kernel.world.forgetting_program", refused)
    lab = lab_that_hashes_ports(tmp_path)
    real = run_in_kernel(lab)
    assert dict(real.lacks)["hashes of ports"] == (
        "routes take the hash that a TCP socket draws, and cables cannot forget it (Operation not permitted)"
    )
    assert [str(one) for one in compare(lab, simulate(lab), real)] == []


@in_the_kernel
@pytest.mark.parametrize("method", ["pcc", "ecmp"])
def test_where_ports_are_hashed_and_hosts_choose_them_lines_are_not_compared(tmp_path, method):
    folder = write_lab(tmp_path / "lab", "traffic: [{name: web, client: pc1, server: server, connect: http}]\n")
    text = intent(method, more={"pcc": "fields: both-addresses-and-ports\n"}.get(method, ""))
    (folder / "intents/nth.yaml").write_text(text)
    lab = read_lab(folder)
    left = simulate(lab)
    (outcome,) = left.outcomes
    seen = outcome.connections[0].seen_as
    elsewhere = seen._replace(address=seen.address ^ 1)
    other = replace(
        left, outcomes=(replace(outcome, connections=(replace(outcome.connections[0], seen_as=elsewhere),)),)
    )
    assert bool(compare(lab, left, other)) == (method == "ecmp")  # which hashes addresses here


@in_the_kernel
def test_the_kernel_refuses_routeros_by_name(tmp_path):
    lab = read_lab(write_lab(tmp_path / "lab"), variant="version-7")
    simulated, real = simulate(lab), run_in_kernel(lab)
    assert dict(real.lacks)["node router"] == (
        "its balance is compiled for routeros7, and the kernel runs 'target: linux' only"
    )
    assert in_both(lab, simulated, real) == (0, 2)


# -- what is wrong ---------------------------------------------------------------------


def wrong(folder, variant=""):
    with pytest.raises(InputErrors) as caught:
        read_lab(folder, variant=variant)
    return [(one.span.source.rpartition("/")[2], one.span.line, one.message) for one in caught.value.errors]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("intents/nth.yaml, target", "intents/nht.yaml, target", "there is no file 'intents/nht.yaml'"),
        ("target: linux", "target: linus", "did you mean 'linux'"),
        ("target: linux", "traget: linux", "unknown key 'traget'; did you mean 'target'"),
        ("{intent: intents/nth.yaml, target: linux}", "{target: linux}", "has no 'intent'"),
        ("target: linux", "target: routeros7, watch: yes", "'watch' is for Linux"),
        ("target: linux", "target: linux, watch: {misses: 0}", "out of bounds"),
        ("target: linux", "target: linux, watch: {interval: 0 s}", "'interval' of nothing"),
        ("target: linux}", "target: linux}, configuration: |\n      x", "'balance' and 'configuration' exclude"),
    ],
)
def test_a_wrong_balance_is_one_error_at_its_place(tmp_path, old, new, said):
    folder = write_lab(tmp_path / "lab")
    file = folder / "lab.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1).replace("configuration: |\n      x}", "configuration: x}"))
    ((source, line, message),) = wrong(folder)
    assert (source, line) == ("lab.yaml", 8)
    assert said in message


def test_a_wrong_intent_is_told_in_its_own_file(tmp_path):
    folder = write_lab(tmp_path / "lab")
    intent = folder / "intents/nth.yaml"
    intent.write_text(intent.read_text().replace("gateway: 192.168.1.1", "gateway: 192.168.9.1"))
    ((source, line, message),) = wrong(folder)
    assert (source, line) == ("nth.yaml", 3)
    assert "192.168.9.1" in message


def test_what_linux_has_no_words_for_is_told_where_the_intent_is_named(tmp_path):
    folder = write_lab(tmp_path / "lab")
    intent = folder / "intents/nth.yaml"
    text = intent.read_text().replace("address: 192.168.1.2/24, gateway: 192.168.1.1", "dhcp: yes")
    intent.write_text(text)
    errors = wrong(folder)
    assert errors
    assert all(line for _, line, _ in errors)


def test_an_uplink_without_a_cable_is_warned_of(tmp_path):
    folder = write_lab(tmp_path / "lab")
    file = folder / "lab.yaml"
    file.write_text(
        file.read_text()
        .replace(
            '  - {name: "wan{1,2}", ends: ["router:ISP{1,2}", "modem{1,2}:lan"]}\n',
            '  - {name: wan1, ends: ["router:ISP1", "modem1:lan"]}\n'
            '  - {name: wan2, ends: ["internet:spare", "modem2:lan"]}\n',
        )
        .replace("servers: 192.0.2.1/24}", "servers: 192.0.2.1/24, spare: 192.168.2.2/24}")
    )
    (warning,) = read_lab_file(folder).warnings
    assert "ISP2 of nth.yaml is plugged in nowhere" in str(warning)
    assert warning.span.line == 8


def test_the_same_text_is_read_the_same_way_each_time(tmp_path):
    folder = write_lab(tmp_path / "lab", CONNECTIONS)
    first, second = (simulate(read_lab(folder)) for _ in range(2))
    assert first.outcomes == second.outcomes
