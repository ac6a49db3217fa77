"""What an operator does by hand, on a real database."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete

from ghapp.cli.admin import command
from ghapp.store import (
    AccessDoor,
    AccessEntry,
    Installation,
    Repository,
    SignedIn,
    Store,
    TokenKind,
    WorkRequest,
)
from ghapp.store.schema import tally
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.summaries.counts import PullCounts
from ghapp.summaries.selection import PersonNaming, PullSelection
from tests.databases import make_sqlite
from tests.store.records import document

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the settings of an app whose tables are there, and empty."""
    url = make_sqlite(f"sqlite:///{tmp_path}/a.db")
    return {"GHAPP_DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": url}


def run(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, arguments, env=environment)
    return done.exit_code, done.output


def dead_letter(environment: dict[str, str], number: int) -> int:
    with Store.open(environment["DATABASE_URL"]) as store:
        request = WorkRequest(kind="audit", due_at=NOW, repository_id=42, pull_request=number)
        store.work.enqueue(request, now=NOW)
        (item,) = store.work.overdue(NOW)
        leased = store.work.lease(item.id, NOW, "test", timedelta(seconds=30))
        assert leased is not None
        store.work.give_up(leased, "given up")
        return item.id


def test_a_dead_letter_is_listed_and_tried_again(environment: dict[str, str]) -> None:
    number = dead_letter(environment, 17)
    assert "audit:42:17" in run(environment, "stuck")[1]
    assert run(environment, "drain", "--seconds", "0")[0] == 0
    assert run(environment, "retry", str(number)) == (0, "1 work item(s) due again\n")
    assert run(environment, "retry", str(number))[0] == 1
    assert run(environment, "drain", "--seconds", "0")[0] == 1
    assert run(environment, "retry")[0] == 2


def test_who_looked_is_listed(environment: dict[str, str]) -> None:
    with Store.open(environment["DATABASE_URL"]) as store:
        seen = Repository(id=42, owner="acme", name="shop")
        store.installations.repository_seen(seen, now=NOW)
        looked = {
            "who": "login:ann\n",
            "door": AccessDoor.PAGE,
            "what": "audit",
            "pull_request": 17,
        }
        store.access_log.note(AccessEntry(repository_id=42, **looked), now=NOW)  # type: ignore[arg-type]
        store.access_log.note(AccessEntry(repository_id=43, **looked), now=NOW)  # type: ignore[arg-type]
    status, told = run(environment, "access-log", "acme/shop")
    line = "2026-05-20T12:00:00+00:00\tlogin:ann\\u000a\tpage\taudit\t#17\t-\n"
    assert (status, told) == (0, line)
    assert run(environment, "access-log")[1] == line * 2
    assert run(environment, "access-log", "acme/none")[0] == 2


def test_a_read_token_is_made_for_who_has_signed_in(environment: dict[str, str]) -> None:
    code, said = run(environment, "token", "ann")
    assert code == 1
    assert "never signed in" in said
    with Store.open(environment["DATABASE_URL"]) as store:
        person = SignedIn(id=7, login="Ann", sealed=b"sealed")
        store.logins.begin(person, "cookie", NOW + timedelta(days=1), now=NOW)
        store.installations.seen(Installation(id=5, account="acme"), now=NOW)
        assert run(environment, "token", "ann", "--organization", "nobody")[0] == 1
        code, secret = run(environment, "token", "ann", "--organization", "Acme")
        assert code == 0
        now = datetime.now(UTC)
        token = store.tokens.check(secret.strip(), TokenKind.READ, now=now)
        assert token is not None
        assert (token.user_id, token.installations, token.is_valid(now)) == (7, (5,), True)


def test_summaries_are_made_again_from_the_documents(environment: dict[str, str]) -> None:
    with Store.open(environment["DATABASE_URL"]) as store:
        store.installations.repository_seen(Repository(id=42, owner="acme", name="app"), now=NOW)
        store.audits.save(42, 17, document(), now=NOW)
        summaries, ours = SummaryQuestions(store.database, PersonNaming()), PullSelection((42,))
        before = summaries.totals(ours)
        with store.database.write() as connection:
            connection.execute(delete(tally))
        assert summaries.totals(ours) == PullCounts()
        assert run(environment, "rebuild-summaries") == (0, "repository 42: 1 pull requests\n")
        assert summaries.totals(ours) == before
    assert run(environment, "rebuild-summaries", "acme/app")[0] == 0
    assert "does not know the repository" in run(environment, "rebuild-summaries", "acme/other")[1]


def test_a_key_goes_into_a_file_of_its_own(environment: dict[str, str], tmp_path: Path) -> None:
    with Store.open(environment["DATABASE_URL"]) as store:
        store.installations.seen(Installation(id=7, account="acme"), now=NOW)
        app = Repository(id=42, owner="acme", name="app", installation_id=7)
        store.installations.repository_seen(app, now=NOW)
    others, target = tmp_path / "others", tmp_path / "key"
    others.write_text("theirs")
    target.symlink_to(others)
    environment = {
        **environment,
        "GHAPP_ENCRYPTION_KEY": base64.b64encode(bytes(range(32))).decode(),
    }
    status, said = run(environment, "fingerprint-key", "acme/app", "--output", str(target))
    assert status == 0, said
    assert others.read_text() == "theirs"
    assert not target.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600
