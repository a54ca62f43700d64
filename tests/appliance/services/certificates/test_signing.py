"""What is signed: a client of TLS trusts it by the authority alone, for its names and no others."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.contract.refusals import RuleBroken
from appliance.services.certificates.kinds import subject_name
from appliance.services.certificates.signing import (
    Revoked,
    Signed,
    covered,
    facts_of,
    new_authority,
    new_key,
    revocation_list,
    sign,
)

NOW = datetime.now(UTC).replace(microsecond=0)
AUTHORITY = new_authority("Rumah Sakit", NOW)
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
HOSTS = st.builds(
    lambda labels, top: ".".join((*labels, top)),
    st.lists(LABELS, max_size=4),
    st.from_regex("[a-z]{2,8}", fullmatch=True),
)
ADDRESSES = st.one_of(
    st.builds(IPv4Address, st.integers(0, 2**32 - 1)), st.builds(IPv6Address, st.integers(0, 2**128 - 1))
)
NAMES = st.lists(st.one_of(HOSTS, ADDRESSES.map(str)), min_size=1, max_size=8, unique=True)


def certificate(signed: Signed) -> x509.Certificate:
    """Read."""
    return x509.load_pem_x509_certificate(signed.certificate.encode())


def test_the_authority_signs_hosts_and_nothing_else():
    root = certificate(AUTHORITY)
    basic = root.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = root.extensions.get_extension_for_class(x509.KeyUsage)
    assert basic.critical
    assert basic.value == x509.BasicConstraints(ca=True, path_length=0)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert not usage.value.digital_signature
    assert isinstance(root.public_key().curve, ec.SECP256R1)
    assert timedelta(days=3651) < root.not_valid_after_utc - NOW < timedelta(days=3653)
    root.verify_directly_issued_by(root)
    assert new_authority("Rumah Sakit", NOW).certificate != AUTHORITY.certificate


@given(names=NAMES, days=st.integers(1, 825))
@settings(max_examples=40, deadline=None)
def test_what_is_asked_for_stands_in_it(names, days):
    signed = sign(AUTHORITY, names, days, NOW, new_key())
    made, root = certificate(signed), certificate(AUTHORITY)
    made.verify_directly_issued_by(root)
    facts = facts_of(signed.certificate)
    assert set(facts.names) == set(names)
    assert all(covered(one, facts.names) for one in names)
    assert facts.ends - facts.begins == timedelta(days=days)
    assert facts.begins <= NOW <= facts.ends
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    own = made.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    above = made.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert above == root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest != own
    # RFC 5280, section 4.1.2.2: positive, 20 octets at most; and nobody guesses it.
    assert 2**64 < made.serial_number < 2**159


def test_it_ends_with_the_authority_at_the_latest():
    late = certificate(AUTHORITY).not_valid_after_utc - timedelta(days=10)
    assert (
        facts_of(sign(AUTHORITY, ["a.example"], 397, late, new_key()).certificate).ends
        == certificate(AUTHORITY).not_valid_after_utc
    )


@given(text=st.one_of(HOSTS, HOSTS.map(str.upper), HOSTS.map(lambda one: f"{one}."), ADDRESSES.map(str)))
@settings(deadline=None)
def test_a_name_is_made_plain_once(text):
    assert subject_name(subject_name(text)) == subject_name(text) == subject_name(f" {text} ")


@pytest.mark.parametrize(
    "text",
    ["", "*", "*.com", "a b", "a..b", "-a.example", "a-.example", "10.0.0", "x" * 64, "a.*.example", "pasién.example",
     "https://a.example", "a.example/..", "a\n.example", ".".join(["a" * 60] * 5)],
)  # fmt: skip
def test_what_is_no_name_is_refused(text):
    with pytest.raises(RuleBroken):
        subject_name(text)


def test_a_star_stands_for_one_label():
    names = ("*.ward.example", "10.0.0.1")
    assert covered("a.ward.example", names)
    assert covered("*.ward.example", names)
    assert not covered("ward.example", names)
    assert not covered("a.b.ward.example", names)
    assert not covered("10.0.0.2", ("*.0.0.2", "10.0.0.1"))


def handshake(folder: Path, served: Signed, chain: str, trusted: str, host: str) -> str:
    """TLS over a socket as any client does it: the version, or an ssl.SSLError."""
    file = folder / "served.pem"
    file.write_text(served.key + served.certificate + chain)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    near, far = socket.socketpair()

    def answer() -> None:
        try:
            with server.wrap_socket(far, server_side=True) as end:
                end.recv(1)
        except (ssl.SSLError, OSError):
            far.close()

    thread = threading.Thread(target=answer)
    thread.start()
    client = ssl.create_default_context(cadata=trusted)
    try:
        with client.wrap_socket(near, server_hostname=host) as end:
            end.send(b"x")
            return end.version() or ""
    finally:
        near.close()
        thread.join()


@pytest.mark.parametrize("host", ["mail.rssulsel.example", "192.168.10.2", "fd00::2", "a.ward.example"])
def test_a_client_that_trusts_the_authority_is_content(tmp_path, host):
    served = sign(AUTHORITY, ["mail.rssulsel.example", "192.168.10.2", "fd00::2", "*.ward.example"], 30, NOW, new_key())
    assert handshake(tmp_path, served, AUTHORITY.certificate, AUTHORITY.certificate, host) == "TLSv1.3"


def test_a_client_is_not_content_with_another_name_another_authority_or_another_time(tmp_path):
    served = sign(AUTHORITY, ["mail.rssulsel.example"], 30, NOW, new_key())
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(tmp_path, served, "", AUTHORITY.certificate, "www.rssulsel.example")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unable to get local issuer|self.signed"):
        handshake(tmp_path, served, "", new_authority("Other", NOW).certificate, "mail.rssulsel.example")
    old = new_authority("Rumah Sakit", NOW - timedelta(days=400))
    ended = sign(old, ["mail.rssulsel.example"], 30, NOW - timedelta(days=40), new_key())
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        handshake(tmp_path, ended, "", old.certificate, "mail.rssulsel.example")


def test_a_certificate_of_a_host_signs_nobody(tmp_path):
    host = sign(AUTHORITY, ["mail.rssulsel.example"], 30, NOW, new_key())
    forged = sign(host, ["bank.example"], 30, NOW, new_key())
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path, forged, host.certificate, AUTHORITY.certificate, "bank.example")


def test_the_revocation_list_names_what_was_revoked_and_openssl_heeds_it(tmp_path):
    served = sign(AUTHORITY, ["mail.rssulsel.example"], 30, NOW, new_key())
    other = sign(AUTHORITY, ["mail.rssulsel.example"], 30, NOW, new_key())
    revoked = Revoked(serial=facts_of(served.certificate).serial, at=NOW, reason="keyCompromise")
    text = revocation_list(AUTHORITY, [revoked], NOW, NOW + timedelta(days=7))
    found = x509.load_pem_x509_crl(text.encode())
    assert found.is_signature_valid(certificate(AUTHORITY).public_key())
    (line,) = found
    assert line.serial_number == certificate(served).serial_number
    assert line.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise

    def connect(one: Signed) -> None:
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusted = tmp_path / "trusted.pem"
        trusted.write_text(AUTHORITY.certificate + text)
        client.load_verify_locations(cafile=trusted)
        client.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        file = tmp_path / "served.pem"
        file.write_text(one.key + one.certificate)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(file)
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        asking = client.wrap_bio(down, up, server_hostname="mail.rssulsel.example")
        answering = server.wrap_bio(up, down, server_side=True)
        for _flight in range(4):
            for end in (asking, answering):
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue

    connect(other)
    with pytest.raises(ssl.SSLCertVerificationError, match="revoked"):
        connect(served)
