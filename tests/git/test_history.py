"""Each folder below fixtures/replay: a history in, the pull requests found in it out."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ghapp.attribution.model import Change
from ghapp.git.history import HistorySpan, LandedChange, LandedHow, LeftOut, changes_of, landed
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
    assert [one.number for one in changes_of(landed(git, span))] == [2, 3, 4]


def test_title_of_many_lines_and_foreign_encodings(tmp_path: Path) -> None:
    history = History(tmp_path / "clone")
    history.do(Step(message="A title\nthat goes on (#4)\n\nText (#5)"))
    history.git("commit", "-q", "--allow-empty", "-m", "Gr\u00fc\u00dfe (#6)")
    assert [(one.number, one.how) for one in found(GitRepository(history.path))] == [
        (4, LandedHow.SQUASH),
        (6, LandedHow.SQUASH),
    ]


def commit_of(history: History, message: str, committer: str) -> None:
    """Put a commit with that committer's time on main, as only an old tool writes it."""
    tree, parent = history.git("write-tree"), history.git("rev-parse", "HEAD")
    who = "Dev <dev@example.org>"
    head = f"tree {tree}\nparent {parent}\nauthor {who} 1 +0000\n"
    raw = f"{head}committer {who} {committer}\n\n{message}\n"
    path = history.path.parent / "raw"
    path.write_text(raw)
    made = history.git("hash-object", "--literally", "-t", "commit", "-w", str(path))
    history.git("update-ref", "refs/heads/main", made)
    history.git("reset", "-q", "--hard")


def all_of(history: History) -> list[LandedChange | LeftOut]:
    git = GitRepository(history.path)
    return list(landed(git, HistorySpan(tip=git.commit("main").sha)))


@pytest.mark.parametrize("when", ["18446744073709548016 +0100", "999999999999999 +0000", "oops"])
def test_a_date_beyond_all_time_stops_no_other_commit(tmp_path: Path, when: str) -> None:
    history = History(tmp_path / "clone")
    history.do(Step(write={"a.py": "a = 1\n"}, message="First (#1)"))
    commit_of(history, "Second (#2)", when)
    bad = history.git("rev-parse", "HEAD")
    history.do(Step(write={"a.py": "a = 3\n"}, message="Third (#3)"))
    found = all_of(history)
    assert {one.number for one in found} == {1, 2, 3}
    lost = [one for one in found if isinstance(one, LeftOut)]
    if lost:  # git itself reads some of these dates as the epoch
        assert [(one.number, one.commit, one.is_lost) for one in lost] == [(2, bad, True)]


def test_a_number_that_no_merge_brought_is_named(tmp_path: Path) -> None:
    history = History(tmp_path / "clone")
    history.do(Step(write={"a.py": "a = 1\n"}, message="First"))
    history.do(Step(on="work", start="main", write={"b.py": "b = 1\n"}, message="Pick (#7)"))
    history.do(Step(merge=("work",), message="Merge pull request #8 from acme/work"))
    found = all_of(history)
    assert [(type(one), one.number) for one in found] == [(LandedChange, 8), (LeftOut, 7)]
    assert not any(one.is_lost for one in found if isinstance(one, LeftOut))
