"""The intent's file (YAML) -> :class:`~compiler.policy.balance.Balance`. All that is wrong is told in one go.

::

    networks:   {NAME: {interface, address}}
    uplinks:    {NAME: {interface, address, gateway, weight, download, upload, probes, dns, user, password}}
    method:     nth | ecmp | failover | pcc …        (what no class takes; with fields, uplinks, members, otherwise)
    classes:    [{name, method, from, to, protocol, ports, …}]
    exceptions: [{from, to, protocol, ports, via: UPLINK, strict}, {to: …, direct: yes}]
    forwards:   [{via, protocol, ports, to: HOST[:PORT]}]
    inside:     [PREFIX]
    router:     {via: UPLINK}
    dns:        {servers, serve}
    failback:   gentle | immediate
    fasttrack:  yes | no
"""

from __future__ import annotations

from compiler.balancing.checks import check
from compiler.balancing.reading_lines import inside, read_network, read_uplink
from compiler.balancing.reading_traffic import TrafficReader
from compiler.balancing.reading_words import ipv4, listed, name
from compiler.placed.complaints import Complaints
from compiler.placed.fields import Fields
from compiler.placed.places import PlacedMapping, compose
from compiler.policy.balance import Balance, Failback, LocalNetwork, Uplink

__all__ = ["read_balance"]


def read_balance(text: str, source: str) -> Balance:
    """The intent of a file. Raises InputErrors with every place that is wrong, UsageError without PyYAML."""
    complaints = Complaints(tuple(text.split("\n")))
    whole = compose(text, source)
    fields = Fields(whole, "the file", complaints)
    if not isinstance(whole, PlacedMapping):
        complaints.raise_all()
    networks = _networks(fields, complaints)
    all_known = not complaints
    uplinks = _uplinks(fields, complaints)
    reader = TrafficReader(uplinks, networks, complaints)
    classes = reader.classes(fields)
    exceptions = reader.exceptions(fields.take("exceptions"))
    forwards = reader.forwards(fields.take("forwards"))
    own_value = fields.take("router")
    own = ""
    if own_value is not None:
        inner = Fields(own_value, "router", complaints)
        own = reader.uplink(inner, "via")
        inner.done()
    dns_value = fields.take("dns")
    servers: tuple[int, ...] = ()
    serves = False
    if dns_value is not None:
        inner = Fields(dns_value, "dns", complaints)
        servers = listed(inner.take("servers"), ipv4, complaints)
        serves = inner.truth("serve", False)
        inner.done()
    balance = Balance(
        source,
        fields.get("name", name, ""),
        uplinks,
        networks,
        classes,
        exceptions,
        forwards,
        inside(fields.take("inside"), uplinks, complaints),
        own,
        fields.place("router"),
        servers,
        serves,
        fields.place("dns"),
        Failback(fields.choice("failback", [one.value for one in Failback], Failback.GENTLE.value)),
        fields.truth("fasttrack", True),
    )
    fields.done()
    check(balance, complaints, all_networks=all_known)
    complaints.raise_all()
    return balance


def _networks(fields: Fields, complaints: Complaints) -> tuple[LocalNetwork, ...]:
    value = fields.take("networks")
    found = []
    if value is None:
        complaints.error("the file has no 'networks': whose connections are balanced?", fields.span)
    else:
        for key, entry in Fields(value, "networks", complaints).take_any():
            network = read_network(key, entry, complaints)
            if network is not None:
                found.append(network)
        if not found and not complaints:
            complaints.error("networks: there is none", value.span)
    return tuple(found)


def _uplinks(fields: Fields, complaints: Complaints) -> tuple[Uplink, ...]:
    value = fields.take("uplinks")
    if value is None:
        complaints.error("the file has no 'uplinks': between what is it balanced?", fields.span)
        return ()
    entries = Fields(value, "uplinks", complaints).take_any()
    found = [read_uplink(key, entry, number, complaints) for number, (key, entry) in enumerate(entries, 1)]
    return tuple(found)
