"""``python -m tests.benchmarks.mail_delivery``: delivered messages a second, ours beside the daemons set up by hand.

Both stand in namespaces at once, and take turns: while one is measured the other
waits. smtp-source(1) of Postfix sends over the star; a message counts when its
file is in the Maildir. What is told are the ratios of the pairs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import time
from pathlib import Path

from labs.kernel.namespaces import Namespace
from tests.appliance.services.mail.hospital import BUSY, DOMAIN, Hospital
from tests.appliance.services.mail.star import SERVER
from tests.benchmarks.mail_by_hand import ByHand


def delivered_a_second(node: Namespace, mailbox: Path, messages: int, sessions: int) -> tuple[float, float]:
    """Accepted and delivered messages a second."""
    before = _count(mailbox)
    command = ["/usr/sbin/smtp-source", "-s", str(sessions), "-m", str(messages), "-l", "4096"]
    command += ["-M", "ward.far.example", "-f", "ward@far.example", "-t", f"budi@{DOMAIN}", f"{SERVER}:25"]
    begun = time.monotonic()
    with node.inside():
        subprocess.run(command, check=True)
    accepted = time.monotonic() - begun
    while _count(mailbox) < before + messages:
        if time.monotonic() - begun > 600:
            raise SystemExit(f"only {_count(mailbox) - before} of {messages} arrived in {mailbox}")
        time.sleep(0.01)
    return messages / accepted, messages / (time.monotonic() - begun)


def _count(mailbox: Path) -> int:
    """What is new, and what a client has seen already."""
    return sum(len(os.listdir(folder)) for name in ("new", "cur") if (folder := mailbox.parent / name).is_dir())


def main() -> None:
    """Some pairs, turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=5)
    asked = parser.parse_args()
    with Hospital(**BUSY) as hospital, ByHand() as by_hand:
        # Both know the sender's domain: what is measured is not how long nobody answers.
        zone = {"name": "far.example", "address": "192.168.10.11", "mail": "192.168.10.11"}
        hospital.call("dns", "zones.set-up", zone)
        hospital.commit("the sender's domain")
        ours = hospital.standing.helpers_file("/var/lib/gerbang-programs/mail.dovecot/mail/budi/Maildir/new")
        ratios = []
        for pair in range(asked.pairs + 1):
            told = {}
            for name, node, mailbox in (
                ("ours", hospital.star.nodes["nurse"], ours),
                ("by hand", by_hand.star.nodes["nurse"], by_hand.mailbox),
            ):
                told[name] = delivered_a_second(node, mailbox, asked.messages, asked.sessions)
            if pair == 0:
                continue  # caches are filled
            ratios.append(told["ours"][1] / told["by hand"][1])
            words = ", ".join(f"{name} {taken:.0f} accepted/s {arrived:.0f} delivered/s"
                              for name, (taken, arrived) in told.items())  # fmt: skip
            print(f"pair {pair}: {words}; ratio {ratios[-1]:.2f}", flush=True)
        print(f"ours to by hand: median {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
