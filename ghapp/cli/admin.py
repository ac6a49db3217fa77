"""``ghapp admin``: what an operator does by hand, such as retry or restore."""

import base64
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from ghapp.cli import backup, teams
from ghapp.cli.app_store import AppGroup, known_repository, note_access, opened
from ghapp.cli.output import at_work, format_option, print_json, quiet_option, say
from ghapp.keys.evidence import EvidenceKeys
from ghapp.keys.signing import RecordSigner
from ghapp.records.keys import shown
from ghapp.reports.harmless import visible
from ghapp.settings import write_private
from ghapp.spend.prices import packaged
from ghapp.store import Lane, NewToken, SavedAudit, Store, TokenKind, new_secret
from ghapp.store.pricing import PriceBook
from ghapp.store.records import RecordKey
from ghapp.store.summaries import activity, tally

LOOK_EVERY = 1.0
"""Seconds between two looks at what is due."""


@click.group("admin", cls=AppGroup)
def command() -> None:
    """Retry, drain, back up, restore."""


command.add_command(teams.command)
command.add_command(backup.backup)
command.add_command(backup.restore)


# --- prices ---------------------------------------------------------------------------------------


@command.command("reprice")
@click.argument("month", type=click.DateTime(["%Y-%m"]))
@quiet_option
def reprice(month: datetime) -> None:
    """Price a closed month again, with the prices of this version; pages say so.

    Months close 30 days after their end. Open ones always have the prices in use.
    """
    with opened() as (store, settings), at_work("pricing the month"):
        book = PriceBook(packaged(), settings.rate_card)
        try:
            one = store.usage.reprice(month.date(), book, now=datetime.now(UTC))
        except ValueError as error:
            raise click.ClickException(str(error)) from None
    if one.before is None:
        say(f"{one.month:%Y-%m} has the prices that it was closed with")
        return
    say(f"{one.month:%Y-%m}: {one.before.shown} before, {one.versions.shown} from now on")


# --- work items -----------------------------------------------------------------------------------


@command.command("stuck")
@format_option
def stuck(form: str) -> None:
    """List the dead letters: number, work, tries, last error."""
    with opened() as (store, _):
        dead = store.work.dead_letters()
    if form == "json":
        members = ("id", "name", "attempts", "why")
        print_json({"dead_letters": [{m: getattr(one, m) for m in members} for one in dead]})
        return
    for item in dead:
        click.echo(f"{item.id}\t{item.name}\t{item.attempts} tries\t{item.why}")


