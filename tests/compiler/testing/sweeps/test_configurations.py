"""Properties of every configuration of a fleet: what is asked, what is found, how it is summed up."""

import random

import pytest

from compiler.errors import UsageError
from compiler.testing.sweeps import Outcome, Summary, sweep
from compiler.testing.sweeps.configurations import ConfigurationCheck, Fleet, configuration_files, properties_of
from compiler.testing.sweeps.properties import policy_property
from compiler.testing.sweeps.result import Cause, Result
from tests.compiler.testing.sweeps import checks
from tests.fleet import CLOSED, configuration, is_open, is_unreadable, write_fleet

TELNET = f"unreachable any {CLOSED} tcp/23"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sites") / "fleet"
    write_fleet(folder, 60, most=20)
    return folder


def asked(fleet, *properties, **words):
    check = ConfigurationCheck(properties_of(properties))
    return {result.identity: result for result in sweep(Fleet([str(fleet)]), check, processes=0, **words)}


def site(fleet, number):
    return str(fleet / f"site{number:04}.cfg")


def test_just_the_sites_that_are_wrong_are_found(fleet):
    found = asked(fleet, TELNET)
    assert [one for one in found if not found[one].held] == [site(fleet, 13), site(fleet, 40)]
    assert is_open(13)
    assert is_unreadable(40)
    assert found[site(fleet, 13)].outcome is Outcome.FAILED
    witness = found[site(fleet, 13)].answers[0]["witness"]
    assert "203.0.113.9:23" in witness["packet"]
    assert witness["command"].startswith("gerbang trace")
    assert found[site(fleet, 40)].outcome is Outcome.BROKEN
    assert "permitt" in found[site(fleet, 40)].causes[0].reason


def test_a_file_that_is_named_belongs_to_the_question(fleet, tmp_path):
    golden = tmp_path / "golden.cfg"
    golden.write_text(configuration(1, most=20))
    first = policy_property(f"no_wider_than {golden}")
    found = asked(fleet, f"equivalent_to {golden}")
    assert [one for one in found if found[one].held] == [site(fleet, 1)]
    golden.write_text(configuration(2, most=20))
    assert policy_property(f"no_wider_than {golden}").fingerprint != first.fingerprint


def test_words_of_a_part_of_the_device(fleet):
    held = asked(site_folder := fleet / "site0001.cfg", f"{TELNET} list=EDGE", f"{TELNET} in=Gi0/1")
    assert [one.held for one in held.values()] == [True], site_folder
    packet = "denies 'tcp 192.0.2.1:1024 > 203.0.113.9:23'"
    assert [one.held for one in asked(fleet / "site0001.cfg", packet).values()] == [True]
    assert [one.held for one in asked(fleet / "site0013.cfg", packet).values()] == [False]


def test_the_lints_are_a_property(fleet, tmp_path):
    (tmp_path / "shadowed.cfg").write_text(
        "interface GigabitEthernet0/1\n ip access-group A in\n!\nip access-list extended A\n"
        " permit ip any any\n deny tcp any any eq 23\n"
    )
    (tmp_path / "fine.cfg").write_text(
        "interface GigabitEthernet0/1\n ip access-group A in\n!\nip access-list extended A\n permit ip any any\n"
    )
    found = asked(tmp_path, "check error", "check", "no_shadowed_rule")
    assert [one.held for one in found.values()] == [True, False]
    assert "shadowed" in found[str(tmp_path / "shadowed.cfg")].causes[-2].reason


def test_a_file_that_is_gone_is_broken_and_the_others_are_read(fleet, tmp_path):
    write_fleet(tmp_path / "own", 3, most=10)
    named = Fleet([str(tmp_path / "own")])
    (tmp_path / "own" / "site0001.cfg").unlink()
    found = list(sweep(named, ConfigurationCheck(properties_of([TELNET])), processes=0))
    assert [one.outcome for one in found] == [Outcome.HELD, Outcome.BROKEN, Outcome.HELD]


def test_a_changed_configuration_is_asked_again(fleet, tmp_path):
    write_fleet(tmp_path / "own", 4, most=10)
    asked(tmp_path / "own", TELNET, journal=tmp_path / "j")
    (tmp_path / "own" / "site0002.cfg").write_text(configuration(13, most=10))
    found = asked(tmp_path / "own", TELNET, journal=tmp_path / "j")
    assert [one.resumed for one in found.values()] == [True, True, False, True]
    assert [one.held for one in found.values()] == [True, True, False, True]


def test_folders_patterns_and_files(tmp_path):
    for name in ("a/one.cfg", "a/b/two.cfg", "a/.hidden.cfg", "a/.git/three.cfg", "four.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("!")
    root = str(tmp_path)

    def found(*named):
        return [path.removeprefix(f"{root}/") for path in configuration_files(named)]

    assert found(f"{root}/a") == ["a/one.cfg", "a/b/two.cfg"]
    assert found(f"{root}/**/*.cfg") == ["a/b/two.cfg", "a/one.cfg"]
    assert found(f"{root}/four.txt", f"{root}/*.txt", f"{root}/a") == ["four.txt", "a/one.cfg", "a/b/two.cfg"]
    with pytest.raises(UsageError, match="no configuration"):
        found(f"{root}/*.nft")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "asks nothing"),
        ("reachble any any", "reachable"),
        ("reachable any", "expected reachable SOURCE DESTINATION"),
        ("reachable any any tcp/80 more", "expected reachable"),
        ("reachable any 10.0.0.0/33", "prefix length"),
        ("reachable 'any any", "quotation"),
        ("equivalent_to nowhere.cfg", "cannot read"),
        ("check grave", "expected note, warning or error"),
        ("permits", "expected permits PACKET"),
    ],
)
def test_a_property_that_is_not_understood_is_said(text, said):
    with pytest.raises(UsageError, match=said):
        policy_property(text)


def test_the_summary_groups_by_reason_and_shows_the_simplest(fleet):
    def result(identity, reason, weight=0, said=("",)):
        return Result(identity, Outcome.FAILED, (Cause(reason, said),), weight=weight)

    results = [
        result("c", "x", 2),
        result("b", "x", 1, ("longer",)),
        result("a", "x", 1, ("shorter",)),
        result("d", "y"),
    ]
    for seed in range(6):
        summary = Summary()
        for one in random.Random(seed).sample(results, len(results)):
            summary.add(one)
        assert [(one.reason, one.number, one.simplest.identity) for one in summary.groups()] == [
            ("x", 3, "b"),
            ("y", 1, "d"),
        ]
    assert not summary.holds
    assert not Summary().holds


def test_equal_reasons_of_different_files_are_one_group(fleet, tmp_path):
    write_fleet(tmp_path / "own", 2, most=10)
    for number in (0, 1):
        (tmp_path / "own" / f"site000{number}.cfg").write_text(configuration(13 + 97 * number, most=10))
    summary = Summary()
    for one in asked(tmp_path / "own", TELNET, "permits 'tcp 192.0.2.1:1024 > 203.0.113.9:23'").values():
        summary.add(one)
    (group,) = summary.groups()
    assert group.number == 2
    assert "let through" in group.reason


def test_a_process_that_grows_forgets_the_sets():
    assert [one.held for one in sweep([1], checks.forgets, processes=1)] == [True]
