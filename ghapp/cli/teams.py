"""``ghapp admin teams``: who is in which team. What is made of it is told in docs/metrics.md."""

import os
from collections import Counter
from pathlib import Path

import click

from ghapp.bootstrap import build
from ghapp.github.answers import GitHubError
from ghapp.settings import Settings, SettingsError
from ghapp.store import Store, StoreError
from ghapp.summaries.selection import SMALLEST_GROUP
from ghapp.summaries.teams import TeamFileError, TeamSource, read_team_file


@click.group("teams")
def command() -> None:
    """Say who is in which team."""


@command.command("import")
@click.argument("account")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(account: str, file: Path) -> None:
    """Take the teams of ACCOUNT from a CSV: person, team, role, start_date. Replaces the last."""
    try:
        members = read_team_file(file.read_text("utf-8"))
    except TeamFileError as error:
        listed = "".join(f"\n  {problem}" for problem in error.problems)
        raise click.ClickException(f"{file} was not taken:{listed}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is no UTF-8: save it as CSV UTF-8") from error
    count = _store().teams.replace(account, TeamSource.CSV, members)
    sizes = Counter(member.team for member in members)
    small = sum(size < SMALLEST_GROUP for size in sizes.values())
    click.echo(f"{count} people in {len(sizes)} teams")
    if small:
        click.echo(f"{small} teams have fewer than {SMALLEST_GROUP} people and are not told apart")


@command.command("fetch")
@click.argument("account")
def fetch(account: str) -> None:
    """Read the teams of ACCOUNT from GitHub now; the scheduler does so once a day."""
    given = dict(os.environ)
    # Nothing is queued, so no Redis is needed.
    given.setdefault("REDIS_URL", f"unix://{Path.cwd() / 'no-redis.sock'}")
    try:
        services = build(Settings.from_environment(given), quick=True)
        services.store.database.migrate()
        installation = services.store.installations.of_account(account)
        if installation is None:
            raise click.UsageError(f"the app is not installed on {account}")
        fetched = services.fetch_teams(installation)
    except (SettingsError, StoreError, GitHubError) as error:
        raise click.ClickException(str(error)) from error
    if fetched.refused and not fetched.people:
        raise click.ClickException(str(fetched))
    click.echo(fetched)


@command.command("list")
@click.argument("account")
def list_members(account: str) -> None:
    """List who is in which team of ACCOUNT, and who says so."""
    for source, members in sorted(_store().teams.of(account).items()):
        for member in members:
            since = member.since.isoformat() if member.since else ""
            click.echo("\t".join((source, member.login, member.team, member.role or "", since)))


def _store() -> Store:
    try:
        return Store.open(Settings.from_environment(app_required=False).database_url)
    except (SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from error
