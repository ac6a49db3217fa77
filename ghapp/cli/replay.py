"""``ghapp replay``: audits merged pull requests again, from a clone or over GitHub."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghapp.cli.app_store import data_option, server_packages
from ghapp.cli.options import (
    as_of_option,
    carried_option,
    check_evidence,
    evidence_option,
    fingerprint_key_option,
    named_policy,
    root_option,
)
from ghapp.cli.output import is_quiet, progress_bar, quiet_option, say
from ghapp.cli.problems import SHOWN, list_problems, name_problems, say_passed_over
from ghapp.cli.replay_totals import say_totals
from ghapp.cli.times import as_last_instant, as_time

if TYPE_CHECKING:  # help and wrong use answer without the core
    from ghapp.auditing.replay import GatheredEvidence, ReplayProgress, ReplayResult, ReplayTerms
    from ghapp.documents.differences import AuditDifference
    from ghapp.git.history import LeftOut

UNREAD = 1
"""Exit status where some input could not be read."""

OWN = "repository"
"""As a policy's name: the repository's own file, as it was on the base before each merge."""


@click.command("replay", short_help="Audit merged pull requests again.")
@data_option
@click.option(
    "--git",
    "repository_path",
    metavar="REPO",
    type=click.Path(exists=True, path_type=Path),
    help="A clone: a checkout or a bare repository. [default: read over GitHub]",
)
@click.option(
    "--branch",
    metavar="NAME",
    default="HEAD",
    help="The branch whose history is read. [default: what is checked out]",
)
@click.option(
    "--since",
    metavar="DATE",
    callback=as_time,
    help="Only what was merged then or later; UTC, or with an offset.",
)
@click.option(
    "--until",
    metavar="DATE",
    callback=as_last_instant,
    help="Only what was merged then or earlier; a date alone is the whole day.",
)
@evidence_option
@carried_option
@click.option(
    "--output",
    metavar="FILE.jsonl",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="One audit document per line, oldest first. The file appears when it is complete.",
)
@click.option(
    "--repository",
    metavar="OWNER/NAME",
    help="The repository's name; without --git, the one to read over GitHub.",
)
@root_option
@click.option(
    "--commits",
    "every_commit",
    is_flag=True,
    help="Audit commits without a number, too.",
)
@as_of_option
@click.option(
    "--policy",
    "policy_name",
    metavar="NAME|FILE|repository",
    default="claude-code-v1",
    show_default=True,
    help="A built-in policy, a file that holds one, or the repository's own file, "
    "as it was on the base before each merge.",
)
@click.option(
    "--compare",
    "compared",
    metavar="A B",
    nargs=2,
    help="Two policies instead of one. FILE gets the differences (.html, .csv, .jsonl or .txt), "
    "FILE.before.jsonl and FILE.after.jsonl beside it get the documents.",
)
@fingerprint_key_option
@click.option(
    "--record",
    is_flag=True,
    help="Over GitHub: store the results as recorded audits, silently.",
)
@click.option(
    "--publish",
    type=click.Choice(["checks", "labels"]),
    multiple=True,
    help="Over GitHub: record, and write check runs or labels, within the hourly limit of writes.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1, max=256),
    help="Number of processes. [default: one for each processor]",
)
@quiet_option
def command(**options: Any) -> None:
    """Audit merged pull requests again, from a clone and transcripts or over GitHub.

    \b
    ghapp replay --git . --evidence ~/.claude/projects --output replay.jsonl
    ghapp replay --git . --evidence DIR --compare claude-code-v1 own.toml --output diff.html
    ghapp replay --repository acme/shop --since 2026-01-01 --output replay.jsonl

    The last one uses GitHub and the app's own evidence; run it where the app runs. After an
    interruption, the same command continues where it stopped.

    Exit status: 0 done, 1 some input could not be read, 2 wrong use.
    """  # noqa: D301 - the \b is click's mark for "do not wrap"
    from ghapp.auditing.processes import ProcessFailedError  # noqa: PLC0415 - see the top
    from ghapp.git.process import GitError  # noqa: PLC0415 - see the top

    if options["repository_path"] is None:
        _over_github(options)
        return
    _check_clone(options)
    signal.signal(signal.SIGTERM, _ask_to_stop)
    try:
        if options["compared"]:
            _compare(options)
        else:
            terms = _terms(options, options["policy_name"])
            _finish([(*_replay(terms, options["output"]), options["output"])])
    except GitError as error:
        raise click.UsageError(f"--git {options['repository_path']}: {error}") from error
    except ProcessFailedError as error:
        raise click.ClickException(f"{error}; try again with a smaller --jobs") from error
    except OSError as error:
        raise click.UsageError(f"{error.filename}: {error.strerror}") from error


def _check_clone(options: dict[str, Any]) -> None:
    """Refuse options that belong to a replay over GitHub. Raises `click.UsageError`."""
    check_evidence(options["evidence"], carried=options["carried"])
    if options["record"] or options["publish"]:
        raise click.UsageError("--record and --publish are for replays over GitHub, without --git")


OF_A_CLONE = {
    "evidence": "--evidence",
    "carried": "--carried",
    "roots": "--root",
    "every_commit": "--commits",
    "compared": "--compare",
    "fingerprint_key": "--fingerprint-key",
    "jobs": "--jobs",
}
"""Options that make no sense for a replay over GitHub."""


def _over_github(options: dict[str, Any]) -> None:
    if not options["repository"]:
        raise click.UsageError("give --git REPO for a clone, or --repository OWNER/NAME for GitHub")
    wrong = [name for option, name in OF_A_CLONE.items() if options[option]]
    if wrong or options["branch"] != "HEAD":
        raise click.UsageError(f"{', '.join(wrong) or '--branch'} belongs to --git REPO")
    with server_packages("a replay over GitHub"):
        from ghapp.cli.replay_github import replay_over_github  # noqa: PLC0415 - see the top
    if not replay_over_github(options):
        raise click.exceptions.Exit(UNREAD)


def _replay(
    terms: "ReplayTerms", output: Path, evidence: "GatheredEvidence | None" = None
) -> "tuple[ReplayResult, _Problems]":
    """Replay with a progress bar; return the result and the problems."""
    from ghapp.auditing.replay import replay, replay_with  # noqa: PLC0415 - see the top

    problems, now = _Problems(), datetime.now(UTC)
    with progress_bar("reading evidence") as show:

        def watch(progress: "ReplayProgress") -> None:
            problems.note(progress)
            show(progress.done, progress.total)

        if evidence is None:
            return replay(terms, output, now=now, watch=watch), problems
        return replay_with(evidence, terms, output, now=now, watch=watch), problems


def _compare(options: dict[str, Any]) -> None:
    """Replay by two policies as of the same moment, and write the differences."""
    from ghapp.auditing.replay import gathered  # noqa: PLC0415 - see the top
    from ghapp.cli.compare import FORMS, write_report  # noqa: PLC0415 - see the top
    from ghapp.documents.differences import compare, key  # noqa: PLC0415 - see the top
    from ghapp.documents.files import DocumentFile  # noqa: PLC0415 - see the top

    output: Path = options["output"]
    form = {"txt": "text"}.get(output.suffix[1:], output.suffix[1:])
    if form not in FORMS:
        raise click.UsageError("--compare needs --output with .html, .csv, .jsonl or .txt")
    options["as_of"] = options["as_of"] or datetime.now(UTC)
    names: tuple[str, str] = options["compared"]
    both = [_terms(options, name) for name in names]
    paths = [output.with_name(f"{output.name}.{side}.jsonl") for side in ("before", "after")]
    with gathered(both[0]) as evidence:
        done = [
            (*_replay(terms, path, evidence), path) for terms, path in zip(both, paths, strict=True)
        ]
    before = DocumentFile(paths[0])

    def found() -> "Iterator[AuditDifference]":
        return (compare(before.of(key(audit)), audit) for audit in DocumentFile(paths[1]))

    write_report(found, form, output, names)
    write_report(found, "text", None, names)
    _finish(done)


def _ask_to_stop(*_: object) -> None:
    """End as Ctrl-C does: remove processes and temporary files, keep finished audits."""
    raise KeyboardInterrupt


def _terms(options: dict[str, Any], policy: str) -> "ReplayTerms":
    from ghapp.auditing.replay import ReplayTerms  # noqa: PLC0415 - see the top

    return ReplayTerms(
        repository_path=options["repository_path"],
        evidence=options["evidence"],
        policy=None if policy == OWN else named_policy(policy),
        branch=options["branch"],
        since=options["since"],
        until=options["until"],
        every_commit=options["every_commit"],
        repository=options["repository"],
        roots=options["roots"],
        fingerprint_key=options["fingerprint_key"],
        at=options["as_of"],
        carried=options["carried"],
        jobs=options["jobs"] or _processors(),
    )


def _processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Problems:
    """What could not be read: how many pull requests, and the first problems in words."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.count = 0

    def note(self, progress: "ReplayProgress") -> None:
        if progress.problem is None:
            return
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(progress.problem)


