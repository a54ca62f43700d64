"""A network written in ``properties.yaml``.

::

    networks:
      lan:
        hosts:
          anna: {address: 10.1.0.2/24, gateway: 10.1.0.1}
          server: {address: [10.2.0.2/24, "2001:db8::2/64"], gateway: 10.2.0.1}
        routers:
          edge: edge.cfg
          core: {file: core.rsc, ports: {lan: 10.1.0.1/24}, routes: {0.0.0.0/0: 192.0.2.1}}
        switches: [floor]
        cables:
          - [anna, "edge:GigabitEthernet0/1"]
          - {ends: [server, "edge:GigabitEthernet0/2"], name: backbone}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from compiler.errors import GerbangError, InputErrors
from compiler.placed.complaints import Complaints
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedScalar, PlacedSequence, PlacedValue
from compiler.source import Span
from compiler.testing.networks.model import NetworkModel, network

__all__ = ["read_network"]

_Part = tuple[Span, Callable[[NetworkModel], NetworkModel]]
"""One step of the drawing, with its place."""


def read_network(value: PlacedValue, what: str, folder: Path, complaints: Complaints) -> NetworkModel | None:
    """The network; None after a complaint. Nodes come before cables, whatever their order in the file."""
    fields = Fields(value, what, complaints)
    parts = [part for read in (_hosts, _routers, _switches, _cables) for part in read(fields, folder, complaints)]
    fields.done()
    drawn, is_whole = network(what), True
    for span, add in parts:
        try:
            drawn = add(drawn)
        except InputErrors as errors:
            complaints.adopt(errors.errors)
            is_whole = False
        except GerbangError as error:
            complaints.error(str(error), span)
            is_whole = False
    return drawn if is_whole else None


def _mapping(fields: Fields, key: str, complaints: Complaints) -> list[tuple[PlacedScalar, PlacedValue]]:
    value = fields.take(key)
    return Fields(value, key, complaints).take_any() if value is not None else []


def _texts(value: PlacedValue | None, complaints: Complaints) -> tuple[str, ...]:
    return tuple(text for one in as_items(value) if (text := parse(one, str, complaints)) is not None)


def _hosts(fields: Fields, folder: Path, complaints: Complaints) -> Iterator[_Part]:
    for key, value in _mapping(fields, "hosts", complaints):
        gateway: tuple[str, ...] = ()
        if isinstance(value, PlacedScalar | PlacedSequence):
            addresses = _texts(value, complaints)
        else:
            host = Fields(value, f"host {key.text!r}", complaints)
            addresses, gateway = (_texts(host.take(name), complaints) for name in ("address", "gateway"))
            host.done()

        def add(
            drawn: NetworkModel, name: str = key.text, own: tuple[str, ...] = addresses, by: tuple[str, ...] = gateway
        ) -> NetworkModel:
            return drawn.host(name, *own, gateway=by)

        yield key.span, add


def _routers(fields: Fields, folder: Path, complaints: Complaints) -> Iterator[_Part]:
    for key, value in _mapping(fields, "routers", complaints):
        ports: dict[str, tuple[str, ...]] = {}
        routes: dict[str, str] = {}
        if isinstance(value, PlacedScalar):
            file = value.text
        else:
            router = Fields(value, f"router {key.text!r}", complaints)
            file = router.text("file")
            ports = {one.text: _texts(held, complaints) for one, held in _mapping(router, "ports", complaints)}
            for one, held in _mapping(router, "routes", complaints):
                routes[one.text] = parse(held, str, complaints) or ""
            router.done()

        def add(
            drawn: NetworkModel,
            name: str = key.text,
            path: str = file,
            own: dict[str, tuple[str, ...]] = ports,
            ways: dict[str, str] = routes,
        ) -> NetworkModel:
            return drawn.router(name, folder / path if path else "", ports=own, routes=ways)

        yield key.span, add


def _switches(fields: Fields, folder: Path, complaints: Complaints) -> Iterator[_Part]:
    value = fields.take("switches")
    for name in _texts(value, complaints):
        yield fields.place("switches"), partial(NetworkModel.switch, name=name)


def _cables(fields: Fields, folder: Path, complaints: Complaints) -> Iterator[_Part]:
    for item in as_items(fields.take("cables")):
        name = ""
        if isinstance(item, PlacedSequence):
            ends = _texts(item, complaints)
        else:
            cable = Fields(item, "the cable", complaints)
            ends, name = _texts(cable.take("ends"), complaints), cable.text("name")
            cable.done()
        if len(ends) != 2:
            complaints.error("a cable has two ends: [ONE, OTHER], or {ends: [ONE, OTHER], name: NAME}", item.span)
            continue
        yield item.span, partial(NetworkModel.cable, left=ends[0], right=ends[1], name=name)
