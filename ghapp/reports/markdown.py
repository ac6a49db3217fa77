"""An audit as GitHub shows it: the comment's text and the check run's. It sends nothing.

All text from users passes `harmless`; everything else is ours, so it needs no escape.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from ghapp.attribution.model import Audit, AuditState, FileVerdict, LineVerdict, Struct
from ghapp.reports import words
from ghapp.reports.harmless import cell, code, plain, prose
from ghapp.reports.ranges import ranges
from ghapp.reports.summary import AuditSummary, ExcludedFile, FileRow, moment

BUDGET = 60_000
"""UTF-8 bytes of one text. GitHub refuses more than 65,535 in a check run and 65,536 in a comment,
and does not say whether it counts bytes or characters; the rest is left for a marker."""

LONG_TITLE = 255
"""Characters of a check run's title that GitHub takes."""

_SIDE_TABLE = 10_000
"""Bytes each of the smaller tables may take, so that the files always keep most of the budget."""

_MANY_FILES = 10
"""Files from which on the table is folded away in a comment."""


_DIGEST = re.compile(r"sha256:[0-9a-f]{12}")


class CheckOutput(Struct, frozen=True):
    """A check run's ``output``, apart from its annotations."""

    title: str
    summary: str
    text: str


def comment(
    summary: AuditSummary,
    *,
    docs_url: str | None = None,
    coverage: str | None = None,
    budget: int = BUDGET,
) -> str:
    """Return the comment under a pull request, at most ``budget`` UTF-8 bytes.

    ``docs_url`` is the address of docs/reasons.md; ``None``: reasons are not linked.
    ``coverage`` is a sentence of `reports.coverage`; ``None``: nothing is known of the author.
    """
    above = [f"### {_headline(summary)}", _lead(summary, coverage), *_warnings(summary)]
    below = [
        *_folded("Why lines count, or do not", _reasons(summary, docs_url)),
        *_folded("Left out", _excluded(summary.excluded)),
        *_folded("How to read this", _how_to_read(summary)),
        _footer(summary),
    ]
    room = budget - _size([*above, *below]) - 200  # the fold and the line about more files
    title = f"Files ({len(summary.files)})"
    files = _files(summary.files, room)
    shown = files if len(summary.files) <= _MANY_FILES else _folded(title, files)
    return "\n\n".join([*above, *shown, *below]) + "\n"


def check_run(
    summary: AuditSummary,
    *,
    docs_url: str | None = None,
    coverage: str | None = None,
    budget: int = BUDGET,
) -> CheckOutput:
    """Return the check run's title, summary and text, the latter two at most ``budget`` bytes."""
    named = [(prose(words.agent_name(agent)), count) for agent, count in summary.trailers]
    beside = filter(None, [words.named(named)])
    above = [_lead(summary, coverage), *_warnings(summary), *_reasons(summary, docs_url), *beside]
    rest = [
        *_titled("Left out", _excluded(summary.excluded)),
        *_titled("How to read this", _how_to_read(summary)),
    ]
    files = _files(summary.files, budget - _size(rest) - 200)
    return CheckOutput(
        title=plain(summary.headline, LONG_TITLE),
        summary="\n\n".join([*above, _footer(summary)]) + "\n",
        text="\n\n".join([*_titled("Files", files), *rest]) + "\n",
    )


def explained(check: CheckOutput, audit: Audit, *, budget: int = BUDGET) -> CheckOutput:
    """Add to a check run's text how each range of lines was judged, as far as there is room."""
    head = ["| File | Lines | Reason | Rests on |", "| :-- | --: | :-- | :-- |"]
    rows = [
        _range(file, run)
        for file in audit.files
        if file.excluded is None
        for run in ranges(file.lines, lambda line: (line.reason, line.edit))
    ]
    room = budget - len(check.text.encode()) - 100
    if not rows or room < _SIDE_TABLE // 10:
        return check
    parts = [check.text.rstrip(), *_titled("Line by line", _table(head, rows, room, "range"))]
    return msgspec.structs.replace(check, text="\n\n".join(parts) + "\n")


def _range(file: FileVerdict, run: Sequence[LineVerdict]) -> str:
    first, last = run[0], run[-1].line
    lines = f"{first.line}" if last == first.line else f"{first.line}-{last}"
    support = "" if first.edit is None else cell(first.edit)
    if differs := max(line.difference or 0 for line in run):
        support += f", differs by up to {differs:.0%}"
    return f"| {cell(file.path)} | {lines} | {cell(first.reason)} | {support} |"


def _headline(summary: AuditSummary) -> str:
    # An agent that we do not know is named by its id, and anybody can write that.
    return " ".join(
        filter(None, [summary.opening, words.listed(list(map(prose, summary.authors)))])
    )


def _lead(summary: AuditSummary, coverage: str | None) -> str:
    """Return the paragraph below the headline: what it rests on, and whether it may change."""
    agents = [(prose(words.agent_name(agent)), lines) for agent, lines in summary.by_agent]
    each = words.each_agents(agents, summary.documented)
    parts = [summary.sentence, each, coverage, _state(summary)]
    return "  \n".join(filter(None, parts))


