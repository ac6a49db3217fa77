"""Where an edit's path lies in the repository. It compares paths as text and reads no disk.

The rule (rules.md 2.7): below a known checkout, the rest of the path counts; otherwise the
longest suffix that is a path of the change, if what precedes it can be a checkout. A lone common
name such as ``README.md`` matches only below a checkout that something else shows, such as
content that the change also names. Some file systems fold the case of names or decompose their
letters: such a name is a file of the change if it fits exactly one.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from ghapp.attribution.model import Change, Edit, FileSnapshot, FileStatus

_ABSOLUTE = re.compile(r"/|[A-Za-z]:/|~/")  # "/home/dev/shop/a.py", "C:/shop/a.py", "~/shop/a.py"
_WORKTREE = re.compile(r"(?:^|/)(?:\.?worktrees|\.claude/worktrees|\.git/worktrees)/[^/]+(?=/|$)")
"""A worktree inside a checkout: ``.claude/worktrees/fix`` in ``.claude/worktrees/fix/src/a.py``."""

# .conductor/tokyo, worktrees/x, wt/x: where people and programs put worktrees
_USUAL_PLACE = re.compile(r"(?:^|/)(?:\.[^/]+|[^/]*work-?tree[^/]*|trees|wt)(?:/|$)", re.IGNORECASE)
# C:/Code/shop, //server/shop, and where a Mac keeps files: names in any case are one file
_FOLDING = re.compile(r"[A-Z]:|//|/(?:Users|Volumes|private)(?:/|$)")
# \\\\?\\C:\\Code, \\\\?\\UNC\\server; //?/C:/Code as readers of records pass it on
_LONG = re.compile(r"^[\\/]{2}\?[\\/](UNC(?=[\\/]))?")
_MANY_BACKSLASHES = re.compile(r"^\\{3,}")
# //wsl$/Ubuntu/home/ann, //wsl.localhost/Ubuntu/home/ann
_WSL_SHARE = re.compile(r"^//wsl(?:\$|\.localhost)/[^/]+(?=/|$)", re.IGNORECASE)
# /mnt/c/Code as WSL shows C:\\Code, /cygdrive/c/Code as Cygwin does
_MOUNTED = re.compile(r"^/(?:mnt|cygdrive)/([A-Za-z])(?=/|$)")
# /private/tmp as a Mac shows /tmp to whoever asks for the working directory
_PRIVATE = re.compile(r"^/private(?=/(?:etc|tmp|var)(?:/|$))")

LONGEST = 4_096
"""Characters of a path on disk, as many as Linux has bytes; a longer one shows no checkout."""
FEW_FILES = 2
"""Files of the change in a folder that is not called like a worktree, to take it for one."""

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
    inferred ones, and ``foreign`` roots, of other repositories, are none of them. ``repository`` is
    ``owner/name`` or ``None``.
    """

    def __init__(  # noqa: PLR0913 - everything that can show a checkout
        self,
        edits: Iterable[Edit],
        change: Change,
        *,
        known: Iterable[str] = (),
        likely: Iterable[str] = (),
        foreign: Iterable[str] = (),
        snapshots: Iterable[FileSnapshot] = (),
        repository: str | None = None,
    ) -> None:
        self._paths = frozenset(paths_of(change))
        self._deepest = max((path.count("/") + 1 for path in self._paths), default=0)
        self._folded = _unmistakable(change)
        given = {tidy(root) for root in known}
        likely = {tidy(root) for root in likely} | _shown_by_content(snapshots, change)
        self._foreign = {tidy(root) for root in foreign} - likely
        listed = [edit for edit in edits if max(len(edit.path), len(edit.cwd or "")) <= LONGEST]
        self._edited_below = self._files_below(listed)
        given |= {
            cwd for cwd in self._edited_below if any(self._is_worktree(root, cwd) for root in given)
        }
        self._roots = deepest_first(given or self._infer(listed, likely, repository))
        self._places: dict[str, EditPlace] = {}
        self._folders: dict[str, str | None] = {}

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

    def folder(self, path: str) -> str | None:
        """Return a path of a disk as one of the repository; ``None``: it lies elsewhere.

        Empty: the repository itself, or a worktree of it.
        """
        if path not in self._folders:
            self._folders[path] = self._look_up_folder(tidy(path))
        return self._folders[path]

    def _look_up_folder(self, path: str) -> str | None:
        if not _ABSOLUTE.match(path):
            return None
        rest = below_deepest(self._roots, path)
        return None if rest is None else without_worktree(rest)

    def _look_up(self, path: str) -> EditPlace:
        if not _ABSOLUTE.match(path):
            return self._inside(path)
        for root in self._roots:
            if (rest := below(root, path)) is not None:
                return self._inside(rest)
        return ELSEWHERE

    def _inside(self, path: str) -> EditPlace:
        rest = without_worktree(path)
        for name in (path, rest):
            if name in self._paths:
                return EditPlace(name, inside=True)
        found = self._folded.get(folded(path)) or self._folded.get(folded(rest))
        return EditPlace(found, inside=True)

    def _files_below(self, edits: list[Edit]) -> dict[str, int]:
        """Return how many files of the change were edited below each working directory."""
        places: defaultdict[str, set[str]] = defaultdict(set)
        for edit in edits:
            cwd = tidy(edit.cwd) if edit.cwd else ""
            rest = below(cwd, tidy(edit.path)) if cwd else None
            if rest in self._paths:
                places[cwd].add(str(rest))
        return {cwd: len(found) for cwd, found in places.items()}

    def _is_worktree(self, root: str, cwd: str) -> bool:
        """Say whether a working directory inside a checkout is a worktree, whatever its name.

        It is called like one, or several files of the change were edited below it. The folder of
        another repository in the checkout, such as a submodule, is neither.
        """
        rest = below(root, cwd)
        if not rest or any(path.startswith(f"{rest}/") for path in self._paths):
            return False
        files = self._edited_below.get(cwd, 0)
        return files >= FEW_FILES or (files > 0 and bool(_USUAL_PLACE.search(rest)))

    def _infer(self, edits: list[Edit], likely: set[str], repository: str | None) -> set[str]:
        """Return the likely roots and those that the edits' own paths show."""
        votes: Counter[str] = Counter()
        for path in {tidy(edit.path) for edit in edits if _ABSOLUTE.match(edit.path)}:
            suffix = self._longest_suffix(path)
            if suffix is not None:
                votes[path[: -len(suffix) - 1]] += 1
        for root in self._only_folders(votes, repository, edits):
            del votes[root]
        roots = set(votes) | likely | self._named_after(repository, edits)
        roots -= self._foreign
        roots -= {weaker for weaker in roots if self._is_outvoted(weaker, roots, votes)}
        return roots or self._lone_names(edits) - self._foreign

    def _longest_suffix(self, path: str) -> str | None:
        """Return the longest suffix of at least two names that is a path of the change."""
        names = path.split("/")
        starts = range(max(1, len(names) - self._deepest), len(names) - 1)
        suffixes = ["/".join(names[start:]) for start in starts]
        for suffix in suffixes:
            if suffix in self._paths:
                return suffix
        for suffix in suffixes:
            if folded(suffix) in self._folded:
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

    def _only_folders(
        self, roots: Iterable[str], repository: str | None, edits: list[Edit]
    ) -> list[str]:
        """Return the roots that are folders of a checkout in which an agent worked.

        The working directory is called like the repository, so paths start there: a submodule's
        or a package's ``src/lib.rs`` is not the repository's.
        """
        name = (repository or "").rpartition("/")[2].lower()
        cwds = {tidy(edit.cwd) for edit in edits if edit.cwd}
        called = [cwd for cwd in cwds if name and cwd.rpartition("/")[2].lower() == name]
        return [
            root
            for root in roots
            if any(self._is_folder_below(cwd, root) for cwd in called)
            and root.rpartition("/")[2].lower() != name
            and not any(below(root, cwd) is not None for cwd in cwds)
        ]

    def _lone_names(self, edits: list[Edit]) -> set[str]:
        """Return working directories in which an edit changed a top-level file of the change.

        Only uncommon names count, and only if nothing else shows a checkout.
        """
        found = set()
        for edit in edits:
            folder, _, name = tidy(edit.path).rpartition("/")
            known = name in self._paths or folded(name) in self._folded
            if known and not is_common_name(name) and edit.cwd and tidy(edit.cwd) == folder:
                found.add(folder)
        return found

    def _is_outvoted(self, root: str, roots: set[str], votes: Counter[str]) -> bool:
        """Say whether another root excludes this one and has more votes.

        A checkout inside another must be a worktree; otherwise only one of the two can be right:
        the one with more votes, or the outer one if they are equal.
        """
        return any(
            (votes[other] >= votes[root] and self._is_folder_below(other, root))
            or (votes[other] > votes[root] and self._is_folder_below(root, other))
            for other in roots
        )

    def _is_folder_below(self, root: str, path: str) -> bool:
        """Say whether a path is a folder below a root, but not a worktree."""
        rest = below(root, path)
        if not rest or self._is_worktree(root, path):
            return False
        return without_worktree(f"{rest}/") == f"{rest}/"


