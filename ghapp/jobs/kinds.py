"""What each kind of work item means: what it is about, and the one call that does it.

It leases and finishes nothing; `ghapp.jobs.perform` does both.
"""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from ghapp.attribution.model import Struct
from ghapp.audit import AuditRequest
from ghapp.auditing.replay_over_github import AuditedAgain, ReplayStep, audit_again, list_page
from ghapp.bootstrap import Services
from ghapp.ending import (
    STALE,
    ChoreDone,
    Ending,
    NothingToDo,
    NotPermitted,
    OutOfReach,
    TryLater,
    unreached,
)
from ghapp.events.commands import hear
from ghapp.events.dispatch import AUDIT_AGAIN, RETURNS
from ghapp.events.installations import (
    call_roll,
    confirm_installation,
    confirm_repository,
    make_up,
)
from ghapp.events.intake import EventIntake
from ghapp.events.reconcile import reconcile, reconcile_request
from ghapp.events.sweep import sweep
from ghapp.github.answers import GitHubError, GoneReason
from ghapp.ingest.compliance import ComplianceError
from ghapp.publishers.answer import answer
from ghapp.publishers.check_run import pulls_of_runs
from ghapp.publishers.publisher import PublisherMemory
from ghapp.store import MERGED, Lane, Store, WorkItem, WorkKind, WorkRequest
from ghapp.upkeep.deployments import read_deployments
from ghapp.upkeep.outcomes import collect_outcomes, outcomes_request
from ghapp.upkeep.outgoing import NotSent

STALE_LOOKS = 3
"""How often a pull request's comments are read if they lack the one that an event told of."""
MOST_WEEKLY_TRIES = 30
"""Tries of about a day in all. Later, the letter is no longer news."""

SURELY_MERGED = frozenset({WorkKind.FINALIZE.value, AUDIT_AGAIN})
"""Only an audit of a merged pull request brings these kinds."""

MOST_VENDOR_TRIES = 8
"""Tries of about twenty minutes; then it is read on the next day."""

NEVER = "never"

DoItem = Callable[[WorkItem, Services], Ending]


class InstallationItem(Struct, frozen=True):
    """A work item about an installation that may be used now."""

    installation_id: int
    """The one that reaches the repository today; the item may have been enqueued for another."""
    item: WorkItem


class RepositoryItem(Struct, frozen=True):
    """A work item about a repository that an installation reaches."""

    installation_id: int
    repository_id: int
    item: WorkItem


class PullItem(Struct, frozen=True):
    """A work item about a pull request of a repository that an installation reaches."""

    installation_id: int
    repository_id: int
    number: int
    item: WorkItem


# --- audits -------------------------------------------------------------------------------------


def _audit(due: PullItem, services: Services) -> Ending:
    return services.audit(
        AuditRequest(
            installation_id=due.installation_id,
            repository_id=due.repository_id,
            number=due.number,
            asked_again=due.item.kind == AUDIT_AGAIN,
            is_merged=due.item.about == MERGED or due.item.kind in SURELY_MERGED,
            tries=due.item.attempts,
            background=due.item.lane is Lane.REPLAY,
        )
    )


def _command(due: PullItem, services: Services) -> Ending:
    with services.github(due.installation_id, due.repository_id) as github:

        def replied(command: int, state: str) -> None:
            memory = _memory_of_answer(due, command, services)
            answer(github, due.number, command, state, memory)

        heard = hear(due.item, due.number, github, services.store, services.clock(), replied)
    if heard.is_stale and due.item.attempts < STALE_LOOKS:
        at = services.clock() + STALE
        return TryLater(at=at, why="GitHub does not list the comment yet", counts=True)
    why = f"{heard.obeyed} commands obeyed, {heard.refused} refused, {heard.answered} answered"
    return ChoreDone(heard.obeyed + heard.answered, why)


