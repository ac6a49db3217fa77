"""A report as files: a case folder, and a policy that ``--policy`` reads."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from ghapp.attribution.policy import CLAUDE_CODE_V1, POLICIES, Policy
from ghapp.documents.line_report import LineReport, to_case_folder, to_policy_file
from ghapp.policy.named import read as read_policy
from tests.attribution.test_audits import audit_of, by_range
from tests.auditing.line_cases import of_folder, report_of
from tests.cases import FIXTURES

AUDITS = FIXTURES / "audits"


def write(report: LineReport, folder: Path) -> Path:
    for name, content in to_case_folder(report).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tier_edited", "edited"),
        ("refused_edit", "not_applied"),
        ("moved_block_other_file_counted", "run"),
        ("matching_file_known_by_its_content", "run"),
    ],
)
def test_a_case_folder_is_one_that_the_tests_read(name: str, reason: str, tmp_path: Path) -> None:
    report = report_of(of_folder(AUDITS / name), reason)
    folder = write(report, tmp_path)
    expected = json.loads((folder / "expected.json").read_text())
    audit = audit_of(folder)
    assert {file.path: by_range(file) for file in audit.files} == expected["lines"]
    assert (audit.verdict, audit.state) == (expected["verdict"], expected["state"])
    (told,) = [
        line
        for file in audit.files
        for line in file.lines
        if (file.path, line.line) == (report.path, report.verdict.line)
    ]
    assert told == report.verdict


def test_a_case_folder_has_the_members_of_its_neighbors(tmp_path: Path) -> None:
    folder = write(report_of(of_folder(AUDITS / "tier_run"), "run"), tmp_path)
    for name in ("case.json", "expected.json"):
        ours, theirs = (json.loads((at / name).read_text()) for at in (folder, AUDITS / "tier_run"))
        assert list(ours) == list(theirs)


@pytest.mark.parametrize(
    "policy", [*POLICIES.values(), replace(CLAUDE_CODE_V1, id="own", exclude=("a/**",))]
)
def test_a_policy_file_is_read_back(policy: Policy, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_bytes(to_policy_file(policy))
    assert read_policy(path) == policy
