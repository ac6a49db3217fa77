"""Paths as agents write them, converted to one form. It knows no repository."""

import posixpath
import re
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import unquote

# C:\Code\shop, or a share: \\server\shop
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
# file:///home/ann/shop, file:///C:/Code/shop, file://server/shop
_ADDRESS = re.compile(r"file://(localhost(?=/))?", re.IGNORECASE)

# /c/Code as Git Bash shows C:\Code
_DISK = re.compile(r"^/([A-Za-z])(?=/)")


@lru_cache(maxsize=4096)
def to_path(path: str, cwd: str | None) -> str:
    r"""Return a path with ``/``, without ``.`` and ``..``, absolute if the directory is known.

    A path that starts with ``~`` stays as it is: no record says whose home that is.

    >>> to_path("lib/../a.py", "/home/ann/shop")
    '/home/ann/shop/a.py'
    >>> to_path("src\\a.py", "C:\\Code\\shop")
    'C:/Code/shop/src/a.py'
    >>> to_path("/c/Code/shop/a.py", "C:\\Code\\shop")
    'C:/Code/shop/a.py'
    >>> to_path("a.py", "file:///home/ann/my%20shop")
    '/home/ann/my shop/a.py'
    """
    path, cwd = _local(path), _local(cwd) if cwd else None
    on_windows = any(_WINDOWS.match(text) for text in (path, cwd or ""))
    if on_windows:
        path = _DISK.sub(lambda disk: f"{disk[1].upper()}:", path.replace("\\", "/"), count=1)
    elif path.startswith("//"):
        path = f"/{path.lstrip('/')}"
    if cwd and not path.startswith(("/", "~")) and not _WINDOWS.match(path):
        path = posixpath.join(to_path(cwd, None), path)
    return posixpath.normpath(path)


def _local(path: str) -> str:
    """Return a path that may be an address (RFC 8089) as a path of the machine."""
    match = _ADDRESS.match(path)
    if match is None:
        return path
    rest = unquote(path[match.end() :])
    if not rest.startswith("/"):
        return f"//{rest}"
    return rest[1:] if _WINDOWS.match(rest[1:]) else rest


def stem(name: str) -> str:
    """Return a file's name without folder and extension, as text that every format can hold.

    Python reads bytes that are not UTF-8 as halves of surrogate pairs, which JSON cannot hold.
    """
    return PurePosixPath(name).stem.encode(errors="replace").decode()
