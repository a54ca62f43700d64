"""How all tests run: long ones only when asked for, property tests without a clock, system tools found."""

import os

import pytest
from hypothesis import settings

from tests.reporting import AtOnce

LONG = bool(os.environ.get("GERBANG_LONG"))

# Where Debian keeps nft, iptables and ip; the PATH of an ordinary user leaves it out.
os.environ["PATH"] = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
# schemathesis is used as a library: each worker, and each run of pytest inside a test, is spared the import of its
# plugin, which takes as long as all others together.
os.environ["PYTEST_ADDOPTS"] = f"{os.environ.get('PYTEST_ADDOPTS', '')} -p no:schemathesis".strip()

settings.register_profile("reduced", deadline=None, print_blob=True)
settings.register_profile("long", settings.get_profile("reduced"), max_examples=2_000)
settings.load_profile("long" if LONG else "reduced")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """The one process that reports names failures at once; workers send theirs to it."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(AtOnce(terminal), "at-once")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked ``long`` unless GERBANG_LONG is set, as ``make test-long`` does."""
    if LONG:
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
