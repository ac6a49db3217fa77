"""Where an edit's path lies in the repository. It reads no disk: paths are compared as text.

The rule (rules.md 2.7): below a known checkout, the rest of the path; else the longest suffix
that is a path of the change, with a check that what is left over is a checkout: a lone
common name such as ``README.md`` matches only below a checkout that something else shows, be it
that the file's content is the one that the change names.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ghapp.attribution.model import Change, Edit, FileSnapshot

_ABSOLUTE = re.compile(r"/|[A-Za-z]:/|~/")
_WORKTREE = re.compile(r"(?:^|/)(?:\.?worktrees|\.claude/worktrees|\.git/worktrees)/[^/]+(?=/|$)")
"""Where tools put worktrees inside a checkout, with the worktree's own folder."""


SHORTEST_BLOB = 7
"""Digits of a content's id, as many as git shows at least, below which it is not compared."""


class EditPlace(NamedTuple):
    """Where an edit lies: its path in the repository, or that it is none of its files."""

    path: str | None
    """Relative to the repository; ``None``: not one of the change's files."""
    inside: bool
    """Whether the edit is known to lie in this repository, in a file of the change or not."""


ELSEWHERE = EditPlace(None, inside=False)


class KnownCheckouts:
    """The known and the inferred checkouts of one repository, asked path by path.

    ``known`` are roots given by a person: when there are any, nothing outside of them
    belongs to the repository. ``likely`` are roots that add to what is inferred, and
    ``snapshots`` contents of edited files. ``repository`` is ``owner/name`` or ``None``.
    """

    def __init__(  # noqa: PLR0913 - all that a checkout can be told from
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
        """Return where a path lies, absolute or relative to the repository."""
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
        """Return the roots that the edits themselves show."""
        votes: Counter[str] = Counter()
        for path in {tidy(edit.path) for edit in edits if _ABSOLUTE.match(edit.path)}:
            suffix = self._longest_suffix(path)
            if suffix is not None:
                votes[path[: -len(suffix) - 1]] += 1
        roots = set(votes) | likely | self._named_after(repository, edits)
        roots -= {weaker for weaker in roots if _is_outvoted(weaker, roots, votes)}
        return roots or self._lone_names(edits)

    def _longest_suffix(self, path: str) -> str | None:
        """Return the longest suffix of two names or more that is a path of the change."""
        names = path.split("/")
        for start in range(1, len(names) - 1):
            suffix = "/".join(names[start:])
            if suffix in self._paths:
                return suffix
        return None

    def _named_after(self, repository: str | None, edits: list[Edit]) -> set[str]:
        """Return working directories that carry the repository's own name."""
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
        """Return working directories in which a file of the repository's top level was edited.

        Only uncommon names count, and this is asked only where nothing else shows a checkout.
        """
        found = set()
        for edit in edits:
            folder, _, name = tidy(edit.path).rpartition("/")
            if name in self._paths and not is_common_name(name) and edit.cwd == folder:
                found.add(folder)
        return found


def paths_of(change: Change) -> set[str]:
    """Return the paths of a change's files, earlier names included."""
    names = {file.path for file in change.files}
    return names | {file.previous_path for file in change.files if file.previous_path}


def _shown_by_content(snapshots: Iterable[FileSnapshot], change: Change) -> set[str]:
    """Return the checkouts in which an agent met a file of the change with the change's content."""
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
    """Say whether a root and another one cannot both be checkouts, and the other is likelier.

    Two checkouts may lie in each other only where the inner one is a worktree. The one
    that more paths show stays; of two that as many show, the outer.
    """
    return any(
        (votes[other] >= votes[root] and _is_folder_below(other, root))
        or (votes[other] > votes[root] and _is_folder_below(root, other))
        for other in roots
    )


def _is_folder_below(root: str, path: str) -> bool:
    """Say whether a path is an ordinary folder below a root, and not a worktree."""
    rest = below(root, path)
    return bool(rest) and without_worktree(f"{rest}/") == f"{rest}/"


def deepest_first(roots: Iterable[str]) -> tuple[str, ...]:
    """Return roots so that one inside another is asked first."""
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
"""Names that stand in so many repositories that a lone one shows none (rules.md 2.7)."""


def is_common_name(name: str) -> bool:
    """Say whether a file of that name stands in so many repositories that it shows none."""
    return name.lower() in COMMON_NAMES


def tidy(path: str) -> str:
    """Return a path with ``/``, no ``.`` parts, no doubled and no trailing slash."""
    path = path.replace("\\", "/") if _is_windows(path) else path
    kept = [part for part in path.split("/") if part not in ("", ".")]
    return ("/" if path.startswith("/") else "") + "/".join(kept)


def _is_windows(path: str) -> bool:
    return len(path) > 2 and path[1] == ":" and path[2] in "\\/"


def is_absolute(path: str) -> bool:
    """Say whether a tidy path starts at a disk's root or somebody's home."""
    return bool(_ABSOLUTE.match(path))


def below(root: str, path: str) -> str | None:
    """Return what is left of a path below a root; empty: the root itself; ``None``: elsewhere."""
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
    """Return a path inside a worktree below the checkout as a path of the checkout."""
    found = _WORKTREE.search(path)
    return path[found.end() + 1 :] if found else path
