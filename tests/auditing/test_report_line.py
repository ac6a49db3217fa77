"""A report gives the reason that it is about, and holds nothing of the original."""

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from msgspec.structs import replace

from ghapp.attribution.codebook import COMMON_WORDS
from ghapp.attribution.model import EditResult, LineVerdict, Reason
from ghapp.attribution.policy import CLAUDE_CODE_V1, Policy
from ghapp.auditing.line_case import LineCase
from ghapp.auditing.report_line import NotKeptError, report_line
from ghapp.documents.anonymize import EXTENSIONS, PARTS_OF_NAMES, WELL_KNOWN
from ghapp.documents.line_report import LineReport, to_case_folder
from ghapp.reports.line_report import to_markdown
from ghapp.reports.words import AGENTS, REASONS
from tests.attribution.strategies import stories
from tests.attribution.test_audits import FOLDERS
from tests.auditing.line_cases import (
    case_of,
    each_line,
    each_reason,
    new_file,
    of_folder,
    of_story,
    some_code,
    written,
)
from tests.cases import FIXTURES, names
from tests.documents.test_made_up_words import WORD
from tests.searching import searched

TEXTS = [folder for folder in FOLDERS if b"fingerprints" not in (folder / "case.json").read_bytes()]
"""Case folders whose evidence is text, as that on a developer's machine is."""
AUDITS = FIXTURES / "audits"
CODE = some_code("order", 30)


BY_COMMANDS = (Reason.SUBSTITUTED, Reason.SHELL_TEXT, Reason.COMMAND_CHANGED)


def whole(report: LineReport) -> str:
    folder = b"".join(to_case_folder(report).values())
    return (to_markdown(report) + folder).decode()


# --- the reason ---------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", TEXTS, ids=names(TEXTS))
def test_every_reason_of_a_case_is_kept(folder: Path) -> None:
    for case, verdict in each_reason(of_folder(folder)):
        if verdict.reason in BY_COMMANDS:
            with pytest.raises(NotKeptError, match="a command made this line"):
                report_line(case, verdict)
            continue
        if verdict.reason == Reason.AGENT_COMMIT:
            with pytest.raises(NotKeptError, match="only GitHub can prove"):
                report_line(case, verdict)
            continue
        told = report_line(case, verdict).verdict
        assert (told.line, told.reason) == (verdict.line, verdict.reason)
        assert told.difference == verdict.difference


def test_the_cases_have_every_reason_but_those_without_lines() -> None:
    found = {verdict.reason for folder in TEXTS for _, verdict in each_line(of_folder(folder))}
    without = {
        *(Reason.BINARY, Reason.SUBMODULE, Reason.SYMBOLIC_LINK, Reason.LFS_POINTER),
        Reason.EXCLUDED_PATH,
    }
    assert found == {reason.value for reason in set(Reason) - without}


def test_nearly_every_reason_of_random_changes_is_kept() -> None:
    kept: Counter[bool] = Counter()
    for story in stories(7, 60):
        for case, verdict in each_reason(of_story(story)):
            if verdict.reason in {*BY_COMMANDS, Reason.AGENT_COMMIT}:
                continue
            try:
                kept[report_line(case, verdict).verdict.reason == verdict.reason] += 1
            except NotKeptError:
                kept[False] += 1
    assert kept[True] > 100
    assert kept[False] <= kept[True] // 50


def test_the_same_case_gives_the_same_report() -> None:
    case, verdict = each_reason(of_folder(AUDITS / "tier_run"))[-1]
    assert report_line(case, verdict) == report_line(case, verdict)


def first_line(case: LineCase) -> tuple[LineCase, LineVerdict]:
    return next(each_line(case))


def test_a_report_names_no_checkout_that_its_audit_infers() -> None:
    case = case_of(1, [new_file("src/order.py", CODE)], [written("src/order.py", CODE)])
    assert report_line(*first_line(case)).roots == ()


def test_a_checkout_that_the_report_does_not_show_is_named() -> None:
    case = case_of(1, [new_file("README.md", CODE)], [written("README.md", CODE)])
    report = report_line(*first_line(case))
    assert (report.verdict.reason, report.roots) == (Reason.RUN, ("/home/dev/work",))


def test_edits_of_other_agents_are_told_as_claude_codes_and_named() -> None:
    edit = replace(written("src/order.py", CODE), agent="codex")
    report = report_line(*first_line(case_of(1, [new_file("src/order.py", CODE)], [edit])))
    assert report.other_agents == ("Codex",)
    assert report.verdict.agent == "claude-code"


# --- policies -----------------------------------------------------------------------------------


def edited_before(days: int, policy: Policy) -> tuple[LineCase, LineVerdict]:
    edit = written("src/order.py", CODE)
    early = replace(edit, at=edit.at - timedelta(days=days))
    case = case_of(1, [new_file("src/order.py", CODE)], [early])
    return first_line(replace(case, policy=policy))


OWN = replace(CLAUDE_CODE_V1, id="acme-v1", window_before_days=30, exclude=("legacy/",))


