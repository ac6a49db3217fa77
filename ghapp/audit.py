"""Journey 1 on one page: fetch a merged pull request, attribute its lines, save and publish.

Every door calls `audit_pull_request`. This module knows no queue and no HTTP; `ghapp.ending`
lists how an audit can end.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec

from ghapp.attribution.attribute import attribute
from ghapp.attribution.document import to_document
from ghapp.attribution.model import (
    Audit,
    AuditState,
    AuditSubject,
    Evidence,
    PassedOver,
    Struct,
    UnreadEvidence,
)
from ghapp.attribution.policy import AgentCommits, Policy
from ghapp.ending import STALE, AuditDone, AuditPartial, Ending, NothingToDo, TryLater, unreached
from ghapp.evidence.source import added_up
from ghapp.github import answers
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import NotMerged, PullRequest, fetch
from ghapp.ingest.carried import CarriedEvidence
from ghapp.keys.comparing import LineComparison
from ghapp.policy.file import RepositoryPolicy
from ghapp.policy.in_force import PolicyFile, PolicyInForce, keep, policy_in_force
from ghapp.publishers import ledger
from ghapp.publishers.desired import desired_of
from ghapp.publishers.plan import EVERYTHING, PublishingPlan
from ghapp.publishers.publisher import DesiredState, Memories
from ghapp.publishers.registry import PublishReport
from ghapp.reports.coverage import of_author
from ghapp.reports.record_line import NamedRecord
from ghapp.spend.allocation import PullRequestCost
from ghapp.store import (
    Installation,
    NameReason,
    Repository,
    SavedAudit,
    SignRecord,
    Store,
    WorkKind,
    WorkRequest,
)
from ghapp.summaries.counts import PullFacts
from ghapp.upkeep.outcomes import outcomes_request

STALE_LOOKS = 3
"""How often GitHub is asked about a pull request that was closed and that it calls open."""
AFTER_THE_WINDOW = timedelta(minutes=1)
"""The window includes its last instant (rules.md 2.4), so the final audit runs this much later."""


class AuditRequest(Struct, frozen=True):
    """Which pull request to audit, by the ids that never change, and why."""

    installation_id: int
    repository_id: int
    number: int
    asked_again: bool = False
    """Whether a person asked and waits for the check run to answer."""
    is_merged: bool = False
    """Whether an event said "merged", or our check run stands there. Then GitHub's "not merged" is
    stale, however often it says so."""
    tries: int = 1
    """How often it was tried, this time included."""
    background: bool = False
    """Whether this is an audit of the past, which leaves GitHub's limits to live work."""


class PublishStep(Protocol):
    """How an audit is published: `ghapp.publishers.registry.publish`, or not at all in a replay."""

    def __call__(
        self,
        desired: DesiredState,
        pull: PullRequest,
        github: GitHub,
        memories: Memories,
        *,
        plan: PublishingPlan,
    ) -> PublishReport:
        """Bring on GitHub up to date what the plan has room for; return what was done."""


class CarryStep(Protocol):
    """How evidence that the repository carries is stored, before an audit reads the evidence."""

    def __call__(
        self, request: AuditRequest, pull: PullRequest, github: GitHub, *, agent_commits: bool
    ) -> CarriedEvidence:
        """Store the edits, before an audit reads the evidence; return everything else.

        ``agent_commits``: whether to follow the lines of agents' own commits.
        """


class AuditContext(Struct, frozen=True, kw_only=True):
    """How this process audits: by which policy, with which keys, and how to publish."""

    policy: Policy | None = None
    """One policy for all repositories; ``None``: each repository's own file decides."""
    organization_policy: Callable[[AuditRequest, str], PolicyFile | None]
    """The request and an owner's login → the policy file of the owner's ``.github`` repository."""
    publish: PublishStep
    plan: Callable[[int], PublishingPlan] = lambda _installation_id: EVERYTHING
    """Installation → what it has room to publish."""
    comparison: LineComparison
    git_cache: Path
    """Directory of the bare repositories that git fetches into."""
    carry: CarryStep
    cost: Callable[[int, int], PullRequestCost | None]
    """Repository and number → what is known of a pull request's cost, for its comment."""
    witness: SignRecord | None = None
    """Signs each saved audit; ``None``: audits are not signed."""
    public_url: str | None = None
    """Where people reach the app; ``None``: nobody said."""


