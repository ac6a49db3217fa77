"""The one comment on a pull request: made once, edited in place, never reopened if deleted.

https://docs.github.com/en/rest/issues/comments
"""

import re
from itertools import chain

from ghapp.attribution.model import Struct
from ghapp.git.names import segment
from ghapp.github.answers import NotFound
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import PullRequest
from ghapp.publishers.publisher import (
    DesiredState,
    PublisherMemory,
    PublisherReport,
    WriteResult,
    expect_seen,
    make_once,
    read_back,
    same_text,
)

NAME = "comment"

# <!-- attribution-auditor:v1 repo=700001 pr=17 sig=0123456789abcdef -->
_MARKER = re.compile(r"<!-- attribution-auditor:v1 repo=(\d+) pr=(\d+) sig=([0-9a-f]{16}) -->")


class _App(Struct, frozen=True):
    id: int


class _Comment(Struct, frozen=True):
    id: int
    body: str | None = None
    html_url: str | None = None
    performed_via_github_app: _App | None = None


def marker(github: GitHub, number: int) -> str:
    """Return the line that marks our comment: its ids, and a signature that only we can make."""
    subject = f"repo={github.repository_id} pr={number}"
    return f"<!-- attribution-auditor:v1 {subject} sig={github.signature(subject)} -->"


def publish(
    desired: DesiredState, pull: PullRequest, github: GitHub, memory: PublisherMemory
) -> PublisherReport:
    """Bring the comment up to date; remember its id."""
    known = memory.external_id
    if desired.comment is None:
        return _nothing(known, "no comment is wanted")
    body = f"{desired.comment.rstrip()}\n\n{marker(github, pull.number)}\n"
    ours = _find(github, pull.number, known)
    if ours:
        return _update(github, ours, body)
    expect_seen(github, memory, NAME)
    if known is not None:
        reason = "a person deleted the comment, so it stays deleted"
        return PublisherReport(
            name=NAME,
            outcome=WriteResult.NOT_WRITTEN,
            detail=reason,
            external_id=known,
            by_choice=True,
        )
    if not desired.opens_comment:
        return _nothing(None, "no comment is wanted")
    return _create(github, pull.number, body, memory)


def _nothing(known: str | None, why: str) -> PublisherReport:
    return PublisherReport(name=NAME, outcome=WriteResult.UNCHANGED, detail=why, external_id=known)


def _find(github: GitHub, number: int, known: str | None) -> list[_Comment]:
    """Return our comments, oldest first; more than one only if something went wrong."""
    pages = github.pages(f"issues/{number}/comments", tuple[_Comment, ...])
    wanted = marker(github, number)
    ours = [
        comment
        for comment in chain.from_iterable(pages)
        if _is_ours(github, comment, wanted, known)
    ]
    if not ours and known is not None:
        ours = _known(github, known)
    return sorted(ours, key=lambda comment: comment.id)


def _is_ours(github: GitHub, comment: _Comment, wanted: str, known: str | None) -> bool:
    # A marker alone proves nothing: anyone can quote our comment, marker included.
    app = comment.performed_via_github_app
    if app is None or app.id != github.app_id:
        return False
    found = _MARKER.findall(comment.body or "")
    return str(comment.id) == known or (bool(found) and wanted in (comment.body or ""))


def _known(github: GitHub, known: str) -> list[_Comment]:
    """Ask for the comment by its id: a list may be older than the comment."""
    try:
        return [github.get(f"issues/comments/{segment(known)}", _Comment)]
    except NotFound:
        return []


def _update(github: GitHub, ours: list[_Comment], body: str) -> PublisherReport:
    kept, *others = ours
    for other in others:
        _delete(github, other)
    changes = not same_text(kept.body, body)
    if changes:
        github.patch(f"issues/comments/{kept.id}", {"body": body}, _Comment)
    return PublisherReport(
        name=NAME,
        outcome=WriteResult.WRITTEN if changes or others else WriteResult.UNCHANGED,
        detail=f"{len(others)} duplicates deleted" if others else None,
        url=kept.html_url,
        external_id=str(kept.id),
        confirmed=_confirmed(github, kept.id, body) if changes else None,
    )


def _delete(github: GitHub, comment: _Comment) -> None:
    try:
        github.delete(f"issues/comments/{comment.id}")
    except NotFound:
        return


def _create(github: GitHub, number: int, body: str, memory: PublisherMemory) -> PublisherReport:
    path = f"issues/{number}/comments"
    made, _ = make_once(
        lambda: github.post(path, {"body": body}, _Comment, before=memory.note),
        lambda: _find(github, number, None),
        memory,
    )
    return PublisherReport(
        name=NAME,
        outcome=WriteResult.WRITTEN,
        url=made.html_url,
        external_id=str(made.id),
        confirmed=_confirmed(github, made.id, body),
    )


def _confirmed(github: GitHub, comment_id: int, body: str) -> bool:
    known = str(comment_id)
    return same_text(read_back(_known(github, known), NAME, known).body, body)
