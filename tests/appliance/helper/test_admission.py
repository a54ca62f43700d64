"""What root uses is what the manifest says, and nobody changes it under its hands."""

import grp
import json
import os
import pwd
import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.helper.admission import KEPT_COPIES, LARGEST_FILE, Admission, _safe
from appliance.helper.answers import HelperRefused
from tests.appliance.helper.small import Generations, as_root

FILES = {"m.web/main.cf": b"listen = 1\n", "m.web/maps/users": b"tono\n", "m.other/x": b"x"}


@pytest.fixture
def admission(generations: Generations, tmp_path: Path) -> Admission:
    generations.write(7, FILES)
    return Admission(generations.root, tmp_path / "store")


def manifest(generations: Generations) -> Path:
    return generations.root / "generations" / "7" / "manifest.json"


def refused(admission: Admission, number: int = 7, component: str = "m.web") -> str:
    with pytest.raises(HelperRefused) as caught:
        admission.admit(number, component)
    assert caught.value.code in {"tampered", "unknown", "ill-formed"}
    return caught.value.message


def test_one_component_is_copied_and_nothing_else(admission: Admission, generations: Generations) -> None:
    (generations.root / "generations" / "7" / "m.web" / "planted").write_text("#!/bin/sh", encoding="utf-8")
    copy = admission.admit(7, "m.web")
    found = {str(path.relative_to(copy)): path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert found == {"main.cf": b"listen = 1\n", "maps/users": b"tono\n"}


def test_a_copy_is_not_so_young_that_somebody_could_be_writing_it(admission: Admission) -> None:
    """Postfix waits until main.cf and its tables are a second old, and inside its unit nobody can date them."""
    copy = admission.admit(7, "m.web")
    for path in (copy / "main.cf", copy / "maps/users"):
        assert path.stat().st_mtime < time.time() - 10


def test_a_copy_does_not_change_with_its_source(admission: Admission, generations: Generations) -> None:
    copy = admission.admit(7, "m.web")
    (generations.root / "generations" / "7" / "m.web" / "main.cf").write_bytes(b"evil\n")
    assert (admission.admit(7, "m.web") / "main.cf").read_bytes() == b"listen = 1\n"
    assert admission.admit(7, "m.web") == copy


def test_a_file_that_is_not_what_the_manifest_says_is_refused(admission: Admission, generations: Generations) -> None:
    (generations.root / "generations" / "7" / "m.web" / "main.cf").write_bytes(b"evil\n")
    assert refused(admission) == "m.web/main.cf is not what generation 7 says"


def test_the_same_number_with_another_manifest_is_another_copy(admission: Admission, generations: Generations) -> None:
    first = admission.admit(7, "m.web")
    generations.write(7, {"m.web/main.cf": b"listen = 2\n"})
    second = admission.admit(7, "m.web")
    assert first != second
    assert (first / "main.cf").read_bytes() == b"listen = 1\n"
    assert (second / "main.cf").read_bytes() == b"listen = 2\n"


@pytest.mark.parametrize("what", ["m.web/main.cf", "m.web/maps", "m.web", "manifest.json", "."])
def test_a_link_is_refused_wherever_it_stands(
    admission: Admission, generations: Generations, tmp_path: Path, what: str
) -> None:
    path = generations.root / "generations" / "7" / what
    aside = tmp_path / "aside"
    path.resolve().rename(aside)
    (generations.root / "generations" / "7" if what == "." else path).symlink_to(aside)
    refused(admission)


def test_the_folder_of_generations_may_not_be_a_link(admission: Admission, generations: Generations) -> None:
    folder = generations.root / "generations"
    folder.rename(generations.root / "elsewhere")
    folder.symlink_to(generations.root / "elsewhere")
    refused(admission)


def test_a_pipe_does_not_keep_root_waiting(admission: Admission, generations: Generations) -> None:
    path = generations.root / "generations" / "7" / "m.web" / "main.cf"
    path.unlink()
    os.mkfifo(path)
    assert "is no plain file" in refused(admission)


def test_a_file_without_end_is_refused(admission: Admission, generations: Generations) -> None:
    path = generations.root / "generations" / "7" / "m.web" / "main.cf"
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    assert "larger than" in refused(admission)


@pytest.mark.parametrize(
    ("number", "component"), [(8, "m.web"), (7, "m.none"), (7, "../7/m.web"), (7, ""), (7, "m.web/maps"), (7, ".")]
)
def test_what_is_not_there_is_refused(admission: Admission, number: int, component: str) -> None:
    refused(admission, number, component)


@pytest.mark.parametrize("path", ["../../../etc/shadow", "/etc/shadow", "a/../../x", "", "x\0y", "y" * 600])
def test_paths_that_lead_out_are_refused(admission: Admission, generations: Generations, path: str) -> None:
    told = json.loads(manifest(generations).read_text(encoding="utf-8"))
    told["files"][0]["path"] = path
    manifest(generations).write_text(json.dumps(told), encoding="utf-8")
    refused(admission)


@given(st.text())
def test_no_path_leads_out(text: str) -> None:
    try:
        path = _safe(text, 1)
    except HelperRefused:
        return
    assert os.path.normpath(f"/a/b/{path}").startswith("/a/b/")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"number": 8, "files": []}', '{"number": "7", "files": []}'])
