"""Journey 1 on one page: a merged pull request is fetched, attributed, kept and published.

Every door tells it by calling `audit_pull_request`. It knows no queue and no HTTP; how it
can end is listed in `ghapp.ending`.
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
    Struct,
    UnreadEvidence,
)
from ghapp.attribution.policy import Policy
from ghapp.ending import STALE, AuditDone, AuditPartial, Ending, NothingToDo, TryLater, unreached
from ghapp.github import answers
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import NotMerged, PullRequest, fetch
from ghapp.ingest.carried import CarriedEvidence
from ghapp.keys.comparing import LineComparison
from ghapp.policy.file import RepositoryPolicy
from ghapp.policy.in_force import PolicyFile, PolicyInForce, policy_in_force
from ghapp.publishers import ledger
from ghapp.publishers.desired import desired_of
from ghapp.publishers.publisher import DesiredState, Memories
from ghapp.publishers.registry import PublishReport
from ghapp.reports.coverage import of_author
from ghapp.store import (
    Installation,
    Lane,
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

AFTER_THE_WINDOW = timedelta(minutes=1)
"""The window's last instant belongs to it (rules.md 2.4), so the final audit comes after it."""


class AuditRequest(Struct, frozen=True):
    """Which pull request, by the numbers that never change, and who wants it audited."""

    installation_id: int
    repository_id: int
    number: int
    asked_again: bool = False
    """Whether a person pressed a button and waits for the check run to answer."""
    said_merged: bool = False
    """Whether an event told of the merge, so that "not merged" may be a stale answer."""
    background: bool = False
    """Whether it is an audit of the past, which waits wherever others need GitHub."""


class PublishStep(Protocol):
    """How an audit is said: `ghapp.publishers.registry.publish`, or nothing at all in a replay."""

    def __call__(
        self, desired: DesiredState, pull: PullRequest, github: GitHub, memories: Memories
    ) -> PublishReport:
        """Bring everything on GitHub up to date, and return what was done."""


class CarryStep(Protocol):
    """How what the repository itself carries is kept, before the evidence is read."""

    def __call__(self, ref: AuditRequest, pull: PullRequest, github: GitHub) -> CarriedEvidence:
        """Keep the edits; return the rest: what could not be read, and names of agents."""


def carry_nothing(ref: AuditRequest, pull: PullRequest, github: GitHub) -> CarriedEvidence:
    """Look at nothing that the repository carries."""
    del ref, pull, github
    return CarriedEvidence(found=(), trailers=None)


class AuditContext(Struct, frozen=True, kw_only=True):
    """How audits are made here: by which policy, said in which way."""

    policy: Policy | None = None
    """One policy for all, as for the past; ``None``: each repository's own file is asked."""
    organization_policy: Callable[[AuditRequest, str], PolicyFile | None]
    """Who asks, and an owner's login → the policy file of its ``.github`` repository."""
    publish: PublishStep
    comparison: LineComparison
    git_cache: Path
    """Directory for the repositories that only git can show whole."""
    carry: CarryStep = carry_nothing
    witness: SignRecord | None = None
    """Signs what is saved; ``None``: nothing does."""


# --- the journey ------------------------------------------------------------------------------


def audit_pull_request(
    ref: AuditRequest, how: AuditContext, *, github: GitHub, store: Store, now: datetime
) -> Ending:
    """Audit one merged pull request and say it on GitHub; a second run writes nothing there.

    Raises `StoreError`, and `answers.RequestRejected` where a request of ours is at fault.
    """
    try:
        pull = fetch(github, ref.number, how.git_cache)
        _remember(ref, pull, store, now)
        in_force = policy_of(ref, pull, how, store)
        policy = in_force.policy.rules
        carried = how.carry(ref, pull, github)
        before = _evidence_state(pull, policy, store)
        audit = attributed(ref, pull, carried, policy, how, store, at=now)
        saved = _save(ref, audit, policy, how, store, now, _about(pull))
        evidence_came = _evidence_state(pull, policy, store) != before
        _schedule_what_follows(ref, audit, store, now, evidence_came=evidence_came)
        coverage = _coverage(pull, policy, store)
        desired = desired_of(audit, in_force, coverage=coverage, asked_again=ref.asked_again)
        publishing = how.publish(desired, pull, github, ledger.memories(saved, github, store))
        ledger.record(publishing.published, saved, store, now)
        return _ending(saved, pull, publishing, now)
    except NotMerged as found:
        return _not_merged(found, ref, now)
    except answers.GitHubError as error:
        return unreached(error, now)


def attributed(  # noqa: PLR0913, PLR0917 - the pull request, what it is held against, and the time
    ref: AuditRequest,
    pull: PullRequest,
    carried: CarriedEvidence,
    policy: Policy,
    how: AuditContext,
    store: Store,
    *,
    at: datetime,
) -> Audit:
    """Return the audit of a fetched pull request by the evidence that is kept; nothing is saved."""
    read, comparison = _evidence(pull, policy, carried, store), how.comparison
    installation_id, repository_id = ref.installation_id, ref.repository_id
    evidence = comparison.comparable(installation_id, repository_id, read, pull.change)
    book = comparison.book(installation_id, evidence)
    return attribute(_subject(pull), pull.change, evidence, policy, at=at, book=book)


