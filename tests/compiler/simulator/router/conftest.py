"""One kernel router for all tests of a process that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compiler.dialects.nftables.kernel import KernelRouter, why_not


@pytest.fixture(scope="session")
def kernel() -> Iterator[KernelRouter]:
    reason = why_not()
    if reason:
        pytest.skip(f"no kernel router: {reason}")
    with KernelRouter() as one:
        yield one
