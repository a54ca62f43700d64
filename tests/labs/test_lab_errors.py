"""Lab files that are wrong: all errors at once, each with its line, its column and what was expected."""

import pytest

from compiler.errors import InputErrors, UsageError
from labs.lab_file import read_lab


def errors(folder, **more):
    with pytest.raises(InputErrors) as caught:
        read_lab(folder, **more)
    return caught.value.errors


CHANGES = [
    # what is replaced, by what, the line of the error, what it says
    ("kind: host", "kind: hots", 3, "did you mean 'host'"),
    ("gateway: 10.0.0.1}", "gatewya: 10.0.0.1}", 3, "unknown key 'gatewya'; did you mean 'gateway'"),
    ("gateway: 10.0.0.1}", "gateway: 10.0.9.1}", 3, "10.0.9.1 is in none of the networks of pc"),
    ("gateway: 10.0.0.1}", "gateway: 10.0.0.2}", 3, "is the host itself"),
    ("address: 10.0.0.2/24", "address: 10.0.0.2", 3, "has no length"),
    ("address: 10.0.0.2/24", "address: 10.0.0.0/24", 3, "is the address of the network 10.0.0.0/24"),
    ("address: 10.0.0.2/24", "address: 10.0.0.255/24", 3, "is the broadcast address"),
    ("address: 10.0.0.2/24", "address: 10.0.0.1/24", 3, "is the host itself"),
    ("address: 10.0.0.2/24", "address: 10.0.0.256/24", 3, "is above 255"),
    ("address: 10.0.0.2/24", "address: 10.0.0.2/33", 3, "at most 32"),
    ("address: 10.0.0.2/24", "address: [10.0.0.2/24, 10.0.0.2/24]", 3, "stands twice"),
    ("address: 10.0.0.2/24, gateway: 10.0.0.1", "address: 10.0.5.2/24", 3, "they share no network"),
    ("address: 10.0.0.2/24, gateway: 10.0.0.1", "address: 10.0.0.1/24", 4, "10.0.0.1 of router is pc's too"),
    ("lan: 10.0.0.1/24", "lan: 10.0.0.1/24, spare: 10.9.0.1/24", 6, "router:spare is plugged in nowhere"),
    ("services: [http, source]", "services: [htpp]", 7, "did you mean 'http'"),
    ("services: [http, source]", "services: [http, {name: echo, port: 80}]", 7, "tcp port 80 is taken by 'http'"),
    (
        "services: [http, source]",
        "services: [{name: http, pgae: {/: 1}}]",
        7,
        "unknown key 'pgae'; did you mean 'page'",
    ),
    ("services: [http, source]", "services: [{name: dns, zone: {a.test: 10.0.0.999}}]", 7, "is above 255"),
    ("services: [http, source]", "services: [{name: dns, zone: a.test}]", 7, "expected pairs, such as"),
    ("services: [http, source]", "services: [{name: ftp, passive-ports: 9-x}]", 7, "'x' is no port"),
    ("services: [http, source]", "services: [{name: ftp, file: {a: big}}]", 7, "expected a size"),
    ("[pc, router:lan]", "[pcc, router:lan]", 9, "unknown node 'pcc'; did you mean 'pc'"),
    ("[pc, router:lan]", "[pc, router:la]", 9, "router has no interface 'la'; did you mean 'lan'"),
    ("[pc, router:lan]", "[pc, router:wan]", 10, "router:wan has a link already (line 9)"),
    ("[pc, router:lan]", "[pc]", 9, "a link has two ends"),
    ("[pc, router:lan]", "[pc:eth1, router:lan]", 9, "pc has no interface 'eth1'"),
    ("rate: 3 Mbit/s", "rate: 3 Mbps", 10, "did you mean 'Mbit/s'"),
    ("delay: 10 ms", "delay: 10", 10, "has no unit"),
    ("delay: 10 ms", "queue: 50", 10, "has no unit: expected a length such as '50 packets'"),
    ("delay: 10 ms", "los: 1 %", 10, "did you mean 'loss'"),
    ("name: web, client: pc", "name: web, client: pd", 12, "unknown node 'pd'"),
    ("name: web, client: pc", "name: web, client: router", 12, "router is a router: only hosts and servers"),
    ("name: web, client: pc", "name: closed, client: pc", 13, "two activities 'closed'"),
    ("server: server, http: /", "server: serve, http: /", 12, "neither a node nor an address; did you mean 'server'"),
    ("server: server, http: /", "server: server, htpp: /", 12, "unknown key 'htpp'; did you mean 'http'"),
    ("server: server, http: /", "server: server, http: /, ping: 1", 12, "here 'http' and 'ping'"),
    ("server: server, http: /", "http: /", 12, "'http' needs a 'server'"),
    ("server: server, http: /", "server: server, family: ipv6, http: /", 12, "has no IPv6 address"),
    ("http: /, at: 1 s", "download: {}", 12, "needs octets"),
    ("http: /, at: 1 s", "forum: {visits: [3 s, 1 s]}", 12, "visits: one after the other expected"),
    ("http: /, at: 1 s", "forum: {visits: [1 s]}, connections: 2", 12, "'visits' and 'connections' exclude each other"),
    ("http: /, at: 1 s", "forum: {visits: [soon]}", 12, "expected a time"),
    ("http: /, at: 1 s", "dns: a..b", 12, "expected labels of 1 to 63 characters"),
    ("http: /, at: 1 s", "connect: 99999", 12, "is no port"),
    ("http: /, at: 1 s", "connect: htp", 12, "did you mean 'http'"),
    ("http: /, at: 1 s", "udp: {rate: 1 Mbit/s}", 12, "how long?"),
    ("http: /, at: 1 s", "udp: {rate: 1 Mbit/s, arrivals: poison, count: 1}", 12, "did you mean 'poisson'"),
    ("http: /, at: 1 s", "http: /, at: 99 s", 16, None),
    ("server: server, http: /, at: 1 s", "packets: ['tcp 10.0.0.2 > ']", 12, "column 16"),
    ("server: server, http: /, at: 1 s", "replay: no.pcap", 12, "there is no file 'no.pcap'"),
    ("server: server, http: /, at: 1 s", "replay: /dev/null", 12, "'/dev/null' in"),
    ("link: wan, state: down", "link: wann, state: down", 15, "unknown link 'wann'; did you mean 'wan'"),
    ("link: wan, state: down", "node: pcc, state: down", 15, "unknown node 'pcc'"),
    ("link: wan, state: down", "link: wan, state: broken", 15, "'broken' is not known here"),
    ("link: wan, state: down", "link: wan", 15, "a 'state' (down or up), a 'flap' or a 'change'"),
    ("link: wan, state: down", "link: wan, node: pc, state: down", 15, "exclude each other"),
    ("link: wan, state: down", "link: wan, state: down, until: 4 s", 15, "comes after 'at'"),
    ("at: 5 s, link", "at: 5, link", 15, "has no unit"),
    ("- connected: web", "- conected: web", 17, "unknown word 'conected'; did you mean 'connected'"),
    ("- connected: web", "- connected: webb", 17, "no activity is called 'webb'; did you mean 'web'"),
    ("- connected: web", "- connected: {traffic: web, atfer: 1 s}", 17, "unknown key 'atfer'; did you mean 'after'"),
    ("- connected: web", "- {connected: web, refused: web}", 17, "a second word 'refused'"),
    ("- connected: web", "- throughput: {traffic: web, at_least: 3 MB}", 17, "unknown unit 'MB'"),
    ("- connected: web", "- dropped: {node: pcc}", 17, "unknown node 'pcc'"),
    ("- connected: web", "- seen_as: {traffic: web, address: 10.0.0}", 17, "is not an IPv4 address"),
    ("- connected: web", "- seen_as: web", 17, "seen_as needs 'address'"),
    ("- connected: web", "- connected_only: web", 17, "needs either 'to' or 'except'"),
    ("- connected: web", "- filtered: {traffic: web, how: loud}", 17, "'loud' is not known here"),
    ("- connected: web", "- {connected: web, worlds: [kernle]}", 17, "did you mean 'kernel'"),
    ("- connected: web", "- connected", 17, "expected a word with its target"),
    ("name: small", "nmae: small", 1, "unknown key 'nmae'; did you mean 'name'"),
    ("name: small", "name: small\nclock: yesterday", 2, "expected a moment such as"),
    ("name: small", "name: small\narp: maybe", 2, "expected true or false"),
    ("name: small", "name: small\nseed: -1", 2, "out of bounds"),
]