def paths_of(change: Change) -> set[str]:
    """Return the paths of a change's files, including earlier names."""
    names = {file.path for file in change.files}
    return names | {file.previous_path for file in change.files if file.previous_path}


def _unmistakable(change: Change) -> dict[str, str]:
    """Return the folded names that fit exactly one file of the change, with its path."""
    fitting: defaultdict[str, set[str]] = defaultdict(set)
    for file in change.files:
        fitting[folded(file.path)].add(file.path)
        if file.previous_path:
            renamed = file.status is FileStatus.RENAMED
            fitting[folded(file.previous_path)].add(file.path if renamed else file.previous_path)
    return {name: next(iter(paths)) for name, paths in fitting.items() if len(paths) == 1}


@lru_cache(maxsize=16_384)
def folded(name: str) -> str:
    r"""Return what names have in common that some file system takes for one.

    >>> folded("Re\u0301sume\u0301.py") == folded("R\xe9sum\xe9.PY")
    True
    """
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


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
        if len(snapshot.path) > LONGEST:
            continue
        names = tidy(snapshot.path).split("/")
        for start in range(1, len(names)):
            if snapshot.blob.startswith(blobs.get("/".join(names[start:]), ())):
                found.add("/".join(names[:start]))
    return found


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


@lru_cache(maxsize=16_384)
def tidy(path: str) -> str:
    r"""Return a path with ``/``, without ``.`` parts, double slashes or a trailing slash.

    A file has one name: as Windows writes it, with a large drive letter, where WSL shows Windows'
    disks, and as Linux writes it where Windows shows WSL's.

    >>> tidy("c:\\Code\\shop"), tidy("/mnt/c/Code/shop/")
    ('C:/Code/shop', 'C:/Code/shop')
    >>> tidy("\\\\wsl.localhost\\Ubuntu\\home\\ann"), tidy("\\\\server\\shop")
    ('/home/ann', '//server/shop')
    """
    if path.startswith(("\\\\", "//?/")):
        path = _LONG.sub(lambda long: "\\\\" if long[1] else "", path, count=1)
        path = _MANY_BACKSLASHES.sub(r"\\\\", path).replace("\\", "/")
    elif _is_windows(path):
        path = path.replace("\\", "/")
    if path.startswith("//"):
        path = _WSL_SHARE.sub("", path, count=1)
    is_share = path.startswith("//") and not path.startswith("///")
    kept = [part for part in path.split("/") if part not in ("", ".")]
    found = ("//" if is_share else "/" if path.startswith("/") else "") + "/".join(kept)
    if found.startswith("/"):
        found = _MOUNTED.sub(lambda disk: f"{disk[1]}:", found, count=1)
        found = _PRIVATE.sub("", found, count=1)
    return found[0].upper() + found[1:] if found[1:3] in (":", ":/") else found


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
        return path[1:] if path[:1] == "/" else None
    if path.startswith(root + "/"):
        return path[len(root) + 1 :]
    if not _FOLDING.match(root):
        return None
    names, depth = path.split("/"), root.count("/") + 1
    is_below = folded("/".join(names[:depth])) == folded(root)
    return "/".join(names[depth:]) if is_below else None


def within(roots: Iterable[str], path: str) -> str | None:
    """Return a path in the repository whose checkouts are given; ``None``: it is elsewhere.

    A path that is not absolute is one already: no record says where it would start otherwise.
    """
    named = tidy(path)
    if not is_absolute(named):
        return None if named.startswith("../") else named
    return below_deepest(roots, named) or None


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
