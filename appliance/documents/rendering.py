"""A document's values through its templates: text, HTML that stands alone, PDF.

Templates are in ``templates/documents/`` (``hotel/bill.txt.j2``,
``hotel/bill.html.j2``); HTML templates extend ``base.html.j2``. They see ``it``
(the document's values), ``title``, ``letterhead``, ``language``, the function
``_`` and the filters ``rupiah``, ``number``, ``day``, ``moment`` and ``words``.
What a template names and is not there is an error, not an empty place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from appliance.contract.documents import Document
from appliance.contract.refusals import NotFound, Refused
from appliance.data import data
from appliance.documents.words import number_in_words
from appliance.documents.written import written_day, written_moment, written_number, written_rupiah
from appliance.language import DEFAULT, Translate, _, translator

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["Letterhead", "Paper", "as_html", "as_pdf", "as_text", "file_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """Whose paper it is, from the settings."""

    name: str = ""
    address: str = ""
    """Several lines."""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """For whom and on what a document is rendered."""

    language: str = "en"
    zone: ZoneInfo
    letterhead: Letterhead = Letterhead()
    size: Literal["A4", "A5"] = "A4"
    folders: tuple[Path, ...] = ()
    """Further folders of templates, looked at first: what an administrator has put in the place of ours."""


def as_text(document: Document, paper: Paper) -> str:
    """For a terminal or a receipt printer; copies are parted by form feeds."""
    return "\f".join(
        _rendered(f"{document.template}.txt.j2", document, paper, copy=copy)
        # The translation of an empty text is the head of the catalogue.
        for copy in tuple(map(translator(paper.language), document.copies)) or ("",)
    )


def as_html(document: Document, paper: Paper) -> str:
    """One page that fetches nothing: each copy on a sheet of its own, with its name."""
    return _rendered(f"{document.template}.html.j2", document, paper)


def as_pdf(document: Document, paper: Paper) -> bytes:
    """The printed HTML. Nothing is fetched, from the network or from files: a template that names something other
    than ``data:`` is refused."""
    from weasyprint import HTML  # type: ignore[import-untyped]
    from weasyprint.urls import FatalURLFetchingError, URLFetcher  # type: ignore[import-untyped]

    class Nothing(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url[:5].lower() == "data:":
                return super().fetch(url, headers)
            raise FatalURLFetchingError(url)

    page = as_html(document, paper)
    try:
        pdf = HTML(string=page, base_url=None, url_fetcher=Nothing(allowed_protocols={"data"})).write_pdf()
    except FatalURLFetchingError as error:
        raise Refused(_("the template {name} wants to fetch {url}"), name=document.template, url=str(error)) from None
    return bytes(pdf)


def _titled(document: Document, translate: Translate) -> str:
    return f"{translate(document.title)} {document.subject}".strip()


def file_name(document: Document, suffix: str, language: str = DEFAULT) -> str:
    """Title and subject as the name of a file on any system."""
    title = _titled(document, translator(language))
    kept = "".join(letter if letter.isalnum() or letter in " -_.()" else "-" for letter in title)
    return f"{kept.strip(' .')[:100] or 'document'}{suffix}"


def _rendered(name: str, document: Document, paper: Paper, **more: str) -> str:
    from jinja2 import TemplateNotFound

    environment = _environment((*paper.folders, data("templates/documents")))
    translate = translator(paper.language)
    language = paper.language
    known: dict[str, Any] = {
        "it": document.values,
        "title": _titled(document, translate),
        "copies": tuple(map(translate, document.copies)) or ("",),
        "letterhead": paper.letterhead,
        "language": language,
        "size": paper.size,
        "_": translate,
        **more,
    }
    filters: dict[str, Callable[..., str]] = {
        "rupiah": partial(written_rupiah, language=language),
        "number": partial(written_number, language=language),
        "day": partial(written_day, language=language),
        "moment": partial(written_moment, language=language, zone=paper.zone),
        "words": partial(number_in_words, language=language),
    }
    # An overlay shares the compiled templates; its filters are of this reader alone.
    own = environment.overlay()
    own.filters = {**environment.filters, **filters}
    try:
        return own.get_template(name).render(known)
    except TemplateNotFound as error:
        raise NotFound(_("template"), str(error)) from None


@cache
def _environment(folders: tuple[Path, ...]) -> Environment:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # Sandboxed: an administrator's template is text of a form, not code of the appliance.
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith((".html.j2", ".html")),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        cache_size=200,
        auto_reload=True,
    )
