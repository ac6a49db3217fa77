"""Each cause of docs/state-machine.md, played: what passes by itself comes back by itself.

It lasts 30 minutes, 3 hours or 10 days, and meets a merge and the end of another's window. The
time is set by hand. A plain run plays each cause for one of these times and some for all of them,
the nightly run each for all.
"""

import errno
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import redis

from ghapp.demo.sandbox import Fault, FaultKind, HubPull
from ghapp.jobs.perform import MOST_TRIES
from ghapp.store import AuditTable, DatabaseUnavailable, WorkEnd, WorkState
from tests.cases import TOP
from tests.faults.place import START, WRITTEN, Place
from tests.searching import FACTOR

SPANS = (timedelta(minutes=30), timedelta(hours=3), timedelta(days=10))
AT_ALL_SPANS = {"server_error", "rate_limit", "permission_missing"}
"""One cause for each way to wait: by doubling pauses, until GitHub's time, for a person."""
WINDOW = timedelta(days=2)
PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
FILES = f"{PULL}/files"
TOKENS = "/app/installations/{installation_id}/access_tokens"
COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
IP_LIST = (
    "Although you appear to have the correct authorization credentials, the `acme` organization "
    "has an IP allow list enabled, and your IP address is not permitted to access this resource."
)
PAGE = "<html><body>Access Denied: this site is blocked by policy.</body></html>"
ROWS = re.compile(r"^\| ((?:`[a-z_]+`(?:, )?)+) \| [^|]+ \| ([^|]+) \|", re.MULTILINE)

Trouble = AbstractContextManager[object]


def spans_of(causes: Iterable[str]) -> list[tuple[str, timedelta]]:
    """Pair causes with how long they last: in a plain run most of them once, in turn."""
    return [
        (cause, span)
        for number, cause in enumerate(causes)
        for at, span in enumerate(SPANS)
        if FACTOR > 1 or cause in AT_ALL_SPANS or at == number % len(SPANS)
    ]


def documented() -> dict[str, str]:
    """Return each cause of the table and how it ends."""
    text = (TOP / "docs" / "state-machine.md").read_text()
    table = text.partition("## Causes")[2].partition("\n## ")[0]
    return {
        cause: ends.strip()
        for causes, ends in ROWS.findall(table)
        for cause in re.findall(r"`([a-z_]+)`", causes)
    }


def answers(status: int, text: str, route: str = "/repos/*", **more: Any) -> Fault:
    return Fault(FaultKind.ANSWER, route=route, times=None, status=status, text=text, **more)


@contextmanager
def _played(place: Place, *faults: Fault) -> Iterator[None]:
    place.sandbox.play(*faults)
    yield
    place.sandbox.faults.clear()


@contextmanager
def _clock_wrong(place: Place) -> Iterator[None]:
    """Let the app's clock be ahead of GitHub's."""
    auth = place.services.auth
    right = auth.clock
    auth.clock = lambda: right() + timedelta(hours=2)
    yield
    auth.clock = right


@contextmanager
def _raising(place: Place, error: Exception) -> Iterator[None]:
    """Let the store fail whenever an audit is saved."""
    del place
    with pytest.MonkeyPatch.context() as patch:

        def fails(*_: object, **__: object) -> None:
            raise error

        patch.setattr(AuditTable, "save", fails)
        yield


def _faults(*faults: Fault) -> Callable[[Place], Trouble]:
    return lambda place: _played(place, *faults)


PASSING: dict[str, Callable[[Place], Trouble]] = {
    "server_error": _faults(
        Fault(FaultKind.SERVER_ERROR, route="/repos/*", status=503, times=None)
    ),
    "no_answer": _faults(Fault(FaultKind.CUT_OFF_BEFORE, route=PULL, times=None)),
    "proxy_page": _faults(answers(403, PAGE)),
    "rate_limit": _faults(
        Fault(FaultKind.SECONDARY_LIMIT, route=PULL, status=403, times=None, retry_after=600)
    ),
    "token_refused": _faults(Fault(FaultKind.TOKEN_EXPIRED, route="/repos/*", times=None)),
    "key_refused": _clock_wrong,
    "ip_allow_list": _faults(answers(403, IP_LIST)),
    "single_sign_on": _faults(
        answers(
            403,
            "Resource protected by organization SAML enforcement.",
            sign_on="https://github.com/orgs/acme/sso?authorization_request=A1",
        )
    ),
    "not_found": _faults(Fault(FaultKind.NOT_FOUND, route="/repos/*", times=None)),
    "rejected": _faults(answers(422, "Sorry, this diff is taking too long to generate.")),
    "access_blocked": _faults(answers(403, "Repository access blocked")),
    "not_merged_yet": _faults(
        Fault(FaultKind.STALE_READ, route=PULL, times=None, seconds=99 * 86_400)
    ),
    "database_away": partial(_raising, error=DatabaseUnavailable("away")),
    "disk_full": partial(_raising, error=OSError(errno.ENOSPC, "No space left on device")),
    "redis_away": partial(_raising, error=redis.ConnectionError("away")),
}
"""Cause that passes → how to play it."""


def passes(place: Place, duration: timedelta) -> None:
    """Let the app work until the time is over, with its chores."""
    for _ in range(2):
        place.chores(passing=duration / 2)
        place.work(horizon=timedelta(0))


def expect_final(place: Place, pull: HubPull) -> None:
    latest = place.store.audits.latest(place.repository.id, pull.number)
    assert latest is not None
    assert latest.state == "final", latest
    assert "Final" in str(place.sandbox.visible(pull).comments[0].body)


