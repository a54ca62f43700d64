"""The description of the lab file tells of everything that there is, and its examples are YAML."""

import re

import pytest

from compiler.placed.places import PlacedMapping, compose
from labs.assertions import VOCABULARY
from labs.ftp_filter import FOLDER
from labs.lab_file import read_lab
from labs.reading.services import SERVICES
from labs.topology import NodeKind, TrafficKind

TEXT = (FOLDER.parent / "README.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.S)


@pytest.mark.parametrize(
    "word", [*VOCABULARY, *SERVICES, *(kind.value for kind in TrafficKind), *(kind.value for kind in NodeKind)]
)
def test_every_word_is_there(word):
    assert re.search(rf"[`{{ ]{re.escape(word)}[`:,) ]", TEXT)


@pytest.mark.parametrize("block", BLOCKS)
def test_the_examples_are_yaml(block):
    assert isinstance(compose(block, "README.md"), PlacedMapping)


def test_the_example_of_the_nodes_can_be_read(tmp_path):
    (nodes,) = (block for block in BLOCKS if block.startswith("nodes:"))
    (tmp_path / "router.cfg").write_text("hostname r\ninterface Gi0/1\n ip address 10.0.0.1 255.255.255.0\n")
    (tmp_path / "router.nft").write_text("table ip t { }\n")
    links = [
        "[pc, centre]",
        "[tablet, centre]",
        "[office:eth0, centre]",
        "[office:eth1, apart]",
        "[server, centre]",
        "['router:Gi0/1', centre]",
        "[linux:lan, elsewhere]",
        "[linux:isp1, adsl:lan]",
        "[adsl:line, far]",
        '["pc{1..100}", second]',
    ]
    more = "  apart: {kind: switch}\n  elsewhere: {kind: switch}\n  far: {kind: switch}\n  second: {kind: switch}\n"
    (tmp_path / "lab.yaml").write_text(nodes + more + "links:\n" + "".join(f"  - {link}\n" for link in links))
    lab = read_lab(tmp_path)
    assert len(lab.nodes) == 8 + 4 + 100
