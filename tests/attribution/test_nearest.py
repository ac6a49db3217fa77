"""Why a line is not attributed: the reason that says most, and the edit it comes from."""

import pytest

from ghapp.attribution.attribute import attribute
from ghapp.attribution.model import Change, Edit, EditHunk, EditLines, Evidence, LineVerdict
from ghapp.attribution.policy import CLAUDE_CODE_V1
from tests.attribution.strategies import LATER, ROOT, SUBJECT, diff_of, replaced
from tests.attribution.test_candidates import edit
from tests.attribution.test_matching import INVOICE, LEDGER, TENANT

FOREIGN = tuple(f"unrelated_{at} = elsewhere_{at}(morning, evening_{at})" for at in range(9))


def told(name: str, *own: str, hours: int = 5, outcome: str = "applied") -> Edit:
    lines = EditLines((EditHunk((), own, ()),))
    return replaced(edit(name, hours=hours, outcome=outcome), lines=lines)


def missed(added: list[str], *edits: Edit) -> list[LineVerdict]:
    change = Change(files=(diff_of("src/a.py", [], added),))
    evidence = Evidence(edits=edits, roots=(ROOT,))
    audit = attribute(SUBJECT, change, evidence, CLAUDE_CODE_V1, at=LATER)
    return [line for line in audit.files[0].lines if not line.attributed]


def test_a_line_that_nobody_wrote_has_no_edit() -> None:
    [line] = missed([INVOICE], told("one", *FOREIGN))
    assert (line.reason, line.edit, line.difference) == ("no_match", None, None)


@pytest.mark.parametrize("reversed_", [False, True])
def test_an_edit_outside_the_window_says_more_than_a_refused_one(
    reversed_: bool,  # noqa: FBT001 (a parameter of the case)
) -> None:
    edits = [told("old", INVOICE, hours=600), told("no", INVOICE, outcome="refused")]
    [line] = missed([INVOICE], *(edits[::-1] if reversed_ else edits))
    assert (line.reason, line.edit, line.difference) == ("outside_window", "old", 0.0)


def test_an_edit_that_was_not_applied_is_named() -> None:
    [line] = missed([INVOICE], told("no", INVOICE, outcome="failed"))
    assert (line.reason, line.edit) == ("not_applied", "no")


def test_a_line_whose_own_line_is_credited_once_already() -> None:
    [line] = missed([INVOICE, INVOICE], told("one", INVOICE))
    assert (line.line, line.reason, line.edit) == (2, "credited_elsewhere", "one")


def test_a_common_line_and_a_scattered_one_of_an_edit_that_is_hardly_there() -> None:
    [line] = missed(["return result"], told("one", "return result", *FOREIGN))
    assert line.reason == "common_line"
    [line] = missed(["parse_quota(weekly)"], told("one", "parse_quota(weekly)", *FOREIGN * 3))
    assert (line.reason, line.edit) == ("scattered", "one")


def test_a_line_in_the_place_of_an_own_line_is_rewritten_up_to_a_half() -> None:
    rewritten = LEDGER.replace("invoice, parse", "x, weekly_sum")
    [line] = missed([INVOICE, rewritten, TENANT], told("one", INVOICE, LEDGER, TENANT))
    assert (line.reason, line.edit) == ("rewritten", "one")
    assert line.difference is not None
    assert 0.2 < line.difference <= 0.5
    [line] = missed([INVOICE, FOREIGN[0], TENANT], told("one", INVOICE, LEDGER, TENANT))
    assert line.reason == "no_match"
