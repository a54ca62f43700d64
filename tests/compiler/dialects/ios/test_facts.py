"""The name tables against the kernel's tools and the system's registries."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from compiler.dialects.ios.facts import DSCP, PROTOCOLS, list_kind
from compiler.dialects.ios.icmp import ICMP_NAMES, ICMPV6_NAMES
from compiler.dialects.ios.ports import TCP_PORTS, UDP_PORTS
from compiler.fields import Family
from compiler.policy.access_list import ListKind
from tests.compiler.dialects.nftables.rulesets import code_number

needs_nft = pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")


def described(*words):
    """What ``nft describe`` lists: name -> number."""
    text = subprocess.run(["nft", "describe", *words], capture_output=True, text=True, check=True).stdout
    return {name: int(number, 0) for name, number in re.findall(r"^\t(\S+)\s+(\S+)$", text, re.M)}


@needs_nft
def test_icmp_types():
    kernel = described("icmp", "type")
    ours = {
        "echo": "echo-request",
        "unreachable": "destination-unreachable",
        "information-request": "info-request",
        "information-reply": "info-reply",
        "mask-request": "address-mask-request",
        "mask-reply": "address-mask-reply",
    }
    for name in ("echo-reply", "source-quench", "redirect", "router-advertisement", "router-solicitation"):
        ours[name] = name
    for name in ("time-exceeded", "parameter-problem", "timestamp-request", "timestamp-reply"):
        ours[name] = name
    for name, theirs in ours.items():
        assert ICMP_NAMES[name] == (kernel[theirs], None)
    assert set(kernel) == set(ours.values())


@needs_nft
def test_icmp_codes():
    ours = {
        "net-unreachable": "net-unreachable",
        "host-unreachable": "host-unreachable",
        "protocol-unreachable": "prot-unreachable",
        "port-unreachable": "port-unreachable",
        "packet-too-big": "frag-needed",
        "dod-net-prohibited": "net-prohibited",
        "dod-host-prohibited": "host-prohibited",
        "administratively-prohibited": "admin-prohibited",
    }
    assert {name: ICMP_NAMES[name] for name in ours} == {
        name: (3, code_number(theirs, "ip", "icmp")) for name, theirs in ours.items()
    }


@needs_nft
def test_icmpv6_types_and_codes():
    kernel = described("icmpv6", "type")
    ours = {
        "unreachable": "destination-unreachable",
        "packet-too-big": "packet-too-big",
        "time-exceeded": "time-exceeded",
        "parameter-problem": "parameter-problem",
        "echo-request": "echo-request",
        "echo-reply": "echo-reply",
        "mld-query": "mld-listener-query",
        "mld-report": "mld-listener-report",
        "mld-reduction": "mld-listener-reduction",
        "router-solicitation": "nd-router-solicit",
        "router-advertisement": "nd-router-advert",
        "nd-ns": "nd-neighbor-solicit",
        "nd-na": "nd-neighbor-advert",
        "redirect": "nd-redirect",
        "router-renumbering": "router-renumbering",
    }
    assert {name: ICMPV6_NAMES[name] for name in ours} == {name: (kernel[to], None) for name, to in ours.items()}
    for name, theirs in {
        "no-route": "no-route",
        "no-admin": "admin-prohibited",
        "destination-unreachable": "addr-unreachable",
        "port-unreachable": "port-unreachable",
    }.items():
        assert ICMPV6_NAMES[name] == (1, code_number(theirs, "ip6", "icmpv6"))


@needs_nft
def test_code_points():
    kernel = described("ip", "dscp")
    assert DSCP["default"] == kernel["cs0"]
    for name, value in DSCP.items():
        if name != "default":
            assert kernel[name] == value


SERVICES = Path("/etc/services")

SAME = {
    6: {
        "www": "http",
        "pop2": None,
        "time": "time",
        "hostname": "hostnames",
        "ident": "auth",
        "cmd": "shell",
        "lpd": "printer",
    },
    17: {"snmptrap": "snmp-trap", "who": "who", "rip": "route", "non500-isakmp": "ipsec-nat-t"},
}


@pytest.mark.skipif(not SERVICES.exists(), reason="no /etc/services")
@pytest.mark.parametrize(("number", "word", "table"), [(6, "tcp", TCP_PORTS), (17, "udp", UDP_PORTS)])
def test_ports_against_the_registry(number, word, table):
    """Where the registry knows a name, it has the same number; most names must be known there."""
    registry: dict[str, set[int]] = {}
    for line in SERVICES.read_text(encoding="utf-8").splitlines():
        fields = line.split("#")[0].split()
        if len(fields) > 1 and fields[1].endswith(f"/{word}"):
            for name in (fields[0], *fields[2:]):
                registry.setdefault(name, set()).add(int(fields[1].split("/")[0]))
    known = 0
    for name, port in table.items():
        theirs = SAME[number].get(name, name)
        if (number, name) == (6, "syslog"):
            continue  # IOS reads it as another name of cmd
        if theirs in registry:
            known += 1
            assert port in registry[theirs], name
    assert known >= 15


@pytest.mark.skipif(not Path("/etc/protocols").exists(), reason="no /etc/protocols")
def test_protocols_against_the_registry():
    registry = {}
    for line in Path("/etc/protocols").read_text(encoding="utf-8").splitlines():
        fields = line.split("#")[0].split()
        if len(fields) > 1:
            registry.update({name.lower(): int(fields[1]) for name in (fields[0], *fields[2:])})
    others = {"ipinip": "ipencap", "ahp": "ah", "pcp": "ipcomp", "ospf": "ospf"}
    for name, number in PROTOCOLS[Family.IPV4].items():
        theirs = others.get(name, name)
        if number is not None and theirs in registry:
            assert registry[theirs] == number
    assert PROTOCOLS[Family.IPV6]["icmp"] == registry["ipv6-icmp"]


def test_512_to_514_differ_by_protocol():
    assert [TCP_PORTS[name] for name in ("exec", "login", "cmd")] == [512, 513, 514]
    assert [UDP_PORTS[name] for name in ("biff", "who", "syslog")] == [512, 513, 514]
    assert not {"biff", "who"} & set(TCP_PORTS)
    assert not {"exec", "login", "cmd"} & set(UDP_PORTS)


def test_list_numbers():
    kinds = {number: list_kind(number) for number in range(3000)}
    assert {number for number, kind in kinds.items() if kind is ListKind.STANDARD} == {
        *range(1, 100),
        *range(1300, 2000),
    }
    assert {number for number, kind in kinds.items() if kind is ListKind.EXTENDED} == {
        *range(100, 200),
        *range(2000, 2700),
    }
