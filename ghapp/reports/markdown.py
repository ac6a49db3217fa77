"""An audit as Markdown for GitHub: a comment and a check run. It sends nothing.

All text from users passes through `harmless`; the rest is our own and needs no escaping.
"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from ghapp.attribution.model import (
    Audit,
    AuditState,
    FileVerdict,
    LineVerdict,
    Struct,
    Verdict,
)
from ghapp.reports import declared, words
from ghapp.reports.addresses import PageLinks
from ghapp.reports.harmless import cell, code, path_cell, plain, prose
from ghapp.reports.ranges import ranges
from ghapp.reports.summary import AuditSummary, ExcludedFile, FileRow, moment

BUDGET = 60_000
"""UTF-8 bytes of one text. GitHub refuses more than 65,535 in a check run and 65,536 in a comment,
and does not say whether it counts bytes or characters. The margin leaves room for a marker."""

LONG_TITLE = 255
"""Characters of the longest check run title that GitHub accepts."""

_SIDE_TABLE = 10_000
"""Bytes each smaller table may take, so that most of the budget goes to the files."""

_MANY_FILES = 10
"""Files that a comment shows unfolded."""

LONGEST = 1000
"""Characters of the line about what was passed over: tools name themselves."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{12}")  # sha256:b258f9215d0d


class CommentForm(StrEnum):
    """How much a comment says."""

    SHORT = "short"
    """Two sentences, the table of files, and all else folded."""
    FULL = "full"
    """All sentences and the reasons in the open."""
    OFF = "off"
    """No comment."""


class CheckOutput(Struct, frozen=True):
    """A check run's ``output`` without its annotations."""

    title: str
    summary: str
    text: str


def comment(  # noqa: PLR0913 - what the pull request is told, and how much of it
    summary: AuditSummary,
    *,
    links: PageLinks | None = None,
    coverage: str | None = None,
    cost: str | None = None,
    form: CommentForm = CommentForm.SHORT,
    budget: int = BUDGET,
) -> str:
    """Return the comment for a pull request, at most ``budget`` UTF-8 bytes.

    ``links`` lead to the app's pages; ``None``: link nothing.
    ``coverage`` is a sentence from `reports.coverage`; ``None``: the author is not known.
    ``cost`` is a line from `reports.pull_cost`; ``None``: it is unknown, or not to be shown.
    """
    said, left = _sentences(summary, coverage)
    said += [cost] if cost else []
    reasons = _reasons(summary, links)
    if form is CommentForm.FULL:
        said, left, shown, folded = [*said, *left], [], reasons, []
    else:
        shown, folded = [], reasons
    above = [f"### {_headline(summary)}", "  \n".join(said), *_warnings(summary)]
    first, others = summary.files[:_MANY_FILES], summary.files[_MANY_FILES:]
    inside = [
        *(["  \n".join(left)] if left else []),
        *folded,
        *_titled("Excluded files", _excluded(summary.excluded)),
        *_titled("How to read this", _how_to_read(summary)),
    ]
    below = [*_link(links), ""]
    room = budget - _size([*above, *shown, *inside, *below]) - 300  # the fold and "and 3 more"
    files = _files(summary, first, room)
    more = _titled("More files", _files(summary, others, room - _size(files)))
    fold = _folded("Reasons, and how to read this" if folded else "How to read this", more + inside)
    return "\n\n".join([*above, *files, *shown, *fold, *_link(links)]) + "\n"


def check_run(
    summary: AuditSummary,
    *,
    links: PageLinks | None = None,
    coverage: str | None = None,
    budget: int = BUDGET,
) -> CheckOutput:
    """Return a check run's title, and its summary and text, each at most ``budget`` bytes."""
    said, left = _sentences(summary, coverage)
    lead = "  \n".join([*said, *left])
    said_beside = [
        declared.beside(summary.declared, summary.measured, prose),
        declared.pushed(summary.agent_commits, summary.declared, prose),
    ]
    beside = filter(None, said_beside)
    above = [lead, *_warnings(summary), *_reasons(summary, links), *beside]
    rest = [
        *_titled("Excluded files", _excluded(summary.excluded)),
        *_titled("How to read this", _how_to_read(summary)),
    ]
    files = _files(summary, summary.files, budget - _size(rest) - 200)
    return CheckOutput(
        title=plain(summary.headline, LONG_TITLE),
        summary="\n\n".join([*above, *_link(links)]) + "\n",
        text="\n\n".join([*_titled("Files", files), *rest]) + "\n",
    )


def explained(check: CheckOutput, audit: Audit, *, budget: int = BUDGET) -> CheckOutput:
    """Return a check run with a table of line ranges and their reasons, as far as it fits."""
    head = ["| File | Lines | Reason | Agent edit |", "| :-- | --: | :-- | :-- |"]
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
    return f"| {path_cell(file.path)} | {lines} | {cell(first.reason)} | {support} |"


def _headline(summary: AuditSummary) -> str:
    # An agent we do not know keeps its id as a name, and anyone can choose that id.
    return " ".join(
        filter(None, [summary.opening, words.listed(list(map(prose, summary.authors)))])
    )


def _sentences(summary: AuditSummary, coverage: str | None) -> tuple[list[str], list[str]]:
    """Return the two sentences below the headline, and all others.

    The first is the count. The second is what a reader needs most: what to do where there is no
    evidence, that silence is not zero where nothing is attributed, else whether it may change.
    """
    agents = [(prose(words.agent_name(agent)), lines) for agent, lines in summary.by_agent]
    each = words.each_agents(agents, summary.documented)
    silent = coverage if summary.verdict is Verdict.NOT_ASSISTED else None
    state = _state(summary)
    second = summary.advice or silent or state
    found = [summary.advice, *summary.caveats, each, coverage, state]
    return [summary.counts, second], [one for one in found if one and one != second]


