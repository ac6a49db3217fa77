"""One due item is taken, done and settled: what a worker does each time it is woken.

The lease is what keeps an item to one worker, and its end is what brings back the item of a
worker that died. What the item means is told in `audit`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from ghapp import audit
from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services
from ghapp.commands import hear
from ghapp.compliance import ComplianceError
from ghapp.github import answers
from ghapp.github.answers import Why
from ghapp.intake import Intake
from ghapp.log import bound, redact
from ghapp.outcomes import collect_outcomes, outcomes_wish
from ghapp.outgoing import NotSent
from ghapp.publishers.publisher import Outcome as Wrote
from ghapp.queue.dispatch import AUDIT_AGAIN, SAID_MERGED
from ghapp.reconcile import call_roll, reconcile
from ghapp.replay_over_github import Again, Listed, Means, audit_again, list_page
from ghapp.store import DueItem, DueOutcome, DueTable, Kind, Lane, StoreError
from ghapp.sweep import sweep

LEASE = timedelta(seconds=30)
"""How long an item is out of reach after its worker died; renewed while the worker lives."""
HEARTBEAT = 7.0
"""Seconds between renewals: three may fail before the lease runs out."""
MOST_TRIES = 8
"""After so many failed tries an item is set aside for a person to look at."""
STALE_LOOKS = 3
"""How often a pull request's comments are read where an event told of one that is not there."""
MOST_LETTER_TRIES = 30
"""Most of a day: then the next week's letter is nearer than this one is news."""
NOTHING_WRITTEN = "0 writes: everything on GitHub is as it should be"
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
RECURRING = frozenset(
    {
        Kind.SWEEP,
        Kind.ROLL_CALL,
        Kind.RECONCILE,
        Kind.WEEKLY_SUMMARY,
        Kind.COMPLIANCE,
        Kind.TEAMS,
    }
)
"""Kinds that are wished again and again: never set aside, for then nobody would look any more."""

GIVEN_BACK = "the worker was asked to stop"

log = structlog.get_logger()

Clock = Callable[[], datetime]


class Stopping(BaseException):
    """The process was asked to end and cannot wait for its item; raised by a signal's handler."""


def perform(item_id: int, services: Services, *, worker: str) -> bool:
    """Do one due item, if it is still to be done; ``False``: it is not, or another has it.

    Where `Stopping` comes in its midst, the item is due again at once, and it was no try.
    """
    store, clock = services.store, services.clock
    item = store.due.lease(item_id, clock(), worker, LEASE)
    if item is None:
        return False
    with bound(item=item.name, attempt=item.attempts):
        if _kills_workers(item):
            log.error("item_kills_workers")
            store.due.park(
                item, f"given up after {MOST_TRIES} tries: its worker was lost in the last"
            )
            return True
        try:
            with _held(item, store.due, clock):
                outcome = _do(item, services)
            _settle(item, outcome, services)
        except Stopping:
            # What it asked of GitHub last may have been done: the next try looks before it writes.
            log.warning("item_given_back")
            store.due.later(item, clock(), GIVEN_BACK)
        except Exception as error:
            log.exception("item_failed")
            _failed(item, redact(f"{type(error).__name__}: {error}"), store.due, clock())
    return True


class Looked(Struct, frozen=True):
    """A recurring item is over; what it found has become due."""

    found: int
    why: str


def _do(item: DueItem, services: Services) -> audit.Outcome | Looked:
    doing = KINDS.get(item.kind)
    if doing is None:
        return audit.NothingToDo(f"this version knows no item of kind {item.kind!r}")
    try:
        return doing(item, services)
    except answers.GitHubError as error:
        return audit.unreached(error, services.clock())


# --- what each kind means -------------------------------------------------------------------------


def _audit(item: DueItem, services: Services) -> audit.Outcome:
    reached = _reached(item, services)
    if not isinstance(reached, int):
        return reached
    return services.audit(
        audit.Ref(
            installation_id=reached,
            repository_id=item.repository_id or 0,
            number=item.pull_request or 0,
            asked_again=item.kind == AUDIT_AGAIN,
            said_merged=item.why == SAID_MERGED,
            background=item.lane is Lane.REPLAY,
        )
    )


def _command(item: DueItem, services: Services) -> audit.Outcome | Looked:
    reached = _reached(item, services)
    if not isinstance(reached, int):
        return reached
    github = services.github(reached, item.repository_id or 0)
    try:
        heard = hear(item, github, services.store, services.clock())
    finally:
        github.close()
    if heard.is_stale and item.attempts < STALE_LOOKS:
        at = services.clock() + audit.STALE
        return audit.Later(at=at, why="GitHub does not list the comment yet", counts=True)
    return Looked(heard.obeyed, f"{heard.obeyed} commands obeyed, {heard.refused} refused")


