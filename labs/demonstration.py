"""``make demo``: the ten cases of the wildcard paper, compiled to three targets and proved; then labs, with packets."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from compiler.analysis.compilation import compile_tree
from compiler.dialects import DIALECTS
from compiler.errors import GerbangError
from compiler.lowering.options import Options
from compiler.policy.access_list import Device
from compiler.simulator.engine import SECOND
from labs.assertions import VerdictState, judge_all
from labs.ftp_filter import FOLDER, Case, cases, client_table, device
from labs.lab_file import find_labs, read_lab_file
from labs.simulated import run

__all__ = ["main"]

_INTERFACES = {
    "ios": {},
    "nftables": {"GigabitEthernet0/2": "eth2"},
    "routeros": {"GigabitEthernet0/2": "ether2"},
}
_ROWS = 4


def main() -> int:
    """Prints what it does and proves; 1 when a count or a proof is wrong."""
    print(
        "Ten wildcard masks, two base addresses, one list:\n"
        "  access-list 101 deny tcp BASE WILDCARD host 10.0.0.2 eq ftp\n"
        "  access-list 101 permit ip any any          (bound inbound on the clients' interface)\n"
        "Each list is compiled to three targets; each output is read back and proved equal to its source\n"
        "over every packet, interface and path. Which of the 65,536 clients reach the server's port 21?\n"
    )
    started = time.perf_counter()
    wrong = proofs = 0
    for case in cases():
        router = device(case)
        right = _clients(case, router)
        wrong += not right
        for target in DIALECTS:
            proved, line = _compiled(router, target)
            proofs += proved
            wrong += not proved
            print(f"    {line}")
        print()
    seconds = time.perf_counter() - started
    print(f"{proofs} configurations proved equal to their sources, {wrong} failures, in {seconds:.1f} s.")
    print("The paper's own errors (acl-1 to acl-8) are listed in labs/ftp-filter/README.md.\n")
    wrong += _labs()
    return 1 if wrong else 0


def _labs() -> int:
    """Runs every lab that comes with Gerbang in the simulator; how many assertions failed."""
    print("The same lists with packets, and other networks: the labs in the simulator (gerbang lab run FOLDER).\n")
    failed = 0
    for folder in find_labs(FOLDER.parent):
        file = read_lab_file(folder)
        for variant in file.variants or ("",):
            lab = read_lab_file(folder, variant=variant).lab if variant else file.lab
            started = time.perf_counter()
            observation = run(lab)
            seconds = time.perf_counter() - started
            verdicts = judge_all(lab, observation)
            bad = [verdict for verdict in verdicts if verdict.state is VerdictState.FAILED]
            failed += len(bad)
            name = f"{lab.name} {variant}".strip()
            connections = sum(len(outcome.connections) for outcome in observation.outcomes)
            print(
                f"  {name:<42} {connections:>4} connections, {observation.duration / SECOND:5.1f} s of lab time "
                f"in {seconds:5.2f} s: {len(verdicts)} assertions, {len(bad)} failed"
            )
            for verdict in bad:
                print(f"      {verdict.message}")
    return failed


def _clients(case: Case, router: Device) -> bool:
    """Prints the table of a case; whether its count is the right one."""
    table = client_table(router)
    denied = table.addresses(permitted=False)
    mark = "" if case.base == case.base_of_table else "  (not the base of the paper's table)"
    print(f"case {case.name}: {case.base} {case.wildcard}{mark}")
    for line in table.lines(_ROWS + 1):
        print(f"    {line}")
    right = denied == case.denied
    if not right:
        print(f"    WRONG: {denied} denied, {case.denied} expected")
    return right


def _compiled(router: Device, target: str) -> tuple[bool, str]:
    started = time.perf_counter()
    try:
        compilation = compile_tree(router, target, Options(interfaces=_INTERFACES[target]))
    except GerbangError as error:
        return False, f"{target}: {error.render()}"
    seconds = time.perf_counter() - started
    report = compilation.report
    assert report is not None
    contexts = sum(claim.contexts for claim in report.claims)
    lines = sum(1 for line in _content(compilation.text))
    return report.holds, f"{target:<9} {lines:>6,} lines, proved equal in {contexts} contexts, {seconds:.2f} s"


def _content(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line.strip() and line.strip()[0] not in "#!")


if __name__ == "__main__":
    sys.exit(main())
