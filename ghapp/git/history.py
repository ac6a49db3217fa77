"""Merged pull requests in a clone's history, oldest first. It does not read what they add.

The walk follows first parents: the commits that the branch itself pointed to, one after the other.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec.structs import replace

from ghapp.attribution.model import Struct
from ghapp.git.repository import GitError, GitRepository

LONGEST_REBASE = 250
"""Commits of the longest rebased pull request that is recognized without a number. GitHub lists as
many: https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request"""

# Merge pull request #12 from acme/totals
_MERGE = re.compile(r"Merge pull request #([1-9]\d{0,9})\b")
# Add monthly totals (#12)
_TRAILING = re.compile(r"\(#([1-9]\d{0,9})\)\s*$")
# refs/pull/12/head, or as a clone may name it: refs/remotes/origin/pr/12
_HEAD = re.compile(r"refs/(?:pull|remotes/[^/]+/(?:pull|pulls|pr))/([1-9]\d{0,9})(?:/head)?")
_FORMAT = "%H%x00%P%x00%ct%x00%ae%x00%at%x00%s"


class LandedHow(StrEnum):
    """How a change got onto the branch."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"
    COMMIT = "commit"
    """Without a pull request's number."""


class LandedChange(Struct, frozen=True):
    """A merged pull request, or a commit treated as one."""

    number: int | None
    """Number of the pull request; ``None``: not known."""
    commit: str
    """The commit that the branch pointed to afterwards."""
    before: str | None
    """The commit that the branch pointed to before; ``None``: it did not exist."""
    head: str | None
    """The second parent of a merge; ``None``: no merge, or one with more parents."""
    merged_at: datetime
    how: LandedHow
    shown: str | None = None
    """The last commit of the pull request, from GitHub's ref; ``None``: there is no ref, or the
    change is a merge."""
    cut: bool = False
    """Whether a shallow clone has the commit, but not the one before."""

    @property
    def name(self) -> str:
        """The name for messages."""
        number = f"pull request #{self.number}, " if self.number else ""
        return f"{number}commit {self.commit}"


class HistorySpan(Struct, frozen=True):
    """The part of a history to read; both ends are included."""

    tip: str
    since: datetime | None = None
    until: datetime | None = None
    every_commit: bool = False
    """Treat commits without a number as pull requests too."""

    def __contains__(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at <= self.until)


# --- finding ----------------------------------------------------------------------------------


class _Key(NamedTuple):
    """What a rebase keeps of a commit: its author, the author's time, and its title."""

    email: str
    written_at: str
    title: str


class _Step(NamedTuple):
    """One commit of the walk."""

    sha: str
    parents: tuple[str, ...]
    at: datetime
    key: _Key

    @property
    def title(self) -> str:
        return self.key.title


def landed(git: GitRepository, span: HistorySpan) -> Iterator[LandedChange]:
    """Yield the changes that landed on a branch within a span, oldest first.

    Raises `GitError`.
    """
    shallow = git.shallow()
    search = _Search(git, shallow, pull_heads(git))
    for one in search.walk(_steps(git, span.tip)):
        is_wanted = one.number is not None or span.every_commit
        if is_wanted and one.merged_at in span:
            yield one


def pull_heads(git: GitRepository) -> dict[int, str]:
    """Return the last commit of each pull request whose ref this clone has, by number."""
    heads: dict[int, str] = {}
    for line in git.lines("for-each-ref", "--format=%(objectname) %(refname)"):
        sha, _, name = line.decode(errors="replace").partition(" ")
        if found := _HEAD.fullmatch(name):
            heads[int(found[1])] = sha
    return heads


def _steps(git: GitRepository, tip: str) -> Iterator[_Step]:
    """Yield the commits along first parents, oldest first."""
    for line in git.lines(
        *("rev-list", "--first-parent", "--reverse", "--encoding=UTF-8"),
        *(f"--format=tformat:{_FORMAT}", "--end-of-options", tip, "--"),
    ):
        if b"\0" in line:  # git prints a line "commit <sha>" before each
            yield _step(line)


