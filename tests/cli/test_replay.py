"""``ghapp replay`` as a shell runs it: the file, the streams, the exit status, Ctrl-C."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.commands import GHAPP, environment, ghapp
from tests.histories import History, Step, long_history
from tests.transcripts import write_transcript
from tests.waiting import wait_until

TEXT = "".join(f"price_{line} = cost_of(line={line})\n" for line in range(8))

WITHOUT = "without those of no_evidence and incomplete changes"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a clone of three pull requests and the evidence of one."""
    history = History(tmp_path / "clone")
    first = {"README.md": "# Shop\n", ".gitattributes": "*.x text\n", "docs/.gitattributes": "\n"}
    history.do(Step(write=dict(first), at="2026-05-01T00:00:00Z"))
    history.do(Step(write={"src/a.py": TEXT}, message="Add a (#1)", at="2026-05-10T00:00:00Z"))
    history.do(Step(write={"src/b.py": TEXT}, message="Add b", at="2026-05-11T00:00:00Z"))
    history.do(Step(write={"src/c.py": TEXT}, message="Add c (#3)", at="2026-05-20T15:30:00Z"))
    write_transcript(tmp_path / "evidence" / "1.jsonl", "/srv/shop/src/c.py", TEXT)
    return tmp_path


def arguments(place: Path, *more: str) -> list[str]:
    paths = ("--git", place / "clone", "--evidence", place / "evidence", "--jobs", "1")
    return ["replay", *map(str, (*paths, "--output", place / "out.jsonl")), *more]


def numbers(place: Path) -> list[int | None]:
    lines = (place / "out.jsonl").read_bytes().splitlines()
    return [json.loads(line)["pull_request"] for line in lines]


def test_writes_the_file_and_nothing_to_standard_output(place: Path) -> None:
    # The one call with a process for each processor, as by default.
    done = ghapp(*(one for one in arguments(place) if one not in {"--jobs", "1"}))
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert done.stderr.decode().splitlines() == [
        "1 edit(s) of agents read",
        "2 audit document(s)",
        "  1 assisted",
        "  1 no_evidence",
        f"at least 100% attributed: 8 of 8 counted lines, {WITHOUT}",
        "0 input(s) could not be read",
    ]
    assert numbers(place) == [1, 3]


def test_no_edit_at_all_is_a_warning_that_says_where_to_look(place: Path) -> None:
    (place / "evidence" / "1.jsonl").unlink()
    done = ghapp(*arguments(place))
    assert done.returncode == 0
    assert b"warning: no edit of an agent was read" in done.stderr
    assert b"ghapp evidence check" in done.stderr


def test_quiet_says_only_what_went_wrong(place: Path) -> None:
    done = ghapp(*arguments(place, "--quiet"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert numbers(place) == [1, 3]


def test_every_commit(place: Path) -> None:
    assert ghapp(*arguments(place, "--commits")).returncode == 0
    assert numbers(place) == [None, 1, None, 3]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--since", "2026-05-20"], [3]),
        (["--until", "2026-05-20"], [1, 3]),
        (["--until", "2026-05-20T15:29:59Z"], [1]),
        (["--since", "2026-05-10", "--until", "2026-05-10"], [1]),
        (["--since", "2027-01-01"], []),
    ],
)
def test_span(place: Path, options: list[str], expected: list[int]) -> None:
    assert ghapp(*arguments(place, *options)).returncode == 0
    assert numbers(place) == expected


def test_same_as_the_audit_of_the_commit(place: Path) -> None:
    assert (
        ghapp(*arguments(place, "--as-of", "2026-07-01", "--since", "2026-05-20")).returncode == 0
    )
    more = ("--evidence", place / "evidence", "--as-of", "2026-07-01", "--format", "json")
    audit = ghapp(
        "audit", "--git", place / "clone", "--commit", "main", "--pull-request", "3", *more
    )
    assert (place / "out.jsonl").read_bytes() == audit.stdout


