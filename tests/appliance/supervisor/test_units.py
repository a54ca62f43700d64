"""Units that systemd itself accepts, and the conversation with systemctl."""

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.programs import Program, Ready, State
from appliance.store.failures import StoreAway, StoreDamaged
from appliance.supervisor.bounded import Outcome
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.places import Places
from appliance.supervisor.systemd import SystemdSupervisor
from appliance.supervisor.unit import unit_name, unit_text

with_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
PLACES = Places(Path("/run/gerbang-programs"), Path("/var/lib/gerbang-programs"))
WEB = Program(
    name="mail.web",
    command=("/bin/sh", "-c", 'exec sleep "$0" 50%', "{run}"),
    user="daemon",
    capabilities=("CAP_NET_BIND_SERVICE",),
    reload="HUP",
    ready=Ready(notify=True),
    writable=("{state}-shared", "/var/spool/x y"),
)
MASTER = Program(name="mail.master", command=("/bin/sleep", "inf"), reload=("/bin/true", "{files}"))


def section(text: str, key: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def test_a_unit_says_what_the_program_says() -> None:
    text = unit_text(WEB, PLACES)
    assert section(text, "ExecStart") == ['"/bin/sh" "-c" "exec sleep \\"$$0\\" 50%%" "/run/gerbang-programs/mail.web"']
    assert section(text, "ExecReload") == ["/bin/kill -HUP $MAINPID"]
    assert section(text, "User") == ["daemon"]
    assert section(text, "CapabilityBoundingSet") == ["CAP_NET_BIND_SERVICE"]
    assert section(text, "RuntimeDirectory") == ["gerbang-programs/mail.web"]
    assert section(text, "ProtectSystem") == ["strict"]
    assert section(text, "Type") == ["notify"]
    assert section(text, "LimitNOFILE") == ["65536"]
    assert "CAP_SYS_ADMIN" not in unit_text(MASTER, PLACES)
    # Nothing serves before the filter holds; and what is stopped is not waited for: that would be the helper itself.
    assert section(text, "After") == ["network.target gerbang-network.target"]
    assert section(text, "Wants") == ["gerbang-network.target"]
    assert "gerbang-helper.service" not in text


@with_systemd
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    top = Program(name="mail.top", command=("/bin/true",), requires=("mail.web", "mail.master"))
    for program in (WEB, MASTER, top):
        (tmp_path / unit_name(program.name)).write_text(unit_text(program, PLACES), encoding="utf-8")
    paths = sorted(str(path) for path in tmp_path.iterdir())
    ran = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, check=False)
    about_ours = [line for line in ran.stderr.splitlines() if "gerbang" in line]
    assert about_ours == []


@with_systemd
@pytest.mark.parametrize(("program", "most"), [(WEB, 2.5), (MASTER, 5.0)])
def test_systemd_finds_the_units_safe(program: Program, most: float, tmp_path: Path) -> None:
    """The exposure that systemd-analyze(1) computes, from 0 to 10; Debian's own postfix.service has more than 9."""
    path = tmp_path / unit_name(program.name)
    path.write_text(unit_text(program, PLACES), encoding="utf-8")
    assert exposure(path) <= most


def exposure(path: Path) -> float:
    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    verdict = next(line for line in ran.stdout.splitlines() if "Overall exposure level" in line)
    return float(verdict.split(":")[1].split()[0])


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_any_word_stays_one_word_or_is_refused(words: list[str]) -> None:
    program = Program(name="m.x", command=("/bin/echo", *words))
    try:
        text = unit_text(program, PLACES)
    except SupervisionFailed:
        assert not all(word.isprintable() for word in words)
        return
    (line,) = section(text, "ExecStart")
    if not any(letter in word for word in words for letter in "\n\t{"):
        read = [word.replace("$$", "$").replace("%%", "%") for word in shlex.split(line)]
        assert read == ["/bin/echo", *words]


def test_words_that_would_be_directives_are_refused() -> None:
    with pytest.raises(SupervisionFailed):
        unit_text(Program(name="m.x", command=("/bin/true",), user="root\nExecStartPre=/bin/evil"), PLACES)
    with pytest.raises(SupervisionFailed):
        unit_text(Program(name="m.x", command=("+/bin/true",)), PLACES)


