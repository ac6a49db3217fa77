"""Journey 1 on one page: a merged pull request is fetched, attributed, kept and published.

Every door tells it by calling `audit_pull_request`. It knows no queue and no HTTP; what
ended it is one of the outcomes below, and nothing else.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import Codebook
from ghapp.attribution.document import to_document
from ghapp.attribution.model import (
    Audit,
    Change,
    Evidence,
    State,
    Struct,
    Subject,
    Unread,
    Verdict,
)
from ghapp.attribution.policy import Policy
from ghapp.carried import Carried
from ghapp.github import answers
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import NotMerged, PullRequest, fetch
from ghapp.outcomes import outcomes_wish
from ghapp.policy.file import RepositoryPolicy
from ghapp.policy.in_force import InForce, PolicyFile, policy_in_force
from ghapp.publishers.publisher import Conclusion, Desired, Memories, Memory, Published, Unseen
from ghapp.publishers.publisher import Outcome as Wrote
from ghapp.publishers.registry import PUBLISHERS, Publishing
from ghapp.reports.annotations import annotations
from ghapp.reports.coverage import of_author
from ghapp.reports.markdown import check_run, comment, explained
from ghapp.reports.policy_notes import above_the_limit, broken_policy, noted
from ghapp.reports.summary import summarize
from ghapp.store import (
    Due,
    Installation,
    Kind,
    Lane,
    Publication,
    Repository,
    SavedAudit,
    Store,
    WhyNamed,
    Witness,
)
from ghapp.summaries.counts import About

AFTER_THE_WINDOW = timedelta(minutes=1)
"""The window's last instant belongs to it (rules.md 2.4), so the final audit comes after it."""
STALE = timedelta(seconds=30)
"""GitHub's reading side may lag that long behind the event that told of a merge."""

_AGENT = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
"""An agent's name that may become a label: it comes from evidence, which anyone could write."""

log = structlog.get_logger()


class Ref(Struct, frozen=True):
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


class Publish(Protocol):
    """How an audit is said: `ghapp.publishers.registry.publish`, or nothing at all in a replay."""

    def __call__(
        self, desired: Desired, pull: PullRequest, github: GitHub, memories: Memories
    ) -> Publishing:
        """Bring everything on GitHub up to date, and return what was done."""


class Carry(Protocol):
    """How what the repository itself carries is kept, before the evidence is read."""

    def __call__(self, ref: Ref, pull: PullRequest, github: GitHub) -> Carried:
        """Keep the edits; return the rest: what could not be read, and names of agents."""


def carry_nothing(ref: Ref, pull: PullRequest, github: GitHub) -> Carried:
    """Look at nothing that the repository carries."""
    del ref, pull, github
    return Carried(found=(), trailers=None)


class How(Struct, frozen=True, kw_only=True):
    """How audits are made here: by which policy, said in which way."""

    policy: Policy | None = None
    """One policy for all, as for the past; ``None``: each repository's own file is asked."""
    organization_policy: Callable[[Ref, str], PolicyFile | None]
    """Who asks, and an owner's login → the policy file of its ``.github`` repository."""
    publish: Publish
    book: Callable[[int, Evidence], Codebook]
    """Installation and evidence → how lines are compared: as text, or as fingerprints."""
    comparable: Callable[[Ref, Evidence, Change], Evidence]
    """Evidence → the same, as that book can compare it: it may have been made with several keys."""
    git_cache: Path
    """Directory for the repositories that only git can show whole."""
    carry: Carry = carry_nothing
    witness: Witness | None = None
    """Signs what is saved; ``None``: nothing does."""


# --- outcomes: a closed list ------------------------------------------------------------------


class Done(Struct, frozen=True):
    """The audit is kept and everything that GitHub should show was read back."""

    audit: SavedAudit
    published: tuple[Published, ...]


