"""The options that name one change and its evidence, and the offline audit of it.

`ghapp audit` and `ghapp report-line` share them. It prints nothing.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghapp.cli.options import carried_option, check_evidence, evidence_option, named_policy
from ghapp.cli.output import at_work
from ghapp.cli.times import as_time

if TYPE_CHECKING:  # the core brings numpy; help and wrong use answer without it
    from ghapp.offline import OfflineAudit, OfflineTerms

STANDARD_INPUT = "-"

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--diff",
        "diff_file",
        metavar="FILE",
        help="The change as a unified diff; - reads standard input.",
    ),
    click.option(
        "--git",
        "repository_path",
        metavar="REPO",
        type=click.Path(exists=True, path_type=Path),
        help="A git repository, with --commit.",
    ),
    click.option(
        "--commit", metavar="SHA", help="The commit to audit as if it were a pull request."
    ),
    click.option(
        "--base",
        metavar="SHA",
        help="What the commit was merged into. [default: the commit's first parent]",
    ),
    click.option(
        "--merged-at",
        metavar="TIME",
        callback=as_time,
        help="When it was merged: ISO 8601, UTC where no offset is given. "
        "[default with --git: the commit's time]",
    ),
    evidence_option,
    carried_option,
    click.option("--repository", metavar="OWNER/NAME", help="The repository's name."),
)


def change_options(command: CommandT) -> CommandT:
    """Add the options to a command; a decorator. They come in the order of the table."""
    return reduce(lambda made, option: option(made), reversed(_OPTIONS), command)


def check_change(options: dict[str, Any]) -> None:
    """Refuse combinations that make no sense. Raises `click.UsageError` with what to give."""
    diff, repository = options["diff_file"], options["repository_path"]
    if bool(diff) == bool(repository):
        found = "both are" if diff else "neither is"
        raise click.UsageError(
            f"give either --diff FILE or --git REPO with --commit SHA; {found} given"
        )
    if repository and not options["commit"]:
        raise click.UsageError("--git needs --commit SHA, for example --commit HEAD")
    if diff and (options["commit"] or options["base"]):
        raise click.UsageError("--commit and --base belong to --git; a diff file has none")
    if diff and options["carried"]:
        raise click.UsageError("--carried belongs to --git; a diff file carries no evidence")
    check_evidence(options["evidence"], carried=options["carried"])
    if diff and not options["merged_at"]:
        raise click.UsageError(
            "--diff needs --merged-at TIME: evidence counts only near the time of the merge"
        )


def audit_change(options: dict[str, Any]) -> "OfflineAudit":
    """Audit the change that the options name. Raises `click.UsageError`."""
    terms = _terms(options)
    with at_work("reading transcripts"):
        return _of_diff(options, terms) if options["diff_file"] else _of_commit(options, terms)


def _terms(options: dict[str, Any]) -> "OfflineTerms":
    from ghapp.offline import OfflineTerms  # noqa: PLC0415 - see the top

    return OfflineTerms(
        evidence=options["evidence"],
        policy=named_policy(options["policy_name"]),
        at=options.get("as_of") or datetime.now(UTC),
        roots=options["roots"],
        repository=options["repository"],
        pull_request=options.get("pull_request"),
        carried=options["carried"],
    )


def _of_diff(options: dict[str, Any], terms: "OfflineTerms") -> "OfflineAudit":
    from ghapp.offline import audit_diff  # noqa: PLC0415 - see the top

    name = options["diff_file"]
    try:
        text = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
    except OSError as error:
        raise click.UsageError(f"--diff {name}: {error.strerror}") from error
    shown = "standard input" if name == STANDARD_INPUT else name
    return audit_diff(text, name=shown, merged_at=options["merged_at"], terms=terms)


def _of_commit(options: dict[str, Any], terms: "OfflineTerms") -> "OfflineAudit":
    from ghapp.git.repository import GitError, GitRepository  # noqa: PLC0415 - see the top
    from ghapp.offline import audit_commit  # noqa: PLC0415 - see the top

    try:
        return audit_commit(
            GitRepository(options["repository_path"]),
            options["commit"],
            base=options["base"],
            merged_at=options["merged_at"],
            terms=terms,
        )
    except GitError as error:
        raise click.UsageError(f"--git {options['repository_path']}: {error}") from error
