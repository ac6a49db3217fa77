"""``ghapp export-audit``: recorded audits leave the store as a bundle that proves itself."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from ghapp.auditing.export import ExportSpan, UnsignedError, export
from ghapp.cli.by_hand import by_hand
from ghapp.cli.times import as_last_instant, as_time
from ghapp.keys.evidence import KeyLost
from ghapp.keys.signing import RecordSigner
from ghapp.records.check import check
from ghapp.reports.harmless import visible
from ghapp.settings import Settings, SettingsError
from ghapp.store import Repository, Store, StoreError


@click.command("export-audit", short_help="Write recorded audits as a bundle that proves itself.")
@click.argument("name", metavar="[OWNER/NAME]", required=False)
@click.option(
    "--since", metavar="DATE", callback=as_time, help="Of pull requests merged then or later."
)
@click.option(
    "--until",
    metavar="DATE",
    callback=as_last_instant,
    help="Merged then or earlier; a date alone is the whole day.",
)
@click.option(
    "--output",
    metavar="BUNDLE",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The file to write.",
)
def command(name: str | None, since: datetime | None, until: datetime | None, output: Path) -> None:
    """Write the audits of a repository, or of all, with all that a third person checks them by.

    \b
    ghapp export-audit acme/shop --since 2026-01-01 --output shop.bundle.jsonl
    ghapp verify shop.bundle.jsonl

    The bundle holds documents, policies, public keys, the whole chain and a seal; no source
    text and no evidence. Exit status: 0 done, 1 something that is recorded does not check.
    """  # noqa: D301 - the \b is click's mark for "do not wrap"
    now, span = datetime.now(UTC), ExportSpan(since=since, until=until)
    try:
        settings = Settings.from_environment(app_required=False)
        with closing(Store.open(settings.database_url)) as store:
            chosen = _repositories(store, name)
            _log(store, chosen, span, now)
            signer = RecordSigner(store, settings.encryption_key)
            with _whole_or_not(output) as file:
                export(store, chosen, file, signer=signer, now=now, span=span)
    except (SettingsError, StoreError, UnsignedError, KeyLost) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.UsageError(f"{error.filename}: {error.strerror}") from error
    _say(output)


@contextmanager
def _whole_or_not(output: Path) -> Iterator[BinaryIO]:
    """Lend a file that takes its name when all of it is there."""
    new = output.with_name(f".{output.name}.new")
    try:
        with new.open("wb") as file:
            yield file
        new.replace(output)
    finally:
        new.unlink(missing_ok=True)


def _repositories(store: Store, name: str | None) -> tuple[Repository, ...]:
    if name is None:
        return store.installations.repositories()
    found = store.installations.find(name)
    if found is None:
        raise click.UsageError(f"the app does not know {name}")
    return (found,)


def _log(store: Store, chosen: tuple[Repository, ...], span: ExportSpan, now: datetime) -> None:
    ends = [end.isoformat() if end else "" for end in (span.since, span.until)]
    detail = "..".join(ends) if any(ends) else None
    for repository in chosen:
        store.access_log.note(by_hand("bundle", repository.id, detail=detail), now=now)


def _say(output: Path) -> None:
    """Check what was written: what was altered past the app does not leave unnoticed."""
    done = check(output)
    for problem in done.problems[:10]:
        click.echo(visible(f"line {problem.line}: {problem.problem}", 2000), err=True)
    click.echo(f"{output}: {done.documents} document(s), {done.records} record(s)", err=True)
    if done.problems:
        raise click.ClickException("what is recorded does not check: see docs/records.md")