class Partial(Struct, frozen=True):
    """Done as far as it goes: some of the change or of the publishing is missing, and said so."""

    audit: SavedAudit
    published: tuple[Published, ...]
    missing: tuple[str, ...]
    """Files whose lines could not be read, and what could not be written, with the reason."""


class NothingToDo(Struct, frozen=True):
    """There is nothing to audit, and there will not be."""

    why: str


class Later(Struct, frozen=True):
    """It cannot be done now."""

    at: datetime
    why: str
    counts: bool
    """Whether it was a failed try; a rate limit is no fault of the item's."""
    whole_installation: bool = False
    """Whether nothing else of the installation may be done before that time either."""


class Refused(Struct, frozen=True):
    """GitHub forbids it until a person grants a permission."""

    permission: str | None
    """As GitHub names it; ``None``: GitHub did not say."""
    why: str


class Gone(Struct, frozen=True):
    """What was to be audited is out of reach until somebody outside brings it back."""

    why: str
    reason: answers.Why | None = None
    """In one word; ``None``: known without asking GitHub."""


Outcome = Done | Partial | NothingToDo | Later | Refused | Gone


# --- the journey ------------------------------------------------------------------------------


def audit_pull_request(
    ref: Ref, how: How, *, github: GitHub, store: Store, now: datetime
) -> Outcome:
    """Audit one merged pull request and say it on GitHub; a second run writes nothing there.

    Raises `StoreError`, and `answers.Rejected` where GitHub finds fault with a request of ours.
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
        _schedule_final(ref, audit, store, now)
        _schedule_outcomes(ref, audit, store, now)
        if _evidence_state(pull, policy, store) != before:
            _schedule_again(ref, store, now)
        desired = _desired(audit, ref, in_force, _coverage(pull, policy, store))
        publishing = how.publish(desired, pull, github, _memories(saved, github, store))
        _record(publishing.published, saved, store, now)
        return _outcome(saved, pull, publishing, now)
    except NotMerged as found:
        return _not_merged(found, ref, now)
    except answers.GitHubError as error:
        return unreached(error, now)


def attributed(  # noqa: PLR0913, PLR0917 - the pull request, what it is held against, and the time
    ref: Ref,
    pull: PullRequest,
    carried: Carried,
    policy: Policy,
    how: How,
    store: Store,
    *,
    at: datetime,
) -> Audit:
    """Return the audit of a fetched pull request by the evidence that is kept; nothing is saved."""
    evidence = how.comparable(ref, _evidence(pull, policy, carried, store), pull.change)
    book = how.book(ref.installation_id, evidence)
    return attribute(_subject(pull), pull.change, evidence, policy, at=at, book=book)


def _remember(ref: Ref, pull: PullRequest, store: Store, now: datetime) -> None:
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
        names, why = store.repository_names, WhyNamed.FORK
        names.note(pull.fork, why, now=now, repository_id=ref.repository_id)


def _save(  # noqa: PLR0913, PLR0917 - what is kept, and how
    ref: Ref, audit: Audit, policy: Policy, how: How, store: Store, now: datetime, about: About
) -> SavedAudit:
    """Keep the audit, and the policy that it names by digest."""
    store.records.keep_policy(policy, now=now)
    return store.audits.save(
        ref.repository_id, ref.number, to_document(audit), now=now, about=about, witness=how.witness
    )


def _subject(pull: PullRequest) -> Subject:
    return Subject(
        merged_at=pull.merged_at,
        repository=pull.repository,
        pull_request=pull.number,
        merge_commit=pull.merge_commit,
    )


def policy_of(ref: Ref, pull: PullRequest, how: How, store: Store) -> InForce:
    """Return the policy of the pull request's base, unless there is one for all."""
    if how.policy is not None:
        return InForce(policy=RepositoryPolicy(rules=how.policy))
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


def _about(pull: PullRequest) -> About:
    return About(
        title=pull.title,
        author=pull.author,
        author_id=pull.author_id,
        base_ref=pull.base_ref,
    )


