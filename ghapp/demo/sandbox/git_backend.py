"""A bare git repository behind the git command. It knows neither GitHub nor HTTP."""

import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

ZERO = "0" * 40
COMMAND_SECONDS = 120
"""The longest that a command may take; a sandbox repository is small."""
FIELD, RECORD = "\x1f", "\x1e"
LOG_FORMAT = FIELD.join(
    ("%H", "%T", "%P", "%an", "%ae", "%at", "%cn", "%ce", "%ct", "%B" + RECORD),
)


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
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsync",
        "GIT_CONFIG_VALUE_0": "none",
    }


class BareRepository:
    """One bare repository at ``path``. It caches what it reads by commit, which never changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = git_environment(path)
        self._changes: dict[tuple[str, str], tuple[FileChange, ...]] = {}
        self._commits: dict[str, CommitInfo] = {}
        self._known: set[tuple[str, str]] = set()
        self._heads: dict[str, str] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path, default_branch: str) -> "BareRepository":
        """Create an empty repository from an empty template, so without hooks."""
        path.mkdir(parents=True)
        made = cls(path)
        made.run("init", "--quiet", "--bare", "--template=", str(path))
        made.run("symbolic-ref", "HEAD", f"refs/heads/{default_branch}")
        return made

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
        # Only this class moves refs, so its record of them is right.
        tip = self._heads.get(f"refs/heads/{name}") or self._heads.get(name)
        if tip is not None and kind == "commit":
            return tip
        sha = re.fullmatch(r"[0-9a-f]{40}", name) is not None
        if sha and (name, kind) in self._known:
            return name
        for candidate in (name,) if sha else (f"refs/heads/{name}", f"refs/tags/{name}", name):
            said = self.run(
                "rev-parse", "--verify", "--quiet", f"{candidate}^{{{kind}}}", allowed=(0, 1, 128)
            )
            if said.strip():
                self._known.add((said.decode().strip(), kind))
                return said.decode().strip()
        return None

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

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor; ``None``: the histories do not meet."""
        return self.run("merge-base", one, other, allowed=(0, 1)).decode().strip() or None

    def count(self, base: str, head: str) -> int:
        """Count the commits of ``head`` that are not in ``base``."""
        key = (base, head)
        if key not in self._counts:
            self._counts[key] = int(self.run("rev-list", "--count", f"{base}..{head}", "--"))
        return self._counts[key]

    def branches(self) -> dict[str, str]:
        """Return every branch with the SHA of its tip."""
        said = self.run("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        return dict(line.rsplit(" ", 1) for line in said.decode().splitlines())

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
        return self.run("diff", "-M", "--no-ext-diff", "--no-textconv", "--no-color", base, head)

    def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        """Return the changed files between two commits, sorted by path."""
        key = (base, head)
        if key not in self._changes:
            counted = _parse_raw(
                self.run("diff", "-M", "--raw", "--numstat", "-z", "--abbrev=40", base, head),
            )
            texts = _split_patch(self.patch(base, head).decode(errors="replace"))
            self._changes[key] = tuple(_with_patches(counted, texts))
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
    ) -> str:
        """Write one commit on ``ref`` and return its SHA.

        ``files`` are changes to ``tree``, or to the first parent's tree.
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
        out.append(b"\nget-mark :1\n")
        with self._lock:
            said = self.run(
                "-c", "core.ignorecase=false", "fast-import", "--quiet", "--force",
                stdin=b"".join(out),
            )  # fmt: skip
        self._heads[ref] = said.decode().strip()
        return self._heads[ref]

    def set_refs(self, refs: Mapping[str, str | None]) -> None:
        """Point refs at commits; ``None`` deletes a ref, if it exists."""
        lines = [f"update {ref} {sha}\n" if sha else f"delete {ref}\n" for ref, sha in refs.items()]
        self.run("update-ref", "--stdin", stdin="".join(lines).encode())
        for ref, sha in refs.items():
            self._heads.pop(ref, None)
            if sha is not None:
                self._heads[ref] = sha

    def fetch_from(self, other: "BareRepository", source: str, target: str) -> None:
        """Fetch a ref or SHA from another repository, because forks share objects."""
        allowed = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "uploadpack.allowAnySHA1InWant",
            "GIT_CONFIG_VALUE_0": "true",
        }
        refspec = f"+{source}:{target}"
        self.run("fetch", "--quiet", "--no-tags", str(other.path), refspec, extra=allowed)
        self._heads.pop(target, None)

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


def _parse_raw(said: bytes) -> list[FileChange]:
    """Read ``--raw --numstat -z``: all raw records, then all counts, in the same order.

    https://git-scm.com/docs/git-diff#_raw_output_format
    """
    fields = said.decode(errors="replace").split("\0")[:-1]
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
    starts = [found.start() for found in re.finditer(r"^diff --git ", text, re.MULTILINE)]
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def _with_patches(counted: list[FileChange], texts: list[str]) -> Iterable[FileChange]:
    at = 0
    for change in counted:
        # Git shows a change of type (file to link) as a removal and an addition.
        used = 2 if change.status == "T" else 1
        hunks = [_hunks(text) for text in texts[at : at + used]]
        at += used
        yield replace(change, patch="\n".join(hunk for hunk in hunks if hunk) or None)


def _hunks(text: str) -> str:
    # @@ -1,3 +1,4 @@ def total(order):
    start = re.search(r"^@@ ", text, re.MULTILINE)
    return text[start.start() :].removesuffix("\n") if start else ""
