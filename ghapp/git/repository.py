"""Reads repositories and fetches commits with the git command. It changes no work tree.

Git runs with an empty configuration and without our environment, so the same two commits give
the same diff on every machine. It runs nothing that a repository's own settings name: no hook,
file system monitor, pager, external diff, text conversion or credential helper.
"""

import base64
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

from ghapp.attribution.model import Struct
from ghapp.git.passing import PassingObjects, remove_abandoned
from ghapp.git.process import ENVIRONMENT, SECONDS, GitError, GitLimits, lines, run

LOCK = "fetching"
"""File in a repository of ours that is locked while something is fetched; its time is the last."""
LARGEST_PACK = 1024 * 1024 * 1024
"""Bytes that one fetch may write to a file."""
FIRST_YEAR, LAST_YEAR = 2, 9990
"""Years of a time that may have a window of `ghapp.attribution.policy.LONGEST_WINDOW` around it."""
RENAME_LIMIT = 5000
"""Files on each side among which git looks for renames; above, a moved file counts as new."""
WHOLE_HISTORY = 2**31 - 1
"""The depth that fetches all generations: https://git-scm.com/docs/git-fetch."""
NAMED_AT_MOST = 5
"""Missing files that an error message names."""

__all__ = [
    "CHANGED",
    "DIFF",
    "EMPTY_TREES",
    "WHOLE_HISTORY",
    "Commit",
    "GitError",
    "GitRepository",
    "attribute_files",
    "fetch",
    "fetch_commits",
    "remote_refs",
    "remove_unused",
]

ASKED_BY_NAME = 200
"""Paths that one git call names; for more paths, git lists all files."""

EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
"""The empty tree that a root commit is compared with, by the length of object names."""