def _finish(some: "list[tuple[ReplayResult, _Problems, Path]]") -> None:
    """Print summaries on standard error; exit with status 1 if an input could not be read."""
    whole = [_say(*one) for one in some]
    if not all(whole):
        raise click.exceptions.Exit(UNREAD)


def _say(done: "ReplayResult", problems: _Problems, output: Path) -> bool:
    """Print a summary of one replay; return whether all inputs could be read."""
    list_problems(problems.first, count=problems.count)
    name_problems(done.unread)
    lost = [one for one in done.left_out if one.is_lost]
    list_problems([f"{_named(one)}: {one.problem}; it is left out" for one in lost])
    _say_unplaced([one for one in done.left_out if not one.is_lost])
    if done.cut:
        click.echo(
            "the clone is shallow and lacks what was merged before its oldest commit: "
            "run git fetch --unshallow",
            err=True,
        )
    if not done.edits:
        click.echo(
            "warning: no edit of an agent was read, so every audit says no_evidence: check with "
            "`ghapp evidence check DIR` what --evidence names",
            err=True,
        )
    say(f"{done.edits} edit(s) of agents read", err=True)
    if not is_quiet():
        say_passed_over(done.passed_over, err=True)
    before = f", {done.resumed_from} of them before an interruption" if done.resumed_from else ""
    less = f", {done.incomplete} incomplete" if done.incomplete else ""
    say(f"{done.documents} audit document(s){before}{less}", err=True)
    say_totals(output)
    unread = len(done.unread) + problems.count
    say(f"{unread} input(s) could not be read", err=True)
    return not (done.incomplete or done.unread or done.cut or lost)


def _named(one: "LeftOut") -> str:
    number = "" if one.number is None else f"pull request #{one.number}, "
    return f"{number}commit {one.commit}"


def _say_unplaced(some: "list[LeftOut]") -> None:
    """Say which numbers stand in messages and belong to no merge of the branch."""
    if not some:
        return
    shown = ", ".join(f"#{one.number} in {one.commit[:12]}" for one in some[:SHOWN])
    more = f" and {len(some) - SHOWN} more" if len(some) > SHOWN else ""
    click.echo(
        f"{len(some)} number(s) in messages belong to no merge into this branch: {shown}{more}",
        err=True,
    )
