"""Lab files that are right: every part of the schema, as the lab describes it."""

from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.network import NextHop, RouteKind
from compiler.policy.stateful import MarkIn, Register
from labs.lab_file import find_labs, read_lab, read_lab_file
from labs.topology import Attachment, FaultKind, HostAddress, LinkDirection, NodeKind, Service, TrafficKind

MILLISECOND = 1_000_000


def test_the_small_lab_is_what_it_says(small_lab):
    assert [node.name for node in small_lab.nodes] == ["pc", "router", "server"]
    pc, router, server = small_lab.nodes
    assert pc.addresses == (HostAddress("eth0", Family.IPV4, 0x0A000002, 24),)
    assert pc.gateways == ((Family.IPV4, 0x0A000001),)
    assert router.kind is NodeKind.ROUTER
    assert router.configuration.policy is None
    assert [interface.name for interface in router.configuration.network.interfaces] == ["lan", "wan"]
    assert [(service.name, service.port) for service in server.services] == [("http", 80), ("source", 19)]
    assert [link.name for link in small_lab.links] == ["pc-router", "wan"]
    assert small_lab.links[0].ends == (Attachment("pc", "eth0"), Attachment("router", "lan"))
    assert small_lab.links[1].up == LinkDirection(3_000_000, 10 * MILLISECOND)
    assert [(one.name, one.kind, one.port) for one in small_lab.traffic] == [
        ("web", TrafficKind.HTTP, 80),
        ("closed", TrafficKind.CONNECT, 81),
    ]
    assert small_lab.faults[0].kind is FaultKind.LINK_DOWN
    assert [assertion.word for assertion in small_lab.assertions] == ["connected", "refused"]
    assert small_lab.assertions[1].span.line == 18


def test_a_refusal_that_is_asserted_is_no_warning(lab_folder, small):
    assert read_lab_file(lab_folder(small)).warnings == ()
    (warning,) = read_lab_file(lab_folder(small.replace("  - refused: closed\n", ""))).warnings
    assert "nothing serves tcp port 81 of server" in warning.message
    assert warning.span.line == 13


def nodes(lab_folder, text, links="  - [a, b]", more=""):
    """The nodes of a lab of these nodes."""
    return read_lab(lab_folder(f"nodes:\n{text}\nlinks:\n{links}\n{more}"))


def test_hosts_have_many_interfaces_families_and_gateways(lab_folder):
    lab = nodes(
        lab_folder,
        "  a:\n    kind: host\n    interfaces: {eth0: [10.0.0.2/24, '2001:db8::2/64'], eth1: 10.1.0.2/24}\n"
        "    gateway: [10.0.0.1, '2001:db8::1']\n    name_server: 10.0.0.1\n"
        "  b: {kind: server, address: [10.0.0.1/24, '2001:db8::1/64'], services: []}\n"
        "  c: {kind: host, address: 10.1.0.3/24, state: down}",
        "  - [a:eth0, b]\n  - [c, a:eth1]",
    )
    a, _, c = lab.nodes
    assert a.interfaces == ("eth0", "eth1")
    assert a.gateways == ((Family.IPV4, 0x0A000001), (Family.IPV6, 0x20010DB8 << 96 | 1))
    assert a.name_server == 0x0A000001
    assert not c.is_up


def test_services_have_ports_and_settings(lab_folder):
    lab = nodes(
        lab_folder,
        "  a: {kind: host, address: 10.0.0.2/24}\n  b:\n    kind: server\n    address: 10.0.0.1/24\n    services:\n"
        "      - ftp\n      - {name: echo, port: 7777}\n      - {name: http, port: 8080, page: {/big: 5 kB}}\n"
        "      - {name: dns, zone: {a.test: [10.0.0.1, 10.0.0.2], b.test: 10.0.0.3}}",
    )
    services = lab.nodes[1].services
    assert [service._replace(span=Service("", 0).span) for service in services] == [
        Service("ftp", 21),
        Service("echo", 7777),
        Service("http", 8080, (("page", "/big=5000"),)),
        Service("dns", 53, (("zone", "a.test=10.0.0.1"), ("zone", "a.test=10.0.0.2"), ("zone", "b.test=10.0.0.3"))),
    ]


