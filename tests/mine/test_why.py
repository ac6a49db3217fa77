"""Why a line is there: an agent wrote it, none did, or it is unknown, and what was read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ghapp.git.repository import GitError, GitRepository
from ghapp.mine.why import LineOrigin, WhyAnswer, why
from ghapp.policy.named import find
from tests.clones import Clone
from tests.mine.day import CODE, PROMPT, OwnDay, transcript

NOW = datetime(2026, 5, 20, 16, tzinfo=UTC)
OTHER = "\n\ndef by_hand():\n    return 'no agent has anything to do with this line'\n"


@pytest.fixture
def day(tmp_path: Path) -> OwnDay:
    return OwnDay(tmp_path)


def origin(day: OwnDay, line: int, path: str = "src/totals.py") -> LineOrigin:
    git = GitRepository(day.shop.path)
    found, problems = why(git, (path, line), [day.records], find("claude-code-v1"), NOW)
    assert problems == ()
    return found


def test_a_committed_line_names_its_edit_and_the_request(day: OwnDay) -> None:
    found = origin(day, 2)
    assert (found.answer, found.reason, found.commit) == (
        WhyAnswer.AGENT,
        "run",
        day.shop.git("rev-parse", "HEAD"),
    )
    assert found.edit is not None
    assert (found.edit.agent, found.edit.model) == ("claude-code", "claude-opus-4-5")
    assert found.request is not None
    assert found.request.text == PROMPT
    assert found.transcript == str(day.transcript)
    assert (found.read.edits, found.read.unread) == (1, 0)


def test_the_line_is_followed_to_its_commit_under_another_name_and_number(day: OwnDay) -> None:
    day.shop.git("mv", "src/totals.py", "src/sums with ö.py")
    moved = day.shop.path / "src" / "sums with ö.py"
    day.shop.commit({"src/sums with ö.py": "import math\n" + moved.read_text()}, "Rename")
    found = origin(day, 3, "src/sums with ö.py")
    assert (found.answer, found.text.strip()[:10]) == (WhyAnswer.AGENT, "return sum")


def test_other_lines_are_nobodys_or_unknown(day: OwnDay) -> None:
    day.shop.commit({"src/totals.py": CODE + OTHER}, "By hand")
    assert origin(day, 9).answer is WhyAnswer.NO_AGENT
    blank = origin(day, 3)
    assert (blank.answer, blank.reason) == (WhyAnswer.UNKNOWN, "trivial_line")
    readme = origin(day, 1, "README.md")
    assert (readme.answer, readme.edit, readme.request) == (WhyAnswer.NO_AGENT, None, None)


def test_lines_that_are_not_committed_are_asked_for_too(day: OwnDay) -> None:
    day.file.write_text(CODE + OTHER)
    assert origin(day, 2).commit is not None
    mine = origin(day, 9)
    assert (mine.commit, mine.answer) == (None, WhyAnswer.NO_AGENT)
    new = day.shop.path / "new.py"
    text = "def tax(amount, rate):\n    return amount * rate / 100 + amount\n"
    transcript(day.records / "-other", new, text)
    new.write_text(text)
    found = origin(day, 2, "new.py")
    assert (found.commit, found.answer) == (None, WhyAnswer.AGENT)
    day.shop.git("add", "new.py")
    assert origin(day, 2, "new.py").answer is WhyAnswer.AGENT


def test_evidence_outside_the_window_still_tells_who_wrote_the_line(day: OwnDay) -> None:
    old = day.transcript.read_text().replace("2026-05-20", "2026-03-20")
    day.transcript.write_text(old)
    found = origin(day, 2)
    assert (found.answer, found.reason) == (WhyAnswer.AGENT, "outside_window")
    assert found.request is not None


def test_a_shallow_clone_does_not_guess(day: OwnDay, tmp_path: Path) -> None:
    day.shop.git("clone", "-q", "--depth", "1", f"file://{day.shop.path}", str(tmp_path / "cut"))
    git = GitRepository(tmp_path / "cut")
    place = ("src/totals.py", 2)
    found, _ = why(git, place, [day.records], find("claude-code-v1"), NOW)
    assert found.answer is WhyAnswer.UNKNOWN
    assert "--unshallow" in found.because


def test_a_record_that_cannot_be_read_leaves_it_open(day: OwnDay) -> None:
    day.shop.commit({"src/totals.py": CODE + OTHER}, "By hand")
    day.transcript.write_text(day.transcript.read_text() + '{"type":"user", torn\n')
    git = GitRepository(day.shop.path)
    place = ("src/totals.py", 9)
    found, problems = why(git, place, [day.records], find("claude-code-v1"), NOW)
    assert (found.answer, len(problems), found.read.unread) == (WhyAnswer.UNKNOWN, 1, 1)


def test_a_line_that_is_not_there_is_an_error(day: OwnDay, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="has only 5 lines"):
        origin(day, 99)
    (day.shop.path / "new.py").write_text("one\n")
    with pytest.raises(GitError, match="has only 1 lines"):
        origin(day, 2, "new.py")
    empty = Clone(tmp_path / "empty")
    (empty.path / "a.py").write_text("a = b + c\n")
    git = GitRepository(empty.path)
    found, _ = why(git, ("a.py", 1), [day.records], find("claude-code-v1"), NOW)
    assert (found.commit, found.answer) == (None, WhyAnswer.UNKNOWN)
