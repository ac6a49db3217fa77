"""The rules in their order, and that the documentation says the same of them."""

import re
import sys

import pytest

from ghapp.attribution.exclusions import registry
from ghapp.attribution.exclusions.rule import FileRule, LineRule
from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.normalize import normalize
from ghapp.attribution.policy import Policy
from tests.cases import TOP

DOCUMENTATION = TOP / "docs" / "exclusions.md"
RULES: list[FileRule | LineRule] = [*registry.FILE_RULES.values(), *registry.LINE_RULES.values()]


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
