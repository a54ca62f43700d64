"""The pytest plugin of labs: the fixture ``lab``.

::

    def test_mail(lab):
        hospital = lab("labs/hospital")
        hospital.verify().reachable("nurse-*", "server", "tcp/25")
        hospital.run().holds()

Folders are looked for beside the test, then in pytest's root folder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from compiler.testing.answer import hides
from compiler.testing.plugin import beside

if TYPE_CHECKING:
    from labs.testing.tested import LabUnderTest

__all__ = ["lab"]

__tracebackhide__ = hides


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Callable[..., LabUnderTest]:
    """``lab("labs/hospital", variant="…", base="10.0.0.0")``: a lab, with other values for its parameters."""
    from labs.testing.tested import lab_under_test

    def read(name: str | Path, *, variant: str = "", **settings: str) -> LabUnderTest:
        return lab_under_test(_told_of(beside(request, name)), variant, settings)

    return read


def _told_of(path: Path) -> Path:
    """As a command typed here would name it."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
