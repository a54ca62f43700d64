"""A daemon with certificates: the deploy hook of an ACME client, the daily renewal, the export, and the screens."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from textual.widgets import TextArea

from appliance.console.app import ConsoleApp
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.contract.people import Person
from appliance.daemon.timer import ITSELF
from appliance.services.certificates import service as certificates
from appliance.services.certificates.certificates_pane import PastedCertificate
from appliance.services.machine import service as machine
from appliance.services.system import service as system
from compiler.cli.main import main
from tests.appliance.console.driving import Driven, open_screen, shown, typed, until
from tests.appliance.daemon.house import ZONE, House
from tests.appliance.services.certificates.conftest import Elsewhere, pem

SERVICES = (system, machine, certificates)
Gerbang = Callable[..., str]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Driven]:
    """With the machine's commits; the clock is the real one's."""
    made = House(tmp_path, f"sqlite:///{tmp_path / 'house.sqlite'}", services=SERVICES)
    made.clock.now = datetime.now(ZONE)
    made.add("keeper", "certificates.keeper")
    made.parts.timed = False  # what runs by itself is run by a test
    with made.live(tmp_path) as socket:
        yield Driven(made, socket, SERVICES)


@pytest.fixture
def gerbang(house: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Gerbang:
    """The command line of an administrator."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GERBANG_SOCKET", str(house.socket))

    def run(*words: str, code: int = 0, who: str = "admin") -> str:
        # A session does not last for the year by which a test moves the clock.
        monkeypatch.setenv("GERBANG_TOKEN", house.house.token(who))
        capsys.readouterr()
        assert main(["call", *words]) == code, capsys.readouterr().err
        said = capsys.readouterr()
        return str(said.out if code == 0 else said.err)

    return run


def issued(house: Driven, name: str, *names: str) -> Any:
    return house.call("issue", {"name": name, "names": names}, service="certificates")


