"""Lines of real daemons as events, and events as traces."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from appliance.services.mail import tracing_dovecot, tracing_postfix, tracing_rspamd
from appliance.services.mail.tracing_event import Event, Step, moment_of
from appliance.services.mail.tracing_linking import Trace, traces_of
from appliance.services.mail.tracing_verdict import Verdict, outcomes_of, verdict_of

DELIVERED = """\
postfix/smtpd[149]: 451442582D5: client=localhost[127.0.0.1], sasl_method=PLAIN, sasl_username=siti
postfix/cleanup[152]: 451442582D5: message-id=<list@rssulsel.com>
postfix/qmgr[146]: 451442582D5: from=<siti@rssulsel.com>, size=426, nrcpt=2 (queue active)
postfix/lmtp[153]: 451442582D5: to=<budi@rssulsel.com>, orig_to=<nurses@rssulsel.com>, relay=mail.rssulsel.com[/run/lmtp], delay=0.02, delays=0/0/0.01/0.01, dsn=2.0.0, status=sent (250 2.0.0 <budi@rssulsel.com> GDGgEZjTA2ubAAAAg+zDdQ Saved)
postfix/lmtp[153]: 451442582D5: to=<siti@rssulsel.com>, orig_to=<nurses@rssulsel.com>, relay=mail.rssulsel.com[/run/lmtp], delay=0.02, delays=0/0/0.01/0.01, dsn=2.0.0, status=sent (250 2.0.0 <siti@rssulsel.com> GDGgEZjTA2ubAAAAg+zDdQ:R2 Saved)
postfix/qmgr[146]: 451442582D5: removed
lmtp(budi)<155><GDGgEZjTA2ubAAAAg+zDdQ>: Info: msgid=<list@rssulsel.com>, from=siti@rssulsel.com, size=593: saved mail to INBOX
lmtp(siti)<155><GDGgEZjTA2ubAAAAg+zDdQ:R2>: Info: sieve: msgid=<list@rssulsel.com>: fileinto action: stored mail into mailbox 'Wards'
imap(budi)<216><ttmmI+tgtMV/AAAB>: Info: expunge: box=INBOX, uid=2, msgid=<list@rssulsel.com>, size=593, from=siti@rssulsel.com, flags=(\\Deleted)
pop3(siti)<218><DIinI+tgNOh/AAAB>: Info: Disconnected: Logged out top=0/0, retr=1/627, del=0/1, size=611
"""  # noqa: E501
BOUNCED = """\
postfix/smtpd[149]: AA11442582D5: client=localhost[127.0.0.1]
postfix/cleanup[152]: AA11442582D5: message-id=<gone@rssulsel.com>
postfix/qmgr[146]: AA11442582D5: from=<siti@rssulsel.com>, size=420, nrcpt=1 (queue active)
postfix/smtp[162]: AA11442582D5: to=<y@gone.example>, relay=none, delay=0, delays=0/0/0/0, dsn=5.4.4, status=bounced (Host or domain name not found. Name service error for name=gone.example type=A: Host not found)
postfix/cleanup[152]: BB11442582D5: message-id=<20261123054808.BB11442582D5@mail.rssulsel.com>
postfix/bounce[170]: AA11442582D5: sender non-delivery notification: BB11442582D5
postfix/qmgr[146]: BB11442582D5: from=<>, size=2420, nrcpt=1 (queue active)
postfix/qmgr[146]: AA11442582D5: removed
postfix/lmtp[153]: BB11442582D5: to=<siti@rssulsel.com>, relay=mail.rssulsel.com[/run/lmtp], delay=0.02, delays=0/0/0.01/0.01, dsn=2.0.0, status=sent (250 2.0.0 <siti@rssulsel.com> QQGgEZjTA2ubAAAAg+zDdQ Saved)
postfix/qmgr[146]: BB11442582D5: removed
"""  # noqa: E501
STUCK = """\
postfix/smtpd[149]: 693042582D5: client=localhost[127.0.0.1]
postfix/cleanup[152]: 693042582D5: message-id=<stuck@rssulsel.com>
postfix/qmgr[146]: 693042582D5: from=<siti@rssulsel.com>, size=419, nrcpt=1 (queue active)
postfix/smtp[162]: 693042582D5: to=<x@stuck.example>, relay=none, delay=0.02, delays=0/0.01/0/0, dsn=4.4.1, status=deferred (connect to 127.0.0.1[127.0.0.1]:9: Connection refused)
postfix/postsuper[265]: 693042582D5: placed on hold
postfix/postsuper[267]: 693042582D5: released from hold
postfix/postsuper[269]: 693042582D5: requeued
postfix/pickup[145]: 6A22425830E: uid=103 from=<siti@rssulsel.com> orig_id=693042582D5
postfix/cleanup[152]: 6A22425830E: message-id=<stuck@rssulsel.com>
postfix/qmgr[146]: 6A22425830E: from=<siti@rssulsel.com>, size=534, nrcpt=1 (queue active)
postfix/smtp[162]: 6A22425830E: to=<x@stuck.example>, relay=none, delay=5, delays=5/0/0/0, dsn=4.4.1, status=deferred (connect to 127.0.0.1[127.0.0.1]:9: Connection refused)
"""  # noqa: E501
VIRUS = """\
postfix/submission/smtpd[149]: CC042582D5A: client=pc[192.168.10.7], sasl_method=PLAIN, sasl_username=siti
postfix/cleanup[152]: CC042582D5A: message-id=<eicar@rssulsel.com>
(rspamd_proxy) <a1b2c3>; lua; main.lua:30: gerbang-trace: {"action":"reject","from":"siti@rssulsel.com","ip":"192.168.10.7","message_id":"eicar@rssulsel.com","queue_id":"CC042582D5A","recipients":1,"score":0,"size":420,"symbols":["GERBANG_VIRUS"],"user":"siti","virus":"Eicar-Test-Signature"}
(rspamd_proxy) <a1b2c3>; lua; main.lua:31: gerbang-subject: CC042582D5A 0123456789abcdef0123456789abcdef
postfix/cleanup[152]: CC042582D5A: milter-reject: END-OF-MESSAGE from pc[192.168.10.7]: 5.7.1 The message carries the virus Eicar-Test-Signature; from=<siti@rssulsel.com> to=<budi@rssulsel.com> proto=ESMTP helo=<pc>
"""  # noqa: E501
REFUSED = """\
postfix/smtpd[149]: NOQUEUE: reject: RCPT from localhost[127.0.0.1]: 550 5.1.1 <nobody@rssulsel.com>: Recipient address rejected: User unknown in virtual mailbox table; from=<siti@rssulsel.com> to=<nobody@rssulsel.com> proto=ESMTP helo=<vm>
"""  # noqa: E501
RULES = """\
postfix/smtpd[149]: DD042582D5A: client=localhost[127.0.0.1]
postfix/cleanup[152]: DD042582D5A: message-id=<rules@rssulsel.com>
postfix/qmgr[146]: DD042582D5A: from=<siti@rssulsel.com>, size=419, nrcpt=1 (queue active)
postfix/lmtp[153]: DD042582D5A: to=<budi@rssulsel.com>, relay=mail[/run/lmtp], delay=0.02, delays=0/0/0.01/0.01, dsn=2.0.0, status=sent (250 2.0.0 <budi@rssulsel.com> RRGgEZjTA2ubAAAAg+zDdQ Saved)
postfix/qmgr[146]: DD042582D5A: removed
lmtp(budi)<168><RRGgEZjTA2ubAAAAg+zDdQ>: Info: sieve: msgid=<rules@rssulsel.com>: discard action: Marked message to be discarded if not explicitly delivered (discard action)
"""  # noqa: E501
NOISE = """\
postfix/smtpd[149]: connect from localhost[127.0.0.1]
postfix/smtpd[149]: disconnect from localhost[127.0.0.1] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5
postfix/smtp[162]: connect to 127.0.0.1[127.0.0.1]:9: Connection refused
postfix/postsuper[265]: Placed on hold: 1 message
postfix/master[143]: daemon started -- version 3.7.11, configuration /etc/postfix
imap-login: Info: Login: user=<budi>, method=PLAIN, rip=127.0.0.1, lip=127.0.0.1, mpid=216, secured, session=<ttmmI>
lmtp(155): Info: Disconnect from local: Logged out (state=READY)
"""
MESSAGES = (DELIVERED, BOUNCED, STUCK, VIRUS, REFUSED, RULES)


def event_of(line: str, at: float = 1_000.0) -> Event | None:
    for reader in (tracing_postfix, tracing_dovecot, tracing_rspamd):
        if (event := reader.event_of(f"Nov 23 05:48:08 mail {line}", at)) is not None:
            return event
    return None


def events_of(text: str) -> list[Event]:
    return [event for line in text.splitlines() if (event := event_of(line)) is not None]


def only(text: str) -> Trace:
    (trace,) = traces_of(events_of(text))
    return trace


def test_what_is_no_message_is_passed_over() -> None:
    assert events_of(NOISE) == []


def test_every_line_of_a_message_is_read() -> None:
    for text in MESSAGES:
        assert len(events_of(text)) == len(text.splitlines()), text


@given(st.text())
def test_no_line_makes_a_parser_fall(line: str) -> None:
    for reader in (tracing_postfix, tracing_dovecot, tracing_rspamd):
        for before in ("", "postfix/smtp[1]: 4F2A14F2A1: ", "gerbang-trace: {", "lmtp(a)<1><b>: Info: "):
            reader.event_of(before + line, 0.0)


def test_a_list_is_one_trace_with_an_outcome_for_each_member() -> None:
    trace = only(DELIVERED)
    budi, siti = outcomes_of(trace)
    assert (budi.verdict, budi.who, budi.folder, budi.original) == (
        Verdict.EXPUNGED, "budi", "INBOX", "nurses@rssulsel.com")  # fmt: skip
    assert (siti.verdict, siti.folder) == (Verdict.DELIVERED, "Wards")
    assert trace.sender == "siti@rssulsel.com"


def test_mail_that_was_fetched_says_so() -> None:
    text = DELIVERED.replace("'Wards'", "'INBOX'")
    fetched = [event for event in only(text).events if event.step is Step.FETCHED]
    assert [(event.who, event.noted) for event in fetched] == [("siti", 1)]


def test_a_bounce_is_in_the_trace_of_its_message_and_no_outcome_of_it() -> None:
    trace = only(BOUNCED)
    assert trace.queue_ids == ("AA11442582D5", "BB11442582D5")
    (outcome,) = outcomes_of(trace)
    assert (outcome.verdict, outcome.recipient) == (Verdict.BOUNCED, "y@gone.example")
    assert "Host not found" in outcome.reason


def test_what_was_put_in_the_queue_anew_is_the_same_message() -> None:
    trace = only(STUCK)
    assert trace.queue_ids == ("693042582D5", "6A22425830E")
    (outcome,) = outcomes_of(trace)
    assert (outcome.verdict, outcome.recipient) == (Verdict.WAITS, "x@stuck.example")
    assert "Connection refused" in outcome.reason


def test_what_is_held_is_said_to_be_held() -> None:
    (outcome,) = outcomes_of(only("\n".join(STUCK.splitlines()[:5])))
    assert outcome.verdict is Verdict.HELD


def test_a_virus_is_named_and_the_filter_is_a_step() -> None:
    trace = only(VIRUS)
    verdict = verdict_of(outcomes_of(trace))
    assert verdict is not None
    assert (verdict.verdict, verdict.reason, verdict.recipient) == (
        Verdict.VIRUS, "Eicar-Test-Signature", "budi@rssulsel.com")  # fmt: skip
    filtered = next(event for event in trace.events if event.step is Step.FILTERED)
    assert (filtered.where, filtered.virus) == ("reject", "Eicar-Test-Signature")
    assert any(event.subject.startswith("0123") for event in trace.events)


def test_rules_of_the_reader_are_told() -> None:
    (outcome,) = outcomes_of(only(RULES))
    assert (outcome.verdict, outcome.who) == (Verdict.DISCARDED, "budi")


def test_a_queue_id_that_is_used_again_is_another_message() -> None:
    again = RULES.replace("<rules@", "<other@").replace("RRGg", "SSGg")
    traces = traces_of(events_of(RULES + again))
    assert sorted(trace.message_id for trace in traces) == ["<other@rssulsel.com>", "<rules@rssulsel.com>"]
    assert all(len(outcomes_of(trace)) == 1 for trace in traces)


@st.composite
def interleaved(draw: st.DrawFn) -> str:
    """The lines of several messages, each in its order, and noise between them."""
    left = [text.splitlines() for text in draw(st.permutations([*MESSAGES, NOISE]))]
    lines = []
    while left:
        one = left[draw(st.integers(0, len(left) - 1))]
        lines.append(one.pop(0))
        left = [each for each in left if each]
    return "\n".join(lines)


def _told(traces: list[Trace]) -> set[tuple[frozenset[Event], tuple[object, ...]]]:
    return {(frozenset(trace.events), outcomes_of(trace)) for trace in traces}


@given(interleaved())
def test_the_lines_of_other_messages_change_nothing(text: str) -> None:
    alone = {told for one in MESSAGES for told in _told(traces_of(_without_fetching(one)))}
    assert _told(traces_of(_without_fetching(text))) == alone


def _without_fetching(text: str) -> list[Event]:
    """That a reader has fetched something is told of each message that he had then."""
    return [event for event in events_of(text) if event.step is not Step.FETCHED]


def test_a_time_without_a_year_is_of_the_last_one_that_fits() -> None:
    written = time.mktime((2026, 1, 2, 3, 0, 0, 0, 0, -1))
    at = moment_of("Dec 31 23:59:59 mail postfix", written)
    assert at == time.mktime((2025, 12, 31, 23, 59, 59, 0, 0, -1))
    assert moment_of("Jan  2 02:59:59 mail", written) == time.mktime((2026, 1, 2, 2, 59, 59, 0, 0, -1))


def test_a_time_with_its_zone_is_that_moment() -> None:
    wanted = datetime(2026, 11, 22, 22, 40, 4, tzinfo=UTC).timestamp()
    for text in ("2026-11-23T05:40:04+0700 x", "2026-11-23T05:40:04+07:00", "2026-11-22 22:40:04Z"):
        assert moment_of(text, 0.0) == wanted
    assert moment_of("no time at all", wanted) is None


def test_words_of_an_outcome_have_all_their_values() -> None:
    from appliance.services.mail.trace_words import OUTCOMES, STEPS

    fields = {*Event._fields, "at"}
    for templates, known in ((STEPS, fields), (OUTCOMES, {"recipient", "at", "folder", "who", "reason", "where"})):
        for template in templates.values():
            assert set(re.findall(r"\{(\w+)\}", template)) <= known
    assert set(OUTCOMES) == set(Verdict)
    assert set(STEPS) == set(Step)


def test_dovecot_2_4_names_the_mailbox_first():
    """Its lines, as 2.4.1 wrote them."""
    line = "imap(budi)<198><miKqMOxgNevAqAoL>: Info: Mailbox {}: {}, uid=1, msgid=<a@ward.example>, size=717"
    copied = event_of(line.format("Archive", "copy from INBOX: box=Archive"))
    assert copied is not None
    assert (copied.step, copied.source, copied.folder, copied.noted) == (Step.COPIED, "INBOX", "Archive", 717)
    gone = event_of(line.format("A: b", "expunge: box=A: b"))
    assert gone is not None
    assert (gone.step, gone.folder, gone.message_id, gone.who) == (Step.EXPUNGED, "A: b", "<a@ward.example>", "budi")
