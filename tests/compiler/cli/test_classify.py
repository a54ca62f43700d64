"""``gerbang classify``: counts by verdict and by line, of random packets and of captures, and what it refuses."""

import json
import struct

import pytest

FTP = bytes.fromhex("450000280001000040060000ac1006010a000002040100150000000000000000500220000000" + "0000")
WEB = FTP[:22] + b"\x00\x50" + FTP[24:]


@pytest.fixture
def capture(tmp_path):
    """Two packets to port 21, three to port 80, and one frame that is no IP."""
    frames = [FTP, FTP, WEB, WEB, WEB, b"\x00"]
    records = [struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame for frame in frames]
    path = tmp_path / "c.pcap"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + b"".join(records))
    return path


def test_a_capture_through_a_list(gerbang, router, capture):
    code, out, _ = gerbang("classify", router, "--list", "101", "--pcap", capture)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 0
    assert lines[0] == f"list 101, {capture} (6 frames): 5 packets"
    assert "permitted 3 60.0 %" in lines
    assert "denied 2 40.0 %" in lines
    assert "not decided: 1 are no IP" in lines
    assert f"2 40.0 % {router}:8: access-list 101 deny tcp 172.16.6.0 0.0.248.3 host 10.0.0.2 eq ftp" in lines
    assert any(line.startswith("engine of list 101: ") for line in lines)


@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_random_packets_in_json(gerbang, router, engine):
    words = ("classify", router, "--random", "3000", "--seed", "7", "--format", "json", "--engine", engine)
    code, out, _ = gerbang(*words, "--in", "GigabitEthernet0/2")
    document = json.loads(out)
    assert (code, document["packets"], document["permitted"] + document["denied"]) == (0, 3000, 3000)
    assert {decision["line"] for decision in document["decisions"]} == {8, 9}
    assert sum(decision["packets"] for decision in document["decisions"]) == 3000
    again = json.loads(gerbang(*words, "--list", "101")[1])
    assert again["decisions"] == document["decisions"]


def test_more_random_packets_than_can_be_waited_for_are_refused(gerbang, router):
    code, _, told = gerbang("classify", router, "--random", str(10**12))
    assert code == 2
    assert "1,000,000,000,000 random packets: at most 10,000,000,000" in told


def test_a_router_without_a_list_is_told_of(gerbang, tmp_path):
    (tmp_path / "r.cfg").write_text("hostname r\n")
    code, _, told = gerbang("classify", tmp_path / "r.cfg", "--from", "ios", "--random", "10")
    assert code == 2
    assert "r.cfg has no list that packets could be decided by" in told


def test_the_only_list_needs_no_name(gerbang, router):
    assert gerbang("classify", router, "--random", "10")[1].startswith("list 101, drawn with seed 1: 10 packets\n")


def test_a_chain_of_nftables_with_its_policy(gerbang, tmp_path):
    path = tmp_path / "fw.nft"
    path.write_text(
        "table inet t {\n chain forward {\n  type filter hook forward priority 0; policy drop;\n"
        "  tcp dport 80 accept\n }\n}\n"
    )
    code, out, _ = gerbang("classify", path, "--random", "2000", "--family", "6", "--top", "1", "--jobs", "2")
    assert code == 0
    assert f"{path}:4: tcp dport 80 accept" in out
    assert "… by 1 more" in out
    assert "on 2 threads" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "one of the arguments --pcap --random is required"),
        (["--random", "0"], "expected a whole number above zero"),
        (["--random", "5", "--pcap", "c.pcap"], "not allowed with argument"),
        (["--random", "5", "--list", "102"], "has no list 102; it has 101"),
        (["--random", "5", "--list", "101", "--in", "eth1"], "--list is one list alone"),
        (["--random", "5", "--list", "101", "--family", "6"], "no list '101' for IPv6"),
        (["--random", "5", "--in", "eth7"], "has no list on Ethernet7; it has lists on GigabitEthernet0/2"),
        (["--pcap", "/nowhere.pcap"], "cannot read '/nowhere.pcap': No such file or directory"),
        (["--random", "5", "--engine", "magic"], "invalid choice: 'magic'"),
    ],
)
def test_wrong_use(gerbang, router, words, said):
    code, out, err = gerbang("classify", router, *words)
    assert (code, out) == (2, "")
    assert said in err


def test_an_engine_that_is_not_there(gerbang, router, monkeypatch):
    monkeypatch.setenv("GERBANG_NUMBA", "0")
    code, _, err = gerbang("classify", router, "--random", "5", "--engine", "bits")
    assert code == 2
    assert "gerbang classify: the engine 'bits' needs numba, which is not installed" in err
