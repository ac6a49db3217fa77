"""``ghapp admin``: retry, drain, back up, restore, by an operator's hand. It audits nothing."""

import base64
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from ghapp.cli import backup, teams
from ghapp.cli.by_hand import by_hand
from ghapp.keys.evidence import EvidenceKeys
from ghapp.keys.signing import RecordSigner
from ghapp.records.keys import shown
from ghapp.reports.harmless import visible
from ghapp.settings import Settings, SettingsError
from ghapp.store import (
    Lane,
    NewToken,
    Repository,
    SavedAudit,
    Store,
    StoreError,
    TokenKind,
    new_secret,
)
from ghapp.store.summaries import activity, tally

LOOK_EVERY = 1.0


@click.group("admin")
def command() -> None:
    """Retry, drain, back up, restore."""


@command.command("stuck")
def stuck() -> None:
    """List what is set aside, with its number and the reason."""
    for item in _store().work.dead_letters():
        click.echo(f"{item.id}\t{item.name}\t{item.attempts} tries\t{item.why}")


@command.command("retry")
@click.argument("items", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that is set aside.")
def retry(items: tuple[int, ...], *, everything: bool) -> None:
    """Try items again that were set aside, by number or all."""
    store, now = _store(), datetime.now(UTC)
    wanted = [item.id for item in store.work.dead_letters()] if everything else list(items)
    if not wanted and not everything:
        raise click.UsageError("name items by number, or give --all")
    done = [number for number in wanted if store.work.retry(number, now=now)]
    click.echo(f"{len(done)} items are due again")
    lacking = sorted(set(wanted) - set(done))
    if lacking:
        raise click.ClickException(f"not set aside: {', '.join(map(str, lacking))}")


@command.command("token")
@click.argument("login")
@click.option("--label", default="made by an operator", show_default=True, help="Its name.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True)
@click.option("--organization", "accounts", multiple=True, help="Only these; may be repeated.")
def token(login: str, label: str, days: int, accounts: tuple[str, ...]) -> None:
    """Make a read token of LOGIN, who has signed in here; it reads what that person reads."""
    store, now = _store(), datetime.now(UTC)
    person = store.logins.named(login)
    if person is None:
        raise click.ClickException(f"{login} has never signed in here: open /login first")
    found = {name: store.installations.of_account(name) for name in accounts}
    unknown = [name for name, one in found.items() if one is None]
    if unknown:
        raise click.ClickException(f"the app is not installed on {', '.join(unknown)}")
    secret = new_secret(TokenKind.READ)
    new = NewToken(
        kind=TokenKind.READ,
        login=person.login,
        user_id=person.id,
        label=label,
        installations=tuple(one.id for one in found.values() if one) or None,
        expires_at=now + timedelta(days=days),
    )
    store.tokens.issue(new, secret, now=now)
    click.echo(secret)


@command.command("drain")
@click.option("--lane", type=click.Choice([lane.value for lane in Lane]), help="Only this lane.")
@click.option("--seconds", type=float, default=300.0, show_default=True, help="Longest wait.")
def drain(lane: str | None, seconds: float) -> None:
    """Wait until nothing is due now; status 1 if something still is. The workers do the work."""
    store, end = _store(), time.monotonic() + seconds
    while True:
        due = [one for one in store.work.backlog(datetime.now(UTC)) if lane in {None, one.lane}]
        if not due:
            click.echo("nothing is due")
            return
        if time.monotonic() >= end:
            count = sum(one.waiting for one in due)
            raise click.ClickException(f"{count} items are still due after {seconds:.0f} s")
        time.sleep(LOOK_EVERY)


command.add_command(teams.command)


@command.command("rebuild-summaries")
@click.argument("repositories", metavar="[OWNER/NAME]...", nargs=-1)
def rebuild_summaries(repositories: tuple[str, ...]) -> None:
    """Make the summaries again from the audit documents, of these repositories or all."""
    store = _store()
    wanted = [_repository(store, name).id for name in repositories]
    if not wanted:
        tally.dissolve(store.database)
        wanted = tally.audited(store.database)
    for repository_id in wanted:
        count = tally.rebuild(store.database, repository_id)
        activity.rebuild(store.database, repository_id)
        click.echo(f"repository {repository_id}: {count} pull requests")


def _repository(store: Store, name: str) -> Repository:
    found = store.installations.find(name)
    if found is None:
        raise click.ClickException(f"{name} is not known here: write it as OWNER/NAME on GitHub")
    return found


command.add_command(backup.backup)
command.add_command(backup.restore)


@command.command("access-log")
@click.argument("name", metavar="[OWNER/NAME]", required=False)
@click.option("--last", metavar="N", type=click.IntRange(min=1), default=100, show_default=True)
def access_log(name: str | None, last: int) -> None:
    """List who looked at audits and exports, the latest first: time, who, door, what."""
    store = _store()
    repository_id = None
    if name is not None:
        found = store.installations.find(name)
        if found is None:
            raise click.UsageError(f"the app does not know {name}")
        repository_id = found.id
    for one in store.access_log.of(repository_id, limit=last):
        number = f"#{one.pull_request}" if one.pull_request else "-"
        told = (one.at.isoformat(), one.who, one.door, one.what, number, one.detail or "-")
        click.echo("\t".join(visible(part) for part in told))


@command.command("fingerprint-key")
@click.argument("name", metavar="OWNER/NAME")
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; only you can read it.",
)
def fingerprint_key(name: str, output: Path) -> None:
    """Write the key of a repository's fingerprints, for an auditor who recomputes verdicts.

    Whoever has it and the database can try out guesses of short lines.
    """
    settings, store = _settings(), _store()
    repository = store.installations.find(name)
    if repository is None or repository.installation_id is None:
        raise click.UsageError(f"the app does not know {name}, or has no installation there")
    keys = EvidenceKeys(store, settings.encryption_key)
    key = keys.present(repository.installation_id, now=datetime.now(UTC))
    access = by_hand("fingerprint_key", repository.id, detail=key.id)
    store.access_log.note(access, now=datetime.now(UTC))
    output.touch(mode=0o600)
    output.chmod(0o600)
    output.write_bytes(base64.b64encode(key.secret) + b"\n")
    click.echo(f"key {key.id} is in {output}")


@command.command("cancel-replay")
@click.argument("number", metavar="N", type=click.IntRange(min=1))
def cancel_replay(number: int) -> None:
    """End a replay over GitHub before its time; what is done of it stays."""
    if not _store().replays.cancel(number, now=datetime.now(UTC)):
        raise click.ClickException(f"replay {number} is over, or there is none")
    click.echo(f"replay {number} is cancelled")


@command.command("record-keys")
def record_keys() -> None:
    """Print the public keys of signed records: id, from when to when, and the key as PEM."""
    store = _store()
    store.access_log.note(by_hand("record_keys"), now=datetime.now(UTC))
    for key in store.records.all_keys():
        click.echo(shown(key.public, key.made_at, key.retired_at), nl=False)


@command.command("rotate-record-key")
def rotate_record_key() -> None:
    """Let a new key sign records from now on; old signatures stay, and so do their public keys."""
    settings, store = _settings(), _store()
    signer = RecordSigner(store, settings.encryption_key)
    with store.database.write() as connection:
        store.records.lock_keys(connection)
        new = signer.rotate(connection, now=datetime.now(UTC))
    access = by_hand("record_key_rotation", detail=new.id)
    store.access_log.note(access, now=datetime.now(UTC))
    click.echo(f"records are signed by key {new.id} from now on")


@command.command("sign-records")
@click.option("--yes", is_flag=True, help="Sign them as they stand now.")
def sign_records(*, yes: bool) -> None:
    """Sign records from before records were signed; their signatures say that they came later."""
    settings, store = _settings(), _store()
    signer, count = RecordSigner(store, settings.encryption_key), 0
    for repository in store.installations.repositories():
        broken = store.audits.first_break(repository.id)
        if broken is not None:
            problem = f"{repository.full_name}: the chain is broken at record {broken}"
            raise click.ClickException(f"{problem}: nothing of it is signed")
        unsigned = store.records.unsigned(repository.id)
        count += len(unsigned)
        if yes:
            _sign(signer, store, unsigned)
    done = "signed" if yes else "to be signed with --yes: the app vouches for them as they stand"
    click.echo(f"{count} records {done}")


def _sign(signer: RecordSigner, store: Store, unsigned: tuple[SavedAudit, ...]) -> None:
    for saved in unsigned:
        document = store.audits.document(saved.id) or b""
        with store.database.write() as connection:
            signer.sign(connection, saved, document, now=datetime.now(UTC))


def _store() -> Store:
    try:
        return Store.open(_settings().database_url)
    except StoreError as error:
        raise click.ClickException(str(error)) from error


def _settings() -> Settings:
    try:
        return Settings.from_environment(app_required=False)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
