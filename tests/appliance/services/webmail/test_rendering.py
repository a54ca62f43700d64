"""The configurations as text, and what PHP and nginx read in them."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.components.agreements import DnsRecord, DnsRecords
from appliance.components.daemon import Daemon
from appliance.contract.refusals import RuleBroken
from appliance.services.webmail.components import OPERATIONS, PROGRAMS, made
from appliance.services.webmail.described import WebmailDescription
from appliance.services.webmail.installed import php_cli
from appliance.services.webmail.model import Settings
from appliance.services.webmail.php_literals import php_literal
from tests.appliance.services.webmail.people import described

needs_php = pytest.mark.skipif(shutil.which(php_cli()) is None, reason=f"{php_cli()} is not installed")


def _files(whole: WebmailDescription, name: str) -> dict[str, str]:
    (found,) = [one for one in made(whole) if one.name == name]
    return {file.path: file.content.decode() for file in found.render()}


def _records(whole: WebmailDescription) -> tuple[DnsRecord, ...]:
    return tuple(record for one in made(whole) if isinstance(one, DnsRecords) for record in one.records)


def _config(whole: WebmailDescription, tmp_path: Path) -> dict[str, Any]:
    """What Roundcube reads of it."""
    path = tmp_path / "webmail.php" / "config" / "config.inc.php"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_files(whole, "webmail.php")["config/config.inc.php"])
    script = "include $argv[1]; echo json_encode($config);"
    done = subprocess.run([php_cli(), "-n", "-r", script, str(path)], capture_output=True, text=True, check=True)
    read: dict[str, Any] = json.loads(done.stdout)
    return read


@needs_php
@given(
    texts=st.lists(
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40), max_size=40
    )
)
@settings(max_examples=15, deadline=None)
def test_a_text_is_the_same_text_in_php(texts: list[str]) -> None:
    script = f"echo json_encode({php_literal(tuple(texts))}, JSON_THROW_ON_ERROR);"
    done = subprocess.run(
        [php_cli(), "-n"],
        input=f"<?php {script}",
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert json.loads(done.stdout) == texts


@needs_php
def test_what_an_administrator_types_is_text_for_roundcube(tmp_path: Path) -> None:
    title = "RSUD 'Sulsel' \\ <b>$x</b> ?> {$y} */"
    config = _config(
        described(title=title, names=("surat.example.org", "www.rssulsel.com"), session_minutes=15), tmp_path
    )
    assert config["product_name"] == title
    assert config["session_lifetime"] == 15
    assert config["trusted_host_patterns"] == [r"^surat\.example\.org$", r"^www\.rssulsel\.com$"]
    assert config["smtp_helo_host"] == "surat.example.org"


@needs_php
def test_roundcube_asks_the_own_servers_and_trusts_only_their_authority(tmp_path: Path) -> None:
    config = _config(described(), tmp_path)
    for server, options in (
        ("imap_host", "imap_conn_options"),
        ("smtp_host", "smtp_conn_options"),
        ("managesieve_host", "managesieve_conn_options"),
    ):
        assert config[server].split("://")[0] in {"ssl", "tls"}
        assert config[server].split("://")[1].startswith("127.0.0.1:")
        tls = config[options]["ssl"]
        assert tls["verify_peer"] is tls["verify_peer_name"] is True
        assert tls["peer_name"] == "mail.rssulsel.com"
        # Beside its own folder, of the same generation.
        assert tls["cafile"] == str(tmp_path / "certificates.mail" / "chain.pem")
    assert config["hospital_addressbook"] == str(tmp_path / "mail.addressbook" / "addressbook.json")
    assert config["enable_installer"] is False
    assert config["username_domain_forced"] is True
    assert config["des_key"] == "k" * 32
    assert config["ip_check"] is True
    assert config["show_images"] == 0
    assert config["dont_override"] == ["show_images"]
    assert _config(described(remote_images=True, bind_address=False), tmp_path)["ip_check"] is False
    assert _config(described(remote_images=True), tmp_path)["dont_override"] == []


def test_the_key_is_in_no_difference_and_no_text() -> None:
    whole = described()
    (php,) = [one for one in made(whole) if one.name == "webmail.php"]
    for file in php.render():
        assert (b"k" * 32 in file.content) == file.secret
        assert not file.mode & 0o007
    assert "k" * 32 not in repr(whole)


def test_where_it_listens() -> None:
    everywhere = _files(described(), "webmail.nginx")["nginx.conf"]
    assert "listen 80 default_server;" in everywhere
    assert "listen 443 ssl http2;" in everywhere
    chosen = _files(described(addresses=("192.168.10.2", "2001:db8::2")), "webmail.nginx")["nginx.conf"]
    for place in ("192.168.10.2:443", "[2001:db8::2]:443", "127.0.0.1:443"):
        assert f"listen {place} ssl http2;" in chosen
    assert "listen 443" not in chosen


def test_the_size_of_a_message_is_the_mails() -> None:
    whole = described()
    small = replace(whole, mail=replace(whole.mail, limits=replace(whole.mail.limits, message_bytes=1_000_000)))
    assert "client_max_body_size 2048576;" in _files(small, "webmail.nginx")["nginx.conf"]
    assert "upload_max_filesize] = 1000000" in _files(small, "webmail.php")["php-fpm.conf"]


def test_the_names_need_records() -> None:
    clients = DnsRecord(name="autoconfig.rssulsel.com", type="A", value="192.168.10.2")
    assert _records(described()) == (DnsRecord(name="www.rssulsel.com", type="A", value="192.168.10.2"), clients)
    both = described(
        names=("www.rssulsel.com", "mail.elsewhere.org"), addresses=("127.0.0.1", "192.168.10.3", "2001:db8::3")
    )
    assert _records(both) == (
        DnsRecord(name="www.rssulsel.com", type="A", value="192.168.10.3"),
        DnsRecord(name="www.rssulsel.com", type="AAAA", value="2001:db8::3"),
        DnsRecord(name="autoconfig.rssulsel.com", type="A", value="192.168.10.3"),
        DnsRecord(name="autoconfig.rssulsel.com", type="AAAA", value="2001:db8::3"),
    )
    assert _records(described(names=("notrssulsel.com",))) == (clients,)
    assert _records(described(names=("autoconfig.rssulsel.com",))) == (clients,)


def test_mail_programs_are_told_the_servers_by_name() -> None:
    """As Mozilla's format 1.1 has it: the best first, each with TLS, whatever the title has in it."""
    title = "RSUD <Sulsel> & 'Anak' \"1\""
    told = ElementTree.fromstring(_files(described(title=title), "webmail.nginx")["config-v1.1.xml"])
    assert (told.tag, told.get("version")) == ("clientConfig", "1.1")
    (provider,) = told.findall("emailProvider")
    assert (provider.get("id"), provider.findtext("domain")) == ("rssulsel.com", "rssulsel.com")
    assert provider.findtext("displayName") == title
    servers = [one for one in provider if one.tag.endswith("Server")]
    assert [(one.tag, one.get("type"), one.findtext("port"), one.findtext("socketType")) for one in servers] == [
        ("incomingServer", "imap", "993", "SSL"),
        ("incomingServer", "imap", "143", "STARTTLS"),
        ("incomingServer", "pop3", "995", "SSL"),
        ("incomingServer", "pop3", "110", "STARTTLS"),
        ("outgoingServer", "smtp", "465", "SSL"),
        ("outgoingServer", "smtp", "587", "STARTTLS"),
    ]
    for one in servers:
        assert one.findtext("hostname") == "mail.rssulsel.com"
        assert one.findtext("username") == "%EMAILADDRESS%"
        assert one.findtext("authentication") == "password-cleartext"
    page = told.find("webMail/loginPage")
    assert page is not None
    assert page.get("url") == "https://www.rssulsel.com/"


