"""One program under supervision: started, watched, started again when it ends by itself, until it counts as failed."""

from __future__ import annotations

import asyncio
import logging
import time
from signal import Signals

from appliance.contract.programs import Program, State, Status
from appliance.supervisor import readiness
from appliance.supervisor.bounded import run
from appliance.supervisor.errors import SupervisionFailed, why_of
from appliance.supervisor.output import Output
from appliance.supervisor.privileges import environment, prefix
from appliance.supervisor.restarts import Pace, Restarts
from appliance.supervisor.running import Running, Surroundings, launch

__all__ = ["Supervised"]

LAST_WORDS = 12
"""Lines of output in a failure."""
journal = logging.getLogger("gerbang.supervisor")


class Supervised:
    """All methods are of the supervisor's loop; ``start``, ``reload`` and ``stop`` of one program come one by one,
    but ``stop`` may come while ``start`` waits."""

    def __init__(self, program: Program, around: Surroundings, pace: Pace) -> None:
        self.program = program
        self.state = State.STOPPED
        self.running: Running | None = None
        self.output = Output(around.places.log_of(program.name))
        self._around = around
        self._pace = pace
        self._since = time.time()
        self._restarted = 0
        self._said = ""
        self._task: asyncio.Task[None] | None = None
        self._outcome: asyncio.Future[None] | None = None

    @property
    def status(self) -> Status:
        """As others see it."""
        return Status(
            program=self.program.name,
            state=self.state,
            process=self.running.number if self.running else 0,
            since=self._since,
            restarts=self._restarted,
            said=self._said,
        )

    async def start(self, files: str) -> None:
        """Start it. Raises SupervisionFailed with its last words when it does not come to serve."""
        self._around.places.link_files(self.program.name, files)
        self._restarted = 0
        self._turn(State.STARTING)
        loop = asyncio.get_running_loop()
        self._outcome = loop.create_future()
        self._outcome.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._task = loop.create_task(self._supervise())
        await asyncio.shield(self._outcome)

    async def reload(self, files: str) -> None:
        """Make it read the files. Raises SupervisionFailed when it ends at that or does not come to serve again."""
        way = self.program.reload
        running = self.running
        if way == "restart" or running is None:
            await self.stop()
            await self.start(files)
            return
        self._around.places.link_files(self.program.name, files)
        if isinstance(way, tuple):
            await self._reload_by(way)
        else:
            running.signal(Signals[f"SIG{way}"])
        # It needs a moment to see the signal; before that the old configuration still answers.
        ended = asyncio.ensure_future(running.exited.wait())
        await asyncio.wait({ended}, timeout=self.program.ready.settle)
        ended.cancel()
        await self._serves_again(running)
        journal.info("%s: reloaded", self.program.name)

    def interrupt(self) -> None:
        """Make a ``start`` that waits give up, because the program is to stop."""
        if self._outcome and not self._outcome.done():
            self._outcome.set_exception(SupervisionFailed(self.program.name, "it was stopped while it started"))

    async def stop(self) -> None:
        """Stop it; nothing of it runs afterwards."""
        self.interrupt()
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        if self.running:
            self._turn(State.STOPPING)
            await self.running.terminate()
            self.output.note("stopped")
            self.running = None
        self._turn(State.STOPPED)

    async def _supervise(self) -> None:
        restarts = Restarts(self.program.restarts, self.program.restart_window, self._pace)
        while True:
            try:
                self.running = await launch(self.program, self._around, self.output)
                self._turn(State.STARTING)
                await self.running.until_ready()
            except Exception as error:
                # Whatever it is, somebody waits for the outcome.
                await self._fail(why_of(error))
                return
            running = self.running
            if not running.exited.is_set():
                self._serves()
                await running.exited.wait()
            await running.end()
            self.running = None
            restarts, wait = restarts.after_end(time.monotonic())
            if wait is None:
                often = f"; it was started again {restarts.limit} times in {restarts.window:g} s"
                await self._fail(running.how + (often if restarts.limit else ""))
                return
            self.output.note(f"{running.how}; started again in {wait:g} s")
            self._restarted += 1
            self._turn(State.WAITING, running.how)
            await asyncio.sleep(wait)

    def _serves(self) -> None:
        self._turn(State.READY)
        if self._outcome and not self._outcome.done():
            self._outcome.set_result(None)

    async def _fail(self, why: str) -> None:
        if self.running:
            # Its last words may still be in the pipe; end() takes them out.
            await self.running.end()
            self.running = None
        words = "\n".join(list(self.output.lines)[-LAST_WORDS:])
        self.output.note(f"failed: {why}")
        self._turn(State.FAILED, f"{why}\n{words}".strip())
        if self._outcome and not self._outcome.done():
            self._outcome.set_exception(SupervisionFailed(self.program.name, why, words))

    async def _reload_by(self, command: tuple[str, ...]) -> None:
        privileged, places = self._around.privileged, self._around.places
        words = (
            *prefix(self.program, privileged=privileged),
            *(places.expanded(word, self.program.name) for word in command),
        )
        names = environment(self.program, privileged=privileged)
        within = self.program.ready.within
        outcome = await asyncio.to_thread(run, words, environment=names, within=within)
        if not outcome.fine:
            raise SupervisionFailed(self.program.name, "its reload command failed", outcome.said)

    async def _serves_again(self, running: Running) -> None:
        end = time.monotonic() + self.program.ready.within
        while not running.exited.is_set():
            notified = running.notification
            if notified and notified.reloading:
                serving = False
            elif self.program.ready.tcp or self.program.ready.unix:
                serving = await readiness.answers(self.program.ready, running.expand)
            else:
                serving = True
            if serving:
                return
            if time.monotonic() > end:
                wanted = readiness.describe(self.program.ready, running.expand)
                raise SupervisionFailed(self.program.name, f"after the reload it no longer {wanted}", self._words())
            await asyncio.sleep(0.02)
        raise SupervisionFailed(self.program.name, "it ended when it was told to reload", self._words())

    def _words(self) -> str:
        return "\n".join(list(self.output.lines)[-LAST_WORDS:])

    def _turn(self, state: State, said: str = "") -> None:
        if state is not self.state:
            self._since = time.time()
            journal.log(
                logging.WARNING if state in {State.WAITING, State.FAILED} else logging.INFO,
                "%s: %s%s",
                self.program.name,
                state.value,
                f": {said.splitlines()[0]}" if said else "",
            )
        self.state = state
        self._said = said
