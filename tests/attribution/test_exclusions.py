"""Each folder of fixtures/exclusions: paths or a diff in, the exclusions of one rule out."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.exclusions import registry
from ghapp.attribution.exclusions.gitattributes import linguist_generated
from ghapp.attribution.exclusions.path_pattern import from_text
from ghapp.attribution.exclusions.rule import FileRule, LineRule
from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.normalize import normalize
from ghapp.attribution.policy import Policy
from ghapp.attribution.unified_diff import parse_diff
from tests.cases import FIXTURES, cases
from tests.searching import searched

FOLDERS = [folder for rule in cases("exclusions") for folder in cases(f"exclusions/{rule.name}")]
OF_FILES = [folder for folder in FOLDERS if folder.parent.name in registry.FILE_RULES]
OF_LINES = [folder for folder in FOLDERS if folder.parent.name in registry.LINE_RULES]
DOCUMENTATION = FIXTURES.parent / "docs" / "exclusions.md"
RULES: list[FileRule | LineRule] = [*registry.FILE_RULES.values(), *registry.LINE_RULES.values()]


def case_id(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def loaded(path: Path) -> Any:
    return json.loads(path.read_text()) if path.exists() else {}


def change_of(folder: Path) -> Change:
    if (folder / "change.diff").exists():
        files = parse_diff((folder / "change.diff").read_bytes())
    else:
        paths = (folder / "paths.txt").read_text().splitlines()
        files = tuple(FileDiff(path=path) for path in paths)
    return Change(files=files, gitattributes=loaded(folder / "gitattributes.json"))


@pytest.mark.parametrize("folder", OF_FILES, ids=case_id)
def test_files_that_a_rule_excludes(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    change = change_of(folder)
    policy = Policy(exclude=tuple(loaded(folder / "policy.json").get("exclude", ())))
    rule = registry.FILE_RULES[folder.parent.name]
    excluded = [file.path for file in change.files if rule.excludes(file, change, policy)]
    assert sorted(excluded) == expected["excluded"], expected["why"]


@pytest.mark.parametrize("folder", OF_LINES, ids=case_id)
def test_lines_that_a_rule_excludes(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    rule = registry.LINE_RULES[folder.parent.name]
    excluded = [
        line.number
        for file in change_of(folder).files
        for line in file.added()
        if rule.excludes(line.text, normalize(line.text))
    ]
    assert excluded == expected["lines"], expected["why"]


# --- the register -----------------------------------------------------------------------------


def test_each_rule_has_cases_and_no_case_is_without_a_rule() -> None:
    assert {folder.parent.name for folder in FOLDERS} == {rule.RULE_ID for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.RULE_ID)
def test_a_rule_is_called_like_its_module(rule: FileRule | LineRule) -> None:
    assert rule is sys.modules[f"{registry.__package__}.{rule.RULE_ID}"]


@pytest.mark.parametrize(
    ("path", "rule_id"),
    [
        ("dist/package-lock.json", "lock_file"),
        ("dist/app.min.js", "build_directory"),
        ("tests/fixtures/app.min.js", "generated"),
        ("tests/fixtures/user.json", "test_fixture"),
        ("own/package-lock.json", "excluded_path"),
        ("src/app.py", None),
    ],
)
def test_the_first_rule_gives_the_reason(path: str, rule_id: str | None) -> None:
    file = FileDiff(path=path)
    found = registry.excluded_file(file, Change(files=(file,)), Policy(exclude=("own/",)))
    assert found == rule_id


def test_binary_and_submodule_come_before_all_names() -> None:
    change = Change()
    binary = FileDiff(path="dist/yarn.lock", binary=True)
    submodule = FileDiff(path="dist/yarn.lock", submodule=True)
    assert registry.excluded_file(binary, change, Policy()) == "binary"
    assert registry.excluded_file(submodule, change, Policy()) == "submodule"


@pytest.mark.parametrize(
    ("text", "rule_id"),
    [("}" * 1001, "long_line"), ("});", "trivial_line"), ("return x", None), ("a" * 1000, None)],
)
def test_lines_are_long_before_they_are_trivial(text: str, rule_id: str | None) -> None:
    assert registry.excluded_line(text, normalize(text)) == rule_id


# --- the documentation ------------------------------------------------------------------------


def test_each_rule_has_its_heading_in_the_order_of_asking() -> None:
    headings = re.findall(r"^### `(\w+)`$", DOCUMENTATION.read_text(), flags=re.MULTILINE)
    assert headings == [rule.RULE_ID for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.RULE_ID)
def test_each_rule_has_its_sentence_in_the_documentation(rule: FileRule | LineRule) -> None:
    assert rule.SENTENCE.lower() in " ".join(DOCUMENTATION.read_text().lower().split())


# --- git's patterns, compared with git --------------------------------------------------------

# "**" inside a name is not asked: behind letters git takes it for any number of folders after all
PART = st.text(st.sampled_from("ab*?"), min_size=1, max_size=5).map(
    lambda part: re.sub(r"\*+", "*", part)
)
PATTERN = st.builds(
    lambda start, parts, end: start + "/".join(parts) + end,
    st.sampled_from(["", "/"]),
    st.lists(
        st.one_of(PART, st.just("**"), st.sampled_from(["[ab]", "[!a]", "[^b]", "\\*", "a\\b"])),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(["", "", "/"]),
)
PATH = st.lists(st.text(st.sampled_from("ab"), min_size=1, max_size=3), min_size=1, max_size=4).map(
    "/".join
)


ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def answered(repository: Path, *command: str, paths: list[str]) -> list[str]:
    asked = "".join(f"{path}\0" for path in paths)
    git = ["git", "-C", str(repository), *command, "-z", "--stdin"]
    return subprocess.run(
        git, input=asked, env=ENVIRONMENT, capture_output=True, text=True, check=False
    ).stdout.split("\0")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("patterns")
    subprocess.run(["git", "init", "--quiet", str(path)], env=ENVIRONMENT, check=True)
    return path


@searched(20)
@given(
    st.lists(st.tuples(PATTERN, st.sampled_from(["", "-", "!"])), max_size=4),
    st.lists(PATH, min_size=1, max_size=6, unique=True),
)
def test_attributes_as_git_reads_them(
    repository: Path, lines: list[tuple[str, str]], paths: list[str]
) -> None:
    text = "".join(f"{pattern} {sign}linguist-generated\n" for pattern, sign in lines)
    (repository / ".gitattributes").write_text(text)
    values = {"set": True, "unset": False, "unspecified": None}
    told = answered(repository, "check-attr", "linguist-generated", paths=paths)
    assert [linguist_generated(path, {".gitattributes": text}) for path in paths] == [
        values[value] for value in told[2::3]
    ]


@searched(20)
@given(
    st.lists(st.tuples(st.sampled_from(["", "", "!"]), PATTERN), max_size=4),
    st.lists(PATH, min_size=1, max_size=6, unique=True),
)
def test_excluded_paths_as_git_ignores_them(
    repository: Path, lines: list[tuple[str, str]], paths: list[str]
) -> None:
    patterns = tuple(sign + pattern for sign, pattern in lines)
    (repository / ".gitignore").write_text("".join(f"{pattern}\n" for pattern in patterns))
    ignored = set(answered(repository, "check-ignore", "--no-index", paths=paths))
    rule = registry.FILE_RULES["excluded_path"]
    policy = Policy(exclude=patterns)
    assert [rule.excludes(FileDiff(path=path), Change(), policy) for path in paths] == [
        path in ignored for path in paths
    ]


def test_no_pattern_takes_long() -> None:
    assert not from_text("*a" * 60 + "b").matches(["a" * 255])
    assert not from_text("**/a/" * 60 + "b").matches(["a"] * 2000)
