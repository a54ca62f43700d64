"""The tables, the plots and the page of a paper, and the command that makes them."""

import json
import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from compiler.cli.main import main
from compiler.errors import InputErrors, UsageError
from labs.observation import Observation
from labs.published.judging import Ours, Verdict, fits, judged, show
from labs.published.measures import MEASURES, Unit
from labs.published.methods import MethodRow, MethodTable, method_columns
from labs.published.page import page, plots
from labs.published.paper import Methods, Shape, read_paper
from labs.published.running import Done, Place
from labs.published.tables import as_json, markdown_lines, text_lines
from labs.report.line_plots import line_plot
from tests.labs.records import SECOND, outcome, record
from tests.labs.two_isps.papers import PAPER, TWO

READER = outcome(
    "forum",
    record(at=1, seen_as="198.51.100.2:1", detail="200 Logged in; 200 Thread 1", transferred=4000),
    record(at=2, seen_as="203.0.113.2:1", detail="302 Log in again; 200 Logged in; 200 Thread 2", transferred=4000),
)
SEEN = TWO, Observation("simulator", 1, 5 * SECOND, (READER,))
ROW = next(row for row in PAPER.rows if row.measure == "log-outs")


def table(world, value):
    names = method_columns(PAPER.methods)
    units = [*(MEASURES[word].unit for word in PAPER.methods.measures), Unit.SECONDS, Unit.SECONDS]
    rows = [MethodRow(method, tuple(Ours(value, unit) for unit in units)) for method in ("nth", "pcc")]
    assert len(units) == len(names)
    return MethodTable("linux", world, tuple(rows))


@pytest.fixture
def done():
    """Two rows in one world, one of which the kernel cannot run, and two tables."""
    rows = [
        judged(ROW, {"simulator": SEEN, "kernel": "no | time"}),
        judged(PAPER.rows[0], {"simulator": "not asked", "kernel": ""}),
    ]
    tables = table("simulator", 1.0), table("kernel", math.inf)
    seen = {Place(ROW.run, "simulator"): SEEN}
    return Done(PAPER._replace(rows=(ROW, PAPER.rows[0])), ("simulator", "kernel"), tuple(rows), tables, seen)


def test_values_in_their_units():
    assert show(2_841_000, Unit.RATE) == "2.841 Mbit/s"
    assert show(0.0, Unit.SECONDS) == "at once"
    assert show(11.0, Unit.SECONDS) == "11 s"
    assert show(math.inf, Unit.SECONDS) == "never"
    assert show(0.0066, Unit.SHARE) == "0.66 %"
    assert show(1.13, Unit.SHARE) == "113 %"
    assert show(7.0, Unit.NUMBER) == "7"
    assert show(0.5, Unit.NUMBER) == "0.500"


def test_shapes_bound_from_below_and_above():
    assert fits(3.0, Shape(2.0, 4.0))
    assert not fits(5.0, Shape(2.0, 4.0))
    assert not fits(1.0, Shape(2.0, 4.0))
    assert fits(math.inf, Shape(at_least=math.inf))
    assert not fits(9.0, Shape(at_least=math.inf))
    assert fits(None, Shape(text="nothing"))
    assert not fits(None, Shape(at_most=1.0))
    assert not fits("198.51.100.2", Shape(text="203.0.113.2"))


def test_the_judgement_follows_the_worst_world():
    assert judged(ROW, {"simulator": SEEN}).verdict is Verdict.DIFFERS, "one log-out, not seven"
    right = ROW._replace(shape=Shape(1, 1))
    assert judged(right, {"simulator": SEEN}).verdict is Verdict.SAME
    assert judged(right._replace(erratum="it is not"), {"simulator": SEEN}).verdict is Verdict.ERRATUM
    assert judged(right._replace(published="–"), {"simulator": SEEN}).verdict is Verdict.EXPECTED


