"""A small lab to change."""

import pytest

from labs.lab_file import read_lab

SMALL = """\
name: small
nodes:
  pc: {kind: host, address: 10.0.0.2/24, gateway: 10.0.0.1}
  router:
    kind: router
    interfaces: {lan: 10.0.0.1/24, wan: 192.0.2.1/24}
  server: {kind: server, address: 192.0.2.9/24, gateway: 192.0.2.1, services: [http, source]}
links:
  - [pc, router:lan]
  - {name: wan, ends: [router:wan, server], rate: 3 Mbit/s, delay: 10 ms}
traffic:
  - {name: web, client: pc, server: server, http: /, at: 1 s}
  - {name: closed, client: pc, server: server, connect: 81, at: 1 s}
faults:
  - {at: 5 s, link: wan, state: down}
assert:
  - connected: web
  - refused: closed
"""


@pytest.fixture
def small():
    """The text of a lab that is right."""
    return SMALL


@pytest.fixture
def lab_folder(tmp_path):
    """Writes a lab file, and other files beside it; returns the folder."""

    def write(text, **others):
        (tmp_path / "lab.yaml").write_text(text)
        for name, content in others.items():
            (tmp_path / name.replace("__", ".")).write_text(content)
        return tmp_path

    return write


@pytest.fixture
def small_lab(lab_folder):
    """The small lab, read."""
    return read_lab(lab_folder(SMALL))
