"""Routes on the comments of a pull request.

https://docs.github.com/en/rest/issues/comments
"""

from datetime import datetime

from ghapp.demo.sandbox.call import ErrorAnswer, HubAnswer, HubCall
from ghapp.demo.sandbox.limits import COMMENT_CHARACTERS, PULL_COMMENTS
from ghapp.demo.sandbox.routes.pulls import pull_of
from ghapp.demo.sandbox.routing import RouteTable, listed
from ghapp.demo.sandbox.state import HubComment, HubPull

ROUTES = RouteTable()
# For the number of a pull request, issues:write alone is refused in practice.
READ, WRITE = "pull_requests:read", "pull_requests:write"


def _body(call: HubCall) -> str:
    body = call.json().get("body")
    problem = None
    if not isinstance(body, str) or not body.strip():
        problem = {"code": "missing_field", "message": "Body cannot be blank"}
    elif len(body) > COMMENT_CHARACTERS:
        limit = f"Body is too long (maximum is {COMMENT_CHARACTERS} characters)"
        problem = {"code": "unprocessable", "message": limit}
    if problem:
        errors = [{"resource": "IssueComment", "field": "data", **problem}]
        raise ErrorAnswer(422, "Validation Failed", errors=errors)
    return str(body)


def _comment_of(call: HubCall) -> tuple[HubPull, HubComment]:
    number = call.number("comment_id")
    for pull in call.repo.pulls.values():
        for comment in pull.comments:
            if comment.id == number and not call.hides(comment.created_at):
                return pull, comment
    raise ErrorAnswer(404, "Not Found")


@ROUTES(
    "GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments", READ, paged=True, query="since"
)
def comments(call: HubCall) -> HubAnswer:
    """List comments, the oldest first."""
    pull = pull_of(call, "issue_number")
    found = [comment for comment in pull.comments if not call.hides(comment.created_at)]
    if "since" in call.query:
        since = datetime.fromisoformat(call.query["since"])
        found = [comment for comment in found if comment.updated_at >= since]
    return listed(call, found, lambda comment: call.shapes.comment(pull, comment))


@ROUTES(
    "POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments", WRITE, members="body"
)  # fmt: skip
def create(call: HubCall) -> HubAnswer:
    """Create a comment; 403 in a locked conversation."""
    pull, body, now = pull_of(call, "issue_number"), _body(call), call.world.now()
    if pull.locked:
        raise ErrorAnswer(403, "Unable to create comment because issue is locked.")
    if len(pull.comments) >= PULL_COMMENTS:
        full = f"Commenting is disabled on issues with more than {PULL_COMMENTS} comments"
        raise ErrorAnswer(403, full)
    app = call.token.installation.app if call.token else None
    comment = HubComment(call.world.next_id("comment"), call.actor, body, now, now, app)
    pull.comments.append(comment)
    pull.updated_at = now
    call.announce("issue_comment", {"action": "created", "comment": comment, "pull": pull})
    return HubAnswer(call.shapes.comment(pull, comment), status=201)


@ROUTES("GET", "/repos/{owner}/{repo}/issues/comments/{comment_id}", READ)
def get(call: HubCall) -> HubAnswer:
    """Answer with one comment."""
    pull, comment = _comment_of(call)
    return HubAnswer(call.shapes.comment(pull, comment))


@ROUTES("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}", WRITE, members="body")
def update(call: HubCall) -> HubAnswer:
    """Change a comment. GitHub lets an app change anybody's; ours must change only its own."""
    pull, comment = _comment_of(call)
    _own_or_violate(call, comment)
    former, comment.body, comment.updated_at = comment.body, _body(call), call.world.now()
    changes = {"body": {"from": former}} if former != comment.body else {}
    members = {"action": "edited", "changes": changes, "comment": comment, "pull": pull}
    call.announce("issue_comment", members)
    return HubAnswer(call.shapes.comment(pull, comment))


@ROUTES("DELETE", "/repos/{owner}/{repo}/issues/comments/{comment_id}", WRITE)
def delete(call: HubCall) -> HubAnswer:
    """Delete a comment."""
    pull, comment = _comment_of(call)
    _own_or_violate(call, comment)
    pull.comments.remove(comment)
    call.announce("issue_comment", {"action": "deleted", "comment": comment, "pull": pull})
    return HubAnswer(status=204)


def _own_or_violate(call: HubCall, comment: HubComment) -> None:
    if comment.author is not call.actor:
        problem = f"comment {comment.id} belongs to {comment.author.login}, not to the caller"
        call.world.violate(call.where, problem)