ROUTER = """\
  a: {kind: host, address: 10.0.0.2/24}
  b: {kind: host, address: 10.1.0.2/24}
  r:
    kind: router
    interfaces: {one: 10.0.0.1/24, two: 10.1.0.1/24}
    multipath: l4
    tracking: off
    routes:
      - {to: default, via: 10.1.0.9, table: isp1, metric: 5, check: ping, src: 10.0.0.1}
      - {to: 192.0.2.0/24, via: [10.0.0.9, {address: 10.1.0.9, weight: 3}]}
      - {to: 198.51.100.0/24, type: blackhole}
      - {to: 203.0.113.0/24, dev: two}
    rules:
      - {priority: 90, table: main, suppress: 0}
      - {priority: 100, mark: 0x1/0xff, from: 10.0.0.0/24, iif: one, table: isp1}
"""


def test_a_linux_router_has_routes_and_rules(lab_folder):
    lab = nodes(lab_folder, ROUTER, "  - [a, r:one]\n  - [b, r:two]")
    network = lab.node("r").configuration.network
    assert network.multipath_policy == "l4"
    assert network.tracking is False
    default, several, black, direct = network.routes
    assert (default.table, default.distance, default.check_gateway.value) == ("isp1", 5, "ping")
    assert default.next_hops == (NextHop(0x0A010009),)
    assert default.preferred_source == 0x0A000001
    assert several.next_hops == (NextHop(0x0A000009), NextHop(0x0A010009, "", 3))
    assert black.kind is RouteKind.BLACKHOLE
    assert direct.next_hops == (NextHop(None, "two"),)
    main, marked = network.rules
    assert main.suppress_prefix_length == 0
    assert marked.mark == MarkIn(Register.PACKET, IntegerSet.values(1), 0xFF)
    assert (marked.ingress, marked.table, marked.priority) == ("one", "isp1", 100)


def test_a_configuration_brings_its_interfaces_and_its_policy(lab_folder):
    folder = lab_folder(
        "nodes:\n  a: {kind: host, address: 10.0.0.2/24}\n  r: {kind: router, configuration: r.cfg}\n"
        "links:\n  - [a, 'r:GigabitEthernet0/1']\n",
        r__cfg="hostname r\ninterface GigabitEthernet0/1\n ip address 10.0.0.1 255.255.255.0\n"
        "interface GigabitEthernet0/2\n ip address 10.1.0.1 255.255.255.0\n",
    )
    router = read_lab(folder).node("r")
    assert router.configuration.dialect == "ios"
    assert router.interfaces == ("GigabitEthernet0/1", "GigabitEthernet0/2")
    assert router.configuration.policy is not None


def test_a_configuration_may_stand_in_the_lab_file_and_its_errors_point_there(lab_folder):
    text = ROUTER.replace("    multipath: l4\n", "    configuration: |\n      table ip t {\n      }\n")
    lab = nodes(lab_folder, text, "  - [a, r:one]\n  - [b, r:two]")
    assert lab.node("r").configuration.dialect == "nftables"
    assert lab.node("r").configuration.path is None


def test_a_modem_masquerades_towards_its_uplink(lab_folder):
    lab = nodes(
        lab_folder,
        "  a: {kind: host, address: 192.168.1.2/24, gateway: 192.168.1.1}\n"
        "  m: {kind: modem, interfaces: {lan: 192.168.1.1/24, wan: 192.0.2.2/24}, uplink: wan, gateway: 192.0.2.1}\n"
        "  b: {kind: host, address: 192.0.2.1/24}",
        "  - [a, m:lan]\n  - [m:wan, b]",
    )
    modem = lab.node("m")
    assert modem.uplink == "wan"
    assert 'oifname "wan" masquerade' in modem.configuration.text
    assert modem.configuration.network.routes[0].next_hops == (NextHop(0xC0000201),)


