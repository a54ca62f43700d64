"""What the limits answer to Postfix: the policy, pure but for the counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.services.mail.limits_counts import Allowance, Counts
from appliance.services.mail.submissions import EndedSubmissions

__all__ = ["Rules", "answer", "ended_right", "read_rules"]

FINE = "DUNNO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is allowed to whom."""

    accounts: Mapping[str, Allowance]
    """By login."""
    guards: Mapping[str, frozenset[str] | None]
    """By address: the logins that may write to it, or None for all."""
    recipients_per_message: int
    """0: no limit."""
    postmaster: str
    """Whom to ask."""
    seconds: float


def read_rules(files: Path) -> Rules:
    """From ``policy.json`` of the own folder and ``limits.json`` of that of the accounts. Raises OSError, ValueError,
    KeyError, TypeError."""
    policy = json.loads((files / "policy.json").read_text(encoding="utf-8"))
    # Opened as it is: the folder is a link, and ``..`` is of what it leads to.
    with open(f"{files}/../mail.accounts/limits.json", encoding="utf-8") as file:
        limits = json.load(file)
    return Rules(
        accounts={login: Allowance(**allowed) for login, allowed in limits["accounts"].items()},
        guards={name: None if logins is None else frozenset(logins) for name, logins in limits["guards"].items()},
        recipients_per_message=int(policy["recipients_per_message"]),
        postmaster=str(policy["postmaster"]),
        seconds=float(policy["seconds"]),
    )


def answer(request: Mapping[str, str], rules: Rules, counts: Counts, now: float) -> str:
    """The action of access(5) for a request of SMTPD_POLICY_README."""
    login = _login(request.get("sasl_username", ""))
    state = request.get("protocol_state", "")
    if state == "RCPT":
        return _recipient(login, request.get("recipient", ""), rules)
    if state in {"DATA", "BDAT", "END-OF-MESSAGE"}:
        return _message(login, int(request.get("recipient_count") or 0), rules, counts, now)
    return FINE


def ended_right(request: Mapping[str, str], ended: EndedSubmissions) -> str:
    """The action that ends a session whose login has lost its right since; empty: it has not."""
    login = _login(request.get("sasl_username", ""))
    if not ended.has(login, request.get("client_address", ""), request.get("client_port", "")):
        return ""
    return (
        f"421 4.7.0 The right of {login} to be logged in has ended, please log in again."
        " / Sesi ini sudah berakhir, silakan masuk lagi."
    )


def _login(name: str) -> str:
    """As Dovecot names it (``auth_username_format = %Ln``)."""
    return name.partition("@")[0].lower()


def _recipient(login: str, recipient: str, rules: Rules) -> str:
    # Postfix delivers to ``list@domain.`` as well, but tells us what the client said.
    local, _, domain = recipient.lower().rstrip(".").rpartition("@")
    guarded = f"{local.partition('+')[0]}@{domain}"
    if guarded not in rules.guards:
        return FINE
    allowed = rules.guards[guarded]
    if login and (allowed is None or login in allowed):
        return FINE
    return f"REJECT 5.7.2 You may not write to the list {guarded}. / Anda tidak boleh menulis ke milis {guarded}."


def _message(login: str, recipients: int, rules: Rules, counts: Counts, now: float) -> str:
    allowance = rules.accounts.get(login)
    if allowance is None:
        return f"REJECT 5.7.1 The account {login or 'of nobody'} may not send. Ask {rules.postmaster}."
    most = min((one for one in (rules.recipients_per_message, allowance.recipients) if one), default=0)
    if most and recipients > most:
        return f"REJECT 5.5.3 One mail may go to {most} recipients, this one has {recipients}. Ask {rules.postmaster}."
    broken = counts.take(login, recipients, allowance, now)
    if not broken:
        return FINE
    limit = allowance.messages if broken == "messages" else allowance.recipients
    return (
        f"DEFER_IF_PERMIT 4.7.1 {login} may send {limit} {broken} in {_time(rules.seconds)}, and has done so."
        f" Try again later, or ask {rules.postmaster}. / Batas kirim tercapai, coba lagi nanti."
    )


def _time(seconds: float) -> str:
    return "an hour" if seconds == 3600 else f"{seconds:g} seconds"
