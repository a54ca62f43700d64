"""Certificates made by openssl, and what is said of each that is wrong."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.commit.keeping import Kinds
from appliance.components.certificate import Certificate
from appliance.contract.components import Severity

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

NAMES = "subjectAltName=DNS:mail.example.org,DNS:*.web.example.org,IP:192.0.2.7"


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(("openssl", *words), cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A root, an intermediate that it signed, and leaves of the intermediate: good, ending soon, and expired."""
    folder = tmp_path_factory.mktemp("certificates")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    authority = ("-addext", "basicConstraints=critical,CA:TRUE")
    openssl(folder, "req", "-x509", *curve, "-keyout", "root.key", "-out", "root", "-subj", "/CN=Root", "-days", "99")
    openssl(folder, "req", "-x509", *curve, "-keyout", "other.key", "-out", "other", "-subj", "/CN=Other")
    openssl(folder, "req", *curve, "-keyout", "middle.key", "-out", "middle.csr", "-subj", "/CN=Middle", *authority)
    signed = ("x509", "-req", "-copy_extensions", "copy", "-CAcreateserial")
    openssl(folder, *signed, "-in", "middle.csr", "-CA", "root", "-CAkey", "root.key", "-out", "middle", "-days", "99")
    openssl(folder, "req", *curve, "-keyout", "key", "-out", "leaf.csr", "-subj", "/CN=mail", "-addext", NAMES)
    for name, days in (("leaf", "90"), ("soon", "20")):
        by = ("-CA", "middle", "-CAkey", "middle.key")
        openssl(folder, *signed, "-in", "leaf.csr", *by, "-out", name, "-days", days)
    (folder / "past").write_bytes(past(folder))
    openssl(folder, "ec", "-in", "key", "-aes128", "-passout", "pass:x", "-out", "locked")
    return folder


def past(folder: Path) -> bytes:
    """The leaf, as it ended yesterday: OpenSSL 3.4 makes none that has."""
    leaf = x509.load_pem_x509_certificate((folder / "leaf").read_bytes())
    key = serialization.load_pem_private_key((folder / "middle.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(leaf.issuer, leaf.subject, leaf.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=2)).not_valid_after(now - timedelta(days=1))
    for one in leaf.extensions:
        made = made.add_extension(one.value, one.critical)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def good(made) -> Certificate:
    return certificate(made)


def certificate(made: Path, leaf: str = "leaf", key: str = "key", chain: str = "middle", *covers: str) -> Certificate:
    return Certificate(
        name="mail.certificate",
        key=(made / key).read_text(),
        certificate=(made / leaf).read_text(),
        chain=(made / chain).read_text() if chain else "",
        covers=covers or ("mail.example.org", "any.web.example.org", "192.0.2.7"),
    )


def said(one: Certificate) -> list[str]:
    return [str(finding).removeprefix("mail.certificate: ") for finding in one.verify({})]


def test_a_good_one_with_and_without_its_chain(made, good):
    assert said(good) == []
    assert said(certificate(made, chain="")) == []


@pytest.mark.parametrize(
    ("leaf", "key", "chain", "words"),
    [
        ("leaf", "other.key", "middle", "the key is not the certificate's"),
        ("past", "key", "middle", "the certificate, or one of its chain, has expired"),
        ("leaf", "key", "other", "the chain does not lead up"),
        ("leaf", "locked", "middle", "locked with a password"),
        ("leaf.csr", "key", "middle", "no certificate where one should be"),
        ("leaf", "leaf", "middle", "no certificate with a key"),
    ],
)
def test_each_fault_is_named(made, leaf, key, chain, words):
    (finding,) = said(certificate(made, leaf, key, chain))
    assert words in finding


def test_names_that_it_does_not_cover(made):
    one = certificate(made, "leaf", "key", "middle", "mail.example.org", "example.org", "a.b.web.example.org")
    assert said(one) == ["it is not for example.org", "it is not for a.b.web.example.org"]


def test_a_warning_before_its_end(made):
    (finding,) = certificate(made, "soon").verify({})
    assert finding.severity is Severity.WARNING
    end = datetime.now(UTC) + timedelta(days=20)
    assert finding.values["days"] in {19, 20}
    assert abs(datetime.fromisoformat(finding.values["day"]).date() - end.date()) <= timedelta(days=1)


def test_its_files_keep_the_key(good, made):
    files = {file.path: file for file in good.render()}
    assert (files["key.pem"].mode, files["key.pem"].secret) == (0o640, True)
    assert files["fullchain.pem"].content == files["certificate.pem"].content + files["chain.pem"].content
    assert files["fullchain.pem"].content.count(b"BEGIN CERTIFICATE") == 2


def test_it_is_kept_and_made_again(good):
    kinds = Kinds((Certificate,))
    assert kinds.restore(kinds.keep(good)) == good
    assert kinds.keep(good).digest != kinds.keep(replace(good, covers=())).digest


@pytest.mark.parametrize("text", ["", "rubbish", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
def test_rubbish_is_a_finding(good, text):
    assert len(said(replace(good, certificate=text))) == 1
    assert len(said(replace(good, key=text))) == 1
    assert len(said(replace(good, chain=text))) == (0 if not text else 1)
