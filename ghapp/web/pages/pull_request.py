"""The pages of one pull request: its audits, the reason of every line, and what GitHub shows."""

import re
from collections.abc import Sequence
from datetime import datetime

from flask import abort, render_template, request

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, AuditState, FileVerdict, LineVerdict, Reason, Struct
from ghapp.reports import declared, pull_cost
from ghapp.reports.charts import meter
from ghapp.reports.harmless import visible
from ghapp.reports.ranges import ranges
from ghapp.reports.summary import summarize
from ghapp.rulebook import sections
from ghapp.spend.counts import PullCostDetails
from ghapp.store import Publication, Repository, SavedAudit
from ghapp.web.access import asked, note_access, require_reader, viewer
from ghapp.web.current import services
from ghapp.web.pages.beside import beside_pull
from ghapp.web.pages.blueprint import pages
from ghapp.web.pages.filters import takes

MOST_FILES = 300
"""Files that a pull request's page lists, as many as GitHub's own page."""
MOST_RUNS = 400
"""Runs of lines that a pull request's page shows; the page of a file shows all of its runs."""
MOST_LINES = 900
"""Lines that the page of a file shows one by one; a longer file is shown as runs."""
_AUDIT = re.compile(r"[1-9][0-9]{0,8}")  # 2
PULL = "/repositories/<owner>/<name>/pull/<int(max=2147483647):number>"


class LineRun(Struct, frozen=True):
    """Consecutive lines of a file with one reason and one edit."""

    first: int
    last: int
    reason: str
    attributed: bool
    agent: str | None
    agent_session: str | None
    edit: str | None
    """The edit that supports the run, or the nearest one; ``None``: there is none."""
    edited_at: datetime | None
    difference: float | None
    """The largest among its lines; ``None``: nothing was compared."""
    lines: tuple[LineVerdict, ...]

    @property
    def outcome(self) -> str | None:
        """``unrecorded`` if no record tells the edit's outcome (rules.md 2.17)."""
        return self.lines[0].outcome or None

    @property
    def count(self) -> int:
        """Number of added lines."""
        return len(self.lines)


class FilePart(Struct, frozen=True):
    """A file of the pull request as its page shows it."""

    file: FileVerdict
    runs: tuple[LineRun, ...]
    """Empty: there are too many for one page, or the whole file is excluded."""


class AuditStep(Struct, frozen=True):
    """One audit in the history of a pull request."""

    audit: SavedAudit
    why: tuple[str, ...]
    """Why it was made, in words."""
    published: tuple[Publication, ...]


@pages.get(PULL)
def pull_request(owner: str, name: str, number: int) -> str:
    """Show a pull request's audit."""
    repository = require_reader(owner, name)
    saved, audit = _chosen(repository, number)
    note_access("audit", repository=repository, pull_request=number)
    summary = summarize(audit)
    return render_template(
        "pull_request.html",
        repository=repository,
        number=number,
        about=services.summaries.pull(repository.id, number),
        saved=saved,
        summary=summary,
        declared=declared.beside(summary.declared, summary.measured, visible),
        pushed=declared.pushed(summary.agent_commits, summary.declared, visible),
        beside=beside_pull(saved),
        composition=composition(audit),
        parts=file_parts(audit),
        more_files=max(0, len(audit.files) - MOST_FILES),
        steps=_steps(repository, number),
        cost=_cost(repository, saved),
        cost_words=pull_cost,
    )


def _cost(repository: Repository, saved: SavedAudit) -> PullCostDetails | None:
    """Return what the pull request cost; ``None``: not for this reader, or not of this audit.

    It is about a person: a public page shows it to nobody anonymous.
    """
    if viewer() is None:
        return None
    found = services.spend.pull(
        repository.id, saved.pull_request, services.settings.estimate, now=services.clock()
    )
    return found if found is not None and found.audit_number == saved.number else None


@pages.get(f"{PULL}/file")
@takes({"path"})
def file(owner: str, name: str, number: int) -> str:
    """Show every added line of one file."""
    repository = require_reader(owner, name)
    saved, audit = _chosen(repository, number)
    found = _file(audit)
    note_access("explanation", repository=repository, pull_request=number, detail=found.path)
    runs = runs_of(found)
    return render_template(
        "file.html",
        repository=repository,
        number=number,
        saved=saved,
        newest=services.store.audits.latest(repository.id, number),
        file=found,
        runs=runs,
        sources=audit.edits or {},
        one_by_one=len(found.lines) <= MOST_LINES,
        meanings=_meanings(runs),
        texts=_texts(repository, audit, found.path),
    )


def _file(audit: Audit) -> FileVerdict:
    """Return the file that ``path`` names; 400 if it is missing, 404 if there is no such file."""
    path = request.args.get("path")
    if path is None:
        abort(400, "the address names no file: give path=PATH")
    found = (one for one in audit.files if one.path == path)
    return next(found, None) or abort(404, "this pull request adds no lines to a file of that name")


