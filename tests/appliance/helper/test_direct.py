"""The machine in one process, and what both machines do beneath: check, shadow, packages, catalogue."""

import os
import socket
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from appliance.contract.programs import Program, Ready, State
from appliance.contract.service import Service
from appliance.helper.answers import HelperRefused, HelperUnreachable
from appliance.helper.catalogue import installed_catalogue
from appliance.helper.client import HelperMachine
from appliance.helper.direct import DirectMachine
from appliance.helper.packages import displace, install, make_user, take_away
from appliance.helper.shadow import possible, shadow
from appliance.supervisor.bounded import Outcome, limits, run
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places

namespaces = pytest.mark.skipif(
    not possible(privileged=os.geteuid() == 0), reason="needs namespaces of its own (root, or user namespaces)"
)
SAYS = "import sys; print(open(sys.argv[1] + '/word').read(), flush=True); import signal; signal.pause()"
PROGRAM = Program(
    name="m.says",
    command=(sys.executable, "-S", "-E", "-c", SAYS, "{files}"),
    check=("/bin/grep", "-q", "word", "{files}/word"),
    ready=Ready(line="word"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "word").write_text("a word", encoding="utf-8")
    return tmp_path / "files"


def test_the_machine_in_one_process(tmp_path: Path, folder: Path) -> None:
    places = Places(tmp_path / "r", tmp_path / "s")
    with OwnSupervisor(places, privileged=False) as supervisor:
        machine = DirectMachine(supervisor, {"m.says": PROGRAM}, places)
        assert machine.check("m.says", folder) == ""
        assert machine.start("m.says", folder).state is State.READY
        assert machine.log("m.says", 1) == ("a word",)
        assert machine.shadow("m.says", folder) == ""
        assert [one.state for one in machine.status()] == [State.READY]
        (folder / "word").write_text("nothing", encoding="utf-8")
        assert machine.check("m.says", folder) == "/bin/grep ended with 1"
        assert machine.stop("m.says").state is State.STOPPED
        with pytest.raises(HelperRefused, match=r"declares a program m\.other"):
            machine.start("m.other", folder)


def test_the_machine_in_one_process_finds_files_of_others_in_the_generation_itself(tmp_path: Path) -> None:
    text = "import sys, signal; print('key', open(sys.argv[1] + '/../m.cert/key').read(), flush=True); signal.pause()"
    program = Program(
        name="m.reads",
        command=(sys.executable, "-S", "-E", "-c", text, "{files}"),
        check=("/bin/grep", "-q", ".", "{files}/../m.cert/key"),
        reads=("m.cert",),
        ready=Ready(line="key"),
    )
    places = Places(tmp_path / "r", tmp_path / "s")
    with OwnSupervisor(places, privileged=False) as supervisor:
        machine = DirectMachine(supervisor, {"m.reads": program}, places)
        for number in ("1", "2"):
            for name in ("m.reads", "m.cert"):
                (tmp_path / "generations" / number / name).mkdir(parents=True)
            (tmp_path / "generations" / number / "m.cert" / "key").write_text(number, encoding="utf-8")
            assert machine.check("m.reads", tmp_path / "generations" / number / "m.reads") == ""
            (tmp_path / "current").unlink(missing_ok=True)
            (tmp_path / "current").symlink_to(f"generations/{number}")
            machine.start("m.reads", tmp_path / "current" / "m.reads")
            assert machine.log("m.reads", 1) == (f"key {number}",)
        with pytest.raises(HelperRefused, match="installed by the root helper"):
            machine.install_packages("m")


@namespaces
def test_in_a_shadow_there_is_a_loopback_and_nothing_of_the_machine(tmp_path: Path, folder: Path) -> None:
    places = Places(tmp_path / "r", tmp_path / "s")
    places.prepare()
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue" / "letter").write_text("dear", encoding="utf-8")
    text = """
import os, pathlib, socket, sys
run, state, queue = sys.argv[1:]
pathlib.Path(run, "x").write_text("")
pathlib.Path(state, "x").write_text("")
pathlib.Path(queue, "x").write_text("")
assert sorted(os.listdir(queue)) == ["x"], os.listdir(queue)
assert [name for _, name in socket.if_nameindex()] == ["lo"], socket.if_nameindex()
one = socket.create_server(("127.0.0.1", 25))
while True:
    one.accept()
"""
    program = Program(
        name="m.shadow",
        command=(sys.executable, "-S", "-E", "-c", text, "{run}", "{state}", str(tmp_path / "queue")),
        requires=("m.absent",),
        ready=Ready(tcp=("127.0.0.1", 25)),
        writable=(str(tmp_path / "queue"),),
    )
    assert shadow(program, folder, places, privileged=os.geteuid() == 0) == ""
    assert sorted(os.listdir(tmp_path / "queue")) == ["letter"]
    assert not places.run_of("m.shadow").exists()


@namespaces
def test_a_shadow_that_is_never_ready_says_what_was_waited_for(tmp_path: Path, folder: Path) -> None:
    places = Places(tmp_path / "r", tmp_path / "s")
    places.prepare()
    program = Program(name="m.never", command=("/bin/sleep", "60"), ready=Ready(tcp=("127.0.0.1", 9), within=0.3))
    said = shadow(program, folder, places, privileged=os.geteuid() == 0)
    assert said == "m.never: not ready within 0.3 s: waited until it answers on 127.0.0.1 port 9"


def test_where_namespaces_cannot_be_made_the_shadow_is_left_out_and_that_is_logged(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.helper.direct.possible", lambda *, privileged: False)
    places = Places(tmp_path / "r", tmp_path / "s")
    with OwnSupervisor(places, privileged=False) as supervisor:
        machine = DirectMachine(supervisor, {"m.says": PROGRAM}, places)
        assert not machine.shadows
        assert machine.shadow("m.says", folder) == ""
    assert "m.says: the shadow start is left out" in caplog.text


def test_a_validator_that_hangs_is_ended_with_its_children() -> None:
    outcome = run(("/bin/sh", "-c", "echo begun; sleep 60 & sleep 60"), environment={}, within=0.3)
    assert (outcome.fine, outcome.said) == (False, "begun\nit did not end within 0.3 s")


def test_a_validator_that_says_too_much_is_cut() -> None:
    words = (*limits(file_bytes=1 << 20), sys.executable, "-S", "-E", "-c", "print('a' * 300_000 + 'z')")
    outcome = run(words, environment={}, within=20)
    assert outcome.fine
    assert 60_000 < len(outcome.said) < 70_000
    assert outcome.said.startswith("aaa")
    assert outcome.said.endswith("z")


def test_a_validator_that_writes_without_end_is_stopped(tmp_path: Path) -> None:
    words = (*limits(file_bytes=100_000), "/bin/dd", "if=/dev/zero", f"of={tmp_path / 'x'}", "bs=1000000", "count=1")
    assert not run(words, environment={}, within=20).fine
    assert (tmp_path / "x").stat().st_size <= 100_000


def test_packages_are_installed_while_no_daemon_may_start(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    ran: list[tuple[str, ...]] = []

    def apt(words: Sequence[str]) -> Outcome:
        assert run((str(policy),), environment={}, within=5).code == 101
        ran.append(tuple(words))
        return Outcome(0 if len(ran) == 3 else 100, "E: Unable to locate package nsd")

    install("dns", ("nsd", "unbound"), run=apt, policy=policy)
    assert ran[0] == ("apt-get", "install", "--yes", "--no-install-recommends", "--", "nsd", "unbound")
    assert ran[1:] == [("apt-get", "update"), ran[0]]
    assert not policy.exists()
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    policy.chmod(0o755)
    with pytest.raises(SupervisionFailed, match="Unable to locate package nsd"):
        install("dns", ("nsd",), run=apt, policy=policy)
    assert policy.exists()


def test_what_a_power_cut_left_half_installed_is_finished_first(tmp_path: Path) -> None:
    ran: list[tuple[str, ...]] = []
    said = "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem."

    def apt(words: Sequence[str]) -> Outcome:
        ran.append(tuple(words))
        repaired = any(one[0] == "dpkg" for one in ran)
        return Outcome(0, "done") if repaired else Outcome(100, said)

    assert install("dns", ("nsd",), run=apt, policy=tmp_path / "policy-rc.d") == "done"
    # Nobody is there to be asked about a configuration of Debian's that somebody has changed.
    assert ran[1] == ("dpkg", "--force-confdef", "--force-confold", "--configure", "-a")
    assert ran[2:] == [ran[0]]


def test_a_policy_that_a_killed_install_left_is_ours_and_goes(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"

    class Killed(BaseException):
        """Nothing of ours runs any more."""

    def killed(words: Sequence[str]) -> Outcome:
        left.append(policy.read_bytes())
        raise Killed

    left: list[bytes] = []
    with pytest.raises(Killed):
        install("dns", ("nsd",), run=killed, policy=policy)
    for again in (lambda: take_away(policy), lambda: install("dns", ("nsd",), run=apt_is_fine(policy), policy=policy)):
        policy.write_bytes(left[0])
        policy.chmod(0o755)
        again()
        assert not policy.exists()
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    take_away(policy)
    assert policy.read_text(encoding="utf-8") == "#!/bin/sh\nexit 101\n"


def apt_is_fine(policy: Path) -> Callable[[Sequence[str]], Outcome]:
    """An apt that succeeds, where no daemon may start meanwhile."""

    def apt(words: Sequence[str]) -> Outcome:
        assert run((str(policy),), environment={}, within=5).code == 101
        return Outcome(0, "")

    return apt


@pytest.mark.parametrize("name", ["--purge", "nsd/evil", "nsd ", "", "NSD", "nsd=1", "a\nb"])
def test_what_is_no_package_s_name_is_not_given_to_apt(tmp_path: Path, name: str) -> None:
    def apt(words: Sequence[str]) -> Outcome:
        raise AssertionError(words)

    with pytest.raises(SupervisionFailed, match="is no Debian package"):
        install("dns", ("nsd", name), run=apt, policy=tmp_path / "p")


def service(name: str, monkeypatch: pytest.MonkeyPatch, *programs: Program) -> Service:
    package, module = f"installed_{name}", types.ModuleType(f"installed_{name}.components")
    module.PROGRAMS, module.PACKAGES = programs, ("nsd",)  # type: ignore[attr-defined]
    made = Service(name=name, title=name, package=package, roles=())
    monkeypatch.setattr(Service, "module", lambda self, _: module)
    return made


def test_programs_are_those_that_services_declare_under_their_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = installed_catalogue([service("m", monkeypatch, PROGRAM)])
    assert (dict(found.programs), dict(found.packages)) == ({"m.says": PROGRAM}, {"m": ("nsd",)})
    with pytest.raises(SupervisionFailed, match="may not declare"):
        installed_catalogue([service("other", monkeypatch, PROGRAM)])


def test_a_helper_that_is_not_there_or_says_nonsense(tmp_path: Path) -> None:
    import threading

    path = tmp_path / "s"
    machine = HelperMachine(path, tmp_path, patience=0.3)
    with pytest.raises(HelperUnreachable, match="cannot be reached: No such file"):
        machine.status()
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
        one.listen()
        with pytest.raises(HelperUnreachable, match=r"does not answer within 0\.3 s"):
            machine.status()

        def nonsense(words: bytes) -> None:
            with one.accept()[0] as client:
                client.recv(100)
                client.sendall(words)

        one.accept()[0].close()
        for words, why in ((b"", "ended before it answered"), (b'{"outcome": "fine"}\n', "cannot be read")):
            thread = threading.Thread(target=nonsense, args=(words,))
            thread.start()
            with pytest.raises(HelperUnreachable, match=why):
                HelperMachine(path, tmp_path, patience=20).status()
            thread.join()


@pytest.mark.parametrize("is_booted", [True, False])
def test_debians_own_units_are_masked_where_there_is_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_booted: bool
) -> None:
    asked: list[tuple[str, ...]] = []

    def run(words: Sequence[str]) -> Outcome:
        asked.append(tuple(words))
        return Outcome(0, "")

    booted = tmp_path if is_booted else tmp_path / "none"
    monkeypatch.setattr("shutil.which", lambda *_, **__: "/usr/bin/systemctl")
    displace("mail", ("postfix.service", "dovecot.service"), run=run, booted=booted)
    now = ("--now",) if is_booted else ()
    assert asked == [("systemctl", "mask", "--quiet", *now, "--", "postfix.service", "dovecot.service")]
    with pytest.raises(SupervisionFailed, match="does not mask"):
        displace("mail", ("postfix.service",), run=lambda words: Outcome(1, "no"), booted=booted)
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    displace("mail", ("postfix.service",), run=lambda words: Outcome(1, "no"), booted=booted)


def test_a_user_that_is_there_stays_and_one_that_cannot_be_made_is_told() -> None:
    make_user("mail", "root", run=lambda words: Outcome(1, "not asked"))
    asked: list[tuple[str, ...]] = []

    def run(words: Sequence[str]) -> Outcome:
        asked.append(tuple(words))
        return Outcome(1, "no room")

    with pytest.raises(SupervisionFailed, match="gerbang-never"):
        make_user("mail", "gerbang-never", run=run)
    assert asked[0][0] == "useradd"
    assert "/usr/sbin/nologin" in asked[0]
