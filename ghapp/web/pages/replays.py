"""A repository's replays: start, watch, cancel and download them. Workers carry them out."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from flask import Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ghapp.attribution.document import from_document
from ghapp.attribution.policy import POLICIES
from ghapp.auditing.replay_over_github import start
from ghapp.documents.differences import AuditDifference, compare
from ghapp.reports.differences import to_page
from ghapp.store import Replay, ReplayRequest, ReplayState, ReplayUnderWay, Repository, Store
from ghapp.web.access import note_access, require_reader, require_repository_admin, require_viewer
from ghapp.web.current import services
from ghapp.web.pages.blueprint import pages

OWN = "repository"
"""Form value for the policy that was in force for each pull request."""

REPLAYS = "/repositories/<owner>/<name>/replays"
ONE = f"{REPLAYS}/<int(max=9223372036854775807):replay>"

LOOK_AGAIN = 5
"""Seconds after which the page of a running replay reloads itself."""


@pages.get(REPLAYS)
def replays(owner: str, name: str) -> str:
    """List a repository's replays."""
    known = require_reader(owner, name)
    store = services.store.replays
    found = store.of(known.id)
    counts = store.progress_of([one.id for one in found])
    return render_template(
        "replays.html",
        repository=known,
        replays=[(one, counts[one.id]) for one in found],
        policies=[(OWN, "the policy in force for each"), *((one, one) for one in POLICIES)],
        running=store.running(known.id),
    )


@pages.post(REPLAYS)
def start_replay(owner: str, name: str) -> AnyResponse:
    """Start a replay, or show the one that is running."""
    known = require_repository_admin(owner, name)
    wanted = _wanted(known)
    note_access("replay", repository=known)
    try:
        begun = start(services.store, known, wanted, now=services.clock()).id
    except ReplayUnderWay as other:
        begun = other.replay
    return redirect(_address(known, begun), 303)


@pages.get(ONE)
def replay(owner: str, name: str, replay: int) -> str:
    """Show the progress and the results of a replay."""
    known = require_reader(owner, name)
    found = _replay(known, replay)
    return render_template(
        "replay.html",
        repository=known,
        replay=found,
        counts=services.store.replays.progress(found.id),
        problems=services.store.replays.problems(found.id),
        look_again=LOOK_AGAIN if found.state is ReplayState.RUNNING else None,
    )


@pages.post(f"{ONE}/cancel")
def cancel_replay(owner: str, name: str, replay: int) -> AnyResponse:
    """Cancel a replay."""
    known = require_repository_admin(owner, name)
    found = _replay(known, replay)
    services.store.replays.cancel(found.id, now=services.clock())
    return redirect(_address(known, found.id), 303)


@pages.get(f"{ONE}/documents.jsonl")
def replay_documents(owner: str, name: str, replay: int) -> Response:
    """Download the documents of a replay."""
    known = require_reader(owner, name)
    found = _replay(known, replay)
    note_access("export", repository=known, detail=f"replay {found.id}")
    lines = (document + b"\n" for document in services.store.replays.documents(found.id))
    return _download(lines, f"replay-{found.id}.jsonl", "application/jsonl")


@pages.get(f"{ONE}/differences.html")
def replay_differences(owner: str, name: str, replay: int) -> Response:
    """Download a page that compares a replay with the recorded audits."""
    known = require_reader(owner, name)
    found = _replay(known, replay)
    note_access("comparison", repository=known, detail=f"replay {found.id}")
    names = (f"recorded audits of {known.full_name}", f"replay {found.id}")
    store = services.store
    page = to_page(lambda: _differences(store, known, found), *names)
    parts = (part.encode() for part in page)
    return _download(parts, f"replay-{found.id}-differences.html", "text/html")


def _replay(known: Repository, number: int) -> Replay:
    found = services.store.replays.one(number)
    if found is None or found.repository_id != known.id:
        abort(404, "this repository has no such replay")
    return found


def _wanted(known: Repository) -> ReplayRequest:
    """Read the form; 400 names the invalid field."""
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
    """Return the first or last instant of a day in the form; ``None``: the field is empty."""
    text = request.form.get(field, "").strip()
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        abort(400, f"{field}: give a day such as 2026-05-20")
    if found is None:
        return None
    first = datetime.combine(found, time(), UTC)
    return first + timedelta(days=1) - timedelta(microseconds=1) if last else first


def _differences(store: Store, known: Repository, found: Replay) -> Iterator[AuditDifference]:
    """Compare each recorded audit with the replay's audit of the same pull request."""
    for document in store.replays.documents(found.id):
        after = from_document(document)
        saved = store.audits.latest(known.id, after.pull_request or 0)
        recorded = None if saved is None else store.audits.document(saved.id)
        if recorded is not None:
            yield compare(from_document(recorded), after)


def _download(parts: Iterator[bytes], name: str, kind: str) -> Response:
    response = Response(parts, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _address(known: Repository, number: int) -> str:
    return url_for("pages.replay", owner=known.owner, name=known.name, replay=number)
