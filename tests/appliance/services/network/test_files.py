"""Files as the root helper takes them: nothing in them is believed."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.services.network import applying
from appliance.services.network.checking import main
from appliance.services.network.files import read_files, wish_of
from appliance.services.network.plan import read_plan
from compiler.errors import GerbangError, InputError, InputErrors, UsageError
from tests.appliance.services.network.wires import LAN, Wires, described, needs_kernel, written


@pytest.fixture
def files(tmp_path):
    return written(tmp_path / "1", described(LAN))


def _lies(found):
    lan, away = found["interfaces"][0], found["routes"][0]
    yield "version", {**found, "version": 2}
    yield "an unknown word", {**found, "execute": "reboot"}
    yield "a missing word", {name: value for name, value in found.items() if name != "routes"}
    yield "a number as a text", {**found, "forward": "yes"}
    yield "the loopback", {**found, "interfaces": [{**lan, "name": "lo"}]}
    yield "an interface twice", {**found, "interfaces": [lan, lan]}
    yield "a path", {**found, "interfaces": [{**lan, "name": "../../etc"}]}
    yield "an option", {**found, "interfaces": [{**lan, "name": "-e"}]}
    yield "an address twice", {**found, "interfaces": [{**lan, "addresses": ["10.1.0.1/24", "10.1.0.1/25"]}]}
    yield "no address", {**found, "interfaces": [{**lan, "addresses": ["10.1.0.1/24; reboot"]}]}
    yield "an address while down", {**found, "interfaces": [{**lan, "up": False}]}
    yield "a large MTU", {**found, "interfaces": [{**lan, "mtu": 1 << 40}]}
    yield "a route that leads nowhere", {**found, "routes": [{**away, "gateway": ""}]}
    yield "a route by what is not planned", {**found, "routes": [{**away, "interface": "wan"}]}
    yield "a kind", {**found, "routes": [{**away, "kind": "local"}]}
    yield "two families", {**found, "routes": [{**away, "gateway": "2001:db8::1"}]}
    yield "a route twice", {**found, "routes": [away, away]}
    yield "bits behind the length", {**found, "routes": [{**away, "destination": "198.51.100.1/24"}]}
    yield "a negative metric", {**found, "routes": [{**away, "metric": -1}]}
    yield "a list", [found]


def test_a_lying_plan_is_refused(files):
    whole = json.loads((files / "plan.json").read_text())
    read_plan(json.dumps(whole).encode(), "plan.json")
    for what, lie in _lies(whole):
        with pytest.raises(InputError, match=r"plan\.json: "):
            pytest.fail(f"{what} was taken: {read_plan(json.dumps(lie).encode(), 'plan.json')}")


@given(st.binary(max_size=60))
def test_no_octets_break_the_reader(data):
    with pytest.raises(InputError):
        read_plan(data, "plan.json")


RULES = "table ip gerbang {\n chain c {\n  drop\n }\n}\n"


@needs_kernel
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('include "/etc/shadow"\n' + RULES, "filter.nft:1:1: include reads another file"),
        (RULES.replace("gerbang", "mine"), "the table ip mine is not the filter's"),
        (RULES.replace("table ip ", "table inet "), "the table inet gerbang is not the filter's"),
        ("table inet mine\n", "the table inet mine is not the filter's"),
        (RULES.replace("drop", "dorp"), "filter.nft:3:3"),
        (RULES.replace("drop", "tcp dport 22 queue"), "filter.nft:3"),
        ("\0", "filter.nft:1"),
        (RULES.replace("  drop", "  jump nowhere"), "nowhere"),
    ],
)
def test_a_filter_that_is_not_ours_is_refused(files, text, words):
    (files / "filter.nft").write_text(text)
    with pytest.raises(GerbangError) as caught:
        wish_of(read_files(files))
    assert words in caught.value.render()


@needs_kernel
def test_what_a_filter_says_of_other_tables_does_not_reach_the_kernel(files, tmp_path):
    """Only nft's own listing of our tables is loaded: a flush that our reader takes for harmless stays outside."""
    text = (files / "filter.nft").read_text()
    (files / "filter.nft").write_text(f"flush ruleset\n{text}")
    with Wires(tmp_path) as wires, wires.nodes["appliance"].inside():
        wires.nft("table inet mine {\n chain c {\n  type filter hook input priority 0; policy accept;\n }\n}\n")
        applying.apply(None, files, 60, folders=wires.folders)
        assert "table inet mine" in wires.stands()
        assert "table ip gerbang" in wires.stands()
        applying.roll_back(folders=wires.folders)


def test_what_is_no_plain_file_is_refused(files, tmp_path):
    (files / "filter.nft").unlink()
    (files / "filter.nft").symlink_to("/etc/shadow")
    with pytest.raises(UsageError, match=r"filter\.nft"):
        read_files(files)
    (files / "filter.nft").unlink()
    os.mkfifo(files / "filter.nft")
    with pytest.raises(UsageError, match="no plain file"):
        read_files(files)
    (files / "filter.nft").unlink()
    (files / "filter.nft").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8: octet 0"):
        read_files(files)
    with open(files / "filter.nft", "wb") as file:
        file.truncate(9 << 20)
    with pytest.raises(UsageError, match="larger than"):
        read_files(files)
    with pytest.raises(UsageError, match=r"has no plan\.json"):
        read_files(tmp_path)


@needs_kernel
def test_a_wrong_balance_is_refused(files):
    (files / "balance.yaml").write_text("uplinks: !!python/object/apply:os.system [reboot]\n")
    with pytest.raises(InputErrors):
        wish_of(read_files(files))


@needs_kernel
def test_the_check_says_it_in_lines(files, tmp_path, capsys):
    with Wires(tmp_path) as wires, wires.nodes["appliance"].inside():
        assert main(["files", str(files)]) == 0
        assert capsys.readouterr().out.strip() == ""
        (files / "plan.json").write_text("{}")
        assert main(["files", str(files)]) == 1
        assert "plan.json: " in capsys.readouterr().out
        assert main(["standing", str(files)]) == 1