def test_a_name_is_served_once() -> None:
    apart = _files(described(), "webmail.nginx")["nginx.conf"]
    assert apart.count("server_name autoconfig.rssulsel.com;") == 1
    among = _files(described(names=("www.rssulsel.com", "autoconfig.rssulsel.com")), "webmail.nginx")["nginx.conf"]
    assert among.count("autoconfig.rssulsel.com") == 1


def test_a_new_account_starts_nothing_anew() -> None:
    (php,) = [one for one in made(described()) if isinstance(one, Daemon) and one.name == "webmail.php"]
    assert set(php.program.reads) == set(php.follows)
    assert php.trusts == ("mail.addressbook",)
    assert php.program.reload != "restart"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("addresses", ("here",)),
        ("addresses", ("0.0.0.0",)),
        ("addresses", ("192.168.010.2",)),
        ("addresses", ("fe80::1%eth0",)),
        ("addresses", ("192.168.10.2", "192.168.10.2")),
        ("names", ("www.rssulsel.com", "www.rssulsel.com")),
    ],
)
def test_what_nobody_can_listen_on_is_refused(field: str, value: tuple[str, ...]) -> None:
    with pytest.raises(RuleBroken):
        Settings(**{field: value})


def test_operations_run_as_the_owner_and_take_accounts_only() -> None:
    from appliance.contract.operations import unfit

    _people, log_out, turn = OPERATIONS
    # The log is root's, and nobody gives a word to who turns it over.
    assert (turn.user, dict(turn.arguments), turn.takes_input) == ("", {}, False)
    assert {one.user for one in OPERATIONS if one is not turn} == {"gerbang-webmail"}
    assert unfit(log_out, {"account": "siti.rahma@rssulsel.com"}) == ""
    for bad in ("siti", "-x@rssulsel.com", "siti@rssulsel.com\n", "../x@y", "siti@rs;sulsel"):
        assert unfit(log_out, {"account": bad})
    assert {one.user for one in PROGRAMS} == {"gerbang-webmail", ""}
