"""Whatever is done to a lab file, it is read or its mistakes are told: there is no other way out."""

import re
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from compiler.errors import GerbangError
from labs.lab_file import read_lab
from tests.labs.conftest import SMALL
from tests.labs.test_lab_file import FAULTS, ROUTER, TRAFFIC

TEXTS = (
    SMALL,
    SMALL.partition("traffic:")[0] + TRAFFIC + FAULTS,
    f"nodes:\n{ROUTER}links:\n  - [a, r:one]\n  - [b, r:two]\n",
)
WORDS = [
    "x",
    "0",
    "-1",
    "1:30",
    "~",
    "{}",
    "[]",
    "{a: b}",
    "99999999999999999999",
    "2001:db8::1",
    "{1..3}",
    "*",
    "é",
    "${x}",
]


@st.composite
def mutations(draw):
    words = re.findall(r"[\w./-]+|\s+|.", draw(st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(1, 3))):
        words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from([*WORDS, "", *words[:60]]))
    return "".join(words)


@given(mutations())
def test_a_changed_file_is_read_or_complained_about(text):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "lab.yaml").write_text(text)
        (Path(folder) / "old.pcap").write_text("")
        problem = None
        try:
            read_lab(folder)
        except GerbangError as error:
            problem = error
    assert problem is None or (problem.exit_code == 2 and problem.render())