@command.command("retry")
@click.argument("items", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@quiet_option
def retry(items: tuple[int, ...], *, everything: bool) -> None:
    """Retry dead letters, by their numbers or all of them."""
    if not items and not everything:
        raise click.UsageError("give the numbers of dead letters, or --all")
    with opened() as (store, _):
        wanted = [one.id for one in store.work.dead_letters()] if everything else list(items)
        now = datetime.now(UTC)
        done = [number for number in wanted if store.work.retry(number, now=now)]
    say(f"{len(done)} work item(s) due again")
    missing = sorted(set(wanted) - set(done))
    if missing:
        raise click.ClickException(f"not a dead letter: {', '.join(map(str, missing))}")


@command.command("drain")
@click.option("--lane", type=click.Choice([lane.value for lane in Lane]), help="Only this lane.")
@click.option(
    "--seconds", type=float, default=300.0, show_default=True, help="How long to wait at most."
)
@quiet_option
def drain(lane: str | None, seconds: float) -> None:
    """Wait until the workers have done everything that is due; status 1 if something is left."""
    end = time.monotonic() + seconds
    with opened() as (store, _), at_work("waiting for workers") as tell:
        while due := [
            one for one in store.work.backlog(datetime.now(UTC)) if lane in {None, one.lane}
        ]:
            count = sum(one.waiting for one in due)
            tell(f"waiting for workers: {count} due")
            if time.monotonic() >= end:
                raise click.ClickException(f"{count} work item(s) still due after {seconds:.0f} s")
            time.sleep(LOOK_EVERY)
    say("nothing is due")


@command.command("cancel-replay")
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@quiet_option
def cancel_replay(number: int) -> None:
    """Cancel a replay over GitHub; its finished audits stay."""
    with opened() as (store, _):
        if not store.replays.cancel(number, now=datetime.now(UTC)):
            raise click.ClickException(f"replay {number} does not exist or is over")
    say(f"replay {number} is cancelled")


# --- what people read -----------------------------------------------------------------------------


@command.command("token")
@click.argument("login")
@click.option("--label", default="made by an operator", show_default=True, help="Its name.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True)
@click.option(
    "--organization", "accounts", multiple=True, help="Only this one. May be given several times."
)
@quiet_option
def token(login: str, label: str, days: int, accounts: tuple[str, ...]) -> None:
    """Make a read token for LOGIN, who has signed in here; it can read what that person can.

    It prints the token and nothing else, also with --quiet: it is shown only this once.
    """
    with opened() as (store, _):
        now, person = datetime.now(UTC), store.logins.named(login)
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


@command.command("rebuild-summaries")
@click.argument("repositories", metavar="[OWNER/NAME]...", nargs=-1)
@quiet_option
def rebuild_summaries(repositories: tuple[str, ...]) -> None:
    """Rebuild summaries from the audit documents: of these repositories, or of all."""
    done: dict[int, int] = {}
    with opened() as (store, _):
        wanted = [known_repository(store, name).id for name in repositories]
        with at_work("rebuilding summaries") as tell:
            if not wanted:
                tally.dissolve(store.database)
                wanted = tally.audited(store.database)
            for repository_id in wanted:
                tell(f"rebuilding summaries: {len(done)} of {len(wanted)} repositories")
                done[repository_id] = tally.rebuild(store.database, repository_id)
                activity.rebuild(store.database, repository_id)
    for repository_id, count in done.items():
        say(f"repository {repository_id}: {count} pull requests")


@command.command("access-log")
@click.argument("name", metavar="[OWNER/NAME]", required=False)
@click.option("--last", metavar="N", type=click.IntRange(min=1), default=100, show_default=True)
@format_option
def access_log(name: str | None, last: int, form: str) -> None:
    """List who looked at audits and exports, the latest first: time, person, door, what."""
    with opened() as (store, _):
        repository_id = None if name is None else known_repository(store, name).id
        entries = store.access_log.of(repository_id, limit=last)
    if form == "json":
        members = ("at", "who", "door", "what", "pull_request", "detail")
        print_json({"entries": [{m: getattr(one, m) for m in members} for one in entries]})
        return
    for entry in entries:
        number = f"#{entry.pull_request}" if entry.pull_request else "-"
        parts = (entry.at.isoformat(), entry.who, entry.door, entry.what, number)
        click.echo("\t".join(map(visible, (*parts, entry.detail or "-"))))


# --- keys and records -----------------------------------------------------------------------------


@command.command("fingerprint-key")
@click.argument("name", metavar="OWNER/NAME")
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; only you can read it.",
)
@quiet_option
def fingerprint_key(name: str, output: Path) -> None:
    """Write the key of a repository's fingerprints, for an auditor who recomputes verdicts.

    With this key and the database, a person can test guesses of short lines.
    """
    with opened() as (store, settings):
        repository = known_repository(store, name)
        if repository.installation_id is None:
            raise click.UsageError(f"the app is not installed on {name} any more")
        keys = EvidenceKeys(store, settings.encryption_key)
        key = keys.present(repository.installation_id, now=datetime.now(UTC))
        note_access(store, "fingerprint_key", repository.id, detail=key.id)
    # A new file in the place of what is there: that could be somebody's link, or be held open.
    write_private(output, base64.b64encode(key.secret) + b"\n", replace=True)
    say(f"key {key.id} is in {output}")


@command.command("record-keys")
@format_option
def record_keys(form: str) -> None:
    """Print the public keys of signed records: ID, period of use, and the key as PEM."""
    with opened() as (store, _):
        note_access(store, "record_keys")
        keys = store.records.all_keys()
    if form == "json":
        print_json({"keys": [_key_members(one) for one in keys]})
        return
    for key in keys:
        click.echo(shown(key.public, key.made_at, key.retired_at), nl=False)


def _key_members(key: RecordKey) -> dict[str, Any]:
    pem = shown(key.public, key.made_at, key.retired_at)
    return {"id": key.id, "made_at": key.made_at, "retired_at": key.retired_at, "pem": pem}


@command.command("rotate-record-key")
@quiet_option
def rotate_record_key() -> None:
    """Sign records with a new key from now on; old signatures and public keys stay."""
    with opened(seals=True) as (store, settings):
        signer = RecordSigner(store, settings.encryption_key)
        with store.database.write() as connection:
            store.records.lock_keys(connection)
            new = signer.rotate(connection, now=datetime.now(UTC))
        note_access(store, "record_key_rotation", detail=new.id)
    say(f"the app signs records with key {new.id} from now on")


@command.command("sign-records")
@click.option("--yes", is_flag=True, help="Sign them as they are now.")
@quiet_option
def sign_records(*, yes: bool) -> None:
    """Sign records that are older than signing; their signatures say that they came later."""
    count = 0
    with opened(seals=True) as (store, settings), at_work("looking at records"):
        signer = RecordSigner(store, settings.encryption_key)
        for repository in store.installations.repositories():
            broken = store.audits.first_break(repository.id)
            if broken is not None:
                problem = f"{repository.full_name}: the chain is broken at record {broken}"
                raise click.ClickException(f"{problem}; none of its records were signed")
            unsigned = store.records.unsigned(repository.id)
            count += len(unsigned)
            if yes:
                _sign(signer, store, unsigned)
    done = "signed" if yes else "to sign with --yes; the app then vouches for them as they are"
    say(f"{count} record(s) {done}")


def _sign(signer: RecordSigner, store: Store, unsigned: tuple[SavedAudit, ...]) -> None:
    for saved in unsigned:
        document = store.audits.document(saved.id) or b""
        with store.database.write() as connection:
            signer.sign(connection, saved, document, now=datetime.now(UTC))
