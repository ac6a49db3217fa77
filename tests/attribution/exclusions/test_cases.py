"""Each folder of fixtures/exclusions: paths or a diff in, the exclusions of one rule out."""

import json
from pathlib import Path
from typing import Any

import pytest

from ghapp.attribution.exclusions import registry
from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.normalize import normalize
from ghapp.attribution.policy import Policy
from ghapp.attribution.unified_diff import parse_diff
from tests.cases import cases

FOLDERS = [folder for rule in cases("exclusions") for folder in cases(f"exclusions/{rule.name}")]
OF_FILES = [folder for folder in FOLDERS if folder.parent.name in registry.FILE_RULES]
OF_LINES = [folder for folder in FOLDERS if folder.parent.name in registry.LINE_RULES]


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


def test_each_rule_has_cases_and_no_case_is_without_a_rule() -> None:
    assert {folder.parent.name for folder in FOLDERS} == {
        *registry.FILE_RULES,
        *registry.LINE_RULES,
    }
