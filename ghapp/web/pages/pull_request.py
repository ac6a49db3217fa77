"""One pull request: its audits, their reasons by file and line, and what was said on GitHub."""

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, abort, render_template, request

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, AuditState, FileVerdict, LineVerdict, Reason, Struct
from ghapp.bootstrap import Services
from ghapp.reports.charts import meter
from ghapp.reports.ranges import ranges
from ghapp.reports.summary import summarize
from ghapp.rulebook import PageSection, of_reason
from ghapp.store import Publication, Repository, SavedAudit
from ghapp.web.access import asked, note_access, require_reader, viewer
from ghapp.web.pages.beside import beside_pull

MOST_AUDITS = 2**31 - 1
"""The largest number that the database takes for an audit."""
MOST_FILES = 300
"""Files that a pull request's page lists; GitHub's own page shows as many."""
MOST_RUNS = 400
"""Runs of lines that a pull request's page shows; each file has a page with all of its own."""
FOLLOWED = 900
"""Lines of one file that its page shows one by one; beyond it runs are shown folded."""


class LineRun(Struct, frozen=True):
    """Consecutive lines of a file with one reason and one edit."""

    first: int
    last: int
    reason: str
    attributed: bool
    agent: str | None
    agent_session: str | None
    edit: str | None
    """The edit that supports it, or comes nearest; ``None``: none does."""
    edited_at: datetime | None
    difference: float | None
    """The largest among its lines; ``None``: nothing was compared."""
    lines: tuple[LineVerdict, ...]

    @property
    def count(self) -> int:
        """How many added lines it holds."""
        return len(self.lines)


class FilePart(Struct, frozen=True):
    """A file of the pull request as its page shows it."""

    file: FileVerdict
    runs: tuple[LineRun, ...]
    """Empty: too many for one page, or the file is left out as a whole."""


class AuditStep(Struct, frozen=True):
    """One audit in the row of a pull request's audits."""

    audit: SavedAudit
    why: tuple[str, ...]
    """What made it, in words."""
    published: tuple[Publication, ...]


def add(blueprint: Blueprint, services: Services) -> None:
    """Add the routes of a pull request and of one of its files."""

    @blueprint.get("/repositories/<owner>/<name>/pull/<int(max=2147483647):number>")
    def pull_request(owner: str, name: str, number: int) -> str:
        repository = require_reader(services, owner, name)
        saved, audit = _chosen(services, repository, number)
        note_access(services, "audit", repository=repository, pull_request=number)
        summary = summarize(audit)
        return render_template(
            "pull_request.html",
            repository=repository,
            number=number,
            about=services.summaries.pull(repository.id, number),
            saved=saved,
            summary=summary,
            beside=beside_pull(services, saved),
            composition=composition(audit),
            parts=file_parts(audit),
            more_files=max(0, len(audit.files) - MOST_FILES),
            steps=_steps(services, repository, number),
            on_github=f"{services.settings.web_url}/{repository.full_name}/pull/{number}",
        )

    @blueprint.get("/repositories/<owner>/<name>/pull/<int(max=2147483647):number>/file")
    def file(owner: str, name: str, number: int) -> str:
        repository = require_reader(services, owner, name)
        saved, audit = _chosen(services, repository, number)
        path = request.args.get("path")
        if path is None:
            abort(400, "the address names no file: give path=PATH")
        found = next((one for one in audit.files if one.path == path), None)
        if found is None:
            abort(404, "this pull request adds no lines to a file of that name")
        note_access(
            services, "explanation", repository=repository, pull_request=number, detail=path
        )
        runs = runs_of(found)
        return render_template(
            "file.html",
            repository=repository,
            number=number,
            saved=saved,
            newest=services.store.audits.latest(repository.id, number),
            file=found,
            runs=runs,
            one_by_one=len(found.lines) <= FOLLOWED,
            explained=explained(runs),
            texts=_texts(services, repository, audit, path),
            policy=audit.policy,
        )


