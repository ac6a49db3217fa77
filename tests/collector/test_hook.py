"""The hook as Claude Code runs it: quick, silent, and never the reason that a tool call fails."""

import fcntl
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.collector import hook, latency
from tests.collector.machine import Agent, Machine, run_hook
from tests.collector.stand_in import App
from tests.searching import searched
from tests.waiting import wait_until

EDIT = {
    "hook_event_name": "PostToolUse",
    "session_id": "s1",
    "cwd": "/src",
    "tool_name": "Edit",
    "tool_use_id": "toolu_1",
    "tool_input": {"file_path": "/src/a.py", "old_string": "a", "new_string": "b"},
    "tool_response": {"filePath": "/src/a.py", "structuredPatch": []},
}


def queued(machine: Machine) -> list[dict[str, Any]]:
    files = sorted(machine.places.queue.glob("*.queue"))
    lines = [line for file in files for line in file.read_bytes().splitlines()]
    return [json.loads(line.partition(b" ")[2]) for line in lines]


def test_an_edit_is_queued_as_it_came_for_the_user_alone(machine: Machine, app: App) -> None:
    machine.enroll(app)
    machine.run_hook(EDIT)
    machine.run_hook(json.dumps({**EDIT, "tool_use_id": "toolu_2"}, indent=2).encode())
    assert queued(machine) == [EDIT, {**EDIT, "tool_use_id": "toolu_2"}]
    (file,) = machine.places.queue.iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert machine.places.account.stat().st_mode & 0o777 == 0o600


def test_ghapp_collect_hook_is_the_same(machine: Machine, app: App) -> None:
    machine.enroll(app)
    program = (sys.executable, "-m", "ghapp", "collect", "hook")
    (machine.places.directory / "started").touch()
    run_hook(json.dumps(EDIT).encode(), machine.environment, *program)
    assert queued(machine) == [EDIT]


def test_nothing_is_kept_before_a_machine_is_enrolled(machine: Machine) -> None:
    machine.run_hook(EDIT)
    assert not machine.places.directory.exists()


def test_nothing_is_kept_while_everything_is_paused(machine: Machine, app: App) -> None:
    machine.enroll(app)
    machine.places.paused.touch()
    machine.run_hook(EDIT)
    assert queued(machine) == []


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        ({"tool_name": "Write"}, True),
        ({"tool_name": "NotebookEdit"}, True),
        ({"tool_name": "Bash", "tool_input": {"command": "ls"}}, False),
        ({"tool_name": "Bash", "tool_input": {"command": "cat > a <<'E'\n1\nE"}}, True),
        ({"tool_name": "Bash", "tool_response": {"bashEditDiff": {"files": []}}}, True),
        ({"hook_event_name": "Stop", "last_assistant_message": "tool_response"}, False),
        ({"hook_event_name": "PreToolUse"}, False),
    ],
)
def test_only_what_may_be_an_applied_edit_is_kept(event: dict[str, Any], *, kept: bool) -> None:
    assert hook.is_edit(json.dumps({**EDIT, **event}).encode()) is kept


_TEXT = st.text(max_size=12)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)


@given(
    before=st.dictionaries(_TEXT, _JSON.filter(lambda one: not isinstance(one, dict)), max_size=4),
    value=st.text(
        st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), max_size=80
    ),
    after=_JSON,
    spaces=st.sampled_from([(",", ":"), (", ", " : ")]),
)
@searched(25)
def test_a_member_is_found_without_decoding(
    before: dict[str, Any], value: str, after: object, spaces: tuple[str, str]
) -> None:
    text = {name: one for name, one in before.items() if "tool_name" not in repr((name, one))}
    event = json.dumps({**text, "tool_name": value, "after": after}, separators=spaces)
    assert hook.member(event.encode(), b"tool_name") == value.encode()


def test_hooks_that_run_at_once_tear_no_line(machine: Machine, app: App) -> None:
    machine.enroll(app)
    (machine.places.directory / "started").touch()
    names = [f"toolu_{number}" for number in range(24)]
    padding = "x" * 200_000

    def run(name: str) -> None:
        event = {**EDIT, "tool_use_id": name, "tool_input": {"file_path": "/a", "content": padding}}
        run_hook(json.dumps(event).encode(), machine.environment)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, names))
    assert sorted(one["tool_use_id"] for one in queued(machine)) == sorted(names)


