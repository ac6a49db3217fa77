"""``ghapp verify``: checks a bundle of records offline, without the app."""

import io
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghapp.cli.options import carried_option, fingerprint_key_option, root_option
from ghapp.cli.output import at_work, format_option, print_json
from ghapp.cli.problems import LONGEST, SHOWN, list_problems
from ghapp.records.check import BundleCheck
from ghapp.records.keys import PublicKeyError, named_key
from ghapp.records.since import CheckedBundle, checked, lacking
from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # only --git needs the core
    from ghapp.auditing.recompute import RecomputeResult

BROKEN = 1
"""Exit status where the bundle was altered, or a verdict differs."""


@click.command("verify", short_help="Check a bundle of recorded audits offline.")
@click.argument(
    "bundle", metavar="BUNDLE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--public-key",
    "public_keys",
    metavar="ID|FILE",
    multiple=True,
    help="A key that you trust, by its ID or its PEM file. May be given several times. "
    "[default: those in the bundle]",
)
@click.option(
    "--since",
    "older",
    metavar="BUNDLE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An older bundle that you kept: name every record of it that is missing now.",
)
@click.option(
    "--github",
    "on_github",
    is_flag=True,
    help="Compare with the records that check runs on GitHub name. Reads GITHUB_TOKEN.",
)
@click.option(
    "--git",
    "clone",
    metavar="REPO",
    type=click.Path(exists=True, path_type=Path),
    help="A clone of the repository: compare every change with the audited one.",
)
@click.option(
    "--branch",
    metavar="NAME",
    default="HEAD",
    help="With --git: the branch whose history is read. [default: what is checked out]",
)
@click.option(
    "--evidence",
    metavar="DIR",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="With --git: transcripts, read recursively, to recompute every verdict. "
    "May be given several times.",
)
@carried_option
@root_option
@fingerprint_key_option
@format_option
def command(bundle: Path, public_keys: tuple[str, ...], form: str, **options: Any) -> None:
    """Check signatures, chains and seal of a bundle, and say what was altered.

    \b
    ghapp verify shop.bundle.jsonl
    ghapp verify shop.bundle.jsonl --since last-year.bundle.jsonl --github
    ghapp verify shop.bundle.jsonl --git . --evidence ~/.claude/projects

    Exit status: 0 nothing was altered, 1 something was, or could not be recomputed, 2 wrong use.
    """  # noqa: D301 - the \b is click's mark for "do not wrap"
    needing = ("evidence", "carried", "fingerprint_key")
    if options["clone"] is None and any(options[name] for name in needing):
        raise click.UsageError("--evidence, --carried and --fingerprint-key need --git REPO")
    try:
        trusted = frozenset(map(named_key, public_keys))
    except PublicKeyError as error:
        raise click.UsageError(f"--public-key: {error}") from error
    with at_work("checking the bundle"):
        new = checked(bundle, trusted)
    if new.done.header is None and not new.done.records:
        raise click.UsageError(
            f"{visible(str(bundle), LONGEST)} is no bundle of records: "
            "give a file that `ghapp export-audit` wrote"
        )
    found = _members(new.done)
    with _spoken(found, form):
        found["is_whole"] = _verify(new, bundle, trusted, options, found)
    if not found["is_whole"]:
        raise click.exceptions.Exit(BROKEN)


@contextmanager
def _spoken(found: dict[str, Any], form: str) -> Iterator[None]:
    """Let the block print its sentences; with json print ``found`` instead of them."""
    if form == "text":
        yield
        return
    with redirect_stdout(io.StringIO()):
        yield
    print_json(found)


def _members(done: BundleCheck) -> dict[str, Any]:
    """Return what ``--format json`` says; what was not asked stays null."""
    repositories = [] if done.header is None else [one.name for one in done.header.repositories]
    return {
        "is_whole": False,
        "repositories": repositories,
        "made_at": done.header and done.header.made_at,
        "records": done.records,
        "documents": done.documents,
        "signed_later": done.signed_later,
        "signed_by": done.signed_by,
        "problems": done.problems,
        "has_every_older_record": None,
        "is_as_on_github": None,
        "recomputed": None,
    }


