"""Sets the hospital's mail up on the appliance, by its command line alone: settings, accounts, commit.

It reads the one-time password of the first administrator from what the daemon
said (the file in its first argument), and leaves the certificate of the own
authority in the folder that all nodes of the lab share.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

DOMAIN, ADDRESS, NETWORK = "rssulsel.com", "192.168.10.2", "192.168.10.0/24"
ACCOUNTS = {"ani": ("Ani Lestari", "nurses"), "budi": ("Budi Santoso", "doctors"), "citra": ("Citra Dewi", "nurses")}
DEPARTMENTS = {"nurses": "Nurses", "doctors": "Doctors"}
ADMINISTRATOR = "seven-herons-over-the-weir"


def gerbang(*words: str, said: str = "") -> str:
    """One command; what it answered. Its own words, and the end of the set-up, where it is refused."""
    done = subprocess.run(["gerbang", *words], input=said, capture_output=True, text=True, check=False)
    print("$ gerbang", *(word if "password" not in word else "--password=…" for word in words), flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
        sys.exit(1)
    return done.stdout


def main() -> None:
    """All of it, in order."""
    shared = Path(os.environ["LAB_SHARED"])
    home = Path("/run/setup")
    home.mkdir(mode=0o700, exist_ok=True)
    os.environ["HOME"] = os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_STATE_HOME"] = str(home)
    found = re.search(r"one-time password (\S+)", Path(sys.argv[1]).read_text())
    if found is None:
        sys.exit("the daemon told no one-time password")
    gerbang("login", "admin", "--password-stdin", said=f"{found[1]}\n{ADMINISTRATOR}\n")
    settings = ("--row.domain", DOMAIN, "--row.address", ADDRESS, "--row.networks", NETWORK)
    gerbang("call", "mail.settings.change", *settings)
    for name, title in DEPARTMENTS.items():
        gerbang("call", "mail.departments.add", "--name", name, "--title", title)
    for name, (full_name, department) in ACCOUNTS.items():
        account = ("--name", name, "--full-name", full_name, "--department", department)
        gerbang("call", "mail.accounts.add", *account, f"--password={os.environ['MAIL_PASSWORD']}")
    gerbang("appliance", "commit", "--note", "the hospital's mail", "--confirm-within", "0")
    authority = home / "authority.pem"
    gerbang("call", "certificates.export-authority", "--output", str(authority))
    (shared / "authority.pem").write_text(authority.read_text())
    print("the mail serves", flush=True)


if __name__ == "__main__":
    main()