@pytest.mark.parametrize(("old", "new", "line", "said"), CHANGES, ids=[f"{new}" for _, new, _, _ in CHANGES])
def test_a_mistake_is_said_where_it_is(lab_folder, small, old, new, line, said):
    assert old in small
    folder = lab_folder(small.replace(old, new, 1))
    if said is None:  # a lab lasts as long as its traffic
        assert read_lab(folder).duration == 100_000_000_000
        return
    found = errors(folder)
    right = [error for error in found if error.span.line == line and said in error.message]
    assert right, [str(error) for error in found]
    assert right[0].span.source == str(folder / "lab.yaml")
    rendered = right[0].render()
    assert rendered.startswith(f"{folder}/lab.yaml:{line}:")
    assert "^" in rendered


def test_many_errors_come_in_one_go_in_the_order_of_their_lines(lab_folder, small):
    text = small.replace("gateway: 10.0.0.1}", "gatewya: 10.0.0.1}").replace("rate: 3 Mbit/s", "rate: 3")
    text = text.replace("http: /,", "http: /, when: 3 s,").replace("refused: closed", "refuse: closed")
    found = errors(lab_folder(text))
    assert [error.span.line for error in found] == [3, 10, 12, 18]


def test_errors_of_a_configuration_have_their_own_file(lab_folder, small):
    text = small.replace("    kind: router\n", "    kind: router\n    configuration: r.nft\n")
    (error,) = errors(lab_folder(text, r__nft="table ip t {\n  chain c { tcp dport htpp accept; }\n}\n"))
    assert error.span.source.endswith("r.nft")
    assert error.span.line == 2


