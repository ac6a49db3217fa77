"""From a shell command on a developer's machine to its reason on the pull request's page.

The hook is the installed one in processes of its own, with more time for git: a machine on which
everything is tested at once is slow. The app's door, GitHub's stand-in and git are real.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from ghapp.attribution.document import from_document
from ghapp.audit import AuditRequest
from ghapp.collector import hook, shell_look
from ghapp.collector.client import UploadClient
from ghapp.collector.enroll import enroll
from ghapp.collector.flush import flush
from ghapp.wire import EnrollmentStarted
from tests.clones import Clone
from tests.collector.machine import Machine, run_hook
from tests.web.place import Place

BASE = {
    "src/settle.py": "from money import total\n\n\ndef settle(rows):\n    return total(rows)\n",
    "src/rows.py": "ROWS = []\n",
}
SED = "sed -i s/total/sum_of_rows/ src/settle.py"
GENERATED = "VOUCHERS_BY_REGION = {'north': 14, 'south': 21}\nDEFAULT_REGION = 'north_harbour'\n"
SCRIPT = "python3 - <<'E'\nimport made\nopen('src/rows.py', 'a').write(made.vouchers())\nE"


class Desk:
    """An enrolled machine with a checkout, on which an agent runs shell commands."""

    def __init__(self, place: Place, url: str, folder: Path) -> None:
        self.machine = Machine(folder / "home")
        self.clone: Clone = self.machine.clone(f"{place.sandbox.web_url}/acme/open.git")
        self.clone.commit(BASE)
        self._program = folder / "program"
        self._program.mkdir()
        for file in (hook.__file__, str(shell_look.__file__)):
            text = Path(file).read_text().replace("BUDGET = 0.1\n", "BUDGET = 30.0\n")
            (self._program / Path(file).name).write_text(text)

        def type_code(started: EnrollmentStarted) -> None:
            place.sandbox.device_flow.approve(started.user_code, "ann")

        now = datetime.now(UTC)
        enroll(self.machine.places, UploadClient(url), type_code, now=now, sleep=lambda _: None)

    def run(self, command: str, does: str) -> None:
        """Run a command, or what stands for it, between two hooks."""
        self.machine.calls += 1
        event: dict[str, Any] = {
            "session_id": "one",
            "cwd": str(self.clone.path),
            "tool_name": "Bash",
            "tool_use_id": f"toolu_{self.machine.calls:04d}",
            "tool_input": {"command": command},
        }
        self._hook({"hook_event_name": "PreToolUse", **event})
        subprocess.run(["sh", "-c", does], cwd=self.clone.path, check=True)
        took = {"duration_ms": 4_900, "tool_response": {"stdout": "", "stderr": ""}}
        self._hook({"hook_event_name": "PostToolUse", **event, **took})

    def _hook(self, event: dict[str, Any]) -> None:
        (self.machine.places.directory / "started").touch()
        program = (sys.executable, "-I", "-S", str(self._program / "hook.py"))
        run_hook(json.dumps(event).encode(), self.machine.environment, *program)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "place")
    made.clock.now = datetime.now(UTC)
    made.sandbox.allow(made.repositories["open"], "ann", "write")
    yield made
    made.close()


@contextmanager
def served(place: Place) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, place.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_commands_changed_has_its_reasons_on_the_page(place: Place, tmp_path: Path) -> None:
    repository = place.repositories["open"]
    place.sandbox.commit(repository, BASE)
    with served(place) as url:
        desk = Desk(place, url, tmp_path)
        desk.run(SED, SED)
        desk.run(SCRIPT, f"printf '%s' \"{GENERATED}\" >> src/rows.py")
        place.clock.now = datetime.now(UTC)
        flush(desk.machine.places, now=place.clock.now)

    files = {name: (desk.clone.path / name).read_text() for name in BASE}
    files["src/rows.py"] += "ordered_by_a_person = sorted(ROWS)\n"
    pull = place.sandbox.open_pull(repository, files=files, title="Vouchers", author="ann")
    place.sandbox.merge(pull, method="squash")
    ref = AuditRequest(
        installation_id=place.installed.id, repository_id=repository.id, number=pull.number
    )
    place.services.audit(ref)

    saved = place.store.audits.latest(repository.id, pull.number)
    assert saved is not None
    document = place.store.audits.document(saved.id)
    assert document is not None
    reasons = {
        (file.path, line.line): line.reason
        for file in from_document(document).files
        for line in file.lines
    }
    assert reasons == {
        ("src/rows.py", 2): "command_changed",
        ("src/rows.py", 3): "command_changed",
        ("src/rows.py", 4): "no_match",
        ("src/settle.py", 1): "substituted",
        ("src/settle.py", 5): "substituted",
    }
    admin = place.sign_in("admin")
    page = admin.get(f"/repositories/acme/open/pull/{pull.number}").text
    assert "command_changed" in page
    assert "substituted" in page
