"""An audit's attributed lines as check-run annotations beside the code. It sends nothing."""

from collections.abc import Iterator

from ghapp.attribution.model import Audit, FileVerdict, LineVerdict, Struct
from ghapp.reports import words
from ghapp.reports.harmless import plain
from ghapp.reports.ranges import ranges
from ghapp.reports.summary import moment

MOST = 50
"""Annotations for one audit: GitHub accepts 50 per request.

https://docs.github.com/en/rest/checks/runs#create-a-check-run
"""


class LineAnnotation(Struct, frozen=True):
    """One range of lines; its members have the names of GitHub's check-run annotations."""

    path: str
    start_line: int
    end_line: int
    title: str
    message: str
    annotation_level: str = "notice"


def annotations(audit: Audit, most: int = MOST) -> list[LineAnnotation]:
    """Return the longest ranges, at most ``most``, by file and line."""
    found = [annotation for file in audit.files for annotation in _of_file(file)]
    places = sorted(range(len(found)), key=lambda place: (-_length(found[place]), place))
    return [found[place] for place in sorted(places[:most])]


def _of_file(file: FileVerdict) -> Iterator[LineAnnotation]:
    for run in ranges(file.lines, lambda line: (line.attributed, line.edit)):
        first = run[0]
        if first.attributed:
            yield LineAnnotation(
                path=file.path,
                start_line=first.line,
                end_line=run[-1].line,
                title=_title(run),
                message=_message(first),
            )


def _title(run: list[LineVerdict]) -> str:
    reasons = list(dict.fromkeys(line.reason for line in run if line.attributed))
    return f"Attributed: {words.listed([plain(reason) for reason in reasons])}"


def _message(line: LineVerdict) -> str:
    """Return a sentence that names the edit, so that a person can look it up."""
    agent = plain(words.agent_name(line.agent)) if line.agent else "An agent"
    when = f" on {moment(line.edited_at)}" if line.edited_at else ""
    edit = f" (edit {plain(line.edit)})" if line.edit else ""
    unsure = f" {words.NOT_RECORDED.capitalize()}." if line.outcome else ""
    return f"{agent} wrote this{when}{edit}.{unsure}"


def _length(annotation: LineAnnotation) -> int:
    return annotation.end_line - annotation.start_line + 1
