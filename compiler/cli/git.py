"""What of git the command needs: the files that differ between two trees, read from the object database.

Nothing is checked out and nothing is written. Names of revisions come from the
user: each is resolved to a commit's hash first, so that none is taken for an option.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from compiler.analysis.review.files import ChangedFile, Version
from compiler.errors import UsageError

__all__ = ["Change", "between", "staged"]

_REGULAR = ("100644", "100755")
"""Modes of files; links (120000) and submodules (160000) hold no text of their own (git-diff(1))."""


_SHORT = 12
"""Digits of a hash that messages show."""


class Change(NamedTuple):
    """Two trees and the files that differ. ``skipped`` are those that no configuration can be."""

    old: str
    new: str
    files: tuple[ChangedFile, ...]
    skipped: tuple[str, ...]


class _Entry(NamedTuple):
    """One record of ``git diff --raw``. ``old`` or ``new`` is an empty hash where the file is not there."""

    old: str
    new: str
    old_path: str
    path: str


def between(range_text: str, paths: Sequence[str], wanted: Callable[[str], bool]) -> Change:
    """The change of ``BASE..HEAD``, or of ``BASE...HEAD`` since the two parted (gitrevisions(7)).

    ``paths`` are pathspecs, from the current folder; ``wanted`` tells from a path
    whether a file is worth looking into. Raises UsageError where there is no
    repository or no such revision, where a path names nothing, and for an end
    that is left out: git would take HEAD for it, and in CI an unset variable
    would then compare HEAD with itself and find nothing.
    """
    since_parting = "..." in range_text
    base, dots, head = range_text.partition("..." if since_parting else "..")
    if not dots:
        raise UsageError(f"--git {range_text}: expected BASE..HEAD, or BASE...HEAD for what HEAD adds to BASE")
    for side, end in (("before", base), ("after", head)):
        if not end.strip():
            raise UsageError(
                f"--git {range_text}: there is no revision {side} the dots (an unset variable?); "
                "say HEAD where HEAD is meant"
            )
    _need_repository()
    old, new = _commit(base), _commit(head)
    shown = base
    if since_parting:
        old = _parting(old, new, base, head)
        shown = old[:_SHORT]
    _check_paths(paths, ((old,), (new,)), f"neither {shown} nor {head}")
    files, skipped = _files((old, new), shown, paths, wanted)
    return Change(base, head, files, skipped)


def staged(paths: Sequence[str], wanted: Callable[[str], bool]) -> Change:
    """What ``git commit`` would change: the index against HEAD, or against nothing before the first commit."""
    _need_repository()
    try:
        old = _commit("HEAD")
    except UsageError:
        old = _empty_tree()
    _check_paths(paths, ((old,), ("--cached",)), "neither HEAD nor the index")
    files, skipped = _files(("--cached", old), "HEAD", paths, wanted)
    return Change("HEAD", "the index", files, skipped)


def _empty_tree() -> str:
    """The hash of the tree without files, which every repository knows."""
    return _git("hash-object", "-t", "tree", "--stdin", given=b"").decode().strip()


def _check_paths(paths: Sequence[str], sides: Sequence[tuple[str, ...]], neither: str) -> None:
    """Each path must name something on one side: a misspelt one would limit the review to nothing."""
    nothing = _empty_tree() if paths else ""
    for path in paths:
        if not any(_git("diff", "--name-only", "--no-renames", *side, nothing, "--", path) for side in sides):
            raise UsageError(f"{neither} has anything called {path!r}")


def _files(
    ends: tuple[str, str], base: str, paths: Sequence[str], wanted: Callable[[str], bool]
) -> tuple[tuple[ChangedFile, ...], tuple[str, ...]]:
    raw = _git(
        "diff",
        "--raw",
        "-z",
        "--no-abbrev",
        "--find-renames",
        "--no-ext-diff",
        "--no-textconv",
        "--no-relative",
        *ends,
        "--",
        *paths,
    )
    prefix = _git("rev-parse", "--show-prefix").decode("utf-8", "replace").rstrip("\n")
    named = {_joined(prefix, path) for path in paths}
    entries, left_out = _entries(raw)
    kept = [one for one in entries if one.path in named or wanted(one.path) or wanted(one.old_path)]
    contents = _contents({mark for one in kept for mark in (one.old, one.new) if mark})
    files = tuple(
        ChangedFile(
            one.path,
            Version(f"{base}:{one.old_path}", contents[one.old], one.old_path) if one.old else None,
            Version(one.path, contents[one.new]) if one.new else None,
            one.path in named,
        )
        for one in kept
    )
    held = set(kept)
    return files, (*left_out, *(one.path for one in entries if one not in held))


def _joined(prefix: str, path: str) -> str:
    import posixpath

    return posixpath.normpath(posixpath.join(prefix, path))


def _entries(raw: bytes) -> tuple[list[_Entry], list[str]]:
    """The records: ``:MODE MODE HASH HASH STATUS``, then one path, or two for a rename. And what is no file."""
    words = iter(raw.decode("utf-8", "replace").split("\0"))
    found: list[_Entry] = []
    left_out: list[str] = []
    for head in words:
        if not head:
            break
        old_mode, new_mode, old, new, status = head[1:].split(" ")
        old_path = next(words)
        path = next(words) if status[0] in "RC" else old_path
        old, new = (mark if mode in _REGULAR else "" for mark, mode in ((old, old_mode), (new, new_mode)))
        if not (old or new):
            left_out.append(path)
        elif old != new or old_path != path:  # else only the mode changed
            found.append(_Entry(old, new, old_path, path))
    return found, left_out


def _contents(marks: Iterable[str]) -> dict[str, bytes]:
    """The blobs of these hashes (git-cat-file(1), "Batch output")."""
    asked = sorted(marks)
    if not asked:
        return {}
    output = _git("cat-file", "--batch", given="".join(f"{mark}\n" for mark in asked).encode())
    contents = {}
    at = 0
    for mark in asked:
        end = output.index(b"\n", at)
        head = output[at:end].split(b" ")
        if len(head) != 3:  # "HASH missing": a partial clone without network
            raise UsageError(f"git does not have the object {mark}: fetch it first")
        size = int(head[2])
        contents[mark] = output[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return contents


def _need_repository() -> None:
    _git("rev-parse", "--git-dir")


def _commit(name: str) -> str:
    """The hash of a revision's commit. Raises UsageError for one that is not there."""
    try:
        found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except UsageError:
        raise UsageError(
            f"git knows no revision {name!r} here (in CI: fetch it first, a shallow clone has one commit only)"
        ) from None
    return found.decode().strip()


def _parting(old: str, new: str, base: str, head: str) -> str:
    try:
        return _git("merge-base", old, new).decode().strip()
    except UsageError:
        raise UsageError(
            f"{base} and {head} have no commit in common (in CI: fetch the whole history, fetch-depth: 0)"
        ) from None


def _git(*words: str, given: bytes | None = None) -> bytes:
    """The output of a git command. Raises UsageError with what git said."""
    try:
        result = subprocess.run(["git", *words], input=given, capture_output=True, check=False)
    except FileNotFoundError:
        raise UsageError("git is not installed, or not on the PATH") from None
    if result.returncode:
        said = result.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError(f"git {words[0]}: {said[-1] if said else f'failed with exit code {result.returncode}'}")
    return result.stdout
