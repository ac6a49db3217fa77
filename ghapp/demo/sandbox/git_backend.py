"""A bare git repository behind the git command. It knows neither GitHub nor HTTP."""

import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

ZERO = "0" * 40
NEW = ":1"
"""Names the commit that `BareRepository.write_commit` is about to write."""
COMMAND_SECONDS = 120
"""The longest that a command may take; a sandbox repository is small."""
SMALL_BYTES = 100_000
"""The largest first commit that is remembered for the next repository."""
FEW_PACKS = 50
"""So many commits stay packs of their own: unpacking each takes git as long as writing it."""
FIELD, RECORD = "\x1f", "\x1e"
LOG_FORMAT = FIELD.join(
    ("%H", "%T", "%P", "%an", "%ae", "%at", "%cn", "%ce", "%ct", "%B" + RECORD),
)

# No line of content starts with it, because git puts a sign before each.
_DIFF = re.compile(r"^diff --git ", re.MULTILINE)
_HUNK = re.compile(r"^@@ ", re.MULTILINE)  # @@ -1,3 +1,4 @@ def total(order):


class GitFailed(Exception):  # noqa: N818 - reads well in the message
    """A git command failed; the message holds the command and git's own message."""


class MergeConflict(GitFailed):
    """Both sides changed the same lines; the message names the path."""


@dataclass(frozen=True)
class GitPerson:
    """An author or committer: name and mail address."""

    name: str
    email: str


@dataclass(frozen=True)
class ExecutableFile:
    """A file with the executable bit."""

    content: str | bytes


@dataclass(frozen=True)
class SymbolicLink:
    """A symbolic link."""

    target: str


@dataclass(frozen=True)
class SubmoduleEntry:
    """A submodule: a commit of another repository at a path."""

    sha: str


Content = str | bytes | ExecutableFile | SymbolicLink | SubmoduleEntry | None
"""The new content of a path; ``None`` removes it."""


@dataclass(frozen=True)
class CommitInfo:
    """One commit. Times are UTC; ``message`` lacks its last line end."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: GitPerson
    authored_at: datetime
    committer: GitPerson
    committed_at: datetime
    message: str


@dataclass(frozen=True)
class FileChange:
    """The change of one path between two trees, as ``git diff -M`` shows it.

    ``status`` is git's letter. ``sha`` is the blob of the new side, or of the old side for a
    removed file. ``patch`` holds the hunks without headers; ``None``: git shows no text (binary
    file, pure rename, mode change, submodule with an empty diff).
    """

    status: str
    path: str
    previous_path: str | None
    sha: str
    submodule: bool
    additions: int
    deletions: int
    binary: bool
    patch: str | None


@dataclass(frozen=True)
class TreeEntry:
    """One entry of a tree; only blobs have a ``size``, in bytes."""

    mode: str
    kind: str
    sha: str
    size: int | None
    path: str


def git_environment(home: Path) -> dict[str, str]:
    """Return an environment in which git reads only the repository's own configuration."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        # This data need not survive a crash, so git need not wait for the disk:
        # https://git-scm.com/docs/git-config (core.fsync)
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "core.fsync",
        "GIT_CONFIG_VALUE_0": "none",
        # As on Linux, whatever this machine's files are like.
        "GIT_CONFIG_KEY_1": "core.ignorecase",
        "GIT_CONFIG_VALUE_1": "false",
    }


@cache
def _empty_repository() -> dict[str, bytes | None]:
    """Return the files and folders (``None``) of an empty bare repository, as git makes it.

    The template is empty too, so there are no hooks.
    """
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        subprocess.run(  # noqa: S603 - a fixed program, no shell
            ["git", "init", "--quiet", "--bare", "--template=", directory],  # noqa: S607 - on the PATH
            env=git_environment(root),
            timeout=COMMAND_SECONDS,
            check=True,
        )
        return _files_below(root)


