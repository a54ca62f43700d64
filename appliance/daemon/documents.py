"""Documents as the client asks for them, in the language of who reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

from appliance.contract.documents import Document
from appliance.contract.people import Person
from appliance.contract.service import Service
from appliance.daemon.file_paths import disposition
from appliance.services.system.model import Settings
from appliance.store.settings import settings_of

if TYPE_CHECKING:
    from appliance.daemon.parts import Parts

__all__ = ["shown", "template_folders"]


def template_folders(document: Document, services: Iterable[Service], state: Path | None) -> tuple[Path, ...]:
    """Where its template is looked for before ours: what an administrator has put there, and the package of the
    service that the template's name begins with."""
    named = document.template.partition("/")[0]
    found = [one.folder("templates") for one in services if one.name == named]
    own = state / "templates" / "documents" if state is not None else None
    return tuple(one for one in (own, *found) if one is not None and one.is_dir())


def shown(parts: Parts, person: Person, document: Document, media: str) -> Response:
    """The document as text, HTML or PDF."""
    from appliance.documents.rendering import Letterhead, Paper, as_html, as_pdf, as_text, file_name

    with parts.store.reading() as connection:
        settings = settings_of(connection, "system", Settings)
    letterhead = Letterhead(name=settings.organisation, address=settings.address, phone=settings.phone or "")
    services = (one.service for one in parts.registry.services.values())
    folders = template_folders(document, services, parts.appliance.state_folder)
    paper = Paper(language=person.language, zone=parts.runner.zone, letterhead=letterhead, folders=folders)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if media == "application/pdf":
        headers["Content-Disposition"] = disposition(file_name(document, ".pdf", person.language))
        return Response(as_pdf(document, paper), media_type=media, headers=headers)
    if media == "text/html":
        # What people have typed stands in it: no script of it runs.
        headers["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        return Response(as_html(document, paper), media_type=media, headers=headers)
    return Response(as_text(document, paper), media_type=media, headers=headers)
