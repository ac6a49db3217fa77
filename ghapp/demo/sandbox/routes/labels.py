"""Routes on labels: those of a repository, and those on a pull request.

https://docs.github.com/en/rest/issues/labels
"""

import json
import re

from ghapp.demo.sandbox.call import ErrorAnswer, HubAnswer, HubCall, existing
from ghapp.demo.sandbox.limits import (
    LABEL_DESCRIPTION_CHARACTERS,
    LABEL_NAME_CHARACTERS,
    PULL_LABELS,
)
from ghapp.demo.sandbox.routes.pulls import pull_of
from ghapp.demo.sandbox.routing import RouteTable, listed
from ghapp.demo.sandbox.state import HubLabel, HubPull, Json

ROUTES = RouteTable()
READ, WRITE = ("issues:read", "pull_requests:read"), ("issues:write", "pull_requests:write")
# For the number of a pull request, issues:write alone is refused in practice.
READ_PULL, WRITE_PULL = "pull_requests:read", "pull_requests:write"
_COLOR = re.compile(r"[0-9a-fA-F]{6}")  # d73a4a


def _invalid(field: str, code: str, message: str = "") -> ErrorAnswer:
    problem = {"resource": "Label", "field": field, "code": code}
    errors = [problem | ({"message": message} if message else {})]
    return ErrorAnswer(422, "Validation Failed", errors=errors)


def _check(sent: Json) -> None:
    if not _COLOR.fullmatch(sent.get("color", "ededed")):
        raise _invalid("color", "invalid")
    if len(sent.get("description") or "") > LABEL_DESCRIPTION_CHARACTERS:
        limit = f"description is too long (maximum is {LABEL_DESCRIPTION_CHARACTERS} characters)"
        raise _invalid("description", "custom", limit)


def _check_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise _invalid("name", "missing_field")
    if len(name) > LABEL_NAME_CHARACTERS:
        raise _invalid("name", "custom", "name is too long (maximum is 50 characters)")
    return name


def _label_of(call: HubCall) -> HubLabel:
    return existing(call.repo.labels.get(call.params["name"].lower()))


# --- the repository's labels ------------------------------------------------------------------


@ROUTES("GET", "/repos/{owner}/{repo}/labels", *READ, paged=True)
def repository_labels(call: HubCall) -> HubAnswer:
    """List the labels of the repository."""
    known = list(call.repo.labels.values())
    return listed(call, known, lambda label: call.shapes.label(call.repo, label))


@ROUTES("GET", "/repos/{owner}/{repo}/labels/{name}", *READ)
def get(call: HubCall) -> HubAnswer:
    """Answer with one label, whatever the case of its name."""
    return HubAnswer(call.shapes.label(call.repo, _label_of(call)))


@ROUTES("POST", "/repos/{owner}/{repo}/labels", *WRITE, members="name color description")
def create(call: HubCall) -> HubAnswer:
    """Create a label; 422 if the name is taken."""
    sent = call.json()
    name = _check_name(sent.get("name"))
    _check(sent)
    if name.lower() in call.repo.labels:
        raise _invalid("name", "already_exists")
    label = _created(call, name, sent.get("color", "ededed"), sent.get("description"))
    return HubAnswer(call.shapes.label(call.repo, label), status=201)


def _created(call: HubCall, name: str, color: str, description: str | None) -> HubLabel:
    label = HubLabel(call.world.next_id("label"), name, color, description)
    call.repo.labels[name.lower()] = label
    call.announce("label", {"action": "created", "label": label})
    return label


@ROUTES(
    "PATCH", "/repos/{owner}/{repo}/labels/{name}", *WRITE, members="new_name color description"
)
def update(call: HubCall) -> HubAnswer:
    """Change a label."""
    label, sent = _label_of(call), call.json()
    _check(sent)
    taken = call.repo.labels.get(_check_name(sent.get("new_name", label.name)).lower(), label)
    if taken is not label:
        raise _invalid("name", "already_exists")
    changes = {}
    for member, name in (("new_name", "name"), ("color", "color"), ("description", "description")):
        if member in sent and getattr(label, name) != sent[member]:
            changes[name] = {"from": getattr(label, name) or ""}
            setattr(label, name, sent[member])
    call.repo.labels.pop(call.params["name"].lower())
    call.repo.labels[label.name.lower()] = label
    call.announce("label", {"action": "edited", "label": label, "changes": changes})
    return HubAnswer(call.shapes.label(call.repo, label))


# --- the pull request's labels ----------------------------------------------------------------


@ROUTES("GET", "/repos/{owner}/{repo}/issues/{issue_number}/labels", READ_PULL, paged=True)
def pull_labels(call: HubCall) -> HubAnswer:
    """List the labels of a pull request."""
    pull = pull_of(call, "issue_number")
    labels = pull.labels[:-1] if call.as_of else pull.labels
    return listed(call, labels, lambda label: call.shapes.label(call.repo, label))


@ROUTES("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels", WRITE_PULL, members="labels")
def add(call: HubCall) -> HubAnswer:
    """Add labels to a pull request; create unknown ones with the default color."""
    pull = pull_of(call, "issue_number")
    names = [_check_name(name) for name in _names(call)]
    if (
        len({one.name.lower() for one in pull.labels} | {one.lower() for one in names})
        > PULL_LABELS
    ):
        raise ErrorAnswer(422, f"Issues cannot have more than {PULL_LABELS} labels")
    for name in names:
        label = call.repo.labels.get(name.lower()) or _created(call, name, "ededed", None)
        if label not in pull.labels:
            pull.labels.append(label)
            pull.updated_at = call.world.now()
            call.announce("pull_request", {"action": "labeled", "label": label, "pull": pull})
    return _labels_of(call, pull)


def _names(call: HubCall) -> list[object]:
    """Return the names, sent in an object or, by older clients, as a bare array."""
    if call.body.lstrip().startswith(b"["):
        sent = json.loads(call.body)
    else:
        sent = call.json().get("labels")
    if not isinstance(sent, list):
        raise ErrorAnswer(422, 'Invalid request.\n\n"labels" wasn\'t supplied.')
    return [one.get("name") if isinstance(one, dict) else one for one in sent]


@ROUTES("DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", WRITE_PULL)
def remove(call: HubCall) -> HubAnswer:
    """Remove one label from a pull request; 404 if it is not there."""
    pull, name = pull_of(call, "issue_number"), call.params["name"].lower()
    for label in pull.labels:
        if label.name.lower() == name:
            pull.labels.remove(label)
            pull.updated_at = call.world.now()
            call.announce("pull_request", {"action": "unlabeled", "label": label, "pull": pull})
            return _labels_of(call, pull)
    raise ErrorAnswer(404, "Label does not exist")


def _labels_of(call: HubCall, pull: HubPull) -> HubAnswer:
    return HubAnswer([call.shapes.label(call.repo, label) for label in pull.labels])