@pytest.mark.parametrize(("cause", "duration"), spans_of(PASSING), ids=str)
def test_what_passes_by_itself_comes_back_by_itself(
    place: Place, cause: str, duration: timedelta
) -> None:
    assert documented()[cause] == "passes"
    place.agent_wrote(at=place.clock() - START - timedelta(hours=1))
    before = place.merged()
    place.sandbox.deliver_closed(before)
    place.work(horizon=timedelta(minutes=5))
    place.expect_finished(before)
    place.clock.now += WINDOW - timedelta(minutes=10)
    place.agent_wrote(at=place.clock() - START - timedelta(hours=1))
    met = place.merged()
    with PASSING[cause](place):
        place.sandbox.deliver_closed(met)
        place.work(horizon=timedelta(seconds=1))
        passes(place, duration)
    # Whatever waited comes back within a day.
    passes(place, timedelta(days=1, hours=2))
    expect_final(place, before)
    place.expect_finished(met)
    passes(place, WINDOW)
    for pull in place.pulls:
        expect_final(place, pull)
    assert place.store.work.dead_letters() == ()


# --- what is final --------------------------------------------------------------------------------


def _suspended(place: Place) -> Callable[[], object]:
    place.sandbox.suspend(place.installation)
    return lambda: place.sandbox.unsuspend(place.installation)


def _uninstalled(place: Place) -> Callable[[], object]:
    place.sandbox.uninstall(place.installation)

    def again() -> None:
        place.installation = place.sandbox.install(place.registered.app, "acme")

    return again


def _removed(place: Place) -> Callable[[], object]:
    place.installation.selection = "selected"
    return lambda: place.installation.repository_ids.add(place.repository.id)


def _archived(place: Place) -> Callable[[], object]:
    place.repository.archived = True
    return lambda: setattr(place.repository, "archived", False)


def _locked(place: Place) -> Callable[[], object]:
    pull = place.pulls[-1]
    pull.locked = True
    return lambda: setattr(pull, "locked", False)


def _full(place: Place) -> Callable[[], object]:
    pull = place.pulls[-1]
    for number in range(2_500):
        place.sandbox.add_comment(pull, "dev", str(number))
    return pull.comments.clear


def _permission_missing(place: Place) -> Callable[[], object]:
    all_of_them = dict(place.installation.permissions)
    del place.installation.permissions["pull_requests"]
    place.services.auth.forget(place.installation.id, place.repository.id)
    return lambda: setattr(place.installation, "permissions", all_of_them)


FINAL: dict[str, Callable[[Place], Callable[[], object]]] = {
    "suspended": _suspended,
    "uninstalled": _uninstalled,
    "removed": _removed,
    "archived": _archived,
    "locked": _locked,
    "full": _full,
    "permission_missing": _permission_missing,
}
"""Final cause → begins it and returns what lifts it. No event tells of either."""
ENDS = {
    "suspended": WorkEnd.GONE,
    "uninstalled": WorkEnd.GONE,
    "removed": WorkEnd.GONE,
    "archived": WorkEnd.PARTIAL,
    "locked": WorkEnd.PARTIAL,
    "full": WorkEnd.PARTIAL,
    "permission_missing": WorkEnd.REFUSED,
}


@pytest.mark.parametrize(("cause", "duration"), spans_of(FINAL), ids=str)
def test_what_ends_an_audit_ends_it_once_and_it_is_back_with_access(
    place: Place, cause: str, duration: timedelta
) -> None:
    assert ENDS[cause].value in documented()[cause]
    place.agent_wrote()
    place.chores()
    place.work()
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    lift = FINAL[cause](place)
    place.work(horizon=timedelta(minutes=5))
    assert place.last(pull).outcome is ENDS[cause]
    passes(place, duration)
    lift()
    passes(place, timedelta(hours=12))
    if cause in {"locked", "full"}:
        place.again(pull)
    place.expect_finished(pull)
    passes(place, timedelta(days=3))
    expect_final(place, pull)
    assert place.store.work.dead_letters() == ()


@pytest.mark.parametrize("duration", SPANS, ids=str)
def test_what_was_closed_is_audited_once_it_is_merged_although_nobody_tells(
    place: Place, duration: timedelta
) -> None:
    assert WorkEnd.NOTHING_TO_DO.value in documented()["not_merged"]
    place.agent_wrote(at=duration + timedelta(minutes=30))
    place.chores()
    place.work()
    pull = place.sandbox.open_pull(
        place.repository, files={"src/m0.py": "\n".join(WRITTEN) + "\n"}, title="Totals"
    )
    place.sandbox.close_pull(pull)
    place.sandbox.deliver_closed(pull)
    place.work()
    assert place.last(pull).outcome is WorkEnd.NOTHING_TO_DO
    passes(place, duration)
    pull.closed_at = None  # somebody opens it again
    place.sandbox.merge(pull)
    passes(place, timedelta(hours=4))
    place.expect_finished(pull)


def test_a_fault_of_ours_and_a_lost_worker_wait_for_a_person() -> None:
    """`tests/jobs/test_perform.py` plays them."""
    ends = documented()
    assert ends["fault_of_ours"] == ends["worker_killed"] == "dead letter"
    assert MOST_TRIES == 8
    assert WorkState.DEAD_LETTER.value == "dead_letter"


def test_the_table_and_the_tests_know_the_same_causes() -> None:
    elsewhere = {"fault_of_ours", "worker_killed"}
    assert documented().keys() == PASSING.keys() | FINAL.keys() | {"not_merged"} | elsewhere