def test_braces_make_many_nodes_links_and_activities(lab_folder):
    lab = read_lab(
        lab_folder(
            "nodes:\n  s: {kind: switch}\n  web: {kind: server, address: 10.0.0.250/24, services: [http]}\n"
            '  "pc{1..100}": {kind: host, address: "10.0.0.{1..100}/24"}\n'
            'links:\n  - [web, s]\n  - ["pc{1..100}", s]\n'
            'traffic:\n  - {name: "get-{1..100}", client: "pc{1..100}", server: web, http: /}\n'
            "assert:\n  - connected: get-*\n"
        )
    )
    assert len(lab.nodes) == 102
    assert len({node.addresses for node in lab.nodes[2:]}) == 100
    assert len(lab.links) == 101
    assert len({link.ends[1].interface for link in lab.links}) == 101
    assert [one.client for one in lab.traffic] == [f"pc{number}" for number in range(1, 101)]


def test_links_have_ways_queues_and_states(lab_folder):
    lab = nodes(
        lab_folder,
        "  a: {kind: host, address: 10.0.0.1/24}\n  b: {kind: host, address: 10.0.0.2/24, wireless: true}\n"
        "  c: {kind: host, interfaces: {x: 10.0.1.1/24, y: 10.0.2.1/24}}\n"
        "  d: {kind: host, interfaces: {x: 10.0.1.2/24, y: 10.0.2.2/24}}",
        "  - {ends: [a, b]}\n"
        "  - {name: adsl, ends: [c:x, d:x], delay: 10 ms, up: {rate: 512 kbit/s, queue: 64 KiB},"
        " down: {rate: 3 Mbit/s, queue: unlimited, loss: 0.1 %}, mtu: 1492}\n"
        "  - {ends: [c, d], state: down}",
    )
    radio, adsl, spare = lab.links
    assert radio.up.rate == 25_000_000
    assert adsl.up == LinkDirection(512_000, 10 * MILLISECOND, None, 65_536)
    assert adsl.down == LinkDirection(3_000_000, 10 * MILLISECOND, None, None, 0.001)
    assert adsl.mtu == 1492
    assert not spare.is_up
    assert spare.ends == (Attachment("c", "y"), Attachment("d", "y"))


FAULTS = """\
faults:
  - {at: 3 s, link: wan, flap: {count: 3, down: 100 ms, up: 1 s}}
  - {at: 1 s, until: 2 s, link: wan, state: down, direction: up}
  - {at: 4 s, link: wan, change: {rate: 1 Mbit/s, down: {loss: 1 %}}}
  - {at: 5 s, node: router, state: down}
"""


