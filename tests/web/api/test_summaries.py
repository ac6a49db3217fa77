"""Counts, lists and files to take away: over what the person may read and nothing else."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ghapp.store import MachineReport
from tests.store.records import NOW
from tests.web.api.audited import pages, with_pulls
from tests.web.place import Place

REPOSITORY = "/api/repositories/acme/app"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = with_pulls(tmp_path_factory.mktemp("pulls"))
    yield made
    made.close()


def test_a_repositorys_counts(place: Place) -> None:
    counted = place.signed_in("reader").get(f"{REPOSITORY}/summary?grain=month").json
    assert counted is not None
    # Seven of this module, and the one that stands in every place.
    assert (counted["totals"]["pulls"], counted["totals"]["attributed"]) == (8, 30)
    assert [one["agent"] for one in counted["agents"]][:1] == ["claude-code"]


def test_an_organizations_counts_hold_only_what_the_person_reads(place: Place) -> None:
    pulls = {}
    for who in ("member", "admin"):
        counted = place.signed_in(who).get("/api/organizations/acme/summary").json
        assert counted is not None
        pulls[who] = counted["totals"]["pulls"]
    assert pulls == {"member": 8, "admin": 9}


def test_the_list_page_by_page(place: Place) -> None:
    found = pages(place.signed_in("reader"), f"{REPOSITORY}/pulls?limit=3&sort=merged")
    assert [one["pull_request"] for one in found] == [17, *range(20, 27)]
    assert found[1]["title"] == "=HYPERLINK(1)"


def test_filters_choose(place: Place) -> None:
    reader = place.signed_in("reader")
    span = f"since={(NOW - timedelta(days=3)).date()}&until={(NOW - timedelta(days=2)).date()}"
    found = pages(reader, f"{REPOSITORY}/pulls?{span}&verdict=assisted&share_from=0.5")
    assert [one["pull_request"] for one in found] == [21, 22]


@pytest.mark.parametrize(
    "query", ["since=tomorrow", "grain=year", "verdict=good", "share_from=2", "after=x", "sort=up"]
)
def test_what_cannot_be_meant_is_refused(place: Place, query: str) -> None:
    path = "summary" if query.startswith("grain") else "pulls"
    answer = place.signed_in("reader").get(f"{REPOSITORY}/{path}?{query}")
    assert answer.status_code == 400


def test_coverage_says_how_many_and_of_few_no_more(place: Place) -> None:
    app = place.repositories["app"].id
    for week, people in ((1, 5), (2, 4)):
        reports = [
            MachineReport(
                installation_id=place.installed.id,
                user_id=number,
                login=f"dev{number}",
                machine=f"{number:032x}",
                client="ghapp/1",
                edits=3,
                repository_id=app,
            )
            for number in range(people)
        ]
        place.store.coverage.note(reports, now=NOW - timedelta(days=7 * week))
    weeks = place.signed_in("reader").get(f"{REPOSITORY}/coverage").json
    assert weeks == [
        {"week": "2026-05-04", "developers": 4, "machines": 4, "edits": None},
        {"week": "2026-05-11", "developers": 5, "machines": 5, "edits": 15},
    ]


def test_an_export_is_logged_before_it_is_sent(place: Place) -> None:
    place.signed_in("reader").get(f"{REPOSITORY}/pulls.csv")
    (last,) = place.store.access_log.of(place.repositories["app"].id, limit=1)
    assert (last.who, last.what, last.detail) == ("login:reader", "export", "pull requests")
