"""What people say of the appliance's network: records, their own rules, and what grids and forms are made of.

Rules across records are in ``rules.py``; what a filter or a balance means is
said by the compiler, in ``components.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Annotated, Literal, TypeVar

from netaddr import IPAddress

from appliance.contract.kinds import Line, Name, Refers, YesNo
from appliance.contract.master_data import MasterData
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.network.kinds import (
    Address,
    InterfaceAddress,
    InterfaceName,
    Metric,
    Mtu,
    Network,
    PolicyName,
    PolicyText,
    Port,
    address,
    interface_address,
    network,
)

__all__ = [
    "MASTER_DATA",
    "Fragments",
    "Interface",
    "ManagementNetwork",
    "NetworkDescription",
    "Policy",
    "Route",
    "RouteKind",
    "Settings",
]

Found = TypeVar("Found")
RouteKind = Literal["unicast", "blackhole", "unreachable", "prohibit"]
Fragments = Literal["exact", "reassembled", "untracked"]
PolicyReference = Annotated[PolicyName, Refers("policies")]
InterfaceReference = Annotated[InterfaceName, Refers("interfaces")]


@record
class Policy:
    """Access lists, in the words of Cisco IOS.

    The list that bears the policy's name decides; there may be one for IPv4
    (``ip access-list extended NAME``) and one for IPv6 (``ipv6 access-list
    NAME``). Object groups and time ranges stand in the same text. Lists have no
    memory of connections: answers are permitted by ``established``.
    """

    name: PolicyName
    text: PolicyText
    about: Line = ""

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise RuleBroken(_("a policy says what it permits and denies"), field="text")


@record
class Interface:
    """A network interface that the machine has, and what the appliance makes of it."""

    name: InterfaceName
    addresses: tuple[InterfaceAddress, ...] = ()
    """The first IPv4 address of a network is the one that the machine speaks from."""
    enabled: YesNo = True
    mtu: Mtu = 0
    filter_in: PolicyReference | None = None
    """What may come in here, to the appliance or through it."""
    filter_out: PolicyReference | None = None
    """What may leave here, having come through the appliance. Its own packets are not filtered, as on IOS."""
    about: Line = ""

    def __post_init__(self) -> None:
        found = [_checked(interface_address, text, "addresses") for text in self.addresses]
        if self.name == "lo":
            raise RuleBroken(_("the loopback is the machine's own"), field="name")
        if 0 < self.mtu < 68:
            # RFC 791: every internet module forwards datagrams of 68 octets.
            raise RuleBroken(_("an MTU is at least 68 octets"), field="mtu")
        if 0 < self.mtu < 1280 and any(one.version == 6 for one in found):
            raise RuleBroken(_("IPv6 needs an MTU of 1280 octets or more (RFC 8200)"), field="mtu")
        hosts = [one.ip for one in found]
        for one in found:
            _check_host(one.ip)
            if one.version == 4 and one.prefixlen < 31 and one.ip in (one.network, one.broadcast):
                raise RuleBroken(
                    "{address} is the number of its network, or its broadcast", field="addresses", address=str(one)
                )
            if hosts.count(one.ip) > 1:
                raise RuleBroken(_("{address} stands twice"), field="addresses", address=str(one.ip))


@record
class Route:
    """Where packets to a network go."""

    name: Name
    destination: Network
    gateway: Address = ""
    interface: InterfaceReference | None = None
    metric: Metric = 0
    kind: RouteKind = "unicast"
    about: Line = ""

    def __post_init__(self) -> None:
        target = _checked(network, self.destination, "destination")
        if self.kind != "unicast":
            if self.gateway or self.interface:
                raise RuleBroken(_("a route of the kind {kind} leads nowhere"), field="kind", kind=self.kind)
            return
        if not self.gateway and not self.interface:
            raise RuleBroken(_("a route needs a gateway or an interface"), field="gateway")
        if not self.gateway:
            return
        way = _checked(address, self.gateway, "gateway")
        _check_host(way, field="gateway")
        if way.version != target.version:
            raise RuleBroken(_("the gateway is of another family than the destination"), field="gateway")
        if way.version == 6 and way.is_link_local() and not self.interface:
            raise RuleBroken(_("a link-local gateway needs its interface"), field="interface")


@record
class ManagementNetwork:
    """From where the appliance is looked after: no filter may cut it off."""

    name: Name
    network: Network
    interface: InterfaceReference
    """By which its packets come in."""

    def __post_init__(self) -> None:
        _checked(network, self.network, "network")


@record(
    help={
        "forward": _("Whether the appliance passes packets on between its interfaces, as a router does."),
        "fragments": _("How packets in pieces are filtered: exact does as Cisco IOS. Leave it unless you know why."),
        "reject": _("Denied packets are answered with a refusal; otherwise they vanish without a word."),
        "ssh_port": _("The port for SSH; no filter closes it to the management networks."),
        "tls_port": _("The port for browsers; no filter closes it to the management networks."),
        "balance": _("How traffic is shared among several lines to the Internet (YAML); empty when there is one line."),
    },
)
class Settings:
    """What holds for the whole network."""

    forward: YesNo = False
    """Whether the appliance forwards packets between its interfaces."""
    fragments: Fragments = "exact"
    """How fragments are decided: as IOS does; or on the promise that they are put together before the filter sees
    them (connections are tracked); or that nothing puts them together."""
    reject: YesNo = False
    """Denied packets are answered; else they vanish."""
    ssh_port: Port = 22
    tls_port: Port = 8443
    balance: PolicyText = field(default="", metadata={"label": _("Load sharing")})
    """The intent of a balance over several uplinks (YAML, as ``gerbang balance check`` reads it); empty for none."""


@record
class NetworkDescription:
    """The whole: what the component is made from."""

    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] = ()
    policies: tuple[Policy, ...] = ()
    management: tuple[ManagementNetwork, ...] = ()
    settings: Settings = Settings()


_SEE = frozenset({"administrator", "observer"})
_CHANGE = frozenset({"administrator"})

MASTER_DATA = (
    MasterData(name="interfaces", record=Interface, key="name", see=_SEE, change=_CHANGE),
    MasterData(
        name="routes",
        record=Route,
        key="name",
        see=_SEE,
        change=_CHANGE,
        unique=(("destination", "metric"),),
    ),
    MasterData(name="policies", record=Policy, key="name", see=_SEE, change=_CHANGE),
    MasterData(name="management", record=ManagementNetwork, key="name", see=_SEE, change=_CHANGE),
)


def _checked(parse: Callable[[str], Found], text: str, field: str) -> Found:
    try:
        return parse(text)
    except ValueError as error:
        raise RuleBroken("{reason}", field=field, reason=str(error)) from error


def _check_host(one: IPAddress, field: str = "addresses") -> None:
    """An address that one host has: not loopback, not a group, not nobody."""
    if one.is_loopback() or one.is_multicast() or int(one) == 0 or (one.version == 4 and int(one) >= 0xF0000000):
        raise RuleBroken(_("{address} cannot be the address of a host on a network"), field=field, address=str(one))
