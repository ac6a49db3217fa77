"""Routes on check runs and suites, with every limit that GitHub enforces.

https://docs.github.com/en/rest/checks/runs
"""

from datetime import datetime
from typing import Any

from ghapp.demo.sandbox.call import ErrorAnswer, HubAnswer, HubCall, existing
from ghapp.demo.sandbox.limits import (
    ACTION_LENGTHS,
    ACTIONS,
    ANNOTATION_MESSAGE_BYTES,
    ANNOTATION_TITLE_CHARACTERS,
    ANNOTATIONS_A_REQUEST,
    OUTPUT_CHARACTERS,
)
from ghapp.demo.sandbox.routing import RouteTable, listed
from ghapp.demo.sandbox.state import (
    CheckSuite,
    HubApp,
    HubCheckRun,
    HubRepository,
    Json,
    World,
)

ROUTES = RouteTable()
READ, WRITE = "checks:read", "checks:write"
STATUSES = {"queued", "in_progress", "completed"}
CONCLUSIONS = {
    "action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out",
}  # fmt: skip
"""Without ``stale``, which only GitHub sets."""
LEVELS = {"notice", "warning", "failure"}
OUTPUT_MEMBERS = {"title", "summary", "text", "annotations", "images"}
ANNOTATION_NEEDS = ("path", "start_line", "end_line", "annotation_level", "message")
ANNOTATION_MEMBERS = {*ANNOTATION_NEEDS, "start_column", "end_column", "title", "raw_details"}


def _invalid(reason: str) -> ErrorAnswer:
    return ErrorAnswer(422, f"Invalid request.\n\n{reason}")


# --- checking a request -----------------------------------------------------------------------


def _check_members(call: HubCall, sent: Json) -> None:
    """Refuse what GitHub refuses, before anything changes."""
    for name, allowed in (("status", STATUSES), ("conclusion", CONCLUSIONS)):
        if name in sent and sent[name] not in allowed:
            raise _invalid(f"{sent[name]!r} is not a member of {sorted(allowed)} ({name}).")
    details = sent.get("details_url")
    if details is not None and not str(details).startswith(("https://", "http://")):
        raise _invalid(f"details_url {details!r} must use the http or https scheme.")
    if sent.get("status") == "completed" and "conclusion" not in sent:
        raise _invalid("Missing required key 'conclusion' for a completed check run.")
    if "output" in sent:
        _check_output(call, sent["output"])
    if "actions" in sent:
        _check_actions(sent["actions"])


def _check_output(call: HubCall, output: Json) -> None:
    for name in sorted(set(output) - OUTPUT_MEMBERS):
        call.world.violate(call.where, f"unknown member output.{name}")
    for name in ("title", "summary"):
        if not isinstance(output.get(name), str) or not output[name]:
            raise _invalid(f'"{name}" wasn\'t supplied (output).')
    for name in ("summary", "text"):
        size = len(output.get(name) or "")
        if size > OUTPUT_CHARACTERS:
            limit = f"Only {OUTPUT_CHARACTERS} characters are allowed"
            raise _invalid(f"{limit}; {size} were supplied (output.{name}).")
    _check_annotations(call, output.get("annotations") or [])


def _check_annotations(call: HubCall, annotations: list[Json]) -> None:
    if len(annotations) > ANNOTATIONS_A_REQUEST:
        limit = f"No more than {ANNOTATIONS_A_REQUEST} items are allowed"
        raise _invalid(f"{limit}; {len(annotations)} were supplied (output.annotations).")
    for members in annotations:
        for name in sorted(set(members) - ANNOTATION_MEMBERS):
            call.world.violate(call.where, f"unknown member output.annotations.{name}")
        _check_annotation(members)


