"""What a commit changes in the files, as people read it; of secrets only that they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from hashlib import sha256

from appliance.commit.generations import Folder, Manifest, Wrote
from appliance.commit.results import Action, FileChange
from appliance.contract.components import RenderedFile

__all__ = ["differences"]


def differences(
    folder: Folder, before: Manifest, files: Mapping[str, Sequence[RenderedFile]]
) -> tuple[FileChange, ...]:
    """Each file that would be another one, by component and path.

    The old text is what stands on the disk; whether a file changed is decided
    against the manifest, so that an edit by hand alone is no change of ours.
    """
    old = {(one.component, one.path): one for one in before.files}
    new = {(component, file.path): file for component, rendered in files.items() for file in rendered}
    return tuple(
        _change(folder, before.number, key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if _differs(old.get(key), new.get(key))
    )


def _differs(old: Wrote | None, new: RenderedFile | None) -> bool:
    if old is None or new is None:
        return True
    return (old.sha256, old.mode) != (sha256(new.content).hexdigest(), new.mode)


def _change(
    folder: Folder, number: int, key: tuple[str, str], old: Wrote | None, new: RenderedFile | None
) -> FileChange:
    component, path = key
    secret = bool((old and old.secret) or (new and new.secret))
    was = (folder.content(number, component, path) or b"") if old else b""
    becomes = new.content if new else b""
    name = f"{component}/{path}"
    return FileChange(
        component=component,
        path=path,
        action=Action.ADD if old is None else Action.REMOVE if new is None else Action.CHANGE,
        difference=_secret(was, becomes) if secret else "".join(_unified(name, was, becomes)),
        mode=new.mode if new else 0,
        mode_before=old.mode if old else 0,
    )


def _secret(was: bytes, becomes: bytes) -> str:
    return "" if was == becomes else "changed\n"


def _unified(name: str, was: bytes, becomes: bytes) -> Iterator[str]:
    try:
        before, after = was.decode(), becomes.decode()
    except UnicodeDecodeError:
        yield from () if was == becomes else ("binary content changed\n",)
        return
    # Only \n ends a line here: a form feed or U+2028 inside a value must not tear it in two.
    lines = [[line + "\n" for line in text.split("\n")] for text in (before, after)]
    for one, text in zip(lines, (before, after), strict=True):
        if not one[-1].strip("\n"):
            one.pop()
        elif text:
            one[-1] += "\\ No newline at end of file\n"
    yield from unified_diff(lines[0], lines[1], f"before/{name}", f"after/{name}")
