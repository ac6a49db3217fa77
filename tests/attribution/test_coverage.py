"""How much of a session's text stands: drafts and removed lines do not weigh against it."""

from collections import Counter, defaultdict
from datetime import timedelta

from ghapp.attribution.codebook import Codebook
from ghapp.attribution.coverage import by_session, session_of, share
from ghapp.attribution.model import Edit, EditHunk, EditLines
from ghapp.attribution.sides import EditSide, EditSides
from tests.attribution.strategies import MERGED

EVEN = defaultdict(lambda: 1.0)
"""Every line weighs the same."""


class Told:
    """Edits of some sessions, one after the other, and the lines of a file."""

    def __init__(self) -> None:
        self.book = Codebook()
        self.sides: list[EditSide] = []

    def edit(
        self, session: str, *own: str, removed: tuple[str, ...] = (), tool: str = "Edit"
    ) -> None:
        """Let a session edit the file next."""
        number = len(self.sides)
        edit = Edit(
            id=f"toolu_{number}",
            agent="claude-code",
            agent_session=session,
            at=MERGED + timedelta(minutes=number),
            path="a.py",
            tool=tool,
            lines=EditLines((EditHunk((), own, ()),), removed),
        )
        self.sides.append(EditSides(self.book).of(edit, "a.py"))

    def stands(self, session: str, *lines: str) -> float:
        """Return the coverage of a session if these are the added lines."""
        standing = Counter(self.book.numbers(lines))
        asked = {("claude-code", session)}
        found = by_session(self.sides[::-1], asked, standing, EVEN)
        assert found.keys() == asked
        return found["claude-code", session]


def test_a_half_of_the_lines_is_half_of_the_session() -> None:
    told = Told()
    told.edit("one", "line one", "line two")
    assert session_of(told.sides[0]) == ("claude-code", "one")
    assert told.stands("one", "line one") == 0.5


def test_a_line_stands_as_often_as_it_is_in_the_file() -> None:
    told = Told()
    told.edit("one", "line one", "line one", "line one", "line two")
    assert told.stands("one", "line one", "line one") == 0.5


def test_what_any_session_removed_does_not_weigh() -> None:
    told = Told()
    told.edit("one", "line one", "the draft")
    told.edit("two", "other line", removed=("the draft",))
    assert told.stands("one", "line one") == 1.0


def test_a_file_written_anew_forgets_the_draft() -> None:
    told = Told()
    told.edit("one", "the draft", "line one")
    told.edit("one", "line two", tool="Write")
    assert told.stands("one", "line two") == 1.0


def test_a_restyled_line_is_not_the_sessions_text() -> None:
    told = Told()
    told.edit("one", "    line one", "line two", removed=("line one",))
    assert told.stands("one", "line one") == 0.0


def test_a_session_without_weight_does_not_stand() -> None:
    assert Told().stands("one", "line one") == 0.0
    assert share(Counter({1: 2}), Counter({1: 2}), {1: 0.0}) == 0.0
    assert share(Counter({1: 0, 2: -1}), Counter(), EVEN) == 0.0
