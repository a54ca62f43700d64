"""The health of mail as commands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from appliance.commit.results import Diagnosis
from appliance.contract.commands import query, work
from appliance.contract.context import Context, Progress
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.mail.health_model import DaemonRow, Health, MailLogAsked, Probed, ProbeResult
from appliance.services.mail.operations_asking import POSTMASTER, asked, fitting

__all__ = ["mail_health", "mail_log", "mail_probe"]

CERTIFICATE = "mail"
_OURS = ("mail.", "dns.", "certificates.", "webmail.")


@query(POSTMASTER, name="health")
def mail_health(context: Context) -> Health:
    """Show how mail stands: daemons, queue, disk, virus signatures, certificate, the last snapshot."""
    told = asked(context, "health")
    page = told["queue"] or {"queues": {}, "oldest": None}
    queues = page["queues"]
    signatures = told["signatures"] or {"said": "", "days": None}
    stamps = asked(context, "snapshots")
    return Health(
        daemons=tuple(_daemon(context, one) for one in context.appliance.machine.status() if _mails(one.program)),
        queued=sum(queues.values()) if told["queue"] else None,
        deferred=queues.get("deferred", 0),
        held=queues.get("hold", 0),
        oldest=_moment(context, page["oldest"]),
        room=told["room"],
        size=told["size"],
        files_left=told["files_left"],
        logs=told["logs"],
        signatures=fitting(signatures["said"]),
        signature_days=signatures["days"],
        certificate_days=_certificate_days(context),
        last_snapshot=_made_at(context, stamps[0]["stamp"]) if stamps else None,
    )


def _mails(program: str) -> bool:
    return program.startswith("mail.")


def _daemon(context: Context, one: Any) -> DaemonRow:
    return DaemonRow(
        program=one.program,
        state=one.state,
        since=_moment(context, one.since or None),
        restarts=one.restarts,
        said=fitting(one.said[-300:]),
    )


def _certificate_days(context: Context) -> int | None:
    from sqlalchemy import select

    from appliance.services.certificates.listings import days_left
    from appliance.services.certificates.tables import CERTIFICATES

    end = context.connection.execute(
        select(CERTIFICATES.c.ends).where(CERTIFICATES.c.name == CERTIFICATE)
    ).scalar_one_or_none()
    return None if end is None else days_left(end, context.now)


@query(POSTMASTER, name="log")
def mail_log(context: Context, wanted: MailLogAsked) -> tuple[str, ...]:
    """Show the last lines of a daemon's log, without secrets."""
    lines = asked(context, "log", wanted.search, daemon=wanted.daemon.value, lines=wanted.lines)
    return tuple(fitting(line) for line in lines)


@work(POSTMASTER, name="probe")
def mail_probe(context: Context) -> Probed:
    """Send a test virus and a message to the postmaster, and probe every component of mail."""
    from appliance.services.mail.described import describe

    with context.reading() as connection:
        described = describe(connection)
    if described is None:
        raise Refused(_("the settings of mail were never set"))
    context.tell(Progress(done=0, total=2, doing=_("components")))
    findings = _findings(context)
    context.tell(Progress(done=1, total=2, doing=_("messages")))
    told = asked(context, "probe", host=described.host, domain=described.domain, postmaster=described.postmaster)
    probed = Probed(
        virus=ProbeResult(fine=told["virus"]["fine"], said=fitting(told["virus"]["said"])),
        round=ProbeResult(fine=told["round"]["fine"], said=fitting(told["round"]["said"])),
        findings=findings,
    )
    with context.writing("probe", {"virus": probed.virus.fine, "round": probed.round.fine}):
        pass
    return probed


def _findings(context: Context) -> tuple[str, ...]:
    diagnosis: Diagnosis = context.appliance.commits.diagnose()
    return tuple(fitting(str(one)) for one in diagnosis.findings if one.component.startswith(_OURS))


def _moment(context: Context, at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).astimezone(context.zone)


def _made_at(context: Context, stamp: str) -> datetime:
    return datetime.strptime(stamp[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(context.zone)
