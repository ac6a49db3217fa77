"""``ghapp admin teams``: imported from a table, fetched from GitHub, listed with their source."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from ghapp.cli.admin import command
from ghapp.demo.sandbox import Sandbox
from ghapp.store import IdentityMapping, Installation, NewToken, Store, TokenKind
from ghapp.usage.sources import IdentityKind, UsageIdentity
from tests.databases import make_sqlite

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the settings of an app whose tables are there, and empty."""
    url = make_sqlite(f"sqlite:///{tmp_path}/a.db")
    return {"GHAPP_DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": url}


def run(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, arguments, env=environment)
    return done.exit_code, done.output


def test_teams_come_from_a_table(environment: dict[str, str], tmp_path: Path) -> None:
    table = tmp_path / "teams.csv"
    table.write_text(
        "person,team,role,start_date,cost_center\nann,core,lead,2026-01-31,4711\nbob,ops,,,\n"
    )
    code, said = run(environment, "teams", "import", "Acme", str(table))
    assert (code, said.splitlines()[0]) == (0, "2 people in 2 teams")
    assert "2 teams have fewer than 5 people" in said
    table.write_text("person,team\nann,core\ncarl,\n")
    code, said = run(environment, "teams", "import", "acme", str(table))
    assert code == 1
    assert "line 3: the person or the team is missing" in said
    listed = run(environment, "teams", "list", "acme")[1].splitlines()
    first = ["csv\tann\tcore\tlead\t2026-01-31\t4711\t\t", "csv\tbob\tops\t\t\t\t\t"]
    assert listed == first
    table.write_text("person,team\nann,ops\n")
    again = ("teams", "import", "acme", str(table), "--as-of", "2099-02-01")
    said = run(environment, *again, "--dry-run")[1].splitlines()
    assert said[:4] == [
        "ann moves: ops (was core) from 2099-02-01",
        "bob leaves: ops until 2099-01-31",
        "1 people in 1 teams",
        "changes: 1 leaves, 1 moves",
    ]
    assert run(environment, "teams", "list", "acme")[1].splitlines() == first
    assert "changes: 1 leaves, 1 moves" in run(environment, *again)[1]
    assert "changes: none" in run(environment, *again)[1]
    assert run(environment, "teams", "list", "acme")[1].splitlines() == [
        f"{first[0]}2099-01-31",
        "csv\tann\tops\t\t2099-02-01\t\t\t",
        f"{first[1]}2099-01-31",
    ]


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


def test_a_table_in_another_encoding_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    table = tmp_path / "teams.csv"
    table.write_bytes("person,team\nann,caf\u00e9\n".encode("latin-1"))
    code, said = run(environment, "teams", "import", "acme", str(table))
    assert (code, "save it as CSV UTF-8" in said) == (1, True)
    assert run(environment, "teams", "list", "acme") == (0, "")


def test_e_mail_addresses_say_whose_usage_is(environment: dict[str, str], tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text(
        "person,email,team\nann,Ann@acme.example,core\nbob,bob@acme.example,core\n"
        "cid,cid@acme.example,core\n"
    )
    whole = ("teams", "import", "acme", str(table))
    assert "the app is not installed on acme" in run(environment, *whole)[1]
    with Store.open(environment["DATABASE_URL"]) as store:
        store.installations.seen(Installation(id=7, account="acme"), now=NOW)
        for number, login in ((11, "ann"), (12, "bob")):
            made = NewToken(kind=TokenKind.UPLOAD, login=login, user_id=number)
            store.tokens.issue(made, login, now=NOW)
        email = UsageIdentity(IdentityKind.EMAIL, "bob@acme.example")
        store.usage.map(7, [IdentityMapping(email, 11, "ann")], by="admin", now=NOW)
        assert "1 e-mail addresses mapped" in run(environment, *whole, "--dry-run")[1]
        assert len(store.usage.identities(7)) == 1
        said = run(environment, *whole)[1]
        assert "1 e-mail addresses mapped" in said
        assert "1 e-mail addresses are mapped to other people already, and stay" in said
        assert "1 e-mail addresses are of people whom this app does not know yet" in said
        assert {one.value: one.login for one in store.usage.identities(7)} == {
            "ann@acme.example": "ann",
            "bob@acme.example": "ann",
        }
