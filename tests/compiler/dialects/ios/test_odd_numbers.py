"""Digits of other scripts and numbers of thousands of digits, in every place of a configuration."""

import pytest

from compiler.dialects.ios.reader import read
from compiler.errors import InputErrors

CONFIGURATION = """\
hostname edge
interface range Gi0/1 - 4
interface GigabitEthernet 0/1
 ip address 10.0.0.1 255.255.255.0
 ip access-group 101 in
 ip access-group WEB out
interface Serial0/0.1 point-to-point
 ipv6 traffic-filter SIX in
 no ip access-group 101 in
access-list 10 permit 10.0.0.0 0.0.0.255 log
access-list 101 deny tcp 10.1.0.0 0.0.255.255 range 1 9 host 10.0.0.2 eq 80 443 log
access-list 101 permit icmp any any 3 1
access-list 201 permit 0x0000 0xFFFF
ip access-list extended WEB
 10 permit tcp any gt 1023 any eq www established time-range OFFICE
 20 permit 17 any any dscp 46 ttl eq 5
 30 deny ip any any precedence 3 tos 2 fragments
 40 permit object-group S object-group G any
 50 permit ip any any
 remark 60
 no 50
 no 30 deny ip any any precedence 3 tos 2 fragments
ip access-list resequence WEB 10 10
ipv6 access-list SIX
 sequence 10 permit tcp 2001:db8::/32 any eq 80
 permit icmp any host 2001:db8::1 135 0 sequence 20
 no sequence 10
object-group network G
 host 10.0.0.1
 10.0.0.0 255.255.255.0
 10.1.0.0/16
 range 10.0.0.1 10.0.0.9
object-group v6-network H
 2001:db8::/32
object-group service S
 tcp source range 1 9 eq 80
 icmp 3
 17
time-range OFFICE
 absolute start 08:00 1 January 2026 end 18:00 31 December 2030
 periodic weekdays 8:00 to 18:00
!
no access-list 10
no ip access-list standard 11
no interface Loopback0
default interface Vlan 1
dialer-list 1 protocol ip list 101
ntp access-group peer 10
Extended IP access list 150
    10 permit tcp any any eq www (5 matches)
    20 deny ip any any (7 matches) check=7
IPv6 access list SEVEN
    permit tcp any any (3 matches) sequence 10
"""
LONG = "9" * 5000
TOKENS = [
    "٣",
    "१०",
    "²",
    "①",
    "１０",
    LONG,
    "0" * 5000,
    "-1",
    "1_0",
    "1e3",
    f"{LONG}.0.0.1",
    f"1.2.3.4.5.6.{LONG}",
    f"1.2.3.4.5.6.7.{LONG}",
    f"10.0.0.0/{LONG}",
    f"2001:db8::/{LONG}",
    f"{LONG}:00",
    "٣.٣.٣.٣",
    "٣.٣.٣.٣.٣.٣.٣",
    "1.2.3.4/٣",
    "٣:٣",
    f"({LONG}",
    f"Gi{LONG}",
    "Gi٣",
    f"check={LONG}",
]


def test_the_configuration_is_read_as_it_stands():
    device = read(CONFIGURATION, "t")
    assert [one.name for one in device.lists] == ["101", "WEB", "SIX", "150", "SEVEN"]
    assert device.find("150").entries[0].hits == 5


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token if len(token) < 20 else f"{token[:9]}-{len(token)}")
def test_every_word_replaced_and_every_gap_filled(token):
    """Each outcome is a device or InputErrors that can be printed; anything else fails the test."""
    lines = CONFIGURATION.split("\n")
    refused = 0
    for number, line in enumerate(lines):
        words = line.split()
        indent = line[: len(line) - len(line.lstrip())]
        for at in range(len(words)):
            for changed in ([*words[:at], token, *words[at + 1 :]], [*words[: at + 1], token, *words[at + 1 :]]):
                text = "\n".join([*lines[:number], indent + " ".join(changed), *lines[number + 1 :]])
                try:
                    read(text, "t", unmodelled="bound" if at % 2 else "refuse")
                except InputErrors as errors:
                    refused += bool(errors.render())
    assert refused > 300
