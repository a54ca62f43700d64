"""The built wheel works elsewhere: its command, its verbs, and the templates that it brings along."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SOURCE = """\
interface GigabitEthernet0/2
 ip access-group 101 in
access-list 101 deny tcp 172.16.6.0 0.0.255.3 host 10.0.0.2 eq ftp
access-list 101 permit ip any any
"""


def run(*command, cwd, **more):
    result = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False, **more)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def elsewhere(wheel, tmp_path_factory):
    """A folder with a virtual environment of its own that has the wheel, and borrows our libraries."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=folder)
    libraries = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    # A path named by a .pth file is searched last, and its own .pth files (our editable install) are not read.
    (libraries / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def test_the_wheel_holds_the_packages_and_no_firmware(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"appliance", "compiler", "labs"}
    for dialect in ("ios", "nftables", "routeros"):
        assert any(name.startswith(f"compiler/_data/templates/{dialect}/") for name in names)
    for folder in ("documents", "ssh", "systemd", "web"):
        assert any(name.startswith(f"appliance/_data/templates/{folder}/") for name in names)
    assert "appliance/services/hotel/migrations/0001_rooms_guests_bookings_and_payments.py" in names
    assert "appliance/locale/id/LC_MESSAGES/gerbang.mo" in names


def test_the_command_runs_elsewhere(elsewhere):
    command = elsewhere / "venv" / "bin" / "gerbang"
    assert run(command, "--help", cwd=elsewhere).startswith("usage: gerbang")
    assert run(command, "--version", cwd=elsewhere).startswith("gerbang 0.")
    (elsewhere / "router.cfg").write_text(SOURCE)
    for target, name in (("ios", "GigabitEthernet0/2"), ("nftables", "eth1"), ("routeros", "ether2")):
        interface = f"--interface=GigabitEthernet0/2={name}"
        assert name in run(command, "compile", "router.cfg", "--to", target, interface, cwd=elsewhere)


def test_the_templates_are_found_elsewhere(elsewhere):
    program = (
        "import compiler; from compiler.data import data; "
        "print(compiler.__file__, *(data(f'templates/{name}') for name in ('ios', 'nftables', 'routeros')), sep='\\n')"
    )
    package, *folders = run(elsewhere / "venv" / "bin" / "python", "-c", program, cwd=elsewhere).splitlines()
    inside = Path(package).parent
    assert inside.is_relative_to(elsewhere)
    assert [Path(folder).relative_to(inside / "_data" / "templates").as_posix() for folder in folders] == [
        "ios",
        "nftables",
        "routeros",
    ]


def test_the_labs_come_along_and_are_drawn_elsewhere(elsewhere):
    command = elsewhere / "venv" / "bin" / "gerbang"
    labs = json.loads(run(command, "lab", "list", "--format", "json", cwd=elsewhere))["labs"]
    assert {lab["name"] for lab in labs} >= {"fragments", "ftp-filter", "hospital", "two-isps"}
    for lab in labs:
        assert run(command, "lab", "graph", lab["folder"], "--format", "svg", cwd=elsewhere).startswith("<svg ")


def test_the_daemon_serves_elsewhere_and_prints_a_paper(elsewhere, tmp_path):
    command, socket = elsewhere / "venv" / "bin" / "gerbang", tmp_path / "run" / "api.sock"
    words = [command, "appliance", "run", "--demo", "--socket", socket]
    with subprocess.Popen(words, cwd=elsewhere, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as daemon:
        assert any(line.startswith("ready ") for line in daemon.stdout)
        known = {"XDG_CONFIG_HOME": str(tmp_path), "GERBANG_SOCKET": str(socket), "PATH": os.environ["PATH"]}
        login = ("login", "demo-hotel-receptionist", "--password-stdin")
        run(command, *login, cwd=elsewhere, env=known, input="gerbang-demo\n")
        bill = ("call", "hotel.bill", "--number", "P201302002", "--format", "text")
        assert "Rp 900,000" in run(command, *bill, cwd=elsewhere, env=known)
        daemon.stdin.close()
    assert daemon.returncode == 0
