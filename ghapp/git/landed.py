"""The diffs of merged pull requests in a clone, with few git calls for many of them.

It does not find pull requests. It reports those that this clone cannot show completely.
"""

from collections.abc import Iterable, Sequence

from ghapp.attribution.model import Change, Struct
from ghapp.attribution.unified_diff import DiffError, parse_diff
from ghapp.git.history import LandedChange
from ghapp.git.process import GitError
from ghapp.git.repository import CHANGED, DIFF, EMPTY_TREES, GitRepository, attribute_files

_UNSHALLOW = "the history of this clone ends before it: git fetch --unshallow"


class NotInClone(Struct, frozen=True):
    """A change that this clone cannot show completely, and why."""

    problem: str


Pair = tuple[str, str]
"""The two sides of a diff: from, to."""


def changes(git: GitRepository, some: Sequence[LandedChange]) -> list[Change | NotInClone]:
    """Return what each of some neighboring changes adds, in order.

    For a merge, that is what the pull request added since it left the branch, as GitHub shows it
    (a three-dot diff). Otherwise it is what the branch gained. If GitHub's ref of the pull
    request exists and adds the same lines, its diff is used instead. One git call diffs all
    neighbors; if it fails, each is diffed alone.

    https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/proposing-changes-to-your-work-with-pull-requests/about-comparing-branches-in-pull-requests
    """
    line = [one for one in some if not one.aside]
    region = _Region(git, line) if any(one.head or one.shown for one in line) else None
    pairs = [_pair(git, region, one) for one in some]
    read = [_files(text) for text in _diffs(git, pairs)]
    shown = [_shown_pair(region, one) for one in some]
    read = _as_shown(git, read, shown)
    attributes = _attributes(git, [one.before for one in some], read)
    return [_with(change, given) for change, given in zip(read, attributes, strict=True)]


def _files(text: bytes | NotInClone) -> Change | NotInClone:
    if isinstance(text, NotInClone):
        return text
    try:
        return Change(files=parse_diff(text))
    except DiffError as error:
        return NotInClone(problem=str(error))


def _with(
    change: Change | NotInClone, attributes: dict[str, str] | NotInClone
) -> Change | NotInClone:
    if isinstance(change, NotInClone) or (isinstance(attributes, dict) and not attributes):
        return change
    if isinstance(attributes, NotInClone):
        return attributes
    return Change(files=change.files, gitattributes=attributes)


def _pair(git: GitRepository, region: "_Region | None", one: LandedChange) -> Pair | NotInClone:
    if one.cut:
        return NotInClone(problem=_UNSHALLOW)
    if one.before is None:
        return EMPTY_TREES[len(one.commit)], one.commit
    if one.head is None:
        return one.before, one.commit
    try:
        # Beside the line there is no order in which the branch grew.
        known = None if one.aside or region is None else region.merge_base(one.before, one.head)
        return known or git.merge_base(one.before, one.head), one.head
    except GitError as error:
        return NotInClone(problem=str(error))


def _shown_pair(region: "_Region | None", one: LandedChange) -> Pair | None:
    """Return what GitHub compared for a pull request that landed as other commits."""
    if region is None or one.aside or one.shown is None or one.before is None or one.cut:
        return None
    try:
        base = region.merge_base(one.before, one.shown)
    except GitError:
        return None
    return (base, one.shown) if base and (base, one.shown) != (one.before, one.commit) else None


def _as_shown(
    git: GitRepository, read: Sequence[Change | NotInClone], shown: Sequence[Pair | None]
) -> list[Change | NotInClone]:
    """Return changes as GitHub showed them, if that adds the same lines.

    It adds other lines if the number in a title does not mean the pull request, or if the pull
    request was for another branch.
    """
    texts = iter(_diffs(git, [pair for pair in shown if pair]))
    others = [_files(next(texts)) if pair else None for pair in shown]
    return [
        other if isinstance(other, Change) and _added(other) == _added(change) else change
        for change, other in zip(read, others, strict=True)
    ]


def _added(change: Change | NotInClone) -> list[tuple[str, str]] | None:
    if isinstance(change, NotInClone):
        return None
    return sorted((file.path, line.text) for file in change.files for line in file.added())


