"""Check a webhook's signature and turn it into one typed event. It stores and starts nothing.

It reads only the members that it names, so GitHub may add, drop or change all others. An event
is a hint: the code that acts on it asks GitHub again.
"""

# ruff: noqa: N818 (a refusal is named after what was found, as the answer words it)

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec

from ghapp.attribution.model import Struct
from ghapp.github.external_id import ExternalId

MAX_BODY_BYTES = 25 * 1024 * 1024
"""GitHub sends no payload above 25 MB; the endpoint refuses a larger one.
https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap"""

# 72d3162e-cc78-11e3-81ab-4c9367dc0958
_DELIVERY = re.compile(r"[0-9A-Za-z_-]{1,64}")
# pull_request
_EVENT_NAME = re.compile(r"[a-z0-9_]{1,64}")

Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""One of GitHub's ids. It fits a 64-bit column; a larger number is refused."""
FIRST_TIME, LAST_TIME = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Times that an event may name: GitHub began in 2008, and a window is added to each."""
Number = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
"""The number of a pull request or an issue."""


# --- errors -----------------------------------------------------------------------------------


class WebhookError(ValueError):
    """The delivery is not accepted; ``status`` is the HTTP status of our answer."""

    status = 400


class BadSignature(WebhookError):
    """The signature is missing, or none of our secrets made it. The body was not read."""

    status = 401


class WrongApp(WebhookError):
    """The delivery carries our signature but is meant for another app."""

    status = 403


class MalformedEvent(WebhookError):
    """The body is not JSON, or a required member is missing or has the wrong type."""

    status = 400


class WrongContentType(WebhookError):
    """The webhook sends forms; the app reads only ``application/json``."""

    status = 415


# --- events -----------------------------------------------------------------------------------


class EventRepository(Struct, frozen=True, kw_only=True):
    """A repository as an event names it. ``id`` never changes, ``full_name`` may."""

    id: Id
    full_name: str
    private: bool = True
    """A repository counts as private where the event does not say."""
    archived: bool = False


class WebhookEvent(Struct, frozen=True, kw_only=True):
    """The members of every event. `WebhookEvent.from_http` is the only way to make one."""

    delivery: str
    """GitHub's GUID of the delivery; a redelivery carries the same one."""
    name: str
    """The ``X-GitHub-Event`` header, such as ``pull_request``."""
    action: str | None
    """``None``: the event has no action, such as ``push`` and ``ping``."""
    installation_id: int | None
    """``None``: the event belongs to no installation (``ping``)."""
    repository: EventRepository | None
    """``None``: the event belongs to no single repository."""
    sender: str | None
    """Login of the account that caused the event; ``None``: the account was deleted."""
    sender_is_bot: bool = False

    @staticmethod
    def from_http(
        headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], app_id: int | None
    ) -> "WebhookEvent":
        """Verify a delivery and read it.

        ``secrets`` are the valid webhook secrets (two during a rotation); ``app_id`` is this
        app's id, ``None`` while it is unknown. Raises `BadSignature` before it looks at the
        body, then `WrongApp`, `WrongContentType` and `MalformedEvent`.
        """
        given = {name.lower(): value for name, value in headers.items()}
        _check_signature(given.get("x-hub-signature-256"), body, secrets)
        _check_app(given.get("x-github-hook-installation-target-id"), app_id)
        _check_content_type(given.get("content-type", ""))
        return _read(_delivery(given), _event_name(given), body)


class PullRequestClosed(WebhookEvent, frozen=True, kw_only=True):
    """A pull request was closed. ``merged`` may be wrong for a moment: ask GitHub again."""

    number: int
    merged: bool
    head_sha: str
    base_sha: str
    base_ref: str
    merge_commit_sha: str | None
    """``None``: not merged, or GitHub did not say."""
    merged_at: datetime | None
    """``None``: not merged, or GitHub did not say."""


class CheckRunEvent(WebhookEvent, frozen=True, kw_only=True):
    """A person used a button on a check run."""

    check_run_id: int
    app_id: int | None
    """The app that made the run; ``None``: GitHub did not say."""
    head_sha: str
    pull: ExternalId | None
    """The pull request of the run; ``None``: this app did not make the run."""


class CheckRunRerequested(CheckRunEvent, frozen=True, kw_only=True):
    """A person pressed "Re-run"."""


class CheckRunRequestedAction(CheckRunEvent, frozen=True, kw_only=True):
    """A person pressed one of the buttons that the app put on the run."""

    identifier: str


