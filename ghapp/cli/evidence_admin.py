"""``ghapp evidence`` for an operator: erase, rotate a key, revoke machines, see coverage.

`evidence` has the commands on transcripts. The server's packages are imported when a command
runs: a developer's machine has none.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from ghapp.cli.app_store import data_option, known_repository, note_access, opened
from ghapp.cli.output import at_work, format_option, print_json, quiet_option, say
from ghapp.reports.coverage import HeardCounts, of_authors
from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # only running a command needs the server's packages
    from ghapp.store import AccessToken, Store
    from ghapp.store.coverage import PullCoverage, WeekCoverage

SHOWN = 100
"""Most pull requests that ``coverage`` lists."""

_login = click.option("--login", metavar="LOGIN", required=True, help="The person on GitHub.")


@click.command("erase")
@_login
@click.option("--repository", "name", metavar="OWNER/NAME", help="Only there. [default: all]")
@click.option("--yes", is_flag=True, help="Erase without asking.")
@data_option
@quiet_option
def erase(login: str, name: str | None, *, yes: bool) -> None:
    """Erase one person's evidence, and revoke the person's upload tokens.

    Audits stay as they are, and say that evidence of their time was erased. Usage goes, too. With
    --repository, only that there; the tokens stay, and so do the reports of the person's machines.
    """
    from ghapp.store import ErasedBy, ErasureScope  # noqa: PLC0415 - see the top

    if not yes:
        click.confirm(f"Erase the evidence of {visible(login)}?", abort=True)
    now = datetime.now(UTC)
    with opened() as (store, _), at_work("erasing"):
        tokens = store.tokens.of_login(login)
        number = tokens[0].user_id if tokens else None
        place = None if name is None else known_repository(store, name).id
        places = None if place is None else (place,)
        # The log does not say whose evidence it was: that would keep what is to be erased.
        note_access(store, "erasure", place)
        whose = ErasureScope(login=login, user_id=number, repository_ids=places)
        edits = store.evidence.erase(whose, ErasedBy.ADMINISTRATOR, now=now)
        if name is None:
            store.coverage.forget(login, number)
            store.agent_reports.forget(login, number)
            store.usage.forget(number, login, now=now)
            _revoke_all(store, tokens, now)
        else:
            store.usage.forget_in(number, login, places or ())
    say(f"{edits} edit(s) erased")


@click.command("rotate-key")
@click.argument("account")
@data_option
@quiet_option
def rotate_key(account: str) -> None:
    """Make a new key for the fingerprints of ACCOUNT, an organization or user.

    Machines fetch it with their next upload. Fingerprints of the old key stay comparable until
    they expire; then the app deletes the old key.
    """
    from ghapp.keys.evidence import EvidenceKeys  # noqa: PLC0415 - see the top

    with opened(seals=True) as (store, settings):
        found = store.installations.of_account(account)
        if found is None:
            raise click.UsageError(f"the app is not installed on {account}")
        key = EvidenceKeys(store, settings.encryption_key).rotate(found.id, now=datetime.now(UTC))
        note_access(store, "fingerprint_key_rotation", detail=f"{found.account} {key.id}")
    say(f"{found.account}: fingerprints use key {key.id} from now on")


@click.command("machines")
@_login
@data_option
@format_option
def machines(login: str, form: str) -> None:
    """List a person's upload tokens, one for each enrolled machine."""
    with opened() as (store, _):
        uploads = _uploads(store, login)
        if form == "json":
            members = ("id", "created_at", "used_at", "revoked_at")
            print_json({"machines": [{m: getattr(one, m) for m in members} for one in uploads]})
            return
        for token in uploads:
            used = token.used_at.isoformat() if token.used_at else "never used"
            state = "revoked" if token.revoked_at else "valid"
            click.echo(f"{token.id}\t{state}\t{token.created_at.isoformat()}\t{used}")


@click.command("revoke")
@_login
@click.option("--token", "number", type=int, help="Only this one. [default: all of them]")
@data_option
@quiet_option
def revoke(login: str, number: int | None) -> None:
    """Revoke a person's upload tokens, so that their machines can send nothing more."""
    with opened() as (store, _):
        chosen = [one for one in _uploads(store, login) if number in {None, one.id}]
        done = _revoke_all(store, chosen, datetime.now(UTC))
    say(f"{done} token(s) revoked")
    if number is not None and not chosen:
        raise click.ClickException(f"{login} has no upload token {number}")


@click.command("coverage")
@click.argument("name", metavar="OWNER/NAME")
@click.option("--weeks", type=click.IntRange(1, 520), default=12, show_default=True)
@data_option
@format_option
def coverage(name: str, weeks: int, form: str) -> None:
    """Say whose machines reported in each week, and which authors' machines did not."""
    from ghapp.store.summaries.questions import SummaryQuestions  # noqa: PLC0415 - see the top
    from ghapp.summaries.selection import PersonNaming, PullSelection  # noqa: PLC0415

    until = datetime.now(UTC)
    since = until - timedelta(weeks=weeks)
    with opened() as (store, _):
        number = known_repository(store, name).id
        found = store.coverage.weeks(number, since, until)
        merged = PullSelection((number,), since=since.date(), until=until.date())
        summaries = SummaryQuestions(store.database, PersonNaming())
        heard, silent = summaries.heard(merged), summaries.silent(merged, SHOWN)
        if form == "json":
            print_json(_coverage_members(found, heard, silent))
            return
        for week in found:
            people = ", ".join(map(visible, week.developers))
            counts = f"{week.machines} machine(s)\t{week.edits} edit(s)"
            click.echo(f"{week.week.date().isoformat()}\t{counts}\t{people}")
        click.echo(of_authors(heard))
        for pull in silent:
            day = pull.merged_at.date().isoformat()
            click.echo(f"  #{pull.pull_request}\t{day}\t{visible(pull.author)}")


def _coverage_members(
    weeks: "Iterable[WeekCoverage]", heard: "HeardCounts", silent: "Iterable[PullCoverage]"
) -> dict[str, Any]:
    counts = ("pulls", "without", "no_evidence", "neither", "is_all")
    return {
        "weeks": [
            {
                "week": one.week.date(),
                "machines": one.machines,
                "edits": one.edits,
                "developers": one.developers,
            }
            for one in weeks
        ],
        "authors": {name: getattr(heard, name) for name in counts},
        "silent": [
            {"pull_request": one.pull_request, "merged_at": one.merged_at, "author": one.author}
            for one in silent
        ],
    }


def _uploads(store: "Store", login: str) -> list["AccessToken"]:
    return [one for one in store.tokens.of_login(login) if one.kind == "upload"]


def _revoke_all(
    store: "Store", tokens: "list[AccessToken] | tuple[AccessToken, ...]", now: datetime
) -> int:
    uploads = [one for one in tokens if one.kind == "upload"]
    return sum(store.tokens.revoke(one.id, now=now) for one in uploads)
