"""An audit as text for a terminal of 80 columns. It opens no file and no terminal.

The caller's console decides on color and width. Text from users is printed without markup.
"""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, JustifyMethod
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ghapp.attribution.model import Audit, AuditState, FileVerdict, LineVerdict
from ghapp.reports import declared, words
from ghapp.reports.harmless import visible
from ghapp.reports.ranges import ranges
from ghapp.reports.summary import (
    AuditSummary,
    ExcludedFile,
    FileRow,
    ReasonCount,
    moment,
    percent,
    summarize,
)

BAR_WIDTH = 40
"""Width of the bar that shows the share, in columns."""

LONGEST = 1000
"""Characters of the line about what was passed over: tools name themselves."""

_COLORS = {
    words.ATTRIBUTED_GROUP: "green",
    words.NOT_ATTRIBUTED_GROUP: "yellow",
    words.NOT_COUNTED_GROUP: "bright_black",
}


def render(audit: Audit, console: Console, *, lines: bool = False) -> None:
    """Print an audit; with ``lines``, also the reason of every range of added lines."""
    summary = summarize(audit)
    with console.capture() as capture:
        _render(summary, console)
        if lines:
            _render_lines(audit.files, console)
        console.print()
        _print(console, _footer(summary), style="bright_black")
    # Rich pads the last column of a table with spaces, which nobody wants in a file or a paste.
    console.file.write("".join(line.rstrip() + "\n" for line in capture.get().splitlines()))
    console.file.flush()


def _render(summary: AuditSummary, console: Console) -> None:
    _print(console, _subject(summary), style="bright_black")
    console.print()
    _print(console, summary.headline, style="bold")
    if summary.has_share:
        console.print(_bar(summary, console))
    _print(console, summary.sentence)
    if summary.span:
        _print(console, words.how_sure(summary.span))
    if summary.advice:
        _print(console, summary.advice.replace("`", ""))
    agents = [(visible(words.agent_name(agent)), lines) for agent, lines in summary.by_agent]
    if said := words.each_agents(agents, summary.documented):
        _print(console, said)
    _print(console, _state(summary))
    if summary.reading:
        _print(console, visible(summary.reading, LONGEST))
    if said := declared.beside(summary.declared, summary.measured, visible):
        _print(console, said)
    if said := declared.pushed(summary.agent_commits, summary.declared, visible):
        _print(console, said)
    for warning in _warnings(summary):
        _print(console, warning, style="bold red")
    for title, table in _tables(summary):
        console.print()
        _print(console, title, style="bold")
        console.print(Padding(table, (0, 0, 0, 2)))


def _print(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style), highlight=False)


def _subject(summary: AuditSummary) -> str:
    """Return what was audited: ``acme/app #17, merged 2026-05-20 15:30 UTC``."""
    number = None if summary.pull_request is None else f"#{summary.pull_request}"
    commit = summary.merge_commit and visible(summary.merge_commit[:12])
    name = summary.repository and visible(summary.repository)
    named = " ".join(filter(None, [name, number, commit])) or "A change"
    return f"{named}, merged {moment(summary.merged_at)}"


def _bar(summary: AuditSummary, console: Console) -> Text:
    """Draw the share, rounded down like the number; a share above zero is never an empty bar."""
    filled = summary.attributed * BAR_WIDTH // max(summary.effective, 1)
    filled = max(filled, 1 if summary.attributed else 0)
    unicode = console.encoding.lower().startswith("utf")
    full, empty = ("█", "░") if unicode else ("#", ".")
    share = percent(summary.attributed, summary.effective)
    return Text.assemble(
        (full * filled, "green"), (empty * (BAR_WIDTH - filled), "bright_black"), f" {share}"
    )


def _state(summary: AuditSummary) -> str:
    until = moment(summary.window[1])
    if summary.state is AuditState.PROVISIONAL:
        return f"Provisional: evidence up to {until} still counts."
    return f"Final: the window closed on {until}."


def _warnings(summary: AuditSummary) -> Iterator[str]:
    if summary.missing:
        yield f"Could not be read: {words.listed([visible(path) for path in summary.missing])}"
    if summary.unread_records:
        records = words.counted(summary.unread_records, "evidence record")
        yield f"{records} could not be read; lines that only they support are not attributed."


def _tables(summary: AuditSummary) -> Iterator[tuple[str, Table]]:
    if summary.reasons:
        yield "Reasons", _reasons(summary.reasons)
    if summary.files:
        yield "Files", _files(summary.files)
    if summary.excluded:
        yield "Excluded files", _excluded(summary.excluded)


def _table(*, second: JustifyMethod = "left") -> Table:
    """Return an empty table without borders: a number, a short text, and a text that may fold."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify=second, no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _reasons(rows: Iterable[ReasonCount]) -> Table:
    table = _table()
    for row in rows:
        reason = Text(visible(row.reason), style=_COLORS[row.group])
        table.add_row(f"{row.lines:,}", reason, row.sentence)
    return table


def _files(rows: Iterable[FileRow]) -> Table:
    table = _table(second="right")
    for row in rows:
        earlier = f" (was {visible(row.previous_path)})" if row.previous_path else ""
        table.add_row(
            row.share,
            f"{row.attributed:,} of {row.effective:,}",
            Text(visible(row.path) + earlier),
        )
    return table


def _excluded(rows: Iterable[ExcludedFile]) -> Table:
    table = _table()
    for row in rows:
        table.add_row(
            f"{row.added:,}", Text(visible(row.rule), style="bright_black"), Text(visible(row.path))
        )
    return table


def _render_lines(files: Iterable[FileVerdict], console: Console) -> None:
    for file in files:
        if not file.lines:
            continue
        console.print()
        _print(console, visible(file.path), style="bold")
        console.print(Padding(_lines(file.lines), (0, 0, 0, 2)))


def _lines(lines: Sequence[LineVerdict]) -> Table:
    table = _table()
    for run in ranges(lines, lambda line: (line.reason, line.edit)):
        first, last = run[0], run[-1]
        span = str(first.line) if first is last else f"{first.line}-{last.line}"
        color = _COLORS[words.group(first.reason)]
        table.add_row(span, Text(visible(first.reason), style=color), Text(_support(run)))
    return table


def _support(run: Sequence[LineVerdict]) -> str:
    """Return the edit that supports some lines or comes nearest, and how far they differ."""
    first = run[0]
    differences = [line.difference for line in run if line.difference]
    parts = [
        visible(words.agent_name(first.agent)) if first.agent else "",
        moment(first.edited_at) if first.edited_at else "",
        visible(first.edit) if first.edit else "",
        words.NOT_RECORDED if first.outcome else "",
        f"differs by up to {max(differences):.0%}" if differences else "",
    ]
    return ", ".join(filter(None, parts))


def _footer(summary: AuditSummary) -> str:
    return (
        f"policy {visible(summary.policy)}, engine {visible(summary.engine)}, "
        f"measured in {summary.measure}\naudit {summary.digest}"
    )
