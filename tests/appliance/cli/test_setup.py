"""``gerbang appliance setup``: fills a root once, and finds nothing to do the second time."""

from __future__ import annotations

import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.cli import setting_up
from appliance.daemon.run_settings import read_settings
from compiler.cli.main import main
from compiler.errors import InputErrors


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "bin" / "gerbang"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    return path


def test_a_root_is_filled_once(tmp_path: Path, program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "root"
    words = ["appliance", "setup", "--root", str(root), "--program", str(program)]
    assert main([*words, "--dry-run"]) == 0
    assert not root.exists()
    assert main(words) == 0
    settings = read_settings(root / "etc/gerbang/appliance.yaml")
    assert (settings.state, settings.helper) == (
        Path("/var/lib/gerbang"),
        Path("/run/gerbang-helper/helper.sock"),
    )
    for name in ("gerbang.service", "gerbang-helper.service"):
        unit = (root / "etc/systemd/system" / name).read_text()
        assert f"ExecStart={program} appliance " in unit
        assert "/usr/bin/env" not in unit
    # Whoever starts the daemon may ask it at once.
    assert "Type=notify\n" in (root / "etc/systemd/system/gerbang.service").read_text()
    # At a boot programs wait for the filter, by a target that stays when the helper ends.
    target = (root / "etc/systemd/system/gerbang-network.target").read_text()
    assert "After=gerbang-helper.service\n" in target
    assert not {"Wants=", "Requires=", "BindsTo=", "PartOf="} & {
        line.partition("=")[0] + "=" for line in target.split()
    }
    # Daemons come up before the network does.
    assert "net.ipv4.ip_nonlocal_bind = 1" in (root / "etc/sysctl.d/60-gerbang.conf").read_text()
    capsys.readouterr()
    assert main(words) == 0
    assert capsys.readouterr().out == "everything is there already\n"


@pytest.mark.parametrize("booted", [True, False])
def test_what_comes_next_is_said_for_this_machine(
    booted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_up, "BOOTED", tmp_path if booted else tmp_path / "missing")
    said = setting_up._next(Path("/"), web=False)
    assert ("systemctl start" in said) is booted
    assert ("gerbang appliance run" in said) is not booted


def test_settings_of_an_administrator_stay(tmp_path: Path, program: Path) -> None:
    kept = tmp_path / "etc/gerbang/appliance.yaml"
    kept.parent.mkdir(parents=True)
    kept.write_text("zone: Asia/Jakarta\n")
    assert main(["appliance", "setup", "--root", str(tmp_path), "--program", str(program)]) == 0
    assert kept.read_text() == "zone: Asia/Jakarta\n"


def test_units_are_written_anew_when_the_program_moves(tmp_path: Path, program: Path) -> None:
    words = ["appliance", "setup", "--root", str(tmp_path), "--program"]
    assert main([*words, str(program)]) == 0
    moved = program.with_name("gerbang2")
    shutil.copy(program, moved)
    assert main([*words, str(moved)]) == 0
    assert f"ExecStart={moved} " in (tmp_path / "etc/systemd/system/gerbang.service").read_text()


@pytest.mark.parametrize("path", ["/root/gerbang", "/nonexistent/gerbang"])
def test_programs_that_a_unit_cannot_start_are_refused(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "is_file", lambda self: str(self) == "/root/gerbang")
    assert main(["appliance", "setup", "--root", str(tmp_path), "--program", path]) == 2
    assert path in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_reads_the_units(tmp_path: Path, program: Path) -> None:
    program.chmod(0o755)
    assert main(["appliance", "setup", "--root", str(tmp_path), "--program", str(program), "--web"]) == 0
    units = sorted((tmp_path / "etc/systemd/system").glob("*.service"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_web_door_comes_only_when_it_is_asked_for(
    tmp_path: Path, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["appliance", "setup", "--root", str(tmp_path), "--program", str(program)]
    unit = tmp_path / "etc/systemd/system/gerbang-web.service"
    assert main(words) == 0
    assert not unit.exists()
    capsys.readouterr()
    assert main([*words, "--web"]) == 0
    text = unit.read_text()
    assert f"ExecStart={program} web --socket /run/gerbang/api.sock " in text
    assert "User=gerbang-web\n" in text
    assert "Group=gerbang\n" in text
    # The settings were there already: what is missing in them is said.
    assert "doors: [gerbang-web]" in capsys.readouterr().out
    moved = program.with_name("gerbang2")
    shutil.copy(program, moved)
    assert main([*words[:-1], str(moved)]) == 0
    assert f"ExecStart={moved} web " in unit.read_text()


def test_a_machine_with_the_web_door_from_the_start_trusts_it(
    tmp_path: Path, program: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["appliance", "setup", "--root", str(tmp_path), "--program", str(program), "--web"]
    assert main(words) == 0
    assert "add to" not in capsys.readouterr().out
    settings = tmp_path / "etc/gerbang/appliance.yaml"
    known = pwd.getpwnam
    monkeypatch.setattr(pwd, "getpwnam", lambda name: known("root" if name == "gerbang-web" else name))
    assert read_settings(settings).doors == {0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("doors: [root, nobody-of-that-name]", ":1:15: there is no user 'nobody-of-that-name'"),
        ("doors:\n  - root\n  - ''", ":3:5: "),
        ("doors: root", ":1:8: 'root': expected a list of users"),
    ],
)
def test_doors_are_users(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(InputErrors) as wrong:
        read_settings(file)
    assert said in wrong.value.render()
