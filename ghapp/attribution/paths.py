"""Where an edit's path lies in the repository. It compares paths as text and reads no disk.

The rule (rules.md 2.7): below a known checkout, the rest of the path counts; otherwise the
longest suffix that is a path of the change, if what precedes it can be a checkout. A lone common
name such as ``README.md`` matches only below a checkout that something else shows, such as
content that the change also names.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ghapp.attribution.model import Change, Edit, FileSnapshot

_ABSOLUTE = re.compile(r"/|[A-Za-z]:/|~/")  # "/home/dev/shop/a.py", "C:/shop/a.py", "~/shop/a.py"
_WORKTREE = re.compile(r"(?:^|/)(?:\.?worktrees|\.claude/worktrees|\.git/worktrees)/[^/]+(?=/|$)")
"""A worktree inside a checkout: ``.claude/worktrees/fix`` in ``.claude/worktrees/fix/src/a.py``."""

SHORTEST_BLOB = 7
"""Digits of the shortest blob id that we compare: git abbreviates to 7 or more by default.

https://git-scm.com/docs/git-config, core.abbrev
"""


class EditPlace(NamedTuple):
    """Where an edit lies: in which file of the change, and whether in the repository at all."""

    path: str | None
    """Relative to the repository; ``None``: not a file of the change."""
    inside: bool
    """Whether the edit lies in this repository, in any file."""


ELSEWHERE = EditPlace(None, inside=False)


class KnownCheckouts:
    """Finds the place of a path, given the known or inferred checkouts of one repository.

    ``known`` are roots that a person named; if there are any, nothing outside of them belongs to
    the repository. Otherwise ``likely`` roots and the ``snapshots`` of edited files add to the
    inferred ones. ``repository`` is ``owner/name`` or ``None``.
    """

    def __init__(  # noqa: PLR0913 - everything that can show a checkout
        self,
        edits: Iterable[Edit],
        change: Change,
        *,
        known: Iterable[str] = (),
        likely: Iterable[str] = (),
        snapshots: Iterable[FileSnapshot] = (),
        repository: str | None = None,
    ) -> None:
        self._paths = frozenset(paths_of(change))
        given = {tidy(root) for root in known}
        likely = {tidy(root) for root in likely} | _shown_by_content(snapshots, change)
        self._roots = deepest_first(given or self._infer(list(edits), likely, repository))
        self._places: dict[str, EditPlace] = {}

    @property
    def roots(self) -> tuple[str, ...]:
        """The checkouts, deepest first."""
        return self._roots

    def place(self, path: str) -> EditPlace:
        """Return the place of a path, which may be absolute or relative to the repository."""
        found = self._places.get(path)
        if found is None:
            found = self._places[path] = self._look_up(tidy(path))
        return found

    def _look_up(self, path: str) -> EditPlace:
        if not _ABSOLUTE.match(path):
            return self._inside(path)
        for root in self._roots:
            if (rest := below(root, path)) is not None:
                return self._inside(rest)
        return ELSEWHERE

    def _inside(self, path: str) -> EditPlace:
        if path in self._paths:
            return EditPlace(path, inside=True)
        rest = without_worktree(path)
        return EditPlace(rest if rest in self._paths else None, inside=True)

    def _infer(self, edits: list[Edit], likely: set[str], repository: str | None) -> set[str]:
        """Return the likely roots and those that the edits' own paths show."""
        votes: Counter[str] = Counter()
        for path in {tidy(edit.path) for edit in edits if _ABSOLUTE.match(edit.path)}:
            suffix = self._longest_suffix(path)
            if suffix is not None:
                votes[path[: -len(suffix) - 1]] += 1
        roots = set(votes) | likely | self._named_after(repository, edits)
        roots -= {weaker for weaker in roots if _is_outvoted(weaker, roots, votes)}
        return roots or self._lone_names(edits)

    def _longest_suffix(self, path: str) -> str | None:
        """Return the longest suffix of at least two names that is a path of the change."""
        names = path.split("/")
        for start in range(1, len(names) - 1):
            suffix = "/".join(names[start:])
            if suffix in self._paths:
                return suffix
        return None

    def _named_after(self, repository: str | None, edits: list[Edit]) -> set[str]:
        """Return working directories, or folders above them, with the repository's name."""
        if repository is None:
            return set()
        name = repository.rpartition("/")[2].lower()
        found = set()
        for cwd in {tidy(edit.cwd) for edit in edits if edit.cwd}:
            names = cwd.split("/")
            for at, part in enumerate(names):
                if part.lower() == name:
                    found.add("/".join(names[: at + 1]))
        return found

    def _lone_names(self, edits: list[Edit]) -> set[str]:
        """Return working directories in which an edit changed a top-level file of the change.

        Only uncommon names count, and only if nothing else shows a checkout.
        """
        found = set()
        for edit in edits:
            folder, _, name = tidy(edit.path).rpartition("/")
            if name in self._paths and not is_common_name(name) and edit.cwd == folder:
                found.add(folder)
        return found


