"""Files to take away: over what the person may read and nothing else."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from ghapp.summaries.counts import PullFacts
from ghapp.web.api import exports
from ghapp.web.api.exports import OWN_COLUMNS, user_columns
from tests.web.api.audited import saved, with_pulls
from tests.web.place import Place

REPOSITORY = "/api/repositories/acme/app"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = with_pulls(tmp_path_factory.mktemp("pulls"))
    yield made
    made.close()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


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
        **dict.fromkeys(OWN_COLUMNS, ""),
        "PRs without evidence": "0",
    }
    assert table(place.signed_in("member").get("/api/organizations/acme/users.csv").text)
    codex = place.signed_in("admin").get("/api/organizations/acme/users.csv?counting=codex").text
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


def test_models_as_csv_leave_the_cell_of_an_unknown_one_empty(place: Place) -> None:
    [row] = table(place.signed_in("reader").get(f"{REPOSITORY}/models.csv").text)
    assert row == {"agent": "claude-code", "model": "", "pull_requests": "7", "attributed": "28"}
    whole = place.signed_in("admin").get("/api/organizations/acme/summary").json
    assert whole is not None
    assert {one["model"] for one in whole["models"]} == {None}


def test_documents_byte_for_byte(place: Place) -> None:
    lines = place.signed_in("reader").get(f"{REPOSITORY}/documents.jsonl").data.splitlines()
    app = place.repositories["app"].id
    latest = place.store.audits.latest(app, 17)
    assert latest is not None
    assert lines[0] == place.store.audits.document(latest.id)
    assert len(lines) == 8


@pytest.mark.parametrize(
    ("agent", "is_team", "heads"),
    [
        ("claude-code", False, ("User", "PRs with CC", "Lines of code with CC")),
        (None, True, ("Team", "PRs with agents", "Lines of code with agents")),
        ("codex", False, ("User", "PRs with Codex", "Lines of code with Codex")),
        ("own", False, ("User", "PRs with own", "Lines of code with own")),
    ],
)
def test_the_columns_are_in_the_words_of_the_native_dashboard(
    agent: str | None, heads: tuple[str, ...], *, is_team: bool
) -> None:
    found = user_columns(agent, is_team=is_team)
    assert (found[0], found[1], found[3]) == heads
    assert (found[2], found[4]) == ("PRs", "Lines of code")


def test_a_long_list_is_read_in_parts_and_whole(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = place.signed_in("reader")
    addresses = [f"{REPOSITORY}/{name}" for name in ("pulls.csv", "pulls.jsonl", "documents.jsonl")]
    whole = [reader.get(address).data for address in addresses]
    monkeypatch.setattr(exports, "ROWS", 3)
    assert [reader.get(address).data for address in addresses] == whole


def test_an_export_is_logged_before_it_is_sent(place: Place) -> None:
    place.signed_in("reader").get(f"{REPOSITORY}/documents.jsonl")
    (last,) = place.store.access_log.of(place.repositories["app"].id, limit=1)
    assert (last.who, last.what, last.detail) == ("login:reader", "export", "documents")
