"""A balance intent on the machine that this runs on: netlink and libnftables, in the present network namespace."""

from __future__ import annotations

import secrets
from pathlib import Path

from compiler.balancing.ip_batch import AWAITING, write_batch
from compiler.balancing.nftables import write_nftables
from compiler.balancing.plan import make_plan, port_of
from compiler.balancing.proof import prove
from compiler.balancing.reading import read_balance
from compiler.balancing.view import view_linux
from compiler.deploy.deployment import Change, DeployError, Standing, refusal
from compiler.deploy.linux import guardian, settings
from compiler.deploy.linux.changes import Step, carry_out, steps
from compiler.deploy.linux.commands import batch_of
from compiler.deploy.linux.foreign import obstacles_of
from compiler.deploy.linux.kernel import Held, Kernel, open_kernel
from compiler.deploy.linux.leases import known_leases
from compiler.deploy.linux.records import Deployed, Records, Waiting, now
from compiler.deploy.linux.returning import put_back
from compiler.deploy.linux.scratch import spelled
from compiler.deploy.linux.state import State, wanted
from compiler.deploy.linux.status import dead_by_watch
from compiler.policy.balance import Addressing

__all__ = ["LinuxDeployment"]


class LinuxDeployment:
    """Satisfies :class:`~compiler.deploy.deployment.Deployment`. Raises InputErrors for a wrong intent.

    Ours are: the nft table ``gerbang_balance``, the routing tables from 20000 on,
    and routes, rules and addresses of protocol 103. Nothing else is changed but
    the settings that routing by several lines needs, which come back with
    ``remove``. What already stands and is as wanted, but somebody else's, stays
    somebody else's.

    While a watch runs, its view of the living lines is what is wanted, so that a
    deploy does not put back routes of a dead line.
    """

    def __init__(
        self, text: str, source: str, state: Path | None = None, remove: bool = False, *, despite_foreign: bool = False
    ) -> None:
        self._text, self._source = text, source
        self._despite = despite_foreign
        self.warnings: tuple[str, ...] = ()
        """What the newest plan warns of."""
        self.obstacles: tuple[str, ...] = ()
        """What of others would break it: :meth:`apply` refuses."""
        self._plan = make_plan(read_balance(text, source))
        self._remove = remove
        self._records = Records(state)
        self._settings = settings.needed(self._plan)

    # -- the protocol ---------------------------------------------------------------------------

    def plan(self) -> tuple[Change, ...]:
        """What would change. A foreign route in the place of one of ours is a DeployError."""
        with open_kernel() as kernel:
            _, _, found = self._compared(kernel)
        return tuple(step.change for step in found)

    def apply(self, confirm_within: int) -> Standing | None:
        """Arm, change, verify. After a failure what stood before stands again."""
        with self._records.alone(), open_kernel() as kernel:
            self._refuse_second(kernel)
            held, target, found = self._compared(kernel)
            if self.obstacles:
                raise DeployError(refusal(self.obstacles))
            if not found:
                self._stands()
                return None
            identity, used = secrets.token_hex(4), self._used(kernel)
            waiting = Waiting(identity, now() + confirm_within, held.ours, target, text=self._text, used=used)
            self._records.wait(waiting)
            try:
                guardian.arm(self._records.folder, waiting)
            except DeployError:
                self._records.end()
                raise
            self._remember(held)
            try:
                carry_out(kernel, found, self._after_step)
                self._verify(kernel, target, used)
            except DeployError as error:
                put_back(kernel, self._records, waiting)
                raise DeployError(f"{error}\nwhat was there before has been put back") from error
            self._records.wait(waiting._replace(done=True))
            return Standing(waiting.identity, waiting.remaining)

    def standing(self) -> Standing | None:
        """What waits for its confirmation."""
        waiting = self._records.waiting()
        return None if waiting is None else Standing(waiting.identity, waiting.remaining)

    def confirm(self) -> None:
        """Verify by new sockets, and let the guardian go."""
        with self._records.alone(), open_kernel() as kernel:
            waiting = self._demanded()
            if not waiting.done:
                raise DeployError("the deployment was cut off before its end: roll it back, or let its time run out")
            if waiting.deadline <= now():
                raise DeployError("the time for the confirmation is over: what was there before is being put back")
            self._remove = not waiting.target.table  # whoever confirms need not say again that it was a removal
            if not self._remove and waiting.text != self._text:
                raise DeployError(f"{self._source} is not the intent that was deployed: give that one, or roll it back")
            # Lines may have died meanwhile: what was deployed is what is kept, and then the watch follows the lines.
            self._verify(kernel, waiting.target, waiting.used)
            self._stands()
            self._records.end()
            if self._remove:
                self._records.remember_settings({})

    def roll_back(self) -> None:
        """What was there before, now."""
        with self._records.alone(), open_kernel() as kernel:
            put_back(kernel, self._records, self._demanded())

    # -- how --------------------------------------------------------------------------------------

    def _after_step(self, number: int) -> None:
        """Called after each change; tests end the process here."""

    def _demanded(self) -> Waiting:
        waiting = self._records.waiting()
        if waiting is None:
            raise DeployError("no deployment waits here: it was confirmed, rolled back, or its time ran out")
        return waiting

    def _refuse_second(self, kernel: Kernel) -> None:
        """One at a time; one whose time is over, and whose guardian was lost, is put back first."""
        waiting = self._records.waiting()
        if waiting is None:
            return
        if waiting.deadline > now():
            raise DeployError(
                f"deployment {waiting.identity} waits for its confirmation for another "
                f"{waiting.remaining} s: confirm it or roll it back first"
            )
        put_back(kernel, self._records, waiting)

    def _compared(self, kernel: Kernel) -> tuple[Held, State, tuple[Step, ...]]:
        names = [name for name, _ in self._settings]
        held = kernel.held(dict.fromkeys([*names, *self._records.settings_before()]))
        target = self._wanted(kernel, dict(held.ours.settings))
        found = () if self._remove else obstacles_of(kernel, target)
        self.obstacles, self.warnings = ((), found) if self._despite else (found, ())
        return held, target, steps(held, target)

    def _wanted(self, kernel: Kernel, before: dict[str, str]) -> State:
        if self._remove:
            return State(settings=tuple(self._records.settings_before().items()))
        down = [one.interface for one in self._plan.balance.networks if not kernel.is_up(one.interface)]
        for uplink in self._plan.balance.uplinks:
            if uplink.address is not None and not kernel.is_up(uplink.interface):
                down.append(uplink.interface)
        if down:
            raise DeployError(f"interfaces that are not there, or not up: {', '.join(down)}; nothing was changed")
        leases = known_leases(self._plan, kernel, self._records.folder)
        absent, used = self._absent(kernel), self._used(kernel)
        target = wanted(self._plan, used, leases, tuple(one for one in self._settings if one[0] in before))
        routes = tuple(route for route in target.routes if not any(hop.interface in absent for hop in route.hops))
        return target._replace(routes=routes, table=spelled(write_nftables(self._plan)))

    def _used(self, kernel: Kernel) -> tuple[str, ...]:
        """The lines to route by: all that can be, but those that a running watch of theirs knows to be dead."""
        absent, dead = self._absent(kernel), dead_by_watch(self._records.folder)
        names = tuple(one.name for one in self._plan.balance.uplinks if port_of(one) not in absent)
        return tuple(name for name in names if name not in dead) or names

    def _stands(self) -> None:
        """Tell the watch what is deployed."""
        uplinks = () if self._remove else tuple(one.name for one in self._plan.balance.uplinks)
        found = Deployed("" if self._remove else self._text, self._source, uplinks)
        if self._records.deployed() != found and (not self._remove or self._records.deployed() is not None):
            self._records.deploy(found)

    def _absent(self, kernel: Kernel) -> set[str]:
        """Interfaces of PPPoE that are not there: pppd makes them when it connects; then the watch sets the routes."""
        return {
            port_of(one)
            for one in self._plan.balance.uplinks
            if one.addressing is Addressing.PPPOE and not kernel.is_up(port_of(one))
        }

    def _remember(self, held: Held) -> None:
        """Settings as they were before our first change, for the day of removal."""
        known = self._records.settings_before()
        stand = dict(held.ours.settings)
        fresh = {name: stand[name] for name, _ in self._settings if name in stand and name not in known}
        if fresh and not self._remove:
            self._records.remember_settings({**known, **fresh})

    def _verify(self, kernel: Kernel, target: State, used: tuple[str, ...]) -> None:
        """What stands is what was wanted; and, read back from the kernel, it does what the intent asks."""
        held = kernel.held([name for name, _ in target.settings])
        left = steps(held, target)
        if left:
            raise DeployError(f"read back, the kernel differs: {left[0].change}")
        if self._remove:
            return
        leases = known_leases(self._plan, kernel, self._records.folder)
        planned = write_batch(self._plan, leases)
        if len(used) == len(self._plan.balance.uplinks):
            # What waits for a lease is not in the kernel: the proof takes it from the plan.
            awaiting = "\n".join(line for line in planned.split("\n") if line.startswith(AWAITING))
            planned = f"{batch_of(held, target)}{awaiting}\n"
        proof = prove(self._plan, view_linux(held.ours.table, planned, "running"))
        if not proof.holds:
            raise DeployError(f"read back, the kernel does not do what the intent asks: {proof.findings[0]}")
