"""Program data in a backup: taken, tried, put, and never half."""

from __future__ import annotations

import zipfile
from collections.abc import Generator, Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance.contract.program_data import ProgramData
from appliance.contract.service import Service
from appliance.store import kept_data
from appliance.store.archive import BadBackup
from appliance.store.backup import backup, restore, verify_backup
from appliance.store.engine import Store
from appliance.store.migrate import upgrade
from tests.appliance.store.test_backup import ALL, SHOP, filled

LETTERS = ProgramData(name="shop.letters", program="shop.web", take=("t",), check=("c",), put=("p",))
NOTHING = ProgramData(name="shop.nothing", program="shop.web", take=("t",), check=("c",), put=("p",))


class Keeper:
    """A machine that holds letters."""

    def __init__(self, letters: bytes = b"") -> None:
        self.letters = letters
        self.checked: list[bytes] = []
        self.fails = False

    def take_data(self, name: str) -> Generator[bytes, None, None]:
        for place in range(0, len(self.letters) if name == LETTERS.name else 0, 1000):
            yield self.letters[place : place + 1000]
        if self.fails:
            raise OSError("the disk has failed")

    def check_data(self, name: str, chunks: Iterable[bytes]) -> None:
        assert name == LETTERS.name
        self.checked.append(b"".join(chunks))

    def put_data(self, name: str, chunks: Iterable[bytes]) -> None:
        assert name == LETTERS.name
        self.letters = b"".join(chunks)


@pytest.fixture(autouse=True)
def shop(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The shop keeps letters."""
    made = SimpleNamespace(data=(LETTERS, NOTHING))

    def data_of(service: Service) -> tuple[ProgramData, ...]:
        return tuple(made.data) if service.name == SHOP.name else ()

    monkeypatch.setattr(kept_data, "data_of", data_of)
    return made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return filled(f"sqlite:///{tmp_path}/store.db")


def test_it_is_tried_before_anything_is_changed_and_comes_back(store: Store, tmp_path: Path) -> None:
    here, file = Keeper(b"surat " * 5000), tmp_path / "one.zip"
    made = backup(store, file, [SHOP], all_of=ALL, keeper=here)
    assert [part.path for part in made.parts if part.data] == ["data/shop/shop.letters"]
    assert verify_backup(file, ALL, keeper=here) == made
    assert here.checked == [here.letters]
    empty, there = Store(f"sqlite:///{tmp_path}/empty.db"), Keeper(b"later")
    upgrade(empty, [SHOP], None)
    before = tmp_path / "before.zip"
    restore(empty, file, [SHOP], all_of=ALL, before=before, keeper=there)
    assert there.letters == here.letters
    assert there.checked == [here.letters]
    with zipfile.ZipFile(before) as archive:
        assert archive.read("data/shop/shop.letters") == b"later"
    # Whoever has no machine keeps and compares the rest of it, and other services leave it alone.
    assert verify_backup(file, ALL) == made
    restore(empty, file, [], all_of=ALL, before=tmp_path / "none.zip", keeper=there)


def test_a_backup_that_is_interrupted_is_none(store: Store, tmp_path: Path) -> None:
    keeper = Keeper(b"surat " * 5000)
    keeper.fails = True
    with pytest.raises(Exception, match=r"the disk has failed|could not be written"):
        backup(store, tmp_path / "kept" / "one.zip", [SHOP], all_of=ALL, keeper=keeper)
    assert list((tmp_path / "kept").iterdir()) == []


def test_what_is_damaged_or_unknown_is_not_put(store: Store, tmp_path: Path, shop: SimpleNamespace) -> None:
    file, bent = tmp_path / "one.zip", tmp_path / "bent.zip"
    backup(store, file, [SHOP], all_of=ALL, keeper=Keeper(b"surat " * 5000))
    with zipfile.ZipFile(file) as good, zipfile.ZipFile(bent, "w") as bad:
        for one in good.namelist():
            bad.writestr(one, good.read(one).replace(b"surat surat", b"SURAT surat"))
    there = Keeper(b"later")
    for keeper in (there, None):
        with pytest.raises(BadBackup, match=r"shop\.letters is not what was written"):
            restore(store, bent, [SHOP], all_of=ALL, before=tmp_path / "b.zip", keeper=keeper)
    shop.data = ()
    with pytest.raises(BadBackup, match=r"holds shop\.letters, which shop of this version does not keep"):
        restore(store, file, [SHOP], all_of=ALL, before=tmp_path / "c.zip", keeper=there)
    assert there.letters == b"later"
