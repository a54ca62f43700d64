"""What the configuration for Dovecot 2.4 says was said to a Dovecot 2.4, whichever series is installed here.

``dovecot-2.4.1.settings`` has the names that doveconf(1) of Debian 13 took, on whose machine the tests of this folder
passed. A setting that is new in the template stands there only after they passed there again. It knows names alone:
of values (2.4 wants ``unlimited`` where 2.3 has 0) only a Dovecot 2.4 can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.components.daemon import Daemon
from appliance.services.mail import components
from tests.appliance.services.mail.daemons.wishes import wish

PROVED = frozenset(Path(__file__).with_name("dovecot-2.4.1.settings").read_text(encoding="ascii").split())
_LINE = re.compile(r"(?P<end>\})|(?P<block>\w+)(?: [^={]+| \"[^\"]*\")? \{|(?P<name>\w+) =")


def settings(text: str) -> Iterator[str]:
    """``service.process_limit``: kinds of sections, without their own names, and the setting."""
    inside: list[str] = []
    for line in (line.strip() for line in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        found = _LINE.match(line)
        assert found, line
        if found["end"]:
            inside.pop()
        elif found["block"]:
            inside.append(found["block"])
        else:
            yield ".".join((*inside, found["name"]))
    assert not inside


def _rendered(series: str, monkeypatch: pytest.MonkeyPatch, networks: tuple[str, ...]) -> dict[str, str]:
    monkeypatch.setattr(components, "dovecot_series", lambda: series)
    (dovecot,) = [one for one in components.parts(wish(networks=networks)) if one.name == "mail.dovecot"]
    assert isinstance(dovecot, Daemon)
    return {file.path: file.content.decode() for file in dovecot.render()}


@pytest.mark.parametrize("networks", [(), ("192.168.10.0/24",)])
def test_each_setting_was_taken_by_dovecot_2_4(monkeypatch: pytest.MonkeyPatch, networks: tuple[str, ...]) -> None:
    files = _rendered("2.4", monkeypatch, networks)
    said = set(settings(files["dovecot.conf"]))
    assert len(said) > 80
    assert not said - PROVED
    # doveconf 2.4 wants it first.
    assert next(settings(files["dovecot.conf"])) == "dovecot_config_version"
    assert "quota_enforce=no" in files["quota-warning"]


def test_nothing_of_2_3_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of 2.3 are seen by the same reader, and are not those of 2.4."""
    older = set(settings(_rendered("2.3", monkeypatch, ())["dovecot.conf"]))
    assert {"mail_location", "plugin.quota", "passdb.args", "ssl_cert"} <= older - PROVED
