"""YAML with places: what YAML 1.1 would guess stays text, and what is wrong has a line and a column."""

import pytest

from compiler.errors import InputErrors
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedSequence, compose


def entries(text):
    root = compose(text, "lab.yaml")
    assert isinstance(root, PlacedMapping)
    return {key.text: value for key, value in root.entries}


def fault(text):
    with pytest.raises(InputErrors) as caught:
        compose(text, "lab.yaml")
    return caught.value.errors


@pytest.mark.parametrize("word", ["on", "no", "yes", "null", "~", "1:30", "0x10", "1e3", "010", "2026-01-31"])
def test_words_that_yaml_would_turn_into_something_else_stay_as_they_are(word):
    value = entries(f"key: {word}")["key"]
    assert isinstance(value, PlacedScalar)
    assert value.text == word


def test_a_value_knows_its_place():
    value = entries("one: 1\nmap:\n  two: some text\n")["map"]
    assert isinstance(value, PlacedMapping)
    ((key, two),) = value.entries
    assert (key.span.line, key.span.column) == (3, 3)
    assert (two.span.line, two.span.column, two.span.end) == (3, 8, 17)


def test_a_key_that_stands_twice_is_refused():
    (error,) = fault("nodes: 1\nlinks: 2\nnodes: 3\n")
    assert str(error) == "lab.yaml:3:1: 'nodes' stands twice in this mapping (first in line 1)"


def test_anchors_and_merge_keys_work_and_own_keys_win():
    found = entries("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n")["b"]
    assert {key.text: value.text for key, value in found.entries} == {"x": "1", "y": "3"}


def test_the_first_of_several_merged_mappings_wins():
    found = entries("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}\n")["c"]
    assert {key.text: value.text for key, value in found.entries} == {"x": "1", "y": "2"}


def test_an_alias_that_contains_itself_is_refused():
    (error,) = fault("a: &a [*a]\n")
    assert "contains itself" in error.message


def test_a_few_lines_cannot_name_a_billion_values():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (error,) = fault("\n".join(lines))
    assert "200,000" in error.message


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\n\tb: 2\n", 2, "a tab: YAML indents with blanks only"),
        ("a: [1, 2\nb: 3\n", 2, "expected ',' or ']'"),
        ("a: {address: 10.0.0.{1..3}/24}\n", 1, "quote a text that has braces"),
        ("a: !!python/object:os.system {}\n", 1, "tags such as"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("? [a, b]\n: 1\n", 1, "a key must be a word"),
        ("a: {<<: word}\n", 1, "'<<' merges a mapping"),
    ],
)
def test_what_is_no_yaml_for_a_lab_has_a_place(text, line, said):
    errors = fault(text)
    assert any(error.span.line == line and said in error.message for error in errors), [str(error) for error in errors]


def test_an_empty_file_is_said_to_be_empty():
    (error,) = fault("# nothing\n")
    assert "empty" in error.message


def test_a_block_is_known_as_one():
    block = entries("a: |\n  one\n  two\nb: [x]\n")
    assert isinstance(block["a"], PlacedScalar)
    assert block["a"].literal
    assert block["a"].text == "one\ntwo\n"
    assert isinstance(block["b"], PlacedSequence)
