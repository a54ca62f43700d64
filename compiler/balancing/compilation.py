"""From the text of an intent to the texts of a device, proved by reading them back."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from compiler.balancing.intended import shares
from compiler.balancing.ip_batch import write_batch
from compiler.balancing.nftables import write_nftables
from compiler.balancing.plan import Plan, make_plan
from compiler.balancing.proof import BalanceProof, FailedBalance
from compiler.balancing.proof import prove as prove_plan
from compiler.balancing.reading import read_balance
from compiler.balancing.routeros import write_routeros
from compiler.balancing.turns import bound
from compiler.balancing.view import view_linux, view_routeros
from compiler.errors import UsageError
from compiler.policy.balance import Method

__all__ = ["BalanceCompilation", "compile_balance"]


class BalanceCompilation(NamedTuple):
    """What was written: files by the end of their names, and the proof unless none was wanted."""

    target: str
    plan: Plan
    files: tuple[tuple[str, str], ...]
    proof: BalanceProof | None

    def shares(self) -> dict[str, dict[str, str]]:
        """Each class's parts: exact ones of connections, of hashes, or of flows."""
        return {
            one.name: {name: str(part) for name, part in shares(one, self.plan.balance).items()}
            for one in self.plan.balance.classes
            if one.method in (Method.NTH, Method.PCC, Method.ECMP)
        }

    def lines(self) -> Iterator[str]:
        """What is worth telling, one line each."""
        if self.proof is None:
            yield "NOT PROVED: --no-proof was given"
        else:
            cases = f"{self.proof.cases:,} cases"
            yield f"PROVED: the text, read back, marks, routes and translates as the intent asks ({cases})"
        for one in self.plan.balance.classes:
            if one.method is Method.NTH:
                drift: Fraction = bound(len(one.uplinks))
                yield f"class {one.name}: {_told(self.shares()[one.name])} of connections, at most {drift} of one off"
            elif one.method is Method.PCC:
                yield f"class {one.name}: {_told(self.shares()[one.name])} of the hashes of {one.fields}"


def _told(parts: dict[str, str]) -> str:
    return ", ".join(f"{name} {part}" for name, part in parts.items())


def compile_balance(text: str, source: str, target: str, *, prove: bool = True) -> BalanceCompilation:
    """Read, plan, write, read back, prove.

    ``target`` is ``routeros6``, ``routeros7`` or ``linux``. Raises InputErrors
    for the intent, CannotSay for what the target has no words for, and
    FailedBalance when the text does not do what it should.
    """
    plan = make_plan(read_balance(text, source))
    if target == "linux":
        rules, batch = write_nftables(plan), write_batch(plan)
        files: tuple[tuple[str, str], ...] = (("", rules), (".ip", batch))
    elif target in ("routeros6", "routeros7"):
        files = (("", write_routeros(plan, int(target[-1]))),)
    else:
        raise UsageError(f"unknown target {target!r}: expected routeros6, routeros7 or linux")
    proof = None
    if prove:
        if target == "linux":
            view = view_linux(files[0][1], files[1][1], "written")
        else:
            view = view_routeros(files[0][1], "written.rsc")
        proof = prove_plan(plan, view)
        if not proof.holds:
            raise FailedBalance(target, proof)
    return BalanceCompilation(target, plan, files, proof)
