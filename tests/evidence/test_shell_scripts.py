"""Scripts of sed, Perl and gofmt become rewrites that do the same, or nothing."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.linear_pattern import StepBudget
from ghapp.attribution.substituted import rewritten
from ghapp.evidence.shell_scripts import file_rewriting
from ghapp.evidence.shell_words import pipelines
from tests.searching import searched


def after(command: str, line: str) -> str | None:
    """Return a line after a command; ``None``: it is not read."""
    found = file_rewriting(next(pipelines(command)).programs[0])
    return None if found is None else rewritten(line, found.rewrites, StepBudget(100_000))


@pytest.mark.parametrize(
    ("command", "line", "expected"),
    [
        ("sed -i 's/old/new/' a", "old old", "new old"),
        ("sed -i 's/old/new/g' a", "old old", "new new"),
        ("sed -i '' 's/old/new/' a", "old", "new"),
        ("sed -i '' -e 's/a/b/' -e 's/b/c/g' a", "ab", "cc"),
        ("sed -i.bak 's|a/b|c|' a", "a/b", "c"),
        ("sed -i 's/a\\/b/c\\/d/' a", "a/b", "c/d"),
        ("sed -i -E 's/(\\w+)\\.(\\w+)/\\2.\\1 &/' a", "x.y", "y.x x.y"),
        ("sed -Ei 's/a+/b/' a", "caa", "cb"),
        ("sed --in-place --regexp-extended --expression='s/a+/b/' a", "caa", "cb"),
        ("sed -i 's/a+/b/' a", "caa a+", "caa b"),
        ("sed -i 's/OLD/new/I' a", "old", "new"),
        ("sed -i '/^import/s/a/b/' a", "import a", "import b"),
        ("sed -i '/^import/s/a/b/' a", "from a", "from a"),
        ("sed -i '/x/d; s/a/b/' a", "a", "b"),
        ("sed -i 's/$/;/' a", "a", "a;"),
        ("LC_ALL=C sed -i 's/a/\\&/' a", "a", "&"),
        ("perl -pi -e 's/(\\w+)_id/${1}Id/g' a", "user_id", "userId"),
        ("perl -i -pe 's{a/b}{c/d}; s/x/y/ if /z/' a", "a/b xz", "c/d yz"),
        ("perl -i.bak -p -e 's/a$/b/' a", "aa", "ab"),
        ("gofmt -w -r 'oldName -> go.New' .", "x := oldName(oldNames)", "x := go.New(oldNames)"),
        ("gofmt -r='oldName -> newName' -w a.go", "oldName(oldNames)", "newName(oldNames)"),
    ],
)
def test_a_script_is_read(command: str, line: str, expected: str) -> None:
    assert after(command, line) == expected


@pytest.mark.parametrize(
    "command",
    [
        "sed 's/a/b/' a",
        "sed -i 3s/a/b/ a",
        "sed -i '1,5s/a/b/' a",
        "sed -i '$s/a/b/' a",
        "sed -i '/a/!s/a/b/' a",
        "sed -i '/a/,/b/s/a/b/' a",
        "sed -i 's/a/b/2' a",
        "sed -i 's/a/b/e' a",
        "sed -i 's/a/b/w x' a",
        "sed -i 's/a/b/;p' a",
        "sed -i 'y/a/b/' a",
        "sed -i 's/a/\\U&/' a",
        "sed -i 's/a/b\\nc/' a",
        "sed -i 's/\\(a\\)\\1/b/' a",
        "sed -i 's|a\\|b|c|' a",
        "sed -i 's/a/b' a",
        'sed -i "s/a/$NEW/" a',
        "sed -n -i 's/a/b/p' a",
        "sed -z -i 's/a/b/' a",
        "sed -i -f script a",
        "perl -pe 's/a/b/' a",
        "perl -pi -e 's/a/b/e' a",
        "perl -pi -e 's/a/$new/' a",
        "perl -pi -e 's/a(?=b)/c/' a",
        "perl -0pi -e 's/a/b/' a",
        "perl -pi -e '$_ = uc' a",
        "perl -pi -e 's{a}/b/' a",
        "perl -pi -e 's/a/b/ unless /c/' a",
        "gofmt -r 'oldName -> newName' .",
        "gofmt -w -r 'a[b:len(a)] -> a[b:]' .",
        "gofmt -w -r 'x -> y' .",
        "gofmt -w .",
        "awk 1 a",
    ],
)
def test_what_is_not_read_surely_is_no_rewriting(command: str) -> None:
    assert after(command, "a") is None


PIECES = ("a", "b", ".", "[ab]", "a*", "b\\{1,2\\}", "\\(a\\)", "\\(a*b\\)", "^", "$", "\\.", "x")
NEW = ("y", "&", "<&>", "", "\\\\", "-")


@searched(40)
@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join),
    st.lists(st.sampled_from(NEW), max_size=3).map("".join),
    st.sampled_from(["", "g"]),
    st.text("abx. ", max_size=8),
)
def test_what_is_read_is_what_sed_does(pattern: str, new: str, flag: str, line: str) -> None:
    script = f"s/{pattern}/{new}/{flag}"
    got = after(f"sed -i '{script}' a", line)
    if got is None:
        return
    done = subprocess.run(
        ["sed", script],
        input=line + "\n",
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    assert got + "\n" == done.stdout
