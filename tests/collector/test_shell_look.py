"""What a command changed, seen before and after it, and what is passed over because of others."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ghapp.attribution.model import Edit, EditResult
from ghapp.collector import hook, shell_look
from ghapp.collector.events import QueuedEvent, to_edits
from tests.collector.machine import Machine

SECOND = 1_000_000_000
ID = "toolu_01A09q90qw90lq917835lq9"
CODE = "alpha = load()\nbeta = alpha.rows()\n"


class Desk:
    """A checkout with two old files, and an agent that runs a command in it."""

    def __init__(self, machine: Machine) -> None:
        self.clone = machine.clone()
        self.root = Path(os.path.realpath(self.clone.path))
        self.clone.commit({"src/a.py": CODE, "src/b.py": "omega = 1\n"})
        self.state = str(machine.places.directory)
        Path(self.state).mkdir(parents=True)
        self.now = max(path.stat().st_mtime_ns for path in self.root.rglob("*")) + 3_600 * SECOND

    def save(self, path: str, text: str, ago: float = 0.0) -> None:
        """Write a file, as of some seconds ago."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        at = self.now - int(ago * SECOND)
        os.utime(file, ns=(at, at))

    def run(
        self, command: str, does: Callable[[], None], took: object = 1000, **more: Any
    ) -> dict[str, Any] | None:
        """Run a command around which the hook looks; return what it saw."""
        asked = {"command": command} | more
        event = {"session_id": "s", "cwd": str(self.root), "tool_name": "Bash", "tool_use_id": ID}
        before = {"hook_event_name": "PreToolUse", **event, "tool_input": asked}
        after = {**before, "hook_event_name": "PostToolUse", "duration_ms": took}
        if hook.may_write(json.dumps(before).encode()):
            shell_look.before(self.state, json.dumps(before).encode(), self.now)
        self.now += 60 * SECOND
        does()
        told = shell_look.after(self.state, json.dumps(after).encode(), self.now)
        self.event = told
        return None if told is None else json.loads(told)["ghapp_look"]

    def edits(self) -> list[Edit]:
        """Return what a flush makes of the command's event."""
        assert self.event is not None
        return list(to_edits(QueuedEvent(datetime(2026, 5, 20, tzinfo=UTC), self.event)))

    def passed(self) -> dict[str, int]:
        """Return what was passed over since the last time, by why."""
        return shell_look.taken_counts(self.state)


@pytest.fixture
def desk(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(shell_look, "BUDGET", 30.0)
    monkeypatch.setattr(shell_look, "_LIVES", {})
    return Desk(machine)


RENAMED = CODE.replace("alpha", "shared_alpha")
SED = "sed -i s/alpha/shared_alpha/ src/a.py"


def test_what_a_command_changed_is_an_observed_edit(desk: Desk) -> None:
    desk.save("notes.txt", "a draft\n", ago=900)
    look = desk.run(f"{SED} && git diff --stat", lambda: desk.save("src/a.py", RENAMED, ago=0.5))
    assert look == {
        "files": [{"path": str(desk.root / "src/a.py"), "before": CODE, "after": RENAMED}],
        "beside": [],
        "is_sure": True,
        "cwd": str(desk.root),
    }
    made, edit = desk.edits()
    assert (made.id, made.outcome) == (f"{ID}#1", EditResult.SUBSTITUTED)
    assert (edit.id, edit.outcome, edit.tool) == (f"{ID}#2", EditResult.OBSERVED, "Bash")
    assert [hunk.own for hunk in edit.lines.hunks] == [tuple(RENAMED.splitlines())]
    assert edit.lines.removed == tuple(CODE.splitlines())
    kept = {path.name.rpartition(".")[2] for path in (Path(desk.state) / "looks").iterdir()}
    assert kept == {"seen"}
    assert desk.passed() == {}


def test_a_new_file_and_one_that_was_changed_before_are_seen(desk: Desk) -> None:
    desk.save("src/b.py", "omega = 2\n", ago=900)
    script = "python3 - <<'E'\nfor p in ('src/b.py', 'src/new.py'): open(p, 'w').write(made())\nE"

    def does() -> None:
        desk.save("src/b.py", "omega = 2\npsi = omega\n", ago=0.2)
        desk.save("src/new.py", "chi = 7\n", ago=0.2)

    look = desk.run(script, does)
    assert look is not None
    assert {one["path"].rpartition("/")[2]: one["before"] for one in look["files"]} == {
        "b.py": "omega = 2\n",
        "new.py": "",
    }


OF_OTHERS = CODE.replace("alpha", "their_alpha")
OTHERS, ELSEWHERE = shell_look.OTHERS, shell_look.FROM_ELSEWHERE
PASSED: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "a command that only reads": ("pytest src/a.py", {}, None),
    "a check": ("black --check src/a.py", {}, None),
    "a file that it does not name": ("sed -i s/1/2/ src/b.py", {}, OTHERS),
    "saved before it ran": (SED, {"ago": 30}, OTHERS),
    "saved after it ended": (SED, {"ago": -3}, OTHERS),
    "no duration": (SED, {"took": None}, shell_look.UNTIMED),
    "too long": (SED, {"took": 40_000}, shell_look.UNTIMED),
    "in the background": (f"{SED} &", {}, shell_look.UNTIMED),
    "asked to run in the background": (SED, {"run_in_background": True}, None),
    "git": (f"git stash pop && {SED}", {}, ELSEWHERE),
    "a copy": (f"cp /tmp/a.py src/a.py && {SED}", {}, ELSEWHERE),
}


