# ruff: noqa: E501
"""Each fault alone is found where it is, and its mended lines mend it and break nothing else."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from compiler.analysis.findings.finding import Severity
from compiler.balancing.lints.catalogue import CATALOGUE
from compiler.balancing.lints.check import check_script
from compiler.balancing.lints.lint import apply_edits
from tests.compiler.balancing.lints.scripts import right
from tests.compiler.balancing.lints.test_connections import BROKEN

_NTH = "connection-mark=no-mark dst-address-type=!local nth=2,1"
_REST = "connection-mark=no-mark dst-address-type=!local  "
_DEAL = r"(?s)add chain=prerouting in-interface=lan connection-state=new connection-mark=no-mark.*?passthrough=yes\n"

# name, script, pattern, replacement, how many times; what the message says
FAULTS = [
    ("unknown-property", "nth7", "gateway=192.168.2.1 distance", "ateway=192.168.2.1 distance", "gateway is meant"),
    ("unknown-property", "nth6", "servers=8.8.8.8", "primary-dns=8.8.8.8 secondary-dns=9.9.9.9", "servers=8.8.8.8,9.9"),
    ("unknown-property", "nth6", "allow-remote-requests", "allow-remote-request", "allow-remote-requests is meant"),
    ("unknown-property", "pcc7", "out-interface=wan1 action", "out-interface=wan1 colour=red action", "'colour'"),
    ("unknown-property", "pcc7", "to-addresses", "to-adresses", "to-addresses is meant"),
    ("broken-line", "nth7", "in-interface=wan1 protocol=tcp", "in-\ninterface=wan1 protocol=tcp", "inside the word"),
    ("broken-line", "nth7", "out-interface=wan2 action", "out-interface=wan2\naction", "without a backslash"),
    ("broken-line", "nth7", "gateway=192.168.1.1 distance", "gateway= 192.168.1.1 distance", "a blank after gateway="),
    ("broken-line", "nth7", "add chain=dstnat", "Add chain=dstnat", "written small"),
    ("no-menu", "nth7", r"/ip route\n", ":put done\n/\n", "those of /ip route"),
    ("gateway-is-own-address", "nth7", r"gateway=192.168.1.1 (\S+=to_wan1)", r"gateway=192.168.1.2 \1", "is 192.168.1.1"),
    ("gateway-is-own-address", "nth6", "gateway=192.168.2.1 distance", "gateway=192.168.2.2 distance", "on wan2"),
    ("gateway-unreachable", "nth7", r"gateway=192.168.2.1 (\S+=to_wan2)", r"gateway=10.9.8.7 \1", "no network"),
    ("interface-names-disagree", "nth6", "in-interface=lan", "in-interface=LOKAL", "call it lan"),
    ("interface-names-disagree", "pcc7", "out-interface=wan2", "out-interface=ISP2", "call it wan2"),
    ("interface-list-empty", "nth7", "(?s)(/ip firewall mangle.*)in-interface=lan connection-mark=wan1", r"/interface list add name=LAN\n\1in-interface-list=LAN connection-mark=wan1", "no member"),
    ("marked-route-unchecked", "nth7", "(to_wan1) check-gateway=ping", r"\1", "of to_wan1 has no check-gateway"),
    ("marked-route-unchecked", "nth6", "distance=1 check-gateway=ping", "distance=1", "of the main table"),
    ("no-failover", "nth7", "add gateway=192.168.2.1 distance=2 check-gateway=ping\n", "", "by wan1 alone"),
    ("no-failover", "nth6", "distance=2", "distance=1", "only one of them is used"),
    ("no-failover", "nth6", r"add gateway=\S+ distance=\d check-gateway=ping\n", "", "no default route"),
    ("masquerade-missing", "pcc6", "add chain=srcnat out-interface=wan2 action=masquerade\n", "", "wan2 is an uplink"),
    ("mark-names-disagree", "nth7", "new-routing-mark=to_wan1", "new-routing-mark=wan1", "routes are in table to_wan1"),
    ("mark-names-disagree", "nth6", "connection-mark=wan2_conn dst", "connection-mark=wan2-conn dst", "wan2_conn is given"),
    ("mark-without-table", "nth7", "add name=to_wan2 fib\n", "", "/routing table add name=to_wan2 fib"),
    ("mark-without-table", "nth6", ".*routing-mark=to_wan2 check.*\n", "", "follow the main table"),
    ("table-without-mark", "nth6", r"\Z", "add gateway=192.168.2.1 routing-mark=spare check-gateway=ping\n", "spare"),
    ("old-words-on-v7", "nth7", "routing-table=to_wan1", "routing-mark=to_wan1", "routing-table=to_wan1"),
    ("old-words-on-v7", "pcc7", r"\Z", "add dst-address=10.0.0.0/8 type=blackhole\n", "flag blackhole"),
    ("old-words-on-v7", "pcc7", r"\Z", "/ip route rule add src-address=192.168.3.9/32 table=to_wan1\n", "/routing rule"),
    ("old-words-on-v7", "pcc7", r"\Z", "add dst-address=172.16.0.0/12 gateway=192.168.1.1,192.168.2.1\n", "one distance"),
    ("new-words-on-v6", "nth6", "routing-mark=to_wan1 check", "routing-table=to_wan1 check", "routing-mark=to_wan1"),
    ("new-words-on-v6", "pcc6", r"\Z", "/routing table add name=more fib\n", "come"),
    ("new-words-on-v6", "pcc6", "/ip firewall nat", "/ip/firewall/nat", "blanks between"),
    ("nth-three-arguments", "nth6", "nth=2,1", "nth=1,1,0", "nth=2,1 now"),
    ("nth-never-matches", "nth7", "nth=2,1", "nth=2,3", "packet 3 of 2"),
    ("nth-knows-no-bandwidth", "nth7", "nth=2,1", 'nth=2,1 comment="share the bandwidth"', "speaks of bandwidth"),
    ("nth-uneven", "nth7", _REST, _REST + "nth=2,2 ", "wan1_conn 1/2, wan2_conn 1/4"),
    ("nth-uneven", "nth7", "nth=2,1", "nth=1,1", "wan1_conn 1, wan2_conn 0"),
    ("nth-counts-retransmits", "nth6", "connection-mark=no-mark (dst-address-type=!local nth=2,1)", r"\1", "50 %"),
    ("connection-not-kept", "nth7", "WHOLE", "WHOLE", "single packets"),
    ("pcc-unknown-fields", "pcc7", "both-addresses:2/1", "both-addreses:2/1", "both-addresses is meant"),
    ("pcc-remainders-incomplete", "pcc7", "both-addresses:2/1", "both-addresses:2/0", "stands twice"),
    ("pcc-remainders-incomplete", "pcc6", "both-addresses:2/", "both-addresses:3/", "1/3 of the connections"),
    ("pcc-remainders-incomplete", "pcc6", "both-addresses:2/1", "both-addresses:2/2", "at most 1"),
    ("pcc-remainders-incomplete", "pcc7", "both-addresses:2/1", "both-addresses:3/1", "divide by 2"),
    ("pcc-ports-without-ports", "pcc6", "both-addresses", "both-ports", "all goes by one line"),
    ("local-traffic-marked", "nth7", "dst-address-type=!local", "", "192.168.3.1"),
    ("local-traffic-marked", "nth6", "add chain=prerouting in-interface=lan dst-address=192.168.2.0/24.*\n", "", "192.168.2.0/24"),
    ("local-traffic-marked", "pcc7", "add chain=prerouting in-interface=lan dst-address=224.0.0.0/3.*\n", "", "multicast"),
    ("marking-without-lan-interface", "nth7", "in-interface=lan (connection-mark=wan1_conn)", r"\1", "to 192.168.3.0/24"),
    ("uplink-connections-unmarked", "pcc7", r"(?s)add chain=prerouting in-interface=wan1.*?=yes\n", "", "port 8080"),
    ("uplink-connections-only-in-input", "pcc6", "chain=prerouting in-interface=wan1", "chain=input in-interface=wan1", "10"),
    ("answers-not-routed", "nth7", "add chain=output connection-mark=wan2_conn.*\n", "", "chain output"),
    ("fasttrack-skips-marks", "nth7", "(established,related) connection-mark=no-mark", r"\1", "change lines"),
    ("marks-before-exceptions", "nth6", "(/ip firewall filter)", r"/ip firewall mangle add chain=prerouting in-interface=lan dst-address=203.0.113.5 action=accept\n\1", "203.0.113.5"),
    ("shadowed-marking", "nth7", "(/ip firewall filter)", r"/ip firewall mangle add chain=prerouting in-interface=lan connection-mark=wan1_conn dst-address-type=!local protocol=tcp action=mark-routing new-routing-mark=to_wan2\n\1", "line"),
]  # fmt: skip


def _script(kind):
    return right(int(kind[-1]), kind[:-1])


def _broken(name, kind, pattern, by):
    text = _script(kind)
    if pattern == "WHOLE":  # packets are sent by nth itself, and no connection is marked
        text = re.sub(_DEAL, "", text)
        for number, nth in ((1, "nth=2,1"), (2, "nth=2,2")):
            mark = f"connection-mark=wan{number}_conn"
            old = rf"(?s)in-interface=lan {mark} (dst-address-type=!local) (action=mark-routing)"
            text = re.sub(old, rf"in-interface=lan connection-state=new \1 {nth} \2", text)
        return text
    broken, count = re.subn(pattern, by, text)
    assert count, "the fault does not apply"
    return broken


def _names(checked):
    checked_notes = ("nth-knows-no-bandwidth", "check-ends-next-door")
    return Counter(
        one.name for one in checked.lints if one.name not in checked_notes or one.severity is not Severity.NOTE
    )


@pytest.mark.parametrize("kind", ["nth6", "nth7", "pcc6", "pcc7"])
@pytest.mark.parametrize("probes", [False, True])
def test_a_right_script_is_clean(kind, probes):
    assert not _names(check_script(right(int(kind[-1]), kind[:-1], probes), "right.rsc"))


@pytest.mark.parametrize(("name", "kind", "pattern", "by", "said"), FAULTS)
def test_a_fault_is_found_and_mended(name, kind, pattern, by, said):
    broken = _broken(name, kind, pattern, by)
    checked = check_script(broken, "broken.rsc", int(kind[-1]))
    found = [one for one in checked.lints if one.name == name and said in one.message]
    assert found, "\n".join(line for one in checked.lints for line in one.lines())
    assert all(one.why == CATALOGUE[name][1] for one in found)
    assert all(one.span.line and one.span.column for one in found)
    mends = [one for one in checked.lints if one.name == name and one.mended]
    if not mends:
        assert all(one.hint for one in found)
        return
    mended = apply_edits(broken, mends)
    after = check_script(mended, "mended.rsc", int(kind[-1]))
    left = "\n".join(line for one in after.lints for line in one.lines())
    assert not _names(after), f"{left}\n{mended}"


def test_a_check_that_ends_at_the_modem():
    """A note, with a probe behind the modem to paste."""
    for version in (6, 7):
        text = right(version)
        found = [one for one in check_script(text, "x.rsc").lints if one.name == "check-ends-next-door"]
        assert len(found) == 1
        assert "watches 192.168.1.1, which is next door" in found[0].message
        mended = check_script(apply_edits(text, found), "x.rsc")
        assert all(one.severity is Severity.NOTE for one in mended.lints)
        probed = check_script(right(version, probes=True), "x.rsc")
        assert "check-ends-next-door" not in {one.name for one in probed.lints}


def test_every_lint_is_tried():
    tried = {name for name, *_ in FAULTS}
    elsewhere = {
        "check-ends-next-door",
        "recursive-scope",
        "nth-contiguous-weights",
        "client-outside-lan",
        "mark-without-use",
        "unreadable",
    }
    followed = {lint for _, _, lint, _ in BROKEN.values()}
    followed |= {"connection-remarked", "bridge-port-in-rule", "probes-by-one-line"}
    assert tried | elsewhere | followed | {"not-simulated"} == set(CATALOGUE)
