"""A submission server (RFC 6409) that puts each message into the Maildirs of those it is for."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import uuid
from pathlib import Path

__all__ = ["Sink"]


class Sink:
    """With TLS from the start; AUTH PLAIN and LOGIN."""

    def __init__(self, mail: Path, passwords: dict[str, str], owner: tuple[int, int]) -> None:
        self._mail, self._passwords, self._owner = mail, passwords, owner

    async def serve(self, port: int, tls: ssl.SSLContext) -> None:
        """Until cancelled."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", port, ssl=tls, limit=64 << 20)
        async with server:
            await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(*lines: str) -> None:
            writer.write("".join(f"{line}\r\n" for line in lines).encode())

        async def heard() -> str:
            return (await reader.readline()).decode(errors="replace").strip()

        who, recipients = "", []
        say("220 sink ESMTP")
        while line := await heard():
            verb, _blank, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    say("250-sink", "250-SIZE 30000000", "250-8BITMIME", "250 AUTH PLAIN LOGIN")
                case "AUTH":
                    kind, _blank, given = rest.partition(" ")
                    if kind.upper() == "PLAIN":
                        if not given:
                            say("334 ")
                            given = await heard()
                        _, who, password = base64.b64decode(given).decode().split("\0")
                    else:
                        say("334 VXNlcm5hbWU6")
                        who = base64.b64decode(await heard()).decode()
                        say("334 UGFzc3dvcmQ6")
                        password = base64.b64decode(await heard()).decode()
                    fine = self._passwords.get(who.partition("@")[0]) == password
                    say("235 2.7.0 fine" if fine else "535 5.7.8 no")
                    who = who if fine else ""
                case "MAIL" if not who or f"<{who}>" not in rest:
                    say("553 5.7.1 not yours")
                case "RCPT":
                    address = rest.partition("<")[2].partition(">")[0]
                    known = (self._mail / address.partition("@")[0]).is_dir()
                    say("250 fine" if known else "550 5.1.1 User unknown")
                    recipients += [address] if known else []
                case "DATA":
                    say("354 go on")
                    data = await reader.readuntil(b"\r\n.\r\n")
                    for address in recipients:
                        self._deliver(address, data[:-3].replace(b"\r\n..", b"\r\n."))
                    recipients = []
                    say("250 kept")
                case "QUIT":
                    say("221 bye")
                    break
                case _:
                    say("250 fine")
        writer.close()

    def _deliver(self, address: str, message: bytes) -> None:
        box = self._mail / address.partition("@")[0] / "Maildir"
        name = uuid.uuid4().hex
        (box / "tmp" / name).write_bytes(message)
        os.chown(box / "tmp" / name, *self._owner)
        (box / "tmp" / name).rename(box / "new" / name)