def _chosen(repository: Repository, number: int) -> tuple[SavedAudit, Audit]:
    """Return the audit that ``audit`` in the address names, or the one in force."""
    audits = services.store.audits
    given = request.args.get("audit")
    if given is not None and not _AUDIT.fullmatch(given):
        abort(400, f"audit in the address is {given!r}; give an audit's number, such as 2")
    wanted = None if given is None else int(given)
    saved = (
        audits.latest(repository.id, number)
        if wanted is None
        else audits.numbered(repository.id, number, wanted)
    )
    document = None if saved is None else audits.document(saved.id)
    if saved is None or document is None:
        abort(404, f"pull request {number} has no such audit: it may not be merged yet")
    return saved, from_document(document)


def _texts(repository: Repository, audit: Audit, path: str) -> dict[int, str] | None:
    """Read a file's merged text from GitHub as the viewer, by line; the app does not store it.

    ``None``: the viewer did not ask for it or is not signed in. Empty: GitHub has no such text.
    """
    asking, commit = viewer(), audit.merge_commit
    if "text" not in request.args or asking is None or commit is None:
        return None
    name, person = repository.full_name, asking.person
    text = asked(lambda readers: readers.text(person, name, path, commit))
    # Git ends a line only at "\n"; `str.splitlines` would also split at a form feed.
    lines = [] if text is None else text.split("\n")
    return {number: line.rstrip("\r").expandtabs(4) for number, line in enumerate(lines, 1)}


# --- files and runs -------------------------------------------------------------------------------


def file_parts(audit: Audit) -> list[FilePart]:
    """Return the files, most attributed lines first, with as many runs as a page can hold."""
    files = sorted(
        audit.files, key=lambda file: (file.excluded is not None, -file.attributed, -file.added)
    )
    parts, room = [], MOST_RUNS
    for file in files[:MOST_FILES]:
        runs = () if file.excluded or room <= 0 else runs_of(file)
        room -= len(runs)
        parts.append(FilePart(file=file, runs=runs if room >= 0 else ()))
    return parts


def runs_of(file: FileVerdict) -> tuple[LineRun, ...]:
    """Return a file's lines as runs of one reason and one edit."""
    found = ranges(file.lines, lambda line: (line.reason, line.edit))
    return tuple(_run(lines) for lines in found)


def _run(lines: Sequence[LineVerdict]) -> LineRun:
    first = lines[0]
    differences = [line.difference for line in lines if line.difference is not None]
    return LineRun(
        first=first.line,
        last=lines[-1].line,
        reason=str(first.reason),
        attributed=first.attributed,
        agent=first.agent,
        agent_session=first.agent_session,
        edit=first.edit,
        edited_at=first.edited_at,
        difference=max(differences, default=None),
        lines=tuple(lines),
    )


def _meanings(runs: Sequence[LineRun]) -> dict[str, bool]:
    """Return the reasons of these runs, and of each whether the page of reasons explains it."""
    reasons = dict.fromkeys(run.reason for run in runs)
    # Trivial lines explain the least, so their sentence comes last.
    ordered = sorted(reasons, key=lambda reason: reason == Reason.TRIVIAL_LINE)
    known = sections("reasons")
    return {reason: reason in known for reason in ordered}


# --- pictures -------------------------------------------------------------------------------------


def composition(audit: Audit) -> str:
    """Draw all added lines: attributed, counted but not attributed, and not counted."""
    totals = audit.totals
    parts = [
        ("with", totals.attributed),
        ("without", totals.effective - totals.attributed),
        ("not_counted", totals.added - totals.effective),
    ]
    named = ("attributed", "not attributed", "not counted")
    said = (f"{count:,} {name}" for name, (_, count) in zip(named, parts, strict=True))
    return meter(parts, f"Added lines: {', '.join(said)}")


# --- the history ----------------------------------------------------------------------------------


def _steps(repository: Repository, number: int) -> list[AuditStep]:
    """Return all audits of a pull request, newest first."""
    audits = services.store.audits.all_of(repository.id, number)
    published = services.store.publications.of_pull_request(repository.id, number)
    before: list[SavedAudit | None] = [None, *audits[:-1]]
    steps = [
        AuditStep(audit=audit, why=why(old, audit), published=published.get(audit.id, ()))
        for old, audit in zip(before, audits, strict=True)
    ]
    return steps[::-1]


def why(before: SavedAudit | None, after: SavedAudit) -> tuple[str, ...]:
    """Say why an audit differs from the one before it."""
    if before is None:
        return ("The pull request was merged.",)
    causes = {
        "Evidence arrived or expired.": before.evidence_digest != after.evidence_digest,
        "The window closed.": (before.state, after.state)
        == (AuditState.PROVISIONAL, AuditState.FINAL),
        "The change was read again and differs.": before.diff_digest != after.diff_digest,
        "The policy changed.": before.policy_digest != after.policy_digest,
        "A new version of the app audited it.": before.engine != after.engine,
    }
    found = tuple(cause for cause, is_so in causes.items() if is_so)
    return found or ("Somebody asked for it again.",)
