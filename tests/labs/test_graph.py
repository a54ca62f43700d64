"""Drawings: every node and link is on them, and the same lab makes the same bytes."""

import xml.etree.ElementTree as ElementTree

import pytest

from labs.drawing import line_label, stations
from labs.graph import draw_svg, draw_text
from labs.lab_file import read_lab

SVG = "{http://www.w3.org/2000/svg}"


def test_the_text_is_a_tree_from_the_middle(small_lab):
    assert draw_text(small_lab).splitlines() == [
        "small: 3 nodes, 2 links",
        "",
        "router [Linux router]  10.0.0.1/24, 192.0.2.1/24",
        "├─ lan ── pc-router ── pc [host]  10.0.0.2/24",
        "└─ wan ── wan (3 Mbit/s, 10 ms) ── server [server, http:80 source:19]  192.0.2.9/24",
    ]


def texts(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_picture_names_every_node_and_link(small_lab):
    svg = draw_svg(small_lab)
    assert {"pc", "router", "server", "wan", "pc-router", "3 Mbit/s, 10 ms"} <= set(texts(svg))
    assert svg == draw_svg(small_lab)


RING = """\
nodes:
  a: {kind: switch}
  b: {kind: switch}
  c: {kind: switch, state: down}
  "pc{1..20}": {kind: host, address: "10.0.0.{1..20}/24", wireless: true}
links:
  - [a, b]
  - [b, c]
  - {name: closing, ends: [c, a], state: down}
  - ["pc{1..20}", a]
"""


@pytest.fixture
def ring(lab_folder):
    return read_lab(lab_folder(RING))


def test_a_ring_is_closed_below_the_tree(ring):
    text = draw_text(ring)
    below = text.partition("and these close a ring:\n")[2]
    assert "── " in below
    assert text.count(" DOWN") >= 2


def test_many_alike_are_one(ring):
    found, lines = stations(ring)
    assert found["pc1"].title == "pc1 … pc20 (20)"
    assert len(found) == 4
    assert sorted(len(line.links) for line in lines) == [1, 1, 1, 20]
    assert "20 links" in draw_text(ring)


def test_radio_is_dashed_and_what_is_down_is_red(ring):
    root = ElementTree.fromstring(draw_svg(ring))
    lines = list(root.iter(f"{SVG}line"))
    assert len(lines) == 4
    assert sum("stroke-dasharray" in line.attrib for line in lines) == 1
    assert sum(line.attrib["stroke"] == "#c62828" for line in lines) == 1
    assert "closing (down)" in texts(draw_svg(ring))


def test_names_are_escaped(small_lab):
    from dataclasses import replace

    odd = replace(small_lab, name="<script>&")
    assert "<script>" not in draw_svg(odd)


def test_ways_that_differ_have_arrows(lab_folder, small):
    lab = read_lab(lab_folder(small.replace("rate: 3 Mbit/s", "up: {rate: 512 kbit/s}, down: {rate: 3 Mbit/s}")))
    _, lines = stations(lab)
    assert line_label(lines[1]) == "↑ 512 kbit/s, ↓ 3 Mbit/s, 10 ms"
