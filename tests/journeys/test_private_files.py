"""Everything that a real run writes is for its owner only: walked, under a umask of 022.

The processes start as a Procfile starts them: nobody sets a umask for them.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ghapp.serve.programs import WatchedChild
from tests.collector import workday
from tests.journeys.developer import OPEN_UMASK, Developer
from tests.journeys.running import Place

OTHERS = 0o077


class Launched(WatchedChild):
    """A process under the umask of a shell."""

    def start(self, now: float) -> None:
        """Start it, with all that it writes open to others unless it sees to that."""
        program = self.program
        self.process = subprocess.Popen(
            program.command,
            env={**self.environment, **program.environment},
            pass_fds=program.descriptors,
            start_new_session=True,
            umask=OPEN_UMASK,
        )
        self.started = now


@contextmanager
def open_umask() -> Iterator[None]:
    before = os.umask(OPEN_UMASK)
    try:
        yield
    finally:
        os.umask(before)


def open_to_others(*roots: Path) -> list[str]:
    found = [one for root in roots for one in (root, *sorted(root.rglob("*")))]
    assert len(found) > len(roots)
    return [
        f"{one.lstat().st_mode & 0o777:o} {one}"
        for one in found
        if not one.is_symlink() and one.lstat().st_mode & OTHERS
    ]


def run(place: Place, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ghapp", *arguments],
        env=place.app.environment,
        capture_output=True,
        text=True,
        check=False,
        umask=OPEN_UMASK,
    )
    assert done.returncode == 0, done.stderr


def test_all_that_a_run_writes_is_for_its_owner_only(known_place: Place, tmp_path: Path) -> None:
    place, data = known_place, Path(known_place.app.environment["GHAPP_DATA_DIR"])
    for name, child in place.app.children.items():
        if name != "valkey":
            place.app.children[name] = Launched(child.program, child.environment)
    # Somebody made it beforehand, as a shell does.
    data.chmod(0o755)
    place.app.start("valkey", "web", "worker-live", "worker-rerun", "scheduler")

    with open_umask():
        ann = Developer(place, tmp_path / "ann", "a", "ann")
    for agent in workday.on_machine_a(ann.machine, *ann.roots):
        for event, _ in agent.events:
            ann.machine.run_hook(event)
        agent.events.clear()
    # The tests' own machine makes this one, so that its hooks start nothing.
    (ann.machine.places.directory / "started").unlink()
    for command in ("flush", "backfill", "status"):
        done = ann.collect(command)
        assert done.returncode == 0, done.stderr

    place.agent_wrote()
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.wait_until_settled(pull)

    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    run(place, "admin", "backup", str(out / "backup.sqlite3"))
    run(place, "export-audit", "acme/app", "--output", str(out / "audits.bundle"))
    run(place, "admin", "fingerprint-key", "acme/app", "--output", str(out / "key"))
    assert {one.name for one in out.iterdir()} == {"backup.sqlite3", "audits.bundle", "key"}
    assert open_to_others(data, out, ann.machine.places.directory) == []
