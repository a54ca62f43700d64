"""The web mail as a nurse has it: Chromium, nginx, PHP, Roundcube, Dovecot."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.appliance.services.webmail.house import CHROMIUM, NEEDS, SERVER, House
from tests.appliance.services.webmail.people import DOMAIN, PASSWORDS, WEB

PATIENCE = 12_000.0
ORIGIN = f"https://{WEB}/"
pytestmark = [*NEEDS, pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium")]


class Desk:
    """Somebody's browser: what it asked for, and what it complained of."""

    def __init__(self, browser: Any, house: House) -> None:
        self.house = house
        self.context = browser.new_context(
            ignore_https_errors=True, viewport={"width": 1280, "height": 800}, locale="id-ID"
        )
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("response", lambda answer: self._answered(answer.status, answer.url))
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.context.on("console", self._said)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("dialog", lambda dialog: dialog.accept())

    def _said(self, message: Any) -> None:
        # Each refused login is a 401, of which Chromium says that it could not load it.
        if message.type in {"error", "warning"} and "status of 401" not in message.text:
            self.complaints.append(message.text)

    def _answered(self, status: int, url: str) -> None:
        if status >= 400 and status != 401:
            self.complaints.append(f"{status} {url}")

    def log_in(self, name: str, password: str) -> None:
        """By the form."""
        self.page.goto(ORIGIN)
        self.page.fill("#rcmloginuser", name)
        self.page.fill("#rcmloginpwd", password)
        self.page.click("#rcmloginsubmit")

    def go(self, task: str, more: str = "") -> None:
        """To another part."""
        self.page.goto(f"{ORIGIN}?_task={task}{more}")

    def address_to(self, typed: str, chosen: str) -> None:
        """Type into the line of receivers, and choose from what it offers."""
        self.page.locator(".recipient-input input").first.press_sequentially(typed)
        self.page.locator("#rcmKSearchpane li", has_text=chosen).click()
        self.page.wait_for_selector(f".recipient-input .recipient:has-text('{chosen}')")

    def send(self) -> None:
        """And wait until it says that it was sent."""
        self.page.click("#toolbar-menu a.send, button.send >> visible=true")
        self.page.wait_for_url("**_task=mail*_mbox=*")

    def open_message(self, subject: str) -> None:
        """From the list."""
        self.go("mail", "&_mbox=INBOX")
        self.page.locator("#messagelist tr", has_text=subject).first.dblclick()
        self.page.wait_for_selector("#message-header")

    def is_content(self) -> None:
        """Nothing was wrong, and nobody else was asked."""
        assert self.complaints == []
        strangers = [one for one in self.requests if not one.startswith((ORIGIN, "data:", "blob:", "about:"))]
        assert strangers == []


@pytest.fixture(scope="module")
def chromium(house: House) -> Iterator[Any]:
    """Started inside the network namespace, as all that it starts."""
    from playwright.sync_api import sync_playwright

    with house.network.inside():
        playwright = sync_playwright().start()
        browser = house.browser(playwright)
    yield browser
    browser.close()
    playwright.stop()


@pytest.fixture
def desk(chromium: Any, house: House) -> Iterator[Desk]:
    """Nobody is logged in."""
    made = Desk(chromium, house)
    yield made
    made.context.close()


def _arrive(house: House, name: str, message: EmailMessage) -> None:
    """As the delivery puts it there."""
    house.deliver(name, message.as_bytes(policy=email.policy.SMTP))


def _received(house: House, name: str, subject: str) -> EmailMessage:
    """The one message of this subject in somebody's inbox."""
    parsed = [email.message_from_bytes(raw, policy=email.policy.default) for raw in house.mailbox(name)]
    (found,) = [one for one in parsed if one["Subject"] == subject]
    assert isinstance(found, EmailMessage)
    return found


