"""Records and the rules between them."""

from __future__ import annotations

import json

import pytest
from pydantic import TypeAdapter, ValidationError

from appliance.contract.fields import fields_of
from appliance.contract.refusals import RuleBroken
from appliance.services.network import service
from appliance.services.network.kinds import interface_address, network
from appliance.services.network.model import (
    MASTER_DATA,
    Interface,
    ManagementNetwork,
    NetworkDescription,
    Policy,
    Route,
    Settings,
)
from appliance.services.network.rules import problems


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1",
        "10.0.1/24",
        "10.0.0.1/33",
        "010.0.0.1/24",
        "2001:db8::1/129",
        "10.0.0.1/-1",
        "10.0.0.1/ 4",
        "",
        "/",
        "x",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match=r"expected|not an"):
        interface_address(text)
    with pytest.raises(RuleBroken) as caught:
        Interface(name="eth0", addresses=(text,))
    assert caught.value.field == "addresses"


def test_a_prefix_has_no_bits_behind_its_length():
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/24 is the network"):
        network("10.0.0.1/24")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: Interface(name="lo"), "loopback"),
        (lambda: Interface(name="e", addresses=("10.0.0.0/24",)), "number of its network"),
        (lambda: Interface(name="e", addresses=("10.0.0.255/24",)), "broadcast"),
        (lambda: Interface(name="e", addresses=("127.0.0.1/8",)), "cannot be the address of a host"),
        (lambda: Interface(name="e", addresses=("224.0.0.5/24",)), "cannot be the address of a host"),
        (lambda: Interface(name="e", addresses=("10.0.0.1/24", "10.0.0.1/25")), "stands twice"),
        (lambda: Interface(name="e", addresses=("2001:db8::1/64",), mtu=1200), "1280"),
        (lambda: Interface(name="e", mtu=60), "68"),
        (lambda: Route(name="r", destination="10.0.0.0/8"), "needs a gateway or an interface"),
        (lambda: Route(name="r", destination="10.0.0.0/8", kind="blackhole", gateway="10.0.0.1"), "leads nowhere"),
        (lambda: Route(name="r", destination="10.0.0.0/8", gateway="2001:db8::1"), "another family"),
        (lambda: Route(name="r", destination="::/0", gateway="fe80::1"), "needs its interface"),
        (lambda: Route(name="r", destination="10.0.0.1/8", gateway="10.0.0.1"), "behind its length"),
        (lambda: Policy(name="P", text=" \n"), "what it permits"),
        (lambda: ManagementNetwork(name="m", network="10.0.0.1/24", interface="e"), "behind its length"),
    ],
)
def test_a_record_that_breaks_a_rule_is_not_made(made, words):
    with pytest.raises(RuleBroken, match=words):
        made()


def test_host_addresses_of_small_networks():
    Interface(name="e", addresses=("10.0.0.0/31", "10.0.0.5/32", "2001:db8::/127"))


def test_pydantic_spells_addresses_as_usual():
    made = TypeAdapter(Interface).validate_json('{"name": "eth0", "addresses": ["2001:DB8:0::1/64"]}')
    assert made.addresses == ("2001:db8::1/64",)
    for name in ("", "a/b", "a b", "x" * 16, 'e"', "-e", "e;drop"):
        with pytest.raises(ValidationError):
            TypeAdapter(Interface).validate_json(json.dumps({"name": name}))


E0 = Interface(name="e0", addresses=("10.0.0.1/24", "2001:db8::1/64"))


@pytest.mark.parametrize(
    ("whole", "place", "words"),
    [
        (NetworkDescription(interfaces=(E0, E0)), "network.interfaces/e0", "e0 stands twice"),
        (
            NetworkDescription(interfaces=(E0, Interface(name="e1", addresses=("10.0.0.1/16",)))),
            "network.interfaces/e1",
            "10.0.0.1 is on e0 too",
        ),
        (
            NetworkDescription(interfaces=(E0, Interface(name="e1", addresses=("10.0.0.9/16",)))),
            "network.interfaces/e1",
            "the network 10.0.0.0/16 overlaps 10.0.0.0/24 of e0",
        ),
        (NetworkDescription(interfaces=(Interface(name="e0", filter_in="P"),)), "network.interfaces/e0", "no policy P"),
        (
            NetworkDescription(
                interfaces=(E0,), routes=(Route(name="r", destination="0.0.0.0/0", gateway="10.0.1.1"),)
            ),
            "network.routes/r",
            "cannot be reached",
        ),
        (
            NetworkDescription(
                interfaces=(E0,), routes=(Route(name="r", destination="0.0.0.0/0", gateway="10.0.0.1"),)
            ),
            "network.routes/r",
            "the appliance itself",
        ),
        (
            NetworkDescription(
                interfaces=(E0,),
                routes=tuple(Route(name=name, destination="::/0", gateway="2001:db8::9") for name in "rs"),
            ),
            "network.routes/s",
            "the route r has the same",
        ),
        (
            NetworkDescription(
                interfaces=(Interface(name="e0", enabled=False),),
                routes=(Route(name="r", destination="::/0", interface="e0"),),
            ),
            "network.routes/r",
            "e0 is not enabled",
        ),
        (
            NetworkDescription(
                interfaces=(E0,), management=(ManagementNetwork(name="m", network="10.9.0.0/24", interface="e0"),)
            ),
            "network.management/m",
            "no route leads back to 10.9.0.0/24",
        ),
    ],
)
def test_what_is_wrong_between_records(whole, place, words):
    (found,) = problems(whole)
    assert found.place == place
    assert words in found.template.format_map(found.values)


def test_a_good_network_has_no_problems():
    whole = NetworkDescription(
        interfaces=(E0,),
        routes=(
            Route(name="r", destination="0.0.0.0/0", gateway="10.0.0.9"),
            Route(name="s", destination="::/0", gateway="fe80::1", interface="e0"),
            Route(name="t", destination="192.168.0.0/16", kind="blackhole"),
        ),
        management=(ManagementNetwork(name="m", network="10.9.0.0/24", interface="e0"),),
    )
    assert problems(whole) == ()


def test_every_field_has_a_kind_and_every_reference_a_master():
    names = {one.name for one in MASTER_DATA}
    for one in MASTER_DATA:
        fields = fields_of(one.record)
        assert one.key in {field.name for field in fields}
        assert {field.refers for field in fields if field.refers} <= names
        assert one.see | one.change <= {role.name for role in service.roles}
    assert fields_of(Settings)
