"""A report as Markdown: what it says, and that its blocks are those files again."""

import re

import pytest
from msgspec.structs import replace

from ghapp.attribution.policy import CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED
from ghapp.documents.line_report import LineReport
from ghapp.reports.line_report import command, to_markdown
from tests.auditing.line_cases import case_of, new_file, of_folder, report_of, written
from tests.cases import FIXTURES

AUDITS = FIXTURES / "audits"
# A fence, its language, what is in it, the same fence
BLOCK = re.compile(r"`([\w.]+)`:\n\n(`{3,})\w+\n(.*?\n)\2\n", re.DOTALL)


@pytest.fixture(scope="module")
def report() -> LineReport:
    return report_of(of_folder(AUDITS / "tier_edited"), "edited")


def blocks(report: LineReport) -> dict[str, bytes]:
    found = BLOCK.findall(to_markdown(report).decode())
    return {name: content.encode() for name, _, content in found}


def test_the_first_lines_say_which_line_has_which_reason(report: LineReport) -> None:
    first, _, second = to_markdown(report).decode().split("\n")[:3]
    assert first == f"### `{report.path}:15` is `edited`"
    assert second == (
        "An agent's line, changed within the rewrite limit. Credited to edit `toolu_0001`, "
        "2026-05-19 10:00 UTC, differs by 14.29%."
    )
    assert "Policy claude-code-v1, engine " in to_markdown(report).decode()


def test_the_blocks_are_the_files(report: LineReport) -> None:
    assert blocks(report) == {"change.diff": report.diff, "evidence.jsonl": report.evidence}


def test_backticks_in_code_end_no_block() -> None:
    lines = ["````", "```python", "one_order = price_of(customer)", "````"]
    case = case_of(3, [new_file("docs/order.md", lines)], [written("docs/order.md", lines)])
    fenced = report_of(case, "run")
    assert blocks(fenced) == {"change.diff": fenced.diff, "evidence.jsonl": fenced.evidence}


def test_the_command_names_what_its_audit_must_be_told(report: LineReport) -> None:
    assert command(report) == (
        "ghapp audit --diff change.diff --merged-at 2026-05-20T15:30:00Z "
        "--evidence evidence.jsonl --lines"
    )
    told = replace(report, roots=("/home/dev/work",), policy=CLAUDE_CODE_V1_MOVED)
    assert "--root /home/dev/work --policy claude-code-v1+moved --lines" in command(told)


def test_a_policy_that_nobody_else_has_is_in_the_report(report: LineReport) -> None:
    own = replace(report, policy=replace(CLAUDE_CODE_V1, id="reported-policy"))
    assert b'"reported-policy"' in blocks(own)["policy.json"]
    assert "--policy policy.json" in command(own)


def test_without_evidence_it_says_so() -> None:
    empty = report_of(case_of(1, [new_file("a.py", ["order = 1"])], []), "no_match")
    assert "`evidence.jsonl` is an empty file" in to_markdown(empty).decode()
    assert set(blocks(empty)) == {"change.diff"}


def test_other_agents_and_another_difference_are_named(report: LineReport) -> None:
    other = replace(report, other_agents=("Codex", "Cursor"), difference_before=0.15)
    told = to_markdown(other).decode()
    assert "Edits of Codex and Cursor are told as Claude Code's." in told
    assert "The original line differs by 15.00%." in told