# --- the journey ------------------------------------------------------------------------------


def audit_pull_request(
    request: AuditRequest, context: AuditContext, *, github: GitHub, store: Store, now: datetime
) -> Ending:
    """Audit one merged pull request and publish the audit; a second run writes nothing on GitHub.

    Raises `StoreError`.
    """
    try:
        pull = fetch(github, request.number, context.git_cache)
        _remember(request, pull, store, now)
        in_force = policy_of(request, pull, context, store)
        policy = in_force.policy.rules
        follows = policy.agent_commits is not AgentCommits.OFF
        carried = context.carry(request, pull, github, agent_commits=follows)
        before = _evidence_state(pull, policy, store)
        audit = attributed(request, pull, carried, policy, context, store, at=now)
        saved = _save(request, audit, policy, context, store, now, _about(pull))
        keep(in_force, store)
        evidence_came = _evidence_state(pull, policy, store) != before
        _schedule_what_follows(request, audit, store, now, evidence_came=evidence_came)
        coverage = _coverage(pull, policy, store)
        record = NamedRecord(saved.position, saved.link.chain)
        desired = desired_of(
            *(audit, in_force),
            coverage=coverage,
            asked_again=request.asked_again,
            record=record,
            cost=context.cost(request.repository_id, request.number)
            if in_force.policy.cost
            else None,
            public_url=context.public_url,
        )
        plan = context.plan(request.installation_id)
        memories = ledger.memories(saved, github, store)
        publishing = context.publish(desired, pull, github, memories, plan=plan)
        ledger.record(publishing.published, saved, store, now)
        return _ending(saved, pull, publishing, now)
    except NotMerged as found:
        return _not_merged(found, request, now)
    except answers.GitHubError as error:
        return unreached(error, now)


def attributed(  # noqa: PLR0913, PLR0917 - the pull request, what it is held against, and the time
    request: AuditRequest,
    pull: PullRequest,
    carried: CarriedEvidence,
    policy: Policy,
    context: AuditContext,
    store: Store,
    *,
    at: datetime,
) -> Audit:
    """Audit a fetched pull request by the stored evidence; save nothing."""
    read, comparison = _evidence(pull, policy, carried, store), context.comparison
    installation_id, repository_id = request.installation_id, request.repository_id
    evidence = comparison.comparable(installation_id, repository_id, read, pull.change)
    book = comparison.book(installation_id, evidence)
    return attribute(_subject(pull), pull.change, evidence, policy, at=at, book=book)


def _remember(request: AuditRequest, pull: PullRequest, store: Store, now: datetime) -> None:
    """Store the installation and the repository's present name, in case an event was lost."""
    owner, _, name = pull.repository.partition("/")
    if store.installations.installation(request.installation_id) is None:
        store.installations.seen(Installation(id=request.installation_id, account=owner), now=now)
    known = store.installations.repository(request.repository_id)
    if known is None or (known.full_name, known.installation_id) != (
        pull.repository,
        request.installation_id,
    ):
        # A pull request does not say whether its repository is private: keep what is stored.
        seen = msgspec.structs.replace(
            known or Repository(id=request.repository_id, owner=owner, name=name),
            owner=owner,
            name=name,
            installation_id=request.installation_id,
            removed_at=None,
        )
        store.installations.repository_seen(seen, now=now)
    if pull.fork is not None:
        # A clone of the fork has the fork's name as its remote, and maybe no other.
        names, why = store.repository_names, NameReason.FORK
        names.note(pull.fork, why, now=now, repository_id=request.repository_id)


def _save(  # noqa: PLR0913, PLR0917 - what is kept, and how
    request: AuditRequest,
    audit: Audit,
    policy: Policy,
    context: AuditContext,
    store: Store,
    now: datetime,
    about: PullFacts,
) -> SavedAudit:
    """Save the audit, and the policy that it names by digest."""
    store.records.keep_policy(policy, now=now)
    return store.audits.save(
        request.repository_id,
        request.number,
        to_document(audit),
        now=now,
        about=about,
        witness=context.witness,
    )


def _subject(pull: PullRequest) -> AuditSubject:
    return AuditSubject(
        merged_at=pull.merged_at,
        repository=pull.repository,
        pull_request=pull.number,
        merge_commit=pull.merge_commit,
        base_ref=pull.base_ref,
        base_commit=pull.base_sha,
        head_commit=pull.head_sha,
    )


