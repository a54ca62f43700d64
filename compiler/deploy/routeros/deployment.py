"""One intent and one RouterOS device: plan, apply, confirm, roll back.

A lost connection is looked into, not guessed about: we come back (a few times,
within the time), see what stands on the device, and have it put things back.
When it cannot be reached any more it does that by itself, and the error says
when.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from compiler.balancing.plan import Plan, make_plan
from compiler.balancing.reading import read_balance
from compiler.deploy.deployment import Change, DeployError, Standing, refusal
from compiler.deploy.routeros import arming
from compiler.deploy.routeros.access import Access
from compiler.deploy.routeros.before import complete
from compiler.deploy.routeros.carrying import OutOfTime, StepRefused, carry_out
from compiler.deploy.routeros.difference import Tables, difference, remaining_difference
from compiler.deploy.routeros.foreign import warnings_of
from compiler.deploy.routeros.menus import menus_of
from compiler.deploy.routeros.obstacles import obstacles_of
from compiler.deploy.routeros.restoring import restoring_lines
from compiler.deploy.routeros.session import ApiSession, Lost, NotReached, Refused, connected
from compiler.deploy.routeros.steps import Step
from compiler.deploy.routeros.verifying import digest_of, prove_rows, wanted_digest
from compiler.deploy.routeros.wanted import NOTHING, Wanted, wanted_of
from compiler.errors import UsageError

__all__ = ["LEAST_WITHIN", "MOST_WITHIN", "Patience", "RouterosDeployment", "read_tables"]

LEAST_WITHIN, MOST_WITHIN = 10, 86_400
"""Seconds to confirm in."""
_TOO_LATE = 2
"""Seconds before the device acts in which nobody confirms any more."""
_AS_BEFORE = "The device is as it was before the deploy"


class Patience(NamedTuple):
    """How often a lost device is looked for, and the seconds before each further try."""

    attempts: int = 5
    pause: float = 2.0
    sleep: Callable[[float], None] = time.sleep


class _Prepared(NamedTuple):
    tables: Tables
    wanted: Wanted
    steps: tuple[Step, ...]
    version: int


def read_tables(session: ApiSession) -> Tables:
    """All tables that a balance is made of. Raises Lost and Refused."""
    return {menu: session.rows(menu) for menu in menus_of(session.version)}


class RouterosDeployment:
    """Deploys the intent of ``text`` (its file is ``source``), or takes away all of the balance (``remove``).

    Without a text only :meth:`standing`, :meth:`confirm` and :meth:`roll_back`
    are of use. ``replace_foreign``: rows of others make room, until a removal;
    ``despite_foreign``: obstacles are told, and not refused. Raises InputErrors
    for the intent.
    """

    def __init__(
        self,
        text: str | None,
        source: str,
        access: Access,
        *,
        remove: bool = False,
        patience: Patience | None = None,
        replace_foreign: bool = False,
        despite_foreign: bool = False,
    ) -> None:
        self._intent: Plan | None = make_plan(read_balance(text, source)) if text is not None and not remove else None
        self._is_removal = remove
        self._access = access
        self._patience = patience or Patience()
        self._replace, self._despite = replace_foreign, despite_foreign
        self.warnings: tuple[str, ...] = ()
        """What the newest plan warns of."""
        self.obstacles: tuple[str, ...] = ()
        """What of others would break it: :meth:`apply` refuses."""

    # -- looking --------------------------------------------------------------------------------------

    def plan(self) -> tuple[Change, ...]:
        """What would change, in the order of doing. Reads only. Raises DeployError, and CannotSay of the writer."""
        with connected(self._access) as session:
            try:
                return tuple(step.change() for step in self._prepare(session).steps)
            except (Lost, Refused) as error:
                raise self._failed("reading its tables", error, "Nothing was changed") from None

    def standing(self) -> Standing | None:
        """The deployment on the device that waits for its confirmation."""
        with connected(self._access) as session:
            try:
                held = arming.find(session)
            except (Lost, Refused) as error:
                raise self._failed("looking for a deployment", error, "Nothing was changed") from None
        return Standing(held.identity, held.remaining or 0) if held is not None and held.is_armed else None

    def _prepare(self, session: ApiSession) -> _Prepared:
        version = session.version
        tables = read_tables(session)
        if self._intent is not None:
            wanted = wanted_of(self._intent, version)
        elif self._is_removal:
            wanted = NOTHING
        else:
            raise UsageError("a plan needs an intent")
        wanted = complete(tables, wanted, version, replace=self._replace)
        steps = difference(tables, wanted, version)
        found = () if self._intent is None else obstacles_of(tables, wanted, self._intent)
        self.obstacles = () if self._despite else found
        warnings = warnings_of(tables, steps, (self._access.host, session.peer))
        told = (
            one for one in warnings if not any(other.startswith(one.split(" stands before ")[0]) for other in found)
        )
        self.warnings = (*wanted.notes, *told, *(found if self._despite else ()))
        return _Prepared(tables, wanted, steps, version)

    # -- applying -------------------------------------------------------------------------------------

    def apply(self, confirm_within: int) -> Standing | None:
        """Arm, carry out, read back and prove; None when there was nothing to change. Raises DeployError."""
        if not LEAST_WITHIN <= confirm_within <= MOST_WITHIN:
            raise UsageError(
                f"--confirm-within: expected {LEAST_WITHIN} seconds to a day, not {confirm_within} seconds"
            )
        identity = secrets.token_hex(4)
        begun = False
        armed: list[bool] = []
        due = datetime.now() + timedelta(seconds=confirm_within)
        try:
            with connected(self._access) as session:
                prepared = self._prepare(session)
                if self.obstacles:
                    raise DeployError(refusal(self.obstacles))
                self._want_free(session)
                if not prepared.steps:
                    return None
                begun = True
                due = datetime.now() + timedelta(seconds=confirm_within)
                self._apply(session, prepared, identity, confirm_within, armed)
                held = arming.find(session)
        except NotReached:
            raise
        except (Lost, Refused, StepRefused, OutOfTime, DeployError) as error:
            if not begun:
                if isinstance(error, DeployError):
                    raise
                raise self._failed("looking at its tables", error, "Nothing was changed") from None
            raise self._undone(identity, error, due, armed) from None
        except BaseException as error:  # an interrupt, or a mistake of ours: the device shall not wait for its timer
            if begun:
                raise self._undone(identity, error, due, armed) from error
            raise
        return Standing(identity, confirm_within if held is None or held.remaining is None else held.remaining)

    def _want_free(self, session: ApiSession) -> None:
        held = arming.find(session)
        if held is None:
            return
        if held.is_armed:
            raise DeployError(
                f"{self._access}: the deployment {held.identity} stands already and waits {held.remaining or 0} s for "
                "its confirmation: 'gerbang balance confirm' keeps it, 'gerbang balance rollback' puts back what was "
                "there. Nothing was changed."
            )
        raise DeployError(
            f"{self._access}: somebody is deploying at this moment, or was interrupted ({arming.NAME} is there, and "
            f"clears itself at {held.at or 'the next boot'} of the device's clock): wait, or clear it by "
            "'gerbang balance rollback'. Nothing was changed."
        )

    def _apply(self, session: ApiSession, prepared: _Prepared, identity: str, within: int, armed: list[bool]) -> None:
        tables, wanted, steps, version = prepared
        margin = max(_TOO_LATE, within / 10)
        start = time.monotonic()
        arming.arm(
            session, restoring_lines(tables, steps, version), identity, wanted_digest(tables, wanted, version), within
        )
        armed.append(True)
        carry_out(session, steps, lambda: time.monotonic() - start < within - margin)
        now = read_tables(session)
        different = remaining_difference(now, wanted, version)
        if different:
            raise DeployError(f"read back, the device is not as planned: {_few(different)}")
        if self._intent is not None:
            proof = prove_rows(self._intent, now, wanted, version)
            if not proof.holds:
                raise DeployError(f"read back, the rows are NOT PROVED: {_few(list(map(str, proof.findings)))}")

    # -- going back -----------------------------------------------------------------------------------

    def _undone(self, identity: str, error: BaseException, due: datetime, armed: Sequence[bool]) -> DeployError:
        """Put back what was there, as far as we can; the error that tells of it."""
        why = "the deploy failed: "
        if isinstance(error, Lost):
            why += f"the connection was lost ({error})"
        elif isinstance(error, OutOfTime):
            why += "the time to confirm is nearly over, and not all is done: give it more (--confirm-within)"
        else:
            why += str(error) or type(error).__name__
        try:
            self._come_back(lambda session: self._back(session, identity, bool(armed)))
        except (NotReached, Lost, Refused) as trouble:
            return DeployError(
                f"{self._access}: {why}. What the device has now could not be looked at ({trouble}): it puts back "
                f"by itself what was there, at {due:%H:%M:%S} of this clock at the latest, or when it boots. Then "
                "deploy again."
            )
        return DeployError(f"{self._access}: {why}. {_AS_BEFORE}.")

    def _back(self, session: ApiSession, identity: str, is_changed: bool = True) -> None:
        """Have the device put things back, if that deployment is there. Raises Lost and Refused."""
        held = arming.find(session)
        if held is None or (held.identity and held.identity != identity):
            return  # it was never begun, or is undone already
        if held.is_armed and is_changed:
            arming.run_back(session)
        elif held.is_armed:
            arming.disarm(session)
        if arming.find(session) is not None:
            arming.clean(session)

    def _come_back(self, work: Callable[[ApiSession], None]) -> None:
        """Do it over a new connection, and again over another when that is lost. Raises the last failure."""
        failure: Exception = NotReached("not tried")
        for attempt in range(self._patience.attempts):
            if attempt:
                self._patience.sleep(self._patience.pause)
            try:
                with connected(self._access) as session:
                    work(session)
                return
            except (Lost, NotReached) as error:
                failure = error
                if isinstance(error, NotReached) and error.is_final:
                    break
        raise failure

    def roll_back(self) -> None:
        """Put back what was there, now. Raises DeployError when nothing stands, or when the device is gone."""
        seen: list[arming.Held] = []

        def work(session: ApiSession) -> None:
            held = arming.find(session)
            if held is None:
                if seen:
                    return  # our last word was heard, and its answer lost
                raise DeployError(f"{self._access}: no deployment waits there. Nothing was changed.")
            seen.append(held)
            self._back(session, held.identity)

        try:
            self._come_back(work)
        except Refused as error:
            raise self._failed("putting back what was there", error, "Its timer stands, and tries again") from None
        except Lost as error:
            raise self._failed(
                "putting back what was there", error, "It does so by itself when its time comes"
            ) from None

    # -- keeping --------------------------------------------------------------------------------------

    def confirm(self) -> None:
        """Keep what was applied: look once more over a new connection, then take the way back away."""
        seen: list[arming.Held] = []
        try:
            self._come_back(lambda session: self._confirm(session, seen))
        except (Refused, Lost, NotReached) as error:
            if isinstance(error, NotReached) and not seen:
                raise
            left = f"puts back what was there {_when(seen[-1]) if seen else 'in its time'}"
            text = f"Whether it heard the confirmation is not known: if not, it {left}. Confirm again"
            raise self._failed("confirming", error, text) from None

    def _confirm(self, session: ApiSession, seen: list[arming.Held]) -> None:
        held = arming.find(session)
        if held is None and not seen:
            raise DeployError(f"{self._access}: no deployment waits there: it was confirmed, or its time is over.")
        if held is not None:
            if not held.is_armed and not seen:
                raise DeployError(
                    f"{self._access}: a deployment was begun and nothing of it was done: 'gerbang balance rollback' "
                    "clears it. Nothing was changed."
                )
            if held.is_armed:
                self._want_kept(session, held)
            seen.append(held)
            arming.disarm(session)
        if digest_of(read_tables(session), session.version) != seen[-1].digest:
            raise DeployError(
                f"{self._access}: the confirmation came too late: the device has put back what was there. Deploy again."
            )

    def _want_kept(self, session: ApiSession, held: arming.Held) -> None:
        if held.remaining is not None and held.remaining < _TOO_LATE:
            raise DeployError(
                f"{self._access}: the confirmation came too late: the device puts back what was there at this moment."
            )
        tables = read_tables(session)
        different: Sequence[str] = ()
        if self._intent is not None:
            wanted = complete(tables, wanted_of(self._intent, session.version), session.version, replace=True)
            different = remaining_difference(tables, wanted, session.version)
        if different or digest_of(tables, session.version) != held.digest:
            what = f": {_few(different)}" if different else ""
            raise DeployError(
                f"{self._access}: the rows of the balance are not those that were deployed{what}. Not confirmed: "
                "'gerbang balance rollback' puts back what was there, and so does the device in its time."
            )

    def _failed(self, doing: str, error: Exception, state: str) -> DeployError:
        if isinstance(error, Refused):
            return DeployError(f"{self._access}: {doing}: the device says: {error}. {state}.")
        return DeployError(f"{self._access}: {doing}: the connection was lost ({error}). {state}.")


def _when(held: arming.Held) -> str:
    return f"at {held.at} of its clock" if held.at else "in its time"


def _few(lines: Sequence[str], most: int = 3) -> str:
    more = f"; and {len(lines) - most} more" if len(lines) > most else ""
    return "; ".join(lines[:most]) + more
