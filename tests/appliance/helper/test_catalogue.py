"""What the installed services declare to root: which of it a daemon that was taken over could bend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.helper.catalogue import Catalogue, installed_catalogue

INTERPRETERS = {"bash", "dash", "env", "lua", "perl", "php", "python", "sh"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return installed_catalogue()


def begun_by_root(catalogue: Catalogue) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every command line that has root's rights at its beginning."""
    for program in catalogue.programs.values():
        if not program.user:
            reload = program.reload if isinstance(program.reload, tuple) else ()
            yield from ((program.name, words) for words in (program.command, program.check, reload) if words)
    for operation in catalogue.operations.values():
        if not operation.user:
            yield operation.name, operation.command
    for data in catalogue.data.values():
        yield from ((data.name, words) for words in (data.take, data.check, data.put))


def script_of(words: tuple[str, ...]) -> str:
    """What an interpreter would read: the first word that is no option, unless -c or -m say it all."""
    if Path(words[0]).name.rstrip("0123456789.") not in INTERPRETERS:
        return ""
    for word in words[1:]:
        if word in {"-c", "-m"}:
            return ""
        if not word.startswith("-"):
            return word
    return ""


def test_root_runs_no_script_that_lies_in_a_generation(catalogue: Catalogue) -> None:
    """The daemon's user writes generations, so a script among their files would be a command of his as root."""
    found = list(begun_by_root(catalogue))
    assert len(found) > 20
    assert [name for name, words in found if not Path(words[0]).is_absolute() or "{" in words[0]] == []
    assert [(name, script_of(words)) for name, words in found if "{" in script_of(words)] == []


def test_few_may_do_more_than_a_master_needs(catalogue: Catalogue) -> None:
    """Those that may change the machine at large are the two that try a network."""
    great = {"CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_DAC_READ_SEARCH", "CAP_MKNOD"}
    found = {program.name for program in catalogue.programs.values() if great & set(program.capabilities)}
    assert found == {"network.check", "network.standing"}
