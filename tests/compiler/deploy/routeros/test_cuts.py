"""The connection lost at each sentence of a deploy: afterwards the device is as it was or as planned."""

from __future__ import annotations

import os
from functools import lru_cache
from itertools import cycle

import pytest

from compiler.deploy.deployment import DeployError
from tests.compiler.deploy.routeros.devices import (
    CHANGES,
    RELEASES,
    Held,
    Moment,
    cut,
    deploy,
    exported,
    foreign_rows,
    made,
    pass_time,
    revived,
    served,
    snapshot,
    stand,
)

_ALL = bool(os.environ.get("GERBANG_LONG"))


@lru_cache(maxsize=64)
def _before(name: str, release: str) -> Held:
    device = made(release)
    stand(device, CHANGES[name][0])
    return snapshot(device)


@lru_cache(maxsize=64)
def _ends(name: str, release: str) -> tuple[str, str, int, int, int]:
    """Before, as planned; sentences until it is applied, and until it is confirmed; how many of the first write."""
    wanted = CHANGES[name][1]
    device = revived(_before(name, release), release)
    before = exported(device)
    with served(device) as server:
        server.received.clear()
        deployment = deploy(server, wanted)
        deployment.apply(60)
        applied = len(server.received)
        writes = sum(map(_writes, server.received))
        deployment.confirm()
        confirmed = len(server.received)
    assert device.log == []
    return before, exported(device), applied, confirmed, writes


def _writes(words: tuple[bytes, ...]) -> bool:
    return words[0].rsplit(b"/")[-1] in (b"add", b"set", b"remove", b"move")


def _cuts(count: int, stride: int) -> list[tuple[int, Moment]]:
    """Each sentence at each moment in the long run; else some over the whole deploy, the moments in turn."""
    if _ALL:
        return [(number, moment) for number in range(1, count + 1) for moment in Moment]
    turns = cycle(Moment)
    return [(number, next(turns)) for number in sorted({*range(1, count + 1, stride), count - 3, count})]


@pytest.mark.parametrize("comes_back", [True, False])
@pytest.mark.parametrize("release", RELEASES if _ALL else RELEASES[:1])
@pytest.mark.parametrize("name", CHANGES)
def test_cut_while_it_is_applied(name: str, release: str, comes_back: bool) -> None:
    wanted = CHANGES[name][1]
    before, planned, applied, _, _ = _ends(name, release)
    for number, moment in _cuts(applied, 17):
        device = revived(_before(name, release), release)
        others = foreign_rows(device)
        with served(device) as server:
            cut(server, number, moment)
            with pytest.raises(DeployError) as caught:
                deploy(server, wanted, 3 if comes_back else 0).apply(60)
        text = str(caught.value)
        if not comes_back:
            pass_time(device, 61)
        elif "as it was before the deploy" not in text:
            assert "othing was changed" in text or "cannot be reached" in text, text
        where = f"sentence {number}, {moment.value}: {text}"
        assert exported(device) == before, where
        assert foreign_rows(device) == others, where
        assert not [line for line in device.log if "could not" in line or "error" in line], where
    assert before != planned


@pytest.mark.parametrize("comes_back", [True, False])
@pytest.mark.parametrize("release", RELEASES if _ALL else RELEASES[:1])
@pytest.mark.parametrize("name", CHANGES if _ALL else ["first", "method"])
def test_cut_while_it_is_confirmed(name: str, release: str, comes_back: bool) -> None:
    """As planned from the sentence on that takes the runner away; before it, as it was."""
    wanted = CHANGES[name][1]
    before, planned, applied, confirmed, _ = _ends(name, release)
    ends = []
    for number, moment in _cuts(confirmed - applied, 6):
        device = revived(_before(name, release), release)
        others = foreign_rows(device)
        with served(device) as server:
            deploy(server, wanted).apply(60)
            deployment = deploy(server, wanted, 3 if comes_back else 1)
            cut(server, number, moment)
            if comes_back:
                deployment.confirm()
            else:
                with pytest.raises(DeployError):
                    deployment.confirm()
        pass_time(device, 61)
        ends.append(exported(device))
        assert ends[-1] == planned or (ends[-1] == before and not comes_back), f"{number} {moment}"
        assert foreign_rows(device) == others
    assert ends == sorted(ends, key=lambda end: end == planned), "nothing that comes later takes a confirmation back"


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", CHANGES if _ALL else ["uplink more"])
def test_a_trap_at_each_sentence_that_writes(name: str, release: str) -> None:
    wanted = CHANGES[name][1]
    before, _, _, _, writes = _ends(name, release)
    device = revived(_before(name, release), release)
    with served(device) as server:
        for number in range(1, writes + 1) if _ALL else {*range(1, writes + 1, 31), writes - 3}:
            seen = iter(range(1, 10**6))
            server.faults.trap(
                "failure: no space left",
                lambda words, seen=seen, number=number: _writes(words) and next(seen) == number,
            )
            with pytest.raises(DeployError, match=r"no space left.* as it was before the deploy"):
                deploy(server, wanted).apply(60)
            assert exported(device) == before, f"write {number}"
        assert deploy(server, wanted).apply(60) is not None, "no trap is left over"


def test_after_a_boot_the_device_is_as_it_was() -> None:
    """Only what waits for its start is left to run: the timer of a device without a clock may never come."""
    device = made()
    before = exported(device)
    with served(device) as server:
        deploy(server, CHANGES["first"][1]).apply(60)
    (boot,) = [row for row in device.tables["system", "scheduler"].rows if row.properties["name"].endswith("-boot")]
    assert boot.properties["start-time"] == "startup"
    device.scheduler.start(boot.properties["on-event"], "boot")
    assert exported(device) == before
    pass_time(device, 61)
    assert exported(device) == before
