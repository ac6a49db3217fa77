"""What came of a merged pull request: its way to the merge, reverts, fixes, lines that still stand.

It is told three times, as soon as the audit is final, 30 and 90 days after the merge, in the
background. Nothing is judged here; `ghapp.store.outcomes` compares.
"""

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import msgspec
import structlog

from ghapp.attribution.document import from_document
from ghapp.attribution.model import ATTRIBUTED, Audit, Reason
from ghapp.git.process import GitError
from ghapp.git.repository import GitRepository, fetch
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import git_address
from ghapp.github.timeline import (
    LaterCommit,
    MergeTimeline,
    later_commits,
    read_way,
    removed_lines,
    tip_at,
)
from ghapp.store import Lane, Store, WorkKind, WorkRequest
from ghapp.summaries.counts import PullOutcome

AFTER = (timedelta(days=30), timedelta(days=90))
A_MINUTE = timedelta(minutes=1)
MOST_FIXES = 20
"""Later commits that say "fix" and are read; each is one request."""
MOST_FILES = 300
"""Files whose lines are looked for; a larger change is not followed."""

_COUNTED = ATTRIBUTED | {
    Reason.NO_MATCH,
    Reason.REWRITTEN,
    Reason.COMMON_LINE,
    Reason.SCATTERED,
    Reason.CREDITED_ELSEWHERE,
    Reason.OUTSIDE_WINDOW,
    Reason.NOT_APPLIED,
}
_FIX = re.compile(r"\b(hot|bug)?fix(es|ed|up)?\b", re.IGNORECASE)
_REVERTS_COMMIT = re.compile(r"This reverts commit ([0-9a-f]{7,64})")
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? ", re.MULTILINE)

log = structlog.get_logger()

Numbers = dict[str, tuple[frozenset[int], frozenset[int]]]
"""Path → numbers of its attributed lines, and of its other effective lines."""


def outcomes_request(
    installation_id: int | None, repository_id: int, number: int, at: datetime
) -> WorkRequest:
    """Return the wish that a pull request's outcomes be looked at."""
    pull = (installation_id, repository_id, number)
    return WorkRequest.for_pull(
        WorkKind.OUTCOMES, *pull, at=at, why="what came of it", lane=Lane.REPLAY
    )


def collect_outcomes(
    number: int, *, github: GitHub, store: Store, git_cache: Path, now: datetime
) -> datetime | None:
    """Look at what came of a pull request, keep it, and return when to look again.

    ``None``: never. Raises the errors of `answers`.
    """
    repository_id = github.repository_id
    saved = store.audits.latest(repository_id, number)
    document = store.audits.document(saved.id) if saved else None
    way = read_way(github, number) if document else None
    if document is None or way is None:
        return None
    lines = effective_lines(from_document(document))
    found = PullOutcome(
        collected_at=now,
        first_commit_at=way.first_commit_at,
        opened_at=way.opened_at,
        first_review_at=way.first_review_at,
        review_rounds=way.review_rounds,
        review_comments=way.review_comments,
        changed_lines=way.changed_lines,
        attributed_lines=sum(len(attributed) for attributed, _ in lines.values()),
        other_lines=sum(len(others) for _, others in lines.values()),
    )
    if _is_over(way, AFTER[0], now):
        found = _followed(found, _Following(github, git_cache, number, way, lines), now)
    store.outcomes.keep(repository_id, number, found)
    again = (way.merged_at + days + A_MINUTE for days in AFTER if not _is_over(way, days, now))
    return next(again, None)


def _is_over(way: MergeTimeline, days: timedelta, now: datetime) -> bool:
    return now >= way.merged_at + days


def effective_lines(audit: Audit) -> Numbers:
    """Return the numbers of a change's effective lines in the merged version, by path."""
    found: Numbers = {}
    for file in audit.files:
        if file.excluded is None and file.effective:
            attributed = frozenset(one.line for one in file.lines if one.attributed)
            counted = {one.line for one in file.lines if one.reason in _COUNTED}
            found[file.path] = (attributed, frozenset(counted - attributed))
    return found


# --- what became of it ----------------------------------------------------------------------------


def _followed(found: PullOutcome, following: "_Following", now: datetime) -> PullOutcome:
    """Add what became of it in 30 and 90 days; what cannot be read stays unknown."""
    month, quarter = AFTER
    try:
        found = msgspec.structs.replace(
            found, reverted=following.is_reverted(), fixed_up=following.is_fixed_up()
        )
        attributed, others = following.standing(month)
        found = msgspec.structs.replace(
            found, attributed_after_30=attributed, others_after_30=others
        )
        if _is_over(following.way, quarter, now):
            attributed, others = following.standing(quarter)
            found = msgspec.structs.replace(
                found, attributed_after_90=attributed, others_after_90=others
            )
    except GitError as error:
        log.warning("outcome_not_followed", pull_request=following.number, problem=str(error))
    return found