def _verify(
    new: CheckedBundle,
    bundle: Path,
    trusted: frozenset[str],
    options: dict[str, Any],
    found: dict[str, Any],
) -> bool:
    """Say what was found, note it in ``found``, and return whether all of it is well."""
    list_problems([f"line {one.line}: {one.problem}" for one in new.done.problems])
    _say(new.done, trusted=bool(trusted))
    older, on_github = options.pop("older"), options.pop("on_github")
    if new.done.problems:
        return False
    if older is not None:
        found["has_every_older_record"] = _compare_older(new, older, trusted)
    if on_github:
        found["is_as_on_github"] = _compare_github(new, bundle, trusted)
    if False in {found["has_every_older_record"], found["is_as_on_github"]}:
        return False
    if options["clone"] is None:
        return True
    counts = _recompute(bundle, options)
    found["recomputed"] = {str(result): count for result, count in counts.items()}
    return not any(result in WORDS for result in counts)


def _recompute(bundle: Path, options: dict[str, Any]) -> "Counter[RecomputeResult]":
    """Say how many verdicts are the same, recomputed here; return how many had which result."""
    from ghapp.auditing.recompute import RecomputeInputs, RecomputeResult, recompute  # noqa: PLC0415 - see above
    from ghapp.git.process import GitError  # noqa: PLC0415 - the core is not needed without --git

    counts: Counter[RecomputeResult] = Counter()
    try:
        with at_work("computing again"):
            again = list(recompute(RecomputeInputs(**options), bundle))
        for one in again:
            counts[one.result] += 1
            if one.result in WORDS and counts[one.result] <= SHOWN:
                line = f"{one.record.name}: {WORDS[one.result]}"
                click.echo(visible(f"{line}: {one.why}" if one.why else line, LONGEST), err=True)
    except GitError as error:
        raise click.UsageError(f"--git {options['clone']}: {error}") from error
    what = "verdicts" if options["evidence"] or options["carried"] else "changes"
    click.echo(f"{counts[RecomputeResult.SAME]} {what} are the same, recomputed here")
    for result in filter(counts.get, RecomputeResult):
        if result is not RecomputeResult.SAME:
            click.echo(f"{counts[result]} {result.replace('_', ' ')}")
    return counts


WORDS = {
    "different": "another result from the same inputs",
    "other_inputs": "the app had other inputs than these",
    "not_found": "could not be recomputed",
}
"""Result of a recomputation that a person has to look at → in words."""


def _compare_older(new: CheckedBundle, older: Path, trusted: frozenset[str]) -> bool:
    """Say what the bundle lacks of an older one; return whether it lacks nothing."""
    old = checked(older, trusted)
    if old.done.problems:
        first = old.done.problems[0]
        click.echo(f"{older} is NOT whole itself: line {first.line}: {first.problem}")
        return False
    missing = lacking(new, old)
    list_problems(missing)
    if missing:
        click.echo(f"{len(missing)} problem(s): the bundle is NOT a continuation of {older}")
        return False
    click.echo(f"it has every record of {older}")
    return True


def _compare_github(new: CheckedBundle, bundle: Path, trusted: frozenset[str]) -> bool:
    """Say what check runs on GitHub name and the bundle lacks; return whether that is nothing."""
    # Not at the top: verifying offline needs none of the server's packages.
    from ghapp.auditing.check_runs import audited_pulls, compare_runs  # noqa: PLC0415
    from ghapp.github.answers import GitHubError  # noqa: PLC0415

    token = os.environ.get("GITHUB_TOKEN", "")
    if not token:
        raise click.UsageError("--github needs GITHUB_TOKEN: a token that may read the checks")
    address = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    try:
        done = compare_runs(audited_pulls(bundle, trusted), new.chains, address, token)
    except (GitHubError, ValueError) as error:
        raise click.UsageError(f"--github: {error}") from error
    list_problems(list(done.problems))
    by = f" of {', '.join(done.apps)}" if done.apps else ""
    told = (
        f"{done.same} check run(s){by} on GitHub name records that the bundle has; "
        f"{done.silent} pull request(s) have no such run"
    )
    click.echo(visible(told, LONGEST))
    return not done.problems


def _say(done: BundleCheck, *, trusted: bool) -> None:
    if done.header is not None:
        names = ", ".join(one.name for one in done.header.repositories)
        made_at = done.header.made_at.isoformat()
        click.echo(visible(f"bundle of {names}, made {made_at} by {done.header.engine}", LONGEST))
    later = f", {done.signed_later} of them signed later" if done.signed_later else ""
    click.echo(f"{done.records} record(s){later}, {done.documents} document(s)")
    for key, count in done.signed_by.items():
        click.echo(f"{count} signature(s) of key {key}")
    if done.problems:
        click.echo("the bundle is NOT whole")
    elif trusted:
        click.echo("signatures, chains and seal are whole")
    else:
        click.echo(
            "signatures, chains and seal are whole; to be sure that the key is the app's, ask its "
            "operator for it (ghapp admin record-keys) and give it with --public-key"
        )
