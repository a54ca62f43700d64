"""Making the kernel as a generation says, and back again when nobody confirms. Run by the root helper, as root.

What stood before is on the disk, and a guardian process watches, before the
first change is made. The guardian is not ours to kill: it lives on when the
helper and the daemon die, and puts back what stood when the time is over.

A confirmation is worth something only from one who came in again after the
change: the daemon calls :func:`confirm` for a request over a new connection.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from appliance.services.network import changes
from appliance.services.network.files import BALANCE, Wish, digest_of, read_files, settings_of, target_of, wish_of
from appliance.services.network.kernel import NetworkKernel, read_setting
from appliance.services.network.records import FOLDERS, Folders, Records, Waiting, boot, now
from appliance.services.network.state import Held, Target, is_ours
from compiler.deploy.deployment import Change, DeployError, Standing
from compiler.deploy.linux import guardian
from compiler.deploy.linux.foreign import obstacles_of
from compiler.deploy.linux.state import PROTOCOL as BALANCE_PROTOCOL

__all__ = ["apply", "confirm", "differences", "put_back", "roll_back", "standing", "start", "told"]

GUARDIAN = "appliance.services.network.guardian"
AfterStep = Callable[[int], None]
_MADE_ANEW = (2, 9, 16, BALANCE_PROTOCOL)
"""RTPROT_KERNEL, RTPROT_RA, RTPROT_DHCP (rtnetlink(7)): whoever made these makes them again."""


def _quietly(number: int) -> None:
    """After a step, when nobody looks."""


AT_ONCE = 60
"""Seconds that a change without a confirmation has for itself, should it be killed midway."""


def apply(
    before: Path | None,
    after: Path | None,
    confirm_within: int,
    *,
    folders: Folders = FOLDERS,
    after_step: AfterStep = _quietly,
) -> Standing | None:
    """Make the kernel as the files of ``after`` say (None: nothing of ours); None when nothing waits afterwards.

    It lasts only if :func:`confirm` comes within that many seconds; with 0 it
    is confirmed once it is made. When the
    change from ``after`` to ``before`` waits itself, this is its undoing.
    DeployError when something fails: then all is as it was. InputError,
    InputErrors or UsageError for files that are not what they should be.
    """
    if not confirm_within:
        if apply(before, after, AT_ONCE, folders=folders, after_step=after_step) is not None:
            confirm(folders=folders)
        return None
    records = Records(folders)
    files, earlier = read_files(after), digest_of(read_files(before))
    wish = wish_of(files)
    digest = digest_of(files)
    with records.alone(), NetworkKernel() as kernel:
        waiting = _settled(kernel, records)
        if waiting is not None:
            return _second(kernel, records, waiting, digest)
        target, held = _target(kernel, records, target_of(wish, kernel.balance, folders.run))
        if not changes.steps(kernel, target):
            _kept(records, files, wish)
            return None
        saved = _before(kernel, held, target)
        waiting = Waiting(secrets.token_hex(4), boot(), now() + confirm_within, saved, target, files, digest, earlier)
        records.wait(waiting)
        try:
            guardian.arm(folders.run, waiting, GUARDIAN)
        except DeployError:
            records.end()
            raise
        records.remember_settings({**dict(saved.settings), **records.settings_before()})
        try:
            changes.bring(kernel, target, after_step)
            obstacles = obstacles_of(kernel.balance, target.balance) if wish.balance is not None else ()
            if obstacles:
                raise DeployError("what is not ours would break the balance:\n" + "\n".join(obstacles))
        except DeployError as error:
            changes.put_back(kernel, saved)
            records.end()
            raise DeployError(f"{error}\nwhat was there before has been put back") from error
        records.wait(waiting._replace(done=True))
        return Standing(waiting.identity, waiting.remaining)


def confirm(*, folders: Folders = FOLDERS) -> None:
    """Keep what waits. DeployError when nothing does, its time is over, or the kernel is no more as it was made."""
    records = Records(folders)
    with records.alone(), NetworkKernel() as kernel:
        waiting = _demanded(records)
        if not waiting.done:
            raise DeployError("the change was cut off before its end: roll it back, or let its time run out")
        if waiting.deadline <= now():
            raise DeployError("the time for the confirmation is over: what was there before is being put back")
        left = changes.steps(kernel, waiting.target.only_ours())
        if left:
            raise DeployError(f"read back, the kernel differs: {left[0].change}")
        _kept(records, waiting.files, wish_of(waiting.files))
        records.end()


def roll_back(*, folders: Folders = FOLDERS) -> None:
    """What was there before, now. DeployError when nothing waits, or the kernel refuses."""
    records = Records(folders)
    with records.alone(), NetworkKernel() as kernel:
        _demanded(records)
        put_back(kernel, records)


def start(*, folders: Folders = FOLDERS) -> int:
    """After a boot: what was confirmed last, at once; how many changes that took. A change that waited is forgotten."""
    records = Records(folders)
    with records.alone(), NetworkKernel() as kernel:
        if records.waiting() is not None:
            return 0  # not after a boot: its guardian watches
        records.end()
        files = records.confirmed()
        wish = wish_of(files)
        target, _ = _target(kernel, records, target_of(wish, kernel.balance, folders.run))
        stood = {name: value for name, _ in target.settings if (value := read_setting(name)) is not None}
        records.remember_settings({**stood, **records.settings_before()})
        done = changes.bring(kernel, target)
        _kept(records, files, wish)
        return done


def standing(*, folders: Folders = FOLDERS) -> Standing | None:
    """What waits for its confirmation."""
    waiting = Records(folders).waiting()
    return None if waiting is None else Standing(waiting.identity, waiting.remaining)


def differences(folder: Path | None, *, folders: Folders = FOLDERS) -> tuple[Change, ...]:
    """What would change to make the kernel as the files say; nothing is changed. Errors as for :func:`apply`."""
    wish = wish_of(read_files(folder))
    records = Records(folders)
    with NetworkKernel() as kernel:
        target, _ = _target(kernel, records, target_of(wish, kernel.balance, folders.run))
        return tuple(step.change for step in changes.steps(kernel, target))


def put_back(kernel: NetworkKernel, records: Records) -> None:
    """Undo what waits. The lock must be held. It looks at what stands, not at what was done: it can be cut off."""
    waiting = records.waiting()
    if waiting is not None:
        changes.put_back(kernel, waiting.before)
        records.end()


# -- how --------------------------------------------------------------------------------------------


def _demanded(records: Records) -> Waiting:
    waiting = records.waiting()
    if waiting is None:
        raise DeployError("no change of the network waits: it was confirmed, rolled back, or its time ran out")
    return waiting


def _settled(kernel: NetworkKernel, records: Records) -> Waiting | None:
    """What waits; one whose time is over, and whose guardian was lost, is put back first."""
    waiting = records.waiting()
    if waiting is None or waiting.deadline > now():
        return waiting
    put_back(kernel, records)
    return None


def _second(kernel: NetworkKernel, records: Records, waiting: Waiting, digest: str) -> Standing | None:
    """A change while another one waits: the same again, its undoing, or one too many."""
    if digest == waiting.digest and waiting.done:
        changes.bring(kernel, waiting.target.only_ours())
        return Standing(waiting.identity, waiting.remaining)
    if digest in (waiting.previous, waiting.digest):
        put_back(kernel, records)
        if digest == waiting.digest:
            raise DeployError("this change was cut off before its end: what was there before has been put back")
        return None
    raise DeployError(
        f"change {waiting.identity} waits for its confirmation for another {waiting.remaining} s: "
        "confirm it or roll it back first"
    )


def _target(kernel: NetworkKernel, records: Records, wanted: Target) -> tuple[Target, Held]:
    """With settings that nobody wants any more as they once were."""
    settings = {**records.settings_before(), **dict(wanted.settings)}
    # ip_forward comes first: writing it resets others (inet_forward_change in net/ipv4/devinet.c).
    ordered = sorted(settings.items(), key=lambda one: not one[0].endswith(("/ip_forward", "/forwarding")))
    held = kernel.held()
    # What stands on an interface that goes down goes with it, as was wished.
    down = {one.name for one in wanted.links if not one.up}
    foreign = _foreign(held)
    found = wanted._replace(
        addresses=(*wanted.addresses, *(one for one in foreign.addresses if one.interface not in down)),
        routes=(*wanted.routes, *(one for one in foreign.routes if one.interface not in down)),
        settings=tuple(ordered),
    )
    return found, held


def _foreign(held: Held) -> Target:
    """What others gave for good, and would not give again by themselves."""
    return Target(
        addresses=tuple(
            one for one in held.addresses if not is_ours(one) and one.lasting and one.protocol != BALANCE_PROTOCOL
        ),
        routes=tuple(one for one in held.routes if not is_ours(one) and one.plain and one.protocol not in _MADE_ANEW),
    )


def _before(kernel: NetworkKernel, held: Held, target: Target) -> Target:
    """How it stands, in the shape of something that can be asked for again."""
    named = {one.name for one in target.links}
    foreign = _foreign(held)
    return Target(
        tuple(one for one in held.links if one.name in named),
        (*(one for one in held.addresses if is_ours(one)), *foreign.addresses),
        (*(one for one in held.routes if is_ours(one)), *foreign.routes),
        held.tables,
        held.counted,
        tuple((name, value) for name, _ in target.settings if (value := read_setting(name)) is not None),
        kernel.balance.held(()).ours,
        exact=True,
    )


def _kept(records: Records, files: dict[str, str], wish: Wish) -> None:
    """Tell the next boot, and the watch of the uplinks; forget settings that are as they once were."""
    if records.confirmed() != files:
        records.keep(files)
    uplinks = () if wish.balance is None else tuple(one.name for one in wish.balance.balance.uplinks)
    records.watch_this(files.get(BALANCE, ""), uplinks)
    wanted = settings_of(wish)
    before = records.settings_before()
    if before.keys() - wanted.keys():
        records.remember_settings({name: value for name, value in before.items() if name in wanted})


def told() -> str:
    """How the network stands, as the JSON of ``reading.NetworkStatus``; DeployError where the kernel tells nothing."""
    from pydantic import TypeAdapter

    from appliance.services.network.reading import NetworkStatus, status

    return TypeAdapter(NetworkStatus).dump_json(status()).decode()
