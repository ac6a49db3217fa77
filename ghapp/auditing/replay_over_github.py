"""Journey 3 over GitHub on one page: lists merged pull requests and audits each of them again.

It publishes nothing unless asked to. Every step is a work item that any worker may take: one
reads the list page by page, and each pull request has its own. It fetches nothing twice.
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
from ghapp.publishers.plan import PublishingPlan
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
"""Value of ``--publish`` → its publisher. Never comments: those notify people."""


class ListPageRead(Struct, frozen=True):
    """A page of the list was read."""

    found: int
    """Pull requests of the page that belong to the replay."""
    is_last: bool


class AuditedAgain(Struct, frozen=True):
    """A pull request was audited again, and nothing was recorded or published."""

    is_complete: bool
    why: str | None = None
    """Why it could not be read whole; ``None``: it was."""


@dataclass(frozen=True)
class ReplayStep:
    """One step of a replay, with everything that it needs."""

    replay: Replay
    context: AuditContext
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
        """Store what became of a pull request."""
        self.store.replays.settle(
            self.replay.id, number, state, document=document, why=why, now=self.now
        )


def start(store: Store, repository: Repository, request: ReplayRequest, *, now: datetime) -> Replay:
    """Start a replay; the workers carry it out. Raises `ReplayUnderWay`."""
    work = _work_request(repository.id, repository.installation_id, now)
    return store.replays.start(request, work, now=now)


def list_page(step: ReplayStep) -> ListPageRead:
    """Read the next page of merged pull requests, and enqueue those of the span.

    Raises the errors of `answers`; the retry then reads the same page.
    """
    replay, github = step.replay, step.github
    page = history_page(github, replay.pages + 1)
    last = page.last_created_at
    # A pull request opened after the span was also merged after it.
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
    work = partial(_work_request, github.repository_id, github.installation_id, step.now)
    requests = [work(pull.number) for pull in pulls]
    step.store.replays.page(replay, pulls, requests, is_last=is_last, now=step.now)
    return ListPageRead(found=len(pulls), is_last=is_last)


def audit_again(
    step: ReplayStep, listed: ListedPull, request: AuditRequest
) -> Ending | AuditedAgain:
    """Audit one pull request of a replay, and store the document with the replay."""
    record = step.replay.record
    ending = _recorded(step, request) if record else _unrecorded(step, listed, request)
    if not isinstance(ending, AuditedAgain | AuditDone | AuditPartial | TryLater):
        step.settle(listed.number, PullState.FAILED, why=ending.why)
    return ending


def _unrecorded(
    step: ReplayStep, listed: ListedPull, request: AuditRequest
) -> Ending | AuditedAgain:
    """Audit by the replay's policy and time; record and publish nothing."""
    context = msgspec.structs.replace(step.context, policy=step.replay.policy)
    store, at = step.store, step.replay.as_of
    try:
        known = step.kept.read(request.repository_id, listed) or _fetched(step, listed, request)
        pull, carried = known
        policy = policy_of(request, pull, context, store).policy.rules
        made = attributed(request, pull, carried, policy, context, store, at=at)
    except NotMerged as stale:
        return NothingToDo(why=str(stale))
    except answers.GitHubError as error:
        return unreached(error, step.now)
    complete = pull.change.complete
    state = PullState.DONE if complete else PullState.INCOMPLETE
    step.settle(listed.number, state, document=to_document(made), why=pull.problem)
    return AuditedAgain(is_complete=complete, why=pull.problem)


def _fetched(
    step: ReplayStep, listed: ListedPull, request: AuditRequest
) -> tuple[PullRequest, CarriedEvidence]:
    pull = fetch(step.github, listed.number, step.context.git_cache)
    carried = step.context.carry(request, pull, step.github, agent_commits=True)
    step.kept.keep(listed, pull, carried)
    return pull, carried


def _recorded(step: ReplayStep, request: AuditRequest) -> Ending:
    """Record an audit by the policy in force, and publish only what was asked for."""
    only = frozenset(SHOWN_BY[name] for name in step.replay.publish)

    def publish_only(
        desired: DesiredState,
        pull: PullRequest,
        github: GitHub,
        memories: Memories,
        *,
        plan: PublishingPlan,
    ) -> PublishReport:
        return publish(desired, pull, github, memories, only=only, plan=plan)

    context = msgspec.structs.replace(step.context, publish=publish_only)
    ending = audit_pull_request(
        request, context, github=step.github, store=step.store, now=step.now
    )
    if isinstance(ending, AuditDone | AuditPartial):
        document = step.store.audits.document(ending.audit.id)
        state = PullState.DONE if ending.audit.change_complete else PullState.INCOMPLETE
        why = "; ".join(ending.missing) if isinstance(ending, AuditPartial) else None
        step.settle(request.number, state, document=document, why=why)
    return ending


def _work_request(
    repository_id: int,
    installation_id: int | None,
    now: datetime,
    pull_request: int | None = None,
) -> WorkRequest:
    pull = (installation_id, repository_id, pull_request)
    why = "somebody asked for a replay"
    return WorkRequest.for_pull(WorkKind.REPLAY, *pull, at=now, why=why, lane=Lane.REPLAY)
