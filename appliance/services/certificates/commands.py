"""What a keeper does with certificates: issue, renew, replace, install one from elsewhere, remove."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import RowMapping, delete

from appliance.contract.commands import change, query
from appliance.contract.context import Context
from appliance.contract.refusals import InUse, RuleBroken
from appliance.contract.timed import Every, Timed
from appliance.language import _
from appliance.services.certificates.authorities import authority, export_authority, replace_authority, revocation_list
from appliance.services.certificates.elsewhere import judged
from appliance.services.certificates.issuing import certificate_row, put, revoke, told
from appliance.services.certificates.issuing import issue as issue_by_authority
from appliance.services.certificates.issuing import renew as renew_row
from appliance.services.certificates.issuing import replace_key as replace_key_of
from appliance.services.certificates.listings import LISTINGS, row_kept, rows_shown, users_of
from appliance.services.certificates.model import (
    KEEPERS,
    CertificateFiles,
    CertificateKept,
    CertificateRow,
    CertificateTexts,
    Named,
    NewCertificate,
    Reason,
    Removed,
    Renewal,
    RenewalWish,
    Replaced,
    Shown,
    Source,
)
from appliance.services.certificates.renewing import anything_to_do, renew_due
from appliance.services.certificates.tables import CERTIFICATES
from appliance.store.rows import change_row, row_of

__all__ = [
    "LISTINGS",
    "TIMED",
    "authority",
    "export_authority",
    "install",
    "install_files",
    "issue",
    "overview",
    "remove",
    "renew",
    "renew_due",
    "replace_authority",
    "replace_key",
    "revocation_list",
    "show",
]

TIMED = (
    Timed(
        command="renew-due",
        # Until it is done: a commit may have to wait for somebody.
        when=Every(hours=1),
        wanted=anything_to_do,
        arguments=RenewalWish(commit=True),
        also=frozenset({"machine.administrator"}),
        # What was renewed and not committed serves nobody.
        complaint=lambda renewed: renewed.remark,
    ),
)
LARGEST = 64_000
"""Bytes of a file that could be a key or a chain."""


@query(*KEEPERS)
def overview(context: Context) -> tuple[CertificateRow, ...]:
    """List the certificates with the days that they are still good, the next to end first."""
    return rows_shown(context)


@query(*KEEPERS)
def show(context: Context, named: Named) -> Shown:
    """Show a certificate and its chain as PEM, without the key."""
    row = row_of(context, CERTIFICATES, "name", named.name, "certificate")
    return Shown(name=row["name"], certificate=row["certificate"], chain=row["chain"])


@change(*KEEPERS)
def issue(context: Context, wish: NewCertificate) -> CertificateKept:
    """Issue a certificate by the own authority, or issue one again for other names."""
    issue_by_authority(context, wish.name, wish.names, wish.purpose)
    return _kept(context, wish.name)


@change(*KEEPERS)
def renew(context: Context, renewal: Renewal) -> CertificateKept:
    """Renew a certificate of the own authority, with the key that it has."""
    renew_row(context, _seen(context, renewal.name, renewal.version))
    return _kept(context, renewal.name)


@change(*KEEPERS)
def replace_key(context: Context, replaced: Replaced) -> CertificateKept:
    """Revoke a certificate of the own authority, and issue it again with a new key."""
    replace_key_of(context, _seen(context, replaced.name, replaced.version), replaced.reason)
    return _kept(context, replaced.name)


@change(*KEEPERS)
def install(context: Context, sent: CertificateTexts) -> CertificateKept:
    """Install a certificate from elsewhere with its key, as PEM texts.

    It is judged as clients do it before it is kept: expired, of another key, for
    other names, or without what leads to its root, it is refused and nothing
    changes. From a JSON text on the standard input, so that the key stands in no
    list of processes::

        gerbang call certificates.install --json - < certificate.json

    Hooks of ACME clients send files: see ``install-files``.
    """
    _keep(context, sent)
    return _kept(context, sent.name)


@change(*KEEPERS)
def install_files(context: Context, sent: CertificateFiles) -> CertificateKept:
    """Install a certificate from elsewhere with its key, from files: the hook of ACME clients.

    The files are read and not kept. certbot, as ``/etc/letsencrypt/renewal-hooks/deploy/gerbang``
    (https://eff-certbot.readthedocs.io, "Renewing certificates")::

        #!/bin/sh
        gerbang call certificates.install-files --name web \\
            --upload certificate="$RENEWED_LINEAGE/fullchain.pem" --upload key="$RENEWED_LINEAGE/privkey.pem" &&
        gerbang call machine.commit --note 'renewed web' --confirm-within 0

    lego, whose file of the certificate holds the chain too: ``lego … renew --renew-hook`` (``--deploy-hook`` of
    later versions) with the same two lines, and ``certificate="$LEGO_CERT_PATH"`` ``key="$LEGO_CERT_KEY_PATH"``.

    acme.sh: ``acme.sh --install-cert -d www.example.org --reloadcmd '…'`` with the same two lines, and
    ``certificate="$CERT_FULLCHAIN_PATH"`` ``key="$CERT_KEY_PATH"``.
    """
    texts = CertificateTexts(
        name=sent.name,
        certificate=_text_of(context, sent.certificate, "certificate"),
        key=_text_of(context, sent.key, "key"),
        chain=_text_of(context, sent.chain, "chain") if sent.chain else "",
        names=sent.names,
        purpose=sent.purpose,
    )
    _keep(context, texts)
    return _kept(context, sent.name)


@change(*KEEPERS)
def remove(context: Context, removed: Removed) -> None:
    """Remove a certificate that no component uses; one of the own authority is revoked."""
    row = _seen(context, removed.name, removed.version)
    if users := users_of(context).get(f"certificates.{removed.name}"):
        raise InUse("certificate", removed.name, len(users), ", ".join(users))
    if row["source"] is Source.OWN:
        revoke(context, removed.name, Reason.CESSATION_OF_OPERATION)
    context.connection.execute(delete(CERTIFICATES).where(CERTIFICATES.c.id == row["id"]))
    told(context, removed.name)


def _keep(context: Context, sent: CertificateTexts) -> None:
    """In place of the one of its name, for the same names unless it says others; the own authority's is given up."""
    row = certificate_row(context, sent.name)
    kept = judged(sent, sent.names or (tuple(row["names"]) if row is not None else ()))
    if row is not None and row["source"] is Source.OWN:
        revoke(context, sent.name, Reason.SUPERSEDED)
    put(context, kept)


def _text_of(context: Context, number: str, field: str) -> str:
    """What stands in a file that was sent. It goes with the change; when that is undone, it is the sender's again."""
    claimed = context.claim_file(number)
    context.appliance.store.when_kept(_unlink, claimed.path)
    if claimed.size > LARGEST:
        raise RuleBroken(_("the file is too large for a certificate or a key"), field=field)
    try:
        return claimed.content().decode()
    except UnicodeDecodeError:
        raise RuleBroken(_("the file is no PEM text"), field=field) from None


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _seen(context: Context, name: str, version: int) -> RowMapping:
    """The row, if nobody has changed it since; raises Conflict and NotFound."""
    change_row(context, CERTIFICATES, "name", name, version, {}, "certificate")
    return row_of(context, CERTIFICATES, "name", name, "certificate")


def _kept(context: Context, name: str) -> CertificateKept:
    return row_kept(context, row_of(context, CERTIFICATES, "name", name, "certificate"))
