"""Which lines of a clone were merged and stand: on the default branch, and what is unknown."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ghapp.attribution.model import Edit
from ghapp.git.repository import GitError, GitRepository
from ghapp.mine import standing
from ghapp.mine.standing import ClonesLines, MadeBy, default_branch, lines_in
from tests.clones import Clone
from tests.mine.day import OwnDay

NOW = datetime(2026, 5, 25, tzinfo=UTC)
BY = MadeBy("claude-code", "claude-opus-4-5")


@pytest.fixture
def day(tmp_path: Path) -> OwnDay:
    return OwnDay(tmp_path)


def lines(day: OwnDay, *, wanted: bool = True) -> ClonesLines:
    def is_wanted(_: Edit) -> bool:
        return wanted

    since = datetime(2026, 5, 20, tzinfo=UTC)
    return lines_in(day.shop.path, [day.transcript], is_wanted, since, NOW)


def test_lines_are_counted_by_who_wrote_them_and_only_of_wanted_edits(day: OwnDay) -> None:
    assert lines(day) == ClonesLines(branch="main", merged={BY: 4}, standing={BY: 4})
    none = lines(day, wanted=False)
    assert (none.merged, none.standing) == ({}, {})


def test_a_merge_counts_its_branch_and_only_what_is_merged_counts(day: OwnDay) -> None:
    first = day.shop.git("rev-parse", "HEAD~1")
    day.shop.git("checkout", "-q", "-b", "work")
    day.shop.git("branch", "-q", "-f", "main", first)
    assert lines(day).merged == {}
    day.shop.git("checkout", "-q", "main")
    day.shop.git("merge", "-q", "--no-ff", "-m", "Merge pull request #1 from acme/work", "work")
    assert lines(day) == ClonesLines(branch="main", merged={BY: 4}, standing={BY: 4})


def test_the_default_branch_is_origins_as_fetched(day: OwnDay, tmp_path: Path) -> None:
    first = day.shop.git("rev-parse", "HEAD~1")
    day.shop.git("update-ref", "refs/remotes/origin/main", first)
    assert default_branch(GitRepository(day.shop.path)) == ("origin/main", first)
    assert (lines(day).branch, lines(day).merged) == ("origin/main", {})
    empty = Clone(tmp_path / "empty")
    with pytest.raises(GitError, match="has no commit"):
        default_branch(GitRepository(empty.path))


def test_what_is_too_much_is_left_out_and_said(
    day: OwnDay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "MOST_FILES", 0)
    many = lines(day)
    assert (many.merged, many.standing, many.unknown) == ({BY: 4}, None, "too many files to follow")
    monkeypatch.setattr(standing, "MOST_CHANGES", 1)
    day.shop.commit({"README.md": "# another\n"}, "Newer (#2)")
    cut = lines(day)
    assert cut.merged == {}
    assert "only the last 1 changes" in str(cut.unknown)


def test_a_clone_that_cannot_be_read_is_unknown(day: OwnDay) -> None:
    (day.shop.path / ".git" / "HEAD").write_text("nothing\n")
    broken = lines(day)
    assert (broken.merged, broken.standing) == (None, None)
    assert broken.unknown