def _state(summary: AuditSummary) -> str:
    until = moment(summary.window[1])
    if summary.state is AuditState.PROVISIONAL:
        return f"**Provisional**: evidence up to {until} still counts."
    return f"**Final**: the window closed on {until}."


def _warnings(summary: AuditSummary) -> list[str]:
    """Return what could not be read. A percentage must never hide it."""
    found = []
    if summary.missing:
        rows = [f"- {code(path)}" for path in summary.missing]
        found.append(
            "> [!WARNING]\n> The added lines of "
            f"{words.counted(len(rows), 'file')} could not be read, so this audit says nothing "
            "about them."
        )
        found += _within(rows, _SIDE_TABLE, "file")
    if summary.unread_records:
        records = words.counted(summary.unread_records, "evidence record")
        found.append(
            f"> [!NOTE]\n> {records} could not be read. "
            "Lines that only unread records support are not attributed."
        )
    return found


def _files(summary: AuditSummary, rows: Sequence[FileRow], room: int) -> list[str]:
    # One number beside the path, as "35 of 61": a phone has no room for three.
    head = ["| File | Attributed |", "| :-- | --: |"]
    is_known = summary.verdict is not Verdict.NO_EVIDENCE
    return _table(head, [_file(row, is_known=is_known) for row in rows], room, "file")


def _file(row: FileRow, *, is_known: bool) -> str:
    earlier = f" (was {path_cell(row.previous_path)})" if row.previous_path else ""
    attributed = f"{row.attributed:,}" if is_known else "unknown"
    # A space that does not break keeps the number in one line beside a long path.
    number = f"{attributed} of {row.effective:,}".replace(" ", "\u00a0")
    return f"| {path_cell(row.path)}{earlier} | {number if row.effective else 'none counts'} |"


def _reasons(summary: AuditSummary, links: PageLinks | None) -> list[str]:
    head = ["| Lines | Reason | Meaning |", "| --: | :-- | :-- |"]
    rows = []
    for row in summary.reasons:
        known = row.reason in words.REASONS
        name = cell(row.reason)
        linked = f"[{name}]({links.reasons}{row.anchor})" if links and known else name
        mark = " ✓" if row.group == words.ATTRIBUTED_GROUP else ""
        rows.append(f"| {row.lines:,} | {linked}{mark} | {row.sentence} |")
    return _table(head, rows, _SIDE_TABLE, "reason")


def _excluded(files: Sequence[ExcludedFile]) -> list[str]:
    head = ["| Added lines | Rule | File |", "| --: | :-- | :-- |"]
    rows = [f"| {file.added:,} | {cell(file.rule)} | {path_cell(file.path)} |" for file in files]
    return _table(head, rows, _SIDE_TABLE, "file")


def _how_to_read(summary: AuditSummary) -> list[str]:
    before, after = summary.window_days
    first, last = map(moment, summary.window)
    limit = f"{summary.rewrite_limit:.0%}"
    text = (
        "- The share is a floor: it misses agent work that left no evidence and lines changed "
        f"by more than {limit}. It says who typed a line, not who is responsible for it.\n"
        "- We count added lines, but not blank or trivial ones, and not excluded files.\n"
        f"- Evidence means applied agent edits from {before} days before to {after} days after "
        f"the merge: {first} to {last}."
    )
    read = [] if summary.reading is None else [f"- {prose(summary.reading, LONGEST)}"]
    return ["\n".join([text, *read, _named(summary)])]


def _link(links: PageLinks | None) -> list[str]:
    """Return the last line: short enough for one row of a phone."""
    if links is None or links.pull_request is None:
        return []
    return [f"[Every line, explained]({links.pull_request})"]


def _named(summary: AuditSummary) -> str:
    """Return what tells two audits apart: rules, program and digest."""
    return (
        f"- Policy {code(summary.policy)} {_short(summary.policy_digest)}, "
        f"engine {code(summary.engine)}, measured in {summary.measure}, "
        f"audit {_short(summary.digest)}."
    )


def _short(digest: str) -> str:
    """Return a digest cut to 12 digits, enough to tell two audits apart, as a code span."""
    short = digest[: len("sha256:") + 12]
    # `code` would put breaks into the digits; ours stay whole, so that a reader can copy them.
    return f"`{short}`" if _DIGEST.fullmatch(short) else code(short)


def _folded(title: str, parts: Sequence[str]) -> list[str]:
    """Fold parts away under a title; return nothing if there are none."""
    if not parts:
        return []
    return [f"<details>\n<summary>{title}</summary>", *parts, "</details>"]


def _titled(title: str, parts: Sequence[str]) -> list[str]:
    return [f"#### {title}", *parts] if parts else []


def _table(head: Sequence[str], rows: Sequence[str], room: int, noun: str) -> list[str]:
    """Return a table that fits the room, and a line that says how many rows were cut."""
    if not rows:
        return []
    shown, *more = _within(rows, room - _size(head), noun) or [""]
    return ["\n".join(filter(None, [*head, shown])), *more]


def _within(rows: Sequence[str], room: int, noun: str) -> list[str]:
    """Return the rows that fit as one text, and a line that counts the others."""
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
    """Return the bytes of some parts, including the blank lines between them."""
    return sum(len(part.encode()) + 2 for part in parts)