def policy_of(
    request: AuditRequest, pull: PullRequest, context: AuditContext, store: Store
) -> PolicyInForce:
    """Return the policy of the pull request's base, unless one policy holds for all."""
    if context.policy is not None:
        return PolicyInForce(policy=RepositoryPolicy(rules=context.policy))
    own = None
    if pull.policy_text is not None:
        own = PolicyFile(
            repository_id=pull.repository_id,
            repository=pull.repository,
            text=pull.policy_text,
            as_of=pull.merged_at,
        )
    owner = pull.repository.partition("/")[0]
    return policy_in_force(
        own,
        lambda: context.organization_policy(request, owner),
        store,
        merged_at=pull.merged_at,
    )


def _about(pull: PullRequest) -> PullFacts:
    return PullFacts(
        title=pull.title,
        author=pull.author,
        author_id=pull.author_id,
        author_type=pull.author_type,
        base_ref=pull.base_ref,
        default_branch=pull.default_branch,
    )


def _evidence(
    pull: PullRequest, policy: Policy, carried: CarriedEvidence, store: Store
) -> Evidence:
    """Read the edits of the window, and earlier ones that explain why a line does not count."""
    since, until = policy.evidence_span(pull.merged_at)
    return Evidence(
        edits=store.evidence.of(pull.repository_id, since, until),
        unread=tuple(found for found in carried.found if isinstance(found, UnreadEvidence)),
        # What machines passed over stays with them: the operator's page has their counts.
        passed_over=added_up(one for one in carried.found if isinstance(one, PassedOver)) or None,
        declared=carried.declared,
        agent_commits=carried.agent_commits,
    )


def _evidence_state(pull: PullRequest, policy: Policy, store: Store) -> tuple[int, ...]:
    return store.evidence.state(pull.repository_id, *policy.evidence_span(pull.merged_at))


def _schedule_what_follows(
    request: AuditRequest, audit: Audit, store: Store, now: datetime, *, evidence_came: bool
) -> None:
    """Enqueue the work that follows from an audit; what is enqueued already stays as it is."""
    pull = (request.installation_id, request.repository_id, request.number)
    if evidence_came:
        # It arrived after we read the evidence and before we saved the audit, so its upload found
        # no audit to enqueue again. Later uploads find this one.
        why = "evidence arrived during the audit"
        store.work.enqueue(WorkRequest.for_pull(WorkKind.AUDIT, *pull, at=now, why=why), now=now)
    if audit.state is AuditState.PROVISIONAL:
        window = timedelta(days=audit.policy.window_after_days)
        at = audit.merged_at + window + AFTER_THE_WINDOW
        why = "the window is over"
        store.work.enqueue(WorkRequest.for_pull(WorkKind.FINALIZE, *pull, at=at, why=why), now=now)
    elif store.outcomes.of(request.repository_id, request.number) is None:
        store.work.enqueue(outcomes_request(*pull, now), now=now)


def _coverage(pull: PullRequest, policy: Policy, store: Store) -> str | None:
    """Return the sentence about the author's machine; ``None``: the author is unknown."""
    if pull.author is None or pull.author_id is None:
        return None
    author, window = (pull.author_id, pull.author), policy.window(pull.merged_at)
    return of_author(store.coverage.author(pull.repository_id, author, *window))


# --- how it ends --------------------------------------------------------------------------------


def _ending(
    saved: SavedAudit, pull: PullRequest, publishing: PublishReport, now: datetime
) -> Ending:
    if publishing.later is not None:
        return unreached(publishing.later, now)
    problems = (one.problem for one in publishing.published)
    missing = (*pull.change.missing, *filter(None, problems))
    if missing:
        return AuditPartial(audit=saved, published=publishing.published, missing=missing)
    return AuditDone(audit=saved, published=publishing.published)


def _not_merged(found: NotMerged, request: AuditRequest, now: datetime) -> Ending:
    """Try later if GitHub's answer is or may be stale.

    An open pull request may also have been reopened: then its merge brings an event of its own.
    """
    may_be_stale = found.state == "open" and request.tries < STALE_LOOKS
    if may_be_stale or request.is_merged:
        return TryLater(at=now + STALE, why=str(found), counts=True)
    return NothingToDo(why=str(found))
