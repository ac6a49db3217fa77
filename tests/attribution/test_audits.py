"""Each folder of fixtures/audits: a diff and transcripts in, a reason for every line out."""

import json
from datetime import datetime
from itertools import groupby
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import FingerprintCodebook
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import (
    AgentCommit,
    Audit,
    AuditSubject,
    Change,
    Edit,
    FileVerdict,
    TextLines,
)
from ghapp.attribution.policy import POLICIES, AgentCommits
from ghapp.attribution.unified_diff import parse_diff
from ghapp.offline import read_evidence
from tests.cases import cases, names


class ObservedEdit(Edit, frozen=True, kw_only=True):
    """An edit in case.json: its lines are text."""

    lines: TextLines


class Case(msgspec.Struct, forbid_unknown_fields=True):
    """case.json: what is audited, and which decision of the rules it shows."""

    why: str
    repository: str
    pull_request: int
    merged_at: datetime
    as_of: datetime
    roots: list[str]
    policy: str = "claude-code-v1"
    unrecorded_outcomes: bool = True
    """Whether the policy counts edits whose outcome no record tells."""
    substitutions: bool = True
    """Whether the policy counts lines that a command rewrote."""
    shell_text: bool = True
    """Whether the policy counts lines that stand in a command."""
    agent_commits: tuple[AgentCommit, ...] | None = None
    """What GitHub and git say of agents' own commits."""
    agent_commits_are: AgentCommits = AgentCommits.APART
    """What the policy makes of them."""
    observed: tuple[ObservedEdit, ...] = ()
    """What commands changed, as the collector's hook saw it."""
    command_changed: bool = True
    """Whether the policy counts that."""
    fingerprints: bool = False
    """Whether the evidence has only fingerprints, so that tokens are compared."""
    agents: dict[str, str] = {}
    """Agent session → its agent, if that is not Claude Code."""


FOLDERS = cases("audits")
FINGERPRINTER = LineFingerprinter(b"the key of no installation")


def audit_of(folder: Path) -> Audit:
    case = msgspec.json.decode((folder / "case.json").read_bytes(), type=Case)
    names = (case.repository,) if case.repository else ()
    evidence = read_evidence([folder / "evidence"], roots=case.roots, repositories=names)
    edits = tuple(_as_held(edit, case) for edit in (*evidence.edits, *case.observed))
    return attribute(
        AuditSubject(
            merged_at=case.merged_at,
            repository=case.repository,
            pull_request=case.pull_request,
        ),
        Change(files=parse_diff((folder / "change.diff").read_bytes())),
        replace(evidence, edits=edits, agent_commits=case.agent_commits),
        replace(
            POLICIES[case.policy],
            unrecorded_outcomes=case.unrecorded_outcomes,
            substitutions=case.substitutions,
            shell_text=case.shell_text,
            agent_commits=case.agent_commits_are,
            command_changed=case.command_changed,
        ),
        at=case.as_of,
        book=FingerprintCodebook(FINGERPRINTER) if case.fingerprints else None,
    )


def _as_held(edit: Edit, case: Case) -> Edit:
    """Return an edit as the case asks: with its agent's name, as text or fingerprints."""
    edit = replace(edit, agent=case.agents.get(edit.agent_session, edit.agent))
    if not case.fingerprints:
        return edit
    return replace(edit, lines=FINGERPRINTER.lines(edit.lines))  # type: ignore[arg-type]  # read as text


def by_range(file: FileVerdict) -> dict[str, str]:
    """Return a file's reasons, with adjacent lines of one reason joined: ``{"3-7": "run"}``."""
    found: dict[str, str] = {}
    numbered = [(line.line, line.reason) for line in file.lines]
    for _, group in groupby(enumerate(numbered), key=lambda at: (at[1][0] - at[0], at[1][1])):
        stretch = [line for _, line in group]
        first, last = stretch[0][0], stretch[-1][0]
        found[str(first) if first == last else f"{first}-{last}"] = str(stretch[0][1])
    return found


@pytest.mark.parametrize("folder", FOLDERS, ids=names(FOLDERS))
def test_every_line_has_the_expected_reason(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    audit = audit_of(folder)
    assert {f.path: by_range(f) for f in audit.files if f.lines or f.excluded} == {
        path: lines
        for path, lines in expected["lines"].items()
        if lines or path in expected.get("excluded", ())
    }
    assert (audit.verdict, audit.state) == (expected["verdict"], expected["state"])
    if "share" in expected:
        assert audit.totals.share == expected["share"]
    if "excluded" in expected:
        assert {f.path: f.excluded for f in audit.files if f.excluded} == expected["excluded"]
    if "by_agent" in expected:
        assert audit.totals.by_agent == expected["by_agent"]
    if "edits" in expected:
        credited = {line.edit for f in audit.files for line in f.lines if line.attributed}
        assert sorted(map(str, credited)) == expected["edits"]
    assert audit.inputs.unread_records == expected.get("unread", 0)