ENCODINGS = frozenset(
    {
        *("utf-8", "utf8", "ascii", "us-ascii", "latin-1", "latin1", "cp1250", "cp1251", "cp1252"),
        *(f"iso-8859-{number}" for number in range(1, 17)),
        *(f"iso8859-{number}" for number in range(1, 17)),
        *("windows-1250", "windows-1251", "windows-1252", "koi8-r", "koi8-u"),
        *("euc-jp", "shift-jis", "iso-2022-jp", "gbk", "gb2312", "gb18030", "big5", "euc-kr"),
    }
)
"""Encodings of commit messages that are read; any other is read as UTF-8. Python's own list holds
codecs that take quadratic time (``punycode``) or answer with other errors (``undefined``)."""
_FETCH_ADVICE = "make a clone without --filter, or run git diff in it once while online"
# 4b825dc642cb6eb9a060e54bf8d69288fbee4904
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_INHERITED_TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO")
_SETTINGS = {
    "safe.directory": "*",  # git runs nothing that a stranger's configuration names, see above
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.attributesFile": os.devnull,
    "core.quotePath": "true",
    "diff.renameLimit": str(RENAME_LIMIT),
}
_FETCH_SETTINGS = {
    "credential.helper": "",
    "core.askPass": "",
    "http.followRedirects": "false",
    "protocol.version": "2",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
CHANGED = (
    "diff-tree",
    "-r",
    "--full-index",
    "--ignore-submodules=none",
)
"""Compares two trees in every file. This plumbing command ignores a user's settings."""
DIFF = (
    "-p",
    "-M",
    "-U3",
    "--indent-heuristic",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--submodule=short",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
"""The form of a diff, whatever the configuration says."""
_FETCH = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--recurse-submodules=no",
    "--filter=blob:none",
)


class Commit(Struct, frozen=True):
    """A commit object, whatever part of the history this clone has."""

    sha: str
    parents: tuple[str, ...]
    """In order; empty: a root. A shallow clone may lack these commits."""
    committed_at: datetime | None
    """``None``: the date is none that a calendar has, as for ``written_at``."""
    author_email: str
    message: str
    written_at: datetime | None
    """The author's time, which a rebase keeps."""
    author: str
    """``Name <email>``."""
    committer: str


def attribute_files(paths: Iterable[str]) -> list[str]:
    """Return every ``.gitattributes`` that could apply to some paths; it need not exist."""
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    return sorted(".gitattributes" if one == "." else f"{one}/.gitattributes" for one in folders)


class GitRepository:
    """A local repository: a checkout, one of its folders or worktrees, or a bare repository."""

    def __init__(
        self, path: Path, *, seconds: float = SECONDS, passing: PassingObjects | None = None
    ) -> None:
        self.path = path
        self._limits = GitLimits(seconds=seconds)
        self._passing = passing

    def commit(self, revision: str) -> Commit:
        """Return the commit that a revision names: a branch, ``HEAD~1``, a SHA.

        Raises `GitError` if this clone has no such commit.
        """
        sha = self._sha(revision)
        return _commit(sha, self.run("cat-file", "commit", sha))

    def commits(self, shas: Sequence[str]) -> list[Commit]:
        """Return commits by full name, with one git call. Raises `GitError` if one is missing."""
        return [_commit(sha, raw) for sha, raw in zip(shas, self.objects(shas), strict=True)]

    def resolve(self, revision: str) -> str | None:
        """Return the full name of the commit that a revision names; ``None``: there is none."""
        try:
            return self._sha(revision)
        except GitError:
            return None

    def diff(self, base: str, head: str) -> bytes:
        """Return the unified diff of two commits or trees, with renames and 3 lines of context.

        Git ignores attributes of the work tree (``*.svg -diff``), so the diff depends only on the
        two commits. Raises `GitError` if objects are missing; the message names their files.
        """
        try:
            return self.run(*CHANGED, *DIFF, "--end-of-options", base, head, "--")
        except GitError as error:
            advice = self._advice(base, head)
            raise GitError(error.command, error.status, error.problem, advice) from error

    def merge_base(self, one: str, other: str) -> str:
        """Return the best common ancestor. Raises `GitError` if this clone shows none."""
        try:
            return self.run("merge-base", "--end-of-options", one, other).decode().split()[0]
        except GitError as error:
            problem = error.problem or f"{one} and {other} have no common ancestor"
            advice = self._advice_for_shallow()
            raise GitError(error.command, error.status, problem, advice) from error

    def read_file(self, sha: str, path: str) -> bytes | None:
        """Return a file's content at a commit; ``None``: no such file, or a link or folder."""
        entries = self.entries(sha, path)
        return self.objects([entries[path]])[0] if path in entries else None

    def gitattributes(self, sha: str, names: Sequence[str] = ()) -> dict[str, str]:
        """Return the text of each ``.gitattributes`` of a commit, by path.

        Links do not count, as in git. ``names`` are the paths to read; empty: all.
        """
        asked = names if len(names) <= ASKED_BY_NAME else ()
        wanted = set(names)
        entries = self.entries(sha, *asked)
        paths = [
            path
            for path in entries
            if path.rpartition("/")[2] == ".gitattributes" and (not wanted or path in wanted)
        ]
        texts = self.objects([entries[path] for path in paths])
        return {
            path: text.decode(errors="replace") for path, text in zip(paths, texts, strict=True)
        }

    def top_level(self) -> Path | None:
        """Return the checkout's root; ``None``: the repository is bare."""
        if self.run("rev-parse", "--is-inside-work-tree", checkout=True).strip() != b"true":
            return None
        return Path(os.fsdecode(self.run("rev-parse", "--show-toplevel", checkout=True)[:-1]))

    def checkouts(self) -> tuple[str, ...]:
        """Return the roots of this checkout and of its worktrees."""
        top = self.top_level()
        return tuple(dict.fromkeys([*([str(top)] if top else []), *self.worktrees()]))

    def oldest(self, tip: str) -> str:
        """Return the oldest commit along first parents that this clone has."""
        name = b""
        for line in self.lines("rev-list", "--first-parent", "--end-of-options", tip, "--"):
            name = line
        return name.decode()

    def shallow(self) -> frozenset[str]:
        """Return the commits whose parents a shallow clone lacks; empty: it lacks none."""
        told = self.run("rev-parse", "--git-path", "shallow")
        path = Path(self._directory, os.fsdecode(told).removesuffix("\n"))
        try:
            return frozenset(path.read_text().split())
        except FileNotFoundError:
            return frozenset()

    def is_partial(self) -> bool:
        """Return whether the clone may lack files on purpose: ``git clone --filter``.

        https://git-scm.com/docs/partial-clone
        """
        try:
            told = self.run("config", "--local", "--get-regexp", r"^remote\..*\.promisor$")
        except GitError:
            return False  # git config exits with 1 if it finds nothing: https://git-scm.com/docs/git-config
        return b"true" in told

    def worktrees(self) -> tuple[str, ...]:
        """Return the roots of all checkouts, including deleted ones that git has not pruned."""
        told = os.fsdecode(self.run("worktree", "list", "--porcelain")).split("\n\n")
        entries = [entry.split("\n") for entry in told if entry.startswith("worktree ")]
        return tuple(
            entry[0].removeprefix("worktree ") for entry in entries if "bare" not in entry[1:]
        )

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Return the paths that a checkout's own rules ignore. A tracked file is never ignored.

        Raises `GitError`.
        """
        arguments, environment = self._call(("check-ignore", "--stdin", "-z"), checkout=True)
        # This command rejects the setting, and reads a path that starts with ./ literally.
        del environment["GIT_LITERAL_PATHSPECS"]
        asked = os.fsencode("".join(f"./{path}\0" for path in paths))
        try:
            told = run(arguments, "check-ignore", environment, self._limits, asked)
        except GitError as error:
            if error.status == 1:
                return (
                    frozenset()
                )  # none is ignored: https://git-scm.com/docs/git-check-ignore#_exit_status
            raise
        return frozenset(one.removeprefix("./") for one in os.fsdecode(told).split("\0") if one)

    # --- below the surface --------------------------------------------------------------------

    @cached_property
    def _directory(self) -> str:
        """The repository itself: ``.git``, or the folder that a worktree's ``.git`` file names."""
        told = self.run("rev-parse", "--absolute-git-dir", checkout=True)
        return os.fsdecode(told).removesuffix("\n")

    def run(self, *command: str, asked: bytes = b"", checkout: bool = False) -> bytes:
        """Run git on the objects alone, or with ``checkout`` in the work tree; return its output.

        Raises `GitError`.
        """
        arguments, environment = self._call(command, checkout=checkout)
        return run(arguments, command[0], environment, self._limits, asked)

    def lines(self, *command: str) -> Iterator[bytes]:
        """Run git on the objects alone and yield its lines, without a limit on the output.

        Raises `GitError`, perhaps after some lines.
        """
        arguments, environment = self._call(command, checkout=False)
        return lines(arguments, command[0], environment)

    def _call(self, command: Sequence[str], *, checkout: bool) -> tuple[list[str], dict[str, str]]:
        """Return the arguments and the environment of a git call.

        Outside the work tree, neither attributes nor an index can alter a diff. So both get paths
        inside the repository's folder where nothing exists.
        """
        place = ["-C", str(self.path)]
        environment = {**ENVIRONMENT, **(self._passing.environment if self._passing else {})}
        if not checkout:
            place = ["--git-dir", self._directory]
            environment["GIT_WORK_TREE"] = f"{self._directory}/no-work-tree"
            environment["GIT_INDEX_FILE"] = f"{self._directory}/no-index"
        return [*place, *_as_arguments(_SETTINGS), *command], environment

    def _sha(self, revision: str) -> str:
        verify = ("rev-parse", "--verify", "--quiet", "--end-of-options")
        try:
            return self.run(*verify, f"{revision}^{{commit}}").decode().strip()
        except GitError as error:
            problem = error.problem or f"no commit {revision!r} in {self.path}"
            advice = self._advice_for_shallow()
            raise GitError(error.command, error.status, problem, advice) from error

    def entries(self, sha: str, *paths: str) -> dict[str, str]:
        """Return the object names of a commit's files, by path, without links and submodules."""
        listed = self.run("ls-tree", "-r", "-z", "--full-tree", sha, "--", *paths)
        entries = (os.fsdecode(entry).partition("\t") for entry in listed.split(b"\0") if entry)
        return {path: kind.split(" ")[2] for kind, _, path in entries if kind.startswith("100")}

    def objects(self, names: Sequence[str]) -> list[bytes]:
        """Return contents by object name. Raises `GitError` if one is missing."""
        answer = self.run("cat-file", "--batch", asked=_as_lines(names)) if names else b""
        blobs: list[bytes] = []
        at = 0
        for name in names:
            head, _, _ = answer[at : at + 200].partition(b"\n")
            if head.endswith(b"missing"):
                raise GitError("cat-file", 0, f"object {name} is missing", _FETCH_ADVICE)
            start = at + len(head) + 1
            at = start + int(head.split(b" ")[2]) + 1
            blobs.append(answer[start : at - 1])
        return blobs

    def size(self, names: Sequence[str]) -> int:
        """Return the total size of some objects in bytes, without reading them."""
        told = self.run("cat-file", "--batch-check=%(objectsize)", asked=_as_lines(names))
        return sum(int(line) for line in told.split() if line.isdigit())

    def _advice(self, base: str, head: str) -> str:
        """Return which files this clone lacks for a diff, if it can be known; else empty."""
        try:
            missing = list(dict.fromkeys(self.missing(base, head).values()))
        except GitError:
            return self._advice_for_shallow()
        if not missing:
            return ""
        shown = ", ".join(map(repr, missing[:NAMED_AT_MOST]))
        more = len(missing) - NAMED_AT_MOST
        rest = f" and {more} more" if more > 0 else ""
        return f"this clone lacks the content of {shown}{rest}; {_FETCH_ADVICE}"

    def missing(self, base: str, head: str) -> dict[str, str]:
        """Return the paths of objects that a diff needs and this clone lacks, by object name."""
        listed = self.run(*CHANGED, "--raw", "-z", "--no-renames", "--end-of-options", base, head)
        told = listed.split(b"\0")
        wanted: dict[str, str] = {}
        for kind, path in zip(told[::2], told[1::2], strict=False):
            old_mode, new_mode, old, new, _ = kind.decode().removeprefix(":").split(" ")
            sides = ((old_mode, old), (new_mode, new))
            is_file = ((mode, name) for mode, name in sides if mode not in {"000000", "160000"})
            wanted.update({name: os.fsdecode(path) for _, name in is_file})
        lacking = self._lacking(base, head)
        return {name: path for name, path in wanted.items() if name in lacking}

    def _lacking(self, *revisions: str) -> set[str]:
        """Return the names of objects in these commits' trees that this clone lacks.

        Unlike ``cat-file``, ``rev-list`` has an option not to fetch missing objects:
        https://git-scm.com/docs/git-rev-list
        """
        trees = [f"{revision}^{{tree}}" for revision in revisions]
        listed = self.run("rev-list", "--objects", "--missing=print", "--end-of-options", *trees)
        names = listed.decode(errors="replace").splitlines()
        return {name.removeprefix("?") for name in names if name.startswith("?")}

    def _advice_for_shallow(self) -> str:
        told = self.run("rev-parse", "--is-shallow-repository").strip()
        return "the clone is shallow: git fetch --unshallow" if told == b"true" else ""


def fetch_commits(
    path: Path, url: str, shas: Sequence[str], token: str, *, seconds: float = SECONDS
) -> GitRepository:
    """Fetch commits and the files that differ between them into a bare repository.

    The repository is created if needed. No history is fetched, and only files that differ from
    one commit to the next: two commits of a large repository are few objects. Raises `GitError`.
    """

    def differing(git: GitRepository) -> Iterator[str]:
        return chain.from_iterable(git.missing(base, head) for base, head in pairwise(shas))

    return fetch(path, url, token, shas, differing, seconds=seconds)


def fetch(  # noqa: PLR0913 - from where, to where, what, and within what time
    path: Path,
    url: str,
    token: str,
    names: Sequence[str],
    lacking: Callable[[GitRepository], Iterable[str]],
    *,
    depth: int = 1,
    seconds: float = SECONDS,
) -> GitRepository:
    """Fetch commits and refs into a bare repository, without files.

    The repository is created if needed. ``names`` are full names of commits and refs; a ref gets
    the same name here. ``depth`` is how many generations of each are fetched; the usual one is no
    history. Then the objects that ``lacking`` names are fetched too: they are there as long as the
    returned repository is in use, and are not kept (`PassingObjects`). ``token`` is
    GitHub's installation token. It reaches the request through the environment of this one
    process, never through an argument or a file. ``url`` is https, or http to this machine.

    Raises `GitError`.
    """
    asked = [_asked_for(name) for name in names]
    environment = _fetch_environment(url, token)
    with _alone(path):
        _bare(path, url)
        passing = PassingObjects(path)
        git = GitRepository(path, passing=passing)
        limits = GitLimits(seconds=seconds, file=LARGEST_PACK)
        _Fetch(path, environment, limits).run(f"--depth={depth}", "origin", *asked)
        if files := dict.fromkeys(lacking(git)):
            not_kept = _Fetch(path, {**environment, **passing.environment}, limits)
            not_kept.run("--stdin", "origin", asked=_as_lines(files))
    return git


def remote_refs(path: Path, url: str, token: str, patterns: Sequence[str]) -> frozenset[str]:
    """Return the refs of a remote repository that match some patterns, without fetching.

    ``path`` is a bare repository of ours, created if needed. Raises `GitError`.
    """
    environment = _fetch_environment(url, token)
    with _alone(path):
        _bare(path, url)
    arguments = ["--git-dir", str(path), "ls-remote", "--refs", "--quiet", "origin", *patterns]
    told = run(arguments, "ls-remote", environment, GitLimits())
    names = (line.partition(b"\t")[2] for line in told.splitlines())
    return frozenset(name.decode(errors="replace") for name in names)


def remove_unused(cache: Path, before: datetime) -> int:
    """Delete the repositories of ours into which nothing was fetched since then; return how many.

    ``cache`` holds a folder for each, and may not exist.
    """
    import fcntl  # noqa: PLC0415 - not on Windows, where an offline audit needs none of this

    count = 0
    for path in cache.glob(f"*/{LOCK}"):
        with path.open("r+") as lock, suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_abandoned(path.parent)
            if path.stat().st_mtime < before.timestamp():
                shutil.rmtree(path.parent, ignore_errors=True)
                count += 1
    return count


def _asked_for(name: str) -> str:
    """Return what to ask git for: a commit's name, or ``+refs/notes/ai:refs/notes/ai``."""
    if name.startswith("refs/") and not set(name) & set(":*^~?[\\ \n"):
        return f"+{name}:{name}"
    if _SHA.fullmatch(name):
        return name
    raise GitError("fetch", None, f"not a full object name: {name!r}")


class _Fetch(NamedTuple):
    """The common part of all requests of one fetch."""

    path: Path
    environment: dict[str, str]
    limits: GitLimits

    def run(self, *arguments: str, asked: bytes = b"") -> None:
        # Otherwise git assumes that we have all that our refs reach, even files we never fetched:
        # https://git-scm.com/docs/git-config (fetch.negotiationAlgorithm)
        wanting = ("-c", "fetch.negotiationAlgorithm=noop") if asked else ()
        command = ["--git-dir", str(self.path), *wanting, *_FETCH, *arguments]
        run(command, "fetch", self.environment, self.limits, asked)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process fetches into this repository; git itself would fail."""
    import fcntl  # noqa: PLC0415 - not on Windows, where an offline audit needs none of this

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(path / LOCK, os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.utime(path / LOCK)
        remove_abandoned(path)
        yield


def _bare(path: Path, url: str) -> None:
    """Make the bare repository, a partial clone that knows its remote."""
    environment, limits = dict(ENVIRONMENT), GitLimits()
    init = ["init", "--quiet", "--bare", "--template=", str(path)]
    run(init, "init", environment, limits)
    for key, value in {
        "remote.origin.url": url,
        "remote.origin.promisor": "true",
        "remote.origin.partialCloneFilter": "blob:none",
    }.items():
        run(["--git-dir", str(path), "config", key, value], "config", environment, limits)


def _fetch_environment(url: str, token: str) -> dict[str, str]:
    """Return the environment of a fetch: settings, and the credential for this one host.

    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
    """
    parts = urlsplit(url)
    is_loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
    is_web = parts.scheme == "https" or is_loopback
    if not (is_web and parts.hostname) or "@" in parts.netloc:
        raise GitError(
            "fetch", None, f"not an https address without a login in it: {parts.hostname}"
        )
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    settings = {
        **_SETTINGS,
        **_FETCH_SETTINGS,
        f"protocol.{parts.scheme}.allow": "always",
        f"http.{parts.scheme}://{parts.netloc}/.extraHeader": f"Authorization: Basic {basic}",
    }
    numbered: dict[str, str] = {}
    for number, (key, value) in enumerate(settings.items()):
        numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    trust = {name: os.environ[name] for name in _INHERITED_TRUST if name in os.environ}
    environment = {**ENVIRONMENT, **trust, **numbered, "GIT_CONFIG_COUNT": str(len(settings))}
    del environment["GIT_ALLOW_PROTOCOL"]
    return environment


# --- small conversions ------------------------------------------------------------------------


def _as_arguments(settings: dict[str, str]) -> list[str]:
    return [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]


def _as_lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


def _commit(sha: str, raw: bytes) -> Commit:
    """Parse a commit object: header lines, a blank line, the message."""
    header, _, message = raw.partition(b"\n\n")
    fields = [line.partition(b" ")[::2] for line in header.split(b"\n")]
    first = dict(reversed(fields))
    encoding = first.get(b"encoding", b"utf-8").decode(errors="replace")
    author, written_at = _person(first[b"author"], encoding)
    committer, committed_at = _person(first[b"committer"], encoding)
    return Commit(
        sha=sha,
        parents=tuple(value.decode() for key, value in fields if key == b"parent"),
        committed_at=committed_at,
        author_email=_email(first[b"author"]),
        message=_decoded(message, encoding),
        written_at=written_at,
        author=author,
        committer=committer,
    )


def _person(told: bytes, encoding: str) -> tuple[str, datetime | None]:
    """Return who and when from a header line: ``Ann <ann@acme.example> 1767225600 +0100``."""
    who, sign, rest = told.rpartition(b">")
    seconds = next(iter(rest.split()), b"").decode(errors="replace")
    return _decoded(who + sign, encoding), moment(seconds)


def moment(seconds: str) -> datetime | None:
    """Return a git time as one that windows can be laid around; ``None``: it is no such time.

    Old tools wrote dates before the epoch as numbers beyond all time, and git keeps them:
    https://github.com/jelmer/dulwich/issues/567, https://github.com/libgit2/libgit2/issues/5448
    """
    try:
        found = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def _email(author: bytes) -> str:
    return author.rpartition(b"<")[2].partition(b">")[0].decode(errors="replace")


def _decoded(message: bytes, encoding: str) -> str:
    """Decode a message; if its encoding does not fit, as UTF-8 with U+FFFD."""
    # Whoever writes the commit names the encoding, and not every codec is meant for strangers.
    known = encoding.lower().replace("_", "-") in ENCODINGS
    try:
        return message.decode(encoding if known else "utf-8")
    except (LookupError, UnicodeError):
        return message.decode(errors="replace")
