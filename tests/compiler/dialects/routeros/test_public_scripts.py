"""Scripts after public ones are read, or refused by name at their right places; so are all that come of them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.dialects.routeros.adapt import adapt
from compiler.dialects.routeros.reader import read
from compiler.dialects.routeros.writer import write
from compiler.lowering.options import Options
from tests.compiler.dialects.routeros import public_scripts as public

READ = [name for name in public.NAMES if public.EXPECTED[name]["rules"] == "read"]
LED = [name for name in public.NAMES if public.EXPECTED[name]["network"] == "read"]


def test_every_script_is_listed_with_what_is_known():
    assert {path.name for path in (public.ROOT / "after").iterdir()} == set(public.EXPECTED)
    known = {"rules", "network", "version", "marks", "uplinks", "must", "never", "disputed", "inside", "why"}
    for name, said in public.EXPECTED.items():
        assert said.keys() <= known, name
        shares = [Fraction(share) for share in said.get("marks", {"": 1}).values()]
        assert sum(shares) == 1, name
        assert not set(said.get("must", ())) & set(said.get("never", ())), name
        assert set(said.get("disputed", ())) <= {"marks", *said.get("must", ()), *said.get("never", ())}, name


@pytest.mark.parametrize("reader", public.READERS)
@pytest.mark.parametrize("name", public.NAMES)
def test_read_or_refused_by_name(name, reader):
    said = public.EXPECTED[name][reader]
    found = public.refusals(reader, public.script(name), name)
    if said == "read":
        assert [str(error) for error in found] == []
        return
    assert [(error.span.line, error.span.column) for error in found] == [(line, column) for line, column, _ in said]
    for error, (_, _, words) in zip(found, said, strict=True):
        assert words in error.message
    assert public.misplaced(public.script(name), name) == []


@pytest.mark.parametrize("name", [name for name in LED if "version" in public.EXPECTED[name]])
def test_the_version_is_seen(name):
    assert public.read_network(public.script(name), name).version == public.EXPECTED[name]["version"]


@pytest.mark.parametrize("name", READ)
def test_every_clause_has_a_meaning_and_its_place(name):
    ruleset = public.rules_of(public.script(name), name)
    for chain in ruleset.chains:
        for rule in chain.rules:
            for clause in rule.unmodelled:
                assert clause.meaning is not None
                shown = ruleset.lines[clause.span.line - 1][clause.span.column - 1 :]
                assert shown.startswith(clause.text.split(" ")[-1].split("=")[0] + "=")


@pytest.mark.parametrize("name", READ)
def test_the_same_words_without_their_layout_are_the_same_firewall(name):
    text = public.script(name)
    version = public.EXPECTED[name].get("version")
    plain = public.rules_of(text, name)
    again = read(public.written_out(text, name), name, version=version, unmodelled="simulate")
    assert public.meant(again) == public.meant(plain)


@pytest.mark.parametrize("name", LED)
def test_the_same_words_without_their_layout_are_the_same_network(name):
    text = public.script(name)
    version = public.EXPECTED[name].get("version")
    again = public.read_network(public.written_out(text, name), name, version=version)
    assert public.led(again) == public.led(public.read_network(text, name))


def test_line_ends_are_of_no_account():
    name = "pcc-not-that-wan-v6.rsc"
    text = public.script(name)
    assert text.count("\r\n") == text.count("\n") > 40
    unix = text.replace("\r\n", "\n")
    assert public.meant(public.rules_of(unix, name)) == public.meant(public.rules_of(text, name))


def test_what_the_writer_can_say_comes_back():
    name = "bogons-raw.rsc"
    tree = read(public.script(name), name)
    again = read(write(adapt(tree, Options())[0]), "again.rsc")
    raw = [chain for chain in again.chains if chain.table == "ip raw"]
    assert [chain.name for chain in raw] == [chain.name for chain in tree.chains]
    for chain, source in zip(raw, tree.chains, strict=True):
        found = [(rule.match, rule.verdict, rule.target, rule.log is None) for rule in chain.rules]
        assert found == [(rule.match, rule.verdict, rule.target, rule.log is None) for rule in source.rules]
    assert {named.name: named.addresses for named in again.sets} == {named.name: named.addresses for named in tree.sets}


TEXTS = [public.script(name) for name in public.NAMES] + [public.text_of(path) for path in public.OWN_PATHS]
OCTETS = st.sampled_from([*'"\\[]{}()$;=!#/:%@<>~|&', "\n", "\r\n", "\\\n", "\x00", "\x7f", "é", "\ud800", "$x", "{}"])
PLACE = st.integers(0, 10**6)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["delete", "double", "cut"]), PLACE, PLACE),
        st.tuples(st.just("swap"), PLACE, PLACE),
        st.tuples(st.just("insert"), PLACE, OCTETS),
    ),
    min_size=1,
    max_size=6,
)


def changed(text, changes):
    """A script with words deleted, doubled or swapped, lines cut, octets put in."""
    for kind, first, second in changes:
        words = text.split(" ")
        place = first % len(words)
        if kind == "delete":
            del words[place]
        elif kind == "double":
            words.insert(place, words[place])
        elif kind == "swap":
            other = second % len(words)
            words[place], words[other] = words[other], words[place]
        elif kind == "cut":
            lines = text.split("\n")
            row = first % len(lines)
            lines[row] = lines[row][: second % (len(lines[row]) + 1)]
            words = ["\n".join(lines)]
        else:
            here = first % (len(text) + 1)
            words = [text[:here] + second + text[here:]]
        text = " ".join(words) or "/"
    return text


@given(text=st.sampled_from(TEXTS), changes=CHANGES)
def test_what_comes_of_them_is_read_or_refused_at_a_place(text, changes):
    assert public.misplaced(changed(text, changes), "fuzz.rsc") == []


@pytest.mark.skipif(not public.OWN_PATHS, reason="GERBANG_PUBLIC_SCRIPTS names no folder with scripts")
def test_scripts_of_a_folder_are_read_or_refused_at_a_place():
    wrong = {path: public.misplaced(public.text_of(path), path.name) for path in public.OWN_PATHS}
    assert {path: found for path, found in wrong.items() if found} == {}


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('/ip route\nadd gateway="$gw"', 2, 5, '"$gw" can only be known on a running router'),
        ('/ip route\nset [find comment="to $line"] distance=2', 2, 5, "cannot be known without a running router"),
        ("{\n/ip route\nadd gateway=192.0.2.1\n", 1, 1, "'{' is opened here and never closed"),
        ("/ip route add gateway=192.0.2.1\n}\n", 2, 1, "'}' closes nothing here"),
        ("/ip route\n:do { add gateway=192.0.2.1 } while=(1)", 2, 1, "scripting (:do) is not modelled"),
        (":do { /ip route add gateway=x } on-error={ /ip route remove 0 }", 1, 1, "scripting (:do) is not modelled"),
        (":do {\n# a }\n/ip route add gateway=x\n}", 1, 1, "it cannot be told where this block ends"),
        ("while (true) do={ :put 1 }", 1, 1, "scripting (:while) is not modelled"),
        ("/import more.rsc\n/ip route add gateway=x", 1, 1, "/import more.rsc runs what does not stand in this text"),
        ("/import file-name=more.rsc", 1, 1, "/import runs what does not stand in this text"),
        ("/system script run more", 1, 1, "/system script run runs what does not stand in this text"),
        ("/ip dhcp-server {\n/ip route add gateway=x\n}", 1, 1, "a block of commands behind the path /ip dhcp-server"),
        ("/ip route {\nadd gateway=x\n}\n", 1, 1, "a block of commands behind the path /ip route"),
        (":put [/ip route remove 0]", 1, 1, "scripting (:put) is not modelled"),
    ],
)
def test_scripting_is_refused_where_it_stands(text, line, column, words):
    (found,) = public.refusals("network", text, "t.rsc")
    assert (found.span.line, found.span.column) == (line, column)
    assert words in found.message


@pytest.mark.parametrize(
    "text",
    [
        "{ /ip route add gateway=192.0.2.1 }",
        "{\n{\n/ip route\nadd gateway=192.0.2.1\n}\n}\n",
        "/ip route\n{\nadd gateway=192.0.2.1\n}\nprint",
        '/ip route\n:do { add gateway=192.0.2.1 } on-error={ :log error "no" }\n',
        ':do {\n    /ip route add gateway=192.0.2.1\n} on-error={}\n:put "done $x"; :log info $y\n',
        '{\n/ip route; # not } here\nadd gateway=192.0.2.1 comment="}"\n}',
        'do { /ip route add gateway=192.0.2.1 comment="5 \\$" }',
    ],
)
def test_blocks_that_run_once_are_their_statements(text):
    (route,) = public.read_network(text, "t.rsc").routes
    assert route.next_hops[0].address == 0xC0000201


def test_very_deep_blocks_are_refused_at_once():
    text = ":do { " * 20_000 + "}" * 20_000
    (found,) = public.refusals("network", text, "deep.rsc")
    assert (found.span.line, found.span.column) == (1, 601)
    assert "scripting (:do) is not modelled" in found.message
