"""Aider's commits: each is one edit that Aider made and committed by itself. It reads no git.

Aider first commits a person's own changes separately, under the person's name
(https://aider.chat/docs/git.html). Its chat history gives no time for an edit, so it is not read.
"""

import re
from collections.abc import Iterator, Sequence

from ghapp.evidence.carried import CarriedCommit, CommitAttachment, LineClaim, LineRange, claimed
from ghapp.evidence.source import Found

NAME = "aider"
AGENT = "aider"

# Ann Lee (aider) <ann@example.com>
_NAMED = re.compile(r".*\(aider\) <[^<>]*>")
# Co-authored-by: aider (gpt-4o) <aider@aider.chat>
_TRAILER = re.compile(
    r"^co-authored-by: aider \(.*\) <(?:aider|noreply)@aider\.chat>\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_BY_GITHUB = "<noreply@github.com>"
_ALL_LINES = (LineRange(1, 2**31),)


def made(commit: CarriedCommit) -> bool:
    """Return whether Aider made a commit by itself, by its author, its committer or a trailer.

    A merge says nothing about lines. A commit that GitHub squashed collects the trailers of all
    its commits, although people made some of them.
    """
    if commit.parents != 1 or commit.committer.endswith(_BY_GITHUB):
        return False
    named = any(map(_NAMED.fullmatch, (commit.author, commit.committer)))
    return named or bool(_TRAILER.search(commit.message))


def read(commit: CarriedCommit, attached: Sequence[CommitAttachment]) -> Iterator[Found]:
    """Yield one edit for each file of a commit that Aider made."""
    del attached
    if not made(commit):
        return
    for file in commit.files:
        if edit := claimed(commit, LineClaim(NAME, AGENT, commit.sha, file.path, _ALL_LINES)):
            yield edit
