"""Makes a fresh Debian with systemd below a folder, with a clone of this checkout in ``/root/gerbang``."""

from __future__ import annotations

import os
import subprocess
import urllib.request
from pathlib import Path

__all__ = ["MIRROR", "make_debian", "reached"]

CHECKOUT = Path(__file__).parents[2]
MIRROR = "http://deb.debian.org/debian"
PACKAGES = (
    *("ca-certificates", "dbus", "iproute2", "openssh-server", "procps", "systemd-sysv", "tzdata"),
    # Of a computer that is a client of it, which has the same files.
    *("curl", "libnet-ssleay-perl", "swaks"),
)
"""What a server of Debian has. What Gerbang needs is left to be installed as the README says."""
_PREPARE = r"""
set -e
root="$1"
echo gerbang-test >"$root/etc/hostname"
: >"$root/etc/fstab"
# Of the line to Debian's mirror.
rm -f "$root/etc/resolv.conf"
echo nameserver 10.0.2.3 >"$root/etc/resolv.conf"
# Where a proxy looks into connections, the machine knows its authority, as this one does.
cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
chroot "$root" update-ca-certificates >/dev/null 2>&1
printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$root/etc/pip.conf"
mkdir "$root/root/gerbang"
"""


def reached() -> bool:
    """Whether Debian's mirror answers here."""
    try:
        with urllib.request.urlopen(f"{MIRROR}/dists/stable/Release", timeout=20) as answer:
            return bool(answer.read(1))
    except OSError:
        return False


def make_debian(folder: Path, suite: str) -> Path:
    """Its root, 500 MB; takes two minutes. The mirror's packages are checked by this machine's keys of Debian."""
    script = folder / "prepare"
    script.write_text(_PREPARE, encoding="ascii")
    packed, root = folder / "root.tar", folder / "root"
    _run(
        "mmdebstrap",
        "--quiet",
        "--variant=apt",
        f"--include={','.join(PACKAGES)}",
        f'--customize-hook=sh "{script}" "$1"',
        suite,
        str(packed),
        MIRROR,
    )
    root.mkdir()
    _run("tar", "-C", str(root), "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xf", str(packed))
    packed.unlink()
    _clone(root / "root/gerbang")
    return root


def _clone(into: Path) -> None:
    """What a clone would have, changes that are not yet committed included."""
    words = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    listed = subprocess.run(words, cwd=CHECKOUT, capture_output=True, check=True).stdout.split(b"\0")
    there = b"\0".join(name for name in listed if name and os.path.lexists(CHECKOUT / os.fsdecode(name)))
    packing = ("tar", "-c", "--null", "--no-recursion", "--files-from=-")
    packed = subprocess.run(packing, cwd=CHECKOUT, input=there, capture_output=True, check=True).stdout
    subprocess.run(("tar", "-C", str(into), "--no-same-owner", "-x"), input=packed, check=True)


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"