@lru_cache(maxsize=32)
def _first_commit(commands: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Return what fast-import says in an empty repository, and the files that it adds there.

    Many a stand-in begins as the one before it did.
    """
    with tempfile.TemporaryDirectory() as directory:
        made = BareRepository(Path(directory) / "first.git", "main")
        said = made.fast_import(commands)
        added = {
            name: content
            for name, content in _files_below(made.path).items()
            if content is not None and name not in _empty_repository()
        }
        return said, added


def _files_below(root: Path) -> dict[str, bytes | None]:
    """Return the content of each file; ``None``: a folder."""
    return {
        str(one.relative_to(root)): one.read_bytes() if one.is_file() else None
        for one in sorted(root.rglob("*"))
    }


class BareRepository:
    """One bare repository at ``path``, which nothing else writes to.

    Starting git costs more than all that git does here. So it remembers its refs, and what it
    learned of commits, which never change.
    """

    def __init__(self, path: Path, default_branch: str) -> None:
        path.mkdir(parents=True)
        for name, content in _empty_repository().items():
            if content is None:
                (path / name).mkdir()
            else:
                (path / name).write_bytes(content)
        (path / "HEAD").write_text(f"ref: refs/heads/{default_branch}\n")
        self.path = path
        self.environment = git_environment(path)
        self._refs: dict[str, str] = {}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._trees: dict[str, str] = {}
        self._commits: dict[str, CommitInfo] = {}
        self._changes: dict[tuple[str, str], tuple[FileChange, ...]] = {}
        self._known: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    # --- reading ------------------------------------------------------------------------------

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        extra: Mapping[str, str] | None = None,
        allowed: Sequence[int] = (0,),
    ) -> bytes:
        """Run one git command in the repository and return its output. Raises `GitFailed`."""
        done = subprocess.run(  # noqa: S603 - a fixed program, no shell; arguments are ours
            ["git", *arguments],  # noqa: S607 - git is on the PATH
            cwd=self.path,
            env={**self.environment, **(extra or {})},
            input=stdin,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if done.returncode not in allowed:
            said = done.stderr.decode(errors="replace").strip()
            raise GitFailed(f"git {' '.join(arguments[:3])} ended with {done.returncode}: {said}")
        return done.stdout

    def resolve(self, name: str, kind: str = "commit") -> str | None:
        """Return the SHA that a branch, tag, full ref or SHA names; ``None``: there is none."""
        if not name or name.startswith("-") or any(mark in name for mark in ("..", "@{", " ")):
            return None
        for ref in (f"refs/heads/{name}", f"refs/tags/{name}", name):
            if ref in self._refs and kind == "commit":
                return self._refs[ref]
        if name.startswith("refs/") and name not in self._refs:
            return None
        if (name, kind) in self._known:
            return name
        asked = f"{name}^{{{kind}}}"
        said = self.run("rev-parse", "--verify", "--quiet", asked, allowed=(0, 1, 128)).decode()
        if said.strip():
            self._known.add((said.strip(), kind))
        return said.strip() or None

    def commit_info(self, sha: str) -> CommitInfo:
        """Return one commit. Raises `GitFailed` for an unknown SHA."""
        known = self._commits.get(sha)
        if known is None:
            known = self._log("-1", sha)[0]
            self._commits[sha] = known
        return known

    def commits(self, base: str, head: str) -> tuple[CommitInfo, ...]:
        """Return the commits of ``head`` that are not in ``base``, the oldest first."""
        return self._log("--reverse", "--topo-order", f"{base}..{head}")

    def history(
        self, tip: str, since: datetime | None, until: datetime | None
    ) -> tuple[CommitInfo, ...]:
        """Return a commit and its ancestors, the newest first, limited by commit date."""
        limits = [
            f"--{name}={at.isoformat()}"
            for name, at in (("since", since), ("until", until))
            if at is not None
        ]
        return self._log(*limits, tip)

    def _log(self, *arguments: str) -> tuple[CommitInfo, ...]:
        said = self.run("log", f"--format={LOG_FORMAT}", *arguments, "--").decode(errors="replace")
        return tuple(_commit(record) for record in said.split(RECORD) if record.strip())

    def tree_of(self, commit: str) -> str:
        """Return the SHA of a commit's tree. Raises `GitFailed` for an unknown SHA."""
        return self._trees.get(commit) or self.commit_info(commit).tree

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor; ``None``: the histories do not meet."""
        for older, newer in ((one, other), (other, one)):
            if older in self._ancestors(newer)[0]:
                return older
        return self.run("merge-base", one, other, allowed=(0, 1)).decode().strip() or None

    def count(self, base: str, head: str) -> int:
        """Count the commits of ``head`` that are not in ``base``."""
        (theirs, one), (ours, other) = self._ancestors(base), self._ancestors(head)
        if one and other:
            return len(ours - theirs)
        return int(self.run("rev-list", "--count", f"{base}..{head}", "--"))

    def _ancestors(self, sha: str) -> tuple[set[str], bool]:
        """Return a commit with the ancestors that we know, and whether those are all."""
        found, left = set[str](), [sha]
        while left:
            commit = left.pop()
            if commit not in found:
                found.add(commit)
                left += self._parents.get(commit, ())
        return found, found <= self._parents.keys()

    def branches(self) -> dict[str, str]:
        """Return every branch with the SHA of its tip, by name."""
        start = "refs/heads/"
        return {
            ref.removeprefix(start): sha
            for ref, sha in sorted(self._refs.items())
            if ref.startswith(start)
        }

    def blob(self, sha: str) -> bytes | None:
        """Return a blob's bytes; ``None``: there is no such blob."""
        said = self.run("cat-file", "--batch", stdin=sha.encode() + b"\n")
        header, _, rest = said.partition(b"\n")
        return rest[:-1] if b" blob " in header else None

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        """Return the entry at ``path`` in a commit; ``None``: there is none."""
        found = self.tree(commit, path.rstrip("/"))
        return found[0] if found else None

    def tree(self, treeish: str, *paths: str, recursive: bool = False) -> tuple[TreeEntry, ...]:
        """Return a tree's entries; with ``recursive``, all blobs and trees below it."""
        options = ("-r", "-t") if recursive else ()
        said = self.run("ls-tree", "-z", "-l", "--full-tree", *options, treeish, "--", *paths)
        return tuple(_tree_entry(line) for line in said.decode(errors="replace").split("\0")[:-1])

    def patch(self, base: str, head: str) -> bytes:
        """Return the diff between two commits, as the diff media type shows it."""
        return self._diff(base, head)

    def _diff(self, *arguments: str) -> bytes:
        return self.run("diff", "-M", "--no-ext-diff", "--no-textconv", "--no-color", *arguments)

    def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        """Return the changed files between two commits, sorted by path."""
        key = (base, head)
        if key not in self._changes:
            options = ("--raw", "--numstat", "--patch", "-z", "--abbrev=40")
            said = self._diff(*options, base, head).decode(errors="replace")
            # No field is empty, so the first empty one ends the lists.
            listed, _, texts = said.partition("\0\0")
            counted = _parse_raw(listed.split("\0"))
            self._changes[key] = tuple(_with_patches(counted, _split_patch(texts)))
        return self._changes[key]

    # --- writing ------------------------------------------------------------------------------

    def write_commit(  # noqa: PLR0913 - a commit has these parts
        self,
        ref: str,
        files: Mapping[str, Content],
        *,
        parents: Sequence[str],
        author: GitPerson,
        at: datetime,
        message: str,
        committer: GitPerson | None = None,
        committed_at: datetime | None = None,
        tree: str | None = None,
        others: Mapping[str, str | None] | None = None,
    ) -> str:
        """Write one commit on ``ref`` and return its SHA.

        ``files`` are changes to ``tree``, or to the first parent's tree. ``others`` are refs that
        move in the same step, as `set_refs` moves them; `NEW` is the new commit.
        https://git-scm.com/docs/git-fast-import
        """
        out = [f"commit {ref}\nmark :1\n".encode()]
        out.append(_signature("author", author, at))
        out.append(_signature("committer", committer or author, committed_at or at))
        out.append(_data(message.encode()))
        out += [f"from {sha}\n".encode() for sha in parents[:1]]
        out += [f"merge {sha}\n".encode() for sha in parents[1:]]
        if tree is not None:
            out.append(f'M 040000 {tree} ""\n'.encode())
        out += [_file_command(path, content) for path, content in files.items()]
        moved = self._moves(others or {})
        out += [f"reset {name}\nfrom {sha or ZERO}\n".encode() for name, sha in moved.items()]
        out.append(b'\nget-mark :1\nls :1 ""\n')
        with self._lock:
            said = self._imported(b"".join(out), first=not parents and not self._refs)
            # 2d8e02a8...
            # 040000 tree 018e7cd8...<tab>
            new, written = said.decode().split("\n")[:2]
            self._trees[new], self._parents[new] = written.split()[2], tuple(parents)
            self._known |= {(new, "commit"), (self._trees[new], "tree")}
            self._note(
                {ref: new} | {name: new if sha == NEW else sha for name, sha in moved.items()}
            )
        return new

    def _imported(self, commands: bytes, *, first: bool) -> bytes:
        if not first or len(commands) > SMALL_BYTES:
            return self.fast_import(commands)
        said, added = _first_commit(commands)
        for name, content in added.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_bytes(content)
        return said

    def fast_import(self, commands: bytes) -> bytes:
        """Feed commands to ``git fast-import`` and return what it says. Raises `GitFailed`."""
        limit = 1 if len(self._trees) < FEW_PACKS else 100
        setting = f"fastimport.unpackLimit={limit}"
        return self.run("-c", setting, "fast-import", "--quiet", "--force", stdin=commands)

    def set_refs(self, refs: Mapping[str, str | None]) -> None:
        """Point refs at commits; ``None`` deletes a ref, if it exists."""
        moved = self._moves(refs)
        lines = [
            f"update {ref} {sha}\n" if sha else f"delete {ref}\n" for ref, sha in moved.items()
        ]
        if lines:
            self.run("update-ref", "--stdin", stdin="".join(lines).encode())
            self._note(moved)

    def _moves(self, refs: Mapping[str, str | None]) -> dict[str, str | None]:
        """Return those that are elsewhere, or to be deleted and still there."""
        return {ref: sha for ref, sha in refs.items() if sha != self._refs.get(ref)}

    def _note(self, moved: Mapping[str, str | None]) -> None:
        for ref, sha in moved.items():
            if sha is None:
                self._refs.pop(ref, None)
            else:
                self._refs[ref] = sha

    def fetch_from(self, other: "BareRepository", source: str, target: str) -> None:
        """Fetch a ref or SHA from another repository, because forks share objects."""
        allowed = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "uploadpack.allowAnySHA1InWant",
            "GIT_CONFIG_VALUE_0": "true",
        }
        refspec = f"+{source}:{target}"
        self.run("fetch", "--quiet", "--no-tags", str(other.path), refspec, extra=allowed)
        self._parents |= other._parents  # noqa: SLF001 - of the same class
        self._trees |= other._trees  # noqa: SLF001
        self._note({target: other.resolve(source)})

    def merge_trees(self, base: str, ours: str, theirs: str) -> str:
        """Merge the trees of three commits and return the new tree. Raises `MergeConflict`."""
        with tempfile.TemporaryDirectory(dir=self.path) as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self.run("read-tree", "-i", "-m", "--aggressive", base, ours, theirs, extra=index)
            unmerged = self.run("ls-files", "-z", "--unmerged", extra=index)
            lines = self._merged_files(unmerged, Path(scratch))
            self.run("update-index", "-z", "--index-info", stdin=lines, extra=index)
            return self.run("write-tree", extra=index).decode().strip()

    def _merged_files(self, unmerged: bytes, scratch: Path) -> bytes:
        """Merge the files that both sides changed; return input for ``--index-info``."""
        stages: dict[str, dict[str, tuple[str, str]]] = {}
        for line in unmerged.decode(errors="surrogateescape").split("\0")[:-1]:
            head, path = line.split("\t", 1)
            mode, sha, stage = head.split(" ")
            stages.setdefault(path, {})[stage] = (mode, sha)
        out = []
        for path, sides in stages.items():
            if set(sides) != {"1", "2", "3"}:
                raise MergeConflict(f"one side changed {path} and the other removed it")
            sha = self._merge_file(path, sides, scratch)
            out.append(f"0 {ZERO}\t{path}\0{sides['2'][0]} {sha} 0\t{path}\0")
        return "".join(out).encode(errors="surrogateescape")

    def _merge_file(self, path: str, sides: dict[str, tuple[str, str]], scratch: Path) -> str:
        for stage, (_, sha) in sides.items():
            (scratch / stage).write_bytes(self.blob(sha) or b"")
        names = [str(scratch / stage) for stage in ("2", "1", "3")]
        try:
            text = self.run("merge-file", "-p", *names)
        except GitFailed as failed:
            raise MergeConflict(f"both sides changed the same lines of {path}") from failed
        return self.run("hash-object", "-w", "--stdin", stdin=text).decode().strip()


