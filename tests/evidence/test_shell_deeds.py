"""All that one command did, in one place."""

import pytest

from ghapp.evidence.shell_deeds import deeds, patched
from ghapp.evidence.shell_outputs import ShellPatch


def told(command: str) -> list[str]:
    """Return deeds in short."""
    found = []
    for one in deeds(command):
        if one.write:
            found.append(f"write {one.write.path}")
        if one.source is not None:
            found.append(f"{one.source} to {one.target}")
        if one.rewrites:
            found.append(f"sed {one.reach[0].path}")
        if one.lines.hunks:
            found.append(f"text {' '.join(reached.path for reached in one.reach)}")
        if one.patch:
            found.append(f"patch in {one.patch.directory or '.'}")
    return found


SCRIPT = "python3 - <<'E'\nopen('a.py', 'w').write('''x\ny\n''')\nE"

WRITTEN = "cat > /tmp/fix.py <<'E'\nopen('a.py', 'w').write('x = 1; y = 2')\nE\n"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("git mv a b", ["a to b", "a to b/a"]),
        ("mv -f a b c/", ["a to c/a", "b to c/b"]),
        ("cd x && cp -r a/ .", ["x/a/ to x/./a"]),
        ("mv -n a b", []),
        ("mv *.py b/", []),
        ("mv -t b a", []),
        ("git -C x mv a b", []),
        (SCRIPT, ["text a.py ."]),
        (f"cd x && {SCRIPT}", ["text x/a.py x"]),
        (f"{SCRIPT}\nls", []),
        ("python3 b.py <<'E'\nopen('a.py', 'w').write('x')\nE", []),
        ("python3 -m pytest", []),
        (f"{WRITTEN}python3 /tmp/fix.py", ["write /tmp/fix.py", "text a.py ."]),
        (f"cd x && {WRITTEN}python3 /tmp/fix.py", ["write /tmp/fix.py", "text x/a.py x"]),
        (f"{WRITTEN.replace('>', '>>')}python3 /tmp/fix.py", ["write /tmp/fix.py"]),
        ("bash -lc 'cd x && mv a b/ && sed -i s/a/b/ c'", ["x/a to x/b/a", "sed x/c"]),
        ("cd y && sh -c 'git apply f.patch'", ["patch in y"]),
        ("bash -c 'mv a b/'; ls", []),
        ("cat > a <<'E'\nx\nE\necho y >> a", ["write a", "write a"]),
    ],
)
def test_a_command_is_told_whole(command: str, expected: list[str]) -> None:
    assert told(command) == expected


def test_a_patch_without_a_known_text_changes_nothing() -> None:
    patch = ShellPatch("x", 1, None, "f.patch")
    diff = "--- a/b.py\n+++ b/b.py\n@@ -1 +1,2 @@\n one\n+two\n"
    assert list(patched(patch, lambda _: None, "/r")) == []
    asked: list[str] = []
    found = list(patched(patch, lambda path: asked.append(path) or diff, "/r"))  # type: ignore[func-returns-value]
    assert [(path, lines.hunks[0].own) for path, lines in found] == [("/r/x/b.py", ("two",))]
    assert asked == ["/r/f.patch"]
