"""The outcome of a merged pull request, from the webhook to the page, over months.

Here the app is in one process, so that its time can be moved on.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ghapp.attribution.model import AuditState
from ghapp.demo.sandbox import HubPull
from ghapp.store import Store, WorkEnd, WorkItem, WorkKind, WorkState
from ghapp.summaries.counts import PullOutcome
from ghapp.upkeep.outcomes import A_MINUTE
from ghapp.web.app import create_app
from tests.faults.place import WRITTEN, Place, running_place
from tests.web.pages.reading import Read
from tests.web.place import sign_in

DAY = timedelta(days=1)
REVIEW = "Opening to first review, median"
MERGE = "First commit to merge, median"
AFTER_30, AFTER_90 = (f"Lines still there after {days} days" for days in (30, 90))


@pytest.fixture
def months(tmp_path: Path, sqlite_store: Store, redis_url: str) -> Iterator[Place]:
    """Return a place whose clock the test advances by months."""
    with running_place(tmp_path / "place", sqlite_store, redis_url) as made:
        yield made


def shown(place: Place) -> dict[str, list[str]]:
    """Return the page's figures of assisted pull requests: value and what it rests on.

    Who reads it signs in anew: a month is longer than a login.
    """
    place.sandbox.allow(place.repository, "reader", "read")
    browser = create_app(place.services).test_client()
    sign_in(place.sandbox, browser, "reader")
    answer = browser.get("/repositories/acme/app/outcomes")
    assert answer.status_code == 200, answer.text
    tables = Read(answer.text).labelled("Group", "Value", "Based on")
    return {name: rows[0][1:] for name, rows in tables.items()}


def looks(place: Place, pull: HubPull) -> list[WorkItem]:
    """Return the outcome items; collecting again later is the same item."""
    items = place.store.work.of(place.repository.id, pull.number)
    return [item for item in items if item.kind == WorkKind.OUTCOMES]


def next_look(place: Place, pull: HubPull) -> datetime:
    """Return when the outcome is collected again; its attempts start at zero."""
    (item,) = looks(place, pull)
    assert (item.state, item.attempts, item.outcome) == (WorkState.WAITING, 0, None)
    return item.due_at


def known(place: Place, pull: HubPull) -> PullOutcome:
    found = place.store.outcomes.of(place.repository.id, pull.number)
    assert found is not None
    return found


def test_outcomes_are_told_at_the_final_audit_and_after_30_and_90_days(months: Place) -> None:
    place, sandbox = months, months.sandbox
    place.agent_wrote()
    pull = sandbox.open_pull(place.repository, files={"src/m0.py": "\n".join(WRITTEN) + "\n"})
    place.clock.sleep(3600)
    sandbox.add_review(pull, "other")
    place.clock.sleep(3600)
    sandbox.merge(pull, method="squash")
    sandbox.deliver_closed(pull)
    merged_at = place.clock()
    place.work()
    audit = place.store.audits.latest(place.repository.id, pull.number)
    assert audit is not None
    assert (audit.state, audit.attributed) == (AuditState.PROVISIONAL, 5)
    assert looks(place, pull) == []

    place.work(5 * DAY)
    final = place.store.audits.latest(place.repository.id, pull.number)
    assert final is not None
    assert final.state is AuditState.FINAL
    month = next_look(place, pull)
    assert month == merged_at + 30 * DAY + A_MINUTE
    figures = shown(place)
    assert (figures[REVIEW], figures[MERGE][1]) == (["1 h", "1"], "1")
    assert figures[AFTER_30] == ["-", "0"]

    fixed = "\n".join(WRITTEN).replace("defaultdict(Decimal)", "Counter()") + "\n"
    change = {"src/m0.py": fixed}
    sandbox.commit(place.repository, change, message="Fix totals", at=merged_at + 20 * DAY)
    sandbox.commit(place.repository, {"src/m0.py": None}, at=merged_at + 60 * DAY)
    place.work(month - place.clock())
    quarter = next_look(place, pull)
    assert quarter == merged_at + 90 * DAY + A_MINUTE
    figures = shown(place)
    assert (figures[AFTER_30], figures[AFTER_90]) == (["80%", "5"], ["-", "0"])
    assert figures["Followed by a fix-up within 30 days"][0].startswith("100%")

    place.work(quarter - place.clock())
    assert [item.outcome for item in looks(place, pull)] == [WorkEnd.DONE]
    figures = shown(place)
    assert (figures[AFTER_30], figures[AFTER_90]) == (["80%", "5"], ["0%", "5"])
    assert known(place, pull).collected_at == quarter
    # Another final audit does not enqueue a fourth collection.
    place.again(pull)
    assert [item.outcome for item in looks(place, pull)] == [WorkEnd.DONE]
    place.expect_good_manners()
