"""A certificate for the API over TLS, made for one run by the ``openssl`` program."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

__all__ = ["self_signed"]


def self_signed(folder: Path, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """The server's context, and the certificate that a client may trust. FileNotFoundError without openssl.

    Key and certificate are written to ``folder``, are good for a day, and name ``host`` (an address).
    """
    program = shutil.which("openssl")
    if program is None:
        raise FileNotFoundError("openssl is not installed: it makes the certificate of the API over TLS")
    key, certificate = folder / "api-key.pem", folder / "api-certificate.pem"
    subprocess.run(
        [
            *(program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "1", "-subj", "/CN=virtual RouterOS", "-addext", f"subjectAltName=IP:{host}"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
