"""Messages for the tests of the filter: clean, infected in many wrappings, and with any text for From."""

from __future__ import annotations

import base64
import io
import zipfile
from email.message import EmailMessage
from email.policy import SMTP

from appliance.services.mail.filtering_rendering import EICAR
from tests.appliance.services.mail.filtering.hospital import DOMAIN

__all__ = ["ENCRYPTED", "infected", "letter", "raw", "with_file", "zipped"]

# Made by ``zip -P secret``: one small text.
ENCRYPTED = base64.b64decode(
    "UEsDBAoACQAAADMxd13cc0+WJAAAABgAAAAMABwAZmluZGluZ3MudHh0VVQJAAOh2ANrodgDa3V4CwABBAAAAAAEAAAAALQSwHYz"
    "/hgrfrwyjR7OhEEgdvsEqgossLT0FzzN1EhjaB8fq1BLBwjcc0+WJAAAABgAAABQSwECHgMKAAkAAAAzMXdd3HNPliQAAAAYAAAA"
    "DAAYAAAAAAABAAAApIEAAAAAZmluZGluZ3MudHh0VVQFAAOh2ANrdXgLAAEEAAAAAAQAAAAAUEsFBgAAAAABAAEAUgAAAHoAAAAA"
    "AA=="
)


def letter(sender: str = "Somebody <somebody@elsewhere.example>", **headers: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = f"Nurse <nurse@{DOMAIN}>"
    message["Subject"] = "A bed for tonight"
    message["Date"] = "Mon, 23 Nov 2026 05:00:00 +0000"
    message["Message-ID"] = "<one@elsewhere.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Is there a room in ward 3?\n")
    return message


def raw(sender: str) -> bytes:
    """A message whose From is this text, whatever a library thinks of it."""
    return (
        f"{sender}\r\nTo: nurse@{DOMAIN}\r\nSubject: A bed\r\nDate: Mon, 23 Nov 2026 05:00:00 +0000\r\n"
        "Message-ID: <raw@elsewhere.example>\r\n\r\nHello\r\n"
    ).encode()


def zipped(name: str, content: bytes) -> bytes:
    folder = io.BytesIO()
    with zipfile.ZipFile(folder, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return folder.getvalue()


def with_file(content: bytes, name: str) -> EmailMessage:
    message = letter()
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message


def infected() -> dict[str, bytes]:
    once = zipped("eicar.com", EICAR)
    document = io.BytesIO()
    with zipfile.ZipFile(document, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<document/>")
        archive.writestr("word/embeddings/oleObject1.bin", EICAR)
    carrier = letter()
    carrier.add_attachment(with_file(once, "one.zip"))
    odd = b"X-Odd: first\r\nMIME-Version: 1.0\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n"
    odd += b"From: somebody@elsewhere.example\r\n\r\n" + base64.encodebytes(once)
    plain = letter()
    plain.set_content(EICAR.decode() + "\n")
    encoded = letter()
    encoded.set_content(EICAR.decode() + "\n", cte="base64")
    return {
        "plain": plain.as_bytes(),
        "base64": encoded.as_bytes(),
        "attached": with_file(EICAR, "eicar.com").as_bytes(),
        "zipped": with_file(once, "one.zip").as_bytes(),
        "zip in zip": with_file(zipped("one.zip", once), "two.zip").as_bytes(),
        "document": with_file(document.getvalue(), "report.docx").as_bytes(),
        "message in message": carrier.as_bytes(),
        "first header unknown": odd,
    }
