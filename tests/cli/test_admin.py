"""What an operator does by hand, on a real database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete

from ghapp.cli.admin import command
from ghapp.cli.doctor import command as doctor
from ghapp.demo.sandbox import Fault, FaultKind, Sandbox
from ghapp.github.answers import Headroom
from ghapp.github.app_auth import PERMISSIONS
from ghapp.github.pacing import InstallationPace, WriteAllowance
from ghapp.queue.enqueue import connect
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


def test_the_doctor_says_what_is_well_and_what_is_not(
    environment: dict[str, str], redis_url: str, tmp_path: Path
) -> None:
    with Sandbox(tmp_path / "hub") as sandbox:
        registered = sandbox.register_app(webhook_url="http://127.0.0.1:9/webhooks/github")
        sandbox.install(registered.app, "acme", permissions={"contents": "read"})
        given = {
            **environment,
            "REDIS_URL": redis_url,
            "GITHUB_API_URL": sandbox.api_url,
            "GITHUB_APP_ID": str(registered.app.id),
            "GITHUB_PRIVATE_KEY": registered.private_key,
            "GITHUB_WEBHOOK_SECRETS": registered.app.webhook_secret,
            "GHAPP_PUBLIC_URL": "https://elsewhere.example",
        }
        done = CliRunner().invoke(doctor, [], env=given)
    assert done.exit_code == 1, done.output
    assert "ok    key" in done.output
    assert "ok    clock" in done.output
    assert "WRONG hook address" in done.output
    assert "checks: write" in done.output
    assert "WRONG redis appendonly" in done.output
    assert "ok    hook secret" in done.output
    assert "look  members of acme: not granted" in done.output
    assert "ok    queue: nothing waits" in done.output
    assert "look  enrolling: no GITHUB_CLIENT_ID" in done.output
    assert "compliance" not in done.output


@pytest.mark.parametrize("flow", [True, False], ids=["ticked", "not_ticked"])
def test_the_doctor_asks_all_that_is_set(
    environment: dict[str, str], redis_url: str, tmp_path: Path, *, flow: bool
) -> None:
    late = dead_letter(environment, 17)
    run(environment, "retry", str(late))
    with Store.open(environment["DATABASE_URL"]) as store:
        request = WorkRequest(
            kind="audit", due_at=NOW, installation_id=5, repository_id=42, pull_request=18
        )
        store.work.enqueue(request, now=NOW)
    with Sandbox(tmp_path / "hub") as sandbox:
        registered = sandbox.register_app(webhook_url="https://app.example/webhooks/github")
        registered.app.device_flow = flow
        installed = sandbox.install(registered.app, "acme", permissions=dict(PERMISSIONS))
        shop = sandbox.add_repository("acme", "shop", files={"a.py": "x = 1\n"})
        sandbox.play(Fault(FaultKind.TIMED_OUT, event="repository.archived"))
        sandbox.deliver_repository(shop, "archived", "maintainer")
        now = datetime.now(UTC)
        left = Headroom(limit=5_000, remaining=120, resets_at=now + timedelta(minutes=20))
        InstallationPace(connect(redis_url), WriteAllowance(), lambda: now).note(installed.id, left)
        given = {
            **environment,
            "REDIS_URL": redis_url,
            "GITHUB_API_URL": sandbox.api_url,
            "GITHUB_WEB_URL": sandbox.web_url,
            "GITHUB_APP_ID": str(registered.app.id),
            "GITHUB_CLIENT_ID": registered.app.client_id,
            "GITHUB_PRIVATE_KEY": registered.private_key,
            "GITHUB_WEBHOOK_SECRETS": registered.app.webhook_secret,
            "GHAPP_PUBLIC_URL": "https://app.example",
            "GHAPP_COMPLIANCE_KEY": "sk-ant-nobody",
            "GHAPP_COMPLIANCE_ACCOUNT": "acme",
            "GHAPP_COMPLIANCE_URL": "http://127.0.0.1:9",
        }
        done = CliRunner().invoke(doctor, [], env=given)
    assert done.exit_code == 1, done.output
    assert ("ok    enrolling" in done.output) is flow
    assert ("WRONG enrolling" in done.output) is not flow
    assert "WRONG compliance: GET sessions/local: no answer" in done.output
    assert "ok    hook address" in done.output
    assert "WRONG lane live of installation 5: 1 items, the oldest due since 2026" in done.output
    assert "permissions granted; 120 of 5000 requests left" in done.output
    assert "look  deliveries: 1 of the last 1 failed" in done.output


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


def test_teams_come_from_a_table(environment: dict[str, str], tmp_path: Path) -> None:
    table = tmp_path / "teams.csv"
    table.write_text("person,team,role,start_date\nann,core,lead,2026-01-31\nbob,ops,,\n")
    code, said = run(environment, "teams", "import", "Acme", str(table))
    assert (code, said.splitlines()[0]) == (0, "2 people in 2 teams")
    assert "2 teams have fewer than 5 people" in said
    table.write_text("person,team\nann,core\ncarl,\n")
    code, said = run(environment, "teams", "import", "acme", str(table))
    assert code == 1
    assert "line 3: the person or the team is missing" in said
    listed = run(environment, "teams", "list", "acme")[1].splitlines()
    assert listed == ["csv\tann\tcore\tlead\t2026-01-31", "csv\tbob\tops\t\t"]
    table.write_text("person,team\nann,ops\n")
    run(environment, "teams", "import", "acme", str(table))
    assert run(environment, "teams", "list", "acme")[1] == "csv\tann\tops\t\t\n"


def test_teams_are_fetched_from_github(environment: dict[str, str], tmp_path: Path) -> None:
    with Store.open(environment["DATABASE_URL"]) as store, Sandbox(tmp_path / "hub") as sandbox:
        registered = sandbox.register_app(permissions={"members": "read"})
        sandbox.organization("acme")
        installed = sandbox.install(registered.app, "acme")
        sandbox.set_team("acme", "Web", "ann", "bob")
        store.installations.seen(Installation(id=installed.id, account="acme"), now=NOW)
        given = {
            **environment,
            "GITHUB_API_URL": sandbox.api_url,
            "GITHUB_APP_ID": str(registered.app.id),
            "GITHUB_PRIVATE_KEY": registered.private_key,
            "GITHUB_WEBHOOK_SECRETS": registered.app.webhook_secret,
        }
        fetched = run(given, "teams", "fetch", "Acme")
        assert fetched == (0, "2 people in 1 teams, from github\n")
        assert run(given, "teams", "fetch", "other")[0] == 2
        installed.permissions.clear()
        code, told = run(given, "teams", "fetch", "acme")
        assert (code, "permission members=read is missing" in told) == (1, True)
    assert run(environment, "teams", "list", "acme") == (0, "")
