"""Each folder of fixtures/evidence is an artifact beside the edits that are read from it."""

from pathlib import Path

import pytest

from tests.cases import names
from tests.evidence.carried_cases import carried_cases
from tests.evidence.renew import all_cases, read_carried_case, read_case, to_text


@pytest.mark.parametrize("case", all_cases(), ids=names(all_cases()))
def test_an_artifact_is_read_as_expected(case: Path) -> None:
    assert to_text(read_case(case)) == (case / "expected.json").read_text(encoding="utf-8"), (
        "if this is meant, renew with: python -m tests.evidence.renew"
    )


@pytest.mark.parametrize("case", carried_cases(), ids=names(carried_cases()))
def test_carried_evidence_is_read_as_expected(case: Path) -> None:
    expected = (case / "expected.json").read_text(encoding="utf-8")
    assert to_text(read_carried_case(case)) == expected, (
        "if this is meant, renew with: python -m tests.evidence.renew"
    )
