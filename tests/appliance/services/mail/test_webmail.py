"""The hospital with its web mail: Chromium on a nurse's machine, and every daemon behind it."""

from __future__ import annotations

import email.policy
import json
import shutil
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from appliance.helper.packages import make_user
from tests.appliance.services.mail.hospital import DOMAIN, NEEDED, PASSWORDS, Hospital, until
from tests.appliance.services.mail.star import SERVER
from tests.appliance.services.webmail.house import CHROMIUM, NEEDS

WEB = f"www.{DOMAIN}"
ORIGIN = f"https://{WEB}/"
PATIENCE = 60_000.0
_MISSING = [name for name in NEEDED if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
pytestmark = [
    *NEEDS[:-1],
    pytest.mark.skipif(bool(_MISSING), reason=f"not installed: {', '.join(_MISSING)}"),
]


@pytest.fixture(scope="module")
def web(hospital: Hospital) -> Iterator[Hospital]:
    """The hospital while it has web mail."""
    make_user("webmail", "gerbang-webmail")
    kept = hospital.call("webmail", "settings.get")
    row = {**kept["row"], "serve": True, "title": "Surat RS"}
    saved = hospital.call("webmail", "settings.change", {"version": kept["version"], "row": row})
    hospital.commit("web mail")
    yield hospital
    row = {**row, "serve": False}
    hospital.call("webmail", "settings.change", {"version": saved["version"], "row": row})
    hospital.commit("no web mail")


@pytest.fixture(scope="module")
def chromium(web: Hospital) -> Iterator[Any]:
    """On the nurse's machine."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs Chromium at {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    rules = f"--host-resolver-rules=MAP {WEB} {SERVER}"
    with web.at("nurse"):
        playwright = sync_playwright().start()
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-background-networking", rules]
        )
    yield browser
    browser.close()
    playwright.stop()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """Nobody is logged in."""
    context = chromium.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 800}, locale="id-ID")
    made = context.new_page()
    made.set_default_timeout(PATIENCE)
    made.on("dialog", lambda dialog: dialog.accept())
    yield made
    context.close()


def _log_in(page: Any, name: str) -> None:
    page.goto(ORIGIN)
    page.fill("#rcmloginuser", name)
    page.fill("#rcmloginpwd", PASSWORDS[name])
    page.click("#rcmloginsubmit")
    page.wait_for_selector("#messagelist", state="attached")


def _open_compose(page: Any) -> None:
    """What a busy machine leaves half loaded is loaded again, as a person would; being logged out is a fault."""
    from playwright.sync_api import TimeoutError as TooLate

    for _load in range(3):
        page.goto(f"{ORIGIN}?_task=mail&_action=compose")
        try:
            page.wait_for_selector("#composebody", timeout=PATIENCE / 2)
        except TooLate:
            assert page.locator("#rcmloginuser").count() == 0, "logged out"
        else:
            return
    raise AssertionError(page.content()[:2000])


def _compose(page: Any, subject: str, text: str) -> None:
    _open_compose(page)
    page.fill("#compose-subject", subject)
    page.fill("#composebody", text)


def _write_to(page: Any, typed: str, chosen: str) -> None:
    page.locator(".recipient-input input").first.press_sequentially(typed)
    page.locator("#rcmKSearchpane li", has_text=chosen).click()


def _send(page: Any) -> None:
    page.click("#toolbar-menu a.send, button.send >> visible=true")
    page.wait_for_url("**_task=mail*_mbox=*")


def _arrived(hospital: Hospital, name: str, *criteria: str) -> EmailMessage:
    """The message that this search finds in somebody's inbox (RFC 3501 section 6.4.4), once it is there."""

    def fetched() -> bytes:
        with hospital.imap(name) as session:
            session.select("INBOX", readonly=True)
            _, data = session.search(None, *criteria)
            for number in data[0].split():
                _, parts = session.fetch(number, "(RFC822)")
                return bytes(parts[0][1])
        return b""

    found = message_from_bytes(until(fetched, f"{criteria} for {name}"), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_the_name_is_in_the_dns(web: Hospital) -> None:
    import dns.message
    import dns.query

    asked = dns.message.make_query(WEB, "A")
    answer = web.everywhere("nurse", lambda: dns.query.udp(asked, SERVER, timeout=20))
    assert [item.address for rrset in answer.answer for item in rrset] == [SERVER]


def test_a_nurse_writes_to_a_doctor_by_the_web(web: Hospital, page: Any, tmp_path: Path) -> None:
    file = tmp_path / "rontgen.txt"
    file.write_text("Tampak bersih.\n")
    _log_in(page, "siti")
    _compose(page, "Hasil rontgen", "Terlampir.\n")
    _write_to(page, "bud", "Budi")
    page.set_input_files("input[type=file][name='_attachments[]'] >> nth=0", str(file))
    page.wait_for_selector("#attachment-list li:not(.uploading):has-text('rontgen.txt')")
    _send(page)
    found = _arrived(web, "budi", "SUBJECT", '"Hasil rontgen"')
    assert found["From"].addresses[0].addr_spec == f"siti@{DOMAIN}"
    assert {part.get_filename(): part.get_content() for part in found.iter_attachments()} == {
        "rontgen.txt": "Tampak bersih.\n"
    }
    assert found["DKIM-Signature"] is None or DOMAIN in found["DKIM-Signature"]


def test_a_wrong_address_is_told_to_who_wrote_to_it(web: Hospital, page: Any) -> None:
    _log_in(page, "siti")
    _compose(page, "Kamar kosong", "Ada?\n")
    page.locator(".recipient-input input").first.fill(f"tidak-ada@{DOMAIN}")
    page.keyboard.press("Enter")
    _send(page)
    bounce = _arrived(web, "siti", "FROM", "MAILER-DAEMON", "TEXT", f"tidak-ada@{DOMAIN}")
    assert bounce.get_content_type() == "multipart/report"


def test_whoever_gets_an_account_is_in_everybodys_address_book(web: Hospital, page: Any) -> None:
    _log_in(page, "siti")
    page.goto(f"{ORIGIN}?_task=addressbook")
    page.wait_for_selector("#contacts-table tr:has-text('Budi')")
    assert page.locator("#directorylist li.addressbook").first.locator("li.contactgroup").all_inner_texts() == [
        "Administration",
        "Doctors",
        "Nurses",
    ]
    assert page.locator("#contacts-table tr:has-text('Wahyuni')").count() == 0
    account = web.add_account("wahyuni", "nurses", "dua-belas-jendela-biru")
    web.commit("Wahyuni")
    page.reload()
    page.wait_for_selector("#contacts-table tr:has-text('Wahyuni')")
    # Who is suspended is no longer written to.
    seen = {"name": "wahyuni", "version": account["version"]}
    suspended = web.call("mail", "accounts.suspend", seen)
    web.commit("without Wahyuni")
    page.reload()
    page.wait_for_selector("#contacts-table tr:has-text('Budi')")
    assert page.locator("#contacts-table tr:has-text('Wahyuni')").count() == 0
    web.call("mail", "accounts.remove", {"name": "wahyuni", "version": suspended["version"]})
    web.commit("Wahyuni is gone")


def test_who_lost_his_password_is_not_in_the_web_mail_any_more(web: Hospital, page: Any) -> None:
    """Neither by what he reads there nor by what he would send."""
    web.add_account("tamu", "nurses", "empat-belas-payung")
    web.commit("a guest")
    page.goto(ORIGIN)
    page.fill("#rcmloginuser", "tamu")
    page.fill("#rcmloginpwd", "empat-belas-payung")
    page.click("#rcmloginsubmit")
    page.wait_for_selector("#messagelist", state="attached")
    seen = {"name": "tamu", "password": "lima-belas-sepatu"}
    changed = web.call("mail", "accounts.reset-password", seen)
    web.commit("another password")
    # Settings and address books too, which are no matter of the mail server.
    page.goto(f"{ORIGIN}?_task=addressbook")
    page.wait_for_selector("#rcmloginuser")
    suspended = web.call("mail", "accounts.suspend", {"name": "tamu", "version": changed["version"]})
    web.call("mail", "accounts.remove", {"name": "tamu", "version": suspended["version"]})
    web.commit("the guest is gone")


def test_the_webmaster_sees_who_is_there(web: Hospital, page: Any) -> None:
    _log_in(page, "budi")
    rows = {row["account"]: row for row in web.call("webmail", "people")}
    assert rows[f"budi@{DOMAIN}"]["addresses"] == "192.168.10.11"
    ended = web.call("webmail", "log-out", {"account": f"budi@{DOMAIN}"})
    assert ended["sessions"] == 1
    page.goto(f"{ORIGIN}?_task=mail")
    page.wait_for_selector("#rcmloginuser")
    assert web.standing.work("diagnose")["findings"] == [], json.dumps(web.call("machine", "programs"))