def _remember(ref: AuditRequest, pull: PullRequest, store: Store, now: datetime) -> None:
    """Note the installation and the repository's present name: an event may have been missed."""
    owner, _, name = pull.repository.partition("/")
    if store.installations.installation(ref.installation_id) is None:
        store.installations.seen(Installation(id=ref.installation_id, account=owner), now=now)
    known = store.installations.repository(ref.repository_id)
    if known is None or (known.full_name, known.installation_id) != (
        pull.repository,
        ref.installation_id,
    ):
        # What a pull request does not tell, such as whether it is private, stays as it is known.
        seen = msgspec.structs.replace(
            known or Repository(id=ref.repository_id, owner=owner, name=name),
            owner=owner,
            name=name,
            installation_id=ref.installation_id,
            removed_at=None,
        )
        store.installations.repository_seen(seen, now=now)
    if pull.fork is not None:
        # Whoever works in the fork has its name as a remote, and maybe no other.
        names, why = store.repository_names, NameReason.FORK
        names.note(pull.fork, why, now=now, repository_id=ref.repository_id)


def _save(  # noqa: PLR0913, PLR0917 - what is kept, and how
    ref: AuditRequest,
    audit: Audit,
    policy: Policy,
    how: AuditContext,
    store: Store,
    now: datetime,
    about: PullFacts,
) -> SavedAudit:
    """Keep the audit, and the policy that it names by digest."""
    store.records.keep_policy(policy, now=now)
    return store.audits.save(
        ref.repository_id, ref.number, to_document(audit), now=now, about=about, witness=how.witness
    )


def _subject(pull: PullRequest) -> AuditSubject:
    return AuditSubject(
        merged_at=pull.merged_at,
        repository=pull.repository,
        pull_request=pull.number,
        merge_commit=pull.merge_commit,
    )


def policy_of(
    ref: AuditRequest, pull: PullRequest, how: AuditContext, store: Store
) -> PolicyInForce:
    """Return the policy of the pull request's base, unless there is one for all."""
    if how.policy is not None:
        return PolicyInForce(policy=RepositoryPolicy(rules=how.policy))
    own = None
    if pull.policy_text is not None:
        own = PolicyFile(
            repository_id=pull.repository_id,
            repository=pull.repository,
            text=pull.policy_text,
            as_of=pull.merged_at,
        )
    owner = pull.repository.partition("/")[0]
    return policy_in_force(own, lambda: how.organization_policy(ref, owner), store)


def _about(pull: PullRequest) -> PullFacts:
    return PullFacts(
        title=pull.title,
        author=pull.author,
        author_id=pull.author_id,
        base_ref=pull.base_ref,
    )


def _evidence(
    pull: PullRequest, policy: Policy, carried: CarriedEvidence, store: Store
) -> Evidence:
    """Read the edits of the window, and those before it that explain why a line does not count."""
    since, until = policy.evidence_span(pull.merged_at)
    return Evidence(
        edits=store.evidence.of(pull.repository_id, since, until),
        unread=tuple(found for found in carried.found if isinstance(found, UnreadEvidence)),
        trailers=carried.trailers,
    )


def _evidence_state(pull: PullRequest, policy: Policy, store: Store) -> tuple[int, ...]:
    return store.evidence.state(pull.repository_id, *policy.evidence_span(pull.merged_at))


def _schedule_what_follows(
    ref: AuditRequest, audit: Audit, store: Store, now: datetime, *, evidence_came: bool
) -> None:
    """Make due what an audit asks for next; asking again while it waits changes nothing."""
    if evidence_came:
        # It came between the reading and the saving, so whoever sent it found no audit to make
        # due again. What comes later will find this one.
        why = "evidence arrived during the audit"
        store.work.enqueue(_work_request(WorkKind.AUDIT, ref, now, why), now=now)
    if audit.state is AuditState.PROVISIONAL:
        window = timedelta(days=audit.policy.window_after_days)
        at = audit.merged_at + window + AFTER_THE_WINDOW
        store.work.enqueue(_work_request(WorkKind.FINALIZE, ref, at, "the window is over"), now=now)
    elif store.outcomes.of(ref.repository_id, ref.number) is None:
        request = outcomes_request(ref.installation_id, ref.repository_id, ref.number, now)
        store.work.enqueue(request, now=now)


def _work_request(kind: WorkKind, ref: AuditRequest, at: datetime, why: str) -> WorkRequest:
    return WorkRequest(
        kind=kind,
        due_at=at,
        lane=Lane.RERUN,
        installation_id=ref.installation_id,
        repository_id=ref.repository_id,
        pull_request=ref.number,
        why=why,
    )


def _coverage(pull: PullRequest, policy: Policy, store: Store) -> str | None:
    """Return what stands beside the share of the author's machine; ``None``: who is not known."""
    if pull.author is None or pull.author_id is None:
        return None
    author, window = (pull.author_id, pull.author), policy.window(pull.merged_at)
    return of_author(store.coverage.author(pull.repository_id, author, *window))


# --- what ended it --------------------------------------------------------------------------------


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


def _not_merged(found: NotMerged, ref: AuditRequest, now: datetime) -> Ending:
    """Look again where it is open or was told as merged: just after an event that is stale."""
    if found.state == "open" or ref.said_merged:
        return TryLater(at=now + STALE, why=str(found), counts=True)
    return NothingToDo(why=str(found))