def test_an_event_gets_a_file_of_its_own_where_the_queue_is_held(
    machine: Machine, app: App
) -> None:
    machine.enroll(app)
    machine.run_hook(EDIT)
    with machine.places.open_file.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        machine.run_hook({**EDIT, "tool_use_id": "toolu_2"})
    assert len(list(machine.places.queue.glob("*.queue"))) == 2
    assert {one["tool_use_id"] for one in queued(machine)} == {"toolu_1", "toolu_2"}


def test_a_line_that_was_cut_off_spoils_no_other(machine: Machine, app: App) -> None:
    machine.enroll(app)
    machine.run_hook(EDIT)
    with machine.places.open_file.open("ab") as file:
        file.write(b'1747000000000000000 {"hook_event_name": "PostTo')
    machine.run_hook(EDIT)
    lines = machine.places.open_file.read_bytes().splitlines()
    assert len(lines) == 3
    assert json.loads(lines[2].partition(b" ")[2]) == EDIT


# --- hostile events and machines -----------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 1000,
        b"not json",
        json.dumps(EDIT).encode()[:-40],
        b'{"hook_event_name": "PostToolUse", "tool_name": 12}',
        b'{"hook_event_name": ["PostToolUse"], "tool_name": {"a": "Edit"}}',
        b'["hook_event_name"]',
        b"{" * 100_000,
        b"\xff\xfe" + json.dumps(EDIT).encode("utf-16"),
    ],
    ids=range(9),
)
def test_hostile_events_end_in_silence(machine: Machine, app: App, data: bytes) -> None:
    machine.enroll(app)
    machine.run_hook(data)


def test_an_event_of_30_megabytes_is_kept(machine: Machine, app: App) -> None:
    machine.enroll(app)
    large = json.dumps({**EDIT, "tool_response": {"originalFile": "x\n" * 10_000_000}}).encode()
    assert len(large) > 30_000_000
    machine.run_hook(large)
    time_of, _, line = machine.places.open_file.read_bytes().partition(b" ")
    assert time_of.isdigit()
    assert line == large + b"\n"


def test_an_event_beyond_the_bound_is_passed_over(machine: Machine, app: App) -> None:
    machine.enroll(app)
    data = b'{"hook_event_name": "PostToolUse", "tool_name": "Edit", "x": "'
    machine.run_hook(data + b"x" * hook.MOST_BYTES)
    assert queued(machine) == []


def _no_home(_: Machine) -> dict[str, str]:
    return {"PATH": os.environ["PATH"]}


def _relative_home(_: Machine) -> dict[str, str]:
    return {"HOME": "src", "XDG_STATE_HOME": "state"}


def _a_file_for_a_folder(machine: Machine) -> dict[str, str]:
    machine.places.queue.write_text("in the way")
    return machine.environment


def _a_link_to_nowhere(machine: Machine) -> dict[str, str]:
    machine.places.queue.symlink_to(machine.home / "nowhere" / "else")
    return machine.environment


@pytest.mark.parametrize(
    "spoil", [_no_home, _relative_home, _a_file_for_a_folder, _a_link_to_nowhere]
)
def test_a_machine_that_can_keep_nothing_hears_nothing(
    machine: Machine, app: App, spoil: Callable[[Machine], dict[str, str]]
) -> None:
    machine.enroll(app)
    (machine.places.directory / "started").touch()
    run_hook(json.dumps(EDIT).encode(), spoil(machine))


