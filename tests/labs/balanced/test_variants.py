"""Variants are merged over the lab file, and errors stay where they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.errors import InputErrors, UsageError
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedSequence
from compiler.source import Span
from labs.lab_file import describe, read_lab, read_lab_file
from labs.reading.variants import merged

KEYS = st.sampled_from("abcd")
PLAIN = st.recursive(
    st.text("xyz", min_size=1, max_size=3) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
MAPPINGS = st.dictionaries(KEYS, PLAIN, max_size=4)


def placed(value, source):
    span = Span(source, 1)
    if isinstance(value, dict):
        entries = ((PlacedScalar(key, span), placed(one, source)) for key, one in value.items())
        return PlacedMapping(tuple(entries), span)
    if isinstance(value, list):
        return PlacedSequence(tuple(placed(one, source) for one in value), span)
    return PlacedScalar(value or "", span)


def plain(value):
    if isinstance(value, PlacedMapping):
        return {key.text: plain(one) for key, one in value.entries}
    if isinstance(value, PlacedSequence):
        return [plain(one) for one in value.items]
    return value.text or None


def patched(target, patch):
    """RFC 7396, section 2, as it stands there, but that a new mapping is taken as it is."""
    if not isinstance(patch, dict) or not isinstance(target, dict):
        return patch
    found = dict(target)
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        elif name in found:
            found[name] = patched(found[name], value)
        else:
            found[name] = value
    return found


@given(MAPPINGS, MAPPINGS)
def test_merging_is_that_of_rfc_7396(below, above):
    assert plain(merged(placed(below, "below"), placed(above, "above"))) == patched(below, above)


@given(MAPPINGS, MAPPINGS)
def test_every_text_of_a_variant_keeps_its_place(below, above):
    made = merged(placed(below, "below"), placed(above, "above"))

    def leaves(value, path=()):
        if isinstance(value, PlacedMapping):
            for key, one in value.entries:
                yield from leaves(one, (*path, key.text))
        elif isinstance(value, PlacedScalar):
            yield path, value.span.source

    def at(value, path):
        for word in path:
            value = value.get(word) if isinstance(value, dict) else None
        return value

    for path, source in leaves(made):
        if source == "below":
            assert at(below, path) is None or isinstance(at(below, path), str)
        else:
            assert at(above, path) is None or isinstance(at(above, path), str)


VARIANTS = """\
variants:
  far:
    about: The server is elsewhere. And more.
    nodes: {server: {address: 192.0.2.77/24}}
    duration: 3 s
    traffic:
      - {name: other, client: pc, server: server, http: /}
    assert: [connected: other]
    faults:
"""


def test_a_variant_changes_parts_and_the_file_stays_as_it_is(lab_folder, small):
    folder = lab_folder(small + VARIANTS)
    plain_lab, far = read_lab(folder), read_lab(folder, variant="far")
    assert (plain_lab.variant, far.variant) == ("", "far")
    assert [one.name for one in plain_lab.traffic] == ["web", "closed"]
    assert [one.name for one in far.traffic] == ["other"]
    assert (len(plain_lab.faults), len(far.faults)) == (1, 0)
    server = far.node("server")
    assert server.addresses[0].address & 0xFF == 77
    assert [service.name for service in server.services] == ["http", "source"]
    assert far.duration == 3_000_000_000


def test_what_variants_say_of_themselves(lab_folder, small):
    folder = lab_folder(small + VARIANTS)
    assert read_lab_file(folder).about == {"far": "The server is elsewhere. And more."}
    assert describe(folder).variants == {"far": "The server is elsewhere. And more."}


def test_an_error_in_a_variant_is_told_where_it_stands(lab_folder, small):
    text = small + VARIANTS.replace("192.0.2.77/24", "192.0.2.777/24")
    folder = lab_folder(text)
    read_lab(folder)
    with pytest.raises(InputErrors) as caught:
        read_lab(folder, variant="far")
    line = text.split("\n").index("    nodes: {server: {address: 192.0.2.777/24}}") + 1
    (error,) = (one for one in caught.value.errors if "777" in one.message)
    assert (error.span.line, error.text) == (line, "    nodes: {server: {address: 192.0.2.777/24}}")


def test_unknown_variants_and_parts_are_told_with_the_known(lab_folder, small):
    folder = lab_folder(small + VARIANTS)
    with pytest.raises(UsageError, match="no variant 'fra'; did you mean 'far'"):
        read_lab(folder, variant="fra")
    folder = lab_folder(small + VARIANTS.replace("nodes:", "noeds:"))
    with pytest.raises(InputErrors, match="unknown parameter or part 'noeds'; did you mean 'nodes'"):
        read_lab(folder)


def test_parameters_and_parts_in_one_variant(lab_folder, small):
    text = small.replace("192.0.2.9/24", "'${own}'").replace(
        "name: small", "name: small\nparameters: {own: 192.0.2.9/24}"
    )
    more = "variants: {b: {own: 192.0.2.8/24, seed: 7}, c: {parameters: {own: 192.0.2.7/24}}}\n"
    folder = lab_folder(text + more)
    found = {name: read_lab(folder, variant=name) for name in ("", "b", "c")}
    assert [lab.node("server").addresses[0].address & 0xFF for lab in found.values()] == [9, 8, 7]
    assert [lab.seed for lab in found.values()] == [1, 7, 1]
    assert read_lab(folder, {"own": "192.0.2.6/24"}, "b").node("server").addresses[0].address & 0xFF == 6


def test_lab_check_reads_every_variant(lab_folder, small, capsys):
    from compiler.cli.main import main

    folder = lab_folder(small + VARIANTS.replace("192.0.2.77/24", "192.0.2.777/24"))
    assert main(["lab", "check", str(folder)]) == 2
    told = capsys.readouterr().err
    assert "variant far:" in told
    assert "192.0.2.777" in told


def test_lab_list_tells_of_variants(lab_folder, small, capsys):
    from compiler.cli.main import main

    folder = lab_folder(small + VARIANTS + "  near: {seed: 2}\n")
    assert main(["lab", "list", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "--variant far  The server is elsewhere\n" in printed
    assert "variants near" in printed
