"""Collects the outcome of a merged pull request: review, reverts, fixes, surviving lines.

It runs in the background three times: when the audit is final, and 30 and 90 days after the
merge. It compares nothing; `ghapp.store.outcomes` does.
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
from ghapp.git.names import in_path
from ghapp.git.process import GitError
from ghapp.git.repository import GitRepository, fetch
from ghapp.git.survival import removed_since
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import git_address
from ghapp.github.timeline import (
    LaterCommit,
    MergeTimeline,
    later_commits,
    read_timeline,
    removed_lines,
    tip_at,
)
from ghapp.store import Lane, Store, WorkKind, WorkRequest
from ghapp.summaries.counts import PullOutcome

AFTER = (timedelta(days=30), timedelta(days=90))
A_MINUTE = timedelta(minutes=1)
MOST_FIXES = 20
"""Most later commits with "fix" in the subject that are read, one request each."""
MOST_FILES = 300
"""Most files of a change whose lines are followed."""

_COUNTED = ATTRIBUTED | {
    Reason.NO_MATCH,
    Reason.REWRITTEN,
    Reason.COMMON_LINE,
    Reason.SCATTERED,
    Reason.CREDITED_ELSEWHERE,
    Reason.OUTSIDE_WINDOW,
    Reason.NOT_APPLIED,
}
# Fix the total; Hotfix: round
_FIX = re.compile(r"\b(hot|bug)?fix(es|ed|up)?\b", re.IGNORECASE)
# This reverts commit 0153430b6cea.
_REVERTS_COMMIT = re.compile(r"This reverts commit ([0-9a-f]{7,64})")
_REVERT = 'Revert "'
_REVERTS_PULL = re.compile(r"^Reverts (\S+)", re.MULTILINE)  # Reverts acme/shop#17
_PULL = re.compile(r"#([0-9]+)\b")

log = structlog.get_logger()

Numbers = dict[str, tuple[frozenset[int], frozenset[int]]]
"""Path → line numbers of its attributed lines, and of its other effective lines."""


def outcomes_request(
    installation_id: int | None, repository_id: int, number: int, at: datetime
) -> WorkRequest:
    """Return the request to collect a pull request's outcome."""
    pull = (installation_id, repository_id, number)
    return WorkRequest.for_pull(
        WorkKind.OUTCOMES, *pull, at=at, why="collect the outcome", lane=Lane.REPLAY
    )


def collect_outcomes(
    number: int, *, github: GitHub, store: Store, git_cache: Path, now: datetime
) -> datetime | None:
    """Collect and store the outcome of a pull request; return when to collect it again.

    ``None``: never. Raises the errors of `ghapp.github.answers`.
    """
    repository_id = github.repository_id
    saved = store.audits.latest(repository_id, number)
    document = store.audits.document(saved.id) if saved else None
    timeline = read_timeline(github, number) if document else None
    if document is None or timeline is None:
        return None
    lines = effective_lines(from_document(document))
    found = PullOutcome(
        collected_at=now,
        first_commit_at=timeline.first_commit_at,
        opened_at=timeline.opened_at,
        first_review_at=timeline.first_review_at,
        review_rounds=timeline.review_rounds,
        review_comments=timeline.review_comments,
        changed_lines=timeline.changed_lines,
        attributed_lines=sum(len(attributed) for attributed, _ in lines.values()),
        other_lines=sum(len(others) for _, others in lines.values()),
    )
    ages = [age for age in AFTER if now >= timeline.merged_at + age]
    if ages:
        found = _followed(found, _MergedPull(github, git_cache, number, timeline, lines), ages)
    store.outcomes.keep(repository_id, number, found)
    return next((timeline.merged_at + age + A_MINUTE for age in AFTER if age not in ages), None)


def effective_lines(audit: Audit) -> Numbers:
    """Return the line numbers of a change's effective lines in the merged version, by path."""
    found: Numbers = {}
    for file in audit.files:
        if file.excluded is None and file.effective:
            attributed = frozenset(one.line for one in file.lines if one.attributed)
            counted = {one.line for one in file.lines if one.reason in _COUNTED}
            found[file.path] = (attributed, frozenset(counted - attributed))
    return found


# --- after the merge ------------------------------------------------------------------------------


