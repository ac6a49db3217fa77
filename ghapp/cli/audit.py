"""``ghapp audit``: audits a diff file or a git commit on this machine, without any server."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghapp.cli.options import (
    as_of_option,
    carried_option,
    check_evidence,
    evidence_option,
    named_policy,
    policy_option,
    root_option,
)
from ghapp.cli.output import output_option, plain_text, show, write_out
from ghapp.cli.times import as_time

if TYPE_CHECKING:  # the core brings numpy; help and wrong use answer without it
    from ghapp.attribution.model import Audit
    from ghapp.offline import OfflineAudit, OfflineTerms

UNREAD = 1
"""Exit status where some input could not be read."""

WIDTH = 80
"""Columns of text that no terminal shows."""

STANDARD_INPUT = "-"


@click.command("audit", short_help="Audit a diff file or a git commit, without any server.")
@click.option(
    "--diff",
    "diff_file",
    metavar="FILE",
    help="The change as a unified diff; - reads standard input.",
)
@click.option(
    "--git",
    "repository_path",
    metavar="REPO",
    type=click.Path(exists=True, path_type=Path),
    help="A git repository, with --commit.",
)
@click.option("--commit", metavar="SHA", help="The commit to audit as if it were a pull request.")
@click.option(
    "--base",
    metavar="SHA",
    help="What the commit was merged into. [default: the commit's first parent]",
)
@click.option(
    "--merged-at",
    metavar="TIME",
    callback=as_time,
    help="When it was merged: ISO 8601, UTC where no offset is given. "
    "[default with --git: the commit's time]",
)
@evidence_option
@carried_option
@click.option("--repository", metavar="OWNER/NAME", help="The repository's name.")
@click.option("--pull-request", metavar="N", type=click.IntRange(min=1), help="Its number.")
@root_option
@as_of_option
@policy_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="text for people, markdown as the comment on GitHub, json as one audit document.",
)
@click.option(
    "--lines/--no-lines",
    "--explain",
    default=False,
    help="With text: print the reason of every added line.",
)
@output_option
def command(**options: Any) -> None:
    """Say which added lines of a change were written in AI coding sessions, and why.

    \b
    ghapp audit --git . --commit HEAD --evidence ~/.claude/projects
    ghapp audit --diff change.diff --merged-at 2026-05-20T15:30:00Z --evidence DIR

    Exit status: 0 done, 1 some input could not be read, 2 wrong use.
    """  # noqa: D301 - the \b is click's mark for "do not wrap"
    _check_use(options)
    terms = _terms(options)
    done = _of_diff(options, terms) if options["diff_file"] else _of_commit(options, terms)
    _write(done.audit, options)
    if done.problems:
        from ghapp.cli.problems import name_problems  # noqa: PLC0415 - see the top

        name_problems(done.problems)
        raise click.exceptions.Exit(UNREAD)


def _check_use(options: dict[str, Any]) -> None:
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
    if options["lines"] and options["form"] != "text":
        raise click.UsageError(
            "--lines belongs to --format text; --format json holds every line anyway"
        )


def _terms(options: dict[str, Any]) -> "OfflineTerms":
    from ghapp.offline import OfflineTerms  # noqa: PLC0415 - see the top

    return OfflineTerms(
        evidence=options["evidence"],
        policy=named_policy(options["policy_name"]),
        at=options["as_of"] or datetime.now(UTC),
        roots=options["roots"],
        repository=options["repository"],
        pull_request=options["pull_request"],
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


def _write(audit: "Audit", options: dict[str, Any]) -> None:
    """Write the audit to ``--output``; text on a terminal gets color and its own width."""
    if options["form"] == "text":
        from ghapp.reports.terminal import render  # noqa: PLC0415 - see the top

        drawn = partial(render, audit, lines=options["lines"])
        if options["output"] is None:
            show(drawn, WIDTH)
            return
        written = plain_text(drawn, WIDTH)
    else:
        written = _FORMS[options["form"]](audit)
    write_out([written], options["output"])


def _markdown(audit: "Audit") -> bytes:
    from ghapp.reports.markdown import comment  # noqa: PLC0415 - see the top
    from ghapp.reports.summary import summarize  # noqa: PLC0415 - see the top

    return comment(summarize(audit)).encode()


def _json(audit: "Audit") -> bytes:
    from ghapp.attribution.document import to_document  # noqa: PLC0415 - see the top

    return to_document(audit) + b"\n"


_FORMS: dict[str, Callable[["Audit"], bytes]] = {"markdown": _markdown, "json": _json}
