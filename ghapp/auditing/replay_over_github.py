"""Journey 3 over GitHub on one page: merged pull requests are listed, and each is audited again.

It shows nobody anything unless asked to. Every step is a due item: one that reads the list page
by page, one for each pull request, done by whatever workers there are. What was fetched once
is not fetched again.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import msgspec

from ghapp.attribution.document import to_document
from ghapp.attribution.model import Struct
from ghapp.audit import AuditContext, AuditRequest, attributed, audit_pull_request, policy_of
from ghapp.auditing.kept_pulls import KeptPulls
from ghapp.ending import AuditDone, AuditPartial, Ending, NothingToDo, TryLater, unreached
from ghapp.github import answers
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import NotMerged, PullRequest, fetch, history_page
from ghapp.ingest.carried import CarriedEvidence
from ghapp.publishers.publisher import DesiredState, Memories
from ghapp.publishers.registry import PublishReport, publish
from ghapp.store import (
    Lane,
    ListedPull,
    PullState,
    Replay,
    ReplayRequest,
    Repository,
    Store,
    WorkKind,
    WorkRequest,
)

SHOWN_BY = {"checks": "check_run", "labels": "label"}
"""What may be asked to be shown → its publisher. Never a comment: those notify people."""


class ListPageRead(Struct, frozen=True):
    """A page of the list was read."""

    found: int
    is_last: bool


class AuditedAgain(Struct, frozen=True):
    """A pull request was audited again, and shown to nobody."""

    is_complete: bool
    why: str | None = None
    """Why it could not be read whole; ``None``: it was."""


@dataclass(frozen=True)
class ReplayStep:
    """What one step of a replay is done with."""

    replay: Replay
    how: AuditContext
    kept: KeptPulls
    github: GitHub
    store: Store
    now: datetime

    def settle(
        self,
        number: int,
        state: PullState,
        *,
        document: bytes | None = None,
        why: str | None = None,
    ) -> None:
        """Keep what became of a pull request."""
        self.store.replays.settle(
            self.replay.id, number, state, document=document, why=why, now=self.now
        )


def start(store: Store, repository: Repository, asked: ReplayRequest, *, now: datetime) -> Replay:
    """Begin a replay; the workers do it. Raises `ReplayUnderWay`."""
    request = _work_request(repository.id, repository.installation_id, now)
    return store.replays.start(asked, request, now=now)


def list_page(means: ReplayStep) -> ListPageRead:
    """Read the next page of merged pull requests, and make those of the span due.

    Raises the errors of `answers`; then the next try reads the same page.
    """
    replay, github = means.replay, means.github
    page = history_page(github, replay.pages + 1)
    last = page.last_created_at
    # What was opened after the span was merged after it.
    is_last = page.is_last or (
        replay.until is not None and last is not None and last > replay.until
    )
    pulls = [
        ListedPull(
            number=pull.number,
            merged_at=pull.merged_at,
            base_sha=pull.base_sha,
            head_sha=pull.head_sha,
            merge_commit=pull.merge_commit,
        )
        for pull in page.merged
        if replay.spans(pull.merged_at)
    ]
    request = partial(_work_request, github.repository_id, github.installation_id, means.now)
    requests = [request(pull.number) for pull in pulls]
    means.store.replays.page(replay, pulls, requests, is_last=is_last, now=means.now)
    return ListPageRead(found=len(pulls), is_last=is_last)


def audit_again(means: ReplayStep, found: ListedPull, ref: AuditRequest) -> Ending | AuditedAgain:
    """Audit one pull request of a replay, and keep the document with it."""
    outcome = _recorded(means, ref) if means.replay.record else _silently(means, found, ref)
    if not isinstance(outcome, AuditedAgain | AuditDone | AuditPartial | TryLater):
        means.settle(found.number, PullState.FAILED, why=outcome.why)
    return outcome


def _silently(means: ReplayStep, found: ListedPull, ref: AuditRequest) -> Ending | AuditedAgain:
    try:
        known = means.kept.read(ref.repository_id, found) or _fetched(means, found, ref)
        pull, carried = known
        how = msgspec.structs.replace(means.how, policy=means.replay.policy)
        policy = policy_of(ref, pull, how, means.store).policy.rules
        at, store = means.replay.as_of, means.store
        made = attributed(ref, pull, carried, policy, how, store, at=at)
    except NotMerged as stale:
        return NothingToDo(why=str(stale))
    except answers.GitHubError as error:
        return unreached(error, means.now)
    complete = pull.change.complete
    state = PullState.DONE if complete else PullState.INCOMPLETE
    means.settle(found.number, state, document=to_document(made), why=pull.problem)
    return AuditedAgain(is_complete=complete, why=pull.problem)


def _fetched(
    means: ReplayStep, found: ListedPull, ref: AuditRequest
) -> tuple[PullRequest, CarriedEvidence]:
    pull = fetch(means.github, found.number, means.how.git_cache)
    carried = means.how.carry(ref, pull, means.github)
    means.kept.keep(found, pull, carried)
    return pull, carried


def _recorded(means: ReplayStep, ref: AuditRequest) -> Ending:
    """Make a recorded audit by the policy in force, and show as much of it as was asked for."""
    shown = frozenset(SHOWN_BY[name] for name in means.replay.publish)

    def say(
        desired: DesiredState, pull: PullRequest, github: GitHub, memories: Memories
    ) -> PublishReport:
        return publish(desired, pull, github, memories, only=shown)

    how = msgspec.structs.replace(means.how, publish=say)
    outcome = audit_pull_request(ref, how, github=means.github, store=means.store, now=means.now)
    if isinstance(outcome, AuditDone | AuditPartial):
        document = means.store.audits.document(outcome.audit.id)
        state = PullState.DONE if outcome.audit.complete else PullState.INCOMPLETE
        why = "; ".join(outcome.missing) if isinstance(outcome, AuditPartial) else None
        means.settle(ref.number, state, document=document, why=why)
    return outcome


def _work_request(
    repository_id: int,
    installation_id: int | None,
    now: datetime,
    pull_request: int | None = None,
) -> WorkRequest:
    pull = (installation_id, repository_id, pull_request)
    why = "somebody asked for a replay"
    return WorkRequest.for_pull(WorkKind.REPLAY, *pull, at=now, why=why, lane=Lane.REPLAY)
