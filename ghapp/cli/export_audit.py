"""``ghapp export-audit``: writes recorded audits as a bundle that proves itself."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from ghapp.auditing.export import ExportSpan, UnsignedError, export
from ghapp.cli.app_store import data_option, known_repository, note_access, opened
from ghapp.cli.output import at_work, quiet_option, say
from ghapp.cli.problems import list_problems
from ghapp.cli.times import as_last_instant, as_time
from ghapp.keys.signing import RecordSigner
from ghapp.records.check import check
from ghapp.store import Repository, Store


@click.command("export-audit", short_help="Write recorded audits as a bundle that proves itself.")
@data_option
@click.argument("name", metavar="[OWNER/NAME]", required=False)
@click.option(
    "--since", metavar="DATE", callback=as_time, help="Only pull requests merged then or later."
)
@click.option(
    "--until",
    metavar="DATE",
    callback=as_last_instant,
    help="Only those merged then or earlier; a date alone is the whole day.",
)
@click.option(
    "--output",
    metavar="BUNDLE",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The file to write.",
)
@quiet_option
def command(name: str | None, since: datetime | None, until: datetime | None, output: Path) -> None:
    """Write the audits of a repository, or of all, with everything needed to check them.

    \b
    ghapp export-audit acme/shop --since 2026-01-01 --output shop.bundle.jsonl
    ghapp verify shop.bundle.jsonl

    The bundle holds documents, policies, public keys, the whole chain and a seal. It holds no
    source text and no evidence. Exit status: 0 done, 1 a recorded audit fails the check.
    """  # noqa: D301 - the \b is click's mark for "do not wrap"
    span = ExportSpan(since=since, until=until)
    try:
        with opened() as (store, settings):
            chosen = _repositories(store, name)
            _note(store, chosen, span)
            signer = RecordSigner(store, settings.encryption_key)
            with at_work("writing the bundle"), _whole_or_not(output) as file:
                export(store, chosen, file, signer=signer, now=datetime.now(UTC), span=span)
    except UnsignedError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.UsageError(f"{error.filename}: {error.strerror}") from error
    _say(output)


@contextmanager
def _whole_or_not(output: Path) -> Iterator[BinaryIO]:
    """Lend a file that gets its name when it is complete."""
    # No name that somebody else could make beforehand, as a link, in a folder of many.
    new = output.with_name(f".{output.name}.{secrets.token_hex(8)}")
    try:
        with new.open("xb") as file:
            yield file
        new.replace(output)
    finally:
        new.unlink(missing_ok=True)


def _repositories(store: Store, name: str | None) -> tuple[Repository, ...]:
    return store.installations.repositories() if name is None else (known_repository(store, name),)


def _note(store: Store, chosen: tuple[Repository, ...], span: ExportSpan) -> None:
    ends = [end.isoformat() if end else "" for end in (span.since, span.until)]
    detail = "..".join(ends) if any(ends) else None
    for repository in chosen:
        note_access(store, "bundle", repository.id, detail=detail)


def _say(output: Path) -> None:
    """Check the bundle: an audit that somebody altered in the database must not leave unnoticed."""
    with at_work("checking the bundle"):
        done = check(output)
    list_problems([f"line {one.line}: {one.problem}" for one in done.problems])
    say(f"{output}: {done.documents} document(s), {done.records} record(s)", err=True)
    if done.problems:
        raise click.ClickException("recorded audits fail the check: see docs/records.md")