def _followed(found: PullOutcome, pull: "_MergedPull", ages: Collection[timedelta]) -> PullOutcome:
    """Add reverts, fixes and the survival at each age; what git cannot read stays unknown."""
    known: dict[str, int | None] = {}
    try:
        known |= {"reverted": pull.is_reverted(), "fixed_up": pull.is_fixed_up()}
        for age in ages:
            names = (f"attributed_after_{age.days}", f"others_after_{age.days}")
            known |= zip(names, pull.surviving(age), strict=True)
    except GitError as error:
        log.warning("outcome_not_followed", pull_request=pull.number, problem=str(error))
    return msgspec.structs.replace(found, **known)


class _MergedPull:
    """One pull request after its merge."""

    def __init__(
        self, github: GitHub, git_cache: Path, number: int, timeline: MergeTimeline, lines: Numbers
    ) -> None:
        self.number, self._timeline = number, timeline
        self._github, self._cache, self._lines = github, git_cache, lines

    def surviving(self, age: timedelta) -> tuple[int | None, int | None]:
        """Count the surviving lines at an age: attributed lines, other lines."""
        tip = tip_at(self._github, self._timeline.base_ref, self._timeline.merged_at + age)
        if tip is None or len(self._lines) > MOST_FILES:
            return None, None
        git, counts = self._fetched(tip), [0, 0]
        for path, gone in removed_since(git, self._timeline.head_sha, tip, self._lines):
            for place, numbers in enumerate(self._lines[path]):
                counts[place] += 0 if gone is None else len(numbers - gone)
        return counts[0], counts[1]

    def is_reverted(self) -> bool | None:
        """Return whether a later commit message reverts the pull request; ``None``: unknown."""
        if self._later is None:
            return None
        return any(reverts(one.message, self.number, self._own) for one in self._later)

    def is_fixed_up(self) -> bool | None:
        """Return whether a later "fix" commit removed one of the lines; ``None``: unknown."""
        if self._later is None or len(self._lines) > MOST_FILES:
            return None
        fixes = [one for one in self._later if one.sha not in self._own and says_fix(one.message)]
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
    def _own(self) -> frozenset[str]:
        """Return the pull request's own commits."""
        return frozenset((*self._timeline.commits, self._timeline.merge_commit or ""))

    @cached_property
    def _later(self) -> tuple[LaterCommit, ...] | None:
        since = self._timeline.merged_at
        return later_commits(self._github, self._timeline.base_ref, since, since + AFTER[0])

    def _texts(self) -> dict[str, set[str]]:
        """Return the text of the effective lines by path, stripped."""
        git, found = self._fetched(), dict[str, set[str]]()
        entries = git.entries(self._timeline.head_sha, *self._lines)
        for path, blob in zip(entries, git.objects(list(entries.values())), strict=True):
            lines = blob.decode(errors="replace").split("\n")
            wanted = frozenset.union(*self._lines[path])
            found[path] = {lines[number - 1].strip() for number in wanted if number <= len(lines)}
        return found

    def _fetched(self, *more: str) -> GitRepository:
        shas = (self._timeline.head_sha, *more)

        def files(git: GitRepository) -> Iterable[str]:
            return {name for sha in shas for name in git.entries(sha, *self._lines).values()}

        github = self._github
        url = f"{git_address(github.base_url)}/{in_path(github.full_name)}.git"
        path = self._cache / str(github.repository_id)
        return fetch(path, url, github.token().token, shas, files)


def reverts(message: str, number: int, own: Collection[str]) -> bool:
    """Return whether a commit message reverts a pull request, by number or commit.

    >>> reverts('Revert "One (#17)" (#18)', 17, ()), reverts('Revert "Revert "One (#17)""', 17, ())
    (True, False)
    """
    if message.startswith('Revert "Revert "'):
        return False
    if any(sha.startswith(said) for said in _REVERTS_COMMIT.findall(message) for sha in own):
        return True
    # GitHub's button writes both: Revert "Add vouchers (#17)" and Reverts acme/shop#17.
    # https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/reverting-a-pull-request
    subject = message.partition("\n")[0]
    if subject.startswith(_REVERT) and f'(#{number})"' in subject[len(_REVERT) :]:
        return True
    pulls = (_PULL.findall(word) for word in _REVERTS_PULL.findall(message))
    return any(str(number) in named for named in pulls)


def says_fix(message: str) -> bool:
    """Return whether a commit's subject announces a fix.

    >>> says_fix("Fix the total"), says_fix("Hotfix: round"), says_fix("Prefix names")
    (True, True, False)
    """
    return _FIX.search(message.partition("\n")[0]) is not None
