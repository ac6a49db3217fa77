"""What a question about usage selects: whose it may be, and on which days."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ghapp.store import UsageOrigin
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.web.conftest import NOW
from tests.web.place import Place

ORGANIZATION = "/api/organizations/acme/usage"
REPOSITORY = "/api/repositories/acme/app/usage"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Yield an organization with one agent session in a repository and one that names none."""
    made = Place(tmp_path_factory.mktemp("usage"))
    for repository_id, name in ((made.repositories["app"].id, "placed"), (None, "unplaced")):
        origin = UsageOrigin(
            made.installed.id,
            UsageSource.TRANSCRIPTS,
            UsageIdentity(IdentityKind.ACCOUNT, "11"),
            login="ann",
            repository_id=repository_id,
        )
        row = TokenDay(
            agent="claude-code",
            agent_session=name,
            day=NOW.date() - timedelta(days=1),
            tokens=TokenCounts(output=5),
            answers=1,
        )
        made.store.usage.replace(origin, [row], [], now=NOW)
    made.store.usage.settle()
    yield made
    made.close()


def agent_sessions(place: Place, who: str, path: str, **question: Any) -> int | None:
    answer = place.signed_in(who).get(path, query_string=question)
    assert answer.status_code == 200, answer.text
    found: int | None = answer.json["totals"]["agent_sessions"]
    return found


def test_only_an_owner_reads_usage_that_names_no_repository(place: Place) -> None:
    assert agent_sessions(place, "admin", ORGANIZATION) == 2
    assert agent_sessions(place, "member", ORGANIZATION) == 1


def test_a_repository_has_what_names_it_whoever_asks(place: Place) -> None:
    assert [agent_sessions(place, who, REPOSITORY) for who in ("admin", "member")] == [1, 1]


def test_other_days_have_nothing(place: Place) -> None:
    today = NOW.date().isoformat()
    assert agent_sessions(place, "admin", ORGANIZATION, since=today, until=today) is None