def test_who_has_no_account_gets_none(desk: Desk, house: House) -> None:
    desk.page.goto(ORIGIN)
    assert desk.page.title() == "Surat Rumah Sakit :: Selamat datang di Surat Rumah Sakit"
    assert desk.page.inner_text("#layout-content h1") == "Surat Rumah Sakit"
    assert desk.page.get_attribute("#rcmloginuser", "placeholder") == "Nama pengguna"
    # One form, with one name, one password and one button, and no way to anywhere else.
    assert desk.page.locator("input:visible").count() == 2
    assert desk.page.locator("button:visible").count() == 1
    assert desk.page.locator("a:visible").count() == 0
    for name, password in (("siti", "salah"), ("orang-lain", PASSWORDS["siti"])):
        desk.log_in(name, password)
        desk.page.wait_for_selector("#messagestack:has-text('Login gagal.')")
    # Dovecot counts guesses by the browser's address, and not by ours.
    house.dovecot_says(rf"\(siti,{re.escape(SERVER)},.*Password mismatch")
    assert "Failed login for siti from 192.168.10.2" in "".join(house.ask("log webmail.php"))
    desk.is_content()


def test_a_nurse_reads_writes_answers_and_passes_on(desk: Desk, house: House, tmp_path: Path) -> None:
    message = EmailMessage()
    message["From"], message["To"] = f"dr. Budi Santoso <budi@{DOMAIN}>", f"siti@{DOMAIN}"
    message["Subject"], message["Message-ID"] = "Kamar 12", f"<kamar-12@{DOMAIN}>"
    message["Date"] = email.utils.localtime()
    message.set_content("Kamar 12 sudah kosong?\n")
    message.add_attachment(
        b"\x89hasil laboratorium\n" * 999, maintype="application", subtype="octet-stream", filename="lab.bin"
    )
    _arrive(house, "siti", message)

    desk.log_in("siti", PASSWORDS["siti"])
    desk.page.wait_for_selector("#messagelist tr:has-text('Kamar 12')")
    cookies = {one["name"]: one for one in desk.context.cookies()}
    assert set(cookies) == {"__Host-webmail", "__Host-webmail-auth"}
    assert all(one["secure"] and one["httpOnly"] and one["sameSite"] == "Lax" for one in cookies.values())

    # Read.
    desk.open_message("Kamar 12")
    assert "Kamar 12 sudah kosong?" in desk.page.inner_text("#messagebody")
    assert "lab.bin" in desk.page.inner_text("#attachment-list")

    # Reply.
    desk.page.click("#toolbar-menu a.reply")
    desk.page.wait_for_selector("#composebody")
    assert desk.page.input_value("#compose-subject") == "Re: Kamar 12"
    desk.page.fill("#composebody", "Sudah, sejak pagi.\n")
    desk.send()
    answer = _received(house, "budi", "Re: Kamar 12")
    assert answer["From"] == f"Siti Aminah <siti@{DOMAIN}>"
    assert answer["In-Reply-To"] == f"<kamar-12@{DOMAIN}>"
    assert "Sudah, sejak pagi." in answer.get_content()

    # Forward, with the attachment that it has and another one.
    desk.open_message("Kamar 12")
    desk.page.click("#toolbar-menu a.forward")
    desk.page.wait_for_selector("#attachment-list li:has-text('lab.bin')")
    file = tmp_path / "catatan.txt"
    file.write_text("Rawat inap.\n")
    desk.page.set_input_files("input[type=file][name='_attachments[]'] >> nth=0", str(file))
    desk.page.wait_for_selector("#attachment-list li:not(.uploading):has-text('catatan.txt')")
    desk.address_to("santo", "Budi Santoso")
    desk.send()
    passed = _received(house, "budi", "Fwd: Kamar 12")
    files = {part.get_filename(): part.get_content() for part in passed.iter_attachments()}
    assert files == {"lab.bin": b"\x89hasil laboratorium\n" * 999, "catatan.txt": "Rawat inap.\n"}

    # Compose, to a person who is found by a part of the name.
    desk.go("mail", "&_action=compose")
    desk.page.wait_for_selector("#composebody")
    desk.address_to("bud", "Budi Santoso")
    desk.page.fill("#compose-subject", "Obat")
    desk.page.fill("#composebody", "Obat sudah habis.\n")
    desk.send()
    sent = _received(house, "budi", "Obat")
    assert sent["To"] == f'"dr. Budi Santoso" <budi@{DOMAIN}>'
    assert "User-Agent" not in sent
    assert "192.168" not in str(sent["Received"] or "")
    desk.go("mail", "&_mbox=Sent")
    desk.page.wait_for_selector("#messagelist tr:has-text('Obat')")
    desk.is_content()

    # Who is there, as the webmaster sees it; and out.
    seen = house.ask("perform webmail.people {}")
    (siti,) = [one for one in seen["people"] if one["account"] == f"siti@{DOMAIN}"]
    assert [one["address"] for one in siti["sessions"]] == [SERVER]
    ended = house.ask(f'perform webmail.log-out {{"account": "siti@{DOMAIN}"}}')
    assert ended == {"known": True, "sessions": 1}
    desk.go("mail")
    desk.page.wait_for_selector("#rcmloginuser")


