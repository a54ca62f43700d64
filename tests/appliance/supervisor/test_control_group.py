"""The name of the group: of the folder that is there, not of its path alone."""

from pathlib import Path

from appliance.supervisor.control_group import name_for


def test_one_path_in_two_file_systems_is_two_groups(tmp_path: Path) -> None:
    """As supervisors in mount namespaces of their own see it: the link stands for what is mounted there."""
    seen = tmp_path / "run"
    names = []
    for world in ("one", "other", "one"):
        (tmp_path / world).mkdir(exist_ok=True)
        seen.unlink(missing_ok=True)
        seen.symlink_to(tmp_path / world)
        names.append(name_for(seen))
    assert names[0] == names[2] != names[1]


def test_a_folder_that_is_not_there_yet_has_a_name_too(tmp_path: Path) -> None:
    assert name_for(tmp_path / "none") != name_for(tmp_path / "other")
