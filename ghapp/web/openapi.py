"""The API in OpenAPI 3.1, made of one table of routes and the structs that they speak.

It checks no request: the doors do. A test holds the table and the application to each other.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response

from ghapp import __version__, wire
from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services
from ghapp.summaries.counts import OrganizationSummary, PullRow, RepositorySummary
from ghapp.web.api import exports, pulls, questions, repositories, summaries
from ghapp.web.badge import BadgeLink

PATH = "/api/openapi.json"
JSON = "application/json"
COMPONENTS = "#/components/schemas/{name}"
RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds after which to send it again.",
        "schema": {"type": "integer"},
    }
}


Number = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class ApiOperation(Struct, frozen=True):
    """One route: what it takes, what it answers, and which token it wants."""

    method: str
    """In lower case."""
    path: str
    """With parameters in braces: ``/api/repositories/{owner}/{name}``; see `NUMBERS`."""
    id: str
    """A name for programs, of its own."""
    about: str
    """One sentence."""
    answers: dict[int, Any]
    """Status → what its JSON is; ``None``: nothing, or no JSON (see ``media``)."""
    body: Any = None
    """What the request's JSON is; ``None``: it has no body."""
    token: str | None = None
    """``upload`` or ``read``; ``None``: no token is wanted."""
    question: type[Struct] | None = None
    """What may be asked in the address, as a struct; ``None``: nothing."""
    refusals: tuple[int, ...] = ()
    """Statuses that answer with a `wire.WireProblem`."""
    media: str = JSON
    """What kind of text the answer is."""


NUMBERS = frozenset({"number", "audit"})
"""Parameters in paths that are whole numbers; all others are text."""
UPLOAD = "upload"
READ = "read"
SECURITY = {
    UPLOAD: {
        "type": "http",
        "scheme": "bearer",
        "description": "Made by `ghapp collect enroll`: sends and removes its person's evidence.",
    },
    READ: {
        "type": "http",
        "scheme": "bearer",
        "description": "A read token: reads what its person may read, and changes nothing.",
    },
}

