"""The daemons themselves: what they show, what they hide, what they refuse, and how they come back."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from appliance.services.webmail.log_turning import KEPT, turned
from tests.appliance.services.webmail.house import NEEDS, SERVER, House
from tests.appliance.services.webmail.people import AUTOCONFIG, WEB

pytestmark = [*NEEDS]
Answer = TypeVar("Answer")


def _inside(house: House, work: Callable[[], Answer]) -> Answer:
    """The work, in a thread of its own in the house's network."""
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            with house.network.inside():
                answers.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]


def _ask(
    house: House, path: str, *, method: str = "GET", body: bytes = b"", name: str = WEB, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    def work() -> tuple[int, dict[str, str], bytes]:
        plain = socket.create_connection((SERVER, 443), timeout=60)
        with plain, house.tls().wrap_socket(plain, server_hostname=name) as tls:
            connection = http.client.HTTPSConnection(name)
            connection.sock = tls
            connection.request(method, path, body or None, {"Connection": "close", **headers})
            answer = connection.getresponse()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()

    return _inside(house, work)


def test_the_probes_are_content(house: House) -> None:
    assert house.ask("probe") == []
    assert house.ask("status") == ["webmail.nginx ready 0", "webmail.php ready 0"]


def test_what_a_browser_is_told(house: House) -> None:
    status, headers, body = _ask(house, "/")
    assert status == 200
    assert b'name="_user"' in body
    assert headers["server"] == "nginx"
    assert "x-powered-by" not in headers
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"].upper() == "SAMEORIGIN"
    assert headers["referrer-policy"] == "no-referrer"
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["form-action"] == policy["frame-ancestors"] == "'self'"
    assert policy["img-src"] == "'self' data: blob:"
    assert "no-store" in headers["cache-control"] or "no-cache" in headers["cache-control"]
    name, _, rest = headers["set-cookie"].partition("=")
    assert name == "__Host-webmail"
    assert {one.strip().lower() for one in rest.split(";")[1:]} == {"path=/", "secure", "httponly", "samesite=lax"}
    _status, kept, _body = _ask(house, "/skins/elastic/styles/styles.min.css")
    assert "max-age=604800" in kept["cache-control"]
    assert "max-age" in kept["strict-transport-security"]


def test_what_is_not_there_is_not_kept_as_such(house: House) -> None:
    """A file of a page that fails, as while it is being exchanged, would be missing for a week."""
    status, headers, _body = _ask(house, "/skins/elastic/styles/nothing.min.css")
    assert (status, headers.get("cache-control", "")) == (404, "")
    assert "max-age" in headers["strict-transport-security"]


def test_another_name_by_http_than_by_tls_is_misdirected(house: House) -> None:
    status, headers, _body = _ask(house, "/", Host="other.example")
    assert (status, headers["server"]) == (421, "nginx")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_methods_that_no_page_uses_are_refused(house: House, method: str) -> None:
    status, headers, _body = _ask(house, "/", method=method)
    assert (status, "set-cookie" in headers) == (405, False)


@pytest.mark.parametrize(
    "path",
    [
        *("/config/config.inc.php", "/config/", "/logs/errors.log", "/temp/", "/bin/updatedb.sh", "/installer/"),
        *("/installer/index.php", "/SQL/sqlite.initial.sql", "/composer.json", "/program/include/rcmail.php"),
        *("/program/lib/Roundcube/bootstrap.php", "/plugins/password/password.php", "/.htaccess", "/vendor/"),
        *("/plugins/managesieve/config.inc.php", "/plugins/managesieve/composer.json", "/roundcube.db"),
        *("/plugins/enigma/skins/elastic/enigma.css", "/skins/../config/config.inc.php", "/index.php/x.php"),
        *("/skins/elastic/%2e%2e/%2e%2e/composer.json", "/skins/elastic/meta.json", "/program/js/../include/"),
        *("/skins/elastic/styles/styles.min.css/x.php", "/config.inc.php.sample", "/public/index.php", "/start.sh"),
    ],
)
def test_what_lies_beside_the_pages_is_not_there(house: House, path: str) -> None:
    assert _ask(house, path)[0] == 404


def test_pages_need_their_files(house: House) -> None:
    """So that the test above is not won by refusing everything."""
    for path in ("/program/js/app.min.js", "/program/js/jquery.min.js", "/plugins/managesieve/managesieve.min.js"):
        status, headers, body = _ask(house, path)
        assert (status, "javascript" in headers["content-type"], len(body) > 1000) == (200, True, True)


def test_tls(house: House) -> None:
    def version(newest: ssl.TLSVersion) -> str:
        context = house.tls()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, newest
        plain = socket.create_connection((SERVER, 443), timeout=60)
        with plain, context.wrap_socket(plain, server_hostname=WEB) as tls:
            return str(tls.version())

    assert _inside(house, lambda: version(ssl.TLSVersion.TLSv1_2)) == "TLSv1.2"
    assert _inside(house, lambda: version(ssl.TLSVersion.TLSv1_3)) == "TLSv1.3"
    with pytest.warns(DeprecationWarning, match="TLSv1_1"), pytest.raises(ssl.SSLError):
        _inside(house, lambda: version(ssl.TLSVersion.TLSv1_1))
    # Under another name there is nothing.
    with pytest.raises(ssl.SSLError):
        _ask(house, "/", name="other.example")


def test_port_80_leads_to_tls_and_answers_challenges(house: House) -> None:
    def ask(path: str, host: str) -> tuple[int, str, bytes]:
        with closing(http.client.HTTPConnection(SERVER, 80, timeout=60)) as connection:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Location", ""), answer.read()

    assert _inside(house, lambda: ask("/?_task=mail", "anything.example"))[:2] == (301, f"https://{WEB}/?_task=mail")
    house.ask("challenge token-1 token-1.thumbprint")
    challenge = "/.well-known/acme-challenge/"
    assert _inside(house, lambda: ask(f"{challenge}token-1", WEB))[::2] == (200, b"token-1.thumbprint")
    assert _inside(house, lambda: ask(f"{challenge}token-2", WEB))[0] == 404
    assert _inside(house, lambda: ask(f"{challenge}../../../log/access.log", WEB))[0] in {301, 400, 404}


def test_mail_programs_find_the_servers_by_the_domain(house: House) -> None:
    """By TLS, at the web mail's own name, and without TLS."""

    def plainly(path: str) -> tuple[int, str, bytes]:
        with closing(http.client.HTTPConnection(SERVER, 80, timeout=60)) as connection:
            connection.request("GET", path, headers={"Host": AUTOCONFIG})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()

    path = "/mail/config-v1.1.xml?emailaddress=siti%40rssulsel.com"
    known = "/.well-known/autoconfig/mail/config-v1.1.xml"
    kind = "text/xml; charset=utf-8"
    told = [_ask(house, path, name=AUTOCONFIG), _ask(house, known), _ask(house, known, name=AUTOCONFIG)]
    assert [(status, headers["content-type"]) for status, headers, _body in told] == [(200, kind)] * 3
    bodies = {body for _status, _headers, body in told}
    assert _inside(house, lambda: plainly(path))[:2] == (200, kind)
    assert bodies == {_inside(house, lambda: plainly(path))[2]}
    assert b"<hostname>mail.rssulsel.com</hostname>" in bodies.pop()
    # Nothing else is there: no login page without TLS, and none under this name.
    assert _inside(house, lambda: plainly("/"))[0] == 404
    assert _ask(house, "/", name=AUTOCONFIG)[0] == 404
    assert _ask(house, "/mail/../config-v1.1.xml/x", name=AUTOCONFIG)[0] in {400, 404}
    house.ask("challenge token-1 token-1.thumbprint")
    challenge = "/.well-known/acme-challenge/token-1"
    assert _inside(house, lambda: plainly(challenge))[::2] == (200, b"token-1.thumbprint")


def test_a_body_beyond_the_largest_message_is_not_taken(house: House) -> None:
    def status(length: int) -> int:
        plain = socket.create_connection((SERVER, 443), timeout=60)
        with plain, house.tls().wrap_socket(plain, server_hostname=WEB) as tls:
            tls.sendall(f"POST /?_task=mail HTTP/1.1\r\nHost: {WEB}\r\nContent-Length: {length}\r\n\r\n".encode())
            return int(tls.recv(100).split()[1])

    assert _inside(house, lambda: status(26 * 1024 * 1024 + 1)) == 413


def test_guesses_are_slowed_down_and_others_are_not(house: House) -> None:
    answers = [_ask(house, "/?_task=login", method="POST", body=b"x=1")[0] for _guess in range(30)]
    assert answers.count(429) >= 10
    assert answers[0] != 429
    assert _ask(house, "/")[0] == 200


def test_nobody_but_the_web_server_speaks_to_php(house: House) -> None:
    path = "/run/gerbang-programs/webmail.php/php.sock"
    said = {}
    for user in ("www-data", "nobody"):
        script = "import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        command = ["setpriv", f"--reuid={user}", "--clear-groups", "--no-new-privs", "/usr/bin/python3", "-c", script]
        inside = ["nsenter", f"--mount=/proc/{house.first}/ns/mnt", *command, path]
        done = subprocess.run(inside, capture_output=True, text=True, check=False)
        said[user] = done.returncode, "Permission denied" in done.stderr
    assert said == {"www-data": (0, False), "nobody": (1, True)}


def test_php_runs_nothing_and_reads_nothing_else(house: House) -> None:
    """In the words of the pool itself: what it says of its own settings."""
    done = house.ask("pool open_basedir,disable_functions,expose_php,session.cookie_secure,allow_url_fopen")
    assert "/var/lib/gerbang-programs/webmail.php" in done["open_basedir"]
    assert all(path.strip() not in {"/", "/etc", "/var", "/tmp", "/home"} for path in done["open_basedir"].split(":"))
    assert {"exec", "proc_open", "shell_exec", "system", "popen"} <= set(done["disable_functions"].split(","))
    assert (done["expose_php"], done["allow_url_fopen"], done["session.cookie_secure"]) == ("off", "off", "on")


def test_its_data_are_its_own(house: House) -> None:
    folder = house.here("/var/lib/gerbang-programs/webmail.php")
    assert folder.stat().st_mode & 0o777 == 0o750
    for path in folder.iterdir():
        assert path.stat().st_uid == folder.stat().st_uid
        assert not path.stat().st_mode & 0o077, path


def test_a_reload_and_a_restart_keep_what_is_there(house: House) -> None:
    before = house.ask("perform webmail.people {}")

    def begun_anew() -> int:
        return sum("reloading: execvp" in line for line in house.ask("log webmail.php"))

    # Nothing is new for the pool itself, as when somebody got an account; then something is.
    times = begun_anew()
    assert house.ask("reload webmail.php") == "ready"
    assert begun_anew() == times
    assert house.ask(f"reload webmail.php {json.dumps({'php-fpm.conf': '; anew'})}") == "ready"
    deadline = time.monotonic() + 60
    while begun_anew() == times:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert house.ask("reload webmail.nginx") == "ready"
    assert house.ask("probe") == []
    assert house.ask("restart webmail.php") == "ready"
    assert house.ask("probe") == []
    assert house.ask("perform webmail.people {}")["people"] == before["people"]
    said = house.ask("log webmail.php")
    assert sum("schema: made" in line for line in said) == 1


def test_the_log_is_turned_over_and_goes_on(house: House) -> None:
    """Of what a stranger makes grow only the newest parts are kept."""
    log = house.here("/var/lib/gerbang-programs/webmail.nginx/log/access.log")
    first, second = log.with_name("access.log.1"), log.with_name("access.log.2.gz")

    def written(path: str) -> None:
        deadline = time.monotonic() + 60
        while f'"GET {path}"' not in log.read_text():
            assert _ask(house, path)[0] == 404
            assert time.monotonic() < deadline
            time.sleep(0.05)

    written("/before")
    assert house.ask("perform webmail.log-turn {}") == {"turned": True}
    assert 'GET /before"' in first.read_text()
    # The workers write to the new one once the master has told them.
    deadline = time.monotonic() + 60
    while not log.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    written("/after")
    assert house.ask("perform webmail.log-turn {}") == {"turned": True}
    assert 'GET /before"' in gzip.decompress(second.read_bytes()).decode()
    assert 'GET /after"' in first.read_text()


def test_only_so_many_parts_of_a_log_are_kept(tmp_path: Path) -> None:
    assert not turned(tmp_path)
    for number in range(KEPT + 5):
        (tmp_path / "access.log").write_text(f"{number}\n")
        assert turned(tmp_path)
        assert not turned(tmp_path)
    parts = [tmp_path / f"access.log.{number}.gz" for number in range(2, KEPT + 1)]
    assert set(tmp_path.iterdir()) == {tmp_path / "access.log.1", *parts}
    told = [(tmp_path / "access.log.1").read_text(), *(gzip.decompress(one.read_bytes()).decode() for one in parts)]
    assert told == [f"{number}\n" for number in range(KEPT + 4, 4, -1)]


def test_an_older_database_is_brought_up_and_a_half_made_one_is_made(house: House) -> None:
    scripts = house.scripts()
    path = house.folder / "old.db"
    newest = sorted(scripts.glob("sqlite/*.sql"))[-1].stem
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript((scripts / "sqlite.initial.sql").read_text())
        database.execute("UPDATE system SET value = '2021100300' WHERE name = 'roundcube-version'")
        database.execute("INSERT INTO users (username, mail_host, created) VALUES ('siti', 'x', '2021-01-01')")
    half = house.folder / "half.db"
    half.touch()
    for one in (path, half, half):
        house.schema(one)
        with closing(sqlite3.connect(one)) as database:
            assert database.execute("SELECT value FROM system").fetchall() == [(newest,)]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT username FROM users").fetchall() == [("siti",)]


def test_bad_files_are_caught_before_the_switch(house: House) -> None:
    assert house.ask("check webmail.php {}") == ""
    assert house.ask("check webmail.nginx {}") == ""
    broken = {"config/config.inc.php": "<?php $config['x'] = ;"}
    assert "syntax error" in house.ask(f"check webmail.php {json.dumps(broken)}")
    unknown = {"php-fpm.conf": "[global]\nnonsense = 1\n"}
    assert "nonsense" in house.ask(f"check webmail.php {json.dumps(unknown)}")
    assert "nonsense" in house.ask(f"check webmail.nginx {json.dumps({'nginx.conf': 'nonsense;'})}")
    # A certificate that is not there, which only a start would have told of others.
    missing = {"../certificates.web/fullchain.pem": ""}
    assert "fullchain.pem" in house.ask(f"check webmail.nginx {json.dumps(missing)}")
    # A validator passes this; the shadow start does not.
    late = {"start.sh": "echo it ends at once\nexit 3\n"}
    assert house.ask(f"check webmail.php {json.dumps(late)}") == ""
    assert "it ends at once" in house.ask(f"shadow webmail.php {json.dumps(late)}")


def test_php_comes_back_after_it_was_killed(house: House) -> None:
    number = int(house.here("/run/gerbang-programs/webmail.php/php.pid").read_text())
    house.ask(f"kill {number}")
    deadline = time.monotonic() + 60
    while house.ask("probe") or not any("webmail.php ready" in one for one in house.ask("status")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert int(house.here("/run/gerbang-programs/webmail.php/php.pid").read_text()) != number
