"""Keeps the demo's made year where a start failed, for the next start. It makes none.

A year takes a minute or more, and a machine on which the app did not start in time is slow.
"""

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from ghapp.demo.stage import DemoStage
from ghapp.settings import ENCRYPTION_KEY_FILE

FILES = ("ghapp.sqlite3", ENCRYPTION_KEY_FILE)
"""What the data directory holds before the app has ever run."""
COUNTS_FILE = "pulls.json"
FRESH_SECONDS = 12 * 3600
"""How long a kept year still ends about now."""
PROGRAM = Path(__file__).resolve().parents[1]


class KeptYear:
    """The year that a failed start left in this user's cache, made by this very program."""

    def __init__(self, stage: DemoStage) -> None:
        ids = {name: one.id for name, one in sorted(stage.repositories.items())}
        made_by = f"{program_digest()} {stage.installation.id} {ids}"
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        name = hashlib.sha256(made_by.encode()).hexdigest()[:16]
        self.directory = cache / "ghapp" / f"demo-year-{name}"

    def bring(self, data: Path) -> dict[str, int] | None:
        """Copy the year into a data directory; return its pull requests by repository.

        ``None``: there is no year, or it ended too long ago.
        """
        counts = self.directory / COUNTS_FILE
        try:
            if time.time() - counts.stat().st_mtime > FRESH_SECONDS:
                return None
            pulls = msgspec.json.decode(counts.read_bytes(), type=dict[str, int])
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in FILES:
                shutil.copy(self.directory / name, data / name)
        except (OSError, msgspec.DecodeError):
            return None
        return pulls

    def keep(self, data: Path, pulls: dict[str, int]) -> bool:
        """Copy the year out of a data directory; ``False``: it could not be written."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in FILES:
                shutil.copy(data / name, self.directory / name)
            # Last, so that half a copy is none.
            (self.directory / COUNTS_FILE).write_bytes(msgspec.json.encode(pulls))
        except OSError:
            self.forget()
            return False
        return True

    def forget(self) -> None:
        """Delete it: the app is up, and has a year of its own."""
        with suppress(OSError):
            shutil.rmtree(self.directory)


def program_digest() -> str:
    """Return a digest of this program's source: another version makes another year."""
    digest = hashlib.sha256()
    for path in sorted(PROGRAM.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
