"""The sentences beside a share: whose machine reported, what was erased, and when none stands."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from msgspec.structs import replace

from ghapp.attribution.model import Verdict
from ghapp.bootstrap import Services
from ghapp.reports.coverage import erased, of_author, of_authors
from ghapp.store import AuthorsHeard, ErasedBy, ErasureScope, SavedAudit
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.selection import PullSelection
from ghapp.web.current import attach
from ghapp.web.pages.beside import beside_pull, beside_pulls
from tests.store.records import document, edit
from tests.web.conftest import NOW


def heard(pulls: int, without: int) -> AuthorsHeard:
    return AuthorsHeard(pulls=pulls, without=without, no_evidence=0, neither=0)


LATER = NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def _answering(services: Services) -> Iterator[None]:
    app = Flask("beside")
    attach(app, services)
    with app.app_context():
        yield


def saved(services: Services, number: int, author: str | None) -> SavedAudit:
    body = document(NOW, pull_request=number)
    about = PullFacts(author=author, author_id=None if author is None else number)
    return services.store.audits.save(42, number, body, now=NOW, about=about)


def test_beside_one_share_stands_what_its_author_sent_and_what_was_erased(
    services: Services,
) -> None:
    audit = saved(services, 17, "ann")
    assert list(beside_pull(audit)) == [of_author("nothing")]
    services.store.evidence.add(42, [edit("a", at=NOW, actor="ann")], now=NOW)
    assert list(beside_pull(audit)) == [of_author("evidence")]
    services.store.evidence.erase(ErasureScope(login="ann"), ErasedBy.DEVELOPER, now=LATER)
    assert list(beside_pull(audit))[1:] == [erased(1, LATER.date().isoformat())]


def test_without_a_known_author_nothing_is_said(services: Services) -> None:
    assert list(beside_pull(saved(services, 17, None))) == []
    assert beside_pulls(PullSelection(repository_ids=(42,))) is None
    assert beside_pulls(PullSelection(repository_ids=())) is None


def test_beside_many_shares_every_filter_counts(services: Services) -> None:
    saved(services, 17, "ann")
    saved(services, 18, "bob")
    services.store.evidence.add(42, [edit("a", at=NOW, actor="ann")], now=NOW)
    today = NOW.date()
    ours = PullSelection(repository_ids=(42,))
    assert beside_pulls(ours) == of_authors(heard(pulls=2, without=1))
    one_day = replace(ours, since=today, until=today)
    assert beside_pulls(one_day) == of_authors(heard(pulls=2, without=1))
    for filters in ({"verdict": Verdict.NO_EVIDENCE}, {"path": "docs"}, {"share_to": 0.0}):
        assert beside_pulls(replace(ours, **filters)) is None
    before = PullSelection(repository_ids=(42,), until=today - timedelta(days=1))
    assert beside_pulls(before) is None