def _check_annotation(members: Json) -> None:
    missing = [name for name in ANNOTATION_NEEDS if name not in members]
    if missing:
        raise _invalid(f"{missing} weren't supplied (output.annotations).")
    start, end = members["start_line"], members["end_line"]
    if not isinstance(start, int) or not isinstance(end, int) or not 1 <= start <= end:
        raise _invalid(f"start_line {start} and end_line {end} are no range of lines.")
    if start != end and ("start_column" in members or "end_column" in members):
        raise _invalid("Columns are allowed only where start_line and end_line are the same.")
    if members["annotation_level"] not in LEVELS:
        raise _invalid(f"{members['annotation_level']!r} is not a member of {sorted(LEVELS)}.")
    for name in ("message", "raw_details"):
        if len((members.get(name) or "").encode()) > ANNOTATION_MESSAGE_BYTES:
            raise _invalid(f"{name} is above 64 KB (output.annotations).")
    if len(members.get("title") or "") > ANNOTATION_TITLE_CHARACTERS:
        raise _invalid("title is above 255 characters (output.annotations).")


def _check_actions(actions: list[Json]) -> None:
    if len(actions) > ACTIONS:
        raise _invalid(f"No more than {ACTIONS} items are allowed; {len(actions)} were supplied.")
    for action in actions:
        for name, limit in ACTION_LENGTHS.items():
            if not 0 < len(action.get(name) or "") <= limit:
                raise _invalid(f"actions.{name} must have 1 to {limit} characters.")


# --- changing a run ---------------------------------------------------------------------------


def suite_for(world: World, repository: HubRepository, app: HubApp, sha: str) -> CheckSuite:
    """Return the suite of an app on a commit; create it if there is none."""
    for suite in repository.suites.values():
        if suite.app is app and suite.head_sha == sha:
            return suite
    now = world.now()
    suite = CheckSuite(world.next_id("check_suite"), app, sha, now, now)
    repository.suites[suite.id] = suite
    return suite


def _apply(call: HubCall, run: HubCheckRun, sent: Json) -> None:
    """Apply a checked request to a run. New annotations are appended."""
    for name in ("name", "external_id", "details_url"):
        if name in sent:
            setattr(run, name, sent[name])
    if "started_at" in sent:
        run.started_at = _time(sent["started_at"])
    _apply_state(call, run, sent)
    output = sent.get("output") or {}
    for name in ("title", "summary", "text"):
        if name in output:
            setattr(run, name, output[name])
    run.annotations += output.get("annotations") or []
    if "actions" in sent:
        run.actions = list(sent["actions"])
    run.suite.rerequested = False
    run.suite.updated_at = call.world.now()


def _apply_state(call: HubCall, run: HubCheckRun, sent: Json) -> None:
    if "conclusion" in sent:
        run.status, run.conclusion = "completed", sent["conclusion"]
        run.completed_at = _time(sent["completed_at"]) if "completed_at" in sent else None
        run.completed_at = run.completed_at or call.world.now()
    elif "status" in sent:
        run.status, run.conclusion, run.completed_at = sent["status"], None, None