class Machine:
    """systemctl and journalctl as far as the supervisor speaks with them."""

    def __init__(self, units: Path) -> None:
        self.units = units
        self.states: dict[str, str] = {}
        self.spoken: list[str] = []
        self.dies: set[str] = set()
        self.asked: list[tuple[str, ...]] = []

    def shown(self, unit: str) -> str:
        state = self.states.get(unit, "inactive")
        shown = f"Id={unit}\nActiveState={state}\nMainPID=7\nNRestarts=1\nStateChangeTimestamp=@1700000000"
        return shown + "\nResult=exit-code"

    def __call__(self, words: Sequence[str], within: float) -> Outcome:
        match words:
            case ("systemctl", "show", _properties, _stamps, *units):
                self.asked.append(tuple(units))
                return Outcome(0, "\n\n".join(self.shown(unit) for unit in units))
            case ("journalctl", *_):
                return Outcome(0, "line one\nbad option")
        self.spoken.append(" ".join(words[1:]))
        match words:
            case ("systemctl", "restart", unit):
                self.states[unit] = "failed" if unit in self.dies else "active"
            case ("systemctl", "disable", "--now", unit):
                self.states[unit] = "inactive"
                (self.units / "multi-user.target.wants" / unit).unlink()
            case ("systemctl", "enable", unit):
                wanted = self.units / "multi-user.target.wants" / unit
                wanted.parent.mkdir(exist_ok=True)
                wanted.unlink(missing_ok=True)
                wanted.symlink_to(self.units / unit)
        return Outcome(0, "")


def test_what_is_said_to_systemctl(tmp_path: Path) -> None:
    units = tmp_path / "units"
    units.mkdir()
    machine = Machine(units)
    supervisor = SystemdSupervisor(Places(tmp_path / "r", tmp_path / "s"), units=units, run=machine)
    base = Program(name="m.base", command=("/bin/x",), reload="HUP", ready=Ready(settle=0))
    top = Program(name="m.top", command=("/bin/y",), requires=("m.base",), ready=Ready(settle=0))
    with pytest.raises(SupervisionFailed, match=r"requires m\.base, which has not been started"):
        supervisor.start(top, "/g/1")
    assert supervisor.start(base, "/g/1").state is State.READY
    supervisor.start(top, "/g/1")
    supervisor.start(base, "/g/2")
    assert (tmp_path / "s" / ".files" / "m.base").readlink() == Path("/g/2")
    # Of what it requires it asks in the same breath as of itself: each systemctl is a process.
    machine.asked.clear()
    supervisor.start(top, "/g/1")
    assert machine.asked == [(unit_name("m.top"), unit_name("m.base")), (unit_name("m.top"),)]
    supervisor.start(base, "/g/2")
    name = unit_name("m.base")
    assert machine.spoken[:4] == ["daemon-reload", f"enable {name}", f"reset-failed {name}", f"restart {name}"]
    # Not enabled again, for which systemd would read all units anew.
    assert machine.spoken[-1] == f"reload {name}"
    assert machine.spoken.count(f"enable {name}") == 1
    machine.spoken.clear()
    assert supervisor.stop("m.base").state is State.STOPPED
    assert [words for words in machine.spoken if "disable" in words] == [
        f"disable --now {unit_name('m.top')}",
        f"disable --now {name}",
    ]
    supervisor.start(base, "/g/2")
    assert f"enable {name}" in machine.spoken
    assert [status.program for status in supervisor.status()] == ["m.base", "m.top"]


def test_one_that_does_not_stay_up_is_said_with_its_last_words(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.dies.add(unit_name("m.base"))
    supervisor = SystemdSupervisor(Places(tmp_path / "r", tmp_path / "s"), units=tmp_path, run=machine)
    with pytest.raises(SupervisionFailed, match="did not stay up\nline one\nbad option"):
        supervisor.start(Program(name="m.base", command=("/bin/x",)), "/g/1")


@with_systemd
@pytest.mark.parametrize(("name", "most"), [("gerbang.service", 2.0), ("gerbang-helper.service", 8.5)])
def test_systemd_accepts_the_units_that_are_shipped(name: str, most: float) -> None:
    path = Path(__file__).parents[3] / "templates" / "systemd" / name
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, check=False
    )
    assert [line for line in ran.stderr.splitlines() if "gerbang" in line] == []
    assert exposure(path) <= most


def test_the_daemon_is_started_again_for_as_long_as_its_database_is_away() -> None:
    text = (Path(__file__).parents[3] / "templates" / "systemd" / "gerbang.service").read_text(encoding="utf-8")
    assert section(text, "StartLimitIntervalSec") == ["0"]
    assert section(text, "Restart") == ["always"]
    assert str(StoreAway.exit_code) not in section(text, "RestartPreventExitStatus")
    assert str(StoreDamaged.exit_code) in section(text, "RestartPreventExitStatus")