OF_MACHINES: tuple[ApiOperation, ...] = (
    ApiOperation(
        method="post",
        path="/api/enroll",
        id="beginEnrollment",
        about="Begin to let a machine in: a person types the code at the address.",
        answers={200: wire.EnrollmentStarted},
        refusals=(403, 404, 429, 503),
    ),
    ApiOperation(
        method="post",
        path="/api/enroll/finish",
        id="finishEnrollment",
        about="Ask whether the code was typed; the token is shown this once.",
        body=wire.EnrollmentAsked,
        answers={200: wire.MachineEnrolled, 202: wire.EnrollmentPending},
        refusals=(400, 403, 404, 413, 415, 422, 429, 503),
    ),
    ApiOperation(
        method="get",
        path="/api/enrollment",
        id="readEnrollment",
        about="Read where this token's evidence goes, with the keys of its fingerprints.",
        token=UPLOAD,
        answers={200: wire.MachineEnrollment},
        refusals=(401, 404, 429, 503),
    ),
    ApiOperation(
        method="post",
        path="/api/evidence",
        id="sendEvidence",
        about="Send edits of one repository: kept whole or not at all, once however often sent.",
        token=UPLOAD,
        body=wire.EditBatch,
        answers={200: wire.BatchReceipt},
        refusals=(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
    ),
    ApiOperation(
        method="delete",
        path="/api/evidence",
        id="forgetEvidence",
        about="Remove what this token's person has sent, all of it or what is named.",
        token=UPLOAD,
        body=wire.ForgetRequest,
        answers={200: wire.ForgetReceipt},
        refusals=(400, 401, 404, 413, 415, 422, 429, 503),
    ),
    ApiOperation(
        method="get",
        path=PATH,
        id="readDescription",
        about="Read this description.",
        answers={200: dict[str, Any]},
        refusals=(429,),
    ),
)

_REPOSITORY = "/api/repositories/{owner}/{name}"
_PULL = f"{_REPOSITORY}/pulls/{{number}}"
_REFUSALS = (400, 401, 403, 404, 429, 503)

OF_READERS: tuple[ApiOperation, ...] = (
    ApiOperation(
        method="get",
        path="/api/viewer",
        id="readViewer",
        about="Read who asks, as the API understood it.",
        token=READ,
        answers={200: repositories.ViewerAnswer},
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path="/api/organizations",
        id="listOrganizations",
        about="List the accounts on which the app is installed.",
        token=READ,
        question=questions.PageParameters,
        answers={200: tuple[repositories.OrganizationAnswer, ...]},
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path="/api/repositories",
        id="listRepositories",
        about="List the repositories that the token's person may read.",
        token=READ,
        question=questions.PageParameters,
        answers={200: tuple[repositories.RepositoryAnswer, ...]},
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path=_REPOSITORY,
        id="readRepository",
        about="Read one repository.",
        token=READ,
        answers={200: repositories.RepositoryAnswer},
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path=f"{_REPOSITORY}/summary",
        id="readRepositorySummary",
        about="Read a repository's counts, by time, agent, directory and language.",
        token=READ,
        question=questions.SummaryParameters,
        answers={200: RepositorySummary},
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path=f"{_REPOSITORY}/coverage",
        id="readCoverage",
        about="Read from how many developers' machines evidence came, week by week.",
        token=READ,
        question=questions.SpanParameters,
        answers={200: tuple[summaries.CoveredWeek, ...]},
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path=f"{_REPOSITORY}/badge",
        id="readBadgeLink",
        about="Read where the repository's badge is, as its administrator.",
        token=READ,
        answers={200: BadgeLink},
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path=f"{_REPOSITORY}/pulls",
        id="listPullRequests",
        about="List the merged pull requests with what their audits in force say.",
        token=READ,
        question=questions.ListParameters,
        answers={200: tuple[PullRow, ...]},
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path=f"{_REPOSITORY}/pulls.csv",
        id="exportPullRequests",
        about="Take away the merged pull requests as CSV.",
        token=READ,
        question=questions.FilterParameters,
        answers={200: None},
        media=exports.CSV,
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path=f"{_REPOSITORY}/pulls.jsonl",
        id="exportPullRequestsAsJsonLines",
        about="Take away the merged pull requests as JSON Lines.",
        token=READ,
        question=questions.FilterParameters,
        answers={200: None},
        media=exports.JSON_LINES,
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path=f"{_REPOSITORY}/documents.jsonl",
        id="exportDocuments",
        about="Take away the documents of the audits in force, one a line, byte for byte.",
        token=READ,
        question=questions.FilterParameters,
        answers={200: None},
        media=exports.JSON_LINES,
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path="/api/organizations/{organization}/summary",
        id="readOrganizationSummary",
        about="Read an organization's counts over the repositories that you may read.",
        token=READ,
        question=questions.SummaryParameters,
        answers={200: OrganizationSummary},
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path="/api/organizations/{organization}/users.csv",
        id="exportUsers",
        about='Take away the native dashboard\'s "Export all users", by people or by teams.',
        token=READ,
        question=questions.UserParameters,
        answers={200: None},
        media=exports.CSV,
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path="/api/organizations/{organization}/pulls.csv",
        id="exportOrganizationPullRequests",
        about="Take away the merged pull requests of all repositories that you may read.",
        token=READ,
        question=questions.FilterParameters,
        answers={200: None},
        media=exports.CSV,
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path=_PULL,
        id="readPullRequest",
        about="Read a merged pull request's audits.",
        token=READ,
        answers={200: pulls.PullAnswer},
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path=f"{_PULL}/document",
        id="readDocument",
        about="Read the document of the audit in force.",
        token=READ,
        answers={200: dict[str, Any]},
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path=f"{_PULL}/audits/{{audit}}/document",
        id="readNumberedDocument",
        about="Read the document of one audit.",
        token=READ,
        answers={200: dict[str, Any]},
        refusals=_REFUSALS,
    ),
    ApiOperation(
        method="get",
        path=f"{_PULL}/lines",
        id="listLines",
        about="List the added lines with their reasons.",
        token=READ,
        question=questions.LineParameters,
        answers={200: tuple[pulls.LineAnswer, ...]},
        refusals=_REFUSALS,
    ),
)

OPERATIONS: tuple[ApiOperation, ...] = (*OF_MACHINES, *OF_READERS)


def openapi(services: Services) -> Blueprint:
    """Return the route ``/api/openapi.json``."""
    blueprint = Blueprint("openapi", __name__)
    raw = msgspec.json.encode(description(OPERATIONS, services.settings.public_url))

    @blueprint.get(PATH)
    def described() -> Response:
        return Response(raw, content_type=JSON)

    return blueprint


def description(operations: Sequence[ApiOperation], address: str | None) -> dict[str, Any]:
    """Return the description; ``address`` is where the app is reached, ``None``: not known."""
    kinds = list(dict.fromkeys(_kinds(operations)))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=COMPONENTS)
    by_kind = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, Any] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method] = _described(one, by_kind, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Attribution Auditor",
            "version": __version__,
            "description": "Evidence from developers' machines, and the audits made of it.",
        },
        "servers": [{"url": address or "/"}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": SECURITY},
    }


def _kinds(operations: Iterable[ApiOperation]) -> Iterable[Any]:
    yield wire.WireProblem
    for one in operations:
        spoken = (one.body, one.question, *one.answers.values())
        yield from (kind for kind in spoken if kind is not None)


def _described(
    one: ApiOperation, by_kind: dict[Any, dict[str, Any]], components: dict[str, Any]
) -> dict[str, Any]:
    answers = {str(status): _answer(one, status, by_kind) for status in one.answers}
    refusals = {str(status): _refusal(status, by_kind) for status in one.refusals}
    found: dict[str, Any] = {
        "operationId": one.id,
        "summary": one.about,
        "responses": answers | refusals,
    }
    parameters = [*_in_path(one.path), *_in_query(one.question, components)]
    if parameters:
        found["parameters"] = parameters
    if one.body is not None:
        content = {JSON: {"schema": by_kind[one.body]}}
        found["requestBody"] = {"required": True, "content": content}
    if one.token is not None:
        found["security"] = [{one.token: []}]
    return found


def _in_path(path: str) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"\{(\w+)\}", path):
        schema = msgspec.json.schema(Number if name in NUMBERS else str)
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(question: type[Struct] | None, components: dict[str, Any]) -> Iterator[Any]:
    properties = components[question.__name__]["properties"] if question else {}
    for name, schema in properties.items():
        plain = {key: value for key, value in schema.items() if key != "default"}
        yield {"name": name, "in": "query", "schema": plain}


def _answer(one: ApiOperation, status: int, by_kind: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    kind = one.answers[status]
    found: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if kind is not None:
        found["content"] = {one.media: {"schema": by_kind[kind]}}
    elif one.media != JSON:
        found["content"] = {one.media: {"schema": {"type": "string"}}}
    return found


def _refusal(status: int, by_kind: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {JSON: {"schema": by_kind[wire.WireProblem]}},
    }
    if status in {429, 503}:
        found["headers"] = RETRY_AFTER
    return found
