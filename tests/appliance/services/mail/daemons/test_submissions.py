"""Which connections may have logged in by a right that has ended: from the kernel's table to the limits' answer."""

from __future__ import annotations

import json
import socket
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.services.mail.limits_rules import ended_right
from appliance.services.mail.submissions import KEPT, EndedSubmissions, _open_submissions

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ADDRESSES = st.ip_addresses(v=4).map(str)
PORTS = st.integers(min_value=1, max_value=65535)
ESTABLISHED, SYN_RECEIVED, TIME_WAIT, CLOSE_WAIT, LISTEN = "01", "03", "06", "08", "0A"


def _end(address: str, port: int) -> str:
    """As the kernel prints it: the address as the number that lies in its memory."""
    return f"{struct.unpack('=I', socket.inet_aton(address))[0]:08X}:{port:04X}"


def _line(own: tuple[str, int], other: tuple[str, int], state: str) -> str:
    return f"   0: {_end(*own)} {_end(*other)} {state} 00000000:00000000 00:00000000 00000000     0        0 3689 1\n"


@given(
    st.lists(
        st.tuples(
            st.tuples(ADDRESSES, st.sampled_from([25, 465, 587, 993])),
            st.tuples(ADDRESSES, PORTS),
            st.sampled_from([ESTABLISHED, SYN_RECEIVED, TIME_WAIT, CLOSE_WAIT, LISTEN]),
        ),
        max_size=8,
    )
)
def test_the_clients_of_submission_are_found_in_the_table(lines):
    wanted = {other for own, other, state in lines if own[1] in {465, 587} and state not in {TIME_WAIT, LISTEN}}
    assert _open_submissions(HEAD + "".join(_line(*one) for one in lines)) == wanted


def _request(login: str, address: str, port: str) -> dict[str, str]:
    return {"sasl_username": login, "client_address": address, "client_port": port, "protocol_state": "RCPT"}


def test_only_that_login_on_that_connection_is_ended(tmp_path: Path):
    path = tmp_path / KEPT
    ended = EndedSubmissions(path)
    mine = _request("Siti@rssulsel.com", "192.168.10.11", "40000")
    assert ended_right(mine, ended) == "", "nothing was ever kept"
    told = [
        {"logins": ["siti"], "clients": ["192.168.10.11 40000", "192.168.10.12 40000"]},
        {"logins": ["budi", "dr.ani"], "clients": ["192.168.10.11 40000"]},
    ]
    path.write_text(json.dumps(told))
    assert ended_right(mine, ended).startswith("421 4.7.0 ")
    assert ended_right(_request("budi", "192.168.10.11", "40000"), ended).startswith("421 ")
    for login, address, port in (
        ("kepala", "192.168.10.11", "40000"),
        ("siti", "192.168.10.11", "40001"),
        ("siti", "192.168.10.13", "40000"),
        ("budi", "192.168.10.12", "40000"),
        ("", "192.168.10.11", "40000"),
        ("siti", "192.168.10.11", ""),
    ):
        assert ended_right(_request(login, address, port), ended) == "", (login, address, port)
    path.with_name("new").write_text("[]")
    path.with_name("new").replace(path)
    assert ended_right(mine, ended) == "", "it is read anew"


@pytest.mark.parametrize("text", ["", "nothing", '[{"logins": ["siti"]}]', '[{"logins": [], "clients": ["x"]}]'])
def test_what_cannot_be_read_lets_nobody_send(tmp_path: Path, text: str):
    """The limits then end the conversation, and Postfix answers 451."""
    path = tmp_path / KEPT
    path.write_text(text)
    with pytest.raises((ValueError, KeyError)):
        ended_right(_request("siti", "192.168.10.11", "40000"), EndedSubmissions(path))