class CheckSuiteRerequested(WebhookEvent, frozen=True, kw_only=True):
    """A person pressed "Re-run all checks"."""

    check_suite_id: int
    app_id: int | None
    head_sha: str
    numbers: tuple[int, ...]
    """The pull requests that GitHub names; it names none for a fork."""


class IssueComment(WebhookEvent, frozen=True, kw_only=True):
    """A comment was created, edited or deleted. It may hold a command."""

    number: int
    on_pull_request: bool
    comment_id: int
    body: str
    author: str | None
    author_is_bot: bool
    author_association: str
    by_app_id: int | None
    """The app that wrote the comment; ``None``: a person did."""


class InstallationEvent(WebhookEvent, frozen=True, kw_only=True):
    """An installation was created, deleted, suspended, unsuspended, or granted permissions."""

    account: str | None
    permissions: dict[str, str]
    repositories: tuple[EventRepository, ...]


class InstallationRepositories(WebhookEvent, frozen=True, kw_only=True):
    """Repositories were added to an installation or removed from it."""

    added: tuple[EventRepository, ...]
    removed: tuple[EventRepository, ...]


class RepositoryEvent(WebhookEvent, frozen=True, kw_only=True):
    """A repository was renamed, transferred, archived, unarchived or deleted."""


class DeploymentEvent(WebhookEvent, frozen=True, kw_only=True):
    """Something was deployed, or was not: one of the three below."""

    deployment_id: int
    environment: str
    is_production: bool
    """As GitHub says, or by the environment's name."""
    revision: str
    """Commit, or name of a tag."""
    at: datetime
    succeeded: bool | None
    """``None``: it neither succeeded nor failed."""


class DeploymentStatus(DeploymentEvent, frozen=True, kw_only=True):
    """A deployment of GitHub's got a status."""


class ReleasePublished(DeploymentEvent, frozen=True, kw_only=True):
    """A release was published."""


class WorkflowRunCompleted(DeploymentEvent, frozen=True, kw_only=True):
    """A workflow ran to its end; its name is the environment's."""

    by_pull_request: bool
    """Whether a pull request made it run."""


class IssueEvent(WebhookEvent, frozen=True, kw_only=True):
    """An issue was opened, labeled, closed and so on."""

    number: int
    labels: tuple[str, ...]
    lost_label: str | None
    """The label that was taken off; ``None``: none was."""
    opened_at: datetime
    closed_at: datetime | None
    updated_at: datetime
    is_deleted: bool


class IgnoredEvent(WebhookEvent, frozen=True, kw_only=True):
    """An event that the app records and does not act on, such as ``ping``."""


# --- the door ---------------------------------------------------------------------------------


