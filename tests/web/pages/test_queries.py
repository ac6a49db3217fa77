"""A page asks the database as often for many of anything as for few."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from ghapp.attribution.model import AuditInputs, AuditTotals, FileVerdict
from ghapp.auditing.replay_over_github import start
from ghapp.store import Publication, ReplayRequest, Repository
from ghapp.summaries.counts import PullFacts, PullOutcome
from tests.store.records import document, edit
from tests.web.conftest import NOW
from tests.web.place import Place

FEW, MANY = 4, 16
APP, ACME = "/repositories/acme/app", "/organizations/acme"
PAGES = (
    "/",
    ACME,
    f"{ACME}/pulls",
    f"{ACME}/outcomes",
    f"{ACME}/changes",
    f"{ACME}/unknown",
    f"{ACME}/agents",
    f"{ACME}/board?quarter=2026-Q2",
    APP,
    f"{APP}/pulls",
    f"{APP}/outcomes",
    f"{APP}/pull/1",
    f"{APP}/replays",
    f"{APP}/pull/1/file?path=part1/a.py",
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return an app of which each test makes more."""
    made = Place(tmp_path)
    yield made
    made.close()


def grow(place: Place, numbers: range) -> None:
    """Add a repository for each number, a pull request there and in acme/app, and an audit."""
    known = place.store.installations.find("acme/app")
    assert known is not None
    app = known.id
    for number in numbers:
        hub = place.sandbox.add_repository("acme", f"r{number}")
        place.sandbox.allow(hub, "admin", "admin")
        seen = Repository(
            id=hub.id, owner="acme", name=f"r{number}", installation_id=place.installed.id
        )
        place.store.installations.repository_seen(seen, now=NOW)
        for repository_id in (app, hub.id):
            merge(place, repository_id, number, now=NOW)
        wanted = ReplayRequest(repository_id=app, as_of=NOW, asked_by="login:admin")
        begun = start(place.store, known, wanted, now=NOW)
        place.store.replays.cancel(begun.id, now=NOW)
        # The same pull request is audited once more, and what is said of it is kept.
        merge(place, app, 1, now=NOW + timedelta(minutes=number), evidence=f"sha256:{number}")


def merge(place: Place, repository_id: int, number: int, **audit: Any) -> None:
    """Keep everything that there can be of a pull request, with as many files as its number."""
    store, login, now = place.store, f"dev{number}", audit["now"]
    files = tuple(
        FileVerdict(f"part{one}/a.py", None, 9, 8, 2, None, ()) for one in range(number + 2)
    )
    totals = AuditTotals(
        added=9 * len(files),
        effective=8 * len(files),
        attributed=2 * len(files),
        share=0.25,
        by_reason={"run": 2 * len(files)},
        by_agent={f"agent{number}": 2 * len(files)},
    )
    digest = audit.get("evidence", "sha256:e")
    inputs = AuditInputs(diff="sha256:d", evidence=digest, edits_considered=2, change_complete=True)
    made = document(
        NOW - timedelta(days=number), pull_request=number, files=files, totals=totals, inputs=inputs
    )
    about = PullFacts(title=f"Change {number}", author=login, author_id=number)
    saved = store.audits.save(repository_id, number, made, now=now, about=about)
    told = Publication(publisher="check_run", outcome="written", asked_at=now)
    store.publications.record(saved, told)
    sent = edit(f"{repository_id}-{number}", at=NOW - timedelta(days=number), actor=login)
    store.evidence.add(repository_id, [sent], now=NOW)
    outcome = PullOutcome(
        collected_at=NOW,
        first_commit_at=NOW - timedelta(days=number),
        opened_at=NOW,
        first_review_at=None,
        review_rounds=0,
        review_comments=number,
        changed_lines=9,
        attributed_lines=2,
        other_lines=6,
    )
    store.outcomes.keep(repository_id, number, outcome)


@contextmanager
def statements(place: Place) -> Iterator[list[str]]:
    """Yield the statements that the database is asked meanwhile."""
    heard: list[str] = []

    def hear(*asked: Any) -> None:
        heard.append(asked[2])

    engine = place.store.database.engine
    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(engine, "before_cursor_execute", hear)


def asked_by_page(place: Place, browser: FlaskClient) -> dict[str, int]:
    """Return how many statements each page takes."""
    found = {}
    for page in PAGES:
        with statements(place) as heard:
            answer = browser.get(page)
        assert answer.status_code == 200, answer.text
        found[page] = len(heard)
    return found


def test_no_page_asks_more_often_where_there_is_more(place: Place) -> None:
    browser = place.signed_in("admin")
    grow(place, range(1, FEW + 1))
    few = asked_by_page(place, browser)
    grow(place, range(FEW + 1, MANY + 1))
    many = asked_by_page(place, browser)
    # Fewer is possible: repositories that are counted together are not asked by themselves.
    assert {page: count for page, count in many.items() if count > few[page]} == {}
