"""The grammar: paths, commands, arguments, continuations, places."""

import re

import pytest

from compiler.dialects.routeros import script as grammar
from compiler.dialects.routeros.script import Opaque, parse
from compiler.errors import SyntaxFault

FILTER = ("ip", "firewall", "filter")


def statements(text):
    script = parse(text, "t.rsc")
    assert script.faults == []
    return [(item.path, item.command, item.arguments) for item in script.statements]


@pytest.mark.parametrize(
    "text",
    [
        "/ip firewall filter\nadd chain=input action=drop\n",
        "/ip firewall filter add chain=input action=drop",
        "/ip/firewall/filter\nadd chain=input action=drop\n",
        "/ip/firewall/filter/add chain=input action=drop",
        "/ip firewall\nfilter add chain=input action=drop",
        "/ip firewall nat\n.. filter add chain=input action=drop",
        "/ip firewall filter; add chain=input action=drop;",
        "/ip firewall filter\r\nadd chain=input action=drop\r\n",
        "/ip firewall filter\nadd chain=\\\n    input action=drop\n",
        '/ip firewall filter\nadd chain="inp\\\n    ut" \\\n    action=drop\n',
        '/ip firewall filter\n  add chain="input"   action=drop  # why\n',
    ],
)
def test_one_statement_in_many_forms(text):
    found = [item for item in statements(text) if item[1]]
    assert found == [(FILTER, "add", (("chain", "input"), ("action", "drop")))]


def test_arguments_of_every_kind():
    text = '/ip firewall filter\nset [ find where comment="a ] b" ] !src-address disabled=yes dst-port=""\nset 0,2 *F'
    _, first, second = statements(text)
    assert first[2] == (
        ("", Opaque('[ find where comment="a ] b" ]', 24)),
        ("!", "src-address"),
        ("disabled", "yes"),
        ("dst-port", ""),
    )
    assert second[2] == (("", "0,2"), ("", "*F"))


def test_scripting_is_one_statement_over_lines():
    text = ':if ($a = "}") do={\n  /ip firewall filter add chain=x\n} else={ :put 1 }\n/ip firewall raw\nadd chain=y\n'
    found = statements(text)
    assert [item[1] for item in found] == [":if", "", "add"]
    assert found[-1][0] == ("ip", "firewall", "raw")


def test_head_comments():
    script = parse("# may/01/2024 by RouterOS 6.49.10\n# model = RB750\n/ip address\n# later\n", "t")
    assert script.comments == ["may/01/2024 by RouterOS 6.49.10", "model = RB750"]


def test_places_survive_continuations():
    text = "/ip firewall filter\nadd action=drop chain=input comment=\\\n"
    text += '    "long \\\n    words" dst-port=80 protocol=tcp\n'
    script = parse(text, "t.rsc")
    places = [script.locate(script.statements[1], index) for index in range(5)]
    assert [(place.line, place.column) for place in places] == [(2, 5), (2, 17), (2, 29), (4, 12), (4, 24)]
    assert (places[3].end, script.line_text(4)[11:22]) == (23, "dst-port=80")


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('/ip address\nadd comment="open\nadd x=1\n', 2, 13, "never closed"),
        ("/ip address\nadd x=[find y\n", 2, 7, "never closed"),
        ("/ip address\nadd x=(1]\n", 2, 9, "closes nothing"),
        ('/ip address\nadd x="a"b\n', 2, 10, "blank between words"),
        ('/ip address\nadd x="\\q"\n', 2, 8, "not an escape"),
        ("/ip address\nadd ]\n", 2, 5, "expected a word"),
    ],
)
def test_faults_have_places(text, line, column, words):
    (fault,) = parse(text, "t").faults
    assert isinstance(fault, SyntaxFault)
    assert (fault.span.line, fault.span.column) == (line, column)
    assert words in fault.message


FORMS = [
    "add a=1 b=2\nadd c=3",
    '  add a=1\t b="two words"  \r\n\nadd c=\n',
    'add a=\\\n    1 \\\n    b=\\\r\n   "x y"\nadd c=d=e\n',
    "add a=1\\\n  b=2\n",
    "add a=\\\n    b=2 c=3\n",
    'add a=1 # no\nadd b=#2\nadd c=3#4 d="#"\n',
    "add a=!1,!2 b=<x> c=*F d=1.2.3.4/5\n",
    'add a=\'x\' b=1\nadd a="" b="\'"\n',
    'add a=1;add b=2\nadd a="x\\_y"\n',
]


@pytest.mark.parametrize("form", FORMS)
def test_the_fast_way_reads_as_the_grammar_does(form, monkeypatch):
    text = f"/ip address\n{form}"
    fast = parse(text, "t")
    monkeypatch.setattr(grammar, "_SIMPLE", re.compile(r"(?!)"))
    slow = parse(text, "t")
    assert [item[:3] + item[4:] for item in fast.statements] == [item[:3] + item[4:] for item in slow.statements]
    assert [str(fault) for fault in fast.faults] == [str(fault) for fault in slow.faults]
    places = [[script.locate(item, 0) for item in script.statements if item.arguments] for script in (fast, slow)]
    assert places[0] == places[1]


def test_reading_goes_on_after_a_fault():
    script = parse('/ip firewall filter\nadd x="\\q"\nadd chain=a\n', "t")
    assert len(script.faults) == 1
    assert script.statements[-1].arguments == (("chain", "a"),)
