"""Claims to lines by number: what the commit added of them, and nothing else."""

from ghapp.attribution.model import Edit
from ghapp.evidence.carried import LineClaim, LineRange, claimed
from ghapp.evidence.carried_registry import CARRIED
from tests.cases import FIXTURES
from tests.evidence.commits import AT, SHA, commit


def claim(*ranges: tuple[int, int], path: str = "a.py") -> Edit | None:
    lines = tuple(LineRange(*one) for one in ranges)
    return claimed(commit(), LineClaim("agent_trace", "codex", "s1", path, lines))


def own(edit: Edit | None) -> list[str]:
    assert edit is not None
    return [str(text) for hunk in edit.lines.hunks for text in hunk.own]


def test_claimed_lines_are_an_edit_at_the_time_of_the_commit() -> None:
    edit = claim((1, 1))
    assert edit is not None
    assert (edit.at, edit.tool, edit.id) == (AT, "agent_trace", f"agent_trace:{SHA}:s1:a.py")
    assert own(edit) == ["line 0"]


def test_a_line_that_was_there_is_context_and_not_own() -> None:
    edit = claim((2, 3))
    assert own(edit) == ["line 2"]
    assert claim((2, 2)) is None


def test_a_range_may_claim_more_than_there_is() -> None:
    assert own(claim((-5, 2**31))) == ["line 0", "line 2", "line 4"]
    assert claim((5, 99)) is None
    assert claim((3, 1)) is None


def test_a_file_that_the_commit_does_not_change_has_no_lines() -> None:
    assert claim((1, 9), path="b.py") is None


def test_a_source_is_called_like_its_cases() -> None:
    assert all((FIXTURES / "evidence" / name).is_dir() for name in CARRIED)
    assert all(name == source.NAME for name, source in CARRIED.items())
