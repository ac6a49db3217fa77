"""Files to take away: the native dashboard's table of users, pull requests, whole documents."""

from collections.abc import Iterable, Iterator

import msgspec
from flask import Blueprint, Response

from ghapp.bootstrap import Services
from ghapp.reports.tables import to_csv, to_json_lines
from ghapp.reports.words import agent_name
from ghapp.store import Repository
from ghapp.summaries.counts import PullRow
from ghapp.summaries.selection import ListSlice, NamesShown, PullSelection
from ghapp.web.access import note_access, readable, require_member, require_reader
from ghapp.web.api.questions import FilterParameters, UserParameters, read
from ghapp.web.api.summaries import shown

CSV = "text/csv; charset=utf-8"
JSON_LINES = "application/jsonl"
ROWS = 500
"""Rows that are asked of the database at a time."""

PULL_COLUMNS = (
    *("repository", "pull_request", "title", "author", "team", "base_ref", "merged_at"),
    *("verdict", "state", "complete", "added", "effective", "attributed", "share", "agents"),
)


def add(blueprint: Blueprint, services: Services) -> None:
    """Add the routes of exports."""

    @blueprint.get("/organizations/<organization>/users.csv")
    def users(organization: str) -> Response:
        installation = require_member(services, organization)
        asked = read(UserParameters).counted
        selection = asked.of(tuple(sorted(readable(services, installation.id))))
        note_access(services, "export", detail=f"users of {installation.account}")
        rows = shown(lambda: services.summaries.people(selection))
        is_team = services.summaries.naming.names is NamesShown.TEAMS
        table = ((one.name, one.pulls_with, one.pulls, one.lines_with, one.lines) for one in rows)
        return _file(to_csv(user_columns(asked.agent, is_team=is_team), table), "users.csv", CSV)

    @blueprint.get("/organizations/<organization>/pulls.csv")
    def organization_pulls(organization: str) -> Response:
        installation = require_member(services, organization)
        selection = read(FilterParameters).of(tuple(sorted(readable(services, installation.id))))
        note_access(services, "export", detail=f"pull requests of {installation.account}")
        return _pulls_csv(services, selection)

    @blueprint.get("/repositories/<owner>/<name>/pulls.csv")
    def pulls_csv(owner: str, name: str) -> Response:
        repository = require_reader(services, owner, name)
        selection = read(FilterParameters).of((repository.id,))
        note_access(services, "export", repository=repository, detail="pull requests")
        return _pulls_csv(services, selection)

    @blueprint.get("/repositories/<owner>/<name>/pulls.jsonl")
    def pulls_json_lines(owner: str, name: str) -> Response:
        repository = require_reader(services, owner, name)
        selection = read(FilterParameters).of((repository.id,))
        note_access(services, "export", repository=repository, detail="pull requests")
        rows = shown(lambda: _pulls(services, selection))
        return _file(to_json_lines(rows), "pulls.jsonl", JSON_LINES)

    @blueprint.get("/repositories/<owner>/<name>/documents.jsonl")
    def documents(owner: str, name: str) -> Response:
        repository = require_reader(services, owner, name)
        selection = read(FilterParameters).of((repository.id,))
        note_access(services, "export", repository=repository, detail="documents")
        rows = shown(lambda: _pulls(services, selection))
        return _file(_documents(services, repository, rows), "documents.jsonl", JSON_LINES)


def user_columns(agent: str | None, *, is_team: bool) -> tuple[str, ...]:
    """Return the columns of "Export all users" in the native dashboard's words.

    What its file calls them is documented nowhere, so these are the words of its page.
    """
    native = {"claude-code": "CC", None: "agents"}
    what = native.get(agent) or agent_name(str(agent))
    first = "Team" if is_team else "User"
    return (first, f"PRs with {what}", "PRs", f"Lines of code with {what}", "Lines of code")


def _pulls_csv(services: Services, selection: PullSelection) -> Response:
    rows = shown(lambda: _pulls(services, selection))
    return _file(to_csv(PULL_COLUMNS, map(_cells, rows)), "pulls.csv", CSV)


def _pulls(services: Services, selection: PullSelection) -> Iterator[PullRow]:
    """Yield the whole list, some rows at a time; the first ones are asked for at once."""
    page = services.summaries.pulls(selection, ListSlice(limit=ROWS))

    def rest() -> Iterator[PullRow]:
        shown = page
        yield from shown.rows
        while shown.after is not None:
            shown = services.summaries.pulls(selection, ListSlice(after=shown.after, limit=ROWS))
            yield from shown.rows

    return rest()


def _cells(row: PullRow) -> list[object]:
    agents = " ".join(f"{agent}={lines}" for agent, lines in sorted(row.agents.items()))
    values = {**msgspec.structs.asdict(row), "agents": agents}
    values["merged_at"] = row.merged_at.isoformat()
    return [values[name] for name in PULL_COLUMNS]


def _documents(
    services: Services, repository: Repository, rows: Iterable[PullRow]
) -> Iterator[bytes]:
    for row in rows:
        audits = services.store.audits
        saved = audits.numbered(repository.id, row.pull_request, row.audit_number)
        document = audits.document(saved.id) if saved else None
        if document is not None:
            yield document + b"\n"


def _file(content: Iterable[str] | Iterable[bytes], name: str, kind: str) -> Response:
    """Return a download that is written while it is read, however long it is."""
    response = Response(content, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
