"""Which clone on this machine a file belongs to, and which repositories the clone's remotes name.

It runs git once per clone for the remotes, and once for many files to find the ignored ones. It
finds a file's root by looking for ``.git`` upwards, as git does. It caches for one run only.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ghapp.attribution.paths import below, tidy, without_worktree
from ghapp.evidence.source import Worktree
from ghapp.git.clone_remotes import remotes
from ghapp.git.repository import GitError, GitRepository


class FileInClone(NamedTuple):
    """A file's path in its repository, and the repository's names."""

    remotes: tuple[str, ...]
    """As ``host/owner/name``; empty: no remote of the clone names a repository."""
    path: str


class LocalClones:
    """The clones of this machine, found path by path.

    ``worktrees`` are those that transcripts name: one that no longer exists is mapped to the
    checkout that it was made from.
    """

    def __init__(self, worktrees: Iterable[Worktree] = ()) -> None:
        self._gone = {tidy(one.path): one.original for one in worktrees}
        self._folders: dict[str, tuple[str, str] | None] = {}
        self._remotes: dict[str, tuple[str, ...]] = {}
        self._ignored: dict[tuple[str, str], bool] = {}

    def place(self, path: str) -> FileInClone | None:
        """Return the clone of an absolute path; ``None``: it has none, or is in git's folder."""
        found = self._within(path)
        if found is None or found[1].startswith(".git/"):
            return None
        root, inside = found
        return FileInClone(self.remotes_of(root), inside)

    def root(self, path: str) -> str | None:
        """Return the root of the checkout that an absolute path is in; ``None``: it is in none."""
        found = self._within(path)
        return None if found is None else found[0]

    def remotes_of(self, root: str) -> tuple[str, ...]:
        """Return the repositories that a checkout's remotes name, as ``host/owner/name``."""
        if root not in self._remotes:
            self._remotes[root] = remotes(Path(root))
        return self._remotes[root]

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Return which of some absolute paths git ignores, by the repository's own rules.

        No pull request can contain such a file, and its content is often private.
        """
        within = {path: found for path in paths if (found := self._within(path)) is not None}
        unknown: dict[str, list[str]] = defaultdict(list)
        for root, inside in within.values():
            if (root, inside) not in self._ignored:
                unknown[root].append(inside)
        for root, inside_paths in unknown.items():
            names = _ignored(Path(root), inside_paths)
            self._ignored |= {(root, one): one in names for one in inside_paths}
        return frozenset(path for path, found in within.items() if self._ignored[found])

    def _within(self, path: str) -> tuple[str, str] | None:
        """Return the root above a path, and the path relative to it."""
        folder, _, name = os.path.expanduser(path).rpartition("/")  # noqa: PTH111 - text, not a file
        if folder not in self._folders:
            self._folders[folder] = self._look_up(folder)
        found = self._folders[folder]
        return (found[0], f"{found[1]}{name}") if found and name else None

    def _look_up(self, folder: str) -> tuple[str, str] | None:
        """Return a folder's root on the disk, and its path relative to that, ending in a slash."""
        if not folder.startswith("/"):
            return None
        there = Path(folder)
        if there.is_dir():
            return _root(there)
        for path, original in self._gone.items():
            rest = below(path, tidy(folder))
            # A worktree may be made from a folder inside the checkout: look up its root.
            if rest is not None and (found := _root(Path(original))) is not None:
                return found[0], f"{rest}/" if rest else ""
        existing = next((one for one in there.parents if one.is_dir()), None)
        found = _root(existing) if existing else None
        if found is None:
            return None
        rest = str(there.relative_to(str(existing)))
        return found[0], without_worktree(f"{found[1]}{rest}/")


def _root(folder: Path) -> tuple[str, str] | None:
    """Return the checkout of a folder, with links resolved; ``None``: it has none."""
    try:
        real = folder.resolve()
        for one in (real, *real.parents):
            if (one / ".git").exists():
                inside = real.relative_to(one).as_posix()
                return str(one), "" if inside == "." else f"{inside}/"
    except OSError:
        return None
    return None


def _ignored(root: Path, paths: list[str]) -> frozenset[str]:
    """Ask git which paths below a root it ignores; none if git fails."""
    try:
        return GitRepository(root).ignored(paths)
    except GitError:
        return frozenset()