def _outcomes(item: DueItem, services: Services) -> audit.Outcome | Looked:
    reached = _reached(item, services)
    if not isinstance(reached, int):
        return reached
    repository_id, number = item.repository_id or 0, item.pull_request or 0
    github = services.github(reached, repository_id, background=True)
    try:
        again = collect_outcomes(
            number,
            github=github,
            store=services.store,
            git_cache=services.settings.data_dir / "git",
            now=services.clock(),
        )
    finally:
        if github.headroom is not None:
            services.pace.note(reached, github.headroom)
        github.close()
    if again is not None:
        wish = outcomes_wish(reached, repository_id, number, again)
        services.store.due.schedule(wish, now=services.clock())
    return Looked(1, "what came of it is kept")


def _reconcile(item: DueItem, services: Services) -> audit.Outcome | Looked:
    reached = _reached(item, services)
    if not isinstance(reached, int):
        return reached
    github = services.github(reached, item.repository_id or 0)
    try:
        found = reconcile(github, services.store, services.clock())
    finally:
        github.close()
    return Looked(found, f"{found} merged pull requests had no good end")


def _sweep(item: DueItem, services: Services) -> audit.Outcome | Looked:
    del item
    intake = Intake(services.store, services.queue.poke, services.app_id)
    swept = sweep(services.auth, intake, services.clock())
    if not swept.is_whole:
        return audit.Later(at=services.clock(), why="more deliveries to take in", counts=False)
    return Looked(swept.taken, f"{swept.taken} of {swept.looked_at} deliveries were not known")


def _call_roll(item: DueItem, services: Services) -> Looked:
    del item
    count = call_roll(services.auth, services.store, services.clock())
    return Looked(0, f"{count} installations")


def _send_letter(item: DueItem, services: Services) -> Looked:
    try:
        sent = services.letters.send(item.installation_id or 0)
    except NotSent as error:
        if item.attempts < MOST_LETTER_TRIES:
            raise
        return Looked(0, f"given up after {item.attempts} tries; the last: {error}")
    return Looked(sent.count, sent.why)


def _replay(item: DueItem, services: Services) -> audit.Outcome | Looked:
    """Do one step of the repository's replay: read a page of its list, or audit one of it."""
    reached = _reached(item, services)
    if not isinstance(reached, int):
        return reached
    repository_id = item.repository_id or 0
    running = services.store.replays.running(repository_id)
    if running is None:
        return audit.NothingToDo("its replay is over")
    github = services.github(reached, repository_id, background=True)
    try:
        means = Means(
            replay=running,
            how=services.how,
            kept=services.kept_pulls,
            github=github,
            store=services.store,
            now=services.clock(),
        )
        if item.pull_request is None:
            return _listed(list_page(means), services)
        return _replayed(means, item.pull_request, reached)
    finally:
        if github.headroom is not None:
            services.pace.note(reached, github.headroom)
        github.close()


def _listed(page: Listed, services: Services) -> audit.Outcome | Looked:
    if not page.is_last:
        return audit.Later(at=services.clock(), why="there are more to list", counts=False)
    return Looked(1, "all that belongs to the replay is listed")


def _replayed(means: Means, number: int, installation_id: int) -> audit.Outcome | Looked:
    found = means.store.replays.pull(means.replay.id, number)
    if found is None:
        return audit.NothingToDo("it is no part of the replay, or done")
    ref = audit.Ref(
        installation_id=installation_id,
        repository_id=means.replay.repository_id,
        number=number,
        background=True,
    )
    done = audit_again(means, found, ref)
    if isinstance(done, Again):
        return Looked(1, done.why or "audited again")
    return done


def _pull_sessions(item: DueItem, services: Services) -> audit.Outcome | Looked:
    del item
    try:
        pulled = services.pull_sessions()
    except ComplianceError as error:
        return audit.Later(at=services.clock(), why=str(error), counts=True)
    if pulled is None:
        return audit.NothingToDo("no key of the Compliance API is set")
    if not pulled.is_whole:
        return audit.Later(at=services.clock(), why="more sessions to pull", counts=False)
    return Looked(pulled.edits, f"{pulled.edits} edits of {pulled.agent_sessions} sessions")


def _fetch_teams(item: DueItem, services: Services) -> audit.Outcome | Looked:
    reached = _reached(item, services)
    if not isinstance(reached, int):
        return reached
    installation = services.store.installations.installation(reached)
    if installation is None:
        return audit.NothingToDo(f"installation {reached} is not known")
    fetched = services.fetch_teams(installation)
    return Looked(fetched.people, str(fetched))


KINDS: dict[str, Callable[[DueItem, Services], audit.Outcome | Looked]] = {
    Kind.AUDIT: _audit,
    Kind.FINALIZE: _audit,
    AUDIT_AGAIN: _audit,
    Kind.COMMAND: _command,
    Kind.OUTCOMES: _outcomes,
    Kind.RECONCILE: _reconcile,
    Kind.SWEEP: _sweep,
    Kind.ROLL_CALL: _call_roll,
    Kind.WEEKLY_SUMMARY: _send_letter,
    Kind.REPLAY: _replay,
    Kind.COMPLIANCE: _pull_sessions,
    Kind.TEAMS: _fetch_teams,
}
"""Kinds of items that this version knows how to do."""


