"""A repository's replays: asked for, watched, cancelled, taken along. The queue does them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ghapp.attribution.document import from_document
from ghapp.attribution.policy import POLICIES
from ghapp.auditing.replay_over_github import start
from ghapp.bootstrap import Services
from ghapp.documents.differences import AuditDifference, compare
from ghapp.reports.differences import to_page
from ghapp.store import Replay, ReplayRequest, ReplayState, ReplayUnderWay, Repository
from ghapp.web.access import note_access, require_reader, require_repository_admin, require_viewer

OWN = "repository"
"""The choice of the policy that was in force for each pull request."""

ONE = "/repositories/<owner>/<name>/replays/<int(max=9223372036854775807):replay>"

LOOK_AGAIN = 5
"""Seconds after which a page of a replay under way shows how far it is."""


def add(blueprint: Blueprint, services: Services) -> None:
    """Add the routes of replays."""

    @blueprint.get("/repositories/<owner>/<name>/replays")
    def replays(owner: str, name: str) -> str:
        known = require_reader(services, owner, name)
        return _listed(services, known)

    @blueprint.post("/repositories/<owner>/<name>/replays")
    def start_replay(owner: str, name: str) -> AnyResponse:
        known = require_repository_admin(services, owner, name)
        wanted = _asked(services, known)
        note_access(services, "replay", repository=known)
        try:
            begun = start(services.store, known, wanted, now=services.clock()).id
        except ReplayUnderWay as other:
            begun = other.replay
        return redirect(_address(known, begun), 303)

    @blueprint.get(ONE)
    def replay(owner: str, name: str, replay: int) -> str:
        known = require_reader(services, owner, name)
        found = _one(services, known, replay)
        return render_template(
            "replay.html",
            repository=known,
            replay=found,
            counts=services.store.replays.progress(found.id),
            problems=services.store.replays.problems(found.id),
            look_again=LOOK_AGAIN if found.state is ReplayState.RUNNING else None,
        )

    @blueprint.post(f"{ONE}/cancel")
    def cancel_replay(owner: str, name: str, replay: int) -> AnyResponse:
        known = require_repository_admin(services, owner, name)
        found = _one(services, known, replay)
        services.store.replays.cancel(found.id, now=services.clock())
        return redirect(_address(known, found.id), 303)

    @blueprint.get(f"{ONE}/documents.jsonl")
    def replay_documents(owner: str, name: str, replay: int) -> Response:
        known = require_reader(services, owner, name)
        found = _one(services, known, replay)
        note_access(services, "export", repository=known, detail=f"replay {found.id}")
        lines = (document + b"\n" for document in services.store.replays.documents(found.id))
        return _download(lines, f"replay-{found.id}.jsonl", "application/jsonl")

    @blueprint.get(f"{ONE}/differences.html")
    def replay_differences(owner: str, name: str, replay: int) -> Response:
        known = require_reader(services, owner, name)
        found = _one(services, known, replay)
        note_access(services, "comparison", repository=known, detail=f"replay {found.id}")
        names = (f"what is recorded of {known.full_name}", f"replay {found.id}")
        page = to_page(lambda: _differences(services, known, found), *names)
        parts = (part.encode() for part in page)
        return _download(parts, f"replay-{found.id}-differences.html", "text/html")


def _listed(services: Services, known: Repository) -> str:
    found = services.store.replays.of(known.id)
    counts = services.store.replays.progress_of([one.id for one in found])
    policies = [(OWN, "the policy in force for each"), *((one, one) for one in POLICIES)]
    return render_template(
        "replays.html",
        repository=known,
        replays=[(one, counts[one.id]) for one in found],
        policies=policies,
        running=services.store.replays.running(known.id),
    )


def _one(services: Services, known: Repository, number: int) -> Replay:
    found = services.store.replays.one(number)
    if found is None or found.repository_id != known.id:
        abort(404, "there is no such replay of this repository")
    return found


def _asked(services: Services, known: Repository) -> ReplayRequest:
    name = request.form.get("policy", OWN)
    if name != OWN and name not in POLICIES:
        abort(400, f"there is no policy of that name; choose {OWN}, {', '.join(POLICIES)}")
    return ReplayRequest(
        repository_id=known.id,
        as_of=services.clock(),
        asked_by=require_viewer().who,
        policy=POLICIES.get(name),
        since=_day("since"),
        until=_day("until", last=True),
    )


def _day(field: str, *, last: bool = False) -> datetime | None:
    """Return a day of the form as its first or last instant; ``None``: it was left empty."""
    text = request.form.get(field, "").strip()
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        abort(400, f"{field}: give a day such as 2026-05-20")
    if found is None:
        return None
    first = datetime.combine(found, time(), UTC)
    return first + timedelta(days=1) - timedelta(microseconds=1) if last else first


def _differences(services: Services, known: Repository, found: Replay) -> Iterator[AuditDifference]:
    """Compare what is recorded with the replay, where there are both."""
    for document in services.store.replays.documents(found.id):
        after = from_document(document)
        saved = services.store.audits.latest(known.id, after.pull_request or 0)
        recorded = None if saved is None else services.store.audits.document(saved.id)
        if recorded is not None:
            yield compare(from_document(recorded), after)


def _download(parts: Iterator[bytes], name: str, kind: str) -> Response:
    response = Response(parts, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _address(known: Repository, number: int) -> str:
    return url_for("pages.replay", owner=known.owner, name=known.name, replay=number)