# --- input for fast-import --------------------------------------------------------------------


def _signature(role: str, person: GitPerson, at: datetime) -> bytes:
    return f"{role} {person.name} <{person.email}> {int(at.timestamp())} +0000\n".encode()


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode(errors="surrogateescape")


def _file_command(path: str, content: Content) -> bytes:
    if content is None:
        return b"D " + _quoted(path) + b"\n"
    if isinstance(content, SubmoduleEntry):
        return b"M 160000 %s %s\n" % (content.sha.encode(), _quoted(path))
    mode, text = b"100644", content
    if isinstance(content, ExecutableFile):
        mode, text = b"100755", content.content
    elif isinstance(content, SymbolicLink):
        mode, text = b"120000", content.target
    raw = text.encode() if isinstance(text, str) else text
    assert isinstance(raw, bytes)  # noqa: S101 - narrows the union for the type checker
    return b"M %s inline %s\n" % (mode, _quoted(path)) + _data(raw)


# --- output of git ----------------------------------------------------------------------------


def _commit(record: str) -> CommitInfo:
    sha, tree, parents, an, ae, at, cn, ce, ct, message = record.lstrip("\n").split(FIELD, 9)
    return CommitInfo(
        sha=sha,
        tree=tree,
        parents=tuple(parents.split()),
        author=GitPerson(an, ae),
        authored_at=datetime.fromtimestamp(int(at), UTC),
        committer=GitPerson(cn, ce),
        committed_at=datetime.fromtimestamp(int(ct), UTC),
        message=message.rstrip("\n"),
    )


