"""Downloads: the native dashboard's table of users, pull requests, whole documents."""

from collections.abc import Iterable, Iterator

import msgspec
from flask import Response
from msgspec.structs import astuple

from ghapp.reports.tables import to_csv, to_json_lines
from ghapp.reports.words import agent_name
from ghapp.store import Installation, Repository
from ghapp.summaries.counts import PersonUsage, PullRow
from ghapp.summaries.selection import ListSlice, NamesShown, PullSelection
from ghapp.web.access import note_access, readable_ids, require_member, require_reader
from ghapp.web.api.blueprint import api
from ghapp.web.api.operation import reads
from ghapp.web.api.questions import FilterParameters, UserParameters, read
from ghapp.web.api.summaries import shown
from ghapp.web.current import services
from ghapp.web.person_usage import with_usage

CSV = "text/csv; charset=utf-8"
JSON_LINES = "application/jsonl"
ROWS = 500
"""Rows that one database query reads."""

PULL_COLUMNS = (
    *("repository", "pull_request", "title", "author", "team", "base_ref", "merged_at"),
    *(
        "verdict",
        "state",
        "change_complete",
        "evidence_complete",
        "added",
        "effective",
        "attributed",
        "share",
        "agents",
    ),
)


OWN_COLUMNS = (
    "PRs without evidence",
    *("Agent sessions", "Tokens", "Output tokens", "Lines accepted"),
    *("Accept rate from", "Accept rate to"),
)
"""Columns that the native table lacks; those of usage as `PersonUsage` orders them."""
MODEL_COLUMNS = ("agent", "model", "pull_requests", "attributed")


@api.get("/organizations/<organization>/users.csv")
@reads(
    "exportUsers",
    'Download the native dashboard\'s "Export all users", by people or by teams.',
    question=UserParameters,
    media=CSV,
)
def users(organization: str) -> Response:
    """Download an organization's people or teams as CSV."""
    installation, selection = _selected_in(organization, "users", UserParameters)
    rows = shown(lambda: with_usage(services.summaries.people(selection), installation, selection))
    is_team = services.summaries.naming.names is NamesShown.TEAMS
    table = (
        (
            *(one.name, one.pulls_with, one.pulls, one.lines_with, one.lines),
            one.no_evidence,
            *astuple(one.usage or PersonUsage()),
        )
        for one in rows
    )
    return download(
        to_csv(user_columns(selection.counting, is_team=is_team), table), "users.csv", CSV
    )


@api.get("/organizations/<organization>/pulls.csv")
@reads(
    "exportOrganizationPullRequests",
    "Download the merged pull requests of all repositories that you may read.",
    question=FilterParameters,
    media=CSV,
)
def organization_pulls(organization: str) -> Response:
    """Download an organization's pull requests as CSV."""
    _, selection = _selected_in(organization, "pull requests")
    return _pulls_csv(selection)


@api.get("/repositories/<owner>/<name>/pulls.csv")
@reads(
    "exportPullRequests",
    "Download the merged pull requests as CSV.",
    question=FilterParameters,
    media=CSV,
)
def pulls_csv(owner: str, name: str) -> Response:
    """Download a repository's pull requests as CSV."""
    _, selection = _selected(owner, name, "pull requests")
    return _pulls_csv(selection)


@api.get("/repositories/<owner>/<name>/pulls.jsonl")
@reads(
    "exportPullRequestsAsJsonLines",
    "Download the merged pull requests as JSON Lines.",
    question=FilterParameters,
    media=JSON_LINES,
)
def pulls_json_lines(owner: str, name: str) -> Response:
    """Download a repository's pull requests as JSON Lines."""
    _, selection = _selected(owner, name, "pull requests")
    rows = shown(lambda: _pulls(selection))
    return download(to_json_lines(rows), "pulls.jsonl", JSON_LINES)


@api.get("/repositories/<owner>/<name>/documents.jsonl")
@reads(
    "exportDocuments",
    "Download the documents of the audits in force, one per line, byte for byte.",
    question=FilterParameters,
    media=JSON_LINES,
)
def documents(owner: str, name: str) -> Response:
    """Download a repository's audit documents as JSON Lines."""
    repository, selection = _selected(owner, name, "documents")
    rows = shown(lambda: _pulls(selection))
    return download(_documents(repository, rows), "documents.jsonl", JSON_LINES)


