"""The collector's files on this machine: where they lie, and how one is written whole.

All of them are the user's alone (0600 in folders of 0700). It knows no content.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ghapp.attribution.model import Struct
from ghapp.collector.hook import OPEN_FILE, state_directory


class CollectorError(Exception):
    """What a person is told as one sentence; each module of the collector has its own below it."""


class NoHome(CollectorError):  # noqa: N818 - a state of this machine, named as what it is
    """Neither ``XDG_STATE_HOME`` nor ``HOME`` names a folder, so nothing can be kept."""


class CollectorBusy(CollectorError):  # noqa: N818 - a state, named as what it is
    """Another process of the collector is sending just now."""


class CollectorFiles(Struct, frozen=True):
    """Where everything lies."""

    directory: Path

    @classmethod
    def of_this_user(cls) -> "CollectorFiles":
        """Return the places as the environment says, the hook's own. Raises `NoHome`."""
        found = state_directory()
        if found is None:
            raise NoHome("neither XDG_STATE_HOME nor HOME names a folder to keep files in")
        return cls(directory=Path(found))

    @property
    def account(self) -> Path:
        """The upload token and the keys; without it the hook keeps nothing."""
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
        """What hooks kept and nobody has sent."""
        return self.directory / "queue"

    @property
    def open_file(self) -> Path:
        """The one file of the queue that hooks append to."""
        return self.queue / OPEN_FILE

    @property
    def aside(self) -> Path:
        """Events of repositories that the app does not know, one file each."""
        return self.directory / "aside"

    @property
    def sent(self) -> Path:
        """Which edits the app has acknowledged, as digests."""
        return self.directory / "sent"

    @property
    def state(self) -> Path:
        """When the app was last heard, and what went wrong."""
        return self.directory / "state.json"

    @property
    def read(self) -> Path:
        """Which transcripts were read to their end."""
        return self.directory / "transcripts.json"

    def prepare(self) -> None:
        """Make the folder, closed to others."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other sender out; freed even by a kill. Raises `CollectorBusy`."""
        self.prepare()
        file = os.open(self.directory / "sending", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            _lock(file)
            yield
        finally:
            os.close(file)


def _lock(file: int) -> None:
    try:
        import fcntl  # noqa: PLC0415 - not there on Windows, where two senders only send twice
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CollectorBusy(
            "another `ghapp collect` is sending just now: try again in a minute"
        ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file in one step, readable by this user alone; a crash leaves the old one."""
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
    """Return a file's content; ``None``: it is not there."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
