"""Laws that hold for every audit: order, sums, limits, edges, silence."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import Codebook, FingerprintCodebook
from ghapp.attribution.document import from_document, to_document
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import (
    ATTRIBUTED,
    Audit,
    Change,
    Edit,
    EditHunk,
    EditLines,
    Evidence,
    FileDiff,
    FileVerdict,
    HunkLine,
    Verdict,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED, Policy
from ghapp.attribution.sides import EditSides
from tests.attribution import oracle
from tests.attribution.strategies import (
    LATER,
    MERGED,
    ROOT,
    SUBJECT,
    Case,
    cases,
    changed,
    diff_of,
    replaced,
    stories,
)
from tests.searching import FACTOR, searched

UNCOUNTED = {"trivial_line", "long_line"}
SEEDS = st.integers(0, 2**32)


def audit_of(
    change: Change, evidence: Evidence, policy: Policy = CLAUDE_CODE_V1, at: datetime = LATER
) -> Audit:
    return attribute(SUBJECT, change, evidence, policy, at=at)


def by_path(audit: Audit) -> dict[str, FileVerdict]:
    return {file.path: file for file in audit.files}


def moved_to(case: Case, folder: str, suffix: str) -> Case:
    """Return a case with all files, and their edits, at another path."""

    def name(path: str) -> str:
        return f"{folder}{path}{suffix}"

    files = [
        FileDiff(
            path=name(file.path),
            previous_path=file.previous_path and name(file.previous_path),
            status=file.status,
            hunks=file.hunks,
        )
        for file in case.change.files
    ]
    edits = [
        replaced(edit, path=name(edit.path.removeprefix(f"{ROOT}/")))
        for edit in case.evidence.edits
    ]
    return Case(Change(files=tuple(files)), Evidence(edits=tuple(edits), roots=(ROOT,)))


# --- order --------------------------------------------------------------------------------------


@searched(75)
@given(cases(), SEEDS, st.sampled_from([CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED]))
def test_order_and_copies_never_matter(case: Case, seed: int, policy: Policy) -> None:
    drawn = random.Random(seed)  # noqa: S311  (an order, not a secret)
    files, edits = list(case.change.files), list(case.evidence.edits)
    edits += drawn.sample(edits, drawn.randrange(len(edits) + 1))
    commands = list(case.evidence.commands)
    commands += drawn.sample(commands, drawn.randrange(len(commands) + 1))
    pushed = list(case.evidence.agent_commits or ())
    for told in (files, edits, commands, pushed):
        drawn.shuffle(told)  # type: ignore[arg-type]  # lists of four kinds
    evidence = Evidence(
        edits=tuple(edits),
        roots=(ROOT,),
        commands=tuple(commands),
        agent_commits=tuple(pushed),
    )
    again = audit_of(Change(files=tuple(files)), evidence, policy)
    assert to_document(again) == to_document(audit_of(*case, policy))


@searched(75)
@given(cases(), cases())
def test_evidence_for_one_file_changes_no_other_file(case: Case, other: Case) -> None:
    target = case.change.files[-1]
    more = [
        replaced(edit, id=f"more_{at}", path=target.path)
        for at, edit in enumerate(other.evidence.edits)
    ]
    before = by_path(audit_of(*case))
    evidence = replace(case.evidence, edits=(*case.evidence.edits, *more))
    after = by_path(audit_of(case.change, evidence))
    reached = reached_by(target, case.change)
    assert {path: file for path, file in before.items() if path not in reached} == {
        path: file for path, file in after.items() if path not in reached
    }


def reached_by(file: FileDiff, change: Change) -> set[str]:
    """Return the files that an edit of a file may belong to: itself and the one renamed from it."""
    renamed = {other.path for other in change.files if other.previous_path == file.path}
    return {file.path} | renamed


# --- what counts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "suffix", "rule"),
    [
        ("dist/", "", "build_directory"),
        ("a/node_modules/", "", "build_directory"),
        ("", ".snap", "test_fixture"),
        ("", ".min.js", "generated"),
        ("", "/package-lock.json", "lock_file"),
    ],
)
def test_excluded_files_are_never_attributed(folder: str, suffix: str, rule: str) -> None:
    attributed = 0
    for case in stories(seed=len(rule), count=40):
        attributed += audit_of(*case).totals.attributed
        audit = audit_of(*moved_to(case, folder, suffix))
        assert audit.totals.attributed == audit.totals.effective == 0
        assert {line.reason for file in audit.files for line in file.lines} <= {rule}
    assert attributed > 100, "elsewhere these lines are attributed, or nothing was asked"


@searched(75)
@given(cases(), st.sampled_from([CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED]))
def test_every_added_line_has_one_reason_and_sums_add_up(case: Case, policy: Policy) -> None:
    audit = audit_of(*case, policy)
    diffs = {file.path: file for file in case.change.files}
    for file in audit.files:
        added = {line.number: line.text for line in diffs[file.path].added()}
        assert [line.line for line in file.lines] == sorted(added)
        assert file.added == len(added)
        for line in file.lines:
            assert line.attributed == (line.reason in ATTRIBUTED)
            text = added[line.line]
            counts = oracle.counts(oracle.form(text)) and not oracle.is_long(text)
            assert counts == (line.reason not in UNCOUNTED)
        assert file.effective == sum(line.reason not in UNCOUNTED for line in file.lines)
        assert file.attributed == sum(line.attributed for line in file.lines)
    totals = audit.totals
    reasons = Counter(str(line.reason) for file in audit.files for line in file.lines)
    assert totals.by_reason == dict(reasons)
    assert sum(totals.by_reason.values()) == totals.added
    assert totals.attributed == sum(totals.by_agent.values())
    assert totals.attributed == sum(file.attributed for file in audit.files) <= totals.effective
    is_known = totals.effective and audit.verdict is not Verdict.NO_EVIDENCE
    share = round(totals.attributed / totals.effective, 4) if is_known else None
    assert totals.share == share


@searched(125)
@given(cases(), st.sampled_from([CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED]))
def test_an_edit_is_never_credited_more_than_it_wrote(case: Case, policy: Policy) -> None:
    """Line by line for equal and touched lines, character by character for re-wrapped ones."""
    texts = {
        (file.path, line.number): line.text for file in case.change.files for line in file.added()
    }
    lines: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    for file in audit_of(*case, policy).files:
        for line in file.lines:
            if line.attributed and line.edit:
                lines[line.edit] += line.reason != "rewrapped"
                characters[line.edit] += len(
                    oracle.compact(oracle.form(texts[file.path, line.line]))
                    if line.reason == "rewrapped"
                    else ""
                )
    for edit in case.evidence.edits:
        own = [oracle.form(str(text)) for hunk in edit.lines.hunks for text in hunk.own]
        assert lines[edit.id] <= sum(map(oracle.counts, own))
        assert characters[edit.id] <= sum(len(oracle.compact(text)) for text in own)


@searched(125)
@given(cases())
def test_differences_are_what_the_reason_says(case: Case) -> None:
    limit, half = CLAUDE_CODE_V1.rewrite_limit, 0.5
    for file in audit_of(*case).files:
        for line in file.lines:
            if line.reason == "edited":
                assert line.difference is not None
                assert 0 < line.difference <= limit
            elif line.reason == "rewritten":
                assert line.difference is not None
                assert limit < line.difference <= half
            elif line.reason == "merged_before":
                assert line.difference is not None
                assert 0 < line.difference <= limit
            else:
                assert line.difference in ((None,) if line.edit is None else (0.0,))


# --- what is no difference ----------------------------------------------------------------------


def restyled(line: HunkLine, drawn: random.Random) -> HunkLine:
    """Change only letter case, quotes and spacing of an added line."""
    text = line.text
    if line.origin != "+" or len(text) > 900:
        return line
    words = text.split(" ")
    text = "".join(word + drawn.choice((" ", "  ", "\t", "\u00a0 ")) for word in words)
    text = drawn.choice(("", "\t", "    ")) + text
    text = text.replace("'", drawn.choice("'\"`\u2019")).replace('"', drawn.choice("'\"\u201d"))
    upper = drawn.choice((text.upper(), text.swapcase(), text))
    return HunkLine("+", upper if upper.lower() == text.lower() else text)


@searched(75)
@given(cases(), SEEDS)
def test_letter_case_quotes_and_spacing_never_change_a_verdict(case: Case, seed: int) -> None:
    drawn = random.Random(seed)  # noqa: S311  (an order, not a secret)
    styled = changed(case.change, lambda line: restyled(line, drawn))
    for old, new in zip(case.change.files, styled.files, strict=True):
        for one, other in zip(old.added(), new.added(), strict=True):
            assert oracle.canonical(one.text) == oracle.canonical(other.text)
    assert audit_of(styled, case.evidence).files == audit_of(*case).files


# --- the rewrite limit --------------------------------------------------------------------------

EVERY = FACTOR > 1
LENGTHS = [length for length in range(5, 401) if EVERY or length < 60 or length % 20 in (19, 0, 1)]
"""All lengths at night; else the short ones, and around each whole fifth that follows."""


def plain_line(length: int, name: str) -> str:
    """Return a line of many words, without spaces, of exactly that length."""
    drawn = random.Random(name)  # noqa: S311  (a text, not a secret)
    signs = [drawn.choice("bcdfghjklmnpqrstvwxz") if at % 7 else "." for at in range(length)]
    return "x" + "".join(signs)[1:]


def spread(length: int, count: int) -> list[int]:
    """Return positions spread over a line, except its ends."""
    return [1 + at * (length - 2) // count for at in range(count)]


def substituted(length: int, count: int, name: str) -> tuple[str, str]:
    line = plain_line(length, name)
    places = set(spread(length, count))
    return line, "".join("#" if at in places else sign for at, sign in enumerate(line))


def inserted(length: int, count: int, name: str) -> tuple[str, str]:
    """Return a line and a copy of the full length with foreign characters."""
    line = plain_line(length - count, name)
    places = Counter(spread(len(line), count))
    return line, "".join(sign + "#" * places[at] for at, sign in enumerate(line))


def deleted(length: int, count: int, name: str) -> tuple[str, str]:
    short, long = inserted(length, count, name)
    return long, short


HOW = {"substituted": substituted, "inserted": inserted, "deleted": deleted}


def one_file(number: int, own: str, added: str, *, between: bool) -> tuple[FileDiff, Edit]:
    """Return a separate file with a changed line of an edit, alone or with neighbors."""
    above = [f"first_neighbor_{number} = establish_foundation({number}, granite, timber)"]
    below = [f"second_neighbor_{number} = finish_construction({number}, marble, copper)"]
    if not between:
        above, below = [], []
    path = f"src/number_{number}.py"
    edit = Edit(
        id=f"toolu_{number}",
        agent="claude-code",
        agent_session="one",
        at=MERGED - timedelta(days=1),
        path=path,
        lines=EditLines((EditHunk((), (*above, own, *below), ()),)),
    )
    return diff_of(path, [], [*above, added, *below]), edit


def attributed_lengths(how: str, beyond: int, *, between: bool) -> set[int]:
    """Return the lengths at which a line ``beyond`` characters over the limit is attributed."""
    files, edits = [], []
    for length in LENGTHS:
        count = length // 5 + beyond
        own, added = HOW[how](length, count, f"{how}{length}")
        assert max(len(own), len(added)) == length
        assert oracle.distance(own, added) == count if length < 40 else True
        file, edit = one_file(length, own, added, between=between)
        files.append(file)
        edits.append(edit)
    audit = audit_of(Change(files=tuple(files)), Evidence(edits=tuple(edits)))
    found = by_path(audit)
    return {
        length
        for length in LENGTHS
        if found[f"src/number_{length}.py"].lines[1 if between else 0].attributed
    }


@pytest.mark.parametrize("how", HOW)
def test_a_fifth_is_in_and_one_character_more_is_out_at_every_length(how: str) -> None:
    """19 and 20 of 100 characters, 21 no more: between equal lines of the same edit."""
    assert attributed_lengths(how, -1, between=True) == set(LENGTHS)
    assert attributed_lengths(how, 0, between=True) == set(LENGTHS)
    assert attributed_lengths(how, 1, between=True) == set()


@pytest.mark.parametrize("how", HOW)
def test_a_fifth_is_in_and_one_character_more_is_out_for_a_lone_edit(how: str) -> None:
    """A lone line must be distinctive as well: a short one never counts."""
    heavy = {
        length
        for length in LENGTHS
        if oracle.plain_weight(HOW[how](length, length // 5, f"{how}{length}")[0]) >= 7
    }
    assert heavy >= {length for length in LENGTHS if length >= 40}
    assert attributed_lengths(how, 0, between=False) == heavy
    assert attributed_lengths(how, 1, between=False) == set()


@pytest.mark.parametrize(("count", "reason"), [(19, "edited"), (20, "edited"), (21, "rewritten")])
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("between", [True, False])
def test_19_and_20_of_100_are_in_and_21_is_out(
    count: int, reason: str, how: str, *, between: bool
) -> None:
    own, added = HOW[how](100, count, "hundred")
    file, edit = one_file(1, own, added, between=between)
    audit = audit_of(Change(files=(file,)), Evidence(edits=(edit,)))
    line = audit.files[0].lines[int(between)]
    assert (line.reason, line.difference) == (reason, count / 100)


def test_the_limit_is_one_fifth_exactly() -> None:
    assert CLAUDE_CODE_V1.limit == Fraction(1, 5)


# --- the window ---------------------------------------------------------------------------------

INSTANT = timedelta(microseconds=1)
FIRST = MERGED - timedelta(days=21)
LAST = MERGED + timedelta(days=2)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-9, minutes=-30))], ids=str)
@pytest.mark.parametrize(
    ("at", "inside"),
    [
        (FIRST - INSTANT, False),
        (FIRST, True),
        (FIRST + INSTANT, True),
        (LAST - INSTANT, True),
        (LAST, True),
        (LAST + INSTANT, False),
    ],
)
def test_both_edges_belong_to_the_window(at: datetime, zone: timezone, *, inside: bool) -> None:
    text = "ledger_tenant = load_quota(drift, beam, 'strict')"
    file, edit = one_file(1, text, text, between=True)
    edit = replaced(edit, at=at.astimezone(zone))
    audit = audit_of(Change(files=(file,)), Evidence(edits=(edit,)))
    reasons = {line.reason for line in audit.files[0].lines}
    assert reasons == {"run" if inside else "outside_window"}
    assert audit.verdict == ("assisted" if inside else "no_evidence")


@pytest.mark.parametrize(
    ("at", "state"), [(LAST - INSTANT, "provisional"), (LAST, "provisional"), (LATER, "final")]
)
def test_an_audit_is_provisional_until_the_window_is_over(at: datetime, state: str) -> None:
    assert audit_of(Change(), Evidence(), at=at).state == state


# --- the document -------------------------------------------------------------------------------


@searched(50)
@given(cases())
def test_a_document_comes_back_as_the_same_bytes(case: Case) -> None:
    audit = audit_of(*case)
    document = to_document(audit)
    assert from_document(document) == audit
    assert to_document(from_document(document)) == document == to_document(audit_of(*case))


@searched(50)
@given(cases())
def test_a_document_holds_no_source_text(case: Case) -> None:
    marked = changed(case.change, lambda line: HunkLine(line.origin, f"{line.text} zq7secret"))
    edits = tuple(
        replaced(
            edit,
            lines=EditLines(
                tuple(
                    EditHunk(*(tuple(f"{text} zq7secret" for text in part) for part in hunk_parts))
                    for hunk_parts in (
                        (hunk.before, hunk.own, hunk.after) for hunk in edit.lines.hunks
                    )
                ),
                tuple(f"{text} zq7secret" for text in edit.lines.removed),
            ),
        )
        for edit in case.evidence.edits
    )
    document = to_document(audit_of(marked, Evidence(edits=edits, roots=(ROOT,))))
    assert b"zq7secret" not in document.lower()
    assert all(b"zq7secret" in line.text.encode() for line in marked.files[0].added())


# --- notebooks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "reason"),
    [("x", "trivial_line"), ("})", "trivial_line"), ("# --", "trivial_line"), ("xyz = 1", "run")],
)
def test_a_line_of_a_notebook_counts_by_the_source_that_it_holds(source: str, reason: str) -> None:
    """JSON's quotes and escaped line end do not make a short line longer."""
    told = "weekly_ledger = load_quota(tenant, drift, 'strict')"
    quoted = [f'    "{line}\\n",' for line in (told.replace("'", "`"), source, told)]
    edit = Edit(
        id="toolu_1",
        agent="claude-code",
        agent_session="one",
        at=MERGED - timedelta(days=1),
        path="docs/ledger.ipynb",
        tool="NotebookEdit",
        lines=EditLines((EditHunk((), (told, source, told), ()),)),
    )
    audit = audit_of(
        Change(files=(diff_of("docs/ledger.ipynb", [], quoted),)), Evidence(edits=(edit,))
    )
    assert [line.reason for line in audit.files[0].lines] == ["run", reason, "run"]


