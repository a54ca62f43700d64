"""What the native validators pass over, and what only a shadow start sees, is found before the switch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.contract.components import Component
from appliance.services.mail.probes import probe_boxes, probe_transport
from tests.appliance.services.mail.daemons.ward import OURS, Ward, needs_daemons
from tests.appliance.services.mail.daemons.wishes import SERVER, certificate, wish

pytestmark = [needs_daemons]


def _written(ward: Ward, *, without: str = "", edits: Mapping[str, tuple[str, str]] | None = None) -> Mapping[str, str]:
    """A generation, and then something wrong in it: ``component/file`` with a text and what stands in its place."""
    folders = ward.written(ward.components(wish()), without=without)
    for name, (old, new) in (edits or {}).items():
        for folder in folders.values():
            path = Path(folder).parent / name
            if path.is_file():
                text = path.read_text()
                assert old in text
                path.write_text(text.replace(old, new))
    return folders


def test_what_is_right_is_passed_and_starts_in_the_shadow(ward: Ward):
    folders = _written(ward)
    for name in OURS:
        assert ward.do("check", name, folders[name]) == ""
        assert ward.do("shadow", name, folders[name]) == ""


MAIN, MASTER, DOVECOT = "mail.postfix/main.cf", "mail.postfix/master.cf", "mail.dovecot/dovecot.conf"
BESIDE = "$config_directory/../mail.accounts"


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (MAIN, "biff = no", "bifff = no", "bifff"),
        (MAIN, f"= texthash:{BESIDE}/senders", f"= texthash:{BESIDE}/sender", "there is no such table"),
        (MAIN, f"{BESIDE}/closed,\n\treject", f"{BESIDE}/closes,\n\treject", "there is no such table"),
        (MASTER, " trivial-rewrite\n", " trivial-rewritten\n", "no program trivial-rewritten"),
        ("mail.accounts/aliases", "abuse@rssulsel.com\t", "abuse@rssulsel.com", "aliases"),
        ("mail.postfix/bounce.cf", "delay_template", "late_template", "late_template"),
        (DOVECOT, "mail_max_userip_connections", "mail_max_connections", "mail_max_connections"),
        ("certificates.mail/fullchain.pem", "BEGIN CERT", "BEGUN CERT", "fullchain.pem"),
    ],
)
def test_validators_find_what_the_native_ones_pass(ward: Ward, file, old, new, said):
    folders = _written(ward, edits={file: (old, new)})
    program = "mail.dovecot" if file == DOVECOT else "mail.postfix"
    assert said in ward.do("check", program, folders[program])


@pytest.mark.parametrize("program", ["mail.postfix", "mail.dovecot"])
@pytest.mark.parametrize("file", ["fullchain.pem", "key.pem"])
def test_a_missing_certificate_is_found_by_the_validator(ward: Ward, program, file):
    folders = _written(ward, without=f"certificates.mail/{file}")
    assert file in ward.do("check", program, folders[program])


def test_a_missing_certificate_is_found_by_the_shadow_of_dovecot(ward: Ward):
    folders = _written(ward, without="certificates.mail/fullchain.pem")
    assert "fullchain.pem" in ward.do("shadow", "mail.dovecot", folders["mail.dovecot"])


def test_a_key_of_another_certificate_is_found(ward: Ward):
    other = replace(certificate(), key=certificate("other.example").key)
    components: list[Component] = [one for one in ward.components(wish()) if one.name != other.name]
    folders = ward.written([*components, other])
    for program in ("mail.postfix", "mail.dovecot"):
        assert "KEY_VALUES_MISMATCH" in ward.do("check", program, folders[program])


def test_limits_without_rules_do_not_start_in_the_shadow(ward: Ward):
    folders = _written(ward, without="mail.accounts/limits.json")
    assert "limits.json" in ward.do("shadow", "mail.limits", folders["mail.limits"])


def test_probes_see_what_serves_and_what_does_not(ward: Ward, tmp_path: Path):
    for one in ward.components(ward.described):
        for file in one.render():
            path = tmp_path / one.name / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
    machine = object()
    with ward.inside():
        assert probe_transport(tmp_path / "mail.postfix", machine) == ()
        assert probe_boxes(tmp_path / "mail.dovecot", machine) == ()
        told = {"domain": "else.example", "address": "192.168.1.2"}
        (tmp_path / "mail.postfix" / "probe.json").write_text(json.dumps(told))
        said = [str(one) for one in probe_transport(tmp_path / "mail.postfix", machine)]
        assert any("554" in one for one in said)
        # Postfix listens there all the same (ip_nonlocal_bind), and nobody would know.
        assert any("192.168.1.2 is no address of this machine" in one and SERVER in one for one in said)
    found = probe_boxes(tmp_path / "mail.dovecot", machine)
    assert len(found) == 2
