"""Writes the expected files of fixtures/evidence anew: ``python -m tests.evidence.renew``.

Read what it changed before you keep it: the difference is what audits will count.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ghapp.attribution.model import (
    Edit,
    EditDecider,
    EditLines,
    PassedOver,
    ShellCommand,
    UnreadEvidence,
)
from ghapp.evidence.registry import SOURCES
from ghapp.evidence.source import EvidenceSource, Found, NamedCheckout, everything
from ghapp.ingest import opencode_rows
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
    return list(source.read(*artifact(path), everything))


def artifact(path: Path) -> tuple[str, list[bytes]]:
    """Return an artifact's name and its records; a database is kept as the SQL that makes it."""
    if path.suffix != ".sql":
        return path.name, path.read_bytes().splitlines(keepends=True)
    with TemporaryDirectory() as folder:
        made = Path(folder) / f"{path.stem}.db"
        with closing(sqlite3.connect(made)) as database:
            database.executescript(path.read_text(encoding="utf-8"))
        return made.name, list(opencode_rows.rows(made))


def read_carried_case(case: Path) -> dict[str, Any]:
    return {"found": [shape(found) for found in read_carried(case)], **named_agents(case)}


def shape(found: Found) -> dict[str, Any]:
    """Return what a person has to see of something that was found."""
    if isinstance(found, UnreadEvidence):
        return {"unread": found.line, "problem": found.problem}
    if isinstance(found, PassedOver):
        return {"passed_over": found.what, "count": found.count}
    if isinstance(found, NamedCheckout):
        return {"checkout": found.folder, "remote": found.remote, "is_root": found.is_root}
    if isinstance(found, EditDecider):
        return {"decided_by": found.by, "edit": found.edit}
    if isinstance(found, Edit | ShellCommand):
        return _command(found) if isinstance(found, ShellCommand) else _edit(found)
    return {"worktree": found.path, "original": found.original}


def _edit(found: Edit) -> dict[str, Any]:
    return {
        "edit": found.id,
        "tool": found.tool,
        "outcome": found.outcome,
        "path": found.path,
        "at": found.at.isoformat(),
        "agent_session": found.agent_session,
        "cwd": found.cwd,
        **_made_by(found),
        **_lines(found.lines),
    }


def _command(found: ShellCommand) -> dict[str, Any]:
    """Return what a command did by its text."""
    at = {"command": found.edit.id, "at": found.edit.at.isoformat()}
    if found.source is not None:
        return {**at, "moved": found.source, "to": found.edit.path}
    reach = [f"{one.path}/" if one.is_folder else one.path for one in found.reach]
    rewrites = [one.expression for one in found.rewrites]
    return {**at, "reach": reach, "rewrites": rewrites, **_lines(found.edit.lines)}


def _made_by(edit: Edit) -> dict[str, Any]:
    """Return what is recorded of the agent's version and its model."""
    told = {"agent_version": edit.agent_version, "model": edit.model}
    return {name: value for name, value in told.items() if value is not None}


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
