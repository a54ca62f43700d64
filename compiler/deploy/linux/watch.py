"""The watch: asks the lines, and lets routes and connections follow what they answer.

One loop on one thread: echoes, news of interfaces, signals and the clock go
into :class:`compiler.balancing.liveness.Watch`; what it says is done at once,
routes first. Ended (SIGTERM), it leaves the routes as they are.

What is deployed is what it watches: while a deployment waits for its
confirmation it leaves the routes alone, then it reads what stands, and after a
removal it ends.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from compiler.balancing.liveness import (
    Answered,
    Carrier,
    Event,
    Flush,
    Leased,
    Probe,
    Probing,
    Refused,
    Step,
    Tick,
    Watch,
)
from compiler.balancing.plan import Plan, make_plan, port_of
from compiler.balancing.reading import read_balance
from compiler.deploy.deployment import DeployError
from compiler.deploy.linux.changes import route_steps
from compiler.deploy.linux.connections import forget
from compiler.deploy.linux.echoes import Echoes
from compiler.deploy.linux.journal import Journal
from compiler.deploy.linux.kernel import Kernel, Refusal, open_kernel
from compiler.deploy.linux.leases import known_leases, told_stamp
from compiler.deploy.linux.records import Records
from compiler.deploy.linux.state import wanted
from compiler.deploy.linux.status import read_status, started, write_status
from compiler.errors import GerbangError

__all__ = ["LinuxWatch"]

_NEWS = 0x1 | 0x10 | 0x40
"""RTMGRP_LINK, RTMGRP_IPV4_IFADDR and RTMGRP_IPV4_ROUTE (rtnetlink(7))."""


class LinuxWatch:
    """One daemon in this namespace; :meth:`run` lasts until a signal ends it."""

    def __init__(self, read: Callable[[], Plan], folder: Path, journal: Journal, probing: Probing) -> None:
        self._read = read
        self._folder = folder
        self._journal = journal
        self._probing = probing
        self._plan = read()
        self._watch = Watch(self._plan, probing)
        self._step: Step | None = None
        self._echoes: dict[str, Echoes] = {}
        self._selector = selectors.DefaultSelector()
        self._told = ""
        self._signals: list[int] = []
        self._since = time.time()
        self._records = Records(folder)
        self._stamp = ""
        """Of the deployed intent that is watched."""
        self._is_held, self._is_told = False, False
        """Whether routes wait for the end of a deployment; whether that was told."""
        self._flushes: list[Flush] = []
        """To do once routes may be changed again."""

    def run(self) -> None:
        """Watch until SIGTERM or SIGINT, or a removal; SIGHUP reads the file anew. DeployError when it cannot begin."""
        last = read_status(self._folder) or {}
        if last.get("running"):
            raise DeployError(f"a watch runs here already: process {last['pid']}")
        if not self._read_deployed():
            raise DeployError(
                f"the balance was removed from here: deploy an intent first ({self._folder}/deployed.json says so)"
            )
        # Who was dead when an earlier watch ended must answer first: else its restart would send traffic there.
        dead = [name for name, line in last.get("uplinks", {}).items() if not line.get("alive")]
        with open_kernel() as kernel, socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as news:
            news.bind((0, _NEWS))
            news.setblocking(False)
            self._selector.register(news, selectors.EVENT_READ, "news")
            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            os.set_blocking(reader, False)
            self._selector.register(reader, selectors.EVENT_READ, "signal")
            old = signal.set_wakeup_fd(writer)
            kept = {
                number: signal.signal(number, lambda got, _: self._signals.append(got))
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
            }
            try:
                self._begin(kernel, dead)
                self._loop(kernel, news, reader)
            finally:
                for number, handler in kept.items():
                    signal.signal(number, handler)
                signal.set_wakeup_fd(old)
                os.close(reader)
                os.close(writer)
                for echoes in self._echoes.values():
                    echoes.close()
                self._selector.close()

    # -- the loop ---------------------------------------------------------------------------------

    def _begin(self, kernel: Kernel, dead: Iterable[str] = ()) -> None:
        for echoes in self._echoes.values():
            self._close(echoes)
        self._echoes = {one.name: Echoes(port_of(one)) for one in self._plan.balance.uplinks}
        kernel.refresh()
        down = [one.name for one in self._plan.balance.uplinks if not kernel.has_carrier(port_of(one))]
        self._told = told_stamp(self._folder)
        leases = known_leases(self._plan, kernel, self._folder)
        self._journal.tell("start", f"watching {', '.join(self._echoes)}", uplinks=list(self._echoes))
        for name in down:
            self._journal.tell("carrier", f"{name}: no carrier", uplink=name, up=False)
        self._follow(kernel, self._watch.begin(time.monotonic_ns(), down, leases, dead))

    def _loop(self, kernel: Kernel, news: socket.socket, signals: int) -> None:
        while self._step is not None:
            left = max(0, self._step.wake - time.monotonic_ns()) / 1e9
            for key, _ in self._selector.select(left):
                if key.data == "news":
                    self._drain(news)
                    self._look(kernel)
                elif key.data == "signal":
                    with suppress(BlockingIOError):
                        os.read(signals, 64)
                else:
                    for probe in self._echoes[key.data].answered() if key.data in self._echoes else ():
                        self._take(kernel, Answered(time.monotonic_ns(), probe))
            while self._signals:
                if not self._obey(kernel, self._signals.pop(0)):
                    return
            if not self._deployments(kernel):
                self._journal.tell("stop", "the balance was removed: nothing is left to watch")
                return
            if told_stamp(self._folder) != self._told:
                self._look(kernel)
            if time.monotonic_ns() >= self._step.wake:
                self._take(kernel, Tick(time.monotonic_ns()))

    def _obey(self, kernel: Kernel, number: int) -> bool:
        if number != signal.SIGHUP:
            self._journal.tell("stop", f"ended by {signal.Signals(number).name}; routes stay as they are")
            return False
        try:
            plan = self._read()
        except (GerbangError, OSError) as error:
            self._journal.tell("error", f"the intent is kept as it was: {error}")
            return True
        self._plan = plan
        if not self._is_deployed():
            self._journal.tell("intent", f"{plan.balance.source} is not what is deployed; watching it until a deploy")
        self._begin_anew(kernel)
        return True

    def _begin_anew(self, kernel: Kernel) -> None:
        assert self._step is not None
        dead = set(self._step.health.lines) - set(self._step.health.alive)
        self._watch = Watch(self._plan, self._probing)
        self._begin(kernel, dead)

    # -- deployments ------------------------------------------------------------------------------

    def _read_deployed(self) -> bool:
        """Take over what is deployed; False when all was removed."""
        self._stamp = self._records.deployed_stamp()
        deployed = self._records.deployed()
        if deployed is None:
            return True
        if not deployed.text:
            return False
        if not self._is_deployed():
            source = deployed.source
            said = "the file is another by now" if self._step is None else "deployed and kept"
            self._journal.tell("intent", f"watching {source} as it was deployed ({said})")
            self._plan = make_plan(read_balance(deployed.text, source))
            self._watch = Watch(self._plan, self._probing)
        return True

    def _is_deployed(self) -> bool:
        deployed = self._records.deployed()
        if deployed is None or not deployed.text:
            return True
        return read_balance(deployed.text, self._plan.balance.source) == self._plan.balance

    def _deployments(self, kernel: Kernel) -> bool:
        """Hold still while one waits, follow when it is kept; False when it took all away."""
        if self._records.is_busy():
            self._is_held = True
            if not self._is_told:
                self._journal.tell("held", "a deployment waits for its confirmation: routes are left alone until then")
            self._is_told = True
            return True
        if self._records.deployed_stamp() != self._stamp:
            if not self._read_deployed():
                return False
            self._is_held, self._is_told = False, False
            self._flushes.clear()  # marks may mean other lines now
            self._begin_anew(kernel)
        elif self._is_held or self._is_told:  # a change of routes may have come first, and found it over
            self._is_held = False
            if self._is_told:
                self._journal.tell("resumed", "the deployment was taken back: routes follow the lines again")
            self._is_told = False
            self._look(kernel)
        return True

    def _drain(self, news: socket.socket) -> None:
        """What the news say is read from the kernel anyhow; an overrun (ENOBUFS) is news too."""
        while True:
            try:
                news.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                continue

    def _look(self, kernel: Kernel) -> None:
        """Carriers and leases as they are now; routes that the kernel dropped with an interface come back."""
        assert self._step is not None
        kernel.refresh()
        for uplink in self._plan.balance.uplinks:
            up = kernel.has_carrier(port_of(uplink))
            if self._step.health.lines[uplink.name].carrier != up:
                said = "carrier is back" if up else "no carrier"
                self._journal.tell("carrier", f"{uplink.name}: {said}", uplink=uplink.name, up=up)
                self._close(self._echoes[uplink.name])
                self._take(kernel, Carrier(time.monotonic_ns(), uplink.name, up))
        self._told = told_stamp(self._folder)
        try:
            leases = known_leases(self._plan, kernel, self._folder)
        except DeployError as error:
            self._journal.tell("error", str(error))
            return
        for uplink in self._plan.balance.uplinks:
            lease = leases.get(uplink.name)
            if self._step.health.lines[uplink.name].lease != lease:
                said = "another lease" if lease else "lease lost"
                self._journal.tell("lease", f"{uplink.name}: {said}", uplink=uplink.name)
                self._take(kernel, Leased(time.monotonic_ns(), uplink.name, lease))
        self._routes(kernel)

    def _take(self, kernel: Kernel, event: Event) -> None:
        assert self._step is not None
        self._follow(kernel, self._watch.take(self._step.health, event))

    # -- what follows -----------------------------------------------------------------------------

    def _follow(self, kernel: Kernel, step: Step) -> None:
        self._step = step
        for turn in step.turns:
            said = "alive" if turn.alive else "dead"
            self._journal.tell(said, f"{turn.uplink} is {said}: {turn.why}", uplink=turn.uplink, why=turn.why)
        if step.reroute:
            self._routes(kernel)
        self._flushes += step.flushes
        self._forget()
        if step.turns or step.reroute:
            self._write()
        refused = [probe for probe in step.send if not self._send(probe.uplink, probe)]
        for probe in refused:
            self._take(kernel, Refused(time.monotonic_ns(), probe))

    def _forget(self) -> None:
        if self._is_held:
            return  # new connections would go the old way again
        flushes, self._flushes = self._flushes, []
        for flush in flushes:
            try:
                count = forget(flush)
            except OSError as error:
                self._journal.tell("error", f"{flush.uplink}: connections are not forgotten: {error}")
                continue
            text = f"{flush.uplink}: {count} connections forgotten"
            self._journal.tell("forget", text, uplink=flush.uplink, connections=count)

    def _send(self, uplink: str, probe: Probe) -> bool:
        echoes = self._echoes[uplink]
        try:
            if echoes.socket is None:
                echoes.open()
                assert echoes.socket is not None
                self._selector.register(echoes.socket, selectors.EVENT_READ, uplink)
            echoes.send(probe)
        except PermissionError as error:
            raise DeployError(f"echoes need root (CAP_NET_RAW): {error.strerror}") from error
        except OSError:
            return False
        return True

    def _close(self, echoes: Echoes) -> None:
        if echoes.socket is not None:
            self._selector.unregister(echoes.socket)
            echoes.close()

    def _routes(self, kernel: Kernel) -> None:
        """Set routes by the living lines, unless a deploy is at work or waits: then later."""
        try:
            with self._records.at_once() as free:
                self._is_held = not free
                if free:
                    self._set_routes(kernel)
        except DeployError as error:
            self._journal.tell("error", str(error))
        self._forget()

    def _set_routes(self, kernel: Kernel) -> None:
        assert self._step is not None
        health, began = self._step.health, time.monotonic()
        target = wanted(self._plan, health.used, health.leases, ())
        steps = route_steps(kernel.held_routes(), target)
        done = 0
        down = [port_of(one) for one in self._plan.balance.uplinks if not health.lines[one.name].carrier]
        for step in steps:
            try:
                step.do(kernel)
                done += 1
            except Refusal as error:
                # By an interface that is down there are no routes: they are set when it is back.
                if not any(f"dev {port}" in step.change.what for port in down):
                    self._journal.tell("error", f"{step.change}: the kernel says: {error}")
        if done:
            spent = round((time.monotonic() - began) * 1000, 1)
            text = f"routes by {', '.join(health.used)}: {done} changes in {spent} ms"
            self._journal.tell("routes", text, used=list(health.used), changes=done, milliseconds=spent)

    def _write(self) -> None:
        assert self._step is not None
        health = self._step.health
        lines = {
            name: {"alive": line.alive, "carrier": line.carrier, "damped": line.damped, "used": name in health.used}
            for name, line in health.lines.items()
        }
        found = {
            "pid": os.getpid(),
            "started": started(os.getpid()),
            "since": self._since,
            "source": self._plan.balance.source,
            "used": list(health.used),
            "uplinks": lines,
        }
        try:
            write_status(self._folder, found)
        except OSError as error:
            self._journal.tell("error", f"{self._folder}: {error.strerror}")
