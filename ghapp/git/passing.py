"""Objects that git fetches to be read once: file contents and transcripts, which are not kept.

They go into a folder of their own beside a repository's objects, which disappears with whoever
reads them. A lock on it shows whether somebody still does.
"""

import os
import shutil
import tempfile
import weakref
from pathlib import Path

FOLDER = "passing"
_LOCK = "reading"


class PassingObjects:
    """A folder for objects beside those of a bare repository; it ends with this object."""

    def __init__(self, repository: Path) -> None:
        import fcntl  # noqa: PLC0415 - not on Windows, where an offline audit needs none of this

        above = repository / FOLDER
        above.mkdir(mode=0o700, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=above))
        lock = os.open(folder / _LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        weakref.finalize(self, _end, folder, lock)
        self.environment = {
            "GIT_OBJECT_DIRECTORY": str(folder),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str((repository / "objects").absolute()),
        }
        """What git is told, so that it writes there and reads both."""


def remove_abandoned(repository: Path) -> None:
    """Delete the folders of processes that died while they read."""
    import fcntl  # noqa: PLC0415 - see above

    for lock in (repository / FOLDER).glob(f"*/{_LOCK}"):
        try:
            file = os.open(lock, os.O_WRONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(file)


def _end(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
