"""``ghapp sample``: draws lines at random for people to judge, and scores their answers."""

import csv
import secrets
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import click

from ghapp.attribution.model import Audit
from ghapp.cli.app_store import data_option
from ghapp.cli.output import at_work, format_option, print_json, quiet_option, say
from ghapp.cli.source_text import SourceText, clone_option
from ghapp.documents.files import DocumentError, documents
from ghapp.documents.sampling import (
    STRATA,
    SampleAnswer,
    SampledLine,
    SampleScore,
    SamplingFrame,
    score,
)
from ghapp.git.process import GitError
from ghapp.reports.sample_page import ANSWERS, COLUMNS, ShownLine, rows, to_page
from ghapp.reports.tables import to_csv

SEEDS = 1_000_000_000
"""Seeds are drawn below it: short enough to type."""


def _as_strata(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(value.split(","))
    if set(names) - set(STRATA) or len(set(names)) != len(names):
        raise click.BadParameter(f"give some of {','.join(STRATA)}", ctx, param)
    return names


@click.command("sample", short_help="Draw lines for people to judge, and score their answers.")
@data_option
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--size", metavar="N", type=click.IntRange(min=1), default=200, show_default=True)
@click.option(
    "--by",
    metavar="STRATA",
    default="reason",
    show_default=True,
    callback=_as_strata,
    help="Draw some lines of each kind; kinds differ in these: reason,agent,share.",
)
@click.option(
    "--lines",
    "which",
    type=click.Choice(["attributed", "counted"]),
    default="attributed",
    show_default=True,
    help="Which lines may be drawn: attributed ones, or all counted ones.",
)
@click.option("--seed", metavar="N", type=click.IntRange(min=0), help="Draw the same lines again.")
@clone_option
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="A table (.csv), or a page that records answers (.html).",
)
@click.option(
    "--score",
    "answers",
    metavar="FILE.csv",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Score the answers in this table.",
)
@format_option
@quiet_option
def command(files: tuple[Path, ...], answers: Path | None, **options: Any) -> None:
    """Draw lines of audit documents at random; estimate from people's answers how many are right.

    \b
    ghapp sample replay.jsonl --git . --output judge.html
    ghapp sample --score answers.csv

    FILE holds audit documents, one per line, or is a bundle. Exit status: 0 done, 1 a document or
    an answer could not be read, 2 wrong use.
    """  # noqa: D301 - the \b is click's mark for "do not wrap"
    if answers is not None:
        _score(answers, options["form"])
        return
    if not files or options["output"] is None:
        raise click.UsageError("give files of audit documents and --output, or --score FILE")
    if options["output"].suffix not in {".csv", ".html"}:
        raise click.UsageError("--output: name a file that ends in .csv or .html")
    try:
        _draw(files, options)
    except DocumentError as error:
        raise click.ClickException(str(error)) from error


def _draw(files: tuple[Path, ...], options: dict[str, Any]) -> None:
    seed = secrets.randbelow(SEEDS) if options["seed"] is None else options["seed"]
    random = Random(seed)  # noqa: S311 - drawn so that it can be drawn again
    frame = SamplingFrame(options["by"], counted=options["which"] == "counted")
    with at_work("drawing lines"):
        for audit in _audits(files):
            frame.count(audit)
        drawn = frame.draw(options["size"], random)
        lines = list(frame.picked(_audits(files), drawn))
        random.shuffle(lines)
        shown = list(_with_text(lines, options["clone"]))
    text = (
        to_page(shown, seed=seed)
        if options["output"].suffix == ".html"
        else "".join(to_csv(COLUMNS, (tuple(row) for row in rows(shown))))
    )
    options["output"].write_text(text, encoding="utf-8", newline="")
    if options["form"] == "json":
        sizes = sorted(frame.sizes.items())
        strata = [{"name": name, "drawn": len(drawn[name]), "lines": size} for name, size in sizes]
        print_json({"seed": seed, "drawn": len(lines), "strata": strata})
        return
    say(f"{len(lines)} of {frame.sizes.total()} lines, drawn with --seed {seed}")
    for stratum, size in sorted(frame.sizes.items()):
        say(f"  {stratum}: {len(drawn[stratum])} of {size}")


def _audits(files: tuple[Path, ...]) -> Iterator[Audit]:
    for path in files:
        for placed in documents(path):
            yield placed.audit


def _with_text(lines: list[SampledLine], clone: Path | None) -> Iterator[ShownLine]:
    source = SourceText(clone)
    for line in lines:
        try:
            text = source.line(line.merge_commit, line.path, line.verdict.line)
        except GitError:
            text = None  # a document of another repository
        yield ShownLine(line=line, text=text)


_MEASURES = {
    "attributed": "precision of attributed lines",
    "not_attributed": "rightly not",
}


def _score(path: Path, form: str) -> None:
    answers = list(_answers(path))
    scores = {
        what: score(one for one in answers if one.attributed is attributed)
        for attributed, what in ((True, "attributed"), (False, "not_attributed"))
    }
    unanswered = sum(one.agrees is None for one in answers)
    if form == "json":
        known = len(answers) - unanswered
        print_json({**scores, "answers": known, "without_answer": unanswered})
    else:
        for what, found in scores.items():
            if found is not None:
                click.echo(f"{_MEASURES[what]}: {_sentence(found)}")
        click.echo(f"{len(answers) - unanswered} answers, {unanswered} without one or unsure")
    if unanswered == len(answers):
        raise click.ClickException(f"{path} holds no answers: agree or disagree in its last column")


def _sentence(found: SampleScore) -> str:
    rest = f"; {found.unknown} more are unknown" if found.unknown else ""
    return (
        f"{found.estimate:.1%}, with 95 % confidence {found.low:.1%} to {found.high:.1%} "
        f"({found.answers} answers for {found.lines} lines{rest})"
    )


def _answers(path: Path) -> Iterator[SampleAnswer]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            try:
                yield _answer(row)
            except (KeyError, ValueError, TypeError) as error:
                problem = f"{path}:{number}: {error}; give the table that `ghapp sample` made"
                raise click.ClickException(problem) from error


def _answer(row: dict[str, str]) -> SampleAnswer:
    given = row["answer"].strip().lower()
    if given not in {*ANSWERS, ""}:
        raise ValueError(f"answer {given!r}; use {', '.join(ANSWERS)}")
    return SampleAnswer(
        stratum=row["stratum"],
        stratum_lines=int(row["stratum_lines"]),
        attributed={"true": True, "false": False}[row["attributed"].strip().lower()],
        agrees={"agree": True, "disagree": False}.get(given),
    )