def _step(line: bytes) -> _Step:
    sha, parents, at, *key = line.decode(errors="replace").split("\0", 5)
    try:
        time = datetime.fromtimestamp(int(at), UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise GitError("rev-list", 0, f"commit {sha}: {at} is no time of this calendar") from error
    return _Step(sha, tuple(parents.split()), time, _Key(*key))


class _Search:
    """The walk along a branch, with the commits that may still be part of a rebase."""

    def __init__(
        self, git: GitRepository, shallow: frozenset[str], heads: Mapping[int, str]
    ) -> None:
        self._git = git
        self._shallow = shallow
        self._heads = heads
        known = Counter(heads.values())
        self._of_head = {sha: number for number, sha in heads.items() if known[sha] == 1}
        self._of_key = self._keys()
        self._waiting: deque[_Step] = deque()
        self._numbered: list[_Step] = []

    def walk(self, steps: Iterable[_Step]) -> Iterator[LandedChange]:
        for step in steps:
            number = self._number(step)
            if self._numbered and (len(step.parents) > 1 or number != self._last_number):
                yield self._rebased(self._last_number, self._numbered)
                self._numbered = []
            yield from self._take(step, number)
        if self._numbered:
            yield self._rebased(self._last_number, self._numbered)
        yield from self._flush()

    @property
    def _last_number(self) -> int | None:
        return self._number(self._numbered[-1])

    def _take(self, step: _Step, number: int | None) -> Iterator[LandedChange]:
        if len(step.parents) > 1:
            yield from self._flush()
            yield self._merged(step, number)
        elif number is not None:
            yield from self._flush()
            self._numbered.append(step)
        elif (pull := self._of_key.get(step.key)) is not None:
            yield from self._rebase_ends(step, pull)
        else:
            self._waiting.append(step)
            yield from self._flush(keep=LONGEST_REBASE)

    def _number(self, step: _Step) -> int | None:
        """Return the number in a commit's title, or of the ref that names its second parent."""
        found = _TRAILING.search(step.title)
        if len(step.parents) > 1:
            found = _MERGE.match(step.title) or found
        if found:
            return int(found[1])
        return self._of_head.get(step.parents[1]) if len(step.parents) == 2 else None

    def _flush(self, keep: int = 0) -> Iterator[LandedChange]:
        """Yield waiting commits as single commits, except the last ones."""
        while len(self._waiting) > keep:
            yield self._landed(None, [self._waiting.popleft()], LandedHow.COMMIT)

    def _rebase_ends(self, step: _Step, number: int) -> Iterator[LandedChange]:
        """Join the last commit of a rebase with the commits of its pull request before it."""
        head = self._heads[number]
        not_before = f"^{step.parents[0]}" if step.parents else head
        keys = set(_keys(self._git, "--no-merges", head, not_before))
        steps = deque([step])
        while self._waiting and self._waiting[-1].key in keys:
            steps.appendleft(self._waiting.pop())
        yield from self._flush()
        yield self._landed(number, list(steps), LandedHow.REBASE)

    def _rebased(self, number: int | None, steps: list[_Step]) -> LandedChange:
        return self._landed(number, steps, LandedHow.REBASE if len(steps) > 1 else LandedHow.SQUASH)

    def _merged(self, step: _Step, number: int | None) -> LandedChange:
        one = self._landed(number, [step], LandedHow.MERGE)
        head = step.parents[1] if len(step.parents) == 2 else None
        return replace(one, head=head, shown=None)

    def _landed(self, number: int | None, steps: list[_Step], how: LandedHow) -> LandedChange:
        first, last = steps[0], steps[-1]
        return LandedChange(
            number=number,
            commit=last.sha,
            before=first.parents[0] if first.parents else None,
            head=None,
            merged_at=last.at,
            how=how,
            shown=None if number is None else self._heads.get(number),
            cut=first.sha in self._shallow,
        )

    def _keys(self) -> dict[_Key, int]:
        """Return the pull request of each head's key, without keys that several heads share."""
        if not self._heads:
            return {}
        by_sha = self._of_head
        found: dict[_Key, list[int]] = {}
        for sha, key in _heads_keys(self._git, by_sha):
            found.setdefault(key, []).append(by_sha[sha])
        return {key: numbers[0] for key, numbers in found.items() if len(numbers) == 1}


def _heads_keys(git: GitRepository, shas: Iterable[str]) -> Iterator[tuple[str, _Key]]:
    asked = "".join(f"{sha}\n" for sha in shas).encode()
    told = git.run(
        *("rev-list", "--no-walk=unsorted", "--ignore-missing", "--stdin"),
        *("--encoding=UTF-8", f"--format=tformat:{_FORMAT}"),
        asked=asked,
    )
    for line in told.split(b"\n"):
        if b"\0" in line:
            step = _step(line)
            yield step.sha, step.key


def _keys(git: GitRepository, *revisions: str) -> Iterator[_Key]:
    told = git.run(
        *("rev-list", "--encoding=UTF-8", f"--format=tformat:{_FORMAT}"),
        f"--max-count={LONGEST_REBASE}",
        *revisions,
    )
    yield from (_step(line).key for line in told.split(b"\n") if b"\0" in line)