def _evidence(pull: PullRequest, policy: Policy, carried: Carried, store: Store) -> Evidence:
    """Read the edits of the window, and those before it that explain why a line does not count."""
    since, until = policy.evidence_span(pull.merged_at)
    return Evidence(
        edits=store.evidence.of(pull.repository_id, since, until),
        unread=tuple(found for found in carried.found if isinstance(found, Unread)),
        trailers=carried.trailers,
    )


def _evidence_state(pull: PullRequest, policy: Policy, store: Store) -> tuple[int, ...]:
    return store.evidence.state(pull.repository_id, *policy.evidence_span(pull.merged_at))


def _schedule_again(ref: Ref, store: Store, now: datetime) -> None:
    """Have it audited again: evidence came in between the reading and the saving.

    Whoever added it found no audit to make due again; what comes later finds this one.
    """
    wish = Due(
        kind=Kind.AUDIT,
        due_at=now,
        lane=Lane.RERUN,
        installation_id=ref.installation_id,
        repository_id=ref.repository_id,
        pull_request=ref.number,
        why="evidence arrived during the audit",
    )
    store.due.schedule(wish, now=now)


def _schedule_final(ref: Ref, audit: Audit, store: Store, now: datetime) -> None:
    """Have a provisional audit made again once its window is over; wished once however often."""
    if audit.state is not State.PROVISIONAL:
        return
    window = timedelta(days=audit.policy.window_after_days)
    wish = Due(
        kind=Kind.FINALIZE,
        due_at=audit.merged_at + window + AFTER_THE_WINDOW,
        lane=Lane.RERUN,
        installation_id=ref.installation_id,
        repository_id=ref.repository_id,
        pull_request=ref.number,
        why="the window is over",
    )
    store.due.schedule(wish, now=now)


def _schedule_outcomes(ref: Ref, audit: Audit, store: Store, now: datetime) -> None:
    """Have it looked at what came of a pull request, once its audit is final."""
    if audit.state is State.FINAL and store.outcomes.of(ref.repository_id, ref.number) is None:
        wish = outcomes_wish(ref.installation_id, ref.repository_id, ref.number, now)
        store.due.schedule(wish, now=now)


# --- what GitHub should show --------------------------------------------------------------------


def _coverage(pull: PullRequest, policy: Policy, store: Store) -> str | None:
    """Return what stands beside the share of the author's machine; ``None``: who is not known."""
    if pull.author is None or pull.author_id is None:
        return None
    author, window = (pull.author_id, pull.author), policy.window(pull.merged_at)
    return of_author(store.coverage.author(pull.repository_id, author, *window))


def _desired(audit: Audit, ref: Ref, in_force: InForce, coverage: str | None) -> Desired:
    summary = summarize(audit)
    known = audit.verdict is not Verdict.NO_EVIDENCE
    policy = in_force.policy
    return Desired(
        check=noted(
            explained(check_run(summary, coverage=coverage), audit), _notes(audit, in_force)
        ),
        conclusion=_conclusion(audit, in_force),
        annotations=tuple(annotations(audit)),
        comment=comment(summary, coverage=coverage) if policy.comment else None,
        opens_comment=known,
        labels=_labels(audit) if policy.label else frozenset(),
        asked_again=ref.asked_again,
    )


def _notes(audit: Audit, in_force: InForce) -> list[str]:
    """Return what the check run says of the policy, apart from its name."""
    limit = in_force.policy.share_limit
    notes = []
    if limit is not None and _is_above(audit, limit):
        notes.append(above_the_limit(audit.totals, limit))
    if in_force.problems:
        notes.append(broken_policy(in_force.problems, in_force.source))
    return notes


