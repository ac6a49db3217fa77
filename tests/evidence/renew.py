"""Writes the expected files of fixtures/evidence anew: ``python -m tests.evidence.renew``.

Read what it changed before you keep it: the difference is what audits will count.
"""

import json
from pathlib import Path
from typing import Any

from ghapp.attribution.model import Edit, EditLines, PassedOver, UnreadEvidence
from ghapp.evidence.registry import SOURCES
from ghapp.evidence.source import EvidenceSource, Found, everything
from tests.cases import cases
from tests.evidence.carried_cases import carried_cases, named_agents, read_carried


def all_cases() -> list[Path]:
    """Return the case folders of each source."""
    return [case for name in sorted(SOURCES) for case in cases(f"evidence/{name}")]


def inputs(case: Path) -> list[Path]:
    return sorted(path for path in case.iterdir() if path.name != "expected.json")


def read_case(case: Path) -> dict[str, Any]:
    source = SOURCES[case.parent.name]
    return {path.name: [shape(found) for found in read_file(source, path)] for path in inputs(case)}


def read_file(source: EvidenceSource, path: Path) -> list[Found]:
    with path.open("rb") as file:
        return list(source.read(path.name, file, everything))


def read_carried_case(case: Path) -> dict[str, Any]:
    return {"found": [shape(found) for found in read_carried(case)], **named_agents(case)}


def shape(found: Found) -> dict[str, Any]:
    """Return what a person has to see of an edit, a worktree or an unread record."""
    if isinstance(found, UnreadEvidence):
        return {"unread": found.line, "problem": found.problem}
    if isinstance(found, PassedOver):
        return {"passed_over": found.what, "count": found.count}
    if not isinstance(found, Edit):
        return {"worktree": found.path, "original": found.original}
    return {
        "edit": found.id,
        "tool": found.tool,
        "outcome": found.outcome,
        "path": found.path,
        "at": found.at.isoformat(),
        "agent_session": found.agent_session,
        "cwd": found.cwd,
        **({"agent_version": found.agent_version} if found.agent_version else {}),
        **({"model": found.model} if found.model else {}),
        **_lines(found.lines),
    }


def _lines(lines: EditLines[Any]) -> dict[str, Any]:
    hunks = [{"before": h.before, "own": h.own, "after": h.after} for h in lines.hunks]
    return {"hunks": hunks, "removed": lines.removed}


def to_text(expected: dict[str, Any]) -> str:
    return json.dumps(expected, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    renewed = {folder: read_case(folder) for folder in all_cases()}
    renewed |= {folder: read_carried_case(folder) for folder in carried_cases()}
    for folder, expected in renewed.items():
        text = to_text(expected)
        (folder / "expected.json").write_text(text, encoding="utf-8", newline="\n")
