"""Port lists, flags and fragments, cross-checked against iptables and the kernel.

RouterOS has no witness here; its matchers follow those of Linux. Packets are
sent over the loopback of a network namespace, and the counters of the kernel's
rules are compared with our reader's matches, packet by packet.
"""

import json
import os
import shutil
import socket
import struct
import subprocess
import sys

import pytest

from compiler.dialects.routeros.reader import read
from compiler.errors import InputErrors
from compiler.fields import Family
from compiler.policy.packet import Packet, matches

if (
    sys.platform != "linux"
    or os.geteuid() != 0
    or not all(map(shutil.which, ("unshare", "iptables-legacy-restore", "ip")))
):
    pytest.skip("needs root, unshare, ip and iptables on Linux", allow_module_level=True)

RULES = [
    ("protocol=tcp", "-p tcp"),
    ("protocol=tcp dst-port=80", "-p tcp -m multiport --dports 80"),
    ("protocol=tcp dst-port=!80", "-p tcp -m multiport ! --dports 80"),
    ("protocol=udp src-port=53,100-200", "-p udp -m multiport --sports 53,100:200"),
    ("protocol=tcp port=80,443", "-p tcp -m multiport --ports 80,443"),
    ("protocol=tcp port=!80,443", "-p tcp -m multiport ! --ports 80,443"),
    (
        "protocol=tcp dst-port=1,3,5,7,9,11,13,15,17,19,21,23,25,80-90",
        "-p tcp -m multiport --dports 1,3,5,7,9,11,13,15,17,19,21,23,25,80:90",
    ),
    ("protocol=tcp tcp-flags=syn", "-p tcp --tcp-flags SYN SYN"),
    ("protocol=tcp tcp-flags=syn,!ack", "-p tcp --tcp-flags SYN,ACK SYN"),
    ("protocol=tcp tcp-flags=!fin,!syn,!rst,!ack", "-p tcp --tcp-flags FIN,SYN,RST,ACK NONE"),
    ("protocol=tcp tcp-flags=ack", "-p tcp --tcp-flags ACK ACK"),
    ("protocol=icmp icmp-options=3:4", "-p icmp --icmp-type 3/4"),
    ("protocol=icmp icmp-options=8:0-255", "-p icmp --icmp-type 8"),
    ("protocol=icmp icmp-options=!3:4", "-p icmp ! --icmp-type 3/4"),
    ("fragment=yes", "-f"),
    ("fragment=no", "! -f"),
    ("protocol=udp fragment=yes", "-p udp -f"),
    ("ttl=less-than:20", "-m ttl --ttl-lt 20"),
    ("ttl=greater-than:20", "-m ttl --ttl-gt 20"),
    ("ttl=equal:20", "-m ttl --ttl-eq 20"),
    ("dscp=46", "-m dscp --dscp 46"),
    ("dscp=!46", "-m dscp ! --dscp 46"),
    ("protocol=!tcp", "! -p tcp"),
    ("src-address=10.0.0.3-10.0.0.9", "-m iprange --src-range 10.0.0.3-10.0.0.9"),
    ("src-address=!10.0.0.0/29", "! -s 10.0.0.0/29"),
]

SOURCES = [0x0A000002, 0x0A000003, 0x0A000009, 0x0A00000A]


def packets():
    """A packet for each shape that a rule tells apart; each has a destination of its own."""
    found = []
    for sport, dport in ((53, 80), (80, 53), (443, 21), (99, 90), (200, 91), (201, 7)):
        for protocol in (6, 17):
            found.append({"protocol": protocol, "source_port": sport, "destination_port": dport})
    found += [
        {"protocol": 6, "source_port": 9, "destination_port": 80, "tcp_flags": bits} for bits in (0, 2, 4, 16, 18)
    ]
    found += [{"protocol": 1, "icmp_type": kind, "icmp_code": code} for kind, code in ((3, 4), (3, 3), (8, 0), (0, 4))]
    found += [{"protocol": number, "noninitial": True} for number in (1, 6, 17)]
    found += [{"protocol": 17, "source_port": 1, "destination_port": 1, "ttl": ttl} for ttl in (19, 20, 21)]
    found += [{"protocol": 17, "traffic_class": value} for value in (184, 187, 188)]
    return [
        Packet(Family.IPV4, SOURCES[number % len(SOURCES)], 0x7F000100 + number, **fields)
        for number, fields in enumerate(found)
    ]


