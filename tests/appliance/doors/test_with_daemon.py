"""The door before the real daemon: the throttle sees browsers, not the door; files arrive; TLS."""

from __future__ import annotations

import asyncio
import logging
import ssl
import subprocess
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from appliance.cli.serving_web import settings_from
from appliance.client.addresses import Address
from appliance.doors.web.connecting import DaemonClient
from appliance.doors.web.settings import Limits
from appliance.services.system import service as system
from compiler.errors import UsageError
from tests.appliance.daemon.house import PASSWORD, House
from tests.appliance.daemon.test_running_it import certificate_in
from tests.appliance.doors.standing import standing

OPTIONS: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 8443,
    "certificate": None,
    "key": None,
    "public_url": "",
    "proxy": [],
    "consoles": 20,
    "visitors": 8,
    "idle": 1800.0,
    "folder": None,
    "ca": None,
    "visitors_per_address": 2,
}


def test_one_who_guesses_does_not_lock_out_the_others(tmp_path: Path) -> None:
    from ipaddress import ip_address

    house = House(tmp_path, services=(system,))

    async def play(socket: Path) -> None:
        daemon = DaemonClient(Address(socket))
        async with standing(daemon, proxies=frozenset({ip_address("127.0.0.1")})) as door:
            thief, admin = door.browser(), door.browser()

            async def attempt(browser: Any, password: str, address: str) -> tuple[int, str]:
                headers = {**browser.own, "X-Forwarded-For": address}
                answer = await browser.post("/login", {"name": "admin", "password": password}, headers=headers)
                return answer.status, await answer.text() if answer.status != 303 else ""

            told = [await attempt(thief, f"guess {number}", "198.51.100.7") for number in range(8)]
            assert "too many requests; try again in" in told[-1][1]
            # The right password from there waits as well; from elsewhere it opens at once.
            assert (await attempt(thief, PASSWORD, "198.51.100.7"))[0] == 401
            assert (await attempt(admin, PASSWORD, "203.0.113.5"))[0] == 303
            assert (await admin.get("/")).status == 200
            assert "/login" in str((await admin.post("/logout")).headers["Location"])

    with house.live(tmp_path) as socket:
        asyncio.run(play(socket))
    assert any("203.0.113.5" in str(line) for line in house.audit())
    house.store.close()


@pytest.mark.parametrize(
    "said",
    [
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "gate.example"},
        {"public_url": "http://gate.example"},
        {"public_url": "https://gate.example/console"},
        {"public_url": "gate.example"},
        {"public_url": "https://u:p@gate.example"},
        {"public_url": "https://gate.example:x"},
        {"proxy": ["everybody"]},
        {"port": 70000},
        {"consoles": 0},
        {"idle": float("nan")},
        {"certificate": Path("/nowhere")},
        {"certificate": Path("/nowhere"), "key": Path("/nowhere")},
    ],
)
def test_settings_that_are_none_or_send_passwords_in_the_clear_are_refused(said: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        settings_from(Namespace(**(OPTIONS | said)))


def test_the_origin_is_written_as_browsers_do() -> None:
    for url, origin in (
        ("https://Gate.Example:443/", "https://gate.example"),
        ("https://gate.example:8443", "https://gate.example:8443"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ):
        settings = settings_from(Namespace(**(OPTIONS | {"public_url": url})))
        assert settings.origin == origin
        assert settings.websocket == "wss" + origin[5:]
        assert settings.cookie == "__Host-gerbang"


def test_tls_with_an_own_certificate_and_nothing_older_than_1_2(tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *names, "-out", certificate, "-keyout", key], check=True, capture_output=True)

    async def play() -> None:
        async with standing(certificate=certificate, key=key) as door:
            trusting = ssl.create_default_context(cafile=str(certificate))
            browser = door.browser()
            answer = await browser.post("/login", {"name": "ani", "password": "right"}, ssl=trusting)
            assert answer.status == 303
            assert "Secure" in answer.headers["Set-Cookie"]
            assert answer.headers["Set-Cookie"].startswith("__Host-gerbang=")
            assert answer.headers["Strict-Transport-Security"]
            console = await browser.open(ssl=trusting)
            await console.type("here")
            assert await console.read() == "here"
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.load_verify_locations(certificate)
            old.set_ciphers("ALL:@SECLEVEL=0")
            with pytest.warns(DeprecationWarning, match="TLSv1"):
                old.minimum_version = ssl.TLSVersion.TLSv1
            with pytest.warns(DeprecationWarning, match="TLSv1_1"):
                old.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.open_connection("127.0.0.1", door.door.settings.port, ssl=old)

    asyncio.run(play())


def test_a_renewed_certificate_is_served_while_consoles_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    certificate, key = certificate_in(tmp_path)
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE

    async def shown(port: int) -> bytes:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=anybody)
        seen = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return bytes(seen)

    async def play() -> None:
        limits = Limits(renewed=0.05, ends_within=0.3)
        async with standing(certificate=certificate, key=key, limits=limits) as door:
            browser, port = door.browser(), door.door.settings.port
            assert (await browser.post("/login", {"name": "ani", "password": "right"}, ssl=anybody)).status == 303
            console = await browser.open(ssl=anybody)
            first = await shown(port)
            certificate_in(tmp_path)
            await door.until(lambda: "was renewed, and is served" in caplog.text)
            second = await shown(port)
            assert second != first
            certificate.write_text("half of a cert")
            caplog.clear()
            await door.until(lambda: "the renewed certificate is not served" in caplog.text)
            assert await shown(port) == second
            await console.type("here")
            assert await console.read() == "here"

    with caplog.at_level(logging.INFO):
        asyncio.run(play())