def sign(body: bytes, secret: str) -> str:
    """Return the ``X-Hub-Signature-256`` value of a body.

    https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _check_signature(signature: str | None, body: bytes, secrets: Sequence[str]) -> None:
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise BadSignature("no webhook secret is set, so no delivery can be trusted: set one")
    if signature is None:
        raise BadSignature("X-Hub-Signature-256 is missing: set the webhook's secret on GitHub")
    # Try every secret, even after a match, so that the time taken reveals nothing.
    given = signature.encode("utf-8", "surrogateescape")
    matches = [hmac.compare_digest(given, sign(body, secret).encode()) for secret in usable]
    if not any(matches):
        raise BadSignature(
            f"X-Hub-Signature-256 matches none of the {len(usable)} secrets: "
            "compare the webhook's secret on GitHub with the setting here"
        )


def _check_app(target: str | None, app_id: int | None) -> None:
    if target is not None and app_id is not None and target.strip() != str(app_id):
        raise WrongApp(
            f"X-GitHub-Hook-Installation-Target-ID is {target[:40]!r}, this app is {app_id}: "
            "another app uses the same address and secret"
        )


def _check_content_type(value: str) -> None:
    if value.split(";", maxsplit=1)[0].strip().lower() != "application/json":
        raise WrongContentType(
            f"content type is {value[:80]!r}: set the webhook's content type to application/json"
        )


def _delivery(headers: Mapping[str, str]) -> str:
    delivery = headers.get("x-github-delivery", "")
    if not _DELIVERY.fullmatch(delivery):
        raise MalformedEvent(f"X-GitHub-Delivery is {delivery[:80]!r}, expected a GUID")
    return delivery


def _event_name(headers: Mapping[str, str]) -> str:
    name = headers.get("x-github-event", "")
    if not _EVENT_NAME.fullmatch(name):
        raise MalformedEvent(f"X-GitHub-Event is {name[:80]!r}, expected an event name")
    return name


# --- payloads: only the members that are read ---------------------------------------------------


class _Account(Struct, frozen=True, kw_only=True):
    login: str | None = None
    type: str | None = None


class _App(Struct, frozen=True, kw_only=True):
    id: Id | None = None


class _InstallationRef(Struct, frozen=True, kw_only=True):
    id: Id


class _Payload(Struct, frozen=True, kw_only=True):
    action: str | None = None
    installation: _InstallationRef | None = None
    repository: EventRepository | None = None
    sender: _Account | None = None


class _Commit(Struct, frozen=True, kw_only=True):
    sha: str
    ref: str = ""


class _Pull(Struct, frozen=True, kw_only=True):
    number: Number
    head: _Commit
    base: _Commit
    merged: bool | None = None
    merged_at: datetime | int | None = None
    merge_commit_sha: str | None = None


class _PullPayload(_Payload, frozen=True, kw_only=True):
    pull_request: _Pull
    repository: EventRepository


class _Run(Struct, frozen=True, kw_only=True):
    id: Id
    head_sha: str
    external_id: str | None = None
    app: _App | None = None


class _RequestedAction(Struct, frozen=True, kw_only=True):
    identifier: str


class _RunPayload(_Payload, frozen=True, kw_only=True):
    check_run: _Run
    repository: EventRepository
    requested_action: _RequestedAction | None = None


class _PullNumber(Struct, frozen=True, kw_only=True):
    number: Number


class _Suite(Struct, frozen=True, kw_only=True):
    id: Id
    head_sha: str
    app: _App | None = None
    pull_requests: tuple[_PullNumber, ...] | None = None


class _SuitePayload(_Payload, frozen=True, kw_only=True):
    check_suite: _Suite
    repository: EventRepository


class _Comment(Struct, frozen=True, kw_only=True):
    id: Id
    body: str | None = None
    user: _Account | None = None
    author_association: str | None = None
    performed_via_github_app: _App | None = None


class _Issue(Struct, frozen=True, kw_only=True):
    number: Number
    pull_request: dict[str, Any] | None = None


class _CommentPayload(_Payload, frozen=True, kw_only=True):
    comment: _Comment
    issue: _Issue
    repository: EventRepository


class _FullInstallation(_InstallationRef, frozen=True, kw_only=True):
    account: _Account | None = None
    permissions: dict[str, str] | None = None


class _InstallationPayload(_Payload, frozen=True, kw_only=True):
    installation: _FullInstallation
    repositories: tuple[EventRepository, ...] | None = None


class _RepositoriesPayload(_Payload, frozen=True, kw_only=True):
    installation: _InstallationRef
    repositories_added: tuple[EventRepository, ...] | None = None
    repositories_removed: tuple[EventRepository, ...] | None = None


class _RepositoryPayload(_Payload, frozen=True, kw_only=True):
    repository: EventRepository


class _Deployment(Struct, frozen=True, kw_only=True):
    id: Id
    sha: str
    environment: str = ""
    production_environment: bool | None = None


class _DeploymentStatus(Struct, frozen=True, kw_only=True):
    state: str
    created_at: datetime


class _DeploymentPayload(_Payload, frozen=True, kw_only=True):
    deployment: _Deployment
    deployment_status: _DeploymentStatus
    repository: EventRepository


class _Release(Struct, frozen=True, kw_only=True):
    id: Id
    tag_name: str
    published_at: datetime | None = None
    prerelease: bool = False
    draft: bool = False


class _ReleasePayload(_Payload, frozen=True, kw_only=True):
    release: _Release
    repository: EventRepository


class _WorkflowRun(Struct, frozen=True, kw_only=True):
    id: Id
    head_sha: str
    updated_at: datetime
    name: str | None = None
    event: str | None = None
    conclusion: str | None = None


class _WorkflowRunPayload(_Payload, frozen=True, kw_only=True):
    workflow_run: _WorkflowRun
    repository: EventRepository


class _Label(Struct, frozen=True, kw_only=True):
    name: str = ""


class _WholeIssue(Struct, frozen=True, kw_only=True):
    number: Number
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    labels: tuple[_Label, ...] = ()


class _IssuePayload(_Payload, frozen=True, kw_only=True):
    issue: _WholeIssue
    repository: EventRepository
    label: _Label | None = None


def _common(delivery: str, name: str, payload: _Payload) -> dict[str, Any]:
    """Return the members that every event type takes over unchanged."""
    sender = payload.sender or _Account()
    return {
        "delivery": delivery,
        "name": name,
        "action": payload.action,
        "installation_id": payload.installation.id if payload.installation else None,
        "repository": payload.repository,
        "sender": sender.login,
        "sender_is_bot": sender.type == "Bot",
    }


PayloadT = TypeVar("PayloadT", bound=_Payload)


def _decode(body: bytes, kind: type[PayloadT], name: str) -> PayloadT:
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError as problem:
        raise MalformedEvent(f"body of event {name!r}: nested too deep") from problem
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise MalformedEvent(f"body of event {name!r}: {problem}") from problem


def _read(delivery: str, name: str, body: bytes) -> WebhookEvent:
    basic = _decode(body, _Payload, name)
    reader = _READERS.get((name, basic.action)) or _READERS.get((name, None))
    if reader is None:
        return IgnoredEvent(**_common(delivery, name, basic))
    return reader(delivery, name, body)


# --- one reader for each event ------------------------------------------------------------------


def _instant(value: datetime | int | None) -> datetime | None:
    # Old payloads hold seconds since 1970, new ones hold text.
    if value is None:
        return None
    try:
        found = datetime.fromtimestamp(value, UTC) if isinstance(value, int) else _in_utc(value)
    except (OverflowError, OSError, ValueError) as problem:
        raise MalformedEvent(f"time {value} is not in seconds since 1970") from problem
    if not FIRST_TIME <= found < LAST_TIME:
        raise MalformedEvent(f"time {value} is before {FIRST_TIME.year} or after {LAST_TIME.year}")
    return found


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _pull_request_closed(delivery: str, name: str, body: bytes) -> WebhookEvent:
    payload = _decode(body, _PullPayload, name)
    pull = payload.pull_request
    return PullRequestClosed(
        **_common(delivery, name, payload),
        number=pull.number,
        merged=bool(pull.merged) or pull.merged_at is not None,
        head_sha=pull.head.sha,
        base_sha=pull.base.sha,
        base_ref=pull.base.ref,
        merge_commit_sha=pull.merge_commit_sha,
        merged_at=_instant(pull.merged_at),
    )


def _run_members(payload: _RunPayload) -> dict[str, Any]:
    run = payload.check_run
    pull = ExternalId.from_text(run.external_id)
    if pull is not None and pull.repository_id != payload.repository.id:
        pull = None
    return {
        "check_run_id": run.id,
        "app_id": run.app.id if run.app else None,
        "head_sha": run.head_sha,
        "pull": pull,
    }


def _check_run_rerequested(delivery: str, name: str, body: bytes) -> WebhookEvent:
    payload = _decode(body, _RunPayload, name)
    return CheckRunRerequested(**_common(delivery, name, payload), **_run_members(payload))


def _check_run_requested_action(delivery: str, name: str, body: bytes) -> WebhookEvent:
    payload = _decode(body, _RunPayload, name)
    if payload.requested_action is None:
        raise MalformedEvent("body of event 'check_run': `requested_action` is missing")
    return CheckRunRequestedAction(
        **_common(delivery, name, payload),
        **_run_members(payload),
        identifier=payload.requested_action.identifier,
    )


def _check_suite_rerequested(delivery: str, name: str, body: bytes) -> WebhookEvent:
    payload = _decode(body, _SuitePayload, name)
    suite = payload.check_suite
    return CheckSuiteRerequested(
        **_common(delivery, name, payload),
        check_suite_id=suite.id,
        app_id=suite.app.id if suite.app else None,
        head_sha=suite.head_sha,
        numbers=tuple(pull.number for pull in suite.pull_requests or ()),
    )


def _issue_comment(delivery: str, name: str, body: bytes) -> WebhookEvent:
    payload = _decode(body, _CommentPayload, name)
    comment = payload.comment
    author = comment.user or _Account()
    app = comment.performed_via_github_app
    return IssueComment(
        **_common(delivery, name, payload),
        number=payload.issue.number,
        on_pull_request=payload.issue.pull_request is not None,
        comment_id=comment.id,
        body=comment.body or "",
        author=author.login,
        author_is_bot=author.type == "Bot",
        author_association=comment.author_association or "NONE",
        by_app_id=app.id if app else None,
    )


def _installation(delivery: str, name: str, body: bytes) -> WebhookEvent:
    payload = _decode(body, _InstallationPayload, name)
    account = payload.installation.account
    return InstallationEvent(
        **_common(delivery, name, payload),
        account=account.login if account else None,
        permissions=payload.installation.permissions or {},
        repositories=payload.repositories or (),
    )


def _installation_repositories(delivery: str, name: str, body: bytes) -> WebhookEvent:
    payload = _decode(body, _RepositoriesPayload, name)
    return InstallationRepositories(
        **_common(delivery, name, payload),
        added=payload.repositories_added or (),
        removed=payload.repositories_removed or (),
    )


def _repository(delivery: str, name: str, body: bytes) -> WebhookEvent:
    payload = _decode(body, _RepositoryPayload, name)
    return RepositoryEvent(**_common(delivery, name, payload))


def _time(value: datetime) -> datetime:
    return _instant(value) or value


def _deployment_status(delivery: str, name: str, body: bytes) -> WebhookEvent:
    payload = _decode(body, _DeploymentPayload, name)
    one, status = payload.deployment, payload.deployment_status
    by_name = PRODUCTION.search(one.environment) is not None
    return DeploymentStatus(
        **_common(delivery, name, payload),
        deployment_id=one.id,
        environment=one.environment,
        is_production=one.production_environment is True or by_name,
        revision=one.sha,
        at=_time(status.created_at),
        succeeded=_STATES.get(status.state),
    )


def _release_published(delivery: str, name: str, body: bytes) -> WebhookEvent:
    payload = _decode(body, _ReleasePayload, name)
    one = payload.release
    if one.published_at is None:
        raise MalformedEvent("body of event 'release': `published_at` is missing")
    return ReleasePublished(
        **_common(delivery, name, payload),
        deployment_id=one.id,
        environment=RELEASES,
        is_production=not one.prerelease and not one.draft,
        revision=one.tag_name,
        at=_time(one.published_at),
        succeeded=True,
    )


def _workflow_run_completed(delivery: str, name: str, body: bytes) -> WebhookEvent:
    payload = _decode(body, _WorkflowRunPayload, name)
    run = payload.workflow_run
    return WorkflowRunCompleted(
        **_common(delivery, name, payload),
        deployment_id=run.id,
        environment=run.name or "",
        is_production=True,
        revision=run.head_sha,
        at=_time(run.updated_at),
        succeeded=_STATES.get(run.conclusion or ""),
        by_pull_request=(run.event or "").startswith("pull_request"),
    )


def _issue(delivery: str, name: str, body: bytes) -> WebhookEvent:
    payload = _decode(body, _IssuePayload, name)
    one = payload.issue
    return IssueEvent(
        **_common(delivery, name, payload),
        number=one.number,
        labels=tuple(label.name for label in one.labels),
        lost_label=payload.label.name
        if payload.label is not None and payload.action == "unlabeled"
        else None,
        opened_at=_time(one.created_at),
        closed_at=_instant(one.closed_at),
        updated_at=_time(one.updated_at),
        is_deleted=payload.action in {"deleted", "transferred"},
    )


PRODUCTION = re.compile(r"prod", re.IGNORECASE)
"""In the name of an environment of production, as DevLake proposes:
https://devlake.apache.org/docs/Configuration/GitHub"""
RELEASES = "releases"
"""Stands for the environment of releases."""
_STATES = {"success": True, "failure": False, "error": False, "timed_out": False}
"""GitHub's words for the end of a deployment or of a workflow run; all others are no end:
https://docs.github.com/en/rest/deployments/statuses"""

_READERS: dict[tuple[str, str | None], Callable[[str, str, bytes], WebhookEvent]] = {
    ("pull_request", "closed"): _pull_request_closed,
    ("check_run", "rerequested"): _check_run_rerequested,
    ("check_run", "requested_action"): _check_run_requested_action,
    ("check_suite", "rerequested"): _check_suite_rerequested,
    ("issue_comment", None): _issue_comment,
    ("installation", None): _installation,
    ("installation_repositories", None): _installation_repositories,
    ("repository", None): _repository,
    ("deployment_status", "created"): _deployment_status,
    ("release", "published"): _release_published,
    ("workflow_run", "completed"): _workflow_run_completed,
    ("issues", None): _issue,
}
"""Event and action → its reader; action ``None``: every action of the event."""
