"""The one sentence that answers a command at a pull request that is not merged. It audits nothing.

It is a comment of its own, made once for each command and never changed.
"""

from collections.abc import Iterable
from itertools import chain

from ghapp.attribution.model import Struct
from ghapp.github.client import GitHub
from ghapp.publishers.publisher import PublisherMemory, expect_seen, make_once

NAME = "answer"
OPEN = "This pull request is not merged yet; it is audited as soon as it is."
CLOSED = "This pull request was closed without a merge, so there is nothing to audit."


class _App(Struct, frozen=True):
    id: int


class _Comment(Struct, frozen=True):
    id: int
    body: str | None = None
    performed_via_github_app: _App | None = None


def answer(github: GitHub, number: int, command: int, state: str, memory: PublisherMemory) -> None:
    """Answer the command in a comment, by its id. ``state`` is the pull request's.

    Raises `NotSeenYet` if an earlier try may have answered, and the errors of `answers`.
    """
    mark = _marker(github, number, command)
    if _find(github, number, mark):
        return
    expect_seen(github, memory, NAME)
    body = {"body": f"{OPEN if state == 'open' else CLOSED}\n\n{mark}\n"}
    make_once(
        lambda: github.post(f"issues/{number}/comments", body, _Comment, before=memory.note),
        lambda: _find(github, number, mark),
        memory,
    )


def _marker(github: GitHub, number: int, command: int) -> str:
    subject = f"repo={github.repository_id} pr={number} command={command}"
    return f"<!-- attribution-auditor:answer {subject} sig={github.signature(subject)} -->"


def _find(github: GitHub, number: int, mark: str) -> list[_Comment]:
    pages = github.pages(f"issues/{number}/comments", tuple[_Comment, ...])
    return [one for one in _ours(github, chain.from_iterable(pages)) if mark in (one.body or "")]


def _ours(github: GitHub, comments: Iterable[_Comment]) -> Iterable[_Comment]:
    for one in comments:
        app = one.performed_via_github_app
        if app is not None and app.id == github.app_id:
            yield one