# --- renamed files and drafts -------------------------------------------------------------------

TOLD = "invoice_ledger = load_tenant(ledger, tenant, 'strict')"


def own_edit(id_: str, path: str, *own: str, hours: int, removed: tuple[str, ...] = ()) -> Edit:
    """Return an edit applied some hours before the merge."""
    return Edit(
        id=id_,
        agent="claude-code",
        agent_session="one",
        at=MERGED - timedelta(hours=hours),
        path=path,
        lines=EditLines((EditHunk((), own, ()),) if own else (), removed),
    )


def test_an_edit_of_a_renamed_file_is_credited_once() -> None:
    """A new file may take its earlier name, so that the edit belongs to two files."""
    files = (
        diff_of("src/new.py", [], [TOLD], previous="src/old.py"),
        diff_of("src/old.py", [], [TOLD]),
    )
    edits = (own_edit("toolu_1", "src/old.py", TOLD, hours=5),)
    audit = audit_of(Change(files=files), Evidence(edits=edits))
    assert audit.totals.by_reason == {"line": 1, "credited_elsewhere": 1}


def test_the_later_edit_is_credited_under_whichever_name() -> None:
    file = diff_of("src/new.py", [], [TOLD], previous="src/old.py")
    edits = (
        own_edit("toolu_1", "src/new.py", TOLD, hours=5),
        own_edit("toolu_2", "src/old.py", TOLD, hours=4),
    )
    audit = audit_of(Change(files=(file,)), Evidence(edits=edits))
    assert [line.edit for line in audit.files[0].lines] == ["toolu_2"]


