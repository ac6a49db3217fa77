"""Nothing in the threat model is truer than a test: each row names tests, and they exist."""

import ast
import re

import pytest

from tests.cases import TOP

DOCUMENT = "\n".join(
    (TOP / "docs" / name).read_text("utf-8")
    for name in ("threat-model.md", "threat-model-tests.md")
)
_NAMED = re.compile(r"`(tests/[\w/]+\.py)?::(\w+)`")
_NUMBERED = re.compile(r"^(\d+)\. (.*(?:\n   .*)*)", re.MULTILINE)
_SHOWN = re.compile(r"^- (?P<who>\*\*.+?\*\*): (?P<tests>.*(?:\n  .*)*)", re.MULTILINE)


def section(title: str) -> str:
    """Return the text below a headline, up to the next one."""
    _, _, rest = DOCUMENT.partition(f"\n## {title}\n")
    assert rest, title
    return rest.partition("\n## ")[0]


def rows(text: str) -> list[str]:
    """Return the rows of all tables, without their heads."""
    lines = text.splitlines()
    is_rule = [line.startswith("|-") for line in lines]
    return [
        line
        for line, rule, before_rule in zip(lines, is_rule, [*is_rule[1:], False], strict=True)
        if line.startswith("| ") and not rule and not before_rule
    ]


def named(text: str) -> list[tuple[str, str]]:
    """Return file and name of each test; a name without a file is in the file before it."""
    found, file = [], ""
    for given, name in _NAMED.findall(text):
        file = given or file
        found.append((file, name))
    return found


def test_every_test_that_it_names_exists() -> None:
    there: dict[str, set[str]] = {}
    missing = []
    for file, name in named(DOCUMENT):
        if file not in there:
            path = TOP / file
            tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
            there[file] = {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
        if not name.startswith("test_") or name not in there[file]:
            missing.append(f"{file}::{name}")
    assert missing == []


def test_each_kind_of_person_has_tests() -> None:
    people = [
        line.split(" | ")[0].removeprefix("| ") for line in rows(section("Who could do what"))
    ]
    shown = dict(_SHOWN.findall(section("The tests of each row")))
    assert len(people) > 10
    assert people == list(shown)
    assert [who for who, tests in shown.items() if not named(tests)] == []


def test_each_sentence_on_what_the_app_does_has_a_test() -> None:
    does = re.findall(r"^- ", section("What the app does about it"), re.MULTILINE)
    shown = _NUMBERED.findall(section("The tests of each row"))
    assert [int(number) for number, _ in shown] == [*range(1, len(does) + 1)]
    assert [number for number, tests in shown if not named(tests)] == []


def test_each_thing_that_was_tried_has_a_test() -> None:
    tried = rows(section("What was tried"))
    assert len(tried) > 50
    assert [line[:80] for line in tried if not named(line.rpartition(" | ")[2])] == []


@pytest.mark.parametrize("row", ["| a | b |", "| **x** | can | cannot |"])
def test_a_row_without_a_test_would_be_seen(row: str) -> None:
    assert (rows(f"| head | head |\n|---|---|\n{row}\n")) == [row]
    assert named(row) == []
