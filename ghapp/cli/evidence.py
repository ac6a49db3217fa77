"""``ghapp evidence``: imports the evidence in transcripts, and holds its other commands."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghapp.cli import evidence_admin, evidence_check, evidence_preview
from ghapp.cli.app_store import data_option, known_repository, opened, server_packages
from ghapp.cli.evidence_preview import EXISTING, UNREAD, roots_option
from ghapp.cli.groups import NamedGroup
from ghapp.cli.output import at_work, quiet_option, say
from ghapp.cli.problems import name_problems, say_passed_over

if TYPE_CHECKING:  # only `import` needs the server's packages; a developer's machine has none
    from ghapp.ingest.keep import EncodeLines, ImportResult
    from ghapp.settings import Settings
    from ghapp.store import Repository, Store


@click.group("evidence", cls=NamedGroup, short_help="Preview evidence, or import it.")
def command() -> None:
    """Preview the evidence in transcripts, import it, and administer what the app keeps."""


@command.command("import")
@click.argument("directories", metavar="DIR...", nargs=-1, required=True, type=EXISTING)
@click.option("--repository", "name", metavar="OWNER/NAME", required=True, help="Whose edits.")
@roots_option
@click.option("--actor", metavar="LOGIN", help="The developer's login on GitHub.")
@data_option
@quiet_option
def import_(
    directories: tuple[Path, ...],
    name: str,
    roots: tuple[str, ...],
    actor: str | None,
) -> None:
    """Import the edits in transcripts, and audit the pull requests again that they can change."""
    with server_packages("importing"):
        from ghapp.ingest.keep import import_artifacts  # noqa: PLC0415 - see the top

    with opened(what="importing", seals=True) as (store, settings):
        repository = known_repository(store, name)
        encode = _encode(settings, store, repository)
        with at_work("reading transcripts"):
            imported = import_artifacts(
                *(store, repository.id, directories, roots, encode),
                now=datetime.now(UTC),
                actor=actor,
            )
    _say(imported, repository)


command.add_command(evidence_preview.preview)
command.add_command(evidence_check.check)
command.add_command(evidence_admin.erase)
command.add_command(evidence_admin.rotate_key)
command.add_command(evidence_admin.machines)
command.add_command(evidence_admin.revoke)
command.add_command(evidence_admin.coverage)


def _encode(settings: "Settings", store: "Store", repository: "Repository") -> "EncodeLines":
    """Return what encodes an edit's lines, as the settings say."""
    from ghapp.ingest.keep import encoder  # noqa: PLC0415 - see the top
    from ghapp.keys.evidence import EvidenceKeys, KeyLost  # noqa: PLC0415 - see the top

    if repository.installation_id is None and settings.evidence_encoding != "text":
        raise click.ClickException(
            f"the app is not installed on {repository.full_name}, so it has no key for "
            "fingerprints: install it first"
        )
    try:
        keys, now = EvidenceKeys(store, settings.encryption_key), datetime.now(UTC)
        return encoder(settings.evidence_encoding, keys, repository.installation_id or 0, now=now)
    except (KeyLost, LookupError) as error:
        raise click.ClickException(str(error)) from error


def _say(imported: "ImportResult", repository: "Repository") -> None:
    """Print a summary of an import."""
    say(
        f"{repository.full_name}: {imported.edits} edit(s) in {imported.files} transcript(s), "
        f"{imported.added} new, {imported.already_known} known before, "
        f"{imported.not_applied} not applied, {imported.elsewhere} elsewhere"
    )
    say_passed_over(imported.passed_over)
    for number in sorted(imported.due_again):
        say(f"  pull request {number} will be audited again")
    if imported.unread:
        name_problems(imported.unread)
        raise click.exceptions.Exit(UNREAD)
