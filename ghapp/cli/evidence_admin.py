"""``ghapp evidence`` for whoever runs the app: erase, change a key, let machines in no more.

Commands on transcripts are in ``evidence``. The server's packages are imported when a command
runs: a developer's machine has none.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghapp.reports.coverage import of_authors
from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # only running a command needs the server's packages
    from ghapp.settings import Settings
    from ghapp.store import AccessToken, Store

_data = click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="GHAPP_DATA_DIR",
    help="The app's data directory. [default: .data]",
)
_login = click.option("--login", metavar="LOGIN", required=True, help="The person's on GitHub.")


@click.command("erase")
@_login
@click.option("--repository", "name", metavar="OWNER/NAME", help="Only there. [default: all]")
@click.option("--yes", is_flag=True, help="Erase without asking.")
@_data
def erase(login: str, name: str | None, data: Path | None, *, yes: bool) -> None:
    """Erase one person's evidence, and revoke the person's upload tokens.

    Audits stay as they were made, and say that evidence of their time was erased. With
    --repository the tokens and the reports of the person's machines stay.
    """
    from ghapp.cli.by_hand import by_hand  # noqa: PLC0415 - see the top
    from ghapp.store import ErasedBy, ErasureScope  # noqa: PLC0415 - see the top

    if not yes:
        click.confirm(f"Erase the evidence of {visible(login)}?", abort=True)
    now = datetime.now(UTC)
    with _opened(data) as (store, _):
        tokens = store.tokens.of_login(login)
        number = tokens[0].user_id if tokens else None
        place = None if name is None else _repository(store, name)
        places = None if place is None else (place,)
        # Whose it was is not kept: that would be what was to be erased.
        store.access_log.note(by_hand("erasure", place), now=now)
        whose = ErasureScope(login=login, user_id=number, repository_ids=places)
        edits = store.evidence.erase(whose, ErasedBy.ADMINISTRATOR, now=now)
        if name is None:
            store.coverage.forget(login, number)
            _revoke_all(store, tokens, now)
    click.echo(f"{edits} edit(s) erased")


@click.command("rotate-key")
@click.argument("account")
@_data
def rotate_key(account: str, data: Path | None) -> None:
    """Make a new key for the fingerprints of ACCOUNT, an organization or user.

    Machines fetch it with their next upload. What was made with the old key stays comparable
    until it has expired; then the old key is deleted.
    """
    from ghapp.cli.by_hand import by_hand  # noqa: PLC0415 - see the top
    from ghapp.keys.evidence import EvidenceKeys, KeyLost  # noqa: PLC0415 - see the top

    with _opened(data) as (store, settings):
        found = store.installations.of_account(account)
        if found is None:
            raise click.UsageError(f"the app is not installed on {account}")
        try:
            keys = EvidenceKeys(store, settings.encryption_key)
            key = keys.rotate(found.id, now=datetime.now(UTC))
            access = by_hand("fingerprint_key_rotation", detail=f"{found.account} {key.id}")
            store.access_log.note(access, now=datetime.now(UTC))
        except KeyLost as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"{found.account}: fingerprints are made with key {key.id} from now on")


@click.command("machines")
@_login
@_data
def machines(login: str, data: Path | None) -> None:
    """List a person's upload tokens, one for each machine that was let in."""
    with _opened(data) as (store, _):
        for token in _uploads(store, login):
            used = token.used_at.isoformat() if token.used_at else "never used"
            state = "revoked" if token.revoked_at else "valid"
            click.echo(f"{token.id}\t{state}\t{token.created_at.isoformat()}\t{used}")


@click.command("revoke")
@_login
@click.option("--token", "number", type=int, help="Only this one. [default: all of them]")
@_data
def revoke(login: str, number: int | None, data: Path | None) -> None:
    """Revoke a person's upload tokens: their machines can send nothing any more."""
    with _opened(data) as (store, _):
        chosen = [one for one in _uploads(store, login) if number in {None, one.id}]
        done = _revoke_all(store, chosen, datetime.now(UTC))
    click.echo(f"{done} token(s) revoked")
    if number is not None and not chosen:
        raise click.ClickException(f"{login} has no upload token {number}")


@click.command("coverage")
@click.argument("name", metavar="OWNER/NAME")
@click.option("--weeks", type=click.IntRange(1, 520), default=12, show_default=True)
@_data
def coverage(name: str, weeks: int, data: Path | None) -> None:
    """Say whose machines reported, by week, and of which pull requests the author was silent."""
    until = datetime.now(UTC)
    since = until - timedelta(weeks=weeks)
    with _opened(data) as (store, _):
        number = _repository(store, name)
        for week in store.coverage.weeks(number, since, until):
            people = ", ".join(map(visible, week.developers))
            counts = f"{week.machines} machine(s)\t{week.edits} edit(s)"
            click.echo(f"{week.week.date().isoformat()}\t{counts}\t{people}")
        covered = store.coverage.covered((number,), since, until)
        click.echo(of_authors(covered.pulls, covered.without, is_all=covered.is_all))
        for pull in store.coverage.pulls((number,), since, until):
            day = pull.merged_at.date().isoformat()
            click.echo(f"  #{pull.pull_request}\t{day}\t{visible(pull.author)}")


@contextmanager
def _opened(data: Path | None) -> Iterator[tuple["Store", "Settings"]]:
    """Open the app's store; a problem of settings or database ends the command in words."""
    try:
        from ghapp.log import configure  # noqa: PLC0415 - see the top
        from ghapp.settings import Settings, SettingsError  # noqa: PLC0415 - see the top
        from ghapp.store import Store, StoreError  # noqa: PLC0415 - see the top
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the package {error.name} is not installed; this needs the extra 'server': "
            "pip install 'ghapp[server]'"
        ) from error
    given = {**os.environ, **({"GHAPP_DATA_DIR": str(data)} if data else {})}
    try:
        settings = Settings.from_environment(given, app_required=False)
        configure("WARNING", hidden=settings.hidden)
        with Store.open(settings.database_url) as store:
            yield store, settings
    except (SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from error


def _repository(store: "Store", name: str) -> int:
    found = store.installations.find(name)
    if found is None:
        raise click.UsageError(f"the app does not know the repository {name}")
    return found.id


def _uploads(store: "Store", login: str) -> list["AccessToken"]:
    return [one for one in store.tokens.of_login(login) if one.kind == "upload"]


def _revoke_all(
    store: "Store", tokens: "list[AccessToken] | tuple[AccessToken, ...]", now: datetime
) -> int:
    uploads = [one for one in tokens if one.kind == "upload"]
    return sum(store.tokens.revoke(one.id, now=now) for one in uploads)