class _Region:
    """The commits that some neighboring changes brought onto a branch."""

    def __init__(self, git: GitRepository, some: Sequence[LandedChange]) -> None:
        first, last = some[0], some[-1]
        start = [f"^{first.before}"] if first.before and not first.cut else []
        self._parents: dict[str, tuple[str, ...]] = {}
        self._shallow = git.shallow()
        tips = dict.fromkeys([last.commit, *(one.shown for one in some if one.shown)])
        asked = ("rev-list", "--parents", "--ignore-missing", *tips, *start, "--")
        for line in git.lines(*asked):
            sha, *parents = line.decode().split()
            self._parents[sha] = tuple(parents)
        self._on_branch: set[str] = set()

    def merge_base(self, before: str, head: str) -> str | None:
        """Return where a merged line left the branch; ``None``: ask git itself.

        Call it in the order of the history: ``before`` never goes back to an earlier state.
        Raises `GitError` if a shallow clone may lack the commit.
        """
        self._reach(before)
        stops, seen, ahead = set(), set(), [head]
        while ahead:
            sha = ahead.pop()
            if sha in seen:
                continue
            seen.add(sha)
            if sha in self._on_branch or sha not in self._parents:
                stops.add(sha)
                continue
            if sha in self._shallow:
                raise GitError("merge-base", None, f"{sha} has no parents here", _UNSHALLOW)
            ahead += self._parents[sha]
        return stops.pop() if len(stops) == 1 else None

    def _reach(self, sha: str) -> None:
        """Note that a commit and all its ancestors are on the branch."""
        ahead = [sha]
        while ahead:
            sha = ahead.pop()
            if sha not in self._on_branch and sha in self._parents:
                self._on_branch.add(sha)
                ahead += self._parents[sha]


def _diffs(git: GitRepository, pairs: Sequence[Pair | NotInClone]) -> list[bytes | NotInClone]:
    at_once = _diffs_at_once(git, [pair for pair in pairs if not isinstance(pair, NotInClone)])
    found: list[bytes | NotInClone] = []
    for pair in pairs:
        if isinstance(pair, NotInClone):
            found.append(pair)
        else:
            found.append(_diff(git, *pair) if at_once is None else at_once[pair])
    return found


def _diff(git: GitRepository, base: str, head: str) -> bytes | NotInClone:
    try:
        return git.diff(base, head)
    except GitError as error:
        return NotInClone(problem=str(error))


def _diffs_at_once(git: GitRepository, pairs: Sequence[Pair]) -> dict[Pair, bytes] | None:
    """Return the diffs of pairs of commits with one git call; ``None``: the call failed."""
    if not pairs:
        return {}
    try:
        trees = _trees(git, {sha for pair in pairs for sha in pair})
        asked = [f"{trees[base]} {trees[head]}\n".encode() for base, head in pairs]
        told = git.run(*CHANGED, *DIFF, "--stdin", asked=b"".join(asked))
    except (GitError, KeyError):
        return None
    texts: dict[Pair, bytes] = {}
    at = 0
    for pair, head, following in zip(pairs, asked, [*asked[1:], b""], strict=True):
        # Git repeats each input line before its diff, and no line of a diff starts like one:
        # https://git-scm.com/docs/git-diff-tree
        at += len(head)
        if told[at : at + len(following)] == following:
            end = at
        else:
            end = told.find(b"\n" + following, at) + 1
        end = end if following else len(told)
        texts[pair] = told[at:end]
        at = end
    return texts


def _trees(git: GitRepository, shas: Iterable[str]) -> dict[str, str]:
    """Return the tree of each commit or tree, without those that this clone lacks."""
    names = sorted(shas)
    asked = "".join(f"{sha}^{{tree}}\n" for sha in names).encode()
    told = git.run("cat-file", "--batch-check=%(objectname) %(objecttype)", asked=asked)
    lines = told.decode(errors="replace").splitlines()
    found = zip(names, lines, strict=True)
    trees = {sha: line.split(" ")[0] for sha, line in found if line.endswith(" tree")}
    # Git knows the empty tree without storing it.
    return trees | {empty: empty for empty in EMPTY_TREES.values() if empty in names}


# --- .gitattributes ---------------------------------------------------------------------------


def _attributes(
    git: GitRepository, bases: Sequence[str | None], read: Sequence[Change | NotInClone]
) -> list[dict[str, str] | NotInClone]:
    names = [
        attribute_files(file.path for file in change.files) if isinstance(change, Change) else []
        for change in read
    ]
    there = _there(git, bases, names)
    return [
        _gitattributes(
            git, base, some if there is None else [one for one in some if (base, one) in there]
        )
        for base, some in zip(bases, names, strict=True)
    ]


def _there(
    git: GitRepository, bases: Sequence[str | None], names: Sequence[Sequence[str]]
) -> set[tuple[str | None, str]] | None:
    """Return which files may exist, with one git call; ``None``: this clone cannot tell."""
    asked = [(base, name) for base, some in zip(bases, names, strict=True) for name in some if base]
    if not asked:
        return set()
    if git.is_partial() or any("\n" in name for _, name in asked):
        return None
    lines = "".join(f"{base}:{name}\n" for base, name in asked).encode(errors="surrogateescape")
    try:
        told = git.run("cat-file", "--batch-check=%(objecttype)", asked=lines).split(b"\n")
    except GitError:
        return None
    return {one for one, line in zip(asked, told, strict=False) if line == b"blob"}


def _gitattributes(
    git: GitRepository, base: str | None, names: Sequence[str]
) -> dict[str, str] | NotInClone:
    if base is None or not names:
        return {}
    try:
        return git.gitattributes(base, names)
    except GitError as error:
        return NotInClone(problem=str(error))
