"""Each folder below fixtures/replay: a history in, the pull requests found in it out."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ghapp.attribution.model import Change
from ghapp.git.history import HistorySpan, LandedChange, LandedHow, landed
from ghapp.git.landed import NotInClone, changes
from ghapp.git.repository import GitRepository
from tests.git.landing import found
from tests.histories import History, Step, as_json


def shown(one: LandedChange, change: Change | NotInClone) -> dict[str, Any]:
    assert isinstance(change, Change), change
    return {
        "number": one.number,
        "how": one.how,
        "merged_at": one.merged_at,
        "added": {file.path: [line.number for line in file.added()] for file in change.files},
        "gitattributes": sorted(change.gitattributes),
    }


def test_history(folder: Path, history: History) -> None:
    git = GitRepository(history.path)
    some = found(git)
    actual = as_json([shown(*pair) for pair in zip(some, changes(git, some), strict=True)])
    expected = folder / "expected.json"
    if os.environ.get("RENEW"):
        expected.write_bytes(actual)
    assert actual == expected.read_bytes()


def test_commits_without_a_number_are_passed_over(tmp_path: Path) -> None:
    history = History(tmp_path / "clone")
    history.do(Step(write={"a.py": "a = 1\n"}, message="First"))
    history.do(Step(write={"a.py": "a = 2\n"}, message="Second (#2)"))
    assert [one.number for one in found(GitRepository(history.path), every_commit=False)] == [2]


def test_span_includes_both_ends(tmp_path: Path) -> None:
    history = History(tmp_path / "clone")
    for day in range(1, 6):
        history.do(Step(at=f"2026-05-0{day}T00:00:00Z", message=f"Day (#{day})"))
    git = GitRepository(history.path)
    since, until = datetime(2026, 5, 2, tzinfo=UTC), datetime(2026, 5, 4, tzinfo=UTC)
    span = HistorySpan(tip=git.commit("main").sha, since=since, until=until)
    assert [one.number for one in landed(git, span)] == [2, 3, 4]


def test_title_of_many_lines_and_foreign_encodings(tmp_path: Path) -> None:
    history = History(tmp_path / "clone")
    history.do(Step(message="A title\nthat goes on (#4)\n\nText (#5)"))
    history.git("commit", "-q", "--allow-empty", "-m", "Gr\u00fc\u00dfe (#6)")
    assert [(one.number, one.how) for one in found(GitRepository(history.path))] == [
        (4, LandedHow.SQUASH),
        (6, LandedHow.SQUASH),
    ]
