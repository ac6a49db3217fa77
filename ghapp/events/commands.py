"""Commands in comments: read from GitHub, checked against the author's rights, enqueued as audits.

An event only says that there may be a command. People with write access may command; bots and
apps, this one included, may not.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import chain

import structlog

from ghapp.attribution.model import Struct
from ghapp.events.dispatch import AUDIT_AGAIN, command_in
from ghapp.git.names import segment
from ghapp.github.answers import NotFound
from ghapp.github.client import GitHub
from ghapp.store import Store, WorkItem, WorkRequest

LOOK_BACK = timedelta(minutes=10)
"""How much older than its delivery a comment may be: clocks differ, and deliveries come late."""
MAY_COMMAND = frozenset({"admin", "write"})
"""GitHub's words for a person's permission; it reports the role ``maintain`` as ``write``.
https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user"""

log = structlog.get_logger()


class _Person(Struct, frozen=True):
    login: str
    type: str = "User"


class _App(Struct, frozen=True):
    id: int


class _Comment(Struct, frozen=True):
    id: int
    body: str | None = None
    user: _Person | None = None
    performed_via_github_app: _App | None = None


class _Permission(Struct, frozen=True):
    permission: str


class _Pull(Struct, frozen=True):
    state: str
    merged_at: datetime | None = None


class CommandsHeard(Struct, frozen=True):
    """How many new commands a pull request's comments hold."""

    obeyed: int
    refused: int
    """Commands of people without write access."""
    answered: int = 0
    """Commands of people who may give them, at a pull request that is not merged."""

    @property
    def is_stale(self) -> bool:
        """Say whether there is no command: just after an event, GitHub's list may be stale."""
        return not self.obeyed and not self.refused and not self.answered


AnswerStep = Callable[[int, str], None]
"""The id of a comment with a command, and the pull request's state → answers it."""


def hear(  # noqa: PLR0913, PLR0917 - where the comments are, and what follows from them
    item: WorkItem,
    number: int,
    github: GitHub,
    store: Store,
    now: datetime,
    answer: AnswerStep,
) -> CommandsHeard:
    """Read the new comments of a pull request and enqueue an audit if one commands it.

    If the pull request is not merged, only the last command is answered. Raises the errors of
    `answers`; then the next call reads the same comments again.
    """
    bookmark = f"commands:{github.repository_id}:{number}"
    last = int(store.cursors.read(bookmark) or 0)
    new = [one for one in _comments(github, number, item.created_at) if one.id > last]
    commands = [one for one in new if _is_command(one)]
    allowed = [one for one in commands if _may_command(github, one)]
    pull_request = github.get(f"pulls/{number}", _Pull) if allowed else None
    is_merged = pull_request is not None and pull_request.merged_at is not None
    if pull_request is not None and not is_merged:
        answer(allowed[-1].id, pull_request.state)
    elif allowed:
        pull = (item.installation_id, item.repository_id, item.pull_request)
        request = WorkRequest.for_pull(AUDIT_AGAIN, *pull, at=now, why="a command in a comment")
        store.work.enqueue(request, now=now)
    if new:
        store.cursors.move(bookmark, str(max(one.id for one in new)), now=now)
    heard = CommandsHeard(
        obeyed=len(allowed) if is_merged else 0,
        refused=len(commands) - len(allowed),
        answered=0 if is_merged else len(allowed),
    )
    log.info("commands_heard", obeyed=heard.obeyed, refused=heard.refused, answered=heard.answered)
    return heard


def _comments(github: GitHub, number: int, since: datetime) -> Iterator[_Comment]:
    start = (since - LOOK_BACK).strftime("%Y-%m-%dT%H:%M:%SZ")
    path = f"issues/{number}/comments"
    return chain.from_iterable(github.pages(path, tuple[_Comment, ...], since=start))


def _is_command(comment: _Comment) -> bool:
    by_person = comment.user is not None and comment.user.type == "User"
    by_app = comment.performed_via_github_app is not None
    return by_person and not by_app and command_in(comment.body or "") is not None


def _may_command(github: GitHub, comment: _Comment) -> bool:
    if comment.user is None:
        return False
    path = f"collaborators/{segment(comment.user.login)}/permission"
    try:
        return github.get(path, _Permission).permission in MAY_COMMAND
    except NotFound:
        return False