def test_a_policy_that_makes_no_difference_is_told_as_the_built_in_one() -> None:
    assert report_line(*edited_before(3, OWN)).policy == CLAUDE_CODE_V1


def test_a_policy_that_makes_a_difference_is_told_without_its_name_and_paths() -> None:
    report = report_line(*edited_before(25, OWN))
    assert report.verdict.reason == Reason.RUN
    assert report.policy == replace(OWN, id="reported-policy", exclude=())


def test_a_path_that_the_policy_excludes_stays_excluded() -> None:
    case = case_of(1, [new_file("legacy/order.py", CODE)], [])
    report = report_line(*first_line(replace(case, policy=OWN)))
    assert report.verdict.reason == Reason.EXCLUDED_PATH
    assert "legacy" not in whole(report)


# --- no report ----------------------------------------------------------------------------------


def test_what_only_gitattributes_show_gives_no_report() -> None:
    case = case_of(1, [new_file("src/order.py", CODE)], [])
    marked = replace(case.change, gitattributes={".gitattributes": "src/** linguist-generated"})
    line, verdict = first_line(replace(case, change=marked))
    assert verdict.reason == Reason.GENERATED
    with pytest.raises(NotKeptError, match="gitattributes"):
        report_line(line, verdict)


def test_another_verdict_than_the_cases_own_gives_no_report() -> None:
    case, verdict = first_line(case_of(1, [new_file("src/order.py", CODE)], []))
    with pytest.raises(NotKeptError):
        report_line(case, msgspec.structs.replace(verdict, reason=Reason.RUN))


def test_what_differs_with_made_up_words_is_said() -> None:
    # The broken keywords are replaced and the whole ones are not, so the lines come apart.
    person, agent = "    retur_ Non", "    return None"
    near = [f"    {line}" for line in CODE[:2]]
    edits = [written("src/order.py", [near[0], agent, near[1]])]
    case = case_of(2, [new_file("src/order.py", [near[0], person, near[1]])], edits)
    _, (line, verdict), _ = each_line(case)
    assert verdict.reason == Reason.EDITED
    with pytest.raises(NotKeptError, match=r"it is (rewritten|no_match) instead of edited"):
        report_line(line, verdict)


# --- what is left of the original ---------------------------------------------------------------


def parts(text: str) -> set[str]:
    """Return the words of a text, split at underscores, in lower case."""
    return set(re.findall(r"[^\W_]+", text.lower()))


SHOWN = (
    *("write_new_file", "tier_edited", "refused_edit", "failed_edit", "interrupted_edit"),
    *("unanswered_edit", "moved_block_other_file_counted", "matching_file_renamed"),
)
OURS = (
    parts(
        " ".join(whole(report_line(*each_reason(of_folder(AUDITS / name))[-1])) for name in SHOWN)
    )
    | parts(" ".join(WELL_KNOWN))
    | PARTS_OF_NAMES
    | EXTENSIONS
    | COMMON_WORDS
    | parts(" ".join((*REASONS, *REASONS.values(), *AGENTS.values())))
)
"""Words that a report may hold: of its form, of any program, of well-known names."""
PLANTED = st.lists(WORD.filter(lambda word: word.lower() not in OURS), min_size=8, max_size=8)
SHAPES = (
    "{a}_{b} = load_{c}({b}, '{c}')",
    "    return {a}.{b}({c}, {a}_{c})  # {b}",
    "const {a} = `{b} ${{{c}}}`;",
    '"{a} {b}": {c},',
    "def {a}(self, {b}: {c}) -> None:",
    "return None",
    "",
)
LINE = st.tuples(st.sampled_from(SHAPES), *[st.integers(0, 7)] * 3)


@searched(80)
@given(
    PLANTED,
    st.lists(LINE, min_size=1, max_size=10),
    st.lists(LINE, min_size=1, max_size=10),
    st.integers(0, 20),
    st.sampled_from(EditResult),
)
def test_no_word_of_the_original_is_left(
    words: list[str],
    shared: list[tuple[str, int, int, int]],
    own: list[tuple[str, int, int, int]],
    at: int,
    outcome: EditResult,
) -> None:
    def code(lines: list[tuple[str, int, int, int]]) -> list[str]:
        return [shape.format(a=words[a], b=words[b], c=words[c]) for shape, a, b, c in lines]

    path = f"{words[0]}/{words[1]}.{words[2]}.py"
    edits = [
        replace(
            written(path, code(shared + own)),
            id=words[3],
            agent_session=words[4],
            actor=words[5],
            path=f"/home/{words[6]}/{words[7]}/{path}",
            cwd=f"/home/{words[6]}",
            outcome=outcome,
        )
    ]
    case = case_of(1, [new_file(path, code(own + shared))], edits)
    named = replace(case, evidence=replace(case.evidence, roots=(f"/home/{words[6]}/{words[7]}",)))
    lines = list(each_line(named))
    try:
        told = whole(report_line(*lines[at % len(lines)]))
    except NotKeptError:
        reject()
    left = parts(told) | set(re.findall(r"\w+", told.lower()))
    assert not left & {word.lower() for word in words}
    assert not [word for word in words if len(word) > 6 and word.lower() in told.lower()]
