"""Files' contents by git's id, where they tell whose file it is. It reads no disk.

Every repository has a ``README.md``, so its path alone never shows a checkout (rules.md 2.7).
That its content is the one that the change starts from does.
"""

import hashlib
from collections.abc import Iterator

from ghapp.attribution.model import FileSnapshot
from ghapp.attribution.paths import is_common_name

LEAST = 500
"""Bytes of the shortest content that tells anything: a template's few lines stand anywhere."""


def snapshots(path: str, contents: tuple[str | None, ...]) -> Iterator[FileSnapshot]:
    """Yield what tells a file by its content, where its name does not; ``None``: not known.

    Where an editor wrote Windows line ends, git may hold the lines without them.
    """
    if not is_common_name(path.rpartition("/")[2]):
        return
    for content in contents:
        for text in dict.fromkeys(_as_git_may_hold_it(content or "")):
            packed = text.encode("utf-8", "surrogatepass")
            if len(packed) >= LEAST:
                yield FileSnapshot(path=path, blob=blob_id(packed))


def _as_git_may_hold_it(content: str) -> tuple[str, ...]:
    return content, content.replace("\r\n", "\n")


def blob_id(content: bytes) -> str:
    """Return git's id of a file's content, in repositories that count in SHA-1.

    >>> blob_id(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