def _state(summary: AuditSummary) -> str:
    until = moment(summary.window[1])
    if summary.state is AuditState.PROVISIONAL:
        return f"**Provisional**: evidence up to {until} still counts."
    return f"**Final**: the window closed on {until}."


def _warnings(summary: AuditSummary) -> list[str]:
    """Name what could not be read: it is shown, never hidden in a percentage."""
    found = []
    if summary.missing:
        rows = [f"- {code(path)}" for path in summary.missing]
        found.append(
            "> [!WARNING]\n> The added lines of "
            f"{words.counted(len(rows), 'file')} could not be read, so nothing is said of them."
        )
        found += _within(rows, _SIDE_TABLE, "file")
    if summary.unread_records:
        records = words.counted(summary.unread_records, "record")
        found.append(
            f"> [!NOTE]\n> {records} of the evidence could not be read. "
            "Lines that only they would support are not attributed."
        )
    return found


def _files(rows: Sequence[FileRow], room: int) -> list[str]:
    # Numbers first: a long path would push them out of sight.
    head = ["| Share | Attributed | Counted | File |", "| --: | --: | --: | :-- |"]
    return _table(head, [_file(row) for row in rows], room, "file")


def _file(row: FileRow) -> str:
    earlier = f" (was {cell(row.previous_path)})" if row.previous_path else ""
    numbers = f"{row.share} | {row.attributed:,} | {row.effective:,}"
    return f"| {numbers} | {cell(row.path)}{earlier} |"


def _reasons(summary: AuditSummary, docs_url: str | None) -> list[str]:
    head = ["| Lines | Reason | Meaning |", "| --: | :-- | :-- |"]
    rows = []
    for row in summary.reasons:
        known = row.reason in words.REASONS
        name = cell(row.reason)
        linked = f"[{name}]({docs_url}{row.anchor})" if docs_url and known else name
        mark = " ✓" if row.group == words.ATTRIBUTED_GROUP else ""
        rows.append(f"| {row.lines:,} | {linked}{mark} | {row.sentence} |")
    return _table(head, rows, _SIDE_TABLE, "reason")


def _excluded(files: Sequence[ExcludedFile]) -> list[str]:
    head = ["| Added lines | Rule | File |", "| --: | :-- | :-- |"]
    rows = [f"| {file.added:,} | {cell(file.rule)} | {cell(file.path)} |" for file in files]
    return _table(head, rows, _SIDE_TABLE, "file")


def _how_to_read(summary: AuditSummary) -> list[str]:
    before, after = summary.window_days
    first, last = map(moment, summary.window)
    limit = f"{summary.rewrite_limit:.0%}"
    text = (
        "- The share is a floor: agent work that left no evidence, or that was changed by "
        f"more than {limit}, is not in it. It says who typed a line, not who is responsible "
        "for it.\n"
        "- Counted are added lines, without blank and trivial ones and without the files left "
        "out.\n"
        f"- Evidence is applied edits from {before} days before to {after} days after the "
        f"merge: {first} to {last}."
    )
    return [text]


def _footer(summary: AuditSummary) -> str:
    parts = [
        f"policy {code(summary.policy)} {_short(summary.policy_digest)}",
        f"engine {code(summary.engine)}",
        f"measured in {summary.measure}",
        f"audit {_short(summary.digest)}",
    ]
    return f"<sub>{' · '.join(parts)}</sub>"


def _short(digest: str) -> str:
    """Shorten a digest to what tells two audits apart; the document holds all of it."""
    short = digest[: len("sha256:") + 12]
    # Our own digest stays free of breaks, so that a reader can copy it.
    return f"`{short}`" if _DIGEST.fullmatch(short) else code(short)


def _folded(title: str, parts: Sequence[str]) -> list[str]:
    """Fold parts away under a title; nothing to fold gives nothing."""
    if not parts:
        return []
    return [f"<details>\n<summary>{title}</summary>", *parts, "</details>"]


def _titled(title: str, parts: Sequence[str]) -> list[str]:
    return [f"#### {title}", *parts] if parts else []


def _table(head: Sequence[str], rows: Sequence[str], room: int, noun: str) -> list[str]:
    """Return a table cut at a row's end, and a line that says how many rows are left out."""
    if not rows:
        return []
    shown, *more = _within(rows, room - _size(head), noun) or [""]
    return ["\n".join(filter(None, [*head, shown])), *more]


def _within(rows: Sequence[str], room: int, noun: str) -> list[str]:
    """Return as many rows as have room, as one text, and a line about the others."""
    kept = 0
    for row in rows:
        room -= len(row.encode()) + 1
        if room < 0:
            break
        kept += 1
    shown = "\n".join(rows[:kept])
    left = len(rows) - kept
    return [shown, f"and {words.counted(left, f'more {noun}')}"] if left else [shown]


def _size(parts: Iterable[str]) -> int:
    """Count the bytes of parts with the blank lines between them."""
    return sum(len(part.encode()) + 2 for part in parts)