class _Following:
    """One pull request after its merge."""

    def __init__(
        self, github: GitHub, git_cache: Path, number: int, way: MergeTimeline, lines: Numbers
    ) -> None:
        self.number, self.way = number, way
        self._github, self._cache, self._lines = github, git_cache, lines

    def standing(self, after: timedelta) -> tuple[int | None, int | None]:
        """Count the lines that still stand then: attributed ones, other ones."""
        tip = tip_at(self._github, self.way.base_ref, self.way.merged_at + after)
        if tip is None or len(self._lines) > MOST_FILES:
            return None, None
        git, counts = self._fetched(tip), [0, 0]
        before, then = (git.entries(sha, *self._lines) for sha in (self.way.head_sha, tip))
        for path, of_path in self._lines.items():
            gone = removed_numbers(git, before.get(path), then.get(path))
            for place, numbers in enumerate(of_path):
                counts[place] += 0 if gone is None else len(numbers - gone)
        return counts[0], counts[1]

    def is_reverted(self) -> bool | None:
        """Say whether a later commit says that it reverts the pull request."""
        if self._later is None:
            return None
        own = {*self.way.commits, self.way.merge_commit or ""}
        return any(reverts(commit.message, self.number, own) for commit in self._later)

    def is_fixed_up(self) -> bool | None:
        """Say whether a later commit that says "fix" took away one of the lines."""
        if self._later is None or len(self._lines) > MOST_FILES:
            return None
        own = {*self.way.commits, self.way.merge_commit or ""}
        fixes = [one for one in self._later if one.sha not in own and says_fix(one.message)]
        if not fixes:
            return False
        texts = self._texts()
        for fix in fixes[-MOST_FIXES:]:
            removed = removed_lines(self._github, fix.sha)
            if any(
                texts.get(path, set()) & set(map(str.strip, gone)) for path, gone in removed.items()
            ):
                return True
        return False if len(fixes) <= MOST_FIXES else None

    @cached_property
    def _later(self) -> tuple[LaterCommit, ...] | None:
        since = self.way.merged_at
        return later_commits(self._github, self.way.base_ref, since, since + AFTER[0])

    def _texts(self) -> dict[str, set[str]]:
        """Return the effective lines' text by path, without the space around it."""
        git, found = self._fetched(), dict[str, set[str]]()
        entries = git.entries(self.way.head_sha, *self._lines)
        for path, blob in zip(entries, git.objects(list(entries.values())), strict=True):
            lines = blob.decode(errors="replace").split("\n")
            wanted = frozenset.union(*self._lines[path])
            found[path] = {lines[number - 1].strip() for number in wanted if number <= len(lines)}
        return found

    def _fetched(self, *more: str) -> GitRepository:
        shas = (self.way.head_sha, *more)

        def files(git: GitRepository) -> Iterable[str]:
            return {name for sha in shas for name in git.entries(sha, *self._lines).values()}

        github = self._github
        url = f"{git_address(github.base_url)}/{github.full_name}.git"
        path = self._cache / str(github.repository_id)
        return fetch(path, url, github.token().token, shas, files)


def removed_numbers(
    git: GitRepository, before: str | None, then: str | None
) -> frozenset[int] | None:
    """Return which lines of a file are gone in a later one; ``None``: all are, with the file."""
    if before is None or then is None:
        return None
    if before == then:
        return frozenset()
    told = git.run("diff", "--no-color", "--no-ext-diff", "--text", "-U0", before, then)
    spans = ((int(first), int(count or 1)) for first, count in _HUNK.findall(told))
    return frozenset(n for first, count in spans for n in range(first, first + count))


def reverts(message: str, number: int, own: Collection[str]) -> bool:
    """Say whether a commit's message says that it reverts a pull request, by number or commit.

    >>> reverts('Revert "One (#17)" (#18)', 17, ()), reverts('Revert "Revert "One (#17)""', 17, ())
    (True, False)
    """
    if message.startswith('Revert "Revert "'):
        return False
    if any(sha.startswith(said) for said in _REVERTS_COMMIT.findall(message) for sha in own):
        return True
    subject = re.match(rf'Revert ".*\(#{number}\)"', message)
    body = re.search(rf"^Reverts \S*#{number}\b", message, re.MULTILINE)
    return subject is not None or body is not None


def says_fix(message: str) -> bool:
    """Say whether a commit's subject says that it mends something.

    >>> says_fix("Fix the total"), says_fix("Hotfix: round"), says_fix("Prefix names")
    (True, True, False)
    """
    return _FIX.search(message.partition("\n")[0]) is not None
