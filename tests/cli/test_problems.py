"""Problems on standard error: the first ones in words, the others counted, none harmful."""

import pytest

from ghapp.attribution.model import UnreadEvidence
from ghapp.cli.problems import LONGEST, SHOWN, list_problems, name_problems


def test_the_first_are_named_and_the_others_counted(capsys: pytest.CaptureFixture[str]) -> None:
    list_problems([f"problem {number}" for number in range(SHOWN + 3)])
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        *(f"problem {number}" for number in range(SHOWN)),
        "and 3 more",
    ]


@pytest.mark.parametrize("count", [0, SHOWN])
def test_where_all_are_named_none_are_counted(
    capsys: pytest.CaptureFixture[str], count: int
) -> None:
    list_problems(["x"] * count)
    assert capsys.readouterr().err == "x\n" * count


def test_a_count_may_be_of_more_than_was_kept(capsys: pytest.CaptureFixture[str]) -> None:
    list_problems(["x"] * SHOWN, count=1_000)
    assert capsys.readouterr().err.endswith("and 990 more\n")


def test_a_place_is_a_file_and_perhaps_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    found = (
        UnreadEvidence(source="a.jsonl", line=3, problem="it is cut off"),
        UnreadEvidence(source="b.jsonl", line=None, problem="no such file"),
    )
    name_problems(found)
    assert capsys.readouterr().err == "a.jsonl:3: it is cut off\nb.jsonl: no such file\n"


def test_a_file_name_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    list_problems(["\x1b[2Ja\nb", "x" * (LONGEST + 9)])
    harmless, long = capsys.readouterr().err.splitlines()
    assert "\x1b" not in harmless
    assert len(long) <= LONGEST
