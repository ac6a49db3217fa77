"""``ghapp admin teams``: who is in which team. docs/people.md says what a table holds."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from ghapp.bootstrap import build
from ghapp.cli.app_store import AppGroup, app_environment, opened, reported, with_a_queue
from ghapp.cli.output import at_work, format_option, print_json, quiet_option, say
from ghapp.github.answers import GitHubError
from ghapp.settings import Settings
from ghapp.store import IdentityMapping, Store
from ghapp.summaries.selection import SMALLEST_GROUP
from ghapp.summaries.tables import TableError
from ghapp.summaries.teams import PeopleTable, PersonChange, read_team_file
from ghapp.usage.sources import IdentityKind, UsageIdentity

FIRST_YEAR = 1970
"""Of a table: nobody used an agent before."""
PEOPLE_TABLE = "(people table)"
"""Who mapped an address that a table of people told."""


@click.group("teams", cls=AppGroup)
def command() -> None:
    """Say who is in which team."""


@command.command("import")
@click.argument("account")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day (UTC) on which the table holds. [default: today]",
)
@quiet_option
def import_file(account: str, file: Path, *, dry_run: bool, as_of: datetime | None) -> None:
    """Import the people of ACCOUNT from a CSV, whole or not at all.

    Columns: person, email, team, role, location, cost_center, start_date, end_date; person and
    team are required. Who is missing has left; the days before stay as they were.
    """
    try:
        table = read_team_file(file.read_text("utf-8"))
    except TableError as error:
        listed = "".join(f"\n  {problem}" for problem in error.problems)
        raise click.ClickException(f"{file} was not imported:{listed}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is not UTF-8: save it as CSV UTF-8") from error
    if as_of is not None and as_of.year < FIRST_YEAR:
        raise click.BadParameter(f"give a day of {FIRST_YEAR} or later", param_hint="--as-of")
    now = datetime.now(UTC)
    day = now.date() if as_of is None else as_of.date()
    with opened() as (store, _):
        changes = store.teams.import_table(account, table.members, day, dry=dry_run)
        emails = _map_emails(store, account, table.emails, now, dry=dry_run)
    for one in changes if dry_run else ():
        say(_changed(one))
    _say_counts(table, changes)
    for sentence in emails:
        say(sentence)
    if dry_run:
        say("Nothing was changed.")


def _changed(one: PersonChange) -> str:
    """Write what changes of one person."""
    last = one.after[-1] if one.after else one.before[-1]
    since = f" from {last.since}" if last.since and one.after else ""
    until = f" until {last.until}" if last.until and one.after else ""
    before = f" (was {one.before[-1].team})" if one.what == "moves" else ""
    return f"{one.login} {one.what}: {last.team}{before}{since}{until}"


def _say_counts(table: PeopleTable, changes: Sequence[PersonChange]) -> None:
    sizes = Counter(member.team for member in table.members)
    say(f"{len(table.members)} people in {len(sizes)} teams")
    kinds = Counter(one.what for one in changes)
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in sorted(kinds))
    say(f"changes: {told or 'none'}")
    small = sum(size < SMALLEST_GROUP for size in sizes.values())
    if small:
        say(f"{small} teams have fewer than {SMALLEST_GROUP} people: summaries merge them")


def _map_emails(
    store: Store, account: str, emails: Mapping[str, str], now: datetime, *, dry: bool
) -> Iterator[str]:
    """Map addresses to people as owners do; return what could not be mapped, and why."""
    installation = store.installations.of_account(account) if emails else None
    if installation is None:
        said = f"the app is not installed on {account}, so e-mail addresses are not mapped"
        return iter([said] if emails else ())
    known = store.known_accounts.named(emails.values())
    mapped = {
        one.value: one.account_id
        for one in store.usage.identities(installation.id)
        if one.kind is IdentityKind.EMAIL and one.account_id is not None
    }
    wanted = {
        email: known[login.lower()]
        for email, login in emails.items()
        if login.lower() in known and email not in mapped
    }
    if wanted and not dry:
        store.usage.map(
            installation.id,
            [
                IdentityMapping(UsageIdentity(IdentityKind.EMAIL, email), one.id, one.login)
                for email, one in wanted.items()
            ],
            by=PEOPLE_TABLE,
            now=now,
        )
    others = sum(
        mapped[email] != known[login.lower()].id
        for email, login in emails.items()
        if email in mapped and login.lower() in known
    )
    strangers = sum(login.lower() not in known for login in emails.values())
    return _said_of_emails(len(wanted), others, strangers)


def _said_of_emails(new: int, others: int, strangers: int) -> Iterator[str]:
    if new:
        yield f"{new} e-mail addresses mapped to their people"
    if others:
        yield f"{others} e-mail addresses are mapped to other people already, and stay"
    if strangers:
        yield (
            f"{strangers} e-mail addresses are of people whom this app does not know yet: import "
            "again when they have signed in, enrolled or merged"
        )


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
            "location": one.location,
            "until": one.until,
        }
        for source, members in sorted(found.items())
        for one in members
    ]
    if form == "json":
        print_json({"members": rows})
    for row in rows if form == "text" else ():
        click.echo("\t".join("" if value is None else str(value) for value in row.values()))
