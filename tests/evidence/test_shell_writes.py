"""Which files a shell command is known to have written, and which are left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.evidence.shell_writes import ShellInput, ShellWrite, fed, heredocs
from tests.searching import searched

BODY = "<<'EOF'\none\nEOF"


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (f"cat > a.py {BODY}", "a.py"),
        (f"cat >a.py {BODY}", "a.py"),
        (f"cat {BODY[:7]} > a.py\none\nEOF", "a.py"),
        ('cat > a.py <<"E O F"\none\nE O F', "a.py"),
        ("cat > a.py <<\\EOF\none\nEOF", "a.py"),
        ("cat > a.py <<EOF\none\nEOF", "a.py"),
        ("cat > a.py <<-'EOF'\n\tone\n\tEOF", "a.py"),
        (f"tee 'a b.py' {BODY}", "a b.py"),
        (f"tee a.py > /dev/null {BODY}", "a.py"),
        (f"cd src && cat > a.py {BODY}", "src/a.py"),
        (f"cd src\ncd lib\ncat > a.py {BODY}", "src/lib/a.py"),
        (f"cd $HOME && cat > /srv/a.py {BODY}", "/srv/a.py"),
        (f"mkdir -p lib; cat > lib/a.py {BODY}", "lib/a.py"),
        (f"cat > a.py {BODY}\npython a.py || true", "a.py"),
    ],
)
def test_a_plain_write_is_found(command: str, path: str) -> None:
    assert list(heredocs(command)) == [ShellWrite(path, "one\n", appends=False)]


@pytest.mark.parametrize("command", [f"cat >> a.py {BODY}", f"tee -a a.py {BODY}"])
def test_appending_is_told_apart(command: str) -> None:
    assert list(heredocs(command)) == [ShellWrite("a.py", "one\n", appends=True)]


@pytest.mark.parametrize(
    "command",
    [
        "echo one > a.py",
        f"cat {BODY}",
        f"python3 - {BODY}",
        f"python3 - {BODY} > a.py",
        f"cat > $A {BODY}",
        f"cat > '*.py' {BODY}",
        f"cat > a.py b.py {BODY}",
        f"cat 2> a.py {BODY}",
        f"cat > a.py <<< one {BODY}",
        f"cat {BODY[:7]} | tee a.py\none\nEOF",
        f"false || cat > a.py {BODY}",
        f"if true; then cat > a.py {BODY}\nfi",
        f"(\ncat > a.py {BODY}\n)",
        f"cd $HOME && cat > a.py {BODY}",
        f"pushd src\ncat > a.py {BODY}",
        "cat > a.py <<EOF\n$HOME\nEOF",
        "cat > a.py <<EOF\n`date`\nEOF",
        "cat > a.py <<EOF\n\\$5\nEOF",
        "cat > a.py <<'EOF'\none",
        "cat > a.py <<'EOF' <<'END'\none\nEOF\ntwo\nEND",
        "cat > 'a.py <<'EOF'\none\nEOF",
        f"bash <<'OUT'\ncat > a.py {BODY}\nOUT",
    ],
)
def test_what_is_not_sure_is_left_alone(command: str) -> None:
    assert list(heredocs(command)) == []


PROGRAMS = frozenset({"apply_patch"})
FED = "<<'EOF'\none $x\nEOF"


@pytest.mark.parametrize(
    ("command", "directory"),
    [
        (f"apply_patch {FED}", ""),
        ("apply_patch <<EOF\none $x\nEOF", ""),  # Codex expands nothing
        (f"/usr/bin/apply_patch {FED}", ""),
        (f"cd src && apply_patch {FED}", "src"),
        (f"cd 'my src' && apply_patch {FED}", "my src"),
        (f"cat {FED[:7]} | apply_patch\none $x\nEOF", ""),
        ("apply_patch 'one $x\n'", ""),
        ('cd src && apply_patch "one \\$x\n"', "src"),
    ],
)
def test_what_a_program_is_given(command: str, directory: str) -> None:
    assert list(fed(command, PROGRAMS)) == [ShellInput(directory, "one $x\n")]


@pytest.mark.parametrize(
    "command",
    [f"cat {FED}", f"cat a | apply_patch {FED[:3]}", "echo apply_patch 'one'", "apply_patch 'one"],
)
def test_another_program_is_given_nothing(command: str) -> None:
    assert list(fed(command, PROGRAMS)) == []


@searched(100)
@given(st.text(alphabet="catee <>-'\"\\$EOF\n&|;()/.a", max_size=80))
def test_no_command_stops_the_reading(command: str) -> None:
    assert all(write.path for write in heredocs("cat <<" + command))


def test_a_statement_that_is_too_long_writes_nothing_that_we_know() -> None:
    assert [one.path for one in heredocs(f"cat > {'a' * 3_000} {BODY}")] == ["a" * 3_000]
    assert list(heredocs(f"cat > {'a' * 5_000} {BODY}")) == []
