"""Merged pull requests in a clone's history, oldest first. It does not read what they add.

The walk follows first parents: the commits that the branch itself pointed to, one after the other.
Pull requests that were merged into another branch, which was merged later, or before somebody
merged the branch into a copy of their own and pushed that, stand beside this line.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from msgspec.structs import replace

from ghapp.attribution.model import Struct
from ghapp.git.repository import GitRepository, moment
from ghapp.git.titles import LOOSE, CommitWords, may_name, number_in

LONGEST_REBASE = 250
"""Commits of the longest rebased pull request that is recognized without a number. GitHub lists as
many: https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request"""

# refs/pull/12/head, or as a clone may name it: refs/remotes/origin/pr/12
_HEAD = re.compile(r"refs/(?:pull|remotes/[^/]+/(?:pull|pulls|pr))/([1-9]\d{0,9})(?:/head)?")
_FORMAT = "%H%x00%P%x00%ct%x00%ae%x00%at%x00%s"
_WITH_BODY = f"{_FORMAT}%n%b%n%x00"


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
    aside: bool = False
    """Whether it stands beside the branch's first parents."""

    @property
    def name(self) -> str:
        """The name for messages."""
        number = f"pull request #{self.number}, " if self.number else ""
        return f"{number}commit {self.commit}"


class LeftOut(Struct, frozen=True):
    """A commit of the history that gives no change, and why."""

    commit: str
    number: int | None
    """The number that its message names; ``None``: none."""
    problem: str
    is_lost: bool = True
    """Whether a change is missing because of it; ``False``: its number may be no pull request's."""


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
    at: datetime | None
    """``None``: the commit's date is none that a calendar has."""
    key: _Key
    body: str = ""

    def number(self) -> int | None:
        """Return the number in the message."""
        words = CommitWords(self.key.title, self.body)
        return number_in(words, is_merge=len(self.parents) > 1)


def landed(git: GitRepository, span: HistorySpan) -> Iterator[LandedChange | LeftOut]:
    """Yield the changes that landed on a branch within a span, oldest first, and what gave none.

    Raises `GitError`.
    """
    shallow = git.shallow()
    aside = _Aside(git, span.tip)
    search = _Search(git, shallow, pull_heads(git), aside)
    placed: set[int | None] = set()
    for one in search.walk(_steps(git, span.tip)):
        placed.add(one.number)
        if isinstance(one, LeftOut):
            yield one
            continue
        is_wanted = one.number is not None or span.every_commit
        if is_wanted and one.merged_at in span:
            yield one
    for step in aside.numbered():
        number = step.number()
        if number not in placed and step.at is not None and step.at in span:
            placed.add(number)
            problem = "its message names a number, and it is no merge into this branch"
            yield LeftOut(commit=step.sha, number=number, problem=problem, is_lost=False)


def changes_of(some: Iterable[LandedChange | LeftOut]) -> Iterator[LandedChange]:
    """Yield the changes alone."""
    return (one for one in some if isinstance(one, LandedChange))


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
    return _asked(git, "--first-parent", "--reverse", "--end-of-options", tip, "--")


def _asked(git: GitRepository, *arguments: str) -> Iterator[_Step]:
    """Yield the commits that ``git rev-list`` answers with."""
    command = ("rev-list", "--encoding=UTF-8", f"--format=tformat:{_WITH_BODY}", *arguments)
    head = b""
    body: list[str] = []
    for line in git.lines(*command):
        if line == b"\0":
            yield _step(head, "".join(body))
            head, body = b"", []
        elif not head and b"\0" in line:  # git prints a line "commit <sha>" before each
            head = line
        elif head and may_name(line):
            body.append(line.decode(errors="replace") + "\n")


def _step(line: bytes, body: str = "") -> _Step:
    sha, parents, at, *key = line.decode(errors="replace").split("\0", 5)
    return _Step(sha, tuple(parents.split()), moment(at), _Key(*key), body)


class _Aside:
    """The commits with a number that do not stand on the branch's first parents."""

    def __init__(self, git: GitRepository, tip: str) -> None:
        self._git = git
        self._tip = tip
        self._seen: set[str] = set()

    @cached_property
    def steps(self) -> dict[str, _Step]:
        """Commits with a number beside the line, by name, oldest first."""
        if not list(self._git.lines("rev-list", "--min-parents=2", "--max-count=1", self._tip)):
            return {}
        loose = [f"--grep={pattern}" for pattern in LOOSE]
        found = _asked(
            self._git,
            *("--topo-order", "--reverse", "--extended-regexp", *loose),
            *("--end-of-options", self._tip, "--"),
        )
        line = self._line
        return {
            step.sha: step for step in found if step.sha not in line and step.number() is not None
        }

    @cached_property
    def _line(self) -> frozenset[str]:
        told = self._git.lines("rev-list", "--first-parent", "--end-of-options", self._tip, "--")
        return frozenset(line.decode() for line in told)

    @cached_property
    def _parents(self) -> dict[str, tuple[str, ...]]:
        found = {}
        for line in self._git.lines("rev-list", "--parents", "--end-of-options", self._tip, "--"):
            sha, *parents = line.decode().split()
            found[sha] = tuple(parents)
        return found

    def numbered(self) -> Iterable[_Step]:
        """Return the commits with a number beside the line, oldest first."""
        return self.steps.values()

    def lines_of(self, step: _Step) -> list[list[_Step]]:
        """Return the lines that a merge without a number brought in, if pull requests stand there.

        Somebody merged the branch into a copy of their own, or a branch that collects pull
        requests. Each line follows first parents, oldest first.
        """
        found = []
        for start in step.parents[1:] if self.steps else ():
            line, sha = [], start
            while sha in self._parents and sha not in self._line and sha not in self._seen:
                line.append(sha)
                sha = next(iter(self._parents[sha]), "")
            if not self.steps.keys().isdisjoint(line):
                found.append(line[::-1])
        for line in found:
            self._seen.update(line)
        return [self._read(line) for line in found]

    def merges_of(self, step: _Step) -> list[_Step]:
        """Return the merges with a number that a merge brought in, oldest first."""
        if not self.steps:
            return []
        inside: set[str] = set()
        ahead = list(step.parents[1:])
        while ahead:
            sha = ahead.pop()
            if sha in self._parents and sha not in self._line and sha not in self._seen:
                self._seen.add(sha)
                inside.add(sha)
                ahead += self._parents[sha]
        return [one for one in self.numbered() if one.sha in inside and len(one.parents) > 1]

    def _read(self, shas: Sequence[str]) -> list[_Step]:
        asked = "".join(f"{sha}\n" for sha in shas).encode()
        found = {step.sha: step for step in _told(self._git, asked)}
        return [self.steps.get(sha, found[sha]) for sha in shas]


