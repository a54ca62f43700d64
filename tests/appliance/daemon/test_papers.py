"""A document as JSON, text, HTML and PDF, as the client asks."""

from __future__ import annotations

import io
from pathlib import Path

import pypdf
import pytest

from appliance.daemon.replies import wanted
from appliance.documents import rendering
from tests.appliance.daemon.house import Client, House

SLIP = "/commands/ledger/slip"


@pytest.fixture(autouse=True)
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "slip.txt.j2").write_text("Balance {{ it.balance }}\n")
    (tmp_path / "ledger" / "slip.html.j2").write_text("<!doctype html><title>x</title><p>Balance {{ it.balance }}</p>")
    monkeypatch.setattr(rendering, "data", lambda _name: tmp_path)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html,*/*;q=0.8", "text/html"),
        ("text/*", "text/plain"),
        ("application/pdf", "application/pdf"),
        ("text/html;q=0.1, text/plain;q=0.9", "text/plain"),
        ("text/html;q=0, application/json", "application/json"),
        ("image/png", "application/json"),
        ("text/html;q=x,;,", "application/json"),
    ],
)
def test_what_the_client_likes_best(accept: str, media: str) -> None:
    assert wanted(accept) == media


def test_a_paper_in_each_form(house: House, client: Client) -> None:
    ani = house.header("ani")
    said = client.post(SLIP, headers=ani).json()
    assert (said["title"], said["values"], said["copies"]) == ("Slip 7", {"balance": 1500}, ["guest", "cashier"])
    text = client.post(SLIP, headers={**ani, "Accept": "text/plain"})
    assert text.text.count("Balance 1500") == 2
    page = client.post(SLIP, headers={**ani, "Accept": "text/html"})
    assert "Balance 1500" in page.text
    assert "sandbox" in page.headers["content-security-policy"]
    paper = client.post(SLIP, headers={**ani, "Accept": "application/pdf"})
    assert 'filename="Slip 7.pdf"' in paper.headers["content-disposition"]
    assert "Balance 1500" in pypdf.PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()
    assert client.post(SLIP, headers={**house.header("maya"), "Accept": "text/plain"}).status_code == 403
