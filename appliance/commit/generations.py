"""The folder of generations: what is written there, by what names, and whether it is still as it was written.

::

    generations/7/manifest.json        who, when, note, and each file's SHA-256 and mode
    generations/7/components.json      the components themselves, mode 0600
    generations/7/mail.postfix/main.cf
    current -> generations/7
    journal.json
    lock
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from appliance import durable
from appliance.commit.keeping import Kept
from appliance.commit.results import Action, Edit
from appliance.contract.components import RenderedFile
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["Folder", "GenerationUnreadable", "Manifest", "Written", "Wrote"]

FOLDER_MODE = 0o750


class GenerationUnreadable(Refused):
    """A generation that cannot be used any more."""

    code = "generation-unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """One file of a manifest."""

    component: str
    path: str
    sha256: str
    mode: int
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a generation says of itself."""

    number: int
    who: str
    when: datetime
    note: str = ""
    components: tuple[str, ...] = ()
    files: tuple[Wrote, ...] = ()


EMPTY = Manifest(number=0, who="", when=datetime.fromisoformat("1970-01-01T00:00:00+00:00"))
"""Of the empty machine."""


@dataclass(frozen=True, slots=True)
class Written:
    """A generation as it is on disk."""

    manifest: Manifest
    kept: Mapping[str, Kept]
    lost: bool = False
    """Its files are gone, or cannot be read any more: nothing is known of what it held."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Where everything is."""

    root: Path

    @property
    def generations(self) -> Path:
        """Where they are, each under its number."""
        return self.root / "generations"

    @property
    def current(self) -> Path:
        """The link."""
        return self.root / "current"

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.root / "journal.json"

    @property
    def lock(self) -> Path:
        """The lock."""
        return self.root / "lock"

    def of(self, number: int) -> Path:
        """One generation. Generation 0 is there too, empty, so that ``current`` always leads somewhere."""
        return self.generations / str(number)

    def prepare(self) -> None:
        """Make what is missing, and clear away what a crash has left half made. Raises GenerationUnreadable when
        something stands in the place of ``current``."""
        self.root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        self.generations.mkdir(mode=FOLDER_MODE, exist_ok=True)
        self.of(0).mkdir(mode=FOLDER_MODE, exist_ok=True)
        for half in self.generations.glob(".*"):
            durable.remove(half)
        if not self.current.is_symlink():
            if self.current.exists():
                raise GenerationUnreadable(_("{path} is no symbolic link"), path=str(self.current))
            durable.point(self.current, "generations/0")

    def numbers(self) -> tuple[int, ...]:
        """The generations that are there, without the empty one."""
        if not self.generations.is_dir():
            return ()
        found = (path.name for path in self.generations.iterdir())
        return tuple(sorted(int(name) for name in found if re.fullmatch(r"[1-9][0-9]{0,8}", name)))

    def pointed(self) -> int:
        """The generation that ``current`` names. Raises GenerationUnreadable when somebody bent it."""
        try:
            target = os.readlink(self.current)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise GenerationUnreadable(_("{path} is no symbolic link"), path=str(self.current)) from error
        match = re.fullmatch(r"generations/([0-9]{1,9})", target)
        if match is None:
            raise GenerationUnreadable(_("{path} leads to {target}"), path=str(self.current), target=target)
        return int(match[1])

    def switch(self, number: int) -> None:
        """Make ``current`` name another generation, at once."""
        durable.point(self.current, f"generations/{number}")

    def read(self, number: int) -> Written:
        """A generation. Raises GenerationUnreadable."""
        if number == 0:
            return Written(EMPTY, {})
        path = self.of(number) / "manifest.json"
        try:
            manifest = _manifests().validate_json(path.read_bytes())
            path = self.of(number) / "components.json"
            kept = _kept().validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error.errors()[0]["msg"])
            raise GenerationUnreadable(
                _("generation {number} cannot be read: {why}"), number=number, why=f"{path}: {why}"
            ) from error
        return Written(manifest, {one.name: one for one in kept})

    def found(self, number: int) -> Written:
        """A generation as far as it is there, for what has to go on without it: of a lost one nothing."""
        try:
            return self.read(number)
        except GenerationUnreadable:
            return Written(replace(EMPTY, number=number), {}, lost=True)

    def write(self, manifest: Manifest, kept: Sequence[Kept], files: Mapping[str, Sequence[RenderedFile]]) -> None:
        """Write a generation: all of it under its number, or nothing. Raises OSError."""
        aside = self.generations / f".new-{manifest.number}"
        try:
            durable.make_folder(aside, FOLDER_MODE)
            for component, rendered in files.items():
                _write_component(aside / component, rendered)
            durable.write(aside / "components.json", _kept().dump_json(list(kept), indent=1), 0o600)
            durable.write(aside / "manifest.json", _manifests().dump_json(manifest, indent=1), 0o640)
            durable.sync_folder(aside)
            durable.move(aside, self.of(manifest.number))
        except OSError:
            if aside.exists():
                durable.remove(aside)
            raise

    def edits(self, number: int) -> tuple[Edit, ...]:
        """What is no longer as the commit wrote it: content, mode, gone, or added. Of a lost one its manifest."""
        generation = self.found(number)
        if generation.lost:
            action = Action.CHANGE if (self.of(number) / "manifest.json").exists() else Action.REMOVE
            return (Edit(component="", path="manifest.json", action=action),)
        wrote = {(one.component, one.path): one for one in generation.manifest.files}
        there = set(_files_below(self.of(number)))
        found = [Edit(component=component, path=path, action=Action.ADD) for component, path in there - wrote.keys()]
        for (component, path), one in wrote.items():
            if (component, path) not in there:
                found.append(Edit(component=component, path=path, action=Action.REMOVE))
            elif not _is_as_written(self.of(number) / component / path, one):
                found.append(Edit(component=component, path=path, action=Action.CHANGE))
        return tuple(sorted(found, key=lambda edit: (edit.component, edit.path)))

    def content(self, number: int, component: str, path: str) -> bytes | None:
        """A file of a generation, or None when it cannot be read."""
        try:
            return (self.of(number) / component / path).read_bytes()
        except OSError:
            return None


