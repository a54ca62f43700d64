"""What the filter is told, without its daemons."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path

import pytest

from appliance.contract.components import Severity
from appliance.services.mail.filtering_components import CLAMD, RSPAMD, SENDERS, components
from appliance.services.mail.filtering_rendering import EncryptedArchives, FilterPolicy, owned_addresses
from appliance.services.mail.signatures import NAME, put_beside
from tests.appliance.services.mail.filtering.hospital import DOMAIN, hospital


def _files(name: str, policy: FilterPolicy | None = None) -> dict[str, tuple[str, int, bool]]:
    made = components(hospital(), policy or FilterPolicy())
    (one,) = (component for component in made if component.name == name)
    return {file.path: (file.content.decode(), file.mode, file.secret) for file in one.render()}


def test_everything_verifies_and_renders_the_same_twice() -> None:
    made = {one.name: one for one in components(hospital())}
    assert list(made) == [CLAMD, SENDERS, RSPAMD]
    for one in made.values():
        assert [finding for finding in one.verify(made) if finding.severity is Severity.ERROR] == []
        assert one.render() == one.render()


def test_keys_are_for_rspamd_alone_and_stand_in_no_other_file() -> None:
    files = _files(RSPAMD)
    described = hospital()
    for path, secret in (("dkim.pem", described.dkim.private.splitlines()[1]), ("subjects.lua", described.subject_key)):
        assert secret in files[path][0]
        assert files[path][1:] == (0o600, True)
        assert [other for other, (text, _, _) in files.items() if secret in text] == [path]


def test_a_new_account_changes_the_table_of_senders_only() -> None:
    before = {one.name: one.render() for one in components(hospital())}
    after = {one.name: one.render() for one in components(hospital(more=("intern",)))}
    # The test makes a new key each time it is not given one.
    assert before[SENDERS] != after[SENDERS]
    assert before[CLAMD] == after[CLAMD]
    changed = {one.path for one, other in zip(before[RSPAMD], after[RSPAMD], strict=True) if one != other}
    assert changed <= {"dkim.pem"}


def test_each_account_owns_itself_and_the_aliases_that_lead_to_it() -> None:
    owned = owned_addresses(hospital())
    assert owned["doctor"] == (f"director@{DOMAIN}", f"doctor@{DOMAIN}")
    assert owned["nurse"] == (f"nurse@{DOMAIN}",)
    assert owned["postbox"] == tuple(f"{name}@{DOMAIN}" for name in ("abuse", "postbox", "postmaster", "wards"))
    assert "retired" not in owned
    table = json.loads(_files(SENDERS)["senders.json"][0])
    assert f"retired@{DOMAIN}" in table["addresses"]


def test_nobody_outside_is_asked_unless_the_policy_says_so() -> None:
    def asked(policy: FilterPolicy) -> bool:
        text = _files(RSPAMD, policy)["rspamd.conf"][0]
        assert "://" not in text
        return "fuzzy_check" in text or "rbl.conf" in text

    assert not asked(FilterPolicy())
    assert asked(FilterPolicy(outside_lists=True))


def test_encrypted_archives_are_refused_where_that_is_wished() -> None:
    assert "refuse_encrypted = false" in _files(RSPAMD)["rspamd.conf"][0]
    refusing = FilterPolicy(encrypted_archives=EncryptedArchives.REFUSE)
    assert "refuse_encrypted = true" in _files(RSPAMD, refusing)["rspamd.conf"][0]


def test_clamd_takes_what_the_mail_server_takes() -> None:
    text = _files(CLAMD)["clamd.conf"][0]
    limits = dict(line.split(" ", 1) for line in text.splitlines() if " " in line and not line.startswith("#"))
    assert int(limits["StreamMaxLength"]) > hospital().limits.message_bytes
    assert int(limits["MaxFileSize"]) >= int(limits["StreamMaxLength"])
    assert (limits["AlertExceedsMax"], limits["AlertEncrypted"]) == ("yes", "yes")


def test_our_signatures_lie_beside_freshclams_and_follow_no_trap(tmp_path: Path) -> None:
    ours, folder = tmp_path / "local.ndb", tmp_path / "clamav"
    ours.write_text("A:0:*:00\n")
    user = pwd.getpwuid(os.geteuid()).pw_name
    put_beside(ours, folder, user)
    (folder / "main.cvd").write_text("theirs")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("keep")
    (folder / NAME).unlink()
    (folder / NAME).symlink_to(elsewhere)
    put_beside(ours, folder, user)
    assert elsewhere.read_text() == "keep"
    assert not (folder / NAME).is_symlink()
    assert sorted(path.name for path in folder.iterdir()) == [NAME, "main.cvd"]
    with pytest.raises(KeyError):
        put_beside(ours, folder, "nobody-of-this-name")