def test_the_policy_of_the_repository_itself(place: Path) -> None:
    history = History.__new__(History)
    history.path = place / "clone"
    history.do(Step(write={".github/attribution.yml": "id: acme-v1\nrewrite_limit: 0\n"}))
    history.do(Step(write={"src/d.py": TEXT}, message="Add d (#4)"))
    history.do(Step(write={".github/attribution.yml": "rewrite_limit: soon\n"}))
    history.do(Step(write={"src/e.py": TEXT}, message="Add e (#5)"))
    done = ghapp(*arguments(place, "--policy", "repository"))
    assert done.returncode == 0
    assert b"pull request #5" in done.stderr
    assert b"line 1" in done.stderr
    lines = (place / "out.jsonl").read_bytes().splitlines()
    policies = {json.loads(line)["pull_request"]: json.loads(line)["policy"] for line in lines}
    assert [policies[number]["id"] for number in (1, 3, 4, 5)] == [
        *("claude-code-v1", "claude-code-v1"),
        *("acme-v1", "acme-v1"),
    ]


def test_unread_evidence_is_named(place: Path) -> None:
    with (place / "evidence" / "1.jsonl").open("a") as file:
        file.write('{"type": "assistant", "message": {"con\n')
    done = ghapp(*arguments(place))
    assert done.returncode == 1
    assert b"1.jsonl:3: " in done.stderr
    assert numbers(place) == [1, 3]


@pytest.mark.parametrize(
    "more",
    [["--branch", "no-such"], ["--policy", "no-such"], ["--since", "soon"], ["--jobs", "0"]],
)
def test_wrong_use(place: Path, more: list[str]) -> None:
    done = ghapp(*arguments(place, *more))
    assert done.returncode == 2
    assert not (place / "out.jsonl").exists()
    assert b"Traceback" not in done.stderr


def test_output_in_a_folder_that_is_not_there(place: Path) -> None:
    done = ghapp(*arguments(place, "--output", str(place / "none" / "out.jsonl")))
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_no_repository(place: Path) -> None:
    done = ghapp(*arguments(place, "--git", str(place / "evidence")))
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


HELD = """#!/bin/sh
echo >> {place}/asked
if [ "$(wc -l < {place}/asked)" -gt "$(cat {place}/most)" ]; then touch {place}/held; fi
while [ -e {place}/held ]; do sleep 0.05; done
exec {git} "$@"
"""
"""A git that is held up once it was called often enough, so that a replay is met in its work."""


def test_control_c_at_work_gives_the_same_file(place: Path) -> None:
    # Long enough that the documents of the first changes do not stay in a buffer.
    changes = ((f"Change (#{number})", f"{number}.py", TEXT * 8) for number in range(1, 100))
    long_history(place / "long", changes)
    git = place / "bin" / "git"
    git.parent.mkdir()
    git.write_text(HELD.format(place=place, git=shutil.which("git")))
    git.chmod(0o755)
    long = ("--git", str(place / "long"), "--as-of", "2026-07-01")
    assert ghapp(*arguments(place, *long)).returncode == 0
    expected = (place / "out.jsonl").read_bytes()
    (place / "out.jsonl").unlink()
    for most, written in ((0, 0), (40, 1)):
        _interrupted(place, most, written, arguments(place, *long, "--jobs", "2"))
    assert not (place / "out.jsonl").exists()
    done = ghapp(*arguments(place, *long))
    assert done.returncode == 0
    assert b"of them before an interruption" in done.stderr
    assert (place / "out.jsonl").read_bytes() == expected
    assert not list(place.glob("out.jsonl.*"))


def _interrupted(place: Path, most: int, written: int, command: list[str]) -> None:
    """Press Ctrl-C once git is held up after so many calls, and so many bytes are written."""
    partial = place / "out.jsonl.partial"
    (place / "asked").write_bytes(b"")
    (place / "most").write_text(str(most))
    path = f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        [*GHAPP, *command],
        env=environment(PATH=path),
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A shell that starts the tests in the background has them ignore it, and so their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads
    )
    assert process.stderr is not None
    try:

        def has_come_so_far() -> bool:
            assert process.poll() is None, "it ended before"
            return (place / "held").exists() and _size(partial) >= written

        wait_until(has_come_so_far, "where it is to be stopped", every=0.02)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
        (place / "held").unlink(missing_ok=True)
    assert (process.returncode, told) == (130, b"stopped\n")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