def _memory_of_answer(due: PullItem, command: int, services: Services) -> PublisherMemory:
    """Return when an answer was about to be made: the ledger is about audits, and there is none."""
    cursors, name = services.store.cursors, f"answer:{due.repository_id}:{due.number}:{command}"

    def note(*, at: str = "") -> None:
        cursors.move(name, at or services.clock().isoformat(), now=services.clock())

    noted = cursors.read(name)
    return PublisherMemory(
        note=note,
        withdraw=lambda: note(at=NEVER),
        noted_at=None if noted in {None, NEVER} else datetime.fromisoformat(noted),
    )


def _outcomes(due: PullItem, services: Services) -> Ending:
    installation_id, repository_id = due.installation_id, due.repository_id
    with services.github(installation_id, repository_id, background=True) as github:
        again = collect_outcomes(
            due.number,
            github=github,
            store=services.store,
            git_cache=services.settings.data_dir / "git",
            now=services.clock(),
        )
    if again is not None:
        request = outcomes_request(installation_id, repository_id, due.number, again)
        services.store.work.enqueue(request, now=services.clock())
    return ChoreDone(1, "stored what came of it")


# --- repositories -------------------------------------------------------------------------------


def _reconcile(due: RepositoryItem, services: Services) -> Ending:
    with services.github(due.installation_id, due.repository_id) as github:
        found = reconcile(github, services.store, services.clock())
    return ChoreDone(found, f"{found} merged pull requests had no good end")


def _deployments(due: RepositoryItem, services: Services) -> Ending:
    with services.github(due.installation_id, due.repository_id, background=True) as github:
        read = read_deployments(github, services.store)
    return ChoreDone(read, f"the commits of {read} deployments were read")


def _replay(due: RepositoryItem, services: Services) -> Ending:
    """Do one step of a replay: list a page of pull requests, or audit one of them."""
    running = services.store.replays.running(due.repository_id)
    if running is None:
        return NothingToDo("its replay is over")
    with services.github(due.installation_id, due.repository_id, background=True) as github:
        step = ReplayStep(
            replay=running,
            context=services.audit_context,
            kept=services.kept_pulls,
            github=github,
            store=services.store,
            now=services.clock(),
        )
        if due.item.pull_request is None:
            return _replay_page(step)
        return _replay_pull(step, due.item.pull_request, due.installation_id)


def _replay_page(step: ReplayStep) -> Ending:
    if not list_page(step).is_last:
        return TryLater(at=step.now, why="there are more pull requests to list", counts=False)
    return ChoreDone(1, "every pull request of the replay is listed")


def _replay_pull(step: ReplayStep, number: int, installation_id: int) -> Ending:
    found = step.store.replays.pull(step.replay.id, number)
    if found is None:
        return NothingToDo("it is not part of the replay, or done already")
    request = AuditRequest(
        installation_id=installation_id,
        repository_id=step.replay.repository_id,
        number=number,
        background=True,
    )
    done = audit_again(step, found, request)
    if isinstance(done, AuditedAgain):
        return ChoreDone(1, done.why or "audited again")
    return done


def _rerun_suite(due: RepositoryItem, services: Services) -> Ending:
    """Audit again what our check runs on the suite's head are about."""
    if due.item.about is None:
        return NothingToDo("it names no commit")
    with services.github(due.installation_id, due.repository_id) as github:
        numbers = pulls_of_runs(github, due.item.about)
    requests = [
        WorkRequest.for_pull(
            *(AUDIT_AGAIN, due.installation_id, due.repository_id, number),
            at=services.clock(),
            why="all checks are to run again",
        )
        for number in numbers
    ]
    services.store.work.enqueue_all(requests, now=services.clock())
    return ChoreDone(len(numbers), f"{len(numbers)} pull requests have our check run there")


# --- installations ------------------------------------------------------------------------------


