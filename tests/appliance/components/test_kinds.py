"""Each kind of component: what it verifies, renders, does and probes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from appliance.commit.keeping import Kept, Kinds, KindUnknown
from appliance.components import standard_kinds
from appliance.components.agreements import Accounts, DnsRecord, DnsRecords, account, dns_record
from appliance.components.backup import BackupSet
from appliance.components.check import Check
from appliance.components.config_files import ConfigFile, ConfigFiles
from appliance.components.daemon import Daemon
from appliance.contract.components import Finding, Severity
from appliance.contract.programs import Program, Ready, State, Status
from appliance.contract.records import record


class Recording:
    """A machine that says what it is told to say."""

    def __init__(self, state: State = State.READY, check: str = "", shadow: str = "") -> None:
        self.state, self.checked, self.shadowed = state, check, shadow
        self.did: list[object] = []

    def start(self, program, files):
        self.did.append(("start", program, files))
        return Status(program=program, state=self.state, said="my last words")

    def stop(self, program):
        self.did.append(("stop", program))
        return Status(program=program, state=State.STOPPED)

    def check(self, program, files):
        self.did.append(("check", program, files))
        return self.checked

    def shadow(self, program, files):
        self.did.append(("shadow", program, files))
        return self.shadowed

    def status(self):
        return (Status(program="mail.postfix", state=self.state, said="my last words"),)


LOOKED: list[Path] = []


def passes_at_the_third_look(files, machine):
    LOOKED.append(files)
    if len(LOOKED) >= 3:
        return ()
    return (Finding(component="x", severity=Severity.ERROR, template="not yet"),)


def postfix(**more) -> Daemon:
    check = ("postfix", "check")
    ready = Ready(tcp=("127.0.0.1", 25))
    return Daemon(program=Program(name="mail.postfix", command=("postfix",), check=check, ready=ready), **more)


def test_a_daemon_follows_those_whose_files_it_reads():
    program = Program(name="mail.postfix", command=("postfix",), reads=("mail.certificate", "mail.maps"))
    named = {"mail.certificate": Check(name="mail.certificate", requires=(), probes=())}
    alone = Daemon(program=program)
    assert said(alone.verify(named)) == ["mail.postfix: reads the files of mail.certificate and does not follow it"]
    assert alone.verify({}) == ()
    both = ("mail.certificate",)
    assert Daemon(program=program, after=both, follows=both).verify(named) == ()


@pytest.fixture
def template(tmp_path) -> Path:
    path = tmp_path / "main.cf.j2"
    path.write_text("myhostname = {{ name }}\n{% if relay %}\nrelayhost = {{ relay }}\n{% endif %}\n")
    return path


def config(template: Path, **values: object) -> ConfigFiles:
    file = ConfigFile(template=str(template), path="main.cf", mode=0o600, secret=True)
    return ConfigFiles(name="mail.config", files=(file,), values=values)


def said(findings) -> list[str]:
    return [str(finding) for finding in findings]


def test_files_are_rendered_with_their_modes_and_values(template, tmp_path):
    (file,) = config(template, name="mail", relay="").render()
    assert (file.path, file.content, file.mode, file.secret) == ("main.cf", b"myhostname = mail\n", 0o600, True)
    assert said(config(template).probe(tmp_path, Recording())) == ["mail.config: main.cf is not there"]


def test_a_value_that_is_missing_is_an_error_and_never_an_empty_word(template):
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError, match="'relay' is undefined"):
        config(template, name="mail").render()


def test_a_template_that_is_missing_or_broken_is_found(tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("one\n{% if %}\n")
    assert said(config(broken).verify({})) == [
        f"mail.config: {broken}:2: Expected an expression, got 'end of statement block'"
    ]
    assert said(config(Path("mail/none.j2")).verify({})) == ["mail.config: there is no template mail/none.j2"]
    assert said(config(Path("../pyproject.toml")).verify({})) == ["mail.config: there is no template ../pyproject.toml"]
    assert config(Path("systemd/gerbang-balance-watch@.service")).verify({}) == ()


def test_a_daemon_is_checked_then_started_in_the_shadow(tmp_path):
    machine = Recording()
    assert postfix().preflight(tmp_path, machine) == ()
    assert [verb for verb, *_ in machine.did] == ["check", "shadow"]
    refused = Recording(check="line 3: what?")
    assert said(postfix().preflight(tmp_path, refused)) == [
        "mail.postfix: its validator refuses the configuration: line 3: what?"
    ]
    assert [verb for verb, *_ in refused.did] == ["check"]
    assert "no certificate" in said(postfix().preflight(tmp_path, Recording(shadow="no certificate")))[0]


def test_a_daemon_acts_and_says_why_it_could_not(tmp_path):
    machine = Recording()
    postfix().act(None, tmp_path, machine)
    postfix().act(tmp_path, None, machine)
    assert machine.did == [("start", "mail.postfix", tmp_path), ("stop", "mail.postfix")]
    with pytest.raises(RuntimeError, match=r"mail\.postfix is failed: my last words"):
        postfix().act(None, tmp_path, Recording(State.FAILED))


def test_a_daemon_is_probed_until_it_is_well_or_late(tmp_path):
    LOOKED.clear()
    assert postfix(probes=(passes_at_the_third_look,)).probe(tmp_path, Recording()) == ()
    assert [tmp_path] * 3 == LOOKED
    LOOKED.clear()
    late = postfix(probes=(passes_at_the_third_look,), probe_within=0.0)
    assert said(late.probe(tmp_path, Recording())) == ["x: not yet"]
    LOOKED.clear()
    assert said(late.probe(tmp_path, Recording(State.WAITING))) == ["mail.postfix: it is waiting: my last words"]
    assert LOOKED == []


def test_two_daemons_on_one_port_are_refused():
    other = Daemon(program=Program(name="mail.exim", command=("exim",), ready=Ready(tcp=("127.0.0.1", 25))))
    both = {"mail.exim": other, "mail.postfix": postfix()}
    assert said(postfix().verify(both)) == ["mail.postfix: listens on 127.0.0.1 port 25, and so does mail.exim"]


def test_a_daemon_requires_its_programs_and_more():
    program = Program(name="mail.postfix", command=("x",), requires=("mail.dovecot",))
    assert Daemon(program=program, after=("mail.certificate", "mail.dovecot")).requires == (
        "mail.dovecot",
        "mail.certificate",
    )


def test_mail_needs_records_that_dns_serves():
    needs = DnsRecords(
        name="mail.records",
        records=(
            DnsRecord(name="Example.ORG.", type="mx", value="10  Mail.Example.org."),
            DnsRecord(name="mail.example.org", type="A"),
            DnsRecord(name="example.org", type="TXT", value='"v=spf1 mx -all"'),
        ),
    )

    def served(*records: DnsRecord) -> dict:
        program = Program(name="dns.nsd", command=("nsd",))
        return {"dns.nsd": Daemon(program=program, provides=tuple(dns_record(one) for one in records))}

    mx = DnsRecord(name="example.org", type="MX", value="10 mail.example.org")
    a = DnsRecord(name="MAIL.example.org", type="A", value="192.0.2.1")
    txt = DnsRecord(name="example.org.", type="TXT", value='"v=spf1 mx -all"')
    assert needs.verify(served(mx, a, txt)) == ()
    other = DnsRecord(name="example.org", type="MX", value="10 old.example.org")
    loud = DnsRecord(name="example.org", type="TXT", value='"V=SPF1 MX -ALL"')
    assert said(needs.verify(served(other, loud))) == [
        "mail.records: needs the dns-record MX example.org 10 mail.example.org; dns.nsd provides 10 old.example.org",
        "mail.records: needs the dns-record A mail.example.org, which nobody provides",
        'mail.records: needs the dns-record TXT example.org "v=spf1 mx -all"; dns.nsd provides "V=SPF1 MX -ALL"',
    ]
    assert len(needs.verify({})) == 3


def test_accounts_that_are_used_must_be_there():
    needs = Accounts(name="web.accounts", addresses=("Notices@example.org",))
    there = {"mail.postfix": postfix(provides=(account("notices@Example.org"),))}
    assert needs.verify(there) == ()
    assert len(needs.verify({"mail.postfix": postfix()})) == 1


def test_a_check_names_what_it_requires(tmp_path):
    assert Check(name="mail.round-trip", requires=(), probes=()).verify({})
    LOOKED.clear()
    check = Check(name="c", requires=("mail.postfix",), probes=(passes_at_the_third_look,))
    assert (check.verify({}), check.probe(tmp_path, Recording())) == ((), ())


def test_backup_sets_stay_inside_and_apart(tmp_path):
    mail = BackupSet(name="mail.data", state=str(tmp_path), folders=("mail", "queue"))
    web = BackupSet(name="web.data", state=str(tmp_path), folders=("mail/web", "pages"))
    bad = BackupSet(name="bad", state=str(tmp_path), folders=("../up", "/etc", ""))
    assert len(bad.verify({})) == 3
    assert said(web.verify({"mail.data": mail, "web.data": web})) == [
        "web.data: mail/web is in the backup set mail.data too"
    ]
    (tmp_path / "mail").mkdir()
    assert said(mail.probe(tmp_path, Recording())) == ["mail.data: queue is not there to be backed up"]


def test_every_kind_is_kept_and_made_again(template, tmp_path):
    kinds = Kinds(standard_kinds())
    components = (
        config(template, name="mail", relay="", numbers=[1, 2]),
        postfix(probes=(passes_at_the_third_look,), follows=("c",), provides=(account("a@b"),)),
        Check(name="c", requires=("x",), probes=(passes_at_the_third_look,)),
        Accounts(name="a", addresses=("x@y",)),
        DnsRecords(name="d", records=(DnsRecord(name="x", type="A"),)),
        BackupSet(name="b", state="/state", folders=("x",)),
    )
    for one in components:
        kept = kinds.keep(one)
        assert kinds.restore(kept) == one
        assert kinds.restore(Kept(name=kept.name, kind=kept.kind, value=kept.value)) == one


@record
class Line:
    day: date
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strict:
    """A service's own kind, made of strict records."""

    name: str
    lines: tuple[Line, ...]
    requires: tuple[str, ...] = ()


def test_kinds_made_of_strict_records_are_kept():
    kinds = Kinds((Strict,))
    one = Strict(name="x", lines=(Line(day=date(2026, 1, 2), names=("a", "b")),))
    assert kinds.restore(kinds.keep(one)) == one


def test_what_cannot_be_kept_is_refused_by_name():
    kinds = Kinds(standard_kinds())
    with pytest.raises(KindUnknown, match="is not at the level of its module"):
        kinds.keep(postfix(probes=(lambda files, machine: (),)))
    with pytest.raises(KindUnknown, match="is no kind of component that was announced"):
        Kinds(()).keep(postfix())
    kept = kinds.keep(postfix(probes=(passes_at_the_third_look,)))
    gone = {**kept.value, "probes": ["os.nothing:system"]}
    with pytest.raises(KindUnknown, match="not there any more"):
        kinds.restore(Kept(name="x", kind=kept.kind, value=gone))
    with pytest.raises(KindUnknown, match="which is not installed"):
        kinds.restore(Kept(name="x", kind="os:system", value={}))
