"""The trace in words: one sentence for each outcome, a few words for each step."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.language import _
from appliance.services.mail.tracing_event import Step
from appliance.services.mail.tracing_verdict import Verdict

__all__ = ["OUTCOMES", "STEPS"]

OUTCOMES: Mapping[str, str] = {
    Verdict.DELIVERED: _("{recipient}: delivered at {at}; it lies in {folder}"),
    Verdict.SENT: _("{recipient}: handed over at {at} to {where}: {reason}"),
    Verdict.FORWARDED: _("{recipient}: sent on at {at} by the reader's own rules to {reason}"),
    Verdict.DISCARDED: _("{recipient}: thrown away at {at} by the reader's own rules"),
    Verdict.EXPUNGED: _("{recipient}: delivered, and deleted by {who} at {at} from {folder}"),
    Verdict.ON_ITS_WAY: _("on its way since {at}"),
    Verdict.POSTPONED: _("{recipient}: not taken yet at {at}; its sender tries again: {reason}"),
    Verdict.WAITS: _("{recipient}: waits in the queue, last tried at {at}: {reason}"),
    Verdict.HELD: _("held in the queue since {at}"),
    Verdict.REMOVED: _("deleted from the queue by the postmaster at {at}"),
    Verdict.NOT_STORED: _("{recipient}: not put into the mailbox at {at}: {reason}"),
    Verdict.BOUNCED: _("{recipient}: sent back at {at}: {reason}"),
    Verdict.REFUSED: _("{recipient}: refused at {at}: {reason}"),
    Verdict.VIRUS: _("{recipient}: refused at {at}, because it carries the virus {reason}"),
}
STEPS: Mapping[str, str] = {
    Step.ACCEPTED: _("taken from {where} {who}"),
    Step.SUBMITTED: _("put in the queue on the server"),
    Step.LIMITED: _("the sender's limits were looked at"),
    Step.SUBJECT: _("the hash of the subject was written down"),
    Step.IDENTIFIED: _("has the id {message_id}"),
    Step.FILTERED: _("filter: {where}, score {score} {virus}"),
    Step.REFUSED: _("refused for {recipient}: {reason}"),
    Step.POSTPONED: _("not taken now for {recipient}: {reason}"),
    Step.QUEUED: _("to be delivered, {noted} bytes"),
    Step.HELD: _("held in the queue {reason}"),
    Step.RELEASED: _("released"),
    Step.REQUEUED: _("put in the queue anew"),
    Step.STORED: _("into the folder {folder} of {who}"),
    Step.DISCARDED: _("thrown away by the rules of {who}"),
    Step.FORWARDED: _("sent on by the rules of {who} to {recipient}"),
    Step.ANSWERED: _("answered by the rules of {who}"),
    Step.NOT_STORED: _("not put into the mailbox of {who}: {reason}"),
    Step.DELIVERED: _("delivered to {recipient} by {where}"),
    Step.DEFERRED: _("not delivered yet to {recipient}: {reason}"),
    Step.BOUNCED: _("cannot be delivered to {recipient}: {reason}"),
    Step.EXPIRED: _("has waited too long"),
    Step.NOTIFIED: _("the {who} was told: message {linked}"),
    Step.WARNED: _("the {who} was told that it waits: message {linked}"),
    Step.REMOVED: _("deleted from the queue"),
    Step.DONE: _("has left the queue"),
    Step.COPIED: _("{who} has copied it from {source} to {folder}"),
    Step.MARKED: _("{who} has marked it as deleted in {folder}"),
    Step.EXPUNGED: _("{who} has deleted it from {folder}"),
    Step.FETCHED: _("{who} has fetched {noted} messages by POP3"),
}