def test_errors_of_a_configuration_in_the_lab_file_have_its_lines(lab_folder, small):
    block = "    configuration: |\n      table ip t {\n        chain c { tcp dport htpp accept; }\n      }\n"
    (error,) = errors(lab_folder(small.replace("    kind: router\n", f"    kind: router\n{block}")))
    assert error.span.source.endswith("lab.yaml")
    assert error.span.line == 8
    assert "htpp" in error.render()


def test_a_missing_configuration_has_a_near_name(lab_folder, small):
    text = small.replace("    kind: router\n", "    kind: router\n    configuration: routre.nft\n")
    (error,) = errors(lab_folder(text, router__nft="table ip t { }\n"))
    assert "did you mean 'router.nft'" in error.message


def test_the_same_address_is_right_on_another_link(lab_folder):
    lab = read_lab(
        lab_folder(
            "nodes:\n  a: {kind: host, address: 10.0.0.2/24}\n  b: {kind: host, address: 10.0.0.3/24}\n"
            "  c: {kind: host, address: 10.0.0.2/24}\n  d: {kind: host, address: 10.0.0.3/24}\n"
            "links:\n  - [a, b]\n  - [c, d]\n"
        )
    )
    assert len(lab.nodes) == 4


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"variant": "x"}, "there is no variant 'x'"),
        ({"settings": {"x": "1"}}, "the lab has no parameter 'x'"),
    ],
)
def test_a_wrong_choice_is_a_usage_error(lab_folder, small, more, said):
    with pytest.raises(UsageError, match=said):
        read_lab(lab_folder(small), **more)


def test_a_folder_without_a_lab_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"there is no lab\.yaml"):
        read_lab(tmp_path)
