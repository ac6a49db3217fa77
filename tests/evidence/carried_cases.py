"""Cases of carried evidence: a commit, what it adds, and what is attached to it."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from ghapp.attribution.unified_diff import parse_diff
from ghapp.evidence import declarations
from ghapp.evidence.carried import CarriedCommit, CommitAttachment
from ghapp.evidence.carried_registry import CARRIED
from ghapp.evidence.source import Found
from tests.cases import cases


def carried_cases() -> list[Path]:
    """Return the case folders of each carried source."""
    return [case for name in sorted(CARRIED) for case in cases(f"evidence/{name}")]


def commit_of(case: Path) -> CarriedCommit:
    commit = msgspec.json.decode((case / "commit.json").read_bytes(), type=CarriedCommit)
    diff = case / "change.diff"
    return replace(commit, files=parse_diff(diff.read_bytes())) if diff.exists() else commit


def attached_to(case: Path) -> list[CommitAttachment]:
    top = case / "attached"
    paths = sorted(path for path in top.rglob("*") if path.is_file())
    return [
        CommitAttachment(
            name=path.relative_to(top).as_posix(),
            lines=tuple(path.read_bytes().splitlines(keepends=True)),
        )
        for path in paths
    ]


def read_carried(case: Path) -> list[Found]:
    return list(CARRIED[case.parent.name].read(commit_of(case), attached_to(case)))


def named_agents(case: Path) -> dict[str, Any]:
    """Return what the commit declares, for the source that looks at it."""
    if case.parent.name != declarations.NAME:
        return {}
    return {"declared": msgspec.to_builtins(declarations.declared([commit_of(case)]))}
