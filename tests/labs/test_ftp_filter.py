"""The wildcard paper's ten cases: every count, every range, every proof, every erratum."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from compiler.addresses import parse_address
from compiler.analysis.compilation import compile_tree
from compiler.analysis.findings.check import check
from compiler.dialects import DIALECTS
from compiler.dialects.ios.reader import read
from compiler.errors import InputErrors
from compiler.lowering.options import Options
from labs.ftp_filter import FOLDER, Case, cases, client_table, device

ALL = list(cases())
BETWEEN = {"ingress": "GigabitEthernet0/2", "egress": "GigabitEthernet0/1"}


def name(case: Case) -> str:
    return f"{case.name}-{case.base}"


def case_of(number: str, base: str) -> Case:
    return next(case for case in ALL if (case.name, case.base) == (number, base))


def test_there_are_ten_cases_under_two_bases():
    assert len(ALL) == 20
    assert {case.configuration for case in ALL} == set((FOLDER / "configurations").iterdir())


@pytest.mark.parametrize("case", ALL, ids=name)
def test_published_count(case):
    assert client_table(device(case)).addresses(permitted=False) == case.denied


@pytest.mark.parametrize("case", ALL, ids=name)
def test_each_client_is_in_the_row_that_the_rule_puts_it_in(case):
    """The paper's rule, spoken once more: ``(a XOR base) AND NOT wildcard = 0``."""
    base, wildcard = parse_address(case.base)[0], parse_address(case.wildcard)[0]
    table = client_table(device(case))
    assert table.rows[0].first == parse_address("172.16.0.0")[0]
    assert table.rows[-1].last == parse_address("172.16.255.255")[0]
    for row in table.rows:
        for address in range(row.first, row.last + 1):
            assert row.permitted == bool((address ^ base) & ~wildcard & 0xFFFFFFFF)


@pytest.mark.parametrize("target", DIALECTS)
@pytest.mark.parametrize("case", ALL, ids=name)
def test_every_target_is_proved(case, target):
    interfaces = {} if target == "ios" else {"GigabitEthernet0/2": "ether2"}
    report = compile_tree(device(case), target, Options(interfaces=interfaces)).report
    assert report is not None
    assert report.holds


def test_acl_1_the_commands_of_cases_5_to_7_name_another_base_than_their_tables():
    third_bytes = [row.first >> 8 & 255 for row in client_table(device(case_of("5", "172.16.6.0"))).rows]
    denied = [row for row in client_table(device(case_of("5", "172.16.6.0"))).rows if not row.permitted]
    assert [row.first >> 8 & 255 for row in denied][:4] == [6, 14, 22, 30]
    assert third_bytes[0] == 0
    denied = [row for row in client_table(device(case_of("6", "172.16.6.0"))).rows if not row.permitted]
    assert [row.first >> 8 & 255 for row in denied][:4] == [6, 22, 38, 54]


@pytest.mark.parametrize("number", ["5", "6"])
def test_acl_2_third_byte_zero_is_denied(number):
    row = client_table(device(case_of(number, "172.16.0.0"))).rows[0]
    assert (row.permitted, row.size) == (False, 256)


def test_acl_3_a_missing_octet_is_an_error_that_names_the_repair():
    with pytest.raises(InputErrors) as caught:
        read("access-list 101 deny tcp 172.16.6.0.0.255.248 host 10.0.0.2 eq ftp\n", "paper.cfg")
    (error,) = caught.value.errors
    assert (error.span.line, error.span.column) == (1, 26)
    assert "172.16.6.0 0.0.255.248" in error.message


def test_acl_4_the_second_full_case_has_the_wildcard_of_two_octets():
    assert case_of("full-2", "172.16.6.0").wildcard == "0.0.255.255"


@pytest.mark.parametrize("number", ["7", "8"])
def test_acl_5_the_third_byte_is_compared_too(policy, number):
    router = policy(case_of(number, "172.16.0.0").configuration, **BETWEEN)
    router.reachable("172.16.1.0/24", "10.0.0.2", "tcp/21")
    router.denies("tcp 172.16.0.0:1025 > 10.0.0.2:21")


def test_acl_6_only_the_control_channel_is_denied(policy):
    case = case_of("full-1", "172.16.6.0")
    assert "ftp-control-only" in {finding.rule for finding in check(device(case))}
    router = policy(case.configuration, **BETWEEN)
    router.unreachable("172.16.6.0/24", "10.0.0.2", "tcp/21")
    router.reachable("172.16.6.0/24", "10.0.0.2", "tcp/0-20,22-65535")


def test_acl_7_a_host_mask_on_a_link_is_reported():
    text = case_of("1", "172.16.6.0").configuration.read_text()
    paper = text.replace("10.0.0.1 255.255.255.0", "10.0.0.1 255.255.255.255")
    added = {finding.rule for finding in check(read(paper, "paper.cfg"))} - {
        finding.rule for finding in check(read(text, "ours.cfg"))
    }
    assert len(added) == 1


@pytest.mark.parametrize("case", [case for case in ALL if not case.name.startswith("full")], ids=name)
def test_acl_8_each_odd_wildcard_is_explained_with_its_exact_count(case):
    findings = [finding for finding in check(device(case)) if finding.rule == "discontiguous-wildcard"]
    assert len(findings) == 1
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", findings[0].message)]
    assert case.denied in numbers


@pytest.mark.parametrize("number", ["3", "4"])
def test_ignored_base_bits_are_reported(number):
    findings = {finding.rule: finding.message for finding in check(device(case_of(number, "172.16.6.0")))}
    assert "172.16.0.0" in findings["base-bits-ignored"]
    other = {finding.rule for finding in check(device(case_of(number, "172.16.0.0")))}
    assert "base-bits-ignored" not in other


def test_the_demonstration_proves_sixty_configurations():
    done = subprocess.run(
        [sys.executable, "-m", "labs.demonstration"],
        capture_output=True,
        text=True,
        check=False,
        cwd=FOLDER.parent.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "60 configurations proved equal to their sources, 0 failures" in done.stdout