def test_a_draft_that_was_only_taken_out_does_not_weigh_against_the_rest() -> None:
    """An edit that writes nothing can still remove lines of an earlier one."""
    draft = tuple(f"draft_number_{at} = sketch_quickly({at}, 'pencil', 'paper')" for at in range(9))
    edits = (
        own_edit("toolu_1", "src/a.py", *draft, hours=5),
        own_edit("toolu_2", "src/a.py", "return quotas", hours=4),
        own_edit("toolu_3", "src/a.py", hours=3, removed=draft),
    )
    change = Change(files=(diff_of("src/a.py", [], ["# weekly drift", "return quotas"]),))
    reasons = [
        [line.reason for line in audit_of(change, Evidence(edits=known)).files[0].lines]
        for known in (edits[:2], edits)
    ]
    assert reasons == [["no_match", "common_line"], ["no_match", "line"]]


@searched(100)
@given(some=st.lists(cases(), min_size=2, max_size=3), with_key=st.booleans())
def test_what_earlier_audits_read_changes_nothing(some: list[Case], *, with_key: bool) -> None:
    """A replay keeps the code book and the sides of its edits from one audit to the next."""

    def book() -> Codebook:
        key = LineFingerprinter(bytes(range(32)))
        return FingerprintCodebook(key) if with_key else Codebook()

    kept = EditSides(book())
    for case in [*some, *some]:
        of = SUBJECT, case.change, case.evidence, CLAUDE_CODE_V1_MOVED
        found = attribute(*of, at=LATER, sides=kept)
        assert to_document(found) == to_document(attribute(*of, at=LATER, book=book()))
