"""What all deploys to the virtual RouterOS share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from compiler.balancing.plan import Plan
from compiler.balancing.proof import BalanceProof
from compiler.deploy.routeros import deployment
from compiler.deploy.routeros.difference import Tables
from compiler.deploy.routeros.verifying import prove_rows, text_of
from compiler.deploy.routeros.wanted import Wanted


@pytest.fixture(autouse=True, scope="session")
def _one_proof() -> Iterator[None]:
    """The same rows of the same plan are proved once: hundreds of deploys end alike, and a proof takes a second."""
    proved: dict[tuple[Plan, str], BalanceProof] = {}

    def prove(plan: Plan, tables: Tables, wanted: Wanted, version: int) -> BalanceProof:
        key = (plan, text_of(tables, wanted, version))
        if key not in proved:
            proved[key] = prove_rows(plan, tables, wanted, version)
        return proved[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deployment, "prove_rows", prove)
        yield
