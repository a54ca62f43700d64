"""TLS where passwords come: what is recorded today is not read by whom a stolen key falls into the hands of later."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterator, Sequence

import pytest

from appliance.contract.components import Component
from appliance.services.mail.description import MailDescription
from tests.appliance.services.mail.daemons.test_serving import PATIENCE, THERE
from tests.appliance.services.mail.daemons.ward import Ward, needs_daemons
from tests.appliance.services.mail.daemons.wishes import HOST, SERVER, certificate

pytestmark = [needs_daemons]
STARTTLS = {
    587: (b"EHLO pc.ward.example\r\n", b"250 ", b"STARTTLS\r\n", b"220 "),
    143: (b"", b"", b"a STARTTLS\r\n", b"a OK"),
    110: (b"", b"", b"STLS\r\n", b"+OK"),
    4190: (b"", b"OK", b"STARTTLS\r\n", b"OK"),
}
PORTS = (465, 587, 993, 143, 995, 110, 4190)


class _Rsa(Ward):
    """By an RSA certificate the ciphers without forward secrecy become possible at all."""

    def components(self, described: MailDescription) -> tuple[Component, ...]:
        others = (one for one in super().components(described) if one.name != certificate().name)
        return (*others, certificate(rsa_key=True))


@pytest.fixture(scope="module")
def own() -> Iterator[Ward]:
    with _Rsa() as made, made.inside():
        yield made


def _agreed(port: int, ciphers: str, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> str:
    """The cipher of a session; empty: there is none."""
    context = ssl.create_default_context(cadata=certificate(rsa_key=True).certificate)
    context.check_hostname = False
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with warnings.catch_warnings():
        # Python itself warns of the older ones.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = newest
    with socket.create_connection((SERVER, port), PATIENCE, THERE) as plain:
        if port in STARTTLS:
            said = plain.makefile("rb")
            hello, ready, command, go = STARTTLS[port]
            if port != 4190:
                assert said.readline()
            for words, answer in ((hello, ready), (command, go)):
                plain.sendall(words)
                while answer and not said.readline().startswith(answer):
                    pass
        try:
            with context.wrap_socket(plain, server_hostname=HOST) as client:
                return (client.cipher() or ("", "", 0))[0]
        except (ssl.SSLError, ConnectionResetError):
            return ""


def _fit(names: Sequence[str]) -> str:
    """Those that this machine's own library can still speak."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    known = {one["name"] for one in context.get_ciphers()}
    return ":".join(name for name in names if name in known)


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_not_by_what_came_before_tls_1_2(own: Ward, port: int, version: ssl.TLSVersion) -> None:
    """RFC 8996; by STARTTLS neither."""
    assert _agreed(port, "ALL", version) == ""
    assert _agreed(port, "ALL", ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize("port", PORTS)
def test_only_with_forward_secrecy(own: Ward, port: int) -> None:
    without = _fit(["AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-SHA256", "AES128-SHA", "AES128-CCM8"])
    assert without
    assert _agreed(port, without) == ""
    assert _agreed(port, "ECDHE+AESGCM").startswith("ECDHE-RSA-AES")
    assert _agreed(port, "ECDHE+AESGCM", ssl.TLSVersion.TLSv1_3).startswith("TLS_")