class _Search:
    """The walk along a branch, with the commits that may still be part of a rebase."""

    def __init__(
        self,
        git: GitRepository,
        shallow: frozenset[str],
        heads: Mapping[int, str],
        aside: _Aside,
        *,
        beside: bool = False,
    ) -> None:
        self._git = git
        self._aside = aside
        self._beside = beside
        self._shallow = shallow
        self._heads = heads
        known = Counter(heads.values())
        self._of_head = {sha: number for number, sha in heads.items() if known[sha] == 1}
        self._of_key = self._keys()
        self._waiting: deque[_Step] = deque()
        self._numbered: list[_Step] = []

    def walk(self, steps: Iterable[_Step]) -> Iterator[LandedChange | LeftOut]:
        for one in self._found(steps):
            yield (
                replace(one, aside=True) if self._beside and isinstance(one, LandedChange) else one
            )

    def _found(self, steps: Iterable[_Step]) -> Iterator[LandedChange | LeftOut]:
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

    def _take(self, step: _Step, number: int | None) -> Iterator[LandedChange | LeftOut]:
        if len(step.parents) > 1:
            yield from self._flush()
            yield from self._merge(step, number)
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
        number = step.number()
        if number is not None:
            return number
        return self._of_head.get(step.parents[1]) if len(step.parents) == 2 else None

    def _merge(self, step: _Step, number: int | None) -> Iterator[LandedChange | LeftOut]:
        """Yield what a merge brought in: itself, or the line that it joined to this one."""
        lines = self._aside.lines_of(step) if number is None else []
        for line in lines:
            inner = _Search(self._git, self._shallow, self._heads, self._aside, beside=True)
            yield from inner.walk(line)
        for one in self._aside.merges_of(step):
            inside = self._merged(one, one.number())
            yield replace(inside, aside=True) if isinstance(inside, LandedChange) else inside
        if not lines:
            yield self._merged(step, number)

    def _flush(self, keep: int = 0) -> Iterator[LandedChange | LeftOut]:
        """Yield waiting commits as single commits, except the last ones."""
        while len(self._waiting) > keep:
            yield self._landed(None, [self._waiting.popleft()], LandedHow.COMMIT)

    def _rebase_ends(self, step: _Step, number: int) -> Iterator[LandedChange | LeftOut]:
        """Join the last commit of a rebase with the commits of its pull request before it."""
        head = self._heads[number]
        not_before = f"^{step.parents[0]}" if step.parents else head
        keys = set(_keys(self._git, "--no-merges", head, not_before))
        steps = deque([step])
        while self._waiting and self._waiting[-1].key in keys:
            steps.appendleft(self._waiting.pop())
        yield from self._flush()
        yield self._landed(number, list(steps), LandedHow.REBASE)

    def _rebased(self, number: int | None, steps: list[_Step]) -> LandedChange | LeftOut:
        return self._landed(number, steps, LandedHow.REBASE if len(steps) > 1 else LandedHow.SQUASH)

    def _merged(self, step: _Step, number: int | None) -> LandedChange | LeftOut:
        one = self._landed(number, [step], LandedHow.MERGE)
        if isinstance(one, LeftOut):
            return one
        head = step.parents[1] if len(step.parents) == 2 else None
        return replace(one, head=head, shown=None)

    def _landed(
        self, number: int | None, steps: list[_Step], how: LandedHow
    ) -> LandedChange | LeftOut:
        first, last = steps[0], steps[-1]
        if last.at is None:
            problem = "its committer's date is none that a calendar has"
            return LeftOut(commit=last.sha, number=number, problem=problem)
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
    yield from ((step.sha, step.key) for step in _told(git, asked))


def _told(git: GitRepository, asked: bytes) -> Iterator[_Step]:
    """Yield commits by name, without their bodies; those that are missing are left out."""
    told = git.run(
        *("rev-list", "--no-walk=unsorted", "--ignore-missing", "--stdin"),
        *("--encoding=UTF-8", f"--format=tformat:{_FORMAT}"),
        asked=asked,
    )
    yield from (_step(line) for line in told.split(b"\n") if b"\0" in line)


def _keys(git: GitRepository, *revisions: str) -> Iterator[_Key]:
    told = git.run(
        *("rev-list", "--encoding=UTF-8", f"--format=tformat:{_FORMAT}"),
        f"--max-count={LONGEST_REBASE}",
        *revisions,
    )
    yield from (_step(line).key for line in told.split(b"\n") if b"\0" in line)
