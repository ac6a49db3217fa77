"""Git's ids of file contents that show which repository a file belongs to. It reads no disk.

Every repository has a ``README.md``, so its path alone never shows a checkout (rules.md 2.7).
Its content does, if the change starts from the same content.
"""

import hashlib
from collections.abc import Iterator

from ghapp.attribution.model import FileSnapshot
from ghapp.attribution.paths import is_common_name

LEAST = 500
"""Bytes of the shortest content that proves anything: many repositories share a short template."""


def shows_checkout(path: str) -> bool:
    """Say whether the content of a file is worth a snapshot: its name is too common to tell."""
    return is_common_name(path.rpartition("/")[2])


def snapshots(path: str, contents: tuple[str | None, ...]) -> Iterator[FileSnapshot]:
    """Yield the contents of a file whose name is too common; ``None``: content not known.

    If an editor wrote Windows line ends, git may hold the lines without them.
    """
    if not shows_checkout(path):
        return
    for content in contents:
        for text in dict.fromkeys(_as_git_may_hold_it(content or "")):
            packed = text.encode("utf-8", "surrogatepass")
            if len(packed) >= LEAST:
                yield FileSnapshot(path=path, blob=blob_id(packed))


def _as_git_may_hold_it(content: str) -> tuple[str, ...]:
    return content, content.replace("\r\n", "\n")


def blob_id(content: bytes) -> str:
    """Return git's id of a file's content, in repositories that use SHA-1.

    https://git-scm.com/book/en/v2/Git-Internals-Git-Objects

    >>> blob_id(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
