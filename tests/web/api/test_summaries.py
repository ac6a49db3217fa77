"""Counts, lists and files to take away: over what the person may read and nothing else."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ghapp.attribution.model import AuditTotals
from ghapp.store import MachineReport
from ghapp.summaries.counts import PullFacts
from tests.store.records import NOW, document
from tests.web.api.test_api import pages
from tests.web.place import Place

REPOSITORY = "/api/repositories/acme/app"


def saved(place: Place, name: str, number: int, days: int, about: PullFacts) -> None:
    """Save an audit of a pull request that merged so many days ago."""
    repository = place.repositories[name]
    body = document(
        NOW - timedelta(days=days),
        repository=f"acme/{name}",
        pull_request=number,
        totals=AuditTotals(
            added=9,
            effective=8,
            attributed=4,
            share=0.5,
            by_reason={},
            by_agent={"claude-code": 4},
        ),
    )
    place.store.audits.save(repository.id, number, body, now=NOW, about=about)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("summaries"), GHAPP_NAMES="people")
    for number in range(20, 27):
        title = "=HYPERLINK(1)" if number == 20 else f"Change {number}"
        about = PullFacts(title=title, author=f"dev{number}", author_id=number, base_ref="main")
        saved(made, "app", number, number - 19, about)
    saved(made, "secret", 1, 1, PullFacts(title="Secret", author="dev20", author_id=20))
    yield made
    made.close()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


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


def test_export_all_users(place: Place) -> None:
    answer = place.signed_in("admin").get("/api/organizations/acme/users.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="users.csv"'
    rows = {one["User"]: one for one in table(answer.text)}
    assert rows["dev20"] == {
        "User": "dev20",
        "PRs with CC": "2",
        "PRs": "2",
        "Lines of code with CC": "8",
        "Lines of code": "16",
    }
    assert table(place.signed_in("member").get("/api/organizations/acme/users.csv").text)
    codex = place.signed_in("admin").get("/api/organizations/acme/users.csv?agent=codex").text
    assert {one["PRs with Codex"] for one in table(codex)} == {"0"}


def test_where_teams_are_named_no_person_is(tmp_path: Any) -> None:
    place = Place(tmp_path)
    saved(place, "app", 20, 1, PullFacts(title="A change", author="dev20", author_id=20))
    admin = place.sign_in("admin")
    answer = admin.get("/api/organizations/acme/users.csv")
    assert answer.text.startswith("Team,PRs with CC")
    assert "dev20" not in answer.text
    assert "dev20" not in admin.get(f"{REPOSITORY}/pulls.csv").text
    assert admin.get(f"{REPOSITORY}/pulls?author=dev20").status_code == 403
    assert admin.get(f"{REPOSITORY}/pulls.csv?author=dev20").status_code == 403
    place.close()


def test_pull_requests_as_csv_and_json_lines(place: Place) -> None:
    reader = place.signed_in("reader")
    rows = table(reader.get(f"{REPOSITORY}/pulls.csv").text)
    assert [one["pull_request"] for one in rows] == ["17", *map(str, range(20, 27))]
    assert rows[1]["title"] == "'=HYPERLINK(1)"
    assert rows[1]["agents"] == "claude-code=4"
    lines = reader.get(f"{REPOSITORY}/pulls.jsonl").data.splitlines()
    assert [msgspec.json.decode(one)["pull_request"] for one in lines] == [17, *range(20, 27)]


def test_documents_byte_for_byte(place: Place) -> None:
    lines = place.signed_in("reader").get(f"{REPOSITORY}/documents.jsonl").data.splitlines()
    app = place.repositories["app"].id
    latest = place.store.audits.latest(app, 17)
    assert latest is not None
    assert lines[0] == place.store.audits.document(latest.id)
    assert len(lines) == 8


def test_an_export_is_logged_before_it_is_sent(place: Place) -> None:
    place.signed_in("reader").get(f"{REPOSITORY}/pulls.csv")
    (last,) = place.store.access_log.of(place.repositories["app"].id, limit=1)
    assert (last.who, last.what, last.detail) == ("login:reader", "export", "pull requests")
