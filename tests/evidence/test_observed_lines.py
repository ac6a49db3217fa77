"""Lines that a command surely added: none that it moved, wrapped or restyled."""

import pytest

from ghapp.evidence.observed_lines import lines_of, observed_lines

OLD = "first = load(one, two)\nsecond = first.rows()\nlast = second\n"


@pytest.mark.parametrize(
    ("after", "elsewhere", "own"),
    [
        (OLD, "", ()),
        (OLD + "third = made()\n", "", ("third = made()",)),
        (OLD + "third = made()\n", "third  =  MADE()\n", ()),
        (OLD.replace("(one, two)", "(\n    one,\n    two,\n)"), "", ()),
        (OLD.replace("second =", "    second ="), "", ()),
        ("last = second\n" + OLD.replace("last = second\n", ""), "", ()),
        (OLD.replace("second", "shared"), "", ("shared = first.rows()", "last = shared")),
    ],
)
def test_only_what_is_new_is_own(after: str, elsewhere: str, own: tuple[str, ...]) -> None:
    found = observed_lines(OLD, after, lines_of([OLD, elsewhere]))
    assert tuple(line for hunk in found.hunks for line in hunk.own) == own