def _conclusion(audit: Audit, in_force: InForce) -> Conclusion:
    """Red only above a limit that the repository sets; neutral where something is not known."""
    limit = in_force.policy.share_limit
    known = audit.verdict is not Verdict.NO_EVIDENCE and audit.inputs.complete
    if in_force.problems or not known:
        return Conclusion.NEUTRAL
    is_above = limit is not None and _is_above(audit, limit)
    return Conclusion.FAILURE if is_above else Conclusion.SUCCESS


def _is_above(audit: Audit, limit: float) -> bool:
    """Say whether a share is known and above the limit, without any rounding."""
    totals = audit.totals
    return totals.share is not None and totals.attributed > Fraction(str(limit)) * totals.effective


def _labels(audit: Audit) -> frozenset[str]:
    agents = (agent for agent, lines in audit.totals.by_agent.items() if lines)
    return frozenset(f"{agent}-assisted" for agent in agents if _AGENT.fullmatch(agent))


def _memories(saved: SavedAudit, github: GitHub, store: Store) -> Memories:
    """Return what the publishers asked to remember the last time, and what they set out to do."""
    kept, where = store.publications, (saved.repository_id, saved.pull_request)

    def memory(name: str) -> Memory:
        last = kept.last(*where, name)
        return Memory(
            note=lambda: kept.note(saved, name, at=github.now()),
            external_id=None if last is None else last.external_id,
            noted_at=kept.noted_at(*where, name),
        )

    return {name: memory(name) for name in PUBLISHERS}


def _record(published: Sequence[Published], saved: SavedAudit, store: Store, now: datetime) -> None:
    """Keep what became of each publisher; that nothing changed is said once for an audit."""
    told = {one.publisher: one for one in store.publications.of(saved)}
    for one in published:
        log.info("published", publisher=one.name, outcome=one.outcome, detail=one.detail)
        if _is_told(one, told.get(one.name)):
            continue
        row = Publication(
            publisher=one.name,
            outcome=one.outcome,
            asked_at=now,
            detail=one.detail,
            external_id=one.external_id,
            url=one.url,
            read_back_at=None if one.confirmed is None else now,
            read_back_ok=one.confirmed,
        )
        store.publications.record(saved, row)


def _is_told(one: Published, last: Publication | None) -> bool:
    """Say whether the ledger has it: what was written although GitHub said no, it has not."""
    return (
        one.outcome is Wrote.UNCHANGED
        and last is not None
        and last.outcome != Wrote.NOT_WRITTEN
        and last.external_id == one.external_id
    )


# --- what ended it --------------------------------------------------------------------------------


def _outcome(
    saved: SavedAudit, pull: PullRequest, publishing: Publishing, now: datetime
) -> Outcome:
    if publishing.later is not None:
        return unreached(publishing.later, now)
    problems = (one.problem for one in publishing.published)
    missing = (*pull.change.missing, *filter(None, problems))
    if missing:
        return Partial(audit=saved, published=publishing.published, missing=missing)
    return Done(audit=saved, published=publishing.published)


def _not_merged(found: NotMerged, ref: Ref, now: datetime) -> Outcome:
    """Look again where it is open or was told as merged: just after an event that is stale."""
    if found.state == "open" or ref.said_merged:
        return Later(at=now + STALE, why=str(found), counts=True)
    return NothingToDo(why=str(found))


def unreached(error: answers.GitHubError, now: datetime) -> Outcome:
    """Say what an error of GitHub's means for the item; our own faults are raised again."""
    match error:
        case answers.Limited():
            whole = error.kind is not answers.LimitKind.OWN
            return Later(at=error.until, why=str(error), counts=False, whole_installation=whole)
        case Unseen():
            return Later(at=error.until, why=str(error), counts=False)
        case answers.Temporary() | answers.Missing() | answers.BadCredentials():
            return Later(at=now + STALE, why=str(error), counts=True)
        case answers.Refused():
            return Refused(permission=error.permission, why=str(error))
        case answers.Gone():
            return Gone(why=str(error), reason=error.why)
        case _:
            raise error
