"""Differences between audits as a terminal table, an HTML page and rows. It compares nothing."""

from collections.abc import Callable, Iterable, Iterator
from html import escape

from rich.console import Console
from rich.table import Table

from ghapp.documents.differences import (
    CAUSES,
    AuditDifference,
    DifferenceSums,
    LineDifference,
    sums,
)
from ghapp.reports.harmless import visible
from ghapp.reports.standalone import page
from ghapp.reports.words import counted, sentence

Found = Callable[[], Iterable[AuditDifference]]
"""Returns the differences; called once for each pass, so that nothing is held in memory."""

COLUMNS = (
    *("repository", "pull_request", "merge_commit", "causes", "path", "line"),
    *("reason_before", "reason_after", "edit_before", "edit_after"),
    *("difference_before", "difference_after"),
)

MOST_LINES = 200
"""Lines of one pull request that the page shows; it only counts the others."""


def rows(differences: Iterable[AuditDifference]) -> Iterator[tuple[object, ...]]:
    """Yield one row for each line that differs, in the order of `COLUMNS`."""
    for pull in differences:
        for line in pull.lines:
            before, after = line.before, line.after
            yield (
                *(pull.repository, pull.pull_request, pull.merge_commit, " ".join(pull.causes)),
                *(line.path, line.line),
                *(before and before.reason, after and after.reason),
                *(before and before.edit, after and after.edit),
                *(before and before.difference, after and after.difference),
            )


# --- the terminal -------------------------------------------------------------------------------


def render(found: Found, console: Console) -> None:
    """Print a table of the pull requests that differ, then the totals."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in (("pull request", "left"), ("verdict", "left"), ("attributed", "right")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    table.add_column("lines", justify="right")
    table.add_column("causes", overflow="fold")
    for pull in found():
        if not pull.same:
            table.add_row(*map(visible, _cells(pull)))
    if table.row_count:
        console.print(table, markup=False)
    total = sums(found())
    console.print(_sentence(total), markup=False, highlight=False, soft_wrap=True)
    for name, counts in (("cause", total.by_cause), ("reason", total.by_reasons)):
        for what, count in counts.items():
            line = f"  {name:<6}  {count:>7}  {what}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _cells(pull: AuditDifference) -> tuple[str, ...]:
    before, after = pull.before, pull.after
    verdict = (
        str(after.verdict)
        if before.verdict is after.verdict
        else f"{before.verdict} -> {after.verdict}"
    )
    attributed = f"{before.totals.attributed} -> {after.totals.attributed}"
    return _name(pull), verdict, attributed, str(len(pull.lines)), ", ".join(pull.causes)


def _name(pull: AuditDifference) -> str:
    if pull.pull_request:
        return f"{pull.repository or ''}#{pull.pull_request}"
    return f"{pull.merge_commit}"[:12]


def _sentence(total: DifferenceSums) -> str:
    return (
        f"{counted(total.pull_requests, 'pull request')}: {total.same} the same, "
        f"{total.pull_requests - total.same} different in {counted(total.lines, 'line')}; "
        f"attributed {total.attributed_before} -> {total.attributed_after}"
    )


# --- the page -------------------------------------------------------------------------------------


def to_page(found: Found, before: str, after: str) -> Iterator[str]:
    """Yield the parts of a page that needs no network; ``before``, ``after`` name the two sides."""
    total = sums(found())
    whole = page("What differs, and why", _PLACE)
    head, tail = whole.split(_PLACE)
    yield head
    yield f'<p class="soft">{escape(visible(before))} against {escape(visible(after))}</p>\n'
    yield f"<p>{escape(_sentence(total))}.</p>\n"
    yield _counts("Causes", total.by_cause, "pull requests", CAUSES)
    yield _counts("Reasons, before and after", total.by_reasons, "lines", {})
    yield "<h2>Pull requests that differ</h2>\n" if total.same < total.pull_requests else ""
    for pull in found():
        if not pull.same:
            yield _pull_request(pull)
    yield tail


_PLACE = "<!-- what differs -->"


def _counts(title: str, counts: dict[str, int], unit: str, meaning: dict[str, str]) -> str:
    if not counts:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(meaning.get(name, ''))}</td>"
        f'<td class="number">{count}</td></tr>\n'
        for name, count in counts.items()
    )
    head = f'<tr><th></th><th></th><th class="number">{unit}</th></tr>\n'
    return f"<h2>{escape(title)}</h2>\n<table>\n{head}{rows}</table>\n"


def _pull_request(pull: AuditDifference) -> str:
    name, verdict, attributed, _, causes = (escape(visible(cell)) for cell in _cells(pull))
    shown = "".join(map(_line, pull.lines[:MOST_LINES]))
    rest = len(pull.lines) - MOST_LINES
    more = f'<p class="soft">and {counted(rest, "more line")}</p>\n' if rest > 0 else ""
    return (
        f"<article>\n<h3>{name}</h3>\n<p>{verdict}, attributed {attributed}: {causes}</p>\n"
        f"<details><summary>{counted(len(pull.lines), 'line')}</summary>\n<table>\n"
        f"<tr><th>line</th><th>before</th><th>after</th></tr>\n{shown}</table>\n{more}"
        "</details>\n</article>\n"
    )


def _line(line: LineDifference) -> str:
    place = escape(f"{visible(line.path)}:{line.line}")
    sides = "".join(
        "<td>not an added line</td>"
        if side is None
        else f"<td>{escape(side.reason)}<br>"
        f'<span class="soft">{escape(sentence(side.reason))}</span></td>'
        for side in (line.before, line.after)
    )
    return f"<tr><td><code>{place}</code></td>{sides}</tr>\n"
