"""Which commands count, what they reach, and the edits that they moved."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from ghapp.attribution.linear_pattern import PatternDialect
from ghapp.attribution.model import (
    Change,
    Edit,
    EditHunk,
    EditLines,
    EditResult,
    FileDiff,
    FileStatus,
    LineRewrite,
    ReachedFiles,
    ShellCommand,
)
from ghapp.attribution.paths import KnownCheckouts
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.attribution.shell_commands import (
    MOST_MOVED,
    counting,
    named_files,
    once_each,
    reaches,
    with_moved,
)

AT = datetime(2026, 5, 19, 10, tzinfo=UTC)
TEXT = EditLines((EditHunk((), ("one", "two"), ()),))


def edit(path: str, minutes: int = 0, id_: str = "e") -> Edit:
    at = AT + timedelta(minutes=minutes)
    return Edit(
        id=id_, agent="claude-code", agent_session="s", at=at, path=path, tool="Bash", lines=TEXT
    )


def move(source: str, target: str, minutes: int) -> ShellCommand:
    return ShellCommand(edit=edit(target, minutes, "m"), source=source)


def paths(edits: list[Edit], *moves: ShellCommand) -> list[str]:
    return [one.path for one in with_moved(edits, moves)[len(edits) :]]


def test_a_move_takes_along_what_was_written_before_it() -> None:
    before, after = edit("/r/a.py", 1), edit("/r/a.py", 3)
    assert paths([before, after], move("/r/a.py", "/r/b.py", 2)) == ["/r/b.py"]
    assert paths([before], move("/r", "/s", 2)) == ["/s/a.py"]
    assert paths([before], move("/r/a", "/r/b", 2)) == []
    assert paths([before]) == []


def test_moves_follow_each_other_by_time_and_end_in_a_circle() -> None:
    there, back = move("/r/a.py", "/r/b.py", 2), move("/r/b.py", "/r/a.py", 3)
    again = move("/r/b.py", "/r/c.py", 4)
    assert paths([edit("/r/a.py")], again, back, there) == ["/r/b.py", "/r/c.py"]


def test_what_is_moved_is_bounded() -> None:
    edits = [edit(f"/r/{n}.py", id_=str(n)) for n in range(200)]
    moves = [move("/r", f"/{n}", n + 1) for n in range(MOST_MOVED // 100)]
    assert len(with_moved(edits, moves)) == len(edits) + MOST_MOVED


def test_a_policy_switches_each_kind_off() -> None:
    rewrite = LineRewrite("a", PatternDialect.PERL, ("b",))
    commands = [
        ShellCommand(edit("/r/a.py", id_="text"), reach=(ReachedFiles(path="/r/a.py"),)),
        ShellCommand(edit("/r/a.py", id_="sed"), rewrites=(rewrite,)),
        move("/r/a.py", "/r/b.py", 1),
        ShellCommand(replace(edit("/r/a.py", id_="failed"), outcome=EditResult.FAILED)),
    ]
    ids = [one.edit.id for one in counting(commands, CLAUDE_CODE_V1)]
    assert ids == ["text", "sed", "m"]
    off = replace(CLAUDE_CODE_V1, shell_text=False)
    assert [one.edit.id for one in counting(commands, off)] == ["sed"]
    off = replace(CLAUDE_CODE_V1, substitutions=False)
    assert [one.edit.id for one in counting(commands, off)] == ["text", "m"]


def test_a_copied_record_tells_of_one_command() -> None:
    one = ShellCommand(edit("/r/a.py"), reach=(ReachedFiles(path="/r/a.py"),))
    forked = replace(one, edit=replace(one.edit, agent_session="t"))
    assert once_each([forked, one]) == once_each([one, forked]) == [one]


def test_only_a_named_file_is_reached_by_name_and_names_hold_no_lines() -> None:
    change = Change(files=(FileDiff(path="src/a.py", status=FileStatus.MODIFIED, hunks=()),))
    checkouts = KnownCheckouts((), change, known=["/r"])
    for reached, by_name in (
        (ReachedFiles(path="/r/src/a.py"), True),
        (ReachedFiles(path="/r", is_folder=True), False),
    ):
        one = ShellCommand(edit("/r/src/a.py"), reach=(reached,))
        assert reaches(one, change.files[0], checkouts)
        assert reaches(one, change.files[0], checkouts, by_name=True) == by_name
        assert [named.lines.hunks for named in named_files([one])] == [()]
