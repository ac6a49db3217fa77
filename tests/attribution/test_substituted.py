"""A line counts that a command made of a removed line of its hunk, and no other one does."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from msgspec.structs import replace

from ghapp.attribution import substituted
from ghapp.attribution.attribute import attribute
from ghapp.attribution.linear_pattern import PatternDialect, StepBudget
from ghapp.attribution.model import (
    Audit,
    Change,
    Edit,
    EditLines,
    Evidence,
    FileDiff,
    LineRewrite,
    ReachedFiles,
    ShellCommand,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1, Policy
from tests.attribution.strategies import LATER, MERGED, SUBJECT, Case, cases, diff_of, stories
from tests.searching import searched

ROOT = "/home/dev/app"
OFF = Policy(id="acme-v1", substitutions=False)


def rewrite(pattern: str, *parts: str | int, **fields: object) -> LineRewrite:
    made = LineRewrite(expression=pattern, dialect=PatternDialect.EXTENDED, parts=parts)
    return replace(made, **fields)


def command(
    *rewrites: LineRewrite, id_: str = "toolu_1", path: str = "src/a.py", minutes: int = -60
) -> ShellCommand:
    edit = Edit(
        id=id_,
        agent="claude-code",
        agent_session="one",
        at=MERGED + timedelta(minutes=minutes),
        path=f"{ROOT}/{path}",
        tool="Bash",
        lines=EditLines(()),
        model="opus",
    )
    return ShellCommand(edit=edit, rewrites=rewrites, reach=(ReachedFiles(path=edit.path),))


def audit_of(file: FileDiff, *commands: ShellCommand, policy: Policy = CLAUDE_CODE_V1) -> Audit:
    evidence = Evidence(commands=commands, roots=(ROOT,))
    return attribute(SUBJECT, Change(files=(file,)), evidence, policy, at=LATER)


def reasons(audit: Audit) -> list[str]:
    return [str(line.reason) for line in audit.files[0].lines]


OLD = ["import old_money", "total = old_money.sum(rows)", "return total"]
NEW = ["import new_money", "total = new_money.sum(rows)", "return total"]
FILE = diff_of("src/a.py", OLD, NEW)
RENAME = rewrite("old_money", "new_money")


def test_a_removed_line_that_becomes_an_added_one_gives_it_the_reason() -> None:
    audit = audit_of(FILE, command(RENAME))
    assert reasons(audit) == ["substituted", "substituted"]
    assert audit.totals.by_model == {"claude-code": {"opus": 2}}
    assert audit.inputs.edits_considered == 1


@pytest.mark.parametrize(
    "other",
    [
        command(rewrite("old_money", "money")),
        command(RENAME, path="src/b.py"),
        command(RENAME, minutes=-60 * 24 * 22),
        replace(command(RENAME), reach=(ReachedFiles(path=f"{ROOT}/src"),)),
        replace(command(RENAME), reach=(ReachedFiles(path="/home/x/src", is_folder=True),)),
    ],
    ids=["another text", "another file", "too early", "a folder as a file", "another place"],
)
def test_no_other_command_gives_it(other: ShellCommand) -> None:
    assert set(reasons(audit_of(FILE, other))) == {"no_match"}


def test_the_same_digest_never_stands_for_other_commands() -> None:
    one, other = audit_of(FILE, command(RENAME)), audit_of(FILE)
    assert one.inputs.evidence != other.inputs.evidence


def test_each_removed_line_gives_one_added_line() -> None:
    file = diff_of("src/a.py", OLD[:1], [NEW[0], NEW[0]])
    assert Counter(reasons(audit_of(file, command(RENAME)))) == {"substituted": 1, "no_match": 1}


def test_white_space_quotes_and_case_alone_are_restyling() -> None:
    file = diff_of("src/a.py", ["say('Hello')  "], ['say("hello")'])
    made = command(rewrite("'", '"', everywhere=True), rewrite("H", "h"), rewrite(" +$"))
    assert reasons(audit_of(file, made)) == ["no_match"]


def test_commands_of_one_session_work_on_what_the_last_one_left() -> None:
    file = diff_of("src/a.py", ["total = old_sum(rows)"], ["whole = new_sum(rows)"])
    first = command(rewrite("total", "whole"), id_="toolu_1", minutes=-60)
    second = command(rewrite("old", "new"), id_="toolu_2", minutes=-50)
    audit = audit_of(file, second, first)
    assert [line.edit for line in audit.files[0].lines] == ["toolu_2"]


def test_a_copied_record_is_one_command() -> None:
    one = command(RENAME)
    copy = replace(one, edit=replace(one.edit, agent_session="copied"))
    assert audit_of(FILE, one, copy).inputs.edits_considered == 1


@pytest.mark.parametrize(
    ("line", "rewrites", "expected"),
    [
        ("a.b.c", [rewrite(r"\.", "/", everywhere=True)], "a/b/c"),
        ("a.b.c", [rewrite(r"\.", "/")], "a/b.c"),
        ("get_id(x)", [rewrite(r"(\w+)_(\w+)", 2, "_", 1)], "id_get(x)"),
        ("aab", [rewrite("a*", "x", everywhere=True)], "xbx"),
        ("import a", [rewrite("a", "b", only="^from")], "import a"),
        ("from a", [rewrite("a$", "b", only="^from")], "from b"),
        ("ab", [rewrite("a", 1)], None),
        ("foobar", [rewrite("foo|foobar", "x")], None),
    ],
)
def test_a_line_is_rewritten_as_sed_does_it(
    line: str, rewrites: list[LineRewrite], expected: str | None
) -> None:
    assert substituted.rewritten(line, rewrites, StepBudget(10_000)) == expected


def test_hostile_patterns_end_with_their_budget() -> None:
    old = [f"{'a' * 900} {number}" for number in range(400)]
    file = diff_of("src/a.py", old, [f"{line}!" for line in old])
    bad = command(rewrite("(a*)*(b|c)", "x"))
    assert set(reasons(audit_of(file, *[bad] * 3, command(rewrite("(a|a)*d", "x"))))) == {
        "no_match"
    }


@searched(100)
@given(cases())
def test_substitutions_only_give_lines_that_nothing_else_explains(case: Case) -> None:
    """Without them each line has the reason that it had; with them some lines have this one."""
    evidence = replace(case.evidence, agent_commits=None)
    audits = [
        attribute(SUBJECT, case.change, evidence, policy, at=LATER)
        for policy in (CLAUDE_CODE_V1, OFF)
    ]
    for with_, without in zip(audits[0].files, audits[1].files, strict=True):
        for one, other in zip(with_.lines, without.lines, strict=True):
            assert one.reason == other.reason or (
                one.reason == "substituted" and not other.attributed
            )


def test_stories_hold_substitutions_that_count_and_some_that_do_not() -> None:
    found = Counter[bool]()
    for case in stories(seed=1, count=300):
        audit = attribute(SUBJECT, case.change, case.evidence, CLAUDE_CODE_V1, at=LATER)
        made = audit.totals.by_reason.get("substituted", 0)
        if any(one.rewrites for one in case.evidence.commands):
            found[made > 0] += 1
    assert min(found[True], found[False]) > 2
