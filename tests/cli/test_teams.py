"""``ghapp admin teams``: imported from a table, fetched from GitHub, listed with their source."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from ghapp.cli.admin import command
from ghapp.demo.sandbox import Sandbox
from ghapp.store import Installation, Store
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
    assert listed == ["csv\tann\tcore\tlead\t2026-01-31\t4711", "csv\tbob\tops\t\t\t"]
    table.write_text("person,team\nann,ops\n")
    run(environment, "teams", "import", "acme", str(table))
    assert run(environment, "teams", "list", "acme")[1] == "csv\tann\tops\t\t\t\n"


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