def _time(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError as broken:
        raise _invalid(f"{value!r} is not a date-time.") from broken
    if found.tzinfo is None:
        raise _invalid(f"{value!r} has no time zone.")
    return found


def _run_of(call: HubCall) -> HubCheckRun:
    run = existing(call.repo.check_runs.get(call.number("check_run_id")))
    return existing(None if call.hides(run.created_at) else run)


# --- routes -----------------------------------------------------------------------------------

SENT = "name head_sha details_url external_id status started_at conclusion completed_at output"


@ROUTES("POST", "/repos/{owner}/{repo}/check-runs", WRITE, members=SENT + " actions")
def create(call: HubCall) -> HubAnswer:
    """Create a check run on any commit of the repository."""
    sent = call.json()
    for name in ("name", "head_sha"):
        if not isinstance(sent.get(name), str) or not sent[name]:
            raise _invalid(f'"{name}" wasn\'t supplied.')
    _check_members(call, sent)
    sha = sent["head_sha"]
    if call.repo.git.resolve(sha) != sha:
        raise ErrorAnswer(422, f"No commit found for SHA: {sha}")
    suite = suite_for(call.world, call.repo, call.acting_app, sha)
    number, now = call.world.next_id("check_run"), call.world.now()
    run = HubCheckRun(
        id=number, suite=suite, name=sent["name"], head_sha=sha, created_at=now, started_at=now
    )
    _apply(call, run, sent)
    call.repo.check_runs[run.id] = run
    return _shown(call, run, "created", status=201)


@ROUTES(
    "PATCH", "/repos/{owner}/{repo}/check-runs/{check_run_id}", WRITE,
    members=SENT.replace("head_sha ", "") + " actions",
)  # fmt: skip
def update(call: HubCall) -> HubAnswer:
    """Change a check run; only the app that created it may."""
    run = _run_of(call)
    if run.suite.app is not call.acting_app:
        raise ErrorAnswer(
            403,
            f"Invalid app_id `{call.acting_app.id}` - check run can only be modified by the "
            "GitHub App that created it.",
        )
    sent = call.json()
    _check_members(call, sent)
    was = run.status
    _apply(call, run, sent)
    finished = run.status == "completed" and was != "completed"
    return _shown(call, run, "completed" if finished else None)


def _shown(call: HubCall, run: HubCheckRun, action: str | None, status: int = 200) -> HubAnswer:
    """Answer with the written run, and announce it to apps as GitHub does."""
    if action is not None:
        call.announce("check_run", {"action": action, "check_run": run})
    if action == "created" and run.status == "completed":
        call.announce("check_run", {"action": "completed", "check_run": run})
    return HubAnswer(call.shapes.check_run(call.repo, run), status=status)


@ROUTES("GET", "/repos/{owner}/{repo}/check-runs/{check_run_id}", READ)
def get(call: HubCall) -> HubAnswer:
    """Answer with one check run."""
    return HubAnswer(call.shapes.check_run(call.repo, _run_of(call)))


@ROUTES("GET", "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations", READ, paged=True)
def annotations(call: HubCall) -> HubAnswer:
    """List the annotations of a check run, in the order in which they arrived."""
    run = _run_of(call)
    return listed(call, run.annotations, lambda one: call.shapes.annotation(call.repo, run, one))


FILTERS = "check_name status filter app_id"


@ROUTES("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs", READ, paged=True, query=FILTERS)
def of_commit(call: HubCall) -> HubAnswer:
    """List the check runs of a commit; ``filter=latest`` shows one run per name and app."""
    sha = call.repo.git.resolve(call.params["ref"])
    if sha is None:
        raise ErrorAnswer(422, f"No commit found for SHA: {call.params['ref']}")
    return _filtered(call, [run for run in call.repo.check_runs.values() if run.head_sha == sha])


@ROUTES(
    "GET", "/repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs", READ,
    paged=True, query=FILTERS,
)  # fmt: skip
def of_suite(call: HubCall) -> HubAnswer:
    """List the check runs of a suite."""
    suite = _suite_of(call)
    return _filtered(call, [run for run in call.repo.check_runs.values() if run.suite is suite])


def _filtered(call: HubCall, runs: list[HubCheckRun]) -> HubAnswer:
    query = call.query
    found = [
        run
        for run in runs
        if not call.hides(run.created_at)
        and query.get("check_name", run.name) == run.name
        and query.get("status", run.status) == run.status
        and query.get("app_id", str(run.suite.app.id)) == str(run.suite.app.id)
    ]
    if query.get("filter", "latest") == "latest":
        found = list({(run.name, run.suite.app.id): run for run in found}.values())
    newest_first = sorted(found, key=lambda run: run.id, reverse=True)
    return listed(
        call, newest_first, lambda run: call.shapes.check_run(call.repo, run), "check_runs"
    )


def _suite_of(call: HubCall) -> CheckSuite:
    return existing(call.repo.suites.get(call.number("check_suite_id")))


@ROUTES("GET", "/repos/{owner}/{repo}/check-suites/{check_suite_id}", READ)
def suite(call: HubCall) -> HubAnswer:
    """Answer with one check suite."""
    return HubAnswer(call.shapes.check_suite(call.repo, _suite_of(call)))