def _reached(item: DueItem, services: Services) -> int | audit.Gone | audit.Later:
    """Return the installation that reaches the repository now, or why none may be used.

    A repository can have moved to another one since the item was wished.
    """
    known = services.store.installations
    repository = known.repository(item.repository_id or 0)
    installation_id = (repository and repository.installation_id) or item.installation_id
    if installation_id is None:
        return audit.Gone("no installation of the app reaches the repository", Why.REMOVED)
    installation = known.installation(installation_id)
    if installation is not None and not installation.is_active:
        why = Why.UNINSTALLED if installation.removed_at else Why.SUSPENDED
        return audit.Gone(f"installation {installation_id}: {why}", why)
    ready_at = services.pace.ready_at(installation_id, background=item.lane is Lane.REPLAY)
    if ready_at is not None:
        return audit.Later(at=ready_at, why="GitHub wants quiet", counts=False)
    return installation_id


# --- the lease ----------------------------------------------------------------------------------


@contextmanager
def _held(item: DueItem, due: DueTable, clock: Clock) -> Iterator[None]:
    """Renew the item's lease from a thread for as long as the work lasts."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(HEARTBEAT):
            try:
                if not due.extend(item, clock(), LEASE):
                    log.warning("lease_lost", item=item.name)
                    return
            except StoreError as error:
                log.warning("lease_not_renewed", item=item.name, problem=str(error))

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# --- settling -----------------------------------------------------------------------------------


def _settle(item: DueItem, outcome: audit.Outcome | Looked, services: Services) -> None:
    """Write an outcome into the due table; each kind of outcome has its own way there."""
    due, now = services.store.due, services.clock()
    log.info("item_settled", outcome=type(outcome).__name__, why=_why(outcome))
    match outcome:
        case audit.Later(counts=True):
            _failed(item, outcome.why, due, now)
        case audit.Later():
            if outcome.whole_installation:
                _park(item, outcome, services)
            due.later(item, outcome.at, outcome.why)
        case audit.Gone():
            _note_gone(item, outcome, services)
            due.finish(item, DueOutcome.GONE, outcome.why, now=now)
        case Looked():
            end = DueOutcome.DONE if outcome.found else DueOutcome.NOTHING_TO_DO
            due.finish(item, end, outcome.why, now=now)
        case _:
            due.finish(item, ENDS[type(outcome)], _why(outcome), now=now)


def _park(item: DueItem, limit: audit.Later, services: Services) -> None:
    """Let nobody use the installation: the database holds it, Redis tells running workers."""
    if item.installation_id is not None:
        services.store.installations.park(item.installation_id, limit.at, limit.why)
        services.pace.park(item.installation_id, limit.at)


def _note_gone(item: DueItem, gone: audit.Gone, services: Services) -> None:
    """Remember what GitHub said where its event was missed, so that nobody asks again."""
    known, now = services.store.installations, services.clock()
    if gone.reason is Why.SUSPENDED and item.installation_id is not None:
        known.suspended(item.installation_id, now=now)
    elif gone.reason is Why.UNINSTALLED and item.installation_id is not None:
        known.removed(item.installation_id, now=now)
    elif gone.reason is Why.REMOVED and item.repository_id is not None:
        known.repositories_removed((item.repository_id,), now=now)


ENDS: dict[type[audit.Outcome], DueOutcome] = {
    audit.Done: DueOutcome.DONE,
    audit.Partial: DueOutcome.PARTIAL,
    audit.NothingToDo: DueOutcome.NOTHING_TO_DO,
    audit.Refused: DueOutcome.REFUSED,
}


def _why(outcome: audit.Outcome | Looked) -> str | None:
    match outcome:
        case audit.Done():
            written = [one.name for one in outcome.published if one.outcome is Wrote.WRITTEN]
            return f"written: {', '.join(written)}" if written else NOTHING_WRITTEN
        case audit.Partial():
            return "; ".join(outcome.missing)
        case _:
            return outcome.why


def _kills_workers(item: DueItem) -> bool:
    """Say whether every try is used up: a try that fails ends by `_failed`, so the last did not."""
    return item.attempts > MOST_TRIES and item.kind not in RECURRING


def _failed(item: DueItem, why: str, due: DueTable, now: datetime) -> None:
    """Put a failed item back for a growing time, or set it aside after its last try."""
    if item.attempts >= MOST_TRIES and item.kind not in RECURRING:
        due.park(item, f"given up after {item.attempts} tries; the last: {why}")
        return
    wait = min(FIRST_WAIT * 2 ** min(item.attempts - 1, MOST_TRIES), LONGEST_WAIT)
    due.failed(item, now + wait, why)