def wire(packet):
    """The bytes of a packet; the kernel fills in checksum and identification."""
    if packet.protocol == 6:
        head = struct.pack(
            "!HHLLBBHHH", packet.source_port, packet.destination_port, 1, 1, 0x50, packet.tcp_flags, 9, 0, 0
        )
    elif packet.protocol == 1:
        head = struct.pack("!BBHL", packet.icmp_type, packet.icmp_code, 0, 0)
    else:
        head = struct.pack("!HHHH", packet.source_port, packet.destination_port, 8, 0)
    offset = 100 if packet.noninitial else 0
    addresses = packet.source.to_bytes(4, "big") + packet.destination.to_bytes(4, "big")
    length = 20 + len(head)
    start = struct.pack("!BBHHHBBH", 0x45, packet.traffic_class, length, 7, offset, packet.ttl, packet.protocol, 0)
    return start + addresses + head


CHILD = """
import json, socket, subprocess, sys
work = json.load(sys.stdin)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
subprocess.run(["ip", "route", "add", "local", "10.0.0.0/24", "dev", "lo"], check=True)
subprocess.run(["iptables-legacy-restore"], input=work["rules"], text=True, check=True)
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as out:
    for data, to in work["packets"]:
        out.sendto(bytes.fromhex(data), (to, 0))
print(subprocess.run(["iptables-legacy-save", "-c", "-t", "raw"], capture_output=True, text=True, check=True).stdout)
"""


def run(rules, sent):
    text = "\n".join(["*raw", ":PREROUTING ACCEPT [0:0]", *rules, "COMMIT", ""])
    data = [(wire(packet).hex(), socket.inet_ntoa(packet.destination.to_bytes(4, "big"))) for packet in sent]
    command = ["unshare", "-n", sys.executable, "-c", CHILD]
    work = json.dumps({"rules": text, "packets": data})
    done = subprocess.run(command, input=work, capture_output=True, text=True, timeout=60, check=False)
    if "Operation not permitted" in done.stderr or "Table does not exist" in done.stderr:
        pytest.skip(f"no namespace with iptables here: {done.stderr.strip()[:200]}")
    assert done.returncode == 0, done.stderr
    counted = [line for line in done.stdout.splitlines() if line.startswith("[")]
    return [int(line[1 : line.index(":")]) for line in counted]


def test_matchers_as_the_kernel_has_them():
    sent = packets()
    rules, expected = [], []
    for words, options in RULES:
        (chain,) = read(f"/ip firewall raw add chain=x action=drop {words}", "t").chains
        for packet in sent:
            to = socket.inet_ntoa(packet.destination.to_bytes(4, "big"))
            rules.append(f"-A PREROUTING -d {to} {options}")
            expected.append(any(matches(rule.match, packet) for rule in chain.rules))
    found = [count > 0 for count in run(rules, sent)]
    names = [(words, packet) for words, _ in RULES for packet in sent]
    wrong = [name for name, mine, theirs in zip(names, expected, found, strict=True) if mine != theirs]
    assert wrong == []
    assert any(expected)
    assert not all(expected)


@pytest.mark.parametrize(("ports", "fits"), [("14,16-17", True), ("14,15,16-17", False), ("14,15,16", False)])
def test_fifteen_slots_and_two_for_a_range(ports, fits):
    ports = "1,2,3,4,5,6,7,8,9,10,11,12," + ports
    rule = f"-A PREROUTING -p tcp -m multiport --dports {ports.replace('-', ':')}"
    text = f"*raw\n{rule}\nCOMMIT\n"
    command = ["unshare", "-n", "iptables-legacy-restore", "--test"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    if "Operation not permitted" in done.stderr:
        pytest.skip("no namespace here")
    slots = 15 if fits else 16
    text = f"/ip firewall raw add chain=x protocol=tcp dst-port={ports}"
    if ports.endswith("14,15,16"):  # fifteen single ports fit both
        slots, fits = 15, True
    assert (done.returncode == 0) is fits
    if fits:
        assert read(text, "t").chains
    else:
        with pytest.raises(InputErrors, match=f"{slots} slots"):
            read(text, "t")
