"""A developer's machine before the real app: enrolled, with a checkout and a worktree."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ghapp.collector import account
from ghapp.collector.client import UploadClient
from ghapp.collector.enroll import enroll
from ghapp.wire import EnrollmentStarted
from tests.clones import Clone
from tests.collector import workday
from tests.collector.machine import Machine, shortly_before
from tests.journeys.running import Place

NOWHERE = "http://127.0.0.1:9"
OPEN_UMASK = 0o022
"""What a shell usually has: it lets everybody read what a program writes and does not protect."""


class Developer:
    """A machine with a checkout and a worktree, enrolled by its owner at the app."""

    def __init__(self, place: Place, home: Path, name: str, login: str) -> None:
        self.machine = Machine(home, name)
        self.machine.at = shortly_before(datetime.now(UTC))
        self.clone = Clone(home / "app")
        self.clone.git("remote", "add", "origin", f"{place.sandbox.web_url}/Acme/App.git")
        self.clone.commit(workday.BASE)
        self.worktree = home / "topic"
        self.clone.git("worktree", "add", "-q", "-b", "topic", str(self.worktree))
        self.online = _enrolled(place, self.machine, login)

    @property
    def roots(self) -> list[Path]:
        """Return the folders in which this developer's agents work."""
        return [self.clone.path, self.worktree]

    def connect(self, *, is_away: bool = False) -> None:
        """Switch the network on or off."""
        url = NOWHERE if is_away else self.online.url
        changed = msgspec.structs.replace(self.online, url=url)
        account.save(self.machine.places, changed)

    def collect(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``ghapp collect`` as this developer."""
        return subprocess.run(
            [sys.executable, "-m", "ghapp", "collect", *arguments],
            env=self.machine.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            umask=OPEN_UMASK,
        )


def _enrolled(place: Place, machine: Machine, login: str) -> account.MachineAccount:
    def type_code(started: EnrollmentStarted) -> None:
        place.sandbox.device_flow.approve(started.user_code, login)

    door = UploadClient(place.app.environment["GHAPP_PUBLIC_URL"])
    now = datetime.now(UTC)
    return enroll(machine.places, door, type_code, now=now, sleep=lambda _: None)