def test_the_hospitals_address_book(desk: Desk) -> None:
    desk.log_in("budi", PASSWORDS["budi"])
    desk.page.wait_for_selector("#messagelist", state="attached")
    desk.go("addressbook")
    page = desk.page
    page.wait_for_selector("#contacts-table tr:has-text('Ani Wulandari')")
    groups = page.locator("#directorylist li.addressbook").first
    assert groups.locator("a").first.inner_text() == "Rumah sakit"
    assert groups.locator("li.contactgroup").all_inner_texts() == ["Doctors", "Jaga malam", "Nurses"]
    people = page.locator("#contacts-table tbody tr:visible")
    assert people.all_inner_texts() == ["Ani Wulandari", "dr. Budi Santoso", "Kepala Pos", "Siti Aminah"]

    # The members of a department, and of a list.
    for group, members in (
        ("Nurses", ["Ani Wulandari", "Siti Aminah"]),
        ("Jaga malam", ["dr. Budi Santoso", "Siti Aminah"]),
    ):
        groups.locator("li.contactgroup a", has_text=group).click()
        page.wait_for_function(f"document.querySelectorAll('#contacts-table tbody tr').length == {len(members)}")
        assert people.all_inner_texts() == members

    # Searching.
    groups.locator("a").first.click()
    page.wait_for_function("document.querySelectorAll('#contacts-table tbody tr').length == 4")
    page.fill("#quicksearchbox, .searchbar input[name=_q]", "wulan")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('#contacts-table tbody tr').length == 1")
    assert people.all_inner_texts() == ["Ani Wulandari"]

    # Nobody changes it.
    people.first.click()
    page.frame_locator("#contact-frame").locator("text=Ani Wulandari").first.wait_for()
    assert page.frame_locator("#contact-frame").locator("a.button.edit, button.edit").count() == 0

    # A list is written to by its own address.
    desk.go("mail", "&_action=compose")
    page.wait_for_selector("#composebody")
    desk.address_to("jaga", "Jaga malam")
    assert f"jaga-malam@{DOMAIN}" in page.input_value("#_to")
    desk.is_content()


def test_rules_and_vacation_are_kept_by_the_mail_server(desk: Desk, house: House) -> None:
    desk.log_in("budi", PASSWORDS["budi"])
    desk.page.wait_for_selector("#messagelist", state="attached")
    desk.go("settings", "&_action=plugin.managesieve-vacation")
    desk.page.fill("#vacation_reason", "Saya cuti sampai Senin.")
    desk.page.select_option("#vacation_status", "on")
    desk.page.click("button.submit:visible")
    desk.page.wait_for_selector("#messagestack .confirmation, #messagestack .alert-success")
    scripts = list((house.folder / "mail" / "budi" / "sieve").glob("*.sieve"))
    assert any("Saya cuti sampai Senin." in one.read_text() for one in scripts)
    desk.is_content()
