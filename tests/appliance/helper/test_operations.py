"""Operations: declared commands with arguments from outside, which stay arguments."""

import json
import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.operations import LONGEST_INPUT, Operation, unfit
from appliance.helper.actions import Actions
from appliance.helper.admission import Admission
from appliance.helper.answers import HelperRefused
from appliance.helper.catalogue import Catalogue, installed_catalogue
from appliance.helper.operating import perform
from appliance.helper.requests import read_request
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from tests.appliance.helper.small import as_root

TELL = (sys.executable, "-c", "import json, sys; print(json.dumps([sys.argv[1:], sys.stdin.read()]))")
ANYTHING = Operation(
    name="m.tell", program="m.one", command=(*TELL, "{what}", "x{what}y", "{state}"), arguments={"what": "(?s:.*)"},
    takes_input=True,
)  # fmt: skip
HOLD = Operation(name="m.hold", program="m.one", command=(*TELL, "-h", "{id}"), arguments={"id": "[0-9A-F]{6,15}"})


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "run", tmp_path / "state")


# Starting Python for each takes its time: few, but nasty.
@pytest.mark.parametrize("what", ["", "a b", "{what}", "{state}", "$(id)", "; id", "--help", "ä\n\t", "x{what}y{id}"])
def test_an_argument_is_one_word_and_is_not_looked_into(places: Places, what: str) -> None:
    words, given_text = json.loads(perform(ANYTHING, {"what": what}, "masuk\n", places, privileged=False))
    assert words == [what, f"x{what}y", str(places.state_of("m.one"))]
    assert given_text == "masuk\n"


@given(st.text())
def test_only_what_matches_the_whole_pattern_fits(text: str) -> None:
    fits = 6 <= len(text) <= 15 and set(text) <= set("0123456789ABCDEF")
    assert (unfit(HOLD, {"id": text}) == "") is fits


@pytest.mark.parametrize(
    ("arguments", "said", "words"),
    [
        ({}, "", "wants the argument id"),
        ({"id": "ABCDEF", "more": "x"}, "", "takes no argument more"),
        ({"id": "ABCDEF\n"}, "", "does not take id"),
        ({"id": "ALL"}, "", "does not take id"),
        ({"id": "ABCDEF"}, "x", "takes no input"),
    ],
)
def test_what_does_not_fit_is_refused(places: Places, arguments: dict[str, str], said: str, words: str) -> None:
    with pytest.raises(HelperRefused, match=words):
        perform(HOLD, arguments, said, places, privileged=False)


def test_input_has_a_bound(places: Places) -> None:
    with pytest.raises(HelperRefused, match="longer"):
        perform(ANYTHING, {"what": ""}, "ä" * (LONGEST_INPUT // 2 + 1), places, privileged=False)


def test_a_failure_is_told_with_its_words(places: Places) -> None:
    failing = Operation(name="m.fail", program="m.one", command=(sys.executable, "-c", "exit('no such message')"))
    with pytest.raises(SupervisionFailed, match="ended with 1") as failed:
        perform(failing, {}, "", places, privileged=False)
    assert "no such message" in str(failed.value)


def test_what_takes_too_long_is_killed(places: Places) -> None:
    hanging = Operation(name="m.hang", program="m.one", command=("sleep", "60"), within=0.2)
    with pytest.raises(SupervisionFailed) as failed:
        perform(hanging, {}, "", places, privileged=False)
    assert "did not end within" in str(failed.value)


@as_root
def test_an_operation_of_another_user_is_done_by_him(places: Places) -> None:
    asking = Operation(name="m.who", program="m.one", command=("id", "-un"), user="nobody")
    assert perform(asking, {}, "", places, privileged=True) == "nobody"


def test_the_helper_does_declared_ones_only(tmp_path: Path, places: Places) -> None:
    with OwnSupervisor(places) as supervisor:
        actions = Actions(
            catalogue=Catalogue(operations={"m.hold": HOLD}),
            supervisor=supervisor,
            admission=Admission(tmp_path / "daemon", tmp_path / "store"),
            places=places,
            privileged=os.geteuid() == 0,
        )

        def asked(operation: str, **arguments: str) -> str:
            line = {"action": "perform", "operation": operation, "arguments": arguments}
            return actions.do(read_request(json.dumps(line).encode())).said

        assert json.loads(asked("m.hold", id="0123AB"))[0] == ["-h", "0123AB"]
        with pytest.raises(HelperRefused, match=r"no installed service declares an operation m\.other"):
            asked("m.other")
        with pytest.raises(HelperRefused, match="does not take id"):
            asked("m.hold", id="-d")


def test_what_is_declared_here_is_well_formed() -> None:
    """Of every installed service: a pattern that lets a word begin with a minus would let options in."""
    for operation in installed_catalogue().operations.values():
        for name, pattern in operation.arguments.items():
            assert any(f"{{{name}}}" in word for word in operation.command), (operation.name, name)
            alone = f"{{{name}}}" in operation.command
            for word in ("a/../b", "/../x", *(("-d", "--help") if alone else ())):
                assert not re.fullmatch(pattern, word, re.ASCII), (operation.name, name, word)