def test_faults_come_in_their_order_and_mend_themselves(lab_folder, small):
    text = small.partition("faults:")[0] + FAULTS
    faults = read_lab(lab_folder(text)).faults
    assert [(fault.kind.value, fault.target, fault.at // 1_000_000_000) for fault in faults] == [
        ("link-down", "wan", 1),
        ("link-up", "wan", 2),
        ("link-flap", "wan", 3),
        ("link-change", "wan", 4),
        ("node-down", "router", 5),
    ]
    assert [fault.direction for fault in faults[:2]] == ["up", "up"]
    assert (faults[2].count, faults[2].duration, faults[2].interval) == (3, 100 * MILLISECOND, 1000 * MILLISECOND)
    assert faults[3].up == LinkDirection(1_000_000, 10 * MILLISECOND)
    assert faults[3].down == LinkDirection(1_000_000, 10 * MILLISECOND, loss=0.01)


TRAFFIC = """\
traffic:
  - {name: many, client: pc, server: server, connect: http, connections: 9, every: 50 ms, source_ports: [1, 2]}
  - {name: down, client: pc, server: server, download: 5 MB}
  - {name: up, client: pc, server: server, upload: {port: 7}, duration: 3 s}
  - {name: get, client: pc, server: server, http: {path: /a, port: 8080, count: 2}}
  - {name: file, client: pc, server: server, ftp: {octets: 1 MB, mode: active}}
  - {name: name, client: pc, server: server, dns: {name: www.test, type: AAAA}}
  - {name: threads, client: pc, server: server, forum: {visits: [0 s, 3 s, 134 s], octets: 4 kB, port: 8081}}
  - {name: echo, client: pc, server: 192.0.2.9, ping: {count: 5, size: 100}}
  - {name: path, client: pc, server: server, traceroute: }
  - name: flow
    client: pc
    server: server
    udp: {arrivals: on-off, rate: 1 Mbit/s, on: 500 ms, off: 2 s}
    duration: 5 s
  - name: raw
    client: pc
    packets:
      - tcp 10.0.0.2:1 > 192.0.2.9:80 flags=syn
      - {packet: icmp 10.0.0.2 > 192.0.2.9 echo, times: 3}
  - {name: again, client: pc, replay: old.pcap}
  - {name: real, client: pc, server: server, run: {command: [sh, -c, "exit 3"], environment: {A: b}}, connections: 2}
"""


def test_every_kind_of_activity_is_read(lab_folder, small):
    text = small.partition("traffic:")[0] + TRAFFIC
    found = {one.name: one for one in read_lab(lab_folder(text, old__pcap="")).traffic}
    assert {one.kind for one in found.values()} == set(TrafficKind)
    command = found["real"].command
    assert (command.words, command.environment) == (("sh", "-c", "exit 3"), (("A", "b"),))
    assert (found["real"].connections, found["real"].timeout) == (2, 60_000 * MILLISECOND)
    assert [moment // 1_000_000_000 for moment in found["threads"].moments] == [0, 3, 134]
    assert (found["threads"].connections, found["threads"].octets, found["threads"].port) == (3, 4000, 8081)
    assert (found["many"].connections, found["many"].interval, found["many"].source_ports) == (
        9,
        50 * MILLISECOND,
        (1, 2),
    )
    assert (found["down"].octets, found["down"].port) == (5_000_000, 19)
    assert (found["up"].octets, found["up"].port, found["up"].duration) == (None, 7, 3000 * MILLISECOND)
    assert (found["get"].query, found["get"].port, found["get"].count) == ("/a", 8080, 2)
    assert (found["file"].query, found["file"].mode) == ("1000000", "active")
    assert found["name"].query == "www.test AAAA"
    assert (found["echo"].count, found["echo"].size, found["echo"].interval) == (5, 100, 1000 * MILLISECOND)
    assert found["flow"].shape == (("on", 0.5), ("off", 2.0))
    assert [spec.times for spec in found["raw"].packets] == [1, 3]
    assert found["again"].capture.name == "old.pcap"


def test_parameters_variants_and_settings(lab_folder, small):
    text = small.replace("10.0.0.2/24", '"10.0.0.${host}/24"')
    text += "parameters: {host: 2}\nvariants:\n  other: {host: 3}\n"
    folder = lab_folder(text)

    def host(**more):
        return read_lab(folder, **more).node("pc").addresses[0].address & 255

    assert host() == 2
    assert host(variant="other") == 3
    assert host(variant="other", settings={"host": "4"}) == 4
    assert read_lab_file(folder).variants == ("other",)


def test_labs_are_found_by_their_files(lab_folder, small):
    folder = lab_folder(small)
    (folder / "sub").mkdir()
    (folder / "sub" / "lab.yaml").write_text(small)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "lab.yaml").write_text(small)
    assert find_labs(folder) == (folder, folder / "sub")
