"""A small deploy, with the connection lost at each of its sentences: the router itself puts things right."""

from __future__ import annotations

import pytest
import routeros_api
from routeros_api.exceptions import RouterOsApiError

from compiler.simulator.engine import SECOND
from labs.virtual_routeros.clocks import ManualClock
from labs.virtual_routeros.export import export
from labs.virtual_routeros.faults import Cut, Moment
from labs.virtual_routeros.server import Server
from tests.labs.virtual_routeros.wire import served

_BACK = (
    '/ip firewall mangle remove [find comment~"^gerbang:"]\n/ip route remove [find comment~"^gerbang:"]\n'
    "/routing table remove [find name=isp1]\n/system scheduler remove [find name=gerbang-back]"
)
_SENTENCES = 7
"""Of the deploy below, its login included."""


def _deploy(server: Server) -> None:
    host, port = server.address
    pool = routeros_api.RouterOsApiPool(host, port=port, username="admin", password="secret", plaintext_login=True)
    try:
        api = pool.get_api()
        timer = api.get_resource("/system/scheduler")
        timer.add(name="gerbang-back", interval="1m", on_event=_BACK)
        api.get_resource("/routing/table").add(name="isp1", fib="")
        api.get_resource("/ip/route").add(gateway="10.1.0.1", routing_table="isp1", comment="gerbang: route")
        rules = api.get_resource("/ip/firewall/mangle")
        for number in (1, 2):
            rules.add(chain="prerouting", action="mark-routing", new_routing_mark="isp1", comment=f"gerbang: {number}")
        timer.remove(id="gerbang-back")
    finally:
        pool.disconnect()


def _before(server: Server) -> str:
    server.device.call(("ip", "firewall", "mangle"), "add", {"chain": "forward", "comment": "somebody's own"})
    server.device.call(("ip", "address"), "add", {"address": "10.1.0.2/24", "interface": "ether1"})
    return export(server.device, [("system", "scheduler")]).text


@pytest.fixture(scope="module")
def wanted() -> str:
    with served() as server:
        _before(server)
        _deploy(server)
        assert len(server.received) == _SENTENCES
        return export(server.device, [("system", "scheduler")]).text


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("sentence", range(1, _SENTENCES + 1))
def test_as_it_was_or_as_planned(wanted: str, sentence: int, moment: Moment) -> None:
    with served() as server:
        before = _before(server)
        server.faults.cut(Cut(sentence, moment))
        with pytest.raises(RouterOsApiError):
            _deploy(server)
        clock = server.device.clock
        assert isinstance(clock, ManualClock)
        clock.advance(60 * SECOND)
        server.device.tick()
        after = export(server.device, [("system", "scheduler")]).text
        confirmed = sentence == _SENTENCES and moment is not Moment.BEFORE
        assert after == (wanted if confirmed else before)
        assert server.device.log == []
