"""Reports: one file, everything in it, the same bytes for the same run."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from labs.agreement import Difference
from labs.assertions import judge_all
from labs.observation import DropCount, LinkCount, Observation, RuleCount
from labs.report import write_report
from labs.report.document import document
from labs.report.page import World
from labs.report.plots import link_plot, throughput_plot
from labs.report.tables import MOST_ROWS, connection_table
from labs.topology import Traffic, TrafficKind
from tests.labs.records import SECOND, outcome, record


class Page(HTMLParser):
    """Texts of a page, and whether its elements nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.identifiers, self.sources = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.identifiers += [named["id"]] if "id" in named else []
        self.sources += [named[name] for name in ("src", "href") if name in named]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.identifiers += [dict(attributes)["id"]] if "id" in dict(attributes) else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())


@pytest.fixture
def world(small_lab):
    """A run with a bit of everything."""
    samples = tuple((n * SECOND // 10, n * 30_000) for n in range(40))
    observation = Observation(
        "simulator",
        7,
        10 * SECOND,
        (
            outcome("web", record(transferred=1_170_000), samples=samples, delays=tuple(range(10**6, 10**7, 10**6))),
            outcome("closed", record(kind="timed out")),
        ),
        links=(LinkCount("wan", "up", 10, 900, 0), LinkCount("wan", "down", 2000, 1_200_000, 3)),
        drops=(DropCount("router", "list 101 <in>", 4, "r.cfg:14:1"),),
        rules=(RuleCount("router", "r.cfg:14:1", 4),),
        captures=(("wan", "small.pcapng"),),
    )
    return World(observation, judge_all(small_lab, observation))


def test_the_page_says_what_happened(small_lab, world):
    text = write_report(small_lab, [world], "gerbang lab run small --seed 7")
    page = Page(text)
    assert page.open == []
    said = " ".join(page.texts)
    for expected in (
        "simulator: 1 held, 1 failed, 0 skipped",
        "gerbang lab run small --seed 7",
        "seed 7",
        "closed#0 10.0.0.2:1024 > 192.0.2.9:80 at 1 s: no answer",
        "list 101 <in>",
        "Throughput by activity",
        "Throughput by link",
        "Delays",
        "small.pcapng",
        "5 s: wan, link down",
    ):
        assert expected in said, expected


def test_the_page_needs_nothing_else_and_is_the_same_every_time(small_lab, world):
    text = write_report(small_lab, [world], "command")
    assert text == write_report(small_lab, [world], "command")
    page = Page(text)
    assert all(source.startswith("#") for source in page.sources)
    assert "url(http" not in text
    assert "<script" not in text
    assert not re.search(r"\b20\d\d-\d\d-\d\d", text)


def test_identifiers_of_several_plots_do_not_clash(small_lab, world):
    kernel = World(replace(world.observation, world="kernel"), world.verdicts)
    identifiers = Page(write_report(small_lab, [world, kernel], "command", [])).identifiers
    assert len(identifiers) > 10
    assert len(set(identifiers)) == len(identifiers)


def test_two_worlds_stand_side_by_side_with_their_differences(small_lab, world):
    kernel = World(replace(world.observation, world="kernel", lacks=(("delay", "no netem"),)), world.verdicts)
    difference = Difference("web", 0, "seen as", "192.0.2.1", "192.0.2.2")
    said = " ".join(Page(write_report(small_lab, [world, kernel], "command", [difference])).texts)
    assert "1 difference " in said
    assert "web#0" in said.replace("web #0", "web#0")
    assert "No delay here: no netem." in said
    agreed = " ".join(Page(write_report(small_lab, [world, kernel], "command", [])).texts)
    assert "The worlds agree" in agreed


def test_no_agreement_is_claimed_about_what_did_not_run_in_both(small_lab, world):
    names = [traffic.name for traffic in small_lab.traffic]
    for count, said in (
        (len(names), "Nothing was compared: no activity ran in both worlds"),
        (1, f"The worlds agree in the {len(names) - 1} of {len(names)} activities that both ran"),
    ):
        lacks = tuple((f"traffic {name}", "it depends on a node that is not there") for name in names[:count])
        kernel = World(replace(world.observation, world="kernel", lacks=lacks), world.verdicts)
        text = " ".join(Page(write_report(small_lab, [world, kernel], "command", [])).texts)
        assert said in text
        assert ("The worlds agree" in text) == (count < len(names))


def test_long_tables_are_cut_with_a_note(small_lab, world):
    many = outcome("web", *(record(n) for n in range(MOST_ROWS + 1000)))
    observation = replace(world.observation, outcomes=(many,))
    table = connection_table(observation)
    assert (len(table.rows), table.left_out) == (MOST_ROWS, 1000)
    assert "1,000 more rows are left out" in write_report(small_lab, [World(observation, world.verdicts)], "command")


def test_an_empty_run_makes_a_page_too(small_lab):
    nothing = Observation("simulator", 1, 0, ())
    page = Page(write_report(small_lab, [World(nothing, judge_all(small_lab, nothing))], "command"))
    assert page.open == []


def test_the_document_holds_everything_and_is_json(small_lab, world):
    found = json.loads(json.dumps(document(small_lab, [world], [])))
    (run,) = found["worlds"]
    assert found["differences"] == []
    assert [one["verdict"] for one in run["assertions"]] == ["held", "failed"]
    assert run["traffic"][1]["connections"][0]["failure"] == "timed out"
    assert len(run["traffic"][0]["samples"]) == 40
    assert run["drops"][0]["packets"] == 4


def test_the_rate_is_drawn_to_the_end_of_the_run(small_lab, world):
    longer = replace(world.observation, duration=30 * SECOND)
    plots = [throughput_plot(small_lab, one) for one in (world.observation, longer)]
    labels = [re.findall(r">(\d+)(?:\.0)?</text>", plot) for plot in plots]
    assert "25" not in labels[0]
    assert "25" in labels[1]


def test_a_share_below_one_in_a_hundred_is_not_none_at_all(small_lab, world):
    plot = link_plot(small_lab, world.observation)
    assert "(&lt;1 % of its rate)" in plot
    assert "(32 % of its rate)" in plot


def test_counts_that_are_not_compared_are_named(small_lab, world):
    drawn = Traffic("flow", TrafficKind.UDP, "pc", "server", arrivals="poisson", rate=1)
    lab = replace(small_lab, traffic=(drawn,), assertions=())
    first, second = (
        Observation(name, 1, SECOND, (outcome("flow", record(), sent=9, received=received),))
        for name, received in (("simulator", 5), ("kernel", 6))
    )
    page = write_report(lab, [World(one, ()) for one in (first, second)], "gerbang", ())
    assert "datagrams that arrived of flow 5 | 6 of 9" in page