def test_the_hook_of_an_acme_client_installs_and_commits(
    house: Driven, tmp_path: Path, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two lines as the command's help has them, run by a shell with certbot's variable."""
    from appliance.services.certificates.commands import install_files

    certificate, key = elsewhere.leaf("www.rssulsel.example")
    lineage = tmp_path / "live"
    lineage.mkdir()
    (lineage / "fullchain.pem").write_text(certificate + pem(elsewhere.between))
    (lineage / "privkey.pem").write_text(key)
    lines = [line.strip() for line in str(install_files.function.__doc__).splitlines()]
    first = lines.index("#!/bin/sh")
    hook = tmp_path / "hook"
    gerbang = tmp_path / "bin" / "gerbang"
    gerbang.parent.mkdir()
    gerbang.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; from compiler.cli.main import main; sys.exit(main())" "$@"\n'
    )
    gerbang.chmod(0o755)
    hook.write_text("\n".join(lines[first : lines.index("", first)]) + "\n")
    surroundings = {
        "PATH": f"{gerbang.parent}:/usr/bin:/bin",
        "RENEWED_LINEAGE": str(lineage),
        "GERBANG_SOCKET": str(house.socket),
        "GERBANG_TOKEN": house.house.token("admin"),
        "XDG_CONFIG_HOME": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[4]),
    }
    done = subprocess.run(
        ["/bin/sh", str(hook)], env=surroundings, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    served = tmp_path / "current" / "certificates.web" / "fullchain.pem"
    assert served.read_text() == certificate + pem(elsewhere.between)
    assert not list((tmp_path / "certificates").iterdir())
    assert not list((tmp_path / "files").iterdir())
    assert all(key.splitlines()[1] not in str(line) for line in house.house.audit())


def test_a_file_that_is_no_pem_is_refused(gerbang: Gerbang, tmp_path: Path) -> None:
    (tmp_path / "rubbish").write_bytes(b"\xff\xfe")
    large = tmp_path / "large"
    large.write_text("x" * 70_000)
    both = ("certificates.install-files", "--name", "web", "--upload")
    rubbish = f"={tmp_path / 'rubbish'}"
    assert "no PEM" in gerbang(*both, f"certificate{rubbish}", "--upload", f"key{rubbish}", code=1)
    assert "too large" in gerbang(*both, f"certificate={large}", "--upload", f"key={large}", code=1)


def test_the_authority_is_exported_as_a_file(house: Driven, gerbang: Gerbang, tmp_path: Path) -> None:
    assert "no own authority" in gerbang("certificates.export-authority", code=1)
    issued(house, "mail", "mail.example")
    gerbang("certificates.export-authority", "--output", str(tmp_path / "ca.pem"))
    page = json.loads(gerbang("certificates.authority", "--format", "json"))
    assert (tmp_path / "ca.pem").read_text() == page["certificate"]
    gerbang("certificates.export-authority", "--output", str(tmp_path / "again.pem"))
    assert (tmp_path / "again.pem").read_text() == page["certificate"]
    x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())


def renewed(gerbang: Gerbang) -> Any:
    return json.loads(gerbang("certificates.renew-due", "--commit", "yes", "--format", "json"))


def test_one_from_elsewhere_is_named_and_left_to_who_issued_it(
    house: Driven, gerbang: Gerbang, elsewhere: Elsewhere
) -> None:
    certificate, key = elsewhere.leaf("www.example", days=10)
    texts = {"name": "web", "certificate": certificate + pem(elsewhere.between), "key": key}
    house.call("install", texts, service="certificates")
    issued(house, "mail", "mail.example")
    done = renewed(gerbang)
    assert (done["names"], done["elsewhere"], done["committed"]) == ([], ["web"], False)


def test_the_daily_renewal_is_committed(house: Driven, gerbang: Gerbang, tmp_path: Path) -> None:
    house.house.clock.forward(days=-370)
    first = issued(house, "mail", "mail.example")
    gerbang("machine.commit", "--confirm-within", "0")
    served = tmp_path / "current" / "certificates.mail" / "certificate.pem"
    before = served.read_text()
    house.house.clock.forward(days=370)
    done = renewed(gerbang)
    assert done == {"names": ["mail"], "elsewhere": [], "committed": True, "generation": 2, "remark": ""}
    assert served.read_text() != before
    after = house.call("overview", {}, service="certificates")
    assert after[0]["serial"] != first["serial"]
    assert after[0]["left"] == 396
    # Somebody else's change waits: it is not committed along.
    house.house.clock.forward(days=-370)
    issued(house, "other", "other.example")
    gerbang("machine.commit", "--confirm-within", "0")
    house.house.clock.forward(days=370)
    issued(house, "half-made", "half.example")
    waits = renewed(gerbang)
    assert waits["names"] == ["other"]
    assert not waits["committed"]
    assert "wait for a commit" in waits["remark"]
    assert "certificates.half-made" in waits["remark"]
    assert not (tmp_path / "current" / "certificates.half-made").exists()


def test_a_renewal_that_could_not_be_committed_is_tried_until_it_is_done(
    house: Driven, gerbang: Gerbang, tmp_path: Path
) -> None:
    house.house.clock.forward(days=-370)
    issued(house, "mail", "mail.example")
    gerbang("machine.commit", "--confirm-within", "0")
    served = tmp_path / "current" / "certificates.mail" / "certificate.pem"
    before = served.read_text()
    house.house.clock.forward(days=370)
    half = issued(house, "half-made", "half.example")
    assert not renewed(gerbang)["committed"]
    waits = {one["name"]: one["waits"] for one in house.call("overview", {}, service="certificates")}
    assert waits == {"mail": True, "half-made": False}
    # An hour later nothing has changed: it says so once more.
    house.house.clock.forward(hours=1)
    assert ends(house) == ("failed", "half-made")
    assert served.read_text() == before
    # Nobody's changes wait any more.
    house.call("remove", {"name": "half-made", "version": half["version"]}, service="certificates")
    house.house.clock.forward(hours=1)
    assert ends(house) == ("done", "")
    assert served.read_text() != before
    assert not any(one["waits"] for one in house.call("overview", {}, service="certificates"))
    house.house.clock.forward(hours=1)
    assert ends(house) == ("not needed", "")


def test_names_a_key_or_an_authority_that_somebody_has_changed_are_no_renewal(
    house: Driven, gerbang: Gerbang, tmp_path: Path
) -> None:
    """They are committed by who changed them."""
    for name in ("names", "key", "plain"):
        issued(house, name, f"{name}.example")
    gerbang("machine.commit", "--confirm-within", "0")
    rows = {one["name"]: one for one in house.call("overview", {}, service="certificates")}
    issued(house, "names", "names.example", "more.example")
    told = {"name": "key", "version": rows["key"]["version"], "reason": "superseded"}
    house.call("replace-key", told, service="certificates")
    house.call("renew", {"name": "plain", "version": rows["plain"]["version"]}, service="certificates")
    waits = {one["name"] for one in house.call("overview", {}, service="certificates") if one["waits"]}
    assert waits == {"plain"}
    done = renewed(gerbang)
    assert not done["committed"]
    assert "certificates.key, certificates.names" in done["remark"]


def ends(house: Driven) -> tuple[str, str]:
    """Run it as the appliance does by itself; how it has ended, and whether its words name the other change."""
    parts = house.house.parts
    roles = frozenset({"certificates.keeper", "machine.administrator"})
    parts.timer.run_now(Person(ITSELF, roles), "certificates", "renew-due", lambda progress: None)
    with house.house.store.reading() as connection:
        (standing,) = [one for one in parts.timer.standings(connection) if one.timed.command == "renew-due"]
    last = standing.last
    assert last is not None
    return last.outcome.value, "half-made" if "half-made" in last.said else last.said


def test_a_keeper_renews_and_does_not_commit(gerbang: Gerbang) -> None:
    assert "may not commit" in gerbang("certificates.renew-due", "--commit", "yes", code=1, who="keeper")
    assert "committed: no" in gerbang("certificates.renew-due", who="keeper")


def test_a_certificate_is_issued_given_a_new_key_and_shown_by_keys(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "certificates", "certificates")
        await until(lambda: "i issues one" in shown(app))
        issued(house, "mail", "mail.example")
        await until(lambda: len(pane.rows) == 1 and pane.grid.row is not None)
        first = pane.row.serial
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, ToldScreen))
        await pilot.press("escape")
        await until(lambda: app.screen is pane.screen and pane.row.serial != first)
        await pilot.press("p")
        await until(lambda: isinstance(app.screen, ToldScreen) and "BEGIN CERTIFICATE" in shown(app))
        await pilot.press("escape")
        await until(lambda: app.screen is pane.screen)
        await pilot.press("d")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: pane.rows == ())

    house.drive(tmp_path, "keeper", play, size=(120, 30))


def test_one_from_elsewhere_is_pasted(house: Driven, tmp_path: Path, elsewhere: Elsewhere) -> None:
    certificate, key = elsewhere.leaf("www.rssulsel.example")

    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "certificates", "certificates")
        await until(lambda: "i issues one" in shown(app))
        await pilot.press("t")
        await until(lambda: len(app.screen.query(TextArea)) >= 2)
        await typed(pilot, "web")
        areas = list(app.screen.query(TextArea))
        areas[0].text = certificate + pem(elsewhere.between)
        areas[1].text = key
        await pilot.pause()
        await pilot.press("ctrl+s")
        await until(lambda: len(pane.rows) == 1 and pane.rows[0].source == "elsewhere")
        assert "renews it" in pane.why_not("do('renew')")

    house.drive(tmp_path, "keeper", play, size=(120, 40))
    assert PastedCertificate.__record_title__ == "certificate from elsewhere"


def test_the_authority_is_shown_and_replaced(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "certificates", "authority")
        await until(lambda: "there is no own authority yet" in shown(app))
        assert "no own authority" in pane.why_not("pem")
        issued(house, "mail", "mail.example")
        await until(lambda: pane.page is not None and pane.page.fingerprint[:20] in shown(app))
        first = pane.page.fingerprint
        await pilot.press("l")
        await until(lambda: isinstance(app.screen, ToldScreen) and "BEGIN X509 CRL" in shown(app))
        await pilot.press("escape")
        await until(lambda: app.screen is pane.screen)
        await pilot.press("r")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: pane.page is not None and pane.page.fingerprint != first)
        await open_screen(app, pilot, "certificates", "issued")
        await until(lambda: "mail.example" in shown(app))

    house.drive(tmp_path, "keeper", play, size=(120, 30))
