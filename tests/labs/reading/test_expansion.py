"""Parameters and braces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.placed.complaints import Complaints
from compiler.placed.places import PlacedMapping, PlacedScalar, compose
from labs.reading.expansion import expand, expand_text, substitute


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("pc", ("pc",)),
        ("pc{1..3}", ("pc1", "pc2", "pc3")),
        ("{3..1}", ("3", "2", "1")),
        ("{0..10..5}", ("0", "5", "10")),
        ("pc{08..10}", ("pc08", "pc09", "pc10")),
        ("{a,b}-{1..2}", ("a-1", "a-2", "b-1", "b-2")),
        ("{tcp dport 80}", ("{tcp dport 80}",)),
        ("x{one}", ("x{one}",)),
    ],
)
def test_braces_are_the_shells(text, texts):
    assert expand_text(text) == texts


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_range_holds_both_its_ends_and_all_between(first, last):
    numbers = [int(text) for text in expand_text(f"{{{first}..{last}}}")]
    assert numbers[0] == first
    assert numbers[-1] == last
    assert sorted(numbers) == list(range(min(first, last), max(first, last) + 1))


@pytest.mark.parametrize("text", ["{1..99999999}", "{1..1000}{1..1000}"])
def test_too_many_are_refused(text):
    with pytest.raises(ValueError, match="20,000"):
        expand_text(text)


def texts(value):
    if isinstance(value, PlacedScalar):
        return value.text
    if isinstance(value, PlacedMapping):
        return {key.text: texts(entry) for key, entry in value.entries}
    return [texts(item) for item in value.items]


def test_the_texts_of_an_entry_go_side_by_side():
    complaints = Complaints(())
    root = compose("name: pc{1..3}\naddress: 10.0.0.{11..13}/24\nkind: host\n", "x")
    copies = [texts(copy) for (copy,) in expand((root,), complaints)]
    assert not complaints
    assert copies == [
        {"name": f"pc{number}", "address": f"10.0.0.{number + 10}/24", "kind": "host"} for number in (1, 2, 3)
    ]


def test_texts_of_different_lengths_are_an_error_at_the_second():
    complaints = Complaints(())
    assert expand((compose("name: pc{1..3}\naddress: 10.0.0.{11..12}/24\n", "x"),), complaints) == []
    (error,) = complaints.errors().errors
    assert error.span.line == 2
    assert "stands for 2 texts" in error.message


def test_a_block_keeps_its_braces():
    complaints = Complaints(())
    root = compose("name: pc{1..2}\ntext: |\n  th dport {80,443}\n", "x")
    copies = [texts(copy)["text"] for (copy,) in expand((root,), complaints)]
    assert copies == ["th dport {80,443}\n"] * 2


def test_parameters_are_replaced_everywhere_and_can_be_escaped():
    complaints = Complaints(())
    root = compose('"${a}": ["x${b}y", "$${a}"]\n', "x")
    assert texts(substitute(root, {"a": "1", "b": "2"}, complaints)) == {"1": ["x2y", "${a}"]}
    assert not complaints


def test_an_unknown_parameter_has_a_place_and_a_near_spelling():
    complaints = Complaints(())
    substitute(compose("one: 1\ntwo: ${bsae}\n", "x"), {"base": "2"}, complaints)
    (error,) = complaints.errors().errors
    assert (error.span.line, error.span.column) == (2, 6)
    assert "did you mean 'base'" in error.message