def test_a_manifest_that_is_none_is_refused(admission: Admission, generations: Generations, text: str) -> None:
    manifest(generations).write_text(text, encoding="utf-8")
    refused(admission)


@as_root
def test_rights_are_those_of_the_program_and_never_more(generations: Generations, tmp_path: Path) -> None:
    modes = {"m.web/shared": 0o640, "m.web/key": 0o600, "m.web/run": 0o6777, "m.web/all": 0o666}
    generations.write(7, dict.fromkeys(modes, b"x"), modes=modes)
    copy = Admission(generations.root, tmp_path / "store").admit(7, "m.web", "nobody")
    user = pwd.getpwnam("nobody")
    found = {path.name: path.stat() for path in copy.iterdir()}
    assert {name: (one.st_uid, one.st_gid, stat.S_IMODE(one.st_mode)) for name, one in found.items()} == {
        "shared": (0, user.pw_gid, 0o640),
        "key": (user.pw_uid, user.pw_gid, 0o400),
        "run": (0, user.pw_gid, 0o755),
        "all": (0, user.pw_gid, 0o644),
    }


@as_root
def test_the_readers_of_a_program_that_starts_as_root_read_its_tables_and_not_its_keys(
    generations: Generations, tmp_path: Path
) -> None:
    modes = {"m.web/table": 0o640, "m.web/key": 0o600}
    generations.write(7, dict.fromkeys(modes, b"x"), modes=modes)
    copy = Admission(generations.root, tmp_path / "store").admit(7, "m.web", readers="nogroup")
    group = grp.getgrnam("nogroup").gr_gid
    found = {path.name: path.stat() for path in copy.iterdir()}
    assert {name: (one.st_uid, one.st_gid, stat.S_IMODE(one.st_mode)) for name, one in found.items()} == {
        "table": (0, group, 0o640),
        "key": (0, 0, 0o600),
    }


def test_old_copies_go_and_those_in_use_stay(generations: Generations, tmp_path: Path) -> None:
    admission = Admission(generations.root, tmp_path / "store")
    generations.write(1, FILES)
    used = admission.admit(1, "m.web")
    for number in range(2, KEPT_COPIES + 6):
        generations.write(number, FILES)
        copy = admission.admit(number, "m.web", in_use={used})
        os.utime(copy.parents[1], (number, number))
        assert copy.is_dir()
    os.utime(used.parents[1], (0, 0))
    assert used.is_dir()
    assert len(list((tmp_path / "store").iterdir())) <= KEPT_COPIES + 2


def test_a_copy_that_is_taken_again_is_as_young_as_a_new_one(generations: Generations, tmp_path: Path) -> None:
    admission = Admission(generations.root, tmp_path / "store")
    for number in range(1, KEPT_COPIES + 2):
        generations.write(number, FILES)
        home = admission.admit(number, "m.web").parents[1]
        os.utime(home, (number, number))
    # The first is taken again; between that and its start another comes, and clears the oldest away.
    again = admission.admit(2, "m.web")
    generations.write(99, FILES)
    admission.admit(99, "m.web")
    assert again.is_dir()


READ = ("m.certificate", "m.absent")


def test_what_a_program_reads_of_others_lies_beside_its_own(generations: Generations, tmp_path: Path) -> None:
    admission = Admission(generations.root, tmp_path / "store")
    for number, key in ((1, b"old"), (2, b"new")):
        generations.write(number, {**FILES, "m.certificate/key.pem": key})
    first, second = (admission.admit(number, "m.web", reads=READ) for number in (1, 2))
    assert (first / "../m.certificate/key.pem").read_bytes() == b"old"
    assert (second / "../m.certificate/key.pem").read_bytes() == b"new"
    assert sorted(os.listdir(second.parent)) == ["m.certificate", "m.web"]
    alone = admission.admit(2, "m.web")
    assert sorted(os.listdir(alone.parent)) == ["m.web"]
    assert admission.admit(2, "m.web", reads=READ) == second


def test_what_is_read_of_others_is_compared_too(generations: Generations, tmp_path: Path) -> None:
    home = generations.write(7, {**FILES, "m.certificate/key.pem": b"k"})
    (home / "m.certificate" / "key.pem").write_bytes(b"evil")
    admission = Admission(generations.root, tmp_path / "store")
    with pytest.raises(HelperRefused, match=r"m\.certificate/key\.pem is not what generation 7 says"):
        admission.admit(7, "m.web", reads=READ)
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []
