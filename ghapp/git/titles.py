"""Numbers of pull requests in commit messages, as forges write them. It reads no history."""

import re
from typing import NamedTuple

_NUMBER = r"([1-9]\d{0,9})\b"

_OF_MERGES = re.compile(
    # GitHub, and Bitbucket Server: Merge pull request #12 from acme/totals
    rf"Merge pull request #{_NUMBER}"
    # Azure in earlier years: Merge pull request 12 from totals into main
    rf"|Merge pull request {_NUMBER} from "
    # Gitea and Forgejo: Merge pull request 'Add totals' (#12) from totals into main
    rf"|Merge pull request '.*' \(#{_NUMBER}\) from "
    # Gitee: Merge pull request !12 from totals
    rf"|Merge pull request !{_NUMBER}"
    # bors, and homu with its roll-ups: Auto merge of #12 - ann:totals, r=ben
    rf"|Merge #{_NUMBER}(?! #)|(?:Auto|Rollup) merge of #{_NUMBER}"
    # By hand: Merge remote-tracking branch 'origin/pr/12', Merge ref 'refs/pull/12/head' of …
    rf"|Merge (?:remote-tracking )?(?:branch|commit|ref) '(?:[^']*/)?(?:pull|pr)[/-]{_NUMBER}"
)
"""Titles that only a commit with several parents can have."""

_OF_ANY = re.compile(
    # Azure, merged or squashed: Merged PR 12: Add totals
    rf"Merged PR {_NUMBER}:"
    # Bitbucket Cloud: Merged in totals (pull request #12)
    rf"|Merged in .* \(pull request #{_NUMBER}\)"
    # Bitbucket Data Center: Pull request #12: Add totals
    rf"|Pull request #{_NUMBER}:"
    # Gitee, squashed: !12 Add totals
    rf"|!{_NUMBER} \S"
)
# GitHub, Gitea, and templates of GitLab: Add totals (#12), Add totals (!12)
_TRAILING = re.compile(r"\([#!]([1-9]\d{0,9})\)\s*$")
# GitLab, the last line of a message: See merge request acme/shop!12
_IN_BODY = re.compile(rf"^See merge request \S*!{_NUMBER}", re.MULTILINE)
_COPIED = re.compile(r"^\(cherry picked from ", re.MULTILINE)

LOOSE = ("#[1-9]", "![1-9]", "PR [1-9]", "request [1-9]", "(pull|pr)[/-][1-9]")
"""Extended regular expressions for git: every message that may have a number has one of them."""


class CommitWords(NamedTuple):
    """What a message says."""

    title: str
    body: str
    """Empty unless it may name a merge request: see `may_name`."""


def may_name(line: bytes) -> bool:
    """Say whether a line of a message's body may name a merge request."""
    return line.startswith((b"See merge request ", b"(cherry picked from "))


def number_in(words: CommitWords, *, is_merge: bool) -> int | None:
    """Return the number of the pull request that a commit merged; ``None``: it names none.

    Of several numbers at a title's end, the last one is the forge's own: a reland repeats those
    of the title before it. https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges
    https://docs.gitlab.com/user/project/merge_requests/commit_templates/
    """
    found = (_OF_MERGES.match(words.title) if is_merge else None) or _OF_ANY.match(words.title)
    found = found or _TRAILING.search(words.title)
    if found is None and not _COPIED.search(words.body):
        found = next(reversed(list(_IN_BODY.finditer(words.body))), None)
    return None if found is None else int(next(filter(None, found.groups())))