def _chosen(services: Services, repository: Repository, number: int) -> tuple[SavedAudit, Audit]:
    """Return the audit that is asked for: the one in force, or the one that ``audit`` names."""
    audits = services.store.audits
    wanted = request.args.get("audit", type=int)
    if wanted is not None and wanted > MOST_AUDITS:
        abort(404, "no pull request has so many audits")
    saved = (
        audits.latest(repository.id, number)
        if wanted is None
        else audits.numbered(repository.id, number, wanted)
    )
    document = None if saved is None else audits.document(saved.id)
    if saved is None or document is None:
        abort(404, f"no such audit of pull request {number} is kept: it may not be merged yet")
    return saved, from_document(document)


def _texts(
    services: Services, repository: Repository, audit: Audit, path: str
) -> dict[int, str] | None:
    """Return a file's merged text by line, asked of GitHub as the viewer; kept nowhere.

    ``None``: it was not asked for, or nobody is signed in. Empty: GitHub shows none.
    """
    asking, commit = viewer(), audit.merge_commit
    if "text" not in request.args or asking is None or commit is None:
        return None
    name, person = repository.full_name, asking.person
    text = asked(services, lambda readers: readers.text(person, name, path, commit))
    # Only line ends as git counts them: a form feed inside a line ends none.
    lines = [] if text is None else text.split("\n")
    return {number: line.rstrip("\r").expandtabs(4) for number, line in enumerate(lines, 1)}


# --- files and runs -------------------------------------------------------------------------------


def file_parts(audit: Audit) -> list[FilePart]:
    """Return the files: most attributed lines first, with their runs as far as a page can hold."""
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


def explained(runs: Sequence[LineRun]) -> dict[str, tuple[PageSection, ...]]:
    """Return the paragraphs that explain the reasons of some runs, by reason."""
    reasons = dict.fromkeys(str(line.reason) for run in runs for line in run.lines)
    # Blank lines inside a run need no explanation where nothing else is explained by them.
    ordered = sorted(reasons, key=lambda reason: reason == Reason.TRIVIAL_LINE)
    return {reason: of_reason(reason) for reason in ordered}


# --- pictures -------------------------------------------------------------------------------------


def composition(audit: Audit) -> str:
    """Draw all added lines: attributed, counted and not attributed, not counted."""
    totals = audit.totals
    parts = [
        ("with", totals.attributed),
        ("without", totals.effective - totals.attributed),
        ("not_counted", totals.added - totals.effective),
    ]
    named = ("attributed", "not attributed", "not counted")
    said = (f"{count:,} {name}" for name, (_, count) in zip(named, parts, strict=True))
    return meter(parts, f"Added lines: {', '.join(said)}")


# --- what happened when ---------------------------------------------------------------------------


def _steps(services: Services, repository: Repository, number: int) -> list[AuditStep]:
    """Return all audits of a pull request, the newest first."""
    audits = services.store.audits.all_of(repository.id, number)
    published = services.store.publications.of_pull_request(repository.id, number)
    before: list[SavedAudit | None] = [None, *audits[:-1]]
    steps = [
        AuditStep(audit=audit, why=why(old, audit), published=published.get(audit.id, ()))
        for old, audit in zip(before, audits, strict=True)
    ]
    return steps[::-1]


def why(before: SavedAudit | None, after: SavedAudit) -> tuple[str, ...]:
    """Say what made an audit differ from the one before it."""
    if before is None:
        return ("The pull request was merged.",)
    causes = {
        "Evidence arrived late, or expired.": before.evidence_digest != after.evidence_digest,
        "The window closed.": (before.state, after.state)
        == (AuditState.PROVISIONAL, AuditState.FINAL),
        "The change was read anew and differs.": before.diff_digest != after.diff_digest,
        "The policy changed.": before.policy_digest != after.policy_digest,
        "A new version of the program judged it.": before.engine != after.engine,
    }
    found = tuple(cause for cause, is_so in causes.items() if is_so)
    return found or ("It was asked for again.",)
