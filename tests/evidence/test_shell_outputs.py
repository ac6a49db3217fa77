"""What echo and printf write, as a shell does it, and which patches a command applies."""

import subprocess
from pathlib import Path

import pytest

from ghapp.evidence.shell_outputs import ShellPatch, is_patch, patch_of, writes_of
from ghapp.evidence.shell_runs import sure_runs
from ghapp.evidence.shell_writes import ShellWrite


def writes(command: str) -> list[ShellWrite]:
    return [write for run in sure_runs(command) for write in writes_of(run)]


@pytest.mark.parametrize(
    "command",
    [
        "echo one two > a",
        "echo 'one  two' >> a",
        "echo -n one > a",
        "printf 'one\\ntwo %s%%\\n' x y > a",
        "printf '%s\\n' 'a\\b' \"c d\" >> a",
        "printf 'it is \\\"x\\\"\\t\\\\\\n' > a",
        "echo one | tee a",
        "printf x | tee -a a > /dev/null",
        "mkdir -p b && echo one > b/a",
    ],
)
def test_a_shell_writes_the_same(command: str, tmp_path: Path) -> None:
    (found,) = writes(command)
    program = ["bash", "-c", command]
    subprocess.run(program, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / found.path).read_text() == found.text
    assert found.appends == (">>" in command or "-a" in command)


@pytest.mark.parametrize(
    "command",
    [
        "echo $HOME > a",
        "echo *.py > a",
        "echo 'a\\nb' > a",
        "printf '%d\\n' 1 > a",
        "printf '\\x41' > a",
        "printf -v x y > a",
        "echo x > $FILE",
        "echo x > /dev/null",
        "echo x 2> a",
        "echo x",
        "cat b > a",
        "echo x | sort > a",
        "false || echo x > a",
    ],
)
def test_what_the_words_do_not_tell_is_no_write(command: str) -> None:
    assert writes(command) == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("git apply fix.patch", ShellPatch("", 1, None, "fix.patch")),
        ("cd x && git apply --index -p2 ../f.diff", ShellPatch("x", 2, None, "x/../f.diff")),
        ("patch -p1 < f.patch", ShellPatch("", 1, None, "f.patch")),
        ("patch -s -p0 -i f.patch", ShellPatch("", 0, None, "f.patch")),
        ("git apply <<'E'\nx\nE", ShellPatch("", 1, "x\n", None)),
        ("git apply <<E\n$x\nE", None),
        ("patch f.py f.patch", None),
        ("patch < f.patch", None),
        ("git apply -R f.patch", None),
        ("git apply --check f.patch", None),
        ("git apply f.patch; git status", None),
        ("git apply f.patch || git apply g.patch", None),
    ],
)
def test_only_a_patch_that_surely_applied_is_read(
    command: str, expected: ShellPatch | None
) -> None:
    assert [found for run in sure_runs(command) if (found := patch_of(run))] == (
        [expected] if expected else []
    )


def test_a_patch_is_known_by_its_name() -> None:
    assert is_patch("/r/fix.patch")
    assert not is_patch("/r/patch.py")