def test_the_table_as_text_and_markdown(done):
    text = list(text_lines(done))
    assert text[0].split() == ["what", "place", "published", "ours,", "simulator", "ours,", "kernel", "judgement"]
    assert any("cannot: no | time" in line and line.endswith("differs") for line in text)
    assert sum(line.startswith("Methods compiled for linux") for line in text) == 2
    marked = list(markdown_lines(done))
    columns = {line.replace(r"\|", "").count("|") for line in marked[:4]}
    assert columns == {8}, "a bar in a cell is escaped"
    assert "never" in "\n".join(marked)


def test_the_table_as_json(done):
    found = json.loads(json.dumps(as_json(done), allow_nan=False))
    assert found["rows"][0]["ours"] == {"simulator": 1.0, "kernel": {"cannot": "no | time"}}
    assert re.search(r"published\.yaml:\d+:\d+", found["rows"][0]["line"])
    assert found["methods"][1]["rows"]["nth"]["forum: log-outs"] == "never"


def test_the_page_has_tables_and_plots(done):
    text = page("two-isps", "gerbang lab published labs/two-isps", done)
    first = plots(done)
    assert first == plots(done), "the same bytes for the same runs"
    assert "The forum, simulator" in text
    assert text.count("<svg ") == len(first) == 2
    for svg in re.findall(r"<svg .*?</svg>", text, re.S):
        ElementTree.fromstring(svg)
    assert "ours, kernel" in text


def test_plots_say_their_units_and_their_faults(done):
    from dataclasses import replace

    from labs.topology import Fault, FaultKind

    lab = replace(TWO, faults=(Fault(FaultKind.LINK_DOWN, "isp2", 2 * SECOND),))
    carried = outcome("a", record(at=1, seen_as="203.0.113.2:1", transferred=90_000, ended=4 * SECOND))
    svg = line_plot(lab, Observation("simulator", 1, 5 * SECOND, (carried,)))
    for words in ("seconds", "Mbit/s of payload", "isp2: link down", "speedy-1", "speedy-2"):
        assert words in svg
    assert line_plot(lab, Observation("simulator", 1, 5 * SECOND, ())) == ""


# -- the file and the command ---------------------------------------------------------


ONE = """\
paper: A small one.
rows:
  - what: an upload
    place: table 1
    published: 3 Mbit/s
    measure: rate
    traffic: web
    shape: {at_least: 100 bit/s, at_most: 900 Mbit/s}
    because: it is small
"""


@pytest.fixture
def folder(lab_folder, small):
    """A lab with what was published of it."""
    return lambda text=ONE: lab_folder(small, published__yaml=text)


def test_the_command(folder, capsys, tmp_path):
    place = folder()
    assert main(["lab", "published", str(place), "--report", str(tmp_path / "out.html")]) == 0
    assert "same shape" in capsys.readouterr().out
    assert "A small one." in (tmp_path / "out.html").read_text()
    (place / "published.yaml").write_text(ONE.replace("100 bit/s", "800 Mbit/s"))
    assert main(["lab", "published", str(place), "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["rows"][0]["judgement"] == "differs"


def test_a_lab_of_which_nothing_was_published(lab_folder, small, capsys):
    assert main(["lab", "published", str(lab_folder(small))]) == 2
    assert "published.yaml" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"published\.yaml"):
        read_paper("labs/hospital")


@pytest.mark.parametrize(
    ("right", "wrong", "line", "said"),
    [
        ("measure: rate", "measure: rat", 6, "'rat' is no measure"),
        ("at_least: 100 bit/s", "at_least: 1 kg", 8, "kg"),
        ("shape: {at_least: 100 bit/s, at_most: 900 Mbit/s}", "shape: {}", 8, "at_least"),
        ("because: it", "becuase: it", 9, "becuase"),
        ("    published: 3 Mbit/s\n", "", 3, "published"),
    ],
)
def test_mistakes_have_their_places(folder, right, wrong, line, said):
    assert right in ONE
    with pytest.raises(InputErrors) as caught:
        read_paper(folder(ONE.replace(right, wrong)))
    assert any(error.span.line == line and said in error.message for error in caught.value.errors), caught.value


def test_methods_are_optional(folder):
    assert read_paper(folder()).methods == Methods()
