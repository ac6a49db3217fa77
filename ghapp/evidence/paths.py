"""Paths as agents write them, converted to one form. It knows no repository."""

import posixpath
import re
from functools import lru_cache
from pathlib import PurePosixPath

# C:\Code\shop, or a share: \\server\shop
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")

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
    """
    on_windows = any(_WINDOWS.match(text) for text in (path, cwd or ""))
    if on_windows:
        path = _DISK.sub(lambda disk: f"{disk[1].upper()}:", path.replace("\\", "/"), count=1)
    elif path.startswith("//"):
        path = f"/{path.lstrip('/')}"
    if cwd and not path.startswith(("/", "~")) and not _WINDOWS.match(path):
        path = posixpath.join(to_path(cwd, None), path)
    return posixpath.normpath(path)


def stem(name: str) -> str:
    """Return a file's name without folder and extension, as text that every format can hold.

    Python reads bytes that are not UTF-8 as halves of surrogate pairs, which JSON cannot hold.
    """
    return PurePosixPath(name).stem.encode(errors="replace").decode()