def test_a_full_disk_leaves_whole_lines(machine: Machine, app: App) -> None:
    machine.enroll(app)
    machine.run_hook(EDIT)
    size = machine.places.open_file.stat().st_size
    (machine.places.directory / "started").touch()

    def fill() -> None:
        # A file may grow by half an event: the system refuses the rest, as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5_000, size + 5_000))

    event = json.dumps({**EDIT, "tool_response": {"originalFile": "x" * 100_000}}).encode()
    done = subprocess.run(
        [sys.executable, "-I", "-S", hook.__file__],
        input=event,
        env=machine.environment,
        preexec_fn=fill,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert queued(machine) == [EDIT]


def test_a_disk_that_may_not_be_written_hears_nothing(machine: Machine, app: App) -> None:
    machine.enroll(app)
    (machine.places.directory / "started").touch()
    machine.places.directory.chmod(0o500)
    run_hook(json.dumps(EDIT).encode(), machine.environment)
    machine.places.directory.chmod(0o700)


# --- flushes in the background -------------------------------------------------------------------


def test_the_end_of_a_turn_sends_what_is_queued(machine: Machine, app: App) -> None:
    clone = machine.clone()
    machine.enroll(app)
    machine.at = datetime.now(UTC) - timedelta(minutes=5)
    event = Agent(machine, clone.path, "s1").write("cart.py", "def total(lines):\n    return 1\n")
    machine.run_hook(event)
    assert app.edits == {}
    run_hook(b'{"hook_event_name": "Stop", "stop_hook_active": false}', machine.environment)
    wait_until(lambda: app.edits, "the flush")
    assert {edit.path for edit in app.edits.values()} == {"cart.py"}


def test_a_flush_holds_none_of_the_hooks_pipes(machine: Machine, app: App) -> None:
    clone = machine.clone()
    machine.enroll(app)
    machine.at = datetime.now(UTC) - timedelta(minutes=5)
    event = Agent(machine, clone.path, "s1").write("cart.py", "def total(lines):\n    return 1\n")
    app.may_answer.clear()
    try:
        # The hook's pipes are read to their end, which comes when the last holder is gone.
        run_hook(json.dumps(event).encode(), machine.environment)
        assert app.asked.wait(60), "no flush was started"
        assert app.edits == {}, "the flush still waits for its answer"
    finally:
        app.may_answer.set()
    assert (machine.places.directory / "started").exists()
    wait_until(lambda: "cart.py" in {edit.path for edit in app.edits.values()}, "the flush")


def test_edits_start_a_flush_once_in_a_while(tmp_path: Path) -> None:
    directory = str(tmp_path)
    event = json.dumps(EDIT).encode()
    assert hook._flush_is_due(directory, event)
    assert not hook._flush_is_due(directory, event)
    os.utime(tmp_path / "started", (time.time() - 61, time.time() - 61))
    assert hook._flush_is_due(directory, event)
    os.utime(tmp_path / "started", (time.time() + 900, time.time() + 900))
    assert hook._flush_is_due(directory, event)


# --- how long it takes: docs/collector.md has the figure, and what measures it --------------------


def test_the_hook_imports_next_to_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-I", "-S", hook.__file__],
        input=b"",
        env={},
        capture_output=True,
        check=True,
    )
    imported = {line.rpartition(b"|")[2].strip() for line in done.stderr.splitlines()}
    assert imported >= {b"os"}
    slow = {b"ghapp", b"json", b"subprocess", b"pathlib", b"click", b"msgspec", b"re", b"typing"}
    assert not imported & slow


WATCHED = """
import os, runpy, sys

opened, started = [], []
def watch(event, given):
    if event == "open" and isinstance(given[0], str):
        opened.append(given[0])
    elif event in ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec", "os.system"):
        started.append(event)

sys.addaudithook(watch)
try:
    runpy.run_path({path!r}, run_name="__main__")
except SystemExit:
    pass
finally:
    home = os.environ["HOME"]
    print(sorted(one for one in opened if one.startswith(home)), started, file=sys.stderr)
"""
"""Runs the hook, and says which files of the home it opened and what it started."""


def test_the_hook_opens_the_queue_and_starts_nothing(machine: Machine, app: App) -> None:
    """What it does with an event of usual size, where no flush is due: an agent waits for it."""
    machine.enroll(app)
    machine.places.started.touch()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", WATCHED.format(path=hook.__file__)],
        input=latency.EVENT,
        env=machine.environment,
        capture_output=True,
        check=True,
    )
    assert len(queued(machine)) == 1
    assert done.stderr.decode() == f"{[str(machine.places.open_file)]} []\n"