@api.get("/organizations/<organization>/models.csv")
@reads(
    "exportOrganizationModels",
    "Download attributed lines by agent and model, over all repositories that you may read.",
    question=FilterParameters,
    media=CSV,
)
def organization_models(organization: str) -> Response:
    """Download an organization's lines by model as CSV."""
    _, selection = _selected_in(organization, "models")
    return _models_csv(selection)


@api.get("/repositories/<owner>/<name>/models.csv")
@reads(
    "exportModels",
    "Download a repository's attributed lines by agent and model as CSV.",
    question=FilterParameters,
    media=CSV,
)
def models_csv(owner: str, name: str) -> Response:
    """Download a repository's lines by model as CSV."""
    _, selection = _selected(owner, name, "models")
    return _models_csv(selection)


def _models_csv(selection: PullSelection) -> Response:
    """Return one row for each agent and family; an empty cell is a model that is not recorded."""
    rows = shown(lambda: services.summaries.models(selection))
    table = ((one.agent, one.model, one.pulls, one.attributed) for one in rows)
    return download(to_csv(MODEL_COLUMNS, table), "models.csv", CSV)


def user_columns(agent: str | None, *, is_team: bool) -> tuple[str, ...]:
    """Return the columns of "Export all users" in the native dashboard's words.

    The names in its file are not documented, so these are the words of its page.
    """
    native = {"claude-code": "CC", None: "agents"}
    what = native.get(agent) or agent_name(str(agent))
    first = "Team" if is_team else "User"
    native_ones = (f"PRs with {what}", "PRs", f"Lines of code with {what}", "Lines of code")
    return (first, *native_ones, *OWN_COLUMNS)


def _selected(owner: str, name: str, what: str) -> tuple[Repository, PullSelection]:
    """Return a readable repository and the pull requests to export; log the access."""
    repository = require_reader(owner, name)
    selection = read(FilterParameters).of((repository.id,))
    note_access("export", repository=repository, detail=what)
    return repository, selection


def _selected_in(
    organization: str, what: str, question: type[FilterParameters] = FilterParameters
) -> tuple[Installation, PullSelection]:
    """Return the pull requests to export of a member's repositories; log the access."""
    installation = require_member(organization)
    selection = read(question).of(readable_ids(installation.id))
    note_access("export", detail=f"{what} of {installation.account}")
    return installation, selection


def _pulls_csv(selection: PullSelection) -> Response:
    rows = shown(lambda: _pulls(selection))
    return download(to_csv(PULL_COLUMNS, map(_cells, rows)), "pulls.csv", CSV)


def _pulls(selection: PullSelection) -> Iterator[PullRow]:
    """Yield the whole list in batches; the first query runs at once, so that it can be refused."""
    summaries = services.summaries
    page = summaries.pulls(selection, ListSlice(limit=ROWS))

    def rest() -> Iterator[PullRow]:
        shown = page
        yield from shown.rows
        while shown.after is not None:
            shown = summaries.pulls(selection, ListSlice(after=shown.after, limit=ROWS))
            yield from shown.rows

    return rest()


def _cells(row: PullRow) -> list[object]:
    agents = " ".join(f"{agent}={lines}" for agent, lines in sorted(row.agents.items()))
    values = {**msgspec.structs.asdict(row), "agents": agents}
    values["merged_at"] = row.merged_at.isoformat()
    return [values[name] for name in PULL_COLUMNS]


def _documents(repository: Repository, rows: Iterable[PullRow]) -> Iterator[bytes]:
    audits = services.store.audits
    found = (audits.numbered(repository.id, row.pull_request, row.audit_number) for row in rows)
    documents = (audits.document(saved.id) for saved in found if saved)
    return (document + b"\n" for document in documents if document is not None)


def download(content: Iterable[str] | Iterable[bytes], name: str, kind: str) -> Response:
    """Return a download that is streamed, however long it is."""
    response = Response(content, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