def wrote(component: str, file: RenderedFile) -> Wrote:
    """The manifest's line of a file."""
    return Wrote(
        component=component,
        path=file.path,
        sha256=sha256(file.content).hexdigest(),
        mode=file.mode,
        secret=file.secret,
    )


def _write_component(folder: Path, rendered: Sequence[RenderedFile]) -> None:
    """Its files, then the names of its folders, the deepest first."""
    made = [folder]
    durable.make_folder(folder, FOLDER_MODE)
    for file in sorted(rendered, key=lambda one: one.path):
        path = folder / file.path
        for parent in reversed(path.relative_to(folder).parents):
            inner = folder / parent
            if inner not in made:
                durable.make_folder(inner, FOLDER_MODE)
                made.append(inner)
        durable.write(path, file.content, file.mode)
    for inner in reversed(made):
        durable.sync_folder(inner)


def _files_below(root: Path) -> list[tuple[str, str]]:
    """Everything in the components' folders that is no folder, links among them."""
    found = []
    for folder, folders, names in os.walk(root):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*names, *links):
            relative = (Path(folder) / name).relative_to(root)
            if len(relative.parts) > 1:
                found.append((relative.parts[0], str(Path(*relative.parts[1:]))))
    return found


def _is_as_written(path: Path, one: Wrote) -> bool:
    try:
        seen = path.lstat()
        return (
            stat.S_ISREG(seen.st_mode)
            and stat.S_IMODE(seen.st_mode) == one.mode
            and sha256(path.read_bytes()).hexdigest() == one.sha256
        )
    except OSError:
        return False


@cache
def _manifests() -> TypeAdapter[Manifest]:
    return TypeAdapter(Manifest)


@cache
def _kept() -> TypeAdapter[list[Kept]]:
    return TypeAdapter(list[Kept])
