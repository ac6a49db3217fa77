"""The files that a program is given are those that the command's text proves."""

import re

import pytest

from ghapp.attribution.model import ReachedFiles
from ghapp.evidence.shell_files import listed_files, named_files
from ghapp.evidence.shell_words import pipelines

PATHS = (
    "a.py",
    "src/a.py",
    "src/b.ts",
    "src/deep/c.py",
    "tests/d.py",
    "node_modules/x/e.py",
    "dist/f.py",
)


def fits(reached: ReachedFiles, path: str) -> bool:
    folder = "" if reached.path == "." else f"{reached.path}/"
    if not reached.is_folder:
        return reached.path == path
    rest = path.removeprefix(folder)
    return path.startswith(folder) and all(
        bool(re.search(one.expression, rest)) != one.lacks for one in reached.filters
    )


def found(reached: list[ReachedFiles] | None) -> set[str] | None:
    return None if reached is None else {p for p in PATHS if any(fits(one, p) for one in reached)}


def listed(command: str) -> set[str] | None:
    return found(listed_files(next(pipelines(command)).programs, ""))


def named(words: str) -> set[str] | None:
    return found(named_files(next(pipelines(f"x {words}")).programs[0][1:], ""))


ALL = set(PATHS)
PYTHON = {path for path in PATHS if path.endswith(".py")}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("src/a.py tests/d.py", {"src/a.py", "tests/d.py"}),
        ("src/*.py", {"src/a.py"}),
        ("*/*.py", {"src/a.py", "tests/d.py", "dist/f.py"}),
        ("src/?.[pt]*", {"src/a.py", "src/b.ts"}),
        ("src/{a.py,b.ts}", {"src/a.py", "src/b.ts"}),
        ("'src/*.py'", set[str]()),
        ("$(git ls-files src)", {"src/a.py", "src/b.ts", "src/deep/c.py"}),
        ("$FILES", None),
        ("~/src/a.py", None),
        ("$(cat list)", None),
        ("", None),
    ],
)
def test_words_name_files(words: str, expected: set[str] | None) -> None:
    assert named(words) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("find . -name '*.py'", PYTHON),
        ("find src tests -type f -name '*.py'", {"src/a.py", "src/deep/c.py", "tests/d.py"}),
        ("find src -name '*.py' -o -name '*.ts'", {"src/a.py", "src/b.ts", "src/deep/c.py"}),
        (
            "find . -name '*.py' -not -path './node_modules/*' ! -path '*/deep/*'",
            PYTHON - {"node_modules/x/e.py", "src/deep/c.py"},
        ),
        ("find src/a.py", {"src/a.py"}),
        ("find . -mtime -1", None),
        ("find . -name '*.py' -path './src/*' -newer x", None),
        ("find $DIR -name '*.py'", None),
        ("grep -rl old src", {"src/a.py", "src/b.ts", "src/deep/c.py"}),
        ("grep -rl --include='*.py' --exclude-dir=node_modules old .", PYTHON - {PATHS[5]}),
        ("grep -rlE --include='*.py' --include='*.ts' 'a|b' src", {*PATHS[1:4]}),
        ("grep -l old src/*.py", {"src/a.py"}),
        ("grep -r old src", None),
        ("grep -rl old src -A 3", None),
        ("rg -l old src", {"src/a.py", "src/b.ts", "src/deep/c.py"}),
        ("rg -l old -g '*.py'", None),
        ("git grep -l old -- src", {"src/a.py", "src/b.ts", "src/deep/c.py"}),
        ("git grep -lE 'a|b'", ALL),
        ("git grep old", None),
        ("git ls-files '*.py' | grep -v dist", PYTHON - {"dist/f.py"}),
        ("git ls-files | grep -E '\\.(ts|js)$' | sort", {"src/b.ts"}),
        ("git ls-files -- src | grep -v '^src/deep'", None),
        ("git ls-files ':!src'", None),
        ("git ls-files -m", None),
        ("git ls-files | head -3", None),
        ("ls src", None),
    ],
)
def test_programs_list_files(command: str, expected: set[str] | None) -> None:
    assert listed(command) == expected
