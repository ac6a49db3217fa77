"""``ghapp audit``: audits a diff file or a git commit on this machine, without any server."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ghapp.cli.one_change import audit_change, change_options, check_change
from ghapp.cli.options import as_of_option, policy_option, root_option
from ghapp.cli.output import output_option, plain_text, show, write_out
from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # the core brings numpy; help and wrong use answer without it
    from ghapp.attribution.model import Audit
    from ghapp.offline import MovedLines

UNREAD = 1
"""Exit status where some input could not be read."""

WIDTH = 80
"""Columns of text that no terminal shows."""


@click.command("audit", short_help="Audit a diff file or a git commit, without any server.")
@change_options
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
    check_change(options)
    if options["lines"] and options["form"] != "text":
        raise click.UsageError(
            "--lines belongs to --format text; --format json holds every line anyway"
        )
    done = audit_change(options)
    _write(done.audit, options)
    _say_moved(done.moved)
    if done.problems:
        from ghapp.cli.problems import name_problems  # noqa: PLC0415 - see the top

        name_problems(done.problems)
        raise click.exceptions.Exit(UNREAD)


def _say_moved(some: "tuple[MovedLines, ...]") -> None:
    """Name the lines that only a policy with moved blocks would count."""
    for one in some:
        path, edited = visible(one.path), visible(one.edited_path)
        click.echo(
            f"{path}: {one.lines} lines equal those of an edit in {edited}: "
            "moved_blocks = true would count them",
            err=True,
        )


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
