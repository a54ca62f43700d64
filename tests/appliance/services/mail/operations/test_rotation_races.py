"""A filter's user that was taken over, and the rotation of his log by root."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.services.mail import tracing_rotation
from appliance.services.mail.tracing_rotation import LOGS, rotate

NOBODY = 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
def test_a_file_that_is_exchanged_while_it_is_looked_at_is_not_given_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where fs.protected_hardlinks is 0 he gives root's file a second name in his own folder (proc_sys_fs(5))."""
    secret = tmp_path / "secret"
    secret.write_text("root's")
    secret.chmod(0o600)
    program, name = LOGS["rspamd"]
    folder = tmp_path / program / "log"
    folder.mkdir(parents=True)
    aside = folder / f"{name}-20261123T054004Z"
    aside.write_text("a line\n")
    for path in (folder, aside):
        os.chown(path, NOBODY, NOBODY)
    looked = os.stat

    def exchanges(path: Any, **options: Any) -> os.stat_result:
        seen = looked(path, **options)
        if path == aside.name and aside.exists() and seen.st_ino != secret.stat().st_ino:
            aside.unlink()
            os.link(secret, aside)
        return seen

    monkeypatch.setattr(tracing_rotation.os, "stat", exchanges)
    rotate(tmp_path, 30, {}, now=time.time(), settles=0)
    monkeypatch.undo()
    (packed,) = folder.glob("*.gz")
    with gzip.open(packed, "rt", encoding="utf-8") as file:
        assert file.read() == "root's"
    assert packed.stat().st_uid == 0
    assert secret.read_text() == "root's"
