"""Program data in streams: through a helper's socket and without one, to the end or not at all."""

import sys
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from hashlib import sha256
from itertools import repeat
from pathlib import Path

import pytest

from appliance.contract.program_data import DataKeeper, ProgramData
from appliance.contract.programs import Program, Ready, State
from appliance.helper.actions import Actions
from appliance.helper.admission import Admission
from appliance.helper.answers import HelperRefused
from appliance.helper.catalogue import Catalogue
from appliance.helper.client import HelperMachine
from appliance.helper.direct import DirectMachine
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from tests.appliance.helper.small import Answering

PYTHON = (sys.executable, "-I", "-c")
COPY = "import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, open(sys.argv[1] + '/got', 'wb'))"
SLEEPER = Program(name="m.one", command=("/bin/sleep", "600"), ready=Ready(settle=0.05))


def _data(name: str, **more: object) -> ProgramData:
    plain = {
        "take": (*PYTHON, "import sys; print(open(sys.argv[1] + '/kept').read(), end='')", "{state}"),
        "check": (*PYTHON, COPY, "{state}"),
        "put": (*PYTHON, COPY, "{state}"),
    }
    return ProgramData(name=name, program="m.one", **{**plain, **more})  # type: ignore[arg-type]


KEPT = {
    one.name: one
    for one in (
        _data("m.plain"),
        _data("m.nothing", take=("/bin/true",)),
        _data("m.large", take=(*PYTHON, "import sys\nfor _ in range(3072): sys.stdout.write('x' * 16384)")),
        _data("m.breaks", take=(*PYTHON, "import sys; print('half', flush=True); sys.exit('the disk has failed')")),
        _data("m.refuses", put=(*PYTHON, "import sys; sys.stdin.read(10); sys.exit('this is no mail')")),
        _data("m.passes-over", put=("/bin/true",)),
        _data("m.waits", take=("/bin/sh", "-c", "echo $$ >{state}/number; yes")),
        _data("m.late", take=("/bin/sleep", "60"), within=0.3),
        _data("m.still", put=(*PYTHON, COPY + "\nimport os; os.stat(sys.argv[1] + '/number')", "{state}"), still=True),
    )
}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "run", tmp_path / "state")


@pytest.fixture
def supervisor(places: Places) -> Iterator[OwnSupervisor]:
    with OwnSupervisor(places, {"m.one": SLEEPER}, groups=False) as made:
        places.prepare_for(SLEEPER, privileged=False)
        yield made


@pytest.fixture(params=["by the helper", "directly"])
def keeper(
    request: pytest.FixtureRequest, tmp_path: Path, places: Places, supervisor: OwnSupervisor, answering: Answering
) -> Iterator[DataKeeper]:
    if request.param == "directly":
        yield DirectMachine(supervisor, {"m.one": SLEEPER}, places, kept=KEPT)
        return
    actions = Actions(
        catalogue=Catalogue(programs={"m.one": SLEEPER}, data=KEPT),
        supervisor=supervisor,
        admission=Admission(tmp_path / "daemon", tmp_path / "store"),
        places=places,
        privileged=False,
    )
    with answering(actions.do, keeper=actions) as path:
        yield HelperMachine(path, tmp_path)


def _taken(keeper: DataKeeper, name: str) -> bytes:
    with closing(keeper.take_data(name)) as chunks:
        return b"".join(chunks)


def test_what_is_taken_is_put(keeper: DataKeeper, places: Places) -> None:
    folder = places.state_of("m.one")
    (folder / "kept").write_text("surat\n" * 100_000)
    taken = _taken(keeper, "m.plain")
    keeper.check_data("m.plain", [taken])
    keeper.put_data("m.plain", [taken[:5], taken[5:]])
    assert (folder / "got").read_text() == "surat\n" * 100_000
    assert _taken(keeper, "m.nothing") == b""


def test_much_of_it_is_never_in_memory(keeper: DataKeeper, places: Places) -> None:
    largest, digest = 0, sha256()

    def passed() -> Generator[bytes, None, None]:
        nonlocal largest
        with closing(keeper.take_data("m.large")) as chunks:
            for chunk in chunks:
                largest = max(largest, len(chunk))
                digest.update(chunk)
                yield chunk

    keeper.put_data("m.plain", passed())
    got = places.state_of("m.one") / "got"
    assert got.stat().st_size == 48 << 20
    assert sha256(got.read_bytes()).digest() == digest.digest()
    assert largest <= 1 << 20


def test_what_failed_says_why_at_its_end(keeper: DataKeeper) -> None:
    with pytest.raises(SupervisionFailed, match="the disk has failed"):
        _taken(keeper, "m.breaks")
    with pytest.raises(SupervisionFailed, match="this is no mail"):
        keeper.put_data("m.refuses", repeat(b"x" * 100_000, 50))
    with pytest.raises(SupervisionFailed, match=r"did not|before it had read|ended with"):
        keeper.put_data("m.passes-over", repeat(b"x" * 100_000, 50))
    with pytest.raises(SupervisionFailed, match="ended with -9"):
        _taken(keeper, "m.late")
    with pytest.raises(HelperRefused, match="declares data"):
        _taken(keeper, "m.other")
    with pytest.raises(HelperRefused, match="declares data"):
        keeper.put_data("m.other", [b"x"])
    # And it serves on.
    assert _taken(keeper, "m.nothing") == b""


def test_who_stops_in_the_middle_puts_nothing(keeper: DataKeeper, places: Places) -> None:
    """The command is killed before it could take the part for the whole."""

    class Damaged(Exception):
        pass

    def breaks() -> Iterable[bytes]:
        yield b"x" * 100_000
        raise Damaged

    with pytest.raises(Damaged):
        keeper.put_data("m.still", breaks())
    left = keeper.take_data("m.waits")
    assert next(left)
    left.close()
    number = int((places.state_of("m.one") / "number").read_text())
    deadline = time.monotonic() + 60
    while Path(f"/proc/{number}").exists():
        assert time.monotonic() < deadline, "what nobody listens to still runs"
        time.sleep(0.02)


def test_the_program_stands_still_while_it_is_put(
    keeper: DataKeeper, supervisor: OwnSupervisor, places: Places, tmp_path: Path
) -> None:
    first = supervisor.start(SLEEPER, str(tmp_path))
    (places.state_of("m.one") / "number").write_text("1")
    keeper.put_data("m.still", [b"x"])
    (now,) = supervisor.status()
    assert now.state is State.READY
    assert now.process != first.process
    # Also when it could not be put.
    (places.state_of("m.one") / "number").unlink()
    with pytest.raises(SupervisionFailed):
        keeper.put_data("m.still", [b"x"])
    assert supervisor.status()[0].state is State.READY
    keeper.put_data("m.plain", [b"x"])
    supervisor.stop("m.one")
    (places.state_of("m.one") / "number").write_text("1")
    keeper.put_data("m.still", [b"x"])
    assert supervisor.status()[0].state is State.STOPPED