@pytest.mark.parametrize("name", PASSED)
def test_what_others_may_have_written_is_passed_over(desk: Desk, name: str) -> None:
    command, more, why = PASSED[name]
    more = dict(more)
    ago, took = more.pop("ago", 0.5), more.pop("took", 1000)
    look = desk.run(command, lambda: desk.save("src/a.py", OF_OTHERS, ago), took, **more)
    assert look is None or desk.edits() == []
    assert desk.passed() == ({why: 1} if why else {})


@pytest.mark.parametrize(
    ("command", "ago", "took"),
    [
        (SED, 30, 1000),
        (SED, 0.5, None),
        (SED, 0.5, 40_000),
        ("find . -name '*.py' -exec sed -i s/alpha/shared_alpha/ {} +", 0.5, 40_000),
        ("cd src && perl -pi -e 's/alpha/shared_alpha/' a.py", 0.5, None),
    ],
)
def test_a_substitution_proves_its_lines_whoever_else_saves(
    desk: Desk, command: str, ago: float, took: object
) -> None:
    desk.save("src/b.py", "omega = 2\n", ago=100)
    changed = RENAMED.replace("beta = shared_alpha", "theirs = shared_alpha")

    def does() -> None:
        desk.save("src/a.py", changed, ago)
        desk.save("src/b.py", "omega = 2\nshared_alpha = 1\n", ago)

    desk.run(command, does, took)
    (edit,) = desk.edits()
    assert (edit.outcome, edit.path) == (EditResult.SUBSTITUTED, str(desk.root / "src/a.py"))
    assert [hunk.own for hunk in edit.lines.hunks] == [("shared_alpha = load()",)]
    assert edit.lines.removed == ("alpha = load()",)
    assert sum(desk.passed().values()) == 2


def test_a_person_at_work_ends_all_looks_for_some_minutes(desk: Desk) -> None:
    desk.save("src/b.py", "omega = 2\n", ago=100)
    desk.run(SED, lambda: desk.save("src/a.py", OF_OTHERS, ago=0.5))
    assert desk.edits() == []
    assert desk.passed() == {OTHERS: 1}
    desk.now += 400 * SECOND
    again = OF_OTHERS.replace("beta", "gamma")
    assert desk.run("sed -i s/beta/gamma/ src/a.py", lambda: desk.save("src/a.py", again, 0.5))


def test_an_agents_own_edits_are_nobody_elses(desk: Desk) -> None:
    (Path(desk.state) / "looks").mkdir()
    desk.save("src/b.py", "omega = 2\n", ago=100)
    edit = {"hook_event_name": "PostToolUse", "tool_name": "Edit"}
    edit |= {"tool_input": {"file_path": str(desk.root / "src/b.py")}}  # type: ignore[dict-item]
    hook._note(desk.state, json.dumps(edit).encode(), desk.now - 99 * SECOND)
    assert desk.run(SED, lambda: desk.save("src/a.py", RENAMED, ago=0.5))


