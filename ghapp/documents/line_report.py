"""The report of one line's reason, and the same as a case folder. It opens no file.

All its code, names, ids and times are made up (`ghapp.documents.anonymize`).
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec

from ghapp.attribution.model import Audit, FileVerdict, LineVerdict, Struct
from ghapp.attribution.policy import CLAUDE_CODE_V1, POLICIES, Policy

DIFF = "change.diff"
EVIDENCE = "evidence.jsonl"
POLICY = "policy.json"

LATER = timedelta(days=30)
"""After the merge, when the window of every built-in policy is over."""


class LineReport(Struct, frozen=True):
    """A change and its evidence, reduced to what one line's reason rests on."""

    diff: bytes
    evidence: bytes
    """The lines of a transcript."""
    path: str
    verdict: LineVerdict
    """As an audit of this diff and evidence gives it."""
    difference_before: float | None
    """Of the original line; ``None``: no line was compared."""
    audit: Audit
    policy: Policy
    roots: tuple[str, ...]
    """Checkouts that an audit must be told; empty: it infers them."""
    other_agents: tuple[str, ...]
    """Agents other than Claude Code whose edits the transcript tells as its own."""

    @property
    def is_built_in(self) -> bool:
        """Whether everybody has the policy."""
        return self.policy == POLICIES.get(self.policy.id)

    @property
    def merged_at(self) -> str:
        """When the change was merged: a made-up time, as all others here."""
        return _time(self.audit.merged_at)


def to_policy_file(policy: Policy) -> bytes:
    """Return a policy as a file that ``--policy`` reads."""
    return msgspec.json.format(msgspec.json.encode(policy), indent=1) + b"\n"


def to_case_folder(report: LineReport) -> dict[str, bytes]:
    """Return the files of a case folder as fixtures/audits has them, by their paths.

    ``expected.json`` holds what the engine says now; whoever takes the case corrects it.
    """
    line = report.verdict
    case: dict[str, Any] = {
        "why": f"reported: {report.path}:{line.line} is {line.reason}",
        "repository": "acme/shop",
        "pull_request": 17,
        "merged_at": report.merged_at,
        "as_of": _time(report.audit.merged_at + LATER),
        "roots": list(report.roots),
    }
    if report.policy != CLAUDE_CODE_V1:
        case["policy"] = report.policy.id
    files = {file.path: dict(_ranges(file)) for file in report.audit.files}
    expected = {"verdict": report.audit.verdict, "state": report.audit.state, "lines": files}
    return {
        DIFF: report.diff,
        f"evidence/{EVIDENCE}": report.evidence,
        "case.json": _json(case),
        "expected.json": _json(expected),
    }


def _ranges(file: FileVerdict) -> Iterator[tuple[str, str]]:
    """Yield each stretch of adjacent lines with one reason: ``("3-7", "run")``."""
    numbered = enumerate(file.lines)
    for (_, reason), group in groupby(numbered, lambda at: (at[1].line - at[0], at[1].reason)):
        lines = [verdict.line for _, verdict in group]
        first, last = lines[0], lines[-1]
        yield str(first) if first == last else f"{first}-{last}", reason


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"
