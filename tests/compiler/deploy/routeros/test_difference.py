"""The plan: what changes, what stays, what of others is told and left."""

from __future__ import annotations

import pytest

from compiler.deploy.deployment import Action, DeployError
from compiler.deploy.routeros.menus import menu_of
from compiler.deploy.routeros.steps import told
from labs.virtual_routeros.device import Device
from tests.compiler.balancing.intents import simple
from tests.compiler.deploy.routeros.devices import deploy, exported, made, served, stand

_MANGLE, _FILTER = ("ip", "firewall", "mangle"), ("ip", "firewall", "filter")
_INTENT = simple((1, 1))


def _comments(device: Device, path: tuple[str, ...]) -> list[str]:
    return [row.properties.get("comment", "") for row in device.tables[path].rows]


def _plan(device: Device, text: str | None = _INTENT) -> tuple[list[str], tuple[str, ...]]:
    with served(device) as server:
        deployment = deploy(server, text)
        return [str(change) for change in deployment.plan()], deployment.warnings


def test_a_plan_changes_nothing_and_reads_alike_twice() -> None:
    device = made()
    before = exported(device)
    assert _plan(device) == _plan(device)
    assert exported(device) == before


def test_a_rule_at_the_wrong_place_is_moved() -> None:
    device = made(foreign=False)
    stand(device, _INTENT)
    good = exported(device)
    ids = [row.id for row in device.tables[_MANGLE].rows]
    device.call(_MANGLE, "move", {"numbers": ids[-1], "destination": ids[0]})
    with served(device) as server:
        deployment = deploy(server, _INTENT)
        assert [change.action for change in deployment.plan()] == [Action.MOVE]
        deployment.apply(60)
        deployment.roll_back()
        assert exported(device) != good
        deployment.apply(60)
        deployment.confirm()
    assert exported(device) == good
    assert sorted(ids) != ids or len(set(ids)) == len(ids)


@pytest.mark.parametrize("given", [{"disabled": "yes"}, {"comment": "gerbang-balance: old"}, {"nth": "4,2"}])
def test_what_somebody_changed_in_our_rule_is_mended(given: dict[str, str]) -> None:
    device = made()
    stand(device, _INTENT)
    good = exported(device)
    row = next(row for row in device.tables[_MANGLE].rows if row.properties.get("nth"))
    device.call(_MANGLE, "set", {".id": row.id, **given})
    spoilt = exported(device)
    with served(device) as server:
        deployment = deploy(server, _INTENT)
        deployment.apply(60)
        assert exported(device).replace("\n", "").count("gerbang-balance") >= good.count("gerbang-balance")
        deployment.roll_back()
        assert exported(device) == spoilt
        deployment.apply(60)
        deployment.confirm()
    assert exported(device) == good


def test_rules_of_others_between_ours_keep_their_place() -> None:
    device = made(foreign=False)
    stand(device, _INTENT)
    ids = [row.id for row in device.tables[_MANGLE].rows]
    device.call(_MANGLE, "add", {"chain": "forward", "comment": "between", "place-before": ids[3]})
    device.call(_MANGLE, "add", {"chain": "forward", "comment": "last"})
    before = exported(device)
    with served(device) as server:
        deployment = deploy(server, simple((1, 1, 1)))
        deployment.apply(60)
        comments = _comments(device, _MANGLE)
        assert comments[-1] == "last"
        assert 0 < comments.index("between") < len(comments) - 2
        deployment.roll_back()
    assert exported(device) == before


def test_more_rules_come_behind_ours_after_the_rollback_than_before() -> None:
    """Somebody takes a rule away while a deployment stands: ours come back all the same."""
    device = made(foreign=False)
    stand(device, _INTENT)
    last = device.call(_MANGLE, "add", {"chain": "forward", "comment": "last"}).ret
    before = [text for text in _comments(device, _MANGLE) if text != "last"]
    with served(device) as server:
        deployment = deploy(server, None)
        deployment.apply(60)
        device.call(_MANGLE, "remove", {".id": str(last)})
        deployment.roll_back()
    assert _comments(device, _MANGLE) == before


@pytest.mark.parametrize(
    ("path", "values", "says"),
    [
        (_MANGLE, {"chain": "prerouting", "action": "accept"}, "decides first"),
        (("ip", "firewall", "nat"), {"chain": "srcnat", "action": "accept"}, "decides first"),
        (("ip", "route"), {"dst-address": "0.0.0.0/0", "gateway": "172.16.0.9"}, "default route of somebody else"),
    ],
)
def test_warnings(path: tuple[str, ...], values: dict[str, str], says: str) -> None:
    device = made(foreign=False)
    assert _plan(device)[1] == ()
    device.call(("ip", "address"), "add", {"address": "172.16.0.1/24", "interface": "GUESTS"})
    row = str(device.call(path, "add", values).ret)
    (warning,) = _plan(device)[1]
    assert says in warning
    device.call(path, "set", {".id": row, "disabled": "yes"})
    assert _plan(device)[1] == ()


def test_a_name_that_others_use_does_not_go() -> None:
    device = made(foreign=False)
    stand(device, _INTENT)
    device.call(_FILTER, "add", {"chain": "input", "action": "accept", "in-interface-list": "gerbang-lan"})
    with pytest.raises(DeployError, match=r"gerbang-lan would go.*uses it"):
        _plan(device, None)


def test_passwords_are_not_shown() -> None:
    menu = menu_of(("interface", "pppoe-client"))
    assert menu is not None
    assert "secret" not in told(menu, {"name": "pppoe1", "password": "secret"})
