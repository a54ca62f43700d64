"""The processes of a small web mail, in namespaces that who starts this has made: run as a module, with a folder.

Says ``ready``, then answers each line of its input with one line of JSON: ``probe``, ``perform NAME JSON``,
``reload``, ``status``, ``log PROGRAM``.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import signal
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.components.certificate import Certificate
from appliance.components.daemon import Daemon
from appliance.contract.components import RenderedFile
from appliance.contract.programs import RUN, STATE, Program
from appliance.helper.checking import check
from appliance.helper.operating import perform
from appliance.helper.shadow import shadow
from appliance.services.certificates.signing import new_authority, new_key, sign
from appliance.services.webmail.components import OPERATIONS, made
from appliance.services.webmail.installed import php_cli
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from tests.appliance.services.webmail.people import ADDRESS_BOOK, AUTOCONFIG, HOST, PASSWORDS, WEB, described
from tests.appliance.services.webmail.sink import Sink
from tests.appliance.services.webmail.small_dovecot import serving


class SmallHouse:
    """What runs, and what is asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places = Places(RUN, STATE)
        self.places.prepare()
        self.components = {one.name: one for one in made(described()) if isinstance(one, Daemon)}
        self.authority = new_authority("Rumah Sakit", datetime.now(UTC))
        (folder / "authority.pem").write_text(self.authority.certificate)
        self.numbers = 0

    def certificate(self, name: str, *hosts: str) -> Certificate:
        """Of the own authority."""
        signed = sign(self.authority, hosts, 30, datetime.now(UTC), new_key())
        chain = self.authority.certificate
        return Certificate(name=name, key=signed.key, certificate=signed.certificate, chain=chain, covers=hosts)

    def serve_mail(self) -> None:
        """Dovecot, and where messages are submitted."""
        owner = pwd.getpwnam("nobody")
        for name in PASSWORDS:
            for part in ("cur", "new", "tmp"):
                (self.folder / "mail" / name / "Maildir" / part).mkdir(parents=True)
        subprocess.run(["chown", "-R", f"{owner.pw_uid}:{owner.pw_gid}", str(self.folder / "mail")], check=True)
        users = "".join(f"{name}:{password}\n" for name, password in PASSWORDS.items())
        (self.folder / "users").write_text(users)
        (self.folder / "users").chmod(0o644)
        files = {file.path: file.content for file in self.mail.render()}
        (self.folder / "mail.pem").write_bytes(files["fullchain.pem"])
        (self.folder / "mail.key").write_bytes(files["key.pem"])
        self.dovecot = serving(self.folder, "nobody", "nogroup")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.folder / "mail.pem", self.folder / "mail.key")
        sink = Sink(self.folder / "mail", PASSWORDS, (owner.pw_uid, owner.pw_gid))
        threading.Thread(target=lambda: asyncio.run(sink.serve(465, tls)), daemon=True).start()

    def files_of(self, program: Program) -> Path:
        """A shelf as the helper makes it: the program's files and those that it reads, of root, for its user."""
        self.numbers += 1
        shelf = self.folder / f"{self.numbers}-{program.name}"
        book = RenderedFile(path="addressbook.json", content=json.dumps(ADDRESS_BOOK).encode())
        parts: dict[str, Any] = {
            "mail.addressbook": [book],
            "certificates.mail": self.mail.render(),
            "certificates.web": self.web.render(),
        }
        for name in (program.name, *program.reads):
            files = self.components[name].render() if name == program.name else parts[name]
            for file in files:
                path = shelf / name / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.content)
                path.chmod(file.mode)
                if program.user:
                    os.chown(path, 0, pwd.getpwnam(program.user).pw_gid)
        return shelf / program.name

    def stand(self) -> None:
        """Judge the files as a commit does, then start."""
        self.mail = self.certificate("certificates.mail", HOST)
        self.web = self.certificate("certificates.web", WEB, AUTOCONFIG)
        self.serve_mail()
        self.supervisor = OwnSupervisor(self.places, privileged=True, groups=False)
        self.supervisor.__enter__()
        for one in self.components.values():
            files = self.files_of(one.program)
            if said := check(one.program, files, self.places, privileged=True):
                raise SystemExit(f"check of {one.name}: {said}")
            if said := shadow(one.program, files, self.places, privileged=True):
                raise SystemExit(f"shadow of {one.name}: {said}")
            self.supervisor.start(one.program, str(files))

    def end(self) -> None:
        """Leave nothing."""
        self.supervisor.__exit__(None, None, None)
        self.dovecot.terminate()
        self.dovecot.wait(30)

    def pool(self, names: list[str]) -> dict[str, str]:
        """What PHP makes of the pool's settings."""
        files = Path(os.readlink(self.places.files_of("webmail.php")))
        lines = (files / "php-fpm.conf").read_text().splitlines()
        told = [line.partition("[")[2].partition("] = ") for line in lines if line.startswith("php_admin_")]
        words = [word for name, _is, value in told for word in ("-d", f'{name}="{value}"')]
        script = "echo json_encode(array_map('ini_get', array_combine($n = explode(',', $argv[1]), $n)));"
        command = [php_cli(), *words, "-r", script, ",".join(names)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, str] = json.loads(done.stdout)
        return found

    def answer(self, line: str) -> Any:
        """One question."""
        word, _blank, rest = line.partition(" ")
        match word:
            case "probe":
                nginx = self.components["webmail.nginx"]
                files = Path(os.readlink(self.places.files_of(nginx.name)))
                return [str(finding) for probe in nginx.probes for finding in probe(files, None)]  # type: ignore[arg-type]
            case "perform":
                name, _blank, given = rest.partition(" ")
                operation = next(one for one in OPERATIONS if one.name == name)
                return json.loads(perform(operation, json.loads(given), "", self.places, privileged=True))
            case "reload":
                name, _blank, given = rest.partition(" ")
                program = self.components[name].program
                files = self.files_of(program)
                for path, text in json.loads(given or "{}").items():
                    (files / path).write_text((files / path).read_text() + text)
                return str(self.supervisor.reload(program, str(files)).state)
            case "check" | "shadow":
                name, _blank, given = rest.partition(" ")
                program = self.components[name].program
                files = self.files_of(program)
                for path, text in json.loads(given).items():
                    (files / path).write_text(text)
                judge = check if word == "check" else shadow
                return judge(program, files, self.places, privileged=True)
            case "restart":
                program = self.components[rest].program
                self.supervisor.stop(rest)
                return str(self.supervisor.start(program, str(self.files_of(program))).state)
            case "challenge":
                name, _blank, content = rest.partition(" ")
                folder = self.places.state_of("webmail.nginx") / "acme" / ".well-known" / "acme-challenge"
                (folder / name).write_text(content)
                return True
            case "pool":
                # PHP itself with the pool's own lines.
                return self.pool(rest.split(","))
            case "kill":
                os.kill(int(rest), signal.SIGKILL)
                return True
            case "log":
                return list(self.supervisor.log(rest, 200))
            case _:
                return [f"{one.program} {one.state} {one.restarts}" for one in self.supervisor.status()]


def main(folder: Path) -> None:
    """Until the input ends."""
    house = SmallHouse(folder)
    try:
        house.stand()
        print("ready", flush=True)
        for line in sys.stdin:
            print(json.dumps(house.answer(line.strip())), flush=True)
    finally:
        house.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
