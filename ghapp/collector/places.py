"""The collector's files on this machine: their paths, and how to write one whole.

Only this user can read them (0600 in folders of 0700). It does not know their content.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ghapp.attribution.model import Struct
from ghapp.collector.hook import OPEN_FILE, state_directory


class CollectorError(Exception):
    """An error whose message is one sentence for a person; base of the collector's errors."""


class NoHome(CollectorError):  # noqa: N818 - a state of this machine, named as what it is
    """Neither ``XDG_STATE_HOME`` nor ``HOME`` names a folder, so nothing can be stored."""


class CollectorBusy(CollectorError):  # noqa: N818 - a state, named as what it is
    """Another process of the collector is sending now."""


class CollectorFiles(Struct, frozen=True):
    """The paths of all files of the collector."""

    directory: Path

    @classmethod
    def of_this_user(cls) -> "CollectorFiles":
        """Return the paths that the hook uses in this environment. Raises `NoHome`."""
        found = state_directory()
        if found is None:
            raise NoHome("neither XDG_STATE_HOME nor HOME names a folder for the files")
        return cls(directory=Path(found))

    @property
    def account(self) -> Path:
        """The upload token and the keys; without this file the hook queues nothing."""
        return self.directory / "account.json"

    @property
    def choices(self) -> Path:
        """What the developer keeps back."""
        return self.directory / "choices.json"

    @property
    def paused(self) -> Path:
        """Exists while everything is paused; the hook looks for it."""
        return self.directory / "paused"

    @property
    def started(self) -> Path:
        """Written when a hook starts a flush."""
        return self.directory / "started"

    @property
    def queue(self) -> Path:
        """Events that hooks wrote and that are not sent yet."""
        return self.directory / "queue"

    @property
    def open_file(self) -> Path:
        """The file of the queue that hooks append to."""
        return self.queue / OPEN_FILE

    @property
    def aside(self) -> Path:
        """Events of repositories that the app does not know, one file per repository."""
        return self.directory / "aside"

    @property
    def sent(self) -> Path:
        """Digests of the edits that the app has acknowledged."""
        return self.directory / "sent"

    @property
    def state(self) -> Path:
        """When the collector last sent what, and what went wrong."""
        return self.directory / "state.json"

    @property
    def read(self) -> Path:
        """Which transcripts were read to their end."""
        return self.directory / "transcripts.json"

    def prepare(self) -> None:
        """Create the folder, closed to others."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the only right to send; even a kill releases it. Raises `CollectorBusy`."""
        self.prepare()
        file = os.open(self.directory / "sending", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            _lock(file)
            yield
        finally:
            os.close(file)


def _lock(file: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CollectorBusy("another `ghapp collect` is sending: retry in a minute") from error


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file in one step, readable only by this user; a crash leaves the old one."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def read_if_there(path: Path) -> bytes | None:
    """Return a file's content; ``None``: the file does not exist."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