def test_what_git_holds_or_an_editor_has_open_is_passed_over(desk: Desk) -> None:
    old = desk.root / "old.py"
    desk.clone.commit({"old.py": RENAMED})
    assert old.exists()
    desk.now = old.stat().st_mtime_ns + 3_600 * SECOND
    assert desk.run(SED, lambda: desk.save("src/a.py", RENAMED, ago=0.5)) is None
    assert desk.passed() == {ELSEWHERE: 1}
    (desk.root / "src/.b.py.swp").touch()
    desk.clone.git("add", "-A")
    command = "sed -i s/1/9/ src/b.py"
    desk.now += 3_600 * SECOND
    assert desk.run(command, lambda: desk.save("src/b.py", "omega = 9\n", ago=0.5)) is None
    assert desk.passed() == {OTHERS: 1}


def test_two_commands_at_once_prove_nothing(desk: Desk) -> None:
    def does() -> None:
        other = {"session_id": "t", "cwd": str(desk.root), "tool_use_id": "toolu_2"}
        event = json.dumps({**other, "tool_input": {"command": SED}}).encode()
        shell_look.before(desk.state, event, desk.now)
        desk.save("src/a.py", OF_OTHERS, ago=0.5)

    desk.run(SED, does)
    assert desk.edits() == []
    assert desk.passed() == {shell_look.CROSSED: 1}


def test_a_large_tree_is_switched_off_and_named(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell_look, "BUDGET", 0.0)
    assert desk.run(SED, lambda: desk.save("src/a.py", RENAMED, ago=0.5)) is None
    ((root, why),) = shell_look.switched_off(desk.state)
    assert (root, why) == (str(desk.root), "git took more than 0 ms")
    monkeypatch.setattr(shell_look, "_LIVES", {"off": 1.0})
    shell_look.tidy(desk.state, desk.now)
    assert shell_look.switched_off(desk.state) == []


@pytest.mark.parametrize(
    "command",
    [
        *("sed -i s/a/b/ x.py", "sed -E --in-place s/a/b/ x.py", "perl -pi -e s/a/b/ x.py"),
        *("black x.py", "ruff format x.py", "ruff check --fix x.py", "gofmt -w x.py"),
        *("prettier --write x.py", "jq . a > x.py", "made | tee x.py", "dos2unix x.py"),
        *("python3 -c \"open('x.py', 'w')\"", "awk -i inplace 1 x.py"),
        *("isort x.py", "autopep8 x.py", "rustfmt x.py", "clang-format -i x.py"),
    ],
)
def test_the_hook_lets_through_what_the_look_reads(command: str) -> None:
    event = {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {}}
    event["tool_input"] = {"command": command}  # type: ignore[assignment]
    assert hook.may_write(json.dumps(event).encode())
    assert "x.py" in shell_look.written_names(command)
    assert "src/x.py" in shell_look.NamedFiles(command, ".", "/shop")
    assert "src/ax.py" not in shell_look.NamedFiles(command, ".", "/shop")


@pytest.mark.parametrize(
    ("command", "path", "named"),
    [
        ("black src", "src/a.py", True),
        ("black .", "src/a.py", True),
        ("find src -name '*.py' -exec sed -i s/a/b/ {} +", "src/a.ts", False),
        ("git ls-files | xargs sed -i s/a/b/", "src/a.py", True),
        ("sed -i s/a/b/ lib/*.py", "src/a.py", False),
        ("python3 -c \"open('/', 'w'); import src\"", "src/a.py", False),
        (
            "python3 - <<'E'\nfor p in Path('src').glob('*.py'): p.write_text()\nE",
            "src/a.py",
            True,
        ),
        ("sed -i s/a/b/ /shop/src/a.py", "src/a.py", True),
        ("sed -i s/a/b/ /other/src/a.py", "src/b.py", False),
    ],
)
def test_a_command_names_files_and_patterns(command: str, path: str, *, named: bool) -> None:
    assert (path in shell_look.NamedFiles(command, ".", "/shop")) is named