def paths_of(change: Change) -> set[str]:
    """Return the paths of a change's files, including earlier names."""
    names = {file.path for file in change.files}
    return names | {file.previous_path for file in change.files if file.previous_path}


def _shown_by_content(snapshots: Iterable[FileSnapshot], change: Change) -> set[str]:
    """Return the checkouts in which a snapshot has a path and content of the change."""
    blobs = {
        path: tuple(name for name in file.blobs if len(name) >= SHORTEST_BLOB)
        for file in change.files
        for path in (file.path, file.previous_path)
        if path
    }
    found = set()
    for snapshot in snapshots:
        names = tidy(snapshot.path).split("/")
        for start in range(1, len(names)):
            if snapshot.blob.startswith(blobs.get("/".join(names[start:]), ())):
                found.add("/".join(names[:start]))
    return found


def _is_outvoted(root: str, roots: set[str], votes: Counter[str]) -> bool:
    """Say whether another root excludes this one and has more votes.

    A checkout inside another must be a worktree; otherwise only one of the two can be right: the
    one with more votes, or the outer one if they are equal.
    """
    return any(
        (votes[other] >= votes[root] and _is_folder_below(other, root))
        or (votes[other] > votes[root] and _is_folder_below(root, other))
        for other in roots
    )


def _is_folder_below(root: str, path: str) -> bool:
    """Say whether a path is a folder below a root, but not a worktree."""
    rest = below(root, path)
    return bool(rest) and without_worktree(f"{rest}/") == f"{rest}/"


def deepest_first(roots: Iterable[str]) -> tuple[str, ...]:
    """Return roots with the longest first, so that an inner root precedes an outer one."""
    return tuple(sorted(roots, key=lambda root: (-len(root), root)))


_COMMON = """
readme.md readme.rst readme changelog.md license license.md contributing.md claude.md
agents.md makefile dockerfile package.json tsconfig.json pyproject.toml setup.py setup.cfg
requirements.txt cargo.toml go.mod index.ts index.js index.tsx index.jsx index.html main.py
main.go main.ts main.js main.rs app.py app.ts app.tsx app.js __init__.py __main__.py
conftest.py test.py utils.py helpers.py types.ts config.py config.ts config.js settings.py
models.py views.py urls.py style.css styles.css mod.rs lib.rs .gitignore .env.example
"""

COMMON_NAMES = frozenset(_COMMON.split())
"""Names that occur in too many repositories to show which one it is (rules.md 2.7)."""


def is_common_name(name: str) -> bool:
    """Say whether a file name occurs in too many repositories to show which one it is."""
    return name.lower() in COMMON_NAMES


def tidy(path: str) -> str:
    """Return a path with ``/``, without ``.`` parts, double slashes or a trailing slash."""
    path = path.replace("\\", "/") if _is_windows(path) else path
    kept = [part for part in path.split("/") if part not in ("", ".")]
    return ("/" if path.startswith("/") else "") + "/".join(kept)


def _is_windows(path: str) -> bool:
    return len(path) > 2 and path[1] == ":" and path[2] in "\\/"


def is_absolute(path: str) -> bool:
    """Say whether a tidy path starts at a root directory or a home directory."""
    return bool(_ABSOLUTE.match(path))


def below(root: str, path: str) -> str | None:
    """Return a path relative to a root; empty: the root itself; ``None``: not below it."""
    if path == root:
        return ""
    if root == "/":
        return path[1:]
    return path[len(root) + 1 :] if path.startswith(root + "/") else None


def below_deepest(roots: Iterable[str], path: str) -> str | None:
    """Return what is left of a path below the deepest root that holds it.

    Empty: the path is a root itself, so it names no file of a checkout. ``None``: elsewhere.
    All paths are tidy.

    >>> below_deepest(["/src", "/src/shop"], "/src/shop/lib/a.py")
    'lib/a.py'
    """
    rests = [rest for root in roots if (rest := below(root, path)) is not None]
    return min(rests, key=len, default=None)


def without_worktree(path: str) -> str:
    """Return a path inside a worktree as a path of the checkout around it."""
    found = _WORKTREE.search(path)
    return path[found.end() + 1 :] if found else path
