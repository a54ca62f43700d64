"""Whatever a client asks for: an answer or a trap, and tables that hold together."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.virtual_routeros.export import export
from labs.virtual_routeros.menus import Kind, menus
from labs.virtual_routeros.traps import Trap
from tests.labs.virtual_routeros.wire import device

_VALUES = [
    *("", "yes", "no", "x", "*1", "*2", "*80000001", "ether1", "ether2", "!ether1", "main", "all", "isp1", "1", "-1"),
    *("10.0.0.1/24", "10.0.0.1", "10.0.0.0/33", "0", "5s", "prerouting", "srcnat", "accept", "mark-routing", "startup"),
    *("2026-01-01", "2,1", "both-addresses:2/0", "\\", '"', "a b", "\udcff", "[find]", "$x", "true", "ping", "10"),
]
_FITTING = {
    "chain": ["prerouting", "forward"],
    "interface": ["ether1", "ether2"],
    "address": ["10.0.0.1/24", "10.0.1.1/24"],
    "name": ["isp1", "x", "y"],
    "list": ["all", "static"],
    "vlan-id": ["7"],
    "bridge": ["x", "y"],
}
"""Values that a row must have, so that enough rows come to be."""
_COMMANDS = ["add"] * 4 + ["print", "get", "set", "remove", "move", "enable", "disable", "comment", "unset", "run"]
_ARGUMENTS = [".id", "numbers", "destination", "place-before", "copy-from", "value-name", ".proplist", "nonsense"]


@st.composite
def _calls(draw: st.DrawFn, version: int) -> tuple[tuple[str, ...], str, dict[str, str]]:
    menu = draw(st.sampled_from(list(menus(version).values())))
    names = st.sampled_from([*sorted(menu.known), *_ARGUMENTS, *(f"!{name}" for name in sorted(menu.known))])
    arguments = draw(st.dictionaries(names, st.sampled_from(_VALUES), max_size=4))
    for name in menu.required:
        arguments.setdefault(name, draw(st.sampled_from(_FITTING[name])))
    return menu.path, draw(st.sampled_from(_COMMANDS)), arguments


@pytest.mark.parametrize("version", ["6.49.17", "7.18.2"])
@settings(max_examples=900, deadline=None)
@given(data=st.data())
def test_nothing_but_traps(version: str, data: st.DataObject) -> None:
    one = device(version)
    for path, command, arguments in data.draw(st.lists(_calls(one.version), max_size=15)):
        before, held = one.generation, export(one).text
        try:
            one.call(path, command, arguments)
        except Trap:
            assert command == "run" or (one.generation, export(one).text) == (before, held), "a trap changed something"
    one.tick()
    for path, table in one.tables.items():
        rows = one.call(path, "print").rows
        if table.menu.kind == Kind.ROWS:
            assert len({row[".id"] for row in rows}) == len(rows)
    with suppress(Trap):  # what was removed may have been in use, and is refused then
        two = device(version)
        two.upload("x", export(one).text)
        two.call((), "import", {"file-name": "x"})
        assert export(two).text == export(one).text
