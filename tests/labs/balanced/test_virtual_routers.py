"""``kind: routeros``: a virtual RouterOS as a node of a lab."""

from __future__ import annotations

import pytest
import routeros_api

from compiler.balancing.compilation import compile_balance
from compiler.errors import InputErrors, UsageError
from compiler.simulator.engine import SECOND
from labs.agreement import in_both
from labs.boards import BEGINNING
from labs.building import SimulatedLab
from labs.kernel import run as run_in_kernel
from labs.kernel import why_not
from labs.lab_file import read_lab, read_lab_file
from labs.simulated import run as simulate
from labs.virtual_routeros.server import Server
from tests.labs.balanced.small import FIRST, intent, write_lab
from tests.labs.balanced.small import SECOND as SECOND_LINE
from tests.labs.balanced.test_balanced_routers import lines

ROUTER = "router: {kind: router, balance: {intent: intents/nth.yaml, target: linux}}"


def edge_lab(folder, router, script):
    """The small lab, its router a virtual RouterOS that begins with a script."""
    write_lab(folder)
    file = folder / "lab.yaml"
    text = file.read_text().partition("variants:")
    rest = text[2].partition("traffic:")
    assert ROUTER in text[0]
    file.write_text(text[0].replace(ROUTER, router) + rest[1] + rest[2])
    if script is not None:
        (folder / "edge.rsc").write_text(script)
    return folder


def compiled(version):
    return compile_balance(intent("nth"), "nth.yaml", f"routeros{version}").files[0][1]


@pytest.mark.parametrize("version", ["6.49.17", "7.18.2"])
def test_a_compiled_script_in_its_tables_deals_as_the_compiled_router_does(tmp_path, version):
    router = f"router: {{kind: routeros, configuration: edge.rsc, version: {version}}}"
    folder = edge_lab(tmp_path / "edge", router, compiled(version[0]))
    lab = read_lab(folder)
    assert lab.node("router").interfaces == ("LAN", "ISP1", "ISP2")
    assert lines(simulate(lab), "web-1", "web-2") == [FIRST, SECOND_LINE] * 8
    world = SimulatedLab(lab, 1)
    assert not any(row.properties.get("name") == BEGINNING for row in world.device("router").tables["file",].rows)


def test_what_the_api_changes_changes_the_way_of_packets(tmp_path):
    script = """\
/ip address add address=192.168.3.1/24 interface=LAN
/ip address add address=192.168.1.2/24 interface=ISP1
/ip address add address=192.168.2.2/24 interface=ISP2
/ip route add gateway=192.168.1.1
/ip firewall nat add chain=srcnat out-interface=ISP1 action=masquerade
/ip firewall nat add chain=srcnat out-interface=ISP2 action=masquerade
"""
    users = "users: {admin: secret}"
    router = f"router: {{kind: routeros, configuration: edge.rsc, {users}}}"
    lab = read_lab(edge_lab(tmp_path / "edge", router, script))
    assert set(lines(simulate(lab), "web-1", "web-2")) == {FIRST}
    world = SimulatedLab(lab, 1)
    with Server(world.device("router")) as server:
        host, port = server.address
        pool = routeros_api.RouterOsApiPool(host, port=port, username="admin", password="secret", plaintext_login=True)
        route = pool.get_api().get_resource("/ip/route")
        (own,) = route.get(gateway="192.168.1.1")
        route.set(id=own["id"], gateway="192.168.2.1")
        pool.disconnect()
    world.engine.run(2 * SECOND)
    frames = {name: world.links[name].forward.frames for name in ("wan1", "wan2")}
    answers = []
    world.host("pc1").sockets.echo(*_echo("192.0.2.10"), answers.append)
    world.engine.run(4 * SECOND)
    assert [one.failure for one in answers] == [None]
    assert world.links["wan1"].forward.frames == frames["wan1"]
    assert world.links["wan2"].forward.frames > frames["wan2"]


def _echo(text):
    from compiler.addresses import parse_address
    from compiler.fields import Family

    return Family.IPV4, parse_address(text)[0]


def test_a_device_of_what_is_no_virtual_router_is_refused(tmp_path):
    world = SimulatedLab(read_lab(write_lab(tmp_path / "lab")), 1)
    with pytest.raises(UsageError, match="'router' is no virtual RouterOS"):
        world.device("router")


def test_a_power_cut_ends_connections_and_keeps_the_tables(tmp_path):
    router = "router: {kind: routeros, configuration: edge.rsc}"
    folder = edge_lab(tmp_path / "edge", router, compiled(7))
    file = folder / "lab.yaml"
    file.write_text(file.read_text() + "faults: [{at: 100 ms, node: router, state: down, until: 300 ms}]\n")
    world = SimulatedLab(read_lab(folder), 1)
    rows = len(world.device("router").tables["ip", "firewall", "mangle"].rows)
    world.power("router", False)
    world.engine.run(2 * SECOND)
    assert world.nodes["router"].router.memory.connections.all() is not None
    world.power("router", True)
    answers = []
    world.host("pc1").sockets.echo(*_echo("192.0.2.10"), answers.append)
    world.engine.run(5 * SECOND)
    assert [one.failure for one in answers] == [None]
    assert len(world.device("router").tables["ip", "firewall", "mangle"].rows) == rows > 0


@pytest.mark.parametrize(
    ("router", "script", "said"),
    [
        ("{kind: routeros, version: 8.1}", None, "'8.1' is no version of RouterOS"),
        ("{kind: routeros, verison: 7.1}", None, "unknown key 'verison'; did you mean 'version'"),
        ("{kind: routeros, ports: [LAN, ISP1]}", None, "router has no interface 'ISP2'"),
        ("{kind: routeros, configuration: none.rsc}", None, "there is no file 'none.rsc'"),
        (
            "{kind: routeros, configuration: edge.rsc}",
            "/ip address add address=192.168.3.1/24 interface=LAN\n/ip route add gateway=1.2.3.4 distance=x\n",
            "edge.rsc",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path, router, script, said):
    with pytest.raises(InputErrors, match=said):
        read_lab(edge_lab(tmp_path / "edge", f"router: {router}", script))


def test_a_cable_in_a_port_that_the_configuration_does_not_name_is_warned_of(tmp_path):
    script = compiled(7).replace("ISP2", "ISP9")
    router = "router: {kind: routeros, ports: [LAN, ISP1, ISP2, ISP9], configuration: edge.rsc}"
    warnings = read_lab_file(edge_lab(tmp_path / "edge", router, script)).warnings
    assert any("does nothing with ISP2" in str(one) for one in warnings)


@pytest.mark.skipif(bool(why_not()), reason=str(why_not()))
def test_the_kernel_refuses_it_by_name_and_what_depends_on_it(tmp_path):
    lab = read_lab(edge_lab(tmp_path / "edge", "router: {kind: routeros, configuration: edge.rsc}", compiled(7)))
    real = run_in_kernel(lab)
    assert "virtual RouterOS (kind: routeros) runs in the simulator only" in dict(real.lacks)["node router"]
    assert in_both(lab, simulate(lab), real) == (0, 2)
