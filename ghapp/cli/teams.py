"""``ghapp admin teams``: who is in which team. docs/metrics.md says what summaries make of it."""

from collections import Counter
from pathlib import Path

import click

from ghapp.bootstrap import build
from ghapp.cli.app_store import AppGroup, app_environment, opened, reported, with_a_queue
from ghapp.cli.output import at_work, format_option, print_json, quiet_option, say
from ghapp.github.answers import GitHubError
from ghapp.settings import Settings
from ghapp.summaries.selection import SMALLEST_GROUP
from ghapp.summaries.tables import TableError
from ghapp.summaries.teams import TeamSource, read_team_file


@click.group("teams", cls=AppGroup)
def command() -> None:
    """Say who is in which team."""


@command.command("import")
@click.argument("account")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@quiet_option
def import_file(account: str, file: Path) -> None:
    """Import the teams of ACCOUNT from a CSV: person, team, role, start_date, cost_center.

    They replace those of the last import.
    """
    try:
        members = read_team_file(file.read_text("utf-8"))
    except TableError as error:
        listed = "".join(f"\n  {problem}" for problem in error.problems)
        raise click.ClickException(f"{file} was not imported:{listed}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is not UTF-8: save it as CSV UTF-8") from error
    with opened() as (store, _):
        count = store.teams.replace(account, TeamSource.CSV, members)
    sizes = Counter(member.team for member in members)
    say(f"{count} people in {len(sizes)} teams")
    small = sum(size < SMALLEST_GROUP for size in sizes.values())
    if small:
        say(f"{small} teams have fewer than {SMALLEST_GROUP} people: summaries merge them")


@command.command("fetch")
@click.argument("account")
@quiet_option
def fetch(account: str) -> None:
    """Read the teams of ACCOUNT from GitHub now; the scheduler does so once a day."""
    # This command enqueues nothing, so it needs no Redis.
    given = with_a_queue(app_environment())
    try:
        with reported():
            services = build(Settings.from_environment(given, makes=False), quick=True)
            services.store.database.check()
            installation = services.store.installations.of_account(account)
            if installation is None:
                raise click.UsageError(f"the app is not installed on {account}")
            with at_work("asking GitHub"):
                fetched = services.fetch_teams(installation)
    except GitHubError as error:
        raise click.ClickException(str(error)) from error
    if fetched.refused and not fetched.people:
        raise click.ClickException(str(fetched))
    say(fetched)


@command.command("list")
@click.argument("account")
@format_option
def list_members(account: str, form: str) -> None:
    """List the members of ACCOUNT's teams, and the source that says so."""
    with opened() as (store, _):
        found = store.teams.of(account)
    rows = [
        {
            "source": source,
            "login": one.login,
            "team": one.team,
            "role": one.role,
            "since": one.since,
            "cost_center": one.cost_center,
        }
        for source, members in sorted(found.items())
        for one in members
    ]
    if form == "json":
        print_json({"members": rows})
    for row in rows if form == "text" else ():
        click.echo("\t".join("" if value is None else str(value) for value in row.values()))