def _tree_entry(line: str) -> TreeEntry:
    head, path = line.split("\t", 1)
    mode, kind, sha, size = head.split()
    return TreeEntry(mode, kind, sha, None if size == "-" else int(size), path)


def _parse_raw(fields: list[str]) -> list[FileChange]:
    """Read ``--raw --numstat -z``: all raw records, then all counts, in the same order.

    https://git-scm.com/docs/git-diff#_raw_output_format
    """
    found: list[FileChange] = []
    at = 0
    while at < len(fields) and fields[at].startswith(":"):
        old_mode, new_mode, old_sha, new_sha, letter = fields[at][1:].split(" ")
        two = letter[0] in "RC"
        previous = fields[at + 1] if two else None
        path = fields[at + 2] if two else fields[at + 1]
        at += 3 if two else 2
        sha = old_sha if new_sha == ZERO else new_sha
        submodule = "160000" in (old_mode, new_mode)
        found.append(FileChange(letter[0], path, previous, sha, submodule, 0, 0, False, None))  # noqa: FBT003 - set below
    return list(_with_counts(found, fields[at:]))


def _with_counts(found: list[FileChange], fields: list[str]) -> Iterable[FileChange]:
    at = 0
    for change in found:
        added, deleted, path = fields[at].split("\t", 2)
        at += 1 if path else 3  # a rename has an empty path and two more fields
        binary = added == "-"
        yield replace(
            change,
            additions=0 if binary else int(added),
            deletions=0 if binary else int(deleted),
            binary=binary,
        )


def _split_patch(text: str) -> list[str]:
    """Split a diff into one text per file; no line of content starts with ``diff --git``."""
    starts = [found.start() for found in _DIFF.finditer(text)]
    return [text[start:end] for start, end in pairwise([*starts, len(text)])]


def _with_patches(counted: list[FileChange], texts: list[str]) -> Iterable[FileChange]:
    at = 0
    for change in counted:
        # Git shows a change of type (file to link) as a removal and an addition.
        used = 2 if change.status == "T" else 1
        hunks = [_hunks(text) for text in texts[at : at + used]]
        at += used
        yield replace(change, patch="\n".join(hunk for hunk in hunks if hunk) or None)


def _hunks(text: str) -> str:
    start = _HUNK.search(text)
    return text[start.start() :].removesuffix("\n") if start else ""