def _confirm(item: WorkItem, services: Services) -> Ending:
    """Ask GitHub about an installation or a repository, and make up for what it missed."""
    number, repository_id = item.installation_id, item.repository_id
    if number is None:
        return NothingToDo("it names no installation")
    store, now = services.store, services.clock()
    returns = item.about == RETURNS
    if repository_id is not None:
        is_back = confirm_repository(number, repository_id, services.auth, store, now)
        back: tuple[int, ...] = (repository_id,) if is_back or returns else ()
    else:
        back = confirm_installation(number, services.auth, store, now)
        if returns:
            back = tuple(one.id for one in store.installations.repositories(number))
    make_up(number, back, services.auth, store, now)
    why = f"back: {item.why}"
    requests = [reconcile_request(one, number, now, why) for one in back]
    store.work.enqueue_all(requests, now=now)
    return ChoreDone(len(back), f"GitHub was asked; {len(back)} repositories are back")


def _fetch_teams(due: InstallationItem, services: Services) -> Ending:
    installation = services.store.installations.installation(due.installation_id)
    if installation is None:
        return NothingToDo(f"installation {due.installation_id} is not known")
    fetched = services.fetch_teams(installation)
    return ChoreDone(fetched.people, str(fetched))


def _send_weekly_summary(item: WorkItem, services: Services) -> Ending:
    if item.installation_id is None:
        return NothingToDo("it names no installation")
    try:
        sent = services.weekly_summaries.send(item.installation_id)
    except NotSent as error:
        if item.attempts < MOST_WEEKLY_TRIES:
            raise
        return ChoreDone(0, f"given up after {item.attempts} tries; the last: {error}")
    return ChoreDone(sent.count, sent.why)


def _pull_vendor(item: WorkItem, services: Services) -> Ending:
    if item.installation_id is None or item.about is None:
        return NothingToDo("it names no vendor of an installation")
    pulled = services.vendor_pulls.pull(item.installation_id, item.about)
    if pulled is None:
        return NothingToDo("the vendor is not connected any more")
    if pulled.until is not None:
        return TryLater(at=pulled.until, why=str(pulled.problem), counts=False)
    if pulled.is_away and item.attempts < MOST_VENDOR_TRIES:
        return TryLater(at=services.clock(), why=str(pulled.problem), counts=True)
    # What only a person can mend waits until tomorrow; the settings page says it.
    return ChoreDone(pulled.days, pulled.problem or f"{pulled.days} days were read")


# --- the whole app ------------------------------------------------------------------------------


def _sweep(item: WorkItem, services: Services) -> Ending:
    del item
    intake = EventIntake(services.store, services.queue.wake, services.app_id)
    swept = sweep(services.auth, intake, services.clock())
    if not swept.is_whole:
        return TryLater(at=services.clock(), why="more deliveries to take in", counts=False)
    return ChoreDone(swept.taken, f"{swept.taken} of {swept.looked_at} deliveries were not known")


def _call_roll(item: WorkItem, services: Services) -> Ending:
    del item
    count = call_roll(services.auth, services.store, services.clock())
    return ChoreDone(0, f"{count} installations")


def _pull_sessions(item: WorkItem, services: Services) -> Ending:
    del item
    try:
        pulled = services.pull_sessions()
    except ComplianceError as error:
        return TryLater(at=services.clock(), why=str(error), counts=True)
    if pulled is None:
        return NothingToDo("no key of the Compliance API is set")
    if not pulled.is_whole:
        return TryLater(at=services.clock(), why="more sessions to pull", counts=False)
    return ChoreDone(pulled.edits, f"{pulled.edits} edits of {pulled.agent_sessions} sessions")


# --- what an item is about ----------------------------------------------------------------------


def _on_pull(do: Callable[[PullItem, Services], Ending]) -> DoItem:
    def on_repository(due: RepositoryItem, services: Services) -> Ending:
        number = due.item.pull_request
        if number is None:
            return NothingToDo("it names no pull request")
        pull = PullItem(due.installation_id, due.repository_id, number, due.item)
        return do(pull, services)

    return _on_repository(on_repository)


