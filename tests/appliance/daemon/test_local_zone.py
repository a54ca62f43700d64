"""The zone of the machine that the daemon runs on."""

import sys
import zoneinfo
from collections.abc import Iterator

import pytest

from appliance.daemon.run_settings import local_zone
from compiler.errors import UsageError


@pytest.fixture
def no_zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on a machine without the package tzdata, be it Debian's or Python's."""
    # Its parts too: who has asked for a zone before has imported them.
    for name in {"tzdata", *(one for one in sys.modules if one.startswith("tzdata."))}:
        monkeypatch.setitem(sys.modules, name, None)
    known = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath(to=known)
    zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.usefixtures("no_zones")
def test_a_machine_without_zones_is_told_what_to_install() -> None:
    with pytest.raises(UsageError, match="tzdata"):
        local_zone()


def test_there_is_always_a_zone() -> None:
    assert local_zone().key
