"""Which repositories a clone's remotes name. It asks git, not GitHub."""

import os
from pathlib import Path

from ghapp.git.remotes import all_normalized
from ghapp.git.repository import GitError, GitRepository

FIRST_REMOTES = ("origin", "upstream")
"""They come before the others: the first enrolled remote decides where evidence goes."""


def remotes(root: Path) -> tuple[str, ...]:
    """Return the repositories that a clone's remotes name, ``origin`` first."""
    try:
        # Prints "remote.origin.url\nhttps://github.com/acme/shop\0".
        printed = GitRepository(root).run(
            "config", "--local", "-z", "--get-regexp", r"^remote\..*\.url$"
        )
    except GitError:
        return ()  # git exits with 1 if nothing matches: https://git-scm.com/docs/git-config
    named: dict[str, str] = {}
    for entry in os.fsdecode(printed).split("\0"):
        key, _, url = entry.partition("\n")
        named.setdefault(key.removeprefix("remote.").removesuffix(".url"), url)
    order = [*FIRST_REMOTES, *sorted(set(named) - set(FIRST_REMOTES))]
    return all_normalized(named[name] for name in order if name in named)