def _on_repository(do: Callable[[RepositoryItem, Services], Ending]) -> DoItem:
    def on_installation(due: InstallationItem, services: Services) -> Ending:
        repository_id = due.item.repository_id
        if repository_id is None:
            return NothingToDo("it names no repository")
        return do(RepositoryItem(due.installation_id, repository_id, due.item), services)

    return _on_installation(on_installation)


def _on_installation(do: Callable[[InstallationItem, Services], Ending]) -> DoItem:
    def on_item(item: WorkItem, services: Services) -> Ending:
        reached = _reached(item, services)
        if not isinstance(reached, int):
            return reached
        try:
            ending = do(InstallationItem(reached, item), services)
        except GitHubError as error:
            ending = unreached(error, services.clock())
        if isinstance(ending, OutOfReach | TryLater | NotPermitted):
            # Events may move the repository to another installation meanwhile.
            return replace(ending, installation_id=reached)
        return ending

    return on_item


def _reached(item: WorkItem, services: Services) -> int | OutOfReach | TryLater:
    """Return the installation that reaches the repository now, or why none may be used."""
    known = services.store.installations
    installation_id = installation_of(item, services.store)
    if installation_id is None:
        return OutOfReach("no installation of the app reaches the repository", GoneReason.REMOVED)
    installation = known.installation(installation_id)
    if installation is not None and not installation.is_active:
        why = GoneReason.UNINSTALLED if installation.removed_at else GoneReason.SUSPENDED
        return OutOfReach(f"installation {installation_id}: {why}", why)
    ready_at = services.pace.ready_at(installation_id, background=item.lane is Lane.REPLAY)
    if ready_at is not None:
        return TryLater(at=ready_at, why="a rate limit of GitHub's", counts=False)
    return installation_id


def installation_of(item: WorkItem, store: Store) -> int | None:
    """Return the installation that an item is about now; ``None``: none is known.

    Its repository may have moved to another installation since the item was enqueued. But if that
    one is gone, and the item names one that is not, the app was installed again, and we have not
    heard of it: GitHub sends events only to an installation that exists.
    """
    known = store.installations
    repository = None if item.repository_id is None else known.repository(item.repository_id)
    stored = None if repository is None else repository.installation_id
    named = item.installation_id
    if stored is None or named is None:
        return stored or named
    return named if _is_gone(stored, store) and not _is_gone(named, store) else stored


def _is_gone(installation_id: int, store: Store) -> bool:
    found = store.installations.installation(installation_id)
    return found is not None and not found.is_active


KINDS: dict[str, DoItem] = {
    WorkKind.AUDIT: _on_pull(_audit),
    WorkKind.FINALIZE: _on_pull(_audit),
    AUDIT_AGAIN: _on_pull(_audit),
    WorkKind.COMMAND: _on_pull(_command),
    WorkKind.OUTCOMES: _on_pull(_outcomes),
    WorkKind.SUITE: _on_repository(_rerun_suite),
    WorkKind.CONFIRM: _confirm,
    WorkKind.RECONCILE: _on_repository(_reconcile),
    WorkKind.REPLAY: _on_repository(_replay),
    WorkKind.DEPLOYMENTS: _on_repository(_deployments),
    WorkKind.TEAMS: _on_installation(_fetch_teams),
    WorkKind.WEEKLY_SUMMARY: _send_weekly_summary,
    WorkKind.VENDOR_PULL: _pull_vendor,
    WorkKind.SWEEP: _sweep,
    WorkKind.ROLL_CALL: _call_roll,
    WorkKind.COMPLIANCE: _pull_sessions,
}
"""Every kind of work item that this version can do → how."""

RECURRING = frozenset(
    {
        WorkKind.SWEEP,
        WorkKind.ROLL_CALL,
        WorkKind.RECONCILE,
        WorkKind.WEEKLY_SUMMARY,
        WorkKind.COMPLIANCE,
        WorkKind.TEAMS,
        WorkKind.VENDOR_PULL,
    }
)
"""Kinds that recur. They never become dead letters: nothing would enqueue them again."""
