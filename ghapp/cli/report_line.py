"""``ghapp report-line``: makes a report of a line's reason that shows nobody's code."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ghapp.cli.one_change import audit_change, change_options, check_change
from ghapp.cli.options import policy_option, root_option
from ghapp.cli.output import at_work, output_option, quiet_option, write_out

if TYPE_CHECKING:  # the core is imported when a command runs, not for help and wrong use
    from ghapp.documents.line_report import LineReport
    from ghapp.offline import OfflineAudit

NOT_DONE = 1
"""Exit status where there is no report, or some input could not be read."""

LONGEST_ISSUE = 65_536
"""Characters that GitHub takes in an issue."""


@click.command("report-line", short_help="Report a line's wrong reason without showing your code.")
@click.argument("place", metavar="PATH:LINE")
@change_options
@root_option
@policy_option
@click.option(
    "--folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a case folder, as fixtures/audits has them, instead of Markdown.",
)
@output_option
@quiet_option
def command(place: str, **options: Any) -> None:
    """Make a report of an added line's reason, to be pasted into a public issue.

    \b
    ghapp report-line src/app.py:42 --git . --commit HEAD --evidence ~/.claude/projects
    ghapp report-line src/app.py:42 --diff change.diff --merged-at 2026-05-20T15:30:00Z
      --evidence DIR

    The report holds what the reason rests on: a diff and a piece of transcript. Code, paths,
    names, ids and times are replaced by made-up ones of the same form; common words, signs and
    file extensions stay. It is printed only if its own audit gives the line the same reason.
    Read it before you paste it.

    Exit status: 0 done, 1 no report, or some input could not be read, 2 wrong use.
    """  # noqa: D301 - the \b is click's mark for "do not wrap"
    check_change(options)
    if options["folder"] is not None:
        _check_folder(options["folder"], options["output"])
    done = audit_change(options)
    if done.change.complete:
        with at_work("making the report smaller"):
            report = _report(place, done, options["policy_name"])
        _write(report, options)
    if done.problems:
        from ghapp.cli.problems import name_problems  # noqa: PLC0415 - see the top

        name_problems(done.problems)
        raise click.exceptions.Exit(NOT_DONE)


def _check_folder(folder: Path, output: Path | None) -> None:
    if output is not None:
        raise click.UsageError("give --folder DIR or --output FILE; both are given")
    if folder.exists() and any(folder.iterdir()):
        raise click.UsageError(f"--folder {folder}: it is not empty; name a new folder")


def _report(place: str, done: "OfflineAudit", policy_name: str) -> "LineReport":
    """Return the report of the line that the argument names. Raises `click.ClickException`."""
    from ghapp.auditing.line_case import LineCase, verdict_on  # noqa: PLC0415 - see the top
    from ghapp.auditing.report_line import NotKeptError, report_line  # noqa: PLC0415
    from ghapp.cli.options import named_policy  # noqa: PLC0415
    from ghapp.reports.harmless import visible  # noqa: PLC0415

    path, colon, number = place.rpartition(":")
    if not colon or not number.isdecimal():
        raise click.UsageError(visible(f"{place}: give PATH:LINE, such as src/app.py:42", 500))
    verdict = verdict_on(done.audit, path, int(number))
    if verdict is None:
        _refuse(done, path, number)
    case = LineCase(
        subject=done.subject,
        change=done.change,
        evidence=done.evidence,
        policy=named_policy(policy_name),
        path=path,
        line=int(number),
    )
    try:
        return report_line(case, verdict)
    except NotKeptError as error:
        message = f"no report: {place} is {verdict.reason}, but {error}; describe it by hand"
        raise click.ClickException(visible(message, 500)) from error


def _refuse(done: "OfflineAudit", path: str, number: str) -> NoReturn:
    """Raise the error for a line that the change does not add, with what it adds."""
    from ghapp.reports.harmless import visible  # noqa: PLC0415 - see the top

    added = [line.line for file in done.audit.files if file.path == path for line in file.lines]
    if added:
        problem = f"line {number} of {path} is not added; {added[0]} is the first that is"
    else:
        problem = f"no added line in {path}; the change has {_some(done)}"
    raise click.UsageError(visible(problem, 500))


def _some(done: "OfflineAudit") -> str:
    paths = [file.path for file in done.audit.files if file.lines]
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return f"{', '.join(paths[:3]) or 'no added line'}{more}"


def _write(report: "LineReport", options: dict[str, Any]) -> None:
    if options["folder"] is not None:
        _write_folder(report, options["folder"])
        return
    from ghapp.reports.line_report import to_markdown  # noqa: PLC0415 - see the top

    text = to_markdown(report)
    write_out([text], options["output"])
    length = len(text.decode())
    if length > LONGEST_ISSUE:
        click.echo(
            f"the report has {length:,} characters, and an issue takes {LONGEST_ISSUE:,}: "
            "attach it as a file",
            err=True,
        )


def _write_folder(report: "LineReport", folder: Path) -> None:
    from ghapp.documents.line_report import to_case_folder  # noqa: PLC0415 - see the top

    if not report.is_built_in:
        raise click.ClickException(
            "--folder: a case names a built-in policy, and this reason rests on another one; "
            "leave --folder out"
        )
    try:
        for name, content in to_case_folder(report).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise click.UsageError(f"--folder {folder}: {error.strerror}") from error
